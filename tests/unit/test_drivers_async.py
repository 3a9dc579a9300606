from __future__ import annotations

import asyncio
import gc
import inspect
import json
import traceback
import weakref
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from contextvars import ContextVar
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from logicaldb.drivers_async import iterate_async, run_async
from logicaldb.errors import ThroughputExceeded
from logicaldb.flow import Emit, Flow, Gather, Request, ServiceFailure, Sleep, Stream, Unanswered
from tests.modes import on_a_loop


class Answering:
    """A transport that answers with the key, or does what is said for it first."""

    def __init__(self, **deeds: Callable[[], Awaitable[object]]) -> None:
        self.deeds = deeds
        self.sent: list[str] = []
        self.bodies: list[tuple[str, str, bytes, bool]] = []

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        key: str = json.loads(body)["Key"]["pk"]["S"]
        self.sent.append(key)
        self.bodies.append((operation, table, body, repeatable))
        if key in self.deeds:
            answer = await self.deeds[key]()
            if isinstance(answer, bytes):
                return answer
        return json.dumps(key).encode()


def get(key: str) -> Request:
    return Request("GetItem", "things", {"Key": {"pk": {"S": key}}})


def load(*keys: str) -> Flow[list[Any]]:
    answers: dict[str, Any] = {}
    for key in keys:
        answers[key] = yield get(key)
    return list(answers.values())


def gather(*flows: Flow[Any], at_once: int = 4) -> Flow[list[Any]]:
    results: list[Any] = yield Gather(flows, at_once)
    return results


def raising(error: BaseException) -> Callable[[], Awaitable[object]]:
    async def deed() -> None:
        raise error

    return deed


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetItem")


def failure(code: str) -> ServiceFailure:
    return ServiceFailure(code, {}, client_error(code))


def timeout() -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url="http://127.0.0.1")


def others() -> int:
    """How many tasks there are besides this one."""
    return len(asyncio.all_tasks()) - 1


async def forever() -> None:
    await asyncio.Event().wait()


# run_async


@on_a_loop
async def test_sends_what_the_flow_yields_and_gives_it_the_answers() -> None:
    def flow() -> Flow[list[Any]]:
        first = yield get("ü\n")
        second = yield Request("UpdateItem", "others", {"Key": {"pk": {"S": "b"}}}, repeatable=False)
        return [first, second]

    transport = Answering()
    assert await run_async(flow(), transport) == ["ü\n", "b"]
    assert transport.bodies == [
        ("GetItem", "things", '{"Key":{"pk":{"S":"ü\\n"}}}'.encode(), True),
        ("UpdateItem", "others", b'{"Key":{"pk":{"S":"b"}}}', False),
    ]


@on_a_loop
async def test_a_flow_without_requests_sends_nothing() -> None:
    transport = Answering()
    assert await run_async(load(), transport) == []
    assert transport.sent == []


@pytest.mark.parametrize("error", [failure("ConditionalCheckFailedException"), Unanswered(timeout()), LookupError()])
@on_a_loop
async def test_an_error_is_thrown_into_the_flow_which_may_go_on(error: Exception) -> None:
    def flow() -> Flow[tuple[Any, Any]]:
        try:
            yield get("a")
        except type(error) as caught:
            return caught, (yield get("b"))
        raise AssertionError("the error did not arrive")

    assert await run_async(flow(), Answering(a=raising(error))) == (error, "b")


@pytest.mark.parametrize("thrown", [failure("ResourceNotFoundException"), Unanswered(timeout())])
@on_a_loop
async def test_what_the_flow_passes_on_is_the_botocore_error(thrown: ServiceFailure | Unanswered) -> None:
    with pytest.raises(type(thrown.error)) as raised:
        await run_async(load("a"), Answering(a=raising(thrown)))
    error = raised.value
    assert error is thrown.error
    assert (error.__cause__, error.__context__, error.__suppress_context__) == (None, None, False)
    shown = "".join(traceback.format_exception(error))
    assert "During handling" not in shown
    assert "ServiceFailure" not in shown


@on_a_loop
async def test_throttling_that_the_flow_does_not_handle_is_told() -> None:
    failed = failure("ThrottlingException")
    with pytest.raises(ThroughputExceeded) as raised:
        await run_async(load("a"), Answering(a=raising(failed)))
    assert str(raised.value) == "DynamoDB throttled the request (ThrottlingException), and the retries are spent"
    assert raised.value.__cause__ is failed.error


@pytest.mark.parametrize("answer", [b"", b'{"Item": {', b"<html>", b"\xff"])
@on_a_loop
async def test_an_answer_that_is_no_json_tells_nothing(answer: bytes) -> None:
    async def damaged() -> bytes:
        return answer

    def flow() -> Flow[Unanswered]:
        try:
            yield get("a")
        except Unanswered as caught:
            return caught
        raise AssertionError("it did not arrive")

    caught = await run_async(flow(), Answering(a=damaged))
    assert isinstance(caught.error, ValueError)
    with pytest.raises(type(caught.error)):
        await run_async(load("a"), Answering(a=damaged))


@on_a_loop
async def test_a_flow_may_pause_and_others_go_on_meanwhile() -> None:
    heard: list[str] = []

    def flow(name: str, seconds: float) -> Flow[str]:
        paused = yield Sleep(seconds)
        assert paused is None
        heard.append(name)
        answer: str = yield get(name)
        return answer

    results: Any = await asyncio.gather(run_async(flow("a", 0.05), Answering()), run_async(flow("b", 0), Answering()))
    assert results == ["a", "b"]
    assert heard == ["b", "a"]


@pytest.mark.parametrize("step", [get("a"), Sleep(60), Gather([load("a"), load("a")], 2), Gather([load("a")], 1)])
@on_a_loop
async def test_cancelling_closes_the_flow_and_its_flows_and_leaves_no_task(step: Any) -> None:
    heard: list[str] = []

    def flow() -> Flow[None]:
        try:
            yield step
            heard.append("went on")
        except BaseException as error:
            heard.append(repr(error))
            raise

    task = asyncio.create_task(run_async(flow(), Answering(a=forever)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == ["GeneratorExit()"]
    assert others() == 0
    if isinstance(step, Gather):
        assert [inspect.getgeneratorstate(one) for one in step.flows] == [inspect.GEN_CLOSED] * len(step.flows)


@pytest.mark.parametrize("at_once", [1, 4])
@on_a_loop
async def test_an_error_is_freed_without_the_garbage_collector(at_once: int) -> None:
    """An exception in a cycle with its frames would keep alive all that its caller has at hand."""

    class Canary:
        pass

    async def denied() -> None:
        raise failure("AccessDeniedException")

    async def lost() -> None:
        raise Unanswered(timeout())

    async def caller(flow: Flow[Any]) -> weakref.ref[Canary]:
        canary = Canary()
        try:
            await run_async(flow, Answering(a=denied, b=denied, c=lost))
        except (ClientError, ReadTimeoutError):
            return weakref.ref(canary)
        raise AssertionError("nothing was raised")

    gc.disable()
    try:
        assert (await caller(load("a")))() is None
        assert (await caller(load("c")))() is None
        assert (await caller(gather(*map(load, "xbc"), at_once=at_once)))() is None
    finally:
        gc.enable()


# iterate_async


def pages(*sizes: int) -> Stream[int]:
    for number, size in enumerate(sizes):
        yield get(str(number))
        yield Emit(range(size))


@on_a_loop
async def test_hands_out_what_the_stream_emits_one_by_one_and_asks_for_no_more_than_needed() -> None:
    transport = Answering()
    values = iterate_async(pages(2, 0, 1), transport)
    assert transport.sent == []
    assert [await anext(values), await anext(values)] == [0, 1]
    assert transport.sent == ["0"]
    assert [value async for value in values] == [0]
    assert transport.sent == ["0", "1", "2"]


@on_a_loop
async def test_closing_the_iterator_closes_the_stream_and_sends_nothing_more() -> None:
    closed: list[bool] = []

    def stream() -> Stream[int]:
        try:
            yield from pages(2, 2)
        finally:
            closed.append(True)

    transport = Answering()
    async with aclosing(iterate_async(stream(), transport)) as values:
        assert await anext(values) == 0
        assert closed == []
    assert closed == [True]
    assert transport.sent == ["0"]


@on_a_loop
async def test_cancelling_in_the_middle_of_a_page_closes_the_stream() -> None:
    closed: list[bool] = []

    def stream() -> Stream[int]:
        try:
            yield from pages(2, 2)
        finally:
            closed.append(True)

    values = iterate_async(stream(), Answering(**{"1": forever}))
    found: list[int] = []

    async def read() -> None:
        async for value in values:
            found.append(value)  # noqa: PERF401 - as far as it comes

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(read(), 0.01)
    assert (found, closed) == ([0, 1], [True])
    assert [value async for value in values] == []


@on_a_loop
async def test_a_failure_of_a_stream_reaches_the_caller_after_what_was_emitted() -> None:
    failed = failure("ResourceNotFoundException")
    values = iterate_async(pages(1, 1), Answering(**{"1": raising(failed)}))
    assert await anext(values) == 0
    with pytest.raises(ClientError) as raised:
        await anext(values)
    assert raised.value is failed.error
    assert [value async for value in values] == []


# Gather

EVERY_WAY = pytest.mark.parametrize("at_once", [1, 2, 3, 50])


@EVERY_WAY
@on_a_loop
async def test_gives_the_results_of_flows_in_order(at_once: int) -> None:
    flows = [load("a", "b"), load(), load("c"), load(*"defg"), load("h")]
    transport = Answering(a=lambda: asyncio.sleep(0.001), c=lambda: asyncio.sleep(0))
    results = await run_async(gather(*flows, at_once=at_once), transport)
    assert results == [["a", "b"], [], ["c"], ["d", "e", "f", "g"], ["h"]]
    assert sorted(transport.sent) == [*"abcdefgh"]
    assert others() == 0


@EVERY_WAY
@on_a_loop
async def test_no_flows_no_results(at_once: int) -> None:
    assert await run_async(gather(at_once=at_once), Answering()) == []


@on_a_loop
async def test_as_many_are_under_way_as_may_be_and_no_more() -> None:
    under_way = 0
    most = 0

    async def deed() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    keys = [*"abcdefghi"]
    results = await run_async(gather(*map(load, keys), at_once=3), Answering(**dict.fromkeys(keys, deed)))
    assert results == [[key] for key in keys]
    assert most == 3


@on_a_loop
async def test_the_context_is_that_of_the_caller_and_is_left_alone() -> None:
    variable: ContextVar[str] = ContextVar("variable")
    variable.set("outside")
    seen: list[str] = []

    async def deed() -> None:
        seen.append(variable.get())
        variable.set("inside")
        await asyncio.sleep(0)

    await run_async(gather(*map(load, "ab"), at_once=2), Answering(a=deed, b=deed))
    assert seen == ["outside"] * 2
    assert variable.get() == "outside"


@EVERY_WAY
@on_a_loop
async def test_what_a_flow_raises_is_thrown_in_and_may_be_handled(at_once: int) -> None:
    error = LookupError("no")

    def outer() -> Flow[tuple[Exception, Any]]:
        try:
            yield Gather([load("a"), load("b"), load("c")], at_once)
        except LookupError as caught:
            return caught, (yield get("d"))
        raise AssertionError("it did not arrive")

    assert await run_async(outer(), Answering(b=raising(error))) == (error, "d")


@on_a_loop
async def test_when_one_raises_the_others_get_their_answers_and_go_no_further() -> None:
    heard: list[str] = []
    failed = asyncio.Event()

    def first() -> Flow[None]:
        try:
            heard.append((yield get("a1")))
            heard.append((yield get("a2")))
        finally:
            heard.append("closed")

    async def b() -> None:
        failed.set()
        raise LookupError("no")

    transport = Answering(a1=failed.wait, b=b)
    with pytest.raises(LookupError, match=r"^no$"):
        await run_async(gather(first(), load("b"), load("c"), at_once=2), transport)
    assert transport.sent == ["a1", "b"]
    assert heard == ["a1", "closed"]
    assert others() == 0


@on_a_loop
async def test_of_several_errors_the_first_in_order_is_raised() -> None:
    failed = asyncio.Event()

    async def b() -> None:
        await failed.wait()
        raise LookupError("b")

    async def c() -> None:
        failed.set()
        raise LookupError("c")

    with pytest.raises(LookupError, match=r"^b$"):
        await run_async(gather(*map(load, "abc")), Answering(b=b, c=c))


@on_a_loop
async def test_a_gather_within_a_gather_is_ended_too() -> None:
    failed = asyncio.Event()
    heard: list[Any] = []

    def inner(key: str) -> Flow[None]:
        try:
            yield get(key)
            yield get("more")
        finally:
            heard.append("closed")

    def middle() -> Flow[None]:
        heard.append((yield Gather([inner("a"), inner("a")], 2)))

    async def b() -> None:
        failed.set()
        raise LookupError

    transport = Answering(a=failed.wait, b=b)
    with pytest.raises(LookupError):
        await run_async(gather(middle(), load("b"), at_once=2), transport)
    assert heard == ["closed", "closed"]
    assert transport.sent == ["a", "a", "b"] or transport.sent == ["b"]
    assert others() == 0


def test_an_interrupt_of_a_flow_ends_all() -> None:
    heard: list[str] = []

    def flow() -> Flow[None]:
        try:
            yield get("a")
        finally:
            heard.append("closed")

    async def main() -> None:
        try:
            transport = Answering(a=forever, b=raising(KeyboardInterrupt()))
            await run_async(gather(flow(), load("b"), flow(), at_once=3), transport)
        except KeyboardInterrupt:
            heard.append("raised")

    with pytest.raises(KeyboardInterrupt):  # asyncio lets it out of the loop too
        asyncio.run(main())
    assert heard == ["closed", "raised"]  # the last has not begun


@on_a_loop
async def test_a_flow_that_alone_is_cancelled_cancels_the_whole() -> None:
    """As when what carries its request is shut down."""
    with pytest.raises(asyncio.CancelledError):
        await run_async(gather(*map(load, "abc"), at_once=3), Answering(b=raising(asyncio.CancelledError())))
    assert others() == 0
