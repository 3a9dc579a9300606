"""Items and keys are pydantic models, and work as such."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, ClassVar, Generic, Literal, NewType, TypeVar

import pytest
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    TypeAdapter,
    ValidationError,
    computed_field,
    create_model,
    field_validator,
    model_validator,
)

from logicaldb import (
    Attribute,
    Counter,
    DeclarationError,
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
    Version,
)
from logicaldb.paths import Path
from tests.unit.schema.support import declared, refusal

T = TypeVar("T")
TrackNumber = NewType("TrackNumber", int)


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    label: Annotated[str | None, PartitionKey(index="by_label")] = None


class Track(Item):
    token: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="TRACK_", width=3)]
    title: str = Field(default="?", max_length=10)
    tags: list[str] = []
    label: str | None = None

    class Key(ItemKey["Track"]):
        token: str
        number: int | None = None

    class ByLabel(IndexKey["Track"], index="by_label"):
        label: str
        token: str | None = None


class Single(Track):
    side: Literal["A", "B"]

    class Key(ItemKey["Single"]):
        token: str
        number: int | None = None


class Table(LogicalTable[Row]):
    tracks: InlineView[Track.Key, Track]
    by_label: SecondaryIndex[Track.ByLabel, Track]


TRACK = Track(token="T", number=1, title="One", tags=["x"])


def encode(item: Item, table: Any = Table) -> dict[str, Any]:
    """The row of an item."""
    row: dict[str, Any] = codec_of(type(item), table).encode(item)
    return row


def codec_of(item_type: type[Item], table: Any = Table) -> Any:
    return next(item for item in table.__logicaldb_table__.schema.items if item.item_type is item_type)


# Items are models


def test_items_are_frozen() -> None:
    with pytest.raises(ValidationError) as error:
        TRACK.title = "Two"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    assert [found["type"] for found in error.value.errors()] == ["frozen_instance"]
    assert hash(Track(token="T", number=1, tags=[])) if False else True


def test_items_forbid_what_is_not_declared() -> None:
    with pytest.raises(ValidationError) as error:
        Track(token="T", number=1, titel="One")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert [(found["loc"], found["type"]) for found in error.value.errors()] == [(("titel",), "extra_forbidden")]
