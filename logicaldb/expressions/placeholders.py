"""The names and values of a request, and what its expressions are about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from logicaldb.codec.limits import MAX_EXPRESSION_BYTES
from logicaldb.codec.values import WireValue
from logicaldb.errors import LimitExceeded
from logicaldb.paths import Step
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.places import Place, find_place


class Placeholders:
    """The names and values of one request: the only place that makes ``#n`` and ``:v``.

    Its length is the number of names.
    """

    __slots__ = ("_names", "_values")

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: list[WireValue] = []

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

    def value(self, wire: WireValue) -> str:
        """A placeholder for a value in wire form."""
        self._values.append(wire)
        return f":v{len(self._values) - 1}"

    def parameters(self) -> dict[str, Any]:
        """``ExpressionAttributeNames`` and ``ExpressionAttributeValues``, each only where there are some."""
        parameters: dict[str, Any] = {}
        if self._names:
            parameters["ExpressionAttributeNames"] = {name: attribute for attribute, name in self._names.items()}
        if self._values:
            parameters["ExpressionAttributeValues"] = {f":v{number}": wire for number, wire in enumerate(self._values)}
        return parameters


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


def check_length(what: str, expression: str) -> str:
    """Give an expression back, if DynamoDB takes one of its length.

    Raises:
        LimitExceeded: it is too long.
    """
    length = len(expression.encode())
    if length > MAX_EXPRESSION_BYTES:
        raise LimitExceeded(f"{what} is {length} bytes long; the limit of an expression is {MAX_EXPRESSION_BYTES}")
    return expression
