"""A pager that is killed at any moment and run again: with its progress each update takes effect once (W2)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from uuid import uuid4

import pytest

from logicaldb.testing import DynamoDbLocal
from tests.pagers import Db, Log, Run, hits, make_db

KILLS = 40
NUMBERS = 400
LONGEST_WAIT = 0.012
"""Seconds after a page, which takes some 5 ms."""


@dataclass
class Runner:
    """The process that runs pagers, of which the one under way may be killed."""

    process: subprocess.Popen[str]

    def run(self, name: str, pages: int | None = None, wait: float = 0, *, progress: bool = True) -> str:
        """Run a pager, and kill it some time after so many pages; give how it ended."""
        self._write(json.dumps({"name": name, "numbers": NUMBERS, "progress": progress}))
        pid = int(self._read().removeprefix("pid "))
        written = 0
        while written != pages:
            told = self._read()
            if told != "page":
                break
            written += 1
        else:
            time.sleep(wait)
            os.kill(pid, signal.SIGKILL)
            told = "killed"
        self._write("wait for it")
        while (last := self._read()) != "ended":  # what it told before it was killed
            told = told if last == "page" else last
        assert told in ("complete", "stopped", "killed"), told
        return told

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process that runs pagers has ended"
        return line.strip()


@contextmanager
def start_runner(url: str, table: str) -> Generator[Runner]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.concurrency.killed", url, table],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Runner(process)
        # Leaving the block ends it, because that closes its stdin.


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
                ending = runner.run(name, pages, random.uniform(0, LONGEST_WAIT))
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
        assert runner.run("x", 3, progress=False) == "killed"
        assert runner.run("x", progress=False) == "complete"
    counts = hits(db, "x")
    assert set(counts) == set(range(NUMBERS))
    assert set(counts.values()) == {1, 2}
