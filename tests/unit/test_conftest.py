from __future__ import annotations

from pathlib import Path

import pytest

_CONFTEST = Path(__file__).parents[1] / "conftest.py"

_TESTS = """
import pytest

def test_runs():
    pass

@pytest.mark.skip(reason="no engine")
def test_is_skipped():
    pass

def test_skips_itself():
    pytest.skip("no Java")

@pytest.mark.xfail(reason="a known gap")
def test_is_expected_to_fail():
    assert False
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(_CONFTEST.parents[1]))
    pytester.makeconftest(_CONFTEST.read_text(encoding="utf-8"))
    return pytester


def test_skips_are_failures_on_ci_and_are_listed(run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    run.makepyfile(_TESTS)
    result = run.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1, failed=1, errors=1, xfailed=1)
    result.stdout.fnmatch_lines_random(
        [
            "ERROR *::test_is_skipped - Skipped: no engine, and CI=true allows no skips",
            "FAILED *::test_skips_itself - Skipped: no Java, and CI=true allows no skips",
        ]
    )


def test_a_module_that_is_skipped_is_an_error_on_ci(run: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    run.makepyfile("import pytest\npytest.skip('no engine', allow_module_level=True)\ndef test_runs(): pass")
    result = run.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["Skipped: no engine, and CI=true allows no skips"])


def test_skips_are_skips_elsewhere(run: pytest.Pytester) -> None:
    run.makepyfile(_TESTS)
    result = run.runpytest_subprocess("-p", "no:cacheprovider")
    assert result.ret == pytest.ExitCode.OK
    result.assert_outcomes(passed=1, skipped=2, xfailed=1)
