"""Contention and throttling: waited for, but not for ever (V6)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from logicaldb import ThroughputExceeded
from tests.engines import code_of
from tests.faults.cases import ADDING, CONDITIONAL, INCREMENT, REPEATING, SAVE_VERSION, Case, prepare
from tests.faults.conftest import Stage
from tests.faults.proxy import THROTTLED, Fault
from tests.faults.test_lost_answers import cases

TRIES = 8
LONGEST = [min(1.0, 0.025 * 2**tries) for tries in range(1, TRIES)]
TOKENS = pytest.mark.parametrize("with_token", [False, True], ids=["alone", "token"])


def token_or_not(with_token: bool) -> str | None:
    return uuid4().hex if with_token else None


@TOKENS
@cases(*ADDING, *REPEATING, *CONDITIONAL)
def test_every_write_waits_for_other_transactions(
    stage: Stage, case: Case, with_token: bool, pauses: list[float]
) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CONFLICT, Fault.CONFLICT)
    case.write(stage.db(), stage.name, token_or_not(with_token))
    assert stage.proxy.faults == [Fault.CONFLICT, Fault.CONFLICT, Fault.PASS]
    assert len({str(received.body) for received in stage.proxy.received}) == 1
    assert case.effects(stage.direct, stage.name) == 1
    assert len(pauses) == 2


@TOKENS
def test_the_pauses_grow_and_are_random(stage: Stage, with_token: bool, pauses: list[float]) -> None:
    seen: list[list[float]] = []
    for number in range(3):
        prepare(stage.direct, f"{stage.name}-{number}")
        stage.proxy.plan(*[Fault.CONFLICT] * (TRIES - 1))
        INCREMENT.write(stage.db(), f"{stage.name}-{number}", token_or_not(with_token))
        seen.append(pauses.copy())
        pauses.clear()
    for pauses_of_one in seen:
        assert len(pauses_of_one) == TRIES - 1
        assert all(0 <= pause <= longest for pause, longest in zip(pauses_of_one, LONGEST, strict=True))
    # With full jitter, some pause of twenty-one is in the upper half of what it may be, and some in the lower.
    upper = [pause > longest / 2 for pauses in seen for pause, longest in zip(pauses, LONGEST, strict=True)]
    assert True in upper
    assert False in upper
    assert seen[0] != seen[1] != seen[2]


@TOKENS
@cases(INCREMENT, SAVE_VERSION)
def test_contention_that_does_not_end_is_botocores_error(
    stage: Stage, case: Case, with_token: bool, pauses: list[float]
) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(afterwards=Fault.CONFLICT)
    with pytest.raises(ClientError) as raised:
        case.write(stage.db(), stage.name, token_or_not(with_token))
    assert code_of(raised.value) == ("TransactionCanceledException" if with_token else "TransactionConflictException")
    assert stage.proxy.faults == [Fault.CONFLICT] * TRIES
    assert len(pauses) == TRIES - 1
    assert case.effects(stage.direct, stage.name) == 0


@pytest.mark.parametrize("fault", THROTTLED, ids=lambda fault: fault.name)
@TOKENS
@cases(INCREMENT, SAVE_VERSION)
def test_throttling_that_does_not_end_is_told(stage: Stage, case: Case, with_token: bool, fault: Fault) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(afterwards=fault)
    with pytest.raises(ThroughputExceeded) as raised:
        case.write(stage.db(attempts=3), stage.name, token_or_not(with_token))
    assert str(raised.value) == (f"DynamoDB throttled the request ({THROTTLED[fault]}), and the retries are spent")
    assert isinstance(raised.value.__cause__, ClientError)
    assert stage.proxy.faults == [fault] * 3
    assert case.effects(stage.direct, stage.name) == 0
    stage.proxy.plan(fault)
    case.write(stage.db(attempts=3), stage.name, token_or_not(with_token))
    assert stage.proxy.faults == [fault, Fault.PASS]
    assert case.effects(stage.direct, stage.name) == 1


def test_an_adaptive_client_is_throttled_as_others_are(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.THROTTLE)
    db = stage.db("adaptive", attempts=2)  # of its own: from now on it waits before each request
    assert INCREMENT.write(db, stage.name, None) == 6
    assert stage.proxy.faults == [Fault.THROTTLE, Fault.PASS]
    assert INCREMENT.effects(stage.direct, stage.name) == 1
