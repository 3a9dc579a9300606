"""Notes on errors: what was done before something failed."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def noting(note: Callable[[], str]) -> Generator[None]:
    """Put a note on what is raised inside, which leaves it as it is otherwise."""
    try:
        yield
    except Exception as error:
        error.add_note(note())
        raise
