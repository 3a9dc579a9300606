"""Maps the fields of an item type to the attributes of a raw item, and refuses what does not fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import time
from enum import Enum
from types import MappingProxyType
from typing import Any, Final

from logicaldb.annotations import Counter, CreatedAt, UpdatedAt, Version
from logicaldb.codec.fields import MISSING
from logicaldb.codec.inspection import metadata_of
from logicaldb.codec.keys import (
    ABSENT,
    SAMPLES,
    ClockText,
    FieldRefused,
    KeyPart,
    KeyTag,
    PaddedNumber,
    PlainText,
    ScalarKey,
    TextCodec,
    TextKey,
    always_runs_into,
    known_values,
)
from logicaldb.codec.limits import MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES
from logicaldb.codec.scope import scope_of
from logicaldb.codec.types import CodecBuilder
from logicaldb.codec.unions import OptionalCodec
from logicaldb.codec.values import ALL_FORMS, Refused, ValueCodec
from logicaldb.errors import DeclarationError
from logicaldb.schema.declarations import ItemDeclaration
from logicaldb.schema.fields import FieldDeclaration
from logicaldb.schema.raw import RawDeclaration
from logicaldb.schema.stored import Stored, StoredField, StoredKey
from logicaldb.schema.types import type_text, underlying

_KINDS: Final = {"S": "string", "N": "number", "B": "binary"}
_EXAMPLES: Final[Mapping[KeyTag, str]] = {"S": "str", "N": "int", "B": "bytes"}


def map_fields(declaration: ItemDeclaration, raw: RawDeclaration) -> Mapping[str, Stored]:
    """What each attribute of a row of the type holds, in the order of declaration.

    Raises:
        DeclarationError: the fields do not fit the raw item.
    """
    return MappingProxyType(_Mapper(declaration, raw).map())


def constants_of(declaration: ItemDeclaration, raw: RawDeclaration) -> Mapping[str, Any]:
    """The constants with their values: the fields of the primary key that have a default."""
    return MappingProxyType(
        {
            name: field.default
            for name, field in declaration.fields.items()
            if field.default is not ABSENT and any(attribute in raw.keys for attribute in field.attributes)
        }
    )


class _Mapper:
    def __init__(self, declaration: ItemDeclaration, raw: RawDeclaration) -> None:
        self.declaration = declaration
        self.raw = raw
        self.constants = constants_of(declaration, raw)

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
        """Several attributes of one field must have one type, as far as the raw item tells it."""
        kinds = {name: self._kind(name) for name in field.attributes}
        told = {name: kind for name, kind in kinds.items() if kind is not None}
        if len(set(told.values())) > 1:
            found = ", ".join(f"{name} is a {kind}" for name, kind in told.items())
            raise DeclarationError(
                f"{self._where(field)}: is written to attributes of different types in {self.raw.name}: {found}; "
                "give them one type"
            )

    def _kind(self, attribute: str) -> str | None:
        if attribute in self.raw.tags:
            return _KINDS[self.raw.tags[attribute]]
        declared = self.raw.attributes.get(attribute)
        forms = frozenset() if declared is None else declared.codec.forms - {"NULL"}
        return _KINDS.get(next(iter(forms))) if len(forms) == 1 else None

    def _check_primary(self, holders: Mapping[str, list[FieldDeclaration]]) -> None:
        for kind, attribute in zip(("partition", "sort"), self.raw.keys, strict=False):
            if attribute not in holders:
                raise DeclarationError(
                    f"{self.declaration.name}: no field maps to {attribute}, the {kind} key of {self.raw.name}; "
                    f'declare one: Annotated[{_EXAMPLES[self.raw.tags[attribute]]}, Attribute("{attribute}")]'
                )
            for field in holders[attribute]:
                if field.nullable and field.type not in (Any, object):  # these are refused for what they are
                    raise DeclarationError(
                        f"{self._where(field)}: is part of {attribute}, the {kind} key of {self.raw.name}, "
                        "and cannot be optional; remove None from its type"
                    )

    def _stored(self, attribute: str, fields: list[FieldDeclaration]) -> Stored:
        tag = self.raw.tags.get(attribute)
        if tag is None:
            return self._stored_apart(attribute, fields)
        for field in fields:
            self._check_role(attribute, tag, field, alone=len(fields) == 1)
            self._check_optional(attribute, field)
        key = self._text_key(attribute, fields) if tag == "S" else self._scalar_key(attribute, fields, tag)
        if key.constant and not key.prefix:
            raise DeclarationError(
                f"{self._where(fields[0])}: is a constant that makes {attribute} an empty string, which no key of "
                f'{self.raw.name} can be; give it a prefix: Attribute("{attribute}", prefix="...")'
            )
        return StoredKey(key, MAX_SORT_KEY_BYTES if self._is_sort_key(attribute) else MAX_PARTITION_KEY_BYTES)

    def _stored_apart(self, attribute: str, fields: list[FieldDeclaration]) -> Stored:
        """An attribute that is no key."""
        field = fields[0]
        if len(fields) > 1:
            raise DeclarationError(
                f"{self._where(fields[1])}: {self._where(field)} maps to {attribute} already, which is no key attribute "
                f"of {self.raw.name}; only the parts of a composite key share an attribute, so name another"
            )
        self._check_declared(attribute, field)
        if not field.textual:
            return StoredField(
                field.name, field.codec, field.role.initial if isinstance(field.role, Counter) else MISSING
            )
        self._check_optional(attribute, field)
        return StoredKey(self._text_key(attribute, fields), None)

    def _is_sort_key(self, attribute: str) -> bool:
        """Whether the smaller limit of sort keys applies; the attribute may be a key of several indexes."""
        every = (self.raw.keys, *(index.keys for index in self.raw.indexes.values()))
        return any(attribute == keys.sort for keys in every)

    def _check_role(self, attribute: str, tag: KeyTag, field: FieldDeclaration, *, alone: bool) -> None:
        if field.role is None:
            return
        role = f"{type(field.role).__name__}()"
        if attribute in self.raw.keys:
            raise DeclarationError(
                f"{self._where(field)}: is marked {role} and is part of {attribute}, a key of {self.raw.name}; "
                "what the mapper changes cannot be part of the primary key"
            )
        if isinstance(field.role, Version | Counter):
            raise DeclarationError(
                f"{self._where(field)}: is marked {role} and is {attribute}, a key of an index in {self.raw.name}; "
                "what changes with every write is no key, so map it to another attribute"
            )
        if not alone:
            raise DeclarationError(
                f"{self._where(field)}: is marked {role} and is part of the composite key {attribute}; "
                "what the mapper changes has an attribute of its own"
            )
        written: KeyTag = "S" if isinstance(field.role, CreatedAt | UpdatedAt) else "N"
        if written != tag:
            raise DeclarationError(
                f"{self._where(field)}: is marked {role} and stored as a {_KINDS[written]}, "
                f"but {attribute} is a {_KINDS[tag]} in {self.raw.name}; map it to another attribute"
            )

    def _check_declared(self, attribute: str, field: FieldDeclaration) -> None:
        declared = self.raw.attributes.get(attribute)
        if declared is None:
            return
        known = declared.codec.forms | ({"NULL"} if declared.nullable else set())
        if not field.forms <= known:
            raise DeclarationError(
                f"{self._where(field)}: is stored as {_forms_text(field.forms)}, but "
                f"{self.raw.name}.{self.raw.fields[attribute]} declares {attribute} as {_forms_text(known)}; "
                "give them one type"
            )

    def _check_optional(self, attribute: str, field: FieldDeclaration) -> None:
        """``None`` leaves a key out of the row, so it must be what an absent one reads back as."""
        if field.nullable and field.default is not ABSENT and field.default is not None:
            raise DeclarationError(
                f"{self._where(field)}: is stored as the string {attribute}, which is absent for None, so that None would "
                f"read back as the default {field.default!r}; make the default None"
            )

    def _scalar_key(self, attribute: str, fields: list[FieldDeclaration], tag: KeyTag) -> ScalarKey:
        field = fields[0]
        kind = _KINDS[tag]
        if len(fields) > 1:
            raise DeclarationError(
                f"{self._where(fields[1])}: {self._where(field)} maps to {attribute} already, a {kind} in "
                f"{self.raw.name}; only a string key has several parts"
            )
        if field.textual:
            raise DeclarationError(
                f"{self._where(field)}: prefix and width are for string keys, and {attribute} is a {kind} in "
                f"{self.raw.name}; remove them"
            )
        codec = field.values
        if codec.forms - {"NULL"} != {tag}:
            raise DeclarationError(
                f"{self._where(field)}: is {type_text(field.type)}, but {attribute} is a {kind} in {self.raw.name}; "
                "give them one type"
            )
        key = ScalarKey(attribute, tag, field.name, codec, field.nullable, self.constants.get(field.name, ABSENT))
        if key.constant_value is not ABSENT:
            try:
                key.partial({})
            except FieldRefused as refused:
                raise self._bad_constant(field, refused) from None
        return key

    def _text_key(self, attribute: str, fields: list[FieldDeclaration]) -> TextKey:
        for field in fields[1:]:
            if not field.prefix:
                raise DeclarationError(
                    f"{self._where(field)}: is a further part of the composite key {attribute} and has no separator; "
                    f'give it a prefix: Attribute("{attribute}", prefix="#")'
                )
            if field.nullable != fields[0].nullable:
                raise DeclarationError(
                    f"{self._where(field)}: the parts of the composite key {attribute} are optional together, or not at "
                    f"all, and {self._where(fields[0])} {'is' if fields[0].nullable else 'is not'}"
                )
        separators = [*(field.prefix for field in fields[1:]), ""]
        parts = [self._part(attribute, field, separator) for field, separator in zip(fields, separators, strict=True)]
        for part, before, field in zip(parts, fields, fields[1:], strict=False):
            if always_runs_into(part.separator, _texts(before, part)):
                raise DeclarationError(
                    f"{self._where(field)}: the separator {part.separator!r} is in every {type_text(before.type)} that "
                    f"{self._where(before)}, the part of {attribute} before it, can be; choose another"
                )
        return TextKey(attribute, tuple(parts))

    def _part(self, attribute: str, field: FieldDeclaration, separator: str) -> KeyPart:
        codec = self._text_codec(attribute, field)
        constant = self.constants.get(field.name, ABSENT)
        if constant is not ABSENT:
            try:
                codec.text(constant)
            except Refused as refused:
                raise self._bad_constant(field, refused) from None
        partial = underlying(field.type) is str
        return KeyPart(field.name, field.prefix, separator, codec, field.nullable, constant, partial)

    def _text_codec(self, attribute: str, field: FieldDeclaration) -> TextCodec:
        where, written = self._where(field), type_text(field.type)
        codec = self._key_values(field)
        forms = codec.forms - {"NULL"}
        if forms == {"S"}:
            if field.width is not None:
                raise DeclarationError(f"{where}: is {written}, and width={field.width} is for int; remove it")
            return ClockText(codec) if codec.types == (time,) else PlainText(codec)
        if forms != {"N"} or not _is_whole(field.type):
            raise DeclarationError(
                f"{where}: is {written}, but {attribute} is a string, which takes str, date, datetime, UUID, Enum, "
                "and int with a width; choose another type or attribute"
            )
        if field.width is None:
            raise DeclarationError(
                f"{where}: is {written} in the string {attribute}, where 10 would sort before 9; "
                f'give it a number of digits: Attribute("{attribute}", width=16)'
            )
        return PaddedNumber(codec, field.width)

    def _key_values(self, field: FieldDeclaration) -> ValueCodec:
        """The codec of the values; of a type that only pydantic knows, one that tells its stored form."""
        if field.values.forms != ALL_FORMS:
            return field.values
        scope = scope_of(self.declaration.item_type).exactly()
        codec = CodecBuilder().codec(field.info.annotation, metadata_of(field.info), scope)
        return codec.inner if isinstance(codec, OptionalCodec) else codec

    def _bad_constant(self, field: FieldDeclaration, refused: Refused) -> DeclarationError:
        return DeclarationError(
            f"{self._where(field)}: is part of the primary key, so its default is a constant, and {field.default!r} "
            f"{refused.reason}; make it a value of its type, or remove it"
        )


def _is_whole(annotation: Any) -> bool:
    """Whether all values are whole numbers."""
    plain = underlying(annotation)
    values = [value.value if isinstance(value, Enum) else value for value in known_values(plain)]
    if values:
        return all(isinstance(value, int) for value in values)
    return isinstance(plain, type) and issubclass(plain, int)


def _texts(field: FieldDeclaration, part: KeyPart) -> Iterable[str]:
    """The texts that a part can have, or samples that stand for them."""
    if part.constant is not ABSENT:
        return [part.codec.text(part.constant)]
    plain = underlying(field.type)
    texts: list[str] = []
    for value in known_values(plain):
        with suppress(Refused):  # a negative number, or one that is too wide, is never stored
            texts.append(part.codec.text(value))
    return texts or SAMPLES.get(plain, ())


def _forms_text(forms: Iterable[str]) -> str:
    return " or ".join(sorted(forms))
