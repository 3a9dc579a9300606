"""dyntastic."""

from __future__ import annotations

import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from dyntastic import A, Dyntastic, transaction
from orders import PARTITION, TABLE, attributes
from pydantic import BaseModel
from worker import serve


class Line(BaseModel):
    product: str
    quantity: int
    price: Decimal


class Order(Dyntastic):
    __table_name__ = TABLE
    __hash_key__ = "pk"
    __range_key__ = "sk"
    __table_region__ = "eu-central-1"
    __table_host__ = sys.argv[2]

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


def batch_write() -> None:
    with Order.batch_writer():
        for order in ORDERS[:25]:
            order.save()


def transact() -> None:
    with transaction():
        for order in ORDERS[:25]:
            order.save()


serve(
    {
        "get": lambda: Order.get(ORDER.pk, ORDER.sk),
        "put": ORDER.save,
        "update": lambda: ORDER.update(A.status.set("sent"), A.weight.set(1201)),
        "query": lambda: list(Order.query(PARTITION, range_key_condition=A.sk.begins_with("ORDER#"), per_page=100)),
        "batch_get": lambda: Order.batch_get([(order.pk, order.sk) for order in ORDERS[1:]]),
        "transact": transact,
        "batch_write": batch_write,
        "scan": lambda: sum(1 for _ in Order.scan()),
    }
)
