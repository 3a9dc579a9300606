"""Codecs of types with a fixed list of values: enums and literals."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from copy import deepcopy
from enum import Enum, Flag
from typing import Any

from logicaldb.codec.generic import generic_decode
from logicaldb.codec.numbers import decode_number
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
        self.types = tuple({type(value) for value in self._values.values()})

    @property
    def choices(self) -> list[tuple[Any, WireValue]]:
        """The values with their wire forms."""
        return [(value, wire) for (_, value), wire in self._wires.items()]

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
            by_value: whether fields hold the members' values (pydantic's ``use_enum_values``).
        """
        super().__init__(enum.__name__, choices)
        self._enum = enum
        if by_value:
            self.types = (*self.types, *(type(member.value) for member in enum))
            for (_, member), wire in list(self._wires.items()):
                self._wires[type(member.value), member.value] = wire

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
