"""Answers that are read without botocore's endpoint: checksums, and errors as botocore would raise them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zlib import crc32


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Refusal:
    """An answer that is an error.

    Attributes:
        code: the error code.
        body: the answer in wire form; empty where it is not DynamoDB's but of something on the way.
        parsed: what botocore makes of it, with what its model says of the error.
    """

    code: str
    body: dict[str, Any]
    parsed: dict[str, Any]


class ErrorReader:
    """Reads answers that are errors, as a client would.

    Args:
        client: a DynamoDB client.
    """

    __slots__ = ("_exceptions", "_model", "_parser")

    def __init__(self, client: Any) -> None:
        # Imported here, because `import logicaldb` must not cost the import of botocore.
        from botocore.parsers import create_parser  # noqa: PLC0415

        self._parser: Any = create_parser("json")
        self._model = client.meta.service_model
        self._exceptions = client.exceptions

    def read(self, operation: str, status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
        """Read the answer to a request.

        Args:
            operation: the name of the API operation.
            status: its HTTP status.
            headers: its headers.
            body: its body.
        """
        shown = body
        try:
            answer: Any = json.loads(body)
        except ValueError:  # of something on the way; botocore knows what to make of it
            answer = {}
        if not isinstance(answer, dict):  # of this it does not
            answer, shown = {}, b"{}"
        response = {
            "status_code": status,
            "headers": headers,
            "body": shown,
            "context": {"operation_name": operation},
        }
        parsed: dict[str, Any] = self._parser.parse(response, self._model.operation_model(operation).output_shape)
        code: str = parsed.get("Error", {}).get("Code", "Unknown")
        shape = self._model.shape_for_error_code(code)
        if shape is not None:
            parsed.update(self._parser.parse(response, shape))
        return Refusal(code, answer, parsed)

    def error(self, operation: str, refusal: Refusal) -> Exception:
        """Make the exception that the client would raise of such an answer to an operation."""
        error: Exception = self._exceptions.from_code(refusal.code)(refusal.parsed, operation)
        return error


def damage(expected: str | None, content: bytes) -> Exception | None:
    """The error of an answer that is not as it was sent.

    Args:
        expected: its header ``x-amz-crc32``, if it has one.
        content: its body, as it was received.
    """
    if expected is None:
        return None
    actual = str(crc32(content))
    if actual == expected:
        return None
    # Imported here, because `import logicaldb` must not cost the import of botocore.
    from botocore.exceptions import ChecksumError  # noqa: PLC0415

    return ChecksumError(checksum_type="crc32", expected_checksum=expected, actual_checksum=actual)
