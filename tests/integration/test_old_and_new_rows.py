"""Rows that older and newer programs wrote, on every engine: read, kept whole, or refused by name (E6)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

import pytest

from logicaldb import (
    Attribute,
    BatchWriteSet,
    BeginsWith,
    Counter,
    DecodingError,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    Version,
    VersionConflict,
    attr,
)


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Mood(Enum):
    CALM = "calm"
    LOUD = "loud"


class Song(Item):
    """As the program of today declares it."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="SONG")] = ""
    title: str
    mood: Mood = Mood.CALM
    seconds: int = 0
    tags: set[str] = set()
    plays: Annotated[int, Counter(initial=100)] = 100
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Song"]):
        name: str


class Table(LogicalTable[Row]):
    songs: InlineView[Song.Key, Song]


class Db(LogicalDb):
    table: Annotated[Table, TableName("songs")]


KEY = Song.Key("n")


@pytest.fixture
def db(client: Any, new_name: Callable[[], str]) -> Db:
    name = new_name()
    db = Db(client, table_name_resolver=lambda *_: name)
    db.create_tables()
    return db


def store(db: Db, **attributes: Any) -> None:
    """Store a row as another program wrote it."""
    db.table.raw.put(Row.model_validate({"pk": "n", "sk": "SONG", **attributes}))


def stored(db: Db) -> dict[str, Any]:
    row = db.table.raw.load(Row(pk="n", sk="SONG"), consistent_read=True)
    assert row is not None
    return {name: value for name, value in row.model_dump().items() if name not in ("pk", "sk")}


# The past: what was declared later is not there.


def test_what_was_declared_later_has_its_default(db: Db) -> None:
    store(db, title="So What")
    song = Song(name="n", title="So What")
    assert db.load(KEY) == song
    assert db.table.songs.query(BeginsWith(KEY)).contents == [song]
    assert list(db.batch_load([KEY])) == list(db.transaction_load(KEY)) == [song]


def test_an_old_row_is_taken_over_under_version_0(db: Db) -> None:
    store(db, title="So What")
    old = db.load(KEY)
    assert old is not None
    assert db.save(old.replace(seconds=562)).version == 1
    assert stored(db) == {"title": "So What", "mood": "calm", "seconds": 562, "plays": 100, "version": 1}
    with pytest.raises(VersionConflict):
        db.save(old)


def test_a_counter_of_an_old_row_begins_with_its_initial_value(db: Db) -> None:
    store(db, title="So What")
    assert db.increment(KEY, Song.plays) == 101
    assert db.update(KEY, attr(Song.seconds).set(1)) == Song(name="n", title="So What", seconds=1, plays=101, version=1)


# The future: there is more than is declared.


NEWER: dict[str, Any] = {"title": "So What", "version": 4, "plays": 7, "lyrics": {"de": ["Na und"]}, "key": b"\x00"}


@pytest.mark.parametrize(
    ("write", "changed"),
    [
        (lambda db: db.save(db.load(KEY).replace(seconds=562)), {"mood": "calm", "seconds": 562, "version": 5}),
        (lambda db: db.update(KEY, attr(Song.seconds).set(562)), {"seconds": 562, "version": 5}),
        (lambda db: db.increment(KEY, Song.plays), {"plays": 8}),
    ],
    ids=["save", "update", "increment"],
)
def test_what_is_not_declared_here_is_kept(db: Db, write: Callable[[Any], Any], changed: dict[str, Any]) -> None:
    store(db, **NEWER)
    write(db)
    assert stored(db) == {**NEWER, **changed}


def test_writes_of_whole_rows_leave_only_what_is_declared(db: Db) -> None:
    for write in (db.put, lambda song: db.batch_write(BatchWriteSet().clobber(song))):
        store(db, **NEWER)
        song = db.load(KEY)
        assert song is not None
        write(song)
        assert not {"lyrics", "key"} & stored(db).keys()


# What cannot be read is refused: its place is named, and not its value.


@pytest.mark.parametrize(
    ("attributes", "what"),
    [
        ({}, "title (missing)"),
        ({"title": 7}, "title (string_type)"),
        ({"title": "a", "seconds": "hunter2"}, "seconds (int_parsing)"),
        ({"title": "a", "seconds": Decimal("1.5")}, "seconds (int_from_float)"),
        ({"title": "a", "mood": "hunter2"}, "mood (enum)"),
        ({"title": "a", "tags": {"hunter2": 1}}, "tags (set_type)"),
        ({"title": "a", "version": "hunter2"}, "version (int_parsing)"),
        ({"title": ["hunter2"], "mood": 1}, "title (string_type), mood (enum)"),
    ],
)
def test_what_is_of_another_type_is_refused_by_name(db: Db, attributes: dict[str, Any], what: str) -> None:
    store(db, **attributes)
    reads: list[Callable[[], Any]] = [
        lambda: db.load(KEY),
        lambda: db.batch_load([KEY]),
        lambda: db.transaction_load(KEY),
        lambda: db.table.songs.query(BeginsWith(KEY)),
        db.table.songs.scan,
    ]
    for read in reads:
        with pytest.raises(DecodingError) as raised:
            read()
        assert str(raised.value).endswith(f"the row pk='n', sk='SONG' is no valid Song: {what}")
        assert raised.value.key == {"pk": "n", "sk": "SONG"}
        assert "hunter2" not in str(raised.value)
    before = stored(db)
    with pytest.raises(VersionConflict):
        db.save(Song(name="n", title="b", version=3))
    assert stored(db) == before
