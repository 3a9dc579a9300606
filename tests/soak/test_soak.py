"""A short soak finds nothing; and what is planted, of every kind, is found."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from logicaldb import attr
from logicaldb.testing import DynamoDbLocal
from tests import pagers
from tests.models import Note, Tally
from tests.pagers import Log, Step
from tests.soak.__main__ import main
from tests.soak.ledger import Finding, Kind, Outcome
from tests.soak.soak import Soak
from tests.soak.work import Appending, Batches, Counting, Transfers, Versions

SECONDS = 5
REQUESTS = 700
"""However long they take: the machine may be a slow one."""
SEED = 20261122


@pytest.fixture(scope="module")
def soak(dynamodb_local: DynamoDbLocal) -> Soak:
    soak = Soak(dynamodb_local.endpoint_url, SECONDS, SEED, at_least=REQUESTS)
    soak.run()
    return soak


def test_nothing_is_lost_and_nothing_is_done_twice(soak: Soak) -> None:
    assert soak.findings == []
    figures = dict(soak.table_of_figures())
    # It went wrong indeed: everything was tried, much of it failed, and processes were killed.
    assert all(work.operations >= 20 for work in soak.works.values()), figures
    assert figures["runs of pagers killed (SIGKILL)"] >= 1
    assert figures["pagers run to their end"] >= 2
    assert figures["faults injected"] >= 60
    assert len(soak.faults) >= 12
    assert figures["told to be ambiguous"] >= 5
    assert [figures[kind.value] for kind in Kind] == [0] * len(Kind)


def steps(soak: Soak) -> pagers.Db:
    return pagers.make_db(soak.client, soak.table)


def count(soak: Soak, name: str, by: int) -> None:
    soak.db.increment(Tally.Key(name), Tally.hits, by)


def journal(soak: Soak) -> Tally:
    stored = soak.db.load(Tally.Key("journal-0"), consistent_read=True)
    assert stored is not None
    return stored


def note(soak: Soak) -> Note:
    stored = soak.db.load(Note.Key(f"note-{versions(soak).generation}"), consistent_read=True)
    assert stored is not None
    return stored


def counting(soak: Soak) -> Counting:
    return cast("Counting", soak.works["increments"])


def versions(soak: Soak) -> Versions:
    return cast("Versions", soak.works["versioned writes"])


def transfers(soak: Soak) -> Transfers:
    return cast("Transfers", soak.works["transfers and snapshots"])


def batches(soak: Soak) -> Batches:
    return cast("Batches", soak.works["batches"])


def lose_an_update(soak: Soak) -> None:
    """Of those that were acknowledged."""
    told = cast("Appending", soak.works["updates that append"]).told["journal-0"]
    log = journal(soak).log
    at = next(number for number, entry in enumerate(log) if told[entry] is Outcome.DONE)
    soak.db.update(Tally.Key("journal-0"), attr(Tally.log)[at].remove(), attr(Tally.hits).add(-1))


def double_an_update(soak: Soak) -> None:
    soak.db.update(Tally.Key("journal-0"), attr(Tally.log).append(journal(soak).log[:1]), attr(Tally.hits).add(1))


def count_without_appending(soak: Soak) -> None:
    count(soak, "journal-0", 1)


def do_what_was_told_to_have_failed(soak: Soak) -> None:
    told = cast("Appending", soak.works["updates that append"]).told["journal-0"]
    told[journal(soak).log[-1]] = Outcome.FAILED


def lose_increments(soak: Soak) -> None:
    count(soak, "up", -1 - counting(soak).told["up"][Outcome.UNKNOWN])


def double_increments(soak: Soak) -> None:
    count(soak, "down", -1 - counting(soak).told["down"][Outcome.UNKNOWN])


def lose_an_increment_under_a_token(soak: Soak) -> None:
    count(soak, "token", -1)


def count_in_part(soak: Soak) -> None:
    count(soak, "three", 1)


def get_one_count_twice(soak: Soak) -> None:
    counts = counting(soak).counts["up"]
    counts.append(counts[0])


def win_a_version_twice(soak: Soak) -> None:
    versions(soak).won.append(versions(soak).won[0])


def lose_a_versioned_write(soak: Soak) -> None:
    found = note(soak)
    name, entry = found.name, next(one for one in versions(soak).told[found.name] if one in found.log)
    soak.db.save(found.replace(log=[one for one in found.log if one != entry]))
    versions(soak).told[name][entry] = Outcome.DONE


def revive(soak: Soak) -> None:
    gone = Note(name="note-gone", log=["1"], version=2)
    versions(soak).told[gone.name] = {"1": Outcome.DONE}
    versions(soak).deleted[gone.name] = gone
    soak.db.create(gone.replace(version=0))


def lose_an_amount(soak: Soak) -> None:
    count(soak, Transfers.ACCOUNTS[0], -1)


def lose_a_transfer(soak: Soak) -> None:
    done = next(entry for entry, move in transfers(soak).moved.items() if move.outcome is Outcome.DONE)
    key = Tally.Key(transfers(soak).journal(done))
    stored = soak.db.load(key, consistent_read=True)
    assert stored is not None
    soak.db.update(key, attr(Tally.log)[stored.log.index(done)].remove())


def tear(soak: Soak) -> None:
    transfers(soak).torn.append((1, 2, 3, 4))


def lose_a_put(soak: Soak) -> None:
    soak.db.delete_key(Tally.Key(next(name for name, item in batches(soak).expected.items() if item)))


def bring_back_what_a_batch_deleted(soak: Soak) -> None:
    soak.db.put(Tally(name=next(name for name, item in batches(soak).expected.items() if not item)))


def lose_a_step(soak: Soak) -> None:
    steps(soak).delete_key(Step.Key(soak.pagers.complete[0], 7))


def double_a_step(soak: Soak) -> None:
    steps(soak).increment(Step.Key(soak.pagers.complete[0], 8), Step.hits)


def double_a_step_in_the_log(soak: Soak) -> None:
    steps(soak).update(Log.Key(soak.pagers.complete[0]), attr(Log.numbers).append([7]))


PLANTED: dict[Callable[[Soak], None], set[Kind]] = {
    lose_an_update: {Kind.LOST},
    double_an_update: {Kind.DOUBLED},
    count_without_appending: {Kind.UNEQUAL},
    do_what_was_told_to_have_failed: {Kind.CONTRADICTED},
    lose_increments: {Kind.LOST},
    double_increments: {Kind.DOUBLED},
    lose_an_increment_under_a_token: {Kind.LOST},
    count_in_part: {Kind.UNEQUAL},
    get_one_count_twice: {Kind.DOUBLED},
    win_a_version_twice: {Kind.WON_TWICE},
    lose_a_versioned_write: {Kind.LOST, Kind.UNEQUAL},
    revive: {Kind.REVIVED},
    lose_an_amount: {Kind.UNEQUAL},
    lose_a_transfer: {Kind.LOST, Kind.UNEQUAL},
    tear: {Kind.TORN},
    lose_a_put: {Kind.LOST},
    bring_back_what_a_batch_deleted: {Kind.REVIVED},
    lose_a_step: {Kind.LOST},
    double_a_step: {Kind.DOUBLED},
    double_a_step_in_the_log: {Kind.DOUBLED, Kind.UNEQUAL},
}


def test_whatever_is_wrong_is_found(soak: Soak) -> None:
    """One thing after the other is planted, and each time the checks find it beside those that were there before."""
    before: set[Finding] = set()
    for plant, kinds in PLANTED.items():
        plant(soak)
        found = set(soak.check())
        assert {finding.kind for finding in found - before} == kinds, plant.__name__
        before = found
    figures = dict(replace(soak, findings=list(before)).table_of_figures())
    assert figures["lost"] >= 6
    assert figures["doubled"] >= 5


@pytest.mark.parametrize("findings", [[], [Finding(Kind.LOST, "up: 8 of 9")]], ids=["right", "wrong"])
def test_the_command_fails_if_anything_is_wrong(
    findings: list[Finding], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Soak] = []

    def run(soak: Soak) -> None:
        made.append(soak)
        soak.findings = findings

    monkeypatch.setattr(Soak, "run", run)
    monkeypatch.setattr("tests.soak.__main__.DynamoDbLocal", lambda: nullcontext(SimpleNamespace(endpoint_url="url")))
    monkeypatch.setattr("sys.argv", ["soak", "--minutes", "0.5", "--seed", "7", "--workers", "3"])
    assert main() == len(findings)
    assert [(soak.url, soak.seconds, soak.seed, soak.workers) for soak in made] == [("url", 30, 7, 3)]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "soak: 0.5 minutes, seed 7, workers 3"
    assert f"{'lost':<45}{len(findings):>10}" in lines
    assert lines[-1:] == (["lost: up: 8 of 9"] if findings else [f"{Kind.UNEQUAL.value:<45}{0:>10}"])
