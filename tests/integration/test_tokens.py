"""Idempotency tokens of transactions through plain boto3: moto answers as DynamoDB Local does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.engines import code_of


class Table:
    """A table with the rows ``a``, whose number counts what took effect, and ``b``, which each transaction puts."""

    def __init__(self, client: Any, name: str) -> None:
        self.client, self.name = client, name
        client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def write(self, token: str, attributes: Any, condition: str = "pk <> :one", **parameters: Any) -> Any:
        count = {
            "TableName": self.name,
            "Key": {"pk": {"S": "a"}},
            "UpdateExpression": "ADD n :one",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
        put = {"TableName": self.name, "Item": {"pk": {"S": "b"}, **attributes}}
        return self.client.transact_write_items(
            TransactItems=[{"Update": count}, {"Put": put}], ClientRequestToken=token, **parameters
        )

    @property
    def count(self) -> int:
        row = self.client.get_item(TableName=self.name, Key={"pk": {"S": "a"}}, ConsistentRead=True).get("Item")
        return 0 if row is None else int(row["n"]["N"])


@pytest.fixture
def table(client: Any, new_name: Callable[[], str]) -> Table:
    return Table(client, new_name())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({"x": {"S": "x"}, "y": {"B": b"\xff\x00"}}, {"y": {"B": b"\xff\x00"}, "x": {"S": "x"}}),
        ({"x": {"SS": ["a", "b", "c"]}}, {"x": {"SS": ["c", "a", "b"]}}),
        ({"x": {"M": {"y": {"BS": [b"1", b"2"]}}}}, {"x": {"M": {"y": {"BS": [b"2", b"1"]}}}}),
    ],
)
def test_the_same_takes_effect_once(table: Table, first: Any, second: Any) -> None:
    token = uuid4().hex
    table.write(token, first)
    table.write(token, second)
    table.write(token, second, ReturnItemCollectionMetrics="SIZE")
    assert table.count == 1
    table.write(uuid4().hex, second)
    assert table.count == 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"x": {"S": "x"}}),
        ({"x": {"S": "x"}}, {"x": {"S": "y"}}),
        ({"x": {"S": "1"}}, {"x": {"N": "1"}}),
        ({"x": {"N": "1"}}, {"x": {"N": "1.0"}}),
        ({"x": {"L": [{"S": "a"}, {"S": "b"}]}}, {"x": {"L": [{"S": "b"}, {"S": "a"}]}}),
        ({"x": {"NS": ["1", "2"]}}, {"x": {"NS": ["2", "1"]}}),
        ({"SS": {"SS": ["a"]}}, {"SS": {"SS": ["b"]}}),
    ],
)
def test_anything_else_is_refused(table: Table, first: Any, second: Any) -> None:
    token = uuid4().hex
    table.write(token, first)
    with pytest.raises(ClientError) as raised:
        table.write(token, second)
    assert code_of(raised.value) == "IdempotentParameterMismatchException"
    assert raised.value.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 400
    assert table.count == 1
    table.write(token, first)
    assert table.count == 1


def test_the_token_of_a_transaction_that_is_cancelled_is_free(table: Table) -> None:
    token = uuid4().hex
    for _ in range(2):
        with pytest.raises(ClientError) as raised:
            table.write(token, {}, condition="n >= :one")
        assert code_of(raised.value) == "TransactionCanceledException"
    assert table.count == 0
    table.write(token, {})
    table.write(token, {})
    assert table.count == 1


def test_the_token_of_a_transaction_that_is_not_valid_is_free(table: Table) -> None:
    token = uuid4().hex
    with pytest.raises(ClientError) as raised:
        table.write(token, {"x": {"S": "x" * 410_000}})
    assert code_of(raised.value) == "ValidationException"
    table.write(token, {})
    table.write(token, {})
    assert table.count == 1
