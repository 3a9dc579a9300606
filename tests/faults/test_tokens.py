"""Writes under an idempotency token: they take effect once, whatever becomes of their answers (C5, V5)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from logicaldb import AmbiguousWrite, CounterOutOfBounds, Item, ItemAlreadyExists, VersionConflict
from tests.faults.cases import (
    ADDING,
    CONDITIONAL,
    INCREMENT,
    REPEATING,
    SAVE,
    SAVE_VERSION,
    Case,
    again,
    old_note,
    prepare,
    stored_note,
    stored_tally,
)
from tests.faults.conftest import Mode, Stage
from tests.faults.proxy import READS, Fault
from tests.faults.test_lost_answers import AGAINST_ITSELF, ALL_FAULTS, FAULTS, MODES, UNANSWERED, cases
from tests.models import Note, Tally

ADVICE = "send it again with the same idempotency token"
WRITE_OF_ONE = "TransactWriteItems"


def once(stage: Stage, case: Case, fault: Fault, mode: Mode) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(fault)
    token = uuid4().hex
    written = case.write(stage.db(mode), stage.name, token)
    assert stage.proxy.faults == [fault, Fault.PASS]
    first, second = stage.proxy.received
    assert first.operation == WRITE_OF_ONE
    assert first.body == second.body
    assert first.body["ClientRequestToken"] == token
    assert case.effects(stage.direct, stage.name) == 1
    if isinstance(written, Item) and not case.title.startswith("delete"):
        assert written == again(stage.direct, written)


@MODES
@ALL_FAULTS
def test_an_increment_counts_once(stage: Stage, fault: Fault, mode: Mode) -> None:
    once(stage, INCREMENT, fault, mode)


@FAULTS
@cases(*ADDING[1:], *REPEATING, *CONDITIONAL)
def test_every_write_takes_effect_once(stage: Stage, case: Case, fault: Fault) -> None:
    once(stage, case, fault, "standard")


def test_an_increment_that_is_sent_again_counts_once_and_gives_the_present_count(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    key = Tally.Key(stage.name)
    assert stage.direct.increment(key, Tally.hits, idempotency_token=f"{stage.name}-1") == 6
    assert stage.direct.increment(key, Tally.hits) == 7
    assert stage.direct.increment(key, Tally.hits, idempotency_token=f"{stage.name}-1") == 7
    assert stage.direct.increment(key, Tally.hits, idempotency_token=f"{stage.name}-2") == 8


@cases(*ADDING, SAVE, SAVE_VERSION)
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER], ids=lambda fault: fault.name)
def test_when_no_attempt_is_answered_it_may_be_sent_again_under_its_token(
    stage: Stage, case: Case, fault: Fault
) -> None:
    prepare(stage.direct, stage.name)
    db = stage.db(attempts=2)
    stage.proxy.plan(afterwards=fault)
    token = uuid4().hex
    with pytest.raises(AmbiguousWrite) as raised:
        case.write(db, stage.name, token)
    error = raised.value
    assert str(error) == f"{case.title_of(stage.name)}: {UNANSWERED}; {ADVICE}"
    assert str(error.operation) == case.title_of(stage.name)
    assert (error.key, error.item) == (error.operation.key, None)
    assert type(error.__cause__) is ConnectionClosedError
    assert stage.proxy.faults == [fault] * 2
    stage.proxy.plan()
    case.write(db, stage.name, token)
    assert case.effects(stage.direct, stage.name) == 1


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER], ids=lambda fault: fault.name)
def test_a_condition_that_fails_is_told_as_it_is(stage: Stage, fault: Fault) -> None:
    """Under its token it cannot have failed against itself."""
    prepare(stage.direct, stage.name)
    stored = stage.direct.save(old_note(stage.name).replace(text="of another"))
    stage.proxy.plan(fault)
    with pytest.raises(VersionConflict) as raised:
        SAVE_VERSION.write(stage.db(), stage.name, uuid4().hex)
    assert str(raised.value) == f"save of Note.Key(name='{stage.name}'): the stored version is not the expected one"
    assert AGAINST_ITSELF not in str(raised.value)
    assert (raised.value.expected, raised.value.item) == (1, stored)
    assert stage.proxy.faults == [fault, Fault.PASS]


def test_bounds_that_would_be_passed_are_told_as_they_are(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER)
    with pytest.raises(CounterOutOfBounds) as raised:
        stage.db().increment(Tally.Key(stage.name), Tally.stock, -6, idempotency_token=uuid4().hex)
    assert raised.value.item == stored_tally(stage.direct, stage.name)
    assert raised.value.item.stock == 5


def test_an_item_that_exists_is_told_as_it_is(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER)
    with pytest.raises(ItemAlreadyExists) as raised:
        stage.db().create(Note(name=stage.name), idempotency_token=uuid4().hex)
    assert raised.value.item == stored_note(stage.direct, stage.name)


def test_contention_after_a_lost_answer_is_waited_for_under_the_same_token(stage: Stage, pauses: list[float]) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER, Fault.CONFLICT, Fault.CUT_BEFORE)
    token = uuid4().hex
    assert INCREMENT.write(stage.db(), stage.name, token) == 6
    assert stage.proxy.faults == [Fault.CUT_AFTER, Fault.CONFLICT, Fault.CUT_BEFORE, Fault.PASS]
    assert [received.body["ClientRequestToken"] for received in stage.proxy.received] == [token] * 4
    assert len(pauses) == 1
    assert INCREMENT.effects(stage.direct, stage.name) == 1


@pytest.mark.parametrize(
    ("first", "afterwards"),
    [(Fault.CUT_AFTER, Fault.THROTTLE), (Fault.CUT_BEFORE, Fault.THROTTLE), (Fault.IN_PROGRESS, Fault.IN_PROGRESS)],
)
def test_an_answer_that_does_not_tell_the_outcome_is_none(stage: Stage, first: Fault, afterwards: Fault) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(first, afterwards=afterwards)
    with pytest.raises(AmbiguousWrite) as raised:
        INCREMENT.write(stage.db(attempts=3), stage.name, uuid4().hex)
    assert str(raised.value) == f"{INCREMENT.title_of(stage.name)}: {UNANSWERED}; {ADVICE}"
    assert isinstance(raised.value.__cause__, ClientError)
    assert stage.proxy.faults == [first, afterwards, afterwards]
    assert INCREMENT.effects(stage.direct, stage.name) == (1 if first is Fault.CUT_AFTER else 0)


def test_a_count_that_cannot_be_read_afterwards_does_not_look_like_a_failure(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    db = stage.db(attempts=2)
    stage.proxy.plan(afterwards=Fault.CUT_BEFORE, operations=READS)
    token = uuid4().hex
    with pytest.raises(AmbiguousWrite) as raised:
        INCREMENT.write(db, stage.name, token)
    assert str(raised.value) == (
        f"{INCREMENT.title_of(stage.name)}: took effect, but what is stored now could not be read; {ADVICE}"
    )
    assert type(raised.value.__cause__) is ConnectionClosedError
    assert stage.proxy.faults == [Fault.CUT_BEFORE] * 2
    stage.proxy.plan()
    assert INCREMENT.write(db, stage.name, token) == 6
    assert INCREMENT.effects(stage.direct, stage.name) == 1


def test_a_delete_that_cannot_read_first_sends_nothing(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(afterwards=Fault.CUT_BEFORE, operations=[*READS, WRITE_OF_ONE])
    with pytest.raises(ConnectionClosedError):
        stage.db(attempts=2).delete(old_note(stage.name), idempotency_token=uuid4().hex)
    assert [received.operation for received in stage.proxy.received] == ["GetItem"] * 2
    assert stored_note(stage.direct, stage.name).version == 1
