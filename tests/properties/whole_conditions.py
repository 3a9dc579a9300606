"""Conditions, each with what it says of a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from logicaldb import Expression, attr
from tests.properties.whole_model import Says
from tests.properties.whole_types import Entry, Folder, Reading, Session


def says(
    text: str, attribute: str, make: Callable[[], Any], holds: Callable[[Any], bool], *, absent: bool = False
) -> Says:
    """A condition on one attribute.

    Args:
        text: for messages.
        attribute: the attribute.
        make: makes the condition.
        holds: what it says of a value.
        absent: what it says where there is none.
    """
    return Says(
        text,
        make,
        lambda row: holds(row[attribute]) if attribute in row else absent,
        frozenset({attribute}),
    )


def leaves_of(item_type: Any, name: str, value: Any) -> list[Says]:
    """Conditions on a field that holds text or numbers."""
    path = getattr(item_type, name)
    return [
        says(f"{name} == {value!r}", name, lambda: attr(path) == value, lambda held: held == value),
        says(f"{name} >= {value!r}", name, lambda: attr(path) >= value, lambda held: held >= value),
        says(f"{name} < {value!r}", name, lambda: attr(path) < value, lambda held: held < value),
        says(f"{name} in [{value!r}]", name, lambda: attr(path).is_in([value]), lambda held: held == value),
        says(f"{name} exists", name, lambda: attr(path).exists(), lambda _: True),
        says(f"{name} is absent", name, lambda: attr(path) == None, lambda _: False, absent=True),  # noqa: E711
        says(f"{name} between", name, lambda: attr(path).between(value, value), lambda held: held == value),
    ]


def contains(item_type: Any, name: str, value: str) -> Says:
    """A condition on a list or set."""
    path = getattr(item_type, name)
    return says(f"{value!r} in {name}", name, lambda: attr(path).contains(value), lambda held: value in held)


leaves: Mapping[str, list[Says]] = {
    "Folder": [
        *leaves_of(Folder, "text", "ab"),
        *leaves_of(Folder, "hits", 1),
        *leaves_of(Folder, "stock", 5),
        *leaves_of(Folder, "genre", "jazz"),
        *leaves_of(Folder, "version", 2),
        contains(Folder, "tags", "a"),
        contains(Folder, "labels", "x"),
        says("text begins", "text", lambda: attr(Folder.text).begins_with("a"), lambda held: held.startswith("a")),
        says("home.city == 'a'", "home", lambda: attr(Folder.home.city) == "a", lambda held: held["city"] == "a"),
        says(
            "expression",
            "hits",
            lambda: Expression("#h > :one", names={"#h": "hits"}, values={":one": 1}),
            lambda held: held > 1,
        ),
    ],
    "Entry": [
        *leaves_of(Entry, "body", "ab"),
        *leaves_of(Entry, "score", 0),
        *leaves_of(Entry, "genre", "jazz"),
        *leaves_of(Entry, "rank", 1),
        contains(Entry, "labels", "x"),
    ],
    "Session": [*leaves_of(Session, "user", "ab"), *leaves_of(Session, "note", "b"), *leaves_of(Session, "views", 0)],
    "Reading": leaves_of(Reading, "value", Decimal(0)),
}


def both(one: Says, other: Says) -> Says:
    """Both hold."""
    return Says(
        f"({one.text} & {other.text})",
        lambda: one.make() & other.make(),
        lambda row: one.holds(row) and other.holds(row),
        one.attributes | other.attributes,
    )


def either(one: Says, other: Says) -> Says:
    """One holds."""
    return Says(
        f"({one.text} | {other.text})",
        lambda: one.make() | other.make(),
        lambda row: one.holds(row) or other.holds(row),
        one.attributes | other.attributes,
    )


def denied(one: Says) -> Says:
    """It does not hold."""
    return Says(f"~{one.text}", lambda: ~one.make(), lambda row: not one.holds(row), one.attributes)


def tests_of(name: str) -> st.SearchStrategy[Says]:
    """Conditions on an item type."""
    leaf = st.sampled_from(leaves[name])
    return st.one_of(leaf, leaf, st.builds(both, leaf, leaf), st.builds(either, leaf, leaf), st.builds(denied, leaf))


tests: Mapping[str, st.SearchStrategy[Says]] = {name: tests_of(name) for name in leaves}
