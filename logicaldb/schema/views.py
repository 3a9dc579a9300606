"""The views of a table: which key and item types belong together, and what each reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from logicaldb.annotations import TimeToLive
from logicaldb.errors import DeclarationError
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.keys import KeySchema, bind_key
from logicaldb.schema.raw import Index, RawDeclaration
from logicaldb.schema.tables import Mark, TableSchema, check_collection, check_projection
from logicaldb.schema.types import type_text


@dataclass(frozen=True, slots=True)
class ViewDeclaration:
    """What an annotation of a table class says.

    Attributes:
        name: the name of the view.
        key_type: its key type.
        item_types: its item types.
        collection: whether it reads several types in one partition.
    """

    name: str
    key_type: type[BaseModel]
    item_types: tuple[type[BaseModel], ...]
    collection: bool


@dataclass(frozen=True, slots=True)
class ViewSchema:
    """A view in its table.

    Attributes:
        declaration: the annotation.
        key: its key type.
        items: its item types.
        marks: what the rows of each type must show.
    """

    declaration: ViewDeclaration
    key: KeySchema
    items: tuple[ItemSchema, ...]
    marks: tuple[tuple[Mark, ...], ...]

    @property
    def index(self) -> Index | None:
        """The index that it reads."""
        return self.key.index


@dataclass(frozen=True, slots=True)
class TableDeclaration:
    """Everything that a table class declares."""

    raw: RawDeclaration
    schema: TableSchema
    views: Mapping[str, ViewSchema]

    @property
    def ttl_attributes(self) -> tuple[str, ...]:
        """The attribute that holds the time to live, where there is one."""
        fields = (field for item in self.schema.items for field in item.declaration.with_role(TimeToLive))
        return tuple(dict.fromkeys(field.attributes[0] for field in fields))


def bind_view(table: str, view: ViewDeclaration, schema: TableSchema) -> ViewSchema:
    """Put a view into its table.

    Args:
        table: the name of the table class.
        view: the annotation.
        schema: the types of the table, those of the view among them.

    Raises:
        DeclarationError: its key and item types do not belong together, or cannot be read together.
    """
    where = f"{table}.{view.name}"
    own = tuple(schema.of_type(item_type) for item_type in view.item_types)
    holder = next((item for item in own if view.key_type in item.declaration.keys), None)
    if holder is None:
        names = " or ".join(item.name for item in own)
        raise DeclarationError(
            f"{where}: {type_text(view.key_type)} is not a key of {names}; declare it inside that class"
        )
    key = bind_key(holder.declaration.keys[view.key_type], holder)
    if view.collection:
        check_collection(where, key.partition, own)
        return ViewSchema(view, key, own, tuple(schema.marks(item) for item in own))
    if key.index is not None:
        check_projection(where, own[0], key.index)
    return ViewSchema(view, key, own, (schema.marks(own[0], key.index),))


def check_time_to_live(table: str, declaration: TableDeclaration) -> None:
    """Refuse a second time to live, of which a table has one."""
    names = declaration.ttl_attributes
    if len(names) > 1:
        raise DeclarationError(
            f"{table}: has several attributes marked TimeToLive(): {', '.join(names)}; "
            f'a table has one, so store them under one name: Attribute("{names[0]}")'
        )
