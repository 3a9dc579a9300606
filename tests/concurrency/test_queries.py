"""Queries and scans on DynamoDB Local, alone and while others write (Q1 to Q3, Q5, Q6)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from threading import Event
from typing import Annotated, Any
from uuid import uuid4

import pytest

from logicaldb import (
    Attribute,
    BatchWriteSet,
    BeginsWith,
    Between,
    EqualTo,
    IndexKey,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
    TableName,
    attr,
)
from logicaldb.testing import DynamoDbLocal
from tests.concurrency.work import together

COUNT = 60
SIZES = [1, 2, 7, 60, 1000]


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    genre: Annotated[str | None, PartitionKey(index="by_genre")] = None
    rating: Annotated[int | None, SortKey(index="by_genre")] = None
    mood: Annotated[str | None, SortKey(index="by_mood")] = None


class Song(Item):
    """Of many songs the keys in the indexes are equal."""

    singer: Annotated[str, Attribute("pk", prefix="SINGER#")]
    number: Annotated[int, Attribute("sk", prefix="SONG#", width=4)]
    genre: str
    rating: int
    mood: str
    plays: int = 0

    class Key(ItemKey["Song"]):
        singer: str
        number: int | None = None

    class Genre(IndexKey["Song"], index="by_genre"):
        genre: str
        rating: int | None = None

    class Mood(IndexKey["Song"], index="by_mood"):
        singer: str
        mood: str | None = None


class Take(Item):
    """A take of a song by a user: composite keys."""

    singer: Annotated[str, Attribute("pk", prefix="SINGER#")]
    user: Annotated[str, Attribute("sk", prefix="USER#")]
    number: Annotated[int, Attribute("sk", prefix="#TAKE_", width=3)]

    class Key(ItemKey["Take"]):
        singer: str
        user: str | None = None
        number: int | None = None


class Table(LogicalTable[Row]):
    songs: InlineView[Song.Key, Song]
    by_genre: SecondaryIndex[Song.Genre, Song]
    by_mood: SecondaryIndex[Song.Mood, Song]
    takes: InlineView[Take.Key, Take]


class Db(LogicalDb):
    table: Annotated[Table, TableName("songs")]


def song(name: str, number: int) -> Song:
    return Song(singer=name, number=number, genre=name, rating=number % 3, mood="same" if number % 2 else "other")


ORDERS: dict[str, Callable[[Song], Any]] = {
    "table": lambda one: one.number,
    "global": lambda one: one.rating,
    "local": lambda one: one.mood,
}
WHERE = pytest.mark.parametrize("where", ORDERS)


def views(db: Db, name: str) -> dict[str, tuple[Any, Any]]:
    """What finds all songs of a singer: the table, and indexes in which many of them have equal keys."""
    table = db.table
    return {
        "table": (table.songs, Song.Key(name)),
        "global": (table.by_genre, Song.Genre(name)),
        "local": (table.by_mood, Song.Mood(name)),
    }


def read_all(db: Db, name: str, where: str, **options: Any) -> list[Song]:
    view, key = views(db, name)[where]
    return list(view.query_all_contents(BeginsWith(key), **options))


@pytest.fixture(scope="module")
def db(dynamodb_local: DynamoDbLocal) -> Db:
    table = f"queries-{uuid4().hex}"
    db = Db(dynamodb_local.client(max_pool_connections=16), table_name_resolver=lambda *_: table)
    db.create_tables()
    return db


@pytest.fixture
def name(db: Db) -> str:
    """A singer of sixty songs, after whom another comes whose name begins with this one's."""
    name = uuid4().hex
    songs = [song(name, number) for number in range(COUNT)]
    db.batch_write(BatchWriteSet().clobber(*songs, *(song(f"{name}0", number) for number in range(5))))
    return name


@pytest.mark.parametrize("asc", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("page_size", SIZES)
@WHERE
def test_every_matching_item_comes_once(db: Db, name: str, where: str, page_size: int, asc: bool) -> None:
    """Q1, and in the order of the stored keys."""
    found = read_all(db, name, where, page_size=page_size, asc=asc)
    assert sorted(one.number for one in found) == list(range(COUNT))
    assert all(one == song(name, one.number) for one in found)
    order = ORDERS[where]
    in_order = list(map(order, found if asc else found[::-1]))
    assert in_order == sorted(in_order)
    view, key = views(db, name)[where]
    pages: list[Song] = []
    page = None
    while page is None or page.has_more_pages:
        page = view.query(BeginsWith(key), page_size=page_size, asc=asc, initial_offset=page and page.offset)
        assert len(page.contents) <= page_size
        pages += page.contents
    assert pages == found


@pytest.mark.parametrize("page_size", [1, 7, 1000])
@WHERE
def test_limits_count_results(db: Db, name: str, where: str, page_size: int) -> None:
    """Q2: not the rows that were read, of which a filter drops some."""
    rare = attr(Song.plays) == 0
    db.update(Song.Key(name, 7), attr(Song.plays).set(1))
    all_of_them = [one.number for one in read_all(db, name, where, filter_expression=rare)]
    assert sorted(all_of_them) == [number for number in range(COUNT) if number != 7]
    for limit in (0, 1, 2, 13, COUNT - 1, COUNT, 1000):
        found = read_all(db, name, where, filter_expression=rare, page_size=page_size, limit=limit)
        assert [one.number for one in found] == all_of_them[:limit]


@pytest.mark.parametrize("where", [*ORDERS, "scan", "parallel scan"])
def test_items_that_nobody_touches_come_once_while_others_change(db: Db, name: str, where: str) -> None:
    """Q3: songs of even numbers stay; those of odd ones are deleted, made anew and moved about in the indexes."""
    done = Event()
    mine = range(0, COUNT, 2)

    def change(seed: int) -> list[list[Song]]:
        random = Random(seed)
        while not done.is_set():
            number = random.randrange(1, COUNT, 2)
            if random.random() < 0.5:
                db.delete_key(Song.Key(name, number))
            else:
                db.put(song(name, number).replace(rating=random.randrange(3), mood=random.choice("aosz")))
        return []

    def read() -> list[list[Song]]:
        random = Random(9)
        view = db.table.songs
        seen: list[list[Song]] = []
        try:
            for turn in range(6):
                size = random.choice([1, 3, 10])
                if where == "scan":
                    found = [one for one in view.scan_all_contents(page_size=50 * size) if one.singer == name]
                elif where == "parallel scan":
                    found = [one for one in view.parallel_scan(4, page_size=50 * size) if one.singer == name]
                else:
                    found = read_all(db, name, where, page_size=size, asc=turn % 2 == 0)
                seen.append(found)
        finally:
            done.set()
        return seen

    *_, seen = together(3, lambda number: change(number) if number < 2 else read())
    for found in seen:
        assert sorted(one.number for one in found if one.number % 2 == 0) == list(mine)
        assert all(one == song(name, one.number) for one in found if one.number % 2 == 0)
        if where == "table":
            assert len({one.number for one in found}) == len(found)
    others = {tuple(sorted(one.number for one in found if one.number % 2)) for found in seen}
    assert len(others) > 1, "nothing changed meanwhile"


def test_a_prefix_ends_at_its_separator(db: Db, name: str) -> None:
    """Q5: user 1 is not the beginning of user 10, and a singer is not that of one with a longer name."""
    takes = [Take(singer=name, user=user, number=number) for user in ("1", "10", "100", "2") for number in range(3)]
    db.batch_write(BatchWriteSet().clobber(*takes))
    view = db.table.takes
    for user in ("1", "10", "100", "2"):
        expected = [one for one in takes if one.user == user]
        assert list(view.query_all_contents(BeginsWith(Take.Key(name, user)), page_size=2)) == expected
        found = view.query_all_contents(Between(Take.Key(name, user, 1), Take.Key(name, user)))
        assert [one.number for one in found] == [1, 2]
        assert view.count(BeginsWith(Take.Key(name, user))) == 3
    assert len(list(view.query_all_contents(BeginsWith(Take.Key(name))))) == len(takes)
    assert db.table.songs.count(BeginsWith(Song.Key(name))) == COUNT
    assert db.table.songs.count(BeginsWith(Song.Key(f"{name}0"))) == 5


def test_the_stored_order_is_that_of_the_models(db: Db) -> None:
    """Q6: padded numbers sort as numbers do, in the table and between bounds."""
    name = uuid4().hex
    numbers = [0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 9999]
    db.batch_write(BatchWriteSet().clobber(*(song(name, number) for number in reversed(numbers))))
    assert [one.number for one in db.table.songs.query_all_contents(BeginsWith(Song.Key(name)))] == numbers
    for low, high in [(0, 9), (2, 100), (10, 9999), (101, 101)]:
        found = db.table.songs.query_all_contents(Between(Song.Key(name, low), Song.Key(name, high)))
        assert [one.number for one in found] == [number for number in numbers if low <= number <= high]
    (ten,) = db.table.songs.query_all_contents(EqualTo(Song.Key(name, 10)))
    assert ten == song(name, 10)
