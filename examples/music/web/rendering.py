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


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"length": length, "hue": lambda text: crc32(text.encode()) % HUES}
    environment.globals |= {"count": count, "query": urlencode}
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
