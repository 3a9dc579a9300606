"""Key attributes: how the fields of an item become the strings, numbers and binaries of its keys, and back.

In a string key the order of the stored strings is the order of the values, and no two keys meet in one string.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any, Final, Literal, Protocol, get_args, get_origin
from uuid import UUID

from logicaldb.codec.values import Refused, ValueCodec, WireValue

ABSENT: Final = object()
"""In place of a constant: the part has none."""


class TextCodec(Protocol):
    """One part of a string key: a value and its text."""

    def text(self, value: Any) -> str:
        """The text of a value; raises ``Refused``."""
        ...

    def value(self, text: str) -> Any:
        """The value of a text; raises ``Refused`` where the text is none that ``text`` gives."""
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
class PaddedNumber:
    """The part of an ``int``: digits, padded with zeros so that the order of the texts is the order of the numbers."""

    codec: ValueCodec
    width: int

    def text(self, value: Any) -> str:
        if isinstance(value, int) and value.bit_length() > 4 * self.width:  # 4 bits hold a digit: no work on a huge one
            raise Refused(f"is wider than {self.width} digits")
        digits: str = _digits(self.codec.encode(value)["N"])
        if digits.startswith("-"):
            raise Refused("is negative, and a number in a string key is not")
        if len(digits) > self.width:
            raise Refused(f"is wider than {self.width} digits")
        return digits.zfill(self.width)

    def value(self, text: str) -> Any:
        if len(text) != self.width or not (text.isascii() and text.isdigit()):
            raise Refused(f"is not stored as {self.width} digits")
        return self.codec.decode({"N": text.lstrip("0") or "0"})


def _digits(number: str) -> str:
    """A whole number in DynamoDB's notation, without an exponent."""
    mantissa, exponent, zeros = number.partition("E")
    return mantissa + "0" * int(zeros) if exponent else mantissa


@dataclass(frozen=True, slots=True)
class KeyPart:
    """What one field contributes to a string key attribute.

    Attributes:
        field: the name of the field.
        prefix: the text before it.
        codec: the text of its value.
        nullable: whether the field may be ``None``, which leaves the whole attribute out.
        constant: the one value of the field, else ``ABSENT``.
        partial: whether a beginning of the text is good for ``BeginsWith``, when the part is the last.
    """

    field: str
    prefix: str
    codec: TextCodec
    nullable: bool
    constant: Any = ABSENT
    partial: bool = False


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
    def tag(self) -> Literal["S", "N", "B"]:
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
        """The stored form for the values of the fields; ``None`` where they are ``None``. Raises ``Refused``."""
        ...

    def partial(self, values: Mapping[str, Any]) -> Partial:
        """The stored form as far as values are given, from the first part on. Raises ``Refused``."""
        ...

    def decode(self, wire: WireValue) -> dict[str, Any]:
        """The values of the fields. Raises ``Refused`` where ``encode`` cannot have made it."""
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
    def tag(self) -> Literal["S", "N", "B"]:
        return "S"

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(part.field for part in self.parts)

    @property
    def prefix(self) -> str:
        return self._constant_prefix()[0]

    @property
    def constant(self) -> bool:
        return self._constant_prefix()[1]

    def _constant_prefix(self) -> tuple[str, bool]:
        text = ""
        for part in self.parts:
            text += part.prefix
            if part.constant is ABSENT:
                return text, False
            text += part.codec.text(part.constant)
        return text, True

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        texts: list[str] = []
        absent: list[str] = []
        for part, separator in self._separated():
            value = values.get(part.field) if part.constant is ABSENT else values.get(part.field, part.constant)
            if value is None and part.nullable:
                absent.append(part.field)
            else:
                texts += (part.prefix, _part_text(part, value, separator))
        if not absent:
            return {"S": "".join(texts)}
        if len(absent) < len(self.parts):
            given = " and ".join(part.field for part in self.parts if part.field not in absent)
            raise FieldRefused(absent[0], f"is None, but {given} of the same composite key {self.name} is not")
        return None

    def partial(self, values: Mapping[str, Any]) -> Partial:
        text = ""
        missing: list[str] = []
        for part, separator in self._separated():
            value = values.get(part.field) if part.constant is ABSENT else part.constant
            if value is None:
                if not missing:
                    text += part.prefix
                missing.append(part.field)
            elif missing:
                raise FieldRefused(part.field, f"is given, but {missing[0]} before it is not")
            else:
                text += part.prefix + _part_text(part, value, separator)
        return Partial({"S": text}, not missing, tuple(missing))

    def decode(self, wire: WireValue) -> dict[str, Any]:
        values: dict[str, Any] = {}
        rest = wire.get("S")
        if not isinstance(rest, str):
            raise FieldRefused(self.parts[0].field, "is not stored as a string")
        for part, separator in self._separated():
            if not rest.startswith(part.prefix):
                raise FieldRefused(part.field, f"is not stored with the prefix {part.prefix!r}")
            rest = rest[len(part.prefix) :]
            end = rest.find(separator) if separator else len(rest)
            if end < 0:
                raise FieldRefused(part.field, f"is not followed by {separator!r}")
            text, rest = rest[:end], rest[end:]
            try:
                value = part.codec.value(text)
                if part.constant is not ABSENT and part.codec.text(part.constant) != text:
                    raise Refused("is not the constant of the type")
            except Refused as refused:
                raise FieldRefused(part.field, refused.reason, refused.path) from None
            values[part.field] = value
        return values

    def _separated(self) -> Iterator[tuple[KeyPart, str]]:
        """Each part with the separator that follows it, none after the last."""
        separators = [part.prefix for part in self.parts[1:]]
        return zip(self.parts, [*separators, ""], strict=True)


def _part_text(part: KeyPart, value: Any, separator: str) -> str:
    if part.constant is not ABSENT and value != part.constant:
        raise FieldRefused(part.field, "is not the constant of the type")
    try:
        text = part.codec.text(value)
    except Refused as refused:
        raise FieldRefused(part.field, refused.reason, refused.path) from None
    # Otherwise two different keys could meet in one string: "a#" + "#" + "b" and "a" + "#" + "#b".
    if separator and (text + separator).find(separator) != len(text):
        raise FieldRefused(part.field, f"runs into the separator {separator!r} that follows it")
    return text


@dataclass(frozen=True, slots=True)
class ScalarKey:
    """A number or binary key attribute: the value of one field."""

    name: str
    tag: Literal["S", "N", "B"]
    field: str
    codec: ValueCodec
    nullable: bool
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
        value = values.get(self.field, None if self.constant_value is ABSENT else self.constant_value)
        if value is None and self.nullable:
            return None
        if self.constant_value is not ABSENT and value != self.constant_value:
            raise FieldRefused(self.field, "is not the constant of the type")
        try:
            return self.codec.encode(value)
        except Refused as refused:
            raise FieldRefused(self.field, refused.reason, refused.path) from None

    def partial(self, values: Mapping[str, Any]) -> Partial:
        if values.get(self.field) is None and self.constant_value is ABSENT:
            return Partial(None, whole=False, missing=(self.field,))
        return Partial(self.encode(values), whole=True)

    def decode(self, wire: WireValue) -> dict[str, Any]:
        return {self.field: self.codec.decode(wire)}


def always_contains(annotation: Any, separator: str, constants: Sequence[str]) -> bool:
    """Whether every text of a part contains the separator that follows it, so that no value could ever be encoded.

    Args:
        annotation: the type of the part, bare.
        separator: the prefix of the next part.
        constants: the texts that the part can have, where they are known.
    """
    samples = constants or _SAMPLES.get(annotation, ())
    return bool(samples) and all(separator in sample for sample in samples)


# Two texts a type, that have nothing in common but what every text of the type has.
_SAMPLES: Final[dict[Any, tuple[str, ...]]] = {
    date: ("2222-11-22", "3333-05-09"),
    datetime: ("2222-11-22T22:22:22.222222Z", "3333-05-09T03:33:33.333333Z"),
    time: ("22:22:22.222222", "03:33:33.333333"),
    UUID: ("11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"),
}


def known_values(annotation: Any) -> tuple[Any, ...]:
    """All the values of a type that has few: the members of an ``Enum``, the values of a ``Literal``."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
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


