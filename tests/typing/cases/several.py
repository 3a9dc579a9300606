"""Transactions, batches and writing pagers: what comes back has its type, and what is no operation is none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Annotated, Any, assert_type

from logicaldb import (
    Attribute,
    BatchIncomplete,
    BatchWriteResult,
    BatchWriteSet,
    Counter,
    IndexKey,
    InlineView,
    Item,
    ItemKey,
    ItemSet,
    LogicalDb,
    LogicalDbError,
    LogicalTable,
    Operation,
    OperationFailure,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    TransactionCanceled,
    TransactionWriteSet,
    Version,
    VersionConflict,
    WritingPager,
    WritingPagerHandler,
    attr,
)


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    title: Annotated[str | None, SortKey(index="by_title")] = None


class Album(Item):
    token: Annotated[str, Attribute("pk")]
    kind: Annotated[str, Attribute("sk", prefix="INFO")] = ""
    name: str

    class Key(ItemKey["Album"]):
        token: str


class Track(Item):
    token: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="TRACK_", width=4)]
    title: str
    plays: Annotated[int, Counter()] = 0
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Track"]):
        token: str
        number: int | None = None

    class TitleKey(IndexKey["Track"], index="by_title"):
        token: str
        title: str


class Table(LogicalTable[Row]):
    albums: InlineView[Album.Key, Album]
    tracks: InlineView[Track.Key, Track]


class Db(LogicalDb):
    music: Annotated[Table, TableName("music")]


def load_a_snapshot(db: Db, keys: list[Track.Key], mixed: Iterable[ItemKey[Any]], title: Track.TitleKey) -> None:
    key = Track.Key("A", 1)
    assert_type(db.transaction_load(key, Album.Key("A")), ItemSet)
    assert_type(db.transaction_load(key), ItemSet)
    assert_type(db.transaction_load(keys), ItemSet)
    assert_type(db.transaction_load(mixed), ItemSet)
    assert_type(db.transaction_load(Track.Key("A", number) for number in range(9)), ItemSet)
    assert_type(db.transaction_load([key, Album.Key("A")]), ItemSet)
    db.transaction_load(title)  # error
    db.transaction_load(key, title)  # error
    db.transaction_load([title])  # error
    db.transaction_load("A")  # error
    db.transaction_load(Track)  # error
    db.transaction_load(keys, keys)  # error
    db.transaction_load(key, consistent_read=True)  # error: call-overload


def use_an_item_set(items: ItemSet, track: Track, title: Track.TitleKey) -> None:
    assert_type(items.get(Album.Key("A")), Album | None)
    assert_type(items.get(Track.Key("A", 1)), Track | None)
    assert_type(items.get_items(Track), list[Track])
    assert_type(items.missing, list[ItemKey[Any]])
    assert_type(len(items), int)
    assert_type(list(items), list[Item])
    assert_type(track in items, bool)
    items.get(title)  # error: arg-type
    items.get(track)  # error: arg-type
    items.get(Track)  # error: arg-type
    items.get_items(track)  # error: arg-type
    items.get_items(Track.Key)  # error: type-var
    items[Track.Key("A", 1)]  # error: index


def write_a_transaction(db: Db, track: Track, other: TransactionWriteSet, title: Track.TitleKey) -> None:
    key = Track.Key("A", 1)
    condition = attr(Track.title) == "x"
    writes = TransactionWriteSet().save(track).save(track, condition).create(track).put(track, condition)
    assert_type(writes, TransactionWriteSet)
    assert_type(writes.update(key, attr(Track.plays).add(1), condition=condition, if_version=2), TransactionWriteSet)
    assert_type(writes.update(key, attr(Track.title).set("x"), upsert=True), TransactionWriteSet)
    assert_type(writes.delete(track).delete_key(key).check_condition(key, condition), TransactionWriteSet)
    assert_type(writes.add_all(other).idempotency_token("order-1"), TransactionWriteSet)
    assert_type(writes.operations, tuple[Operation, ...])
    assert_type(writes.size, int)
    assert_type(db.transaction_write(writes), ItemSet)
    writes.save(key)  # error: arg-type
    writes.create(key)  # error: arg-type
    writes.put(key)  # error: arg-type
    writes.delete(key)  # error: arg-type
    writes.delete_key(track)  # error: arg-type
    writes.delete_key(title)  # error: arg-type
    writes.update(track, attr(Track.title).set("x"))  # error: arg-type
    writes.update(key, condition)  # error: arg-type
    writes.update(key, attr(Track.title).set("x"), condition)  # error: arg-type
    writes.check_condition(track, condition)  # error: arg-type
    writes.check_condition(title, condition)  # error: arg-type
    writes.check_condition(key)  # error: call-arg
    writes.check_condition(key, Track.title == "x")  # error: arg-type
    writes.check_condition(key, attr(Track.title) == 1)  # error: arg-type
    writes.save(track, track.title == "x")  # error: arg-type
    writes.create(track, condition)  # error: call-arg
    writes.increment(key, Track.plays)  # error: attr-defined
    writes.add_all([other])  # error: arg-type
    writes.idempotency_token(1)  # error: arg-type
    db.transaction_write(track)  # error: arg-type
    db.transaction_write(writes.operations)  # error: arg-type
    db.transaction_write(writes, idempotency_token="order-1")  # error: call-arg


def write_in_a_block(db: Db, track: Track) -> ItemSet:
    with db.transaction() as tx:
        assert_type(tx, TransactionWriteSet)
        tx.save(track)
    return db.transaction_write(tx)  # the block swallows nothing, so this is reached


def read_failures(canceled: TransactionCanceled) -> Item | None:
    assert_type(canceled.failures, list[OperationFailure])
    failure = canceled.failures[0]
    assert_type(failure.operation, Operation)
    assert_type(failure.operation.key, ItemKey[Any])
    assert_type(failure.operation.item, Item | None)
    assert_type(failure.index, int)
    assert_type(failure.code, str)
    assert_type(failure.error, LogicalDbError | None)
    failure.error.item  # error: union-attr
    if isinstance(failure.error, VersionConflict):
        assert_type(failure.error.expected, int)
    failure.index = 2  # error: misc
    return failure.operation.item


def load_batches(db: Db, keys: list[Track.Key], title: Track.TitleKey) -> None:
    key = Track.Key("A", 1)
    assert_type(db.batch_load(key, Album.Key("A"), consistent_read=True, max_page_size=10), ItemSet)
    assert_type(db.batch_load(keys, consistent_read=True), ItemSet)
    assert_type(db.batch_load_all(keys), Iterator[Track])
    assert_type(db.batch_load_all((Album.Key(token) for token in "AB"), consistent_read=True), Iterator[Album])
    db.batch_load(title)  # error
    db.batch_load([title])  # error
    db.batch_load(keys, True)  # error
    db.batch_load(Track.Key)  # error
    db.batch_load_all(key, key)  # error
    db.batch_load_all([title])  # error: arg-type
    db.batch_load_all(["A"])  # error: arg-type


def write_batches(db: Db, track: Track, album: Album, title: Track.TitleKey, incomplete: BatchIncomplete) -> None:
    key = Track.Key("A", 1)
    writes = BatchWriteSet().clobber(track, album).delete(key, Album.Key("A"))
    assert_type(writes, BatchWriteSet)
    assert_type(writes.size, int)
    result = db.batch_write(writes, max_page_size=10)
    assert_type(result, BatchWriteResult)
    assert_type(result.clobbered, list[Item])
    assert_type(result.deleted, list[ItemKey[Any]])
    assert_type(db.batch_write_all([track, album, key]), int)
    assert_type(db.batch_write_all(track.replace(number=number) for number in range(9)), int)
    db.batch_write_all(incomplete.unprocessed)
    BatchWriteSet().clobber(key)  # error: arg-type
    BatchWriteSet().clobber([track])  # error: arg-type
    BatchWriteSet().delete(track)  # error: arg-type
    BatchWriteSet().delete(title)  # error: arg-type
    BatchWriteSet().save(track)  # error: attr-defined
    db.batch_write(track)  # error: arg-type
    db.batch_write(TransactionWriteSet().save(track))  # error: arg-type
    db.batch_write_all(track)  # error: arg-type
    db.batch_write_all([title])  # error: list-item


class AddTracks(WritingPagerHandler[Track.Key]):
    finish_operations = 1

    def __init__(self, db: Db, album: Album) -> None:
        self.db = db
        self.album = album

    def each_page(self, proceed: Callable[[], None]) -> None:
        proceed()

    def before_page(self, remaining_updates: Sequence[Track.Key], max_transaction_items: int) -> int:
        return min(len(remaining_updates), max_transaction_items - 1)

    def item(self, writes: TransactionWriteSet, update: Track.Key) -> None:
        writes.check_condition(update, attr(Track.title).exists())

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Track.Key]) -> None:
        writes.save(self.album)

    def page_written(self, writes: TransactionWriteSet) -> None:
        assert_type(writes.size, int)


class Wrong(WritingPagerHandler[Track.Key]):
    def item(self, writes: TransactionWriteSet, update: Album.Key) -> None:  # error: override
        writes.delete_key(update)

    def before_page(self, remaining_updates: Sequence[Track.Key], max_transaction_items: int) -> None: ...  # error


class Unfinished(WritingPagerHandler[Track.Key]):
    finish_operations = 1


def write_pages(db: Db, keys: Iterable[Track.Key], album: Album, album_keys: list[Album.Key], track: Track) -> None:
    handler = AddTracks(db, album)
    pager = db.transaction_writing_pager(keys, handler, max_transaction_items=100, progress=album, progress_field="n")
    assert_type(pager, WritingPager[Track.Key])
    assert_type(pager.remaining_updates, Sequence[Track.Key])
    assert_type(pager.updated_count, int)
    pager.execute()
    db.transaction_writing_pager((Track.Key("A", number) for number in range(9)), handler)
    db.transaction_writing_pager(album_keys, handler)  # error
    db.transaction_writing_pager([track], handler)  # error
    db.transaction_writing_pager(keys, AddTracks)  # error: arg-type
    db.transaction_writing_pager(keys, handler, 25)  # error: call-arg
    db.transaction_writing_pager(keys, handler, progress=Album.Key("A"))  # error: arg-type
    Unfinished()  # error: abstract
    assert_type(db.save_all([track, album]), int)
    assert_type(db.save_all(track.replace(number=number) for number in range(9)), int)
    db.save_all(keys)  # error: arg-type
    db.save_all(track)  # error: arg-type
