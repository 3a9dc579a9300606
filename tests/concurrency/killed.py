"""A process that runs pagers in children of its own, which are killed; everything is imported once.

It reads a job a line from stdin and forks a child for it, which writes to stdout: ``pid N`` when it begins, ``page`` after
each page, and at its end ``complete`` or, where another run is in its way, ``stopped``; so it does where it may stop for
whatever is wrong with the network or the service. At the next line from stdin the child is waited for, and its id is its
own until then; ``ended`` tells that it is gone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from logicaldb import (
    AmbiguousWrite,
    ThroughputExceeded,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    WritingPagerHandler,
    attr,
)
from logicaldb.testing.clients import make_test_client
from tests.pagers import Db, Log, Run, Step, make_db


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


class CountAndList(WritingPagerHandler[int]):
    """Counts each number in a row of its own, and lists those of a page in a log: both count whatever comes twice."""

    finish_operations = 1

    def __init__(self, name: str) -> None:
        self.name = name

    def item(self, writes: TransactionWriteSet, update: int) -> None:
        writes.update(Step.Key(self.name, update), attr(Step.hits).add(1), upsert=True)

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[int]) -> None:
        writes.update(Log.Key(self.name), attr(Log.numbers).append(list(applied)), upsert=True)

    def page_written(self, writes: TransactionWriteSet) -> None:
        tell("page")


def run(db: Db, name: str, numbers: int, *, progress: bool = True, may_stop: bool = False) -> None:
    """What a child does: it begins anew, or goes on where another one ended."""

    def generate() -> Iterator[int]:
        yield from range(numbers)

    pager = db.transaction_writing_pager(
        generate(),
        CountAndList(name),
        max_transaction_items=5,
        progress=Run(name=name) if progress else None,
    )
    try:
        pager.execute()
    except (AmbiguousWrite, ThroughputExceeded, TransactionCanceled, ClientError, BotoCoreError) as error:
        if may_stop:
            tell(f"stopped {type(error).__name__}")
            return
        if not isinstance(error, TransactionCanceled):
            raise
        # What the one that was killed had sent last took effect after this one had read the progress.
        assert [type(failure.error) for failure in error.failures] == [VersionConflict]  # noqa: PT017 - this is no test
        tell("stopped")
    else:
        tell("complete")


def main(url: str, table: str, config: str) -> None:
    """Do the jobs."""
    db = make_db(
        make_test_client(url, "us-east-1", **json.loads(config)), table
    )  # it has no connections yet that children would share
    while line := sys.stdin.readline():
        job: dict[str, Any] = json.loads(line)
        pid = os.fork()
        if pid == 0:
            try:
                tell(f"pid {os.getpid()}")
                run(db, **job)
            except BaseException as error:  # noqa: BLE001 - the test is told
                tell(f"failed {error!r}")
            finally:
                os._exit(0)
        sys.stdin.readline()
        os.waitpid(pid, 0)
        tell("ended")


if __name__ == "__main__":
    main(*sys.argv[1:])
