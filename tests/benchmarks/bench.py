"""logicaldb beside its peers and plain boto3, as ratios in one run: ``make bench``.

    python -m tests.benchmarks.bench [--rounds 11] [--only get,put] [--ways one,tasks] [--write]

Each contender is a process in an environment of its own (made below ``.cache/bench`` at first), and all take turns: a
round of each workload gives every contender one turn of about 60 ms, and its time is divided by that of ``boto3 + pydantic``
in the same round. What is shown are medians of these ratios, with their quartiles. The server gives canned answers and is
written in C (a C compiler is needed), so that it is not what is measured; the second target is DynamoDB Local.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import boto3

from logicaldb.testing import DynamoDbLocal
from tests.benchmarks import report
from tests.benchmarks.peers import orders

ROOT: Final = Path(__file__).parents[2]
PEERS: Final = Path(__file__).parent / "peers"
CACHE: Final = ROOT / ".cache" / "bench"
NAIVE: Final = "boto3 + pydantic"
TURN: Final = 0.06
"""How many seconds a turn is to take."""
WORKLOADS: Final = ("get", "put", "update", "query", "batch_get", "transact", "batch_write", "scan", "encode", "decode")
LOCAL_WORKLOADS: Final = ("get", "put", "query", "transact")


@dataclass(frozen=True, slots=True)
class Contender:
    """One that takes part.

    Attributes:
        name: what the table calls it.
        environment: the environment that it runs in.
        script: its program in ``peers/contenders``.
        kind: what the program is told to be.
        imports: what is imported for it, for the time of that.
        extra: attributes that its rows need.
    """

    name: str
    environment: str
    script: str
    kind: str = ""
    imports: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Environment:
    """What is installed for contenders.

    Attributes:
        packages: what pip installs.
        python: the oldest Python that they take.
    """

    packages: tuple[str, ...]
    python: tuple[int, int] = (3, 11)


ENVIRONMENTS: Final[dict[str, Environment]] = {
    "boto3": Environment(("boto3", "pydantic", f"--editable={ROOT}")),
    "aiobotocore": Environment(("aiobotocore", "boto3", "pydantic", f"--editable={ROOT}")),
    "pynamodb": Environment(("pynamodb",)),
    "dyntastic": Environment(("dyntastic",)),
    "pydynantic": Environment(("pydynantic",)),
    "pydynox": Environment(("pydynox",)),
    "dynamoxy": Environment(("dynamoxy",), python=(3, 12)),
    "aiodynamo": Environment(("aiodynamo[aiohttp]",)),
    "aioboto3": Environment(("aioboto3", "pydantic")),
}

CONTENDERS: Final = (
    Contender(NAIVE, "boto3", "with_boto3", "naive", "boto3, pydantic"),
    Contender("boto3, dicts", "boto3", "with_boto3", "dicts", "boto3"),
    Contender("boto3 Table + pydantic", "boto3", "with_boto3", "table"),
    Contender("logicaldb", "boto3", "with_logicaldb", "client", "logicaldb"),
    Contender("logicaldb, own client", "boto3", "with_logicaldb", "own"),
    Contender("logicaldb, direct", "boto3", "with_logicaldb", "direct"),
    Contender("logicaldb, aiobotocore", "aiobotocore", "with_logicaldb", "aiobotocore"),
    Contender("pynamodb", "pynamodb", "with_pynamodb", imports="pynamodb.models"),
    Contender("dyntastic", "dyntastic", "with_dyntastic", imports="dyntastic"),
    Contender(
        "pydynantic",
        "pydynantic",
        "with_pydynantic",
        imports="pydynantic",
        extra={"__entity__": "order", "customer": orders.CUSTOMER, "number": "0001"},
    ),
    Contender("pydynox (Rust)", "pydynox", "with_pydynox", imports="pydynox"),
    Contender("dynamoxy (Rust)", "dynamoxy", "with_dynamoxy", imports="dynamoxy"),
    Contender("aiodynamo, dicts", "aiodynamo", "with_aiodynamo", imports="aiodynamo.client"),
    Contender("aioboto3 + pydantic", "aioboto3", "with_aioboto3", imports="aioboto3, pydantic"),
)


def main() -> None:
    """Run what the command line asks for, and print it."""
    parser = argparse.ArgumentParser(description="logicaldb beside its peers and plain boto3, as ratios in one run.")
    parser.add_argument("--rounds", type=int, default=11, help="how many turns each contender gets of each workload")
    parser.add_argument("--only", default=",".join(WORKLOADS), help="the workloads")
    parser.add_argument("--ways", default="one,threads,tasks,local,start", help="how they are run, and the start")
    parser.add_argument("--contenders", default="", help="those whose names contain one of these")
    parser.add_argument("--write", action="store_true", help="put the tables and the picture into docs/")
    options = parser.parse_args()
    wanted = options.contenders.split(",")
    with ExitStack() as stack:
        running = list(_started(stack, [one for one in CONTENDERS if any(text in one.name for text in wanted)]))
        workloads = [name for name in WORKLOADS if name in options.only.split(",")]
        tables: dict[str, report.Table] = {}
        for way in options.ways.split(","):
            if way == "start":
                tables[way] = _start(running)
            elif way == "local":
                tables[way] = _on_local(
                    running, [name for name in workloads if name in LOCAL_WORKLOADS], options.rounds
                )
            else:
                tables[way] = _ratios(running, way, workloads, options.rounds)
            print(report.text(way, tables[way]), flush=True)
    result = report.Result(date.today().isoformat(), _versions(running), " ".join(sys.argv[1:]), tables)  # noqa: DTZ011 - of whoever runs it
    if options.write:
        report.write(ROOT / "docs", result)


@dataclass(slots=True)
class Running:
    """A contender that waits for its turn."""

    contender: Contender
    python: Path
    process: subprocess.Popen[str]
    ways: dict[str, list[str]]
    counts: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])

    def turn(self, workload: str, way: str, count: int) -> tuple[float, float]:
        """The CPU seconds and the seconds of a call."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{workload} {way} {count}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.contender.name} failed at {workload}; its error is above")
        cpu, wall = json.loads(answer)
        return cpu / count, wall / count

    def can(self, workload: str, way: str) -> bool:
        """Whether it has the workload."""
        return workload in self.ways[way]

    def count(self, workload: str, way: str) -> int:
        """How many calls make a turn; found out by a warm-up."""
        if (workload, way) not in self.counts:
            step = {"one": 1, "threads": 8, "tasks": 64}[way]
            wall = 0.0
            for _ in range(2 if workload == "scan" else 3):
                _, wall = self.turn(workload, way, step)
            self.counts[workload, way] = step if workload == "scan" else max(step, int(TURN / wall / step) * step)
        return self.counts[workload, way]


def _started(stack: ExitStack, contenders: Iterable[Contender]) -> Generator[Running]:
    servers: dict[str, str] = {}
    for contender in contenders:
        python = _environment(contender.environment)
        if python is None:
            continue
        extra = json.dumps(contender.extra)
        if extra not in servers:
            servers[extra] = stack.enter_context(_canned_server(contender.extra))
        yield stack.enter_context(_start_contender(contender, python, servers[extra]))


def _environment(name: str) -> Path | None:
    """The Python of an environment, which is made if it is not there; ``None`` if this machine has no Python for it."""
    environment = ENVIRONMENTS[name]
    folder = CACHE / name
    python, stamp = folder / "bin" / "python", folder / "installed"
    wanted = "\n".join(environment.packages)
    if stamp.exists() and stamp.read_text() == wanted:
        return python
    base = _python(environment.python)
    if base is None:
        least = ".".join(map(str, environment.python))
        print(f"{name} is left out: it needs Python {least} or later, and there is none on the PATH", file=sys.stderr)
        return None
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([base, "-m", "venv", folder], check=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", *environment.packages], check=True)
    stamp.write_text(wanted)
    return python


def _python(least: tuple[int, int]) -> str | None:
    if sys.version_info >= least:
        return sys.executable
    for minor in range(least[1], 20):
        found = shutil.which(f"python3.{minor}")
        # One that is found may be a stand-in of pyenv's for one that is not installed.
        if found and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0:
            return found
    return None


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
    made_up = {
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
        env={**os.environ, **made_up},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ways = process.stdout.readline()
        if not ways:
            raise RuntimeError(f"{contender.name} did not start; its error is above")
        yield Running(contender, python, process, json.loads(ways))
        process.stdin.close()


def _ratios(running: list[Running], way: str, workloads: Iterable[str], rounds: int) -> report.Table:
    """Of each contender and workload: CPU time where calls follow each other, else the time, as ratios."""
    cells: dict[str, dict[str, report.Cell]] = {one.contender.name: {} for one in running}
    for workload in workloads:
        able = [one for one in running if one.can(workload, way)]
        if not able or able[0].contender.name != NAIVE:
            continue
        counts = [one.count(workload, way) for one in able]
        times: list[list[float]] = [[] for _ in able]
        # A scan takes seconds, so its figures are steady after a few.
        for _ in range(min(rounds, 3) if workload == "scan" else rounds):
            for taken, one, count in zip(times, able, counts, strict=True):
                taken.append(one.turn(workload, way, count)[0 if way == "one" else 1])
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
            stack.enter_context(_start_contender(one.contender, one.python, local.endpoint_url)) for one in running
        ]
        return _ratios(again, "one", workloads, rounds)


def _start(running: list[Running]) -> report.Table:
    """What it costs to import a contender: CPU milliseconds and the memory of the process, in fresh interpreters."""
    program = (
        "import resource\n{}\nused = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, used.ru_maxrss)"
    )
    naked = Contender("Python alone", "boto3", "", imports="sys")
    pydantic = Contender("pydantic", "boto3", "", imports="pydantic")
    base = next(one.python for one in running if one.contender.environment == "boto3")
    importing = [(naked, base), (pydantic, base)]
    importing += [(one.contender, one.python) for one in running if one.contender.imports]
    taken: dict[str, list[tuple[float, float]]] = {}
    for _ in range(7):
        for contender, python in importing:
            code = program.format(f"import {contender.imports}")
            output = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
            seconds, kilobytes = output.split()
            taken.setdefault(contender.name, []).append((float(seconds) * 1e3, float(kilobytes) / 1024))
    return {
        name: {
            "CPU ms": report.cell(one[0] for one in figures),
            "memory MB": report.cell(one[1] for one in figures),
        }
        for name, figures in taken.items()
    }


def _versions(running: list[Running]) -> dict[str, str]:
    found = {"Python": sys.version.split()[0], "boto3": boto3.__version__}
    for one in running:
        names = [one.contender.environment, "botocore", "pydantic"]
        code = (
            "import sys\nfrom importlib.metadata import version, PackageNotFoundError\n"
            f"for name in {names}:\n try: print(name, version(name))\n except PackageNotFoundError: pass"
        )
        output = subprocess.run([one.python, "-c", code], check=True, capture_output=True, text=True).stdout
        found |= dict(line.split() for line in output.splitlines())
    return found


if __name__ == "__main__":
    main()
