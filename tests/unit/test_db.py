"""A logical database: its tables, their names, and the methods that find the view by type."""

# What is wrong here is wrong on purpose.
# pyright: reportUnusedClass=false, reportRedeclaration=false, reportCallIssue=false, reportArgumentType=false, reportUndefinedVariable=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import AfterValidator, Field

from logicaldb import (
    Async,
    Attribute,
    BatchWriteSet,
    BeginsWith,
    Counter,
    CreatedAt,
    DeclarationError,
    EncodingError,
    InlineView,
    Item,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    LogicalDb,
    LogicalTable,
    M,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    TimeToLive,
    TransactionCanceled,
    TransactionWriteSet,
    UpdatedAt,
    attr,
)
from logicaldb.testing import in_process_dynamodb


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Account(Item):
    owner: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="ACCOUNT_", width=4)]
    name: str = "main"
    balance: Annotated[Decimal, Counter(minimum=0)] = Decimal(0)
    visits: Annotated[int, Counter()] = 0
    made: Annotated[datetime | None, CreatedAt()] = None
    changed: Annotated[datetime | None, UpdatedAt()] = None
    expires: Annotated[datetime | None, TimeToLive()] = None

    class Key(ItemKey["Account"]):
        owner: str
        number: int | None = None


class Note(Item):
    owner: Annotated[str, Attribute("pk")]
    sk: Annotated[str, Attribute(prefix="NOTE_")]

    class Key(ItemKey["Note"]):
        owner: str
        sk: str


class Bank(LogicalTable[Row, M]):
    accounts: InlineView[Account.Key, Account]


class Archive(LogicalTable[Row]):
    old_accounts: InlineView[Account.Key, Account]
    notes: InlineView[Note.Key, Note]


class BankDb(LogicalDb):
    bank: Annotated[Bank, TableName("bank")]
    version: ClassVar[int] = 1


class TwoTables(LogicalDb):
    bank: Annotated[Bank, TableName("bank")]
    archive: Annotated[Archive, TableName("archive")]


NOW = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)
KEY = Account.Key("o", 1)


@pytest.fixture
def client() -> Generator[Any]:
    with in_process_dynamodb() as client:
        yield client


@pytest.fixture
def db(client: Any) -> BankDb:
    db = BankDb(client, clock=lambda: NOW)
    db.create_tables()
    return db


def test_tables_are_made_as_declared_and_never_altered(client: Any) -> None:
    db = TwoTables(client)
    assert db.create_tables() == ["bank", "archive"]
    assert db.create_tables() == []
    description = client.describe_table(TableName="bank")["Table"]
    assert description["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert description["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    ttl = client.describe_time_to_live(TableName="bank")["TimeToLiveDescription"]
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}


def test_the_resolver_wins_over_the_annotation(client: Any) -> None:
    asked: list[tuple[type, str]] = []

    def resolve(table_type: type, declared: str) -> str:
        asked.append((table_type, declared))
        return f"staging-{declared}"

    db = BankDb(client, table_name_resolver=resolve)
    assert asked == [(Bank, "bank")]
    assert db.bank.table_name == "staging-bank"
    assert db.create_tables() == ["staging-bank"]
    assert client.list_tables()["TableNames"] == ["staging-bank"]


def test_without_a_client_one_is_made(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", client.meta.region_name)
    db = BankDb()
    assert db.create_tables() == ["bank"]
    assert client.list_tables()["TableNames"] == ["bank"]


def test_what_is_no_client_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        BankDb("client")
    assert str(error.value) == (
        'a boto3 DynamoDB client is needed, boto3.client("dynamodb"), not an object of type str'
    )


def test_the_facade_finds_the_view(db: BankDb) -> None:
    account = db.create(Account(owner="o", number=1))
    assert account == Account(owner="o", number=1, made=NOW, changed=NOW)
    assert db.load(KEY) == account
    assert db.save(account.replace(name="x")).name == "x"
    assert db.put(account.replace(name="y")).name == "y"
    assert db.update(KEY, attr(Account.name).set("z")).name == "z"
    assert db.increment(KEY, Account.balance, Decimal("0.5")) == Decimal("0.5")
    assert db.increment(KEY, attr(Account.visits)) == 1  # type: ignore[call-overload]  # attr(...) is taken too
    with pytest.raises(ItemAlreadyExists):
        db.create(account)
    stored = db.load(KEY)
    assert stored == account.replace(name="z", balance=Decimal("0.5"), visits=1)
    assert stored is not None
    assert db.delete(stored) == stored
    assert db.delete_key(KEY) is None
    with pytest.raises(ItemNotFound):
        db.increment(KEY, Account.visits)


def test_only_counters_are_incremented(db: BankDb) -> None:
    db.create(Account(owner="o", number=1))
    with pytest.raises(EncodingError) as error:
        db.increment(KEY, Account.name)  # type: ignore[call-overload]
    assert str(error.value) == "Account.name: is no number, so nothing can be added"


def test_a_type_in_two_tables_is_refused_with_the_views_to_use(client: Any) -> None:
    db = TwoTables(client)
    calls: list[Callable[[], Any]] = [
        lambda: db.load(KEY),
        lambda: db.save(Account(owner="o", number=1)),
        lambda: db.delete_key(KEY),
    ]
    for call in calls:
        with pytest.raises(TypeError) as error:
            call()
        assert str(error.value) == (
            "TwoTables has several views of Account; use one of them: db.bank.accounts, db.archive.old_accounts"
        )
    db.create_tables()
    note = Note(owner="o", sk="n")
    assert db.save(note) == note
    assert db.archive.notes.query(BeginsWith(Note.Key("o", ""))).contents == [note]


def test_a_type_of_no_table_is_refused(db: BankDb) -> None:
    with pytest.raises(TypeError) as error:
        db.save(Note(owner="o", sk="n"))
    assert str(error.value) == "BankDb has no view of Note"
    with pytest.raises(TypeError) as no_key:
        db.load("KEY")  # type: ignore[arg-type]
    assert str(no_key.value) == "a key is due, such as AlbumTrack.Key(...), not str"


def test_a_db_inherits_tables(client: Any) -> None:
    class Larger(BankDb):
        archive: Annotated[Archive, TableName("archive")]

    assert Larger(client).create_tables() == ["bank", "archive"]


def test_a_table_needs_a_name() -> None:
    message = 'Wrong.bank: has no table name; write Annotated[Bank, TableName("...")]'
    with pytest.raises(DeclarationError) as error:

        class Wrong(LogicalDb):
            bank: Bank

    assert str(error.value) == message
    with pytest.raises(DeclarationError) as empty:

        class Wrong(LogicalDb):  # type: ignore[no-redef]
            bank: Annotated[Bank, TableName("")]

    assert str(empty.value) == message


def test_a_table_is_a_logical_table() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(LogicalDb):
            bank: Annotated[int, TableName("bank")]

    assert str(error.value) == "Wrong.bank: <class 'int'> is not a LogicalTable"


def test_the_mode_of_a_table_is_that_of_its_db() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(LogicalDb):
            bank: Annotated[Bank[Async], TableName("bank")]

    assert str(error.value) == "Wrong.bank: Bank is asynchronous here, and LogicalDb is not; write Bank"


def test_a_name_that_is_not_defined() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(LogicalDb):
            bank: Annotated[NoSuchTable, TableName("bank")]  # type: ignore[name-defined]  # noqa: F821

    assert str(error.value) == (
        "Wrong: an annotation names 'NoSuchTable', which is not defined; define or import it before the table or "
        "database that needs it"
    )


def test_a_table_is_not_called_like_a_method() -> None:
    with pytest.raises(DeclarationError) as error:

        class Wrong(LogicalDb):
            load: Annotated[Bank, TableName("bank")]  # type: ignore[assignment]

    assert str(error.value) == "Wrong.load: is the name of a method of LogicalDb; call the table otherwise"


def test_a_key_is_no_item(db: BankDb) -> None:
    with pytest.raises(TypeError) as error:
        db.delete(KEY)  # type: ignore[type-var]
    assert str(error.value) == "an item is due, and Account.Key is a key; load and delete_key take keys"


def test_the_resolver_gives_a_name(client: Any) -> None:
    with pytest.raises(TypeError) as error:
        BankDb(client, table_name_resolver=lambda *_: None)  # type: ignore[arg-type]
    assert str(error.value) == "table_name_resolver gives None for Bank; a table name is due"


def test_errors_of_pydantic_hide_the_data(db: BankDb) -> None:
    account = Account(owner="o", number=1)
    for wrong in (lambda: account.replace(balance="SECRET"), lambda: Account.Key("o", "SECRET")):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="1 validation error") as error:
            wrong()
        assert "SECRET" not in str(error.value)


def test_rows_of_a_boto3_client_are_decoded_too(db: BankDb) -> None:
    data = {"M": {"b": {"B": b"AP8="}, "s": {"BS": [b"x"]}}}
    row: dict[str, Any] = {"pk": {"S": "o"}, "sk": {"S": "x"}, "data": data}
    assert db.bank.raw._rows.decode(row).data == {"b": b"AP8=", "s": {b"x"}}  # no error and no base64


def test_what_is_no_key_is_refused(db: BankDb) -> None:
    with pytest.raises(TypeError) as error:
        db.bank.accounts.update("KEY", attr(Account.name).set("x"))  # type: ignore[arg-type]
    assert str(error.value) == "a key is due, such as AlbumTrack.Key(...), not str"


def test_raw_rows_and_pages_are_read_to_the_end(db: BankDb) -> None:
    for number in range(3):
        db.create(Account(owner="o", number=number))
    assert len(list(db.bank.raw.scan_all_contents(page_size=2))) == 3
    pages = list(db.bank.accounts.query_all(BeginsWith(Account.Key("o")), page_size=2))
    assert [len(page.contents) for page in pages] == [2, 1]


# Transactions.


def test_keys_of_a_transaction_are_given_one_by_one_or_as_one_iterable(db: BankDb) -> None:
    one, two = db.create(Account(owner="o", number=1)), db.create(Account(owner="o", number=2))
    keys = [Account.Key("o", 2), Account.Key("o", 3), KEY, Account.Key("o", 2)]
    for items in (db.transaction_load(*keys), db.transaction_load(keys), db.transaction_load(iter(keys))):
        assert list(items) == [two, one]
        assert items.missing == [Account.Key("o", 3)]
    assert list(db.transaction_load(KEY)) == [one]
    assert list(db.transaction_load()) == []
    assert list(db.transaction_load([])) == []


@pytest.mark.parametrize("wrong", [Row(pk="o", sk="ACCOUNT_0001"), Account(owner="o", number=1), "KEY", None])
def test_a_transaction_loads_by_keys_alone(db: BankDb, wrong: Any) -> None:
    for keys in ((wrong,), ([KEY, wrong],)):
        with pytest.raises(TypeError) as error:
            db.transaction_load(*keys)
        assert str(error.value) == f"a key is due, such as AlbumTrack.Key(...), not {type(wrong).__name__}"


def test_a_transaction_writes_what_the_facade_writes(db: BankDb) -> None:
    account = Account(owner="o", number=1)
    items = db.transaction_write(TransactionWriteSet().create(account))
    assert items.get(KEY) == db.load(KEY) == account.replace(made=NOW, changed=NOW)
    with pytest.raises(TransactionCanceled) as error:
        db.transaction_write(TransactionWriteSet().create(account))
    assert str(error.value) == (
        "nothing was written: create of Account.Key(owner='o', number=1): there is an item already"
    )
    (failure,) = error.value.failures
    assert isinstance(failure.error, ItemAlreadyExists)
    assert failure.error.item == items.get(KEY)


def test_types_and_sets_that_a_db_does_not_know(client: Any, db: BankDb) -> None:
    two = TwoTables(client)
    message = "TwoTables has several views of Account; use one of them: db.bank.accounts, db.archive.old_accounts"
    wrong: list[Any] = [BatchWriteSet(), [KEY]]
    calls: list[tuple[Callable[[], Any], str]] = [
        (lambda: two.transaction_load(KEY), message),
        (lambda: two.transaction_write(TransactionWriteSet().delete_key(KEY)), message),
        (lambda: db.transaction_load(Note.Key("o", "n")), "BankDb has no view of Note"),
        (
            lambda: db.transaction_write(TransactionWriteSet().save(Note(owner="o", sk="n"))),
            "BankDb has no view of Note",
        ),
        (lambda: db.transaction_write(wrong[0]), "a TransactionWriteSet is due, not a BatchWriteSet"),
        (lambda: db.transaction_write(wrong[1]), "a TransactionWriteSet is due, not a list"),
    ]
    for call, expected in calls:
        with pytest.raises(TypeError) as error:
            call()
        assert str(error.value) == expected


def test_a_transaction_is_written_when_its_block_ends(db: BankDb) -> None:
    with db.transaction() as tx:
        assert tx.create(Account(owner="o", number=1)).size == 1
        assert db.load(KEY) is None
    assert db.load(KEY) is not None


def test_a_transaction_is_not_written_when_its_block_raises(db: BankDb) -> None:
    def stop() -> None:
        with db.transaction() as tx:
            tx.create(Account(owner="o", number=1))
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        stop()
    assert db.load(KEY) is None


@pytest.mark.parametrize(("executor", "found"), [(3, "an int"), ("processes", "a str"), (ThreadPoolExecutor, "a type")])
def test_what_is_no_executor_is_refused_before_anything_is_read(db: BankDb, executor: Any, found: str) -> None:
    with pytest.raises(TypeError, match=rf"^executor takes a concurrent\.futures\.Executor, not {found}$"):
        db.bank.accounts.parallel_scan(2, executor=executor)


@pytest.mark.parametrize(("segments", "found"), [("3", "a str"), (2.0, "a float"), (True, "a bool"), (None, "None")])
def test_what_is_no_number_of_segments_is_refused(db: BankDb, segments: Any, found: str) -> None:
    with pytest.raises(TypeError, match=f"^segments are counted by an int, not {found}$"):
        db.bank.accounts.parallel_scan(segments)


class Remembering(Executor):
    """Answers what it has been asked before from its memory, as Dask does where it is not told that a function is not pure."""

    def __init__(self) -> None:
        self.known: dict[Any, Any] = {}

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        asked = (fn.scan, *args)
        future.set_result(self.known[asked] if asked in self.known else self.known.setdefault(asked, fn(*args)))
        return future


def test_no_scan_is_answered_with_what_another_one_read(db: BankDb) -> None:
    executor = Remembering()
    for name in ("before", "after"):
        db.save(Account(owner="o", number=1, name=name))
        (found,) = db.bank.accounts.parallel_scan(1, executor=executor)
        assert found.name == name


def known(code: str) -> str:
    return next(each for each in ("de", "en") if each == code)  # which raises StopIteration, a common slip


class Text(Item):
    owner: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="TEXT_", width=4)]
    language: Annotated[str, AfterValidator(known)] = "de"

    class Key(ItemKey["Text"]):
        owner: str
        number: int | None = None


class Texts(LogicalTable[Row]):
    texts: InlineView[Text.Key, Text]


class TextDb(LogicalDb):
    shelf: Annotated[Texts, TableName("shelf")]


@pytest.mark.parametrize(
    "read",
    [
        lambda view: view.query(BeginsWith(Text.Key("o"))),
        lambda view: list(view.query_all_contents(BeginsWith(Text.Key("o")))),
        lambda view: list(view.scan_all_contents()),
        lambda view: list(view.parallel_scan(2)),
        lambda view: view.load(Text.Key("o", 1)),
    ],
)
def test_a_validator_that_raises_stop_iteration_ends_no_page(client: Any, read: Callable[[Any], Any]) -> None:
    db = TextDb(client)
    db.create_tables()
    db.batch_write(BatchWriteSet().clobber(*(Text(owner="o", number=number) for number in range(3))))
    db.shelf.raw.put(Row.model_validate({"pk": "o", "sk": "TEXT_0001", "language": "fr"}))
    with pytest.raises(RuntimeError, match=r"^generator raised StopIteration$"):
        read(db.shelf.texts)


class Listed(Item):
    owner: Annotated[str, Attribute("pk")]
    sk: Annotated[str, Attribute(prefix="LISTED_")]
    numbers: Annotated[list[int], Field(min_length=1)]

    class Key(ItemKey["Listed"]):
        owner: str
        sk: str


class Lists(LogicalTable[Row]):
    lists: InlineView[Listed.Key, Listed]


class ListDb(LogicalDb):
    shelf: Annotated[Lists, TableName("shelf")]


def test_a_cancelled_update_with_a_generator_is_told_as_what_it_is(client: Any) -> None:
    db = ListDb(client)
    db.create_tables()
    numbers: Any = (number for number in (1, 2))
    writes = TransactionWriteSet().update(Listed.Key("nobody", "1"), attr(Listed.numbers).set(numbers))
    with pytest.raises(TransactionCanceled) as cancelled:
        db.transaction_write(writes)
    assert isinstance(cancelled.value.failures[0].error, ItemNotFound)


class Empty(Item):
    """One that is taken for false."""

    owner: Annotated[str, Attribute("pk")]
    sk: Annotated[str, Attribute(prefix="EMPTY_")]
    name: str = "a"

    class Key(ItemKey["Empty"]):
        owner: str
        sk: str

    def __bool__(self) -> bool:
        return False


class Empties(LogicalTable[Row]):
    empties: InlineView[Empty.Key, Empty]


class EmptyDb(LogicalDb):
    shelf: Annotated[Empties, TableName("shelf")]


def test_an_item_that_is_taken_for_false_is_returned_all_the_same(client: Any) -> None:
    db = EmptyDb(client)
    db.create_tables()
    item = db.save(Empty(owner="o", sk="1"))
    changed = db.update(Empty.Key("o", "1"), attr(Empty.name).set("b"))
    assert (item.name, changed.name) == ("a", "b")
    assert db.delete(changed) == changed
    assert db.delete(changed) is None
