"""Flows: all decisions, no I/O.

A flow is a generator that yields requests and returns a result; a driver (``drivers.py``) performs what it yields and
sends the answers in. So each decision is written once for the synchronous and the asynchronous surface, and a flow is
tested without a client.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias

from typing_extensions import TypeVar

T = TypeVar("T")


class Sync:
    """The mode of tables whose views block: the default."""


class Async:
    """The mode of tables whose views are awaited: ``MusicTable[Async]``."""


M = TypeVar("M", Sync, Async, default=Sync)


@dataclass(slots=True)  # not frozen, for one is made for every request, and a frozen one takes more than twice the time
class Request:
    """One call of DynamoDB's low-level API; the reply of its ``yield`` is the answer as a dict.

    Attributes:
        operation: the name of the API operation, such as ``GetItem``.
        table: the physical table it is about (the first, where there are several).
        body: the request in wire form, as the low-level API documents it.
        repeatable: whether it may be sent again when it cannot be told whether it took effect; not what adds.
        read: reads the body of the answer in a faster way, where there is one: the reply is then what it gives. Where it
            raises, the answer is read as ever.
    """

    operation: str
    table: str
    body: dict[str, Any]
    repeatable: bool = True
    read: Callable[[bytes], Any] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Sleep:
    """A pause before the flow goes on."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """Results that a stream has ready; the driver hands them to the caller one by one."""

    values: Sequence[T]


@dataclass(frozen=True, slots=True)
class Gather:
    """Several flows at once; the reply of its ``yield`` is the list of their results.

    If one raises, those that have not begun are left out, those under way get the answers that they wait for and are closed
    before they send anything else, and what it raised is thrown in; where several raise, it is that of the first in order.

    Attributes:
        flows: the flows.
        at_once: how many of them may be under way at once.
    """

    flows: Sequence[Flow[Any]]
    at_once: int

    @property
    def one_by_one(self) -> bool:
        """Whether no two of them are ever under way, so that neither threads nor tasks are needed."""
        return len(self.flows) <= 1 or self.at_once == 1


Flow: TypeAlias = Generator[Request | Sleep | Gather, Any, T]
"""What a method decides: it yields requests and returns the result."""

Stream: TypeAlias = "Generator[Request | Sleep | Gather | Emit[T], Any, None]"
"""What a lazy method decides: it yields requests and, as they become known, results."""


class ServiceFailure(Exception):
    """The service answered a request with an error; a driver throws it into the flow, which may translate it.

    One that a flow does not translate reaches the caller as ``error``, unchanged.

    Attributes:
        code: the error code, such as ``ConditionalCheckFailedException``.
        body: the answer in wire form (binary as base64 text), with ``Item`` or ``CancellationReasons`` where there are.
        error: the botocore error.
        ambiguous: whether an attempt before the one that was answered may have taken effect.
    """

    def __init__(self, code: str, body: dict[str, Any], error: Exception, *, ambiguous: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.body = body
        self.error = error
        self.ambiguous = ambiguous


class Unanswered(Exception):
    """A request was sent and no answer tells what came of it, so a write may have taken effect or not.

    The connection was cut, the time ran out, or the answer was a 5xx or damaged. A driver throws it into the flow.

    One that a flow does not translate reaches the caller as ``error``, unchanged.

    Attributes:
        error: the botocore error.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
