from __future__ import annotations

import copy
import pickle
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import ConfigDict, Field, PrivateAttr, ValidationError, field_validator

from logicaldb import Attribute, IncompleteKey, Item, ItemKey
from logicaldb.items import KeyBase, primary_key_of
from logicaldb.schema.plain import made_of, plain_types


class Thing(Item):
    name: str
    count: Annotated[int, Attribute("n")]
    data: bytes = b""
    on: date = date(2026, 11, 22)
    token: UUID = UUID(int=1)
    price: Decimal = Decimal(0)
    at: datetime | None = None

    class Key(ItemKey["Thing"]):
        name: str
        count: int
        data: bytes
        on: date
        token: UUID | None = None

    class Checked(ItemKey["Thing"]):
        name: Annotated[str, Field(min_length=2)]
        price: Decimal
        count: int | None = None

    class Lower(ItemKey["Thing"]):
        name: str

        @field_validator("name")
        @classmethod
        def _lower(cls, name: str) -> str:
            return name.lower()

    class Stripped(ItemKey["Thing"]):
        model_config = ConfigDict(str_strip_whitespace=True)
        name: str

    class Counting(ItemKey["Thing"]):
        name: str
        _made: int = PrivateAttr(default=0)

        def model_post_init(self, context: Any) -> None:
            super().model_post_init(context)
            object.__getattribute__(self, "__pydantic_private__")["_made"] = 1


def test_which_classes_are_taken_as_they_are() -> None:
    assert plain_types(Thing.Key, KeyBase) == {"name": str, "count": int, "data": bytes, "on": date, "token": UUID}
    assert plain_types(Thing.Checked, KeyBase) == {"name": None, "price": None, "count": int}
    assert plain_types(Thing.Lower, KeyBase) == {"name": None}
    assert plain_types(Thing.Stripped, KeyBase) == {"name": None}
    assert plain_types(Thing.Counting, KeyBase) == {"name": None}
    assert plain_types(Thing.Key, KeyBase) is plain_types(Thing.Key, KeyBase)


def test_a_key_of_an_item_is_as_one_that_was_validated() -> None:
    item = Thing(name="a", count=1)
    key = Thing.Key.of(item)
    made = Thing.Key("a", 1, b"", date(2026, 11, 22), UUID(int=1))
    assert key == made == primary_key_of(item)
    assert hash(key) == hash(made)
    assert repr(key) == repr(made)
    assert key.model_fields_set == made.model_fields_set
    assert key.model_extra is None
    assert pickle.loads(pickle.dumps(key)) == copy.deepcopy(key) == key.model_copy() == made
    with pytest.raises(ValidationError, match="frozen"):
        key.name = "b"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


class Name(str):
    __slots__ = ()


def test_other_classes_are_validated() -> None:
    key = Thing.Key.of(Thing(name="a", count=1).model_copy(update={"name": Name("b"), "on": datetime(2026, 1, 2)}))  # noqa: DTZ001
    assert (type(key.name), key.on) == (str, date(2026, 1, 2))
    with pytest.raises(ValidationError, match="valid string"):
        Thing.Key.of(Thing(name="a", count=1).model_copy(update={"name": 1}))


def test_what_a_key_asks_for_is_asked() -> None:
    item = Thing(name="A ", count=1)
    assert Thing.Lower.of(item) == Thing.Lower("A ")
    assert Thing.Lower.of(item).name == "a "
    assert Thing.Stripped.of(item).name == "A"
    assert Thing.Counting.of(item)._made == 1
    assert Thing.Checked.of(item) == Thing.Checked("A ", Decimal(0), 1)
    with pytest.raises(ValidationError, match="at least 2"):
        Thing.Checked.of(Thing(name="a", count=1))


def test_a_part_that_is_none() -> None:
    with pytest.raises(IncompleteKey, match=r"^Thing.Key: token of the item is None, so it has no such key$"):
        Thing.Key.of(Thing(name="a", count=1).model_copy(update={"token": None}))


def test_made_of_values() -> None:
    key = made_of(Thing.Lower, {"name": "A"})
    assert (key.name, key.model_fields_set) == ("A", {"name"})
