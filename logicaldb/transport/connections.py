"""Connections that are kept alive, for callers that block."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from logicaldb.transport.http1 import Answer, AnswerReader, BadAnswer

if TYPE_CHECKING:
    import ssl

IDLE_SECONDS: Final = 60.0
"""A connection that was idle for longer is not used again: something on the way may have forgotten it silently."""

_RECEIVE: Final = 65_536


class NotConnected(Exception):
    """There is no connection, so nothing was sent.

    Attributes:
        error: why; an ``ssl.SSLError`` where the other side could not be trusted.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Lost(Exception):
    """A request was sent, at least in part, and no whole answer came; so it may have taken effect.

    Attributes:
        error: why; a ``TimeoutError`` where the time ran out.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Connection:
    """One connection; it carries one request at a time."""

    __slots__ = ("_is_tls", "_poll", "_socket", "idle_since")

    def __init__(self, made: socket.socket, *, is_tls: bool) -> None:
        self._socket = made
        self._is_tls = is_tls
        self._poll = _is_readable(made)
        self.idle_since = 0.0

    def is_usable(self, now: float) -> bool:
        """Whether another request may be sent: the other side has said nothing, and so has not closed it either."""
        return now - self.idle_since < IDLE_SECONDS and not self._poll()

    def exchange(self, request: bytes) -> Answer:
        """Send a request and receive its answer.

        Raises:
            NotConnected: nothing was sent, because the other side had closed the connection.
            Lost: it was sent at least in part, and no whole answer came.
        """
        self._send(request)
        reader = AnswerReader()
        receive = self._socket.recv
        try:
            while data := receive(_RECEIVE):
                answer = reader.feed(data)
                if answer is not None:
                    return answer
            return reader.end()
        except (OSError, BadAnswer) as error:
            raise Lost(error) from None

    def _send(self, request: bytes) -> None:
        try:
            sent = self._socket.send(request)
        except OSError as error:
            # TLS may have sent a part of it all the same; and a send that timed out waited for an empty buffer.
            raise (Lost(error) if self._is_tls else NotConnected(error)) from None
        if sent < len(request):
            try:
                self._socket.sendall(memoryview(request)[sent:])
            except OSError as error:
                raise Lost(error) from None

    def close(self) -> None:
        """Close it; what the other side still says is not heard."""
        self._socket.close()


class Connections:
    """The connections to one endpoint: any number of threads use them, and the idle ones are kept for the next.

    In a forked process those of its parent are not used.

    Args:
        host: the name or the address of the other side.
        port: its port.
        connect_timeout: how many seconds a connection may take to be made, with TLS; ``None``: any time.
        read_timeout: how many seconds nothing may arrive; ``None``: any time.
        max_idle: how many connections are kept at most.
        tls: makes the context of TLS, when the first connection is made; ``None``: there is no TLS.
    """

    __slots__ = (
        "_connect_timeout",
        "_context",
        "_host",
        "_idle",
        "_max_idle",
        "_port",
        "_process",
        "_read_timeout",
        "_tls",
    )

    def __init__(
        self,
        host: str,
        port: int,
        *,
        connect_timeout: float | None,
        read_timeout: float | None,
        max_idle: int,
        tls: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        self._host = host
        self._port = port
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self._max_idle = max_idle
        self._tls = tls
        self._context: ssl.SSLContext | None = None
        self._idle: deque[Connection] = deque()
        self._process = os.getpid()

    def exchange(self, request: bytes) -> Answer:
        """Send a request and receive its answer, by a connection that is idle or by a new one.

        Raises:
            NotConnected: there is no connection, and nothing was sent.
            Lost: it was sent at least in part, and no whole answer came.
        """
        connection = self._take()
        if connection is None:
            connection = self._connect()
            answer = _exchange(connection, request)
        else:
            try:
                answer = _exchange(connection, request)
            except NotConnected:  # it was closed in this very moment
                connection = self._connect()
                answer = _exchange(connection, request)
        if answer.keep_alive:
            self._give_back(connection)
        else:
            connection.close()
        return answer

    def close(self) -> None:
        """Close the connections that are idle; those in use are closed when their answers are there."""
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:  # another thread took the last
                return

    def __del__(self) -> None:
        """Close what nobody closed, without the warning of a socket that is forgotten."""
        # Where the constructor failed, there is none.
        if hasattr(self, "_idle"):
            self.close()

    def _take(self) -> Connection | None:
        if self._process != os.getpid():
            self._forget()
        idle = self._idle
        if not idle:
            return None
        now = time.monotonic()
        while True:
            try:
                connection = idle.pop()
            except IndexError:
                return None
            if connection.is_usable(now):
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        connection.idle_since = time.monotonic()
        self._idle.append(connection)
        if len(self._idle) > self._max_idle:
            try:
                self._idle.popleft().close()
            except IndexError:
                return

    def _forget(self) -> None:
        """Leave the connections to the process that made them; to close the copies here does not close them there."""
        inherited, self._idle = self._idle, deque()
        self._process = os.getpid()
        for connection in inherited:
            connection.close()

    def _connect(self) -> Connection:
        """Make a connection.

        Raises:
            NotConnected: there is none.
        """
        made: socket.socket | None = None
        try:
            if self._tls is not None and self._context is None:
                self._context = self._tls()
            made = socket.create_connection((self._host, self._port), self._connect_timeout)
            # Without it a request that is sent in two parts waits 40 ms for the word that the first has arrived.
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self._context is not None:
                made = self._context.wrap_socket(made, server_hostname=self._host)
            made.settimeout(self._read_timeout)
        except (OSError, UnicodeError, ValueError) as error:  # the latter two of host names that cannot be
            if made is not None:
                made.close()
            raise NotConnected(error) from None
        return Connection(made, is_tls=self._context is not None)


def _exchange(connection: Connection, request: bytes) -> Answer:
    """Exchange, and close the connection in whatever goes wrong."""
    try:
        return connection.exchange(request)
    except BaseException:
        connection.close()
        raise


def _is_readable(made: socket.socket) -> Callable[[], Any]:
    """Give a function that tells whether something waits to be read, be it the end."""
    if sys.platform == "win32":
        return lambda: select.select([made], [], [], 0)[0]
    poll = select.poll()
    poll.register(made, select.POLLIN)
    return lambda: poll.poll(0)
