"""Both engines side by side, for tests of where they differ: item types, and calls through the client alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Final, Literal
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from logicaldb import (
    Attribute,
    Counter,
    IndexKey,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
    TableName,
    Version,
)
from tests.engines import SharedLocal, code_of, moto, record


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    owner: Annotated[str | None, PartitionKey(index="by_owner")] = None
    title: Annotated[str | None, SortKey(index="by_title")] = None


class Note(Item):
    """Its attributes have names that DynamoDB reserves: name, count, size, values."""

    name: Annotated[str, Attribute("pk")]
    part: Annotated[str, Attribute("sk", prefix="N#")]
    text: Annotated[str, Attribute("values")] = ""
    owner: str | None = None
    title: str | None = None
    number: Decimal = Decimal(0)
    words: Annotated[list[str], Attribute("size")] = []
    tags: set[str] = set()
    notes: dict[str, Any] = {}
    anything: Any = None
    count: Annotated[int, Counter()] = 0

    class Key(ItemKey["Note"]):
        name: str
        part: str | None = None

    class ByOwner(IndexKey["Note"], index="by_owner"):
        owner: str
        name: str | None = None
        part: str | None = None


class Bare(Item):
    """Nothing in it has a default that is stored."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="BARE")] = ""
    text: str | None = None

    class Key(ItemKey["Bare"]):
        name: str


class Draft(Item):
    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="DRAFT")] = ""
    text: str = ""
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Draft"]):
        name: str


class Table(LogicalTable[Row]):
    notes: InlineView[Note.Key, Note]
    bares: InlineView[Bare.Key, Bare]
    drafts: InlineView[Draft.Key, Draft]
    by_owner: SecondaryIndex[Note.ByOwner, Note]


class Db(LogicalDb):
    table: Annotated[Table, TableName("deviations")]


NAME: Final = f"deviations-{uuid4().hex}"
"""The physical table."""


@dataclass(frozen=True)
class Outcome:
    """What came of a call.

    Attributes:
        error: the class of the error; of one of the service, its code; ``None`` where it succeeded.
        message: its message; of one of the service nothing, as each engine has its own.
        sent: how many requests left.
        value: what the call gave.
    """

    error: str | None
    message: str = ""
    sent: int = 0
    value: Any = None


class Engines:
    """A db on each engine."""

    def __init__(self, clients: Mapping[str, Any]) -> None:
        self.clients = clients
        self.dbs = {name: Db(client, table_name_resolver=lambda *_: NAME) for name, client in clients.items()}
        for db in self.dbs.values():
            db.create_tables()

    def same(self, act: Callable[[Db], Any]) -> Outcome:
        """What comes of a call on both engines, which must be the same."""
        moto, local = (self._outcome(db, act) for db in self.dbs.values())
        assert moto == local
        return moto

    def each(self, act: Callable[[Db], Any]) -> tuple[Outcome, Outcome]:
        """What comes of a call on moto, and on DynamoDB Local."""
        moto, local = (self._outcome(db, act) for db in self.dbs.values())
        return moto, local

    def raw(self, act: Callable[[Any], Any]) -> tuple[str, str]:
        """What comes of a call through the client alone: the code of the error, or ``taken``; moto's and that of Local."""
        moto, local = (_raw(client, act) for client in self.clients.values())
        return moto, local

    def put(self, *rows: Mapping[str, Any]) -> None:
        """Put rows into both."""
        for client in self.clients.values():
            for row in rows:
                client.put_item(TableName=NAME, Item=row)

    def _outcome(self, db: Db, act: Callable[[Db], Any]) -> Outcome:
        with record(db) as requests:
            try:
                value = act(db)
            except ClientError as error:
                return Outcome(code_of(error), sent=len(requests))
            except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
                return Outcome(type(error).__name__, str(error), len(requests))
        return Outcome(None, sent=len(requests), value=value)


def _raw(client: Any, act: Callable[[Any], Any]) -> str:
    try:
        act(client)
    except ClientError as error:
        return code_of(error)
    except Exception as error:  # noqa: BLE001 - moto lets its own errors through
        return type(error).__name__
    return "taken"


@contextmanager
def both(moto: Any, local: Any) -> Generator[Engines]:
    """The engines, with a table that is deleted at the end."""
    engines = Engines({"moto": moto, "local": local})
    try:
        yield engines
    finally:
        local.delete_table(TableName=NAME)


def put(**attributes: Any) -> Callable[[Any], Any]:
    """A ``PutItem`` through the client."""
    item = {"pk": {"S": "raw"}, "sk": {"S": "raw"}, **attributes}
    return lambda client: client.put_item(TableName=NAME, Item=item)


def query(
    expression: str = "", /, *, values: Mapping[str, Any] | None = None, **parameters: Any
) -> Callable[[Any], Any]:
    """A ``Query`` of a partition through the client, filtered by the expression."""
    if expression:
        parameters["FilterExpression"] = expression
    given = {":p": {"S": "raw"}, **(values or {})}
    return lambda client: client.query(
        **{"TableName": NAME, "KeyConditionExpression": "pk = :p", "ExpressionAttributeValues": given, **parameters}
    )


def update(expression: str, **parameters: Any) -> Callable[[Any], Any]:
    """An ``UpdateItem`` through the client."""
    key = {"pk": {"S": parameters.pop("name", "raw")}, "sk": {"S": "raw"}}
    return lambda client: client.update_item(TableName=NAME, Key=key, UpdateExpression=expression, **parameters)


def transact(*actions: Mapping[str, Any], **parameters: Any) -> Callable[[Any], Any]:
    """A ``TransactWriteItems`` through the client."""
    return lambda client: client.transact_write_items(TransactItems=list(actions), **parameters)


@pytest.fixture(scope="module")
def engines(dynamodb_local: SharedLocal) -> Generator[Engines]:
    with moto() as moto_client, dynamodb_local.engine() as local_client, both(moto_client, local_client) as engines:
        yield engines
