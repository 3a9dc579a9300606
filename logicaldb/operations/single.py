"""One item: reading it, and writing it so that it takes effect once however often it is sent."""

from __future__ import annotations

import random
from typing import Any, Final

from pydantic import BaseModel

from logicaldb.errors import EncodingError
from logicaldb.flow import Flow, Request, ServiceFailure, Sleep
from logicaldb.operations.writes import Write, send
from logicaldb.schema.items import Row
from logicaldb.schema.keys import KeySchema

CONFLICT: Final = frozenset({"TransactionConflict", "TransactionConflictException"})
MAX_TOKEN: Final = 36
"""Characters; https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html"""
_TRIES: Final = 8
_FIRST_PAUSE: Final = 0.025
_LONGEST_PAUSE: Final = 1.0


def load(table: str, key: KeySchema, value: BaseModel, *, consistent_read: bool) -> Flow[Any]:
    """The item of a key, ``None`` where there is none."""
    row = yield from get_row(table, key.primary(value), consistent_read=consistent_read)
    return None if row is None else key.item.decode(row)


def get_row(table: str, key: Row, *, consistent_read: bool) -> Flow[Row | None]:
    """The row of a key, ``None`` where there is none."""
    body: dict[str, Any] = {"TableName": table, "Key": key}
    if consistent_read:
        body["ConsistentRead"] = True
    answer: dict[str, Any] = yield Request("GetItem", table, body)
    row: Row | None = answer.get("Item")
    return row


def write(prepared: Write, idempotency_token: str | None) -> Flow[Any]:
    """Send one write, by itself or under a token; contention with transactions is retried."""
    tries = 0
    while True:
        tries += 1
        try:
            if idempotency_token is None:
                return (yield from send(prepared))
            return (yield from _send_once(prepared, _checked(idempotency_token)))
        except ServiceFailure as failure:
            if tries == _TRIES or not is_contention(failure):
                raise
        yield Sleep(pause(tries))


def is_contention(failure: ServiceFailure) -> bool:
    """Whether nothing but a transaction under way stood in the way, so that another try may succeed."""
    if failure.code == "TransactionCanceledException":
        codes = {reason.get("Code", "None") for reason in failure.body.get("CancellationReasons", ())}
        return bool(codes & CONFLICT) and codes <= {*CONFLICT, "None"}
    return failure.code in CONFLICT


def pause(tries: int) -> float:
    """How long to wait before the next try: exponential, with full jitter."""
    return random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**tries))  # noqa: S311  # no secret depends on it


def _checked(token: str) -> str:
    if not 1 <= len(token) <= MAX_TOKEN:
        raise EncodingError(f"an idempotency token has 1 to {MAX_TOKEN} characters, not {len(token)}")
    return token


def _send_once(prepared: Write, token: str) -> Flow[Any]:
    """A transaction of one action: the service applies it once for a token, for 10 minutes."""
    old = None
    if prepared.returns == "ALL_OLD":  # a transaction returns no attributes, and afterwards there are none
        old = yield from get_row(prepared.table, prepared.key, consistent_read=True)
    body = {"TransactItems": [{prepared.action: prepared.action_body()}], "ClientRequestToken": token}
    try:
        yield Request("TransactWriteItems", prepared.table, body)
    except ServiceFailure as failure:
        reason = next(iter(failure.body.get("CancellationReasons", ())), {})
        if reason.get("Code") == "ConditionalCheckFailed":
            raise prepared.refuse(reason.get("Item")) from failure.error
        raise
    if prepared.returns == "ALL_NEW":
        row = yield from get_row(prepared.table, prepared.key, consistent_read=True)
        return prepared.result(row)
    return prepared.result(old)
