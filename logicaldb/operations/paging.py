"""Pages of queries and scans: one request each, and none that is not wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, Literal, TypedDict

from typing_extensions import TypeVar

from logicaldb.codec.values import WireValue, describe
from logicaldb.expressions import Condition
from logicaldb.flow import Emit, Flow, Request, Stream
from logicaldb.items import KeyBase
from logicaldb.pages import Offset, Page, WorkerId

_MAX_PAGE_SIZE: Final = 2**31 - 1
"""A ``Limit`` is an integer of 32 bits; DynamoDB Local answers a greater one with an error of its own, each time."""

K = TypeVar("K", bound=KeyBase[Any])
T = TypeVar("T")


class Filters(TypedDict):
    """What a query, a scan and a count have in common."""

    consistent_read: bool
    filter_expression: Condition | None


class QueryOptions(Filters):
    """How a query reads."""

    asc: bool
    page_size: int
    initial_offset: Offset[Any] | None


class ScanOptions(Filters):
    """How a scan reads."""

    page_size: int
    initial_offset: Offset[Any] | None
    worker_id: WorkerId | None


@dataclass(frozen=True, slots=True)
class Read(Generic[K, T]):
    """A query or a scan, ready to be sent page by page.

    Attributes:
        operation: the API operation.
        table: the physical table.
        body: the request, its page aside.
        page_size: how many rows to read at most.
        start: the key that the first page starts after.
        take: makes the page of an answer.
        every_row: whether every row is an item, as far as can be told before.
        dropped: the sort keys of rows that are left out after reading.
        empty: whether nothing can be found, so that nothing need be sent.
        read: reads an answer with its items, where that can be done at once.
    """

    operation: Literal["Query", "Scan"]
    table: str
    body: Mapping[str, Any]
    page_size: int
    start: Mapping[str, WireValue] | None
    take: Callable[[Mapping[str, Any]], Page[K, T]]
    every_row: bool
    dropped: Sequence[WireValue] = ()
    empty: bool = False
    read: Callable[[bytes], Any] | None = None

    def first(self) -> Flow[Page[K, T]]:
        """One page."""
        return (yield from self._page(self.page_size, self.start))

    def pages(self) -> Stream[Page[K, T]]:
        """All pages, each asked for when the one before it has been taken."""
        start = self.start
        while True:
            page = yield from self._page(self.page_size, start)
            yield Emit([page])
            if page.offset is None:
                return
            start = page.offset.raw

    def contents(self, limit: int | None) -> Stream[T]:
        """The items of all pages, as many as wanted; the request after the last of them is never sent."""
        if limit is not None and limit < 0:
            raise ValueError(f"limit={limit} must not be negative")
        left = limit
        start = self.start
        while left != 0:
            page = yield from self._page(self._size_for(left), start)
            found, offset = page.contents[:left], page.offset
            left = None if left is None else left - len(found)
            del page
            yield Emit(found)
            del found  # or it would be in memory together with the next page
            if offset is None:
                return
            start = offset.raw

    def _page(self, size: int, start: Mapping[str, WireValue] | None) -> Flow[Page[K, T]]:
        if self.empty:
            return Page([], None)
        body = {**self.body, "Limit": size}
        if start is not None:
            body["ExclusiveStartKey"] = start
        answer: dict[str, Any] = yield Request(self.operation, self.table, body, read=self.read)
        return self.take(answer)

    def _size_for(self, left: int | None) -> int:
        """How many rows to ask for where so many items are wanted: no more, if every row is one."""
        if left is None or not self.every_row:
            return self.page_size
        return min(self.page_size, left + len(self.dropped))


def check_page_size(page_size: int) -> int:
    """Refuse a page of no rows, or of more than the service can count."""
    if not isinstance(page_size, int) or isinstance(page_size, bool):
        raise TypeError(f"page_size is an int, not {describe(page_size)}")
    if page_size < 1:
        raise ValueError(f"page_size={page_size} must be at least 1")
    if page_size > _MAX_PAGE_SIZE:
        raise ValueError(f"page_size={page_size} must be at most {_MAX_PAGE_SIZE}")
    return page_size


def check_offset(offset: Any) -> Offset[Any]:
    """Refuse what is no offset, such as a bare key."""
    if not isinstance(offset, Offset):
        raise TypeError(f"an offset is due, such as page.offset or Offset(key), not {describe(offset)}")
    return offset


def segment(worker_id: WorkerId | None) -> dict[str, Any]:
    """The parameters of one worker's part of a scan."""
    return {} if worker_id is None else {"Segment": worker_id.segment, "TotalSegments": worker_id.total_segments}
