"""Transactions without a client: what is sent, what answers mean, and what is refused before (T2 to T7)."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from logicaldb import (
    AmbiguousWrite,
    BatchWriteSet,
    ConditionFailed,
    CounterOutOfBounds,
    DecodingError,
    DuplicateItem,
    EncodingError,
    IncompleteKey,
    Item,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    ItemSet,
    LimitExceeded,
    LogicalDbError,
    OperationFailure,
    ThroughputExceeded,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    attr,
)
from logicaldb.codec.limits import item_size
from logicaldb.flow import Request, ServiceFailure, Unanswered
from logicaldb.operations import transactions
from logicaldb.operations.rows import Rows
from tests.unit.operations.driving import NOW, NoTransport, Run, cancelled, drive, failed
from tests.unit.operations.models import Bare, Customer, Gadget, Order, ShopTable, Step, ThingTable, Versioned

CONFLICT = {"Code": "TransactionConflict"}
THROTTLED = {"Code": "ThrottlingError"}
REFUSED = {"Code": "ConditionalCheckFailed"}
FINE = {"Code": "None"}

STEP = Step(customer="C", number=3, title="x")
STEP_KEY = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0003"}}
STEP_ROW = {**STEP_KEY, "title": {"S": "x"}}
CUSTOMER_KEY = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "INFO"}}
GADGET_ROW = {"pk": {"S": "GADGET_1"}, "sk": {"S": "GADGET"}, "title": {"S": "stored"}, "version": {"N": "7"}}
LOST = Unanswered(ConnectionError("lost"))
CONNECTING = OSError("nothing could be sent")


def make_rows(shop: str = "shop", things: str = "things") -> Rows:
    """The rows of a db of two tables."""
    rows = Rows("ShopDb")
    tables: list[tuple[str, Any]] = [
        ("db.shop", ShopTable(shop, NoTransport(), lambda: NOW, 1)),
        ("db.things", ThingTable(things, NoTransport(), lambda: NOW, 1)),
    ]
    for place, table in tables:
        for item_type, name, view in table.item_views():
            rows.add(item_type, f"{place}.{name}", view._writer)
    return rows


ROWS = make_rows()


class Clock:
    """The time in seconds, as it is told."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0

    def __call__(self) -> float:
        return self.seconds


def load(keys: Sequence[ItemKey[Any]], *answers: Any) -> Run:
    return drive(transactions.load(keys, ROWS), *answers)


def write(writes: TransactionWriteSet, *answers: Any, now: Clock | None = None, rows: Rows = ROWS) -> Run:
    return drive(transactions.write(writes, rows, now or Clock()), *answers)


def run_of(error: BaseException) -> Run:
    run: Run = error.run  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    return run


def steps(count: int) -> list[Step]:
    return [Step(customer="C", number=number, title="x") for number in range(count)]


def saves(*items: Item) -> TransactionWriteSet:
    writes = TransactionWriteSet()
    for item in items:
        writes.save(item)
    return writes


# Loads.


def test_a_load_of_several_tables_in_the_order_of_the_keys() -> None:
    keys: list[ItemKey[Any]] = [Gadget.Key("1"), Step.Key("C", 3), Customer.Key("C")]
    run = load(keys, {"Responses": [{"Item": GADGET_ROW}, {"Item": STEP_ROW}, {}]})
    assert run.requests == [
        Request(
            "TransactGetItems",
            "things",
            {
                "TransactItems": [
                    {"Get": {"TableName": "things", "Key": {"pk": {"S": "GADGET_1"}, "sk": {"S": "GADGET"}}}},
                    {"Get": {"TableName": "shop", "Key": STEP_KEY}},
                    {"Get": {"TableName": "shop", "Key": CUSTOMER_KEY}},
                ]
            },
        )
    ]
    items: ItemSet = run.result
    assert list(items) == [Gadget(pk="1", title="stored", version=7), STEP]
    assert items.missing == [Customer.Key("C")]
    assert items.get(Step.Key("C", 3)) == STEP


def test_a_key_that_is_given_twice_is_read_once() -> None:
    run = load([Step.Key("C", 3), Customer.Key("C"), Step.Key("C", 3)], {"Responses": [{"Item": STEP_ROW}, {}]})
    assert len(run.bodies[0]["TransactItems"]) == 2
    assert list(run.result) == [STEP]
    assert run.result.missing == [Customer.Key("C")]


def test_keys_of_a_generator() -> None:
    run = drive(
        transactions.load((Step.Key("C", number) for number in (3, 4)), ROWS), {"Responses": [{"Item": STEP_ROW}, {}]}
    )
    assert (list(run.result), run.result.missing) == ([STEP], [Step.Key("C", 4)])


def test_a_load_of_nothing_sends_nothing() -> None:
    run = load([])
    assert (run.requests, list(run.result), run.result.missing) == ([], [], [])


def test_a_load_takes_100_keys() -> None:
    keys = [Step.Key("C", number) for number in range(100)]
    assert load(keys * 2, {"Responses": [{}] * 100}).result.missing == keys


def test_a_load_of_101_keys_is_refused() -> None:
    with pytest.raises(LimitExceeded) as error:
        load([Step.Key("C", number) for number in range(101)])
    assert str(error.value) == (
        "a transaction reads up to 100 items, not 101; batch_load takes any number of keys, but gives no snapshot"
    )
    assert run_of(error.value).requests == []


@pytest.mark.parametrize(
    ("key", "error_type", "message"),
    [
        (STEP, TypeError, "a key is due, such as AlbumTrack.Key(...), not Step"),
        ("C", TypeError, "a key is due, such as AlbumTrack.Key(...), not str"),
        (
            Step.TitleKey("C"),
            TypeError,
            "a key is due, such as AlbumTrack.Key(...), not Step.TitleKey, the key of an index",
        ),
        (Step.Key("C"), IncompleteKey, "Step.Key(customer='C', number=None) lacks number; a whole key is needed here"),
    ],
)
def test_what_is_no_whole_key_is_refused(key: Any, error_type: type[Exception], message: str) -> None:
    with pytest.raises(error_type) as error:
        load([Customer.Key("C"), key])
    assert str(error.value) == message
    assert run_of(error.value).requests == []


@pytest.mark.parametrize("reasons", [[CONFLICT], [FINE, CONFLICT], [THROTTLED], [THROTTLED, CONFLICT]])
def test_a_load_that_meets_a_write_is_sent_again(reasons: Any) -> None:
    keys = [Step.Key("C", 3), Step.Key("C", 4)]
    run = load(keys, *[cancelled(*reasons)] * 7, {"Responses": [{"Item": STEP_ROW}, {}]})
    assert run.bodies == [run.bodies[0]] * 8
    assert len(run.sleeps) == 7
    assert list(run.result) == [STEP]


def test_a_load_is_not_sent_again_and_again() -> None:
    failure = cancelled(FINE, CONFLICT, THROTTLED)
    with pytest.raises(TransactionCanceled) as error:
        load([Step.Key("C", 3), Step.Key("C", 4), Step.Key("C", 5)], *[failure] * 8)
    assert str(error.value) == (
        "nothing was read: load of Step.Key(customer='C', number=4): another write of the item was under way each time "
        "(TransactionConflict); load of Step.Key(customer='C', number=5): DynamoDB throttled it, and the retries are spent"
    )
    conflict, throttled = error.value.failures
    assert (conflict.index, conflict.code, conflict.error) == (1, "TransactionConflict", None)
    assert (conflict.operation.kind, conflict.operation.key) == ("load", Step.Key("C", 4))
    assert (throttled.index, throttled.code) == (2, "ThrottlingError")
    assert type(throttled.error) is ThroughputExceeded
    assert str(throttled.error) == (
        "load of Step.Key(customer='C', number=5): DynamoDB throttled it, and the retries are spent"
    )
    assert error.value.__cause__ is failure.error


def test_a_load_that_is_throttled_each_time() -> None:
    failure = cancelled(THROTTLED, FINE)
    with pytest.raises(ThroughputExceeded) as error:
        load([Step.Key("C", 3), Step.Key("C", 4)], *[failure] * 8)
    assert str(error.value) == "DynamoDB throttled the transaction, and the retries are spent"
    assert error.value.__cause__ is failure.error


@pytest.mark.parametrize("failure", [failed("ValidationException"), failed("ThrottlingException")])
def test_other_failures_of_a_load_pass(failure: ServiceFailure) -> None:
    with pytest.raises(ServiceFailure) as error:
        load([Step.Key("C", 3)], failure)
    assert error.value is failure


def test_a_load_without_an_answer_changed_nothing_and_so_passes() -> None:
    with pytest.raises(Unanswered) as error:
        load([Step.Key("C", 3)], LOST)
    assert error.value is LOST


def test_a_row_that_is_not_valid_names_its_key() -> None:
    with pytest.raises(DecodingError) as error:
        load([Customer.Key("C"), Step.Key("C", 3)], {"Responses": [{}, {"Item": STEP_KEY}]})
    assert str(error.value) == "the row pk='CUSTOMER_C', sk='STEP_0003' is no valid Step: title (missing)"


# What is sent.


def test_the_operations_in_the_order_of_the_caller() -> None:
    writes = (
        TransactionWriteSet()
        .check_condition(Step.Key("C", 1), attr(Step.title).exists())
        .save(Versioned(pk="1", title="t"))
        .delete_key(Step.Key("C", 2))
        .create(STEP)
        .update(Gadget.Key("1"), attr(Gadget.title).set("t"), if_version=2)
        .put(Bare(pk="1"))
        .delete(Versioned(pk="2", title="t", version=4), attr(Versioned.title) == "t")
    )
    run = write(writes, {})
    (request,) = run.requests
    assert (request.operation, request.table, request.repeatable) == ("TransactWriteItems", "shop", True)
    assert [next(iter(action)) for action in request.body["TransactItems"]] == [
        "ConditionCheck",
        "Update",
        "Delete",
        "Put",
        "Update",
        "Put",
        "Delete",
    ]
    bodies = [next(iter(action.values())) for action in request.body["TransactItems"]]
    assert [body["TableName"] for body in bodies] == ["shop", "things", "shop", "shop", "things", "things", "things"]
    assert bodies[3] == {
        "TableName": "shop",
        "Item": STEP_ROW,
        "ConditionExpression": "attribute_not_exists(#n0)",
        "ExpressionAttributeNames": {"#n0": "pk"},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    # Each condition asks for what is stored, and what has none does not.
    conditional = ["ConditionExpression" in body for body in bodies]
    assert conditional == [True, True, False, True, True, False, True]
    assert ["ReturnValuesOnConditionCheckFailure" in body for body in bodies] == conditional


def test_a_save_that_sets_nothing_is_a_put() -> None:
    run = write(saves(Bare(pk="1")), {})
    assert run.bodies[0]["TransactItems"] == [
        {"Put": {"TableName": "things", "Item": {"pk": {"S": "BARE_1"}, "sk": {"S": "BARE"}}}}
    ]
    assert list(run.result) == [Bare(pk="1")]


def test_the_items_as_they_are_written() -> None:
    gadget, versioned = Gadget(pk="1", title="t"), Versioned(pk="1", title="t", version=3)
    writes = (
        saves(versioned, gadget)
        .put(gadget.replace(pk="2", version=2))
        .create(STEP)
        .delete_key(Step.Key("C", 4))
        .update(Step.Key("C", 5), attr(Step.title).set("t"))
        .check_condition(Step.Key("C", 6), attr(Step.title).exists())
    )
    items: ItemSet = write(writes, {}).result
    put = gadget.replace(pk="2", version=3, created=NOW, updated=NOW)
    assert list(items) == [versioned.replace(version=4), put, STEP]
    # Of the saved gadget the service alone knows the counts and the time of creation.
    assert items.missing == [Gadget.Key("1"), Step.Key("C", 4), Step.Key("C", 5), Step.Key("C", 6)]
    assert items.get(Versioned.Key("1")) == versioned.replace(version=4)
    assert (versioned.version, gadget.version, gadget.created) == (3, 0, None)


def test_an_empty_set_does_nothing() -> None:
    writes = TransactionWriteSet()
    run = write(writes)
    assert (run.requests, list(run.result), run.result.missing) == ([], [], [])
    assert writes.save(STEP).size == 1  # and it is not sent


def test_the_token_of_the_caller() -> None:
    run = write(saves(STEP).idempotency_token("mine"), {})
    assert run.bodies[0]["ClientRequestToken"] == "mine"


def test_each_set_has_a_token_of_its_own() -> None:
    one, other = (write(saves(STEP), {}).bodies[0]["ClientRequestToken"] for _ in range(2))
    assert one != other
    assert len({UUID(hex=one), UUID(hex=other)}) == 2


@pytest.mark.parametrize("wrong", [BatchWriteSet(), [STEP], None])
def test_what_is_no_set_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError) as error:
        write(wrong)
    described = {BatchWriteSet: "a BatchWriteSet", list: "a list", type(None): "None"}[type(wrong)]
    assert str(error.value) == f"a TransactionWriteSet is due, not {described}"


# What is refused before anything is sent.


def test_100_operations_are_taken() -> None:
    assert len(write(saves(*steps(100)), {}).bodies[0]["TransactItems"]) == 100


def test_101_operations_are_refused() -> None:
    with pytest.raises(LimitExceeded) as error:
        write(saves(*steps(101)))
    assert str(error.value) == (
        "a transaction takes up to 100 operations, not 101: the first too many is "
        "save of Step.Key(customer='C', number=100); a writing pager takes any number, a page at a time"
    )
    assert run_of(error.value).requests == []


def test_4_mb_are_taken_and_no_byte_more() -> None:
    """Items or keys, and expressions with the names and values in them as often as they occur."""
    limit = 4 * 1024 * 1024
    key_size = item_size(CUSTOMER_KEY)
    whole = [Customer(customer=str(number), name="x" * 400_000) for number in range(10)]
    size_of_one = key_size + len("name") + 400_000 + len("attribute_not_exists(#n0)") + len("pk")
    size_of_check = key_size + len("(#n0 = :v0) OR (#n0 = :v1)") + 2 * len("name") + len("y") + len("zz")
    size_of_update = key_size + len("SET #n0 = :v0") + len("name") + len("attribute_exists(#n1)") + len("pk")
    left = limit - 10 * size_of_one - size_of_check - size_of_update

    def writes(size: int) -> TransactionWriteSet:
        filled = TransactionWriteSet()
        for customer in whole:
            filled.create(customer)
        filled.update(Customer.Key("u"), attr(Customer.name).set("x" * size))
        return filled.check_condition(Customer.Key("c"), (attr(Customer.name) == "y") | (attr(Customer.name) == "zz"))

    assert len(write(writes(left), {}).requests) == 1
    with pytest.raises(LimitExceeded) as error:
        write(writes(left + 1))
    assert str(error.value) == (
        f"a transaction takes up to {limit} bytes, not {limit + 1}: the largest operation is "
        f"create of Customer.Key(customer='0') with {size_of_one}"
    )
    assert run_of(error.value).requests == []


KINDS: list[tuple[str, Any]] = [
    ("save", lambda writes: writes.save(STEP)),
    ("create", lambda writes: writes.create(STEP)),
    ("put", lambda writes: writes.put(STEP)),
    ("update", lambda writes: writes.update(Step.Key("C", 3), attr(Step.title).set("t"))),
    ("delete", lambda writes: writes.delete(STEP)),
    ("delete_key", lambda writes: writes.delete_key(Step.Key("C", 3))),
    ("check_condition", lambda writes: writes.check_condition(Step.Key("C", 3), attr(Step.title).exists())),
]


@pytest.mark.parametrize(("first", "add_first"), KINDS)
@pytest.mark.parametrize(("second", "add_second"), KINDS)
def test_two_operations_on_one_row_are_refused(first: str, add_first: Any, second: str, add_second: Any) -> None:
    writes = saves(*steps(2))
    add_first(writes)
    writes.save(Customer(customer="C", name="n"))
    add_second(writes)
    with pytest.raises(DuplicateItem) as error:
        write(writes)
    key = "Step.Key(customer='C', number=3)"
    assert str(error.value) == f"{first} of {key} and {second} of {key} are about one row"
    assert run_of(error.value).requests == []


@pytest.mark.parametrize(
    ("add", "error_type", "message"),
    [
        (
            lambda writes: writes.update(Step.Key("C"), attr(Step.title).set("t")),
            IncompleteKey,
            "Step.Key(customer='C', number=None) lacks number; a whole key is needed here",
        ),
        (
            lambda writes: writes.update(Step.Key("C", 9)),
            EncodingError,
            "update of Step.Key(customer='C', number=9): has no updates; give at least one, such as attr(...).set(...)",
        ),
        (
            lambda writes: writes.create(Versioned(pk="1", title="t", version=2)),
            EncodingError,
            "Versioned.version: is above 0, so the item is stored already; a new item has version 0",
        ),
        (
            lambda writes: writes.save(STEP, "title = x"),
            TypeError,
            "a condition is due, not a str: write it with attr(...) or Expression(...)",
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_and_may_be_mended(add: Any, error_type: type[Exception], message: str) -> None:
    writes = saves(Customer(customer="C", name="n"))
    add(writes)
    with pytest.raises(error_type) as error:
        write(writes)
    assert str(error.value) == message
    assert run_of(error.value).requests == []
    assert writes.delete_key(Step.Key("C", 8)).size == 3  # it was not sent, so it is not fixed


# Failures.


def test_the_failures_are_those_of_the_operations() -> None:
    stored = {**STEP_ROW, "title": {"S": "SECRET"}}
    writes = (
        saves(*steps(2))  # 0, 1
        .save(Gadget(pk="1", title="t", version=6))  # 2
        .create(STEP)  # 3
        .update(Step.Key("C", 4), attr(Step.title).set("t"))  # 4
        .update(Gadget.Key("2"), attr(Gadget.stock).add(-6))  # 5
        .check_condition(Step.Key("C", 5), attr(Step.title) == "t")  # 6
        .update(Gadget.Key("3"), attr(Gadget.title).set("t"))  # 7
        .delete(Versioned(pk="1", title="t", version=1))  # 8
        .put(Customer(customer="C", name="n"), attr(Customer.name) == "n")  # 9
    )
    failure = cancelled(
        FINE,
        {},
        {**REFUSED, "Item": GADGET_ROW, "Message": "SECRET"},
        {**REFUSED, "Item": stored},
        REFUSED,
        {**REFUSED, "Item": {**GADGET_ROW, "pk": {"S": "GADGET_2"}}},
        {**REFUSED, "Item": {**stored, "sk": {"S": "STEP_0005"}}},
        {"Code": "ValidationError", "Message": "SECRET"},
        REFUSED,
        {**REFUSED, "Item": CUSTOMER_KEY},
    )
    with pytest.raises(TransactionCanceled) as raised:
        write(writes, failure)
    assert len(run_of(raised.value).requests) == 1
    assert raised.value.__cause__ is failure.error
    failures = raised.value.failures
    assert [(one.index, one.code, type(one.error)) for one in failures] == [
        (2, "ConditionalCheckFailed", VersionConflict),
        (3, "ConditionalCheckFailed", ItemAlreadyExists),
        (4, "ConditionalCheckFailed", ItemNotFound),
        (5, "ConditionalCheckFailed", CounterOutOfBounds),
        (6, "ConditionalCheckFailed", ConditionFailed),
        (7, "ValidationError", type(None)),
        (8, "ConditionalCheckFailed", VersionConflict),
        (9, "ConditionalCheckFailed", ConditionFailed),
    ]
    for one in failures:
        assert one.operation == writes.operations[one.index]
        assert one.error is None or getattr(one.error, "operation") == one.operation  # noqa: B009 - of each of them
    errors: list[Any] = [one.error for one in failures]
    assert (errors[0].item, errors[0].expected) == (Gadget(pk="1", title="stored", version=7), 6)
    assert errors[1].item == STEP.replace(title="SECRET")
    assert (errors[2].item, errors[2].key) == (None, Step.Key("C", 4))
    assert errors[3].item == Gadget(pk="2", title="stored", version=7)
    assert errors[4].item == Step(customer="C", number=5, title="SECRET")
    assert (errors[6].item, errors[6].expected) == (None, 1)
    assert errors[7].item is None
    assert str(errors[7].undecodable) == ("the row pk='CUSTOMER_C', sk='INFO' is no valid Customer: name (missing)")
    assert str(raised.value) == (
        "nothing was written: save of Gadget.Key(pk='1'): the stored version is not the expected one; "
        "create of Step.Key(customer='C', number=3): there is an item already; "
        "update of Step.Key(customer='C', number=4): there is no such item; "
        "update of Gadget.Key(pk='2'): Gadget.stock would leave its bounds; "
        "check_condition of Step.Key(customer='C', number=5): the condition does not hold; "
        "update of Gadget.Key(pk='3'): ValidationError; "
        "delete of Versioned.Key(pk='1'): the stored version is not the expected one; "
        "put of Customer.Key(customer='C'): the condition does not hold"
    )
    assert "SECRET" not in repr(raised.value)
    assert all("SECRET" not in repr(one) for one in failures)


@pytest.mark.parametrize(
    "answer", [failed("TransactionCanceledException"), cancelled(), cancelled(FINE), cancelled({"Code": "None"})]
)
def test_a_cancellation_without_reasons(answer: ServiceFailure) -> None:
    with pytest.raises(TransactionCanceled) as error:
        write(saves(STEP), answer)
    assert str(error.value) == "nothing was written: DynamoDB cancelled the transaction and gave no reasons"
    assert error.value.failures == []


def test_fewer_reasons_than_operations() -> None:
    with pytest.raises(TransactionCanceled) as error:
        write(saves(*steps(3)), cancelled(FINE, {"Code": "ItemCollectionSizeLimitExceeded"}))
    assert error.value.failures == [
        OperationFailure(saves(*steps(3)).operations[1], 1, "ItemCollectionSizeLimitExceeded", None)
    ]


@pytest.mark.parametrize(
    "reasons", [[CONFLICT, FINE], [THROTTLED, FINE], [{"Code": "ProvisionedThroughputExceeded"}, CONFLICT]]
)
def test_contention_alone_is_sent_again_with_the_same_token_and_payload(reasons: Any) -> None:
    run = write(saves(*steps(2)), *[cancelled(*reasons)] * 7, {})
    assert run.requests == [run.requests[0]] * 8
    assert len(run.sleeps) == 7
    assert list(run.result) == steps(2)


@pytest.mark.parametrize("other", [REFUSED, {"Code": "ValidationError"}])
def test_with_any_other_reason_it_is_not(other: Any) -> None:
    with pytest.raises(TransactionCanceled) as error:
        write(saves(*steps(3)), cancelled(CONFLICT, FINE, other))
    assert len(run_of(error.value).requests) == 1
    assert run_of(error.value).sleeps == []
    assert [one.index for one in error.value.failures] == [0, 2]


def test_a_condition_that_fails_after_contention_is_told() -> None:
    with pytest.raises(TransactionCanceled) as error:
        write(saves(*steps(2)), cancelled(CONFLICT, CONFLICT), cancelled(FINE, REFUSED))
    assert [(one.index, one.code) for one in error.value.failures] == [(1, "ConditionalCheckFailed")]


def test_contention_has_an_end() -> None:
    failure = cancelled(CONFLICT, FINE)
    with pytest.raises(TransactionCanceled) as error:
        write(saves(*steps(2)), *[failure] * 8)
    assert str(error.value) == (
        "nothing was written: save of Step.Key(customer='C', number=0): another write of the item was under way each "
        "time (TransactionConflict)"
    )
    assert [(one.index, one.code, one.error) for one in error.value.failures] == [(0, "TransactionConflict", None)]
    assert error.value.__cause__ is failure.error
    with pytest.raises(ThroughputExceeded) as throttled:
        write(saves(*steps(2)), *[cancelled(FINE, THROTTLED)] * 8)
    assert str(throttled.value) == "DynamoDB throttled the transaction, and the retries are spent"


@pytest.mark.parametrize("failure", [failed("ValidationException"), failed("ThrottlingException"), CONNECTING], ids=str)
def test_other_failures_pass(failure: Exception) -> None:
    with pytest.raises(type(failure)) as error:
        write(saves(STEP), failure)
    assert error.value is failure


# Outcomes that cannot be told.

AMBIGUOUS = [
    LOST,
    failed("TransactionInProgressException"),
    failed("ThrottlingException", ambiguous=True),
    failed("ValidationException", ambiguous=True),
]
UNTOLD = (
    "the transaction (save of Step.Key(customer='C', number=3)): was sent, and no answer tells whether it took effect; "
    "send the same TransactionWriteSet again, or execute the same pager again"
)


@pytest.mark.parametrize("failure", AMBIGUOUS, ids=str)
def test_an_outcome_that_cannot_be_told(failure: Any) -> None:
    writes = saves(STEP)
    with pytest.raises(AmbiguousWrite) as error:
        write(writes, failure)
    assert str(error.value) == UNTOLD
    assert error.value.operation is writes
    assert (error.value.key, error.value.item) == (None, None)
    assert error.value.__cause__ is failure.error
    first = run_of(error.value)
    again = write(writes, {})
    assert again.requests == first.requests
    assert list(again.result) == [STEP]


def test_of_many_operations_the_first_are_named() -> None:
    with pytest.raises(AmbiguousWrite) as error:
        write(saves(*steps(5)), LOST)
    assert str(error.value) == (
        "the transaction (save of Step.Key(customer='C', number=0), save of Step.Key(customer='C', number=1), "
        "save of Step.Key(customer='C', number=2), 2 more): was sent, and no answer tells whether it took effect; "
        "send the same TransactionWriteSet again, or execute the same pager again"
    )


def test_a_cancellation_after_a_lost_answer_is_told_as_it_is() -> None:
    """Under its token it cannot have failed against itself."""
    refused = ServiceFailure(
        "TransactionCanceledException", {"CancellationReasons": [REFUSED]}, RuntimeError("refused"), ambiguous=True
    )
    with pytest.raises(TransactionCanceled):
        write(saves(STEP), refused)


@pytest.mark.parametrize("failure", [failed("ThrottlingException"), failed("ExpiredTokenException"), CONNECTING])
def test_what_tells_nothing_of_what_was_sent_before_leaves_the_outcome_open(failure: Exception) -> None:
    writes = saves(STEP)
    with pytest.raises(AmbiguousWrite):
        write(writes, LOST)
    with pytest.raises(AmbiguousWrite) as error:
        write(writes, failure)
    assert str(error.value) == UNTOLD
    assert error.value.__cause__ is getattr(failure, "error", failure)
    assert list(write(writes, {}).result) == [STEP]


def test_what_interrupts_leaves_the_outcome_open() -> None:
    writes, clock = saves(STEP), Clock()
    flow = transactions.write(writes, ROWS, clock)
    next(flow)
    flow.close()  # as an exception that is no Exception does
    with pytest.raises(AmbiguousWrite):
        write(writes, failed("ThrottlingException"), now=clock)


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [
        (LOST, AmbiguousWrite),
        (failed("ThrottlingException", ambiguous=True), AmbiguousWrite),
        (failed("ThrottlingException"), ServiceFailure),
        (CONNECTING, OSError),
    ],
)
def test_what_was_told_to_be_written_stays_so(failure: Exception, error_type: type[Exception]) -> None:
    writes, clock = saves(STEP), Clock()
    first = write(writes, {}, now=clock)
    with pytest.raises(error_type):
        write(writes, failure, now=clock)
    again = write(writes, {}, now=clock)
    assert again.requests == first.requests
    assert list(again.result) == [STEP]
    with pytest.raises(error_type):
        write(writes, failure, now=clock)
    clock.seconds += 600
    assert len(write(writes, {}, now=clock).requests) == 1  # its outcome is not open


# The same set again.


def test_a_set_that_was_sent_stays_as_it_is() -> None:
    writes = saves(STEP)
    write(writes, {})
    calls: list[Any] = [*(add for _, add in KINDS), lambda writes: writes.add_all(saves(STEP))]
    for add in [*calls, lambda writes: writes.idempotency_token("mine")]:
        with pytest.raises(LogicalDbError) as error:
            add(writes)
        assert type(error.value) is LogicalDbError
        assert str(error.value) == ("the TransactionWriteSet was sent, which fixed what it sends; make another one")
    assert (writes.size, writes.token) == (1, None)


def test_the_payload_stays_the_same_while_the_time_goes_on() -> None:
    """A save has the time of the update in it."""
    now = [NOW]
    rows = Rows("ThingDb")
    table: Any = ThingTable("things", NoTransport(), lambda: now[0], 1)
    for item_type, name, view in table.item_views():
        rows.add(item_type, f"db.things.{name}", view._writer)
    writes, clock = saves(Gadget(pk="1", title="t")), Clock()
    with pytest.raises(AmbiguousWrite) as error:
        write(writes, LOST, rows=rows, now=clock)
    now[0] = NOW.replace(year=2027)
    clock.seconds += 539
    assert write(writes, {}, rows=rows, now=clock).requests == run_of(error.value).requests


def test_a_token_is_not_used_for_longer_than_9_minutes() -> None:
    """T6."""
    writes, clock = saves(STEP), Clock()
    with pytest.raises(AmbiguousWrite):
        write(writes, LOST, now=clock)
    clock.seconds += 540
    for _ in range(2):
        with pytest.raises(AmbiguousWrite) as error:
            write(writes, now=clock)
        assert str(error.value) == (
            "the transaction (save of Step.Key(customer='C', number=3)): was sent more than 9 minutes ago, and no answer "
            "told whether it took effect; its idempotency token is too old to send it again, so look at what is stored"
        )
        assert error.value.operation is writes
        assert run_of(error.value).requests == []


def test_what_was_not_written_is_sent_anew_after_9_minutes() -> None:
    clock = Clock()
    for failure in (cancelled(REFUSED), failed("ValidationException"), CONNECTING):
        writes = saves(STEP)
        with pytest.raises((TransactionCanceled, ServiceFailure, OSError)) as error:
            write(writes, failure, now=clock)
        (first,) = run_of(error.value).bodies
        clock.seconds += 540
        (second,) = write(writes, {}, now=clock).bodies
        assert first.pop("ClientRequestToken") != second.pop("ClientRequestToken")
        assert first == second


def test_a_cancellation_tells_of_what_was_sent_before_too() -> None:
    writes, clock = saves(STEP), Clock()
    with pytest.raises(AmbiguousWrite):
        write(writes, LOST, now=clock)
    with pytest.raises(TransactionCanceled):
        write(writes, cancelled(REFUSED), now=clock)
    clock.seconds += 540
    assert len(write(writes, {}, now=clock).requests) == 1


def test_throttling_as_the_reason_of_a_cancellation_tells_of_it_too() -> None:
    writes, clock = saves(STEP), Clock()
    with pytest.raises(AmbiguousWrite):
        write(writes, LOST, now=clock)
    with pytest.raises(ThroughputExceeded):
        write(writes, *[cancelled(THROTTLED)] * 8, now=clock)
    clock.seconds += 540
    assert len(write(writes, {}, now=clock).requests) == 1


@pytest.mark.parametrize("seconds", [540, 599, -1])
def test_what_was_written_is_not_written_twice_within_10_minutes(seconds: int) -> None:
    """Not under the old token, which may be forgotten when it arrives, and not under a new one."""
    writes, clock = saves(STEP), Clock()
    write(writes, {}, now=clock)
    clock.seconds += seconds
    with pytest.raises(LogicalDbError) as error:
        write(writes, now=clock)
    assert type(error.value) is LogicalDbError
    assert str(error.value) == (
        "the transaction (save of Step.Key(customer='C', number=3)): was written more than 9 minutes ago, so its "
        "idempotency token is too old to send it again; make another TransactionWriteSet to write it once more"
    )
    assert run_of(error.value).requests == []


def test_after_10_minutes_it_is_another_transaction() -> None:
    writes, clock = saves(STEP), Clock()
    (first,) = write(writes, {}, now=clock).bodies
    clock.seconds += 600
    (second,) = write(writes, {}, now=clock).bodies
    assert first["ClientRequestToken"] != second["ClientRequestToken"]


def test_a_token_of_the_caller_is_not_changed() -> None:
    for answer, seconds in (({}, 600), (cancelled(REFUSED), 540)):
        writes, clock = saves(STEP).idempotency_token("mine"), Clock()
        with suppress(TransactionCanceled):
            write(writes, answer, now=clock)
        clock.seconds += seconds
        with pytest.raises(LogicalDbError) as error:
            write(writes, now=clock)
        assert type(error.value) is LogicalDbError
        assert str(error.value) == (
            "the transaction (save of Step.Key(customer='C', number=3)): was sent more than 9 minutes ago under a token "
            "of yours, which DynamoDB is about to forget; make another TransactionWriteSet"
        )


def test_a_set_belongs_to_the_tables_it_was_sent_to() -> None:
    writes = saves(STEP).save(Bare(pk="1"))
    write(writes, {})
    with pytest.raises(LogicalDbError) as error:
        write(writes, rows=make_rows(things="staging-things"))
    assert type(error.value) is LogicalDbError
    assert str(error.value) == (
        "the transaction (save of Step.Key(customer='C', number=3), save of Bare.Key(pk='1')): was sent to other tables, "
        "which fixed what it sends; make another TransactionWriteSet"
    )
    assert run_of(error.value).requests == []
    assert len(write(writes, {}, rows=make_rows()).requests) == 1  # another db of the same tables will do


def test_a_set_that_was_pickled_is_the_same_transaction() -> None:
    gadget = Gadget(pk="1", title="t", version=3)
    writes = saves(gadget).put(Order(customer="C", day=date(2026, 1, 2), number="1", amount=Decimal(1)))
    writes.update(Step.Key("C", 3), attr(Step.title).set("t"), condition=attr(Step.title) == "x")
    with pytest.raises(AmbiguousWrite) as error:
        write(writes, LOST)
    copy: AmbiguousWrite = pickle.loads(pickle.dumps(error.value))
    assert str(copy) == str(error.value)
    assert [str(operation) for operation in copy.operation.operations] == list(map(str, writes.operations))
    with pytest.raises(TransactionCanceled) as refused:
        write(copy.operation, cancelled({**REFUSED, "Item": GADGET_ROW}, FINE, REFUSED))
    assert run_of(refused.value).requests == run_of(error.value).requests
    told: TransactionCanceled = pickle.loads(pickle.dumps(refused.value))
    assert str(told) == str(refused.value)
    assert [(one.index, one.code, type(one.error)) for one in told.failures] == [
        (0, "ConditionalCheckFailed", VersionConflict),
        (2, "ConditionalCheckFailed", ItemNotFound),
    ]
    conflict: Any = told.failures[0].error
    assert (conflict.expected, conflict.item) == (3, Gadget(pk="1", title="stored", version=7))
    assert (conflict.operation.item, told.failures[0].operation) == (gadget, writes.operations[0])
