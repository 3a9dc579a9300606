"""Values without a declared type: what DynamoDB knows by itself."""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from logicaldb.codec.limits import MAX_NAME_BYTES
from logicaldb.codec.numbers import decode_number, encode_decimal, encode_float, encode_int
from logicaldb.codec.values import ALL_FORMS, Refused, ValueCodec, WireValue, describe

_KEY_IN_PATH = 60
_SURELY_SHORT = MAX_NAME_BYTES // 4  # a character has up to 4 bytes


def key_segment(key: str) -> str:
    """The part of a path that stands for the key of a map; a long one is cut."""
    return f"[{key!r}]" if len(key) <= _KEY_IN_PATH else f"[{key[:_KEY_IN_PATH]!r}…]"


def encode_text(value: str) -> str:
    """A text as it is, unless it is not Unicode text.

    Raises:
        Refused: if it holds a lone surrogate, which UTF-8 has no bytes for.
    """
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refused("is not valid UTF-8 text") from None
    return value


def encode_key(text: str) -> str:
    """The text of a map's key.

    Raises:
        Refused: if it is empty, longer than the name of an attribute may be, or not Unicode text.
    """
    if not text:
        raise Refused("is empty, which DynamoDB does not take")
    encode_text(text)
    if len(text) > _SURELY_SHORT and len(text.encode()) > MAX_NAME_BYTES:
        raise Refused(f"is {len(text.encode())} bytes long; the limit is {MAX_NAME_BYTES}")
    return text


def encode_bytes(value: bytes) -> str:
    """Bytes as base64 text."""
    return b2a_base64(value, newline=False).decode("ascii")


def decode_bytes(text: str | bytes) -> bytes:
    """The bytes of a base64 text; bytes are what they are, as boto3 clients give them.

    Raises:
        ValueError: if it is not base64.
    """
    return text if isinstance(text, bytes) else a2b_base64(text, strict_mode=True)


class _Malformed:
    # Not an enum: pydantic would take the value of its member for a str.
    __slots__ = ()

    def __repr__(self) -> str:
        return "<no value of DynamoDB's>"


MALFORMED: Final = _Malformed()
"""What decoding something gives that is no wire value at all; no type takes it."""


def generic_decode(wire: Any) -> Any:
    """The Python value that a wire value stands for by itself.

    Whole numbers are ``int``, others ``Decimal``; sets are ``set``. What is no wire value, or holds what is none, gives
    ``MALFORMED``.
    """
    try:
        return _decode(wire)
    except (AttributeError, KeyError, TypeError, ValueError):
        return MALFORMED


def _decode(wire: Any) -> Any:
    ((form, held),) = wire.items()
    return _DECODERS[form](held)


def number_in(wire: Any) -> int | Decimal | None:
    """The number of an N; ``None`` for anything else."""
    number = generic_decode(wire)
    return number if number.__class__ in (int, Decimal) else None


def list_in(wire: Any) -> list[Any] | None:
    """What an L holds; ``None`` for anything else."""
    held = wire.get("L") if isinstance(wire, dict) else None
    return held if isinstance(held, list) else None


def map_in(wire: Any) -> dict[str, Any] | None:
    """What an M holds; ``None`` for anything else."""
    held = wire.get("M") if isinstance(wire, dict) else None
    return held if isinstance(held, dict) else None


def _instance(expected: type) -> Callable[[Any], Any]:
    def check(held: Any) -> Any:
        if not isinstance(held, expected):
            raise TypeError("not a wire value")
        return held

    return check


_list = _instance(list)
_map = _instance(dict)
_text = _instance(str)

_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "S": _text,
    "N": decode_number,
    "B": decode_bytes,
    "BOOL": _instance(bool),
    "NULL": lambda _: None,
    "L": lambda held: [_decode(element) for element in _list(held)],
    "M": lambda held: {key: _decode(element) for key, element in _map(held).items()},
    "SS": lambda held: {_text(element) for element in _list(held)},
    "NS": lambda held: {decode_number(element) for element in _list(held)},
    "BS": lambda held: {decode_bytes(element) for element in _list(held)},
}


def set_form(forms: set[str] | frozenset[str]) -> str:
    """The set type of elements of these forms.

    Raises:
        Refused: if they are of several forms, or of one that sets cannot hold.
    """
    if len(forms) > 1:
        raise Refused("is a set of mixed types")
    (form,) = forms
    if form not in ("S", "N", "B"):
        raise Refused("is a set of something else than str, numbers or bytes: declare the type of its elements")
    return form + "S"


class AnyCodec(ValueCodec):
    """Exactly what DynamoDB knows: None, bool, int, Decimal, str, bytes, lists, maps with str keys, and sets."""

    forms = ALL_FORMS
    types = (object,)
    depth = None

    def __init__(self) -> None:
        self._encoders: dict[type, Callable[[Any], WireValue]] = {
            type(None): lambda _: {"NULL": True},
            bool: lambda value: {"BOOL": value},
            int: lambda value: {"N": encode_int(value)},
            Decimal: lambda value: {"N": encode_decimal(value)},
            str: lambda value: {"S": encode_text(value)},
            bytes: lambda value: {"B": encode_bytes(value)},
            list: self._encode_list,
            dict: self._encode_map,
            set: self._encode_set,
            frozenset: self._encode_set,
        }

    def encode(self, value: Any) -> WireValue:
        """The wire form of a value that DynamoDB knows; others are refused with the way out."""
        encode = self._encoders.get(type(value))
        if encode is None:
            raise self._unknown(value)
        return encode(value)

    def decode(self, wire: WireValue) -> Any:
        """The Python value that the wire value stands for.

        Raises:
            Refused: it is none, which pydantic would not see: it takes anything here.
        """
        value = generic_decode(wire)
        if value is MALFORMED:
            raise Refused("is no value of DynamoDB's")
        return value

    def _unknown(self, value: Any) -> Refused:
        return Refused(f"is {describe(value)}, which DynamoDB has no type for: declare the type instead of Any")

    def _encode_list(self, value: Any) -> WireValue:
        elements: list[WireValue] = []
        try:
            for element in value:
                elements.append(self.encode(element))  # noqa: PERF401 - their number tells the place of a refusal
        except Refused as refused:
            refused.path = f"[{len(elements)}]{refused.path}"
            raise
        return {"L": elements}

    def _encode_map(self, value: Any) -> WireValue:
        elements: dict[str, WireValue] = {}
        for key, element in value.items():
            if not isinstance(key, str):
                raise Refused(f"has a key that is {describe(key)}, not a str: declare the type instead of Any")
            try:
                text = encode_key(str.__str__(key))
            except Refused as refused:
                raise Refused(f"has a key that {refused.reason}") from None
            try:
                elements[text] = self.encode(element)
            except Refused as refused:
                refused.path = f"{key_segment(text)}{refused.path}"
                raise
        return {"M": elements}

    def _encode_set(self, value: Any) -> WireValue:
        if not value:
            raise Refused("is an empty set, which cannot be stored: declare the type instead of Any")
        elements = [(form, held) for element in value for form, held in self.encode(element).items()]
        return {set_form({form for form, _ in elements}): sorted(held for _, held in elements)}


UNTYPED = AnyCodec()
"""The codec of ``Any``; it holds no state."""


class JsonCodec(AnyCodec):
    """Values of JSON (pydantic's ``JsonValue``): numbers that are not whole are floats."""

    def __init__(self) -> None:
        super().__init__()
        encoders = {kind: self._encoders[kind] for kind in (type(None), bool, int, str, list, dict)}
        self._encoders = {**encoders, float: lambda value: {"N": encode_float(value)}}

    def decode(self, wire: WireValue) -> Any:
        """The value, its numbers as JSON has them."""
        return _with_floats(generic_decode(wire))

    def _unknown(self, value: Any) -> Refused:
        return Refused(f"is {describe(value)}, which is no JSON value")


def _with_floats(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_with_floats(element) for element in value]
    if isinstance(value, dict):
        return {key: _with_floats(element) for key, element in value.items()}
    return value
