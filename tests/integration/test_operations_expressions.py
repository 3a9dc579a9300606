"""Conditions and updates of all kinds on both engines: what they find, and what they leave in the row."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest
from botocore.exceptions import ClientError

from logicaldb import (
    BeginsWith,
    Condition,
    Expression,
    LimitExceeded,
    LogicalDb,
    TableName,
    Update,
    attr,
)
from logicaldb.testing import LogicalDbFactory
from tests.modes import Mode
from tests.unit.operations.models import Address, Color, ShopRow, Thing, ThingTable


class ThingsDb(LogicalDb):
    table: Annotated[ThingTable, TableName("things")]


T: Any = Thing
KEY = Thing.Key("1")
THING = Thing(
    pk="1",
    title="Speak to Me",
    label="x",
    priority=3,
    name="n",
    size=5,
    weight=0.5,
    data=b"\x00\xff",
    day=date(2026, 1, 2),
    length=timedelta(seconds=1.5),
    color=Color.BLUE,
    lines=["a", "b", "c"],
    tags={"t", "u"},
    marks=frozenset({1, 2}),
    sizes={"a b": 1, "#n0": 2},
    note=None,
    anything={"x": [1, {"y": "z"}]},
    address=Address(city="Bern"),
    places=[Address(city="Rom", floor=3)],
    maybe=["a", None],
)


@pytest.fixture
def db(mode: Mode) -> ThingsDb:
    db = mode.make(ThingsDb)
    db.save(THING)
    return db


HOLDS: list[Condition] = [
    attr(Thing.title) == "Speak to Me",
    attr(Thing.title) != "Time",
    attr(Thing.label) == "x",
    attr(Thing.code) == "none",
    attr(Thing.size) == 5,
    attr(Thing.data) == b"\x00\xff",
    attr(Thing.day) == date(2026, 1, 2),
    attr(Thing.length) == timedelta(seconds=1.5),
    attr(Thing.color) == Color.BLUE,
    attr(Thing.tags) == {"u", "t"},
    attr(Thing.lines) == ["a", "b", "c"],
    attr(Thing.address) == Address(city="Bern"),
    attr(Thing.note) == None,  # noqa: E711
    attr(Thing.rank) == None,  # noqa: E711
    attr(Thing.days) == set(),
    attr(Thing.day) != None,  # noqa: E711
    attr(Thing.rank) != 7,  # not there is not equal
    attr(Thing.maybe)[1] == None,  # noqa: E711
    attr(T.address.street) == None,  # noqa: E711
    attr(Thing.size) > 4,
    attr(Thing.size) >= 5,
    attr(Thing.size) < 10,
    attr(Thing.size).between(5, 10),
    attr(Thing.label) > "w",
    attr(Thing.label).between("x", "y"),
    attr(Thing.day) < date(2026, 1, 10),
    attr(Thing.length) > timedelta(seconds=1),
    attr(Thing.data) > b"\x00",
    attr(Thing.price) < Decimal(10),
    attr(Thing.weight).is_in([0.5, 7]),
    attr(Thing.size).is_in(range(100)),
    attr(Thing.color).is_in({Color.RED, Color.BLUE}),
    attr(Thing.title).begins_with("Speak"),
    attr(Thing.label).begins_with("x"),
    attr(Thing.title).contains("to"),
    attr(Thing.lines).contains("b"),
    attr(Thing.tags).contains("t"),
    attr(Thing.marks).contains(2),
    attr(Thing.points).contains(7),
    attr(Thing.name).exists(),
    attr(Thing.rank).not_exists(),
    attr(Thing.title).is_type("S"),
    attr(Thing.tags).is_type("SS"),
    attr(Thing.note).is_type("NULL"),
    attr(Thing.title).size() == 11,
    attr(Thing.tags).size() > 1,
    attr(Thing.lines).size() <= 3,
    attr(Thing.data).size() == 2,
    attr(Thing.lines)[1] == "b",
    attr(Thing.sizes)["a b"] == 1,
    attr(Thing.sizes)["#n0"] == 2,
    attr(Thing.places[0].city) == "Rom",
    attr(T.address.floor) == 0,
    attr(T.anything.x)[1]["y"] == "z",
    attr(Thing.pair[1]) == "x",
    (attr(Thing.size) == 1) | (attr(Thing.size) == 5) & (attr(Thing.title) != "x"),
    ~(attr(Thing.size) == 1) & ~(attr(Thing.size) == 2) & ~(attr(Thing.size) == 3),
    Expression("#s = :v AND title = :t", values={":v": 5, ":t": "Speak to Me"}, names={"#s": "size"}),
]


@pytest.mark.parametrize("number", range(0, len(HOLDS), 10))
def test_conditions(db: ThingsDb, number: int) -> None:
    key = BeginsWith(KEY)
    for condition in HOLDS[number : number + 10]:
        try:
            assert db.table.things.count(key, filter_expression=condition) == 1, condition
            assert db.table.things.count(key, filter_expression=~condition) == 0, condition
            db.table.things.update(KEY, attr(Thing.rank).remove(), condition=condition)
        except ClientError as error:
            raise AssertionError(condition) from error


def test_conditions_of_binaries(local_db: LogicalDbFactory) -> None:
    """Where moto compares the base64 texts."""
    db = local_db(ThingsDb)
    db.save(THING)
    things = db.table.things
    assert things.count(BeginsWith(KEY), filter_expression=attr(Thing.data).begins_with(b"\x00")) == 1
    assert things.count(BeginsWith(KEY), filter_expression=attr(Thing.data).begins_with(b"\xff")) == 0
    assert things.count(BeginsWith(KEY), filter_expression=attr(Thing.data).contains(b"\xff")) == 1


UPDATES: list[tuple[Update, dict[str, Any]]] = [
    (attr(Thing.title).set("Time"), {"title": "Time"}),
    (attr(Thing.label).set("y"), {"label": "y"}),
    (attr(Thing.label).set(None), {"label": None}),
    (attr(Thing.code).set("z"), {"code": "z"}),
    (attr(Thing.note).set("y"), {"note": "y"}),
    (attr(Thing.note).remove(), {"note": "none"}),
    (attr(Thing.tags).set(set()), {"tags": set()}),
    (attr(Thing.full).set(set()), {"full": set()}),
    (attr(T.size).set(None), {"size": 0}),
    (attr(Thing.size).set_if_not_exists(9), {"size": 5}),
    (attr(Thing.rank).set_if_not_exists(9), {"rank": 9}),
    (attr(Thing.lines)[1].set("B"), {"lines": ["a", "B", "c"]}),
    (attr(Thing.lines)[1].remove(), {"lines": ["a", "c"]}),
    (attr(Thing.lines).append(["d"]), {"lines": ["a", "b", "c", "d"]}),
    (attr(Thing.lines).prepend(["d"]), {"lines": ["d", "a", "b", "c"]}),
    (attr(Thing.maybe)[0].set(None), {"maybe": [None, None]}),
    (attr(Thing.maybe).append([None]), {"maybe": ["a", None, None]}),
    (attr(Thing.sizes)["new key"].set(3), {"sizes": {"a b": 1, "#n0": 2, "new key": 3}}),
    (attr(Thing.sizes)["a b"].add(3), {"sizes": {"a b": 4, "#n0": 2}}),
    (attr(Thing.sizes)["other"].add(3), {"sizes": {"a b": 1, "#n0": 2, "other": 3}}),
    (attr(Thing.sizes)["a b"].remove(), {"sizes": {"#n0": 2}}),
    (attr(T.address.city).set("Rom"), {"address": Address(city="Rom")}),
    (attr(T.address.street).set("Via"), {"address": Address(city="Bern", street="Via")}),
    (attr(Thing.places[0].floor).add(-1), {"places": [Address(city="Rom", floor=2)]}),
    (attr(Thing.size).add(3), {"size": 8}),
    (attr(Thing.rank).add(3), {"rank": 3}),
    (attr(Thing.price).add(Decimal("0.01")), {"price": Decimal(10)}),
    (attr(Thing.weight).add(0.25), {"weight": 0.75}),
    (attr(Thing.tags).add_to_set(["v"]), {"tags": {"t", "u", "v"}}),
    (attr(Thing.tags).delete_from_set(["t", "x"]), {"tags": {"u"}}),
    (attr(Thing.tags).delete_from_set(["t", "u"]), {"tags": set()}),
    (attr(Thing.days).add_to_set([date(2026, 1, 2)]), {"days": {date(2026, 1, 2)}}),
    (attr(Thing.tags).add_to_set([]), {}),
    (attr(T.anything.x)[0].set({"deep": [None]}), {"anything": {"x": [{"deep": [None]}, {"y": "z"}]}}),
]


@pytest.mark.parametrize("number", range(0, len(UPDATES), 7))
def test_updates(db: ThingsDb, number: int) -> None:
    for update, changes in UPDATES[number : number + 7]:
        try:
            found = db.table.things.update(KEY, update)
        except ClientError as error:
            raise AssertionError(update) from error
        assert found == THING.replace(**changes), update
        assert db.load(KEY) == found, update
        db.put(THING)


def test_absent_attributes_begin_with_their_defaults(db: ThingsDb) -> None:
    db.table.raw.put(ShopRow(pk="THING_1", sk="thing", title="t"))
    found = db.table.things.update(
        KEY,
        attr(Thing.points).append([8]),
        attr(Thing.price).add(Decimal("0.01")),
        attr(Thing.weight).add(1),
        attr(Thing.lines).prepend(["a"]),
    )
    assert (found.points, found.price, found.weight, found.lines) == ([7, 8], Decimal(10), 2.5, ["a"])


def test_a_composite_key_is_written_whole(db: ThingsDb) -> None:
    db.table.things.update(KEY, attr(Thing.queue).set("Q"), attr(Thing.priority).set(7), attr(Thing.name).set("x"))
    by_due = db.table.things_by_due
    assert [thing.name for thing in by_due.query(BeginsWith(Thing.DueKey("Q", 7))).contents] == ["x"]
    db.table.things.update(KEY, attr(Thing.priority).set(None), attr(Thing.name).set(None))
    assert by_due.query(BeginsWith(Thing.DueKey("Q"))).contents == []


def test_both_copies_of_a_field_are_written(db: ThingsDb) -> None:
    db.table.things.update(KEY, attr(Thing.code).set("z"), attr(T.address.city).set("Rom"))
    row = db.table.raw.load(ShopRow(pk="THING_1", sk="thing"))
    assert row is not None
    extra: dict[str, Any] = row.__pydantic_extra__ or {}
    assert extra["code1"] == extra["code2"] == "z"
    assert extra["address1"] == extra["address2"] == {"city": "Rom", "lines": [], "floor": 0}


def test_the_length_of_an_expression(local_client: Any, local_db: LogicalDbFactory) -> None:
    db = local_db(ThingsDb)
    db.save(THING)
    text = "a =" + " " * (4096 - len("a =:v0")) + ":a"
    assert db.table.raw.scan(filter_expression=Expression(text, values={":a": 1})).contents == []
    with pytest.raises(LimitExceeded):
        db.table.raw.scan(filter_expression=Expression(text.replace("=", "= "), values={":a": 1}))
    client: Any = local_client
    with pytest.raises(ClientError, match="Expression size has exceeded the maximum allowed size"):
        client.scan(
            TableName=db.table.table_name,
            FilterExpression=text.replace(":a", "  :v0"),
            ExpressionAttributeValues={":v0": {"N": "1"}},
        )


def test_many_conditions_in_one_row(local_db: LogicalDbFactory) -> None:
    """DynamoDB counts operators, up to 300, and nests no deeper than it needs."""
    db = local_db(ThingsDb)
    db.save(THING)
    condition: Condition = attr(Thing.size) == 5
    for number in range(140):
        condition |= attr(Thing.size) == number
    assert db.table.things.count(BeginsWith(KEY), filter_expression=condition) == 1
