"""A logical database that is awaited: its declaration, and that each method does what its blocking twin does."""

# What is wrong here is wrong on purpose.
# pyright: reportUnusedClass=false, reportCallIssue=false, reportArgumentType=false, reportInvalidTypeArguments=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any
from uuid import uuid4

import pytest

from logicaldb import (
    AmbiguousWrite,
    Async,
    AsyncLogicalDb,
    AsyncWritingPagerHandler,
    Attribute,
    BatchWriteSet,
    BeginsWith,
    ConditionFailed,
    Counter,
    DeclarationError,
    InlineView,
    Item,
    ItemAlreadyExists,
    ItemCollection,
    ItemKey,
    LogicalDb,
    LogicalDbError,
    LogicalTable,
    M,
    Page,
    PartitionKey,
    RawItem,
    SortKey,
    Sync,
    TableName,
    TransactionCanceled,
    TransactionWriteSet,
    attr,
)
from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.pager import SaveItems
from logicaldb.pager_async import AsyncSaveItems
from logicaldb.testing import in_process_dynamodb
from tests.engines import record
from tests.modes import on_a_loop


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Track(Item):
    album: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="TRACK_", width=4)]
    title: str = ""
    plays: Annotated[int, Counter()] = 0
    earned: Annotated[Decimal, Counter()] = Decimal(0)

    class Key(ItemKey["Track"]):
        album: str
        number: int | None = None


class Table(LogicalTable[Row, M]):
    tracks: InlineView[Track.Key, Track]
    albums: ItemCollection[Track.Key, Track]


class Blocking(LogicalTable[Row]):
    tracks: InlineView[Track.Key, Track]


class Db(AsyncLogicalDb):
    table: Annotated[Table[Async], TableName("rows")]


@pytest.fixture
def db() -> Iterator[Db]:
    with in_process_dynamodb() as client:
        db = Db(client)
        assert asyncio.run(db.create_tables()) == ["rows"]
        yield db


KEY = Track.Key("A", 1)
ALL = BeginsWith(Track.Key("A"))


def track(number: int, title: str = "", **fields: Any) -> Track:
    return Track(album="A", number=number, title=title, **fields)


async def listed(values: AsyncIterator[Any]) -> list[Any]:
    return [value async for value in values]


# Declarations


def test_the_tables_of_a_db_that_is_awaited_are() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(AsyncLogicalDb):
            table: Annotated[Table, TableName("rows")]

    assert str(error.value) == ("Wrong.table: Table is synchronous here, and AsyncLogicalDb is not; write Table[Async]")
    with pytest.raises(DeclarationError) as written:

        class Written(AsyncLogicalDb):
            table: Annotated[Table[Sync], TableName("rows")]

    assert str(written.value) == (
        "Written.table: Table is synchronous here, and AsyncLogicalDb is not; write Table[Async]"
    )


def test_the_tables_of_a_db_that_blocks_do() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(LogicalDb):
            table: Annotated[Table[Async], TableName("rows")]

    assert str(error.value) == "Wrong.table: Table is asynchronous here, and LogicalDb is not; write Table"


def test_a_table_without_a_mode_takes_none() -> None:
    with pytest.raises(DeclarationError) as error:
        Blocking[Async]  # type: ignore[misc]
    assert str(error.value) == ("Blocking: takes no mode; derive it from LogicalTable[..., M] to write Blocking[Async]")
    with pytest.raises(DeclarationError) as where:

        class Wrong(AsyncLogicalDb):
            table: Annotated[Blocking, TableName("rows")]

    assert str(where.value) == (
        "Wrong.table: Blocking is declared with the mode Sync, and AsyncLogicalDb has the other; "
        "declare it with M, which takes both"
    )


def test_a_mode_may_be_fixed() -> None:
    class Fixed(Table[Async]):
        """A table of the asynchronous mode alone."""

    class Right(AsyncLogicalDb):
        table: Annotated[Fixed, TableName("rows")]

    assert "table" in Right.__logicaldb_tables__
    with pytest.raises(DeclarationError) as error:

        class Wrong(LogicalDb):
            table: Annotated[Fixed, TableName("rows")]

    assert str(error.value) == (
        "Wrong.table: Fixed is declared with the mode Async, and LogicalDb has the other; declare it with M, which takes both"
    )


NO_MODE: Any = Table.__class_getitem__(int)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def test_what_is_no_mode() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(AsyncLogicalDb):
            table: Annotated[NO_MODE, TableName("rows")]  # pyright: ignore[reportInvalidTypeForm]

    assert str(error.value) == "Wrong.table: int is no mode; write Table[Async]"


def test_a_table_has_a_name() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(AsyncLogicalDb):
            table: Table[Async]

    assert str(error.value) == ('Wrong.table: has no table name; write Annotated[Table[Async], TableName("...")]')


def test_a_table_is_not_called_like_a_method() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(Db):
            save_all: Annotated[Table[Async], TableName("rows")]  # type: ignore[assignment]

    assert str(error.value) == "Wrong.save_all: is the name of a method of AsyncLogicalDb; call the table otherwise"


def test_one_declaration_serves_both_modes_with_names_of_their_own() -> None:
    class Both(LogicalDb):
        table: Annotated[Table, TableName("others")]

    with in_process_dynamodb() as client:
        assert Both(client).table.table_name == "others"
        resolved = Db(client, table_name_resolver=lambda table, declared: f"{table.__name__}-{declared}")
        assert resolved.table.table_name == "Table-rows"
        with pytest.raises(TypeError) as error:
            Db(client, table_name_resolver=lambda *_: "")
    assert str(error.value) == "table_name_resolver gives '' for Table; a table name is due"


# Methods


@on_a_loop
async def test_one_item(db: Db) -> None:
    views: list[Any] = [db, db.table.tracks]
    for where in views:
        assert await where.load(KEY) is None
        assert await where.create(track(1)) == track(1)
        with pytest.raises(ItemAlreadyExists) as error:
            await where.create(track(1, "again"))
        assert error.value.item == track(1)
        assert await where.save(track(1, "a")) == track(1, "a")
        assert await where.put(track(1, "b"), attr(Track.title) == "a") == track(1, "b")
        assert await where.update(KEY, attr(Track.title).set("c"), idempotency_token=uuid4().hex) == track(1, "c")
        assert await where.increment(KEY, Track.plays, 2) == 2
        assert await where.increment(KEY, Track.earned, Decimal("0.5")) == Decimal("0.5")
        stored = track(1, "c", plays=2, earned=Decimal("0.5"))
        assert await where.load(KEY, consistent_read=True) == stored
        with pytest.raises(ConditionFailed):
            await where.delete(stored, attr(Track.title) == "x")
        assert await where.delete(stored) == stored
        assert await where.delete_key(KEY) is None


@on_a_loop
async def test_queries_and_scans(db: Db) -> None:
    tracks = [track(number) for number in range(5)]
    assert await db.save_all(tracks) == 5
    view = db.table.tracks
    assert (await view.query(ALL, page_size=2)).contents == tracks[:2]
    assert [len(page.contents) for page in await listed(view.query_all(ALL, page_size=2))] == [2, 2, 1]
    assert await listed(view.query_all_contents(ALL, page_size=2, limit=3)) == tracks[:3]
    assert await view.count(ALL) == 5
    assert len((await view.scan(page_size=3)).contents) == 3
    assert [len(page.contents) for page in await listed(view.scan_all(page_size=3))] == [3, 2]
    assert len(await listed(view.scan_all_contents(limit=4))) == 4
    found = await listed(view.parallel_scan(3, page_size=2))
    assert sorted(found, key=lambda item: item.number) == tracks
    albums = db.table.albums
    assert (await albums.query(Track.Key("A"), page_size=2)).contents == tracks[:2]
    assert [len(page.contents) for page in await listed(albums.query_all(Track.Key("A"), page_size=4))] == [4, 1]
    assert await listed(albums.query_all_contents(Track.Key("A"), limit=2)) == tracks[:2]


@on_a_loop
async def test_what_is_lazy_sends_nothing_and_is_checked_at_once(db: Db) -> None:
    with pytest.raises(ValueError, match="total_segments"):
        db.table.tracks.parallel_scan(0)
    with record(db) as requests:
        made = [db.table.tracks.query_all(ALL), db.table.tracks.parallel_scan(2), db.batch_load_all([KEY])]
        await asyncio.sleep(0)
        assert requests == []
        assert [await listed(values) for values in made] == [[Page([], None)], [], []]


@on_a_loop
async def test_raw_rows(db: Db) -> None:
    raw, key, row = db.table.raw, Row(pk="A", sk="x"), Row.model_validate({"pk": "A", "sk": "x", "n": 1})
    assert await raw.load(key) is None
    await raw.put(row)
    assert await raw.load(key, consistent_read=True) == row
    assert (await raw.scan()).contents == [row]
    assert await listed(raw.scan_all_contents()) == [row]
    assert await raw.delete(key) == row


@on_a_loop
async def test_transactions(db: Db) -> None:
    written = await db.transaction_write(TransactionWriteSet().save(track(1)).create(track(2)))
    assert list(written) == [track(2)]  # what is saved has a count that only the service knows
    async with db.transaction() as writes:
        writes.update(KEY, attr(Track.title).set("new")).save(track(3))
    keys = [Track.Key("A", number) for number in range(1, 5)]
    for loaded in (await db.transaction_load(keys), await db.transaction_load(*keys)):
        assert list(loaded) == [track(1, "new"), track(2), track(3)]
        assert loaded.missing == keys[3:]
    with pytest.raises(TransactionCanceled):
        async with db.transaction() as writes:
            writes.create(track(1)).save(track(4))
    with suppress(LookupError):
        async with db.transaction() as writes:
            writes.save(track(4))
            raise LookupError
    assert await db.load(keys[3]) is None


@on_a_loop
async def test_batches(db: Db) -> None:
    tracks = [track(number) for number in range(60)]
    keys = [Track.Key.of(one) for one in tracks]
    result = await db.batch_write(BatchWriteSet().clobber(*tracks[:30]))
    assert (result.clobbered, result.deleted) == (tracks[:30], [])
    assert await db.batch_write_all(iter(tracks[30:])) == 30
    assert list(await db.batch_load(keys)) == tracks
    assert list(await db.batch_load(*keys[:3])) == tracks[:3]
    assert await listed(db.batch_load_all(iter(keys))) == tracks


class Count(AsyncWritingPagerHandler[int]):
    """Counts numbers in the rows of tracks."""

    def item(self, writes: TransactionWriteSet, update: int) -> None:
        writes.update(Track.Key("A", update), attr(Track.plays).add(1), upsert=True)


class Log(Count):
    """Awaits in each hook."""

    def __init__(self, db: Db) -> None:
        self.db = db
        self.calls: list[Any] = []

    async def each_page(self, proceed: Callable[[], Awaitable[None]]) -> None:
        self.calls.append("each_page")
        await asyncio.sleep(0)
        for _ in range(3):
            await proceed()  # writes the next page, where there is one

    async def before_page(self, remaining_updates: Sequence[int], max_transaction_items: int) -> int:
        await self.db.load(KEY)
        self.calls.append(("before_page", len(remaining_updates), max_transaction_items))
        return await super().before_page(remaining_updates, max_transaction_items)

    async def page_written(self, writes: TransactionWriteSet) -> None:
        await asyncio.sleep(0)
        self.calls.append(("page_written", writes.size))


@on_a_loop
async def test_a_pager(db: Db) -> None:
    handler = Log(db)
    pager = db.transaction_writing_pager(range(5), handler, max_transaction_items=3)
    assert (pager.updated_count, list(pager.remaining_updates)) == (0, [0, 1, 2, 3, 4])
    await pager.execute()
    assert (pager.updated_count, list(pager.remaining_updates)) == (5, [])
    assert handler.calls == [
        "each_page",
        ("before_page", 5, 3),
        ("page_written", 3),
        ("before_page", 2, 3),
        ("page_written", 2),
    ]
    counts = {item.number: item.plays async for item in db.table.tracks.query_all_contents(ALL)}
    assert counts == dict.fromkeys(range(5), 1)
    await pager.execute()
    assert len(handler.calls) == 5


@on_a_loop
async def test_a_pager_goes_on_after_a_failure(db: Db) -> None:
    class Failing(Log):
        failing = True

        async def page_written(self, writes: TransactionWriteSet) -> None:
            if self.failing:
                raise LookupError("no")

        async def each_page(self, proceed: Callable[[], Awaitable[None]]) -> None:
            await proceed()

    handler = Failing(db)
    pager = db.transaction_writing_pager(range(5), handler, max_transaction_items=3)
    with pytest.raises(LookupError):
        await pager.execute()
    assert pager.updated_count == 3
    handler.failing = False
    await pager.execute()
    counts = {item.number: item.plays async for item in db.table.tracks.query_all_contents(ALL)}
    assert counts == dict.fromkeys(range(5), 1)


@on_a_loop
async def test_a_page_whose_answer_is_lost_is_sent_again_as_it_was(db: Db) -> None:
    class Losing:
        """Every other answer of a transaction is lost."""

        tokens: list[str] = []

        async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
            answer = await transport.send(operation, table, body, repeatable=repeatable)
            if operation == "TransactWriteItems":
                self.tokens.append(json.loads(body)["ClientRequestToken"])
                if len(self.tokens) % 2:
                    raise Unanswered(ConnectionError("lost"))
            return answer

    transport = db._transport
    db._transport = losing = Losing()
    handler = Log(db)
    pager = db.transaction_writing_pager(range(5), handler, max_transaction_items=3)
    for _ in range(2):
        with pytest.raises(AmbiguousWrite):
            await pager.execute()
    await pager.execute()
    assert [losing.tokens[place] for place in (0, 2)] == [losing.tokens[place] for place in (1, 3)]
    assert len(set(losing.tokens)) == 2
    assert pager.updated_count == 5
    counts = {item.number: item.plays async for item in db.table.tracks.query_all_contents(ALL)}
    assert counts == dict.fromkeys(range(5), 1)


@on_a_loop
async def test_a_page_that_was_cancelled_stays_even_if_the_service_refuses_it_then(db: Db) -> None:
    """It may have been written, and is not made anew before that is known."""
    tokens: list[str] = []

    class Failing:
        async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
            tokens.append(json.loads(body)["ClientRequestToken"])
            if len(tokens) == 2:
                raise ServiceFailure("AccessDeniedException", {}, PermissionError("denied"))
            answer = await transport.send(operation, table, body, repeatable=repeatable)
            if len(tokens) == 1:
                written.set()
                await asyncio.Event().wait()
            return answer

    transport, written = db._transport, asyncio.Event()
    db._transport = Failing()
    pager = db.transaction_writing_pager([1], Count())
    running = asyncio.create_task(pager.execute())
    await written.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert pager.updated_count == 0
    with pytest.raises(AmbiguousWrite):
        await pager.execute()
    await pager.execute()
    assert (len(tokens), len(set(tokens)), pager.updated_count) == (3, 1, 1)
    assert [item.plays async for item in db.table.tracks.query_all_contents(ALL)] == [1]


@on_a_loop
async def test_save_all_tells_how_many_are_saved(db: Db) -> None:
    def items() -> Iterator[Track]:
        yield from map(track, range(3))
        raise LookupError("no")

    with pytest.raises(LookupError) as error:
        await db.save_all(items(), max_transaction_items=2)
    assert error.value.__notes__ == ["save_all: the first 3 items are saved"]


@on_a_loop
async def test_a_handler_is_of_the_mode_of_its_db(db: Db) -> None:
    with pytest.raises(TypeError) as error:
        db.transaction_writing_pager([track(1)], SaveItems())  # type: ignore[arg-type]
    assert str(error.value) == "the handler of this writing pager should be of AsyncWritingPagerHandler, not SaveItems"


def test_a_handler_that_is_awaited_is_none_of_a_db_that_blocks() -> None:
    class Plain(LogicalDb):
        table: Annotated[Table, TableName("rows")]

    with in_process_dynamodb() as client, pytest.raises(TypeError) as error:
        Plain(client).transaction_writing_pager([track(1)], AsyncSaveItems())  # type: ignore[arg-type]
    assert str(error.value) == "the handler of this writing pager should be of WritingPagerHandler, not AsyncSaveItems"


@pytest.mark.parametrize("method", ["each_page", "before_page", "page_written"])
@on_a_loop
async def test_a_hook_that_is_no_coroutine_is_refused(db: Db, method: str) -> None:
    handler = type("Wrong", (Count,), {method: lambda *_: 1})()
    with pytest.raises(TypeError) as error:
        await db.transaction_writing_pager([1], handler).execute()
    assert str(error.value) == f"Wrong.{method} should be a coroutine here: async def {method}(...)"


@on_a_loop
async def test_one_task_at_a_time(db: Db) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Count):
        async def before_page(self, remaining_updates: Sequence[int], max_transaction_items: int) -> int:
            begun.set()
            await go_on.wait()
            return 1

    pager = db.transaction_writing_pager([1, 2], Slow())
    running = asyncio.create_task(pager.execute())
    await begun.wait()
    with pytest.raises(LogicalDbError) as error:
        await pager.execute()
    assert str(error.value) == "the writing pager is being executed already, by another thread or task"
    go_on.set()
    await running
    assert pager.updated_count == 2
