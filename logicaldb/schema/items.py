"""An item type as it lies in its table: which attribute holds which fields, and the codec of its rows."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol, TypeAlias, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ValidationError

from logicaldb.annotations import Counter, Version
from logicaldb.codec.keys import (
    ABSENT,
    FieldRefused,
    KeyAttribute,
    KeyPart,
    PaddedNumber,
    PlainText,
    ScalarKey,
    TextCodec,
    TextKey,
    always_contains,
    known_values,
)
from logicaldb.codec.fields import MISSING, FieldCodec
from logicaldb.codec.limits import MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES
from logicaldb.codec.values import Refused, WireValue
from logicaldb.errors import DeclarationError, DecodingError, EncodingError
from logicaldb.schema.declarations import FieldDeclaration, ItemDeclaration, type_text
from logicaldb.schema.raw import RawDeclaration

Row: TypeAlias = dict[str, WireValue]
"""A row in wire form: ``{"track_title": {"S": "Speak to Me"}}``."""


class Stored(Protocol):
    """What one attribute of a row holds."""

    @property
    def name(self) -> str:
        """The name of the attribute."""
        ...

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it is made of."""
        ...

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        """The stored form; ``None`` where the attribute is absent. Raises ``FieldRefused``."""
        ...

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        """The values of the fields; without one where the model's default applies. Raises ``FieldRefused``."""
        ...


@dataclass(frozen=True, slots=True)
class StoredField:
    """An attribute that holds one field as it is."""

    name: str
    field: str
    codec: FieldCodec

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        try:
            return self.codec.encode(values[self.field])
        except Refused as refused:
            raise FieldRefused(self.field, refused.reason, refused.path) from None

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        value = self.codec.decode(wire)
        return {} if value is MISSING else {self.field: value}


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An attribute that is a key, or that is written like one.

    Attributes:
        key: what it is made of.
        limit: how many bytes it may have; ``None`` where it is no key.
        exact: whether it must be stored as ``key`` writes it (in the primary key any other form would be another row).
    """

    key: KeyAttribute
    limit: int | None
    exact: bool

    @property
    def name(self) -> str:
        return self.key.name

    @property
    def fields(self) -> tuple[str, ...]:
        return self.key.fields

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        wire = self.key.encode(values)
        if wire is not None and self.limit is not None:
            check_key_size(self.key, wire, self.limit)
        return wire

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        if wire is None:
            return {}
        values = self.key.decode(wire)
        if self.exact:
            self._check_exact(values, wire)
        return values

    def _check_exact(self, values: Mapping[str, Any], wire: WireValue) -> None:
        try:
            same = self.key.encode(values) == wire
        except FieldRefused:
            same = False
        if not same:
            raise FieldRefused(self.fields[0], "is not stored in the form that its type writes")


def check_key_size(key: KeyAttribute, wire: WireValue, limit: int) -> None:
    """Refuse what DynamoDB refuses as the value of a key attribute: nothing at all, or too much."""
    if key.tag == "N":
        return
    value: str = wire[key.tag]
    size = len(value.encode()) if key.tag == "S" else len(value) // 4 * 3 - value.count("=", -2)
    if size == 0:
        kind = "string" if key.tag == "S" else "binary"
        raise FieldRefused(key.fields[0], f"is an empty {kind}, and the key attribute {key.name} cannot be")
    if size > limit:
        raise FieldRefused(key.fields[-1], f"makes the key attribute {key.name} {size} bytes long; the limit is {limit}")


class ItemSchema:
    """An item type in the table of one raw item."""

    def __init__(self, declaration: ItemDeclaration, raw: RawDeclaration) -> None:
        self.declaration = declaration
        self.raw = raw
        self.item_type = declaration.item_type
        self.name = declaration.name
        self.stored: Mapping[str, Stored] = types.MappingProxyType(_Mapper(declaration, raw).map())
        self.version = next(declaration.with_role(Version), None)
        self.counters = tuple(declaration.with_role(Counter))
        self.places: dict[tuple[Any, ...], Any] = {}
        first = {field: name for name, stored in reversed(self.stored.items()) for field in stored.fields}
        # A field that is written to several attributes is read from the first of them.
        self._read = tuple(
            stored
            for name, stored in self.stored.items()
            if any(first[field] == name for field in stored.fields)
            and declaration.fields[stored.fields[0]].attributes[0] == name
        )

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes of the row, in the order of declaration."""
        return tuple(self.stored)

    def key_attribute(self, name: str) -> KeyAttribute | None:
        """A key attribute of the table or of an index; ``None`` where the type has none of that name."""
        stored = self.stored.get(name)
        return stored.key if isinstance(stored, StoredKey) else None

    @cached_property
    def primary(self) -> tuple[KeyAttribute, ...]:
        """The partition key and, where there is one, the sort key of the table."""
        return tuple(self._primary())

    def _primary(self) -> Iterator[KeyAttribute]:
        for name in self.raw.keys:
            key = self.key_attribute(name)
            assert key is not None, name  # the mapper has refused a type without it
            yield key

    @cached_property
    def constants(self) -> Mapping[str, Any]:
        """The constant fields with their values."""
        return {
            name: field.default
            for name, field in self.declaration.fields.items()
            if field.default is not ABSENT and any(attribute in self.raw.keys for attribute in field.attributes)
        }

    def encode(self, item: BaseModel) -> Row:
        """The whole row of an item.

        Raises:
            EncodingError: a value of it cannot be stored as declared.
        """
        return {name: wire for name, wire in self.encode_all(item).items() if wire is not None}

    def encode_all(self, item: BaseModel) -> dict[str, WireValue | None]:
        """Every attribute of the type, ``None`` for those that are absent from the row of the item."""
        if type(item) is not self.item_type:
            raise TypeError(f"{type(item).__name__} is not {self.name}, the type that is written here")
        if item.__pydantic_extra__:
            extra = next(iter(item.__pydantic_extra__))
            raise EncodingError(f"{self.name}.{extra}: is not declared, so it would not be stored; declare the field")
        values = item.__dict__
        try:
            return {name: stored.encode(values) for name, stored in self.stored.items()}
        except FieldRefused as refused:
            raise self.refused(refused) from None

    def refused(self, refused: FieldRefused) -> EncodingError:
        """The error of a value that cannot be stored."""
        return EncodingError(f"{self.name}.{refused.field}{refused.path}: {refused.reason}")

    def decode(self, row: Mapping[str, WireValue]) -> Any:
        """The item of a row; attributes that the type does not know are left aside.

        Raises:
            DecodingError: the row is not valid for the type.
        """
        values: dict[str, Any] = {}
        try:
            for stored in self._read:
                values.update(stored.decode(row.get(stored.name)))
            return self.item_type.__pydantic_validator__.validate_python(values, by_alias=False, by_name=True)
        except FieldRefused as refused:
            problem = f"{refused.field} {refused.reason}"
        except ValidationError as invalid:
            # Only where and what kind: pydantic's messages may hold values of the row.
            errors = invalid.errors(include_url=False, include_context=False, include_input=False)
            problem = ", ".join(f"{'.'.join(map(str, error['loc'])) or 'the item'} ({error['type']})" for error in errors)
        raise DecodingError(f"the row {self.key_text(row)} is no valid {self.name}: {problem}", key=self.key_of(row))

    def key_of(self, row: Mapping[str, WireValue]) -> dict[str, Any]:
        """The primary key of a row as it is stored."""
        return {name: next(iter(row[name].values())) for name in self.raw.keys if name in row}

    def key_text(self, row: Mapping[str, WireValue]) -> str:
        """The primary key of a row as messages show it."""
        return ", ".join(f"{name}={value!r}" for name, value in self.key_of(row).items())


class _Mapper:
    """Maps the fields of an item type to the attributes of a raw item, and refuses what does not fit."""

    def __init__(self, declaration: ItemDeclaration, raw: RawDeclaration) -> None:
        self.declaration = declaration
        self.raw = raw

    def map(self) -> dict[str, Stored]:
        holders: dict[str, list[FieldDeclaration]] = {}
        for field in self.declaration.fields.values():
            for attribute in field.attributes:
                holders.setdefault(attribute, []).append(field)
            self._check_names(field)
        self._check_primary(holders)
        return {attribute: self._stored(attribute, fields) for attribute, fields in holders.items()}

    def _where(self, field: FieldDeclaration) -> str:
        return f"{self.declaration.name}.{field.name}"

    def _check_names(self, field: FieldDeclaration) -> None:
        tags = {attribute: self.raw.tags.get(attribute) for attribute in field.attributes}
        if len(set(tags.values())) > 1:
            found = ", ".join(f"{attribute} ({_TAG_TEXT[tag]})" for attribute, tag in tags.items())
            raise DeclarationError(
                f"{self._where(field)}: is written to attributes of different types in {self.raw.name}: {found}; "
                "give them one type"
            )

    def _check_primary(self, holders: Mapping[str, list[FieldDeclaration]]) -> None:
        for kind, attribute in zip(("partition", "sort"), self.raw.keys, strict=False):
            if attribute not in holders:
                raise DeclarationError(
                    f"{self.declaration.name}: no field maps to {attribute}, the {kind} key of {self.raw.name}; "
                    f"declare one: Annotated[str, Attribute({attribute!r})]"
                )
            for field in holders[attribute]:
                if field.nullable:
                    raise DeclarationError(
                        f"{self._where(field)}: is part of {attribute}, the {kind} key of {self.raw.name}, "
                        "and cannot be optional; remove `| None` from its type"
                    )

    def _stored(self, attribute: str, fields: list[FieldDeclaration]) -> Stored:
        tag = self.raw.tags.get(attribute)
        first = fields[0]
        if tag is None:
            if len(fields) > 1:
                raise DeclarationError(
                    f"{self._where(fields[1])}: {self._where(first)} maps to {attribute} already, and {attribute} is "
                    f"no key attribute of {self.raw.name}; only the parts of a composite key share an attribute"
                )
            self._check_declared(attribute, first)
            if not first.prefix and first.width is None:
                return StoredField(attribute, first.name, first.codec)
            return StoredKey(self._text_key(attribute, fields), None, exact=False)
        for field in fields:
            if field.role is not None:
                raise DeclarationError(
                    f"{self._where(field)}: {type(field.role).__name__}() cannot be part of the key attribute {attribute}"
                )
        self._check_optional(attribute, fields)
        primary = attribute in self.raw.keys
        limit = MAX_SORT_KEY_BYTES if self._is_sort_key(attribute) else MAX_PARTITION_KEY_BYTES
        key = self._text_key(attribute, fields) if tag == "S" else self._scalar_key(attribute, fields, tag)
        return StoredKey(key, limit, exact=primary)

    def _is_sort_key(self, attribute: str) -> bool:
        """Whether the smaller limit of sort keys applies; the attribute may be the key of several indexes."""
        return any(attribute == keys.sort for keys in self._all_keys())

    def _all_keys(self) -> Iterator[Any]:
        yield self.raw.keys
        for index in self.raw.indexes.values():
            yield index.keys

    def _check_declared(self, attribute: str, field: FieldDeclaration) -> None:
        declared = self.raw.attributes.get(attribute)
        if declared is None:
            return
        forms = frozenset({"S"}) if field.prefix or field.width is not None else field.values.forms
        if not forms <= declared.codec.forms:
            raise DeclarationError(
                f"{self._where(field)}: is stored as {_forms_text(forms)}, but "
                f"{self.raw.name}.{self.raw.fields[attribute]} declares {attribute} as {_forms_text(declared.codec.forms)}"
            )

    def _check_optional(self, attribute: str, fields: list[FieldDeclaration]) -> None:
        for field in fields:
            if field.nullable and field.default is not ABSENT and field.default is not None:
                raise DeclarationError(
                    f"{self._where(field)}: is the index key {attribute}, which cannot hold None, so None would read back "
                    "as the default; make the default None"
                )
            if field.nullable != fields[0].nullable:
                raise DeclarationError(
                    f"{self._where(field)}: the parts of the composite key {attribute} are optional together, or not at all"
                )

    def _scalar_key(self, attribute: str, fields: list[FieldDeclaration], tag: Literal["S", "N", "B"]) -> ScalarKey:
        field = fields[0]
        kind = _TAG_TEXT[tag]
        if len(fields) > 1:
            raise DeclarationError(
                f"{self._where(fields[1])}: {self._where(field)} maps to {attribute} already, and a {kind} key has one part"
            )
        if field.prefix or field.width is not None:
            raise DeclarationError(
                f"{self._where(field)}: prefix and width are for string keys, and {attribute} is a {kind} in {self.raw.name}"
            )
        if field.values.forms != {tag}:
            raise DeclarationError(
                f"{self._where(field)}: is {type_text(field.type)}, but {attribute} is a {kind} in {self.raw.name}"
            )
        constant = self._constant(attribute, field)
        return ScalarKey(attribute, tag, field.name, field.values, field.nullable, constant)

    def _constant(self, attribute: str, field: FieldDeclaration) -> Any:
        return field.default if attribute in self.raw.keys else ABSENT

    def _text_key(self, attribute: str, fields: list[FieldDeclaration]) -> TextKey:
        parts: list[KeyPart] = []
        for number, field in enumerate(fields):
            if number and not field.prefix:
                raise DeclarationError(
                    f"{self._where(field)}: is a further part of the composite key {attribute} and has no separator; "
                    f'give it a prefix: Attribute({attribute!r}, prefix="#")'
                )
            text = self._text_codec(attribute, field)
            parts.append(
                KeyPart(
                    field.name,
                    field.prefix,
                    text,
                    field.nullable,
                    self._constant(attribute, field),
                    partial=field.type is str,
                )
            )
            if number:
                self._check_separator(attribute, fields[number - 1], parts[number - 1].codec, field)
        return TextKey(attribute, tuple(parts))

    def _text_codec(self, attribute: str, field: FieldDeclaration) -> TextCodec:
        codec = field.values
        if codec.forms == {"S"}:
            if field.width is not None:
                raise DeclarationError(
                    f"{self._where(field)}: is {type_text(field.type)}, and width is for int; remove it"
                )
            return PlainText(codec)
        whole = isinstance(field.type, type) and issubclass(field.type, int)
        if codec.forms != {"N"} or not whole:
            raise DeclarationError(
                f"{self._where(field)}: is {type_text(field.type)}, which has no place in the string attribute {attribute}"
            )
        if field.width is None:
            raise DeclarationError(
                f"{self._where(field)}: is {type_text(field.type)} in the string attribute {attribute}, where 10 would "
                "sort before 9; give it a number of digits: Attribute(width=16)"
            )
        return PaddedNumber(codec, field.width)

    def _check_separator(
        self, attribute: str, before: FieldDeclaration, text: TextCodec, field: FieldDeclaration
    ) -> None:
        values = known_values(before.type)
        if always_contains(before.type, field.prefix, [text.text(value) for value in values]):
            raise DeclarationError(
                f"{self._where(field)}: the separator {field.prefix!r} is in every {type_text(before.type)}, the part "
                f"{before.name} of {attribute} before it; choose another"
            )


_TAG_TEXT = {"S": "string", "N": "number", "B": "binary", None: "no key"}


def _forms_text(forms: frozenset[str]) -> str:
    return " or ".join(sorted(forms))


def hold_constant(item_type: type[BaseModel], name: str, value: Any) -> None:
    """Make an item type refuse any other value of a constant field when an item is made.

    A ``Literal`` of that one value refuses by itself.
    """
    info = item_type.model_fields[name]
    if get_origin(info.annotation) is Literal and get_args(info.annotation) == (value,):
        return
    info.metadata.append(AfterValidator(_Constant(value)))
    item_type.model_rebuild(force=True)


@dataclass(frozen=True, slots=True)
class _Constant:
    """A validator that takes one value."""

    value: Any

    def __call__(self, value: Any) -> Any:
        if value != self.value:
            raise ValueError("is a constant of the type")
        return value


