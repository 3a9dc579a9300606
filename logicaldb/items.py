"""What users derive from: raw items, items, and their keys."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic

from pydantic import BaseModel, ConfigDict
from pydantic.errors import PydanticUndefinedAnnotation
from typing_extensions import Self, TypeVar, dataclass_transform

from logicaldb.errors import DeclarationError
from logicaldb.paths import Path
from logicaldb.schema.declarations import ItemDeclaration, declare_item
from logicaldb.schema.raw import RawDeclaration, declare_raw

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

_building: ContextVar[bool] = ContextVar("_building", default=False)


class ItemMeta(ModelMetaclass):
    """Makes ``AlbumTrack.track_title`` a path, and checks a class when it is made."""

    if not TYPE_CHECKING:  # the checkers see the fields themselves, with their types

        def __new__(mcs, name, bases, namespace, **options):
            if not any(isinstance(base, ItemMeta) for base in bases):
                return super().__new__(mcs, name, bases, namespace, **options)
            _refuse_taken_names(name, bases, namespace)
            scope = _caller_scope()
            # pydantic looks for the names of annotations in the frame that called it, which is ours.
            if options.setdefault("__pydantic_reset_parent_namespace__", False) is False and scope is not None:
                namespace.setdefault("__pydantic_parent_namespace__", scope)
            with _quiet_paths():
                cls = super().__new__(mcs, name, bases, namespace, **options)
            if scope is not None:
                cls.__pydantic_parent_namespace__ = None  # it would keep the locals of a function alive
            _complete_keys(cls, {**(scope or {}), name: cls})
            if _is_complete(cls):
                cls.__logicaldb_declare__(cls)
            return cls

        def __getattr__(cls, name):
            if not _building.get():
                fields = cls.__dict__.get("__pydantic_fields__")
                if fields is not None and name in fields:
                    return Path(cls, (name,))
            return super().__getattr__(name)


@contextmanager
def _quiet_paths() -> Iterator[None]:
    """While a class is made, pydantic asks its bases for attributes named like the fields; paths are none of these."""
    token = _building.set(True)
    try:
        yield
    finally:
        _building.reset(token)


def _caller_scope() -> dict[str, Any] | None:
    """The local names where a class statement stands, ``None`` at the top of a module."""
    frame = sys._getframe(2)
    while frame.f_back is not None and (
        frame.f_code.co_name == "__new__" or frame.f_code.co_name.startswith("<generic parameters of")
    ):
        frame = frame.f_back
    return None if frame.f_code.co_name == "<module>" else dict(frame.f_locals)


def _refuse_taken_names(name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> None:
    inherited = {field for base in bases for field in getattr(base, "__pydantic_fields__", ())}
    for field in _annotated_names(namespace):
        if field in inherited or field.startswith("_") or field in _CONFIGURATION:
            continue
        taken = next((base for base in bases if isinstance(base, ItemMeta) and hasattr(base, field)), None)
        if taken is not None:
            raise DeclarationError(
                f"{name}.{field}: is the name of an attribute of {taken.__name__} itself; "
                f'call the field {field}_ and say where it is stored: Annotated[..., Attribute("{field}")]'
            )


_CONFIGURATION: Final = frozenset({"model_config"})


def _annotated_names(namespace: dict[str, Any]) -> list[str]:
    if sys.version_info >= (3, 14):
        import annotationlib  # noqa: PLC0415  (of Python 3.14)

        annotate = annotationlib.get_annotate_from_class_namespace(namespace)
        if annotate is not None:
            return list(annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF))
    return list(namespace.get("__annotations__", ()))


def _is_complete(cls: type[BaseModel]) -> bool:
    keys = _nested_keys(cls)
    return cls.__pydantic_complete__ and all(key.__pydantic_complete__ for key in keys)


def _nested_keys(cls: type[BaseModel]) -> list[type[BaseModel]]:
    return [value for value in vars(cls).values() if isinstance(value, type) and issubclass(value, KeyBase)]


def _complete_keys(cls: type[BaseModel], scope: dict[str, Any]) -> None:
    """Resolve the annotations of nested keys, which could not see the names around their item type."""
    for key in _nested_keys(cls):
        if not key.__pydantic_complete__:
            key.model_rebuild(raise_errors=False, _types_namespace={**vars(sys.modules[key.__module__]), **scope})


def complete(cls: type[BaseModel], scope: Mapping[str, Any]) -> None:
    """Resolve what annotations were left open when a class was made, with the names where its table is declared.

    Raises:
        DeclarationError: a name is not defined.
    """
    for model in (cls, *_nested_keys(cls)):
        if model.__pydantic_complete__:
            continue
        try:
            model.model_rebuild(_types_namespace={**vars(sys.modules[model.__module__]), **scope, cls.__name__: cls})
        except PydanticUndefinedAnnotation as undefined:
            name = cls.__name__ if model is cls else f"{cls.__name__}.{model.__name__}"
            raise DeclarationError(
                f"{name}: an annotation names {undefined.name!r}, which is not defined; "
                "define or import it before the table that uses the class"
            ) from None


class RawItem(BaseModel, metaclass=ItemMeta):
    """One row of a physical table: its keys, the keys of its indexes, and whatever else it holds.

    A subclass declares the key attributes, each with ``PartitionKey`` or ``SortKey``. Attributes that are not declared
    are kept as extras, with the Python values that DynamoDB itself knows.
    """

    model_config = ConfigDict(frozen=True, extra="allow", arbitrary_types_allowed=False)

    if not TYPE_CHECKING:

        @staticmethod
        def __logicaldb_declare__(cls: type[RawItem]) -> None:
            declare_raw(cls)

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

    Items are frozen and forbid fields that are not declared, unless their own ``model_config`` says otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    if not TYPE_CHECKING:

        @staticmethod
        def __logicaldb_declare__(cls: type[Item]) -> None:
            declare_item(cls)

    def replace(self, **changes: Any) -> Self:
        """A copy with some fields changed, validated as a new item is.

        Args:
            changes: the new values by field name.

        Raises:
            TypeError: there is no such field.
            pydantic.ValidationError: a value is not valid.
        """
        for name in changes:
            if name not in type(self).model_fields:
                raise TypeError(f"{type(self).__name__} has no field {name!r}")
        values = {**self.__dict__, **changes}
        copy: Self = type(self).__pydantic_validator__.validate_python(values, by_alias=False, by_name=True)
        return copy


I_co = TypeVar("I_co", bound=Item, covariant=True)


@dataclass_transform(kw_only_default=False, frozen_default=True)
class KeyMeta(ModelMetaclass):
    """Tells the checkers that keys take positional arguments."""


class _Named:
    """``ItemKey["AlbumTrack"]`` among the bases of a class: the base, and the name of the item type for a check."""

    def __init__(self, base: type, item: Any) -> None:
        self.base = base
        self.item_name = item if isinstance(item, str) else getattr(item, "__name__", repr(item))

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return (self.base,)


class KeyBase(BaseModel, Generic[I_co], metaclass=KeyMeta):
    """What item keys and index keys have in common: frozen, hashable, made of positional or named values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    if not TYPE_CHECKING:
        __logicaldb_item__: ClassVar[type[Item] | None] = None

        def __init__(self, *args, **values):
            fields = type(self).__pydantic_fields__
            if len(args) > len(fields):
                raise TypeError(f"{self.__repr_name__()} takes {len(fields)} values, but {len(args)} were given")
            for name, value in zip(fields, args, strict=False):
                if name in values:
                    raise TypeError(f"{self.__repr_name__()} got {name} twice")
                values[name] = value
            super().__init__(**values)

        def __class_getitem__(cls, item):
            return _Named(cls, item)

        def __init_subclass__(cls, *, index=None, **options):
            super().__init_subclass__(**options)
            named = [base for base in cls.__dict__.get("__orig_bases__", ()) if isinstance(base, _Named)]
            cls.__logicaldb_index__ = index
            cls.__logicaldb_names__ = named[0].item_name if named else None
            cls.__logicaldb_base__ = named[0].base.__name__ if named else None

    @classmethod
    def of(cls, item: Item) -> Self:
        """The key of an item.

        Args:
            item: an item of the type that the key belongs to.

        Raises:
            TypeError: it is of another type.
        """
        item_type = getattr(cls, "__logicaldb_item__", None)
        if item_type is None or not isinstance(item, item_type):
            expected = "no item type" if item_type is None else item_type.__name__
            raise TypeError(f"{cls.__name__} is a key of {expected}, not of {type(item).__name__}")
        return cls(**{name: getattr(item, name) for name in cls.model_fields})

    def __repr_name__(self) -> str:
        """The name with that of the item type: ``AlbumTrack.Key``."""
        return type(self).__qualname__.rpartition("<locals>.")[2]

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


def declaration_of(item_type: type[BaseModel], scope: Mapping[str, Any]) -> ItemDeclaration:
    """The declaration of an item type, its open annotations resolved with the names of a scope."""
    complete(item_type, scope)
    return declare_item(item_type)


def raw_declaration_of(raw_type: type[BaseModel], scope: Mapping[str, Any]) -> RawDeclaration:
    """The declaration of a raw item, its open annotations resolved with the names of a scope."""
    complete(raw_type, scope)
    return declare_raw(raw_type)


