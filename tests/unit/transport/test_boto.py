from __future__ import annotations

import base64
import gc
import json
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import patch
from zlib import crc32

import boto3
import botocore.client
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
)
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.transport.boto import BotoTransport, make_client, max_connections
from logicaldb.transport.clients import CALLS

Answer = tuple[int, dict[str, str], bytes]

CUT: Answer = (0, {}, b"")
"""In the place of an answer: the connection is cut."""


@dataclass
class Received:
    path: str
    headers: Message
    body: bytes

    @property
    def operation(self) -> str:
        target: str = self.headers["X-Amz-Target"]
        return target.partition(".")[2]


@dataclass
class Server:
    """An HTTP server that answers with what ``answers`` holds, or by what ``answer`` makes of a request."""

    url: str
    answers: list[Answer] = field(default_factory=list[Answer])
    answer: Callable[[Received], Answer] | None = None
    received: list[Received] = field(default_factory=list[Received])

    def give(self, status: int, body: Any, **headers: str) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, {"x-amz-crc32": str(crc32(raw)), **named}, raw))

    def answer_to(self, received: Received) -> Answer:
        self.received.append(received)
        return self.answer(received) if self.answer else self.answers.pop(0)

    def client(self, **config: Any) -> Any:
        return boto3.client(
            "dynamodb",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="key",
            aws_secret_access_key="secret",
            config=Config(proxies={}, **config),
        )


@pytest.fixture(scope="module")
def listening() -> Iterator[list[Server]]:
    current: list[Server] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or a body waits for the client's word that it has the head

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status, headers, answer = current[0].answer_to(Received(self.path, self.headers, body))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Do not write it to stderr."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        http.block_on_close = False
        current.append(Server(f"http://127.0.0.1:{http.server_port}"))
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield current
        http.shutdown()
        thread.join()


@pytest.fixture
def server(listening: list[Server]) -> Server:
    listening[0] = Server(listening[0].url)
    return listening[0]


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))


GET = b'{"TableName":"things","Key":{"pk":{"S":"\xc3\xbc"}}}'
ROADS = pytest.mark.parametrize("fast", [True, False], ids=["fast", "botocore"])
MODES_ON_ROADS = pytest.mark.parametrize(
    ("mode", "fast"),
    [("legacy", True), ("standard", True), ("adaptive", True), ("legacy", False), ("standard", False)],
)
"""Retry modes; adaptive retries are left to botocore on the fast road, too."""


def get(transport: BotoTransport, body: bytes = GET) -> bytes:
    return transport.send("GetItem", "things", body)


def signature_of(received: Received, url: str) -> str:
    """Compute the signature that a request should have."""
    auth = SigV4Auth(Credentials("key", "secret"), "dynamodb", "us-east-1")
    signed = received.headers["Authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    request = AWSRequest("POST", url + received.path, {name: received.headers[name] for name in signed}, received.body)
    request.context["timestamp"] = received.headers["X-Amz-Date"]
    return auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)


# What is sent


@ROADS
def test_sends_the_body_as_it_is_signed_and_gives_the_answer_as_it_came(fast: bool, server: Server) -> None:
    answer = '{ "Item" : {"b":{"B":"AAE="},"n":{"N":"1.10"}}, "Ünknown":[1.5] }\n'.encode()
    server.give(200, answer)
    assert get(BotoTransport(server.client(), fast=fast)) == answer
    [received] = server.received
    assert received.body == GET
    assert received.headers["Content-Length"] == str(len(GET))
    assert received.headers["Content-Type"] == "application/x-amz-json-1.0"
    assert received.headers["X-Amz-Target"] == "DynamoDB_20120810.GetItem"
    assert received.headers["Authorization"].endswith(f"Signature={signature_of(received, server.url)}")


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_every_operation_reaches_the_service_with_our_body(server: Server, operation: str) -> None:
    server.give(200, {"Anything": operation})
    body = f'{{"for":"{operation}"}}'.encode()
    answer = BotoTransport(server.client()).send(operation, "things", body)
    assert json.loads(answer) == {"Anything": operation}
    assert [(received.operation, received.body) for received in server.received] == [(operation, body)]


def by_the_account_in_an_arn(client: Any) -> str:
    """The endpoint for a table whose ARN names an account; the oldest botocore has no such rule."""
    known = tuple(int(part) for part in botocore.__version__.split(".")[:2]) >= (1, 38)
    return "https://123456789012.ddb.us-east-1.amazonaws.com/" if known else f"{client.meta.endpoint_url}/"


@pytest.mark.parametrize("operation", sorted(set(CALLS) - {"ListTables"}))
def test_the_endpoint_is_that_of_the_account_in_the_tables_arn(operation: str) -> None:
    client = make_offline_client()
    urls: list[str] = []

    def answer(request: Any, **_: Any) -> Any:
        urls.append(request.url)
        return in_process_answer(request, 200, b"{}")

    client.meta.events.register("before-send.dynamodb", answer)
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/things"
    assert BotoTransport(client).send(operation, table, b"{}") == b"{}"
    client.describe_table(TableName=table)
    assert urls == [by_the_account_in_an_arn(client)] * 2


def test_an_operation_that_is_not_ours_is_not_known(server: Server) -> None:
    with pytest.raises(KeyError, match="DeleteEverything"):
        BotoTransport(server.client()).send("DeleteEverything", "things", b"{}")
    assert server.received == []


# Errors


@ROADS
def test_an_error_carries_the_body_as_it_came_and_botocores_own_exception(fast: bool, server: Server) -> None:
    body = {
        "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
        "message": "The conditional request failed",
        "Item": {"pk": {"S": "a"}, "b": {"B": "AAE="}, "bs": {"BS": ["AA=="]}},
    }
    server.give(400, body)
    client = server.client()
    with pytest.raises(ServiceFailure) as raised:
        BotoTransport(client, fast=fast).send("PutItem", "things", b"{}")
    failure = raised.value
    assert (failure.code, failure.body) == ("ConditionalCheckFailedException", body)
    assert type(failure.error) is client.exceptions.ConditionalCheckFailedException
    assert isinstance(failure.error, ClientError)
    assert cast("Any", failure.error.response)["Item"]["b"] == {"B": b"\x00\x01"}
    assert (failure.__cause__, failure.__context__, failure.error.__context__) == (None, None, None)
    assert failure.ambiguous is False


def test_a_cancelled_transaction_carries_its_reasons(server: Server) -> None:
    reasons = [
        {"Code": "None"},
        {"Code": "ConditionalCheckFailed", "Item": {"b": {"B": "/w=="}}, "Message": "The conditional request failed"},
    ]
    server.give(400, {"__type": "x#TransactionCanceledException", "Message": "no", "CancellationReasons": reasons})
    with pytest.raises(ServiceFailure) as raised:
        BotoTransport(server.client()).send("TransactWriteItems", "things", b"{}")
    assert raised.value.code == "TransactionCanceledException"
    assert raised.value.body["CancellationReasons"] == reasons


@ROADS
def test_an_error_that_is_not_dynamodbs_is_told_by_its_status(fast: bool, server: Server) -> None:
    server.give(403, b"<html>Forbidden</html>")
    with pytest.raises(ServiceFailure) as raised:
        get(BotoTransport(server.client(), fast=fast))
    assert (raised.value.code, raised.value.body) == ("403", {})


def test_a_connection_that_fails_is_botocores_error_and_leaves_nothing_behind(server: Server) -> None:
    client = server.client(retries={"total_max_attempts": 1})

    def fail(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url=server.url)

    client.meta.events.register("before-send", fail, unique_id="fail")
    with pytest.raises(EndpointConnectionError):
        get(BotoTransport(client))
    client.meta.events.unregister("before-send", unique_id="fail")
    server.give(200, {"Item": {"b": {"B": "AAE="}}})
    assert client.get_item(TableName="things", Key={"pk": {"S": "b"}})["Item"] == {"b": {"B": b"\x00\x01"}}


@ROADS
@pytest.mark.parametrize("repeatable", [True, False])
@pytest.mark.parametrize(("status", "checksum"), [(200, None), (400, None), (500, None), (200, "1")])
def test_a_call_holds_nothing_that_needs_the_garbage_collector(
    fast: bool, server: Server, status: int, checksum: str | None, repeatable: bool
) -> None:
    class Canary:
        pass

    transport = BotoTransport(server.client(retries={"mode": "standard", "total_max_attempts": 1}), fast=fast)

    def caller() -> weakref.ref[Canary]:
        canary = Canary()
        with suppress(ServiceFailure, Unanswered):
            transport.send("GetItem", "things", GET, repeatable=repeatable)
        return weakref.ref(canary)

    server.give(status, {"__type": "x#ValidationException"}, **({"x_amz_crc32": checksum} if checksum else {}))
    gc.collect()
    gc.disable()
    try:
        assert caller()() is None
    finally:
        gc.enable()


# Retries


@MODES_ON_ROADS
def test_botocore_retries_with_the_same_body(fast: bool, server: Server, mode: str) -> None:
    server.give(500, {"__type": "x#InternalServerError"})
    server.give(400, {"__type": "x#ProvisionedThroughputExceededException"})
    server.give(200, {"Item": {}})
    assert json.loads(get(BotoTransport(server.client(retries={"mode": mode}), fast=fast))) == {"Item": {}}
    assert [received.body for received in server.received] == [GET] * 3
    for received in server.received:
        assert received.headers["Authorization"].endswith(f"Signature={signature_of(received, server.url)}")
    assert len({received.headers["amz-sdk-request"] for received in server.received}) == 3


@MODES_ON_ROADS
def test_when_the_retries_are_spent_the_last_error_is_the_answer(fast: bool, server: Server, mode: str) -> None:
    for attempt in range(1, 4):
        server.give(400, {"__type": "x#ThrottlingException", "message": f"attempt {attempt}"})
    transport = BotoTransport(server.client(retries={"mode": mode, "total_max_attempts": 3}), fast=fast)
    with pytest.raises(ServiceFailure) as raised:
        get(transport)
    assert (raised.value.code, raised.value.body["message"]) == ("ThrottlingException", "attempt 3")
    assert "reached max retries: 2" in str(raised.value.error)


@MODES_ON_ROADS
def test_a_damaged_answer_is_asked_for_again(fast: bool, server: Server, mode: str) -> None:
    server.give(200, b'{"Item": {"n": {"N": "1', x_amz_crc32="1")
    server.give(200, {"Item": {"n": {"N": "2"}}})
    answer = get(BotoTransport(server.client(retries={"mode": mode}), fast=fast))
    assert json.loads(answer) == {"Item": {"n": {"N": "2"}}}
    assert [received.body for received in server.received] == [GET] * 2


@pytest.mark.parametrize("attempts", [1, 2])
@MODES_ON_ROADS
def test_a_damaged_answer_is_never_handed_on(fast: bool, server: Server, mode: str, attempts: int) -> None:
    for _ in range(attempts):
        server.give(200, b"{}", x_amz_crc32="1")
    transport = BotoTransport(server.client(retries={"mode": mode, "total_max_attempts": attempts}), fast=fast)
    with pytest.raises(Unanswered) as raised:
        get(transport)
    assert type(raised.value.error) is ChecksumError
    assert str(raised.value) == (
        "Checksum crc32 failed, expected checksum 1 did not match calculated checksum 2745614147."
    )


@ROADS
def test_neither_is_a_damaged_error(fast: bool, server: Server) -> None:
    server.give(400, {"__type": "x#ConditionalCheckFailedException"}, x_amz_crc32="1")
    with pytest.raises(Unanswered) as raised:
        get(BotoTransport(server.client(retries={"mode": "standard", "total_max_attempts": 1}), fast=fast))
    assert type(raised.value.error) is ChecksumError


def test_an_answer_without_a_checksum_is_taken(server: Server) -> None:
    server.answers.append((200, {}, b'{"Item":{}}'))
    assert get(BotoTransport(server.client())) == b'{"Item":{}}'


# Attempts that came to no answer


def lose_answer(server: Server, how: str) -> None:
    """Let the server answer the next request so that nobody can tell what came of it."""
    if how == "cut":
        server.answers.append(CUT)
    elif how == "damaged":
        server.give(200, {"Attributes": {}}, x_amz_crc32="1")
    else:
        server.give(int(how), {"__type": "x#InternalServerError", "message": "no"})


LOST = pytest.mark.parametrize(
    ("how", "error_type", "message"),
    [
        ("cut", ConnectionClosedError, "Connection was closed before we received a valid response from endpoint URL: "),
        ("damaged", ChecksumError, "Checksum crc32 failed, expected checksum 1 did not match calculated checksum "),
        ("500", ClientError, "An error occurred (InternalServerError) when calling the UpdateItem operation"),
        ("503", ClientError, "An error occurred (InternalServerError) when calling the UpdateItem operation"),
    ],
)
ADD = b'{"UpdateExpression":"ADD n :n"}'


def retries_of(error: Any) -> int:
    """How many retries botocore says there were."""
    retries: int = error.response["ResponseMetadata"]["RetryAttempts"]
    return retries


def update(transport: BotoTransport, *, repeatable: bool) -> Any:
    return json.loads(transport.send("UpdateItem", "things", ADD, repeatable=repeatable))


@MODES_ON_ROADS
@LOST
def test_what_must_not_take_effect_twice_is_not_sent_again(
    fast: bool, server: Server, mode: str, how: str, error_type: type[Exception], message: str
) -> None:
    client = server.client(retries={"mode": mode})
    reported: list[Exception] = []
    client.meta.events.register("after-call-error", lambda exception, **_: reported.append(exception))
    lose_answer(server, how)
    with pytest.raises(Unanswered) as raised:
        update(BotoTransport(client, fast=fast), repeatable=False)
    error = raised.value.error
    assert isinstance(error, error_type)
    assert str(error).startswith(message)
    assert (raised.value.__cause__, raised.value.__context__) == (None, None)
    assert [received.body for received in server.received] == [ADD]
    # It is botocore's own, as its other listeners expect; where a 5xx is the last word, they see it as an answer.
    assert reported == ([] if fast and mode != "adaptive" and how.isdigit() else [error])
    if isinstance(error, ClientError):
        assert type(error) is client.exceptions.InternalServerError
        assert retries_of(error) == 0


@MODES_ON_ROADS
@LOST
def test_what_may_take_effect_twice_is_sent_again(
    fast: bool, server: Server, mode: str, how: str, error_type: type[Exception], message: str
) -> None:
    lose_answer(server, how)
    server.give(200, {"Attributes": {"n": {"N": "2"}}})
    assert update(BotoTransport(server.client(retries={"mode": mode}), fast=fast), repeatable=True)["Attributes"] == {
        "n": {"N": "2"}
    }
    assert [received.body for received in server.received] == [ADD] * 2


@MODES_ON_ROADS
@LOST
def test_an_error_after_a_lost_answer_says_so(
    fast: bool, server: Server, mode: str, how: str, error_type: type[Exception], message: str
) -> None:
    transport = BotoTransport(server.client(retries={"mode": mode}), fast=fast)
    for expected in (True, False):
        if expected:
            lose_answer(server, how)
        server.give(400, {"__type": "x#ConditionalCheckFailedException", "Item": {"n": {"N": "1"}}})
        with pytest.raises(ServiceFailure) as raised:
            update(transport, repeatable=True)
        failure = raised.value
        assert (failure.code, failure.ambiguous) == ("ConditionalCheckFailedException", expected)
        assert failure.body["Item"] == {"n": {"N": "1"}}


@MODES_ON_ROADS
@LOST
def test_when_no_attempt_came_to_an_answer_the_last_error_is_told(
    fast: bool, server: Server, mode: str, how: str, error_type: type[Exception], message: str
) -> None:
    for _ in range(2):
        lose_answer(server, how)
    with pytest.raises(Unanswered) as raised:
        update(
            BotoTransport(server.client(retries={"mode": mode, "total_max_attempts": 2}), fast=fast), repeatable=True
        )
    assert isinstance(raised.value.error, error_type)
    assert str(raised.value).startswith(message)
    assert len(server.received) == 2


@MODES_ON_ROADS
def test_throttling_is_an_answer(fast: bool, server: Server, mode: str) -> None:
    """It tells that nothing was written, so it may be sent again, until an answer is lost."""
    client = server.client(retries={"mode": mode})
    server.give(400, {"__type": "x#ProvisionedThroughputExceededException"})
    server.give(200, {"Attributes": {"n": {"N": "1"}}})
    assert update(BotoTransport(client, fast=fast), repeatable=False)["Attributes"] == {"n": {"N": "1"}}
    assert len(server.received) == 2
    server.give(400, {"__type": "x#ProvisionedThroughputExceededException"})
    server.give(500, {"__type": "x#InternalServerError"})
    with pytest.raises(Unanswered) as raised:
        update(BotoTransport(client, fast=fast), repeatable=False)
    assert retries_of(raised.value.error) == 1
    assert len(server.received) == 4


@ROADS
def test_throttling_after_a_lost_answer_says_so(fast: bool, server: Server) -> None:
    server.give(500, {})
    for _ in range(3):
        server.give(400, {"__type": "x#ProvisionedThroughputExceededException"})
    with pytest.raises(ServiceFailure) as raised:
        update(
            BotoTransport(server.client(retries={"mode": "standard", "total_max_attempts": 4}), fast=fast),
            repeatable=True,
        )
    assert (raised.value.code, raised.value.ambiguous) == ("ProvisionedThroughputExceededException", True)


def raising(client: Any, *errors: Exception | None) -> list[bytes]:
    """Let the attempts of a client end in these errors before they are sent; ``None`` sends one."""
    attempts: list[bytes] = []
    left = list(errors)

    def fail(request: Any, **_: Any) -> None:
        attempts.append(request.body)
        error = left.pop(0)
        if error is not None:
            raise error

    client.meta.events.register("before-send", fail)
    return attempts


def certificate_error() -> SSLError:
    from ssl import SSLCertVerificationError

    from urllib3.exceptions import SSLError as URLLib3SSLError

    return SSLError(endpoint_url="", error=URLLib3SSLError(SSLCertVerificationError(1, "self-signed certificate")))


@MODES_ON_ROADS
@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=""),
        ConnectTimeoutError(endpoint_url=""),
        ProxyConnectionError(proxy_url=""),
        certificate_error(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_never_left_is_sent_again_and_ends_as_it_is(
    fast: bool, server: Server, mode: str, error: Exception
) -> None:
    client = server.client(retries={"mode": mode, "total_max_attempts": 2})
    attempts = raising(client, error, None, error, error)
    server.give(200, {"Attributes": {}})
    assert update(BotoTransport(client, fast=fast), repeatable=False) == {"Attributes": {}}
    with pytest.raises(type(error)) as raised:
        update(BotoTransport(client, fast=fast), repeatable=False)
    assert raised.value is error
    assert attempts == [ADD] * 4


@MODES_ON_ROADS
@pytest.mark.parametrize(
    "error",
    [
        ConnectionClosedError(endpoint_url=""),
        ReadTimeoutError(endpoint_url=""),
        HTTPClientError(error=""),
        SSLError(endpoint_url="", error=OSError("bad record mac")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_may_have_left_is_not_sent_again(fast: bool, server: Server, mode: str, error: Exception) -> None:
    client = server.client(retries={"mode": mode})
    attempts = raising(client, error)
    with pytest.raises(Unanswered) as raised:
        update(BotoTransport(client, fast=fast), repeatable=False)
    assert raised.value.error is error
    assert attempts == [ADD]


@ROADS
@pytest.mark.parametrize("error", [EndpointConnectionError(endpoint_url=""), RuntimeError("of a hook")])
def test_what_never_left_may_still_follow_on_a_lost_answer(fast: bool, server: Server, error: Exception) -> None:
    client = server.client(retries={"mode": "standard", "total_max_attempts": 2})
    raising(client, ReadTimeoutError(endpoint_url=""), error)
    with pytest.raises(Unanswered) as raised:
        update(BotoTransport(client, fast=fast), repeatable=True)
    assert raised.value.error is error


@ROADS
def test_errors_of_hooks_and_of_the_caller_are_theirs(fast: bool, server: Server) -> None:
    client = server.client()
    error = RuntimeError("of a hook")
    raising(client, error)
    with pytest.raises(RuntimeError) as raised:
        update(BotoTransport(client, fast=fast), repeatable=False)
    assert raised.value is error


@ROADS
def test_credentials_that_are_missing_are_told_as_they_are(
    fast: bool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = server.client()
    monkeypatch.setattr(client._request_signer, "_credentials", None)
    with pytest.raises(BotoCoreError, match=r"^Unable to locate credentials$"):
        update(BotoTransport(client, fast=fast), repeatable=False)
    assert server.received == []


def test_calls_of_others_are_sent_again_as_botocore_does(server: Server) -> None:
    client = server.client()
    BotoTransport(client)
    server.answers.append(CUT)
    server.give(200, {})
    client.update_item(TableName="others", Key={"pk": {"S": "a"}})
    assert len(server.received) == 2


# Other users of the client


def test_calls_of_others_on_the_client_are_untouched(server: Server) -> None:
    client = server.client()
    transport = BotoTransport(client)
    for body in ({"Item": {"a": {"S": "ours"}}}, {"Item": {"b": {"B": "AAE="}}}, {"Item": {"a": {"S": "ours again"}}}):
        server.give(200, body)
    get(transport)
    theirs = client.get_item(TableName="others", Key={"pk": {"S": "b"}})
    get(transport)
    assert theirs["Item"] == {"b": {"B": b"\x00\x01"}}
    assert theirs["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [received.body for received in server.received] == [
        GET,
        b'{"TableName": "others", "Key": {"pk": {"S": "b"}}}',
        GET,
    ]


def test_others_see_the_true_bodies(server: Server) -> None:
    client = server.client()
    transport = BotoTransport(client, fast=False)
    seen: list[bytes] = []
    for event in ("before-call.dynamodb.GetItem", "before-call"):
        client.meta.events.register(event, lambda params, **_: seen.append(params["body"]))
    for event in ("before-parse.dynamodb.GetItem", "before-parse"):
        client.meta.events.register(event, lambda response_dict, **_: seen.append(response_dict["body"]))
    client.meta.events.register("response-received", lambda response_dict, **_: seen.append(response_dict["body"]))
    server.give(200, b'{"Item":{}}')
    get(transport)
    assert seen == [GET, GET, b'{"Item":{}}', b'{"Item":{}}', b'{"Item":{}}']


def test_botocore_parses_no_answer_of_ours(server: Server) -> None:
    client = server.client()
    parsed_members: list[str] = []
    client.meta.events.register("after-call", lambda parsed, **_: parsed_members.extend(parsed))
    server.give(200, {"Item": {"b": {"B": "AAE="}}})
    get(BotoTransport(client))
    assert parsed_members == ["ResponseMetadata"]


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("provide-client-params.*.*", {"ReturnConsumedCapacity": "TOTAL"}),
        ("provide-client-params.dynamodb.GetItem", {"TableName": "staging-things"}),
        ("before-parameter-build", {"TableName": "staging-things", "Key": {"pk": {"S": "another"}}}),
    ],
)
def test_parameters_that_a_hook_changes_do_not_stand_in_the_way(
    server: Server, event: str, changes: dict[str, Any]
) -> None:
    client = server.client()
    client.meta.events.register(event, lambda params, **_: params.update(changes))
    server.give(200, {})
    get(BotoTransport(client))
    assert server.received[0].body == GET


@ROADS
@pytest.mark.parametrize(
    "event", ["provide-client-params.*.*", "before-parameter-build", "before-call", "before-sign", "before-send"]
)
@pytest.mark.parametrize("operation", ["get_item", "describe_table"])
def test_a_hook_may_make_calls_on_the_client_meanwhile(fast: bool, server: Server, event: str, operation: str) -> None:
    client = server.client()
    transport = BotoTransport(client, fast=fast)
    theirs: list[Any] = []

    def echo(received: Received) -> Answer:
        asked = json.loads(received.body)
        body = {"Item": {"asked": {"S": asked["TableName"]}}, "Table": {"TableName": asked["TableName"]}}
        return 200, {}, json.dumps(body).encode()

    def hook(**_: Any) -> None:
        if len(theirs) < 1:
            theirs.append(None)
            key = {"Key": {"pk": {"S": "x"}}} if operation == "get_item" else {}
            theirs[0] = getattr(client, operation)(TableName="others", **key)

    server.answer = echo
    client.meta.events.register(event, hook)
    assert json.loads(get(transport))["Item"] == {"asked": {"S": "things"}}
    del theirs[0]["ResponseMetadata"]
    assert theirs == [
        {"Item": {"asked": {"S": "others"}}} if operation == "get_item" else {"Table": {"TableName": "others"}}
    ]
    assert [received.body for received in server.received].count(GET) == 1
    assert len(server.received) == 2


@ROADS
def test_a_call_of_another_operation_is_not_taken_for_ours(fast: bool, server: Server) -> None:
    """Its parameters include those that we call ``DescribeTable`` with."""
    client = server.client()
    transport = BotoTransport(client, fast=fast)
    theirs: list[Any] = []

    def hook(**_: Any) -> None:
        if not theirs:
            theirs.append(None)
            theirs[0] = client.get_item(TableName="things", Key={"pk": {"S": "x"}})

    client.meta.events.register("before-send", hook)
    server.give(200, {"Item": {"b": {"B": "AAE="}}})
    server.give(200, b'{"Table" : {}}')
    # Of another operation: botocore still does not parse ours, and the answer is as it came.
    assert transport.send("DescribeTable", "things", b'{"ours":1}') == b'{"Table" : {}}'
    assert theirs[0]["Item"] == {"b": {"B": b"\x00\x01"}}
    assert [received.body for received in server.received] == [
        b'{"TableName": "things", "Key": {"pk": {"S": "x"}}}',
        b'{"ours":1}',
    ]


@ROADS
def test_a_hook_may_use_the_transport_meanwhile(fast: bool, server: Server) -> None:
    client = server.client()
    transport = BotoTransport(client, fast=fast)
    answers: list[bytes] = []

    def hook(**_: Any) -> None:
        if not answers:
            answers.append(b"")
            answers[0] = get(transport, b'{"inner":1}')

    client.meta.events.register("before-send", hook)
    server.answer = lambda received: (200, {}, b'{"for":' + received.body + b"}")
    assert get(transport, b'{"outer":1}') == b'{"for":{"outer":1}}'
    assert answers == [b'{"for":{"inner":1}}']


@ROADS
def test_an_answer_that_a_hooks_call_loses_is_not_ours(fast: bool, server: Server) -> None:
    """The hook's call is sent again as ever, and of ours no answer was lost."""
    client = server.client(retries={"mode": "standard"})
    transport = BotoTransport(client, fast=fast)
    theirs: list[Any] = []

    def hook(**_: Any) -> None:
        if not theirs:
            theirs.append(None)
            theirs[0] = client.update_item(TableName="others", Key={"pk": {"S": "x"}})

    client.meta.events.register("before-send", hook)
    server.answers.append(CUT)
    server.give(200, {"Attributes": {"n": {"N": "1"}}})
    server.give(400, {"__type": "x#ConditionalCheckFailedException"})
    with pytest.raises(ServiceFailure) as raised:
        update(transport, repeatable=False)
    assert (raised.value.code, raised.value.ambiguous) == ("ConditionalCheckFailedException", False)
    assert theirs[0]["Attributes"] == {"n": {"N": "1"}}
    assert [received.body == ADD for received in server.received] == [False, False, True]


@ROADS
def test_an_earlier_answer_is_not_taken_for_that_of_the_last_attempt(fast: bool, server: Server) -> None:
    """A hook calls the same operation during a retry: what came before it must be forgotten."""
    client = server.client(retries={"mode": "standard"})
    attempts: list[int] = []

    def hook(**_: Any) -> None:
        attempts.append(len(attempts))
        if len(attempts) == 2:
            client.get_item(TableName="others", Key={"pk": {"S": "x"}})

    client.meta.events.register("before-send", hook)
    server.give(200, {"Item": {"n": {"N": "1"}}}, x_amz_crc32="1")
    server.give(200, {"Item": {"n": {"N": "2"}}})
    server.give(200, {"Item": {"n": {"N": "3"}}})
    assert json.loads(get(BotoTransport(client, fast=fast))) == {"Item": {"n": {"N": "3"}}}


def test_many_transports_listen_once_and_are_not_kept(server: Server) -> None:
    client = server.client()
    server.answer = lambda _received: (200, {}, b"{}")
    counted: list[int] = []
    for transports in (1, 20):
        for _ in range(transports):
            get(BotoTransport(client))
        events = client.meta.events
        model = client.meta.service_model.operation_model("GetItem")
        given: dict[str, Any] = {"model": model, "params": {"headers": {}, "body": b""}, "context": {}}
        called = [
            *events.emit("provide-client-params.dynamodb.GetItem", **given),
            *events.emit("before-call.dynamodb.GetItem", request_signer=None, **given),
            *events.emit("before-parse.dynamodb.GetItem", operation_model=model, response_dict={}),
            *events.emit(
                "needs-retry.dynamodb.GetItem",
                response=(SimpleNamespace(status_code=200, headers={}), {}),
                caught_exception=None,
                operation=model,
                attempts=1,
                request_dict=given,
            ),
        ]
        counted.append(sum("logicaldb" in handler.__module__ for handler, _ in called))
    assert counted == [5, 5]
    transport = BotoTransport(client)
    kept = weakref.ref(client)
    client.close()
    del client, events, transport, model, given, called
    gc.collect()
    assert kept() is None


def test_bodies_and_answers_of_threads_are_never_mixed(server: Server) -> None:
    client = server.client(max_pool_connections=16)
    transports = [BotoTransport(client), BotoTransport(client)]
    start = threading.Barrier(16)

    def echo(received: Received) -> Answer:
        asked = json.loads(received.body)
        answer = json.dumps({"Item": asked["Key"]}).encode()
        return 200, {"x-amz-crc32": str(crc32(answer))}, answer

    server.answer = echo

    def work(worker: int) -> list[tuple[str, str]]:
        start.wait(timeout=10)
        seen: list[tuple[str, str]] = []
        for number in range(12):
            name = f"{worker}-{number}"
            body = json.dumps({"TableName": "things", "Key": {"pk": {"S": name}}}).encode()
            if number % 3 == 2:
                seen.append((name, client.get_item(TableName="things", Key={"pk": {"S": name}})["Item"]["pk"]["S"]))
            else:
                answer = get(transports[number % 2], body)
                seen.append((name, json.loads(answer)["Item"]["pk"]["S"]))
        return seen

    with ThreadPoolExecutor(16) as pool:
        for seen in pool.map(work, range(16)):
            assert len(seen) == 12
            assert all(asked == answered for asked, answered in seen)


def test_a_forked_process_may_go_on(server: Server) -> None:
    server.answer = lambda received: (200, {}, b'{"for":' + received.body + b"}")
    script = f"""
import os, boto3
from logicaldb.transport.boto import BotoTransport
client = boto3.client("dynamodb", endpoint_url={server.url!r}, region_name="us-east-1")
transport = BotoTransport(client)
child = os.fork()
name = b"1" if child else b"2"
assert transport.send("GetItem", "things", name) == b'{{"for":' + name + b"}}"
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "NO_PROXY": "127.0.0.1"}
    subprocess.run([sys.executable, "-c", script], check=True, env=environment, timeout=60)
    assert sorted(received.body for received in server.received) == [b"1", b"2"]


# Answers that are not received over HTTP


def in_process_answer(request: Any, status: int, body: bytes) -> Any:
    class Raw(BytesIO):
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield self.read()

    headers = HTTPHeaders()
    headers["x-amz-crc32"] = str(crc32(body))
    return AWSResponse(request.url, status, headers, Raw(body))


def make_offline_client() -> Any:
    return boto3.client("dynamodb", region_name="us-east-1", aws_access_key_id="key", aws_secret_access_key="secret")


@pytest.mark.parametrize("first", ["stubber", "transport"])
def test_answers_of_a_stubber_are_turned_back_into_wire_form(first: str) -> None:
    client = make_offline_client()
    transport = BotoTransport(client) if first == "transport" else None
    item: dict[str, Any] = {
        "pk": {"S": "ü"},
        "n": {"N": "1.10"},
        "b": {"B": b"\x00\x01"},
        "bs": {"BS": [b"", b"\xff"]},
        "l": {"L": [{"M": {"x": {"NULL": True}}}, {"BOOL": False}, {"NS": ["1"]}, {"SS": ["a"]}]},
    }
    answer = {"Item": item, "ConsumedCapacity": {"CapacityUnits": 0.5}}
    with Stubber(client) as stubber:
        transport = transport or BotoTransport(client)
        stubber.add_response("get_item", answer)
        got = json.loads(get(transport))
        stubber.assert_no_pending_responses()
    assert got == {
        "Item": {
            **item,
            "b": {"B": "AAE="},
            "bs": {"BS": ["", "/w=="]},
        },
        "ConsumedCapacity": {"CapacityUnits": 0.5},
    }
    assert answer == {"Item": item, "ConsumedCapacity": {"CapacityUnits": 0.5}}


def test_times_of_a_stubber_are_turned_back_into_wire_form() -> None:
    client = make_offline_client()
    with Stubber(client) as stubber:
        created = datetime(2026, 11, 22, 3, 4, 5, 500000, tzinfo=UTC)
        stubber.add_response("describe_table", {"Table": {"TableName": "things", "CreationDateTime": created}})
        got = json.loads(BotoTransport(client).send("DescribeTable", "things", b"{}"))
    assert got == {"Table": {"TableName": "things", "CreationDateTime": created.timestamp()}}


def test_errors_of_a_stubber_are_turned_back_into_wire_form() -> None:
    client = make_offline_client()
    with Stubber(client) as stubber:
        stubber.add_client_error(
            "put_item",
            "ConditionalCheckFailedException",
            "The conditional request failed",
            modeled_fields={"Item": {"b": {"B": b"\x00\x01"}}},
        )
        with pytest.raises(ServiceFailure) as raised:
            BotoTransport(client).send("PutItem", "things", b"{}")
    assert raised.value.code == "ConditionalCheckFailedException"
    assert raised.value.body == {"Item": {"b": {"B": "AAE="}}}
    assert type(raised.value.error) is client.exceptions.ConditionalCheckFailedException


def test_a_server_error_of_a_stubber_tells_nothing() -> None:
    client = make_offline_client()
    with Stubber(client) as stubber:
        stubber.add_client_error("put_item", "InternalServerError", http_status_code=500)
        with pytest.raises(Unanswered) as raised:
            BotoTransport(client).send("PutItem", "things", b"{}")
    assert type(raised.value.error) is client.exceptions.InternalServerError


def test_what_a_patched_client_returns_is_the_answer() -> None:
    calls: list[tuple[str, Any]] = []

    def answer(self: Any, operation: str, parameters: Any) -> Any:
        calls.append((operation, parameters))
        return {"Item": {"b": {"B": bytearray(b"\x00\x01")}}, "ResponseMetadata": {"RetryAttempts": 0}}

    transport = BotoTransport(make_offline_client())
    with patch.object(botocore.client.BaseClient, "_make_api_call", answer):
        assert json.loads(get(transport)) == {"Item": {"b": {"B": "AAE="}}}
    assert calls == [("GetItem", {"TableName": "things", "Key": {}})]


def test_what_a_patched_client_raises_is_the_failure() -> None:
    error = ClientError({}, "GetItem")

    def fail(self: Any, operation: str, parameters: Any) -> Any:
        raise error

    transport = BotoTransport(make_offline_client())
    with (
        patch.object(botocore.client.BaseClient, "_make_api_call", fail),
        pytest.raises(ServiceFailure) as raised,
    ):
        get(transport)
    assert (raised.value.code, raised.value.body) == ("Unknown", {})
    assert raised.value.error is error


def test_what_botocore_never_makes_of_an_answer_is_refused() -> None:
    transport = BotoTransport(make_offline_client())
    with (
        patch.object(botocore.client.BaseClient, "_make_api_call", lambda *_: {"Item": {"n": Decimal(1)}}),
        pytest.raises(TypeError, match=r"^botocore makes no Decimal of an answer of DynamoDB$"),
    ):
        get(transport)


@ROADS
def test_a_patched_client_may_call_botocore_again_and_again(fast: bool, server: Server) -> None:
    original = vars(botocore.client.BaseClient)["_make_api_call"]

    def twice(self: Any, operation: str, parameters: Any) -> Any:
        with pytest.raises(ClientError):
            original(self, operation, parameters)
        return original(self, operation, parameters)

    server.give(400, {"__type": "x#ValidationException"})
    server.give(200, b'{"Item" : {}}')
    with patch.object(botocore.client.BaseClient, "_make_api_call", twice):
        assert get(BotoTransport(server.client(), fast=fast)) == b'{"Item" : {}}'
    assert [received.body for received in server.received] == [GET] * 2


@ROADS
def test_an_answer_of_an_earlier_call_is_forgotten(fast: bool, server: Server) -> None:
    """A patched client calls botocore twice, and a hook gives the second answer without sending anything."""
    original = vars(botocore.client.BaseClient)["_make_api_call"]
    client = server.client()
    calls: list[Any] = []

    def twice(self: Any, operation: str, parameters: Any) -> Any:
        original(self, operation, parameters)
        return original(self, operation, parameters)

    def hook(**_: Any) -> Any:
        calls.append(None)
        return (SimpleNamespace(status_code=200), {"Item": {"n": {"N": "2"}}}) if len(calls) == 2 else None

    client.meta.events.register("before-call", hook)
    server.give(200, {"Item": {"n": {"N": "1"}}})
    with patch.object(botocore.client.BaseClient, "_make_api_call", twice):
        assert json.loads(get(BotoTransport(client, fast=fast))) == {"Item": {"n": {"N": "2"}}}


def attribute_values() -> st.SearchStrategy[dict[str, Any]]:
    binary = st.binary(max_size=4).map(lambda raw: base64.b64encode(raw).decode())
    number = st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str)
    leaves = st.one_of(
        st.text(max_size=4).map(lambda value: {"S": value}),
        number.map(lambda value: {"N": value}),
        binary.map(lambda value: {"B": value}),
        st.booleans().map(lambda value: {"BOOL": value}),
        st.just({"NULL": True}),
        st.lists(st.text(max_size=4)).map(lambda values: {"SS": values}),
        st.lists(number).map(lambda values: {"NS": values}),
        st.lists(binary).map(lambda values: {"BS": values}),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda values: {"L": values}),
            st.dictionaries(st.text(max_size=3), inner, max_size=3).map(lambda values: {"M": values}),
        ),
        max_leaves=5,
    )


CANNED: list[bytes] = []


@pytest.fixture(scope="module")
def without_before_parse() -> BotoTransport:
    """As with a botocore that does not have this event yet."""
    client = make_offline_client()
    transport = BotoTransport(client, fast=False)
    client.meta.events.unregister("before-parse", unique_id="logicaldb-take-answer")
    client.meta.events.register(
        "before-send", lambda request, **_: in_process_answer(request, 200 if len(CANNED) == 1 else 400, CANNED[0])
    )
    return transport


@given(item=st.dictionaries(st.text(max_size=3), attribute_values(), max_size=4))
def test_what_botocore_parses_is_turned_back_into_what_it_was(
    without_before_parse: BotoTransport, item: dict[str, Any]
) -> None:
    answer = {"Items": [item], "Count": 1, "LastEvaluatedKey": item}
    CANNED[:] = [json.dumps(answer).encode()]
    assert json.loads(without_before_parse.send("Query", "things", b"{}")) == answer


def test_an_error_that_botocore_parses_is_turned_back(without_before_parse: BotoTransport) -> None:
    reasons = [{"Code": "ConditionalCheckFailed", "Item": {"b": {"B": "/w=="}}, "Message": "no"}, {"Code": "None"}]
    body = {"__type": "x#TransactionCanceledException", "Message": "no", "CancellationReasons": reasons}
    CANNED[:] = [json.dumps(body).encode(), b"an error"]
    with pytest.raises(ServiceFailure) as raised:
        without_before_parse.send("TransactWriteItems", "things", b"{}")
    assert raised.value.body == {"Message": "no", "CancellationReasons": reasons}


@ROADS
def test_works_with_moto(fast: bool) -> None:
    with mock_aws():
        transport = BotoTransport(make_offline_client(), fast=fast)

        def send(operation: str, **body: Any) -> Any:
            return json.loads(transport.send(operation, "things", json.dumps({"TableName": "things", **body}).encode()))

        send(
            "CreateTable",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        item = {"pk": {"S": "a"}, "b": {"B": "AAE="}}
        assert send("PutItem", Item=item) == {}
        assert send("GetItem", Key={"pk": {"S": "a"}}) == {"Item": item}
        with pytest.raises(ServiceFailure) as raised:
            send(
                "PutItem",
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        assert raised.value.code == "ConditionalCheckFailedException"
        assert raised.value.body["Item"] == item


# Clients


def test_a_client_that_we_make_is_lean(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = make_client()
    server.give(200, {"Item": {}})
    assert json.loads(get(BotoTransport(client))) == {"Item": {}}
    server.give(200, {})
    client.get_item()  # without the parameters that validation would ask for
    received = server.received[0]
    agent = received.headers["User-Agent"]
    assert agent.startswith(f"Boto3/{boto3.__version__} ua/2.1 os/")
    assert "lib/logicaldb" in agent
    assert agent == client.meta.config.user_agent


@pytest.mark.parametrize(("config", "expected"), [({}, 10), ({"max_pool_connections": 3}, 3)])
def test_max_connections_is_the_size_of_the_clients_pool(server: Server, config: dict[str, Any], expected: int) -> None:
    assert max_connections(server.client(**config)) == expected


def a_resource() -> Any:
    return boto3.resource("dynamodb", region_name="us-east-1")


def an_aiobotocore_client() -> Any:
    client = make_offline_client()
    base = type("AioBaseClient", (type(client),), {"__module__": "aiobotocore.client"})
    client.__class__ = base
    return client


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (a_resource, "a boto3 resource of type dynamodb.ServiceResource"),
        (lambda: a_resource().Table("things"), "a boto3 resource of type dynamodb.Table"),
        (lambda: boto3.client("s3", region_name="us-east-1"), "a client of s3"),
        (lambda: boto3.client("dynamodbstreams", region_name="us-east-1"), "a client of dynamodbstreams"),
        (an_aiobotocore_client, "an aiobotocore client"),
        (lambda: "us-east-1", "an object of type str"),
        (lambda: None, "an object of type NoneType"),
    ],
)
def test_what_is_not_a_dynamodb_client_is_refused(make: Callable[[], Any], found: str) -> None:
    with pytest.raises(TypeError) as raised:
        BotoTransport(make())
    assert str(raised.value) == f'a boto3 DynamoDB client is needed, boto3.client("dynamodb"), not {found}'


def test_the_client_of_a_resource_will_do(server: Server) -> None:
    resource: Any = boto3.resource(
        "dynamodb",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    server.give(200, {"Item": {"n": {"N": "1.10"}}})
    assert json.loads(get(BotoTransport(resource.meta.client))) == {"Item": {"n": {"N": "1.10"}}}
    assert server.received[0].body == GET
