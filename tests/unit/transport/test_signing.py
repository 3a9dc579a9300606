from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from logicaldb.transport.signing import Signer, prepare_head

NOW = 1_795_356_000  # 2026-11-22T14:00:00Z
HEADERS = [("X-Amz-Target", "DynamoDB_20120810.GetItem"), ("Content-Type", "application/x-amz-json-1.0")]


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    clock = SimpleNamespace(now=float(NOW))
    monkeypatch.setattr("logicaldb.transport.signing.time", clock)
    clock.time = lambda: clock.now
    clock.strftime = time.strftime
    clock.gmtime = time.gmtime
    return clock


def parsed(request: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
    assert len(headers) == len(lines)
    return first, headers, body


def by_botocore(url: str, headers: list[tuple[str, str]], body: bytes, keys: Any, region: str, service: str) -> Any:
    """The headers that botocore's own signer gives to the same request."""
    request = AWSRequest("POST", url, dict(headers), body)
    with patch("botocore.auth.get_current_datetime", create=True) as now, patch("botocore.auth.datetime") as module:
        from datetime import UTC, datetime

        moment = datetime.fromtimestamp(NOW, UTC)
        now.return_value = module.datetime.utcnow.return_value = moment  # the latter of older botocores
        SigV4Auth(keys, service, region).add_auth(request)
    return {name: str(value) for name, value in request.headers.items()}


words = st.text("abcXYZ09-_/ ü", max_size=12)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,10}", fullmatch=True).filter(
    lambda name: name.lower() not in {"host", "date", "authorization", "content-length", "x-amz-date"}
)


@given(
    host=st.sampled_from(["localhost:8000", "[::1]:8000", "dynamodb.eu-central-1.amazonaws.com", "EXAMPLE.com:443"]),
    path=st.sampled_from(["/", "/a", "/a-b/c_d~e/"]),
    extra=st.dictionaries(names.map(str.lower), words.map(str.strip), max_size=4),
    user_agent=words,
    body=st.binary(max_size=50),
    token=st.sampled_from([None, "", "token", "tok  en/+="]),
    region=st.sampled_from(["eu-central-1", "us-gov-west-1"]),
    service=st.sampled_from(["dynamodb", "other"]),
)
def test_signs_as_botocore_does(
    host: str,
    path: str,
    extra: dict[str, str],
    user_agent: str,
    body: bytes,
    token: str | None,
    region: str,
    service: str,
) -> None:
    extra = {name: value for name, value in extra.items() if name not in {"x-amz-target", "content-type", "user-agent"}}
    headers = [*HEADERS, ("User-Agent", user_agent.strip()), *extra.items()]
    keys: Any = ReadOnlyCredentials("AKID", "sec/ret+", token)
    port = "" if host.endswith((".com", ":443")) else host[-5:]
    name = host.removesuffix(":443").lower() if not port else host
    request = Signer().request(prepare_head(name, path, headers), body, keys, region, service)
    first, sent, sent_body = parsed(request)
    expected = by_botocore(f"https://{host}{path}", headers, body, keys, region, service)
    assert (first, sent_body) == (f"POST {path} HTTP/1.1", body)
    assert sent.pop("Host") == name
    assert sent.pop("Content-Length") == str(len(body))
    assert sent == expected


KEYS: Any = ReadOnlyCredentials("AKID", "secret", None)


def test_the_time_is_that_of_the_request(clock: SimpleNamespace) -> None:
    signer, head = Signer(), prepare_head("h", "/", HEADERS)
    stamps: list[tuple[str, str]] = []
    for now in (NOW, NOW + 0.9, NOW + 1, NOW + 86_400, NOW):
        clock.now = now
        headers = parsed(signer.request(head, b"{}", KEYS, "r"))[1]
        stamps.append((headers["X-Amz-Date"], headers["Authorization"].split("/")[1]))
    assert stamps == [
        ("20261122T140000Z", "20261122"),
        ("20261122T140000Z", "20261122"),
        ("20261122T140001Z", "20261122"),
        ("20261123T140000Z", "20261123"),
        ("20261122T140000Z", "20261122"),
    ]


def test_keys_that_change_are_the_new_ones_and_the_old_are_forgotten_in_time() -> None:
    signer, head = Signer(), prepare_head("h", "/", HEADERS)
    for number in range(40):
        keys: Any = ReadOnlyCredentials(f"AKID{number}", f"secret{number}", None)
        expected = by_botocore("https://h/", HEADERS, b"{}", keys, "r", "dynamodb")["Authorization"]
        for _ in range(2):
            assert parsed(signer.request(head, b"{}", keys, "r"))[1]["Authorization"] == expected
    assert len(signer._keys) <= 16


@pytest.mark.parametrize("name", ["host", "Authorization", "X-AMZ-DATE", "x-amz-security-token", "content-length"])
def test_what_is_ours_cannot_be_given(name: str) -> None:
    with pytest.raises(ValueError, match="already") as raised:
        prepare_head("h", "/", [*HEADERS, (name, "x")])
    assert str(raised.value) == f"the header {name!r} is sent already"


def test_no_header_is_sent_twice() -> None:
    with pytest.raises(ValueError, match=r"^the header 'x-amz-target' is sent already$"):
        prepare_head("h", "/", [*HEADERS, ("x-amz-target", "x")])


@pytest.mark.parametrize(
    "keys",
    [
        ReadOnlyCredentials("AK\r\nx: y", "secret", None),
        ReadOnlyCredentials("AK", "secret", "to\nken"),
        ReadOnlyCredentials("AK", "secret", "to\r\nx: y"),
    ],
)
def test_credentials_smuggle_no_header(keys: Any) -> None:
    with pytest.raises(ValueError, match=r"^the credentials hold a line end$"):
        Signer().request(prepare_head("h", "/", HEADERS), b"{}", keys, "r")
