"""The pages of a writing pager, driven by hand: what they hold, and what comes of each answer (W1, W3, W4, W6)."""

# What is wrong here is wrong on purpose.
# pyright: reportArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

import pytest

from logicaldb import (
    AmbiguousWrite,
    DuplicateItem,
    Item,
    ItemKey,
    LimitExceeded,
    LogicalDbError,
    PagerStalled,
    ThroughputExceeded,
    TransactionCanceled,
    TransactionWriteSet,
    attr,
)
from logicaldb.codec.limits import MAX_TRANSACTION_BYTES, item_size
from logicaldb.codec.writing import plain
from logicaldb.errors import EncodingError
from logicaldb.flow import Request, ServiceFailure, Unanswered
from logicaldb.operations.pager import PageRules, Pages, check_handler
from logicaldb.pager import WritingPagerHandler
from tests.pagers import Count, Run, Step, Update, raising, rows_of, updates
from tests.unit.operations.driving import cancelled, drive, failed

ROWS = rows_of()


def make(given: Iterable[Any], limit: Any = 25, **options: Any) -> Pages[Any]:
    return Pages(given, ROWS, max_transaction_items=limit, **{"progress": None, "progress_field": "applied", **options})


def write(pages: Pages[Any], rules: PageRules[Any], most: int = 1000) -> list[int]:
    """Write one page; give the numbers of its updates."""
    before = pages.remaining.dropped
    numbers = [update.number for update in pages.remaining]
    pages.fill(most, rules)
    page = pages.page
    assert page is not None
    sent = drive(pages.send(), *([{}] if page.writes.size else []))
    assert sent.result is page.writes
    assert sent.operations == (["TransactWriteItems"] if page.writes.size else [])
    if sent.requests:
        assert len(sent.bodies[0]["TransactItems"]) == page.writes.size <= pages.max_operations + 1
    assert pages.page is None
    return numbers[: pages.remaining.dropped - before]


def write_all(pages: Pages[Any], rules: PageRules[Any], most: int = 1000) -> list[list[int]]:
    written: list[list[int]] = []
    while pages.more():
        written.append(write(pages, rules, most))
    return written


class Finish(Count):
    """Adds operations to each page."""

    def __init__(self, operations: int, kept: int | None = None) -> None:
        super().__init__()
        self.operations = operations
        self.finish_operations = operations if kept is None else kept

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
        for number in range(self.operations):
            writes.update(Step.Key("finish", number), attr(Step.hits).add(len(applied)))


# What a page holds.


def test_what_is_sent() -> None:
    pages = make([Update(7, [1, 2])])
    pages.fill(1, Finish(1))
    (body,) = drive(pages.send(), {}).bodies
    assert list(body) == ["TransactItems", "ClientRequestToken"]
    assert len(body["ClientRequestToken"]) == 32
    assert [
        (list(action), action["Update"]["TableName"], action["Update"]["Key"]) for action in body["TransactItems"]
    ] == [
        (["Update"], "rows", {"pk": {"S": "n"}, "sk": {"S": "STEP_000001"}}),
        (["Update"], "rows", {"pk": {"S": "n"}, "sk": {"S": "STEP_000002"}}),
        (["Update"], "rows", {"pk": {"S": "finish"}, "sk": {"S": "STEP_000000"}}),
    ]


@pytest.mark.parametrize(
    ("sizes", "limit", "kept", "most", "expected"),
    [
        ([1] * 25, 10, 1, 1000, [9, 9, 7]),
        ([1] * 25, 10, 0, 9, [9, 9, 7]),
        ([1] * 25, 10, 0, 1000, [10, 10, 5]),
        ([1] * 25, 10, 4, 2, [2] * 12 + [1]),
        ([1], 1, 0, 1000, [1]),
        ([1] * 3, 1, 0, 1000, [1, 1, 1]),
        ([1] * 250, 100, 0, 1000, [100, 100, 50]),
        # An update goes whole to the next page, and none overtakes it.
        ([2, 2, 2], 5, 0, 1000, [2, 1]),
        ([4, 3, 1, 1], 5, 0, 1000, [1, 3]),
        ([1, 5, 1, 4, 2], 5, 0, 1000, [1, 1, 2, 1]),
        ([3, 3, 3], 5, 2, 1000, [1, 1, 1]),
        # Updates without operations take no room.
        ([0, 0, 5, 0, 0, 1], 5, 0, 1000, [5, 1]),
        ([0] * 40, 5, 0, 1000, [40]),
        ([0] * 5, 5, 5, 2, [2, 2, 1]),
    ],
)
def test_the_sizes_of_pages(sizes: list[int], limit: int, kept: int, most: int, expected: list[int]) -> None:
    pages = make(updates(*sizes), limit)
    written = write_all(pages, Finish(kept), most)
    assert [len(page) for page in written] == expected
    assert [number for page in written for number in page] == list(range(len(sizes)))
    assert pages.updated_count == len(sizes)


def test_without_updates_there_is_no_page() -> None:
    for nothing in (updates(), iter(updates())):
        pages = make(nothing)
        assert not pages.more()
        assert pages.updated_count == 0


def test_pages_without_operations_send_nothing() -> None:
    pages = make(updates(0, 0), 2)
    assert write(pages, Count()) == [0, 1]
    assert not pages.more()


def test_two_updates_of_one_row_are_in_two_pages() -> None:
    given = [Update(0, [1, 2]), Update(1, [3]), Update(2, [4, 1]), Update(3, [1]), Update(4, [5])]
    assert write_all(make(given), Count()) == [[0, 1], [2], [3, 4]]


def test_two_operations_of_one_update_on_one_row_are_refused() -> None:
    pages = make([Update(0, [1]), Update(1, [2, 2])])
    with pytest.raises(DuplicateItem) as raised:
        pages.fill(10, Count())
    row = "update of Step.Key(name='n', number=2)"
    assert str(raised.value) == f"{row} and {row} are about one row"
    assert (pages.page, pages.updated_count) == (None, 0)


def test_an_operation_of_finish_page_on_the_row_of_an_update_is_refused() -> None:
    class Same(Count):
        def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
            writes.delete_key(Step.Key("n", 2))

    pages = make([Update(0, [1]), Update(1, [2])])
    with pytest.raises(DuplicateItem) as raised:
        pages.fill(10, Same())
    assert str(raised.value) == (
        "update of Step.Key(name='n', number=2) and delete_key of Step.Key(name='n', number=2) are about one row"
    )
    assert (pages.page, pages.updated_count) == (None, 0)


class Put(WritingPagerHandler[Step]):
    """Puts items; ``finish`` is put with each page."""

    def __init__(self, finish: Step | None = None) -> None:
        self.finish = finish

    def item(self, writes: TransactionWriteSet, update: Step) -> None:
        writes.put(update)

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Step]) -> None:
        if self.finish is not None:
            writes.put(self.finish)


def step(number: int, size: int, name: str = "n") -> Step:
    """A step of so many bytes."""
    rest = Step(name=name, number=number, text="")
    (operation,) = TransactionWriteSet().put(rest).operations
    return rest.replace(text="x" * (size - item_size(plain(ROWS.prepare(operation).parameters["Item"]))))


TENTH = MAX_TRANSACTION_BYTES // 11
LAST = MAX_TRANSACTION_BYTES - 10 * TENTH
"""So many bytes after ten items, and a transaction is full."""


@pytest.mark.parametrize(("last", "expected"), [(LAST, [11, 4]), (LAST + 1, [10, 5])])
def test_bytes_count(last: int, expected: list[int]) -> None:
    given = [*[step(number, TENTH) for number in range(10)], step(10, last)]
    given += [step(number, 100) for number in range(11, 15)]
    pages = make(given)
    sizes: list[int] = []
    while pages.more():
        before = pages.updated_count
        pages.fill(100, Put())
        drive(pages.send(), {})
        sizes.append(pages.updated_count - before)
    assert sizes == expected  # of the items that would still fit, none overtakes the one that does not


class Big(WritingPagerHandler[Sequence[Step]]):
    """Puts several items for each update."""

    def item(self, writes: TransactionWriteSet, update: Sequence[Step]) -> None:
        for one in update:
            writes.put(one)


def test_an_update_of_too_many_bytes_goes_nowhere() -> None:
    big = [*[step(number, TENTH) for number in range(10)], step(10, LAST + 1)]
    pages = make([[step(20, 100)], big])
    pages.fill(100, Big())
    drive(pages.send(), {})
    with pytest.raises(PagerStalled) as raised:
        pages.fill(100, Big())
    assert str(raised.value) == "updates[1]: it has 4194305 bytes, and a page has room for 4194304"
    assert raised.value.update is big
    assert (pages.page, pages.updated_count) == (None, 1)


def test_finish_page_may_bring_too_many_bytes() -> None:
    given = [step(number, TENTH) for number in range(10)]
    make(given).fill(100, Put(step(0, LAST, "finish")))
    pages = make(given)
    with pytest.raises(LimitExceeded) as raised:
        pages.fill(100, Put(step(0, LAST + 1, "finish")))
    assert str(raised.value) == (
        "finish_page: the page has 4194305 bytes with its own, and takes 4194304; let before_page take fewer updates"
    )
    assert (pages.page, pages.updated_count) == (None, 0)
    pages.fill(9, Put(step(0, LAST + 1, "finish")))


def test_the_bytes_of_the_progress_are_kept_free() -> None:
    """Else a page that is full without it would fail in each run."""
    given = [*[step(number, TENTH) for number in range(10)], step(10, LAST)]
    pages = make(given, progress=Run(name="r"))
    drive(pages.start(), {})
    pages.fill(100, Put())
    drive(pages.send(), {})
    assert pages.updated_count == 10
    pages = make([given], progress=Run(name="r"))
    with pytest.raises(PagerStalled) as raised:
        pages.fill(100, Big())
    message, _, room = str(raised.value).rpartition(" ")
    assert message == "updates[0]: it has 4194304 bytes, and a page has room for"
    assert 4194304 - 300 < int(room) < 4194304


# What is refused.


@pytest.mark.parametrize("limit", [0, -1, 101])
def test_a_page_has_one_to_a_hundred_operations(limit: int) -> None:
    with pytest.raises(LimitExceeded) as raised:
        make([], limit)
    assert str(raised.value) == f"max_transaction_items={limit}: a transaction takes 1 to 100 operations"


@pytest.mark.parametrize(
    ("limit", "found"), [(True, "a bool"), ("25", "a str"), (25.0, "a float"), (None, "None")], ids=str
)
def test_the_number_of_operations_is_an_int(limit: Any, found: str) -> None:
    with pytest.raises(TypeError) as raised:
        make([], limit)
    assert str(raised.value) == f"max_transaction_items is an int, not {found}"


@pytest.mark.parametrize("given", [{1, 2}, frozenset([1])])
def test_a_set_has_no_order_that_progress_could_count(given: Any) -> None:
    with pytest.raises(TypeError) as raised:
        make(given, progress=Run(name="r"))
    assert str(raised.value) == (
        "progress counts updates in their order, and a set has another in each run; give a list"
    )
    assert make(given).more()


@pytest.mark.parametrize(
    ("answer", "found"), [(None, "None"), (True, "a bool"), ("3", "a str"), (2.0, "a float")], ids=str
)
def test_before_page_returns_a_number(answer: Any, found: str) -> None:
    pages = make(updates(1))
    with pytest.raises(TypeError) as raised:
        pages.fill(answer, Count())
    assert str(raised.value) == f"before_page returns how many updates the page takes at most, not {found}"


@pytest.mark.parametrize("kept", [-1, None, True, "1", 1.0], ids=str)
def test_finish_operations_is_a_number(kept: Any) -> None:
    rules = Count()
    rules.finish_operations = kept
    with pytest.raises(TypeError) as raised:
        make(updates(1)).fill(1, rules)
    assert str(raised.value) == f"finish_operations is how many operations finish_page adds, not {kept!r}"


@pytest.mark.parametrize("most", [0, -3])
def test_before_page_may_not_take_nothing(most: int) -> None:
    pages = make(updates(1, 1))
    rules = Count()
    write(pages, rules, 1)
    rules.calls.clear()
    with pytest.raises(PagerStalled) as raised:
        pages.fill(most, rules)
    assert str(raised.value) == f"updates[1]: before_page takes {most} updates"
    assert raised.value.update == Update(1, [1000])
    assert rules.calls == []


@pytest.mark.parametrize(
    ("sizes", "limit", "kept", "message"),
    [
        ([6], 5, 0, "updates[0]: it has 6 operations, and a page has room for 5"),
        ([5], 5, 1, "updates[0]: it has 5 operations, and a page has room for 4"),
        ([1], 5, 5, "updates[0]: it has 1 operations, and a page has room for 0"),
        ([1], 5, 9, "updates[0]: it has 1 operations, and a page has room for 0"),
        ([101], 100, 0, "updates[0]: it has 101 operations, and a page has room for 100"),
        ([1, 2, 6, 1], 5, 0, "updates[2]: it has 6 operations, and a page has room for 5"),
    ],
)
def test_an_update_bigger_than_a_page(sizes: list[int], limit: int, kept: int, message: str) -> None:
    given = updates(*sizes)
    pages = make(given, limit)
    with pytest.raises(PagerStalled) as raised:
        write_all(pages, Finish(kept))
    assert str(raised.value) == message
    stalled = pages.updated_count
    assert raised.value.update == given[stalled]
    assert stalled == sizes.index(max(sizes))  # those before are written
    assert pages.page is None


def test_finish_page_beyond_the_limit() -> None:
    pages = make(updates(1, 1, 1), 3)
    with pytest.raises(LimitExceeded) as raised:
        pages.fill(100, Finish(2, kept=1))
    assert str(raised.value) == (
        "finish_page: the page has 4 operations with its own, and takes 3; tell before by finish_operations how many it "
        "adds"
    )
    assert (pages.page, pages.updated_count) == (None, 0)
    assert write_all(pages, Finish(2)) == [[0], [1], [2]]


@pytest.mark.parametrize(
    ("update", "named"),
    [
        (Step(name="n", number=3, text="secret"), " (Step.Key(name='n', number=3))"),
        (Step.Key("n", 3), " (Step.Key(name='n', number=3))"),
        ("secret", ""),
        (("n", "secret"), ""),
        (None, ""),
    ],
)
def test_messages_name_an_update_by_its_key_alone(update: Any, named: str) -> None:
    pages = make([update])
    with pytest.raises(PagerStalled) as raised:
        pages.fill(0, Put())
    assert str(raised.value) == f"updates[0]{named}: before_page takes 0 updates"
    assert raised.value.update is update


class Keyless(Item):
    text: str


class Nameless(Item):
    name: str | None = None

    class Key(ItemKey["Nameless"]):
        name: str


@pytest.mark.parametrize("update", [Keyless(text="secret"), Nameless()], ids=["no key type", "no key"])
def test_an_item_without_a_key_is_not_named(update: Any) -> None:
    pages = make([update])
    with pytest.raises(PagerStalled) as raised:
        pages.fill(0, Put())
    assert str(raised.value) == "updates[0]: before_page takes 0 updates"


@pytest.mark.parametrize("handler", [None, Count, Step(name="n", number=1)], ids=["none", "class", "item"])
def test_a_handler_is_one(handler: Any) -> None:
    with pytest.raises(TypeError) as raised:
        check_handler(handler, WritingPagerHandler)
    found = {type(None): "NoneType", type(Count): "the class Count", Step: "Step"}[type(handler)]
    assert str(raised.value) == f"the handler of this writing pager should be of WritingPagerHandler, not {found}"
    check_handler(Count(), WritingPagerHandler)


# What comes of a page.

DEFINITE = pytest.mark.parametrize(
    ("answer", "error"),
    [
        (cancelled({"Code": "ConditionalCheckFailed"}), TransactionCanceled),
        (cancelled({"Code": "ValidationError"}), TransactionCanceled),
        (failed("TransactionCanceledException"), TransactionCanceled),
        (failed("TransactionCanceledException", ambiguous=True), TransactionCanceled),
        (failed("ValidationException"), ServiceFailure),
        (failed("ProvisionedThroughputExceededException"), ServiceFailure),
    ],
    ids=["condition", "wrong", "no reasons", "after a lost answer", "refused", "throttled"],
)
UNKNOWN = pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Unanswered(ConnectionError("lost")), AmbiguousWrite),
        (failed("TransactionInProgressException"), AmbiguousWrite),
        (failed("ValidationException", ambiguous=True), AmbiguousWrite),
        (RuntimeError("a hook of the client"), RuntimeError),
    ],
    ids=["lost", "in progress", "refused after a lost answer", "of the client"],
)


@DEFINITE
def test_a_page_that_failed_is_made_anew(answer: Any, error: type[Exception]) -> None:
    pages = make(updates(1, 1, 1), 2)
    rules = Count()
    pages.fill(10, rules)
    with pytest.raises(error) as raised:
        drive(pages.send(), answer)
    (first,) = raised.value.run.bodies  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert (pages.page, pages.updated_count, len(pages.remaining)) == (None, 0, 3)
    rules.calls.clear()
    pages.fill(1, rules)
    second = drive(pages.send(), {}).bodies[0]
    assert rules.calls == ["item 0", "finish_page"]
    assert second["ClientRequestToken"] != first["ClientRequestToken"]
    assert len(second["TransactItems"]) == 1
    assert (pages.updated_count, [update.number for update in pages.remaining]) == (1, [1, 2])


@UNKNOWN
def test_a_page_that_may_be_written_is_sent_again_as_it_was(answer: Any, error: type[Exception]) -> None:
    """W4."""
    pages = make(updates(1, 1, 1), 2)
    rules = Count()
    pages.fill(10, rules)
    page = pages.page
    bodies: list[Any] = []
    for _ in range(2):
        with pytest.raises(error) as raised:
            drive(pages.send(), answer)
        bodies += raised.value.run.bodies  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        assert pages.page is page
        assert (pages.updated_count, len(pages.remaining)) == (0, 3)
    again = drive(pages.send(), {})
    assert [*bodies, *again.bodies] == [bodies[0]] * 3
    assert pages.page is None
    assert (pages.updated_count, [update.number for update in pages.remaining]) == (2, [2])
    assert rules.calls == ["item 0", "item 1", "item 2", "finish_page"]


def test_a_page_that_may_be_written_and_is_refused_is_made_anew() -> None:
    pages = make(updates(1, 1), 2)
    pages.fill(10, Count())
    with pytest.raises(AmbiguousWrite):
        drive(pages.send(), Unanswered(ConnectionError()))
    with pytest.raises(TransactionCanceled):
        drive(pages.send(), cancelled({"Code": "ConditionalCheckFailed"}))
    assert (pages.page, pages.updated_count) == (None, 0)


def test_a_page_that_is_written_and_not_counted_is_not_made_anew() -> None:
    """An interrupt may come between the answer and the count."""
    pages = make(updates(1, 1), 2)
    pages.fill(10, Count())
    page = pages.page
    assert page is not None
    drive(pages.send(), {})
    pages.remaining.dropped = 0
    assert pages.page is page
    for _ in range(2):
        with pytest.raises(ServiceFailure):
            drive(pages.send(), failed("AccessDeniedException"))
        assert pages.page is page
    drive(pages.send(), {})
    assert pages.updated_count == 2


def test_a_page_that_may_be_written_stays_until_a_cancellation_tells() -> None:
    """A refusal tells of the last try alone."""
    pages = make(updates(1, 1), 2)
    pages.fill(10, Count())
    page = pages.page
    for answer, error in [
        (RuntimeError("a hook of the client"), RuntimeError),
        (failed("AccessDeniedException"), ServiceFailure),
        (Unanswered(ConnectionError()), AmbiguousWrite),
        (failed("AccessDeniedException"), AmbiguousWrite),
    ]:
        with pytest.raises(error):
            drive(pages.send(), answer)
        assert pages.page is page
    with pytest.raises(ThroughputExceeded):
        drive(pages.send(), *[cancelled({"Code": "ThrottlingError"})] * 8)
    assert (pages.page, pages.updated_count) == (None, 0)


def test_a_page_whose_token_is_too_old_is_never_sent_again() -> None:
    clock = [0.0]
    pages = make(updates(1, 1), 1, now=lambda: clock[0])
    pages.fill(10, Count())
    with pytest.raises(AmbiguousWrite):
        drive(pages.send(), Unanswered(ConnectionError()))
    clock[0] = 9 * 60.0
    for _ in range(2):
        with pytest.raises(AmbiguousWrite) as raised:
            drive(pages.send())
        assert str(raised.value) == (
            "the transaction (update of Step.Key(name='n', number=0)): was sent more than 9 minutes ago, and no answer told "
            "whether it took effect; its idempotency token is too old to send it again, so look at what is stored"
        )
        assert pages.page is not None
        assert pages.updated_count == 0


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_page_that_was_interrupted_is_sent_again_as_it_was(interrupt: type[BaseException]) -> None:
    pages = make(updates(1, 1), 1)
    pages.fill(10, Count())
    flow = pages.send()
    request = next(flow)
    assert isinstance(request, Request)
    with pytest.raises(interrupt):
        flow.throw(interrupt())
    assert pages.page is not None
    assert pages.updated_count == 0
    with pytest.raises(AmbiguousWrite):  # a refusal does not tell what came of the first try
        drive(pages.send(), failed("AccessDeniedException"))
    assert drive(pages.send(), {}).bodies == [plain(request.body)]
    assert pages.updated_count == 1


def test_contention_is_waited_for_under_one_token() -> None:
    pages = make(updates(1), 1)
    pages.fill(10, Count())
    sent = drive(pages.send(), *[cancelled({"Code": "TransactionConflict"})] * 2, {})
    assert sent.bodies == [sent.bodies[0]] * 3
    assert len(sent.sleeps) == 2
    assert pages.updated_count == 1


def test_throttling_that_does_not_end_was_not_written() -> None:
    pages = make(updates(1), 1)
    pages.fill(10, Count())
    with pytest.raises(ThroughputExceeded):
        drive(pages.send(), *[cancelled({"Code": "ThrottlingError"})] * 8)
    assert (pages.page, pages.updated_count) == (None, 0)


# Iterables of unknown length.


def test_an_iterable_is_drawn_a_page_ahead() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[Update]:
        for number in count():
            drawn.append(number)
            yield Update(number, [number])

    pages = make(endless(), 10)
    rules = Finish(1)
    assert len(drawn) == len(pages.remaining) == 10
    for page in range(1, 4):
        assert pages.more()
        assert len(drawn) == 9 * page + 1
        write(pages, rules)
        assert len(drawn) == 9 * page + 10
        assert len(pages.remaining) == 10


def test_an_iterable_that_raises_does_so_after_those_before_are_written() -> None:
    pages = make(raising(lambda: KeyError("mine"), *updates(1, 1, 1)), 2)
    assert pages.more()
    assert write(pages, Count()) == [0, 1]
    assert pages.more()
    assert write(pages, Count()) == [2]
    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            pages.more()
    assert pages.updated_count == 3


def test_an_iterable_that_is_interrupted_leaves_the_counts_right() -> None:
    """It is drawn after a page was written, and then the page must be counted."""
    pages = make(raising(KeyboardInterrupt, *updates(1, 1)), 2)
    pages.fill(2, Count())
    with pytest.raises(KeyboardInterrupt):
        drive(pages.send(), {})
    assert (pages.page, pages.updated_count) == (None, 2)


# Progress.


def stored(applied: int, version: int) -> dict[str, Any]:
    """The answer that has a progress."""
    return {
        "Item": {
            "pk": {"S": "r"},
            "sk": {"S": "RUN"},
            "applied": {"N": str(applied)},
            "done": {"N": "0"},
            "text": {"S": "stored"},
            "version": {"N": str(version)},
        }
    }


def saved(body: dict[str, Any]) -> tuple[Any, ...]:
    """What the last action of a page saves: the key, the count, and the versions."""
    action = body["TransactItems"][-1]["Update"]
    names, values = action["ExpressionAttributeNames"], action["ExpressionAttributeValues"]
    sets = action["UpdateExpression"].partition("SET ")[2].partition(" REMOVE")[0].split(", ")
    changed = {
        names[name]: values[value] for name, _, value in (one.partition(" = ") for one in sets) if value in values
    }
    return action["Key"]["sk"]["S"], changed["applied"]["N"], changed["text"]["S"], changed["version"]["N"]


def test_the_first_run() -> None:
    pages = make(updates(*[1] * 5), 3, progress=Run(name="r", text="mine"))
    assert pages.max_operations == 2
    run = drive(pages.start(), {})
    assert run.operations == ["GetItem"]
    assert run.bodies == [
        {"TableName": "rows", "Key": {"pk": {"S": "r"}, "sk": {"S": "RUN"}}, "ConsistentRead": True},
    ]
    bodies: list[dict[str, Any]] = []
    while pages.more():
        pages.fill(10, Count())
        bodies += drive(pages.send(), {}).bodies
    assert [len(body["TransactItems"]) for body in bodies] == [3, 3, 2]
    assert [saved(body) for body in bodies] == [
        ("RUN", "2", "mine", "1"),
        ("RUN", "4", "mine", "2"),
        ("RUN", "5", "mine", "3"),
    ]
    assert pages.updated_count == 5
    # It is read once, however often the pager is executed.
    assert drive(pages.start()).requests == []


def test_a_run_that_goes_on() -> None:
    for given in (updates(*[1] * 5), iter(updates(*[1] * 5))):
        pages = make(given, 3, progress=Run(name="r"))
        drive(pages.start(), stored(3, 7))
        assert pages.updated_count == 0
        assert [update.number for update in pages.remaining] == [3, 4]
        pages.fill(10, Count())
        (body,) = drive(pages.send(), {}).bodies
        assert saved(body) == ("RUN", "5", "stored", "8")
        assert pages.updated_count == 2
        assert not pages.more()


def test_messages_count_from_the_first_update_of_all() -> None:
    pages = make(updates(1, 1, 1, 9), 3, progress=Run(name="r"))
    drive(pages.start(), stored(2, 1))
    write(pages, Count(), 1)
    with pytest.raises(PagerStalled) as raised:
        pages.fill(1, Count())
    assert str(raised.value) == "updates[3]: it has 9 operations, and a page has room for 2"


def test_a_run_that_is_complete() -> None:
    pages = make(updates(1, 1), progress=Run(name="r"))
    drive(pages.start(), stored(2, 1))
    assert not pages.more()
    assert pages.updated_count == 0


@pytest.mark.parametrize("make_iterable", [list, iter], ids=["list", "iterator"])
def test_a_progress_of_other_updates(make_iterable: Callable[[list[Update]], Iterable[Update]]) -> None:
    pages = make(make_iterable(updates(1, 1)), progress=Run(name="r"))
    for _ in range(2):  # it stays so
        with pytest.raises(LogicalDbError) as raised:
            drive(pages.start(), stored(3, 1))
        assert str(raised.value) == ("progress: Run.Key(name='r') counts 3 updates as applied, and there are only 2")
        assert pages.updated_count == 0


def test_a_progress_below_nothing() -> None:
    pages = make(updates(1, 1), progress=Run(name="r"))
    with pytest.raises(LogicalDbError) as raised:
        drive(pages.start(), stored(-1, 1))
    assert str(raised.value) == "progress: Run.Key(name='r') counts -1 updates as applied"
    assert (pages.updated_count, len(pages.remaining)) == (0, 2)


def test_an_iterable_that_raises_before_the_place_where_a_run_goes_on() -> None:
    pages = make(raising(lambda: KeyError("mine"), *updates(1, 1, 1)), 2, progress=Run(name="r"))
    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            drive(pages.start(), stored(5, 1))
        assert pages.updated_count == 0


def test_an_interrupt_before_the_place_where_a_run_goes_on() -> None:
    pages = make(raising(KeyboardInterrupt, *updates(1, 1, 1)), 2, progress=Run(name="r"))
    with pytest.raises(KeyboardInterrupt):
        drive(pages.start(), stored(5, 1))
    assert pages.updated_count == 0


def test_a_read_that_fails_is_done_again() -> None:
    pages = make(updates(1, 1, 1), 2, progress=Run(name="r"))
    with pytest.raises(ServiceFailure):
        drive(pages.start(), failed("ResourceNotFoundException"))
    assert len(pages.remaining) == 3
    drive(pages.start(), stored(1, 1))
    assert [update.number for update in pages.remaining] == [1, 2]


def test_a_page_that_failed_does_not_count_in_the_progress() -> None:
    pages = make(updates(1, 1, 1), 2, progress=Run(name="r"))
    drive(pages.start(), {})
    pages.fill(10, Count())
    with pytest.raises(TransactionCanceled):
        drive(pages.send(), cancelled({"Code": "ConditionalCheckFailed"}))
    pages.fill(10, Count())
    (body,) = drive(pages.send(), {}).bodies
    assert saved(body)[1:] == ("1", "", "1")


def test_progress_alone_fills_a_page_of_one() -> None:
    pages = make(updates(0, 0, 1), 1, progress=Run(name="r"))
    drive(pages.start(), {})
    pages.fill(10, Count())
    (body,) = drive(pages.send(), {}).bodies
    assert saved(body) == ("RUN", "2", "", "1")
    with pytest.raises(PagerStalled) as raised:
        pages.fill(10, Count())
    assert str(raised.value) == "updates[2]: it has 1 operations, and a page has room for 0"


def test_an_update_of_the_progress_itself_is_refused() -> None:
    class Meddle(Count):
        def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
            writes.delete_key(Run.Key("r"))

    pages = make(updates(1), progress=Run(name="r"))
    drive(pages.start(), {})
    with pytest.raises(DuplicateItem) as raised:
        pages.fill(10, Meddle())
    assert str(raised.value) == "delete_key of Run.Key(name='r') and save of Run.Key(name='r') are about one row"


def test_what_cannot_be_stored_is_told_before_anything_is_sent() -> None:
    pages = make([Step(name="", number=1)])
    with pytest.raises(EncodingError):
        pages.fill(1, Put())
    assert (pages.page, pages.updated_count) == (None, 0)
