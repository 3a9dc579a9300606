"""Many tasks at once, and tasks that are cancelled in the middle: on threads, and through aiobotocore."""

from __future__ import annotations

import asyncio
import gc
import threading
import tracemalloc
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest

from logicaldb import (
    AsyncLogicalDb,
    AsyncWritingPagerHandler,
    BatchWriteSet,
    EqualTo,
    TransactionWriteSet,
    VersionConflict,
    attr,
)
from logicaldb.testing.clients import make_test_client
from tests.concurrency.conftest import Place
from tests.models import Db, Note, Tally
from tests.modes import create_aio_client, on_a_loop, twin

TASKS = 64
CONNECTIONS = 16


@dataclass
class Awaited:
    """A table that is reached by tasks.

    Attributes:
        db: the database.
        client: its client.
        name: a name that nothing has yet.
        blocking: the database of the same table, which blocks.
    """

    db: Any
    client: Any
    name: str
    blocking: Db


Open: TypeAlias = Callable[[], AbstractAsyncContextManager[Awaited]]


@pytest.fixture(params=["threads", "aiobotocore"])
def opened(request: pytest.FixtureRequest, place: Place) -> Open:
    """Opens the database on the loop of a test."""

    def make(client: Any) -> Awaited:
        db: AsyncLogicalDb = twin(Db)(client, table_name_resolver=lambda *_: place.table)
        return Awaited(db, client, place.name, place.db)

    @asynccontextmanager
    async def on_threads() -> AsyncGenerator[Awaited]:
        yield make(make_test_client(place.url, "us-east-1", max_pool_connections=CONNECTIONS))

    @asynccontextmanager
    async def through_aiobotocore() -> AsyncGenerator[Awaited]:
        async with create_aio_client(place.url, max_pool_connections=CONNECTIONS) as client:
            yield make(client)

    if request.param == "threads":
        return on_threads
    pytest.importorskip("aiobotocore", reason="aiobotocore is not installed: pip install 'logicaldb[aio]'")
    return through_aiobotocore


async def by_tasks(tasks: int, work: Callable[[int], Awaitable[None]], numbers: Iterator[int]) -> None:
    """Let tasks do the work of all numbers, each the next that is left."""

    async def worker() -> None:
        for number in numbers:
            await work(number)

    async with asyncio.TaskGroup() as group:
        for _ in range(tasks):
            group.create_task(worker())


# Many at once


@on_a_loop
async def test_a_thousand_loads_and_saves_by_64_tasks_in_bounded_memory(opened: Open) -> None:
    threads = threading.active_count()
    most_tasks = most_threads = 0

    async with opened() as one:
        db = one.db

        async def work(number: int) -> None:
            nonlocal most_tasks, most_threads
            name = f"{one.name}-{number}"
            saved = await db.save(Note(name=name, log=[name, str(number)]))
            assert saved == Note(name=name, log=[name, str(number)], version=1)
            assert await db.load(Note.Key(name), consistent_read=True) == saved
            most_tasks = max(most_tasks, len(asyncio.all_tasks()))
            most_threads = max(most_threads, threading.active_count())

        await by_tasks(TASKS, work, iter(range(700)))
        tracemalloc.start()
        try:
            await by_tasks(TASKS, work, iter(range(700, 850)))
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            await by_tasks(TASKS, work, iter(range(850, 1000)))
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        keys = [Note.Key(f"{one.name}-{number}") for number in range(1000)]
        stored = await db.batch_load(keys, consistent_read=True)
        assert [item.log[1] for item in stored] == [str(number) for number in range(1000)]
    assert after - before < 150 * 1000  # what is kept of a save and a load, in bytes: less than they take
    assert TASKS < most_tasks <= TASKS + CONNECTIONS + 2  # aiohttp has one of its own for each request
    assert most_threads <= threads + CONNECTIONS


@on_a_loop
async def test_tasks_lose_no_increment_and_each_gets_a_count_of_its_own(opened: Open) -> None:
    counts: list[int] = []
    async with opened() as one:
        key = Tally.Key(one.name)

        async def work(_: int) -> None:
            counts.append(await one.db.increment(key, Tally.hits, upsert=True))

        await by_tasks(TASKS, work, iter(range(320)))
        assert sorted(counts) == list(range(1, 321))
        assert await one.db.load(key, consistent_read=True) == Tally(name=one.name, hits=320)


@on_a_loop
async def test_of_many_tasks_with_one_version_one_wins(opened: Open) -> None:
    async with opened() as one:
        stored = await one.db.create(Note(name=one.name))
        saves = [one.db.save(stored.replace(log=[str(number)])) for number in range(TASKS)]
        outcomes = await asyncio.gather(*saves, return_exceptions=True)
        (winner,) = [outcome for outcome in outcomes if isinstance(outcome, Note)]
        conflicts = [outcome for outcome in outcomes if isinstance(outcome, VersionConflict)]
        assert len(conflicts) == TASKS - 1
        assert all(conflict.item == winner for conflict in conflicts)


# Cancelled in the middle


async def until_cancelled(one: Awaited, work: Awaitable[object], request: int) -> bool:
    """Do work in a task group that is cancelled when it sends its n-th request; tell whether it was."""
    loop = asyncio.get_running_loop()
    sent = 0

    async def group() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(perform())

    async def perform() -> None:
        await work

    task = asyncio.create_task(group())

    def count(**_: Any) -> None:
        nonlocal sent
        sent += 1
        if sent == request:
            loop.call_soon_threadsafe(task.cancel)

    one.client.meta.events.register("before-send.dynamodb", count)
    try:
        await task
    except asyncio.CancelledError:
        return True
    finally:
        one.client.meta.events.unregister("before-send.dynamodb", count)
    return False


async def check_usable(one: Awaited) -> None:
    """Every connection carries a request, and no task is left behind."""
    names = [f"{one.name}-usable-{number}" for number in range(2 * CONNECTIONS)]
    await asyncio.gather(*(one.db.save(Tally(name=name)) for name in names))
    loaded = await one.db.batch_load([Tally.Key(name) for name in names], consistent_read=True)
    assert [tally.name for tally in loaded] == names
    assert len([task for task in asyncio.all_tasks() if not task.done()]) == 1


async def drain(values: Any) -> list[Any]:
    return [value async for value in values]


def tallies_of(name: str, count: int) -> list[Tally]:
    return [Tally(name=f"{name}-{number}", text="x" * 200) for number in range(count)]


WORK: dict[str, Callable[[Any, str], Awaitable[object]]] = {
    "load": lambda db, name: db.load(Tally.Key(name)),
    "query": lambda db, name: drain(db.table.tallies.query_all_contents(EqualTo(Tally.Key(name)))),
    "scan": lambda db, _: drain(db.table.tallies.scan_all_contents(page_size=40)),
    "parallel scan": lambda db, _: drain(db.table.tallies.parallel_scan(4, page_size=20)),
    "batch load": lambda db, name: db.batch_load(
        [Tally.Key(f"{name}-{number}") for number in range(900)], max_page_size=30
    ),
    "batch load all": lambda db, name: drain(db.batch_load_all(Tally.Key(f"{name}-{number}") for number in range(900))),
    "batch write": lambda db, name: db.batch_write(BatchWriteSet().clobber(*tallies_of(name, 200))),
    "batch write all": lambda db, name: db.batch_write_all(iter(tallies_of(name, 200))),
    "transaction": lambda db, name: db.transaction_write(
        TransactionWriteSet().save(Tally(name=name)).save(Tally(name=f"{name}-other"))
    ),
    "save all": lambda db, name: db.save_all(tallies_of(name, 60), max_transaction_items=10),
}


@pytest.mark.parametrize("work", WORK)
@on_a_loop
async def test_a_task_group_that_is_cancelled_leaves_the_client_usable(opened: Open, work: str) -> None:
    async with opened() as one:
        await one.db.batch_write(BatchWriteSet().clobber(*tallies_of(f"{one.name}-there", 150)))
        for request in [1, 1, 1] if work in {"load", "query", "transaction"} else [1, 3]:
            assert await until_cancelled(one, WORK[work](one.db, one.name), request)
            await check_usable(one)
        await WORK[work](one.db, one.name)


class Play(AsyncWritingPagerHandler[int]):
    """Plays each tally once, and lists it in a note."""

    finish_operations = 1

    def __init__(self, db: Any, name: str) -> None:
        self.db = db
        self.name = name

    async def before_page(self, remaining_updates: Any, max_transaction_items: int) -> int:
        self.note = await self.db.load(Note.Key(self.name), consistent_read=True)
        return len(remaining_updates)

    def item(self, writes: TransactionWriteSet, update: int) -> None:
        writes.update(Tally.Key(f"{self.name}-{update}"), attr(Tally.hits).add(1), upsert=True)

    def finish_page(self, writes: TransactionWriteSet, applied: Any) -> None:
        writes.save(self.note.replace(log=[*self.note.log, *map(str, applied)]))


@on_a_loop
async def test_a_pager_that_is_cancelled_again_and_again_loses_and_doubles_nothing(opened: Open) -> None:
    """W1 to W3: it goes on with the page that was under way, which takes effect once."""
    async with opened() as one:
        await one.db.create(Note(name=one.name))
        pager = one.db.transaction_writing_pager(range(60), Play(one.db, one.name), max_transaction_items=6)
        cancelled = 0
        # The first request of a run is at times a read, and at times the page that was under way.
        for turn in range(200):
            if not await until_cancelled(one, pager.execute(), 1 + turn % 4):
                break
            cancelled += 1
        assert cancelled >= 5
        assert pager.updated_count == 60
        assert list(pager.remaining_updates) == []
        loaded = await one.db.batch_load([Tally.Key(f"{one.name}-{number}") for number in range(60)])
        assert [tally.hits for tally in loaded] == [1] * 60
        note = await one.db.load(Note.Key(one.name), consistent_read=True)
        assert note.log == [*map(str, range(60))]
        assert note.version == 1 + 12
        await check_usable(one)


@on_a_loop
async def test_what_a_cancelled_stream_has_given_is_all_there_is(opened: Open) -> None:
    """Who closes an iterator early, or is cancelled in it, sends nothing more."""
    async with opened() as one:
        await one.db.batch_write(BatchWriteSet().clobber(*tallies_of(one.name, 150)))
        sent: list[str] = []

        def note(event_name: str, **_: Any) -> None:
            sent.append(event_name)

        one.client.meta.events.register("before-send.dynamodb", note)
        values = one.db.table.tallies.scan_all_contents(page_size=10)
        async with asyncio.timeout(30):
            async for _ in values:
                break
            await values.aclose()
        requests = len(sent)
        await asyncio.sleep(0.05)
        assert len(sent) == requests
        assert [value async for value in values] == []
        one.client.meta.events.unregister("before-send.dynamodb", note)
        await check_usable(one)
