"""Direct transports over TLS, in forked processes, and in dbs."""

from __future__ import annotations

import os
import ssl
from collections.abc import Generator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any

import boto3
import pytest
from botocore.exceptions import SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from logicaldb import (
    AsyncDirectTransport,
    AsyncLogicalDb,
    DirectTransport,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
)
from logicaldb.transport import retries
from logicaldb.transport.tls import tls_context, verification_of
from tests.unit.transport.scripted import Server, answer, scripted, sender

OPTIONS: Any = {"region_name": "us-east-1", "aws_access_key_id": "key", "aws_secret_access_key": "secret"}


@pytest.fixture(params=["blocking", "awaited"])
def open_sender(request: pytest.FixtureRequest) -> Generator[Any]:
    """Makes senders, which are closed at the end."""
    with ExitStack() as stack:
        yield lambda client, **options: stack.enter_context(sender(request.param, client, **options))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "_LONGEST_PAUSE", 0.0)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of localhost that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(serialization.Encoding.PEM, *form)
    )
    return path


@pytest.fixture
def secure(certificate: Path) -> Generator[Server]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with scripted(context) as server:
        yield server


def client_of(server: Server, **options: Any) -> Any:
    return boto3.client("dynamodb", endpoint_url=server.url, **OPTIONS, **options)


def test_verifies_as_the_client_does(secure: Server, certificate: Path, open_sender: Any) -> None:
    sending = open_sender(client_of(secure, verify=str(certificate)))
    secure.plan = [answer(200, {"Item": {"big": {"S": "x" * 300_000}}})]
    assert len(sending.send()) > 300_000
    assert sending.send() == b"{}"
    assert [one.connection for one in secure.received] == [1, 1]


def test_does_not_verify_where_the_client_does_not(secure: Server, open_sender: Any) -> None:
    assert open_sender(client_of(secure, verify=False)).send() == b"{}"


def test_does_not_trust_whom_the_client_does_not(secure: Server, open_sender: Any) -> None:
    with pytest.raises(SSLError, match="certificate verify failed"):
        open_sender(client_of(secure)).send("UpdateItem", repeatable=False)
    assert secure.received == []


def test_trusts_whom_the_environment_names(
    secure: Server, certificate: Path, open_sender: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    assert open_sender(client_of(secure)).send() == b"{}"


def test_what_is_said_wins(secure: Server, certificate: Path, open_sender: Any) -> None:
    assert open_sender(client_of(secure), verify=str(certificate)).send() == b"{}"
    with pytest.raises(SSLError):
        open_sender(client_of(secure, verify=False), verify=True).send()


def test_a_certificate_of_another_name_is_not_trusted(secure: Server, certificate: Path, open_sender: Any) -> None:
    client = client_of(secure, verify=str(certificate))
    url = secure.url.replace("localhost", "127.0.0.1")
    client.meta.events.register("before-call.dynamodb", lambda params, **_: params.update(url=url + "/"))
    with pytest.raises(SSLError, match=r"127\.0\.0\.1"):
        open_sender(client).send()
    assert secure.received == []


def test_an_idle_connection_over_tls_that_was_closed(secure: Server, open_sender: Any) -> None:
    sending = open_sender(client_of(secure, verify=False))
    sending.send()
    secure.hang_up()
    sending.send("UpdateItem", repeatable=False)
    assert [one.connection for one in secure.received] == [1, 2]


def test_the_context_is_as_strict_as_that_of_botocore() -> None:
    context = tls_context(verify=True)
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2 or context.options & ssl.OP_NO_SSLv3
    assert context.cert_store_stats()["x509_ca"] > 50


@pytest.mark.parametrize(("given", "expected"), [(None, True), (True, True), (False, False), ("/a.pem", "/a.pem")])
def test_reads_how_a_client_verifies(monkeypatch: pytest.MonkeyPatch, given: Any, expected: bool | str) -> None:
    """Of an attribute that is private, so this tells when a botocore has it no more."""
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    assert verification_of(boto3.client("dynamodb", verify=given, **OPTIONS)) == expected


@pytest.mark.parametrize("session", [None, SimpleNamespace(), SimpleNamespace(_verify=object())])
def test_does_not_guess_how_a_client_verifies(session: Any) -> None:
    assert verification_of(SimpleNamespace(_endpoint=SimpleNamespace(http_session=session))) is None


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # that of the server
def test_a_forked_process_makes_a_connection_of_its_own() -> None:
    with scripted() as server, DirectTransport.from_client(server.client()) as transport:
        transport.send("GetItem", "music", b"{}")
        child = os.fork()
        if child == 0:  # nothing of pytest may run in it
            answered = b""
            try:
                answered = transport.send("GetItem", "music", b'{"child":1}')
            finally:
                os._exit(0 if answered == b"{}" else 1)
        assert os.waitpid(child, 0)[1] == 0
        transport.send("GetItem", "music", b"{}")
        assert [one.connection for one in server.received] == [1, 2, 1]


# Dbs


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Rows(LogicalTable[Row]):
    pass


class Db(LogicalDb):
    rows: Annotated[Rows, TableName("rows")]


class AsyncDb(AsyncLogicalDb):
    pass


def test_a_db_takes_it_in_the_place_of_a_client() -> None:
    with scripted() as server:
        with DirectTransport.from_client(server.client(max_pool_connections=3)) as transport:
            db: Any = Db(transport)
            assert db._at_once == 3
            assert db._transport.transport is transport
        asynchronous: Any = AsyncDirectTransport.from_client(server.client(max_pool_connections=4))
        awaited: Any = AsyncDb(asynchronous)
        assert awaited._at_once == 4
        assert awaited._transport.transport is asynchronous


def test_a_db_needs_the_right_kind() -> None:
    client = boto3.client("dynamodb", **OPTIONS)
    with pytest.raises(TypeError, match=r"^a LogicalDb needs a DirectTransport, not an AsyncDirectTransport$"):
        Db(AsyncDirectTransport.from_client(client))
    with pytest.raises(TypeError, match=r"^an AsyncLogicalDb needs an AsyncDirectTransport, not a DirectTransport$"):
        AsyncDb(DirectTransport.from_client(client))


def test_there_is_no_slow_kind_of_it() -> None:
    client = boto3.client("dynamodb", **OPTIONS)
    with pytest.raises(TypeError) as raised:
        Db(DirectTransport.from_client(client), fast=False)
    assert str(raised.value) == ("fast=False is about a boto3 client; a DirectTransport sends nothing through botocore")
    with pytest.raises(TypeError, match=r"a boto3 client; an? AsyncDirectTransport sends nothing through botocore$"):
        AsyncDb(AsyncDirectTransport.from_client(client), fast=False)
