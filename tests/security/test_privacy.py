"""Messages, logs and tracebacks hold class names, field names and keys, and no other values of items."""

from __future__ import annotations

import logging
import pickle
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest
from pydantic import ValidationError

import logicaldb
from logicaldb import (
    AmbiguousWrite,
    BatchIncomplete,
    BatchWriteSet,
    BeginsWith,
    ConditionFailed,
    CounterOutOfBounds,
    DeclarationError,
    DecodingError,
    DuplicateItem,
    EncodingError,
    Expression,
    IncompleteKey,
    InvalidCursor,
    ItemAlreadyExists,
    ItemNotFound,
    LimitExceeded,
    LogicalDbError,
    Offset,
    PagerStalled,
    ThroughputExceeded,
    TransactionCanceled,
    TransactionWriteSet,
    VersionConflict,
    WritingPagerHandler,
    attr,
    drivers,
)
from tests.security.models import Cat, Db, Dog, Everything, Inner, Named, Order, Point, Row, Whole
from tests.security.service import Service

TEXT: Final = "s3cr3t-text"
NUMBER: Final = 7319852647319852
BYTES: Final = b"s3cr3t-bytes-"
MARKERS: Final = (TEXT, str(NUMBER), "7.31985264", "s3cr3t", b64encode(BYTES).decode()[:12], "4711")

service = Service()
db = Db(service.client)
codec = db.table.codec(Everything)

ITEM: Final = Everything(
    name="a",
    number=1,
    text=TEXT,
    whole=NUMBER,
    exact=Decimal(NUMBER),
    real=float(NUMBER),
    data=BYTES,
    moment=datetime(4711, 1, 1, tzinfo=UTC),
    day=datetime(4711, 1, 1, tzinfo=UTC).date(),
    uid=UUID(int=NUMBER << 64),
    numbers=[NUMBER],
    pair=(TEXT, NUMBER),
    several=(Decimal(NUMBER),),
    texts={TEXT},
    wholes=frozenset([NUMBER]),
    blobs={BYTES},
    notes={"a": TEXT},
    inner=Inner(name=TEXT, number=NUMBER, inner=Inner(name=TEXT)),
    inners=[Inner(name=TEXT)],
    point=Point(NUMBER, float(NUMBER)),
    typed={"a": NUMBER, "b": TEXT},
    named=Named(TEXT, BYTES),
    link=Whole.Key(TEXT, TEXT),
    links=[Whole.Key(TEXT)],
    union=TEXT,
    pet=Dog(name=TEXT),
    custom=NUMBER,
    anything={"a": [TEXT, {"b": NUMBER}]},
    json_value={"a": TEXT},
    version=3,
    count=2,
)
KEY: Final = Everything.Key("a", 1)
FIELDS: Final = [name for name in Everything.model_fields if name not in ("name", "number", "version")]


class Leaky:
    """An object that shows all it has."""

    def __repr__(self) -> str:
        return TEXT

    __str__ = __repr__


untyped_point: Any = Point
untyped_named: Any = Named

BAD_VALUES: Final[list[Any]] = [
    Leaky(),
    TEXT,
    TEXT + "\ud800",
    NUMBER,
    int(f"{NUMBER}" * 3),
    Decimal(f"{NUMBER}" * 3),
    Decimal(f"{NUMBER}E999"),
    float("nan"),
    BYTES,
    datetime(4711, 1, 1),  # noqa: DTZ001 - a time without a zone is what is refused
    [TEXT, Leaky()],
    [NUMBER, TEXT + "\ud800"],
    (TEXT, Leaky(), TEXT),
    {"a": Leaky()},
    {"a": TEXT + "\ud800"},
    {"a": {"b": [Leaky()]}},
    {1: TEXT},
    {TEXT, NUMBER},
    {(TEXT,)},
    Inner.model_construct(name=Leaky()),
    Inner.model_construct(name=TEXT + "\ud800", number=TEXT),
    Cat.model_construct(kind=TEXT, lives=TEXT),
    untyped_point(TEXT, Leaky()),
    untyped_named(TEXT + "\ud800", TEXT),
    Whole.Key.model_construct(name=Leaky(), part=TEXT),
]

BAD_WIRES: Final[list[Any]] = [
    {"S": TEXT},
    {"N": str(NUMBER)},
    {"N": f"{NUMBER}E999"},
    {"B": b64encode(BYTES).decode()},
    {"B": TEXT},
    {"BOOL": TEXT},
    {"X": TEXT},
    {TEXT: TEXT},
    TEXT,
    [TEXT],
    {"L": [{"S": TEXT}, {"X": TEXT}]},
    {"L": [{"M": {"name": {"N": str(NUMBER)}, "kind": {"S": TEXT}}}]},
    {"M": {"name": {"L": [{"S": TEXT}]}, "kind": {"S": TEXT}, "a": {"S": TEXT}, TEXT: {"S": TEXT}}},
    {"SS": [TEXT]},
    {"NS": [str(NUMBER), TEXT]},
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pauses between the attempts of what is refused each time."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(drivers, "sleep", lambda _: None)
    service.error, service.row = None, codec.encode(ITEM)


@pytest.fixture(autouse=True)
def no_logs(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """What is logged under our name holds nothing either."""
    with caplog.at_level(logging.DEBUG, logger="logicaldb"):
        yield
    records = [record for record in caplog.records if record.name.split(".")[0] == "logicaldb"]
    assert_silent("\n".join(f"{record.getMessage()} {record.args} {record.exc_text}" for record in records))


def assert_silent(text: str) -> None:
    assert [marker for marker in MARKERS if marker in text] == []


def assert_tells_nothing(error: BaseException) -> None:
    """Nothing of the items is in what an error shows by itself, wherever it goes."""
    shown = [*traceback.TracebackException.from_exception(error).format(chain=True)]
    # Lines of source are ours or the test's; the values of variables are in none of them.
    assert_silent("".join(line for line in shown if not line.startswith("  ")))
    chained: BaseException | None = error
    while chained is not None:
        assert_silent(f"{chained} {chained!r} {chained.args!r} {getattr(chained, '__notes__', '')}")
        chained = chained.__cause__
    if isinstance(error, LogicalDbError):
        for attribute in ("operation", "key"):
            assert_silent(f"{getattr(error, attribute, '')!r} {getattr(error, attribute, '')}")
        copy = pickle.loads(pickle.dumps(error))
        assert (str(copy), repr(copy)) == (str(error), repr(error))


def raised_by(act: Callable[[], Any], *expected: type[BaseException]) -> Any:
    with pytest.raises(expected) as raised:
        act()
    assert_tells_nothing(raised.value)
    return raised.value


WRITES: Final[Mapping[str, Callable[[Everything], Any]]] = {
    "save": db.save,
    "codec": codec.encode,
    "transaction": lambda item: db.transaction_write(TransactionWriteSet().save(item)),
    "token": lambda item: db.put(item, idempotency_token="t"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_values_that_cannot_be_stored(field: str) -> None:
    refused = 0
    for bad in BAD_VALUES:
        item = ITEM.model_copy(update={field: bad})
        for write in WRITES.values():
            try:
                write(item)
            except (EncodingError, DecodingError, TypeError, AttributeError, ValueError) as error:
                assert_tells_nothing(error)
                refused += isinstance(error, EncodingError)
    assert refused >= len(WRITES)


@pytest.mark.parametrize("field", [*FIELDS, "version"])
def test_values_that_are_not_valid(field: str) -> None:
    refused = 0
    for bad in BAD_VALUES:
        values: dict[str, Any] = {"name": "a", "number": 1, field: bad}
        for make in (
            lambda: Everything(**values),  # noqa: B023 - called at once
            lambda: ITEM.replace(**{field: bad}),  # noqa: B023
            lambda: db.update(KEY, attr(getattr(Everything, field)).set(bad)),  # noqa: B023
            lambda: db.update(KEY, attr(Everything.text).set("x"), condition=attr(getattr(Everything, field)) == bad),  # noqa: B023
            lambda: db.update(KEY, attr(getattr(Everything, field)).append([bad])),  # noqa: B023
            lambda: db.update(KEY, attr(getattr(Everything, field)).add(bad)),  # noqa: B023
            lambda: db.table.everything.scan(filter_expression=attr(getattr(Everything, field)).contains(bad)),  # noqa: B023
            lambda: db.table.everything.scan(filter_expression=attr(getattr(Everything, field)).is_in([bad])),  # noqa: B023
            lambda: db.put(ITEM, Expression("x = :v", values={":v": bad})),  # noqa: B023
            lambda: db.put(ITEM, bad),  # noqa: B023
        ):
            try:
                make()
            except ValidationError as invalid:
                refused += 1
                # pydantic hides the input, but not a tag that none of the members of a union has.
                if invalid.errors(include_input=False)[0]["type"] != "union_tag_invalid":
                    assert_tells_nothing(invalid)
            except (EncodingError, DecodingError, TypeError, ValueError) as error:
                refused += 1
                assert_tells_nothing(error)
    assert refused >= len(BAD_VALUES)


@pytest.mark.parametrize("field", [*FIELDS, "version"])
def test_rows_that_are_not_valid(field: str) -> None:
    reads: list[Callable[[], Any]] = [
        lambda: codec.decode(service.row),
        lambda: db.table.decode(service.row),
        lambda: db.load(KEY),
        lambda: list(db.transaction_load(KEY)),
        lambda: db.table.everything.query(BeginsWith(Everything.Key("a"))),
        lambda: db.table.several.query(Whole.Key("a")),
        lambda: db.save(ITEM),
        lambda: db.update(KEY, attr(Everything.text).set(TEXT)),
        lambda: db.delete_key(KEY),
        db.table.raw.scan,
    ]
    refused = 0
    for wire in BAD_WIRES:
        service.row = {**codec.encode(ITEM), field: wire}
        for read in reads:
            try:
                read()
            except DecodingError as error:
                assert_tells_nothing(error)
                refused += 1
    assert refused > len(reads)


def failing(code: str) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
    """The same call, answered by an error."""

    def with_it(act: Callable[[], Any]) -> Callable[[], Any]:
        def failed() -> Any:
            service.error = code
            return act()

        return failed

    return with_it


condition = attr(Everything.text) == "other"
refused = failing("ConditionalCheckFailedException")
canceled = failing("TransactionCanceledException")


def without_a_row(act: Callable[[], Any]) -> Callable[[], Any]:
    def done() -> Any:
        service.row = None
        return act()

    return done


def undecodable(act: Callable[[], Any]) -> Callable[[], Any]:
    def done() -> Any:
        service.row = {**codec.encode(ITEM), "inner": {"S": TEXT}, "whole": {"S": TEXT}}
        return act()

    return done


def too_large() -> TransactionWriteSet:
    writes = TransactionWriteSet()
    for number in range(20):
        writes.put(ITEM.replace(number=number, text=TEXT * 30_000))
    return writes


class Stalling(WritingPagerHandler[Everything]):
    def item(self, writes: TransactionWriteSet, update: Everything, /) -> None:
        for number in range(30):
            writes.save(update.replace(number=number))


class Failing(WritingPagerHandler[Everything]):
    def item(self, writes: TransactionWriteSet, update: Everything, /) -> None:
        writes.save(update)


token = db.table.everything.to_token(Offset(KEY), BeginsWith(Everything.Key("a")), secret=TEXT)

ERRORS: Final[list[tuple[type[LogicalDbError], Callable[[], Any]]]] = [
    (ConditionFailed, refused(lambda: db.save(ITEM, condition))),
    (ConditionFailed, refused(lambda: db.put(ITEM, condition | Expression("x = :x", values={":x": TEXT})))),
    (ConditionFailed, refused(lambda: db.delete_key(KEY, attr(Everything.text) != TEXT))),
    (VersionConflict, refused(lambda: db.save(ITEM.replace(version=2)))),
    (VersionConflict, undecodable(refused(lambda: db.save(ITEM.replace(version=2))))),
    (VersionConflict, refused(lambda: db.update(KEY, attr(Everything.text).set(TEXT), if_version=2))),
    (ItemAlreadyExists, refused(lambda: db.create(ITEM.replace(version=0)))),
    (ItemAlreadyExists, undecodable(refused(lambda: db.create(ITEM.replace(version=0))))),
    (ItemNotFound, without_a_row(refused(lambda: db.update(KEY, attr(Everything.text).set(TEXT))))),
    (CounterOutOfBounds, refused(lambda: db.increment(KEY, Everything.count, -NUMBER))),
    (CounterOutOfBounds, refused(lambda: db.update(KEY, attr(Everything.count).add(-NUMBER)))),
    (TransactionCanceled, canceled(lambda: db.transaction_write(TransactionWriteSet().save(ITEM, condition)))),
    (
        TransactionCanceled,
        undecodable(canceled(lambda: db.transaction_write(TransactionWriteSet().create(ITEM.replace(version=0))))),
    ),
    (TransactionCanceled, canceled(lambda: db.transaction_load(KEY))),
    (TransactionCanceled, canceled(lambda: db.transaction_writing_pager([ITEM], Failing()).execute())),
    (VersionConflict, canceled(lambda: db.put(ITEM.replace(version=2), idempotency_token="t"))),
    (BatchIncomplete, failing("ProvisionedThroughputExceededException")(lambda: db.batch_load(KEY))),
    (
        BatchIncomplete,
        failing("ProvisionedThroughputExceededException")(lambda: db.batch_write(BatchWriteSet().clobber(ITEM))),
    ),
    (
        ThroughputExceeded,
        failing("ProvisionedThroughputExceededException")(
            lambda: db.transaction_write(TransactionWriteSet().save(ITEM))
        ),
    ),
    (AmbiguousWrite, failing("InternalServerError")(lambda: db.increment(KEY, Everything.count, NUMBER))),
    (AmbiguousWrite, failing("InternalServerError")(lambda: db.save(ITEM))),
    (AmbiguousWrite, failing("InternalServerError")(lambda: db.transaction_write(TransactionWriteSet().save(ITEM)))),
    (AmbiguousWrite, failing("InternalServerError")(lambda: db.table.raw.put(Row(pk="a", sk="b", owner=TEXT)))),
    (LimitExceeded, lambda: db.transaction_write(too_large())),
    (LimitExceeded, lambda: db.put(ITEM, attr(Everything.text) == TEXT * 300_000)),
    (LimitExceeded, lambda: db.put(ITEM, Expression(" OR ".join(["x = :v"] * 160), values={":v": TEXT}))),
    (LimitExceeded, lambda: db.put(ITEM, Expression("x = :v" + " " * 5000 + "OR x = :v", values={":v": TEXT}))),
    (DuplicateItem, lambda: db.transaction_write(TransactionWriteSet().save(ITEM).put(ITEM))),
    (DuplicateItem, lambda: db.batch_write(BatchWriteSet().clobber(ITEM, ITEM))),
    (PagerStalled, lambda: db.transaction_writing_pager([ITEM], Stalling(), max_transaction_items=25).execute()),
    (
        InvalidCursor,
        lambda: db.table.everything.from_token(token, BeginsWith(Everything.Key("a")), secret="other"),
    ),
    (IncompleteKey, lambda: db.load(Everything.Key("a"))),
    (EncodingError, lambda: db.put(ITEM.replace(text=TEXT * 50_000))),
    (EncodingError, lambda: db.put(ITEM, idempotency_token=TEXT * 4)),
    (EncodingError, lambda: db.update(KEY, attr(Everything.text).set(TEXT), attr(Everything.text).set(TEXT))),
    (EncodingError, lambda: db.put(ITEM, Expression("x = :v", values={":v": TEXT, ":w": TEXT}))),
    (EncodingError, lambda: db.table.raw.put(Row(pk="a", sk="b", owner=TEXT * 300))),
    (EncodingError, lambda: db.save(ITEM, attr(Everything.whole).between(NUMBER, 1))),
    (DecodingError, undecodable(lambda: db.load(KEY))),
    (DecodingError, undecodable(lambda: db.delete(ITEM))),
]


@pytest.mark.parametrize(("expected", "act"), ERRORS, ids=lambda value: getattr(value, "__name__", ""))
def test_every_kind_of_error(expected: type[LogicalDbError], act: Callable[[], Any]) -> None:
    error = raised_by(act, expected)
    assert type(error) is expected
    for failure in getattr(error, "failures", ()):
        assert_silent(f"{failure.operation!r} {failure.operation}")
        if failure.error is not None:
            assert_tells_nothing(failure.error)
    if isinstance(error, ConditionFailed) and error.undecodable is not None:
        assert_tells_nothing(error.undecodable)


def test_all_classes_are_raised_above() -> None:
    every = {
        value for value in vars(logicaldb).values() if isinstance(value, type) and issubclass(value, LogicalDbError)
    }
    # A declaration holds no items, and the base is raised for transactions that are sent again too late.
    assert every - {expected for expected, _ in ERRORS} == {DeclarationError, LogicalDbError}


def test_what_shows_requests_shows_no_values() -> None:
    writes = TransactionWriteSet().save(ITEM, condition).update(KEY, attr(Everything.text).set(TEXT))
    batch = BatchWriteSet().clobber(ITEM).delete(KEY)
    for shown in (
        writes,
        batch,
        *writes.operations,
        *batch.operations,
        condition & (attr(Everything.whole) > NUMBER) & attr(Everything.text).is_in([TEXT]),
        ~attr(Everything.text).begins_with(TEXT),
        attr(Everything.text).set(TEXT),
        Expression("x = :v", values={":v": TEXT}),
        db,
        db.table,
        db.table.everything,
        Order.ByOwner("x"),
    ):
        assert_silent(f"{shown!r} {shown}")
