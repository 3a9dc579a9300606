"""The size of an item as DynamoDB counts it: with the entries that it makes in the local indexes."""

from __future__ import annotations

from collections.abc import Callable

from logicaldb.codec.limits import MAX_ITEM_BYTES, item_size
from logicaldb.errors import EncodingError
from logicaldb.schema.items import Row
from logicaldb.schema.raw import Index, RawDeclaration


def most_copies(raw: RawDeclaration) -> int:
    """How many times a row counts at most: itself, and an entry in each local index, which is never larger."""
    return 1 + sum(1 for index in raw.indexes.values() if index.local)


def check_size(raw: RawDeclaration, row: Row, name_of: Callable[[str], str]) -> None:
    """Refuse a row that is too big.

    Args:
        raw: the raw item of its table.
        row: the row.
        name_of: gives the name of an attribute as messages show it.

    Raises:
        EncodingError: it is too big; its largest attribute is named.
    """
    size = own = item_size(row)
    local = [index for index in raw.indexes.values() if index.local]
    if own * (1 + len(local)) <= MAX_ITEM_BYTES:
        return
    for index in local:
        if all(name in row for name in index.keys):
            size += item_size(_entry(index, row))
    if size > MAX_ITEM_BYTES:
        largest = max(row, key=lambda name: item_size({name: row[name]}))
        entries = f" ({size - own} of them in local indexes)" if size > own else ""
        raise EncodingError(
            f"{name_of(largest)}: is the largest field of an item of {size} bytes{entries}; the limit is {MAX_ITEM_BYTES}"
        )


def _entry(index: Index, row: Row) -> Row:
    """What of a row counts as its entry in an index.

    Where the index does not project everything, the sort key of the table is not counted, though it is there: so measured
    on DynamoDB Local.
    """
    if index.projection == "ALL":
        return row
    names = {*index.keys, *(() if index.projection == "KEYS_ONLY" else index.projection)}
    return {name: wire for name, wire in row.items() if name in names}
