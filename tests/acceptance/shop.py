"""A shop that uses what can be declared, all in one table, and a table with numbers as keys."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
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
    M,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
    TableName,
    UpdatedAt,
    Version,
)


class ShopRow(RawItem):
    """A row of the shop."""

    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    carrier: Annotated[str | None, PartitionKey(index="by_carrier")] = None
    shipped: Annotated[str | None, SortKey(index="by_carrier")] = None
    label: Annotated[str | None, SortKey(index="by_label")] = None


class State(Enum):
    """What becomes of an order."""

    OPEN = "open"
    SENT = "sent"


class Address(BaseModel):
    """Where an order goes."""

    street: str
    city: str = "Bern"


class Order(Item):
    """An order, whose sort key is its day and its number."""

    customer: Annotated[str, Attribute("pk", prefix="CUSTOMER#")]
    day: Annotated[date, Attribute("sk", prefix="ORDER#")]
    number: Annotated[str, Attribute("sk", prefix="#")]
    carrier: str | None = None
    shipped: datetime | None = None
    region: Annotated[str | None, Attribute("label", prefix="L#")] = None
    shelf: Annotated[str | None, Attribute("label", prefix="#")] = None
    state: State = State.OPEN
    total: Decimal = Decimal(0)
    address: Address | None = None
    lines: list[str] = []
    tags: set[str] = set()
    sizes: set[int] = set()
    notes: dict[str, Any] = {}
    patience: timedelta = timedelta(days=1)
    version: Annotated[int, Version()] = 0
    visits: Annotated[int, Counter(minimum=0, maximum=100)] = 0
    created: Annotated[datetime | None, CreatedAt()] = None
    updated: Annotated[datetime | None, UpdatedAt()] = None

    class Key(ItemKey["Order"]):
        """The key of an order."""

        customer: str
        day: date | None = None
        number: str | None = None

    class CarrierOffset(IndexKey["Order"], index="by_carrier"):
        """The key of an order in the index of carriers."""

        carrier: str
        shipped: datetime | None = None
        customer: str | None = None
        day: date | None = None
        number: str | None = None

    class LabelOffset(IndexKey["Order"], index="by_label"):
        """The key of an order in the index of labels."""

        customer: str
        region: str | None = None
        shelf: str | None = None


class Customer(Item):
    """A customer."""

    customer: Annotated[str, Attribute("pk", prefix="CUSTOMER#")]
    kind: Annotated[Literal[""], Attribute("sk", prefix="INFO")] = ""
    name: str
    email: str | None = None
    credit: Annotated[Decimal, Counter(initial=10, minimum=0)] = Decimal(10)

    class Key(ItemKey["Customer"]):
        """The key of a customer."""

        customer: str


class Mark(Item):
    """A row that is nothing but its key."""

    customer: Annotated[str, Attribute("pk", prefix="CUSTOMER#")]
    name: Annotated[str, Attribute("sk", prefix="MARK#")]

    class Key(ItemKey["Mark"]):
        """The key of a mark."""

        customer: str
        name: str | None = None


class ShopTable(LogicalTable[ShopRow, M]):
    """The table of the shop."""

    orders: InlineView[Order.Key, Order]
    customers: InlineView[Customer.Key, Customer]
    marks: InlineView[Mark.Key, Mark]
    by_carrier: SecondaryIndex[Order.CarrierOffset, Order]
    by_label: SecondaryIndex[Order.LabelOffset, Order]
    everything: ItemCollection[Customer.Key, Customer | Order]


class ReadingRow(RawItem):
    """A row whose keys are binary and a number."""

    sensor: Annotated[bytes, PartitionKey()]
    at: Annotated[Decimal, SortKey()]


class Reading(Item):
    """What a sensor reads."""

    sensor: bytes
    at: Decimal
    value: float | None = None

    class Key(ItemKey["Reading"]):
        """The key of a reading."""

        sensor: bytes
        at: Decimal | None = None


class ReadingTable(LogicalTable[ReadingRow, M]):
    """The table of readings."""

    readings: InlineView[Reading.Key, Reading]


class ShopDb(LogicalDb):
    """The shop."""

    shop: Annotated[ShopTable, TableName("shop")]
    sensors: Annotated[ReadingTable, TableName("sensors")]


DAY = date(2026, 1, 2)


def order(number: str = "1", *, day: date = DAY, customer: str = "anna", **fields: Any) -> Order:
    """An order."""
    return Order(customer=customer, day=day, number=number, **fields)
