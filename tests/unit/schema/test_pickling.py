"""Schemas go to other processes as the classes that they are made of."""

from __future__ import annotations

import pickle
from typing import Annotated, Any

import pytest

from examples.music.models import AlbumTrack, MusicTable
from logicaldb import Attribute, Item, ItemKey, PartitionKey, RawItem
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.keys import bind_key

VIEWS = MusicTable.__logicaldb_table__.views


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]


class Loner(Item):
    """In no table."""

    token: Annotated[str, Attribute("pk", prefix="L#")]

    class Key(ItemKey["Loner"]):
        token: str


@pytest.mark.parametrize("name", VIEWS)
def test_the_schemas_of_a_view(name: str) -> None:
    view = VIEWS[name]
    for item in view.items:
        assert pickle.loads(pickle.dumps(item)) is item
    again = pickle.loads(pickle.dumps(view.key))
    assert again == view.key
    assert again.index == view.index


def test_a_type_whose_table_the_other_process_has_not_made() -> None:
    """Here there is none at all."""
    item = ItemSchema(declaration_of(Loner, {}), raw_declaration_of(Row, {}))
    again = pickle.loads(pickle.dumps(item))
    assert again is pickle.loads(pickle.dumps(item))
    loner = Loner(token="a")
    assert again.decode(item.encode(loner)) == loner
    key: Any = pickle.loads(pickle.dumps(bind_key(item.declaration.keys[Loner.Key], item)))
    assert key.primary(Loner.Key("a")) == {"pk": {"S": "L#a"}}


def test_what_reads_rows_goes_with_its_schema() -> None:
    decode = VIEWS["album_tracks"].items[0].decode
    assert pickle.loads(pickle.dumps(decode)) == decode
    assert AlbumTrack in {item.item_type for item in MusicTable.__logicaldb_table__.schema.items}
