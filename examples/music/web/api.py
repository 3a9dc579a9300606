"""The JSON API, under ``/api``; ``/openapi.json`` describes it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from examples.music.catalog import AlbumToken, PlaylistToken, Text, TrackReference
from examples.music.models import AlbumInfo, AlbumTrack, PlaylistInfo
from examples.music.render import length
from examples.music.web.library import SharedLibrary

api = APIRouter(prefix="/api")

TrackNumber = Annotated[int, Path(ge=1)]
MAX_TRACKS = 400
"""As many as the form of the page can send."""
PageSize = Annotated[int, Query(ge=1, le=100)]


class Album(BaseModel):
    token: str
    title: str
    artist: str
    genre: str
    released: date
    label: str | None

    @classmethod
    def of(cls, info: AlbumInfo) -> Self:
        return cls(
            token=info.album_token,
            title=info.album_title,
            artist=info.artist_name,
            genre=info.genre_name,
            released=info.release_date,
            label=info.label_name,
        )


class Track(BaseModel):
    album: str
    number: int
    title: str
    length: str
    plays: int

    @classmethod
    def of(cls, track: AlbumTrack) -> Self:
        return cls(
            album=track.album_token,
            number=track.track_number,
            title=track.track_title,
            length=length(track.run_length),
            plays=track.play_count,
        )


class AlbumAndTracks(BaseModel):
    album: Album
    tracks: list[Track]


class Albums(BaseModel):
    albums: list[Album]
    next: str | None = None
    """The cursor of the next page."""


class Tracks(BaseModel):
    tracks: list[Track]
    next: str | None = None
    """The cursor of the next page."""


class Artist(BaseModel):
    name: str
    albums: int


class Plays(BaseModel):
    plays: int


class PlaylistEdit(BaseModel):
    """What somebody makes of a playlist, and the version that they saw."""

    name: Text
    version: Annotated[int, Field(ge=0)]
    """0 where they saw none."""
    tracks: Annotated[list[TrackReference], Field(max_length=MAX_TRACKS)]
    """All of them: what is left out is not in the playlist any more."""

    def item(self, token: str) -> PlaylistInfo:
        return PlaylistInfo(
            playlist_token=token,
            playlist_name=self.name,
            playlist_tracks=_keys(self.tracks),
            playlist_version=self.version,
        )


class Playlist(BaseModel):
    token: str
    name: str
    version: int
    tracks: list[TrackReference]

    @classmethod
    def of(cls, info: PlaylistInfo) -> Self:
        return cls(
            token=info.playlist_token,
            name=info.playlist_name,
            version=info.playlist_version,
            tracks=[_reference(key) for key in info.playlist_tracks],
        )


@api.get("/albums")
async def albums(library: SharedLibrary) -> Albums:
    """All albums, by date."""
    return Albums(albums=[Album.of(info) for info in await library.albums()])


@api.get("/albums/{token}")
async def album(library: SharedLibrary, token: AlbumToken) -> AlbumAndTracks:
    """An album and its tracks."""
    info, tracks = await library.album(token)
    return AlbumAndTracks(album=Album.of(info), tracks=[Track.of(track) for track in tracks])


@api.get("/albums/{token}/tracks")
async def tracks_by_title(
    library: SharedLibrary, token: AlbumToken, title: str = "", cursor: str | None = None, size: PageSize = 10
) -> Tracks:
    """The tracks of an album whose title begins so, by title."""
    found = await library.tracks_by_title(token, title, cursor, size)
    return Tracks(tracks=[Track.of(track) for track in found.items], next=found.next)


@api.post("/albums/{token}/tracks/{number}/plays")
async def play(library: SharedLibrary, token: AlbumToken, number: TrackNumber) -> Plays:
    """Count a play of a track."""
    return Plays(plays=await library.play(AlbumTrack.Key(token, number)))


@api.get("/artists")
async def artists(library: SharedLibrary) -> list[Artist]:
    """All artists, each with the number of their albums."""
    return [Artist(name=name, albums=albums) for name, albums in await library.artists()]


@api.get("/artists/{name:path}/albums")
async def albums_by_artist(library: SharedLibrary, name: str, cursor: str | None = None, size: PageSize = 10) -> Albums:
    """The albums of an artist."""
    found = await library.albums_by_artist(name, cursor, size)
    return Albums(albums=[Album.of(info) for info in found.items], next=found.next)


@api.get("/genres/{name:path}/albums")
async def albums_by_genre(library: SharedLibrary, name: str, cursor: str | None = None, size: PageSize = 10) -> Albums:
    """The albums of a genre."""
    found = await library.albums_by_genre(name, cursor, size)
    return Albums(albums=[Album.of(info) for info in found.items], next=found.next)


@api.get("/tracks")
async def search(library: SharedLibrary, title: Annotated[str, Query(min_length=1)]) -> Tracks:
    """The tracks of any album whose title begins so."""
    return Tracks(tracks=[Track.of(track) for track in await library.search(title)])


@api.get("/playlists")
async def playlists(library: SharedLibrary) -> list[Playlist]:
    """All playlists."""
    return [Playlist.of(info) for info in await library.playlists()]


@api.get("/playlists/{token}")
async def playlist(library: SharedLibrary, token: PlaylistToken) -> Playlist:
    """A playlist, with its version."""
    return Playlist.of(await library.playlist(token))


@api.put("/playlists/{token}")
async def save_playlist(library: SharedLibrary, token: PlaylistToken, edit: PlaylistEdit) -> Playlist:
    """Save a playlist over the version that was seen; 409, with the present one, if there is another by now."""
    return Playlist.of(await library.save_playlist(edit.item(token)))


@api.post("/playlists/{token}/tracks")
async def add_tracks(
    library: SharedLibrary, token: PlaylistToken, tracks: Annotated[list[TrackReference], Field(min_length=1)]
) -> Playlist:
    """Add tracks to the end of a playlist."""
    await library.add_tracks(token, _keys(tracks))
    return Playlist.of(await library.playlist(token))


def _keys(references: Iterable[TrackReference]) -> list[AlbumTrack.Key]:
    return [AlbumTrack.Key(reference.album, reference.track) for reference in references]


def _reference(key: AlbumTrack.Key) -> TrackReference:
    assert key.track_number is not None  # without one it is no track but a prefix of several
    return TrackReference(album=key.album_token, track=key.track_number)
