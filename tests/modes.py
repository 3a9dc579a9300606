"""The modes of a db, for tests that are written once: it blocks, or it is awaited, on threads or through aiobotocore.

A test calls the blocking methods in every mode. Where the db is awaited, what the test holds is a stand-in that performs
each call on an event loop in a thread of its own; what comes of a call, results and errors, is the very same.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from functools import partial, wraps
from inspect import isasyncgen, isawaitable
from types import MethodType
from typing import Any, Final, TypeVar, cast

import pytest

from logicaldb import (
    AsyncCollectionView,
    AsyncIndexView,
    AsyncLogicalDb,
    AsyncRawView,
    AsyncWritingPager,
    AsyncWritingPagerHandler,
    LogicalDb,
    LogicalTable,
    TransactionWriteSet,
    WritingPagerHandler,
)
from logicaldb.testing import LogicalDbFactory

D = TypeVar("D", bound=LogicalDb)
T = TypeVar("T")

AWAITED: Final[tuple[type[Any], ...]] = (
    LogicalTable,
    AsyncCollectionView,
    AsyncIndexView,
    AsyncRawView,
    AsyncWritingPager,
)
"""The kinds of what a db gives whose methods are awaited."""


def on_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Make an ordinary test of one that awaits; it runs on an event loop of its own."""

    @wraps(test)
    def run(*arguments: Any, **options: Any) -> None:
        asyncio.run(test(*arguments, **options))

    return run


class Loop:
    """An event loop in a thread of its own, for callers that block."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop-of-tests", daemon=True)
        self._thread.start()

    def run(self, awaitable: Awaitable[T]) -> T:
        """Give what an awaitable gives, or raise what it raises."""
        assert threading.current_thread() is not self._thread, "it would wait for itself"
        return reveal(asyncio.run_coroutine_threadsafe(outcome_of(awaitable), self._loop).result())

    def close(self) -> None:
        """End what still runs, and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._runner.close()


async def outcome_of(awaitable: Awaitable[T]) -> tuple[T | None, BaseException | None]:
    """What comes of an awaitable; an error is a value, because some would end the event loop."""
    try:
        return await awaitable, None
    except BaseException as error:  # noqa: BLE001 - raised by the one who asked
        return None, error


def reveal(outcome: tuple[T | None, BaseException | None]) -> T:
    """The value or the error of an outcome."""
    value, error = outcome
    if error is None:
        return cast("T", value)
    try:
        raise error
    finally:
        del error, outcome


class Blocking:
    """A db, table, view or pager that is awaited, with methods that block."""

    def __init__(self, awaited: Any, loop: Loop) -> None:
        self._awaited = awaited
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._awaited, name)
        return partial(self._call, value) if isinstance(value, MethodType) else self._wrap(value)

    def _call(self, method: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        result = method(
            *[
                Hooks(argument, self._loop) if isinstance(argument, WritingPagerHandler) else argument
                for argument in arguments
            ],
            **options,
        )
        if isasyncgen(result):
            return self._iterate(result)
        if isinstance(result, AbstractAsyncContextManager):
            return self._enter(result)
        return self._wrap(self._loop.run(result) if isawaitable(result) else result)

    def _wrap(self, value: Any) -> Any:
        return Blocking(value, self._loop) if isinstance(value, AWAITED) else value

    def _iterate(self, values: AsyncGenerator[T, Any]) -> Generator[T]:
        end: Any = object()
        try:
            while (value := self._loop.run(anext(values, end))) is not end:
                yield value
        finally:
            self._loop.run(values.aclose())

    @contextmanager
    def _enter(self, block: AbstractAsyncContextManager[T]) -> Generator[T]:
        value = self._loop.run(block.__aenter__())
        try:
            yield value
        except BaseException as error:
            if not self._loop.run(block.__aexit__(type(error), error, error.__traceback__)):
                raise
        else:
            self._loop.run(block.__aexit__(None, None, None))


class Hooks(AsyncWritingPagerHandler[Any]):
    """A handler that blocks, where one is due whose hooks are awaited: they run in threads, and so can use the db."""

    def __init__(self, handler: WritingPagerHandler[Any], loop: Loop) -> None:
        self._handler = handler
        self._loop = loop
        self.finish_operations = handler.finish_operations

    async def each_page(self, proceed: Callable[[], Awaitable[None]]) -> None:
        await in_thread(lambda: self._handler.each_page(lambda: self._loop.run(proceed())))

    async def before_page(self, remaining_updates: Sequence[Any], max_transaction_items: int) -> int:
        return await in_thread(lambda: self._handler.before_page(remaining_updates, max_transaction_items))

    def item(self, writes: TransactionWriteSet, update: Any) -> None:
        self._handler.item(writes, update)

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Any]) -> None:
        self._handler.finish_page(writes, applied)

    async def page_written(self, writes: TransactionWriteSet) -> None:
        await in_thread(lambda: self._handler.page_written(writes))


async def in_thread(work: Callable[[], T]) -> T:
    """Do work in a thread, whatever it raises."""

    def do() -> tuple[T | None, BaseException | None]:
        try:
            return work(), None
        except BaseException as error:  # noqa: BLE001 - raised by the one who asked
            return None, error

    return reveal(await asyncio.to_thread(do))


@dataclass(frozen=True)
class Mode:
    """Opens dbs of one mode on one engine.

    Attributes:
        client: a boto3 client of the engine, for what a test does past the db.
        logical_db: makes dbs with tables of their own; all that one mode makes share them.
        given: what dbs are made with; ``None``: the client.
        loop: where dbs are awaited; ``None`` where they block.
    """

    client: Any
    logical_db: LogicalDbFactory
    given: Any = None
    loop: Loop | None = None

    def open(self, db_type: type[D], **options: Any) -> D:
        """A db of this class or, where it is awaited, what stands in for one."""
        given = self.client if self.given is None else self.given
        if self.loop is None:
            return db_type(given, **options)
        return cast("D", Blocking(twin(db_type)(given, **options), self.loop))

    def make(self, db_type: type[D], **options: Any) -> D:
        """As ``open``, with tables that the factory makes."""
        if self.loop is None:
            return self.logical_db(db_type, client=self.given, **options)
        return cast("D", Blocking(self.logical_db(twin(db_type), client=self.given, **options), self.loop))


def twin(db_type: type[LogicalDb]) -> type[AsyncLogicalDb]:
    """The class of the same name and tables whose methods are awaited."""
    return type(db_type.__name__, (AsyncLogicalDb,), {"__logicaldb_tables__": db_type.__logicaldb_tables__})


@contextmanager
def aio_client(loop: Loop, endpoint_url: str, **config: Any) -> Generator[Any]:
    """An aiobotocore client for an engine; the test is skipped where there is no aiobotocore.

    Args:
        loop: where it is used.
        endpoint_url: where the engine listens.
        config: settings of ``aiobotocore.config.AioConfig``.
    """
    context = create_aio_client(endpoint_url, **config)
    client = loop.run(context.__aenter__())
    try:
        yield client
    finally:
        loop.run(context.__aexit__(None, None, None))


def create_aio_client(endpoint_url: str, **config: Any) -> Any:
    """The context of an aiobotocore client for an engine; the test is skipped where there is no aiobotocore."""
    reason = "aiobotocore is not installed: pip install 'logicaldb[aio]'"
    config_of = pytest.importorskip("aiobotocore.config", reason=reason)
    session = pytest.importorskip("aiobotocore.session", reason=reason)
    return session.get_session().create_client(
        "dynamodb",
        region_name="us-east-1",
        endpoint_url=endpoint_url,
        aws_access_key_id="logicaldb",
        aws_secret_access_key="logicaldb",
        config=config_of.AioConfig(proxies={}, **config),
    )
