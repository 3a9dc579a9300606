"""Values without a declared type."""

from __future__ import annotations

from collections import OrderedDict
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, JsonValue, ValidationError

from logicaldb.codec.generic import MALFORMED, AnyCodec, JsonCodec, generic_decode, key_segment
from logicaldb.codec.values import Refused
from tests.unit.codec.support import assert_same, read, refusal, there_and_back, write


class Text(str):
    """A str of another class."""

    __slots__ = ()


class Place(BaseModel):
    city: str


KNOWN: list[tuple[Any, dict[str, Any]]] = [
    (None, {"NULL": True}),
    (True, {"BOOL": True}),
    (False, {"BOOL": False}),
    (12, {"N": "12"}),
    (10**125, {"N": "1E+125"}),
    (Decimal("1.50"), {"N": "1.5"}),
    ("", {"S": ""}),
    ("é\u0000", {"S": "é\u0000"}),
    (b"", {"B": ""}),
    (b"\xff\x00", {"B": "/wA="}),
    ([], {"L": []}),
    ([1, [None, "x"]], {"L": [{"N": "1"}, {"L": [{"NULL": True}, {"S": "x"}]}]}),
    ({}, {"M": {}}),
    ({"a": {"b": True}}, {"M": {"a": {"M": {"b": {"BOOL": True}}}}}),
    ({"x"}, {"SS": ["x"]}),
    ({b"x"}, {"BS": ["eA=="]}),
    ({1}, {"NS": ["1"]}),
]


@pytest.mark.parametrize(("value", "wire"), KNOWN)
@pytest.mark.parametrize("annotation", [Any, object])
def test_any(annotation: Any, value: Any, wire: dict[str, Any]) -> None:
    assert AnyCodec().encode(value) == wire
    assert_same(AnyCodec().decode(wire), value)
    there_and_back(annotation, value, default=5)


def test_any_reads_whole_numbers_as_int_and_a_frozenset_as_set() -> None:
    assert_same(AnyCodec().decode(AnyCodec().encode(Decimal("2.0"))), 2)
    assert_same(AnyCodec().decode(AnyCodec().encode(frozenset({1}))), {1})


def test_any_of_ints_and_decimals_is_one_set() -> None:
    assert AnyCodec().decode(AnyCodec().encode({1, Decimal("1.5")})) == {1, Decimal("1.5")}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.5, ": is a float, which DynamoDB has no type for: declare the type instead of Any"),
        ((1, 2), ": is a tuple, which DynamoDB has no type for: declare the type instead of Any"),
        (Text("x"), ": is a Text, which DynamoDB has no type for: declare the type instead of Any"),
        (Place(city="Bern"), ": is a Place, which DynamoDB has no type for: declare the type instead of Any"),
        (
            OrderedDict(a=1),
            ": is an OrderedDict, which DynamoDB has no type for: declare the type instead of Any",
        ),
        ([1, [2.5]], "[1][0]: is a float, which DynamoDB has no type for: declare the type instead of Any"),
        (
            {"a": {"b": [(1,)]}},
            "['a']['b'][0]: is a tuple, which DynamoDB has no type for: declare the type instead of Any",
        ),
        ({1: 2}, ": has a key that is an int, not a str: declare the type instead of Any"),
        ({"a": {"": 1}}, "['a']: has a key that is empty, which DynamoDB does not take"),
        ({"\ud800": 1}, ": has a key that is not valid UTF-8 text"),
        (["\ud800"], "[0]: is not valid UTF-8 text"),
        ([Decimal("NaN")], "[0]: is not a number (NaN)"),
        (set(), ": is an empty set, which cannot be stored: declare the type instead of Any"),
        ({1, "x"}, ": is a set of mixed types"),
        ({True}, ": is a set of something else than str, numbers or bytes: declare the type of its elements"),
        ({None}, ": is a set of something else than str, numbers or bytes: declare the type of its elements"),
        ({(1,)}, ": is a tuple, which DynamoDB has no type for: declare the type instead of Any"),
    ],
)
def test_any_refuses_what_dynamodb_does_not_know(value: Any, reason: str) -> None:
    assert refusal(Any, value) == reason


def test_any_takes_a_key_of_a_subclass_of_str() -> None:
    (key,) = AnyCodec().encode({Text("x"): 1})["M"]
    assert_same(key, "x")


def test_a_long_key_is_cut_in_a_path() -> None:
    assert key_segment("k" * 60) == f"['{'k' * 60}']"
    assert key_segment("k" * 61) == f"['{'k' * 60}'…]"
    with pytest.raises(Refused) as caught:
        AnyCodec().encode({"é'": [1.5]})
    assert caught.value.path == """["é'"][0]"""


@pytest.mark.parametrize(
    ("wire", "value"),
    [
        ({"N": "1.5"}, Decimal("1.5")),
        ({"N": "1E+3"}, 1000),
        ({"NS": ["1", "2.5"]}, {1, Decimal("2.5")}),
        ({"SS": ["a", "b"]}, {"a", "b"}),
        ({"BS": ["eA=="]}, {b"x"}),
        ({"M": {"a": {"L": [{"N": "1"}]}}}, {"a": [1]}),
    ],
)
def test_generic_decode(wire: dict[str, Any], value: Any) -> None:
    assert_same(generic_decode(wire), value)


@pytest.mark.parametrize(
    "wire",
    [
        None,
        5,
        "S",
        [],
        {},
        {"S": "x", "N": "1"},
        {"X": 1},
        {"S": 5},
        {"N": 5},
        {"N": "x"},
        {"B": "?"},
        {"B": "eA"},
        {"B": 5},
        {"BOOL": "true"},
        {"L": "abc"},
        {"M": []},
        {"SS": "abc"},
        {"SS": [5]},
        {"NS": ["x"]},
        {"BS": [5]},
    ],
)
def test_what_is_no_wire_value(wire: Any) -> None:
    assert generic_decode(wire) is MALFORMED
    assert repr(MALFORMED) == "<no value of DynamoDB's>"
    for annotation in (int, dict[str, Any], list[Any], set[int], bool, Place | None):
        with pytest.raises(ValidationError):
            read(annotation, wire or {"X": 1})


def test_json_values() -> None:
    value: Any = {"a": [1, 2.5, None, True, "x", {"b": []}]}
    assert there_and_back(JsonValue, value) == {
        "M": {
            "a": {
                "L": [
                    {"N": "1"},
                    {"N": "2.5"},
                    {"NULL": True},
                    {"BOOL": True},
                    {"S": "x"},
                    {"M": {"b": {"L": []}}},
                ]
            }
        }
    }


def test_json_values_have_no_decimals() -> None:
    assert_same(JsonCodec().decode({"L": [{"N": "0.1"}, {"M": {"a": {"N": "0.5"}}}]}), [0.1, {"a": 0.5}])
    assert refusal(JsonValue, [Decimal(1)]) == "[0]: is a Decimal, which is no JSON value"
    assert refusal(JsonValue, b"x") == ": is bytes, which is no JSON value"


def test_any_that_is_none_is_absent_where_that_is_its_default() -> None:
    assert write(Any, None) is None
    assert write(Any, None, default=None) is None
    assert write(Any, None, default=5) == {"NULL": True}
