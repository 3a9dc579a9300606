from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ConnectionClosedError
from botocore.retries import standard
from hypothesis import given
from hypothesis import strategies as st

from logicaldb.operations import contention
from logicaldb.transport.retries import (
    DEFAULT_ATTEMPTS,
    QUOTA,
    THROTTLING,
    TRANSIENT,
    Retries,
    RetryQuota,
    Setback,
    max_attempts,
)

OPERATION: Any = boto3.client(
    "dynamodb", region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret"
).meta.service_model.operation_model("PutItem")
CODES = sorted((THROTTLING | TRANSIENT) - {"ReplicatedWriteConflictException"})
"""Without the one that the oldest botocore does not know."""
OTHERS = ["ConditionalCheckFailedException", "ValidationException", "TransactionConflictException", "Unknown", None]


def context_of(code: str | None, status: int) -> standard.RetryContext:
    """What botocore decides by."""
    http = SimpleNamespace(status_code=status, headers={}, content=b"")
    return standard.RetryContext(1, OPERATION, {"Error": {"Code": code}} if code else {}, http)


@pytest.mark.parametrize("code", [*CODES, *OTHERS])
@pytest.mark.parametrize("status", [400, 500, 501, 502, 503, 504])
def test_retries_what_botocore_retries(code: str | None, status: int) -> None:
    decides = standard.StandardRetryConditions(max_attempts=2)
    assert Setback(code, status).retryable is decides.is_retryable(context_of(code, status))


def test_knows_every_code_that_botocore_knows() -> None:
    """These tables of botocore are private; should they move, the test above still holds for the codes of today."""
    throttled_checker: Any = standard.ThrottledRetryableChecker
    transient_checker: Any = standard.TransientRetryableChecker
    throttled, transient = throttled_checker._THROTTLED_ERROR_CODES, transient_checker._TRANSIENT_ERROR_CODES
    assert set(throttled) | set(transient) | {"ReplicatedWriteConflictException"} == THROTTLING | TRANSIENT


@pytest.mark.parametrize("code", [*CODES, *OTHERS])
def test_throttling_is_what_botocore_takes_for_it(code: str | None) -> None:
    assert Setback(code, 400).throttled is standard.ThrottledRetryableChecker().is_retryable(context_of(code, 400))


def test_a_conflict_of_replicas_is_retried_and_is_no_throttling() -> None:
    """As the service model marks it; botocore reads it there, if it is new enough."""
    shape = OPERATION.service_model.shape_for_error_code("ReplicatedWriteConflictException")
    assert shape is None or shape.metadata.get("retryable") in (None, {"throttling": False})
    setback = Setback("ReplicatedWriteConflictException", 400)
    assert (setback.retryable, setback.throttled) == (True, False)


def test_what_the_flows_call_throttling_is_retried_as_such() -> None:
    assert contention.THROTTLING <= THROTTLING


def test_too_many_requests_without_a_code_that_says_so_is_throttling() -> None:
    assert Setback("Unknown", 429).throttled
    assert Setback(None, 429).retryable
    assert not Setback("ReplicatedWriteConflictException", 429).throttled


def test_no_answer_and_a_damaged_one_are_worth_another_attempt() -> None:
    decides = standard.StandardRetryConditions(max_attempts=2)
    lost = standard.RetryContext(1, OPERATION, caught_exception=ConnectionClosedError(endpoint_url="", error="cut"))
    assert Setback(broken=True).retryable is decides.is_retryable(lost) is True
    assert not Setback(broken=True).throttled
    assert Setback(status=200, broken=True).retryable
    assert not Setback().retryable


@pytest.mark.parametrize(
    ("setback", "pauses"),
    [
        (Setback("InternalServerError", 500), [0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 20.0, 20.0]),
        (Setback("ThrottlingException", 400), [1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0]),
        (Setback(broken=True), [0.025, 0.05]),
    ],
    ids=["a 5xx", "throttling", "no answer"],
)
def test_pauses_grow_exponentially(setback: Setback, pauses: list[float]) -> None:
    retries = Retries(len(pauses) + 1, RetryQuota(), jitter=lambda: 1.0)
    assert [retries.after(setback) for _ in pauses] == pytest.approx(pauses)
    assert retries.after(setback) is None


@given(st.floats(min_value=0, max_value=1, exclude_max=True))
def test_jitter_is_full(part: float) -> None:
    assert Retries(2, RetryQuota(), jitter=lambda: part).after(Setback("ThrottlingException", 400)) == part


def test_jitter_is_random() -> None:
    setback = Setback("ThrottlingException", 400)
    pauses = {Retries(2, RetryQuota()).after(setback) for _ in range(20)}
    assert len(pauses) > 1
    assert all(pause is not None and 0 <= pause < 1 for pause in pauses)


@pytest.mark.parametrize(
    ("header", "pause"),
    [
        (None, 0.5),
        ("0", 0.5),
        ("700", 0.7),
        ("5500", 5.5),
        ("60000", 5.5),
        ("9" * 5_000, 5.5),
        ("-1", 0.5),
        ("1.5", 0.5),
        ("soon", 0.5),
        ("²", 0.5),
        ("", 0.5),
    ],
)
def test_the_wish_of_the_service_is_heard_within_bounds(header: str | None, pause: float) -> None:
    """As botocore: never sooner than the jitter says, and at most five seconds later."""
    retries = Retries(2, RetryQuota(), jitter=lambda: 0.5)
    assert retries.after(Setback("ThrottlingException", 400, retry_after=header)) == pytest.approx(pause)


def test_ends_after_as_many_attempts_as_there_may_be() -> None:
    retries = Retries(3, RetryQuota())
    setback = Setback("ThrottlingException", 400)
    assert retries.after(setback) is not None
    assert retries.after(setback) is not None
    found: list[Any] = [retries.limit, retries.after(setback), retries.attempts, retries.limit]
    assert found == [None, None, 3, "MaxAttemptsReached"]


def test_ends_at_once_where_another_attempt_would_not_help() -> None:
    retries = Retries(3, RetryQuota())
    assert retries.after(Setback("ValidationException", 400)) is None
    assert (retries.attempts, retries.limit) == (1, None)


def test_the_quota_ends_retries_that_do_not_help() -> None:
    quota = RetryQuota()
    spent = 0
    while Retries(2, quota).after(Setback(status=500)) is not None:
        spent += 1
    assert spent == QUOTA // 14
    last = Retries(2, quota)
    assert last.after(Setback(status=500)) is None
    assert (last.attempts, last.limit) == (1, "RetryQuotaReached")
    throttled = 0
    while Retries(2, quota).after(Setback("ThrottlingException", 400)) is not None:
        throttled += 1
    assert throttled == (QUOTA - 14 * spent) // 5


def test_success_gives_back_what_the_last_retry_cost() -> None:
    quota = RetryQuota()
    retries = Retries(4, quota)
    retries.after(Setback(status=500))
    retries.after(Setback("ThrottlingException", 400))
    assert quota.available == QUOTA - 19
    retries.succeeded()
    assert quota.available == QUOTA - 14
    Retries(4, quota).succeeded()
    assert quota.available == QUOTA - 13


def test_the_quota_is_never_more_than_it_was() -> None:
    quota = RetryQuota()
    quota.release()
    assert quota.available == QUOTA
    quota.acquire(3)
    quota.release(14)
    assert quota.available == QUOTA


def test_threads_share_the_quota() -> None:
    quota = RetryQuota()
    won: list[int] = []

    def take() -> None:
        while quota.acquire(1):
            won.append(1)

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), quota.available) == (QUOTA, 0)


@pytest.mark.parametrize(
    ("retries", "expected"),
    [
        ({"mode": "legacy"}, 10),
        ({"mode": "standard"}, 4),
        ({"mode": "standard", "total_max_attempts": 1}, 1),
        ({"mode": "legacy", "total_max_attempts": 7}, 7),
    ],
)
def test_the_number_of_attempts_is_that_of_the_client(retries: dict[str, Any], expected: int) -> None:
    assert max_attempts(retries) == expected


def test_there_is_a_number_of_attempts_for_each_mode() -> None:
    assert sorted(DEFAULT_ATTEMPTS) == ["legacy", "standard"]
