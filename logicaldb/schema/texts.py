"""The fast road of whole rows: one function for each item type that writes the JSON text of its attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, Final, TypeAlias

from logicaldb.codec.generated import ValueSource, new_source, wrapped
from logicaldb.codec.keys import ABSENT, KeyPart, PaddedNumber, PlainText, ScalarKey, TextKey, runs_into
from logicaldb.codec.scalars import IntCodec, StrCodec
from logicaldb.codec.source import Body, literal
from logicaldb.codec.values import WireValue
from logicaldb.codec.writing import to_json
from logicaldb.schema.stored import Stored, StoredField, StoredKey

_WIDEST: Final = 30
"""The digits of padded numbers that are written here; greater bounds are no part of readable source."""


RowText: TypeAlias = tuple[dict[str, WireValue], Sequence[str | None], str]
"""An item as it is sent: its primary key; the JSON text of each attribute of the type, ``None`` for those that are absent;
and that of all of them."""
RowWriter: TypeAlias = Callable[[Mapping[str, Any]], RowText]
"""Writes the values of the fields of an item."""


def compile_row(what: str, stored: Mapping[str, Stored], primary: Sequence[str]) -> RowWriter:
    """Make the function that writes the rows of an item type.

    What it raises, whatever that is, means that the codecs have to look at the item.

    Args:
        what: the item type, for the name of the source.
        stored: what each attribute holds.
        primary: the attributes of the primary key.
    """
    source = ValueSource(new_source())
    body = source.source.body()
    members: list[tuple[str, str, str | None]] = []
    texts: list[str] = []
    keys: list[str] = []
    for name, held in stored.items():
        if isinstance(held, StoredField):
            value = body.name(held.field)
            body.add(f"{value} = values[{held.field!a}]")
            written, text = source.field(body, held.codec, value)
            absent = text
            if text is None:
                text = body.name(held.field)
                body.add(f"{text} = f'{written}'")
        else:
            assert isinstance(held, StoredKey)
            wire, text, nullable = _key(source, body, held)
            absent = text if nullable else None
            if name in primary:
                keys.append(f"{name!a}: {wire}")
        members.append((name, f"{{{text}}}", absent))
        texts.append(text)
    row = source.members(body, members)
    body.add(f"return {{{', '.join(keys)}}}, ({', '.join(texts)},), f'{row}'")
    written = source.source.function("write", "values", f"Write the row of {what!a}.", body)
    function: RowWriter = source.source.compile(what, written)
    return function


def row_text(wires: Mapping[str, WireValue | None], primary: Sequence[str]) -> RowText:
    """The row of an item in wire values, ``None`` for absent attributes."""
    texts = {name: None if wire is None else to_json(wire) for name, wire in wires.items()}
    key: dict[str, Any] = {name: wires[name] for name in primary}
    row = to_json({name: wire for name, wire in wires.items() if wire is not None})
    return key, tuple(texts.values()), row


def _key(source: ValueSource, body: Body, held: StoredKey) -> tuple[str, str, bool]:
    """What writes a key attribute: its wire value, the name of the JSON text, and whether that may be ``None``."""
    key = held.key
    if isinstance(key, TextKey) and all(map(_is_known, key.parts)):
        return _text_key(source, body, key, held.limit)
    text = body.name("text")
    if isinstance(key, ScalarKey) and type(key.codec) is IntCodec and not key.nullable and key.constant_value is ABSENT:
        value = body.name(key.field)
        body.add(f"{value} = values[{key.field!a}]")
        body.add(f"{text} = f'{source.wire(body, key.codec, value)}'")
        return f"{{'N': str({value})}}", text, False
    wire = body.name("encoded")
    body.add(f"{wire} = {source.source.keep('encode', held.encode)}(values)")
    body.add(f"{text} = None if {wire} is None else to_json({wire})")
    return wire, text, True


def _is_known(part: KeyPart) -> bool:
    if part.constant is not ABSENT:
        return not part.separator or not runs_into(part.codec.text(part.constant), part.separator)
    return True


def _text_key(source: ValueSource, body: Body, key: TextKey, limit: int | None) -> tuple[str, str, bool]:
    names = [body.name(part.field) for part in key.parts]
    for part, name in zip(key.parts, names, strict=True):
        body.add(f"{name} = values[{part.field!a}]")
    text, held = body.name("text"), body.name("key")
    absent = all(part.nullable for part in key.parts)
    if absent:
        with body.under(f"if {' is None and '.join(names)} is None:"):
            body.add(f"{text} = None")
    with body.under("else:") if absent else nullcontext():
        parts = "".join(_part(source, body, part, name) for part, name in zip(key.parts, names, strict=True))
        body.add(f"{held} = f'{parts}'")
        if limit is not None:
            # A character has up to four bytes.
            body.check(f"not 0 < len({held}) <= ({limit} if {held}.isascii() else {limit // 4})")
        written = wrapped("S", f"{{json_string({held})}}")
        body.add(f"{text} = f'{written}'")
    return f"{{'S': {held}}}", text, absent


def _part(source: ValueSource, body: Body, part: KeyPart, value: str) -> str:
    """What writes a part: the text of an f-string."""
    prefix, codec = literal(part.prefix), part.codec
    if part.constant is not ABSENT:
        body.check(f"{value} != {source.source.keep('CONSTANT', part.constant)}")
        return prefix + literal(codec.text(part.constant))
    if isinstance(codec, PlainText) and type(codec.codec) is StrCodec:
        body.check(f"type({value}) is not str")
        text = value
    elif isinstance(codec, PaddedNumber) and type(codec.codec) is IntCodec and codec.width <= _WIDEST:
        body.check(f"type({value}) is not int or not 0 <= {value} < {10**codec.width}")
        text = f"{value}:0{codec.width}d"
    else:
        text = body.name("text")
        body.add(f"{text} = {source.source.keep('text', codec.text)}({value})")
    if part.separator:
        written, separator = f"f'{{{text}}}'", source.source.keep("SEPARATOR", part.separator)
        body.check(f"({written} + {separator}).find({separator}) != len({written})")
    return f"{prefix}{{{text}}}"
