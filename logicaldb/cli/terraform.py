"""``export terraform``: a resource for each table.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/dynamodb_table
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from logicaldb.cli.outline import TableOutline


def terraform(tables: list[TableOutline]) -> str:
    """The resources, in Terraform's own language."""
    return "\n".join("\n".join(_resource(table)) + "\n" for table in tables)


def _resource(table: TableOutline) -> Iterator[str]:
    request = table.raw.create_table_request(table.table_name)
    yield f'resource "aws_dynamodb_table" {_text(re.sub(r"[^A-Za-z0-9_]", "_", table.attribute))} {{'
    yield from _attributes(
        {"name": request["TableName"], "billing_mode": request["BillingMode"], **_key(request["KeySchema"])}, "  "
    )
    for definition in request["AttributeDefinitions"]:
        yield from _block("attribute", {"name": definition["AttributeName"], "type": definition["AttributeType"]})
    for member, kind in (("GlobalSecondaryIndexes", "global"), ("LocalSecondaryIndexes", "local")):
        for index in request.get(member, ()):
            yield from _block(f"{kind}_secondary_index", _index(index, local=kind == "local"))
    for attribute in table.declaration.ttl_attributes:
        yield from _block("ttl", {"attribute_name": attribute, "enabled": True})
    yield "}"


def _index(index: Mapping[str, Any], *, local: bool) -> dict[str, Any]:
    key = _key(index["KeySchema"])
    if local:
        del key["hash_key"]  # it is that of the table
    found = {"name": index["IndexName"], **key, "projection_type": index["Projection"]["ProjectionType"]}
    names = index["Projection"].get("NonKeyAttributes")
    return {**found, "non_key_attributes": names} if names else found


def _key(schema: Sequence[Mapping[str, str]]) -> dict[str, str]:
    roles = {"HASH": "hash_key", "RANGE": "range_key"}
    return {roles[key["KeyType"]]: key["AttributeName"] for key in schema}


def _block(name: str, attributes: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    yield f"  {name} {{"
    yield from _attributes(attributes, "    ")
    yield "  }"


def _attributes(attributes: Mapping[str, Any], indent: str) -> Iterator[str]:
    width = max(map(len, attributes))
    for name, value in attributes.items():
        text = f"[{', '.join(map(_text, value))}]" if isinstance(value, list) else _text(value)
        yield f"{indent}{name:<{width}} = {text}"


def _text(value: str | bool) -> str:
    """A value as it is written; ``${`` and ``%{`` would begin a template."""
    return json.dumps(value, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
