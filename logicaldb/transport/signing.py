"""AWS Signature Version 4, for requests to DynamoDB.

The same signature as botocore's for the same request: the headers of a request are brought into their canonical form
once, and the key of a day is derived once; for a request there is left to hash its body and to sign.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest
from typing import Final, Protocol

from logicaldb.transport.http1 import head_of

UNSIGNED_HEADERS: Final = frozenset({"expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"})
"""What something on the way may change, and so is not signed; the same as botocore's."""

_OURS: Final = frozenset({"authorization", "content-length", "host", "x-amz-date", "x-amz-security-token"})
_KEYS: Final = 16


class Credentials(Protocol):
    """What a request is signed with, as botocore's ``get_frozen_credentials`` gives it."""

    @property
    def access_key(self) -> str: ...
    @property
    def secret_key(self) -> str: ...
    @property
    def token(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Head:
    """The head of requests that differ in their time, their body and their credentials alone.

    Attributes:
        sent: its bytes, without what differs.
        before_date: the canonical request up to the date.
        before_token: what comes between the date and the session token.
        after_token: what comes after it.
        signed: the names of the signed headers.
        signed_with_token: the same where there is a session token.
    """

    sent: bytes
    before_date: str
    before_token: str
    after_token: str
    signed: str
    signed_with_token: str


def prepare_head(host: str, path: str, headers: Sequence[tuple[str, str]]) -> Head:
    """Prepare the head of requests.

    Args:
        host: the value of ``Host``, as ``urlsplit(url).netloc`` has it; without the port, where that is the usual one.
        path: the path, which needs no quoting.
        headers: what is sent beside ``Host``, ``Content-Length``, the date and what signs the request.

    Raises:
        ValueError: a header is sent twice, is one of those that are ours, or cannot be sent.
    """
    canonical = {"host": host, "x-amz-date": "", "x-amz-security-token": ""}
    for name, value in headers:
        lower = name.lower()
        if lower in canonical or lower in _OURS:
            raise ValueError(f"the header {name!r} is sent already")
        canonical[lower] = " ".join(value.split())
    names = sorted(name for name in canonical if name not in UNSIGNED_HEADERS)
    date, token = names.index("x-amz-date"), names.index("x-amz-security-token")

    def lines(some: Sequence[str]) -> str:
        return "".join(f"{name}:{canonical[name]}\n" for name in some)

    return Head(
        sent=head_of(path, [("Host", host), *headers]),
        before_date=f"POST\n{path}\n\n{lines(names[:date])}x-amz-date:",
        before_token="\n" + lines(names[date + 1 : token]),
        after_token=lines(names[token + 1 :]),
        signed=";".join(name for name in names if name != "x-amz-security-token"),
        signed_with_token=";".join(names),
    )


class Signer:
    """Signs requests; it keeps the keys that it derived for the day."""

    __slots__ = ("_keys", "_now")

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str, str, str], bytes] = {}
        self._now = (0, "")

    def request(
        self, head: Head, body: bytes, credentials: Credentials, region: str, service: str = "dynamodb"
    ) -> bytes:
        """Give the bytes of a request, signed as of now.

        Args:
            head: its head.
            body: its body.
            credentials: what it is signed with.
            region: the region of the endpoint.
            service: the name of the service for signatures.

        Raises:
            ValueError: the credentials could be read as more than a header.
        """
        stamp = self._stamp()
        access_key, token = credentials.access_key, credentials.token
        scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
        if token:
            signed = head.signed_with_token
            token_line = f"x-amz-security-token:{' '.join(token.split())}\n"
            sent_token = f"X-Amz-Security-Token: {token}\r\n"
        else:
            signed = head.signed
            token_line = sent_token = ""
        canonical = (
            f"{head.before_date}{stamp}{head.before_token}{token_line}{head.after_token}\n"
            f"{signed}\n{sha256(body).hexdigest()}"
        )
        to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        key = self._key(credentials.secret_key, stamp[:8], region, service)
        signature = digest(key, to_sign.encode(), "sha256").hex()
        ours = (
            f"X-Amz-Date: {stamp}\r\n{sent_token}"
            f"Authorization: AWS4-HMAC-SHA256 Credential={access_key}/{scope}, SignedHeaders={signed}, "
            f"Signature={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        if ours.count("\n") != (5 if token else 4) or ours.count("\r") != ours.count("\n"):
            raise ValueError("the credentials hold a line end")
        return b"".join((head.sent, ours.encode(), body))

    def _stamp(self) -> str:
        seconds = int(time.time())
        now = self._now
        if now[0] != seconds:
            now = self._now = (seconds, time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds)))
        return now[1]

    def _key(self, secret_key: str, date: str, region: str, service: str) -> bytes:
        scope = (secret_key, date, region, service)
        key = self._keys.get(scope)
        if key is None:
            key = f"AWS4{secret_key}".encode()
            for part in (date, region, service, "aws4_request"):
                key = digest(key, part.encode(), "sha256")
            if len(self._keys) >= _KEYS:
                self._keys.clear()
            self._keys[scope] = key
        return key
