"""Where reads go on: pages, offsets, and the segments of parallel scans."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Self

from typing_extensions import TypeVar

from logicaldb.codec.values import WireValue, describe
from logicaldb.items import KeyBase

K = TypeVar("K", bound=KeyBase[Any])
T = TypeVar("T")


class Offset(Generic[K]):
    """Where a query or a scan goes on: after the row of ``key``.

    Args:
        key: a whole key; of an index with the fields of the primary key too.
    """

    __slots__ = ("_key", "_make", "_raw")

    def __init__(self, key: K) -> None:
        if not isinstance(key, KeyBase):
            raise TypeError(f"Offset takes a key, such as AlbumTrack.Key(...), not {describe(key)}")
        self._set(key, None)

    def _set(
        self,
        key: K | None,
        raw: Mapping[str, WireValue] | None,
        make: Callable[[Mapping[str, WireValue]], K | None] | None = None,
    ) -> None:
        self._key = key
        self._raw = raw
        self._make = make

    @classmethod
    def served(cls, key: K | None, raw: Mapping[str, WireValue]) -> Self:
        """An offset that the service gave, with its raw key."""
        offset = cls.__new__(cls)
        offset._set(key, raw)
        return offset

    @classmethod
    def found(cls, make: Callable[[Mapping[str, WireValue]], K | None], raw: Mapping[str, WireValue]) -> Self:
        """The same with what makes the typed key, which is left until it is asked for: few ever look at it."""
        offset = cls.__new__(cls)
        offset._set(None, raw, make)
        return offset

    @property
    def key(self) -> K | None:
        """The typed key; ``None`` where the service stopped at a row of another type."""
        make = self._make
        if make is not None:
            assert self._raw is not None
            self._key = make(self._raw)
            self._make = None  # after the key is there, for another thread
        return self._key

    def __reduce__(self) -> tuple[Any, ...]:
        """As its two keys: what makes the typed one belongs to this process."""
        return (_restore, (type(self), self.key, self._raw))

    @property
    def raw(self) -> Mapping[str, WireValue] | None:
        """The key in wire form as the service gave it; ``None`` for an offset made by hand."""
        return self._raw

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Offset):
            return NotImplemented
        if self.key is None and other.key is None:
            return self._raw == other._raw
        return bool(self.key == other.key)

    def __hash__(self) -> int:
        if self.key is None:
            return hash(tuple(sorted((name, *wire.items()) for name, wire in (self._raw or {}).items())))
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Offset({self._raw!r})" if self.key is None else f"Offset({self.key!r})"


def _restore(cls: type[Offset[Any]], key: Any, raw: Mapping[str, WireValue] | None) -> Offset[Any]:
    return cls(key) if raw is None else cls.served(key, raw)


@dataclass(frozen=True, slots=True)
class Page(Generic[K, T]):
    """One page of a query or a scan.

    Attributes:
        contents: the items, in order.
        offset: where the next page begins; ``None`` after the last one.
    """

    contents: list[T]
    offset: Offset[K] | None

    @property
    def has_more_pages(self) -> bool:
        """Whether there may be more; a next page may still turn out empty."""
        return self.offset is not None


@dataclass(frozen=True, slots=True)
class WorkerId:
    """One of the workers that scan a table side by side, each its own segment.

    Attributes:
        segment: from 0 to ``total_segments - 1``.
        total_segments: the number of workers, up to 1,000,000
            (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html).
    """

    segment: int
    total_segments: int

    def __post_init__(self) -> None:
        for number in (self.segment, self.total_segments):
            if not isinstance(number, int) or isinstance(number, bool):
                raise TypeError(f"segments are counted by an int, not {describe(number)}")
        if not (1 <= self.total_segments <= 1_000_000 and 0 <= self.segment < self.total_segments):
            raise ValueError(
                f"{self!r}: there are 1 to 1,000,000 segments, and a segment is counted from 0 to total_segments - 1"
            )
