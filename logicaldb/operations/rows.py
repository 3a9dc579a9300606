"""Where the rows of a db are: by the type of an item or key, the writer that knows its table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from logicaldb.errors import DuplicateItem
from logicaldb.items import Item, ItemKey, kind_of
from logicaldb.operations.writer import Writer
from logicaldb.operations.writes import Identity, Write, identity_of
from logicaldb.schema.items import Row
from logicaldb.schema.types import type_text
from logicaldb.sets import Operation, item_key


class Rows:
    """The writers of a db, by item type.

    Args:
        db: the name of the db class, for messages.
    """

    def __init__(self, db: str) -> None:
        self._db = db
        self._writers: dict[type[Item], dict[str, Writer]] = {}
        self._by_key: dict[type[ItemKey[Any]], Writer] = {}

    def add(self, item_type: type[Item], view: str, writer: Writer) -> None:
        """Take in the writer of a view."""
        self._writers.setdefault(item_type, {}).setdefault(view, writer)

    def view_of(self, item_type: type) -> str:
        """The name of the view of an item type.

        Raises:
            TypeError: there is none, or there are several.
        """
        writers = self._writers.get(item_type)
        if writers is None:
            name = type_text(item_type)
            if issubclass(item_type, ItemKey):
                raise TypeError(f"an item is due, and {name} is a key; load and delete_key take keys")
            raise TypeError(f"{self._db} has no view of {name}")
        if len(writers) > 1:
            raise TypeError(
                f"{self._db} has several views of {item_type.__name__}; use one of them: {', '.join(writers)}"
            )
        return next(iter(writers))

    def view_of_key(self, key: ItemKey[Any]) -> str:
        """The name of the view of a key's item type.

        Raises:
            TypeError: it is no key, or there is no view, or there are several.
        """
        return self.view_of(_item_type_of(key))

    def _writer(self, key: ItemKey[Any]) -> Writer:
        writer = self._by_key.get(type(key))
        if writer is None:
            item_type = _item_type_of(key)
            view = self.view_of(item_type)
            writer = self._by_key[type(key)] = self._writers[item_type][view]
        return writer

    def table_of(self, key: ItemKey[Any]) -> str:
        """The physical table of a key's item type.

        Raises:
            TypeError: it is no key, or the db has no such type.
        """
        return self._writer(key).table

    def prepare(self, operation: Operation) -> Write:
        """Prepare an operation.

        Raises:
            TypeError: something of it belongs to another item type, or the db has no such type.
            EncodingError: something of it cannot be stored.
            LimitExceeded: it comes to an expression that is too long.
        """
        writer = self._writer(operation.key)
        item = operation.item
        # Its type may have several keys, and the view has one of them.
        if item is not None and (type(operation.key), type(item)) != (writer.key.key_type, writer.item.item_type):
            operation = writer.operation(operation.kind, item, operation.condition)
        return writer.prepare(operation)

    def place(self, key: ItemKey[Any]) -> Place:
        """Where the row of a key is.

        Raises:
            TypeError: it is no key, or the db has no such type.
            IncompleteKey: the key lacks fields.
            EncodingError: a value of it cannot be stored.
        """
        writer = self._writer(item_key(key))
        return Place(key, writer, writer.key.primary(key))

    def places(self, keys: Iterable[ItemKey[Any]]) -> list[Place]:
        """Where the rows of keys are, each once; ``places_by_row`` says what is raised."""
        return list(self.places_by_row(keys).values())

    def places_by_row(self, keys: Iterable[ItemKey[Any]]) -> dict[Identity, Place]:
        """Where the rows of keys are, each once, by what tells the rows apart.

        Raises:
            TypeError: something is no key, or the db has no such type.
            IncompleteKey: a key lacks fields.
            EncodingError: a value of a key cannot be stored.
            DuplicateItem: two keys of different types are about one row.
        """
        found: dict[Identity, Place] = {}
        for key in keys:
            place = self.place(key)
            known = found.setdefault(place.identity, place)
            if known is not place and known.key != key:
                raise DuplicateItem(f"{known.key!r} and {key!r} are keys of one row")
        return found


@dataclass(slots=True)  # not frozen, for one is made for every key
class Place:
    """A key, and where its row is.

    Attributes:
        key: the key.
        writer: what knows its table and its type.
        row: the primary key.
    """

    key: ItemKey[Any]
    writer: Writer
    row: Row

    @property
    def table(self) -> str:
        """The physical table."""
        return self.writer.table

    @property
    def identity(self) -> Identity:
        """What tells the row from others."""
        return identity_of(self.table, self.row)

    def decode(self, row: Row | None) -> Item | None:
        """The item of the row, ``None`` where there is none."""
        item: Item | None = None if row is None else self.writer.item.decode(row)
        return item


def _item_type_of(key: ItemKey[Any]) -> type[Item]:
    item_type: type[Item] | None = getattr(type(key), "__logicaldb_item__", None)
    if item_type is None:
        raise TypeError(f"a key is due, such as AlbumTrack.Key(...), not {kind_of(key)}")
    return item_type


def check_distinct(writes: Iterable[Write]) -> dict[Identity, Write]:
    """Refuse two operations on one row, of whatever kind; give them by row.

    Raises:
        DuplicateItem: there are two; it names both.
    """
    known: dict[Identity, Write] = {}
    for write in writes:
        first = known.setdefault(write.identity, write)
        if first is not write:
            raise DuplicateItem(f"{first.operation} and {write.operation} are about one row")
    return known
