"""Pages from templates."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zlib import crc32

from fastapi import Request, Response
from fastapi.templating import Jinja2Templates
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from examples.music.render import count, length

HUES = 12
"""How many colours style.css has for covers."""


def _hue(token: str) -> int:
    return crc32(token.encode()) % HUES


def _initial(title: str) -> str:
    """The first letter of a title, which may stand behind a quotation mark."""
    return next((character for character in title if character.isalnum()), title[0])


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Any] = environment.filters
    filters.update(hue=_hue, initial=_initial, length=length)
    variables: dict[str, Any] = environment.globals
    variables.update(count=count, query=urlencode)
    return environment


_templates = Jinja2Templates(env=_environment())


def render(
    request: Request,
    template: str,
    *,
    status: HTTPStatus = HTTPStatus.OK,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response:
    """Make a page of a template and its variables."""
    return _templates.TemplateResponse(request, template, context, status_code=status, headers=headers)
