"""Transactions on every engine: snapshots, all or nothing, and failures in the terms of the caller (T1 to T4, T7, V4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from datetime import timedelta
from typing import Annotated, Any, Literal, TypeAlias
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from logicaldb import (
    Attribute,
    ConditionFailed,
    CounterOutOfBounds,
    DuplicateItem,
    EncodingError,
    InlineView,
    Item,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    LimitExceeded,
    LogicalDb,
    LogicalDbError,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    attr,
)
from logicaldb.testing import LogicalDbFactory
from tests.engines import code_of
from tests.integration.test_write_paths import START, Album, Playlist, Row, Table, Thing, World, make_world
from tests.modes import Mode

LATER = START + timedelta(days=30)

Recorder: TypeAlias = Callable[[Any], AbstractContextManager[list[tuple[str, Any]]]]


class Entry(RawItem):
    number: Annotated[int, PartitionKey()]
    page: Annotated[str, SortKey()]


class Note(Item):
    """Its table has keys of its own."""

    number: int
    page: Annotated[Literal[""], Attribute(prefix="NOTE")] = ""
    text: str = ""

    class Key(ItemKey["Note"]):
        number: int


class Bare(Item):
    """Keys alone."""

    number: int
    page: Annotated[Literal[""], Attribute(prefix="BARE")] = ""

    class Key(ItemKey["Bare"]):
        number: int


class Book(LogicalTable[Entry]):
    notes: InlineView[Note.Key, Note]
    bares: InlineView[Bare.Key, Bare]


class Db(LogicalDb):
    table: Annotated[Table, TableName("things")]
    book: Annotated[Book, TableName("book")]


class Twice(LogicalDb):
    book: Annotated[Book, TableName("book")]
    archive: Annotated[Book, TableName("archive")]


@pytest.fixture
def db(mode: Mode) -> Db:
    return mode.make(Db)


def everything(db: Db) -> list[Any]:
    """All rows of both tables."""
    rows = [*db.table.raw.scan_all_contents(consistent_read=True), *db.book.raw.scan_all_contents(consistent_read=True)]
    return sorted(map(repr, rows))


# Loads.


def test_a_snapshot_of_two_tables_in_the_order_of_the_keys(db: Db, recorder: Recorder) -> None:
    thing, note, album = Thing(name="a"), Note(number=7, text="n"), Album(token="A", artist="x")
    thing, note, album = db.save(thing), db.save(note), db.save(album)
    keys: list[ItemKey[Any]] = [
        Album.Key("A"),
        Note.Key(7),
        Thing.Key("none"),
        Thing.Key("a"),
        Note.Key(8),
        Note.Key(7),
    ]
    with recorder(db) as requests:
        items = db.transaction_load(*keys)
    assert list(items) == [album, note, thing]
    assert items.missing == [Thing.Key("none"), Note.Key(8)]
    assert (items.get_items(Note), items.get(Album.Key("A")), items.get(Thing.Key("none"))) == ([note], album, None)
    assert [operation for operation, _ in requests] == ["TransactGetItems"]
    for same in (db.transaction_load(keys), db.transaction_load(key for key in keys)):
        assert (list(same), same.missing) == (list(items), items.missing)


def test_100_items_are_loaded_at_once_and_101_are_not(db: Db, recorder: Recorder) -> None:
    writes = TransactionWriteSet()
    for number in range(0, 100, 2):
        writes.save(Note(number=number, text=str(number)))
    db.transaction_write(writes)
    with recorder(db) as requests:
        items = db.transaction_load(Note.Key(number) for number in reversed(range(100)))
        assert [item.number for item in items.get_items(Note)] == list(reversed(range(0, 100, 2)))
        assert items.missing == [Note.Key(number) for number in reversed(range(1, 100, 2))]
        assert len(requests) == 1
        with pytest.raises(LimitExceeded):
            db.transaction_load(Note.Key(number) for number in range(101))
        assert len(requests) == 1


def test_two_keys_of_one_row_are_refused(db: Db, recorder: Recorder) -> None:
    with recorder(db) as requests, pytest.raises(DuplicateItem) as error:
        db.transaction_load(Album.Key("A"), Playlist.Key("A"))
    assert str(error.value) == "Album.Key(token='A') and Playlist.Key(token='A') are keys of one row"
    assert requests == []


# Writes.


def one_of_each(tag: str, text: str) -> TransactionWriteSet:
    """Every operation, each on a row of its own."""
    return (
        TransactionWriteSet()
        .check_condition(Note.Key(1), attr(Note.text) == text)
        .save(Thing(name=f"{tag}-save", text=text))
        .create(Note(number=2, text=text))
        .put(Thing(name=f"{tag}-put", text=text))
        .update(Note.Key(3), attr(Note.text).set(text))
        .delete(Thing(name=f"{tag}-delete", version=1))
        .delete_key(Note.Key(4))
    )


def test_all_of_it_in_the_order_of_the_caller(db: Db, recorder: Recorder) -> None:
    for number in (1, 3, 4):
        db.save(Note(number=number, text="new"))
    db.save(Thing(name="x-delete"))
    with recorder(db) as requests:
        items = db.transaction_write(one_of_each("x", "new"))
    ((operation, body),) = requests
    assert operation == "TransactWriteItems"
    actions = ["ConditionCheck", "Update", "Put", "Put", "Update", "Delete", "Delete"]
    assert [next(iter(action)) for action in body["TransactItems"]] == actions
    tables = [next(iter(action.values()))["TableName"].partition("-")[0] for action in body["TransactItems"]]
    assert tables == ["book", "things", "book", "things", "book", "things", "book"]
    saved, put = db.load(Thing.Key("x-save")), db.load(Thing.Key("x-put"))
    assert saved is not None
    assert (saved.text, saved.version) == ("new", 1)
    assert list(items) == [Note(number=2, text="new"), put]
    assert items.missing == [Note.Key(1), Thing.Key("x-save"), Note.Key(3), Thing.Key("x-delete"), Note.Key(4)]
    found = db.transaction_load([operation.key for operation in one_of_each("x", "").operations])
    assert found.missing == [Thing.Key("x-delete"), Note.Key(4)]
    assert db.load(Note.Key(3)) == Note(number=3, text="new")


@pytest.mark.parametrize("wrong", range(7))
def test_or_nothing(db: Db, wrong: int) -> None:
    """T1: whichever of the operations fails."""
    for number in (1, 3, 4):
        db.save(Note(number=number, text="new"))
    db.save(Thing(name="x-delete"))
    spoil: list[Callable[[], object]] = [
        lambda: db.save(Note(number=1, text="other")),
        lambda: db.save(Thing(name="x-save")),
        lambda: db.save(Note(number=2)),
        lambda: db.save(Thing(name="x-put")),
        lambda: db.delete_key(Note.Key(3)),
        lambda: db.update(Thing.Key("x-delete"), attr(Thing.text).set("x")),
        lambda: db.save(Note(number=4, text="other")),
    ]
    spoil[wrong]()
    before = everything(db)
    writes = TransactionWriteSet()
    for operation in one_of_each("x", "new").operations[:6]:
        writes._add(operation)
    writes.delete_key(Note.Key(4), attr(Note.text) == "new")
    with pytest.raises(TransactionCanceled) as error:
        db.transaction_write(writes)
    assert [one.index for one in error.value.failures] == [wrong]
    assert error.value.failures[0].operation == writes.operations[wrong]
    assert everything(db) == before


def test_each_failure_is_that_of_its_operation(db: Db) -> None:
    """T2: typed, with the stored item, at its place, among operations that do not fail."""
    stored = {
        name: db.create(Thing(name=name, text="stored")) for name in ("save", "put", "delete", "bounds", "version")
    }
    db.save(Note(number=1, text="stored"))
    db.save(Note(number=2, text="stored"))
    db.save(Note(number=3, text="stored"))
    writes = (
        TransactionWriteSet()
        .save(Thing(name="fine"))
        .save(Thing(name="save", version=4))
        .create(Note(number=1))
        .put(Thing(name="put"))
        .update(Note.Key(77), attr(Note.text).set("new"))
        .create(Note(number=78))
        .update(Thing.Key("bounds"), attr(Thing.stock).add(6))
        .update(Thing.Key("version"), attr(Thing.text).set("new"), if_version=2)
        .delete(Thing(name="delete", version=9))
        .delete_key(Note.Key(2), attr(Note.text) == "other")
        .check_condition(Note.Key(3), attr(Note.text) == "other")
        .check_condition(Note.Key(79), attr(Note.text).exists())
        .delete(Thing(name="gone", version=1))
        .save(Bare(number=80))
    )
    before = everything(db)
    with pytest.raises(TransactionCanceled) as raised:
        db.transaction_write(writes)
    failures = raised.value.failures
    told: list[Any] = [one.error for one in failures]
    assert [(one.index, type(one.error)) for one in failures] == [
        (1, VersionConflict),
        (2, ItemAlreadyExists),
        (3, VersionConflict),
        (4, ItemNotFound),
        (6, CounterOutOfBounds),
        (7, VersionConflict),
        (8, VersionConflict),
        (9, ConditionFailed),
        (10, ConditionFailed),
        (11, ConditionFailed),
        (12, VersionConflict),
    ]
    assert [error.item for error in told] == [
        stored["save"],
        Note(number=1, text="stored"),
        stored["put"],
        None,
        stored["bounds"],
        stored["version"],
        stored["delete"],
        Note(number=2, text="stored"),
        Note(number=3, text="stored"),
        None,
        None,
    ]
    assert [error.expected for error in told if isinstance(error, VersionConflict)] == [4, 0, 2, 9, 1]
    assert {one.code for one in failures} == {"ConditionalCheckFailed"}
    assert str(raised.value) == "nothing was written: " + "; ".join(map(str, told))
    assert "stored" not in str(raised.value).replace("the stored version", "")
    assert everything(db) == before
    cause = raised.value.__cause__
    assert isinstance(cause, ClientError)
    response: Any = cause.response
    reasons = [reason["Code"] for reason in response["CancellationReasons"]]
    assert [index for index, code in enumerate(reasons) if code != "None"] == [one.index for one in failures]
    assert response["ResponseMetadata"]["RequestId"]


def test_what_the_service_does_not_take_passes_unchanged(db: Db) -> None:
    """DynamoDB cancels with ``ValidationError`` as the reason; the engines refuse the whole request."""
    db.table.raw.put(Row.model_validate({"pk": "a", "sk": "THING", "hits": "no number"}))
    writes = TransactionWriteSet().save(Note(number=2)).update(Thing.Key("a"), attr(Thing.hits).add(1))
    before = everything(db)
    with pytest.raises(ClientError) as error:
        db.transaction_write(writes)
    assert code_of(error.value) == "ValidationException"
    assert everything(db) == before


def test_a_save_that_sets_nothing_is_a_put(db: Db, recorder: Recorder) -> None:
    with recorder(db) as requests:
        items = db.transaction_write(TransactionWriteSet().save(Bare(number=1)).save(Note(number=1)))
    ((_, body),) = requests
    assert [next(iter(action)) for action in body["TransactItems"]] == ["Put", "Update"]
    assert list(items) == [Bare(number=1), Note(number=1)]
    assert db.load(Bare.Key(1)) == Bare(number=1)


def test_a_set_that_is_sent_twice_takes_effect_once(db: Db, recorder: Recorder) -> None:
    """T4."""
    db.save(Thing(name="a"))
    writes = TransactionWriteSet().update(Thing.Key("a"), attr(Thing.hits).add(1)).save(Note(number=1, text="first"))
    with recorder(db) as requests:
        first = db.transaction_write(writes)
        db.save(Note(number=1, text="of another"))
        second = db.transaction_write(writes)
    sent = [body for operation, body in requests if operation == "TransactWriteItems"]
    assert len(sent) == 2
    assert sent[0] == sent[1]
    assert (list(first), first.missing) == (list(second), second.missing)
    thing = db.load(Thing.Key("a"))
    assert thing is not None
    assert (thing.hits, thing.version) == (1, 2)
    assert db.load(Note.Key(1)) == Note(number=1, text="of another")


def test_a_token_of_the_caller_is_good_for_many_sets(db: Db) -> None:
    db.save(Thing(name="a"))
    token = uuid4().hex

    def writes(text: str = "x") -> TransactionWriteSet:
        return (
            TransactionWriteSet()
            .idempotency_token(token)
            .update(Note.Key(1), attr(Note.text).set(text), upsert=True)
            .check_condition(Thing.Key("a"), attr(Thing.text).exists())
        )

    db.transaction_write(writes())
    db.save(Note(number=1, text="of another"))
    db.transaction_write(writes())
    assert db.load(Note.Key(1)) == Note(number=1, text="of another")
    with pytest.raises(ClientError) as error:
        db.transaction_write(writes("y"))
    assert code_of(error.value) == "IdempotentParameterMismatchException"


def test_the_token_of_what_was_cancelled_is_free(db: Db) -> None:
    writes = TransactionWriteSet().update(Note.Key(1), attr(Note.text).set("x"))
    with pytest.raises(TransactionCanceled):
        db.transaction_write(writes)
    db.save(Note(number=1))
    db.transaction_write(writes)
    assert db.load(Note.Key(1)) == Note(number=1, text="x")


def test_100_operations_are_written_and_101_are_not(db: Db, recorder: Recorder) -> None:
    notes = [Note(number=number, text=str(number)) for number in range(101)]
    writes, more = TransactionWriteSet(), TransactionWriteSet()
    for note in notes[:100]:
        writes.save(note)
    with recorder(db) as requests:
        with pytest.raises(LimitExceeded):
            db.transaction_write(more.add_all(writes).save(notes[100]))
        assert requests == []
        assert list(db.transaction_write(writes)) == notes[:100]
        assert len(requests) == 1
    assert list(db.transaction_load(Note.Key(number) for number in range(100))) == notes[:100]


def test_4_mb_are_as_dynamodb_local_counts_them(
    local_client: Any, local_db: LogicalDbFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T3, to the byte: the most that is sent is taken, and a byte more would not be."""
    db = local_db(Db)
    db.save(Note(number=100, text="ü"))
    db.create(Thing(name="a"))

    def writes(size: int) -> TransactionWriteSet:
        filled = (
            TransactionWriteSet()
            .update(Note.Key(100), attr(Note.text).set("new"), condition=attr(Note.text).is_in(["ü", "x" * 100]))
            .check_condition(Note.Key(101), ~attr(Note.text).begins_with("y") | attr(Note.number).not_exists())
            .delete_key(Note.Key(102), (attr(Note.text) == "z") | attr(Note.text).not_exists())
            .put(Thing(name="a", version=1, expires=LATER))
        )
        for number in range(11):
            filled.create(Note(number=number, text="x" * (size if number == 10 else 400_000)))
        return filled

    limit = 4 * 1024 * 1024
    with pytest.raises(LimitExceeded) as refused:
        db.transaction_write(writes(400_000))
    counted = re.match(r"a transaction takes up to 4194304 bytes, not (\d+): ", str(refused.value))
    assert counted is not None
    most = 400_000 - (int(counted[1]) - limit)
    monkeypatch.setattr("logicaldb.operations.transactions.MAX_TRANSACTION_BYTES", limit + 1)
    with pytest.raises(ClientError) as error:
        db.transaction_write(writes(most + 1))
    assert code_of(error.value) == "ValidationException"
    monkeypatch.undo()
    with pytest.raises(LimitExceeded):
        db.transaction_write(writes(most + 1))
    db.transaction_write(writes(most))
    assert db.load(Note.Key(100)) == Note(number=100, text="new")


def test_what_is_refused_before_sending_is_not_sent(db: Db, recorder: Recorder) -> None:
    before = everything(db)
    with recorder(db) as requests:
        with pytest.raises(DuplicateItem) as duplicate:
            db.transaction_write(
                TransactionWriteSet()
                .save(Note(number=1))
                .check_condition(Playlist.Key("A"), attr(Playlist.title).exists())
                .delete_key(Album.Key("A"))
            )
        with pytest.raises(EncodingError):
            db.transaction_write(TransactionWriteSet().save(Note(number=1)).create(Thing(name="a", version=1)))
        with pytest.raises(EncodingError):
            db.transaction_write(TransactionWriteSet().save(Note(number=1, text="\ud800")))
        assert list(db.transaction_write(TransactionWriteSet())) == []
    assert str(duplicate.value) == (
        "check_condition of Playlist.Key(token='A') and delete_key of Album.Key(token='A') are about one row"
    )
    assert requests == []
    assert everything(db) == before


def test_a_type_in_two_tables_is_refused(mode: Mode, recorder: Recorder) -> None:
    twice = mode.open(Twice)
    message = "Twice has several views of Note; use one of them: db.book.notes, db.archive.notes"
    with recorder(twice) as requests:
        with pytest.raises(TypeError) as load:
            twice.transaction_load(Note.Key(1))
        with pytest.raises(TypeError) as write:
            twice.transaction_write(TransactionWriteSet().save(Note(number=1)))
        with pytest.raises(TypeError) as unknown:
            twice.transaction_load(Thing.Key("a"))
    assert (str(load.value), str(write.value)) == (message, message)
    assert str(unknown.value) == "Twice has no view of Thing"
    assert requests == []


# The context manager.


def test_a_block_that_ends_well_is_written(db: Db, recorder: Recorder) -> None:
    with recorder(db) as requests:
        with db.transaction() as tx:
            tx.save(Note(number=1, text="x"))
            tx.create(Thing(name="a"))
            assert requests == []
        assert [operation for operation, _ in requests] == ["TransactWriteItems"]
    assert db.load(Note.Key(1)) == Note(number=1, text="x")
    with pytest.raises(LogicalDbError):
        tx.save(Note(number=2))  # too late


def test_a_block_that_is_left_by_return_is_written_too(db: Db) -> None:
    def save() -> str:
        with db.transaction() as tx:
            tx.save(Note(number=1))
            return "left"

    assert save() == "left"
    assert db.load(Note.Key(1)) == Note(number=1)


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_of_a_block_that_raises_nothing_is_sent(db: Db, recorder: Recorder, error: BaseException) -> None:
    def stop() -> None:
        with db.transaction() as tx:
            tx.save(Note(number=1))
            raise error

    with recorder(db) as requests, pytest.raises(type(error)) as raised:
        stop()
    assert raised.value is error
    assert requests == []
    assert db.load(Note.Key(1)) is None


def test_a_block_that_adds_nothing_sends_nothing(db: Db, recorder: Recorder) -> None:
    with recorder(db) as requests, db.transaction():
        pass
    assert requests == []


def test_a_block_whose_operations_fail_raises(db: Db) -> None:
    with pytest.raises(TransactionCanceled) as error:  # noqa: SIM117 - the block is inside
        with db.transaction() as tx:
            tx.update(Note.Key(1), attr(Note.text).set("x"))
    assert [type(one.error) for one in error.value.failures] == [ItemNotFound]


def test_a_block_that_writes_its_set_itself_writes_it_once(db: Db) -> None:
    db.save(Thing(name="a"))
    with db.transaction() as tx:
        tx.update(Thing.Key("a"), attr(Thing.hits).add(1))
        db.transaction_write(tx)
    thing = db.load(Thing.Key("a"))
    assert thing is not None
    assert thing.hits == 1


# Inside a transaction the rules are those outside (V4).

State: TypeAlias = Callable[[World, str], Thing]


def absent(_: World, name: str) -> Thing:
    return Thing(name=name)


def stored(world: World, name: str) -> Thing:
    item = world.db.create(Thing(name=name, expires=LATER))
    world.db.increment(Thing.Key(name), Thing.hits, 3)
    world.db.increment(Thing.Key(name), Thing.stock, 2)
    return item


def moved_on(world: World, name: str) -> Thing:
    item = stored(world, name)
    world.db.save(item.replace(text="of another"))
    return item


def deleted(world: World, name: str) -> Thing:
    item = stored(world, name)
    world.db.delete_key(Thing.Key(name))
    return item


def of_the_past(world: World, name: str) -> Thing:
    """A row of before versions, counts and times, with something that nobody knows."""
    world.db.table.raw.put(Row.model_validate({"pk": name, "sk": "THING", "text": "old", "unknown": 1}))
    return Thing(name=name)


STATES: list[State] = [absent, stored, moved_on, deleted, of_the_past]

Way: TypeAlias = Callable[[Any, Thing], Any]
"""The same call of a database and of a set."""


def new(item: Thing, **changes: Any) -> Thing:
    return item.replace(**{"text": "new", "expires": LATER + timedelta(hours=1), "hits": 7, **changes})


def key(item: Thing) -> Thing.Key:
    return Thing.Key(item.name)


WAYS: dict[str, Way] = {
    "save": lambda target, item: target.save(new(item)),
    "save-none": lambda target, item: target.save(new(item, expires=None)),
    "save-condition": lambda target, item: target.save(new(item), attr(Thing.text) == "old"),
    "create": lambda target, item: target.create(new(item)),
    "put": lambda target, item: target.put(new(item)),
    "put-none": lambda target, item: target.put(new(item, expires=None)),
    "put-condition": lambda target, item: target.put(new(item), attr(Thing.text) == "old"),
    "update": lambda target, item: target.update(key(item), attr(Thing.text).set("new")),
    "update-expires": lambda target, item: target.update(key(item), attr(Thing.expires).set(LATER)),
    "update-if-version": lambda target, item: target.update(
        key(item), attr(Thing.text).set("new"), if_version=item.version
    ),
    "update-upsert": lambda target, item: target.update(key(item), attr(Thing.text).set("new"), upsert=True),
    "update-add": lambda target, item: target.update(key(item), attr(Thing.hits).add(2), attr(Thing.stock).add(1)),
    "update-bounds": lambda target, item: target.update(key(item), attr(Thing.stock).add(-6)),
    "update-condition": lambda target, item: target.update(
        key(item), attr(Thing.text).set("new"), condition=attr(Thing.text) == "old"
    ),
    "delete": lambda target, item: target.delete(item),
    "delete-condition": lambda target, item: target.delete(item, attr(Thing.text) == "old"),
    "delete-key": lambda target, item: target.delete_key(key(item)),
    "delete-key-condition": lambda target, item: target.delete_key(key(item), attr(Thing.text) == "old"),
}


def outside(world: World, way: Way, item: Thing) -> Any:
    try:
        return way(world.db, item)
    except LogicalDbError as error:
        return error


def inside(world: World, way: Way, item: Thing) -> Any:
    """Among other operations, so that it is not the only one."""
    writes = TransactionWriteSet().save(Album(token=item.name, artist="x"))
    way(writes, item)
    writes.delete_key(Playlist.Key(f"{item.name}-other"))
    try:
        return world.db.transaction_write(writes).get(key(item))
    except TransactionCanceled as error:
        (failure,) = error.failures
        assert failure.index == 1
        return failure.error
    except EncodingError as error:
        return error


def row(world: World, name: str) -> dict[str, Any] | None:
    found = world.db.table.raw.load(Row(pk=name, sk="THING"), consistent_read=True)
    return None if found is None else found.model_extra


def told(outcome: Any, name: str) -> tuple[Any, ...]:
    """What an error says, the name aside."""
    item = getattr(outcome, "item", None)
    return (
        type(outcome),
        str(outcome).replace(f"'{name}'", "'name'"),
        getattr(outcome, "expected", None),
        None if item is None else item.replace(name="name"),
    )


@pytest.mark.parametrize("way", WAYS)
def test_inside_the_rules_are_those_outside(mode: Mode, way: str) -> None:
    """The version is checked and moved on, counts are kept, times and the time to live are set alike."""
    world = make_world(mode)
    failed: set[str] = set()
    for state in STATES:
        world.clock.now = START
        alone, together = f"{state.__name__}-alone", f"{state.__name__}-together"
        held, held_inside = state(world, alone), state(world, together)
        before = row(world, together)
        world.later()
        result = outside(world, WAYS[way], held)
        result_inside = inside(world, WAYS[way], held_inside)
        assert row(world, together) == row(world, alone), state.__name__
        if isinstance(result, Exception):
            assert told(result_inside, together) == told(result, alone)
            assert row(world, together) == before
            failed.add(state.__name__)
        elif isinstance(result_inside, Thing):
            # What can be told without reading is what is stored.
            assert result_inside == world.db.load(key(held_inside), consistent_read=True)
            assert result_inside == result.replace(name=together)
        else:
            assert result_inside is None
    assert failed == FAILING[way]


FAILING: dict[str, set[str]] = {
    "save": {"moved_on", "deleted"},
    "save-none": {"moved_on", "deleted"},
    "save-condition": {"absent", "moved_on", "deleted"},
    "create": {"stored", "moved_on", "deleted", "of_the_past"},  # a version above 0 is refused
    "put": {"moved_on", "deleted"},
    "put-none": {"moved_on", "deleted"},
    "put-condition": {"absent", "moved_on", "deleted"},
    "update": {"absent", "deleted"},
    "update-expires": {"absent", "deleted"},
    "update-if-version": {"absent", "moved_on", "deleted"},
    "update-upsert": set(),
    "update-add": {"absent", "deleted"},
    "update-bounds": {"absent", "deleted", "of_the_past"},
    "update-condition": {"absent", "moved_on", "deleted"},
    "delete": {"moved_on", "deleted"},
    "delete-condition": {"absent", "moved_on", "deleted"},
    "delete-key": set(),
    "delete-key-condition": {"absent", "moved_on", "deleted"},
}
"""The states in which each way fails; in all others it takes effect."""


def test_what_the_caller_holds_is_never_changed(mode: Mode) -> None:
    world = make_world(mode)
    held = world.db.create(Thing(name="a"))
    copy = held.model_copy(deep=True)
    writes = TransactionWriteSet().save(held)
    world.later()
    world.db.transaction_write(writes)
    assert held == copy
    (operation,) = writes.operations
    assert operation.item is held
    with suppress(TransactionCanceled):
        world.db.transaction_write(TransactionWriteSet().save(held))
    assert held == copy
    with pytest.raises(VersionConflict):
        world.db.save(held)  # what was read before is stale


def test_all_times_of_an_item_are_one(mode: Mode) -> None:
    world = make_world(mode)
    now = world.later()
    items = world.db.transaction_write(TransactionWriteSet().create(Thing(name="a")))
    found = items.get(Thing.Key("a"))
    assert found is not None
    assert (found.created, found.updated, found.version) == (now, now, 1)
    assert world.found() == found
