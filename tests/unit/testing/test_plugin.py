"""What stands in the way of an engine is told without a traceback; tests/integration/test_plugin.py runs the engines."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from logicaldb.testing import DynamoDbLocal
from logicaldb.testing.plugin import start_engine


def failure(enter: Callable[[], AbstractContextManager[Any]]) -> str:
    """What is told when a context cannot be entered."""
    with pytest.raises(pytest.fail.Exception) as raised, enter():
        pass
    assert not raised.value.pytrace  # pytest shows the message and nothing else,
    assert raised.value.__suppress_context__  # nor what led to it
    return str(raised.value)


def test_a_missing_moto_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto", None)
    with start_engine("moto") as engine:
        assert failure(engine) == ('--dynamodb=moto: in_process_dynamodb needs moto: pip install "logicaldb[testing]"')


@pytest.fixture
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No program, and no address of one that runs."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("LOGICALDB_DYNAMODB_ENDPOINT", "LOGICALDB_DYNAMODB_LOCAL"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("nothing")
def test_a_missing_java_is_told() -> None:
    assert failure(lambda: start_engine("local")) == (
        "--dynamodb=local: DynamoDB Local needs Java or Docker, and neither is on the PATH: install a JRE, 8 or later"
    )


def test_an_endpoint_where_nothing_answers_is_told() -> None:
    assert failure(lambda: start_engine("http://127.0.0.1:9")) == (
        "--dynamodb: the DynamoDB at http://127.0.0.1:9 cannot be used: "
        'Could not connect to the endpoint URL: "http://127.0.0.1:9/"'
    )


def test_an_endpoint_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the real service does: the credentials are made up."""

    def refuse(*_: Any) -> None:
        raise ClientError({"Error": {"Code": "UnrecognizedClientException", "Message": "No."}}, "ListTables")

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refuse)
    url = "https://dynamodb.us-east-1.amazonaws.com"
    assert failure(lambda: start_engine(url)) == (
        f"--dynamodb: the DynamoDB at {url} cannot be used: "
        "An error occurred (UnrecognizedClientException) when calling the ListTables operation: No."
    )


def test_moto_is_empty_for_each_test() -> None:
    with start_engine("moto") as engine:
        for _ in range(2):
            with engine() as client:
                assert client.list_tables()["TableNames"] == []
                make_table(client, "left")


def test_local_is_empty_for_each_test(dynamodb_local: DynamoDbLocal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOGICALDB_DYNAMODB_ENDPOINT", raising=False)
    with start_engine("local") as engine:
        with engine() as client:
            for number in range(101):  # a page of ListTables has 100
                make_table(client, f"left-{number}")
            url = client.meta.endpoint_url
            client.meta.events.register("before-send", lambda **_: pytest.fail("a client that the test has broken"))
        with engine() as client:
            assert client.meta.endpoint_url == url != dynamodb_local.endpoint_url
            assert client.list_tables()["TableNames"] == []


def test_of_an_endpoint_nothing_is_deleted(dynamodb_local: DynamoDbLocal, new_name: Callable[[], str]) -> None:
    kept = new_name()
    with start_engine(dynamodb_local.endpoint_url) as engine, engine() as client:
        make_table(client, kept)
    assert dynamodb_local.client().describe_table(TableName=kept)["Table"]["TableStatus"] == "ACTIVE"


def test_of_a_local_one_that_runs_nothing_is_deleted(
    dynamodb_local: DynamoDbLocal, new_name: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGICALDB_DYNAMODB_ENDPOINT", dynamodb_local.endpoint_url)
    kept = new_name()
    with start_engine("local") as engine, engine() as client:
        assert client.meta.endpoint_url == dynamodb_local.endpoint_url
        make_table(client, kept)
    assert dynamodb_local.client().describe_table(TableName=kept)["Table"]["TableStatus"] == "ACTIVE"


def test_a_local_one_that_does_not_run_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGICALDB_DYNAMODB_ENDPOINT", "localhost:8000")
    assert failure(lambda: start_engine("local")) == (
        "--dynamodb=local: the DynamoDB at localhost:8000 (LOGICALDB_DYNAMODB_ENDPOINT) cannot be used: "
        "Invalid endpoint: localhost:8000"
    )


def make_table(client: Any, name: str) -> None:
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
