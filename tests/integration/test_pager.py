"""The writing pager on both engines: the sizes of its pages, failures in the middle, and what it sends (W1, W3, W5, W6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from logicaldb import (
    ConditionFailed,
    ItemNotFound,
    LimitExceeded,
    PagerStalled,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    WritingPagerHandler,
    attr,
)
from tests.engines import record
from tests.modes import Mode
from tests.pagers import Count, Db, Log, Run, Step, Update, hits, make_db, updates

NAME = "n"


@pytest.fixture
def db(mode: Mode) -> Db:
    return mode.make(Db)


@pytest.fixture
def blocking_db(client: Any, new_name: Callable[[], str]) -> Db:
    """For what no handler that is awaited can do."""
    db = make_db(client, new_name())
    db.create_tables()
    return db


class Append(WritingPagerHandler[int]):
    """Lists numbers in a log, which is read before each page, and requires that there is a step of each number."""

    def __init__(self, db: Db) -> None:
        self.db = db
        self.sizes: list[int] = []

    def before_page(self, remaining_updates: Sequence[int], max_transaction_items: int) -> int:
        log = self.db.load(Log.Key(NAME), consistent_read=True)
        assert log is not None
        self.log = log
        return min(len(remaining_updates), max_transaction_items - 1)

    def item(self, writes: TransactionWriteSet, update: int) -> None:
        writes.check_condition(Step.Key(NAME, update), attr(Step.text).exists())

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[int]) -> None:
        self.applied = applied
        writes.save(self.log.replace(numbers=[*self.log.numbers, *applied]))

    def page_written(self, writes: TransactionWriteSet) -> None:
        self.sizes.append(len(self.applied))


def fill(db: Db, steps: int) -> None:
    db.save_all(Step(name=NAME, number=number, text="here") for number in range(steps))
    db.save(Log(name=NAME))


def log(db: Db) -> Log:
    found = db.load(Log.Key(NAME), consistent_read=True)
    assert found is not None
    return found


# W1.


@pytest.mark.parametrize(
    ("number", "sizes"), [(0, []), (1, [1]), (8, [8]), (9, [9]), (10, [9, 1]), (25, [9, 9, 7])], ids=str
)
def test_the_sizes_of_pages(db: Db, number: int, sizes: list[int]) -> None:
    fill(db, 25)
    handler = Append(db)
    pager = db.transaction_writing_pager(range(number), handler, max_transaction_items=10)
    assert (pager.updated_count, pager.remaining_updates) == (0, list(range(number)))
    with record(db) as requests:
        pager.execute()
    assert handler.sizes == sizes
    assert (pager.updated_count, pager.remaining_updates) == (number, [])
    assert log(db) == Log(name=NAME, numbers=list(range(number)), version=1 + len(sizes))
    # One read and one write a page.
    assert [operation for operation, _ in requests] == ["GetItem", "TransactWriteItems"] * len(sizes)
    assert [len(body["TransactItems"]) for _, body in requests[1::2]] == [size + 1 for size in sizes]


def test_operations_kept_free_for_finish_page(db: Db) -> None:
    class Kept(Append):
        finish_operations = 1

        def before_page(self, remaining_updates: Sequence[int], max_transaction_items: int) -> int:
            super().before_page(remaining_updates, max_transaction_items)
            return len(remaining_updates)

    fill(db, 25)
    handler = Kept(db)
    db.transaction_writing_pager(iter(range(25)), handler, max_transaction_items=10).execute()
    assert handler.sizes == [9, 9, 7]
    assert log(db).numbers == list(range(25))


def test_a_page_of_a_hundred_operations(db: Db) -> None:
    handler = Count(NAME)
    with record(db) as requests:
        db.transaction_writing_pager(updates(*[1] * 150), handler, max_transaction_items=100).execute()
    assert [len(body["TransactItems"]) for _, body in requests] == [100, 50]
    assert hits(db, NAME) == {1000 * number: 1 for number in range(150)}


def test_an_update_goes_whole_to_the_next_page(db: Db) -> None:
    handler = Count(NAME)
    pager = db.transaction_writing_pager(updates(2, 2, 2, 0, 5, 1), handler, max_transaction_items=5)
    pager.execute()
    assert handler.pages == [[0, 1], [2, 3], [4], [5]]
    assert pager.updated_count == 6
    assert set(hits(db, NAME).values()) == {1}
    assert len(hits(db, NAME)) == 12


def test_updates_of_one_row_take_effect_in_their_order(db: Db) -> None:
    class Say(WritingPagerHandler[str]):
        def item(self, writes: TransactionWriteSet, update: str) -> None:
            writes.update(Step.Key(NAME, 0), attr(Step.text).set(update), attr(Step.hits).add(1), upsert=True)

    with record(db) as requests:
        db.transaction_writing_pager("abc", Say()).execute()
    assert len(requests) == 3
    assert db.load(Step.Key(NAME, 0)) == Step(name=NAME, number=0, text="c", hits=3)


@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")  # aiohttp's, of 1 MB and more
def test_pages_end_where_the_bytes_of_a_transaction_do(db: Db) -> None:
    """Ten items of almost 400 KB are a transaction."""
    items = [Step(name=NAME, number=number, text="x" * 400_000) for number in range(12)]
    with record(db) as requests:
        assert db.save_all(items) == 12
    assert [len(body["TransactItems"]) for _, body in requests] == [10, 2]
    assert sorted(hits(db, NAME)) == list(range(12))


# W3 and what is refused.


def test_an_update_bigger_than_a_page(db: Db) -> None:
    given = updates(1, 1, 6, 1)
    pager = db.transaction_writing_pager(given, Count(NAME), max_transaction_items=5)
    for _ in range(2):
        with pytest.raises(PagerStalled) as raised:
            pager.execute()
        assert str(raised.value) == "updates[2]: it has 6 operations, and a page has room for 5"
        assert raised.value.update is given[2]
        assert (pager.updated_count, pager.remaining_updates) == (2, given[2:])
    assert hits(db, NAME) == {0: 1, 1000: 1}


def test_finish_page_beyond_the_limit(db: Db) -> None:
    class Much(Append):
        def finish_page(self, writes: TransactionWriteSet, applied: Sequence[int]) -> None:
            super().finish_page(writes, applied)
            writes.update(Step.Key(NAME, 100), attr(Step.hits).add(1), upsert=True)

    fill(db, 10)
    pager = db.transaction_writing_pager(range(10), Much(db), max_transaction_items=10)
    with record(db) as requests, pytest.raises(LimitExceeded) as raised:
        pager.execute()
    assert str(raised.value) == (
        "finish_page: the page has 11 operations with its own, and takes 10; tell before by finish_operations how many it "
        "adds"
    )
    assert [operation for operation, _ in requests] == ["GetItem"]
    assert (pager.updated_count, log(db).numbers) == (0, [])


# A page that fails in the middle.


def test_a_failing_page_in_the_middle_and_re_execution(db: Db) -> None:
    fill(db, 25)
    db.delete_key(Step.Key(NAME, 13))
    handler = Append(db)
    pager = db.transaction_writing_pager(range(25), handler, max_transaction_items=10)
    for _ in range(2):
        with pytest.raises(TransactionCanceled) as raised:
            pager.execute()
        (failure,) = raised.value.failures
        assert (failure.operation.key, failure.index, failure.code) == (
            Step.Key(NAME, 13),
            4,
            "ConditionalCheckFailed",
        )
        assert isinstance(failure.error, ConditionFailed)
        assert (pager.updated_count, pager.remaining_updates) == (9, list(range(9, 25)))
        assert log(db).numbers == list(range(9))
    db.save(Step(name=NAME, number=13, text="here"))
    pager.execute()
    assert handler.sizes == [9, 9, 7]
    assert log(db) == Log(name=NAME, numbers=list(range(25)), version=4)
    pager.execute()
    assert log(db).version == 4


def test_nothing_of_a_failing_page_is_written(db: Db) -> None:
    class Guarded(Count):
        def item(self, writes: TransactionWriteSet, update: Update) -> None:
            super().item(writes, update)
            if update.number == 3:
                writes.check_condition(Log.Key("absent"), attr(Log.version).exists())

    pager = db.transaction_writing_pager(updates(1, 1, 1, 1, 1), Guarded(NAME), max_transaction_items=3)
    with pytest.raises(TransactionCanceled) as raised:
        pager.execute()
    assert type(raised.value.failures[0].error) in (ItemNotFound, ConditionFailed)
    assert hits(db, NAME) == {0: 1, 1000: 1, 2000: 1}
    db.save(Log(name="absent"))
    pager.execute()
    assert hits(db, NAME) == dict.fromkeys(range(0, 5000, 1000), 1)


def test_another_writer_between_the_read_and_the_write_of_a_page(db: Db) -> None:
    """A version conflict; `each_page` tries again, with what is stored then."""

    class Retry(Append):
        conflicts = 0
        pages = 0

        def each_page(self, proceed: Callable[[], None]) -> None:
            while True:
                try:
                    return proceed()
                except TransactionCanceled as error:
                    (failure,) = error.failures
                    assert isinstance(failure.error, VersionConflict)
                    assert failure.error.item == log(self.db)
                    self.conflicts += 1

        def before_page(self, remaining_updates: Sequence[int], max_transaction_items: int) -> int:
            count = super().before_page(remaining_updates, max_transaction_items)
            self.pages += 1
            if self.pages in (1, 3, 4):  # before the first page, and twice before the second
                self.db.update(Log.Key(NAME), attr(Log.numbers).append([-self.pages]))
            return count

    fill(db, 25)
    handler = Retry(db)
    pager = db.transaction_writing_pager(range(25), handler, max_transaction_items=10)
    pager.execute()
    assert (handler.conflicts, handler.sizes, pager.updated_count) == (3, [9, 9, 7], 25)
    assert log(db).numbers == [-1, *range(9), -3, -4, *range(9, 25)]


def test_a_conflict_that_nobody_retries(db: Db) -> None:
    class Late(Append):
        def before_page(self, remaining_updates: Sequence[int], max_transaction_items: int) -> int:
            count = super().before_page(remaining_updates, max_transaction_items)
            if remaining_updates[0] == 9:
                self.db.update(Log.Key(NAME), attr(Log.numbers).append([-1]))
            return count

    fill(db, 25)
    pager = db.transaction_writing_pager(range(25), Late(db), max_transaction_items=10)
    with pytest.raises(TransactionCanceled) as raised:
        pager.execute()
    assert [type(failure.error) for failure in raised.value.failures] == [VersionConflict]
    assert (pager.updated_count, log(db).numbers) == (9, [*range(9), -1])


# Progress.


def test_a_run_that_failed_goes_on_in_another(db: Db) -> None:
    def run(*absent: int) -> tuple[int, list[int]]:
        db.save_all(Step(name=NAME, number=number, text="here") for number in range(25) if number not in absent)
        handler = Append(db)
        pager = db.transaction_writing_pager(
            iter(range(25)), handler, max_transaction_items=7, progress=Run(name=NAME), progress_field="done"
        )
        try:
            pager.execute()
        except TransactionCanceled:
            assert absent
        return pager.updated_count, handler.sizes

    db.save(Log(name=NAME))
    assert run(12) == (10, [5, 5])
    assert db.load(Run.Key(NAME)) == Run(name=NAME, done=10, version=2)
    assert run() == (15, [5, 5, 5])
    assert run() == (0, [])
    assert log(db).numbers == list(range(25))
    assert db.load(Run.Key(NAME)) == Run(name=NAME, done=25, version=5)


def test_of_two_runs_at_once_one_stops(blocking_db: Db) -> None:
    """W5. They are interleaved at the worst moment: the other run writes a page when one of this has been made."""

    db = blocking_db

    class Other(Count):
        others: Iterator[None] = iter(())

        def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
            super().finish_page(writes, applied)
            next(self.others, None)

    given = updates(*[1] * 9)
    handler = Other(NAME)
    first = db.transaction_writing_pager(given, handler, max_transaction_items=4, progress=Run(name=NAME))
    second = db.transaction_writing_pager(given, Count(NAME), max_transaction_items=4, progress=Run(name=NAME))

    def write_one() -> Iterator[None]:
        yield
        second.execute()
        yield

    handler.others = write_one()
    for counted in (3, 3):
        with pytest.raises(TransactionCanceled) as raised:
            first.execute()
        (failure,) = raised.value.failures
        assert isinstance(failure.error, VersionConflict)
        assert str(failure.operation) == f"save of Run.Key(name='{NAME}')"
        assert first.updated_count == counted
    assert second.updated_count == 6
    assert hits(db, NAME) == {1000 * number: 1 for number in range(9)}
    assert db.load(Run.Key(NAME)) == Run(name=NAME, applied=9, version=3)


# save_all.


def test_more_than_a_hundred_items_of_two_types_are_saved(db: Db) -> None:
    items: list[Any] = []
    for number in range(70):
        items += [Step(name=NAME, number=number, text=f"text {number}"), Log(name=f"log {number:02}")]
    with record(db) as requests:
        assert db.save_all(iter(items)) == 140
    assert [len(body["TransactItems"]) for _, body in requests] == [25] * 5 + [15]
    assert {operation for operation, _ in requests} == {"TransactWriteItems"}
    stored = [db.load(type(item).Key.of(item)) for item in items[::13]]
    assert stored == [item if isinstance(item, Step) else item.replace(version=1) for item in items[::13]]
    assert len(hits(db, NAME)) == 70
    with record(db) as requests:
        assert db.save_all(items[:0], max_transaction_items=100) == 0
        assert db.save_all([item for item in items if isinstance(item, Step)], max_transaction_items=100) == 70
    assert len(requests) == 1


def test_a_save_that_fails_tells_how_many_are_saved(db: Db) -> None:
    db.save(Log(name="2"))
    items = [Log(name=str(number)) for number in range(4)]
    with pytest.raises(TransactionCanceled) as raised:
        db.save_all(items, max_transaction_items=2)
    (failure,) = raised.value.failures
    assert isinstance(failure.error, VersionConflict)
    assert raised.value.__notes__ == ["save_all: the first 2 items are saved"]
    assert [db.load(Log.Key(str(number))) for number in range(4)] == [
        *[Log(name=str(number), version=1) for number in range(3)],
        None,
    ]


def test_what_is_no_item_is_not_saved(db: Db) -> None:
    with pytest.raises(TypeError) as raised:
        db.save_all([Step(name=NAME, number=1), Step.Key(NAME, 1)])  # type: ignore[list-item]  # pyright: ignore[reportArgumentType]
    assert str(raised.value) == "an item is due, such as AlbumTrack(...), not Step.Key"
    assert raised.value.__notes__ == ["save_all: the first 0 items are saved"]
    assert hits(db, NAME) == {}
