"""Updates of an item: what ``attr(...).set(...)`` and its like do to the attributes of its row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from logicaldb.annotations import Counter, CreatedAt, UpdatedAt, Version
from logicaldb.codec.keys import ABSENT, FieldRefused
from logicaldb.codec.sequences import ListCodec, SetCodec
from logicaldb.codec.values import WireValue, describe
from logicaldb.expressions import Update
from logicaldb.expressions.attributes import UpdateKind
from logicaldb.operations.changes import Changes
from logicaldb.operations.counters import Guard, guard
from logicaldb.paths import Step
from logicaldb.schema.fields import FieldDeclaration
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.places import Place, find_place


@dataclass(frozen=True, slots=True)
class Planned:
    """What updates come to, beside their clauses.

    Attributes:
        given: the fields that have a value afterwards, whatever was there.
        touched: the fields that the updates name.
        guards: the bounds of the counters that are added to.
        repeatable: whether doing it twice comes to the same.
    """

    given: AbstractSet[str]
    touched: AbstractSet[str]
    guards: Sequence[Guard]
    repeatable: bool


def plan(
    item: ItemSchema, updates: Iterable[Update], changes: Changes, valid: Mapping[str, Any] | None = None
) -> Planned:
    """Put updates into the clauses of an expression.

    Args:
        item: the item type.
        updates: the updates.
        changes: where the clauses go.
        valid: the values of whole fields that are validated already; what is given may be there for one look only.

    Raises:
        TypeError: something is no update, or a path belongs to another type.
        EncodingError: an update does not fit its field, or meets another.
    """
    planning = _Planning(item, changes, valid or {})
    for update in updates:
        planning.take(update)
    planning.write_attributes()
    return Planned(
        planning.given,
        {place.field.name for place in planning.seen},
        tuple(planning.guards),
        repeatable=planning.repeatable,
    )


class _Planning:
    def __init__(self, item: ItemSchema, changes: Changes, valid: Mapping[str, Any]) -> None:
        self.item = item
        self.changes = changes
        self.valid = valid
        self.seen: list[Place] = []
        self.given: set[str] = set()
        self.guards: list[Guard] = []
        self.repeatable = True
        self.values: dict[str, Any] = {}
        """The new values of whole fields."""
        self.attributes: dict[str, Place] = {}
        """The attributes that hold them, each with the first place that asks for it."""

    def take(self, update: Update) -> None:
        """Put one update into its clause."""
        if not isinstance(update, Update):
            raise TypeError(f"an update is due, such as attr(AlbumTrack.track_title).set(...), not {describe(update)}")
        place = find_place(update.path, (self.item,))
        self._check(place, update.kind)
        self.seen.append(place)
        # To set an element beyond the end of a list appends it, and to remove one moves those behind it.
        if update.kind in ("add", "append", "prepend") or isinstance(place.path[-1], int):
            self.repeatable = False
        _KINDS[update.kind](self, place, update.argument)
        if place.top and update.argument is not None:
            self.given.add(place.field.name)

    def _check(self, place: Place, kind: UpdateKind) -> None:
        for before in self.seen:
            shorter = min(len(before.path), len(place.path))
            if before.path[:shorter] == place.path[:shorter] and (place.alone or before.field is place.field):
                raise place.refuse(f"is updated twice, as {before.text} and as {place.text}; DynamoDB takes one")
        if any(attribute in self.item.raw.keys for attribute in place.field.attributes):
            raise place.refuse(
                "is part of the primary key, which cannot be updated; make a new item and delete the old one"
            )
        match place.field.role:
            case Version():
                raise place.refuse("is the version, which every write moves on by itself")
            case CreatedAt() | UpdatedAt() as role:
                raise place.refuse(f"is {type(role).__name__}(), which the mapper sets by itself")
            case Counter() if kind != "add":
                raise place.refuse(
                    "is a counter, which changes by add(...) alone; put(...) replaces it with the whole item"
                )
            case _:
                pass

    def set(self, place: Place, value: Any) -> None:
        """Write a value; ``None`` by absence, or as NULL where absence reads back as something else."""
        if value is None and not place.nullable:
            if not place.removable:
                raise place.refuse("is required and cannot be set to None")
            self.remove(place, None)
        elif place.top:
            name = place.field.name
            self.values[name] = self.valid[name] if name in self.valid else place.validated(value)
            for attribute in place.field.attributes:
                self.attributes.setdefault(attribute, place)
        else:
            wire = place.attribute(place.validated(value))
            for path in _paths(place):
                self.changes.put(path, wire)

    def set_if_not_exists(self, place: Place, value: Any) -> None:
        """Write a value where there is none."""
        value = place.validated(value)
        for path in _paths(place):
            attribute = str(path[0])
            if self._is_shared(attribute):
                raise place.refuse(f"is a part of the composite key {attribute}, which is set whole; use set(...)")
            wire = self._encoded(attribute, {place.field.name: value}) if place.top else place.attribute(value)
            if wire is None:
                raise place.refuse("set_if_not_exists would set nothing: this value is stored by absence")
            self.changes.set_if_not_exists(path, wire)

    def remove(self, place: Place, _: None) -> None:
        """Remove an attribute, or what is inside one."""
        if not place.removable:
            raise place.refuse("is required and cannot be removed")
        for path in _paths(place):
            attribute = str(path[0])
            if self._is_shared(attribute):
                self.values[place.field.name] = None
                self.attributes.setdefault(attribute, place)
            else:
                self.changes.remove(path)

    def append(self, place: Place, values: Sequence[Any]) -> None:
        """Put elements at the end of a list."""
        self._join(place, values, at_end=True)

    def prepend(self, place: Place, values: Sequence[Any]) -> None:
        """Put elements at the beginning of a list."""
        self._join(place, values, at_end=False)

    def _join(self, place: Place, values: Sequence[Any], *, at_end: bool) -> None:
        if not isinstance(place.codec, ListCodec):
            raise place.refuse("is no list, so nothing can be appended")
        element = place.element()
        added: WireValue = {"L": [element.attribute(element.validated(value)) for value in values]}
        initial = _default_wire(place) or {"L": []}
        for path in _paths(place):
            self.changes.join(path, initial, added, at_end=at_end)

    def add(self, place: Place, number: Any) -> None:
        """Add to a number."""
        allowed = _ADDENDS.get(place.type, ())
        if not allowed or place.part is not None:
            raise place.refuse("is no number, so nothing can be added")
        if type(number) not in allowed:
            kinds = " or ".join(kind.__name__ for kind in allowed)
            raise place.refuse(f"add takes {kinds}, not {describe(number)}")
        wire = place.wire(place.type(number))
        role = place.field.role
        if isinstance(role, Counter):
            self.guards.append(guard(place.field, role, number, place.wire))
            initial: WireValue | None = place.wire(place.type(role.initial))
        else:
            initial = _default_wire(place)
        for path in _paths(place):
            if place.top and initial in (None, {"N": "0"}):
                self.changes.add(str(path[0]), wire)
            else:  # ADD takes whole attributes, and begins with 0
                self.changes.set_sum(path, initial or {"N": "0"}, wire)

    def add_to_set(self, place: Place, values: Sequence[Any]) -> None:
        """Put elements into a set."""
        self._change_set(place, values, self.changes.add)

    def delete_from_set(self, place: Place, values: Sequence[Any]) -> None:
        """Take elements out of a set."""
        self._change_set(place, values, self.changes.delete)

    def _change_set(self, place: Place, values: Sequence[Any], change: Callable[[str, WireValue], None]) -> None:
        if not isinstance(place.codec, SetCodec):
            raise place.refuse("is no set")
        if not place.top:
            raise place.refuse(
                "is inside an attribute, and DynamoDB changes sets of whole attributes alone; set(...) it"
            )
        if place.attribute(frozenset()) is not None:
            raise place.refuse(
                "has a default other than the empty set, so an emptied set would read back as that; set(...) it"
            )
        if not values:
            return
        element = place.element()
        wire = place.wire(frozenset([element.validated(value) for value in values]))
        if "L" in wire:
            raise place.refuse("is stored as a list, since DynamoDB has no sets of its elements; set(...) it")
        for attribute in place.field.attributes:
            change(attribute, wire)

    def write_attributes(self) -> None:
        """Write the attributes that hold the new values of fields, each once and whole."""
        for attribute, place in self.attributes.items():
            missing = [name for name in self.item.stored[attribute].fields if name not in self.values]
            if missing:
                raise place.refuse(
                    f"is a part of the composite key {attribute}, which is written whole; "
                    f"update {' and '.join(missing)} too"
                )
            self.changes.put((attribute,), self._encoded(attribute, self.values))

    def _encoded(self, attribute: str, values: Mapping[str, Any]) -> WireValue | None:
        try:
            return self.item.stored[attribute].encode(values)
        except FieldRefused as refused:
            raise self.item.refused(refused) from None

    def _is_shared(self, attribute: str) -> bool:
        """Whether several fields make the attribute, as the parts of a composite key."""
        return len(self.item.stored[attribute].fields) > 1


_KINDS: Final[Mapping[UpdateKind, Callable[[_Planning, Place, Any], None]]] = {
    "set": _Planning.set,
    "set_if_not_exists": _Planning.set_if_not_exists,
    "remove": _Planning.remove,
    "append": _Planning.append,
    "prepend": _Planning.prepend,
    "add": _Planning.add,
    "add_to_set": _Planning.add_to_set,
    "delete_from_set": _Planning.delete_from_set,
}

_ADDENDS: Final[Mapping[Any, Sequence[type]]] = {int: (int,), float: (int, float), Decimal: (int, Decimal)}
"""What can be added to the numbers of a type, without rounding."""


def _paths(place: Place) -> Iterator[tuple[Step, ...]]:
    """The place in each of the attributes that hold its field."""
    return ((attribute, *place.path[1:]) for attribute in place.field.attributes)


def default_of(field: FieldDeclaration, *, generated: bool = True) -> Any:
    """The default of a field, ``ABSENT`` where it has none or one that is made of other fields.

    Args:
        field: the field.
        generated: whether defaults count that a factory makes.
    """
    if field.info.default_factory is None:
        return field.default
    if not generated or field.info.default_factory_takes_validated_data:
        return ABSENT
    return field.info.get_default(call_default_factory=True)


def _default_wire(place: Place) -> WireValue | None:
    """What an absent attribute stands for, where it is something."""
    default = default_of(place.field) if place.top else None
    return None if default is None or default is ABSENT else place.wire(default)
