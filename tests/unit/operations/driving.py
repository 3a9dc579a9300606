"""Drives flows by hand: what they send is compared, and what they get is made up."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from logicaldb.codec.writing import plain
from logicaldb.flow import Emit, Gather, Request, ServiceFailure, Sleep, Unanswered
from logicaldb.table import LogicalTable

NOW = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)
NOW_TEXT = "2026-11-22T03:04:05.678901Z"
TABLE = "things"


class NoTransport:
    """Flows are driven by hand, so nothing is ever sent."""

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        raise AssertionError((operation, table, body))


def make_table(table_type: type[LogicalTable[Any, Any]], clock: Callable[[], datetime] = lambda: NOW) -> Any:
    """An instance of a table, whose views have the flows."""
    return table_type(TABLE, NoTransport(), clock, 1)


@dataclass
class Run:
    """What a flow did.

    Attributes:
        requests: what it sent.
        emitted: what it handed out, with the number of requests before.
        result: what it returned.
        sleeps: how often it slept.
        gathered: how many flows it gathered, and how many of them at once.
    """

    requests: list[Request] = field(default_factory=list[Request])
    emitted: list[tuple[int, Any]] = field(default_factory=list[tuple[int, Any]])
    result: Any = None
    sleeps: list[float] = field(default_factory=list[float])
    gathered: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    @property
    def bodies(self) -> list[dict[str, Any]]:
        """The bodies of the requests."""
        return [request.body for request in self.requests]

    @property
    def operations(self) -> list[str]:
        """The API operations of the requests."""
        return [request.operation for request in self.requests]

    @property
    def values(self) -> list[Any]:
        """What was handed out."""
        return [value for _, value in self.emitted]


def sent(request: Request) -> Request:
    """A request with its body as the service reads it: parts of it are JSON text already."""
    return replace(request, body=plain(request.body))


def drive(flow: Generator[Any, Any, Any], *answers: Any) -> Run:
    """Run a flow to its end; each request gets the next answer, an exception is thrown in.

    Flows that it gathers are run one after another; the first that raises is the last.

    What the flow raises is raised, and has what was done until then as ``run``.
    """
    run = Run()
    left = list(answers)
    try:
        run.result = _drive(flow, run, left)
    except Exception as error:
        error.run = run  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        raise
    assert not left, f"answers that nothing asked for: {left}"
    return run


def _drive(flow: Generator[Any, Any, Any], run: Run, left: list[Any]) -> Any:
    outcome: Any = None
    try:
        while True:
            step = flow.throw(outcome) if isinstance(outcome, Exception) else flow.send(outcome)
            outcome = None
            if isinstance(step, Emit):
                run.emitted += [(len(run.requests), value) for value in step.values]
            elif isinstance(step, Sleep):
                run.sleeps.append(step.seconds)
            elif isinstance(step, Gather):
                run.gathered.append((len(step.flows), step.at_once))
                outcome = _gather(step, run, left)
            else:
                assert isinstance(step, Request)
                run.requests.append(sent(step))
                outcome = left.pop(0)
    except StopIteration as end:
        return end.value


def _gather(step: Gather, run: Run, left: list[Any]) -> Any:
    """The results of the flows, or what the first of them raises, as the driver gives it."""
    try:
        return [_drive(flow, run, left) for flow in step.flows]
    except (ServiceFailure, Unanswered) as error:
        return error.error
    except Exception as error:  # noqa: BLE001 - the flow gets it
        return error


def failed(code: str, *, ambiguous: bool = False, **body: Any) -> ServiceFailure:
    """An error of the service."""
    return ServiceFailure(code, body, RuntimeError(code), ambiguous=ambiguous)


def refused(item: dict[str, Any] | None = None) -> ServiceFailure:
    """A condition that does not hold."""
    body = {} if item is None else {"Item": item}
    return ServiceFailure("ConditionalCheckFailedException", body, RuntimeError("refused"))


def cancelled(*reasons: dict[str, Any]) -> ServiceFailure:
    """A cancelled transaction."""
    return failed("TransactionCanceledException", CancellationReasons=list(reasons))


def readable(body: dict[str, Any], expression: str) -> str | None:
    """An expression of a request with its names and values in their places; ``None`` where there is none."""
    if expression not in body:
        return None
    named: dict[str, str] = dict(body.get("ExpressionAttributeNames", {}))
    for placeholder, wire in body.get("ExpressionAttributeValues", {}).items():
        named[placeholder] = "NULL" if "NULL" in wire else repr(next(iter(wire.values())))
    return re.sub(r"[#:]\w+", lambda found: named[found[0]], body[expression])


def query_options(**options: Any) -> Any:
    """The options of a query, with the defaults of the views."""
    return {
        "asc": True,
        "page_size": 100,
        "consistent_read": False,
        "filter_expression": None,
        "initial_offset": None,
    } | options


def scan_options(**options: Any) -> Any:
    """The options of a scan, with the defaults of the views."""
    return {
        "page_size": 100,
        "consistent_read": False,
        "filter_expression": None,
        "initial_offset": None,
        "worker_id": None,
    } | options


def found(*rows: dict[str, Any], last: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer of a query or a scan."""
    answer: dict[str, Any] = {"Items": list(rows), "Count": len(rows), "ScannedCount": len(rows)}
    return answer if last is None else {**answer, "LastEvaluatedKey": last}


def texts(values: Sequence[Any]) -> list[str]:
    """Values as their text."""
    return [str(value) for value in values]
