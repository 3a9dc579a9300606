"""The items that are written while things go wrong, and by many at once."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from logicaldb import (
    Attribute,
    Counter,
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
)


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Tally(Item):
    """Without a version: numbers, a list, a set."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="TALLY")] = ""
    text: str = "old"
    hits: Annotated[int, Counter()] = 0
    stock: Annotated[int, Counter(minimum=0, maximum=10)] = 0
    amount: Annotated[Decimal, Counter()] = Decimal(0)
    total: int = 0
    log: list[str] = []
    tags: set[str] = set()

    class Key(ItemKey["Tally"]):
        name: str


class Note(Item):
    """With a version."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="NOTE")] = ""
    text: str = "old"
    hits: Annotated[int, Counter()] = 0
    log: list[str] = []
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Note"]):
        name: str


class Mark(Item):
    """Nothing but its key."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="MARK")] = ""

    class Key(ItemKey["Mark"]):
        name: str


class Shelf(Item):
    """A stock that begins full."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="SHELF")] = ""
    stock: Annotated[int, Counter(initial=10, minimum=0, maximum=12)] = 10

    class Key(ItemKey["Shelf"]):
        name: str


class Table(LogicalTable[Row]):
    tallies: InlineView[Tally.Key, Tally]
    notes: InlineView[Note.Key, Note]
    marks: InlineView[Mark.Key, Mark]
    shelves: InlineView[Shelf.Key, Shelf]


class Db(LogicalDb):
    table: Annotated[Table, TableName("rows")]


def make_db(client: Any, table: str) -> Db:
    """The database, on a table of this name."""
    return Db(client, table_name_resolver=lambda *_: table)
