"""Tables as they are made, raw rows, capacity, and keys and items as values."""

# pyright: reportAttributeAccessIssue=false, reportArgumentType=false

from __future__ import annotations

import copy
import pickle
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from tests.acceptance.shop import DAY, Customer, Mark, Order, ShopDb, ShopRow, order
from tests.modes import Mode


def test_tables_are_made_once_as_declared(mode: Mode, new_name: Any) -> None:
    prefix = new_name()[-20:]
    db = mode.open(ShopDb, table_name_resolver=lambda _, declared: f"{prefix}-{declared}")
    names = [f"{prefix}-shop", f"{prefix}-sensors"]
    assert db.create_tables() == names
    assert db.create_tables() == []
    assert db.shop.table_name == names[0]
    made = mode.client.describe_table(TableName=names[0])["Table"]
    request = ShopRow.create_table_request(names[0])
    assert made["KeySchema"] == request["KeySchema"]
    for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        schemas = [(index["IndexName"], index["KeySchema"], index["Projection"]) for index in made[kind]]
        assert schemas == [(index["IndexName"], index["KeySchema"], index["Projection"]) for index in request[kind]]
    assert made["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    db.save(order())
    assert db.create_tables() == []
    assert db.load(Order.Key("anna", DAY, "1")) is not None
    for name in names:
        mode.client.delete_table(TableName=name)


def test_raw_rows_and_the_type_of_a_row(db: ShopDb) -> None:
    stored, customer = db.save(order(tags={"x"})), db.save(Customer(customer="anna", name="Anna"))
    key = ShopRow(pk="CUSTOMER#anna", sk="ORDER#2026-01-02#1")
    row = db.shop.raw.load(key)
    assert row is not None
    assert (row.model_extra or {})["tags"] == {"x"}
    assert sorted(found.sk for found in db.shop.raw.scan().contents) == ["INFO", "ORDER#2026-01-02#1"]
    for item in (stored, customer):
        encoded = db.shop.codec(type(item)).encode(item)
        assert db.shop.decode(encoded) == db.shop.codec(type(item)).decode(encoded) == item
    assert db.shop.raw.delete(key) == row
    assert db.shop.raw.load(key) is None
    db.shop.raw.put(row)
    assert db.load(Order.Key("anna", DAY, "1")) == stored


@pytest.mark.parametrize(
    "mode", ["local-direct", "local-aiobotocore"], indirect=True
)  # moto's units are not DynamoDB's
def test_capacity_is_summed_in_each_block(db: ShopDb) -> None:
    db.save(order())
    with db.track_capacity() as outer:
        db.load(Order.Key("anna", DAY, "1"), consistent_read=True)
        with db.track_capacity() as inner:
            db.load(Order.Key("anna", DAY, "1"))
    db.load(Mark.Key("anna", "x"))
    assert (inner.read, inner.write, inner.requests) == (0.5, 0, 1)
    assert (outer.read, outer.total, outer.requests) == (1.5, 1.5, 2)


def test_items_and_keys_are_values() -> None:
    item, key = order(lines=["x"]), Order.Key("anna", date(2026, 1, 2), number="1")
    assert Order.Key.of(item) == key
    assert hash(key) == hash(Order.Key.of(item))
    for value in (item, key):
        assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == copy.copy(value) == value
        assert type(value).model_validate_json(value.model_dump_json()) == value
        assert type(value).model_json_schema()["type"] == "object"
        with pytest.raises(ValidationError, match="frozen"):
            value.customer = "bea"  # type: ignore[misc]
    assert item.replace(total=Decimal(3)) == order(lines=["x"], total=Decimal(3))
    for wrong in ({"total": "abc"}, {"no_such": 1}):
        with pytest.raises((ValidationError, TypeError)):
            item.replace(**wrong)
    for args, names in [
        (("a", date(2026, 1, 1), "1", "more"), {}),
        (("a",), {"customer": "b"}),
        (("a",), {"nobody": 1}),
        ((), {}),
        ((1,), {}),
    ]:
        with pytest.raises((ValidationError, TypeError)):
            Order.Key(*args, **names)  # type: ignore[arg-type]
