"""What the checkers say of code that uses the library.

The files in ``cases/`` are ordinary users' code, checked by mypy and by pyright in their strict modes, and never run. A
line that ends in ``# error`` must be an error in each of them (``# error: arg-type`` says which one it is to mypy), and no
other line may be one: so the typing keeps its promises, and keeps out of the way.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = HERE / "cases"

Line: TypeAlias = tuple[str, int]
Findings: TypeAlias = dict[Line, list[tuple[str, str]]]
"""Of the lines that a checker finds fault with: the codes, and the messages."""

FOLLOWING = {"reportUnknownArgumentType", "reportUnknownMemberType", "reportUnknownVariableType"}
"""What pyright finds where an error is already: a line that is marked as an error must have another than these."""


def run(module: str, *arguments: str) -> str:
    """Run a checker; an exit status of 1 means that it found something, and more than that that it failed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    command = [sys.executable, "-m", module, *arguments]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode in {0, 1}, result.stdout + result.stderr
    return result.stdout


def mypy(configuration: str) -> Findings:
    cache = ROOT / ".mypy_cache" / configuration
    config = HERE / f"{configuration}.ini"
    output = run("mypy", f"--config-file={config}", f"--cache-dir={cache}", "--output=json", str(CASES))
    found: Findings = defaultdict(list)
    for line in output.splitlines():
        fault = json.loads(line)
        if fault["severity"] == "error":
            found[Path(fault["file"]).name, fault["line"]].append((fault["code"], fault["message"]))
    return found


def pyright() -> Findings:
    output = run("pyright", "--outputjson", f"--pythonpath={sys.executable}", f"--project={HERE}")
    report: dict[str, Any] = json.loads(output)
    assert report["summary"]["filesAnalyzed"] == len(list(CASES.glob("*.py")))
    found: Findings = defaultdict(list)
    for fault in report["generalDiagnostics"]:
        line = fault["range"]["start"]["line"] + 1
        found[Path(fault["file"]).name, line].append((fault.get("rule", ""), fault["message"]))
    return found


def expected() -> dict[Line, str]:
    """The lines that are marked as errors, with mypy's code where one is named."""
    marks: dict[Line, str] = {}
    for path in CASES.glob("*.py"):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if found := re.search(r"  # error(?:: ([\w-]+))?$", line):
                marks[path.name, number] = found[1] or ""
    return marks


def described(line: Line, fault: str, findings: Findings) -> str:
    name, number = line
    messages = "".join(f"\n    {message} [{code}]" for code, message in findings.get(line, ()))
    return f"{name}:{number} {fault}{messages}"


@pytest.mark.timeout(400)  # a first run fills the checkers' caches
@pytest.mark.parametrize(
    ("check", "codes"),
    [
        pytest.param(lambda: mypy("mypy"), True, id="mypy"),
        pytest.param(lambda: mypy("mypy_pydantic"), True, id="mypy-with-the-pydantic-plugin"),
        pytest.param(pyright, False, id="pyright"),
    ],
)
def test_marked_lines_are_errors_and_no_others(check: Callable[[], Findings], codes: bool) -> None:
    marked = expected()
    assert marked, "no case is marked as an error"
    found = check()
    faults = []
    for line in sorted(marked.keys() | found.keys()):
        seen = {code for code, _ in found.get(line, ())}
        if line not in marked:
            faults.append((line, "is not marked as an error, and is one"))
        elif not seen - FOLLOWING:
            faults.append((line, "is marked as an error, and is none"))
        elif codes and marked[line] and marked[line] not in seen:
            faults.append((line, f"is marked as {marked[line]}, and is another error"))
    if faults:
        pytest.fail("\n".join(described(line, fault, found) for line, fault in faults), pytrace=False)
