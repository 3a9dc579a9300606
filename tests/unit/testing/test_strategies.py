"""Drawn items and keys are valid for their models, are stored, and read back as they were."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter as Counts
from collections import OrderedDict, defaultdict, deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag
from ipaddress import IPv4Address
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypeVar
from uuid import UUID

import annotated_types
import pytest
from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FutureDate,
    FutureDatetime,
    Json,
    JsonValue,
    PastDate,
    PastDatetime,
    PlainSerializer,
    RootModel,
    Secret,
    SecretBytes,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from typing_extensions import TypeAliasType, TypedDict

from examples.music.models import AlbumInfo, AlbumTrack, MusicTable
from logicaldb import (
    Attribute,
    Counter,
    CreatedAt,
    EncodingError,
    IndexKey,
    InlineView,
    Item,
    ItemKey,
    LogicalTable,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
    TimeToLive,
    Version,
)
from logicaldb.schema.items import SCHEMA
from logicaldb.testing.strategies import bound_key, items, keys, made_key, values_of
from tests.unit.operations import models

X = TypeVar("X")
U = TypeVar("U", bound=int)


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    due: Annotated[str | None, PartitionKey(index="by_due")] = None
    data: Annotated[bytes | None, PartitionKey(index="by_data")] = None


class Color(Enum):
    RED = "red"
    BLUE = 2


class Level(IntEnum):
    LOW = 1
    HIGH = 200


class Sign(Enum):
    DASH = "-#"
    PLUS = "+"


class Access(IntFlag):
    READ = 1
    WRITE = 2


Token = NewType("Token", str)


class Scalars(Item):
    pk: str
    sk: Annotated[str, Attribute(prefix="SCALARS_")]
    text: str
    short: Annotated[str, Field(min_length=2, max_length=3)]
    code: Annotated[str, StringConstraints(pattern=r"^[a-c]{2,9}$", max_length=4)]
    starting: Annotated[str, Field(pattern="^a")]
    stripped: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
    token: Token
    data: bytes
    number: int
    even: Annotated[int, Field(ge=-4, lt=9, multiple_of=2)]
    digit: Annotated[int, annotated_types.Interval(gt=0, le=9), Field(ge=2)]
    odd: Annotated[int, annotated_types.Predicate(lambda number: number % 2 == 1)]
    ratio: float
    share: Annotated[float, Field(gt=0, le=1)]
    debt: Annotated[float, Field(lt=-1)]
    price: Decimal
    cents: Annotated[Decimal, Field(max_digits=5, decimal_places=2)]
    amount: Annotated[Decimal, Field(ge=Decimal("0.5"), le=7)]
    good: bool
    nothing: None
    day: date
    later: Annotated[date, Field(gt=date(2020, 1, 1))]
    born: PastDate
    dies: FutureDate
    moment: datetime
    aware: AwareDatetime
    since: Annotated[datetime, Field(ge=datetime(2020, 1, 1, tzinfo=UTC), lt=datetime(2021, 1, 1, tzinfo=UTC))]
    past: PastDatetime
    future: FutureDatetime
    clock: time
    morning: Annotated[time, Field(lt=time(12))]
    length: timedelta
    brief: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(1))]
    uuid: UUID
    color: Color
    access: Access
    choice: Literal["a", 1, b"x"]
    either: int | str | None
    secret: SecretStr
    hidden: SecretBytes
    sealed: Secret[date]
    shown: Annotated[int, PlainSerializer(str, return_type=str), BeforeValidator(int)]
    address: IPv4Address
    document: JsonValue
    anything: Any
    thing: object = None

    class Key(ItemKey["Scalars"]):
        pk: str
        sk: str | None = None


class Node(BaseModel):
    name: str
    children: list[Node] = []
    tags: set[str] = set()


class Pair(BaseModel, Generic[X]):
    model_config = ConfigDict(frozen=True)
    first: X
    second: X | None = None


class Box(BaseModel, Generic[U]):
    value: U


class Names(RootModel[list[str]]):
    pass


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str


class Size(TypedDict):
    width: int
    height: NotRequired[int]


class Point(NamedTuple):
    x: int
    y: int = 0


@dataclass
class Span:
    start: int
    end: Annotated[int, Field(ge=0)] = 0


class Even(BaseModel):
    number: int

    @field_validator("number")
    @classmethod
    def _even(cls, number: int) -> int:
        assert number % 2 == 0
        return number


Tree = TypeAliasType("Tree", "list[Tree] | int")


class Holders(Item):
    pk: str
    sk: Annotated[str, Attribute(prefix="HOLDERS_")]
    numbers: list[int]
    few: Annotated[list[Annotated[str, Field(max_length=1)]], Field(min_length=1, max_length=2)]
    plain: list  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    queue: deque[int]
    sequence: Sequence[int]
    fixed: Sequence[int] = (1, 2)
    pair: tuple[int, str]
    many: tuple[int, ...]
    tuples: tuple  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    tags: set[str]
    full: set[str] = {"x"}
    none_or_tags: set[str] | None = None
    empty_or_none: set[str] | None = set()
    some: Annotated[set[int], Field(min_length=1)]
    marks: frozenset[date] = frozenset()
    made: set[bytes] = Field(default_factory=set)
    abstract: AbstractSet[int] = frozenset()
    bare: set = set()  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    sets: list[set[int]]
    sizes: dict[str, int]
    by_data: dict[bytes, bool]
    by_color: Mapping[Color, list[int]]
    ordered: OrderedDict[str, int]
    counts: Counts[str]
    grouped: defaultdict[str, list[int]]
    plain_map: dict  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    track: AlbumTrack.Key
    tracks: list[AlbumTrack.Key]

    class Key(ItemKey["Holders"]):
        pk: str
        sk: str | None = None


class Structures(Item):
    pk: str
    sk: Annotated[str, Attribute(prefix="STRUCTURES_")]
    node: Node
    pair: Pair[int]
    box: Box  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]
    names: Names
    pet: Annotated[Cat | Dog, Discriminator("kind")]
    size: Size
    point: Point
    span: Span
    tree: Tree
    optional_node: Node | None = None

    class Key(ItemKey["Structures"]):
        pk: str
        sk: str | None = None


class Keyed(Item):
    """Every kind of part of a string key."""

    pk: Annotated[Token, Attribute("pk", prefix="")]
    sign: Annotated[Sign, Attribute("sk", prefix="KEYED_")]
    day: Annotated[date, Attribute("sk", prefix="-#")]
    level: Annotated[Level, Attribute("sk", prefix="#", width=2)]
    number: Annotated[int, Attribute("sk", prefix="#", width=3), Field(ge=5)]
    clock: Annotated[time, Attribute("sk", prefix="#")]
    moment: Annotated[datetime, Attribute("sk", prefix="#")]
    name: Annotated[str, Attribute("sk", prefix="#")]
    code: Annotated[str, Attribute("sk", prefix="#"), StringConstraints(pattern=r"^[#a]{1,3}$")]
    uuid: Annotated[UUID, Attribute("sk", prefix="#a")]
    queue: Annotated[str | None, Attribute("due", prefix="Q")] = None
    priority: Annotated[int | None, Attribute("due", prefix="#", width=2)] = None
    data: bytes | None = None

    class Key(ItemKey["Keyed"]):
        pk: Token
        sign: Sign | None = None
        day: date | None = None
        level: Level | None = None
        number: int | None = None
        clock: time | None = None
        moment: datetime | None = None
        name: str | None = None
        code: str | None = None
        uuid: UUID | None = None

    class DueKey(IndexKey["Keyed"], index="by_due"):
        queue: str
        priority: int

    class DataKey(IndexKey["Keyed"], index="by_data"):
        data: bytes


class Managed(Item):
    """What the mapper does something with."""

    pk: str
    sk: Annotated[Literal["x"], Attribute(prefix="MANAGED_")] = "x"
    version: Annotated[int, Version()] = 0
    stock: Annotated[int, Counter(initial=5, minimum=1, maximum=10)] = 5
    balance: Annotated[Decimal, Counter(minimum=Decimal("-0.5"))] = Decimal(0)
    created: Annotated[datetime | None, CreatedAt()] = None
    expires: Annotated[datetime | None, TimeToLive()] = None

    class Key(ItemKey["Managed"]):
        pk: str


class Even2(Item):
    """Its validators refuse much."""

    pk: str
    sk: Annotated[str, Attribute(prefix="EVEN_")]
    even: Even
    low: int
    high: int

    @model_validator(mode="after")
    def _in_order(self) -> Even2:
        assert self.low <= self.high
        return self

    class Key(ItemKey["Even2"]):
        pk: str
        sk: str | None = None


class Shouting(Item):
    """A validator makes of some texts what cannot be stored."""

    pk: str
    word: Annotated[
        str, Attribute("sk", prefix="SHOUTING_"), AfterValidator(lambda word: f"{word}#" if word > "A" else word)
    ]
    end: Annotated[str, Attribute("sk", prefix="#")]

    class Key(ItemKey["Shouting"]):
        pk: str
        word: str
        end: str


class Table(LogicalTable[Row]):
    shouting: InlineView[Shouting.Key, Shouting]
    scalars: InlineView[Scalars.Key, Scalars]
    holders: InlineView[Holders.Key, Holders]
    structures: InlineView[Structures.Key, Structures]
    keyed: InlineView[Keyed.Key, Keyed]
    managed: InlineView[Managed.Key, Managed]
    even: InlineView[Even2.Key, Even2]
    keyed_by_due: SecondaryIndex[Keyed.DueKey, Keyed]
    keyed_by_data: SecondaryIndex[Keyed.DataKey, Keyed]


class ExpiringRow(RawItem):
    pk: Annotated[str, PartitionKey()]


class Expiring(Item):
    """A time to live in seconds, and values without a known strategy."""

    pk: str
    expires: Annotated[int, TimeToLive()]

    class Key(ItemKey["Expiring"]):
        pk: str


class ExpiringTable(LogicalTable[ExpiringRow]):
    items: InlineView[Expiring.Key, Expiring]


TABLES: list[Any] = [
    MusicTable,
    models.ShopTable,
    models.PlainTable,
    models.NumberTable,
    models.BinaryTable,
    models.LoneTable,
    models.ThingTable,
    models.TallyTable,
    Table,
    ExpiringTable,
]
SCHEMAS = [schema for table in TABLES for schema in table.__logicaldb_table__.schema.items]
KEYS: list[Any] = [key for schema in SCHEMAS for key in schema.declaration.keys]


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
@given(data=st.data())
@settings(
    max_examples=25,
    phases=(Phase.generate,),  # to shrink items of so many fields takes minutes
    # One of several sets or maps in an item may have to be drawn again, and now and then that is called too often.
    suppress_health_check=(HealthCheck.filter_too_much, HealthCheck.too_slow),
)
def test_items_read_back(schema: Any, data: st.DataObject) -> None:
    item = data.draw(items(schema.item_type))
    assert type(item) is schema.item_type
    row = schema.encode(item)
    assert schema.decode(row) == item
    assert schema.encode(schema.decode(row)) == row
    for name, value in schema.constants.items():
        assert getattr(item, name) == value


@pytest.mark.parametrize("partial", [False, True])
@pytest.mark.parametrize("key_type", KEYS, ids=str)
@given(data=st.data())
@settings(max_examples=15)
def test_keys_are_whole_or_partial(key_type: Any, partial: bool, data: st.DataObject) -> None:
    key = data.draw(keys(key_type, partial=partial))
    assert type(key) is key_type
    given_fields = [name for name, value in key.__dict__.items() if value is not None]
    names = list(key_type.model_fields)
    assert given_fields == names[: len(given_fields)]
    if not partial:
        assert given_fields == names


@given(items(Managed))
def test_what_the_mapper_owns(item: Managed) -> None:
    assert item.version == 0
    assert 1 <= item.stock <= 10
    assert Decimal("-0.5") <= item.balance <= 10**12
    assert item.expires is None or item.expires.microsecond == 0


@given(items(Expiring))
def test_seconds_to_live(item: Expiring) -> None:
    assert 0 <= item.expires <= datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()


def can_be(strategy: st.SearchStrategy[Any], holds: Any) -> None:
    """Hold that a value is among those that are drawn."""
    find(strategy, holds, settings=settings(max_examples=500, phases=(Phase.generate,), database=None, deadline=None))


@pytest.mark.parametrize(
    ("item_type", "field", "holds"),
    [
        (Holders, "tags", lambda value: value == set()),
        (Holders, "full", lambda value: value == set()),
        (Holders, "none_or_tags", lambda value: value is None),
        (Holders, "empty_or_none", lambda value: value == set()),
        (Holders, "made", lambda value: value == set()),
        (Holders, "track", lambda value: value.track_number is None),
        (Holders, "track", lambda value: value.track_number is not None),
        (Structures, "node", lambda value: value.children),
        (Structures, "pet", lambda value: isinstance(value, Dog)),
        (Structures, "size", lambda value: "height" in value),
        (Structures, "tree", lambda value: isinstance(value, list) and value),
        (Scalars, "access", lambda value: value == Access.READ | Access.WRITE),
        (Scalars, "clock", lambda value: value.tzinfo is not None),
        (Scalars, "ratio", lambda value: 0 < abs(value) < 1),
        (Scalars, "ratio", lambda value: value < 0),
        (Scalars, "moment", lambda value: value.utcoffset()),
        (Keyed, "name", lambda value: "a" in value),
        (Keyed, "sign", lambda value: value is Sign.PLUS),
        (AlbumInfo, "label_name", lambda value: value is None),
        (AlbumInfo, "label_name", lambda value: value is not None),
    ],
)
def test_nothing_is_forgotten(item_type: Any, field: str, holds: Any) -> None:
    can_be(values_of(vars(item_type)[SCHEMA], field), holds)


def test_other_alternatives_are_left_out() -> None:
    """What would read back as another value is not drawn."""

    @given(items(Holders))
    @settings(max_examples=30, phases=(Phase.generate,))
    def check(item: Holders) -> None:
        assert item.none_or_tags != set()
        assert item.empty_or_none is not None
        assert item.some

    check()


@given(items(Keyed))
@settings(phases=(Phase.generate,))
def test_parts_of_keys(item: Keyed) -> None:
    assert item.pk
    assert item.sign is not Sign.DASH  # it runs into its separator
    assert item.level is not Level.HIGH  # it is too wide
    assert 5 <= item.number <= 999
    assert item.clock.tzinfo is None
    assert (item.queue is None) is (item.priority is None)
    assert item.data is None or item.data


@given(items(AlbumTrack, album_token="ALBUM_1", track_number=st.integers(1, 3)))
def test_fields_of_the_caller(track: AlbumTrack) -> None:
    assert track.album_token == "ALBUM_1"
    assert track.track_number in (1, 2, 3)


def test_a_field_that_is_not_there() -> None:
    with pytest.raises(TypeError) as refused:
        items(AlbumTrack, title="x")
    assert str(refused.value) == (
        "AlbumTrack has no field 'title'; its fields are album_token, track_number, track_title, run_length, play_count"
    )


BOUND_TRACK = bound_key(AlbumTrack.Key)


@given(st.sampled_from([-1, 1]).map(lambda number: made_key(BOUND_TRACK, {"album_token": "a", "track_number": number})))
def test_keys_that_cannot_be_stored_are_drawn_anew(key: AlbumTrack.Key) -> None:
    assert key == AlbumTrack.Key("a", 1)


def draw(strategy: st.SearchStrategy[Any]) -> None:
    """Draw one value."""

    @given(strategy)
    @settings(max_examples=1, database=None)
    def check(_: Any) -> None:
        pass

    check()


def test_a_value_of_the_caller_that_the_model_refuses() -> None:
    with pytest.raises(ValidationError, match="play_count\n  Input should be greater than or equal to 0"):
        draw(items(AlbumTrack, play_count=-1))


def test_a_value_of_the_caller_that_is_not_stored() -> None:
    with pytest.raises(EncodingError) as refused:
        draw(items(AlbumTrack, track_number=-1))
    assert str(refused.value) == "AlbumTrack.track_number: is negative, and a number in a string key is not"


class Loose(Item):
    pk: str

    class Key(ItemKey["Loose"]):
        pk: str


def test_an_item_type_without_a_table() -> None:
    expected = "Loose is in no table, which says how its keys are stored; declare a LogicalTable with a view of it"
    for make in (lambda: items(Loose), lambda: keys(Loose.Key)):
        with pytest.raises(TypeError) as refused:
            make()
        assert str(refused.value) == expected


def test_a_key_without_an_item_type() -> None:
    with pytest.raises(TypeError) as refused:
        keys(ItemKey)
    assert str(refused.value) == "ItemKey is no key of an item type"


class Image:
    """What only its own serializer knows."""

    def __init__(self, width: int) -> None:
        self.width = width

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Image) and other.width == self.width

    def __hash__(self) -> int:
        return hash(self.width)


Image.__init__.__annotations__.clear()  # so that hypothesis has nothing to go by


class Poster(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    image: Annotated[
        Image,
        PlainSerializer(lambda image: image.width, return_type=int),
        BeforeValidator(lambda image: image if isinstance(image, Image) else Image(image)),
    ]


class Odd(Item):
    pk: str
    poster: Poster | None = None

    class Key(ItemKey["Odd"]):
        pk: str


class Photo(Image):
    """What a test registers a strategy for."""


class Gallery(Item):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    pk: str
    photo: Annotated[
        Photo,
        PlainSerializer(lambda photo: photo.width, return_type=int),
        BeforeValidator(lambda photo: photo if isinstance(photo, Photo) else Photo(photo)),
    ]

    class Key(ItemKey["Gallery"]):
        pk: str


class GalleryTable(LogicalTable[ExpiringRow]):
    galleries: InlineView[Gallery.Key, Gallery]


class Picky:
    """What hypothesis would make, and cannot."""

    def __init__(self, width: int) -> None:
        raise ValueError(width)


class Choosy(Item):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    pk: str
    picky: Annotated[Picky, PlainSerializer(lambda _: 1, return_type=int)]

    class Key(ItemKey["Choosy"]):
        pk: str


class ChoosyTable(LogicalTable[ExpiringRow]):
    choosy: InlineView[Choosy.Key, Choosy]


class Encoded(Item):
    pk: str
    data: Json[list[int]]

    class Key(ItemKey["Encoded"]):
        pk: str


class OddTable(LogicalTable[ExpiringRow]):
    odd: InlineView[Odd.Key, Odd]


class EncodedTable(LogicalTable[ExpiringRow]):
    encoded: InlineView[Encoded.Key, Encoded]


UNKNOWN = (
    "{0}: nothing is known of the values of {1}; pass a strategy of them, items(..., {2}=...), or register one with "
    "hypothesis.strategies.register_type_strategy({1}, ...)"
)


def test_a_type_of_whose_values_nothing_is_known() -> None:
    with pytest.raises(TypeError) as refused:
        items(Odd)
    assert str(refused.value) == UNKNOWN.format("Odd.poster", "Image", "poster")


def test_a_type_that_hypothesis_fails_to_make() -> None:
    with pytest.raises(TypeError) as refused:
        draw(items(Choosy))
    assert str(refused.value) == UNKNOWN.format("Choosy.picky", "Picky", "picky")


def test_a_strategy_of_the_caller_for_it() -> None:
    can_be(items(Odd, poster=st.builds(Poster, image=st.just(Image(3)))), lambda item: item.poster.image.width == 3)


def test_a_registered_strategy_for_it() -> None:
    st.register_type_strategy(Photo, st.integers(0, 9).map(Photo))
    can_be(items(Gallery), lambda item: item.photo.width == 9)


def test_a_type_that_is_encoded() -> None:
    with pytest.raises(TypeError) as refused:
        items(Encoded)
    assert str(refused.value) == UNKNOWN.format("Encoded.data", "list[int]", "data")


def test_hypothesis_is_needed() -> None:
    script = "import sys; sys.modules['hypothesis'] = None\nimport logicaldb.testing.strategies"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    last = found.stderr.strip().splitlines()[-1]
    assert last == (
        'ImportError: logicaldb.testing.strategies and .laws need hypothesis: pip install "logicaldb[testing]"'
    )
