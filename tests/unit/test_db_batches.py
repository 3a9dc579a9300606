"""The batches of a db: how they are called, and how many requests are under way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from logicaldb import BatchWriteSet, DuplicateItem, Item, ItemKey, LimitExceeded
from logicaldb.testing import in_process_dynamodb
from tests.engines import record
from tests.unit.test_db import KEY, NOW, Account, Bank, BankDb, TwoTables


@pytest.fixture
def client() -> Generator[Any]:
    with in_process_dynamodb() as client:
        yield client


@pytest.fixture
def db(client: Any) -> BankDb:
    db = BankDb(client, clock=lambda: NOW)
    db.create_tables()
    return db


def accounts(count: int) -> list[Account]:
    return [Account(owner="o", number=number, made=NOW, changed=NOW) for number in range(count)]


def keys(count: int) -> Iterator[Account.Key]:
    return (Account.Key("o", number) for number in range(count))


def test_what_is_written_is_loaded(db: BankDb) -> None:
    result = db.batch_write(BatchWriteSet().clobber(Account(owner="o", number=1), *accounts(1)).delete(*[*keys(3)][2:]))
    assert result.clobbered == accounts(2)[::-1]
    assert result.deleted == [Account.Key("o", 2)]
    assert list(db.batch_load(keys(3))) == accounts(2)
    writes: list[Item | ItemKey[Any]] = [*accounts(1), KEY]
    assert db.batch_write_all(iter(writes)) == 2
    assert list(db.batch_load_all(keys(3))) == accounts(1)


def test_keys_are_given_one_by_one_or_as_one_iterable(db: BankDb) -> None:
    db.batch_write_all(accounts(3))
    calls: list[Callable[[], Any]] = [
        lambda: db.batch_load(Account.Key("o", 0), Account.Key("o", 1), Account.Key("o", 2)),
        lambda: db.batch_load(keys(3)),
        lambda: db.batch_load([*keys(3)]),
        lambda: db.batch_load(dict.fromkeys(keys(3))),
    ]
    for call in calls:
        assert list(call()) == accounts(3)
    assert list(db.batch_load(Account.Key("o", 1))) == [accounts(2)[1]]
    assert list(db.batch_load()) == list(db.batch_load([])) == []


def test_what_is_no_key(db: BankDb) -> None:
    wrong: list[Any] = ["KEY", accounts(1)[0], None]
    for one in wrong:
        for call in (lambda: db.batch_load(one), lambda: list(db.batch_load_all([one]))):  # noqa: B023
            with pytest.raises(TypeError) as error:
                call()
            assert str(error.value) == f"a key is due, such as AlbumTrack.Key(...), not {type(one).__name__}"
    no_key: Any = "KEY"
    for call_of_write in (lambda: db.batch_write_all([no_key]), lambda: BatchWriteSet().delete(no_key)):
        with pytest.raises(TypeError) as refused:
            call_of_write()
        assert str(refused.value) == "a key is due, such as AlbumTrack.Key(...), not str"
    key: Any = KEY
    with pytest.raises(TypeError) as no_item:
        BatchWriteSet().clobber(key)
    assert str(no_item.value) == "an item is due, such as AlbumTrack(...), not Account.Key"


def test_options_reach_the_requests(db: BankDb) -> None:
    with record(db) as requests:
        db.batch_load(keys(5), consistent_read=True, max_page_size=2)
        list(db.batch_load_all(keys(1), consistent_read=True))
        db.batch_write(BatchWriteSet().clobber(*accounts(3)), max_page_size=1)
    tables = [body["RequestItems"]["bank"] for _, body in requests]
    assert sorted(len(table["Keys"]) for table in tables[:3]) == [1, 2, 2]
    assert [table["ConsistentRead"] for table in tables[:4]] == [True] * 4
    assert [len(table) for table in tables[4:]] == [1, 1, 1]
    with record(db) as requests:
        db.batch_load(keys(5))
        list(db.batch_load_all(keys(1)))
    assert [[*body["RequestItems"]["bank"]] for _, body in requests] == [["Keys"], ["Keys"]]
    with pytest.raises(LimitExceeded):
        db.batch_load(keys(1), max_page_size=101)
    with pytest.raises(LimitExceeded):
        db.batch_write(BatchWriteSet(), max_page_size=26)


def test_as_many_requests_are_under_way_as_there_are_connections(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []

    def executor(workers: int, **options: Any) -> ThreadPoolExecutor:
        started.append(workers)
        return ThreadPoolExecutor(workers, **options)

    monkeypatch.setattr("logicaldb.drivers.ThreadPoolExecutor", executor)
    connections = client.meta.config.max_pool_connections
    assert connections == 10
    db = BankDb(client)
    db.create_tables()
    db.batch_load(keys(100))
    db.batch_load(keys(250))
    db.batch_load(keys(1500))
    db.batch_write(BatchWriteSet().delete(*keys(300)))
    assert started == [3, 10, 10]
    started.clear()
    assert db.batch_write_all(accounts(260)) == 260
    assert len(list(itertools.islice(db.batch_load_all(keys(5000)), 1))) == 1
    assert started == [10, 10]


def test_rows_of_one_physical_table_are_told_apart_by_key_alone(client: Any) -> None:
    one = TwoTables(client, table_name_resolver=lambda *_: "one")
    one.create_tables()
    writes = BatchWriteSet().clobber(*accounts(1)).clobber(*accounts(1))
    with pytest.raises(TypeError) as several:
        one.batch_write(writes)
    assert str(several.value) == (
        "TwoTables has several views of Account; use one of them: db.bank.accounts, db.archive.old_accounts"
    )
    with pytest.raises(DuplicateItem) as error:
        BankDb(client, table_name_resolver=lambda table, _: {Bank: "one"}[table]).batch_write(writes)
    assert str(error.value) == (
        "clobber of Account.Key(owner='o', number=0) and clobber of Account.Key(owner='o', number=0) are about one row"
    )


def test_the_text_of_a_set_shows_keys_alone() -> None:
    writes = BatchWriteSet().clobber(Account(owner="o", number=1, name="secret")).delete(KEY)
    assert repr(writes) == (
        "BatchWriteSet(clobber of Account.Key(owner='o', number=1), delete_key of Account.Key(owner='o', number=1))"
    )
    assert writes.size == 2
    assert [operation.kind for operation in writes.operations] == ["clobber", "delete_key"]
