"""Every type that an item can hold comes back from the database as it was: as a field, optional, in lists and in dicts."""

from __future__ import annotations

import re
from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from fractions import Fraction
from ipaddress import IPv4Address, IPv6Network
from pathlib import PurePosixPath
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import (
    AnyUrl,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    HttpUrl,
    PlainSerializer,
    RootModel,
    Secret,
    SecretBytes,
    SecretStr,
    Tag,
    model_serializer,
    model_validator,
)
from pydantic.dataclasses import dataclass as checked_dataclass
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeAliasType, TypedDict

from logicaldb import InlineView, Item, ItemKey, LogicalDb, LogicalTable, PartitionKey, RawItem, TableName, attr
from tests.acceptance.shop import Customer, Order, order
from tests.modes import Mode

T = TypeVar("T")
FAR = timezone(timedelta(hours=5, minutes=30))


class Row(RawItem):
    id: Annotated[str, PartitionKey()]


class Colour(Enum):
    RED = "red"
    BLUE = 2
    PAIR = (1, "x")


class Level(IntEnum):
    LOW = 1


class Text(StrEnum):
    A = "a"


class Right(Flag):
    READ = 1
    WRITE = 2


class Access(IntFlag):
    READ = 1
    WRITE = 2


class Address(BaseModel):
    street: str
    city: str | None = None


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    a: int = 1


class Aliased(BaseModel):
    a: Annotated[int, Field(alias="theA")]
    b: int = Field(validation_alias="bIn", serialization_alias="bOut")


class Renamed(BaseModel):
    a: int

    @model_serializer
    def serialize(self) -> dict[str, int]:
        return {"A": self.a}

    @model_validator(mode="before")
    @classmethod
    def parse(cls, value: Any) -> Any:
        return {"a": value["A"]} if isinstance(value, dict) and "A" in value else value


class Numbers(RootModel[list[int]]):
    pass


class Name(RootModel[str]):
    pass


class Tree(BaseModel):
    name: str
    children: list[Tree] = []


class Pair(BaseModel, Generic[T]):
    one: T
    others: list[T] = []


@dataclass
class Plain:
    a: int
    b: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Frozen:
    a: int
    day: date


@checked_dataclass
class Checked:
    a: int
    b: Decimal = Decimal(1)


class Dict(TypedDict):
    a: int
    b: NotRequired[datetime]


class Tuple(NamedTuple):
    a: int
    b: str = "b"


class Custom:
    def __init__(self, value: str) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Custom) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, cls) else cls(value),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda custom: custom.value),
        )


Money = Annotated[
    Decimal,
    PlainSerializer(lambda amount: f"CHF {amount}"),
    BeforeValidator(lambda text: text[4:] if isinstance(text, str) else text),
]
Pet = Annotated[Cat | Dog, Field(discriminator="kind")]
Told = Annotated[
    Annotated[Cat, Tag("c")] | Annotated[Dog, Tag("d")],
    Discriminator(lambda pet: "d" if (pet.get("kind") if isinstance(pet, dict) else pet.kind) == "dog" else "c"),
]
Json = TypeAliasType("Json", "dict[str, Json] | list[Json] | str | int | bool | None")
UserId = NewType("UserId", str)

VALUES: list[tuple[Any, list[Any]]] = [
    (str, ["", 'é\u2028\x00"\\/\n', "𝄞"]),
    (int, [0, -(10**37), 10**125]),
    (float, [0.0, 1.5, 1e-100, 1e125, 0.1, 123456789012345680.0]),
    (Decimal, [Decimal(text) for text in ("1.10", "1E-130", "9" * 38, "9." + "9" * 37 + "E+125", "-1E+2")]),
    (bool, [True, False]),
    (bytes, [b"", b"\xff\x00"]),
    (date, [date(1, 1, 1), date(9999, 12, 31)]),
    (datetime, [datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), datetime(2026, 1, 2, tzinfo=FAR)]),
    (time, [time(1, 2, 3, 4), time(1, 2, tzinfo=FAR)]),
    (timedelta, [timedelta.max, timedelta.min, timedelta(microseconds=-1)]),
    (UUID, [UUID(int=5)]),
    (Colour, list(Colour)),
    (Level, [Level.LOW]),
    (Text, [Text.A]),
    (Right, [Right.READ | Right.WRITE, Right(0)]),
    (Access, [Access.READ | Access.WRITE]),
    (Literal["a", 1, b"x"], ["a", 1, b"x"]),
    (Literal[Colour.RED, Level.LOW], [Colour.RED, Level.LOW]),
    (list[int], [[], [1, 2]]),
    (list[bytes | None], [[b"\xff", None]]),
    (list[list[dict[str, set[int]]]], [[[], [{"a": {1}}]]]),
    (list[datetime], [[datetime(2026, 1, 1, tzinfo=UTC)]]),
    (list, [[1, "a", None]]),
    (dict, [{"a": [1, {"b": Decimal("1.5")}]}]),
    (tuple[int, str, date], [(1, "x", date(2026, 1, 1))]),
    (tuple[list[int], dict[str, bytes]], [([1], {"a": b"x"})]),
    (tuple[float, ...], [(), (1.0, 2.5)]),
    (set[str], [{"a", "b"}]),
    (set[Decimal], [{Decimal("1.5"), Decimal(2)}]),
    (frozenset[bytes], [frozenset([b"\xff", b""])]),
    (set[float], [{1.5, 2.0}]),
    (set[date], [{date(2026, 1, 1)}]),
    (set[Colour], [set(Colour)]),
    (set[bool], [{True, False}]),
    (set[tuple[int, str]], [{(1, "a")}]),
    (frozenset[frozenset[int]], [frozenset([frozenset([1])])]),
    (set[Frozen], [{Frozen(1, date(2026, 1, 1))}]),
    (set[Customer.Key], [{Customer.Key("a")}]),
    (dict[str, int], [{}, {"ü.[0]": 2}]),
    (dict[int, str], [{1: "a", -2: "b"}]),
    (dict[date, int], [{date(2026, 1, 1): 1}]),
    (dict[datetime, int], [{datetime(2026, 1, 1, tzinfo=UTC): 1}]),
    (dict[UUID, Level], [{UUID(int=3): Level.LOW}]),
    (dict[bool, list[int]], [{True: [1]}]),
    (dict[Decimal, int], [{Decimal("1.5"): 1}]),
    (dict[Text, int], [{Text.A: 1}]),
    (Address, [Address(street=""), Address(street="x", city="c")]),
    (dict[str, list[Address]], [{"k": [Address(street="x")]}]),
    (Pet, [Cat(), Dog(name="x")]),
    (Told, [Cat(lives=1), Dog(name="x")]),
    (list[Pet | None], [[Cat(), None, Dog(name="x")]]),
    (Order.Key, [Order.Key("a"), Order.Key("a", date(2026, 1, 1), "1")]),
    (list[Customer.Key], [[Customer.Key("a")]]),
    (Order, [order(tags={"a"}, notes={"x": 1})]),
    (int | str, [1, "1"]),
    (bytes | str, [b"a", "a"]),
    (int | bool, [1, True]),
    (datetime | int | list[str], [datetime(2026, 1, 1, tzinfo=UTC), 5, ["a"]]),
    (Address | str, [Address(street="x"), "x"]),
    (Any, [1, "x", b"b", Decimal("1.5"), True, [1, [None]], {"a": {"b": None}}, {"x", "y"}, {1}, {b"x"}]),
    (dict[str, Any], [{"a": [1, {"b": None}]}]),
    (Open, [Open.model_validate({"a": 1, "b": "x", "c": [1]})]),
    (Aliased, [Aliased.model_validate({"theA": 1, "bIn": 2})]),
    (Renamed, [Renamed(a=3)]),
    (Numbers, [Numbers([1, 2])]),
    (list[Name], [[Name("x")]]),
    (Tree, [Tree(name="a", children=[Tree(name="b", children=[Tree(name="c")])])]),
    (Pair[date], [Pair[date](one=date(2026, 1, 1), others=[date(1, 1, 1)])]),
    (Plain, [Plain(1, ["a"])]),
    (list[Frozen], [[Frozen(1, date(2026, 1, 1))]]),
    (Checked, [Checked(1)]),
    (Dict, [{"a": 1}, {"a": 1, "b": datetime(2026, 1, 1, tzinfo=UTC)}]),
    (Tuple, [Tuple(1), Tuple(1, "x")]),
    (Custom, [Custom("x")]),
    (dict[str, Custom], [{"a": Custom("x")}]),
    (Money, [Decimal("1.50")]),
    (Json, [{"a": [1, "x", None, True]}]),
    (UserId, ["x"]),
    (SecretStr, [SecretStr("hush")]),
    (SecretBytes, [SecretBytes(b"\xff")]),
    (list[Secret[date]], [[Secret[date](date(2026, 1, 1))]]),
    (HttpUrl, [HttpUrl("https://a.b/c?d=e")]),
    (AnyUrl, [AnyUrl("ftp://x/y")]),
    (IPv4Address, [IPv4Address("1.2.3.4")]),
    (IPv6Network, [IPv6Network("::/64")]),
    (PurePosixPath, [PurePosixPath("/a/b")]),
    (re.Pattern[str], [re.compile("a+")]),
    (ZoneInfo, [ZoneInfo("UTC")]),
    (complex, [1 + 2j]),
    (Fraction, [Fraction(1, 3)]),
    (ByteSize, [ByteSize(1024)]),
    (deque[int], [deque([1, 2])]),
    (OrderedDict[str, int], [OrderedDict(a=2)]),
    (defaultdict[str, list[int]], [defaultdict(list, {"a": [1]})]),
    (Sequence[int], [[1, 2]]),
    (Mapping[str, int], [{"a": 1}]),
    (Annotated[int, Field(gt=0)], [5]),
]


def alike(one: Any, other: Any) -> bool:
    """Equal, and of the same types all the way down."""
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, dict):
        return all(alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple | deque):
        return all(map(alike, one, other))
    return True


def declare(annotation: Any) -> tuple[Any, Any]:
    """An item type with fields of this type, and its db."""

    class Box(Item):
        id: str
        value: annotation  # pyright: ignore[reportInvalidTypeForm]
        maybe: annotation | None = None  # pyright: ignore[reportInvalidTypeForm]
        several: list[annotation] = []  # pyright: ignore[reportInvalidTypeForm]
        by_name: dict[str, annotation] = {}  # pyright: ignore[reportInvalidTypeForm]

        class Key(ItemKey["Box"]):
            id: str

    class Table(LogicalTable[Row]):
        boxes: InlineView[Box.Key, Box]

    class Db(LogicalDb):
        table: Annotated[Table, TableName("values")]

    return Box, Db


def ways_of(db: Any, box: Any, item: Any) -> dict[str, Any]:
    """The item, as each way of writing and reading gives it back."""
    view, key, codec = db.table.boxes, box.Key("k"), db.table.codec(box)
    return {
        "codec": codec.decode(codec.encode(item)),
        "save": db.save(item),
        "load": db.load(key, consistent_read=True),
        "scan": view.scan().contents[0],
        "update": view.update(key, attr(box.value).set(item.value), attr(box.several).append([])),
        "put under a condition": view.put(item, attr(box.value) == item.value),
        "transaction_load": db.transaction_load(key).get(key),
    }


@pytest.mark.parametrize("mode", ["local-direct"], indirect=True)
def test_every_value_comes_back(mode: Mode) -> None:
    _, first = declare(str)
    name = mode.make(first).table.table_name
    wrong: list[Any] = []
    for annotation, values in VALUES:
        box, db_type = declare(annotation)
        db: Any = mode.open(db_type, table_name_resolver=lambda *_: name)
        for value in values:
            item = box(id="k", value=value, maybe=value, several=values, by_name={"a": value})
            for way, found in ways_of(db, box, item).items():
                if found != item or not alike(found.value, value) or not alike(found.several, values):
                    wrong.append((way, annotation, value, found))
    assert wrong == []


@pytest.mark.parametrize("mode", ["local-direct"], indirect=True)
@pytest.mark.parametrize("kind", [set, frozenset])
def test_empty_sets(mode: Mode, kind: Any) -> None:
    box, db_type = declare(kind[str])
    db: Any = mode.make(db_type)
    item = db.save(box(id="k", value=kind()))
    assert alike(db.load(box.Key("k")).value, kind())
    assert item.maybe is None
