"""The clauses of an update expression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from logicaldb.codec.values import WireValue
from logicaldb.codec.writing import JsonText
from logicaldb.expressions import Placeholders
from logicaldb.paths import Step

_NO_ATTRIBUTE: Final = "logicaldb:nothing"
"""An attribute that no row has."""


@dataclass(slots=True)
class Changes:
    """The clauses of one update expression."""

    placeholders: Placeholders = field(default_factory=Placeholders)
    sets: list[str] = field(default_factory=list[str])
    removes: list[str] = field(default_factory=list[str])
    adds: list[str] = field(default_factory=list[str])
    deletes: list[str] = field(default_factory=list[str])

    def set(self, path: Sequence[Step], wire: WireValue | JsonText) -> None:
        """Set a value."""
        self.sets.append(f"{self.placeholders.path(path)} = {self.placeholders.value(wire)}")

    def set_if_not_exists(self, path: Sequence[Step], wire: WireValue | JsonText) -> None:
        """Set a value where there is none."""
        name = self.placeholders.path(path)
        self.sets.append(f"{name} = if_not_exists({name}, {self.placeholders.value(wire)})")

    def set_sum(self, path: Sequence[Step], initial: WireValue, number: WireValue) -> None:
        """Add to a number that begins with another than 0, or that is inside an attribute."""
        name = self.placeholders.path(path)
        start = f"if_not_exists({name}, {self.placeholders.value(initial)})"
        self.sets.append(f"{name} = {start} + {self.placeholders.value(number)}")

    def join(self, path: Sequence[Step], initial: WireValue, added: WireValue, *, at_end: bool) -> None:
        """Put elements to the beginning or the end of a list."""
        name = self.placeholders.path(path)
        start = f"if_not_exists({name}, {self.placeholders.value(initial)})"
        more = self.placeholders.value(added)
        self.sets.append(f"{name} = list_append({f'{start}, {more}' if at_end else f'{more}, {start}'})")

    def remove(self, path: Sequence[Step]) -> None:
        """Remove an attribute, or what is inside one."""
        self.removes.append(self.placeholders.path(path))

    def remove_nothing(self) -> None:
        """Be an expression that changes nothing; DynamoDB does without one, but moto does not."""
        self.remove((_NO_ATTRIBUTE,))

    def put(self, path: Sequence[Step], wire: WireValue | JsonText | None) -> None:
        """Set a value, or remove it where there is none."""
        if wire is None:
            self.remove(path)
        else:
            self.set(path, wire)

    def add(self, attribute: str, wire: WireValue) -> None:
        """Add to a number that begins with 0, or put elements into a set."""
        self.adds.append(f"{self.placeholders.name(attribute)} {self.placeholders.value(wire)}")

    def delete(self, attribute: str, wire: WireValue) -> None:
        """Take elements out of a set."""
        self.deletes.append(f"{self.placeholders.name(attribute)} {self.placeholders.value(wire)}")

    def expression(self) -> str:
        """The ``UpdateExpression``; empty where nothing changes."""
        clauses = (("SET", self.sets), ("REMOVE", self.removes), ("ADD", self.adds), ("DELETE", self.deletes))
        return " ".join(f"{keyword} {', '.join(texts)}" for keyword, texts in clauses if texts)
