"""What reads return, where they go on, and writes as data."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable, Collection
from typing import Any

import pytest

from logicaldb import (
    BatchWriteSet,
    EncodingError,
    Item,
    ItemSet,
    Offset,
    Operation,
    OperationFailure,
    Page,
    TransactionWriteSet,
    WorkerId,
    attr,
)
from logicaldb.items import kind_of
from logicaldb.sets import check_token, item_key, item_keys, several
from tests.unit.operations.models import Customer, ShopRow, Step

KEY = Step.Key("C", 3)
RAW = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0003"}}


def test_an_offset_equals_by_its_key() -> None:
    by_hand = Offset(KEY)
    served = Offset.served(KEY, RAW)
    assert (by_hand.raw, served.raw) == (None, RAW)
    assert by_hand == served
    assert hash(by_hand) == hash(served)
    assert by_hand != Offset(Step.Key("C", 4))


def test_an_offset_without_a_key_equals_by_its_raw_key() -> None:
    one: Offset[Any] = Offset.served(None, RAW)
    same: Offset[Any] = Offset.served(None, dict(reversed(RAW.items())))
    other: Offset[Any] = Offset.served(None, {"pk": {"S": "x"}, "sk": {"S": "y"}})
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != Offset(KEY)
    assert Offset(KEY) != one
    assert one != RAW


def test_the_text_of_an_offset() -> None:
    assert repr(Offset(KEY)) == "Offset(Step.Key(customer='C', number=3))"
    assert repr(Offset.served(None, RAW)) == f"Offset({RAW!r})"


def test_an_offset_takes_a_key() -> None:
    key: Any = RAW
    with pytest.raises(TypeError) as error:
        Offset(key)
    assert str(error.value) == "Offset takes a key, such as AlbumTrack.Key(...), not a dict"


def test_a_page() -> None:
    page: Page[Step.Key, Step] = Page([], Offset(KEY))
    assert page.has_more_pages
    assert not dataclasses.replace(page, offset=None).has_more_pages
    assert page == Page([], Offset(KEY))


@pytest.mark.parametrize(("segment", "total"), [(0, 1), (999_999, 1_000_000)])
def test_a_worker(segment: int, total: int) -> None:
    assert WorkerId(segment, total) == WorkerId(segment=segment, total_segments=total)


@pytest.mark.parametrize(("segment", "total"), [(1, 1), (-1, 1), (0, 0), (0, 1_000_001)])
def test_no_worker(segment: int, total: int) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared below
        WorkerId(segment, total)
    assert str(error.value) == (
        f"WorkerId(segment={segment}, total_segments={total}): "
        "there are 1 to 1,000,000 segments, and a segment is counted from 0 to total_segments - 1"
    )


def test_the_text_of_an_operation_shows_the_key_alone() -> None:
    step = Step(customer="C", number=3, title="secret")
    operation = Operation("update", KEY, step, (attr(Step.title).set("secret"),), attr(Step.title) == "secret")
    assert str(operation) == "update of Step.Key(customer='C', number=3)"


# Operations.


def test_the_repr_of_an_operation_shows_the_key_alone() -> None:
    step = Step(customer="C", number=3, title="secret")
    operation = Operation("save", KEY, step, (attr(Step.title).set("secret"),), attr(Step.title) == "secret")
    for shown in (operation, OperationFailure(operation, 0, "ConditionalCheckFailed", None)):
        assert "secret" not in repr(shown)
        assert "Step.Key(customer='C', number=3)" in repr(shown)


def test_operations_are_equal_by_what_they_do() -> None:
    step = Step(customer="C", number=3, title="x")
    assert Operation("save", KEY, step) == Operation("save", KEY, step.replace())
    assert Operation("save", KEY, step) != Operation("put", KEY, step)
    assert Operation("save", KEY, step) != Operation("save", KEY, step.replace(title="y"))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), ()),
        ((KEY,), (KEY,)),
        ((KEY, KEY), (KEY, KEY)),
        (([KEY, KEY],), [KEY, KEY]),
        (((KEY,),), (KEY,)),
        (({KEY: 1},), [KEY]),
        ((iter([KEY]),), [KEY]),
    ],
)
def test_keys_are_given_one_by_one_or_as_one_iterable(keys: tuple[Any, ...], expected: Any) -> None:
    assert list(item_keys(keys)) == list(expected)


@pytest.mark.parametrize(
    "wrong", ["text", b"bytes", None, 7, Step(customer="C", number=3, title="x"), Step.TitleKey("C")]
)
def test_what_is_no_iterable_of_keys_is_taken_for_a_key(wrong: Any) -> None:
    """So the message is about what was given, and not about its parts."""
    (taken,) = item_keys((wrong,))
    assert taken is wrong
    with pytest.raises(TypeError) as error:
        item_key(taken)
    assert str(error.value) == f"a key is due, such as AlbumTrack.Key(...), not {kind_of(wrong)}"


@pytest.mark.parametrize("token", ["a", "x" * 36, "ü" * 36])
def test_a_token(token: str) -> None:
    assert check_token(token) == token
    assert TransactionWriteSet().idempotency_token(token).token == token


@pytest.mark.parametrize(
    ("token", "error_type", "message"),
    [
        ("", EncodingError, "an idempotency token has 1 to 36 characters, not 0"),
        ("x" * 37, EncodingError, "an idempotency token has 1 to 36 characters, not 37"),
        (7, TypeError, "an idempotency token is a str, not an int"),
        (None, TypeError, "an idempotency token is a str, not None"),
    ],
)
def test_no_token(token: Any, error_type: type[Exception], message: str) -> None:
    writes = TransactionWriteSet()
    with pytest.raises(error_type) as error:
        writes.idempotency_token(token)
    assert str(error.value) == message
    assert writes.token is None


# Sets of items.

STEP = Step(customer="C", number=3, title="x")
CUSTOMER = Customer(customer="C", name="n")
MISSING = Step.Key("C", 4)
ITEMS = ItemSet({KEY: STEP, MISSING: None, Customer.Key("C"): CUSTOMER, Step.Key("C", 5): None})


def test_an_item_set_is_a_collection_of_the_items() -> None:
    assert isinstance(ITEMS, Collection)
    assert list(ITEMS) == [STEP, CUSTOMER]
    assert len(ITEMS) == 2
    assert bool(ITEMS)
    assert not ItemSet({MISSING: None})


def test_the_item_of_a_key() -> None:
    assert ITEMS.get(Step.Key("C", 3)) == STEP
    assert ITEMS.get(MISSING) is None
    assert ITEMS.get(Step.Key("other", 3)) is None
    assert ITEMS.get(Customer.Key("C")) == CUSTOMER


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (None, "NoneType"),
        ("text", "str"),
        (STEP, "Step"),
        (Step, "the class Step"),
        (KEY, "Step.Key"),
        (Step.TitleKey("C"), "Step.TitleKey, the key of an index"),
    ],
)
def test_what_messages_say_of_what_was_given(wrong: Any, named: str) -> None:
    assert kind_of(wrong) == named


@pytest.mark.parametrize(("wrong", "named"), [("Step", "str"), (Step.Key, "the class Step.Key"), (STEP, "Step")])
def test_items_are_found_by_their_type(wrong: Any, named: str) -> None:
    with pytest.raises(TypeError) as error:
        ITEMS.get_items(wrong)
    assert str(error.value) == f"an item type is due, such as AlbumTrack, not {named}"


@pytest.mark.parametrize(("wrong", "named"), [(5, "int"), (None, "NoneType"), (STEP, "Step"), (KEY, "Step.Key")])
def test_where_several_are_due(wrong: Any, named: str) -> None:
    with pytest.raises(TypeError) as error:
        several(wrong, "items")
    assert str(error.value) == f"an iterable of items is due, not {named}"


@pytest.mark.parametrize("wrong", [STEP, "C", None])
def test_an_item_is_found_by_a_key_alone(wrong: Any) -> None:
    with pytest.raises(TypeError) as error:
        ITEMS.get(wrong)
    assert str(error.value) == f"a key is due, such as AlbumTrack.Key(...), not {kind_of(wrong)}"


def test_the_items_of_a_type() -> None:
    assert ITEMS.get_items(Step) == [STEP]
    assert ITEMS.get_items(Customer) == [CUSTOMER]
    assert ITEMS.get_items(Item) == []


def test_the_missing_keys_are_in_order() -> None:
    assert ITEMS.missing == [MISSING, Step.Key("C", 5)]


def test_what_an_item_set_holds() -> None:
    held: Collection[object] = ITEMS
    assert STEP in held
    assert STEP.replace(title="y") not in held
    assert KEY in held
    assert MISSING not in held
    assert Step.Key("C", 9) not in held


def test_the_repr_of_an_item_set_has_no_values() -> None:
    assert repr(ITEMS) == "ItemSet of 2 items, 2 missing"


def test_an_item_set_can_be_copied() -> None:
    for again in (pickle.loads(pickle.dumps(ITEMS)), copy.copy(ITEMS), copy.deepcopy(ITEMS)):
        assert (list(again), again.missing) == (list(ITEMS), ITEMS.missing)


# Sets of writes.


def full_set() -> TransactionWriteSet:
    return (
        TransactionWriteSet()
        .save(STEP, attr(Step.title) == "s")
        .create(STEP)
        .put(STEP, attr(Step.title) == "p")
        .update(KEY, attr(Step.title).set("t"), condition=attr(Step.title) == "u", if_version=3, upsert=True)
        .delete(STEP, attr(Step.title) == "d")
        .delete_key(KEY, attr(Step.title) == "k")
        .check_condition(KEY, attr(Step.title).exists())
    )


def test_the_operations_are_in_the_order_of_the_calls() -> None:
    writes = full_set()
    assert writes.size == 7
    found = [(one.kind, one.key, one.item, one.if_version, one.upsert) for one in writes.operations]
    assert found == [
        ("save", KEY, STEP, None, False),
        ("create", KEY, STEP, None, False),
        ("put", KEY, STEP, None, False),
        ("update", KEY, None, 3, True),
        ("delete", KEY, STEP, None, False),
        ("delete_key", KEY, None, None, False),
        ("check_condition", KEY, None, None, False),
    ]
    assert [one.condition is None for one in writes.operations] == [False, True, False, False, False, False, False]
    assert [len(one.updates) for one in writes.operations] == [0, 0, 0, 1, 0, 0, 0]
    assert writes.operations[0].item is STEP


def test_each_method_returns_the_set() -> None:
    writes = TransactionWriteSet()
    assert writes.save(STEP).put(STEP).create(STEP).delete(STEP) is writes
    assert writes.update(KEY, attr(Step.title).set("t")).delete_key(KEY) is writes
    assert writes.check_condition(KEY, attr(Step.title).exists()).add_all(full_set()) is writes
    assert writes.idempotency_token("a") is writes


def test_all_operations_of_another_set() -> None:
    writes = TransactionWriteSet().delete_key(MISSING)
    other = full_set().idempotency_token("other")
    writes.add_all(other)
    assert writes.operations == (Operation("delete_key", MISSING), *other.operations)
    assert (writes.token, other.size) == (None, 7)
    assert writes.add_all(writes).size == 16


@pytest.mark.parametrize("wrong", [BatchWriteSet(), [STEP], None])
def test_only_a_set_of_its_own_kind_is_added(wrong: Any) -> None:
    with pytest.raises(TypeError) as error:
        TransactionWriteSet().add_all(wrong)
    described = {BatchWriteSet: "a BatchWriteSet", list: "a list", type(None): "None"}[type(wrong)]
    assert str(error.value) == f"a TransactionWriteSet is due, not {described}"


class Heir(Step):
    """A subclass that is not to be stored."""


@pytest.mark.parametrize(
    "wrong", [KEY, ShopRow(pk="a", sk="b"), "text", None, Step], ids=lambda wrong: type(wrong).__name__
)
@pytest.mark.parametrize("method", ["save", "create", "put", "delete"])
def test_where_an_item_is_due(method: str, wrong: Any) -> None:
    writes = TransactionWriteSet()
    with pytest.raises(TypeError) as error:
        getattr(writes, method)(wrong)
    assert str(error.value) == f"an item is due, such as AlbumTrack(...), not {kind_of(wrong)}"
    assert writes.size == 0


def test_a_subclass_without_a_key() -> None:
    with pytest.raises(TypeError) as error:
        TransactionWriteSet().save(Heir(customer="C", number=3, title="x"))
    assert str(error.value) == "Heir has no key type; declare class Key(ItemKey[...]) inside it"


@pytest.mark.parametrize(
    "wrong", [STEP, ShopRow(pk="a", sk="b"), "text", None, Step.TitleKey("C")], ids=lambda wrong: type(wrong).__name__
)
@pytest.mark.parametrize("method", ["update", "delete_key", "check_condition"])
def test_where_a_key_is_due(method: str, wrong: Any) -> None:
    arguments: list[Any] = [attr(Step.title).exists()] if method == "check_condition" else []
    writes = TransactionWriteSet()
    with pytest.raises(TypeError) as error:
        getattr(writes, method)(wrong, *arguments)
    assert str(error.value) == f"a key is due, such as AlbumTrack.Key(...), not {kind_of(wrong)}"
    assert writes.size == 0


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            True,
            "a condition is due, not True: write attr(...) around the field, as in attr(AlbumTrack.track_number) == 1",
        ),
        (None, "a condition is due, not None: write it with attr(...) or Expression(...)"),
    ],
)
def test_a_check_has_a_condition(wrong: Any, message: str) -> None:
    with pytest.raises(TypeError) as error:
        TransactionWriteSet().check_condition(KEY, wrong)
    assert str(error.value) == message


def test_the_repr_of_a_set_shows_keys_alone() -> None:
    assert repr(TransactionWriteSet()) == "TransactionWriteSet()"
    assert repr(TransactionWriteSet().save(STEP).delete_key(MISSING)) == (
        "TransactionWriteSet(save of Step.Key(customer='C', number=3), delete_key of Step.Key(customer='C', number=4))"
    )


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda writes: pickle.loads(pickle.dumps(writes))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_of_a_set_is_a_set_of_its_own(again: Callable[[TransactionWriteSet], TransactionWriteSet]) -> None:
    writes = full_set().idempotency_token("mine")
    other = again(writes)
    assert list(map(str, other.operations)) == list(map(str, writes.operations))
    assert other.token == "mine"
    other.save(CUSTOMER)
    assert (other.size, writes.size) == (8, 7)
