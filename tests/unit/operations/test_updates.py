"""Updates: their clauses, their conflicts, and what is refused before sending."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest

from logicaldb import Attribute, EncodingError, InlineView, Item, ItemKey, LogicalTable, Update, attr
from logicaldb.operations.changes import Changes
from logicaldb.operations.updates import plan
from tests.unit.operations.driving import make_table, readable
from tests.unit.operations.models import Address, Color, Gadget, Generated, Plain, ShopRow, Thing, ThingTable

TABLE = make_table(ThingTable)
THING = TABLE.things._writer.item
T: Any = Thing
untyped: Any = attr


def body(*updates: Update, item: Any = THING) -> dict[str, Any]:
    changes = Changes()
    plan(item, updates, changes)
    return {"UpdateExpression": changes.expression(), **changes.placeholders.parameters()}


def text(*updates: Update, item: Any = THING) -> str | None:
    return readable(body(*updates, item=item), "UpdateExpression")


def error_of(*updates: Update, item: Any = THING) -> str:
    with pytest.raises(EncodingError) as error:
        body(*updates, item=item)
    return str(error.value)


def test_names_and_values_are_placeholders() -> None:
    assert body(attr(Thing.title).set(":v0 REMOVE #n0"), attr(Thing.size).add(1), attr(Thing.day).remove()) == {
        "UpdateExpression": "SET #n2 = :v1 REMOVE #n1 ADD #n0 :v0",
        "ExpressionAttributeNames": {"#n0": "size", "#n1": "day", "#n2": "title"},
        "ExpressionAttributeValues": {":v0": {"N": "1"}, ":v1": {"S": ":v0 REMOVE #n0"}},
    }


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        # set
        (attr(Thing.title).set("x"), "SET title = 'x'"),
        (attr(Thing.size).set(1), "SET size = '1'"),
        (attr(Thing.color).set(Color.BLUE), "SET color = 'blue'"),
        (attr(Thing.day).set(date(2026, 1, 2)), "SET day = '2026-01-02'"),
        (attr(Thing.length).set(timedelta(minutes=1)), "SET length = '60'"),
        (attr(Thing.label).set("x"), "SET label = 'L_x'"),
        (attr(Thing.tags).set({"x"}), "SET tags = ['x']"),
        (attr(Thing.day).set(None), "REMOVE day"),
        (attr(Thing.label).set(None), "REMOVE label"),
        (attr(Thing.tags).set(set()), "REMOVE tags"),
        (attr(Thing.note).set(None), "SET note = NULL"),  # NULL: absence would read back as the default
        (attr(Thing.full).set(set()), "SET full = []"),
        (attr(T.size).set(None), "REMOVE size"),  # not required: absence reads back as the default
        (attr(Thing.code).set("x"), "SET code1 = 'x', code2 = 'x'"),
        (attr(T.address).set(None), "REMOVE address1, address2"),
        # inside of attributes
        (attr(Thing.lines)[0].set("x"), "SET lines[0] = 'x'"),
        (attr(Thing.sizes)["a b"].set(1), "SET sizes.a b = '1'"),
        (attr(T.address.city).set("Bern"), "SET address1.city = 'Bern', address2.city = 'Bern'"),
        (attr(T.address.street).set(None), "REMOVE address1.street, address2.street"),
        (attr(T.address.floor).set(None), "REMOVE address1.floor, address2.floor"),
        (attr(Thing.maybe)[1].set(None), "SET maybe[1] = NULL"),  # removing it would shift the others
        (attr(Thing.places[0].city).set("Bern"), "SET places[0].city = 'Bern'"),
        (
            attr(Thing.places)[2].set(Address(city="x")),
            "SET places[2] = {'city': {'S': 'x'}, 'lines': {'L': []}, 'floor': {'N': '0'}}",
        ),
        (attr(T.anything.x).set([1]), "SET anything.x = [{'N': '1'}]"),
        # set_if_not_exists
        (attr(Thing.title).set_if_not_exists("x"), "SET title = if_not_exists(title, 'x')"),
        (attr(Thing.label).set_if_not_exists("x"), "SET label = if_not_exists(label, 'L_x')"),
        (
            attr(Thing.code).set_if_not_exists("x"),
            "SET code1 = if_not_exists(code1, 'x'), code2 = if_not_exists(code2, 'x')",
        ),
        (
            attr(T.address.city).set_if_not_exists("x"),
            "SET address1.city = if_not_exists(address1.city, 'x'), address2.city = if_not_exists(address2.city, 'x')",
        ),
        (attr(Thing.note).set_if_not_exists(None), "SET note = if_not_exists(note, NULL)"),
        # remove
        (attr(Thing.day).remove(), "REMOVE day"),
        (attr(Thing.size).remove(), "REMOVE size"),
        (attr(Thing.label).remove(), "REMOVE label"),
        (attr(Thing.note).remove(), "REMOVE note"),
        (attr(Thing.code).remove(), "REMOVE code1, code2"),
        (attr(Thing.lines)[3].remove(), "REMOVE lines[3]"),
        (attr(Thing.sizes)["x"].remove(), "REMOVE sizes.x"),
        (attr(T.address.street).remove(), "REMOVE address1.street, address2.street"),
        # append, prepend: an absent list is made, of its default where it has one
        (
            attr(Thing.lines).append(["x", "y"]),
            "SET lines = list_append(if_not_exists(lines, []), [{'S': 'x'}, {'S': 'y'}])",
        ),
        (attr(Thing.lines).prepend(["x"]), "SET lines = list_append([{'S': 'x'}], if_not_exists(lines, []))"),
        (attr(Thing.lines).append([]), "SET lines = list_append(if_not_exists(lines, []), [])"),
        (
            attr(Thing.points).append(iter([1])),
            "SET points = list_append(if_not_exists(points, [{'N': '7'}]), [{'N': '1'}])",
        ),
        (
            attr(Thing.points).prepend([1]),
            "SET points = list_append([{'N': '1'}], if_not_exists(points, [{'N': '7'}]))",
        ),
        (
            attr(T.address.lines).append(["x"]),
            (
                "SET address1.lines = list_append(if_not_exists(address1.lines, []), [{'S': 'x'}]), "
                "address2.lines = list_append(if_not_exists(address2.lines, []), [{'S': 'x'}])"
            ),
        ),
        (attr(Thing.maybe).append([None]), "SET maybe = list_append(if_not_exists(maybe, []), [{'NULL': True}])"),
        # add: ADD begins with 0, SET with whatever the default is
        (attr(Thing.size).add(2), "ADD size '2'"),
        (attr(Thing.size).add(-2), "ADD size '-2'"),
        (attr(Thing.rank).add(2), "ADD rank '2'"),
        (attr(Thing.weight).add(1), "SET weight = if_not_exists(weight, '1.5') + '1'"),
        (attr(Thing.weight).add(0.25), "SET weight = if_not_exists(weight, '1.5') + '0.25'"),
        (attr(Thing.price).add(Decimal("0.1")), "SET price = if_not_exists(price, '9.99') + '0.1'"),
        (attr(Thing.price).add(1), "SET price = if_not_exists(price, '9.99') + '1'"),
        (attr(Thing.points)[0].add(1), "SET points[0] = if_not_exists(points[0], '0') + '1'"),
        (attr(Thing.sizes)["x"].add(1), "SET sizes.x = if_not_exists(sizes.x, '0') + '1'"),
        (
            attr(T.address.floor).add(1),
            (
                "SET address1.floor = if_not_exists(address1.floor, '0') + '1', "
                "address2.floor = if_not_exists(address2.floor, '0') + '1'"
            ),
        ),
        # sets
        (attr(Thing.tags).add_to_set({"x"}), "ADD tags ['x']"),
        (attr(Thing.tags).add_to_set(["x", "x"]), "ADD tags ['x']"),
        (attr(Thing.marks).add_to_set([1]), "ADD marks ['1']"),
        (attr(Thing.days).add_to_set([date(2026, 1, 2)]), "ADD days ['2026-01-02']"),
        (attr(Thing.tags).delete_from_set(["x"]), "DELETE tags ['x']"),
        (attr(Thing.tags).add_to_set([]), ""),
        (attr(Thing.tags).delete_from_set([]), ""),
    ],
)
def test_an_update(update: Update, expected: str) -> None:
    assert text(update) == expected


def test_the_clauses_of_several_updates() -> None:
    assert (
        text(
            attr(Thing.tags).delete_from_set(["x"]),
            attr(Thing.size).add(1),
            attr(Thing.day).remove(),
            attr(Thing.title).set("x"),
            attr(Thing.marks).add_to_set([1]),
            attr(Thing.lines)[0].remove(),
            attr(Thing.lines)[1].set("y"),
            attr(T.label).set(None),
        )
        == "SET lines[1] = 'y', title = 'x' REMOVE day, lines[0], label ADD size '1', marks ['1'] DELETE tags ['x']"
    )


# Index keys.


def test_a_composite_key_is_written_whole() -> None:
    assert text(attr(Thing.priority).set(3), attr(Thing.name).set("x")) == "SET due = 'P03#x'"
    assert text(attr(Thing.name).set("x"), attr(Thing.title).set("t"), attr(Thing.priority).set(3)) == (
        "SET due = 'P03#x', title = 't'"
    )
    assert text(attr(Thing.priority).set(None), attr(Thing.name).remove()) == "REMOVE due"


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        (
            [attr(Thing.priority).set(3)],
            "Thing.priority: is a part of the composite key due, which is written whole; update name too",
        ),
        (
            [attr(Thing.name).remove()],
            "Thing.name: is a part of the composite key due, which is written whole; update priority too",
        ),
        (
            [attr(Thing.priority).set(3), attr(Thing.name).set(None)],
            "Thing.name: is None, but priority of the same composite key due is not",
        ),
        ([attr(Thing.priority).set(100), attr(Thing.name).set("x")], "Thing.priority: is wider than 2 digits"),
        (
            [attr(Thing.name).set_if_not_exists("x")],
            "Thing.name: is a part of the composite key due, which is set whole; use set(...)",
        ),
        ([attr(Thing.priority).add(1)], "Thing.priority: is no number, so nothing can be added"),
        ([attr(Thing.queue).set("")], "Thing.queue: is an empty string, and the key attribute queue cannot be"),
        (
            [attr(Thing.queue).set("x" * 2049)],
            "Thing.queue: makes the key attribute queue 2049 bytes long; the limit is 2048",
        ),
        (
            [attr(Thing.title).set("x" * 1025)],
            "Thing.title: makes the key attribute title 1025 bytes long; the limit is 1024",
        ),
        (
            [attr(Thing.title).set_if_not_exists("")],
            "Thing.title: is an empty string, and the key attribute title cannot be",
        ),
    ],
)
def test_wrong_keys_are_refused(updates: list[Update], message: str) -> None:
    assert error_of(*updates) == message


class Named(Item):
    """A field that is the part of a composite key and an attribute of its own."""

    pk: str
    sk: Annotated[str, Attribute(prefix="NAMED_")]
    priority: Annotated[int | None, Attribute("due", width=2)] = None
    name: Annotated[str | None, Attribute(names=("title", "due"), prefix="#")] = None

    class Key(ItemKey["Named"]):
        pk: str
        sk: str


class NamedTable(LogicalTable[ShopRow]):
    named: InlineView[Named.Key, Named]


def test_a_part_that_has_an_attribute_of_its_own_too() -> None:
    item = make_table(NamedTable).named._writer.item
    both = [attr(Named.name).set("x"), attr(Named.priority).set(3)]
    assert text(*both, item=item) == "SET title = '#x', due = '03#x'"
    assert text(attr(Named.name).remove(), attr(Named.priority).set(None), item=item) == "REMOVE title, due"
    assert error_of(attr(Named.name).set("x"), item=item) == (
        "Named.name: is a part of the composite key due, which is written whole; update priority too"
    )
    assert error_of(attr(Named.name).remove(), item=item) == (
        "Named.name: is a part of the composite key due, which is written whole; update priority too"
    )
    assert error_of(attr(Named.name).set_if_not_exists("x"), item=item) == (
        "Named.name: is a part of the composite key due, which is set whole; use set(...)"
    )


# What is refused.


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        (
            [attr(Thing.title).set("x"), attr(Thing.title).set("y")],
            "Thing.title: is updated twice, as Thing.title and as Thing.title; DynamoDB takes one",
        ),
        (
            [attr(Thing.lines).set(["x"]), attr(Thing.lines)[0].set("y")],
            "Thing.lines[0]: is updated twice, as Thing.lines and as Thing.lines[0]; DynamoDB takes one",
        ),
        (
            [attr(Thing.lines)[0].set("y"), attr(Thing.lines).append(["x"])],
            "Thing.lines: is updated twice, as Thing.lines[0] and as Thing.lines; DynamoDB takes one",
        ),
        (
            [attr(T.address.city).set("y"), attr(T.address).remove()],
            "Thing.address: is updated twice, as Thing.address.city and as Thing.address; DynamoDB takes one",
        ),
        (
            [attr(Thing.places[0].city).set("y"), attr(Thing.places)[0].remove()],
            "Thing.places[0]: is updated twice, as Thing.places[0].city and as Thing.places[0]; DynamoDB takes one",
        ),
        (
            [attr(Thing.name).set("x"), attr(Thing.name).remove()],
            "Thing.name: is updated twice, as Thing.name and as Thing.name; DynamoDB takes one",
        ),
        (
            [attr(Thing.tags).add_to_set(["x"]), attr(Thing.tags).delete_from_set(["y"])],
            "Thing.tags: is updated twice, as Thing.tags and as Thing.tags; DynamoDB takes one",
        ),
    ],
)
def test_two_updates_of_one_place_are_refused(updates: list[Update], message: str) -> None:
    assert error_of(*updates) == message


def test_neighbours_are_no_conflict() -> None:
    assert text(attr(Thing.lines)[0].set("x"), attr(Thing.lines)[1].set("y")) == "SET lines[0] = 'x', lines[1] = 'y'"
    assert text(attr(T.address.city).set("x"), attr(T.address.floor).add(1)) is not None


@pytest.mark.parametrize("kind", ["set", "set_if_not_exists"])
@pytest.mark.parametrize(
    ("field", "message"),
    [
        (T.pk, "Thing.pk: is part of the primary key, which cannot be updated; make a new item and delete the old one"),
        (T.sk, "Thing.sk: is part of the primary key, which cannot be updated; make a new item and delete the old one"),
    ],
)
def test_the_primary_key_cannot_be_updated(kind: str, field: Any, message: str) -> None:
    assert error_of(getattr(attr(field), kind)("thing")) == message
    assert error_of(attr(field).remove()) == message


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (attr(Gadget.version).set(3), "Gadget.version: is the version, which every write moves on by itself"),
        (attr(Gadget.version).add(1), "Gadget.version: is the version, which every write moves on by itself"),
        (attr(Gadget.version).remove(), "Gadget.version: is the version, which every write moves on by itself"),
        (attr(Gadget.created).set(None), "Gadget.created: is CreatedAt(), which the mapper sets by itself"),
        (attr(Gadget.updated).remove(), "Gadget.updated: is UpdatedAt(), which the mapper sets by itself"),
        (
            attr(Gadget.hits).set(3),
            "Gadget.hits: is a counter, which changes by add(...) alone; put(...) replaces it with the whole item",
        ),
        (
            attr(Gadget.hits).set_if_not_exists(3),
            "Gadget.hits: is a counter, which changes by add(...) alone; put(...) replaces it with the whole item",
        ),
        (
            attr(Gadget.hits).remove(),
            "Gadget.hits: is a counter, which changes by add(...) alone; put(...) replaces it with the whole item",
        ),
    ],
)
def test_what_the_mapper_looks_after_cannot_be_updated(update: Update, message: str) -> None:
    assert error_of(update, item=TABLE.gadgets._writer.item) == message


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (attr(T.title).set(None), "Thing.title: is required and cannot be set to None"),
        (attr(T.title).remove(), "Thing.title: is required and cannot be removed"),
        (attr(T.address.city).set(None), "Thing.address.city: is required and cannot be set to None"),
        (attr(T.address.city).remove(), "Thing.address.city: is required and cannot be removed"),
        (attr(T.pair)[0].remove(), "Thing.pair[0]: is required and cannot be removed"),
        (attr(T.size).set("x"), "Thing.size: the value is not valid (int_parsing)"),
        (attr(T.color).set("green"), "Thing.color: the value is not valid (enum)"),
        (attr(T.size).set(10**40 + 1), "Thing.size: is a number of more than 38 significant digits"),
        (attr(T.weight).set(float("nan")), "Thing.weight: is not a number (NaN)"),
        (attr(T.lines)[0].set(1), "Thing.lines[0]: the value is not valid (string_type)"),
        (attr(T.lines).append([1]), "Thing.lines[]: the value is not valid (string_type)"),
        (attr(T.title).append(["x"]), "Thing.title: is no list, so nothing can be appended"),
        (attr(T.tags).append(["x"]), "Thing.tags: is no list, so nothing can be appended"),
        (attr(T.pair).append(["x"]), "Thing.pair: is no list, so nothing can be appended"),
        (attr(T.flags).prepend([True]), "Thing.flags: is no list, so nothing can be appended"),
        (attr(T.size).set_if_not_exists(None), "Thing.size: the value is not valid (int_type)"),
        (
            attr(T.day).set_if_not_exists(None),
            "Thing.day: set_if_not_exists would set nothing: this value is stored by absence",
        ),
        (
            attr(T.tags).set_if_not_exists(set()),
            "Thing.tags: set_if_not_exists would set nothing: this value is stored by absence",
        ),
        (
            attr(T.address.street).set_if_not_exists(None),
            "Thing.address.street: set_if_not_exists would set nothing: this value is stored by absence",
        ),
        (attr(T.title).add(1), "Thing.title: is no number, so nothing can be added"),
        (attr(T.length).add(1), "Thing.length: is no number, so nothing can be added"),
        (attr(T.good).add(1), "Thing.good: is no number, so nothing can be added"),
        (attr(T.size).add(1.5), "Thing.size: add takes int, not a float"),
        (attr(T.size).add(True), "Thing.size: add takes int, not a bool"),
        (untyped(T.size).add("1"), "Thing.size: add takes int, not a str"),
        (untyped(T.size).add(None), "Thing.size: add takes int, not None"),
        (attr(T.price).add(1.5), "Thing.price: add takes int or Decimal, not a float"),
        (attr(T.weight).add(Decimal(1)), "Thing.weight: add takes int or float, not a Decimal"),
        (attr(T.weight).add(float("inf")), "Thing.weight: is infinite"),
        (attr(T.price).add(Decimal("nan")), "Thing.price: is not a number (NaN)"),
        (attr(T.lines).add_to_set(["x"]), "Thing.lines: is no set"),
        (attr(T.tags).add_to_set([1]), "Thing.tags[]: the value is not valid (string_type)"),
        (
            attr(T.flags).add_to_set([True]),
            "Thing.flags: is stored as a list, since DynamoDB has no sets of its elements; set(...) it",
        ),
        (
            attr(T.full).delete_from_set(["x"]),
            "Thing.full: has a default other than the empty set, so an emptied set would read back as that; set(...) it",
        ),
    ],
)
def test_what_does_not_fit_is_refused(update: Update, message: str) -> None:
    assert error_of(update) == message


class Nested(Item):
    pk: str
    sk: Annotated[str, Attribute(prefix="NESTED_")]
    words: dict[str, set[str]] = {}

    class Key(ItemKey["Nested"]):
        pk: str
        sk: str


class NestedTable(LogicalTable[ShopRow]):
    nested: InlineView[Nested.Key, Nested]


def test_a_set_inside_of_an_attribute_is_set_whole() -> None:
    item = make_table(NestedTable).nested._writer.item
    assert text(attr(Nested.words)["a"].set({"x"}), item=item) == "SET words.a = ['x']"
    assert error_of(attr(Nested.words)["a"].add_to_set({"x"}), item=item) == (
        "Nested.words.a: is inside an attribute, and DynamoDB changes sets of whole attributes alone; set(...) it"
    )


def test_a_generated_default_is_what_an_absent_list_stands_for() -> None:
    item = TABLE.generated._writer.item
    assert text(attr(Generated.points).append([2]), item=item) == (
        "SET points = list_append(if_not_exists(points, [{'N': '1'}]), [{'N': '2'}])"
    )


@pytest.mark.parametrize("wrong", [None, "x", True, attr(Thing.title), attr(Thing.title) == "x"])
def test_what_is_no_update_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError) as error:
        body(wrong)
    kind = {"NoneType": "None", "str": "a str", "bool": "a bool", "Attr": "an Attr", "Equal": "an Equal"}
    assert str(error.value) == (
        f"an update is due, such as attr(AlbumTrack.track_title).set(...), not {kind[type(wrong).__name__]}"
    )


def test_a_field_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        body(attr(Plain.value).set(1))
    assert str(error.value) == "Plain.value is a field of Plain, but this is about Thing"


def test_what_is_given_and_touched() -> None:
    updates = [
        attr(Thing.title).set("x"),
        attr(Thing.day).set(None),
        attr(Thing.note).remove(),
        attr(T.address.city).set("Bern"),
        attr(Thing.size).add(1),
    ]
    planned = plan(THING, updates, Changes())
    assert planned.given == {"title", "size"}
    assert planned.touched == {"title", "day", "note", "address", "size"}
