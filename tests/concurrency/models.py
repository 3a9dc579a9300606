"""The items that many write at once."""

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


class Track(Item):
    """Counters, and no version."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="TRACK")] = ""
    title: str = ""
    plays: Annotated[int, Counter()] = 0
    amount: Annotated[Decimal, Counter()] = Decimal(0)

    class Key(ItemKey["Track"]):
        name: str


class Shelf(Item):
    """A stock that begins full."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="SHELF")] = ""
    stock: Annotated[int, Counter(initial=10, minimum=0, maximum=12)] = 10

    class Key(ItemKey["Shelf"]):
        name: str


class Playlist(Item):
    """A version and a counter."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="PLAYLIST")] = ""
    tracks: list[str] = []
    plays: Annotated[int, Counter()] = 0
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Playlist"]):
        name: str


class Table(LogicalTable[Row]):
    tracks: InlineView[Track.Key, Track]
    shelves: InlineView[Shelf.Key, Shelf]
    playlists: InlineView[Playlist.Key, Playlist]


class Db(LogicalDb):
    table: Annotated[Table, TableName("rows")]


def make_db(client: Any, table: str) -> Db:
    """The database, on a table of this name."""
    return Db(client, table_name_resolver=lambda *_: table)
