from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any, TypeAlias

import pytest
from botocore.exceptions import ClientError

from logicaldb.drivers import iterate, run
from logicaldb.flow import Emit, Flow, Request, ServiceFailure, Stream, Unanswered
from logicaldb.transport.boto import BotoTransport
from logicaldb.transport.clients import CALLS
from logicaldb.transport.threads import in_parallel

Recorder: TypeAlias = Callable[[Any], AbstractContextManager[list[tuple[str, Any]]]]


class Table:
    """A table that is read and written in wire form, through the transport."""

    def __init__(self, client: Any, name: str) -> None:
        self.client = client
        self.name = name
        self.transport = BotoTransport(client)
        self.send(
            "CreateTable",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def send(self, operation: str, **body: Any) -> Any:
        return self.send_alone(operation, TableName=self.name, **body)

    def send_alone(self, operation: str, **body: Any) -> Any:
        return json.loads(self.transport.send(operation, self.name, json.dumps(body).encode()))

    def put(self, *keys: str, **attributes: Any) -> None:
        for key in keys:
            self.send("PutItem", Item={"pk": {"S": key}, **attributes})

    def get(self, key: str) -> Any:
        return self.send("GetItem", Key={"pk": {"S": key}}).get("Item")

    def names(self) -> set[str]:
        """The names of all tables; a page has 100, and other tests have tables too."""
        answer = self.send_alone("ListTables")
        names = {*answer["TableNames"]}
        while "LastEvaluatedTableName" in answer:
            answer = self.send_alone("ListTables", ExclusiveStartTableName=answer["LastEvaluatedTableName"])
            names |= {*answer["TableNames"]}
        return names


def code_of(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


@pytest.fixture
def table(client: Any, new_name: Callable[[], str]) -> Table:
    return Table(client, new_name())


@pytest.fixture
def local_table(local_client: Any, new_name: Callable[[], str]) -> Table:
    return Table(local_client, new_name())


VALUES: dict[str, Any] = {
    "s": {"S": "ü\U0001f600"},
    "empty": {"S": ""},
    "n": {"N": "12345678901234567890123456789012345678"},
    "b": {"B": "AAH/"},
    "bool": {"BOOL": False},
    "null": {"NULL": True},
    "l": {"L": [{"S": "a"}, {"M": {"b": {"B": ""}}}]},
    "m": {"M": {"x": {"L": []}}},
}


def test_items_come_back_as_they_were_sent(table: Table) -> None:
    table.put("a", **VALUES)
    assert table.get("a") == {"pk": {"S": "a"}, **VALUES}
    assert table.get("b") is None


def test_every_operation_of_ours_works(table: Table) -> None:
    table.put("a", "b", "c")
    key = {"pk": {"S": "a"}}
    updated = table.send(
        "UpdateItem",
        Key=key,
        UpdateExpression="SET n = :n",
        ExpressionAttributeValues={":n": {"N": "1"}},
        ReturnValues="ALL_NEW",
    )
    assert updated["Attributes"] == {**key, "n": {"N": "1"}}
    found = table.send("Query", KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "a"}})
    assert found["Items"] == [updated["Attributes"]]
    assert sorted(item["pk"]["S"] for item in table.send("Scan")["Items"]) == ["a", "b", "c"]
    loaded = table.send_alone("BatchGetItem", RequestItems={table.name: {"Keys": [key]}})
    assert loaded["Responses"] == {table.name: [updated["Attributes"]]}
    table.send_alone("BatchWriteItem", RequestItems={table.name: [{"DeleteRequest": {"Key": {"pk": {"S": "b"}}}}]})
    written = [{"Put": {"TableName": table.name, "Item": {"pk": {"S": "d"}}}}]
    table.send_alone("TransactWriteItems", TransactItems=written)
    read = [{"Get": {"TableName": table.name, "Key": {"pk": {"S": key}}}} for key in "bd"]
    together = table.send_alone("TransactGetItems", TransactItems=read)
    assert together["Responses"] == [{}, {"Item": {"pk": {"S": "d"}}}]
    deleted = table.send("DeleteItem", Key={"pk": {"S": "d"}}, ReturnValues="ALL_OLD")
    assert deleted["Attributes"] == {"pk": {"S": "d"}}
    assert table.send("DescribeTable")["Table"]["TableStatus"] == "ACTIVE"
    specification = {"Enabled": True, "AttributeName": "expires"}
    table.send("UpdateTimeToLive", TimeToLiveSpecification=specification)
    assert table.send("DescribeTimeToLive")["TimeToLiveDescription"]["AttributeName"] == "expires"
    assert table.name in table.names()
    table.send("DeleteTable")
    with pytest.raises(ServiceFailure) as raised:
        table.get("a")
    assert raised.value.code == "ResourceNotFoundException"


def test_all_operations_were_tried_above() -> None:
    import inspect

    tried = inspect.getsource(test_every_operation_of_ours_works) + inspect.getsource(Table)
    assert [operation for operation in CALLS if f'"{operation}"' not in tried] == []


def test_a_failed_condition_carries_the_item(table: Table) -> None:
    table.put("a", **VALUES)
    with pytest.raises(ServiceFailure) as raised:
        table.send(
            "PutItem",
            Item={"pk": {"S": "a"}},
            ConditionExpression="attribute_not_exists(pk)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    failure = raised.value
    assert (failure.code, failure.body["Item"]) == (
        "ConditionalCheckFailedException",
        {"pk": {"S": "a"}, **VALUES},
    )
    assert type(failure.error) is table.client.exceptions.ConditionalCheckFailedException


def test_a_cancelled_transaction_carries_its_reasons(table: Table) -> None:
    table.put("a", b={"B": "AAH/"})
    item = {"TableName": table.name, "Item": {"pk": {"S": "b"}}}
    taken = {
        "TableName": table.name,
        "Item": {"pk": {"S": "a"}},
        "ConditionExpression": "attribute_not_exists(pk)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    with pytest.raises(ServiceFailure) as raised:
        table.send_alone("TransactWriteItems", TransactItems=[{"Put": item}, {"Put": taken}])
    assert raised.value.code == "TransactionCanceledException"
    reasons = raised.value.body["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"] == {"pk": {"S": "a"}, "b": {"B": "AAH/"}}
    assert table.get("b") is None


def test_as_many_items_are_read_together_as_dynamodb_takes(table: Table) -> None:
    table.put("99")
    read = [{"Get": {"TableName": table.name, "Key": {"pk": {"S": str(number)}}}} for number in range(100)]
    together = table.send_alone("TransactGetItems", TransactItems=read)
    assert together["Responses"] == [{}] * 99 + [{"Item": {"pk": {"S": "99"}}}]


def test_the_recorder_sees_what_leaves(table: Table, recorder: Recorder) -> None:
    item = {"pk": {"S": "a"}}
    with recorder(table.client) as requests:
        table.put("a")
        table.client.get_item(TableName=table.name, Key=item)
    table.get("a")
    assert requests == [
        ("PutItem", {"TableName": table.name, "Item": item}),
        ("GetItem", {"TableName": table.name, "Key": item}),
    ]


# Flows and parallel reading over it


def test_flows_run_over_it(table: Table, recorder: Recorder) -> None:
    def exists(key: str) -> Flow[bool]:
        answer = yield Request("GetItem", table.name, {"TableName": table.name, "Key": {"pk": {"S": key}}})
        return "Item" in answer

    table.put("a")
    with recorder(table.client) as requests:
        assert run(exists("a"), table.transport)
        assert not run(exists("b"), table.transport)
    assert [operation for operation, _ in requests] == ["GetItem", "GetItem"]


def test_streams_ask_for_no_page_that_is_not_needed(table: Table, recorder: Recorder) -> None:
    def scan() -> Stream[str]:
        start: Any = {}
        while start is not None:
            answer = yield Request("Scan", table.name, {"TableName": table.name, "Limit": 2, **start})
            yield Emit([item["pk"]["S"] for item in answer["Items"]])
            last = answer.get("LastEvaluatedKey")
            start = last and {"ExclusiveStartKey": last}

    table.put(*"abcde")
    with recorder(table.client) as requests:
        keys = iterate(scan(), table.transport)
        assert requests == []
        first = [next(keys), next(keys)]
        assert len(requests) == 1
        assert sorted([*first, *keys]) == list("abcde")
    assert len(requests) in {3, 4}  # a full page may be the last and not know it


def test_an_error_that_a_flow_does_not_handle_is_botocores(table: Table) -> None:
    def flow() -> Flow[None]:
        yield Request("GetItem", table.name, {"TableName": table.name, "Key": {"wrong": {"S": "a"}}})

    with pytest.raises(ClientError) as raised:
        run(flow(), table.transport)
    assert code_of(raised.value) == "ValidationException"


def test_a_hook_that_raises_after_the_answer_does_not_hide_that_it_was_sent(table: Table) -> None:
    def trip(**_: Any) -> None:
        raise RuntimeError("tripped")

    table.client.meta.events.register("after-call.dynamodb.PutItem", trip)
    try:
        with pytest.raises(Unanswered) as raised:
            table.put("a")
    finally:
        table.client.meta.events.unregister("after-call.dynamodb.PutItem", trip)
    assert str(raised.value.error) == "tripped"
    assert table.get("a") == {"pk": {"S": "a"}}


def test_segments_are_read_at_once(table: Table) -> None:
    keys = {f"key-{number}" for number in range(40)}
    table.put(*keys)

    def fetch(segment: int, start: Any) -> tuple[list[str], Any]:
        begin = {"ExclusiveStartKey": start} if start else {}
        answer = table.send("Scan", Segment=segment, TotalSegments=4, Limit=3, **begin)
        return [item["pk"]["S"] for item in answer["Items"]], answer.get("LastEvaluatedKey")

    # moto has no locks, but reading needs none.
    read = list(in_parallel(fetch, 4, workers=3))
    assert len(read) == 40
    assert set(read) == keys


# DynamoDB Local alone


@pytest.mark.parametrize(
    "operation",
    sorted(set(CALLS) - {"DescribeTable", "DescribeTimeToLive", "DeleteTable", "ListTables"}),
)
def test_what_the_client_is_called_with_would_be_refused(local_table: Table, operation: str) -> None:
    """Should our body not be put in its place, for whatever reason, nothing is read or written."""
    local_table.put("a")
    method, least_parameters = CALLS[operation]
    with pytest.raises(ClientError) as raised:
        getattr(local_table.client, method)(**least_parameters(local_table.name))
    assert code_of(raised.value) in {
        "ValidationException",
        "ResourceInUseException",  # the table exists
        "TransactionCanceledException",  # its reason is a validation error
    }
    assert [item["pk"]["S"] for item in local_table.send("Scan")["Items"]] == ["a"]


def test_threads_share_a_transport(local_table: Table) -> None:
    def add(_: int) -> int:
        answer = local_table.send(
            "UpdateItem",
            Key={"pk": {"S": "counter"}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return int(answer["Attributes"]["n"]["N"])

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(add, range(80)))
    assert sorted(counts) == list(range(1, 81))
