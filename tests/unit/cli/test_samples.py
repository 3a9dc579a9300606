"""Tests of ``logicaldb.cli.samples``: rows that a declared table could hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, GetCoreSchemaHandler, JsonValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import TypeAliasType

from examples.music.models import AlbumTrack, MusicDb, MusicTable
from logicaldb import Attribute, InlineView, Item, ItemKey, LogicalTable, PartitionKey, RawItem
from logicaldb.cli.outline import outline
from logicaldb.cli.samples import sample, samples
from tests.unit.cli.shop import Line, Measures, Order, Settings, ShopDb, ShopTable, Status

Title = TypeAliasType("Title", str)


@dataclass
class Point:
    """A dataclass."""

    x: int
    y: int


class Pair(NamedTuple):
    """A named tuple."""

    first: int
    second: str


class Typed(TypedDict):
    """A typed dict."""

    x: int


class Token(str):
    """A text that pydantic makes, of which nothing is known here."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take any text."""
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


@pytest.mark.parametrize("table", [MusicTable, Measures, Settings])
def test_the_rows_are_items(table: type[LogicalTable[Any, Any]]) -> None:
    declaration = table.__logicaldb_table__
    for found in samples(declaration):
        item = found.item.decode(found.row)
        assert found.item.encode(item) == found.row
        assert declaration.schema.item_of(found.row) is found.item


def test_they_are_always_the_same_and_all_different() -> None:
    for table in outline(ShopDb) + outline(MusicDb):
        rows = [found.row for found in samples(table.declaration)]
        assert rows == [found.row for found in samples(table.declaration)]
        keys = [tuple(str(row[name]) for name in table.raw.keys) for row in rows]
        assert len(set(keys)) == len(keys)


def test_types_meet_in_partitions_and_indexes() -> None:
    rows = samples(MusicTable.__logicaldb_table__)
    partitions = {found.row["partition_key"]["S"] for found in rows}
    assert partitions == {"ALBUM_1", "ALBUM_2", "PLAYLIST_1", "PLAYLIST_2"}
    of_first = [found.item.name for found in rows if found.row["partition_key"] == {"S": "ALBUM_1"}]
    assert of_first == ["AlbumInfo", "AlbumTrack", "AlbumTrack", "AlbumTrack"]
    albums = [found.row for found in rows if found.item.name == "AlbumInfo"]
    assert [row["artist_name"] for row in albums] == [{"S": "Artist name 1"}] * 2
    assert ["label_name" in row for row in albums] == [True, False]  # the index is sparse


def test_composite_keys_and_what_is_not_known() -> None:
    orders = [found.row for found in samples(ShopTable.__logicaldb_table__) if found.item.item_type is Order]
    assert [(row["pk"]["S"], row["sk"]["S"]) for row in orders] == [
        ("CUSTOMER#1", "ORDER#2026-01-01#0001"),
        ("CUSTOMER#1", "ORDER#2026-01-02#0002"),
        ("CUSTOMER#1", "ORDER#2026-01-03#0003"),
        ("CUSTOMER#2", "ORDER#2026-01-01#0001"),
        ("CUSTOMER#2", "ORDER#2026-01-02#0002"),
    ]
    assert all("odd" not in row for row in orders)
    assert {row["seen"]["N"] for row in orders} == {"0"}  # more would leave its bounds
    assert [row["sold"]["N"] for row in orders] == ["10", "20", "30", "40", "50"]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, "Some name 2"),
        (Title, "Some name 2"),
        (Annotated[str, "more"], "Some name 2"),
        (int, 2),
        (float, 2.5),
        (Decimal, Decimal("2.99")),
        (bool, False),
        (bytes, b"\x02"),
        (date, date(2026, 1, 2)),
        (datetime, datetime(2026, 1, 2, 12, tzinfo=UTC)),
        (time, time(2)),
        (UUID, UUID(int=2)),
        (Status, Status.SENT),
        (Literal["a", "b", "c"], "b"),
        (int | None, 2),
        (list[int], [2]),
        (set[int], {2}),
        (frozenset[int], frozenset({2})),
        (tuple[int, str], (2, "Some name 2")),
        (tuple[int, ...], (2,)),
        (dict[str, int], {"Name 2": 2}),
        (Line, Line(product_id=UUID(int=2), price=Decimal("2.99"), gift=False)),
        (AlbumTrack.Key, AlbumTrack.Key("ALBUM_2", 2)),
        (AwareDatetime, datetime(2026, 1, 2, 12, tzinfo=UTC)),
        (Sequence[int], [2]),
        (Mapping[str, int], {"Name 2": 2}),
        (Point, Point(2, 2)),
        (Pair, Pair(2, "Second 2")),
        (Typed, {"x": 2}),
        (list[int] | int, 2),
    ],
)
def test_a_value_of_each_type(annotation: Any, expected: Any) -> None:
    assert sample(annotation, "some_name", 2) == expected


class Tree(BaseModel):
    """A model that holds itself, and can be without."""

    name: str
    trees: list[Tree] = []


class Endless(BaseModel):
    """One that cannot."""

    endless: Endless


def test_a_model_that_holds_itself_has_an_end() -> None:
    tree = sample(Tree, "tree", 1)
    assert tree.trees[0].trees[0].trees == []
    assert sample(JsonValue, "value", 1) == "Value 1"


@pytest.mark.parametrize(
    "annotation", [Endless, complex | None, Callable[[], int], object, Any, complex, list, dict, dict[str, complex]]
)
def test_of_other_types_nothing_is_known(annotation: Any) -> None:
    with pytest.raises(TypeError, match=r"^(no value of .* is known|.* holds itself|no value of any of .* is known)$"):
        sample(annotation, "some_name", 1)


def test_a_type_without_a_key_has_no_rows() -> None:
    class Row(RawItem):
        token: Annotated[str, PartitionKey()]

    class Thing(Item):
        token: Annotated[Token, Attribute("token", prefix="T_")]

        class Key(ItemKey["Thing"]):
            token: Token

    class Things(LogicalTable[Row]):
        things: InlineView[Thing.Key, Thing]

    assert samples(Things.__logicaldb_table__) == []
