"""Hostile text is data: it comes back as it was, or is refused, and never becomes a part of an expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logicaldb import (
    AtLeast,
    BatchWriteSet,
    BeginsWith,
    Between,
    EncodingError,
    EqualTo,
    Expression,
    LessThan,
    TransactionWriteSet,
    attr,
)
from tests.security.models import Db, Everything, Row, Whole
from tests.security.service import Service
from tests.security.texts import HOSTILE, SURROGATES, keys, texts

service = Service()
db = Db(service.client)
wholes = db.table.wholes

EXPRESSIONS: Final = (
    "KeyConditionExpression",
    "FilterExpression",
    "ConditionExpression",
    "UpdateExpression",
    "ProjectionExpression",
)
_PLACEHOLDER: Final = re.compile(r"[#:][nv]\d+")
_OURS: Final = re.compile(
    r"(?:[#:][nv]\d+|\[\d+\]|[().,=<>+ ]|AND|OR|NOT|BETWEEN|IN|SET|REMOVE|ADD|DELETE|size|contains|begins_with"
    r"|attribute_exists|attribute_not_exists|attribute_type|if_not_exists|list_append)*"
)
"""What expressions are made of that logicaldb writes."""

REQUESTS: Final[Mapping[str, Callable[[Whole.Key, str], Any]]] = {
    "load": lambda key, _: db.load(key),
    "save": lambda key, text: db.save(whole(key, text), attr(Whole.text) == text),
    "create": lambda key, text: db.create(whole(key, text)),
    "put": lambda key, text: db.put(whole(key, text), attr(Whole.text).begins_with(text)),
    "update": lambda key, text: db.update(
        key,
        attr(Whole.text).set(text),
        attr(Whole.texts).append([text]),
        attr(Whole.labels).add_to_set({text}),
        attr(Whole.notes)[text or "x"].set(text),
        condition=attr(Whole.notes)[text or "x"].exists() | attr(Whole.text).is_in([text, "x"]),
    ),
    "delete_key": lambda key, text: db.delete_key(key, ~attr(Whole.texts).contains(text)),
    "begins_with": lambda key, text: wholes.query(
        BeginsWith(Whole.Key(key.name, text)), filter_expression=attr(Whole.text) > text
    ),
    "equal": lambda key, _: wholes.query(EqualTo(key)),
    "less": lambda key, _: wholes.query(LessThan(key)),
    "at least": lambda key, text: wholes.query(AtLeast(key), filter_expression=attr(Whole.text).between("", text)),
    "between": lambda key, text: wholes.query(Between(Whole.Key(key.name, text), key)),
    "scan": lambda _, text: wholes.scan(filter_expression=attr(Whole.notes)[text or "x"] == text),
    "several": lambda key, _: db.table.several.query(key),
    "batch_load": lambda key, _: db.batch_load(key),
    "batch_write": lambda key, text: db.batch_write(BatchWriteSet().clobber(whole(key, text))),
    "transaction": lambda key, text: db.transaction_write(
        TransactionWriteSet().check_condition(key, attr(Whole.text) == text)
    ),
    "expression": lambda key, text: db.delete_key(
        key, Expression("#x = :x AND NOT #y = :x", values={":x": text}, names={"#x": text or "x", "#y": "y"})
    ),
    "raw": lambda key, text: db.table.raw.put(raw_row(key, text)),
}


def whole(key: Whole.Key, text: str) -> Whole:
    """An item of a key, with a text wherever one can be."""
    assert key.part is not None
    note = {text or "x": text}
    return Whole(
        name=key.name,
        part=key.part,
        text=text,
        texts=[text, text],
        labels={text},
        notes=note,
        anything={"list": [text, note]},
        owner=text or None,
    )


def raw_row(key: Whole.Key, text: str) -> Row:
    extras: dict[str, Any] = {f"x{text}": text}
    return Row(pk=key.name, sk=f"raw {key.part}", **extras)


def bodies(request: str, key: Whole.Key, text: str) -> list[dict[str, Any]]:
    """What is sent, the actions of a transaction one by one."""
    service.requests.clear()
    service.row = None if request == "load" else {}
    with suppress(Exception):  # the answer is of no item
        REQUESTS[request](key, text)
    return [
        part
        for _, body in service.requests
        for action in body.get("TransactItems", [{"": body}])
        for part in action.values()
    ]


@given(st.sampled_from(sorted(REQUESTS)), keys, texts, texts)
@example("scan", "a", "b", "#n0")
@example("update", "a", "b", "x.y[0]")
def test_text_is_in_placeholders_alone(request: str, name: str, part: str, text: str) -> None:
    sent = bodies(request, Whole.Key(name, part), text)
    for body in sent:
        expressions = [body[which] for which in EXPRESSIONS if which in body]
        for expression in expressions:
            assert _OURS.fullmatch(expression) or request == "expression"
        # Each placeholder is given and used, so that what is sent has one meaning.
        used = {found for expression in expressions for found in _PLACEHOLDER.findall(expression)}
        given_names = body.get("ExpressionAttributeNames", {})
        given_values = body.get("ExpressionAttributeValues", {})
        assert used == {*given_names, *given_values}
        assert {*map(str, body)} <= {
            *EXPRESSIONS, "TableName", "IndexName", "Key", "Item", "RequestItems", "ExpressionAttributeNames",
            "ExpressionAttributeValues", "Limit", "ReturnValues", "ReturnValuesOnConditionCheckFailure",
            "ScanIndexForward", "ConsistentRead", "Select",
        }  # fmt: skip
    if request not in ("less", "at least", "between", "begins_with"):  # whose text decides which range is sent
        assert shapes(sent) == shapes(bodies(request, Whole.Key("name", "part"), "text" if text else ""))


def shapes(sent: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The expressions, whatever the numbers of their placeholders."""
    return [{which: _PLACEHOLDER.sub("?", body[which]) for which in EXPRESSIONS if which in body} for body in sent]


TOKENS = st.sampled_from(
    [
        "(",
        ")",
        " OR ",
        " AND ",
        "NOT ",
        "x = :v",
        "attribute_exists(pk)",
        "#n0",
        ":v0",
        "version",
        "=",
        "<>",
        " ",
        ",",
        '"',
    ]
)


@given(st.lists(TOKENS, max_size=12).map("".join))
@example("x = :v) OR (attribute_exists(pk)")
@example("(x = :v) OR (attribute_exists(pk))")
@example("x = :v OR attribute_exists(pk)")
@example(") OR attribute_exists(pk) OR (x = :v")
@example("((x = :v OR attribute_exists(pk)))")
def test_a_condition_of_the_callers_never_weakens_ours(text: str) -> None:
    service.requests.clear()
    item = Everything(name="a", number=1, version=3)
    try:
        with suppress(ValueError):  # the answer is no item
            db.put(item, Expression(text, values={":v": 1} if ":v" in text.replace(":v0", "") else {}))
    finally:
        sent = list(service.requests)
    if not sent:
        return
    ((_, body),) = sent
    expression: str = body["ConditionExpression"]
    ours = "(#n0 = :v0) AND ("
    assert expression.startswith(ours)
    assert expression.endswith(")")
    assert (body["ExpressionAttributeNames"]["#n0"], body["ExpressionAttributeValues"][":v0"]) == (
        "version",
        {"N": "3"},
    )
    depth = 0
    for character in expression[len(ours) : -1]:
        depth += (character == "(") - (character == ")")
        assert depth >= 0
    assert depth == 0


@pytest.mark.parametrize("text", SURROGATES, ids=ascii)
@pytest.mark.parametrize("request_name", sorted(REQUESTS))
def test_what_is_no_text_is_refused(request_name: str, text: str) -> None:
    service.requests.clear()
    for key, value in ((Whole.Key("a", "b"), text), (Whole.Key.model_construct(name=text, part="b"), "x")):
        if (value == text and request_name in ("load", "equal", "less", "several", "batch_load")) or (
            value == "x" and request_name == "scan"
        ):
            continue  # which take no text, or no key
        with pytest.raises((EncodingError, TypeError, ValueError)) as raised:
            REQUESTS[request_name](key, value)
        assert not isinstance(raised.value, UnicodeError)
    assert service.requests == []


def test_hostile_text_comes_back(client: Any, new_name: Callable[[], str]) -> None:
    physical = new_name()
    stored = Db(client, table_name_resolver=lambda _, declared: f"{physical}-{declared}")
    stored.create_tables()
    items = [whole(Whole.Key(text, text), text) for text in HOSTILE]
    # moto takes no empty sets, nor has it an order of its own for sets; what it stores is what was sent.
    stored.batch_write(BatchWriteSet().clobber(*items))
    assert list(stored.batch_load(Whole.Key.of(item) for item in items)) == items
    assert sorted(stored.table.wholes.scan_all_contents(), key=by_name) == sorted(items, key=by_name)
    for item in items[::6]:
        key, text = Whole.Key.of(item), item.text
        assert stored.load(key) == item
        assert stored.table.wholes.query(EqualTo(key)).contents == [item]
        same = (attr(Whole.text) == text) & attr(Whole.texts).contains(text) & attr(Whole.labels).contains(text)
        changed = stored.update(key, attr(Whole.text).set(text + "!"), attr(Whole.number).add(1), condition=same)
        assert changed == item.replace(text=text + "!", number=1)
        assert stored.delete_key(key, attr(Whole.notes)[text] == text) == changed


def by_name(item: Whole) -> str:
    return item.name
