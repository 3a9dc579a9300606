"""Codecs of lists, tuples, sets and dicts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from logicaldb.codec.generic import encode_key, generic_decode, key_segment, set_form
from logicaldb.codec.values import Refused, Unsupported, ValueCodec, WireValue, mismatch, with_article

_SET_ELEMENTS = frozenset("SNB")


def deeper(*codecs: ValueCodec) -> int | None:
    """The depth of a container of values of these codecs."""
    depth = 1
    for codec in codecs:
        if codec.depth is None:
            return None
        depth = max(depth, codec.depth)
    return depth + 1


class ListCodec(ValueCodec):
    """Lists, and other sequences of one type of elements, as L."""

    forms = frozenset("L")

    def __init__(
        self, element: ValueCodec, kind: type, make: Callable[[list[Any]], Any] | None = None, *, remark: str = ""
    ) -> None:
        """Take the codec of the elements.

        Args:
            element: the codec of each element.
            kind: the class of the sequence.
            make: makes one of a list; ``None`` for the list itself.
            remark: what to add when a value of another class is refused.
        """
        self._element = element
        self._make = make
        self._remark = remark
        self.types = (kind,)
        self.depth = deeper(element)

    def encode(self, value: Any) -> WireValue:
        """L."""
        if not isinstance(value, self.types):
            refused = mismatch(value, with_article(self.types[0].__name__))
            refused.reason += self._remark
            raise refused
        encode = self._element.encode
        elements: list[WireValue] = []
        try:
            for element in value:
                elements.append(encode(element))
        except Refused as refused:
            refused.path = f"[{len(elements)}]{refused.path}"
            raise
        return {"L": elements}

    def decode(self, wire: WireValue) -> Any:
        """The sequence, each element decoded by its type."""
        try:
            decode = self._element.decode
            elements = [decode(element) for element in wire["L"]]
        except (KeyError, TypeError):
            return generic_decode(wire)
        return elements if self._make is None else self._make(elements)


class TupleCodec(ValueCodec):
    """Tuples of fixed length, each place with its own type, as L."""

    forms = frozenset("L")
    types = (tuple,)

    def __init__(self, elements: Sequence[ValueCodec]) -> None:
        self._elements = elements
        self.depth = deeper(*elements)

    def encode(self, value: Any) -> WireValue:
        """L."""
        if not isinstance(value, tuple):
            raise mismatch(value, "a tuple")
        if len(value) != len(self._elements):
            raise Refused(f"is a tuple of length {len(value)}, not {len(self._elements)}")
        elements: list[WireValue] = []
        try:
            for codec, element in zip(self._elements, value, strict=True):
                elements.append(codec.encode(element))
        except Refused as refused:
            refused.path = f"[{len(elements)}]{refused.path}"
            raise
        return {"L": elements}

    def decode(self, wire: WireValue) -> Any:
        """The tuple; one of another length is decoded without types."""
        try:
            return tuple(codec.decode(element) for codec, element in zip(self._elements, wire["L"], strict=True))
        except (KeyError, TypeError, ValueError):
            return generic_decode(wire)


class SetCodec(ValueCodec):
    """Sets: SS, NS or BS where the elements are texts, numbers or bytes, else L.

    An empty set has no wire form of its own. As a field it is absent, or an empty list (see ``FieldCodec``); anywhere
    else it is refused.
    """

    def __init__(self, element: ValueCodec, kind: type[set[Any]] | type[frozenset[Any]], *, untyped: bool) -> None:
        """Take the codec of the elements.

        Args:
            element: the codec of each element.
            kind: ``set`` or ``frozenset``.
            untyped: whether the elements are of type Any: they must then be what DynamoDB's sets can hold.
        """
        self._element = element
        self._kind = kind
        self._native = untyped or element.forms <= _SET_ELEMENTS
        self.types = (kind,)
        self.forms = frozenset((*(form + "S" for form in element.forms if form in _SET_ELEMENTS), "L"))
        self.depth = 1 if self._native else deeper(element)

    def encode(self, value: Any) -> WireValue:
        """SS, NS, BS or L."""
        if not isinstance(value, self._kind):
            raise mismatch(value, with_article(self._kind.__name__))
        if not value:
            raise Refused("is an empty set, which cannot be stored inside a list, map or tuple")
        encode = self._element.encode
        elements = [encode(element) for element in value]
        if not self._native:
            return {"L": elements}
        form = set_form({form for element in elements for form in element})
        held = [element[form[0]] for element in elements]
        if len(set(held)) != len(held):
            raise Refused("is a set of which two elements have one stored form")
        return {form: held}

    def decode(self, wire: WireValue) -> Any:
        """The set; one that was stored as a list reads back as well."""
        decode = self._element.decode
        try:
            ((form, held),) = wire.items()
            if form == "L":
                return self._kind(decode(element) for element in held)
            if form in ("SS", "NS", "BS"):
                return self._kind(decode({form[0]: element}) for element in held)
        except (AttributeError, TypeError, ValueError):
            pass
        return generic_decode(wire)


def _text_of(wire: WireValue) -> str | None:
    """The text of a scalar as the key of a map."""
    ((form, held),) = wire.items()
    if form == "BOOL":
        return "true" if held else "false"
    return held if form in _SET_ELEMENTS else None


class TextKeys:
    """Keys of a dict that are ``str``."""

    def encode(self, key: Any) -> str:
        """The key itself."""
        if not isinstance(key, str):
            raise mismatch(key, "a str")
        return encode_key(str.__str__(key))

    def decode(self, text: str) -> Any:
        """The text itself."""
        return text


class ScalarKeys:
    """Keys of a dict of another type, as the text of its stored form: ``12``, ``2026-11-22``, ``true``."""

    def __init__(self, codec: ValueCodec) -> None:
        self._codec = codec
        self._form = next(iter(codec.forms - {"BOOL"}), "BOOL")
        self._bools = "BOOL" in codec.forms

    def encode(self, key: Any) -> str:
        """The text of the key."""
        return encode_key(_text_of(self._codec.encode(key)) or "")

    def decode(self, text: str) -> Any:
        """The key of a text; another text stays one."""
        if self._bools and text in ("true", "false"):
            return self._codec.decode({"BOOL": text == "true"})
        key = self._codec.decode({self._form: text})
        return text if isinstance(key, dict) else key


class ChoiceKeys:
    """Keys of a dict out of a fixed list, by the texts of their stored forms."""

    def __init__(self, name: str, choices: Sequence[tuple[Any, WireValue]]) -> None:
        """Take the keys with their wire forms.

        Raises:
            Unsupported: if one of them is no text, number, bytes or bool, or if two of them have one text.
        """
        self._name = name
        self._texts: dict[tuple[type, Any], str] = {}
        self._keys: dict[str, Any] = {}
        for key, wire in choices:
            text = _text_of(wire)
            if not text or text in self._keys:
                raise Unsupported(f"{name} cannot be the type of a key: its values have no texts of their own")
            self._texts[type(key), key] = text
            self._keys[text] = key

    def encode(self, key: Any) -> str:
        """The text of the key."""
        try:
            return self._texts[type(key), key]
        except (KeyError, TypeError):
            raise mismatch(key, f"one of the values of {self._name}") from None

    def decode(self, text: str) -> Any:
        """The key of a text; another text stays one."""
        return self._keys.get(text, text)


class DictCodec(ValueCodec):
    """Dicts as M, their keys as texts."""

    forms = frozenset("M")

    def __init__(
        self,
        keys: TextKeys | ScalarKeys | ChoiceKeys,
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
        self._keys = keys
        self._element = element
        self._make = make
        self.types = (kind,)
        self.depth = deeper(element)

    def encode(self, value: Any) -> WireValue:
        """M."""
        if not isinstance(value, self.types):
            raise mismatch(value, with_article(self.types[0].__name__))
        encode_element, encode_text_of = self._element.encode, self._keys.encode
        elements: dict[str, WireValue] = {}
        for key, element in value.items():
            try:
                text = encode_text_of(key)
            except Refused as refused:
                raise Refused(refused.reason if refused.reason.startswith("has ") else f"has a key that {refused.reason}") from None
            try:
                elements[text] = encode_element(element)
            except Refused as refused:
                refused.path = f"{key_segment(text)}{refused.path}"
                raise
        if len(elements) != len(value):
            raise Refused("has two keys with one stored form")
        return {"M": elements}

    def decode(self, wire: WireValue) -> Any:
        """The dict, keys and values decoded by their types."""
        try:
            decode, decode_key = self._element.decode, self._keys.decode
            elements = {decode_key(key): decode(element) for key, element in wire["M"].items()}
        except (AttributeError, KeyError, TypeError):
            return generic_decode(wire)
        return elements if self._make is None else self._make(elements)


