"""Key conditions: which items of one partition a query is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic

from typing_extensions import TypeVar

from logicaldb.items import KeyBase

K = TypeVar("K", bound=KeyBase[Any])


class KeyCondition(Generic[K]):
    """Which keys of one partition a query is about; all stay inside the item type of the key."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False)
class OneKey(KeyCondition[K]):
    """A key condition of one key.

    Attributes:
        key: the key, partial or whole.
    """

    key: K

    def __post_init__(self) -> None:
        _check_key(self, self.key)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r})"


class BeginsWith(OneKey[K]):
    """The keys that begin with a key, partial or whole; a ``str`` at its end may be the beginning of one."""

    __slots__ = ()


class EqualTo(OneKey[K]):
    """The one key, which must be whole; in an index several items may have it."""

    __slots__ = ()


class LessThan(OneKey[K]):
    """The keys before a key; a partial one stands for all that begin with it."""

    __slots__ = ()


class AtMost(OneKey[K]):
    """The keys up to a key, which is included; of a partial one all that begin with it."""

    __slots__ = ()


class GreaterThan(OneKey[K]):
    """The keys after a key; a partial one stands for all that begin with it."""

    __slots__ = ()


class AtLeast(OneKey[K]):
    """The keys from a key on, which is included; of a partial one all that begin with it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, repr=False)
class Between(KeyCondition[K]):
    """The keys from one to another, both included; a partial key stands for all that begin with it.

    Where the start comes after the end there are none, and nothing is sent.

    Attributes:
        start: the first key.
        end: the last key, of the same partition.
    """

    start: K
    end: K

    def __post_init__(self) -> None:
        _check_key(self, self.start)
        if type(self.end) is not type(self.start):
            raise TypeError(f"Between takes two keys of one type, not {_name(self.start)} and {_name(self.end)}")

    def __repr__(self) -> str:
        return f"Between({self.start!r}, {self.end!r})"


def _check_key(condition: KeyCondition[Any], key: object) -> None:
    if not isinstance(key, KeyBase):
        raise TypeError(f"{type(condition).__name__} takes a key, such as AlbumTrack.Key(...), not {_name(key)}")


def _name(key: object) -> str:
    return key.__repr_name__() if isinstance(key, KeyBase) else type(key).__name__
