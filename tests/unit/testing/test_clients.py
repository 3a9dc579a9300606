from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from logicaldb.testing.clients import make_test_client


@pytest.fixture
def hostile_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "of-nobody")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://example.invalid")
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "https://dynamodb.example.invalid")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    monkeypatch.setenv("AWS_ACCOUNT_ID", "123456789012")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "nowhere")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example.invalid")
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.mark.usefixtures("hostile_environment")
def test_talks_to_its_endpoint_whatever_the_environment_says() -> None:
    client = make_test_client("http://127.0.0.1:9", "eu-central-1", retries={"total_max_attempts": 1})
    urls: list[str] = []
    client.meta.events.register("before-send", lambda request, **_: urls.append(request.url))
    with pytest.raises(EndpointConnectionError):  # not ProxyConnectionError
        client.list_tables()
    assert urls == ["http://127.0.0.1:9/"]
    assert client.meta.region_name == "eu-central-1"


def test_takes_settings() -> None:
    client: Any = make_test_client("http://127.0.0.1:9", "eu-central-1", max_pool_connections=3)
    assert client.meta.config.max_pool_connections == 3


def test_its_access_key_has_nothing_but_letters_and_digits() -> None:
    """DynamoDB Local refuses others."""
    client = make_test_client("http://127.0.0.1:9", "eu-central-1", retries={"total_max_attempts": 1})
    signed: list[bytes] = []
    client.meta.events.register("before-send", lambda request, **_: signed.append(request.headers["Authorization"]))
    with pytest.raises(EndpointConnectionError):
        client.list_tables()
    assert b"Credential=logicaldb/" in signed[0]
