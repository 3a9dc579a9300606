"""Requests that are awaited: through an aiobotocore client, or through a boto3 client on threads."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from logicaldb.drivers_async import AsyncTransport
from logicaldb.transport.boto import BotoTransport, max_connections
from logicaldb.transport.calls import Call, call_of, current, register_handlers
from logicaldb.transport.clients import check_client, is_awaited
from logicaldb.transport.workers import Workers


def async_transport(client: Any, *, fast: bool = True) -> AsyncTransport:
    """The transport for a client: it follows from the kind of the client.

    Args:
        client: the client.
        fast: see ``ThreadTransport``; through an aiobotocore client all requests are sent by aiobotocore.

    Raises:
        TypeError: it is neither a boto3 nor an aiobotocore DynamoDB client.
    """
    check_client(client, "a DynamoDB client of boto3 or aiobotocore is needed", awaited=True)
    return AioTransport(client) if is_awaited(client) else ThreadTransport(client, fast=fast)


class ThreadTransport:
    """Sends requests through a boto3 client, each on a thread: as many at once as the client has connections.

    If a task is cancelled that awaits an answer, its request still runs to its end, and what comes of it is not seen; one
    that still waits for a thread is not sent.

    Args:
        client: the client.
        fast: see ``BotoTransport``.
    """

    __slots__ = ("_at_once", "_blocking", "_process", "_workers")

    def __init__(self, client: Any, *, fast: bool = True) -> None:
        self._blocking = BotoTransport(client, fast=fast)
        self._at_once = max_connections(client)
        self._start()

    def _start(self) -> None:
        self._process = os.getpid()
        self._workers = Workers(self._at_once)

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer; as ``BotoTransport.send``."""
        if os.getpid() != self._process:
            self._start()  # of the threads, a forked process has none
        return await self._workers.run(partial(self._blocking.send, operation, table, body, repeatable=repeatable))


class AioTransport:
    """Sends requests through an aiobotocore DynamoDB client, by the same events of botocore as ``BotoTransport``.

    If a task is cancelled that awaits an answer, aiobotocore closes its connection; the request may have taken effect.
    """

    __slots__ = ("_client",)

    def __init__(self, client: Any) -> None:
        register_handlers(client, _examine)
        self._client = client

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer; as ``BotoTransport.send``."""
        call = Call(self._client, operation, table, body, repeatable=repeatable, may_have_been_sent=_may_have_been_sent)
        token = current.set(call)
        try:
            parsed: dict[str, Any] = await call.method(**call.parameters)
        except Exception as error:
            failure = call.failure(error)
            if failure is None:
                raise
        else:
            return call.answered(parsed)
        finally:
            current.reset(token)
        # Here and not in the handler above, so that the error does not become the context of the failure that holds it.
        try:
            raise failure
        finally:
            del failure


async def _examine(response: tuple[Any, dict[str, Any]] | None, request_dict: dict[str, Any], **event: Any) -> None:
    call = call_of(request_dict)
    if call is None:
        return
    content = b"" if response is None else await response[0].content
    call.examine(
        response,
        content,
        event["caught_exception"],
        event["operation"],
        attempts=event["attempts"],
        context=request_dict["context"],
    )


def _may_have_been_sent(error: Exception) -> bool:
    """Whether a request may have reached the service although this came of it.

    Unlike botocore, aiobotocore says ``EndpointConnectionError`` of a connection that is cut, too; the cause tells.
    """
    # Imported here, because `import logicaldb` must not cost the import of botocore.
    from botocore.exceptions import EndpointConnectionError, HTTPClientError, SSLError  # noqa: PLC0415

    if isinstance(error, EndpointConnectionError | SSLError):
        cause: object = error.kwargs.get("error")
        # Of aiohttp and httpx (a choice of aiobotocore's), and of name resolution; of TLS they tell so while it begins.
        kinds = {base.__name__ for base in type(cause).__mro__}
        return kinds.isdisjoint({"ClientConnectorError", "ConnectError", "SSLError", "gaierror"})
    # A client that is closed has no session any more.
    return isinstance(error, HTTPClientError) and not isinstance(error.kwargs.get("error"), AttributeError)
