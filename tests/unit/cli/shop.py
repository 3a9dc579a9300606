"""A db whose tables have what the music example has not: composite keys, sparse and partial indexes, other kinds of keys."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

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
    Version,
)


class ShopItem(RawItem):
    """A row of the shop; ``open`` holds open orders only."""

    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    open_key: Annotated[str | None, PartitionKey(index="open_orders", projection=["total", "lines"])] = None
    open_date: Annotated[str | None, SortKey(index="open_orders")] = None
    rank: Annotated[int | None, SortKey(index="by_rank", projection="KEYS_ONLY")] = None


class Status(Enum):
    """How far an order is."""

    OPEN = "open"
    SENT = "sent"


class Odd:
    """A type of which only pydantic knows something."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take instances, store them as text."""
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda _: "odd", return_schema=core_schema.str_schema()
            ),
        )


Note = NewType("Note", str)


class Line(BaseModel):
    """A line of an order."""

    product_id: UUID
    price: Decimal
    gift: bool = False


class Customer(Item):
    """Who orders."""

    customer_id: Annotated[str, Attribute("pk", prefix="CUSTOMER#")]
    sk: Annotated[Literal[""], Attribute(prefix="PROFILE")] = ""
    name: str
    tags: set[str] = set()
    made: Annotated[datetime | None, CreatedAt()] = None
    expires: Annotated[int | None, TimeToLive()] = None
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Customer"]):
        """The key of a customer."""

        customer_id: str


class Order(Item):
    """An order, whose key is a date and a number."""

    customer_id: Annotated[str, Attribute("pk", prefix="CUSTOMER#")]
    day: Annotated[date, Attribute("sk", prefix="ORDER#")]
    number: Annotated[int, Attribute("sk", prefix="#", width=4)]
    status: Status
    open_for: Annotated[str | None, Attribute("open_key")] = None
    open_date: date | None = None
    rank: int | None = None
    total: Decimal
    lines: list[Line] = []
    options: dict[str, str] = {}
    size: tuple[int, int] = (1, 1)
    weight: float | str = 0.5
    picture: bytes = b""
    note: Note | None = None
    odd: Odd
    seen: Annotated[int, Counter(minimum=0, maximum=5)] = 0
    sold: Annotated[int, Counter()] = 0

    class Key(ItemKey["Order"]):
        """The key of an order."""

        customer_id: str
        day: date | None = None
        number: int | None = None

    class OpenKey(IndexKey["Order"], index="by_rank"):
        """The key of a rank."""

        customer_id: str
        rank: int | None = None


class ShopTable(LogicalTable[ShopItem]):
    """The table of the shop."""

    customers: InlineView[Customer.Key, Customer]
    orders: InlineView[Order.Key, Order]
    orders_by_rank: SecondaryIndex[Order.OpenKey, Order]
    of_customer: ItemCollection[Customer.Key, Customer | Order]


class Reading(RawItem):
    """A row of measurements: a number and a binary."""

    station: Annotated[int, PartitionKey()]
    at: Annotated[bytes, SortKey()]
    kind: Annotated[str | None, PartitionKey(index="by_kind")] = None


class Measure(Item):
    """A measurement."""

    station: int
    at: bytes
    value: Decimal
    flags: frozenset[int] = frozenset()

    class Key(ItemKey["Measure"]):
        """Its key."""

        station: int
        at: bytes | None = None


class Measures(LogicalTable[Reading]):
    """Measurements."""

    measures: InlineView[Measure.Key, Measure]


class Only(RawItem):
    """A row that has a partition key alone."""

    id: Annotated[str, PartitionKey()]


class Setting(Item):
    """A setting."""

    id: str
    value: str

    class Key(ItemKey["Setting"]):
        """Its key."""

        id: str


class Settings(LogicalTable[Only]):
    """Settings."""

    settings: InlineView[Setting.Key, Setting]


class ShopDb(LogicalDb):
    """The db."""

    shop: Annotated[ShopTable, TableName("shop")]
    measures: Annotated[Measures, TableName("measures")]
    settings_: Annotated[Settings, TableName('set"tings<${x}>')]
