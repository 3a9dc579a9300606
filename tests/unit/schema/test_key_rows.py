"""Keys become rows by the fast road as by the slow one, or are left to it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import pytest

from logicaldb import Attribute, Item, ItemKey, PartitionKey, RawItem, SortKey
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.keys import KeySchema, bind_key


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Numbered(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[int, SortKey()]


class Track(Item):
    album: Annotated[str, Attribute("pk", prefix="ALBUM#")]
    number: Annotated[int, Attribute("sk", prefix="TRACK#", width=4)]

    class Key(ItemKey["Track"]):
        album: str
        number: int | None = None


class Bare(Item):
    pk: str
    sk: int

    class Key(ItemKey["Bare"]):
        pk: str
        sk: int | None = None


class Dated(Item):
    pk: str
    sk: date

    class Key(ItemKey["Dated"]):
        pk: str
        sk: date | None = None


class Text(str):
    """A text of the user's."""

    __slots__ = ()


def schema_of(item_type: Any, raw: type[RawItem]) -> KeySchema:
    item = ItemSchema(declaration_of(item_type, {}), raw_declaration_of(raw, {}))
    return bind_key(item.declaration.keys[item_type.Key], item)


KEYS: list[tuple[KeySchema, Any, bool]] = [
    (schema_of(Track, Row), Track.Key("a", 7), True),
    (schema_of(Track, Row), Track.Key("", 0), True),
    (schema_of(Track, Row), Track.Key("a", 9999), True),
    (schema_of(Track, Row), Track.Key("a", 10000), False),
    (schema_of(Track, Row), Track.Key("a", -1), False),
    (schema_of(Track, Row), Track.Key("a"), False),
    (schema_of(Track, Row), Track.Key("\u00fc", 1), False),
    (schema_of(Track, Row), Track.Key("\ud800", 1), False),
    (schema_of(Track, Row), Track.Key.model_construct(album=Text("a"), number=1), False),
    (schema_of(Track, Row), Track.Key.model_construct(album="a", number=True), False),
    (schema_of(Track, Row), Track.Key("x" * (2048 - 6), 1), True),
    (schema_of(Track, Row), Track.Key("x" * (2048 - 5), 1), False),
    (schema_of(Bare, Numbered), Bare.Key("a", -5), True),
    (schema_of(Bare, Numbered), Bare.Key("", 5), False),
    (schema_of(Bare, Numbered), Bare.Key("a", 10**38), False),
    (schema_of(Bare, Numbered), Bare.Key("a", 10**38 - 1), True),
    (schema_of(Dated, Row), Dated.Key("a", date(2026, 11, 22)), False),
]


@pytest.mark.parametrize(("schema", "key", "fast"), KEYS)
def test_the_fast_road_writes_what_the_slow_one_writes(schema: KeySchema, key: Any, fast: bool) -> None:
    found = schema._write(key.__dict__)
    assert (found is not None) == fast
    slowly, other = outcome(lambda: schema._whole(key, schema.item.primary)), outcome(lambda: schema.primary(key))
    assert (type(slowly), str(slowly)) == (type(other), str(other))
    assert found in (slowly, None)


def outcome(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is compared
        return error


def test_a_key_of_another_type() -> None:
    with pytest.raises(TypeError, match=r"^Bare\.Key is not Track\.Key, the key type that is used here$"):
        KEYS[0][0].primary(Bare.Key("a", 1))
