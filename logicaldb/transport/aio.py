"""Requests that are awaited: through an aiobotocore client, or through a boto3 client on threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from logicaldb.drivers_async import AsyncTransport
from logicaldb.transport.boto import BotoTransport, max_connections


def async_transport(client: Any) -> AsyncTransport:
    """The transport for a client: what carries requests follows from its kind.

    Raises:
        TypeError: it is neither a boto3 nor an aiobotocore DynamoDB client.
    """
    return ThreadTransport(client)


class ThreadTransport:
    """Sends requests through a boto3 client, each on a thread: as many at once as the client has connections.

    If a task is cancelled that awaits an answer, its request still runs to its end, and what comes of it is not seen; one
    that still waits for a thread is not sent.

    Raises:
        TypeError: what is given is not a boto3 DynamoDB client.
    """

    __slots__ = ("_blocking", "_threads")

    def __init__(self, client: Any) -> None:
        self._blocking = BotoTransport(client)
        self._threads = ThreadPoolExecutor(max_connections(client), thread_name_prefix="logicaldb-request")

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer; as ``BotoTransport.send``."""
        # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
        import asyncio  # noqa: PLC0415

        call = partial(self._blocking.send, operation, table, body, repeatable=repeatable)
        # In a copy of the caller's context, for those who trace.
        return await asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, call)
