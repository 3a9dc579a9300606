"""Strategies of hypothesis for declared items and keys: valid for their models, and for DynamoDB.

Needs ``pip install "logicaldb[testing]"``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

import annotated_types
from pydantic import BaseModel, ValidationError

from logicaldb.annotations import Counter, TimeToLive, Version
from logicaldb.codec.keys import ClockText, FieldRefused, KeyAttribute, KeyPart, PaddedNumber, TextKey
from logicaldb.codec.numbers import MAX_DIGITS
from logicaldb.errors import EncodingError
from logicaldb.items import Item, KeyBase
from logicaldb.schema.items import SCHEMA, ItemSchema
from logicaldb.schema.keys import KeySchema, bind_key
from logicaldb.schema.stored import StoredKey
from logicaldb.schema.types import type_text
from logicaldb.testing.bounds import Before
from logicaldb.testing.drawing import reject, st
from logicaldb.testing.values import Strategy, Values, validated

__all__ = ["items", "keys"]

I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature
K = TypeVar("K", bound=KeyBase[Any])

_COUNT: Final = 10**12
"""How far counters without bounds are counted: additions to it have digits to spare."""

_LAST_SECOND: Final = 253_402_300_799
"""The end of the year 9999, for times to live that are numbers."""


def items(item_type: type[I], /, **fields: Any) -> st.SearchStrategy[I]:
    """Items of a type, such as its table stores them.

    Constants are what they are, versions 0, and counters inside their bounds::

        @given(items(AlbumTrack, track_number=st.integers(1, 99)))
        def test_it_comes_back(track: AlbumTrack) -> None: ...

    Args:
        item_type: the type, which a ``LogicalTable`` has a view of.
        fields: strategies or values of fields, instead of those that their types say.

    Raises:
        TypeError: the type is in no table, has no such field, or has a field of whose values nothing is known.
    """
    schema = _schema_of(item_type)
    names = schema.declaration.fields
    for name in fields:
        if name not in names:
            raise TypeError(f"{schema.name} has no field {name!r}; its fields are {', '.join(names)}")
    strategies = {name: _given(fields[name]) if name in fields else values_of(schema, name) for name in names}
    groups = [group for group in _optional_groups(schema) if fields.keys().isdisjoint(group)]

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        values = {name: draw(strategy) for name, strategy in strategies.items()}
        for group in groups:
            if draw(st.booleans()):
                values.update(dict.fromkeys(group))
        return _made(schema, values, fields)

    return drawn()


def keys(key_type: type[K], /, *, partial: bool = False) -> st.SearchStrategy[K]:
    """Keys of a type, such as its table or index stores them.

    Args:
        key_type: the key type, whose item type a ``LogicalTable`` has a view of.
        partial: whether fields that may be left out are left out of some.

    Raises:
        TypeError: the item type is in no table, or has a field of whose values nothing is known.
    """
    bound = bound_key(key_type)
    optional = bound.declaration.fields
    strategies = {name: values_of(bound.item, name, present=True) for name in optional}
    least = sum(not left_out for left_out in optional.values())

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        count = draw(st.integers(least, len(optional))) if partial else len(optional)
        return made_key(bound, {name: draw(strategies[name]) for name in list(optional)[:count]})

    return drawn()


def made_key(bound: KeySchema, values: Mapping[str, Any]) -> Any:
    """A key of values; those that cannot be stored together are drawn anew."""
    key = validated(bound.key_type, values)
    try:
        for attribute in key_attributes(bound):
            found = bound.partial(key, attribute)
            if found.wire is not None and found.whole:
                bound.check_size(attribute, found.wire)
    except EncodingError:
        reject()
    return key


def key_attributes(bound: KeySchema) -> tuple[KeyAttribute, ...]:
    """The key attributes that a key tells something about: of its index, and of the table."""
    own = (bound.partition,) if bound.sort is None else (bound.partition, bound.sort)
    known = {attribute.name: attribute for attribute in (*own, *bound.item.primary)}
    return tuple(known.values())


def bound_key(key_type: type[KeyBase[Any]]) -> KeySchema:
    """A key type in its table.

    Raises:
        TypeError: there is none.
    """
    item_type = getattr(key_type, "__logicaldb_item__", None)
    if item_type is None:
        raise TypeError(f"{type_text(key_type)} is no key of an item type")
    schema = _schema_of(item_type)
    return bind_key(schema.declaration.keys[key_type], schema)


def _schema_of(item_type: type[BaseModel]) -> ItemSchema:
    schema: ItemSchema | None = vars(item_type).get(SCHEMA)
    if schema is None:
        raise TypeError(
            f"{type_text(item_type)} is in no table, which says how its keys are stored; declare a LogicalTable "
            "with a view of it"
        )
    return schema


def _given(value: Any) -> Strategy:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def _nested_keys(key_type: type[KeyBase[Any]]) -> Strategy | None:
    item_type = getattr(key_type, "__logicaldb_item__", None)
    return None if item_type is None or SCHEMA not in vars(item_type) else keys(key_type, partial=True)


def values_of(schema: ItemSchema, name: str, *, present: bool = False) -> Strategy:
    """The values of a field, as an item type stores them in its table.

    Args:
        schema: the item type.
        name: the field.
        present: whether ``None`` is left out.

    Raises:
        TypeError: nothing is known of them.
    """
    if name in schema.constants:
        return st.just(schema.constants[name])
    field = schema.declaration.fields[name]
    extra: list[Any] = []
    match field.role:
        case Version():
            return st.just(0)
        case Counter(minimum=low, maximum=high):
            extra += [
                annotated_types.Ge(-_COUNT if low is None else low),
                annotated_types.Le(_COUNT if high is None else high),
            ]
        case TimeToLive() if field.type is int:
            extra += [annotated_types.Ge(0), annotated_types.Le(_LAST_SECOND)]
        case _:
            pass
    stored = [each.key for each in schema.stored.values() if isinstance(each, StoredKey) and name in each.fields]
    parts = [part for key in stored if isinstance(key, TextKey) for part in key.parts if part.field == name]
    for key in stored:
        extra += _rules(key, name)
    present = present or any(name in group for group in _optional_groups(schema))
    values = Values(f"{schema.name}.{name}", _nested_keys).field(
        name, field.info, schema.item_type, extra, present=present
    )
    if isinstance(field.role, TimeToLive) and field.type is not int:
        return values.map(lambda moment: None if moment is None else moment.replace(microsecond=0))
    return values.filter(lambda value: value is None or all(_fits(part, value) for part in parts)) if parts else values


def _rules(key: KeyAttribute, field: str) -> Iterator[Any]:
    """What a key attribute asks of the values of a field, as metadata of its type."""
    if not isinstance(key, TextKey):
        if key.tag == "B":
            yield annotated_types.MinLen(1)
        return
    if not any(part.prefix for part in key.parts):
        yield annotated_types.MinLen(1)
    for part in key.parts:
        if part.field != field:
            continue
        if part.separator:
            yield Before(part.separator)
        if isinstance(part.codec, PaddedNumber):
            yield annotated_types.Ge(0)
            yield annotated_types.Le(10 ** min(part.codec.width, MAX_DIGITS) - 1)
        if isinstance(part.codec, ClockText):
            yield annotated_types.Timezone(None)


def _fits(part: KeyPart, value: Any) -> bool:
    """Whether a value can be stored there; of what the rules cannot say, as of enums and separators."""
    try:
        part.text(value)
    except FieldRefused:
        return False
    return True


def _optional_groups(schema: ItemSchema) -> list[tuple[str, ...]]:
    """The parts of composite keys that are ``None`` together, or not at all."""
    return [
        each.fields
        for each in schema.stored.values()
        if isinstance(each, StoredKey) and len(each.fields) > 1 and schema.declaration.fields[each.fields[0]].nullable
    ]


def _made(schema: ItemSchema, values: Mapping[str, Any], given: Mapping[str, Any]) -> Any:
    """An item of values. What cannot be together is drawn anew; what the caller gave is refused."""
    try:
        item = schema.item_type.__pydantic_validator__.validate_python(values, by_alias=False, by_name=True)
    except ValidationError as invalid:
        if any(error["loc"] and error["loc"][0] in given for error in invalid.errors(include_input=False)):
            raise
        reject()
    for stored in schema.stored.values():
        try:
            stored.encode(item.__dict__)
        except FieldRefused as refused:
            if refused.field in given:
                raise schema.refused(refused) from None
            reject()
    return item
