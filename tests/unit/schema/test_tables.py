"""What tells the types of one table apart."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest

from logicaldb import Attribute, Item, PartitionKey, RawItem, SortKey
from logicaldb.codec.keys import KeyAttribute, KeyPart, PlainText, ScalarKey, TextKey
from logicaldb.codec.types import codec_for
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.tables import Mark, TableSchema, _disjoint, projects

TEXT = PlainText(codec_for(str))


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    artist: Annotated[str | None, PartitionKey(index="by_artist")] = None
    title: Annotated[str | None, SortKey(index="by_title", projection="KEYS_ONLY")] = None
    year: Annotated[int | None, PartitionKey(index="by_year", projection=["label", "title"])] = None


class Numbers(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[int, SortKey()]


class Tokens(RawItem):
    pk: Annotated[str, PartitionKey()]


def table(*item_types: type[Item], raw: type[RawItem] = Row) -> tuple[TableSchema, list[ItemSchema]]:
    rows = raw_declaration_of(raw, {})
    items = [ItemSchema(declaration_of(item_type, {}), rows) for item_type in item_types]
    return TableSchema("Table", rows, items), items


class Album(Item):
    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    artist: str
    label: str | None = None


class Playlist(Item):
    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    owner: str
    tags: set[str]


class Track(Item):
    pk: str
    sk: Annotated[str, Attribute(prefix="TRACK_")]
    title: str


def test_one_prefix_each() -> None:
    schema, (album, track) = table(Album, Track)
    assert schema.marks(album) == (Mark("sk", "equals", "INFO_"),)
    assert schema.marks(track) == (Mark("sk", "begins_with", "TRACK_"),)
    assert schema.of_type(Track) is track
    assert schema.others(album) == [track]


def test_one_prefix_and_required_attributes() -> None:
    schema, (album, playlist, track) = table(Album, Playlist, Track)
    assert schema.marks(album) == (Mark("sk", "equals", "INFO_"), Mark("artist", "exists"))
    assert schema.marks(playlist) == (Mark("sk", "equals", "INFO_"), Mark("owner", "exists"))
    assert schema.marks(track) == (Mark("sk", "begins_with", "TRACK_"),)


def test_a_required_attribute_of_the_other_type_alone() -> None:
    class Plain(Item):
        pk: str
        sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
        label: str | None = None

    schema, (album, plain) = table(Album, Plain)
    assert schema.marks(album) == (Mark("sk", "equals", "INFO_"), Mark("artist", "exists"))
    assert schema.marks(plain) == (Mark("sk", "equals", "INFO_"), Mark("artist", "absent"))


def test_the_only_type_claims_every_row() -> None:
    class Bare(Item):
        pk: str
        sk: str

    schema, (bare,) = table(Bare)
    assert schema.marks(bare) == ()
    assert schema.item_of({}) is bare


def test_number_keys_need_no_prefix() -> None:
    class One(Item):
        pk: Annotated[str, Attribute(prefix="ONE_")]
        sk: int

    class Two(Item):
        pk: Annotated[str, Attribute(prefix="TWO_")]
        sk: int

    schema, (one, two) = table(One, Two, raw=Numbers)
    assert schema.marks(one) == (Mark("pk", "begins_with", "ONE_"),)
    assert schema.marks(two) == (Mark("pk", "begins_with", "TWO_"),)


def test_partition_prefixes_come_before_required_attributes() -> None:
    class One(Item):
        pk: Annotated[str, Attribute(prefix="ONE_")]
        one: str

    class Two(Item):
        pk: Annotated[str, Attribute(prefix="TWO_")]
        two: str

    class Three(Item):
        pk: Annotated[Literal["x"], Attribute(prefix="TWO")] = "x"
        three: str

    schema, (one, two, three) = table(One, Two, Three, raw=Tokens)
    assert schema.marks(one) == (Mark("pk", "begins_with", "ONE_"),)
    assert schema.marks(two) == (Mark("pk", "begins_with", "TWO_"),)
    assert schema.marks(three) == (Mark("pk", "equals", "TWOx"),)


def test_one_mark_may_tell_from_several_types() -> None:
    class Third(Item):
        pk: str
        sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
        third: str

    schema, (album, playlist, third) = table(Album, Playlist, Third)
    assert schema.marks(album)[1:] == (Mark("artist", "exists"),)
    assert schema.marks(playlist)[1:] == (Mark("owner", "exists"),)
    assert schema.marks(third)[1:] == (Mark("third", "exists"),)


# In an index


def test_an_index_that_shows_nothing_of_the_kind() -> None:
    class Other(Item):
        pk: str
        sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
        owner: str
        artist: str | None = None
        year: int | None = None
        label: str

    class Mine(Item):
        pk: str
        sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
        first: str
        year: int
        label: str | None = None

    schema, (mine, _) = table(Mine, Other)
    index = schema.raw.indexes["by_year"]
    # It projects neither "first" nor "owner", and its key and "label" both types have.
    assert schema.marks(mine)[1:] == (Mark("first", "exists"),)
    with pytest.raises(TypeError) as error:
        schema.marks(mine, index)
    assert str(error.value) == (
        "Table: nothing that the index 'by_year' projects tells Mine and Other apart; give their sort keys different "
        "prefixes, or project first or owner"
    )


def test_marks_of_an_index() -> None:
    class Other(Item):
        pk: str
        sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
        title: str

    schema, (album, other) = table(Album, Other)
    raw = schema.raw
    # Its own key of the index is there by itself.
    assert schema.marks(album, raw.indexes["by_artist"])[1:] == (Mark("artist", "exists"),)
    # A key of the index that the other has to have is in every row of it, so that what is projected must tell.
    assert schema.marks(album, raw.indexes["by_year"])[1:] == (Mark("title", "absent"),)
    assert schema.marks(other, raw.indexes["by_artist"])[1:] == (Mark("title", "exists"),)


def test_prefixes_are_in_every_index() -> None:
    schema, (_, track) = table(Album, Track)
    assert schema.marks(track, schema.raw.indexes["by_title"]) == (Mark("sk", "begins_with", "TRACK_"),)


@pytest.mark.parametrize(
    ("index", "attributes"),
    [
        ("by_artist", {"pk", "sk", "artist", "title", "year", "label", "other"}),
        ("by_title", {"pk", "sk", "title"}),
        ("by_year", {"pk", "sk", "year", "title", "label"}),
    ],
)
def test_what_an_index_projects(index: str, attributes: set[str]) -> None:
    raw = raw_declaration_of(Row, {})
    known = ("pk", "sk", "artist", "title", "year", "label", "other")
    assert {name for name in known if projects(raw, raw.indexes[index], name)} == attributes


# Rows


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"sk": {"S": "INFO_"}, "artist": {"S": "x"}}, Album),
        ({"sk": {"S": "INFO_"}, "owner": {"S": "x"}}, Playlist),
        ({"sk": {"S": "INFO_"}}, None),
        ({"sk": {"S": "INFO_x"}, "artist": {"S": "x"}}, None),
        ({"sk": {"S": "TRACK_1"}}, Track),
        ({"sk": {"S": "TRACK"}}, None),
        ({"sk": {"N": "1"}}, None),
        ({"sk": "TRACK_1"}, None),
        ({}, None),
    ],
)
def test_the_type_of_a_row(row: dict[str, Any], expected: type[Item] | None) -> None:
    schema, _ = table(Album, Playlist, Track)
    item = schema.item_of(row)
    assert (item and item.item_type) is expected


@pytest.mark.parametrize(
    ("mark", "holds", "fails"),
    [
        (Mark("x", "exists"), [{"x": {"NULL": True}}], [{}, {"y": {"S": "x"}}]),
        (Mark("x", "absent"), [{}], [{"x": {"NULL": True}}]),
        (Mark("x", "equals", "a"), [{"x": {"S": "a"}}], [{}, {"x": {"S": "ab"}}, {"x": {"N": "1"}}]),
        (Mark("x", "begins_with", "a"), [{"x": {"S": "a"}}, {"x": {"S": "ab"}}], [{}, {"x": {"S": "b"}}, {"x": {}}]),
    ],
)
def test_marks(mark: Mark, holds: list[Any], fails: list[Any]) -> None:
    assert [mark.holds(row) for row in holds] == [True] * len(holds)
    assert [mark.holds(row) for row in fails] == [False] * len(fails)


def constant(text: str) -> KeyAttribute:
    return TextKey("sk", (KeyPart("sk", text, "", TEXT, constant=""),))


def variable(text: str) -> KeyAttribute:
    return TextKey("sk", (KeyPart("sk", text, "", TEXT),))


@pytest.mark.parametrize(
    ("one", "other", "disjoint"),
    [
        (constant("A"), constant("A"), False),
        (constant("A"), constant("AB"), True),
        (variable("A"), variable("A"), False),
        (variable("A"), variable("AB"), False),
        (variable("A"), variable("B"), True),
        (constant("A"), variable("A"), False),
        (constant("A"), variable("AB"), True),
        (constant("AB"), variable("A"), False),
        (constant("A"), variable("B"), True),
        (ScalarKey("sk", "N", "sk", codec_for(int)), variable("A"), False),
    ],
)
def test_keys_that_never_meet(one: KeyAttribute, other: KeyAttribute, disjoint: bool) -> None:
    assert _disjoint(one, other) is disjoint
    assert _disjoint(other, one) is disjoint
