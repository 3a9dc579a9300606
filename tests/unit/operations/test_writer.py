"""Writes of items: whole requests, results, versions, counters, times, and who is told what when they are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest

from logicaldb import (
    Attribute,
    Condition,
    ConditionFailed,
    Counter,
    CounterOutOfBounds,
    DecodingError,
    EncodingError,
    Expression,
    IncompleteKey,
    InlineView,
    Item,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    LimitExceeded,
    LogicalTable,
    Operation,
    Update,
    Version,
    VersionConflict,
    attr,
)
from logicaldb.codec.writing import plain
from logicaldb.flow import Request
from logicaldb.operations import transactions
from logicaldb.operations.single import write
from logicaldb.operations.writer import Writer, increase
from tests.unit.operations.driving import (
    NOW,
    NOW_TEXT,
    Run,
    cancelled,
    drive,
    failed,
    make_table,
    readable,
    refused,
)
from tests.unit.operations.models import (
    Bare,
    Gadget,
    Generated,
    Link,
    Order,
    Plain,
    PlainRow,
    PlainTable,
    ShopRow,
    Tally,
    TallyTable,
    Thing,
    ThingTable,
    Versioned,
)

TABLE = make_table(ThingTable)
THINGS: Writer = TABLE.things._writer
GADGETS: Writer = TABLE.gadgets._writer
BARES: Writer = TABLE.bares._writer
LINKS: Writer = TABLE.links._writer
VERSIONED: Writer = TABLE.versioned._writer
GENERATED: Writer = TABLE.generated._writer
PLAIN: Writer = make_table(PlainTable).plain._writer

T: Any = Thing
GADGET_KEY = {"pk": {"S": "GADGET_1"}, "sk": {"S": "GADGET"}}
VERSIONED_KEY = {"pk": {"S": "V_1"}, "sk": {"S": "VERSIONED"}}
BARE_KEY = {"pk": {"S": "BARE_1"}, "sk": {"S": "BARE"}}


def gadget(**fields: Any) -> Gadget:
    return Gadget(pk="1", title="t", **fields)


def gadget_row(**attributes: Any) -> dict[str, Any]:
    return {**GADGET_KEY, "title": {"S": "t"}, **attributes}


def versioned(version: int = 0, title: str = "t") -> Versioned:
    return Versioned(pk="1", title=title, version=version)


def versioned_row(version: int | None = None, title: str = "t") -> dict[str, Any]:
    row = {**VERSIONED_KEY, "title": {"S": title}}
    return row if version is None else {**row, "version": {"N": str(version)}}


def save(writer: Writer, item: Any, *answers: Any, condition: Any = None, kind: Any = "save") -> Run:
    return drive(write(writer.prepare(writer.operation(kind, item, condition)), None), *answers)


def update(writer: Writer, key: Any, updates: Any, *answers: Any, **options: Any) -> Run:
    operation = Operation("update", key, None, tuple(updates), **options)
    return drive(write(writer.prepare(operation), None), *answers)


def increment(key: Any, counter: Any, by: Any, *answers: Any, upsert: bool = False, writer: Writer = GADGETS) -> Run:
    operation = Operation("increment", key, None, (increase(counter, by),), upsert=upsert)
    return drive(write(writer.prepare(operation), None), *answers)


def delete_key(writer: Writer, key: Any, *answers: Any, condition: Any = None) -> Run:
    return drive(write(writer.prepare(Operation("delete_key", key, condition=condition)), None), *answers)


# save


def test_save_sets_what_there_is_and_removes_what_there_is_not() -> None:
    item = Thing(pk="1", title="x", label="y", priority=3, name="n", tags={"a"}, note=None)
    run = save(THINGS, item, {})
    assert run.operations == ["UpdateItem"]
    (body,) = run.bodies
    assert body["TableName"] == "things"
    assert body["Key"] == {"pk": {"S": "THING_1"}, "sk": {"S": "thing"}}
    assert readable(body, "UpdateExpression") == (
        "SET title = 'x', due = 'P03#n', label = 'L_y', code1 = 'none', code2 = 'none', size = '0', weight = '1.5', "
        "price = '9.99', data = '', good = True, length = '0', color = 'red', lines = [], points = [{'N': '7'}], "
        "pair = [{'N': '1'}, {'S': 'x'}], tags = ['a'], full = ['x'], sizes = {}, note = NULL, "
        "places = [], maybe = [] "
        "REMOVE queue, rank, day, marks, days, flags, anything, address1, address2"
    )
    assert "ReturnValues" not in body
    assert "ConditionExpression" not in body
    assert run.result == item


def test_save_of_few_fields() -> None:
    run = save(PLAIN, Plain(pk="P", sk="S", value=3), {})
    assert run.requests == [
        Request(
            "UpdateItem",
            "things",
            {
                "TableName": "things",
                "Key": {"pk": {"S": "P"}, "sk": {"S": "S"}},
                "UpdateExpression": "SET #n0 = :v0",
                "ExpressionAttributeNames": {"#n0": "value"},
                "ExpressionAttributeValues": {":v0": {"N": "3"}},
            },
        )
    ]
    assert run.result == Plain(pk="P", sk="S", value=3)


def test_save_under_a_condition_of_the_callers() -> None:
    condition = (attr(Plain.value) == 1) | (attr(Plain.value) == 2)
    run = save(PLAIN, Plain(pk="P", sk="S", value=3), {}, condition=condition)
    assert run.bodies == [
        {
            "TableName": "things",
            "Key": {"pk": {"S": "P"}, "sk": {"S": "S"}},
            "UpdateExpression": "SET #n0 = :v0",
            "ConditionExpression": "(#n0 = :v1) OR (#n0 = :v2)",
            "ExpressionAttributeNames": {"#n0": "value"},
            "ExpressionAttributeValues": {":v0": {"N": "3"}, ":v1": {"N": "1"}, ":v2": {"N": "2"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    ]


def test_save_keeps_counters_and_the_time_of_creation_and_asks_for_them() -> None:
    stored = gadget_row(
        version={"N": "1"},
        stock={"N": "9"},
        hits={"N": "2"},
        balance={"N": "0.5"},
        created={"S": "2020-01-01T00:00:00.000000Z"},
        updated={"S": NOW_TEXT},
        unknown={"S": "kept"},
    )
    run = save(GADGETS, gadget(), {"Attributes": stored})
    (body,) = run.bodies
    assert readable(body, "UpdateExpression") == (
        "SET title = 't', version = '1', stock = if_not_exists(stock, '5'), hits = if_not_exists(hits, '0'), "
        f"balance = if_not_exists(balance, '0'), created = if_not_exists(created, '{NOW_TEXT}'), "
        f"updated = '{NOW_TEXT}' REMOVE expires"
    )
    assert readable(body, "ConditionExpression") == "attribute_not_exists(version) OR version = '0'"
    assert body["ReturnValues"] == "ALL_NEW"
    assert body["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"
    assert run.result == gadget(
        version=1, stock=9, hits=2, balance=Decimal("0.5"), created=datetime(2020, 1, 1, tzinfo=UTC), updated=NOW
    )


def test_a_written_row_that_is_not_valid_was_written() -> None:
    with pytest.raises(DecodingError) as error:
        save(GADGETS, gadget(), {"Attributes": gadget_row(hits={"S": "many"})})
    assert str(error.value) == (
        "the write took effect, but the row pk='GADGET_1', sk='GADGET' is no valid Gadget: hits (int_parsing)"
    )
    assert error.value.key == {"pk": "GADGET_1", "sk": "GADGET"}


def test_a_save_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        save(GADGETS, versioned())
    assert str(error.value) == "Versioned is not Gadget, the type that is written here"


class Special(Versioned):
    pass


def test_so_is_one_of_a_subclass() -> None:
    with pytest.raises(TypeError) as error:
        save(VERSIONED, Special(pk="1", title="t"))
    assert str(error.value) == "Special is not Versioned, the type that is written here"


def test_a_value_that_cannot_be_stored_is_refused() -> None:
    with pytest.raises(EncodingError) as error:
        save(THINGS, Thing(pk="1", title="t", size=10**40 + 1))
    assert str(error.value) == "Thing.size: is a number of more than 38 significant digits"


def test_a_condition_about_another_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        save(VERSIONED, versioned(), condition=attr(Order.note) == "x")
    assert str(error.value) == "Order.note is a field of Order, but this is about Versioned"


def test_a_bool_is_no_condition() -> None:
    several: list[Callable[[], Run]] = [
        lambda: save(VERSIONED, versioned(), condition=False),
        lambda: save(VERSIONED, versioned(), condition=True, kind="put"),
        lambda: save(VERSIONED, versioned(), condition=False, kind="delete"),
        lambda: delete_key(VERSIONED, Versioned.Key("1"), condition=False),
        lambda: update(VERSIONED, Versioned.Key("1"), [attr(Versioned.title).set("x")], condition=False),
        lambda: save(BARES, Bare(pk="1"), condition=False),
    ]
    for write_it in several:
        with pytest.raises(TypeError, match=r"^a condition is due, not (True|False): write attr\(\.\.\.\) around"):
            write_it()


def test_a_condition_that_is_too_long_is_refused() -> None:
    condition = Expression(" OR ".join(["a = :a"] * 500), values={":a": 1})
    with pytest.raises(LimitExceeded) as error:
        save(PLAIN, Plain(pk="P", sk="S"), condition=condition)
    assert str(error.value) == (
        "save of Plain.Key(pk='P', sk='S'): the ConditionExpression is 5496 bytes long; "
        "the limit of an expression is 4096"
    )


# Versions, on every path.


PATHS: dict[str, Callable[..., Run]] = {
    "save": lambda item, *answers, **options: save(VERSIONED, item, *answers, **options),
    "put": lambda item, *answers, **options: save(VERSIONED, item, *answers, kind="put", **options),
    "delete": lambda item, *answers, **options: save(VERSIONED, item, *answers, kind="delete", **options),
}


@pytest.mark.parametrize("path", PATHS)
def test_an_item_is_written_under_its_version(path: str) -> None:
    run = PATHS[path](versioned(3), {})
    assert readable(run.bodies[0], "ConditionExpression") == "version = '3'"
    run = PATHS[path](versioned(0), {})
    assert readable(run.bodies[0], "ConditionExpression") == "attribute_not_exists(version) OR version = '0'"


@pytest.mark.parametrize("path", ["save", "put"])
def test_the_next_version_is_stored_and_returned(path: str) -> None:
    item = versioned(3)
    run = PATHS[path](item, {})
    assert run.result == versioned(4)
    assert item == versioned(3)  # so that a retry after a failure is still a conflict
    body = run.bodies[0]
    stored = body["Item"]["version"] if path == "put" else {"N": "4"}
    assert stored == {"N": "4"}
    if path == "save":
        assert readable(body, "UpdateExpression") == "SET title = 't', version = '4'"


@pytest.mark.parametrize("path", PATHS)
def test_an_or_of_the_callers_does_not_weaken_the_version(path: str) -> None:
    condition = (attr(Versioned.title) == "a") | (attr(Versioned.title) == "b")
    run = PATHS[path](versioned(0), {}, condition=condition)
    assert readable(run.bodies[0], "ConditionExpression") == (
        "(attribute_not_exists(version) OR version = '0') AND ((title = 'a') OR (title = 'b'))"
    )
    run = PATHS[path](versioned(2), {}, condition=Expression("a = :a OR b = :a", values={":a": 1}))
    assert readable(run.bodies[0], "ConditionExpression") == "(version = '2') AND (a = '1' OR b = '1')"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("expected", "stored"),
    [
        (2, versioned_row(3, "theirs")),
        (3, versioned_row(2, "theirs")),
        (2, versioned_row(None, "theirs")),
        (0, versioned_row(1, "theirs")),
        (2, None),  # a stale write after a delete
    ],
)
def test_another_version_is_a_conflict(path: str, expected: int, stored: Any) -> None:
    with pytest.raises(VersionConflict) as error:
        PATHS[path](versioned(expected), refused(stored))
    assert str(error.value) == f"{path} of Versioned.Key(pk='1'): the stored version is not the expected one"
    assert error.value.expected == expected
    assert error.value.operation == Operation(path, Versioned.Key("1"), versioned(expected))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    version = int((stored or {}).get("version", {"N": "0"})["N"])
    assert error.value.item == (None if stored is None else versioned(version, "theirs"))
    assert error.value.undecodable is None
    assert isinstance(error.value.__cause__, RuntimeError)


@pytest.mark.parametrize("path", PATHS)
def test_the_version_is_told_before_the_condition(path: str) -> None:
    condition = attr(Versioned.title) == "x"
    with pytest.raises(VersionConflict):
        PATHS[path](versioned(2), refused(versioned_row(3)), condition=condition)
    with pytest.raises(ConditionFailed) as error:
        PATHS[path](versioned(3), refused(versioned_row(3)), condition=condition)
    assert type(error.value) is ConditionFailed
    assert str(error.value) == f"{path} of Versioned.Key(pk='1'): the condition does not hold"
    assert error.value.item == versioned(3)


@pytest.mark.parametrize("path", PATHS)
def test_an_item_that_cannot_be_decoded_leaves_the_error_as_it_is(path: str) -> None:
    row = {**versioned_row(3), "title": {"N": "1"}}
    with pytest.raises(VersionConflict) as error:
        PATHS[path](versioned(2), refused(row))
    assert error.value.item is None
    assert str(error.value.undecodable) == (
        "the row pk='V_1', sk='VERSIONED' is no valid Versioned: title is not stored as a string"
    )
    assert error.value.undecodable is not None
    assert error.value.undecodable.key == {"pk": "V_1", "sk": "VERSIONED"}


def test_a_stored_version_that_is_no_number_is_another() -> None:
    with pytest.raises(VersionConflict) as error:
        save(VERSIONED, versioned(0), refused({**versioned_row(), "version": {"S": "x"}}))
    assert error.value.item is None
    assert error.value.undecodable is not None


def test_without_a_version_nothing_is_asked() -> None:
    for run in (
        save(PLAIN, Plain(pk="P", sk="S"), {}, kind="put"),
        save(PLAIN, Plain(pk="P", sk="S"), {}, kind="delete"),
    ):
        assert "ConditionExpression" not in run.bodies[0]


# create, put


def test_create() -> None:
    run = save(VERSIONED, versioned(), {}, kind="create")
    assert run.requests == [
        Request(
            "PutItem",
            "things",
            {
                "TableName": "things",
                "Item": versioned_row(1),
                "ConditionExpression": "attribute_not_exists(#n0)",
                "ExpressionAttributeNames": {"#n0": "pk"},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
    ]
    assert run.result == versioned(1)


@pytest.mark.parametrize("stored", [versioned_row(7, "theirs"), None])
def test_create_of_what_is_there(stored: Any) -> None:
    with pytest.raises(ItemAlreadyExists) as error:
        save(VERSIONED, versioned(), refused(stored), kind="create")
    assert str(error.value) == "create of Versioned.Key(pk='1'): there is an item already"
    assert error.value.item == (None if stored is None else versioned(7, "theirs"))


def test_create_of_an_item_that_is_stored_already() -> None:
    with pytest.raises(EncodingError) as error:
        save(VERSIONED, versioned(1), kind="create")
    assert str(error.value) == (
        "Versioned.version: is above 0, so the item is stored already; a new item has version 0"
    )


@pytest.mark.parametrize("kind", ["save", "create", "put", "delete", "clobber"])
def test_no_version_is_below_0(kind: Any) -> None:
    with pytest.raises(EncodingError) as error:
        save(VERSIONED, versioned(-1), kind=kind)
    assert str(error.value) == "Versioned.version: -1 is below 0, and no version is"


def test_create_of_a_type_without_a_version() -> None:
    run = save(PLAIN, Plain(pk="P", sk="S"), {}, kind="create")
    assert readable(run.bodies[0], "ConditionExpression") == "attribute_not_exists(pk)"
    assert run.result == Plain(pk="P", sk="S")


def test_put_replaces_the_whole_row() -> None:
    run = save(GADGETS, gadget(stock=3, hits=7, version=1), {}, kind="put")
    assert run.requests == [
        Request(
            "PutItem",
            "things",
            {
                "TableName": "things",
                "Item": gadget_row(
                    version={"N": "2"},
                    stock={"N": "3"},
                    hits={"N": "7"},
                    balance={"N": "0"},
                    created={"S": NOW_TEXT},
                    updated={"S": NOW_TEXT},
                ),
                "ConditionExpression": "#n0 = :v0",
                "ExpressionAttributeNames": {"#n0": "version"},
                "ExpressionAttributeValues": {":v0": {"N": "1"}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
    ]
    assert run.result == gadget(stock=3, hits=7, version=2, created=NOW, updated=NOW)


def test_put_without_a_version_has_no_condition() -> None:
    run = save(PLAIN, Plain(pk="P", sk="S", value=1), {}, kind="put")
    assert run.bodies == [{"TableName": "things", "Item": {"pk": {"S": "P"}, "sk": {"S": "S"}, "value": {"N": "1"}}}]


@pytest.mark.parametrize("version", [0, 4])
def test_a_clobbered_item_is_stored_whatever_is_there_and_under_a_version(version: int) -> None:
    item = gadget(stock=3, version=version)
    write = GADGETS.prepare(Operation("clobber", Gadget.Key("1"), item))
    assert (write.action, write.key, write.repeatable) == ("Put", GADGET_KEY, True)
    assert plain(write.parameters) == {
        "Item": gadget_row(
            version={"N": str(version + 1)},
            stock={"N": "3"},
            hits={"N": "0"},
            balance={"N": "0"},
            created={"S": NOW_TEXT},
            updated={"S": NOW_TEXT},
        )
    }
    assert write.result(None) == item.replace(version=version + 1, created=NOW, updated=NOW)


# Times.


def test_put_and_create_keep_the_items_own_time_of_creation() -> None:
    created = datetime(2020, 1, 1, tzinfo=UTC)
    for kind in ("put", "create"):
        run = save(GADGETS, gadget(created=created, updated=created), {}, kind=kind)
        assert run.result.created == created
        assert run.result.updated == NOW
        assert run.bodies[0]["Item"]["created"] == {"S": "2020-01-01T00:00:00.000000Z"}


def test_save_gives_the_items_own_time_where_there_is_none() -> None:
    run = save(GADGETS, gadget(created=datetime(2020, 1, 1, tzinfo=UTC)), {"Attributes": gadget_row()})
    assert "created = if_not_exists(created, '2020-01-01T00:00:00.000000Z')" in (
        readable(run.bodies[0], "UpdateExpression") or ""
    )


def test_the_clock_is_read_once_for_a_write() -> None:
    readings: list[datetime] = []

    def clock() -> datetime:
        readings.append(NOW + timedelta(seconds=len(readings)))
        return readings[-1]

    writer: Writer = make_table(ThingTable, clock).gadgets._writer
    run = save(writer, gadget(), {}, kind="put")
    assert (run.result.created, run.result.updated) == (NOW, NOW)
    assert len(readings) == 1
    update(writer, Gadget.Key("1"), [attr(Gadget.title).set("x")], {"Attributes": gadget_row()})
    assert len(readings) == 2
    save(make_table(ThingTable, clock).versioned._writer, versioned(), {})
    assert len(readings) == 2  # no times, no clock


def test_the_clock_may_be_of_another_zone() -> None:
    local = NOW.astimezone(timezone(timedelta(hours=5)))
    writer: Writer = make_table(ThingTable, lambda: local).gadgets._writer
    run = save(writer, gadget(), {}, kind="put")
    assert run.bodies[0]["Item"]["updated"] == {"S": NOW_TEXT}
    assert run.result.updated == NOW
    assert run.result.updated.tzinfo is UTC


def test_a_clock_without_a_zone_is_refused() -> None:
    writer: Writer = make_table(ThingTable, lambda: NOW.replace(tzinfo=None)).gadgets._writer
    several: list[Callable[[], Run]] = [
        lambda: save(writer, gadget()),
        lambda: save(writer, gadget(), kind="put"),
        lambda: update(writer, Gadget.Key("1"), [attr(Gadget.title).set("x")]),
    ]
    for write_it in several:
        with pytest.raises(EncodingError) as error:
            write_it()
        assert str(error.value) == "the clock gives a datetime without a zone; let it give datetime.now(UTC)"


def test_a_time_to_live_has_whole_seconds() -> None:
    expires = datetime(2027, 1, 1, 0, 0, 0, 999_999, tzinfo=UTC)
    run = save(GADGETS, gadget(expires=expires), {}, kind="put")
    assert run.bodies[0]["Item"]["expires"] == {"N": "1798761600"}
    assert run.result.expires == datetime(2027, 1, 1, tzinfo=UTC)


# Sizes.


def test_an_item_that_is_too_big_is_refused() -> None:
    big = Thing(pk="1", title="t", note="x" * 300_000, anything="y" * 150_000)
    for kind in ("save", "put", "create"):
        with pytest.raises(EncodingError) as error:
            save(THINGS, big, kind=kind)
        # title is the key of a local index, which projects everything: the row counts twice.
        assert str(error.value) == (
            "Thing.note: is the largest field of an item of 900320 bytes (450160 of them in local indexes); "
            "the limit is 409600"
        )


# A save that sets nothing.


BARE_MAKE = {
    "TableName": "things",
    "Item": BARE_KEY,
    "ConditionExpression": "attribute_not_exists(#n0)",
    "ExpressionAttributeNames": {"#n0": "pk"},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
BARE_UPDATE = {
    "TableName": "things",
    "Key": BARE_KEY,
    "UpdateExpression": "REMOVE #n1",
    "ConditionExpression": "attribute_exists(#n0)",
    "ExpressionAttributeNames": {"#n0": "pk", "#n1": "label"},
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
LINK_KEY = {"pk": {"S": "LINK_1"}, "sk": {"S": "LINK_2"}}
LINK = Link(pk="1", target="2")


def test_a_save_that_only_removes_from_a_row_that_is_there() -> None:
    run = save(BARES, Bare(pk="1"), {})
    assert run.operations == ["UpdateItem"]
    assert run.bodies == [BARE_UPDATE]
    assert run.result == Bare(pk="1")


def test_a_save_that_only_removes_makes_the_row() -> None:
    run = save(BARES, Bare(pk="1"), refused(), {})
    assert run.operations == ["UpdateItem", "PutItem"]
    assert run.bodies == [BARE_UPDATE, BARE_MAKE]
    assert run.result == Bare(pk="1")


def test_it_goes_round_while_others_make_and_delete_the_row() -> None:
    run = save(BARES, Bare(pk="1"), refused(), refused(BARE_KEY), refused(), refused(BARE_KEY), {})
    assert run.operations == ["UpdateItem", "PutItem", "UpdateItem", "PutItem", "UpdateItem"]
    assert run.result == Bare(pk="1")


def test_a_save_of_keys_alone_is_one_request() -> None:
    body = {**BARE_MAKE, "Item": LINK_KEY}
    answers: list[Any] = [{}, refused(LINK_KEY)]
    for answer in answers:
        run = save(LINKS, LINK, answer)
        assert run.operations == ["PutItem"]
        assert run.bodies == [body]
        assert run.result == LINK


def test_a_save_of_keys_alone_under_a_condition() -> None:
    condition: Condition = attr(Link.target).exists() | attr(Link.pk).not_exists()
    run = save(LINKS, LINK, refused(), {}, condition=condition)
    assert run.operations == ["UpdateItem", "PutItem"]
    assert readable(run.bodies[0], "UpdateExpression") == "REMOVE logicaldb:nothing"
    assert readable(run.bodies[0], "ConditionExpression") == (
        "(attribute_exists(pk)) AND ((attribute_exists(sk)) OR (attribute_not_exists(pk)))"
    )
    assert readable(run.bodies[1], "ConditionExpression") == (
        "(attribute_not_exists(pk)) AND ((attribute_exists(sk)) OR (attribute_not_exists(pk)))"
    )
    assert run.result == LINK


def test_its_condition_may_fail_with_the_row_and_without() -> None:
    condition = attr(Bare.label) == "x"
    with pytest.raises(ConditionFailed) as error:
        save(BARES, Bare(pk="1"), refused({**BARE_KEY, "label": {"S": "y"}}), condition=condition)
    assert type(error.value) is ConditionFailed
    assert str(error.value) == "save of Bare.Key(pk='1'): the condition does not hold"
    assert error.value.item == Bare(pk="1", label="y")
    with pytest.raises(ConditionFailed) as error:
        save(BARES, Bare(pk="1"), refused(), refused(), condition=condition)
    assert type(error.value) is ConditionFailed
    assert error.value.item is None


def test_a_save_of_nothing_passes_other_errors() -> None:
    failure = failed("ValidationException")
    with pytest.raises(type(failure)) as error:
        save(BARES, Bare(pk="1"), failure)
    assert error.value is failure


def test_a_save_of_nothing_under_a_token_is_a_put() -> None:
    operation = BARES.operation("save", Bare(pk="1"), attr(Bare.label) == "x")
    run = drive(write(BARES.prepare(operation), "token"), {})
    assert run.requests == [
        Request(
            "TransactWriteItems",
            "things",
            {
                "TransactItems": [
                    {
                        "Put": {
                            "TableName": "things",
                            "Item": BARE_KEY,
                            "ConditionExpression": "#n0 = :v0",
                            "ExpressionAttributeNames": {"#n0": "label"},
                            "ExpressionAttributeValues": {":v0": {"S": "x"}},
                            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                        }
                    }
                ],
                "ClientRequestToken": "token",
            },
        )
    ]
    assert run.result == Bare(pk="1")
    run = drive(write(LINKS.prepare(LINKS.operation("save", LINK)), "token"), {})
    assert run.bodies[0]["TransactItems"] == [{"Put": {"TableName": "things", "Item": LINK_KEY}}]


# update


def test_update() -> None:
    run = update(VERSIONED, Versioned.Key("1"), [attr(Versioned.title).set("x")], {"Attributes": versioned_row(4, "x")})
    assert run.requests == [
        Request(
            "UpdateItem",
            "things",
            {
                "TableName": "things",
                "Key": VERSIONED_KEY,
                "UpdateExpression": "SET #n0 = :v0, #n1 = if_not_exists(#n1, :v1) + :v2",
                "ConditionExpression": "attribute_exists(#n2)",
                "ExpressionAttributeNames": {"#n0": "title", "#n1": "version", "#n2": "pk"},
                "ExpressionAttributeValues": {":v0": {"S": "x"}, ":v1": {"N": "0"}, ":v2": {"N": "1"}},
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
    ]
    assert run.result == versioned(4, "x")


def test_update_under_a_version_and_a_condition() -> None:
    run = update(
        VERSIONED,
        Versioned.Key("1"),
        [attr(Versioned.title).set("x")],
        {"Attributes": versioned_row(4, "x")},
        if_version=3,
        condition=(attr(Versioned.title) == "a") | (attr(Versioned.title) == "b"),
    )
    assert readable(run.bodies[0], "ConditionExpression") == (
        "(attribute_exists(pk)) AND (version = '3') AND ((title = 'a') OR (title = 'b'))"
    )
    run = update(
        VERSIONED, Versioned.Key("1"), [attr(Versioned.title).set("x")], {"Attributes": versioned_row(1)}, if_version=0
    )
    assert readable(run.bodies[0], "ConditionExpression") == (
        "(attribute_exists(pk)) AND (attribute_not_exists(version) OR version = '0')"
    )


def test_update_sets_the_time() -> None:
    run = update(GADGETS, Gadget.Key("1"), [attr(Gadget.title).set("x")], {"Attributes": gadget_row()})
    assert readable(run.bodies[0], "UpdateExpression") == (
        f"SET title = 'x', version = if_not_exists(version, '0') + '1', updated = '{NOW_TEXT}'"
    )


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (None, ItemNotFound),
        (versioned_row(4), VersionConflict),
        (versioned_row(None), VersionConflict),
        (versioned_row(3), ConditionFailed),
    ],
)
def test_why_an_update_was_refused(stored: Any, expected: type[ConditionFailed]) -> None:
    options: Any = {"if_version": 3, "condition": attr(Versioned.title) == "x"}
    with pytest.raises(ConditionFailed) as error:
        update(VERSIONED, Versioned.Key("1"), [attr(Versioned.title).set("x")], refused(stored), **options)
    assert type(error.value) is expected
    assert isinstance(error.value.operation, Operation)
    assert error.value.operation.kind == "update"
    if isinstance(error.value, ItemNotFound):
        assert str(error.value) == "update of Versioned.Key(pk='1'): there is no such item"
        assert error.value.key == Versioned.Key("1")
    if isinstance(error.value, VersionConflict):
        assert error.value.expected == 3


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"if_version": -1},
            EncodingError,
            "update of Versioned.Key(pk='1'): if_version=-1 is below 0, and no version is",
        ),
        ({"if_version": "3"}, TypeError, "update of Versioned.Key(pk='1'): if_version is an int, not a str"),
        ({"if_version": True}, TypeError, "update of Versioned.Key(pk='1'): if_version is an int, not a bool"),
    ],
)
def test_what_is_no_version_is_refused(options: Any, error: Any, message: str) -> None:
    with pytest.raises(error) as raised:
        update(VERSIONED, Versioned.Key("1"), [attr(Versioned.title).set("x")], **options)
    assert str(raised.value) == message


def test_if_version_needs_a_version() -> None:
    with pytest.raises(EncodingError) as error:
        update(BARES, Bare.Key("1"), [attr(Bare.label).set("x")], if_version=3)
    assert str(error.value) == ("update of Bare.Key(pk='1'): Bare has no Version() field, so if_version means nothing")


@pytest.mark.parametrize(("writer", "key"), [(VERSIONED, Versioned.Key("1")), (BARES, Bare.Key("1"))])
def test_an_update_without_updates_is_refused(writer: Writer, key: Any) -> None:
    with pytest.raises(EncodingError) as error:
        update(writer, key, [])
    assert str(error.value) == f"update of {key!r}: has no updates; give at least one, such as attr(...).set(...)"


def test_an_update_that_comes_to_nothing_is_sent_all_the_same() -> None:
    """The item may not be there, or not as the condition says."""
    row = {"pk": {"S": "THING_1"}, "sk": {"S": "thing"}, "title": {"S": "t"}}
    run = update(THINGS, Thing.Key("1"), [attr(Thing.tags).add_to_set([])], {"Attributes": row})
    assert readable(run.bodies[0], "UpdateExpression") == "REMOVE logicaldb:nothing"
    assert readable(run.bodies[0], "ConditionExpression") == "attribute_exists(pk)"
    assert run.result == Thing(pk="1", title="t")


def test_an_update_needs_a_whole_key() -> None:
    with pytest.raises(IncompleteKey) as error:
        update(PLAIN, Plain.Key("P"), [attr(Plain.value).set(1)])
    assert str(error.value) == "Plain.Key(pk='P', sk=None) lacks sk; a whole key is needed here"


def test_an_updated_row_that_is_not_valid_was_updated() -> None:
    with pytest.raises(DecodingError) as error:
        update(VERSIONED, Versioned.Key("1"), [attr(Versioned.title).set("x")], {"Attributes": VERSIONED_KEY})
    assert str(error.value) == (
        "the write took effect, but the row pk='V_1', sk='VERSIONED' is no valid Versioned: title (missing)"
    )


# upsert


def test_an_upsert_makes_what_a_save_makes() -> None:
    """The defaults too, so that filters and indexes find the row; where it is there, nothing of it changes."""
    run = update(
        GENERATED,
        Generated.Key("1"),
        [attr(Generated.title).set("x"), attr(Generated.hits).add(2)],
        {
            "Attributes": {
                "pk": {"S": "GENERATED_1"},
                "sk": {"S": "GENERATED"},
                "title": {"S": "x"},
                "created": {"S": NOW_TEXT},
            }
        },
        upsert=True,
    )
    assert readable(run.bodies[0], "UpdateExpression") == (
        "SET title = 'x', queue = if_not_exists(queue, 'inbox'), serial = if_not_exists(serial, 'made'), "
        f"points = if_not_exists(points, [{{'N': '1'}}]), created = if_not_exists(created, '{NOW_TEXT}') ADD hits '2'"
    )
    assert "ConditionExpression" not in run.bodies[0]
    assert "ReturnValuesOnConditionCheckFailure" not in run.bodies[0]


def test_an_upsert_writes_composite_keys_and_sets_no_version_of_its_own() -> None:
    run = update(
        THINGS,
        Thing.Key("1"),
        [attr(Thing.title).set("x"), attr(T.address).remove(), attr(Thing.lines).append(["y"])],
        {"Attributes": {"pk": {"S": "THING_1"}, "sk": {"S": "thing"}, "title": {"S": "x"}}},
        upsert=True,
    )
    text = readable(run.bodies[0], "UpdateExpression")
    assert text is not None
    assert text.startswith(
        "SET lines = list_append(if_not_exists(lines, []), [{'S': 'y'}]), title = 'x', code1 = if_not_exists(code1, 'none'), code2 = if_not_exists(code2, 'none')"
    )
    assert text.endswith("REMOVE address1, address2")
    assert "due" not in text
    gadgets = update(GADGETS, Gadget.Key("1"), [attr(Gadget.title).set("x")], {"Attributes": gadget_row()}, upsert=True)
    assert readable(gadgets.bodies[0], "UpdateExpression") == (
        "SET title = 'x', stock = if_not_exists(stock, '5'), hits = if_not_exists(hits, '0'), "
        "balance = if_not_exists(balance, '0'), version = if_not_exists(version, '0') + '1', "
        f"created = if_not_exists(created, '{NOW_TEXT}'), updated = '{NOW_TEXT}'"
    )


def test_an_upsert_needs_the_required_fields() -> None:
    for updates in ([attr(Generated.queue).set("x")], [attr(Generated.queue).remove(), attr(Generated.hits).add(1)]):
        with pytest.raises(EncodingError) as error:
            update(GENERATED, Generated.Key("1"), updates, upsert=True)
        assert str(error.value) == (
            "update of Generated.Key(pk='1'): upsert=True may make the item, but title would be missing; set them too"
        )


class Sparse(Item):
    """Its default is one that no index takes."""

    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="SPARSE")] = ""
    queue: str = ""
    title: str | None = None

    class Key(ItemKey["Sparse"]):
        pk: str


class SparseTable(LogicalTable[ShopRow]):
    sparse: InlineView[Sparse.Key, Sparse]


def test_an_upsert_whose_defaults_cannot_be_stored_is_refused() -> None:
    writer: Writer = make_table(SparseTable).sparse._writer
    with pytest.raises(EncodingError) as error:
        update(writer, Sparse.Key("1"), [attr(Sparse.title).set("x")], upsert=True)
    assert str(error.value) == "Sparse.queue: is an empty string, and the key attribute queue cannot be"


def test_an_upsert_under_a_version() -> None:
    options: Any = {"upsert": True}
    updates = [attr(Versioned.title).set("x")]
    run = update(VERSIONED, Versioned.Key("1"), updates, {"Attributes": versioned_row(1)}, if_version=0, **options)
    assert readable(run.bodies[0], "ConditionExpression") == "attribute_not_exists(version) OR version = '0'"
    with pytest.raises(ItemNotFound):  # a version above 0 is that of an item that is there
        update(VERSIONED, Versioned.Key("1"), updates, refused(), if_version=3, **options)
    with pytest.raises(VersionConflict):
        update(VERSIONED, Versioned.Key("1"), updates, refused(versioned_row(2)), if_version=3, **options)
    with pytest.raises(VersionConflict):
        update(VERSIONED, Versioned.Key("1"), updates, refused(versioned_row(2)), if_version=0, **options)


def test_an_upsert_under_a_condition() -> None:
    condition = attr(Versioned.title) == "y"
    with pytest.raises(ConditionFailed) as error:
        update(
            VERSIONED, Versioned.Key("1"), [attr(Versioned.title).set("x")], refused(), upsert=True, condition=condition
        )
    assert type(error.value) is ConditionFailed
    assert error.value.item is None


# Types that an attribute tells apart.


class Album(Item):
    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    artist: str
    plays: Annotated[int, Counter(maximum=9)] = 0

    class Key(ItemKey["Album"]):
        pk: str


class Playlist(Item):
    """Its keys are those of an album."""

    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""
    plays: Annotated[int, Counter()] = 0
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Playlist"]):
        pk: str


class MusicTable(LogicalTable[PlainRow]):
    albums: InlineView[Album.Key, Album]
    playlists: InlineView[Playlist.Key, Playlist]


ALBUMS: Writer = make_table(MusicTable).albums._writer
PLAYLISTS: Writer = make_table(MusicTable).playlists._writer
INFO_KEY = {"pk": {"S": "1"}, "sk": {"S": "INFO_"}}
ALBUM_ROW = {**INFO_KEY, "artist": {"S": "a"}, "plays": {"N": "9"}}
PLAYLIST_ROW = {**INFO_KEY, "version": {"N": "2"}}


def test_an_update_asks_for_what_tells_the_type() -> None:
    run = update(ALBUMS, Album.Key("1"), [attr(Album.artist).set("b")], {"Attributes": ALBUM_ROW})
    assert readable(run.bodies[0], "ConditionExpression") == "(attribute_exists(pk)) AND (attribute_exists(artist))"
    run = increment(Playlist.Key("1"), Playlist.plays, 1, {"Attributes": {"plays": {"N": "1"}}}, writer=PLAYLISTS)
    assert readable(run.bodies[0], "ConditionExpression") == "(attribute_exists(pk)) AND (attribute_not_exists(artist))"


@pytest.mark.parametrize("stored", [PLAYLIST_ROW, {**PLAYLIST_ROW, "plays": {"N": "9"}}, None])
def test_the_row_of_another_type_is_no_such_item(stored: Any) -> None:
    several: list[Callable[[], Run]] = [
        lambda: update(ALBUMS, Album.Key("1"), [attr(Album.plays).add(1)], refused(stored)),
        lambda: increment(Album.Key("1"), Album.plays, 1, refused(stored), writer=ALBUMS),
    ]
    for write_it in several:
        with pytest.raises(ItemNotFound) as error:
            write_it()
        assert str(error.value).partition(" ")[2] == "of Album.Key(pk='1'): there is no such item"
        assert (error.value.key, error.value.item) == (Album.Key("1"), None)


def test_that_comes_before_the_version() -> None:
    updates = [attr(Playlist.plays).add(1)]
    with pytest.raises(ItemNotFound):
        update(PLAYLISTS, Playlist.Key("1"), updates, refused(ALBUM_ROW), if_version=1)
    with pytest.raises(VersionConflict):
        update(PLAYLISTS, Playlist.Key("1"), updates, refused(PLAYLIST_ROW), if_version=1)


def test_the_row_of_the_type_is_refused_as_ever() -> None:
    with pytest.raises(CounterOutOfBounds) as error:
        increment(Album.Key("1"), Album.plays, 1, refused(ALBUM_ROW), writer=ALBUMS)
    assert error.value.item == Album(pk="1", artist="a", plays=9)
    with pytest.raises(ConditionFailed) as failed:
        update(
            ALBUMS,
            Album.Key("1"),
            [attr(Album.artist).set("b")],
            refused(ALBUM_ROW),
            condition=attr(Album.artist) == "c",
        )
    assert type(failed.value) is ConditionFailed


def test_an_upsert_and_the_writes_of_whole_items_do_not_ask() -> None:
    run = update(ALBUMS, Album.Key("1"), [attr(Album.artist).set("b")], {"Attributes": ALBUM_ROW}, upsert=True)
    assert "ConditionExpression" not in run.bodies[0]
    for kind in ("save", "put", "delete"):
        write = ALBUMS.prepare(ALBUMS.operation(kind, Album(pk="1", artist="a")))
        assert "ConditionExpression" not in write.action_body()
    upsert: Any = {"upsert": True, "condition": attr(Album.artist) == "c"}
    with pytest.raises(ConditionFailed) as error:
        update(ALBUMS, Album.Key("1"), [attr(Album.artist).set("b")], refused(PLAYLIST_ROW), **upsert)
    assert type(error.value) is ConditionFailed
    assert error.value.item is None


def test_where_the_keys_tell_the_type_nothing_is_asked() -> None:
    run = increment(Gadget.Key("1"), Gadget.hits, 1, {"Attributes": {"hits": {"N": "1"}}})
    assert readable(run.bodies[0], "ConditionExpression") == "attribute_exists(pk)"


# Counters.


def test_increment() -> None:
    run = increment(Gadget.Key("1"), Gadget.hits, 2, {"Attributes": {"hits": {"N": "9"}}})
    assert run.requests == [
        Request(
            "UpdateItem",
            "things",
            {
                "TableName": "things",
                "Key": GADGET_KEY,
                "UpdateExpression": "ADD #n0 :v0",
                "ConditionExpression": "attribute_exists(#n1)",
                "ExpressionAttributeNames": {"#n0": "hits", "#n1": "pk"},
                "ExpressionAttributeValues": {":v0": {"N": "2"}},
                "ReturnValues": "UPDATED_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
            False,
        )
    ]
    assert run.result == 9


def test_increment_by_0() -> None:
    """Moto returns no attribute as updated that has the value that it had."""
    run = increment(Gadget.Key("1"), Gadget.hits, 0, {"Attributes": gadget_row(hits={"N": "9"})})
    assert run.bodies[0]["ReturnValues"] == "ALL_NEW"
    assert run.result == 9


def test_a_counter_that_does_not_begin_with_0() -> None:
    run = increment(Gadget.Key("1"), attr(Gadget.stock), -2, {"Attributes": {"stock": {"N": "3"}}})
    assert readable(run.bodies[0], "UpdateExpression") == "SET stock = if_not_exists(stock, '5') + '-2'"
    assert readable(run.bodies[0], "ConditionExpression") == (
        "(attribute_exists(pk)) AND (attribute_not_exists(stock) OR stock >= '2')"
    )
    assert run.result == 3


@pytest.mark.parametrize(
    ("counter", "by", "expected"),
    [
        (Gadget.stock, 5, "attribute_not_exists(stock) OR stock <= '5'"),
        (Gadget.stock, 6, "stock <= '4'"),  # the initial value would leave the bounds too
        (Gadget.stock, -5, "attribute_not_exists(stock) OR stock >= '5'"),
        (Gadget.stock, -6, "stock >= '6'"),
        (Gadget.balance, Decimal("-0.5"), "attribute_not_exists(balance) OR balance >= '0'"),
        (Gadget.balance, -1, "balance >= '0.5'"),
    ],
)
def test_bounds_are_guarded(counter: Any, by: Any, expected: str) -> None:
    name = str(attr(counter))[len("attr(Gadget.") : -1]
    run = increment(Gadget.Key("1"), counter, by, {"Attributes": {name: {"N": "1"}}})
    assert readable(run.bodies[0], "ConditionExpression") == f"(attribute_exists(pk)) AND ({expected})"


@pytest.mark.parametrize(("counter", "by"), [(Gadget.stock, 0), (Gadget.hits, -5), (Gadget.balance, 7)])
def test_what_moves_towards_no_bound_needs_no_guard(counter: Any, by: Any) -> None:
    run = increment(Gadget.Key("1"), counter, by, {"Attributes": {}})
    assert readable(run.bodies[0], "ConditionExpression") == "attribute_exists(pk)"


def test_bounds_of_38_digits_are_exact() -> None:
    by = Decimal("-1e-37")
    run = increment(Gadget.Key("1"), Gadget.balance, by, {"Attributes": {"balance": {"N": "1"}}})
    assert readable(run.bodies[0], "ConditionExpression") == (
        "(attribute_exists(pk)) AND (attribute_not_exists(balance) OR balance >= '-0.4999999999999999999999999999999999999')"
    )


def test_a_bound_that_no_number_can_tell_is_refused() -> None:
    with pytest.raises(EncodingError) as error:
        increment(Gadget.Key("1"), Gadget.balance, Decimal("-1e-60"))
    assert str(error.value) == "Gadget.balance: is a number of more than 38 significant digits"


@pytest.mark.parametrize(
    ("counter", "by", "stored"),
    [
        (Gadget.stock, 1, {"stock": {"N": "10"}}),
        (Gadget.stock, -1, {"stock": {"N": "0"}}),
        (Gadget.stock, 6, {}),  # the initial value is 5, the maximum 10
        (Gadget.balance, -1, {"balance": {"N": "0.4"}}),
    ],
)
def test_a_counter_that_would_leave_its_bounds(counter: Any, by: Any, stored: Any) -> None:
    name = str(attr(counter))[len("attr(") : -1]
    with pytest.raises(CounterOutOfBounds) as error:
        increment(Gadget.Key("1"), counter, by, refused(gadget_row(**stored)))
    assert str(error.value) == f"increment of Gadget.Key(pk='1'): {name} would leave its bounds"
    assert error.value.item.title == "t"
    with pytest.raises(CounterOutOfBounds):
        update(GADGETS, Gadget.Key("1"), [attr(counter).add(by)], refused(gadget_row(**stored)))


def test_why_an_increment_was_refused() -> None:
    with pytest.raises(ItemNotFound) as missing:
        increment(Gadget.Key("1"), Gadget.stock, 1, refused())
    assert str(missing.value) == "increment of Gadget.Key(pk='1'): there is no such item"
    # In this order: missing row, version, bounds, the caller's condition.
    updates = [attr(Gadget.stock).add(1)]
    options: Any = {"if_version": 2, "condition": attr(Gadget.title) == "x"}
    for row, expected in (
        (None, ItemNotFound),
        (gadget_row(stock={"N": "10"}), VersionConflict),
        (gadget_row(stock={"N": "10"}, version={"N": "2"}), CounterOutOfBounds),
        (gadget_row(stock={"N": "9"}, version={"N": "2"}), ConditionFailed),
        (gadget_row(stock={"S": "9"}, version={"N": "2"}), ConditionFailed),  # no number has no bounds
    ):
        with pytest.raises(ConditionFailed) as error:
            update(GADGETS, Gadget.Key("1"), updates, refused(row), **options)
        assert type(error.value) is expected


@pytest.mark.parametrize(("tokened", "missing"), [(False, "title"), (True, "title and created")])
def test_an_increment_that_makes_the_item_needs_the_required_fields(tokened: bool, missing: str) -> None:
    """Under a token the time too: it would differ each time, and nothing else fills it."""
    operation: Any = Operation("increment", Generated.Key("1"), None, (increase(Generated.hits, 1),), upsert=True)
    with pytest.raises(EncodingError) as error:
        GENERATED.prepare(operation, tokened=tokened)
    assert str(error.value) == (
        f"increment of Generated.Key(pk='1'): upsert=True may make the item, but {missing} would be missing; "
        "set them too"
    )


def test_an_upserted_counter_that_would_leave_its_bounds_from_the_start() -> None:
    updates = [attr(Gadget.title).set("x"), attr(Gadget.stock).add(6)]
    with pytest.raises(CounterOutOfBounds) as error:
        update(GADGETS, Gadget.Key("1"), updates, refused(), upsert=True)
    assert error.value.item is None


def test_an_increment_that_makes_the_item_writes_what_an_update_writes() -> None:
    """Of a row that is there, nothing but the count changes."""
    writer: Writer = make_table(TallyTable).tallies._writer
    run = increment(Tally.Key("1"), Tally.count, 3, {"Attributes": {"count": {"N": "3"}}}, upsert=True, writer=writer)
    assert readable(run.bodies[0], "UpdateExpression") == (
        "SET other = if_not_exists(other, '2'), queue = if_not_exists(queue, 'inbox'), "
        f"serial = if_not_exists(serial, 'made'), created = if_not_exists(created, '{NOW_TEXT}'), "
        f"updated = if_not_exists(updated, '{NOW_TEXT}') ADD count '3'"
    )
    assert "ConditionExpression" not in run.bodies[0]
    assert run.result == 3


def test_under_a_token_it_writes_nothing_that_differs_each_time() -> None:
    readings = iter([NOW, NOW + timedelta(seconds=1)])
    writer: Writer = make_table(TallyTable, lambda: next(readings)).tallies._writer
    operation = Operation("increment", Tally.Key("1"), None, (increase(Tally.count, 3),), upsert=True)
    body = writer.prepare(operation, tokened=True).action_body()
    assert readable(body, "UpdateExpression") == (
        "SET other = if_not_exists(other, '2'), queue = if_not_exists(queue, 'inbox') ADD count '3'"
    )
    assert writer.prepare(operation, tokened=True).action_body() == body
    assert writer.prepare(operation).action_body() != writer.prepare(operation).action_body()


def test_only_an_increment_differs_under_a_token() -> None:
    key = Gadget.Key("1")
    operations = [
        *(GADGETS.operation(kind, gadget()) for kind in ("save", "create", "put", "delete")),
        Operation("delete_key", key),
        Operation("check_condition", key, condition=attr(Gadget.title).exists()),
        Operation("update", key, None, (attr(Gadget.title).set("x"),), upsert=True),
        Operation("increment", key, None, (increase(Gadget.hits, 1),)),
    ]
    for operation in operations:
        assert GADGETS.prepare(operation, tokened=True).action_body() == GADGETS.prepare(operation).action_body()


@pytest.mark.parametrize(
    ("counter", "by", "message"),
    [
        (
            T.size,
            1,
            "increment of Thing.Key(pk='1'): increment is for Counter() fields; use update(..., attr(...).add(...))",
        ),
        (T.title, 1, "Thing.title: is no number, so nothing can be added"),
    ],
)
def test_increment_is_for_counters(counter: Any, by: Any, message: str) -> None:
    with pytest.raises(EncodingError) as error:
        increment(Thing.Key("1"), counter, by, writer=THINGS)
    assert str(error.value) == message


@pytest.mark.parametrize("by", [1.5, True, "1", None])
def test_increment_takes_a_number(by: Any) -> None:
    with pytest.raises(EncodingError, match=r"^Gadget.hits: add takes int, not "):
        increment(Gadget.Key("1"), Gadget.hits, by)


def test_increment_takes_a_field() -> None:
    with pytest.raises(TypeError, match=r"^attr\(\) takes a field"):
        increase("hits", 1)


# delete


def test_delete() -> None:
    run = save(VERSIONED, versioned(3), {"Attributes": versioned_row(3, "old")}, kind="delete")
    assert run.requests == [
        Request(
            "DeleteItem",
            "things",
            {
                "TableName": "things",
                "Key": VERSIONED_KEY,
                "ConditionExpression": "#n0 = :v0",
                "ExpressionAttributeNames": {"#n0": "version"},
                "ExpressionAttributeValues": {":v0": {"N": "3"}},
                "ReturnValues": "ALL_OLD",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
    ]
    assert run.result == versioned(3, "old")


def test_delete_of_what_is_not_there() -> None:
    answers: list[Any] = [{}, {"Attributes": {}}]  # moto gives an empty row
    for answer in answers:
        assert save(VERSIONED, versioned(0), answer, kind="delete").result is None
        assert delete_key(VERSIONED, Versioned.Key("1"), answer).result is None


def test_delete_key_does_not_ask_for_the_version() -> None:
    run = delete_key(VERSIONED, Versioned.Key("1"), {"Attributes": versioned_row(3)})
    assert run.bodies == [{"TableName": "things", "Key": VERSIONED_KEY, "ReturnValues": "ALL_OLD"}]
    assert run.result == versioned(3)


def test_delete_key_under_a_condition() -> None:
    with pytest.raises(ConditionFailed) as error:
        delete_key(VERSIONED, Versioned.Key("1"), refused(versioned_row(3)), condition=attr(Versioned.title) == "x")
    assert type(error.value) is ConditionFailed
    assert str(error.value) == "delete_key of Versioned.Key(pk='1'): the condition does not hold"
    assert error.value.item == versioned(3)


def test_a_deleted_row_that_is_not_valid_was_deleted() -> None:
    with pytest.raises(DecodingError) as error:
        delete_key(VERSIONED, Versioned.Key("1"), {"Attributes": VERSIONED_KEY})
    assert str(error.value) == (
        "the write took effect, but the row pk='V_1', sk='VERSIONED' is no valid Versioned: title (missing)"
    )


def test_a_key_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        delete_key(VERSIONED, Gadget.Key("1"))
    assert str(error.value) == "Gadget.Key is not Versioned.Key, the key type that is used here"


# Conditions in transactions.


def test_a_condition_check() -> None:
    operation = Operation("check_condition", Versioned.Key("1"), condition=attr(Versioned.title) == "x")
    prepared = VERSIONED.prepare(operation)
    assert prepared.action == "ConditionCheck"
    assert prepared.action_body() == {
        "TableName": "things",
        "Key": VERSIONED_KEY,
        "ConditionExpression": "#n0 = :v0",
        "ExpressionAttributeNames": {"#n0": "title"},
        "ExpressionAttributeValues": {":v0": {"S": "x"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert type(prepared.refuse(versioned_row(3))) is ConditionFailed
    run = drive(write(prepared, "token"), {})
    assert run.bodies == [
        {"TransactItems": [{"ConditionCheck": prepared.action_body()}], "ClientRequestToken": "token"}
    ]
    assert run.result is None


# Under a token.


def test_a_save_under_a_token() -> None:
    prepared = VERSIONED.prepare(VERSIONED.operation("save", versioned(3)))
    run = drive(write(prepared, "x" * 36), {})
    assert run.requests == [
        Request(
            "TransactWriteItems",
            "things",
            {"TransactItems": [{"Update": plain(prepared.action_body())}], "ClientRequestToken": "x" * 36},
        )
    ]
    assert plain(prepared.action_body()) == {
        "TableName": "things",
        "Key": VERSIONED_KEY,
        "UpdateExpression": "SET #n0 = :v0, #n1 = :v1",
        "ConditionExpression": "#n1 = :v2",
        "ExpressionAttributeNames": {"#n0": "title", "#n1": "version"},
        "ExpressionAttributeValues": {":v0": {"S": "t"}, ":v1": {"N": "4"}, ":v2": {"N": "3"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert run.result == versioned(4)


def test_what_only_the_service_knows_is_read_after_the_transaction() -> None:
    prepared = GADGETS.prepare(GADGETS.operation("save", gadget()))
    run = drive(write(prepared, "token"), {}, {"Item": gadget_row(hits={"N": "7"})})
    assert run.operations == ["TransactWriteItems", "GetItem"]
    assert run.bodies[1] == {"TableName": "things", "Key": GADGET_KEY, "ConsistentRead": True}
    assert run.result == gadget(hits=7)


def test_an_increment_under_a_token_gives_the_count_afterwards() -> None:
    prepared = GADGETS.prepare(Operation("increment", Gadget.Key("1"), None, (increase(Gadget.hits, 1),)))
    run = drive(write(prepared, "token"), {}, {"Item": gadget_row(hits={"N": "7"})})
    assert run.operations == ["TransactWriteItems", "GetItem"]
    assert readable(run.bodies[0]["TransactItems"][0]["Update"], "UpdateExpression") == "ADD hits '1'"
    assert run.result == 7


def test_an_item_that_is_deleted_before_it_is_read() -> None:
    prepared = GADGETS.prepare(Operation("increment", Gadget.Key("1"), None, (increase(Gadget.hits, 1),)))
    with pytest.raises(DecodingError) as error:
        drive(write(prepared, "token"), {}, {})
    assert str(error.value) == (
        "increment of Gadget.Key(pk='1'): the write took effect, but the item was deleted before it could be read"
    )
    assert error.value.key == {"pk": "GADGET_1", "sk": "GADGET"}


def test_a_delete_under_a_token_reads_before() -> None:
    prepared = VERSIONED.prepare(Operation("delete_key", Versioned.Key("1")))
    run = drive(write(prepared, "token"), {"Item": versioned_row(3)}, {})
    assert run.operations == ["GetItem", "TransactWriteItems"]
    assert run.bodies[1] == {
        "TransactItems": [{"Delete": {"TableName": "things", "Key": VERSIONED_KEY}}],
        "ClientRequestToken": "token",
    }
    assert run.result == versioned(3)
    assert drive(write(prepared, "token"), {}, {}).result is None


def test_a_put_under_a_token_has_no_key_of_its_own() -> None:
    prepared = PLAIN.prepare(PLAIN.operation("put", Plain(pk="P", sk="S")))
    run = drive(write(prepared, "token"), {})
    assert run.bodies[0]["TransactItems"] == [
        {"Put": {"TableName": "things", "Item": {"pk": {"S": "P"}, "sk": {"S": "S"}, "value": {"N": "0"}}}}
    ]


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ({"Code": "ConditionalCheckFailed", "Item": versioned_row(5)}, VersionConflict),
        ({"Code": "ConditionalCheckFailed", "Item": versioned_row(3)}, ConditionFailed),
        ({"Code": "ConditionalCheckFailed"}, VersionConflict),
    ],
)
def test_a_condition_that_fails_under_a_token(reason: Any, expected: type[ConditionFailed]) -> None:
    prepared = VERSIONED.prepare(VERSIONED.operation("save", versioned(3), attr(Versioned.title) == "x"))
    with pytest.raises(ConditionFailed) as error:
        drive(write(prepared, "token"), cancelled(reason))
    assert type(error.value) is expected
    assert isinstance(error.value.__cause__, RuntimeError)


UPDATES: list[Update] = [attr(Gadget.title).set("x")]


def test_what_is_sent_again_is_the_same() -> None:
    """Also the time: the payload of a token is fixed."""
    prepared = GADGETS.prepare(Operation("update", Gadget.Key("1"), None, tuple(UPDATES)))
    conflict = cancelled({"Code": "TransactionConflict"})
    run = drive(write(prepared, "token"), conflict, conflict, {}, {"Item": gadget_row()})
    assert run.operations == ["TransactWriteItems"] * 3 + ["GetItem"]
    assert run.bodies[0] == run.bodies[1] == run.bodies[2]
    assert len(run.sleeps) == 2


# The same again: what is kept of a write is only what is the same for others.


SEEN: list[tuple[Writer, Any]] = [
    (VERSIONED, versioned()),
    (VERSIONED, versioned(3)),
    (VERSIONED, versioned(4, title="é")),
    (GADGETS, gadget()),
    (GADGETS, gadget(hits=3)),
    (THINGS, Thing(pk="1", title="x")),
    (THINGS, Thing(pk="2", title="y", note=None, tags={"b"})),
    (PLAIN, Plain(pk="P", sk="S", value=3)),
]


@pytest.mark.parametrize("condition", [None, Expression("attribute_exists(pk)")])
@pytest.mark.parametrize("kind", ["save", "put", "clobber", "delete"])
def test_a_write_is_the_same_whatever_was_written_before(kind: Any, condition: Any) -> None:
    for _ in range(2):
        for writer, item in SEEN:
            fresh = Writer(writer.table, writer.item, writer.key, (), writer.clock)
            prepared = writer.prepare(writer.operation(kind, item, condition))
            expected = fresh.prepare(fresh.operation(kind, item, condition))
            assert plain(prepared.action_body()) == plain(expected.action_body())
            assert prepared.returns == expected.returns
            assert plain(prepared.key) == {name: writer.item.encode(item)[name] for name in writer.item.raw.keys}


@pytest.mark.parametrize("kind", ["save", "put", "create"])
def test_the_text_of_an_action_bounds_its_bytes(kind: Any) -> None:
    for writer, item in SEEN:
        if kind == "create" and getattr(item, "version", 0):
            continue
        for condition in (None, Expression("#a = :a OR #a = :a", {":a": "é" * 100}, {"#a": "n" * 50})):
            if kind == "create" and condition is not None:
                continue
            prepared = writer.prepare(writer.operation(kind, item, condition))
            assert transactions.bytes_of(prepared) <= transactions._most_bytes(prepared, prepared.action_text())


def test_an_item_whose_text_may_be_too_long_is_measured() -> None:
    fits = THINGS.prepare(THINGS.operation("put", Thing(pk="é", title="x", note="x" * 200_000)))
    assert 4 * len(fits.parameters["Item"].text) > 409_600
    message = r"^Thing\.note: is the largest field of an item of \d+ bytes \(\d+ of them in local indexes\)"
    with pytest.raises(EncodingError, match=message):
        THINGS.prepare(THINGS.operation("put", Thing(pk="é", title="x", note="x" * 204_800)))
