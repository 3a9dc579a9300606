from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Annotated, Any

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb import responses

from logicaldb import (
    Counter,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    TableName,
)
from logicaldb.testing import in_process_dynamodb

THREADS, EACH = 8, 40


class ThingRow(RawItem):
    pk: Annotated[str, PartitionKey()]


class Thing(Item):
    pk: str
    count: Annotated[int, Counter()] = 0

    class Key(ItemKey["Thing"]):
        pk: str


class ThingTable(LogicalTable[ThingRow]):
    things: InlineView[Thing.Key, Thing]


class ThingDb(LogicalDb):
    table: Annotated[ThingTable, TableName("things")]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("nothing may be sent")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def create_table(client: Any) -> None:
    client.create_table(
        TableName="things",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )


def read_together(client: Any, count: int) -> list[Any]:
    items = [{"Get": {"TableName": "things", "Key": {"pk": {"S": str(number)}}}} for number in range(count)]
    answers: list[Any] = client.transact_get_items(TransactItems=items)["Responses"]
    return answers


def test_is_a_dynamodb_that_is_empty_each_time() -> None:
    for _ in range(2):
        with in_process_dynamodb() as client:
            assert client.list_tables()["TableNames"] == []
            create_table(client)
            client.put_item(TableName="things", Item={"pk": {"S": "a"}})
            assert client.get_item(TableName="things", Key={"pk": {"S": "a"}})["Item"] == {"pk": {"S": "a"}}


def test_is_of_the_region_that_is_asked_for() -> None:
    with in_process_dynamodb("eu-west-1") as client:
        create_table(client)
        arn = client.describe_table(TableName="things")["Table"]["TableArn"]
    assert arn == "arn:aws:dynamodb:eu-west-1:123456789012:table/things"


@pytest.mark.parametrize("fails", [False, True])
def test_leaves_the_environment_as_it_was(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-nobody")
    monkeypatch.setenv("AWS_DEFAULT_PROFILE", "of-nobody-either")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.invalid")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    before = dict(os.environ)
    try:
        with in_process_dynamodb() as client:
            assert client.list_tables()["TableNames"] == []
            if fails:
                raise KeyError("of the caller")
    except KeyError:
        assert fails
    assert dict(os.environ) == before


def test_reads_as_many_items_together_as_dynamodb_does() -> None:
    with in_process_dynamodb() as client:
        create_table(client)
        client.put_item(TableName="things", Item={"pk": {"S": "99"}})
        assert read_together(client, 100) == [{}] * 99 + [{"Item": {"pk": {"S": "99"}}}]
        with pytest.raises(client.exceptions.ClientError, match="Member must have length less than or equal to 100"):
            read_together(client, 101)


def test_leaves_motos_own_limit_as_it_was() -> None:
    with in_process_dynamodb():
        pass
    with mock_aws(), in_process_dynamodb() as client:
        create_table(client)
    with mock_aws():
        create_table(client)
        with pytest.raises(client.exceptions.ClientError, match="Member must have length less than or equal to 25"):
            read_together(client, 26)


def test_a_moto_without_that_limit_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(responses, "TRANSACTION_MAX_ITEMS")
    with in_process_dynamodb() as client:
        assert client.list_tables()["TableNames"] == []
    assert not hasattr(responses, "TRANSACTION_MAX_ITEMS")


def test_shares_the_dynamodb_of_a_mock_around_it() -> None:
    with mock_aws():
        with in_process_dynamodb() as client:
            create_table(client)
        with in_process_dynamodb() as client:
            assert client.list_tables()["TableNames"] == ["things"]


@contextmanager
def hurried_threads() -> Generator[None]:
    """Let Python change threads as often as it can, so that what has no locks fails."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


def count_together(make_db: Callable[[], ThingDb]) -> list[int]:
    """Count from several threads at once, each with a database of ``make_db``; all counts that they were given."""
    start = Barrier(THREADS)

    def count(db: ThingDb) -> list[int]:
        start.wait(timeout=60)
        return [db.increment(Thing.Key("a"), Thing.count) for _ in range(EACH)]

    dbs = [make_db() for _ in range(THREADS)]
    with hurried_threads(), ThreadPoolExecutor(THREADS) as threads:
        return [given for counted in threads.map(count, dbs) for given in counted]


def test_threads_count_exactly() -> None:
    with in_process_dynamodb() as client:
        db = ThingDb(client)
        db.create_tables()
        db.create(Thing(pk="a"))
        given = count_together(lambda: db)
        assert db.load(Thing.Key("a")) == Thing(pk="a", count=THREADS * EACH)
    assert sorted(given) == list(range(1, THREADS * EACH + 1))


def test_threads_with_clients_of_their_own_count_exactly_too() -> None:
    with in_process_dynamodb() as client:
        db = ThingDb(client)
        db.create_tables()
        db.create(Thing(pk="a"))
        given = count_together(lambda: ThingDb(boto3.client("dynamodb", region_name="us-east-1")))
        assert db.load(Thing.Key("a")) == Thing(pk="a", count=THREADS * EACH)
    assert sorted(given) == list(range(1, THREADS * EACH + 1))


@pytest.mark.parametrize("fails", [False, True])
def test_leaves_motos_handler_as_it_was(fails: bool) -> None:
    before = responses.DynamoHandler.__dict__["call_action"]
    try:
        with in_process_dynamodb() as client:
            assert responses.DynamoHandler.__dict__["call_action"] is not before
            with in_process_dynamodb("eu-west-1"):
                create_table(client)
            with pytest.raises(client.exceptions.ResourceInUseException, match="Table already exists: things"):
                create_table(client)
            if fails:
                raise KeyError("of the caller")
    except KeyError:
        assert fails
    assert responses.DynamoHandler.__dict__["call_action"] is before


@pytest.mark.parametrize("module", ["moto", "moto.dynamodb"])
def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as raised, in_process_dynamodb():
        pass
    assert str(raised.value) == 'in_process_dynamodb needs moto: pip install "logicaldb[testing]"'
    assert isinstance(raised.value.__cause__, ImportError)
