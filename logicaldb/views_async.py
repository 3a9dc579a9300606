"""Views that are awaited: the same methods as in ``views.py``, with the same flows; lazy ones are async iterators."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, overload

from typing_extensions import TypeVar

from logicaldb.drivers_async import AsyncTransport, iterate_async, run_async
from logicaldb.expressions import Condition, KeyCondition, Update
from logicaldb.items import Item, KeyBase, RawItem
from logicaldb.operations import single
from logicaldb.operations.raw import RawRows
from logicaldb.operations.reading import Source
from logicaldb.operations.writer import Writer, increase
from logicaldb.pages import Offset, Page, WorkerId
from logicaldb.sets import Operation, item_key
from logicaldb.transport.tasks import in_parallel_async
from logicaldb.views import CollectionView, Cursors, IndexView, View

if TYPE_CHECKING:
    from logicaldb.explanations import CollectionExplanations, IndexExplanations, ViewExplanations

K = TypeVar("K", bound=KeyBase[Any])
I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature
T = TypeVar("T")
R = TypeVar("R", bound=RawItem)


class AsyncCollectionView(Generic[K, T]):
    """Several item types of one partition, read by one query."""

    def __init__(self, source: Source[K, T], transport: AsyncTransport) -> None:
        self._source = source
        self._transport = transport

    @property
    def explain(self) -> CollectionExplanations[K]:
        """The same methods, each of which explains what it would send; nothing is sent, and nothing is awaited."""
        from logicaldb.explanations import CollectionExplanations  # noqa: PLC0415 - most programs explain nothing

        return CollectionExplanations[K].of(lambda transport: CollectionView(self._source, transport))

    async def query(
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

        Awaited; ``CollectionView.query`` describes the arguments, the result and the errors.
        """
        return await run_async(
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
    ) -> AsyncGenerator[Page[K, T]]:
        """All pages of ``query``, each asked for when it is due."""
        return iterate_async(
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
    ) -> AsyncGenerator[T]:
        """The items of all pages of ``query``, ``limit`` of them at most."""
        return iterate_async(
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


class AsyncIndexView(Cursors[K, I]):
    """An item type as a secondary index holds it: queries and scans."""

    def __init__(self, source: Source[K, I], transport: AsyncTransport, workers: int) -> None:
        super().__init__(source)
        self._transport = transport
        self._workers = workers

    @property
    def explain(self) -> IndexExplanations[K, I]:
        """The same methods, each of which explains what it would send; nothing is sent, and nothing is awaited."""
        from logicaldb.explanations import IndexExplanations  # noqa: PLC0415 - most programs explain nothing

        return IndexExplanations[K, I].of(lambda transport: IndexView(self._source, transport, 1))

    async def query(
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

        Awaited; ``IndexView.query`` describes the arguments, the result and the errors.
        """
        return await run_async(
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
    ) -> AsyncGenerator[Page[K, I]]:
        """All pages of ``query``, each asked for when it is due; nothing is sent before the first ``next``."""
        return iterate_async(
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
    ) -> AsyncGenerator[I]:
        """The items of all pages of ``query``, ``limit`` of them at most; nothing is sent before the first ``next``."""
        return iterate_async(
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

    async def count(
        self,
        key_condition: KeyCondition[K],
        *,
        filter_expression: Condition | None = None,
        consistent_read: bool = False,
    ) -> int:
        """The number of items under a key condition; the rows are read and paid for, but do not travel."""
        return await run_async(
            self._source.count(key_condition, filter_expression=filter_expression, consistent_read=consistent_read),
            self._transport,
        )

    async def scan(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Page[K, I]:
        """One page of all items of the type, in no order; rows of other types are read and paid for too.

        Awaited; ``IndexView.scan`` describes the arguments, the result and the errors.
        """
        return await run_async(
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
    ) -> AsyncGenerator[Page[K, I]]:
        """All pages of ``scan``, each asked for when it is due; nothing is sent before the first ``next``."""
        return iterate_async(
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
    ) -> AsyncGenerator[I]:
        """The items of all pages of ``scan``, ``limit`` of them at most; nothing is sent before the first ``next``."""
        return iterate_async(
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
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
    ) -> AsyncGenerator[I]:
        """All items of the type, read in several segments at once.

        Args:
            total_segments: the number of segments.
            page_size: how many rows to read at most in one request.
            consistent_read: whether to see all writes that succeeded before; not of a global index.
            filter_expression: what the items must be.

        Returns:
            The items in the order in which their pages arrive. At most one page of each segment waits in memory.
        """
        WorkerId(0, total_segments)

        async def fetch(segment: int, start: Offset[K] | None) -> tuple[Sequence[I], Offset[K] | None]:
            page = await self.scan(
                page_size=page_size,
                consistent_read=consistent_read,
                filter_expression=filter_expression,
                initial_offset=start,
                worker_id=WorkerId(segment, total_segments),
            )
            return page.contents, page.offset

        return in_parallel_async(fetch, total_segments, at_once=self._workers)


class AsyncView(AsyncIndexView[K, I]):
    """An item type in its table: everything."""

    def __init__(self, source: Source[K, I], transport: AsyncTransport, workers: int, writer: Writer) -> None:
        super().__init__(source, transport, workers)
        self._writer = writer

    @property
    def explain(self) -> ViewExplanations[K, I]:
        """The same methods, each of which explains what it would send; nothing is sent, and nothing is awaited."""
        from logicaldb.explanations import ViewExplanations  # noqa: PLC0415 - most programs explain nothing

        return ViewExplanations[K, I].of(lambda transport: View(self._source, transport, 1, self._writer))

    async def _write(self, operation: Operation, token: str | None) -> Any:
        return await run_async(
            single.write(self._writer.prepare(operation, tokened=token is not None), token), self._transport
        )

    async def load(self, key: K, *, consistent_read: bool = False) -> I | None:
        """The item of a key (``GetItem``).

        Awaited; ``View.load`` describes the arguments, the result and the errors.
        """
        item: I | None = await run_async(
            single.load(self._source.table, self._source.key, key, consistent_read=consistent_read), self._transport
        )
        return item

    async def save(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """Set every modelled attribute of an item (``UpdateItem``); make the row where there is none.

        Awaited; ``View.save`` describes the arguments, the result and the errors.
        """
        saved: I = await self._write(self._writer.operation("save", item, condition), idempotency_token)
        return saved

    async def create(self, item: I, *, idempotency_token: str | None = None) -> I:
        """Put an item where there is none.

        Awaited; ``View.create`` describes the arguments, the result and the errors.
        """
        created: I = await self._write(self._writer.operation("create", item), idempotency_token)
        return created

    async def put(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """Replace the whole row (``PutItem``), counters and attributes that the type does not know too.

        Awaited; ``View.put`` describes the arguments, the result and the errors.
        """
        stored: I = await self._write(self._writer.operation("put", item, condition), idempotency_token)
        return stored

    async def update(
        self,
        key: K,
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> I:
        """Change some attributes of an item (``UpdateItem``).

        Awaited; ``View.update`` describes the arguments, the result and the errors.
        """
        operation = Operation("update", item_key(key), None, updates, condition, if_version, upsert)
        updated: I = await self._write(operation, idempotency_token)
        return updated

    @overload
    async def increment(
        self, key: K, counter: int, by: int = 1, *, upsert: bool = False, idempotency_token: str | None = None
    ) -> int: ...
    @overload
    async def increment(
        self,
        key: K,
        counter: Decimal,
        by: Decimal | int = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Decimal: ...
    async def increment(
        self,
        key: K,
        counter: int | Decimal,
        by: int | Decimal = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Any:
        """Add to a counter, atomically (``ADD``).

        Awaited; ``View.increment`` describes the arguments, the result and the errors.
        """
        operation = Operation("increment", item_key(key), None, (increase(counter, by),), upsert=upsert)
        return await self._write(operation, idempotency_token)

    async def delete(
        self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> I | None:
        """Delete an item whose stored version is its own (``DeleteItem``).

        Awaited; ``View.delete`` describes the arguments, the result and the errors.
        """
        deleted: I | None = await self._write(self._writer.operation("delete", item, condition), idempotency_token)
        return deleted

    async def delete_key(
        self, key: K, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> I | None:
        """Delete the item of a key, whatever its version (``DeleteItem``).

        Awaited; ``View.delete_key`` describes the arguments, the result and the errors.
        """
        deleted: I | None = await self._write(
            Operation("delete_key", item_key(key), condition=condition), idempotency_token
        )
        return deleted


class AsyncRawView(Generic[R]):
    """The raw rows of a table, of whatever type: every attribute."""

    def __init__(self, rows: RawRows, transport: AsyncTransport) -> None:
        self._rows = rows
        self._transport = transport

    async def load(self, key: R, *, consistent_read: bool = False) -> R | None:
        """The row with the primary key of ``key``, whose other attributes do not matter."""
        row: R | None = await run_async(self._rows.load(key, consistent_read=consistent_read), self._transport)
        return row

    async def put(self, item: R) -> None:
        """Replace a whole row; no version, counter or time is looked after."""
        await run_async(self._rows.put(item), self._transport)

    async def delete(self, key: R) -> R | None:
        """Delete the row with the primary key of ``key``, and return it; ``None`` where there was none."""
        row: R | None = await run_async(self._rows.delete(key), self._transport)
        return row

    async def scan(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[Any] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Page[Any, R]:
        """One page of all rows, in no order."""
        return await run_async(
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
    ) -> AsyncGenerator[R]:
        """All rows, ``limit`` of them at most; nothing is sent before the first ``next``."""
        return iterate_async(
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
