"""The progress of a writing pager across runs: an item that is saved with each page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from logicaldb.items import Item, kind_of, primary_key_of
from logicaldb.operations import transactions
from logicaldb.operations.rows import Rows
from logicaldb.sets import TransactionWriteSet

_LONGEST_NUMBER: Final = 21
"""Bytes; an item that counts further may be so much longer."""


@dataclass(frozen=True, slots=True)
class Progress:
    """An item of the caller's that counts the updates applied, across runs.

    Attributes:
        item: the item, as it is stored.
        field: its field that counts.
        version: its version field.
    """

    item: Item
    field: str
    version: str

    @property
    def applied(self) -> int:
        """How many updates are applied."""
        count: int = getattr(self.item, self.field)
        return count

    def save(self, writes: TransactionWriteSet, number: int) -> Progress:
        """Save it with so many more updates, and give it as it will be stored."""
        item = self.item.replace(**{self.field: self.applied + number})
        writes.save(item)
        version: int = getattr(item, self.version)
        return replace(self, item=item.model_copy(update={self.version: version + 1}))

    def most_bytes(self, rows: Rows) -> int:
        """The bytes that it may take in a transaction."""
        writes = TransactionWriteSet()
        self.save(writes, 0)
        return sum(transactions.bytes_of(rows.prepare(one)) for one in writes.operations) + _LONGEST_NUMBER


def progress_of(item: Item, field: str, rows: Rows) -> Progress:
    """Take an item that is to count updates.

    Raises:
        TypeError: it is no item of the db, or lacks a field that can count, or a version.
    """
    if not isinstance(item, Item):
        raise TypeError(f"progress is an item that counts the updates applied, not {kind_of(item)}")
    place = rows.place(primary_key_of(item))
    schema = place.writer.item
    declared = schema.declaration.fields.get(field)
    if declared is None or declared.type is not int or declared.nullable:
        raise TypeError(
            f"progress: {schema.name} has no int field {field!r}; declare one, or name it by progress_field"
        )
    if declared.role is not None or not place.row.keys().isdisjoint(declared.attributes):
        kind = "part of the key" if declared.role is None else f"a {type(declared.role).__name__}()"
        raise TypeError(
            f"progress: {schema.name}.{field} is {kind}; declare another int field that counts, and name it by "
            "progress_field"
        )
    if schema.version is None:
        raise TypeError(
            f"progress: {schema.name} has no Version() field, which keeps two runs from meeting; declare one"
        )
    return Progress(item, field, schema.version.name)
