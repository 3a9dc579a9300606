"""Cursors for web pages: offsets as signed text, bound to the query they belong to."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final

from logicaldb.codec.values import describe
from logicaldb.errors import EncodingError, InvalidCursor
from logicaldb.expressions import Condition, KeyCondition
from logicaldb.operations.ranges import key_range
from logicaldb.operations.reading import Source
from logicaldb.pages import Offset

_PURPOSE: Final = b"logicaldb cursor 1"
"""Goes into the key: a secret that signs other things too signs no cursors with them."""
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
    """The text of an offset, signed.

    Raises:
        TypeError: something is of the wrong type.
        EncodingError: the offset is of another query, or the secret is empty.
    """
    partition = key_range(key_condition, source.key).partition
    payload = _canonical(source.start_key(offset, partition))
    return _text(_sign(payload, _query(source, key_condition, asc, filter_expression), secret) + payload)


def from_token(
    source: Source[Any, Any],
    token: str,
    key_condition: KeyCondition[Any],
    *,
    secret: str | bytes,
    asc: bool,
    filter_expression: Condition | None,
) -> Offset[Any]:
    """The offset of a token that was made for the same query with the same secret.

    Raises:
        InvalidCursor: it was not.
    """
    signed = _bytes(token)
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


def _text(signed: bytes) -> str:
    return urlsafe_b64encode(signed).rstrip(b"=").decode()


def _bytes(token: str) -> bytes:
    """The bytes of a token, which is in the one form that ``_text`` gives; base64 has others, and so have damaged tokens."""
    try:
        signed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (TypeError, ValueError):
        signed = b""
    if _text(signed) != token:
        raise InvalidCursor("the cursor is damaged")
    return signed


def _canonical(value: Any) -> bytes:
    return json.dumps(_in_order(value), sort_keys=True, separators=(",", ":")).encode()


def _in_order(value: Any) -> Any:
    """The same value with its sets in an order: that of Python's sets is another in every process."""
    if isinstance(value, dict):
        # A map may have a key that is named like a set, but holds no list under it.
        return {
            name: sorted(held) if name in ("SS", "NS", "BS") and isinstance(held, list) else _in_order(held)
            for name, held in value.items()
        }
    return [_in_order(held) for held in value] if isinstance(value, list) else value


def _sign(payload: bytes, query: bytes, secret: str | bytes) -> bytes:
    if not isinstance(secret, str | bytes):
        raise TypeError(f"the secret of a cursor is a str or bytes, not {describe(secret)}")
    if not secret:
        raise EncodingError("the secret of a cursor is empty; anyone could sign with it")
    key = hashlib.sha256(_PURPOSE + (secret.encode() if isinstance(secret, str) else secret)).digest()
    return hmac.digest(key, len(payload).to_bytes(8, "big") + payload + query, "sha256")
