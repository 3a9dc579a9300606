"""Any number of keys and writes, with whatever leftovers: every key is answered once, and no write is lost (B1, B2)."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from hypothesis import event, given
from hypothesis import strategies as st

from logicaldb import BatchIncomplete, BatchWriteSet, Item, ItemKey
from logicaldb.codec.writing import plain
from logicaldb.drivers import Done, advance
from logicaldb.flow import Emit, Flow, Gather, Request, ServiceFailure, Sleep, Unanswered
from logicaldb.operations import batches
from logicaldb.operations.rows import Rows
from tests.unit.operations.driving import NOW, NoTransport
from tests.unit.operations.models import Number, NumberTable, Plain, PlainTable

Row = dict[str, Any]
THROTTLED: Final = "ThrottlingException"
DENIED: Final = "AccessDeniedException"
LOST: Final = "lost"


def make_rows() -> Rows:
    rows = Rows("Db")
    table_types: dict[str, Any] = {"plain": PlainTable, "numbers": NumberTable}
    for name, table_type in table_types.items():
        for item_type, view_name, view in table_type(name, NoTransport(), lambda: NOW, 1).item_views():
            rows.add(item_type, f"db.{name}.{view_name}", view._writer)
    return rows


ROWS = make_rows()


def key_of(name: int, zeros: int = 0) -> ItemKey[Any]:
    """The key of an odd number is text, that of an even one is a number, which may have zeros behind its point."""
    if name % 2:
        return Plain.Key(str(name % 7), str(name))
    return Number.Key(name % 5, Decimal(name).quantize(Decimal(1).scaleb(-zeros)))


def item_of(name: int, value: int = 0) -> Item:
    if name % 2:
        return Plain(pk=str(name % 7), sk=str(name), value=value)
    return Number(pk=name % 5, sk=Decimal(name))


def name_of(row: Row) -> int:
    return int(Decimal(next(iter(row["sk"].values()))))


def exists(name: int) -> bool:
    return name % 3 != 0


@dataclass
class Service:
    """A service that does a part of each batch, or nothing of it, and a driver that gives turns to flows at random.

    Attributes:
        moods: what becomes of the next requests: the share that is left over, or an error; of those that follow all is done.
        stuck: rows that are always left over.
        draw: decides what is left to chance.
        sizes: how many rows each request was about.
        pauses: how often a flow slept.
        read: how often each row was read.
        written: what was written to each row, in order.
    """

    moods: Iterable[float | str]
    stuck: frozenset[int]
    draw: random.Random
    sizes: list[int] = field(default_factory=list[int])
    pauses: int = 0
    read: Counter[int] = field(default_factory=Counter[int])
    written: defaultdict[int, list[Row]] = field(default_factory=lambda: defaultdict[int, list[Row]](list))

    def __post_init__(self) -> None:
        self._moods: Iterator[float | str] = iter(self.moods)

    def perform(self, flow: Generator[Any, Any, Any]) -> Any:
        """Perform a flow and return its result, or that of a stream as a list."""
        emitted: list[Any] = []
        step = advance(flow, None)
        while not isinstance(step, Done):
            if isinstance(step, Emit):
                emitted += step.values
                step = advance(flow, None)
            else:
                step = advance(flow, self.outcome(step))
        return emitted if step.result is None else step.result

    def outcome(self, step: Request | Sleep | Gather) -> Any:
        """What comes of a step: a result, or an exception."""
        try:
            match step:
                case Request():
                    return self.answer(step)
                case Gather():
                    self.gather(step)
                case Sleep():
                    self.pauses += 1
        except Exception as error:  # noqa: BLE001 - the flow gets it
            return error
        return None

    def gather(self, step: Gather) -> None:
        """Give turns to the flows, as many at once as may be; the first that raises ends all."""
        waiting = list(step.flows)[::-1]
        under_way: list[tuple[Flow[Any], Any]] = []
        while waiting or under_way:
            while waiting and len(under_way) < step.at_once:
                flow = waiting.pop()
                under_way.append((flow, advance(flow, None)))
            flow, current = under_way.pop(self.draw.randrange(len(under_way)))
            following = advance(flow, self.outcome(current))
            if not isinstance(following, Done):
                under_way.append((flow, following))

    def answer(self, request: Request) -> dict[str, Any]:
        reading = request.operation == "BatchGetItem"
        tables: dict[str, Any] = plain(request.body)["RequestItems"]
        rows = [(table, row) for table, asked in tables.items() for row in (asked["Keys"] if reading else asked)]
        names = [name_of(key_in(row)) for _, row in rows]
        assert len({*names}) == len(names)
        self.sizes.append(len(rows))
        mood = next(self._moods, 0.0)
        if isinstance(mood, str) and mood != LOST:
            raise ServiceFailure(mood, {}, RuntimeError(mood))
        share = 0.5 if isinstance(mood, str) else mood
        left: dict[str, list[Row]] = {}
        found: dict[str, list[Row]] = {}
        for name, (table, row) in self.draw.sample([*zip(names, rows, strict=True)], len(rows)):
            if name in self.stuck or self.draw.random() < share:
                left.setdefault(table, []).append(row)
            elif reading:
                self.read[name] += 1
                if exists(name):
                    found.setdefault(table, []).append(row)
            else:
                self.written[name].append(row)
        if mood == LOST:
            raise Unanswered(RuntimeError(LOST))
        if reading:
            keys = {table: {"Keys": some} for table, some in left.items()}
            return {"Responses": found, "UnprocessedKeys": keys}
        return {"UnprocessedItems": left}


def key_in(request: Row) -> Row:
    """A key, or what a put or a delete is about."""
    row: Row = request.get("PutRequest", {}).get("Item") or request.get("DeleteRequest", {}).get("Key") or request
    return row


NAMES = st.integers(0, 70)
SHARES = st.floats(0, 1)
AT_ONCE = st.integers(1, 5)
SEEDS = st.integers(0, 1 << 16)
SOME_STUCK = st.one_of(st.just(frozenset[int]()), st.frozensets(NAMES, min_size=1, max_size=5))


@given(
    asked=st.lists(st.tuples(NAMES, st.integers(0, 3)), max_size=150),
    moods=st.lists(st.one_of(SHARES, st.just(THROTTLED)), max_size=10),
    page_size=st.one_of(st.just(100), st.integers(1, 20)),
    at_once=AT_ONCE,
    seed=SEEDS,
)
def test_every_key_is_answered_once_and_in_order(
    asked: list[tuple[int, int]], moods: list[float | str], page_size: int, at_once: int, seed: int
) -> None:
    service = Service(moods, frozenset(), random.Random(seed))
    keys = [key_of(name, zeros) for name, zeros in asked]
    flow = batches.load(keys, ROWS, consistent_read=False, page_size=page_size, at_once=at_once)
    items = service.perform(flow)
    names = [*dict.fromkeys(name for name, _ in asked)]
    assert list(items) == [item_of(name) for name in names if exists(name)]
    assert items.missing == [key_of(name) for name in names if not exists(name)]
    assert service.read == Counter(names)
    assert max(service.sizes, default=0) <= page_size
    assert len(service.sizes) == -(-len(names) // page_size) + service.pauses


@given(
    asked=st.lists(NAMES, min_size=1, max_size=80),
    stuck=st.frozensets(NAMES, min_size=1, max_size=5),
    moods=st.lists(SHARES, max_size=10),
    page_size=st.integers(1, 30),
    at_once=AT_ONCE,
    seed=SEEDS,
)
def test_keys_that_cannot_be_read_are_told(
    asked: list[int], stuck: frozenset[int], moods: list[float | str], page_size: int, at_once: int, seed: int
) -> None:
    service = Service(moods, stuck, random.Random(seed))
    keys = [key_of(name) for name in asked]
    names = [*dict.fromkeys(asked)]
    try:
        service.perform(batches.load(keys, ROWS, consistent_read=False, page_size=page_size, at_once=at_once))
    except BatchIncomplete as incomplete:
        event("incomplete")
        unprocessed = incomplete.unprocessed
    else:
        unprocessed = []
    assert bool(unprocessed) == bool(stuck & {*names})
    assert unprocessed == [key_of(name) for name in names if name not in service.read]
    assert max(service.read.values(), default=1) == 1


@given(
    writes=st.dictionaries(NAMES, st.booleans(), max_size=71),
    stuck=SOME_STUCK,
    moods=st.lists(st.one_of(SHARES, st.sampled_from([THROTTLED, DENIED, LOST])), max_size=10),
    page_size=st.one_of(st.just(25), st.integers(1, 25)),
    at_once=AT_ONCE,
    seed=SEEDS,
)
def test_every_write_is_done_once_or_left_over(
    writes: dict[int, bool],
    stuck: frozenset[int],
    moods: list[float | str],
    page_size: int,
    at_once: int,
    seed: int,
) -> None:
    service = Service(moods, stuck, random.Random(seed))
    batch = BatchWriteSet()
    given: dict[int, Any] = {name: item_of(name) if put else key_of(name) for name, put in writes.items()}
    for one in given.values():
        if isinstance(one, Item):
            batch.clobber(one)
        else:
            batch.delete(one)
    left: list[Any] = []
    lost = False
    try:
        result = service.perform(batches.write(batch, ROWS, page_size=page_size, at_once=at_once))
    except BatchIncomplete as incomplete:
        event("incomplete")
        left = incomplete.unprocessed
        lost = "no answer tells" in str(incomplete)
        assert left
    except RuntimeError:
        event("refused")
        assert service.written == {}
        return
    else:
        event("done")
        assert result.clobbered == [one for one in given.values() if isinstance(one, Item)]
        assert result.deleted == [one for one in given.values() if not isinstance(one, Item)]
    ids = {id(one) for one in left}
    assert left == [one for one in given.values() if id(one) in ids]  # the very objects, in their order
    for name, one in given.items():
        if id(one) not in ids:
            assert len(service.written[name]) == 1
        elif not lost:
            assert service.written[name] == []
    assert max(service.sizes, default=0) <= page_size


@given(
    count=st.integers(0, 700),
    moods=st.lists(st.one_of(SHARES, st.just(THROTTLED)), max_size=10),
    at_once=st.integers(1, 3),
    seed=SEEDS,
)
def test_a_stream_of_keys(count: int, moods: list[float | str], at_once: int, seed: int) -> None:
    service = Service(moods, frozenset(), random.Random(seed))
    asked = [service.draw.randrange(500) for _ in range(count)]
    found = service.perform(batches.load_all(map(key_of, asked), ROWS, consistent_read=False, at_once=at_once))
    windows = [dict.fromkeys(asked[first : first + 100 * at_once]) for first in range(0, len(asked), 100 * at_once)]
    assert found == [item_of(name) for window in windows for name in window if exists(name)]
    assert len(service.sizes) == sum(-(-len(window) // 100) for window in windows) + service.pauses


@given(
    count=st.integers(0, 150),
    rows=st.integers(1, 150),
    stuck=st.one_of(st.just(frozenset[int]()), st.frozensets(st.integers(0, 30), min_size=1, max_size=3)),
    moods=st.lists(st.one_of(SHARES, st.just(THROTTLED)), max_size=10),
    at_once=st.integers(1, 3),
    seed=SEEDS,
)
def test_a_stream_of_writes(
    count: int, rows: int, stuck: frozenset[int], moods: list[float | str], at_once: int, seed: int
) -> None:
    """What is drawn is done in the order of its row, or left over; the first are done, as many as the note says."""
    service = Service(moods, stuck, random.Random(seed))
    writes = [(service.draw.randrange(rows), service.draw.random() < 0.8) for _ in range(count)]
    given = [item_of(name, value) if put else key_of(name) for value, (name, put) in enumerate(writes)]
    drawn: list[int] = []

    def draw() -> Generator[Any]:
        for value, one in enumerate(given):
            drawn.append(value)
            yield one

    left: list[Any] = []
    try:
        assert service.perform(batches.write_all(draw(), ROWS, at_once=at_once)) == len(writes)
    except BatchIncomplete as incomplete:
        event("incomplete")
        left = incomplete.unprocessed
        (note,) = incomplete.__notes__
        first = int(note.removeprefix("batch_write_all: the first ").removesuffix(" writes are done"))
        assert not {id(one) for one in left} & {id(one) for one in given[:first]}
    expected: dict[int, list[Row]] = defaultdict(list)
    ids = {id(one) for one in left}
    for value in drawn:
        name, put = writes[value]
        if id(given[value]) not in ids:
            expected[name].append(request(item_of(name, value) if put else key_of(name)))
    assert {name: done for name, done in service.written.items() if done} == expected


def request(one: Any) -> Row:
    """The request that writes an item or deletes a key."""
    batch = BatchWriteSet().clobber(one) if isinstance(one, Item) else BatchWriteSet().delete(one)
    service = Service([], frozenset(), random.Random(0))
    service.perform(batches.write(batch, ROWS, page_size=1, at_once=1))
    ((row,),) = service.written.values()
    return row
