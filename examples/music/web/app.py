"""The application."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware

from examples.music.catalog import Catalog
from examples.music.models import AsyncMusicDb
from examples.music.web import errors
from examples.music.web.api import api
from examples.music.web.library import Library
from examples.music.web.pages import pages

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}


def create_app(
    db: AsyncMusicDb,
    *,
    secret: str,
    catalog: Catalog | None = None,
    hosts: Sequence[str] = ("127.0.0.1", "localhost"),
) -> FastAPI:
    """Make the application.

    Args:
        db: the database; one serves all requests.
        secret: signs the cursors.
        catalog: what to fill the table with at the start, which is created then.
        hosts: the names under which the application is reached.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncGenerator[None]:
        if catalog is not None:
            await db.create_tables()
            # The table is new, so there is nothing that a batch could overwrite.
            await db.batch_write_all([*catalog.album_items(), *(entry.item() for entry in catalog.playlists)])
        yield

    # The pages of FastAPI that describe an API load scripts from elsewhere.
    app = FastAPI(title="The music library", lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.library = Library(db, secret)
    app.include_router(api)
    app.include_router(pages)
    errors.register(app)
    app.add_middleware(BaseHTTPMiddleware, dispatch=_guard)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    return app


async def _guard(request: Request, proceed: RequestResponseEndpoint) -> Response:
    """Refuse what forms of other sites send, and let pages load nothing from elsewhere."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        elsewhere = site not in {"same-origin", "none"}
    else:  # browsers leave it out where the connection is not encrypted, but for localhost
        elsewhere = origin is not None and urlsplit(origin).netloc != request.url.netloc
    if elsewhere and request.method not in {"GET", "HEAD"}:
        return PlainTextResponse("This is sent by another site.", HTTPStatus.FORBIDDEN)
    response = await proceed(request)
    response.headers.update(HEADERS)
    return response
