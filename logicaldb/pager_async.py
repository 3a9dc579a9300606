"""Writing pagers that are awaited: the same as ``pager.py``, with the same pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Generic

from typing_extensions import TypeVar

from logicaldb.drivers_async import AsyncTransport, run_async
from logicaldb.items import Item
from logicaldb.operations.pager import PageRules, Pages
from logicaldb.sets import TransactionWriteSet

U = TypeVar("U")


class AsyncWritingPagerHandler(PageRules[U]):
    """Says how updates become the operations of pages.

    ``item`` makes the operations of one update; the other methods may be left as they are. ``item`` and ``finish_page`` are
    plain methods, which send nothing; the others are coroutines.
    """

    async def each_page(self, proceed: Callable[[], Coroutine[Any, Any, None]], /) -> None:
        """Write one page: the place for retries and metrics.

        Args:
            proceed: writes it, ``before_page`` included; after a failure it may be called again.
        """
        await proceed()

    async def before_page(self, remaining_updates: Sequence[U], max_transaction_items: int, /) -> int:  # noqa: ARG002
        """Prepare a page: the place to load what its operations need.

        Args:
            remaining_updates: all updates that are left; of an iterable of unknown length, those of this page at least.
            max_transaction_items: how many operations the page takes.

        Returns:
            How many updates the page takes at most; as many of these as fit are taken.
        """
        return len(remaining_updates)

    async def page_written(self, writes: TransactionWriteSet, /) -> None:
        """Called when a page is written.

        Args:
            writes: the page.
        """


class AsyncSaveItems(AsyncWritingPagerHandler[Item]):
    """Saves items."""

    def item(self, writes: TransactionWriteSet, update: Item, /) -> None:
        """Save one item."""
        writes.save(update)


class AsyncWritingPager(Generic[U]):
    """Writes updates in pages, each a transaction: ``db.transaction_writing_pager(updates, handler)``."""

    def __init__(self, pages: Pages[U], handler: AsyncWritingPagerHandler[U], transport: AsyncTransport) -> None:
        self._pages = pages
        self._handler = handler
        self._transport = transport

    @property
    def updated_count(self) -> int:
        """How many updates this pager has written."""
        return self._pages.updated_count

    @property
    def remaining_updates(self) -> Sequence[U]:
        """The updates that are left; of an iterable of unknown length, those of the next page at least."""
        return self._pages.remaining

    async def execute(self) -> None:
        """Write all that is left.

        After a failure it may be called again: it goes on after the pages that are written. A page whose answer was lost is
        sent again as it was, and takes effect once.

        Raises:
            LogicalDbError: another task is executing it.
            PagerStalled: a page makes no progress; its ``update`` is the next that is left.
            LimitExceeded: ``finish_page`` adds more operations than there is room for.
            DuplicateItem: two operations of an update, or of ``finish_page`` and another, are about one row.
            TransactionCanceled: a page was refused; nothing of it was written, and its ``failures`` say why.
            AmbiguousWrite: it cannot be told whether a page was written.
            Exception: whatever a handler raises, and what an iterable of updates raises when those before are written.
        """
        # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
        import asyncio  # noqa: PLC0415

        with self._pages.execution(asyncio.current_task(), lambda task: task.done()):
            await run_async(self._pages.start(), self._transport)
            while self._pages.more():
                with self._pages.turn():
                    await _call_awaited(self._handler, "each_page", self._proceed)

    async def _proceed(self) -> None:
        with self._pages.attempt():
            if self._pages.more():
                if self._pages.page is None:
                    count = await _call_awaited(
                        self._handler, "before_page", self._pages.remaining, self._pages.max_operations
                    )
                    self._pages.fill(count, self._handler)
                written = await run_async(self._pages.send(), self._transport)
                await _call_awaited(self._handler, "page_written", written)


async def _call_awaited(handler: object, method: str, *arguments: Any) -> Any:
    """Call a hook and await it.

    Raises:
        TypeError: it is no coroutine.
    """
    result = getattr(handler, method)(*arguments)
    if not isinstance(result, Awaitable):
        raise TypeError(f"{type(handler).__name__}.{method} should be a coroutine here: async def {method}(...)")
    return await result
