from __future__ import annotations

import gc
import json
import signal
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from logicaldb.drivers import Done, advance, decode, encode, iterate, run
from logicaldb.errors import LogicalDbError, ThroughputExceeded
from logicaldb.flow import Emit, Flow, Gather, Request, ServiceFailure, Sleep, Stream, Unanswered
from logicaldb.operations.contention import THROTTLING


class Script:
    """A transport that gives the answers it was made with, or raises them."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.sent: list[tuple[str, str, bytes]] = []
        self.repeatable: list[bool] = []

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        self.sent.append((operation, table, body))
        self.repeatable.append(repeatable)
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()


def get(key: str) -> Request:
    return Request("GetItem", "things", {"Key": {"pk": {"S": key}}})


def client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetItem")


def failure(code: str) -> ServiceFailure:
    return ServiceFailure(code, {"Item": {"pk": {"S": "a"}}}, client_error(code))


def load(*keys: str) -> Flow[list[Any]]:
    answers: dict[str, Any] = {}
    for key in keys:
        answers[key] = yield get(key)
    return list(answers.values())


def pages(*starts: str) -> Stream[int]:
    for start in starts:
        answer = yield get(start)
        yield Emit(answer["Items"])


# run


def test_sends_what_the_flow_yields_and_gives_it_the_answers() -> None:
    transport = Script({"Item": 1}, {"Item": "ü"})
    assert run(load("a", "ü\n"), transport) == [{"Item": 1}, {"Item": "ü"}]
    assert transport.sent == [
        ("GetItem", "things", b'{"Key":{"pk":{"S":"a"}}}'),
        ("GetItem", "things", '{"Key":{"pk":{"S":"ü\\n"}}}'.encode()),
    ]


def test_tells_the_transport_what_may_be_sent_again() -> None:
    def flow() -> Flow[None]:
        yield Request("GetItem", "things", {})
        yield Request("UpdateItem", "things", {}, repeatable=False)

    transport = Script({}, {})
    run(flow(), transport)
    assert transport.repeatable == [True, False]


def test_a_flow_without_requests_sends_nothing() -> None:
    transport = Script()
    assert run(load(), transport) == []
    assert transport.sent == []


def test_a_failure_is_thrown_into_the_flow_which_may_go_on() -> None:
    failed = failure("ConditionalCheckFailedException")

    def flow() -> Flow[tuple[Any, Any]]:
        try:
            yield get("a")
        except ServiceFailure as caught:
            return caught, (yield get("b"))
        raise AssertionError("the failure did not arrive")

    assert run(flow(), Script(failed, {"Item": 2})) == (failed, {"Item": 2})


def test_what_the_flow_makes_of_a_failure_reaches_the_caller() -> None:
    failed = failure("ConditionalCheckFailedException")

    def flow() -> Flow[None]:
        try:
            yield get("a")
        except ServiceFailure as caught:
            raise LogicalDbError("translated") from caught.error

    with pytest.raises(LogicalDbError, match=r"^translated$") as raised:
        run(flow(), Script(failed))
    assert raised.value.__cause__ is failed.error


@pytest.mark.parametrize("handled", [False, True])
def test_a_failure_that_the_flow_passes_on_is_the_botocore_error(handled: bool) -> None:
    failed = failure("ResourceNotFoundException")

    def flow() -> Flow[None]:
        if not handled:
            yield get("a")
        try:
            yield get("a")
        except ServiceFailure as caught:
            if caught.code == "ConditionalCheckFailedException":
                raise AssertionError("another code") from None
            raise

    with pytest.raises(ClientError) as raised:
        run(flow(), Script(failed))
    error = raised.value
    assert error is failed.error
    assert (error.__cause__, error.__context__, error.__suppress_context__) == (None, None, False)
    shown = "".join(traceback.format_exception(error))
    assert "During handling" not in shown
    assert "direct cause" not in shown
    assert "ServiceFailure" not in shown


def test_the_botocore_error_keeps_the_frames_in_which_it_was_raised() -> None:
    def deep_in_botocore() -> bytes:
        raise client_error("ResourceNotFoundException")

    class Raising:
        def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
            try:
                return deep_in_botocore()
            except ClientError as caught:
                error = caught
            raise ServiceFailure("ResourceNotFoundException", {}, error)

    with pytest.raises(ClientError) as raised:
        run(load("a"), Raising())
    assert [frame.name for frame in traceback.extract_tb(raised.value.__traceback__)][-2:] == [
        "send",
        "deep_in_botocore",
    ]


def timeout() -> ReadTimeoutError:
    return ReadTimeoutError(endpoint_url="http://127.0.0.1")


def test_a_lost_answer_is_thrown_into_the_flow_which_may_go_on() -> None:
    lost = Unanswered(timeout())

    def flow() -> Flow[tuple[Any, Any]]:
        try:
            yield get("a")
        except Unanswered as caught:
            return caught, (yield get("b"))
        raise AssertionError("it did not arrive")

    assert run(flow(), Script(lost, {"Item": 2})) == (lost, {"Item": 2})


@pytest.mark.parametrize("perform", [run, lambda flow, transport: list(iterate(flow, transport))])
def test_a_lost_answer_that_the_flow_passes_on_is_the_botocore_error(perform: Callable[[Any, Any], Any]) -> None:
    lost = Unanswered(timeout())
    assert str(lost) == 'Read timeout on endpoint URL: "http://127.0.0.1"'
    with pytest.raises(ReadTimeoutError) as raised:
        perform(load("a"), Script(lost))
    error = raised.value
    assert error is lost.error
    assert (error.__cause__, error.__context__, error.__suppress_context__) == (None, None, False)


def test_throttling_that_came_as_a_server_error_is_no_throttling() -> None:
    lost = Unanswered(client_error("ThrottlingException"))
    with pytest.raises(ClientError) as raised:
        run(load("a"), Script(lost))
    assert raised.value is lost.error


@pytest.mark.parametrize("answer", [b"", b'{"Item": {', b"<html>", b"\xff"])
def test_an_answer_that_is_no_json_tells_nothing(answer: bytes) -> None:
    def flow() -> Flow[Unanswered]:
        try:
            yield get("a")
        except Unanswered as caught:
            return caught
        raise AssertionError("it did not arrive")

    caught = run(flow(), Script(answer))
    assert isinstance(caught.error, ValueError)
    with pytest.raises(type(caught.error)):
        run(load("a"), Script(answer))


@pytest.mark.parametrize("code", sorted(THROTTLING))
def test_throttling_that_the_flow_does_not_handle_is_told(code: str) -> None:
    failed = failure(code)
    with pytest.raises(ThroughputExceeded) as raised:
        run(load("a"), Script(failed))
    assert str(raised.value) == f"DynamoDB throttled the request ({code}), and the retries are spent"
    assert raised.value.__cause__ is failed.error
    assert failed.error.__context__ is None


def test_the_codes_of_throttling_are_botocores() -> None:
    from botocore.retries import standard

    checker: Any = standard.ThrottledRetryableChecker
    assert set(checker._THROTTLED_ERROR_CODES) - THROTTLING == {
        # Of other services
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "SlowDown",
        # Of DynamoDB, and not about throughput
        "LimitExceededException",
        "TransactionInProgressException",
    }


def test_other_errors_of_the_transport_go_through_the_flow_unchanged() -> None:
    error = EndpointConnectionError(endpoint_url="http://127.0.0.1")
    seen: list[BaseException] = []

    def flow() -> Flow[None]:
        try:
            yield get("a")
        except Exception as caught:
            seen.append(caught)
            raise

    with pytest.raises(EndpointConnectionError) as raised:
        run(flow(), Script(error))
    assert raised.value is error
    assert seen == [error]
    assert error.__context__ is None


def test_a_transport_that_runs_dry_does_not_end_the_flow_as_if_it_were_done() -> None:
    answers: Iterator[bytes] = iter([])

    class Dry:
        def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
            return next(answers)

    with pytest.raises(RuntimeError, match="generator raised StopIteration"):
        run(load("a"), Dry())


def test_an_interrupt_closes_the_flow() -> None:
    closed: list[bool] = []

    def flow() -> Flow[None]:
        try:
            yield get("a")
        finally:
            closed.append(True)

    started = flow()
    with pytest.raises(KeyboardInterrupt):
        run(started, Script(KeyboardInterrupt()))
    assert closed == [True]


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "ThrottlingException", "lost"])
@pytest.mark.parametrize("perform", [run, lambda flow, transport: list(iterate(flow, transport))])
def test_an_error_is_freed_without_the_garbage_collector(perform: Callable[[Any, Any], Any], code: str) -> None:
    """An exception in a cycle with its frames would keep alive all that its caller has at hand."""

    class Failing:
        def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
            raise Unanswered(timeout()) if code == "lost" else failure(code)

    class Canary:
        pass

    def caller() -> weakref.ref[Canary]:
        canary = Canary()
        try:
            perform(load("a"), Failing())
        except (ClientError, ThroughputExceeded, ReadTimeoutError):
            return weakref.ref(canary)
        raise AssertionError("nothing was raised")

    gc.disable()
    try:
        assert caller()() is None
    finally:
        gc.enable()


def test_a_flow_may_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[Any] = []
    monkeypatch.setattr("logicaldb.drivers.sleep", done.append)

    def flow() -> Flow[str]:
        paused = yield Sleep(0.25)
        assert paused is None
        done.append((yield get("a")))
        yield Sleep(1)
        return "ended"

    assert run(flow(), Script({"Item": 1})) == "ended"
    assert done == [0.25, {"Item": 1}, 1]


# iterate


def test_hands_out_what_the_stream_emits_one_by_one_and_asks_for_no_more_than_needed() -> None:
    transport = Script({"Items": [1, 2]}, {"Items": []}, {"Items": [3]})
    values = iterate(pages("a", "b", "c"), transport)
    assert len(transport.sent) == 0
    assert [next(values), next(values)] == [1, 2]
    assert len(transport.sent) == 1
    assert list(values) == [3]
    assert len(transport.sent) == 3


def test_closing_the_iterator_closes_the_stream_and_sends_nothing_more() -> None:
    closed: list[bool] = []

    def stream() -> Stream[int]:
        try:
            yield from pages("a", "b")
        finally:
            closed.append(True)

    transport = Script({"Items": [1, 2]})
    started = stream()
    values = iterate(started, transport)
    assert next(values) == 1
    assert closed == []
    values.close()
    assert closed == [True]
    assert len(transport.sent) == 1


def test_an_iterator_that_is_never_used_sends_nothing() -> None:
    transport = Script()
    del transport.answers
    iterate(pages("a"), transport)
    assert transport.sent == []


def test_a_stream_may_handle_a_failure() -> None:
    def stream() -> Stream[str]:
        try:
            yield get("a")
        except ServiceFailure as caught:
            yield Emit([caught.code])

    assert list(iterate(stream(), Script(failure("ValidationException")))) == ["ValidationException"]


def test_a_failure_of_a_stream_reaches_the_caller_after_what_was_emitted() -> None:
    failed = failure("ResourceNotFoundException")
    values = iterate(pages("a", "b"), Script({"Items": [1]}, failed))
    assert next(values) == 1
    with pytest.raises(ClientError) as raised:
        next(values)
    assert raised.value is failed.error
    assert list(values) == []


def test_a_stream_may_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("logicaldb.drivers.sleep", pauses.append)

    def stream() -> Stream[int]:
        yield Emit([1])
        yield Sleep(0.25)
        yield Emit([2])

    values = iterate(stream(), Script())
    assert (next(values), pauses) == (1, [])
    assert (list(values), pauses) == ([2], [0.25])


# What drivers share


def test_advance_starts_goes_on_and_ends() -> None:
    flow = load("a")
    assert advance(flow, None) == get("a")
    assert advance(flow, {"Item": 1}) == Done([{"Item": 1}])


def test_encode_and_decode_keep_text_as_it_is() -> None:
    body = {"a": "ü\U0001f600\u2028", "b": ["", None, True], "c": {}}
    encoded = encode(Request("PutItem", "things", body))
    assert encoded == '{"a":"ü\U0001f600\u2028","b":["",null,true],"c":{}}'.encode()
    assert decode(Request("PutItem", "things", body), encoded) == body


LARGE: Final = json.dumps({"text": "x" * 10_000}).encode()


def reading(read: Callable[[bytes], Any]) -> Request:
    return Request("Query", "things", {}, read=read)


def test_the_collector_waits_while_a_large_answer_is_read() -> None:
    usual = gc.get_threshold()
    seen: list[int] = []

    def read(answer: bytes) -> Any:
        seen.append(gc.get_threshold()[0])
        return len(answer)

    assert decode(reading(read), b"{}") == 2
    assert decode(reading(read), LARGE) == len(LARGE)
    assert (seen, gc.get_threshold()) == ([usual[0], 100_000], usual)


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit])
def test_and_no_longer_whatever_the_reader_raises(end: type[BaseException]) -> None:
    usual = gc.get_threshold()

    def read(_: bytes) -> Any:
        raise end

    with pytest.raises(end):
        decode(reading(read), LARGE)
    with pytest.raises(ValueError, match="Expecting value"):
        decode(Request("Query", "things", {}), b"?" * 10_000)
    assert gc.get_threshold() == usual


# Gather

PATIENCE: Final = 20.0
"""Seconds; whatever waits longer waits in vain."""


def gather(*flows: Flow[Any], at_once: int = 4) -> Flow[list[Any]]:
    results: list[Any] = yield Gather(flows, at_once)
    return results


class Answering:
    """A transport that answers with the key, or does what is said for it first."""

    def __init__(self, **deeds: Callable[[], object]) -> None:
        self.deeds = deeds
        self.sent: list[str] = []

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        key: str = json.loads(body)["Key"]["pk"]["S"]
        self.sent.append(key)
        if key in self.deeds:
            self.deeds[key]()
        return json.dumps(key).encode()


def raising(error: BaseException) -> Callable[[], object]:
    def deed() -> None:
        raise error

    return deed


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("logicaldb-gather")]


def functions_of(thread: int) -> list[str]:
    """The names of the functions that a thread is in."""
    return [frame.f_code.co_name for frame, _ in traceback.walk_stack(sys._current_frames()[thread])]


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


EVERY_WAY = pytest.mark.parametrize("at_once", [1, 2, 3, 50])


@EVERY_WAY
def test_gives_the_results_of_flows_in_order(at_once: int) -> None:
    flows = [load("a", "b"), load(), load("c"), load(*"defg"), load("h")]
    transport = Answering()
    assert run(gather(*flows, at_once=at_once), transport) == [["a", "b"], [], ["c"], ["d", "e", "f", "g"], ["h"]]
    assert sorted(transport.sent) == [*"abcdefgh"]
    assert threads() == []


@EVERY_WAY
def test_no_flows_no_results(at_once: int) -> None:
    assert run(gather(at_once=at_once), Script()) == []


def test_as_many_are_under_way_as_may_be_and_no_more() -> None:
    names: set[str] = set()
    met = threading.Barrier(3)

    def deed() -> None:
        names.add(threading.current_thread().name)
        met.wait(PATIENCE)

    keys = [*"abcdefghi"]
    transport = Answering(**dict.fromkeys(keys, deed))
    assert run(gather(*map(load, keys), at_once=3), transport) == [[key] for key in keys]
    assert len(names) == 3


@pytest.mark.parametrize(("count", "at_once"), [(1, 4), (3, 1)])
def test_one_at_a_time_needs_no_thread(count: int, at_once: int) -> None:
    found: list[threading.Thread] = []
    transport = Answering(a=lambda: found.append(threading.current_thread()))
    run(gather(*[load("a") for _ in range(count)], at_once=at_once), transport)
    assert found == [threading.current_thread()] * count


def test_each_flow_has_a_copy_of_the_context() -> None:
    variable: ContextVar[str] = ContextVar("variable")
    token = variable.set("outside")
    seen: list[tuple[str, str]] = []

    def deed() -> None:
        seen.append((variable.get(), threading.current_thread().name[:16]))
        variable.set("inside")

    try:
        run(gather(*map(load, "abcdef"), at_once=2), Answering(**dict.fromkeys("abcdef", deed)))
        assert seen == [("outside", "logicaldb-gather")] * 6
        assert variable.get() == "outside"
    finally:
        variable.reset(token)


def test_flows_that_are_gathered_may_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("logicaldb.drivers.sleep", pauses.append)

    def flow() -> Flow[str]:
        yield Sleep(0.25)
        answer: str = yield get("a")
        return answer

    assert run(gather(flow(), flow()), Answering()) == ["a", "a"]
    assert pauses == [0.25, 0.25]


@EVERY_WAY
def test_what_a_flow_raises_is_thrown_in_and_may_be_handled(at_once: int) -> None:
    error = LookupError("no")

    def outer() -> Flow[tuple[Exception, Any]]:
        try:
            yield Gather([load("a"), load("b"), load("c")], at_once)
        except LookupError as caught:
            return caught, (yield get("d"))
        raise AssertionError("it did not arrive")

    assert run(outer(), Answering(b=raising(error))) == (error, "d")


@EVERY_WAY
def test_what_no_flow_handles_is_the_botocore_error(at_once: int) -> None:
    denied, throttled = failure("AccessDeniedException"), failure("ThrottlingException")
    with pytest.raises(ClientError) as raised:
        run(gather(load("a"), load("b"), at_once=at_once), Answering(b=raising(denied)))
    assert raised.value is denied.error
    with pytest.raises(ThroughputExceeded) as too_much:
        run(gather(load("a"), load("b"), at_once=at_once), Answering(b=raising(throttled)))
    assert too_much.value.__cause__ is throttled.error
    assert threads() == []


def test_when_one_raises_the_others_get_their_answers_and_go_no_further() -> None:
    heard: list[str] = []
    third_has_begun = threading.Event()

    def first() -> Flow[None]:
        try:
            heard.append((yield get("a1")))
            heard.append((yield get("a2")))
        finally:
            heard.append(f"closed by {sys.exception()!r}")

    def third() -> Flow[None]:
        third_has_begun.set()  # in the thread of the second, which has ended by then
        yield get("c")
        heard.append("c")

    error = LookupError("no")
    a1_is_sent = threading.Event()

    def a1() -> None:
        a1_is_sent.set()
        assert third_has_begun.wait(PATIENCE)

    def b() -> None:
        assert a1_is_sent.wait(PATIENCE)
        raise error

    transport = Answering(a1=a1, b=b)
    with pytest.raises(LookupError) as raised:
        run(gather(first(), load("b"), third(), load("d"), at_once=2), transport)
    assert raised.value is error
    assert transport.sent == ["a1", "b"]
    assert heard == ["a1", "closed by GeneratorExit()"]
    assert threads() == []


def test_of_several_errors_the_first_in_order_is_raised() -> None:
    met = threading.Barrier(3)
    errors = {key: LookupError(key) for key in "bc"}

    def deed(key: str) -> Callable[[], object]:
        def both() -> None:
            met.wait(PATIENCE)
            if key in errors:
                raise errors[key]

        return both

    with pytest.raises(LookupError, match=r"^b$"):
        run(gather(*map(load, "abc")), Answering(**{key: deed(key) for key in "abc"}))


def test_a_gather_within_a_gather_is_ended_too() -> None:
    inner_has_begun, other_has_begun = threading.Event(), threading.Event()
    heard: list[Any] = []

    def inner(key: str) -> Flow[None]:
        try:
            yield get(key)
            yield get("more")
        finally:
            heard.append("closed")

    def middle() -> Flow[None]:
        heard.append((yield Gather([inner("a"), inner("a")], 2)))

    def other() -> Flow[None]:
        other_has_begun.set()
        yield get("more")

    def a() -> None:
        inner_has_begun.set()
        assert other_has_begun.wait(PATIENCE)

    def b() -> None:
        assert inner_has_begun.wait(PATIENCE)
        raise LookupError

    transport = Answering(a=a, b=b)
    with pytest.raises(LookupError):
        run(gather(middle(), load("b"), other(), at_once=2), transport)
    assert heard in (["closed"], ["closed", "closed"])
    assert "more" not in transport.sent
    assert threads() == []


def test_an_interrupt_of_a_flow_ends_all() -> None:
    transport = Answering(b=raising(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run(gather(*map(load, "abc"), at_once=3), transport)
    assert threads() == []


def test_an_interrupt_while_it_waits_ends_all() -> None:
    ended: list[str] = []
    taken = threading.Event()
    main = threading.main_thread().ident
    assert main is not None

    def endless() -> Flow[None]:
        until = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < until:
                yield get("a")
            ended.append("by itself")
        finally:
            ended.append("closed")

    def take(*_: object) -> None:
        if not taken.is_set():
            taken.set()
            raise KeyboardInterrupt

    def interrupt() -> None:
        wait_for(lambda: taken.is_set() or "result" in functions_of(main))  # before, it does not know of all threads
        while not taken.wait(0.01):
            signal.pthread_kill(main, signal.SIGINT)  # again, since one that comes just before it waits is not seen

    usual = signal.signal(signal.SIGINT, take)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(gather(endless(), endless(), at_once=2), Answering(a=interrupt))
    finally:
        signal.signal(signal.SIGINT, usual)
    assert set(ended) == {"closed"}
    assert threads() == []


@pytest.mark.parametrize("at_once", [1, 4])
def test_an_error_of_a_gather_is_freed_without_the_garbage_collector(at_once: int) -> None:
    class Canary:
        pass

    def denied() -> None:
        raise failure("AccessDeniedException")

    def lost() -> None:
        raise Unanswered(timeout())

    def caller() -> weakref.ref[Canary]:
        canary = Canary()
        try:
            run(gather(*map(load, "abc"), at_once=at_once), Answering(b=denied, c=lost))
        except (ClientError, ReadTimeoutError):
            return weakref.ref(canary)
        raise AssertionError("nothing was raised")

    gc.disable()
    try:
        assert caller()() is None
    finally:
        gc.enable()
