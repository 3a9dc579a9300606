"""Update expressions: what ``attr(...).set(...)`` and its like become."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, get_origin

from logicaldb.annotations import Counter, CreatedAt, UpdatedAt, Version
from logicaldb.codec.keys import ABSENT, FieldRefused
from logicaldb.codec.values import WireValue
from logicaldb.expressions import Placeholders, Update
from logicaldb.paths import Step
from logicaldb.schema.declarations import FieldDeclaration
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.places import Place, find_place


@dataclass(frozen=True, slots=True)
class Guard:
    """The bounds of a counter for one addition, where they can be passed."""

    attribute: str
    counter: Counter
    number: int | Decimal

    def holds(self, row: Row) -> bool:
        """Whether the count of a row stays inside the bounds."""
        wire = row.get(self.attribute)
        try:
            count = Decimal(self.counter.initial) if wire is None else Decimal(wire["N"])
        except KeyError:
            return True  # not a number: the addition fails for another reason
        return self._inside(count + self.number)

    def _inside(self, count: Decimal) -> bool:
        low, high = self.counter.minimum, self.counter.maximum
        if self.number < 0:
            return low is None or count >= low
        return high is None or count <= high

    def expression(self, placeholders: Placeholders, encode: Callable[[Any], WireValue]) -> str | None:
        """The condition that keeps the count inside, ``None`` where nothing can pass the bounds."""
        bound = self.counter.minimum if self.number < 0 else self.counter.maximum
        if bound is None or self.number == 0:
            return None
        name = placeholders.name(self.attribute)
        operator = ">=" if self.number < 0 else "<="
        text = f"{name} {operator} {placeholders.value(encode(bound - self.number))}"
        if self._inside(Decimal(self.counter.initial) + self.number):
            return f"attribute_not_exists({name}) OR {text}"
        return text


@dataclass(slots=True)
class Changes:
    """The clauses of one update expression, and the bounds that counters put on it."""

    placeholders: Placeholders
    sets: list[str] = field(default_factory=list)
    removes: list[str] = field(default_factory=list)
    adds: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)

    def set(self, path: Sequence[Step], wire: WireValue) -> None:
        """Set a value."""
        self.sets.append(f"{self.placeholders.path(path)} = {self.placeholders.value(wire)}")

    def set_if_not_exists(self, path: Sequence[Step], wire: WireValue) -> None:
        """Set a value where there is none."""
        name = self.placeholders.path(path)
        self.sets.append(f"{name} = if_not_exists({name}, {self.placeholders.value(wire)})")

    def set_sum(self, path: Sequence[Step], initial: WireValue, number: WireValue) -> None:
        """Add to a number that begins with another than 0."""
        name = self.placeholders.path(path)
        start = f"if_not_exists({name}, {self.placeholders.value(initial)})"
        self.sets.append(f"{name} = {start} + {self.placeholders.value(number)}")

    def remove(self, path: Sequence[Step]) -> None:
        """Remove an attribute, or an element."""
        self.removes.append(self.placeholders.path(path))

    def put(self, attribute: str, wire: WireValue | None) -> None:
        """Set an attribute, or remove it."""
        if wire is None:
            self.remove((attribute,))
        else:
            self.set((attribute,), wire)

    def expression(self) -> str:
        """The ``UpdateExpression``; empty where nothing changes."""
        clauses = (("SET", self.sets), ("REMOVE", self.removes), ("ADD", self.adds), ("DELETE", self.deletes))
        return " ".join(f"{keyword} {', '.join(texts)}" for keyword, texts in clauses if texts)


def plan(item: ItemSchema, updates: Iterable[Update], changes: Changes) -> frozenset[str]:
    """Put updates into the clauses of an expression.

    Returns:
        The fields that will be there afterwards, for the check of an upsert.

    Raises:
        TypeError: something is no update, or a path belongs to another type.
        EncodingError: an update does not fit its field, or meets another.
    """
    return _Plan(item, changes).run(updates)


class _Plan:
    def __init__(self, item: ItemSchema, changes: Changes) -> None:
        self.item = item
        self.changes = changes
        self.seen: list[Place] = []
        self.given: set[str] = set()
        self.key_values: dict[str, Any] = {}
        """The new values of fields that are written as keys, alone or as parts of a composite one."""
        self.key_places: dict[str, Place] = {}

    def run(self, updates: Iterable[Update]) -> frozenset[str]:
        for update in updates:
            if not isinstance(update, Update):
                raise TypeError(
                    f"an update is due, such as attr(AlbumTrack.track_title).set(...), not {type(update).__name__}"
                )
            place = find_place(update.path, (self.item,))
            self._check(place, update.kind)
            _KINDS[update.kind](self, place, update.argument)
            if update.kind != "remove" and update.argument is not None and place.top:
                self.given.add(place.field.name)
        self._write_keys()
        return frozenset(self.given)

    def _check(self, place: Place, kind: str) -> None:
        for before in self.seen:
            shorter = min(len(before.path), len(place.path))
            if before.path[:shorter] == place.path[:shorter] and (place.alone or before.field is place.field):
                raise place.refuse(f"is updated twice, as {before.text} and as {place.text}; DynamoDB takes one")
        self.seen.append(place)
        if any(attribute in self.item.raw.keys for attribute in place.field.attributes):
            raise place.refuse("is part of the primary key, which cannot be updated; make a new item and delete the old one")
        role = place.field.role
        if isinstance(role, Version):
            raise place.refuse("is the version, which every write moves on by itself")
        if isinstance(role, CreatedAt | UpdatedAt):
            raise place.refuse(f"is {type(role).__name__}(), which the mapper sets by itself")
        if isinstance(role, Counter) and kind != "add":
            raise place.refuse("is a counter, which changes by add(...) alone; put(...) replaces it with the whole item")

    def set(self, place: Place, value: Any) -> None:
        if value is None and not place.nullable:
            raise place.refuse("is required and cannot be set to None")
        value = place.validated(value)
        if place.part is not None:
            self._keep(place, value)
        elif place.top:
            for attribute in place.field.attributes:
                self.changes.put(attribute, place.attribute(value))
        elif value is None:
            self.changes.remove(place.path)
        else:
            self.changes.set(place.path, place.wire(value))

    def _keep(self, place: Place, value: Any) -> None:
        self.key_values[place.field.name] = value
        self.key_places[place.field.name] = place

    def set_if_not_exists(self, place: Place, value: Any) -> None:
        if value is None:
            raise place.refuse("set_if_not_exists(None) would set nothing")
        if not place.alone:
            raise place.refuse(f"is a part of the composite key {place.path[0]}, which is set whole; use set(...)")
        wire = place.encode(value)
        paths = [(attribute,) for attribute in place.field.attributes] if place.top else [place.path]
        for path in paths:
            self.changes.set_if_not_exists(path, wire)

    def remove(self, place: Place, _: Any) -> None:
        if not place.removable:
            raise place.refuse("is required and cannot be removed")
        if place.part is not None:
            self._keep(place, None)
            return
        for path in [(attribute,) for attribute in place.field.attributes] if place.top else [place.path]:
            self.changes.remove(path)

    def append(self, place: Place, values: list[Any]) -> None:
        self._join(place, values, "list_append({list}, {added})")

    def prepend(self, place: Place, values: list[Any]) -> None:
        self._join(place, values, "list_append({added}, {list})")

    def _join(self, place: Place, values: list[Any], template: str) -> None:
        if place.codec.forms != {"L"} or _is_set(place):
            raise place.refuse("is no list, so nothing can be appended")
        element = place.element()
        added = self.changes.placeholders.value({"L": [element.encode(value) for value in values]})
        start = self.changes.placeholders.value(_default_wire(place) or {"L": []})
        for path in [(attribute,) for attribute in place.field.attributes] if place.top else [place.path]:
            name = self.changes.placeholders.path(path)
            joined = template.format(list=f"if_not_exists({name}, {start})", added=added)
            self.changes.sets.append(f"{name} = {joined}")

    def add(self, place: Place, number: Any) -> None:
        if place.type not in (int, float, Decimal) or place.part is not None:
            raise place.refuse("is no number, so nothing can be added")
        allowed = {int: (int,), float: (int, float), Decimal: (int, Decimal)}[place.type]
        if isinstance(number, bool) or not isinstance(number, allowed):
            raise place.refuse(f"add takes {' or '.join(kind.__name__ for kind in allowed)}, not {type(number).__name__}")
        role = place.field.role if place.top else None
        if isinstance(role, Counter):
            self.changes.guards.append(Guard(str(place.path[0]), role, number))
            initial: WireValue | None = place.wire(place.type(role.initial))
        else:
            initial = _default_wire(place)
        wire = place.wire(place.type(number))
        for path in [(attribute,) for attribute in place.field.attributes] if place.top else [place.path]:
            if len(path) == 1 and initial in (None, {"N": "0"}):
                value = self.changes.placeholders.value(wire)
                self.changes.adds.append(f"{self.changes.placeholders.path(path)} {value}")
            else:  # ADD takes whole attributes, and begins with 0
                self.changes.set_sum(path, initial or {"N": "0"}, wire)

    def add_to_set(self, place: Place, values: AbstractSet[Any]) -> None:
        self._change_set(place, values, self.changes.adds)

    def delete_from_set(self, place: Place, values: AbstractSet[Any]) -> None:
        self._change_set(place, values, self.changes.deletes)

    def _change_set(self, place: Place, values: AbstractSet[Any], clauses: list[str]) -> None:
        if not _is_set(place):
            raise place.refuse("is no set")
        if not place.top:
            raise place.refuse("is inside an attribute, and DynamoDB changes sets of whole attributes alone; set(...) it")
        if place.field.codec.encode(frozenset()) is not None:
            raise place.refuse("has a default other than the empty set, so an emptied set would read back as that; set(...) it")
        if not values:
            return
        element = place.element()
        wire = place.wire({element.validated(value) for value in values})
        if "L" in wire:
            raise place.refuse("is stored as a list, since DynamoDB has no sets of its elements; set(...) it")
        for attribute in place.field.attributes:
            value = self.changes.placeholders.value(wire)
            clauses.append(f"{self.changes.placeholders.name(attribute)} {value}")

    def _write_keys(self) -> None:
        """Write the attributes that are made of updated fields, each once and whole."""
        for attribute in dict.fromkeys(name for place in self.key_places.values() for name in place.field.attributes):
            stored = self.item.stored[attribute]
            missing = [name for name in stored.fields if name not in self.key_values]
            if missing:
                given = next(place for name, place in self.key_places.items() if name in stored.fields)
                raise given.refuse(
                    f"is a part of the composite key {attribute}, which is written whole; "
                    f"update {' and '.join(missing)} too"
                )
            try:
                self.changes.put(attribute, stored.encode(self.key_values))
            except FieldRefused as refused:
                raise self.item.refused(refused) from None


_KINDS: Mapping[str, Callable[[_Plan, Place, Any], None]] = {
    "set": _Plan.set,
    "set_if_not_exists": _Plan.set_if_not_exists,
    "remove": _Plan.remove,
    "append": _Plan.append,
    "prepend": _Plan.prepend,
    "add": _Plan.add,
    "add_to_set": _Plan.add_to_set,
    "delete_from_set": _Plan.delete_from_set,
}


def _is_set(place: Place) -> bool:
    origin = get_origin(place.type) or place.type
    return isinstance(origin, type) and issubclass(origin, AbstractSet)


def _default_wire(place: Place) -> WireValue | None:
    """What an absent attribute stands for, where it is something."""
    if not place.top or place.field.default in (ABSENT, None):
        return None
    return place.wire(place.field.default)


def missing_for_upsert(item: ItemSchema, given: AbstractSet[str]) -> list[str]:
    """The required fields that an update does not give, so that it cannot make the row."""
    keys = {field for attribute in item.primary for field in attribute.fields}
    fields: Mapping[str, FieldDeclaration] = item.declaration.fields
    return [name for name, declared in fields.items() if declared.required and name not in keys and name not in given]


