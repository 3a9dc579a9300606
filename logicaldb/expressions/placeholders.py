"""The names and values of a request, and what its expressions are about."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from logicaldb.codec.limits import (
    MAX_EXPRESSION_BYTES,
    MAX_OPERATORS,
    MAX_SUBSTITUTED_BYTES,
    value_size,
)
from logicaldb.codec.values import WireValue
from logicaldb.codec.writing import JsonText, most_bytes, plain
from logicaldb.errors import LimitExceeded
from logicaldb.paths import Step
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.places import Place, find_place

# Texts, and compiled when first used (`re` keeps them), because `import logicaldb` must not cost it.
_OPERATORS: Final = (
    r"(?i)<=|>=|<>|[=<>]|(?<![\w#:.])"
    r"(?:AND|OR|NOT|BETWEEN|IN|size|contains|begins_with|attribute_(?:exists|not_exists|type))\b"
)
_BETWEEN: Final = r"(?i)(?<![\w#:.])BETWEEN\b"
_SHORTEST_OPERATOR: Final = len("a=")
"""How many characters of an expression there are to an operator at least."""


class Placeholders:
    """The names and values of one request: the only place that makes ``#n`` and ``:v``.

    Its length is the number of names.
    """

    __slots__ = ("_names", "_values")

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: list[WireValue | JsonText] = []

    def __len__(self) -> int:
        return len(self._names)

    def name(self, attribute: str) -> str:
        """The placeholder of an attribute; one for each, however often it is named."""
        return self._names.setdefault(attribute, f"#n{len(self._names)}")

    def path(self, path: Sequence[Step]) -> str:
        """A document path of placeholders: ``#n0.#n1[2]``."""
        text = self.name(str(path[0]))
        for step in path[1:]:
            text += f"[{step}]" if isinstance(step, int) else f".{self.name(step)}"
        return text

    def value(self, wire: WireValue | JsonText) -> str:
        """A placeholder for a value in wire form."""
        self._values.append(wire)
        return f":v{len(self._values) - 1}"

    @property
    def values(self) -> Sequence[WireValue | JsonText]:
        """The values, in the order of their placeholders."""
        return self._values

    def check_size(self, what: object) -> None:
        """Refuse names and values that are too large together for one expression.

        Raises:
            LimitExceeded: they are.
        """
        names = sum(len(name.encode()) for name in self._names)
        if names + sum(map(_most_bytes, self._values)) <= MAX_SUBSTITUTED_BYTES:
            return
        size = names + sum(value_size(plain(wire)) for wire in self._values)
        if size > MAX_SUBSTITUTED_BYTES:
            raise LimitExceeded(
                f"{what}: the names and values of its expressions have {size} bytes; the limit is {MAX_SUBSTITUTED_BYTES}"
            )

    def parameters(self) -> dict[str, Any]:
        """``ExpressionAttributeNames`` and ``ExpressionAttributeValues``, each only where there are some."""
        parameters: dict[str, Any] = {}
        if self._names:
            parameters["ExpressionAttributeNames"] = {name: attribute for attribute, name in self._names.items()}
        if self._values:
            parameters["ExpressionAttributeValues"] = {f":v{number}": wire for number, wire in enumerate(self._values)}
        return parameters


def _most_bytes(wire: WireValue | JsonText) -> int:
    return most_bytes(wire.text) if isinstance(wire, JsonText) else value_size(wire)


def values_text(wires: Sequence[str]) -> JsonText:
    """``ExpressionAttributeValues`` of the JSON texts of values, as ``Placeholders`` would number them."""
    return JsonText("{" + ",".join([f'":v{number}":{wire}' for number, wire in enumerate(wires)]) + "}")


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression is about: the item types whose fields it may name, and the placeholders of its request.

    Attributes:
        items: the item types; none for raw rows.
        placeholders: the placeholders.
        keys: attributes that a filter must not name, with the text that says what they are keys of.
    """

    items: Sequence[ItemSchema]
    placeholders: Placeholders
    keys: Mapping[str, str] = field(default_factory=dict[str, str])

    def find(self, path: Any) -> Place:
        """Where a path leads.

        Raises:
            TypeError: the path belongs to another item type.
            EncodingError: it leads to a key of what is queried.
        """
        if not self.items:
            raise TypeError(f"raw rows have no fields such as {path!r}; write the condition as Expression(...)")
        place = find_place(path, self.items)
        what = self.keys.get(str(place.path[0]))
        if what is not None:
            raise place.refuse(
                f"is a key of {what}, and DynamoDB does not filter by the keys of what is queried; use a key condition"
            )
        return place


def check_length(what: object, expression: str) -> str:
    """Give an expression back, if DynamoDB takes one of its length.

    Raises:
        LimitExceeded: it is too long.
    """
    length = len(expression.encode())
    if length > MAX_EXPRESSION_BYTES:
        raise LimitExceeded(f"{what} is {length} bytes long; the limit of an expression is {MAX_EXPRESSION_BYTES}")
    return expression


def check_operators(what: object, condition: str) -> str:
    """Give a condition back, if DynamoDB takes one of its length and with as many operators.

    Raises:
        LimitExceeded: it is too long, or has too many.
    """
    check_length(what, condition)
    if len(condition) > _SHORTEST_OPERATOR * MAX_OPERATORS:
        # The AND of a BETWEEN is none of its own.
        count = len(re.findall(_OPERATORS, condition)) - len(re.findall(_BETWEEN, condition))
        if count > MAX_OPERATORS:
            raise LimitExceeded(
                f"{what} has {count} operators and functions; the limit of an expression is {MAX_OPERATORS}"
            )
    return condition
