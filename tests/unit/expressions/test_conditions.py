"""Conditions: their expressions, with every value encoded as its field is, and what is refused before sending."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from logicaldb import Attr, Condition, EncodingError, Expression, attr
from logicaldb.expressions import Context, Placeholders, check_condition
from tests.unit.operations.driving import make_table, readable
from tests.unit.operations.models import Address, Color, Gadget, Order, Plain, ShopTable, Step, Thing, ThingTable

THINGS = make_table(ThingTable).things._source.items
SHOP = make_table(ShopTable)


def encoded(condition: Condition, items: Any = THINGS) -> dict[str, Any]:
    """The parameters of a condition."""
    placeholders = Placeholders()
    text = condition.encode(Context(items, placeholders))
    return {"ConditionExpression": text, **placeholders.parameters()}


def text(condition: Condition, items: Any = THINGS) -> str | None:
    return readable(encoded(condition, items), "ConditionExpression")


def error_of(condition: Condition, items: Any = THINGS) -> str:
    with pytest.raises(EncodingError) as error:
        encoded(condition, items)
    return str(error.value)


# Typing is for tests/typing; here some values are wrong on purpose.
T: Any = Thing
untyped: Any = attr


def test_names_and_values_are_placeholders() -> None:
    assert encoded(attr(Thing.title) == "a OR :v0 = #n0") == {
        "ConditionExpression": "#n0 = :v0",
        "ExpressionAttributeNames": {"#n0": "title"},
        "ExpressionAttributeValues": {":v0": {"S": "a OR :v0 = #n0"}},
    }


def test_one_name_has_one_placeholder() -> None:
    condition = (attr(Thing.title) == "a") | (attr(Thing.title) == "a") | (attr(Thing.size) == 1)
    assert encoded(condition) == {
        "ConditionExpression": "(#n0 = :v0) OR (#n0 = :v1) OR (#n1 = :v2)",
        "ExpressionAttributeNames": {"#n0": "title", "#n1": "size"},
        "ExpressionAttributeValues": {":v0": {"S": "a"}, ":v1": {"S": "a"}, ":v2": {"N": "1"}},
    }


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        # Equality, of all kinds of stored values.
        (attr(Thing.title) == "x", "title = 'x'"),
        (attr(Thing.title) != "x", "title <> 'x'"),
        (attr(Thing.size) == 1, "size = '1'"),
        (attr(Thing.good) == False, "good = False"),  # noqa: E712
        (attr(Thing.data) == b"\xff", "data = '/w=='"),
        (attr(Thing.day) == date(2026, 1, 2), "day = '2026-01-02'"),
        (attr(Thing.length) == timedelta(seconds=1.5), "length = '1.5'"),
        (attr(Thing.color) == Color.RED, "color = 'red'"),
        (attr(Thing.price) == Decimal("1.50"), "price = '1.5'"),
        (attr(Thing.weight) == 1, "weight = '1'"),
        (attr(Thing.lines) == ["x"], "lines = [{'S': 'x'}]"),
        (attr(Thing.tags) == {"x"}, "tags = ['x']"),
        (attr(Thing.sizes) == {"x": 1}, "sizes = {'x': {'N': '1'}}"),
        (
            attr(T.address) == Address(city="Bern"),
            "address1 = {'city': {'S': 'Bern'}, 'lines': {'L': []}, 'floor': {'N': '0'}}",
        ),
        # The prefix is part of the stored value.
        (attr(Thing.label) == "x", "label = 'L_x'"),
        (attr(Thing.label) != "x", "label <> 'L_x'"),
        # A field of several attributes is compared where it is read.
        (attr(Thing.code) == "x", "code1 = 'x'"),
        # What is stored by absence.
        (attr(Thing.day) == None, "attribute_not_exists(day)"),  # noqa: E711
        (attr(Thing.day) != None, "attribute_exists(day)"),  # noqa: E711
        (attr(Thing.label) == None, "attribute_not_exists(label)"),  # noqa: E711
        (attr(T.title) == None, "attribute_not_exists(title)"),  # noqa: E711
        (attr(Thing.name) == None, "attribute_not_exists(due)"),  # noqa: E711
        (attr(Thing.priority) != None, "attribute_exists(due)"),  # noqa: E711
        (attr(Thing.tags) == set(), "attribute_not_exists(tags)"),
        (attr(Thing.tags) != set(), "attribute_exists(tags)"),
        (attr(Thing.marks) == frozenset(), "attribute_not_exists(marks)"),
        # What is not, because absence would read back as the default.
        (attr(Thing.note) == None, "note = NULL"),  # noqa: E711
        (attr(Thing.full) == set(), "full = []"),
        # Order.
        (attr(Thing.size) < 1, "size < '1'"),
        (attr(Thing.size) <= 1, "size <= '1'"),
        (attr(Thing.size) > 1, "size > '1'"),
        (attr(Thing.size) >= 1, "size >= '1'"),
        (attr(Thing.rank) > -1, "rank > '-1'"),
        (attr(Thing.title) < "x", "title < 'x'"),
        (attr(Thing.label) >= "x", "label >= 'L_x'"),
        (attr(Thing.day) < date(2026, 1, 2), "day < '2026-01-02'"),
        (attr(Thing.length) > timedelta(minutes=1), "length > '60'"),
        (attr(Thing.data) > b"a", "data > 'YQ=='"),
        (attr(Thing.price) > Decimal(1), "price > '1'"),
        (attr(Thing.weight) > 1.5, "weight > '1.5'"),
        (attr(Thing.size).between(1, 2), "size BETWEEN '1' AND '2'"),
        (attr(Thing.label).between("a", "b"), "label BETWEEN 'L_a' AND 'L_b'"),
        # Membership.
        (attr(Thing.size).is_in([1]), "size IN ('1')"),
        (attr(Thing.size).is_in(range(3)), "size IN ('0', '1', '2')"),
        (attr(Thing.label).is_in(iter(["b", "a"])), "label IN ('L_b', 'L_a')"),
        (attr(Thing.label).is_in({"b", "a", "c"}), "label IN ('L_a', 'L_b', 'L_c')"),
        (attr(Thing.color).is_in([Color.RED]), "color IN ('red')"),
        # Functions.
        (attr(Thing.title).begins_with("x"), "begins_with(title, 'x')"),
        (attr(Thing.title).begins_with(""), "begins_with(title, '')"),
        (attr(Thing.label).begins_with("x"), "begins_with(label, 'L_x')"),
        (attr(Thing.data).begins_with(b"\xff"), "begins_with(data, '/w==')"),
        (attr(T.day).begins_with("2026-01"), "begins_with(day, '2026-01')"),
        (attr(Thing.title).contains("x"), "contains(title, 'x')"),
        (attr(Thing.label).contains("x"), "contains(label, 'x')"),
        (attr(Thing.data).contains(b"x"), "contains(data, 'eA==')"),
        (attr(Thing.lines).contains("x"), "contains(lines, 'x')"),
        (attr(Thing.points).contains(1), "contains(points, '1')"),
        (attr(Thing.tags).contains("x"), "contains(tags, 'x')"),
        (attr(Thing.marks).contains(1), "contains(marks, '1')"),
        (attr(Thing.days).contains(date(2026, 1, 2)), "contains(days, '2026-01-02')"),
        (attr(Thing.flags).contains(True), "contains(flags, True)"),
        (attr(T.pair).contains("x"), "contains(pair, 'x')"),
        (attr(Thing.maybe).contains(None), "contains(maybe, NULL)"),
        (attr(T.anything).contains("x"), "contains(anything, 'x')"),
        (attr(T.anything).contains(b"x"), "contains(anything, 'eA==')"),
        (attr(T.anything).contains(1), "contains(anything, '1')"),
        (attr(Thing.title).exists(), "attribute_exists(title)"),
        (attr(Thing.title).not_exists(), "attribute_not_exists(title)"),
        (attr(Thing.name).exists(), "attribute_exists(due)"),
        (attr(Thing.title).is_type("S"), "attribute_type(title, 'S')"),
        # Sizes.
        (attr(Thing.tags).size() == 2, "size(tags) = '2'"),
        (attr(Thing.tags).size() != 2, "size(tags) <> '2'"),
        (attr(Thing.tags).size() < 2, "size(tags) < '2'"),
        (attr(Thing.tags).size() <= 2, "size(tags) <= '2'"),
        (attr(Thing.tags).size() > 2, "size(tags) > '2'"),
        (attr(Thing.tags).size() >= 2, "size(tags) >= '2'"),
        (attr(Thing.title).size() > 2, "size(title) > '2'"),
        (attr(T.anything).size() > 2, "size(anything) > '2'"),
        # Inside of attributes.
        (attr(Thing.lines)[0] == "x", "lines[0] = 'x'"),
        (attr(Thing.lines[1]) == "x", "lines[1] = 'x'"),
        (attr(Thing.pair[1]) == "x", "pair[1] = 'x'"),
        (attr(Thing.sizes)["a b"] > 1, "sizes.a b > '1'"),
        (attr(T.address.city) == "Bern", "address1.city = 'Bern'"),
        (attr(T.address.street) == None, "attribute_not_exists(address1.street)"),  # noqa: E711
        (attr(T.address.lines)[2].begins_with("x"), "begins_with(address1.lines[2], 'x')"),
        (attr(Thing.places[0].city).is_in(["Bern"]), "places[0].city IN ('Bern')"),
        (attr(Thing.maybe)[0] == None, "maybe[0] = NULL"),  # noqa: E711
        (attr(T.anything.x[1].y) == [1], "anything.x[1].y = [{'N': '1'}]"),
    ],
)
def test_a_condition(condition: Condition, expected: str) -> None:
    assert text(condition) == expected


def test_what_is_stored_as_null() -> None:
    assert encoded(attr(Thing.note) == None)["ExpressionAttributeValues"] == {":v0": {"NULL": True}}  # noqa: E711
    assert encoded(attr(Thing.full) != set())["ExpressionAttributeValues"] == {":v0": {"L": []}}


def test_joined_conditions_stand_in_parentheses() -> None:
    a, b, c = (attr(Thing.title) == value for value in "abc")
    assert text(a & b) == "(title = 'a') AND (title = 'b')"
    assert text(a | b) == "(title = 'a') OR (title = 'b')"
    assert text(~a) == "NOT (title = 'a')"
    assert text(a & (b | c)) == "(title = 'a') AND ((title = 'b') OR (title = 'c'))"
    assert text((a | b) & c) == "((title = 'a') OR (title = 'b')) AND (title = 'c')"
    assert text(~(a & b)) == "NOT ((title = 'a') AND (title = 'b'))"
    assert text(~a & b) == "(NOT (title = 'a')) AND (title = 'b')"
    assert text(a & b & c) == text(a & (b & c)) == "(title = 'a') AND (title = 'b') AND (title = 'c')"
    assert text(a | b | c) == text(a | (b | c)) == "(title = 'a') OR (title = 'b') OR (title = 'c')"


def test_many_conditions_are_not_nested() -> None:
    """Neither here, where Python has a limit, nor in the expression, where DynamoDB has one."""
    condition = attr(Thing.size) == 0
    for number in range(5000):
        condition |= attr(Thing.size) == number
    assert "((" not in (text(condition) or "")


def test_a_condition_is_a_value() -> None:
    condition = attr(Thing.size) > 1
    assert text(condition & (attr(Thing.size) < 5)) == "(size > '1') AND (size < '5')"
    assert text(condition) == "size > '1'"


# What is refused.


COMPOSITE = "is a part of the composite key due and has no attribute of its own; use a key condition or Expression"


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        # Values that are none of the field.
        (attr(T.size) == "x", "Thing.size: the value is not valid (int_parsing)"),
        (attr(T.title) == 1, "Thing.title: the value is not valid (string_type)"),
        (attr(T.title) == "\ud800", "Thing.title: is not valid UTF-8 text"),
        (attr(T.title).begins_with("\ud800"), "Thing.title: is not valid UTF-8 text"),
        (attr(T.title).contains("\ud800"), "Thing.title: is not valid UTF-8 text"),
        (attr(Thing.size) == 10**40 + 1, "Thing.size: is a number of more than 38 significant digits"),
        (attr(T.size) > None, "Thing.size: the value is not valid (int_type)"),
        (attr(T.rank) > None, "Thing.rank: is None, not an int"),
        (attr(T.rank).is_in([1, None]), "Thing.rank: is None, not an int"),
        (attr(Thing.size).between(10, 9), "Thing.size: between takes the lower value first"),
        (attr(Thing.label).between("b", "a"), "Thing.label: between takes the lower value first"),
        (attr(T.size).between(1, "x"), "Thing.size: the value is not valid (int_parsing)"),
        (attr(T.size).is_in([1, "x"]), "Thing.size: the value is not valid (int_parsing)"),
        (attr(T.lines).contains(1), "Thing.lines[]: the value is not valid (string_type)"),
        (attr(T.tags) == {1}, "Thing.tags: the value is not valid (string_type)"),
        (attr(T.color) == "green", "Thing.color: the value is not valid (enum)"),
        # Parts of composite keys have no attribute of their own.
        (attr(Thing.name) == "x", f"Thing.name: {COMPOSITE}"),
        (attr(Thing.name) != "x", f"Thing.name: {COMPOSITE}"),
        (attr(Thing.name) > "x", f"Thing.name: {COMPOSITE}"),
        (attr(Thing.priority).between(1, 2), f"Thing.priority: {COMPOSITE}"),
        (attr(Thing.name).is_in(["x"]), f"Thing.name: {COMPOSITE}"),
        (attr(Thing.name).begins_with("x"), f"Thing.name: {COMPOSITE}"),
        (attr(Thing.name).contains("x"), f"Thing.name: {COMPOSITE}"),
        (attr(Thing.name).size() > 1, f"Thing.name: {COMPOSITE}"),
        # Types whose stored order is not their own.
        (
            attr(T.color) < Color.RED,
            "Thing.color: < compares the stored form, whose order is not that of the values of this type",
        ),
        (
            attr(T.address) >= Address(city="Bern"),
            "Thing.address: >= compares the stored form, whose order is not that of the values of this type",
        ),
        (
            attr(T.lines).between(["a"], ["b"]),
            "Thing.lines: between compares the stored form, whose order is not that of the values of this type",
        ),
        (
            attr(T.good) > False,
            "Thing.good: > compares the stored form, whose order is not that of the values of this type",
        ),
        (
            attr(T.anything) > 1,
            "Thing.anything: > compares the stored form, whose order is not that of the values of this type",
        ),
        # How many.
        (attr(Thing.size).is_in([]), "Thing.size: is_in takes 1 to 100 values, not 0"),
        (attr(Thing.size).is_in(range(101)), "Thing.size: is_in takes 1 to 100 values, not 101"),
        # What has no beginning, and contains nothing.
        (attr(T.size).begins_with("1"), "Thing.size: cannot begin with a str"),
        (attr(T.title).begins_with(b"x"), "Thing.title: cannot begin with bytes"),
        (untyped(T.title).begins_with(None), "Thing.title: cannot begin with None"),
        (attr(T.data).begins_with("x"), "Thing.data: cannot begin with a str"),
        (attr(T.lines).begins_with("x"), "Thing.lines: cannot begin with a str"),
        (attr(T.title).contains(1), "Thing.title: cannot contain an int"),
        (attr(T.size).contains("1"), "Thing.size: cannot contain a str"),
        (attr(T.sizes).contains("x"), "Thing.sizes: cannot contain a str"),
        (attr(T.address).contains("x"), "Thing.address: cannot contain a str"),
        # A prefix is text that is searched and counted too.
        (
            attr(Thing.label).contains("L"),
            "Thing.label: is stored with the prefix 'L_', which contains would search too; use begins_with",
        ),
        (
            attr(Thing.label).contains("_x"),
            "Thing.label: is stored with the prefix 'L_', which contains would search too; use begins_with",
        ),
        (
            attr(Thing.label).contains(""),
            "Thing.label: is stored with the prefix 'L_', which contains would search too; use begins_with",
        ),
        (
            attr(Thing.label).size() > 1,
            "Thing.label: is stored with the prefix 'L_', which its size would count; use Expression",
        ),
        (attr(Thing.size).size() > 1, "Thing.size: is stored as what has no size"),
        (attr(Thing.good).size() > 1, "Thing.good: is stored as what has no size"),
        (attr(Thing.tags).size() > "1", "Thing.tags: a size is compared with an int, not with a str"),  # type: ignore[operator]  # pyright: ignore[reportOperatorIssue]
        (attr(Thing.tags).size() > True, "Thing.tags: a size is compared with an int, not with a bool"),
        (attr(Thing.tags).size() == None, "Thing.tags: a size is compared with an int, not with None"),  # noqa: E711
    ],
)
def test_what_is_refused(condition: Any, message: str) -> None:
    assert error_of(condition) == message


def test_a_padded_number_in_a_string_is_no_string() -> None:
    steps = SHOP.steps._source.items
    assert text(attr(Step.number) >= 3, steps) == "sk >= 'STEP_0003'"
    assert text(attr(Step.number) == 3, steps) == "sk = 'STEP_0003'"
    assert error_of(attr(Step.number) == -3, steps) == "Step.number: is negative, and a number in a string key is not"
    step: Any = Step
    assert error_of(attr(step.number).begins_with("0"), steps) == "Step.number: cannot begin with a str"
    assert error_of(attr(step.number).contains("3"), steps) == "Step.number: cannot contain a str"
    assert error_of(attr(Step.number).size() > 3, steps) == (
        "Step.number: is stored with the prefix 'STEP_', which its size would count; use Expression"
    )


def test_no_value_is_in_a_message() -> None:
    hidden: Any = "hidden"
    for condition in (
        attr(T.size) == hidden,
        attr(T.size).is_in([hidden]),
        attr(T.color) == hidden,
        attr(T.data).begins_with(hidden),
        attr(T.label).contains("L_hidden"[:2]),
    ):
        assert hidden not in error_of(condition)


@pytest.mark.parametrize("condition", [True, False])
def test_a_bool_is_no_condition(condition: Any) -> None:
    message = (
        f"a condition is due, not {condition}: "
        "write attr(...) around the field, as in attr(AlbumTrack.track_number) == 1"
    )
    for use in (
        lambda: check_condition(condition),
        lambda: (attr(Thing.size) == 1) & condition,
        lambda: (attr(Thing.size) == 1) | condition,
    ):
        with pytest.raises(TypeError) as error:
            use()
        assert str(error.value) == message


def test_nor_is_anything_else() -> None:
    with pytest.raises(TypeError) as error:
        check_condition("size = 1")
    assert str(error.value) == "a condition is due, not a str: write it with attr(...) or Expression(...)"
    with pytest.raises(TypeError) as error:
        check_condition(attr(Thing.size))
    assert str(error.value) == "a condition is due, not an Attr: write it with attr(...) or Expression(...)"


def test_a_condition_has_no_truth_value() -> None:
    condition = attr(Thing.size) == 1
    for use in (bool, lambda condition: condition and condition, lambda condition: not condition):
        with pytest.raises(TypeError) as error:
            use(condition)
        assert str(error.value) == (
            "a condition has no truth value of its own; join conditions with &, | and ~, not and, or and not"
        )


def test_a_bare_condition_says_nothing() -> None:
    with pytest.raises(NotImplementedError):
        encoded(Condition())


def test_a_field_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        encoded(attr(Plain.value) == 1)
    assert str(error.value) == "Plain.value is a field of Plain, but this is about Thing"
    with pytest.raises(TypeError) as error:
        encoded(attr(Gadget.title) == "x", SHOP.everything._source.items)
    assert str(error.value) == "Gadget.title is a field of Gadget, but this is about Customer or Order"


def test_a_collection_knows_the_fields_of_all_its_types() -> None:
    items = SHOP.everything._source.items
    assert text(attr(Order.amount) > Decimal(3), items) == "amount > '3'"


# attr itself.


@pytest.mark.parametrize("value", ["Speak to Me", 1, None, attr(Thing.title)])
def test_attr_takes_a_field(value: Any) -> None:
    with pytest.raises(TypeError) as error:
        attr(value)
    kind = {str: "a str", int: "an int", type(None): "None", Attr: "an Attr"}[type(value)]
    assert str(error.value) == (
        f"attr() takes a field on the class of an item type, such as attr(AlbumTrack.track_title), not {kind}"
    )


def test_the_text_of_attr() -> None:
    assert repr(attr(Thing.title)) == "attr(Thing.title)"
    assert repr(attr(Thing.places[0].city)) == "attr(Thing.places[0].city)"
    assert repr(attr(Thing.lines)[2]) == "attr(Thing.lines[2])"
    assert repr(attr(Thing.title).set("hidden")) == "attr(Thing.title).set(...)"


def test_attr_has_no_hash() -> None:
    for value in (attr(Thing.title), attr(Thing.title).size()):
        with pytest.raises(TypeError, match=r"^unhashable type"):
            hash(value)


@pytest.mark.parametrize("method", ["is_in", "append", "prepend", "add_to_set", "delete_from_set"])
def test_one_text_is_not_several_values(method: str) -> None:
    for value, kind in (("abc", "a str"), (b"abc", "bytes")):
        with pytest.raises(TypeError) as error:
            getattr(attr(T.lines), method)(value)
        assert str(error.value) == f"{method} takes several values, such as a list, not {kind}"


def test_values_are_taken_when_they_are_given() -> None:
    values = ["x"]
    condition, update = attr(Thing.title).is_in(values), attr(Thing.lines).append(values)
    values.append("y")
    assert text(condition) == "title IN ('x')"
    assert update.argument == ("x",)


# Expressions.


def test_an_expression() -> None:
    condition = Expression("#p.#q = :v AND title = :w", values={":v": 3, ":w": "x"}, names={"#p": "a", "#q": "b c"})
    assert encoded(condition) == {
        "ConditionExpression": "#n0.#n1 = :v0 AND title = :v1",
        "ExpressionAttributeNames": {"#n0": "a", "#n1": "b c"},
        "ExpressionAttributeValues": {":v0": {"N": "3"}, ":v1": {"S": "x"}},
    }
    assert repr(condition) == "Expression('#p.#q = :v AND title = :w')"


def test_two_expressions_have_placeholders_of_their_own() -> None:
    one = Expression("#a = :v", values={":v": 1}, names={"#a": "first"})
    other = Expression("#a = :v OR #a = :v", values={":v": 2}, names={"#a": "second"})
    assert encoded((attr(Thing.title) == "x") & one & other) == {
        "ConditionExpression": "(#n0 = :v0) AND (#n1 = :v1) AND (#n2 = :v2 OR #n2 = :v2)",
        "ExpressionAttributeNames": {"#n0": "title", "#n1": "first", "#n2": "second"},
        "ExpressionAttributeValues": {":v0": {"S": "x"}, ":v1": {"N": "1"}, ":v2": {"N": "2"}},
    }


def test_a_placeholder_is_a_whole_word() -> None:
    condition = Expression("a = :v AND b = :v1", values={":v": "one", ":v1": "two"})
    assert encoded(condition)["ConditionExpression"] == "a = :v0 AND b = :v1"
    assert encoded(condition)["ExpressionAttributeValues"] == {":v0": {"S": "one"}, ":v1": {"S": "two"}}


def test_the_values_of_an_expression_are_what_dynamodb_knows() -> None:
    values: dict[str, Any] = {
        ":a": None,
        ":b": True,
        ":c": Decimal("1.50"),
        ":d": b"\xff",
        ":e": [1, {"x": {"y"}}],
    }
    condition = Expression(" AND ".join(f"x = {name}" for name in values), values=values)
    assert list(encoded(condition)["ExpressionAttributeValues"].values()) == [
        {"NULL": True},
        {"BOOL": True},
        {"N": "1.5"},
        {"B": "/w=="},
        {"L": [{"N": "1"}, {"M": {"x": {"SS": ["y"]}}}]},
    ]


def test_an_expression_keeps_what_it_was_given() -> None:
    values = {":v": 1}
    condition = Expression("a = :v", values=values)
    values[":v"] = 2
    assert encoded(condition)["ExpressionAttributeValues"] == {":v0": {"N": "1"}}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (Expression("a = :v"), "Expression 'a = :v': :v is given neither in values nor in names"),
        (Expression("#a = b"), "Expression '#a = b': #a is given neither in values nor in names"),
        (Expression("a = b", values={":v": 1}), "Expression 'a = b': does not use :v"),
        (
            Expression("a = :w", values={":v": 1, ":w": 2, ":a": 3}, names={"#x": "y"}),
            "Expression 'a = :w': does not use #x, :a, :v",
        ),
        (Expression("a = :v", values={"v": 1}), "Expression 'a = :v': :v is given neither in values nor in names"),
        (
            Expression("a = :v", values={":v": 1.5}),
            "Expression 'a = :v': :v is a float, which DynamoDB has no type for; give it as it is stored",
        ),
        (
            Expression("a = :v", values={":v": [{"x": date(2026, 1, 2)}]}),
            "Expression 'a = :v': :v[0]['x'] is a date, which DynamoDB has no type for; give it as it is stored",
        ),
        (Expression(""), "Expression '': is empty"),
        (Expression(" "), "Expression ' ': is empty"),
        (Expression("(a = b"), "Expression '(a = b': its parentheses do not match"),
        (Expression("a = b)"), "Expression 'a = b)': its parentheses do not match"),
        (Expression("a = b) OR (c = d"), "Expression 'a = b) OR (c = d': its parentheses do not match"),
    ],
)
def test_a_wrong_expression(expression: Expression, message: str) -> None:
    assert error_of(expression) == message
    assert error_of(~expression & expression) == message


def test_a_condition_does_not_show_its_values() -> None:
    for condition in (
        attr(Thing.title) == "SECRET",
        attr(Thing.title).between("SECRET", "SECRET"),
        attr(Thing.title).is_in(["SECRET"]),
        attr(Thing.title).begins_with("SECRET"),
        attr(Thing.title).contains("SECRET"),
        attr(Thing.title) > "SECRET",
    ):
        assert "SECRET" not in repr(condition)
        assert "Thing.title" in repr(condition)


@pytest.mark.parametrize("join", [lambda wrong, right: wrong & right, lambda wrong, right: wrong | right])
def test_a_forgotten_attr_on_the_left(join: Any) -> None:
    wrong: Any = Thing.title == "a"
    with pytest.raises(TypeError) as error:
        join(wrong, attr(Thing.size) == 1)
    assert str(error.value) == (
        "a condition is due, not False: write attr(...) around the field, as in attr(AlbumTrack.track_number) == 1"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((None,), "Expression takes the text of a condition, not None"),
        (("a = :a", [1]), "the values of an Expression are a dict of its placeholders, not a list"),
        (("#a = :a", {}, "a"), "the names of an Expression are a dict of its placeholders, not a str"),
        (("#a = :a", {}, {"#a": 5}), "Expression: #a is the name of an attribute, a str, not an int"),
    ],
)
def test_what_an_expression_is_made_of(arguments: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        Expression(*arguments)
    assert str(error.value) == message


@pytest.mark.parametrize("wrong", ["Q", 5, None])
def test_a_type_is_one_of_dynamodbs(wrong: Any) -> None:
    with pytest.raises(TypeError) as error:
        attr(Thing.title).is_type(wrong)
    assert str(error.value) == f"is_type takes one of S, N, B, BOOL, NULL, L, M, SS, NS, BS, not {wrong!r}"


@pytest.mark.parametrize("method", ["is_in", "append", "prepend", "add_to_set", "delete_from_set"])
def test_where_several_values_are_due(method: str) -> None:
    with pytest.raises(TypeError) as error:
        getattr(untyped(Thing.title), method)(5)
    assert str(error.value) == f"{method} takes several values, such as a list, not an int"
