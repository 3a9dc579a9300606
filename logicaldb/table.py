"""Logical tables: what a table class declares, and the views of its instances."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Self, TypeAlias, get_args, get_origin, overload

from pydantic import BaseModel
from typing_extensions import TypeVar

from logicaldb.codec.inspection import alias_value, is_alias, is_union
from logicaldb.errors import DeclarationError, DecodingError
from logicaldb.flow import Async, M, Sync
from logicaldb.items import IndexKey, Item, ItemKey, KeyBase, RawItem, declaration_of, raw_declaration_of
from logicaldb.operations.raw import RawRows
from logicaldb.operations.reading import Source
from logicaldb.operations.times import Clock
from logicaldb.operations.writer import Writer
from logicaldb.schema.items import SCHEMA, ItemSchema, Row, hold_constants
from logicaldb.schema.keys import bind_key
from logicaldb.schema.raw import RawDeclaration, check_row
from logicaldb.schema.scopes import annotations_of, class_scope, names_for
from logicaldb.schema.tables import TableSchema
from logicaldb.schema.types import type_text
from logicaldb.schema.views import TableDeclaration, ViewDeclaration, ViewSchema, bind_view, check_time_to_live
from logicaldb.views import CollectionView, IndexView, RawView, View

if TYPE_CHECKING:
    from logicaldb.views_async import AsyncCollectionView, AsyncIndexView, AsyncRawView, AsyncView

K = TypeVar("K", bound=KeyBase[Any])
I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature
T = TypeVar("T")
R = TypeVar("R", bound=RawItem)

_TABLE: Final = "__logicaldb_table__"

Table: TypeAlias = "LogicalTable[Any, Any]"


class _DeclaredView:
    """An annotation of a table class. On an instance of the table the attribute is the view, on the class this."""

    _key_base: ClassVar[type[KeyBase[Any]]] = ItemKey
    _collection: ClassVar[bool] = False

    def __init__(self, declaration: ViewDeclaration) -> None:
        self._declaration = declaration

    if not TYPE_CHECKING:

        def __get__(self, table, owner):
            return self if table is None else table.__dict__["_views"][self._declaration.name]

    def __set__(self, table: object, value: object) -> None:
        raise AttributeError(f"{type(table).__name__}.{self._declaration.name} is a view and cannot be set")


class InlineView(_DeclaredView, Generic[K, I]):
    """Declares the view of an item type: ``album_tracks: InlineView[AlbumTrack.Key, AlbumTrack]``."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, table: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Sync], owner: Any) -> View[K, I]: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Async], owner: Any) -> AsyncView[K, I]: ...
        def __get__(self, table: Any, owner: Any) -> Any: ...


class SecondaryIndex(_DeclaredView, Generic[K, I]):
    """Declares the view of an item type in an index: ``by_title: SecondaryIndex[AlbumTrack.TitleIndexOffset, AlbumTrack]``."""

    _key_base = IndexKey

    if TYPE_CHECKING:

        @overload
        def __get__(self, table: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Sync], owner: Any) -> IndexView[K, I]: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Async], owner: Any) -> AsyncIndexView[K, I]: ...
        def __get__(self, table: Any, owner: Any) -> Any: ...


class ItemCollection(_DeclaredView, Generic[K, T]):
    """Declares the view of several types in one partition: ``albums: ItemCollection[AlbumInfo.Key, AlbumInfo | AlbumTrack]``."""

    _collection = True

    if TYPE_CHECKING:

        @overload
        def __get__(self, table: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Sync], owner: Any) -> CollectionView[K, T]: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Async], owner: Any) -> AsyncCollectionView[K, T]: ...
        def __get__(self, table: Any, owner: Any) -> Any: ...


class _Raw:
    """The raw rows of a table, of whatever type: ``db.music.raw``."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, table: None, owner: Any) -> Self: ...
        @overload
        def __get__(self, table: LogicalTable[R, Sync], owner: Any) -> RawView[R]: ...
        @overload
        def __get__(self, table: LogicalTable[R, Async], owner: Any) -> AsyncRawView[R]: ...
        def __get__(self, table: Any, owner: Any) -> Any: ...

    else:

        def __get__(self, table, owner):
            return self if table is None else table._raw


@dataclass(frozen=True, slots=True)
class _Kinds:
    """The classes of the views of one mode."""

    collection: type[Any]
    index: type[Any]
    view: type[Any]
    raw: type[Any]


def _kinds(mode: type[Sync | Async]) -> _Kinds:
    if mode is Sync:
        return _Kinds(CollectionView, IndexView, View, RawView)
    # Imported here, because who has no db that is awaited does not need them.
    from logicaldb.views_async import AsyncCollectionView, AsyncIndexView, AsyncRawView, AsyncView  # noqa: PLC0415

    return _Kinds(AsyncCollectionView, AsyncIndexView, AsyncView, AsyncRawView)


class ItemCodec(Generic[I]):
    """Rows of an item type in wire form, for streams, exports and Lambda events."""

    def __init__(self, schema: ItemSchema) -> None:
        self._schema = schema

    def encode(self, item: I) -> Row:
        """The row of an item: ``{"track_title": {"S": "Speak to Me"}, …}``.

        Raises:
            EncodingError: a value cannot be stored.
        """
        return self._schema.encode(item)

    def decode(self, row: Mapping[str, Any]) -> I:
        """The item of a row; attributes that the type does not know are left aside.

        Raises:
            DecodingError: the row is not valid for the type.
        """
        check_row(row)
        item: I = self._schema.decode(row)
        return item


class LogicalTable(Generic[R, M]):
    """A physical table with the item types that live in it.

    A subclass names the raw item, and declares its views by annotations::

        class MusicTable(LogicalTable[MusicItem]):
            album_tracks: InlineView[AlbumTrack.Key, AlbumTrack]

    ``db.music.album_tracks`` is then a view.
    """

    __logicaldb_table__: ClassVar[TableDeclaration]

    raw = _Raw()

    def __init__(self, name: str, transport: Any, clock: Clock, workers: int, mode: type[Sync | Async] = Sync) -> None:
        declaration = self.__logicaldb_table__
        self._name = name
        self._kinds = _kinds(mode)
        self._raw: Any = self._kinds.raw(RawRows(name, declaration.raw), transport)
        self._views: dict[str, Any] = {
            view.declaration.name: self._make_view(view, transport, clock, workers)
            for view in declaration.views.values()
        }

    if not TYPE_CHECKING:

        def __class_getitem__(cls, arguments):
            if cls is not LogicalTable and not cls.__parameters__:
                raise DeclarationError(
                    f"{cls.__name__}: takes no mode; derive it from LogicalTable[..., M] to write {cls.__name__}[Async]"
                )
            return super().__class_getitem__(arguments)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        scope = class_scope()
        _declare_table(cls, annotations_of(cls, scope), scope)

    @property
    def table_name(self) -> str:
        """The name of the physical table."""
        return self._name

    def item_views(self) -> Iterator[tuple[type[Item], str, Any]]:
        """The views of item types, with the types and their own names."""
        for name, view in self._views.items():
            if isinstance(view, self._kinds.view):
                item_type: Any = self.__logicaldb_table__.views[name].declaration.item_types[0]
                yield item_type, name, view

    def codec(self, item_type: type[I]) -> ItemCodec[I]:
        """The codec of an item type of this table.

        Raises:
            TypeError: the table has no such type.
        """
        for item in self.__logicaldb_table__.schema.items:
            if item.item_type is item_type:
                return ItemCodec(item)
        raise TypeError(f"{type(self).__name__} has no view of {item_type.__name__}")

    def decode(self, row: Mapping[str, Any]) -> Item:
        """The item of a row in wire form, whatever its type.

        Raises:
            DecodingError: the row is of none of the types of the table, or not valid for its own.
        """
        check_row(row)
        schema = self.__logicaldb_table__.schema
        item = schema.item_of(row)
        if item is None:
            known = ", ".join(item.name for item in schema.items)
            raise DecodingError(
                f"the row {schema.raw.key_text(row)} is none of the types of {schema.name}: {known}",
                key=schema.raw.key_of(row),
            )
        found: Item = item.decode(row)
        return found

    def _make_view(self, view: ViewSchema, transport: Any, clock: Clock, workers: int) -> Any:
        what = type(self).__name__ if view.index is None else f"the index {view.index.name!r}"
        if view.declaration.collection:
            return self._kinds.collection(_collection_source(self._name, view, what), transport)
        item = view.items[0]
        source: Source[Any, Any] = Source(
            self._name, view.index, view.key, view.items, view.marks[0], item.attributes, item.decode, what
        )
        if view.index is not None:
            return self._kinds.index(source, transport, workers)
        return self._kinds.view(source, transport, workers, Writer(self._name, item, view.key, view.marks[0], clock))


def _collection_source(physical: str, view: ViewSchema, what: str) -> Source[Any, Any]:
    choices = tuple(zip(view.items, view.marks, strict=True))

    def decode(row: Row) -> Any:
        for item, marks in choices:
            if all(mark.holds(row) for mark in marks):
                return item.decode(row)
        return None

    names = dict.fromkeys(name for item in view.items for name in item.attributes)
    names |= dict.fromkeys(mark.attribute for _, marks in choices for mark in marks)
    return Source(physical, None, view.key, view.items, (), tuple(names), decode, what)


def _declare_table(cls: type[Table], annotations: Mapping[str, Any], scope: Mapping[str, Any]) -> None:
    inherited = [vars(base)[_TABLE] for base in reversed(cls.__mro__[1:]) if _TABLE in vars(base)]
    raw = _raw_item(cls, inherited, scope)
    views = {name: view.declaration for table in inherited for name, view in table.views.items()}
    declared = {name: _read_annotation(cls.__name__, name, annotation) for name, annotation in annotations.items()}
    views |= {name: view._declaration for name, view in declared.items()}
    types_of_views = dict.fromkeys(item_type for view in views.values() for item_type in view.item_types)
    items = [_bind_item(cls.__name__, item_type, raw, scope) for item_type in types_of_views]
    schema = TableSchema(cls.__name__, raw, items)
    bound = {name: bind_view(cls.__name__, view, schema) for name, view in views.items()}
    declaration = TableDeclaration(raw, schema, types.MappingProxyType(bound))
    check_time_to_live(cls.__name__, declaration)
    for item in items:
        if SCHEMA not in vars(item.item_type):
            hold_constants(item, names_for(item.item_type, scope))
            setattr(item.item_type, SCHEMA, item)
    for name, view in declared.items():
        setattr(cls, name, view)
    setattr(cls, _TABLE, declaration)


def _raw_item(cls: type[Table], inherited: list[TableDeclaration], scope: Mapping[str, Any]) -> RawDeclaration:
    raws = [table.raw for table in inherited]
    for base in cls.__dict__.get("__orig_bases__", ()):
        if get_origin(base) is LogicalTable:
            raw_type = get_args(base)[0]
            if not (isinstance(raw_type, type) and issubclass(raw_type, RawItem)):
                raise DeclarationError(
                    f"{cls.__name__}: {type_text(raw_type)} is not a raw item; derive it from logicaldb.RawItem"
                )
            raws.append(raw_declaration_of(raw_type, scope))
    if not raws:
        raise DeclarationError(f"{cls.__name__}: names no raw item; derive it from LogicalTable[YourRawItem]")
    names = list(dict.fromkeys(raw.name for raw in raws))
    if any(raw is not raws[0] for raw in raws):
        raise DeclarationError(
            f"{cls.__name__}: derives from tables of different raw items, {' and '.join(names)}; a table has one"
        )
    return raws[0]


def _read_annotation(table: str, name: str, annotation: Any) -> _DeclaredView:
    where = f"{table}.{name}"
    kind, arguments = get_origin(annotation), get_args(annotation)
    if not (isinstance(kind, type) and issubclass(kind, _DeclaredView)):
        raise DeclarationError(
            f"{where}: is {type_text(annotation)}; a table declares InlineView[Key, Item], "
            "SecondaryIndex[IndexKey, Item] and ItemCollection[Key, ItemA | ItemB]"
        )
    if name.startswith("_") or hasattr(LogicalTable, name):
        raise DeclarationError(f"{where}: is a name that LogicalTable keeps for itself; call the view otherwise")
    key_type, contents = arguments
    if is_alias(contents):
        contents = alias_value(contents, {})
    item_types = get_args(contents) if is_union(contents) else (contents,)
    for item_type in item_types:
        if not (isinstance(item_type, type) and issubclass(item_type, Item)):
            raise DeclarationError(
                f"{where}: {type_text(item_type)} is not an item type; derive it from logicaldb.Item"
            )
    if len(item_types) > 1 and not kind._collection:
        raise DeclarationError(
            f"{where}: {kind.__name__} reads one item type, and {type_text(contents)} are {len(item_types)}; "
            "use ItemCollection"
        )
    base = kind._key_base
    if not (isinstance(key_type, type) and issubclass(key_type, base)):
        raise DeclarationError(f"{where}: {type_text(key_type)} is not an {base.__name__}, which {kind.__name__} takes")
    return kind(ViewDeclaration(name, key_type, item_types, kind._collection))


def _bind_item(table: str, item_type: type[BaseModel], raw: RawDeclaration, scope: Mapping[str, Any]) -> ItemSchema:
    known: ItemSchema | None = vars(item_type).get(SCHEMA)
    if known is None:
        item = ItemSchema(declaration_of(item_type, scope), raw)
        for key in item.declaration.keys.values():
            bind_key(key, item)
        return item
    if known.raw is not raw:
        raise DeclarationError(
            f"{table}: {item_type.__name__} is bound to the raw item {known.raw.name} by another table, and this one has "
            f"{raw.name}; an item type belongs to one raw item, so derive a class for the other, with its own keys"
        )
    return known
