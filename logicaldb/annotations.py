"""What goes into ``Annotated[...]`` to say how a field is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

Projection: TypeAlias = Literal["ALL", "KEYS_ONLY"] | Sequence[str]
"""What an index holds beside the keys: everything, nothing, or the named attributes."""


@dataclass(frozen=True, slots=True)
class PartitionKey:
    """The partition key of the table, or of the index named by ``index``.

    Attributes:
        index: the name of a global secondary index; ``None`` for the table itself.
        projection: ``"ALL"`` (what ``None`` means), ``"KEYS_ONLY"``, or the names of attributes to project beside the keys.
    """

    index: str | None = None
    projection: Projection | None = None


@dataclass(frozen=True, slots=True)
class SortKey:
    """The sort key of the table, or of the index named by ``index``.

    An index that has a sort key and no ``PartitionKey`` of its own is a local one.

    Attributes:
        index: the name of a secondary index; ``None`` for the table itself.
        projection: ``"ALL"`` (what ``None`` means), ``"KEYS_ONLY"``, or the names of attributes to project beside the keys.
    """

    index: str | None = None
    projection: Projection | None = None


@dataclass(frozen=True, slots=True)
class Attribute:
    """How a field of an item maps to the attributes of its row.

    Several fields that name one key attribute form a composite key: they are joined in the order of declaration, each
    with its own prefix.

    Attributes:
        name: the attribute, where it is not named like the field.
        names: several attributes that all hold the value; it is read from the first.
        prefix: text before the value; from the second part of a composite key on it is the separator.
        width: the number of digits of an ``int`` in a string key, padded with zeros, so that its order is kept.
    """

    name: str | None = None
    _: KW_ONLY
    names: Sequence[str] = ()
    prefix: str = ""
    width: int | None = None


@dataclass(frozen=True, slots=True)
class TableName:
    """The name of the physical table of a ``LogicalDb`` attribute: ``Annotated[MusicTable, TableName("music_items")]``."""

    name: str


@dataclass(frozen=True, slots=True)
class Version:
    """The field is the version of the item: an ``int``, 0 while it is not stored."""


@dataclass(frozen=True, slots=True)
class Counter:
    """The field is a number that belongs to the database and changes by atomic additions.

    Attributes:
        initial: the count of an item that has none yet.
        minimum: the least count, inclusive.
        maximum: the greatest count, inclusive.
    """

    initial: int | Decimal = 0
    minimum: int | Decimal | None = None
    maximum: int | Decimal | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Hold the bounds when an item is made; of a type that no counter has, the declaration is refused later."""
        bounds = (bound for bound in (self.minimum, self.maximum) if bound is not None)
        if source is Decimal or (source is int and all(isinstance(bound, int) for bound in bounds)):
            source = Annotated[source, Field(ge=self.minimum, le=self.maximum)]
        return handler(source)


@dataclass(frozen=True, slots=True)
class CreatedAt:
    """The field is when the item was first written, set by the mapper and never changed again."""


@dataclass(frozen=True, slots=True)
class UpdatedAt:
    """The field is when the item was last written, set by the mapper."""


@dataclass(frozen=True, slots=True)
class TimeToLive:
    """The field is when DynamoDB may delete the item, stored as whole epoch seconds."""
