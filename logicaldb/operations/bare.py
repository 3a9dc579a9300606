"""A save that sets nothing: of a type of keys only, or of an item with nothing else in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from logicaldb.errors import ItemAlreadyExists, ItemNotFound
from logicaldb.expressions import Placeholders
from logicaldb.flow import Flow
from logicaldb.operations.changes import Changes
from logicaldb.operations.writes import Refusal, Write, parameters, send
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.sets import Operation


def save_of_nothing(operation: Operation, item: ItemSchema, table: str, key: Row, removed: Sequence[str]) -> Write:
    """A save that must make the row all the same.

    An update that only removes makes no row on AWS, so it is sent for an existing row, and where there is none the bare
    key is put. In a transaction, where there is one action, it is the put.

    Args:
        operation: the save.
        item: the item type, which has no version and no counters.
        table: the physical table.
        key: the primary key.
        removed: the attributes to remove.
    """
    partition = item.raw.keys.partition
    # Without one, what fails only says which of the two is due, and each may be repeated.
    unconditional = operation.condition is None

    def saved(_: Row | None) -> Any:
        return operation.item

    changes = Changes()
    there = f"attribute_exists({changes.placeholders.name(partition)})"
    for name in removed:
        changes.remove((name,))
    if not removed:
        changes.remove_nothing()
    update = Write(
        operation,
        "Update",
        table,
        key,
        parameters(operation, item, [there], changes.placeholders, changes),
        Refusal(operation, item, existing=True),
        result=saved,
        decided=unconditional,
    )

    placeholders = Placeholders()
    missing = f"attribute_not_exists({placeholders.name(partition)})"
    make = Write(
        operation,
        "Put",
        table,
        key,
        {"Item": key, **parameters(operation, item, [missing], placeholders)},
        Refusal(operation, item, create=True),
        result=saved,
        decided=unconditional,
    )

    def alone() -> Flow[Any]:
        if not removed and unconditional:
            try:
                return (yield from send(make))
            except ItemAlreadyExists:
                return operation.item
        while True:
            try:
                return (yield from send(update))
            except ItemNotFound:
                pass
            try:
                return (yield from send(make))
            except ItemAlreadyExists:  # made by another in the meantime
                pass

    return Write(
        operation,
        "Put",
        table,
        key,
        {"Item": key, **parameters(operation, item, [], Placeholders())},
        Refusal(operation, item),
        result=saved,
        alone=alone,
    )
