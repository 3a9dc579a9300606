"""How each item type is stored, said without the package's code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

from logicaldb import Item, ItemKey
from tests.properties.whole_types import Entry, Folder, Home, Progress, Reading, Session

Row: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, str, Any]
"""The table, the partition key and the sort key."""

REQUIRED: Final = object()


def same(value: Any) -> Any:
    """A value that is stored as it is."""
    return value


@dataclass(frozen=True)
class Field:
    """How a field is stored.

    Attributes:
        attributes: where; it is read from the first.
        default: what an absent attribute reads as.
        write: makes what is stored; ``None`` is absent.
        read: the reverse.
        role: version, counter, created or updated.
        low: the least count.
        high: the greatest count.
    """

    attributes: tuple[str, ...]
    default: Any = REQUIRED
    write: Callable[[Any], Any] = same
    read: Callable[[Any], Any] = same
    role: str = ""
    low: int | None = None
    high: int | None = None

    def put(self, row: Row, value: Any) -> None:
        """Store a value, or nothing."""
        stored = None if value is None else self.write(value)
        for name in self.attributes:
            if stored is None:
                row.pop(name, None)
            else:
                row[name] = stored

    def get(self, row: Row) -> Any:
        """The value that a row holds."""
        stored = row.get(self.attributes[0])
        return self.default if stored is None else self.read(stored)


class Kind:
    """An item type; no dataclass, since hypothesis would show all of it with every step.

    Args:
        type_: it.
        fields: its fields beside the key.
        place: where an item or a key has its row.
        names: the fields of the key, by the key of the row.
    """

    def __init__(
        self,
        type_: type[Any],
        fields: Mapping[str, Field],
        place: Callable[[Any], Place],
        names: Callable[[Place], dict[str, Any] | None],
    ) -> None:
        self.type = type_
        self.fields = fields
        self.place = place
        self.names = names

    def __repr__(self) -> str:
        return self.type.__name__.upper()

    def item(self, place: Place, row: Row | None) -> Any:
        """The item of a row."""
        if row is None:
            return None
        names = self.names(place)
        assert names is not None
        return self.type(**names, **{name: one.get(row) for name, one in self.fields.items()})

    def key(self, place: Place) -> ItemKey[Any]:
        """The key of a row."""
        names = self.names(place)
        assert names is not None
        key: ItemKey[Any] = self.type.Key(**names)
        return key

    def of_role(self, role: str) -> dict[str, Field]:
        """The fields of a role."""
        return {name: one for name, one in self.fields.items() if one.role == role}


def strip(text: str, prefix: str) -> str | None:
    """What follows a prefix."""
    return text.removeprefix(prefix) if text.startswith(prefix) else None


def entry_names(place: Place) -> dict[str, Any] | None:
    """The fields of the key of an entry."""
    rest = strip(str(place[2]), "ENTRY_")
    if rest is None:
        return None
    section, _, number = rest.rpartition("#")
    return {"owner": place[1], "section": section, "number": int(number)}


def session_names(place: Place) -> dict[str, Any] | None:
    """The fields of the key of a session."""
    token = strip(str(place[2]), "SESSION_")
    return None if token is None else {"owner": place[1], "token": token}


def home_row(home: Home) -> Row:
    """A home as a map."""
    return {"city": home.city} | ({} if home.street is None else {"street": home.street})


def time_text(time: datetime) -> str:
    """A time as it is stored."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def time_of(text: str) -> datetime:
    """The time of a text."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def plain(name: str, default: Any = REQUIRED, **options: Any) -> Field:
    """A field of one attribute."""
    return Field((name,), default, **options)


SET: Final[dict[str, Any]] = {"default": set(), "write": lambda value: frozenset(value) or None, "read": set}
TIME: Final[dict[str, Any]] = {"default": None, "write": time_text, "read": time_of}

FOLDER = Kind(
    Folder,
    {
        "text": plain("text"),
        "home": plain("home", write=home_row, read=lambda row: Home(**row)),
        "tags": plain("tags", []),
        "labels": plain("labels", **SET),
        "genre": plain("genre", None),
        "hits": plain("hits", 0, role="counter"),
        "stock": plain("stock", 5, role="counter", low=0, high=10),
        "version": plain("version", 0, role="version"),
    },
    lambda of: ("main", of.owner, "FOLDER"),
    lambda place: {"owner": place[1]} if place[2] == "FOLDER" else None,
)
ENTRY = Kind(
    Entry,
    {
        "body": Field(("body", "body_copy")),
        "genre": plain("genre", None),
        "rank": plain("rank", None),
        "score": plain("score", 0),
        "labels": plain("labels", **SET),
    },
    lambda of: ("main", of.owner, f"ENTRY_{of.section}#{of.number:03}"),
    entry_names,
)
SESSION = Kind(
    Session,
    {
        "user": plain("user", "nobody"),
        "note": plain("note", None),
        "views": plain("views", 0, role="counter"),
        "created": plain("created", role="created", **TIME),
        "updated": plain("updated", role="updated", **TIME),
        "expires": plain(
            "expires",
            None,
            write=lambda time: int(time.timestamp()),
            read=lambda seconds: datetime.fromtimestamp(int(seconds), UTC),
        ),
    },
    lambda of: ("main", of.owner, f"SESSION_{of.token}"),
    session_names,
)
PROGRESS = Kind(
    Progress,
    {"applied": plain("applied", 0), "version": plain("version", 0, role="version")},
    lambda of: ("main", of.run, "PROGRESS"),
    lambda place: {"run": place[1]} if place[2] == "PROGRESS" else None,
)
READING = Kind(
    Reading,
    {"value": plain("value", None)},
    lambda of: ("other", of.stream, of.position),
    lambda place: {"stream": place[1], "position": int(place[2])} if place[0] == "other" else None,
)
KINDS: Final[Mapping[type[Item], Kind]] = {kind.type: kind for kind in (FOLDER, ENTRY, SESSION, PROGRESS, READING)}
