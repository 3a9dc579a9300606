"""Batches while a part is left over, throttled or lost: nothing is lost, nothing is done twice, and what is left is told."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Generator
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from logicaldb import BatchIncomplete, BatchWriteSet
from logicaldb.testing import DynamoDbLocal
from tests.engines import code_of
from tests.faults.conftest import Clients, Stage
from tests.faults.partial import LEFTOVERS, Row, rows_of
from tests.faults.proxy import APPLIED, NOT_APPLIED, READS, Answer, Fault, FaultProxy, Received
from tests.models import Mark, Tally, make_db

COUNT = 60


class CountingProxy(FaultProxy):
    """A proxy that counts.

    Attributes:
        taken: how often the service got each row of a batch.
    """

    def __init__(self, upstream: str) -> None:
        super().__init__(upstream)
        self.taken: Counter[str] = Counter()
        self._taking = threading.Lock()

    def forward(self, headers: dict[str, str], body: bytes, received: Received) -> Answer:
        if received.operation in LEFTOVERS:
            with self._taking:
                self.taken.update(map(name_of, rows_of(body)))
        return super().forward(headers, body, received)


def name_of(row: Row) -> str:
    """The partition key of a row, of a key, of a put or of a delete."""
    row = row.get("PutRequest", {}).get("Item") or row.get("DeleteRequest", {}).get("Key") or row
    name: str = row["pk"]["S"]
    return name


@pytest.fixture(scope="module")
def stages(dynamodb_local: DynamoDbLocal) -> Generator[Callable[[], Stage]]:
    table = f"faults-{uuid4().hex}"
    direct = make_db(dynamodb_local.client(), table)
    direct.create_tables()
    with CountingProxy(dynamodb_local.endpoint_url) as proxy:
        clients = Clients(proxy)
        yield lambda: Stage(proxy, direct, uuid4().hex, table, clients)


def counting(stage: Stage) -> CountingProxy:
    assert isinstance(stage.proxy, CountingProxy)
    return stage.proxy


@pytest.fixture(autouse=True)
def nothing_is_left_over(stage: Stage) -> None:
    proxy = counting(stage)
    proxy.leave = lambda _: False
    proxy.taken.clear()


def names(stage: Stage, count: int = COUNT) -> list[str]:
    return [f"{stage.name}-{number}" for number in range(count)]


def tallies(stage: Stage, count: int = COUNT) -> list[Tally]:
    return [Tally(name=name, text=name) for name in names(stage, count)]


def keys(stage: Stage, count: int = COUNT) -> list[Tally.Key]:
    return list(map(Tally.Key, names(stage, count)))


def stored(stage: Stage, count: int = COUNT) -> list[Tally]:
    return stage.direct.batch_load(keys(stage, count), consistent_read=True).get_items(Tally)


# Leftovers


def at_most(times: int, seed: int = 7) -> Callable[[Row], bool]:
    """Each row is left over a number of times, and no more."""
    draw = random.Random(seed)
    still: dict[str, int] = {}

    def leave(row: Row) -> bool:
        name = name_of(row)
        still[name] = still.get(name, draw.randint(0, times) + 1) - 1
        return still[name] > 0

    return leave


@pytest.mark.parametrize("times", [1, 4, 11])
def test_leftovers_are_written_once_each(stage: Stage, pauses: list[float], times: int) -> None:
    counting(stage).leave = at_most(times)
    items = tallies(stage)
    writes = BatchWriteSet().clobber(*items).delete(*(Mark.Key(f"{name}-mark") for name in names(stage)))
    result = stage.db().batch_write(writes)
    assert result.clobbered == items
    assert stored(stage) == items
    assert sorted(counting(stage).taken.values()) == [1] * 2 * COUNT
    requests = len(stage.proxy.received)
    assert requests >= 10
    assert len(pauses) == requests - 5
    assert all(0 <= pause <= 1 for pause in pauses)


@pytest.mark.parametrize("times", [1, 4, 11])
def test_leftovers_are_read_once_each(stage: Stage, pauses: list[float], times: int) -> None:
    items = tallies(stage, 130)
    stage.direct.batch_write(BatchWriteSet().clobber(*items[::2]))
    counting(stage).leave = at_most(times)
    stage.proxy.plan(operations=READS)
    found = stage.db().batch_load(keys(stage, 130)[::-1], consistent_read=True)
    assert list(found) == items[::2][::-1]
    assert found.missing == keys(stage, 130)[1::2][::-1]
    assert sorted(counting(stage).taken.values()) == [1] * 130
    assert len(pauses) == len(stage.proxy.received) - 2


def test_what_is_always_left_over_is_told(stage: Stage) -> None:
    items = tallies(stage)
    hot = {item.name for item in items[3:58:5]}
    counting(stage).leave = lambda row: name_of(row) in hot
    with pytest.raises(BatchIncomplete) as raised:
        stage.db().batch_write(BatchWriteSet().clobber(*items))
    unprocessed: list[Tally] = raised.value.unprocessed
    assert str(raised.value) == f"{len(unprocessed)} of 60 writes were left over"
    assert hot <= {item.name for item in unprocessed}
    assert [item for item in items if item not in unprocessed] == stored(stage)
    assert set(counting(stage).taken) == {item.name for item in stored(stage)}
    counting(stage).leave = lambda _: False
    assert stage.db().batch_write_all(unprocessed) == len(unprocessed)
    assert stored(stage) == items


def test_keys_that_are_always_left_over_are_told(stage: Stage) -> None:
    stage.direct.batch_write(BatchWriteSet().clobber(*tallies(stage)))
    hot = {name for name in names(stage) if name.endswith("7")}
    counting(stage).leave = lambda row: name_of(row) in hot
    with pytest.raises(BatchIncomplete) as raised:
        stage.db().batch_load(keys(stage))
    assert str(raised.value) == "6 of 60 keys were left over"
    assert [key.name for key in raised.value.unprocessed] == [name for name in names(stage) if name in hot]
    assert raised.value.__cause__ is None


# Throttling


def test_throttled_batches_are_sent_again(stage: Stage, pauses: list[float]) -> None:
    items = tallies(stage)
    stage.proxy.plan(*[Fault.THROTTLE] * 9)
    assert stage.db(attempts=1).batch_write(BatchWriteSet().clobber(*items)).clobbered == items
    assert len(pauses) == 9
    stage.proxy.plan(*[Fault.THROTTLE] * 9, operations=READS)
    assert list(stage.db(attempts=1).batch_load(keys(stage))) == items
    assert len(pauses) == 18
    assert set(counting(stage).taken.values()) == {2}


def test_throttling_without_end(stage: Stage) -> None:
    stage.proxy.plan(afterwards=Fault.THROTTLE, operations=["BatchWriteItem", "BatchGetItem"])
    items = tallies(stage, 30)
    with pytest.raises(BatchIncomplete) as raised:
        stage.db(attempts=1).batch_write(BatchWriteSet().clobber(*items))
    assert raised.value.unprocessed == items
    assert str(raised.value) == "30 of 30 writes were left over"
    assert isinstance(raised.value.__cause__, ClientError)
    assert code_of(raised.value.__cause__) == "ProvisionedThroughputExceededException"
    assert 12 <= len(stage.proxy.received) <= 24
    with pytest.raises(BatchIncomplete) as reads:
        stage.db(attempts=1).batch_load(keys(stage, 30))
    assert reads.value.unprocessed == keys(stage, 30)
    assert not counting(stage).taken


# Lost answers


@pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.UNAVAILABLE, Fault.CUT_AFTER, Fault.DAMAGE]
)
def test_a_lost_answer_is_asked_for_again(stage: Stage, fault: Fault) -> None:
    items = tallies(stage)
    stage.proxy.plan(fault)
    assert stage.db().batch_write(BatchWriteSet().clobber(*items)).clobbered == items
    assert stored(stage) == items
    stage.proxy.plan(fault, operations=READS)
    assert list(stage.db().batch_load(keys(stage), consistent_read=True)) == items


@pytest.mark.parametrize(
    "fault", [Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.CUT_AFTER, Fault.ERROR_AFTER, Fault.TRUNCATE]
)
def test_answers_that_never_come(stage: Stage, fault: Fault) -> None:
    items = tallies(stage)
    stage.proxy.plan(afterwards=fault)
    with pytest.raises(BatchIncomplete) as raised:
        stage.db(attempts=2).batch_write(BatchWriteSet().clobber(*items))
    assert raised.value.unprocessed == items
    text, _, lost = str(raised.value).removesuffix(" of them took effect").rpartition(" ")
    assert text == "60 of 60 writes were left over; no answer tells whether"
    assert int(lost) >= 10
    assert raised.value.__cause__ is not None
    if fault in NOT_APPLIED:
        assert stored(stage) == []
    stage.proxy.plan()
    assert stage.db().batch_write_all(raised.value.unprocessed) == COUNT
    assert stored(stage) == items


def test_a_read_without_answers_is_botocores_error(stage: Stage) -> None:
    stage.proxy.plan(afterwards=Fault.CUT_BEFORE, operations=READS)
    with pytest.raises(ConnectionClosedError):
        stage.db(attempts=2).batch_load(keys(stage, 130))
    stage.proxy.plan(afterwards=Fault.ERROR_BEFORE, operations=READS)
    with pytest.raises(ClientError) as raised:
        stage.db(attempts=2).batch_load(keys(stage, 130))
    assert code_of(raised.value) == "InternalServerError"


def test_a_stream_says_how_much_is_done(stage: Stage) -> None:
    items = tallies(stage, 600)
    requests_of_two_windows = 20
    stage.proxy.plan(*[Fault.PASS] * requests_of_two_windows, afterwards=Fault.CUT_BEFORE)
    drawn: list[Tally] = []

    def draw() -> Generator[Tally]:
        for item in items:
            drawn.append(item)
            yield item

    with pytest.raises(BatchIncomplete) as raised:
        stage.db(attempts=1).batch_write_all(draw())
    assert raised.value.__notes__ == ["batch_write_all: the first 500 writes are done"]
    assert drawn == items
    assert raised.value.unprocessed == items[500:]
    assert stored(stage, 600) == items[:500]


AT_ONCE = sorted(
    set(Fault) - {Fault.DELAY, Fault.HOLD, Fault.IN_PROGRESS, Fault.CONFLICT}, key=lambda fault: fault.name
)
"""What may happen to a batch without a client that waits."""


@given(
    faults=st.lists(st.sampled_from(AT_ONCE), max_size=12),
    afterwards=st.sampled_from([Fault.PASS, Fault.PASS, Fault.THROTTLE, Fault.CUT_AFTER]),
    share=st.sampled_from([0.0, 0.0, 0.3, 0.8]),
    attempts=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_told_is_what_happened(
    stages: Callable[[], Stage], faults: list[Fault], afterwards: Fault, share: float, attempts: int, seed: int
) -> None:
    """What is not told as left over is done; and where no attempt was lost, what is told as left over is not."""
    stage = stages()
    proxy = counting(stage)
    draw = random.Random(seed)
    proxy.leave = lambda _: draw.random() < share
    proxy.plan(*faults, afterwards=afterwards)
    items = tallies(stage, 40)
    unprocessed: list[Tally] = []
    lost = False
    try:
        result = stage.db(attempts=attempts).batch_write(BatchWriteSet().clobber(*items))
    except BatchIncomplete as incomplete:
        unprocessed = incomplete.unprocessed
        lost = "no answer" in str(incomplete)
        event("lost" if lost else "left over")
    else:
        event("done")
        assert result.clobbered == items
    proxy.leave = lambda _: False
    found = stored(stage, 40)
    done = [item for item in items if item not in unprocessed]
    assert [item for item in found if item not in unprocessed] == done
    if not set(proxy.faults) & {*APPLIED, Fault.DUPLICATE}:
        assert found == done
        assert max(proxy.taken[item.name] for item in items) <= 1
    if attempts == 1 and Fault.DUPLICATE not in proxy.faults:
        assert lost or found == done
