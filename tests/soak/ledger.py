"""What writers were told of each write, held against what is stored in the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What the writer was told of a write."""

    DONE = "It took effect."
    FAILED = "It did not take effect."
    UNKNOWN = "It took effect once, or not at all."


class Kind(Enum):
    """What may be wrong in the end."""

    LOST = "lost"
    DOUBLED = "doubled"
    CONTRADICTED = "told to have failed, but done"
    WON_TWICE = "versions won twice"
    REVIVED = "deleted, but there again"
    TORN = "torn snapshots"
    UNEQUAL = "sums that do not come out"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        kind: what it is.
        what: where.
    """

    kind: Kind
    what: str


def check_each(place: str, told: Mapping[str, Outcome], found: Iterable[str]) -> Iterator[Finding]:
    """Hold writes that are known one by one against what was told of them.

    Args:
        place: what they were written to.
        told: what was told of each.
        found: those that took effect, as often as they did.
    """
    times = Counter(found)
    for write, outcome in told.items():
        if outcome is Outcome.DONE and not times[write]:
            yield Finding(Kind.LOST, f"{place}: {write}")
        if outcome is Outcome.FAILED and times[write]:
            yield Finding(Kind.CONTRADICTED, f"{place}: {write}")
    for write, count in times.items():
        if count > 1 or write not in told:
            yield Finding(Kind.DOUBLED, f"{place}: {write}, {count} times")


def check_count(place: str, told: Counter[Outcome], by: int, stored: int) -> Iterator[Finding]:
    """Hold a number that all writes change by the same against how many there were.

    Args:
        place: what the number is.
        told: how many writes came to each outcome.
        by: how much each adds.
        stored: the number.
    """
    done, rest = divmod(stored, by)
    if rest:
        yield Finding(Kind.UNEQUAL, f"{place}: {stored} is no multiple of {by}")
    if done < told[Outcome.DONE]:
        yield Finding(Kind.LOST, f"{place}: {done} of {told[Outcome.DONE]}")
    if done > told[Outcome.DONE] + told[Outcome.UNKNOWN]:
        yield Finding(Kind.DOUBLED, f"{place}: {done} of {told[Outcome.DONE]}, and {told[Outcome.UNKNOWN]} unknown")


def check_distinct(place: str, won: Iterable[object], kind: Kind) -> Iterator[Finding]:
    """Hold against each other what no two writers may get."""
    for one, count in Counter(won).items():
        if count > 1:
            yield Finding(kind, f"{place}: {one}, {count} times")
