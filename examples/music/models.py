"""The table and what it holds.

One physical table, ``music_items``, holds items of three types:

=============  ======================  ============================  ==============================================
item           partition key           sort key                      found by
=============  ======================  ============================  ==============================================
AlbumInfo      ``ALBUM_kind-of-blue``  ``INFO_``                     its token; its artist, genre and label (global)
AlbumTrack     ``ALBUM_kind-of-blue``  ``TRACK_0000000000000003``    its album and number; its album and title (local)
PlaylistInfo   ``PLAYLIST_x``          ``INFO_``                     its token
=============  ======================  ============================  ==============================================

An album and its tracks share a partition key: they are an item collection, and one query reads them all.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal

from logicaldb import (
    Async,
    AsyncLogicalDb,
    Attribute,
    Counter,
    IndexKey,
    InlineView,
    Item,
    ItemCollection,
    ItemKey,
    LogicalDb,
    LogicalTable,
    M,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
    TableName,
    Version,
)


class MusicItem(RawItem):
    """One row of the physical table: its keys, and the keys of its indexes.

    The other attributes of the rows are declared by the item types alone.
    """

    partition_key: Annotated[
        str,
        PartitionKey(),
        SortKey(index="genre_album_index"),
        SortKey(index="artist_album_index"),
    ]
    sort_key: Annotated[str, SortKey()]
    artist_name: Annotated[str | None, PartitionKey(index="artist_album_index")] = None
    genre_name: Annotated[str | None, PartitionKey(index="genre_album_index")] = None
    label_name: Annotated[str | None, PartitionKey(index="label_album_index")] = None
    """Sparse: a row without a label is not in this index."""
    track_title: Annotated[str | None, SortKey(index="album_track_title_index")] = None
    """A local index: it has no partition key of its own, and sorts the tracks of one album by title."""


class AlbumInfo(Item):
    """An album, without its tracks."""

    album_token: Annotated[str, Attribute("partition_key")]
    sort_key: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    """A constant, stored as ``INFO_``: it keeps the album apart from its tracks, and before them."""
    album_title: str
    artist_name: str
    release_date: date
    genre_name: str
    label_name: Annotated[str | None, Attribute(prefix="L_")] = None
    """``None`` for an album that its artist released without a label."""

    class Key(ItemKey["AlbumInfo"]):
        """The whole primary key; the sort key is a constant."""

        album_token: str

    class ArtistIndexOffset(IndexKey["AlbumInfo"], index="artist_album_index"):
        """The albums of an artist, by token."""

        artist_name: str
        album_token: str | None = None

    class GenreIndexOffset(IndexKey["AlbumInfo"], index="genre_album_index"):
        """The albums of a genre, by token."""

        genre_name: str
        album_token: str | None = None

    class LabelIndexOffset(IndexKey["AlbumInfo"], index="label_album_index"):
        """The albums of a label, in no order: this index has no sort key."""

        label_name: str


class AlbumTrack(Item):
    """One track of an album."""

    album_token: Annotated[str, Attribute("partition_key")]
    track_number: Annotated[int, Attribute("sort_key", prefix="TRACK_", width=16)]
    """Stored as ``TRACK_0000000000000001``: text of one width sorts as the numbers do."""
    track_title: str
    run_length: timedelta
    play_count: Annotated[int, Counter(minimum=0)] = 0

    class Key(ItemKey["AlbumTrack"]):
        """One track; without a number, the prefix of all tracks of the album."""

        album_token: str
        track_number: int | None = None

    class TitleIndexOffset(IndexKey["AlbumTrack"], index="album_track_title_index"):
        """The tracks of an album by title, which may be the beginning of one."""

        album_token: str
        track_title: str | None = None
        track_number: int | None = None


class PlaylistInfo(Item):
    """A playlist: a name, and the keys of tracks."""

    playlist_token: Annotated[str, Attribute("partition_key")]
    sort_key: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    playlist_name: str
    playlist_tracks: list[AlbumTrack.Key] = []
    playlist_version: Annotated[int, Version()] = 0

    class Key(ItemKey["PlaylistInfo"]):
        """The whole primary key; the sort key is a constant."""

        playlist_token: str


class MusicTable(LogicalTable[MusicItem, M]):
    """The views of the table: one for each item type and index, and one for whole albums.

    Of a ``MusicTable`` they block, and of a ``MusicTable[Async]`` they are awaited.
    """

    album_info: InlineView[AlbumInfo.Key, AlbumInfo]
    album_tracks: InlineView[AlbumTrack.Key, AlbumTrack]
    playlist_info: InlineView[PlaylistInfo.Key, PlaylistInfo]

    album_info_by_artist: SecondaryIndex[AlbumInfo.ArtistIndexOffset, AlbumInfo]
    album_info_by_genre: SecondaryIndex[AlbumInfo.GenreIndexOffset, AlbumInfo]
    album_info_by_label: SecondaryIndex[AlbumInfo.LabelIndexOffset, AlbumInfo]
    album_tracks_by_title: SecondaryIndex[AlbumTrack.TitleIndexOffset, AlbumTrack]

    albums: ItemCollection[AlbumInfo.Key, AlbumInfo | AlbumTrack]
    """An album and its tracks, in one query."""


class MusicDb(LogicalDb):
    """The tables of the application: one."""

    music: Annotated[MusicTable, TableName("music_items")]


class AsyncMusicDb(AsyncLogicalDb):
    """The same for asyncio, as ``web`` uses it."""

    music: Annotated[MusicTable[Async], TableName("music_items")]
