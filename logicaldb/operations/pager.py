"""The pages of a writing pager: what is left, what fits into a page, and what came of it."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Generic, overload

from typing_extensions import TypeVar

from logicaldb.codec.limits import MAX_TRANSACTION_BYTES, MAX_TRANSACTION_OPERATIONS
from logicaldb.codec.values import describe
from logicaldb.errors import AmbiguousWrite, LimitExceeded, LogicalDbError, PagerStalled
from logicaldb.flow import Flow
from logicaldb.items import Item, KeyBase, primary_key_of
from logicaldb.operations import transactions
from logicaldb.operations.rows import Rows, check_distinct
from logicaldb.operations.single import get_row
from logicaldb.operations.writes import Write
from logicaldb.sets import TransactionWriteSet

U = TypeVar("U")


class PageRules(ABC, Generic[U]):
    """What makes operations of updates; the handlers of both surfaces are such.

    Attributes:
        finish_operations: how many operations ``finish_page`` adds; a page keeps room for them.
    """

    finish_operations: int = 0

    @abstractmethod
    def item(self, writes: TransactionWriteSet, update: U) -> None:
        """Add the operations of one update.

        It is called again for an update that did not fit any more, and for those of a page that failed.

        Args:
            writes: a set for this update alone.
            update: the update.
        """

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[U]) -> None:
        """Add what the page needs besides.

        Args:
            writes: the page.
            applied: the updates that it holds.
        """


class Remaining(Sequence[U]):
    """Updates that are left, in order. Those of an iterable of unknown length are drawn as they are needed.

    Args:
        updates: the updates.
        ahead: how many are drawn at least, as far as there are so many.
    """

    def __init__(self, updates: Iterable[U], ahead: int) -> None:
        self._ahead = ahead
        self._rest: Iterator[U] = iter(())
        self._known: list[U] = []
        self._first = 0
        self.dropped = 0
        """How many are gone: the place of the first that is left."""
        if isinstance(updates, Collection):
            self._known = list(updates)
        else:
            self._rest = iter(updates)
            self._draw()

    def drop(self, count: int) -> None:
        """Take away the first updates.

        Raises:
            LookupError: there are not so many.
        """
        while count:
            some = min(count, len(self))
            if not some:
                raise LookupError(count)
            count -= some
            self.dropped += some
            self._first += some
            if self._first * 2 > len(self._known):  # not each time, so that an update is not moved again and again
                del self._known[: self._first]
                self._first = 0
            self._draw()

    def _draw(self) -> None:
        self._known += islice(self._rest, max(0, self._ahead - len(self)))

    def __len__(self) -> int:
        return len(self._known) - self._first

    @overload
    def __getitem__(self, index: int) -> U: ...
    @overload
    def __getitem__(self, index: slice) -> list[U]: ...
    def __getitem__(self, index: int | slice) -> U | list[U]:
        places = range(self._first, len(self._known))[index]
        return self._known[places] if isinstance(places, int) else [self._known[place] for place in places]

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, Sequence) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return f"{len(self)} remaining updates, after {self.dropped}"


@dataclass(frozen=True, slots=True)
class FilledPage(Generic[U]):
    """A page that is ready to be sent.

    Attributes:
        writes: its operations.
        applied: the updates that it holds.
        progress: the progress as it will be stored.
    """

    writes: TransactionWriteSet
    applied: Sequence[U]
    progress: Progress | None


@dataclass(frozen=True, slots=True)
class Progress:
    """An item of the caller's that counts the updates applied, across runs.

    Attributes:
        item: the item, as it is stored.
        field: its field that counts.
        version: its version field.
    """

    item: Item
    field: str
    version: str

    @property
    def applied(self) -> int:
        """How many updates are applied."""
        count: int = getattr(self.item, self.field)
        return count

    def save(self, writes: TransactionWriteSet, number: int) -> Progress:
        """Save it with so many more updates, and give it as it will be stored."""
        item = self.item.replace(**{self.field: self.applied + number})
        writes.save(item)
        version: int = getattr(item, self.version)
        return replace(self, item=item.model_copy(update={self.version: version + 1}))


def progress_of(item: Item, field: str, rows: Rows) -> Progress:
    """Take an item that is to count updates.

    Raises:
        TypeError: it is no item of the db, or lacks the field or a version.
    """
    schema = rows.place(primary_key_of(item)).writer.item
    declared = schema.declaration.fields.get(field)
    if declared is None or declared.type is not int:
        raise TypeError(
            f"progress: {schema.name} has no int field {field!r}; declare one, or name it by progress_field"
        )
    if schema.version is None:
        raise TypeError(
            f"progress: {schema.name} has no Version() field, which keeps two runs from meeting; declare one"
        )
    return Progress(item, field, schema.version.name)


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
        now: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(max_transaction_items, int) or isinstance(max_transaction_items, bool):
            raise TypeError(f"max_transaction_items is an int, not {describe(max_transaction_items)}")
        if not 1 <= max_transaction_items <= MAX_TRANSACTION_OPERATIONS:
            raise LimitExceeded(
                f"max_transaction_items={max_transaction_items}: a transaction takes 1 to {MAX_TRANSACTION_OPERATIONS} "
                "operations"
            )
        self.remaining = Remaining(updates, max_transaction_items)
        self.updated_count = 0
        self.page: FilledPage[U] | None = None
        """The page that is sent; after an answer that was lost, the one to be sent again."""
        self.max_operations = max_transaction_items - (progress is not None)
        """How many operations a page has at most, besides the progress."""
        self._rows = rows
        self._now = now
        self._progress = None if progress is None else progress_of(progress, progress_field, rows)
        self._started = False
        self._failure: Exception | None = None

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
            try:
                self.remaining.drop(self._progress.applied)
            except LookupError:
                raise LogicalDbError(
                    f"progress: {place.key!r} counts {self._progress.applied} updates as applied, "
                    f"and there are only {self.remaining.dropped}"
                ) from None
        self._started = True

    def fill(self, count: int, rules: PageRules[U]) -> None:
        """Make the next page, of as many updates as fit.

        Args:
            count: how many at most, as ``before_page`` said.
            rules: makes their operations.

        Raises:
            PagerStalled: not one fits.
            LimitExceeded: ``finish_page`` adds more than the page has room for.
            DuplicateItem: operations of one update, or of ``finish_page`` and another, are about one row.
        """
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"before_page returns how many updates the page takes at most, not {describe(count)}")
        if count < 1:
            raise self._stalled(f"before_page takes {count} updates")
        writes = TransactionWriteSet()
        prepared: list[Write] = []
        applied: list[U] = []
        room = self.max_operations - rules.finish_operations
        for update in islice(self.remaining, count):
            own = TransactionWriteSet()
            rules.item(own, update)
            if len(prepared) + own.size > room:
                if not applied:
                    raise self._stalled(f"it has {own.size} operations, and a page has room for {max(room, 0)}")
                break
            added = [self._rows.prepare(operation) for operation in own.operations]
            check_distinct(added)
            size = sum(map(transactions.bytes_of, [*prepared, *added]))
            if size > MAX_TRANSACTION_BYTES:
                if not applied:
                    raise self._stalled(f"it has {size} bytes, and a transaction takes {MAX_TRANSACTION_BYTES}")
                break
            if not {write.identity for write in prepared}.isdisjoint(write.identity for write in added):
                break  # in a transaction a row has one operation, so the next is for the next page
            writes.add_all(own)
            prepared += added
            applied.append(update)
        rules.finish_page(writes, applied)
        if writes.size > self.max_operations:
            raise LimitExceeded(
                f"finish_page: the page has {writes.size} operations with its own, and takes {self.max_operations}; "
                "tell before by finish_operations how many it adds"
            )
        progress = None if self._progress is None else self._progress.save(writes, len(applied))
        prepared += [self._rows.prepare(operation) for operation in writes.operations[len(prepared) :]]
        if prepared:
            writes._sent = transactions.fix(writes, prepared, self._now())
        self.page = FilledPage(writes, applied, progress)

    def send(self) -> Flow[TransactionWriteSet]:
        """Send the page, and count its updates when it is written."""
        page = self.page
        assert page is not None
        try:
            yield from transactions.write(page.writes, self._rows, self._now)
        except AmbiguousWrite as error:
            self._failure = error
            raise  # the page stays: it is sent again as it was, and so written once
        except Exception as error:
            self._failure = error
            self.page = None
            raise
        self.page = None
        self._progress = page.progress
        self.updated_count += len(page.applied)
        self.remaining.drop(len(page.applied))
        return page.writes

    def check_progress(self, before: int) -> None:
        """Refuse to go on where the last page wrote nothing.

        Args:
            before: how many updates were written before it.

        Raises:
            PagerStalled: none has been written since.
        """
        if self.updated_count == before:
            raise self._stalled("each_page ended, and its page is not written") from self._failure
        self._failure = None

    def _stalled(self, problem: str) -> PagerStalled:
        update = self.remaining[0]
        return PagerStalled(f"updates[{self.remaining.dropped}]{_name(update)}: {problem}", update=update)


def _name(update: object) -> str:
    """The key of an update, where it has one; messages hold no other values."""
    if isinstance(update, Item):
        update = primary_key_of(update)
    return f" ({update!r})" if isinstance(update, KeyBase) else ""
