"""Updates that set whole fields, whose expressions are kept: they are the same for others, but for the values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

from logicaldb.codec.keys import FieldRefused
from logicaldb.codec.limits import MAX_SUBSTITUTED_BYTES
from logicaldb.codec.writing import most_bytes, to_json
from logicaldb.expressions import Update, values_text
from logicaldb.operations.item_expressions import number_text, without_values
from logicaldb.paths import owner_of, steps_of
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.places import find_place
from logicaldb.sets import Operation

Shape: TypeAlias = tuple[Any, ...]
"""What is the same for two updates whose expressions are, their values aside."""

_MOST: Final = 256
"""How many shapes of a type are kept; an application has a few."""


class KeptUpdates:
    """The expressions of updates of one item type.

    What is kept are those without a condition that do nothing but ``set`` fields which have an attribute of their own.
    """

    def __init__(self, item: ItemSchema) -> None:
        self.item = item
        self._kept: dict[Shape, dict[str, Any]] = {}

    def shape(self, operation: Operation) -> Shape | None:
        """The shape of an update; ``None`` for one that is not kept."""
        if operation.condition is not None or operation.upsert:
            return None
        version = operation.if_version
        shape: list[Any] = [None if version is None else bool(version)]
        for update in operation.updates:
            if type(update) is not Update or update.kind != "set" or update.argument is None:
                return None
            steps = steps_of(update.path)
            if len(steps) != 1:
                return None
            shape += (owner_of(update.path), steps[0])
        return tuple(shape)

    def validated(self, shape: Shape, operation: Operation) -> dict[str, Any]:
        """The values of an update whose expressions are kept, validated, by field; of any other none.

        Args:
            shape: its shape.
            operation: the update.

        Raises:
            EncodingError: a value is not valid.
        """
        if shape not in self._kept:
            return {}
        updates = zip(operation.updates, shape[2::2], strict=True)
        return {name: find_place(update.path, (self.item,)).validated(update.argument) for update, name in updates}

    def find(
        self, shape: Shape, operation: Operation, valid: Mapping[str, Any], touched: Sequence[str]
    ) -> dict[str, Any] | None:
        """The expressions of an update; ``None`` where they are not kept, or where a value makes others of them.

        Args:
            shape: its shape.
            operation: the update.
            valid: its values, validated.
            touched: the JSON texts of the values that the mapper sets by itself.
        """
        kept = self._kept.get(shape)
        if kept is None or not valid:
            return None
        texts: list[str] = []
        for name, value in valid.items():
            try:
                wire = self.item.stored[self.item.declaration.fields[name].attributes[0]].encode({name: value})
            except FieldRefused:  # it is told when the expressions are made anew
                return None
            if wire is None:
                return None
            texts.append(to_json(wire))
        texts += touched
        if operation.if_version is not None:
            texts.append(number_text(operation.if_version))
        values = values_text(texts)
        if most_bytes(values.text) > MAX_SUBSTITUTED_BYTES // 2:
            return None
        return {**kept, "ExpressionAttributeValues": values}

    def keep(self, shape: Shape, operation: Operation, touched: Sequence[str], expressions: dict[str, Any]) -> None:
        """Keep expressions that were made, if each value has its place in them.

        Args:
            shape: the shape of the update.
            operation: the update.
            touched: the JSON texts of the values that the mapper sets by itself.
            expressions: its expressions.
        """
        fields = [self.item.declaration.fields[name] for name in shape[2::2]]
        held = [self.item.stored[attribute].fields for field in fields for attribute in field.attributes]
        alone = len(held) == len(fields) and all(len(names) == 1 for names in held)
        count = len(fields) + len(touched) + (operation.if_version is not None)
        if alone and len(expressions.get("ExpressionAttributeValues", ())) == count and len(self._kept) < _MOST:
            self._kept[shape] = without_values(expressions)
