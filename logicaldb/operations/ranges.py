"""Key conditions as ranges of the sort key, inside the prefix of the item type."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from logicaldb.codec.keys import KeyAttribute, Partial, TextKey, key_order_bound
from logicaldb.codec.values import WireValue
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

    @property
    def order(self) -> Any:
        """What the bound is compared by."""
        ((tag, held),) = self.wire.items()
        return Decimal(held) if tag == "N" else b64decode(held) if tag == "B" else held


@dataclass(frozen=True, slots=True)
class KeyRange:
    """What a query asks for: a partition, and of its sort keys one, those of a prefix, or those between bounds.

    Attributes:
        partition: the value of the partition key.
        equal: the one sort key.
        prefix: the beginning of the sort keys.
        low: the least sort key.
        high: the greatest sort key.
    """

    partition: WireValue
    equal: WireValue | None = None
    prefix: WireValue | None = None
    low: Bound | None = None
    high: Bound | None = None

    @property
    def empty(self) -> bool:
        """Whether no key can be in the range, so that nothing need be sent."""
        if self.high is not None and self.high.order == "":
            return True
        if self.low is None or self.high is None:
            return False
        low, high = self.low.order, self.high.order
        return bool(low > high or (low == high and not (self.low.inclusive and self.high.inclusive)))

    @property
    def dropped(self) -> tuple[WireValue, ...]:
        """The sort keys that are sent for, because a ``BETWEEN`` includes its ends, and left out after reading."""
        if self.low is None or self.high is None:
            return ()
        return tuple(bound.wire for bound in (self.low, self.high) if not bound.inclusive)

    def expression(self, schema: KeySchema, placeholders: Placeholders) -> str:
        """The ``KeyConditionExpression``."""
        value = placeholders.value
        text = f"{placeholders.name(schema.partition.name)} = {value(self.partition)}"
        if schema.sort is None or (self.equal, self.prefix, self.low, self.high) == (None, None, None, None):
            return text
        name = placeholders.name(schema.sort.name)
        if self.equal is not None:
            return f"{text} AND {name} = {value(self.equal)}"
        if self.prefix is not None:
            return f"{text} AND begins_with({name}, {value(self.prefix)})"
        if self.low is not None and self.high is not None:
            return f"{text} AND {name} BETWEEN {value(self.low.wire)} AND {value(self.high.wire)}"
        if self.low is not None:
            return f"{text} AND {name} {'>=' if self.low.inclusive else '>'} {value(self.low.wire)}"
        assert self.high is not None
        return f"{text} AND {name} {'<=' if self.high.inclusive else '<'} {value(self.high.wire)}"


def key_range(condition: KeyCondition[Any], schema: KeySchema) -> KeyRange:
    """The range of a key condition.

    Raises:
        TypeError: it is no key condition, or its key is of another type.
        IncompleteKey: the partition key is not whole, or the sort key is not where it must be.
        EncodingError: a value cannot be stored, or the condition makes no sense here.
    """
    if not isinstance(condition, KeyCondition):
        raise TypeError(
            f"a key condition is due, such as BeginsWith({schema.name}(...)), not {type(condition).__name__}"
        )
    partition = _partition(condition.key, schema)
    if schema.sort is None:
        if not isinstance(condition, BeginsWith | EqualTo):
            raise EncodingError(f"{condition!r}: {schema.partition.name} is the whole key; there is no sort key to compare")
        return KeyRange(partition)
    partial = _sort(condition.key, schema, schema.sort)
    if isinstance(condition, EqualTo):
        if not partial.whole:
            lacks = " and ".join(partial.missing)
            raise IncompleteKey(f"{condition.key!r} lacks {lacks}; a whole key is needed here")
        return KeyRange(partition, equal=partial.wire)
    if isinstance(condition, BeginsWith):
        return _begins_with(partition, schema.sort, partial)
    if isinstance(condition, Between) and _partition(condition.end, schema) != partition:
        raise EncodingError(f"{condition!r}: the two keys are of different partitions")
    low, high = _BOUNDS[type(condition)](condition, schema, schema.sort, partial)
    return _inside_prefix(partition, schema.sort, low, high)


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
    if not partial.whole or partial.wire is None:
        raise IncompleteKey(f"{key!r} lacks {' and '.join(partial.missing)}; a query needs the partition key")
    schema.check_size(schema.partition, partial.wire)
    return partial.wire


def _sort(key: Any, schema: KeySchema, sort: KeyAttribute) -> Partial:
    partial = schema.partial(key, sort)
    if partial.wire is not None and (sort.tag != "S" or partial.wire["S"]):
        schema.check_size(sort, partial.wire)
    return partial


def _begins_with(partition: WireValue, sort: KeyAttribute, partial: Partial) -> KeyRange:
    if partial.wire is None or partial.wire == {"S": ""}:
        return KeyRange(partition)
    open_end = sort.tag == "B" or (isinstance(sort, TextKey) and sort.parts[-1].partial and not sort.constant)
    if partial.whole and not open_end:
        return KeyRange(partition, equal=partial.wire)
    return KeyRange(partition, prefix=partial.wire)


_NOTHING = Bound({"S": ""}, inclusive=False)
"""As the greatest key: no key at all."""

_Ends = tuple[Bound | None, Bound | None]


def _less_than(condition: Any, schema: KeySchema, sort: KeyAttribute, partial: Partial) -> _Ends:
    return None, _NOTHING if partial.wire is None else Bound(partial.wire, inclusive=False)


def _at_most(condition: Any, schema: KeySchema, sort: KeyAttribute, partial: Partial) -> _Ends:
    return None, _end(partial)


def _greater_than(condition: Any, schema: KeySchema, sort: KeyAttribute, partial: Partial) -> _Ends:
    if partial.whole and partial.wire is not None:
        return Bound(partial.wire, inclusive=False), None
    bound = None if partial.wire is None else key_order_bound(partial.wire["S"])
    if bound is None:
        return None, _NOTHING
    return Bound({"S": bound}, inclusive=True), None


def _at_least(condition: Any, schema: KeySchema, sort: KeyAttribute, partial: Partial) -> _Ends:
    return None if partial.wire is None else Bound(partial.wire, inclusive=True), None


def _between(condition: Any, schema: KeySchema, sort: KeyAttribute, partial: Partial) -> _Ends:
    return _at_least(condition, schema, sort, partial)[0], _end(_sort(condition.end, schema, sort))


def _end(partial: Partial) -> Bound | None:
    """The greatest key: a whole one itself, of a partial one the last that begins with it."""
    if partial.wire is None:
        return None
    if partial.whole:
        return Bound(partial.wire, inclusive=True)
    bound = key_order_bound(partial.wire["S"])
    return None if bound is None else Bound({"S": bound}, inclusive=False)


_BOUNDS: dict[type, Callable[[Any, KeySchema, KeyAttribute, Partial], _Ends]] = {
    LessThan: _less_than,
    AtMost: _at_most,
    GreaterThan: _greater_than,
    AtLeast: _at_least,
    Between: _between,
}


def _inside_prefix(partition: WireValue, sort: KeyAttribute, low: Bound | None, high: Bound | None) -> KeyRange:
    """Close the open ends of a range with those of the type's prefix; empty ends, which DynamoDB refuses, stay open."""
    if sort.prefix:
        low = low or Bound({"S": sort.prefix}, inclusive=True)
        end = _end(Partial({"S": sort.prefix}, whole=sort.constant))
        high = high or end
        if low == Bound({"S": sort.prefix}, inclusive=True) and high == end and not sort.constant:
            return KeyRange(partition, prefix={"S": sort.prefix})
    if low is not None and low.wire == {"S": ""}:
        low = None
    return KeyRange(partition, low=low, high=high)
