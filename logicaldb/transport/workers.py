"""Calls that block, made by threads for those who await them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, copy_context
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Workers:
    """Threads that make calls, as many at once as they are; what waits for a thread can still be cancelled.

    They do less than ``run_in_executor`` for each call: as long as something waits, a thread goes on with it, and an
    event loop is woken once for all that is done.

    Args:
        at_once: how many calls are made at once.
    """

    __slots__ = ("_queue", "_threads")

    def __init__(self, at_once: int) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="logicaldb-request")
        self._queue = _Queue(at_once)

    async def run(self, call: Callable[[], T]) -> T:
        """Make a call in a copy of the caller's context, and return what it returns or raise what it raises.

        If the task that awaits it is cancelled, a call that has begun runs to its end, and what comes of it is not seen.
        """
        # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
        import asyncio  # noqa: PLC0415

        queue = self._queue
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        if queue.put((queue.outbox(loop), future, copy_context(), call)):
            self._threads.submit(queue.work)
        return await future


class _Outbox:
    """What is done for an event loop, and not seen by it yet."""

    __slots__ = ("_done", "_loop", "_woken")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._woken = False

    def is_of(self, loop: asyncio.AbstractEventLoop) -> bool:
        return self._loop is loop

    def put(self, future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        """Called by a thread: let the loop have an outcome."""
        self._done.append((future, result, error))
        del error  # an exception holds its frames, and so must not be held by them
        if self._woken:
            return
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._deliver)
        except RuntimeError:  # the loop is closed, so nobody waits any more
            self._done.clear()

    def _deliver(self) -> None:
        # In this order: who puts something after the last look wakes the loop again.
        self._woken = False
        done = self._done
        while done:
            future, result, error = done.popleft()
            if future.cancelled():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
            del error


class _Queue:
    """What waits for a thread. It does not hold the threads, so that they end when nobody holds ``Workers``."""

    __slots__ = ("_at_once", "_lock", "_outbox", "_waiting", "_working")

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._lock = Lock()
        self._waiting: deque[tuple[_Outbox, asyncio.Future[Any], Context, Callable[[], Any]]] = deque()
        self._working = 0
        self._outbox: _Outbox | None = None

    def outbox(self, loop: asyncio.AbstractEventLoop) -> _Outbox:
        """The outbox of a loop: most of the time there is one loop."""
        outbox = self._outbox
        if outbox is None or not outbox.is_of(loop):
            outbox = self._outbox = _Outbox(loop)
        return outbox

    def put(self, item: tuple[_Outbox, asyncio.Future[Any], Context, Callable[[], Any]]) -> bool:
        """Let something wait; gives whether another thread is to work."""
        with self._lock:
            self._waiting.append(item)
            if self._working >= self._at_once:
                return False
            self._working += 1
            return True

    def work(self) -> None:
        """Make calls, as long as there are any."""
        while True:
            with self._lock:
                if not self._waiting:
                    self._working -= 1
                    return
                outbox, future, context, call = self._waiting.popleft()
            if not future.cancelled():
                _make(outbox, future, context, call)
            # A thread that waits for work is not to hold what the last one was about.
            del outbox, future, context, call


def _make(outbox: _Outbox, future: asyncio.Future[Any], context: Context, call: Callable[[], Any]) -> None:
    try:
        result = context.run(call)
    except StopIteration as error:  # which no future can hold
        stopped = RuntimeError("a call raised StopIteration")
        stopped.__cause__ = error
        outbox.put(future, None, stopped)
        del stopped  # an exception holds its frames, and so must not be held by them
    except BaseException as error:  # noqa: BLE001 - raised where it is awaited
        outbox.put(future, None, error)
    else:
        outbox.put(future, result, None)
