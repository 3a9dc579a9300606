"""Codecs of dicts, and of their keys, which are texts in DynamoDB."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from typing import Any, Protocol, get_args, get_origin

from logicaldb.codec.choices import ChoiceCodec
from logicaldb.codec.generic import MALFORMED, UNTYPED, encode_key, generic_decode, key_segment, map_in
from logicaldb.codec.inspection import type_name
from logicaldb.codec.scalars import IntCodec, StrCodec
from logicaldb.codec.scope import Build, Scope
from logicaldb.codec.serialization import adapter_of
from logicaldb.codec.values import Refused, Unsupported, ValueCodec, WireValue, deeper, mismatch, with_article


class KeyCodec(Protocol):
    """Keys of one type to the texts of a map and back."""

    def encode(self, key: Any) -> str:
        """The text of a key; raises ``Refused``."""
        ...

    def decode(self, text: str) -> Any:
        """The key of a text; a text that is none of the type's stays one."""
        ...


class TextKeys:
    """Keys that are ``str``."""

    def encode(self, key: Any) -> str:
        if not isinstance(key, str):
            raise mismatch(key, "a str")
        return encode_key(str.__str__(key))

    def decode(self, text: str) -> Any:
        return text


class ScalarKeys:
    """Keys of another type, as the text of its stored form: ``12``, ``2026-11-22``, ``true``."""

    def __init__(self, codec: ValueCodec) -> None:
        """Take the codec of the type, whose forms are one of ``KEY_FORMS``."""
        self._codec = codec
        self._form = next(iter(codec.forms - {"BOOL"}), "BOOL")
        self._bools = "BOOL" in codec.forms

    def encode(self, key: Any) -> str:
        return encode_key(_text_of(self._codec.encode(key)) or "")

    def decode(self, text: str) -> Any:
        if self._bools and text in ("true", "false"):
            return text == "true"
        key = self._codec.decode({self._form: text})
        return text if key is MALFORMED else key


class ChoiceKeys:
    """Keys out of a fixed list, by the texts of their stored forms."""

    def __init__(self, codec: ChoiceCodec) -> None:
        """Take the codec of the keys.

        Raises:
            Unsupported: if one of them is no text, number, bytes or bool, or if two of them have one text.
        """
        self._name = codec.name
        self._texts: dict[tuple[type, Any], str] = {}
        self._keys: dict[str, Any] = {}
        for key, wire in codec.choices:
            text = _text_of(wire)
            if not text or text in self._keys:
                raise Unsupported(_no_key(codec.name))
            self._texts[type(key), key] = text
            self._keys[text] = key

    def encode(self, key: Any) -> str:
        try:
            return self._texts[type(key), key]
        except KeyError:
            raise mismatch(key, f"one of the values of {self._name}") from None

    def decode(self, text: str) -> Any:
        return self._keys.get(text, text)


def _text_of(wire: WireValue) -> str | None:
    """The text of a scalar as the key of a map; ``None`` if it is no scalar."""
    ((form, held),) = wire.items()
    if form == "BOOL":
        return "true" if held else "false"
    return held if isinstance(held, str) else None


class DictCodec(ValueCodec):
    """Dicts as M, their keys as texts."""

    forms = frozenset("M")

    def __init__(
        self,
        keys: KeyCodec,
        element: ValueCodec,
        make: Callable[[dict[Any, Any]], Any] | None = None,
        kind: type = dict,
    ) -> None:
        """Take the codecs of keys and values.

        Args:
            keys: the codec of each key.
            element: the codec of each value.
            make: makes a mapping of a dict; ``None`` for the dict itself.
            kind: the class of the mapping.
        """
        self.keys = keys
        self.element = element
        self.make = make
        self._kind: Any = kind
        self.types = (kind,)
        self.depth = deeper(element)

    def encode(self, value: Any) -> WireValue:
        """M."""
        if not isinstance(value, self._kind):
            raise mismatch(value, with_article(self._kind.__name__))
        encode, encode_key_text = self.element.encode, self.keys.encode
        elements: dict[str, WireValue] = {}
        for key, element in value.items():
            try:
                text = encode_key_text(key)
            except Refused as refused:
                raise Refused(f"has a key that {refused.reason}") from None
            try:
                elements[text] = encode(element)
            except Refused as refused:
                refused.path = f"{key_segment(text)}{refused.path}"
                raise
        if len(elements) != len(value):
            raise Refused("has two keys with one stored form")
        return {"M": elements}

    def decode(self, wire: WireValue) -> Any:
        """The dict, keys and values decoded by their types."""
        held = map_in(wire)
        if held is None:
            return generic_decode(wire)
        decode, decode_key = self.element.decode, self.keys.decode
        elements = {decode_key(key): decode(element) for key, element in held.items()}
        return elements if self.make is None else self.make(elements)


KEY_FORMS = (frozenset("S"), frozenset("N"), frozenset("B"), frozenset(("BOOL",)), frozenset(("N", "BOOL")))
"""What the values of a type of keys may be stored as, so that their texts cannot meet."""


def mapping_codec(annotation: Any, scope: Scope, build: Build) -> ValueCodec | None:
    """The codec of a dict or the like; ``None`` if it is none."""
    kind = get_origin(annotation) or annotation
    if kind not in (dict, Mapping, MutableMapping, OrderedDict, defaultdict, Counter):
        return None
    arguments = get_args(annotation)
    inside = scope.inside()
    keys = _key_codec(arguments[0], inside.exactly(), build) if arguments else TextKeys()
    if kind is Counter:
        return DictCodec(keys, IntCodec(), Counter, Counter)
    element = build(arguments[1], (), inside) if arguments else UNTYPED
    if kind is OrderedDict:
        return DictCodec(keys, element, OrderedDict, OrderedDict)
    if kind is defaultdict:
        # Pydantic infers the factory from the type of the values, or takes that of their Field.
        empty = adapter_of(annotation, (), scope).validate_python({})
        return DictCodec(keys, element, partial(defaultdict, empty.default_factory), defaultdict)
    return DictCodec(keys, element)


def _key_codec(annotation: Any, scope: Scope, build: Build) -> KeyCodec:
    codec = build(annotation, (), scope)
    if codec is UNTYPED or isinstance(codec, StrCodec):
        return TextKeys()
    if isinstance(codec, ChoiceCodec):
        return ChoiceKeys(codec)
    if codec.forms in KEY_FORMS:
        return ScalarKeys(codec)
    raise Unsupported(_no_key(type_name(annotation)))


def _no_key(name: str) -> str:
    return f"{name} cannot be the type of keys: its values have no texts of their own"
