"""A table of DynamoDB Local that many reach at once; moto has no locks."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import pytest

from logicaldb.testing import DynamoDbLocal
from tests.models import Db, make_db

WORKERS = 8


@dataclass
class Place:
    """Where a test works.

    Attributes:
        db: the database; its client has a connection for each of the workers.
        name: a name that nothing has yet.
        url: where the engine listens.
        table: the physical table.
    """

    db: Db
    name: str
    url: str
    table: str


@pytest.fixture(scope="module")
def shared_place(dynamodb_local: DynamoDbLocal) -> Place:
    table = f"concurrency-{uuid4().hex}"
    db = make_db(dynamodb_local.client(max_pool_connections=16), table)
    db.create_tables()
    return Place(db, "", dynamodb_local.endpoint_url, table)


@pytest.fixture
def place(shared_place: Place) -> Place:
    return Place(shared_place.db, uuid4().hex, shared_place.url, shared_place.table)
