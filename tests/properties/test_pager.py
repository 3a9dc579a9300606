"""Writing pagers, whatever the updates and whatever goes wrong: each update once, in order, in pages that fit (W1, W4, W6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from logicaldb import (
    AmbiguousWrite,
    PagerStalled,
    TransactionCanceled,
    TransactionWriteSet,
    WritingPager,
    WritingPagerHandler,
    attr,
)
from logicaldb.operations.pager import Pages
from tests.pagers import Outcome, Run, Service, Step, Update, rows_of

ROWS = rows_of()
OUTCOMES: list[Outcome] = ["written", "refused", "denied", "lost after", "lost before", "broken after", "broken before"]
FAILURES = (TransactionCanceled, PermissionError, AmbiguousWrite, RuntimeError)


@dataclass
class Plan:
    """A run.

    Attributes:
        updates: the updates.
        limit: how many operations a page has at most.
        kept: how many of them `finish_page` adds.
        answers: what `before_page` returns, again and again.
        outcomes: what becomes of the pages.
        streamed: whether the updates are an iterable of unknown length.
        progress: whether there is a progress.
        retried: whether `each_page` tries again; else the pager is executed again.
        restarted: whether a new pager is executed then, as after a crash.
    """

    updates: list[Update]
    limit: int
    kept: int
    answers: list[int]
    outcomes: list[Outcome]
    streamed: bool
    progress: bool
    retried: bool
    restarted: bool

    @property
    def room(self) -> int:
        """How many operations of updates fit into a page."""
        return self.limit - self.kept - self.progress


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    after_failure = draw(st.sampled_from(["retried", "executed again", "restarted"]))
    progress = after_failure == "restarted" or draw(st.booleans())
    limit = draw(st.integers(1 + progress, 12))
    kept = draw(st.integers(0, min(2, limit - 1 - progress)))
    room = limit - kept - progress
    # Rows come again, so that pages end because of them; in one update each is once.
    rows = st.lists(st.integers(0, 15), max_size=room, unique=True)
    updates = [
        Update(number, [100, *chosen][-room:])
        for number, chosen in enumerate(draw(st.lists(rows, min_size=draw(st.integers(0, 12)), max_size=30)))
    ]
    if draw(st.booleans()):
        updates = [Update(number, [1000 * number + row for row in of_it]) for number, of_it in updates]
    if draw(st.booleans()):
        updates = [Update(number, of_it[draw(st.integers(0, 1)) :]) for number, of_it in updates]
    return Plan(
        updates=updates,
        limit=limit,
        kept=kept,
        answers=draw(st.lists(st.integers(1, 15), min_size=1, max_size=4)),
        outcomes=draw(st.lists(st.sampled_from(["written", "written", *OUTCOMES]), max_size=12)),
        streamed=draw(st.booleans()),
        progress=progress,
        retried=after_failure == "retried",
        restarted=after_failure == "restarted",
    )


class Record(WritingPagerHandler[Update]):
    """Counts each update in its rows, and keeps which updates each page holds."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.finish_operations = plan.kept
        self.turns = 0
        self.made: list[list[int]] = []
        self.written: list[list[int]] = []

    def each_page(self, proceed: Callable[[], None]) -> None:
        while True:
            try:
                return proceed()
            except FAILURES:
                if not self.plan.retried:
                    raise

    def before_page(self, remaining_updates: Sequence[Update], max_transaction_items: int) -> int:
        assert max_transaction_items == self.plan.limit - self.plan.progress
        assert 1 <= len(remaining_updates) <= len(self.plan.updates)
        if self.plan.streamed:
            assert len(remaining_updates) <= self.plan.limit
        self.turns += 1
        self.most = self.plan.answers[self.turns % len(self.plan.answers)]
        return self.most

    def item(self, writes: TransactionWriteSet, update: Update) -> None:
        for row in update.rows:
            writes.update(Step.Key("n", row), attr(Step.hits).add(1), upsert=True)

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
        assert 1 <= len(applied) <= self.most
        for number in range(self.plan.kept):
            writes.update(Step.Key("finish", number), attr(Step.hits).add(len(applied)), upsert=True)
        self.made.append([update.number for update in applied])

    def page_written(self, writes: TransactionWriteSet) -> None:
        self.written.append(self.made[-1])


def pager_of(plan: Plan, handler: Record, service: Service) -> WritingPager[Update]:
    updates: Iterable[Update] = iter(plan.updates) if plan.streamed else plan.updates
    progress = Run(name="r") if plan.progress else None
    pages = Pages(updates, ROWS, max_transaction_items=plan.limit, progress=progress, progress_field="applied")
    return WritingPager(pages, handler, service)


def rows_of_updates(service: Service) -> list[list[int]]:
    """The rows that each transaction counted for updates."""
    pages = [[action["Key"] for action in page] for page in service.written]
    return [[int(key["sk"]["S"].removeprefix("STEP_")) for key in page if key["pk"]["S"] == "n"] for page in pages]


@given(plans())
def test_each_update_takes_effect_once_and_in_order(plan: Plan) -> None:
    service = Service(plan.outcomes)
    handlers: list[Record] = []
    failures = 0

    def start() -> tuple[WritingPager[Update], Record]:
        handlers.append(Record(plan))
        return pager_of(plan, handlers[-1], service), handlers[-1]

    pager, handler = start()
    while True:
        try:
            pager.execute()
            break
        except FAILURES:
            failures += 1
            done = sum(map(len, handler.written))
            assert pager.updated_count == done
            if not plan.restarted:
                assert pager.remaining_updates[0] == plan.updates[done]
            else:
                pager, handler = start()
    assert failures <= len(plan.outcomes)

    # Each update once, and in order.
    assert list(chain(*rows_of_updates(service))) == list(chain(*(update.rows for update in plan.updates)))
    numbers = list(chain(*(page for handler in handlers for page in handler.written)))
    if not plan.restarted:
        assert numbers == [update.number for update in plan.updates]
        assert pager.updated_count == len(plan.updates)
    assert len(pager.remaining_updates) == 0

    # No page exceeds the limits, and none ends before it must.
    for page, rows in zip(service.written, rows_of_updates(service), strict=True):
        assert len(page) <= plan.limit
        assert len(rows) <= plan.room
        assert len({str(action["Key"]) for action in page}) == len(page)
        assert len(page) == len(rows) + plan.kept + plan.progress
    if not plan.restarted and not plan.streamed:
        for before, after in zip(handler.written, handler.written[1:], strict=False):
            taken = [row for number in before for row in plan.updates[number].rows]
            following = plan.updates[after[0]].rows
            assert (
                len(before) in plan.answers
                or len(taken) + len(following) > plan.room
                or not set(taken).isdisjoint(following)
            )

    if plan.progress and plan.updates:
        # The count in the progress is that of the updates which took effect, and each page moved the version on by one.
        (stored,) = [row for row in service.rows.values() if row["sk"] == {"S": "RUN"}]
        assert stored["applied"] == {"N": str(len(plan.updates))}
        assert stored["version"] == {"N": str(len(service.written))}


@given(plans(), st.data())
def test_an_update_that_fits_nowhere_stops_the_pager_there(plan: Plan, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(plan.updates)))
    bad = Update(place, range(10_000, 10_000 + plan.room + data.draw(st.integers(1, 3))))
    plan.updates.insert(place, bad)
    plan.retried = plan.restarted = False
    service = Service(plan.outcomes)
    handler = Record(plan)
    pager = pager_of(plan, handler, service)
    stalls: list[PagerStalled] = []
    while len(stalls) < 2:
        try:
            pager.execute()
        except FAILURES:
            continue
        except PagerStalled as error:
            stalls.append(error)
        assert pager.updated_count == place
        assert list(chain(*rows_of_updates(service))) == list(chain(*(update.rows for update in plan.updates[:place])))
    message = f"updates[{place}]: it has {len(bad.rows)} operations, and a page has room for {plan.room}"
    assert [(str(stall), stall.update) for stall in stalls] == [(message, bad)] * 2
