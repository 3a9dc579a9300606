"""Paths lead into nested values, and values given there are validated and stored as the field's own."""

# A few types are made at run time.
# pyright: reportInvalidTypeForm=false

from __future__ import annotations

from collections import Counter as Tally
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, NewType, NotRequired
from uuid import UUID

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PlainSerializer,
    RootModel,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from typing_extensions import TypedDict

from logicaldb import (
    Attribute,
    Counter,
    EncodingError,
    Item,
    PartitionKey,
    RawItem,
    SortKey,
    TimeToLive,
)
from logicaldb.codec.values import WireValue
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.places import Place, find_place
from tests.unit.codec.support import alias


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    owner: Annotated[str | None, PartitionKey(index="by_owner")] = None


class Kind(StrEnum):
    ONE = "one"


class Colour(Enum):
    RED = "red"


class Point(NamedTuple):
    x: int
    y: int = 0


class Options(TypedDict):
    size: int
    note: NotRequired[str]


@dataclass
class Plain:
    name: str
    size: int = 3


@pydantic_dataclass
class Checked:
    name: str = "n"

    @field_validator("name")
    @classmethod
    def _not_bad(cls, name: str) -> str:
        if name == "bad":
            raise ValueError("is bad")
        return name


class Street(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)

    name: str
    number: int | None = None
    rating: int | None = 5
    tags: set[str] = set()
    seen: Annotated[date | None, Field(alias="lastSeen")] = None

    @field_validator("name")
    @classmethod
    def _not_bad(cls, name: str) -> str:
        if name == "bad":
            raise ValueError("is bad")
        return name.title()

    @field_serializer("number")
    def _as_text(self, number: int | None) -> str | None:
        return None if number is None else f"No {number}"

    @field_validator("number", mode="before")
    @classmethod
    def _from_text(cls, number: Any) -> Any:
        return number.removeprefix("No ") if isinstance(number, str) else number


class Address(BaseModel):
    city: str
    street: Street = Street(name="Main")
    next: Address | None = None
    history: list[Street] = []


class Names(RootModel[list[str]]):
    pass


class Extra(BaseModel):
    model_config = ConfigDict(extra="allow")


Tree: Any = alias("Tree", "dict[str, Tree]")
MaybeText: Any = alias("MaybeText", str | None)
Meters = NewType("Meters", int)
Shout = Annotated[str, AfterValidator(str.upper)]
AsText = Annotated[int, PlainSerializer(str, return_type=str)]


class Thing(Item):
    model_config = ConfigDict(str_strip_whitespace=True)

    token: Annotated[str, Attribute("pk", prefix="T_")]
    day: Annotated[date, Attribute("sk")]
    number: Annotated[int, Attribute("sk", prefix="#", width=3)]
    owner: Annotated[Kind | None, Attribute(prefix="O_")] = None
    label: Annotated[str | None, Attribute(names=("label", "label_too"), prefix="L_")] = None
    title: str = Field("title", alias="itsTitle")
    note: str | None = None
    grade: int | None = 7
    loud: Shout = "LOUD"
    tags: set[str] = set()
    words: list[str] = []
    maybes: list[int | None] = []
    pair: tuple[int, str] = (1, "a")
    many: tuple[date, ...] = ()
    queue: deque[int] = deque()
    scores: dict[str, int] = {}
    by_day: dict[date, list[int]] = {}
    by_number: dict[int, str] = {}
    ordered: OrderedDict[str, bool] = OrderedDict()
    defaults: defaultdict[str, list[int]] = defaultdict(list)
    tally: Tally[str] = Tally()
    bare_list: list = []  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]  # without types
    bare_dict: dict = {}  # type: ignore[type-arg]  # pyright: ignore[reportMissingTypeArgument]  # without types
    address: Address | None = None
    plain: Plain = Plain("x")
    checked: Checked = Checked()
    point: Point = Point(0)
    options: Options = {"size": 1}
    names: Names = Names([])
    extra: Extra = Extra()
    tree: Tree = {}
    any: Any = None
    json_value: JsonValue = None
    either: int | list[str] = 0
    plays: Annotated[int, Counter(minimum=0)] = 0
    until: Annotated[datetime | None, TimeToLive()] = None
    as_text: AsText = 0
    meters: Meters = Meters(0)
    maybe: MaybeText = None
    date_: date = date(2026, 1, 1)
    moment: datetime | None = None
    clock: time | None = None
    span: timedelta = timedelta()
    id: UUID | None = None
    blob: bytes = b""
    amount: Decimal = Decimal(0)
    ratio: float = 0.0
    flag: bool = False
    colour: Colour = Colour.RED
    literal: Literal["a"] = "a"


ITEM = ItemSchema(declaration_of(Thing, {}), raw_declaration_of(Row, {}))


def at(path: Any) -> Place:
    return find_place(path, (ITEM,))


def wrong(path: Any) -> str:
    with pytest.raises(TypeError) as error:
        at(path)
    return str(error.value)


def refused(place: Place, value: Any) -> str:
    with pytest.raises(EncodingError) as error:
        place.encode(value)
    assert error.value.__cause__ is None
    return str(error.value)


T: Any = Thing
DAY = date(2026, 1, 2)


# Where paths lead

PATHS: list[tuple[Any, tuple[Any, ...], str]] = [
    (T.title, ("title",), "Thing.title"),
    (T.token, ("pk",), "Thing.token"),
    (T.label, ("label",), "Thing.label"),
    (T.address.city, ("address", "city"), "Thing.address.city"),
    (T.address.street.name, ("address", "street", "name"), "Thing.address.street.name"),
    (T.address.next.next.city, ("address", "next", "next", "city"), "Thing.address.next.next.city"),
    (T.address.history[3].seen, ("address", "history", 3, "seen"), "Thing.address.history[3].seen"),
    (T.words[0], ("words", 0), "Thing.words[0]"),
    (T.pair[1], ("pair", 1), "Thing.pair[1]"),
    (T.many[9], ("many", 9), "Thing.many[9]"),
    (T.queue[0], ("queue", 0), "Thing.queue[0]"),
    (T.scores["a b"], ("scores", "a b"), "Thing.scores['a b']"),
    (T.scores.points, ("scores", "points"), "Thing.scores.points"),
    (T.by_day[DAY][2], ("by_day", "2026-01-02", 2), "Thing.by_day[datetime.date(2026, 1, 2)][2]"),
    (T.by_number[5], ("by_number", "5"), "Thing.by_number[5]"),
    (T.plain.name, ("plain", "name"), "Thing.plain.name"),
    (T.point.y, ("point", "y"), "Thing.point.y"),
    (T.options["note"], ("options", "note"), "Thing.options.note"),
    (T.names.root[2], ("names", 2), "Thing.names.root[2]"),
    (T.names.root, ("names",), "Thing.names.root"),
    (T.tree["a"]["b"], ("tree", "a", "b"), "Thing.tree.a.b"),
    (T.any["a"][0].b, ("any", "a", 0, "b"), "Thing.any.a[0].b"),
    (T.json_value["a"][0], ("json_value", "a", 0), "Thing.json_value.a[0]"),
    (T.bare_list[1].x, ("bare_list", 1, "x"), "Thing.bare_list[1].x"),
    (T.bare_dict["k"][1], ("bare_dict", "k", 1), "Thing.bare_dict.k[1]"),
]


@pytest.mark.parametrize(("path", "document_path", "text"), PATHS, ids=[text for _, _, text in PATHS])
def test_paths(path: Any, document_path: tuple[Any, ...], text: str) -> None:
    place = at(path)
    assert place.path == document_path
    assert place.text == text
    assert place.item is ITEM
    assert place.field.name == text.split(".")[1].partition("[")[0]
    assert place.top is (text.count(".") == 1 and "[" not in text)


def test_a_path_of_a_parent_class_leads_to_the_field_of_the_type() -> None:
    class Sub(Thing):
        pass

    sub: Any = Sub
    item = ItemSchema(declaration_of(Sub, {}), raw_declaration_of(Row, {}))
    assert find_place(T.title, (item,)).text == "Sub.title"
    assert find_place(sub.title, (ITEM, item)).item is item


def test_places_are_kept_but_for_keys_and_numbers() -> None:
    assert at(T.title) is at(T.title)
    words = at(T.words)
    assert words.inside(1).spot is words.inside(2).spot
    scores = at(T.scores)
    assert scores.inside("a").spot is scores.inside("b").spot
    assert at(T.address.city).spot is at(T.address.city).spot


WRONG = [
    (T.title.x, "Thing.title.x: Thing.title has nothing inside that 'x' could name"),
    (T.title[0], "Thing.title[0]: Thing.title has nothing inside that 0 could name"),
    (T.token.x, "Thing.token.x: Thing.token is stored as a string key, and nothing is inside it"),
    (T.address.town, "Thing.address.town: Thing.address is an Address, which has no field 'town'"),
    (T.address[0], "Thing.address[0]: Thing.address has nothing inside that 0 could name"),
    (T.address.street.x, "Thing.address.street.x: Thing.address.street is a Street, which has no field 'x'"),
    (T.extra.x, "Thing.extra.x: Thing.extra is an Extra, which has no field 'x'"),
    (T.options["x"], "Thing.options.x: Thing.options is an Options, which has no field 'x'"),
    (T.point[0], "Thing.point[0]: Thing.point has nothing inside that 0 could name"),
    (T.words.first, "Thing.words.first: Thing.words has elements by their number, from 0 on, and not by 'first'"),
    (T.words[-1], "Thing.words[-1]: Thing.words has elements by their number, from 0 on, and not by -1"),
    (T.words[True], "Thing.words[True]: Thing.words has elements by their number, from 0 on, and not by True"),
    (
        T.words[1:2],
        (
            "Thing.words[slice(1, 2, None)]: Thing.words has elements by their number, from 0 on, and not by "
            "slice(1, 2, None)"
        ),
    ),
    (T.pair[2], "Thing.pair[2]: Thing.pair is a tuple of 2 elements, without 2"),
    (T.scores[1], "Thing.scores[1]: Thing.scores has no key 1, since it is an int, not a str"),
    (T.scores[""], "Thing.scores['']: Thing.scores has no key '', since it is empty, which DynamoDB does not take"),
    (T.by_number["x"], "Thing.by_number.x: Thing.by_number has no key 'x', since it is a str, not an int"),
    (T.tags[0], "Thing.tags[0]: Thing.tags has nothing inside that 0 could name"),
    (T.names[0], "Thing.names[0]: Thing.names has nothing inside that 0 could name"),
    (T.either[0], "Thing.either[0]: Thing.either has nothing inside that 0 could name"),
    (T.any[-1], "Thing.any[-1]: Thing.any has elements by their number, from 0 on, and not by -1"),
    (T.any[""], "Thing.any['']: Thing.any has elements by their number, from 0 on, and not by ''"),
    (T.as_text.x, "Thing.as_text.x: Thing.as_text has nothing inside that 'x' could name"),
]


@pytest.mark.parametrize(("path", "message"), WRONG, ids=[repr(path) for path, _ in WRONG])
def test_wrong_paths(path: Any, message: str) -> None:
    assert wrong(path) == message


def test_a_path_of_another_type() -> None:
    class Other(Thing):
        more: str = ""

    class Third(Item):
        token: Annotated[str, Attribute("pk")]
        sk: str

    other: Any = Other
    assert wrong(other.more) == "Other.more is a field of Other, but this is about Thing"
    third = ItemSchema(declaration_of(Third, {}), raw_declaration_of(Row, {}))
    with pytest.raises(TypeError) as error:
        find_place(other.more, (ITEM, third))
    assert str(error.value) == "Other.more is a field of Other, but this is about Thing or Third"


def test_what_is_no_path() -> None:
    assert wrong("secret") == "a field of an item type is due, such as attr(AlbumTrack.track_title), not str"


# What values are there

STORED: list[tuple[Any, Any, WireValue]] = [
    (T.token, "x", {"S": "T_x"}),
    (T.owner, Kind.ONE, {"S": "O_one"}),
    (T.label, "", {"S": "L_"}),
    (T.title, " x ", {"S": "x"}),
    (T.loud, "x", {"S": "X"}),
    (T.address, {"city": "Bern"}, {"M": {"city": {"S": "Bern"}, "street": {"M": {"name": {"S": "Main"}, "rating": {"N": "5"}}}, "history": {"L": []}}}),
    (T.address.street.name, " long road ", {"S": "Long Road"}),
    (T.address.street.number, 7, {"S": "No 7"}),
    (T.address.street.seen, "2026-01-02", {"S": "2026-01-02"}),
    (T.address.history[0].name, "x", {"S": "X"}),
    (T.words[0], "x", {"S": "x"}),
    (T.pair[1], "x", {"S": "x"}),
    (T.many[0], DAY, {"S": "2026-01-02"}),
    (T.scores["a"], "7", {"N": "7"}),
    (T.by_day[DAY], [1], {"L": [{"N": "1"}]}),
    (T.ordered["a"], True, {"BOOL": True}),
    (T.defaults["a"][0], 1, {"N": "1"}),
    (T.tally["a"], 3, {"N": "3"}),
    (T.plain.size, 3, {"N": "3"}),
    (T.checked.name, "x", {"S": "x"}),
    (T.point.x, 3, {"N": "3"}),
    (T.options["note"], "x", {"S": "x"}),
    (T.names.root, ["x"], {"L": [{"S": "x"}]}),
    (T.names.root[0], "x", {"S": "x"}),
    (T.any["a"], {"b": 1}, {"M": {"b": {"N": "1"}}}),
    (T.json_value["a"], 1.5, {"N": "1.5"}),
    (T.bare_list[0], "x", {"S": "x"}),
    (T.until, datetime(2026, 1, 1, tzinfo=UTC), {"N": "1767225600"}),
    (T.as_text, 7, {"S": "7"}),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "wire"), STORED, ids=[repr(path) for path, *_ in STORED])
def test_values_are_validated_and_stored_as_the_fields_own(path: Any, value: Any, wire: WireValue) -> None:
    assert at(path).encode(value) == wire
    assert at(path).attribute(at(path).validated(value)) == wire


INVALID: list[tuple[Any, Any, str]] = [
    (T.title, 7, "Thing.title: the value is not valid (string_type)"),
    (T.plays, -1, "Thing.plays: the value is not valid (greater_than_equal)"),
    (T.number, "secret", "Thing.number: the value is not valid (int_parsing)"),
    (T.number, 1000, "Thing.number: is wider than 3 digits"),
    (T.address.street.name, "bad", "Thing.address.street.name: the value is not valid (value_error)"),
    (T.address.street, {"name": "bad"}, "Thing.address.street: the value is not valid (value_error)"),
    (T.scores["a"], "secret", "Thing.scores.a: the value is not valid (int_parsing)"),
    (T.words[0], None, "Thing.words[0]: the value is not valid (string_type)"),
    (T.ratio, float("nan"), "Thing.ratio: is not a number (NaN)"),
    (T.any, {"a": [object()]}, "Thing.any['a'][0]: is an object, which DynamoDB has no type for: declare the type instead of Any"),
]  # fmt: skip


@pytest.mark.parametrize(("path", "value", "message"), INVALID, ids=[message for *_, message in INVALID])
def test_values_that_are_not_valid(path: Any, value: Any, message: str) -> None:
    assert refused(at(path), value) == message


def test_constants_are_those_of_the_key_in_composite_parts() -> None:
    assert at(T.number).encode(7) == {"S": "#007"}
    assert not at(T.number).alone
    assert not at(T.day).alone
    assert at(T.token).alone
    assert refused(at(T.day), "x") == "Thing.day: the value is not valid (date_from_datetime_parsing)"


ABSENT: list[tuple[Any, Any, WireValue | None]] = [
    (T.owner, None, None),
    (T.label, None, None),
    (T.note, None, None),
    (T.grade, None, {"NULL": True}),
    (T.tags, set(), None),
    (T.address, None, None),
    (T.address.next, None, None),
    (T.address.street.number, None, None),
    (T.address.street.rating, None, {"NULL": True}),
    (T.address.street.tags, set(), None),
    (T.maybes[0], None, {"NULL": True}),
    (T.any["a"], None, {"NULL": True}),
]


@pytest.mark.parametrize(("path", "value", "wire"), ABSENT, ids=[repr(path) for path, *_ in ABSENT])
def test_what_is_stored_by_absence(path: Any, value: Any, wire: WireValue | None) -> None:
    assert at(path).attribute(value) == wire


def test_attributes_that_cannot_be_stored() -> None:
    with pytest.raises(EncodingError) as error:
        at(T.words).attribute(["x", 1])
    assert str(error.value) == "Thing.words[1]: is an int, not a str"


NULLABLE = [T.note, T.grade, T.address, T.address.next, T.maybes[0], T.any, T.any.x, T.json_value.x, T.maybe, T.until]
PRESENT = [T.token, T.title, T.address.city, T.words[0], T.scores.a, T.pair[0], T.point.x, T.names.root]


@pytest.mark.parametrize("path", [*NULLABLE, *PRESENT], ids=repr)
def test_nullable(path: Any) -> None:
    assert at(path).nullable is any(path is nullable for nullable in NULLABLE)


REMOVABLE = [
    T.title,
    T.note,
    T.address,
    T.address.street,
    T.words[0],
    T.scores.a,
    T.options["note"],
    T.any.x,
    T.point.y,
]
NEEDED = [T.token, T.number, T.address.city, T.pair[0], T.plain.name, T.options["size"], T.point.x]


@pytest.mark.parametrize("path", [*REMOVABLE, *NEEDED], ids=repr)
def test_removable(path: Any) -> None:
    assert at(path).removable is any(path is removable for removable in REMOVABLE)


ORDERED = [
    T.token,
    T.number,
    T.title,
    T.loud,
    T.plays,
    T.until,
    T.meters,
    T.maybe,
    T.date_,
    T.moment,
    T.clock,
    T.span,
    T.id,
    T.blob,
    T.amount,
    T.ratio,
    T.address.city,
    T.words[0],
    T.scores.a,
]
UNORDERED = [
    T.owner,
    T.tags,
    T.words,
    T.address,
    T.any,
    T.flag,
    T.colour,
    T.literal,
    T.as_text,
    T.either,
    T.address.street.number,
    T.names,
]


@pytest.mark.parametrize("path", [*ORDERED, *UNORDERED], ids=repr)
def test_ordered(path: Any) -> None:
    """What has a serializer of the user's, or no order of its own, is not ordered as it is stored."""
    assert at(path).ordered is any(path is ordered for ordered in ORDERED)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (T.note, str),
        (T.meters, int),
        (T.maybe, str),
        (T.words, list[str]),
        (T.maybes[0], int),
        (T.address.next, Address),
        (T.names.root, list[str]),
        (T.any.x, Any),
    ],
)
def test_types(path: Any, kind: Any) -> None:
    assert at(path).type == kind


# Elements

ELEMENTS: list[tuple[Any, Any, WireValue]] = [
    (T.words, "x", {"S": "x"}),
    (T.tags, "x", {"S": "x"}),
    (T.many, DAY, {"S": "2026-01-02"}),
    (T.queue, 1, {"N": "1"}),
    (T.pair, "x", {"S": "x"}),
    (T.pair, 1, {"N": "1"}),
    (T.names, "x", {"S": "x"}),
    (T.any, 1, {"N": "1"}),
    (T.bare_list, 1, {"N": "1"}),
    (T.maybes, None, {"NULL": True}),
    (T.address.history, {"name": "x"}, {"M": {"name": {"S": "X"}, "rating": {"N": "5"}}}),
]


@pytest.mark.parametrize(("path", "value", "wire"), ELEMENTS, ids=[repr(path) for path, *_ in ELEMENTS])
def test_elements(path: Any, value: Any, wire: WireValue) -> None:
    element = at(path).element()
    assert element.attribute(element.validated(value)) == wire
    assert element.text == f"{at(path).text}[]"
    assert not element.top


@pytest.mark.parametrize("path", [T.title, T.address, T.scores, T.as_text], ids=repr)
def test_what_has_no_elements(path: Any) -> None:
    with pytest.raises(EncodingError) as error:
        at(path).element()
    assert str(error.value) == f"{at(path).text}: has no elements"


# Validators of the whole model have no part in it


class Guarded(Item):
    model_config = ConfigDict(strict=True)

    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="G_")] = ""
    low: int = 0
    high: int = 9
    tree: GuardedTree | None = None

    @model_validator(mode="before")
    @classmethod
    def _anything(cls, values: Any) -> Any:
        return values

    @model_validator(mode="after")
    def _in_order(self) -> Guarded:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class GuardedTree(BaseModel):
    size: int
    left: GuardedTree | None = None


def test_validators_of_the_whole_model_are_left_out() -> None:
    item = ItemSchema(declaration_of(Guarded, {"GuardedTree": GuardedTree}), raw_declaration_of(Row, {}))
    guarded: Any = Guarded
    assert find_place(guarded.low, (item,)).encode(10) == {"N": "10"}
    assert refused(find_place(guarded.low, (item,)), "10") == "Guarded.low: the value is not valid (int_type)"
    assert find_place(guarded.tree.left, (item,)).encode({"size": 1, "left": {"size": 2}}) == {
        "M": {"size": {"N": "1"}, "left": {"M": {"size": {"N": "2"}}}}
    }
