"""What holds for all tests: how hypothesis searches, the engines, and that nothing is skipped on CI."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from tests.engines import (
    client,
    dynamodb_local,
    local_aio_client,
    local_client,
    local_db,
    local_mode,
    loop,
    mode,
    new_name,
    pytest_collection_finish,
    recorder,
)

__all__ = [
    "client",
    "dynamodb_local",
    "local_aio_client",
    "local_client",
    "local_db",
    "local_mode",
    "loop",
    "mode",
    "new_name",
    "pytest_collection_finish",
    "recorder",
]

R = TypeVar("R", pytest.TestReport, pytest.CollectReport)

settings.register_profile("dev", deadline=None, max_examples=60)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,  # a red build is red again when it is run again
    database=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _no_skip_on_ci((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _no_skip_on_ci((yield))


def _no_skip_on_ci(report: R) -> R:
    """Make a failure of a skip where ``CI=true``: what CI does not run, nobody runs."""
    if os.environ.get("CI") == "true" and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        assert isinstance(report.longrepr, tuple)  # of a skip: path, line, reason
        report.longrepr = f"{report.longrepr[2]}, and CI=true allows no skips"
    return report
