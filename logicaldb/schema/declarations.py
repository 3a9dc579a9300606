"""What one class says by itself: an item type, its keys, a raw item. No table is needed here."""

from __future__ import annotations

import operator
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import reduce
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from logicaldb.annotations import Attribute, Counter, CreatedAt, PartitionKey, SortKey, TimeToLive, UpdatedAt, Version
from logicaldb.codec.keys import ABSENT
from logicaldb.codec.fields import MISSING, Default, FieldCodec
from logicaldb.codec.types import field_codec
from logicaldb.codec.times import EpochSeconds
from logicaldb.codec.unions import OptionalCodec
from logicaldb.codec.values import Unsupported, ValueCodec
from logicaldb.errors import DeclarationError

Role = Version | Counter | CreatedAt | UpdatedAt | TimeToLive
_OURS: Final = (Attribute, PartitionKey, SortKey, Version, Counter, CreatedAt, UpdatedAt, TimeToLive)


@dataclass(frozen=True, slots=True)
class FieldDeclaration:
    """A field of an item type.

    Attributes:
        name: its name.
        type: its type, without ``Annotated`` and without ``None``.
        attributes: the attributes of the row that hold it.
        prefix: the text before it in a string attribute.
        width: the digits of a number in a string attribute.
        info: pydantic's description.
        codec: its stored form as an attribute of its own.
        default: its default, ``ABSENT`` where it has none or one that a factory makes.
        role: what the mapper does with it, where it is a version, a counter, or a time.
    """

    name: str
    type: Any
    attributes: tuple[str, ...]
    prefix: str
    width: int | None
    info: FieldInfo
    codec: FieldCodec
    default: Any
    role: Role | None

    @property
    def nullable(self) -> bool:
        """Whether it may be ``None``."""
        return self.codec.nullable

    @property
    def values(self) -> ValueCodec:
        """The codec of its values, ``None`` aside."""
        codec = self.codec.codec
        return codec.inner if isinstance(codec, OptionalCodec) else codec

    @property
    def required(self) -> bool:
        """Whether a row without it is no row of the type."""
        return self.info.is_required() and self.codec.decode(None) is MISSING


@dataclass(frozen=True, slots=True)
class KeyDeclaration:
    """A key type: an ``ItemKey``, or an ``IndexKey`` with the name of its index."""

    key_type: type[BaseModel]
    name: str
    index: str | None
    fields: Mapping[str, bool]
    """The fields, and whether each may be left out."""


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


def declare_item(item_type: type[BaseModel]) -> ItemDeclaration:
    """Describe an item type, whose annotations are resolved.

    Raises:
        DeclarationError: a field or a key of it is declared wrongly.
    """
    known: ItemDeclaration | None = item_type.__dict__.get("__logicaldb_declaration__")
    if known is not None:
        return known
    fields = {name: _declare_field(item_type, name, info) for name, info in item_type.model_fields.items()}
    versions = [field.name for field in fields.values() if isinstance(field.role, Version)]
    if len(versions) > 1:
        raise DeclarationError(
            f"{item_type.__name__}: {' and '.join(versions)} are both marked Version(); keep one of them"
        )
    keys = {
        value: _declare_key(item_type, fields, value)
        for value in vars(item_type).values()
        if isinstance(value, type) and "__logicaldb_index__" in value.__dict__
    }
    declaration = ItemDeclaration(item_type, types.MappingProxyType(fields), types.MappingProxyType(keys))
    item_type.__logicaldb_declaration__ = declaration  # type: ignore[attr-defined]
    for key_type in keys:
        key_type.__logicaldb_item__ = item_type  # type: ignore[attr-defined]
    return declaration


def _declare_field(item_type: type[BaseModel], name: str, info: FieldInfo) -> FieldDeclaration:
    where = f"{item_type.__name__}.{name}"
    attribute = _only(where, info, Attribute) or Attribute()
    for misplaced in (PartitionKey, SortKey):
        if _only(where, info, misplaced) is not None:
            raise DeclarationError(
                f"{where}: {misplaced.__name__}() belongs on the raw item; "
                f"an item's field names the key attribute instead: Attribute({name!r})"
            )
    _refuse_nested(where, info.annotation)
    if attribute.name is not None and attribute.names:
        raise DeclarationError(
            f"{where}: Attribute has both name={attribute.name!r} and names={tuple(attribute.names)!r}; give one of them"
        )
    if isinstance(attribute.names, str) or len(set(attribute.names)) != len(attribute.names):
        raise DeclarationError(f"{where}: names={attribute.names!r} must be different names in a tuple")
    names = tuple(attribute.names) or (name if attribute.name is None else attribute.name,)
    if "" in names:
        raise DeclarationError(f"{where}: an attribute has an empty name; leave the name out, or write one")
    if attribute.width is not None and attribute.width < 1:
        raise DeclarationError(f"{where}: width={attribute.width} must be at least 1")
    try:
        codec = field_codec(name, info, item_type)
    except Unsupported as unsupported:
        raise DeclarationError(f"{where}: {unsupported.reason}") from None
    bare = without_none(info.annotation)[0]
    has_default = not info.is_required() and info.default_factory is None
    default = info.get_default(call_default_factory=False) if has_default else ABSENT
    role = _role(where, info, bare, default)
    if isinstance(role, TimeToLive):
        absence = Default.REQUIRED if info.is_required() else Default.NONE if default is None else Default.OTHER
        codec = FieldCodec(name, EpochSeconds(bare), nullable=codec.nullable, default=absence)
    return FieldDeclaration(name, bare, names, attribute.prefix, attribute.width, info, codec, default, role)


def _only(where: str, info: FieldInfo, kind: type) -> Any:
    """The one annotation of a kind, ``None`` where there is none."""
    found = [marker for marker in info.metadata if isinstance(marker, kind)]
    if len(found) > 1:
        raise DeclarationError(f"{where}: {kind.__name__} is given {len(found)} times; give it once")
    return found[0] if found else None


def _refuse_nested(where: str, annotation: Any) -> None:
    """An annotation of ours inside ``... | None`` or a list would silently mean nothing."""
    if get_origin(annotation) is Annotated:
        for marker in annotation.__metadata__:
            if isinstance(marker, _OURS):
                raise DeclarationError(
                    f"{where}: {type(marker).__name__} stands inside the type; "
                    f"put it outermost: Annotated[... | None, {type(marker).__name__}(...)]"
                )
    for part in get_args(annotation):
        _refuse_nested(where, part)


def _role(where: str, info: FieldInfo, bare: Any, default: Any) -> Role | None:
    roles = [marker for marker in info.metadata if isinstance(marker, Role)]
    if not roles:
        return None
    if len(roles) > 1:
        both = " and ".join(f"{type(marker).__name__}()" for marker in roles)
        raise DeclarationError(f"{where}: is marked {both}; a field has one of them")
    role: Role = roles[0]
    nullable = without_none(info.annotation)[1]
    if isinstance(role, Version):
        if bare is not int or nullable or default is ABSENT or default != 0:
            raise DeclarationError(f"{where}: a version is an int with default 0: Annotated[int, Version()] = 0")
    elif isinstance(role, Counter):
        _check_counter(where, role, bare, nullable)
    elif isinstance(role, TimeToLive):
        if bare not in (int, datetime):
            raise DeclarationError(f"{where}: a time to live is a datetime, or an int of epoch seconds")
    elif bare is not datetime:
        kind = type(role).__name__
        raise DeclarationError(
            f"{where}: {kind} is a time that the mapper sets: Annotated[datetime | None, {kind}()] = None"
        )
    return role


def _check_counter(where: str, counter: Counter, bare: Any, nullable: bool) -> None:
    if bare not in (int, Decimal) or nullable:
        raise DeclarationError(f"{where}: a counter is an int or a Decimal: Annotated[int, Counter()] = 0")
    low, high = counter.minimum, counter.maximum
    if (low is not None and counter.initial < low) or (high is not None and counter.initial > high):
        raise DeclarationError(
            f"{where}: the initial value {counter.initial} is outside the bounds minimum={low}, maximum={high}"
        )
    if bare is int and any(bound is not None and not isinstance(bound, int) for bound in (counter.initial, low, high)):
        raise DeclarationError(f"{where}: the bounds and the initial value of an int counter must be ints")


def _declare_key(item_type: type[BaseModel], fields: Mapping[str, FieldDeclaration], key_type: Any) -> KeyDeclaration:
    key_name = f"{item_type.__name__}.{key_type.__name__}"
    declared_for, base = key_type.__logicaldb_names__, key_type.__logicaldb_base__
    if base is None:
        raise DeclarationError(
            f"{key_name}: does not say whose key it is; derive it from "
            f'ItemKey["{item_type.__name__}"] or IndexKey["{item_type.__name__}"]'
        )
    if (base == "IndexKey") != (key_type.__logicaldb_index__ is not None):
        raise DeclarationError(
            f'{key_name}: {base} {"needs the name of its index" if base == "IndexKey" else "has no index"}; '
            f'write IndexKey["{item_type.__name__}"], index="..." or ItemKey["{item_type.__name__}"]'
        )
    if declared_for != item_type.__name__:
        raise DeclarationError(
            f"{key_name}: is declared as a key of {declared_for!r} inside {item_type.__name__}; "
            f'write {base}["{item_type.__name__}"]'
        )
    known = ", ".join(fields)
    optional: dict[str, bool] = {}
    for name, info in key_type.model_fields.items():
        where = f"{key_name}.{name}"
        if name not in fields:
            raise DeclarationError(f"{where}: {item_type.__name__} has no field {name!r}; its fields are {known}")
        if any(isinstance(marker, _OURS) for marker in info.metadata):
            raise DeclarationError(
                f"{where}: the field of a key has no annotation of its own; {item_type.__name__}.{name} says how it is stored"
            )
        found, nullable = without_none(info.annotation)
        expected = fields[name].type
        if found != expected:
            raise DeclarationError(
                f"{where}: is {type_text(found)}, but {item_type.__name__}.{name} is {type_text(expected)}; "
                f"write {name}: {type_text(expected)}"
            )
        if nullable and info.is_required():
            raise DeclarationError(
                f"{where}: may be None but has no default; write {name}: {type_text(expected)} | None = None"
            )
        if not info.is_required() and (not nullable or info.get_default(call_default_factory=False) is not None):
            raise DeclarationError(
                f"{where}: a field of a key has no default other than None; write {name}: {type_text(expected)} | None = None"
            )
        optional[name] = nullable
    return KeyDeclaration(key_type, key_name, key_type.__logicaldb_index__, types.MappingProxyType(optional))


def without_none(annotation: Any) -> tuple[Any, bool]:
    """The type without ``Annotated`` and ``None``, and whether it had ``None``."""
    if get_origin(annotation) is Annotated:
        return without_none(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [part for part in get_args(annotation) if part is not types.NoneType]
        if len(rest) == 1:
            return without_none(rest[0])[0], len(rest) < len(get_args(annotation))
        return reduce(operator.or_, rest), len(rest) < len(get_args(annotation))
    return annotation, False


def type_text(annotation: Any) -> str:
    """A type as a declaration writes it."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__qualname__.rpartition("<locals>.")[2]
    return str(annotation).replace("typing.", "")
