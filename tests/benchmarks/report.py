"""What ``tests.benchmarks.bench`` measured: as text, as tables of the documentation, and as a picture."""

from __future__ import annotations

import re
import statistics
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Cell:
    """Quartiles of what was measured."""

    low: float
    middle: float
    high: float


def cell(figures: Iterable[float]) -> Cell:
    """Make the cell of some figures, two at least."""
    low, middle, high = statistics.quantiles(figures, n=4)
    return Cell(low, middle, high)


Table: TypeAlias = Mapping[str, Mapping[str, Cell]]
"""The cells, by contender and by workload."""


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run.

    Attributes:
        date: when it was.
        command: what began it.
        versions: of what is installed, by environment.
        tables: what was measured, by way.
        references: the contenders that are no clients.
    """

    date: str
    command: str
    versions: Mapping[str, Mapping[str, str]]
    tables: Mapping[str, Table]
    references: Collection[str] = ()


TITLES: Final = {
    "one": "One call after the other: CPU time",
    "codec": "The codec alone: CPU time",
    "threads": "8 threads: time",
    "tasks": "64 tasks of asyncio: time",
    "local": "DynamoDB Local, one call after the other: time",
    "start": "Import in a fresh interpreter",
}
NAMES: Final = {
    "query": "query of 100",
    "batch_get": "batch_get of 100",
    "transact": "transact_write of 25",
    "batch_write": "batch_write of 25",
    "scan": "scan of 10,000",
}
_BEGIN: Final = "<!-- tables: written by make bench -->"
_END: Final = "<!-- end of tables -->"
_BESIDE: Final = ("Python", "botocore", "pydantic")
_MARK: Final = re.compile(r"<!-- table: (\w+) -->")


def text(way: str, table: Table) -> str:
    """A table for a terminal."""
    columns = _columns(table)
    lines = [f"\n{TITLES[way]}", f"{'':28}" + "".join(f"{name:>26}" for name in columns)]
    for name, row in table.items():
        cells = (f"{_figure(row[one].middle)} ({_span(row[one])})" if one in row else "" for one in columns)
        lines.append(f"{name:28}" + "".join(f"{cell:>26}" for cell in cells))
    return "\n".join(lines)


def versions(found: Mapping[str, Mapping[str, str]]) -> str:
    """The versions of boto3's environment, and of each peer, with what it has another version of."""
    common = found["boto3"]
    peers: list[str] = []
    for name, own in sorted(found.items()):
        if name != "boto3":
            other = [f"{one} {own[one]}" for one in _BESIDE if one in own and own[one] != common[one]]
            peers.append(f"{name} {own[name]}" + (f" ({', '.join(other)})" if other else ""))
    return "; ".join([", ".join(f"{name} {version}" for name, version in common.items()), *peers])


def write(docs: Path, result: Result) -> None:
    """Put the tables into the page on performance, where others stay as they are, and draw the picture beside it."""
    page = docs / "performance.md"
    before, _, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    inside, _, after = rest.partition(_END)
    pieces = [piece.strip() for piece in _MARK.split(inside)]
    tables = dict(zip(pieces[1::2], pieces[2::2], strict=True))
    for way, table in result.tables.items():
        tables[way] = f"### {TITLES[way]}\n\nMeasured on {result.date} by `{result.command}`.\n\n{_markdown(table)}"
    parts = [_BEGIN, f"The last run was with {versions(result.versions)}."]
    for way in TITLES:
        if way in tables:
            parts += [f"<!-- table: {way} -->", tables[way]]
    page.write_text(before + "\n\n".join([*parts, _END]) + after, encoding="utf-8")
    if "one" in result.tables:
        peers = {name: row for name, row in result.tables["one"].items() if name not in result.references}
        picture = _picture(peers, ("get", "put", "query", "transact"))
        (docs / "performance.svg").write_text(picture, encoding="utf-8")


def _columns(table: Table) -> list[str]:
    return list(dict.fromkeys(name for row in table.values() for name in row))


def _figure(value: float) -> str:
    """Two significant digits, and all those before the point."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:#.2g}"


def _span(cell: Cell) -> str:
    return f"{_figure(cell.low)}-{_figure(cell.high)}"


def _markdown(table: Table) -> str:
    columns = _columns(table)
    lines = [
        "| | " + " | ".join(NAMES.get(name, name) for name in columns) + " |",
        "|---|" + "---|" * len(columns),
    ]
    for name, row in table.items():
        cells = (
            f"{_figure(row[one].middle)} <small>{_span(row[one])}</small>" if one in row else "" for one in columns
        )
        shown = f"**{name}**" if name.startswith("logicaldb") else name
        lines.append(f"| {shown} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


_BAR: Final = 18
_LEFT: Final = 190
_WIDTH: Final = 560


def _picture(table: Table, workloads: Iterable[str]) -> str:
    """A bar chart: for each workload the contenders, shortest first."""
    parts: list[str] = []
    top = 34
    for workload in workloads:
        bars = sorted((row[workload].middle, name) for name, row in table.items() if workload in row)
        if not bars:
            continue
        parts.append(f'<text x="{_LEFT}" y="{top}" class="title">{escape(NAMES.get(workload, workload))}</text>')
        longest = bars[-1][0]
        for number, (ratio, name) in enumerate(bars):
            y = top + 10 + number * (_BAR + 4)
            length = max(1.0, ratio / longest * _WIDTH)
            kind = "ours" if name.startswith("logicaldb") else "other"
            parts.append(
                f'<text x="{_LEFT - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
                f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2" class="{kind}"/>'
                f'<text x="{_LEFT + length + 6:.1f}" y="{y + 13}" class="figure">{_figure(ratio)}</text>'
            )
        top += 10 + len(bars) * (_BAR + 4) + 34
    width, height = _LEFT + _WIDTH + 70, top - 10
    style = (
        "text{font:12px system-ui,sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}.figure{fill:#57606a}"
        ".ours{fill:#1a7f64}.other{fill:#b6bec7}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="CPU time of a call, as a ratio to boto3 with pydantic; shorter is better">'
        f'<style>{style}</style><rect width="{width}" height="{height}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="14" class="figure">CPU time of a call, as a ratio to boto3 + pydantic: shorter is better'
        f"</text>{''.join(parts)}</svg>\n"
    )
