"""Conditions, updates and key conditions: what users write, and the expressions that are sent.

Names and values always go as placeholders, and operands in parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NoReturn, overload

from typing_extensions import TypeVar

from logicaldb.codec.generic import AnyCodec
from logicaldb.codec.values import Refused, WireValue
from logicaldb.errors import EncodingError
from logicaldb.items import KeyBase
from logicaldb.paths import Step
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.places import Place, find_place

T_contra = TypeVar("T_contra", contravariant=True)
E = TypeVar("E")
V = TypeVar("V")
K = TypeVar("K", bound=KeyBase[Any])

_ANY = AnyCodec()
WireType = Literal["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]


class Placeholders:
    """The names and values of one request: the only place that makes ``#n`` and ``:v``."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self.values: list[WireValue] = []
        self._by_name: dict[str, str] = {}

    def name(self, attribute: str) -> str:
        """The placeholder of an attribute; one for each, however often it is named."""
        placeholder = self._by_name.get(attribute)
        if placeholder is None:
            placeholder = self._by_name[attribute] = f"#n{len(self._by_name)}"
            self.names[placeholder] = attribute
        return placeholder

    def path(self, path: Sequence[Step]) -> str:
        """A document path of placeholders: ``#n0.#n1[2]``."""
        text = self.name(str(path[0]))
        for step in path[1:]:
            text += f"[{step}]" if isinstance(step, int) else f".{self.name(step)}"
        return text

    def value(self, wire: WireValue) -> str:
        """A placeholder for a value in wire form."""
        self.values.append(wire)
        return f":v{len(self.values) - 1}"

    def parameters(self) -> dict[str, Any]:
        """``ExpressionAttributeNames`` and ``ExpressionAttributeValues``, each only where there are some."""
        parameters: dict[str, Any] = {}
        if self.names:
            parameters["ExpressionAttributeNames"] = self.names
        if self.values:
            parameters["ExpressionAttributeValues"] = {f":v{number}": wire for number, wire in enumerate(self.values)}
        return parameters


@dataclass(frozen=True, slots=True)
class Context:
    """What an expression is about: the item types whose fields it may name, and the placeholders of its request.

    Attributes:
        items: the item types.
        placeholders: the placeholders.
        keys: attributes that a filter must not name, with the text that says what they are keys of.
    """

    items: Sequence[ItemSchema]
    placeholders: Placeholders
    keys: Mapping[str, str] = field(default_factory=dict)

    def find(self, path: Any) -> Place:
        """Where a path leads; refused where a filter cannot look."""
        place = find_place(path, self.items)
        what = self.keys.get(str(place.path[0]))
        if what is not None:
            raise place.refuse(
                f"is a key of {what}, and DynamoDB does not filter by the keys of what is queried; use a key condition"
            )
        return place


class Condition:
    """Something that an item must be, for a write to happen or for a row to pass a filter."""

    __slots__ = ()

    def encode(self, context: Context) -> str:
        """The expression; its names and values go to the placeholders of the context."""
        raise NotImplementedError

    def __and__(self, other: Condition) -> Condition:
        return _Joined("AND", self, check_condition(other))

    def __or__(self, other: Condition) -> Condition:
        return _Joined("OR", self, check_condition(other))

    def __invert__(self) -> Condition:
        return _Not(self)

    def __bool__(self) -> NoReturn:
        raise TypeError("a condition has no truth value of its own; join conditions with &, | and ~, not and, or and not")


def check_condition(condition: object) -> Condition:
    """Refuse what a forgotten ``attr`` leaves of a condition.

    Raises:
        TypeError: it is no condition.
    """
    if isinstance(condition, Condition):
        return condition
    if isinstance(condition, bool):
        raise TypeError(
            f"a condition is due, not {condition}: write attr(...) around the field, as in attr(AlbumTrack.track_number) == 1"
        )
    raise TypeError(f"a condition is due, not {type(condition).__name__}: write it with attr(...) or Expression(...)")


@dataclass(frozen=True, slots=True, eq=False)
class _Joined(Condition):
    operator: Literal["AND", "OR"]
    left: Condition
    right: Condition

    def encode(self, context: Context) -> str:
        return f"({self.left.encode(context)}) {self.operator} ({self.right.encode(context)})"


@dataclass(frozen=True, slots=True, eq=False)
class _Not(Condition):
    condition: Condition

    def encode(self, context: Context) -> str:
        return f"NOT ({self.condition.encode(context)})"


@dataclass(frozen=True, slots=True, eq=False)
class _OfPlace(Condition):
    """A condition on one place; ``write`` makes its text of the place and of what the context gives."""

    path: Any
    write: Callable[[Place, Context], str]

    def encode(self, context: Context) -> str:
        return self.write(context.find(self.path), context)


_PLACEHOLDER = re.compile(r"[#:][A-Za-z0-9_]+")


class Expression(Condition):
    """A condition in DynamoDB's own words: ``Expression("playlist_version = :v", values={":v": 3})``.

    Args:
        text: the expression, as the low-level API takes it.
        values: the values of its ``:placeholders``: what DynamoDB itself knows (str, int, Decimal, bytes, bool, None, list,
            dict, set).
        names: the attribute names of its ``#placeholders``.
    """

    __slots__ = ("names", "text", "values")

    def __init__(self, text: str, values: Mapping[str, Any] | None = None, names: Mapping[str, str] | None = None) -> None:
        self.text = text
        self.values = dict(values or {})
        self.names = dict(names or {})

    def encode(self, context: Context) -> str:
        """The expression with placeholders that meet no others of the request."""
        unused = {*self.values, *self.names}
        known: dict[str, str] = {}

        def rename(found: re.Match[str]) -> str:
            name = found[0]
            unused.discard(name)
            if name not in known:
                known[name] = self._placeholder(name, context.placeholders)
            return known[name]

        text = _PLACEHOLDER.sub(rename, self.text)
        if unused:
            raise EncodingError(f"Expression {self.text!r}: does not use {', '.join(sorted(unused))}")
        return text

    def _placeholder(self, name: str, placeholders: Placeholders) -> str:
        if name in self.names:
            return placeholders.name(self.names[name])
        if name in self.values:
            try:
                return placeholders.value(_ANY.encode(self.values[name]))
            except Refused as refused:
                raise EncodingError(f"Expression {self.text!r}: {name}{refused.path} {refused.reason}") from None
        raise EncodingError(f"Expression {self.text!r}: {name} is given neither in values nor in names")

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"  # the values are item data


class Update:
    """A change of one attribute, or of a place inside one."""

    __slots__ = ("argument", "kind", "path")

    def __init__(self, path: Any, kind: str, argument: Any = None) -> None:
        self.path = path
        self.kind = kind
        self.argument = argument

    def __repr__(self) -> str:
        return f"attr({self.path!r}).{self.kind}(...)"  # the argument is item data


class Attr(Generic[T_contra]):
    """A field of an item type, to make conditions and updates of; ``attr`` gives one with the field's static type."""

    __slots__ = ("_path",)

    def __init__(self, path: Any) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"attr({self._path!r})"

    @overload
    def __getitem__(self: Attr[list[E]], step: int) -> Attr[E]: ...
    @overload
    def __getitem__(self: Attr[tuple[E, ...]], step: int) -> Attr[E]: ...
    @overload
    def __getitem__(self: Attr[dict[str, V]], step: str) -> Attr[V]: ...
    def __getitem__(self, step: Any) -> Attr[Any]:
        """An element of a list, or the value of a key of a map."""
        return Attr(self._path[step])

    def __eq__(self, value: T_contra) -> Condition:  # type: ignore[override]  # a condition, not a comparison
        """Equal; ``== None`` means that the attribute does not exist."""
        return self.not_exists() if value is None else _compare(self._path, "=", value)

    def __ne__(self, value: T_contra) -> Condition:  # type: ignore[override]  # a condition, not a comparison
        """Not equal, or not there; ``!= None`` means that the attribute exists."""
        return self.exists() if value is None else _compare(self._path, "<>", value)

    __hash__ = None  # type: ignore[assignment]  # equality is a condition here

    def __lt__(self, value: T_contra) -> Condition:
        """Less than a value, in the order that DynamoDB stores."""
        return _order(self._path, "<", value)

    def __le__(self, value: T_contra) -> Condition:
        """At most a value."""
        return _order(self._path, "<=", value)

    def __gt__(self, value: T_contra) -> Condition:
        """Greater than a value."""
        return _order(self._path, ">", value)

    def __ge__(self, value: T_contra) -> Condition:
        """At least a value."""
        return _order(self._path, ">=", value)

    def between(self, low: T_contra, high: T_contra) -> Condition:
        """From ``low`` to ``high``, both included."""

        def write(place: Place, context: Context) -> str:
            _check_ordered(place, "between")
            values = [context.placeholders.value(_operand(place).encode(value)) for value in (low, high)]
            return f"{context.placeholders.path(place.path)} BETWEEN {values[0]} AND {values[1]}"

        return _OfPlace(self._path, write)

    def is_in(self, values: Iterable[T_contra]) -> Condition:
        """One of up to 100 values.

        The limit is DynamoDB's:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
        """
        listed = list(values)

        def write(place: Place, context: Context) -> str:
            if not 1 <= len(listed) <= _MAX_IN:
                raise place.refuse(f"is_in takes 1 to {_MAX_IN} values, not {len(listed)}")
            texts = [context.placeholders.value(_operand(place).encode(value)) for value in listed]
            return f"{context.placeholders.path(place.path)} IN ({', '.join(texts)})"

        return _OfPlace(self._path, write)

    def begins_with(self: Attr[str] | Attr[bytes], value: str | bytes) -> Condition:
        """A string or binary that begins so."""

        def write(place: Place, context: Context) -> str:
            return _function("begins_with", place, context, _begin(_operand(place), value))

        return _OfPlace(self._path, write)

    @overload
    def contains(self: Attr[str], value: str) -> Condition: ...
    @overload
    def contains(self: Attr[list[E]], value: E) -> Condition: ...
    @overload
    def contains(self: Attr[set[E]], value: E) -> Condition: ...
    @overload
    def contains(self: Attr[frozenset[E]], value: E) -> Condition: ...
    @overload
    def contains(self: Attr[tuple[E, ...]], value: E) -> Condition: ...
    def contains(self, value: Any) -> Condition:
        """A string that has this one in it, or a list or set that has this element."""

        def write(place: Place, context: Context) -> str:
            return _function("contains", place, context, _contained(_operand(place), value))

        return _OfPlace(self._path, write)

    def exists(self) -> Condition:
        """The attribute is there."""
        return _OfPlace(self._path, lambda place, context: f"attribute_exists({context.placeholders.path(place.path)})")

    def not_exists(self) -> Condition:
        """The attribute is not there."""
        return _OfPlace(self._path, lambda place, context: f"attribute_not_exists({context.placeholders.path(place.path)})")

    def is_type(self, wire_type: WireType) -> Condition:
        """The attribute is stored as this type: ``"S"``, ``"N"``, ``"B"``, ``"SS"``, …"""
        return _OfPlace(self._path, lambda place, context: _function("attribute_type", place, context, {"S": wire_type}))

    def size(self) -> Size:
        """The size of the attribute, to compare: characters of a string, bytes of a binary, elements of a collection."""
        return Size(self._path)

    def set(self, value: T_contra) -> Update:
        """Set a value; ``None`` removes the attribute."""
        return Update(self._path, "set", value)

    def set_if_not_exists(self, value: T_contra) -> Update:
        """Set a value where there is none yet."""
        return Update(self._path, "set_if_not_exists", value)

    def remove(self) -> Update:
        """Remove the attribute, or the element of a list or map; a required field is refused."""
        return Update(self._path, "remove")

    def append(self: Attr[list[E]], values: Iterable[E]) -> Update:
        """Put elements at the end of a list; an absent one is made."""
        return Update(self._path, "append", list(values))

    def prepend(self: Attr[list[E]], values: Iterable[E]) -> Update:
        """Put elements at the beginning of a list; an absent one is made."""
        return Update(self._path, "prepend", list(values))

    def add(self, number: T_contra) -> Update:
        """Add to a number, atomically; negative to subtract."""
        return Update(self._path, "add", number)

    @overload
    def add_to_set(self: Attr[set[E]], values: Iterable[E]) -> Update: ...
    @overload
    def add_to_set(self: Attr[frozenset[E]], values: Iterable[E]) -> Update: ...
    def add_to_set(self, values: Iterable[Any]) -> Update:
        """Put elements into a set; an absent one is made."""
        return Update(self._path, "add_to_set", frozenset(values))

    @overload
    def delete_from_set(self: Attr[set[E]], values: Iterable[E]) -> Update: ...
    @overload
    def delete_from_set(self: Attr[frozenset[E]], values: Iterable[E]) -> Update: ...
    def delete_from_set(self, values: Iterable[Any]) -> Update:
        """Take elements out of a set; those that are not in it do not matter."""
        return Update(self._path, "delete_from_set", frozenset(values))


def attr(field: V) -> Attr[V]:
    """A field of an item type, to make conditions and updates of.

    Args:
        field: the field on the class, or something inside it: ``AlbumTrack.track_title``, ``Person.address.city``.

    Returns:
        What compares, checks and changes the field; its values have the static type of the field.
    """
    return Attr(field)


class Size:
    """The size of an attribute, to compare with a number."""

    __slots__ = ("_path",)

    def __init__(self, path: Any) -> None:
        self._path = path

    def __eq__(self, number: int) -> Condition:  # type: ignore[override]  # a condition, not a comparison
        return self._compare("=", number)

    def __ne__(self, number: int) -> Condition:  # type: ignore[override]  # a condition, not a comparison
        return self._compare("<>", number)

    __hash__ = None  # type: ignore[assignment]  # equality is a condition here

    def __lt__(self, number: int) -> Condition:
        return self._compare("<", number)

    def __le__(self, number: int) -> Condition:
        return self._compare("<=", number)

    def __gt__(self, number: int) -> Condition:
        return self._compare(">", number)

    def __ge__(self, number: int) -> Condition:
        return self._compare(">=", number)

    def _compare(self, operator: str, number: int) -> Condition:
        def write(place: Place, context: Context) -> str:
            if place.part is not None and (place.part.prefix or not place.alone):
                raise place.refuse("is stored with a prefix or with other parts, so its size says nothing; use Expression")
            if not isinstance(number, int) or isinstance(number, bool):
                raise place.refuse(f"a size is compared with an int, not with {type(number).__name__}")
            return f"size({context.placeholders.path(place.path)}) {operator} {context.placeholders.value({'N': str(number)})}"

        return _OfPlace(self._path, write)


_MAX_IN = 100


def _operand(place: Place) -> Place:
    """A place whose stored form is one value; a part of a composite key is not."""
    if not place.alone:
        raise place.refuse(
            f"is a part of the composite key {place.path[0]} and has no attribute of its own; use a key condition or Expression"
        )
    return place


def _compare(path: Any, operator: str, value: Any) -> Condition:
    def write(place: Place, context: Context) -> str:
        encoded = context.placeholders.value(_operand(place).encode(value))
        return f"{context.placeholders.path(place.path)} {operator} {encoded}"

    return _OfPlace(path, write)


def _order(path: Any, operator: str, value: Any) -> Condition:
    def write(place: Place, context: Context) -> str:
        _check_ordered(place, operator)
        encoded = context.placeholders.value(_operand(place).encode(value))
        return f"{context.placeholders.path(place.path)} {operator} {encoded}"

    return _OfPlace(path, write)


def _check_ordered(place: Place, operator: str) -> None:
    if not place.ordered:
        raise place.refuse(f"{operator} compares the stored form, whose order is not that of the values of this type")


def _function(name: str, place: Place, context: Context, wire: WireValue) -> str:
    return f"{name}({context.placeholders.path(place.path)}, {context.placeholders.value(wire)})"


def _begin(place: Place, value: Any) -> WireValue:
    """The stored form of a beginning, which is not a valid value by itself."""
    if isinstance(value, str) and place.codec.forms == {"S"}:
        return {"S": ("" if place.part is None else place.part.prefix) + _text(place, value)}
    if isinstance(value, bytes) and place.codec.forms == {"B"}:
        return place.wire(value)
    raise place.refuse(f"begins_with takes the beginning of a stored string or binary, not {type(value).__name__}")


def _text(place: Place, value: str) -> str:
    try:
        text: str = _ANY.encode(value)["S"]
    except Refused as refused:
        raise place.refuse(refused.reason) from None
    return text


def _contained(place: Place, value: Any) -> WireValue:
    if place.codec.forms == {"S"}:
        if not isinstance(value, str):
            raise place.refuse(f"contains takes a part of the string, not {type(value).__name__}")
        return {"S": _text(place, value)}
    return place.element().encode(value)


class KeyCondition(Generic[K]):
    """Which keys of one partition a query is about; all stay inside the item type of the key."""

    __slots__ = ("key",)

    def __init__(self, key: K) -> None:
        if not isinstance(key, KeyBase):
            raise TypeError(f"{type(self).__name__} takes a key, such as AlbumTrack.Key(...), not {type(key).__name__}")
        self.key = key

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.key!r})"


class BeginsWith(KeyCondition[K]):
    """The keys that begin with a key, partial or whole."""

    __slots__ = ()


class EqualTo(KeyCondition[K]):
    """The one key; in an index several items may have it."""

    __slots__ = ()


class LessThan(KeyCondition[K]):
    """The keys before a key; a partial one stands for all that begin with it."""

    __slots__ = ()


class AtMost(KeyCondition[K]):
    """The keys up to a key, which is included; of a partial one all that begin with it."""

    __slots__ = ()


class GreaterThan(KeyCondition[K]):
    """The keys after a key; a partial one stands for all that begin with it."""

    __slots__ = ()


class AtLeast(KeyCondition[K]):
    """The keys from a key on, which is included; of a partial one all that begin with it."""

    __slots__ = ()


class Between(KeyCondition[K]):
    """The keys from ``start`` to ``end``, both included; a partial key stands for all that begin with it.

    Where ``start`` comes after ``end`` there are none, and nothing is sent.
    """

    __slots__ = ("end",)

    def __init__(self, start: K, end: K) -> None:
        super().__init__(start)
        if type(end) is not type(start):
            raise TypeError(f"Between takes two keys of one type, not {type(start).__name__} and {type(end).__name__}")
        self.end = end

    @property
    def start(self) -> K:
        """The first key."""
        return self.key

    def __repr__(self) -> str:
        return f"Between({self.key!r}, {self.end!r})"


