"""What the machine over the whole interface is asked to do, drawn before it is known what is stored."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from logicaldb import Item, ItemKey, attr
from tests.properties.whole_conditions import leaves, tests
from tests.properties.whole_kinds import ENTRY, FOLDER, READING, SESSION, Kind
from tests.properties.whole_model import Change, Model, Op, Says
from tests.properties.whole_types import Entry, Folder, Home, Reading, Session

OWNERS: Final = ["ann", "ann#b"]
GENRES: Final = ["jazz", "jazzy"]
owners = st.sampled_from(OWNERS)
sections = st.sampled_from(["a", "ab"])
numbers = st.sampled_from([2, 10])
tokens = st.sampled_from(["x", "xy", "￮", "\U0001f600"])
positions = st.sampled_from([-2, 9, 10])

keys: Mapping[str, st.SearchStrategy[ItemKey[Any]]] = {
    "Folder": st.builds(Folder.Key, owner=owners),
    "Entry": st.builds(Entry.Key, owner=owners, section=sections, number=numbers),
    "Session": st.builds(Session.Key, owner=owners, token=tokens),
    "Reading": st.builds(Reading.Key, stream=st.just("r"), position=positions),
}

texts = st.sampled_from(["", "a", "ab", "b"])
labels = st.frozensets(st.sampled_from(["x", "y", "z"]), max_size=3)
some_labels = st.frozensets(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=2)
genres = st.none() | st.sampled_from(GENRES)
small = st.integers(-3, 3)
tags = st.lists(texts, max_size=2)
some_tags = st.lists(texts, min_size=1, max_size=2)
homes = st.builds(Home, city=texts, street=st.none() | texts)
times = st.none() | st.builds(
    lambda days, micro: datetime.fromisoformat("2100-06-01T00:00:00+00:00") + timedelta(days=days, microseconds=micro),
    st.integers(0, 3),
    st.sampled_from([0, 500_000]),
)
values = st.none() | st.sampled_from([Decimal("-1.5"), Decimal(0), Decimal("1E+30")])

items: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "Folder": st.fixed_dictionaries(
        {"text": texts, "home": homes},
        optional={"tags": tags, "labels": labels, "genre": genres, "hits": small, "stock": st.integers(0, 10)},
    ),
    "Entry": st.fixed_dictionaries(
        {"body": texts, "genre": genres, "rank": st.none() | small}, optional={"score": small, "labels": labels}
    ),
    "Session": st.fixed_dictionaries(
        {"user": texts}, optional={"note": st.none() | texts, "views": small, "expires": times}
    ),
    "Reading": st.fixed_dictionaries({"value": values}),
}
"""The fields of items, beside the keys."""


def many_items(seed: int) -> list[Item]:
    """Items of all types under most of the keys, so that there is something to read; of the same seed the same."""
    pick = random.Random(seed)

    def genre() -> str | None:
        return pick.choice([*GENRES, None])

    some: list[Item] = [
        Entry(
            owner=owner,
            section=section,
            number=number,
            body=pick.choice("ab"),
            genre=genre(),
            rank=pick.choice([-1, 0, 1, 2, None]),
            labels=set(pick.choice(["", "x", "xy"])),
        )
        for owner in OWNERS
        for section in ("a", "ab")
        for number in (2, 10)
    ]
    some += [
        Folder(owner=owner, text="ab", home=Home(city="a"), genre=genre(), stock=pick.randint(0, 10))
        for owner in OWNERS
    ]
    some += [
        Session(owner=owner, token=token, user=pick.choice("ab")) for owner in OWNERS for token in ("x", "xy", "\uffee")
    ]
    some += [Reading(stream="r", position=position) for position in (-2, 9, 10)]
    return pick.sample(some, pick.randint(len(some) // 2, len(some)))


def change(field_: str, method: str, of: st.SearchStrategy[Any]) -> st.SearchStrategy[Change]:
    """An update."""
    return st.builds(Change, st.just(field_), st.just(method), of)


def settable(field_: str, of: st.SearchStrategy[Any]) -> list[st.SearchStrategy[Change]]:
    """The updates of a field that may be absent."""
    return [
        change(field_, "set", of),
        change(field_, "set_if_not_exists", of.filter(lambda value: value is not None and value != frozenset())),
        change(field_, "remove", st.none()),
    ]


changes: Mapping[str, st.SearchStrategy[Change]] = {
    "Folder": st.one_of(
        change("text", "set", texts),
        change("home", "set", homes),
        change("home.city", "set", texts),
        *settable("tags", tags),
        change("tags", "append", some_tags),
        change("tags", "prepend", some_tags),
        *settable("labels", labels),
        change("labels", "add_to_set", some_labels),
        change("labels", "delete_from_set", some_labels),
        *settable("genre", genres),
        change("hits", "add", small),
        change("stock", "add", st.integers(-7, 7)),
    ),
    "Entry": st.one_of(
        change("body", "set", texts),
        change("body", "set_if_not_exists", texts),
        *settable("genre", genres),
        *settable("rank", small),
        *settable("score", small),
        change("score", "add", small),
        change("labels", "add_to_set", some_labels),
        change("labels", "delete_from_set", some_labels),
    ),
    "Session": st.one_of(
        *settable("user", texts),
        *settable("note", texts),
        change("views", "add", small),
        *settable("expires", times),
    ),
    "Reading": st.one_of(*settable("value", values)),
}
COUNTERS: Final = {"Folder": ["hits", "stock"], "Session": ["views"]}


def updates_of(op: Op) -> list[Any]:
    """The updates as the package takes them."""
    made: list[Any] = []
    for one in op.changes:
        path: Any = op.kind.type
        for name in one.field.split("."):
            path = getattr(path, name)
        arguments = () if one.method == "remove" else (one.value,)
        made.append(getattr(attr(path), one.method)(*arguments))
    return made


@dataclass(frozen=True)
class Intent:
    """A write that is to be asked for; what depends on what is stored is found when its turn comes.

    Attributes:
        kind: the item type.
        method: the method.
        key: the key.
        values: the fields of the item.
        source: what item is written: a new one, the one that the client saw last, or the one that is stored.
        changes: the updates.
        test: the condition.
        if_version: the version of an update, as the source has it.
        upsert: whether an update may make the row.
    """

    kind: Kind
    method: str
    key: ItemKey[Any]
    values: dict[str, Any]
    source: str
    changes: tuple[Change, ...]
    test: Says | None
    if_version: bool
    upsert: bool

    def op(self, model: Model, held: Mapping[Any, Any]) -> Op:
        """The write as it is asked for now."""
        place = self.kind.place(self.key)
        stored = self.kind.item(place, model.rows.get(place))
        base = {"new": None, "held": held.get(place), "stored": stored}[self.source]
        names = {name: getattr(self.key, name) for name in type(self.key).model_fields}
        versions = self.kind.of_role("version")
        version = next((0 if base is None else getattr(base, name) for name in versions), None)
        test = None if self.method == "create" else self.test
        match self.method:
            case "create":
                item = self.kind.type(**names, **self.values)
                return Op(self.kind, "create", self.key, item)
            case "save" | "put" | "delete":
                item = self.kind.type(**names, **self.values) if base is None else base.replace(**self.values)
                return Op(self.kind, self.method, self.key, item, test=test)
            case "update":
                given = {change.field for change in self.changes}
                upsert = self.upsert and given.issuperset(REQUIRED_FIELDS[self.kind.type.__name__])
                # What only removes makes no row; the other types have fields that every update sets.
                upsert = upsert and (self.kind is not READING or any(one.value is not None for one in self.changes))
                return Op(
                    self.kind,
                    "update",
                    self.key,
                    changes=self.changes,
                    test=test,
                    if_version=version if self.if_version else None,
                    upsert=upsert,
                )
            case "check_condition":
                return Op(self.kind, self.method, self.key, test=test or leaves[self.kind.type.__name__][0])
            case _:
                return Op(self.kind, self.method, self.key, test=test)


REQUIRED_FIELDS: Final = {"Folder": {"text", "home"}, "Entry": {"body"}, "Session": set[str](), "Reading": set[str]()}
MAKING: Final = {
    "Folder": (Change("text", "set", "made"), Change("home", "set", Home(city="made"))),
    "Entry": (Change("body", "set", "made"),),
    "Session": (),
    "Reading": (),
}
"""What an update must set to make the row."""

KIND_NAMES: Final = {"Folder": FOLDER, "Entry": ENTRY, "Session": SESSION, "Reading": READING}
names_of_kinds = st.sampled_from(["Folder", "Folder", "Folder", "Entry", "Entry", "Session", "Session", "Reading"])
SINGLE: Final = ["save", "save", "put", "create", "update", "update", "update", "delete", "delete_key"]


@st.composite
def intents(draw: st.DrawFn, methods: Sequence[str] = SINGLE) -> Intent:
    """Any write."""
    name, method = draw(names_of_kinds), draw(st.sampled_from(methods))
    upsert, several = False, list[Change]()
    if method == "update":
        upsert = draw(st.booleans())
        one_each = st.lists(changes[name], min_size=1, max_size=3, unique_by=lambda one: one.field.partition(".")[0])
        taken = {one.field for one in MAKING[name]} if upsert else set[str]()
        several = [one for one in draw(one_each) if one.field.partition(".")[0] not in taken]
        several = [*(MAKING[name] if upsert else ()), *several]
    return Intent(
        KIND_NAMES[name],
        method,
        draw(keys[name]),
        draw(items[name]) if method in ("save", "put", "create", "delete") else {},
        draw(st.sampled_from(["stored", "stored", "held", "held", "new"])),
        tuple(several),
        # Most writes should be done.
        draw(tests[name]) if draw(st.sampled_from([False, False, False, True])) else None,
        name == "Folder" and draw(st.booleans()),
        upsert,
    )


@st.composite
def increments(draw: st.DrawFn) -> Op:
    """Any addition to a counter; the upsert of a folder is refused, since it lacks fields."""
    name = draw(st.sampled_from(["Folder", "Folder", "Session"]))
    counter = draw(st.sampled_from(COUNTERS[name]))
    by = draw(st.integers(-7, 7))
    kind, key = KIND_NAMES[name], draw(keys[name])
    return Op(kind, "increment", key, changes=(Change(counter, "add", by),), upsert=draw(st.booleans()))
