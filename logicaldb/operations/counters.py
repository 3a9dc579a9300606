"""The bounds of counters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, Final

from logicaldb.annotations import Counter
from logicaldb.codec.generic import number_in
from logicaldb.codec.values import WireValue
from logicaldb.expressions import Placeholders
from logicaldb.schema.fields import FieldDeclaration
from logicaldb.schema.items import Row

_EXACT: Final = Context(prec=300)
"""Any sum of two of DynamoDB's numbers is exact in it: they span 38 digits each, from 1E-130 to 1E+126."""


@dataclass(frozen=True, slots=True)
class Guard:
    """The bounds of a counter for one addition.

    Attributes:
        field: the counter.
        number: what is added.
        limit: the count that may just be added to; ``None`` where the addition moves towards no bound.
    """

    field: FieldDeclaration
    number: int | Decimal
    limit: WireValue | None

    @property
    def attribute(self) -> str:
        """The attribute that holds the count."""
        return self.field.attributes[0]

    @property
    def counter(self) -> Counter:
        """What is declared of the counter."""
        assert isinstance(self.field.role, Counter)
        return self.field.role

    def holds(self, row: Row) -> bool:
        """Whether the count of a row stays inside the bounds."""
        wire = row.get(self.attribute)
        if wire is None:
            return self._inside(self.counter.initial)
        count = number_in(wire)
        # What is not a number has no bounds: the addition fails for another reason.
        return count is None or self._inside(count)

    def _inside(self, count: int | Decimal) -> bool:
        after = _EXACT.add(Decimal(count), Decimal(self.number))
        bound = _bound(self.counter, self.number)
        return bound is None or (after >= bound if self.number < 0 else after <= bound)

    def expression(self, placeholders: Placeholders) -> str | None:
        """The condition that keeps the count inside, ``None`` where nothing can pass the bounds."""
        if self.limit is None:
            return None
        name = placeholders.name(self.attribute)
        text = f"{name} {'>=' if self.number < 0 else '<='} {placeholders.value(self.limit)}"
        return f"attribute_not_exists({name}) OR {text}" if self.holds({}) else text


def guard(field: FieldDeclaration, counter: Counter, number: int | Decimal, wire: Callable[[Any], WireValue]) -> Guard:
    """The bounds of a counter for the addition of a number.

    Args:
        field: the field.
        counter: its bounds.
        number: what is added.
        wire: gives the stored form of a count; raises ``EncodingError``.

    Raises:
        EncodingError: DynamoDB has no number for the count that may just be added to.
    """
    bound = _bound(counter, number)
    if bound is None:
        return Guard(field, number, None)
    limit = _EXACT.subtract(Decimal(bound), Decimal(number))
    return Guard(field, number, wire(int(limit) if field.type is int else limit))


def _bound(counter: Counter, number: int | Decimal) -> int | Decimal | None:
    """The bound that an addition moves towards."""
    if number == 0:
        return None
    return counter.minimum if number < 0 else counter.maximum
