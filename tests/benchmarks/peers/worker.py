"""What every contender does: it takes turns.

``bench`` starts a contender, reads what it can do, and gives it turns: a line with the name of a workload, a way to run
it (``one``: one call after the other, ``codec``: the same without a request, ``threads``: 8 threads, ``tasks``: 64 tasks)
and a number of calls. It answers with the CPU seconds and the seconds that they took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from typing import Any

THREADS = 8
TASKS = 64

Calls = dict[str, Callable[[], Any]]
AwaitedCalls = dict[str, Callable[[], Awaitable[Any]]]
OpenAwaited = Callable[[AsyncExitStack], Awaitable[AwaitedCalls]]


def serve(calls: Calls | None = None, open_awaited: OpenAwaited | None = None, codec: Calls | None = None) -> None:
    """Take turns until the input ends.

    Args:
        calls: workloads that block.
        open_awaited: gives workloads that are awaited; called on the event loop that they will run on, with what closes
            things at the end.
        codec: workloads that send nothing.
    """
    codec = codec or {}
    runner, stack = asyncio.Runner(), AsyncExitStack()
    awaited = {} if open_awaited is None else runner.run(_opened(open_awaited, stack))
    ways = {
        "one": sorted(calls or awaited),
        "codec": sorted(codec),
        "threads": sorted(calls or {}),
        "tasks": sorted(awaited),
    }
    print(json.dumps(ways), flush=True)
    with ThreadPoolExecutor(THREADS) as threads:
        for line in sys.stdin:
            workload, way, count = json.loads(line)
            if way == "codec":
                run = _one(codec[workload], count)
            elif way == "tasks":
                run = _tasks(runner, awaited[workload], count)
            elif calls is None:
                run = _one_awaited(runner, awaited[workload], count)
            elif way == "threads":
                run = _threads(threads, calls[workload], count)
            else:
                run = _one(calls[workload], count)
            cpu, wall = time.process_time(), time.perf_counter()
            run()
            print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall]), flush=True)
    runner.run(stack.aclose())
    runner.close()


async def _opened(open_awaited: OpenAwaited, stack: AsyncExitStack) -> AwaitedCalls:
    return await open_awaited(stack)


def _one(call: Callable[[], Any], count: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(count):
            call()

    return run


def _one_awaited(runner: asyncio.Runner, call: Callable[[], Awaitable[Any]], count: int) -> Callable[[], None]:
    async def run() -> None:
        for _ in range(count):
            await call()

    return lambda: runner.run(run())


def _threads(threads: ThreadPoolExecutor, call: Callable[[], Any], count: int) -> Callable[[], None]:
    def some() -> None:
        for _ in range(count // THREADS):
            call()

    def run() -> None:
        for future in [threads.submit(some) for _ in range(THREADS)]:
            future.result()

    return run


def _tasks(runner: asyncio.Runner, call: Callable[[], Awaitable[Any]], count: int) -> Callable[[], None]:
    async def some(numbers: Any) -> None:
        for _ in numbers:
            await call()

    async def run() -> None:
        numbers = iter(range(count))  # shared: who is done sooner takes more
        await asyncio.gather(*(some(numbers) for _ in range(TASKS)))

    return lambda: runner.run(run())
