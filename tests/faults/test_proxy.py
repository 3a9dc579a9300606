"""The proxy does what its faults say: what the service got of each, and what the client saw."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import HTTPConnection, IncompleteRead
from typing import Any
from urllib.parse import urlsplit
from zlib import crc32

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.engines import code_of
from tests.faults.conftest import Stage
from tests.faults.proxy import APPLIED, NOT_APPLIED, READS, THROTTLED, Cancel, Fault
from tests.models import Tally

TIMEOUT = 0.4


@pytest.fixture
def stage(stages: Callable[[], Stage]) -> Stage:
    """As that of all, but once: what these tests look at is the same for every db."""
    stage = stages()
    stage.proxy.plan()
    return stage


def client_of(stage: Stage) -> Any:
    """A client that tries once, so what it sees is what the proxy does."""
    return stage.clients.get(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=TIMEOUT)


def key_of(name: str) -> dict[str, Any]:
    return {"pk": {"S": name}, "sk": {"S": "TALLY"}}


def add(client: Any, table: str, name: str) -> Any:
    """What counts how often it is done."""
    return client.update_item(
        TableName=table,
        Key=key_of(name),
        UpdateExpression="ADD hits :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )


def added(stage: Stage) -> int:
    found = stage.direct.load(Tally.Key(stage.name), consistent_read=True)
    return 0 if found is None else found.hits


def transact(client: Any, table: str, name: str, token: str = "") -> Any:
    update = {
        "TableName": table,
        "Key": key_of(name),
        "UpdateExpression": "ADD hits :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
    }
    check = {"TableName": table, "Key": key_of(f"{name}-no"), "ConditionExpression": "attribute_not_exists(pk)"}
    actions = [{"Update": update}, {"ConditionCheck": check}]
    return client.transact_write_items(TransactItems=actions, ClientRequestToken=token or name)


SEEN: dict[Fault, tuple[type[Exception], str]] = {
    Fault.CUT_BEFORE: (ConnectionClosedError, ""),
    Fault.CUT_AFTER: (ConnectionClosedError, ""),
    Fault.RESET_AFTER: (ConnectionClosedError, ""),
    Fault.ERROR_BEFORE: (ClientError, "InternalServerError"),
    Fault.ERROR_AFTER: (ClientError, "InternalServerError"),
    Fault.UNAVAILABLE: (ClientError, "503"),
    Fault.DELAY: (ReadTimeoutError, ""),
    Fault.HOLD: (ReadTimeoutError, ""),
    Fault.THROTTLE: (ClientError, "ProvisionedThroughputExceededException"),
    Fault.THROTTLE_ACCOUNT: (ClientError, "RequestLimitExceeded"),
    Fault.THROTTLE_RATE: (ClientError, "ThrottlingException"),
    Fault.CONFLICT: (ClientError, "TransactionConflictException"),
    Fault.IN_PROGRESS: (ClientError, "TransactionInProgressException"),
}
"""What a client sees that does not try again."""

EFFECTS: dict[Fault, int] = {
    **dict.fromkeys(APPLIED, 1),
    **dict.fromkeys(NOT_APPLIED | THROTTLED.keys(), 0),
    Fault.CONFLICT: 0,
    Fault.IN_PROGRESS: 0,
    Fault.PASS: 1,
    Fault.DUPLICATE: 2,
    Fault.PARTIAL: 1,  # of what is no batch, no part is left over
}


SPOILED = {Fault.DAMAGE, Fault.TRUNCATE}
"""What botocore takes for good answers where it has no attempt left, so there is a test of its own for them."""


def test_every_fault_is_tried_here() -> None:
    assert set(EFFECTS) == set(Fault)
    assert set(Fault) - set(SEEN) == {Fault.PASS, Fault.DUPLICATE, Fault.PARTIAL, *SPOILED}
    assert not APPLIED & NOT_APPLIED


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_what_the_service_gets_and_the_client_sees(stage: Stage, fault: Fault) -> None:
    client = client_of(stage)
    stage.proxy.plan(fault)
    if fault in SEEN:
        error, code = SEEN[fault]
        with pytest.raises(error) as raised:
            add(client, stage.table, stage.name)
        assert not isinstance(raised.value, ClientError) or code_of(raised.value) == code
    else:
        add(client, stage.table, stage.name)
    stage.proxy.wait()
    assert added(stage) == EFFECTS[fault]
    (received,) = stage.proxy.received
    assert (received.operation, received.fault) == ("UpdateItem", fault)
    assert received.body["Key"] == key_of(stage.name)
    assert received.statuses == [200] * EFFECTS[fault]
    assert stage.proxy.release() == ([200] if fault is Fault.HOLD else [])
    assert added(stage) == EFFECTS[fault] + (fault is Fault.HOLD)
    # And then it is as if nothing had been.
    add(client, stage.table, stage.name)
    assert stage.proxy.faults == [fault, Fault.PASS]


@pytest.mark.parametrize("fault", [Fault.PASS, *sorted(SPOILED, key=str)], ids=lambda fault: fault.name)
def test_an_answer_is_not_what_it_was(stage: Stage, fault: Fault) -> None:
    stage.direct.save(Tally(name=stage.name, text="x" * 100))
    stage.proxy.plan(fault, operations=READS)
    connection = HTTPConnection(urlsplit(stage.proxy.url).netloc, timeout=5)
    headers = {
        "X-Amz-Target": "DynamoDB_20120810.GetItem",
        "Content-Type": "application/x-amz-json-1.0",
        "Authorization": "AWS4-HMAC-SHA256 Credential=logicaldb/20260101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=00",
    }
    body = json.dumps({"TableName": stage.table, "Key": key_of(stage.name), "ConsistentRead": True})
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    length = int(answer.headers["Content-Length"])
    try:
        content, cut = answer.read(), False
    except IncompleteRead as error:
        content, cut = error.partial, True
    connection.close()
    assert stage.proxy.received[0].statuses == [answer.status] == [200]
    assert cut == (fault is Fault.TRUNCATE)
    assert len(content) == (length // 2 if cut else length)
    assert (str(crc32(content)) == answer.headers["x-amz-crc32"]) == (fault is Fault.PASS)


def test_a_plan_is_for_its_operations_alone_and_has_an_end(stage: Stage) -> None:
    client = client_of(stage)
    stage.proxy.plan(Fault.THROTTLE_RATE, afterwards=Fault.ERROR_BEFORE, operations=READS)
    add(client, stage.table, stage.name)
    for code in ("ThrottlingException", "InternalServerError", "InternalServerError"):
        with pytest.raises(ClientError) as raised:
            client.get_item(TableName=stage.table, Key=key_of(stage.name))
        assert code_of(raised.value) == code
    assert [received.operation for received in stage.proxy.received] == ["GetItem"] * 3
    stage.proxy.plan()
    assert stage.proxy.received == []
    assert client.get_item(TableName=stage.table, Key=key_of(stage.name))["Item"]["hits"] == {"N": "1"}


def names(stage: Stage) -> list[str]:
    return [f"{stage.name}-{number}" for number in range(5)]


def test_a_batch_of_writes_is_done_in_part(stage: Stage) -> None:
    writes = [{"PutRequest": {"Item": key_of(name)}} for name in names(stage)]
    stage.proxy.plan(Fault.PARTIAL)
    answer = client_of(stage).batch_write_item(RequestItems={stage.table: writes})
    assert answer["UnprocessedItems"] == {stage.table: writes[1::2]}
    stored = stage.direct.batch_load(map(Tally.Key, names(stage)))
    assert [item.name for item in stored.get_items(Tally)] == names(stage)[::2]


def test_a_batch_of_reads_is_answered_in_part(stage: Stage) -> None:
    for name in names(stage):
        stage.direct.save(Tally(name=name))
    keys = list(map(key_of, names(stage)))
    stage.proxy.plan(Fault.PARTIAL, operations=READS)
    answer = client_of(stage).batch_get_item(RequestItems={stage.table: {"Keys": keys, "ConsistentRead": True}})
    assert answer["UnprocessedKeys"] == {stage.table: {"Keys": keys[1::2], "ConsistentRead": True}}
    assert sorted(row["pk"]["S"] for row in answer["Responses"][stage.table]) == names(stage)[::2]


def test_a_part_that_a_test_chooses(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.proxy, "leave", lambda row: True)
    keys = {"Keys": [key_of(stage.name)]}
    answer = client_of(stage).batch_get_item(RequestItems={stage.table: keys})
    assert answer["Responses"] == {}
    assert answer["UnprocessedKeys"] == {stage.table: keys}


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        (Fault.CONFLICT, ["TransactionConflict", "TransactionConflict"]),
        (Cancel((None, "ThrottlingError")), ["None", "ThrottlingError"]),
        (Cancel(("ProvisionedThroughputExceeded", None)), ["ProvisionedThroughputExceeded", "None"]),
    ],
    ids=str,
)
def test_a_transaction_is_cancelled_for_its_reasons(stage: Stage, fault: Fault | Cancel, codes: list[str]) -> None:
    client: Any = client_of(stage)
    stage.proxy.plan(fault)
    with pytest.raises(client.exceptions.TransactionCanceledException) as raised:
        transact(client, stage.table, stage.name)
    told: Any = raised.value
    assert [reason["Code"] for reason in told.response["CancellationReasons"]] == codes
    assert (added(stage), stage.proxy.received[0].statuses) == (0, [])


def test_reads_of_a_transaction_meet_others_too(stage: Stage) -> None:
    client: Any = client_of(stage)
    gets = [{"Get": {"TableName": stage.table, "Key": key_of(name)}} for name in names(stage)]
    stage.proxy.plan(Fault.CONFLICT, operations=READS)
    with pytest.raises(client.exceptions.TransactionCanceledException) as raised:
        client.transact_get_items(TransactItems=gets)
    told: Any = raised.value
    assert [reason["Code"] for reason in told.response["CancellationReasons"]] == ["TransactionConflict"] * 5


def test_a_transaction_that_arrives_twice_has_one_token(stage: Stage) -> None:
    """So the service, which gets it twice, does it once; and again when it arrives late."""
    stage.proxy.plan(Fault.DUPLICATE, Fault.HOLD)
    client = client_of(stage)
    transact(client, stage.table, stage.name)
    with pytest.raises(ReadTimeoutError):
        transact(client, stage.table, stage.name)
    assert stage.proxy.release() == [200]
    assert [received.statuses for received in stage.proxy.received] == [[200, 200], [200]]
    assert added(stage) == 1
