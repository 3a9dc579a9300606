"""A table that is reached through a proxy that fails, and directly."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Literal
from uuid import uuid4

import pytest

from logicaldb import DirectTransport
from logicaldb.testing import DynamoDbLocal
from tests.faults.proxy import FaultProxy
from tests.models import Db, make_db

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
        directly: whether requests go past the client, too, by a ``DirectTransport``, except those of the adaptive mode.
    """

    proxy: FaultProxy
    direct: Db
    name: str
    table: str
    clients: Clients
    directly: bool = field(default=False, kw_only=True)

    def db(self, mode: Mode = "standard", *, attempts: int = 4, **config: Any) -> Db:
        """The database through the proxy."""
        retries = {"mode": mode, "total_max_attempts": attempts}
        client = self.clients.get(retries=retries, **config)
        directly = self.directly and mode != "adaptive"
        return make_db(DirectTransport.from_client(client) if directly else client, self.table)


@pytest.fixture(scope="module")
def stages(dynamodb_local: DynamoDbLocal) -> Generator[Callable[[], Stage]]:
    table = f"faults-{uuid4().hex}"
    direct = make_db(dynamodb_local.client(), table)
    direct.create_tables()
    with FaultProxy(dynamodb_local.endpoint_url) as proxy:
        clients = Clients(proxy)
        yield lambda: Stage(proxy, direct, uuid4().hex, table, clients)


@pytest.fixture(params=[False, True], ids=["client", "direct"])
def stage(request: pytest.FixtureRequest, stages: Callable[[], Stage]) -> Stage:
    stage = replace(stages(), directly=request.param)
    stage.proxy.plan()
    return stage


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits between attempts; these are the pauses that logicaldb asked for."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("logicaldb.transport.retries._LONGEST_PAUSE", 0.0)
    asked: list[float] = []
    monkeypatch.setattr("logicaldb.drivers.sleep", asked.append)
    return asked
