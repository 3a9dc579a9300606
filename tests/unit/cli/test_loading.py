"""Tests of ``logicaldb.cli.loading``."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from examples.music.models import AsyncMusicDb, MusicDb
from logicaldb.cli.loading import NoDb, load_db


@pytest.mark.parametrize("db", [MusicDb, AsyncMusicDb])
def test_a_db_is_found(db: type) -> None:
    assert load_db(f"examples.music.models:{db.__name__}") is db


def test_modules_of_the_working_directory_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(tmp_path, "my_models_here.py").write_text("from examples.music.models import MusicDb\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    assert load_db("my_models_here:MusicDb") is MusicDb
    assert load_db("my_models_here:MusicDb") is MusicDb
    assert sys.path.count(str(tmp_path)) == 1


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "'' does not name a db class; write module:MusicDb"),
        ("MusicDb", "'MusicDb' does not name a db class; write module:MusicDb"),
        ("./odd:Db", "'./odd:Db' does not name a db class; write module:MusicDb"),
        ("examples:", "'examples:' does not name a db class; write module:MusicDb"),
        (":MusicDb", "':MusicDb' does not name a db class; write module:MusicDb"),
        ("nowhere.at_all:Db", "there is no module nowhere, neither installed nor in the working directory"),
        ("examples.nowhere:Db", "there is no module examples.nowhere, neither installed nor in the working directory"),
        ("examples.music.models:Db", "examples.music.models has no Db; its dbs: MusicDb, AsyncMusicDb"),
        ("logicaldb.errors:Db", "logicaldb.errors has no Db; it has no db at all"),
        ("logicaldb:LogicalDb", "logicaldb:LogicalDb declares no tables"),
        ("logicaldb:Item", "logicaldb:Item is no class derived from LogicalDb or AsyncLogicalDb"),
        (
            "examples.music.models:MusicDb.nothing",
            "examples.music.models has no MusicDb.nothing; its dbs: MusicDb, AsyncMusicDb",
        ),
    ],
)
def test_what_is_no_db_is_refused(name: str, problem: str) -> None:
    with pytest.raises(NoDb) as refused:
        load_db(name)
    assert str(refused.value) == problem


def test_a_wrong_declaration_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(tmp_path, "wrong_models_here.py").write_text(
        "from logicaldb import LogicalTable, RawItem\n\n\nclass Rows(RawItem):\n    key: str\n\n\n"
        "class Wrong(LogicalTable[Rows]):\n    pass\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(NoDb) as refused:
        load_db("wrong_models_here:Db")
    assert str(refused.value) == (
        "wrong_models_here declares something wrong: "
        "Rows: has no partition key; mark one field: Annotated[str, PartitionKey()]"
    )


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("lacking", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("dividing", "1 / 0", "ZeroDivisionError: division by zero"),
        ("leaving", "raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_a_module_that_cannot_be_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, problem: str
) -> None:
    Path(tmp_path, f"{name}_models_here.py").write_text(f"{text}\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(NoDb) as refused:
        load_db(f"{name}_models_here:Db")
    assert str(refused.value) == f"{name}_models_here cannot be imported: {problem}"
