"""The size of an item: with the entries that it makes in local indexes."""

from __future__ import annotations

from typing import Annotated, Any

import pytest

from logicaldb import EncodingError, LogicalTable, PartitionKey, RawItem, SortKey
from logicaldb.operations.sizes import check_size


class SizedRow(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    a: Annotated[str | None, SortKey(index="all")] = None
    k: Annotated[str | None, SortKey(index="keys", projection="KEYS_ONLY")] = None
    s: Annotated[str | None, SortKey(index="some", projection=["x"])] = None
    g: Annotated[str | None, PartitionKey(index="global")] = None


class SizedTable(LogicalTable[SizedRow]):
    pass


RAW = SizedTable.__logicaldb_table__.raw
# Names and values: pk 2+1, sk 2+1, each key of an index 1+1, x and y 1 and their text.
KEYS = {"pk": {"S": "p"}, "sk": {"S": "s"}}


@pytest.mark.parametrize(
    ("attributes", "extra"),
    [
        ({}, 0),
        ({"g": 1}, 0),  # global indexes do not count
        ({"a": 1}, None),  # everything once more
        ({"k": 1}, 3 + 2),  # without the sort key of the table
        ({"s": 1}, 3 + 2),  # x is projected, but is not there
        ({"k": 1, "s": 1}, 2 * (3 + 2)),
    ],
)
def test_to_the_byte(attributes: dict[str, int], extra: int | None) -> None:
    row: dict[str, Any] = {**KEYS, **{name: {"S": "i"} for name in attributes}}
    own = 6 + 2 * len(attributes)
    largest = 409_600 - own - 1 - extra if extra is not None else (409_600 // 2) - own - 1
    check_size(RAW, {**row, "y": {"S": "x" * largest}}, str)
    with pytest.raises(EncodingError) as error:
        check_size(RAW, {**row, "y": {"S": "x" * (largest + 1)}}, lambda name: f"Item.{name}")
    size = 409_601 if extra is not None else 409_602
    of_them = "" if not extra and extra is not None else f" ({extra or 204_801} of them in local indexes)"
    assert str(error.value) == (
        f"Item.y: is the largest field of an item of {size} bytes{of_them}; the limit is 409600"
    )


def test_a_projected_attribute_counts_twice() -> None:
    row: dict[str, Any] = {**KEYS, "s": {"S": "i"}}
    fits = (409_600 - (6 + 2 + 1) - (3 + 2 + 1)) // 2
    check_size(RAW, {**row, "x": {"S": "x" * fits}}, str)
    with pytest.raises(EncodingError):
        check_size(RAW, {**row, "x": {"S": "x" * (fits + 1)}}, str)
