from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from examples.music.catalog import BUNDLED
from examples.music.cli import app
from logicaldb.testing import in_process_dynamodb

ROOT = Path(__file__).parents[2]
OUTPUT = Path(__file__).with_name("music_demo.txt").read_text(encoding="utf-8").splitlines()


def run(*args: str, columns: int = 80) -> tuple[int, list[str], list[str]]:
    """Run a command; its exit code, and the lines of its output and of its errors."""
    environment = {"FORCE_COLOR": None, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": str(columns)}
    outcome = CliRunner().invoke(app, args, env=environment, catch_exceptions=False)
    return outcome.exit_code, outcome.stdout.splitlines(), outcome.stderr.splitlines()


@pytest.fixture(scope="module")
def narrow() -> list[str]:
    code, out, err = run("demo", columns=80)
    assert (code, err) == (0, [])
    return out


def test_the_output_is_this(narrow: list[str]) -> None:
    assert narrow == OUTPUT


def test_nothing_is_wider_than_the_terminal_and_a_wider_one_changes_rules_alone(narrow: list[str]) -> None:
    code, wide, err = run("demo", columns=120)
    assert (code, err) == (0, [])
    assert max(map(len, narrow)) == 80
    assert max(map(len, wide)) == 120
    assert [line.rstrip("─") for line in wide] == [line.rstrip("─") for line in narrow]


def test_it_can_be_run_again_on_what_is_there_already(narrow: list[str]) -> None:
    with in_process_dynamodb():
        assert run("demo", "--aws")[0] == 0
        code, out, err = run("demo", "--aws")
    assert (code, err) == (0, [])
    first = narrow.index("An album with its tracks, in one query ".ljust(80, "─"))
    played = {"Play count before: 0": "Play count before: 200", "Play count after: 200": "Play count after: 400"}
    assert set(played) < set(narrow)
    expected = [played.get(line, line) for line in narrow[first:-1]]
    assert out[first + 1 : -1] == expected  # one line more: the playlist that was there already


def test_it_runs_as_a_program(narrow: list[str]) -> None:
    command = [sys.executable, "-m", "examples.music", "demo"]
    environment = {**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    outcome = subprocess.run(command, capture_output=True, cwd=ROOT, env=environment, check=False, encoding="utf-8")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.splitlines() == narrow


def test_an_in_process_table_is_filled_first_and_says_so() -> None:
    code, out, err = run("album", "ALBUM_time-out")
    assert code == 0
    assert err[0] == "The in-process DynamoDB starts empty: importing the bundled catalogue first."
    assert err[-1].endswith(" 207/207")
    assert out[:2] == ["Time Out by The Dave Brubeck Quartet", "Jazz, Columbia, 1959-12-14"]


def test_an_import_in_process_says_that_nothing_is_kept() -> None:
    code, out, err = run("import", str(BUNDLED))
    assert (code, out) == (0, ["Imported into in-process DynamoDB: 19 albums, 187 tracks and 1 playlist."])
    assert err[-1] == "It ends with this command, and nothing is kept: see --endpoint-url."
