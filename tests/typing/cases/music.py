"""The models of the music library, and what their users write."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal, assert_type

from logicaldb import (
    Attribute,
    BeginsWith,
    Between,
    EqualTo,
    Expression,
    IndexKey,
    InlineView,
    Item,
    ItemCollection,
    ItemKey,
    LogicalDb,
    LogicalTable,
    Offset,
    Page,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
    TableName,
    WorkerId,
    attr,
)


class MusicItem(RawItem):
    partition_key: Annotated[
        str, PartitionKey(), SortKey(index="genre_album_index"), SortKey(index="artist_album_index")
    ]
    sort_key: Annotated[str, SortKey()]
    artist_name: Annotated[str | None, PartitionKey(index="artist_album_index")] = None
    genre_name: Annotated[str | None, PartitionKey(index="genre_album_index")] = None
    label_name: Annotated[str | None, PartitionKey(index="label_album_index")] = None
    track_title: Annotated[str | None, SortKey(index="album_track_title_index")] = None


class AlbumInfo(Item):
    album_token: Annotated[str, Attribute("partition_key")]
    sort_key: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    album_title: str
    artist_name: str
    release_date: date
    genre_name: str
    label_name: Annotated[str | None, Attribute(prefix="L_")] = None

    class Key(ItemKey["AlbumInfo"]):
        album_token: str

    class ArtistIndexOffset(IndexKey["AlbumInfo"], index="artist_album_index"):
        artist_name: str
        album_token: str | None = None


class AlbumTrack(Item):
    album_token: Annotated[str, Attribute("partition_key")]
    track_number: Annotated[int, Attribute("sort_key", prefix="TRACK_", width=16)]
    track_title: str
    run_length: timedelta

    class Key(ItemKey["AlbumTrack"]):
        album_token: str
        track_number: int | None = None

    class TitleIndexOffset(IndexKey["AlbumTrack"], index="album_track_title_index"):
        album_token: str
        track_title: str | None = None
        track_number: int | None = None


class PlaylistInfo(Item):
    playlist_token: Annotated[str, Attribute("partition_key")]
    sort_key: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    playlist_name: str
    playlist_tracks: list[AlbumTrack.Key] = []
    playlist_version: int = 0

    class Key(ItemKey["PlaylistInfo"]):
        playlist_token: str


class MusicTable(LogicalTable[MusicItem]):
    album_info: InlineView[AlbumInfo.Key, AlbumInfo]
    album_tracks: InlineView[AlbumTrack.Key, AlbumTrack]
    playlist_info: InlineView[PlaylistInfo.Key, PlaylistInfo]

    album_info_by_artist: SecondaryIndex[AlbumInfo.ArtistIndexOffset, AlbumInfo]
    album_tracks_by_title: SecondaryIndex[AlbumTrack.TitleIndexOffset, AlbumTrack]

    albums: ItemCollection[AlbumInfo.Key, AlbumInfo | AlbumTrack]


class MusicDb(LogicalDb):
    music: Annotated[MusicTable, TableName("music_items")]


def make_keys() -> None:
    assert_type(AlbumTrack.Key("ALBUM_1", 1), AlbumTrack.Key)
    AlbumTrack.Key("ALBUM_1")
    AlbumTrack.Key(album_token="ALBUM_1", track_number=1)
    AlbumTrack.TitleIndexOffset("ALBUM_1", "I want ", 3)
    AlbumTrack.Key()  # error: call-arg
    AlbumTrack.Key("ALBUM_1", "1")  # error: arg-type
    AlbumTrack.Key("ALBUM_1", 1, 2)  # error: call-arg
    AlbumTrack.Key(album="ALBUM_1")  # error: call-arg
    AlbumTrack.Key("ALBUM_1", track="1")  # error: call-arg
    AlbumInfo.ArtistIndexOffset(1)  # error: arg-type
    AlbumTrack.Key("ALBUM_1").track_number = 2  # error: misc


def make_items(track: AlbumTrack) -> None:
    AlbumTrack(album_token="ALBUM_1", track_number=1, track_title="Speak to Me", run_length=timedelta(seconds=65))
    assert_type(track.replace(track_title="Breathe"), AlbumTrack)
    assert_type(track.track_number, int)
    assert_type(AlbumTrack.Key.of(track), AlbumTrack.Key)
    AlbumTrack(album_token="ALBUM_1", track_number=1, track_title=2, run_length=timedelta())  # error: arg-type
    AlbumTrack(album_token="ALBUM_1", track_number=1, track_title="Time")  # error: call-arg
    AlbumTrack(album="ALBUM_1", track_number=1, track_title="Time", run_length=timedelta())  # error: call-arg
    track.no_such_field  # error: attr-defined
    track.track_title = "Time"  # error: misc


def read_and_write(db: MusicDb, track: AlbumTrack, info: AlbumInfo) -> None:
    key = AlbumTrack.Key("ALBUM_1", 1)
    tracks = db.music.album_tracks
    assert_type(tracks.load(key), AlbumTrack | None)
    assert_type(tracks.load(key, consistent_read=True), AlbumTrack | None)
    assert_type(tracks.save(track), AlbumTrack)
    assert_type(tracks.save(track, attr(AlbumTrack.track_title).not_exists()), AlbumTrack)
    assert_type(tracks.create(track), AlbumTrack)
    assert_type(tracks.put(track, condition=Expression("track_title = :t", values={":t": "Time"})), AlbumTrack)
    assert_type(tracks.update(key, attr(AlbumTrack.track_title).set("Time"), upsert=True), AlbumTrack)
    assert_type(tracks.delete(track), AlbumTrack | None)
    assert_type(tracks.delete_key(key), AlbumTrack | None)
    db.music.album_info.load(key)  # error: arg-type
    db.music.album_info.save(track)  # error: arg-type
    db.music.album_info.update(key, attr(AlbumInfo.album_title).set("x"))  # error: arg-type
    db.music.album_info.delete_key(key)  # error: arg-type
    tracks.load(AlbumTrack.TitleIndexOffset("ALBUM_1"))  # error: arg-type
    tracks.load(key, True)  # error: call-arg
    tracks.load("ALBUM_1")  # error: arg-type
    tracks.save(track, track.track_title == "Time")  # error: arg-type
    tracks.no_such_method(key)  # error: attr-defined
    db.music.no_such_view.load(key)  # error: attr-defined
    db.music.album_info_by_artist.load(AlbumInfo.Key("ALBUM_1"))  # error: attr-defined
    db.music.albums.save(info)  # error: attr-defined


def use_the_facade(db: MusicDb, track: AlbumTrack) -> None:
    key = AlbumTrack.Key("ALBUM_1", 1)
    assert_type(db.load(key), AlbumTrack | None)
    assert_type(db.load(AlbumInfo.Key("ALBUM_1")), AlbumInfo | None)
    assert_type(db.save(track), AlbumTrack)
    assert_type(db.create(track), AlbumTrack)
    assert_type(db.put(track), AlbumTrack)
    assert_type(db.update(key, attr(AlbumTrack.track_title).set("Time")), AlbumTrack)
    assert_type(db.delete(track), AlbumTrack | None)
    assert_type(db.delete_key(key), AlbumTrack | None)
    db.load(AlbumTrack.TitleIndexOffset("ALBUM_1"))  # error: arg-type
    db.save(key)  # error: type-var
    db.delete_key(track)  # error: arg-type


def query(db: MusicDb) -> None:
    key = AlbumTrack.Key("ALBUM_1")
    tracks = db.music.album_tracks
    page = tracks.query(BeginsWith(key), asc=False, page_size=10)
    assert_type(page, Page[AlbumTrack.Key, AlbumTrack])
    assert_type(page.contents, list[AlbumTrack])
    assert_type(page.offset, Offset[AlbumTrack.Key] | None)
    assert_type(page.has_more_pages, bool)
    assert_type(tracks.query_all(BeginsWith(key)), Iterator[Page[AlbumTrack.Key, AlbumTrack]])
    assert_type(tracks.query_all_contents(Between(key, AlbumTrack.Key("ALBUM_1", 9)), limit=3), Iterator[AlbumTrack])
    assert_type(tracks.count(EqualTo(AlbumTrack.Key("ALBUM_1", 1))), int)
    tracks.query(BeginsWith(key), initial_offset=Offset(AlbumTrack.Key("ALBUM_1", 3)))
    tracks.query(BeginsWith(key), filter_expression=attr(AlbumTrack.run_length) > timedelta(minutes=5))
    tracks.query(BeginsWith(AlbumInfo.Key("ALBUM_1")))  # error: arg-type
    tracks.query(key)  # error: arg-type
    tracks.query(BeginsWith(key), initial_offset=Offset(AlbumInfo.Key("ALBUM_1")))  # error: arg-type
    tracks.query(BeginsWith(key), filter_expression=True)  # error: arg-type
    tracks.query(Between(key, AlbumInfo.Key("ALBUM_1")))  # error: arg-type


def query_an_index(db: MusicDb) -> None:
    by_title = db.music.album_tracks_by_title
    start = AlbumTrack.TitleIndexOffset("ALBUM_1", "I want ")
    assert_type(by_title.query(BeginsWith(start)).contents, list[AlbumTrack])
    assert_type(by_title.query(BeginsWith(start)).offset, Offset[AlbumTrack.TitleIndexOffset] | None)
    assert_type(by_title.query_all_contents(BeginsWith(start)), Iterator[AlbumTrack])
    by_title.query(BeginsWith(AlbumTrack.Key("ALBUM_1")))  # error: arg-type
    by_title.query(BeginsWith(AlbumInfo.ArtistIndexOffset("Pink Floyd")))  # error: arg-type


def query_a_collection(db: MusicDb) -> None:
    assert_type(db.music.albums.query(AlbumInfo.Key("ALBUM_1")).contents, list[AlbumInfo | AlbumTrack])
    assert_type(db.music.albums.query_all_contents(AlbumInfo.Key("ALBUM_1")), Iterator[AlbumInfo | AlbumTrack])
    db.music.albums.query(AlbumTrack.Key("ALBUM_1"))  # error: arg-type


def scan(db: MusicDb) -> None:
    tracks = db.music.album_tracks
    assert_type(tracks.scan(page_size=10, worker_id=WorkerId(0, 4)).contents, list[AlbumTrack])
    assert_type(tracks.scan_all(), Iterator[Page[AlbumTrack.Key, AlbumTrack]])
    assert_type(tracks.scan_all_contents(limit=3), Iterator[AlbumTrack])
    assert_type(tracks.parallel_scan(4), Iterator[AlbumTrack])
    tracks.scan(10)  # error: call-arg
    db.music.album_tracks_by_title.scan(initial_offset=Offset(AlbumTrack.Key("ALBUM_1", 1)))  # error: arg-type


def conditions_and_updates(db: MusicDb) -> None:
    key = AlbumTrack.Key("ALBUM_1", 1)
    long = attr(AlbumTrack.run_length) > timedelta(minutes=5)
    db.music.album_tracks.update(key, attr(AlbumTrack.track_number).set(2), condition=long & ~long | long)
    db.music.playlist_info.update(PlaylistInfo.Key("P"), attr(PlaylistInfo.playlist_tracks).append([key]))
    attr(AlbumTrack.track_title).begins_with("Intro")
    attr(AlbumTrack.track_title).size() > 2
    attr(AlbumTrack.track_number).is_in([1, 2, 3])
    attr(PlaylistInfo.playlist_tracks)[0] == key
    attr(AlbumTrack.track_number).set("x")  # error: arg-type
    attr(AlbumTrack.track_number).is_in(["x"])  # error: list-item
    attr(AlbumTrack.no_such_field)  # error: attr-defined
    attr(PlaylistInfo.playlist_tracks).append(["x"])  # error: list-item
    db.music.album_tracks.update(key, attr(AlbumTrack.track_title) == "x")  # error: arg-type
    db.music.album_tracks.update(key, condition=AlbumTrack.track_title == "x")  # error: arg-type


def raw_rows(db: MusicDb, row: dict[str, Any]) -> None:
    assert_type(db.music.raw.load(MusicItem(partition_key="ALBUM_1", sort_key="INFO_")), MusicItem | None)
    assert_type(db.music.codec(AlbumTrack).decode(row), AlbumTrack)
