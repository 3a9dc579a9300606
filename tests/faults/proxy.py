"""A proxy between a client and DynamoDB that does what networks and services do at their worst.

It stands on loopback and hands every request on, except those for which a fault is planned. So what no engine ever does of
itself happens when a test wants it, and the table tells what came of it::

    with FaultProxy(dynamodb_local.endpoint_url) as proxy:
        db = MusicDb(proxy.client(retries={"mode": "standard"}))
        proxy.plan(Fault.CUT_AFTER, Fault.THROTTLE)    # the first write, and the second; those that follow pass
        db.save(track)
        assert [received.fault for received in proxy.received] == [Fault.CUT_AFTER, Fault.THROTTLE, Fault.PASS]
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from types import TracebackType
from typing import Any, Final, Self, TypeAlias
from urllib.parse import urlsplit
from zlib import crc32

from logicaldb.testing.clients import make_test_client
from tests.faults.partial import LEFTOVERS, Row, answer_of, split

WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
READS: Final = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})


Answer: TypeAlias = tuple[int, dict[str, str], bytes]
"""The HTTP status, headers and body of an answer."""


class Fault(Enum):
    """What happens to a request."""

    PASS = "It reaches the service, and the answer the client."
    CUT_BEFORE = "The connection is cut before the service gets the request."
    CUT_AFTER = "The service does what it is asked, and the connection is cut in the place of the answer."
    RESET_AFTER = "As CUT_AFTER, but the connection is reset."
    ERROR_BEFORE = "The service never gets it, and the answer is InternalServerError."
    ERROR_AFTER = "The service does it, and the answer is InternalServerError."
    UNAVAILABLE = "The service never gets it, and something on the way answers 503 with a page of HTML."
    DAMAGE = "The service does it, and one bit of the answer is another."
    TRUNCATE = "The service does it, and half of the answer arrives before the connection is cut."
    DELAY = "The service does it, and the answer does not come before the client has given up."
    HOLD = "The request does not reach the service before `release`; the client gives up."
    THROTTLE = "The answer is ProvisionedThroughputExceededException, and nothing is done."
    THROTTLE_ACCOUNT = "The answer is RequestLimitExceeded, and nothing is done."
    THROTTLE_RATE = "The answer is ThrottlingException, and nothing is done."
    PARTIAL = "Of a batch, the service gets every other row; the client is told that the rest is unprocessed."
    CONFLICT = "The answer is that another transaction is at the item, and nothing is done."
    IN_PROGRESS = "The answer is TransactionInProgressException."
    DUPLICATE = "It reaches the service twice; the client gets the first answer."


APPLIED: Final = frozenset(
    {Fault.CUT_AFTER, Fault.RESET_AFTER, Fault.ERROR_AFTER, Fault.DAMAGE, Fault.TRUNCATE, Fault.DELAY}
)
"""The service did what it was asked, but the client cannot know."""
NOT_APPLIED: Final = frozenset({Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.UNAVAILABLE, Fault.HOLD})
"""The service did nothing, but the client cannot know."""

THROTTLED: Final = {
    Fault.THROTTLE: "ProvisionedThroughputExceededException",
    Fault.THROTTLE_ACCOUNT: "RequestLimitExceeded",
    Fault.THROTTLE_RATE: "ThrottlingException",
}
"""The service did nothing, says this code, and the client knows."""


@dataclass(frozen=True)
class Cancel:
    """What happens to a transaction: the service never gets it, and the answer is that it is cancelled.

    Attributes:
        reasons: the code of each action; ``None`` where nothing is wrong with it.
    """

    reasons: tuple[str | None, ...]


@dataclass
class Received:
    """A request as the proxy got it.

    Attributes:
        operation: the API operation.
        body: the request in wire form.
        fault: what happened to it.
        statuses: the HTTP status of each answer of the service; empty where the service never got it.
    """

    operation: str
    body: dict[str, Any]
    fault: Fault | Cancel
    statuses: list[int] = field(default_factory=list[int])


@dataclass
class _Held:
    headers: dict[str, str]
    body: bytes
    received: Received


class FaultProxy:
    """The proxy; it listens while the ``with`` block runs.

    Attributes:
        url: where it listens.
        received: the requests of planned operations, in order; every attempt of an SDK counts.
        leave: whether a row of a batch, as the request has it, is left over; none is, unless a test sets this.

    Args:
        upstream: the URL of the engine.
    """

    def __init__(self, upstream: str) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.leave: Callable[[Row], bool] = lambda _: False
        self._upstream = urlsplit(upstream).netloc
        self._plan: deque[Fault | Cancel] = deque()
        self._afterwards: Fault | Cancel = Fault.PASS
        self._planned: Collection[str] = WRITES
        self._held: list[_Held] = []
        self._lock = threading.Lock()
        self._answered = threading.Condition()

    def __enter__(self) -> Self:
        proxy: FaultProxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def client(self, **config: Any) -> Any:
        """Make a boto3 client that talks through the proxy; ``config`` are settings of ``botocore.config.Config``."""
        return make_test_client(self.url, "us-east-1", **config)

    def plan(
        self, *faults: Fault | Cancel, afterwards: Fault | Cancel = Fault.PASS, operations: Collection[str] = WRITES
    ) -> None:
        """Say what happens to the next requests of these operations, and to all that follow; forget what was received."""
        with self._lock:
            self._plan = deque(faults)
            self._afterwards = afterwards
            self._planned = operations
            self.received = []

    def release(self) -> list[int]:
        """Hand on the requests that were held, and give the HTTP statuses of their answers."""
        with self._lock:
            held, self._held = self._held, []
        return [self.forward(one.headers, one.body, one.received)[0] for one in held]

    def wait(self) -> None:
        """Wait until the service has answered the requests whose answers are delayed."""
        delayed = [received for received in self.received if received.fault is Fault.DELAY]
        with self._answered:
            assert self._answered.wait_for(lambda: all(received.statuses for received in delayed), timeout=30)

    @property
    def faults(self) -> list[Fault | Cancel]:
        """What happened to the requests that were received."""
        return [received.fault for received in self.received]

    def receive(self, operation: str, body: bytes) -> Received:
        """Take note of a request, and decide what happens to it."""
        with self._lock:
            if operation not in self._planned:
                return Received(operation, {}, Fault.PASS)
            fault = self._plan.popleft() if self._plan else self._afterwards
            received = Received(operation, json.loads(body), fault)
            self.received.append(received)
            return received

    def hold(self, headers: dict[str, str], body: bytes, received: Received) -> None:
        """Keep a request until it is released."""
        with self._lock:
            self._held.append(_Held(headers, body, received))

    def forward(self, headers: dict[str, str], body: bytes, received: Received) -> Answer:
        """Hand a request on to the service."""
        connection = HTTPConnection(self._upstream, timeout=30)
        try:
            connection.request("POST", "/", body, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        with self._answered:
            received.statuses.append(answer.status)
            self._answered.notify_all()
        kept = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_THE_CONNECTION}
        # DynamoDB gives the checksum of every answer, DynamoDB Local only of successes.
        return answer.status, {**kept, "x-amz-crc32": str(crc32(content))}, content

    def forward_part(self, headers: dict[str, str], body: bytes, received: Received) -> Answer:
        """Hand on a part of a batch, and give back the rest as unprocessed."""
        turn = cycle([False, True] if received.fault is Fault.PARTIAL else [False])
        with self._lock:
            part = split(body, lambda row: next(turn) or self.leave(row))
        status, kept, content = 200, {"Content-Type": "application/x-amz-json-1.0"}, None
        if part.body is not None:
            changed = {**headers, "Content-Length": str(len(part.body))}
            status, kept, content = self.forward(changed, part.body, received)
        if status != 200 or not part.left:
            return status, kept, content or b""
        content = answer_of(received.operation, content, part)
        return status, {**kept, "x-amz-crc32": str(crc32(content))}, content


_OF_THE_CONNECTION: Final = frozenset(
    {"connection", "content-length", "date", "server", "transfer-encoding", "x-amz-crc32"}
)
_LINGER_FOR_NOTHING: Final = struct.pack("ii", 1, 0)


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that are gone, as those that were killed are."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or the body of an answer waits for the client's word that it has the head
    owner: FaultProxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = dict(self.headers.items())
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        received = self.owner.receive(operation, body)
        match received.fault:
            case Fault.CUT_BEFORE:
                self._cut()
            case Fault.HOLD:
                self.owner.hold(headers, body, received)
                self._wait_for_the_end()
            case Fault.ERROR_BEFORE:
                self._refuse(500, "InternalServerError")
            case Fault.UNAVAILABLE:
                self._answer(503, {"Content-Type": "text/html"}, b"<html>Service Unavailable</html>")
            case Fault.THROTTLE | Fault.THROTTLE_ACCOUNT | Fault.THROTTLE_RATE as throttled:
                self._refuse(400, THROTTLED[throttled])
            case Fault.IN_PROGRESS:
                self._refuse(400, "TransactionInProgressException")
            case Cancel(reasons):
                self._cancel(reasons)
            case Fault.CONFLICT if operation in ("TransactWriteItems", "TransactGetItems"):
                self._cancel(["TransactionConflict" for _ in received.body["TransactItems"]])
            case Fault.CONFLICT:
                self._refuse(400, "TransactionConflictException")
            case fault:
                forward = self.owner.forward_part if operation in LEFTOVERS else self.owner.forward
                answer = forward(headers, body, received)
                if fault is Fault.DUPLICATE:
                    forward(headers, body, received)
                self._spoil(fault, *answer)

    def _spoil(self, fault: Fault, status: int, headers: dict[str, str], content: bytes) -> None:
        """Do to an answer what is planned."""
        match fault:
            case Fault.CUT_AFTER:
                self._cut()
            case Fault.RESET_AFTER:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_FOR_NOTHING)
                os.close(self.connection.detach())
                self._cut()
            case Fault.ERROR_AFTER:
                self._refuse(500, "InternalServerError")
            case Fault.DAMAGE:
                middle = len(content) // 2
                flipped = bytes([content[middle] ^ 1])
                self._answer(status, headers, content[:middle] + flipped + content[middle + 1 :])
            case Fault.TRUNCATE:
                self._answer(status, headers, content[: len(content) // 2], length=len(content))
                self._cut()
            case Fault.DELAY:
                self._wait_for_the_end()
            case _:
                self._answer(status, headers, content)

    def _cancel(self, reasons: Iterable[str | None]) -> None:
        told = [{"Code": code or "None"} for code in reasons]
        self._refuse(400, "TransactionCanceledException", CancellationReasons=told)

    def _refuse(self, status: int, code: str, **members: Any) -> None:
        body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "planned by a test", **members}
        self._answer(status, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode())

    def _answer(self, status: int, headers: dict[str, str], content: bytes, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def _cut(self) -> None:
        self.close_connection = True

    def _wait_for_the_end(self) -> None:
        """Wait until the client hangs up."""
        self.connection.settimeout(30)
        assert self.connection.recv(1) == b""
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
        """Do not write to stderr."""
