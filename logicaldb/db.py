"""Logical databases: the tables of an application behind one client."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, overload

from typing_extensions import TypeVar

from logicaldb.db_base import DbBase, TableNameResolver
from logicaldb.drivers import Transport, iterate, run
from logicaldb.expressions import Condition, Update
from logicaldb.items import Item, ItemKey
from logicaldb.operations import batches, transactions
from logicaldb.operations.notes import noting
from logicaldb.operations.pager import check_handler
from logicaldb.operations.tables import create_tables
from logicaldb.operations.times import Clock, utc_now
from logicaldb.pager import SaveItems, WritingPager, WritingPagerHandler
from logicaldb.sets import BatchWriteResult, BatchWriteSet, ItemSet, TransactionWriteSet, item_keys, several
from logicaldb.views import View
from logicaldb.watching import OnRequest, WatchedTransport

if TYPE_CHECKING:
    from logicaldb.explaining import Recorder
    from logicaldb.explanations import DbExplanations

I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature

U = TypeVar("U")


class LogicalDb(DbBase[View[Any, Any]]):
    """The tables of an application.

    A subclass declares them by annotations, with the names of their physical tables::

        class MusicDb(LogicalDb):
            music: Annotated[MusicTable, TableName("music_items")]

    Args:
        client: a boto3 DynamoDB client, ``boto3.client("dynamodb")``, or a ``DirectTransport``, or a function that makes one,
            which is called in other processes too that take part in a scan; without one, a client is made in boto3's own
            default way.
        table_name_resolver: gives the name of a physical table for a table class and its declared name; it wins over the
            annotation.
        clock: gives the time of ``CreatedAt`` and ``UpdatedAt`` fields, aware of its zone.
        fast: whether the first attempt of a request may be sent past botocore, on connections of our own, where the client is
            set to nothing that stands against it; what fails is sent again by botocore.
        on_request: gets a ``RequestEvent`` of every request after it was made, in the thread that made it.
    """

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
        from logicaldb.transport.choice import transport_of  # noqa: PLC0415

        if client is None:
            client = make_client()
        transport, at_once = transport_of(client, fast=fast)
        watched = WatchedTransport(transport, on_request)
        self._transport: Transport = watched
        super().__init__(watched, at_once, table_name_resolver, clock)

    @property
    def explain(self) -> DbExplanations:
        """The same methods, each of which explains what it would send; nothing is sent."""
        from logicaldb.explanations import DbExplanations  # noqa: PLC0415 - most programs explain nothing

        return DbExplanations.of(lambda transport: recorded(self, transport))

    def create_tables(self) -> list[str]:
        """Make the declared tables, on demand, with their indexes and their time to live; wait until they can be used.

        Tables that exist are left as they are: nothing is ever altered or deleted.

        Returns:
            The names of the tables that were made.
        """
        return run(create_tables(self._declared()), self._transport)

    def load(self, key: ItemKey[I], *, consistent_read: bool = False) -> I | None:
        """``load`` of the view of the key's item type."""
        item: I | None = self._view_of_key(key).load(key, consistent_read=consistent_read)
        return item

    def save(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """``save`` of the view of the item's type."""
        saved: I = self._view_of(type(item)).save(item, condition, idempotency_token=idempotency_token)
        return saved

    def create(self, item: I, *, idempotency_token: str | None = None) -> I:
        """``create`` of the view of the item's type."""
        created: I = self._view_of(type(item)).create(item, idempotency_token=idempotency_token)
        return created

    def put(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """``put`` of the view of the item's type."""
        stored: I = self._view_of(type(item)).put(item, condition, idempotency_token=idempotency_token)
        return stored

    def update(
        self,
        key: ItemKey[I],
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> I:
        """``update`` of the view of the key's item type."""
        updated: I = self._view_of_key(key).update(
            key,
            *updates,
            condition=condition,
            if_version=if_version,
            upsert=upsert,
            idempotency_token=idempotency_token,
        )
        return updated

    @overload
    def increment(
        self,
        key: ItemKey[Any],
        counter: int,
        by: int = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> int: ...
    @overload
    def increment(
        self,
        key: ItemKey[Any],
        counter: Decimal,
        by: Decimal | int = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Decimal: ...
    def increment(
        self,
        key: ItemKey[Any],
        counter: Any,
        by: Any = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Any:
        """``increment`` of the view of the key's item type."""
        return self._view_of_key(key).increment(key, counter, by, upsert=upsert, idempotency_token=idempotency_token)

    def delete(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I | None:
        """``delete`` of the view of the item's type."""
        deleted: I | None = self._view_of(type(item)).delete(item, condition, idempotency_token=idempotency_token)
        return deleted

    def delete_key(
        self, key: ItemKey[I], condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> I | None:
        """``delete_key`` of the view of the key's item type."""
        deleted: I | None = self._view_of_key(key).delete_key(key, condition, idempotency_token=idempotency_token)
        return deleted

    @overload
    def transaction_load(self, keys: Iterable[ItemKey[Any]], /) -> ItemSet: ...
    @overload
    def transaction_load(self, *keys: ItemKey[Any]) -> ItemSet: ...
    def transaction_load(self, *keys: Any) -> ItemSet:
        """The items of up to 100 keys, of any types and tables, all as they were at one moment (``TransactGetItems``).

        Args:
            keys: the keys one by one, or one iterable of them; one that is given twice is read once.

        Returns:
            The items in the order of the keys.

        Raises:
            IncompleteKey: a key lacks fields.
            DuplicateItem: two keys of different types are about one row.
            LimitExceeded: there are more than 100 keys
                (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html).
            TransactionCanceled: writes of others stood in the way, and the retries are spent.
            ThroughputExceeded: the service throttled the transaction, and the retries are spent.
        """
        return run(transactions.load(item_keys(keys), self._rows), self._transport)

    def transaction_write(self, writes: TransactionWriteSet) -> ItemSet:
        """Write a set of operations: all of it, or nothing (``TransactWriteItems``).

        Args:
            writes: the operations; to send the same set again within 10 minutes has no second effect.

        Returns:
            The items as they were written, as far as that can be told without reading; the keys of the others are
            ``missing``.

        Raises:
            TypeError: it is no TransactionWriteSet, or something in it belongs to another type or db.
            LogicalDbError: the set was sent before: to other tables, or too long ago to be sent again under its token.
            EncodingError: something cannot be stored; nothing was sent.
            LimitExceeded: there are more than 100 operations or 4 MB; nothing was sent
                (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
            DuplicateItem: two operations are about one row; nothing was sent.
            TransactionCanceled: nothing was written; its ``failures`` say because of which operations, and why.
            ThroughputExceeded: the service throttled the transaction, and the retries are spent; nothing was written.
            AmbiguousWrite: it was sent, and it cannot be told whether it took effect.
        """
        return run(transactions.write(writes, self._rows), self._transport)

    @contextmanager
    def transaction(self) -> Generator[TransactionWriteSet]:
        """A transaction that is written when the block ends; if the block raises, nothing is sent.

        Gives:
            The set to add operations to.

        Raises:
            LogicalDbError: as ``transaction_write``.
        """
        writes = TransactionWriteSet()
        yield writes
        self.transaction_write(writes)

    @overload
    def batch_load(
        self, keys: Iterable[ItemKey[Any]], /, *, consistent_read: bool = False, max_page_size: int = 100
    ) -> ItemSet: ...
    @overload
    def batch_load(self, *keys: ItemKey[Any], consistent_read: bool = False, max_page_size: int = 100) -> ItemSet: ...
    def batch_load(self, *keys: Any, consistent_read: bool = False, max_page_size: int = 100) -> ItemSet:
        """The items of any number of keys, of any types and tables, several requests at once (``BatchGetItem``).

        Args:
            keys: the keys one by one, or one iterable of them; one that is given twice is read once.
            consistent_read: whether to see all writes that succeeded before.
            max_page_size: how many keys a request has, 1 to 100
                (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html).

        Returns:
            The items in the order of the keys; no snapshot, each is as it was when it was read.

        Raises:
            IncompleteKey: a key lacks fields.
            DuplicateItem: two keys of different types are about one row.
            LimitExceeded: ``max_page_size`` is not between 1 and 100.
            BatchIncomplete: the service left over keys, again and again; they are its ``unprocessed``.
        """
        return run(
            batches.load(
                item_keys(keys),
                self._rows,
                consistent_read=consistent_read,
                page_size=max_page_size,
                at_once=self._at_once,
            ),
            self._transport,
        )

    def batch_load_all(self, keys: Iterable[ItemKey[I]], *, consistent_read: bool = False) -> Iterator[I]:
        """The items of any number of keys, lazily: good for a generator of millions.

        Keys are drawn as they are needed, and no more is in memory than the requests under way hold. Keys without an item
        are left out, and a key that comes again much later is read again. Nothing is sent before the first ``next``.

        Raises:
            LogicalDbError: as ``batch_load``; what was handed out before is complete.
        """
        items: Any = iterate(
            batches.load_all(several(keys, "keys"), self._rows, consistent_read=consistent_read, at_once=self._at_once),
            self._transport,
        )
        found: Iterator[I] = items
        return found

    def batch_write(self, writes: BatchWriteSet, *, max_page_size: int = 25) -> BatchWriteResult:
        """Put and delete any number of items without conditions, several requests at once (``BatchWriteItem``).

        Each write takes effect or not by itself.

        Args:
            writes: what to put and delete.
            max_page_size: how many writes a request has, 1 to 25
                (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html).

        Returns:
            What was written: all of it.

        Raises:
            EncodingError: something cannot be stored; nothing was sent.
            DuplicateItem: two writes are about one row; nothing was sent.
            LimitExceeded: ``max_page_size`` is not between 1 and 25.
            BatchIncomplete: some are not known to be done, for whatever reason; its ``unprocessed`` are their items and
                keys, as they were given. All others are done. Where nothing at all is done, and that is known, the reason
                itself is raised.
        """
        return run(batches.write(writes, self._rows, page_size=max_page_size, at_once=self._at_once), self._transport)

    def batch_write_all(self, writes: Iterable[Item | ItemKey[Any]]) -> int:
        """Put the items and delete the keys of an iterable, without conditions: good for a generator of millions.

        They are drawn as they are needed, and no more is in memory than the requests under way hold. Writes of one row take
        effect in their order.

        Returns:
            The number of writes.

        Raises:
            EncodingError: something cannot be stored.
            BatchIncomplete: see ``batch_write``. What was drawn before and is not ``unprocessed`` is done; a note on the
                error says how many writes that are at least.
        """
        return run(
            batches.write_all(several(writes, "items and keys"), self._rows, at_once=self._at_once), self._transport
        )

    def transaction_writing_pager(
        self,
        updates: Iterable[U],
        handler: WritingPagerHandler[U],
        *,
        max_transaction_items: int = 25,
        progress: Item | None = None,
        progress_field: str = "applied",
    ) -> WritingPager[U]:
        """A pager that writes a long list of updates in transactions, one after the other; see ``WritingPagerHandler``.

        Args:
            updates: the updates, of any type; of an iterable of unknown length no more than a page is in memory.
            handler: says how updates become operations.
            max_transaction_items: how many operations a page has at most, 1 to 100
                (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
            progress: an item with a ``Version()`` whose field ``progress_field`` counts the updates applied. It is saved
                with each page, so that a run that was killed can be started again with the same updates: it goes on after
                those that are applied.
            progress_field: its ``int`` field that counts.

        Raises:
            TypeError: an argument is of another type than it should be.
            LimitExceeded: ``max_transaction_items`` is not between 1 and 100.
        """
        check_handler(handler, WritingPagerHandler)
        pages = self._pages(updates, max_transaction_items, progress, progress_field)
        return WritingPager(pages, handler, self._transport)

    def save_all(self, items: Iterable[Item], *, max_transaction_items: int = 25) -> int:
        """Save the items of an iterable, of any types and any number, a transaction at a time.

        Each is saved as ``save`` does. Where a page fails, those before it are saved and nothing of it is; a note on the
        error says how many those are.

        Args:
            items: the items; of an iterable of unknown length no more than a page is in memory.
            max_transaction_items: how many items a transaction has at most, 1 to 100.

        Returns:
            The number of items.

        Raises:
            LogicalDbError: as ``WritingPager.execute``.
        """
        pager = self.transaction_writing_pager(
            several(items, "items"), SaveItems(), max_transaction_items=max_transaction_items
        )
        with noting(lambda: f"save_all: the first {pager.updated_count} items are saved"):
            pager.execute()
        return pager.updated_count


def recorded(db: DbBase[Any], transport: Recorder) -> LogicalDb:
    """A db with the views of another, that blocks and sends nothing.

    Args:
        db: the other one, of either mode.
        transport: what keeps its requests, one after the other.
    """
    twin = LogicalDb.__new__(LogicalDb)
    twin.__dict__.update(db.__dict__)
    twin._transport = transport
    twin._at_once = 1
    twin._views = {name: View(view._source, transport, 1, view._writer) for name, view in db._views.items()}
    return twin
