from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pytest

from logicaldb.testing.emulator import DynamoDbLocalUnavailable, find_emulator

NPM = f"""#!{sys.executable}
import json, os, shutil, sys
with open(os.environ["FAKE_NPM_CALLS"], "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
print("npm notice a new version is there", file=sys.stderr)
print("npm warn and another thing")
if "FAKE_NPM_FAILS" in os.environ:
    sys.exit("npm error code E404")
if "FAKE_NPM_IS_OVERTAKEN" in os.environ:
    os.mkdir(os.environ["FAKE_NPM_IS_OVERTAKEN"])
    with open(os.environ["FAKE_NPM_IS_OVERTAKEN"] + "/DynamoDBLocal.jar", "w") as jar:
        jar.write("of another process")
shutil.copy(os.environ["FAKE_NPM_TARBALL"], "amplify-dynamodb-simulator-2.9.30.tgz")
print("amplify-dynamodb-simulator-2.9.30.tgz")
"""

PACKED = {
    "package/index.js": "of npm",
    "package/LICENSE": "of npm",
    "package/emulator/DynamoDBLocal.jar": "jar",
    "package/emulator/LICENSE.txt": "of AWS",
    "package/emulator/DynamoDBLocal_lib/a.jar": "a",
    "other/emulator/b.jar": "b",
    "/package/emulator/c.jar": "c",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with an npm of ours on the PATH."""
    tools = tmp_path / "tools"
    tools.mkdir()
    npm = tools / "npm"
    npm.write_text(NPM)
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setenv("FAKE_NPM_CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("FAKE_NPM_TARBALL", str(tmp_path / "packed.tgz"))
    for variable in ("LOGICALDB_DYNAMODB_LOCAL", "FAKE_NPM_FAILS", "FAKE_NPM_IS_OVERTAKEN"):
        monkeypatch.delenv(variable, raising=False)
    pack(tmp_path, PACKED)
    working = tmp_path / "working"
    working.mkdir()
    monkeypatch.chdir(working)
    return working


def pack(tmp_path: Path, files: dict[str, str], *links: str) -> None:
    with tarfile.open(tmp_path / "packed.tgz", "w:gz") as archive:
        for name in links:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content.encode()))
        directory = tarfile.TarInfo("package/emulator/empty")
        directory.type = tarfile.DIRTYPE
        archive.addfile(directory)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def files(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def calls(tmp_path: Path) -> str:
    recorded = tmp_path / "calls"
    return recorded.read_text() if recorded.exists() else ""


def make(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "DynamoDBLocal.jar").write_text("there already")
    return folder


FETCHED = {
    "DynamoDBLocal.jar": "jar",
    "LICENSE.txt": "of AWS",
    "DynamoDBLocal_lib/a.jar": "a",
    ".gitignore": "*\n",
}


def test_takes_the_folder_that_is_given(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = make(folder / "given")
    monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", str(make(folder / "named")))
    assert find_emulator(given) == find_emulator(str(given)) == find_emulator("given") == given
    assert calls(tmp_path) == ""


def test_else_that_of_the_environment(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(folder / ".cache" / "dynamodb-local")
    monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", str(make(folder / "named")))
    assert find_emulator() == folder / "named"
    assert calls(tmp_path) == ""


@pytest.mark.parametrize("by_environment", [False, True])
def test_a_folder_that_is_named_must_hold_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_environment: bool
) -> None:
    if by_environment:
        monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", "missing")
    with pytest.raises(DynamoDbLocalUnavailable) as raised:
        find_emulator(None if by_environment else "missing")
    named_by = " (LOGICALDB_DYNAMODB_LOCAL)" if by_environment else ""
    assert str(raised.value) == f"there is no DynamoDBLocal.jar in {folder / 'missing'}{named_by}"
    assert calls(tmp_path) == ""


def test_else_the_cache_of_the_working_directory(folder: Path, tmp_path: Path) -> None:
    cached = make(folder / ".cache" / "dynamodb-local")
    assert find_emulator() == cached
    assert calls(tmp_path) == ""


def test_else_it_is_fetched_once_and_only_the_emulator_of_it_kept(folder: Path, tmp_path: Path) -> None:
    for _ in range(2):
        assert find_emulator() == folder / ".cache" / "dynamodb-local"
    assert files(folder / ".cache" / "dynamodb-local") == FETCHED
    assert names(folder / ".cache") == ["dynamodb-local"]
    assert calls(tmp_path) == '["pack", "amplify-dynamodb-simulator@2.9.30", "--ignore-scripts"]\n'


def test_of_two_processes_that_fetch_it_the_first_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = folder / ".cache" / "dynamodb-local"
    monkeypatch.setenv("FAKE_NPM_IS_OVERTAKEN", str(cache))
    assert find_emulator() == cache
    assert files(cache) == {"DynamoDBLocal.jar": "of another process"}
    assert names(folder / ".cache") == ["dynamodb-local"]


def test_a_cache_that_holds_something_else_is_told(folder: Path) -> None:
    cache = folder / ".cache" / "dynamodb-local"
    (cache / "something").mkdir(parents=True)
    with pytest.raises(DynamoDbLocalUnavailable) as raised:
        find_emulator()
    assert str(raised.value) == f"{cache} holds something that is not DynamoDB Local"


def test_a_missing_npm_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(DynamoDbLocalUnavailable) as raised:
        find_emulator()
    assert str(raised.value) == (
        "DynamoDB Local is fetched with npm, and there is none: install Node.js, or unpack DynamoDB Local yourself and "
        "name its folder in the environment variable LOGICALDB_DYNAMODB_LOCAL"
    )
    assert names(folder) == []


def test_a_failure_of_npm_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_NPM_FAILS", "1")
    with pytest.raises(DynamoDbLocalUnavailable) as raised:
        find_emulator()
    assert str(raised.value) == (
        "`npm pack amplify-dynamodb-simulator@2.9.30` failed:\nnpm notice a new version is there\nnpm error code E404"
    )
    assert names(folder / ".cache") == []


def test_a_package_without_the_jar_is_told(folder: Path, tmp_path: Path) -> None:
    pack(tmp_path, {"package/index.js": "of npm"})
    with pytest.raises(DynamoDbLocalUnavailable) as raised:
        find_emulator()
    assert str(raised.value) == "there is no DynamoDBLocal.jar in the npm package amplify-dynamodb-simulator@2.9.30"


@pytest.mark.parametrize(
    "hostile", ["package/emulator/../../../outside", "package/emulator/x/../../../outside", "package/emulator/.."]
)
def test_a_path_that_leads_out_of_the_package_is_refused(folder: Path, tmp_path: Path, hostile: str) -> None:
    pack(tmp_path, {hostile: "hostile", **PACKED})
    with pytest.raises(DynamoDbLocalUnavailable) as raised:
        find_emulator()
    assert str(raised.value) == ("the npm package amplify-dynamodb-simulator@2.9.30 holds a path that leads out of it")
    assert files(folder) == {}
    assert names(folder / ".cache") == []


def test_links_are_left_out(folder: Path, tmp_path: Path) -> None:
    pack(tmp_path, PACKED, "package/emulator/link")
    assert files(find_emulator()) == FETCHED
