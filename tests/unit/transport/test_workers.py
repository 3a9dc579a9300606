from __future__ import annotations

import asyncio
import gc
import threading
import time
import weakref
from contextvars import ContextVar
from typing import Any

import pytest

from logicaldb.transport.workers import Workers


def wait_for(condition: Any) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_gives_what_a_call_gives() -> None:
    async def main() -> list[int]:
        workers = Workers(3)
        return await asyncio.gather(*(workers.run(lambda number=number: number * 2) for number in range(100)))  # type: ignore[misc]

    assert asyncio.run(main()) == [number * 2 for number in range(100)]


@pytest.mark.parametrize("error", [LookupError("no"), KeyboardInterrupt()])
def test_raises_what_a_call_raises(error: BaseException) -> None:
    def fail() -> None:
        raise error

    async def main() -> BaseException | None:
        workers = Workers(1)
        try:
            await workers.run(fail)
        except BaseException as caught:  # noqa: BLE001
            assert await workers.run(lambda: 1) == 1
            return caught
        return None

    assert asyncio.run(main()) is error


def test_a_call_that_stops_an_iteration_does_not_let_its_caller_wait_for_ever() -> None:
    async def main() -> None:
        await Workers(1).run(lambda: next(iter(())))

    with pytest.raises(RuntimeError, match=r"^a call raised StopIteration$") as raised:
        asyncio.run(main())
    assert type(raised.value.__cause__) is StopIteration


def test_a_call_sees_the_context_of_its_caller_and_leaves_it_alone() -> None:
    variable: ContextVar[str] = ContextVar("variable")

    def call() -> str:
        found = variable.get()
        variable.set("changed")
        return found

    async def main() -> None:
        variable.set("outside")
        assert await Workers(1).run(call) == "outside"
        assert variable.get() == "outside"

    asyncio.run(main())


def test_no_more_calls_are_made_at_once_than_there_are_threads() -> None:
    lock, most, now = threading.Lock(), [0], [0]
    both = threading.Barrier(2, timeout=20)

    def call() -> None:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        both.wait()
        with lock:
            now[0] -= 1

    async def main() -> None:
        workers = Workers(2)
        await asyncio.gather(*(workers.run(call) for _ in range(40)))

    asyncio.run(main())
    assert most == [2]


def test_what_waits_can_be_cancelled_and_what_has_begun_runs_to_its_end() -> None:
    begun, goes_on, made = threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        assert goes_on.wait(20)
        made.append("first")

    async def main() -> None:
        workers = Workers(1)
        tasks = [asyncio.create_task(workers.run(call)) for call in (first, lambda: made.append("second"))]
        await asyncio.to_thread(begun.wait, 20)
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
        goes_on.set()
        assert await workers.run(lambda: "third") == "third"

    asyncio.run(main())
    assert made == ["first"]


def test_several_loops_may_use_them_and_one_that_is_closed_is_no_trouble() -> None:
    workers = Workers(2)
    goes_on, made = threading.Event(), []

    def late() -> None:
        assert goes_on.wait(20)
        made.append(1)

    async def leave() -> None:
        task = asyncio.create_task(workers.run(late))
        await asyncio.sleep(0)
        task.cancel()

    async def go_on() -> int:
        return await workers.run(lambda: 3)

    asyncio.run(leave())
    assert asyncio.run(go_on()) == 3
    goes_on.set()
    wait_for(lambda: made)
    assert [asyncio.run(go_on()) for _ in range(3)] == [3] * 3


def test_threads_hold_nothing_of_the_last_call() -> None:
    class Canary:
        pass

    canary = Canary()
    reference = weakref.ref(canary)

    async def main(workers: Workers, canary: Canary) -> str:
        return await workers.run(lambda: type(canary).__name__)

    workers = Workers(1)
    assert asyncio.run(main(workers, canary)) == "Canary"
    del canary
    gc.collect()
    wait_for(lambda: reference() is None)
