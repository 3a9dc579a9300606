"""The fast road from keys to rows: for keys whose values are what nearly all are, texts and whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from logicaldb.codec.keys import ABSENT, KeyAttribute, PaddedNumber, PlainText, ScalarKey, TextKey
from logicaldb.codec.numbers import MAX_DIGITS
from logicaldb.codec.scalars import IntCodec, StrCodec
from logicaldb.codec.values import WireValue

WriteKey: TypeAlias = Callable[[Mapping[str, Any]], dict[str, WireValue] | None]
"""Makes the row of the values of a key; ``None`` where that is left to the slow road, which may say what is wrong."""

_WriteValue: TypeAlias = Callable[[Any], WireValue | None]


def key_writer(attributes: Sequence[tuple[KeyAttribute, int]]) -> WriteKey:
    """What makes rows of keys.

    Args:
        attributes: the key attributes, and how many bytes each may have.
    """
    writers: list[tuple[str, str, _WriteValue]] = []
    for attribute, limit in attributes:
        write = _value_writer(attribute, limit)
        if write is None:
            return _leave
        writers.append((attribute.name, attribute.fields[0], write))

    def write_key(values: Mapping[str, Any]) -> dict[str, WireValue] | None:
        row: dict[str, WireValue] = {}
        for name, field, write in writers:
            wire = write(values.get(field))
            if wire is None:
                return None
            row[name] = wire
        return row

    return write_key


def _leave(_: Mapping[str, Any]) -> None:
    return None


def _value_writer(attribute: KeyAttribute, limit: int) -> _WriteValue | None:
    if isinstance(attribute, TextKey) and len(attribute.parts) == 1 and attribute.parts[0].constant is ABSENT:
        codec = attribute.parts[0].codec
        if isinstance(codec, PlainText) and isinstance(codec.codec, StrCodec):
            return _text_writer(attribute.prefix, limit)
        if isinstance(codec, PaddedNumber) and isinstance(codec.codec, IntCodec) and codec.width <= MAX_DIGITS:
            return _padded_writer(attribute.prefix, codec.width)
    if (
        isinstance(attribute, ScalarKey)
        and isinstance(attribute.codec, IntCodec)
        and attribute.constant_value is ABSENT
    ):
        return _number_writer
    return None


def _text_writer(prefix: str, limit: int) -> _WriteValue:
    longest = limit - len(prefix.encode())
    shortest = 0 if prefix else 1

    def write(value: Any) -> WireValue | None:
        if value.__class__ is str and value.isascii() and shortest <= len(value) <= longest:
            return {"S": prefix + value}
        return None

    return write


def _padded_writer(prefix: str, width: int) -> _WriteValue:
    above = 10**width

    def write(value: Any) -> WireValue | None:
        if value.__class__ is int and 0 <= value < above:
            return {"S": f"{prefix}{value:0{width}}"}
        return None

    return write


def _number_writer(value: Any) -> WireValue | None:
    if value.__class__ is int and abs(value) < 10**MAX_DIGITS:
        return {"N": str(value)}
    return None
