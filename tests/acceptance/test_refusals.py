"""What is refused before anything is sent, what the service refuses, and what the errors tell and hide."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from logicaldb import (
    BeginsWith,
    ConditionFailed,
    DeclarationError,
    DecodingError,
    EncodingError,
    IncompleteKey,
    Item,
    ItemAlreadyExists,
    ItemKey,
    LogicalDbError,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    attr,
)
from tests.acceptance.shop import DAY, Customer, Mark, Order, Reading, ShopDb, ShopRow, order
from tests.engines import code_of
from tests.modes import Mode

KEY = Order.Key("anna", DAY, "1")


def nested(levels: int) -> Any:
    """A list in a list, and so on."""
    return [nested(levels - 1)] if levels else []


REFUSED: dict[str, tuple[Callable[[], Item], str]] = {
    "not a number": (lambda: Reading(sensor=b"s", at=Decimal(1), value=float("nan")), "Reading.value: "),
    "infinity": (lambda: Reading(sensor=b"s", at=Decimal(1), value=float("inf")), "Reading.value: "),
    "39 digits": (
        lambda: order(total=Decimal("1" * 39)),
        "Order.total: is a number of more than 38 significant digits",
    ),
    "too large": (lambda: order(total=Decimal("1E+126")), "Order.total: "),
    "too small": (lambda: order(total=Decimal("1E-131")), "Order.total: "),
    "empty name": (lambda: order(notes={"a": {"": 1}}), "Order.notes"),
    "empty set inside": (lambda: order(notes={"a": [set()]}), "Order.notes['a'][0]: is an empty set"),
    "mixed set": (lambda: order(notes={"a": {1, "x"}}), "Order.notes['a']: is a set of mixed types"),
    "float in Any": (lambda: order(notes={"a": 1.5}), "Order.notes['a']: is a float"),
    "surrogate": (lambda: order(lines=["\ud800"]), "Order.lines[0]: "),
    "deep": (lambda: order(notes={"a": nested(40)}), "Order.notes"),
    "naive": (lambda: order(shipped=datetime(2026, 1, 1)), "Order.shipped: is a datetime without a time zone"),  # noqa: DTZ001
    "separator in a part": (lambda: order(region="a#b", shelf="1"), "Order.region: runs into the separator '#'"),
    "partition key of 2049 bytes": (lambda: Customer(customer="x" * 2040, name="n"), "Customer.customer: "),
    "sort key of 1025 bytes": (lambda: Mark(customer="a", name="é" * 510), "Mark.name: "),
    "index key of 1025 bytes": (lambda: order(carrier="p", region="r", shelf="x" * 1024), "Order.shelf: "),
    "empty index key": (lambda: order(carrier=""), "Order.carrier: "),
    "empty binary key": (lambda: Reading(sensor=b"", at=Decimal(1)), "Reading.sensor: "),
    "400 KB": (lambda: order(notes={"a": "x" * 409_600}), "Order.notes"),
}


@pytest.mark.parametrize("mode", ["moto"], indirect=True)
def test_values_that_cannot_be_stored(db: Any, recorder: Any) -> None:
    with recorder(db) as requests:
        for what, (make, text) in REFUSED.items():
            item = make()
            for write in (
                db.save,
                db.put,
                db.create,
                lambda item: db.transaction_write(TransactionWriteSet().save(item)),
                db.shop.codec(type(item)).encode if what != "400 KB" and not isinstance(item, Reading) else db.save,
            ):
                with pytest.raises(EncodingError) as caught:
                    write(item)
                assert text in str(caught.value), what
                assert "xxxxxxxx" not in str(caught.value).replace("x" * 2040, ""), what
    assert requests == []


def test_limits_to_the_byte(db: ShopDb) -> None:
    for item in (
        Customer(customer="x" * (2048 - 9), name="n"),
        Mark(customer="a", name="x" * (1024 - 5)),
        order(total=Decimal("9." + "9" * 37 + "E+125")),
        order("é" * ((1024 - 17) // 2)),
    ):
        db.save(item)
        assert db.load(type(item).Key.of(item)) is not None


def test_keys_that_are_not_whole(db: ShopDb, recorder: Any) -> None:
    key = Order.Key("anna", DAY)
    with recorder(db) as requests:
        for use in (
            lambda: db.load(key),
            lambda: db.delete_key(key),
            lambda: db.update(key, attr(Order.lines).set([])),
            lambda: db.increment(key, Order.visits),
            lambda: db.transaction_load(key),
            lambda: db.batch_load(key),
            lambda: db.transaction_write(TransactionWriteSet().delete_key(key)),
        ):
            with pytest.raises(IncompleteKey, match="number"):
                use()
    assert requests == []


def test_errors_are_one_tree_and_picklable(db: Any) -> None:
    db.save(order())
    errors: list[LogicalDbError] = []
    uses: list[Callable[[], Any]] = [
        lambda: db.save(order()),
        lambda: db.create(order()),
        lambda: db.save(order(version=1), attr(Order.carrier) == "post"),
        lambda: db.update(Order.Key("bea", DAY, "1"), attr(Order.lines).set([])),
        lambda: db.increment(KEY, Order.visits, -1),
        lambda: db.load(Order.Key("anna")),
        lambda: db.save(order(lines=["\ud800"])),
        lambda: db.transaction_write(TransactionWriteSet().save(order())),
        lambda: db.shop.orders.from_token("x", BeginsWith(Order.Key("anna")), secret="s"),
    ]
    for use in uses:
        with pytest.raises(LogicalDbError) as caught:
            use()
        errors.append(caught.value)
    for error in errors:
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again)) == (type(error), str(error))
        for name in ("item", "expected", "key"):
            assert getattr(again, name, None) == getattr(error, name, None)
    for error in errors:
        if isinstance(error, ConditionFailed | TransactionCanceled):
            assert isinstance(error.__cause__, ClientError)
    assert [issubclass(kind, ConditionFailed) for kind in (VersionConflict, ItemAlreadyExists)] == [True, True]
    assert issubclass(DeclarationError, TypeError)
    assert issubclass(EncodingError, ValueError)
    assert issubclass(DecodingError, ValueError)


def test_other_errors_of_the_service_pass_unchanged(mode: Mode) -> None:
    db = mode.open(ShopDb, table_name_resolver=lambda *_: "no-such-table")
    for use in (
        lambda: db.load(KEY),
        lambda: db.save(order()),
        lambda: db.batch_load(KEY),
        lambda: db.transaction_load(KEY),
        db.shop.orders.scan,
    ):
        with pytest.raises(ClientError) as caught:
            use()
        assert code_of(caught.value) == "ResourceNotFoundException"


def test_types_that_a_table_does_not_know(db: Any) -> None:
    class Stranger(Item):
        pk: str
        sk: str

        class Key(ItemKey["Stranger"]):
            pk: str
            sk: str

    uses: list[Callable[[], Any]] = [
        lambda: db.load(Stranger.Key("a", "b")),
        lambda: db.save(Stranger(pk="a", sk="b")),
        lambda: db.transaction_write(TransactionWriteSet().save(Stranger(pk="a", sk="b"))),
        lambda: db.batch_load(Stranger.Key("a", "b")),
        lambda: db.shop.codec(Stranger),
        lambda: db.shop.orders.load(Customer.Key("a")),
        lambda: db.shop.orders.save(Customer(customer="a", name="b")),
        lambda: db.load(Order.CarrierOffset("x")),
        lambda: db.load("anna"),
        lambda: db.save({"customer": "anna"}),
    ]
    for use in uses:
        with pytest.raises(TypeError):
            use()


def test_rows_that_others_wrote(db: ShopDb) -> None:
    def put(**attributes: Any) -> None:
        db.shop.raw.put(ShopRow(**attributes))

    put(pk="CUSTOMER#anna", sk="INFO", name="Anna", credit=Decimal("7.0"), email=None, unknown={1, 2})
    assert db.load(Customer.Key("anna")) == Customer(customer="anna", name="Anna", credit=Decimal(7))
    put(pk="CUSTOMER#bea", sk="INFO", name=5, email=["secret"])
    for use in (lambda: db.load(Customer.Key("bea")), lambda: list(db.shop.customers.scan_all_contents())):
        with pytest.raises(DecodingError) as caught:
            use()
        assert str(caught.value).startswith("the row pk='CUSTOMER#bea', sk='INFO' is no valid Customer: ")
        assert caught.value.key == {"pk": "CUSTOMER#bea", "sk": "INFO"}
        assert "name" in str(caught.value)
        assert "email" in str(caught.value)
        assert "secret" not in str(caught.value)
