"""Logical tables: what a table class declares, and the views of its instances."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeAlias, get_args, get_origin, overload

from typing_extensions import TypeVar

from logicaldb.codec.inspection import is_union
from logicaldb.drivers import Transport
from logicaldb.errors import DeclarationError
from logicaldb.flow import Async, M, Sync
from logicaldb.items import IndexKey, Item, ItemKey, KeyBase, RawItem, declaration_of, raw_declaration_of
from logicaldb.operations.raw import RawRows
from logicaldb.operations.reading import Source
from logicaldb.operations.times import Clock
from logicaldb.operations.writer import Writer
from logicaldb.schema.items import SCHEMA, ItemSchema, Row, hold_constants
from logicaldb.schema.keys import bind_key
from logicaldb.schema.raw import RawDeclaration
from logicaldb.schema.scopes import annotations_of as annotations_of
from logicaldb.schema.scopes import class_scope as class_scope
from logicaldb.schema.scopes import names_for
from logicaldb.schema.tables import TableSchema
from logicaldb.schema.types import type_text
from logicaldb.schema.views import TableDeclaration, ViewDeclaration, ViewSchema, bind_view, check_time_to_live
from logicaldb.views import CollectionView, IndexView, RawView, View

K = TypeVar("K", bound=KeyBase[Any])
I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature
T = TypeVar("T")
R = TypeVar("R", bound=RawItem)

Table: TypeAlias = "LogicalTable[Any, Any]"


class _DeclaredView:
    """An annotation of a table class. On an instance of the table the attribute is the view, on the class this."""

    _key_base: ClassVar[type[KeyBase[Any]]] = ItemKey
    _collection: ClassVar[bool] = False

    def __init__(self, declaration: ViewDeclaration) -> None:
        self.declaration = declaration

    if not TYPE_CHECKING:

        def __get__(self, table, owner):
            return self if table is None else table.__dict__["_views"][self.declaration.name]

    def __set__(self, table: object, value: object) -> None:
        raise AttributeError(f"{type(table).__name__}.{self.declaration.name} is a view and cannot be set")


class InlineView(_DeclaredView, Generic[K, I]):
    """Declares the view of an item type: ``album_tracks: InlineView[AlbumTrack.Key, AlbumTrack]``."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, table: LogicalTable[Any, Sync], owner: Any) -> View[K, I]: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Async], owner: Any) -> Any: ...
        def __get__(self, table: Any, owner: Any) -> Any: ...


class SecondaryIndex(_DeclaredView, Generic[K, I]):
    """Declares the view of an item type in an index: ``by_title: SecondaryIndex[AlbumTrack.TitleIndexOffset, AlbumTrack]``."""

    _key_base = IndexKey

    if TYPE_CHECKING:

        @overload
        def __get__(self, table: LogicalTable[Any, Sync], owner: Any) -> IndexView[K, I]: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Async], owner: Any) -> Any: ...
        def __get__(self, table: Any, owner: Any) -> Any: ...


class ItemCollection(_DeclaredView, Generic[K, T]):
    """Declares the view of several types in one partition: ``albums: ItemCollection[AlbumInfo.Key, AlbumInfo | AlbumTrack]``."""

    _collection = True

    if TYPE_CHECKING:

        @overload
        def __get__(self, table: LogicalTable[Any, Sync], owner: Any) -> CollectionView[K, T]: ...
        @overload
        def __get__(self, table: LogicalTable[Any, Async], owner: Any) -> Any: ...
        def __get__(self, table: Any, owner: Any) -> Any: ...


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

    def __init__(self, name: str, transport: Transport, clock: Clock, workers: int) -> None:
        declaration = self.__logicaldb_table__
        self._name = name
        self._raw: RawView[R] = RawView(RawRows(name, declaration.raw), transport)
        self._views: dict[str, Any] = {
            view.declaration.name: _make_view(type(self).__name__, name, view, transport, clock, workers)
            for view in declaration.views.values()
        }

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        scope = class_scope()
        _declare_table(cls, annotations_of(cls, scope), scope)

    @property
    def table_name(self) -> str:
        """The name of the physical table."""
        return self._name

    @property
    def raw(self) -> RawView[R]:
        """The raw rows, of whatever type."""
        return self._raw

    def item_views(self) -> Iterator[tuple[type[Item], str, View[Any, Any]]]:
        """The views of item types, with the types and their own names."""
        for name, view in self._views.items():
            if isinstance(view, View):
                yield view.item_type, name, view

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
        schema = self.__logicaldb_table__.schema
        item = schema.item_of(row)
        if item is None:
            first = schema.items[0]
            known = ", ".join(item.name for item in schema.items)
            raise DecodingError(
                f"the row {first.key_text(row)} is none of the types of {schema.name}: {known}", key=first.key_of(row)
            )
        found: Item = item.decode(row)
        return found


def _make_view(
    table: str, physical: str, view: ViewSchema, transport: Transport, clock: Clock, workers: int
) -> Any:
    what = table if view.index is None else f"the index {view.index.name!r}"
    if isinstance(view.declared, ItemCollection):
        return CollectionView(_collection_source(physical, view, what), transport)
    item = view.items[0]
    source: Source[Any, Any] = Source(
        physical, view.index, view.key, view.items, view.marks[0], item.attributes, item.decode, what
    )
    if isinstance(view.declared, SecondaryIndex):
        return IndexView(source, transport, workers)
    return View(source, transport, workers, Writer(physical, item, view.key, clock))


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


def class_scope() -> dict[str, Any]:
    """The local names where a class statement stands; none at the top of a module, whose names are its globals."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_name == "__init_subclass__":
        frame = frame.f_back
    return {} if frame.f_code.co_name == "<module>" else dict(frame.f_locals)


def annotations_of(cls: type, scope: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations of a class statement, resolved as pydantic resolves those of its models.

    Raises:
        DeclarationError: a name in them is not defined.
    """
    try:
        return dict(
            get_annotations(
                cls, globals=vars(sys.modules[cls.__module__]), locals={**scope, **vars(cls)}, eval_str=True
            )
        )
    except NameError as undefined:
        raise DeclarationError(
            f"{cls.__name__}: an annotation names {undefined.name!r}, which is not defined; define or import it before"
        ) from None


def _declare_table(cls: type[LogicalTable[Any, Any]], scope: Mapping[str, Any]) -> TableDeclaration:
    inherited: TableDeclaration | None = getattr(cls, "__logicaldb_table__", None)
    raw_type = _raw_type(cls)
    if raw_type is None:
        if inherited is None:
            raise DeclarationError(f"{cls.__name__}: names no raw item; derive it from LogicalTable[MyRawItem]")
        raw = inherited.raw
    else:
        raw = raw_declaration_of(raw_type, scope)
    declared = {} if inherited is None else {name: view.declared for name, view in inherited.views.items()}
    for name, annotation in annotations_of(cls, scope).items():
        if get_origin(annotation) is not ClassVar and annotation is not ClassVar:
            declared[name] = _read_annotation(cls.__name__, name, annotation)
    items: dict[type[Item], ItemSchema] = {}
    for view in declared.values():
        for item_type in view.item_types:
            items.setdefault(item_type, _bind_item(cls.__name__, item_type, raw, scope))
    schema = TableSchema(cls.__name__, raw, items.values())
    views = {name: _bind_view(cls.__name__, view, items, schema) for name, view in declared.items()}
    declaration = TableDeclaration(raw, schema, types.MappingProxyType(views))
    if len(declaration.ttl_attributes) > 1:
        raise DeclarationError(
            f"{cls.__name__}: has several attributes marked TimeToLive(): {', '.join(declaration.ttl_attributes)}; "
            "a table has one, so store them under one name: Attribute(name)"
        )
    for item_type, item in items.items():
        if "__logicaldb_schema__" not in vars(item_type):
            for name, value in item.constants.items():
                hold_constant(item_type, name, value)
            item_type.__logicaldb_schema__ = item  # type: ignore[attr-defined]  # ours, and none of pydantic's
    for name, view in declared.items():
        setattr(cls, name, view)
    return declaration


def _raw_type(cls: type) -> type[RawItem] | None:
    for base in types.get_original_bases(cls) if sys.version_info >= (3, 12) else cls.__dict__.get("__orig_bases__", ()):
        origin = get_origin(base)
        if isinstance(origin, type) and issubclass(origin, LogicalTable):
            raw_type = get_args(base)[0]
            if isinstance(raw_type, type) and issubclass(raw_type, RawItem):
                return raw_type
            if origin is LogicalTable:
                raise DeclarationError(f"{cls.__name__}: {raw_type!r} is no raw item; derive it from RawItem")
    return None


def _read_annotation(table: str, name: str, annotation: Any) -> _Declared:
    where = f"{table}.{name}"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not (isinstance(origin, type) and issubclass(origin, _Declared)) or len(arguments) != 2:
        raise DeclarationError(
            f"{where}: is {annotation!r}; a table declares InlineView[Key, Item], SecondaryIndex[IndexKey, Item] and "
            "ItemCollection[Key, ItemA | ItemB]"
        )
    key_type, contents = arguments
    item_types = get_args(contents) if get_origin(contents) in (Union, types.UnionType) else (contents,)
    for item_type in item_types:
        if not (isinstance(item_type, type) and issubclass(item_type, Item)):
            raise DeclarationError(f"{where}: {_name_of(item_type)} is not an Item; derive it from logicaldb.Item")
    expected = IndexKey if issubclass(origin, SecondaryIndex) else ItemKey
    if not (isinstance(key_type, type) and issubclass(key_type, expected)):
        raise DeclarationError(
            f"{where}: {_name_of(key_type)} is not an {expected.__name__}, which {origin.__name__} takes"
        )
    return origin(name, key_type, item_types)


def _name_of(found: Any) -> str:
    return str(getattr(found, "__qualname__", found)).rpartition("<locals>.")[2]


def _bind_item(
    table: str, item_type: type[Item], raw: RawDeclaration, scope: Mapping[str, Any]
) -> ItemSchema:
    known: ItemSchema | None = vars(item_type).get("__logicaldb_schema__")
    if known is None:
        return ItemSchema(declaration_of(item_type, scope), raw)
    if known.raw is not raw:
        raise DeclarationError(
            f"{table}: {item_type.__name__} is bound to the raw item {known.raw.name} by another table, and this one has "
            f"{raw.name}; an item type belongs to one raw item: derive a class for the other"
        )
    return known


def _bind_view(
    table: str, declared: _Declared, items: Mapping[type[Item], ItemSchema], schema: TableSchema
) -> ViewSchema:
    where = f"{table}.{declared.name}"
    own = tuple(items[item_type] for item_type in declared.item_types)
    holder = next((item for item in own if declared.key_type in item.declaration.keys), None)
    if holder is None:
        names = " or ".join(item.name for item in own)
        raise DeclarationError(
            f"{where}: {_name_of(declared.key_type)} is not a key of {names}; declare it inside that class"
        )
    key = bind_key(holder.declaration.keys[declared.key_type], holder)
    if isinstance(declared, ItemCollection):
        check_collection(table, declared.name, key.partition, own)
        return ViewSchema(declared, key, own, tuple(schema.marks(item) for item in own))
    if key.index is not None:
        check_projection(table, declared.name, own[0], key.index)
    return ViewSchema(declared, key, own, (schema.marks(own[0], key.index),))

