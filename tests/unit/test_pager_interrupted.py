"""An interrupt may come between any two instructions of a pager: nothing is lost, nothing is written twice (W6)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from logicaldb import WritingPager, pager
from logicaldb.operations import pager as pages
from logicaldb.operations import progress, remaining
from logicaldb.operations.pager import Pages
from logicaldb.operations.remaining import Remaining
from tests.pagers import Count, Run, Service, rows_of, updates

ROWS = rows_of()
FILES = {module.__file__ for module in (pager, pages, progress, remaining)}
UPDATES = updates(1, 1, 1, 1)
STRIDE = 9
"""Of so many instructions and lines one is interrupted."""


def interrupt(work: Callable[[], None], number: int) -> bool:
    """Do work, and interrupt it before an instruction of the pager; tell whether it has so many."""
    instructions = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal instructions
        # An interrupt that has a frame of its own, as this one, looks in `draw` as if it came from the iterable.
        if frame.f_code.co_filename not in FILES or frame.f_code is Remaining.draw.__code__:
            return None
        frame.f_trace_opcodes = True
        if event in ("line", "opcode"):  # not every Python gives the second
            instructions += 1
            if instructions == number:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


@pytest.mark.parametrize("streamed", [True, False], ids=["iterator", "list"])
@pytest.mark.parametrize("offset", [1, 3])
def test_an_interrupt_at_any_moment(streamed: bool, offset: int) -> None:
    number = offset
    interrupted = True
    while interrupted:
        service = Service()
        given = iter(UPDATES) if streamed else UPDATES
        run = WritingPager(
            Pages(given, ROWS, max_transaction_items=3, progress=Run(name="r"), progress_field="applied"),
            Count(),
            service,
        )
        interrupted = interrupt(run.execute, number)
        written = sum(map(len, service.steps))
        assert run.updated_count in (written, written - 2)  # the page under way is not counted yet
        assert len(run.remaining_updates) <= 4 - run.updated_count
        run.execute()
        assert service.steps == [[0, 1000], [2000, 3000]], number
        assert (run.updated_count, len(run.remaining_updates)) == (4, 0)
        (stored,) = [row for row in service.rows.values() if row["sk"] == {"S": "RUN"}]
        assert (stored["applied"], stored["version"]) == ({"N": "4"}, {"N": "2"})
        number += STRIDE
    assert number > 100
