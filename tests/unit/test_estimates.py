"""Tests of ``logicaldb.estimates``: the units of requests, by the rules that AWS documents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from examples.music.models import AlbumTrack
from logicaldb import Item, item_size
from logicaldb.capacity import Units
from logicaldb.estimates import estimate

KEY = {"partition_key": {"S": "A"}, "sort_key": {"S": "B"}}
ROW_OF_1025 = {"key": {"S": "x" * 1022}}
ROW_OF_1024 = {"key": {"S": "x" * 1021}}


def in_transaction(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"TransactItems": list(actions)}


def of_table(requests: Any) -> dict[str, Any]:
    return {"RequestItems": {"music": requests}}


@pytest.mark.parametrize(
    ("operation", "body", "assumed", "read", "write"),
    [
        ("GetItem", {"Key": KEY}, 1, 0.5, 0),
        ("GetItem", {"Key": KEY}, 4096, 0.5, 0),
        ("GetItem", {"Key": KEY}, 4097, 1, 0),
        ("GetItem", {"Key": KEY, "ConsistentRead": True}, 4097, 2, 0),
        ("Query", {"Limit": 100}, 100, 1.5, 0),  # 10,000 bytes are 3 times 4 KB, and not 100 times
        ("Query", {"Limit": 100, "ConsistentRead": True}, 100, 3, 0),
        ("Query", {"Limit": 10_000}, 1024, 128, 0),  # a page ends at 1 MB
        ("Query", {"Select": "COUNT"}, 1024, 128, 0),
        ("Scan", {"Limit": 1}, 1, 0.5, 0),
        ("PutItem", {"Item": ROW_OF_1024}, 5000, 0, 1),
        ("PutItem", {"Item": ROW_OF_1025}, 1, 0, 2),
        ("UpdateItem", {"Key": KEY}, 1024, 0, 1),
        ("UpdateItem", {"Key": KEY, "ExpressionAttributeValues": {":v0": {"S": "x" * 3000}}}, 1024, 0, 3),
        ("DeleteItem", {"Key": KEY}, 2049, 0, 3),
        ("BatchGetItem", of_table({"Keys": [KEY] * 3}), 4097, 3, 0),
        ("BatchGetItem", of_table({"Keys": [KEY] * 3, "ConsistentRead": True}), 4097, 6, 0),
        (
            "BatchWriteItem",
            of_table([{"PutRequest": {"Item": ROW_OF_1025}}, {"DeleteRequest": {"Key": KEY}}]),
            3072,
            0,
            5,
        ),
        ("TransactGetItems", in_transaction({"Get": {"Key": KEY}}, {"Get": {"Key": KEY}}), 4097, 8, 0),
        (
            "TransactWriteItems",
            in_transaction(
                {"Put": {"Item": ROW_OF_1025}},
                {"Update": {"Key": KEY}},
                {"Delete": {"Key": KEY}},
                {"ConditionCheck": {"Key": KEY}},
            ),
            1024,
            0,
            10,
        ),
        ("DescribeTable", {"TableName": "music"}, 1024, 0, 0),
    ],
)
def test_units(operation: str, body: dict[str, Any], assumed: int, read: float, write: float) -> None:
    assert estimate(operation, body, assumed) == Units(read, write)


def test_the_size_of_an_item() -> None:
    track = AlbumTrack(
        album_token="ALBUM_1", track_number=1, track_title="Ü", run_length=timedelta(minutes=4, seconds=5)
    )
    names = len("partition_key") + len("sort_key") + len("track_title") + len("run_length") + len("play_count")
    values = len("ALBUM_1") + len("TRACK_0000000000000001") + 2 + 3 + 1
    assert item_size(track) == names + values


def test_a_type_in_no_table_has_no_size() -> None:
    class Loose(Item):
        token: str

    with pytest.raises(TypeError) as refused:
        item_size(Loose(token="x"))
    assert str(refused.value) == "Loose is in no table, so it is not known how it is stored"
