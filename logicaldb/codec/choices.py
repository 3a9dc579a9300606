"""Codecs of types with a fixed list of values: enums and literals."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from copy import deepcopy
from enum import Enum, Flag
from typing import Any

from logicaldb.codec.generic import UNTYPED, generic_decode
from logicaldb.codec.numbers import decode_number
from logicaldb.codec.scalars import SCALARS
from logicaldb.codec.values import Refused, Unsupported, ValueCodec, WireValue, describe, mismatch


def frozen(wire: WireValue) -> Hashable:
    """A wire value as a key of a dict: equal where DynamoDB would call the values equal.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: if it is not a wire value.
    """
    ((form, held),) = wire.items()
    freeze = _FREEZERS.get(form)
    return form, held if freeze is None else freeze(held)


_FREEZERS: dict[str, Callable[[Any], Hashable]] = {
    "N": decode_number,
    "L": lambda held: tuple(frozen(element) for element in held),
    "M": lambda held: frozenset((key, frozen(element)) for key, element in held.items()),
    "SS": frozenset,
    "NS": lambda held: frozenset(decode_number(element) for element in held),
    "BS": frozenset,
}


class ChoiceCodec(ValueCodec):
    """Values out of a fixed list, each with a wire form of its own."""

    def __init__(self, name: str, choices: Iterable[tuple[Any, WireValue]]) -> None:
        """Take the values with their wire forms.

        Raises:
            Unsupported: if two of them have one wire form.
        """
        self.name = name
        self._wires: dict[tuple[type, Hashable], WireValue] = {}
        self._values: dict[Hashable, Any] = {}
        for value, wire in choices:
            key = frozen(wire)
            if key in self._values:
                raise Unsupported(f"{self._show(self._values[key])} and {self._show(value)} have one stored form")
            self._wires[type(value), value] = wire
            self._values[key] = value
        self.forms = frozenset(form for wire in self._wires.values() for form in wire)
        self.types: tuple[type, ...] = tuple({type(value) for value in self._values.values()})

    @property
    def choices(self) -> list[tuple[Any, WireValue]]:
        """The values with their wire forms."""
        return [(value, self._wires[type(value), value]) for value in self._values.values()]

    def accepts(self, value: Any) -> bool:
        """Whether the value is one of the list."""
        try:
            return (type(value), value) in self._wires
        except TypeError:
            return False

    def encode(self, value: Any) -> WireValue:
        """The value's own wire form."""
        try:
            wire = self._wires[type(value), value]
        except (KeyError, TypeError):
            raise self._refusal(value) from None
        return deepcopy(wire)

    def decode(self, wire: WireValue) -> Any:
        """The value; an unknown wire form is decoded by itself."""
        try:
            return self._values[frozen(wire)]
        except (AttributeError, KeyError, TypeError, ValueError):
            return generic_decode(wire)

    def _show(self, value: Any) -> str:
        return str(value) if isinstance(value, Enum) else repr(value)

    def _refusal(self, value: Any) -> Refused:
        return Refused(f"is {describe(value)} that is none of the values of {self.name}")


class EnumCodec(ChoiceCodec):
    """Members of an enum by the wire form of their value."""

    def __init__(self, enum: type[Enum], choices: Iterable[tuple[Enum, WireValue]], *, by_value: bool) -> None:
        """Take the members with the wire forms of their values.

        Args:
            enum: the class.
            choices: its members.
            by_value: whether fields hold the values of members (pydantic's ``use_enum_values``).
        """
        super().__init__(enum.__name__, choices)
        if by_value:
            values = [(member.value, wire) for member, wire in self.choices]
            self._wires.update(((type(value), value), wire) for value, wire in values)
            self.types = (*self.types, *{type(value) for value, _ in values})

    def _refusal(self, value: Any) -> Refused:
        return mismatch(value, f"a member of {self.name}")


class FlagCodec(ValueCodec):
    """Flags by their number, so that combinations are stored too."""

    forms = frozenset("N")

    def __init__(self, flag: type[Flag]) -> None:
        self._flag = flag
        self.types = (flag,)

    def encode(self, value: Any) -> WireValue:
        """N."""
        if not isinstance(value, self._flag):
            raise mismatch(value, f"a member of {self._flag.__name__}")
        return {"N": str(int(value.value))}

    def decode(self, wire: WireValue) -> Any:
        """The flags; a number that is no combination of them stays one."""
        number = generic_decode(wire)
        if number.__class__ is int:
            try:
                return self._flag(number)
            except ValueError:
                pass
        return number


def literal_codec(name: str, values: Iterable[Any]) -> ChoiceCodec:
    """The codec of a ``Literal``.

    Raises:
        Unsupported: if two values have one stored form, or one has none.
    """
    return ChoiceCodec(name, [(value, _constant(name, value)) for value in values])


def enum_codec(enum: type[Enum], *, by_value: bool) -> ValueCodec:
    """The codec of an enum; ``by_value`` as in ``EnumCodec``.

    Raises:
        Unsupported: if two members have one stored form, or one has none.
    """
    if issubclass(enum, Flag):
        return FlagCodec(enum)
    return EnumCodec(enum, [(member, _constant(str(member), member)) for member in enum], by_value=by_value)


def _constant(name: str, value: Any) -> WireValue:
    if isinstance(value, Enum):
        value = value.value
    try:
        if isinstance(value, tuple):
            return {"L": [_constant(name, element) for element in value]}
        return _CONSTANTS.get(type(value), UNTYPED).encode(value)
    except Refused as refused:
        raise Unsupported(f"the value of {name} {refused.reason}") from None


_CONSTANTS = {kind: codec for codec in SCALARS for kind in codec.types}
