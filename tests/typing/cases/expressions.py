"""Conditions and updates: each field's values have its type, and what is no condition is none to the checkers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, assert_type

from pydantic import BaseModel

from logicaldb import (
    AtLeast,
    AtMost,
    Attr,
    Attribute,
    BeginsWith,
    Between,
    Condition,
    Counter,
    EqualTo,
    Expression,
    GreaterThan,
    Item,
    ItemKey,
    KeyCondition,
    LessThan,
    Update,
    attr,
)


class Color(Enum):
    RED = "red"


class Address(BaseModel):
    city: str
    lines: list[str] = []


class Thing(Item):
    token: Annotated[str, Attribute("partition_key")]
    count: Annotated[int, Counter()] = 0
    title: str
    note: str | None = None
    size: int
    weight: float
    price: Decimal
    discount: Decimal | None = None
    data: bytes
    good: bool
    day: date
    length: timedelta
    color: Color
    kind: Literal["a", "b"] = "a"
    lines: list[str] = []
    points: list[int] | None = None
    order: Sequence[int] = ()
    pair: tuple[int, ...] = ()
    tags: set[str] = set()
    marks: frozenset[int] | None = None
    sizes: dict[str, int] = {}
    address: Address
    places: list[Address] = []

    class Key(ItemKey["Thing"]):
        token: str


def attributes() -> None:
    assert_type(attr(Thing.title), Attr[str])
    assert_type(attr(Thing.note), Attr[str | None])
    assert_type(attr(Thing.address.city), Attr[str])
    assert_type(attr(Thing.lines)[0], Attr[str])
    assert_type(attr(Thing.points)[0], Attr[int])
    assert_type(attr(Thing.pair)[0], Attr[int])
    assert_type(attr(Thing.sizes)["x"], Attr[int])
    assert_type(attr(Thing.places)[0], Attr[Address])
    assert_type(attr(Thing.places[0].city), Attr[str])
    attr(Thing.lines)["x"]  # error
    attr(Thing.sizes)[0]  # error
    attr(Thing.title)[0]  # error
    attr(Thing.nothing)  # error: attr-defined
    attr(Thing.address.nothing)  # error: attr-defined


def equality() -> None:
    assert_type(attr(Thing.title) == "x", Condition)
    assert_type(attr(Thing.title) != "x", Condition)
    assert_type(attr(Thing.note) == None, Condition)  # noqa: E711
    assert_type(attr(Thing.note) != "x", Condition)
    assert_type(attr(Thing.good) == True, Condition)  # noqa: E712
    assert_type(attr(Thing.color) == Color.RED, Condition)
    assert_type(attr(Thing.address) == Address(city="Bern"), Condition)
    assert_type(attr(Thing.tags) == {"x"}, Condition)
    assert_type(attr(Thing.weight) == 1, Condition)
    assert_type(attr(Thing.size) == "x", bool)  # no condition: nothing that takes one accepts it
    assert_type(attr(Thing.title) != 1, bool)
    assert_type(attr(Thing.note) == 1, bool)
    needs_a_condition(attr(Thing.size) == "x")  # error: arg-type
    needs_a_condition(attr(Thing.title) != 1)  # error: arg-type
    needs_a_condition(Thing.size == 1)  # error: arg-type
    needs_a_condition(not attr(Thing.size) == 1)  # error: arg-type


def order() -> None:
    assert_type(attr(Thing.size) < 1, Condition)
    assert_type(attr(Thing.day) >= date(2026, 1, 2), Condition)
    assert_type(attr(Thing.length) > timedelta(minutes=1), Condition)
    assert_type(attr(Thing.discount) <= Decimal(1), Condition)
    assert_type(attr(Thing.size).between(1, 2), Condition)
    assert_type(attr(Thing.note).is_in(["x", None]), Condition)
    attr(Thing.size) < "x"  # error: operator
    attr(Thing.day) >= "2026-01-02"  # error: operator
    attr(Thing.size).between(1, "x")  # error: arg-type
    attr(Thing.size).is_in(1)  # error: arg-type
    attr(Thing.size).is_in(["x"])  # error: list-item


def functions() -> None:
    assert_type(attr(Thing.title).begins_with("x"), Condition)
    assert_type(attr(Thing.note).begins_with("x"), Condition)
    assert_type(attr(Thing.data).begins_with(b"x"), Condition)
    assert_type(attr(Thing.title).contains("x"), Condition)
    assert_type(attr(Thing.note).contains("x"), Condition)
    assert_type(attr(Thing.data).contains(b"x"), Condition)
    assert_type(attr(Thing.lines).contains("x"), Condition)
    assert_type(attr(Thing.points).contains(1), Condition)
    assert_type(attr(Thing.order).contains(1), Condition)
    assert_type(attr(Thing.pair).contains(1), Condition)
    assert_type(attr(Thing.tags).contains("x"), Condition)
    assert_type(attr(Thing.marks).contains(1), Condition)
    assert_type(attr(Thing.title).exists(), Condition)
    assert_type(attr(Thing.title).not_exists(), Condition)
    assert_type(attr(Thing.title).is_type("S"), Condition)
    assert_type(attr(Thing.tags).size() > 2, Condition)
    assert_type(attr(Thing.tags).size() == 2, Condition)
    attr(Thing.title).begins_with(b"x")  # error
    attr(Thing.data).begins_with("x")  # error
    attr(Thing.size).begins_with("1")  # error
    attr(Thing.title).contains(1)  # error
    attr(Thing.size).contains(1)  # error
    attr(Thing.lines).contains(1)  # error
    attr(Thing.points).contains("x")  # error
    attr(Thing.tags).contains(1)  # error
    attr(Thing.marks).contains("x")  # error
    attr(Thing.title).is_type("X")  # error: arg-type
    attr(Thing.tags).size() > "2"  # error: operator
    attr(Thing.title).size().exists()  # error: attr-defined


def joining(condition: Condition, other: Condition) -> None:
    assert_type(condition & other, Condition)
    assert_type(condition | other, Condition)
    assert_type(~condition, Condition)
    assert_type(condition & Expression("a = :a", values={":a": 1}), Condition)
    condition & True  # error: operator
    condition | "x"  # error: operator


def updates(values: Iterable[str]) -> None:
    assert_type(attr(Thing.title).set("x"), Update)
    assert_type(attr(Thing.note).set(None), Update)
    assert_type(attr(Thing.title).set_if_not_exists("x"), Update)
    assert_type(attr(Thing.title).remove(), Update)
    assert_type(attr(Thing.lines).append(values), Update)
    assert_type(attr(Thing.points).append([1]), Update)
    assert_type(attr(Thing.lines).prepend(["x"]), Update)
    assert_type(attr(Thing.places).append([Address(city="Bern")]), Update)
    assert_type(attr(Thing.count).add(1), Update)
    assert_type(attr(Thing.size).add(-1), Update)
    assert_type(attr(Thing.weight).add(1.5), Update)
    assert_type(attr(Thing.weight).add(1), Update)
    assert_type(attr(Thing.price).add(Decimal("1.5")), Update)
    assert_type(attr(Thing.discount).add(1), Update)
    assert_type(attr(Thing.tags).add_to_set(values), Update)
    assert_type(attr(Thing.marks).add_to_set([1]), Update)
    assert_type(attr(Thing.tags).delete_from_set({"x"}), Update)
    assert_type(attr(Thing.marks).delete_from_set({1}), Update)
    attr(Thing.size).set("x")  # error: arg-type
    attr(Thing.title).set(None)  # error: arg-type
    attr(Thing.title).set_if_not_exists(1)  # error: arg-type
    attr(Thing.lines).append([1])  # error
    attr(Thing.lines).append(1)  # error
    attr(Thing.points).append(["x"])  # error
    attr(Thing.title).append(["x"])  # error
    attr(Thing.tags).append(["x"])  # error
    attr(Thing.size).add(1.5)  # error
    attr(Thing.size).add("x")  # error
    attr(Thing.title).add(1)  # error
    attr(Thing.good).add(1)  # error
    attr(Thing.price).add(1.5)  # error
    attr(Thing.tags).add_to_set([1])  # error
    attr(Thing.marks).add_to_set(["x"])  # error
    attr(Thing.lines).add_to_set(["x"])  # error
    attr(Thing.marks).delete_from_set(["x"])  # error


def key_conditions(key: Thing.Key) -> None:
    conditions: list[KeyCondition[Thing.Key]] = [
        BeginsWith(key),
        EqualTo(key),
        LessThan(key),
        AtMost(key),
        GreaterThan(key),
        AtLeast(key),
        Between(key, key),
    ]
    assert_type(Between(key, key).start, Thing.Key)
    assert_type(conditions[0], KeyCondition[Thing.Key])
    BeginsWith("x")  # error: type-var
    Between(key)  # error: call-arg


def needs_a_condition(condition: Condition) -> None: ...
