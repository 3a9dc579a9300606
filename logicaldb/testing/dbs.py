"""Dbs for tests, with tables of their own."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

from typing_extensions import TypeVar

from logicaldb.db import LogicalDb
from logicaldb.db_async import AsyncLogicalDb
from logicaldb.drivers import run
from logicaldb.operations.tables import create_tables
from logicaldb.transport.boto import BotoTransport

D = TypeVar("D", bound=LogicalDb | AsyncLogicalDb)

_LONGEST_NAME: Final = 255
"""Characters: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html"""


class LogicalDbFactory:
    """Makes dbs of a test: ``db = logical_db(MusicDb)``, with the fixture ``logical_db``, which is one.

    The physical tables have names that are used nowhere else, so tests may run at the same time on one DynamoDB. All
    dbs that one factory makes share them: tables that are declared with one name are one table.

    Args:
        client: a boto3 DynamoDB client, through which the tables are made and deleted.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._names: dict[str, str] = {}

    def __call__(self, db_type: type[D], *, client: Any = None, **options: Any) -> D:
        """Make a db and its tables, which can be used at once, also those of an ``AsyncLogicalDb``.

        Args:
            db_type: the class of the db.
            client: the client of the db, if not that of the factory; an aiobotocore client, for example. It is to be of
                the same DynamoDB.
            options: what the class takes besides the client and ``table_name_resolver``.
        """
        db = db_type(
            self._client if client is None else client,
            table_name_resolver=lambda _table, declared: self._physical_name(declared),
            **options,
        )
        run(create_tables(db._declared()), BotoTransport(self._client))
        return db

    def delete_tables(self) -> None:
        """Delete the tables that were made; those that are gone already do not matter."""
        for name in self._names.values():
            with suppress(self._client.exceptions.ResourceNotFoundException):
                self._client.delete_table(TableName=name)

    def _physical_name(self, declared: str) -> str:
        unique = f"-{uuid4().hex}"
        return self._names.setdefault(declared, declared[: _LONGEST_NAME - len(unique)] + unique)
