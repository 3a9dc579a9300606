"""Key conditions, each with the keys that are in it, and the ways to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from logicaldb import AtLeast, AtMost, BeginsWith, Between, EqualTo, GreaterThan, KeyCondition, LessThan
from tests.properties.whole_conditions import tests
from tests.properties.whole_model import Says
from tests.properties.whole_strategies import GENRES, numbers, owners, positions, sections, small, tokens

CONDITIONS: Final[Mapping[str, type[Any]]] = {
    one.__name__: one for one in (BeginsWith, EqualTo, LessThan, AtMost, GreaterThan, AtLeast)
}


@dataclass(frozen=True)
class Range:
    """A key condition.

    Attributes:
        name: its class.
        partition: the partition.
        parts: the sort part of the key, as far as it is given.
        end: that of the end, of a ``Between``.
        size: how many parts a whole key has.
        text: whether the last part may be the beginning of one.
    """

    name: str
    partition: str
    parts: tuple[Any, ...]
    end: tuple[Any, ...] = ()
    size: int = 1
    text: bool = False

    def condition(self, key_type: Any) -> KeyCondition[Any]:
        """The condition as the package takes it."""
        key = key_type(self.partition, *self.parts)
        if self.name == "Between":
            return Between(key, key_type(self.partition, *self.end))
        made: KeyCondition[Any] = CONDITIONS[self.name](key)
        return made

    @property
    def incomplete(self) -> bool:
        """Whether it needs a whole key and has none."""
        return self.name == "EqualTo" and len(self.parts) < self.size

    def holds(self, sort: tuple[Any, ...]) -> bool:
        """Whether a key is in the range."""
        head = sort[: len(self.parts)]
        match self.name:
            case "BeginsWith" if self.text and len(self.parts) == self.size:
                return head[:-1] == self.parts[:-1] and bool(head[-1].startswith(self.parts[-1]))
            case "BeginsWith" | "EqualTo":
                return head == self.parts
            case "LessThan":
                return head < self.parts
            case "AtMost":
                return head <= self.parts
            case "GreaterThan":
                return head > self.parts
            case "AtLeast":
                return head >= self.parts
            case _:
                return head >= self.parts and sort[: len(self.end)] <= self.end


def ranges(
    partition: st.SearchStrategy[str], *parts: st.SearchStrategy[Any], text: bool = False
) -> st.SearchStrategy[Range]:
    """Key conditions of a key type; most of them have something in them."""

    def parts_of(*counts: int) -> st.SearchStrategy[tuple[Any, ...]]:
        return st.sampled_from(counts).flatmap(lambda count: st.tuples(*parts[:count]))

    def range_of(name: str) -> st.SearchStrategy[Range]:
        some = (
            parts_of(0, 0, *range(1, len(parts) + 1))
            if name == "BeginsWith"
            else parts_of(0, 1, len(parts), len(parts))
        )
        return st.builds(Range, st.just(name), partition, some, some, st.just(len(parts)), st.just(text))

    return st.sampled_from(["BeginsWith", "BeginsWith", "BeginsWith", *CONDITIONS, "Between"]).flatmap(range_of)


entry_ranges = ranges(owners, sections, numbers | st.just(5))
session_ranges = ranges(owners, tokens | st.just("￮￮"), text=True)
reading_ranges = ranges(st.just("r"), positions | st.just(0))
genre_ranges = ranges(st.sampled_from(GENRES), owners | st.just("an"), text=True)
rank_ranges = ranges(owners, small)


@dataclass(frozen=True)
class Reads:
    """How a query or scan is read.

    Attributes:
        asc: the direction.
        page_size: how many rows a page reads.
        limit: how many items are wanted.
        consistent: whether reads are consistent.
        test: the filter.
        way: which method.
    """

    asc: bool
    page_size: int
    limit: int | None
    consistent: bool
    test: Says | None
    way: str


def reads(*names: str) -> st.SearchStrategy[Reads]:
    """Ways to read items of some types."""
    return st.builds(
        Reads,
        st.booleans(),
        st.sampled_from([1, 2, 3, 100]),
        st.sampled_from([None, None, 0, 1, 2, 4]),
        st.booleans(),
        st.sampled_from([False, False, True]).flatmap(
            lambda filters: st.one_of(*(tests[name] for name in names)) if filters else st.none()
        ),
        st.sampled_from(["pages", "contents", "cursors", "count", "offset"]),
    )
