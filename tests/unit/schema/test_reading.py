"""Rows are read by the fast road as by the slow one, by whichever part of a type the codecs have to read."""

from __future__ import annotations

import json
from collections import OrderedDict, deque
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PrivateAttr,
    RootModel,
    StringConstraints,
    ValidationInfo,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, SchemaValidator, core_schema

from logicaldb import (
    Attribute,
    Counter,
    CreatedAt,
    DecodingError,
    Item,
    PartitionKey,
    RawItem,
    SortKey,
    TimeToLive,
    Version,
)
from logicaldb.codec import wiring
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.schema import reading
from logicaldb.schema.items import ItemSchema, hold_constants
from logicaldb.schema.reading import ItemReader, ReadAnswer
from tests.properties.test_reading import assert_same_item, check
from tests.unit.codec.support import unchecked


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    gpk: Annotated[str | None, PartitionKey(index="global")] = None
    score: Annotated[int | None, SortKey(index="by_score")] = None


class Numbers(RawItem):
    pk: Annotated[int, PartitionKey()]
    sk: Annotated[bytes, SortKey()]


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1


class Open(Enum):
    KNOWN = "known"

    @classmethod
    def _missing_(cls, value: object) -> Open | None:
        return cls.KNOWN if value == "other" else None


class Address(BaseModel):
    street: str
    town: str | None = None
    tags: list[str] = []


class Loose(BaseModel):
    note: str = "none"
    level: int | None = None


class Node(BaseModel):
    name: str
    children: list[Node] = []


class Aliased(BaseModel):
    model_config = ConfigDict(strict=True, validate_by_name=True, validate_by_alias=False)
    first: Annotated[int, Field(alias="theFirst", ge=0)]
    second: str | None


class Private(BaseModel):
    name: str
    _seen: int = PrivateAttr(default=7)


class Upper(BaseModel):
    name: str

    @model_validator(mode="before")
    @classmethod
    def to_upper(cls, values: Any) -> Any:
        return {**values, "name": values["name"].upper()} if isinstance(values, dict) else values


class Extras(BaseModel):
    model_config = ConfigDict(extra="allow")
    name: str


class Names(RootModel[list[str]]):
    pass


Loud = Annotated[int | str, AfterValidator(lambda value: value)]


def shout(value: str) -> str:
    return value + "!"


class Plain(Item):
    pk: Annotated[str, Attribute(prefix="P#")]
    number: Annotated[int, Attribute("sk", prefix="N#", width=6)]
    text: str
    flag: bool | None = None
    level: Literal["low", "high"] = "low"
    colour: Colour
    price: Decimal
    ratio: float = 0.5
    day: date
    at: datetime
    clock: time
    ident: UUID
    sizes: list[int] = []
    pairs: tuple[str, ...] = ()
    words: set[str] = set()
    fixed: frozenset[str]
    ages: dict[str, int] = {}
    note: str | None
    address: Address
    other: Address | None = None
    loose: Loose | None = None
    homes: list[Address] = []
    looses: list[Loose] = []
    by_name: dict[str, Address] = {}


PLAIN = Plain(
    pk="a", number=7, text="t", colour=Colour.RED, price=Decimal("1.5"), day=date(2026, 11, 22),
    at=datetime(2026, 11, 22, 3, 4, 5, 678901, UTC), clock=time(3, 4, 5), ident=UUID(int=5), fixed=frozenset("a"),
    note=None, address=Address(street="s"),
)  # fmt: skip
FULL = PLAIN.replace(
    flag=True, level="high", price=Decimal(-120), ratio=1e-7, sizes=[1, -2], pairs=("a", "b"), words={"x", "y"},
    ages={"b": 2}, note="n", address=Address(street="s", town="t", tags=["x"]),
    other=Address(street="o"), loose=Loose(), homes=[Address(street="h")], looses=[Loose(level=3), Loose()],
    by_name={"k": Address(street="k", town="l")},
)  # fmt: skip


class Unusual(Item):
    pk: Annotated[str, Attribute(prefix="U#")]
    kind: Annotated[Literal["K"], Attribute("sk", prefix="KIND#")] = "K"
    node: Node
    aliased: Aliased
    private: Private
    upper: Upper
    extras: Extras
    names: Names
    span: timedelta = timedelta(0)
    blob: bytes = b""
    anything: Any = None
    needed: Any
    either: int | str | None = None
    number: Level = Level.LOW
    open: Open = Open.KNOWN
    ids: set[int]
    fixed: tuple[int, str] = (1, "x")
    keyed: dict[int, str] = {}
    several: list[str | None] = []
    loud: Annotated[str, AfterValidator(shout)] = "x"
    trimmed: Annotated[str, BeforeValidator(str.strip)] = "x"
    hits: Annotated[int, Counter(initial=3, minimum=0)]
    version: Annotated[int, Version()] = 0
    created: Annotated[datetime | None, CreatedAt()] = None
    expires: Annotated[datetime | None, TimeToLive()] = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def length(self) -> int:
        return len(self.pk)


UNUSUAL = Unusual(
    pk="a", node=Node(name="1", children=[Node(name="2", children=[Node(name="3")])]),
    aliased=unchecked(Aliased)(first=1, second=None), private=Private(name="p"), upper=Upper(name="u"),
    extras=unchecked(Extras)(name="e", more=1), names=Names(["n"]), needed=None, ids=set(), hits=4,
)  # fmt: skip


class Composite(Item):
    shop: Annotated[str, Attribute("pk", prefix="S#")]
    day: Annotated[date, Attribute("pk", prefix="#")]
    kind: Annotated[str, Attribute("sk", prefix="KIND_")] = "INFO"
    artist: Annotated[str | None, Attribute("gpk", prefix="ARTIST_")] = None
    score: int | None = None
    same: Annotated[str, Attribute(names=("one", "two"))] = ""


class Checked(Item):
    pk: Annotated[str, StringConstraints(to_lower=True)]
    sk: Annotated[date, Attribute(prefix="D#")]


class Told(Item):
    pk: str
    sk: Annotated[UUID, Attribute(prefix="U#")]
    mode: str = ""

    @field_validator("mode")
    @classmethod
    def told(cls, value: str, info: ValidationInfo) -> str:
        return value + str(info.mode)[:0]


class Whole(Item):
    pk: str
    sk: str

    @model_validator(mode="after")
    def same(self) -> Whole:
        if self.pk == "no":
            raise ValueError("no")
        return self


class First(Item):
    pk: str
    sk: str

    @model_validator(mode="before")
    @classmethod
    def keep(cls, values: Any) -> Any:
        return values


class Validated(Item):
    model_config = ConfigDict(validate_default=True)
    pk: str
    sk: str
    size: int = 1


class Late(Item):
    model_config = ConfigDict(defer_build=True)
    pk: str
    sk: str
    size: int = 1


class OneLate(Item):
    pk: str
    sk: str
    size: Annotated[int, Field(validate_default=True)] = 1


class Initialised(Item):
    pk: str
    sk: str

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)


class Extended(Item):
    model_config = ConfigDict(extra="allow")
    pk: str
    sk: str


class Hooked(Item):
    pk: str
    sk: str

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        inner = SchemaValidator(handler(source))
        return core_schema.no_info_plain_validator_function(
            lambda values: inner.validate_python(values, by_name=True, by_alias=False)
        )


class Recursive(Item):
    pk: str
    sk: str
    inner: Recursive | None = None


class Shared(Item):
    a: Annotated[str, Attribute(names=("pk", "gpk"))]
    b: Annotated[str, Attribute("gpk", prefix="#")]
    c: Annotated[str, AfterValidator(str)] = ""
    sk: Annotated[str, AfterValidator(str)]


class Counted(Item):
    pk: Annotated[str, Attribute(prefix="C#")]
    sk: Annotated[str, Attribute(prefix="#")]
    bare: list[Any] = []
    plain: dict[str, Any] = {}
    queue: deque[int] = deque()
    ordered: OrderedDict[str, int] = OrderedDict()
    loud: list[Annotated[Loud, AfterValidator(str)]] = []
    maybe: Annotated[int | None, AfterValidator(abs)] = None


class Housed(Item):
    pk: str
    sk: str
    address: Address


class Binary(Item):
    number: Annotated[int, Attribute("pk")]
    blob: Annotated[bytes, Attribute("sk")]


def schema_of(item_type: type[Item], raw: type[RawItem] = Row) -> ItemSchema:
    schema = ItemSchema(declaration_of(item_type, {}), raw_declaration_of(raw, {}))
    hold_constants(schema, {})
    return schema


ITEMS = {
    "plain": PLAIN,
    "full": FULL,
    "unusual": UNUSUAL,
    "composite": Composite(shop="a", day=date(2026, 11, 22)),
    "composite, sparse": Composite(shop="a", day=date(2026, 11, 22), artist="b", score=3, same="x"),
    "checked": Checked(pk="a", sk=date(2026, 11, 22)),
    "told": Told(pk="a", sk=UUID(int=1), mode="m"),
    "whole": Whole(pk="a", sk="b"),
    "first": First(pk="a", sk="b"),
    "validated": Validated(pk="a", sk="b"),
    "late": Late(pk="a", sk="b"),
    "one late": OneLate(pk="a", sk="b"),
    "initialised": Initialised(pk="a", sk="b"),
    "extended": Extended(pk="a", sk="b"),
    "hooked": Hooked.model_validate({"pk": "a", "sk": "b"}),
    "recursive": Recursive(pk="a", sk="b", inner=Recursive(pk="c", sk="d", inner=Recursive(pk="e", sk="f"))),
    "shared": Shared(a="a", b="b", sk="s"),
    "counted": Counted(
        pk="a", sk="b", bare=[1], plain={"a": 1}, queue=deque([1]), ordered=OrderedDict(a=1), loud=["x"]
    ),
    "binary": Binary(number=-5, blob=b"x"),
}
SCHEMAS = {
    item_type: schema_of(item_type, Numbers if item_type is Binary else Row)
    for item_type in {type(item): None for item in ITEMS.values()}
}
HELD: tuple[Any, ...] = (None, True, False, 5, 86400, 1.5, "", "a", "1", "-1", "1.5", "1.0", "1.50", "-0", "0.0", "1E+2", " 1 ", "1_0", "+1",
        "9" * 39, "9" * 200, "NaN", "true", "red", "other", "2026-11-22", "2026-02-30", "1700000000", "P#a", "N#000007",
        "N#7", "N#0000007", "N#-00007", "U#a", "D#20261122", "2026-11-22T03:04:05+01:00", "03:04", "eA", "eA==", b"x",
        "00000000-0000-0000-0000-00000000000A", "\ud800", "P#\ud800", [], {}, ["a"], [1], ["a", "a"], [{"S": "a"}],
        [{"N": "1"}], [{"S": "a", "N": "1"}][:0], {"a": {"S": "b"}}, {"street": {"S": "s"}}, {"street": {"N": "1"}},
        {"name": {"S": "n"}, "children": {"S": "x"}}, [{"M": {}}], [{"L": []}], [{"NULL": True}], [None])  # fmt: skip
FORMS = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")


def places(value: Any) -> Any:
    """Where something is in a row: what holds it, and under which key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from places(inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield value, number
            yield from places(inner)


@pytest.mark.parametrize("name", ITEMS)
def test_an_item_is_read_as_by_the_slow_road(name: str) -> None:
    item = ITEMS[name]
    schema = SCHEMAS[type(item)]
    row = schema.encode(item)
    check(schema, row)
    assert schema.decode_slowly(row) == schema.decode(row)
    check(schema, {**row, "unknown": {"S": "x"}})
    check(schema, {})


@pytest.mark.parametrize("name", ITEMS)
def test_whatever_is_in_a_row(name: str) -> None:
    """Each part of a row is taken away, and replaced by a part of whatever may be there; all of it takes minutes."""
    item = ITEMS[name]
    schema = SCHEMAS[type(item)]
    row = json.loads(json.dumps(schema.encode(item)))
    wires = [*HELD, *({form: held} for held in HELD for form in FORMS)]
    for number, (holder, key) in enumerate(list(places(row))):
        before = holder[key]
        for wire in HELD if key in FORMS else wires[number % 13 :: 13]:
            holder[key] = wire
            check(schema, row)
        holder[key] = before
        if isinstance(holder, dict):
            del holder[key]
            check(schema, row)
            holder[key] = before


# What is otherwise before pydantic 2.13, which cannot read a model inside of another schema anew.
OLD = {"plain": "none", "whole": "none", "unusual": "none", "recursive": "none", "late": "rows", "counted": "rows"}


@pytest.mark.parametrize(
    ("name", "roads"),
    [
        ("plain", "rows and answers"),
        ("unusual", "rows and answers"),
        ("composite", "rows"),
        ("checked", "rows"),
        ("told", "rows"),
        ("whole", "rows"),
        ("first", "none"),
        ("validated", "none"),
        ("late", "rows and answers"),
        ("one late", "none"),
        ("initialised", "none"),
        ("extended", "none"),
        ("hooked", "none"),
        ("recursive", "rows and answers"),
        ("shared", "rows"),
        ("counted", "rows and answers"),
        ("binary", "rows"),
    ],
)
def test_which_roads_a_type_has(name: str, roads: str) -> None:
    item = ITEMS[name]
    reader = SCHEMAS[type(item)].reader
    found = {reader.row is not None, reader.page is not None}
    expected = {"rows and answers": {True}, "rows": {True, False}, "none": {False}}
    assert found == expected[roads if wiring.nests() else OLD.get(name, roads)]
    assert (reader.page is None) == (reader.item is None) == (reader.batch is None)
    row = SCHEMAS[type(item)].encode(item)
    if reader.row is not None:
        assert_same_item(reader.row(row), SCHEMAS[type(item)].decode_slowly(row))  # by itself, not by falling back


def test_answers_are_read_as_a_whole() -> None:
    if not wiring.nests():
        return
    schema = SCHEMAS[Plain]
    row = schema.encode(PLAIN)
    reader = schema.reader
    assert reader.page is not None
    assert reader.item is not None
    assert reader.batch is not None
    last = {"pk": {"S": "P#a"}, "sk": {"S": "N#000007"}}
    text = json.dumps({"Items": [row, row], "Count": 2, "ScannedCount": 2, "LastEvaluatedKey": last}).encode()
    assert reader.page(text) == ReadAnswer(Items=[PLAIN, PLAIN], LastEvaluatedKey=last)
    assert reader.page(b'{"Items": [], "Count": 0}') == {"Items": []}
    assert reader.item(json.dumps({"Item": row}).encode()) == {"Item": PLAIN}
    assert reader.item(b"{}") == {}
    left = {"things": {"Keys": [last]}}
    text = json.dumps({"Responses": {"things": [row]}, "UnprocessedKeys": left}).encode()
    assert reader.batch(text) == {"Responses": {"things": [PLAIN]}, "UnprocessedKeys": left}


def test_a_row_among_others_that_the_fast_road_does_not_read() -> None:
    if not wiring.nests():
        return
    schema = SCHEMAS[Plain]
    row = schema.encode(PLAIN)
    page = schema.reader.page
    assert page is not None
    for other in ({**row, "price": {"N": "1.50"}}, {**row, "price": {"S": "x"}}):
        with pytest.raises(ValueError, match="Items"):
            page(json.dumps({"Items": [row, other]}).encode())


def test_messages_are_those_of_the_slow_road() -> None:
    schema = SCHEMAS[Plain]
    row = schema.encode(PLAIN)
    for wrong, message in {
        "price": "the row pk='P#a', sk='N#000007' is no valid Plain: price (decimal_parsing)",
        "pk": "the row pk='x', sk='N#000007' is no valid Plain: pk is not stored with the prefix 'P#'",
    }.items():
        with pytest.raises(DecodingError) as caught:
            schema.decode({**row, wrong: {"S": "x"}})
        assert str(caught.value) == message


def test_without_models_that_nest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before pydantic 2.13, pydantic-core reads a model inside of another by the validator of its class alone."""
    for module in (wiring, reading):
        monkeypatch.setattr(module, "nests", lambda: False)
    schema = schema_of(Housed)
    row = schema.encode(Housed(pk="a", sk="b", address=Address(street="s")))
    assert schema.reader.row is not None
    assert schema.reader.page is None
    assert_same_item(schema.reader.row(row), schema.decode_slowly(row))
    check(schema, row)
    assert schema_of(Plain).reader == ItemReader()  # it holds addresses in several places, of one definition


def test_a_pydantic_that_cannot_be_told_to_read_models_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    class Validator:
        def __init__(self, schema: Any, **options: Any) -> None:
            if options:
                raise TypeError("unexpected keyword argument '_use_prebuilt'")
            self.schema = schema

        def validate_python(self, value: Any) -> Any:
            return SchemaValidator({"type": "int"}).validate_python(value)

    monkeypatch.setattr(wiring, "SchemaValidator", Validator)
    wiring.nests.cache_clear()
    try:
        assert wiring.nests() is False
    finally:
        wiring.nests.cache_clear()


def test_keys_of_items_are_read_in_the_form_that_is_written() -> None:
    schema = SCHEMAS[Told]
    row = schema.encode(ITEMS["told"])
    assert schema.reader.row is not None
    with pytest.raises(ValueError, match="not stored as its type writes it"):
        schema.reader.row({**row, "sk": {"S": row["sk"]["S"].replace("-", "")}})


def test_what_asks_where_its_input_comes_from_is_read_row_by_row() -> None:
    """Of JSON text the codecs see Python values, and pydantic would take them for what JSON has."""

    class Asking(Item):
        pk: str
        sk: str
        address: IPv4Address | None = None

    reader = schema_of(Asking).reader
    assert reader.row is not None
    assert reader.page is None


def test_a_constant_takes_no_other_value() -> None:
    assert SCHEMAS[Composite].constants == {"kind": "INFO"}
    with pytest.raises(ValueError, match=r"kind\n.* is a constant of the primary key, 'INFO'"):
        Composite(shop="a", day=date(2026, 11, 22), kind="x")


def test_nothing_is_compiled_before_a_row_is_read() -> None:
    """Declaring types is to cost little, of which a program may read few."""
    schema = schema_of(Plain)
    row = schema.encode(PLAIN)
    assert "reader" not in vars(schema)
    schema.decode(row)
    assert "reader" in vars(schema)
