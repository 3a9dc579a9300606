"""Batches: any number of items, read or written in chunks, several chunks at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import attrgetter
from time import monotonic
from typing import Any, Final, Generic

from typing_extensions import TypeVar

from logicaldb.codec.limits import MAX_BATCH_KEYS, MAX_BATCH_WRITES
from logicaldb.codec.values import describe
from logicaldb.codec.writing import JsonText, plain_json, to_json
from logicaldb.errors import BatchIncomplete, LimitExceeded
from logicaldb.flow import Emit, Flow, Gather, Request, ServiceFailure, Sleep, Stream, Unanswered
from logicaldb.items import Item, ItemKey
from logicaldb.operations.contention import THROTTLING, pause
from logicaldb.operations.notes import noting
from logicaldb.operations.rows import Place, Rows, check_distinct
from logicaldb.operations.writes import Identity, Write, identity_of
from logicaldb.schema.items import Row
from logicaldb.schema.reading import ReadAnswer
from logicaldb.sets import BatchWriteResult, BatchWriteSet, ItemSet, clobber, deletion

T = TypeVar("T")

_TRIES: Final = 12
"""How many times in a row nothing of a chunk may be done before it is given up: some four seconds of pauses."""
_LONGEST: Final = 60.0
"""After how many seconds it is given up even if a part of it is done each time, or each try takes long."""


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
        BatchIncomplete: keys were left over after the retries, or the service throttled them each time.
        DecodingError: a row is not valid for the type of its key.
    """
    _check_page_size(page_size, MAX_BATCH_KEYS)
    places = rows.places_by_row(keys)
    if not places:
        return ItemSet({})
    chunks = [_Reading(dict(some), consistent_read) for some in _by(places.items(), page_size)]
    try:
        yield Gather([chunk.flow() for chunk in chunks], at_once)
    except _GivenUp as given_up:
        raise _incomplete(chunks, "keys", len(places), lambda place: place.key) from given_up.__cause__
    found = {identity: item for chunk in chunks for identity, item in chunk.found.items()}
    return ItemSet({place.key: found.get(identity) for identity, place in places.items()})


def load_all(keys: Iterable[ItemKey[Any]], rows: Rows, *, consistent_read: bool, at_once: int) -> Stream[Item]:
    """The items of a stream of keys, in order; no more of them is in memory than the requests under way hold.

    Raises:
        the same as ``load``; what was emitted before is complete.
    """
    for some in _by(keys, MAX_BATCH_KEYS * at_once):
        items = yield from load(some, rows, consistent_read=consistent_read, page_size=MAX_BATCH_KEYS, at_once=at_once)
        yield Emit(list(items))
        del items  # or they would be in memory together with the next


def write(writes: BatchWriteSet, rows: Rows, *, page_size: int, at_once: int) -> Flow[BatchWriteResult]:
    """Put and delete any number of items, without conditions.

    Args:
        writes: what to put and delete.
        rows: where the rows are.
        page_size: how many writes a request has, up to 25.
        at_once: how many requests may be under way.

    Raises:
        TypeError: it is no set of this db's items and keys.
        EncodingError: something cannot be stored.
        DuplicateItem: two writes are about one row.
        LimitExceeded: ``page_size`` is more than DynamoDB takes.
        BatchIncomplete: some writes are not known to be done, for whatever reason. Where it is known that none is done,
            and the service left over none, the reason itself is raised.
    """
    if not isinstance(writes, BatchWriteSet):
        raise TypeError(f"a BatchWriteSet is due, not {describe(writes)}")
    _check_page_size(page_size, MAX_BATCH_WRITES)
    prepared = [rows.prepare(operation) for operation in writes.operations]
    by_row = check_distinct(prepared)
    if prepared:
        yield from _write(by_row, page_size, at_once)
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

    def flush() -> Flow[None]:
        nonlocal done
        yield from _write(window, MAX_BATCH_WRITES, at_once)
        done += len(window)
        window.clear()

    with noting(lambda: f"batch_write_all: the first {done} writes are done"):
        for one in writes:
            prepared = rows.prepare(clobber(one) if isinstance(one, Item) else deletion(one))
            if prepared.identity in window:
                try:
                    yield from flush()
                except BatchIncomplete as incomplete:
                    incomplete.unprocessed.append(one)  # it is drawn already, and waits for the other write of its row
                    raise
            window[prepared.identity] = prepared
            if len(window) == MAX_BATCH_WRITES * at_once:
                yield from flush()
        if window:
            yield from flush()
    return done


def _write(writes: Mapping[Identity, Write], page_size: int, at_once: int) -> Flow[None]:
    chunks = [_Writing(dict(some)) for some in _by(writes.items(), page_size)]
    try:
        yield Gather([chunk.flow() for chunk in chunks], at_once)
    except _GivenUp as given_up:
        raise _incomplete(chunks, "writes", len(writes), _given) from given_up.__cause__
    except Exception as error:
        if not any(chunk.begun or chunk.ambiguous for chunk in chunks):
            raise
        raise _incomplete(chunks, "writes", len(writes), _given, ended_by=error) from error


def _given(write: Write) -> Item | ItemKey[Any]:
    """What the caller gave."""
    return write.operation.key if write.operation.item is None else write.operation.item


P = TypeVar("P", Place, Write)


class _GivenUp(Exception):
    """A chunk was tried often or long enough; the cause is the error that came last, if one came."""


@dataclass(slots=True)
class _Chunk(ABC, Generic[P]):
    """A part of a batch: one request, and as many more as it takes until nothing is left over.

    Attributes:
        left: what is left, by row.
        begun: whether a part of it is done.
        ambiguous: whether what is left may have taken effect too, because no answer came to an attempt.
    """

    left: dict[Identity, P]
    begun: bool = field(default=False, init=False)
    ambiguous: bool = field(default=False, init=False)

    def flow(self) -> Flow[None]:
        """Send until nothing is left.

        Raises:
            _GivenUp: something is, after all tries.
        """
        until = monotonic() + _LONGEST
        tries = 0
        while True:
            before = len(self.left)
            throttled: Exception | None = None
            try:
                unprocessed = yield from self.send()
            except ServiceFailure as failure:
                # Where it could do nothing of a batch, the service answers with an error instead of leftovers.
                if failure.code not in THROTTLING:
                    raise
                throttled = failure.error
            else:
                self.left = {identity: one for identity, one in self.left.items() if identity in unprocessed}
            progress = len(self.left) < before
            self.begun = self.begun or progress
            if not self.left:
                return
            tries = 0 if progress else tries + 1
            if tries == _TRIES or monotonic() > until:
                raise _GivenUp from throttled
            yield Sleep(pause(1 + tries))

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
        requests = {
            table: {"Keys": JsonText(plain_json([place.row for place in places])), **options}
            for table, places in tables.items()
        }
        body, first = {"RequestItems": requests}, next(iter(tables))
        answer: dict[str, Any] = yield Request("BatchGetItem", first, body, read=self._reads(tables))
        found = self._taken if isinstance(answer, ReadAnswer) else self._decoded
        for table, rows in answer.get("Responses", {}).items():
            self.found.update(found(table, rows))
        unprocessed: Mapping[str, Any] = answer.get("UnprocessedKeys") or {}
        return {identity_of(table, key) for table, request in unprocessed.items() for key in request["Keys"]}

    def _reads(self, tables: Mapping[str, Sequence[Place]]) -> Callable[[bytes], ReadAnswer] | None:
        """What reads answers with their items: for rows of one table and type."""
        if len(tables) > 1:
            return None
        (places,) = tables.values()
        first = places[0]
        alike = all(place.writer.item is first.writer.item for place in places)
        # A key without fields, of constants alone, has no values to be found by.
        return first.writer.item.reader.batch if alike and type(first.key).model_fields else None

    def _decoded(self, table: str, rows: Iterable[Row]) -> Iterator[tuple[Identity, Item | None]]:
        names = tuple(next(place.row for place in self.left.values() if place.table == table))
        for row in rows:
            identity = identity_of(table, {name: row[name] for name in names})
            yield identity, self.left[identity].decode(row)

    def _taken(self, _: str, items: Iterable[Item]) -> Iterator[tuple[Identity, Item | None]]:
        """Items that were read at once, by the values of their keys, which are those of the keys that were asked for."""
        values = attrgetter(*type(next(iter(self.left.values())).key).model_fields)
        identities = {values(place.key): identity for identity, place in self.left.items()}
        return ((identities[values(item)], item) for item in items)


@dataclass(slots=True)
class _Writing(_Chunk[Write]):
    """Puts and deletes that are sent by one request."""

    def send(self) -> Flow[Collection[Identity]]:
        tables = self.by_table()
        requests = {table: JsonText(f"[{','.join(map(_request, writes))}]") for table, writes in tables.items()}
        try:
            answer: dict[str, Any] = yield Request("BatchWriteItem", next(iter(tables)), {"RequestItems": requests})
        except (ServiceFailure, Unanswered) as error:
            self.ambiguous = self.ambiguous or isinstance(error, Unanswered) or error.ambiguous
            raise
        unprocessed: Mapping[str, Any] = answer.get("UnprocessedItems") or {}
        return {
            identity_of(table, _key(request, tuple(tables[table][0].key)))
            for table, requests in unprocessed.items()
            for request in requests
        }


def _request(write: Write) -> str:
    """The JSON text of a write, as an element of a batch."""
    if write.action == "Put":
        return f'{{"PutRequest":{{"Item":{to_json(write.parameters["Item"])}}}}}'
    return f'{{"DeleteRequest":{{"Key":{to_json(write.key)}}}}}'


def _key(request: Mapping[str, Any], names: Iterable[str]) -> Row:
    """The primary key of the row that a request is about."""
    row: Row = request["PutRequest"]["Item"] if "PutRequest" in request else request["DeleteRequest"]["Key"]
    return {name: row[name] for name in names}


def _incomplete(
    chunks: Sequence[_Chunk[P]],
    what: str,
    number: int,
    given: Callable[[P], Item | ItemKey[Any]],
    *,
    ended_by: Exception | None = None,
) -> BatchIncomplete:
    left = [given(one) for chunk in chunks for one in chunk.left.values()]
    message = f"{len(left)} of {number} {what} were left over"
    if ambiguous := sum(len(chunk.left) for chunk in chunks if chunk.ambiguous):
        message += f"; no answer tells whether {ambiguous} of them took effect"
    elif ended_by is not None:
        message += f"; {type(ended_by).__name__} ended the batch"
    return BatchIncomplete(message, unprocessed=left)


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
