"""For any mix of operations on any rows, the failures are those that a model predicts, and order is kept (T1, T2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeAlias
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from logicaldb import (
    Attribute,
    Condition,
    ConditionFailed,
    Counter,
    CounterOutOfBounds,
    InlineView,
    Item,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    LogicalDb,
    LogicalTable,
    Operation,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    TransactionCanceled,
    TransactionWriteSet,
    Version,
    VersionConflict,
    attr,
)


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Box(Item):
    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="BOX")] = ""
    text: str
    stock: Annotated[int, Counter(minimum=0, maximum=10)] = 0
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Box"]):
        name: str


class Table(LogicalTable[Row]):
    boxes: InlineView[Box.Key, Box]


class Db(LogicalDb):
    table: Annotated[Table, TableName("boxes")]


State: TypeAlias = Box | None
"""What is stored; of version 0 is a row of the past, which has none."""


@dataclass(frozen=True)
class Step:
    """An operation on a row of its own.

    Attributes:
        kind: the method.
        stored: what is there.
        text: what is written.
        version: the version of the item that is written, or ``if_version``.
        by: what is added to the stock; 0 is an update of the text.
        condition: the text that must be stored; ``""`` that there is none.
    """

    kind: str
    stored: State
    text: str
    version: int | None
    by: int
    condition: str | None

    def named(self, name: str) -> Step:
        """The same for the row of a name."""
        stored = self.stored
        return replace(self, stored=None if stored is None else stored.replace(name=name))

    def add(self, writes: TransactionWriteSet, name: str) -> None:
        """Add the operation."""
        key = Box.Key(name)
        condition = self._condition()
        item = Box(name=name, text=self.text, stock=4, version=self.version or 0)
        match self.kind:
            case "save":
                writes.save(item, condition)
            case "put":
                writes.put(item, condition)
            case "create":
                writes.create(item.replace(version=0))
            case "update":
                update = attr(Box.stock).add(self.by) if self.by else attr(Box.text).set(self.text)
                writes.update(key, update, condition=condition, if_version=self.version)
            case "delete":
                writes.delete(item, condition)
            case "delete_key":
                writes.delete_key(key, condition)
            case _:
                writes.check_condition(key, attr(Box.text).exists() if condition is None else condition)

    def _condition(self) -> Condition | None:
        if self.condition is None:
            return None
        return attr(Box.text) == self.condition if self.condition else attr(Box.text).not_exists()

    def failure(self) -> type[ConditionFailed] | None:
        """What must come of it."""
        stored = self.stored
        if self.kind == "create":
            return None if stored is None else ItemAlreadyExists
        if self.kind == "update" and stored is None:
            return ItemNotFound
        expected = self.version if self.kind == "update" else self.version or 0
        checked = self.kind in ("save", "put", "delete", "update") and expected is not None
        if checked and expected != (0 if stored is None else stored.version):
            return VersionConflict
        if self.kind == "update" and stored is not None and not 0 <= stored.stock + self.by <= 10:
            return CounterOutOfBounds
        if self.condition is None:
            return ConditionFailed if self.kind == "check_condition" and stored is None else None
        holds = stored is None if not self.condition else stored is not None and stored.text == self.condition
        return None if holds else ConditionFailed

    def after(self, name: str) -> State:
        """What must be stored if nothing fails."""
        stored = self.stored
        version = 1 + (0 if stored is None else stored.version)
        match self.kind:
            case "save":
                return Box(name=name, text=self.text, stock=4 if stored is None else stored.stock, version=version)
            case "put" | "create":
                return Box(name=name, text=self.text, stock=4, version=version)
            case "update":
                assert stored is not None
                changes: dict[str, Any] = {"stock": stored.stock + self.by} if self.by else {"text": self.text}
                return stored.replace(version=version, **changes)
            case "delete" | "delete_key":
                return None
            case _:
                return stored


TEXTS = st.sampled_from(["a", "b"])

STATES: st.SearchStrategy[State] = st.none() | st.builds(
    Box, name=st.just(""), text=TEXTS, stock=st.integers(0, 10), version=st.integers(0, 2)
)

STEPS = st.builds(
    Step,
    kind=st.sampled_from(["save", "put", "create", "update", "delete", "delete_key", "check_condition"]),
    stored=STATES,
    text=TEXTS,
    version=st.none() | st.integers(0, 2),
    by=st.integers(-12, 12),
    condition=st.none() | TEXTS | st.just(""),
)


def likely(step: Step, willing: bool) -> Step:
    """Of random operations hardly a set would be written, so most of them ask for what is there."""
    if not willing:
        return step
    stored = step.stored
    if stored is None:
        kind = step.kind if step.kind in ("save", "put", "create", "delete", "delete_key") else "check_condition"
        return replace(step, kind=kind, version=None, condition="")
    kind = "save" if step.kind == "create" else step.kind
    by = max(-stored.stock, min(step.by, 10 - stored.stock))
    return replace(step, kind=kind, version=stored.version, by=by, condition=step.condition and stored.text)


WILLING = st.sampled_from([True] * 9 + [False])


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.builds(likely, STEPS, WILLING), min_size=1, max_size=8))
def test_the_failures_are_those_of_the_model(db: Db, steps: list[Step]) -> None:
    prefix = uuid4().hex
    names = [f"{prefix}-{number}" for number in range(len(steps))]
    steps = [step.named(name) for step, name in zip(steps, names, strict=True)]
    for step in steps:
        if step.stored is not None:
            store(db, step.stored)
    writes = TransactionWriteSet()
    for step, name in zip(steps, names, strict=True):
        step.add(writes, name)
    assert [operation.kind for operation in writes.operations] == [step.kind for step in steps]
    expected = [(index, step.failure()) for index, step in enumerate(steps) if step.failure() is not None]
    event(f"{min(len(expected), 3)} failures")
    if expected:
        with pytest.raises(TransactionCanceled) as raised:
            db.transaction_write(writes)
        failures = raised.value.failures
        assert [(one.index, type(one.error)) for one in failures] == expected
        for one in failures:
            check(one.operation, writes.operations[one.index], one.error, steps[one.index].stored)
        after = [step.stored for step in steps]
    else:
        items = db.transaction_write(writes)
        after = [step.after(name) for step, name in zip(steps, names, strict=True)]
        for item in items:
            assert item in after  # what is told to be written is what is stored
    found = db.transaction_load(Box.Key(name) for name in names)
    assert [found.get(Box.Key(name)) for name in names] == after
    assert list(found) == [item for item in after if item is not None]


def check(failed: Operation, asked: Operation, error: Any, stored: State) -> None:
    assert failed == asked
    assert str(failed) in str(error)
    assert error.item == stored


def store(db: Db, item: Box) -> None:
    values = {"pk": item.name, "sk": "BOX", "text": item.text, "stock": item.stock}
    db.table.raw.put(Row.model_validate(values | ({"version": item.version} if item.version else {})))


@pytest.fixture
def db(client: Any) -> Db:
    name = f"boxes-{uuid4().hex}"
    db = Db(client, table_name_resolver=lambda *_: name)
    db.create_tables()
    return db
