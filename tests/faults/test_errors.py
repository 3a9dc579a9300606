"""Every error that the db raises: of one tree, picklable, with the original as its cause, and without item data (E1)."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import logicaldb
from logicaldb import (
    AmbiguousWrite,
    BatchIncomplete,
    BatchWriteSet,
    BeginsWith,
    ConditionFailed,
    CounterOutOfBounds,
    DecodingError,
    DuplicateItem,
    EncodingError,
    InvalidCursor,
    ItemAlreadyExists,
    ItemNotFound,
    LimitExceeded,
    LogicalDbError,
    PagerStalled,
    ThroughputExceeded,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    WritingPagerHandler,
    attr,
)
from tests.faults.conftest import Stage
from tests.faults.proxy import Fault
from tests.models import Db, Note, Row, Tally

SECRET = "hunter2"


class Stalls(WritingPagerHandler[Tally]):
    def item(self, writes: TransactionWriteSet, update: Tally) -> None:
        writes.save(update)

    def each_page(self, proceed: Callable[[], None]) -> None:
        """Never proceed."""


def secret_tally(name: str) -> Tally:
    return Tally(name=name, text=SECRET, stock=5, log=[SECRET], tags={SECRET})


def secret_note(name: str, version: int) -> Note:
    return Note(name=name, text=SECRET, log=[SECRET], version=version)


def condition() -> Any:
    return (attr(Tally.text) == f"{SECRET}-other") | attr(Tally.log).contains(f"{SECRET}-too")


def too_long() -> Any:
    one = attr(Tally.text) == SECRET
    for _ in range(400):
        one |= attr(Tally.text) == SECRET
    return one


CAUSED: dict[type[LogicalDbError], tuple[Callable[[Db, str], Any], Fault]] = {
    VersionConflict: (lambda db, name: db.save(secret_note(name, 7)), Fault.PASS),
    ItemNotFound: (lambda db, name: db.update(Tally.Key(f"{name}-no"), attr(Tally.text).set(SECRET)), Fault.PASS),
    ItemAlreadyExists: (lambda db, name: db.create(secret_note(name, 0)), Fault.PASS),
    CounterOutOfBounds: (lambda db, name: db.increment(Tally.Key(name), Tally.stock, 6), Fault.PASS),
    ConditionFailed: (lambda db, name: db.save(secret_tally(name), condition()), Fault.PASS),
    TransactionCanceled: (
        lambda db, name: db.transaction_write(
            TransactionWriteSet()
            .save(secret_note(name, 7))
            .update(Tally.Key(name), attr(Tally.text).set(SECRET), condition=condition())
            .create(Note(name=f"{name}-other", text=SECRET))
        ),
        Fault.PASS,
    ),
    BatchIncomplete: (lambda db, name: db.batch_write(BatchWriteSet().clobber(secret_tally(name))), Fault.THROTTLE),
    ThroughputExceeded: (lambda db, name: db.save(secret_tally(name)), Fault.THROTTLE_RATE),
    AmbiguousWrite: (
        lambda db, name: db.update(Tally.Key(name), attr(Tally.log).append([SECRET]), attr(Tally.hits).add(1)),
        Fault.CUT_AFTER,
    ),
}
"""Those that the service or the network causes, what raises them, and what goes wrong meanwhile."""

FOUND: dict[type[LogicalDbError], Callable[[Db, str], Any]] = {
    DecodingError: lambda db, name: db.load(Note.Key(f"{name}-bad")),
    EncodingError: lambda db, name: db.save(Tally(name=name, text=SECRET * 60_000)),
    LimitExceeded: lambda db, name: db.save(secret_tally(name), too_long()),
    DuplicateItem: lambda db, name: db.transaction_write(
        TransactionWriteSet().save(secret_tally(name)).delete_key(Tally.Key(name))
    ),
    InvalidCursor: lambda db, name: db.table.tallies.from_token(SECRET, BeginsWith(Tally.Key(name)), secret=SECRET),
    PagerStalled: lambda db, name: db.transaction_writing_pager([secret_tally(name)], Stalls()).execute(),
}
"""Those that logicaldb finds by itself."""


@pytest.fixture
def prepared(stage: Stage) -> Stage:
    stage.direct.save(secret_tally(stage.name))
    stage.direct.save(secret_note(stage.name, 0))
    stage.direct.table.raw.put(
        Row.model_validate(
            {"pk": f"{stage.name}-bad", "sk": "NOTE", "log": SECRET, "text": [SECRET], "version": SECRET}
        )
    )
    return stage


def raised_by(act: Callable[[Db, str], Any], stage: Stage, fault: Fault = Fault.PASS) -> LogicalDbError:
    db = stage.db(attempts=1)
    stage.proxy.plan(afterwards=fault)
    with pytest.raises(LogicalDbError) as raised:
        act(db, stage.name)
    return raised.value


def check(error: LogicalDbError, expected: type[LogicalDbError]) -> None:
    assert type(error) is expected
    assert getattr(logicaldb, expected.__name__) is expected
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is expected
    assert str(copy) == str(error) != ""
    assert repr(vars(copy)) == repr(vars(error))
    # Neither in what it says, nor in what a log shows of it: causes and contexts, notes, the lines of the sources.
    assert SECRET not in "".join(traceback.format_exception(error))
    assert SECRET not in repr(error)


@pytest.mark.parametrize("expected", CAUSED, ids=lambda expected: expected.__name__)
def test_what_the_service_causes(prepared: Stage, expected: type[LogicalDbError]) -> None:
    act, fault = CAUSED[expected]
    error = raised_by(act, prepared, fault)
    check(error, expected)
    assert isinstance(error.__cause__, (ClientError, BotoCoreError))


@pytest.mark.parametrize("expected", FOUND, ids=lambda expected: expected.__name__)
def test_what_is_found_without_it(prepared: Stage, expected: type[LogicalDbError]) -> None:
    error = raised_by(FOUND[expected], prepared)
    check(error, expected)
    assert prepared.proxy.received == []


def test_these_are_all_errors() -> None:
    """But that of a declaration, which is made before there is any data, and that of a partial key."""

    def below(error: type[LogicalDbError]) -> set[type[LogicalDbError]]:
        return {error, *(one for lower in error.__subclasses__() for one in below(lower))}

    tried = CAUSED.keys() | FOUND.keys()
    names = {error.__name__ for error in below(LogicalDbError) - tried if error.__module__ == "logicaldb.errors"}
    assert names == {"LogicalDbError", "DeclarationError", "IncompleteKey"}


def test_the_failures_of_a_transaction_say_no_more(prepared: Stage) -> None:
    error = raised_by(CAUSED[TransactionCanceled][0], prepared)
    assert isinstance(error, TransactionCanceled)
    assert [type(failure.error) for failure in error.failures] == [VersionConflict, ConditionFailed]
    for failure in error.failures:
        assert SECRET not in f"{failure.error} {failure.operation}"
        assert getattr(failure.error, "item").text == SECRET  # noqa: B009 - of either: data is on attributes


@pytest.mark.parametrize("token", [False, True], ids=["alone", "token"])
def test_a_write_that_may_have_failed_against_itself_says_no_more(prepared: Stage, token: bool) -> None:
    db = prepared.db(attempts=2)
    prepared.proxy.plan(*[Fault.CUT_AFTER] * (2 if token else 1))
    with pytest.raises(AmbiguousWrite) as raised:
        db.save(secret_note(prepared.name, 1), idempotency_token=uuid4().hex if token else None)
    check(raised.value, AmbiguousWrite)
    assert token or raised.value.item.text == SECRET


def test_errors_travel_with_their_causes(prepared: Stage) -> None:
    """By what Dask does: botocore's errors hold their requests, and these hold what is known of the call."""
    db = prepared.db(attempts=2)
    prepared.proxy.plan(*[Fault.CUT_AFTER] * 2)
    with pytest.raises(AmbiguousWrite) as raised:
        db.save(secret_note(prepared.name, 1), idempotency_token=uuid4().hex)
    cause = raised.value.__cause__
    assert isinstance(cause, BotoCoreError)
    assert str(pickle.loads(pickle.dumps(cause))) == str(cause)
