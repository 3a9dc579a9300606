"""The whole of it: engine, proxy, threads and processes, and the figures in the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from threading import Event
from typing import Any
from uuid import uuid4

from logicaldb import DirectTransport
from logicaldb.testing.clients import make_test_client
from tests import models, pagers
from tests.concurrency.runner import Runner, start_runner
from tests.soak.ledger import Finding, Kind
from tests.soak.pagers import Pagers
from tests.soak.weather import Weather
from tests.soak.work import Appending, Batches, Counting, Transfers, Versions, Work

HASTY: dict[str, Any] = {"read_timeout": 0.7, "retries": {"mode": "legacy", "total_max_attempts": 1}}
"""A client that tries once, so that much is ambiguous, and gives up before a delayed answer comes."""
USUAL: dict[str, Any] = {"read_timeout": 0.7, "retries": {"mode": "standard", "total_max_attempts": 3}}
PATIENT: dict[str, Any] = {"read_timeout": 30, "retries": {"mode": "legacy", "total_max_attempts": 3}}
"""A client for batches, of which a late one would be a late one without a version."""


@dataclass
class Soak:
    """One run.

    Attributes:
        url: where the engine listens.
        seconds: how long the work goes on.
        seed: what goes wrong, and what is done, is drawn from it; in which order is up to the machine.
        workers: how many threads do each kind of work, and how many processes run pagers.
        at_least: how many requests there are at least, however long they take.
        works: each kind of work, by its name.
        pagers: the pagers.
        faults: how often each fault happened.
        requests: how many requests reached the proxy.
        findings: what is wrong.
    """

    url: str
    seconds: float
    seed: int
    workers: int = 2
    at_least: int = 0
    works: dict[str, Work] = field(default_factory=dict[str, Work])
    pagers: Pagers = field(default_factory=Pagers)
    faults: Counter[str] = field(default_factory=Counter[str])
    requests: int = 0
    findings: list[Finding] = field(default_factory=list[Finding])

    def run(self) -> None:
        """Do it, and find what is wrong."""
        self.table = f"soak-{uuid4().hex}"
        with ExitStack() as stack:
            weather = stack.enter_context(Weather(self.url, Random(self.seed)))
            self.client = make_test_client(self.url, "us-east-1")
            self.db = models.make_db(self.client, self.table)
            self.db.create_tables()
            self.works |= {
                "increments": Counting(self.db),
                "updates that append": Appending(),
                "versioned writes": Versions(),
                "transfers and snapshots": Transfers(self.db),
                "batches": Batches(),
            }
            runners = [
                stack.enter_context(start_runner(weather.url, self.table, **(USUAL if number % 2 else HASTY)))
                for number in range(self.workers)
            ]
            self._work(weather, runners)
            weather.clear_up()
            self.faults = Counter({fault.name: count for fault, count in weather.counts.items()})
            self.requests = weather.requests
            self.findings = list(self.check())

    def _work(self, weather: Weather, runners: list[Runner]) -> None:
        over = Event()
        end = time.monotonic() + self.seconds
        randoms = (Random(self.seed + number) for number in range(1, 1000))

        def do(work: Work, random: Random, config: dict[str, Any], *, directly: bool) -> None:
            client = weather.client(**config)
            with DirectTransport.from_client(client) as direct:
                db = models.make_db(direct if directly else client, self.table)
                while not over.is_set():
                    work.turn(db, random)

        with ThreadPoolExecutor(self.workers * (len(self.works) + 1)) as pool:
            running = [
                pool.submit(self.pagers.run, runner, number, next(randoms), over.is_set)
                for number, runner in enumerate(runners)
            ]
            for turn, work in enumerate(self.works.values()):
                for number in range(self.workers):
                    config = PATIENT if isinstance(work, Batches) else USUAL if number % 2 else HASTY
                    running.append(pool.submit(do, work, next(randoms), config, directly=(turn + number) % 2 == 1))
            while time.monotonic() < end or weather.requests < self.at_least:
                if any(one.done() for one in running):  # none is, unless it failed
                    break
                time.sleep(0.1)
            over.set()
            weather.fair = True  # the last pagers have to come to their end
            for one in running:
                one.result()

    def check(self) -> Iterator[Finding]:
        """Find what is wrong in what is stored."""
        for work in self.works.values():
            yield from work.check(self.db)
        yield from self.pagers.check(pagers.make_db(self.client, self.table))

    def table_of_figures(self) -> Iterator[tuple[str, int]]:
        """The figures of the run."""
        endings = self.pagers.endings
        yield "requests through the proxy", self.requests
        for name, work in self.works.items():
            yield f"operations: {name}", work.operations
        yield "operations: pages of pagers", self.pagers.pages
        yield "pagers run to their end", len(self.pagers.complete)
        yield "runs of pagers", endings.total()
        yield "runs of pagers killed (SIGKILL)", endings["killed"]
        yield "runs of pagers that stopped with an error", endings.total() - endings["killed"] - endings["complete"]
        yield "faults injected", self.faults.total()
        for fault, count in sorted(self.faults.items()):
            yield f"  {fault}", count
        yield "told to be ambiguous", sum(work.ambiguous for work in self.works.values())
        found = Counter(finding.kind for finding in self.findings)
        for kind in Kind:
            yield kind.value, found[kind]
