"""The page on reliability cannot rot: each promise is there, and each test that it names."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
PROMISES = {
    "C": [1, 2, 3, 4, 5, 6],
    "V": [1, 2, 3, 4, 5, 6, 7],
    "T": [1, 2, 3, 4, 5, 6, 7, 8],
    "B": [1, 2],
    "Q": [1, 2, 3, 5, 6],
    "W": [1, 2, 3, 4, 5, 6],
    "E": [1, 2, 4, 6],
}
ROWS = re.findall(r"^\| ([A-Z]\d) \| (.+?) \| (.+?) \|$", PAGE, re.MULTILINE)


@cache
def functions_of(path: str) -> dict[str, int]:
    """The tests of a file, and how many statements each has."""
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    found = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return {node.name: len(node.body) for node in found if node.name.startswith("test_")}


def test_every_promise_is_there_once() -> None:
    codes = Counter(code for code, _, _ in ROWS)
    assert codes == Counter(f"{letter}{number}" for letter, numbers in PROMISES.items() for number in numbers)


@pytest.mark.parametrize(("code", "proofs"), [(code, proofs) for code, _, proofs in ROWS])
def test_every_promise_has_tests(code: str, proofs: str) -> None:
    named = NAMED.findall(proofs)
    assert named, code
    assert NAMED.sub("", proofs).replace(",", "").strip() == ""


@pytest.mark.parametrize(("path", "name"), sorted(set(NAMED.findall(PAGE))))
def test_every_test_that_is_named_exists(path: str, name: str) -> None:
    assert functions_of(path).get(name, 0) >= 1


def test_a_test_that_is_gone_would_be_missed() -> None:
    assert "test_that_nobody_wrote" not in functions_of("unit/test_reliability.py")
    with pytest.raises(FileNotFoundError):
        functions_of("unit/test_that_is_gone.py")


def test_no_proof_is_skipped_always() -> None:
    """A mark that skips or expects a failure would make a proof of nothing."""
    for path in {path for path, _ in NAMED.findall(PAGE)}:
        assert not re.search(r"mark\.(skip|xfail)\b", (TESTS / path).read_text(encoding="utf-8")), path
