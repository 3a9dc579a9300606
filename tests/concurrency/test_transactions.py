"""Transactions of many at once: all or nothing, and snapshots that are never torn (T1, T8, V1, V4)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from threading import Event
from typing import Any, TypeAlias

from logicaldb import (
    CounterOutOfBounds,
    ItemSet,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    attr,
)
from tests.concurrency.conftest import WORKERS, Place
from tests.concurrency.work import outcome, together
from tests.models import Note, Shelf, Tally

Recorder: TypeAlias = Callable[[Any], AbstractContextManager[list[tuple[str, Any]]]]

TRANSFERS = 25


def test_snapshots_are_never_torn(place: Place) -> None:
    """T8: half of the workers move amounts between items, and the others always see the same sum."""
    db = place.db
    keys = [Tally.Key(f"{place.name}-{number}") for number in range(4)]
    for key in keys:
        db.create(Tally(name=key.name, hits=1000))
    writers = WORKERS // 2
    done = [Event() for _ in range(writers)]

    def move(number: int) -> list[tuple[int, ...]]:
        try:
            for turn in range(TRANSFERS):
                giver, taker = keys[(number + turn) % 4], keys[(number + 2 * turn + 1) % 4]
                if giver == taker:
                    taker = keys[(number + turn + 1) % 4]
                amount = number * TRANSFERS + turn + 1
                with db.transaction() as tx:
                    tx.update(giver, attr(Tally.hits).add(-amount))
                    tx.update(taker, attr(Tally.hits).add(amount))
        finally:
            done[number].set()
        return []

    def watch() -> list[tuple[int, ...]]:
        seen: list[tuple[int, ...]] = []
        while not all(event.is_set() for event in done):
            seen.append(tuple(tally.hits for tally in db.transaction_load(keys).get_items(Tally)))
        return seen

    seen = [one for worker in together(WORKERS, lambda n: move(n) if n < writers else watch()) for one in worker]
    assert {sum(hits) for hits in seen} == {4000}
    assert {len(hits) for hits in seen} == {4}
    assert len(set(seen)) > 10  # they did look while amounts were moved
    expected = [1000] * 4
    for number in range(writers):
        for turn in range(TRANSFERS):
            giver, taker = (number + turn) % 4, (number + 2 * turn + 1) % 4
            if giver == taker:
                taker = (number + turn + 1) % 4
            expected[giver] -= number * TRANSFERS + turn + 1
            expected[taker] += number * TRANSFERS + turn + 1
    assert [tally.hits for tally in db.transaction_load(keys).get_items(Tally)] == expected


def test_what_would_leave_the_bounds_moves_nothing_at_all(place: Place) -> None:
    """T1: a transaction that fails in one of its items changes none of them."""
    db = place.db
    keys = [Shelf.Key(f"{place.name}-{number}") for number in range(3)]
    for key in keys:
        db.create(Shelf(name=key.name, stock=6))

    def move(number: int) -> list[tuple[int, int, int]]:
        moved: list[tuple[int, int, int]] = []
        for turn in range(TRANSFERS):
            giver, taker, amount = (number + turn) % 3, (number + 2 * turn + 1) % 3, 1 + (number + turn) % 4
            if giver == taker:
                continue
            writes = TransactionWriteSet().update(keys[giver], attr(Shelf.stock).add(-amount))
            writes.update(keys[taker], attr(Shelf.stock).add(amount))
            found = outcome(lambda writes=writes: db.transaction_write(writes))  # type: ignore[misc]
            if isinstance(found, ItemSet):
                moved.append((giver, taker, amount))
            else:
                assert isinstance(found, TransactionCanceled), found
                for failure in found.failures:
                    assert isinstance(failure.error, CounterOutOfBounds)
                    assert failure.operation.key == keys[(giver, taker)[failure.index]]
                    change = (-amount, amount)[failure.index]
                    assert not 0 <= failure.error.item.stock + change <= 12
        return moved

    moved = [one for worker in together(WORKERS, move) for one in worker]
    expected = [6, 6, 6]
    for giver, taker, amount in moved:
        expected[giver] -= amount
        expected[taker] += amount
    stocks = [shelf.stock for shelf in db.transaction_load(keys).get_items(Shelf)]
    assert stocks == expected
    assert sum(stocks) == 18
    assert all(0 <= stock <= 12 for stock in stocks)
    assert 0 < len(moved) < WORKERS * TRANSFERS


def test_one_set_that_many_send_at_once_takes_effect_once(place: Place, recorder: Recorder) -> None:
    """T4: what is sent is fixed once, also when several threads are the first."""
    db = place.db
    for turn in range(5):
        key = Tally.Key(f"{place.name}-{turn}")
        db.create(Tally(name=key.name))
        writes = TransactionWriteSet().update(key, attr(Tally.hits).add(1)).save(Note(name=key.name))
        with recorder(db) as requests:
            found = together(WORKERS, lambda _, writes=writes: outcome(lambda: db.transaction_write(writes)))  # type: ignore[misc]
        assert [type(one) for one in found] == [ItemSet] * WORKERS
        bodies = [body for operation, body in requests if operation == "TransactWriteItems"]
        assert len(bodies) >= WORKERS
        assert all(body == bodies[0] for body in bodies)
        tally, note = db.load(key), db.load(Note.Key(key.name))
        assert (tally, note) == (Tally(name=key.name, hits=1), Note(name=key.name, version=1))


def test_of_many_transactions_with_one_version_one_wins(place: Place) -> None:
    """V1, T1: each saves two items that belong together, in either order."""
    db = place.db
    for turn in range(5):
        left = db.create(Note(name=f"{place.name}-left-{turn}"))
        right = db.create(Note(name=f"{place.name}-right-{turn}"))

        def work(number: int, left: Note = left, right: Note = right) -> ItemSet | Exception:
            items = [left.replace(log=[str(number)]), right.replace(log=[str(number)])]
            writes = TransactionWriteSet()
            for item in items if number % 2 else reversed(items):
                writes.save(item)
            return outcome(lambda: db.transaction_write(writes))

        found = together(WORKERS, work)
        winners = [number for number, one in enumerate(found) if isinstance(one, ItemSet)]
        assert len(winners) == 1, found
        present = db.transaction_load(Note.Key(left.name), Note.Key(right.name)).get_items(Note)
        assert present == [item.replace(log=[str(winners[0])], version=2) for item in (left, right)]
        for number, one in enumerate(found):
            if number not in winners:
                assert isinstance(one, TransactionCanceled)
                expected = present if number % 2 else present[::-1]
                assert [(type(failure.error), failure.index) for failure in one.failures] == [
                    (VersionConflict, 0),
                    (VersionConflict, 1),
                ]
                assert [getattr(failure.error, "item", None) for failure in one.failures] == expected


def test_a_transaction_and_single_writes_hold_each_other_to_the_version(place: Place) -> None:
    """V4: whoever wins, alone or in a transaction, wins alone."""
    db = place.db
    for turn in range(5):
        stored = db.create(Note(name=f"{place.name}-{turn}"))
        other = Tally(name=f"{place.name}-{turn}")

        def work(number: int, stored: Note = stored, other: Tally = other) -> Any:
            mine = stored.replace(log=[str(number)])
            if number % 2:
                return outcome(lambda: db.save(mine))
            return outcome(lambda: db.transaction_write(TransactionWriteSet().create(other).put(mine)))

        found = together(WORKERS, work)
        winners = [number for number, one in enumerate(found) if not isinstance(one, Exception)]
        assert len(winners) == 1, found
        assert db.load(Note.Key(stored.name)) == stored.replace(log=[str(winners[0])], version=2)
        assert (db.load(Tally.Key(other.name)) is None) == bool(winners[0] % 2)
        for number, one in enumerate(found):
            if number not in winners:
                assert isinstance(one, VersionConflict if number % 2 else TransactionCanceled)


def test_of_many_creators_in_transactions_one_wins(place: Place) -> None:
    db = place.db
    found = together(
        WORKERS,
        lambda number: outcome(
            lambda: db.transaction_write(
                TransactionWriteSet()
                .create(Tally(name=place.name, text=str(number)))
                .create(Note(name=place.name, log=[str(number)]))
            )
        ),
    )
    winners = [one for one in found if isinstance(one, ItemSet)]
    assert len(winners) == 1
    present = db.transaction_load(Tally.Key(place.name), Note.Key(place.name))
    assert list(present) == list(winners[0])
