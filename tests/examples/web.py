"""The web application as its tests see it: served over HTTP, and pages as forms, links and rows."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from threading import Thread
from typing import Any

import httpx
import uvicorn

from examples.music.catalog import Catalog
from examples.music.models import AsyncMusicDb
from examples.music.web.app import create_app

SECRET = "of these tests"


@contextmanager
def served(client: Any, table: str, catalog: Catalog | None) -> Generator[httpx.Client]:
    """Serve the application on a free port of this machine; give a client of it, which threads may share."""
    db = AsyncMusicDb(client, table_name_resolver=lambda _table, _declared: table)
    app = create_app(db, secret=SECRET, catalog=catalog)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with httpx.Client(base_url=address, timeout=60, trust_env=False) as browser:
                yield browser
        finally:
            server.should_exit = True
            thread.join()


@dataclass
class Form:
    """A form with what a browser would send of it untouched."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def filled(self, *places: str, **values: str) -> dict[str, list[str]]:
        """The fields, with other values in those of one name, and other places of tracks."""
        filled: dict[str, list[str]] = {}
        for name, value in self.fields:
            filled.setdefault(name, []).append(value)
        if places:
            filled["place"] = list(places)
        return filled | {name: [value] for name, value in values.items()}


class Page(HTMLParser):
    """A page, read as far as the tests look at it."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.status = response.status_code
        self.links: dict[str, str] = {}
        self.forms: list[Form] = []
        self.title = ""
        self.headings: list[str] = []
        self.items: list[str] = []
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self._texts: list[tuple[str, list[str]]] = []
        self._link = ""
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        self.feed(response.text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag in {"title", "h1", "h2", "h3", "li", "a", "td", "p"}:
            self._texts.append((tag, []))
        if tag == "a":
            self._link = named["href"]
        elif tag == "tr":
            self.rows.append([])
        elif tag == "form":
            self.forms.append(Form(named["action"], named.get("method", "get")))
        elif tag in {"input", "select"} and "name" in named and named.get("type") != "checkbox":
            self.forms[-1].fields.append((named["name"], named.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        if not (self._texts and self._texts[-1][0] == tag):
            return
        text = " ".join("".join(self._texts.pop()[1]).split())
        match tag:
            case "title":
                self.title = text
            case "h1" | "h2" | "h3":
                self.headings.append(text)
            case "li":
                self.items.append(text)
            case "a":
                self.links[text] = self._link
            case "td":
                self.rows[-1].append(text)
            case _:
                pass

    def handle_data(self, data: str) -> None:
        for _, texts in self._texts:
            texts.append(data)

    def form(self, action: str) -> Form:
        """The form that is sent to an address."""
        [form] = [form for form in self.forms if form.action == action]
        return form
