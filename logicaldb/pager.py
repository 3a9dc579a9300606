"""Writing pagers: long lists of updates, written a transaction at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import current_thread
from typing import Generic

from typing_extensions import TypeVar

from logicaldb.drivers import Transport, run
from logicaldb.items import Item
from logicaldb.operations.pager import PageRules, Pages, call_plain
from logicaldb.sets import TransactionWriteSet

U = TypeVar("U")


class WritingPagerHandler(PageRules[U]):
    """Says how updates become the operations of pages.

    ``item`` makes the operations of one update; the other methods may be left as they are.
    """

    def each_page(self, proceed: Callable[[], None], /) -> None:
        """Write one page: the place for retries and metrics.

        Args:
            proceed: writes it, ``before_page`` included; after a failure it may be called again.
        """
        proceed()

    def before_page(self, remaining_updates: Sequence[U], max_transaction_items: int, /) -> int:  # noqa: ARG002
        """Prepare a page: the place to load what its operations need.

        Args:
            remaining_updates: all updates that are left; of an iterable of unknown length, those of this page at least.
            max_transaction_items: how many operations the page takes.

        Returns:
            How many updates the page takes at most; as many of these as fit are taken.
        """
        return len(remaining_updates)

    def page_written(self, writes: TransactionWriteSet, /) -> None:
        """Called when a page is written.

        Args:
            writes: the page.
        """


class SaveItems(WritingPagerHandler[Item]):
    """Saves items."""

    def item(self, writes: TransactionWriteSet, update: Item, /) -> None:
        """Save one item."""
        writes.save(update)


class WritingPager(Generic[U]):
    """Writes updates in pages, each a transaction: ``db.transaction_writing_pager(updates, handler)``."""

    def __init__(self, pages: Pages[U], handler: WritingPagerHandler[U], transport: Transport) -> None:
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

    def execute(self) -> None:
        """Write all that is left.

        After a failure it may be called again: it goes on after the pages that are written. A page whose answer was lost is
        sent again as it was, and takes effect once.

        Raises:
            LogicalDbError: another thread is executing it.
            PagerStalled: a page makes no progress; its ``update`` is the next that is left.
            LimitExceeded: ``finish_page`` adds more operations than there is room for.
            DuplicateItem: two operations of an update, or of ``finish_page`` and another, are about one row.
            TransactionCanceled: a page was refused; nothing of it was written, and its ``failures`` say why.
            AmbiguousWrite: it cannot be told whether a page was written.
            Exception: whatever a handler raises, and what an iterable of updates raises when those before are written.
        """
        with self._pages.execution(current_thread(), lambda thread: not thread.is_alive()):
            run(self._pages.start(), self._transport)
            while self._pages.more():
                with self._pages.turn():
                    call_plain(self._handler, "each_page", self._proceed)

    def _proceed(self) -> None:
        with self._pages.attempt():
            if self._pages.more():
                if self._pages.page is None:
                    count = call_plain(self._handler, "before_page", self._pages.remaining, self._pages.max_operations)
                    self._pages.fill(count, self._handler)
                call_plain(self._handler, "page_written", run(self._pages.send(), self._transport))
