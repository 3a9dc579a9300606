"""Writes ready to be sent: what their answers mean, and why they were refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from logicaldb.codec.generic import number_in
from logicaldb.codec.writing import to_json
from logicaldb.errors import (
    AmbiguousWrite,
    ConditionFailed,
    CounterOutOfBounds,
    DecodingError,
    ItemAlreadyExists,
    ItemNotFound,
    VersionConflict,
)
from logicaldb.expressions import Context, Placeholders, check_condition, check_length, check_operators
from logicaldb.flow import Flow, Request, ServiceFailure, Unanswered
from logicaldb.operations.changes import Changes
from logicaldb.operations.counters import Guard
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.reading import ReadAnswer
from logicaldb.sets import Operation

Identity: TypeAlias = tuple[Any, ...]
"""What is the same for two keys of one row, and different for two rows."""
Action: TypeAlias = Literal["Put", "Update", "Delete", "ConditionCheck"]

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
UNANSWERED: Final = "was sent, and no answer tells whether it took effect"
_AGAINST_ITSELF: Final = (
    "its condition failed after an attempt whose answer was lost, so it may have failed against itself"
)


@dataclass(slots=True)  # not frozen, for one is made for every write, and a frozen one takes more than twice the time
class Write:
    """One write, ready to be sent alone or as a part of a transaction.

    Attributes:
        operation: what the caller asked for.
        action: the action of DynamoDB.
        table: the physical table.
        key: the primary key.
        parameters: the parameters of the action, table and key aside.
        refuse: the error of a failed condition, of the stored row.
        returns: which attributes the result needs.
        result: the result, of the attributes that the service returned; ``None`` where there is no row.
        alone: another form of the write, for where it is not part of a transaction.
        repeatable: whether a second application changes nothing, or fails; so it may be sent again when the answer is lost.
        read: reads an answer with the attributes that were asked for at once as an item, where that can be done.
        decided: whether a failed condition says what is to be known, even if it failed against an earlier attempt.
    """

    operation: Operation
    action: Action
    table: str
    key: Row
    parameters: dict[str, Any]
    refuse: Callable[[Row | None], ConditionFailed]
    returns: Literal["NONE", "ALL_NEW", "UPDATED_NEW", "ALL_OLD"] = "NONE"
    result: Callable[[Row | None], Any] = lambda _: None
    alone: Callable[[], Flow[Any]] | None = None
    repeatable: bool = True
    decided: bool = False
    read: Callable[[bytes], ReadAnswer] | None = None

    @property
    def identity(self) -> Identity:
        """What tells the row from others."""
        return identity_of(self.table, self.key)

    def ambiguous(self, problem: str, item: Any = None) -> AmbiguousWrite:
        """The error of an outcome that cannot be told; ``item`` is what is stored, as far as it is known."""
        return AmbiguousWrite(
            f"{self.operation}: {problem}", operation=self.operation, key=self.operation.key, item=item
        )

    def action_body(self) -> dict[str, Any]:
        """The action as a transaction takes it."""
        body: dict[str, Any] = {"TableName": self.table, **self.parameters}
        if self.action != "Put":
            body["Key"] = self.key
        if "ConditionExpression" in body:
            body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return body

    def action_text(self) -> str:
        """The JSON text of the action, as an element of a transaction."""
        return to_json({self.action: self.action_body()})


def identity_of(table: str, key: Row) -> Identity:
    """What tells a row from others; numbers that are equal are one, however they are written."""
    identity: list[Any] = [table]
    for name in sorted(key):
        ((form, held),) = key[name].items()
        identity += (name, form, Decimal(held) if form == "N" else held)
    return tuple(identity)


@dataclass(slots=True)
class _Part:
    """An expression of a write, whose text messages show; it is made for each, and hardly ever shown."""

    operation: Operation
    name: str

    def __str__(self) -> str:
        return f"{self.operation}: the {self.name}"


def parameters(
    operation: Operation,
    item: ItemSchema,
    conditions: Iterable[str],
    placeholders: Placeholders,
    changes: Changes | None = None,
) -> dict[str, Any]:
    """The expressions of a write: our conditions and the caller's, and what changes.

    The caller's stands in parentheses, lest an OR in it weaken ours.

    Raises:
        TypeError: the condition is none, or is about another item type.
        EncodingError: a value in it cannot be stored.
        LimitExceeded: an expression is too long.
    """
    texts = list(conditions)
    if operation.condition is not None:
        texts.append(check_condition(operation.condition).encode(Context((item,), placeholders)))
    expressions = {} if changes is None else {"UpdateExpression": changes.expression()}
    expressions["ConditionExpression"] = texts[0] if len(texts) == 1 else " AND ".join(f"({text})" for text in texts)
    if operation.condition is not None or operation.updates:  # what else there is, is an item whose size was checked
        placeholders.check_size(operation)
    checked: dict[str, Any] = {}
    for name, text in expressions.items():
        if text:
            check = check_length if name == "UpdateExpression" else check_operators
            checked[name] = check(_Part(operation, name), text)
    return checked | placeholders.parameters()


def send(write: Write) -> Flow[Any]:
    """Send one write by itself.

    Raises:
        ConditionFailed: the condition does not hold, with its subclasses for the parts that are ours.
        AmbiguousWrite: it was sent, and it cannot be told whether it took effect.
    """
    if write.alone is not None:
        return (yield from write.alone())
    body = write.action_body()
    if write.returns != "NONE":
        body["ReturnValues"] = write.returns
    try:
        answer: dict[str, Any] = yield Request(f"{write.action}Item", write.table, body, write.repeatable, write.read)
    except Unanswered as unanswered:
        raise write.ambiguous(UNANSWERED) from unanswered.error
    except ServiceFailure as failure:
        if failure.code == CONDITION_FAILED:
            refused = write.refuse(failure.body.get("Item"))
            if failure.ambiguous and not write.decided:
                raise write.ambiguous(_AGAINST_ITSELF, refused.item) from failure.error
            raise refused from failure.error
        if failure.ambiguous:
            raise write.ambiguous(UNANSWERED) from failure.error
        raise
    attributes = answer.get("Attributes")
    if attributes is not None and isinstance(answer, ReadAnswer):
        return attributes
    return write.result(attributes or None)  # moto gives empty ones where there was no row


@dataclass(slots=True)  # not frozen, as ``Write``
class Refusal:
    """Reads a failed condition: which part of it failed, by the stored row.

    Attributes:
        operation: the write.
        item: the item type.
        create: whether there had to be no item.
        existing: whether there had to be one.
        version: the expected version, ``None`` where it did not matter.
        guards: the bounds of counters.
    """

    operation: Operation
    item: ItemSchema
    create: bool = False
    existing: bool = False
    version: int | None = None
    guards: Sequence[Guard] = ()

    def __call__(self, row: Row | None) -> ConditionFailed:
        """The error for a stored row; ``None`` where there is none."""
        found: dict[str, Any] = {"operation": self.operation}
        if row is not None:
            try:
                found["item"] = self.item.decode(row)
            except DecodingError as undecodable:
                found["undecodable"] = undecodable
        if self.create and (row is not None or self.operation.condition is None):
            return ItemAlreadyExists(f"{self.operation}: there is an item already", **found)
        if row is None and self.existing:
            return ItemNotFound(
                f"{self.operation}: there is no such item", key=self.operation.key, operation=self.operation
            )
        if self.version is not None and _stored_version(self.item, row) != self.version:
            return VersionConflict(
                f"{self.operation}: the stored version is not the expected one", expected=self.version, **found
            )
        for guard in self.guards:
            if not guard.holds(row or {}):
                return CounterOutOfBounds(
                    f"{self.operation}: {self.item.name}.{guard.field.name} would leave its bounds", **found
                )
        return ConditionFailed(f"{self.operation}: the condition does not hold", **found)


def _stored_version(item: ItemSchema, row: Row | None) -> int | Decimal | None:
    """The version of a row, ``None`` where it is no number; an absent one is 0."""
    assert item.version is not None
    return number_in((row or {}).get(item.version.attributes[0], {"N": "0"}))
