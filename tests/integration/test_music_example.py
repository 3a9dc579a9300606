"""The music example on DynamoDB Local, by ``--endpoint-url``: what it prints is what it prints on moto."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from examples.music.cli import app
from logicaldb.testing import DynamoDbLocal

OUTPUT = Path(__file__).parents[1] / "examples" / "music_demo.txt"

Run = Callable[..., list[str]]


@pytest.fixture
def run(
    dynamodb_local: DynamoDbLocal,
    local_client: Any,  # asked for so that DynamoDB Local is fetched before the tests begin
    new_name: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs a command on a table of the test's own, without credentials; gives the lines it prints."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    options = ("--endpoint-url", dynamodb_local.endpoint_url, "--table-name", new_name())

    def run_command(*args: str, code: int = 0) -> list[str]:
        environment = {"FORCE_COLOR": None, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}
        outcome = CliRunner().invoke(app, [*args, *options], env=environment, catch_exceptions=False)
        assert outcome.exit_code == code, outcome.output
        return (outcome.stdout if code == 0 else outcome.stderr).splitlines()

    return run_command


def test_the_demo_shows_on_dynamodb_local_what_it_shows_on_moto_and_leaves_a_library(run: Run) -> None:
    expected = OUTPUT.read_text(encoding="utf-8").splitlines()
    assert run("demo") == expected
    assert run("album", "ALBUM_heroes")[-1] == "10 tracks, 40:19"
    assert [line.split()[1] for line in run("search", "S", "--album", "ALBUM_abbey-road") if "track " in line] == [
        "ALBUM_abbey-road,"
    ] * 3
    assert run("playlist", "rename", "PLAYLIST_late-night", "Early", "--from", "Late Night")[0].startswith("Early ")
    assert run("playlist", "rename", "PLAYLIST_late-night", "Later", "--from", "Late Night", code=1) == [
        "Error: Not renamed: PLAYLIST_late-night is called Early, not Late Night."
    ]


def test_without_a_table_it_says_what_to_do(run: Run, dynamodb_local: DynamoDbLocal) -> None:
    [message] = run("albums", code=1)
    assert message == (
        f"Error: DynamoDB at {dynamodb_local.endpoint_url} has no such table. The commands demo and import create it."
    )
