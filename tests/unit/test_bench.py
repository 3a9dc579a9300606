"""Tests of what ``make bench`` writes of its figures; the figures themselves are no matter of tests."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.benchmarks import report
from tests.benchmarks.report import Cell, Result

PAGE: Final = "# Speed\n\nHow.\n\n<!-- tables: written by make bench -->\n\n<!-- end of tables -->\n\n## After\n"
VERSIONS: Final = {
    "boto3": {"Python": "3.11.7", "boto3": "1.44.5", "botocore": "1.44.5", "pydantic": "2.14.3"},
    "dynamoxy": {"Python": "3.13.0", "dynamoxy": "0.3.0"},
    "aioboto3": {"Python": "3.11.7", "aioboto3": "15.5.0", "boto3": "1.40.61", "botocore": "1.40.61"},
    "pynamodb": {"Python": "3.11.7", "pynamodb": "6.1.0", "botocore": "1.44.5"},
}
SHOWN: Final = (
    "Python 3.11.7, boto3 1.44.5, botocore 1.44.5, pydantic 2.14.3; aioboto3 15.5.0 (botocore 1.40.61); "
    "dynamoxy 0.3.0 (Python 3.13.0); pynamodb 6.1.0"
)
FIRST: Final = {"boto3": {"get": Cell(1, 1, 1)}, "floor": {"get": Cell(0.0181, 0.0196, 0.02)}}
CODEC: Final = {"boto3": {"encode": Cell(1, 1, 1)}, "logicaldb": {"encode": Cell(0.0996, 0.124, 1.25)}}


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    (tmp_path / "performance.md").write_text(PAGE, encoding="utf-8")
    return tmp_path


def test_a_page_gets_the_tables_of_a_run_between_its_marks(docs: Path) -> None:
    report.write(docs, Result("2026-11-22", "bench --ways codec", VERSIONS, {"codec": CODEC}))
    assert (docs / "performance.md").read_text(encoding="utf-8") == (
        "# Speed\n\nHow.\n\n<!-- tables: written by make bench -->\n\n"
        f"The last run was with {SHOWN}.\n\n"
        "<!-- table: codec -->\n\n### The codec alone: CPU time\n\nMeasured on 2026-11-22 by `bench --ways codec`.\n\n"
        "| | encode |\n|---|---|\n"
        "| boto3 | 1.0 <small>1.0-1.0</small> |\n"
        "| **logicaldb** | 0.12 <small>0.10-1.2</small> |\n\n"
        "<!-- end of tables -->\n\n## After\n"
    )
    assert not (docs / "performance.svg").exists(), "the picture is that of single calls, which were not run"


def test_tables_that_were_not_run_stay_in_their_order(docs: Path) -> None:
    report.write(docs, Result("2026-11-21", "bench --ways codec", VERSIONS, {"codec": CODEC}))
    report.write(docs, Result("2026-11-22", "bench --ways start", VERSIONS, {"start": CODEC}))
    report.write(docs, Result("2026-11-23", "bench --ways one", VERSIONS, {"one": FIRST}))
    report.write(docs, Result("2026-11-24", "bench --ways start", {"boto3": VERSIONS["boto3"]}, {"start": FIRST}))
    page = (docs / "performance.md").read_text(encoding="utf-8")
    assert re.findall(r"<!-- table: \w+ -->|^###.*|^Measured.*", page, re.MULTILINE) == [
        "<!-- table: one -->",
        "### One call after the other: CPU time",
        "Measured on 2026-11-23 by `bench --ways one`.",
        "<!-- table: codec -->",
        "### The codec alone: CPU time",
        "Measured on 2026-11-21 by `bench --ways codec`.",
        "<!-- table: start -->",
        "### Import in a fresh interpreter",
        "Measured on 2026-11-24 by `bench --ways start`.",
    ]
    assert page.count("| **logicaldb** | 0.12 <small>0.10-1.2</small> |") == 1, "that of the start was replaced"
    assert page.count("The last run was with ") == 1
    assert page.startswith("# Speed\n\nHow.\n\n")
    assert page.endswith("\n\n<!-- end of tables -->\n\n## After\n")


def test_a_run_that_is_written_again_changes_nothing(docs: Path) -> None:
    result = Result("2026-11-22", "bench", VERSIONS, {"one": FIRST, "codec": CODEC})
    report.write(docs, result)
    page = (docs / "performance.md").read_text(encoding="utf-8")
    report.write(docs, result)
    assert (docs / "performance.md").read_text(encoding="utf-8") == page


def test_what_is_no_client_is_in_the_table_and_not_in_the_picture(docs: Path) -> None:
    report.write(docs, Result("2026-11-22", "bench", VERSIONS, {"one": FIRST}, references={"floor"}))
    picture = (docs / "performance.svg").read_text(encoding="utf-8")
    assert re.findall(r'text-anchor="end">([^<]*)<', picture) == ["boto3"]
    assert "| floor | 0.020 <small>0.018-0.020</small> |" in (docs / "performance.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.00064, "0.00064"), (0.077, "0.077"), (0.0996, "0.10"), (0.1, "0.10"), (1, "1.0"), (9.96, "10"), (143.2, "143")],
)
def test_figures_have_two_digits_that_count(value: float, shown: str) -> None:
    table = {"boto3": {"get": Cell(value, value, value)}}
    assert report.text("one", table).split()[-2:] == [shown, f"({shown}-{shown})"]
