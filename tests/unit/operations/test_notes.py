"""Notes on errors."""

from __future__ import annotations

import pytest

from logicaldb.operations.notes import noting


def test_a_note_is_made_when_something_is_raised() -> None:
    written = [1]

    def work() -> None:
        with noting(lambda: f"{len(written)} are written"):
            written.extend([2, 3])
            raise error

    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as raised:
        work()
    assert raised.value is error
    assert error.__notes__ == ["3 are written"]
    assert error.__cause__ is error.__context__ is None


def test_nothing_is_noted_where_nothing_is_raised() -> None:
    def never() -> str:
        raise AssertionError

    with noting(never):
        pass


def test_an_interrupt_is_no_error() -> None:
    interrupt = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt), noting(lambda: "a note"):
        raise interrupt
    assert not hasattr(interrupt, "__notes__")
