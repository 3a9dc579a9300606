from __future__ import annotations

import dataclasses
import inspect
import json
import re
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, localcontext
from enum import Enum, IntFlag
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr
from typing_extensions import TypedDict

from logicaldb.codec import generated
from logicaldb.codec.fields import FieldCodec
from logicaldb.codec.generated import Unusual, ValueSource, datetime_text, new_source
from logicaldb.codec.numbers import encode_decimal
from logicaldb.codec.scalars import SCALARS as CODECS
from logicaldb.codec.scalars import DatetimeCodec, NoneCodec
from logicaldb.codec.values import Refused
from tests.unit.codec.support import codec_of


def writer_of(codec: FieldCodec) -> Callable[[Any], str | None]:
    """The generated function that writes the values of a field; ``None`` stands for absence."""
    source = ValueSource(new_source())
    body = source.source.body()
    written, absent = source.field(body, codec, "value")
    if absent is not None:
        body.add(f"if {absent} is None: return None")
    body.add(f"return f'{written}'")
    made: Callable[[Any], str | None] = source.source.compile(
        "a test", source.source.function("write", "value", "Write a field.", body)
    )
    return made


def check(annotation: Any, *values: Any, default: Any = ...) -> None:
    """Compare what is generated for a type with what the codec writes."""
    codec = codec_of(annotation, default)
    write = writer_of(codec)
    for value in values:
        text = write(value)
        assert (None if text is None else json.loads(text)) == codec.encode(value)


LEFT = (Unusual, Refused, KeyError, TypeError, ValueError)
"""What may tell that a value is left to the codec."""


def unusual(annotation: Any, value: Any, default: Any = ...) -> None:
    """Values that are left to the codec."""
    write = writer_of(codec_of(annotation, default))
    with pytest.raises(LEFT):
        write(value)


class Mood(Enum):
    CALM = "calm"
    PAIR = (1, "x")


class Access(IntFlag):
    READ = 1
    WRITE = 2


class Text(str):
    __slots__ = ()


class Number(int):
    pass


SCALARS: list[tuple[Any, list[Any], list[Any]]] = [
    (str, ["", "a", 'é"\\\n\x00\u2028\U0001f600'], [1, Text("a"), None]),
    (int, [0, -1, 10**38 - 1, -(10**38) + 1], [True, 1.0, Number(1), 10**38, -(10**38), 10**400]),
    (float, [0.0, -0.0, 1.5, 1e300 / 1e200, 1e-7, 1e22], [1, float("nan"), float("inf"), 1e300]),
    (bool, [True, False], [1, 0, "x"]),
    (bytes, [b"", b"a", b"\x00\xff\xfe"], ["a", bytearray(b"a")]),
    (date, [date(1, 1, 1), date(2026, 11, 22)], [datetime(2026, 1, 1, tzinfo=UTC), "2026-11-22"]),
    (datetime, [datetime(1, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, 2, 3, 4, timezone(timedelta(hours=1)))],
     [datetime(2026, 1, 1), date(2026, 1, 1), "x"]),  # noqa: DTZ001
    (time, [time(1, 2, 3), time(1, tzinfo=UTC)], [time(1, tzinfo=timezone(timedelta(seconds=1))), "x"]),
    (timedelta, [timedelta(0), timedelta(days=-1, microseconds=1)], [1]),
    (UUID, [UUID(int=5)], ["x"]),
    (Mood, list(Mood), ["calm", []]),
    (Access, [Access(0), Access.READ | Access.WRITE], [1]),
    (Literal["a", 1, b"x"], ["a", 1, b"x"], [True, "b", 1.0, []]),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "values", "others"), SCALARS)
def test_scalars(annotation: Any, values: list[Any], others: list[Any]) -> None:
    check(annotation, *values)
    check(annotation | None, None, *values)
    check(annotation | None, None, *values, default=values[0])
    check(list[annotation], values)
    for other in others:
        unusual(annotation, other)


NUMBERS = st.one_of(
    st.decimals(allow_nan=True, allow_infinity=True),
    st.decimals(-(10**6), 10**6, places=2),
    st.sampled_from(
        list(
            map(
                Decimal,
                [
                    "0",
                    "-0",
                    "0.00",
                    "1.10",
                    "100",
                    "-1.50",
                    "1E2",
                    "1E-7",
                    "0.000001",
                    "1E+126",
                    "9" * 38,
                    "9" * 39,
                    "0." + "1" * 38,
                ],
            )
        )
    ),
)


@pytest.mark.parametrize("capitals", [1, 0])
@given(NUMBERS)
def test_decimals_have_the_text_that_the_codec_gives(capitals: int, number: Decimal) -> None:
    with localcontext(capitals=capitals):
        try:
            encode_decimal(number)
        except Refused:
            unusual(Decimal, number)
        else:
            check(Decimal, number)


def test_an_int_in_the_place_of_a_decimal_is_left_to_the_codec() -> None:
    unusual(Decimal, 1)


@given(st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(0)), timezone(timedelta(hours=2))])))
def test_times_have_the_text_that_the_codec_gives(value: datetime) -> None:
    try:
        expected = DatetimeCodec().encode(value)["S"]
    except Refused:
        with pytest.raises(Refused):
            datetime_text(value)
    else:
        assert datetime_text(value) == expected


class Pair(NamedTuple):
    left: str
    right: int | None = None


class Typed(TypedDict, total=False):
    one: str


@dataclasses.dataclass
class Place:
    name: str
    rank: int | None = None


class Line(BaseModel):
    product: str
    tags: set[str] = set()
    note: str | None = None
    stars: int | None = 3


class Empty(BaseModel):
    pass


class Optionals(BaseModel):
    one: str | None = None
    two: str | None = None


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    one: str = ""


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"


class Endless(BaseModel):
    inner: Endless | None = None


Pet = Annotated[Cat | Dog, Field(discriminator="kind")]

COMPOUNDS: list[tuple[Any, list[Any], list[Any]]] = [
    (list[int], [[], [1, 2]], [(1,), ["x"], None]),
    (deque[str], [deque(), deque(["a"])], [["a"]]),
    (tuple[str, ...], [(), ("a", "b")], [["a"]]),
    (tuple[str, int], [("a", 1)], [("a",), ("a", 1, 2), ["a", 1]]),
    (tuple[()], [()], [(1,)]),
    (list[tuple[str]], [[("a",)]], [[("a", "b")]]),
    (dict[str, int], [{}, {"a": 1, "é": 2}], [{"": 1}, {1: 1}, {"x" * 65536: 1}, OrderedDict(a=1), [1]]),
    (dict[str, int], [{"x" * 16383: 1}], [{"x" * 16384: 1}]),
    (OrderedDict[str, int], [OrderedDict(a=1)], [{"a": 1}]),
    (dict[int, str], [{1: "a"}], []),
    (Counter[str], [Counter("aab")], [{"a": 1}]),
    (set[str], [{"b", "a"}], [["a"], frozenset("a"), {1}, {"a", 1}]),
    (frozenset[str], [frozenset("ab")], [{"a"}]),
    (set[int], [{1, 2}], [{"a"}]),
    (list[set[str]], [[{"a"}]], [[set()]]),
    (list[str | None], [["a", None]], [[1]]),
    (dict[str, str | None], [{"a": None}], [{"a": 1}]),
    (Literal["a", None], ["a", None], ["b"]),
    (Literal["a", None] | None, ["a", None], ["b"]),
    (list[Literal["a", None] | None], [["a", None]], [["b"]]),
    (str | int, ["a", 1], [True, 1.0]),
    (list[str | int | None], [["a", 1, None]], [[1.0]]),
    (Line, [Line(product="p"), Line(product="p", tags={"a"}, note="n", stars=None)],
     [Line.model_construct(product=1), Line.model_construct(), "x", Cat()]),
    (list[Line], [[Line(product="p", note="n"), Line(product="q")]], [[1]]),
    (Empty, [Empty()], [1]),
    (Optionals, [Optionals(), Optionals(one="1"), Optionals(two="2"), Optionals(one="1", two="2")], []),
    (Open, [Open(), Open(more=1)], [1]),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    (list[Open], [[Open(more={"a": None})]], []),  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    (Place, [Place("a"), Place("b", 2)], [Place(1), "x"]),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    (Pair, [Pair("a"), Pair("b", 2)], [("a", 1)]),
    (Typed, [Typed(), Typed(one="a")], []),
    (Pet, [Cat(), Dog()], [{"kind": "cat"}, 1]),
    (list[Pet | None], [[Cat(), None, Dog()]], [[1]]),
    (Endless, [Endless(), Endless(inner=Endless())], []),
    (Any, [None, 1, {"a": [b"x"]}], []),
    (RootModel[list[str]], [RootModel[list[str]](["a"])], []),
    (SecretStr, [SecretStr("a")], []),
]  # fmt: skip


@pytest.mark.parametrize(("annotation", "values", "others"), COMPOUNDS)
def test_compounds(annotation: Any, values: list[Any], others: list[Any]) -> None:
    check(annotation, *values)
    for other in others:
        unusual(annotation, other)


@pytest.mark.parametrize("default", [..., None, set(), {"a"}])
def test_absence(default: Any) -> None:
    for value in (None, set[str](), frozenset[str](), {"b"}):
        codec = codec_of(set[str] | None, default)
        if value == frozenset():
            check(set[str] | None, value, default=default)
        text = writer_of(codec)(value)
        assert (None if text is None else json.loads(text)) == codec.encode(value)


@pytest.mark.parametrize("default", [..., None, "drawn"])
def test_none_by_absence_or_as_null(default: Any) -> None:
    check(str | None, None, "a", default=default)


def test_what_is_nested_too_deep_is_left_to_the_codec() -> None:
    value = Endless()
    for _ in range(40):
        value = Endless.model_construct(inner=value)
    unusual(Endless, value)


def test_what_none_is_not_told_from_is_left_to_the_codec() -> None:
    check(list[Any | None], [None, 1])


def test_a_model_in_several_places_has_one_function() -> None:
    source = ValueSource(new_source())
    codec = codec_of(list[tuple[Line, Line]])
    source.field(source.source.body(), codec, "value")
    assert sum(function.startswith("def line_") for function in source.source._functions) == 1


def test_the_source_can_be_read() -> None:
    write: Any = writer_of(codec_of(Line))
    name = re.fullmatch(
        r"def write_\d+\(value\):\n    'Write a field.'\n    return f'\{(line_\d+)\(value\)\}'\n",
        inspect.getsource(write),
    )
    assert name is not None
    line = re.sub(r"_\d+", "", inspect.getsource(write.__globals__[name[1]]))
    assert line.startswith(
        "def line(value):\n"
        "    \"Write 'Line'.\"\n"
        "    if type(value) is not Line:\n"
        "        raise Unusual\n"
        "    values = value.__dict__\n"
        "    product = values['product']\n"
        "    if type(product) is not str:\n"
        "        raise Unusual\n"
    )


def test_every_codec_of_a_scalar_is_known() -> None:
    assert {type(codec) for codec in CODECS} - generated._WRITERS.keys() == {NoneCodec}
