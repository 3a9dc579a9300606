"""A service that answers what a test wants, in the place of DynamoDB, and remembers what was sent."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any
from zlib import crc32

from botocore.awsrequest import AWSResponse

from logicaldb.testing.clients import make_test_client


class Service:
    """Answers with one row, wherever an answer has one.

    Attributes:
        client: a client of it.
        requests: the operations and bodies that were sent.
        row: the row.
        error: the code of the error that is answered instead; of conditions and transactions, with the row.
    """

    def __init__(self) -> None:
        self.client: Any = make_test_client("http://127.0.0.1:9", "us-east-1")
        self.requests: list[tuple[str, Any]] = []
        self.row: Any = {}
        self.error: str | None = None
        self.client.meta.events.register("before-send.dynamodb", self._answer)

    def _answer(self, event_name: str, request: Any, **_: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        self.requests.append((operation, json.loads(request.body)))
        status, body = self._answer_of(operation)
        content = json.dumps(body).encode()
        headers: Any = {"x-amz-crc32": str(crc32(content)), "content-type": "application/x-amz-json-1.0"}
        return AWSResponse(request.url, status, headers, _Content(content))

    def _answer_of(self, operation: str) -> tuple[int, dict[str, Any]]:
        if self.error is None:
            rows = [] if self.row is None else [self.row]
            return 200, {
                "Item": self.row,
                "Attributes": self.row,
                "Items": rows,
                "Count": len(rows),
                "Responses": [{"Item": self.row}] if operation.startswith("Transact") else {"hostile": rows},
            }
        code = "TransactionConflict" if operation == "TransactGetItems" else "ConditionalCheckFailed"
        reason = {"Code": code, "Item": self.row}
        return 500 if self.error == "InternalServerError" else 400, {
            "__type": f"com.amazonaws.dynamodb.v20120810#{self.error}",
            "message": "refused",
            "Item": self.row,
            "CancellationReasons": [reason],
        }


class _Content:
    """The body of an answer, as botocore reads it."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def stream(self, **_: Any) -> Generator[bytes]:
        yield self.content
