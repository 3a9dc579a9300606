"""logicaldb beside its peers and plain boto3, as ratios in one run: ``make bench``.

    python -m tests.benchmarks.bench [--rounds 33] [--only get,put] [--ways one,codec] [--contenders boto3,floor] [--write]

Each contender is a process in an environment of its own (made below ``.cache/bench`` at first), and all take turns: a
round of each workload gives every contender one turn of about 20 ms, and its time is divided by that of ``boto3 + pydantic``
in the same round. What is shown are medians of these ratios, with their quartiles. The server gives canned answers and is
written in C (a C compiler is needed), so that it is not what is measured; the second target is DynamoDB Local.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from logicaldb.testing import DynamoDbLocal
from tests.benchmarks import report
from tests.benchmarks.contenders import CACHE, CONTENDERS, NAIVE, ROOT, Contender, python_of, versions
from tests.benchmarks.peers import orders

PEERS: Final = Path(__file__).parent / "peers"
TURN: Final = 0.02
"""How many seconds a turn is to take. Many short turns give steadier medians than a few long ones."""
CALLS: Final = ("get", "put", "update", "query", "batch_get", "transact", "batch_write")
WAYS: Final[dict[str, tuple[str, ...]]] = {
    "one": (*CALLS, "scan"),
    "codec": ("encode", "decode row", "decode JSON"),
    "threads": CALLS,
    "tasks": CALLS,
    "local": ("get", "query", "put", "transact"),  # reads first: each contender writes rows of its own
    "start": (),
}
"""The workloads of each way to run them."""
STEPS: Final = {"one": 1, "codec": 1, "threads": 8, "tasks": 64}
"""Turns have a multiple of that many calls."""


def main() -> None:
    """Run what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description="logicaldb beside its peers and plain boto3, as ratios in one run.")
    parser.add_argument("--rounds", type=int, default=33, help="how many turns each contender gets of each workload")
    everything = ",".join({name: None for names in WAYS.values() for name in names})
    parser.add_argument("--only", default=everything, help=f"the workloads: {everything}")
    parser.add_argument("--ways", default=",".join(WAYS), help=f"how they are run: {','.join(WAYS)}")
    parser.add_argument("--contenders", default="", help=f"those whose names contain one of these, and {NAIVE}")
    parser.add_argument("--write", action="store_true", help="put the tables and the picture into docs/")
    options = parser.parse_args()
    wanted, only = options.contenders.split(","), options.only.split(",")
    taking_part = [one for one in CONTENDERS if one.name == NAIVE or any(text in one.name for text in wanted)]
    tables: dict[str, report.Table] = {}
    with ExitStack() as stack:
        running = list(_started(stack, taking_part))
        for way in options.ways.split(","):
            workloads = [name for name in WAYS[way] if name in only]
            if way == "start":
                table = _start(running)
            elif way == "local":
                table = _on_local(running, workloads, options.rounds)
            else:
                table = _ratios(running, way, workloads, options.rounds, cpu=way in ("one", "codec"))
            if table:
                tables[way] = table
                print(report.text(way, table), flush=True)
    found = {one.contender.environment: versions(one.contender.environment) for one in running}
    print(f"\nWith {report.versions(found)}.")
    if options.write:
        arguments = [one for one in sys.argv[1:] if one != "--write"]
        today = date.today().isoformat()  # noqa: DTZ011 - of whoever runs it
        references = {one.name for one in CONTENDERS if one.reference}
        command = shlex.join(["python", "-m", "tests.benchmarks.bench", *arguments])
        report.write(ROOT / "docs", report.Result(today, command, found, tables, references))


@dataclass(slots=True)
class Running:
    """A contender that waits for its turn."""

    contender: Contender
    python: Path
    process: subprocess.Popen[str]
    ways: dict[str, list[str]]
    turns: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict[tuple[str, str], tuple[int, float]])

    def turn(self, workload: str, way: str, count: int) -> tuple[float, float]:
        """The CPU seconds and the seconds of a call."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([workload, way, count]) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.contender.name} failed at {workload}; its error is above")
        cpu, wall = json.loads(answer)
        return cpu / count, wall / count

    def can(self, workload: str, way: str) -> bool:
        """Whether it has the workload."""
        return workload in self.ways[way] and (way == "one" or not self.contender.reference)

    def size(self, workload: str, way: str) -> tuple[int, float]:
        """How many calls make a turn, and its seconds; found out by a warm-up of more and more calls."""
        if (workload, way) not in self.turns:
            step = count = STEPS[way]
            self.turn(workload, way, count)  # the first calls open connections
            _, wall = self.turn(workload, way, count)
            while wall * count < TURN / 2:
                count *= 2
                _, wall = self.turn(workload, way, count)
            count = max(step, int(TURN / wall / step) * step)
            self.turns[workload, way] = count, wall * count
        return self.turns[workload, way]


def _started(stack: ExitStack, contenders: Iterable[Contender]) -> Generator[Running]:
    servers: dict[str, str] = {}
    for contender in contenders:
        python = python_of(contender.environment)
        if python is None:
            continue
        extra = json.dumps(contender.extra)
        if extra not in servers:
            servers[extra] = stack.enter_context(_canned_server(contender.extra))
        yield stack.enter_context(_start_contender(contender, python, servers[extra]))


@contextmanager
def _canned_server(extra: Mapping[str, Any]) -> Generator[str]:
    program = CACHE / "server"
    source = PEERS / "server.c"
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-o", program, source], check=True)
    with tempfile.TemporaryDirectory() as folder:
        orders.write_answers(Path(folder), dict(extra))
        with subprocess.Popen([program, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
            process.stdin.close()


@contextmanager
def _start_contender(contender: Contender, python: Path, url: str) -> Generator[Running]:
    settings = {
        "PYTHONPATH": str(ROOT),
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_DYNAMODB": url,
    }
    with subprocess.Popen(
        [python, PEERS / "contenders" / f"{contender.script}.py", contender.kind, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **settings},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ways = process.stdout.readline()
        if not ways:
            raise RuntimeError(f"{contender.name} did not start; its error is above")
        yield Running(contender, python, process, json.loads(ways))
        process.stdin.close()


def _ratios(running: list[Running], way: str, workloads: Iterable[str], rounds: int, *, cpu: bool) -> report.Table:
    """CPU times or times of each contender and workload, as ratios."""
    cells: dict[str, dict[str, report.Cell]] = {one.contender.name: {} for one in running}
    for workload in workloads:
        able = [one for one in running if one.can(workload, way)]
        if not able or able[0].contender.name != NAIVE:
            continue
        sizes = [one.size(workload, way) for one in able]
        times: list[list[float]] = [[] for _ in able]
        # Where a turn takes seconds, as that of a scan does, a few are enough.
        enough = max(3, int(4 * rounds * TURN / sizes[0][1]))
        for _ in range(min(rounds, enough)):
            for taken, one, (count, _) in zip(times, able, sizes, strict=True):
                taken.append(one.turn(workload, way, count)[0 if cpu else 1])
        for taken, one in zip(times, able, strict=True):
            cells[one.contender.name][workload] = report.cell(a / b for a, b in zip(taken, times[0], strict=True))
    return {name: row for name, row in cells.items() if row}


def _on_local(running: list[Running], workloads: Iterable[str], rounds: int) -> report.Table:
    """The same against DynamoDB Local; times, not CPU times."""
    with ExitStack() as stack:
        local = stack.enter_context(DynamoDbLocal())
        client = local.client()
        description = orders.description()
        description.pop("TableStatus")
        client.create_table(**description, BillingMode="PAY_PER_REQUEST")
        extra = next((dict(one.contender.extra) for one in running if one.contender.extra), {})
        for number in range(1, 101):
            client.put_item(TableName=orders.TABLE, Item=orders.row(number, extra))
        again = [
            stack.enter_context(_start_contender(one.contender, one.python, local.endpoint_url))
            for one in running
            if not one.contender.reference
        ]
        return _ratios(again, "one", workloads, rounds, cpu=False)


def _start(running: list[Running]) -> report.Table:
    """What it costs to import a contender: CPU milliseconds and the memory of the process, in fresh interpreters."""
    program = (
        "{}\nimport resource\nused = resource.getrusage(resource.RUSAGE_SELF)\n"
        # Its ru_maxrss would be that of the process that started this one, where that is more.
        "peak = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(used.ru_utime + used.ru_stime, peak.split()[1])"
    )
    naked = Contender("Python alone", "boto3", "", imports="sys")
    pydantic = Contender("pydantic", "boto3", "", imports="pydantic")
    base = next(one.python for one in running if one.contender.environment == "boto3")
    # As pip does with what it installs, which the others are.
    subprocess.run([base, "-m", "compileall", "-qq", ROOT / "logicaldb"], check=True)
    in_use = Contender(
        "logicaldb, names in use", "boto3", "", imports="logicaldb; logicaldb.LogicalDb, logicaldb.Item, logicaldb.attr"
    )
    importing = [(naked, base), (pydantic, base), (in_use, base)]
    importing += [(one.contender, one.python) for one in running if one.contender.imports]
    found = {**os.environ, "PYTHONPATH": str(ROOT)}
    taken: dict[str, list[tuple[float, float]]] = {}
    for _ in range(7):
        for contender, python in importing:
            code = program.format(f"import {contender.imports}")
            output = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, env=found).stdout
            seconds, kilobytes = output.split()
            taken.setdefault(contender.name, []).append((float(seconds) * 1e3, float(kilobytes) / 1024))
    return {
        name: {
            "CPU ms": report.cell(one[0] for one in figures),
            "memory MB": report.cell(one[1] for one in figures),
        }
        for name, figures in taken.items()
    }


if __name__ == "__main__":
    main()
