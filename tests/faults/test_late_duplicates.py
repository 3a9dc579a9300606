"""Requests that reach the service twice, or late: they cannot undo what was written since (V7)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from logicaldb import AmbiguousWrite
from tests.faults.cases import ADDING, CONDITIONAL, INCREMENT, REPEATING, Case, note, old_note, prepare, stored_note
from tests.faults.conftest import Stage
from tests.faults.proxy import Fault
from tests.faults.test_lost_answers import cases
from tests.models import Note

VERSIONED = [
    case for case in CONDITIONAL if case.title.partition(" of ")[2].startswith("Note") and "-new" not in case.title
]
TIMEOUT = 0.4
"""Seconds until a client gives up."""


def test_these_are_the_versioned_writes() -> None:
    assert [str(case) for case in VERSIONED] == [
        "save-version",
        "put-version",
        "delete-version",
        "set-if-version",
        "add-if-version",
    ]


@cases(*VERSIONED)
def test_a_late_duplicate_cannot_undo_what_another_wrote(stage: Stage, case: Case) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.HOLD)
    with pytest.raises(AmbiguousWrite):
        case.write(stage.db(attempts=1, read_timeout=TIMEOUT), stage.name, None)
    assert stored_note(stage.direct, stage.name) == old_note(stage.name)
    other = stage.direct.save(old_note(stage.name).replace(text="of another"))
    assert stage.proxy.release() == [400]
    assert note(stage.direct, stage.name) == other


@cases(*VERSIONED)
def test_a_late_duplicate_cannot_repeat_what_was_written(stage: Stage, case: Case) -> None:
    """The first attempt arrives after the second one has succeeded."""
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.HOLD)
    case.write(stage.db(attempts=2, read_timeout=TIMEOUT), stage.name, None)
    assert stage.proxy.faults == [Fault.HOLD, Fault.PASS]
    written = note(stage.direct, stage.name)
    assert stage.proxy.release() == [400]
    assert note(stage.direct, stage.name) == written
    assert case.effects(stage.direct, stage.name) == 1


def test_a_late_duplicate_does_not_bring_back_what_was_deleted(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    db = stage.db(attempts=1, read_timeout=TIMEOUT)
    for write in (db.save, db.put):
        stage.proxy.plan(Fault.HOLD)
        with pytest.raises(AmbiguousWrite):
            write(old_note(stage.name).replace(text="new"))
    stage.direct.delete_key(Note.Key(stage.name))
    assert stage.proxy.release() == [400, 400]
    assert note(stage.direct, stage.name) is None


def test_a_late_duplicate_under_a_token_counts_once(stage: Stage) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.HOLD)
    assert INCREMENT.write(stage.db(attempts=2, read_timeout=TIMEOUT), stage.name, uuid4().hex) == 6
    assert stage.proxy.faults == [Fault.HOLD, Fault.PASS]
    assert stage.proxy.release() == [200]  # as the success it was, without a second effect
    assert INCREMENT.effects(stage.direct, stage.name) == 1


@cases(*CONDITIONAL)
def test_a_request_that_arrives_twice_is_applied_once(stage: Stage, case: Case) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.DUPLICATE)
    case.write(stage.db(), stage.name, None)
    assert [received.statuses for received in stage.proxy.received] == [[200, 400]]
    assert case.effects(stage.direct, stage.name) == 1


@cases(*ADDING, *REPEATING, *CONDITIONAL)
def test_a_request_that_arrives_twice_under_a_token_is_applied_once(stage: Stage, case: Case) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(Fault.DUPLICATE)
    case.write(stage.db(), stage.name, uuid4().hex)
    assert [received.statuses for received in stage.proxy.received] == [[200, 200]]
    assert case.effects(stage.direct, stage.name) == 1
