"""Cursors for web pages: offsets as signed text, bound to the query they belong to."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from logicaldb.errors import EncodingError, InvalidCursor
from logicaldb.expressions import Condition, KeyCondition
from logicaldb.operations.ranges import key_range
from logicaldb.operations.reading import Source
from logicaldb.sets import Offset

_SIGNATURE_BYTES: Final = hashlib.sha256().digest_size


def to_token(
    source: Source[Any, Any],
    offset: Offset[Any],
    key_condition: KeyCondition[Any],
    *,
    secret: str | bytes,
    asc: bool,
    filter_expression: Condition | None,
) -> str:
    """The text of an offset, signed."""
    wanted = key_range(key_condition, source.key)
    payload = _canonical(source.start_key(offset, wanted.partition))
    signature = _sign(payload, _query(source, key_condition, asc, filter_expression), secret)
    return urlsafe_b64encode(signature + payload).rstrip(b"=").decode()


def from_token(
    source: Source[Any, Any],
    token: str,
    key_condition: KeyCondition[Any],
    *,
    secret: str | bytes,
    asc: bool,
    filter_expression: Condition | None,
) -> Offset[Any]:
    """The offset of a token that was made for the same query with the same secret."""
    try:
        signed = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (AttributeError, ValueError):
        raise InvalidCursor("the cursor is damaged") from None
    signature, payload = signed[:_SIGNATURE_BYTES], signed[_SIGNATURE_BYTES:]
    expected = _sign(payload, _query(source, key_condition, asc, filter_expression), secret)
    if not hmac.compare_digest(signature, expected):
        raise InvalidCursor("the cursor is damaged, signed with another secret, or belongs to another query")
    raw = json.loads(payload)
    return Offset.served(source.key.from_row(raw), raw)


def _query(
    source: Source[Any, Any], key_condition: KeyCondition[Any], asc: bool, filter_expression: Condition | None
) -> bytes:
    """What the query asks for, its page and its projection aside."""
    body = source.query_body(
        key_range(key_condition, source.key),
        asc=asc,
        consistent_read=False,
        filter_expression=filter_expression,
        counting=True,
    )
    return _canonical(body)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sign(payload: bytes, query: bytes, secret: str | bytes) -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    if not key:
        raise EncodingError("the secret of a cursor is empty; anyone could sign with it")
    return hmac.digest(key, len(payload).to_bytes(8, "big") + payload + query, "sha256")
