"""``export workbench``: a data model that NoSQL Workbench imports, with a facet for each item type and sample rows.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/workbench.Modeler.ImportExisting.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from logicaldb.cli.outline import TableOutline, template
from logicaldb.cli.samples import Sample, samples
from logicaldb.schema.items import ItemSchema


def workbench(name: str, tables: list[TableOutline], now: datetime) -> str:
    """The data model, as JSON.

    Args:
        name: the name of the db class.
        tables: its tables.
        now: when it is made, in UTC.
    """
    made = now.strftime("%b %d, %Y, %I:%M %p")
    model = {
        "ModelName": name,
        "ModelMetadata": {
            "Author": "logicaldb",
            "DateCreated": made,
            "DateLastModified": made,
            "Description": f"The tables of {name}",
            "AWSService": "Amazon DynamoDB",
            "Version": "3.0",
        },
        "DataModel": [_table(table) for table in tables],
    }
    return json.dumps(model, indent=2, ensure_ascii=False) + "\n"


def _table(table: TableOutline) -> dict[str, Any]:
    rows = samples(table.declaration)
    request = table.raw.create_table_request(table.table_name)
    tags = {one["AttributeName"]: one["AttributeType"] for one in request["AttributeDefinitions"]}
    forms: dict[str, str] = {}
    for sample in rows:
        for name, wire in sample.row.items():
            forms.setdefault(name, next(iter(wire)))
    names = dict.fromkeys(name for item in table.items for name in item.attributes if name not in table.raw.keys)
    found: dict[str, Any] = {
        "TableName": table.table_name,
        "KeyAttributes": _keys(request["KeySchema"], tags),
        "NonKeyAttributes": [
            {"AttributeName": name, "AttributeType": tags.get(name, forms.get(name, "S"))} for name in names
        ],
        "TableFacets": [_facet(item, table, rows) for item in table.items],
        "TableData": [sample.row for sample in rows],
        "DataAccess": {"MySql": {}},
        "BillingMode": request["BillingMode"],
    }
    for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes"):
        if member in request:
            found[member] = [_index(index, tags) for index in request[member]]
    return found


def _index(index: Mapping[str, Any], tags: Mapping[str, str]) -> dict[str, Any]:
    return {
        "IndexName": index["IndexName"],
        "KeyAttributes": _keys(index["KeySchema"], tags),
        "Projection": index["Projection"],
    }


def _keys(schema: Sequence[Mapping[str, str]], tags: Mapping[str, str]) -> dict[str, Any]:
    roles = {"HASH": "PartitionKey", "RANGE": "SortKey"}
    return {
        roles[key["KeyType"]]: {"AttributeName": key["AttributeName"], "AttributeType": tags[key["AttributeName"]]}
        for key in schema
    }


def _facet(item: ItemSchema, table: TableOutline, rows: Iterable[Sample]) -> dict[str, Any]:
    aliases = dict(zip(("PartitionKeyAlias", "SortKeyAlias"), map(template, item.primary), strict=False))
    return {
        "FacetName": item.name,
        "KeyAttributeAlias": aliases,
        "NonKeyAttributes": [name for name in item.attributes if name not in table.raw.keys],
        "TableData": [sample.row for sample in rows if sample.item is item],
        "DataAccess": {"MySql": {}},
    }
