"""aioboto3, which is aiobotocore underneath: its table resource, with pydantic."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import aioboto3
from boto3.dynamodb.conditions import Key
from orders import PARTITION, TABLE
from with_boto3 import KEYS, ORDER, ORDERS, UPDATE, Order, stored
from worker import AwaitedCalls, serve


async def open_awaited(stack: AsyncExitStack) -> AwaitedCalls:
    resource: Any = await stack.enter_async_context(aioboto3.Session().resource("dynamodb", endpoint_url=sys.argv[2]))
    orders = await resource.Table(TABLE)

    async def get() -> Order:
        return Order.model_validate((await orders.get_item(Key=KEYS[1]))["Item"])

    async def update() -> Order:
        answer = await orders.update_item(Key=KEYS[1], ExpressionAttributeValues={":s": "sent", ":w": 1201}, **UPDATE)
        return Order.model_validate(answer["Attributes"])

    async def query() -> list[Order]:
        condition = Key("pk").eq(PARTITION) & Key("sk").begins_with("ORDER#")
        answer = await orders.query(KeyConditionExpression=condition, Limit=100)
        return [Order.model_validate(item) for item in answer["Items"]]

    async def batch_get() -> list[Order]:
        answer = await resource.batch_get_item(RequestItems={TABLE: {"Keys": KEYS[1:]}})
        return [Order.model_validate(item) for item in answer["Responses"][TABLE]]

    async def batch_write() -> None:
        async with orders.batch_writer() as batch:
            for order in ORDERS[:25]:
                await batch.put_item(Item=stored(order))

    return {
        "get": get,
        "put": lambda: orders.put_item(Item=stored(ORDER)),
        "update": update,
        "query": query,
        "batch_get": batch_get,
        "transact": lambda: resource.meta.client.transact_write_items(
            TransactItems=[{"Put": {"TableName": TABLE, "Item": stored(order)}} for order in ORDERS[:25]]
        ),
        "batch_write": batch_write,
    }


serve(None, open_awaited)
