"""The pytest plugin: its option and its fixtures.

pytest imports it at the start of every run in an environment that has logicaldb. So it lies outside the package, whose
import costs more than pytest's own, and would come before coverage is measured; what the fixtures do is in
``logicaldb.testing.plugin`` and is imported by the first test that asks for one.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from logicaldb.testing.dbs import LogicalDbFactory
    from logicaldb.testing.plugin import Engine


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option ``--dynamodb``, and ``dynamodb`` of the configuration file."""
    about = (
        "the DynamoDB of the fixtures dynamodb_client and logical_db: moto (in the process, the default), local "
        "(DynamoDB Local, started for the run), or the URL of one that runs"
    )
    parser.getgroup("logicaldb").addoption("--dynamodb", metavar="moto|local|URL", help=about)
    parser.addini("dynamodb", about, default="moto")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a choice that is none, before any test runs."""
    choice = _choice(config)
    if choice not in {"moto", "local"} and not _is_url(choice):
        raise pytest.UsageError(
            f"--dynamodb (or dynamodb in the configuration file) is {choice!r}: write moto, local, or the URL of a "
            "DynamoDB that runs, such as http://127.0.0.1:8000"
        )


@pytest.fixture(scope="session")
def _dynamodb_engine(pytestconfig: pytest.Config) -> Generator[Engine]:
    """The engine of the run, or that of this process of pytest-xdist."""
    from logicaldb.testing.plugin import start_engine  # noqa: PLC0415 - see above

    with start_engine(_choice(pytestconfig)) as engine:
        yield engine


@pytest.fixture
def dynamodb_client(_dynamodb_engine: Engine) -> Generator[Any]:
    """A boto3 client of the DynamoDB that ``--dynamodb`` chooses; moto and DynamoDB Local are empty at first."""
    with _dynamodb_engine() as client:
        yield client


@pytest.fixture
def logical_db(dynamodb_client: Any) -> Generator[LogicalDbFactory]:
    """Makes dbs of declared classes, ``logical_db(MusicDb)``, with tables that are deleted after the test."""
    from logicaldb.testing.plugin import dbs_of  # noqa: PLC0415 - see above

    with dbs_of(dynamodb_client) as factory:
        yield factory


def _choice(config: pytest.Config) -> str:
    choice: str = config.getoption("dynamodb") or config.getini("dynamodb")
    return choice


def _is_url(choice: str) -> bool:
    try:
        url = urlsplit(choice)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:  # of a port or an address
        return False
