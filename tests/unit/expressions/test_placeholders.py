"""The names and values of a request."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb import LimitExceeded
from logicaldb.codec.writing import JsonText, plain, to_json
from logicaldb.expressions import Placeholders, check_length, check_operators, values_text


def test_nothing_is_sent_where_there_is_nothing() -> None:
    assert Placeholders().parameters() == {}


def test_names_and_values() -> None:
    placeholders = Placeholders()
    assert [placeholders.name(name) for name in ("a", "b.c", "a")] == ["#n0", "#n1", "#n0"]
    assert [placeholders.value(wire) for wire in ({"S": "x"}, {"S": "x"})] == [":v0", ":v1"]
    assert len(placeholders) == 2
    assert placeholders.parameters() == {
        "ExpressionAttributeNames": {"#n0": "a", "#n1": "b.c"},
        "ExpressionAttributeValues": {":v0": {"S": "x"}, ":v1": {"S": "x"}},
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [(("a",), "#n0"), (("a", "b"), "#n0.#n1"), (("a", 0, "a", 12), "#n0[0].#n0[12]")],
)
def test_paths(path: Any, expected: str) -> None:
    assert Placeholders().path(path) == expected


def test_the_length_of_an_expression() -> None:
    assert check_length("it", "ä" * 2048) == "ä" * 2048
    with pytest.raises(LimitExceeded) as error:
        check_length("save of X", "ä" * 2048 + "a")
    assert str(error.value) == "save of X is 4097 bytes long; the limit of an expression is 4096"


@pytest.mark.parametrize(
    ("condition", "joined", "most"),
    [
        ("a = :v", " AND ", 150),
        ("a <= :v", " or ", 150),
        ("contains(a, :v)", " AND ", 150),
        ("a BETWEEN :v AND :v", " AND ", 150),
        ("a between :v and :v", " and ", 150),
        ("a IN (:v, :v)", " OR ", 150),
        ("size(a) <> :v", " AND ", 100),
        ("NOT a = :v", " AND ", 100),
        ("attribute_type(a, :v)", " AND ", 150),
    ],
)
def test_operators_are_counted_as_dynamodb_counts_them(condition: str, joined: str, most: int) -> None:
    """As measured on DynamoDB Local."""
    taken = joined.join([condition] * most)
    assert check_operators("it", taken) == taken
    with pytest.raises(LimitExceeded) as error:
        check_operators("it", joined.join([condition] * (most + 1)))
    each = 300 // most
    count = each * (most + 1) - 1
    assert str(error.value) == f"it has {count} operators and functions; the limit of an expression is 300"


def test_words_in_names_are_no_operators() -> None:
    condition = " OR ".join(["NOTE.size = :AND"] * 150)
    assert check_operators("it", condition) == condition


def test_an_expression_that_is_too_long_is_told_so() -> None:
    with pytest.raises(LimitExceeded) as error:
        check_operators("it", "a" * 4097)
    assert str(error.value) == "it is 4097 bytes long; the limit of an expression is 4096"


def test_names_and_values_together() -> None:
    placeholders = Placeholders()
    placeholders.name("é" * 1000)
    placeholders.value({"S": "x" * (2 * 1024 * 1024 - 2000)})
    placeholders.check_size("it")
    placeholders.value({"BOOL": True})
    with pytest.raises(LimitExceeded) as error:
        placeholders.check_size("it")
    assert str(error.value) == "it: the names and values of its expressions have 2097153 bytes; the limit is 2097152"


def test_values_that_are_json_text_count_as_what_they_are() -> None:
    placeholders = Placeholders()
    placeholders.value(JsonText(to_json({"S": "é" * (1024 * 1024)})))  # each character may have four bytes, and has two
    placeholders.check_size("it")
    placeholders.value(JsonText('{"NULL":true}'))
    with pytest.raises(LimitExceeded) as error:
        placeholders.check_size("it")
    assert str(error.value) == "it: the names and values of its expressions have 2097153 bytes; the limit is 2097152"


def test_values_of_json_texts_are_numbered_as_placeholders_are() -> None:
    placeholders = Placeholders()
    wires = ['{"S":"a"}', '{"N":"1"}']
    assert [placeholders.value(JsonText(wire)) for wire in wires] == [":v0", ":v1"]
    assert plain(values_text(wires)) == plain(placeholders.parameters()["ExpressionAttributeValues"])
