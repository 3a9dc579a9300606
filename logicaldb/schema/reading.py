"""The fast road from rows to items: one call of pydantic-core, which reads a row, or all rows of an answer, by itself.

See ``logicaldb.codec.wiring``: what it does not read is left to the slow road, which reads it or says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from pydantic import BaseModel

from logicaldb.codec.fields import MISSING
from logicaldb.codec.keys import ABSENT, KeyAttribute, KeyPart, PaddedNumber, PlainText, ScalarKey, TextKey
from logicaldb.codec.scalars import IntCodec, StrCodec
from logicaldb.codec.wired_scalars import CoreSchema
from logicaldb.codec.wiring import FieldPlan, Unwired, Wiring, fields_of_model, nests, validator
from logicaldb.schema.stored import Stored, StoredField, StoredKey, check_form

_CHANGES_OF_TEXT: Final = ("strip_whitespace", "to_lower", "to_upper")
_ANY: Final[CoreSchema] = {"type": "any"}
_KEEP_VALUES: Final = frozenset(("int", "date", "datetime", "time", "uuid", "enum", "literal"))
"""Schemas that take a value of the type as it is, or refuse it."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A validator that takes one value."""

    value: Any

    def __call__(self, value: Any) -> Any:
        if value != self.value:
            raise ValueError(f"is a constant of the primary key, {self.value!r}")
        return value


class ReadAnswer(dict[str, Any]):
    """An answer in which the rows are items already."""


@dataclass(frozen=True, slots=True)
class ItemReader:
    """What reads the rows of an item type; each raises any exception where the slow road has to read.

    Attributes:
        row: makes the item of a row.
        page: makes an answer with ``Items`` of its JSON text, as a query or a scan has it.
        item: the same of an answer with an ``Item``.
        attributes: the same of an answer with ``Attributes``.
        batch: the same of an answer with ``Responses`` by table, all of this type, as ``BatchGetItem`` has it.
    """

    row: Callable[[Any], Any] | None = None
    page: Callable[[bytes], ReadAnswer] | None = None
    item: Callable[[bytes], ReadAnswer] | None = None
    attributes: Callable[[bytes], ReadAnswer] | None = None
    batch: Callable[[bytes], ReadAnswer] | None = None


def item_reader(
    item_type: type[BaseModel], read: Iterable[tuple[str, Stored, tuple[str, ...]]], primary: Iterable[KeyAttribute]
) -> ItemReader:
    """Compile what reads rows.

    Args:
        item_type: the type.
        read: the attributes, what they hold, and what of it is read from another attribute.
        primary: the primary key.
    """
    core: Any = item_type.__pydantic_core_schema__
    primary = tuple(primary)
    rows, answers = Wiring(served=False), Wiring(served=True)
    try:
        fields, alone = fields_of_model(core)
        plans = {
            field: _plan(name, stored, field, in_key=any(key.name == name for key in primary))
            for name, stored, elsewhere in read
            for field in stored.fields
            if field not in elsewhere
        }
        schema = rows.model(core, plans)
    except Unwired:
        return ItemReader()
    if schema["type"] != "model" and not nests():
        return ItemReader()
    validate = validator(schema).validate_python
    if not (alone and all(_is_exact(key, fields, item_type.model_config) for key in primary)):
        checked = tuple(key for key in primary if key.tag != "N")

        def validate_and_check(row: Any) -> Any:
            item = validate(row)
            for key in checked:
                check_form(key, item.__dict__, row)
            return item

        return ItemReader(validate_and_check)
    if not rows.from_json or not nests():
        return ItemReader(validate)
    item = answers.model(core, plans)
    items: CoreSchema = {"type": "list", "items_schema": item, "fail_fast": True}
    tables: CoreSchema = {"type": "dict", "keys_schema": {"type": "str"}, "values_schema": items}
    return ItemReader(
        validate,
        _Answers({"Items": items, "LastEvaluatedKey": _ANY}),
        _Answers({"Item": item}),
        _Answers({"Attributes": item}),
        _Answers({"Responses": tables, "UnprocessedKeys": _ANY}),
    )


class _Answers:
    """Reads the JSON text of answers of one kind; it is compiled when the first is read."""

    def __init__(self, parts: Mapping[str, CoreSchema]) -> None:
        self._parts = parts

    @cached_property
    def _validate(self) -> Callable[[bytes], dict[str, Any]]:
        fields = {
            name: {"type": "typed-dict-field", "schema": schema, "required": False}
            for name, schema in self._parts.items()
        }
        read: Callable[[bytes], dict[str, Any]] = validator({"type": "typed-dict", "fields": fields}).validate_json
        return read

    def __call__(self, body: bytes) -> ReadAnswer:
        return ReadAnswer(self._validate(body))


def _plan(name: str, stored: Stored, field: str, *, in_key: bool) -> FieldPlan:
    """Where a field is in a row, and what reads it."""
    absent = stored.decode(None).get(field, MISSING)
    if isinstance(stored, StoredField):
        return FieldPlan((name,), stored.codec.codec, absent=absent)
    assert isinstance(stored, StoredKey)
    key = stored.key
    if isinstance(key, ScalarKey):
        return FieldPlan((name,), key.codec, absent=absent, required=in_key)
    assert isinstance(key, TextKey)
    if len(key.parts) == 1 and key.parts[0].constant is ABSENT:
        return FieldPlan((name,), _part_reader(key.parts[0], exactly=in_key), "S", absent, in_key)
    return FieldPlan((name,), lambda wire: key.decode(wire)[field], None, absent, in_key)


def _part_reader(part: KeyPart, *, exactly: bool) -> Callable[[Any], Any]:
    """What reads the one part of a string key.

    Args:
        part: the part.
        exactly: whether to refuse texts that the part does not write.
    """
    prefix, start, codec = part.prefix, len(part.prefix), part.codec

    def text_after(text: Any) -> str:
        if text.__class__ is not str or not text.startswith(prefix):
            raise ValueError("not stored with its prefix")
        if exactly and not text.isascii():
            text.encode()  # lone surrogates are no text
        return text[start:]

    if isinstance(codec, PlainText) and isinstance(codec.codec, StrCodec):
        return text_after

    def read(text: Any) -> Any:
        rest = text_after(text)
        value = part.value(rest)
        if exactly and codec.text(value) != rest:
            raise ValueError("not stored as its type writes it")
        return value

    if not (isinstance(codec, PaddedNumber) and isinstance(codec.codec, IntCodec)):
        return read
    length = start + codec.width

    def read_number(text: Any) -> int:
        rest = text_after(text)
        if len(text) != length or not (rest.isascii() and rest.isdigit()):
            raise ValueError("not stored as its type writes it")
        return int(rest)

    return read_number


def _is_exact(key: KeyAttribute, fields: Mapping[str, CoreSchema], config: Mapping[str, Any]) -> bool:
    """Whether what has been read of a key is what its type writes, whatever its validators do with it."""
    if key.tag == "N":
        return True  # numbers have one form, that of the service
    if not isinstance(key, TextKey):
        return False
    if len(key.parts) > 1 and not key.constant:
        return False
    return all(_keeps_value(fields[part.field]["schema"], config) for part in key.parts)


def _keeps_value(core: CoreSchema, config: Mapping[str, Any]) -> bool:
    """Whether a schema takes values as they are."""
    while core["type"] in ("default", "function-after"):
        if core["type"] == "function-after" and not isinstance(core["function"]["function"], Constant):
            return False
        core = core["schema"]
    if core["type"] == "str":
        return not any(core.get(change) or config.get(f"str_{change}") for change in _CHANGES_OF_TEXT)
    return core["type"] in _KEEP_VALUES
