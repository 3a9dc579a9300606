"""A table that is reached through a proxy that fails, and directly."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal
from uuid import uuid4

import pytest

from logicaldb.testing import DynamoDbLocal
from tests.faults.models import Db, make_db
from tests.faults.proxy import FaultProxy

Mode = Literal["legacy", "standard", "adaptive"]


_USES = 8
"""A client of the standard mode has a quota of 500 for retries, each costs 14, and no test makes more than four in vain."""


@dataclass
class Clients:
    """Makes clients of a proxy: making one takes longer than most tests, so some tests share one."""

    proxy: FaultProxy
    made: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    def get(self, **config: Any) -> Any:
        """A client with these settings."""
        left = self.made.setdefault(repr(config), [])
        if not left:
            left += [self.proxy.client(**config)] * _USES
        return left.pop()


@dataclass
class Stage:
    """Where a test plays.

    Attributes:
        proxy: the proxy.
        direct: the database, past the proxy.
        name: a name that nothing has yet.
    """

    proxy: FaultProxy
    direct: Db
    name: str
    table: str
    clients: Clients

    def db(self, mode: Mode = "standard", *, attempts: int = 4, **config: Any) -> Db:
        """The database through the proxy."""
        retries = {"mode": mode, "total_max_attempts": attempts}
        return make_db(self.clients.get(retries=retries, **config), self.table)


@pytest.fixture(scope="module")
def stages(dynamodb_local: DynamoDbLocal) -> Generator[Callable[[], Stage]]:
    table = f"faults-{uuid4().hex}"
    direct = make_db(dynamodb_local.client(), table)
    direct.create_tables()
    with FaultProxy(dynamodb_local.endpoint_url) as proxy:
        clients = Clients(proxy)
        yield lambda: Stage(proxy, direct, uuid4().hex, table, clients)


@pytest.fixture
def stage(stages: Callable[[], Stage]) -> Stage:
    stage = stages()
    stage.proxy.plan()
    return stage


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits between attempts; these are the pauses that logicaldb asked for."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    asked: list[float] = []
    monkeypatch.setattr("logicaldb.drivers.sleep", asked.append)
    return asked
