"""logicaldb: on a boto3 ``client`` as users have it, on one it makes itself (``own``), ``direct``; and where it is awaited,
on a boto3 client and threads (``client``), on ``aiobotocore``, ``direct``."""

from __future__ import annotations

import json
import sys
from contextlib import AsyncExitStack
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3
from orders import CUSTOMER, TABLE, order, row
from pydantic import BaseModel
from worker import AwaitedCalls, Calls, serve

import logicaldb
from logicaldb import (
    Async,
    AsyncLogicalDb,
    Attribute,
    BatchWriteSet,
    BeginsWith,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    M,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    TransactionWriteSet,
    attr,
)


class Line(BaseModel):
    """A line of an order."""

    product: str
    quantity: int
    price: Decimal


class ShopItem(RawItem):
    """A row of the shop."""

    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Order(Item):
    """An order."""

    customer: Annotated[str, Attribute("pk", prefix="CUSTOMER#")]
    number: Annotated[str, Attribute("sk", prefix="ORDER#")]
    status: str
    placed: date
    total: Decimal
    weight: int
    note: str | None = None
    lines: list[Line]

    class Key(ItemKey["Order"]):
        """The key of an order."""

        customer: str
        number: str | None = None


class ShopTable(LogicalTable[ShopItem, M]):
    """The table of the shop."""

    orders: InlineView[Order.Key, Order]


class ShopDb(LogicalDb):
    """The database of the shop."""

    shop: Annotated[ShopTable, TableName(TABLE)]


class AsyncShopDb(AsyncLogicalDb):
    """The database of the shop, awaited."""

    shop: Annotated[ShopTable[Async], TableName(TABLE)]


ORDERS = [Order(**order(number)) for number in range(101)]
ORDER = ORDERS[1]


def workloads(db: Any) -> dict[str, Any]:
    """What does the same in both modes: the methods are called, or what they give is awaited."""
    orders = db.shop.orders
    key = Order.Key(CUSTOMER, "0001")
    return {
        "get": lambda: orders.load(key),
        "put": lambda: orders.put(ORDER),
        "update": lambda: orders.update(key, attr(Order.status).set("sent"), attr(Order.weight).set(1201)),
        "query": lambda: orders.query(BeginsWith(Order.Key(CUSTOMER))),
        "batch_get": lambda: db.batch_load([Order.Key(CUSTOMER, one.number) for one in ORDERS[1:]]),
        "transact": lambda: db.transaction_write(_transaction()),
        "batch_write": lambda: db.batch_write(BatchWriteSet().clobber(*ORDERS[:25])),
    }


def _transaction() -> TransactionWriteSet:
    writes = TransactionWriteSet()
    for one in ORDERS[:25]:
        writes.put(one)
    return writes


def blocking(db: ShopDb) -> Calls:
    orders = db.shop.orders
    return {**workloads(db), "scan": lambda: sum(1 for _ in orders.scan_all_contents(page_size=1_000))}


def codec() -> Calls:
    schema = ShopTable.__logicaldb_table__.schema.of_type(Order)
    stored = row(1)
    text = json.dumps({"Item": stored}).encode()
    return {
        "encode": lambda: '{"TableName":"shop","Item":' + schema.text(ORDER)[2] + "}",
        "decode row": lambda: schema.decode(stored),
        "decode JSON": lambda: schema.reader.item(text)["Item"],
    }


async def awaited(kind: str, url: str, stack: AsyncExitStack) -> AwaitedCalls:
    client: Any
    if kind == "aiobotocore":
        from aiobotocore.session import get_session

        client = await stack.enter_async_context(get_session().create_client("dynamodb", endpoint_url=url))
    else:
        client = boto3.client("dynamodb", endpoint_url=url)
        if kind == "direct":
            client = logicaldb.AsyncDirectTransport.from_client(client)
    db = AsyncShopDb(client)

    async def scan() -> int:
        return len([one async for one in db.shop.orders.scan_all_contents(page_size=1_000)])

    return {**workloads(db), "scan": scan}


if __name__ == "__main__":
    kind, url = sys.argv[1:]
    if kind == "aiobotocore":
        serve(None, partial(awaited, kind, url))
    elif kind == "own":  # AWS_ENDPOINT_URL_DYNAMODB names the endpoint
        serve(blocking(ShopDb()))
    else:
        given: Any = boto3.client("dynamodb", endpoint_url=url)
        db = ShopDb(logicaldb.DirectTransport.from_client(given) if kind == "direct" else given)
        serve(blocking(db), partial(awaited, kind, url), codec() if kind == "client" else None)
