"""A service that does half of each batch and leaves over the rest, which no engine does of itself."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


class _Body(BytesIO):
    """What botocore reads an answer from."""

    def stream(self, *_: Any, **__: Any) -> Any:
        """The body in one piece."""
        yield self.read()


def leave_over(client: Any, through: Any) -> None:
    """Let a client get answers to batches that do half of them.

    Args:
        client: the client.
        through: another client, which does the halves.
    """

    def answer(request: Any, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rpartition(".")[2]
        asked: dict[str, Any] = json.loads(request.body)["RequestItems"]
        reading = operation == "BatchGetItem"
        flat = [(table, one) for table, of in asked.items() for one in (of["Keys"] if reading else of)]
        half = (len(flat) + 1) // 2
        if half == len(flat):
            return None

        def batch(some: list[tuple[str, Any]]) -> dict[str, Any]:
            tables: dict[str, list[Any]] = {}
            for table, one in some:
                tables.setdefault(table, []).append(one)
            return {table: {**asked[table], "Keys": of} if reading else of for table, of in tables.items()}

        method = through.batch_get_item if reading else through.batch_write_item
        done = method(RequestItems=batch(flat[:half]))
        done.pop("ResponseMetadata")
        done["UnprocessedKeys" if reading else "UnprocessedItems"] = batch(flat[half:])
        body = json.dumps(done).encode()
        return AWSResponse(request.url, 200, HTTPHeaders(), _Body(body))

    for operation in ("BatchGetItem", "BatchWriteItem"):
        client.meta.events.register(f"before-send.dynamodb.{operation}", answer)
