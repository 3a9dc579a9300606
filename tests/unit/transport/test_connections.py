from __future__ import annotations

import gc
import os
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from logicaldb.transport import connections
from logicaldb.transport.connections import IDLE_SECONDS, Connections, Lost, NotConnected
from logicaldb.transport.http1 import BadAnswer
from tests.unit.transport.certificates import Certificates

REQUEST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"


def answer(body: bytes = b"{}", *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]) + b"\r\n\r\n" + body


class Peer:
    """A server that does with each connection what a function does; it ends with the test."""

    def __init__(self, serve: Callable[[socket.socket, int], None]) -> None:
        self._serve = serve
        self._stack = ExitStack()
        self._listening = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port: int = self._listening.getsockname()[1]
        self.accepted = 0
        self.ended = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                made, _ = self._listening.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._work, args=(made, self.accepted), daemon=True).start()

    def _work(self, made: socket.socket, number: int) -> None:
        with made, suppress(OSError):
            self._serve(made, number)
        self.ended.release()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._stack.close()


def receive(made: socket.socket) -> bytes:
    """One request; empty where the other side has closed."""
    data = b""
    while not data.endswith(b"{}"):
        piece = made.recv(65_536)
        if not piece:
            return b""
        data += piece
    return data


def answering(made: socket.socket, number: int) -> None:
    while receive(made):
        made.sendall(answer(b"%d" % number))


@pytest.fixture
def peers() -> Iterator[Callable[[Callable[[socket.socket, int], None]], Peer]]:
    with ExitStack() as stack:

        def start(serve: Callable[[socket.socket, int], None]) -> Peer:
            peer = Peer(serve)
            stack.callback(peer.close)
            return peer

        yield start


def connections_to(peer: Peer, **options: Any) -> Connections:
    settings: dict[str, Any] = {"connect_timeout": 5.0, "read_timeout": 5.0, "max_idle": 10, **options}
    return Connections("127.0.0.1", peer.port, **settings)


def test_a_connection_is_used_again(peers: Any) -> None:
    peer = peers(answering)
    found = connections_to(peer)
    assert [found.exchange(REQUEST).body for _ in range(3)] == [b"1"] * 3
    assert peer.accepted == 1


def test_a_connection_has_no_delay_and_is_kept_alive(peers: Any) -> None:
    found = connections_to(peers(answering))
    found.exchange(REQUEST)
    made = found._idle[0]._socket
    assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    assert made.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0


def test_a_connection_that_is_not_to_be_kept_is_closed(peers: Any) -> None:
    def serve(made: socket.socket, _: int) -> None:
        while receive(made):
            made.sendall(answer(b"{}", b"Connection: close"))

    peer = peers(serve)
    found = connections_to(peer)
    for _ in range(2):
        assert found.exchange(REQUEST).body == b"{}"
    assert peer.accepted == 2


def test_a_connection_that_was_closed_meanwhile_is_not_used(peers: Any) -> None:
    def serve(made: socket.socket, number: int) -> None:
        receive(made)
        made.sendall(answer(b"%d" % number))

    peer = peers(serve)
    found = connections_to(peer)
    for number in (b"1", b"2"):
        assert found.exchange(REQUEST).body == number
        assert peer.ended.acquire(timeout=5)


def test_what_arrives_unasked_is_not_taken_for_an_answer(peers: Any) -> None:
    said = threading.Event()

    def serve(made: socket.socket, number: int) -> None:
        receive(made)
        made.sendall(answer(b"%d" % number))
        if number == 1:
            made.sendall(answer(b"unasked"))
            said.set()
        receive(made)

    peer = peers(serve)
    found = connections_to(peer)
    assert found.exchange(REQUEST).body == b"1"
    assert said.wait(5)
    assert found.exchange(REQUEST).body == b"2"


def test_a_connection_that_was_idle_for_long_is_not_used(peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = peers(answering)
    found = connections_to(peer)
    found.exchange(REQUEST)
    now = time.monotonic()
    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: now + IDLE_SECONDS - 1))
    assert found.exchange(REQUEST).body == b"1"
    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=lambda: now + 2 * IDLE_SECONDS))
    assert found.exchange(REQUEST).body == b"2"


class Closing:
    """A socket whose other side closes it between the look at it and the request."""

    def __init__(self, made: socket.socket, sent: int | None = None) -> None:
        self._made = made
        self._sent = sent

    def send(self, data: bytes) -> int:
        if self._sent is None:
            raise BrokenPipeError
        return self._made.send(data[: self._sent])

    def sendall(self, data: bytes) -> None:
        raise ConnectionResetError

    def recv(self, size: int) -> bytes:
        raise AssertionError

    def close(self) -> None:
        self._made.close()


def let_fail(found: Any, sent: int | None = None) -> None:
    """Let the connection that is idle fail, after it has taken a part of the next request if it is to."""
    connection = found._idle[0]
    connection._socket = Closing(connection._socket, sent)


def test_what_a_kept_connection_does_not_take_goes_by_a_new_one(peers: Any) -> None:
    peer = peers(answering)
    found = connections_to(peer)
    found.exchange(REQUEST)
    let_fail(found)
    assert found.exchange(REQUEST).body == b"2"
    assert found.exchange(REQUEST).body == b"2"


def test_what_a_kept_connection_takes_a_part_of_is_not_sent_again(peers: Any) -> None:
    peer = peers(answering)
    found = connections_to(peer)
    found.exchange(REQUEST)
    let_fail(found, 10)
    with pytest.raises(Lost) as raised:
        found.exchange(REQUEST)
    assert isinstance(raised.value.error, ConnectionResetError)
    assert peer.accepted == 1


def test_a_request_that_does_not_fit_at_once_is_sent_whole(peers: Any) -> None:
    received: list[int] = []

    def serve(made: socket.socket, _: int) -> None:
        received.append(len(receive(made)))
        made.sendall(answer())

    large = REQUEST.replace(b"\r\n\r\n", b"\r\n\r\n" + b"x" * 20_000_000)
    assert connections_to(peers(serve)).exchange(large).body == b"{}"
    assert received == [len(large)]


def test_an_answer_of_many_pieces(peers: Any) -> None:
    body = os.urandom(3_000_000)

    def serve(made: socket.socket, _: int) -> None:
        receive(made)
        made.sendall(answer(body))

    assert connections_to(peers(serve)).exchange(REQUEST).body == body


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", answer()[:-1], b"HTTP/1.1 200 OK\r\n\r"])
def test_an_answer_that_is_cut_is_lost(peers: Any, said: bytes) -> None:
    def serve(made: socket.socket, _: int) -> None:
        receive(made)
        made.sendall(said)

    peer = peers(serve)
    with pytest.raises(Lost) as raised:
        connections_to(peer).exchange(REQUEST)
    assert isinstance(raised.value.error, BadAnswer)
    assert str(raised.value) == "the connection was closed before the answer was whole"
    assert peer.accepted == 1


def test_an_answer_that_is_cut_on_a_kept_connection_is_lost_too(peers: Any) -> None:
    """It may have been the request that the other side closed upon."""

    def serve(made: socket.socket, _: int) -> None:
        receive(made)
        made.sendall(answer())
        receive(made)

    peer = peers(serve)
    found = connections_to(peer)
    found.exchange(REQUEST)
    with pytest.raises(Lost):
        found.exchange(REQUEST)
    assert peer.accepted == 1


def test_a_reset_is_lost(peers: Any) -> None:
    def serve(made: socket.socket, _: int) -> None:
        receive(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with pytest.raises(Lost) as raised:
        connections_to(peers(serve)).exchange(REQUEST)
    assert isinstance(raised.value.error, ConnectionResetError)


def test_time_to_answer_runs_out(peers: Any) -> None:
    over = threading.Event()

    def serve(made: socket.socket, _: int) -> None:
        receive(made)
        made.sendall(b"HTTP")
        over.wait(10)

    found = connections_to(peers(serve), read_timeout=0.05)
    with pytest.raises(Lost) as raised:
        found.exchange(REQUEST)
    over.set()
    assert isinstance(raised.value.error, TimeoutError)
    assert not found._idle


def test_there_may_be_no_end_to_time(peers: Any) -> None:
    found = connections_to(peers(answering), connect_timeout=None, read_timeout=None)
    assert found.exchange(REQUEST).body == b"1"


def test_time_to_connect_runs_out() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        with ExitStack() as stack:
            for _ in range(3):  # of a queue that is full, Linux answers nothing
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(full.getsockname())
            host, port = full.getsockname()
            found = Connections(host, port, connect_timeout=0.05, read_timeout=5, max_idle=1)
            with pytest.raises(NotConnected) as raised:
                found.exchange(REQUEST)
    assert isinstance(raised.value.error, TimeoutError)


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid", "a" * 64 + ".invalid", "a..b"])
def test_where_nothing_listens(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port: int = closed.getsockname()[1]
    found = Connections(host, port, connect_timeout=5, read_timeout=5, max_idle=1)
    with pytest.raises(NotConnected):
        found.exchange(REQUEST)


def test_idle_connections_are_bounded(peers: Any) -> None:
    together = threading.Barrier(5, timeout=10)

    def serve(made: socket.socket, number: int) -> None:
        while receive(made):
            together.wait()
            made.sendall(answer(b"%d" % number))

    peer = peers(serve)
    found = connections_to(peer, max_idle=2)
    with ThreadPoolExecutor(5) as threads:
        bodies = set(threads.map(lambda _: found.exchange(REQUEST).body, range(5)))
    assert bodies == {b"1", b"2", b"3", b"4", b"5"}
    assert len(found._idle) == 2
    for _ in range(3):
        assert peer.ended.acquire(timeout=5)


def test_64_threads_get_their_own_answers(peers: Any) -> None:
    def serve(made: socket.socket, _: int) -> None:
        while request := receive(made):
            made.sendall(answer(request.partition(b"X: ")[2].partition(b"\r\n")[0]))

    peer = peers(serve)
    found = connections_to(peer, max_idle=64)

    def work(worker: int) -> bool:
        bodies = [b"%d-%d" % (worker, number) for number in range(20)]
        return [found.exchange(REQUEST.replace(b"Host: h", b"X: " + body)).body for body in bodies] == bodies

    with ThreadPoolExecutor(64) as threads:
        assert all(threads.map(work, range(64)))
    assert peer.accepted <= 64


def test_it_can_be_closed_and_used_again(peers: Any) -> None:
    peer = peers(answering)
    found = connections_to(peer)
    found.exchange(REQUEST)
    found.close()
    assert peer.ended.acquire(timeout=5)
    assert found.exchange(REQUEST).body == b"2"


def test_what_nobody_closes_is_closed_when_it_is_forgotten(peers: Any) -> None:
    peer = peers(answering)
    found = connections_to(peer)
    found.exchange(REQUEST)
    del found
    gc.collect()
    assert peer.ended.acquire(timeout=5)


def test_what_was_never_made_is_forgotten_without_a_word() -> None:
    with pytest.raises(TypeError):
        cast("Any", Connections)("127.0.0.1")
    Connections.__new__(Connections).__del__()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
def test_a_forked_process_leaves_connections_alone(peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = peers(answering)
    found = connections_to(peer)
    found.exchange(REQUEST)
    inherited = found._idle[0]._socket
    monkeypatch.setattr(connections, "os", SimpleNamespace(getpid=lambda: -1))
    found._idle[0]._socket = inherited.dup()  # a process that is forked has one of its own
    assert found.exchange(REQUEST).body == b"2"
    assert found.exchange(REQUEST).body == b"2"
    with inherited:
        inherited.sendall(REQUEST)  # its parent's is still there
        assert inherited.recv(65_536) == answer(b"1")


def test_where_there_is_no_poll(peers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "sys", SimpleNamespace(platform="win32"))
    peer = peers(answering)
    found = connections_to(peer)
    for _ in range(2):
        assert found.exchange(REQUEST).body == b"1"


def test_another_thread_may_take_the_last_one(peers: Any) -> None:
    """Between the look at the queue and taking from it."""

    class Emptied:
        def __bool__(self) -> bool:
            return True

        def __len__(self) -> int:
            return 100

        def pop(self) -> None:
            raise IndexError

        def popleft(self) -> None:
            raise IndexError

        def append(self, connection: connections.Connection) -> None:
            connection.close()

    peer = peers(answering)
    found: Any = connections_to(peer)
    found._idle = Emptied()
    assert found.exchange(REQUEST).body == b"1"
    found.close()


# TLS


def tls_peer(certificates: Certificates, serve: Callable[[Any, int], None]) -> Callable[[socket.socket, int], None]:
    def speak(made: socket.socket, number: int) -> None:
        with certificates.server.wrap_socket(made, server_side=True) as spoken:
            serve(spoken, number)

    return speak


def over_tls(peer: Peer, host: str, bundle: Path, **options: Any) -> Connections:
    def context() -> ssl.SSLContext:
        return ssl.create_default_context(cafile=bundle)

    return Connections(host, peer.port, connect_timeout=5, read_timeout=5, max_idle=1, tls=context, **options)


def test_speaks_tls(peers: Any, certificates: Certificates) -> None:
    peer = peers(tls_peer(certificates, answering))
    found = over_tls(peer, "localhost", certificates.bundle)
    assert [found.exchange(REQUEST).body for _ in range(3)] == [b"1"] * 3
    assert peer.accepted == 1


@pytest.mark.parametrize(("host", "is_trusted"), [("127.0.0.1", True), ("localhost", False)])
def test_speaks_only_to_whom_it_trusts(peers: Any, certificates: Certificates, host: str, is_trusted: bool) -> None:
    """It is another host than the certificate names, or nobody knows who made the certificate."""
    peer = peers(tls_peer(certificates, answering))
    found = over_tls(peer, host, certificates.bundle if is_trusted else certificates.other_bundle)
    with pytest.raises(NotConnected) as raised:
        found.exchange(REQUEST)
    assert isinstance(raised.value.error, ssl.SSLCertVerificationError)


def test_what_speaks_no_tls_is_not_connected(peers: Any, certificates: Certificates) -> None:
    found = over_tls(peers(lambda made, _: made.sendall(answer())), "localhost", certificates.bundle)
    with pytest.raises(NotConnected) as raised:
        found.exchange(REQUEST)
    assert isinstance(raised.value.error, ssl.SSLError)


def test_a_bundle_that_is_not_there_is_not_connected(peers: Any, tmp_path: Path) -> None:
    found = over_tls(peers(answering), "localhost", tmp_path / "none.pem")
    with pytest.raises(NotConnected) as raised:
        found.exchange(REQUEST)
    assert isinstance(raised.value.error, FileNotFoundError)


def test_a_kept_connection_of_tls_that_fails_may_have_sent_a_part(peers: Any, certificates: Certificates) -> None:
    peer = peers(tls_peer(certificates, answering))
    found = over_tls(peer, "localhost", certificates.bundle)
    found.exchange(REQUEST)
    let_fail(found)
    with pytest.raises(Lost) as raised:
        found.exchange(REQUEST)
    assert isinstance(raised.value.error, BrokenPipeError)
    assert peer.accepted == 1
