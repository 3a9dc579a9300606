"""Conditions: what an item must be, for a write to happen or for a row to pass a filter."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn, TypeAlias

from logicaldb.codec.generic import AnyCodec
from logicaldb.codec.values import Refused, WireValue, describe, order_of
from logicaldb.expressions.placeholders import Context
from logicaldb.schema.places import Place

Equality: TypeAlias = Literal["=", "<>"]
Ordering: TypeAlias = Literal["<", "<=", ">", ">="]

MAX_IN: Final = 100
"""Operands of ``IN``;
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html"""


class Condition:
    """Something that an item must be, for a write to happen or for a row to pass a filter."""

    __slots__ = ()

    def encode(self, context: Context) -> str:
        """The expression; its names and values go to the placeholders of the context."""
        raise NotImplementedError

    def __and__(self, other: Condition) -> Condition:
        return _join("AND", self, other)

    def __or__(self, other: Condition) -> Condition:
        return _join("OR", self, other)

    if not TYPE_CHECKING:  # what a forgotten attr() leaves stands on the left

        def __rand__(self, other):
            return _join("AND", other, self)

        def __ror__(self, other):
            return _join("OR", other, self)

    def __invert__(self) -> Condition:
        return _Not(self)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a condition has no truth value of its own; join conditions with &, | and ~, not and, or and not"
        )


def check_condition(condition: object) -> Condition:
    """Refuse what a forgotten ``attr`` leaves of a condition.

    Raises:
        TypeError: it is no condition.
    """
    if isinstance(condition, Condition):
        return condition
    if isinstance(condition, bool):
        raise TypeError(
            f"a condition is due, not {condition}: write attr(...) around the field, as in attr(AlbumTrack.track_number) == 1"
        )
    raise TypeError(f"a condition is due, not {describe(condition)}: write it with attr(...) or Expression(...)")


def _join(operator: Literal["AND", "OR"], *conditions: object) -> Condition:
    """Join conditions; those that are joined so already in one row, because DynamoDB bounds how deep they are nested."""
    parts: list[Condition] = []
    for condition in map(check_condition, conditions):
        if isinstance(condition, _Joined) and condition.operator == operator:
            parts += condition.parts
        else:
            parts.append(condition)
    return _Joined(operator, tuple(parts))


@dataclass(frozen=True, slots=True, eq=False)
class _Joined(Condition):
    operator: Literal["AND", "OR"]
    parts: tuple[Condition, ...]

    def encode(self, context: Context) -> str:
        return f" {self.operator} ".join(f"({part.encode(context)})" for part in self.parts)


@dataclass(frozen=True, slots=True, eq=False)
class _Not(Condition):
    condition: Condition

    def encode(self, context: Context) -> str:
        return f"NOT ({self.condition.encode(context)})"


@dataclass(frozen=True, slots=True, eq=False)
class Equal(Condition):
    """Equal to a value, or not; a value that is stored by absence equals an attribute that is not there."""

    path: Any
    operator: Equality
    value: Any = field(repr=False)

    def encode(self, context: Context) -> str:
        place = context.find(self.path)
        wire = self._wire(place)
        if wire is None:
            return Exists(self.path, self.operator == "<>").encode(context)
        return f"{context.placeholders.path(place.path)} {self.operator} {context.placeholders.value(wire)}"

    def _wire(self, place: Place) -> WireValue | None:
        if self.value is None and not (place.alone and place.nullable):
            return None
        return _one_value(place).attribute(place.validated(self.value))


@dataclass(frozen=True, slots=True, eq=False)
class Compare(Condition):
    """Before or after a value."""

    path: Any
    operator: Ordering
    value: Any = field(repr=False)

    def encode(self, context: Context) -> str:
        place = _ordered(context.find(self.path), self.operator)
        return f"{context.placeholders.path(place.path)} {self.operator} {context.placeholders.value(place.encode(self.value))}"


@dataclass(frozen=True, slots=True, eq=False)
class Inside(Condition):
    """From one value to another."""

    path: Any
    low: Any = field(repr=False)
    high: Any = field(repr=False)

    def encode(self, context: Context) -> str:
        place = _ordered(context.find(self.path), "between")
        wires = low, high = place.encode(self.low), place.encode(self.high)
        if low.keys() == high.keys() and order_of(low) > order_of(high):
            raise place.refuse("between takes the lower value first")
        return f"{context.placeholders.path(place.path)} BETWEEN {' AND '.join(map(context.placeholders.value, wires))}"


@dataclass(frozen=True, slots=True, eq=False)
class OneOf(Condition):
    """One of several values."""

    path: Any
    values: Sequence[Any] | AbstractSet[Any] = field(repr=False)

    def encode(self, context: Context) -> str:
        place = _one_value(context.find(self.path))
        if not 1 <= len(self.values) <= MAX_IN:
            raise place.refuse(f"is_in takes 1 to {MAX_IN} values, not {len(self.values)}")
        wires = [place.encode(value) for value in self.values]
        if isinstance(self.values, AbstractSet):
            wires.sort(key=json.dumps)  # a set has no order of its own, and a cursor needs one
        values = ", ".join(map(context.placeholders.value, wires))
        return f"{context.placeholders.path(place.path)} IN ({values})"


@dataclass(frozen=True, slots=True, eq=False)
class Exists(Condition):
    """The attribute is there, or is not."""

    path: Any
    exists: bool

    def encode(self, context: Context) -> str:
        name = "attribute_exists" if self.exists else "attribute_not_exists"
        return f"{name}({context.placeholders.path(context.find(self.path).path)})"


@dataclass(frozen=True, slots=True, eq=False)
class Function(Condition):
    """A function of the attribute and one value, which ``wire`` makes for a place."""

    path: Any
    name: Literal["begins_with", "contains", "attribute_type"]
    wire: Callable[[Place, Any], WireValue]
    value: Any = field(repr=False)

    def encode(self, context: Context) -> str:
        place = context.find(self.path)
        value = self.wire(place, self.value)
        return f"{self.name}({context.placeholders.path(place.path)}, {context.placeholders.value(value)})"


@dataclass(frozen=True, slots=True, eq=False)
class SizeIs(Condition):
    """The size of the attribute compares so with a number."""

    path: Any
    operator: Equality | Ordering
    number: Any

    def encode(self, context: Context) -> str:
        place = _one_value(context.find(self.path))
        if place.part is not None and place.part.prefix:
            raise place.refuse(
                f"is stored with the prefix {place.part.prefix!r}, which its size would count; use Expression"
            )
        if place.codec.forms <= {"N", "BOOL", "NULL"}:
            raise place.refuse("is stored as what has no size")
        if not isinstance(self.number, int) or isinstance(self.number, bool):
            raise place.refuse(f"a size is compared with an int, not with {describe(self.number)}")
        value = context.placeholders.value({"N": str(self.number)})
        return f"size({context.placeholders.path(place.path)}) {self.operator} {value}"


def beginning(place: Place, value: Any) -> WireValue:
    """The stored form of the beginning of a value, which is not a valid value by itself."""
    place = _one_value(place)
    if isinstance(value, str) and "S" in place.codec.forms:
        return {"S": ("" if place.part is None else place.part.prefix) + _text(place, value)}
    if isinstance(value, bytes) and "B" in place.codec.forms:
        return PLAIN.encode(value)
    raise place.refuse(f"cannot begin with {describe(value)}")


def contained(place: Place, value: Any) -> WireValue:
    """The stored form of what a string, a binary, a list or a set may contain."""
    place = _one_value(place)
    if isinstance(value, str) and "S" in place.codec.forms:
        prefix = "" if place.part is None else place.part.prefix
        if prefix and (value in prefix or any(value.startswith(prefix[cut:]) for cut in range(len(prefix)))):
            raise place.refuse(
                f"is stored with the prefix {prefix!r}, which contains would search too; use begins_with"
            )
        return {"S": _text(place, value)}
    if isinstance(value, bytes) and "B" in place.codec.forms:
        return PLAIN.encode(value)
    if place.codec.forms & {"L", "SS", "NS", "BS"}:
        element = place.element()
        wire = element.attribute(element.validated(value))
        assert wire is not None, "an element is there, be it None"
        return wire
    raise place.refuse(f"cannot contain {describe(value)}")


def of_type(_place: Place, value: Any) -> WireValue:
    """The operand of ``attribute_type``."""
    return {"S": value}


def _one_value(place: Place) -> Place:
    """A place whose stored form is one value; a part of a composite key is not."""
    if not place.alone:
        raise place.refuse(
            f"is a part of the composite key {place.path[0]} and has no attribute of its own; use a key condition or Expression"
        )
    return place


def _ordered(place: Place, operator: str) -> Place:
    if not place.ordered:
        raise place.refuse(f"{operator} compares the stored form, whose order is not that of the values of this type")
    return _one_value(place)


def _text(place: Place, value: str) -> str:
    try:
        text: str = PLAIN.encode(value)["S"]
    except Refused as refused:
        raise place.refuse(refused.reason) from None
    return text


class _Plain(AnyCodec):
    """The values of expressions that no field gives a type."""

    def _unknown(self, value: Any) -> Refused:
        return Refused(f"is {describe(value)}, which DynamoDB has no type for; give it as it is stored")


PLAIN: Final = _Plain()
"""The codec of values that no field gives a type."""
