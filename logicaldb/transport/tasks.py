"""Pages of several segments at once, by tasks: the same as ``threads.py``, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    import asyncio

S = TypeVar("S")
T = TypeVar("T")

FetchPage: TypeAlias = Callable[[int, S | None], Awaitable[tuple[Sequence[T], S | None]]]
"""Reads one page of a segment: it gets the segment and where the page starts (``None``: at the beginning), and gives the
items and where the next page starts (``None``: there is none)."""


async def in_parallel_async(fetch: FetchPage[S, T], segments: int, *, at_once: int) -> AsyncGenerator[T]:
    """Read all segments at once and hand out their items as the pages arrive; as ``in_parallel``.

    When the iterator ends, for whatever reason, none of its requests is waited for any more.

    Args:
        fetch: reads a page.
        segments: the number of segments.
        at_once: how many segments are read at once.

    Raises:
        Exception: whatever ``fetch`` raises for a page; items that arrived before it may have been handed out.
    """
    # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
    import asyncio  # noqa: PLC0415

    reading: dict[asyncio.Task[tuple[Sequence[T], S | None]], int] = {}
    waiting = iter(range(segments))

    async def page_of(segment: int, start: S | None) -> tuple[Sequence[T], S | None]:
        return await fetch(segment, start)

    def read(segment: int, start: S | None) -> None:
        reading[asyncio.create_task(page_of(segment, start))] = segment

    try:
        for segment in islice(waiting, at_once):
            read(segment, None)
        while reading:
            arrived, _ = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            page = next(one for one in reading if one in arrived)
            segment = reading.pop(page)
            items, start = page.result()
            if start is not None:
                read(segment, start)
            elif (following := next(waiting, None)) is not None:
                read(following, None)
            for item in items:
                yield item
    finally:
        for page in reading:
            page.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
