"""A db that is awaited, as its users write it, on a boto3 client, an aiobotocore client and past both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import pytest

from logicaldb import (
    Async,
    AsyncDirectTransport,
    AsyncLogicalDb,
    AsyncWritingPagerHandler,
    BatchWriteSet,
    BeginsWith,
    CounterOutOfBounds,
    ItemAlreadyExists,
    TableName,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    attr,
)
from logicaldb.testing import LogicalDbFactory
from tests.acceptance.shop import DAY, Customer, Mark, Order, ReadingTable, ShopDb, ShopTable, order
from tests.modes import create_aio_client

KEY = Order.Key("anna", DAY, "1")


class AsyncShopDb(AsyncLogicalDb):
    """The shop, awaited."""

    shop: Annotated[ShopTable[Async], TableName("shop")]
    sensors: Annotated[ReadingTable[Async], TableName("sensors")]


class Marks(AsyncWritingPagerHandler[str]):
    """Makes marks, and counts them in an order."""

    finish_operations = 1

    def __init__(self, db: AsyncShopDb) -> None:
        self.db, self.pages = db, list[int]()

    async def each_page(self, proceed: Callable[[], Awaitable[None]]) -> None:
        await proceed()

    async def before_page(self, remaining_updates: Sequence[str], max_transaction_items: int) -> int:
        self.order = await self.db.load(KEY, consistent_read=True) or order()
        return len(remaining_updates)

    def item(self, writes: TransactionWriteSet, update: str) -> None:
        writes.create(Mark(customer="anna", name=update))

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[str]) -> None:
        writes.save(self.order.replace(lines=[*self.order.lines, *applied]))

    async def page_written(self, writes: TransactionWriteSet) -> None:
        self.pages.append(writes.size)


@asynccontextmanager
async def transport(kind: str, client: Any) -> AsyncGenerator[Any]:
    match kind:
        case "boto3":
            yield client
        case "aiobotocore":
            async with create_aio_client(client.meta.endpoint_url) as awaited:
                yield awaited
        case _:
            async with AsyncDirectTransport.from_client(client) as direct:
                yield direct


@pytest.mark.parametrize("kind", ["boto3", "aiobotocore", "direct"])
def test_all_of_it(local_client: Any, local_db: LogicalDbFactory, kind: str) -> None:
    tables = local_db(ShopDb)
    names = {"shop": tables.shop.table_name, "sensors": tables.sensors.table_name}

    async def use() -> None:
        async with transport(kind, local_client) as given:
            db = AsyncShopDb(given, table_name_resolver=lambda _, declared: names[declared])
            await everything(db)

    asyncio.run(use())


async def everything(db: AsyncShopDb) -> None:
    first = await db.save(order())
    assert await db.load(KEY) == await db.shop.orders.load(KEY, consistent_read=True) == first
    with pytest.raises(VersionConflict) as conflict:
        await db.save(order())
    assert conflict.value.item == first
    with pytest.raises(ItemAlreadyExists):
        await db.create(order())
    counts = await asyncio.gather(*(db.increment(KEY, Order.visits) for _ in range(20)))
    assert sorted(counts) == list(range(1, 21))
    with pytest.raises(CounterOutOfBounds):
        await db.increment(KEY, Order.visits, -21)
    changed = await db.update(KEY, attr(Order.lines).append(["x"]), if_version=1)
    assert (changed.lines, changed.version, changed.visits) == (["x"], 2, 20)
    results = await asyncio.gather(*(db.save(changed) for _ in range(5)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Order"] + ["VersionConflict"] * 4

    await db.batch_write(BatchWriteSet().clobber(*(Mark(customer="anna", name=f"{n:02}") for n in range(30))))
    marks, condition = db.shop.marks, BeginsWith(Mark.Key("anna"))
    expected = [f"{n:02}" for n in range(30)]
    assert [mark.name async for mark in marks.query_all_contents(condition, page_size=7)] == expected
    assert [len(page.contents) async for page in marks.query_all(condition, page_size=20)] == [20, 10]
    assert sorted([mark.name async for mark in marks.parallel_scan(3)]) == expected
    assert [mark.name async for mark in marks.query_all_contents(condition, asc=False, limit=2)] == ["29", "28"]
    assert await marks.count(condition) == 30
    page = await marks.query(condition, page_size=5)
    assert page.offset is not None
    token = marks.to_token(page.offset, condition, secret="s")
    following = await marks.query(condition, initial_offset=marks.from_token(token, condition, secret="s"), page_size=1)
    assert [mark.name for mark in following.contents] == ["05"]
    mixed = [type(item) async for item in db.shop.everything.query_all_contents(Customer.Key("anna"))]
    assert mixed == [Order]
    found = await db.batch_load([Mark.Key("anna", name) for name in expected])
    assert [mark.name for mark in found.get_items(Mark)] == expected
    assert len((await db.shop.raw.scan()).contents) == 31

    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is tested
        async with db.transaction() as tx:
            tx.delete_key(KEY)
            raise ZeroDivisionError
    async with db.transaction() as tx:
        tx.delete_key(KEY)
        for name in expected:
            tx.delete_key(Mark.Key("anna", name))
    assert (await db.transaction_load(KEY)).missing
    with pytest.raises(TransactionCanceled) as canceled:
        await db.transaction_write(TransactionWriteSet().delete(first).save(Mark(customer="anna", name="x")))
    assert [type(failure.error) for failure in canceled.value.failures] == [VersionConflict]

    handler = Marks(db)
    pager = db.transaction_writing_pager(iter(expected), handler, max_transaction_items=16)
    await pager.execute()
    assert (pager.updated_count, handler.pages) == (30, [16, 16])
    stored = await db.load(KEY)
    assert stored is not None
    assert stored.lines == expected
    with db.track_capacity() as capacity:
        await db.load(KEY)
        await db.delete(stored)
    assert (capacity.read, capacity.write >= 1, capacity.requests) == (0.5, True, 2)
