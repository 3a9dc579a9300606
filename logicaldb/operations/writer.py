"""Prepares writes: the one place where versions, counters, times and conditions meet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal, cast

from logicaldb.annotations import CreatedAt, TimeToLive, UpdatedAt, Version
from logicaldb.codec.limits import MAX_ITEM_BYTES
from logicaldb.codec.values import describe
from logicaldb.codec.writing import JsonText, most_bytes, to_json
from logicaldb.errors import ConditionFailed, DecodingError, EncodingError
from logicaldb.expressions import Attr, Condition, Placeholders, Update
from logicaldb.items import Item, ItemKey
from logicaldb.operations.bare import save_of_nothing
from logicaldb.operations.changes import Changes
from logicaldb.operations.item_expressions import ItemExpressions
from logicaldb.operations.kept_updates import KeptUpdates
from logicaldb.operations.sizes import check_size, most_copies
from logicaldb.operations.times import Clock, OneReading
from logicaldb.operations.updates import Planned, plan
from logicaldb.operations.upserts import check_upsert, set_defaults
from logicaldb.operations.writes import Refusal, Write, parameters
from logicaldb.schema.fields import FieldDeclaration
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.keys import KeySchema
from logicaldb.schema.reading import ReadAnswer
from logicaldb.schema.tables import Mark
from logicaldb.sets import Operation, OperationKind

_TIMES: Final = (CreatedAt, UpdatedAt)
"""What the mapper sets by itself."""
_SETS: Final = Planned(frozenset(), frozenset(), (), repeatable=True)
"""What updates come to that only set."""


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
        marks: what its rows show.
        clock: the time of ``CreatedAt`` and ``UpdatedAt`` fields.
    """

    def __init__(self, table: str, item: ItemSchema, key: KeySchema, marks: Iterable[Mark], clock: Clock) -> None:
        self.table = table
        self.item = item
        self.key = key
        self.clock = clock
        # Prefixes are in the key; what is left tells the type from others that have the same keys.
        self._marks = [mark for mark in marks if mark.kind in ("exists", "absent")]
        self._copies = most_copies(item.raw)
        self._expressions = ItemExpressions(item)
        self._updates = KeptUpdates(item)
        self._roles = [field for field in item.declaration.fields.values() if field.role is not None]

    def operation(self, kind: OperationKind, item: Item, condition: Condition | None = None) -> Operation:
        """An operation on an item, which is checked to be of the type.

        Raises:
            TypeError: it is not.
        """
        if type(item) is not self.item.item_type:
            raise TypeError(f"{type(item).__name__} is not {self.item.name}, the type that is written here")
        key_type = cast("type[ItemKey[Any]]", self.key.key_type)  # the schema lies below the key types
        return Operation(kind, key_type.of(item), item, condition=condition)

    def prepare(self, operation: Operation, *, tokened: bool = False) -> Write:
        """Prepare a write.

        Args:
            operation: the write.
            tokened: whether it will be sent under an idempotency token of the caller's, who may ask for it again.

        Raises:
            TypeError: something of it belongs to another item type.
            EncodingError: something of it cannot be stored.
            LimitExceeded: it comes to an expression that is too long.
        """
        if operation.kind == "increment":
            return self._increment(operation, tokened=tokened)
        return _PREPARE[operation.kind](self, operation)

    def _save(self, operation: Operation) -> Write:
        """Set every modelled attribute, and remove those that are absent."""
        item = self._moved_on(_item(operation))
        key, wires, row = self.item.text(item)
        self._check_size(item, row)
        expected = self._expected(_item(operation))
        saving = self._expressions.of_save(operation, wires, expected)
        if saving is None:
            removed = [name for name in self.item.stored if name not in key]
            return save_of_nothing(operation, self.item, self.table, key, removed)
        expressions, asked = saving
        return Write(
            operation,
            "Update",
            self.table,
            key,
            expressions,
            Refusal(operation, self.item, version=expected),
            # Only the service knows the count and the time that it has kept.
            "ALL_NEW" if asked else "NONE",
            self._decoded if asked else lambda _: item,
            read=self.item.reader.attributes if asked else None,
        )

    def _create(self, operation: Operation) -> Write:
        """Put the row where there is none."""
        if self._expected(_item(operation)):
            assert self.item.version is not None
            raise EncodingError(
                f"{self.item.name}.{self.item.version.name}: is above 0, so the item is stored already; "
                "a new item has version 0"
            )
        placeholders = Placeholders()
        missing = f"attribute_not_exists({placeholders.name(self.item.raw.keys.partition)})"
        expressions = parameters(operation, self.item, [missing], placeholders)
        return self._replace(operation, Refusal(operation, self.item, create=True), expressions)

    def _put(self, operation: Operation) -> Write:
        """Replace the whole row."""
        expected = self._expected(_item(operation))
        refusal = Refusal(operation, self.item, version=expected)
        return self._replace(operation, refusal, self._expressions.under_version(operation, expected))

    def _clobber(self, operation: Operation) -> Write:
        """Replace the whole row, whatever is there; batches have no conditions."""
        self._expected(_item(operation))
        return self._replace(operation, Refusal(operation, self.item), {})

    def _replace(self, operation: Operation, refuse: Refusal, expressions: Mapping[str, Any]) -> Write:
        item = self._moved_on(_item(operation))
        key, _, row = self.item.text(item)
        self._check_size(item, row)
        body = {"Item": JsonText(row), **expressions}
        return Write(operation, "Put", self.table, key, body, refuse, result=lambda _: item)

    def _update(self, operation: Operation) -> Write:
        """Change some attributes of a row."""
        if not operation.updates:
            raise EncodingError(f"{operation}: has no updates; give at least one, such as attr(...).set(...)")
        if operation.if_version is not None:
            self._check_version(operation, operation.if_version)
        reading = OneReading(self.clock)
        shape = self._updates.shape(operation)
        valid: Mapping[str, Any] = {}
        touched: Sequence[str] = ()
        if shape is not None:
            valid, touched = self._updates.validated(shape, operation), self._touched(reading)
            kept = self._updates.find(shape, operation, valid, touched)
            if kept is not None:
                return self._changed(operation, kept, _SETS, "ALL_NEW", self._decoded, read=self.item.reader.attributes)
        changes = Changes()
        planned = plan(self.item, operation.updates, changes, valid)
        if operation.upsert:
            check_upsert(operation, self.item, planned, _TIMES)
            set_defaults(self.item, planned, changes, generated=True)
        self._touch(changes, reading, upsert=operation.upsert)
        if operation.upsert and not (changes.sets or changes.adds):
            raise EncodingError(
                f"{operation}: upsert=True, but nothing is set, and what only removes makes no item in DynamoDB; "
                "save(...) the item, or leave upsert out"
            )
        expressions = self._conditions_of(operation, changes, planned)
        if shape is not None:
            self._updates.keep(shape, operation, touched, expressions)
        return self._changed(
            operation, expressions, planned, "ALL_NEW", self._decoded, read=self.item.reader.attributes
        )

    def _increment(self, operation: Operation, *, tokened: bool) -> Write:
        """Add to a counter; versions and times stay as they are."""
        changes = Changes()
        planned = plan(self.item, operation.updates, changes)
        if not planned.guards:
            raise EncodingError(f"{operation}: increment is for Counter() fields; use update(..., attr(...).add(...))")
        if operation.upsert:
            # What is generated and the time differ each time, and under one token the same must be sent.
            check_upsert(operation, self.item, planned, () if tokened else _TIMES)
            set_defaults(self.item, planned, changes, generated=not tokened)
            if not tokened:
                self._set_first_times(changes)
        (guard,) = planned.guards
        return self._changed(
            operation,
            self._conditions_of(operation, changes, planned),
            planned,
            # Of an addition of 0 moto returns nothing as updated.
            "UPDATED_NEW" if guard.number else "ALL_NEW",
            lambda row: guard.field.codec.decode((row or {}).get(guard.attribute)),
        )

    def _conditions_of(self, operation: Operation, changes: Changes, planned: Planned) -> dict[str, Any]:
        """The expressions of an update: what changes, and under which conditions."""
        placeholders = changes.placeholders
        conditions: list[str] = []
        if not operation.upsert:
            conditions.append(f"attribute_exists({placeholders.name(self.item.raw.keys.partition)})")
            conditions += (_mark_condition(mark, placeholders) for mark in self._marks)
            if not changes.expression():
                changes.remove_nothing()
        if operation.if_version is not None:
            conditions += self._expressions.version_condition(operation.if_version, placeholders)
        conditions += filter(None, (guard.expression(placeholders) for guard in planned.guards))
        return parameters(operation, self.item, conditions, placeholders, changes)

    def _changed(
        self,
        operation: Operation,
        expressions: dict[str, Any],
        planned: Planned,
        returns: Literal["ALL_NEW", "UPDATED_NEW"],
        result: Callable[[Row | None], Any],
        *,
        read: Callable[[bytes], ReadAnswer] | None = None,
    ) -> Write:
        refusal = Refusal(
            operation,
            self.item,
            # A version above 0 is that of an item that is there.
            existing=not operation.upsert or bool(operation.if_version),
            version=operation.if_version,
            guards=planned.guards,
        )

        def refuse(row: Row | None) -> ConditionFailed:
            """Of an item that must exist, the row of another type is none."""
            return refusal(row if row is not None and all(mark.holds(row) for mark in self._marks) else None)

        return Write(
            operation,
            "Update",
            self.table,
            self.key.primary(operation.key),
            expressions,
            refuse if self._marks and not operation.upsert else refusal,
            returns,
            result,
            # Under a version, which it moves on, a second time would fail.
            repeatable=planned.repeatable or operation.if_version is not None,
            read=read,
        )

    def _check_version(self, operation: Operation, version: object) -> None:
        if self.item.version is None:
            raise EncodingError(f"{operation}: {self.item.name} has no Version() field, so if_version means nothing")
        if not isinstance(version, int) or isinstance(version, bool):
            raise TypeError(f"{operation}: if_version is an int, not {describe(version)}")
        if version < 0:
            raise EncodingError(f"{operation}: if_version={version} is below 0, and no version is")

    def _touched(self, reading: OneReading) -> list[str]:
        """The JSON texts of the values of what an update of an item that is there changes by itself."""
        if not self._roles:
            return []
        changes = Changes()
        self._touch(changes, reading, upsert=False)
        return [to_json(wire) for wire in changes.placeholders.values]

    def _touch(self, changes: Changes, reading: OneReading, *, upsert: bool) -> None:
        """What an update changes by itself: the version, and the times."""
        for field in self._roles:
            attribute = field.attributes[:1]
            match field.role:
                case Version():
                    changes.set_sum(attribute, {"N": "0"}, {"N": "1"})
                case UpdatedAt():
                    changes.put(attribute, field.codec.encode(reading.now()))
                case CreatedAt() if upsert:
                    changes.set_if_not_exists(attribute, field.values.encode(reading.now()))
                case _:
                    pass

    def _set_first_times(self, changes: Changes) -> None:
        """Set the times of a row that an increment makes; where there is one they stay as they are."""
        reading = OneReading(self.clock)
        for field in self._roles:
            if isinstance(field.role, _TIMES):
                changes.set_if_not_exists(field.attributes[:1], field.values.encode(reading.now()))

    def _delete(self, operation: Operation) -> Write:
        """Delete a row; that of an item only under its version."""
        expected = None if operation.item is None else self._expected(operation.item)
        return Write(
            operation,
            "Delete",
            self.table,
            self.key.primary(operation.key),
            self._expressions.under_version(operation, expected),
            Refusal(operation, self.item, version=expected),
            "ALL_OLD",
            lambda row: None if row is None else self._decoded(row),
            read=self.item.reader.attributes,
        )

    def _check_condition(self, operation: Operation) -> Write:
        """Require a condition of a row, in a transaction."""
        return Write(
            operation,
            "ConditionCheck",
            self.table,
            self.key.primary(operation.key),
            parameters(operation, self.item, [], Placeholders()),
            Refusal(operation, self.item),
        )

    def _moved_on(self, item: Item) -> Item:
        """The item as it will be stored: the next version, the times that the mapper sets, whole seconds to live."""
        if not self._roles:
            return item
        changed: dict[str, Any] = {}
        reading = OneReading(self.clock)
        for field in self._roles:
            value = getattr(item, field.name)
            match field.role:
                case Version():
                    changed[field.name] = value + 1
                case UpdatedAt():
                    changed[field.name] = reading.now()
                case CreatedAt() if value is None:
                    changed[field.name] = reading.now()
                case TimeToLive() if isinstance(value, datetime):
                    changed[field.name] = value.replace(microsecond=0)
                case _:
                    pass
        return item.model_copy(update=changed) if changed else item

    def _expected(self, item: Item) -> int | None:
        """The version that must be stored, ``None`` where the type has none."""
        if self.item.version is None:
            return None
        version: int = getattr(item, self.item.version.name)
        if version < 0:
            raise EncodingError(f"{self.item.name}.{self.item.version.name}: {version} is below 0, and no version is")
        return version

    def _field(self, attribute: str) -> FieldDeclaration:
        """The field that an attribute holds, of several the first."""
        return self.item.declaration.fields[self.item.stored[attribute].fields[0]]

    def _decoded(self, row: Row | None) -> Any:
        try:
            return self.item.decode(row or {})
        except DecodingError as undecodable:
            raise DecodingError(f"the write took effect, but {undecodable}", key=undecodable.key) from None

    def _check_size(self, item: Item, row: str) -> None:
        """Refuse an item that is too big."""
        if most_bytes(row) * self._copies > MAX_ITEM_BYTES:
            check_size(self.item.raw, self.item.encode(item), lambda name: f"{self.item.name}.{self._field(name).name}")


_PREPARE: Final[Mapping[OperationKind, Callable[[Writer, Operation], Write]]] = {
    "save": Writer._save,
    "create": Writer._create,
    "put": Writer._put,
    "update": Writer._update,
    "delete": Writer._delete,
    "delete_key": Writer._delete,
    "check_condition": Writer._check_condition,
    "clobber": Writer._clobber,
}


def _mark_condition(mark: Mark, placeholders: Placeholders) -> str:
    name = placeholders.name(mark.attribute)
    return f"attribute_exists({name})" if mark.kind == "exists" else f"attribute_not_exists({name})"


def _item(operation: Operation) -> Item:
    assert operation.item is not None, operation.kind
    return operation.item
