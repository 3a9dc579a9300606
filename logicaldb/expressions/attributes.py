"""``attr``: the fields of items in conditions and updates, with their static types."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Generic, Literal, TypeAlias, get_args, overload

from typing_extensions import TypeVar

from logicaldb.codec.values import describe
from logicaldb.expressions.conditions import (
    Compare,
    Condition,
    Equal,
    Equality,
    Exists,
    Function,
    Inside,
    OneOf,
    Ordering,
    SizeIs,
    beginning,
    contained,
    of_type,
)
from logicaldb.paths import Path

T_contra = TypeVar("T_contra", contravariant=True)
E = TypeVar("E")
V = TypeVar("V")

WireType: TypeAlias = Literal["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]
UpdateKind: TypeAlias = Literal[
    "set", "set_if_not_exists", "remove", "append", "prepend", "add", "add_to_set", "delete_from_set"
]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Update:
    """A change of one attribute, or of a place inside one; ``attr(...)`` makes it.

    Attributes:
        path: the field, or what is inside it.
        kind: what is done.
        argument: what it is done with; ``None`` for ``remove``.
    """

    path: Any
    kind: UpdateKind
    argument: Any = None

    def __repr__(self) -> str:
        return f"attr({self.path!r}).{self.kind}(...)"  # the argument is item data


class Attr(Generic[T_contra]):  # noqa: PLW1641 - its equality is a condition, so it has no hash
    """A field of an item type, to make conditions and updates of; ``attr`` gives one with the field's static type."""

    __slots__ = ("_path",)

    def __init__(self, path: Any) -> None:
        if not isinstance(path, Path):
            raise TypeError(
                "attr() takes a field on the class of an item type, such as attr(AlbumTrack.track_title), "
                f"not {describe(path)}"
            )
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

    def __eq__(self, value: T_contra) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Equal; ``== None`` means that the attribute does not exist."""
        return Equal(self._path, "=", value)

    def __ne__(self, value: T_contra) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Not equal, or not there; ``!= None`` means that the attribute exists."""
        return Equal(self._path, "<>", value)

    def __lt__(self, value: T_contra) -> Condition:
        """Less than a value, in the order that DynamoDB stores."""
        return Compare(self._path, "<", value)

    def __le__(self, value: T_contra) -> Condition:
        """At most a value."""
        return Compare(self._path, "<=", value)

    def __gt__(self, value: T_contra) -> Condition:
        """Greater than a value."""
        return Compare(self._path, ">", value)

    def __ge__(self, value: T_contra) -> Condition:
        """At least a value."""
        return Compare(self._path, ">=", value)

    def between(self, low: T_contra, high: T_contra) -> Condition:
        """From ``low`` to ``high``, both included."""
        return Inside(self._path, low, high)

    def is_in(self, values: Iterable[T_contra]) -> Condition:
        """One of up to 100 values.

        The limit is DynamoDB's:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
        """
        kept = _several("is_in", values)
        return OneOf(self._path, kept if isinstance(kept, AbstractSet) else tuple(kept))

    @overload
    def begins_with(self: Attr[str], value: str) -> Condition: ...
    @overload
    def begins_with(self: Attr[bytes], value: bytes) -> Condition: ...
    def begins_with(self, value: Any) -> Condition:
        """A string or binary that begins so."""
        return Function(self._path, "begins_with", beginning, value)

    @overload
    def contains(self: Attr[str], value: str) -> Condition: ...
    @overload
    def contains(self: Attr[bytes], value: bytes) -> Condition: ...
    @overload
    def contains(self: Attr[list[E]], value: E) -> Condition: ...
    @overload
    def contains(self: Attr[builtins.set[E]], value: E) -> Condition: ...
    @overload
    def contains(self: Attr[frozenset[E]], value: E) -> Condition: ...
    @overload
    def contains(self: Attr[tuple[E, ...]], value: E) -> Condition: ...
    def contains(self, value: Any) -> Condition:
        """A string or binary that has this one in it, or a list or set that has this element."""
        return Function(self._path, "contains", contained, value)

    def exists(self) -> Condition:
        """The attribute is there."""
        return Exists(self._path, True)

    def not_exists(self) -> Condition:
        """The attribute is not there."""
        return Exists(self._path, False)

    def is_type(self, wire_type: WireType) -> Condition:
        """The attribute is stored as this type, such as ``"S"``, ``"N"``, ``"BOOL"`` or ``"SS"``."""
        if wire_type not in get_args(WireType):
            raise TypeError(f"is_type takes one of {', '.join(get_args(WireType))}, not {wire_type!r}")
        return Function(self._path, "attribute_type", of_type, wire_type)

    def size(self) -> Size:
        """The size of the attribute, to compare: characters of a string, bytes of a binary, elements of a collection."""
        return Size(self._path)

    def set(self, value: T_contra) -> Update:
        """Set a value; ``None`` removes the attribute."""
        return Update(self._path, "set", _lasting(value))

    def set_if_not_exists(self, value: T_contra) -> Update:
        """Set a value where there is none yet."""
        return Update(self._path, "set_if_not_exists", _lasting(value))

    def remove(self) -> Update:
        """Remove the attribute, or the element of a list or map; a required field is refused."""
        return Update(self._path, "remove")

    def append(self: Attr[list[E]], values: Iterable[E]) -> Update:
        """Put elements at the end of a list; an absent one is made."""
        return Update(self._path, "append", tuple(_several("append", values)))

    def prepend(self: Attr[list[E]], values: Iterable[E]) -> Update:
        """Put elements at the beginning of a list; an absent one is made."""
        return Update(self._path, "prepend", tuple(_several("prepend", values)))

    @overload
    def add(self: Attr[int], number: int) -> Update: ...
    @overload
    def add(self: Attr[float], number: float) -> Update: ...
    @overload
    def add(self: Attr[Decimal], number: Decimal | int) -> Update: ...
    def add(self, number: Any) -> Update:
        """Add to a number, atomically; negative to subtract."""
        return Update(self._path, "add", number)

    @overload
    def add_to_set(self: Attr[builtins.set[E]], values: Iterable[E]) -> Update: ...
    @overload
    def add_to_set(self: Attr[frozenset[E]], values: Iterable[E]) -> Update: ...
    def add_to_set(self, values: Iterable[Any]) -> Update:
        """Put elements into a set; an absent one is made."""
        return Update(self._path, "add_to_set", tuple(_several("add_to_set", values)))

    @overload
    def delete_from_set(self: Attr[builtins.set[E]], values: Iterable[E]) -> Update: ...
    @overload
    def delete_from_set(self: Attr[frozenset[E]], values: Iterable[E]) -> Update: ...
    def delete_from_set(self, values: Iterable[Any]) -> Update:
        """Take elements out of a set; those that are not in it do not matter."""
        return Update(self._path, "delete_from_set", tuple(_several("delete_from_set", values)))


def _several(method: str, values: Iterable[V]) -> Iterable[V]:
    """Refuse one text where several values are due: it is iterable, but its letters are hardly meant."""
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        raise TypeError(f"{method} takes several values, such as a list, not {describe(values)}")
    return values


def _lasting(value: Any) -> Any:
    """A value that may be looked at more than once, as an update is that is sent again; a generator can be, once."""
    return list(value) if isinstance(value, Iterator) else value


def attr(field: V) -> Attr[V]:
    """A field of an item type, to make conditions and updates of.

    Args:
        field: the field on the class, or something inside it: ``AlbumTrack.track_title``, ``Person.address.city``.

    Returns:
        What compares, checks and changes the field; its values have the static type of the field.

    Raises:
        TypeError: it is no field of a class, but a value.
    """
    return Attr(field)


class Size:  # noqa: PLW1641 - its equality is a condition, so it has no hash
    """The size of an attribute, to compare with a number."""

    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __eq__(self, number: int) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._is("=", number)

    def __ne__(self, number: int) -> Condition:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._is("<>", number)

    def __lt__(self, number: int) -> Condition:
        return self._is("<", number)

    def __le__(self, number: int) -> Condition:
        return self._is("<=", number)

    def __gt__(self, number: int) -> Condition:
        return self._is(">", number)

    def __ge__(self, number: int) -> Condition:
        return self._is(">=", number)

    def _is(self, operator: Equality | Ordering, number: int) -> Condition:
        return SizeIs(self._path, operator, number)
