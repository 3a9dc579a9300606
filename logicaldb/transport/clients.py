"""DynamoDB clients: which are taken, and how the methods are called that send our requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final


def _table(table: str) -> dict[str, Any]:
    return {"TableName": table}


def _key(table: str) -> dict[str, Any]:
    return {"TableName": table, "Key": {}}


CALLS: Final[dict[str, tuple[str, Callable[[str], dict[str, Any]]]]] = {
    "GetItem": ("get_item", _key),
    "PutItem": ("put_item", lambda table: {"TableName": table, "Item": {}}),
    "UpdateItem": ("update_item", _key),
    "DeleteItem": ("delete_item", _key),
    "Query": ("query", _table),
    "Scan": ("scan", lambda table: {"TableName": table, "FilterExpression": ""}),
    "BatchGetItem": ("batch_get_item", lambda table: {"RequestItems": {table: {"Keys": [{}]}}}),
    "BatchWriteItem": ("batch_write_item", lambda table: {"RequestItems": {table: [{}]}}),
    "TransactGetItems": (
        "transact_get_items",
        lambda table: {"TransactItems": [{"Get": {"TableName": table, "Key": {}}}]},
    ),
    "TransactWriteItems": (
        "transact_write_items",
        lambda table: {"TransactItems": [{"Put": {"TableName": table, "Item": {}}}]},
    ),
    "CreateTable": (
        "create_table",
        lambda table: {
            "TableName": table,
            "AttributeDefinitions": [],
            "KeySchema": [{"AttributeName": "-", "KeyType": "HASH"}],
        },
    ),
    "DescribeTable": ("describe_table", _table),
    "UpdateTimeToLive": (
        "update_time_to_live",
        lambda table: {"TableName": table, "TimeToLiveSpecification": {"Enabled": False, "AttributeName": "-"}},
    ),
    "DescribeTimeToLive": ("describe_time_to_live", _table),
    "DeleteTable": ("delete_table", _table),
    "ListTables": ("list_tables", lambda _: {}),
}
"""The client's method for each operation, and the least parameters that pass its validation.

They hold the real table, because the rules of the endpoint read it (an ARN names an account). As far as possible they
are such that the service would refuse them, should they ever reach it: an empty key, no key condition, an empty filter.
"""


def is_awaited(client: Any) -> bool:
    """Whether a client is one of aiobotocore's."""
    return any(base.__module__.startswith("aiobotocore.") for base in type(client).__mro__)


def check_client(client: Any, needed: str, *, awaited: bool = False) -> None:
    """Refuse what is not a DynamoDB client.

    Args:
        client: what was given.
        needed: what is needed, for the message.
        awaited: whether it may be one of aiobotocore's.

    Raises:
        TypeError: it is none, or of the other kind.
    """
    meta = getattr(client, "meta", None)
    model = getattr(meta, "service_model", None)
    if model is None and is_awaited(client):
        found = "one that is not entered: async with session.create_client(...) as client"
    elif model is None:
        kind = "a boto3 resource" if hasattr(meta, "client") else "an object"
        found = f"{kind} of type {type(client).__name__}"
    elif model.service_name != "dynamodb":
        found = f"a client of {model.service_name}"
    elif is_awaited(client) and not awaited:
        found = "an aiobotocore client"
    else:
        return
    raise TypeError(f"{needed}, not {found}")
