"""The music database of the tests, on tables of its own."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from examples.music.models import AlbumInfo, AlbumTrack, MusicDb
from tests.modes import Mode


def make_db(mode: Mode) -> MusicDb:
    """A music database with fresh tables."""
    return mode.make(MusicDb)


def track(number: int, title: str = "", *, album: str = "ALBUM_1", seconds: int = 60) -> AlbumTrack:
    """A track."""
    return AlbumTrack(
        album_token=album,
        track_number=number,
        track_title=title or f"Track {number}",
        run_length=timedelta(seconds=seconds),
    )


def album(
    token: str = "ALBUM_1", *, artist: str = "Pink Floyd", label: str | None = "Harvest", **fields: Any
) -> AlbumInfo:
    """An album."""
    return AlbumInfo(
        album_token=token,
        album_title=fields.pop("title", f"Title of {token}"),
        artist_name=artist,
        release_date=fields.pop("day", date(1973, 3, 1)),
        genre_name=fields.pop("genre", "Rock"),
        label_name=label,
        **fields,
    )
