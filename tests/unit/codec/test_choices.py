"""Enums, flags and literals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import Enum, Flag, IntEnum, IntFlag, StrEnum
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from logicaldb.codec.choices import frozen, literal_codec
from logicaldb.codec.values import Unsupported
from tests.unit.codec.support import codec_of, read, refusal, there_and_back, unsupported, write


class Colour(Enum):
    RED = "red"
    ROSSO = "red"  # noqa: PIE796 - another name of the same
    BLUE = "blue"


class Mixed(Enum):
    TEXT = "1"
    NUMBER = 1
    HALF = 0.5
    EXACT = Decimal("0.25")
    DAY = date(2026, 1, 2)
    NOTHING = None
    YES = b"yes"
    PAIR = (1, "x")
    NESTED = ((1, 2), Colour.RED)
    LIST = [1, {"a": True}]


class Status(StrEnum):
    OPEN = "open"


class Level(IntEnum):
    LOW = 1


class Access(Flag):
    READ = 1
    WRITE = 2


class Mode(IntFlag):
    READ = 4
    WRITE = 2


ENUMS: list[tuple[Any, Any, dict[str, Any]]] = [
    (Colour, Colour.RED, {"S": "red"}),
    (Status, Status.OPEN, {"S": "open"}),
    (Level, Level.LOW, {"N": "1"}),
    (Mixed, Mixed.TEXT, {"S": "1"}),
    (Mixed, Mixed.NUMBER, {"N": "1"}),
    (Mixed, Mixed.HALF, {"N": "0.5"}),
    (Mixed, Mixed.EXACT, {"N": "0.25"}),
    (Mixed, Mixed.DAY, {"S": "2026-01-02"}),
    (Mixed, Mixed.NOTHING, {"NULL": True}),
    (Mixed, Mixed.YES, {"B": "eWVz"}),
    (Mixed, Mixed.PAIR, {"L": [{"N": "1"}, {"S": "x"}]}),
    (Mixed, Mixed.NESTED, {"L": [{"L": [{"N": "1"}, {"N": "2"}]}, {"S": "red"}]}),
    (Mixed, Mixed.LIST, {"L": [{"N": "1"}, {"M": {"a": {"BOOL": True}}}]}),
    (Access, Access.READ | Access.WRITE, {"N": "3"}),
    (Access, Access(0), {"N": "0"}),
    (Mode, Mode.READ | Mode.WRITE, {"N": "6"}),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), ENUMS)
@pytest.mark.parametrize("strict", [False, True])
def test_enums_by_the_wire_form_of_their_value(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == wire


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (Colour, "red", "is a str, not a member of Colour"),
        (Colour, Status.OPEN, "is a Status, not a member of Colour"),
        (Colour, ["red"], "is a list, not a member of Colour"),
        (Access, 1, "is an int, not a member of Access"),
        (Literal["a", 1], "b", "is a str that is none of the values of Literal['a', 1]"),
        (Literal["a", 1], True, "is a bool that is none of the values of Literal['a', 1]"),
        (Literal["a", 1], ["a"], "is a list that is none of the values of Literal['a', 1]"),
        (Literal["a", 1], None, "is None that is none of the values of Literal['a', 1]"),
    ],
)
def test_refused(annotation: Any, value: Any, reason: str) -> None:
    assert refusal(annotation, value) == f": {reason}"


def test_what_is_written_is_not_shared() -> None:
    codec = codec_of(Mixed)
    first = codec.encode(Mixed.PAIR)
    assert first is not None
    first["L"].clear()
    assert codec.encode(Mixed.PAIR) == {"L": [{"N": "1"}, {"S": "x"}]}


class SameText(Enum):
    DAY = date(2026, 1, 2)
    TEXT = "2026-01-02"


class SameNumber(Enum):
    EXACT = Decimal("1.5")
    TEXT = "x"


class NaN(Enum):
    NONE = float("nan")


class Odd(Enum):
    THING = object()


class Deep(Enum):
    PAIR = (1, object())


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        (SameText, "SameText.DAY and SameText.TEXT have one stored form"),
        (Literal["red", Colour.RED], "'red' and Colour.RED have one stored form"),
        (NaN, "the value of NaN.NONE is not a number (NaN)"),
        (
            Odd,
            "the value of Odd.THING is an object, which DynamoDB has no type for: declare the type instead of Any",
        ),
        (
            Deep,
            "the value of Deep.PAIR is an object, which DynamoDB has no type for: declare the type instead of Any",
        ),
    ],
)
def test_unsupported(annotation: Any, reason: str) -> None:
    assert unsupported(annotation) == reason


def test_numbers_written_by_others_are_found() -> None:
    assert read(Level, {"N": "1.0"}) is Level.LOW
    assert read(SameNumber, {"N": "1.50"}) is SameNumber.EXACT
    assert read(Mixed, {"L": [{"N": "1.0"}, {"S": "x"}]}) is Mixed.PAIR


def test_what_no_member_writes_is_left_to_pydantic() -> None:
    for annotation, wire in (
        (Colour, {"S": "green"}),
        (Colour, {"N": "x"}),
        (Colour, {}),
        (Level, {"N": "2"}),
        (Access, {"N": "8"}),
        (Access, {"S": "x"}),
        (Literal["a"], {"S": "b"}),
        (Literal["a"], {"L": 5}),
    ):
        with pytest.raises(ValidationError, match=r"^1 validation error for Owner\nvalue\n"):
            read(annotation, wire)


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("a", {"S": "a"}),
        (1, {"N": "1"}),
        (True, {"BOOL": True}),
        (b"x", {"B": "eA=="}),
        (Colour.BLUE, {"S": "blue"}),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_literals(value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(Literal["a", 1, True, b"x", Colour.BLUE, None], value, strict=strict) == wire


def test_a_literal_of_none_is_nullable() -> None:
    assert codec_of(Literal["a", None]).nullable
    assert not codec_of(Literal["a"]).nullable
    assert write(Literal["a", None], None, default="a") == {"NULL": True}
    assert there_and_back(list[Literal["a", None]], ["a", None]) == {"L": [{"S": "a"}, {"NULL": True}]}


def test_a_value_that_cannot_be_stored() -> None:
    with pytest.raises(Unsupported) as caught:
        literal_codec("letters", ["\ud800"])
    assert caught.value.reason == "the value of letters is not valid UTF-8 text"


def test_choices_are_listed() -> None:
    assert literal_codec("letters", ["a", "b"]).choices == [("a", {"S": "a"}), ("b", {"S": "b"})]


def test_accepts_its_own_values_alone() -> None:
    codec = literal_codec("odd", ["a", 1])
    assert [codec.accepts(value) for value in ("a", 1, True, "b", ["a"])] == [True, True, False, False, False]


@pytest.mark.parametrize("member", [Colour.RED, Colour.BLUE])
def test_models_that_hold_the_values_of_members(member: Colour) -> None:
    assert there_and_back(Colour, member, use_enum_values=True) == {"S": member.value}
    assert write(Colour, member, use_enum_values=True) == {"S": member.value}
    assert read(Colour, {"S": "blue"}, use_enum_values=True) == "blue"
    assert refusal(Colour, "green", use_enum_values=True) == ": is a str, not a member of Colour"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({"N": "1"}, {"N": "1.0"}),
        ({"NS": ["1", "2"]}, {"NS": ["2.0", "1"]}),
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}),
        ({"BS": ["eA==", "eQ=="]}, {"BS": ["eQ==", "eA=="]}),
        ({"L": [{"N": "1"}]}, {"L": [{"N": "1E+0"}]}),
        ({"M": {"a": {"N": "1"}, "b": {"S": "x"}}}, {"M": {"b": {"S": "x"}, "a": {"N": "1.0"}}}),
    ],
)
def test_frozen_is_equal_where_the_service_calls_values_equal(left: dict[str, Any], right: dict[str, Any]) -> None:
    assert frozen(left) == frozen(right)
    assert hash(frozen(left)) == hash(frozen(right))


def test_frozen_keeps_types_apart() -> None:
    assert len({frozen({"S": "1"}), frozen({"N": "1"}), frozen({"BOOL": True}), frozen({"L": [{"N": "1"}]})}) == 4
