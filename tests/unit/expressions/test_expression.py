"""Conditions in DynamoDB's own words: what is refused of them, and how they stand beside others."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb import EncodingError, Expression
from logicaldb.expressions import Context, Placeholders

WHAT = "the index 'by_owner'"


def encoded(
    text: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None, keys: Any = None
) -> str:
    return Expression(text, values, names).encode(Context((), Placeholders(), keys or {}))


def refusal(*arguments: Any, **options: Any) -> str:
    with pytest.raises(EncodingError) as error:
        encoded(*arguments, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("a = b", "a = b"),
        ("  a = b\n", "a = b"),
        ("(a = b)", "a = b"),
        (" ( (a = b) ) ", "a = b"),
        ("(a = b) OR (c = d)", "(a = b) OR (c = d)"),
        ("((a = b) OR (c = d))", "(a = b) OR (c = d)"),
        ("(a = b) OR c = size(d)", "(a = b) OR c = size(d)"),
        ("attribute_exists(a)", "attribute_exists(a)"),
        ("NOT (a = b)", "NOT (a = b)"),
    ],
)
def test_parentheses_about_all_of_it_are_left_out(text: str, bare: str) -> None:
    assert encoded(text) == bare


@pytest.mark.parametrize(
    "text", ["owner = a", "a = b AND (owner = c)", "contains(owner, a)", "size(a) > size( owner )"]
)
def test_keys_of_what_is_queried_are_refused(text: str) -> None:
    assert refusal(text, keys={"owner": WHAT}) == (
        f"Expression {text!r}: owner is a key of {WHAT}, and DynamoDB does not filter by the keys of what is queried; "
        "use a key condition"
    )
    assert encoded(text) == text


def test_so_are_placeholders_of_them() -> None:
    assert refusal("#o = a", names={"#o": "owner"}, keys={"owner": WHAT}) == (
        f"Expression '#o = a': #o is a key of {WHAT}, and DynamoDB does not filter by the keys of what is queried; "
        "use a key condition"
    )


@pytest.mark.parametrize(
    "text", ["a.owner = b", "owners = b", "a.#o = b", "owner2 = b", "_owner = a", "a[0].owner = b"]
)
def test_other_attributes_and_what_is_inside_of_them_are_not(text: str) -> None:
    names = {"#o": "owner"} if "#o" in text else {}
    assert encoded(text, names=names, keys={"owner": WHAT}) == text.replace("#o", "#n0")


@pytest.mark.parametrize(("count", "keyword"), [(100, "IN"), (101, "IN"), (101, "in"), (150, "In ")])
def test_operands_of_in(count: int, keyword: str) -> None:
    text = f"a {keyword}({', '.join(['b'] * count)})"
    if count <= 100:
        assert encoded(text) == text
    else:
        assert refusal(text) == f"Expression {text!r}: IN takes 1 to 100 values, not {count}"


def test_names_and_text_that_cannot_be_sent() -> None:
    assert refusal("#a = b", names={"#a": ""}) == "Expression '#a = b': #a is empty, which DynamoDB does not take"
    assert refusal("#a = b", names={"#a": "\ud800"}) == "Expression '#a = b': #a is not valid UTF-8 text"
    assert refusal("#a = b", names={"#a": "x" * 65_536}) == (
        "Expression '#a = b': #a is 65536 bytes long; the limit is 65535"
    )
    assert refusal("\ud800 = b") == "Expression '\\ud800 = b': is not valid UTF-8 text"
    assert refusal("a = :b", {":b": ["\ud800"]}) == "Expression 'a = :b': :b[0] is not valid UTF-8 text"
