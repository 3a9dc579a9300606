"""Writing pagers in processes that are killed, and run again with the same updates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

from tests.concurrency.runner import Runner
from tests.pagers import Db, Log, Run, hits
from tests.soak.ledger import Finding, Kind, Outcome, check_each

NUMBERS = 60
"""The updates of a pager."""
KILLED = 0.8
"""Of the runs, how many are killed if they do not end before."""


class Pagers:
    """Runs one pager after the other, each until all its updates are written.

    Attributes:
        complete: the names of the pagers that came to their end.
        endings: how often runs ended how.
        pages: how many pages were told to be written.
    """

    def __init__(self) -> None:
        self.complete: list[str] = []
        self.endings: Counter[str] = Counter()
        self.pages = 0

    def run(self, runner: Runner, number: int, random: Random, over: Callable[[], bool]) -> None:
        """Run pagers until it is over; the last one is run to its end."""
        turn = 0
        while not over():
            name = f"pager-{number}-{turn}"
            turn += 1
            ending = ""
            while ending != "complete":
                killed = random.random() < KILLED and not over()
                wait = random.choice([0.0, random.uniform(0, 0.012), random.uniform(0, 0.3)])
                job = {"name": name, "numbers": NUMBERS, "may_stop": True}
                ending = runner.run(job, random.randrange(8) if killed else None, wait)
                self.endings[ending] += 1
            self.complete.append(name)
        self.pages += runner.pages

    def check(self, db: Db) -> Iterator[Finding]:
        """Find what is wrong: each update counts once, and is in the log once, in its turn."""
        told = dict.fromkeys(map(str, range(NUMBERS)), Outcome.DONE)
        for name in self.complete:
            yield from check_each(f"{name}, steps", told, Counter(map_keys(hits(db, name))).elements())
            log = db.load(Log.Key(name), consistent_read=True) or Log(name=name)
            yield from check_each(f"{name}, log", told, map(str, log.numbers))
            if log.numbers != sorted(log.numbers):
                yield Finding(Kind.UNEQUAL, f"{name}: not in turn")
            progress = db.load(Run.Key(name), consistent_read=True)
            if progress is None or (progress.applied, progress.version) != (NUMBERS, log.version):
                yield Finding(Kind.UNEQUAL, f"{name}: {progress} after {log.version} pages")


def map_keys(counts: dict[int, int]) -> dict[str, int]:
    return {str(number): count for number, count in counts.items()}
