"""Drivers: they perform what a flow yields, and send the answers in.

``run`` and ``iterate`` block; what they share with drivers that do not (``encode``, ``decode``, ``advance``) does no I/O.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import Context, copy_context
from dataclasses import dataclass
from threading import Event
from time import sleep
from typing import Any, Final, Generic, Protocol, TypeVar

from logicaldb.codec.writing import to_json
from logicaldb.collector import PatientCollector
from logicaldb.errors import ThroughputExceeded
from logicaldb.flow import Emit, Flow, Gather, Request, ServiceFailure, Sleep, Stream, Unanswered
from logicaldb.operations.contention import THROTTLING

T = TypeVar("T")
Y = TypeVar("Y")
T_co = TypeVar("T_co", covariant=True)

_parse: Final = json.JSONDecoder().decode
_MANY_BYTES: Final = 8_192
"""The length of an answer that is so many objects that the collector would look for garbage among them."""
_patient_collector: Final = PatientCollector()


class Transport(Protocol):
    """What carries a request to DynamoDB: bytes out, bytes in."""

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer.

        Args:
            operation: the name of the API operation, such as ``GetItem``.
            table: the physical table it is about.
            body: the request as JSON text, as the low-level API documents it.
            repeatable: whether it may be sent again when it cannot be told whether it took effect.

        Raises:
            ServiceFailure: the service answered with an error, and no retry helped.
            Unanswered: it was sent, and no answer tells what came of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Done(Generic[T_co]):
    """A flow has ended, and this is its result."""

    result: T_co


def encode(request: Request) -> bytes:
    """Give the body of a request as it is sent."""
    return to_json(request.body).encode()


def decode(request: Request, answer: bytes) -> Any:
    """Read the body of an answer to a request.

    Raises:
        ValueError: it is no JSON text.
    """
    if len(answer) < _MANY_BYTES:
        return _read(request, answer)
    with _patient_collector:
        return _read(request, answer)


def _read(request: Request, answer: bytes) -> Any:
    if request.read is not None:
        try:
            return request.read(answer)
        except Exception:  # noqa: BLE001, S110 - whatever it is, the flow finds it in the answer, and says what is wrong
            pass
    if answer == b"{}":  # that of most writes
        return {}
    return _parse(answer.decode())


def advance(flow: Generator[Y, Any, T], outcome: Any) -> Y | Done[T]:
    """Give a flow the outcome of what it yielded last, and return what it yields next.

    Args:
        flow: a flow or a stream.
        outcome: an answer, or an exception to be thrown into the flow; ``None`` starts a flow, and goes on after a
            ``Sleep`` or an ``Emit``.

    Raises:
        ThroughputExceeded: the service throttled a request, and the flow did not handle it.
        Exception: whatever else the flow does not handle; of a ``ServiceFailure`` and an ``Unanswered``, the error in it.
    """
    try:
        return flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
    except StopIteration as end:
        return Done(end.value)
    except ServiceFailure as failure:
        code, error = failure.code, failure.error
    except Unanswered as unanswered:
        code, error = "", unanswered.error
    finally:
        # An exception holds its frames, and so must not be held by them: without the cycle it is freed at once.
        del outcome
    # Here and not in the handler above: the caller is to see the botocore error, not how it came through the flow.
    try:
        if code in THROTTLING:
            raise ThroughputExceeded(f"DynamoDB throttled the request ({code}), and the retries are spent") from error
        raise error
    finally:
        del error


def run(flow: Flow[T], transport: Transport) -> T:
    """Perform a flow and return its result.

    Raises:
        ThroughputExceeded: the service throttled a request, and the retries are spent.
        LogicalDbError: what the flow made of an error of the service, or of a lost answer.
        botocore.exceptions.ClientError: an error of the service of which the flow made nothing, unchanged.
        botocore.exceptions.BotoCoreError: there was no answer and the flow made nothing of it, unchanged.
    """
    try:
        step = advance(flow, None)
        while not isinstance(step, Done):
            step = advance(flow, _perform(step, transport))
    finally:
        flow.close()
    return step.result


def iterate(stream: Stream[T], transport: Transport) -> Generator[T]:
    """Perform a stream and hand out what it emits, one value at a time.

    Nothing is sent before the first ``next``, and nothing after the last value that the caller takes. Closing the
    iterator closes the stream.

    Raises:
        the same as ``run``.
    """
    with closing(stream):
        step = advance(stream, None)
        while not isinstance(step, Done):
            if isinstance(step, Emit):
                yield from step.values
                step = advance(stream, None)
            else:
                step = advance(stream, _perform(step, transport))


def _perform(step: Request | Sleep | Gather, transport: Transport) -> Any:
    """Do what a flow yielded; return the answer of a request, or the exception that came instead."""
    if isinstance(step, Sleep):
        return sleep(step.seconds)
    if isinstance(step, Gather):
        try:
            return _gather(step, transport)
        except Exception as error:  # noqa: BLE001 - the flow gets it, and so its caller
            return error
    try:
        answer = transport.send(step.operation, step.table, encode(step), repeatable=step.repeatable)
    except Exception as error:  # noqa: BLE001 - the flow gets it, and so its caller
        return error
    try:
        return decode(step, answer)
    except ValueError as error:
        return Unanswered(error)


def _gather(step: Gather, transport: Transport) -> list[Any]:
    """Perform several flows, each by a thread in a copy of the caller's context; a single one without."""
    if step.one_by_one:
        return [run(flow, transport) for flow in step.flows]
    stopping = Event()

    def perform(context: Context, flow: Flow[Any]) -> Any:
        try:
            return context.run(run, flow, _Stoppable(transport, stopping))
        except BaseException as error:
            if isinstance(error, Stopped) and stopping.is_set():
                return None  # nobody sees it: what has stopped the flow is raised
            stopping.set()
            raise

    with ThreadPoolExecutor(min(len(step.flows), step.at_once), thread_name_prefix="logicaldb-gather") as threads:
        try:
            return list(threads.map(perform, [copy_context() for _ in step.flows], step.flows))
        finally:
            stopping.set()


class Stopped(BaseException):
    """Ends a flow that is to go no further, and that must not handle it."""


@dataclass(frozen=True, slots=True)
class _Stoppable:
    """A transport that sends nothing more once it is to stop."""

    transport: Transport
    stopping: Event

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        if self.stopping.is_set():
            raise Stopped
        return self.transport.send(operation, table, body, repeatable=repeatable)
