"""A plain model of what is stored: a dict of rows, and what every write makes of them, said without the package's code.

A row is a dict of its attributes beside the key, with numbers, text, lists, dicts and frozensets as values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from logicaldb import (
    Condition,
    ConditionFailed,
    CounterOutOfBounds,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    VersionConflict,
)
from tests.properties.whole_kinds import Kind, Place, Row


@dataclass(frozen=True)
class Says:
    """A condition, and what it says of a row; of no row it is asked with an empty one.

    Attributes:
        text: for messages.
        make: makes the condition.
        holds: what it says.
        attributes: what it is about.
    """

    text: str
    make: Callable[[], Condition] = field(repr=False)
    holds: Callable[[Row], bool] = field(repr=False)
    attributes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Change:
    """An update of a field.

    Attributes:
        field: the field; ``home.city`` is a part of one.
        method: the method of ``attr(...)``.
        value: what it takes; nothing of ``remove``.
    """

    field: str
    method: str
    value: Any = None

    def apply(self, kind: Kind, row: Row) -> None:
        """Do it to a row."""
        name, _, part = self.field.partition(".")
        one = kind.fields[name]
        if part:
            row[one.attributes[0]] = {**row[one.attributes[0]], part: self.value}
            return
        before = row.get(one.attributes[0])
        match self.method:
            case "set":
                one.put(row, self.value)
            case "set_if_not_exists" if before is None:
                one.put(row, self.value)
            case "remove":
                one.put(row, None)
            case "append":
                one.put(row, [*(before or []), *self.value])
            case "prepend":
                one.put(row, [*self.value, *(before or [])])
            case "add":
                one.put(row, (one.default if before is None else before) + self.value)
            case "add_to_set":
                one.put(row, (before or frozenset()) | self.value)
            case "delete_from_set":
                one.put(row, (before or frozenset()) - self.value)
            case _:
                pass

    def leaves_bounds(self, kind: Kind, row: Row) -> bool:
        """Whether a count would pass the bound that it moves towards."""
        one = kind.fields.get(self.field)
        if one is None or one.role != "counter" or self.method != "add":
            return False
        after = one.get(row) + self.value
        if self.value > 0:
            return one.high is not None and after > one.high
        return self.value < 0 and one.low is not None and after < one.low


@dataclass(frozen=True)
class Op:
    """A write that is asked for.

    Attributes:
        kind: the item type.
        method: the method of a view or of a set; ``clobber`` is that of a batch.
        key: the key.
        item: the item, where one is given.
        changes: the updates; of ``increment`` one.
        test: the condition.
        if_version: that of an update.
        upsert: whether it may make the row.
    """

    kind: Kind
    method: str
    key: ItemKey[Any]
    item: Any = None
    changes: tuple[Change, ...] = ()
    test: Says | None = None
    if_version: int | None = None
    upsert: bool = False

    @property
    def place(self) -> Place:
        """Where its row is."""
        return self.kind.place(self.key)


@dataclass(frozen=True)
class Failed:
    """What a write must raise, and what the error must show."""

    error: type[ConditionFailed]
    shows: Any = None
    expected: int | None = None


@dataclass(frozen=True)
class Done:
    """What a write makes of its row.

    Attributes:
        row: the row afterwards.
        result: what the method returns.
        told: the item as far as a transaction tells it.
    """

    row: Row | None
    result: Any = None
    told: Any = None


@dataclass
class Model:
    """What is stored.

    Attributes:
        now: the time.
        rows: all rows.
    """

    now: datetime = datetime(2100, 1, 1, tzinfo=UTC)  # so late that no engine deletes what expires
    rows: dict[Place, Row] = field(default_factory=dict[Place, Row])

    def tick(self, by: timedelta) -> None:
        """Let time go by."""
        self.now += by

    def load(self, kind: Kind, key: Any) -> Any:
        """The item of a key."""
        place = kind.place(key)
        return kind.item(place, self.rows.get(place))

    def of(self, kind: Kind) -> list[tuple[Place, Row]]:
        """The rows of a type in the order of their keys."""
        found = [(place, row) for place, row in self.rows.items() if kind.names(place) is not None]
        return sorted(found, key=lambda pair: pair[0])

    def store(self, place: Place, row: Row | None) -> None:
        """Change a row."""
        if row is None:
            self.rows.pop(place, None)
        else:
            self.rows[place] = row

    def effect(self, op: Op, *, together: bool = False, tokened: bool = False) -> Failed | Done:
        """What an operation does, or why it fails; nothing is changed.

        Args:
            op: the operation.
            together: whether it goes by a transaction, its own or a larger one.
            tokened: whether it goes under a token of the caller's.
        """
        before = self.rows.get(op.place)
        failure = self._failure(op, before)
        if failure is not None:
            return failure
        match op.method:
            case "save":
                return self._save(op, before, together=together)
            case "create" | "put" | "clobber":
                row = self._attributes(op)
                item = op.kind.item(op.place, row)
                return Done(row, item, item)
            case "update" | "increment":
                return self._change(op, before, tokened=tokened)
            case "delete" | "delete_key":
                return Done(None, op.kind.item(op.place, before))
            case _:
                return Done(before)

    def _failure(self, op: Op, before: Row | None) -> Failed | None:
        shows = op.kind.item(op.place, before)
        if op.method == "clobber":
            return None
        if op.method == "create":
            return None if before is None else Failed(ItemAlreadyExists, shows)
        if op.method in ("update", "increment") and before is None and not (op.upsert and not op.if_version):
            return Failed(ItemNotFound)
        expected = op.if_version
        versions = op.kind.of_role("version")
        for name, one in versions.items():
            if op.method in ("save", "put", "delete"):
                expected = getattr(op.item, name)
            if expected is not None and one.get(before or {}) != expected:
                return Failed(VersionConflict, shows, expected)
        if any(change.leaves_bounds(op.kind, before or {}) for change in op.changes):
            return Failed(CounterOutOfBounds, shows)
        if op.test is not None and not op.test.holds(before or {}):
            return Failed(ConditionFailed, shows)
        return None

    def _attributes(self, op: Op) -> Row:
        """The row of an item that is written now."""
        row: Row = {}
        for name, one in op.kind.fields.items():
            value = getattr(op.item, name)
            match one.role:
                case "version":
                    value += 1
                case "updated":
                    value = self.now
                case "created" if value is None:
                    value = self.now
                case _:
                    pass
            one.put(row, value)
        return row

    def _save(self, op: Op, before: Row | None, *, together: bool) -> Done:
        new = self._attributes(op)
        if not new and together:
            return Done({}, op.item, op.item)  # a put
        row = dict(before or {})
        for one in op.kind.fields.values():
            if one.role in ("counter", "created") and one.attributes[0] in row:
                continue
            for name in one.attributes:
                row.pop(name, None)
                if name in new:
                    row[name] = new[name]
        item = op.kind.item(op.place, row)
        kept = op.kind.of_role("counter") or op.kind.of_role("created")
        return Done(row, item, None if kept else item)

    def _change(self, op: Op, before: Row | None, *, tokened: bool) -> Done:
        kind, row = op.kind, dict(before or {})
        for change in op.changes:
            change.apply(kind, row)
        touched = {change.field.partition(".")[0] for change in op.changes}
        counting = op.method == "increment"
        for name, one in kind.fields.items():
            absent = one.attributes[0] not in row
            match one.role:
                case "version" if not counting:
                    one.put(row, one.get(row) + 1)
                case "updated" if not counting or (op.upsert and absent and not tokened):
                    one.put(row, self.now)
                case "created" if op.upsert and absent and not (counting and tokened):
                    one.put(row, self.now)
                case "" | "counter" if op.upsert and absent and name not in touched:
                    one.put(row, one.default)
                case _:
                    pass
        item = kind.item(op.place, row)
        return Done(row, getattr(item, op.changes[0].field) if counting else item)

    def together(self, ops: Sequence[Op]) -> list[tuple[int, Failed]]:
        """Do operations as one transaction; those that fail, and then nothing is changed."""
        effects = [self.effect(op, together=True) for op in ops]
        failed = [(index, effect) for index, effect in enumerate(effects) if isinstance(effect, Failed)]
        for op, effect in zip(ops, effects, strict=True):
            if not failed and isinstance(effect, Done) and op.method != "check_condition":
                self.store(op.place, effect.row)
        return failed
