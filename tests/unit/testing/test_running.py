"""A DynamoDB Local that runs already is used, checked, and left as it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from logicaldb.testing import DynamoDbLocal, DynamoDbLocalUnavailable


class Handler(BaseHTTPRequestHandler):
    answer: bytes

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@contextmanager
def server(answer: str) -> Generator[str]:
    """A server that answers every request the same."""
    with HTTPServer(("127.0.0.1", 0), type("OneAnswer", (Handler,), {"answer": answer.encode()})) as listening:
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_port}"
        finally:
            listening.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no program that could be started."""
    monkeypatch.setenv("PATH", str(tmp_path))
    for variable in ("LOGICALDB_DYNAMODB_ENDPOINT", "LOGICALDB_DYNAMODB_LOCAL"):
        monkeypatch.delenv(variable, raising=False)


def refusal(local: DynamoDbLocal) -> str:
    with pytest.raises(DynamoDbLocalUnavailable) as raised, local:
        pass
    return str(raised.value)


@pytest.mark.parametrize("named", [False, True])
def test_it_is_used_and_not_stopped(monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    with server('{"TableNames": ["of-somebody"]}') as url:
        if named:
            monkeypatch.setenv("LOGICALDB_DYNAMODB_ENDPOINT", url)
        for _ in range(2):
            with DynamoDbLocal(endpoint_url=None if named else url) as local:
                assert local.endpoint_url == url
                assert not local.started
                assert local.client().list_tables()["TableNames"] == ["of-somebody"]


def test_what_is_given_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOGICALDB_DYNAMODB_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", str(tmp_path))
    with server('{"TableNames": []}') as url, DynamoDbLocal(endpoint_url=url) as local:
        assert local.endpoint_url == url
    assert refusal(DynamoDbLocal("given")) == (
        f"DynamoDB Local in {Path('given').absolute()} needs Java, and there is none on the PATH: install a JRE"
    )


def test_an_address_wins_over_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", str(tmp_path))
    with server('{"TableNames": []}') as url:
        monkeypatch.setenv("LOGICALDB_DYNAMODB_ENDPOINT", url)
        with DynamoDbLocal() as local:
            assert local.endpoint_url == url


def test_it_is_entered_once_at_a_time() -> None:
    with server('{"TableNames": []}') as url:
        local = DynamoDbLocal(endpoint_url=url)
        with local:
            with pytest.raises(RuntimeError) as refused, local:
                pass
            assert str(refused.value) == "this DynamoDbLocal is entered already; make another one"
        with local:
            assert local.endpoint_url == url


def test_a_folder_and_an_address_are_one_too_many() -> None:
    with pytest.raises(TypeError) as raised:
        DynamoDbLocal("folder", endpoint_url="http://127.0.0.1:8000")
    assert str(raised.value) == (
        "DynamoDbLocal takes the folder of one that is to be started or the address of one that runs"
    )


def test_an_address_where_nothing_answers_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "http://127.0.0.1:9"
    because = f'cannot be used: Could not connect to the endpoint URL: "{url}/"'
    assert refusal(DynamoDbLocal(endpoint_url=url)) == f"the DynamoDB at {url} {because}"
    monkeypatch.setenv("LOGICALDB_DYNAMODB_ENDPOINT", url)
    assert refusal(DynamoDbLocal()) == f"the DynamoDB at {url} (LOGICALDB_DYNAMODB_ENDPOINT) {because}"


def test_what_is_no_address_is_told() -> None:
    assert refusal(DynamoDbLocal(endpoint_url="localhost:8000")) == (
        "the DynamoDB at localhost:8000 cannot be used: Invalid endpoint: localhost:8000"
    )


@pytest.mark.parametrize("answer", ["<html>hello</html>", "{}"])
def test_what_is_not_dynamodb_is_told(answer: str) -> None:
    with server(answer) as url:
        assert refusal(DynamoDbLocal(endpoint_url=url)) == f"what answers at {url} is not DynamoDB"


def test_an_empty_variable_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGICALDB_DYNAMODB_ENDPOINT", "")
    assert refusal(DynamoDbLocal()).startswith("DynamoDB Local needs Java or Docker, ")
    assert os.environ["LOGICALDB_DYNAMODB_ENDPOINT"] == ""
