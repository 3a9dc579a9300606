from __future__ import annotations

import pytest

from logicaldb.transport.endpoints import Address, address_of


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "https://dynamodb.eu-central-1.amazonaws.com/",
            Address(
                "https",
                "dynamodb.eu-central-1.amazonaws.com",
                443,
                "/",
                "dynamodb.eu-central-1.amazonaws.com",
            ),
        ),
        ("https://Example.COM:443", Address("https", "example.com", 443, "/", "example.com")),
        ("http://localhost:8000", Address("http", "localhost", 8000, "/", "localhost:8000")),
        ("http://localhost:443/", Address("http", "localhost", 443, "/", "localhost:443")),
        ("http://127.0.0.1:80/a/b-c/d_e.f~/", Address("http", "127.0.0.1", 80, "/a/b-c/d_e.f~/", "127.0.0.1")),
        ("http://[::1]:8000/", Address("http", "::1", 8000, "/", "[::1]:8000")),
    ],
)
def test_where_a_url_leads(url: str, expected: Address) -> None:
    assert address_of(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "unix:///var/run/socket",
        "http+unix://socket/",
        "ftp://localhost/",
        "localhost:8000",
        "http:///",
        "http://user@localhost/",
        "http://user:password@localhost/",
        "http://localhost/?a=b",
        "http://localhost/#a",
        "http://localhost//a",
        "http://localhost/../a",
        "http://localhost/a/./b",
        "http://localhost/a%20b",
        "http://localhost/\u00e4",
        "http://\u00e4/",
        "http://local host/",
        "http://localhost:0/",
        "http://localhost:x/",
        "http://localhost:99999/",
        "http://[::1/",
    ],
)
def test_where_only_botocore_goes(url: str) -> None:
    assert address_of(url) is None
