"""A path names a field of an item, or something inside it."""

from __future__ import annotations

from typing import Any, NoReturn, TypeAlias

Step: TypeAlias = str | int
"""A step of a document path: a name, or the number of an element."""


class Path:
    """What ``AlbumTrack.track_title`` is on the class: the place of a value, for ``attr``.

    Attributes and subscripts go deeper: ``X.address.city``, ``X.tags[0]``. Its own names are private ones, so that
    every name that a pydantic field can have is left to the fields.
    """

    __slots__ = ("_owner", "_steps")

    _owner: type
    _steps: tuple[Any, ...]

    def __init__(self, owner: type, steps: tuple[Any, ...]) -> None:
        object.__setattr__(self, "_owner", owner)
        object.__setattr__(self, "_steps", steps)

    def __getattr__(self, name: str) -> Path:
        if name.startswith("_"):  # pydantic fields never do, protocols that probe an object (copy, pickle) always do
            raise AttributeError(name)
        return Path(self._owner, (*self._steps, name))

    def __getitem__(self, step: Any) -> Path:
        return Path(self._owner, (*self._steps, step))

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self!r} is a path and cannot be changed")

    def __iter__(self) -> NoReturn:
        raise TypeError(f"{self!r} is a path and cannot be iterated")

    def __reduce__(self) -> tuple[Any, ...]:
        return Path, (self._owner, self._steps)

    def __repr__(self) -> str:
        return path_text(self._owner, self._steps)


def path_text(owner: type, steps: tuple[Any, ...]) -> str:
    """The path as it is written in Python: ``AlbumTrack.tags[0]``."""
    return owner.__name__ + "".join(map(segment, steps))


def segment(step: Any) -> str:
    """A step as it is written in Python: ``.tags``, ``[0]``, ``['a key']``."""
    return f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{step!r}]"


def owner_of(path: Path) -> type:
    """The class whose field the path begins with."""
    return path._owner


def steps_of(path: Path) -> tuple[Any, ...]:
    """The names, numbers and keys that lead from the item to the value."""
    return path._steps
