"""What the pages and the JSON API have in common: everything that is asked of DynamoDB."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Request

from examples.music.models import AlbumInfo, AlbumTrack, AsyncMusicDb, PlaylistInfo
from logicaldb import AsyncIndexView, BeginsWith, IndexKey, Item, ItemNotFound, KeyCondition, attr

K = TypeVar("K", bound=IndexKey[Any])
I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items

MOST_FOUND = 50
"""How many tracks a search through the whole table gives."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[I]):
    """One page of a list, and the cursor of the next one; ``None`` after the last."""

    items: list[I]
    next: str | None


@dataclass(frozen=True, slots=True)
class Library:
    """The music library.

    Attributes:
        db: the database, which all requests share.
        secret: signs the cursors; several processes of one application need the same.
    """

    db: AsyncMusicDb
    secret: str

    async def albums(self) -> list[AlbumInfo]:
        """All albums, by date: a scan, because nothing in the table sorts all of them."""
        found = self.db.music.album_info.scan_all_contents()
        return sorted([album async for album in found], key=lambda album: (album.release_date, album.album_token))

    async def album(self, token: str) -> tuple[AlbumInfo, list[AlbumTrack]]:
        """An album and its tracks as they are now, because one was just played, perhaps: one query."""
        key = AlbumInfo.Key(token)
        rows = [row async for row in self.db.music.albums.query_all_contents(key, consistent_read=True)]
        match rows:
            case [AlbumInfo() as album, *tracks]:
                return album, [track for track in tracks if isinstance(track, AlbumTrack)]
            case _:
                raise ItemNotFound(f"there is no {token}", key=key)

    async def track(self, key: AlbumTrack.Key) -> AlbumTrack:
        """One track as it is now."""
        track = await self.db.load(key, consistent_read=True)
        if track is None:
            raise ItemNotFound(f"there is no {key}", key=key)
        return track

    async def play(self, key: AlbumTrack.Key) -> int:
        """Count a play: an atomic addition, so that none is lost."""
        return await self.db.increment(key, AlbumTrack.play_count)

    async def artists(self) -> list[tuple[str, int]]:
        """All artists, each with the number of their albums."""
        found = self.db.music.album_info_by_artist.scan_all_contents()
        return sorted(Counter([album.artist_name async for album in found]).items())

    async def albums_by_artist(self, name: str, cursor: str | None, size: int) -> Listing[AlbumInfo]:
        """The albums of an artist, a page at a time."""
        condition = BeginsWith(AlbumInfo.ArtistIndexOffset(name))
        return await self._page(self.db.music.album_info_by_artist, condition, cursor, size)

    async def albums_by_genre(self, name: str, cursor: str | None, size: int) -> Listing[AlbumInfo]:
        """The albums of a genre, a page at a time."""
        condition = BeginsWith(AlbumInfo.GenreIndexOffset(name))
        return await self._page(self.db.music.album_info_by_genre, condition, cursor, size)

    async def tracks_by_title(self, album: str, title: str, cursor: str | None, size: int) -> Listing[AlbumTrack]:
        """The tracks of an album whose title begins so, by title, a page at a time."""
        condition = BeginsWith(AlbumTrack.TitleIndexOffset(album, title or None))
        return await self._page(self.db.music.album_tracks_by_title, condition, cursor, size)

    async def search(self, title: str) -> list[AlbumTrack]:
        """The tracks whose title begins so, by title: a scan with a filter."""
        condition = attr(AlbumTrack.track_title).begins_with(title)
        found = self.db.music.album_tracks.scan_all_contents(filter_expression=condition, limit=MOST_FOUND)
        return sorted([track async for track in found], key=lambda track: (track.track_title, track.album_token))

    async def playlists(self) -> list[PlaylistInfo]:
        """All playlists, by name."""
        found = self.db.music.playlist_info.scan_all_contents(consistent_read=True)
        return sorted([info async for info in found], key=lambda info: (info.playlist_name, info.playlist_token))

    async def playlist(self, token: str) -> PlaylistInfo:
        """One playlist as it is now."""
        key = PlaylistInfo.Key(token)
        info = await self.db.load(key, consistent_read=True)
        if info is None:
            raise ItemNotFound(f"there is no {token}", key=key)
        return info

    async def with_titles(self, keys: Iterable[AlbumTrack.Key]) -> list[tuple[AlbumTrack.Key, AlbumTrack | None]]:
        """The keys with their tracks, as far as they exist."""
        keys = list(keys)
        found = await self.db.batch_load(keys)
        return [(key, found.get(key)) for key in keys]

    async def save_playlist(self, info: PlaylistInfo) -> PlaylistInfo:
        """Save a playlist over the version that it was made from; version 0 makes a new one.

        Raises:
            VersionConflict: another version is stored, which the error holds.
        """
        return await self.db.save(info)

    async def add_tracks(self, token: str, tracks: Sequence[AlbumTrack.Key]) -> None:
        """Add tracks to the end of a playlist, if all of them exist.

        To append needs no version: whatever others make of the playlist meanwhile, nothing of theirs is lost.
        """
        async with self.db.transaction() as writes:
            for track in dict.fromkeys(tracks):
                writes.check_condition(track, attr(AlbumTrack.track_title).exists())
            writes.update(PlaylistInfo.Key(token), attr(PlaylistInfo.playlist_tracks).append(tracks))

    async def _page(
        self, view: AsyncIndexView[K, I], condition: KeyCondition[K], cursor: str | None, size: int
    ) -> Listing[I]:
        start = None if cursor is None else view.from_token(cursor, condition, secret=self.secret)
        page = await view.query(condition, page_size=size, initial_offset=start)
        if page.offset is None:
            return Listing(page.contents, None)
        return Listing(page.contents, view.to_token(page.offset, condition, secret=self.secret))


def _library(request: Request) -> Library:
    library: Library = request.app.state.library
    return library


SharedLibrary = Annotated[Library, Depends(_library)]
