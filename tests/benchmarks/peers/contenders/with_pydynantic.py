"""pydynantic."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import boto3
from orders import CUSTOMER, TABLE, order
from pydantic import BaseModel
from pydynantic import Entity, Table, key, transaction
from worker import serve

table = Table(name=TABLE, pk="pk", sk="sk", indexes={}, client=boto3.client("dynamodb", endpoint_url=sys.argv[2]))


class Line(BaseModel):
    product: str
    quantity: int
    price: Decimal


class Order(Entity, table=table, name="order"):
    customer: str
    number: str
    status: str
    placed: date
    total: Decimal
    weight: int
    note: str | None = None
    lines: list[Line]

    class Meta:
        primary = key(pk="CUSTOMER#{customer}", sk="ORDER#{number}")


ORDERS = [Order(**order(number)) for number in range(101)]
ORDER = ORDERS[1]


def transact() -> None:
    with transaction(table) as writes:
        for one in ORDERS[:25]:
            writes.put(one)


serve(
    {
        "get": lambda: Order.get(customer=CUSTOMER, number="0001"),
        "put": lambda: Order.put(ORDER),
        "update": lambda: Order.update(customer=CUSTOMER, number="0001", set={"status": "sent", "weight": 1201}),
        "query": lambda: Order.query.primary(customer=CUSTOMER).begins_with("ORDER#").limit(100).all(),
        "batch_get": lambda: Order.batch_get([(CUSTOMER, one.number) for one in ORDERS[1:]]),
        "transact": transact,
        "batch_write": lambda: Order.batch_write(puts=ORDERS[:25]),
        "scan": lambda: len(Order.scan().all()),
    }
)
