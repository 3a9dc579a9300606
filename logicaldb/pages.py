"""Where reads go on: pages, offsets, and the segments of parallel scans."""

from __future__ import annotations

from collections.abc import Mapping
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

    Attributes:
        key: the typed key; ``None`` where the service stopped at a row of another type.
    """

    __slots__ = ("_raw", "key")

    key: K | None

    def __init__(self, key: K) -> None:
        if not isinstance(key, KeyBase):
            raise TypeError(f"Offset takes a key, such as AlbumTrack.Key(...), not {describe(key)}")
        self.key = key
        self._raw: Mapping[str, WireValue] | None = None

    @classmethod
    def served(cls, key: K | None, raw: Mapping[str, WireValue]) -> Self:
        """An offset that the service gave, with its raw key."""
        offset = cls.__new__(cls)
        offset.key = key
        offset._raw = raw
        return offset

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
        if not (1 <= self.total_segments <= 1_000_000 and 0 <= self.segment < self.total_segments):
            raise ValueError(
                f"{self!r}: there are 1 to 1,000,000 segments, and a segment is counted from 0 to total_segments - 1"
            )
