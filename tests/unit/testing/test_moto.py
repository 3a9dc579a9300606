from __future__ import annotations

import json
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
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb import responses

from logicaldb import (
    ConditionFailed,
    Counter,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    TableName,
    TransactionCanceled,
    TransactionWriteSet,
    attr,
)
from logicaldb.testing import in_process_dynamodb, tokens

THREADS, EACH = 8, 40


class ThingRow(RawItem):
    pk: Annotated[str, PartitionKey()]


class Thing(Item):
    pk: str
    count: Annotated[int, Counter()] = 0
    likes: int = 0

    class Key(ItemKey["Thing"]):
        pk: str


class ThingTable(LogicalTable[ThingRow]):
    things: InlineView[Thing.Key, Thing]


class ThingDb(LogicalDb):
    table: Annotated[ThingTable, TableName("things")]


A, B = Thing.Key("a"), Thing.Key("b")


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


WRAPPED = ("call_action", "transact_write_items")


@pytest.mark.parametrize("fails", [False, True])
def test_leaves_motos_handler_as_it_was(fails: bool) -> None:
    before = [responses.DynamoHandler.__dict__[name] for name in WRAPPED]
    try:
        with in_process_dynamodb() as client:
            for name, method in zip(WRAPPED, before, strict=True):
                assert responses.DynamoHandler.__dict__[name] is not method
            with in_process_dynamodb("eu-west-1"):
                create_table(client)
            with pytest.raises(client.exceptions.ResourceInUseException, match="Table already exists: things"):
                create_table(client)
            if fails:
                raise KeyError("of the caller")
    except KeyError:
        assert fails
    assert [responses.DynamoHandler.__dict__[name] for name in WRAPPED] == before


@contextmanager
def counting() -> Generator[ThingDb]:
    """A database with the item ``a``."""
    with in_process_dynamodb() as client:
        db = ThingDb(client)
        db.create_tables()
        db.create(Thing(pk="a"))
        yield db


def like(token: str | None = None) -> TransactionWriteSet:
    """A set that has another effect each time it is applied, and one that could be applied only once."""
    writes = TransactionWriteSet().update(A, attr(Thing.likes).add(1)).create(Thing(pk="b"))
    return writes if token is None else writes.idempotency_token(token)


def add_like(client: Any, likes: int = 1, **parameters: Any) -> Any:
    """A transaction as boto3 sends it."""
    update = {
        "TableName": "things",
        "Key": {"pk": {"S": "a"}},
        "UpdateExpression": "ADD likes :likes",
        "ExpressionAttributeValues": {":likes": {"N": str(likes)}},
    }
    return client.transact_write_items(TransactItems=[{"Update": update}], **parameters)


def likes_of(client: Any) -> str:
    likes: str = client.get_item(TableName="things", Key={"pk": {"S": "a"}})["Item"]["likes"]["N"]
    return likes


def test_a_set_that_is_sent_again_takes_effect_once() -> None:
    with counting() as db:
        writes = like()
        assert db.transaction_write(writes).get(B) == db.transaction_write(writes).get(B) == Thing(pk="b")
        assert db.load(A) == Thing(pk="a", likes=1)
        with pytest.raises(TransactionCanceled) as raised:
            db.transaction_write(like())
        assert str(raised.value) == f"nothing was written: create of {B!r}: there is an item already"
        assert db.load(A) == Thing(pk="a", likes=1)


def test_two_sets_that_are_the_same_and_have_one_token_take_effect_once() -> None:
    with counting() as db:
        db.transaction_write(like("t"))
        db.delete_key(B)
        db.transaction_write(like("t"))
        assert (db.load(A), db.load(B)) == (Thing(pk="a", likes=1), None)
        db.transaction_write(like("u"))
        assert (db.load(A), db.load(B)) == (Thing(pk="a", likes=2), Thing(pk="b"))


def test_an_increment_counts_once_for_its_token() -> None:
    with counting() as db:
        assert [db.increment(A, Thing.count, 5, idempotency_token="t") for _ in range(3)] == [5, 5, 5]
        assert db.increment(A, Thing.count) == 6
        assert db.increment(A, Thing.count, 5, idempotency_token="t") == 6
        assert db.increment(A, Thing.count, 5, idempotency_token="u") == 11


def test_threads_that_send_one_token_count_once() -> None:
    with counting() as db, hurried_threads(), ThreadPoolExecutor(THREADS) as threads:
        start = Barrier(THREADS)

        def count(_: int) -> int:
            start.wait(timeout=60)
            return db.increment(A, Thing.count, idempotency_token="t")

        assert list(threads.map(count, range(THREADS))) == [1] * THREADS
        assert db.load(A) == Thing(pk="a", count=1)


def test_another_write_under_the_token_is_refused() -> None:
    with counting() as db:
        db.increment(A, Thing.count, 5, idempotency_token="t")
        refused: list[Callable[[], object]] = [
            lambda: db.increment(A, Thing.count, 4, idempotency_token="t"),
            lambda: db.delete_key(A, idempotency_token="t"),
            lambda: db.transaction_write(like("t")),
        ]
        for write in refused:
            with pytest.raises(ClientError) as raised:
                write()
            assert raised.value.response.get("Error") == {
                "Code": "IdempotentParameterMismatchException",
                "Message": "The idempotency token was used with other parameters within the last 10 minutes",
            }
        assert (db.load(A), db.load(B)) == (Thing(pk="a", count=5), None)
        assert db.increment(A, Thing.count, 5, idempotency_token="t") == 5


def test_the_token_of_a_write_that_fails_is_free() -> None:
    with counting() as db:
        many = attr(Thing.likes) > 10
        for _ in range(2):
            with pytest.raises(ConditionFailed):
                db.delete_key(A, many, idempotency_token="t")
        with pytest.raises(TransactionCanceled):
            db.transaction_write(TransactionWriteSet().check_condition(A, many).idempotency_token("t"))
        assert db.increment(A, Thing.count, idempotency_token="t") == 1
        assert db.increment(A, Thing.count, idempotency_token="t") == 1


def test_boto3_is_answered_the_same_again() -> None:
    with counting() as db:
        client = boto3.client("dynamodb", region_name="us-east-1")
        answers = [
            add_like(client, ClientRequestToken="t"),
            add_like(client, ClientRequestToken="t"),
            # What is asked of the answer does not make it another write.
            add_like(client, ClientRequestToken="t", ReturnConsumedCapacity="NONE", ReturnItemCollectionMetrics="NONE"),
        ]
        for answer in answers:
            assert answer.pop("ResponseMetadata")["HTTPStatusCode"] == 200
        assert answers[1:] == answers[:1] * 2
        assert db.load(A) == Thing(pk="a", likes=1)
        for likes in range(2, 4):  # boto3 makes a token for each call
            add_like(client)
            assert db.load(A) == Thing(pk="a", likes=likes)


def test_boto3_is_refused_as_by_the_service() -> None:
    bodies: list[Any] = []

    def listen(response_dict: Any, **_: Any) -> None:
        bodies.append(json.loads(response_dict["body"]))

    with in_process_dynamodb() as client:
        create_table(client)
        add_like(client, 1, ClientRequestToken="t")
        client.meta.events.register("before-parse.dynamodb", listen)
        with pytest.raises(client.exceptions.IdempotentParameterMismatchException) as raised:
            add_like(client, 2, ClientRequestToken="t")
        assert likes_of(client) == "1"
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert bodies[0] == {
        "__type": "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
        "message": "The idempotency token was used with other parameters within the last 10 minutes",
    }


def test_what_has_no_token_is_written_each_time() -> None:
    def remove_token(params: Any, **_: Any) -> None:
        body = json.loads(params["body"])
        assert body.pop("ClientRequestToken") == "t"
        params["body"] = json.dumps(body).encode()

    with in_process_dynamodb() as client:
        create_table(client)
        client.meta.events.register("before-call.dynamodb.TransactWriteItems", remove_token)
        for likes in ("1", "2"):
            add_like(client, ClientRequestToken="t")
            assert likes_of(client) == likes


def test_a_token_is_forgotten_after_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(tokens, "monotonic", lambda: now)
    with counting() as db:
        assert db.increment(A, Thing.count, 9, idempotency_token="t") == 9
        now = 599.0
        assert db.increment(A, Thing.count, 9, idempotency_token="t") == 9
        now = 600.0
        assert db.increment(A, Thing.count, 9, idempotency_token="t") == 18


def test_a_token_is_of_one_region() -> None:
    with in_process_dynamodb("us-east-1") as first:
        second = boto3.client("dynamodb", region_name="eu-west-1")
        for client, likes in ((first, 1), (second, 2)):
            create_table(client)
            add_like(client, likes, ClientRequestToken="t")
            add_like(client, likes, ClientRequestToken="t")
        assert (likes_of(first), likes_of(second)) == ("1", "2")


def test_a_dynamodb_that_is_empty_again_knows_no_token() -> None:
    for _ in range(2):
        with counting() as db:
            assert db.increment(A, Thing.count, idempotency_token="t") == 1


def test_what_is_written_within_another_block_is_known_in_both() -> None:
    with in_process_dynamodb() as outer:
        create_table(outer)
        add_like(outer, ClientRequestToken="t")
        with in_process_dynamodb() as inner:
            add_like(inner, ClientRequestToken="t")
            add_like(inner, ClientRequestToken="u")
            add_like(outer, ClientRequestToken="u")
        add_like(outer, ClientRequestToken="t")
        add_like(outer, ClientRequestToken="u")
        assert likes_of(outer) == "2"


@pytest.mark.parametrize("module", ["moto", "moto.dynamodb"])
def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as raised, in_process_dynamodb():
        pass
    assert str(raised.value) == 'in_process_dynamodb needs moto: pip install "logicaldb[testing]"'
    assert isinstance(raised.value.__cause__, ImportError)
