"""Pages whose answers are lost, refused or late: each update takes effect once, and the counts are right (W2, W4, W6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from logicaldb import AmbiguousWrite, ThroughputExceeded, TransactionCanceled
from tests.engines import code_of
from tests.faults.conftest import Stage
from tests.faults.proxy import APPLIED, NOT_APPLIED, Fault
from tests.faults.test_lost_answers import FAULTS
from tests.pagers import Count, Db, Log, Run, Step, hits, make_db, updates

UPDATES = updates(*[1] * 6)
ONCE = dict.fromkeys(range(0, 6000, 1000), 1)
ATTEMPTS = 2
LIMIT = 2
UNANSWERED = "was sent, and no answer tells whether it took effect; send the same TransactionWriteSet again, or execute the same pager again"


def db_of(stage: Stage, attempts: int = ATTEMPTS, **config: Any) -> Db:
    """The database through the proxy."""
    retries = {"mode": "standard", "total_max_attempts": attempts}
    return make_db(stage.clients.get(retries=retries, **config), stage.table)


def direct(stage: Stage) -> Db:
    """The database past the proxy."""
    return make_db(stage.direct._transport.transport._client, stage.table)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


def counted(stage: Stage) -> dict[int, int]:
    return hits(direct(stage), stage.name)


def bodies(stage: Stage) -> list[Any]:
    return [received.body for received in stage.proxy.received]


def tokens(stage: Stage) -> list[str]:
    return [body["ClientRequestToken"] for body in bodies(stage)]


def applied(stage: Stage) -> int:
    """How many updates took effect, as the stored steps tell."""
    return len(counted(stage))


@FAULTS
def test_a_page_without_any_answer_is_sent_again_as_it_was(stage: Stage, fault: Fault) -> None:
    """W4."""
    handler = Count(stage.name)
    pager = db_of(stage).transaction_writing_pager(UPDATES, handler, max_transaction_items=LIMIT)
    stage.proxy.plan(Fault.PASS, *[fault] * 2 * ATTEMPTS)
    for _ in range(2):
        with pytest.raises(AmbiguousWrite) as raised:
            pager.execute()
        names = [f"update of Step.Key(name='{stage.name}', number={number})" for number in (2000, 3000)]
        assert str(raised.value) == f"the transaction ({', '.join(names)}): {UNANSWERED}"
        assert (pager.updated_count, list(pager.remaining_updates)) == (2, UPDATES[2:])
    assert applied(stage) == (4 if fault in APPLIED else 2)
    handler.calls.clear()
    pager.execute()
    assert handler.calls == ["page_written", "before_page", "item 4", "item 5", "finish_page", "page_written"]
    first, *second, third = bodies(stage)
    assert second == [second[0]] * (2 * ATTEMPTS + 1)
    assert len({first["ClientRequestToken"], second[0]["ClientRequestToken"], third["ClientRequestToken"]}) == 3
    assert (pager.updated_count, handler.pages) == (6, [[0, 1], [2, 3], [4, 5]])
    assert counted(stage) == ONCE


@FAULTS
def test_a_page_that_is_answered_in_the_end_is_written_once(stage: Stage, fault: Fault) -> None:
    pager = db_of(stage).transaction_writing_pager(UPDATES, Count(stage.name), max_transaction_items=LIMIT)
    stage.proxy.plan(*[fault, Fault.PASS] * 3)
    pager.execute()
    assert pager.updated_count == 6
    assert counted(stage) == ONCE
    assert len(set(tokens(stage))) == 3
    assert bodies(stage)[0::2] == bodies(stage)[1::2]


@pytest.mark.parametrize("fault", [Fault.DELAY, Fault.HOLD], ids=lambda fault: fault.name)
def test_a_page_whose_answer_is_late(stage: Stage, fault: Fault) -> None:
    db = db_of(stage, 1, read_timeout=0.3)
    pager = db.transaction_writing_pager(UPDATES, Count(stage.name), max_transaction_items=LIMIT)
    stage.proxy.plan(fault)
    with pytest.raises(AmbiguousWrite):
        pager.execute()
    assert pager.updated_count == 0
    pager.execute()
    if fault is Fault.HOLD:
        stage.proxy.release()  # what was sent first arrives last
    assert counted(stage) == ONCE
    assert tokens(stage)[0] == tokens(stage)[1]


@FAULTS
def test_progress_knows_of_a_page_whose_answer_was_lost(stage: Stage, fault: Fault) -> None:
    """W2: the process ends with the error, and another one has only the progress."""

    def start(db: Db) -> Any:
        progress = Run(name=stage.name)
        return db.transaction_writing_pager(
            iter(UPDATES), Count(stage.name), max_transaction_items=LIMIT + 1, progress=progress
        )

    stage.proxy.plan(Fault.PASS, *[fault] * ATTEMPTS)
    first = start(db_of(stage))
    with pytest.raises(AmbiguousWrite):
        first.execute()
    assert first.updated_count == 2
    second = start(db_of(stage))
    second.execute()
    assert second.updated_count == (2 if fault in APPLIED else 4)
    assert counted(stage) == ONCE
    found = direct(stage).load(Run.Key(stage.name))
    assert found == Run(name=stage.name, applied=6, version=3)


def test_throttling_that_does_not_end_writes_nothing(stage: Stage) -> None:
    pager = db_of(stage).transaction_writing_pager(UPDATES, Count(stage.name), max_transaction_items=LIMIT)
    stage.proxy.plan(Fault.PASS, *[Fault.THROTTLE] * ATTEMPTS)
    with pytest.raises(ThroughputExceeded) as raised:
        pager.execute()
    assert isinstance(raised.value.__cause__, ClientError)
    assert (pager.updated_count, applied(stage)) == (2, 2)
    pager.execute()
    assert counted(stage) == ONCE
    assert tokens(stage)[1] == tokens(stage)[2] != tokens(stage)[3]  # nothing was written, so the page is a new one


def test_throttling_after_a_lost_answer_does_not_tell_what_came_of_the_page(stage: Stage) -> None:
    pager = db_of(stage).transaction_writing_pager(UPDATES, Count(stage.name), max_transaction_items=LIMIT)
    stage.proxy.plan(Fault.CUT_AFTER, Fault.THROTTLE, *[Fault.THROTTLE] * ATTEMPTS)
    for _ in range(2):
        with pytest.raises(AmbiguousWrite):
            pager.execute()
        assert (pager.updated_count, applied(stage)) == (0, 2)
    pager.execute()
    assert counted(stage) == ONCE
    assert tokens(stage)[:5] == [tokens(stage)[0]] * 5


def test_other_transactions_are_waited_for(stage: Stage, pauses: list[float]) -> None:
    pager = db_of(stage).transaction_writing_pager(UPDATES, Count(stage.name), max_transaction_items=LIMIT)
    stage.proxy.plan(Fault.PASS, *[Fault.CONFLICT] * 3)
    pager.execute()
    assert counted(stage) == ONCE
    assert len(set(tokens(stage)[1:5])) == 1
    assert len(pauses) == 3


def test_contention_that_does_not_end_writes_nothing(stage: Stage, pauses: list[float]) -> None:
    pager = db_of(stage).transaction_writing_pager(UPDATES, Count(stage.name), max_transaction_items=LIMIT)
    stage.proxy.plan(Fault.PASS, *[Fault.CONFLICT] * 8)
    with pytest.raises(TransactionCanceled) as raised:
        pager.execute()
    assert [failure.code for failure in raised.value.failures] == ["TransactionConflict"] * 2
    assert (pager.updated_count, applied(stage), len(pauses)) == (2, 2, 7)
    pager.execute()
    assert counted(stage) == ONCE


def test_each_page_that_tries_again_through_everything(stage: Stage) -> None:
    class Retry(Count):
        errors: list[str] = []

        def each_page(self, proceed: Callable[[], None]) -> None:
            while True:
                try:
                    return proceed()
                except (AmbiguousWrite, ThroughputExceeded) as error:
                    self.errors.append(type(error).__name__)

    handler = Retry(stage.name)
    pager = db_of(stage, 1).transaction_writing_pager(iter(UPDATES), handler, max_transaction_items=LIMIT)
    storm = sorted((APPLIED | NOT_APPLIED) - {Fault.DELAY, Fault.HOLD}, key=lambda fault: fault.name)
    stage.proxy.plan(*storm, Fault.PASS, Fault.THROTTLE, *storm, Fault.CONFLICT, Fault.PASS, *storm, Fault.IN_PROGRESS)
    pager.execute()
    assert handler.errors == [
        *["AmbiguousWrite"] * len(storm),
        "ThroughputExceeded",
        *["AmbiguousWrite"] * len(storm),
        *["AmbiguousWrite"] * (len(storm) + 1),
    ]
    assert counted(stage) == ONCE
    assert handler.pages == [[0, 1], [2, 3], [4, 5]]


def test_what_is_refused_is_botocores_error(stage: Stage) -> None:
    db = make_db(stage.clients.get(retries={"mode": "standard", "total_max_attempts": 1}), f"no-{stage.name}")
    pager = db.transaction_writing_pager(UPDATES, Count(stage.name))
    with pytest.raises(ClientError) as raised:
        pager.execute()
    assert code_of(raised.value) == "ResourceNotFoundException"
    assert pager.updated_count == 0


def test_saving_many_tells_how_many_are_saved_for_sure(stage: Stage) -> None:
    items = [*[Step(name=stage.name, number=number) for number in range(3)], Log(name=stage.name)]
    stage.proxy.plan(Fault.PASS, *[Fault.CUT_AFTER] * ATTEMPTS)
    with pytest.raises(AmbiguousWrite) as raised:
        db_of(stage).save_all(items, max_transaction_items=LIMIT)
    assert raised.value.__notes__ == ["save_all: the first 2 items are saved"]
    assert sorted(counted(stage)) == [0, 1, 2]
