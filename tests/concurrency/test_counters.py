"""Counters that many count at once (C1 to C4, C6)."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from logicaldb import CounterOutOfBounds, ItemAlreadyExists, attr
from tests.concurrency.conftest import WORKERS, Place
from tests.concurrency.work import in_processes, outcome, play, together
from tests.engines import code_of
from tests.models import Note, Shelf, Tally

TIMES = 30


def test_threads_lose_no_increment_and_each_gets_a_count_of_its_own(place: Place) -> None:
    """C1, C4."""
    key = Tally.Key(place.name)
    counts = together(WORKERS, lambda _: [place.db.increment(key, Tally.hits, upsert=True) for _ in range(TIMES)])
    assert sorted(count for worker in counts for count in worker) == list(range(1, WORKERS * TIMES + 1))
    assert all(worker == sorted(worker) for worker in counts)
    assert place.db.load(key) == Tally(name=place.name, hits=WORKERS * TIMES)


def test_processes_lose_no_increment_and_each_gets_a_count_of_its_own(place: Place) -> None:
    """C1, C4; each process has two threads."""
    place.db.create(Tally(name=place.name))
    counts = in_processes(3, play, place.url, place.table, place.name, 40)
    assert sorted(count for worker in counts for count in worker) == list(range(1, 121))
    assert place.db.load(Tally.Key(place.name)) == Tally(name=place.name, hits=120)


def test_every_way_to_count_counts_together(place: Place) -> None:
    """C1: increments up and down, under a token, and in updates of other things."""
    key = Tally.Key(place.name)
    place.db.create(Tally(name=place.name))

    def work(number: int) -> None:
        for turn in range(10):
            place.db.increment(key, Tally.hits)
            place.db.update(key, attr(Tally.text).set(f"{number}-{turn}"), attr(Tally.hits).add(100))
            place.db.increment(key, Tally.hits, -10)
            if turn < 3:
                place.db.increment(key, Tally.hits, 1000, idempotency_token=uuid4().hex)
            place.db.update(key, attr(Tally.hits).add(1), attr(Tally.amount).add(Decimal("0.01")))

    together(WORKERS, work)
    found = place.db.load(key)
    assert found is not None
    assert found.hits == WORKERS * (10 * (1 + 100 - 10 + 1) + 3000)
    assert found.amount == WORKERS * 10 * Decimal("0.01")


def test_one_token_that_many_send_at_once_counts_once(place: Place) -> None:
    key = Tally.Key(place.name)
    place.db.create(Tally(name=place.name))
    token = uuid4().hex
    counts = together(WORKERS, lambda _: outcome(lambda: place.db.increment(key, Tally.hits, idempotency_token=token)))
    assert place.db.load(key) == Tally(name=place.name, hits=1)
    assert [count for count in counts if count != 1] == []


def test_no_other_write_touches_the_count(place: Place) -> None:
    """C2: saves, updates and failing creates of the same items, and puts of a row aside."""
    db, name = place.db, place.name
    tally, note = Tally.Key(name), Note.Key(name)
    db.create(Tally(name=name))
    db.create(Note(name=name))
    old = db.load(tally)
    assert old is not None

    def work(number: int) -> int:
        if number % 2:
            for turn in range(TIMES):
                assert db.save(old.replace(text=f"{number}-{turn}")).hits >= 0
                db.update(tally, attr(Tally.text).set("updated"))
                with pytest.raises(ItemAlreadyExists):
                    db.create(Tally(name=name, hits=77))
                db.update(note, attr(Note.log).append([f"{number}-{turn}"]))
                db.put(Tally(name=f"{name}-{number}", hits=turn))
            return 0
        for _ in range(TIMES):
            db.increment(tally, Tally.hits)
            db.increment(note, Note.hits, 2)
        return TIMES

    counted = sum(together(WORKERS, work))
    after = db.load(tally)
    assert after is not None
    assert after.hits == counted == WORKERS // 2 * TIMES
    listed = db.load(note)
    assert listed is not None
    assert listed.hits == 2 * counted
    # The increments left the version alone, and each update moved it on.
    assert listed.version == 1 + len(listed.log) == 1 + WORKERS // 2 * TIMES
    assert [db.load(Tally.Key(f"{name}-{number}")) for number in range(1, WORKERS, 2)] == [
        Tally(name=f"{name}-{number}", hits=TIMES - 1) for number in range(1, WORKERS, 2)
    ]


@pytest.mark.parametrize("way", ["increment", "update", "token"])
@pytest.mark.parametrize("stored", [True, False], ids=["stored", "missing"])
def test_sixteen_takers_of_ten_get_exactly_ten(place: Place, way: str, stored: bool) -> None:
    """C3; the stock of a row that is not there yet is the initial one."""
    key = Shelf.Key(place.name)
    if stored:
        place.db.create(Shelf(name=place.name))

    def take() -> int:
        if way == "update":
            return place.db.update(key, attr(Shelf.stock).add(-1), upsert=True).stock
        token = uuid4().hex if way == "token" else None
        return place.db.increment(key, Shelf.stock, -1, upsert=True, idempotency_token=token)

    taken = together(16, lambda _: outcome(take))
    left = [count for count in taken if isinstance(count, int)]
    errors = [error for error in taken if not isinstance(error, int)]
    assert len(left) == 10
    if way != "token":  # a read afterwards gives what is left then
        assert sorted(left) == list(range(10))
    assert [type(error) for error in errors] == [CounterOutOfBounds] * 6
    for error in errors:
        assert isinstance(error, CounterOutOfBounds)
        assert error.item == Shelf(name=place.name, stock=0)
        kind = "update" if way == "update" else "increment"
        assert str(error) == f"{kind} of Shelf.Key(name='{place.name}'): Shelf.stock would leave its bounds"
    assert place.db.load(key) == Shelf(name=place.name, stock=0)


def test_givers_and_takers_never_leave_the_bounds(place: Place) -> None:
    """C3, both bounds: what is stored is what went in and out, and inside the bounds at any time."""
    key = Shelf.Key(place.name)
    place.db.create(Shelf(name=place.name))

    def work(number: int) -> list[tuple[int, int]]:
        by = 3 if number % 2 else -2
        done: list[tuple[int, int]] = []
        for _ in range(TIMES):
            count = outcome(lambda: place.db.increment(key, Shelf.stock, by))
            if isinstance(count, int):
                done.append((by, count))
            else:
                assert isinstance(count, CounterOutOfBounds)
                done.append((0, count.item.stock))
        return done

    done = [one for worker in together(WORKERS, work) for one in worker]
    assert all(0 <= count <= 12 for _, count in done)
    found = place.db.load(key)
    assert found is not None
    assert found.stock == 10 + sum(by for by, _ in done)
    assert {by for by, _ in done} == {3, -2, 0}


@pytest.mark.parametrize(
    ("start", "by"),
    [
        ("12345678901234567890123456789012345600", "1"),
        ("1234567890.1234567890123456789012345600", "0.0000000000000000000000000001"),
        ("-99999999999999999999999999999999999999", "1"),
    ],
)
def test_all_digits_are_kept(place: Place, start: str, by: str) -> None:
    """C6: 38 digits, exactly."""
    key = Tally.Key(place.name)
    place.db.create(Tally(name=place.name, amount=Decimal(start)))
    counts = together(WORKERS, lambda _: [place.db.increment(key, Tally.amount, Decimal(by)) for _ in range(5)])
    # Compared as text of digits: Decimal's own context would round.
    expected = [add_exactly(start, by, times) for times in range(1, WORKERS * 5 + 1)]
    assert sorted(digits(str(count)) for worker in counts for count in worker) == sorted(map(digits, expected))
    found = place.db.load(key)
    assert found is not None
    assert digits(str(found.amount)) == digits(expected[-1])


def add_exactly(start: str, by: str, times: int) -> str:
    """Add with integers alone."""
    places = max(len(text.partition(".")[2]) for text in (start, by))
    whole = [int(text.replace(".", "") + "0" * (places - len(text.partition(".")[2]))) for text in (start, by)]
    return f"{whole[0] + times * whole[1]}e-{places}"


def digits(text: str) -> tuple[int, tuple[int, ...], int]:
    """The sign, the digits and the exponent of a number, without zeros at its end."""
    sign, kept, exponent = Decimal(text).as_tuple()
    assert isinstance(exponent, int)
    while kept[-1:] == (0,):
        kept, exponent = kept[:-1], exponent + 1
    return sign, kept, exponent


def test_a_sum_of_more_digits_is_refused_and_not_rounded(place: Place) -> None:
    """C6."""
    key = Tally.Key(place.name)
    most = Decimal("9" * 38)
    place.db.create(Tally(name=place.name, amount=most))
    for by in (Decimal("0.1"), Decimal("1E-5")):
        with pytest.raises(ClientError) as raised:
            place.db.increment(key, Tally.amount, by)
        assert code_of(raised.value) == "ValidationException"
    assert place.db.load(key) == Tally(name=place.name, amount=most)
