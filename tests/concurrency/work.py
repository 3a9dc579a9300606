"""Work that many do at once: threads of this process, and processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from threading import Barrier
from typing import Any, TypeVar

from logicaldb.testing.clients import make_test_client
from tests.models import Tally, make_db

T = TypeVar("T")


def together(workers: int, work: Callable[[int], T]) -> list[T]:
    """Let threads do work, all from the same moment on; give the results by the number of the worker."""
    start = Barrier(workers)

    def run(number: int) -> T:
        start.wait(timeout=30)
        return work(number)

    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(run, range(workers)))


def outcome(work: Callable[[], T]) -> T | Exception:
    """The result of some work, or what it raised."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error


def in_processes(processes: int, work: Callable[..., list[int]], *arguments: Any) -> list[list[int]]:
    """Let processes of their own do work, each of which imports everything anew."""
    with get_context("spawn").Pool(processes) as pool:
        running = [pool.apply_async(work, (number, *arguments)) for number in range(processes)]
        return [one.get(timeout=100) for one in running]


def play(_number: int, url: str, table: str, name: str, times: int) -> list[int]:
    """Count the hits of a tally from two threads of this process; give the counts."""
    db = make_db(make_test_client(url, "us-east-1"), table)
    key = Tally.Key(name)
    half = together(2, lambda _: [db.increment(key, Tally.hits) for _ in range(times // 2)])
    return [count for counts in half for count in counts]
