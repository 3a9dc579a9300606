"""The pages: forms and links, no scripts."""

from __future__ import annotations

import asyncio
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import BaseModel, Field

from examples.music.catalog import AlbumToken, PlaylistToken, Text
from examples.music.models import AlbumTrack, PlaylistInfo
from examples.music.web.api import TrackNumber
from examples.music.web.library import SharedLibrary
from examples.music.web.rendering import render
from logicaldb import VersionConflict

pages = APIRouter(include_in_schema=False)

ALBUMS_A_PAGE = 4
TRACKS_A_PAGE = 8
"""Small, so that the bundled catalogue has more than one page."""

STYLE = Path(__file__).with_name("style.css")


def _seen(path: str) -> Response:
    """Send the browser on with a GET, so that reloading repeats nothing."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


@pages.get("/style.css")
async def style() -> Response:
    return FileResponse(STYLE)


@pages.get("/")
async def albums(request: Request, library: SharedLibrary) -> Response:
    return render(request, "albums.html", heading="Albums", albums=await library.albums(), next_page=None)


@pages.get("/artists")
async def artists(request: Request, library: SharedLibrary) -> Response:
    return render(request, "artists.html", artists=await library.artists())


@pages.get("/artist")
async def artist(request: Request, library: SharedLibrary, name: str, cursor: str | None = None) -> Response:
    found = await library.albums_by_artist(name, cursor, ALBUMS_A_PAGE)
    next_page = found.next and f"/artist?{urlencode({'name': name, 'cursor': found.next})}"
    return render(request, "albums.html", heading=name, albums=found.items, next_page=next_page)


@pages.get("/genre")
async def genre(request: Request, library: SharedLibrary, name: str, cursor: str | None = None) -> Response:
    found = await library.albums_by_genre(name, cursor, ALBUMS_A_PAGE)
    next_page = found.next and f"/genre?{urlencode({'name': name, 'cursor': found.next})}"
    return render(request, "albums.html", heading=name, albums=found.items, next_page=next_page)


@pages.get("/albums/{token}")
async def album(request: Request, library: SharedLibrary, token: AlbumToken) -> Response:
    (info, tracks), playlists = await asyncio.gather(library.album(token), library.playlists())
    return render(request, "album.html", album=info, tracks=tracks, playlists=playlists)


@pages.get("/albums/{token}/tracks/{number}")
async def track(request: Request, library: SharedLibrary, token: AlbumToken, number: TrackNumber) -> Response:
    found, playlists = await asyncio.gather(library.track(AlbumTrack.Key(token, number)), library.playlists())
    return render(request, "track.html", track=found, playlists=playlists)


@pages.post("/albums/{token}/tracks/{number}/plays")
async def play(library: SharedLibrary, token: AlbumToken, number: TrackNumber) -> Response:
    await library.play(AlbumTrack.Key(token, number))
    return _seen(f"/albums/{token}#track-{number}")


@pages.get("/search")
async def search(
    request: Request,
    library: SharedLibrary,
    title: str = "",
    album: AlbumToken | None = None,
    cursor: str | None = None,
) -> Response:
    """Find tracks by the beginning of their title: in an album by its local index, else by a scan with a filter."""
    next_page = None
    if album is not None:
        found = await library.tracks_by_title(album, title, cursor, TRACKS_A_PAGE)
        tracks = found.items
        if found.next:
            next_page = f"/search?{urlencode({'title': title, 'album': album, 'cursor': found.next})}"
    else:
        tracks = await library.search(title) if title else []
    return render(request, "search.html", title=title, album=album, tracks=tracks, next_page=next_page)


@pages.get("/playlists")
async def playlists(request: Request, library: SharedLibrary) -> Response:
    return render(request, "playlists.html", playlists=await library.playlists())


@pages.post("/playlists")
async def create(library: SharedLibrary, name: Annotated[Text, Form()]) -> Response:
    token = f"PLAYLIST_{secrets.token_hex(6)}"
    await library.save_playlist(PlaylistInfo(playlist_token=token, playlist_name=name))
    return _seen(f"/playlists/{token}")


@pages.get("/playlists/{token}")
async def playlist(request: Request, library: SharedLibrary, token: PlaylistToken) -> Response:
    info = await library.playlist(token)
    tracks = await library.with_titles(info.playlist_tracks)
    return render(request, "playlist.html", playlist=info, tracks=tracks)


class Addition(BaseModel):
    """One track, or all of an album."""

    playlist: PlaylistToken
    album: AlbumToken
    track: Annotated[int, Field(ge=1)] | None = None


@pages.post("/additions")
async def add(library: SharedLibrary, form: Annotated[Addition, Form()]) -> Response:
    if form.track is None:
        _, tracks = await library.album(form.album)
        keys = [AlbumTrack.Key.of(track) for track in tracks]
    else:
        keys = [AlbumTrack.Key(form.album, form.track)]
    await library.add_tracks(form.playlist, keys)
    return _seen(f"/playlists/{form.playlist}")


class Edit(BaseModel):
    """The form of a playlist: its version as it was shown, and a row for each track."""

    name: Text
    version: Annotated[int, Field(ge=0)]
    track: list[Annotated[str, Field(pattern=r"^ALBUM_[0-9a-z-]{1,100}/[1-9][0-9]{0,8}$")]] = []
    place: list[int] = []
    """Where each track is to go, from 1."""
    remove: list[int] = []
    """The rows, from 1, whose tracks are to go."""

    def item(self, token: str) -> PlaylistInfo:
        rows = enumerate(zip(self.track, self.place, strict=False), start=1)
        # A track that is moved to a place comes before the one that is there if it comes from below, else after it.
        moved = sorted(
            (place, (place > row) - (place < row), row, key) for row, (key, place) in rows if row not in self.remove
        )
        return PlaylistInfo(
            playlist_token=token,
            playlist_name=self.name,
            playlist_tracks=[_key(text) for *_, text in moved],
            playlist_version=self.version,
        )


def _key(text: str) -> AlbumTrack.Key:
    album, _, number = text.partition("/")
    return AlbumTrack.Key(album, int(number))


@pages.get("/playlists/{token}/edit")
async def edit(request: Request, library: SharedLibrary, token: PlaylistToken) -> Response:
    info = await library.playlist(token)
    tracks = await library.with_titles(info.playlist_tracks)
    return render(request, "edit.html", playlist=info, tracks=tracks)


@pages.post("/playlists/{token}")
async def save(
    request: Request, library: SharedLibrary, token: PlaylistToken, form: Annotated[Edit, Form()]
) -> Response:
    wanted = form.item(token)
    try:
        await library.save_playlist(wanted)
    except VersionConflict as conflict:
        present: PlaylistInfo | None = conflict.item
        return render(
            request,
            "conflict.html",
            status=HTTPStatus.CONFLICT,
            wanted=wanted,
            wanted_tracks=await library.with_titles(wanted.playlist_tracks),
            present=present,
            present_tracks=await library.with_titles(present.playlist_tracks if present else []),
        )
    return _seen(f"/playlists/{token}")
