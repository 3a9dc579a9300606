"""The names and values of a request."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb import LimitExceeded
from logicaldb.expressions import Placeholders, check_length


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
