"""What users derive from: raw items, items, and their keys."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from typing_extensions import Format, TypeVar, dataclass_transform, get_annotations

from logicaldb.errors import DeclarationError, IncompleteKey
from logicaldb.paths import Path
from logicaldb.schema.declarations import KEY, PRIMARY, ItemDeclaration, KeyStatement, declare_item, keys_of
from logicaldb.schema.plain import made_of, plain_types
from logicaldb.schema.raw import RawDeclaration, declare_raw
from logicaldb.schema.scopes import class_scope, complete, names_for, types_in
from logicaldb.schema.types import type_text

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

_building: ContextVar[bool] = ContextVar("_building", default=False)

_SCOPE: Final = "__pydantic_parent_namespace__"
"""Where pydantic keeps the names around a class that was made in a function."""


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(Field, PrivateAttr))
class ItemMeta(ModelMetaclass):
    """Makes ``AlbumTrack.track_title`` a path, and checks a class when it is made."""

    if not TYPE_CHECKING:  # the checkers see the fields themselves, with their types

        def __new__(mcs, name, bases, namespace, **options):
            """Make a class as pydantic makes it, and check it."""
            scope = {}
            # Pydantic looks for the names of annotations in the frame that called it, which is this one. Where it makes
            # a class itself, of a generic one or by create_model, it keeps the names of the class that it derives from.
            if "__pydantic_reset_parent_namespace__" not in options:
                options["__pydantic_reset_parent_namespace__"] = False
                scope = class_scope()
                namespace[_SCOPE] = scope or None
            with _quiet_paths():
                cls = super().__new__(mcs, name, bases, namespace, **options)
            if any(isinstance(base, ItemMeta) for base in bases):
                _finish(cls, scope)
            return cls

        def __getattr__(cls, name):  # noqa: N805 - this is a metaclass
            if name in cls.__dict__.get("__pydantic_fields__", ()) and not _building.get():
                return Path(cls, (name,))
            try:
                return super().__getattr__(name)
            except AttributeError:
                raise AttributeError(f"{cls.__name__} has no field or attribute {name!r}") from None


@contextmanager
def _quiet_paths() -> Generator[None]:
    """While a class is made, pydantic asks its bases for attributes named like the fields; paths are none of these."""
    token = _building.set(True)
    try:
        yield
    finally:
        _building.reset(token)


def _finish(cls: type[BaseModel], scope: Mapping[str, Any]) -> None:
    """Check a class as far as it is resolved; what is open is resolved where a table needs it."""
    _refuse_taken_names(cls, cls.__pydantic_fields__)
    names = names_for(cls, scope)
    keys = keys_of(cls)
    for key in keys:  # they could not see the names around their item type
        key.model_rebuild(raise_errors=False, _types_namespace=names)
    if all(model.__pydantic_complete__ for model in (cls, *keys)):
        if scope:
            setattr(cls, _SCOPE, types_in(scope))
        if issubclass(cls, RawItem):
            declare_raw(cls)
        else:
            declare_item(cls)


def _refuse_taken_names(cls: type[BaseModel], fields: Iterable[str]) -> None:
    """Refuse fields named like an attribute that every item, or every raw item, has."""
    base = RawItem if issubclass(cls, RawItem) else Item
    for field in fields:
        if not field.startswith("_") and field != "model_config" and hasattr(base, field):
            raise DeclarationError(
                f"{cls.__name__}.{field}: is the name of an attribute of {base.__name__} itself; call the field {field}_ "
                f'and say where it is stored: {field}_: Annotated[..., Attribute("{field}")]'
            )


def _own_annotations(cls: type[BaseModel]) -> Mapping[str, Any]:
    return get_annotations(cls, format=Format.FORWARDREF)


class RawItem(BaseModel, metaclass=ItemMeta):
    """One row of a physical table: its keys, the keys of its indexes, and whatever else it holds.

    A subclass declares the key attributes, each with ``PartitionKey`` or ``SortKey``. Attributes that are not declared
    are kept as extras, with the Python values that DynamoDB itself knows.
    """

    model_config = ConfigDict(frozen=True, extra="allow", hide_input_in_errors=True)

    if not TYPE_CHECKING:

        def __init_subclass__(cls, **options):
            super().__init_subclass__(**options)
            _refuse_taken_names(cls, _own_annotations(cls))  # before pydantic warns of them

    @classmethod
    def create_table_request(cls, name: str) -> dict[str, Any]:
        """The request that makes the table as it is declared, on demand, with its local and global indexes.

        Args:
            name: the name of the physical table.

        Returns:
            The parameters of ``CreateTable``, for a boto3 client.
        """
        return declare_raw(cls).create_table_request(name)


class Item(BaseModel, metaclass=ItemMeta):
    """A type of item: its fields and, nested, its key types.

    Items are frozen, forbid fields that are not declared, and keep their values out of pydantic's error messages, unless
    their own ``model_config`` says otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    if not TYPE_CHECKING:

        def __init_subclass__(cls, **options):
            super().__init_subclass__(**options)
            _refuse_taken_names(cls, _own_annotations(cls))  # before pydantic warns of them

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated as a new item is.

        Args:
            changes: the new values by field name.

        Raises:
            TypeError: there is no such field.
            pydantic.ValidationError: a value is not valid.
        """
        cls = type(self)
        for name in changes:
            if name not in cls.__pydantic_fields__:
                raise TypeError(f"{cls.__name__} has no field {name!r}")
        fields = {name: value for name, value in self.__dict__.items() if name in cls.__pydantic_fields__}
        values = {**fields, **(self.__pydantic_extra__ or {}), **changes}
        copy: Self = cls.__pydantic_validator__.validate_python(values, by_alias=False, by_name=True)
        return copy


I_co = TypeVar("I_co", bound=Item, covariant=True)


@dataclass_transform(kw_only_default=False, frozen_default=True, field_specifiers=(Field, PrivateAttr))
class KeyMeta(ModelMetaclass):
    """Tells the checkers that keys take positional arguments."""


class _Named:
    """``ItemKey["AlbumTrack"]`` among the bases of a class: the base, and the name of the item type for a check."""

    def __init__(self, base: type, item: Any) -> None:
        self.base = base
        self.item = item if isinstance(item, str) else getattr(item, "__name__", repr(item))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (self.base,)

    def __or__(self, other: Any) -> Any:
        """``ItemKey[Any] | None``, where it is evaluated."""
        return self.base | (other.base if isinstance(other, _Named) else other)

    def __ror__(self, other: Any) -> Any:
        """``None | ItemKey[Any]``, where it is evaluated."""
        return other | self.base


class KeyBase(BaseModel, Generic[I_co], metaclass=KeyMeta):
    """What item keys and index keys have in common: frozen, hashable, made of positional or named values."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    if not TYPE_CHECKING:
        __logicaldb_item__: ClassVar[type[Item] | None] = None

        def __init__(self, *args, **values):
            fields = type(self).__pydantic_fields__
            if len(args) > len(fields):
                raise TypeError(
                    f"{self.__repr_name__()} takes {len(fields)} values ({', '.join(fields)}), "
                    f"but {len(args)} were given"
                )
            for name, value in zip(fields, args, strict=False):
                if name in values:
                    raise TypeError(f"{self.__repr_name__()} got {name} twice, by position and by name")
                values[name] = value
            self.__pydantic_validator__.validate_python(values, self_instance=self, by_alias=False, by_name=True)

        # Validation of nested keys need not come through here, since it gives names alone.
        __init__.__pydantic_base_init__ = True

        def __class_getitem__(cls, item):
            return _Named(cls, item)

        def __init_subclass__(cls, *, index=None, **options):
            super().__init_subclass__(**options)
            for field in _own_annotations(cls):
                if hasattr(KeyBase, field) and not field.startswith("_") and field != "model_config":
                    raise DeclarationError(
                        f"{type_text(cls)}.{field}: is the name of an attribute of keys themselves; call the field {field}_ "
                        f'here and in the item type, where it is {field}_: Annotated[..., Attribute("{field}")]'
                    )
            named = next((base for base in cls.__dict__.get("__orig_bases__", ()) if isinstance(base, _Named)), None)
            statement = (None, None) if named is None else (named.base.__name__, named.item)
            setattr(cls, KEY, KeyStatement(*statement, index))

    @classmethod
    def of(cls, item: Item) -> Self:
        """The key of an item.

        Args:
            item: an item of the type that the key belongs to.

        Raises:
            TypeError: it is of another type.
            IncompleteKey: it lacks a part of the key, so it is not in the index.
        """
        item_type: type[Item] | None = getattr(cls, "__logicaldb_item__", None)
        if item_type is None or (type(item) is not item_type and not isinstance(item, item_type)):
            expected = "no item type yet" if item_type is None else item_type.__name__
            raise TypeError(f"{type_text(cls)} is a key of {expected}, not of {type(item).__name__}")
        values: dict[str, Any] = {}
        as_they_are = True
        for name, kind in plain_types(cls, KeyBase).items():
            value = getattr(item, name)
            if value is None:
                raise IncompleteKey(f"{type_text(cls)}: {name} of the item is None, so it has no such key")
            as_they_are = as_they_are and type(value) is kind
            values[name] = value
        return made_of(cls, values) if as_they_are else cls(**values)

    def __repr_name__(self) -> str:
        """The name with that of the item type: ``AlbumTrack.Key``."""
        return type_text(type(self))

    def __str__(self) -> str:
        return repr(self)


class ItemKey(KeyBase[I_co]):
    """The primary key of an item type: ``class Key(ItemKey["AlbumTrack"])`` inside it.

    It has every field of the primary key except constants. A trailing field that is optional and left out makes a
    partial key, good for ``BeginsWith``.
    """


class IndexKey(KeyBase[I_co]):
    """The key of an item type in an index: ``class TitleIndexOffset(IndexKey["AlbumTrack"], index="…")`` inside it.

    It has the fields of the index key, and may have those of the primary key, which an offset made by hand needs.
    """

    if TYPE_CHECKING:

        def __init_subclass__(cls, *, index: str | None = None) -> None: ...


def kind_of(value: object) -> str:
    """What a value is that should have been an item or a key, for messages."""
    if isinstance(value, type):
        return f"the class {type_text(value)}"
    return f"{type_text(type(value))}{', the key of an index' if isinstance(value, IndexKey) else ''}"


def primary_key_of(item: Item) -> ItemKey[Any]:
    """The primary key of an item.

    Raises:
        TypeError: it is no item, or its type has no ``ItemKey``.
    """
    key_type: type[ItemKey[Any]] | None = vars(type(item)).get(PRIMARY)
    if key_type is None:
        if not isinstance(item, Item):
            raise TypeError(f"an item is due, such as AlbumTrack(...), not {kind_of(item)}")
        key_type = _first_key_type(type(item))
    return key_type.of(item)


def _first_key_type(item_type: type[Item]) -> type[ItemKey[Any]]:
    """The first key type in the class statement of an item type; it is looked for once."""
    for key_type in keys_of(item_type):
        if issubclass(key_type, ItemKey):
            setattr(item_type, PRIMARY, key_type)
            return key_type
    raise TypeError(f"{item_type.__name__} has no key type; declare class Key(ItemKey[...]) inside it")


def declaration_of(item_type: type[BaseModel], scope: Mapping[str, Any]) -> ItemDeclaration:
    """The declaration of an item type, its open annotations resolved with the names of a scope.

    Raises:
        DeclarationError: a name is not defined, or the type is declared wrongly.
    """
    _complete(item_type, scope)
    return declare_item(item_type)


def raw_declaration_of(raw_type: type[BaseModel], scope: Mapping[str, Any]) -> RawDeclaration:
    """The declaration of a raw item, its open annotations resolved with the names of a scope.

    Raises:
        DeclarationError: a name is not defined, or the raw item is declared wrongly.
    """
    _complete(raw_type, scope)
    return declare_raw(raw_type)


def _complete(cls: type[BaseModel], scope: Mapping[str, Any]) -> None:
    names = names_for(cls, scope)
    for model in (cls, *keys_of(cls)):
        complete(model, type_text(model), names)
