"""Writing pagers: the hooks of a handler, and what is counted when they raise (W3, W4, W6). The service is made by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Thread
from typing import Any

import pytest

from logicaldb import (
    AmbiguousWrite,
    LogicalDbError,
    PagerStalled,
    TransactionCanceled,
    TransactionWriteSet,
    WritingPager,
    WritingPagerHandler,
)
from logicaldb.operations.pager import Pages
from logicaldb.pager import SaveItems
from tests.pagers import Count, Outcome, Run, Service, Step, Update, raising, rows_of, updates

ROWS = rows_of()


def make(
    given: Iterable[Any], handler: Any, *outcomes: Outcome, limit: int = 2, progress: Run | None = None
) -> tuple[WritingPager[Any], Service]:
    service = Service(outcomes)
    pages = Pages(given, ROWS, max_transaction_items=limit, progress=progress, progress_field="applied")
    return WritingPager(pages, handler, service), service


def left(pager: WritingPager[Any]) -> list[int]:
    return [update.number for update in pager.remaining_updates]


def test_hooks_are_called_in_turn() -> None:
    handler = Count()
    pager, service = make(updates(1, 1, 1), handler)
    assert (pager.updated_count, left(pager)) == (0, [0, 1, 2])
    pager.execute()
    assert handler.calls == [
        *["before_page", "item 0", "item 1", "item 2", "finish_page", "page_written"],
        *["before_page", "item 2", "finish_page", "page_written"],
    ]
    assert service.steps == [[0, 1000], [2000]]
    assert (pager.updated_count, left(pager), handler.pages) == (3, [], [[0, 1], [2]])


def test_without_updates_no_hook_is_called() -> None:
    class Never(Count):
        def each_page(self, proceed: Callable[[], None]) -> None:
            raise AssertionError

    for nothing in (updates(), iter(updates())):
        pager, service = make(nothing, Never())
        pager.execute()
        assert (pager.updated_count, service.requests) == (0, [])


def test_before_page_is_given_what_is_left_and_how_many_operations_there_are() -> None:
    given: list[tuple[list[int], int]] = []

    class Look(Count):
        def before_page(self, remaining_updates: Sequence[Update], max_transaction_items: int) -> int:
            given.append(([update.number for update in remaining_updates], max_transaction_items))
            return 1

    make(updates(1, 1, 1), Look(), limit=4)[0].execute()
    make(updates(1, 1), Look(), limit=4, progress=Run(name="r"))[0].execute()
    make(iter(updates(*[1] * 5)), Look(), limit=3)[0].execute()
    assert given == [
        *[([0, 1, 2], 4), ([1, 2], 4), ([2], 4)],
        *[([0, 1], 3), ([1], 3)],
        *[([0, 1, 2], 3), ([1, 2, 3], 3), ([2, 3, 4], 3), ([3, 4], 3), ([4], 3)],
    ]


def test_items_are_saved() -> None:
    class Log(SaveItems):
        sizes: list[tuple[int, int, int]] = []

        def page_written(self, writes: TransactionWriteSet) -> None:
            super().page_written(writes)
            self.sizes.append((writes.size, pager.updated_count, len(pager.remaining_updates)))

    items = [Step(name="n", number=number) for number in range(5)]
    pager, service = make(iter(items), Log())
    pager.execute()
    assert service.steps == [[0, 1], [2, 3], [4]]
    # What was written is counted, and the next are drawn.
    assert Log.sizes == [(2, 2, 2), (2, 4, 1), (1, 5, 0)]


# Failures and re-execution.


@pytest.mark.parametrize("outcome", ["refused", "denied"])
def test_after_a_failure_it_goes_on_with_the_page_that_failed(outcome: Outcome) -> None:
    handler = Count()
    pager, service = make(updates(1, 1, 1, 1, 1), handler, "written", outcome)
    with pytest.raises(TransactionCanceled if outcome == "refused" else PermissionError):
        pager.execute()
    assert (pager.updated_count, left(pager), handler.pages) == (2, [2, 3, 4], [[0, 1]])
    handler.calls.clear()
    pager.execute()
    assert handler.calls[0] == "before_page"
    assert service.steps == [[0, 1000], [2000, 3000], [4000]]
    assert len(set(service.tokens)) == len(service.tokens) == 4
    assert (pager.updated_count, left(pager), handler.pages) == (5, [], [[0, 1], [2, 3], [4]])
    pager.execute()
    assert len(service.requests) == 4


@pytest.mark.parametrize("outcome", ["lost after", "lost before", "broken after", "broken before"])
def test_a_page_that_may_be_written_is_sent_again_before_all_else(outcome: Outcome) -> None:
    """W4."""
    handler = Count()
    pager, service = make(updates(1, 1, 1, 1, 1), handler, "written", outcome, outcome)
    for _ in range(2):
        with pytest.raises(RuntimeError if outcome.startswith("broken") else AmbiguousWrite):
            pager.execute()
        assert (pager.updated_count, left(pager), handler.pages) == (2, [2, 3, 4], [[0, 1]])
    handler.calls.clear()
    pager.execute()
    assert handler.calls == ["page_written", "before_page", "item 4", "finish_page", "page_written"]
    assert service.steps == [[0, 1000], [2000, 3000], [4000]]
    assert service.requests[1] == service.requests[2] == service.requests[3]
    assert (pager.updated_count, left(pager)) == (5, [])
    assert handler.pages == [[0, 1], [2, 3], [4]]


def test_each_page_is_the_place_for_retries() -> None:
    class Retry(Count):
        failures: list[type[Exception]] = []

        def each_page(self, proceed: Callable[[], None]) -> None:
            while True:
                try:
                    return proceed()
                except (TransactionCanceled, AmbiguousWrite, PermissionError) as error:
                    self.failures.append(type(error))

    handler = Retry()
    pager, service = make(updates(1, 1, 1), handler, "refused", "lost after", "lost before", "written", "denied")
    pager.execute()
    assert handler.failures == [TransactionCanceled, AmbiguousWrite, AmbiguousWrite, PermissionError]
    assert service.steps == [[0, 1000], [2000]]
    assert [calls for calls in handler.calls if not calls.startswith("item")] == [
        *["before_page", "finish_page", "before_page", "finish_page", "page_written"],
        *["before_page", "finish_page", "before_page", "finish_page", "page_written"],
    ]
    assert pager.updated_count == 3


class RaiseAt(Count):
    """A hook raises the first time it is called for a page."""

    def __init__(self, hook: str, page: int) -> None:
        super().__init__()
        self.hook = hook
        self.left = page

    def come(self, hook: str) -> None:
        if hook == self.hook:
            self.left -= 1
            if self.left == -1:
                raise KeyError(hook)

    def each_page(self, proceed: Callable[[], None]) -> None:
        self.come("each_page before")
        proceed()
        self.come("each_page after")

    def before_page(self, remaining_updates: Sequence[Update], max_transaction_items: int) -> int:
        self.come("before_page")
        return super().before_page(remaining_updates, max_transaction_items)

    def item(self, writes: TransactionWriteSet, update: Update) -> None:
        self.come("item")
        super().item(writes, update)

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
        super().finish_page(writes, applied)
        self.come("finish_page")

    def page_written(self, writes: TransactionWriteSet) -> None:
        super().page_written(writes)
        self.come("page_written")


@pytest.mark.parametrize(
    ("hook", "counted"),
    [
        *[(hook, 0) for hook in ("each_page before", "before_page", "item", "finish_page")],
        *[(hook, 2) for hook in ("page_written", "each_page after")],
    ],
)
@pytest.mark.parametrize("page", [0, 1])
def test_a_hook_that_raises_leaves_the_counts_right(hook: str, counted: int, page: int) -> None:
    """W6: what it raises comes through, what is written is counted, and the next execution does the rest."""
    handler = RaiseAt(hook, page * 3 if hook == "item" else page)  # two of the page, and the one that does not fit
    pager, service = make(updates(1, 1, 1, 1, 1), handler, progress=Run(name="r"), limit=3)
    with pytest.raises(KeyError, match=hook):
        pager.execute()
    done = 2 * page + counted
    assert (pager.updated_count, left(pager)) == (done, list(range(done, 5)))
    assert sum(map(len, service.steps)) == done
    pager.execute()
    assert service.steps == [[0, 1000], [2000, 3000], [4000]]
    assert (pager.updated_count, left(pager), handler.pages) == (5, [], [[0, 1], [2, 3], [4]])


# Stalling.


def test_each_page_that_never_proceeds() -> None:
    """W3."""

    class Never(Count):
        def each_page(self, proceed: Callable[[], None]) -> None:
            self.calls.append("each_page")

    handler = Never()
    given = [Step.Key("n", number) for number in range(3)]
    pager, service = make(given, handler)
    for _ in range(2):
        with pytest.raises(PagerStalled) as raised:
            pager.execute()
        assert str(raised.value) == (
            "updates[0] (Step.Key(name='n', number=0)): each_page ended, and its page is not written"
        )
        assert raised.value.update is given[0]
        assert raised.value.__cause__ is None
    assert handler.calls == ["each_page"] * 2
    assert (pager.updated_count, service.requests) == (0, [])


@pytest.mark.parametrize("outcome", ["refused", "lost after"])
def test_each_page_that_swallows_a_failure(outcome: Outcome) -> None:
    class Swallow(Count):
        def each_page(self, proceed: Callable[[], None]) -> None:
            with suppress(Exception):
                proceed()

    pager, service = make(updates(1, 1, 1), Swallow(), "written", outcome)
    with pytest.raises(PagerStalled) as raised:
        pager.execute()
    assert str(raised.value) == "updates[2]: each_page ended, and its page is not written"
    assert type(raised.value.__cause__) is (TransactionCanceled if outcome == "refused" else AmbiguousWrite)
    assert pager.updated_count == 2
    pager.execute()
    assert service.steps == [[0, 1000], [2000]]


def test_the_cause_of_a_stall_is_what_a_hook_raised_in_this_page() -> None:
    class Swallow(RaiseAt):
        tries = 0

        def each_page(self, proceed: Callable[[], None]) -> None:
            self.tries += 1
            if self.tries < 3:
                with suppress(KeyError):
                    proceed()

    pager, _ = make(updates(1, 1), Swallow("before_page", 0), limit=1)
    causes: list[Any] = []
    for _ in range(2):
        with pytest.raises(PagerStalled) as raised:
            pager.execute()
        causes.append(raised.value.__cause__)
    assert pager.updated_count == 1  # the second try
    assert type(causes[0]) is KeyError
    assert causes[1] is None


def test_a_page_that_takes_nothing_does_not_loop() -> None:
    class Nothing(Count):
        def before_page(self, remaining_updates: Sequence[Update], max_transaction_items: int) -> int:
            return 0

    pager, _ = make(updates(1), Nothing())
    with pytest.raises(PagerStalled) as raised:
        pager.execute()
    assert str(raised.value) == "updates[0]: before_page takes 0 updates"


# Proceeding otherwise.


def test_each_page_may_proceed_several_times() -> None:
    class Twice(Count):
        turns = 0

        def each_page(self, proceed: Callable[[], None]) -> None:
            self.turns += 1
            for _ in range(2):
                proceed()

    for given in (updates(*[1] * 5), iter(updates(*[1] * 5))):
        handler = Twice()
        pager, service = make(given, handler)
        pager.execute()
        assert service.steps == [[0, 1000], [2000, 3000], [4000]]
        assert (handler.turns, pager.updated_count) == (2, 5)


def test_a_pager_may_be_executed_inside_its_own_hook() -> None:
    class Inside(Count):
        def page_written(self, writes: TransactionWriteSet) -> None:
            super().page_written(writes)
            pager.execute()

    handler = Inside()
    pager, service = make(updates(*[1] * 5), handler)
    pager.execute()
    assert service.steps == [[0, 1000], [2000, 3000], [4000]]
    assert (pager.updated_count, handler.pages) == (5, [[0, 1], [2, 3], [4]])


# Interrupts.


class Interrupted(Service):
    """An interrupt comes while a transaction is under way."""

    interrupt: type[BaseException] | None = KeyboardInterrupt
    before = False

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        interrupt, self.interrupt = self.interrupt, None
        if interrupt is not None and self.before:
            self.requests.append(("interrupted", None))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            raise interrupt
        answer = super().send(operation, table, body)
        if interrupt is not None:
            raise interrupt
        return answer


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_an_interrupt_while_a_page_is_sent(before: bool) -> None:
    service = Interrupted()
    service.before = before
    handler = Count()
    pages = Pages(updates(1, 1, 1), ROWS, max_transaction_items=2, progress=None, progress_field="applied")
    pager = WritingPager(pages, handler, service)
    with pytest.raises(KeyboardInterrupt):
        pager.execute()
    assert (pager.updated_count, left(pager)) == (0, [0, 1, 2])
    handler.calls.clear()
    pager.execute()
    assert handler.calls[:2] == ["page_written", "before_page"]
    assert service.steps == [[0, 1000], [2000]]
    if not before:
        assert service.requests[0] == service.requests[1]
    assert pager.updated_count == 3


def test_an_iterable_that_raises() -> None:
    pager, service = make(raising(lambda: KeyError("mine"), *updates(1, 1, 1)), Count())
    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            pager.execute()
        assert service.steps == [[0, 1000], [2000]]
        assert (pager.updated_count, left(pager)) == (3, [])


def test_memory_is_bounded_by_a_page() -> None:
    alive = 0
    most = 0

    class Heavy:
        def __init__(self, number: int) -> None:
            nonlocal alive, most
            self.number = number
            alive += 1
            most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    class Save(WritingPagerHandler[Heavy]):
        def item(self, writes: TransactionWriteSet, update: Heavy) -> None:
            writes.save(Step(name="n", number=update.number))

    class Forget(Service):
        def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
            return b"{}"

    def numbers() -> Iterator[Heavy]:
        for number in range(1000):
            yield Heavy(number)

    pages = Pages(numbers(), ROWS, max_transaction_items=10, progress=None, progress_field="applied")
    pager = WritingPager(pages, Save(), Forget())
    pager.execute()
    assert pager.updated_count == 1000
    assert most <= 2 * 10 + 1


# What a hook must not do.


def test_one_thread_at_a_time() -> None:
    begun, go_on = Event(), Event()

    class Slow(Count):
        def before_page(self, remaining_updates: Sequence[Update], max_transaction_items: int) -> int:
            begun.set()
            assert go_on.wait(10)
            return super().before_page(remaining_updates, max_transaction_items)

    pager, service = make(updates(*[1] * 5), Slow())
    with ThreadPoolExecutor(1) as threads:
        running = threads.submit(pager.execute)
        assert begun.wait(10)
        with pytest.raises(LogicalDbError) as raised:
            pager.execute()
        go_on.set()
        running.result(10)
    assert str(raised.value) == "the writing pager is being executed already, by another thread or task"
    assert service.steps == [[0, 1000], [2000, 3000], [4000]]
    pager.execute()


def test_a_thread_that_ended_does_not_stand_in_the_way() -> None:
    """As one that an interrupt kept from saying that it is done."""
    pager, service = make(updates(1), Count())
    gone = Thread(target=lambda: None)
    gone.start()
    gone.join()
    pager._pages._executing["by"] = gone
    pager.execute()
    assert service.steps == [[0]]


def test_the_list_of_the_applied_updates_is_the_hooks_own() -> None:
    class Clear(Count):
        def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
            super().finish_page(writes, applied)
            assert isinstance(applied, list)
            applied.clear()

    pager, service = make(updates(1, 1, 1), Clear())
    pager.execute()
    assert service.steps == [[0, 1000], [2000]]
    assert (pager.updated_count, left(pager)) == (3, [])


@pytest.mark.parametrize("method", ["item", "finish_page"])
def test_a_page_has_a_token_of_its_own(method: str) -> None:
    class Token(Count):
        def item(self, writes: TransactionWriteSet, update: Update) -> None:
            if method == "item":
                writes.idempotency_token("mine")

        def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
            writes.idempotency_token("mine")

    pager, service = make(updates(1), Token())
    with pytest.raises(LogicalDbError) as raised:
        pager.execute()
    assert str(raised.value) == (
        f"{method} gives an idempotency token, and each page has one of its own; progress= is for runs that are started again"
    )
    assert (service.requests, pager.updated_count) == ([], 0)


async def coroutine(*_: Any) -> None:
    raise AssertionError


def generator(*_: Any) -> Iterator[None]:
    yield


async def asynchronous_generator(*_: Any) -> AsyncIterator[None]:
    yield


@pytest.mark.parametrize("kind", [coroutine, generator, asynchronous_generator], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("method", ["each_page", "before_page", "item", "finish_page", "page_written"])
def test_a_hook_that_would_do_nothing_is_refused(method: str, kind: Any) -> None:
    handler = type("Wrong", (Count,), {method: kind})()
    pager, service = make(updates(1), handler)
    with pytest.raises(TypeError) as raised:
        pager.execute()
    assert str(raised.value) == f"Wrong.{method} should be a plain method here, neither async nor a generator"
    assert service.steps == ([[0]] if method == "page_written" else [])
