"""Writes ready to be sent: what their answers mean, and why they were refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from logicaldb.errors import (
    ConditionFailed,
    CounterOutOfBounds,
    DecodingError,
    ItemAlreadyExists,
    ItemNotFound,
    VersionConflict,
)
from logicaldb.flow import Flow, Request, ServiceFailure
from logicaldb.operations.updates import Guard
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.sets import Operation

Action: TypeAlias = Literal["Put", "Update", "Delete", "ConditionCheck"]

CONDITION_FAILED = "ConditionalCheckFailedException"


@dataclass(frozen=True, slots=True)
class Write:
    """One write, ready to be sent alone or as a part of a transaction.

    Attributes:
        operation: what the caller asked for.
        action: the action of DynamoDB.
        table: the physical table.
        key: the primary key.
        parameters: the parameters of the action, table and key aside.
        returns: which attributes the result needs.
        result: the result, of the attributes that the service returned.
        refuse: the error of a failed condition, of the stored row.
        alone: another form of the write, for where it is not part of a transaction.
    """

    operation: Operation
    action: Action
    table: str
    key: Row
    parameters: dict[str, Any]
    returns: Literal["NONE", "ALL_NEW", "ALL_OLD"]
    result: Callable[[Row | None], Any]
    refuse: Callable[[Row | None], ConditionFailed]
    alone: Callable[[], Flow[Any]] | None = None

    def action_body(self) -> dict[str, Any]:
        """The action as a transaction takes it."""
        body: dict[str, Any] = {"TableName": self.table, **self.parameters}
        if self.action != "Put":
            body["Key"] = self.key
        if "ConditionExpression" in body:
            body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return body


def send(write: Write) -> Flow[Any]:
    """Send one write by itself."""
    if write.alone is not None:
        return (yield from write.alone())
    body = write.action_body()
    if write.returns != "NONE":
        body["ReturnValues"] = write.returns
    try:
        answer: dict[str, Any] = yield Request(f"{write.action}Item", write.table, body)
    except ServiceFailure as failure:
        if failure.code == CONDITION_FAILED:
            raise write.refuse(failure.body.get("Item")) from failure.error
        raise
    return write.result(answer.get("Attributes"))


@dataclass(frozen=True, slots=True)
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
        if self.create:
            return ItemAlreadyExists(f"{self.operation}: there is an item already", **found)
        if row is None and self.existing:
            return ItemNotFound(f"{self.operation}: there is no such item", key=self.operation.key, operation=self.operation)
        if self.version is not None and self._stored_version(row) != self.version:
            return VersionConflict(
                f"{self.operation}: the stored version is not the expected one", expected=self.version, **found
            )
        for guard in self.guards:
            if row is not None and not guard.holds(row):
                return CounterOutOfBounds(f"{self.operation}: {guard.attribute} would leave its bounds", **found)
        return ConditionFailed(f"{self.operation}: the condition does not hold", **found)

    def _stored_version(self, row: Row | None) -> Decimal | None:
        version = self.item.version
        wire = None if row is None or version is None else row.get(version.attributes[0])
        if wire is None:
            return Decimal(0)
        return Decimal(wire["N"]) if "N" in wire else None
