"""Tables of the tests: every shape of key, index and field that the operations tell apart."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from logicaldb import (
    Attribute,
    Counter,
    CreatedAt,
    IndexKey,
    InlineView,
    Item,
    ItemCollection,
    ItemKey,
    LogicalTable,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
    TimeToLive,
    UpdatedAt,
    Version,
)


class ShopRow(RawItem):
    pk: Annotated[str, PartitionKey(), SortKey(index="by_owner"), SortKey(index="inverted")]
    sk: Annotated[str, SortKey(), PartitionKey(index="inverted")]
    owner: Annotated[str | None, PartitionKey(index="by_owner")] = None
    label: Annotated[str | None, PartitionKey(index="by_label")] = None
    board: Annotated[str | None, PartitionKey(index="by_score")] = None
    score: Annotated[int | None, SortKey(index="by_score")] = None
    queue: Annotated[str | None, PartitionKey(index="by_due")] = None
    due: Annotated[str | None, SortKey(index="by_due")] = None
    title: Annotated[str | None, SortKey(index="by_title")] = None


class Customer(Item):
    """Its sort key is a constant."""

    customer: Annotated[str, Attribute("pk", prefix="CUSTOMER_")]
    sk: Annotated[Literal[""], Attribute(prefix="INFO")] = ""
    name: str
    owner: str | None = None
    label: Annotated[str | None, Attribute(prefix="L_")] = None

    class Key(ItemKey["Customer"]):
        customer: str

    class OwnerKey(IndexKey["Customer"], index="by_owner"):
        owner: str
        customer: str | None = None

    class LabelKey(IndexKey["Customer"], index="by_label"):
        label: str

    class InvertedKey(IndexKey["Customer"], index="inverted"):
        customer: str | None = None


class Order(Item):
    """Its sort key is a composite one, whose last part is a str."""

    customer: Annotated[str, Attribute("pk", prefix="CUSTOMER_")]
    day: Annotated[date, Attribute("sk", prefix="ORDER_")]
    number: Annotated[str, Attribute("sk", prefix="#")]
    amount: Decimal
    note: str | None = None

    class Key(ItemKey["Order"]):
        customer: str
        day: date | None = None
        number: str | None = None


class Step(Item):
    """Its sort key is a padded number."""

    customer: Annotated[str, Attribute("pk", prefix="CUSTOMER_")]
    number: Annotated[int, Attribute("sk", prefix="STEP_", width=4)]
    title: str
    board: str | None = None
    score: int | None = None

    class Key(ItemKey["Step"]):
        customer: str
        number: int | None = None

    class TitleKey(IndexKey["Step"], index="by_title"):
        customer: str
        title: str | None = None
        number: int | None = None

    class ScoreKey(IndexKey["Step"], index="by_score"):
        board: str
        score: int | None = None
        customer: str | None = None
        number: int | None = None


class ShopTable(LogicalTable[ShopRow]):
    customers: InlineView[Customer.Key, Customer]
    orders: InlineView[Order.Key, Order]
    steps: InlineView[Step.Key, Step]

    customers_by_owner: SecondaryIndex[Customer.OwnerKey, Customer]
    customers_by_label: SecondaryIndex[Customer.LabelKey, Customer]
    customers_inverted: SecondaryIndex[Customer.InvertedKey, Customer]
    steps_by_title: SecondaryIndex[Step.TitleKey, Step]
    steps_by_score: SecondaryIndex[Step.ScoreKey, Step]

    everything: ItemCollection[Customer.Key, Customer | Order]


class PlainRow(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Plain(Item):
    """The only type of its table, without a prefix."""

    pk: str
    sk: str
    value: int = 0

    class Key(ItemKey["Plain"]):
        pk: str
        sk: str | None = None


class PlainTable(LogicalTable[PlainRow]):
    plain: InlineView[Plain.Key, Plain]


class NumberRow(RawItem):
    pk: Annotated[int, PartitionKey()]
    sk: Annotated[Decimal, SortKey()]


class Number(Item):
    pk: int
    sk: Decimal

    class Key(ItemKey["Number"]):
        pk: int
        sk: Decimal | None = None


class NumberTable(LogicalTable[NumberRow]):
    numbers: InlineView[Number.Key, Number]


class BinaryRow(RawItem):
    pk: Annotated[bytes, PartitionKey()]
    sk: Annotated[bytes, SortKey()]


class Binary(Item):
    pk: bytes
    sk: bytes

    class Key(ItemKey["Binary"]):
        pk: bytes
        sk: bytes | None = None


class BinaryTable(LogicalTable[BinaryRow]):
    binaries: InlineView[Binary.Key, Binary]


class LoneRow(RawItem):
    pk: Annotated[str, PartitionKey()]


class Lone(Item):
    """Its table has no sort key."""

    pk: Annotated[str, Attribute(prefix="LONE_")]
    value: int = 0

    class Key(ItemKey["Lone"]):
        pk: str


class Other(Item):
    """Another type of that table, told apart by the prefix of the partition key."""

    pk: Annotated[str, Attribute(prefix="OTHER_")]

    class Key(ItemKey["Other"]):
        pk: str


class LoneTable(LogicalTable[LoneRow]):
    lone: InlineView[Lone.Key, Lone]
    other: InlineView[Other.Key, Other]


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    city: str
    street: str | None = None
    lines: list[str] = []
    floor: int = 0


class Thing(Item):
    """Fields of all kinds, and an index with a composite key."""

    pk: Annotated[str, Attribute(prefix="THING_")]
    sk: Annotated[Literal["thing"], Attribute()] = "thing"
    title: str
    queue: str | None = None
    priority: Annotated[int | None, Attribute("due", prefix="P", width=2)] = None
    name: Annotated[str | None, Attribute("due", prefix="#")] = None
    label: Annotated[str | None, Attribute(prefix="L_")] = None
    code: Annotated[str, Attribute(names=("code1", "code2"))] = "none"
    size: int = 0
    weight: float = 1.5
    price: Decimal = Decimal("9.99")
    rank: int | None = None
    data: bytes = b""
    good: bool = True
    day: date | None = None
    length: timedelta = timedelta(0)
    color: Color = Color.RED
    lines: list[str] = []
    points: list[int] = [7]
    pair: tuple[int, str] = (1, "x")
    tags: set[str] = set()
    marks: frozenset[int] | None = None
    days: set[date] = set()
    flags: set[bool] = set()
    full: set[str] = {"x"}
    sizes: dict[str, int] = {}
    note: str | None = "none"
    anything: Any = None
    address: Annotated[Address | None, Attribute(names=("address1", "address2"))] = None
    places: list[Address] = []
    maybe: list[str | None] = []

    class Key(ItemKey["Thing"]):
        pk: str

    class DueKey(IndexKey["Thing"], index="by_due"):
        queue: str
        priority: int | None = None
        name: str | None = None


class Gadget(Item):
    """A version, counters and times."""

    pk: Annotated[str, Attribute(prefix="GADGET_")]
    sk: Annotated[Literal[""], Attribute(prefix="GADGET")] = ""
    title: str
    version: Annotated[int, Version()] = 0
    stock: Annotated[int, Counter(initial=5, minimum=0, maximum=10)] = 5
    hits: Annotated[int, Counter()] = 0
    balance: Annotated[Decimal, Counter(minimum=Decimal("-0.5"))] = Decimal(0)
    created: Annotated[datetime | None, CreatedAt()] = None
    updated: Annotated[datetime | None, UpdatedAt()] = None
    expires: Annotated[datetime | None, TimeToLive()] = None

    class Key(ItemKey["Gadget"]):
        pk: str


class Bare(Item):
    """Keys, and one attribute that may be absent."""

    pk: Annotated[str, Attribute(prefix="BARE_")]
    sk: Annotated[Literal[""], Attribute(prefix="BARE")] = ""
    label: str | None = None

    class Key(ItemKey["Bare"]):
        pk: str


class Link(Item):
    """Keys alone."""

    pk: Annotated[str, Attribute(prefix="LINK_")]
    target: Annotated[str, Attribute("sk", prefix="LINK_")]

    class Key(ItemKey["Link"]):
        pk: str
        target: str


class Versioned(Item):
    """A version, and nothing that only the service knows."""

    pk: Annotated[str, Attribute(prefix="V_")]
    sk: Annotated[Literal[""], Attribute(prefix="VERSIONED")] = ""
    title: str
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Versioned"]):
        pk: str


class Generated(Item):
    """Defaults that are made."""

    pk: Annotated[str, Attribute(prefix="GENERATED_")]
    sk: Annotated[Literal[""], Attribute(prefix="GENERATED")] = ""
    title: str
    queue: str = "inbox"
    hits: Annotated[int, Counter()] = 0
    serial: str = Field(default_factory=lambda: "made")
    points: list[int] = Field(default_factory=lambda: [1])
    copied: str = Field(default_factory=lambda values: str(values["title"]))
    created: Annotated[datetime, CreatedAt()]

    class Key(ItemKey["Generated"]):
        pk: str


class ThingTable(LogicalTable[ShopRow]):
    things: InlineView[Thing.Key, Thing]
    gadgets: InlineView[Gadget.Key, Gadget]
    bares: InlineView[Bare.Key, Bare]
    links: InlineView[Link.Key, Link]
    versioned: InlineView[Versioned.Key, Versioned]
    generated: InlineView[Generated.Key, Generated]

    things_by_due: SecondaryIndex[Thing.DueKey, Thing]


class Tally(Item):
    """All of its fields have defaults."""

    pk: Annotated[str, Attribute(prefix="TALLY_")]
    sk: Annotated[Literal[""], Attribute(prefix="TALLY")] = ""
    count: Annotated[int, Counter()] = 0
    other: Annotated[int, Counter(initial=2)] = 2
    queue: str = "inbox"
    serial: str = Field(default_factory=lambda: "made")
    version: Annotated[int, Version()] = 0
    created: Annotated[datetime | None, CreatedAt()] = None
    updated: Annotated[datetime | None, UpdatedAt()] = None

    class Key(ItemKey["Tally"]):
        pk: str


class TallyTable(LogicalTable[ShopRow]):
    tallies: InlineView[Tally.Key, Tally]
