from __future__ import annotations

from datetime import date
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal

import pytest

from logicaldb import (
    Attribute,
    EncodingError,
    IncompleteKey,
    IndexKey,
    Item,
    ItemKey,
    PartitionKey,
    RawItem,
    SortKey,
)
from logicaldb.codec.keys import Partial
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.keys import KeySchema, bind_key


class Row(RawItem):
    pk: Annotated[str, PartitionKey(), SortKey(index="by_label")]
    sk: Annotated[str, SortKey()]
    label: Annotated[str | None, PartitionKey(index="by_label")] = None
    title: Annotated[str | None, SortKey(index="by_title")] = None
    address: Annotated[str | None, PartitionKey(index="by_address")] = None


class Order(Item):
    token: Annotated[str, Attribute("pk")]
    kind: Annotated[Literal["order"], Attribute("sk")] = "order"
    day: Annotated[date, Attribute("sk", prefix="#")]
    number: Annotated[int, Attribute("sk", prefix="#", width=3)]
    label: Annotated[str | None, Attribute(prefix="L_")] = None
    title: str = "t"
    address: IPv4Address | None = None

    class Key(ItemKey["Order"]):
        token: str
        day: date | None = None
        number: int | None = None

    class ByLabel(IndexKey["Order"], index="by_label"):
        """With the primary key, for offsets."""

        label: str
        token: str | None = None
        day: date | None = None
        number: int | None = None

    class ByTitle(IndexKey["Order"], index="by_title"):
        """Without it."""

        token: str
        title: str | None = None

    class ByAddress(IndexKey["Order"], index="by_address"):
        address: IPv4Address


ITEM = ItemSchema(declaration_of(Order, {}), raw_declaration_of(Row, {}))
DAY = date(2026, 1, 2)
SK = {"S": "order#2026-01-02#007"}


def bound(key_type: type[Any], item: ItemSchema = ITEM) -> KeySchema:
    return bind_key(item.declaration.keys[key_type], item)


KEY, BY_LABEL, BY_TITLE = bound(Order.Key), bound(Order.ByLabel), bound(Order.ByTitle)


def test_a_key_in_its_table() -> None:
    assert (KEY.name, KEY.key_type, KEY.index) == ("Order.Key", Order.Key, None)
    assert KEY.partition.name == "pk"
    assert KEY.sort is not None
    assert KEY.sort.name == "sk"
    assert dict(KEY.declaration.fields) == {"token": False, "day": True, "number": True}


def test_a_key_of_an_index() -> None:
    assert (BY_LABEL.partition.name, BY_LABEL.sort and BY_LABEL.sort.name) == ("label", "pk")
    assert (BY_TITLE.partition.name, BY_TITLE.sort and BY_TITLE.sort.name) == ("pk", "title")
    assert (bound(Order.ByAddress).partition.name, bound(Order.ByAddress).sort) == ("address", None)
    assert BY_LABEL.index is ITEM.raw.indexes["by_label"]


def test_whole_keys() -> None:
    row = {"pk": {"S": "T"}, "sk": SK}
    assert KEY.primary(Order.Key("T", DAY, 7)) == row
    assert KEY.start(Order.Key("T", DAY, 7)) == row
    assert BY_LABEL.primary(Order.ByLabel("x", "T", DAY, 7)) == row
    assert BY_LABEL.start(Order.ByLabel("x", "T", DAY, 7)) == {**row, "label": {"S": "L_x"}}


@pytest.mark.parametrize(
    ("schema", "key", "lacks"),
    [
        (KEY, Order.Key("T"), "day and number"),
        (KEY, Order.Key("T", DAY), "number"),
        (BY_LABEL, Order.ByLabel("x"), "token and day and number"),
        (BY_LABEL, Order.ByLabel("x", "T"), "day and number"),
        (BY_TITLE, Order.ByTitle("T", "t"), "day and number"),
    ],
)
def test_partial_keys_are_not_enough(schema: KeySchema, key: Any, lacks: str) -> None:
    with pytest.raises(IncompleteKey) as error:
        schema.start(key)
    assert str(error.value) == f"{key!r} lacks {lacks}; a whole key is needed here"


def test_key_attributes_as_far_as_they_are_given() -> None:
    sort: Any = KEY.sort
    assert KEY.partial(Order.Key("T"), sort) == Partial({"S": "order#"}, whole=False, missing=("day", "number"))
    assert KEY.partial(Order.Key("T", DAY), sort) == Partial(
        {"S": "order#2026-01-02#"}, whole=False, missing=("number",)
    )
    assert KEY.partial(Order.Key("T", DAY), KEY.partition) == Partial({"S": "T"}, whole=True)


def test_a_key_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        KEY.primary(Order.ByLabel("x", "T", DAY, 7))
    assert str(error.value) == "Order.ByLabel is not Order.Key, the key type that is used here"


@pytest.mark.parametrize(
    ("schema", "key", "message"),
    [
        (KEY, Order.Key("T", DAY, 1000), "Order.Key.number: is wider than 3 digits"),
        (KEY, Order.Key("", DAY, 7), "Order.Key.token: is an empty string, and the key attribute pk cannot be"),
        (
            KEY,
            Order.Key("x" * 2049, DAY, 7),
            "Order.Key.token: makes the key attribute pk 2049 bytes long; the limit is 2048",
        ),
    ],
)
def test_values_that_cannot_be_stored(schema: KeySchema, key: Any, message: str) -> None:
    with pytest.raises(EncodingError) as error:
        schema.primary(key)
    assert str(error.value) == message


def test_what_a_query_asks_for_is_limited_too() -> None:
    sort: Any = BY_TITLE.sort
    for title in ("é" * 512, "x"):
        BY_TITLE.check_size(sort, {"S": title})
    with pytest.raises(EncodingError) as error:
        BY_TITLE.check_size(sort, {"S": "é" * 513})
    assert str(error.value) == ("Order.ByTitle.title: makes the key attribute title 1026 bytes long; the limit is 1024")


@pytest.mark.parametrize("size", [1025, 2048])
def test_a_partition_key_is_looked_for_up_to_its_own_limit(size: int) -> None:
    """Though none of the table is that long, since it is the sort key of an index."""
    assert KEY.primary(Order.Key("x" * size, DAY, 7))["pk"] == {"S": "x" * size}


def test_a_sort_key_is_looked_for_up_to_its_own_limit() -> None:
    with pytest.raises(EncodingError) as error:
        BY_LABEL.start(Order.ByLabel("x", "T" * 1025, DAY, 7))
    assert str(error.value) == "Order.ByLabel.token: makes the key attribute pk 1025 bytes long; the limit is 1024"


# Keys of rows


def test_the_key_of_a_row() -> None:
    row = {"pk": {"S": "T"}, "sk": SK, "label": {"S": "L_x"}, "title": {"S": "t"}, "address": {"S": "10.0.0.1"}}
    assert KEY.from_row(row) == Order.Key("T", DAY, 7)
    assert BY_LABEL.from_row(row) == Order.ByLabel("x", "T", DAY, 7)
    assert BY_TITLE.from_row(row) == Order.ByTitle("T", "t")
    assert bound(Order.ByAddress).from_row(row) == Order.ByAddress(IPv4Address("10.0.0.1"))


@pytest.mark.parametrize(
    "row",
    [
        {"pk": {"S": "T"}, "sk": {"S": "track#2026-01-02#007"}},
        {"pk": {"S": "T"}, "sk": {"S": "order#2026-01-02#7"}},
        {"pk": {"S": "T"}, "sk": {"S": "order#2026-01-32#007"}},
        {"pk": {"S": "T"}},
        {"sk": SK},
        {},
    ],
)
def test_a_row_of_another_type_has_none(row: dict[str, Any]) -> None:
    assert KEY.from_row(row) is None
    assert BY_TITLE.from_row({**row, "title": {"S": "t"}}) is None


def test_a_row_that_is_not_in_the_index_has_none() -> None:
    assert BY_LABEL.from_row({"pk": {"S": "T"}, "sk": SK}) is None


# Constants in several attributes


def test_a_constant_is_one_in_every_attribute() -> None:
    class Rows(RawItem):
        pk: Annotated[str, PartitionKey()]
        sk: Annotated[str, SortKey()]
        gpk: Annotated[str | None, PartitionKey(index="all")] = None

    class Info(Item):
        pk: str
        sk: Annotated[Literal[""], Attribute(names=("sk", "gpk"), prefix="INFO_")] = ""

        class Key(ItemKey["Info"]):
            pk: str

        class All(IndexKey["Info"], index="all"):
            pk: str | None = None

    item = ItemSchema(declaration_of(Info, {}), raw_declaration_of(Rows, {}))
    schema = bound(Info.All, item)
    assert schema.partial(Info.All(), schema.partition) == Partial({"S": "INFO_"}, whole=True)
    assert schema.start(Info.All("x")) == {"pk": {"S": "x"}, "sk": {"S": "INFO_"}, "gpk": {"S": "INFO_"}}
