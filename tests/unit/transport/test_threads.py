from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicaldb.transport.threads import in_parallel

T = TypeVar("T")


class Segments:
    """Segments that hold ``pages[segment][page]``; it counts what is read."""

    def __init__(self, *pages: Sequence[Sequence[Any]]) -> None:
        self.pages = pages
        self.read: list[tuple[int, int]] = []
        self.threads: set[str] = set()

    def __call__(self, segment: int, start: int | None) -> tuple[Sequence[Any], int | None]:
        page = start or 0
        self.read.append((segment, page))
        self.threads.add(threading.current_thread().name)
        following = page + 1
        return self.pages[segment][page], following if following < len(self.pages[segment]) else None


class Stepper(Executor):
    """An executor that runs a task when it is told to."""

    def __init__(self) -> None:
        self.tasks: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.is_shut_down = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        self.tasks.append((future, lambda: fn(*args, **kwargs)))
        return future

    def step(self, index: int = 0) -> None:
        future, task = self.tasks.pop(index)
        future.set_running_or_notify_cancel()
        future.set_result(task())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.is_shut_down = True


class Immediate(Executor):
    """An executor that runs tasks as they are submitted, from pickles of them."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        future: Future[T] = Future()
        task, task_args = pickle.loads(pickle.dumps((fn, args)))
        future.set_result(task(*task_args))
        return future


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@given(
    st.lists(st.lists(st.lists(st.integers(0, 9), max_size=3), min_size=1, max_size=4), min_size=1, max_size=6),
    st.integers(1, 4),
)
def test_every_item_of_every_page_of_every_segment_once_and_in_the_order_of_its_segment(
    pages: list[list[list[int]]], workers: int
) -> None:
    named = [[[(segment, item) for item in page] for page in one] for segment, one in enumerate(pages)]
    fetch = Segments(*named)
    items = list(in_parallel(fetch, len(pages), workers=workers))
    for segment, one in enumerate(named):
        assert [item for item in items if item[0] == segment] == [item for page in one for item in page]
    assert len(items) == sum(len(page) for one in pages for page in one)
    assert sorted(fetch.read) == [(segment, page) for segment, one in enumerate(pages) for page in range(len(one))]


def test_nothing_is_read_before_the_first_item_is_asked_for() -> None:
    fetch = Segments([[1]])
    before = threading.active_count()
    items = in_parallel(fetch, 1, workers=1)
    assert fetch.read == []
    assert threading.active_count() == before
    assert next(items) == 1


@pytest.mark.parametrize(("segments", "workers", "expected"), [(5, 2, 2), (2, 5, 2), (1, 1, 1)])
def test_no_more_segments_are_read_at_once_than_there_are_workers(segments: int, workers: int, expected: int) -> None:
    lock, all_at_once = threading.Lock(), threading.Barrier(expected)
    running, most, threads = 0, 0, set[str]()

    def fetch(segment: int, start: int | None) -> tuple[list[int], int | None]:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            threads.add(threading.current_thread().name)
        if segment < expected:
            all_at_once.wait(timeout=10)
        with lock:
            running -= 1
        return [segment], None

    assert sorted(in_parallel(fetch, segments, workers=workers)) == list(range(segments))
    assert most == expected
    assert all(name.startswith("logicaldb-segment") for name in threads)


def test_the_segments_are_read_with_the_context_of_the_caller() -> None:
    variable = ContextVar("variable", default="default")
    variable.set("of the caller")
    assert list(in_parallel(lambda _segment, _start: ([variable.get()], None), 2, workers=2)) == ["of the caller"] * 2


def test_pages_are_handed_out_as_they_arrive() -> None:
    executor = Stepper()
    items = in_parallel(Segments([["a"]], [["b"]], [["c"]]), 3, workers=1, executor=executor)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.extend(items))
    reader.start()
    until(lambda: len(executor.tasks) == 3)
    for index in (2, 0, 0):
        executor.step(index)
    reader.join(timeout=10)
    assert got == ["c", "a", "b"]
    assert not executor.is_shut_down


def test_a_next_page_is_asked_for_when_its_page_is_handed_out_and_no_earlier() -> None:
    executor = Stepper()
    fetch = Segments([["a1", "a2"], ["a3"], ["a4"]], [["b1"], ["b2"]])
    items = in_parallel(fetch, 2, workers=1, executor=executor)

    def first() -> None:
        until(lambda: len(executor.tasks) == 2)
        executor.step()
        executor.step()

    steps = threading.Thread(target=first)
    steps.start()
    assert next(items) == "a1"
    steps.join(timeout=10)
    # Of the first segment the second page, of the second segment, whose first page waits, none.
    assert len(executor.tasks) == 1
    assert next(items) == "a2"
    assert len(executor.tasks) == 1
    executor.step()
    assert executor.tasks == []
    assert next(items) == "b1"
    assert next(items) == "a3"
    assert fetch.read == [(0, 0), (1, 0), (0, 1)]
    items.close()
    assert fetch.read == [(0, 0), (1, 0), (0, 1)]


def test_what_is_submitted_can_be_pickled() -> None:
    assert list(in_parallel(Segments([[1], [2]], [[3]]), 2, workers=1, executor=Immediate())) == [1, 3, 2]


def test_an_exception_reaches_the_caller_and_ends_the_rest() -> None:
    read: list[int] = []
    error = ValueError("segment 1")

    def fetch(segment: int, start: int | None) -> tuple[list[int], int | None]:
        read.append(segment)
        if segment == 1:
            raise error
        return [segment], None

    items = in_parallel(fetch, 9, workers=1)
    assert next(items) == 0
    with pytest.raises(ValueError, match=r"^segment 1$") as raised:
        next(items)
    assert raised.value is error
    assert read == [0, 1]
    assert list(items) == []


def test_closing_waits_for_what_is_being_read_and_cancels_the_rest() -> None:
    began, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    read: list[int] = []

    def fetch(segment: int, start: int | None) -> tuple[list[int], int | None]:
        read.append(segment)
        if segment == 1:
            began.set()
            go_on.wait(timeout=10)
            ended.set()
        return [segment], None

    with ThreadPoolExecutor(1) as executor:
        items = in_parallel(fetch, 4, workers=1, executor=executor)
        assert next(items) == 0
        assert began.wait(timeout=10)
        threading.Timer(0.05, go_on.set).start()
        items.close()
        assert ended.is_set()
        assert read == [0, 1]
        assert executor.submit(lambda: "still there").result() == "still there"
    assert read == [0, 1]


def test_closing_ends_its_own_threads() -> None:
    items = in_parallel(Segments([[1], [2]], [[3], [4]]), 2, workers=2)
    next(items)
    assert any("logicaldb-segment" in thread.name for thread in threading.enumerate())
    items.close()
    assert not any("logicaldb-segment" in thread.name for thread in threading.enumerate())


def test_an_executor_that_is_shut_down_meanwhile_is_told() -> None:
    executor = Stepper()
    items = in_parallel(Segments([[1], [2]]), 1, workers=1, executor=executor)

    def shut_down() -> None:
        until(lambda: len(executor.tasks) == 1)
        executor.tasks[0][0].cancel()

    threading.Thread(target=shut_down).start()
    with pytest.raises(CancelledError):
        next(items)
