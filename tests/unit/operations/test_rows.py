"""Where the rows of a db are, by the types of items and keys."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, Any

import pytest

from logicaldb import (
    Attribute,
    DuplicateItem,
    IncompleteKey,
    InlineView,
    Item,
    ItemKey,
    LogicalTable,
    PartitionKey,
    RawItem,
    TransactionWriteSet,
    attr,
)
from logicaldb.operations.rows import Rows, check_distinct
from logicaldb.sets import Operation
from tests.unit.operations.driving import NOW, NoTransport, make_table
from tests.unit.operations.models import Bare, Customer, Gadget, ShopTable, Step, ThingTable


class NumberRow(RawItem):
    pk: Annotated[Decimal, PartitionKey()]


class Number(Item):
    """Numbers that are equal may be written in several ways."""

    number: Annotated[Decimal, Attribute("pk")]
    text: str = ""

    class Key(ItemKey["Number"]):
        number: Decimal


class NumberTable(LogicalTable[NumberRow]):
    numbers: InlineView[Number.Key, Number]


def rows_of(*tables: tuple[str, Any]) -> Rows:
    rows = Rows("ShopDb")
    for place, table in tables:
        for item_type, name, view in table.item_views():
            rows.add(item_type, f"{place}.{name}", view._writer)
    return rows


SHOP = make_table(ShopTable)
THINGS: Any = ThingTable("others", NoTransport(), lambda: NOW, 1)
ROWS = rows_of(("db.shop", SHOP), ("db.things", THINGS))
TWICE = rows_of(("db.shop", SHOP), ("db.archive", ShopTable("archive", NoTransport(), lambda: NOW, 1)))


def test_the_view_of_a_type() -> None:
    assert ROWS.view_of(Step) == "db.shop.steps"
    assert ROWS.view_of_key(Gadget.Key("1")) == "db.things.gadgets"


def test_the_table_of_a_key() -> None:
    assert (ROWS.table_of(Step.Key("C", 3)), ROWS.table_of(Gadget.Key("1"))) == ("things", "others")


def test_a_view_that_is_added_twice_is_one() -> None:
    rows = rows_of(("db.shop", SHOP), ("db.shop", SHOP))
    assert rows.view_of(Step) == "db.shop.steps"


@pytest.mark.parametrize(
    "find",
    [
        lambda rows: rows.view_of(Step),
        lambda rows: rows.view_of_key(Step.Key("C", 3)),
        lambda rows: rows.table_of(Step.Key("C", 3)),
        lambda rows: rows.place(Step.Key("C", 3)),
        lambda rows: rows.places([Step.Key("C", 3)]),
        lambda rows: rows.prepare(Operation("save", Step.Key("C", 3), Step(customer="C", number=3, title="x"))),
        lambda rows: rows.prepare(Operation("delete_key", Step.Key("C", 3))),
    ],
)
def test_a_type_that_is_not_there_or_twice(find: Callable[[Rows], Any]) -> None:
    with pytest.raises(TypeError) as several:
        find(TWICE)
    assert str(several.value) == "ShopDb has several views of Step; use one of them: db.shop.steps, db.archive.steps"
    with pytest.raises(TypeError) as none:
        find(rows_of(("db.things", THINGS)))
    assert str(none.value) == "ShopDb has no view of Step"


def test_a_key_is_no_item_type() -> None:
    with pytest.raises(TypeError) as error:
        ROWS.view_of(Step.Key)
    assert str(error.value) == "an item is due, and Step.Key is a key; load and delete_key take keys"


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ("key", "str"),
        (None, "NoneType"),
        (7, "int"),
        (Step(customer="C", number=3, title="x"), "Step"),
        (Step, "the class Step"),
    ],
)
def test_what_is_no_key(wrong: Any, name: str) -> None:
    for find in (ROWS.view_of_key, ROWS.place):
        with pytest.raises(TypeError) as error:
            find(wrong)
        assert str(error.value) == f"a key is due, such as AlbumTrack.Key(...), not {name}"


def test_a_key_that_belongs_to_nothing() -> None:
    class Loose(ItemKey["Step"]):
        """Not nested in its item type."""

        number: int

    with pytest.raises(TypeError) as error:
        ROWS.place(Loose(1))
    assert str(error.value) == "a key is due, such as AlbumTrack.Key(...), not Loose"


def test_a_place() -> None:
    place = ROWS.place(Step.Key("C", 3))
    assert (place.key, place.table) == (Step.Key("C", 3), "things")
    assert place.row == {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0003"}}
    assert place.decode(None) is None
    assert place.decode({**place.row, "title": {"S": "x"}}) == Step(customer="C", number=3, title="x")
    assert place.identity == ROWS.place(Step.Key("C", 3)).identity
    others = [ROWS.place(Step.Key("C", 4)), ROWS.place(Customer.Key("C")), ROWS.place(Gadget.Key("C"))]
    assert place.identity not in [other.identity for other in others]


def test_a_place_needs_a_whole_key() -> None:
    with pytest.raises(IncompleteKey) as error:
        ROWS.place(Step.Key("C"))
    assert str(error.value) == "Step.Key(customer='C', number=None) lacks number; a whole key is needed here"


def test_places_are_distinct_and_in_order() -> None:
    keys: list[ItemKey[Any]] = [Step.Key("C", 3), Gadget.Key("1"), Step.Key("C", 3), Customer.Key("C"), Gadget.Key("1")]
    assert [place.key for place in ROWS.places(iter(keys))] == [Step.Key("C", 3), Gadget.Key("1"), Customer.Key("C")]
    assert ROWS.places([]) == []


def test_two_keys_of_different_types_are_one_row() -> None:
    class TwinRow(RawItem):
        pk: Annotated[str, PartitionKey()]

    class Left(Item):
        pk: str
        left: str

        class Key(ItemKey["Left"]):
            pk: str

    class Right(Item):
        pk: str
        right: str

        class Key(ItemKey["Right"]):
            pk: str

    class TwinTable(LogicalTable[TwinRow]):
        lefts: InlineView[Left.Key, Left]
        rights: InlineView[Right.Key, Right]

    rows = rows_of(("db.twins", make_table(TwinTable)))
    with pytest.raises(DuplicateItem) as error:
        rows.places([Left.Key("a"), Right.Key("b"), Right.Key("a")])
    assert str(error.value) == "Left.Key(pk='a') and Right.Key(pk='a') are keys of one row"
    writes = TransactionWriteSet().save(Left(pk="a", left="x"))
    writes.check_condition(Right.Key("b"), attr(Right.right).exists()).delete_key(Right.Key("a"))
    with pytest.raises(DuplicateItem) as duplicate:
        check_distinct([rows.prepare(operation) for operation in writes.operations])
    assert str(duplicate.value) == "save of Left.Key(pk='a') and delete_key of Right.Key(pk='a') are about one row"


def test_one_key_in_two_tables_is_two_rows() -> None:
    class LeftRow(RawItem):
        pk: Annotated[str, PartitionKey()]

    class Left(Item):
        pk: str

        class Key(ItemKey["Left"]):
            pk: str

    class Right(Item):
        pk: str

        class Key(ItemKey["Right"]):
            pk: str

    class LeftTable(LogicalTable[LeftRow]):
        lefts: InlineView[Left.Key, Left]

    class RightTable(LogicalTable[LeftRow]):
        rights: InlineView[Right.Key, Right]

    right: Any = RightTable("another", NoTransport(), lambda: NOW, 1)
    rows = rows_of(("db.left", make_table(LeftTable)), ("db.right", right))
    keys: list[ItemKey[Any]] = [Left.Key("a"), Right.Key("a")]
    assert [place.key for place in rows.places(keys)] == keys
    check_distinct([rows.prepare(Operation("delete_key", key)) for key in keys])


@pytest.mark.parametrize(("one", "other"), [("1", "1.0"), ("100", "1E+2"), ("-0", "0")])
def test_equal_numbers_are_one_row(one: str, other: str) -> None:
    rows = rows_of(("db.numbers", make_table(NumberTable)))
    places = rows.places([Number.Key(Decimal(one)), Number.Key(Decimal(other))])
    assert len(places) == 1
    writes = TransactionWriteSet().save(Number(number=Decimal(one), text="x")).delete_key(Number.Key(Decimal(other)))
    with pytest.raises(DuplicateItem):
        check_distinct([rows.prepare(operation) for operation in writes.operations])


def test_different_rows_are_distinct() -> None:
    writes = TransactionWriteSet().save(Bare(pk="1")).save(Bare(pk="2")).delete_key(Gadget.Key("1"))
    check_distinct([ROWS.prepare(operation) for operation in writes.operations])
    check_distinct([])


def test_an_operation_gets_the_key_of_its_view() -> None:
    class Doubled(Item):
        pk: str
        value: int = 0

        class Key(ItemKey["Doubled"]):
            pk: str

        class OtherKey(ItemKey["Doubled"]):
            pk: str

    class DoubledTable(LogicalTable[NumberlessRow]):
        doubled: InlineView[Doubled.OtherKey, Doubled]

    rows = rows_of(("db.doubled", make_table(DoubledTable)))
    (operation,) = TransactionWriteSet().save(Doubled(pk="a")).operations
    assert operation.key == Doubled.Key("a")
    assert rows.prepare(operation).operation.key == Doubled.OtherKey("a")


class NumberlessRow(RawItem):
    pk: Annotated[str, PartitionKey()]
