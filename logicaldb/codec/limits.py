"""DynamoDB's limits, and the size of values and items as the service counts it.

The numbers are those of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html, the sizes
follow https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from logicaldb.codec.values import WireValue

MAX_ITEM_BYTES: Final = 400 * 1024
"""The size of an item, names and values (Constraints, "Item size"); entries of local indexes count with it."""

MAX_PARTITION_KEY_BYTES: Final = 2048
"""The size of a partition key value, of a table or an index (Constraints, "Partition key length")."""

MAX_SORT_KEY_BYTES: Final = 1024
"""The size of a sort key value, of a table or an index (Constraints, "Sort key length")."""

MAX_DEPTH: Final = 32
"""How many levels deep an attribute may be nested (Constraints, "Nested attribute depth"). The attribute itself is the
first level: 31 lists and maps within one another are stored, 32 are refused, even if the innermost is empty."""

MAX_TRANSACTION_BYTES: Final = 4 * 1024 * 1024
"""The size of all items of a transaction together (API reference, ``TransactWriteItems``)."""

MAX_TRANSACTION_OPERATIONS: Final = 100
"""How many operations a transaction holds (API reference, ``TransactWriteItems`` and ``TransactGetItems``)."""

MAX_BATCH_WRITES: Final = 25
"""How many puts and deletes a batch holds (API reference, ``BatchWriteItem``)."""

MAX_BATCH_KEYS: Final = 100
"""How many keys a batch of reads holds (API reference, ``BatchGetItem``)."""

MAX_EXPRESSION_BYTES: Final = 4096
"""The length of an expression (Constraints, "Expression parameters")."""

MAX_OPERATORS: Final = 300
"""How many operators and functions an expression has (Constraints, "Expression parameters")."""

MAX_SUBSTITUTED_BYTES: Final = 2 * 1024 * 1024
"""The names and values of the expressions of a request together (Constraints, "Expression parameters")."""

MAX_NAME_BYTES: Final = 64 * 1024 - 1
"""The length of the name of an attribute, and of a key of a map (Constraints, "Attribute names")."""

_BYTE = 1
_CONTAINER_BYTES = 3
_ELEMENT_BYTES = 1
_LONGEST_NUMBER_BYTES = 21


def item_size(row: Mapping[str, WireValue]) -> int:
    """The bytes of an item: the names of its attributes and their values."""
    return sum(_text_size(name) + value_size(wire) for name, wire in row.items())


def value_size(wire: WireValue) -> int:
    """The bytes of a value, without the name of its attribute.

    A list or map has three bytes of its own and one for each element. A number has one, one for each pair of digits as
    they lie about the decimal point, without zeros before and after, and one more if it is negative; never more than 21.
    """
    ((form, held),) = wire.items()
    return _SIZES[form](held)


def depth_of(wire: WireValue) -> int:
    """How many levels deep a value is nested, itself included; counted without recursion."""
    depth = 0
    level: list[Any] = [wire]
    while level:
        depth += 1
        inner: list[Any] = []
        for value in level:
            ((form, held),) = value.items()
            if form == "L":
                inner.extend(held or ({"NULL": True},))
            elif form == "M":
                inner.extend(held.values() or ({"NULL": True},))
        level = inner
    return depth


def _text_size(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _binary_size(text: str) -> int:
    return len(text) // 4 * 3 - text[-2:].count("=")


def _number_size(text: str) -> int:
    mantissa, _, exponent = text.upper().partition("E")
    whole, _, fraction = mantissa.lstrip("+-").partition(".")
    digits = (whole + fraction).lstrip("0")
    significant = digits.rstrip("0")
    if not significant:
        return _BYTE
    shift = int(exponent or 0) - len(fraction) + len(digits) - len(significant)
    pairs = (len(significant) + shift % 2 + 1) // 2
    return min(_BYTE + pairs + mantissa.startswith("-"), _LONGEST_NUMBER_BYTES)


def _list_size(elements: Sequence[WireValue]) -> int:
    return _CONTAINER_BYTES + sum(_ELEMENT_BYTES + value_size(element) for element in elements)


def _map_size(elements: Mapping[str, WireValue]) -> int:
    return _CONTAINER_BYTES + _ELEMENT_BYTES * len(elements) + item_size(elements)


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": _binary_size,
    "BOOL": lambda _: _BYTE,
    "NULL": lambda _: _BYTE,
    "L": _list_size,
    "M": _map_size,
    "SS": lambda held: sum(map(_text_size, held)),
    "NS": lambda held: sum(map(_number_size, held)),
    "BS": lambda held: sum(map(_binary_size, held)),
}
