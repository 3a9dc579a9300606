"""Rows that a declared table could hold, made from the declarations alone: always the same, and fit to be looked at."""

from __future__ import annotations

import types
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal, NewType, Union, get_args, get_origin, get_type_hints, is_typeddict
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from logicaldb.annotations import Counter, TimeToLive, Version
from logicaldb.codec.inspection import alias_value, is_alias
from logicaldb.codec.keys import FieldRefused, TextKey
from logicaldb.schema.fields import FieldDeclaration
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.views import TableDeclaration

PARTITIONS: Final = 2
"""How many partitions of a kind there are."""
ROWS: Final = 3
"""How many rows of a type a partition has, where it can have several."""
_ENDINGS: Final = ("_token", "_id", "_key", "_uuid")
_NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of a type.

    Attributes:
        item: the type.
        row: the row, without what could not be made up.
    """

    item: ItemSchema
    row: Row


def samples(table: TableDeclaration) -> list[Sample]:
    """Rows of every type: types whose partition keys are made of the same fields are in the same partitions."""
    return [
        Sample(item, row)
        for partition in range(1, PARTITIONS + 1)
        for item in table.schema.items
        for row in _rows(item, partition)
    ]


def _rows(item: ItemSchema, partition: int) -> Iterator[Row]:
    alone = all(key.constant for key in item.primary[1:])
    count = 1 if alone else max(1, ROWS - partition + 1)
    for number in range(1, count + 1):
        values = _values(item, partition, number, partition if alone else (partition - 1) * ROWS + number)
        row: Row = {}
        for name, stored in item.stored.items():
            try:
                wire = stored.encode(values)
            except (KeyError, FieldRefused):
                continue
            if wire is not None:
                row[name] = wire
        if all(key.name in row for key in item.primary):
            yield row


def _values(item: ItemSchema, partition: int, number: int, every: int) -> dict[str, Any]:
    """Values of the fields: those of the partition key by the partition, those of the sort key by the row in it.

    What is the partition key of an index is the same in two rows, so that it can be seen what meets there.
    """
    grouping = {index.keys.partition for index in item.raw.indexes.values()} - set(item.raw.keys)
    partition_fields = item.primary[0].fields
    sort_fields = [field for key in item.primary[1:] for field in key.fields]
    values: dict[str, Any] = {}
    for name, field in item.declaration.fields.items():
        with suppress(TypeError):  # of a type whose values nothing is known of, and the row goes without
            if name in item.constants:
                values[name] = item.constants[name]
            elif name in partition_fields:
                values[name] = _of_key(item, field, partition)
            elif name in sort_fields:
                values[name] = _of_key(item, field, number)
            elif field.nullable and every % 2 == 0:
                values[name] = None
            elif any(attribute in grouping for attribute in field.attributes):
                values[name] = sample(field.type, name, (every + 1) // 2)
            else:
                values[name] = _of_role(field, every)
    return values


def _of_key(item: ItemSchema, field: FieldDeclaration, number: int) -> Any:
    """The value of a field of the primary key; of several parts none runs into the separator behind it."""
    value = sample(field.type, field.name, number)
    if not isinstance(value, str):
        return value
    text = value if value.isupper() else f"{field.name.upper()}_{number}"
    if text.rpartition("_")[0] in field.prefix.upper():
        text = str(number)  # CUSTOMER#1, not CUSTOMER#CUSTOMER_1
    parts = (part for key in item.primary if isinstance(key, TextKey) for part in key.parts)
    separators = [part.separator for part in parts if part.field == field.name]
    return text.replace("_", "-") if any("_" in separator for separator in separators) else text


def _of_role(field: FieldDeclaration, number: int) -> Any:
    match field.role:
        case Version():
            return number
        case Counter(initial=initial, minimum=least, maximum=most):
            count = initial + 10 * number
            return initial if (most is not None and count > most) or (least is not None and count < least) else count
        case TimeToLive() if field.type is not datetime:
            return int((_NOON + timedelta(days=30 + number)).timestamp())
        case _:
            return sample(field.type, field.name, number)


def sample(annotation: Any, name: str, number: int) -> Any:
    """A value of a type; the name of its field makes texts readable.

    Raises:
        TypeError: nothing is known of the values of the type.
    """
    token = _depth.set(_depth.get() + 1)
    try:
        if _depth.get() > _DEEPEST:
            raise TypeError(f"{annotation!r} holds itself")
        return _sample(annotation, name, number)
    finally:
        _depth.reset(token)


def _sample(annotation: Any, name: str, number: int) -> Any:
    while is_alias(annotation):
        annotation = alias_value(annotation, {})
    if isinstance(annotation, NewType):
        return sample(annotation.__supertype__, name, number)
    if hasattr(annotation, "__metadata__"):
        return sample(annotation.__origin__, name, number)
    arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
    make = _MAKERS.get(get_origin(annotation) or annotation)
    if make is not None:
        return make(arguments, name, number)
    if isinstance(annotation, type):
        for is_of_kind, make_one in _KINDS:
            if is_of_kind(annotation):
                return make_one(annotation, number)
    raise TypeError(f"no value of {annotation!r} is known")


_DEEPEST: Final = 6
_depth: Final[ContextVar[int]] = ContextVar("logicaldb_samples_depth", default=0)
"""How deep the value is inside of others: a type that holds itself has no end."""


def _fields(annotations: Mapping[str, Any], optional: Container[str], number: int) -> dict[str, Any]:
    """Values of the fields of a structure; one that can be left out is, where nothing is known of its values."""
    values: dict[str, Any] = {}
    for name, annotation in annotations.items():
        try:
            values[name] = sample(annotation, name, number)
        except TypeError:
            if name not in optional:
                raise
    return values


def _model(model: type[BaseModel], number: int) -> BaseModel:
    annotations = {name: info.annotation for name, info in model.model_fields.items()}
    optional = {name for name, info in model.model_fields.items() if not info.is_required()}
    return model.model_construct(**_fields(annotations, optional, number))


def _structure(kind: Any, number: int) -> Any:
    """A dataclass, a named tuple, a typed dict."""
    return kind(**_fields(get_type_hints(kind), (), number))


def _member(members: type[Enum], number: int) -> Enum:
    every = list(members)
    return every[(number - 1) % len(every)]


_KINDS: Final[Sequence[tuple[Callable[[Any], bool], Callable[[Any, int], Any]]]] = (
    (lambda kind: issubclass(kind, Enum), _member),
    (lambda kind: issubclass(kind, BaseModel), _model),
    (lambda kind: is_dataclass(kind) or is_typeddict(kind) or hasattr(kind, "_fields"), _structure),
)


def _text(_: list[Any], name: str, number: int) -> str:
    """``ALBUM_1`` of ``album_token``, ``Album title 1`` of ``album_title``."""
    for ending in _ENDINGS:
        if name.endswith(ending):
            return f"{name.removesuffix(ending).upper()}_{number}"
    return f"{name.replace('_', ' ').capitalize()} {number}"


def _one(arguments: list[Any], name: str, number: int) -> Any:
    return sample(arguments[0] if arguments else Any, name, number)


def _any_of(arguments: list[Any], name: str, number: int) -> Any:
    """A value of one of several types, best of a plain one."""
    for argument in sorted(arguments, key=lambda one: get_origin(one) is not None):
        with suppress(TypeError):
            return sample(argument, name, number)
    raise TypeError(f"no value of any of {arguments!r} is known")


_MAKERS: Final[Mapping[Any, Callable[[list[Any], str, int], Any]]] = {
    str: _text,
    int: lambda _, __, number: number,
    float: lambda _, __, number: number + 0.5,
    Decimal: lambda _, __, number: Decimal(number) + Decimal("0.99"),
    bool: lambda _, __, number: number % 2 == 1,
    bytes: lambda _, __, number: bytes([number]),
    date: lambda _, __, number: _NOON.date() + timedelta(days=number - 1),
    datetime: lambda _, __, number: _NOON + timedelta(days=number - 1),
    AwareDatetime: lambda _, __, number: _NOON + timedelta(days=number - 1),
    time: lambda _, __, number: time(number % 24),
    timedelta: lambda _, __, number: timedelta(minutes=3, seconds=number),
    UUID: lambda _, __, number: UUID(int=number),
    Literal: lambda values, _, number: values[(number - 1) % len(values)],
    Union: _any_of,
    types.UnionType: _any_of,
    list: lambda arguments, name, number: [_one(arguments, name, number)],
    Sequence: lambda arguments, name, number: [_one(arguments, name, number)],
    set: lambda arguments, name, number: {_one(arguments, name, number)},
    frozenset: lambda arguments, name, number: frozenset({_one(arguments, name, number)}),
    tuple: lambda arguments, name, number: tuple(
        sample(argument, name, number) for argument in arguments if argument is not Ellipsis
    ),
    Mapping: lambda arguments, name, number: {_one(arguments, "name", number): _one(arguments[1:], name, number)},
    dict: lambda arguments, name, number: {_one(arguments, "name", number): _one(arguments[1:], name, number)},
}
