"""The laws of reading: the fast road gives what the slow road gives, and refuses what it refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from logicaldb import Attribute, Item, PartitionKey, RawItem, SortKey
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.schema.items import ItemSchema
from tests.properties.test_values import Kind, kinds, names, texts
from tests.unit.codec.support import assert_same

FORMS = ("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS")
# Texts that the one or the other reads as a number, a time or a bool, though DynamoDB never has them so.
TEXTS = (
    "", " 12 ", "1_000", "+5", "007", "-0", "0.0", "1.0", "1.50", "1.5", "1E+2", "1e400", "NaN", "Infinity", "٣", "9" * 39,
    "9" * 200, "0." + "1" * 60, "true", "True", "1", "0", "-1", "1700000000", "2026-11-22", "2026-11-22T03:04:05Z",
    "2026-11-22T03:04:05.678901Z", "2026-11-22T03:04:05.678901+01:00", "2026-11-22 03:04:05.678901Z", "20261122",
    "2026-02-30", "0000-01-01", "03:04:05.678901", "03:04:05", "P1D", "12345678123456781234567812345678",
    "12345678-1234-5678-1234-567812345678", "12345678-1234-5678-1234-56781234567A", "eA==", "eA", "red", "a", "\ud800",
    "A#x", "A#", "B#0001", "B#1", "B#00001", "B#\u0660\u0660\u0660\u0661", "b#0001", "Mixed", " spaced ",
)  # fmt: skip
hostile = st.one_of(
    st.sampled_from(TEXTS),
    st.none(),
    st.booleans(),
    st.integers(-2, 2),
    st.floats(),
    texts,
    st.just(b"x"),
    st.just(86400),
)
wires: st.SearchStrategy[Any] = st.recursive(
    st.builds(lambda form, held: {form: held}, st.sampled_from((*FORMS, "X")), hostile),
    lambda inner: st.one_of(
        st.builds(lambda held: {"L": held}, st.lists(inner, max_size=2)),
        st.builds(lambda held: {"M": held}, st.dictionaries(st.sampled_from("abv"), inner, max_size=2)),
        st.builds(lambda form, held: {form: held}, st.sampled_from(["SS", "NS", "BS"]), st.lists(hostile, max_size=2)),
    ),
    max_leaves=4,
)


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


def schema_of(item_type: Any) -> ItemSchema:
    return ItemSchema(declaration_of(item_type, {}), raw_declaration_of(Row, {}))


def assert_same_item(left: Any, right: Any) -> None:
    if "nan" not in repr(right):  # which no codec writes, and which is equal to nothing
        assert_same(left, right)
    # Decimal exponents, signs of zeros, classes of time zones; sets have no order.
    assert sorted(repr(left)) == sorted(repr(right))
    assert_same_inside(left, right)


def assert_same_inside(left: Any, right: Any) -> None:
    """What pydantic keeps of models beside their values."""
    if isinstance(left, BaseModel):
        assert left.model_fields_set == right.model_fields_set
        assert left.__pydantic_extra__ == right.__pydantic_extra__
        assert left.__pydantic_private__ == right.__pydantic_private__
        left, right = dict(left), dict(right)
    if isinstance(left, Mapping):
        left, right = list(left.values()), list(right.values())
    if isinstance(left, (list, tuple)):
        for mine, other in zip(left, right, strict=True):
            assert_same_inside(mine, other)


def check(schema: ItemSchema, row: Any) -> None:
    """Compare the roads, those that read JSON text too."""
    found: Any = None
    refused = False
    try:
        found = schema.decode_slowly(row)
    except Exception:  # noqa: BLE001 - validators raise what they like
        refused = True
    reader = schema.reader
    fast = attempt(reader.row, row)
    if fast is not None:
        assert not refused
        assert_same_item(fast, found)
    if not refused:
        assert_same_item(schema.decode(row), found)
    if not isinstance(row, dict) or not all(is_wire(wire) for wire in row.values()):
        return
    text = json.dumps({"Items": [row], "Item": row}).encode()
    page, item = attempt(reader.page, text), attempt(reader.item, text)
    assert (page is None) == (item is None)
    if page is not None and item is not None:
        assert not refused
        assert_same_item(page["Items"][0], found)
        assert_same_item(item["Item"], found)


def is_wire(wire: Any) -> bool:
    """Whether the service may send a value: answers are read in the belief that it holds to its own format."""
    if not (isinstance(wire, dict) and len(wire) == 1):
        return False
    ((form, held),) = wire.items()
    if form in ("S", "N", "B"):
        return isinstance(held, str)
    if form in ("SS", "NS", "BS"):
        return isinstance(held, list) and all(isinstance(each, str) for each in held)
    if form == "L":
        return isinstance(held, list) and all(map(is_wire, held))
    if form == "M":
        return isinstance(held, dict) and all(map(is_wire, held.values()))
    return held is True or (form == "BOOL" and held is False)


def attempt(read: Any, what: Any) -> Any:
    if read is None:
        return None
    try:
        return read(what)
    except Exception:  # noqa: BLE001 - whatever it is, the slow road decides
        return None


@st.composite
def declared(draw: st.DrawFn) -> tuple[ItemSchema, Any]:
    """An item type with up to three fields of any types, and an item of it."""
    drawn = draw(st.dictionaries(names, kinds, min_size=1, max_size=3))
    return draw(declared_of(drawn))


@st.composite
def declared_of(draw: st.DrawFn, fields: Mapping[str, Kind]) -> tuple[ItemSchema, Any]:
    annotations: dict[str, Any] = {"key": Annotated[str, Attribute("pk", prefix="A#")]}
    annotations["order"] = Annotated[int, Attribute("sk", prefix="B#", width=4)]
    namespace: dict[str, Any] = {"__module__": __name__}
    values: dict[str, Any] = {"key": draw(texts.filter(bool)), "order": draw(st.integers(0, 9999))}
    for name, kind in fields.items():
        values[f"{name}_"] = draw(kind.in_fields)
        annotations[f"{name}_"] = kind.annotation
        default = draw(st.sampled_from([..., None, "drawn"]))
        if default == "drawn":
            default = draw(kind.in_fields)
        if default is not ...:
            namespace[f"{name}_"] = default
    namespace["__annotations__"] = annotations
    namespace["model_config"] = ConfigDict(strict=draw(st.booleans()))
    make: Any = type(Item)
    item_type = make("Drawn", (Item,), namespace)
    return schema_of(item_type), item_type(**values)


quickly = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@quickly
@given(declared())
def test_an_item_is_read_as_by_the_slow_road(made: tuple[ItemSchema, Any]) -> None:
    schema, item = made
    row = schema.encode(item)
    check(schema, row)
    assert schema.decode(row) == item


@quickly
@given(declared(), st.data())
def test_a_row_that_was_tampered_with(made: tuple[ItemSchema, Any], data: st.DataObject) -> None:
    schema, item = made
    row = json.loads(json.dumps(schema.encode(item)))
    for _ in range(data.draw(st.integers(1, 3))):
        tamper(data, row)
    check(schema, row)


def tamper(data: st.DataObject, row: dict[str, Any]) -> None:
    """Change something somewhere in a row."""
    places = list(places_in(row))
    if not places:
        return
    holder, key = data.draw(st.sampled_from(places))
    if isinstance(holder, dict) and key in FORMS and len(holder) == 1 and data.draw(st.booleans()):
        held = holder.pop(key)
        holder[data.draw(st.sampled_from(FORMS))] = held
    elif isinstance(holder, dict) and data.draw(st.booleans()):
        del holder[key]
    elif isinstance(holder, dict) and key in FORMS and len(holder) == 1:
        holder[key] = data.draw(hostile)
    else:
        holder[key] = data.draw(wires)


def places_in(value: Any) -> Any:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from places_in(inner)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield value, number
            yield from places_in(inner)
