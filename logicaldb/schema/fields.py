"""What one field of an item type says: where it is stored, in which form, and what the mapper does with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from logicaldb.annotations import Attribute, PartitionKey, SortKey, TableName, TimeToLive
from logicaldb.codec.fields import MISSING, Default, FieldCodec
from logicaldb.codec.keys import ABSENT
from logicaldb.codec.limits import MAX_PARTITION_KEY_BYTES
from logicaldb.codec.scope import scope_of
from logicaldb.codec.times import EpochSeconds
from logicaldb.codec.types import field_codec
from logicaldb.codec.unions import OptionalCodec
from logicaldb.codec.values import Unsupported, ValueCodec
from logicaldb.errors import DeclarationError
from logicaldb.schema.roles import Role, role_of
from logicaldb.schema.types import check_markers, without_none


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

    @property
    def textual(self) -> bool:
        """Whether it is written as text, whatever its type."""
        return bool(self.prefix) or self.width is not None

    @property
    def forms(self) -> frozenset[str]:
        """What an attribute of its own holds, where it is there."""
        if self.textual:
            return frozenset("S")
        writes_null = self.nullable and self.codec.encode(None) is not None
        return self.values.forms | {"NULL"} if writes_null else self.values.forms


def declare_field(item_type: type[BaseModel], name: str) -> FieldDeclaration:
    """Describe a field of an item type.

    Raises:
        DeclarationError: it is declared wrongly.
    """
    info = item_type.model_fields[name]
    where = f"{item_type.__name__}.{name}"
    check_markers(where, info)
    _refuse_misplaced(where, info, name)
    attribute = only_marker(where, info, Attribute) or Attribute()
    names = _attribute_names(where, attribute, name)
    _check_text(where, attribute)
    try:
        codec = field_codec(name, info, item_type)
        bare = without_none(info.annotation, scope_of(item_type).namespace)[0]
    except Unsupported as unsupported:
        raise DeclarationError(f"{where}: {unsupported.reason}") from None
    has_default = not info.is_required() and info.default_factory is None
    default = info.get_default(call_default_factory=False) if has_default else ABSENT
    role = role_of(where, info, bare, default, nullable=codec.nullable)
    if role is not None and (len(names) > 1 or attribute.prefix or attribute.width is not None):
        raise DeclarationError(
            f"{where}: is marked {type(role).__name__}(), which is stored in one attribute as it is; "
            "remove names, prefix and width from its Attribute(...)"
        )
    if isinstance(role, TimeToLive):
        absence = Default.REQUIRED if info.is_required() else Default.NONE if default is None else Default.OTHER
        seconds = EpochSeconds(bare)
        codec = FieldCodec(
            name, OptionalCodec(seconds) if codec.nullable else seconds, nullable=codec.nullable, default=absence
        )
    return FieldDeclaration(name, bare, names, attribute.prefix, attribute.width, info, codec, default, role)


def only_marker(where: str, info: FieldInfo, kind: type) -> Any:
    """The one annotation of a kind, ``None`` where there is none.

    Raises:
        DeclarationError: there are several.
    """
    found = [marker for marker in info.metadata if isinstance(marker, kind)]
    if len(found) > 1:
        raise DeclarationError(f"{where}: {kind.__name__} is given {len(found)} times; give it once")
    return found[0] if found else None


def _refuse_misplaced(where: str, info: FieldInfo, name: str) -> None:
    for marker in info.metadata:
        if isinstance(marker, PartitionKey | SortKey):
            raise DeclarationError(
                f"{where}: {type(marker).__name__}() belongs on the raw item; "
                f'the field of an item type names the key attribute instead: Attribute("{name}")'
            )
        if isinstance(marker, TableName):
            raise DeclarationError(f"{where}: TableName() belongs on the attribute of a LogicalDb; remove it here")


def _attribute_names(where: str, attribute: Attribute, field: str) -> tuple[str, ...]:
    if attribute.name is not None and attribute.names:
        raise DeclarationError(
            f"{where}: Attribute has both name={attribute.name!r} and names={attribute.names!r}; give one of them"
        )
    if isinstance(attribute.names, str):
        raise DeclarationError(
            f'{where}: names={attribute.names!r} is a str; write names=("{attribute.names}", ...), '
            f'or Attribute("{attribute.names}") for one attribute'
        )
    names = tuple(attribute.names) or (field if attribute.name is None else attribute.name,)
    for name in names:
        if not isinstance(name, str) or not name:
            raise DeclarationError(f"{where}: {name!r} is not the name of an attribute; write one, or leave it out")
        if names.count(name) > 1:
            raise DeclarationError(f"{where}: names={attribute.names!r} has {name!r} twice; give it once")
    return names


def _check_text(where: str, attribute: Attribute) -> None:
    if not isinstance(attribute.prefix, str):
        raise DeclarationError(f"{where}: prefix={attribute.prefix!r} is not a str; a prefix is text")
    width = attribute.width
    if width is None:
        return
    if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= MAX_PARTITION_KEY_BYTES:
        raise DeclarationError(
            f"{where}: width={width!r} is not a number of digits from 1 to {MAX_PARTITION_KEY_BYTES}, "
            "which is what a string key can hold"
        )
