"""A key type in its table: the key attributes that its fields make."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from logicaldb.codec.keys import FieldRefused, KeyAttribute, Partial
from logicaldb.codec.limits import MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES
from logicaldb.codec.values import WireValue
from logicaldb.errors import DeclarationError, EncodingError, IncompleteKey
from logicaldb.schema.declarations import KeyDeclaration
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.key_rows import WriteKey, key_writer
from logicaldb.schema.raw import Index
from logicaldb.schema.stored import check_form, check_key_size
from logicaldb.schema.types import type_text


@dataclass(frozen=True, slots=True)
class KeySchema:
    """A key type of an item type, for the table (``index`` is ``None``) or for one of its indexes.

    Attributes:
        declaration: the key type.
        item: the item type.
        index: the index that it is a key of.
        partition: the partition key of the table or index.
        sort: its sort key.
    """

    declaration: KeyDeclaration
    item: ItemSchema
    index: Index | None
    partition: KeyAttribute
    sort: KeyAttribute | None
    _write: WriteKey = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        write = key_writer([(attribute, self._limit(attribute)) for attribute in self.item.primary])
        object.__setattr__(self, "_write", write)

    def __reduce__(self) -> tuple[Any, ...]:
        """As the classes that it is made of, for another process."""
        return (_bound, (self.key_type, self.item))

    @property
    def key_type(self) -> type[BaseModel]:
        """The key type."""
        return self.declaration.key_type

    @property
    def name(self) -> str:
        """The name that messages use."""
        return self.declaration.name

    def primary(self, key: BaseModel) -> Row:
        """The primary key of the row that a key names.

        Raises:
            IncompleteKey: the key lacks fields.
            EncodingError: a value of it cannot be stored.
        """
        if type(key) is self.declaration.key_type:
            row = self._write(key.__dict__)
            if row is not None:
                return row
        return self._whole(key, self.item.primary)

    def start(self, key: BaseModel) -> Row:
        """The key that a query of the table or index starts after.

        Raises:
            IncompleteKey: the key lacks fields, those of the primary key among them.
            EncodingError: a value of it cannot be stored.
        """
        attributes = {attribute.name: attribute for attribute in (*self.item.primary, *self._own())}
        return self._whole(key, tuple(attributes.values()))

    def _own(self) -> tuple[KeyAttribute, ...]:
        return (self.partition,) if self.sort is None else (self.partition, self.sort)

    def _whole(self, key: BaseModel, attributes: tuple[KeyAttribute, ...]) -> Row:
        partials = {attribute.name: self.partial(key, attribute) for attribute in attributes}
        missing = [field for partial in partials.values() for field in partial.missing]
        if missing:
            lacks = " and ".join(dict.fromkeys(missing))
            raise IncompleteKey(f"{key!r} lacks {lacks}; a whole key is needed here")
        row: Row = {}
        for attribute in attributes:
            wire = partials[attribute.name].wire
            assert wire is not None
            self.check_size(attribute, wire)
            row[attribute.name] = wire
        return row

    def partial(self, key: BaseModel, attribute: KeyAttribute) -> Partial:
        """A key attribute as far as a key gives it.

        Raises:
            EncodingError: a value of the key cannot be stored.
        """
        if type(key) is not self.key_type:
            raise TypeError(f"{type_text(type(key))} is not {self.name}, the key type that is used here")
        try:
            return attribute.partial(key.__dict__)
        except FieldRefused as refused:
            raise self._refused(refused) from None

    def check_size(self, attribute: KeyAttribute, wire: WireValue) -> None:
        """Refuse a value that DynamoDB does not take for a key attribute."""
        try:
            check_key_size(attribute, wire, self._limit(attribute))
        except FieldRefused as refused:
            raise self._refused(refused) from None

    def _limit(self, attribute: KeyAttribute) -> int:
        own_sort = self.sort is not None and attribute.name == self.sort.name
        return MAX_SORT_KEY_BYTES if own_sort or attribute.name == self.item.raw.keys.sort else MAX_PARTITION_KEY_BYTES

    def _refused(self, refused: FieldRefused) -> EncodingError:
        return EncodingError(f"{self.name}.{refused.field}{refused.path}: {refused.reason}")

    def from_row(self, row: Mapping[str, WireValue]) -> Any:
        """The key of a row, of which the key attributes are enough; ``None`` where it is none of the item type."""
        values: dict[str, Any] = {}
        try:
            for attribute in (*self.item.primary, *self._own()):
                values |= attribute.decode(row.get(attribute.name))
            fields = {name: values[name] for name in self.declaration.fields if name in values}
            key = self.key_type.__pydantic_validator__.validate_python(fields, by_alias=False, by_name=True)
            values |= key.__dict__
            for attribute in self.item.primary:
                check_form(attribute, values, row)
        except (FieldRefused, ValidationError, KeyError):
            return None
        return key


def _bound(key_type: type[BaseModel], item: ItemSchema) -> KeySchema:
    return bind_key(item.declaration.keys[key_type], item)


def bind_key(declaration: KeyDeclaration, item: ItemSchema) -> KeySchema:
    """Put a key type into the table of its item type.

    Raises:
        DeclarationError: it has not the fields of the key.
    """
    index = None
    if declaration.index is not None:
        index = item.raw.indexes.get(declaration.index)
        if index is None:
            known = ", ".join(item.raw.indexes) or "none"
            raise DeclarationError(
                f"{declaration.name}: {item.raw.name} has no index {declaration.index!r}; its indexes: {known}"
            )
    own: list[KeyAttribute] = []
    for name in item.raw.keys if index is None else index.keys:
        attribute = item.key_attribute(name)
        if attribute is None:
            raise DeclarationError(
                f"{declaration.name}: no field of {item.name} maps to {name}, a key of the index "
                f'{declaration.index!r}; declare one: Annotated[..., Attribute("{name}")]'
            )
        own.append(attribute)
    _check_fields(declaration, item, index, own)
    return KeySchema(declaration, item, index, own[0], own[1] if len(own) > 1 else None)


def _check_fields(declaration: KeyDeclaration, item: ItemSchema, index: Index | None, own: list[KeyAttribute]) -> None:
    what = f"the key of {item.raw.name}" if index is None else f"the key of the index {index.name!r}"
    needed = {field: attribute for attribute in own for field in attribute.fields if field not in item.constants}
    for field, attribute in needed.items():
        if field not in declaration.fields:
            raise DeclarationError(
                f"{declaration.name}: lacks {field}, which is part of {attribute.name} in {what}; "
                f"declare {field}: {type_text(item.declaration.fields[field].type)}"
            )
    allowed = {*needed, *(() if index is None else (field for key in item.primary for field in key.fields))}
    for field in declaration.fields:
        if field in item.constants:
            raise DeclarationError(f"{declaration.name}.{field}: is a constant of {item.name}; remove it from the key")
        if field not in allowed:
            raise DeclarationError(f"{declaration.name}.{field}: is not part of {what}; remove it")
    _check_optional(declaration, own)


def _check_optional(declaration: KeyDeclaration, own: list[KeyAttribute]) -> None:
    """What may be left out stands at the end, of the key as of each attribute."""
    for field, optional in declaration.fields.items():
        if optional and field in own[0].fields:
            raise DeclarationError(
                f"{declaration.name}.{field}: is part of the partition key {own[0].name} and cannot be optional; "
                "remove None from its type"
            )
    orders = [list(declaration.fields), *(attribute.fields for attribute in own)]
    for order in orders:
        left_out = None
        for field in order:
            if declaration.fields.get(field):
                left_out = field
            elif left_out is not None and field in declaration.fields:
                raise DeclarationError(
                    f"{declaration.name}.{field}: follows {left_out}, which is optional, so it must be optional too; "
                    f"write {field}: ... | None = None"
                )
