"""Items are pydantic models, and work as such."""

# Subclasses declare keys of their own, and classes that are wrong on purpose are never used.
# pyright: reportIncompatibleVariableOverride=false, reportUnusedClass=false

from __future__ import annotations

import copy
import gc
import pickle
import sys
import weakref
from datetime import date
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, Literal, NewType, TypeVar

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    computed_field,
    create_model,
    field_validator,
    model_validator,
)

from logicaldb import (
    Attribute,
    Counter,
    DeclarationError,
    EncodingError,
    InlineView,
    Item,
    ItemKey,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    Version,
)
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.paths import Path
from logicaldb.schema.items import ItemSchema
from tests.unit.schema.support import PLACES, declared, refusal

T = TypeVar("T")
TrackNumber = NewType("TrackNumber", int)


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Track(Item):
    token: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="TRACK_", width=3)]
    title: Annotated[str, Field(max_length=10)] = "?"
    tags: tuple[str, ...] = ()

    class Key(ItemKey["Track"]):
        token: str
        number: int | None = None


def schema_of(item_type: type[Item]) -> ItemSchema:
    return ItemSchema(declaration_of(item_type, {}), raw_declaration_of(Row, {}))


def round_trip(item: Item) -> dict[str, Any]:
    """The row of an item, after a look that it reads back as the same."""
    schema = schema_of(type(item))
    row = schema.encode(item)
    assert schema.decode(row) == item
    return row


def errors_of(error: pytest.ExceptionInfo[ValidationError]) -> list[tuple[tuple[int | str, ...], str]]:
    return [(found["loc"], found["type"]) for found in error.value.errors()]


# What an item is


def test_items_are_frozen_and_hashable() -> None:
    track = Track(token="T", number=1)
    with pytest.raises(ValidationError) as error:
        setattr(track, "title", "Two")  # noqa: B010 - the checkers know better
    assert errors_of(error) == [(("title",), "frozen_instance")]
    assert {track, Track(token="T", number=1)} == {track}


def test_items_forbid_what_is_not_declared() -> None:
    given: dict[str, Any] = {"token": "T", "number": 1, "titel": "One"}
    with pytest.raises(ValidationError) as error:
        Track(**given)
    assert errors_of(error) == [(("titel",), "extra_forbidden")]


class Loose(Track):
    model_config = ConfigDict(frozen=False, extra="ignore")

    class Key(ItemKey["Loose"]):
        token: str
        number: int | None = None


class Open(Track):
    model_config = ConfigDict(extra="allow")

    class Key(ItemKey["Open"]):
        token: str
        number: int | None = None


def test_their_own_configuration_says_otherwise() -> None:
    given: dict[str, Any] = {"token": "T", "number": 1, "titel": "One"}
    loose = Loose(**given)
    setattr(loose, "title", "Two")  # noqa: B010 - frozen, as far as the checkers know
    assert loose.title == "Two"
    assert not hasattr(loose, "titel")
    assert round_trip(loose)["title"] == {"S": "Two"}


def test_what_is_allowed_and_not_declared_is_not_stored_silently() -> None:
    given: dict[str, Any] = {"token": "T", "number": 1, "titel": "One"}
    item = Open(**given)
    with pytest.raises(EncodingError) as error:
        schema_of(Open).encode(item)
    assert str(error.value) == "Open.titel: is not declared, so it would not be stored; declare the field"
    assert item.replace(title="Two").__pydantic_extra__ == {"titel": "One"}
    assert round_trip(Open(token="T", number=1))["pk"] == {"S": "T"}


@pytest.mark.parametrize("item_type", [Track, Loose, Open])
def test_unknown_attributes_of_a_row_never_fail_a_load(item_type: type[Track]) -> None:
    row = {"pk": {"S": "T"}, "sk": {"S": "TRACK_001"}, "unknown": {"S": "x"}}
    item = schema_of(item_type).decode(row)
    assert item == item_type(token="T", number=1)
    assert not item.__pydantic_extra__


# A copy with changes


def test_replace() -> None:
    track = Track(token="T", number=1)
    assert track.replace(title="Two") == Track(token="T", number=1, title="Two")
    assert track.replace() == track
    assert track.title == "?"
    assert type(Loose(token="T", number=1).replace(number=2)) is Loose


def test_replace_validates() -> None:
    with pytest.raises(ValidationError) as error:
        Track(token="T", number=1).replace(title="a title that is too long")
    assert errors_of(error) == [(("title",), "string_too_long")]


@pytest.mark.parametrize("item_type", [Track, Open])
def test_replace_knows_the_fields(item_type: type[Track]) -> None:
    with pytest.raises(TypeError) as error:
        item_type(token="T", number=1).replace(titel="Two")
    assert str(error.value) == f"{item_type.__name__} has no field 'titel'"


# Whatever pydantic does


class Stamp(BaseModel, frozen=True):
    """A mixin that is a model."""

    made: date = date(2026, 1, 2)


class Rated:
    """A mixin that is none."""

    rating: int = 0


def check_title(title: str) -> str:
    if title == "bad":
        raise ValueError("is bad")
    return title


class Song(Stamp, Rated, Track):
    kind: ClassVar[str] = "song"
    title: Annotated[str, AfterValidator(check_title)] = Field("Song", alias="songTitle")
    lyrics: str = Field("LA", validation_alias="text", serialization_alias="words")
    _plays: int = PrivateAttr(default=3)

    class Key(ItemKey["Song"]):
        token: str
        number: int | None = None

    @field_validator("lyrics")
    @classmethod
    def _shout(cls, lyrics: str) -> str:
        return lyrics.upper()

    @model_validator(mode="after")
    def _not_both(self) -> Song:
        if self.title == self.lyrics:
            raise ValueError("the title is the text")
        return self

    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
    @property
    def shout(self) -> str:
        return self.title + "!"

    @cached_property
    def words(self) -> int:
        return len(self.lyrics.split())


def song(**given: Any) -> Song:
    return Song(token="T", number=1, **given)


def test_mixins_and_redeclared_fields() -> None:
    assert set(Song.model_fields) == {"token", "number", "title", "tags", "rating", "made", "lyrics"}
    assert song().title == "Song"
    assert Track(token="T", number=1).title == "?"
    assert song(songTitle="A title that is rather long").title == "A title that is rather long"


def test_aliases_play_no_part_in_rows() -> None:
    row = round_trip(song(songTitle="One", text="x"))
    assert row.keys() == {"pk", "sk", "title", "made", "rating", "lyrics"} | {"tags"}
    assert (row["title"], row["lyrics"]) == ({"S": "One"}, {"S": "X"})
    assert song(songTitle="One").replace(title="Two", lyrics="y").title == "Two"


def test_validators_and_private_attributes() -> None:
    with pytest.raises(ValidationError) as error:
        song(songTitle="bad")
    assert errors_of(error) == [(("songTitle",), "value_error")]
    with pytest.raises(ValidationError):
        song(songTitle="LA", text="la")
    assert song(text="la").lyrics == "LA"
    assert song()._plays == 3
    assert Song.kind == "song"


def test_what_is_computed_is_not_stored() -> None:
    item = song()
    assert (item.shout, item.words) == ("Song!", 1)
    assert "words" in item.__dict__
    assert item.replace(title="Two").shout == "Two!"
    assert round_trip(item).keys().isdisjoint({"shout", "words"})


def test_pickle_and_copies() -> None:
    item = song(songTitle="One")
    assert pickle.loads(pickle.dumps(item)) == item
    assert copy.copy(item) == copy.deepcopy(item) == item.model_copy() == item
    assert copy.deepcopy(Song) is Song
    assert pickle.loads(pickle.dumps(Song)) is Song


def test_json() -> None:
    class Plain(BaseModel):
        model_config = ConfigDict(extra="forbid", title="Track")

        token: str
        number: int
        title: Annotated[str, Field(max_length=10)] = "?"
        tags: tuple[str, ...] = ()

    assert Track.model_json_schema() == Plain.model_json_schema()
    track = Track(token="T", number=1, tags=("x",))
    assert Track.model_validate_json(track.model_dump_json()) == track
    assert track.model_dump() == {"token": "T", "number": 1, "title": "?", "tags": ("x",)}
    assert TypeAdapter(list[Track]).validate_python([track.model_dump()]) == [track]
    assert track.model_dump(exclude_unset=True) == {"token": "T", "number": 1, "tags": ("x",)}


def test_rebuilding() -> None:
    assert Track.model_rebuild() is None
    assert Track.model_rebuild(force=True) is True
    assert round_trip(Track(token="T", number=1))["sk"] == {"S": "TRACK_001"}


def test_classes_made_by_pydantic() -> None:
    made = create_model("Made", __base__=Track, year=(int, 2026))
    assert made(token="T", number=1).model_dump()["year"] == 2026


class Box(Item, Generic[T]):
    token: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="BOX_")] = ""
    content: T


class DateBox(Box[date]):
    class Key(ItemKey["DateBox"]):
        token: str


def test_generic_items() -> None:
    assert round_trip(DateBox(token="T", content=date(2026, 1, 2)))["content"] == {"S": "2026-01-02"}
    assert round_trip(Box[int](token="T", content=3))["content"] == {"N": "3"}
    assert isinstance(DateBox.content, Path)
    with pytest.raises(ValidationError):
        DateBox.model_validate({"token": "T", "content": "x"})


def test_generic_items_of_local_types() -> None:
    class Local(BaseModel):
        x: int

    class LocalBox(Box[Local]):
        class Key(ItemKey["LocalBox"]):
            token: str

    assert round_trip(LocalBox(token="T", content=Local(x=1)))["content"] == {"M": {"x": {"N": "1"}}}


class Late(Track):
    model_config = ConfigDict(defer_build=True)

    class Key(ItemKey["Late"]):
        token: str
        number: int | None = None


def test_classes_that_are_built_late() -> None:
    assert round_trip(Late(token="T", number=1))["sk"] == {"S": "TRACK_001"}


# Fields on the class


def test_fields_are_paths_on_the_class() -> None:
    for name in Track.model_fields:
        path = getattr(Track, name)
        assert isinstance(path, Path)
        assert repr(path) == f"Track.{name}"
    assert repr(Song.title) == "Song.title"
    assert Track(token="T", number=1).number == 1


def test_what_is_no_field_is_no_path() -> None:
    for cls, name in ((Track, "titel"), (Item, "token"), (Row, "token"), (Song, "_nothing")):
        with pytest.raises(AttributeError) as error:
            getattr(cls, name)
        assert str(error.value) == f"{cls.__name__} has no field or attribute {name!r}"
    assert not hasattr(Track(token="T", number=1), "titel")
    assert Song.__private_attributes__.keys() == {"_plays"}


def test_raw_items_have_paths_too() -> None:
    path: Any = Row.pk
    assert repr(path) == "Row.pk"


def test_a_class_whose_making_failed_leaves_paths_working() -> None:
    make: Any = type(Track)
    with pytest.raises(DeclarationError):
        make("Broken", (Track,), {"__module__": __name__, "__annotations__": {"copy": str}})
    assert isinstance(Track.title, Path)


# Names that are taken


class Copies(Item):
    token: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="COPIES_")] = ""
    copy_: Annotated[str, Attribute("copy")]
    model_config: ClassVar[ConfigDict] = ConfigDict(str_strip_whitespace=True)

    class Key(ItemKey["Copies"]):
        token: str


def test_the_way_out_of_a_taken_name() -> None:
    assert round_trip(Copies(token="T", copy_=" x "))["copy"] == {"S": "x"}


# Where class statements stand

LOCAL = """
    class Colour(Enum):
        RED = "red"

    Token = NewType("Token", str)

    class Address(BaseModel):
        city: str

    class LocalRow(RawItem):
        pk: Annotated[Token | str, PartitionKey()] if False else Annotated[str, PartitionKey()]
        sk: Annotated[str, SortKey()]

    class Track(Item):
        token: Annotated[Token, Attribute("pk")]
        colour: Annotated[Colour, Attribute("sk", prefix="C_")]
        address: Address
        others: list["Track.Key"] = []

        class Key(ItemKey["Track"]):
            token: Token
            colour: Colour | None = None

        @computed_field
        @property
        def town(self) -> Address:
            return self.address

    class Table(LogicalTable[LocalRow]):
        tracks: InlineView[Track.Key, Track]
        quoted: "InlineView[Track.Key, Track]"
        inside: InlineView["Track.Key", "Track"]
        number: ClassVar[int] = 3
"""


@pytest.mark.parametrize("place", PLACES)
def test_local_types(place: str) -> None:
    with declared(LOCAL, place) as names:
        (schema,) = names.Table.__logicaldb_table__.schema.items
        key = names.Track.Key
        item = names.Track(token="T", colour="red", address={"city": "Bern"}, others=[key("T", "red"), key("U")])
        row = schema.encode(item)
        assert row["sk"] == {"S": "C_red"}
        assert schema.decode(row) == item
        assert item.town.city == "Bern"
        assert list(names.Table.__logicaldb_table__.views) == ["tracks", "quoted", "inside"]


GENERIC = """
    class Content(BaseModel):
        x: int

    class Box{parameters}(Item{base}):
        token: Annotated[str, Attribute("pk")]
        sk: Annotated[Literal[""], Attribute(prefix="BOX_")] = ""
        content: T

    class Mine(Box[Content]):
        other: Content

        class Key(ItemKey["Mine"]):
            token: str

    class Table(LogicalTable[Row]):
        boxes: InlineView[Mine.Key, Mine]
"""
GENERICS = [GENERIC.format(parameters="", base=", Generic[T]").replace("\n", '\n    T = TypeVar("T")\n', 1)]
if sys.version_info >= (3, 12):
    GENERICS.append(GENERIC.format(parameters="[T]", base=""))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("source", GENERICS)
def test_generic_classes(source: str, place: str) -> None:
    with declared(source, place) as names:
        (schema,) = names.Table.__logicaldb_table__.schema.items
        item = names.Mine(token="T", content={"x": 1}, other={"x": 2})
        assert schema.encode(item)["content"] == {"M": {"x": {"N": "1"}}}
        assert schema.decode(schema.encode(item)) == item


def test_references_to_what_comes_later() -> None:
    source = """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]
            sk: Annotated[Literal[""], Attribute(prefix="T_")] = ""
            side: Side
            next: Album | None = None

            class Key(ItemKey["Track"]):
                token: str

        class LateRow(RawItem):
            pk: Annotated[Name, PartitionKey()]
            sk: Annotated[str, SortKey()]

        Side = Literal["A", "B"]
        Name = str

        class Album(BaseModel):
            title: str

        assert not Track.__pydantic_complete__

        class Table(LogicalTable[LateRow]):
            tracks: InlineView[Track.Key, Track]
    """
    for place in PLACES[1:]:
        with declared(source, place) as names:
            (schema,) = names.Table.__logicaldb_table__.schema.items
            item = names.Track(token="T", side="A", next={"title": "x"})
            assert schema.encode(item)["next"] == {"M": {"title": {"S": "x"}}}
            assert repr(names.Track.side) == "Track.side"


def test_a_key_whose_type_comes_later() -> None:
    source = """
        class Track(Item):
            token: Annotated[Token, Attribute("pk")]
            sk: Annotated[Literal[""], Attribute(prefix="T_")] = ""

            class Key(ItemKey["Track"]):
                token: Token

        Token = NewType("Token", str)

        class Table(LogicalTable[Row]):
            tracks: InlineView[Track.Key, Track]
    """
    for place in PLACES[1:]:
        with declared(source, place) as names:
            assert names.Track.Key("x").token == "x"


UNRESOLVED = {
    "of an item": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]
            side: Sied

            class Key(ItemKey["Track"]):
                token: str

        class Table(LogicalTable[Row]):
            tracks: InlineView[Track.Key, Track]
        """,
        "Track",
        "Sied",
    ),
    "of a model in an item": (
        """
        class Album(BaseModel):
            side: list[Sied]

        class Track(Item):
            token: Annotated[str, Attribute("pk")]
            album: Album

            class Key(ItemKey["Track"]):
                token: str

        class Table(LogicalTable[Row]):
            tracks: InlineView[Track.Key, Track]
        """,
        "Track",
        "Sied",
    ),
    "of a key": (
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: Name

        class Table(LogicalTable[Row]):
            tracks: InlineView[Track.Key, Track]
        """,
        "Track.Key",
        "Name",
    ),
    "of a raw item": (
        """
        class LateRow(RawItem):
            pk: Annotated[Name, PartitionKey()]

        class Table(LogicalTable[LateRow]):
            pass
        """,
        "LateRow",
        "Name",
    ),
    "of a table": (
        """
        class Table(LogicalTable[Row]):
            tracks: InlineView[Track.Key, Track]
        """,
        "Table",
        "Track",
    ),
    "inside an annotation of a table": (
        """
        class Table(LogicalTable[Row]):
            tracks: InlineView["Track.Key", "Track"]
        """,
        "Table",
        "Track",
    ),
    "of a database": (
        """
        class Db(LogicalDb):
            music: Annotated[Table, TableName("x")]
        """,
        "Db",
        "Table",
    ),
}


@pytest.mark.parametrize("place", PLACES[1:])
@pytest.mark.parametrize(("source", "class_name", "name"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_names_that_are_not_there(source: str, class_name: str, name: str, place: str) -> None:
    assert refusal(source, place) == (
        f"{class_name}: an annotation names {name!r}, which is not defined; "
        "define or import it before the table or database that needs it"
    )


class Data:
    """What a function holds beside its types."""


def test_classes_in_a_function_do_not_keep_its_data_alive() -> None:
    def make() -> tuple[type[Item], weakref.ref[Data]]:
        data = Data()

        class Local(BaseModel):
            x: int = 0

        class LocalTrack(Item):
            token: Annotated[str, Attribute("pk")]
            local: Local = Local()

            @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
            @property
            def again(self) -> Local:
                return self.local

        return LocalTrack, weakref.ref(data)

    item_type, data = make()
    gc.collect()
    assert data() is None
    assert item_type.model_rebuild(force=True) is True  # the types are still known


def test_the_names_of_the_library_mean_nothing_in_annotations() -> None:
    with declared(
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]
            x: namespace
            y: options
        """
    ) as names:
        assert not names.Track.__pydantic_complete__


# Constants


def constant_table() -> tuple[Any, Any]:
    class Album(Item):
        token: Annotated[str, Attribute("pk")]
        sk: Annotated[str, Attribute(prefix="A_")] = "ALBUM"
        side: Annotated[Literal["A", "B"], Attribute("sk", prefix="#")] = "A"
        made: date = date(2026, 1, 2)

        class Key(ItemKey["Album"]):
            token: str

        @computed_field  # type: ignore[prop-decorator]  # as pydantic's documentation has it
        @property
        def key(self) -> Album.Key:
            return Album.Key(self.token)

    class Albums(LogicalTable[Row]):
        albums: InlineView[Album.Key, Album]

    return Album, Albums


def test_constants_are_held_when_an_item_is_made() -> None:
    album, table = constant_table()
    (schema,) = table.__logicaldb_table__.schema.items
    assert schema.constants == {"sk": "ALBUM", "side": "A"}
    item = album(token="T")
    assert album(token="T", sk="ALBUM", side="A") == item
    assert schema.encode(item)["sk"] == {"S": "A_ALBUM#A"}
    assert schema.decode(schema.encode(item)) == item
    assert item.key == album.Key("T")
    for name, value, constant in (("sk", "OTHER", "'ALBUM'"), ("side", "B", "'A'")):
        with pytest.raises(ValidationError) as error:
            album(token="T", **{name: value})
        (found,) = error.value.errors()
        assert (found["loc"], found["msg"]) == ((name,), f"Value error, is a constant of the primary key, {constant}")


def test_constants_are_held_when_an_item_is_replaced() -> None:
    album, _ = constant_table()
    with pytest.raises(ValidationError):
        album(token="T").replace(side="B")


def test_a_literal_is_a_constant_by_itself() -> None:
    class Album(Item):
        token: Annotated[str, Attribute("pk")]
        sk: Annotated[Literal[""], Attribute(prefix="A_")] = ""

        class Key(ItemKey["Album"]):
            token: str

    validator = Album.__pydantic_validator__

    class Albums(LogicalTable[Row]):
        albums: InlineView[Album.Key, Album]

    assert Album.__pydantic_validator__ is validator
    with pytest.raises(ValidationError) as error:
        Album.model_validate({"token": "T", "sk": "x"})
    assert errors_of(error) == [(("sk",), "literal_error")]
    assert Albums.__logicaldb_table__.schema.items[0].constants == {"sk": ""}


def test_what_a_factory_makes_is_no_constant() -> None:
    numbers = iter(range(9))

    class Album(Item):
        token: Annotated[str, Attribute("pk")] = Field(default_factory=lambda: f"A{next(numbers)}")
        sk: Annotated[Literal[""], Attribute(prefix="A_")] = ""

        class Key(ItemKey["Album"]):
            token: str

    class Albums(LogicalTable[Row]):
        albums: InlineView[Album.Key, Album]

    assert [Album().token, Album().token, Album(token="x").token] == ["A0", "A1", "x"]
    assert Albums.__logicaldb_table__.schema.items[0].constants == {"sk": ""}
    assert Album.Key.of(Album()) == Album.Key("A2")


# Counters


class Played(Item):
    token: Annotated[str, Attribute("pk")]
    plays: Annotated[int, Counter(minimum=0, maximum=9)] = 0
    version: Annotated[int, Version()] = 0


@pytest.mark.parametrize(("count", "kind"), [(-1, "greater_than_equal"), (10, "less_than_equal")])
def test_a_count_outside_its_bounds_is_refused(count: int, kind: str) -> None:
    with pytest.raises(ValidationError) as error:
        Played(token="T", plays=count)
    assert errors_of(error) == [(("plays",), kind)]
    assert [Played(token="T", plays=number).plays for number in (0, 9)] == [0, 9]


def test_what_is_not_an_item_has_no_table() -> None:
    with pytest.raises(DeclarationError) as error:

        class Table(LogicalTable[Any]):
            pass

    assert str(error.value) == "Table: Any is not a raw item; derive it from logicaldb.RawItem"
