"""Logical databases that are awaited: the same as ``db.py``, with the same flows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, overload

from typing_extensions import TypeVar

from logicaldb.db import recorded
from logicaldb.db_base import DbBase, TableNameResolver
from logicaldb.drivers_async import AsyncTransport, iterate_async, run_async
from logicaldb.expressions import Condition, Update
from logicaldb.flow import Async, Sync
from logicaldb.items import Item, ItemKey
from logicaldb.operations import batches, transactions
from logicaldb.operations.notes import noting
from logicaldb.operations.pager import check_handler
from logicaldb.operations.tables import create_tables
from logicaldb.operations.times import Clock, utc_now
from logicaldb.pager_async import AsyncSaveItems, AsyncWritingPager, AsyncWritingPagerHandler
from logicaldb.sets import BatchWriteResult, BatchWriteSet, ItemSet, TransactionWriteSet, item_keys, several
from logicaldb.views_async import AsyncView
from logicaldb.watching import AsyncWatchedTransport, OnRequest

if TYPE_CHECKING:
    from logicaldb.explanations import DbExplanations

I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature
U = TypeVar("U")


class AsyncLogicalDb(DbBase[AsyncView[Any, Any]]):
    """The tables of an application, whose methods are awaited.

    A subclass declares them as that of ``LogicalDb`` does, with tables in the mode ``Async``::

        class AsyncMusicDb(AsyncLogicalDb):
            music: Annotated[MusicTable[Async], TableName("music_items")]

    Args:
        client: a boto3 DynamoDB client, whose requests then run on threads, as many as it has connections
            (``max_pool_connections`` of its config, 10 by default); or an aiobotocore client, or an
            ``AsyncDirectTransport``. Without one, a boto3 client is made in boto3's own default way.
        table_name_resolver: gives the name of a physical table for a table class and its declared name; it wins over the
            annotation.
        clock: gives the time of ``CreatedAt`` and ``UpdatedAt`` fields, aware of its zone.
        fast: whether the first attempt of a request may be sent past botocore, on connections of our own, where the client is
            set to nothing that stands against it; what fails is sent again by botocore. An aiobotocore
            client sends everything itself.
        on_request: gets a ``RequestEvent`` of every request after it was made, on the event loop that made it.
    """

    __logicaldb_mode__: ClassVar[type[Sync | Async]] = Async

    def __init__(
        self,
        client: Any = None,
        *,
        table_name_resolver: TableNameResolver | None = None,
        clock: Clock = utc_now,
        fast: bool = True,
        on_request: OnRequest | None = None,
    ) -> None:
        # Imported here, because tables are declared in more processes than a db is made in, of which each pays for it.
        from logicaldb.transport.boto import make_client  # noqa: PLC0415
        from logicaldb.transport.choice import async_transport_of  # noqa: PLC0415

        if client is None:
            client = make_client()
        transport, at_once = async_transport_of(client, fast=fast)
        watched = AsyncWatchedTransport(transport, on_request)
        self._transport: AsyncTransport = watched
        super().__init__(watched, at_once, table_name_resolver, clock)

    @property
    def explain(self) -> DbExplanations:
        """The same methods, each of which explains what it would send; nothing is sent or awaited."""
        from logicaldb.explanations import DbExplanations  # noqa: PLC0415 - most programs explain nothing

        return DbExplanations.of(lambda transport: recorded(self, transport))

    async def create_tables(self) -> list[str]:
        """Make the declared tables, on demand, with their indexes and their time to live; wait until they can be used.

        Awaited; ``LogicalDb.create_tables`` describes the arguments, the result and the errors.
        """
        return await run_async(create_tables(self._declared()), self._transport)

    async def load(self, key: ItemKey[I], *, consistent_read: bool = False) -> I | None:
        """``load`` of the view of the key's item type."""
        item: I | None = await self._view_of_key(key).load(key, consistent_read=consistent_read)
        return item

    async def save(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """``save`` of the view of the item's type."""
        saved: I = await self._view_of(type(item)).save(item, condition, idempotency_token=idempotency_token)
        return saved

    async def create(self, item: I, *, idempotency_token: str | None = None) -> I:
        """``create`` of the view of the item's type."""
        created: I = await self._view_of(type(item)).create(item, idempotency_token=idempotency_token)
        return created

    async def put(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """``put`` of the view of the item's type."""
        stored: I = await self._view_of(type(item)).put(item, condition, idempotency_token=idempotency_token)
        return stored

    async def update(
        self,
        key: ItemKey[I],
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> I:
        """``update`` of the view of the key's item type."""
        updated: I = await self._view_of_key(key).update(
            key,
            *updates,
            condition=condition,
            if_version=if_version,
            upsert=upsert,
            idempotency_token=idempotency_token,
        )
        return updated

    @overload
    async def increment(
        self,
        key: ItemKey[Any],
        counter: int,
        by: int = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> int: ...
    @overload
    async def increment(
        self,
        key: ItemKey[Any],
        counter: Decimal,
        by: Decimal | int = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Decimal: ...
    async def increment(
        self,
        key: ItemKey[Any],
        counter: Any,
        by: Any = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Any:
        """``increment`` of the view of the key's item type."""
        return await self._view_of_key(key).increment(
            key, counter, by, upsert=upsert, idempotency_token=idempotency_token
        )

    async def delete(
        self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> I | None:
        """``delete`` of the view of the item's type."""
        deleted: I | None = await self._view_of(type(item)).delete(item, condition, idempotency_token=idempotency_token)
        return deleted

    async def delete_key(
        self, key: ItemKey[I], condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> I | None:
        """``delete_key`` of the view of the key's item type."""
        deleted: I | None = await self._view_of_key(key).delete_key(key, condition, idempotency_token=idempotency_token)
        return deleted

    @overload
    async def transaction_load(self, keys: Iterable[ItemKey[Any]], /) -> ItemSet: ...
    @overload
    async def transaction_load(self, *keys: ItemKey[Any]) -> ItemSet: ...
    async def transaction_load(self, *keys: Any) -> ItemSet:
        """The items of up to 100 keys, of any types and tables, all as they were at one moment (``TransactGetItems``).

        Awaited; ``LogicalDb.transaction_load`` describes the arguments, the result and the errors.
        """
        return await run_async(transactions.load(item_keys(keys), self._rows), self._transport)

    async def transaction_write(self, writes: TransactionWriteSet) -> ItemSet:
        """Write a set of operations: all of it, or nothing (``TransactWriteItems``).

        Awaited; ``LogicalDb.transaction_write`` describes the arguments, the result and the errors.
        """
        return await run_async(transactions.write(writes, self._rows), self._transport)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[TransactionWriteSet]:
        """A transaction that is written when the block ends; if the block raises, nothing is sent.

        Awaited; ``LogicalDb.transaction`` describes the arguments, the result and the errors.
        """
        writes = TransactionWriteSet()
        yield writes
        await self.transaction_write(writes)

    @overload
    async def batch_load(
        self, keys: Iterable[ItemKey[Any]], /, *, consistent_read: bool = False, max_page_size: int = 100
    ) -> ItemSet: ...
    @overload
    async def batch_load(
        self, *keys: ItemKey[Any], consistent_read: bool = False, max_page_size: int = 100
    ) -> ItemSet: ...
    async def batch_load(self, *keys: Any, consistent_read: bool = False, max_page_size: int = 100) -> ItemSet:
        """The items of any number of keys, of any types and tables, several requests at once (``BatchGetItem``).

        Awaited; ``LogicalDb.batch_load`` describes the arguments, the result and the errors.
        """
        return await run_async(
            batches.load(
                item_keys(keys),
                self._rows,
                consistent_read=consistent_read,
                page_size=max_page_size,
                at_once=self._at_once,
            ),
            self._transport,
        )

    def batch_load_all(self, keys: Iterable[ItemKey[I]], *, consistent_read: bool = False) -> AsyncGenerator[I]:
        """The items of any number of keys, lazily: good for a generator of millions.

        Awaited; ``LogicalDb.batch_load_all`` describes the arguments, the result and the errors.
        """
        items: Any = iterate_async(
            batches.load_all(several(keys, "keys"), self._rows, consistent_read=consistent_read, at_once=self._at_once),
            self._transport,
        )
        found: AsyncGenerator[I] = items
        return found

    async def batch_write(self, writes: BatchWriteSet, *, max_page_size: int = 25) -> BatchWriteResult:
        """Put and delete any number of items without conditions, several requests at once (``BatchWriteItem``).

        Awaited; ``LogicalDb.batch_write`` describes the arguments, the result and the errors.
        """
        return await run_async(
            batches.write(writes, self._rows, page_size=max_page_size, at_once=self._at_once), self._transport
        )

    async def batch_write_all(self, writes: Iterable[Item | ItemKey[Any]]) -> int:
        """Put the items and delete the keys of an iterable, without conditions: good for a generator of millions.

        Awaited; ``LogicalDb.batch_write_all`` describes the arguments, the result and the errors.
        """
        return await run_async(
            batches.write_all(several(writes, "items and keys"), self._rows, at_once=self._at_once), self._transport
        )

    def transaction_writing_pager(
        self,
        updates: Iterable[U],
        handler: AsyncWritingPagerHandler[U],
        *,
        max_transaction_items: int = 25,
        progress: Item | None = None,
        progress_field: str = "applied",
    ) -> AsyncWritingPager[U]:
        """A pager that writes a long list of updates in transactions, one after the other; see ``AsyncWritingPagerHandler``.

        Awaited; ``LogicalDb.transaction_writing_pager`` describes the arguments, the result and the errors.
        """
        check_handler(handler, AsyncWritingPagerHandler)
        pages = self._pages(updates, max_transaction_items, progress, progress_field)
        return AsyncWritingPager(pages, handler, self._transport)

    async def save_all(self, items: Iterable[Item], *, max_transaction_items: int = 25) -> int:
        """Save the items of an iterable, of any types and any number, a transaction at a time.

        Awaited; ``LogicalDb.save_all`` describes the arguments, the result and the errors.
        """
        pager = self.transaction_writing_pager(
            several(items, "items"), AsyncSaveItems(), max_transaction_items=max_transaction_items
        )
        with noting(lambda: f"save_all: the first {pager.updated_count} items are saved"):
            await pager.execute()
        return pager.updated_count
