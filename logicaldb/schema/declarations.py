"""What one class says by itself: an item type with its keys. No table is needed here.

The names that the library keeps on the classes of its users, all of them:

- ``__logicaldb_declaration__`` on raw items and item types: what the class says by itself;
- ``__logicaldb_schema__`` on item types: how they lie in their table, once there is one;
- ``__logicaldb_key__`` on key types: what their class statements say about whose keys they are;
- ``__logicaldb_item__`` on key types: their item type;
- ``__logicaldb_primary__`` on item types: their first key type, once it was asked for;
- ``__logicaldb_plain__`` on key types: which classes of values they take as they are, once it was asked for;
- ``__logicaldb_table__`` on tables and ``__logicaldb_tables__`` on databases: what they declare.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from logicaldb.annotations import Version
from logicaldb.errors import DeclarationError
from logicaldb.schema.fields import FieldDeclaration, declare_field
from logicaldb.schema.roles import Role
from logicaldb.schema.types import OURS, type_text, without_none

DECLARATION: Final = "__logicaldb_declaration__"
KEY: Final = "__logicaldb_key__"
ITEM: Final = "__logicaldb_item__"
PRIMARY: Final = "__logicaldb_primary__"
PLAIN: Final = "__logicaldb_plain__"


@dataclass(frozen=True, slots=True)
class KeyStatement:
    """What a class statement says: ``class Key(ItemKey["AlbumTrack"])``.

    Attributes:
        base: ``ItemKey`` or ``IndexKey``; ``None`` where neither was given an item type.
        item: the name of the item type.
        index: the name of the index.
    """

    base: str | None
    item: str | None
    index: str | None


@dataclass(frozen=True, slots=True)
class KeyDeclaration:
    """A key type.

    Attributes:
        key_type: the class.
        name: the name that messages use: ``AlbumTrack.Key``.
        index: the name of the index; ``None`` for the primary key.
        fields: the fields, and whether each may be left out.
    """

    key_type: type[BaseModel]
    name: str
    index: str | None
    fields: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class ItemDeclaration:
    """An item type: its fields, and the key types that it holds."""

    item_type: type[BaseModel]
    fields: Mapping[str, FieldDeclaration]
    keys: Mapping[type, KeyDeclaration]

    @property
    def name(self) -> str:
        """The name that messages use."""
        return self.item_type.__name__

    def with_role(self, role: type[Role]) -> Iterator[FieldDeclaration]:
        """The fields that have a role."""
        return (field for field in self.fields.values() if isinstance(field.role, role))


def keys_of(item_type: type[BaseModel]) -> list[type[BaseModel]]:
    """The key types that stand in the class statement of an item type."""
    return [
        value
        for name, value in vars(item_type).items()
        if isinstance(value, type)
        and issubclass(value, BaseModel)
        and KEY in vars(value)
        and value.__qualname__ == f"{item_type.__qualname__}.{name}"
    ]


def declare_item(item_type: type[BaseModel]) -> ItemDeclaration:
    """Describe an item type, whose annotations are resolved.

    Raises:
        DeclarationError: a field or a key of it is declared wrongly.
    """
    known: ItemDeclaration | None = vars(item_type).get(DECLARATION)
    if known is not None:
        return known
    fields = {name: declare_field(item_type, name) for name in item_type.model_fields}
    versions = [name for name, field in fields.items() if isinstance(field.role, Version)]
    if len(versions) > 1:
        raise DeclarationError(
            f"{item_type.__name__}: {' and '.join(versions)} are both marked Version(); keep one of them"
        )
    keys = {key_type: _declare_key(item_type, fields, key_type) for key_type in keys_of(item_type)}
    declaration = ItemDeclaration(item_type, MappingProxyType(fields), MappingProxyType(keys))
    setattr(item_type, DECLARATION, declaration)
    for key_type in keys:
        setattr(key_type, ITEM, item_type)
    return declaration


def _declare_key(
    item_type: type[BaseModel], fields: Mapping[str, FieldDeclaration], key_type: type[BaseModel]
) -> KeyDeclaration:
    item = item_type.__name__
    key = f"{item}.{key_type.__name__}"
    statement: KeyStatement = vars(key_type)[KEY]
    if statement.base is None:
        raise DeclarationError(
            f'{key}: does not say whose key it is; derive it from ItemKey["{item}"] or IndexKey["{item}"]'
        )
    if statement.base == "ItemKey" and statement.index is not None:
        raise DeclarationError(
            f"{key}: is an ItemKey with index={statement.index!r}, and the primary key has no index; "
            f'derive it from IndexKey["{item}"], or remove index'
        )
    if statement.base == "IndexKey" and statement.index is None:
        raise DeclarationError(
            f'{key}: is an IndexKey and does not say of which index; write IndexKey["{item}"], index="..."'
        )
    if statement.item != item:
        raise DeclarationError(
            f'{key}: is declared as a key of {statement.item!r} inside {item}; write {statement.base}["{item}"]'
        )
    optional = {name: _check_key_field(item, fields, key, name, info) for name, info in key_type.model_fields.items()}
    return KeyDeclaration(key_type, key, statement.index, MappingProxyType(optional))


def _check_key_field(item: str, fields: Mapping[str, FieldDeclaration], key: str, name: str, info: FieldInfo) -> bool:
    """Whether a field of a key may be left out."""
    where = f"{key}.{name}"
    if name not in fields:
        raise DeclarationError(f"{where}: {item} has no field {name!r}; its fields are {', '.join(fields)}")
    marker = next((marker for marker in info.metadata if isinstance(marker, OURS)), None)
    if marker is not None:
        raise DeclarationError(
            f"{where}: has {type(marker).__name__}(...), but a key says nothing about how it is stored, "
            f"{item}.{name} does; remove it here"
        )
    found, nullable = without_none(info.annotation, {})
    expected = fields[name].type
    written = type_text(expected)
    if found != expected:
        raise DeclarationError(
            f"{where}: is {type_text(found)}, but {item}.{name} is {written}; write {name}: {written}"
        )
    if nullable and info.is_required():
        raise DeclarationError(f"{where}: may be None but has no default; write {name}: {written} | None = None")
    if not info.is_required() and (not nullable or info.get_default(call_default_factory=False) is not None):
        raise DeclarationError(
            f"{where}: a field of a key has no default other than None; write {name}: {written} | None = None"
        )
    return nullable
