"""A pager that is killed at any moment and run again: with its progress each update takes effect once (W2)."""

from __future__ import annotations

from random import Random, SystemRandom
from uuid import uuid4

import pytest

from logicaldb.testing import DynamoDbLocal
from tests.concurrency.runner import start_runner
from tests.pagers import Db, Log, Run, hits, make_db

KILLS = 40
NUMBERS = 400
LONGEST_WAIT = 0.012
"""Seconds after a page, which takes some 5 ms."""


@pytest.fixture
def db(dynamodb_local: DynamoDbLocal) -> Db:
    db = make_db(dynamodb_local.client(), f"killed-{uuid4().hex}")
    db.create_tables()
    return db


def test_killed_forty_times_each_update_takes_effect_once(db: Db, dynamodb_local: DynamoDbLocal) -> None:
    seed = SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it with a failure
    random = Random(seed)
    kills = 0
    name = ""
    table = db.table.table_name
    with start_runner(dynamodb_local.endpoint_url, table) as runner:
        while kills < KILLS:
            name = f"{name}x"
            ending = ""
            stopped = 0
            while ending != "complete":
                pages = random.randrange(6) if kills < KILLS else None
                ending = runner.run({"name": name, "numbers": NUMBERS}, pages, random.uniform(0, LONGEST_WAIT))
                kills += ending == "killed"
                stopped = stopped + 1 if ending == "stopped" else 0
                assert stopped < 3, (
                    "each run reads the progress anew, and only what a killed one sent last is in its way"
                )
            assert hits(db, name) == dict.fromkeys(range(NUMBERS), 1)
            log = db.load(Log.Key(name), consistent_read=True)
            assert log is not None
            assert log.numbers == list(range(NUMBERS))
            progress = db.load(Run.Key(name), consistent_read=True)
            assert progress is not None
            assert (progress.applied, progress.version) == (NUMBERS, log.version)
    assert kills == KILLS


def test_without_progress_a_run_begins_anew(db: Db, dynamodb_local: DynamoDbLocal) -> None:
    """So the test above would see it, if an update took effect twice."""
    with start_runner(dynamodb_local.endpoint_url, db.table.table_name) as runner:
        job = {"name": "x", "numbers": NUMBERS, "progress": False}
        assert runner.run(job, 3) == "killed"
        assert runner.run(job) == "complete"
    counts = hits(db, "x")
    assert set(counts) == set(range(NUMBERS))
    assert set(counts.values()) == {1, 2}
