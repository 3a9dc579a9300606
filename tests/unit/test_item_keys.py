"""Keys are frozen, hashable pydantic models that take positional arguments."""

# Subclasses declare keys of their own.
# pyright: reportIncompatibleVariableOverride=false

from __future__ import annotations

import copy
import pickle
from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from logicaldb import (
    Attribute,
    IncompleteKey,
    IndexKey,
    InlineView,
    Item,
    ItemKey,
    LogicalTable,
    PartitionKey,
    RawItem,
    SecondaryIndex,
    SortKey,
)
from logicaldb.items import primary_key_of
from tests.unit.schema.support import declared


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    label: Annotated[str | None, PartitionKey(index="by_label")] = None


class Order(Item):
    token: Annotated[str, Attribute("pk")]
    kind: Annotated[Literal["order"], Attribute("sk")] = "order"
    day: Annotated[date, Attribute("sk", prefix="#")]
    number: Annotated[int, Attribute("sk", prefix="#", width=3)]
    label: str | None = None

    class Key(ItemKey["Order"]):
        token: str
        day: date | None = None
        number: int | None = None

    class ByLabel(IndexKey["Order"], index="by_label"):
        """With the primary key, for offsets."""

        label: str
        token: str | None = None
        day: date | None = None
        number: int | None = None


class Special(Order):
    class Key(ItemKey["Special"]):
        token: str
        day: date | None = None
        number: int | None = None


class Table(LogicalTable[Row]):
    orders: InlineView[Order.Key, Order]
    by_label: SecondaryIndex[Order.ByLabel, Order]


DAY = date(2026, 1, 2)
ORDER = Order(token="T", day=DAY, number=7)


def key(*args: Any, **values: Any) -> Order.Key:
    return Order.Key(*args, **values)


def errors_of(error: pytest.ExceptionInfo[ValidationError]) -> list[tuple[tuple[int | str, ...], str]]:
    return [(found["loc"], found["type"]) for found in error.value.errors()]


def test_positional_and_named_arguments() -> None:
    expected = Order.Key(token="T", day=DAY, number=7)
    assert Order.Key("T", DAY, 7) == Order.Key("T", DAY, number=7) == key("T", number=7, day=DAY) == expected
    assert (expected.token, expected.day, expected.number) == ("T", DAY, 7)
    assert Order.Key("T") == Order.Key("T", None, None)


def test_values_are_validated() -> None:
    with pytest.raises(ValidationError) as error:
        key("T", "not a day", number="x")
    assert errors_of(error) == [(("day",), "date_from_datetime_parsing"), (("number",), "int_parsing")]
    assert key("T", "2026-01-02", "7") == Order.Key("T", DAY, 7)


def test_missing_and_unknown_names_are_refused() -> None:
    with pytest.raises(ValidationError) as error:
        key(tokne="T")
    assert errors_of(error) == [(("token",), "missing"), (("tokne",), "extra_forbidden")]


def test_too_many_arguments_are_refused() -> None:
    with pytest.raises(TypeError) as error:
        key("T", DAY, 7, 8)
    assert str(error.value) == "Order.Key takes 3 values (token, day, number), but 4 were given"


def test_an_argument_given_twice_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        key("T", token="U")
    assert str(error.value) == "Order.Key got token twice, by position and by name"


def test_keys_are_frozen() -> None:
    with pytest.raises(ValidationError) as error:
        setattr(key("T"), "token", "U")  # noqa: B010 - the checkers know better
    assert errors_of(error) == [(("token",), "frozen_instance")]


def test_equality_and_hash() -> None:
    assert {key("T"), key("T"), key("T", DAY)} == {key("T", DAY), key("T")}
    assert key("T") != key("U")
    others: list[Any] = [Special.Key("T"), ("T", None, None), ORDER]
    assert key("T") not in others


def test_repr() -> None:
    assert repr(key("T", DAY)) == "Order.Key(token='T', day=datetime.date(2026, 1, 2), number=None)"
    assert str(key("T")) == "Order.Key(token='T', day=None, number=None)"
    with declared(
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: str
        """,
        "function, annotations postponed",
    ) as names:
        assert repr(names.Track.Key("x")) == "Track.Key(token='x')"


def test_pickle_and_copies() -> None:
    whole = key("T", DAY, 7)
    assert pickle.loads(pickle.dumps(whole)) == whole
    assert copy.copy(whole) == copy.deepcopy(whole) == whole.model_copy() == whole
    assert pickle.loads(pickle.dumps(Order.Key)) is Order.Key


def test_keys_as_values() -> None:
    class Basket(BaseModel):
        keys: list[Order.Key]

    basket = Basket.model_validate({"keys": [{"token": "T", "day": "2026-01-02"}, key("U")]})
    assert basket.keys == [key("T", DAY), key("U")]
    assert Basket.model_validate_json(basket.model_dump_json()) == basket
    assert TypeAdapter(Order.Key).validate_python({"token": "T"}) == key("T")
    assert Order.Key.model_json_schema()["required"] == ["token"]


def test_the_key_of_an_item() -> None:
    assert Order.Key.of(ORDER) == Order.Key("T", DAY, 7)
    assert Order.Key.of(Special(token="T", day=DAY, number=7)) == Order.Key("T", DAY, 7)
    assert Special.Key.of(Special(token="T", day=DAY, number=7)) == Special.Key("T", DAY, 7)
    assert Order.ByLabel.of(ORDER.replace(label="L")) == Order.ByLabel("L", "T", DAY, 7)


def test_the_key_of_an_item_of_another_type() -> None:
    with pytest.raises(TypeError) as error:
        Special.Key.of(ORDER)
    assert str(error.value) == "Special.Key is a key of Special, not of Order"


def test_a_key_of_no_item_type() -> None:
    class Lonely(ItemKey["Order"]):
        token: str

    with pytest.raises(TypeError) as error:
        Lonely.of(ORDER)
    assert str(error.value) == "Lonely is a key of no item type yet, not of Order"


def test_an_item_that_is_not_in_the_index_has_no_key_of_it() -> None:
    with pytest.raises(IncompleteKey) as error:
        Order.ByLabel.of(ORDER)
    assert str(error.value) == "Order.ByLabel: label of the item is None, so it has no such key"


def test_the_item_type_itself_may_be_named() -> None:
    """As in a key that is declared where the item type is known already."""
    assert ItemKey[Order].item == "Order"  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


class Aliased(Item):
    token: Annotated[str, Attribute("pk"), Field(alias="songToken")]
    sk: Annotated[Literal[""], Attribute(prefix="A_")] = ""

    class Key(ItemKey["Aliased"]):
        token: Annotated[str, Field(alias="songToken")]


def test_aliases_play_no_part() -> None:
    made: Any = Aliased.Key
    assert made("T") == made(token="T")
    assert Aliased.Key.of(Aliased.model_validate({"songToken": "T"})).token == "T"


def test_a_key_of_another_type_as_an_attribute_is_left_alone() -> None:
    with declared(
        """
        class Track(Item):
            token: Annotated[str, Attribute("pk")]

            class Key(ItemKey["Track"]):
                token: str

        class Playlist(Item):
            token: Annotated[str, Attribute("pk")]
            TrackKey: ClassVar = Track.Key

            class Key(ItemKey["Playlist"]):
                token: str
        """
    ) as names:
        assert list(names.Playlist.__logicaldb_declaration__.keys) == [names.Playlist.Key]
        assert names.Track.Key.__logicaldb_item__ is names.Track


def test_a_union_with_a_named_key_can_be_evaluated() -> None:
    item_key: Any = ItemKey
    index_key: Any = IndexKey
    assert (item_key["Track"] | None) == (item_key | None)
    assert (None | item_key["Track"]) == (None | item_key)
    assert (item_key["Track"] | index_key["Track"]) == (item_key | index_key)


class Labelled(Item):
    token: Annotated[str, Attribute("pk")]
    kind: Annotated[Literal["labelled"], Attribute("sk")] = "labelled"
    label: str | None = None

    class ByLabel(IndexKey["Labelled"], index="by_label"):
        label: str

    class Key(ItemKey["Labelled"]):
        token: str


class LabelledTable(LogicalTable[Row]):
    labelled: InlineView[Labelled.Key, Labelled]


def test_the_primary_key_is_found_behind_the_key_of_an_index() -> None:
    assert primary_key_of(Labelled(token="a", label="x")) == Labelled.Key("a")
