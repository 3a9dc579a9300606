"""The laws of generated encoding: it writes what the codecs write, and refuses what they refuse, in their words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from logicaldb.codec.limits import item_size
from logicaldb.codec.values import WireValue
from logicaldb.codec.writing import most_bytes
from logicaldb.errors import EncodingError
from logicaldb.items import Item
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.stored import StoredField
from logicaldb.schema.texts import compile_row
from logicaldb.testing.strategies import items as declared
from tests.properties.test_declared_items import FIELDS, Db
from tests.properties.test_values import anything, codecs_of, encoded, items
from tests.unit.schema.test_texts import NUMBERED, TEXTS, THINGS

SCHEMAS: list[ItemSchema] = [
    *(schema for table, _ in Db.__logicaldb_tables__.values() for schema in table.__logicaldb_table__.schema.items),
    NUMBERED,
    TEXTS,
    THINGS,
]


@given(items())
def test_values_of_all_types_are_written_as_their_codecs_write_them(made: tuple[type[BaseModel], BaseModel]) -> None:
    model, item = made
    stored = {name: StoredField(name, codec) for name, codec in codecs_of(model).items()}
    write = compile_row("Item", stored, ())
    try:
        _, wires, row = write(item.__dict__)
    except Exception:  # noqa: BLE001 - then the codecs write it
        return
    expected: dict[str, WireValue] = encoded(model, item)
    assert json.loads(row) == expected
    assert [None if wire is None else json.loads(wire) for wire in wires] == [expected.get(name) for name in stored]


def outcome(encode: Any) -> Any:
    try:
        return encode()
    except (EncodingError, TypeError, ValueError, KeyError, AttributeError) as error:
        return type(error), str(error)


def check(schema: ItemSchema, item: Any) -> None:
    """Compare both roads."""
    slow = outcome(lambda: schema.encode(item))
    fast = outcome(lambda: schema.text(item))
    if isinstance(slow, tuple):
        assert fast == slow
        return
    key, wires, row = fast
    assert json.loads(row) == slow
    assert key == {name: slow[name] for name in schema.raw.keys}
    assert [None if wire is None else json.loads(wire) for wire in wires] == list(schema.encode_all(item).values())
    assert item_size(slow) <= most_bytes(row)


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.name)
@given(st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
def test_declared_items(schema: ItemSchema, data: st.DataObject) -> None:
    item_type: Any = schema.item_type
    item: Item = data.draw(declared(item_type, **FIELDS.get(item_type, {})))
    check(schema, item)
    # What no validator has seen may be anything.
    name = data.draw(st.sampled_from(sorted(item_type.model_fields)))
    check(schema, item.model_copy(update={name: data.draw(anything)}))
