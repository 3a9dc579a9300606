"""What the rules of the machine over the whole interface have in common: the dbs, the model, and how they are compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis.stateful import RuleBasedStateMachine, invariant

from logicaldb import ConditionFailed, ItemNotFound, TransactionCanceled, VersionConflict
from tests.properties.whole_kinds import Place, Row
from tests.properties.whole_model import Done, Failed, Model, Op
from tests.properties.whole_strategies import updates_of
from tests.properties.whole_types import view_of

CHECK_EVERY: Final = 4
"""After how many steps all stored rows are compared."""


class Dbs:
    """Dbs of both modes over the same two tables, and their clock, which is the model's.

    Attributes:
        client: a boto3 client for what is done past the dbs.
        dbs: the dbs.
        tables: the names of the physical tables, by the model's.
        model: the model of the run under way.
    """

    def __init__(self, client: Any, make: Callable[[Callable[[], Any]], Sequence[Any]], tables: Mapping[str, str]):
        self.client = client
        self.tables = tables
        self.model = Model()
        self.dbs = make(lambda: self.model.now)

    def begin(self) -> Model:
        """A new run: empty tables, and a new model."""
        for table, name in self.tables.items():
            for row in self.scan(table):
                names = KEY_NAMES[table]
                self.client.delete_item(TableName=name, Key={key: row[key] for key in names})
        self.model = Model()
        return self.model

    def wire_key(self, place: Place) -> dict[str, Any]:
        """The key of a row as a client takes it."""
        table, partition, sort = place
        names = KEY_NAMES[table]
        return {names[0]: {"S": partition}, names[1]: {"S": sort} if table == "main" else {"N": str(sort)}}

    def scan(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table as they are stored."""
        pages = self.client.get_paginator("scan").paginate(TableName=self.tables[table], ConsistentRead=True)
        return [row for page in pages for row in page["Items"]]

    def stored(self) -> dict[Place, Row]:
        """All rows, as the model has them."""
        rows: dict[Place, Row] = {}
        for table, names in KEY_NAMES.items():
            for wire in self.scan(table):
                row = {name: plain_value(value) for name, value in wire.items()}
                partition, sort = (row.pop(name) for name in names)
                rows[table, partition, sort] = row
        return rows


KEY_NAMES: Final = {"main": ("pk", "sk"), "other": ("stream", "position")}


def plain_value(wire: Mapping[str, Any]) -> Any:
    """A value as boto3's client gives it."""
    ((tag, held),) = wire.items()
    match tag:
        case "N":
            return Decimal(held)
        case "SS":
            return frozenset(held)
        case "L":
            return [plain_value(value) for value in held]
        case "M":
            return {name: plain_value(value) for name, value in held.items()}
        case _:
            return held


class Base(RuleBasedStateMachine):
    """What all rules need.

    Each client holds the items as it last saw them, which may be long ago; what it holds may be written or deleted.
    """

    def __init__(self, around: Dbs) -> None:
        super().__init__()
        self.around = around
        self.model = around.begin()
        self.held: list[dict[Place, Any]] = [{} for _ in around.dbs]
        self.steps = 0

    def db(self, who: int) -> Any:
        """A db, of either mode."""
        return self.around.dbs[who % len(self.around.dbs)]

    def sees(self, who: int, place: Place, item: Any) -> None:
        """Note what a client has seen."""
        self.held[who % len(self.held)][place] = item

    def seen(self, who: int) -> Mapping[Place, Any]:
        """What a client has seen."""
        return self.held[who % len(self.held)]

    def fails(self, failed: Failed, op: Op, error: BaseException) -> None:
        """Compare an error with what is expected."""
        assert type(error) is failed.error, error
        assert isinstance(error, ConditionFailed)
        assert error.item == failed.shows
        assert error.undecodable is None
        assert (error.operation.kind, error.operation.key) == (op.method, op.key)
        if isinstance(error, VersionConflict):
            assert error.expected == failed.expected
        if isinstance(error, ItemNotFound):
            assert error.key == op.key

    def expect(self, op: Op, effect: Failed | Done, call: Callable[[], Any]) -> Any:
        """Do a write, which fails as expected and changes nothing, or gives what is expected."""
        if isinstance(effect, Failed):
            with pytest.raises(ConditionFailed) as raised:
                call()
            self.fails(effect, op, raised.value)
            return None
        result = call()
        assert result == effect.result
        self.model.store(op.place, effect.row)
        return result

    def expect_cancelled(
        self, ops: Sequence[Op], failed: Sequence[tuple[int, Failed]], error: TransactionCanceled
    ) -> None:
        """Compare the failures of a transaction with those expected."""
        assert type(error) is TransactionCanceled
        assert [failure.index for failure in error.failures] == [index for index, _ in failed]
        for failure, (index, one) in zip(error.failures, failed, strict=True):
            assert failure.code == "ConditionalCheckFailed"
            assert isinstance(failure.error, ConditionFailed)
            assert failure.operation == failure.error.operation
            self.fails(one, ops[index], failure.error)

    def teardown(self) -> None:
        self.compare()

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        """Compare all rows, every few steps."""
        self.steps += 1
        if self.steps % CHECK_EVERY == 0:
            self.compare()

    def compare(self) -> None:
        """Compare all rows."""
        assert self.around.stored() == self.model.rows


def send(db: Any, op: Op, *, by_view: bool, **token: Any) -> Any:
    """Do a write by itself, through the view or through the db."""
    target = view_of(db, op.kind.type) if by_view else db
    condition = None if op.test is None else op.test.make()
    match op.method:
        case "save" | "put":
            return getattr(target, op.method)(op.item, condition, **token)
        case "create":
            return target.create(op.item, **token)
        case "update":
            return target.update(
                op.key, *updates_of(op), condition=condition, if_version=op.if_version, upsert=op.upsert, **token
            )
        case "increment":
            counter = getattr(op.kind.type, op.changes[0].field)
            return target.increment(op.key, counter, op.changes[0].value, upsert=op.upsert, **token)
        case "delete":
            return target.delete(op.item, condition, **token)
        case _:
            return target.delete_key(op.key, condition, **token)


def add(writes: Any, op: Op) -> None:
    """Add an operation to the set of a transaction."""
    condition = None if op.test is None else op.test.make()
    match op.method:
        case "save" | "put" | "delete":
            getattr(writes, op.method)(op.item, condition)
        case "create":
            writes.create(op.item)
        case "update":
            writes.update(op.key, *updates_of(op), condition=condition, if_version=op.if_version, upsert=op.upsert)
        case "delete_key":
            writes.delete_key(op.key, condition)
        case _:
            assert condition is not None
            writes.check_condition(op.key, condition)
