"""What a codec of values is, and how it refuses.

A wire value is DynamoDB JSON as it travels over HTTP: ``{"S": "x"}``, ``{"N": "12"}``, ``{"B": "<base64 text>"}``,
``{"BOOL": true}``, ``{"NULL": true}``, ``{"L": [...]}``, ``{"M": {...}}``, ``{"SS": [...]}``, ``{"NS": [...]}``,
``{"BS": ["<base64 text>"]}``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64decode
from decimal import Decimal
from typing import Any, TypeAlias

WireValue: TypeAlias = dict[str, Any]
"""An attribute value: a dict of one entry, its type descriptor and what it holds."""

ALL_FORMS = frozenset(("S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"))
"""The type descriptors of DynamoDB's attribute values."""


def order_of(wire: WireValue) -> Any:
    """What DynamoDB orders two values by that are strings, numbers or binaries."""
    ((form, held),) = wire.items()
    return Decimal(held) if form == "N" else b64decode(held) if form == "B" else held


class Refused(Exception):
    """A value that cannot be stored; the codec of the item turns it into an ``EncodingError``.

    The reason names types and lengths, never the value.

    Attributes:
        reason: what is wrong, to be read after the name of the place: ``is a str, not an int``.
        path: the place below the field: ``""``, ``[2]``, ``.city``, ``['key']``, or several of them.
    """

    def __init__(self, reason: str, path: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = path


class Unsupported(Exception):
    """A type that has no exact stored form, found when its codec is built; ``reason`` says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ValueCodec(ABC):
    """Python values of one type to wire values and back.

    Attributes:
        forms: the type descriptors that it may write at its place in the tree.
        types: the classes of its values.
        depth: how many levels deep its wire values may be nested, themselves included; ``None`` where the type sets
            no bound.
    """

    forms: frozenset[str]
    types: tuple[type, ...] = ()
    depth: int | None = 1

    def accepts(self, value: Any) -> bool:
        """Whether the value is one of this codec's, by its class."""
        return isinstance(value, self.types)

    @abstractmethod
    def encode(self, value: Any) -> WireValue:
        """The wire form of a value.

        Raises:
            Refused: if the value is of another type, or cannot be stored.
        """

    @abstractmethod
    def decode(self, wire: WireValue) -> Any:
        """The value of a wire form that ``encode`` may have written.

        Any other form gives the Python value that it stands for by itself, and pydantic judges it afterwards.
        """


def describe(value: Any) -> str:
    """The type of a value with its article, for messages: ``a str``, ``an int``, ``None``."""
    if value is None:
        return "None"
    return with_article(type(value).__name__)


def with_article(name: str) -> str:
    """``a str``, ``an int``, ``bytes``."""
    if name == "bytes":
        return name
    return f"{'an' if name[0] in 'aeioAEIO' else 'a'} {name}"


def mismatch(value: Any, expected: str) -> Refused:
    """The refusal of a value of another type than declared."""
    return Refused(f"is {describe(value)}, not {expected}")


def deeper(*codecs: ValueCodec) -> int | None:
    """How deep a container is nested whose elements are of these codecs."""
    depth = 1
    for codec in codecs:
        if codec.depth is None:
            return None
        depth = max(depth, codec.depth)
    return depth + 1
