"""Which transport what is given to a db becomes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from logicaldb.drivers import Transport
from logicaldb.drivers_async import AsyncTransport
from logicaldb.transport.aio import async_transport
from logicaldb.transport.boto import BotoTransport, max_connections
from logicaldb.transport.direct import DirectTransport
from logicaldb.transport.direct_aio import AsyncDirectTransport


def transport_of(given: Any, *, fast: bool) -> tuple[Transport, int]:
    """The transport of a db that blocks, and how many requests are worth being under way at once.

    Args:
        given: what is given to the db as its client.
        fast: whether first attempts may be sent on connections of our own.

    Raises:
        TypeError: it is neither a boto3 DynamoDB client nor a ``DirectTransport``, nor makes one; or a ``DirectTransport``
            is not to be fast.
    """
    if _makes(given):
        transport, at_once = transport_of(given(), fast=fast)
        return MadeTransport(given, transport, fast=fast), at_once
    if isinstance(given, DirectTransport):
        _check_fast(given, fast)
        return given, given.max_connections
    if isinstance(given, AsyncDirectTransport):
        raise TypeError("a LogicalDb needs a DirectTransport, not an AsyncDirectTransport")
    return BotoTransport(given, fast=fast), max_connections(given)


class MadeTransport:
    """Sends requests through what a function makes, here and in other processes.

    Args:
        make: the function.
        transport: the transport of what it has made.
        fast: whether first attempts may be sent on connections of our own.
    """

    __slots__ = ("_fast", "_make", "_transport")

    def __init__(self, make: Callable[[], Any], transport: Transport, *, fast: bool) -> None:
        self._make = make
        self._transport = transport
        self._fast = fast

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer, as the transport does."""
        return self._transport.send(operation, table, body, repeatable=repeatable)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_made, (self._make, self._fast))


@cache
def _made(make: Callable[[], Any], fast: bool) -> Transport:
    """The transport of what a function makes, one in each process, however often it is sent there."""
    return transport_of(make, fast=fast)[0]


def _makes(given: Any) -> bool:
    """Whether it is a function that makes a client, and no client itself."""
    return callable(given) and not hasattr(given, "meta")


def async_transport_of(given: Any, *, fast: bool) -> tuple[AsyncTransport, int]:
    """The transport of a db that is awaited, and how many requests are worth being under way at once.

    Args:
        given: what is given to the db as its client.
        fast: whether first attempts may be sent on connections of our own.

    Raises:
        TypeError: it is neither a DynamoDB client of boto3 or aiobotocore nor an ``AsyncDirectTransport``; or the latter is
            not to be fast.
    """
    if isinstance(given, AsyncDirectTransport):
        _check_fast(given, fast)
        return given, given.max_connections
    if isinstance(given, DirectTransport):
        raise TypeError("an AsyncLogicalDb needs an AsyncDirectTransport, not a DirectTransport")
    return async_transport(given, fast=fast), max_connections(given)


def _check_fast(given: Any, fast: bool) -> None:
    if not fast:
        raise TypeError(f"fast=False is about a boto3 client; a {type(given).__name__} sends nothing through botocore")
