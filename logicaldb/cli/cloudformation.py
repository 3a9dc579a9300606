"""``export cloudformation``: a template with a resource for each table.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from logicaldb.cli.outline import TableOutline


def cloudformation(name: str, tables: list[TableOutline]) -> str:
    """The template, as JSON.

    The tables outlive the stack, as data should.

    Args:
        name: the name of the db class.
        tables: its tables.
    """
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"The tables of {name}",
        "Resources": {_logical_id(table): _resource(table) for table in tables},
    }
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _logical_id(table: TableOutline) -> str:
    """What CloudFormation takes as a name: letters and digits."""
    words = re.findall(r"[A-Za-z0-9]+", table.attribute)
    return "".join(word[0].upper() + word[1:] for word in words) + "Table"


def _resource(table: TableOutline) -> dict[str, Any]:
    properties = table.raw.create_table_request(table.table_name)
    for attribute in table.declaration.ttl_attributes:
        properties["TimeToLiveSpecification"] = {"AttributeName": attribute, "Enabled": True}
    return {
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
        "Properties": properties,
    }
