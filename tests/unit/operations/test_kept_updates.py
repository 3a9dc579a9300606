"""What is kept of an update is only what is the same for others."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator

from logicaldb import (
    Attribute,
    EncodingError,
    InlineView,
    Item,
    ItemKey,
    LimitExceeded,
    LogicalTable,
    Operation,
    attr,
)
from logicaldb.codec.writing import plain
from logicaldb.errors import LogicalDbError
from logicaldb.operations import writer as writers
from logicaldb.operations.kept_updates import _MOST
from logicaldb.operations.writer import Writer
from tests.unit.operations.driving import make_table
from tests.unit.operations.models import Gadget, ShopRow, Thing, ThingTable

TABLE = make_table(ThingTable)
T: Any = Thing
G: Any = Gadget
THING = Thing.Key("1")
GADGET = Gadget.Key("1")


def fresh(writer: Writer) -> Writer:
    """A writer of the same type that has kept nothing."""
    return Writer(writer.table, writer.item, writer.key, (), writer.clock)


def outcome(writer: Writer, operation: Operation) -> Any:
    """What a writer makes of an update: the action, and how it is sent; or what it raises."""
    try:
        prepared = writer.prepare(operation)
    except (LogicalDbError, TypeError) as error:
        return type(error), str(error)
    refusal: Any = prepared.refuse
    return (
        plain(prepared.action_body()),
        prepared.returns,
        prepared.repeatable,
        (refusal.existing, refusal.version, refusal.guards),
    )


THINGS = st.lists(
    st.one_of(
        st.builds(attr(T.title).set, st.sampled_from(["a", "é", "x" * 400_000, 1])),
        st.builds(attr(T.label).set, st.sampled_from(["l", None, ""])),
        st.builds(attr(T.code).set, st.sampled_from(["c", "d"])),
        st.builds(attr(T.name).set, st.sampled_from(["n", "#", None])),
        st.builds(attr(T.priority).set, st.sampled_from([1, 99, 100])),
        st.builds(attr(T.price).set, st.sampled_from([Decimal("1.10"), Decimal("NaN"), 3])),
        st.builds(attr(T.tags).set, st.sampled_from([{"a"}, set[str](), {1}])),
        st.builds(attr(T.sizes).set, st.sampled_from([{"a": 1}, dict[str, int]()])),
        st.builds(attr(T.sizes)["a"].set, st.integers(0, 3)),
        st.builds(attr(T.points)[0].set, st.integers(0, 3)),
        st.builds(attr(T.note).set, st.sampled_from(["n", "none", None])),
        st.builds(attr(T.anything).set, st.sampled_from([None, 1, [], object()])),
        st.builds(attr(T.address).set, st.sampled_from([{"street": "s", "city": "c"}, 1])),
        st.just(attr(T.size).add(1)),
        st.just(attr(T.rank).remove()),
        st.just(attr(T.pk).set("other")),
        st.just(attr(T.note).set_if_not_exists("first")),
        st.just(attr(G.title).set("of another type")),
        st.just("no update"),
    ),
    min_size=1,
    max_size=3,
)
GADGETS = st.lists(
    st.one_of(
        st.builds(attr(G.title).set, st.sampled_from(["a", "é", 1, "\ud800"])),
        st.builds(
            attr(G.expires).set,
            st.sampled_from([datetime(2026, 1, 1, 2, 3, 4, 5, tzinfo=UTC), datetime(2026, 1, 1), None]),  # noqa: DTZ001
        ),
        st.just(attr(G.hits).add(1)),
        st.just(attr(G.hits).set(1)),
        st.just(attr(G.version).set(1)),
    ),
    min_size=1,
    max_size=2,
)
CONDITIONS = st.sampled_from([None, None, attr(T.size) > 1])
VERSIONS = st.sampled_from([None, 0, 1, 7, -1, True, "1"])


@given(THINGS, CONDITIONS, st.booleans())
def test_an_update_is_the_same_whatever_was_updated_before(updates: Any, condition: Any, upsert: bool) -> None:
    operation = Operation("update", THING, None, tuple(updates), condition=condition, upsert=upsert)
    writer: Writer = TABLE.things._writer
    expected = outcome(fresh(writer), operation)
    for _ in range(2):
        assert outcome(writer, operation) == expected


@given(GADGETS, VERSIONS)
def test_so_it_is_with_versions_and_times(updates: Any, if_version: Any) -> None:
    operation = Operation("update", GADGET, None, tuple(updates), if_version=if_version)
    writer: Writer = TABLE.gadgets._writer
    expected = outcome(fresh(writer), operation)
    for _ in range(2):
        assert outcome(writer, operation) == expected


def setting(*updates: Any) -> Operation:
    return Operation("update", THING, None, updates)


def is_kept(first: Operation, then: Operation, writer: Writer = TABLE.things._writer) -> bool:
    """Whether what is made for an update serves for another one."""
    writer = fresh(writer)
    writer.prepare(first)
    with mock.patch.object(writers, "plan", side_effect=AssertionError):
        try:
            writer.prepare(then)
        except AssertionError:
            return False
    return True


@pytest.mark.parametrize(
    ("first", "then", "kept"),
    [
        (setting(attr(T.title).set("a")), setting(attr(T.title).set("b")), True),
        (
            setting(attr(T.title).set("a"), attr(T.size).set(1)),
            setting(attr(T.title).set("b"), attr(T.size).set(2)),
            True,
        ),
        (
            setting(attr(T.title).set("a"), attr(T.size).set(1)),
            setting(attr(T.size).set(2), attr(T.title).set("b")),
            False,
        ),
        (setting(attr(T.tags).set(set())), setting(attr(T.tags).set({"a"})), False),  # the first removes it
        (setting(attr(T.tags).set({"a"})), setting(attr(T.tags).set(set())), False),
        (setting(attr(T.code).set("c")), setting(attr(T.code).set("d")), False),  # of two attributes
        (  # as many values as fields, but one of them for two fields
            setting(attr(T.code).set("c"), attr(T.name).set("n"), attr(T.priority).set(1)),
            setting(attr(T.code).set("d"), attr(T.name).set("m"), attr(T.priority).set(2)),
            False,
        ),
        (setting(attr(T.note).set("a")), setting(attr(T.note).set("x" * 1_100_000)), False),  # to be measured
    ],
)
def test_what_is_kept(first: Operation, then: Operation, kept: bool) -> None:
    assert is_kept(first, then) is kept


@pytest.mark.parametrize(
    ("if_version", "then", "kept"), [(None, None, True), (0, 0, True), (3, 4, True), (0, 4, False)]
)
def test_what_is_kept_of_an_item_with_a_version_and_times(if_version: int | None, then: int | None, kept: bool) -> None:
    first, second = (
        Operation("update", GADGET, None, (attr(G.title).set(title),), if_version=version)
        for title, version in (("a", if_version), ("b", then))
    )
    assert is_kept(first, second, TABLE.gadgets._writer) is kept


def test_what_is_too_large_is_refused_after_one_that_is_not() -> None:
    writer = fresh(TABLE.things._writer)
    writer.prepare(setting(attr(T.note).set("short"), attr(T.anything).set("short")))
    message = (
        r"^update of Thing\.Key\(pk='1'\): the names and values of its expressions have 2200014 bytes; "
        r"the limit is 2097152$"
    )
    with pytest.raises(LimitExceeded, match=message):
        writer.prepare(setting(attr(T.note).set("x" * 1_100_000), attr(T.anything).set("x" * 1_100_000)))


def test_a_value_that_is_not_valid_is_refused_after_one_that_is() -> None:
    writer = fresh(TABLE.things._writer)
    writer.prepare(setting(attr(T.size).set(1)))
    with pytest.raises(EncodingError, match=r"^Thing\.size: the value is not valid \(int_parsing\)$"):
        writer.prepare(setting(attr(T.size).set("many")))


@pytest.mark.parametrize("values", [range(3), iter([0, 1, 2]), (number for number in range(3))])
def test_what_can_be_looked_at_once_is_written_whole(values: Any) -> None:
    writer = fresh(TABLE.things._writer)
    writer.prepare(setting(attr(T.points).set([1]), attr(T.tags).set({"a"})))
    operation = setting(attr(T.points).set(values), attr(T.tags).set(set()))
    for _ in range(2):
        prepared = plain(writer.prepare(operation).parameters)
        assert prepared["UpdateExpression"] == "SET #n0 = :v0 REMOVE #n1"
        assert prepared["ExpressionAttributeValues"] == {":v0": {"L": [{"N": "0"}, {"N": "1"}, {"N": "2"}]}}


LOOKS: list[int] = []


def look(value: int) -> int:
    LOOKS.append(value)
    return value


class Counted(Item):
    pk: Annotated[str, Attribute(prefix="COUNTED_")]
    sk: Annotated[Literal[""], Attribute(prefix="X")] = ""
    number: Annotated[int, AfterValidator(look)] = 0
    tags: set[str] = set()

    class Key(ItemKey["Counted"]):
        pk: str


class CountedTable(LogicalTable[ShopRow]):
    counted: InlineView[Counted.Key, Counted]


def test_a_value_is_validated_once_though_the_expressions_are_made_anew() -> None:
    writer: Writer = make_table(CountedTable).counted._writer
    counted: Any = Counted

    def set_to(number: int, tags: set[str]) -> Operation:
        return Operation(
            "update", Counted.Key("1"), None, (attr(counted.number).set(number), attr(counted.tags).set(tags))
        )

    writer.prepare(set_to(1, {"a"}))
    LOOKS.clear()
    writer.prepare(set_to(2, {"b"}))  # kept
    writer.prepare(set_to(3, set()))  # made anew, for an empty set is stored by absence
    assert LOOKS == [2, 3]


def test_no_more_than_some_shapes_are_kept() -> None:
    writer = fresh(TABLE.things._writer)
    writer._updates._kept = {(number,): {} for number in range(_MOST)}
    writer.prepare(setting(attr(T.size).set(1)))
    assert len(writer._updates._kept) == _MOST
