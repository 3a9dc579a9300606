"""The types of one table: what tells them apart, and what an index or a scan must leave out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from logicaldb.codec.keys import KeyAttribute, TextKey
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
        match self.kind:
            case "exists":
                return wire is not None
            case "absent":
                return wire is None
            case "equals":
                return wire == {"S": self.text}
            case _:
                return isinstance(wire, dict) and str(wire.get("S", "")).startswith(self.text)


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
            for other in self.others(item)
        }
        self._marks = {item.item_type: self.marks(item) for item in self.items}

    def of_type(self, item_type: type) -> ItemSchema:
        """The schema of one of the types."""
        return next(item for item in self.items if item.item_type is item_type)

    def others(self, item: ItemSchema) -> list[ItemSchema]:
        """The other types of the table."""
        return [other for other in self.items if other is not item]

    def _check_sort_prefixes(self) -> None:
        if self.raw.keys.sort is None or self.raw.tags[self.raw.keys.sort] != "S":
            return
        for item in self.items:
            sort = item.primary[1]
            others = self.others(item)
            if others and not sort.prefix:
                raise DeclarationError(
                    f"{self.name}: {item.name}.{sort.fields[0]} is the sort key {sort.name} without a prefix, and the "
                    f"table holds {others[0].name} too; the prefix tells a row's type, so give it one: "
                    f'Attribute("{sort.name}", prefix="{item.name.upper()}_")'
                )
            for other in others:
                short, long = sort.prefix, other.primary[1].prefix
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
        found = [_prefix_mark(sort) for sort in item.primary[1:] if sort.prefix]
        for other in self.others(item):
            choices = self._apart[item.item_type, other.item_type]
            if not any(mark in found for mark in choices):
                found.append(self._choose(item, other, choices, index))
        return tuple(found)

    def _choose(self, item: ItemSchema, other: ItemSchema, choices: Sequence[Mark], index: Index | None) -> Mark:
        """A mark that an index shows: best a key of the index, which needs no filter, else a projected attribute."""
        if index is None or choices[0].text:
            return choices[0]
        for mark in choices:
            if mark.kind == "exists" and mark.attribute in index.keys:
                return mark
        for mark in choices:
            if projects(self.raw, index, mark.attribute) and mark.attribute not in index.keys:
                return mark
        raise DeclarationError(
            f"{self.name}: nothing that the index {index.name!r} projects tells {item.name} and {other.name} apart; "
            f"give their sort keys different prefixes, or project {' or '.join(mark.attribute for mark in choices)}"
        )

    def item_of(self, row: Mapping[str, WireValue]) -> ItemSchema | None:
        """The type of a row; ``None`` where it is of none of the types."""
        for item in self.items:
            if all(mark.holds(row) for mark in self._marks[item.item_type]):
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
    """Whether no text is a value of both key attributes, by what is constant of them."""
    if one.constant and other.constant:
        return one.prefix != other.prefix
    if one.constant:
        return not one.prefix.startswith(other.prefix)
    if other.constant:
        return not other.prefix.startswith(one.prefix)
    return not (one.prefix.startswith(other.prefix) or other.prefix.startswith(one.prefix))


def _prefix_mark(key: KeyAttribute) -> Mark:
    return Mark(key.name, "equals" if key.constant else "begins_with", key.prefix)


def projects(raw: RawDeclaration, index: Index, attribute: str) -> bool:
    """Whether an index holds an attribute."""
    if index.projection == "ALL" or attribute in raw.keys or attribute in index.keys:
        return True
    return index.projection != "KEYS_ONLY" and attribute in index.projection


def check_projection(where: str, item: ItemSchema, index: Index) -> None:
    """Refuse a view over a global index that lacks attributes of the type.

    A missing optional one would be read as its default, and lost by the next save. A local index may lack attributes:
    DynamoDB fetches them from the table.

    Raises:
        DeclarationError: an attribute is missing.
    """
    if index.local:
        return
    for name, stored in item.stored.items():
        if not projects(item.raw, index, name):
            raise DeclarationError(
                f"{where}: the index {index.name!r} does not project {name}, which holds "
                f"{item.name}.{stored.fields[0]}; project it, or everything"
            )


def check_collection(where: str, partition: KeyAttribute, items: Sequence[ItemSchema]) -> None:
    """Refuse an item collection whose types cannot be in one partition, or cannot be told apart by the sort key.

    Raises:
        DeclarationError: they cannot.
    """
    raw = items[0].raw
    if raw.keys.sort is None:
        raise DeclarationError(
            f"{where}: {raw.name} has no sort key, so that a partition holds one item and no collection; "
            "use an InlineView"
        )
    for number, item in enumerate(items):
        if _shape(item.primary[0]) != _shape(partition):
            raise DeclarationError(
                f"{where}: the partition key of {item.name} is made differently from that of the collection's key "
                f"({_shape_text(item.primary[0])} and {_shape_text(partition)}), so they are never in one partition"
            )
        for other in items[:number]:
            if not _disjoint(item.primary[1], other.primary[1]):
                raise DeclarationError(
                    f"{where}: the sort keys of {other.name} and {item.name} both have {_shape_text(item.primary[1])}, "
                    "so that the rows of one query cannot be told apart; give them different prefixes"
                )


def _shape(key: KeyAttribute) -> Any:
    if isinstance(key, TextKey):
        return [(part.prefix, type(part.codec), part.constant) for part in key.parts]
    return key.tag


def _shape_text(key: KeyAttribute) -> str:
    return f"the prefix {key.prefix!r}" if key.prefix else "no prefix"
