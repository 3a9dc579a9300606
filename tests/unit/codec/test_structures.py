"""Models, dataclasses, typed dicts and named tuples."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, NamedTuple, NotRequired, Required, TypeAlias, TypeVar

import pydantic
import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, RootModel, ValidationError, computed_field, with_config
from typing_extensions import TypedDict

from logicaldb.codec.fields import MISSING
from logicaldb.codec.structures import StructureCodec
from logicaldb.codec.types import codec_for
from tests.unit.codec.support import (
    assert_same,
    codec_of,
    read,
    refusal,
    there_and_back,
    unchecked,
    unsupported,
    without_codec,
    write,
)

if TYPE_CHECKING:
    Missing: TypeAlias = int

T = TypeVar("T")
WHEN = datetime(2026, 1, 2, tzinfo=UTC)
WHEN_TEXT = "2026-01-02T00:00:00.000000Z"


class Address(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    city: str
    since: date | None = None
    tags: set[str] = set()
    floors: int | None = 1


class Swiss(Address):
    canton: str = "BE"


class Aliased(BaseModel):
    city: str = Field(alias="CITY")
    other: int = Field(default=1, validation_alias="in", serialization_alias="out")


class Strict(BaseModel):
    model_config = ConfigDict(strict=True)
    when: datetime
    address: Address


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    city: str = Field(alias="town")


class Hidden(BaseModel):
    city: str = Field(exclude=True)
    _cache: int = PrivateAttr(default=0)

    @computed_field  # type: ignore[prop-decorator]  # as pydantic documents it
    @property
    def loud(self) -> str:
        return self.city.upper()


class Box(BaseModel, Generic[T]):
    item: T
    more: list[T] = []


class Tree(BaseModel):
    name: str
    left: Tree | None = None
    forest: dict[str, Tree] = {}


class Plain(BaseModel):
    """Without fields."""


@dataclasses.dataclass(frozen=True, slots=True)
class Spot:
    x: int
    seen: set[str] = dataclasses.field(default_factory=set)


@dataclasses.dataclass
class Counted:
    name: str
    length: int = dataclasses.field(init=False)
    other: int = dataclasses.field(init=False, default=7)

    def __post_init__(self) -> None:
        self.length = len(self.name)


@dataclasses.dataclass
class Nearer(Counted):
    distance: int = 0


@pydantic.dataclasses.dataclass
class Pydantic:
    city: str = Field(alias="CITY")
    when: datetime | None = None


@dataclasses.dataclass
class Sized(Generic[T]):
    item: T


class Movie(TypedDict):
    title: str
    year: NotRequired[int | None]
    tags: NotRequired[set[str]]


class Partial(TypedDict, total=False):
    title: Required[str]
    year: int


@with_config(ConfigDict(extra="allow"))
class Loose(TypedDict):
    title: str


class Wrapped(TypedDict, Generic[T]):
    item: T


class Point(NamedTuple):
    x: int
    when: datetime | None = None
    name: str = "here"


VALUES: list[tuple[Any, Any, dict[str, Any]]] = [
    (Address, Address(city="Bern"), {"city": {"S": "Bern"}, "floors": {"N": "1"}}),
    (
        Address,
        Address(city="Bern", since=date(2026, 1, 2), tags={"x"}, floors=None),
        {"city": {"S": "Bern"}, "since": {"S": "2026-01-02"}, "tags": {"SS": ["x"]}, "floors": {"NULL": True}},
    ),
    (Swiss, Swiss(city="Bern"), {"city": {"S": "Bern"}, "floors": {"N": "1"}, "canton": {"S": "BE"}}),
    (
        Aliased,
        Aliased.model_validate({"CITY": "Bern", "in": 5}),
        {"city": {"S": "Bern"}, "other": {"N": "5"}},
    ),
    (
        Strict,
        Strict(when=WHEN, address=Address(city="Bern")),
        {"when": {"S": WHEN_TEXT}, "address": {"M": {"city": {"S": "Bern"}, "floors": {"N": "1"}}}},
    ),
    (
        Open,
        Open.model_validate({"town": "Bern", "town hall": [1, {"a": None}]}),
        {"city": {"S": "Bern"}, "town hall": {"L": [{"N": "1"}, {"M": {"a": {"NULL": True}}}]}},
    ),
    (Hidden, Hidden(city="Bern"), {"city": {"S": "Bern"}}),
    (Box[int], Box[int](item=1, more=[2]), {"item": {"N": "1"}, "more": {"L": [{"N": "2"}]}}),
    (
        Box[Box[date]],
        Box[Box[date]](item=Box[date](item=date(2026, 1, 2))),
        {"item": {"M": {"item": {"S": "2026-01-02"}, "more": {"L": []}}}, "more": {"L": []}},
    ),
    (Box, Box(item="x"), {"item": {"S": "x"}, "more": {"L": []}}),
    (
        Tree,
        Tree(name="a", left=Tree(name="b"), forest={"c": Tree(name="c")}),
        {
            "name": {"S": "a"},
            "left": {"M": {"name": {"S": "b"}, "forest": {"M": {}}}},
            "forest": {"M": {"c": {"M": {"name": {"S": "c"}, "forest": {"M": {}}}}}},
        },
    ),
    (Plain, Plain(), {}),
    (Spot, Spot(1), {"x": {"N": "1"}}),
    (Spot, Spot(1, {"a"}), {"x": {"N": "1"}, "seen": {"SS": ["a"]}}),
    (Counted, Counted("abc"), {"name": {"S": "abc"}, "length": {"N": "3"}, "other": {"N": "7"}}),
    (Nearer, Nearer("a", 5), {"name": {"S": "a"}, "length": {"N": "1"}, "other": {"N": "7"}, "distance": {"N": "5"}}),
    (Pydantic, unchecked(Pydantic)(CITY="Bern", when=WHEN), {"city": {"S": "Bern"}, "when": {"S": WHEN_TEXT}}),
    (Sized[int], Sized(1), {"item": {"N": "1"}}),
    (Sized[date], Sized(date(2026, 1, 2)), {"item": {"S": "2026-01-02"}}),
    (Movie, {"title": "M"}, {"title": {"S": "M"}}),
    (
        Movie,
        {"title": "M", "year": None, "tags": set()},
        {"title": {"S": "M"}, "year": {"NULL": True}, "tags": {"L": []}},
    ),
    (
        Movie,
        {"title": "M", "year": 1931, "tags": {"x"}},
        {"title": {"S": "M"}, "year": {"N": "1931"}, "tags": {"SS": ["x"]}},
    ),
    (Partial, {"title": "M"}, {"title": {"S": "M"}}),
    (Partial, {"title": "M", "year": 1931}, {"title": {"S": "M"}, "year": {"N": "1931"}}),
    (Loose, {"title": "M", "x": [1]}, {"title": {"S": "M"}, "x": {"L": [{"N": "1"}]}}),
    (Wrapped[date], {"item": date(2026, 1, 2)}, {"item": {"S": "2026-01-02"}}),
    (Point, Point(1), {"x": {"N": "1"}, "name": {"S": "here"}}),
    (Point, Point(1, WHEN, "there"), {"x": {"N": "1"}, "when": {"S": WHEN_TEXT}, "name": {"S": "there"}}),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), VALUES)
@pytest.mark.parametrize("strict", [False, True])
def test_maps_by_field_name(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == {"M": wire}


def test_what_init_does_not_take_is_set_afterwards() -> None:
    counted = Counted("abc")
    counted.length = 99
    back = read(Counted, write(Counted, counted))
    assert_same(back, counted)
    assert read(Counted, {"M": {"name": {"S": "ab"}}}).length == 2
    assert read(Counted, {"M": {"name": {"S": "ab"}, "length": {"S": "5"}}}).length == 5


def test_what_is_set_afterwards_is_validated_too() -> None:
    with pytest.raises(ValidationError, match="Input should be a dictionary or an instance of Counted"):
        read(Counted, {"M": {"name": {"S": "ab"}, "length": {"S": "secret"}}})


class Texts(RootModel[list[str]]):
    pass


class Names(RootModel[set[str]]):
    pass


class Perhaps(RootModel[int | None]):
    pass


class JsonRoot(RootModel["dict[str, JsonRoot] | list[JsonRoot] | int | str | None"]):
    pass


ROOTS: list[tuple[Any, Any, dict[str, Any]]] = [
    (Texts, Texts(["a"]), {"L": [{"S": "a"}]}),
    (Names, Names({"a"}), {"SS": ["a"]}),
    (Names, Names(set()), {"L": []}),
    (list[Names], [Names(set())], {"L": [{"L": []}]}),
    (Perhaps, Perhaps(None), {"NULL": True}),
    (Perhaps, Perhaps(5), {"N": "5"}),
    (
        JsonRoot,
        JsonRoot.model_validate({"a": [1, "x", None, {"b": []}]}),
        {"M": {"a": {"L": [{"N": "1"}, {"S": "x"}, {"NULL": True}, {"M": {"b": {"L": []}}}]}}},
    ),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), ROOTS)
@pytest.mark.parametrize("strict", [False, True])
def test_root_models_by_their_root(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == wire


def test_a_root_model_of_none_is_not_none() -> None:
    assert not codec_of(Perhaps).nullable
    assert unsupported(Perhaps | None) == "None and another of its values are both stored as NULL"
    assert there_and_back(Texts | None, None) is None
    assert read(Perhaps, {"NULL": True}) == Perhaps(None)


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (Address, {"city": "Bern"}, ": is a dict, not an Address"),
        (Address, None, ": is None, not an Address"),
        (
            Address,
            Swiss(city="Bern"),
            ": is a Swiss, a subclass of Address, and would read back as an Address: declare it as Swiss",
        ),
        (Address, Address.model_construct(city=5), ".city: is an int, not a str"),
        (Address, Address.model_construct(), ".city: is missing"),
        (list[Address], [Address.model_construct(city="x", tags=["a"])], "[0].tags: is a list, not a set"),
        (Tree, Tree.model_construct(name="a", left=Tree.model_construct(name=1)), ".left.name: is an int, not a str"),
        (
            Open,
            Open.model_validate({"town": "Bern", "x": [1.5]}),
            "['x'][0]: is a float, which DynamoDB has no type for: declare the type instead of Any",
        ),
        (
            Open,
            Open.model_validate({"town": "Bern", "": 1}),
            ": has a key that is empty, which DynamoDB does not take",
        ),
        (Spot, (1,), ": is a tuple, not a Spot"),
        (Spot, unchecked(Spot)("x"), ".x: is a str, not an int"),
        (Spot, object.__new__(Spot), ".x: is missing"),
        (
            Counted,
            Nearer("a"),
            ": is a Nearer, a subclass of Counted, and would read back as a Counted: declare it as Nearer",
        ),
        (Movie, [], ": is a list, not a dict"),
        (Movie, {}, ".title: is missing"),
        (Movie, {"title": "M", "secret": 1}, ": has keys that Movie does not declare"),
        (Loose, {"title": "M", 1: 1}, ": has a key that is an int, not a str: declare the type instead of Any"),
        (
            Loose,
            {"title": "M", "x": 1.5},
            "['x']: is a float, which DynamoDB has no type for: declare the type instead of Any",
        ),
        (Point, (1, None, "x"), ": is a tuple, not a Point"),
        (Point, unchecked(Point)("x"), ".x: is a str, not an int"),
        (Texts, ["a"], ": is a list, not a Texts"),
        (Texts, unchecked(Texts).model_construct([1]), "[0]: is an int, not a str"),
    ],
)
def test_refused(annotation: Any, value: Any, reason: str) -> None:
    assert refusal(annotation, value) == reason


def test_extras_of_a_model_constructed_without_any() -> None:
    value = Open.model_construct(city="Bern")
    value.__pydantic_extra__ = None
    assert write(Open, value) == {"M": {"city": {"S": "Bern"}}}


@pytest.mark.parametrize(
    ("annotation", "wire", "value"),
    [
        (Address, {"city": {"S": "Bern"}, "zip": {"N": "3000"}}, Address(city="Bern")),
        (Aliased, {"city": {"S": "Bern"}, "CITY": {"S": "x"}}, Aliased(CITY="Bern")),
        (Open, {"city": {"S": "Bern"}, "town": {"N": "1.5"}}, None),
        (Spot, {"x": {"N": "1"}, "y": {"N": "2"}}, Spot(1)),
        (Movie, {"title": {"S": "M"}, "x": {"N": "1"}}, {"title": "M"}),
        (Point, {"x": {"N": "1"}, "y": {"N": "2"}}, Point(1)),
        (Strict, {"when": {"S": "2026-01-02T00:00:00Z"}, "address": {"M": {"city": {"S": "Bern"}}}}, None),
    ],
)
def test_reads_what_others_wrote(annotation: Any, wire: dict[str, Any], value: Any) -> None:
    back = read(annotation, {"M": wire})
    if value is not None:
        assert_same(back, value)


def test_extras_named_like_an_alias_are_extras() -> None:
    back = read(Open, {"M": {"city": {"S": "Bern"}, "town": {"N": "1.5"}}})
    assert back.city == "Bern"
    assert set(back.model_extra) == {"town"}


@pytest.mark.parametrize(
    ("annotation", "wire", "place"),
    [
        (Address, {"S": "x"}, "value"),
        (Address, {"M": 5}, "value"),
        (Address, {"M": {}}, "value.city"),
        (Address, {"M": {"city": {"N": "1"}}}, "value.city"),
        (Tree, {"M": {"name": {"S": "a"}, "left": {"M": {}}}}, "value.left.name"),
        (list[Box[int]], {"L": [{"M": {"item": {"S": "x"}}}]}, "value.0.item"),
        (Spot, {"S": "x"}, "value"),
        (Spot, {"M": {}}, "value.x"),
        (Movie, {"L": []}, "value"),
        (Movie, {"M": {}}, "value.title"),
        (Point, {"S": "x"}, "value"),
        (Point, {"M": {}}, "value.x"),
        (Point, {"M": {"x": {"S": "x"}}}, "value.x"),
        (Texts, {"S": "x"}, "value"),
        (Texts, {"L": [{"N": "1"}]}, "value.0"),
    ],
)
def test_pydantic_reports_what_is_not_valid_in_its_place(annotation: Any, wire: dict[str, Any], place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read(annotation, wire)
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) in {place, place.replace("value.x", "value.0")}


@dataclasses.dataclass
class Seeded:
    seed: dataclasses.InitVar[int]
    value: int = 0


@dataclasses.dataclass
class Defaulted:
    seed: dataclasses.InitVar[int] = 5
    value: int = 0


@pydantic.dataclasses.dataclass
class PydanticSeeded:
    seed: dataclasses.InitVar[int]
    value: int = 0


@pydantic.dataclasses.dataclass(config=ConfigDict(extra="allow"))
class Extensible:
    value: int = 0


class Unstorable(BaseModel):
    values: list[dict[tuple[int, int], str]]


class Outer(BaseModel):
    inner: Unstorable


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (Seeded, "Seeded cannot be made again without 'seed', which it does not keep"),
        (PydanticSeeded, "PydanticSeeded cannot be made again without 'seed', which it does not keep"),
        (Extensible, "Extensible is a dataclass that allows extra fields: make it a model"),
        (
            Outer,
            (
                "Outer.inner: Unstorable.values: tuple[int, int] cannot be the type of keys: "
                "its values have no texts of their own"
            ),
        ),
    ],
)
def test_unsupported(annotation: Any, reason: str) -> None:
    assert unsupported(annotation) == reason


def test_init_variables_with_defaults() -> None:
    assert there_and_back(Defaulted, Defaulted(value=3)) == {"M": {"value": {"N": "3"}}}


def test_an_incomplete_model_is_completed_or_refused() -> None:
    class Later(BaseModel):
        value: Missing

    assert without_codec(Later) == "Later has annotations that cannot be resolved"
    globals()["Missing"] = int
    try:
        assert codec_for(Later).encode(Later(value=5)) == {"M": {"value": {"N": "5"}}}
    finally:
        del globals()["Missing"]


def test_what_structures_tell() -> None:
    codec = codec_of(Address).codec
    assert isinstance(codec, StructureCodec)
    assert [field.name for field in codec.fields] == ["city", "since", "tags", "floors"]
    assert codec.depth == 2
    assert codec_of(Tree).codec.depth is None
    assert codec_of(Open).codec.depth is None
    assert codec_of(Address).decode(None) is MISSING


def test_types_of_a_function_body() -> None:
    class Inner(BaseModel):
        n: int

    @dataclasses.dataclass
    class Data:
        inner: Inner
        more: list[Inner]

    class Typed(TypedDict):
        inner: NotRequired[Inner]

    class Named(NamedTuple):
        inner: Inner

    class Local(BaseModel):
        data: Data
        typed: Typed
        named: Named

    inner = Inner(n=1)
    value = Local(data=Data(inner, [inner]), typed={"inner": inner}, named=Named(inner))
    wire = {"M": {"n": {"N": "1"}}}
    assert there_and_back(Local, value) == {
        "M": {
            "data": {"M": {"inner": wire, "more": {"L": [wire]}}},
            "typed": {"M": {"inner": wire}},
            "named": {"M": {"inner": wire}},
        }
    }


def test_metadata_of_nested_fields_is_looked_at() -> None:
    class Priced(BaseModel):
        price: Annotated[int, Field(gt=0, alias="cost")]

    assert there_and_back(Priced, Priced.model_validate({"cost": 5})) == {"M": {"price": {"N": "5"}}}
