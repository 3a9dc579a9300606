"""The rule of the machine over the whole interface that runs writing pagers, interrupted and executed again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from logicaldb import TransactionCanceled, TransactionWriteSet, WritingPagerHandler
from tests.properties import whole_strategies as draws
from tests.properties.whole_base import Base, add
from tests.properties.whole_kinds import ENTRY, FOLDER, PROGRESS
from tests.properties.whole_model import Change, Failed, Op
from tests.properties.whole_types import Folder, Home, Progress
from tests.properties.whole_writes import clients, page_of


class Interruption(Exception):
    """A hook raises."""


@dataclass(frozen=True)
class Plan:
    """A run of a pager.

    Attributes:
        updates: the updates.
        at_once: how many operations a page has at most.
        at_most: how many updates ``before_page`` takes.
        hook: the hook that raises once, if any.
        page: on which page.
        counts: whether the run has a progress item.
        anew: whether it is another pager, of another db, that goes on after a failure.
    """

    updates: Sequence[Op]
    at_once: int
    at_most: int
    hook: str | None
    page: int
    counts: bool
    anew: bool

    @property
    def room(self) -> int:
        """How many updates a page takes, one operation each; one is kept for ``finish_page``."""
        return min(self.at_most, self.at_once - 1 - self.counts)


class Handler(WritingPagerHandler[Op]):
    """Each update is one operation, and a page counts its updates in a folder.

    Args:
        plan: the run.
        owner: the owner of the folder.
    """

    finish_operations = 1

    def __init__(self, plan: Plan, owner: str) -> None:
        self.plan = plan
        self.owner = owner
        self.pages = 0
        self.raised = False
        self.written: list[int] = []

    def _may_raise(self, hook: str) -> None:
        if not self.raised and (hook, self.pages) == (self.plan.hook, self.plan.page):
            self.raised = True
            raise Interruption

    def each_page(self, proceed: Callable[[], None]) -> None:
        self._may_raise("each_page")
        proceed()

    def before_page(self, remaining_updates: Sequence[Op], max_transaction_items: int) -> int:
        self._may_raise("before_page")
        assert max_transaction_items == self.plan.at_once - self.plan.counts
        assert len(remaining_updates) > 0
        return self.plan.at_most

    def item(self, writes: TransactionWriteSet, update: Op) -> None:
        self._may_raise("item")
        add(writes, update)

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Op]) -> None:
        self._may_raise("finish_page")
        add(writes, tally(self.owner, len(applied)))

    def page_written(self, writes: TransactionWriteSet) -> None:
        self.written.append(writes.size)
        try:
            self._may_raise("page_written")
        finally:
            self.pages += 1


def tally(owner: str, number: int) -> Op:
    """What a page does besides: it takes from the stock of a folder, which may be too small, and counts."""
    changes = (
        Change("text", "set", "paged"),
        Change("home", "set", Home(city="paged")),
        Change("hits", "add", number),
        Change("stock", "add", -number),
    )
    return Op(FOLDER, "update", Folder.Key(owner), changes=changes, upsert=True)


def update_of(key: Any, by: int, strict: bool) -> Op:
    """An update that counts each time that it is done; a strict one needs its row."""
    changes = (Change("body", "set", "paged"), Change("score", "add", by))
    return Op(ENTRY, "update", key, changes=changes, upsert=not strict)


plans = st.builds(
    Plan,
    st.lists(
        st.builds(update_of, draws.keys["Entry"], st.integers(1, 9), st.sampled_from([False] * 7 + [True])), max_size=6
    ),
    st.sampled_from([3, 4, 25]),
    st.sampled_from([1, 2, 100]),
    st.none() | st.sampled_from(["each_page", "before_page", "item", "finish_page", "page_written"]),
    st.integers(0, 2),
    st.booleans(),
    st.booleans(),
)


class Pagers(Base):
    """Each update takes effect once, whatever interrupts the run."""

    runs = 0

    @rule(who=clients, plan=plans, owner=draws.owners)
    def page(self, who: int, plan: Plan, owner: str) -> None:
        self.runs += 1
        run = f"run{self.runs}"
        handler = Handler(plan, owner)
        left, written = list(plan.updates), 0
        pager = self.pager(who, plan, handler, run)
        while True:
            pages, failed, interrupted = self.predict(left, plan, handler, owner, run)
            handler.written = []
            if failed is not None:
                with pytest.raises(TransactionCanceled) as raised:
                    pager.execute()
                self.expect_cancelled(*failed, raised.value)
            elif interrupted:
                with pytest.raises(Interruption):
                    pager.execute()
            else:
                pager.execute()
            assert handler.written == [len(page) + 1 + plan.counts for page in pages]
            applied = sum(map(len, pages))
            left = left[applied:]
            written += applied
            assert pager.updated_count == written
            assert list(pager.remaining_updates) == left
            if failed is not None or not interrupted:
                return
            if plan.counts and plan.anew:
                who, written = who + 1, 0
                pager = self.pager(who, plan, handler, run)

    def pager(self, who: int, plan: Plan, handler: Handler, run: str) -> Any:
        """A pager, of a db of either mode."""
        return self.db(who).transaction_writing_pager(
            plan.updates,
            handler,
            max_transaction_items=plan.at_once,
            progress=Progress(run=run) if plan.counts else None,
        )

    def predict(
        self, left: Sequence[Op], plan: Plan, handler: Handler, owner: str, run: str
    ) -> tuple[list[list[Op]], tuple[list[Op], list[tuple[int, Failed]]] | None, bool]:
        """Do in the model what is done until the run ends.

        Returns:
            The pages that are written, the operations of one that fails and how, and whether a hook raises.
        """
        pages: list[list[Op]] = []
        hook = None if handler.raised else plan.hook
        while left:
            raises = hook is not None and handler.pages + len(pages) == plan.page
            if raises and hook != "page_written":
                return pages, None, True
            page = page_of(left, plan.room)
            ops = [*page, tally(owner, len(page))]
            if plan.counts:
                key = Progress.Key(run)
                item = self.model.load(PROGRESS, key) or Progress(run=run)
                ops.append(Op(PROGRESS, "save", key, item.replace(applied=item.applied + len(page))))
            failed = self.model.together(ops)
            if failed:
                return pages, (ops, failed), False
            pages.append(page)
            left = left[len(page) :]
            if raises:
                return pages, None, True
        return pages, None, False
