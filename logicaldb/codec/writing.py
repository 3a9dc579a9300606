"""JSON text: what is sent, of values and of parts that are text already."""

from __future__ import annotations

import json
from json import encoder
from typing import Any, Final

# Its C form where there is one; either leaves all but what JSON itself does not take as it is.
json_string = encoder.encode_basestring
"""The JSON text of a string."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)

plain_json: Final = _ENCODER.encode
"""The JSON text of what holds no ``JsonText``, at the speed of C."""


class JsonText:
    """A part of a request that is JSON text already; ``to_json`` puts it in as it is.

    It is no ``str``, so that nothing else takes it for one.

    Attributes:
        text: the text.
    """

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, JsonText) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"JsonText of {len(self.text)} characters"  # values are nobody's business in a log


def plain(value: Any) -> Any:
    """What is sent as the service reads it, without ``JsonText``."""
    return json.loads(to_json(value))


def most_bytes(text: str) -> int:
    """The bytes that names and values take at most as DynamoDB counts them, by their JSON text.

    In the text each has more characters than it counts bytes, but for the characters of texts, of up to four bytes each.
    """
    return len(text) if text.isascii() else 4 * len(text)


def to_json(value: Any) -> str:
    """The JSON text of what is sent: dicts, lists, scalars, and ``JsonText`` for any of them."""
    kind = type(value)
    if kind is JsonText:
        text: str = value.text
        return text
    if kind is str:
        return json_string(value)
    if kind is dict:
        return "{" + ",".join([f"{json_string(name)}:{to_json(inner)}" for name, inner in value.items()]) + "}"
    if kind is list:
        return "[" + ",".join([to_json(inner) for inner in value]) + "]"
    return plain_json(value)
