"""Sizes and depths as the service counts them; the sizes of numbers were measured on DynamoDB Local, to the byte."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb.codec.limits import (
    MAX_BATCH_KEYS,
    MAX_BATCH_WRITES,
    MAX_DEPTH,
    MAX_EXPRESSION_BYTES,
    MAX_ITEM_BYTES,
    MAX_PARTITION_KEY_BYTES,
    MAX_SORT_KEY_BYTES,
    MAX_TRANSACTION_BYTES,
    MAX_TRANSACTION_OPERATIONS,
    depth_of,
    item_size,
    value_size,
)


def test_the_limits_are_those_of_the_service() -> None:
    assert (MAX_ITEM_BYTES, MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES, MAX_DEPTH) == (409_600, 2048, 1024, 32)
    assert (MAX_TRANSACTION_BYTES, MAX_TRANSACTION_OPERATIONS) == (4_194_304, 100)
    assert (MAX_BATCH_WRITES, MAX_BATCH_KEYS, MAX_EXPRESSION_BYTES) == (25, 100, 4096)


@pytest.mark.parametrize(
    ("wire", "size"),
    [
        ({"S": ""}, 0),
        ({"S": "abc"}, 3),
        ({"S": "é"}, 2),
        ({"S": "😀"}, 4),
        ({"B": ""}, 0),
        ({"B": "AA=="}, 1),
        ({"B": "AAA="}, 2),
        ({"B": "AAAA"}, 3),
        ({"BOOL": False}, 1),
        ({"NULL": True}, 1),
        ({"L": []}, 3),
        ({"L": [{"NULL": True}]}, 5),
        ({"L": [{"NULL": True}, {"S": "ab"}]}, 8),
        ({"L": [{"L": []}]}, 7),
        ({"M": {}}, 3),
        ({"M": {"a": {"S": "x"}}}, 6),
        ({"M": {"ab": {"M": {"ç": {"S": ""}}}}}, 12),
        ({"SS": ["a", "bc", "é"]}, 5),
        ({"NS": ["1", "22", "333"]}, 7),
        ({"BS": ["AA==", "AAAA"]}, 4),
    ],
)
def test_size_of_values(wire: dict[str, Any], size: int) -> None:
    assert value_size(wire) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 1),
        ("0.00", 1),
        ("9", 2),
        ("+9", 2),
        ("99", 2),
        ("100", 2),
        ("101", 3),
        ("110", 3),
        ("1000", 2),
        ("12300", 3),
        ("123456", 4),
        ("-1", 3),
        ("-123", 4),
        ("0.1", 2),
        ("0.01", 2),
        ("0.001", 2),
        ("1.2", 3),
        ("1.23", 3),
        ("12.34", 3),
        ("123.4", 4),
        ("-1.2", 4),
        ("1.20", 3),
        ("1E+125", 2),
        ("1E-130", 2),
        ("12e+123", 3),
        ("12345678901234567890123456789012345678", 20),
        ("-12345678901234567890123456789012345678", 21),
        ("1.2345678901234567890123456789012345678", 21),
        ("-1.2345678901234567890123456789012345678", 21),
    ],
)
def test_size_of_numbers(text: str, size: int) -> None:
    assert value_size({"N": text}) == size


def test_size_of_an_item_counts_the_names() -> None:
    assert item_size({}) == 0
    assert item_size({"id": {"S": "abc"}, "ü": {"N": "12"}}) == 2 + 3 + 2 + 2


@pytest.mark.parametrize(
    ("wire", "depth"),
    [
        ({"S": "x"}, 1),
        ({"SS": ["x"]}, 1),
        ({"L": []}, 2),
        ({"M": {}}, 2),
        ({"L": [{"S": "x"}]}, 2),
        ({"L": [{"S": "x"}, {"M": {"a": {"L": []}}}]}, 4),
        ({"M": {"a": {"L": [{"NULL": True}]}, "b": {"N": "1"}}}, 3),
    ],
)
def test_depth(wire: dict[str, Any], depth: int) -> None:
    assert depth_of(wire) == depth


def test_depth_needs_no_recursion() -> None:
    wire: dict[str, Any] = {"S": "x"}
    for _ in range(100_000):
        wire = {"L": [wire]}
    assert depth_of(wire) == 100_001
