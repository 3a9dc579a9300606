"""Connections that are awaited: a pool of them for one origin, on one event loop.

They are protocols of asyncio without its streams: what arrives goes straight to the reader, and there is one future and
one timer for each connection, not for each call.
"""

from __future__ import annotations

import select
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from logicaldb.transport.connections import IDLE_SECONDS, Lost, NotConnected
from logicaldb.transport.http1 import Answer, AnswerReader, BadAnswer

if TYPE_CHECKING:
    import asyncio
    import ssl


class Connection:
    """A connection: one request at a time, and its answer."""

    __slots__ = (
        "_answer",
        "_deadline",
        "_idle_since",
        "_loop",
        "_poll",
        "_read_timeout",
        "_reader",
        "_timer",
        "_transport",
        "open",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop, read_timeout: float | None) -> None:
        self._loop = loop
        self._read_timeout = read_timeout
        self._transport: Any = None
        self._reader = AnswerReader()
        self._answer: asyncio.Future[Answer] | None = None
        self._deadline = 0.0
        self._idle_since = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._poll: Any = None
        self.open = False

    # What asyncio calls

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.open = True
        if hasattr(select, "poll"):  # not on Windows
            self._poll = select.poll()
            self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        answer = self._answer
        if answer is None or answer.done():
            self.close()  # nobody has asked for anything
            return
        try:
            found = self._reader.feed(data)
        except BadAnswer as error:
            self._fail(answer, error)
            return
        if found is None:
            self._postpone()
            return
        if not found.keep_alive:
            self.close()
        answer.set_result(found)

    def eof_received(self) -> None:
        """Nothing more comes; asyncio closes the transport."""
        self._end(None)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(error)
        if self._timer is not None:
            self._timer.cancel()

    def pause_writing(self) -> None:
        """Requests are in memory anyway, so nothing is gained by waiting."""

    def resume_writing(self) -> None:
        """See ``pause_writing``."""

    # What the pool calls

    def usable(self) -> bool:
        """Whether another request can go this way: it is open, and nothing has arrived, not even its end."""
        return (
            self.open
            and self._loop.time() - self._idle_since < IDLE_SECONDS
            and not (self._poll is not None and self._poll.poll(0))
        )

    async def exchange(self, request: bytes) -> Answer:
        """Send a request and return its answer.

        Raises:
            Lost: no whole answer came.
        """
        self._reader = AnswerReader()
        answer: asyncio.Future[Answer] = self._loop.create_future()
        self._answer = answer
        self._transport.write(request)
        self._postpone()
        if self._timer is None and self._read_timeout is not None:
            self._timer = self._loop.call_at(self._deadline, self._look_at_the_time)
        try:
            return await answer
        except (OSError, BadAnswer) as error:
            self.close()
            raise Lost(error) from None
        except BaseException:
            self.close()  # the answer may still come, and must not be taken for another's
            raise
        finally:
            self._answer = None
            self._idle_since = self._loop.time()

    def close(self) -> None:
        """Close the connection, whatever is under way."""
        self.open = False
        self._transport.abort()

    # Its own

    def _postpone(self) -> None:
        if self._read_timeout is not None:
            self._deadline = self._loop.time() + self._read_timeout

    def _look_at_the_time(self) -> None:
        """Give up if it is time; the timer is not moved with each request, but set anew when it comes too early."""
        self._timer = None
        answer = self._answer
        if answer is None or answer.done():
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._look_at_the_time)
        else:
            self._fail(answer, TimeoutError("the time for reading is out"))

    def _end(self, error: Exception | None) -> None:
        self.open = False
        if self._answer is None or self._answer.done():
            return
        if error is not None:
            self._answer.set_exception(error)
            return
        try:
            self._answer.set_result(self._reader.end())
        except BadAnswer as bad:
            self._answer.set_exception(bad)

    def _fail(self, answer: asyncio.Future[Answer], error: Exception) -> None:
        self.close()
        answer.set_exception(error)


class Pool:
    """The connections to one origin on one event loop: when all are taken, who comes first is served first.

    Args:
        loop: the event loop.
        host: the host.
        port: the port.
        context: how TLS is spoken; ``None``: it is not.
        config: the config of a client, for the timeouts and the number of connections.
    """

    __slots__ = ("_closed", "_config", "_context", "_host", "_idle", "_loop", "_places", "_port", "_waiting")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, host: str, port: int, context: ssl.SSLContext | None, config: Any
    ) -> None:
        self._loop = loop
        self._host = host
        self._port = port
        self._context = context
        self._config = config
        self._idle: list[Connection] = []
        self._places: int = config.max_pool_connections
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._closed = False

    async def exchange(self, request: bytes) -> Answer:
        """Send a request over a connection that is free, or a new one, and return its answer.

        Raises:
            NotConnected: there is no connection, and nothing was sent.
            Lost: it was sent, and no whole answer came.
        """
        connection = await self._take()
        try:
            return await connection.exchange(request)
        finally:
            self._give(connection)

    async def aclose(self) -> None:
        """Close the connections that are idle, and the others when they have their answers."""
        # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
        import asyncio  # noqa: PLC0415

        self._closed = True
        while self._idle:
            self._idle.pop().close()
        await asyncio.sleep(0)  # asyncio closes the sockets in its next round

    async def _take(self) -> Connection:
        connection = None
        if self._idle:
            connection = self._idle.pop()
        elif self._places:
            self._places -= 1
        else:
            waiting: asyncio.Future[Connection | None] = self._loop.create_future()
            self._waiting.append(waiting)
            try:
                connection = await waiting
            except BaseException:
                if waiting.done() and not waiting.cancelled():
                    self._give(waiting.result())
                raise
        if connection is not None:
            if connection.usable():
                return connection
            connection.close()
        try:
            return await self._connect()
        except BaseException:
            self._give(None)
            raise

    def _give(self, connection: Connection | None) -> None:
        """Hand on a connection, or the place for one, to the one who has waited for it longest."""
        if connection is not None and (self._closed or not connection.open):
            connection.close()
            connection = None
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(connection)
                return
        if connection is None:
            self._places += 1
        else:
            self._idle.append(connection)

    async def _connect(self) -> Connection:
        # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
        import asyncio  # noqa: PLC0415

        config = self._config
        try:
            async with asyncio.timeout(config.connect_timeout):
                transport, connection = await self._loop.create_connection(
                    lambda: cast("Any", Connection(self._loop, config.read_timeout)),
                    self._host,
                    self._port,
                    ssl=self._context,
                )
        except (OSError, UnicodeError, ValueError) as error:  # the latter two of host names that cannot be
            raise NotConnected(error) from None
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        made: Connection = connection
        return made
