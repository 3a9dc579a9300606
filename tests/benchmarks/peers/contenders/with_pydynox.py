"""pydynox, whose core is in Rust: its models."""

from __future__ import annotations

import logging
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from orders import PARTITION, TABLE, attributes
from pydynox import (
    BatchWriter,
    DynamoDBClient,
    Model,
    ModelConfig,
    SyncBatchWriter,
    SyncTransaction,
    Transaction,
    set_default_client,
)
from pydynox.attributes import DecimalAttribute, ListAttribute, NumberAttribute, StringAttribute
from worker import AwaitedCalls, serve

client = DynamoDBClient(region="eu-central-1", access_key="AKIDEXAMPLE", secret_key="secret", endpoint_url=sys.argv[2])
set_default_client(client)
logging.getLogger("pydynox").setLevel(logging.ERROR)  # it tells every request of 64 tasks that it was slow


class Order(Model):
    model_config = ModelConfig(table=TABLE)

    pk = StringAttribute(partition_key=True)
    sk = StringAttribute(sort_key=True)
    status = StringAttribute()
    placed = StringAttribute()
    total = DecimalAttribute()
    weight = NumberAttribute()
    note = StringAttribute()
    lines = ListAttribute()


def plain(number: int) -> dict[str, Any]:
    """The attributes; numbers in lists are floats."""
    values = attributes(number)
    lines = [{**line, "price": float(line["price"])} for line in values["lines"]]
    return {**values, "lines": lines}


ORDERS = [Order(**plain(number)) for number in range(101)]
ORDER = ORDERS[1]
KEYS = [{"pk": order.pk, "sk": order.sk} for order in ORDERS[1:]]
QUERY: dict[str, Any] = {
    "partition_key": PARTITION,
    "sort_key_condition": Order.sk.begins_with("ORDER#"),
    "page_size": 100,
}


def transact() -> None:
    with SyncTransaction(client) as writes:
        for order in ORDERS[:25]:
            writes.put(TABLE, order.to_dict())


def batch_write() -> None:
    with SyncBatchWriter(client, TABLE) as batch:
        for order in ORDERS[:25]:
            batch.put(order.to_dict())


async def open_awaited(_: AsyncExitStack) -> AwaitedCalls:
    async def query() -> Any:
        return [order async for order in Order.query(**QUERY)]

    async def scan() -> Any:
        return [order async for order in Order.scan()]

    async def transact() -> None:
        async with Transaction(client) as writes:
            for order in ORDERS[:25]:
                writes.put(TABLE, order.to_dict())

    async def batch_write() -> None:
        async with BatchWriter(client, TABLE) as batch:
            for order in ORDERS[:25]:
                batch.put(order.to_dict())

    return {
        "get": lambda: Order.get(pk=ORDER.pk, sk=ORDER.sk),
        "put": ORDER.save,
        "update": lambda: Order.update_by_key(pk=ORDER.pk, sk=ORDER.sk, status="sent", weight=1201),
        "query": query,
        "batch_get": lambda: Order.batch_get(KEYS),
        "transact": transact,
        "batch_write": batch_write,
        "scan": scan,
    }


serve(
    {
        "get": lambda: Order.sync_get(pk=ORDER.pk, sk=ORDER.sk),
        "put": ORDER.sync_save,
        "update": lambda: Order.sync_update_by_key(pk=ORDER.pk, sk=ORDER.sk, status="sent", weight=1201),
        "query": lambda: list(Order.sync_query(**QUERY)),
        "batch_get": lambda: Order.sync_batch_get(KEYS),
        "transact": transact,
        "batch_write": batch_write,
        "scan": lambda: sum(1 for _ in Order.sync_scan()),
    },
    open_awaited,
)
