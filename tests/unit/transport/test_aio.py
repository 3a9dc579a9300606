from __future__ import annotations

import asyncio
import inspect
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any
from zlib import crc32

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ChecksumError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.hooks import HierarchicalEmitter

from logicaldb import AsyncLogicalDb
from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.testing import in_process_dynamodb
from logicaldb.transport.aio import AioTransport, ThreadTransport, _may_have_been_sent, async_transport
from logicaldb.transport.calls import current
from tests.modes import create_aio_client

URL = "http://127.0.0.1"


def boto_client(service: Any = "dynamodb", **config: Any) -> Any:
    return boto3.client(service, region_name="us-east-1", config=Config(**config))


class Content:
    """The answer of an HTTP client whose body is awaited."""

    def __init__(self, status: int, body: bytes, crc: str | None) -> None:
        self.status_code = status
        self.headers = {} if crc is None else {"x-amz-crc32": crc}
        self._body = body

    @property
    async def content(self) -> bytes:
        return self._body


class AwaitedClient:
    """Does what aiobotocore does, as far as transports see it: its events, in their order, with attempts."""

    __module__ = "aiobotocore.client"  # by which it is told from others

    def __init__(self) -> None:
        real = boto_client(max_pool_connections=7)
        self.meta = SimpleNamespace(
            events=HierarchicalEmitter(), config=real.meta.config, service_model=real.meta.service_model
        )
        self.exceptions = real.exceptions
        self.attempts: list[Any] = []
        self.bodies: list[bytes] = []

    def give(self, status: int, body: Any, *, crc: str | None = "right") -> None:
        """The answer to the next attempt."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.attempts.append((status, raw, str(crc32(raw)) if crc == "right" else crc))

    async def emit(self, name: str, **arguments: Any) -> list[Any]:
        answers = [answer for _, answer in self.meta.events.emit(name, **arguments)]
        return [await answer if inspect.isawaitable(answer) else answer for answer in answers]

    async def get_item(self, **params: Any) -> dict[str, Any]:
        model = self.meta.service_model.operation_model("GetItem")
        context: dict[str, Any] = {}
        await self.emit("provide-client-params.dynamodb.GetItem", params=params, model=model, context=context)
        request: dict[str, Any] = {"body": b"{}", "context": context}
        await self.emit("before-call.dynamodb.GetItem", params=request, model=model, context=context)
        number = 0
        while True:
            number += 1
            await asyncio.sleep(0)
            self.bodies.append(request["body"])
            attempt = self.attempts.pop(0)
            event: dict[str, Any] = {"operation": model, "attempts": number, "request_dict": request}
            if isinstance(attempt, Exception):
                await self.emit("needs-retry.dynamodb.GetItem", response=None, caught_exception=attempt, **event)
                if not self.attempts:
                    raise attempt
                continue
            status, body, crc = attempt
            response = {"status_code": status, "body": body}
            await self.emit("before-parse.dynamodb.GetItem", operation_model=model, response_dict=response)
            parsed = {"ResponseMetadata": {"HTTPStatusCode": status}}
            parsed |= json.loads(response["body"]) if status < 300 else {"Error": {"Code": json.loads(body)["__type"]}}
            answer = (Content(status, body, crc), parsed)
            await self.emit("needs-retry.dynamodb.GetItem", response=answer, caught_exception=None, **event)
            if not self.attempts:
                if status >= 300:
                    raise self.exceptions.from_code(parsed["Error"]["Code"])(parsed, "GetItem")
                return parsed


BODY = b'{"TableName":"things","Key":{"pk":{"S":"a"}}}'


async def get(transport: Any, **options: Any) -> bytes:
    answer: bytes = await transport.send("GetItem", "things", BODY, **options)
    return answer


@pytest.fixture
def client() -> AwaitedClient:
    return AwaitedClient()


# AioTransport


def test_our_body_leaves_and_the_answer_is_as_it_was_received(client: AwaitedClient) -> None:
    raw = b'{"Item" : {"pk":{"S":"a"}}}'
    client.give(200, raw)
    assert asyncio.run(get(AioTransport(client))) == raw
    assert client.bodies == [BODY]
    assert current.get() is None


def test_an_answer_without_a_checksum_is_taken(client: AwaitedClient) -> None:
    client.give(200, {"Item": {}}, crc=None)
    assert json.loads(asyncio.run(get(AioTransport(client)))) == {"Item": {}}


def test_what_the_service_refuses_is_a_failure_with_the_body_of_its_answer(client: AwaitedClient) -> None:
    client.give(400, {"__type": "ConditionalCheckFailedException", "Item": {"pk": {"S": "a"}}})
    with pytest.raises(ServiceFailure) as raised:
        asyncio.run(get(AioTransport(client)))
    failure = raised.value
    assert (failure.code, failure.ambiguous) == ("ConditionalCheckFailedException", False)
    assert failure.body == {"__type": "ConditionalCheckFailedException", "Item": {"pk": {"S": "a"}}}
    assert isinstance(failure.error, client.exceptions.ConditionalCheckFailedException)
    assert failure.__context__ is None
    assert current.get() is None


def test_a_refusal_after_a_lost_answer_is_ambiguous(client: AwaitedClient) -> None:
    client.attempts.append(ConnectionClosedError(endpoint_url=URL))
    client.give(400, {"__type": "ConditionalCheckFailedException"})
    with pytest.raises(ServiceFailure) as raised:
        asyncio.run(get(AioTransport(client)))
    assert raised.value.ambiguous
    assert client.bodies == [BODY] * 2


@pytest.mark.parametrize("kind", ["cut", "error", "damage"])
def test_what_is_not_repeatable_is_sent_once(client: AwaitedClient, kind: str) -> None:
    match kind:
        case "cut":
            client.attempts.append(ConnectionClosedError(endpoint_url=URL))
        case "error":
            client.give(500, {"__type": "InternalServerError"})
        case _:
            client.give(200, {"Item": {}}, crc="1")
    client.give(200, {"Item": {}})
    with pytest.raises(Unanswered) as raised:
        asyncio.run(get(AioTransport(client), repeatable=False))
    assert type(raised.value.error) in {ConnectionClosedError, client.exceptions.InternalServerError, ChecksumError}
    assert len(client.bodies) == 1


@pytest.mark.parametrize("repeatable", [True, False])
def test_an_answer_that_stays_damaged_tells_nothing(client: AwaitedClient, repeatable: bool) -> None:
    client.give(200, b'{"Item": {}}', crc="1")
    with pytest.raises(Unanswered) as raised:
        asyncio.run(get(AioTransport(client), repeatable=repeatable))
    checksum = crc32(b'{"Item": {}}')
    assert isinstance(raised.value.error, ChecksumError)
    assert str(raised.value.error) == (
        f"Checksum crc32 failed, expected checksum 1 did not match calculated checksum {checksum}."
    )


@pytest.mark.parametrize(
    "error", [NoCredentialsError(), ConnectTimeoutError(endpoint_url=URL), LookupError("of a hook")], ids=repr
)
def test_what_is_not_sent_is_unchanged(client: AwaitedClient, error: Exception) -> None:
    client.attempts.append(error)
    with pytest.raises(type(error)) as raised:
        asyncio.run(get(AioTransport(client)))
    assert raised.value is error
    assert current.get() is None


def test_calls_of_others_pass_untouched(client: AwaitedClient) -> None:
    AioTransport(client)
    client.give(500, {"__type": "InternalServerError"})
    client.give(200, {"Item": {"pk": {"S": "a"}}})
    parsed = asyncio.run(client.get_item(TableName="things", Key={}))
    assert parsed["Item"] == {"pk": {"S": "a"}}
    assert client.bodies == [b"{}"] * 2


def test_many_at_once_each_get_their_own_answer(client: AwaitedClient) -> None:
    transport = AioTransport(client)
    transports = [transport, AioTransport(client)]

    async def echo(**params: Any) -> dict[str, Any]:
        # Every call is at work before the first is answered, as on a slow connection.
        await all_at_work.wait()
        call = current.get()
        assert call is not None
        call.answer = call.body
        return {}

    client.get_item = echo  # type: ignore[method-assign]

    async def ask(number: int) -> bytes:
        return await transports[number % 2].send("GetItem", "things", b"%d" % number)

    async def main() -> list[bytes]:
        asked = asyncio.gather(*map(ask, range(50)))
        await asyncio.sleep(0)
        all_at_work.set()
        return await asked

    all_at_work = asyncio.Event()
    assert asyncio.run(main()) == [b"%d" % number for number in range(50)]


def test_a_task_that_is_cancelled_leaves_nothing_behind(client: AwaitedClient) -> None:
    client.give(200, {"Item": {}})
    client.give(200, {"Item": {}})

    async def main() -> bytes:
        transport = AioTransport(client)
        task = asyncio.create_task(get(transport))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert current.get() is None
        client.attempts.pop()
        return await get(transport)

    assert asyncio.run(main()) == b'{"Item": {}}'


# What may have been sent


def of_aiohttp(name: str, *arguments: Any) -> Exception:
    aiohttp = pytest.importorskip("aiohttp", reason="aiohttp comes with aiobotocore: pip install 'logicaldb[aio]'")
    error: Exception = getattr(aiohttp, name)(*arguments)
    return error


KEY = SimpleNamespace(host="localhost", port=443, ssl=True, is_ssl=True)
REFUSED, RESET = ConnectionRefusedError(111, "refused"), ConnectionResetError(104, "reset")

CAUSES: list[tuple[str, type[Exception], Callable[[], BaseException], bool]] = [
    # What aiobotocore makes of what its HTTP client raises, and whether the request may have arrived.
    ("refused", EndpointConnectionError, lambda: of_aiohttp("ClientConnectorError", KEY, REFUSED), False),
    ("no such host", EndpointConnectionError, lambda: of_aiohttp("ClientConnectorDNSError", KEY, REFUSED), False),
    ("gaierror", EndpointConnectionError, lambda: socket.gaierror(-2, "no such host"), False),
    ("no TLS", SSLError, lambda: of_aiohttp("ClientConnectorSSLError", KEY, ssl.SSLError(1, "wrong version")), False),
    (
        "certificate",
        SSLError,
        lambda: of_aiohttp("ClientConnectorCertificateError", KEY, ssl.SSLCertVerificationError(1, "self-signed")),
        False,
    ),
    ("no TLS, httpx", SSLError, lambda: ssl.SSLError(1, "wrong version"), False),
    ("certificate, httpx", SSLError, lambda: ssl.SSLCertVerificationError(1, "self-signed"), False),
    ("reset", EndpointConnectionError, lambda: of_aiohttp("ClientOSError", 104, "reset"), True),
    ("pipe", EndpointConnectionError, lambda: BrokenPipeError(32, "broken"), True),
    ("closed", EndpointConnectionError, lambda: of_aiohttp("ClientConnectionError", "Connection closed"), True),
    ("anything", SSLError, lambda: RuntimeError("unknown"), True),
    ("disconnected", ConnectionClosedError, lambda: of_aiohttp("ServerDisconnectedError"), True),
    ("cut short", ConnectionClosedError, lambda: of_aiohttp("ClientPayloadError", "not complete"), True),
    ("no answer", ReadTimeoutError, lambda: of_aiohttp("SocketTimeoutError", "Timeout on reading data"), True),
    ("no connection", ConnectTimeoutError, lambda: of_aiohttp("ConnectionTimeoutError", "Connection timeout"), False),
    ("whatever", HTTPClientError, lambda: RuntimeError("unknown"), True),
]


@pytest.mark.parametrize(("kind", "cause", "expected"), [case[1:] for case in CAUSES], ids=[case[0] for case in CAUSES])
def test_what_may_have_been_sent(
    kind: Callable[..., Exception], cause: Callable[[], Exception], expected: bool
) -> None:
    error = kind(endpoint_url=URL, error=cause())
    assert _may_have_been_sent(error) is expected


def test_httpx_tells_of_connections_that_were_not_made() -> None:
    httpx = pytest.importorskip("httpx")
    refused = EndpointConnectionError(endpoint_url=URL, error=httpx.ConnectError("refused"))
    assert not _may_have_been_sent(refused)
    assert _may_have_been_sent(HTTPClientError(error=httpx.ReadError("reset")))


CLOSED = HTTPClientError(error=AttributeError("'NoneType' object has no attribute 'get'"))
"""What aiobotocore says of a client that is closed."""


@pytest.mark.parametrize(
    "error",
    [ProxyConnectionError(proxy_url=URL, error=RESET), NoCredentialsError(), ValueError("a hook's"), CLOSED],
    ids=repr,
)
def test_what_was_not_sent(error: Exception) -> None:
    assert not _may_have_been_sent(error)


@contextmanager
def listening(serve: Callable[[socket.socket], None] | None) -> Generator[str]:
    """A server that does something with each connection; without it, a port that nobody listens at."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    if serve is None:
        listener.close()
        yield url
        return

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                serve(connection)

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        yield url
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def reset(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def hang_up(connection: socket.socket) -> None:
    connection.recv(65536)


def speak_no_tls(connection: socket.socket) -> None:
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize(
    ("serve", "scheme", "expected"),
    [
        (reset, "http", Unanswered),
        (hang_up, "http", Unanswered),
        (None, "http", EndpointConnectionError),
        (speak_no_tls, "https", SSLError),
    ],
    ids=["reset", "cut", "refused", "TLS"],
)
def test_what_aiobotocore_says_of_connections(
    serve: Callable[[socket.socket], None] | None, scheme: str, expected: type[Exception]
) -> None:
    async def main(url: str) -> None:
        async with create_aio_client(url, retries={"total_max_attempts": 1}) as client:
            with pytest.raises(expected):
                await get(AioTransport(client))

    with listening(serve) as url:
        asyncio.run(main(url.replace("http", scheme, 1)))


# ThreadTransport


def test_requests_run_on_threads_in_the_context_of_the_caller() -> None:
    variable: ContextVar[str] = ContextVar("variable")
    seen: list[tuple[str, str]] = []

    def look(**_: Any) -> None:
        seen.append((variable.get(), threading.current_thread().name[:17]))

    async def main(transport: ThreadTransport) -> bytes:
        variable.set("outside")
        answer = await transport.send("ListTables", "", b"{}")
        assert variable.get() == "outside"
        return answer

    with in_process_dynamodb() as client:
        client.meta.events.register("before-call.dynamodb.*", look)
        assert json.loads(asyncio.run(main(ThreadTransport(client)))) == {"TableNames": []}
    assert seen == [("outside", "logicaldb-request")]


FORK = """
import asyncio, os, sys
from logicaldb.testing import in_process_dynamodb
from logicaldb.transport.aio import ThreadTransport

with in_process_dynamodb() as client:
    transport = ThreadTransport(client)
    send = lambda: asyncio.run(transport.send("ListTables", "", b"{}"))
    send()
    child = os.fork()
    if child == 0:
        print(send().decode(), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_a_forked_process_has_threads_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of its parent are not there, though the parent's pool counts them."""
    # In a process of its own, without other threads, of which later Pythons warn.
    forked = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, timeout=60, check=False)
    assert json.loads(forked.stdout) == {"TableNames": []}, forked.stderr
    with in_process_dynamodb() as client:
        transport = ThreadTransport(client)
        before = transport._workers
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert json.loads(asyncio.run(transport.send("ListTables", "", b"{}"))) == {"TableNames": []}
        assert transport._workers is not before


def test_a_failure_comes_from_the_thread_as_it_is() -> None:
    with in_process_dynamodb() as client, pytest.raises(ServiceFailure) as raised:
        asyncio.run(ThreadTransport(client).send("GetItem", "things", BODY, repeatable=False))
    assert raised.value.code == "ResourceNotFoundException"
    assert isinstance(raised.value.error, ClientError)


def test_as_many_are_under_way_as_the_client_has_connections_and_those_that_wait_can_be_cancelled() -> None:
    under_way: list[int] = []
    goes_on = threading.Event()

    def answer(**_: Any) -> None:
        under_way.append(1)
        assert goes_on.wait(20)

    async def main(transport: ThreadTransport) -> None:
        tasks = [asyncio.create_task(transport.send("ListTables", "", b"{}")) for _ in range(5)]
        until = time.monotonic() + 20
        while len(under_way) < 2:
            assert time.monotonic() < until
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        assert len(under_way) == 2
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 5
        goes_on.set()
        # Those under way have run to their ends, and those that waited were not sent.
        assert json.loads(await transport.send("ListTables", "", b"{}")) == {"TableNames": []}
        assert len(under_way) == 3

    with in_process_dynamodb() as client:
        config = client.meta.config
        config.max_pool_connections = 2
        client.meta.events.register("before-call.dynamodb.*", answer)
        asyncio.run(main(ThreadTransport(client)))


def test_the_threads_end_with_the_transport() -> None:
    def threads() -> set[threading.Thread]:
        return {one for one in threading.enumerate() if one.name.startswith("logicaldb-request")}

    before = threads()
    with in_process_dynamodb() as client:
        transport = ThreadTransport(client)
        asyncio.run(transport.send("ListTables", "", b"{}"))
        (mine,) = threads() - before
        del transport
        mine.join(timeout=20)
        assert not mine.is_alive()


# Which one it is


def test_the_transport_follows_from_the_client(client: AwaitedClient) -> None:
    assert type(async_transport(client)) is AioTransport
    assert type(async_transport(boto_client())) is ThreadTransport
    assert AsyncLogicalDb(client)._at_once == 7
    assert AsyncLogicalDb(boto_client(max_pool_connections=3))._at_once == 3


class NotEntered:
    """As ``aiobotocore.session.ClientCreatorContext``, of which aiobotocore asks that it is entered."""

    __module__ = "aiobotocore.session"


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (
            lambda: boto3.resource("dynamodb", region_name="us-east-1"),
            "a boto3 resource of type dynamodb.ServiceResource",
        ),
        (lambda: boto_client("sts"), "a client of sts"),
        (lambda: "client", "an object of type str"),
        (NotEntered, "one that is not entered: async with session.create_client(...) as client"),
    ],
    ids=["resource", "another service", "text", "not entered"],
)
def test_wrong_clients(make: Callable[[], Any], found: str) -> None:
    with pytest.raises(TypeError) as raised:
        AsyncLogicalDb(make())
    assert str(raised.value) == f"a DynamoDB client of boto3 or aiobotocore is needed, not {found}"


def test_a_blocking_db_takes_no_client_that_is_awaited(client: AwaitedClient) -> None:
    from logicaldb import LogicalDb

    with pytest.raises(TypeError) as raised:
        LogicalDb(client)
    assert str(raised.value) == 'a boto3 DynamoDB client is needed, boto3.client("dynamodb"), not an aiobotocore client'


def transport_of(db: Any) -> Any:
    """What is watched of a db."""
    return db._transport.transport


def test_the_client_of_aiobotocore_has_these_classes() -> None:
    async def main() -> None:
        context = create_aio_client(URL)
        with pytest.raises(TypeError, match="not one that is not entered: async with"):
            AsyncLogicalDb(context)
        async with context as client:
            assert type(transport_of(AsyncLogicalDb(client))) is AioTransport

    asyncio.run(main())


def test_without_a_client_one_of_boto3_is_made() -> None:
    db = AsyncLogicalDb()
    assert type(transport_of(db)) is ThreadTransport
    assert db._at_once == 10
