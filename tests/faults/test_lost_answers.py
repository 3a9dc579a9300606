"""Writes whose answers are lost: never twice, no false conflict, no false success (C5, V5)."""

from __future__ import annotations

import pytest
from botocore.exceptions import ChecksumError, ClientError, ConnectionClosedError, ReadTimeoutError

from logicaldb import AmbiguousWrite, Item, attr
from tests.engines import code_of
from tests.faults.cases import (
    ADDING,
    CONDITIONAL,
    INCREMENT,
    RAW,
    REPEATING,
    SAVE,
    SAVE_VERSION,
    Case,
    again,
    note,
    prepare,
    stored_note,
    stored_tally,
    tally,
)
from tests.faults.conftest import Mode, Stage
from tests.faults.proxy import APPLIED, Fault
from tests.models import Mark, Note, Row, Tally

UNANSWERED = "was sent, and no answer tells whether it took effect"
AGAINST_ITSELF = "its condition failed after an attempt whose answer was lost, so it may have failed against itself"

CAUSES: dict[Fault, type[Exception] | tuple[type[Exception], ...]] = {
    Fault.CUT_BEFORE: ConnectionClosedError,
    Fault.CUT_AFTER: ConnectionClosedError,
    Fault.RESET_AFTER: ConnectionClosedError,
    Fault.ERROR_BEFORE: ClientError,
    Fault.ERROR_AFTER: ClientError,
    Fault.UNAVAILABLE: ClientError,
    Fault.DAMAGE: ChecksumError,
    Fault.TRUNCATE: (ConnectionClosedError, ChecksumError),  # botocore itself hands on what was cut off
}
"""What botocore makes of each fault at once."""

ALL_FAULTS = pytest.mark.parametrize("fault", CAUSES, ids=lambda fault: fault.name)
FAULTS = pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.CUT_AFTER, Fault.ERROR_AFTER], ids=lambda fault: fault.name
)
MODES = pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])


def cases(*cases: Case) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases, ids=str)


def check_unanswered(stage: Stage, case: Case, error: AmbiguousWrite) -> None:
    """It is told of the write as the caller asked for it, and no more."""
    assert str(error) == f"{case.title_of(stage.name)}: {UNANSWERED}"
    assert str(error.operation) == case.title_of(stage.name)
    assert error.key == error.operation.key
    assert error.item is None


# What adds


def adding(stage: Stage, case: Case, fault: Fault, mode: Mode) -> None:
    prepare(stage.direct, stage.name)
    db = stage.db(mode)
    stage.proxy.plan(fault)
    with pytest.raises(AmbiguousWrite) as raised:
        case.write(db, stage.name, None)
    check_unanswered(stage, case, raised.value)
    assert isinstance(raised.value.__cause__, CAUSES[fault])
    assert stage.proxy.faults == [fault]
    assert case.effects(stage.direct, stage.name) == (1 if fault in APPLIED else 0)
    # The client is as good as new.
    stage.proxy.plan()
    case.write(db, stage.name, None)
    assert stage.proxy.faults == [Fault.PASS]


@MODES
@ALL_FAULTS
def test_an_increment_whose_answer_is_lost_is_never_counted_twice(stage: Stage, fault: Fault, mode: Mode) -> None:
    adding(stage, INCREMENT, fault, mode)


@FAULTS
@cases(*ADDING[1:])
def test_what_adds_is_never_added_twice(stage: Stage, case: Case, fault: Fault) -> None:
    adding(stage, case, fault, "standard")


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@cases(*ADDING)
def test_what_adds_is_sent_again_after_a_refusal(stage: Stage, case: Case, mode: Mode) -> None:
    """Throttling and contention tell that nothing was done."""
    prepare(stage.direct, stage.name)
    db = stage.db(mode)
    refusals = [Fault.THROTTLE, Fault.CONFLICT, Fault.THROTTLE]
    stage.proxy.plan(*refusals)
    case.write(db, stage.name, None)
    assert stage.proxy.faults == [*refusals, Fault.PASS]
    assert case.effects(stage.direct, stage.name) == 1


def test_what_adds_stops_at_the_first_answer_that_is_lost(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.THROTTLE, Fault.CONFLICT, Fault.CUT_AFTER)
    with pytest.raises(AmbiguousWrite) as raised:
        INCREMENT.write(stage.db(), stage.name, None)
    check_unanswered(stage, INCREMENT, raised.value)
    assert stage.proxy.faults == [Fault.THROTTLE, Fault.CONFLICT, Fault.CUT_AFTER]
    assert INCREMENT.effects(stage.direct, stage.name) == 1


# What comes to the same


def repeating(stage: Stage, case: Case, fault: Fault, mode: Mode) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(fault)
    written = case.write(stage.db(mode), stage.name, None)
    assert stage.proxy.faults == [fault, Fault.PASS]
    assert case.effects(stage.direct, stage.name) == 1
    if isinstance(written, Item) and case.title.startswith(("save", "put", "update")):
        assert written == again(stage.direct, written)


@MODES
@ALL_FAULTS
def test_a_save_whose_answer_is_lost_is_saved(stage: Stage, fault: Fault, mode: Mode) -> None:
    repeating(stage, SAVE, fault, mode)


@FAULTS
@cases(*REPEATING[1:], *RAW)
def test_what_comes_to_the_same_is_sent_again(stage: Stage, case: Case, fault: Fault) -> None:
    repeating(stage, case, fault, "standard")


# What fails the second time


def conditional(stage: Stage, case: Case, fault: Fault, mode: Mode) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(fault)
    if fault in APPLIED:
        with pytest.raises(AmbiguousWrite) as raised:
            case.write(stage.db(mode), stage.name, None)
        error = raised.value
        assert str(error) == f"{case.title_of(stage.name)}: {AGAINST_ITSELF}"
        assert str(error.operation) == case.title_of(stage.name)
        assert error.key == error.operation.key
        assert error.item == stage.direct.load(error.key)
        assert isinstance(error.__cause__, ClientError)
        assert code_of(error.__cause__) == "ConditionalCheckFailedException"
        assert [received.statuses for received in stage.proxy.received] == [[200], [400]]
    else:
        written = case.write(stage.db(mode), stage.name, None)
        assert [received.statuses for received in stage.proxy.received] == [[], [200]]
        if not case.title.startswith("delete"):
            assert written == again(stage.direct, written)
    assert stage.proxy.faults == [fault, Fault.PASS]
    assert case.effects(stage.direct, stage.name) == 1


@MODES
@ALL_FAULTS
def test_a_save_is_never_told_to_conflict_with_itself(stage: Stage, fault: Fault, mode: Mode) -> None:
    conditional(stage, SAVE_VERSION, fault, mode)


@FAULTS
@cases(*CONDITIONAL[1:])
def test_no_condition_is_told_to_fail_against_the_write_itself(stage: Stage, case: Case, fault: Fault) -> None:
    conditional(stage, case, fault, "standard")


@cases(*CONDITIONAL)
def test_a_condition_fails_as_ever_after_a_refusal(stage: Stage, case: Case) -> None:
    """Throttling and contention tell that nothing was done, so the failure is a real one."""
    prepare(stage.direct, stage.name)
    case.write(stage.direct, stage.name, None)
    stage.proxy.plan(Fault.THROTTLE, Fault.CONFLICT)
    with pytest.raises(Exception) as alone:  # noqa: PT011 - compared with the other
        case.write(stage.direct, stage.name, None)
    with pytest.raises(type(alone.value)) as raised:
        case.write(stage.db(), stage.name, None)
    assert not isinstance(raised.value, AmbiguousWrite)
    assert str(raised.value) == str(alone.value)
    assert stage.proxy.faults == [Fault.THROTTLE, Fault.CONFLICT, Fault.PASS]


def test_what_is_stored_is_told_even_if_another_wrote_it(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    other = stage.direct.save(stored_note(stage.direct, stage.name).replace(text="of another"))
    stage.proxy.plan(Fault.CUT_BEFORE)
    with pytest.raises(AmbiguousWrite) as raised:
        SAVE_VERSION.write(stage.db(), stage.name, None)
    assert raised.value.item == other
    assert note(stage.direct, stage.name) == other


def test_an_item_that_cannot_be_decoded_is_none(stage: Stage) -> None:
    stage.direct.table.raw.put(Row.model_validate({"pk": stage.name, "sk": "NOTE", "text": 7, "version": 2}))
    stage.proxy.plan(Fault.CUT_BEFORE)
    with pytest.raises(AmbiguousWrite) as raised:
        SAVE_VERSION.write(stage.db(), stage.name, None)
    assert str(raised.value) == f"{SAVE_VERSION.title_of(stage.name)}: {AGAINST_ITSELF}"
    assert raised.value.item is None


# Nothing in the row but its key


@FAULTS
def test_a_save_of_keys_alone_over_an_existing_row_is_a_success(stage: Stage, fault: Fault) -> None:
    stage.direct.save(Mark(name=stage.name))
    stage.proxy.plan(fault)
    assert stage.db().save(Mark(name=stage.name)) == Mark(name=stage.name)
    assert stage.proxy.faults == [fault, Fault.PASS]


@pytest.mark.parametrize("faults", [(Fault.CUT_AFTER,), (Fault.PASS, Fault.CUT_AFTER)], ids=["update", "put"])
def test_a_save_of_keys_alone_on_condition_may_have_failed_against_itself(
    stage: Stage, faults: tuple[Fault, ...]
) -> None:
    """It is an update where there is a row, else a put."""
    stage.proxy.plan(*faults)
    with pytest.raises(AmbiguousWrite) as raised:
        stage.db().save(Mark(name=stage.name), attr(Mark.name).not_exists())
    assert str(raised.value) == f"save of Mark.Key(name='{stage.name}'): {AGAINST_ITSELF}"
    assert raised.value.item == stage.direct.load(Mark.Key(stage.name))
    assert stage.proxy.faults == [*faults, Fault.PASS]


# No attempt comes to an answer


@MODES
@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.DAMAGE], ids=lambda fault: fault.name)
@cases(SAVE, SAVE_VERSION, *RAW)
def test_when_no_attempt_is_answered_the_outcome_is_unknown(stage: Stage, case: Case, fault: Fault, mode: Mode) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(afterwards=fault)
    with pytest.raises(AmbiguousWrite) as raised:
        case.write(stage.db(mode, attempts=3), stage.name, None)
    error = raised.value
    assert str(error) == f"{case.title_of(stage.name)}: {UNANSWERED}"
    if case in RAW:
        assert error.operation == ("PutItem" if case is RAW[0] else "DeleteItem")
        assert error.key == {"pk": stage.name, "sk": "TALLY" if case is RAW[1] else "RAW"}
    else:
        check_unanswered(stage, case, error)
    assert isinstance(error.__cause__, CAUSES[fault])
    assert stage.proxy.faults == [fault] * 3
    assert case.effects(stage.direct, stage.name) == (1 if fault in APPLIED else 0)


@pytest.mark.parametrize("last", [Fault.THROTTLE, Fault.CONFLICT], ids=lambda fault: fault.name)
@cases(SAVE, SAVE_VERSION, *RAW)
def test_a_refusal_after_a_lost_answer_tells_nothing(stage: Stage, case: Case, last: Fault) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER, afterwards=last)
    with pytest.raises(AmbiguousWrite) as raised:
        case.write(stage.db(attempts=3), stage.name, None)
    assert str(raised.value) == f"{case.title_of(stage.name)}: {UNANSWERED}"
    assert case.effects(stage.direct, stage.name) == 1


# The client gives up


@pytest.mark.parametrize("fault", [Fault.DELAY, Fault.HOLD], ids=lambda fault: fault.name)
@cases(INCREMENT, SAVE, SAVE_VERSION)
def test_a_client_that_gives_up_cannot_know(stage: Stage, case: Case, fault: Fault) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(fault)
    with pytest.raises(AmbiguousWrite) as raised:
        case.write(stage.db(attempts=1, read_timeout=0.4), stage.name, None)
    check_unanswered(stage, case, raised.value)
    assert type(raised.value.__cause__) is ReadTimeoutError
    assert stage.proxy.faults == [fault]
    stage.proxy.wait()
    assert case.effects(stage.direct, stage.name) == (1 if fault in APPLIED else 0)
    assert stage.proxy.release() == ([] if fault is Fault.DELAY else [200])
    assert case.effects(stage.direct, stage.name) == 1


def test_the_old_item_of_a_delete_is_lost_with_its_answer(stage: Stage) -> None:
    """The item is gone as asked, and the answer that counts is that of a delete that found nothing."""
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER)
    assert stage.db().delete_key(Tally.Key(stage.name)) is None
    assert tally(stage.direct, stage.name) is None


def test_a_plain_update_that_is_sent_again_moves_the_version_on_twice(stage: Stage) -> None:
    """It asks for no version, and what it sets comes to the same; with ``if_version`` it would be told."""
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.CUT_AFTER)
    updated = stage.db().update(Note.Key(stage.name), attr(Note.text).set("new"))
    assert updated == stored_note(stage.direct, stage.name)
    assert (updated.text, updated.version) == ("new", 3)
    assert stored_tally(stage.direct, stage.name).text == "old"
