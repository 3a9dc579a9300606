"""Every kind of write, by what a second application of it would do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from logicaldb import Item, attr
from tests.models import Db, Mark, Note, Row, Tally

Token = str | None


@dataclass(frozen=True)
class Case:
    """A write of the things of a name, which are there as ``prepare`` makes them.

    Attributes:
        title: what the write is, as messages call it.
        write: does it.
        effects: counts by what is stored how often it took effect; gets a database that no fault touches.
        label: what it is in the names of the tests, where the title does not tell.
    """

    title: str
    write: Callable[[Db, str, Token], Any]
    effects: Callable[[Db, str], int]
    label: str = ""

    def __str__(self) -> str:
        return self.label or self.title.partition("(")[0]

    def title_of(self, name: str) -> str:
        """The title, about the things of this name."""
        return self.title.format(name=name)


def prepare(db: Db, name: str) -> None:
    """Store a tally and a note of this name; there is no mark."""
    db.save(Tally(name=name, hits=5, stock=5, total=5, log=["a", "b"], tags={"a", "b"}))
    db.save(Note(name=name, hits=5, log=["a", "b"]))


def tally(db: Db, name: str) -> Tally | None:
    return db.load(Tally.Key(name), consistent_read=True)


def note(db: Db, name: str) -> Note | None:
    return db.load(Note.Key(name), consistent_read=True)


def stored_tally(db: Db, name: str) -> Tally:
    found = tally(db, name)
    assert found is not None
    return found


def stored_note(db: Db, name: str) -> Note:
    found = note(db, name)
    assert found is not None
    return found


def again(db: Db, item: Item) -> Item | None:
    """An item as it is stored."""
    key_type: Any = vars(type(item))["Key"]
    found: Item | None = db.load(key_type.of(item), consistent_read=True)
    return found


def hits(db: Db, name: str) -> int:
    return stored_tally(db, name).hits - 5


def log(db: Db, name: str) -> int:
    return len(stored_tally(db, name).log) - 2


def retold(db: Db, name: str) -> int:
    return {"old": 0, "new": 1}[stored_tally(db, name).text]


def new_tally(name: str) -> Tally:
    return Tally(name=name, text="new", total=5, log=["a", "b"], tags={"a", "b"})


def old_note(name: str) -> Note:
    """As it was stored."""
    return Note(name=name, hits=5, log=["a", "b"], version=1)


def versions(db: Db, name: str) -> int:
    return stored_note(db, name).version - 1


INCREMENT: Final = Case(
    "increment of Tally.Key(name='{name}')",
    lambda db, name, token: db.increment(Tally.Key(name), Tally.hits, idempotency_token=token),
    hits,
    "increment",
)

ADDING: Final = [
    INCREMENT,
    Case(
        "increment of Tally.Key(name='{name}')",
        lambda db, name, token: db.increment(Tally.Key(name), Tally.stock, -2, idempotency_token=token),
        lambda db, name: (5 - stored_tally(db, name).stock) // 2,
        "increment-within-bounds",
    ),
    Case(
        "increment of Tally.Key(name='{name}-new')",
        lambda db, name, token: db.increment(
            Tally.Key(f"{name}-new"), Tally.hits, upsert=True, idempotency_token=token
        ),
        lambda db, name: 0 if (found := tally(db, f"{name}-new")) is None else found.hits,
        "increment-that-makes-the-row",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(
            Tally.Key(name), attr(Tally.text).set("new"), attr(Tally.hits).add(1), idempotency_token=token
        ),
        hits,
        "add-to-counter",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(Tally.Key(name), attr(Tally.total).add(1), idempotency_token=token),
        lambda db, name: stored_tally(db, name).total - 5,
        "add-to-number",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(Tally.Key(name), attr(Tally.log).append(["c"]), idempotency_token=token),
        log,
        "append",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(Tally.Key(name), attr(Tally.log).prepend(["c"]), idempotency_token=token),
        log,
        "prepend",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(Tally.Key(name), attr(Tally.log)[7].set("c"), idempotency_token=token),
        log,
        "set-beyond-the-end",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(Tally.Key(name), attr(Tally.log)[0].remove(), idempotency_token=token),
        lambda db, name: -log(db, name),
        "remove-element",
    ),
    Case(
        "update of Note.Key(name='{name}')",
        lambda db, name, token: db.update(Note.Key(name), attr(Note.hits).add(1), idempotency_token=token),
        lambda db, name: stored_note(db, name).hits - 5,
        "add-without-if-version",
    ),
]
"""Done twice, they come to something else."""

SAVE: Final = Case(
    "save of Tally.Key(name='{name}')",
    lambda db, name, token: db.save(new_tally(name), idempotency_token=token),
    retold,
    "save",
)

REPEATING: Final = [
    SAVE,
    Case(
        "put of Tally.Key(name='{name}')",
        lambda db, name, token: db.put(new_tally(name), idempotency_token=token),
        retold,
        "put",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(Tally.Key(name), attr(Tally.text).set("new"), idempotency_token=token),
        retold,
        "set",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(Tally.Key(name), attr(Tally.tags).add_to_set(["c"]), idempotency_token=token),
        lambda db, name: len(stored_tally(db, name).tags) - 2,
        "add-to-set",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(
            Tally.Key(name), attr(Tally.tags).delete_from_set(["a"]), idempotency_token=token
        ),
        lambda db, name: 2 - len(stored_tally(db, name).tags),
        "delete-from-set",
    ),
    Case(
        "delete_key of Tally.Key(name='{name}')",
        lambda db, name, token: db.delete_key(Tally.Key(name), idempotency_token=token),
        lambda db, name: int(tally(db, name) is None),
        "delete-key",
    ),
    Case(
        "save of Mark.Key(name='{name}')",
        lambda db, name, token: db.save(Mark(name=name), idempotency_token=token),
        lambda db, name: int(db.load(Mark.Key(name), consistent_read=True) is not None),
        "save-of-keys-only",
    ),
]
"""Done twice, they come to the same."""

SAVE_VERSION: Final = Case(
    "save of Note.Key(name='{name}')",
    lambda db, name, token: db.save(old_note(name).replace(text="new"), idempotency_token=token),
    versions,
    "save-version",
)

CONDITIONAL: Final = [
    SAVE_VERSION,
    Case(
        "put of Note.Key(name='{name}')",
        lambda db, name, token: db.put(old_note(name).replace(text="new"), idempotency_token=token),
        versions,
        "put-version",
    ),
    Case(
        "delete of Note.Key(name='{name}')",
        lambda db, name, token: db.delete(old_note(name), idempotency_token=token),
        lambda db, name: int(note(db, name) is None),
        "delete-version",
    ),
    Case(
        "create of Note.Key(name='{name}-new')",
        lambda db, name, token: db.create(Note(name=f"{name}-new"), idempotency_token=token),
        lambda db, name: 0 if (found := note(db, f"{name}-new")) is None else found.version,
        "create",
    ),
    Case(
        "update of Note.Key(name='{name}')",
        lambda db, name, token: db.update(
            Note.Key(name), attr(Note.text).set("new"), if_version=1, idempotency_token=token
        ),
        versions,
        "set-if-version",
    ),
    Case(
        "update of Note.Key(name='{name}')",
        lambda db, name, token: db.update(
            Note.Key(name),
            attr(Note.hits).add(1),
            attr(Note.log).append(["c"]),
            if_version=1,
            idempotency_token=token,
        ),
        lambda db, name: stored_note(db, name).hits - 5,
        "add-if-version",
    ),
    Case(
        "save of Tally.Key(name='{name}')",
        lambda db, name, token: db.save(new_tally(name), attr(Tally.text) == "old", idempotency_token=token),
        retold,
        "save-on-condition",
    ),
    Case(
        "put of Tally.Key(name='{name}')",
        lambda db, name, token: db.put(new_tally(name), attr(Tally.text) == "old", idempotency_token=token),
        retold,
        "put-on-condition",
    ),
    Case(
        "update of Tally.Key(name='{name}')",
        lambda db, name, token: db.update(
            Tally.Key(name),
            attr(Tally.text).set("new"),
            condition=attr(Tally.text) == "old",
            idempotency_token=token,
        ),
        retold,
        "set-on-condition",
    ),
    Case(
        "delete_key of Tally.Key(name='{name}')",
        lambda db, name, token: db.delete_key(Tally.Key(name), attr(Tally.text) == "old", idempotency_token=token),
        lambda db, name: int(tally(db, name) is None),
        "delete-on-condition",
    ),
]
"""Done twice, the second time fails."""


def row(name: str, **attributes: Any) -> Row:
    return Row(pk=name, sk="RAW", **attributes)


def raw_row(db: Db, name: str) -> Row | None:
    return db.table.raw.load(row(name), consistent_read=True)


RAW: Final = [
    Case(
        "PutItem of Row(pk='{name}', sk='RAW')",
        lambda db, name, _: db.table.raw.put(row(name, text="new")),
        lambda db, name: int(raw_row(db, name) is not None),
        "raw-put",
    ),
    Case(
        "DeleteItem of Row(pk='{name}', sk='TALLY')",
        lambda db, name, _: db.table.raw.delete(Row(pk=name, sk="TALLY")),
        lambda db, name: int(tally(db, name) is None),
        "raw-delete",
    ),
]
"""Writes of raw rows, which take no token; done twice, they come to the same."""
