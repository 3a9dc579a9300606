"""The updates that a pager has left."""

from __future__ import annotations

import operator
import signal
from collections.abc import Iterator
from itertools import count, starmap

import pytest

from logicaldb import LogicalDbError
from logicaldb.operations.remaining import Remaining
from tests.pagers import raising


def test_a_collection_is_known_at_once() -> None:
    given = [1, 2, 3, 4]
    remaining = Remaining(given, 2)
    given.append(5)
    assert remaining == [1, 2, 3, 4]
    assert remaining.drop_to(3)
    assert (list(remaining), remaining.dropped) == ([4], 3)
    assert not remaining.drop_to(5)
    assert (list(remaining), remaining.dropped) == ([], 4)


def test_it_is_a_sequence() -> None:
    remaining = Remaining("abcdef", 1)
    remaining.drop_to(2)
    assert (len(remaining), remaining[0], remaining[-1], remaining[1:3], remaining[:]) == (
        4,
        "c",
        "f",
        ["d", "e"],
        ["c", "d", "e", "f"],
    )
    assert "a" not in remaining
    assert remaining.index("e") == 2
    for index in (4, -5):
        with pytest.raises(IndexError):
            remaining[index]
    assert repr(remaining) == "4 remaining updates, after 2"


def test_it_equals_sequences_of_the_same_updates() -> None:
    remaining = Remaining([1, 2], 1)
    assert remaining == (1, 2)
    assert remaining != [1]
    assert remaining != {1, 2}
    with pytest.raises(TypeError):
        hash(remaining)


def test_an_iterable_is_drawn_as_it_is_needed() -> None:
    drawn: list[int] = []

    def numbers() -> Iterator[int]:
        for number in count():
            drawn.append(number)
            yield number

    remaining = Remaining(numbers(), 5)
    assert (list(remaining), drawn) == ([], [])
    for _ in range(2):
        remaining.draw()
        assert list(remaining) == drawn == [0, 1, 2, 3, 4]
    assert remaining.drop_to(3)
    assert list(remaining) == [3, 4, 5, 6, 7]
    assert len(drawn) == 8
    assert remaining.drop_to(1000)
    assert list(remaining) == list(range(1000, 1005))
    assert len(drawn) == 1005
    # What is gone is forgotten.
    assert len(remaining._window[1]) == 5


def test_an_iterable_may_end_before() -> None:
    remaining = Remaining(iter([1, 2, 3]), 5)
    remaining.draw()
    assert list(remaining) == [1, 2, 3]
    remaining.draw()
    remaining.check_end()
    assert not remaining.drop_to(4)
    assert remaining.dropped == 3
    remaining.check_end()


def test_what_an_iterable_raises_waits_and_is_not_taken_for_its_end() -> None:
    error = KeyError("mine")
    remaining = Remaining(raising(lambda: error, 1, 2), 5)
    for _ in range(2):
        remaining.draw()
        assert list(remaining) == [1, 2]
        with pytest.raises(KeyError) as raised:
            remaining.check_end()
        assert raised.value is error
    assert not remaining.drop_to(3)


def test_an_interrupt_comes_at_once_and_is_not_taken_for_the_end() -> None:
    remaining = Remaining(raising(KeyboardInterrupt, 1, 2), 5)
    with pytest.raises(KeyboardInterrupt):
        remaining.draw()
    remaining.draw()
    assert list(remaining) == [1, 2]
    with pytest.raises(LogicalDbError) as raised:
        remaining.check_end()
    assert str(raised.value) == (
        "updates: the iterable was interrupted, and may have had more; make another pager for the rest"
    )
    assert type(raised.value.__cause__) is KeyboardInterrupt


def test_an_interrupt_outside_the_iterable_does_it_no_harm() -> None:
    # All of it is C, so the interrupt has no frame but that of `draw`, as one that a signal brings.
    calls = [(int, 1), (int, 2), (signal.default_int_handler, signal.SIGINT, None), (int, 3)]
    remaining = Remaining(starmap(operator.call, calls), 5)
    with pytest.raises(KeyboardInterrupt):
        remaining.draw()
    assert list(remaining) == [1, 2]
    remaining.check_end()
    remaining.draw()
    assert list(remaining) == [1, 2, 3]


def test_an_iterator_that_raised_is_not_asked_again() -> None:
    """It might go on after what it could not give."""
    asked: list[int] = []

    class Hiccup:
        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            asked.append(len(asked))
            if asked[-1] == 2:
                raise KeyError("mine")
            return asked[-1]

    remaining = Remaining(Hiccup(), 5)
    for _ in range(2):
        remaining.draw()
        assert list(remaining) == [0, 1]
        with pytest.raises(KeyError, match="mine"):
            remaining.check_end()
    assert asked == [0, 1, 2]
