"""Batches of which a part is left over, as DynamoDB answers them when it has no room for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Row = dict[str, Any]

LEFTOVERS: Final = {"BatchGetItem": "UnprocessedKeys", "BatchWriteItem": "UnprocessedItems"}
"""The member of an answer that carries what is left over, by operation."""


@dataclass(frozen=True)
class Part:
    """A batch of one table, taken apart.

    Attributes:
        body: the batch of the rows that are taken; ``None`` if none is.
        left: what an answer says of the rows that are left over; empty if none is.
    """

    body: bytes | None
    left: dict[str, Any]


def split(body: bytes, leave: Callable[[Row], bool]) -> Part:
    """Take a batch apart.

    Args:
        body: the batch.
        leave: whether a row, as the batch has it, is left over.
    """
    ((table, asked),) = json.loads(body)["RequestItems"].items()
    rows = rows_of(body)
    left = [row for row in rows if leave(row)]
    taken = [row for row in rows if row not in left]

    def of(some: list[Row]) -> Any:
        return {table: {**asked, "Keys": some} if isinstance(asked, dict) else some}

    part = json.dumps({"RequestItems": of(taken)}).encode() if taken else None
    return Part(part, of(left) if left else {})


def rows_of(body: bytes) -> list[Row]:
    """The rows of a batch."""
    (asked,) = json.loads(body)["RequestItems"].values()
    rows: list[Row] = asked["Keys"] if isinstance(asked, dict) else asked
    return rows


def answer_of(operation: str, content: bytes | None, part: Part) -> bytes:
    """The answer to a batch.

    Args:
        operation: the API operation.
        content: what the service answered to the rows that were taken; ``None`` if it was not asked.
        part: the batch.
    """
    nothing: dict[str, Any] = {"Responses": {}} if operation == "BatchGetItem" else {}
    told: dict[str, Any] = nothing if content is None else json.loads(content)
    return json.dumps({**told, LEFTOVERS[operation]: part.left}).encode()
