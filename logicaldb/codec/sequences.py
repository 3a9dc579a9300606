"""Codecs of lists, tuples and sets."""

from __future__ import annotations

import typing
from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping, MutableSequence, MutableSet, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias, get_args, get_origin

from logicaldb.codec.generic import UNTYPED, generic_decode, list_in, set_form
from logicaldb.codec.inspection import type_name
from logicaldb.codec.scope import Build, Scope
from logicaldb.codec.values import Refused, Unsupported, ValueCodec, WireValue, deeper, mismatch, with_article

SetKind: TypeAlias = type[set[Any]] | type[frozenset[Any]]

_LIST = frozenset("L")
_SET_FORMS = {"S": "SS", "N": "NS", "B": "BS"}
_ELEMENT_FORMS = {"SS": "S", "NS": "N", "BS": "B"}
_EMPTY_SET = "is an empty set, which cannot be stored inside a list, map or tuple"


class ListCodec(ValueCodec):
    """Lists, and other sequences whose elements are of one type, as L."""

    forms = _LIST

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
        self.element = element
        self._kind: Any = kind
        self.make = make
        self._remark = remark
        self.types = (kind,)
        self.depth = deeper(element)

    def encode(self, value: Any) -> WireValue:
        """L."""
        if not isinstance(value, self._kind):
            raise mismatch(value, f"{with_article(self._kind.__name__)}{self._remark}")
        encode = self.element.encode
        elements: list[WireValue] = []
        try:
            for element in value:
                elements.append(encode(element))  # noqa: PERF401 - their number tells the place of a refusal
        except Refused as refused:
            refused.path = f"[{len(elements)}]{refused.path}"
            raise
        return {"L": elements}

    def decode(self, wire: WireValue) -> Any:
        """The sequence, each element decoded by its type."""
        held = list_in(wire)
        if held is None:
            return generic_decode(wire)
        decode = self.element.decode
        elements = [decode(element) for element in held]
        return elements if self.make is None else self.make(elements)


class TupleCodec(ValueCodec):
    """Tuples of fixed length, each place of its own type, as L."""

    forms = _LIST
    types = (tuple,)

    def __init__(self, elements: Sequence[ValueCodec]) -> None:
        self.elements = elements
        self.depth = deeper(*elements)

    def encode(self, value: Any) -> WireValue:
        """L."""
        if not isinstance(value, tuple):
            raise mismatch(value, "a tuple")
        if len(value) != len(self.elements):
            raise Refused(f"is a tuple of length {len(value)}, not {len(self.elements)}")
        elements: list[WireValue] = []
        try:
            for codec, element in zip(self.elements, value, strict=True):
                elements.append(codec.encode(element))
        except Refused as refused:
            refused.path = f"[{len(elements)}]{refused.path}"
            raise
        return {"L": elements}

    def decode(self, wire: WireValue) -> Any:
        """The tuple; a list of another length stays one."""
        held = list_in(wire)
        if held is None or len(held) != len(self.elements):
            return generic_decode(wire)
        return tuple([codec.decode(element) for codec, element in zip(self.elements, held, strict=True)])


class SetCodec(ValueCodec):
    """Sets: SS, NS or BS where the elements are texts, numbers or bytes, else L.

    An empty set has no wire form of its own. As a field it is absent, or an empty list (see ``FieldCodec``); anywhere
    else it is refused.
    """

    def __init__(self, element: ValueCodec, kind: SetKind) -> None:
        """Take the codec of the elements, and ``set`` or ``frozenset``."""
        self.element = element
        self._kind = kind
        # Elements of type Any are those that DynamoDB's sets can hold; True among them would become a number.
        self.native = element is UNTYPED or element.forms <= _SET_FORMS.keys()
        self.types = (kind,)
        self.forms = _LIST.union(_SET_FORMS[form] for form in element.forms if self.native and form in _SET_FORMS)
        self.depth = 1 if self.native else deeper(element)

    def encode(self, value: Any) -> WireValue:
        """SS, NS, BS or L."""
        if not isinstance(value, (set, frozenset)):
            raise mismatch(value, with_article(self._kind.__name__))
        if not value:
            raise Refused(_EMPTY_SET)
        encode = self.element.encode
        elements = [encode(element) for element in value]
        if not self.native:  # sorted as below
            return {"L": sorted(elements, key=str)}
        form = set_form({form for element in elements for form in element})
        held = [element[form[0]] for element in elements]
        if len(set(held)) != len(held):
            raise Refused("is a set of which two elements have one stored form")
        # Sorted, because sets that are equal may be iterated in different orders, and under an idempotency token the same
        # has to be sent each time.
        return {form: sorted(held)}

    def decode(self, wire: WireValue) -> Any:
        """The set; one that was stored as a list reads back as well."""
        elements = list_in(wire)
        if elements is None:
            elements = _elements_of_set(wire)
        if elements is None:
            return generic_decode(wire)
        decode = self.element.decode
        decoded = [decode(element) for element in elements]
        try:
            return self._kind(decoded)
        except TypeError:  # an element is no value of the type, and cannot be hashed
            return decoded


def _elements_of_set(wire: WireValue) -> list[WireValue] | None:
    for form, element_form in _ELEMENT_FORMS.items():
        held = wire.get(form) if isinstance(wire, dict) else None
        if isinstance(held, list):
            return [{element_form: element} for element in held]
    return None


_SETS: Mapping[Any, SetKind] = {set: set, MutableSet: set, frozenset: frozenset, AbstractSet: frozenset}
_READ_ONCE = (Iterable, Generator)


def sequence_codec(  # noqa: PLR0911 - a return for each kind of type
    annotation: Any, scope: Scope, build: Build
) -> ValueCodec | None:
    """The codec of a list, tuple, set or the like; ``None`` if it is none."""
    kind = get_origin(annotation) or annotation
    arguments = get_args(annotation)
    inside = scope.inside()
    if kind is tuple:
        return _tuple_codec(annotation, arguments, inside, build)
    if kind in _READ_ONCE:
        raise Unsupported(f"{type_name(annotation)} can be read only once: declare a list")
    if kind in _SETS:
        return SetCodec(build(arguments[0], (), inside.exactly()) if arguments else UNTYPED, _SETS[kind])
    if kind not in (list, MutableSequence, Sequence, deque):
        return None
    element = build(arguments[0], (), inside) if arguments else UNTYPED
    if kind is deque:
        return ListCodec(element, deque, deque)
    if kind is not Sequence:
        return ListCodec(element, list)
    if scope.sequence is tuple:
        return ListCodec(element, tuple, tuple, remark=", which its default is: declare it as a list")
    return ListCodec(element, list, remark=", which a Sequence reads back as: declare it as a tuple")


def _tuple_codec(annotation: Any, arguments: Sequence[Any], scope: Scope, build: Build) -> ValueCodec:
    if annotation in (tuple, typing.Tuple):  # noqa: UP006 - the old spelling is an object of its own
        return ListCodec(UNTYPED, tuple, tuple)
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return ListCodec(build(arguments[0], (), scope), tuple, tuple)
    return TupleCodec([build(argument, (), scope) for argument in arguments])
