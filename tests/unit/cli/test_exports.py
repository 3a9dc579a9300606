"""Tests of the exports, by tools that read them: cfn-lint, a parser of HCL, and the documented form of NoSQL Workbench."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import hcl2
import jsonschema
import pytest

from examples.music.models import MusicDb
from logicaldb.cli.cloudformation import cloudformation
from logicaldb.cli.loading import DbType
from logicaldb.cli.outline import TableOutline, outline
from logicaldb.cli.samples import samples
from logicaldb.cli.terraform import terraform
from logicaldb.cli.workbench import workbench
from logicaldb.testing import in_process_dynamodb
from tests.unit.cli.shop import ShopDb

CFN_LINT = "from cfnlint.runner import main; main()"
NOW = datetime(2026, 11, 22, 9, 5, tzinfo=UTC)

dbs = pytest.mark.parametrize("db", [MusicDb, ShopDb])


def requests(db: DbType) -> list[dict[str, Any]]:
    return [table.raw.create_table_request(table.table_name) for table in outline(db)]


@dbs
def test_cloudformation_is_what_create_tables_makes(db: DbType) -> None:
    template = json.loads(cloudformation("MyDb", outline(db)))
    assert template["Description"] == "The tables of MyDb"
    found = [dict(resource["Properties"]) for resource in template["Resources"].values()]
    ttl = [properties.pop("TimeToLiveSpecification", None) for properties in found]
    assert found == requests(db)
    assert ttl == [
        {"AttributeName": table.declaration.ttl_attributes[0], "Enabled": True}
        if table.declaration.ttl_attributes
        else None
        for table in outline(db)
    ]
    for resource in template["Resources"].values():
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain"


def test_cloudformation_names_its_resources() -> None:
    assert list(json.loads(cloudformation("ShopDb", outline(ShopDb)))["Resources"]) == [
        "ShopTable",
        "MeasuresTable",
        "SettingsTable",
    ]


def test_cfn_lint_finds_nothing(tmp_path: Path) -> None:
    """But where the type of a key is taken out it does, so it looks."""
    shop = cloudformation("Db", outline(ShopDb))
    broken = json.loads(shop)
    broken["Resources"]["ShopTable"]["Properties"]["AttributeDefinitions"].pop()
    files = {"music": cloudformation("Db", outline(MusicDb)), "shop": shop, "broken": json.dumps(broken)}
    codes: dict[str, str] = {}
    for name, text in files.items():
        file = tmp_path / f"{name}.json"
        file.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-c", CFN_LINT, "--format", "parseable", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        codes[name] = done.stdout
    assert codes["music"] == codes["shop"] == ""
    assert ":E3039:" in codes["broken"]


def plain(value: Any) -> Any:
    """A value of the HCL parser, which may keep the quotes of texts and add members of its own."""
    if isinstance(value, dict):
        return {plain(name): plain(one) for name, one in value.items() if not name.startswith("__")}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return json.loads(value) if isinstance(value, str) and value.startswith('"') else value


def key_of(schema: list[dict[str, str]]) -> dict[str, str]:
    return {{"HASH": "hash_key", "RANGE": "range_key"}[one["KeyType"]]: one["AttributeName"] for one in schema}


@dbs
def test_terraform_is_what_create_tables_makes(db: DbType) -> None:
    parsed = plain(hcl2.loads(terraform(outline(db))))
    found = [table for one in parsed["resource"] for table in one["aws_dynamodb_table"].values()]
    for table, request, declared in zip(found, requests(db), outline(db), strict=True):
        assert table["name"].replace("$${", "${") == request["TableName"]
        assert table["billing_mode"] == "PAY_PER_REQUEST"
        assert key_of(request["KeySchema"]).items() <= table.items()
        assert table["attribute"] == [
            {"name": one["AttributeName"], "type": one["AttributeType"]} for one in request["AttributeDefinitions"]
        ]
        for member, block in (
            ("GlobalSecondaryIndexes", "global_secondary_index"),
            ("LocalSecondaryIndexes", "local_secondary_index"),
        ):
            wanted = []
            for index in request.get(member, []):
                key = key_of(index["KeySchema"])
                if block.startswith("local"):
                    del key["hash_key"]
                one = {"name": index["IndexName"], **key, "projection_type": index["Projection"]["ProjectionType"]}
                if "NonKeyAttributes" in index["Projection"]:
                    one["non_key_attributes"] = index["Projection"]["NonKeyAttributes"]
                wanted.append(one)
            assert table.get(block, []) == wanted
        ttl = [{"attribute_name": name, "enabled": True} for name in declared.declaration.ttl_attributes]
        assert table.get("ttl", []) == ttl


def test_terraform_is_written_as_its_formatter_does() -> None:
    text = terraform(outline(ShopDb)[:1])
    assert text.startswith(
        'resource "aws_dynamodb_table" "shop" {\n'
        '  name         = "shop"\n'
        '  billing_mode = "PAY_PER_REQUEST"\n'
        '  hash_key     = "pk"\n'
        '  range_key    = "sk"\n'
        "\n"
        "  attribute {\n"
        '    name = "pk"\n'
    )
    assert '  ttl {\n    attribute_name = "expires"\n    enabled        = true\n  }\n}\n' in text
    assert '    non_key_attributes = ["total", "lines"]\n' in text


ATTRIBUTE = {
    "type": "object",
    "required": ["AttributeName", "AttributeType"],
    "properties": {
        "AttributeName": {"type": "string"},
        "AttributeType": {"enum": ["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]},
    },
    "additionalProperties": False,
}
KEYS = {
    "type": "object",
    "required": ["PartitionKey"],
    "properties": {"PartitionKey": ATTRIBUTE, "SortKey": ATTRIBUTE},
    "additionalProperties": False,
}
INDEX = {
    "type": "object",
    "required": ["IndexName", "KeyAttributes", "Projection"],
    "properties": {
        "IndexName": {"type": "string"},
        "KeyAttributes": KEYS,
        "Projection": {
            "type": "object",
            "required": ["ProjectionType"],
            "properties": {
                "ProjectionType": {"enum": ["ALL", "KEYS_ONLY", "INCLUDE"]},
                "NonKeyAttributes": {"type": "array", "items": {"type": "string"}},
            },
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
DATA = {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "object", "maxProperties": 1}}}
WORKBENCH = {
    "type": "object",
    "required": ["ModelName", "ModelMetadata", "DataModel"],
    "properties": {
        "ModelName": {"type": "string"},
        "ModelMetadata": {
            "type": "object",
            "required": ["Author", "DateCreated", "DateLastModified", "Description", "AWSService", "Version"],
            "properties": {"AWSService": {"const": "Amazon DynamoDB"}, "Version": {"const": "3.0"}},
        },
        "DataModel": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["TableName", "KeyAttributes", "NonKeyAttributes"],
                "properties": {
                    "TableName": {"type": "string"},
                    "KeyAttributes": KEYS,
                    "NonKeyAttributes": {"type": "array", "items": ATTRIBUTE},
                    "TableFacets": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["FacetName", "KeyAttributeAlias"],
                            "properties": {
                                "FacetName": {"type": "string"},
                                "KeyAttributeAlias": {
                                    "type": "object",
                                    "required": ["PartitionKeyAlias"],
                                    "properties": {
                                        "PartitionKeyAlias": {"type": "string"},
                                        "SortKeyAlias": {"type": "string"},
                                    },
                                    "additionalProperties": False,
                                },
                                "NonKeyAttributes": {"type": "array", "items": {"type": "string"}},
                                "TableData": DATA,
                                "DataAccess": {"type": "object"},
                            },
                            "additionalProperties": False,
                        },
                    },
                    "GlobalSecondaryIndexes": {"type": "array", "items": INDEX},
                    "LocalSecondaryIndexes": {"type": "array", "items": INDEX},
                    "TableData": DATA,
                    "DataAccess": {"type": "object"},
                    "BillingMode": {"enum": ["PAY_PER_REQUEST", "PROVISIONED"]},
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
"""The form of a data model, after the models in AWS's documentation, which has no schema of it:
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/workbench.Modeler.ImportExisting.html"""


@dbs
def test_workbench_has_the_documented_form(db: DbType) -> None:
    model = json.loads(workbench(db.__name__, outline(db), NOW))
    jsonschema.validate(model, WORKBENCH)
    assert model["ModelName"] == db.__name__
    assert model["ModelMetadata"]["DateCreated"] == "Nov 22, 2026, 09:05 AM"
    for table, outlined in zip(model["DataModel"], outline(db), strict=True):
        assert [facet["FacetName"] for facet in table["TableFacets"]] == [item.name for item in outlined.items]
        assert len(table["TableData"]) == sum(len(facet["TableData"]) for facet in table["TableFacets"]) > 1


def test_workbench_tells_keys_as_templates() -> None:
    shop, _, settings = json.loads(workbench("ShopDb", outline(ShopDb), NOW))["DataModel"]
    assert shop["TableFacets"][1]["KeyAttributeAlias"] == {
        "PartitionKeyAlias": "CUSTOMER#{customer_id}",
        "SortKeyAlias": "ORDER#{day}#{number:04}",
    }
    assert settings["TableFacets"][0]["KeyAttributeAlias"] == {"PartitionKeyAlias": "{id}"}
    types = {one["AttributeName"]: one["AttributeType"] for one in shop["NonKeyAttributes"]}
    assert (types["rank"], types["lines"], types["picture"], types["tags"], types["odd"]) == ("N", "L", "B", "SS", "S")


@dbs
def test_the_sample_rows_can_be_stored(db: DbType) -> None:
    """As Workbench does when a model is committed to DynamoDB."""

    def commit(client: Any, table: TableOutline) -> None:
        client.create_table(**{**table.raw.create_table_request(table.table_name), "TableName": table.attribute})
        rows = samples(table.declaration)
        for one in rows:
            row = {name: {form: _bytes(form, held)} for name, wire in one.row.items() for form, held in wire.items()}
            client.put_item(TableName=table.attribute, Item=row)
        assert client.scan(TableName=table.attribute)["Count"] == len(rows)

    with in_process_dynamodb("eu-central-1"):
        client: Any = boto3.client("dynamodb")
        for table in outline(db):
            commit(client, table)


def _bytes(form: str, held: Any) -> Any:
    return held.encode() if form == "B" else held
