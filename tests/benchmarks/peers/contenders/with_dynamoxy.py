"""dynamoxy, whose core is in Rust: its models; it is awaited only."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import dynamoxy
from dynamoxy import Attr, Document, Model, field, partition_key, sort_key
from orders import PARTITION, TABLE, attributes
from worker import AwaitedCalls, serve


class Line(Document):
    product: Attr[str]
    quantity: Attr[int]
    price: Attr[Decimal]


class Order(Model, table=TABLE):
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    status: Attr[str]
    placed: Attr[date]
    total: Attr[Decimal]
    weight: Attr[int]
    note: Attr[str | None] = field(default=None)
    lines: Attr[list[Line]]


def made(number: int) -> Order:
    values = attributes(number)
    return Order(
        **{**values, "placed": date.fromisoformat(values["placed"]), "lines": [Line(**one) for one in values["lines"]]}
    )


async def open_awaited(stack: AsyncExitStack) -> AwaitedCalls:
    client = dynamoxy.Client(
        region="eu-central-1",
        endpoint_url=sys.argv[2],
        credentials=dynamoxy.Credentials("AKIDEXAMPLE", "secret"),
    )
    await stack.enter_async_context(client)
    orders = client.repository(Order)
    made_orders = [made(number) for number in range(101)]
    order = made_orders[1]

    async def transact() -> None:
        async with client.transaction() as writes:
            for one in made_orders[:25]:
                writes.put(one)

    async def query() -> Any:
        page = await orders.query(pk=PARTITION).where(Order.sk.begins_with("ORDER#")).page_size(100).page()
        return page.items

    return {
        "get": lambda: orders.get(order.pk, order.sk),
        "put": lambda: orders.put(order),
        "update": lambda: orders.update(
            Order.key(order.pk, order.sk), Order.status.set("sent"), Order.weight.set(1201)
        ),
        "query": query,
        "batch_get": lambda: orders.batch_get([(one.pk, one.sk) for one in made_orders[1:]]),
        "transact": transact,
        "batch_write": lambda: orders.batch_put(made_orders[:25]),
        "scan": lambda: orders.scan().all(),
    }


serve(None, open_awaited)
