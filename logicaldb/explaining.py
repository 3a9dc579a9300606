"""Explaining calls: the requests that a method would send, without sending any."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

from logicaldb.capacity import Units
from logicaldb.estimates import estimate
from logicaldb.sets import TransactionWriteSet

_ASSUMED: Final = 1024
"""The bytes of a row of which nothing is known: write units are counted in this."""


@dataclass(frozen=True, slots=True)
class ExplainedRequest:
    """A request that a method would send.

    Attributes:
        operation: the API operation.
        table: the physical table; of several, the first.
        index: the index that it reads; ``None`` for the table.
        body: the request, in wire form.
        units: the capacity units that it is estimated to consume, without those of indexes that a write changes.
    """

    operation: str
    table: str
    index: str | None
    body: Mapping[str, Any]
    units: Units

    @property
    def filter(self) -> str | None:
        """The filter with names and values in it: rows that it leaves out are read and paid for."""
        text = self.body.get("FilterExpression")
        return None if text is None else _readable(text, self.body)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a call would do. Printed, it is a text for people.

    Attributes:
        requests: the requests that it would send, as far as they do not depend on answers.
        notes: what else is to be known: what a filter leaves out, further pages, what an estimate assumes.
        warnings: what is expensive: a scan reads the whole table.
    """

    requests: tuple[ExplainedRequest, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def units(self) -> Units:
        """The estimated units of all requests."""
        return sum((request.units for request in self.requests), Units())

    def __str__(self) -> str:
        """Everything, line by line."""
        lines: list[str] = []
        for request in self.requests:
            of = request.table if request.index is None else f"{request.table}, index {request.index}"
            lines.append(f"{request.operation} of {of}: about {_units_text(request.units)}")
            lines += [f"  {line}" for line in json.dumps(request.body, indent=2, ensure_ascii=False).splitlines()]
        if not self.requests:
            lines.append("no request is sent")
        lines += [f"warning: {warning}" for warning in self.warnings]
        lines += [f"note: {note}" for note in self.notes]
        return "\n".join(lines)


class Recorder:
    """A transport that sends nothing: it keeps the requests, and answers that there is nothing."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, dict[str, Any]]] = []

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:  # noqa: ARG002 - as every transport takes it
        """Keep a request."""
        self.requests.append((operation, table, json.loads(body)))
        return b'{"Items":[],"Count":0,"ScannedCount":0,"Responses":{},"UnprocessedKeys":{},"UnprocessedItems":{}}'


class Explaining:
    """The methods of a view or db, each of which explains what it would do.

    Args:
        make: makes the view or db, which sends by a transport that is given.
        methods: the methods that can be explained.
        assumed: the bytes of a row of which nothing is known.
    """

    def __init__(self, make: Callable[[Recorder], Any], methods: Container[str], assumed: int = _ASSUMED) -> None:
        self._make = make
        self._methods = methods
        self._assumed = assumed

    def assuming(self, *, item_size: int) -> Any:
        """The same, where rows of which nothing is known are taken to have so many bytes."""
        if not isinstance(item_size, int) or item_size < 1:
            raise ValueError(f"item_size={item_size!r} is no number of bytes above 0")
        return type(self)(self._make, self._methods, item_size)

    def __getattr__(self, name: str) -> Any:
        """The method of that name."""
        if name not in self._methods:
            raise AttributeError(f"{name} cannot be explained")
        recorder = Recorder()
        method = getattr(self._make(recorder), name)

        def explained(*arguments: Any, **options: Any) -> Explanation:
            # What a set sends is fixed when it is sent, which it is not here.
            copies = [
                copy(argument) if isinstance(argument, TransactionWriteSet) else argument for argument in arguments
            ]
            try:
                result = method(*copies, **options)
                if isinstance(result, Iterator):
                    next(result, None)
            except Exception:
                # That nothing is there may be an error to the call, once it has sent a request; what it refuses is not.
                if not recorder.requests:
                    raise
            return explanation(recorder.requests, self._assumed)

        return explained


def explanation(requests: Sequence[tuple[str, str, dict[str, Any]]], assumed: int) -> Explanation:
    """Explain requests.

    Args:
        requests: operations, tables and bodies.
        assumed: the bytes of a row of which nothing is known.
    """
    explained = tuple(
        ExplainedRequest(operation, table, body.get("IndexName"), body, estimate(operation, body, assumed))
        for operation, table, body in requests
    )
    notes: list[str] = []
    warnings: list[str] = []
    for request in explained:
        if request.operation == "Scan":
            warnings.append(f"a scan reads every row of {request.index or request.table}, and is paid for every row")
        if request.filter is not None:
            notes.append(f"rows are read and paid for, and then left out, unless {request.filter}")
        if request.operation in ("Query", "Scan"):
            notes.append(
                "this is the first page; each further one is a request like it, from where the one before ended"
            )
        if request.operation == "TransactWriteItems":
            notes.append("a write in a transaction costs twice what it costs alone")
    if any(_is_assumed(request) for request in explained):
        notes.append(f"rows of which the request does not tell how big they are were taken to have {assumed} bytes")
    if any(request.units.write for request in explained):
        notes.append("a write also costs units in every index whose entry of the row it changes; these are not counted")
    return Explanation(explained, tuple(dict.fromkeys(notes)), tuple(dict.fromkeys(warnings)))


def _is_assumed(request: ExplainedRequest) -> bool:
    return request.units != estimate(request.operation, request.body, 1 << 30)


def _units_text(units: Units) -> str:
    parts = [f"{count:g} {kind} units" for count, kind in ((units.read, "read"), (units.write, "write")) if count]
    return " and ".join(parts) or "no units"


def _readable(expression: str, body: Mapping[str, Any]) -> str:
    """An expression with its names and values in the place of their placeholders."""
    names: Mapping[str, str] = body.get("ExpressionAttributeNames", {})
    values: Mapping[str, Any] = body.get("ExpressionAttributeValues", {})

    def of(placeholder: re.Match[str]) -> str:
        text = placeholder[0]
        if text in names:
            return names[text]
        if text not in values:
            return text
        ((form, held),) = values[text].items()
        return str(held) if form == "N" else json.dumps(held, ensure_ascii=False)

    return re.sub(r"[#:]\w+", of, expression)
