"""Places: where a path leads in the rows of a type, and how values are stored there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError

from logicaldb.codec.keys import KeyPart, TextKey
from logicaldb.codec.scalars import (
    BytesCodec,
    DateCodec,
    DatetimeCodec,
    DecimalCodec,
    FloatCodec,
    IntCodec,
    StrCodec,
    TimeCodec,
    TimedeltaCodec,
    UUIDCodec,
)
from logicaldb.codec.scope import scope_of
from logicaldb.codec.times import EpochSeconds
from logicaldb.codec.values import Refused, ValueCodec, WireValue
from logicaldb.errors import EncodingError
from logicaldb.paths import Path, Step, owner_of, segment, steps_of
from logicaldb.schema.fields import FieldDeclaration
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.spots import NothingInside, Spot, field_spot
from logicaldb.schema.stored import StoredKey

_ORDERED: Final = (
    StrCodec,
    IntCodec,
    FloatCodec,
    DecimalCodec,
    BytesCodec,
    DateCodec,
    DatetimeCodec,
    TimeCodec,
    TimedeltaCodec,
    UUIDCodec,
    EpochSeconds,
)
"""The codecs whose stored order is that of the values; serializers of users, enums and the like have others."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path leads.

    Attributes:
        text: the path as messages show it.
        item: the item type.
        field: the field that the path begins with.
        path: the document path: the attribute, then names and indexes inside it.
        spot: the type of the value there, and its stored form.
        top: whether it is the whole field.
        part: the part of a string key that it is, where it is one.
        alone: whether no other field shares the attribute.
    """

    text: str
    item: ItemSchema
    field: FieldDeclaration
    path: tuple[Step, ...]
    spot: Spot
    top: bool
    part: KeyPart | None = None
    alone: bool = True

    @property
    def type(self) -> Any:
        """The type of the value, without ``None``."""
        return self.spot.type

    @property
    def codec(self) -> ValueCodec:
        """Its stored form, ``None`` aside."""
        return self.spot.codec

    @property
    def nullable(self) -> bool:
        """Whether it may be ``None``."""
        return self.spot.nullable

    @property
    def removable(self) -> bool:
        """Whether what is around it is valid without it."""
        return self.spot.removable

    @property
    def ordered(self) -> bool:
        """Whether values compare as their stored forms do."""
        return isinstance(self.codec, _ORDERED)

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
        """A valid value, made as the model makes it.

        Raises:
            EncodingError: the value is not valid.
        """
        try:
            return self.spot.validate(value)
        except ValidationError as invalid:
            kinds = ", ".join(dict.fromkeys(error["type"] for error in invalid.errors(include_input=False)))
            raise self.refuse(f"the value is not valid ({kinds})") from None

    def wire(self, value: Any) -> WireValue:
        """The stored form of a valid value.

        Raises:
            EncodingError: the value cannot be stored.
        """
        try:
            if self.part is None:
                return self.codec.encode(value)
            return {"S": self.part.prefix + self.part.text(value)}
        except Refused as refused:
            raise EncodingError(f"{self.text}{refused.path}: {refused.reason}") from None

    def attribute(self, value: Any) -> WireValue | None:
        """The stored form of a valid value or of ``None``; ``None`` where it is stored by absence.

        Raises:
            EncodingError: the value cannot be stored.
        """
        if self.part is not None:
            return None if value is None else self.wire(value)
        try:
            return self.spot.store(value)
        except Refused as refused:
            raise EncodingError(f"{self.text}{refused.path}: {refused.reason}") from None

    def element(self) -> Place:
        """The place of an element of a list or a set.

        Raises:
            EncodingError: it has none.
        """
        try:
            element = self.spot.element()
        except NothingInside as nothing:
            raise self.refuse(str(nothing)) from None
        return Place(f"{self.text}[]", self.item, self.field, (*self.path, 0), element, top=False)

    def inside(self, step: Any) -> Place:
        """The place that a step leads to.

        Raises:
            TypeError: it leads nowhere.
        """
        text = self.text + segment(step)
        if self.part is not None:
            raise TypeError(f"{text}: {self.text} is stored as a string key, and nothing is inside it")
        try:
            steps, spot = self.spot.inside(step)
        except NothingInside as nothing:
            raise TypeError(f"{text}: {self.text} {nothing}") from None
        return Place(text, self.item, self.field, (*self.path, *steps), spot, top=False)


def find_place(path: Any, items: Sequence[ItemSchema]) -> Place:
    """Where a path leads, in the first of the item types that it belongs to.

    Raises:
        TypeError: the path belongs to another type, or leads nowhere.
    """
    if not isinstance(path, Path):
        raise TypeError(
            f"a field of an item type is due, such as attr(AlbumTrack.track_title), not {type(path).__name__}"
        )
    owner = owner_of(path)
    first, *others = steps_of(path)
    item = next((item for item in items if issubclass(item.item_type, owner)), None)
    if item is None:
        here = " or ".join(item.name for item in items)
        raise TypeError(f"{path!r} is a field of {owner.__name__}, but this is about {here}")
    place = item.places.get(first)
    if place is None:
        place = item.places[first] = _top(item, str(first))
    for step in others:
        place = place.inside(step)
    return place


def _top(item: ItemSchema, name: str) -> Place:
    declared = item.declaration.fields[name]
    attribute = declared.attributes[0]
    spot = field_spot(item.item_type, declared.codec, declared.info, scope_of(item.item_type))
    place = Place(f"{item.name}.{name}", item, declared, (attribute,), spot, top=True)
    stored = item.stored[attribute]
    if isinstance(stored, StoredKey) and isinstance(stored.key, TextKey):
        part = next(part for part in stored.key.parts if part.field == name)
        return replace(place, part=part, alone=len(stored.key.parts) == 1)
    return place
