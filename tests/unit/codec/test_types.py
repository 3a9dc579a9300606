"""From annotations to codecs: aliases, type variables, recursion."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import Annotated, Any, Generic, NamedTuple, NewType, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, JsonValue
from typing_extensions import TypedDict

from logicaldb.annotations import Attribute, Counter
from logicaldb.codec.scalars import IntCodec
from logicaldb.codec.scope import Scope, scope_of
from logicaldb.codec.types import CodecBuilder, DeferredCodec, codec_for, field_codec
from logicaldb.codec.values import Unsupported
from tests.unit.codec.support import alias, codec_of, refusal, there_and_back, unsupported, without_codec

T = TypeVar("T")
Bound = TypeVar("Bound", bound=date)
UserId = NewType("UserId", int)
UserIds = NewType("UserIds", list[UserId])

Texts = alias("Texts", list[str])
Nested = alias("Nested", "list[Nested | None] | int")
Tree = alias("Tree", "dict[str, Tree[T]] | T", type_params=(T,))
Left = alias("Left", "dict[str, Right] | int")
Right = alias("Right", "list[Left] | str | None")
Selfish = alias("Selfish", "Selfish | int")
Bag: Any = alias("Bag", "set[str] | Holder")
Sets = alias("Sets", "frozenset[Sets] | int")
Clash = alias("Clash", "list[Clash | list[int]] | int")


class Holder(BaseModel):
    bag: Bag | None = None  # pyright: ignore[reportInvalidTypeForm] - an alias that it does not see


@dataclasses.dataclass
class Chain:
    number: int
    next: Chain | None = None


class Folder(TypedDict):
    name: str
    folders: list[Folder]


class Entry(NamedTuple):
    name: str
    entries: tuple[Entry, ...] = ()


class Unbound(BaseModel, Generic[T]):
    item: T


class Bounded(BaseModel, Generic[Bound]):
    item: Bound


@pytest.mark.parametrize(
    ("annotation", "value", "wire"),
    [
        (UserId, 5, {"N": "5"}),
        (UserIds, [5], {"L": [{"N": "5"}]}),
        (Texts, ["x"], {"L": [{"S": "x"}]}),
        (Annotated[Texts, Field(min_length=1)], ["x"], {"L": [{"S": "x"}]}),
        (Nested, [[1, None]], {"L": [{"L": [{"N": "1"}, {"NULL": True}]}]}),
        (Nested, 1, {"N": "1"}),
        (Tree[int], {"a": {"b": 1}}, {"M": {"a": {"M": {"b": {"N": "1"}}}}}),
        (Tree[bool], {"a": True}, {"M": {"a": {"BOOL": True}}}),
        (Left, {"a": [{"b": "x"}, 1, {"c": None}]}, None),
        (Right, [1, {"a": [2]}], None),
        (Bag, {"x"}, {"SS": ["x"]}),
        (Bag, Holder(bag={"x"}), {"M": {"bag": {"SS": ["x"]}}}),
        (Holder, Holder(bag=Holder(bag=Holder())), {"M": {"bag": {"M": {"bag": {"M": {}}}}}}),
        (Chain, Chain(1, Chain(2)), {"M": {"number": {"N": "1"}, "next": {"M": {"number": {"N": "2"}}}}}),
        (
            Folder,
            {"name": "a", "folders": [{"name": "b", "folders": []}]},
            {"M": {"name": {"S": "a"}, "folders": {"L": [{"M": {"name": {"S": "b"}, "folders": {"L": []}}}]}}},
        ),
        (
            Entry,
            Entry("a", (Entry("b"),)),
            {"M": {"name": {"S": "a"}, "entries": {"L": [{"M": {"name": {"S": "b"}, "entries": {"L": []}}}]}}},
        ),
        (Unbound, Unbound(item=5), {"M": {"item": {"N": "5"}}}),
        (Bounded, Bounded(item=date(2026, 1, 2)), {"M": {"item": {"S": "2026-01-02"}}}),
    ],
)
def test_there_and_back(annotation: Any, value: Any, wire: Any) -> None:
    found = there_and_back(annotation, value)
    assert wire is None or found == wire


def test_the_empty_set_in_a_recursive_alias() -> None:
    """The rule of absence knows that the type may be a set or None although it is not built yet."""
    for annotation in (Holder, Bag):
        codec = codec_of(annotation, default=5)
        assert codec.encode(Holder(bag=Holder(bag={"x"}))) == {"M": {"bag": {"M": {"bag": {"SS": ["x"]}}}}}
        assert codec.encode(Holder(bag=Holder(bag=set()))) == {"M": {"bag": {"M": {}}}}


@pytest.mark.parametrize(
    ("annotation", "names"),
    [(Clash, "Clash and list[int] have the stored form L"), (Selfish, "Selfish and int have the stored form N")],
)
def test_clashes_in_a_recursive_alias(annotation: Any, names: str) -> None:
    assert without_codec(annotation).startswith(names)


def test_a_set_of_a_recursive_alias() -> None:
    codec = codec_for(Sets)
    value = frozenset({frozenset({1, 2}), 3})
    assert codec.decode(codec.encode(value)) == value
    assert codec.forms == {"L", "N"}


def test_recursion_through_a_function_body() -> None:
    Json: Any = alias("Json", "dict[str, Json] | list[Leaf]")  # noqa: N806

    class Leaf(BaseModel):
        model_config = ConfigDict(frozen=True)
        n: int

    class Owner(BaseModel):
        json_: Json  # pyright: ignore[reportInvalidTypeForm] - an alias that it does not see
        leaf: Leaf | None = None

    owner = Owner(json_={"a": [Leaf(n=1)]})
    codec = field_codec("json_", Owner.model_fields["json_"], Owner)
    wire = codec.encode(owner.json_)
    assert wire == {"M": {"a": {"L": [{"M": {"n": {"N": "1"}}}]}}}
    assert codec.decode(wire) == owner.json_


def test_metadata_of_ours_changes_nothing() -> None:
    assert there_and_back(Annotated[int, Attribute("other"), Counter()], 5) == {"N": "5"}


def test_codec_for_a_type_alone() -> None:
    assert codec_for(int).encode(5) == {"N": "5"}
    assert codec_for(list[int], [Field(min_length=1)]).encode([5]) == {"L": [{"N": "5"}]}
    assert codec_for(None).encode(None) == {"NULL": True}
    with pytest.raises(Unsupported):
        codec_for(int | float)


def test_what_is_no_type() -> None:
    how = "annotate it with a PlainSerializer and a BeforeValidator"
    assert without_codec("Nowhere") == f"Nowhere is a type that pydantic does not know: {how}"


def test_codec_for_a_type_of_a_class() -> None:
    class Owner(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)

    class Thing:
        pass

    how = "annotate it with a PlainSerializer and a BeforeValidator"
    assert without_codec(Thing) == f"Thing is a type that pydantic does not know: {how}"
    with pytest.raises(Unsupported) as caught:
        codec_for(Thing, owner=Owner)
    assert caught.value.reason == f"Thing is a type that pydantic cannot serialize: {how}"


def test_one_builder_builds_a_model_once() -> None:
    builder = CodecBuilder()
    assert builder.codec(Holder, (), Scope()) is builder.codec(Holder, (), Scope())
    assert builder.codec(Nested, (), Scope()) is builder.codec(Nested, (), Scope())
    owner = scope_of(Holder)
    assert builder.field("bag", Holder.model_fields["bag"], Holder, owner).name == "bag"


def test_a_deferred_codec_is_the_one_it_stands_for() -> None:
    deferred = DeferredCodec(frozenset("N"), (int,))
    deferred.resolve(IntCodec())
    assert (deferred.accepts(5), deferred.accepts("x")) == (True, False)
    assert deferred.encode(5) == {"N": "5"}
    assert deferred.decode({"N": "5"}) == 5
    assert deferred.forms == {"N"}
    assert deferred.types == (int,)
    assert deferred.depth is None


def test_any_and_json_are_nullable() -> None:
    assert codec_of(Any).nullable
    assert codec_of(object).nullable
    assert codec_of(JsonValue).nullable


def test_defaults_of_odd_types() -> None:
    """What a default is compared with may be of a class with an equality of its own."""

    class Odd:
        def __eq__(self, other: object) -> bool:
            raise AssertionError("is not compared")

        def __hash__(self) -> int:
            raise AssertionError("is not hashed")

    assert codec_of(Any, Odd()).encode(None) == {"NULL": True}


def test_the_reason_names_nested_fields() -> None:
    class Inner(BaseModel):
        number: int | float

    class Outer(BaseModel):
        inner: list[Inner]

    assert unsupported(Outer).startswith("Outer.inner: Inner.number: int and float have the stored form N in common")


def test_values_of_recursive_aliases_are_refused_in_their_place() -> None:
    assert refusal(Nested, [[1, "x"]]) == "[0][1]: is a str, not list[Nested | None] or int"
    assert refusal(Left, {"a": [{"b": 1.5}]}) == "['a'][0]['b']: is a float, not list[Left] or str"
