"""The wheel in a fresh project of a user's: what docs/testing.md shows works there as it is written.

The project has a virtual environment of its own, with what ``pip install "logicaldb[testing]"`` would bring and nothing
else. To take seconds, and no network, the distributions in it are links to those of this environment.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from logicaldb.testing import DynamoDbLocal, find_emulator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
TESTS = re.findall(r"^def (test_\w+)", PAGE, re.MULTILINE)
COMMANDS = re.findall(r"^\$ (pytest(?: [^\s#]+)*) +#", PAGE, re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """A folder outside the repository, and its virtual environment."""

    folder: Path
    environment: dict[str, str]

    def run(self, command: str, **environment: str) -> str:
        """What a command prints, which is to succeed."""
        done = subprocess.run(
            command,
            shell=True,
            cwd=self.folder,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling", reason="hatchling is not installed: pip install hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    [wheel] = folder.iterdir()
    return wheel


def metadata(wheel: Path) -> Message:
    with ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return Parser().parsestr(archive.read(name).decode())


def required(wheel: Path, *extras: str) -> list[Distribution]:
    """What pip brings with the wheel and its extras."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()

    def add(requirements: list[str], extra: str) -> None:
        environment = {**{name: str(value) for name, value in default_environment().items()}, "extra": extra}
        for requirement in map(Requirement, requirements):
            if requirement.marker is not None and not requirement.marker.evaluate(environment):
                continue
            name = canonicalize_name(requirement.name)
            brought = found.setdefault(name, distribution(name))
            for wanted in ("", *requirement.extras):
                if (name, wanted) not in seen:
                    seen.add((name, wanted))
                    add(brought.requires or [], wanted)

    for extra in ("", *extras):
        add(metadata(wheel).get_all("Requires-Dist", []), extra)
    return list(found.values())


def link(found: Distribution, site: Path) -> None:
    """Link what a distribution installed into another environment."""
    for name in {file.parts[0] for file in found.files or [] if file.parts[0] not in {"..", "__pycache__"}}:
        source = Path(str(found.locate_file(name)))
        if not (site / name).exists():
            (site / name).symlink_to(source, target_is_directory=source.is_dir())


@pytest.fixture(scope="module")
def project(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("project")
    venv = folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    [site] = venv.glob("lib/python*/site-packages")
    # Of what the recipe for CI installs besides: pytest-xdist.
    for found in [*required(wheel, "testing"), distribution("pytest-xdist"), distribution("execnet")]:
        link(found, site)
    pip = [sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check", "--python", str(venv)]
    # No index: it fails where a requirement is missing, or is there in a version that the wheel does not take.
    subprocess.run([*pip, "install", "--no-index", f"{wheel}[testing]"], cwd=folder, check=True, capture_output=True)
    subprocess.run([*pip, "check"], check=True, capture_output=True)
    [entry] = distribution("pytest").entry_points.select(group="console_scripts", name="pytest")
    script = venv / "bin" / "pytest"
    script.write_text(
        f"#!{venv / 'bin' / 'python'}\nfrom {entry.module} import {entry.attr}\nraise SystemExit({entry.attr}())\n"
    )
    script.chmod(0o755)
    (folder / "test_music.py").write_text("\n".join(blocks("python")))
    kept = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR") if name in os.environ}
    scripts = f"{venv / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return Project(folder, {**kept, "PATH": scripts, "PYTEST_XDIST_AUTO_NUM_WORKERS": "1"})


def test_the_page_has_tests() -> None:
    assert len(TESTS) == 6
    assert COMMANDS == ["pytest", "pytest --dynamodb=local", "pytest --dynamodb=http://127.0.0.1:8000"]
    assert len(blocks("python")) == 5


def test_the_library_is_that_of_the_wheel(project: Project, wheel: Path) -> None:
    script = """
import importlib.metadata, json, logicaldb, sys
print(json.dumps([logicaldb.__file__, importlib.metadata.version("logicaldb"), sys.path]))
"""
    (project.folder / "where.py").write_text(script)
    place, version, path = json.loads(project.run("python where.py"))
    assert Path(place).is_relative_to(project.folder / "venv")
    assert not any(Path(entry).is_relative_to(ROOT) for entry in path)
    assert version == metadata(wheel)["Version"]


def test_the_wheel_holds_the_library_and_nothing_else(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"logicaldb", "_logicaldb_pytest.py"}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "logicaldb").rglob("*.py")}
    assert {name for name in names if name.startswith("logicaldb/")} == {*sources, "logicaldb/py.typed"}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_of_the_page(project: Project, dynamodb_local: DynamoDbLocal, command: str) -> None:
    command = command.replace("http://127.0.0.1:8000", dynamodb_local.endpoint_url)
    said = project.run(f"{command} -v", LOGICALDB_DYNAMODB_LOCAL=str(find_emulator()))
    assert re.findall(r"^test_music\.py::(test_\w+) PASSED", said, re.MULTILINE) == TESTS
    assert f"{len(TESTS)} passed" in said.splitlines()[-1]


def test_the_recipe_for_ci(project: Project, dynamodb_local: DynamoDbLocal) -> None:
    """Its steps after the installation; of the tests, which ran on DynamoDB Local above, one that needs it."""
    emulator = find_emulator()
    [recipe] = blocks("yaml")
    install, *commands = re.findall(r"- run: (.*)$", recipe, re.MULTILINE)
    assert install == 'pip install --editable . "logicaldb[testing]" pytest-xdist'
    environment = {"LOGICALDB_DYNAMODB_LOCAL": str(emulator), "PYTEST_ADDOPTS": "-k plays"}
    fetched, tested = [project.run(command, **environment) for command in commands]
    assert fetched == f"{emulator}\n"
    assert "1 passed" in tested.splitlines()[-1]
    assert "1 worker" in tested
