"""Prepares writes: the one place where versions, counters, times and conditions meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pydantic import BaseModel

from logicaldb.annotations import Counter, CreatedAt, TimeToLive, UpdatedAt
from logicaldb.codec.limits import MAX_ITEM_BYTES, item_size
from logicaldb.errors import DecodingError, EncodingError
from logicaldb.expressions import Attr, Context, Placeholders, Update, check_condition
from logicaldb.flow import Flow, Request, ServiceFailure
from logicaldb.operations.updates import Changes, missing_for_upsert, plan
from logicaldb.operations.writes import CONDITION_FAILED, Refusal, Write
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.keys import KeySchema
from logicaldb.schema.tables import projects
from logicaldb.sets import Operation

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present time, aware of its zone."""


def utc_now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


def increase(counter: Any, by: Any) -> Update:
    """The update that adds to a counter, given as a field or as ``attr(field)``."""
    field: Attr[Any] = counter if isinstance(counter, Attr) else Attr(counter)
    return field.add(by)


class Writer:
    """Prepares the writes of one item type in one table.

    Args:
        table: the physical table.
        item: the item type.
        key: its key type, for messages and for writes by key.
        clock: the time of ``CreatedAt`` and ``UpdatedAt`` fields.
    """

    def __init__(self, table: str, item: ItemSchema, key: KeySchema, clock: Clock) -> None:
        self.table = table
        self.item = item
        self.key = key
        self.clock = clock
        self._local_indexes = [index for index in item.raw.indexes.values() if index.local]
        # The fields that the mapper sets on every write, in the order of declaration.
        self._own_fields = [
            (field.name, type(field.role))
            for field in item.declaration.fields.values()
            if isinstance(field.role, CreatedAt | UpdatedAt | TimeToLive)
        ]

    def operation(self, kind: Any, item: Any, condition: Any = None) -> Operation:
        """An operation on an item, which is checked to be of the type."""
        if type(item) is not self.item.item_type:
            raise TypeError(f"{type(item).__name__} is not {self.item.name}, the type that is written here")
        return Operation(kind, self.key.key_type.of(item), item, condition=condition)  # type: ignore[attr-defined]

    def prepare(self, operation: Operation) -> Write:
        """Prepare a write.

        Raises:
            TypeError: something of it belongs to another item type.
            EncodingError: something of it cannot be stored.
        """
        return _PREPARE[operation.kind](self, operation)

    def save(self, operation: Operation) -> Write:
        """Set every modelled attribute, and remove those that are ``None``."""
        given, item = self._item(operation), self._moved_on(operation)
        stored = self.item.encode_all(item)
        self._check_size({name: wire for name, wire in stored.items() if wire is not None})
        key = self._key_of(stored)
        changes = Changes(Placeholders())
        conditions = self._version_condition(given, changes.placeholders)
        asked = False
        for name, wire in stored.items():
            if name in key:
                continue
            field = self.item.declaration.fields[self.item.stored[name].fields[0]]
            if isinstance(field.role, Counter | CreatedAt) and wire is not None:
                changes.set_if_not_exists((name,), wire)
                asked = True
            else:
                changes.put(name, wire)
        if not changes.sets:
            return self._save_of_nothing(operation, key, changes)
        return Write(
            operation,
            "Update",
            self.table,
            key,
            self._parameters(operation, changes.placeholders, conditions, changes),
            "ALL_NEW" if asked else "NONE",
            self._decoded_after_write if asked else lambda _: item,
            Refusal(operation, self.item, version=self._expected(given)),
        )

    def _save_of_nothing(self, operation: Operation, key: Row, changes: Changes) -> Write:
        """A save that sets nothing must make the row all the same.

        An update that only removes makes no row on AWS, so it is sent for an existing row, and where there is none the
        bare key is put. In a transaction, where there is one action, it is the put.
        """
        item = operation.item
        refuse = Refusal(operation, self.item)
        placeholders = Placeholders()
        put = Write(
            operation,
            "Put",
            self.table,
            key,
            {"Item": key, **self._parameters(operation, placeholders, [])},
            "NONE",
            lambda _: item,
            refuse,
        )
        partition = (self.item.raw.keys.partition,)
        existing = [f"attribute_exists({changes.placeholders.path(partition)})"]
        update_body = {
            "TableName": self.table,
            "Key": key,
            **self._parameters(operation, changes.placeholders, existing, changes),
            **_ALL_OLD_ON_FAILURE,
        }
        fresh = Placeholders()
        absent = [f"attribute_not_exists({fresh.path(partition)})"]
        put_body = {
            "TableName": self.table,
            "Item": key,
            **self._parameters(operation, fresh, absent),
            **_ALL_OLD_ON_FAILURE,
        }

        def alone() -> Flow[Any]:
            if changes.removes or operation.condition is not None:
                while True:
                    row = yield from self._attempt("UpdateItem", update_body)
                    if row.written:
                        return item
                    if row.stored is not None:
                        raise refuse(row.stored) from row.error
                    row = yield from self._attempt("PutItem", put_body)
                    if row.written:
                        return item
                    if row.stored is None:
                        raise refuse(None) from row.error
            yield from self._attempt("PutItem", put_body)
            return item

        return replace(put, alone=alone)

    def _attempt(self, operation: str, body: dict[str, Any]) -> Flow[_Attempt]:
        try:
            yield Request(operation, self.table, body)
        except ServiceFailure as failure:
            if failure.code != CONDITION_FAILED:
                raise
            return _Attempt(False, failure.body.get("Item"), failure.error)
        return _Attempt(True)

    def create(self, operation: Operation) -> Write:
        """Put the row where there is none."""
        version = self._expected(self._item(operation))
        if version:
            raise EncodingError(
                f"{self.item.name}.{self._version_name()}: is above 0, so the item is stored already; "
                "a new item has version 0"
            )
        return self._put(operation, create=True)

    def put(self, operation: Operation) -> Write:
        """Replace the whole row."""
        return self._put(operation, create=False)

    def _put(self, operation: Operation, *, create: bool) -> Write:
        given, item = self._item(operation), self._moved_on(operation)
        row = self.item.encode(item)
        self._check_size(row)
        placeholders = Placeholders()
        if create:
            conditions = [f"attribute_not_exists({placeholders.name(self.item.raw.keys.partition)})"]
        else:
            conditions = self._version_condition(given, placeholders)
        return Write(
            operation,
            "Put",
            self.table,
            self._key_of(row),
            {"Item": row, **self._parameters(operation, placeholders, conditions)},
            "NONE",
            lambda _: item,
            Refusal(operation, self.item, create=create, version=None if create else self._expected(given)),
        )

    def update(self, operation: Operation) -> Write:
        """Change some attributes of an existing row."""
        key = self.key.primary(operation.key)
        changes = Changes(Placeholders())
        given = plan(self.item, operation.updates, changes)
        self._check_upsert(operation, given)
        if not operation.updates and self.item.version is None:
            raise EncodingError(f"{operation}: has no updates; give at least one, such as attr(...).set(...)")
        self._touch(changes, operation)
        return self._update(operation, key, changes, self._decoded_after_write)

    def increment(self, operation: Operation) -> Write:
        """Add to a counter; versions and times stay as they are."""
        key = self.key.primary(operation.key)
        changes = Changes(Placeholders())
        given = plan(self.item, operation.updates, changes)
        self._check_upsert(operation, given)
        if len(changes.guards) != 1:
            raise EncodingError(f"{operation}: increment is for Counter() fields; use update(..., attr(...).add(...))")
        (guard,) = changes.guards
        field = next(f for f in self.item.counters if f.attributes[0] == guard.attribute)

        def count(row: Row | None) -> Any:
            return field.codec.decode((row or {}).get(guard.attribute))

        return self._update(operation, key, changes, count)

    def _update(
        self, operation: Operation, key: Row, changes: Changes, result: Callable[[Row | None], Any]
    ) -> Write:
        conditions: list[str] = []
        if not operation.upsert:
            conditions.append(f"attribute_exists({changes.placeholders.name(self.item.raw.keys.partition)})")
        if operation.if_version is not None:
            conditions += self._if_version(operation, changes.placeholders)
        for guard in changes.guards:
            codec = next(f.values for f in self.item.counters if f.attributes[0] == guard.attribute)
            text = guard.expression(changes.placeholders, codec.encode)
            if text is not None:
                conditions.append(text)
        return Write(
            operation,
            "Update",
            self.table,
            key,
            self._parameters(operation, changes.placeholders, conditions, changes),
            "ALL_NEW",
            result,
            Refusal(
                operation,
                self.item,
                existing=not operation.upsert,
                version=operation.if_version,
                guards=tuple(changes.guards),
            ),
        )

    def _check_upsert(self, operation: Operation, given: frozenset[str]) -> None:
        missing = missing_for_upsert(self.item, given) if operation.upsert else []
        if missing:
            raise EncodingError(
                f"{operation}: upsert=True may make the item, but {' and '.join(missing)} would be missing; set them too"
            )

    def _if_version(self, operation: Operation, placeholders: Placeholders) -> list[str]:
        if self.item.version is None:
            raise EncodingError(f"{operation}: {self.item.name} has no Version() field, so if_version means nothing")
        assert operation.if_version is not None
        return [self._version_text(operation.if_version, placeholders)]

    def _touch(self, changes: Changes, operation: Operation) -> None:
        """What an update changes by itself: the version, and the times."""
        if self.item.version is not None:
            attribute = (self.item.version.attributes[0],)
            changes.set_sum(attribute, {"N": "0"}, {"N": "1"})
        now: datetime | None = None
        for field in self.item.declaration.fields.values():
            if isinstance(field.role, UpdatedAt) or (operation.upsert and isinstance(field.role, CreatedAt)):
                now = now or self._now()
                wire = field.codec.encode(now)
                assert wire is not None
                for attribute_name in field.attributes:
                    if isinstance(field.role, UpdatedAt):
                        changes.set((attribute_name,), wire)
                    else:
                        changes.set_if_not_exists((attribute_name,), wire)

    def delete(self, operation: Operation) -> Write:
        """Delete a row whose version is the item's."""
        item = self._item(operation)
        placeholders = Placeholders()
        conditions = self._version_condition(item, placeholders)
        return self._delete(operation, placeholders, conditions, self._expected(item))

    def delete_key(self, operation: Operation) -> Write:
        """Delete a row."""
        return self._delete(operation, Placeholders(), [], None)

    def _delete(
        self, operation: Operation, placeholders: Placeholders, conditions: list[str], version: int | None
    ) -> Write:
        return Write(
            operation,
            "Delete",
            self.table,
            self.key.primary(operation.key),
            self._parameters(operation, placeholders, conditions),
            "ALL_OLD",
            lambda row: None if row is None else self._decoded_after_write(row),
            Refusal(operation, self.item, version=version),
        )

    def check_condition(self, operation: Operation) -> Write:
        """Require a condition of a row, in a transaction."""
        placeholders = Placeholders()
        return Write(
            operation,
            "ConditionCheck",
            self.table,
            self.key.primary(operation.key),
            self._parameters(operation, placeholders, []),
            "NONE",
            lambda _: None,
            Refusal(operation, self.item),
        )

    def _item(self, operation: Operation) -> BaseModel:
        assert operation.item is not None
        return operation.item

    def _moved_on(self, operation: Operation) -> BaseModel:
        """The item as it will be stored: the next version, the times that the mapper sets, whole seconds to live."""
        item = self._item(operation)
        changed: dict[str, Any] = {}
        now: datetime | None = None
        for name, field in self._own_fields:
            value = getattr(item, name)
            if field is TimeToLive:
                if isinstance(value, datetime) and value.microsecond:
                    changed[name] = value.replace(microsecond=0)
            elif field is not CreatedAt or value is None:
                now = now or self._now()
                changed[name] = now
        if self.item.version is not None:
            changed[self._version_name()] = getattr(item, self._version_name()) + 1
        return item.model_copy(update=changed) if changed else item

    def _now(self) -> datetime:
        now = self.clock()
        if now.tzinfo is None:
            raise EncodingError("the clock gives a datetime without a zone; let it give datetime.now(UTC)")
        return now.astimezone(UTC)

    def _version_name(self) -> str:
        assert self.item.version is not None
        return self.item.version.name

    def _expected(self, item: BaseModel) -> int | None:
        if self.item.version is None:
            return None
        version: int = getattr(item, self.item.version.name)
        return version

    def _version_condition(self, item: BaseModel, placeholders: Placeholders) -> list[str]:
        expected = self._expected(item)
        return [] if expected is None else [self._version_text(expected, placeholders)]

    def _version_text(self, expected: int, placeholders: Placeholders) -> str:
        assert self.item.version is not None
        name = placeholders.name(self.item.version.attributes[0])
        text = f"{name} = {placeholders.value({'N': str(expected)})}"
        return text if expected else f"attribute_not_exists({name}) OR {text}"

    def _parameters(
        self,
        operation: Operation,
        placeholders: Placeholders,
        conditions: Iterable[str],
        changes: Changes | None = None,
    ) -> dict[str, Any]:
        """The expressions of a write. The caller's condition stands in parentheses, lest an OR in it weaken ours."""
        texts = list(conditions)
        if operation.condition is not None:
            context = Context((self.item,), placeholders)
            texts.append(check_condition(operation.condition).encode(context))
        parameters: dict[str, Any] = {}
        if changes is not None and changes.expression():
            parameters["UpdateExpression"] = changes.expression()
        if texts:
            parameters["ConditionExpression"] = texts[0] if len(texts) == 1 else " AND ".join(f"({t})" for t in texts)
        return parameters | placeholders.parameters()

    def _key_of(self, stored: Any) -> Row:
        return {name: stored[name] for name in self.item.raw.keys}

    def _decoded_after_write(self, row: Row | None) -> Any:
        try:
            return self.item.decode(row or {})
        except DecodingError as undecodable:
            raise DecodingError(f"the write took effect, but {undecodable}", key=undecodable.key) from None

    def _check_size(self, row: Row) -> None:
        """Refuse a row that is too big, as DynamoDB counts: with its entries in the local indexes."""
        size = item_size(row)
        if size * (1 + len(self._local_indexes)) <= MAX_ITEM_BYTES:
            return
        for index in self._local_indexes:
            if all(name in row for name in index.keys):
                size += item_size({name: wire for name, wire in row.items() if projects(self.item.raw, index, name)})
        if size > MAX_ITEM_BYTES:
            largest = max(row, key=lambda name: item_size({name: row[name]}))
            raise EncodingError(
                f"{self.item.name}.{self.item.stored[largest].fields[0]}: is the largest field of an item of {size} bytes, "
                f"its entries in local indexes included; the limit is {MAX_ITEM_BYTES}"
            )


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What became of a conditional write: it was written, or the row that is stored instead."""

    written: bool
    stored: Row | None = None
    error: Exception | None = None


_ALL_OLD_ON_FAILURE = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}

_PREPARE: dict[str, Callable[[Writer, Operation], Write]] = {
    "save": Writer.save,
    "create": Writer.create,
    "put": Writer.put,
    "update": Writer.update,
    "increment": Writer.increment,
    "delete": Writer.delete,
    "delete_key": Writer.delete_key,
    "check_condition": Writer.check_condition,
}
