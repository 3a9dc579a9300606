"""Views: the typed methods of a table, an index or a collection. Each method is one line; the flows decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, overload
from uuid import uuid4

from typing_extensions import TypeVar

from logicaldb.codec.values import describe
from logicaldb.drivers import Transport, iterate, run
from logicaldb.expressions import Condition, KeyCondition, Update
from logicaldb.items import Item, KeyBase, RawItem
from logicaldb.operations import cursors, single
from logicaldb.operations.raw import RawRows
from logicaldb.operations.reading import Source
from logicaldb.operations.writer import Writer, increase
from logicaldb.pages import Offset, Page, WorkerId
from logicaldb.sets import Operation, item_key
from logicaldb.transport.threads import in_parallel

if TYPE_CHECKING:
    from logicaldb.explanations import CollectionExplanations, IndexExplanations, ViewExplanations

K = TypeVar("K", bound=KeyBase[Any])
I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature
T = TypeVar("T")
R = TypeVar("R", bound=RawItem)


class CollectionView(Generic[K, T]):
    """Several item types of one partition, read by one query."""

    def __init__(self, source: Source[K, T], transport: Transport) -> None:
        self._source = source
        self._transport = transport

    @property
    def explain(self) -> CollectionExplanations[K]:
        """The same methods, each of which explains what it would send; nothing is sent."""
        from logicaldb.explanations import CollectionExplanations  # noqa: PLC0415 - most programs explain nothing

        return CollectionExplanations[K].of(lambda transport: CollectionView(self._source, transport))

    def query(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Page[K, T]:
        """One page of the items of a partition, in the order of their sort keys.

        Args:
            key: a key of the partition; its sort part does not matter.
            asc: the order: ascending, else descending.
            page_size: how many rows to read at most, before the filter; a page ends at 1 MB in any case
                (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html).
            consistent_read: whether to see all writes that succeeded before.
            filter_expression: what the items must be; rows it leaves out are read and paid for all the same.
            initial_offset: where to begin, as a page before gave it.
        """
        return run(
            self._source.partition_page(
                key,
                asc=asc,
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
            ),
            self._transport,
        )

    def query_all(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Iterator[Page[K, T]]:
        """All pages of ``query``, each asked for when it is due."""
        return iterate(
            self._source.partition_all(
                key,
                asc=asc,
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
            ),
            self._transport,
        )

    def query_all_contents(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        limit: int | None = None,
    ) -> Iterator[T]:
        """The items of all pages of ``query``, ``limit`` of them at most."""
        return iterate(
            self._source.partition_contents(
                key,
                asc=asc,
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
                limit=limit,
            ),
            self._transport,
        )


class Cursors(Generic[K, T]):
    """Cursors for web pages, which need no request."""

    def __init__(self, source: Source[K, T]) -> None:
        self._source = source

    def to_token(
        self,
        offset: Offset[K],
        key_condition: KeyCondition[K],
        *,
        secret: str | bytes,
        asc: bool = True,
        filter_expression: Condition | None = None,
    ) -> str:
        """A cursor for a web page: an offset as URL-safe text, signed and bound to its query.

        It is not encrypted: who has it can read the key in it.

        Args:
            offset: where the next page begins.
            key_condition: the key condition of the query.
            secret: what it is signed with.
            asc: the order of the query.
            filter_expression: the filter of the query.
        """
        return cursors.to_token(
            self._source, offset, key_condition, secret=secret, asc=asc, filter_expression=filter_expression
        )

    def from_token(
        self,
        token: str,
        key_condition: KeyCondition[K],
        *,
        secret: str | bytes,
        asc: bool = True,
        filter_expression: Condition | None = None,
    ) -> Offset[K]:
        """The offset of a cursor that ``to_token`` made with the same arguments.

        Raises:
            InvalidCursor: it was made otherwise, or changed.
        """
        return cursors.from_token(
            self._source, token, key_condition, secret=secret, asc=asc, filter_expression=filter_expression
        )


class IndexView(Cursors[K, I]):
    """An item type as a secondary index holds it: queries and scans."""

    def __init__(self, source: Source[K, I], transport: Transport, workers: int) -> None:
        super().__init__(source)
        self._transport = transport
        self._workers = workers

    @property
    def explain(self) -> IndexExplanations[K, I]:
        """The same methods, each of which explains what it would send; nothing is sent."""
        from logicaldb.explanations import IndexExplanations  # noqa: PLC0415 - most programs explain nothing

        return IndexExplanations[K, I].of(lambda transport: IndexView(self._source, transport, 1))

    def query(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Page[K, I]:
        """One page of the items under a key condition, in the order of their sort keys.

        Args:
            key_condition: which keys: ``BeginsWith(AlbumTrack.Key("ALBUM_1"))``, ``Between(start, end)``, …
            asc: the order: ascending, else descending.
            page_size: how many rows to read at most, before the filter; a page ends at 1 MB in any case
                (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html).
            consistent_read: whether to see all writes that succeeded before; not of a global index.
            filter_expression: what the items must be; rows it leaves out are read and paid for all the same.
            initial_offset: where to begin, as a page before gave it, or ``Offset(key)``.

        Returns:
            The page; it may be empty and have more pages after it.

        Raises:
            IncompleteKey: a key lacks fields that are needed.
            EncodingError: a value cannot be stored, or the query makes no sense for DynamoDB; nothing was sent.
            DecodingError: a row is not valid for the type.
        """
        return run(
            self._source.query_page(
                key_condition,
                asc=asc,
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
            ),
            self._transport,
        )

    def query_all(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Iterator[Page[K, I]]:
        """All pages of ``query``, each asked for when it is due; nothing is sent before the first ``next``."""
        return iterate(
            self._source.query_all(
                key_condition,
                asc=asc,
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
            ),
            self._transport,
        )

    def query_all_contents(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        limit: int | None = None,
    ) -> Iterator[I]:
        """The items of all pages of ``query``, ``limit`` of them at most; nothing is sent before the first ``next``."""
        return iterate(
            self._source.query_contents(
                key_condition,
                asc=asc,
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
                limit=limit,
            ),
            self._transport,
        )

    def count(
        self,
        key_condition: KeyCondition[K],
        *,
        filter_expression: Condition | None = None,
        consistent_read: bool = False,
    ) -> int:
        """The number of items under a key condition; the rows are read and paid for, but do not travel."""
        return run(
            self._source.count(key_condition, filter_expression=filter_expression, consistent_read=consistent_read),
            self._transport,
        )

    def scan(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Page[K, I]:
        """One page of all items of the type, in no order; rows of other types are read and paid for too.

        Args:
            page_size: how many rows to read at most, of whatever type.
            consistent_read: whether to see all writes that succeeded before; not of a global index.
            filter_expression: what the items must be.
            initial_offset: where to begin, as a page before gave it.
            worker_id: one segment of a scan that several workers share.
        """
        return run(
            self._source.scan_page(
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
                worker_id=worker_id,
            ),
            self._transport,
        )

    def scan_all(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Iterator[Page[K, I]]:
        """All pages of ``scan``, each asked for when it is due; nothing is sent before the first ``next``."""
        return iterate(
            self._source.scan_all(
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
                worker_id=worker_id,
            ),
            self._transport,
        )

    def scan_all_contents(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
        limit: int | None = None,
    ) -> Iterator[I]:
        """The items of all pages of ``scan``, ``limit`` of them at most; nothing is sent before the first ``next``."""
        return iterate(
            self._source.scan_contents(
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
                worker_id=worker_id,
                limit=limit,
            ),
            self._transport,
        )

    def parallel_scan(
        self,
        total_segments: int,
        *,
        executor: Executor | None = None,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
    ) -> Iterator[I]:
        """All items of the type, read in several segments at once.

        Args:
            total_segments: the number of segments.
            executor: what reads them; without one, threads of the scan's own, as many as the client has connections.
            page_size: how many rows to read at most in one request.
            consistent_read: whether to see all writes that succeeded before; not of a global index.
            filter_expression: what the items must be.

        Returns:
            The items in the order in which their pages arrive. At most one page of each segment waits in memory.

        Raises:
            TypeError: what is given is no executor.
        """
        if executor is not None and not isinstance(executor, Executor):
            raise TypeError(f"executor takes a concurrent.futures.Executor, not {describe(executor)}")
        WorkerId(0, total_segments)
        page = _SegmentPage(
            self._source, self._transport, total_segments, page_size, consistent_read, filter_expression, uuid4().hex
        )
        return in_parallel(page, total_segments, workers=self._workers, executor=executor)


@dataclass(frozen=True, slots=True)
class _SegmentPage(Generic[K, T]):
    """Reads a page of a segment; a value, so that it can be sent to where an executor works.

    No two scans are the same value: an engine such as Dask answers what it has been asked before from its memory.
    """

    source: Source[K, T]
    transport: Transport
    total_segments: int
    page_size: int
    consistent_read: bool
    filter_expression: Condition | None
    scan: str

    def __call__(self, segment: int, start: Offset[K] | None) -> tuple[Sequence[T], Offset[K] | None]:
        page = run(
            self.source.scan_page(
                page_size=self.page_size,
                consistent_read=self.consistent_read,
                filter_expression=self.filter_expression,
                initial_offset=start,
                worker_id=WorkerId(segment, self.total_segments),
            ),
            self.transport,
        )
        return page.contents, page.offset


class View(IndexView[K, I]):
    """An item type in its table: everything."""

    def __init__(self, source: Source[K, I], transport: Transport, workers: int, writer: Writer) -> None:
        super().__init__(source, transport, workers)
        self._writer = writer

    @property
    def explain(self) -> ViewExplanations[K, I]:
        """The same methods, each of which explains what it would send; nothing is sent."""
        from logicaldb.explanations import ViewExplanations  # noqa: PLC0415 - most programs explain nothing

        return ViewExplanations[K, I].of(lambda transport: View(self._source, transport, 1, self._writer))

    def _write(self, operation: Operation, token: str | None) -> Any:
        return run(single.write(self._writer.prepare(operation, tokened=token is not None), token), self._transport)

    def load(self, key: K, *, consistent_read: bool = False) -> I | None:
        """The item of a key (``GetItem``).

        Args:
            key: a whole key.
            consistent_read: whether to see all writes that succeeded before.

        Returns:
            The item, ``None`` where there is none.

        Raises:
            IncompleteKey: the key lacks fields.
            DecodingError: the row is not valid for the type.
        """
        item: I | None = run(
            single.load(self._source.table, self._source.key, key, consistent_read=consistent_read), self._transport
        )
        return item

    def save(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """Set every modelled attribute of an item (``UpdateItem``); make the row where there is none.

        Attributes that the type does not know are kept, and so is the count of a counter that has one. Those that are
        ``None`` are removed.

        Args:
            item: the item.
            condition: what the stored item must be.
            idempotency_token: with one (1 to 36 characters) the write takes effect once, however often it is sent within
                10 minutes; it costs twice the write units
                (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html).

        Returns:
            The item as it is stored.

        Raises:
            EncodingError: a value cannot be stored; nothing was sent.
            VersionConflict: the stored version is not the item's.
            ConditionFailed: the condition does not hold.
            AmbiguousWrite: the write was sent, and it cannot be told whether it took effect.
        """
        saved: I = self._write(self._writer.operation("save", item, condition), idempotency_token)
        return saved

    def create(self, item: I, *, idempotency_token: str | None = None) -> I:
        """Put an item where there is none.

        Args:
            item: the item; its version, if it has one, must be 0.
            idempotency_token: see ``save``.

        Returns:
            The item as it is stored.

        Raises:
            EncodingError: a value cannot be stored; nothing was sent.
            ItemAlreadyExists: there is an item; it is the error's ``item``.
            AmbiguousWrite: the write was sent, and it cannot be told whether it took effect.
        """
        created: I = self._write(self._writer.operation("create", item), idempotency_token)
        return created

    def put(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """Replace the whole row (``PutItem``), counters and attributes that the type does not know too.

        Args:
            item: the item.
            condition: what the stored item must be.
            idempotency_token: see ``save``.

        Returns:
            The item as it is stored.

        Raises:
            EncodingError: a value cannot be stored; nothing was sent.
            VersionConflict: the stored version is not the item's.
            ConditionFailed: the condition does not hold.
            AmbiguousWrite: the write was sent, and it cannot be told whether it took effect.
        """
        stored: I = self._write(self._writer.operation("put", item, condition), idempotency_token)
        return stored

    def update(
        self,
        key: K,
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> I:
        """Change some attributes of an item (``UpdateItem``).

        Args:
            key: a whole key.
            updates: the changes: ``attr(AlbumTrack.track_title).set("Time")``, …
            condition: what the stored item must be.
            if_version: the version that it must have.
            upsert: whether to make the item where there is none; every required field must be set then.
            idempotency_token: see ``save``.

        Returns:
            The item as it is stored.

        Raises:
            EncodingError: an update does not fit its field; nothing was sent.
            ItemNotFound: there is no item.
            VersionConflict: the stored version is not ``if_version``.
            CounterOutOfBounds: a counter would leave its bounds.
            ConditionFailed: the condition does not hold.
            AmbiguousWrite: the write was sent, and it cannot be told whether it took effect.
        """
        operation = Operation("update", item_key(key), None, updates, condition, if_version, upsert)
        updated: I = self._write(operation, idempotency_token)
        return updated

    @overload
    def increment(
        self, key: K, counter: int, by: int = 1, *, upsert: bool = False, idempotency_token: str | None = None
    ) -> int: ...
    @overload
    def increment(
        self,
        key: K,
        counter: Decimal,
        by: Decimal | int = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Decimal: ...
    def increment(
        self,
        key: K,
        counter: int | Decimal,
        by: int | Decimal = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Any:
        """Add to a counter, atomically (``ADD``).

        Args:
            key: a whole key.
            counter: the field on the class: ``AlbumTrack.play_count``.
            by: what to add; negative to subtract.
            upsert: whether to make the item where there is none, with its times and defaults (under a token without those that
                differ each time); every required field must have a default then.
            idempotency_token: see ``save``. Without one, an addition whose answer is lost is not sent again.

        Returns:
            The new count.

        Raises:
            EncodingError: the field is no counter, or the number does not fit; nothing was sent.
            ItemNotFound: there is no item.
            CounterOutOfBounds: the counter would leave its bounds; nothing was changed.
            AmbiguousWrite: the write was sent, and it cannot be told whether it took effect.
        """
        operation = Operation("increment", item_key(key), None, (increase(counter, by),), upsert=upsert)
        return self._write(operation, idempotency_token)

    def delete(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I | None:
        """Delete an item whose stored version is its own (``DeleteItem``).

        Args:
            item: the item.
            condition: what the stored item must be.
            idempotency_token: see ``save``. With one, the old item is what a read just before found.

        Returns:
            The item as it was stored, ``None`` where there was none.

        Raises:
            VersionConflict: the stored version is not the item's.
            ConditionFailed: the condition does not hold.
            AmbiguousWrite: the write was sent, and it cannot be told whether it took effect.
        """
        deleted: I | None = self._write(self._writer.operation("delete", item, condition), idempotency_token)
        return deleted

    def delete_key(
        self, key: K, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> I | None:
        """Delete the item of a key, whatever its version (``DeleteItem``).

        Args:
            key: a whole key.
            condition: what the stored item must be.
            idempotency_token: see ``save``. With one, the old item is what a read just before found.

        Returns:
            The item as it was stored, ``None`` where there was none.

        Raises:
            IncompleteKey: the key lacks fields.
            ConditionFailed: the condition does not hold.
            AmbiguousWrite: the write was sent, and it cannot be told whether it took effect.
        """
        deleted: I | None = self._write(Operation("delete_key", item_key(key), condition=condition), idempotency_token)
        return deleted


class RawView(Generic[R]):
    """The raw rows of a table, of whatever type: every attribute."""

    def __init__(self, rows: RawRows, transport: Transport) -> None:
        self._rows = rows
        self._transport = transport

    def load(self, key: R, *, consistent_read: bool = False) -> R | None:
        """The row with the primary key of ``key``, whose other attributes do not matter."""
        row: R | None = run(self._rows.load(key, consistent_read=consistent_read), self._transport)
        return row

    def put(self, item: R) -> None:
        """Replace a whole row; no version, counter or time is looked after."""
        run(self._rows.put(item), self._transport)

    def delete(self, key: R) -> R | None:
        """Delete the row with the primary key of ``key``, and return it; ``None`` where there was none."""
        row: R | None = run(self._rows.delete(key), self._transport)
        return row

    def scan(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[Any] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Page[Any, R]:
        """One page of all rows, in no order."""
        return run(
            self._rows.scan_page(
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
                worker_id=worker_id,
            ),
            self._transport,
        )

    def scan_all_contents(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[Any] | None = None,
        worker_id: WorkerId | None = None,
        limit: int | None = None,
    ) -> Iterator[R]:
        """All rows, ``limit`` of them at most; nothing is sent before the first ``next``."""
        return iterate(
            self._rows.scan_contents(
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=initial_offset,
                worker_id=worker_id,
                limit=limit,
            ),
            self._transport,
        )
