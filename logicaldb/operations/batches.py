"""Batches: any number of items, read or written in chunks, several chunks at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Generic

from typing_extensions import TypeVar

from logicaldb.codec.limits import MAX_BATCH_KEYS, MAX_BATCH_WRITES
from logicaldb.codec.values import describe
from logicaldb.errors import BatchIncomplete, LimitExceeded
from logicaldb.flow import Emit, Flow, Gather, Request, ServiceFailure, Sleep, Stream, Unanswered
from logicaldb.items import Item, ItemKey
from logicaldb.operations.contention import THROTTLING, pause
from logicaldb.operations.notes import noting
from logicaldb.operations.rows import Place, Rows, check_distinct
from logicaldb.operations.writes import Identity, Write, identity_of
from logicaldb.schema.items import Row
from logicaldb.sets import BatchWriteResult, BatchWriteSet, ItemSet, clobber, deletion

T = TypeVar("T")

_TRIES: Final = 12
"""How many times in a row a chunk may come back whole before it is given up: some five seconds of pauses."""
_LONGEST_WAIT: Final = 60.0
"""How many seconds a chunk may pause in all, if the service takes a part of it each time."""


def load(
    keys: Iterable[ItemKey[Any]], rows: Rows, *, consistent_read: bool, page_size: int, at_once: int
) -> Flow[ItemSet]:
    """The items of any number of keys.

    Args:
        keys: the keys; one that is given twice is read once.
        rows: where the rows are.
        consistent_read: whether to see all writes that succeeded before.
        page_size: how many keys a request has, up to 100.
        at_once: how many requests may be under way.

    Raises:
        TypeError: something is no key of the db.
        EncodingError: a key lacks fields, or a value of it cannot be stored.
        DuplicateItem: two keys of different types are about one row.
        LimitExceeded: ``page_size`` is more than DynamoDB takes.
        BatchIncomplete: keys were left over after the retries.
        DecodingError: a row is not valid for the type of its key.
    """
    _check_page_size(page_size, MAX_BATCH_KEYS)
    places = rows.places(keys)
    if not places:
        return ItemSet({})
    chunks = [_Reading({place.identity: place for place in some}, consistent_read) for some in _by(places, page_size)]
    yield Gather([chunk.flow() for chunk in chunks], at_once)
    _refuse_leftovers(chunks, len(places), "keys", lambda place: place.key)
    found = {identity: item for chunk in chunks for identity, item in chunk.found.items()}
    return ItemSet({place.key: found.get(place.identity) for place in places})


def load_all(keys: Iterable[ItemKey[Any]], rows: Rows, *, consistent_read: bool, at_once: int) -> Stream[Item]:
    """The items of a stream of keys, in order; no more of them is in memory than the requests under way hold.

    Raises:
        the same as ``load``; what was emitted before is complete.
    """
    for some in _by(keys, MAX_BATCH_KEYS * at_once):
        items = yield from load(some, rows, consistent_read=consistent_read, page_size=MAX_BATCH_KEYS, at_once=at_once)
        yield Emit(list(items))


def write(writes: BatchWriteSet, rows: Rows, *, page_size: int, at_once: int) -> Flow[BatchWriteResult]:
    """Put and delete any number of items, without conditions.

    Args:
        writes: what to put and delete.
        rows: where the rows are.
        page_size: how many writes a request has, up to 25.
        at_once: how many requests may be under way.

    Raises:
        TypeError: something belongs to another db.
        EncodingError: something cannot be stored.
        DuplicateItem: two writes are about one row.
        LimitExceeded: ``page_size`` is more than DynamoDB takes.
        BatchIncomplete: writes were left over after the retries.
    """
    _check_page_size(page_size, MAX_BATCH_WRITES)
    prepared = [rows.prepare(operation) for operation in writes.operations]
    check_distinct(prepared)
    if prepared:
        yield from _write(prepared, page_size, at_once)
    return BatchWriteResult(
        [write.result(None) for write in prepared if write.action == "Put"],
        [write.operation.key for write in prepared if write.action == "Delete"],
    )


def write_all(writes: Iterable[Item | ItemKey[Any]], rows: Rows, *, at_once: int) -> Flow[int]:
    """Put the items and delete the keys of a stream, in order as far as they are about one row.

    No more of them is in memory than the requests under way hold.

    Raises:
        the same as ``write``, but for duplicates; a note on the error says how many writes are done.
    """
    done = 0
    window: dict[Identity, Write] = {}
    with noting(lambda: f"batch_write_all: the first {done} writes are done"):
        for one in writes:
            prepared = rows.prepare(clobber(one) if isinstance(one, Item) else deletion(one))
            identity = prepared.identity
            if identity in window or len(window) == MAX_BATCH_WRITES * at_once:
                yield from _write(list(window.values()), MAX_BATCH_WRITES, at_once)
                done += len(window)
                window.clear()
            window[identity] = prepared
        if window:
            yield from _write(list(window.values()), MAX_BATCH_WRITES, at_once)
    return done + len(window)


def _write(writes: Sequence[Write], page_size: int, at_once: int) -> Flow[None]:
    chunks = [_Writing({write.identity: write for write in some}) for some in _by(writes, page_size)]
    fatal: Exception | None = None
    try:
        yield Gather([chunk.flow() for chunk in chunks], at_once)
    except Exception as error:
        if all(chunk.untouched for chunk in chunks):
            raise
        fatal = error
    _refuse_leftovers(chunks, len(writes), "writes", lambda write: write.operation.item or write.operation.key, fatal)


P = TypeVar("P", Place, Write)


@dataclass(slots=True)
class _Chunk(ABC, Generic[P]):
    """A part of a batch: one request, and as many more as it takes until nothing is left over.

    Attributes:
        left: what is left, by row.
        error: what came instead of the last answer.
        untouched: whether all of it is left, and known to be.
    """

    left: dict[Identity, P]
    error: Exception | None = field(default=None, init=False)
    untouched: bool = field(default=True, init=False)

    def flow(self) -> Flow[None]:
        """Send until nothing is left, or until it has been tried often or long enough."""
        tries = 0
        waited = 0.0
        while True:
            before = len(self.left)
            try:
                unprocessed = yield from self.send()
            except ServiceFailure as failure:
                # Where it could do nothing of a batch, the service answers with an error instead of leftovers.
                if failure.code not in THROTTLING:
                    raise
                self.error = failure.error
            except Unanswered as unanswered:
                # It may all be done again, so what is not known to be done is left over.
                self.error = unanswered.error
                self.untouched = False
                return
            else:
                self.error = None
                self.untouched = self.untouched and len(unprocessed) == before
                self.left = {identity: one for identity, one in self.left.items() if identity in unprocessed}
            tries = tries + 1 if len(self.left) == before else 1
            if not self.left or tries == _TRIES or waited > _LONGEST_WAIT:
                return
            seconds = pause(tries)
            waited += seconds
            yield Sleep(seconds)

    def by_table(self) -> dict[str, list[P]]:
        """What is left, by physical table."""
        tables: dict[str, list[P]] = {}
        for one in self.left.values():
            tables.setdefault(one.table, []).append(one)
        return tables

    @abstractmethod
    def send(self) -> Flow[Collection[Identity]]:
        """Send what is left, and give the rows that the service has left over."""


@dataclass(slots=True)
class _Reading(_Chunk[Place]):
    """Keys that are read by one request.

    Attributes:
        consistent_read: whether to see all writes that succeeded before.
        found: the items, by row.
    """

    consistent_read: bool
    found: dict[Identity, Item | None] = field(default_factory=dict[Identity, "Item | None"], init=False)

    def send(self) -> Flow[Collection[Identity]]:
        tables = self.by_table()
        options = {"ConsistentRead": True} if self.consistent_read else {}
        requests = {table: {"Keys": [place.row for place in places], **options} for table, places in tables.items()}
        answer: dict[str, Any] = yield Request("BatchGetItem", next(iter(tables)), {"RequestItems": requests})
        for table, rows in answer["Responses"].items():
            names = tuple(tables[table][0].row)
            for row in rows:
                place = self.left[identity_of(table, {name: row[name] for name in names})]
                self.found[place.identity] = place.decode(row)
        unprocessed: Mapping[str, Any] = answer.get("UnprocessedKeys") or {}
        return {identity_of(table, key) for table, request in unprocessed.items() for key in request["Keys"]}


@dataclass(slots=True)
class _Writing(_Chunk[Write]):
    """Puts and deletes that are sent by one request."""

    def send(self) -> Flow[Collection[Identity]]:
        tables = self.by_table()
        requests = {table: [_request(write) for write in writes] for table, writes in tables.items()}
        answer: dict[str, Any] = yield Request("BatchWriteItem", next(iter(tables)), {"RequestItems": requests})
        unprocessed: Mapping[str, Any] = answer.get("UnprocessedItems") or {}
        return {
            identity_of(table, _key(request, tuple(tables[table][0].key)))
            for table, requests in unprocessed.items()
            for request in requests
        }


def _request(write: Write) -> dict[str, Any]:
    if write.action == "Put":
        return {"PutRequest": {"Item": write.parameters["Item"]}}
    return {"DeleteRequest": {"Key": write.key}}


def _key(request: Mapping[str, Any], names: Iterable[str]) -> Row:
    """The primary key of the row that a request is about."""
    row: Row = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return {name: row[name] for name in names}


def _refuse_leftovers(
    chunks: Sequence[_Chunk[P]],
    number: int,
    what: str,
    given: Callable[[P], Item | ItemKey[Any]],
    error: Exception | None = None,
) -> None:
    left = [given(one) for chunk in chunks for one in chunk.left.values()]
    if left:
        error = error or next((chunk.error for chunk in chunks if chunk.error is not None), None)
        raise BatchIncomplete(
            f"{len(left)} of {number} {what} were left over after the retries", unprocessed=left
        ) from error


def _by(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values in lists of a size, the last one maybe shorter."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some


def _check_page_size(size: object, limit: int) -> None:
    if not isinstance(size, int) or isinstance(size, bool):
        raise TypeError(f"max_page_size is an int, not {describe(size)}")
    if not 1 <= size <= limit:
        raise LimitExceeded(f"max_page_size={size}: DynamoDB takes 1 to {limit} in one request")
