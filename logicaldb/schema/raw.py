"""What a raw item declares: the keys of the physical table and of its indexes."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel

from logicaldb.annotations import Attribute, PartitionKey, Projection, SortKey
from logicaldb.codec.fields import FieldCodec
from logicaldb.codec.types import field_codec
from logicaldb.codec.values import Unsupported
from logicaldb.errors import DeclarationError
from logicaldb.schema.declarations import type_text, without_none

Tag: TypeAlias = Literal["S", "N", "B"]

_TAGS: Final[dict[Any, Tag]] = {str: "S", int: "N", Decimal: "N", bytes: "B"}

MAX_GLOBAL_INDEXES: Final = 20
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""
MAX_LOCAL_INDEXES: Final = 5
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html"""


@dataclass(frozen=True, slots=True)
class KeyNames:
    """The key attributes of the table or of an index."""

    partition: str
    sort: str | None

    def __iter__(self) -> Iterator[str]:
        yield self.partition
        if self.sort is not None:
            yield self.sort


@dataclass(frozen=True, slots=True)
class Index:
    """A secondary index.

    Attributes:
        name: its name.
        keys: its key attributes.
        local: whether it shares the partition key of the table.
        projection: what it holds beside the keys.
    """

    name: str
    keys: KeyNames
    local: bool
    projection: Literal["ALL", "KEYS_ONLY"] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RawDeclaration:
    """A raw item: its key attributes and the indexes.

    Attributes:
        raw_type: the class.
        attributes: the declared attributes by name, each as a field of its own.
        fields: the name of the field of each attribute.
        tags: the wire type of each key attribute.
        keys: the primary key.
        indexes: the indexes by name.
    """

    raw_type: type[BaseModel]
    attributes: Mapping[str, FieldCodec]
    fields: Mapping[str, str]
    tags: Mapping[str, Tag]
    keys: KeyNames
    indexes: Mapping[str, Index]

    @property
    def name(self) -> str:
        """The name that messages use."""
        return self.raw_type.__name__

    def create_table_request(self, name: str) -> dict[str, Any]:
        """The parameters of ``CreateTable``: on demand, with all indexes."""
        used = dict.fromkeys(self.keys)
        for index in self.indexes.values():
            used |= dict.fromkeys(index.keys)
        request: dict[str, Any] = {
            "TableName": name,
            "KeySchema": _key_schema(self.keys),
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": self.tags[key]} for key in used],
            "BillingMode": "PAY_PER_REQUEST",
        }
        for parameter, local in (("GlobalSecondaryIndexes", False), ("LocalSecondaryIndexes", True)):
            indexes = [_index_request(index) for index in self.indexes.values() if index.local == local]
            if indexes:
                request[parameter] = indexes
        return request


def _key_schema(keys: KeyNames) -> list[dict[str, str]]:
    return [
        {"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)
    ]


def _index_request(index: Index) -> dict[str, Any]:
    projection: dict[str, Any] = {"ProjectionType": index.projection}
    if isinstance(index.projection, tuple):
        projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": list(index.projection)}
    return {"IndexName": index.name, "KeySchema": _key_schema(index.keys), "Projection": projection}


def declare_raw(raw_type: type[BaseModel]) -> RawDeclaration:
    """Describe a raw item, whose annotations are resolved.

    Raises:
        DeclarationError: it is declared wrongly.
    """
    known: RawDeclaration | None = raw_type.__dict__.get("__logicaldb_declaration__")
    if known is not None:
        return known
    declaration = _Reader(raw_type).read()
    raw_type.__logicaldb_declaration__ = declaration  # type: ignore[attr-defined]
    return declaration


class _Reader:
    """Reads the fields of a raw item one by one."""

    def __init__(self, raw_type: type[BaseModel]) -> None:
        self.raw_type = raw_type
        self.name = raw_type.__name__
        self.attributes: dict[str, FieldCodec] = {}
        self.fields: dict[str, str] = {}
        self.tags: dict[str, Tag] = {}
        self.nullable: set[str] = set()
        self.partitions: dict[str | None, str] = {}
        self.sorts: dict[str | None, str] = {}
        self.projections: dict[str | None, Projection] = {}

    def read(self) -> RawDeclaration:
        for name in self.raw_type.model_fields:
            self._read_field(name)
        if None not in self.partitions:
            raise DeclarationError(
                f"{self.name}: has no partition key; mark one field: Annotated[str, PartitionKey()]"
            )
        keys = KeyNames(self.partitions[None], self.sorts.get(None))
        for attribute in keys:
            if attribute in self.nullable:
                raise DeclarationError(
                    f"{self.name}.{self.fields[attribute]}: is a key of the table and cannot be optional; "
                    "remove `| None` from its type"
                )
        indexes = {name: self._index(name) for name in {**self.partitions, **self.sorts} if name is not None}
        self._check_count(indexes)
        return RawDeclaration(
            self.raw_type,
            types.MappingProxyType(self.attributes),
            types.MappingProxyType(self.fields),
            types.MappingProxyType(self.tags),
            keys,
            types.MappingProxyType(indexes),
        )

    def _read_field(self, name: str) -> None:
        info = self.raw_type.model_fields[name]
        where = f"{self.name}.{name}"
        renames = [marker for marker in info.metadata if isinstance(marker, Attribute)]
        attribute = name
        for rename in renames:
            if rename.names or rename.prefix or rename.width is not None:
                raise DeclarationError(f"{where}: a raw item's field maps to one attribute as it is: Attribute(name)")
            attribute = rename.name or name
        if attribute in self.attributes:
            raise DeclarationError(f"{where}: {self.name}.{self.fields[attribute]} is the attribute {attribute!r} already")
        try:
            self.attributes[attribute] = field_codec(name, info, self.raw_type)
        except Unsupported as unsupported:
            raise DeclarationError(f"{where}: {unsupported.reason}") from None
        self.fields[attribute] = name
        bare, nullable = without_none(info.annotation)
        if nullable:
            self.nullable.add(attribute)
        for marker in info.metadata:
            if isinstance(marker, PartitionKey | SortKey):
                self._read_key(where, attribute, marker)
                if bare not in _TAGS:
                    raise DeclarationError(
                        f"{where}: is {type_text(bare)}, but a key attribute is str, int, Decimal or bytes"
                    )
                self.tags[attribute] = _TAGS[bare]

    def _read_key(self, where: str, attribute: str, marker: PartitionKey | SortKey) -> None:
        is_partition = isinstance(marker, PartitionKey)
        taken = self.partitions if is_partition else self.sorts
        kind = "partition" if is_partition else "sort"
        of = "the table" if marker.index is None else f"the index {marker.index!r}"
        if marker.index in taken:
            first = f"{self.name}.{self.fields[taken[marker.index]]}"
            raise DeclarationError(f"{where}: {first} is the {kind} key of {of} already; there is only one")
        taken[marker.index] = attribute
        if marker.projection is None:
            return
        if marker.index is None:
            raise DeclarationError(f"{where}: projection={marker.projection!r} is for an index; the table holds everything")
        known = self.projections.setdefault(marker.index, marker.projection)
        if known != marker.projection:
            raise DeclarationError(
                f"{where}: projection={marker.projection!r} of {of}, but its other key says projection={known!r}; "
                "give it once"
            )

    def _index(self, name: str) -> Index:
        local = name not in self.partitions
        projection = self.projections.get(name, "ALL")
        if isinstance(projection, str):
            if projection not in ("ALL", "KEYS_ONLY"):
                raise DeclarationError(
                    f"{self.name}: the index {name!r} has projection={projection!r}; "
                    'it is "ALL", "KEYS_ONLY", or a list of attribute names'
                )
        else:
            projection = tuple(projection)
        if local and None not in self.sorts:
            raise DeclarationError(
                f"{self.name}.{self.fields[self.sorts[name]]}: the index {name!r} has a sort key alone, so it is a local one, "
                "and local indexes need a table with a sort key; "
                f"give the index a partition key, or mark a field SortKey() for the table"
            )
        partition = self.partitions[None] if local else self.partitions[name]
        return Index(name, KeyNames(partition, self.sorts.get(name)), local, projection)

    def _check_count(self, indexes: Mapping[str, Index]) -> None:
        local = sum(index.local for index in indexes.values())
        for count, kind, limit in (
            (len(indexes) - local, "global", MAX_GLOBAL_INDEXES),
            (local, "local", MAX_LOCAL_INDEXES),
        ):
            if count > limit:
                raise DeclarationError(f"{self.name}: has {count} {kind} indexes; DynamoDB takes {limit}")
