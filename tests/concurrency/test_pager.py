"""Runs of one pager side by side: the progress lets each update take effect once, and who comes too late stops (W5)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from logicaldb import TransactionCanceled, VersionConflict
from logicaldb.testing import DynamoDbLocal
from tests.concurrency.work import outcome, together
from tests.pagers import Count, Db, Run, hits, make_db, updates

RUNS = 4
UPDATES = updates(*[1] * 60)
ONCE = {1000 * number: 1 for number in range(60)}


@pytest.fixture
def db(dynamodb_local: DynamoDbLocal) -> Db:
    db = make_db(dynamodb_local.client(), f"pagers-{uuid4().hex}")
    db.create_tables()
    return db


def run(db: Db, name: str) -> int:
    """Run the pager; give how many updates this run has written, or raise its conflict."""
    pager = db.transaction_writing_pager(UPDATES, Count(name), max_transaction_items=4, progress=Run(name=name))
    try:
        pager.execute()
    except TransactionCanceled as error:
        (failure,) = error.failures
        assert failure.error is not None
        raise failure.error from None
    return pager.updated_count


def test_of_runs_at_once_all_but_one_stop(db: Db) -> None:
    outcomes = together(RUNS, lambda _: outcome(lambda: run(db, "n")))
    conflicts = [error for error in outcomes if isinstance(error, Exception)]
    assert {type(error) for error in conflicts} == {VersionConflict}
    assert {str(error) for error in conflicts} == {
        "save of Run.Key(name='n'): the stored version is not the expected one"
    }
    assert len(conflicts) < RUNS
    assert hits(db, "n") == ONCE
    assert db.load(Run.Key("n"), consistent_read=True) == Run(name="n", applied=60, version=20)


def test_runs_that_begin_again_share_the_work(db: Db) -> None:
    def work(_: int) -> int:
        conflicts = 0
        while isinstance(outcome(lambda: run(db, "n")), VersionConflict):
            conflicts += 1
            assert conflicts < 100  # for each there is a page of another run
        return conflicts

    assert sum(together(RUNS, work)) > 0
    assert hits(db, "n") == ONCE
    assert db.load(Run.Key("n"), consistent_read=True) == Run(name="n", applied=60, version=20)
