"""Batches on both engines: how many requests, any number of items, several types and tables, and 16 MB."""

from __future__ import annotations

import random
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from examples.music.models import AlbumInfo, AlbumTrack, MusicItem, MusicTable, PlaylistInfo
from logicaldb import (
    Attribute,
    BatchWriteSet,
    CreatedAt,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    UpdatedAt,
    attr,
)
from logicaldb.testing import DynamoDbLocal, LogicalDbFactory
from tests.engines import code_of
from tests.integration.music import album, track
from tests.modes import Loop, Mode

NOW = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)
EARLIER = datetime(2020, 1, 2, tzinfo=UTC)


class ShelfRow(RawItem):
    shelf: Annotated[int, PartitionKey()]
    place: Annotated[Decimal, SortKey()]


class Record(Item):
    """Its keys are numbers."""

    shelf: int
    place: Decimal
    title: str = ""
    cover: Annotated[bytes, Attribute()] = b""
    bought: Annotated[datetime | None, CreatedAt()] = None
    moved: Annotated[datetime | None, UpdatedAt()] = None

    class Key(ItemKey["Record"]):
        shelf: int
        place: Decimal


class Shelves(LogicalTable[ShelfRow]):
    records: InlineView[Record.Key, Record]


class Db(LogicalDb):
    music: Annotated[MusicTable, TableName("music")]
    shelves: Annotated[Shelves, TableName("shelves")]


def make_db(mode: Mode) -> Db:
    return mode.make(Db, clock=lambda: NOW)


@pytest.fixture
def db(mode: Mode) -> Db:
    return make_db(mode)


def key(number: int) -> AlbumTrack.Key:
    return AlbumTrack.Key("ALBUM_1", number)


def sizes(requests: list[tuple[str, Any]]) -> list[tuple[str, int]]:
    """The operations of requests, and how many rows each is about."""
    found: list[tuple[str, int]] = []
    for operation, body in requests:
        tables = body["RequestItems"].values()
        found.append((operation, sum(len(table["Keys"] if isinstance(table, dict) else table) for table in tables)))
    return sorted(found, key=lambda request: request[1], reverse=True)


@pytest.mark.parametrize(
    ("count", "reads", "writes"),
    [
        (0, [], []),
        (1, [1], [1]),
        (25, [25], [25]),
        (26, [26], [25, 1]),
        (100, [100], [25] * 4),
        (101, [100, 1], [*[25] * 4, 1]),
        (230, [100, 100, 30], [*[25] * 9, 5]),
    ],
)
def test_as_few_requests_as_it_takes(db: Db, recorder: Any, count: int, reads: list[int], writes: list[int]) -> None:
    tracks = [track(number) for number in range(count)]
    with recorder(db) as requests:
        result = db.batch_write(BatchWriteSet().clobber(*tracks))
    assert sizes(requests) == [("BatchWriteItem", size) for size in writes]
    assert (result.clobbered, result.deleted) == (tracks, [])
    with recorder(db) as requests:
        items = db.batch_load(map(key, range(count)), consistent_read=True)
    assert sizes(requests) == [("BatchGetItem", size) for size in reads]
    assert list(items) == tracks


def test_pages_of_a_size(db: Db, recorder: Any) -> None:
    tracks = [track(number) for number in range(7)]
    with recorder(db) as requests:
        db.batch_write(BatchWriteSet().clobber(*tracks), max_page_size=3)
        assert list(db.batch_load(*map(key, range(7)), max_page_size=4, consistent_read=True)) == tracks
    assert sizes(requests) == [
        ("BatchGetItem", 4),
        ("BatchWriteItem", 3),
        ("BatchWriteItem", 3),
        ("BatchGetItem", 3),
        ("BatchWriteItem", 1),
    ]


def test_a_thousand_items(db: Db) -> None:
    tracks = [track(number, f"Title {number}") for number in range(1000)]
    db.batch_write(BatchWriteSet().clobber(*tracks))
    numbers = random.Random(7).sample(range(1100), 1100)
    items = db.batch_load([key(number) for number in numbers] * 2, consistent_read=True)
    assert list(items) == [tracks[number] for number in numbers if number < 1000]
    assert items.missing == [key(number) for number in numbers if number >= 1000]
    result = db.batch_write(BatchWriteSet().delete(*map(key, numbers)))
    assert result.deleted == list(map(key, numbers))
    assert db.music.album_tracks.scan(page_size=1).contents == []


def test_several_types_and_tables(db: Db) -> None:
    info, playlist = album(), PlaylistInfo(playlist_token="P", playlist_name="x", playlist_version=4)
    record = Record(shelf=1, place=Decimal("1.50"), title="y", bought=EARLIER, moved=EARLIER)
    zero = Record(shelf=-2, place=Decimal("-0.0"))
    old = db.create(track(9))
    result = db.batch_write(BatchWriteSet().clobber(record, info).delete(key(9)).clobber(playlist, track(1), zero))
    stored = [
        record.replace(moved=NOW),
        info,
        playlist.replace(playlist_version=5),
        track(1),
        zero.replace(bought=NOW, moved=NOW),
    ]
    assert result.clobbered == stored
    assert result.deleted == [key(9)]
    items = db.batch_load(
        PlaylistInfo.Key("P"),
        Record.Key(-2, Decimal(0)),
        key(9),
        key(1),
        Record.Key(1, Decimal("1.5")),
        Record.Key(1, Decimal("1.500")),
        AlbumInfo.Key("ALBUM_1"),
        consistent_read=True,
    )
    assert list(items) == [stored[2], stored[4], stored[3], stored[0], stored[1]]
    assert items.get_items(Record) == [stored[4], stored[0]]
    assert items.missing == [key(9)]
    assert old not in items
    assert items.get(key(9)) is None


def test_a_clobber_replaces_whatever_is_stored(db: Db) -> None:
    playlist = db.create(PlaylistInfo(playlist_token="P", playlist_name="x"))
    for name in ("y", "z"):
        db.update(PlaylistInfo.Key("P"), attr(PlaylistInfo.playlist_name).set(name))
    db.create(track(1))
    db.increment(key(1), AlbumTrack.play_count, 5)
    row_key = MusicItem(partition_key="ALBUM_1", sort_key="TRACK_0000000000000001")
    row = db.music.raw.load(row_key)
    assert row is not None
    db.music.raw.put(MusicItem.model_validate({**row.model_dump(exclude_none=True), "unknown": "x"}))
    result = db.batch_write(BatchWriteSet().clobber(playlist, track(1)))
    assert result.clobbered == [playlist.replace(playlist_version=2), track(1)]
    assert db.load(PlaylistInfo.Key("P"), consistent_read=True) == result.clobbered[0]
    assert db.load(key(1), consistent_read=True) == track(1)
    row = db.music.raw.load(row_key, consistent_read=True)
    assert row is not None
    assert "unknown" not in row.model_dump()


def test_streams(db: Db, recorder: Any) -> None:
    drawn: list[int] = []

    def tracks() -> Generator[AlbumTrack]:
        for number in range(610):
            drawn.append(number)
            yield track(number)

    with recorder(db) as requests:
        assert db.batch_write_all(tracks()) == 610
    assert sizes(requests) == [*[("BatchWriteItem", 25)] * 24, ("BatchWriteItem", 10)]

    drawn.clear()

    def keys() -> Generator[AlbumTrack.Key]:
        for number in range(100_000):
            drawn.append(number)
            yield key(number)

    with recorder(db) as requests:
        items = db.batch_load_all(keys(), consistent_read=True)
        assert (requests, drawn) == ([], [])
        assert [next(items) for _ in range(610)] == [track(number) for number in range(610)]
        assert len(drawn) == 1000  # ten connections
        assert sizes(requests) == [("BatchGetItem", 100)] * 10
        del items
    assert len(requests) == 10


def test_writes_of_one_row_in_a_stream_take_effect_in_their_order(db: Db) -> None:
    writes: list[Any] = []
    for turn in range(6):
        writes += [track(1, f"Turn {turn}"), track(2, f"Turn {turn}"), key(2)]
    writes.append(track(3))
    assert db.batch_write_all(writes) == 19
    assert list(db.batch_load(map(key, range(9)), consistent_read=True)) == [track(1, "Turn 5"), track(3)]


@pytest.mark.parametrize(
    "call",
    [
        lambda db: db.batch_load(map(key, range(250))),
        lambda db: db.batch_write(BatchWriteSet().delete(*map(key, range(60)))),
        lambda db: db.batch_write_all(map(track, range(60))),
        lambda db: list(db.batch_load_all(map(key, range(250)))),
    ],
    ids=["load", "write", "write_all", "load_all"],
)
def test_an_error_that_nothing_came_of_is_unchanged(mode: Mode, call: Callable[[Db], Any]) -> None:
    db = mode.open(Db, table_name_resolver=lambda _, declared: f"{declared}-{uuid4().hex}")
    with pytest.raises(ClientError) as raised:
        call(db)
    assert code_of(raised.value) == "ResourceNotFoundException"


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")  # aiohttp's, of 1 MB and more
def test_more_than_an_answer_holds(local_mode: Mode, recorder: Any) -> None:
    """An answer has 16 MB; the keys of the items that do not fit are left over, and asked for again."""
    db = make_db(local_mode)
    records = [Record(shelf=1, place=Decimal(number), cover=bytes([number]) * 390_000) for number in range(50)]
    stored = db.batch_write(BatchWriteSet().clobber(*records)).clobbered
    keys = [Record.Key(1, Decimal(number)) for number in range(50)]
    with recorder(db) as requests:
        items = db.batch_load(keys, consistent_read=True)
    assert list(items) == stored
    asked = [
        [Decimal(row["place"]["N"]) for row in table["Keys"]]
        for _, body in requests
        for table in body["RequestItems"].values()
    ]
    assert len(asked) == 2
    assert sorted(asked[0]) == list(range(50))
    assert 0 < len(asked[1]) < 50


@pytest.mark.parametrize("awaited", [False, True])
def test_one_connection_is_enough(dynamodb_local: DynamoDbLocal, loop: Loop, awaited: bool) -> None:
    client = dynamodb_local.client(max_pool_connections=1)
    logical_db = LogicalDbFactory(client)
    db = make_db(Mode(client, logical_db, client, loop) if awaited else Mode(client, logical_db))
    assert len(db.batch_write(BatchWriteSet().clobber(*map(track, range(60)))).clobbered) == 60
    assert len(db.batch_load(map(key, range(120)))) == 60
