"""The pages of a writing pager: what is left, what fits into a page, and what came of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Generic

from typing_extensions import TypeVar

from logicaldb.codec.limits import MAX_TRANSACTION_BYTES, MAX_TRANSACTION_OPERATIONS
from logicaldb.codec.values import describe
from logicaldb.errors import (
    AmbiguousWrite,
    IncompleteKey,
    LimitExceeded,
    LogicalDbError,
    PagerStalled,
    ThroughputExceeded,
    TransactionCanceled,
)
from logicaldb.flow import Flow, ServiceFailure
from logicaldb.items import Item, KeyBase, kind_of, primary_key_of
from logicaldb.operations import transactions
from logicaldb.operations.progress import Progress, progress_of
from logicaldb.operations.remaining import Remaining
from logicaldb.operations.rows import Rows, check_distinct
from logicaldb.operations.single import get_row
from logicaldb.operations.writes import Identity, Write
from logicaldb.sets import TransactionWriteSet

U = TypeVar("U")


class PageRules(ABC, Generic[U]):
    """What makes operations of updates; the handlers of both surfaces are such.

    Attributes:
        finish_operations: how many operations ``finish_page`` adds; a page keeps room for them.
    """

    finish_operations: int = 0

    @abstractmethod
    def item(self, writes: TransactionWriteSet, update: U, /) -> None:
        """Add the operations of one update.

        It is called again for an update that did not fit any more, and for those of a page that failed.

        Args:
            writes: a set for this update alone.
            update: the update.
        """

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[U], /) -> None:
        """Add what the page needs besides.

        Args:
            writes: the page.
            applied: the updates that it holds.
        """


@dataclass(slots=True)
class _Draft:
    """A page that is being made.

    Attributes:
        rows: where the rows are.
        room: how many operations of updates it takes.
        room_bytes: how many bytes it takes.
        writes: its operations.
        prepared: the same, prepared.
        size: their bytes.
        identities: their rows.
    """

    rows: Rows
    room: int
    room_bytes: int
    writes: TransactionWriteSet = field(default_factory=TransactionWriteSet)
    prepared: list[Write] = field(default_factory=list[Write])
    size: int = 0
    identities: set[Identity] = field(default_factory=set[Identity])

    def add(self, own: TransactionWriteSet) -> str | None:
        """Add the operations of one update, or tell why they do not fit.

        Raises:
            DuplicateItem: two of them are about one row.
        """
        if len(self.prepared) + own.size > self.room:
            return f"it has {own.size} operations, and a page has room for {self.room}"
        added = [self.rows.prepare(operation) for operation in own.operations]
        check_distinct(added)
        size = sum(map(transactions.bytes_of, added))
        if self.size + size > self.room_bytes:
            return f"it has {size} bytes, and a page has room for {self.room_bytes}"
        identities = {write.identity for write in added}
        if not self.identities.isdisjoint(identities):
            return "in a transaction a row has one operation"
        self.writes.add_all(own)
        self.prepared += added
        self.size += size
        self.identities |= identities
        return None

    def prepare_rest(self) -> None:
        """Prepare the operations that were added to the set itself."""
        for operation in self.writes.operations[len(self.prepared) :]:
            write = self.rows.prepare(operation)
            self.prepared.append(write)
            self.size += transactions.bytes_of(write)


@dataclass(slots=True)
class FilledPage(Generic[U]):
    """A page that is ready to be sent.

    Attributes:
        writes: its operations.
        end: the place after its last update.
        progress: the progress as it will be stored.
        doubtful: whether it was sent, and it is not known that nothing came of it.
    """

    writes: TransactionWriteSet
    end: int
    progress: Progress | None
    doubtful: bool = False


class Pages(Generic[U]):
    """The pages of a writing pager, one after the other.

    Args:
        updates: the updates.
        rows: where the rows are.
        max_transaction_items: how many operations a page has at most.
        progress: an item that counts the updates applied, across runs.
        progress_field: its field that counts.
        now: the time in seconds, as transactions need it.

    Raises:
        TypeError: ``max_transaction_items`` is no int, or the progress cannot count.
        LimitExceeded: it is not between 1 and 100.
    """

    def __init__(
        self,
        updates: Iterable[U],
        rows: Rows,
        *,
        max_transaction_items: int,
        progress: Item | None,
        progress_field: str,
        now: Callable[[], float] = transactions.wall_time,
    ) -> None:
        if not isinstance(max_transaction_items, int) or isinstance(max_transaction_items, bool):
            raise TypeError(f"max_transaction_items is an int, not {describe(max_transaction_items)}")
        if not 1 <= max_transaction_items <= MAX_TRANSACTION_OPERATIONS:
            raise LimitExceeded(
                f"max_transaction_items={max_transaction_items}: a transaction takes 1 to {MAX_TRANSACTION_OPERATIONS} "
                "operations"
            )
        if progress is not None and isinstance(updates, set | frozenset):
            raise TypeError("progress counts updates in their order, and a set has another in each run; give a list")
        self.remaining = Remaining(updates, max_transaction_items)
        self._page: FilledPage[U] | None = None
        self.max_operations = max_transaction_items - (progress is not None)
        """How many operations a page has at most, besides the progress."""
        self._rows = rows
        self._now = now
        self._progress = None if progress is None else progress_of(progress, progress_field, rows)
        self._started = False
        self._executing: dict[str, Any] = {}  # whose setdefault is atomic
        self._skipped = 0
        self._failure: Exception | None = None
        self.remaining.draw()

    @property
    def updated_count(self) -> int:
        """How many updates are written, those of earlier runs aside."""
        return self.remaining.dropped - self._skipped

    @property
    def page(self) -> FilledPage[U] | None:
        """The page to be sent: one that is made, or whose answer was lost; ``None`` where the next is to be made."""
        page = self._page
        return None if page is None or page.end <= self.remaining.dropped else page

    def start(self) -> Flow[None]:
        """Find out how far an earlier run came; the first time only.

        Raises:
            LogicalDbError: an earlier run applied more updates than there are.
        """
        if self._progress is not None and not self._started:
            place = self._rows.place(primary_key_of(self._progress.item))
            row = yield from get_row(place.table, place.row, consistent_read=True)
            stored = place.decode(row)
            if stored is not None:
                self._progress = replace(self._progress, item=stored)
            applied = self._progress.applied
            if applied < 0:
                raise LogicalDbError(f"progress: {place.key!r} counts {applied} updates as applied")
            try:
                enough = self.remaining.drop_to(applied)
            finally:
                self._skipped = self.remaining.dropped
            if not enough:
                self.remaining.check_end()
                raise LogicalDbError(
                    f"progress: {place.key!r} counts {applied} updates as applied, and there are only {self._skipped}"
                )
        self._started = True

    def more(self) -> bool:
        """Whether there is a page to be written.

        Raises:
            Exception: what the iterable of the updates raised, once those before it are written.
        """
        self.remaining.draw()
        if not self.remaining:
            self.remaining.check_end()
        return bool(self.remaining)

    @contextmanager
    def execution(self, by: Any, ended: Callable[[Any], bool]) -> Generator[None]:
        """While the pager is executed, which one thread or task at a time can do; its own hooks may do it too.

        Args:
            by: the thread or task.
            ended: whether one has ended, which tells of one that was interrupted before it could say so.

        Raises:
            LogicalDbError: another one is executing it.
        """
        holder = self._executing.setdefault("by", by)
        if holder is not by:
            if not ended(holder):
                raise LogicalDbError("the writing pager is being executed already, by another thread or task")
            self._executing["by"] = by
        try:
            yield
        finally:
            self._executing.clear()

    @contextmanager
    def turn(self) -> Generator[None]:
        """While ``each_page`` runs; afterwards, refuse to go on where it wrote nothing.

        Raises:
            PagerStalled: nothing was written.
        """
        before = self.updated_count
        try:
            yield
            if self.updated_count == before:
                raise self._stalled("each_page ended, and its page is not written") from self._failure
        finally:
            self._failure = None

    @contextmanager
    def attempt(self) -> Generator[None]:
        """While a page is made and sent, which ``each_page`` may do again; keep what goes wrong."""
        try:
            yield
        except Exception as error:
            self._failure = error
            raise

    def fill(self, count: int, rules: PageRules[U]) -> None:
        """Make the next page, of as many updates as fit.

        Args:
            count: how many at most, as ``before_page`` said.
            rules: makes their operations.

        Raises:
            TypeError: ``before_page`` or ``finish_operations`` gives no number.
            PagerStalled: not one fits.
            LimitExceeded: ``finish_page`` adds more than the page has room for.
            DuplicateItem: operations of one update, or of ``finish_page`` and another, are about one row.
        """
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"before_page returns how many updates the page takes at most, not {describe(count)}")
        if count < 1:
            raise self._stalled(f"before_page takes {count} updates")
        kept = rules.finish_operations
        if not isinstance(kept, int) or isinstance(kept, bool) or kept < 0:
            raise TypeError(f"finish_operations is how many operations finish_page adds, not {kept!r}")
        reserved = 0 if self._progress is None else self._progress.most_bytes(self._rows)
        draft = _Draft(self._rows, max(0, self.max_operations - kept), MAX_TRANSACTION_BYTES - reserved)
        applied: list[U] = []
        for update in islice(self.remaining, count):
            own = TransactionWriteSet()
            call_plain(rules, "item", own, update)
            self._check_token(own, "item")
            problem = draft.add(own)
            if problem is not None:
                if not applied:
                    raise self._stalled(problem)
                break
            applied.append(update)
        writes = draft.writes
        number = len(applied)  # before a hook can change the list
        call_plain(rules, "finish_page", writes, applied)
        self._check_token(writes, "finish_page")
        if writes.size > self.max_operations:
            raise LimitExceeded(
                f"finish_page: the page has {writes.size} operations with its own, and takes {self.max_operations}; "
                "tell before by finish_operations how many it adds"
            )
        draft.prepare_rest()
        if draft.size > draft.room_bytes:
            raise LimitExceeded(
                f"finish_page: the page has {draft.size} bytes with its own, and takes {draft.room_bytes}; "
                "let before_page take fewer updates"
            )
        progress = None if self._progress is None else self._progress.save(writes, number)
        draft.prepare_rest()
        if writes.size:
            writes._sent = transactions.fix(writes, draft.prepared, self._now())
        self._page = FilledPage(writes, self.remaining.dropped + number, progress)

    def send(self) -> Flow[TransactionWriteSet]:
        """Send the page, and count its updates when it is written.

        Where it cannot be told whether it was written, it stays: it is sent again as it was, and so written once. That is
        so too after an interrupt, and after an exception that is not of the service.
        """
        page = self.page
        assert page is not None
        doubtful, page.doubtful = page.doubtful, True  # and so it stays, whatever may come between
        try:
            yield from transactions.write(page.writes, self._rows, self._now)
        except (TransactionCanceled, ThroughputExceeded):
            self._page = None  # a cancellation tells of all that was sent under the token
            raise
        except (LogicalDbError, ServiceFailure) as error:
            if not (doubtful or isinstance(error, AmbiguousWrite)):
                self._page = None
            raise
        self._progress = page.progress
        self.remaining.drop_to(page.end)  # by this it is counted, and no longer the page to be sent
        return page.writes

    def _check_token(self, writes: TransactionWriteSet, method: str) -> None:
        if writes.token is not None:
            raise LogicalDbError(
                f"{method} gives an idempotency token, and each page has one of its own; progress= is for runs that are "
                "started again"
            )

    def _stalled(self, problem: str) -> PagerStalled:
        update = self.remaining[0]
        return PagerStalled(f"updates[{self.remaining.dropped}]{_name(update)}: {problem}", update=update)


def _name(update: object) -> str:
    """The key of an update, where it has one; messages hold no other values."""
    if isinstance(update, Item):
        with suppress(TypeError, IncompleteKey):
            update = primary_key_of(update)
    return f" ({update!r})" if isinstance(update, KeyBase) else ""


def call_plain(handler: object, method: str, *arguments: Any) -> Any:
    """Call a hook, and refuse one that does nothing until somebody awaits or iterates what it returns.

    Raises:
        TypeError: it is such a hook.
    """
    result = getattr(handler, method)(*arguments)
    if isinstance(result, Awaitable | AsyncIterator | Generator):
        if isinstance(result, Coroutine):
            result.close()
        raise TypeError(
            f"{type(handler).__name__}.{method} should be a plain method here, neither async nor a generator"
        )
    return result


def check_handler(handler: object, kind: type) -> None:
    """Refuse what is no handler of a pager.

    Raises:
        TypeError: it is none, or one of the other surface.
    """
    if not isinstance(handler, kind):
        raise TypeError(f"the handler of this writing pager should be of {kind.__name__}, not {kind_of(handler)}")
