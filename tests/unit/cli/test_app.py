"""Tests of the commands, as far as they need no DynamoDB."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import logicaldb.cli
from examples.music.models import MusicDb
from logicaldb.cli.app import app
from logicaldb.cli.mermaid import mermaid
from logicaldb.cli.outline import outline
from logicaldb.cli.page import page
from logicaldb.cli.terraform import terraform
from logicaldb.testing import in_process_dynamodb

MUSIC = "examples.music.models:MusicDb"
SHOP = "tests.unit.cli.shop:ShopDb"


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})


@pytest.mark.parametrize("name", ["describe", "diagram", "check", "create-tables", "export"])
def test_every_command_has_help(name: str) -> None:
    assert command(name, "--help").exit_code == 0
    assert name in command("--help").output


@pytest.mark.parametrize(
    "arguments", [("describe",), ("diagram",), ("check",), ("create-tables",), ("export", "terraform")]
)
def test_a_db_that_is_not_there(arguments: tuple[str, ...]) -> None:
    done = command(*arguments, "nowhere:Db")
    assert done.exit_code == 2
    assert done.stderr == "there is no module nowhere, neither installed nor in the working directory\n"
    assert done.stdout == ""


def test_describe() -> None:
    done = command("describe", MUSIC)
    assert done.exit_code == 0
    assert "music_items  db.music: MusicTable, rows of MusicItem" in done.output


def test_nothing_is_cut_in_two_where_it_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    done = CliRunner().invoke(app, ("describe", MUSIC))
    assert "db.music.album_tracks_by_title.query(BeginsWith(AlbumTrack.TitleIndexOffset(album_token)))" in done.output


def test_diagram(tmp_path: Path) -> None:
    tables = outline(MusicDb)
    assert command("diagram", MUSIC).output == page("MusicDb", tables)
    assert command("diagram", MUSIC, "--mermaid").output == mermaid(tables)
    file = tmp_path / "diagram.html"
    done = command("diagram", MUSIC, "--output", str(file))
    assert (done.exit_code, done.output) == (0, "")
    assert file.read_text(encoding="utf-8") == page("MusicDb", tables)


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "diagram.html"
    done = command("diagram", MUSIC, "-o", str(file))
    assert (done.exit_code, done.stderr) == (2, f"{file}: No such file or directory\n")


def test_export() -> None:
    assert command("export", "terraform", MUSIC).output == terraform(outline(MusicDb))
    assert json.loads(command("export", "cloudformation", MUSIC).output)["Description"] == "The tables of MusicDb"
    assert json.loads(command("export", "workbench", MUSIC).output)["ModelName"] == "MusicDb"
    assert command("export", "pulumi", MUSIC).exit_code == 2


def test_the_laws() -> None:
    done = command("check", SHOP, "--no-live")
    assert done.exit_code == 0
    assert done.output == (
        "ShopTable: the laws of its keys hold\n"
        "Measures: the laws of its keys hold\n"
        "Settings: the laws of its keys hold\n"
    )
    assert command("check", SHOP, "--no-live", "--no-laws").output == ""


@pytest.mark.parametrize(
    ("problem", "status", "told"),
    [
        (AssertionError("two keys are stored as one"), 1, "two keys are stored as one"),
        (
            TypeError("nothing is\nknown"),
            2,
            "its laws cannot be checked, so leave them out (--no-laws): nothing is known",
        ),
    ],
)
def test_a_law_that_does_not_hold(monkeypatch: pytest.MonkeyPatch, problem: Exception, status: int, told: str) -> None:
    def check_table(_: object) -> None:
        raise problem

    monkeypatch.setattr(import_module("logicaldb.testing.laws"), "check_table", check_table)
    done = command("check", MUSIC, "--no-live")
    assert (done.exit_code, done.output) == (status, f"MusicTable: {told}\n")


def test_laws_need_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "logicaldb.testing.laws", None)
    done = command("check", MUSIC, "--no-live")
    assert done.exit_code == 2
    assert done.stderr.endswith("; or leave the laws out: --no-laws\n")


def test_live_tables_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with in_process_dynamodb("eu-central-1"):
        missing = command("check", MUSIC, "--no-laws")
        assert missing.exit_code == 1
        assert "not there" in missing.output
        assert command("create-tables", MUSIC).output == "music_items: created\n"
        there = command("check", MUSIC, "--no-laws")
        assert (there.exit_code, there.output) == (0, "music_items: as declared\n")


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        (("--profile", "nobody"), "The config profile (nobody) could not be found\n"),
        (("--endpoint-url", "nowhere"), "Invalid endpoint: nowhere\n"),
    ],
)
def test_a_client_that_cannot_be_made(option: tuple[str, str], problem: str) -> None:
    done = command("create-tables", MUSIC, *option)
    assert (done.exit_code, done.stderr) == (2, problem)


def test_an_endpoint_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    done = command("check", MUSIC, "--no-laws", "--endpoint-url", "http://127.0.0.1:9")
    assert done.exit_code == 2
    assert done.stderr == 'Could not connect to the endpoint URL: "http://127.0.0.1:9/"\n'


def test_the_script_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def lacking(name: str) -> Any:
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr(logicaldb.cli, "import_module", lacking)
    missing = "rich.console"
    with pytest.raises(SystemExit) as end:
        logicaldb.cli.main()
    assert end.value.code == 'the command line needs rich.console: pip install "logicaldb[cli]"'
    missing = "something.else"
    with pytest.raises(ModuleNotFoundError, match="something"):
        logicaldb.cli.main()


def test_the_script_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["logicaldb", "describe", MUSIC])
    with pytest.raises(SystemExit) as end:
        logicaldb.cli.main()
    assert end.value.code == 0
    assert "MusicTable" in capsys.readouterr().out
