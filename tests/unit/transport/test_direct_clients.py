"""What direct transports take from a client, what they show to its handlers, and what they refuse."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Generator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import boto3
import botocore.client
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials, RefreshableCredentials
from botocore.exceptions import ConnectionClosedError, CredentialRetrievalError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws

from logicaldb import AsyncDirectTransport, DirectTransport
from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.transport import direct_aio, obstacles, retries
from tests.unit.transport.scripted import Act, Sender, Server, answer, refusal, scripted, sender

KINDS = ["blocking", "awaited"]
CLASSES: dict[str, Any] = {"blocking": DirectTransport, "awaited": AsyncDirectTransport}
INSTEAD = "give the client itself to the db"


@pytest.fixture
def server() -> Generator[Server]:
    with scripted() as server:
        yield server


@pytest.fixture(params=KINDS)
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


@pytest.fixture
def sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leaves the process; a connection of the loop to itself is none."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection is made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", refuse)


def events_of(sending: Sender) -> Any:
    return sending.transport._client.meta.events


def regional(**options: Any) -> Any:
    """A client of an endpoint of AWS."""
    options = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", **options}
    config = Config(proxies={}).merge(options.pop("config", Config()))
    return boto3.client("dynamodb", region_name="us-east-1", config=config, **options)


def answering(client: Any, content: bytes = b"{}") -> list[Any]:
    """Answer what a client would send, in its place; gives the requests."""
    requests: list[Any] = []

    def answer_it(request: Any, **_: Any) -> AWSResponse:
        requests.append(request)
        raw = SimpleNamespace(stream=lambda: [content])
        headers: Any = {"X-Amz-Crc32": b"1"} if content == b"damaged" else {}
        return AWSResponse(request.url, 200, headers, raw)

    client.meta.events.register("before-send.dynamodb", answer_it)
    return requests


# What listens to before-send


def test_a_hook_sees_the_request_as_it_is_sent(server: Server, sending: Sender) -> None:
    seen: list[Any] = []
    events_of(sending).register("before-send.dynamodb.PutItem", lambda request, **_: seen.append(request))
    sending.send("PutItem", b'{"TableName":"music"}')
    sending.send("GetItem")
    [request] = seen
    received = server.received[0]
    assert (request.method, request.url, request.body) == ("POST", server.url + "/", b'{"TableName":"music"}')
    assert request.stream_output is False
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    assert headers == {name: value for name, value in received.headers.items() if name != "host"}
    assert request.headers["X-Amz-Target"] == b"DynamoDB_20120810.PutItem"


def test_a_hook_that_only_looks_changes_nothing(server: Server, sending: Sender) -> None:
    seen: list[Any] = []
    events = events_of(sending)
    events.register("before-call.dynamodb", lambda params, **_: params["headers"].update({"X-U": "ü"}))
    events.register("before-send.dynamodb", lambda request, **_: seen.extend(request.headers.items()))
    sending.send()
    assert ("X-U", "ü".encode()) in seen
    [received] = server.received
    assert received.headers["x-u"] == "ü"
    assert len(seen) == len(received.headers) - 1


def test_a_hook_sees_each_attempt(server: Server, sending: Sender) -> None:
    seen: list[Any] = []
    events_of(sending).register("before-send.dynamodb", lambda request, **_: seen.append(request))
    server.plan = [Act.CUT, refusal("ThrottlingException")]
    sending.send()
    assert len(seen) == 3


@pytest.mark.usefixtures("sealed")
def test_a_hook_may_answer(open_sender: Any) -> None:
    client = regional()
    requests = answering(client, b'{"Item":{}}')
    assert open_sender(client).send() == b'{"Item":{}}'
    assert [request.url for request in requests] == ["https://dynamodb.us-east-1.amazonaws.com/"]


@pytest.mark.usefixtures("sealed")
def test_the_answer_of_a_hook_is_examined(open_sender: Any) -> None:
    client = regional()
    requests = answering(client, b"damaged")
    with pytest.raises(Unanswered):
        open_sender(client).send("UpdateItem", repeatable=False)
    assert len(requests) == 1


def test_a_hook_may_change_the_request(server: Server, sending: Sender) -> None:
    def change(request: Any, **_: Any) -> None:
        request.headers["X-Trace"] = "1"
        request.headers["X-Bytes"] = "ü".encode()
        request.body = '{"Ä":1}'
        request.url += "path?query=1"

    events_of(sending).register("before-send.dynamodb", change)
    sending.send(body=b"{}")
    [received] = server.received
    assert received.line == "POST /path?query=1 HTTP/1.1"
    assert (received.headers["x-trace"], received.headers["x-bytes"]) == ("1", "ü")
    assert received.body == '{"Ä":1}'.encode()


def test_a_hook_may_not_send_it_elsewhere(server: Server, sending: Sender) -> None:
    def change(request: Any, **_: Any) -> None:
        request.url = "http://elsewhere.example/"

    events_of(sending).register("before-send.dynamodb", change)
    with pytest.raises(
        ValueError, match=r"^a handler of before-send sends the request to elsewhere\.example, not local"
    ):
        sending.send()
    assert server.received == []


def test_a_hook_may_not_split_the_head(server: Server, sending: Sender) -> None:
    def change(request: Any, **_: Any) -> None:
        request.headers["X-Evil"] = "1\r\nX-Other: 2"

    events_of(sending).register("before-send.dynamodb", change)
    with pytest.raises(ValueError, match="the header 'X-Evil' cannot be sent"):
        sending.send()
    assert server.received == []


def test_a_hook_that_plays_a_lost_connection_is_believed(server: Server, sending: Sender) -> None:
    def cut(**_: Any) -> None:
        raise ConnectionClosedError(endpoint_url="url", error="cut", request=None)

    events_of(sending).register("before-send.dynamodb", cut)
    with pytest.raises(Unanswered):
        sending.send("UpdateItem", repeatable=False)
    assert server.received == []


def test_the_error_of_a_hook_is_raised_as_it_is(server: Server, sending: Sender) -> None:
    error = LookupError("of a hook")

    def fail(**_: Any) -> None:
        raise error

    events_of(sending).register("before-send.dynamodb", fail)
    with pytest.raises(LookupError) as raised:
        sending.send()
    assert raised.value is error
    assert raised.value.__context__ is None


def test_the_error_of_a_hook_after_a_lost_attempt_leaves_it_unanswered(server: Server, sending: Sender) -> None:
    attempts: list[int] = []

    def fail(**_: Any) -> None:
        attempts.append(1)
        if len(attempts) == 2:
            raise LookupError

    events_of(sending).register("before-send.dynamodb", fail)
    server.plan = [Act.CUT]
    with pytest.raises(Unanswered) as raised:
        sending.send()
    assert isinstance(raised.value.error, LookupError)


# What listens to before-call


def test_what_a_handler_of_before_call_adds_is_sent_and_signed(server: Server, sending: Sender) -> None:
    numbers = iter(range(5))

    def add(params: Any, model: Any, **_: Any) -> None:
        params["headers"]["X-Number"] = f"{model.name} {next(numbers)}"

    events_of(sending).register("before-call.dynamodb", add)
    server.plan = [Act.CUT]
    sending.send("GetItem")
    sending.send("Query")
    assert [one.headers["x-number"] for one in server.received] == ["GetItem 0", "GetItem 0", "Query 1"]
    assert all(";x-number," in one.headers["authorization"] for one in server.received)


def test_the_trace_of_lambda_is_passed_on(server: Server, sending: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a handler of botocore's own, which reads the environment at each call."""
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "function")
    for number in (1, 2):
        monkeypatch.setenv("_X_AMZN_TRACE_ID", f"Root={number}")
        sending.send()
    assert [one.headers["x-amzn-trace-id"] for one in server.received] == ["Root=1", "Root=2"]


def test_the_body_may_be_changed_before_the_call(server: Server, sending: Sender) -> None:
    events_of(sending).register("before-call.dynamodb", lambda params, **_: params.update(body=b'{"changed":1}'))
    sending.send()
    assert server.received[0].body == b'{"changed":1}'


@pytest.mark.usefixtures("sealed")
def test_a_stubber_is_refused(open_sender: Any) -> None:
    client = regional()
    with Stubber(client) as stubber:
        stubber.add_response("get_item", {})
        with pytest.raises(RuntimeError) as raised:
            open_sender(client).send()
    assert str(raised.value) == (
        "the client answers GetItem without sending anything, as a botocore Stubber does and a patched client, "
        f"and a direct transport would send it; {INSTEAD}"
    )


def test_a_stubber_is_refused_later_too(server: Server, sending: Sender) -> None:
    sending.send()
    with Stubber(sending.transport._client) as stubber:
        stubber.add_response("get_item", {})
        with pytest.raises(RuntimeError) as raised:
            sending.send()
    assert str(raised.value) == (
        "the client answers GetItem without sending anything, as a botocore Stubber does, "
        f"and a direct transport would send it; {INSTEAD}"
    )
    assert len(server.received) == 1


@pytest.mark.usefixtures("sealed")
def test_a_patched_client_is_refused(open_sender: Any) -> None:
    with (
        patch.object(botocore.client.BaseClient, "_make_api_call", lambda *_: {}),
        pytest.raises(RuntimeError, match=r"^the client answers GetItem without sending anything"),
    ):
        open_sender(regional()).send()


def test_calls_of_the_client_itself_are_not_ours(server: Server, sending: Sender) -> None:
    client = sending.transport._client
    server.otherwise = lambda _: answer(200, {"Item": {"pk": {"S": "a"}}})
    sending.send()
    assert client.get_item(TableName="music", Key={})["Item"] == {"pk": {"S": "a"}}
    seen: list[Any] = []
    events = events_of(sending)

    def call(**_: Any) -> None:
        if not seen:
            seen.append(None)
            seen.append(client.query(TableName="other")["ResponseMetadata"]["HTTPStatusCode"])

    events.register("before-parameter-build.dynamodb.Query", call)
    sending.send("Query")
    assert seen == [None, 200]
    assert [one.headers["x-amz-target"].rpartition(".")[2] for one in server.received[2:]] == ["Query", "Query"]


def test_a_read_timeout_for_one_call_is_refused(server: Server, sending: Sender) -> None:
    def limit(context: Any, **_: Any) -> None:
        context["read_timeout"] = 1

    events_of(sending).register("before-call.dynamodb", limit)
    with pytest.raises(RuntimeError) as raised:
        sending.send()
    assert str(raised.value) == "GetItem has a read_timeout of its own, which a direct transport cannot give it"
    assert server.received == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"url": "http://localhost/a b"}, "a direct transport cannot send anything to http://localhost/a b"),
        ({"url": "ftp://localhost/"}, "a direct transport cannot send anything to ftp://localhost/"),
        ({"headers": {"X-A": "1\n"}}, "a direct transport cannot send these headers: the header 'X-A' cannot be sent"),
    ],
)
def test_what_cannot_be_sent_is_refused(server: Server, sending: Sender, change: Any, message: str) -> None:
    events_of(sending).register("before-call.dynamodb", lambda params, **_: params.update(change))
    with pytest.raises(RuntimeError) as raised:
        sending.send()
    assert str(raised.value) == message
    assert server.received == []


def test_another_protocol_is_refused(server: Server, open_sender: Any) -> None:
    client = server.client()
    serialize = client._serializer.serialize_to_request

    def speak(*arguments: Any) -> Any:
        request = serialize(*arguments)
        request["headers"]["Content-Type"] = "application/cbor"
        return request

    client._serializer = SimpleNamespace(serialize_to_request=speak)
    with pytest.raises(RuntimeError) as raised:
        open_sender(client).send()
    assert str(raised.value) == f"the client does not send GetItem as application/x-amz-json-1.0; {INSTEAD}"
    assert server.received == []


def test_another_signature_is_refused(server: Server, sending: Sender) -> None:
    events_of(sending).register("choose-signer.dynamodb.GetItem", lambda **_: UNSIGNED)
    with pytest.raises(RuntimeError) as raised:
        sending.send()
    assert str(raised.value) == f"GetItem is not signed by the signature version 'v4'; {INSTEAD}"
    sending.send("Query")
    assert len(server.received) == 1


@pytest.mark.usefixtures("sealed")
def test_endpoint_discovery_is_refused(open_sender: Any) -> None:
    client = regional(config=Config(endpoint_discovery_enabled=True))
    with pytest.raises(RuntimeError) as raised:
        open_sender(client).send()
    assert str(raised.value) == f"the client discovers endpoints, which a direct transport cannot; {INSTEAD}"


# Credentials and endpoints


def test_credentials_are_refreshed_by_botocore(
    server: Server, open_sender: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_aio, "_FRESH", 0.0)
    made: list[int] = []

    def refresh() -> dict[str, str]:
        made.append(1)
        expiry = datetime.now(UTC) + timedelta(minutes=5 if len(made) < 3 else 60)
        number = str(len(made))
        return {
            "access_key": f"key{number}",
            "secret_key": "secret",
            "token": f"token{number}",
            "expiry_time": expiry.isoformat(),
        }

    client = server.client()
    client._request_signer._credentials = RefreshableCredentials.create_from_metadata(refresh(), refresh, "test")
    sending = open_sender(client)
    for _ in range(4):
        sending.send()
    tokens = [one.headers["x-amz-security-token"] for one in server.received]
    assert tokens[-1] == "token3"
    assert tokens == sorted(tokens)
    assert len(made) == 3


def test_awaited_requests_ask_for_credentials_now_and_then(server: Server) -> None:
    with sender("awaited", server.client()) as sending:
        signer = sending.transport._client._request_signer
        sending.send()
        signer._credentials = Credentials("other", "secret")
        sending.send()
        server.plan = [refusal("ExpiredTokenException")]
        with pytest.raises(ServiceFailure):
            sending.send()
        sending.send()
    keys = [one.headers["authorization"].partition("Credential=")[2].partition("/")[0] for one in server.received]
    assert keys == ["key", "key", "key", "other"]


@pytest.mark.usefixtures("sealed")
def test_without_credentials_nothing_is_sent(open_sender: Any) -> None:
    client = regional()
    client._request_signer._credentials = None
    with pytest.raises(NoCredentialsError):
        open_sender(client).send()


def test_credentials_that_cannot_be_refreshed_leave_a_lost_attempt_unanswered(
    server: Server, open_sender: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_aio, "_FRESH", 0.0)
    client = server.client()
    sending = open_sender(client)
    sending.send()
    server.plan = [Act.CUT]

    class Gone(Credentials):
        asked = 0

        def get_frozen_credentials(self) -> Any:
            self.asked += 1
            if self.asked > 1:
                raise CredentialRetrievalError(provider="test", error_msg="gone")
            return super().get_frozen_credentials()

    client._request_signer._credentials = Gone("key", "secret")
    with pytest.raises(Unanswered) as raised:
        sending.send()
    assert isinstance(raised.value.error, CredentialRetrievalError)


@pytest.mark.usefixtures("sealed")
def test_the_endpoint_is_that_of_the_account(open_sender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the client itself resolves it at each call, of the credentials or an ARN, if it is new enough for accounts."""
    monkeypatch.setattr(direct_aio, "_FRESH", 0.0)
    client = regional()
    requests = answering(client)
    sending = open_sender(client)
    credentials = client._request_signer._credentials
    arn = "arn:aws:dynamodb:us-east-1:333333333333:table/music"
    for account, table in [("1" * 12, "music"), ("1" * 12, "music"), ("2" * 12, "music"), ("2" * 12, arn)]:
        credentials.account_id = account
        sending.send(table=table)
        client.get_item(TableName=table, Key={})
    urls = [request.url for request in requests]
    assert urls[::2] == urls[1::2]
    assert len(urls) == 8


@pytest.mark.usefixtures("sealed")
def test_awaited_requests_of_other_operations_follow_to_another_account() -> None:
    client = regional()
    requests = answering(client)
    credentials = client._request_signer._credentials
    with sender("awaited", client) as sending:
        for account in ("1" * 12, "2" * 12):
            credentials.account_id = account
            sending.transport._fresh_until = 0.0
            sending.send("GetItem")
            sending.send("Query")
    client.query(TableName="music")
    urls = [request.url for request in requests]
    assert urls == [urls[0]] * 2 + [urls[-1]] * 3


@pytest.mark.usefixtures("sealed")
def test_the_client_is_asked_once_for_an_operation_and_a_table(open_sender: Any) -> None:
    client = regional()
    answering(client)
    asked: list[str] = []
    client.meta.events.register(
        "before-parameter-build.dynamodb",
        lambda params, model, **_: asked.append(f"{model.name} {params['TableName']}"),
    )
    sending = open_sender(client)
    for table in ("a", "b", "a"):
        for operation in ("GetItem", "Query"):
            sending.send(operation, table=table)
    assert asked == ["GetItem a", "Query a", "GetItem b", "Query b"]


@pytest.mark.usefixtures("sealed")
def test_a_route_that_another_thread_has_asked_for_meanwhile(open_sender: Any) -> None:
    client = regional()
    answering(client)
    asked: list[str] = []
    client.meta.events.register("before-parameter-build.dynamodb", lambda **_: asked.append(""))
    sending = open_sender(client)
    sending.send()
    routes = sending.transport._routes

    class Late(dict[Any, Any]):
        looks = 0

        def get(self, key: Any, default: Any = None) -> Any:
            self.looks += 1
            return None if self.looks == 1 else super().get(key, default)

    routes._known = Late(routes._known)
    sending.transport._routes.find("GetItem", "music")
    assert (routes._known.looks, len(asked)) == (2, 1)


@pytest.mark.usefixtures("sealed")
def test_requests_at_once_ask_once(open_sender: Any) -> None:
    client = regional()
    answering(client)
    asked: list[str] = []
    client.meta.events.register("before-parameter-build.dynamodb", lambda **_: asked.append(""))
    open_sender(client).send_at_once(*[b"{}"] * 20)
    assert len(asked) == 1


# Moto


def test_nothing_sent_under_moto_leaves_the_process(kind: str, sealed: None) -> None:
    with mock_aws(), ExitStack() as stack:
        client: Any = boto3.client("dynamodb", region_name="eu-central-1")
        sending = stack.enter_context(sender(kind, client))
        key: Any = {"AttributeName": "pk", "KeyType": "HASH"}
        table = {
            "TableName": "music",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [key],
            "BillingMode": "PAY_PER_REQUEST",
        }
        sending.send("CreateTable", json.dumps(table).encode())
        put = {"TableName": "music", "Item": {"pk": {"S": "a"}}, "ConditionExpression": "attribute_not_exists(pk)"}
        sending.send("PutItem", json.dumps(put).encode())
        with pytest.raises(ServiceFailure) as raised:
            sending.send("PutItem", json.dumps(put).encode())
        get = json.dumps({"TableName": "music", "Key": {"pk": {"S": "a"}}}).encode()
        assert json.loads(sending.send("GetItem", get)) == {"Item": {"pk": {"S": "a"}}}
        assert client.get_item(TableName="music", Key={"pk": {"S": "a"}})["Item"] == {"pk": {"S": "a"}}
    assert isinstance(raised.value.error, client.exceptions.ConditionalCheckFailedException)


def test_after_moto_it_would(kind: str, sealed: None) -> None:
    """The seal of the test above holds."""
    with mock_aws():
        client: Any = boto3.client("dynamodb", region_name="eu-central-1")
    client._request_signer._credentials = Credentials("key", "secret")
    with ExitStack() as stack, pytest.raises(AssertionError, match=r"^a connection is made$"):
        stack.enter_context(sender(kind, client)).send()


# Refusals


def of(**config: Any) -> Any:
    return regional(config=Config(**config))


@pytest.mark.parametrize(
    ("client", "obstacle"),
    [
        (of(retries={"mode": "adaptive"}), "the retry mode 'adaptive'"),
        (of(signature_version=UNSIGNED), "requests that are not signed"),
        (of(signature_version="v4a"), "the signature version 'v4a'"),
        (of(client_cert="/certificate.pem"), "a client certificate"),
        (of(proxies={"https": "http://proxy.example:3128"}), "a proxy"),
        (
            of(proxies={"https": "proxy.example"}, retries={"mode": "adaptive"}),
            "the retry mode 'adaptive', a proxy",
        ),
    ],
    ids=["adaptive", "unsigned", "v4a", "certificate", "proxy", "two"],
)
def test_refuses_what_it_cannot_do(kind: str, client: Any, obstacle: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message follows
        CLASSES[kind].from_client(client)
    assert str(raised.value) == f"a direct transport cannot do what this client is set to: {obstacle}; {INSTEAD}"


def test_refuses_a_proxy_of_the_environment(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    options: Any = {"region_name": "us-east-1", "aws_access_key_id": "key", "aws_secret_access_key": "secret"}
    with pytest.raises(ValueError, match="a proxy"):
        CLASSES[kind].from_client(boto3.client("dynamodb", **options))
    CLASSES[kind].from_client(boto3.client("dynamodb", endpoint_url="http://localhost:1", **options))
    monkeypatch.setenv("NO_PROXY", "amazonaws.com")
    CLASSES[kind].from_client(boto3.client("dynamodb", **options))


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (boto3.client("s3", region_name="us-east-1"), "a client of s3"),
        (SimpleNamespace(), "an object of type SimpleNamespace"),
        (None, "an object of type NoneType"),
    ],
    ids=["s3", "object", "none"],
)
def test_refuses_what_is_no_client(kind: str, given: Any, found: str) -> None:
    with pytest.raises(TypeError) as raised:
        CLASSES[kind].from_client(given)
    assert str(raised.value) == (
        f'a direct transport needs a boto3 DynamoDB client, boto3.client("dynamodb"), not {found}'
    )


def test_refuses_a_resource(kind: str) -> None:
    resource: Any = boto3.resource("dynamodb", region_name="us-east-1")
    with pytest.raises(TypeError, match="not a boto3 resource of type"):
        CLASSES[kind].from_client(resource)


def test_refuses_to_guess_whom_to_trust(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obstacles, "verification_of", lambda _: None)
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the whole message follows
        CLASSES[kind].from_client(regional())
    assert str(raised.value) == (
        "it cannot be told how this client verifies certificates; say it: from_client(client, verify=True), "
        "or the path of a file of certificates"
    )
    CLASSES[kind].from_client(regional(), verify=True)
