"""What the mapper costs, beside plain boto3, as ratios of CPU time in one run.

    python -m tests.benchmarks.core

Answers are canned and come back before anything is sent (botocore's ``before-send``), so that what is measured is the
work of the process: mapping, botocore, signing; no network. The contenders take turns, and medians are compared.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from zlib import crc32

import boto3
import botocore
import pydantic
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from pydantic import BaseModel

import logicaldb
from logicaldb import (
    Attribute,
    BeginsWith,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
)

ROUNDS = 31
Contender = Callable[[], Any]


class Line(BaseModel):
    """A line of an order."""

    product: str
    quantity: int
    price: Decimal


class OrderRow(RawItem):
    """The row of the orders table."""

    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Order(Item):
    """About 1 kB: two keys, strings, numbers, a date, a list of ten small maps."""

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


class Orders(LogicalTable[OrderRow]):
    """The orders table."""

    orders: InlineView[Order.Key, Order]


class Shop(LogicalDb):
    """The database of the shop."""

    shop: Annotated[Orders, TableName("shop")]


class PlainOrder(BaseModel):
    """The same order as people write it without a mapper."""

    pk: str
    sk: str
    status: str
    placed: date
    total: Decimal
    weight: int
    note: str | None = None
    lines: list[Line]


ORDER = Order(
    customer="C-17",
    number="0001",
    status="paid",
    placed=date(2026, 11, 22),
    total=Decimal("249.90"),
    weight=1200,
    lines=[Line(product=f"Product number {n}", quantity=n + 1, price=Decimal("24.99")) for n in range(10)],
)
PLAIN = PlainOrder(pk="CUSTOMER#C-17", sk="ORDER#0001", **ORDER.model_dump(exclude={"customer", "number"}))


class Canned:
    """Answers every request of a client with the same body."""

    def __init__(self, client: Any) -> None:
        self.body = b"{}"
        client.meta.events.register_first("before-send.dynamodb", self._answer)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        raw = _Raw(self.body)
        headers: Any = {"content-type": "application/x-amz-json-1.0", "x-amz-crc32": str(crc32(self.body))}
        return AWSResponse(request.url, 200, headers, raw)


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: Any, **__: Any) -> Any:
        yield self._body


def make_client() -> Any:
    """A client as a user has it."""
    return boto3.client(
        "dynamodb",
        region_name="eu-central-1",
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",  # nothing is ever sent
        config=Config(),
    )


def measure(contenders: dict[str, Contender], repeat: int) -> dict[str, float]:
    """The median CPU time of each contender, in microseconds; they take turns."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        for _ in range(repeat):
            call()
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            begin = time.process_time()
            for _ in range(repeat):
                call()
            times[name].append((time.process_time() - begin) / repeat * 1e6)
    return {name: statistics.median(found) for name, found in times.items()}


def report(title: str, medians: dict[str, float], base: str) -> None:
    """Print the medians and their ratios to one of them."""
    print(f"\n{title}")
    for name, median in medians.items():
        print(f"  {name:<44}{median:>10.1f} µs{median / medians[base]:>8.2f}")


def main() -> None:
    """Run everything."""
    print(
        f"Python {sys.version.split()[0]}, boto3 {boto3.__version__}, botocore {botocore.__version__}, "
        f"pydantic {pydantic.VERSION}, logicaldb {logicaldb.__version__}; {ROUNDS} rounds, medians of CPU time"
    )
    serializer, deserializer = TypeSerializer(), TypeDeserializer()
    ours_client, plain_client = make_client(), make_client()
    ours, plain = Canned(ours_client), Canned(plain_client)
    orders = Shop(ours_client).shop.orders
    codec = Shop(ours_client).shop.codec(Order)
    row = codec.encode(ORDER)

    def naive_encode() -> dict[str, Any]:
        dumped = PLAIN.model_dump(exclude_none=True)
        dumped["placed"] = dumped["placed"].isoformat()
        return {name: serializer.serialize(value) for name, value in dumped.items()}

    def naive_decode(wire: dict[str, Any] = row) -> PlainOrder:
        return PlainOrder.model_validate({name: deserializer.deserialize(value) for name, value in wire.items()})

    assert codec.decode(row) == ORDER
    assert naive_decode() == PLAIN

    report(
        "Encode an item of 1 kB",
        measure({"logicaldb": lambda: codec.encode(ORDER), "TypeSerializer + model_dump": naive_encode}, 100),
        "TypeSerializer + model_dump",
    )
    report(
        "Decode it",
        measure({"logicaldb": lambda: codec.decode(row), "TypeDeserializer + model_validate": naive_decode}, 100),
        "TypeDeserializer + model_validate",
    )

    naive, dicts = "boto3 client + (de)serializer + pydantic", "boto3 client, plain dicts"
    ours.body = plain.body = json.dumps({"Item": row}).encode()
    plain_key = {"pk": row["pk"], "sk": row["sk"]}
    report(
        "load",
        measure(
            {
                "logicaldb": lambda: orders.load(Order.Key("C-17", "0001")),
                dicts: lambda: plain_client.get_item(TableName="shop", Key=plain_key)["Item"],
                naive: lambda: naive_decode(plain_client.get_item(TableName="shop", Key=plain_key)["Item"]),
            },
            20,
        ),
        naive,
    )
    ours.body = plain.body = b"{}"
    report(
        "put",
        measure(
            {
                "logicaldb": lambda: orders.put(ORDER),
                dicts: lambda: plain_client.put_item(TableName="shop", Item=row),
                naive: lambda: plain_client.put_item(TableName="shop", Item=naive_encode()),
            },
            20,
        ),
        naive,
    )
    ours.body = plain.body = json.dumps({"Items": [row] * 100, "Count": 100, "ScannedCount": 100}).encode()
    query = {
        "TableName": "shop",
        "KeyConditionExpression": "pk = :p AND begins_with(sk, :s)",
        "ExpressionAttributeValues": {":p": row["pk"], ":s": {"S": "ORDER#"}},
    }
    report(
        "query of 100",
        measure(
            {
                "logicaldb": lambda: orders.query(BeginsWith(Order.Key("C-17"))),
                dicts: lambda: plain_client.query(**query)["Items"],
                naive: lambda: [naive_decode(item) for item in plain_client.query(**query)["Items"]],
            },
            2,
        ),
        naive,
    )


if __name__ == "__main__":
    main()
