"""Key conditions, pages, offsets, cursors, counts, scans, indexes and collections."""

# pyright: reportArgumentType=false

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from logicaldb import (
    AtLeast,
    AtMost,
    BeginsWith,
    Between,
    EncodingError,
    EqualTo,
    GreaterThan,
    IncompleteKey,
    InvalidCursor,
    KeyCondition,
    LessThan,
    Offset,
    WorkerId,
    attr,
)
from tests.acceptance.shop import Customer, Mark, Order, Reading, ShopDb, ShopRow, State, order

NUMBERS = ["", "!", "1", "10", "11", "2", "A", "a", "é", "𝄞"]
"""In the order of their bytes in UTF-8."""
DAYS = [date(2025, 12, 31), date(2026, 1, 2), date(2026, 1, 20)]
Key = Order.Key
D = DAYS[1]


@pytest.fixture
def orders(db: ShopDb) -> ShopDb:
    """Orders on three days, and what is about them."""
    db.save(Customer(customer="anna", name="Anna"))
    db.save(Customer(customer="ann", name="Ann"))
    for name in ("", "x", "y"):
        db.save(Mark(customer="anna", name=name))
    for day in DAYS:
        for number in NUMBERS if day == D else ("1",):
            at = datetime(2026, 1, 1, 0, int(number), tzinfo=UTC) if number.isdigit() else None
            label = {"region": "r", "shelf": number} if number else {}
            db.save(order(number, day=day, carrier="post", shipped=at, **label))
    db.save(order("1", customer="ann"))
    for sk in ("ORDER", "ORDER!", "ORDER$", "ORDER", "A", "Z", "ORDEr#2026-01-02#1"):
        db.shop.raw.put(ShopRow(pk="CUSTOMER#anna", sk=sk, carrier="post", shipped="x", label="L#r#1"))
    return db


CONDITIONS: list[tuple[KeyCondition[Any], list[str]]] = [
    (BeginsWith(Key("anna", D)), NUMBERS),
    (BeginsWith(Key("anna", D, "1")), ["1", "10", "11"]),
    (BeginsWith(Key("anna", D, "é")), ["é"]),
    (EqualTo(Key("anna", D, "1")), ["1"]),
    (EqualTo(Key("anna", D, "")), [""]),
    (Between(Key("anna", D, "1"), Key("anna", D, "2")), ["1", "10", "11", "2"]),
    (Between(Key("anna", D, "2"), Key("anna", D)), ["2", "A", "a", "é", "𝄞"]),
    (Between(Key("anna", D), Key("anna", D, "!")), ["", "!"]),
    (Between(Key("anna", D), Key("anna", D)), NUMBERS),
    (Between(Key("anna", D, "2"), Key("anna", D, "1")), []),
    (LessThan(Key("anna", D, "10")), ["1", "", "!", "1"]),
    (AtMost(Key("anna", D, "")), ["1", ""]),
    (LessThan(Key("anna", D, "")), ["1"]),
    (LessThan(Key("anna", D)), ["1"]),
    (GreaterThan(Key("anna", D, "a")), ["é", "𝄞", "1"]),
    (AtLeast(Key("anna", D, "a")), ["a", "é", "𝄞", "1"]),
    (GreaterThan(Key("anna", D)), ["1"]),
    (AtLeast(Key("anna", DAYS[2])), ["1"]),
    (LessThan(Key("anna", DAYS[0], "")), []),
    (BeginsWith(Key("anna")), ["1", *NUMBERS, "1"]),
    (BeginsWith(Key("bea")), []),
]


@pytest.mark.parametrize("page_size", [2, 100])
def test_ranges_of_orders(orders: ShopDb, page_size: int) -> None:
    view = orders.shop.orders
    for condition, numbers in CONDITIONS:
        for asc in (True, False):
            found = [item.number for item in view.query_all_contents(condition, asc=asc, page_size=page_size)]
            assert found == (numbers if asc else numbers[::-1]), condition
        assert view.count(condition) == len(numbers), condition
        assert len(list(view.query_all_contents(condition, limit=2))) == min(2, len(numbers)), condition


def test_a_prefix_ends_with_its_separator(orders: ShopDb, recorder: Any) -> None:
    with recorder(orders) as requests:
        orders.shop.orders.query(BeginsWith(Key("anna", D)))
        orders.shop.marks.query(BeginsWith(Mark.Key("anna")))
        orders.shop.orders.query(Between(Key("anna", D, "2"), Key("anna", D, "1")))
        orders.shop.by_carrier.query(BeginsWith(Order.CarrierOffset("post")))
    sent = [sorted(json.dumps(value) for value in body["ExpressionAttributeValues"].values()) for _, body in requests]
    if sent:  # what goes past the client is recorded elsewhere
        assert len(sent) == 3, "nothing is asked for an empty range"
        assert sent[0] == ['{"S": "CUSTOMER#anna"}', '{"S": "ORDER#2026-01-02#"}']
        assert sent[1] == ['{"S": "CUSTOMER#anna"}', '{"S": "MARK#"}']


def test_other_types_are_left_out(orders: ShopDb) -> None:
    shop = orders.shop
    assert [mark.name for mark in shop.marks.query_all_contents(BeginsWith(Mark.Key("anna")))] == ["", "x", "y"]
    assert [mark.name for mark in shop.marks.query_all_contents(GreaterThan(Mark.Key("anna", "x")))] == ["y"]
    assert [mark.name for mark in shop.marks.query_all_contents(EqualTo(Mark.Key("anna", "")))] == [""]
    assert sorted(item.customer for item in shop.customers.scan_all_contents(page_size=2)) == ["ann", "anna"]
    assert len(list(shop.orders.scan_all_contents(page_size=3))) == 13
    assert len(list(shop.by_carrier.scan_all_contents())) == 6
    assert len(list(shop.by_label.scan_all_contents())) == 11
    everything = list(shop.everything.query_all_contents(Customer.Key("anna"), page_size=2))
    assert [type(item) for item in everything] == [Customer] + [Order] * 12
    descending = list(shop.everything.query_all_contents(Customer.Key("anna"), asc=False))
    assert descending == everything[::-1]
    assert shop.everything.query(Customer.Key("ann")).contents[0] == Customer(customer="ann", name="Ann")


def test_scans_in_parallel(orders: ShopDb) -> None:
    view = orders.shop.orders
    every = sorted((item.day, item.number, item.customer) for item in view.scan_all_contents())
    assert sorted((item.day, item.number, item.customer) for item in view.parallel_scan(3)) == every
    parts = [item for segment in range(3) for item in view.scan(worker_id=WorkerId(segment, 3)).contents]
    assert sorted((item.day, item.number, item.customer) for item in parts) == every
    assert len(list(view.scan_all_contents(limit=4))) == 4
    open_in_r = attr(Order.region).exists() & (attr(Order.state) == State.OPEN)
    assert len(view.scan(filter_expression=open_in_r).contents) == 11


def test_indexes(orders: ShopDb) -> None:
    shop, at = orders.shop, datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    by = Order.CarrierOffset
    found = [item.number for item in shop.by_carrier.query_all_contents(BeginsWith(by("post")), page_size=2)]
    assert sorted(found) == ["1", "1", "1", "10", "11", "2"]
    assert [item.number for item in shop.by_carrier.query(EqualTo(by("post", at))).contents] == ["10"]
    assert [item.number for item in shop.by_carrier.query(GreaterThan(by("post", at))).contents] == ["11"]
    assert [item.number for item in shop.by_carrier.query(AtMost(by("post", at)), asc=False).contents][:2] == [
        "10",
        "2",
    ]
    assert shop.by_carrier.count(AtLeast(by("post", at))) == 2
    assert shop.by_carrier.count(BeginsWith(by("nobody"))) == 0
    label = Order.LabelOffset
    assert shop.by_label.count(BeginsWith(label("anna", "r", "1"))) == 5
    assert shop.by_label.count(EqualTo(label("anna", "r", "1"))) == 3
    assert shop.by_label.count(BeginsWith(label("anna", "r"))) == 11
    assert shop.by_label.count(BeginsWith(label("anna"))) == 11
    assert shop.by_label.query(EqualTo(label("anna", "r", "é")), consistent_read=True).contents[0].number == "é"


def test_what_is_refused_before_it_is_sent(orders: ShopDb, recorder: Any) -> None:
    shop = orders.shop
    with recorder(orders) as requests:
        with pytest.raises(EncodingError, match="by_carrier"):
            shop.by_carrier.query(BeginsWith(Order.CarrierOffset("post")), consistent_read=True)
        with pytest.raises(EncodingError, match="by_carrier"):
            shop.by_carrier.scan(consistent_read=True)
        with pytest.raises(EncodingError, match="carrier"):
            shop.by_carrier.query(BeginsWith(Order.CarrierOffset("post")), filter_expression=attr(Order.carrier) == "x")
        with pytest.raises(EncodingError, match="number"):
            shop.orders.query(BeginsWith(Key("anna")), filter_expression=attr(Order.number) == "x")
        with pytest.raises(IncompleteKey):
            shop.orders.query(EqualTo(Key("anna", D)))
        with pytest.raises(IncompleteKey):
            shop.orders.query(BeginsWith(Key("anna")), initial_offset=Offset(Key("anna", D)))
        with pytest.raises(TypeError):
            shop.orders.query(BeginsWith(Mark.Key("anna")))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="page_size"):
            shop.orders.query(BeginsWith(Key("anna")), page_size=0)
        lazy = [shop.orders.query_all(BeginsWith(Key("anna"))), shop.orders.query_all_contents(BeginsWith(Key("anna")))]
        lazy += [shop.orders.scan_all(), shop.orders.scan_all_contents(), shop.orders.parallel_scan(2)]
    assert requests == []


def test_pages_and_offsets(orders: ShopDb) -> None:
    view, condition = orders.shop.orders, BeginsWith(Key("anna", D))
    page = view.query(condition, page_size=3)
    assert [item.number for item in page.contents] == NUMBERS[:3]
    assert page.has_more_pages
    assert page.offset is not None
    assert page.offset.key == Key("anna", D, "1")
    assert page.offset == Offset(Key("anna", D, "1"))
    by_hand = view.query(condition, page_size=3, initial_offset=Offset(Key("anna", D, "1")))
    assert by_hand == view.query(condition, page_size=3, initial_offset=page.offset)
    assert [item.number for item in by_hand.contents] == NUMBERS[3:6]
    token = view.to_token(page.offset, condition, secret="s")
    assert view.from_token(token, condition, secret="s") == page.offset
    for other, options in [
        (BeginsWith(Key("anna")), {"secret": "s"}),
        (condition, {"secret": "t"}),
        (condition, {"secret": "s", "asc": False}),
        (condition, {"secret": "s", "filter_expression": attr(Order.state) == State.OPEN}),
    ]:
        with pytest.raises(InvalidCursor):
            view.from_token(token, other, **options)  # type: ignore[arg-type]
    for text in ("", "x", token[:-2], token + "A", "é"):
        with pytest.raises(InvalidCursor):
            view.from_token(text, condition, secret="s")
    last = view.query(condition)
    assert (last.has_more_pages, last.offset) == (False, None)


def test_numbers_sort_as_numbers(db: ShopDb) -> None:
    numbers = [Decimal(text) for text in ("-1E+10", "-2.5", "-1", "0", "1E-100", "0.5", "9", "10", "1E+100")]
    for number in numbers:
        db.save(Reading(sensor=b"s", at=number))
    view, key = db.sensors.readings, Reading.Key
    assert [reading.at for reading in view.query_all_contents(BeginsWith(key(b"s")), page_size=2)] == numbers
    assert [reading.at for reading in view.query(LessThan(key(b"s", Decimal(0)))).contents] == numbers[:3]
    assert [reading.at for reading in view.query(AtLeast(key(b"s", Decimal(10)))).contents] == numbers[-2:]
    assert view.count(Between(key(b"s", Decimal(-1)), key(b"s", Decimal(9)))) == 5
    assert view.count(Between(key(b"s"), key(b"s", Decimal(9)))) == 7
    assert view.count(EqualTo(key(b"s", Decimal("0.50")))) == 1
