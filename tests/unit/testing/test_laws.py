"""The laws hold for declared tables, and each is seen to fail where it is broken on purpose."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

import pytest
from pydantic import PlainSerializer

from examples.music.models import MusicTable
from logicaldb import (
    Attribute,
    IndexKey,
    InlineView,
    Item,
    ItemKey,
    LogicalTable,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
)
from logicaldb.codec.keys import TextKey
from logicaldb.codec.scalars import BytesCodec, IntCodec
from logicaldb.codec.values import WireValue
from logicaldb.errors import DecodingError
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.keys import KeySchema, bind_key
from logicaldb.schema.tables import TableSchema
from logicaldb.testing.laws import check_item, check_keys, check_table
from tests.unit.operations import models

Lower = Annotated[str, PlainSerializer(str.lower, return_type=str)]


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    name: Annotated[str | None, PartitionKey(index="by_name")] = None


class Lossy(Item):
    pk: str
    sk: Annotated[Lower, Attribute(prefix="LOSSY_")]

    class Key(ItemKey["Lossy"]):
        pk: str
        sk: str | None = None


class LossyTable(LogicalTable[Row]):
    lossy: InlineView[Lossy.Key, Lossy]


class Host(Item):
    pk: str
    address: Annotated[IPv4Address, Attribute("sk", prefix="HOST_")]

    class Key(ItemKey["Host"]):
        pk: str
        address: IPv4Address | None = None


class HostTable(LogicalTable[Row]):
    hosts: InlineView[Host.Key, Host]


class Cat(Item):
    pk: str
    sk: Annotated[str, Attribute(prefix="PET_")]
    lives: int

    class Key(ItemKey["Cat"]):
        pk: str
        sk: str | None = None


class Dog(Item):
    pk: str
    sk: Annotated[str, Attribute(prefix="PET_")]
    tricks: int

    class Key(ItemKey["Dog"]):
        pk: str
        sk: str | None = None


class PetTable(LogicalTable[Row]):
    cats: InlineView[Cat.Key, Cat]
    dogs: InlineView[Dog.Key, Dog]


class Plain(Item):
    pk: str
    kind: Annotated[Literal["a", "b"], Attribute("sk", prefix="PLAIN_")]
    name: str | None = None

    class Key(ItemKey["Plain"]):
        pk: str
        kind: Literal["a", "b"]

    class NameKey(IndexKey["Plain"], index="by_name"):
        name: str


class PlainTable(LogicalTable[Row]):
    plain: InlineView[Plain.Key, Plain]
    by_name: SecondaryIndex[Plain.NameKey, Plain]


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Path(Item):
    pk: str
    folder: Annotated[str, Attribute("sk", prefix="PATH_")]
    file: Annotated[str, Attribute("sk", prefix="#")]

    class Key(ItemKey["Path"]):
        pk: str
        folder: str
        file: str


class Shade(Item):
    pk: str
    color: Annotated[Color, Attribute("sk", prefix="SHADE_")]

    class Key(ItemKey["Shade"]):
        pk: str
        color: Color


class PathTable(LogicalTable[Row]):
    paths: InlineView[Path.Key, Path]
    shades: InlineView[Shade.Key, Shade]


class NumberRow(RawItem):
    pk: Annotated[int, PartitionKey()]
    name: Annotated[str | None, PartitionKey(index="by_name")] = None


class Number(Item):
    pk: int
    name: str | None = None

    class Key(ItemKey["Number"]):
        pk: int

    class NameKey(IndexKey["Number"], index="by_name"):
        name: str


class NumberTable(LogicalTable[NumberRow]):
    numbers: InlineView[Number.Key, Number]
    by_name: SecondaryIndex[Number.NameKey, Number]


@pytest.mark.parametrize(
    "table",
    [
        PathTable,
        NumberTable,
        MusicTable,
        models.ShopTable,
        models.PlainTable,
        models.NumberTable,
        models.BinaryTable,
        models.LoneTable,
        models.ThingTable,
        models.TallyTable,
        PlainTable,
    ],
)
def test_the_laws_hold(table: Any) -> None:
    check_table(table, max_examples=15)


@pytest.mark.parametrize("table", [LogicalTable, Plain, "PlainTable"])
def test_only_tables_have_laws(table: Any) -> None:
    with pytest.raises(TypeError) as refused:
        check_table(table)
    assert str(refused.value) == f"a class derived from LogicalTable is due, not {table!r}"


def table_of(table: Any) -> TableSchema:
    schema: TableSchema = table.__logicaldb_table__.schema
    return schema


def item_law(table: Any, item: Item) -> None:
    """Check the laws of one item."""
    own = table_of(table).of_type(type(item))
    check_item(table_of(table), own, [bind_key(key, own) for key in own.declaration.keys.values()], item)


def key_law(table: Any, one: Any, other: Any) -> None:
    """Check the laws of two keys."""
    own = table_of(table).of_type(type(one).__logicaldb_item__)
    check_keys(table_of(table), bind_key(own.declaration.keys[type(one)], own), (one, other))


def refused(check: Any, *arguments: Any) -> str:
    """The message of a law that is broken."""
    with pytest.raises(AssertionError) as broken:
        check(*arguments)
    return str(broken.value)


def test_fields_come_back() -> None:
    assert refused(item_law, LossyTable, Lossy(pk="p", sk="A")) == (
        "LossyTable: Lossy.sk does not come back: 'A' is stored as {'sk': {'S': 'LOSSY_a'}}, which is read as 'a'"
    )
    assert re.match(r"LossyTable: ", refused(check_table, LossyTable))


def test_different_keys_are_stored_apart() -> None:
    assert refused(key_law, LossyTable, Lossy.Key("p", "A"), Lossy.Key("p", "a")) == (
        "LossyTable: Lossy.Key(pk='p', sk='A') and Lossy.Key(pk='p', sk='a') are both stored as "
        "{'pk': {'S': 'p'}, 'sk': {'S': 'LOSSY_a'}}"
    )


def test_stored_keys_are_in_order() -> None:
    one, other = Host.Key("p", IPv4Address("10.0.0.1")), Host.Key("p", IPv4Address("9.0.0.1"))
    expected = (
        "HostTable: Host.Key.address is not stored in the order of its values: IPv4Address('9.0.0.1') is before "
        "IPv4Address('10.0.0.1'), but 'HOST_9.0.0.1' is not before 'HOST_10.0.0.1'"
    )
    assert refused(key_law, HostTable, one, other) == expected
    assert refused(key_law, HostTable, other, one) == expected
    assert refused(check_table, HostTable).startswith("HostTable: Host.Key.address is not stored in the order")


def test_no_key_matches_another_type() -> None:
    assert refused(item_law, PetTable, Cat(pk="p", sk="tom", lives=9)) == (
        "PetTable: a key of Dog with pk='p' matches the row of Cat(pk='p', sk='tom', lives=9): sk begins with 'PET_', "
        "and is 'PET_tom'"
    )
    assert refused(check_table, PetTable).startswith("PetTable: a key of Dog with pk=")


@pytest.mark.parametrize(("number", "readers"), [(0, "none of its types"), (2, "Customer and Order and Step")])
def test_rows_have_one_type(monkeypatch: pytest.MonkeyPatch, number: int, readers: str) -> None:
    marks = {2: ()}
    kept = TableSchema.marks

    def broken(self: TableSchema, item: ItemSchema, index: Any = None) -> Any:
        return marks.get(number, (*kept(table_of(PetTable), table_of(PetTable).items[0]),))

    monkeypatch.setattr(TableSchema, "marks", broken)
    customer = models.Customer(customer="c", name="n")
    assert refused(item_law, models.ShopTable, customer) == (
        "ShopTable: the row of Customer(customer='c', sk='', name='n', owner=None, label=None) is read as " + readers
    )


def test_rows_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: ItemSchema, row: Mapping[str, WireValue]) -> Any:
        raise DecodingError("no", key={})

    monkeypatch.setattr(ItemSchema, "decode", broken)
    assert refused(item_law, PlainTable, Plain(pk="p", kind="a")) == (
        "PlainTable: Plain(pk='p', kind='a', name=None) does not come back: no"
    )


def test_keys_name_the_rows_of_their_items(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = TextKey.partial
    monkeypatch.setattr(TextKey, "partial", lambda self, values: kept(self, {**values, "pk": "q"}))
    assert refused(item_law, PlainTable, Plain(pk="p", kind="a")) == (
        "PlainTable: Plain.Key(pk='p', kind='a') is stored as pk {'S': 'q'}, and its item as {'S': 'p'}"
    )


@pytest.mark.parametrize(("read", "shown"), [(None, "no key"), (Plain.Key("q", "b"), "Plain.Key(pk='q', kind='b')")])
def test_keys_come_back(monkeypatch: pytest.MonkeyPatch, read: Any, shown: str) -> None:
    monkeypatch.setattr(KeySchema, "from_row", lambda self, row: read)
    assert refused(item_law, PlainTable, Plain(pk="p", kind="a")) == (
        f"PlainTable: Plain.Key(pk='p', kind='a') does not come back: its row is that of {shown}"
    )


def test_numbers_and_binaries_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BytesCodec, "encode", lambda self, value: {"B": "AA==" if value == b"b" else "AQ=="})
    key = models.Binary.Key
    assert refused(key_law, models.BinaryTable, key(b"p", b"a"), key(b"p", b"b")) == (
        "BinaryTable: Binary.Key.sk is not stored in the order of its values: b'a' is before b'b', "
        "but 'AQ==' is not before 'AA=='"
    )


def test_padded_numbers_are_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logicaldb.codec.keys.PaddedNumber.text", lambda self, value: str(value))
    assert refused(key_law, models.ShopTable, models.Step.Key("c", 9), models.Step.Key("c", 10)) == (
        "ShopTable: Step.Key.number is not stored in the order of its values: 9 is before 10, "
        "but 'STEP_9' is not before 'STEP_10'"
    )
    assert IntCodec().encode(1) == {"N": "1"}


@pytest.mark.parametrize(
    ("table", "one", "other"),
    [
        (models.ShopTable, models.Customer.Key("a"), models.Customer.Key("b")),  # no field decides
        (models.ShopTable, models.Customer.LabelKey("a"), models.Customer.LabelKey("b")),  # without a sort key
        (NumberTable, Number.NameKey("a"), Number.NameKey("b")),
        (PathTable, Path.Key("p", "a", "x"), Path.Key("p", "a!", "x")),  # the separator sorts before "!"
        (PathTable, Path.Key("p", "a!", "x"), Path.Key("p", "a", "x")),
        (PathTable, Shade.Key("p", Color.RED), Shade.Key("p", Color.BLUE)),  # enums have no order
        (PathTable, Shade.Key("p", Color.BLUE), Shade.Key("p", Color.RED)),
    ],
)
def test_keys_without_an_order(table: Any, one: Any, other: Any) -> None:
    key_law(table, one, other)
