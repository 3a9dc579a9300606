"""Tests of ``logicaldb.cli.differences`` that no engine can be brought to; the others are integration tests."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb.cli.differences import Difference, differences
from logicaldb.flow import Request, ServiceFailure
from tests.unit.cli.shop import ShopTable

RAW = ShopTable.__logicaldb_table__.raw


def test_what_is_not_active_is_told() -> None:
    request = RAW.create_table_request("shop")
    for index in request["GlobalSecondaryIndexes"]:
        index["IndexStatus"] = "CREATING"
    flow = differences([("shop", RAW, ["expires"])])
    assert next(flow) == Request("DescribeTable", "shop", {"TableName": "shop"})
    assert flow.send({"Table": {**request, "TableStatus": "UPDATING"}}) == Request(
        "DescribeTimeToLive", "shop", {"TableName": "shop"}
    )
    with pytest.raises(StopIteration) as end:
        flow.send({"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLING", "AttributeName": "expires"}})
    assert end.value.value == [
        Difference("shop", "the table: status", "ACTIVE", "UPDATING"),
        Difference("shop", "the index open_orders: status", "ACTIVE", "CREATING"),
    ]


def test_other_errors_are_passed_on() -> None:
    flow = differences([("shop", RAW, [])])
    next(flow)
    error: dict[str, Any] = {}
    with pytest.raises(ServiceFailure):
        flow.throw(ServiceFailure("AccessDeniedException", error, Exception()))
