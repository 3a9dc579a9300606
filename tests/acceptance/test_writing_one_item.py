"""Saves, puts, creates, updates, increments and deletes of one item, and what they leave in the row."""

# pyright: reportArgumentType=false, reportOptionalMemberAccess=false

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from logicaldb import (
    ConditionFailed,
    CounterOutOfBounds,
    DecodingError,
    EncodingError,
    Expression,
    IncompleteKey,
    ItemAlreadyExists,
    ItemNotFound,
    VersionConflict,
    attr,
)
from tests.acceptance.shop import DAY, Address, Customer, Mark, Order, Reading, ShopDb, ShopRow, State, order
from tests.modes import Mode

KEY = Order.Key("anna", DAY, "1")
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
FULL = order(
    carrier="post",
    shipped=NOW,
    region="north",
    shelf="7",
    state=State.SENT,
    total=Decimal("12345678901234567890.12345678901234567"),
    address=Address(street='Gasse "1"\n'),
    lines=["", "é", "𝄞"],
    tags={"a", "b"},
    sizes={-1, 10**37},
    notes={"from": [None, True, {"x": b"\xff"}]},
    patience=timedelta(days=-1, microseconds=1),
    visits=3,
)


def row_of(db: ShopDb, sk: str = "ORDER#2026-01-02#1", customer: str = "anna") -> dict[str, Any]:
    row = db.shop.raw.load(ShopRow(pk=f"CUSTOMER#{customer}", sk=sk))
    assert row is not None
    return {**row.model_dump(exclude_none=True)}


def test_what_is_saved_is_read_in_every_way(db: ShopDb) -> None:
    stored = db.save(FULL)
    assert stored == FULL.replace(version=1, created=stored.created, updated=stored.updated)
    assert stored.created == stored.updated is not None
    assert db.load(KEY, consistent_read=True) == stored
    assert db.shop.orders.load(KEY) == stored
    assert db.shop.by_carrier.scan().contents == [stored]
    assert db.shop.by_label.scan().contents == [stored]
    assert db.transaction_load(KEY).get(KEY) == stored
    assert db.batch_load([KEY], consistent_read=True).get(KEY) == stored
    row = row_of(db)
    assert row["label"] == "L#north#7"
    assert row["shipped"] == "2026-11-22T09:30:00.000000Z"
    assert row["total"] == Decimal("12345678901234567890.12345678901234567")
    assert row["patience"] == Decimal("-86399.999999")
    assert row["tags"] == {"a", "b"}
    assert row["notes"] == {"from": [None, True, {"x": b"\xff"}]}
    assert db.delete(stored) == stored
    assert db.load(KEY) is None


def test_a_key_of_numbers_and_bytes(db: ShopDb) -> None:
    reading = Reading(sensor=b"\x00\xff", at=Decimal("-1.50"), value=1e-7)
    assert db.save(reading) == reading
    assert db.load(Reading.Key(b"\x00\xff", Decimal("-1.5"))) == reading
    assert Reading.Key.of(reading) == Reading.Key(b"\x00\xff", Decimal("-1.50"))
    with pytest.raises(IncompleteKey, match=r"^Reading\.Key\(sensor=b'.*at"):
        db.load(Reading.Key(b"x"))


def test_a_save_leaves_what_it_does_not_know(db: ShopDb) -> None:
    stored = db.save(FULL)
    db.shop.raw.put(ShopRow(**{**row_of(db), "unknown": {"deep": [1]}}))
    stored = db.save(stored.replace(carrier=None, tags=set(), address=None, visits=50))
    assert (stored.version, stored.visits) == (2, 3), "the count belongs to the database"
    row = row_of(db)
    assert row["unknown"] == {"deep": [1]}
    assert {"carrier", "tags", "address"}.isdisjoint(row)
    assert db.shop.by_carrier.scan().contents == []
    assert db.load(KEY) == stored
    stored = db.put(stored.replace(visits=50))
    assert (stored.version, stored.visits) == (3, 50)
    assert "unknown" not in row_of(db)


def test_create(db: ShopDb) -> None:
    stored = db.create(order(lines=["a"]))
    assert stored.version == 1
    with pytest.raises(ItemAlreadyExists) as caught:
        db.create(order(lines=["b"]))
    assert caught.value.item == stored
    with pytest.raises(EncodingError, match="version"):
        db.create(order("2", version=1))
    mark = Mark(customer="anna", name="x")
    assert db.create(mark) == mark
    with pytest.raises(ItemAlreadyExists):
        db.create(mark)
    assert db.save(mark) == mark
    assert db.put(mark) == mark
    assert db.delete(mark) == mark
    assert db.delete(mark) is None


WRITES: dict[str, Callable[[ShopDb, Order], Any]] = {
    "save": lambda db, item: db.save(item),
    "put": lambda db, item: db.put(item),
    "delete": lambda db, item: db.delete(item),
    "save under a condition": lambda db, item: db.save(item, attr(Order.state) == State.OPEN),
    "save under a token": lambda db, item: db.save(item, idempotency_token=uuid4().hex),
    "delete under a token": lambda db, item: db.delete(item, idempotency_token=uuid4().hex),
}


@pytest.mark.parametrize("path", WRITES)
def test_a_stale_item_is_a_conflict(db: ShopDb, path: str) -> None:
    stale = db.save(order())
    present = db.save(stale.replace(lines=["newer"]))
    with pytest.raises(VersionConflict) as caught:
        WRITES[path](db, stale)
    assert (caught.value.expected, caught.value.item) == (1, present)
    assert db.load(KEY) == present
    db.delete(present)
    with pytest.raises(VersionConflict) as caught:
        WRITES[path](db, present)
    assert (caught.value.expected, caught.value.item) == (2, None)
    assert db.load(KEY) is None


def test_the_version_is_told_before_the_condition(db: ShopDb) -> None:
    stored = db.save(order())
    never = attr(Order.state) == State.SENT
    with pytest.raises(VersionConflict):
        db.save(order(version=5), never)
    with pytest.raises(ConditionFailed) as caught:
        db.save(stored, never)
    assert type(caught.value) is ConditionFailed
    assert caught.value.item == stored
    with pytest.raises(VersionConflict):
        db.save(order(), Expression("attribute_exists(pk) OR attribute_not_exists(pk)"))
    with pytest.raises(VersionConflict):
        db.update(KEY, attr(Order.total).set(Decimal(1)), if_version=7, condition=never)
    with pytest.raises(ItemNotFound) as missing:
        db.update(Order.Key("anna", DAY, "2"), attr(Order.total).set(Decimal(1)), if_version=1)
    assert missing.value.key == Order.Key("anna", DAY, "2")


def test_an_update_changes_what_it_names(db: ShopDb) -> None:
    stored = db.save(FULL)
    changed = db.update(
        KEY,
        attr(Order.state).set(State.OPEN),
        attr(Order.patience).set(timedelta(hours=2)),
        attr(Order.address.city).set("Biel"),  # type: ignore[union-attr]
        attr(Order.lines).append(["z"]),
        attr(Order.tags).add_to_set({"c"}),
        attr(Order.sizes).delete_from_set({-1}),
        attr(Order.notes)["new.key"].set({"a": [1]}),
        attr(Order.region).set("south"),
        attr(Order.shelf).set("8"),
        attr(Order.carrier).remove(),
        attr(Order.visits).add(2),
        if_version=1,
        condition=(attr(Order.state) == State.SENT) & attr(Order.tags).contains("a"),
    )
    assert changed == stored.replace(
        state=State.OPEN,
        patience=timedelta(hours=2),
        address=Address(street='Gasse "1"\n', city="Biel"),
        lines=["", "é", "𝄞", "z"],
        tags={"a", "b", "c"},
        sizes={10**37},
        notes={**stored.notes, "new.key": {"a": [1]}},
        region="south",
        shelf="8",
        carrier=None,
        visits=5,
        version=2,
        updated=changed.updated,
    )
    assert db.load(KEY) == changed
    assert row_of(db)["label"] == "L#south#8"


REFUSED: dict[str, tuple[Callable[[], list[Any]], type[Exception], str]] = {
    "part of the primary key": (lambda: [attr(Order.number).set("x")], EncodingError, "number"),
    "version": (lambda: [attr(Order.version).set(3)], EncodingError, "version"),
    "version added": (lambda: [attr(Order.version).add(3)], EncodingError, "version"),
    "counter": (lambda: [attr(Order.visits).set(3)], EncodingError, "visits"),
    "created": (lambda: [attr(Order.created).set(NOW)], EncodingError, "created"),
    "twice": (lambda: [attr(Order.lines).set([]), attr(Order.lines).append(["x"])], EncodingError, "lines"),
    "inside": (lambda: [attr(Order.notes).set({}), attr(Order.notes)["a"].set(1)], EncodingError, "notes"),
    "part of an index key": (lambda: [attr(Order.region).set("x")], EncodingError, "shelf"),
    "required": (lambda: [attr(Customer.name).set(None)], TypeError, "Customer"),  # type: ignore[arg-type]
    "wrong value": (lambda: [attr(Order.total).set("abc")], EncodingError, "total"),  # type: ignore[arg-type]
    "naive": (lambda: [attr(Order.shipped).set(datetime(2026, 1, 1))], EncodingError, "time zone"),  # noqa: DTZ001
}


@pytest.mark.parametrize("what", REFUSED)
def test_updates_that_are_refused(db: ShopDb, recorder: Any, what: str) -> None:
    updates, error, text = REFUSED[what]
    with recorder(db) as requests, pytest.raises(error, match=text):
        db.update(KEY, *updates())
    assert requests == []


def test_required_fields_stay(db: ShopDb) -> None:
    key = Customer.Key("anna")
    for update in (attr(Customer.name).set(None), attr(Customer.name).remove()):  # type: ignore[arg-type]
        with pytest.raises(EncodingError, match="name"):
            db.update(key, update)
    with pytest.raises(EncodingError, match=r"name would be missing"):
        db.update(key, attr(Customer.email).set("x"), upsert=True)
    made = db.update(key, attr(Customer.name).set("Anna"), upsert=True)
    assert made == Customer(customer="anna", name="Anna") == db.load(key)
    with pytest.raises(ItemNotFound):
        db.update(Customer.Key("bea"), attr(Customer.name).set("Bea"))


def test_counters(db: ShopDb) -> None:
    db.save(order())
    assert db.increment(KEY, Order.visits) == 1
    assert db.increment(KEY, Order.visits, 99) == 100
    with pytest.raises(CounterOutOfBounds) as caught:
        db.increment(KEY, Order.visits)
    assert isinstance(caught.value.item, Order)
    assert caught.value.item.visits == 100
    with pytest.raises(CounterOutOfBounds):
        db.update(KEY, attr(Order.visits).add(-101))
    item = db.load(KEY)
    assert item is not None
    assert (item.visits, item.version) == (100, 1), "a count is no version"
    with pytest.raises(ValueError, match="visits"):
        order(visits=101)
    with pytest.raises(ItemNotFound):
        db.increment(Order.Key("anna", DAY, "2"), Order.visits)
    assert db.increment(Order.Key("anna", DAY, "2"), Order.visits, 2, upsert=True) == 2
    with pytest.raises(EncodingError, match="name"):
        db.increment(Customer.Key("anna"), Customer.credit, upsert=True)
    db.save(Customer(customer="anna", name="Anna"))
    assert db.increment(Customer.Key("anna"), Customer.credit, Decimal("-9.5")) == Decimal("0.5")
    with pytest.raises(CounterOutOfBounds):
        db.increment(Customer.Key("anna"), Customer.credit, -1)
    token = uuid4().hex
    for _ in range(2):
        assert db.increment(Customer.Key("anna"), Customer.credit, 2, idempotency_token=token) == Decimal("2.5")


def test_a_count_of_a_row_without_one_begins_with_its_initial_value(db: ShopDb) -> None:
    db.shop.raw.put(ShopRow.model_validate({"pk": "CUSTOMER#anna", "sk": "INFO", "name": "Anna"}))
    loaded = db.load(Customer.Key("anna"))
    assert loaded is not None
    assert loaded.credit == 10
    assert db.increment(Customer.Key("anna"), Customer.credit, 5) == 15


def test_errors_after_a_write_and_of_a_failed_one_carry_what_cannot_be_read(db: ShopDb) -> None:
    row = {"pk": "CUSTOMER#anna", "sk": "ORDER#2026-01-02#1", "total": "no number", "version": 3}
    db.shop.raw.put(ShopRow.model_validate(row))
    with pytest.raises(DecodingError, match=r"^the row pk='CUSTOMER#anna', .* is no valid Order: total"):
        db.load(KEY)
    with pytest.raises(VersionConflict) as caught:
        db.save(order(version=2))
    assert caught.value.item is None
    assert isinstance(caught.value.undecodable, DecodingError)
    with pytest.raises(DecodingError, match="the write took effect"):
        db.update(KEY, attr(Order.lines).append(["x"]))
    assert row_of(db)["version"] == 4


def test_times_are_those_of_the_clock(mode: Mode) -> None:
    times = iter([NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=2), NOW + timedelta(hours=3)])
    db = mode.make(ShopDb, clock=lambda: next(times))
    first = db.save(order())
    second = db.save(first.replace(lines=["x"], created=None))
    third = db.update(KEY, attr(Order.lines).append(["y"]))
    fourth = db.put(third)
    hours = [(item.created, item.updated) for item in (first, second, third, fourth)]
    assert hours == [(NOW, NOW + timedelta(hours=hour)) for hour in range(4)]
    assert db.load(KEY) == fourth
