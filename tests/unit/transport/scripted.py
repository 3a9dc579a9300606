"""A server that does what a test says, to the byte, and a direct transport of either kind that talks to it."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import struct
import threading
import weakref
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final
from zlib import crc32

import boto3
from botocore.config import Config

from logicaldb import AsyncDirectTransport, DirectTransport
from logicaldb.flow import ServiceFailure, Unanswered


class Act(Enum):
    """What the server does in the place of an answer."""

    CUT = "It closes the connection."
    RESET = "It resets the connection."
    HANG = "It says nothing, until the test is over."


Step = bytes | Act | tuple[bytes, Act]
_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)


def answer(status: int = 200, body: Any = None, **headers: str) -> bytes:
    """The bytes of an answer with a right checksum, if ``headers`` do not say otherwise."""
    content = body if isinstance(body, bytes) else json.dumps({} if body is None else body).encode()
    named = {"x_amz_crc32": str(crc32(content)), "content_length": str(len(content)), **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in named.items() if value]
    return "\r\n".join([f"HTTP/1.1 {status} Any", *lines, "", ""]).encode() + content


def refusal(code: str, status: int = 400, **members: Any) -> bytes:
    """The bytes of an answer that is an error."""
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "of a test", **members}
    return answer(status, body, x_amzn_requestid="REQUEST")


@dataclass(frozen=True)
class Received:
    """A request as it arrived.

    Attributes:
        connection: the number of its connection.
        line: its first line.
        headers: its headers, by their names in lower case.
        body: its body.
    """

    connection: int
    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """Listens on loopback; it answers requests by the plan, and then by ``otherwise``.

    Attributes:
        plan: what is done with the next requests.
        otherwise: gives what is done with those that follow.
        received: the requests.
        open: the connections that are open.
    """

    plan: list[Step] = field(default_factory=list[Step])
    otherwise: Callable[[Received], Step] = lambda _: answer()
    received: list[Received] = field(default_factory=list[Received])
    open: list[socket.socket] = field(default_factory=list[socket.socket])
    scheme: str = "http"
    port: int = 0
    connections: int = 0
    over: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}"

    def client(self, **config: Any) -> Any:
        """A boto3 client of it; ``config`` are settings of ``botocore.config.Config``."""
        settings: dict[str, Any] = {"proxies": {}, "retries": {"mode": "standard"}, **config}
        return boto3.client(
            "dynamodb",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            config=Config(**settings),
        )

    def hang_up(self) -> None:
        """Close all connections, as a server does with idle ones."""
        with self.lock:
            while self.open:
                self.open.pop().shutdown(socket.SHUT_RDWR)

    def say(self, data: bytes) -> None:
        """Say something on all connections that nobody asked for."""
        with self.lock:
            for connection in self.open:
                connection.sendall(data)

    def serve(self, listening: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._talk, args=(connection, context), daemon=True).start()

    def _talk(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        with self.lock:
            self.connections += 1
            number = self.connections
        with suppress(OSError):
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            with self.lock:
                self.open.append(connection)
            self._answer_all(connection, number)
        with self.lock:
            if connection in self.open:
                self.open.remove(connection)
        connection.close()

    def _answer_all(self, connection: socket.socket, number: int) -> None:
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                if not (more := connection.recv(65_536)):
                    return
                data += more
            head, _, data = data.partition(b"\r\n\r\n")
            line, *rest = head.decode().split("\r\n")
            headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
            while len(data) < int(headers["content-length"]):
                data += connection.recv(65_536)
            received = Received(number, line, headers, data[: int(headers["content-length"])])
            data = data[int(headers["content-length"]) :]
            with self.lock:
                self.received.append(received)
                step = self.plan.pop(0) if self.plan else None
            if not self._do(connection, self.otherwise(received) if step is None else step):
                return

    def _do(self, connection: socket.socket, step: Step) -> bool:
        if isinstance(step, bytes):
            connection.sendall(step)
            return True
        if isinstance(step, tuple):
            connection.sendall(step[0])
            step = step[1]
        if step is Act.HANG:
            self.over.wait()
        elif step is Act.RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
        return False


@contextmanager
def scripted(context: ssl.SSLContext | None = None) -> Generator[Server]:
    """A server; it speaks TLS where there is a context for it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = Server(scheme="http" if context is None else "https", port=listening.getsockname()[1])
        thread = threading.Thread(target=server.serve, args=(listening, context), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            listening.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                server.hang_up()
            thread.join()


@dataclass
class Sender:
    """A direct transport of either kind, for tests that block."""

    transport: Any
    runner: asyncio.Runner | None

    def send(
        self, operation: str = "GetItem", body: bytes = b"{}", *, table: str = "music", repeatable: bool = True
    ) -> bytes:
        sent: Any = self.transport.send(operation, table, body, repeatable=repeatable)
        answered: bytes = sent if self.runner is None else self.runner.run(sent)
        return answered

    def send_at_once(self, *bodies: bytes) -> list[bytes]:
        """Send several requests at once, and give their answers in order."""
        if self.runner is None:
            answers: dict[int, bytes] = {}

            def send(place: int, body: bytes) -> None:
                answers[place] = self.send(body=body)

            threads = [threading.Thread(target=send, args=one) for one in enumerate(bodies)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return [answers[place] for place in range(len(bodies))]

        async def gather() -> list[bytes]:
            sends: list[Awaitable[bytes]] = [self.transport.send("GetItem", "music", body) for body in bodies]
            return await asyncio.gather(*sends)

        return self.runner.run(gather())

    def failure(self) -> list[weakref.ref[Exception]]:
        """What comes of a write that fails, and the error in it, as long as anything holds them."""
        if self.runner is None:
            try:
                self.transport.send("UpdateItem", "music", b"{}", repeatable=False)
            except (ServiceFailure, Unanswered) as failure:
                return [weakref.ref(failure), weakref.ref(failure.error)]

        async def fail() -> list[weakref.ref[Exception]]:
            # Not outside of the loop: asyncio itself makes a cycle of an error that leaves it.
            try:
                await self.transport.send("UpdateItem", "music", b"{}", repeatable=False)
            except (ServiceFailure, Unanswered) as failure:
                return [weakref.ref(failure), weakref.ref(failure.error)]
            raise AssertionError("it did not fail")

        assert self.runner is not None, "it did not fail"
        return self.runner.run(fail())

    def close(self) -> None:
        if self.runner is None:
            self.transport.close()
        else:
            self.runner.run(self.transport.aclose())


@contextmanager
def sender(kind: str, client: Any, **options: Any) -> Generator[Sender]:
    """A direct transport of a client: ``blocking`` or ``awaited``."""
    if kind == "blocking":
        with DirectTransport.from_client(client, **options) as transport:
            yield Sender(transport, None)
    else:
        with asyncio.Runner() as runner:
            yield Sender(AsyncDirectTransport.from_client(client, **options), runner)
