"""The laws of a declared table, as one call in a test.

Needs ``pip install "logicaldb[testing]"``.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Final, TypeVar

from logicaldb.codec.keys import FieldRefused, KeyAttribute, TextKey
from logicaldb.codec.values import WireValue
from logicaldb.errors import DecodingError, IncompleteKey
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.keys import KeySchema, bind_key
from logicaldb.schema.tables import TableSchema
from logicaldb.table import LogicalTable
from logicaldb.testing.drawing import HealthCheck, Phase, given, settings, st
from logicaldb.testing.strategies import items, key_attributes, keys, made_key

__all__ = ["check_table"]

T = TypeVar("T")
Pair = tuple[Any, Any]

_SLOW: Final = (HealthCheck.too_slow, HealthCheck.data_too_large)


def check_table(table_type: type[LogicalTable[Any, Any]], *, max_examples: int = 100) -> None:
    """Check the laws of a table with items and keys that hypothesis draws; nothing is sent anywhere.

    - Every item reads back from its row as it was, and as an item of no other type.
    - No key of one type, however much of it is left out, matches the rows of another in a query.
    - Every key reads back from its row, and two different keys are never stored as one.
    - The stored sort keys have the order of their values, part by part; before a separator, a text that is the
      beginning of the other has no place of its own.

    Args:
        table_type: the table.
        max_examples: how many items of each type, and pairs of keys of each key type, are drawn.

    Raises:
        AssertionError: a law is broken; it names the type, the field, and the values.
        TypeError: nothing is known of the values of a field.
    """
    if not (isinstance(table_type, type) and issubclass(table_type, LogicalTable) and table_type is not LogicalTable):
        raise TypeError(f"a class derived from LogicalTable is due, not {table_type!r}")
    table = table_type.__logicaldb_table__.schema
    for own in table.items:
        bound = [bind_key(declaration, own) for declaration in own.declaration.keys.values()]
        item_type: Any = own.item_type
        _hold(partial(check_item, table, own, bound), items(item_type), max_examples)
        for key in bound:
            _hold(partial(check_keys, table, key), pairs(key), max_examples)


def _hold(law: Callable[[T], None], drawn: st.SearchStrategy[T], max_examples: int) -> None:
    """Try a law with what is drawn."""

    @settings(
        max_examples=max_examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        print_blob=False,
        suppress_health_check=_SLOW,
    )
    @given(drawn)
    def check(value: T) -> None:
        law(value)

    check()


def pairs(key: KeySchema) -> st.SearchStrategy[Pair]:
    """Two whole keys of a type, which are likely to have fields in common."""
    key_type: Any = key.key_type
    whole = keys(key_type)
    names = list(key.declaration.fields)

    @st.composite
    def drawn(draw: st.DrawFn) -> Pair:
        one, other = draw(whole), draw(whole)
        common = draw(st.sets(st.sampled_from(names), max_size=len(names) - 1))
        return one, made_key(key, {name: (one if name in common else other).__dict__[name] for name in names})

    return drawn()


def check_item(table: TableSchema, own: ItemSchema, bound: list[KeySchema], item: Any) -> None:
    """The laws of one item, its row, and its keys."""
    row = own.encode(item)
    _check_readers(table, own, item, row)
    for other in table.others(own):
        _check_prefix(table, other, item, row)
    _check_comes_back(table, own, item, row)
    for key in bound:
        _check_key_of(table, key, item, row)


def _check_readers(table: TableSchema, own: ItemSchema, item: Any, row: Row) -> None:
    readers = [each.name for each in table.items if all(mark.holds(row) for mark in table.marks(each))]
    if readers != [own.name]:
        read = " and ".join(readers) or "none of its types"
        raise AssertionError(f"{table.name}: the row of {item!r} is read as {read}")


def _check_prefix(table: TableSchema, other: ItemSchema, item: Any, row: Row) -> None:
    """Whether a partial key of another type matches the row, in the partition that it is in."""
    partition, *sort = other.primary
    values = _read(partition, row)
    if values is None:
        return
    for key in sort:
        found = key.partial({})
        begin = None if found.whole or found.wire is None else found.wire["S"]
        if begin is not None and _held(row[key.name]).startswith(begin):
            raise AssertionError(
                f"{table.name}: a key of {other.name} with {_fields(values)} matches the row of {item!r}: "
                f"{key.name} begins with {begin!r}, and is {_held(row[key.name])!r}"
            )


def _read(key: KeyAttribute, row: Row) -> dict[str, Any] | None:
    """The values of a key attribute; ``None`` where a type cannot have written it."""
    try:
        values = key.decode(row[key.name])
        return values if key.encode(values) == row[key.name] else None
    except FieldRefused:
        return None


def _check_comes_back(table: TableSchema, own: ItemSchema, item: Any, row: Row) -> None:
    try:
        found = own.decode(row)
    except DecodingError as error:
        raise AssertionError(f"{table.name}: {item!r} does not come back: {error}") from error
    for name, value in item.__dict__.items():
        read = found.__dict__[name]
        if _is_comparable(value) and read != value:
            stored = {attr: row[attr] for attr in own.declaration.fields[name].attributes if attr in row}
            raise AssertionError(
                f"{table.name}: {own.name}.{name} does not come back: {value!r} is stored as {stored}, "
                f"which is read as {read!r}"
            )


def _check_key_of(table: TableSchema, key: KeySchema, item: Any, row: Row) -> None:
    """Whether the key of an item names its row, and is read from it."""
    of: Any = key.key_type
    try:
        made = of.of(item)
    except IncompleteKey:
        return  # the row is not in the index
    for attribute in key_attributes(key):
        found = key.partial(made, attribute)
        if found.whole and found.wire != row[attribute.name]:
            raise AssertionError(
                f"{table.name}: {made!r} is stored as {attribute.name} {found.wire}, and its item as {row[attribute.name]}"
            )
    read = key.from_row({attribute.name: row[attribute.name] for attribute in key_attributes(key)})
    if read != made:
        shown = "no key" if read is None else repr(read)
        raise AssertionError(f"{table.name}: {made!r} does not come back: its row is that of {shown}")


def check_keys(table: TableSchema, key: KeySchema, pair: Pair) -> None:
    """The laws of two keys of a type."""
    one, other = pair
    stored = [dict(_stored(key, each)) for each in pair]
    if one != other and stored[0] == stored[1]:
        raise AssertionError(f"{table.name}: {one!r} and {other!r} are both stored as {stored[0]}")
    if key.sort is None:
        return
    field = _decisive(key.sort, one.__dict__, other.__dict__)
    if field is None:
        return
    values = one.__dict__[field], other.__dict__[field]
    wires = stored[0][key.sort.name], stored[1][key.sort.name]
    expected = _is_less(*values)
    if expected is not None and expected != (_sorting(wires[0]) < _sorting(wires[1])):
        low, high = (0, 1) if expected else (1, 0)
        raise AssertionError(
            f"{table.name}: {key.name}.{field} is not stored in the order of its values: {values[low]!r} is before "
            f"{values[high]!r}, but {_held(wires[low])!r} is not before {_held(wires[high])!r}"
        )


def _stored(key: KeySchema, value: Any) -> Iterator[tuple[str, WireValue]]:
    for attribute in key_attributes(key):
        wire = key.partial(value, attribute).wire
        if wire is not None:
            yield attribute.name, wire


def _decisive(key: KeyAttribute, one: Mapping[str, Any], other: Mapping[str, Any]) -> str | None:
    """The field that decides the order of two keys; ``None`` where their order is nobody's promise."""
    fields = [field for field in key.fields if field in one]
    field = next((field for field in fields if one[field] != other[field]), None)
    if field is not None and isinstance(key, TextKey):
        part = next(part for part in key.parts if part.field == field)
        texts = part.text(one[field]), part.text(other[field])
        if part.separator and (texts[0].startswith(texts[1]) or texts[1].startswith(texts[0])):
            return None
    return field


def _is_less(one: Any, other: Any) -> bool | None:
    """Whether a value is before another; ``None`` where the type has no order."""
    try:
        return bool(one < other)
    except TypeError:
        return None


def _held(wire: WireValue) -> Any:
    (held,) = wire.values()
    return held


def _sorting(wire: WireValue) -> Any:
    """What DynamoDB sorts by: the bytes of a text, a number, or bytes."""
    ((form, held),) = wire.items()
    if form == "N":
        return Decimal(held)
    return held.encode() if form == "S" else a2b_base64(held)


def _is_comparable(value: Any) -> bool:
    """Whether its class has an equality of its own: other instances are equal to nothing else."""
    return any("__eq__" in vars(kind) for kind in type(value).__mro__[:-1])


def _fields(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())
