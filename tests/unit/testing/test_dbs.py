from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest

from logicaldb import (
    Async,
    AsyncLogicalDb,
    Attribute,
    CreatedAt,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    M,
    PartitionKey,
    RawItem,
    TableName,
)
from logicaldb.testing import LogicalDbFactory, in_process_dynamodb
from tests.modes import on_a_loop

THEN = datetime(2026, 1, 2, tzinfo=UTC)
LONGEST = "n" * 255


class RawUser(RawItem):
    user_id: Annotated[str, PartitionKey()]


class User(Item):
    user_id: Annotated[str, Attribute("user_id")]
    joined: Annotated[datetime | None, CreatedAt()] = None

    class Key(ItemKey["User"]):
        user_id: str


class Group(Item):
    group_id: Annotated[str, Attribute("user_id", prefix="GROUP_")]

    class Key(ItemKey["Group"]):
        group_id: str


class UserTable(LogicalTable[RawUser, M]):
    users: InlineView[User.Key, User]


class GroupTable(LogicalTable[RawUser, M]):
    groups: InlineView[Group.Key, Group]


class OneTableDb(LogicalDb):
    users: Annotated[UserTable, TableName("people")]
    groups: Annotated[GroupTable, TableName("people")]


class UserDb(LogicalDb):
    users: Annotated[UserTable, TableName("users")]
    groups: Annotated[GroupTable, TableName(LONGEST)]


class AsyncUserDb(AsyncLogicalDb):
    users: Annotated[UserTable[Async], TableName("users")]


class NamedDb(UserDb):
    def __init__(self, client: Any, *, owner: str, **options: Any) -> None:
        super().__init__(client, **options)
        self.owner = owner


@pytest.fixture
def client() -> Generator[Any]:
    with in_process_dynamodb() as client:
        yield client


@pytest.fixture
def logical_db(client: Any) -> LogicalDbFactory:
    return LogicalDbFactory(client)


def tables(client: Any) -> set[str]:
    return set(client.list_tables()["TableNames"])


def test_makes_the_declared_tables_under_names_of_their_own(client: Any, logical_db: LogicalDbFactory) -> None:
    db = logical_db(UserDb)
    names = {db.users.table_name, db.groups.table_name}
    assert tables(client) == names
    assert not names & {"users", LONGEST}
    assert db.users.table_name.startswith("users-")
    assert len(db.groups.table_name) == 255
    assert db.create_tables() == []
    assert db.load(User.Key("1")) is None
    db.save(User(user_id="1"))
    assert db.load(User.Key("1")) is not None


def test_two_factories_share_nothing(client: Any, logical_db: LogicalDbFactory) -> None:
    first, second = logical_db(UserDb), LogicalDbFactory(client)(UserDb)
    first.save(User(user_id="1"))
    assert second.load(User.Key("1")) is None
    assert len(tables(client)) == 4


def test_the_dbs_of_one_factory_share_their_tables(client: Any, logical_db: LogicalDbFactory) -> None:
    first, second = logical_db(UserDb), logical_db(UserDb)
    assert first is not second
    first.save(User(user_id="1"))
    assert second.load(User.Key("1")) is not None
    assert len(tables(client)) == 2


def test_what_is_declared_with_one_name_is_one_table(client: Any, logical_db: LogicalDbFactory) -> None:
    db = logical_db(OneTableDb)
    assert tables(client) == {db.users.table_name} == {db.groups.table_name}


@on_a_loop
async def test_an_asynchronous_db_can_be_used_at_once() -> None:
    with in_process_dynamodb() as client:
        logical_db = LogicalDbFactory(client)
        db = logical_db(AsyncUserDb)
        await db.save(User(user_id="1"))
        assert logical_db(UserDb).load(User.Key("1")) is not None


def test_takes_a_client_for_the_db(client: Any, logical_db: LogicalDbFactory) -> None:
    requests: list[str] = []
    client.meta.events.register("before-send.dynamodb", lambda event_name, **_: requests.append(event_name))
    with in_process_dynamodb() as own:
        db = logical_db(UserDb, client=own)
        made = ["before-send.dynamodb.CreateTable"] * 2
        assert requests == made  # through the client of the factory
        db.save(User(user_id="1"))
        assert requests == made


def test_hands_options_on(logical_db: LogicalDbFactory) -> None:
    db = logical_db(NamedDb, owner="me", clock=lambda: THEN)
    assert db.owner == "me"
    assert db.save(User(user_id="1")).joined == THEN


def test_the_names_of_tables_are_its_own(logical_db: LogicalDbFactory) -> None:
    with pytest.raises(TypeError, match="got multiple values for keyword argument 'table_name_resolver'"):
        logical_db(UserDb, table_name_resolver=lambda _, name: name)


def test_deletes_its_tables_and_no_others(client: Any, logical_db: LogicalDbFactory) -> None:
    kept = LogicalDbFactory(client)(OneTableDb)
    db = logical_db(UserDb)
    client.delete_table(TableName=db.users.table_name)
    logical_db.delete_tables()
    assert tables(client) == {kept.users.table_name}


def test_a_db_that_could_not_be_made_leaves_nothing(client: Any, logical_db: LogicalDbFactory) -> None:
    """What was made before one of its tables failed is deleted too."""
    made: list[Any] = []

    def fail_second(request: Any, **_: Any) -> None:
        made.append(request)
        if len(made) == 2:
            raise OSError("of the test")

    client.meta.events.register("before-send.dynamodb", fail_second)
    with pytest.raises(OSError, match="of the test"):
        logical_db(UserDb)
    client.meta.events.unregister("before-send.dynamodb", fail_second)
    assert len(tables(client)) == 1
    logical_db.delete_tables()
    assert tables(client) == set()
