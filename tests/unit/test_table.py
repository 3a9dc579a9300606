"""Tables declare views by annotations; on an instance these are the views."""

# What is wrong here is wrong on purpose.
# pyright: reportIncompatibleVariableOverride=false, reportIncompatibleMethodOverride=false, reportUnusedClass=false

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import pytest
from typing_extensions import TypeAliasType

from logicaldb import (
    Attribute,
    CollectionView,
    DecodingError,
    EncodingError,
    IndexKey,
    IndexView,
    InlineView,
    Item,
    ItemCollection,
    ItemKey,
    LogicalTable,
    M,
    PartitionKey,
    RawItem,
    RawView,
    SecondaryIndex,
    SortKey,
    Sync,
    TimeToLive,
    View,
)
from logicaldb.items import raw_declaration_of
from logicaldb.operations.times import utc_now
from logicaldb.schema.views import TableDeclaration


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    title: Annotated[str | None, SortKey(index="by_title")] = None


class Album(Item):
    token: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    artist: str
    until: Annotated[int | None, TimeToLive()] = None

    class Key(ItemKey["Album"]):
        token: str


class Track(Item):
    token: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="TRACK_", width=3)]
    title: str
    expires: Annotated[int | None, TimeToLive(), Attribute("until")] = None

    class Key(ItemKey["Track"]):
        token: str
        number: int | None = None

    class ByTitle(IndexKey["Track"], index="by_title"):
        token: str
        title: str | None = None


class Music(LogicalTable[Row, M]):
    albums: InlineView[Album.Key, Album]
    tracks: InlineView[Track.Key, Track]
    by_title: SecondaryIndex[Track.ByTitle, Track]
    everything: ItemCollection[Album.Key, Album | Track]
    limit: ClassVar[int] = 3


def of(table: type[LogicalTable[Any, Any]]) -> TableDeclaration:
    return table.__logicaldb_table__


def make(table: type[LogicalTable[Any, Any]] = Music) -> Any:
    """A table on nothing: what it declares, and its codecs, need no transport."""
    transport: Any = None
    return table("music_items", transport, utc_now, 1)


ALBUM = Album(token="T", artist="x")
ALBUM_ROW = {"pk": {"S": "T"}, "sk": {"S": "INFO_"}, "artist": {"S": "x"}}


def test_a_declaration() -> None:
    table = of(Music)
    assert table.raw is raw_declaration_of(Row, {})
    assert list(table.views) == ["albums", "tracks", "by_title", "everything"]
    assert [item.item_type for item in table.schema.items] == [Album, Track]
    assert table.ttl_attributes == ("until",)
    assert Music.limit == 3


def test_views_on_the_instance() -> None:
    table = make()
    assert type(table.albums) is View
    assert type(table.by_title) is IndexView
    assert type(table.everything) is CollectionView
    assert type(table.raw) is RawView
    assert table.table_name == "music_items"
    assert table.albums is table.albums
    assert table.albums is not make().albums
    assert [(item_type, name) for item_type, name, _ in table.item_views()] == [(Album, "albums"), (Track, "tracks")]


def test_views_on_the_class_are_declarations() -> None:
    assert isinstance(Music.albums, InlineView)


def test_views_cannot_be_set() -> None:
    table = make()
    with pytest.raises(AttributeError) as error:
        table.albums = table.tracks
    assert str(error.value) == "Music.albums is a view and cannot be set"


# Rows in wire form


def test_codecs() -> None:
    codec = make().codec(Album)
    assert codec.encode(ALBUM) == ALBUM_ROW
    assert codec.decode(ALBUM_ROW) == ALBUM
    assert codec.decode({**ALBUM_ROW, "unknown": {"S": "x"}}) == ALBUM
    with pytest.raises(EncodingError) as error:
        codec.encode(Album(token="", artist="x"))
    assert str(error.value) == "Album.token: is an empty string, and the key attribute pk cannot be"


def test_a_codec_of_an_unknown_type() -> None:
    class Other(Album):
        pass

    with pytest.raises(TypeError) as error:
        make().codec(Other)
    assert str(error.value) == "Music has no view of Other"


def test_rows_of_any_type() -> None:
    table = make()
    track = Track(token="T", number=1, title="x")
    assert table.decode(ALBUM_ROW) == ALBUM
    assert table.decode(table.codec(Track).encode(track)) == track


def test_a_row_of_no_type() -> None:
    with pytest.raises(DecodingError) as error:
        make().decode({"pk": {"S": "T"}, "sk": {"S": "OTHER_"}, "artist": {"S": "secret"}})
    assert str(error.value) == "the row pk='T', sk='OTHER_' is none of the types of Music: Album, Track"
    assert error.value.key == {"pk": "T", "sk": "OTHER_"}


# Inheritance


class Extended(Music):
    albums_again: InlineView[Album.Key, Album]


class Moded(Music[Sync]):
    """Derived from a table with a mode."""


class Albums(LogicalTable[Row]):
    albums: InlineView[Album.Key, Album]


class Tracks(LogicalTable[Row]):
    tracks: InlineView[Track.Key, Track]


class Both(Albums, Tracks):
    """Derived from two tables, with a view of its own."""

    everything: ItemCollection[Album.Key, Album | Track]


class Overridden(Both):
    tracks: ItemCollection[Album.Key, Album | Track]  # type: ignore[assignment]  # another kind of view


def test_tables_take_on_the_views_of_those_they_derive_from() -> None:
    assert list(of(Extended).views) == ["albums", "tracks", "by_title", "everything", "albums_again"]
    assert list(of(Both).views) == ["tracks", "albums", "everything"]
    assert list(of(Moded).views) == ["albums", "tracks", "by_title", "everything"]
    assert of(Moded).raw is of(Music).raw
    assert type(make(Extended).albums) is View
    assert type(make(Both).everything) is CollectionView
    assert list(of(Albums).views) == ["albums"]


def test_views_can_be_declared_again() -> None:
    assert type(make(Overridden).tracks) is CollectionView
    assert type(make(Both).tracks) is View


def test_one_type_has_one_schema() -> None:
    assert of(Albums).schema.items[0] is of(Music).schema.items[0]


Anything = TypeAliasType("Anything", "Album | Track")


def test_aliases_of_several_types() -> None:
    class Aliased(LogicalTable[Row]):
        everything: ItemCollection[Album.Key, Anything]

    assert [item.item_type for item in of(Aliased).schema.items] == [Album, Track]


def test_a_local_index_may_lack_attributes() -> None:
    """DynamoDB fetches them from the table."""

    class KeysOnly(RawItem):
        pk: Annotated[str, PartitionKey()]
        sk: Annotated[str, SortKey()]
        title: Annotated[str | None, SortKey(index="by_title", projection="KEYS_ONLY")] = None

    class Song(Item):
        token: Annotated[str, Attribute("pk")]
        number: Annotated[int, Attribute("sk", width=3)]
        title: str
        text: str

        class Key(ItemKey["Song"]):
            token: str
            number: int

        class ByTitle(IndexKey["Song"], index="by_title"):
            token: str
            title: str | None = None

    class Songs(LogicalTable[KeysOnly]):
        by_title: SecondaryIndex[Song.ByTitle, Song]

    assert set(make(Songs).by_title._source.projection) == {"pk", "sk", "title", "text"}


def test_a_collection_of_one_type() -> None:
    class Single(LogicalTable[Row]):
        everything: ItemCollection[Track.Key, Track]

    assert of(Single).views["everything"].declaration.item_types == (Track,)


def test_rows_of_a_collection() -> None:
    source = make().everything._source
    assert source.decode(ALBUM_ROW) == ALBUM
    assert source.decode({"pk": {"S": "T"}, "sk": {"S": "OTHER_"}}) is None
    assert set(source.projection) == {"pk", "sk", "artist", "until", "title"}


def test_a_table_that_is_refused_leaves_its_types_as_they_were() -> None:
    class Lonely(Item):
        token: Annotated[str, Attribute("pk")]
        sk: Annotated[str, Attribute(prefix="LONELY_")] = "x"

        class Key(ItemKey["Lonely"]):
            token: str

    with pytest.raises(TypeError, match="is a name that LogicalTable keeps for itself"):

        class Wrong(LogicalTable[Row]):
            codec: InlineView[Lonely.Key, Lonely]  # type: ignore[assignment]  # what is refused

    assert Lonely(token="T", sk="y").sk == "y"

    class Right(LogicalTable[Row]):
        lonely: InlineView[Lonely.Key, Lonely]

    with pytest.raises(ValueError, match="is a constant of the primary key, 'x'"):
        Lonely(token="T", sk="y")
    assert of(Right).schema.items[0].constants == {"sk": "x"}
