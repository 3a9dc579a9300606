from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict

from logicaldb import Attribute, InlineView, Item, ItemKey, LogicalTable, PartitionKey, RawItem, SortKey
from logicaldb.errors import EncodingError
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.texts import row_text


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    title: Annotated[str | None, PartitionKey(index="titles")] = None
    rank: Annotated[int | None, SortKey(index="titles")] = None
    place: Annotated[bytes | None, PartitionKey(index="places")] = None


class Mood(Enum):
    CALM = "calm"


class Thing(Item):
    owner: Annotated[str, Attribute("pk", prefix="OWNER#")]
    kind: Annotated[str, Attribute("sk", prefix="THING#")] = "thing"
    number: Annotated[int, Attribute("sk", prefix="#", width=4)]
    on: Annotated[date, Attribute("sk", prefix="#")]
    title: str | None = None
    rank: int | None = None
    place: bytes | None = None
    copy_: Annotated[str | None, Attribute("copy", prefix="C#")] = None
    wide: Annotated[int, Attribute("wide", width=40)] = 0
    price: Decimal = Decimal(0)
    labels: dict[str, str] = {}

    class Key(ItemKey["Thing"]):
        owner: str
        number: int
        on: date


class Plain(Item):
    """Of names that are no names of Python, and without anything that is always there."""

    id: Annotated[str, Attribute("pk")]
    other: Annotated[str, Attribute("sk")]
    quoted: Annotated[str | None, Attribute('it\'s a "name"\\{}é')] = None

    class Key(ItemKey["Plain"]):
        id: str
        other: str


class Table(LogicalTable[Row]):
    things: InlineView[Thing.Key, Thing]


class PlainTable(LogicalTable[Row]):
    plain: InlineView[Plain.Key, Plain]


class NumberRow(RawItem):
    n: Annotated[int, PartitionKey()]
    s: Annotated[Decimal, SortKey()]


class Numbered(Item):
    n: int
    s: Decimal
    at: time | None = None

    class Key(ItemKey["Numbered"]):
        n: int
        s: Decimal


class NumberTable(LogicalTable[NumberRow]):
    numbered: InlineView[Numbered.Key, Numbered]


class TextRow(RawItem):
    """String keys of everything that can be one."""

    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    gk: Annotated[str | None, PartitionKey(index="g")] = None


class Texts(Item):
    mood: Annotated[Mood, Attribute("pk")]
    at: Annotated[time, Attribute("sk")]
    first: Annotated[str | None, Attribute("gk", prefix="F#")] = None
    second: Annotated[str | None, Attribute("gk", prefix="#")] = None

    class Key(ItemKey["Texts"]):
        mood: Mood
        at: time


class TextTable(LogicalTable[TextRow]):
    texts: InlineView[Texts.Key, Texts]


def schema_of(table: type[LogicalTable[Any]]) -> ItemSchema:
    return next(iter(table.__logicaldb_table__.schema.items))


THINGS, PLAIN, NUMBERED, TEXTS = schema_of(Table), schema_of(PlainTable), schema_of(NumberTable), schema_of(TextTable)


def thing(**changes: Any) -> Thing:
    values: dict[str, Any] = {"owner": "anna", "number": 7, "on": date(2026, 11, 22), **changes}
    return Thing(**values)


def unchecked(**changes: Any) -> Thing:
    """An item of values that no validator has seen."""
    return thing().model_copy(update=changes)


class Counted:
    """Counts the rows that the codecs write."""

    def __init__(self, schema: ItemSchema, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._encode = schema.encode_all
        monkeypatch.setattr(schema, "encode_all", self)

    def __call__(self, item: BaseModel) -> Mapping[str, Any]:
        self.count += 1
        return self._encode(item)


def check(schema: ItemSchema, item: Item) -> None:
    key, wires, row = schema.text(item)
    expected = schema.encode(item)
    assert json.loads(row) == expected
    assert key == {name: expected[name] for name in schema.raw.keys}
    assert [None if wire is None else json.loads(wire) for wire in wires] == list(schema.encode_all(item).values())


USUAL = [
    (THINGS, thing()),
    (THINGS, thing(title="t", rank=1, place=b"x", copy_="c", price=Decimal("1.10"), labels={"a": "é"})),
    (THINGS, thing(title="x" * 512, wide=5)),
    (THINGS, thing(owner="x" * 2042, title="é" * 512)),
    (PLAIN, Plain(id="a", other="b", quoted="q")),
    (PLAIN, Plain(id='"\\', other="\x00")),
    (NUMBERED, Numbered(n=-5, s=Decimal("1.50"))),
    (TEXTS, Texts(mood=Mood.CALM, at=time(1, 2, 3))),
    (TEXTS, Texts(mood=Mood.CALM, at=time(1, 2, 3), first="a", second="b")),
]


@pytest.mark.parametrize(("schema", "item"), USUAL)
def test_the_usual_is_written_as_the_codecs_write_it_and_without_them(
    monkeypatch: pytest.MonkeyPatch, schema: ItemSchema, item: Item
) -> None:
    check(schema, item)
    counted = Counted(schema, monkeypatch)
    schema.text(item)
    assert counted.count == 0


def refusal(schema: ItemSchema, item: Any) -> str:
    with pytest.raises((EncodingError, TypeError)) as slow:
        schema.encode(item)
    with pytest.raises(type(slow.value)) as fast:
        schema.text(item)
    assert str(fast.value) == str(slow.value)
    return str(fast.value)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (unchecked(owner=1), "Thing.owner: is an int, not a str"),
        (unchecked(owner="\ud800"), "Thing.owner: is not valid UTF-8 text"),
        (unchecked(price=Decimal("NaN")), "Thing.price: is not a number (NaN)"),
        (unchecked(labels={"a\udfff": "x"}), "Thing.labels: has a key that is not valid UTF-8 text"),
        (unchecked(labels={"": "x"}), "Thing.labels: has a key that is empty, which DynamoDB does not take"),
        (unchecked(labels={"a": "\ud800"}), "Thing.labels['a']: is not valid UTF-8 text"),
        (unchecked(number=10_000), "Thing.number: is wider than 4 digits"),
        (unchecked(number=-1), "Thing.number: is negative, and a number in a string key is not"),
        (unchecked(number=True), "Thing.number: is a bool, not an int"),
        (unchecked(kind="other"), "Thing.kind: is not the constant of the type"),
        (unchecked(title=""), "Thing.title: is an empty string, and the key attribute title cannot be"),
        (unchecked(owner="é" * 1022), "Thing.owner: makes the key attribute pk 2050 bytes long; the limit is 2048"),
        (unchecked(owner="x" * 2043), "Thing.owner: makes the key attribute pk 2049 bytes long; the limit is 2048"),
        (unchecked(place=b""), "Thing.place: is an empty binary, and the key attribute place cannot be"),
        (unchecked(rank="1"), "Thing.rank: is a str, not an int"),
        (Plain(id="a", other="b"), "Plain is not Thing, the type that is written here"),
    ],
)
def test_what_the_codecs_refuse_is_refused_in_their_words(item: Any, message: str) -> None:
    assert refusal(THINGS, item) == message


def test_a_part_that_runs_into_its_separator() -> None:
    item = Texts(mood=Mood.CALM, at=time(1), first="a#b", second="c")
    assert refusal(TEXTS, item) == "Texts.first: runs into the separator '#' that follows it"
    half = Texts(mood=Mood.CALM, at=time(1), first="a")
    message = "Texts.second: is None, but first of the same composite key gk is not"
    assert refusal(TEXTS, half) == message


class Loose(Item):
    model_config = ConfigDict(extra="allow")
    id: Annotated[str, Attribute("pk")]
    other: Annotated[str, Attribute("sk")]

    class Key(ItemKey["Loose"]):
        id: str
        other: str


class LooseTable(LogicalTable[Row]):
    loose: InlineView[Loose.Key, Loose]


def test_fields_that_are_not_declared() -> None:
    schema = schema_of(LooseTable)
    check(schema, Loose(id="a", other="b"))
    assert refusal(schema, Loose(id="a", other="b", more=1)) == (  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        "Loose.more: is not declared, so it would not be stored; declare the field"
    )


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "changes",
    [
        {"owner": Name("anna")},
        {"title": "é" * 300, "rank": 1},  # so long that its bytes have to be counted
        {"price": 3},
        {"labels": {"x" * 16_384: "y"}},
    ],
)
def test_the_codecs_write_what_is_unusual(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]) -> None:
    item = unchecked(**changes)
    check(THINGS, item)
    counted = Counted(THINGS, monkeypatch)
    THINGS.text(item)
    assert counted.count == (0 if "title" in changes else 1)


def test_the_codecs_write_what_cannot_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise SyntaxError

    schema = ItemSchema(PLAIN.declaration, PLAIN.raw)
    monkeypatch.setattr("logicaldb.schema.items.compile_row", broken)
    check(schema, Plain(id="a", other="b"))


def test_nothing_is_compiled_before_it_is_needed() -> None:
    schema = ItemSchema(PLAIN.declaration, PLAIN.raw)
    assert "writer" not in vars(schema)
    schema.text(Plain(id="a", other="b"))
    assert schema.writer is schema.writer


def test_the_source_can_be_read() -> None:
    source = re.sub(r"_\d+", "", inspect.getsource(PLAIN.writer))
    assert source.startswith("def write(values):\n    \"Write the row of 'Plain'.\"\n    id = values['id']\n")


def test_a_row_of_wire_values() -> None:
    wires: dict[str, Any] = {"pk": {"S": "a"}, "sk": {"N": "1"}, "title": None}
    assert row_text(wires, ("pk", "sk")) == (
        {"pk": {"S": "a"}, "sk": {"N": "1"}},
        ('{"S":"a"}', '{"N":"1"}', None),
        '{"pk":{"S":"a"},"sk":{"N":"1"}}',
    )
