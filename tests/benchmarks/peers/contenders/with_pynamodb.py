"""PynamoDB."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from orders import PARTITION, TABLE, attributes, row
from pynamodb.attributes import ListAttribute, MapAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite
from worker import serve


class Line(MapAttribute):
    product = UnicodeAttribute()
    quantity = NumberAttribute()
    price = NumberAttribute()


class Order(Model):
    class Meta:
        table_name = TABLE
        host = sys.argv[2]
        region = "eu-central-1"

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute()
    placed = UnicodeAttribute()
    total = NumberAttribute()
    weight = NumberAttribute()
    note = UnicodeAttribute(null=True)
    lines = ListAttribute(of=Line)


def plain(number: int) -> dict[str, Any]:
    """The attributes; its numbers are floats."""
    values = attributes(number)
    lines = [Line(**{**line, "price": float(line["price"])}) for line in values["lines"]]
    return {**values, "total": float(values["total"]), "lines": lines}


ORDERS = [Order(**plain(number)) for number in range(101)]
ORDER = ORDERS[1]
ROW = row(1)
TEXT = json.dumps({"Item": ROW}).encode()
connection = Connection(region="eu-central-1", host=sys.argv[2])


def transact() -> None:
    with TransactWrite(connection=connection) as transaction:
        for order in ORDERS[:25]:
            transaction.save(order)


def batch_write() -> None:
    with Order.batch_write() as batch:
        for order in ORDERS[:25]:
            batch.save(order)


serve(
    {
        "get": lambda: Order.get(ORDER.pk, ORDER.sk),
        "put": ORDER.save,
        "update": lambda: ORDER.update(actions=[Order.status.set("sent"), Order.weight.set(1201)]),
        "query": lambda: list(Order.query(PARTITION, Order.sk.startswith("ORDER#"), limit=100)),
        "batch_get": lambda: list(Order.batch_get([(order.pk, order.sk) for order in ORDERS[1:]])),
        "transact": transact,
        "batch_write": batch_write,
        "scan": lambda: sum(1 for _ in Order.scan()),
    },
    codec={
        "encode": lambda: json.dumps({"TableName": TABLE, "Item": ORDER.serialize()}),
        "decode row": lambda: Order.from_raw_data(ROW),
        "decode JSON": lambda: Order.from_raw_data(json.loads(TEXT)["Item"]),
    },
)
