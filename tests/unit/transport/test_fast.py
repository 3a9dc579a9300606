"""What is the fast road's own; what is the same on both roads is in ``test_boto.py``."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch
from zlib import crc32

import boto3
import botocore.client
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from botocore.stub import Stubber
from moto import mock_aws

from examples.music.models import AlbumTrack, AsyncMusicDb, MusicDb
from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.transport import fast
from logicaldb.transport.boto import BotoTransport
from logicaldb.transport.connections import Connections
from logicaldb.transport.hooks import offer
from logicaldb.transport.http1 import Answer
from tests.unit.transport.certificates import Certificates

GET = b'{"TableName":"things","Key":{"pk":{"S":"a"}}}'
ADD = b'{"UpdateExpression":"ADD n :n"}'
KNOWS_ACCOUNTS = tuple(int(part) for part in botocore.__version__.split(".")[:2]) >= (1, 38)
"""The oldest botocore has no rule for endpoints by the account in an ARN."""


CUT = b"(the connection is cut)"


class Server:
    """A server on loopback, over TLS if it is to: it answers by what it is given, else with the body of the request."""

    def __init__(self, certificates: Certificates | None = None) -> None:
        self._certificates = certificates
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.connections = 0
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.scripted: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://localhost:{self.port}" if self._certificates else f"http://127.0.0.1:{self.port}"

    def give(self, status: int, body: Any, crc: int | None = None) -> None:
        """The next answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.scripted.append(
            b"HTTP/1.1 %d X\r\nContent-Type: application/x-amz-json-1.0\r\nx-amzn-RequestId: ID\r\n"
            b"x-amz-crc32: %d\r\nContent-Length: %d\r\n\r\n%b"
            % (status, crc32(raw) if crc is None else crc, len(raw), raw)
        )

    def client(self, **options: Any) -> Any:
        """A client of it."""
        config = Config(proxies={}).merge(options.pop("config", Config()))
        return make_client(endpoint_url=self.url, config=config, **options)

    def operations(self) -> list[str]:
        """What was received, and who sent it: botocore alone names the attempt."""
        return [
            headers["x-amz-target"].partition(".")[2] + (" by botocore" if "amz-sdk-request" in headers else "")
            for headers, _ in self.received
        ]

    def close(self) -> None:
        """Accept no more."""
        with suppress(OSError):  # it is closed already
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                made, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(made,), daemon=True).start()

    def _serve(self, made: socket.socket) -> None:
        with ExitStack() as stack:
            stack.enter_context(made)
            try:
                if self._certificates:
                    made = stack.enter_context(self._certificates.server.wrap_socket(made, server_side=True))
                while self._answer(made):
                    pass
            except OSError:
                return

    def _answer(self, made: socket.socket) -> bool:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = made.recv(65_536)
            if not piece:
                return False
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:]]
        headers = {name.lower(): value for name, _, value in lines}
        while len(body) < int(headers["content-length"]):
            body += made.recv(65_536)
        self.received.append((headers, body))
        echo = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
        answer = self.scripted.pop(0) if self.scripted else echo
        made.sendall(answer.removesuffix(CUT))
        return not answer.endswith(CUT)


def make_client(**options: Any) -> Any:
    keys: dict[str, Any] = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    return boto3.client("dynamodb", **{**keys, **options})


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    yield found
    found.close()


@pytest.fixture
def tls_server(certificates: Certificates) -> Iterator[Server]:
    found = Server(certificates)
    yield found
    found.close()


@pytest.fixture(autouse=True)
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    still = SimpleNamespace(sleep=lambda _seconds: None)
    monkeypatch.setattr("botocore.endpoint.time", still)
    monkeypatch.setattr("logicaldb.transport.fast.time", still)


def get(transport: BotoTransport, body: bytes = GET) -> bytes:
    return transport.send("GetItem", "things", body)


def add(transport: BotoTransport) -> bytes:
    return transport.send("UpdateItem", "things", ADD, repeatable=False)


# What is sent


def test_botocore_sends_nothing_that_is_answered(server: Server) -> None:
    transport = BotoTransport(server.client())
    for _ in range(3):
        server.give(200, b'{"Item":{}}')
        assert get(transport) == b'{"Item":{}}'
    server.give(400, {"__type": "x#ConditionalCheckFailedException"})
    with pytest.raises(ServiceFailure):
        transport.send("PutItem", "things", b"{}")
    assert server.operations() == ["GetItem"] * 3 + ["PutItem"]
    assert server.connections == 1
    headers, body = server.received[0]
    assert body == GET
    assert sorted(headers) == [
        "accept-encoding",
        "authorization",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "x-amz-date",
        "x-amz-target",
    ]
    assert headers["accept-encoding"] == "identity"
    assert headers["user-agent"].startswith(f"Boto3/{boto3.__version__} ")


def test_the_switch_leaves_everything_to_botocore(server: Server) -> None:
    transport = BotoTransport(server.client(), fast=False)
    server.give(200, b'{"Item":{}}')
    assert get(transport) == b'{"Item":{}}'
    assert server.operations() == ["GetItem by botocore"]


def test_each_transport_of_a_client_has_its_own_switch(server: Server) -> None:
    client = server.client()
    for is_fast in (True, False, True):
        server.give(200, b"{}")
        get(BotoTransport(client, fast=is_fast))
    assert server.operations() == ["GetItem", "GetItem by botocore", "GetItem"]


def test_calls_of_others_are_botocores(server: Server) -> None:
    client = server.client()
    BotoTransport(client)
    server.give(200, {"Item": {"b": {"B": "AAE="}}})
    assert client.get_item(TableName="others", Key={"pk": {"S": "a"}})["Item"] == {"b": {"B": b"\x00\x01"}}
    assert server.operations() == ["GetItem by botocore"]


def test_two_clients_do_not_meet(server: Server) -> None:
    other = Server()
    transports = [BotoTransport(each.client()) for each in (server, other)]
    for each, transport, body in zip((server, other), transports, (b'{"a":1}', b'{"b":2}'), strict=True):
        each.give(200, body)
        assert get(transport) == body
    other.close()
    assert (server.operations(), other.operations()) == (["GetItem"], ["GetItem"])


@pytest.mark.parametrize(
    "event",
    ["provide-client-params", "before-parameter-build", "before-call", "choose-signer", "before-sign", "before-send"],
)
def test_who_listens_is_called_once(server: Server, event: str) -> None:
    client = server.client()
    heard: list[str] = []
    client.meta.events.register(f"{event}.dynamodb", lambda event_name, **_: heard.append(event_name))
    server.give(200, b"{}")
    get(BotoTransport(client))
    assert heard == [f"{event}.dynamodb.GetItem"]
    assert server.operations() == ["GetItem"]


@pytest.mark.parametrize("status", [200, 400])
def test_who_listens_to_the_end_sees_the_answer(server: Server, status: int) -> None:
    client = server.client()
    heard: list[Any] = []

    def listen(http_response: Any, parsed: Any, model: Any, **_: Any) -> None:
        heard.append((http_response, parsed, model.name))

    client.meta.events.register("after-call", listen)
    body = {"__type": "x#ValidationException"}
    server.give(status, body)
    try:
        get(BotoTransport(client))
    except ServiceFailure as failure:
        assert status == 400
        error: Any = failure.error
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    [(http, parsed, name)] = heard
    assert isinstance(http, AWSResponse)
    assert (http.status_code, http.url, http.text) == (status, f"{server.url}/", json.dumps(body))
    assert http.headers["X-Amzn-RequestId"] == "ID"
    metadata = parsed["ResponseMetadata"]
    assert (metadata["RequestId"], metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == ("ID", status, 0)
    assert metadata["HTTPHeaders"]["x-amzn-requestid"] == "ID"
    assert name == "GetItem"


@pytest.mark.parametrize("event", ["before-call", "before-sign"])
def test_headers_that_a_hook_adds_are_sent_and_signed(server: Server, event: str) -> None:
    client = server.client()

    def hook(**arguments: Any) -> None:
        headers = arguments["params"]["headers"] if event == "before-call" else arguments["request"].headers
        headers["x-ours"] = "1"

    client.meta.events.register(event, hook)
    server.give(200, b"{}")
    get(BotoTransport(client))
    headers, _ = server.received[0]
    assert headers["x-ours"] == "1"
    assert ";x-ours, " in headers["authorization"]
    assert server.operations() == ["GetItem"]


def test_what_a_hook_only_looks_at_is_sent_all_the_same(server: Server) -> None:
    client = server.client()
    seen: list[Any] = []
    bodies: list[bytes] = []
    for event in ("before-sign", "before-send"):
        client.meta.events.register(event, lambda request, **_: seen.append(dict(request.headers.items())))
        client.meta.events.register(event, lambda request, **_: bodies.append(request.body))
    server.give(200, b"{}")
    get(BotoTransport(client))
    assert server.operations() == ["GetItem"]
    assert seen[0]["X-Amz-Target"] == "DynamoDB_20120810.GetItem"
    assert "Authorization" in seen[1]
    assert bodies == [GET] * 2


@pytest.mark.parametrize("what", ["url", "data", "params", "Authorization"])
def test_what_a_hook_changes_beyond_headers_is_left_to_botocore(server: Server, what: str) -> None:
    client = server.client()

    def hook(request: Any, **_: Any) -> None:
        if what == "url":
            request.url = f"{server.url}/elsewhere"
        elif what == "data":
            request.data = b'{"changed":1}'
        elif what == "params":
            request.params["a"] = "b"
        else:
            request.headers["Authorization"] = "Basic"

    client.meta.events.register("before-sign", hook)
    server.give(200, b"{}")
    get(BotoTransport(client))
    assert server.operations() == ["GetItem by botocore"]
    assert server.received[0][1] == (b'{"changed":1}' if what == "data" else GET)


def test_many_urls_and_headers_are_not_kept_for_ever(server: Server) -> None:
    client = server.client()
    numbers = iter(range(600))
    client.meta.events.register(
        "before-call", lambda params, **_: params["headers"].update({"x-number": str(next(numbers))})
    )
    transport = BotoTransport(client)
    for _ in range(300):
        server.give(200, b"{}")
        get(transport)
    assert [headers["x-number"] for headers, _ in server.received] == [str(number) for number in range(300)]
    road = transport._road
    assert road is not None
    assert len(road._ways) <= 256
    assert (len(road._endpoints), server.connections) == (1, 1)


# Credentials


def test_credentials_that_are_refreshed_are_used_and_their_token_is_sent(server: Server) -> None:
    session: Any = botocore.session.get_session()
    made: list[int] = []

    def refresh() -> dict[str, str]:
        made.append(len(made) + 1)
        expires = datetime.now(UTC) + timedelta(seconds=1 if len(made) == 1 else 3600)
        return {
            "access_key": f"AKID{len(made)}",
            "secret_key": "secret",
            "token": f"token{len(made)}",
            "expiry_time": expires.isoformat(),
        }

    session._credentials = RefreshableCredentials.create_from_metadata(refresh(), refresh, "test")
    client = session.create_client("dynamodb", "us-east-1", endpoint_url=server.url, config=Config(proxies={}))
    transport = BotoTransport(client)
    for _ in range(2):
        server.give(200, b"{}")
        get(transport)
    tokens = [headers["x-amz-security-token"] for headers, _ in server.received]
    assert tokens == ["token2"] * 2  # the first ones were about to expire
    assert all("Credential=AKID2/" in headers["authorization"] for headers, _ in server.received)
    assert all(";x-amz-security-token;" in headers["authorization"] for headers, _ in server.received)
    credentials: Any = session.get_credentials()
    credentials._expiry_time = datetime.now(UTC)  # while it works
    server.give(200, b"{}")
    get(transport)
    assert server.received[-1][0]["x-amz-security-token"] == "token3"
    assert server.operations() == ["GetItem"] * 3


def test_without_credentials_it_is_botocores_error(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    client = server.client()
    monkeypatch.setattr(client._request_signer, "_credentials", None)
    with pytest.raises(NoCredentialsError):
        get(BotoTransport(client))
    assert server.received == []


def test_credentials_that_hold_a_line_end_are_left_to_botocore(server: Server) -> None:
    transport = BotoTransport(server.client(aws_session_token="to\r\nken: x"))
    with pytest.raises(Unanswered, match="Invalid header value"):  # it cannot be told of botocore's HTTP client
        get(transport)
    assert server.received == []


# What goes to botocore whole


@pytest.mark.parametrize(
    "config",
    [
        Config(retries={"mode": "adaptive"}),
        Config(client_cert="/some/where.pem"),
        Config(proxies={"http": "http://127.0.0.1:9"}),
        Config(signature_version=UNSIGNED),
    ],
    ids=["adaptive", "client certificate", "proxy", "unsigned"],
)
def test_what_only_botocore_does_is_left_to_it(server: Server, config: Any) -> None:
    assert BotoTransport(server.client(config=config))._road is None


@pytest.mark.parametrize(("no_proxy", "is_fast"), [("", False), ("127.0.0.1", True), ("elsewhere", False)])
def test_proxies_of_the_environment_count(
    server: Server, monkeypatch: pytest.MonkeyPatch, no_proxy: str, is_fast: bool
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, no_proxy)
    transport = BotoTransport(make_client(endpoint_url=server.url))
    assert (transport._road is not None) is is_fast
    if is_fast:
        server.give(200, b"{}")
        get(transport)
        assert server.operations() == ["GetItem"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("unsigned_payload", True),
        ("discovery", {}),
        ("read_timeout", 1),
        ("auth_type", "v4a"),
        ("signing", {"region": "us-east-1", "identity_cache": None}),
    ],
)
def test_calls_that_only_botocore_can_make_are_left_to_it(server: Server, key: str, value: Any) -> None:
    client = server.client()

    def set_context(context: dict[str, Any], **_: Any) -> None:
        context[key] = value

    def forget(context: dict[str, Any], **_: Any) -> None:
        context[key] = {} if key == "signing" else None

    client.meta.events.register("before-call.dynamodb.GetItem", set_context)
    client.meta.events.register_last("before-call", lambda **_: None)
    transport = BotoTransport(client)
    client.meta.events.register_last("before-call", forget)  # after it was left to botocore
    server.give(200, b"{}")
    get(transport)
    assert server.operations() == ["GetItem by botocore"]


def test_another_signer_is_left_to_botocore(server: Server) -> None:
    client = server.client()
    client.meta.events.register("choose-signer.dynamodb", lambda **_: UNSIGNED)
    server.give(200, b"{}")
    get(BotoTransport(client))
    assert server.operations() == ["GetItem by botocore"]
    assert "authorization" not in server.received[0][0]


@pytest.mark.parametrize(
    "change",
    [
        lambda params: params.update(url=params["url"] + "?a=b"),
        lambda params: params["headers"].update({"Authorization": "x"}),
        lambda params: params["headers"].update({"x-a": "b\tc"}) or params.update(query_string={"a": "b"}),
    ],
)
def test_requests_that_only_botocore_can_make_are_left_to_it(
    server: Server, change: Callable[[dict[str, Any]], None]
) -> None:
    client = server.client()
    client.meta.events.register("before-call", lambda params, **_: change(params))
    server.give(200, b"{}")
    get(BotoTransport(client))
    assert server.operations() == ["GetItem by botocore"]


# Errors, and attempts that came to no answer


def test_botocore_goes_on_after_our_attempt(server: Server) -> None:
    server.give(500, {"__type": "x#InternalServerError"})
    server.give(400, {"__type": "x#ThrottlingException"})
    server.give(200, b"{}")
    client = server.client()
    counted: list[Any] = []
    client.meta.events.register("after-call", lambda parsed, **_: counted.append(parsed["ResponseMetadata"]))
    get(BotoTransport(client))
    assert server.operations() == ["GetItem", "GetItem by botocore", "GetItem by botocore"]
    assert [metadata["RetryAttempts"] for metadata in counted] == [2]


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize("attempts", [1, 2, 3, None])
@pytest.mark.parametrize("how", ["500", "throttled", "cut", "damaged"])
def test_no_more_attempts_are_made_than_the_client_is_set_to(
    server: Server, mode: str, attempts: int | None, how: str
) -> None:
    chosen: dict[str, Any] = {} if attempts is None else {"total_max_attempts": attempts}
    retries: Any = {"mode": mode, **chosen}
    client = server.client(config=Config(retries=retries))
    made: dict[bool, int] = {}
    for is_fast in (True, False):
        server.received.clear()
        for _ in range(12):
            if how == "cut":
                server.scripted.append(CUT)
            elif how == "damaged":
                server.give(200, b"{}", crc=1)
            elif how == "500":
                server.give(500, {"__type": "x#InternalServerError"})
            else:
                server.give(400, {"__type": "x#ThrottlingException"})
        with pytest.raises((ServiceFailure, Unanswered)) as raised:
            get(BotoTransport(client, fast=is_fast))
        made[is_fast] = len(server.received)
        server.scripted.clear()
        error: Any = raised.value.error  # type: ignore[attr-defined]
        if isinstance(error, ClientError):
            response: Any = error.response
            metadata = response["ResponseMetadata"]
            assert metadata["RetryAttempts"] == made[is_fast] - 1
            assert metadata["MaxAttemptsReached"] is True
            assert f"(reached max retries: {made[is_fast] - 1})" in str(error)
    assert made[True] == made[False] == (attempts or made[False])


def test_an_error_that_is_final_after_our_attempt_is_no_matter_of_retries(server: Server) -> None:
    client = server.client(config=Config(retries={"mode": "standard", "total_max_attempts": 2}))
    server.give(500, {"__type": "x#InternalServerError"})
    server.give(400, {"__type": "x#ConditionalCheckFailedException"})
    with pytest.raises(ServiceFailure) as raised:
        get(BotoTransport(client))
    error: Any = raised.value.error
    assert "MaxAttemptsReached" not in error.response["ResponseMetadata"]
    assert error.response["ResponseMetadata"]["RetryAttempts"] == 1
    assert raised.value.ambiguous is True


def test_time_to_answer_runs_out(server: Server) -> None:
    server.scripted.append(b"HTTP")  # and then nothing
    client = server.client(config=Config(read_timeout=0.05))
    reported: list[Exception] = []
    client.meta.events.register("after-call-error", lambda exception, **_: reported.append(exception))
    with pytest.raises(Unanswered) as raised:
        add(BotoTransport(client))
    assert type(raised.value.error) is ReadTimeoutError
    assert str(raised.value.error) == f'Read timeout on endpoint URL: "{server.url}/"'
    assert reported == [raised.value.error]
    assert server.operations() == ["UpdateItem"]


def test_an_answer_that_is_cut_is_told(server: Server) -> None:
    server.scripted.append(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}" + CUT)
    client = server.client()
    with pytest.raises(Unanswered) as raised:
        add(BotoTransport(client))
    assert type(raised.value.error) is ConnectionClosedError


def test_chunks_and_informational_answers_are_read(server: Server) -> None:
    server.scripted.append(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b'3\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n'
    )
    transport = BotoTransport(server.client())
    assert get(transport) == b'{"a":1}'
    server.give(200, b"{}")
    assert get(transport) == b"{}"
    assert server.connections == 1


def test_a_connection_that_the_server_closed_meanwhile_is_made_again(server: Server) -> None:
    transport = BotoTransport(server.client())
    for _ in range(2):
        server.give(200, b"{}")
        server.scripted[-1] = server.scripted[-1].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        add(transport)
    assert server.operations() == ["UpdateItem"] * 2
    assert server.connections == 2


@pytest.mark.parametrize("attempts", [1, 3])
def test_where_nothing_listens_it_is_botocores_error(server: Server, attempts: int) -> None:
    client = server.client(config=Config(retries={"mode": "standard", "total_max_attempts": attempts}))
    server.close()
    with pytest.raises(EndpointConnectionError) as raised:
        add(BotoTransport(client))
    assert str(raised.value) == f'Could not connect to the endpoint URL: "{server.url}/"'


@pytest.mark.parametrize(("attempts", "expected"), [(1, 1), (2, 2)])
def test_time_to_connect_runs_out(
    server: Server, monkeypatch: pytest.MonkeyPatch, attempts: int, expected: int
) -> None:
    made: list[float | None] = []

    def never(address: Any, timeout: float | None = None, *_: Any, **__: Any) -> Any:
        made.append(timeout)
        raise TimeoutError

    retries: Any = {"mode": "standard", "total_max_attempts": attempts}
    client = server.client(config=Config(connect_timeout=7, retries=retries))
    monkeypatch.setattr("logicaldb.transport.connections.socket.create_connection", never)
    monkeypatch.setattr("urllib3.util.connection.create_connection", never)
    with pytest.raises(ConnectTimeoutError) as raised:
        add(BotoTransport(client))
    assert str(raised.value) == f'Connect timeout on endpoint URL: "{server.url}/"'
    assert made == [7] * expected


def test_a_hook_that_answers_a_call_is_believed(server: Server) -> None:
    client = server.client()
    transport = BotoTransport(client)
    with Stubber(client) as stubber:
        stubber.add_response("get_item", {"Item": {"a": {"S": "b"}}})
        assert json.loads(get(transport)) == {"Item": {"a": {"S": "b"}}}
    assert server.received == []
    server.give(200, b"{}")
    get(transport)
    assert server.operations() == ["GetItem"]


def test_a_patched_client_as_tracers_patch_it(server: Server) -> None:
    original = vars(botocore.client.BaseClient)["_make_api_call"]
    traced: list[tuple[str, Any]] = []

    def trace(self: Any, operation: str, parameters: Any) -> Any:
        answer = original(self, operation, parameters)
        traced.append((operation, answer["ResponseMetadata"]["HTTPStatusCode"]))
        return answer

    server.give(200, b'{"Item":{}}')
    with patch.object(botocore.client.BaseClient, "_make_api_call", trace):
        assert get(BotoTransport(server.client())) == b'{"Item":{}}'
    assert traced == [("GetItem", 200)]
    assert server.operations() == ["GetItem"]


# moto


@pytest.mark.parametrize("endpoint", [None, "http://dynamodb.us-east-1.amazonaws.com"])
def test_nothing_leaves_the_process_under_moto(monkeypatch: pytest.MonkeyPatch, endpoint: str | None) -> None:
    """Whatever would leave it ends in an error."""

    def leave(*_: Any, **__: Any) -> Any:
        raise AssertionError("it leaves the process")

    monkeypatch.setattr("socket.socket.connect", leave)
    monkeypatch.setattr("socket.create_connection", leave)
    monkeypatch.setattr("socket.getaddrinfo", leave)
    with mock_aws():
        transport = BotoTransport(make_client(endpoint_url=endpoint))

        def send(operation: str, **body: Any) -> Any:
            return json.loads(transport.send(operation, "things", json.dumps({"TableName": "things", **body}).encode()))

        with patch.object(fast, "offer", wraps=offer) as offered:
            send(
                "CreateTable",
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
            item = {"pk": {"S": "a"}, "b": {"B": "AAE="}}
            for _ in range(3):
                send("PutItem", Item=item)
                assert send("GetItem", Key={"pk": {"S": "a"}}) == {"Item": item}
            with pytest.raises(ServiceFailure) as raised:
                send("PutItem", Item=item, ConditionExpression="attribute_not_exists(pk)")
        assert raised.value.code == "ConditionalCheckFailedException"
        assert offered.call_count == (8 if endpoint else 7)  # over TLS the first request is botocore's
    with pytest.raises(Exception, match="it leaves the process"):  # the guard works
        send("GetItem", Key={"pk": {"S": "a"}})


# TLS


def test_over_tls_the_first_request_is_botocores(tls_server: Server, certificates: Certificates) -> None:
    client = tls_server.client(verify=str(certificates.bundle))
    for event in ("before-send", "before-call"):
        client.meta.events.register(event, lambda **_: None)
    transport = BotoTransport(client)
    with patch.dict(os.environ, AWS_CA_BUNDLE=str(certificates.bundle)):
        for _ in range(3):
            tls_server.give(200, b"{}")
            get(transport)
    assert tls_server.operations() == ["GetItem by botocore", "GetItem", "GetItem"]
    assert tls_server.connections == 2


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_bundles_of_the_environment_are_trusted(
    tls_server: Server, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(certificates.bundle))
    transport = BotoTransport(tls_server.client())
    for _ in range(2):
        tls_server.give(200, b"{}")
        get(transport)
    assert tls_server.operations() == ["GetItem by botocore", "GetItem"]


@pytest.mark.parametrize("repeatable", [True, False])
def test_whom_we_do_not_trust_is_left_to_botocore(
    tls_server: Server, certificates: Certificates, repeatable: bool
) -> None:
    """The client trusts a bundle of its own, which cannot be known."""
    transport = BotoTransport(tls_server.client(verify=str(certificates.bundle)))
    for _ in range(4):
        tls_server.give(200, b"{}")
        transport.send("UpdateItem", "things", ADD, repeatable=repeatable)
    assert tls_server.operations() == ["UpdateItem by botocore"] * 4
    assert tls_server.connections == 2  # one of ours, which came to nothing


def test_what_the_client_does_not_trust_fails_as_ever(
    tls_server: Server, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although our own connections would trust it."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificates.bundle))
    client = tls_server.client(verify=str(certificates.other_bundle), config=Config(retries={"total_max_attempts": 1}))
    transport = BotoTransport(client)
    for _ in range(2):
        with pytest.raises(SSLError, match="certificate verify failed"):
            get(transport)
    assert tls_server.received == []


def test_another_host_than_the_certificate_names_fails_as_ever(tls_server: Server, certificates: Certificates) -> None:
    url = f"https://127.0.0.1:{tls_server.port}"
    config = Config(retries={"total_max_attempts": 1}, proxies={})
    client = make_client(endpoint_url=url, verify=str(certificates.bundle), config=config)
    with pytest.raises(SSLError, match=r"127\.0\.0\.1"):
        get(BotoTransport(client))
    assert tls_server.received == []


def test_an_answer_of_a_hook_makes_nobody_trusted(tls_server: Server, certificates: Certificates) -> None:
    client = tls_server.client(verify=str(certificates.bundle))
    transport = BotoTransport(client)
    hooked: list[str] = []

    class Raw:
        def stream(self, **_: Any) -> Iterator[bytes]:
            yield b'{"hooked":1}'

    def hook(request: Any, **_: Any) -> Any:
        hooked.append(request.url)
        return AWSResponse(request.url, 200, HTTPHeaders(), Raw())

    client.meta.events.register("before-send", hook)
    for _ in range(2):
        assert get(transport) == b'{"hooked":1}'
    client.meta.events.unregister("before-send", hook)
    with patch.dict(os.environ, AWS_CA_BUNDLE=str(certificates.bundle)):
        for _ in range(2):
            tls_server.give(200, b"{}")
            get(transport)
    assert len(hooked) == 2
    assert tls_server.operations() == ["GetItem by botocore", "GetItem"]


def test_a_connection_of_tls_that_does_not_come_about_is_left_to_botocore_once(
    tls_server: Server, certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = BotoTransport(tls_server.client(verify=str(certificates.bundle)))
    monkeypatch.setenv("AWS_CA_BUNDLE", "/no/such/file")
    for _ in range(2):
        tls_server.give(200, b"{}")
        get(transport)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificates.bundle))
    tls_server.give(200, b"{}")
    get(transport)
    assert tls_server.operations() == ["GetItem by botocore", "GetItem by botocore", "GetItem"]


# Endpoints


@pytest.mark.parametrize(
    ("options", "table", "host", "region"),
    [
        ({}, "things", "dynamodb.us-east-1.amazonaws.com", "us-east-1"),
        ({"region_name": "eu-west-3"}, "things", "dynamodb.eu-west-3.amazonaws.com", "eu-west-3"),
        (
            {"region_name": "us-west-2", "config": Config(use_fips_endpoint=True)},
            "things",
            "dynamodb-fips.us-west-2.amazonaws.com",
            "us-west-2",
        ),
        (
            {},
            "arn:aws:dynamodb:us-east-1:123456789012:table/things",
            "123456789012.ddb.us-east-1.amazonaws.com" if KNOWS_ACCOUNTS else "dynamodb.us-east-1.amazonaws.com",
            "us-east-1",
        ),
    ],
)
def test_the_endpoint_is_the_one_that_botocore_resolves(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], table: str, host: str, region: str
) -> None:
    client = make_client(**options)
    sent: list[tuple[str, int, bytes]] = []

    def exchange(self: Connections, request: bytes) -> Any:
        sent.append((self._host, self._port, request))
        return Answer(200, {}, b"{}", keep_alive=True)

    monkeypatch.setattr(Connections, "exchange", exchange)
    transport = BotoTransport(client)

    class Trusted(fast.Endpoint):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.is_known = self.is_trusted = True

    monkeypatch.setattr(fast, "Endpoint", Trusted)
    assert transport.send("GetItem", table, GET) == b"{}"
    [(found, port, request)] = sent
    assert (found, port) == (host, 443)
    assert b"\r\nHost: %b\r\n" % host.encode() in request
    assert b"/%b/dynamodb/aws4_request" % region.encode() in request


# Threads and processes


def test_64_threads_share_a_transport(server: Server) -> None:
    client = server.client(config=Config(max_pool_connections=64))
    transport = BotoTransport(client)

    def work(worker: int) -> bool:
        bodies = [b'{"worker":%d,"number":%d}' % (worker, number) for number in range(10)]
        return [get(transport, body) for body in bodies] == bodies

    with ThreadPoolExecutor(64) as threads:
        assert all(threads.map(work, range(64)))
    assert server.connections <= 64


def test_a_forked_process_has_connections_of_its_own(server: Server) -> None:
    script = f"""
import os, boto3
from logicaldb.transport.boto import BotoTransport
client = boto3.client("dynamodb", endpoint_url={server.url!r}, region_name="us-east-1")
transport = BotoTransport(client)
send = lambda: transport.send("GetItem", "things", b"{{}}")
send()
child = os.fork()
if child:
    assert os.waitpid(child, 0)[1] == 0
send()
"""
    for _ in range(3):
        server.give(200, b"{}")
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[3]),
        "NO_PROXY": "127.0.0.1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script]
    subprocess.run(command, check=True, env=environment, timeout=60)
    assert server.operations() == ["GetItem"] * 3
    assert server.connections == 2  # the child made one, and its parent went on with its own


def test_what_is_forgotten_closes_its_connections(server: Server) -> None:
    client = server.client()
    transport = BotoTransport(client)
    server.give(200, b"{}")
    get(transport)
    road = transport._road
    assert road is not None
    [endpoint] = road._endpoints.values()
    made = endpoint.connections._idle[0]._socket
    assert made.fileno() >= 0
    del transport, road, endpoint
    gc.collect()
    assert made.fileno() == -1


# Dbs


@pytest.mark.parametrize(("options", "expected"), [({}, "GetItem"), ({"fast": False}, "GetItem by botocore")])
def test_a_db_has_the_switch(server: Server, options: dict[str, Any], expected: str) -> None:
    server.give(200, b"{}")
    assert MusicDb(server.client(), **options).load(AlbumTrack.Key("ALBUM_1", 1)) is None
    server.give(200, b"{}")
    assert asyncio.run(AsyncMusicDb(server.client(), **options).load(AlbumTrack.Key("ALBUM_1", 1))) is None
    assert server.operations() == [expected] * 2


def test_the_lean_client_of_a_db_that_is_given_none_is_fast(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", server.url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    server.give(200, b"{}")
    assert MusicDb().load(AlbumTrack.Key("ALBUM_1", 1)) is None
    assert server.operations() == ["GetItem"]
    assert " lib/logicaldb" in server.received[0][0]["user-agent"]
