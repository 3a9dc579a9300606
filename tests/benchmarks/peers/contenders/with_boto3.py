"""Plain boto3: ``naive`` (client, its converters, pydantic), ``dicts`` (client, wire form), ``table`` (resource, pydantic)."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3
from boto3.dynamodb.conditions import Key
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from orders import PARTITION, TABLE, attributes, row
from pydantic import BaseModel
from worker import AwaitedCalls, Calls, serve


class Line(BaseModel):
    """A line of an order."""

    product: str
    quantity: int
    price: Decimal


class Order(BaseModel):
    """An order, as people write it without a mapper."""

    pk: str
    sk: str
    status: str
    placed: date
    total: Decimal
    weight: int
    note: str | None = None
    lines: list[Line]


ORDERS = [Order(**attributes(number)) for number in range(101)]
ORDER = ORDERS[1]
KEYS = [{"pk": order.pk, "sk": order.sk} for order in ORDERS]
_serialize, _deserialize = TypeSerializer().serialize, TypeDeserializer().deserialize


def stored(order: Order) -> dict[str, Any]:
    """What boto3 stores of an order."""
    return {**order.model_dump(exclude_none=True), "placed": order.placed.isoformat()}


def to_wire(order: Order) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in stored(order).items()}


def from_wire(wire: dict[str, Any]) -> Order:
    return Order.model_validate({name: _deserialize(value) for name, value in wire.items()})


UPDATE = {
    "UpdateExpression": "SET #s = :s, #w = :w",
    "ExpressionAttributeNames": {"#s": "status", "#w": "weight"},
    "ReturnValues": "ALL_NEW",
}
ROW = row(1)
TEXT = json.dumps({"Item": ROW}).encode()


def naive(client: Any) -> Calls:
    keys = [{name: _serialize(value) for name, value in key.items()} for key in KEYS]

    def scan() -> int:
        count = 0
        for page in client.get_paginator("scan").paginate(TableName=TABLE):
            count += len([from_wire(wire) for wire in page["Items"]])
        return count

    return {
        "get": lambda: from_wire(client.get_item(TableName=TABLE, Key=keys[1])["Item"]),
        "put": lambda: client.put_item(TableName=TABLE, Item=to_wire(ORDER)),
        "update": lambda: from_wire(
            client.update_item(
                TableName=TABLE,
                Key=keys[1],
                ExpressionAttributeValues={":s": _serialize("sent"), ":w": _serialize(1201)},
                **UPDATE,
            )["Attributes"]
        ),
        "query": lambda: [
            from_wire(wire)
            for wire in client.query(
                TableName=TABLE,
                KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
                ExpressionAttributeValues={":p": _serialize(PARTITION), ":s": _serialize("ORDER#")},
                Limit=100,
            )["Items"]
        ],
        "batch_get": lambda: [
            from_wire(wire)
            for wire in client.batch_get_item(
                RequestItems={
                    TABLE: {"Keys": [{name: _serialize(value) for name, value in key.items()} for key in KEYS[1:]]}
                }
            )["Responses"][TABLE]
        ],
        "transact": lambda: client.transact_write_items(
            TransactItems=[{"Put": {"TableName": TABLE, "Item": to_wire(order)}} for order in ORDERS[:25]]
        ),
        "batch_write": lambda: client.batch_write_item(
            RequestItems={TABLE: [{"PutRequest": {"Item": to_wire(order)}} for order in ORDERS[:25]]}
        ),
        "scan": scan,
    }


CODEC: Calls = {
    "encode": lambda: json.dumps({"TableName": TABLE, "Item": to_wire(ORDER)}),
    "decode row": lambda: from_wire(ROW),
    "decode JSON": lambda: from_wire(json.loads(TEXT)["Item"]),
}


def dicts(client: Any) -> Calls:
    rows = [row(number) for number in range(101)]
    keys = [{name: one[name] for name in ("pk", "sk")} for one in rows]
    return {
        "get": lambda: client.get_item(TableName=TABLE, Key=keys[1])["Item"],
        "put": lambda: client.put_item(TableName=TABLE, Item=rows[1]),
        "update": lambda: client.update_item(
            TableName=TABLE, Key=keys[1], ExpressionAttributeValues={":s": {"S": "sent"}, ":w": {"N": "1201"}}, **UPDATE
        )["Attributes"],
        "query": lambda: client.query(
            TableName=TABLE,
            KeyConditionExpression="pk = :p AND begins_with(sk, :s)",
            ExpressionAttributeValues={":p": {"S": PARTITION}, ":s": {"S": "ORDER#"}},
            Limit=100,
        )["Items"],
        "batch_get": lambda: client.batch_get_item(RequestItems={TABLE: {"Keys": keys[1:]}})["Responses"][TABLE],
        "transact": lambda: client.transact_write_items(
            TransactItems=[{"Put": {"TableName": TABLE, "Item": one}} for one in rows[:25]]
        ),
        "batch_write": lambda: client.batch_write_item(
            RequestItems={TABLE: [{"PutRequest": {"Item": one}} for one in rows[:25]]}
        ),
        "scan": lambda: sum(len(page["Items"]) for page in client.get_paginator("scan").paginate(TableName=TABLE)),
    }


def table(url: str) -> Calls:
    resource: Any = boto3.resource("dynamodb", endpoint_url=url)
    orders = resource.Table(TABLE)

    def batch_write() -> None:
        with orders.batch_writer() as batch:
            for order in ORDERS[:25]:
                batch.put_item(Item=stored(order))

    def scan() -> int:
        count, start = 0, {}
        while True:
            page = orders.scan(**start)
            count += len([Order.model_validate(item) for item in page["Items"]])
            if "LastEvaluatedKey" not in page:
                return count
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    return {
        "get": lambda: Order.model_validate(orders.get_item(Key=KEYS[1])["Item"]),
        "put": lambda: orders.put_item(Item=stored(ORDER)),
        "update": lambda: Order.model_validate(
            orders.update_item(Key=KEYS[1], ExpressionAttributeValues={":s": "sent", ":w": 1201}, **UPDATE)[
                "Attributes"
            ]
        ),
        "query": lambda: [
            Order.model_validate(item)
            for item in orders.query(
                KeyConditionExpression=Key("pk").eq(PARTITION) & Key("sk").begins_with("ORDER#"), Limit=100
            )["Items"]
        ],
        "batch_get": lambda: [
            Order.model_validate(item)
            for item in resource.batch_get_item(RequestItems={TABLE: {"Keys": KEYS[1:]}})["Responses"][TABLE]
        ],
        "transact": lambda: resource.meta.client.transact_write_items(
            TransactItems=[{"Put": {"TableName": TABLE, "Item": stored(order)}} for order in ORDERS[:25]]
        ),
        "batch_write": batch_write,
        "scan": scan,
    }


async def in_threads(calls: Calls) -> AwaitedCalls:
    """What people do who have boto3 and an event loop."""

    def awaited(call: Any) -> Any:
        return lambda: asyncio.to_thread(call)

    return {name: awaited(call) for name, call in calls.items()}


if __name__ == "__main__":
    kind, url = sys.argv[1:]
    client: Any = boto3.client("dynamodb", endpoint_url=url)
    if kind == "naive":
        calls = naive(client)
        serve(calls, lambda _: in_threads(calls), CODEC)
    else:
        serve(dicts(client) if kind == "dicts" else table(url))
