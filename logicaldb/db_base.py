"""What both kinds of db have in common: the tables that a class declares, bound to a client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any, ClassVar, Generic, TypeAlias, cast, get_args, get_origin

from typing_extensions import TypeVar

from logicaldb.annotations import TableName
from logicaldb.capacity import Capacity
from logicaldb.errors import DeclarationError
from logicaldb.flow import Async, Sync
from logicaldb.items import Item, ItemKey
from logicaldb.operations.pager import Pages
from logicaldb.operations.rows import Rows
from logicaldb.operations.times import Clock
from logicaldb.schema.raw import RawDeclaration
from logicaldb.schema.scopes import annotations_of, class_scope
from logicaldb.schema.types import type_text
from logicaldb.sets import several
from logicaldb.table import LogicalTable
from logicaldb.watching import Watching

U = TypeVar("U")
V = TypeVar("V")

TableNameResolver: TypeAlias = Callable[[type[Any], str], str]
"""Gives the name of a physical table for a table class and its declared name."""


class DbBase(Generic[V]):
    """The tables of an application, each with its views.

    Args:
        transport: what carries the requests, and lets them be watched.
        at_once: how many requests may be under way at once.
        table_name_resolver: gives the names of physical tables.
        clock: the time of ``CreatedAt`` and ``UpdatedAt`` fields.
    """

    __logicaldb_tables__: ClassVar[Mapping[str, tuple[type[LogicalTable[Any, Any]], str]]] = {}
    __logicaldb_mode__: ClassVar[type[Sync | Async]] = Sync

    def __init__(
        self, transport: Watching, at_once: int, table_name_resolver: TableNameResolver | None, clock: Clock
    ) -> None:
        self._watching = transport
        self._at_once = at_once
        self._clock = clock
        self._rows = Rows(type(self).__name__)
        self._views: dict[str, V] = {}
        self._tables: list[LogicalTable[Any, Any]] = []
        for name, (table_type, declared) in self.__logicaldb_tables__.items():
            physical = declared if table_name_resolver is None else table_name_resolver(table_type, declared)
            if not isinstance(physical, str) or not physical:
                raise TypeError(
                    f"table_name_resolver gives {physical!r} for {table_type.__name__}; a table name is due"
                )
            table = table_type(physical, transport, clock, at_once, self.__logicaldb_mode__)
            self._tables.append(table)
            setattr(self, name, table)
            for item_type, view_name, view in table.item_views():
                view_of_db = f"db.{name}.{view_name}"
                self._views[view_of_db] = view
                self._rows.add(item_type, view_of_db, view._writer)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__.partition(".")[0] == __name__.partition(".")[0]:
            return  # the kinds of db themselves, which have no tables
        declared = dict(cls.__logicaldb_tables__)
        for name, annotation in annotations_of(cls, class_scope()).items():
            declared[name] = _read_annotation(cls, name, annotation)
        cls.__logicaldb_tables__ = declared

    def __reduce__(self) -> tuple[Any, ...]:
        """As its class, the names of its tables, and how to make its client: those of another process have their own."""
        declared = self.__logicaldb_tables__.values()
        names = dict(zip(declared, (table.table_name for table in self._tables), strict=True))
        return _restored, (type(self), self._watching, self._at_once, names, self._clock)

    def track_capacity(self) -> AbstractContextManager[Capacity]:
        """Sum what the requests of this db consume that are made inside of a block.

        ``with db.track_capacity() as capacity:`` counts the calls of this thread or task, with every page and every
        thread or task that a call starts by itself; blocks may be inside of each other. Threads of the caller's count if
        they run in a copy of the context (``contextvars.copy_context().run``). What the service told no capacity of, as of
        an attempt that failed, is not in it.
        """
        return self._watching.track_capacity()

    def _declared(self) -> Iterator[tuple[str, RawDeclaration, Sequence[str]]]:
        """The tables as they are declared, by their physical names."""
        for table in self._tables:
            declaration = table.__logicaldb_table__
            yield table.table_name, declaration.raw, declaration.ttl_attributes

    def _pages(
        self, updates: Iterable[U], max_transaction_items: int, progress: Item | None, progress_field: str
    ) -> Pages[U]:
        """The pages of a writing pager."""
        return Pages(
            several(updates, "updates"),
            self._rows,
            max_transaction_items=max_transaction_items,
            progress=progress,
            progress_field=progress_field,
        )

    def _view_of_key(self, key: ItemKey[Any]) -> V:
        return self._views[self._rows.view_of_key(key)]

    def _view_of(self, item_type: type) -> V:
        return self._views[self._rows.view_of(item_type)]


def _restored(
    db_type: type[DbBase[Any]],
    transport: Watching,
    at_once: int,
    names: Mapping[tuple[type[LogicalTable[Any, Any]], str], str],
    clock: Clock,
) -> DbBase[Any]:
    """Unpickle a db."""
    db: Any = db_type.__new__(db_type)
    db._transport = transport
    DbBase.__init__(db, transport, at_once, lambda table, declared: names[table, declared], clock)
    return cast("DbBase[Any]", db)


def _read_annotation(db: type[DbBase[Any]], name: str, annotation: Any) -> tuple[type[LogicalTable[Any, Any]], str]:
    where = f"{db.__name__}.{name}"
    kind = next(base for base in db.__mro__ if base.__module__.partition(".")[0] == __name__.partition(".")[0])
    if hasattr(kind, name):
        raise DeclarationError(f"{where}: is the name of a method of {kind.__name__}; call the table otherwise")
    table, *markers = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    table_type = get_origin(table) or table
    if not (isinstance(table_type, type) and issubclass(table_type, LogicalTable)):
        raise DeclarationError(f"{where}: {table!r} is not a LogicalTable")
    fixed = _fixed_mode(table_type)
    mode = next(iter(get_args(table)), fixed or Sync)
    written = f"{table_type.__name__}[Async]" if db.__logicaldb_mode__ is Async else table_type.__name__
    names = [marker.name for marker in markers if isinstance(marker, TableName)]
    if len(names) != 1 or not names[0]:
        raise DeclarationError(f'{where}: has no table name; write Annotated[{written}, TableName("...")]')
    if mode not in (Sync, Async):
        raise DeclarationError(f"{where}: {type_text(mode)} is no mode; write {written}")
    if mode is not db.__logicaldb_mode__ and fixed is not None:
        raise DeclarationError(
            f"{where}: {table_type.__name__} is declared with the mode {fixed.__name__}, and {kind.__name__} has the other; "
            "declare it with M, which takes both"
        )
    if mode is not db.__logicaldb_mode__:
        found = "synchronous" if mode is Sync else "asynchronous"
        raise DeclarationError(
            f"{where}: {table_type.__name__} is {found} here, and {kind.__name__} is not; write {written}"
        )
    return table_type, names[0]


def _fixed_mode(table_type: type[LogicalTable[Any, Any]]) -> type[Sync | Async] | None:
    """The mode that a table class, or one that it derives from, is declared with; ``None`` where it takes both."""
    for base in table_type.__mro__:
        for written in vars(base).get("__orig_bases__", ()):
            for argument in get_args(written):
                if argument in (Sync, Async):
                    found: type[Sync | Async] = argument
                    return found
    return None
