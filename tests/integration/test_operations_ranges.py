"""Every key condition on DynamoDB Local: the items found are those whose typed keys are in the range."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Annotated, Any

import pytest

from logicaldb import (
    AtLeast,
    AtMost,
    BeginsWith,
    Between,
    EqualTo,
    GreaterThan,
    LessThan,
    LogicalDb,
    Offset,
    TableName,
)
from logicaldb.testing import LogicalDbFactory
from tests.properties.test_ranges import COMPARISONS, SHAPES, Parts, Shape, begins_with
from tests.unit.operations.models import BinaryTable, NumberTable, PlainTable, ShopTable


class RangesDb(LogicalDb):
    shop: Annotated[ShopTable, TableName("shop")]
    plain: Annotated[PlainTable, TableName("plain")]
    numbers: Annotated[NumberTable, TableName("numbers")]
    binaries: Annotated[BinaryTable, TableName("binaries")]


VALUES: dict[str, list[list[Any]]] = {
    "padded number": [[0, 3, 4, 9999]],
    "composite": [[date(2026, 1, 2), date(2026, 1, 3)], ["", "1", "10", "\U0010ffff"]],
    "constant": [],
    "text without a prefix": [["#", "a", "a\U0010ffff", "b", "\ud7ff", "\ue000"]],
    "text of a local index": [["#", "a", "a\U0010ffff", "b", "\ud7ff", "\ue000"]],
    "number of a global index": [[-2, 0, 1, 10**30]],
    "partition key of the table": [["", "a", "ab", "\U0010ffff"]],
    "number": [[Decimal(-1), Decimal("0.5"), Decimal(10)]],
    "binary": [[b"\x00", b"\x7f", b"\x80", b"\xff", b"\xff\xff"]],
}
VIEWS = {
    "padded number": ("shop", "steps"),
    "composite": ("shop", "orders"),
    "constant": ("shop", "customers"),
    "text without a prefix": ("plain", "plain"),
    "text of a local index": ("shop", "steps_by_title"),
    "number of a global index": ("shop", "steps_by_score"),
    "partition key of the table": ("shop", "customers_by_owner"),
    "number": ("numbers", "numbers"),
    "binary": ("binaries", "binaries"),
}
# Keys of rows of other types, at the bounds of the prefixes.
NEAR = ["STEP", "STEP`", "STEP`0", "ORDER", "ORDER`", "ORDER`#", "INF", "INFO!", "INFP", "CUSTOMER", "CUSTOMER`"]


def test_every_shape_is_here() -> None:
    assert VALUES.keys() == VIEWS.keys() == SHAPES.keys()


def conditions(shape: Shape, whole: list[Parts]) -> Iterator[tuple[Any, Any]]:
    """Every condition of every key, with what the parts of an item must be."""
    keys = list(dict.fromkeys(parts[:length] for parts in whole for length in range(len(shape.parts) + 1)))
    for key in keys:
        yield BeginsWith(shape.key(*key)), lambda parts, key=key: begins_with(shape, key, parts)
        for kind in (LessThan, AtMost, GreaterThan, AtLeast):
            if shape.parts or kind in (AtMost, AtLeast):
                yield kind(shape.key(*key)), lambda parts, key=key, kind=kind: COMPARISONS[kind](key, parts)
        if len(key) == len(shape.parts):
            yield EqualTo(shape.key(*key)), lambda parts, key=key: parts == key
    for start, end in product(keys[:6], keys[:6]):
        yield (
            Between(shape.key(*start), shape.key(*end)),
            lambda parts, start=start, end=end: parts[: len(start)] >= start and parts[: len(end)] <= end,
        )


@pytest.mark.parametrize("name", SHAPES)
def test_a_condition_finds_the_items_of_its_range(name: str, local_db: LogicalDbFactory) -> None:
    shape = SHAPES[name]
    db = local_db(RangesDb)
    table_name, view_name = VIEWS[name]
    table: Any = getattr(db, table_name)
    view: Any = getattr(table, view_name)

    whole: list[Parts] = list(product(*VALUES[name]))
    items = {parts: shape.item(number, parts) for number, parts in enumerate(whole)}
    for item in items.values():
        db.save(item)
    if shape.noise:
        row = table.raw.load(table.raw._rows.decode(shape.source.items[0].encode(items[whole[0]])))
        for text in NEAR:
            if not text.startswith(shape.prefix):
                table.raw.put(row.model_copy(update={shape.noise: text}))

    for condition, holds in conditions(shape, whole):
        expected = [items[parts] for parts in sorted(filter(holds, whole))]
        assert list(view.query_all_contents(condition)) == expected, condition
        assert view.count(condition) == len(expected), condition
        backwards = list(view.query_all_contents(condition, asc=False, page_size=1, limit=3))
        assert backwards == expected[::-1][:3], condition
        for number, item in enumerate(expected[:2]):
            found = view.query_all_contents(condition, initial_offset=Offset(shape.start(item)))
            assert list(found) == expected[number + 1 :], condition
