"""Pages of several segments at once, for parallel scans."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from itertools import islice
from queue import SimpleQueue
from typing import TypeAlias, TypeVar

S = TypeVar("S")
T = TypeVar("T")

FetchPage: TypeAlias = Callable[[int, S | None], tuple[Sequence[T], S | None]]
"""Reads one page of a segment: it gets the segment and where the page starts (``None``: at the beginning), and gives the
items and where the next page starts (``None``: there is none)."""


def in_parallel(
    fetch: FetchPage[S, T], segments: int, *, workers: int, executor: Executor | None = None
) -> Generator[T]:
    """Read all segments at once and hand out their items as the pages arrive.

    The order of the items is that of the arrival of their pages. Nothing is read before the first ``next``. The next
    page of a segment is asked for when the page before it is about to be handed out, so what waits in memory is never
    more than one page of each segment that is being read.

    When the iterator ends, for whatever reason (the last item, an exception, ``close``), no request of it is under way
    any more: those that have not begun are cancelled, and those that have are waited for.

    Args:
        fetch: reads a page; it must be picklable where the executor needs it to be.
        segments: the number of segments.
        workers: how many segments are read at once where there is no ``executor``: each by a thread, in a copy of the
            caller's context. More than the client has connections would wait for each other.
        executor: what runs ``fetch`` in the place of threads made here, all segments at once; it is not shut down.

    Raises:
        Exception: whatever ``fetch`` raises for a page; items that arrived before it may have been handed out.
    """
    if executor is not None:
        yield from _items(lambda segment, start: executor.submit(fetch, segment, start), segments, at_once=segments)
        return
    at_once = min(segments, workers)
    with ThreadPoolExecutor(at_once, thread_name_prefix="logicaldb-segment") as threads:
        yield from _items(
            lambda segment, start: threads.submit(copy_context().run, fetch, segment, start), segments, at_once=at_once
        )


def _items(
    submit: Callable[[int, S | None], Future[tuple[Sequence[T], S | None]]], segments: int, *, at_once: int
) -> Generator[T]:
    """Keep ``at_once`` segments being read until all have been read to their ends."""
    arrived: SimpleQueue[Future[tuple[Sequence[T], S | None]]] = SimpleQueue()
    reading: dict[Future[tuple[Sequence[T], S | None]], int] = {}
    waiting = iter(range(segments))

    def read(segment: int, start: S | None) -> None:
        page = submit(segment, start)
        reading[page] = segment
        page.add_done_callback(arrived.put)

    try:
        for segment in islice(waiting, at_once):
            read(segment, None)
        while reading:
            page = arrived.get()
            segment = reading.pop(page)
            items, start = page.result()
            if start is not None:
                read(segment, start)
            elif (following := next(waiting, None)) is not None:
                read(following, None)
            yield from items
    finally:
        wait([page for page in reading if not page.cancel()])
