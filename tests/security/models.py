"""Item types with a field of every type that docs/values.md lists, and keys of every kind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, Field, JsonValue, PlainSerializer
from typing_extensions import TypedDict

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
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    owner: Annotated[str | None, PartitionKey(index="by_owner")] = None
    placed: Annotated[str | None, SortKey(index="by_owner")] = None


class Colour(Enum):
    RED = "red"
    TWO = 2


class Inner(BaseModel):
    name: str
    number: int | None = None
    inner: Inner | None = None


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


@dataclass
class Point:
    x: int
    y: float = 0.0


class Typed(TypedDict):
    a: int
    b: str


class Named(NamedTuple):
    left: str
    right: bytes


class Everything(Item):
    """All value types."""

    name: Annotated[str, Attribute("pk", prefix="P#")]
    number: Annotated[int, Attribute("sk", prefix="E#", width=6)]
    text: str | None = None
    whole: int | None = None
    exact: Decimal | None = None
    real: float | None = None
    flag: bool | None = None
    data: bytes | None = None
    day: date | None = None
    moment: datetime | None = None
    clock: time | None = None
    length: timedelta | None = None
    uid: UUID | None = None
    colour: Colour | None = None
    choice: Literal["a", 1] | None = None
    numbers: list[int] | None = None
    pair: tuple[str, int] | None = None
    several: tuple[Decimal, ...] | None = None
    texts: set[str] = set()
    wholes: frozenset[int] = frozenset()
    exacts: set[Decimal] = set()
    blobs: set[bytes] = set()
    days: set[date] = set()
    notes: dict[str, str] | None = None
    by_day: dict[date, list[Decimal]] | None = None
    by_number: dict[int, bool | None] | None = None
    inner: Inner | None = None
    inners: list[Inner] | None = None
    point: Point | None = None
    typed: Typed | None = None
    named: Named | None = None
    link: Whole.Key | None = None
    links: list[Whole.Key] = []
    union: int | str | None = None
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    custom: Annotated[int, PlainSerializer(str, return_type=str)] | None = None
    anything: Any = None
    json_value: JsonValue = None
    count: Annotated[int, Counter(minimum=0)] = 0
    version: Annotated[int, Version()] = 0
    created: Annotated[datetime | None, CreatedAt()] = None
    updated: Annotated[datetime | None, UpdatedAt()] = None
    expires: Annotated[datetime | None, TimeToLive()] = None

    class Key(ItemKey["Everything"]):
        name: str
        number: int | None = None


class Order(Item):
    """Composite keys, of the table and of an index."""

    customer: Annotated[str, Attribute("pk", prefix="C#")]
    region: Annotated[str, Attribute("pk", prefix="/")]
    day: Annotated[date, Attribute("sk", prefix="O#")]
    code: Annotated[str, Attribute("sk", prefix="#")]
    line: Annotated[str, Attribute("sk", prefix="##")]
    owner: str | None = None
    placed: datetime | None = None
    memo: str = ""

    class Key(ItemKey["Order"]):
        customer: str
        region: str
        day: date | None = None
        code: str | None = None
        line: str | None = None

    class ByOwner(IndexKey["Order"], index="by_owner"):
        owner: str
        placed: datetime | None = None


class Whole(Item):
    """Text alone."""

    name: Annotated[str, Attribute("pk", prefix="P#")]
    part: Annotated[str, Attribute("sk", prefix="W#")]
    text: str = ""
    number: int = 0
    texts: list[str] = []
    labels: set[str] = set()
    notes: dict[str, str] = {}
    anything: Any = None
    owner: str | None = None

    class Key(ItemKey["Whole"]):
        name: str
        part: str | None = None


class Strict(Item, strict=True):
    """Nothing is coerced; the same keys as another type's, told from it by an attribute."""

    name: Annotated[str, Attribute("pk", prefix="P#")]
    part: Annotated[str, Attribute("sk", prefix="S#")]
    required: int
    moment: datetime | None = None
    inner: Inner | None = None
    numbers: list[Decimal] = []

    class Key(ItemKey["Strict"]):
        name: str
        part: str | None = None


class Table(LogicalTable[Row]):
    everything: InlineView[Everything.Key, Everything]
    orders: InlineView[Order.Key, Order]
    wholes: InlineView[Whole.Key, Whole]
    stricts: InlineView[Strict.Key, Strict]
    orders_by_owner: SecondaryIndex[Order.ByOwner, Order]
    several: ItemCollection[Whole.Key, Whole | Strict | Everything]


class Number(RawItem):
    pk: Annotated[Decimal, PartitionKey()]
    sk: Annotated[bytes, SortKey()]


class Measure(Item):
    """Keys that are a number and a binary."""

    at: Annotated[Decimal, Attribute("pk")]
    what: Annotated[bytes, Attribute("sk")]
    value: float

    class Key(ItemKey["Measure"]):
        at: Decimal
        what: bytes


class NumberTable(LogicalTable[Number]):
    measures: InlineView[Measure.Key, Measure]


class Db(LogicalDb):
    table: Annotated[Table, TableName("hostile")]
    numbers: Annotated[NumberTable, TableName("hostile-numbers")]
