"""Key conditions as ranges of the sort key, inside the prefix of the item type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from logicaldb.codec.keys import KeyAttribute, Partial, TextKey, key_order_bound
from logicaldb.codec.values import WireValue, describe, order_of
from logicaldb.errors import EncodingError, IncompleteKey
from logicaldb.expressions import (
    AtLeast,
    AtMost,
    BeginsWith,
    Between,
    EqualTo,
    GreaterThan,
    KeyCondition,
    LessThan,
    Placeholders,
)
from logicaldb.schema.keys import KeySchema


@dataclass(frozen=True, slots=True)
class Bound:
    """One end of a range of sort keys."""

    wire: WireValue
    inclusive: bool


@dataclass(frozen=True, slots=True)
class KeyRange:
    """What a query asks for: a partition, and of its sort keys one, those of a prefix, or those between bounds.

    Attributes:
        partition: the value of the partition key.
        equal: the one sort key.
        prefix: the beginning of the sort keys.
        low: the least sort key.
        high: the greatest sort key; another than ``low``, for one key is ``equal``.
    """

    partition: WireValue
    equal: WireValue | None = None
    prefix: WireValue | None = None
    low: Bound | None = None
    high: Bound | None = None

    @property
    def empty(self) -> bool:
        """Whether no key can be in the range, so that nothing need be sent."""
        if self.high is None:
            return False
        if self.low is None:
            return _is_blank(self.high.wire)
        return bool(order_of(self.low.wire) >= order_of(self.high.wire))

    @property
    def dropped(self) -> tuple[WireValue, ...]:
        """The sort keys that are sent for, because a ``BETWEEN`` includes its ends, and left out after reading."""
        if self.low is None or self.high is None:
            return ()
        return tuple(bound.wire for bound in (self.low, self.high) if not bound.inclusive)

    def rest(self, start: WireValue, *, asc: bool, unique: bool) -> Literal["all", "some", "nothing"]:
        """How much of the range comes after a sort key; DynamoDB takes a start key that is inside alone.

        Args:
            start: the sort key.
            asc: the direction.
            unique: whether no two rows of the partition have one sort key, as in a table.
        """
        if self.empty:  # its ends may be of another type than the keys
            return "nothing"
        side = self._side(order_of(start))
        if side:
            return "all" if asc == (side < 0) else "nothing"
        last = self.high if asc else self.low
        return "nothing" if unique and last is not None and order_of(last.wire) == order_of(start) else "some"

    def _side(self, order: Any) -> int:
        """Where a key is: -1 before what is sent for, 0 inside, 1 after."""
        if self.prefix is not None:
            prefix = order_of(self.prefix)
            return 0 if order.startswith(prefix) else -1 if order < prefix else 1
        low, high = self.low, self.high
        if self.equal is not None:
            low = high = Bound(self.equal, inclusive=True)
        ends = low is not None and high is not None  # a BETWEEN includes both
        if low is not None and (
            order < order_of(low.wire) or (order == order_of(low.wire) and not (ends or low.inclusive))
        ):
            return -1
        if high is not None and (
            order > order_of(high.wire) or (order == order_of(high.wire) and not (ends or high.inclusive))
        ):
            return 1
        return 0

    def expression(self, schema: KeySchema, placeholders: Placeholders) -> str:
        """The ``KeyConditionExpression``."""
        partition = f"{placeholders.name(schema.partition.name)} = {placeholders.value(self.partition)}"
        sort = self._sort_expression(schema, placeholders)
        return partition if sort is None else f"{partition} AND {sort}"

    def _sort_expression(self, schema: KeySchema, placeholders: Placeholders) -> str | None:
        if schema.sort is None or (self.equal, self.prefix, self.low, self.high) == (None, None, None, None):
            return None
        name, value = placeholders.name(schema.sort.name), placeholders.value
        if self.equal is not None:
            return f"{name} = {value(self.equal)}"
        if self.prefix is not None:
            return f"begins_with({name}, {value(self.prefix)})"
        if self.low is None:
            assert self.high is not None
            return f"{name} {'<=' if self.high.inclusive else '<'} {value(self.high.wire)}"
        if self.high is None:
            return f"{name} {'>=' if self.low.inclusive else '>'} {value(self.low.wire)}"
        return f"{name} BETWEEN {value(self.low.wire)} AND {value(self.high.wire)}"


def key_range(condition: KeyCondition[Any], schema: KeySchema) -> KeyRange:
    """The range of a key condition.

    Raises:
        TypeError: it is no key condition, or its key is of another type.
        IncompleteKey: the partition key is not whole, or the sort key is not where it must be.
        EncodingError: a value cannot be stored, or the condition makes no sense here.
    """
    match condition:
        case Between(start=start, end=end):
            partition = _partition(start, schema)
            if _partition(end, schema) != partition:
                raise EncodingError(f"{condition!r}: the two keys are of different partitions")
            sort = _need_sort(condition, schema)
            low, high = _from(_partial(start, schema, sort)), _through(_partial(end, schema, sort))
            return _inside_prefix(partition, sort, low, high)
        case BeginsWith(key=key) | EqualTo(key=key):
            partition = _partition(key, schema)
            if schema.sort is None:
                return KeyRange(partition)
            partial = _partial(key, schema, schema.sort)
            if isinstance(condition, EqualTo):
                return KeyRange(partition, equal=_whole(key, schema, schema.sort, partial))
            return _begins_with(partition, schema.sort, partial)
        case LessThan(key=key) | AtMost(key=key) | GreaterThan(key=key) | AtLeast(key=key):
            partition = _partition(key, schema)
            sort = _need_sort(condition, schema)
            low, high = _ends(condition, _partial(key, schema, sort))
            return _inside_prefix(partition, sort, low, high)
        case _:
            raise TypeError(
                f"a key condition is due, such as BeginsWith({schema.name}(...)), not {describe(condition)}"
            )


def partition_range(key: Any, schema: KeySchema) -> KeyRange:
    """The whole partition of a key, whose sort part does not matter.

    Raises:
        TypeError: the key is of another type.
        EncodingError: a value cannot be stored.
    """
    return KeyRange(_partition(key, schema))


def _partition(key: Any, schema: KeySchema) -> WireValue:
    partial = schema.partial(key, schema.partition)
    own = {*schema.partition.fields, *(() if schema.sort is None else schema.sort.fields)}
    for name in schema.declaration.fields:
        if name not in own and getattr(key, name) is not None:
            raise EncodingError(
                f"{schema.name}.{name}: is no part of the index key, so a key condition cannot tell it; leave it out"
            )
    # A partition key has no optional fields, so it is whole in every key.
    assert partial.wire is not None
    schema.check_size(schema.partition, partial.wire)
    return partial.wire


def _need_sort(condition: KeyCondition[Any], schema: KeySchema) -> KeyAttribute:
    if schema.sort is None:
        raise EncodingError(f"{condition!r}: {schema.partition.name} is the whole key; there is no sort key to compare")
    return schema.sort


def _partial(key: Any, schema: KeySchema, sort: KeyAttribute) -> Partial:
    """The sort key as far as the key gives it; one of no length bounds nothing, which DynamoDB would refuse to hear."""
    partial = schema.partial(key, sort)
    if partial.wire is not None and not _is_blank(partial.wire):
        schema.check_size(sort, partial.wire)
    return partial


def _is_blank(wire: WireValue) -> bool:
    return wire in ({"S": ""}, {"B": ""})


def _whole(key: Any, schema: KeySchema, sort: KeyAttribute, partial: Partial) -> WireValue:
    if partial.wire is None or not partial.whole:
        raise IncompleteKey(f"{key!r} lacks {' and '.join(partial.missing)}; a whole key is needed here")
    schema.check_size(sort, partial.wire)
    return partial.wire


def _begins_with(partition: WireValue, sort: KeyAttribute, partial: Partial) -> KeyRange:
    if partial.wire is None or _is_blank(partial.wire):
        return KeyRange(partition)
    open_end = sort.tag == "B" or (isinstance(sort, TextKey) and sort.parts[-1].partial and not sort.constant)
    if partial.whole and not open_end:
        return KeyRange(partition, equal=partial.wire)
    return KeyRange(partition, prefix=partial.wire)


_Ends: TypeAlias = tuple[Bound | None, Bound | None]

_NOTHING: Final = Bound({"S": ""}, inclusive=False)
"""As the greatest key: no key at all."""


def _ends(condition: KeyCondition[Any], partial: Partial) -> _Ends:
    """The ends of a comparison; a partial key stands for all that begin with it."""
    match condition:
        case LessThan():
            return None, _NOTHING if partial.wire is None else Bound(partial.wire, inclusive=False)
        case AtMost():
            return None, _through(partial)
        case AtLeast():
            return _from(partial), None
        case _:
            return _after(partial)


def _from(partial: Partial) -> Bound | None:
    return None if partial.wire is None else Bound(partial.wire, inclusive=True)


def _after(partial: Partial) -> _Ends:
    if partial.wire is not None and partial.whole:
        return Bound(partial.wire, inclusive=False), None
    last = _through(partial)
    return (None, _NOTHING) if last is None else (Bound(last.wire, inclusive=True), None)


def _through(partial: Partial) -> Bound | None:
    """The greatest key: a whole one itself, of a partial one the last that begins with it."""
    if partial.wire is None:
        return None
    if partial.whole:
        return Bound(partial.wire, inclusive=True)
    bound = key_order_bound(partial.wire["S"])
    return None if bound is None else Bound({"S": bound}, inclusive=False)


def _inside_prefix(partition: WireValue, sort: KeyAttribute, low: Bound | None, high: Bound | None) -> KeyRange:
    """Close the open ends of a range with those of the type's prefix; ends of no length stay open."""
    if sort.prefix:
        first = Bound({"S": sort.prefix}, inclusive=True)
        last = _through(Partial({"S": sort.prefix}, whole=sort.constant))
        low, high = low or first, high or last
        if (low, high) == (first, last) and not sort.constant:
            return KeyRange(partition, prefix=first.wire)
    if low is not None and _is_blank(low.wire):
        low = None
    if low is not None and low == high:
        return KeyRange(partition, equal=low.wire)
    return KeyRange(partition, low=low, high=high)
