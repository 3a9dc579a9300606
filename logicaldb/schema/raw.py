"""What a raw item declares: the keys of the physical table and of its indexes."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ValidationError

from logicaldb.annotations import Attribute, PartitionKey, SortKey
from logicaldb.codec.fields import FieldCodec
from logicaldb.codec.keys import KeyTag
from logicaldb.codec.scope import scope_of
from logicaldb.codec.types import field_codec
from logicaldb.codec.values import Unsupported, WireValue, describe
from logicaldb.errors import DeclarationError, DecodingError
from logicaldb.schema.declarations import DECLARATION
from logicaldb.schema.fields import only_marker
from logicaldb.schema.types import OURS, check_markers, type_text, without_none

Projection: TypeAlias = Literal["ALL", "KEYS_ONLY"] | tuple[str, ...]

_TAGS: Final[Mapping[Any, KeyTag]] = {str: "S", int: "N", Decimal: "N", bytes: "B"}

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
    projection: Projection


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
    tags: Mapping[str, KeyTag]
    keys: KeyNames
    indexes: Mapping[str, Index]

    @property
    def name(self) -> str:
        """The name that messages use."""
        return self.raw_type.__name__

    def key_of(self, row: Mapping[str, WireValue]) -> dict[str, Any]:
        """The primary key of a row as it is stored, as far as the row has it: what is no text is none."""
        wires = {name: row.get(name) for name in self.keys}
        return {
            name: held
            for name, wire in wires.items()
            if isinstance(wire, dict)
            for held in wire.values()
            if isinstance(held, str)
        }

    def key_text(self, row: Mapping[str, WireValue]) -> str:
        """The primary key of a row as messages show it."""
        return ", ".join(f"{name}={value!r}" for name, value in self.key_of(row).items())

    def undecodable(self, row: Mapping[str, WireValue], name: str, problem: str) -> DecodingError:
        """The error of a row that is not valid for a type of this name."""
        return DecodingError(f"the row {self.key_text(row)} is no valid {name}: {problem}", key=self.key_of(row))

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


def check_row(row: object) -> None:
    """Refuse what is no row, be it valid or not.

    Raises:
        DecodingError: it is no dict.
    """
    if not isinstance(row, Mapping):
        raise DecodingError(f"a row in wire form is a dict of its attributes, not {describe(row)}")


def problems(invalid: ValidationError) -> str:
    """Where a row is not valid and what kind of error it is, nothing more: pydantic's messages hold values of the row.

    So do its places inside of a field, as the keys of a dict.
    """
    errors = invalid.errors(include_url=False, include_context=False, include_input=False)
    found = [f"{next(iter(error['loc']), 'the item')} ({error['type']})" for error in errors]
    return ", ".join(dict.fromkeys(found))


def _key_schema(keys: KeyNames) -> list[dict[str, str]]:
    return [{"AttributeName": name, "KeyType": kind} for name, kind in zip(keys, ("HASH", "RANGE"), strict=False)]


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
    known: RawDeclaration | None = vars(raw_type).get(DECLARATION)
    if known is not None:
        return known
    declaration = _Reader(raw_type).read()
    setattr(raw_type, DECLARATION, declaration)
    return declaration


class _Reader:
    """Reads the fields of a raw item one by one.

    Partition keys, sort keys and projections are kept by the name of the index, ``None`` for the table.
    """

    def __init__(self, raw_type: type[BaseModel]) -> None:
        self.raw_type = raw_type
        self.name = raw_type.__name__
        self.attributes: dict[str, FieldCodec] = {}
        self.fields: dict[str, str] = {}
        self.tags: dict[str, KeyTag] = {}
        self.partitions: dict[str | None, str] = {}
        self.sorts: dict[str | None, str] = {}
        self.projections: dict[str, Projection] = {}

    def read(self) -> RawDeclaration:
        for name in self.raw_type.model_fields:
            self._read_field(name)
        if None not in self.partitions:
            raise DeclarationError(f"{self.name}: has no partition key; mark one field: Annotated[str, PartitionKey()]")
        keys = KeyNames(self.partitions[None], self.sorts.get(None))
        for attribute in keys:
            if self.attributes[attribute].nullable:
                raise DeclarationError(
                    f"{self._where(attribute)}: is a key of the table and cannot be optional; remove None from its type"
                )
        names = dict.fromkeys(name for name in (*self.partitions, *self.sorts) if name is not None)
        indexes = {name: self._index(name) for name in names}
        for index, attribute in self.partitions.items():
            if self.sorts.get(index) == attribute:
                raise DeclarationError(
                    f"{self._where(attribute)}: is both the partition key and the sort key of {_owner(index)}; "
                    "mark another field SortKey(...), or none"
                )
        self._check_count(indexes)
        return RawDeclaration(
            self.raw_type,
            types.MappingProxyType(self.attributes),
            types.MappingProxyType(self.fields),
            types.MappingProxyType(self.tags),
            keys,
            types.MappingProxyType(indexes),
        )

    def _where(self, attribute: str) -> str:
        return f"{self.name}.{self.fields[attribute]}"

    def _read_field(self, name: str) -> None:
        info = self.raw_type.model_fields[name]
        where = f"{self.name}.{name}"
        check_markers(where, info)
        attribute = self._attribute(where, name)
        if attribute in self.attributes:
            raise DeclarationError(
                f"{where}: maps to {attribute}, as {self._where(attribute)} does already; name another attribute"
            )
        try:
            self.attributes[attribute] = field_codec(name, info, self.raw_type)
            bare = without_none(info.annotation, scope_of(self.raw_type).namespace)[0]
        except Unsupported as unsupported:
            raise DeclarationError(f"{where}: {unsupported.reason}") from None
        self.fields[attribute] = name
        for marker in info.metadata:
            if isinstance(marker, PartitionKey | SortKey):
                self._read_key(where, attribute, marker)
                if bare not in _TAGS:
                    raise DeclarationError(
                        f"{where}: is {type_text(bare)}, but a key attribute is str, int, Decimal or bytes"
                    )
                self.tags[attribute] = _TAGS[bare]
            elif isinstance(marker, OURS) and not isinstance(marker, Attribute):
                raise DeclarationError(
                    f"{where}: {type(marker).__name__}() belongs on the field of an item type; remove it here"
                )

    def _attribute(self, where: str, name: str) -> str:
        rename: Attribute | None = only_marker(where, self.raw_type.model_fields[name], Attribute)
        if rename is None:
            return name
        if rename.names or rename.prefix or rename.width is not None:
            raise DeclarationError(
                f"{where}: a field of a raw item is one attribute as it is; write Attribute(name) without more"
            )
        if rename.name is not None and (not isinstance(rename.name, str) or not rename.name):
            raise DeclarationError(
                f"{where}: {rename.name!r} is not the name of an attribute; write one, or leave it out"
            )
        return rename.name or name

    def _read_key(self, where: str, attribute: str, marker: PartitionKey | SortKey) -> None:
        if marker.index is not None and (not isinstance(marker.index, str) or not marker.index):
            raise DeclarationError(
                f"{where}: index={marker.index!r} is not the name of an index; write one, or leave it out for the table"
            )
        is_partition = isinstance(marker, PartitionKey)
        taken = self.partitions if is_partition else self.sorts
        if marker.index in taken:
            kind = "partition" if is_partition else "sort"
            raise DeclarationError(
                f"{where}: {self._where(taken[marker.index])} is the {kind} key of {_owner(marker.index)} already; "
                "there is only one"
            )
        taken[marker.index] = attribute
        if marker.projection is None:
            return
        if marker.index is None:
            raise DeclarationError(
                f"{where}: projection={marker.projection!r} is for an index, and the table holds everything; remove it"
            )
        projection = _projection(where, marker.projection)
        known = self.projections.setdefault(marker.index, projection)
        if known != projection:
            raise DeclarationError(
                f"{where}: has projection={projection!r} for {_owner(marker.index)}, and its other key has "
                f"projection={known!r}; give it once"
            )

    def _index(self, name: str) -> Index:
        local = name not in self.partitions
        if local and None not in self.sorts:
            raise DeclarationError(
                f"{self._where(self.sorts[name])}: the index {name!r} has a sort key alone, so it is a local one, and "
                "local indexes need a table with a sort key; "
                "give the index a partition key, or mark a field SortKey() for the table"
            )
        partition = self.partitions[None] if local else self.partitions[name]
        if local and self.sorts[name] == partition:
            raise DeclarationError(
                f"{self._where(partition)}: is the partition key of the table, and so of its local index {name!r}, "
                "whose sort key it cannot be too; mark another field, or give the index a partition key"
            )
        return Index(name, KeyNames(partition, self.sorts.get(name)), local, self.projections.get(name, "ALL"))

    def _check_count(self, indexes: Mapping[str, Index]) -> None:
        local = sum(index.local for index in indexes.values())
        for count, kind, limit in (
            (len(indexes) - local, "global", MAX_GLOBAL_INDEXES),
            (local, "local", MAX_LOCAL_INDEXES),
        ):
            if count > limit:
                raise DeclarationError(f"{self.name}: has {count} {kind} indexes; DynamoDB takes {limit} of a table")


def _owner(index: str | None) -> str:
    return "the table" if index is None else f"the index {index!r}"


def _projection(where: str, given: Any) -> Projection:
    if given in ("ALL", "KEYS_ONLY"):
        return "ALL" if given == "ALL" else "KEYS_ONLY"
    if isinstance(given, str) or not isinstance(given, Sequence) or not all(isinstance(name, str) for name in given):
        raise DeclarationError(
            f'{where}: projection={given!r} is not "ALL", "KEYS_ONLY" or a list of the names of attributes'
        )
    if not given:
        raise DeclarationError(
            f'{where}: projection={given!r} names no attribute; write "KEYS_ONLY" for the keys alone'
        )
    return tuple(dict.fromkeys(given))
