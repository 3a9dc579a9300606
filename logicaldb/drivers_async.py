"""Drivers that await: the same as ``drivers.py``, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import closing
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, TypeVar

from logicaldb.drivers import Done, Stopped, advance, decode, encode
from logicaldb.flow import Emit, Flow, Gather, Request, Sleep, Stream, Unanswered

T = TypeVar("T")


class AsyncTransport(Protocol):
    """What carries a request to DynamoDB and awaits the answer: bytes out, bytes in."""

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer; as ``Transport.send``."""
        ...


async def run_async(flow: Flow[T], transport: AsyncTransport) -> T:
    """Perform a flow and return its result; as ``run``. A flow whose task is cancelled is closed."""
    try:
        step = advance(flow, None)
        while not isinstance(step, Done):
            step = advance(flow, await _perform(step, transport))
    finally:
        flow.close()
    return step.result


async def iterate_async(stream: Stream[T], transport: AsyncTransport) -> AsyncGenerator[T]:
    """Perform a stream and hand out what it emits, one value at a time; as ``iterate``."""
    with closing(stream):
        step = advance(stream, None)
        while not isinstance(step, Done):
            if isinstance(step, Emit):
                for value in step.values:
                    yield value
                step = advance(stream, None)
            else:
                step = advance(stream, await _perform(step, transport))


def _asyncio() -> ModuleType:
    # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
    import asyncio  # noqa: PLC0415

    return asyncio


async def _perform(step: Request | Sleep | Gather, transport: AsyncTransport) -> Any:
    """Do what a flow yielded; return the answer of a request, or the exception that came instead."""
    if isinstance(step, Sleep):
        return await _asyncio().sleep(step.seconds)
    try:
        if isinstance(step, Gather):
            return await _gather(step, transport)
        answer = await transport.send(step.operation, step.table, encode(step), repeatable=step.repeatable)
    except Exception as error:  # noqa: BLE001 - the flow gets it, and so its caller
        return error
    try:
        return decode(step, answer)
    except ValueError as error:
        return Unanswered(error)


async def _gather(step: Gather, transport: AsyncTransport) -> list[Any]:
    """Perform several flows, by as many tasks as may be under way; if this task is cancelled, so are they."""
    if step.one_by_one:
        return [await run_async(flow, transport) for flow in step.flows]
    results: dict[int, Any] = {}
    errors: dict[int, BaseException] = {}
    waiting = iter(enumerate(step.flows))
    stoppable = _Stoppable(transport, errors)

    async def work() -> None:
        for place, flow in waiting:
            try:
                results[place] = await run_async(flow, stoppable)
            except (Exception, Stopped) as error:  # noqa: BLE001 - raised below, when the others under way are done
                if not (errors and isinstance(error, Stopped)):
                    errors[place] = error
            if errors:
                return

    async with _asyncio().TaskGroup() as tasks:
        workers = [tasks.create_task(work()) for _ in range(min(len(step.flows), step.at_once))]
    try:
        if errors:
            raise errors[min(errors)]
    finally:
        # An exception holds its frames, and so must not be held by them.
        errors.clear()
    for worker in workers:
        worker.result()  # raises if it alone was cancelled
    return [results[place] for place in range(len(step.flows))]


@dataclass(frozen=True, slots=True)
class _Stoppable:
    """A transport that sends nothing more once a flow has failed."""

    transport: AsyncTransport
    errors: Mapping[int, BaseException]

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        if self.errors:
            raise Stopped
        return await self.transport.send(operation, table, body, repeatable=repeatable)
