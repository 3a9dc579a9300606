"""Transactions: consistent snapshots, and writes that take effect together or not at all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias
from uuid import uuid4

from logicaldb.codec.limits import MAX_TRANSACTION_BYTES, MAX_TRANSACTION_OPERATIONS, item_size, value_size
from logicaldb.codec.values import WireValue
from logicaldb.codec.writing import JsonText, most_bytes, plain
from logicaldb.errors import (
    AmbiguousWrite,
    LimitExceeded,
    LogicalDbError,
    ThroughputExceeded,
    TransactionCanceled,
)
from logicaldb.flow import Flow, Request, ServiceFailure, Unanswered
from logicaldb.items import Item, ItemKey
from logicaldb.operations.contention import CANCELED, CONFLICT, THROTTLED, patiently
from logicaldb.operations.rows import Rows, check_distinct
from logicaldb.operations.single import IN_PROGRESS
from logicaldb.operations.writes import Write
from logicaldb.sets import ItemSet, Operation, OperationFailure, TransactionWriteSet, check_set

KNOWN_SECONDS: Final = 10 * 60
"""How long the service knows a token
(https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html)."""
TOKEN_SECONDS: Final = 9 * 60
"""How long a token is used; a request may be under way for a while."""
_PLACEHOLDER: Final = re.compile(r"[#:]\w+")
_EXPRESSIONS: Final = ("UpdateExpression", "ConditionExpression")
_NAMED: Final = 3
"""How many operations a message names of a set that failed as a whole."""


Outcome: TypeAlias = Literal["not written", "unknown", "written"]


@dataclass(slots=True)
class SentTransaction:
    """What of a ``TransactionWriteSet`` is sent, each time it is sent. It can be pickled, as the set can.

    Attributes:
        operations: the operations, as they were prepared.
        tables: the physical tables of the operations.
        items: the items as they are written, as far as that can be told without reading.
        body: the request.
        at: when it was fixed, in seconds.
        outcome: what is known of what came of it, however often it was sent.
    """

    operations: Sequence[Operation]
    tables: Sequence[str]
    items: Sequence[Item | None]
    body: dict[str, Any]
    at: float
    outcome: Outcome = "not written"

    def note(self, outcome: Outcome) -> None:
        """Take note of what came of sending it; what is known to be written stays so, whatever comes of a repetition."""
        if self.outcome != "written":
            self.outcome = outcome


def wall_time() -> float:
    """The time in seconds, which goes on while the machine sleeps."""
    return time.time()  # looked up each time, so that a test can stand in for it


def load(keys: Iterable[ItemKey[Any]], rows: Rows) -> Flow[ItemSet]:
    """The items of up to 100 keys, all as they were at one moment.

    Raises:
        TypeError: something is no key of the db.
        EncodingError: a key lacks fields, or a value of it cannot be stored.
        DuplicateItem: two keys of different types are about one row.
        LimitExceeded: there are more than 100 keys.
        TransactionCanceled: writes of others stood in the way, and the retries are spent.
        ThroughputExceeded: the service throttled the transaction, and the retries are spent.
        DecodingError: a row is not valid for the type of its key.
    """
    places = rows.places(keys)
    if len(places) > MAX_TRANSACTION_OPERATIONS:
        raise LimitExceeded(
            f"a transaction reads up to {MAX_TRANSACTION_OPERATIONS} items, not {len(places)}; "
            "batch_load takes any number of keys, but gives no snapshot"
        )
    if not places:
        return ItemSet({})
    body = {"TransactItems": [{"Get": {"TableName": place.table, "Key": place.row}} for place in places]}
    try:
        answer = yield from patiently(lambda: _answer("TransactGetItems", places[0].table, body))
    except ServiceFailure as failure:
        if failure.code != CANCELED:
            raise
        failures = _failures(failure, [Operation("load", place.key) for place in places], rows)
        raise _canceled("nothing was read", failures) from failure.error
    found = (response.get("Item") for response in answer["Responses"])
    return ItemSet({place.key: place.decode(row) for place, row in zip(places, found, strict=True)})


def write(writes: TransactionWriteSet, rows: Rows, now: Callable[[], float] = wall_time) -> Flow[ItemSet]:
    """Write a set: all of it, or nothing.

    Args:
        writes: the operations.
        rows: where the rows are.
        now: the time in seconds.

    Returns:
        The items as they were written, as far as that can be told without reading.

    Raises:
        TypeError: it is no set, or something in it belongs to another type or db.
        EncodingError: something cannot be stored.
        LimitExceeded: there are more than 100 operations, or more than 4 MB.
        DuplicateItem: two operations are about one row.
        TransactionCanceled: nothing was written; its failures say why.
        ThroughputExceeded: the service throttled the transaction, and the retries are spent; nothing was written.
        AmbiguousWrite: it was sent, now or before, and it cannot be told whether it took effect.
        LogicalDbError: it was sent before, to other tables or too long ago.
    """
    if not check_set(writes).size:
        return ItemSet({})
    with writes._fixing:
        sent = writes._sent = _to_send(writes, rows, now())
    before = sent.outcome
    sent.note("unknown")  # and so it stays if this is interrupted
    try:
        yield from patiently(lambda: _answer("TransactWriteItems", sent.tables[0], sent.body))
    except Exception as error:
        outcome = _outcome(error, before)
        sent.note(outcome)
        cause = error.error if isinstance(error, ServiceFailure | Unanswered) else error
        if outcome == "unknown":
            raise _ambiguous(writes) from cause
        if isinstance(error, ServiceFailure) and error.code == CANCELED:
            raise _canceled("nothing was written", _failures(error, sent.operations, rows)) from cause
        raise
    sent.note("written")
    return ItemSet.of_pairs(
        [(operation.key, item) for operation, item in zip(sent.operations, sent.items, strict=True)]
    )


def _outcome(error: Exception, before: Outcome) -> Outcome:
    """What is known of what came of a transaction, after an error and what was known before.

    A cancellation tells that nothing was written, also by what was sent before and not answered: under its token that would
    have been answered as the success it was. All other errors tell at most that nothing was written this time.
    """
    if isinstance(error, ThroughputExceeded) or (isinstance(error, ServiceFailure) and error.code == CANCELED):
        return "not written"
    if isinstance(error, ServiceFailure):
        return "unknown" if error.ambiguous or error.code == IN_PROGRESS else before
    return "unknown" if isinstance(error, Unanswered) else before


def _answer(operation: str, table: str, body: dict[str, Any]) -> Flow[dict[str, Any]]:
    answer: dict[str, Any] = yield Request(operation, table, body)
    return answer


def _to_send(writes: TransactionWriteSet, rows: Rows, now: float) -> SentTransaction:
    """What was sent before, as long as its token is good, else what is to be sent from now on."""
    sent = writes._sent
    if sent is None:
        check_count(writes)
        return fix(writes, [rows.prepare(operation) for operation in writes.operations], now)
    tables = [rows.table_of(operation.key) for operation in sent.operations]
    if tables != sent.tables:
        raise LogicalDbError(
            f"{_named(writes)}: was sent to other tables, which fixed what it sends; make another TransactionWriteSet"
        )
    age = now - sent.at  # below 0 where somebody has set the clock, and then it tells nothing
    if 0 <= age < TOKEN_SECONDS:
        return sent
    if sent.outcome == "unknown":
        raise AmbiguousWrite(
            f"{_named(writes)}: was sent more than {TOKEN_SECONDS // 60} minutes ago, and no answer told whether "
            "it took effect; its idempotency token is too old to send it again, so look at what is stored",
            operation=writes,
        )
    if sent.outcome == "written" and age < KNOWN_SECONDS:
        raise LogicalDbError(
            f"{_named(writes)}: was written more than {TOKEN_SECONDS // 60} minutes ago, so its idempotency token is too "
            "old to send it again; make another TransactionWriteSet to write it once more"
        )
    if writes.token is not None:
        raise LogicalDbError(
            f"{_named(writes)}: was sent more than {TOKEN_SECONDS // 60} minutes ago under a token of yours, "
            "which DynamoDB is about to forget; make another TransactionWriteSet"
        )
    return fix(writes, [rows.prepare(operation) for operation in writes.operations], now)


def check_count(writes: TransactionWriteSet) -> None:
    """Refuse more operations than a transaction takes.

    Raises:
        LimitExceeded: there are more; it names the first that is too many.
    """
    if writes.size > MAX_TRANSACTION_OPERATIONS:
        raise LimitExceeded(
            f"a transaction takes up to {MAX_TRANSACTION_OPERATIONS} operations, not {writes.size}: the first too many is "
            f"{writes.operations[MAX_TRANSACTION_OPERATIONS]}; a writing pager takes any number, a page at a time"
        )


def fix(writes: TransactionWriteSet, prepared: Sequence[Write], now: float) -> SentTransaction:
    """What a set sends from now on.

    Args:
        writes: the set.
        prepared: its operations, prepared.
        now: the time in seconds.

    Raises:
        DuplicateItem: two operations are about one row.
        LimitExceeded: there are more than 4 MB.
    """
    check_distinct(prepared)
    actions = [write.action_text() for write in prepared]
    if sum(map(_most_bytes, prepared, actions)) > MAX_TRANSACTION_BYTES:
        _check_bytes(prepared)
    token = uuid4().hex if writes.token is None else writes.token
    return SentTransaction(
        operations=[write.operation for write in prepared],
        tables=[write.table for write in prepared],
        items=[_written(write) for write in prepared],
        body={
            "TransactItems": JsonText(f"[{','.join(actions)}]"),
            "ClientRequestToken": token,
        },
        at=now,
    )


def _check_bytes(prepared: Sequence[Write]) -> None:
    sizes = [bytes_of(write) for write in prepared]
    if sum(sizes) > MAX_TRANSACTION_BYTES:
        largest = max(range(len(sizes)), key=sizes.__getitem__)
        raise LimitExceeded(
            f"a transaction takes up to {MAX_TRANSACTION_BYTES} bytes, not {sum(sizes)}: the largest operation is "
            f"{prepared[largest].operation} with {sizes[largest]}"
        )


def _most_bytes(write: Write, action: str) -> int:
    """What a write brings into a transaction at most, by the JSON text of its action."""
    most = most_bytes(action)
    for name in _EXPRESSIONS:
        expression = write.parameters.get(name)
        if expression is not None:
            most += most_bytes(action) * _repeated(expression)
    return most


@lru_cache(maxsize=256)
def _repeated(expression: str) -> int:
    """How many names and values an expression repeats, at most; another one before it may have them too."""
    return len(_PLACEHOLDER.findall(expression))


def bytes_of(write: Write) -> int:
    """What a write brings into a transaction, as DynamoDB Local counts it, which refuses a byte too many.

    It is the item or the key, and the text of the expressions with each name and value as often as they occur.
    """
    parameters: dict[str, Any] = plain(write.parameters)
    names: Mapping[str, str] = parameters.get("ExpressionAttributeNames", {})
    values: Mapping[str, WireValue] = parameters.get("ExpressionAttributeValues", {})
    size = item_size(parameters.get("Item", write.key))
    for expression in _EXPRESSIONS:
        text: str = parameters.get(expression, "")
        size += len(text.encode())
        for placeholder in _PLACEHOLDER.findall(text):
            size += value_size(values[placeholder]) if placeholder in values else len(names[placeholder].encode())
    return size


def _written(write: Write) -> Item | None:
    """The item as it was written, where that can be told without reading."""
    if write.returns != "NONE":
        return None
    item: Item | None = write.result(None)
    return item


def _failures(failure: ServiceFailure, operations: Sequence[Operation], rows: Rows) -> list[OperationFailure]:
    """The reasons of a cancellation, put to the operations."""
    reasons: Sequence[Mapping[str, Any]] = failure.body.get("CancellationReasons") or ()
    failures: list[OperationFailure] = []
    for index, (operation, reason) in enumerate(zip(operations, reasons, strict=False)):
        code: str = reason.get("Code", "None")
        error: LogicalDbError | None = None
        if code == "ConditionalCheckFailed":
            error = rows.prepare(operation).refuse(reason.get("Item"))
        elif code in THROTTLED:
            error = ThroughputExceeded(f"{operation}: DynamoDB throttled it, and the retries are spent")
        if code != "None":
            failures.append(OperationFailure(operation, index, code, error))
    return failures


def _canceled(outcome: str, failures: list[OperationFailure]) -> TransactionCanceled:
    told = [str(one.error) if one.error is not None else _reason(one) for one in failures]
    return TransactionCanceled(
        f"{outcome}: {'; '.join(told) or 'DynamoDB cancelled the transaction and gave no reasons'}", failures=failures
    )


def _reason(failure: OperationFailure) -> str:
    if failure.code in CONFLICT:
        return f"{failure.operation}: another write of the item was under way each time ({failure.code})"
    return f"{failure.operation}: {failure.code}"


def _ambiguous(writes: TransactionWriteSet) -> AmbiguousWrite:
    return AmbiguousWrite(
        f"{_named(writes)}: was sent, and no answer tells whether it took effect; "
        "send the same TransactionWriteSet again, or execute the same pager again",
        operation=writes,
    )


def _named(writes: TransactionWriteSet) -> str:
    """The operations of a set, the first of them by name."""
    names = [str(operation) for operation in writes.operations[:_NAMED]]
    if writes.size > _NAMED:
        names.append(f"{writes.size - _NAMED} more")
    return f"the transaction ({', '.join(names)})"
