"""Trying again while nothing but contention is in the way (T5, V6)."""

from __future__ import annotations

import random
from typing import Any

import pytest

from logicaldb import ThroughputExceeded
from logicaldb.flow import Flow, Request, ServiceFailure, Sleep
from logicaldb.operations.contention import patiently, pause
from tests.unit.operations.driving import Run, cancelled, drive, failed

REQUEST = Request("UpdateItem", "things", {})
CONFLICT = {"Code": "TransactionConflict"}


def attempt() -> Flow[dict[str, Any]]:
    answer: dict[str, Any] = yield REQUEST
    return answer


def run_of(error: BaseException) -> Run:
    run: Run = error.run  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    return run


def test_what_succeeds_is_done_once() -> None:
    run = drive(patiently(attempt), {"done": True})
    assert (run.result, len(run.requests), run.sleeps) == ({"done": True}, 1, [])


CONTENTION = [
    failed("TransactionConflictException"),
    cancelled(CONFLICT),
    cancelled({"Code": "None"}, CONFLICT, {}),
    cancelled({"Code": "ThrottlingError"}),
    cancelled({"Code": "ProvisionedThroughputExceeded"}, CONFLICT),
]


@pytest.mark.parametrize("failure", CONTENTION)
@pytest.mark.parametrize("times", [1, 7])
def test_contention_is_waited_for(failure: ServiceFailure, times: int) -> None:
    run = drive(patiently(attempt), *[failure] * times, {"done": True})
    assert run.result == {"done": True}
    assert (len(run.requests), len(run.sleeps)) == (times + 1, times)


@pytest.mark.parametrize("failure", CONTENTION[:3] + CONTENTION[4:])
def test_the_last_failure_of_eight_passes(failure: ServiceFailure) -> None:
    with pytest.raises(ServiceFailure) as error:
        drive(patiently(attempt), *[failed("TransactionConflictException")] * 7, failure)
    assert error.value is failure
    assert (len(run_of(failure).requests), len(run_of(failure).sleeps)) == (8, 7)


@pytest.mark.parametrize("code", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_throttling_to_the_last(code: str) -> None:
    failure = cancelled({"Code": code}, {"Code": "None"})
    with pytest.raises(ThroughputExceeded) as error:
        drive(patiently(attempt), *[cancelled(CONFLICT)] * 7, failure)
    assert str(error.value) == "DynamoDB throttled the transaction, and the retries are spent"
    assert error.value.__cause__ is failure.error
    assert (len(run_of(error.value).requests), len(run_of(error.value).sleeps)) == (8, 7)


@pytest.mark.parametrize(
    "failure",
    [
        failed("ConditionalCheckFailedException"),
        failed("ValidationException"),
        failed("ProvisionedThroughputExceededException"),  # which botocore has retried
        failed("TransactionInProgressException"),
        cancelled(),
        failed("TransactionCanceledException"),
        cancelled({"Code": "None"}, {}),
        cancelled({"Code": "ConditionalCheckFailed"}),
        cancelled(CONFLICT, {"Code": "ConditionalCheckFailed"}),
        cancelled(CONFLICT, {"Code": "ValidationError"}),
        cancelled({"Code": "ItemCollectionSizeLimitExceeded"}, {"Code": "ThrottlingError"}),
    ],
)
def test_what_is_no_contention_passes_at_once(failure: ServiceFailure) -> None:
    with pytest.raises(ServiceFailure) as error:
        drive(patiently(attempt), failed("TransactionConflictException"), failure)
    assert error.value is failure
    assert len(run_of(failure).requests) == 2


def test_pauses_are_between_nothing_and_a_bound_that_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    bounds: list[tuple[float, float]] = []

    def draw(low: float, high: float) -> float:
        bounds.append((low, high))
        return high

    monkeypatch.setattr(random, "uniform", draw)
    run = drive(patiently(attempt), *[failed("TransactionConflictException")] * 7, {})
    assert bounds == [(0, 0.05), (0, 0.1), (0, 0.2), (0, 0.4), (0, 0.8), (0, 1.0), (0, 1.0)]
    assert run.sleeps == [high for _, high in bounds]


def test_pauses_are_drawn_each_time() -> None:
    """Full jitter: those who met do not meet again."""
    drawn = [pause(4) for _ in range(200)]
    assert len(set(drawn)) > 190
    assert 0 <= min(drawn) < 0.1
    assert 0.3 < max(drawn) <= 0.4


def test_a_step_other_than_a_request_is_handed_on() -> None:
    def slow() -> Flow[str]:
        yield Sleep(1.5)
        return "done"

    run = drive(patiently(slow))
    assert (run.result, run.sleeps) == ("done", [1.5])
