"""Batches: what is sent, what is left over, and what is told of it."""

from __future__ import annotations

import gc
import itertools
import pickle
import weakref
from collections.abc import Callable, Generator, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from logicaldb import (
    BatchIncomplete,
    BatchWriteSet,
    DecodingError,
    DuplicateItem,
    EncodingError,
    IncompleteKey,
    InlineView,
    Item,
    ItemKey,
    LimitExceeded,
    LogicalTable,
)
from logicaldb.drivers import run
from logicaldb.flow import Unanswered
from logicaldb.operations import batches
from logicaldb.operations.rows import Rows
from tests.unit.operations.driving import NOW, NOW_TEXT, NoTransport, Run, drive, failed
from tests.unit.operations.models import (
    Gadget,
    Link,
    Number,
    NumberTable,
    Plain,
    PlainRow,
    PlainTable,
    ThingTable,
    Versioned,
)


class Copy(Item):
    """Another type in the table of ``Plain``: nobody can tell their rows apart."""

    pk: str
    sk: str

    class Key(ItemKey["Copy"]):
        pk: str
        sk: str


class Empty(Item):
    """An item that is false."""

    pk: str
    sk: str

    def __len__(self) -> int:
        return 0

    class Key(ItemKey["Empty"]):
        pk: str
        sk: str


class CopyTable(LogicalTable[PlainRow]):
    copies: InlineView[Copy.Key, Copy]


class EmptyTable(LogicalTable[PlainRow]):
    empties: InlineView[Empty.Key, Empty]


TABLES: dict[str, type[LogicalTable[Any, Any]]] = {
    "plain": PlainTable,
    "copies": CopyTable,
    "empties": EmptyTable,
    "numbers": NumberTable,
    "things": ThingTable,
}


def make_rows() -> Rows:
    rows = Rows("Db")
    for name, table_type in TABLES.items():
        # The copies are in the same physical table.
        table: Any = table_type("plain" if name == "copies" else name, NoTransport(), lambda: NOW, 1)
        for item_type, view_name, view in table.item_views():
            rows.add(item_type, f"db.{name}.{view_name}", view._writer)
    return rows


ROWS = make_rows()


@pytest.fixture(autouse=True)
def longest_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pause is as long as it may be."""
    monkeypatch.setattr("logicaldb.operations.contention.random.uniform", lambda _, longest: longest)


def key(number: int) -> Plain.Key:
    return Plain.Key("p", f"{number:05}")


def item(number: int, value: int = 1) -> Plain:
    return Plain(pk="p", sk=f"{number:05}", value=value)


def wire_key(number: int) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": f"{number:05}"}}


def wire(number: int, value: int = 1) -> dict[str, Any]:
    return {**wire_key(number), "value": {"N": str(value)}}


def answer(numbers: Iterable[int], left: Iterable[int] = ()) -> dict[str, Any]:
    """The answer to a batch of reads: the rows of some keys, and the keys that are left over."""
    keys = [wire_key(number) for number in left]
    return {
        "Responses": {"plain": [wire(number) for number in numbers]},
        "UnprocessedKeys": {"plain": {"Keys": keys}} if keys else {},
    }


def written(*left: int) -> dict[str, Any]:
    """The answer to a batch of writes: the puts that are left over."""
    puts = [{"PutRequest": {"Item": wire(number)}} for number in left]
    return {"UnprocessedItems": {"plain": puts} if puts else {}}


def load(keys: Iterable[Any], *answers: Any, consistent_read: bool = False, page_size: Any = 100) -> Run:
    flow = batches.load(keys, ROWS, consistent_read=consistent_read, page_size=page_size, at_once=7)
    return drive(flow, *answers)


def write(writes: BatchWriteSet, *answers: Any, page_size: Any = 25) -> Run:
    return drive(batches.write(writes, ROWS, page_size=page_size, at_once=7), *answers)


def puts(count: int) -> tuple[list[Plain], BatchWriteSet]:
    items = [item(number) for number in range(count)]
    return items, BatchWriteSet().clobber(*items)


def asked(run: Run) -> list[list[int]]:
    """The rows of ``plain`` that each request is about, by number."""
    numbers: list[list[int]] = []
    for body in run.bodies:
        of_table = body["RequestItems"]["plain"]
        rows = of_table["Keys"] if isinstance(of_table, dict) else [_row(request) for request in of_table]
        numbers.append([int(row["sk"]["S"]) for row in rows])
    return numbers


def _row(request: dict[str, Any]) -> dict[str, Any]:
    (parameters,) = request.values()
    row: dict[str, Any] = parameters.get("Item") or parameters["Key"]
    return row


def run_of(error: BaseException) -> Run:
    run: Run = error.run  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    return run


# Loads


def test_keys_are_asked_for_by_the_hundred_several_requests_at_once() -> None:
    run = load(map(key, range(250)), answer(range(100)), answer(range(100, 200)), answer(range(200, 250)))
    assert asked(run) == [list(range(100)), list(range(100, 200)), list(range(200, 250))]
    assert run.operations == ["BatchGetItem"] * 3
    assert run.gathered == [(3, 7)]
    assert list(run.result) == [item(number) for number in range(250)]
    assert run.sleeps == []


def test_a_request_of_keys() -> None:
    run = load([key(1), key(2)], answer([1, 2]))
    (request,) = run.requests
    assert (request.operation, request.table, request.repeatable) == ("BatchGetItem", "plain", True)
    assert request.body == {"RequestItems": {"plain": {"Keys": [wire_key(1), wire_key(2)]}}}


def test_a_consistent_read_is_one_in_every_table_and_every_try() -> None:
    run = load([key(1), Link.Key("a", "b"), key(2)], answer([1], [2]), answer([2]), consistent_read=True)
    link = {"pk": {"S": "LINK_a"}, "sk": {"S": "LINK_b"}}
    assert run.bodies == [
        {
            "RequestItems": {
                "plain": {"Keys": [wire_key(1), wire_key(2)], "ConsistentRead": True},
                "things": {"Keys": [link], "ConsistentRead": True},
            }
        },
        {"RequestItems": {"plain": {"Keys": [wire_key(2)], "ConsistentRead": True}}},
    ]


def test_items_come_in_the_order_of_their_keys_and_what_is_missing_is_told() -> None:
    link = Link(pk="a", target="b")
    link_row = {"pk": {"S": "LINK_a"}, "sk": {"S": "LINK_b"}}
    keys = [key(3), Link.Key("x", "y"), key(1), Link.Key("a", "b"), key(2)]
    items = load(keys, {"Responses": {"things": [link_row], "plain": [wire(2), wire(3)]}}).result
    assert list(items) == [item(3), link, item(2)]
    assert items.missing == [Link.Key("x", "y"), key(1)]
    assert items.get(key(2)) == item(2)
    assert items.get(key(1)) is None


def test_an_answer_without_rows() -> None:
    assert load([key(1)], {}).result.missing == [key(1)]
    left_over = {"UnprocessedKeys": {"plain": {"Keys": [wire_key(1)]}}}
    assert list(load([key(1)], left_over, answer([1])).result) == [item(1)]


def test_no_keys_no_request() -> None:
    run = load([])
    assert (run.requests, run.gathered, len(run.result), run.result.missing) == ([], [], 0, [])


def test_a_key_that_is_given_twice_is_read_once() -> None:
    run = load([key(2), key(1), key(2), Plain.Key("p", "00001")], answer([1, 2]))
    assert asked(run) == [[2, 1]]
    assert list(run.result) == [item(2), item(1)]


def test_numbers_that_are_equal_are_one_key_however_they_are_written() -> None:
    keys = [Number.Key(1, Decimal("1.50")), Number.Key(1, Decimal("1.5")), Number.Key(1, Decimal("-0"))]
    normalised = [{"pk": {"N": "1"}, "sk": {"N": "0"}}, {"pk": {"N": "1"}, "sk": {"N": "1.5"}}]
    run = load(
        keys,
        {"Responses": {}, "UnprocessedKeys": {"numbers": {"Keys": normalised}}},
        {"Responses": {"numbers": normalised}},
    )
    assert [len(body["RequestItems"]["numbers"]["Keys"]) for body in run.bodies] == [2, 2]
    assert list(run.result) == [Number(pk=1, sk=Decimal("1.5")), Number(pk=1, sk=Decimal(0))]
    assert run.result.missing == []


@pytest.mark.parametrize(
    ("keys", "error", "message"),
    [
        (
            [key(1), Copy.Key("p", "00001")],
            DuplicateItem,
            "Plain.Key(pk='p', sk='00001') and Copy.Key(pk='p', sk='00001') are keys of one row",
        ),
        ([key(1), Plain.Key("p")], IncompleteKey, "Plain.Key(pk='p', sk=None) lacks sk; a whole key is needed here"),
        ([key(1), "x"], TypeError, "a key is due, such as AlbumTrack.Key(...), not str"),
        ([item(1)], TypeError, "a key is due, such as AlbumTrack.Key(...), not Plain"),
    ],
)
def test_wrong_keys_are_refused_before_anything_is_sent(keys: list[Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        load(keys)
    assert str(raised.value) == message
    assert run_of(raised.value).requests == []


@pytest.mark.parametrize("size", [0, -1, 101])
def test_a_page_that_dynamodb_does_not_take(size: int) -> None:
    with pytest.raises(LimitExceeded) as raised:
        load([key(1)], page_size=size)
    assert str(raised.value) == f"max_page_size={size}: DynamoDB takes 1 to 100 in one request"


@pytest.mark.parametrize(("size", "found"), [(True, "a bool"), ("5", "a str"), (5.0, "a float"), (None, "None")])
def test_the_size_of_a_page_is_a_number(size: Any, found: str) -> None:
    calls: list[Callable[[], Run]] = [
        lambda: load([key(1)], page_size=size),
        lambda: write(BatchWriteSet(), page_size=size),
    ]
    for call in calls:
        with pytest.raises(TypeError) as raised:
            call()
        assert str(raised.value) == f"max_page_size is an int, not {found}"


def test_smaller_pages() -> None:
    assert asked(load(map(key, range(5)), *[answer([])] * 3, page_size=2)) == [[0, 1], [2, 3], [4]]
    assert asked(write(puts(5)[1], *[written()] * 5, page_size=1)) == [[0], [1], [2], [3], [4]]


def test_what_is_left_over_is_asked_for_again_and_nothing_else() -> None:
    run = load(map(key, range(5)), answer([0, 3], [4, 1]), answer([4], [1]), answer([1]))
    assert asked(run) == [[0, 1, 2, 3, 4], [1, 4], [1]]
    assert list(run.result) == [item(0), item(1), item(3), item(4)]
    assert run.result.missing == [key(2)]
    assert run.sleeps == [0.05, 0.05]


def test_keys_that_are_left_over_are_known_by_their_table() -> None:
    left = {"plain": {"Keys": [wire_key(2)]}, "empties": {"Keys": [wire_key(1)]}}
    keys = [key(1), key(2), Empty.Key("p", "00001"), Empty.Key("p", "00002")]
    run = load(keys, {"Responses": {"plain": [wire(1)]}, "UnprocessedKeys": left}, {"Responses": {"plain": [wire(2)]}})
    assert run.bodies[1] == {"RequestItems": left}
    assert list(run.result) == [item(1), item(2)]


def test_a_chunk_has_leftovers_of_its_own() -> None:
    run = load(map(key, range(4)), answer([0], [1]), answer([1]), answer([], [2, 3]), answer([3, 2]), page_size=2)
    assert asked(run) == [[0, 1], [1], [2, 3], [2, 3]]
    assert list(run.result) == list(map(item, range(4)))


PAUSES = [0.1, 0.2, 0.4, 0.8, *[1.0] * 7]
"""As long as they may be, of a chunk that never gets on."""


def test_keys_that_are_always_left_over_are_told() -> None:
    keys = [key(number) for number in range(5)]
    with pytest.raises(BatchIncomplete) as raised:
        load(keys, answer([0, 1]), *[answer([], [3, 2])] * 12, page_size=2)
    assert str(raised.value) == "3 of 5 keys were left over"
    unprocessed: list[Any] = raised.value.unprocessed
    assert [found is given for found, given in zip(unprocessed, keys[2:], strict=True)] == [True] * 3
    assert raised.value.__cause__ is None
    run = run_of(raised.value)
    assert asked(run) == [[0, 1], *[[2, 3]] * 12]


def test_a_chunk_is_given_up_after_twelve_tries() -> None:
    with pytest.raises(BatchIncomplete) as raised:
        load([key(1), key(2)], answer([1], [2]), *[answer([], [2])] * 12)
    assert str(raised.value) == "1 of 2 keys were left over"
    assert run_of(raised.value).sleeps == [0.05, *PAUSES]


def test_progress_begins_the_count_of_tries_anew() -> None:
    stuck = [answer([], [1, 2, 3])] * 11, [answer([], [2, 3])] * 11, [answer([], [3])] * 11
    run = load(map(key, [1, 2, 3]), *stuck[0], answer([1], [2, 3]), *stuck[1], answer([2], [3]), *stuck[2], answer([3]))
    assert list(run.result) == [item(1), item(2), item(3)]
    assert run.sleeps == [*PAUSES, 0.05, *PAUSES, 0.05, *PAUSES]


def test_a_chunk_is_given_up_after_a_minute_even_if_it_gets_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "monotonic", itertools.count(1000.0, 20.0).__next__)
    answers = [answer([number], range(number + 1, 10)) for number in range(4)]
    with pytest.raises(BatchIncomplete) as raised:
        load(map(key, range(10)), *answers)
    assert raised.value.unprocessed == [key(number) for number in range(4, 10)]
    assert len(run_of(raised.value).requests) == 4


def test_throttling_of_a_whole_request_leaves_all_of_it_over() -> None:
    throttled = failed("ProvisionedThroughputExceededException")
    run = load(map(key, [1, 2]), throttled, answer([1], [2]), failed("ThrottlingException"), answer([2]))
    assert asked(run) == [[1, 2], [1, 2], [2], [2]]
    assert list(run.result) == [item(1), item(2)]
    assert run.sleeps == [0.1, 0.05, 0.1]


def test_throttling_without_end_is_the_cause() -> None:
    throttled = [failed("RequestLimitExceeded") for _ in range(12)]
    with pytest.raises(BatchIncomplete) as raised:
        load([key(1)], *throttled)
    assert str(raised.value) == "1 of 1 keys were left over"
    assert raised.value.__cause__ is throttled[-1].error
    with pytest.raises(BatchIncomplete) as left_over:
        load([key(1)], *throttled[1:], answer([], [1]))
    assert left_over.value.__cause__ is None


def test_other_errors_reach_the_caller_unchanged_and_end_the_batch() -> None:
    denied = failed("AccessDeniedException")
    with pytest.raises(RuntimeError) as raised:
        load(map(key, range(300)), answer([]), denied)
    assert raised.value is denied.error
    assert len(run_of(raised.value).requests) == 2


def test_a_read_without_an_answer_is_the_botocore_error() -> None:
    lost = Unanswered(OSError("lost"))
    with pytest.raises(OSError, match=r"^lost$") as raised:
        load(map(key, range(300)), answer([]), lost)
    assert raised.value is lost.error


def test_a_row_that_cannot_be_decoded() -> None:
    with pytest.raises(DecodingError) as raised:
        load([key(1)], {"Responses": {"plain": [{**wire_key(1), "value": {"S": "x"}}]}})
    assert raised.value.key == {"pk": "p", "sk": "00001"}


# Lazy loads


class Source:
    """An iterable that counts how many are drawn from it."""

    def __init__(self, values: Iterable[Any]) -> None:
        self.drawn = 0
        self._values = values

    def __iter__(self) -> Generator[Any]:
        for value in self._values:
            self.drawn += 1
            yield value


def test_a_stream_of_keys_is_read_by_windows() -> None:
    stream = batches.load_all(map(key, range(450)), ROWS, consistent_read=True, at_once=2)
    run = drive(stream, *([answer(range(first, min(first + 100, 450))) for first in range(0, 450, 100)]))
    assert run.values == [item(number) for number in range(450)]
    assert run.gathered == [(2, 2), (2, 2), (1, 2)]
    assert [len(numbers) for numbers in asked(run)] == [100, 100, 100, 100, 50]
    assert [requests for requests, _ in run.emitted] == [2] * 200 + [4] * 200 + [5] * 50
    assert all(body["RequestItems"]["plain"]["ConsistentRead"] for body in run.bodies)


def test_no_more_keys_are_drawn_and_no_more_items_held_than_one_window() -> None:
    source = Source(map(key, itertools.count()))
    alive: list[weakref.ref[Any]] = []
    stream = batches.load_all(source, ROWS, consistent_read=False, at_once=3)
    gather: Any = next(stream)
    for window in range(4):
        assert source.drawn == 300 * (window + 1)
        assert [found for ref in alive if (found := ref()) is not None] == []
        for number in range(3):
            next(gather.flows[number])
            first = 300 * window + 100 * number
            with pytest.raises(StopIteration):
                gather.flows[number].send(answer(range(first, first + 100)))
        del gather
        emit: Any = stream.send([None] * 3)
        alive = [weakref.ref(found) for found in emit.values]
        assert len(alive) == 300
        del emit
        gather = next(stream)
    assert source.drawn == 1500
    assert len(gather.flows) == 3


def test_a_source_that_raises_ends_the_stream_after_what_was_read() -> None:
    def keys() -> Generator[Plain.Key]:
        yield from map(key, range(150))
        raise RuntimeError("no more")

    stream = batches.load_all(keys(), ROWS, consistent_read=False, at_once=1)
    with pytest.raises(RuntimeError, match=r"^no more$") as raised:
        drive(stream, answer(range(100)))
    assert run_of(raised.value).values == [item(number) for number in range(100)]


def test_a_key_that_comes_again_in_another_window_is_read_again() -> None:
    keys = [*map(key, range(100)), key(5), key(200), key(5)]
    stream = batches.load_all(keys, ROWS, consistent_read=False, at_once=1)
    run = drive(stream, answer(range(99, -1, -1)), answer([5]))
    assert run.values == [*map(item, range(100)), item(5)]
    assert asked(run)[1] == [5, 200]


# Writes


def test_puts_and_deletes_as_they_are_sent() -> None:
    made = datetime(2020, 1, 2, tzinfo=UTC)
    gadget = Gadget(pk="a", title="x", version=3, stock=7, created=made, updated=made)
    fresh = Versioned(pk="b", title="y")
    link = Link(pk="a", target="b")
    writes = BatchWriteSet().clobber(gadget, fresh).delete(Link.Key("c", "d"), key(1)).clobber(link)
    run = write(writes, {"UnprocessedItems": {}})
    (request,) = run.requests
    assert (request.operation, request.table, request.repeatable) == ("BatchWriteItem", "things", True)
    stored_gadget = {
        "pk": {"S": "GADGET_a"},
        "sk": {"S": "GADGET"},
        "title": {"S": "x"},
        "version": {"N": "4"},
        "stock": {"N": "7"},
        "hits": {"N": "0"},
        "balance": {"N": "0"},
        "created": {"S": "2020-01-02T00:00:00.000000Z"},
        "updated": {"S": NOW_TEXT},
    }
    stored_fresh = {"pk": {"S": "V_b"}, "sk": {"S": "VERSIONED"}, "title": {"S": "y"}, "version": {"N": "1"}}
    assert request.body == {
        "RequestItems": {
            "things": [
                {"PutRequest": {"Item": stored_gadget}},
                {"PutRequest": {"Item": stored_fresh}},
                {"DeleteRequest": {"Key": {"pk": {"S": "LINK_c"}, "sk": {"S": "LINK_d"}}}},
                {"PutRequest": {"Item": {"pk": {"S": "LINK_a"}, "sk": {"S": "LINK_b"}}}},
            ],
            "plain": [{"DeleteRequest": {"Key": wire_key(1)}}],
        }
    }
    assert run.result.clobbered == [gadget.replace(version=4, updated=NOW), fresh.replace(version=1), link]
    assert run.result.deleted == [Link.Key("c", "d"), key(1)]
    assert (gadget.version, fresh.version) == (3, 0)


def test_a_first_time_is_now() -> None:
    run = write(BatchWriteSet().clobber(Gadget(pk="a", title="x")), written())
    assert run.result.clobbered == [Gadget(pk="a", title="x", version=1, created=NOW, updated=NOW)]


def test_writes_are_sent_by_twenty_five_several_requests_at_once() -> None:
    items, writes = puts(60)
    run = write(writes, *[written()] * 3)
    assert asked(run) == [list(range(25)), list(range(25, 50)), list(range(50, 60))]
    assert run.gathered == [(3, 7)]
    assert (run.result.clobbered, run.result.deleted) == (items, [])


def test_an_empty_set_sends_nothing() -> None:
    run = write(BatchWriteSet())
    assert (run.requests, run.gathered, run.result.clobbered, run.result.deleted) == ([], [], [], [])


@pytest.mark.parametrize(
    ("writes", "message"),
    [
        (
            BatchWriteSet().clobber(item(1), item(2), item(1, 5)),
            "clobber of Plain.Key(pk='p', sk='00001') and clobber of Plain.Key(pk='p', sk='00001') are about one row",
        ),
        (
            BatchWriteSet().clobber(item(1)).delete(key(2), key(1)),
            "clobber of Plain.Key(pk='p', sk='00001') and delete_key of Plain.Key(pk='p', sk='00001') are about one row",
        ),
        (
            BatchWriteSet().delete(key(1), Copy.Key("p", "00001")),
            "delete_key of Plain.Key(pk='p', sk='00001') and delete_key of Copy.Key(pk='p', sk='00001') are about one row",
        ),
        (
            BatchWriteSet().delete(Number.Key(1, Decimal("1.0")), Number.Key(1, Decimal(1))),
            (
                "delete_key of Number.Key(pk=1, sk=Decimal('1.0')) and delete_key of "
                "Number.Key(pk=1, sk=Decimal('1')) are about one row"
            ),
        ),
    ],
)
def test_two_writes_of_one_row_are_refused_before_anything_is_sent(writes: BatchWriteSet, message: str) -> None:
    with pytest.raises(DuplicateItem) as raised:
        write(writes)
    assert str(raised.value) == message
    assert run_of(raised.value).requests == []


def test_what_cannot_be_stored_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(EncodingError) as raised:
        write(puts(30)[1].clobber(Plain(pk="", sk="x")))
    assert str(raised.value) == "Plain.pk: is an empty string, and the key attribute pk cannot be"
    assert run_of(raised.value).requests == []


@pytest.mark.parametrize("size", [0, 26, 100])
def test_a_page_of_writes_that_dynamodb_does_not_take(size: int) -> None:
    with pytest.raises(LimitExceeded) as raised:
        write(puts(1)[1], page_size=size)
    assert str(raised.value) == f"max_page_size={size}: DynamoDB takes 1 to 25 in one request"


def test_a_batch_is_written_of_a_set() -> None:
    items: Any = [item(1)]
    with pytest.raises(TypeError) as raised:
        write(items)
    assert str(raised.value) == "a BatchWriteSet is due, not a list"


def test_writes_that_are_left_over_are_sent_again_as_they_were() -> None:
    items, writes = puts(4)
    run = write(writes, written(3, 1), written(3), written())
    assert asked(run) == [[0, 1, 2, 3], [1, 3], [3]]
    assert run.bodies[2]["RequestItems"]["plain"] == [{"PutRequest": {"Item": wire(3)}}]
    assert run.result.clobbered == items
    assert run.sleeps == [0.05, 0.05]


def test_leftovers_are_known_by_table_and_key_whatever_their_kind() -> None:
    both = BatchWriteSet().clobber(item(1)).delete(Empty.Key("p", "00001"), key(2))
    numbers = Number(pk=1, sk=Decimal("1.50")), Number.Key(2, Decimal("2.0"))
    writes = both.clobber(numbers[0]).delete(numbers[1])
    left = {
        "UnprocessedItems": {
            "empties": [{"DeleteRequest": {"Key": wire_key(1)}}],
            "numbers": [
                {"PutRequest": {"Item": {"pk": {"N": "1.0"}, "sk": {"N": "1.500"}}}},
                {"DeleteRequest": {"Key": {"sk": {"N": "2E+0"}, "pk": {"N": "2"}}}},
            ],
        }
    }
    run = write(writes, left, written())
    sent = run.bodies[0]["RequestItems"]
    assert [*sent] == ["plain", "empties", "numbers"]
    assert run.bodies[1]["RequestItems"] == {"empties": sent["empties"], "numbers": sent["numbers"]}


def test_what_is_left_in_the_end_is_told_as_it_was_given() -> None:
    versioned, empty, gone = Versioned(pk="a", title="x", version=3), Empty(pk="a", sk="b"), Link.Key("c", "d")
    writes = BatchWriteSet().clobber(item(1), versioned, empty).delete(gone)
    left = {
        "UnprocessedItems": {
            "things": [
                {"DeleteRequest": {"Key": {"pk": {"S": "LINK_c"}, "sk": {"S": "LINK_d"}}}},
                {"PutRequest": {"Item": {"pk": {"S": "V_a"}, "sk": {"S": "VERSIONED"}, "title": {"S": "x"}}}},
            ],
            "empties": [{"PutRequest": {"Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}}}],
        }
    }
    with pytest.raises(BatchIncomplete) as raised:
        write(writes, *[left] * 13)
    assert str(raised.value) == "3 of 4 writes were left over"
    unprocessed: list[Any] = raised.value.unprocessed
    assert [found is given for found, given in zip(unprocessed, (versioned, empty, gone), strict=True)] == [True] * 3
    assert raised.value.__cause__ is None
    assert pickle.loads(pickle.dumps(raised.value)).unprocessed == unprocessed


def test_a_chunk_that_is_given_up_ends_the_batch() -> None:
    items, writes = puts(60)
    throttled = failed("ThrottlingException")
    with pytest.raises(BatchIncomplete) as raised:
        write(writes, written(), *[throttled] * 12)
    assert str(raised.value) == "35 of 60 writes were left over"
    assert raised.value.unprocessed == items[25:]
    assert raised.value.__cause__ is throttled.error
    assert len(run_of(raised.value).requests) == 13


def test_a_lost_answer_is_told_apart() -> None:
    items, writes = puts(60)
    lost = Unanswered(OSError("lost"))
    with pytest.raises(BatchIncomplete) as raised:
        write(writes, written(), lost)
    assert str(raised.value) == "35 of 60 writes were left over; no answer tells whether 25 of them took effect"
    assert raised.value.unprocessed == items[25:]
    assert raised.value.__cause__ is lost.error
    with pytest.raises(BatchIncomplete) as at_once:
        write(puts(1)[1], lost)
    assert str(at_once.value) == "1 of 1 writes were left over; no answer tells whether 1 of them took effect"


def test_what_was_lost_before_an_answer_may_have_taken_effect() -> None:
    items, writes = puts(3)
    denied = failed("AccessDeniedException", ambiguous=True)
    with pytest.raises(BatchIncomplete) as raised:
        write(writes, denied)
    assert str(raised.value) == "3 of 3 writes were left over; no answer tells whether 3 of them took effect"
    assert raised.value.__cause__ is denied.error
    with pytest.raises(BatchIncomplete) as later:
        write(writes, failed("ThrottlingException", ambiguous=True), written(2), failed("AccessDeniedException"))
    assert str(later.value) == "1 of 3 writes were left over; no answer tells whether 1 of them took effect"
    assert later.value.unprocessed == items[2:]


@pytest.mark.parametrize("before", [(), (failed("ThrottlingException"),), (written(*range(25)),)])
def test_where_nothing_is_written_the_error_reaches_the_caller_unchanged(before: tuple[Any, ...]) -> None:
    denied = failed("AccessDeniedException")
    with pytest.raises(RuntimeError) as raised:
        write(puts(60)[1], *before, denied)
    assert raised.value is denied.error
    assert len(run_of(raised.value).requests) == len(before) + 1


@pytest.mark.parametrize(
    ("before", "left"),
    [((written(),), range(25, 60)), ((written(3), written(), written(30, 40)), [30, 40, *range(50, 60)])],
)
def test_where_something_is_written_the_error_is_the_cause(before: tuple[Any, ...], left: Iterable[int]) -> None:
    items, writes = puts(60)
    denied = failed("AccessDeniedException")
    with pytest.raises(BatchIncomplete) as raised:
        write(writes, *before, denied)
    assert raised.value.unprocessed == [items[number] for number in left]
    number = len(raised.value.unprocessed)
    assert str(raised.value) == f"{number} of 60 writes were left over; RuntimeError ended the batch"
    assert raised.value.__cause__ is denied.error


@pytest.mark.parametrize("at_once", [1, 3])
@pytest.mark.parametrize("what", ["throttled", "lost", "denied", "read"])
def test_an_error_is_freed_without_the_garbage_collector(
    monkeypatch: pytest.MonkeyPatch, what: str, at_once: int
) -> None:
    """An exception in a cycle with its frames would keep alive all that its caller has at hand."""
    monkeypatch.setattr("logicaldb.drivers.sleep", lambda _: None)

    class Failing:
        def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
            if b"00001" in body:
                return b"{}"
            raise Unanswered(OSError()) if what == "lost" else failed("X" if what == "denied" else "Throttling")

    class Canary:
        pass

    def flow() -> Any:
        if what == "read":
            keys = map(key, range(300))
            return batches.load(keys, ROWS, consistent_read=False, page_size=100, at_once=at_once)
        return batches.write(puts(60)[1], ROWS, page_size=25, at_once=at_once)

    def caller() -> weakref.ref[Canary]:
        canary = Canary()
        try:
            run(flow(), Failing())
        except BatchIncomplete:
            return weakref.ref(canary)
        raise AssertionError("nothing was raised")

    gc.disable()
    try:
        assert caller()() is None
    finally:
        gc.enable()


# Lazy writes


def write_all(writes: Iterable[Any], *answers: Any, at_once: int = 2) -> Run:
    return drive(batches.write_all(writes, ROWS, at_once=at_once), *answers)


def notes(error: BaseException) -> list[str]:
    return error.__notes__


def test_a_stream_of_writes_is_sent_by_windows() -> None:
    run = write_all(map(item, range(120)), *[written()] * 5)
    assert [len(numbers) for numbers in asked(run)] == [25, 25, 25, 25, 20]
    assert run.gathered == [(2, 2), (2, 2), (1, 2)]
    assert run.result == 120


def test_no_more_writes_are_drawn_than_one_window() -> None:
    source = Source(map(item, itertools.count()))
    flow = batches.write_all(source, ROWS, at_once=4)
    gather: Any = next(flow)
    for window in range(1, 4):
        assert source.drawn == 100 * window
        for chunk in gather.flows:
            next(chunk)
            with pytest.raises(StopIteration):
                chunk.send(written())
        gather = flow.send([None] * 4)


def test_items_are_put_and_keys_deleted() -> None:
    run = write_all([item(1), key(2), Versioned(pk="a", title="x", version=1)], written())
    version = {"pk": {"S": "V_a"}, "sk": {"S": "VERSIONED"}, "title": {"S": "x"}, "version": {"N": "2"}}
    assert run.bodies == [
        {
            "RequestItems": {
                "plain": [{"PutRequest": {"Item": wire(1)}}, {"DeleteRequest": {"Key": wire_key(2)}}],
                "things": [{"PutRequest": {"Item": version}}],
            }
        }
    ]
    assert run.result == 3


def test_an_empty_stream_writes_nothing() -> None:
    run = write_all(iter(()))
    assert (run.requests, run.result) == ([], 0)


def test_writes_of_one_row_keep_their_order() -> None:
    run = write_all([item(1, 10), item(2, 20), key(1), item(1, 11), item(3, 30), item(1, 12)], *[written()] * 4)
    one = wire_key(1)
    assert [body["RequestItems"]["plain"] for body in run.bodies] == [
        [{"PutRequest": {"Item": wire(1, 10)}}, {"PutRequest": {"Item": wire(2, 20)}}],
        [{"DeleteRequest": {"Key": one}}],
        [{"PutRequest": {"Item": wire(1, 11)}}, {"PutRequest": {"Item": wire(3, 30)}}],
        [{"PutRequest": {"Item": wire(1, 12)}}],
    ]
    assert run.result == 6


def test_what_is_left_of_a_stream_is_told_with_how_much_is_done() -> None:
    items = [item(number) for number in range(130)]
    source = Source(items)
    with pytest.raises(BatchIncomplete) as raised:
        write_all(source, written(), written(), written(), Unanswered(OSError("lost")))
    assert str(raised.value) == "25 of 50 writes were left over; no answer tells whether 25 of them took effect"
    assert notes(raised.value) == ["batch_write_all: the first 50 writes are done"]
    assert raised.value.unprocessed == items[75:100]
    assert source.drawn == 100


def test_a_write_that_waits_for_another_of_its_row_is_left_over_too() -> None:
    items = [item(number) for number in range(10)]
    again = item(3, 2)
    source = Source([*items, again, item(11)])
    with pytest.raises(BatchIncomplete) as raised:
        write_all(source, written(3, 4), *[written(3)] * 13)
    assert raised.value.unprocessed == [items[3], again]
    assert [found is given for found, given in zip(raised.value.unprocessed, [items[3], again], strict=True)] == [
        True,
        True,
    ]
    assert notes(raised.value) == ["batch_write_all: the first 0 writes are done"]
    assert source.drawn == 11


@pytest.mark.parametrize("repeated", [False, True])
def test_an_error_says_how_much_of_a_stream_is_done(repeated: bool) -> None:
    denied = failed("AccessDeniedException")
    writes = [*map(item, range(60)), item(59 if repeated else 60, 2)]
    with pytest.raises(RuntimeError) as raised:
        write_all(writes, written(), written(), denied)
    assert raised.value is denied.error
    assert notes(raised.value) == ["batch_write_all: the first 50 writes are done"]


def broken() -> Generator[Any]:
    yield from map(item, range(60))
    raise RuntimeError("no more")


@pytest.mark.parametrize(
    ("writes", "error", "message"),
    [
        (broken(), RuntimeError, "no more"),
        ([*map(item, range(60)), "x"], TypeError, "a key is due, such as AlbumTrack.Key(...), not str"),
        (
            [*map(item, range(60)), Plain.Key("p")],
            IncompleteKey,
            "Plain.Key(pk='p', sk=None) lacks sk; a whole key is needed here",
        ),
    ],
)
def test_what_cannot_be_drawn_ends_the_stream(writes: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as raised:
        write_all(writes, written(), written())
    assert str(raised.value) == message
    assert notes(raised.value) == ["batch_write_all: the first 50 writes are done"]
