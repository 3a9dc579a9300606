"""Conditions and filters: what they say of an item, as Python would say it, and what they refuse."""

# pyright: reportOptionalMemberAccess=false, reportGeneralTypeIssues=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from logicaldb import Condition, EncodingError, Expression, attr
from tests.acceptance.shop import Address, Customer, Order, ShopDb, State, order

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
HOSTILE = "x') OR (attribute_exists(pk)"
ITEM = order(
    carrier="post",
    shipped=NOW,
    region="north",
    shelf="7",
    state=State.SENT,
    total=Decimal("1.5"),
    address=Address(street=HOSTILE),
    lines=["a", "bc", "d"],
    tags={"a", "b"},
    sizes={1, 2},
    notes={"a.b": 1, "from": ["x", {"size": 5}], HOSTILE: True, "#n": ":v", "none": None},
    patience=timedelta(hours=1),
)
total, lines, notes = attr(Order.total), attr(Order.lines), attr(Order.notes)

TRUE: dict[str, Callable[[], Condition]] = {
    "equal": lambda: total == Decimal("1.50"),
    "unequal": lambda: total != Decimal(2),
    "less": lambda: total < Decimal(10),
    "at most": lambda: total <= Decimal("1.5"),
    "greater": lambda: attr(Order.patience) > timedelta(minutes=59),
    "at least": lambda: attr(Order.shipped) >= NOW - timedelta(microseconds=1),
    "between": lambda: total.between(Decimal(1), Decimal(2)),
    "in": lambda: attr(Order.state).is_in([State.OPEN, State.SENT]),
    "in many": lambda: total.is_in([Decimal(number) for number in range(2, 101)] + [Decimal("1.5")]),
    "begins": lambda: attr(Order.carrier).begins_with("po"),
    "begins with nothing": lambda: attr(Order.carrier).begins_with(""),
    "contains text": lambda: attr(Order.carrier).contains("os"),
    "contains an element": lambda: lines.contains("bc"),
    "contains of a set": lambda: attr(Order.tags).contains("b"),
    "contains of a set of numbers": lambda: attr(Order.sizes).contains(2),
    "exists": attr(Order.address).exists,
    "not exists": notes["zzz"].not_exists,
    "type": lambda: total.is_type("N") & attr(Order.tags).is_type("SS") & lines.is_type("L"),
    "size": lambda: lines.size() == 3,
    "sizes": lambda: (attr(Order.tags).size() >= 2) & (attr(Order.carrier).size() < 5) & (lines[1].size() == 2),
    "none": lambda: ~(attr(Order.carrier) == None),  # noqa: E711
    "not none": lambda: attr(Order.carrier) != None,  # noqa: E711
    "inside a model": lambda: attr(Order.address.city) == "Bern",  # type: ignore[union-attr]
    "inside a list": lambda: lines[0] == "a",
    "inside a dict": lambda: notes["a.b"] == 1,
    "deep inside": lambda: notes["from"][1]["size"] == 5,
    "reserved word": lambda: notes["from"][0] == "x",
    "hostile name": lambda: notes[HOSTILE] == True,  # noqa: E712
    "hostile value": lambda: attr(Order.address.street) == HOSTILE,  # type: ignore[union-attr]
    "placeholders as names": lambda: notes["#n"] == ":v",
    "whole model": lambda: attr(Order.address) == Address(street=HOSTILE),
    "whole list": lambda: lines == ["a", "bc", "d"],
    "whole set": lambda: attr(Order.sizes) == {2, 1},
    "or": lambda: (total == Decimal(7)) | (attr(Order.state) == State.SENT),
    "not or": lambda: ~((total == Decimal(7)) | (attr(Order.state) == State.OPEN)),
    "and or": lambda: (total == Decimal("1.5")) & ((total == Decimal(7)) | (attr(Order.state) == State.SENT)),
    "raw": lambda: Expression("#total > :one", values={":one": 1}, names={"#total": "total"}),
    "raw or": lambda: (
        Expression("attribute_not_exists(pk) OR #t = :t", names={"#t": "total"}, values={":t": Decimal("1.5")})
        & (total > Decimal(1))
    ),
    "raw not": lambda: (
        ~Expression("attribute_not_exists(pk) OR #t = :t", names={"#t": "total"}, values={":t": Decimal(2)})
    ),
}


@pytest.fixture
def stored(db: ShopDb) -> Order:
    return db.save(ITEM)


def test_conditions_hold_as_filters_and_as_conditions(db: ShopDb, stored: Order) -> None:
    wrong = []
    for name, make in TRUE.items():
        for condition, holds in ((make(), True), (~make(), False)):
            filtered = db.shop.orders.scan(filter_expression=condition).contents
            if filtered != ([stored] if holds else []):
                wrong.append((name, holds, "filter"))
    for make in TRUE.values():
        stored = db.save(stored, make())
    assert wrong == []
    assert stored.version == 1 + len(TRUE)


REFUSED: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    "path of another type": (
        lambda view: view.scan(filter_expression=attr(Customer.email).exists()),
        TypeError,
        "Cust",
    ),
    "bool": (lambda view: view.scan(filter_expression=Order.total == 3), TypeError, r"write attr\(\.\.\.\)"),
    "order of an enum": (
        lambda view: view.scan(filter_expression=attr(Order.state) < State.OPEN),
        EncodingError,
        "state",
    ),
    "order of a model": (
        lambda view: view.scan(filter_expression=attr(Order.address) > Address(street="x")),
        EncodingError,
        "address",
    ),
    "wrong value": (lambda view: view.scan(filter_expression=attr(Order.total) == "abc"), EncodingError, "total"),
    "none of them": (lambda view: view.scan(filter_expression=attr(Order.total).is_in([])), ValueError, "is_in"),
    "too many": (
        lambda view: view.scan(filter_expression=attr(Order.total).is_in([Decimal(1)] * 101)),
        ValueError,
        "100",
    ),
    "unknown placeholder": (lambda view: view.scan(filter_expression=Expression("a = :v")), ValueError, ":v"),
    "unused placeholder": (
        lambda view: view.scan(filter_expression=Expression("a = :v", values={":v": 1, ":w": 2})),
        ValueError,
        ":w",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused(db: ShopDb, recorder: Any, what: str) -> None:
    use, error, text = REFUSED[what]
    with recorder(db) as requests, pytest.raises(error, match=text):
        use(db.shop.orders)
    assert requests == []


def test_a_condition_is_no_bool() -> None:
    for use in (
        lambda: bool(total == Decimal(1)),
        lambda: (total == Decimal(1)) and (total == Decimal(2)),
        lambda: not total.exists(),
    ):
        with pytest.raises(TypeError, match="&"):
            use()
    with pytest.raises(AttributeError):
        attr(Order.no_such_field)  # type: ignore[attr-defined]
