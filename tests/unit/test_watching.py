"""Tests of ``logicaldb.watching`` and ``logicaldb.capacity``, on transports that answer from memory."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from logicaldb.capacity import Capacity, TableUnits, Units, consumed
from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.transport.attempts import attempts, count_attempts
from logicaldb.watching import AsyncWatchedTransport, RequestEvent, WatchedTransport
from tests.modes import on_a_loop

QUERY = b'{"TableName":"music","IndexName":"by_\\"title\\"","KeyConditionExpression":"#n0 = :v0"}'


class Canned:
    """A transport that gives answers, or raises, in order."""

    def __init__(self, *outcomes: Any, tries: int = 1) -> None:
        self.outcomes = list(outcomes)
        self.tries = tries
        self.sent: list[tuple[str, Any]] = []

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Give the next outcome."""
        assert table == "music"
        self.sent.append((operation, json.loads(body)))
        for number in range(1, self.tries + 1):
            count_attempts(number)
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome if isinstance(outcome, bytes) else json.dumps(outcome).encode()


class AsyncCanned(Canned):
    """The same, awaited."""

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Give the next outcome."""
        await asyncio.sleep(0)
        return super().send(operation, table, body, repeatable=repeatable)


def told(units: float, **more: Any) -> dict[str, Any]:
    return {"ConsumedCapacity": {"TableName": "music", "CapacityUnits": units, **more}}


Send = Callable[..., bytes]


@pytest.fixture(params=["blocking", "awaited"])
def watched(request: pytest.FixtureRequest) -> Callable[..., tuple[Any, Send, Canned]]:
    """Makes a watched transport, and what sends by it and blocks."""

    def make(*outcomes: Any, on_request: Any = None, tries: int = 1) -> tuple[Any, Send, Canned]:
        if request.param == "blocking":
            canned = Canned(*outcomes, tries=tries)
            blocking = WatchedTransport(canned, on_request)
            return blocking, blocking.send, canned
        awaited_canned = AsyncCanned(*outcomes, tries=tries)
        awaited = AsyncWatchedTransport(awaited_canned, on_request)
        return awaited, lambda *args, **options: asyncio.run(awaited.send(*args, **options)), awaited_canned

    return make


Watched = Callable[..., tuple[Any, Send, Canned]]


def test_nothing_is_added_where_nobody_watches(watched: Watched) -> None:
    _, send, canned = watched({"Item": {}})
    assert send("GetItem", "music", b'{"TableName":"music"}') == b'{"Item": {}}'
    assert canned.sent == [("GetItem", {"TableName": "music"})]
    assert attempts.get() is None


def test_an_event_tells_what_was_made_of_a_request(watched: Watched) -> None:
    events: list[RequestEvent] = []
    _, send, canned = watched(told(2.5, Table={"CapacityUnits": 2.0}), on_request=events.append, tries=3)
    send("Query", "music", QUERY)
    assert canned.sent[0][1]["ReturnConsumedCapacity"] == "INDEXES"
    (event,) = events
    assert (event.operation, event.table, event.index, event.attempts) == ("Query", "music", 'by_"title"', 3)
    assert event.capacity == (("music", TableUnits(read=2.5, table=Units(read=2.0))),)
    assert event.error is None
    assert 0 < event.duration < 10
    assert attempts.get() is None


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (ServiceFailure("X", {}, ValueError("of the service")), "of the service"),
        (Unanswered(ValueError("no answer")), "no answer"),
        (ValueError("not sent"), "not sent"),
    ],
)
def test_an_event_tells_the_error(watched: Watched, failure: Exception, error: str) -> None:
    events: list[RequestEvent] = []
    _, send, _ = watched(failure, on_request=events.append)
    with pytest.raises(type(failure)) as raised:
        send("PutItem", "music", b'{"TableName":"music"}')
    assert raised.value is failure
    (event,) = events
    assert type(event.error) is ValueError
    assert str(event.error) == error
    assert (event.capacity, event.attempts) == ((), 1)
    assert attempts.get() is None


@on_a_loop
async def test_a_request_whose_task_is_cancelled_is_told() -> None:
    """It may have reached the service."""

    class Never:
        async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
            await asyncio.sleep(3600)
            raise AssertionError

    events: list[RequestEvent] = []
    transport = AsyncWatchedTransport(Never(), events.append)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(transport.send("PutItem", "music", b'{"TableName":"music"}'), 0.01)
    assert [(event.operation, type(event.error)) for event in events] == [("PutItem", asyncio.CancelledError)]
    assert attempts.get() is None


def test_a_hook_is_a_plain_function() -> None:
    async def on_request(_: RequestEvent) -> None: ...

    for wrong, found in ((3, "an int"), (on_request, "a coroutine function")):
        hook: Any = wrong
        with pytest.raises(TypeError) as refused:
            WatchedTransport(Canned(), hook)
        assert str(refused.value) == f"on_request takes a function, which is called with a RequestEvent, not {found}"


def test_a_hook_that_raises_changes_nothing(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: RequestEvent) -> None:
        raise RuntimeError("the hook is broken")

    _, send, _ = watched({}, ServiceFailure("X", {}, ValueError()), on_request=broken)
    with caplog.at_level(logging.ERROR, logger="logicaldb"):
        assert send("PutItem", "music", b'{"TableName":"music"}') == b"{}"
        with pytest.raises(ServiceFailure):
            send("PutItem", "music", b'{"TableName":"music"}')
    assert [record.getMessage() for record in caplog.records] == ["on_request raised"] * 2


@pytest.mark.parametrize("operation", ["CreateTable", "DescribeTable", "UpdateTimeToLive"])
def test_what_consumes_nothing_is_not_asked(watched: Watched, operation: str) -> None:
    events: list[RequestEvent] = []
    _, send, canned = watched({"Table": {}}, on_request=events.append)
    send(operation, "music", b'{"TableName":"music"}')
    assert canned.sent == [(operation, {"TableName": "music"})]
    assert (events[0].operation, events[0].capacity) == (operation, ())


@pytest.mark.parametrize("answer", [b"not JSON", b"[]", b"1", b'{"ConsumedCapacity": null}'])
def test_an_answer_that_tells_nothing(watched: Watched, answer: bytes) -> None:
    events: list[RequestEvent] = []
    transport, send, _ = watched(answer, on_request=events.append)
    with transport.track_capacity() as capacity:
        assert send("GetItem", "music", b'{"TableName":"music"}') == answer
    assert events[0].capacity == ()
    assert capacity.requests == 0


def test_capacity_is_summed_inside_the_block_alone(watched: Watched) -> None:
    transport, send, canned = watched(told(1), told(2), told(4), told(8), {})
    send("GetItem", "music", b'{"TableName":"music"}')
    with transport.track_capacity() as outer:
        send("GetItem", "music", b'{"TableName":"music"}')
        with transport.track_capacity() as inner:
            send("PutItem", "music", b'{"TableName":"music"}')
        send("DeleteItem", "music", b'{"TableName":"music"}')
    send("GetItem", "music", b'{"TableName":"music"}')
    assert [("ReturnConsumedCapacity" in body) for _, body in canned.sent] == [False, True, True, True, False]
    assert (outer.read, outer.write, outer.total, outer.requests) == (2, 12, 14, 3)
    assert (inner.read, inner.write, inner.total, inner.requests) == (0, 4, 4, 1)
    assert repr(outer) == "<Capacity: 2 read units and 12 write units in 3 requests>"


@on_a_loop
async def test_tasks_of_other_blocks_do_not_count() -> None:
    transport = AsyncWatchedTransport(AsyncCanned(told(1), told(2), told(4)))

    async def load() -> None:
        await transport.send("GetItem", "music", b'{"TableName":"music"}')

    async def request() -> float:
        with transport.track_capacity() as capacity:
            await asyncio.gather(load(), load())
        return capacity.read

    other = asyncio.create_task(load())
    counted, _ = await asyncio.gather(request(), other)
    assert counted == 7 - 1  # the other task was first


def test_units_by_table_and_index() -> None:
    answer = {
        "ConsumedCapacity": [
            {
                "TableName": "music",
                "CapacityUnits": 7.0,
                "WriteCapacityUnits": 5.0,
                "ReadCapacityUnits": 2.0,
                "Table": {"WriteCapacityUnits": 2.0, "ReadCapacityUnits": 2.0, "CapacityUnits": 4.0},
                "GlobalSecondaryIndexes": {"by_artist": {"CapacityUnits": 2.0}},
                "LocalSecondaryIndexes": {"by_title": {"CapacityUnits": 1.0}},
            },
            {"TableName": "shop", "CapacityUnits": 1.0},
        ]
    }
    music = TableUnits(2, 5, Units(2, 2), {"by_title": Units(write=1), "by_artist": Units(write=2)})
    shop = TableUnits(write=1, table=Units(write=1))
    found = consumed("TransactWriteItems", answer)
    assert found == [("music", music), ("shop", shop)]
    assert found[0][1].total == 7
    capacity = Capacity()
    capacity.add(found)
    capacity.add([("music", TableUnits(3, 0, Units(1), {"by_title": Units(2)}))])
    assert capacity.tables == {
        "music": TableUnits(5, 5, Units(3, 2), {"by_title": Units(2, 1), "by_artist": Units(write=2)}),
        "shop": shop,
    }
    assert (capacity.read, capacity.write, capacity.requests) == (5, 6, 2)
