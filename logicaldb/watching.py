"""Watching requests: what they consume, how long they take, what comes of them. Never what is in them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from inspect import iscoroutinefunction
from logging import getLogger
from pickle import PicklingError
from time import perf_counter
from typing import Any, Final, NoReturn, TypeAlias

from logicaldb.capacity import READS, WRITES, Capacity, TableUnits, consumed
from logicaldb.codec.values import describe
from logicaldb.drivers import Transport
from logicaldb.drivers_async import AsyncTransport
from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.transport.attempts import Attempts, attempts

_TOLD: Final = READS | WRITES
_INDEX: Final = re.compile(rb'"IndexName":"((?:[^"\\]|\\.)*)"')
_ASKED: Final = b'"ReturnConsumedCapacity":'


@dataclass(frozen=True, slots=True)
class RequestEvent:
    """A request that was made, with all its attempts. It holds no data of items.

    Attributes:
        operation: the API operation, such as ``GetItem``.
        table: the physical table; of several, the first.
        index: the index that was read, ``None`` for the table.
        duration: how many seconds it took, retries included.
        attempts: how many attempts it took.
        capacity: what it consumed, by table; empty where the service did not tell.
        error: what came instead of an answer: an error of botocore's, or the cancellation of the task; ``None`` where it was
            answered.
    """

    operation: str
    table: str
    index: str | None
    duration: float
    attempts: int
    capacity: tuple[tuple[str, TableUnits], ...] = ()
    error: BaseException | None = None


OnRequest: TypeAlias = Callable[[RequestEvent], object]
"""Gets every request after it was made. It is called in the thread, or on the event loop, that made it."""


class Watching:
    """What both kinds of watched transport have in common.

    Args:
        on_request: gets every request; ``None`` for nobody.
    """

    def __init__(self, on_request: OnRequest | None) -> None:
        if on_request is not None and (not callable(on_request) or iscoroutinefunction(on_request)):
            kind = "a coroutine function" if callable(on_request) else describe(on_request)
            raise TypeError(f"on_request takes a function, which is called with a RequestEvent, not {kind}")
        self._on_request = on_request
        # By the context, so that in a web application one request of its users does not count those of another.
        self._capacities: ContextVar[tuple[Capacity, ...]] = ContextVar("logicaldb_capacities", default=())

    @contextmanager
    def track_capacity(self) -> Generator[Capacity]:
        """Sum what requests consume that are made in this context."""
        capacity = Capacity()
        token = self._capacities.set((*self._capacities.get(), capacity))
        try:
            yield capacity
        finally:
            self._capacities.reset(token)

    @property
    def _is_watched(self) -> bool:
        return self._on_request is not None or bool(self._capacities.get())

    def _watch(self, operation: str, table: str, body: bytes) -> Watch:
        return Watch(operation, table, body, self._on_request, self._capacities.get())


class Watch:
    """One request that is watched.

    Attributes:
        body: its body, in which it asks for what it consumes.
    """

    def __init__(
        self,
        operation: str,
        table: str,
        body: bytes,
        on_request: OnRequest | None,
        capacities: tuple[Capacity, ...],
    ) -> None:
        self.operation = operation
        self.table = table
        index = _INDEX.search(body) if operation in ("Query", "Scan") else None
        self.index: str | None = None if index is None else json.loads(b'"' + index[1] + b'"')
        self.body = body
        if operation in _TOLD and _ASKED not in body:
            self.body = body[:-1] + b',"ReturnConsumedCapacity":"INDEXES"}'
        self.counted = Attempts()
        self._on_request = on_request
        self._capacities = capacities
        self._token = attempts.set(self.counted)
        self._begin = perf_counter()

    def answered(self, answer: bytes) -> bytes:
        """The request was answered."""
        told = tuple(consumed(self.operation, _read(answer))) if self.operation in _TOLD else ()
        if told:
            for capacity in self._capacities:
                capacity.add(told)
        self._tell(told, None)
        return answer

    def failed(self, error: BaseException) -> None:
        """No answer came, or one that was an error."""
        self._tell((), error.error if isinstance(error, ServiceFailure | Unanswered) else error)

    def done(self) -> None:
        """It is over."""
        attempts.reset(self._token)

    def _tell(self, told: tuple[tuple[str, TableUnits], ...], error: BaseException | None) -> None:
        if self._on_request is None:
            return
        duration = perf_counter() - self._begin
        number = max(1, self.counted.number)
        try:
            self._on_request(RequestEvent(self.operation, self.table, self.index, duration, number, told, error))
        except Exception:
            getLogger("logicaldb").exception("on_request raised")


class WatchedTransport(Watching):
    """A transport whose requests are watched.

    Args:
        transport: what sends them.
        on_request: gets every request; ``None`` for nobody.
    """

    def __init__(self, transport: Transport, on_request: OnRequest | None = None) -> None:
        super().__init__(on_request)
        self.transport = transport

    def __reduce__(self) -> tuple[Any, ...]:
        """In another process ``on_request`` is called there, and what is consumed is counted by nobody."""
        return (WatchedTransport, (self.transport, self._on_request))

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request; as ``Transport.send``."""
        if not self._is_watched:
            return self.transport.send(operation, table, body, repeatable=repeatable)
        watch = self._watch(operation, table, body)
        try:
            answer = self.transport.send(operation, table, watch.body, repeatable=repeatable)
        except BaseException as error:
            watch.failed(error)
            raise
        finally:
            watch.done()
        return watch.answered(answer)


class AsyncWatchedTransport(Watching):
    """A transport that awaits, and whose requests are watched; as ``WatchedTransport``."""

    def __init__(self, transport: AsyncTransport, on_request: OnRequest | None = None) -> None:
        super().__init__(on_request)
        self.transport = transport

    def __reduce__(self) -> NoReturn:
        """Its client belongs to this process, and its connections to an event loop."""
        raise PicklingError(
            "an AsyncLogicalDb cannot be sent to another process: its connections belong to an event loop of this one; "
            "make one there"
        )

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request; as ``AsyncTransport.send``."""
        if not self._is_watched:
            return await self.transport.send(operation, table, body, repeatable=repeatable)
        watch = self._watch(operation, table, body)
        try:
            answer = await self.transport.send(operation, table, watch.body, repeatable=repeatable)
        except BaseException as error:
            watch.failed(error)
            raise
        finally:
            watch.done()
        return watch.answered(answer)


def _read(answer: bytes) -> dict[str, Any]:
    """The answer, as far as it can be read; what is wrong with it is told by who needs it."""
    try:
        found: Any = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
