"""What a db declares, in the words of those who design tables: keys as templates, indexes, types, access patterns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from logicaldb.cli.loading import DbType
from logicaldb.codec.keys import ABSENT, KeyAttribute, KeyPart, PaddedNumber, TextKey
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.raw import Index, RawDeclaration
from logicaldb.schema.views import TableDeclaration, ViewSchema


@dataclass(frozen=True, slots=True)
class Pattern:
    """An access pattern: what can be asked, and which call answers it.

    Attributes:
        question: what is asked for, and by what.
        call: the method with its arguments.
        operation: the operation of DynamoDB.
        index: the index that is read; ``None`` for the table.
    """

    question: str
    call: str
    operation: str
    index: str | None


@dataclass(frozen=True, slots=True)
class TableOutline:
    """A table of a db.

    Attributes:
        attribute: its name in the db class.
        type_name: the name of the table class.
        table_name: the declared name of the physical table.
        declaration: everything that the table class declares.
    """

    attribute: str
    type_name: str
    table_name: str
    declaration: TableDeclaration

    @property
    def raw(self) -> RawDeclaration:
        """The keys of the table and its indexes."""
        return self.declaration.raw

    @property
    def items(self) -> Sequence[ItemSchema]:
        """The item types."""
        return self.declaration.schema.items

    def patterns(self) -> Iterator[Pattern]:
        """The access patterns: each view answers one or two."""
        for name, view in self.declaration.views.items():
            yield from _patterns(f"db.{self.attribute}.{name}", view)

    def items_of_index(self, index: Index) -> list[ItemSchema]:
        """The item types that have rows in an index."""
        return [item for item in self.items if all(item.key_attribute(name) is not None for name in index.keys)]


def outline(db: DbType) -> list[TableOutline]:
    """The tables of a db."""
    return [
        TableOutline(attribute, table_type.__name__, declared, table_type.__logicaldb_table__)
        for attribute, (table_type, declared) in db.__logicaldb_tables__.items()
    ]


def template(key: KeyAttribute | None) -> str:
    """What the value of a key attribute is made of: ``TRACK_{track_number:016}``; empty where a type has none."""
    if key is None:
        return ""
    if isinstance(key, TextKey):
        return "".join(part.prefix + _part(part) for part in key.parts)
    return f"{{{key.fields[0]}}}"


def is_sparse(item: ItemSchema, index: Index) -> bool:
    """Whether rows of a type may be missing in an index, because a field of its key is optional."""
    fields = item.declaration.fields
    keys = (item.key_attribute(name) for name in index.keys)
    return any(fields[field].nullable for key in keys if key is not None for field in key.fields)


def _part(part: KeyPart) -> str:
    if part.constant is not ABSENT:
        return part.text(part.constant)
    if isinstance(part.codec, PaddedNumber):
        return f"{{{part.field}:0{part.codec.width}}}"
    return f"{{{part.field}}}"


def _patterns(view_name: str, view: ViewSchema) -> Iterator[Pattern]:
    key = view.key
    fields = [field for field in key.declaration.fields if field in {*_own(key.partition), *_own(key.sort)}]
    partition = [field for field in fields if field in key.partition.fields]
    sort = [field for field in fields if field not in partition]
    index = None if view.index is None else view.index.name
    given = f"{key.name}({', '.join(partition)})"
    by = " and ".join(partition) or "nothing but constants"
    if view.declaration.collection:
        names = " and ".join(item.name for item in view.items)
        yield Pattern(f"{names} of one {by}", f"{view_name}.query({given})", "Query", index)
        return
    name = view.items[0].name
    if index is None:
        whole = f"{key.name}({', '.join(fields)})"
        yield Pattern(f"one {name} by {' and '.join(fields) or by}", f"{view_name}.load({whole})", "GetItem", index)
    if sort or index is not None:
        order = f", sorted by {' and '.join(sort)}" if sort else ""
        yield Pattern(f"{name} by {by}{order}", f"{view_name}.query(BeginsWith({given}))", "Query", index)


def _own(key: KeyAttribute | None) -> Sequence[str]:
    return () if key is None else key.fields
