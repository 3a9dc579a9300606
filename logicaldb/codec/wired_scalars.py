"""The pydantic-core schemas of values that hold no others, with their wire form in them.

Each takes what the type descriptor holds (the text of an N, say) in the one form that the service gives it, and refuses
every other: what is refused here is read by the codec of the type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, time
from decimal import Decimal
from typing import Any, Final, TypeAlias

from logicaldb.codec.choices import ChoiceCodec, EnumCodec
from logicaldb.codec.scalars import (
    BoolCodec,
    DateCodec,
    DatetimeCodec,
    DecimalCodec,
    FloatCodec,
    IntCodec,
    StrCodec,
    TimeCodec,
    UUIDCodec,
)
from logicaldb.codec.values import ValueCodec

CoreSchema: TypeAlias = dict[str, Any]
"""A schema of pydantic-core's (``pydantic_core.core_schema``)."""

# Pydantic-core by itself would read more than numbers are written as, "0-1" for -1 among it.
_INT: Final = "^-?[0-9]{1,38}$"
# As the codec reads it, a number without a fraction has the exponent 0, and zero has no sign.
_DECIMAL: Final = r"^(?:0|-?[1-9][0-9]{0,37}|-?[0-9]{1,38}\.[0-9]{0,37}[1-9])$"
_DATE: Final = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_DATETIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
_TIME: Final = r"^[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}$"
_UUID: Final = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
_UNBOUNDED: Final = frozenset(("type", "strict", "metadata", "ref", "serialization"))


def before(function: Callable[[Any], Any], schema: CoreSchema) -> CoreSchema:
    """A schema that takes what a function makes of its input."""
    return {"type": "function-before", "function": {"type": "no-info", "function": function}, "schema": schema}


def after(function: Callable[[Any], Any], schema: CoreSchema) -> CoreSchema:
    """A schema whose result goes through a function."""
    return {"type": "function-after", "function": {"type": "no-info", "function": function}, "schema": schema}


def wired_scalar(core: CoreSchema, codec: ValueCodec) -> tuple[str, CoreSchema] | None:
    """The type descriptor of a scalar, and the schema that takes what it holds; ``None`` where there is none.

    Args:
        core: pydantic's own schema of the type.
        codec: its codec.
    """
    wire = _WIRED.get((type(codec), core["type"]))
    return None if wire is None else wire(core, codec)


def _text(pattern: str | None = None) -> CoreSchema:
    """A text as it stands, whatever the configuration of the model says about the texts of its fields."""
    schema: CoreSchema = {
        "type": "str",
        "strict": True,
        "strip_whitespace": False,
        "to_lower": False,
        "to_upper": False,
    }
    return schema if pattern is None else {**schema, "pattern": pattern, "regex_engine": "rust-regex"}


def _parsed(form: str, pattern: str) -> Callable[[CoreSchema, ValueCodec], tuple[str, CoreSchema]]:
    """What pydantic-core reads from text by itself; the text has the type's one form, so that strictness is kept."""
    return lambda core, _: (form, {"type": "chain", "steps": [_text(pattern), {**core, "strict": False}]})


def _made(
    form: str, pattern: str, make: Callable[[str], Any]
) -> Callable[[CoreSchema, ValueCodec], tuple[str, CoreSchema]]:
    """What is made of text as the codec makes it, and validated afterwards."""
    return lambda core, _: (form, {"type": "chain", "steps": [_text(pattern), before(make, core)]})


def _decimal(core: CoreSchema, _: ValueCodec) -> tuple[str, CoreSchema]:
    text = _text(_DECIMAL)
    if core.keys() <= _UNBOUNDED:  # any Decimal is valid
        return "N", after(Decimal, text)
    return "N", {"type": "chain", "steps": [text, {**core, "strict": False}]}


def _enum(core: CoreSchema, codec: ValueCodec) -> tuple[str, CoreSchema] | None:
    if codec.forms != {"S"}:
        return None
    known = {name: value for name, value in core.items() if name != "missing"}  # what is unknown is left to the codec
    return "S", {"type": "chain", "steps": [_text(), {**known, "strict": False}]}


def _literal(core: CoreSchema, _: ValueCodec) -> tuple[str, CoreSchema] | None:
    return ("S", core) if all(type(value) is str for value in core["expected"]) else None


_WIRED: Final[Mapping[tuple[type, str], Callable[[CoreSchema, Any], tuple[str, CoreSchema] | None]]] = {
    (StrCodec, "str"): lambda core, _: ("S", core),
    (BoolCodec, "bool"): lambda core, _: ("BOOL", {**core, "strict": True}),
    (IntCodec, "int"): _parsed("N", _INT),
    (FloatCodec, "float"): _parsed("N", _DECIMAL),
    (DecimalCodec, "decimal"): _decimal,
    (DateCodec, "date"): _parsed("S", _DATE),
    (DatetimeCodec, "datetime"): _made("S", _DATETIME, datetime.fromisoformat),
    (TimeCodec, "time"): _made("S", _TIME, time.fromisoformat),
    (UUIDCodec, "uuid"): _parsed("S", _UUID),
    (EnumCodec, "enum"): _enum,
    (ChoiceCodec, "literal"): _literal,
}
