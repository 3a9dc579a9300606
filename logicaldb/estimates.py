"""What requests will consume, as far as it can be told without sending them.

By the rules of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import ceil
from typing import Any, Final

from logicaldb.capacity import Units
from logicaldb.codec.limits import item_size as row_size
from logicaldb.items import Item
from logicaldb.schema.items import SCHEMA, ItemSchema

_READ_UNIT: Final = 4096
_WRITE_UNIT: Final = 1024
_PAGE: Final = 1024 * 1024
"""The bytes after which a page of a query or a scan ends."""


def item_size(item: Item) -> int:
    """Give the bytes of an item, names and values, as DynamoDB counts them; without entries in indexes.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html

    Raises:
        TypeError: its type is in no table.
        EncodingError: a value of it cannot be stored.
    """
    schema: ItemSchema | None = vars(type(item)).get(SCHEMA)
    if schema is None:
        raise TypeError(f"{type(item).__name__} is in no table, so it is not known how it is stored")
    return row_size(schema.encode(item))


def estimate(operation: str, body: Mapping[str, Any], assumed: int) -> Units:
    """Give the units of a request, those of indexes aside.

    Args:
        operation: the API operation.
        body: the request, in wire form.
        assumed: the bytes of a row of which the request does not say how big it is.
    """
    rule = _RULES.get(operation)
    return Units() if rule is None else rule(body, assumed)


def _reads(size: int, *, consistent: bool) -> float:
    units = max(1, ceil(size / _READ_UNIT))
    return float(units) if consistent else units / 2


def _writes(size: int) -> float:
    return float(max(1, ceil(size / _WRITE_UNIT)))


def _get(body: Mapping[str, Any], assumed: int) -> Units:
    return Units(read=_reads(assumed, consistent=bool(body.get("ConsistentRead"))))


def _page(body: Mapping[str, Any], assumed: int) -> Units:
    """A page reads as many rows as its limit says, or as a megabyte holds; they are added up before they are rounded."""
    size = min(assumed * body["Limit"], _PAGE) if "Limit" in body else _PAGE
    return Units(read=_reads(size, consistent=bool(body.get("ConsistentRead"))))


def _put(body: Mapping[str, Any], _: int) -> Units:
    return Units(write=_writes(row_size(body["Item"])))


def _update(body: Mapping[str, Any], assumed: int) -> Units:
    """The bigger of the row before and after; of these only what is sent is known."""
    values: Mapping[str, Any] = body.get("ExpressionAttributeValues", {})
    return Units(write=_writes(max(assumed, row_size({**body["Key"], **values}))))


def _delete(_: Mapping[str, Any], assumed: int) -> Units:
    return Units(write=_writes(assumed))


def _batch_get(body: Mapping[str, Any], assumed: int) -> Units:
    read = sum(
        _reads(assumed, consistent=bool(one.get("ConsistentRead"))) * len(one["Keys"])
        for one in body["RequestItems"].values()
    )
    return Units(read=read)


def _batch_write(body: Mapping[str, Any], assumed: int) -> Units:
    rows = (one for requests in body["RequestItems"].values() for one in requests)
    return Units(
        write=sum(_writes(row_size(one["PutRequest"]["Item"]) if "PutRequest" in one else assumed) for one in rows)
    )


def _transact_get(body: Mapping[str, Any], assumed: int) -> Units:
    return Units(read=2 * _reads(assumed, consistent=True) * len(body["TransactItems"]))


def _transact_write(body: Mapping[str, Any], assumed: int) -> Units:
    """Twice what the writes cost alone: to prepare and to commit."""
    actions = (action for one in body["TransactItems"] for action in one.items())
    return Units(write=sum(2 * _ACTIONS[name](action, assumed).write for name, action in actions))


Rule = Callable[[Mapping[str, Any], int], Units]

_ACTIONS: Final[Mapping[str, Rule]] = {"Put": _put, "Update": _update, "Delete": _delete, "ConditionCheck": _delete}
_RULES: Final[Mapping[str, Rule]] = {
    "GetItem": _get,
    "Query": _page,
    "Scan": _page,
    "PutItem": _put,
    "UpdateItem": _update,
    "DeleteItem": _delete,
    "BatchGetItem": _batch_get,
    "BatchWriteItem": _batch_write,
    "TransactGetItems": _transact_get,
    "TransactWriteItems": _transact_write,
}
