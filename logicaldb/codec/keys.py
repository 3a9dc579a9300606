"""Key attributes: how the fields of an item become the strings, numbers and binaries of its keys, and back.

In a string key the order of the stored strings is the order of the values, and no two keys meet in one string.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any, Final, Literal, Protocol, TypeAlias, get_args, get_origin
from uuid import UUID

from logicaldb.codec.scalars import IntCodec
from logicaldb.codec.values import Refused, ValueCodec, WireValue, mismatch

ABSENT: Final = object()
"""In place of a constant or a default: there is none."""

KeyTag: TypeAlias = Literal["S", "N", "B"]
"""What a key attribute can be on the wire."""


class TextCodec(Protocol):
    """One part of a string key: a value and its text."""

    def text(self, value: Any) -> str:
        """The text of a value; raises ``Refused``."""
        ...

    def value(self, text: str) -> Any:
        """The value of a text; raises ``Refused`` where it cannot have one."""
        ...


@dataclass(frozen=True, slots=True)
class PlainText:
    """The part of a type that is stored as a string anyway, by that string."""

    codec: ValueCodec

    def text(self, value: Any) -> str:
        text: str = self.codec.encode(value)["S"]
        return text

    def value(self, text: str) -> Any:
        return self.codec.decode({"S": text})


@dataclass(frozen=True, slots=True)
class ClockText:
    """The part of a ``time``, which has no offset: with offsets the texts would not sort as the times do."""

    codec: ValueCodec

    def text(self, value: Any) -> str:
        text: str = self.codec.encode(value)["S"]
        if value.tzinfo is not None:
            raise Refused("is a time with an offset, whose text does not sort as times do")
        return text

    def value(self, text: str) -> Any:
        return self.codec.decode({"S": text})


@dataclass(frozen=True, slots=True)
class PaddedNumber:
    """The part of a whole number: digits, padded with zeros so that the texts sort as the numbers do."""

    codec: ValueCodec
    width: int

    def text(self, value: Any) -> str:
        number = value.value if isinstance(value, Enum) else value
        if not isinstance(number, int) or isinstance(number, bool):
            raise mismatch(value, "an int")
        if number < 0:
            raise Refused("is negative, and a number in a string key is not")
        # Four bits hold a digit: a number of a million digits is refused before any work on it.
        digits = "" if number.bit_length() > 4 * self.width else int.__repr__(number)
        if not 0 < len(digits) <= self.width:
            raise Refused(f"is wider than {self.width} digits")
        return digits.zfill(self.width)

    def value(self, text: str) -> Any:
        try:
            if not (text.isascii() and text.isdigit()):
                raise ValueError
            number = int(text)
        except ValueError:
            raise Refused("is not stored as digits") from None
        return number if isinstance(self.codec, IntCodec) else self.codec.decode({"N": str(number)})


@dataclass(frozen=True, slots=True)
class KeyPart:
    """What one field contributes to a string key attribute.

    Attributes:
        field: the name of the field.
        prefix: the text before it.
        separator: the text that follows it, which is the prefix of the next part; empty after the last.
        codec: the text of its value.
        nullable: whether the field may be ``None``, which leaves the whole attribute out.
        constant: the one value of the field, else ``ABSENT``.
        partial: whether a beginning of the text is good for ``BeginsWith``, when the part is the last.
    """

    field: str
    prefix: str
    separator: str
    codec: TextCodec
    nullable: bool = False
    constant: Any = ABSENT
    partial: bool = False

    def text(self, value: Any) -> str:
        """The text of a value, without the prefix; raises ``FieldRefused``."""
        if self.constant is not ABSENT and value != self.constant:
            raise FieldRefused(self.field, "is not the constant of the type")
        try:
            text = self.codec.text(value)
        except Refused as refused:
            raise FieldRefused(self.field, refused.reason, refused.path) from None
        # Otherwise two different keys could meet in one string: "a#" + "#" + "b" and "a" + "#" + "#b".
        if self.separator and runs_into(text, self.separator):
            raise FieldRefused(self.field, f"runs into the separator {self.separator!r} that follows it")
        return text

    def value(self, text: str) -> Any:
        """The value of a text without the prefix; raises ``FieldRefused``."""
        try:
            if self.constant is not ABSENT and self.codec.text(self.constant) != text:
                raise Refused("is not stored as the constant of the type")
            return self.codec.value(text)
        except Refused as refused:
            raise FieldRefused(self.field, refused.reason) from None


@dataclass(frozen=True, slots=True)
class Partial:
    """A key attribute as far as a key gives it.

    Attributes:
        wire: its stored form, or the beginning of one; ``None`` where nothing is known of it.
        whole: whether every part was given.
        missing: the fields that were not.
    """

    wire: WireValue | None
    whole: bool
    missing: tuple[str, ...] = ()


class KeyAttribute(Protocol):
    """A key attribute of a row: what its value is made of, and how it is read."""

    @property
    def name(self) -> str:
        """The name of the attribute."""
        ...

    @property
    def tag(self) -> KeyTag:
        """Its type on the wire."""
        ...

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it is made of."""
        ...

    @property
    def prefix(self) -> str:
        """The text that every value begins with."""
        ...

    @property
    def constant(self) -> bool:
        """Whether ``prefix`` is all there is."""
        ...

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        """The stored form for the values of the fields; ``None`` where they are ``None``. Raises ``FieldRefused``."""
        ...

    def partial(self, values: Mapping[str, Any]) -> Partial:
        """The stored form as far as values are given, from the first part on. Raises ``FieldRefused``."""
        ...

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        """The values of the fields, those of nullable ones ``None`` where the attribute is absent.

        Raises ``FieldRefused`` where ``encode`` cannot have made it.
        """
        ...


class FieldRefused(Refused):
    """A ``Refused`` that knows its field."""

    def __init__(self, field: str, reason: str, path: str = "") -> None:
        super().__init__(reason, path)
        self.field = field


@dataclass(frozen=True, slots=True)
class TextKey:
    """A string key attribute: one part, or several that are joined."""

    name: str
    parts: tuple[KeyPart, ...]

    @property
    def tag(self) -> KeyTag:
        return "S"

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(part.field for part in self.parts)

    @property
    def prefix(self) -> str:
        text = ""
        for part in self.parts:
            text += part.prefix
            if part.constant is ABSENT:
                break
            text += part.text(part.constant)
        return text

    @property
    def constant(self) -> bool:
        return all(part.constant is not ABSENT for part in self.parts)

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        texts: list[str] = []
        absent: list[str] = []
        for part in self.parts:
            value = values[part.field]
            if value is None and part.nullable:
                absent.append(part.field)
            else:
                texts += (part.prefix, part.text(value))
        if not absent:
            return {"S": "".join(texts)}
        if len(absent) < len(self.parts):
            given = " and ".join(part.field for part in self.parts if part.field not in absent)
            raise FieldRefused(absent[0], f"is None, but {given} of the same composite key {self.name} is not")
        return None

    def partial(self, values: Mapping[str, Any]) -> Partial:
        text = ""
        missing: list[str] = []
        for part in self.parts:
            value = values.get(part.field) if part.constant is ABSENT else part.constant
            if value is None:
                # The prefix belongs to the part before it as well: it is the separator where that one ends.
                text += "" if missing else part.prefix
                missing.append(part.field)
            elif not missing:
                text += part.prefix + part.text(value)
            elif part.constant is ABSENT:
                raise FieldRefused(part.field, f"is given, but {missing[0]} before it is not")
        return Partial({"S": text}, not missing, tuple(missing))

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        if wire is None:
            return {part.field: None for part in self.parts if part.nullable}
        rest = wire.get("S") if isinstance(wire, dict) else None
        if not isinstance(rest, str):
            raise FieldRefused(self.parts[0].field, "is not stored as a string")
        values: dict[str, Any] = {}
        for part in self.parts:
            if not rest.startswith(part.prefix):
                raise FieldRefused(part.field, f"is not stored with the prefix {part.prefix!r}")
            rest = rest[len(part.prefix) :]
            end = rest.find(part.separator) if part.separator else len(rest)
            if end < 0:
                raise FieldRefused(part.field, f"is not followed by {part.separator!r}")
            values[part.field] = part.value(rest[:end])
            rest = rest[end:]
        return values


@dataclass(frozen=True, slots=True)
class ScalarKey:
    """A number or binary key attribute: the value of one field."""

    name: str
    tag: KeyTag
    field: str
    codec: ValueCodec
    nullable: bool = False
    constant_value: Any = ABSENT

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    @property
    def prefix(self) -> str:
        return ""

    @property
    def constant(self) -> bool:
        return False  # of a string: numbers and binaries tell no types apart

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        value = values[self.field]
        if value is None and self.nullable:
            return None
        if self.constant_value is not ABSENT and value != self.constant_value:
            raise FieldRefused(self.field, "is not the constant of the type")
        try:
            return self.codec.encode(value)
        except Refused as refused:
            raise FieldRefused(self.field, refused.reason) from None

    def partial(self, values: Mapping[str, Any]) -> Partial:
        value = values.get(self.field) if self.constant_value is ABSENT else self.constant_value
        if value is None:
            return Partial(None, whole=False, missing=(self.field,))
        return Partial(self.encode({self.field: value}), whole=True)

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        if wire is None:
            return {self.field: None} if self.nullable else {}
        return {self.field: self.codec.decode(wire)}


def runs_into(text: str, separator: str) -> bool:
    """Whether a separator after a text would be found before the end of the text."""
    return (text + separator).find(separator) != len(text)


def always_runs_into(separator: str, texts: Iterable[str]) -> bool:
    """Whether no text of a part could ever be encoded before a separator.

    Args:
        separator: the prefix of the next part.
        texts: all texts of the part, or samples that stand for them; none where nothing is known of them.
    """
    known = list(texts)
    return bool(known) and all(runs_into(text, separator) for text in known)


SAMPLES: Final[Mapping[Any, tuple[str, ...]]] = {
    date: ("2222-11-22", "3333-05-09"),
    datetime: ("2222-11-22T22:22:22.222222Z", "3333-05-09T03:33:33.333333Z"),
    time: ("22:22:22.222222", "03:33:33.333333"),
    UUID: ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"),
}
"""Two texts of a type, that have nothing in common but what every text of the type has."""


def known_values(annotation: Any) -> tuple[Any, ...]:
    """All the values of a type that has few: the members of an ``Enum``, the values of a ``Literal``."""
    if get_origin(annotation) is Literal:
        return tuple(value for value in get_args(annotation) if value is not None)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return tuple(annotation)
    return ()


def key_order_bound(prefix: str) -> str | None:
    """The least string that is greater than every string that begins with ``prefix``; ``None`` where there is none.

    It is the prefix with its last character raised by one. Strings are ordered by their UTF-8 bytes, which is the order
    of the code points; the surrogates among these are no characters.
    """
    stripped = prefix.rstrip("\U0010ffff")
    if not stripped:
        return None
    last = ord(stripped[-1]) + 1
    return stripped[:-1] + chr(0xE000 if last == 0xD800 else last)
