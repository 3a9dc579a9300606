"""Keys stay in their item type and their partition, whatever text is in them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from logicaldb import BeginsWith, Between, DecodingError, EncodingError, EqualTo, Item, KeyCondition
from logicaldb.table import ItemCodec
from tests.security.models import Db, Everything, Order, Strict, Whole
from tests.security.service import Service
from tests.security.texts import keys, texts

service = Service()
db = Db(service.client)
codecs: Mapping[type[Item], ItemCodec[Any]] = {
    kind: db.table.codec(kind) for kind in (Whole, Strict, Order, Everything)
}

dates = st.sampled_from([date(2026, 1, 1), date(2026, 1, 2), date(2026, 10, 1), date(1, 1, 1), date(9999, 12, 31)])
orders = st.builds(Order, customer=texts, region=texts, day=dates, code=texts, line=texts)


def row_of(item: Item) -> dict[str, Any] | None:
    """The row of an item, ``None`` where its key is refused."""
    try:
        return codecs[type(item)].encode(item)
    except EncodingError:
        return None


def matches(view: Any, condition: KeyCondition[Any], row: Mapping[str, Any]) -> bool:
    """Whether a row would be returned, by the key condition that is sent."""
    service.requests.clear()
    service.row = None
    assert view.query(condition).contents == []
    if not service.requests:
        return False
    body = service.requests[0][1]
    names, values = body["ExpressionAttributeNames"], body["ExpressionAttributeValues"]
    partition, _, sort = body["KeyConditionExpression"].partition(" AND ")
    name, _, value = partition.partition(" = ")
    if row[names[name]] != values[value]:
        return False
    if not sort:
        return True
    stored = row["sk"]["S"].encode()
    found = [values[word.strip("(),")]["S"].encode() for word in sort.split() if word.startswith(":v")]
    if sort.startswith("begins_with"):
        return bool(stored.startswith(found[0]))
    if " BETWEEN " in sort:
        return bool(found[0] <= stored <= found[1])
    operator = sort.split()[1]
    compared: Mapping[str, bool] = {"=": stored == found[0], ">=": stored >= found[0], ">": stored > found[0]}
    return compared[operator]


@given(orders, orders)
@example(
    Order(customer="a/b", region="c", day=date(2026, 1, 1), code="", line=""),
    Order(customer="a", region="b/c", day=date(2026, 1, 1), code="", line=""),
)
@example(
    Order(customer="a", region="b", day=date(2026, 1, 1), code="x#", line="y"),
    Order(customer="a", region="b", day=date(2026, 1, 1), code="x", line="#y"),
)
@example(
    Order(customer="a", region="b", day=date(2026, 1, 1), code="", line="##"),
    Order(customer="a", region="b", day=date(2026, 1, 1), code="##", line=""),
)
def test_two_keys_never_meet_in_one_row(one: Order, other: Order) -> None:
    first, second = row_of(one), row_of(other)
    assume(first is not None and second is not None)
    assert first is not None
    assert second is not None
    same = Order.Key.of(one) == Order.Key.of(other)
    assert ((first["pk"], first["sk"]) == (second["pk"], second["sk"])) is same
    assert codecs[Order].decode(first) == one


@given(orders, orders, st.integers(2, 5))
@example(
    Order(customer="a", region="b", day=date(2026, 1, 1), code="1", line=""),
    Order(customer="a", region="b", day=date(2026, 1, 1), code="10", line=""),
    4,
)
def test_a_partial_key_never_finds_another_one(wanted: Order, stored: Order, given_parts: int) -> None:
    row = row_of(stored)
    assume(row is not None)
    assert row is not None
    parts = ("customer", "region", "day", "code", "line")[:given_parts]
    key = Order.Key(**{name: getattr(wanted, name) for name in parts})
    try:
        found = matches(db.table.orders, BeginsWith(key), row)
    except EncodingError:
        return
    whole, last = parts[:-1], parts[-1]
    expected = all(getattr(wanted, name) == getattr(stored, name) for name in whole)
    mine, theirs = getattr(wanted, last), getattr(stored, last)
    # Only text at the very end of a key may be a beginning.
    expected = expected and (theirs.startswith(mine) if last == "line" else theirs == mine)
    assert found is expected


others = st.one_of(
    st.builds(Strict, name=keys, part=texts, required=st.just(1)),
    st.builds(Everything, name=keys, number=st.integers(0, 999_999)),
    st.builds(Order, customer=keys, region=texts, day=dates, code=texts, line=texts),
)


@given(keys, texts, texts, others)
@example("a", "", "", Strict(name="a", part="", required=1))
@example("a/b", "S#", "", Strict(name="a/b", part="", required=1))
def test_no_key_reaches_the_rows_of_another_type(name: str, part: str, end: str, other: Any) -> None:
    row = row_of(other)
    assume(row is not None)
    assert row is not None
    view = db.table.wholes
    for condition in (
        BeginsWith(Whole.Key(name)),
        BeginsWith(Whole.Key(name, part)),
        EqualTo(Whole.Key(name, part)),
        Between(Whole.Key(name, part), Whole.Key(name, end)),
        Between(Whole.Key(name), Whole.Key(name, end)),
    ):
        assert not matches(view, condition, row)
    mine = row_of(Whole(name=name, part=part))
    assert mine is not None
    assert (mine["pk"], mine["sk"]) != (row["pk"], row["sk"])
    with pytest.raises(DecodingError):
        codecs[Whole].decode(row)
    for kind in (Strict, Order, Everything):
        with pytest.raises(DecodingError):
            codecs[kind].decode(mine)
    with suppress(DecodingError):
        assert type(db.table.decode(mine)) is Whole


@given(st.lists(st.builds(Whole, name=keys, part=texts), max_size=8, unique_by=lambda item: (item.name, item.part)))
def test_many_keys_are_as_many_rows(items: list[Whole]) -> None:
    rows = [row for item in items if (row := row_of(item)) is not None]
    assert len({(row["pk"]["S"], row["sk"]["S"]) for row in rows}) == len(rows) == len(items)
    assert len({Whole.Key.of(item) for item in items}) == len(items)
