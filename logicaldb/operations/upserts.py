"""Updates that may make the row: what they must give, and what they write so that it is one of the type."""

from __future__ import annotations

from typing import Any

from logicaldb.annotations import CreatedAt, UpdatedAt, Version
from logicaldb.codec.keys import ABSENT, FieldRefused
from logicaldb.errors import EncodingError
from logicaldb.operations.changes import Changes
from logicaldb.operations.updates import Planned, default_of
from logicaldb.schema.items import ItemSchema
from logicaldb.sets import Operation


def check_upsert(operation: Operation, item: ItemSchema, planned: Planned, set_by_us: tuple[type, ...]) -> None:
    """Refuse an update that may make a row which is none of the type.

    Args:
        operation: the update.
        item: the item type.
        planned: what its updates come to.
        set_by_us: the roles of the fields that the mapper fills.

    Raises:
        EncodingError: a required field would be missing.
    """
    keys = {field for attribute in item.primary for field in attribute.fields}
    missing = [
        name
        for name, field in item.declaration.fields.items()
        if field.required and name not in keys and name not in planned.given and not isinstance(field.role, set_by_us)
    ]
    if missing:
        raise EncodingError(
            f"{operation}: upsert=True may make the item, but {' and '.join(missing)} would be missing; set them too"
        )


def set_defaults(item: ItemSchema, planned: Planned, changes: Changes, *, generated: bool) -> None:
    """Give a row that an upsert makes the attributes that a saved one has, so that filters and indexes find it.

    Args:
        item: the item type.
        planned: what the updates come to.
        changes: gets the defaults.
        generated: whether to write defaults that a factory makes.

    Raises:
        EncodingError: a default cannot be stored.
    """
    for name, stored in item.stored.items():
        fields = [item.declaration.fields[field] for field in stored.fields]
        if name in item.raw.keys or any(
            field.name in planned.touched or isinstance(field.role, Version | CreatedAt | UpdatedAt) for field in fields
        ):
            continue
        values: dict[str, Any] = {field.name: default_of(field, generated=generated) for field in fields}
        if any(value is ABSENT for value in values.values()):
            continue
        try:
            wire = stored.encode(values)
        except FieldRefused as refused:
            raise item.refused(refused) from None
        if wire is not None:
            changes.set_if_not_exists((name,), wire)
