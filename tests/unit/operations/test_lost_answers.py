"""Writes whose answers are lost: which may be sent again, and what is told."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb import AmbiguousWrite, ConditionFailed, Item, ItemNotFound, Update, attr
from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.operations.single import write
from logicaldb.operations.writer import Writer, increase
from logicaldb.sets import Operation
from tests.unit.operations.driving import Run, cancelled, drive, failed, make_table
from tests.unit.operations.models import Address, Bare, Gadget, Link, Thing, ThingTable, Versioned

TABLE: Any = make_table(ThingTable)
GADGETS: Writer = TABLE.gadgets._writer
THINGS: Writer = TABLE.things._writer
VERSIONED: Writer = TABLE.versioned._writer
BARES: Writer = TABLE.bares._writer
LINKS: Writer = TABLE.links._writer

LOST = Unanswered(RuntimeError("cut"))
UNANSWERED = "was sent, and no answer tells whether it took effect"
AGAINST_ITSELF = "its condition failed after an attempt whose answer was lost, so it may have failed against itself"
ADVICE = "; send it again with the same idempotency token"
VERSIONED_KEY = {"pk": {"S": "V_1"}, "sk": {"S": "VERSIONED"}}
VERSIONED_ROW: dict[str, Any] = {**VERSIONED_KEY, "title": {"S": "t"}, "version": {"N": "2"}}
BARE_ROW: dict[str, Any] = {"pk": {"S": "BARE_1"}, "sk": {"S": "BARE"}}


def refused_after_loss(item: dict[str, Any] | None = None) -> ServiceFailure:
    """A condition that does not hold, after an attempt whose answer was lost."""
    body = {} if item is None else {"Item": item}
    return ServiceFailure("ConditionalCheckFailedException", body, RuntimeError("refused"), ambiguous=True)


def send(writer: Writer, operation: Operation, *answers: Any, token: str | None = None) -> Run:
    return drive(write(writer.prepare(operation), token), *answers)


def of(writer: Writer, kind: Any, item: Item, condition: Any = None) -> Operation:
    return writer.operation(kind, item, condition)


def updating(key: Any, *updates: Update, **options: Any) -> Operation:
    return Operation("update", key, None, updates, **options)


THING_KEY = Thing.Key("1")
GADGET_KEY = Gadget.Key("1")
VERSIONED_ITEM = Versioned(pk="1", title="t", version=1)


@pytest.mark.parametrize(
    ("update", "repeatable"),
    [
        (attr(Thing.title).set("x"), True),
        (attr(Thing.title).set_if_not_exists("x"), True),
        (attr(Thing.label).remove(), True),
        (attr(Thing.tags).add_to_set(["x"]), True),
        (attr(Thing.tags).delete_from_set(["x"]), True),
        (attr(Thing.sizes)["x"].set(1), True),
        (attr(Thing.sizes)["x"].remove(), True),
        (attr(Thing.places[1].city).set("Bern"), True),
        (attr(Thing.places[1].street).remove(), True),
        (attr(Thing.size).add(1), False),
        (attr(Thing.rank).add(1), False),
        (attr(Thing.sizes)["x"].add(1), False),
        (attr(Thing.points)[0].add(1), False),
        (attr(Thing.lines).append(["x"]), False),
        (attr(Thing.lines).prepend(["x"]), False),
        # Beyond the end of a list, an element that is set is appended.
        (attr(Thing.lines)[7].set("x"), False),
        (attr(Thing.lines)[7].set_if_not_exists("x"), False),
        (attr(Thing.places)[7].set(Address(city="Bern")), False),
        # Where an element is removed, the next one moves up.
        (attr(Thing.lines)[0].remove(), False),
    ],
    ids=lambda value: repr(value) if isinstance(value, Update) else "",
)
def test_an_update_may_be_sent_again_where_twice_is_once(update: Update, repeatable: bool) -> None:
    alone = THINGS.prepare(updating(THING_KEY, update))
    assert alone.repeatable is repeatable
    assert THINGS.prepare(updating(THING_KEY, attr(Thing.good).set(False), update)).repeatable is repeatable
    assert THINGS.prepare(updating(THING_KEY, update, attr(Thing.good).set(False))).repeatable is repeatable


def test_what_adds_may_be_sent_again_under_its_version() -> None:
    add = attr(Gadget.hits).add(1)
    assert GADGETS.prepare(updating(GADGET_KEY, add)).repeatable is False
    assert GADGETS.prepare(updating(GADGET_KEY, add, condition=attr(Gadget.hits) == 1)).repeatable is False
    assert GADGETS.prepare(updating(GADGET_KEY, add, if_version=1)).repeatable is True
    assert GADGETS.prepare(updating(GADGET_KEY, add, if_version=0)).repeatable is True


@pytest.mark.parametrize("upsert", [False, True])
@pytest.mark.parametrize("counter", [Gadget.hits, Gadget.stock])
def test_an_increment_is_not_sent_again(counter: Any, upsert: bool) -> None:
    updates: tuple[Update, ...] = (attr(Gadget.title).set("t"),) if upsert else ()
    operation = Operation("increment", GADGET_KEY, None, (*updates, increase(counter, 1)), upsert=upsert)
    assert GADGETS.prepare(operation).repeatable is False


@pytest.mark.parametrize("kind", ["save", "create", "put", "delete"])
def test_writes_of_items_may_be_sent_again(kind: str) -> None:
    item = VERSIONED_ITEM.replace(version=0) if kind == "create" else VERSIONED_ITEM
    assert VERSIONED.prepare(of(VERSIONED, kind, item)).repeatable is True


def test_what_may_be_sent_again_is_told_with_the_request() -> None:
    run = send(THINGS, updating(THING_KEY, attr(Thing.size).add(1)), {"Attributes": thing_row()})
    assert [request.repeatable for request in run.requests] == [False]
    run = send(VERSIONED, of(VERSIONED, "save", VERSIONED_ITEM), {})
    assert [request.repeatable for request in run.requests] == [True]


def thing_row() -> dict[str, Any]:
    return THINGS.item.encode(Thing(pk="1", title="t"))


@pytest.mark.parametrize(
    "failure",
    [LOST, failed("ThrottlingException", ambiguous=True), failed("TransactionConflictException", ambiguous=True)],
    ids=["nothing", "throttled", "contention"],
)
@pytest.mark.parametrize(
    ("writer", "operation"),
    [
        (VERSIONED, of(VERSIONED, "save", VERSIONED_ITEM)),
        (VERSIONED, of(VERSIONED, "delete", VERSIONED_ITEM)),
        (VERSIONED, Operation("delete_key", Versioned.Key("1"))),
        (THINGS, updating(THING_KEY, attr(Thing.size).add(1))),
        (GADGETS, Operation("increment", GADGET_KEY, None, (increase(Gadget.hits, 1),))),
        (LINKS, of(LINKS, "save", Link(pk="1", target="2"))),
    ],
    ids=lambda value: value.kind if isinstance(value, Operation) else "",
)
def test_without_an_answer_the_outcome_is_unknown(writer: Writer, operation: Operation, failure: Any) -> None:
    with pytest.raises(AmbiguousWrite) as raised:
        send(writer, operation, failure)
    error = raised.value
    assert str(error) == f"{operation}: {UNANSWERED}"
    assert (error.operation, error.key, error.item) == (operation, operation.key, None)
    assert error.__cause__ is failure.error


@pytest.mark.parametrize("stored", [None, VERSIONED_ROW, {**VERSIONED_ROW, "title": {"N": "1"}}])
@pytest.mark.parametrize("kind", ["save", "create", "put", "delete"])
def test_a_condition_may_have_failed_against_the_write_itself(kind: str, stored: dict[str, Any] | None) -> None:
    item = VERSIONED_ITEM.replace(version=0) if kind == "create" else VERSIONED_ITEM
    operation = of(VERSIONED, kind, item)
    failure = refused_after_loss(stored)
    with pytest.raises(AmbiguousWrite) as raised:
        send(VERSIONED, operation, failure)
    error = raised.value
    assert str(error) == f"{operation}: {AGAINST_ITSELF}"
    assert (error.operation, error.key) == (operation, operation.key)
    assert error.item == (VERSIONED_ITEM.replace(version=2) if stored == VERSIONED_ROW else None)
    assert error.__cause__ is failure.error


# A save of nothing but its key


def test_a_save_of_nothing_is_done_when_the_row_is_there() -> None:
    item = Link(pk="1", target="2")
    run = send(LINKS, of(LINKS, "save", item), refused_after_loss({"pk": {"S": "LINK_1"}, "sk": {"S": "LINK_2"}}))
    assert run.result == item


def test_a_save_that_only_removes_goes_on_whatever_became_of_an_attempt() -> None:
    item = Bare(pk="1")
    run = send(BARES, of(BARES, "save", item), refused_after_loss(), refused_after_loss(BARE_ROW), {})
    assert run.operations == ["UpdateItem", "PutItem", "UpdateItem"]
    assert run.result == item


def test_under_a_condition_it_cannot() -> None:
    operation = of(BARES, "save", Bare(pk="1"), attr(Bare.label).not_exists())
    not_there = ServiceFailure("ConditionalCheckFailedException", {}, RuntimeError("refused"))
    for failures in ([refused_after_loss()], [not_there, refused_after_loss(BARE_ROW)]):
        with pytest.raises(AmbiguousWrite) as raised:
            send(BARES, operation, *failures)
        assert str(raised.value) == f"{operation}: {AGAINST_ITSELF}"
        assert raised.value.item == (None if len(failures) == 1 else Bare(pk="1"))


# Under a token


SAVE = of(VERSIONED, "save", VERSIONED_ITEM)
INCREMENT = Operation("increment", GADGET_KEY, None, (increase(Gadget.hits, 1),))


@pytest.mark.parametrize(
    "failure",
    [
        LOST,
        failed("ThrottlingException", ambiguous=True),
        failed("TransactionInProgressException", ambiguous=True),
        failed("TransactionInProgressException"),
    ],
    ids=["nothing", "throttled", "in progress after a lost answer", "in progress"],
)
def test_under_a_token_it_may_be_sent_again(failure: Any) -> None:
    with pytest.raises(AmbiguousWrite) as raised:
        send(VERSIONED, SAVE, failure, token="t")
    error = raised.value
    assert str(error) == f"{SAVE}: {UNANSWERED}{ADVICE}"
    assert (error.operation, error.key, error.item) == (SAVE, SAVE.key, None)
    assert error.__cause__ is failure.error


def test_under_a_token_everything_may_be_repeated() -> None:
    run = send(GADGETS, INCREMENT, {}, {"Item": {**GADGET_ROW, "hits": {"N": "7"}}}, token="t")
    assert [(request.operation, request.repeatable) for request in run.requests] == [
        ("TransactWriteItems", True),
        ("GetItem", True),
    ]
    assert run.result == 7


GADGET_ROW: dict[str, Any] = {"pk": {"S": "GADGET_1"}, "sk": {"S": "GADGET"}, "title": {"S": "t"}}


@pytest.mark.parametrize("ambiguous", [False, True])
def test_under_a_token_a_condition_that_fails_did_fail(ambiguous: bool) -> None:
    failure = cancelled({"Code": "ConditionalCheckFailed", "Item": VERSIONED_ROW})
    failure.ambiguous = ambiguous
    with pytest.raises(ConditionFailed) as raised:
        send(VERSIONED, SAVE, failure, token="t")
    assert str(raised.value) == f"{SAVE}: the stored version is not the expected one"
    assert raised.value.item == VERSIONED_ITEM.replace(version=2)


def test_under_a_token_contention_is_waited_for_whatever_became_of_an_attempt() -> None:
    failure = cancelled({"Code": "TransactionConflict"})
    failure.ambiguous = True
    run = send(VERSIONED, SAVE, failure, {}, token="t")
    assert run.operations == ["TransactWriteItems"] * 2
    assert run.requests[0] == run.requests[1]
    assert len(run.sleeps) == 1


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (LOST, LOST.error),
        (failure := failed("ThrottlingException"), failure.error),
        (unsent := RuntimeError("not sent"), unsent),
    ],
    ids=["lost", "throttled", "not sent"],
)
def test_a_result_that_cannot_be_read_does_not_look_like_a_failure(error: Exception, cause: Exception) -> None:
    with pytest.raises(AmbiguousWrite) as raised:
        send(GADGETS, INCREMENT, {}, error, token="t")
    assert str(raised.value) == f"{INCREMENT}: took effect, but what is stored now could not be read{ADVICE}"
    assert (raised.value.operation, raised.value.key, raised.value.item) == (INCREMENT, GADGET_KEY, None)
    assert raised.value.__cause__ is cause


def test_a_delete_that_cannot_read_first_passes_the_error() -> None:
    with pytest.raises(Unanswered) as raised:
        send(VERSIONED, of(VERSIONED, "delete", VERSIONED_ITEM), LOST, token="t")
    assert raised.value is LOST


def test_a_missing_item_is_told_where_no_answer_was_lost() -> None:
    not_there = ServiceFailure("ConditionalCheckFailedException", {}, RuntimeError("refused"))
    with pytest.raises(ItemNotFound):
        send(THINGS, updating(THING_KEY, attr(Thing.title).set("x")), not_there)
    with pytest.raises(AmbiguousWrite) as raised:
        send(THINGS, updating(THING_KEY, attr(Thing.title).set("x")), refused_after_loss())
    assert str(raised.value) == f"update of Thing.Key(pk='1'): {AGAINST_ITSELF}"
