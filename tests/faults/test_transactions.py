"""Transactions while things go wrong: once, under one token, and what is told is what happened (T4 to T6, E2)."""

from __future__ import annotations

import pickle
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ChecksumError, ClientError, ConnectionClosedError, EndpointConnectionError
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from logicaldb import (
    AmbiguousWrite,
    ConditionFailed,
    ItemAlreadyExists,
    LogicalDbError,
    ThroughputExceeded,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    attr,
)
from logicaldb.testing.clients import make_test_client
from tests.faults.cases import note, old_note, prepare, stored_note, stored_tally
from tests.faults.conftest import Mode, Stage
from tests.faults.proxy import NOT_APPLIED, READS, Cancel, Fault
from tests.faults.test_lost_answers import ALL_FAULTS, CAUSES, FAULTS, MODES
from tests.models import Db, Mark, Note, Tally, make_db

TRIES = 8
OPERATIONS = ("update of Tally.Key(name='{0}')", "save of Note.Key(name='{0}')", "create of Note.Key(name='{0}-new')")
UNTOLD = "was sent, and no answer tells whether it took effect; send the same TransactionWriteSet again, or execute the same pager again"


def writes_of(name: str) -> TransactionWriteSet:
    """What adds, what is held to a version, what fails where it was done, and what writes nothing."""
    return (
        TransactionWriteSet()
        .update(Tally.Key(name), attr(Tally.hits).add(1), attr(Tally.log).append(["c"]))
        .save(old_note(name).replace(text="new"))
        .create(Note(name=f"{name}-new"))
        .check_condition(Mark.Key(name), attr(Mark.name).not_exists())
    )


def effects(stage: Stage) -> tuple[int, int, int, int]:
    """How often each of them took effect."""
    tally, made = stored_tally(stage.direct, stage.name), note(stage.direct, f"{stage.name}-new")
    versions = (stored_note(stage.direct, stage.name).version - 1, 0 if made is None else made.version)
    return (tally.hits - 5, len(tally.log) - 2, *versions)


ONCE = (1, 1, 1, 1)
NEVER = (0, 0, 0, 0)


def named(stage: Stage) -> str:
    """How messages call the set."""
    return f"the transaction ({', '.join(OPERATIONS).format(stage.name)}, 1 more)"


def sent(stage: Stage) -> dict[str, Any]:
    """The body that every attempt had."""
    first, *others = [received.body for received in stage.proxy.received]
    assert all(received.operation == "TransactWriteItems" for received in stage.proxy.received)
    assert all(other == first for other in others)
    return first


# Lost answers.


@MODES
@ALL_FAULTS
def test_what_botocore_sends_again_takes_effect_once(stage: Stage, fault: Fault, mode: Mode) -> None:
    """And its conditions do not fail against itself."""
    prepare(stage.direct, stage.name)
    stage.proxy.plan(fault)
    items = stage.db(mode).transaction_write(writes_of(stage.name))
    assert stage.proxy.faults == [fault, Fault.PASS]
    assert sent(stage)["ClientRequestToken"]
    assert effects(stage) == ONCE
    assert list(items) == [stored_note(stage.direct, f"{stage.name}-new")]


def test_a_duplicate_on_the_way_takes_effect_once(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.DUPLICATE)
    stage.db().transaction_write(writes_of(stage.name))
    assert [received.statuses for received in stage.proxy.received] == [[200, 200]]
    assert effects(stage) == ONCE


@MODES
@ALL_FAULTS
def test_when_no_attempt_is_answered_the_same_set_is_sent_again(stage: Stage, fault: Fault, mode: Mode) -> None:
    prepare(stage.direct, stage.name)
    db = stage.db(mode, attempts=2)
    writes = writes_of(stage.name)
    stage.proxy.plan(fault, fault)
    with pytest.raises(AmbiguousWrite) as raised:
        db.transaction_write(writes)
    assert str(raised.value) == f"{named(stage)}: {UNTOLD}"
    assert raised.value.operation is writes
    assert isinstance(raised.value.__cause__, CAUSES[fault] if fault is not Fault.TRUNCATE else Exception)
    assert effects(stage) == (NEVER if fault in NOT_APPLIED else ONCE)
    for _ in range(2):
        items = db.transaction_write(writes)
        assert list(items) == [stored_note(stage.direct, f"{stage.name}-new")]
    assert stage.proxy.faults == [fault, fault, Fault.PASS, Fault.PASS]
    assert sent(stage)
    assert effects(stage) == ONCE


@pytest.mark.parametrize("fault", [Fault.DELAY, Fault.HOLD], ids=lambda fault: fault.name)
def test_an_attempt_that_arrives_late_takes_effect_once(stage: Stage, fault: Fault) -> None:
    prepare(stage.direct, stage.name)
    writes = writes_of(stage.name)
    stage.proxy.plan(fault)
    db = stage.db(attempts=1, read_timeout=0.4)
    with pytest.raises(AmbiguousWrite):
        db.transaction_write(writes)
    stage.proxy.wait()
    stage.direct.transaction_write(writes)
    assert stage.proxy.release() == ([200] if fault is Fault.HOLD else [])
    assert effects(stage) == ONCE


def test_another_process_may_send_the_set_again(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER)
    with pytest.raises(AmbiguousWrite) as raised:
        stage.db(attempts=1).transaction_write(writes_of(stage.name))
    error: AmbiguousWrite = pickle.loads(pickle.dumps(raised.value))
    stage.direct.transaction_write(error.operation)
    assert effects(stage) == ONCE


@FAULTS
def test_a_condition_that_fails_after_a_lost_answer_is_told_as_it_is(stage: Stage, fault: Fault) -> None:
    prepare(stage.direct, stage.name)
    other = stage.direct.save(old_note(stage.name).replace(text="of another"))
    made = stage.direct.create(Note(name=f"{stage.name}-new"))
    before = effects(stage)
    stage.proxy.plan(fault)
    with pytest.raises(TransactionCanceled) as raised:
        stage.db().transaction_write(writes_of(stage.name))
    assert [(one.index, type(one.error)) for one in raised.value.failures] == [
        (1, VersionConflict),
        (2, ItemAlreadyExists),
    ]
    assert [getattr(one.error, "item", None) for one in raised.value.failures] == [other, made]
    assert stage.proxy.faults == [fault, Fault.PASS]
    assert effects(stage) == before


@pytest.mark.parametrize(
    ("first", "afterwards"),
    [
        (Fault.CUT_AFTER, Fault.THROTTLE),
        (Fault.CUT_BEFORE, Fault.THROTTLE),
        (Fault.IN_PROGRESS, Fault.IN_PROGRESS),
        (Fault.CUT_AFTER, Fault.IN_PROGRESS),
    ],
)
def test_an_answer_that_does_not_tell_the_outcome_is_none(stage: Stage, first: Fault, afterwards: Fault) -> None:
    prepare(stage.direct, stage.name)
    db = stage.db(attempts=3)
    stage.proxy.plan(first, afterwards, afterwards)
    writes = writes_of(stage.name)
    with pytest.raises(AmbiguousWrite) as raised:
        db.transaction_write(writes)
    assert str(raised.value) == f"{named(stage)}: {UNTOLD}"
    assert isinstance(raised.value.__cause__, ClientError)
    db.transaction_write(writes)
    assert sent(stage)
    assert effects(stage) == ONCE


def test_a_transaction_that_is_in_progress_is_waited_for(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER, Fault.IN_PROGRESS)
    stage.db().transaction_write(writes_of(stage.name))
    assert stage.proxy.faults == [Fault.CUT_AFTER, Fault.IN_PROGRESS, Fault.PASS]
    assert sent(stage)
    assert effects(stage) == ONCE


# What tells nothing about an attempt before it.


@contextmanager
def unreachable(stage: Stage) -> Generator[Db]:
    """The database where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        retries = {"mode": "standard", "total_max_attempts": 1}
        yield make_db(make_test_client(url, "us-east-1", retries=retries), stage.table)


def test_what_could_not_be_sent_was_not_sent(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    writes = writes_of(stage.name)
    with unreachable(stage) as db, pytest.raises(EndpointConnectionError):
        db.transaction_write(writes)
    stage.direct.transaction_write(writes)
    assert effects(stage) == ONCE


@pytest.mark.parametrize("lost", [Fault.CUT_BEFORE, Fault.CUT_AFTER], ids=lambda fault: fault.name)
def test_a_set_whose_outcome_is_open_stays_open(stage: Stage, lost: Fault) -> None:
    """Neither throttling nor a broken network tells what came of what was sent before."""
    prepare(stage.direct, stage.name)
    db = stage.db(attempts=1)
    writes = writes_of(stage.name)
    stage.proxy.plan(lost, Fault.THROTTLE)
    causes: list[BaseException | None] = []
    for _ in range(2):
        with pytest.raises(AmbiguousWrite) as raised:
            db.transaction_write(writes)
        causes.append(raised.value.__cause__)
    with unreachable(stage) as nowhere, pytest.raises(AmbiguousWrite) as not_sent:
        nowhere.transaction_write(writes)
    causes.append(not_sent.value.__cause__)
    assert [type(cause).__name__ for cause in causes] == [
        "ConnectionClosedError",
        "ProvisionedThroughputExceededException",
        "EndpointConnectionError",
    ]
    db.transaction_write(writes)
    assert sent(stage)
    assert effects(stage) == ONCE


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1_000_000.0
        monkeypatch.setattr("logicaldb.operations.transactions.time.time", lambda: self.seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER], ids=lambda fault: fault.name)
def test_a_token_is_used_for_9_minutes_and_no_longer(stage: Stage, clock: Clock, fault: Fault) -> None:
    """T6."""
    prepare(stage.direct, stage.name)
    writes = writes_of(stage.name)
    db = stage.db(attempts=1)
    stage.proxy.plan(fault, fault)
    with pytest.raises(AmbiguousWrite):
        db.transaction_write(writes)
    clock.seconds += 539
    with pytest.raises(AmbiguousWrite):
        db.transaction_write(writes)
    clock.seconds += 1
    with pytest.raises(AmbiguousWrite) as raised:
        db.transaction_write(writes)
    assert str(raised.value) == (
        f"{named(stage)}: was sent more than 9 minutes ago, and no answer told whether it took effect; its idempotency "
        "token is too old to send it again, so look at what is stored"
    )
    assert stage.proxy.faults == [fault] * 2
    assert sent(stage)
    assert effects(stage) == (NEVER if fault in NOT_APPLIED else ONCE)


def test_what_was_refused_has_another_token_after_9_minutes(stage: Stage, clock: Clock) -> None:
    """T6."""
    prepare(stage.direct, stage.name)
    stage.direct.save(Mark(name=stage.name))
    writes = writes_of(stage.name)
    stage.proxy.plan()
    db = stage.db()
    with pytest.raises(TransactionCanceled):
        db.transaction_write(writes)
    stage.direct.delete_key(Mark.Key(stage.name))
    clock.seconds += 540
    db.transaction_write(writes)
    tokens = [received.body["ClientRequestToken"] for received in stage.proxy.received]
    assert len(set(tokens)) == 2
    assert effects(stage) == ONCE


def test_what_was_written_is_not_written_again_under_another_token(stage: Stage, clock: Clock) -> None:
    prepare(stage.direct, stage.name)
    writes = TransactionWriteSet().update(Tally.Key(stage.name), attr(Tally.hits).add(1))
    stage.direct.transaction_write(writes)
    clock.seconds += 541
    with pytest.raises(LogicalDbError) as raised:
        stage.direct.transaction_write(writes)
    assert str(raised.value) == (
        f"the transaction (update of Tally.Key(name='{stage.name}')): was written more than 9 minutes ago, so its "
        "idempotency token is too old to send it again; make another TransactionWriteSet to write it once more"
    )
    assert stored_tally(stage.direct, stage.name).hits == 6


# Contention.


@pytest.mark.parametrize("times", [1, TRIES - 1])
def test_contention_is_waited_for_with_one_token_and_one_payload(stage: Stage, times: int, pauses: list[float]) -> None:
    """T4, T5."""
    prepare(stage.direct, stage.name)
    stage.proxy.plan(*[Fault.CONFLICT] * times)
    stage.db().transaction_write(writes_of(stage.name))
    assert stage.proxy.faults == [*[Fault.CONFLICT] * times, Fault.PASS]
    assert sent(stage)["ClientRequestToken"]
    assert effects(stage) == ONCE
    assert len(pauses) == times
    assert all(0 <= pause <= min(1.0, 0.05 * 2**number) for number, pause in enumerate(pauses))


def test_contention_has_an_end_and_nothing_was_written(stage: Stage, pauses: list[float]) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(*[Fault.CONFLICT] * TRIES)
    db, writes = stage.db(), writes_of(stage.name)
    with pytest.raises(TransactionCanceled) as raised:
        db.transaction_write(writes)
    assert [(one.index, one.code, one.error) for one in raised.value.failures] == [
        (index, "TransactionConflict", None) for index in range(4)
    ]
    assert [str(one.operation) for one in raised.value.failures] == list(map(str, writes.operations))
    assert isinstance(raised.value.__cause__, ClientError)
    assert stage.proxy.faults == [Fault.CONFLICT] * TRIES
    assert len(pauses) == TRIES - 1
    assert effects(stage) == NEVER
    db.transaction_write(writes)
    assert sent(stage)
    assert effects(stage) == ONCE


@pytest.mark.parametrize(
    "reasons",
    [
        [None, "TransactionConflict", None, None],
        ["ThrottlingError", None, None, None],
        [None, None, "ProvisionedThroughputExceeded", "TransactionConflict"],
    ],
)
def test_reasons_that_are_all_contention_are_waited_for(stage: Stage, reasons: list[str | None]) -> None:
    prepare(stage.direct, stage.name)
    cancel = Cancel(tuple(reasons))
    stage.proxy.plan(cancel, cancel)
    stage.db().transaction_write(writes_of(stage.name))
    assert stage.proxy.faults == [cancel, cancel, Fault.PASS]
    assert sent(stage)["ClientRequestToken"]
    assert effects(stage) == ONCE


@pytest.mark.parametrize("other", ["ConditionalCheckFailed", "ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_any_other_reason_ends_it(stage: Stage, other: str, pauses: list[float]) -> None:
    """T5."""
    prepare(stage.direct, stage.name)
    cancel = Cancel(("TransactionConflict", other, None, None))
    stage.proxy.plan(cancel)
    with pytest.raises(TransactionCanceled) as raised:
        stage.db().transaction_write(writes_of(stage.name))
    assert stage.proxy.faults == [cancel]
    assert pauses == []
    assert [(one.index, one.code) for one in raised.value.failures] == [(0, "TransactionConflict"), (1, other)]
    assert raised.value.failures[0].error is None
    assert isinstance(raised.value.failures[1].error, ConditionFailed) == (other == "ConditionalCheckFailed")
    assert effects(stage) == NEVER


def test_throttling_as_the_reason_has_an_end(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    cancel = Cancel((None, "ThrottlingError", None, None))
    stage.proxy.plan(*[cancel] * TRIES)
    with pytest.raises(ThroughputExceeded) as raised:
        stage.db().transaction_write(writes_of(stage.name))
    assert stage.proxy.faults == [cancel] * TRIES
    assert str(raised.value) == "DynamoDB throttled the transaction, and the retries are spent"
    assert isinstance(raised.value.__cause__, ClientError)
    assert effects(stage) == NEVER


def test_throttling_of_the_request_is_left_to_botocore_and_told(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    db, writes = stage.db(attempts=3), writes_of(stage.name)
    stage.proxy.plan(*[Fault.THROTTLE] * 3)
    with pytest.raises(ThroughputExceeded) as raised:
        db.transaction_write(writes)
    assert str(raised.value) == (
        "DynamoDB throttled the request (ProvisionedThroughputExceededException), and the retries are spent"
    )
    assert effects(stage) == NEVER
    db.transaction_write(writes)
    assert stage.proxy.faults == [*[Fault.THROTTLE] * 3, Fault.PASS]
    assert sent(stage)
    assert effects(stage) == ONCE


def test_contention_after_a_lost_answer(stage: Stage, pauses: list[float]) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER, Fault.CONFLICT, Fault.CUT_BEFORE)
    stage.db().transaction_write(writes_of(stage.name))
    assert stage.proxy.faults == [Fault.CUT_AFTER, Fault.CONFLICT, Fault.CUT_BEFORE, Fault.PASS]
    assert sent(stage)
    assert effects(stage) == ONCE
    assert len(pauses) == 1


# Loads.


@FAULTS
def test_a_load_is_sent_again(stage: Stage, fault: Fault) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(fault, operations=READS)
    items = stage.db().transaction_load(Note.Key(stage.name), Mark.Key(stage.name), Tally.Key(stage.name))
    assert list(items) == [stored_note(stage.direct, stage.name), stored_tally(stage.direct, stage.name)]
    assert items.missing == [Mark.Key(stage.name)]
    assert stage.proxy.faults[:2] == [fault, Fault.PASS]
    assert [received.operation for received in stage.proxy.received[:2]] == ["TransactGetItems"] * 2


@pytest.mark.parametrize(("fault", "error"), [(Fault.CUT_BEFORE, ConnectionClosedError), (Fault.DAMAGE, ChecksumError)])
def test_a_load_that_is_never_answered_is_botocores_error(stage: Stage, fault: Fault, error: type[Exception]) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(afterwards=fault, operations=READS)
    with pytest.raises(error):
        stage.db(attempts=2).transaction_load(Note.Key(stage.name), Tally.Key(stage.name))
    assert stage.proxy.faults == [fault] * 2


def test_a_load_waits_for_writes_of_others(stage: Stage, pauses: list[float]) -> None:
    prepare(stage.direct, stage.name)
    cancels = [Cancel((None, "TransactionConflict")), Cancel(("ThrottlingError", "TransactionConflict"))]
    stage.proxy.plan(*cancels, operations=READS)
    items = stage.db().transaction_load(Note.Key(stage.name), Tally.Key(stage.name))
    assert stage.proxy.faults == [*cancels, Fault.PASS]
    assert len(pauses) == 2
    assert items.missing == []


def test_a_load_does_not_wait_for_ever(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    cancel = Cancel((None, "TransactionConflict"))
    stage.proxy.plan(*[cancel] * TRIES, operations=READS)
    with pytest.raises(TransactionCanceled) as raised:
        stage.db().transaction_load(Note.Key(stage.name), Tally.Key(stage.name))
    assert stage.proxy.faults == [cancel] * TRIES
    assert str(raised.value) == (
        f"nothing was read: load of Tally.Key(name='{stage.name}'): another write of the item was under way each time "
        "(TransactionConflict)"
    )


# Anything, in any order.

SOME = [
    Fault.PASS,
    Fault.CUT_BEFORE,
    Fault.CUT_AFTER,
    Fault.ERROR_AFTER,
    Fault.ERROR_BEFORE,
    Fault.DAMAGE,
    Fault.THROTTLE,
    Fault.CONFLICT,
    Fault.IN_PROGRESS,
    Fault.DUPLICATE,
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=st.lists(st.sampled_from(SOME), max_size=8), sendings=st.integers(1, 4), stale=st.booleans())
def test_what_is_told_is_what_happened(
    stages: Callable[[], Stage], faults: list[Fault], sendings: int, stale: bool
) -> None:
    """T1, T4, E2: whatever goes wrong, however often the set is sent, it takes effect once or not at all."""
    stage = stages()
    prepare(stage.direct, stage.name)
    if stale:
        stage.direct.save(Mark(name=stage.name))
    writes, db = writes_of(stage.name), stage.db(attempts=2)
    stage.proxy.plan(*faults)
    for _ in range(sendings):
        try:
            db.transaction_write(writes)
        except AmbiguousWrite:
            outcome, possible = "ambiguous", [NEVER, ONCE]
        except TransactionCanceled:
            outcome, possible = "cancelled", [NEVER]
        except ThroughputExceeded:
            outcome, possible = "throttled", [NEVER]
        else:
            outcome, possible = "done", [ONCE]
        event(outcome)
        assert effects(stage) in possible
        assert not stale or (outcome != "done" and effects(stage) == NEVER)
    assert sent(stage)
    stage.proxy.plan()
    if stale:
        with pytest.raises(TransactionCanceled):
            db.transaction_write(writes)
    else:
        db.transaction_write(writes)
        assert effects(stage) == ONCE
