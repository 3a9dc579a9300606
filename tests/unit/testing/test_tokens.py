from __future__ import annotations

import weakref
from copy import deepcopy
from typing import Any

import pytest

from logicaldb.testing import tokens
from logicaldb.testing.tokens import IdempotencyTokens, TokenMismatch


class Clock:
    """What tells the time, as ``time.monotonic`` does."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Answer:
    """An answer of the engine, which is like no other."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(tokens, "monotonic", clock)
    return clock


def put(**attributes: Any) -> list[Any]:
    return [{"Put": {"TableName": "things", "Item": {"pk": {"S": "a"}, **attributes}}}]


def refuse() -> Any:
    raise AssertionError("nothing may be written")


def test_a_token_writes_once() -> None:
    known = IdempotencyTokens()
    answer = known.once("t", put(), Answer)
    assert known.once("t", put(), refuse) is answer
    assert known.once("t", put(), refuse) is answer
    assert known.once("u", put(), Answer) is not answer


def test_other_actions_are_refused_and_do_not_take_the_token() -> None:
    known = IdempotencyTokens()
    answer = known.once("t", put(n={"N": "1"}), Answer)
    for _ in range(2):
        with pytest.raises(TokenMismatch):
            known.once("t", put(n={"N": "2"}), refuse)
    assert known.once("t", put(n={"N": "1"}), refuse) is answer


def test_the_token_of_a_write_that_fails_is_free() -> None:
    def fail() -> Any:
        raise KeyError("of the engine")

    known = IdempotencyTokens()
    with pytest.raises(KeyError):
        known.once("t", put(), fail)
    answer = known.once("t", put(n={"N": "2"}), Answer)
    assert known.once("t", put(n={"N": "2"}), refuse) is answer


def test_a_token_is_known_for_ten_minutes_after_the_first_write(clock: Clock) -> None:
    def write_slowly() -> Any:
        clock.now += 30
        return Answer()

    known = IdempotencyTokens()
    first = known.once("t", put(), write_slowly)
    clock.now += 599
    assert known.once("t", put(), refuse) is first  # which does not make it last longer
    clock.now += 1
    second = known.once("t", put(n={"N": "2"}), Answer)
    clock.now += 599
    with pytest.raises(TokenMismatch):
        known.once("t", put(), refuse)
    assert known.once("t", put(n={"N": "2"}), refuse) is second
    assert second is not first


def test_what_is_too_old_is_not_kept(clock: Clock) -> None:
    known = IdempotencyTokens()
    kept = []
    for minute in range(15):
        clock.now = 1000.0 + 60 * minute
        kept.append(weakref.ref(known.once(minute, put(), Answer)))
    # The last is of minute 14, when those of minutes 0 to 4 are ten minutes old or older.
    assert [answer() is not None for answer in kept] == [False] * 5 + [True] * 10


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (put(x={"S": "x"}, y={"S": "y"}), put(y={"S": "y"}, x={"S": "x"})),
        (put(x={"SS": ["a", "b"]}), put(x={"SS": ["b", "a"]})),
        (put(x={"BS": [b"1", b"\xff"]}), put(x={"BS": [b"\xff", b"1"]})),
        (put(x={"L": [{"M": {"y": {"SS": ["a", "b"]}}}]}), put(x={"L": [{"M": {"y": {"SS": ["b", "a"]}}}]})),
    ],
)
def test_these_are_the_same(first: Any, second: Any) -> None:
    known = IdempotencyTokens()
    answer = known.once("t", first, Answer)
    assert known.once("t", second, refuse) is answer


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (put(), put() + put()),
        ([{"Put": 1}, {"Delete": 2}], [{"Delete": 2}, {"Put": 1}]),
        (put(x={"L": [{"S": "a"}, {"S": "b"}]}), put(x={"L": [{"S": "b"}, {"S": "a"}]})),
        (put(x={"SS": ["a", "b"]}), put(x={"SS": ["a", "b", "c"]})),
        (put(x={"NS": ["1", "2", "3"]}), put(x={"NS": ["3", "1", "2"]})),
        (put(x={"N": "1"}), put(x={"S": "1"})),
        # An attribute that is called like a type.
        (put(SS={"S": "a"}), put(SS={"S": "b"})),
        (put(x={"M": {"NS": {"NS": ["1"]}}}), put(x={"M": {"NS": {"NS": ["2"]}}})),
    ],
)
def test_these_differ(first: Any, second: Any) -> None:
    known = IdempotencyTokens()
    known.once("t", first, Answer)
    with pytest.raises(TokenMismatch):
        known.once("t", second, refuse)


def test_what_the_engine_makes_of_the_actions_does_not_matter() -> None:
    actions = put(m={"M": {"l": {"L": [{"S": "x"}]}}})
    sent = deepcopy(actions)

    def write() -> Any:
        actions[0]["Put"]["Item"]["m"]["M"]["l"]["L"].append({"S": "y"})
        return Answer()

    known = IdempotencyTokens()
    answer = known.once("t", actions, write)
    assert known.once("t", sent, refuse) is answer
    with pytest.raises(TokenMismatch):
        known.once("t", actions, refuse)
