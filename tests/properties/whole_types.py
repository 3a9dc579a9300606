"""The item types of the machine over the whole interface: three of them share a partition, one has a table of its own."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel

from logicaldb import (
    Attribute,
    Counter,
    CreatedAt,
    IndexKey,
    InlineView,
    Item,
    ItemCollection,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
    TableName,
    TimeToLive,
    UpdatedAt,
    Version,
)


class Row(RawItem):
    """The rows of the main table; one global and one local index, both sparse."""

    pk: Annotated[str, PartitionKey(), SortKey(index="by_genre")]
    sk: Annotated[str, SortKey()]
    genre: Annotated[str | None, PartitionKey(index="by_genre")] = None
    rank: Annotated[int | None, SortKey(index="by_rank")] = None


class Home(BaseModel):
    """A part of a folder, and so a map."""

    city: str
    street: str | None = None


class Folder(Item):
    """One of a partition: with a version, two counters, a list, a set and a map."""

    owner: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="FOLDER")] = ""
    text: str
    home: Home
    tags: list[str] = []
    labels: set[str] = set()
    genre: str | None = None
    hits: Annotated[int, Counter()] = 0
    stock: Annotated[int, Counter(initial=5, minimum=0, maximum=10)] = 5
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Folder"]):
        """Its key."""

        owner: str


class Entry(Item):
    """Many of a partition: a composite sort key, two indexes, no version."""

    owner: Annotated[str, Attribute("pk")]
    section: Annotated[str, Attribute("sk", prefix="ENTRY_")]
    number: Annotated[int, Attribute("sk", prefix="#", width=3)]
    body: Annotated[str, Attribute(names=("body", "body_copy"))]
    genre: str | None = None
    rank: int | None = None
    score: int = 0
    labels: set[str] = set()

    class Key(ItemKey["Entry"]):
        """Its key."""

        owner: str
        section: str | None = None
        number: int | None = None

    class GenreKey(IndexKey["Entry"], index="by_genre"):
        """Its key in the global index, where many have the same."""

        genre: str
        owner: str | None = None
        section: str | None = None
        number: int | None = None

    class RankKey(IndexKey["Entry"], index="by_rank"):
        """Its key in the local index, a number."""

        owner: str
        rank: int | None = None
        section: str | None = None
        number: int | None = None


class Session(Item):
    """Many of a partition: with times, a time to live and a counter; all fields have defaults."""

    owner: Annotated[str, Attribute("pk")]
    token: Annotated[str, Attribute("sk", prefix="SESSION_")]
    user: str = "nobody"
    note: str | None = None
    views: Annotated[int, Counter()] = 0
    created: Annotated[datetime | None, CreatedAt()] = None
    updated: Annotated[datetime | None, UpdatedAt()] = None
    expires: Annotated[datetime | None, TimeToLive()] = None

    class Key(ItemKey["Session"]):
        """Its key."""

        owner: str
        token: str | None = None


class Progress(Item):
    """How far a run of a writing pager came."""

    run: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="PROGRESS")] = ""
    applied: int = 0
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Progress"]):
        """Its key."""

        run: str


class Table(LogicalTable[Row]):
    """The main table."""

    folders: InlineView[Folder.Key, Folder]
    entries: InlineView[Entry.Key, Entry]
    sessions: InlineView[Session.Key, Session]
    progresses: InlineView[Progress.Key, Progress]
    entries_by_genre: SecondaryIndex[Entry.GenreKey, Entry]
    entries_by_rank: SecondaryIndex[Entry.RankKey, Entry]
    both: ItemCollection[Folder.Key, Folder | Entry]


class ReadingRow(RawItem):
    """The rows of the other table, whose sort key is a number."""

    stream: Annotated[str, PartitionKey()]
    position: Annotated[int, SortKey()]


class Reading(Item):
    """The only type of its table; all but its key may be absent, so that a save of it may set nothing."""

    stream: str
    position: int
    value: Decimal | None = None

    class Key(ItemKey["Reading"]):
        """Its key."""

        stream: str
        position: int | None = None


class ReadingTable(LogicalTable[ReadingRow]):
    """The other table."""

    readings: InlineView[Reading.Key, Reading]


class Db(LogicalDb):
    """Both tables."""

    main: Annotated[Table, TableName("main")]
    other: Annotated[ReadingTable, TableName("other")]


VIEWS: dict[type[Item], tuple[str, str]] = {
    Folder: ("main", "folders"),
    Entry: ("main", "entries"),
    Session: ("main", "sessions"),
    Progress: ("main", "progresses"),
    Reading: ("other", "readings"),
}
"""Where the view of each type is."""


def view_of(db: Any, item_type: type[Item]) -> Any:
    """The view of a type, in a db of either mode."""
    table, view = VIEWS[item_type]
    return getattr(getattr(db, table), view)
