from __future__ import annotations

import gc
import json
import traceback
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from logicaldb.drivers import Done, advance, decode, encode, iterate, run
from logicaldb.errors import LogicalDbError, ThroughputExceeded
from logicaldb.flow import Emit, Flow, Request, ServiceFailure, Sleep, Stream, Unanswered
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
    assert set(checker._THROTTLING_ERROR_CODES) - THROTTLING == {
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
    assert decode(encoded) == body
