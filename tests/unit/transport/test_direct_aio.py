"""What the awaited direct transport has of its own: event loops, cancellation, and how many connections there are."""

from __future__ import annotations

import asyncio
import gc
import select
import threading
from collections.abc import Callable, Generator
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from logicaldb import AsyncDirectTransport
from logicaldb.transport import connections_aio
from logicaldb.transport.connections import IDLE_SECONDS, Lost
from tests.modes import on_a_loop
from tests.unit.transport.scripted import Act, Server, answer, scripted


@pytest.fixture
def server() -> Generator[Server]:
    with scripted() as server:
        server.otherwise = lambda received: answer(200, received.body)
        yield server


async def sent(transport: AsyncDirectTransport, number: int) -> bytes:
    return await transport.send("GetItem", "music", b'{"number":%d}' % number)


async def until(condition: Any) -> None:
    """Wait until something holds that a thread brings about."""
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never does")


@on_a_loop
async def test_there_are_no_more_connections_than_the_client_has(server: Server) -> None:
    async with AsyncDirectTransport.from_client(server.client(max_pool_connections=3)) as transport:
        answers = await asyncio.gather(*[sent(transport, number) for number in range(64)])
    assert answers == [b'{"number":%d}' % number for number in range(64)]
    assert server.connections == 3


@on_a_loop
async def test_who_waits_for_a_connection_is_served_in_order(server: Server) -> None:
    async with AsyncDirectTransport.from_client(server.client(max_pool_connections=1)) as transport:
        await sent(transport, 0)
        await asyncio.gather(*[sent(transport, number) for number in range(1, 20)])
    assert [one.body for one in server.received] == [b'{"number":%d}' % number for number in range(20)]


@on_a_loop
async def test_a_cancelled_request_closes_its_connection(server: Server) -> None:
    """Or its answer would be taken for that of the next."""
    server.plan = [Act.HANG]
    async with AsyncDirectTransport.from_client(server.client(max_pool_connections=1)) as transport:
        task = asyncio.create_task(sent(transport, 1))
        await until(lambda: server.received)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await sent(transport, 2) == b'{"number":2}'
    assert [one.connection for one in server.received] == [1, 2]


@on_a_loop
async def test_a_request_that_is_cancelled_while_it_waits_is_not_sent(server: Server) -> None:
    server.plan = [Act.HANG]
    async with AsyncDirectTransport.from_client(server.client(max_pool_connections=1)) as transport:
        first = asyncio.create_task(sent(transport, 1))
        await until(lambda: server.received)
        waiting = [asyncio.create_task(sent(transport, number)) for number in (2, 3, 4)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        first.cancel()
        waiting[1].cancel()
        results = await asyncio.gather(first, *waiting, return_exceptions=True)
    assert [isinstance(result, asyncio.CancelledError) for result in results] == [True, True, True, False]
    assert [one.body for one in server.received] == [b'{"number":1}', b'{"number":4}']


@on_a_loop
async def test_one_that_is_cancelled_when_its_turn_has_come_hands_it_on(server: Server) -> None:
    async with AsyncDirectTransport.from_client(server.client(max_pool_connections=1)) as transport:
        await sent(transport, 0)
        [pools] = transport._pools.values()
        [pool] = pools.by_origin.values()
        taken = await pool._take()
        waiting = [asyncio.create_task(sent(transport, number)) for number in (1, 2)]
        await asyncio.sleep(0)
        assert len(pool._waiting) == 2
        pool._give(taken)
        waiting[0].cancel()
        assert await waiting[1] == b'{"number":2}'
        with pytest.raises(asyncio.CancelledError):
            await waiting[0]
    assert server.connections == 1


@on_a_loop
async def test_a_connection_that_cannot_be_made_leaves_its_place(server: Server) -> None:
    with scripted() as gone:
        client = gone.client(max_pool_connections=1, retries={"mode": "standard", "total_max_attempts": 1})
    async with AsyncDirectTransport.from_client(client) as transport:
        for _ in range(3):
            with pytest.raises(EndpointConnectionError):
                await sent(transport, 1)


@on_a_loop
async def test_a_host_that_cannot_be_is_not_connected_to(server: Server) -> None:
    client = server.client(retries={"mode": "standard", "total_max_attempts": 1})
    url = f"http://{'x' * 64}.example/"
    client.meta.events.register("before-call.dynamodb", lambda params, **_: params.update(url=url))
    async with AsyncDirectTransport.from_client(client) as transport:
        with pytest.raises(EndpointConnectionError):
            await sent(transport, 1)


@on_a_loop
async def test_a_connection_that_was_idle_for_long_is_not_used(server: Server) -> None:
    async with AsyncDirectTransport.from_client(server.client()) as transport:
        await sent(transport, 1)
        [pools] = transport._pools.values()
        [pool] = pools.by_origin.values()
        pool._idle[0]._idle_since -= IDLE_SECONDS
        await sent(transport, 2)
    assert [one.connection for one in server.received] == [1, 2]


def test_each_event_loop_has_connections_of_its_own(server: Server) -> None:
    """They end with it; a socket that is left open would be a warning, which is an error here."""
    transport = AsyncDirectTransport.from_client(server.client())
    for number in range(3):
        assert asyncio.run(sent(transport, number)) == b'{"number":%d}' % number
    gc.collect()
    assert server.connections == 3
    assert len(transport._pools) == 1


def test_event_loops_of_several_threads(server: Server) -> None:
    transport = AsyncDirectTransport.from_client(server.client())
    answers: list[bytes] = []

    async def some(first: int) -> None:
        answers.extend(await asyncio.gather(*[sent(transport, number) for number in range(first, first + 20)]))

    threads = [threading.Thread(target=lambda at=first: asyncio.run(some(at))) for first in (0, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(b'{"number":%d}' % number for number in range(60))


@on_a_loop
async def test_what_is_under_way_when_it_is_closed_gets_its_answer(server: Server) -> None:
    release = threading.Event()

    def wait(received: Any) -> bytes:
        release.wait()
        return answer(200, received.body)

    server.otherwise = wait
    transport = AsyncDirectTransport.from_client(server.client())
    task = asyncio.create_task(sent(transport, 1))
    await until(lambda: server.received)
    await transport.aclose()
    release.set()
    assert await task == b'{"number":1}'
    assert transport._pools == {}
    await until(lambda: not server.open)


@on_a_loop
async def test_the_loop_goes_on_while_credentials_are_fetched(server: Server) -> None:
    client = server.client()
    fetched = client._request_signer._credentials
    turns = 0
    release = threading.Event()

    class Slow:
        def get_frozen_credentials(self) -> Any:
            assert release.wait(10)
            return fetched.get_frozen_credentials()

    client._request_signer._credentials = Slow()
    async with AsyncDirectTransport.from_client(client) as transport:
        task = asyncio.create_task(sent(transport, 1))
        while turns < 50:
            await asyncio.sleep(0)
            turns += 1
        release.set()
        assert await task == b'{"number":1}'


# Connections by themselves


class Transport:
    """What asyncio gives a connection."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.aborted = 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def abort(self) -> None:
        self.aborted += 1

    def get_extra_info(self, name: str) -> Any:
        assert name == "socket"
        raise AssertionError("there is no poll here")


@pytest.fixture
def without_poll(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    monkeypatch.delattr(select, "poll", raising=False)


@pytest.mark.usefixtures("without_poll")
class TestConnection:
    @on_a_loop
    async def test_without_poll_it_is_usable_while_it_is_open(self) -> None:
        connection = connections_aio.Connection(asyncio.get_running_loop(), 1.0)
        connection.connection_made(Transport())
        connection._idle_since = asyncio.get_running_loop().time()
        assert connection.usable()
        connection.eof_received()
        assert not connection.usable()

    @on_a_loop
    async def test_a_lost_connection_is_told_once(self) -> None:
        connection = connections_aio.Connection(asyncio.get_running_loop(), None)
        connection.connection_made(Transport())
        connection.pause_writing()
        connection.resume_writing()
        task = asyncio.create_task(connection.exchange(b"request"))
        await asyncio.sleep(0)
        connection.connection_lost(ConnectionResetError("reset"))
        connection.connection_lost(None)
        with pytest.raises(Lost) as raised:
            await task
        assert isinstance(raised.value.error, ConnectionResetError)
        connection.data_received(b"late")

    @on_a_loop
    async def test_its_time_is_not_that_of_an_earlier_request(self) -> None:
        """There is one timer, which comes too early for a later request, and is set anew."""
        clock = Clock()
        connection = connections_aio.Connection(cast("Any", clock), 60.0)
        connection.connection_made(Transport())
        first = asyncio.create_task(connection.exchange(b"1"))
        await asyncio.sleep(0)
        clock.now = 50.0
        connection.data_received(answer())
        assert (await first).status == 200
        second = asyncio.create_task(connection.exchange(b"2"))
        await asyncio.sleep(0)
        clock.now = 60.0
        clock.ring()
        assert clock.due == [110.0]
        clock.now = 110.0
        clock.ring()
        with pytest.raises(Lost) as raised:
            await second
        assert str(raised.value.error) == "the time for reading is out"

    @on_a_loop
    async def test_a_timer_that_nobody_needs_any_more_ends(self) -> None:
        clock = Clock()
        connection = connections_aio.Connection(cast("Any", clock), 60.0)
        connection.connection_made(Transport())
        task = asyncio.create_task(connection.exchange(b"1"))
        await asyncio.sleep(0)
        connection.data_received(answer())
        await task
        clock.now = 60.0
        clock.ring()
        assert clock.due == []
        assert connection.open


class Clock:
    """An event loop whose time a test makes."""

    def __init__(self) -> None:
        self.now = 0.0
        self.create_future = asyncio.get_running_loop().create_future
        self._timers: list[tuple[float, Callable[[], None]]] = []

    @property
    def due(self) -> list[float]:
        return [when for when, _ in self._timers]

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, call: Callable[[], None]) -> object:
        self._timers.append((when, call))
        return object()

    def ring(self) -> None:
        """Call what is due."""
        due = [timer for timer in self._timers if timer[0] <= self.now]
        self._timers = [timer for timer in self._timers if timer not in due]
        for _, call in due:
            call()
