"""Places: where a path leads in the rows of a type, and how values are stored there."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, Final, Union, get_args, get_origin
from uuid import UUID

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import SchemaValidator, core_schema

from logicaldb.codec.keys import ABSENT, FieldRefused, KeyPart, TextKey
from logicaldb.codec.structures import FieldCodec
from logicaldb.codec.types import codec_for
from logicaldb.codec.values import Refused, ValueCodec, WireValue
from logicaldb.errors import EncodingError
from logicaldb.paths import Path, Step, owner_of, path_text, steps_of
from logicaldb.schema.declarations import FieldDeclaration, without_none
from logicaldb.schema.items import ItemSchema, StoredKey

_ORDERED: Final = frozenset({str, int, float, Decimal, bytes, date, datetime, time, timedelta, UUID})
"""The types whose stored order is their own."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads.

    Attributes:
        text: the path as messages show it.
        item: the item type.
        field: the field that the path begins with.
        path: the document path: the attribute, then names and indexes inside it.
        type: the type of the value, without ``None``.
        codec: its stored form.
        validate: makes a valid value of what is given, or raises ``ValidationError``.
        nullable: whether it may be ``None``.
        removable: whether the model is valid without it.
        part: the part of a string key that it is, where it is one.
        alone: whether no other field shares the attribute.
    """

    text: str
    item: ItemSchema
    field: FieldDeclaration
    path: tuple[Step, ...]
    type: Any
    codec: ValueCodec
    validate: Callable[[Any], Any]
    nullable: bool
    removable: bool
    part: KeyPart | None = None
    alone: bool = True

    @property
    def top(self) -> bool:
        """Whether it is a whole attribute."""
        return len(self.path) == 1

    @property
    def ordered(self) -> bool:
        """Whether values compare as their stored forms do."""
        return self.type in _ORDERED and not _is_custom(self.codec)

    def refuse(self, reason: str) -> EncodingError:
        """The error of a value or a use that does not fit."""
        return EncodingError(f"{self.text}: {reason}")

    def encode(self, value: Any) -> WireValue:
        """The stored form of a value, validated as the field's own; the prefix is part of it.

        Raises:
            EncodingError: the value is not valid, or cannot be stored.
        """
        return self.wire(self.validated(value))

    def validated(self, value: Any) -> Any:
        """A valid value, made as the model makes it."""
        try:
            return self.validate(value)
        except ValidationError as invalid:
            kinds = ", ".join(dict.fromkeys(error["type"] for error in invalid.errors(include_input=False)))
            raise self.refuse(f"the value is not valid ({kinds})") from None

    def wire(self, value: Any) -> WireValue:
        """The stored form of a valid value."""
        try:
            if self.part is None:
                return self.codec.encode(value)
            return {"S": self.part.prefix + self.part.codec.text(value)}
        except Refused as refused:
            raise EncodingError(f"{self.text}{refused.path}: {refused.reason}") from None

    def attribute(self, value: Any) -> WireValue | None:
        """The stored form of a whole value, ``None`` where the attribute is to be absent."""
        if value is None and self.part is not None:
            return None
        if self.part is None and self.top:
            try:
                return self.field.codec.encode(value)
            except Refused as refused:
                raise EncodingError(f"{self.text}{refused.path}: {refused.reason}") from None
        return self.wire(value)

    def element(self) -> Place:
        """The place of an element of a list or a set."""
        types_of = get_args(self.type)
        element = types_of[0] if types_of else Any
        return _inside(self, (*self.path, 0), f"{self.text}[]", element, ())


def find_place(path: Any, items: Sequence[ItemSchema]) -> Place:
    """Where a path leads, in the first of the item types that it belongs to.

    Raises:
        TypeError: the path belongs to another type, or leads nowhere.
    """
    if not isinstance(path, Path):
        raise TypeError(f"attr() takes a field of an item type, such as attr(AlbumTrack.track_title), not {path!r}")
    owner, steps = owner_of(path), steps_of(path)
    for item in items:
        if issubclass(item.item_type, owner):
            place = item.places.get(steps)
            if place is None:
                place = _top(item, str(steps[0]))
                for step in steps[1:]:
                    place = _deeper(place, step)
                item.places[steps] = place
            return place
    here = " or ".join(item.name for item in items)
    raise TypeError(f"{path!r} is a field of {owner.__name__}, but this is about {here}")


def _top(item: ItemSchema, name: str) -> Place:
    field = item.declaration.fields[name]
    attribute = field.attributes[0]
    stored = item.stored[attribute]
    place = Place(
        f"{item.name}.{name}",
        item,
        field,
        (attribute,),
        field.type,
        field.values,
        _field_validator(item.item_type, name),
        field.nullable,
        not field.required,
    )
    if isinstance(stored, StoredKey) and isinstance(stored.key, TextKey):
        part = next(part for part in stored.key.parts if part.field == name)
        return replace(place, part=part, alone=len(stored.key.parts) == 1)
    return place


def _deeper(place: Place, step: Step) -> Place:
    text = f"{place.text}.{step}" if isinstance(step, str) else f"{place.text}[{step}]"
    if place.part is not None:
        raise TypeError(f"{text}: {place.text} is stored as a string key, and nothing is inside it")
    origin, arguments = get_origin(place.type) or place.type, get_args(place.type)
    path = (*place.path, step)
    if origin is Any or origin is object:
        return _inside(place, path, text, Any, ())
    if isinstance(origin, type) and issubclass(origin, BaseModel):
        info = origin.model_fields.get(str(step))
        if info is None:
            raise TypeError(f"{text}: {origin.__name__} has no field {step!r}")
        return _inside(place, path, text, info.annotation, info.metadata, required=info.is_required())
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(step, str):
        return _inside(place, path, text, arguments[1] if arguments else Any, ())
    if isinstance(step, int) and step >= 0 and isinstance(origin, type) and issubclass(origin, Sequence):
        if origin is tuple and arguments and arguments[-1] is not Ellipsis:
            if step >= len(arguments):
                raise TypeError(f"{text}: the tuple has {len(arguments)} elements")
            return _inside(place, path, text, arguments[step], ())
        if origin not in (str, bytes):
            return _inside(place, path, text, arguments[0] if arguments else Any, ())
    raise TypeError(f"{text}: {place.text} has nothing inside that {step!r} could name")


def _inside(
    place: Place, path: tuple[Step, ...], text: str, annotation: Any, metadata: Iterable[Any], *, required: bool = False
) -> Place:
    bare, nullable = without_none(annotation)
    marks = tuple(metadata)
    annotated = Annotated[(annotation, *marks)] if marks else annotation
    adapter: TypeAdapter[Any] = TypeAdapter(annotated)
    return replace(
        place,
        text=text,
        path=path,
        type=bare,
        codec=codec_for(annotation, marks),
        validate=adapter.validate_python,
        nullable=nullable,
        removable=nullable or not required,
    )


def _field_validator(item_type: type[BaseModel], name: str) -> Callable[[Any], Any]:
    """The validator of one field as the model has it, its ``@field_validator`` functions among it."""
    schema: Any = item_type.__pydantic_core_schema__
    definitions: list[Any] = []
    while schema["type"] != "model-fields":
        if schema["type"] == "definitions":
            definitions = schema["definitions"]
        if schema["type"] == "definition-ref":
            wanted = schema["schema_ref"]
            schema = next(known for known in definitions if known["ref"] == wanted)
        else:
            schema = schema["schema"]
    field = schema["fields"][name]["schema"]
    return SchemaValidator(core_schema.definitions_schema(field, definitions) if definitions else field).validate_python


def _is_custom(codec: ValueCodec) -> bool:
    return False
