"""The types of one table: what tells them apart, and what an index or a scan must leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from logicaldb.codec.keys import KeyAttribute
from logicaldb.codec.values import WireValue
from logicaldb.errors import DeclarationError
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.raw import Index, RawDeclaration


@dataclass(frozen=True, slots=True)
class Mark:
    """One thing about an attribute that every row of a type shows.

    Attributes:
        attribute: the name of the attribute.
        kind: whether its text begins with ``text``, is ``text``, or whether the attribute is there at all, or is not.
        text: the text.
    """

    attribute: str
    kind: Literal["begins_with", "equals", "exists", "absent"]
    text: str = ""

    def holds(self, row: Mapping[str, WireValue]) -> bool:
        """Whether a row shows it."""
        wire = row.get(self.attribute)
        if self.kind in ("exists", "absent"):
            return (wire is not None) == (self.kind == "exists")
        stored = "" if wire is None else wire.get("S", "")
        return bool(stored == self.text if self.kind == "equals" else stored.startswith(self.text))


class TableSchema:
    """The item types of a table."""

    def __init__(self, name: str, raw: RawDeclaration, items: Iterable[ItemSchema]) -> None:
        self.name = name
        self.raw = raw
        self.items = tuple(items)
        self._check_sort_prefixes()
        self._apart = {
            (item.item_type, other.item_type): self._tell_apart(item, other)
            for item in self.items
            for other in self.items
            if item is not other
        }

    def others(self, item: ItemSchema) -> list[ItemSchema]:
        """The other types of the table."""
        return [other for other in self.items if other is not item]

    def _check_sort_prefixes(self) -> None:
        if self.raw.keys.sort is None or self.raw.tags[self.raw.keys.sort] != "S":
            return
        for item in self.items:
            sort = item.primary[1]
            if not sort.prefix and not sort.constant and len(self.items) > 1:
                raise DeclarationError(
                    f"{self.name}: {item.name}.{sort.fields[0]} is the sort key {sort.name} without a prefix, and "
                    f"{self.name} holds other types too; give it one: Attribute({sort.name!r}, "
                    f'prefix="{item.name.upper()}_")'
                )
        for item in self.items:
            for other in self.others(item):
                short, long = item.primary[1].prefix, other.primary[1].prefix
                if short != long and long.startswith(short):
                    raise DeclarationError(
                        f"{self.name}: the sort key prefix {short!r} of {item.name} is the beginning of {long!r}, "
                        f"that of {other.name}, so that a query for the one would return the other; change one of them"
                    )

    def _tell_apart(self, item: ItemSchema, other: ItemSchema) -> tuple[Mark, ...]:
        """What the rows of a type show and those of the other do not; any one of these is enough, the best first."""
        for mine, others in zip(reversed(item.primary), reversed(other.primary), strict=True):
            if _disjoint(mine, others):
                return (_prefix_mark(mine),)
        own = [Mark(name, "exists") for name in _required(item) if name not in other.stored]
        theirs = [Mark(name, "absent") for name in _required(other) if name not in item.stored]
        if own or theirs:
            return (*own, *theirs)
        raise DeclarationError(
            f"{self.name}: nothing tells {item.name} and {other.name} apart; give their sort keys different prefixes, "
            "or one of them a required field that the other does not have"
        )

    def marks(self, item: ItemSchema, index: Index | None = None) -> tuple[Mark, ...]:
        """What a row must show to be one of a type, in the table or as an index projects it.

        Raises:
            DeclarationError: the index holds nothing that tells the types apart.
        """
        sort = item.primary[-1]
        found = dict.fromkeys([_prefix_mark(sort)] if len(item.primary) > 1 and (sort.prefix or sort.constant) else [])
        for other in self.others(item):
            choices = self._apart[item.item_type, other.item_type]
            if not any(mark in found for mark in choices):
                found[self._choose(item, other, choices, index)] = None
        return tuple(found)

    def _choose(self, item: ItemSchema, other: ItemSchema, choices: Sequence[Mark], index: Index | None) -> Mark:
        """A mark that an index shows: best a key of the index, which needs no filter, else a projected attribute."""
        if index is None or choices[0].text:
            return choices[0]
        for mark in choices:
            if mark.kind == "exists" and mark.attribute in index.keys:
                return mark
        for mark in choices:
            if mark.attribute not in index.keys and projects(self.raw, index, mark.attribute):
                return mark
        raise DeclarationError(
            f"{self.name}: nothing that the index {index.name!r} projects tells {item.name} and {other.name} apart; "
            "give their sort keys different prefixes, or project one of "
            + ", ".join(mark.attribute for mark in choices)
        )

    def item_of(self, row: Mapping[str, WireValue]) -> ItemSchema | None:
        """The type of a row; ``None`` where it is of none of the types."""
        for item in self.items:
            if all(mark.holds(row) for mark in self.marks(item)):
                return item
        return None


def _required(item: ItemSchema) -> list[str]:
    """The attributes that every row of a type has, the keys of the table aside."""
    fields = item.declaration.fields
    return [
        name
        for name, stored in item.stored.items()
        if name not in item.raw.keys and all(fields[field].required for field in stored.fields)
    ]


def _disjoint(one: KeyAttribute, other: KeyAttribute) -> bool:
    """Whether no text is a value of both key attributes, by their prefixes."""
    if one.constant and other.constant:
        return one.prefix != other.prefix
    return not (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))


def _prefix_mark(key: KeyAttribute) -> Mark:
    return Mark(key.name, "equals" if key.constant else "begins_with", key.prefix)


def projects(raw: RawDeclaration, index: Index, attribute: str) -> bool:
    """Whether an index holds an attribute."""
    if index.projection == "ALL" or attribute in raw.keys or attribute in index.keys:
        return True
    return index.projection != "KEYS_ONLY" and attribute in index.projection


def check_projection(table: str, view: str, item: ItemSchema, index: Index) -> None:
    """Refuse a view over a global index that lacks attributes of the type.

    A missing optional one would be read as its default, and lost by the next save. A local index may lack attributes:
    DynamoDB fetches them from the table.
    """
    if index.local:
        return
    for name, stored in item.stored.items():
        if not projects(item.raw, index, name):
            raise DeclarationError(
                f"{table}.{view}: the index {index.name!r} does not project {name}, which holds "
                f"{item.name}.{stored.fields[0]}; project it, or everything"
            )


def check_collection(table: str, view: str, key: KeyAttribute, items: Sequence[ItemSchema]) -> None:
    """Refuse an item collection whose types cannot be in one partition, or cannot be told apart by the sort key."""
    for item in items:
        partition = item.primary[0]
        if _shape(partition) != _shape(key):
            raise DeclarationError(
                f"{table}.{view}: the partition key of {item.name} is made differently from that of the collection's key "
                f"({_shape_text(partition)} and {_shape_text(key)}), so they are never in one partition"
            )
    for number, item in enumerate(items):
        for other in items[:number]:
            if len(item.primary) < 2:
                raise DeclarationError(f"{table}.{view}: {item.raw.name} has no sort key, so a partition holds one item")
            if not _disjoint(item.primary[1], other.primary[1]):
                raise DeclarationError(
                    f"{table}.{view}: {other.name} and {item.name} have the same sort key prefix "
                    f"{item.primary[1].prefix!r}; give them different ones"
                )


def _shape(key: KeyAttribute) -> Any:
    parts = getattr(key, "parts", None)
    return key.tag if parts is None else [(part.prefix, type(part.codec), part.constant) for part in parts]


def _shape_text(key: KeyAttribute) -> str:
    return f"prefix {key.prefix!r}" if key.prefix else "no prefix"
