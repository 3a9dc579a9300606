from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicaldb.transport.tasks import in_parallel_async
from tests.modes import on_a_loop


class Segments:
    """Segments that hold ``pages[segment][page]``, each of which arrives after a turn of the loop; it counts."""

    def __init__(self, *pages: Sequence[Sequence[Any]]) -> None:
        self.pages = pages
        self.read: list[tuple[int, int]] = []
        self.under_way = 0
        self.most = 0

    async def __call__(self, segment: int, start: int | None) -> tuple[Sequence[Any], int | None]:
        page = start or 0
        self.read.append((segment, page))
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0)
        self.under_way -= 1
        following = page + 1
        return self.pages[segment][page], following if following < len(self.pages[segment]) else None


def others() -> int:
    """How many tasks there are besides this one."""
    return len(asyncio.all_tasks()) - 1


@given(
    st.lists(st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=4), min_size=1, max_size=6),
    st.integers(1, 4),
)
def test_every_item_of_every_page_of_every_segment_once_and_in_the_order_of_its_segment(
    pages: list[list[list[int]]], at_once: int
) -> None:
    named = [[[(segment, item) for item in page] for page in one] for segment, one in enumerate(pages)]
    fetch = Segments(*named)

    async def read() -> list[tuple[int, int]]:
        return [item async for item in in_parallel_async(fetch, len(pages), at_once=at_once)]

    items = asyncio.run(read())
    for segment, one in enumerate(named):
        assert [item for item in items if item[0] == segment] == [item for page in one for item in page]
    assert len(items) == sum(len(page) for one in pages for page in one)
    assert sorted(fetch.read) == [(segment, page) for segment, one in enumerate(pages) for page in range(len(one))]
    assert fetch.most <= at_once


@on_a_loop
async def test_nothing_is_read_before_the_first_item_is_asked_for() -> None:
    fetch = Segments([[1]])
    items = in_parallel_async(fetch, 1, at_once=1)
    await asyncio.sleep(0)
    assert (fetch.read, others()) == ([], 0)
    assert await anext(items) == 1


@pytest.mark.parametrize(("segments", "at_once", "expected"), [(5, 2, 2), (2, 5, 2), (1, 1, 1)])
@on_a_loop
async def test_no_more_segments_are_read_at_once_than_may_be(segments: int, at_once: int, expected: int) -> None:
    fetch = Segments(*[[[number]] for number in range(segments)])
    found = [item async for item in in_parallel_async(fetch, segments, at_once=at_once)]
    assert sorted(found) == list(range(segments))
    assert fetch.most == expected


@on_a_loop
async def test_no_more_than_a_page_of_each_segment_waits() -> None:
    """Who takes an item and pauses finds each segment one page ahead."""
    fetch = Segments(*[[[number]] * 50 for number in range(3)])
    async with aclosing(in_parallel_async(fetch, 3, at_once=3)) as items:
        await anext(items)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(fetch.read) == 4
    assert others() == 0


@on_a_loop
async def test_an_error_of_a_page_ends_all() -> None:
    error = LookupError("no")
    cancelled: list[int] = []

    async def fetch(segment: int, start: int | None) -> tuple[list[int], int | None]:
        if segment == 1:
            await asyncio.sleep(0)
            raise error
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(segment)
            raise
        raise AssertionError("it was not cancelled")

    items = in_parallel_async(fetch, 4, at_once=3)
    with pytest.raises(LookupError) as raised:
        await anext(items)
    assert raised.value is error
    assert (cancelled, others()) == ([0, 2], 0)
    assert [item async for item in items] == []


@on_a_loop
async def test_of_errors_that_arrive_at_once_one_is_raised_and_none_is_left() -> None:
    """Of one that nobody sees asyncio would complain."""
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def fetch(segment: int, start: int | None) -> tuple[list[int], int | None]:
        raise LookupError(str(segment))

    with pytest.raises(LookupError, match=r"^0$"):
        await anext(in_parallel_async(fetch, 3, at_once=3))
    await asyncio.sleep(0)
    assert complaints == []


@on_a_loop
async def test_closing_early_cancels_what_is_under_way() -> None:
    fetch = Segments(*[[[number, number]] * 3 for number in range(4)])
    async with aclosing(in_parallel_async(fetch, 4, at_once=2)) as items:
        assert await anext(items) == 0
    assert others() == 0
    read = len(fetch.read)
    await asyncio.sleep(0)
    assert len(fetch.read) == read < 12


@on_a_loop
async def test_cancelling_the_reader_cancels_what_is_under_way() -> None:
    asked: list[int] = []
    all_asked = asyncio.Event()

    async def fetch(segment: int, start: int | None) -> tuple[list[int], int | None]:
        asked.append(segment)
        if len(asked) == 3:
            all_asked.set()
        await asyncio.Event().wait()
        raise AssertionError("it goes on")

    async def read() -> None:
        async for _ in in_parallel_async(fetch, 5, at_once=3):
            raise AssertionError("nothing arrives")

    task = asyncio.create_task(read())
    await all_asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (asked, others()) == ([0, 1, 2], 0)
