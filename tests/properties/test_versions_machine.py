"""Two clients write the same items in any order, and what is stored is always what a plain model says.

So no update is lost, nothing that was deleted comes back, and every count is exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from logicaldb import (
    Attribute,
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
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    Version,
    VersionConflict,
    attr,
)
from logicaldb.testing import DynamoDbLocal, in_process_dynamodb
from logicaldb.testing.clients import make_test_client


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Note(Item):
    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="NOTE")] = ""
    text: str = "none"
    hits: Annotated[int, Counter()] = 0
    stock: Annotated[int, Counter(initial=5, minimum=0, maximum=10)] = 5
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Note"]):
        name: str


class Table(LogicalTable[Row]):
    notes: InlineView[Note.Key, Note]


class Db(LogicalDb):
    table: Annotated[Table, TableName("notes")]


@dataclass(frozen=True)
class Stored:
    """A row as the model has it."""

    text: str
    hits: int
    stock: int
    version: int


@dataclass(frozen=True)
class Failed:
    """What a write is to raise, and the row that the error is to show."""

    error: type[ConditionFailed]
    shows: Stored | None


clients = st.sampled_from([0, 1])
names = st.sampled_from(["a", "b"])
texts = st.text("xyz", max_size=3)
amounts = st.integers(-7, 7)
yes_or_no = st.booleans()


class TwoClients(RuleBasedStateMachine):
    """Each client holds an item of each name as it last saw it, which may be long ago; at first a new one."""

    def __init__(self, dbs: tuple[Db, Db]) -> None:
        super().__init__()
        self.dbs = dbs
        self.prefix = uuid4().hex
        self.rows: dict[str, Stored] = {}
        self.held = {(client, name): Note(name=self.prefix + name) for client in (0, 1) for name in ("a", "b")}

    # What writes are to do, said in plain Python.

    def item(self, name: str, row: Stored | None) -> Note | None:
        if row is None:
            return None
        return Note(name=self.prefix + name, text=row.text, hits=row.hits, stock=row.stock, version=row.version)

    def key(self, name: str) -> Note.Key:
        return Note.Key(self.prefix + name)

    def conflict(self, name: str, version: int) -> Failed | None:
        row = self.rows.get(name)
        stored = 0 if row is None else row.version
        return None if stored == version else Failed(VersionConflict, row)

    def check(
        self, client: int, name: str, write: Callable[[], Any], expected: Failed | None, then: Callable[[], Any]
    ) -> Any:
        """Do a write; it fails as expected, or its result is that of the model.

        The client sees what is stored by an error too, but goes on with what it holds: it fails again.
        """
        if expected is None:
            result = write()
            assert result == then()
            if isinstance(result, Note):
                self.held[client, name] = result
            return
        with pytest.raises(ConditionFailed) as raised:
            write()
        assert type(raised.value) is expected.error
        assert raised.value.item == self.item(name, expected.shows)

    def applied(self) -> int:
        """How often the service did the last write."""
        return 1

    def store(self, name: str, row: Stored) -> Note | None:
        self.rows[name] = row
        return self.item(name, row)

    def options(self, with_token: bool) -> dict[str, Any]:
        return {"idempotency_token": uuid4().hex} if with_token else {}

    # What the clients do.

    @rule(client=clients, name=names)
    def load(self, client: int, name: str) -> None:
        found = self.dbs[client].load(self.key(name), consistent_read=True)
        assert found == self.item(name, self.rows.get(name))
        self.held[client, name] = found or Note(name=self.prefix + name)

    @rule(client=clients, name=names, text=texts, hits=amounts, put=yes_or_no, token=yes_or_no)
    def write_whole(self, client: int, name: str, text: str, hits: int, put: bool, token: bool) -> None:
        """A save or a put of what is held, with another text and another count."""
        held = self.held[client, name].replace(text=text, hits=hits)
        db, before = self.dbs[client], self.rows.get(name)
        counts = (held.hits, held.stock) if put or before is None else (before.hits, before.stock)
        self.check(
            client,
            name,
            lambda: (db.put if put else db.save)(held, **self.options(token)),
            self.conflict(name, held.version),
            lambda: self.store(name, Stored(text, *counts, held.version + 1)),
        )

    @rule(client=clients, name=names, text=texts, hits=amounts, token=yes_or_no)
    def create(self, client: int, name: str, text: str, hits: int, token: bool) -> None:
        new = Note(name=self.prefix + name, text=text, hits=hits)
        before = self.rows.get(name)
        self.check(
            client,
            name,
            lambda: self.dbs[client].create(new, **self.options(token)),
            None if before is None else Failed(ItemAlreadyExists, before),
            lambda: self.store(name, Stored(text, hits, 5, 1)),
        )

    @rule(client=clients, name=names, text=texts, by=st.none() | amounts, use_version=yes_or_no, token=yes_or_no)
    def update(self, client: int, name: str, text: str, by: int | None, use_version: bool, token: bool) -> None:
        before = self.rows.get(name)
        version = self.held[client, name].version
        expected = None
        if before is None:
            expected = Failed(ItemNotFound, None)
        elif use_version:
            expected = self.conflict(name, version)
        updates = [attr(Note.text).set(text)]
        if by is not None:
            updates.append(attr(Note.hits).add(by))
        self.check(
            client,
            name,
            lambda: self.dbs[client].update(
                self.key(name), *updates, if_version=version if use_version else None, **self.options(token)
            ),
            expected,
            lambda: self.store(
                name,
                replace(
                    self.rows[name],
                    text=text,
                    hits=self.rows[name].hits + (by or 0),
                    # What only sets may be sent again, and then moves the version on again; under a token it does not.
                    version=self.rows[name].version + (1 if token else self.applied()),
                ),
            ),
        )

    @rule(client=clients, name=names, by=amounts, bounded=yes_or_no, upsert=yes_or_no, token=yes_or_no)
    def increment(self, client: int, name: str, by: int, bounded: bool, upsert: bool, token: bool) -> None:
        before = self.rows.get(name)
        row = before or Stored("none", 0, 5, 0)
        after = replace(row, stock=row.stock + by) if bounded else replace(row, hits=row.hits + by)
        expected = None
        if before is None and not upsert:
            expected = Failed(ItemNotFound, None)
        elif not 0 <= after.stock <= 10:
            expected = Failed(CounterOutOfBounds, before)

        def then() -> int:
            self.rows[name] = after
            return after.stock if bounded else after.hits

        counter = Note.stock if bounded else Note.hits
        self.check(
            client,
            name,
            lambda: self.dbs[client].increment(self.key(name), counter, by, upsert=upsert, **self.options(token)),
            expected,
            then,
        )

    @rule(client=clients, name=names, by_key=yes_or_no, token=yes_or_no)
    def delete(self, client: int, name: str, by_key: bool, token: bool) -> None:
        db, held = self.dbs[client], self.held[client, name]

        def write() -> Note | None:
            if by_key:
                return db.delete_key(self.key(name), **self.options(token))
            return db.delete(held, **self.options(token))

        def then() -> Note | None:
            old = self.item(name, self.rows.pop(name, None))
            # The answer to a delete that was sent again is that of one that found nothing.
            return old if token or self.applied() == 1 else None

        self.check(client, name, write, None if by_key else self.conflict(name, held.version), then)

    @invariant()
    def what_is_stored_is_what_the_model_says(self) -> None:
        for number, name in enumerate(("a", "b")):
            assert self.dbs[number].load(self.key(name), consistent_read=True) == self.item(name, self.rows.get(name))


def make_dbs(*clients: Any) -> tuple[Db, Db]:
    """Two databases on one new table, each with a client of its own."""
    table = f"notes-{uuid4().hex}"
    first, second = (Db(client, table_name_resolver=lambda *_: table) for client in clients)
    first.create_tables()
    return first, second


def run_machine(dbs: tuple[Db, Db], *, examples: int) -> None:
    class Machine(TwoClients):
        def __init__(self) -> None:
            super().__init__(dbs)

    run_state_machine_as_test(Machine, settings=settings(max_examples=examples, stateful_step_count=25))


def test_on_moto() -> None:
    with in_process_dynamodb() as client:
        run_machine(make_dbs(client, make_test_client(client.meta.endpoint_url, "us-east-1")), examples=25)


def test_on_dynamodb_local(dynamodb_local: DynamoDbLocal) -> None:
    run_machine(make_dbs(dynamodb_local.client(), dynamodb_local.client()), examples=12)
