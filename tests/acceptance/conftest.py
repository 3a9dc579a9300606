"""The modes that acceptance tests run in: in process, past the client, and awaited."""

from __future__ import annotations

from collections.abc import Generator

import pytest

from tests.acceptance.shop import ShopDb
from tests.engines import modes
from tests.modes import Mode


@pytest.fixture(params=["moto", "local-direct", "local-aiobotocore"])
def mode(request: pytest.FixtureRequest) -> Generator[Mode]:
    """One mode of each kind: moto through a client, DynamoDB Local past it, and awaited."""
    yield from modes(request)


@pytest.fixture
def db(mode: Mode) -> ShopDb:
    """A shop with empty tables."""
    return mode.make(ShopDb)
