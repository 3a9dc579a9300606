"""The expressions of writes of whole items, kept where they are the same for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from logicaldb.annotations import Counter, CreatedAt
from logicaldb.codec.writing import JsonText, to_json
from logicaldb.expressions import Placeholders, values_text
from logicaldb.operations.changes import Changes
from logicaldb.operations.writes import parameters
from logicaldb.schema.items import ItemSchema
from logicaldb.sets import Operation


class ItemExpressions:
    """The expressions of the writes of one item type.

    Without a condition of the caller's they are the same for many items, but for the values.
    """

    def __init__(self, item: ItemSchema) -> None:
        self.item = item
        self._keys = [name in item.raw.keys for name in item.stored]
        fields = [item.declaration.fields[stored.fields[0]] for stored in item.stored.values()]
        self._kept_by_service = [isinstance(field.role, Counter | CreatedAt) for field in fields]
        self._saves: dict[tuple[bool, ...], tuple[dict[str, Any], bool]] = {}
        self._versions: dict[bool, dict[str, Any]] = {}

    def of_save(
        self, operation: Operation, wires: Sequence[str | None], expected: int | None
    ) -> tuple[dict[str, Any], bool] | None:
        """The expressions of a save, and whether the stored item is asked for; ``None`` where it sets nothing.

        They are the same for all items of which the same attributes are absent, their values aside.
        """
        shape = (bool(expected), *[wire is None for wire in wires])
        known = None if operation.condition is not None else self._saves.get(shape)
        if known is None:
            known = self._new_saving(operation, wires, expected)
            if known is None or operation.condition is not None:
                return known
            known = self._saves[shape] = without_values(known[0]), known[1]
        expressions, asked = known
        values = [wire for wire, is_key in zip(wires, self._keys, strict=True) if wire is not None and not is_key]
        if expected is not None:
            values.append(number_text(expected))
        return {**expressions, "ExpressionAttributeValues": values_text(values)}, asked

    def _new_saving(
        self, operation: Operation, wires: Sequence[str | None], expected: int | None
    ) -> tuple[dict[str, Any], bool] | None:
        changes = Changes()
        asked = False
        for name, wire, is_key, kept in zip(self.item.stored, wires, self._keys, self._kept_by_service, strict=True):
            if is_key:
                continue
            if wire is not None and kept:
                changes.set_if_not_exists((name,), JsonText(wire))
                asked = True
            else:
                changes.put((name,), None if wire is None else JsonText(wire))
        if not changes.sets:
            return None
        conditions = self.version_condition(expected, changes.placeholders)
        return parameters(operation, self.item, conditions, changes.placeholders, changes), asked

    def under_version(self, operation: Operation, expected: int | None) -> dict[str, Any]:
        """The conditions of the version that must be stored, and of the caller."""
        if operation.condition is None:
            if expected is None:
                return {}
            known = self._versions.get(bool(expected))
            if known is not None:
                return {**known, "ExpressionAttributeValues": values_text([number_text(expected)])}
        placeholders = Placeholders()
        conditions = self.version_condition(expected, placeholders)
        found = parameters(operation, self.item, conditions, placeholders)
        if operation.condition is None:
            self._versions[bool(expected)] = without_values(found)
        return found

    def version_condition(self, expected: int | None, placeholders: Placeholders) -> list[str]:
        """The condition of a version; 0 is that of a row that has none."""
        if expected is None:
            return []
        assert self.item.version is not None
        name = placeholders.name(self.item.version.attributes[0])
        text = f"{name} = {placeholders.value(JsonText(number_text(expected)))}"
        return [text if expected else f"attribute_not_exists({name}) OR {text}"]


def without_values(expressions: Mapping[str, Any]) -> dict[str, Any]:
    """Expressions that can be kept; their names are text already."""
    names = JsonText(to_json(expressions["ExpressionAttributeNames"]))
    return {**expressions, "ExpressionAttributeNames": names, "ExpressionAttributeValues": None}


def number_text(number: int) -> str:
    """The JSON text of a number in wire form."""
    return f'{{"N":"{number}"}}'
