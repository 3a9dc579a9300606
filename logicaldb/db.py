"""Logical databases: the tables of an application behind one client."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, get_args, get_origin, overload

from typing_extensions import TypeVar

from logicaldb.annotations import TableName
from logicaldb.drivers import Transport, run
from logicaldb.errors import DeclarationError
from logicaldb.expressions import Condition, Update
from logicaldb.items import Item, ItemKey
from logicaldb.operations.tables import create_table
from logicaldb.operations.times import Clock, utc_now
from logicaldb.schema.scopes import annotations_of, class_scope
from logicaldb.table import LogicalTable
from logicaldb.transport.boto import BotoTransport, make_client, max_connections
from logicaldb.views import View

I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature


class LogicalDb:
    """The tables of an application.

    A subclass declares them by annotations, with the names of their physical tables::

        class MusicDb(LogicalDb):
            music: Annotated[MusicTable, TableName("music_items")]

    Args:
        client: a boto3 DynamoDB client, ``boto3.client("dynamodb")``; without one, one is made in boto3's own default way.
        table_name_resolver: gives the name of a physical table for a table class and its declared name; it wins over the
            annotation.
        clock: gives the time of ``CreatedAt`` and ``UpdatedAt`` fields, aware of its zone.
    """

    __logicaldb_tables__: ClassVar[Mapping[str, tuple[type[LogicalTable[Any, Any]], str]]] = {}

    def __init__(
        self,
        client: Any = None,
        *,
        table_name_resolver: Callable[[type[Any], str], str] | None = None,
        clock: Clock = utc_now,
    ) -> None:
        if client is None:
            client = make_client()
        self._transport: Transport = BotoTransport(client)
        self._views: dict[type[Item], dict[str, View[Any, Any]]] = {}
        self._tables: dict[str, LogicalTable[Any, Any]] = {}
        for name, (table_type, declared) in self.__logicaldb_tables__.items():
            physical = declared if table_name_resolver is None else table_name_resolver(table_type, declared)
            if not isinstance(physical, str) or not physical:
                raise TypeError(
                    f"table_name_resolver gives {physical!r} for {table_type.__name__}; a table name is due"
                )
            table = table_type(physical, self._transport, clock, max_connections(client))
            self._tables[name] = table
            setattr(self, name, table)
            for item_type, view_name, view in table.item_views():
                self._views.setdefault(item_type, {}).setdefault(f"db.{name}.{view_name}", view)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        declared = dict(cls.__logicaldb_tables__)
        for name, annotation in annotations_of(cls, class_scope()).items():
            declared[name] = _read_annotation(cls.__name__, name, annotation)
        cls.__logicaldb_tables__ = declared

    def create_tables(self) -> list[str]:
        """Make the declared tables, on demand, with their indexes and their time to live; wait until they can be used.

        Tables that exist are left as they are: nothing is ever altered or deleted.

        Returns:
            The names of the tables that were made.
        """
        made = []
        for table in self._tables.values():
            declaration = table.__logicaldb_table__
            if run(create_table(table.table_name, declaration.raw, declaration.ttl_attributes), self._transport):
                made.append(table.table_name)
        return made

    def load(self, key: ItemKey[I], *, consistent_read: bool = False) -> I | None:
        """``load`` of the view of the key's item type."""
        item: I | None = self._view_of_key(key).load(key, consistent_read=consistent_read)
        return item

    def save(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """``save`` of the view of the item's type."""
        saved: I = self._view_of(type(item)).save(item, condition, idempotency_token=idempotency_token)
        return saved

    def create(self, item: I, *, idempotency_token: str | None = None) -> I:
        """``create`` of the view of the item's type."""
        created: I = self._view_of(type(item)).create(item, idempotency_token=idempotency_token)
        return created

    def put(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I:
        """``put`` of the view of the item's type."""
        stored: I = self._view_of(type(item)).put(item, condition, idempotency_token=idempotency_token)
        return stored

    def update(
        self,
        key: ItemKey[I],
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> I:
        """``update`` of the view of the key's item type."""
        updated: I = self._view_of_key(key).update(
            key,
            *updates,
            condition=condition,
            if_version=if_version,
            upsert=upsert,
            idempotency_token=idempotency_token,
        )
        return updated

    @overload
    def increment(
        self,
        key: ItemKey[Any],
        counter: int,
        by: int = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> int: ...
    @overload
    def increment(
        self,
        key: ItemKey[Any],
        counter: Decimal,
        by: Decimal | int = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Decimal: ...
    def increment(
        self,
        key: ItemKey[Any],
        counter: Any,
        by: Any = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Any:
        """``increment`` of the view of the key's item type."""
        return self._view_of_key(key).increment(key, counter, by, upsert=upsert, idempotency_token=idempotency_token)

    def delete(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> I | None:
        """``delete`` of the view of the item's type."""
        deleted: I | None = self._view_of(type(item)).delete(item, condition, idempotency_token=idempotency_token)
        return deleted

    def delete_key(
        self, key: ItemKey[I], condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> I | None:
        """``delete_key`` of the view of the key's item type."""
        deleted: I | None = self._view_of_key(key).delete_key(key, condition, idempotency_token=idempotency_token)
        return deleted

    def _view_of_key(self, key: ItemKey[Any]) -> View[Any, Any]:
        item_type: type[Item] | None = getattr(type(key), "__logicaldb_item__", None)
        if item_type is None:
            raise TypeError(f"a key is due, such as AlbumTrack.Key(...), not {type(key).__name__}")
        return self._view_of(item_type)

    def _view_of(self, item_type: type) -> View[Any, Any]:
        views = self._views.get(item_type)
        if views is None:
            name = item_type.__qualname__.rpartition("<locals>.")[2]
            if issubclass(item_type, ItemKey):
                raise TypeError(f"an item is due, and {name} is a key; load and delete_key take keys")
            raise TypeError(f"{type(self).__name__} has no view of {name}")
        if len(views) > 1:
            raise TypeError(
                f"{type(self).__name__} has several views of {item_type.__name__}; use one of them: {', '.join(views)}"
            )
        return next(iter(views.values()))


def _read_annotation(db: str, name: str, annotation: Any) -> tuple[type[LogicalTable[Any, Any]], str]:
    where = f"{db}.{name}"
    if hasattr(LogicalDb, name):
        raise DeclarationError(f"{where}: is the name of a method of LogicalDb; call the table otherwise")
    table, *markers = get_args(annotation) if get_origin(annotation) is Annotated else (annotation,)
    mode = get_args(table)
    table_type = get_origin(table) or table
    if not (isinstance(table_type, type) and issubclass(table_type, LogicalTable)):
        raise DeclarationError(f"{where}: {table!r} is not a LogicalTable")
    names = [marker.name for marker in markers if isinstance(marker, TableName)]
    if len(names) != 1 or not names[0]:
        raise DeclarationError(f'{where}: has no table name; write Annotated[{table_type.__name__}, TableName("...")]')
    if mode:
        raise DeclarationError(f"{where}: {table_type.__name__} has a mode, and a LogicalDb is always synchronous")
    return table_type, names[0]
