"""What the metadata of a type says about its values: pydantic's constraints, and ours of keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import annotated_types


@dataclass(frozen=True, slots=True)
class Before:
    """Metadata: the text stands before a separator, and must not run into it."""

    separator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What values must be.

    Attributes:
        minimum: the least, ``None`` where there is none.
        maximum: the greatest.
        excluded: the bounds that are not values themselves.
        multiple_of: what they are whole multiples of.
        min_length: the least length.
        max_length: the greatest length.
        pattern: the regular expression that is found in a text.
        max_digits: the most digits of a ``Decimal``.
        decimal_places: the most of these after the point.
        naive: whether a ``time`` has no offset.
        separators: the texts that follow a text in a key.
        predicates: what else must hold.
    """

    minimum: Any = None
    maximum: Any = None
    excluded: tuple[Any, ...] = ()
    multiple_of: Any = None
    min_length: int = 0
    max_length: int | None = None
    pattern: Any = None
    max_digits: int | None = None
    decimal_places: int | None = None
    naive: bool = False
    separators: tuple[str, ...] = ()
    predicates: tuple[Callable[[Any], bool], ...] = ()

    def admits(self, value: Any) -> bool:
        """Whether a value is inside of what is not said by bounds, lengths and patterns."""
        return value not in self.excluded and all(predicate(value) for predicate in self.predicates)


def bounds_of(metadata: Iterable[Any]) -> Bounds:
    """What metadata says, all of it together; what says nothing about values is left aside."""
    flat = list(_flat(metadata))
    lows = _each(flat, "ge", annotated_types.Ge) + _each(flat, "gt", annotated_types.Gt)
    highs = _each(flat, "le", annotated_types.Le) + _each(flat, "lt", annotated_types.Lt)
    longest = _each(flat, "max_length", annotated_types.MaxLen)
    return Bounds(
        minimum=max(lows, default=None),
        maximum=min(highs, default=None),
        excluded=(*_each(flat, "gt", annotated_types.Gt), *_each(flat, "lt", annotated_types.Lt)),
        multiple_of=next(iter(_each(flat, "multiple_of", annotated_types.MultipleOf)), None),
        min_length=max(_each(flat, "min_length", annotated_types.MinLen), default=0),
        max_length=min(longest, default=None),
        pattern=next(iter(_each(flat, "pattern")), None),
        max_digits=next(iter(_each(flat, "max_digits")), None),
        decimal_places=next(iter(_each(flat, "decimal_places")), None),
        naive=any(isinstance(item, annotated_types.Timezone) and item.tz is None for item in flat),
        separators=tuple(_each(flat, "separator", Before)),
        predicates=tuple(_each(flat, "func", annotated_types.Predicate)),
    )


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, annotated_types.GroupedMetadata):
            yield from _flat(item)
        else:
            yield item


def _each(metadata: Sequence[Any], name: str, kind: type = object) -> list[Any]:
    """What items of a kind say under a name; pydantic's own for the rest have the attributes that were given."""
    found = (getattr(item, name, None) for item in metadata if isinstance(item, kind) and not isinstance(item, type))
    return [value for value in found if value is not None]
