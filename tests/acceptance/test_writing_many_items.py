"""Transactions, batches and the writing pager."""

# pyright: reportArgumentType=false

from __future__ import annotations

import pickle
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import uuid4

import pytest

from logicaldb import (
    Attribute,
    BatchWriteSet,
    ConditionFailed,
    CounterOutOfBounds,
    DuplicateItem,
    IncompleteKey,
    InlineView,
    Item,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    LimitExceeded,
    LogicalDb,
    LogicalTable,
    PagerStalled,
    TableName,
    TransactionCanceled,
    TransactionWriteSet,
    Version,
    VersionConflict,
    WritingPagerHandler,
    attr,
)
from tests.acceptance.shop import DAY, Customer, Mark, Order, Reading, ShopDb, ShopRow, State, order
from tests.modes import Mode

ANNA = Customer.Key("anna")
SECRET = "hush-hush"


def key(number: str = "1") -> Order.Key:
    return Order.Key("anna", DAY, number)


def marks(count: int) -> list[Mark]:
    return [Mark(customer="anna", name=f"{number:03}") for number in range(count)]


def mark_keys(count: int) -> list[Mark.Key]:
    return [Mark.Key.of(mark) for mark in marks(count)]


def names(db: ShopDb) -> list[str]:
    return sorted(mark.name for mark in db.shop.marks.scan_all_contents())


def test_a_transaction_writes_all_kinds_and_two_tables(db: ShopDb) -> None:
    old, gone = db.save(order("1")), db.save(order("2"))
    db.save(Customer(customer="anna", name="Anna"))
    db.save(Mark(customer="anna", name="m"))
    reading = Reading(sensor=b"s", at=Decimal("1.5"))
    writes = (
        TransactionWriteSet()
        .save(old.replace(lines=["x"]))
        .delete(gone)
        .create(order("3"))
        .put(reading)
        .update(ANNA, attr(Customer.email).set("a@b"), attr(Customer.credit).add(-3))
        .delete_key(Mark.Key("anna", "m"))
        .save(Mark(customer="anna", name="n"))
        .check_condition(key("4"), attr(Order.state).not_exists())
    )
    assert writes.size == len(writes.operations) == 8
    written = db.transaction_write(writes)
    assert written.get(key("1")) is None, "its count is known to the database alone"
    assert written.get(Reading.Key(b"s", Decimal("1.5"))) == reading
    assert [item.number for item in written.get_items(Order)] == ["3"]
    assert {ANNA, key("1")} <= set(written.missing)
    first = db.load(key("1"), consistent_read=True)
    assert first is not None
    assert (first.version, first.lines) == (2, ["x"])
    assert db.load(key("2")) is None
    anna = db.load(ANNA)
    assert anna == Customer(customer="anna", name="Anna", email="a@b", credit=Decimal(7))
    assert names(db) == ["n"]


def test_each_failure_is_that_of_the_operation_alone(db: ShopDb) -> None:
    stale = db.save(order("1", notes={"private": SECRET}))
    present = db.save(stale.replace(lines=["newer"]))
    taken = db.save(order("2"))
    anna = db.save(Customer(customer="anna", name=SECRET))
    writes = (
        TransactionWriteSet()
        .save(stale)
        .put(Mark(customer="anna", name="fine"))
        .create(order("2"))
        .update(ANNA, attr(Customer.credit).add(-11))
        .update(Customer.Key("bea"), attr(Customer.name).set("Bea"))
        .delete(order("3", version=4))
        .check_condition(Order.Key("ann", DAY, "1"), attr(Order.state) == State.OPEN)
    )
    with pytest.raises(TransactionCanceled) as caught:
        db.transaction_write(writes)
    failures = caught.value.failures
    assert [failure.index for failure in failures] == [0, 2, 3, 4, 5, 6]
    assert [failure.operation for failure in failures] == [writes.operations[index] for index in (0, 2, 3, 4, 5, 6)]
    assert {failure.code for failure in failures} == {"ConditionalCheckFailed"}
    errors: list[Any] = [failure.error for failure in failures]
    kinds = [VersionConflict, ItemAlreadyExists, CounterOutOfBounds, ItemNotFound, VersionConflict, ConditionFailed]
    assert [type(error) for error in errors] == kinds
    assert [error.item for error in errors] == [present, taken, anna, None, None, None]
    assert (errors[0].expected, errors[4].expected) == (1, 4)
    assert errors[3].key == Customer.Key("bea")
    assert SECRET not in str(caught.value)
    assert "number='1'" in str(caught.value)
    assert caught.value.__cause__ is not None
    assert names(db) == []
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert [type(failure.error) for failure in again.failures] == kinds


def test_a_block(db: ShopDb) -> None:
    with pytest.raises(KeyError), db.transaction() as tx:  # noqa: PT012 - the block is what is tested
        tx.save(order())
        raise KeyError
    assert db.load(key()) is None
    with db.transaction() as tx:
        tx.save(order())
        tx.save(Mark(customer="anna", name="x"))
    assert db.load(key()) is not None
    with db.transaction():
        pass
    assert list(db.transaction_write(TransactionWriteSet())) == []
    assert list(db.transaction_load()) == []
    assert list(db.batch_load([])) == []
    assert not list(db.shop.customers.scan_all_contents())


def test_the_same_set_takes_effect_once(local_db: Any) -> None:
    db: ShopDb = local_db(ShopDb)
    writes = TransactionWriteSet().save(order()).idempotency_token(uuid4().hex)
    plain = TransactionWriteSet().save(order("2"))
    for _ in range(2):
        db.transaction_write(writes)
        db.transaction_write(plain)
    assert [item.version for item in db.transaction_load(key(), key("2")).get_items(Order)] == [1, 1]


def test_what_transactions_refuse(db: ShopDb, recorder: Any) -> None:
    big = [order(str(number), notes={"x": "y" * 390_000}) for number in range(11)]
    with recorder(db) as requests:
        for many in (marks(101), big):
            writes = TransactionWriteSet()
            for item in many:
                writes.save(item)
            with pytest.raises(LimitExceeded):
                db.transaction_write(writes)
        twice = TransactionWriteSet().save(order()).check_condition(key(), attr(Order.state).exists())
        with pytest.raises(DuplicateItem, match=r"save.*check_condition"):
            db.transaction_write(twice)
        with pytest.raises(LimitExceeded):
            db.transaction_load(mark_keys(101))
        with pytest.raises(IncompleteKey):
            db.transaction_load(Mark.Key("anna"))
        with pytest.raises(DuplicateItem):
            db.batch_write(BatchWriteSet().clobber(order()).delete(key()))
        with pytest.raises(TypeError, match=r"write attr\(\.\.\.\)"):
            db.transaction_write(TransactionWriteSet().save(order(), True))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="token"):
            db.transaction_write(TransactionWriteSet().save(order()).idempotency_token("x" * 37))
    assert requests == []


def test_loads_keep_the_order_of_their_keys(db: ShopDb) -> None:
    every = marks(100)
    db.batch_write(BatchWriteSet().clobber(*every[::2]))
    keys = mark_keys(100)[::-1]
    found = db.transaction_load(keys)
    assert list(found) == every[::2][::-1]
    assert list(found.missing) == keys[::2]
    assert len(found) == 50
    assert db.transaction_load(keys[1], keys[1]).get(keys[1]) == every[98]
    assert found.get(keys[0]) is None


def test_batches_of_any_size(db: ShopDb) -> None:
    every = marks(230)
    versioned, reading = order(visits=5), Reading(sensor=b"s", at=Decimal(1), value=0.1)
    db.batch_write(BatchWriteSet().clobber(*every, versioned).clobber(reading))
    keys: list[Any] = [*mark_keys(230), *mark_keys(230), key(), Reading.Key(b"s", Decimal(1)), Mark.Key("bea", "x")]
    found = db.batch_load(*keys, consistent_read=True)
    assert list(found) == [*every, found.get(key()), reading]
    stored = found.get(key())
    assert stored is not None
    assert (stored.version, stored.visits) == (1, 5), "a row that was clobbered has a version"
    assert list(found.missing) == [Mark.Key("bea", "x")]
    assert db.batch_load(iter(keys[:3]), max_page_size=2).get_items(Mark) == every[:3]
    db.batch_write(BatchWriteSet().delete(*mark_keys(229), key()), max_page_size=10)
    assert names(db) == ["229"]


class Collect(WritingPagerHandler[str]):
    """Puts a mark for each name, and the names of a page into the notes of an order."""

    def __init__(self, db: ShopDb, at_most: int = 100) -> None:
        self.db, self.at_most, self.pages = db, at_most, list[int]()

    def before_page(self, remaining_updates: Sequence[str], max_transaction_items: int) -> int:
        self.order = self.db.load(key(), consistent_read=True) or order()
        return min(len(remaining_updates), max_transaction_items - 1, self.at_most)

    def item(self, writes: TransactionWriteSet, update: str) -> None:
        writes.create(Mark(customer="anna", name=update))

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[str]) -> None:
        writes.save(self.order.replace(lines=[*self.order.lines, *applied]))

    def page_written(self, writes: TransactionWriteSet) -> None:
        self.pages.append(writes.size)


def test_a_pager(db: ShopDb) -> None:
    updates = [f"{number:02}" for number in range(30)]
    handler = Collect(db)
    pager = db.transaction_writing_pager(updates, handler, max_transaction_items=11)
    pager.execute()
    assert (pager.updated_count, list(pager.remaining_updates), handler.pages) == (30, [], [11, 11, 11])
    stored = db.load(key())
    assert stored is not None
    assert (stored.lines, stored.version) == (updates, 3)
    assert names(db) == updates
    pager.execute()
    assert pager.updated_count == 30


def test_a_pager_goes_on_after_a_failure(db: ShopDb) -> None:
    db.save(Mark(customer="anna", name="07"))
    updates = [f"{number:02}" for number in range(10)]
    pager = db.transaction_writing_pager(updates, Collect(db, at_most=3), max_transaction_items=25)
    with pytest.raises(TransactionCanceled):
        pager.execute()
    assert (pager.updated_count, list(pager.remaining_updates)) == (6, updates[6:])
    db.delete_key(Mark.Key("anna", "07"))
    pager.execute()
    assert pager.updated_count == 10
    stored = db.load(key())
    assert stored is not None
    assert stored.lines == updates
    with pytest.raises(PagerStalled, match=r"^updates\[0\]: ") as stalled:
        db.transaction_writing_pager(["x"], Collect(db, at_most=0)).execute()
    assert stalled.value.update == "x"


class Progress(Item):
    """How far a run came."""

    customer: Annotated[str, Attribute("pk", prefix="PROGRESS#")]
    kind: Annotated[Literal[""], Attribute("sk", prefix="P")] = ""
    applied: int = 0
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Progress"]):
        """The key of a run."""

        customer: str


class ProgressTable(LogicalTable[ShopRow]):
    """The runs, and what they make."""

    progress: InlineView[Progress.Key, Progress]
    marks: InlineView[Mark.Key, Mark]


class ProgressDb(LogicalDb):
    """A db with runs."""

    shop: Annotated[ProgressTable, TableName("shop")]


class Marks(WritingPagerHandler[str]):
    """Makes marks."""

    def item(self, writes: TransactionWriteSet, update: str) -> None:
        writes.create(Mark(customer="anna", name=update))


def test_a_pager_that_remembers_how_far_it_came(mode: Mode) -> None:
    db = mode.make(ProgressDb)
    updates = [f"{number:02}" for number in range(7)]
    blocked = db.save(Mark(customer="anna", name="05"))
    with pytest.raises(TransactionCanceled):
        db.transaction_writing_pager(
            updates, Marks(), max_transaction_items=3, progress=Progress(customer="run")
        ).execute()
    stored = db.load(Progress.Key("run"))
    assert stored is not None
    assert (stored.applied, stored.version) == (4, 2)
    db.delete(blocked)
    for _ in range(2):
        pager = db.transaction_writing_pager(
            iter(updates), Marks(), max_transaction_items=3, progress=Progress(customer="run")
        )
        pager.execute()
        stored = db.load(Progress.Key("run"))
        assert stored is not None
        assert stored.applied == 7
    assert sorted(mark.name for mark in db.shop.marks.scan_all_contents()) == updates
