"""Both kinds of direct transport, against a server that does what a test says."""

from __future__ import annotations

import base64
import gc
import json
import threading
import time
from collections.abc import Generator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import (
    ChecksumError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.transport import retries
from tests.unit.transport.scripted import Act, Sender, Server, answer, refusal, scripted, sender

THROTTLED = refusal("ProvisionedThroughputExceededException")
BROKEN = refusal("InternalServerError", 500)
ITEM: dict[str, Any] = {"Item": {"pk": {"S": "ALBUM_1"}}}


@pytest.fixture
def server() -> Generator[Server]:
    with scripted() as server:
        yield server


@pytest.fixture(params=["blocking", "awaited"])
def kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def open_sender(kind: str) -> Generator[Any]:
    """Makes senders, which are closed at the end."""
    with ExitStack() as stack:
        yield lambda client, **options: stack.enter_context(sender(kind, client, **options))


@pytest.fixture
def sending(server: Server, open_sender: Any) -> Sender:
    opened: Sender = open_sender(server.client())
    return opened


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_LONGEST_PAUSE", 0.0)


# Requests


def test_gives_the_answer_as_it_came(server: Server, sending: Sender) -> None:
    server.plan = [answer(200, b'{"Item": {"n": {"N": "1.10"}}}')]
    assert sending.send("GetItem", b'{"TableName":"music"}') == b'{"Item": {"n": {"N": "1.10"}}}'
    [received] = server.received
    assert received.body == b'{"TableName":"music"}'
    assert received.line == "POST / HTTP/1.1"


def test_the_headers_are_those_of_the_client(server: Server, sending: Sender) -> None:
    server.client().get_item(TableName="music", Key={})
    sending.send("GetItem", b"{}")
    theirs, ours = (one.headers for one in server.received)
    assert ours["x-amz-target"] == "DynamoDB_20120810.GetItem"
    for name in ("host", "content-type", "x-amz-target", "accept-encoding"):
        assert ours[name] == theirs[name]
    assert ours["user-agent"].partition(" ")[0] == theirs["user-agent"].partition(" ")[0]
    assert set(theirs) - set(ours) == {"amz-sdk-invocation-id", "amz-sdk-request"}
    assert set(ours) - set(theirs) == set()


def signed_by_botocore(received: Any, url: str, credentials: Credentials) -> str:
    """The signature that botocore gives a request."""
    auth = SigV4Auth(credentials, "dynamodb", "us-east-1")
    names = received.headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    headers = {name: received.headers[name] for name in names}
    request = AWSRequest("POST", url, headers, received.body)
    request.context["timestamp"] = received.headers["x-amz-date"]
    to_sign = auth.string_to_sign(request, auth.canonical_request(request))
    return auth.signature(to_sign, request)


@pytest.mark.parametrize("token", [None, "session token"])
def test_signs_as_botocore_does(server: Server, open_sender: Any, token: str | None) -> None:
    credentials = Credentials("key", "secret", token)
    client = server.client()
    client._request_signer._credentials = credentials
    open_sender(client).send("PutItem", '{"name":"Ünïcödé"}'.encode())
    [received] = server.received
    assert received.headers.get("x-amz-security-token") == token
    signature = received.headers["authorization"].rpartition("Signature=")[2]
    assert signature == signed_by_botocore(received, server.url, credentials)


def test_the_endpoint_may_have_a_path(server: Server, open_sender: Any) -> None:
    client = server.client()
    client.meta.events.register(
        "before-call.dynamodb", lambda params, **_: params.update(url=params["url"].rstrip("/") + "/base/path")
    )
    open_sender(client).send()
    [received] = server.received
    assert received.line == "POST /base/path HTTP/1.1"


def test_every_operation_goes_by_its_name(server: Server, sending: Sender) -> None:
    operations = ["Query", "TransactWriteItems", "ListTables", "CreateTable"]
    for operation in operations:
        sending.send(operation)
    assert [one.headers["x-amz-target"] for one in server.received] == [
        f"DynamoDB_20120810.{operation}" for operation in operations
    ]


# Answers that are errors

CANCELED: dict[str, Any] = {
    "CancellationReasons": [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Message": "no", "Item": {"pk": {"B": base64.b64encode(b"\xff").decode()}}},
    ]
}


@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("GetItem", refusal("ResourceNotFoundException")),
        ("PutItem", refusal("ConditionalCheckFailedException", **ITEM)),
        ("TransactWriteItems", refusal("TransactionCanceledException", **CANCELED)),
        ("GetItem", refusal("NewException", Detail=1)),
        ("GetItem", answer(400, {"message": "no type"})),
        ("GetItem", answer(413, b"<html>too much</html>")),
        ("GetItem", answer(404, b"")),
        ("GetItem", answer(302, b"", location="http://elsewhere")),
        ("GetItem", THROTTLED),
    ],
    ids=["modelled", "item", "reasons", "unknown", "no code", "html", "empty", "elsewhere", "throttled"],
)
def test_errors_are_what_the_client_would_raise(server: Server, open_sender: Any, operation: str, given: bytes) -> None:
    client = server.client(retries={"mode": "standard", "total_max_attempts": 1}, parameter_validation=False)
    server.plan = [given, given]
    method = {"GetItem": "get_item", "PutItem": "put_item", "TransactWriteItems": "transact_write_items"}[operation]
    theirs: Any
    with pytest.raises(ClientError) as theirs:
        getattr(client, method)()
    with pytest.raises(ServiceFailure) as ours:
        open_sender(client).send(operation)
    error: Any = ours.value.error
    assert type(error) is type(theirs.value)
    expected: dict[str, Any] = theirs.value.response
    # They say so of a last attempt whether or not there would have been another.
    limited = expected["ResponseMetadata"].pop("MaxAttemptsReached", None)
    assert error.response["ResponseMetadata"].pop("MaxAttemptsReached", None) in (limited, None)
    assert error.response == expected
    assert error.operation_name == operation
    assert ours.value.code == expected.get("Error", {}).get("Code", "Unknown")
    assert not ours.value.ambiguous


def test_the_body_of_an_error_is_in_wire_form(server: Server, sending: Sender) -> None:
    server.plan = [refusal("TransactionCanceledException", **CANCELED)]
    with pytest.raises(ServiceFailure) as raised:
        sending.send("TransactWriteItems")
    assert raised.value.body["CancellationReasons"] == CANCELED["CancellationReasons"]
    error: Any = raised.value.error
    assert error.response["CancellationReasons"][1]["Item"] == {"pk": {"B": b"\xff"}}


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null"])
def test_an_error_that_is_json_but_no_object(server: Server, sending: Sender, body: bytes) -> None:
    server.plan = [answer(400, body)]
    with pytest.raises(ServiceFailure) as raised:
        sending.send()
    assert raised.value.body == {}
    assert type(raised.value.error) is ClientError


def test_says_so_when_attempts_are_spent(server: Server, open_sender: Any) -> None:
    server.otherwise = lambda _: THROTTLED
    with pytest.raises(ServiceFailure) as raised:
        open_sender(server.client(retries={"mode": "standard", "total_max_attempts": 3})).send()
    error: Any = raised.value.error
    assert error.response["ResponseMetadata"]["RetryAttempts"] == 2
    assert str(error) == (
        "An error occurred (ProvisionedThroughputExceededException) when calling the GetItem operation "
        "(reached max retries: 2): of a test"
    )
    assert len(server.received) == 3


# Attempts


@pytest.mark.parametrize(
    "step",
    [
        THROTTLED,
        BROKEN,
        refusal("TransactionInProgressException"),
        answer(503, b"<html>"),
        answer(200, {}, x_amz_crc32="1"),
        answer(400, {}, x_amz_crc32="1"),
        Act.CUT,
        Act.RESET,
        (answer(200, ITEM)[:-3], Act.CUT),
        b"nonsense\r\n\r\n",
    ],
    ids=lambda step: str(step)[:40],
)
def test_sends_again_what_may_be_repeated(server: Server, sending: Sender, step: Any) -> None:
    server.plan = [step, answer(200, ITEM)]
    assert json.loads(sending.send()) == ITEM
    first, second = server.received
    assert first.body == second.body


@pytest.mark.parametrize(
    ("step", "cause"),
    [
        (BROKEN, ClientError),
        (answer(503, b"<html>"), ClientError),
        (answer(501, b""), ClientError),
        (answer(200, {}, x_amz_crc32="1"), ChecksumError),
        (answer(200, {}, x_amz_crc32="none"), ChecksumError),
        (Act.CUT, ConnectionClosedError),
        (Act.RESET, ConnectionClosedError),
        ((answer(200, ITEM)[:-3], Act.CUT), ConnectionClosedError),
        (b"nonsense\r\n\r\n", ConnectionClosedError),
    ],
    ids=lambda step: str(step)[:40],
)
def test_never_sends_again_what_may_not_be_repeated(
    server: Server, sending: Sender, step: Any, cause: type[Exception]
) -> None:
    server.plan = [step]
    with pytest.raises(Unanswered) as raised:
        sending.send("UpdateItem", repeatable=False)
    assert isinstance(raised.value.error, cause)
    assert len(server.received) == 1


def test_sends_again_what_was_throttled(server: Server, sending: Sender) -> None:
    """Nothing was done, so it cannot be done twice."""
    server.plan = [THROTTLED, answer(200, ITEM)]
    assert json.loads(sending.send("UpdateItem", repeatable=False)) == ITEM


@pytest.mark.parametrize(
    ("first", "ambiguous"),
    [(Act.CUT, True), (BROKEN, True), (answer(200, {}, x_amz_crc32="1"), True), (THROTTLED, False)],
)
def test_tells_that_an_earlier_attempt_may_have_taken_effect(
    server: Server, sending: Sender, first: Any, ambiguous: bool
) -> None:
    server.plan = [first, refusal("ConditionalCheckFailedException")]
    with pytest.raises(ServiceFailure) as raised:
        sending.send("PutItem")
    assert raised.value.ambiguous is ambiguous


@pytest.mark.parametrize("step", [BROKEN, answer(200, {}, x_amz_crc32="1"), Act.CUT], ids=["5xx", "damaged", "cut"])
def test_what_was_never_answered_is_unanswered(server: Server, sending: Sender, step: Any) -> None:
    server.otherwise = lambda _: step
    with pytest.raises(Unanswered):
        sending.send()
    assert len(server.received) == 4


def test_the_number_of_attempts_of_the_legacy_mode(server: Server, open_sender: Any) -> None:
    server.otherwise = lambda _: THROTTLED
    with pytest.raises(ServiceFailure):
        open_sender(server.client(retries={"mode": "legacy"})).send()
    assert len(server.received) == 10


def test_all_requests_share_the_quota(server: Server, sending: Sender) -> None:
    server.otherwise = lambda _: BROKEN
    errors: list[Any] = []
    for _ in range(12):  # 3 retries each, 14 of 500 for a retry: 35 retries
        with pytest.raises(Unanswered) as raised:
            sending.send()
        errors.append(raised.value.error)
    assert len(server.received) == 12 + 35
    assert errors[-1].response["ResponseMetadata"]["RetryQuotaReached"]
    assert errors[-2].response["ResponseMetadata"]["MaxAttemptsReached"]
    server.otherwise = lambda _: answer()
    sending.send()
    server.plan = [BROKEN]
    with pytest.raises(Unanswered):
        sending.send()


def test_nothing_could_be_sent(server: Server, open_sender: Any) -> None:
    with scripted() as gone:
        client = gone.client()
    with pytest.raises(EndpointConnectionError) as raised:
        open_sender(client).send("UpdateItem", repeatable=False)
    assert str(raised.value) == f'Could not connect to the endpoint URL: "{gone.url}/"'
    assert isinstance(raised.value.__cause__, OSError)


@pytest.mark.parametrize("repeatable", [True, False])
def test_what_cannot_be_sent_may_be_sent_again(server: Server, sending: Sender, repeatable: bool) -> None:
    failures = [EndpointConnectionError(endpoint_url="u", error="e"), ConnectTimeoutError(endpoint_url="u", error="e")]

    def fail(**_: Any) -> None:
        if failures:
            raise failures.pop()

    sending.transport._client.meta.events.register("before-send.dynamodb", fail)
    sending.send("UpdateItem", repeatable=repeatable)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    "step",
    [refusal("ConditionalCheckFailedException"), BROKEN, answer(200, {}, x_amz_crc32="1"), Act.CUT],
    ids=["refused", "5xx", "damaged", "cut"],
)
def test_errors_are_freed_at_once(server: Server, sending: Sender, step: Any) -> None:
    """Without a cycle of an exception and its frames, which would keep requests and answers in memory."""
    sending.send()
    server.plan = [step]
    gc.disable()
    try:
        gone = sending.failure()
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()


# Time


def test_waits_no_longer_for_an_answer_than_the_client_does(server: Server, open_sender: Any) -> None:
    server.plan = [Act.HANG]
    with pytest.raises(Unanswered) as raised:
        open_sender(server.client(read_timeout=0.1)).send("UpdateItem", repeatable=False)
    assert isinstance(raised.value.error, ReadTimeoutError)
    assert str(raised.value) == f'Read timeout on endpoint URL: "{server.url}/"'


def test_an_answer_may_take_longer_than_that_as_long_as_it_comes(server: Server, open_sender: Any) -> None:
    sending = open_sender(server.client(read_timeout=0.4))
    begun, whole = answer(200, ITEM)[:30], answer(200, ITEM)

    def dribble(_: Any) -> Any:
        def rest() -> None:
            for place in range(30, len(whole), 20):
                time.sleep(0.1)
                server.say(whole[place : place + 20])

        threading.Thread(target=rest, daemon=True).start()
        return begun

    server.otherwise = dribble
    assert json.loads(sending.send(repeatable=False)) == ITEM


def test_waits_no_longer_for_a_connection_than_the_client_does(server: Server, open_sender: Any) -> None:
    """The other side never answers the beginning of TLS, so nothing was sent, and it may be sent again."""
    client = server.client(connect_timeout=0.1, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 2})
    client.meta.events.register(
        "before-call.dynamodb", lambda params, **_: params.update(url=params["url"].replace("http:", "https:"))
    )
    with pytest.raises(ConnectTimeoutError):
        open_sender(client).send("UpdateItem", repeatable=False)
    assert server.connections == 2


@pytest.mark.parametrize("timeouts", [{"connect_timeout": None, "read_timeout": None}, {"read_timeout": 7}])
def test_other_timeouts(server: Server, open_sender: Any, timeouts: dict[str, Any]) -> None:
    assert open_sender(server.client(**timeouts)).send() == b"{}"


# Connections


def test_a_connection_is_used_again(server: Server, sending: Sender) -> None:
    for _ in range(3):
        sending.send()
    assert [one.connection for one in server.received] == [1, 1, 1]


def test_a_connection_that_the_answer_closes_is_not(server: Server, sending: Sender) -> None:
    server.plan = [answer(200, ITEM, connection="close"), answer()]
    sending.send()
    sending.send()
    assert [one.connection for one in server.received] == [1, 2]


def test_a_connection_that_was_closed_while_idle_is_no_failure(server: Server, sending: Sender) -> None:
    sending.send()
    server.hang_up()
    sending.send("UpdateItem", repeatable=False)
    assert [one.connection for one in server.received] == [1, 2]


def test_what_nobody_asked_for_is_not_taken_for_an_answer(server: Server, sending: Sender) -> None:
    sending.send()
    server.say(answer(200, {"Item": {"pk": {"S": "FORGED"}}}))
    assert sending.send() == b"{}"
    assert [one.connection for one in server.received] == [1, 2]


def test_what_follows_an_answer_is_not_taken_for_the_next(server: Server, sending: Sender) -> None:
    server.plan = [answer() + answer(200, {"Item": {"pk": {"S": "FORGED"}}}), answer(200, ITEM)]
    assert sending.send() == b"{}"
    assert json.loads(sending.send()) == ITEM
    assert [one.connection for one in server.received] == [1, 2]


def test_answers_in_every_form(server: Server, sending: Sender) -> None:
    body = json.dumps(ITEM).encode()
    chunks = f"{4:x}\r\n".encode() + body[:4] + f"\r\n{len(body) - 4:x}\r\n".encode() + body[4:] + b"\r\n0\r\n\r\n"
    server.plan = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(200, ITEM),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body, Act.CUT),
        answer(200, {"Item": {"big": {"S": "x" * 1_000_000}}}),
    ]
    assert [sending.send() for _ in range(3)] == [body] * 3
    assert len(sending.send()) > 1_000_000


def test_a_big_request_arrives(server: Server, sending: Sender) -> None:
    body = b'"' + b"x" * 5_000_000 + b'"'
    sending.send("BatchWriteItem", body)
    assert server.received[0].body == body


def test_requests_at_once_get_their_own_answers(server: Server, sending: Sender) -> None:
    server.otherwise = lambda received: answer(200, received.body)
    bodies = [json.dumps({"number": number}).encode() for number in range(40)]
    for _ in range(5):
        assert sending.send_at_once(*bodies) == bodies
    if sending.runner is not None:
        assert server.connections <= sending.transport.max_connections == 10


def test_closing_closes_the_connections(server: Server, sending: Sender) -> None:
    sending.send()
    sending.close()
    sending.close()
    sending.send()
    assert [one.connection for one in server.received] == [1, 2]


def test_two_origins_have_connections_of_their_own(server: Server, open_sender: Any) -> None:
    client = server.client()
    with scripted() as other:
        places = [other.url + "/", server.url + "/"] * 2
        client.meta.events.register("before-call.dynamodb", lambda params, **_: params.update(url=places.pop()))
        sending = open_sender(client)
        for _ in range(4):
            sending.send()
        assert [one.headers["host"] for one in other.received] == [urlsplit(other.url).netloc] * 2
        assert (len(server.received), server.connections, other.connections) == (2, 1, 1)
