"""Catalogues: JSON files of albums and playlists, checked before anything is written.

README.md in this folder describes the format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from examples.music.models import AlbumInfo, AlbumTrack, PlaylistInfo

BUNDLED = Path(__file__).with_name("catalog.json")
"""The catalogue that comes with the example."""

MAX_PROBLEMS_SHOWN = 5

WORDING = {
    "extra_forbidden": "is no field of the format",
    "list_type": "should be a list",
    "missing": "is missing",
    "model_type": "should be an object",
    "string_too_long": "should have at most {max_length} characters",
    "string_too_short": "should not be empty",
    "string_type": "should be text",
    "string_unicode": "should be text that is UTF-8",
    "greater_than_equal": "should be at least {ge}",
    "int_type": "should be a whole number",
    "too_short": "should not be empty",
}
"""What is said of common mistakes, in the terms of JSON."""


class CatalogError(Exception):
    """A catalogue cannot be read; the message names the file and the entries that are wrong."""


def check_token(prefix: str, value: str) -> str:
    """Check a token; those of the two kinds never meet, so an album and a playlist never share a row.

    Raises:
        PydanticCustomError: a ``ValueError``, whose message says what a token is.
    """
    if not re.fullmatch(f"{prefix}[0-9a-z-]{{1,100}}", value, re.ASCII):
        message = "should be {prefix} and up to 100 small letters, digits and hyphens"
        raise PydanticCustomError("token", message, {"prefix": prefix})
    return value


def _text(value: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise PydanticCustomError("text", "should be one line of text without spaces around it")
    return value


def _day(value: object) -> date:
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("day", 'should be a day such as "1973-03-01"')


def check_length(value: object) -> timedelta:
    """Read a length, ``4:33``.

    Raises:
        PydanticCustomError: a ``ValueError``, whose message says what a length is.
    """
    if isinstance(value, str) and (match := re.fullmatch(r"(\d{1,4}):([0-5]\d)", value, re.ASCII)):
        return timedelta(minutes=int(match[1]), seconds=int(match[2]))
    raise PydanticCustomError("length", 'should be minutes and seconds such as "4:33"')


Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_text)]
AlbumToken = Annotated[str, AfterValidator(partial(check_token, "ALBUM_"))]
PlaylistToken = Annotated[str, AfterValidator(partial(check_token, "PLAYLIST_"))]
Day = Annotated[date, BeforeValidator(_day)]
Length = Annotated[timedelta, BeforeValidator(check_length)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class TrackEntry(_Entry):
    """A track; its number is its place in the list."""

    title: Text
    length: Length


class AlbumEntry(_Entry):
    """An album and all its tracks."""

    token: AlbumToken
    title: Text
    artist: Text
    genre: Text
    released: Day
    label: Text | None = None
    tracks: Annotated[list[TrackEntry], Field(min_length=1)]

    def items(self) -> Iterator[AlbumInfo | AlbumTrack]:
        """What is stored of it: the album, and each track."""
        yield AlbumInfo(
            album_token=self.token,
            album_title=self.title,
            artist_name=self.artist,
            release_date=self.released,
            genre_name=self.genre,
            label_name=self.label,
        )
        for number, track in enumerate(self.tracks, start=1):
            yield AlbumTrack(
                album_token=self.token,
                track_number=number,
                track_title=track.title,
                run_length=track.length,
            )


class TrackReference(_Entry):
    """A track of an album of the same file."""

    album: AlbumToken
    track: Annotated[int, Field(ge=1, lt=10**16)]


class PlaylistEntry(_Entry):
    """A playlist."""

    token: PlaylistToken
    name: Text
    tracks: list[TrackReference] = []

    def item(self) -> PlaylistInfo:
        """What is stored of it."""
        return PlaylistInfo(
            playlist_token=self.token,
            playlist_name=self.name,
            playlist_tracks=[AlbumTrack.Key(reference.album, reference.track) for reference in self.tracks],
        )


class Catalog(_Entry):
    """A whole file."""

    albums: list[AlbumEntry]
    playlists: list[PlaylistEntry] = []

    def album_items(self) -> list[AlbumInfo | AlbumTrack]:
        """Every album, each before its tracks."""
        return [item for album in self.albums for item in album.items()]


def read_catalog(path: Path) -> Catalog:
    """Read and check a catalogue.

    Raises:
        CatalogError: the file cannot be read, is not JSON, or an entry is wrong.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CatalogError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CatalogError(f"{path}: not UTF-8 text (byte {error.start})") from error
    except json.JSONDecodeError as error:
        raise CatalogError(f"{path}: not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except (RecursionError, ValueError) as error:
        raise CatalogError(f"{path}: not JSON that can be read: {error}") from error
    if not isinstance(content, dict):
        raise CatalogError(f'{path}: should be an object with the field "albums"')
    try:
        catalog = Catalog.model_validate(content)
    except ValidationError as error:
        problems = [f"{_where(content, details['loc'])}: {_what(details)}" for details in error.errors()]
        raise CatalogError(_message(path, problems)) from None
    if problems := [*_repeated_tokens(content, catalog), *_unknown_tracks(content, catalog)]:
        raise CatalogError(_message(path, problems))
    return catalog


def _message(path: Path, problems: Sequence[str]) -> str:
    lines = [f"{path}: {problem}" for problem in islice(problems, MAX_PROBLEMS_SHOWN)]
    if (left_out := len(problems) - len(lines)) > 0:
        lines.append(f"{path}: and {left_out} more")
    return "\n".join(lines)


def _where(content: dict[str, Any], location: Sequence[int | str]) -> str:
    """Say where a problem is: ``albums[3] (Abbey Road): tracks[2].length``."""
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")
    if len(location) < 2:
        return path
    kind, index = str(location[0]), location[1]
    entry = content[kind][index]
    name = (entry.get("title") or entry.get("name")) if isinstance(entry, dict) else None
    place = f"{kind}[{index}] ({name})" if isinstance(name, str) and name.isprintable() else f"{kind}[{index}]"
    rest = path.removeprefix(f"{kind}[{index}]").removeprefix(".")
    return f"{place}: {rest}" if rest else place


def _what(details: ErrorDetails) -> str:
    wording = WORDING.get(details["type"])
    return details["msg"] if wording is None else wording.format_map(details.get("ctx", {}))


def _repeated_tokens(content: dict[str, Any], catalog: Catalog) -> Iterator[str]:
    for kind, entries in (("albums", catalog.albums), ("playlists", catalog.playlists)):
        first_place: dict[str, int] = {}
        for index, token in enumerate(entry.token for entry in entries):
            first = first_place.setdefault(token, index)
            if first != index:
                here, there = _where(content, (kind, index, "token")), _where(content, (kind, first))
                yield f"{here}: {token} is the token of {there} already"


def _unknown_tracks(content: dict[str, Any], catalog: Catalog) -> Iterator[str]:
    track_counts = {album.token: len(album.tracks) for album in catalog.albums}
    for index, playlist in enumerate(catalog.playlists):
        for position, reference in enumerate(playlist.tracks):
            if reference.track > track_counts.get(reference.album, 0):
                here = _where(content, ("playlists", index, "tracks", position))
                yield f"{here}: there is no track {reference.track} of {reference.album} in this file"
