"""One item: reading it, and writing it so that it takes effect once however often it is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel

from logicaldb.errors import DecodingError
from logicaldb.flow import Flow, Request, ServiceFailure, Unanswered
from logicaldb.operations.contention import CANCELED, patiently
from logicaldb.operations.writes import UNANSWERED, Write, send
from logicaldb.schema.items import Row
from logicaldb.schema.keys import KeySchema
from logicaldb.schema.reading import ReadAnswer
from logicaldb.sets import check_token

IN_PROGRESS: Final = "TransactionInProgressException"
_SEND_AGAIN: Final = "send it again with the same idempotency token"


def load(table: str, key: KeySchema, value: BaseModel, *, consistent_read: bool) -> Flow[Any]:
    """The item of a key, ``None`` where there is none."""
    read = key.item.reader.item
    answer = yield from _get(table, key.primary(value), consistent_read=consistent_read, read=read)
    found = answer.get("Item")
    return found if found is None or isinstance(answer, ReadAnswer) else key.item.decode(found)


def get_row(table: str, key: Row, *, consistent_read: bool) -> Flow[Row | None]:
    """The row of a key, ``None`` where there is none."""
    answer = yield from _get(table, key, consistent_read=consistent_read, read=None)
    row: Row | None = answer.get("Item")
    return row


def _get(
    table: str, key: Row, *, consistent_read: bool, read: Callable[[bytes], ReadAnswer] | None
) -> Flow[dict[str, Any]]:
    body: dict[str, Any] = {"TableName": table, "Key": key}
    if consistent_read:
        body["ConsistentRead"] = True
    answer: dict[str, Any] = yield Request("GetItem", table, body, read=read)
    return answer


def write(prepared: Write, idempotency_token: str | None) -> Flow[Any]:
    """Send one write, by itself or under a token; contention with transactions is retried.

    Raises:
        TypeError: the token is no text.
        EncodingError: the token has not the length of one.
        ConditionFailed: the condition does not hold, with its subclasses for the parts that are ours.
        AmbiguousWrite: it was sent, and it cannot be told whether it took effect.
        ThroughputExceeded: the service throttled the transaction, and the retries are spent.
    """
    if idempotency_token is None:
        return (yield from patiently(lambda: send(prepared)))
    token = check_token(idempotency_token)
    return (yield from patiently(lambda: _send_once(prepared, token)))


def _send_once(prepared: Write, token: str) -> Flow[Any]:
    """A transaction of one action: the service applies it once for a token, for 10 minutes.

    So it may always be sent again, and one that is cancelled did not fail against an attempt whose answer was lost: that
    one would have been answered as the success it was.
    """
    row: Row | None = None
    if prepared.returns == "ALL_OLD":  # a transaction returns no attributes, and afterwards there are none
        row = yield from get_row(prepared.table, prepared.key, consistent_read=True)
    body = {"TransactItems": [{prepared.action: prepared.action_body()}], "ClientRequestToken": token}
    try:
        yield Request("TransactWriteItems", prepared.table, body)
    except Unanswered as unanswered:
        raise prepared.ambiguous(f"{UNANSWERED}; {_SEND_AGAIN}") from unanswered.error
    except ServiceFailure as failure:
        if failure.code == IN_PROGRESS or (failure.ambiguous and failure.code != CANCELED):
            raise prepared.ambiguous(f"{UNANSWERED}; {_SEND_AGAIN}") from failure.error
        reason: Mapping[str, Any] = next(iter(failure.body.get("CancellationReasons") or ()), {})
        if reason.get("Code") == "ConditionalCheckFailed":
            raise prepared.refuse(reason.get("Item")) from failure.error
        raise
    if prepared.returns in ("ALL_NEW", "UPDATED_NEW"):
        try:
            row = yield from get_row(prepared.table, prepared.key, consistent_read=True)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not look as if nothing was written
            problem = f"took effect, but what is stored now could not be read; {_SEND_AGAIN}"
            raise prepared.ambiguous(problem) from getattr(error, "error", error)
        if row is None:
            key = {name: next(iter(wire.values())) for name, wire in prepared.key.items()}
            raise DecodingError(
                f"{prepared.operation}: the write took effect, but the item was deleted before it could be read",
                key=key,
            )
    return prepared.result(row)
