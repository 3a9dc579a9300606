"""The command line against DynamoDB Local: each kind of difference is found, and nothing is changed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from logicaldb.cli.app import app
from logicaldb.cli.differences import Difference, differences
from logicaldb.drivers import run
from logicaldb.testing import DynamoDbLocal
from logicaldb.transport.boto import BotoTransport
from tests.unit.cli.shop import ShopTable

SHOP = "tests.unit.cli.shop:ShopDb"
RAW = ShopTable.__logicaldb_table__.raw
PER_REQUEST = {"BillingMode": "PAY_PER_REQUEST"}


def command(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})


def compared(client: Any, name: str) -> list[tuple[str, str, str]]:
    found = run(differences([(name, RAW, ["expires"])]), BotoTransport(client))
    assert all(one.table == name for one in found)
    return [(one.what, one.declared, one.found) for one in found]


@pytest.fixture
def made(local_client: Any, new_name: Callable[[], str]) -> Callable[..., str]:
    """Makes the table of the shop, with changes."""

    def make(change: Callable[[dict[str, Any]], object] = lambda _: None, ttl: str | None = "expires") -> str:
        request = RAW.create_table_request(new_name())
        change(request)
        local_client.create_table(**request)
        if ttl is not None:
            local_client.update_time_to_live(
                TableName=request["TableName"], TimeToLiveSpecification={"AttributeName": ttl, "Enabled": True}
            )
        name: str = request["TableName"]
        return name

    return make


def swap_keys(schema: list[dict[str, str]]) -> object:
    schema[0]["AttributeName"], schema[1]["AttributeName"] = schema[1]["AttributeName"], schema[0]["AttributeName"]
    return schema


def retype(request: dict[str, Any], attribute: str, tag: str) -> None:
    next(one for one in request["AttributeDefinitions"] if one["AttributeName"] == attribute)["AttributeType"] = tag


def without_sort_key(request: dict[str, Any]) -> None:
    request["KeySchema"].pop()
    del request["LocalSecondaryIndexes"]
    request["AttributeDefinitions"] = [
        one for one in request["AttributeDefinitions"] if one["AttributeName"] not in {"sk", "rank"}
    ]


def rename(request: dict[str, Any]) -> None:
    request["GlobalSecondaryIndexes"][0]["IndexName"] = "other"


def make_global(request: dict[str, Any]) -> None:
    request["GlobalSecondaryIndexes"] += request.pop("LocalSecondaryIndexes")


def project(request: dict[str, Any], projection: dict[str, Any]) -> None:
    request["GlobalSecondaryIndexes"][0]["Projection"] = projection


KEY_OF_INDEX = ("the index open_orders: the key", "partition key open_key, sort key open_date")
PROJECTED = ("the index open_orders: the projection", "lines, total")
CHANGES: dict[str, tuple[Callable[[dict[str, Any]], object], list[tuple[str, str, str]]]] = {
    "nothing": (lambda _: None, []),
    "key": (
        lambda request: [
            swap_keys(request["KeySchema"]),
            request["LocalSecondaryIndexes"][0]["KeySchema"][0].update(AttributeName="sk"),
        ],
        [
            ("the key", "partition key pk, sort key sk", "partition key sk, sort key pk"),
            ("the index by_rank: the key", "partition key pk, sort key rank", "partition key sk, sort key rank"),
        ],
    ),
    "no sort key": (
        without_sort_key,
        [
            ("the key", "partition key pk, sort key sk", "partition key pk"),
            ("the index by_rank", "local", "not there"),
        ],
    ),
    "type of a key": (lambda request: retype(request, "sk", "N"), [("the attribute sk", "S", "N")]),
    "type of a key of an index": (lambda request: retype(request, "rank", "S"), [("the attribute rank", "N", "S")]),
    "index": (
        rename,
        [("the index open_orders", "global", "not there"), ("the index other", "not there", "global")],
    ),
    "kind of index": (make_global, [("the index by_rank", "local", "global")]),
    "key of an index": (
        lambda request: swap_keys(request["GlobalSecondaryIndexes"][0]["KeySchema"]),
        [(*KEY_OF_INDEX, "partition key open_date, sort key open_key")],
    ),
    "sort key of an index": (
        lambda request: [
            request["GlobalSecondaryIndexes"][0]["KeySchema"].pop(),
            request["AttributeDefinitions"].remove({"AttributeName": "open_date", "AttributeType": "S"}),
        ],
        [(*KEY_OF_INDEX, "partition key open_key")],
    ),
    "projection": (lambda request: project(request, {"ProjectionType": "ALL"}), [(*PROJECTED, "ALL")]),
    "projected attributes": (
        lambda request: project(request, {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["total", "note"]}),
        [(*PROJECTED, "note, total")],
    ),
    "order of projected attributes": (
        lambda request: project(request, {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["lines", "total"]}),
        [],
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_difference_is_found(local_client: Any, made: Callable[..., str], change: str) -> None:
    alter, expected = CHANGES[change]
    name = made(alter)
    before = local_client.describe_table(TableName=name)["Table"]
    assert compared(local_client, name) == expected
    assert local_client.describe_table(TableName=name)["Table"] == before


@pytest.mark.parametrize(
    ("ttl", "expected"),
    [
        (None, [("the time to live", "expires", "off")]),
        ("other", [("the time to live", "expires", "other")]),
        ("expires", []),
    ],
)
def test_a_time_to_live_is_compared(
    local_client: Any, made: Callable[..., str], ttl: str | None, expected: list[tuple[str, str, str]]
) -> None:
    assert compared(local_client, made(ttl=ttl)) == expected


def test_one_that_is_not_declared_is_found(local_client: Any, made: Callable[..., str]) -> None:
    name = made()
    found = run(differences([(name, RAW, [])]), BotoTransport(local_client))
    assert found == [Difference(name, "the time to live", "off", "expires")]


def test_a_table_that_is_not_there(local_client: Any, new_name: Callable[[], str]) -> None:
    assert compared(local_client, new_name()) == [("the table", "there", "not there")]


def test_from_nothing_to_as_declared(dynamodb_local: DynamoDbLocal, new_name: Callable[[], str]) -> None:
    """What the command line finds missing, it makes, and then finds as declared; the names have a prefix."""
    prefix = f"{new_name()[-12:]}-"
    where = ("examples.music.models:MusicDb", "--endpoint-url", dynamodb_local.endpoint_url, "--table-prefix", prefix)
    missing = command("check", *where, "--no-laws")
    assert missing.exit_code == 1
    assert [part.strip() for part in missing.output.splitlines()[4].split("│")[1:-1]] == [
        f"{prefix}music_items",
        "the table",
        "there",
        "not there",
    ]
    made = command("create-tables", *where)
    assert (made.exit_code, made.output) == (0, f"{prefix}music_items: created\n")
    again = command("create-tables", *where)
    assert (again.exit_code, again.output) == (0, f"{prefix}music_items: is there already\n")
    checked = command("check", *where)
    assert (checked.exit_code, checked.output) == (
        0,
        f"MusicTable: the laws of its keys hold\n{prefix}music_items: as declared\n",
    )


def test_the_commands_as_they_are_typed(dynamodb_local: DynamoDbLocal) -> None:
    """In processes of their own, by the script that is installed."""

    def logicaldb(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = "from logicaldb.cli import main; main()"
        return subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )

    described = logicaldb("describe", "examples.music.models:MusicDb")
    assert (described.returncode, described.stderr) == (0, "")
    assert "TRACK_{track_number:016}" in described.stdout
    refused = logicaldb("check", SHOP, "--no-laws", "--endpoint-url", dynamodb_local.endpoint_url)
    assert refused.returncode == 2
    assert "ValidationException" in refused.stderr  # the name of one of its tables is none that DynamoDB takes
    assert "Traceback" not in refused.stderr
