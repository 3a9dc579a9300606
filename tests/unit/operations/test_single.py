"""Reading one item; retries of writes that contend with transactions; tokens."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb import DecodingError, EncodingError, IncompleteKey, ThroughputExceeded
from logicaldb.flow import Request, ServiceFailure
from logicaldb.operations.contention import pause
from logicaldb.operations.single import load, write
from logicaldb.operations.writer import Writer
from tests.unit.operations.driving import Run, cancelled, drive, failed, make_table
from tests.unit.operations.models import Plain, PlainTable, ShopTable, Step

STEPS: Any = make_table(ShopTable).steps._source.key
PLAIN: Writer = make_table(PlainTable).plain._writer
ITEM = Plain(pk="P", sk="S")
STEP_KEY = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0003"}}


def put(token: str | None, *answers: Any) -> Run:
    return drive(write(PLAIN.prepare(PLAIN.operation("put", ITEM)), token), *answers)


# load


def test_load() -> None:
    run = drive(
        load("things", STEPS, Step.Key("C", 3), consistent_read=False), {"Item": {**STEP_KEY, "title": {"S": "x"}}}
    )
    assert run.requests == [Request("GetItem", "things", {"TableName": "things", "Key": STEP_KEY})]
    assert run.result == Step(customer="C", number=3, title="x")


def test_a_consistent_load_of_what_is_not_there() -> None:
    run = drive(load("things", STEPS, Step.Key("C", 3), consistent_read=True), {})
    assert run.bodies == [{"TableName": "things", "Key": STEP_KEY, "ConsistentRead": True}]
    assert run.result is None


def test_load_needs_a_whole_key() -> None:
    with pytest.raises(IncompleteKey) as error:
        drive(load("things", STEPS, Step.Key("C"), consistent_read=False))
    assert str(error.value) == "Step.Key(customer='C', number=None) lacks number; a whole key is needed here"


def test_load_of_a_row_that_is_not_valid() -> None:
    with pytest.raises(DecodingError) as error:
        drive(load("things", STEPS, Step.Key("C", 3), consistent_read=False), {"Item": STEP_KEY})
    assert str(error.value) == "the row pk='CUSTOMER_C', sk='STEP_0003' is no valid Step: title (missing)"


# Contention.


def test_a_write_that_meets_a_transaction_is_sent_again() -> None:
    conflict = failed("TransactionConflictException")
    run = put(None, conflict, conflict, {})
    assert run.operations == ["PutItem"] * 3
    assert run.bodies[0] == run.bodies[1] == run.bodies[2]
    assert run.result == ITEM
    assert len(run.sleeps) == 2


@pytest.mark.parametrize(
    "reasons",
    [
        [{"Code": "TransactionConflict"}],
        [{"Code": "None"}, {"Code": "TransactionConflict"}],
        [{"Code": "ThrottlingError"}],
        [{"Code": "ProvisionedThroughputExceeded"}, {"Code": "TransactionConflict"}, {}],
    ],
)
def test_a_transaction_that_meets_another_is_sent_again_with_its_token(reasons: Any) -> None:
    run = put("token", cancelled(*reasons), {})
    assert run.operations == ["TransactWriteItems"] * 2
    assert run.bodies[0] == run.bodies[1]
    assert run.bodies[0]["ClientRequestToken"] == "token"
    assert run.result == ITEM


@pytest.mark.parametrize(
    "failure",
    [
        cancelled({"Code": "ValidationError"}),
        cancelled({"Code": "TransactionConflict"}, {"Code": "ValidationError"}),
        cancelled(),
        failed("TransactionCanceledException"),  # DynamoDB Local may give no reasons
        failed("IdempotentParameterMismatchException"),
        failed("ProvisionedThroughputExceededException"),
    ],
)
def test_other_failures_pass(failure: ServiceFailure) -> None:
    with pytest.raises(ServiceFailure) as error:
        put("token", failure)
    assert error.value is failure


def test_other_failures_of_a_single_write_pass() -> None:
    failure = failed("ValidationException")
    with pytest.raises(ServiceFailure) as error:
        put(None, failure)
    assert error.value is failure


@pytest.mark.parametrize(
    ("token", "failure"),
    [
        (None, failed("TransactionConflictException")),
        ("token", cancelled({"Code": "TransactionConflict"}, {"Code": "ThrottlingError"})),
    ],
)
def test_contention_has_an_end(token: str | None, failure: ServiceFailure) -> None:
    with pytest.raises(ServiceFailure) as error:
        put(token, *[failure] * 8)
    assert error.value is failure
    run: Run = error.value.run  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    assert len(run.requests) == 8
    assert len(run.sleeps) == 7


def test_throttling_has_an_end() -> None:
    failure = cancelled({"Code": "ThrottlingError"})
    with pytest.raises(ThroughputExceeded) as error:
        put("token", *[failure] * 8)
    assert str(error.value) == "DynamoDB throttled the transaction, and the retries are spent"
    assert error.value.__cause__ is failure.error


def test_pauses_grow_with_full_jitter() -> None:
    for tries, longest in ((1, 0.05), (2, 0.1), (5, 0.8), (6, 1.0), (50, 1.0)):
        several = [pause(tries) for _ in range(300)]
        assert 0 <= min(several) < longest * 0.2
        assert longest * 0.8 < max(several) <= longest


# Tokens.


@pytest.mark.parametrize("token", ["", "x" * 37])
def test_the_length_of_a_token(token: str) -> None:
    with pytest.raises(EncodingError) as error:
        put(token)
    assert str(error.value) == f"an idempotency token has 1 to 36 characters, not {len(token)}"


def test_the_type_of_a_token() -> None:
    token: Any = 17
    with pytest.raises(TypeError) as error:
        put(token)
    assert str(error.value) == "an idempotency token is a str, not an int"
