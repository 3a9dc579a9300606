"""Optional types, unions by stored form, and discriminated unions."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, Discriminator, Field, PlainSerializer, Tag, ValidationError
from typing_extensions import TypedDict

from tests.unit.codec.support import alias, codec_of, read, refusal, there_and_back, unsupported, without_codec, write


class Kind(Enum):
    BIRD = "bird"
    FISH = "fish"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog", "puppy"] = "dog"
    name: str = ""


class Swimmer(BaseModel):
    kind: Literal[Kind.FISH, Kind.BIRD]
    depth: float = 0.5


class Lion(Cat):
    mane: bool = True


class BlackCat(BaseModel):
    kind: Literal["cat"] = "cat"
    colour: Literal["black"] = "black"


class WhiteCat(BaseModel):
    kind: Literal["cat"] = "cat"
    colour: Literal["white"] = "white"


@dataclasses.dataclass
class Robot:
    kind: Literal["robot"] = "robot"


class Tea(BaseModel):
    kind: Literal["tea"] = Field(default="tea", alias="drinkKind")


class Milk(BaseModel):
    kind: Literal["milk"] = Field(default="milk", alias="drinkKind")


class Sheep(TypedDict):
    kind: Literal["sheep"]
    wool: int


class Goat(TypedDict):
    kind: Literal["goat"]


class Anonymous(BaseModel):
    name: str


class Vague(BaseModel):
    kind: str


class Group(BaseModel):
    kind: Literal["group"] = "group"
    members: list[Annotated[Cat | Group, Field(discriminator="kind")]] = []


Pet = Annotated[Cat | Dog | Swimmer, Field(discriminator="kind")]
Tagged = alias("Tagged", Annotated[Cat | Dog, Field(discriminator="kind")])
PetAlias = alias("PetAlias", Cat | Dog)
Coloured = Annotated[BlackCat | WhiteCat, Field(discriminator="colour")]


@pytest.mark.parametrize(
    ("annotation", "value", "wire"),
    [
        (int | str, 1, {"N": "1"}),
        (int | str, "x", {"S": "x"}),
        (bool | int, True, {"BOOL": True}),
        (bool | int, 1, {"N": "1"}),
        (Cat | str, Cat(), {"M": {"kind": {"S": "cat"}, "lives": {"N": "9"}}}),
        (list[int] | dict[str, int] | bytes, [1], {"L": [{"N": "1"}]}),
        (list[int] | dict[str, int] | bytes, {"a": 1}, {"M": {"a": {"N": "1"}}}),
        (set[int] | str, {1}, {"NS": ["1"]}),
        (Literal["all"] | int, "all", {"S": "all"}),
        (Literal["all"] | int, 5, {"N": "5"}),
        (AnyUrl | int, AnyUrl("http://a.b/"), {"S": "http://a.b/"}),
        (AnyUrl | int, 5, {"N": "5"}),
        (Decimal | date, Decimal("1.5"), {"N": "1.5"}),
        (UUID | float, 1.5, {"N": "1.5"}),
        (Annotated[int | None, Field(gt=0)] | str, 5, {"N": "5"}),
        (int | alias("Texts", str | bytes), b"x", {"B": "eA=="}),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_unions_by_stored_form(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == wire
    assert there_and_back(annotation | None, value, strict=strict) == wire
    assert there_and_back(list[annotation | None], [None, value], strict=strict) == {"L": [{"NULL": True}, wire]}


def test_an_alias_of_an_optional_type_makes_the_union_optional() -> None:
    maybe = alias("MaybeInt", int | None)
    annotation: Any = str | maybe
    assert there_and_back(list[annotation], [None, 1, "x"]) == {"L": [{"NULL": True}, {"N": "1"}, {"S": "x"}]}
    assert codec_of(annotation).nullable
    assert there_and_back(maybe | None, None) is None


IN_COMMON = (
    "{} and {} have the stored form {} in common, so that a stored value does not tell which it is: "
    "use a discriminated union of models, or one type"
)


@pytest.mark.parametrize(
    ("annotation", "names"),
    [
        (int | float, ("int", "float", "N")),
        (str | datetime, ("str", "datetime", "S")),
        (Cat | Dog, ("Cat", "Dog", "M")),
        (Cat | dict[str, int], ("Cat", "dict[str, int]", "M")),
        (list[int] | tuple[int, ...], ("list[int]", "tuple[int, ...]", "L")),
        (list[int] | set[int], ("list[int]", "set[int]", "L")),
        (set[int] | frozenset[str], ("set[int]", "frozenset[str]", "L")),
        (Literal["a"] | str, ("Literal['a']", "str", "S")),
        (AnyUrl | str, ("AnyUrl", "str", "S")),
        (Any | int, ("Any", "int", "N")),
        (int | alias("Number", int | bytes), ("int", "int", "N")),
        (Annotated[date, PlainSerializer(lambda day: day.toordinal())] | int, ("date", "int", "N")),
    ],
)
def test_members_with_a_form_in_common(annotation: Any, names: tuple[str, str, str]) -> None:
    assert unsupported(annotation) == IN_COMMON.format(*names)
    assert unsupported(annotation | None) == IN_COMMON.format(*names)


def test_refused() -> None:
    assert refusal(int | str, 1.5) == ": is a float, not int or str"
    assert refusal(bool | str, 1) == ": is an int, not bool or str"
    assert refusal(int | str | None, b"x") == ": is bytes, not int or str"
    assert refusal(list[int] | str, ["x"]) == "[0]: is a str, not an int"
    assert refusal(Cat | str, Lion()) == (
        ": is a Lion, a subclass of Cat, and would read back as a Cat: declare it as Lion"
    )
    assert refusal(int | None, "x") == ": is a str, not an int"


def test_a_value_that_is_serialized_as_none_is_is_not_optional() -> None:
    annotation: Any = Annotated[int, PlainSerializer(lambda number: number or None)] | None  # pyright: ignore[reportOperatorIssue]
    assert write(annotation, 5, default=7) == {"N": "5"}
    assert refusal(annotation, 0, default=7) == ": is an int that is stored as None is"


class Nothing(Enum):
    NONE = None


def test_two_values_stored_as_null() -> None:
    assert unsupported(Nothing | None) == "None and another of its values are both stored as NULL"
    assert there_and_back(Literal["a", None] | None, "a") == {"S": "a"}


@pytest.mark.parametrize(
    ("annotation", "value", "wire"),
    [
        (Pet, Cat(), {"kind": {"S": "cat"}, "lives": {"N": "9"}}),
        (Pet, Dog(kind="puppy"), {"kind": {"S": "puppy"}, "name": {"S": ""}}),
        (Pet, Swimmer(kind=Kind.FISH), {"kind": {"S": "fish"}, "depth": {"N": "0.5"}}),
        (Annotated[PetAlias, Field(discriminator="kind")], Dog(), {"kind": {"S": "dog"}, "name": {"S": ""}}),
        (Annotated[Tagged | Swimmer, Field(discriminator="kind")], Cat(), {"kind": {"S": "cat"}, "lives": {"N": "9"}}),
        (
            Annotated[Coloured | Dog, Field(discriminator="kind")],
            WhiteCat(),
            {"kind": {"S": "cat"}, "colour": {"S": "white"}},
        ),
        (Annotated[Cat | Robot, Field(discriminator="kind")], Robot(), {"kind": {"S": "robot"}}),
        (
            Annotated[Sheep | Goat | Cat, Field(discriminator="kind")],
            {"kind": "sheep", "wool": 5},
            {"kind": {"S": "sheep"}, "wool": {"N": "5"}},
        ),
        (
            Annotated[Sheep | Goat | Cat, Field(discriminator="kind")],
            Cat(),
            {"kind": {"S": "cat"}, "lives": {"N": "9"}},
        ),
        (Annotated[Tea | Milk, Field(discriminator="kind")], Milk(), {"kind": {"S": "milk"}}),
        (
            Group,
            Group(members=[Cat(), Group()]),
            {
                "kind": {"S": "group"},
                "members": {
                    "L": [
                        {"M": {"kind": {"S": "cat"}, "lives": {"N": "9"}}},
                        {"M": {"kind": {"S": "group"}, "members": {"L": []}}},
                    ]
                },
            },
        ),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_discriminated_by_a_field(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == {"M": wire}
    assert there_and_back(list[annotation], [value], strict=strict) == {"L": [{"M": wire}]}
    assert there_and_back(annotation | None, value, strict=strict) == {"M": wire}


class Owner(BaseModel):
    pet: Cat | Dog | None = Field(default=None, discriminator="kind")


def test_discriminated_by_the_field_of_an_owner() -> None:
    assert there_and_back(Owner, Owner(pet=Cat())) == {"M": {"pet": {"M": {"kind": {"S": "cat"}, "lives": {"N": "9"}}}}}
    assert there_and_back(Owner, Owner()) == {"M": {}}


def test_discriminated_values_of_other_types() -> None:
    assert refusal(Pet, {"kind": "cat"}) == (": is a dict, not a Cat")
    assert refusal(Pet, {"kind": ["cat"]}) == ": is a dict, not Cat or Dog or Swimmer"
    assert refusal(Pet, "x") == ": is a str, not Cat or Dog or Swimmer"
    assert refusal(Pet, Lion()) == (": is a Lion, a subclass of Cat, and would read back as a Cat: declare it as Lion")
    assert refusal(Pet, Anonymous(name="x")) == ": is an Anonymous, not Cat or Dog or Swimmer"


@pytest.mark.parametrize(
    "wire", [{"M": {}}, {"M": {"kind": {"S": "cow"}}}, {"M": {"kind": {"N": "x"}}}, {"M": 5}, {"S": "cat"}, {"X": 1}]
)
def test_an_unknown_discriminator_is_left_to_pydantic(wire: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"^1 validation error for Owner\nvalue\n"):
        read(Pet, wire)


def test_the_discriminator_of_every_member_must_be_of_literals() -> None:
    plain = "has no field 'kind' of literals that tells it from the others"
    for other, name in ((Anonymous, "Anonymous"), (Vague, "Vague"), (int, "int"), (list[int], "list[int]")):
        assert without_codec(Annotated[Cat | other, Discriminator("kind")]) == f"{name} {plain}"


def test_two_members_with_one_discriminator() -> None:
    annotation = Annotated[BlackCat | WhiteCat, Discriminator("kind")]
    assert without_codec(annotation) == "two members of the union have the value 'cat' of kind"


def shape(value: Any) -> str:
    """Told by what is there, in a dict and in an instance."""
    if isinstance(value, dict):
        return "dog" if "name" in value else "cat"
    if isinstance(value, str):
        return "text"
    kind: str = value.kind
    return kind


def class_name(value: Any) -> str:
    return type(value).__name__


Shape = Annotated[
    Annotated[Cat, Tag("cat")] | Annotated[Dog, Tag("dog")] | Annotated[str, Tag("text")], Discriminator(shape)
]
Number = Annotated[Annotated[int, Tag("int")] | Annotated[float, Tag("float")], Discriminator(class_name)]
Named = Annotated[Annotated[Anonymous, Tag("Anonymous")] | Annotated[Vague, Tag("Vague")], Discriminator(class_name)]


@pytest.mark.parametrize(
    ("annotation", "value", "wire"),
    [
        (Shape, Cat(), {"M": {"kind": {"S": "cat"}, "lives": {"N": "9"}}}),
        (Shape, Dog(), {"M": {"kind": {"S": "dog"}, "name": {"S": ""}}}),
        (Shape, "x", {"S": "x"}),
        (Number, 1, {"N": "1"}),
        (Number, 1.5, {"N": "1.5"}),
        (Named, Anonymous(name="x"), {"M": {"name": {"S": "x"}}}),
        (Named, Vague(kind="x"), {"M": {"kind": {"S": "x"}}}),
    ],
)
def test_discriminated_by_a_function(annotation: Any, value: Any, wire: dict[str, Any]) -> None:
    assert there_and_back(annotation, value) == wire
    assert there_and_back(annotation | None, value) == wire


def test_a_discriminator_that_does_not_tell_the_stored_form() -> None:
    assert refusal(Number, 2.0) == ": is a value whose discriminator does not tell the type of its stored form"


def test_a_discriminator_that_does_not_know_the_value() -> None:
    assert refusal(Number, "x") == ": is a str that its discriminator does not know"
    assert refusal(Shape, 5) == ": is an int that its discriminator does not know"


@pytest.mark.parametrize("wire", [{"L": []}, {"M": 5}, {"X": 1}, [], {"N": "x"}])
def test_what_the_function_cannot_tell_is_left_to_pydantic(wire: Any) -> None:
    for annotation in (Number, Named):
        with pytest.raises(ValidationError):
            read(annotation, wire)


def test_members_without_a_tag() -> None:
    annotation = Annotated[Annotated[int, Tag("int")] | str, Discriminator(class_name)]
    assert without_codec(annotation) == "str has no Tag in its discriminated union"


def test_what_unions_tell() -> None:
    codec = codec_of(int | list[str] | None)
    assert codec.nullable
    assert codec.codec.forms == {"N", "L", "NULL"}
    assert codec.codec.depth == 2
    assert codec.codec.accepts(None)
    assert codec.codec.accepts(["x"])
    assert not codec.codec.accepts("x")
    assert codec_of(Pet).codec.forms == {"M"}
    assert codec_of(Shape).codec.forms == {"M", "S"}


@pytest.mark.parametrize("wire", [{"S": "x"}, {"NULL": True}, {"M": {}}, {"X": 1}, []])
def test_leaves_to_pydantic_what_is_of_no_member(wire: Any) -> None:
    with pytest.raises(ValidationError):
        read(int | list[int], wire)
