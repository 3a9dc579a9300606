"""Dicts, and their keys as texts."""

from __future__ import annotations

import collections
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Mapping, MutableMapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntFlag
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import pytest
from pydantic import AnyUrl, Field, PlainSerializer, ValidationError

from tests.unit.codec.support import assert_same, codec_of, read, refusal, there_and_back, unchecked, unsupported, write

UserId = NewType("UserId", int)


class Colour(Enum):
    RED = "red"
    BLUE = 2
    DARK = True


class Empty(Enum):
    NONE = ""


class Pair(Enum):
    ONE = (1, 2)


class Access(IntFlag):
    READ = 1
    WRITE = 2


KEYS: list[tuple[Any, Any, str]] = [
    (str, "a", "a"),
    (str, "é.[0]", "é.[0]"),
    (Annotated[str, Field(min_length=1)], "a", "a"),
    (int, -5, "-5"),
    (int, 10**100, "1E+100"),
    (UserId, 5, "5"),
    (bool, True, "true"),
    (bool, False, "false"),
    (bool | int, True, "true"),
    (bool | int, 7, "7"),
    (float, 1.5, "1.5"),
    (float, 2.0, "2"),
    (Decimal, Decimal("1.5"), "1.5"),
    (bytes, b"x", "eA=="),
    (date, date(2026, 1, 2), "2026-01-02"),
    (datetime, datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00.000000Z"),
    (time, time(1, 2), "01:02:00.000000"),
    (timedelta, timedelta(seconds=1.5), "1.5"),
    (UUID, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Colour, Colour.RED, "red"),
    (Colour, Colour.BLUE, "2"),
    (Colour, Colour.DARK, "true"),
    (Access, Access.READ | Access.WRITE, "3"),
    (Literal["a", 1], "a", "a"),
    (Literal["a", 1], 1, "1"),
    (AnyUrl, AnyUrl("http://a.b/"), "http://a.b/"),
    (Any, "a", "a"),
]


@pytest.mark.parametrize(("annotation", "key", "text"), KEYS)
@pytest.mark.parametrize("strict", [False, True])
def test_keys(annotation: Any, key: Any, text: str, strict: bool) -> None:
    assert there_and_back(dict[annotation, int], {key: 1}, strict=strict) == {"M": {text: {"N": "1"}}}


MAPPINGS: list[tuple[Any, Any, dict[str, Any]]] = [
    (dict[str, int], {}, {"M": {}}),
    (dict, {"a": [1]}, {"M": {"a": {"L": [{"N": "1"}]}}}),
    (Mapping[str, int], {"a": 1}, {"M": {"a": {"N": "1"}}}),
    (MutableMapping[str, int], {"a": 1}, {"M": {"a": {"N": "1"}}}),
    (OrderedDict[int, str], OrderedDict([(2, "b"), (1, "a")]), {"M": {"2": {"S": "b"}, "1": {"S": "a"}}}),
    (Counter[str], Counter({"a": 2}), {"M": {"a": {"N": "2"}}}),
    (dict[str, dict[int, list[bool]]], {"a": {1: [True]}}, {"M": {"a": {"M": {"1": {"L": [{"BOOL": True}]}}}}}),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), MAPPINGS)
@pytest.mark.parametrize("strict", [False, True])
def test_mappings(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == wire


@pytest.mark.parametrize("strict", [False, True])
def test_default_dicts_keep_their_factory(strict: bool) -> None:
    annotation = collections.defaultdict[str, list[int]]
    value = defaultdict(list, {"a": [1]})
    wire = write(annotation, value)
    assert wire == {"M": {"a": {"L": [{"N": "1"}]}}}
    back = read(annotation, wire, strict=strict)
    assert_same(back, value)
    assert back["b"] == []


@pytest.mark.parametrize("strict", [False, True])
def test_default_dicts_with_a_factory_of_their_own(strict: bool) -> None:
    annotation = collections.defaultdict[str, Annotated[date, Field(default_factory=lambda: date(2026, 1, 2))]]
    back = read(annotation, {"M": {}}, strict=strict)
    assert back["b"] == date(2026, 1, 2)


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (dict[str, int], [], ": is a list, not a dict"),
        (dict[str, int], {1: 1}, ": has a key that is an int, not a str"),
        (dict[str, int], {"": 1}, ": has a key that is empty, which DynamoDB does not take"),
        (dict[str, int], {"\ud800": 1}, ": has a key that is not valid UTF-8 text"),
        (dict[bytes, int], {b"": 1}, ": has a key that is empty, which DynamoDB does not take"),
        (dict[int, int], {"1": 1}, ": has a key that is a str, not an int"),
        (dict[int, int], {True: 1}, ": has a key that is a bool, not an int"),
        (dict[datetime, int], {datetime(2026, 1, 2): 1}, ": has a key that is a datetime without a time zone"),  # noqa: DTZ001
        (dict[Colour, int], {"red": 1}, ": has a key that is a str, not one of the values of Colour"),
        (
            dict[Literal["a"], int],
            {"b": 1},
            ": has a key that is a str, not one of the values of Literal['a']",
        ),
        (dict[str, int], {"a": "x"}, "['a']: is a str, not an int"),
        (dict[date, list[int]], {date(2026, 1, 2): [1, "x"]}, "['2026-01-02'][1]: is a str, not an int"),
        (
            dict[str, set[int]],
            {"a": set()},
            "['a']: is an empty set, which cannot be stored inside a list, map or tuple",
        ),
        (Counter[str], {"a": 1}, ": is a dict, not a Counter"),
        (Counter[str], unchecked(Counter)({"a": 1.5}), "['a']: is a float, not an int"),
    ],
)
def test_refused(annotation: Any, value: Any, reason: str) -> None:
    assert refusal(annotation, value) == reason


def test_keys_that_are_stored_alike_are_refused() -> None:
    annotation = dict[Annotated[str, PlainSerializer(str.lower, return_type=str)], int]
    assert write(annotation, {"a": 1, "b": 2}) == {"M": {"a": {"N": "1"}, "b": {"N": "2"}}}
    assert refusal(annotation, {"a": 1, "A": 2}) == ": has two keys with one stored form"


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (tuple[int, int], "tuple[int, int]"),
        (int | str, "int | str"),
        (str | None, "str | None"),
        (frozenset[int], "frozenset[int]"),
        (Literal["1", 1], "Literal['1', 1]"),
        (Literal["a", None], "Literal['a', None]"),
        (Empty, "Empty"),
        (Pair, "Pair"),
        (Annotated[int, PlainSerializer(lambda key: key)], "int"),
    ],
)
def test_types_that_cannot_be_keys(annotation: Any, name: str) -> None:
    assert (
        unsupported(dict[annotation, int])
        == f"{name} cannot be the type of keys: its values have no texts of their own"
    )


@pytest.mark.parametrize(
    ("annotation", "wire", "value"),
    [
        (dict[int, int], {"M": {"1.0": {"N": "1"}}}, {1: 1}),
        (dict[float, int], {"M": {"1E+2": {"N": "1"}}}, {100.0: 1}),
        (dict[bool, int], {"M": {"yes": {"N": "1"}}}, {True: 1}),
        (dict[datetime, int], {"M": {"2026-01-02T00:00:00Z": {"N": "1"}}}, {datetime(2026, 1, 2, tzinfo=UTC): 1}),
    ],
)
def test_reads_what_others_wrote(annotation: Any, wire: dict[str, Any], value: Any) -> None:
    assert_same(read(annotation, wire), value)


@pytest.mark.parametrize(
    ("annotation", "wire"),
    [
        (dict[str, int], {"L": []}),
        (dict[str, int], {"M": []}),
        (dict[str, int], {"M": {"a": {"S": "x"}}}),
        (dict[int, int], {"M": {"x": {"N": "1"}}}),
        (dict[bytes, int], {"L": []}),
        (dict[bool | int, int], {"M": {"x": {"N": "1"}}}),
        (dict[Colour, int], {"M": {"green": {"N": "1"}}}),
    ],
)
def test_leaves_to_pydantic_what_is_not_of_the_type(annotation: Any, wire: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"^\d validation errors? for Owner\nvalue"):
        read(annotation, wire)


def test_depths() -> None:
    assert codec_of(dict[str, int]).codec.depth == 2
    assert codec_of(dict[str, list[int]]).codec.depth == 3
    assert codec_of(dict).codec.depth is None
