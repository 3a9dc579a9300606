"""Explaining calls: the requests that a method would send, without sending any."""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Generic, cast

from typing_extensions import TypeVar

from logicaldb.capacity import Units
from logicaldb.estimates import estimate
from logicaldb.expressions import Condition, KeyCondition, Update
from logicaldb.items import Item, ItemKey, KeyBase
from logicaldb.pages import Offset, WorkerId
from logicaldb.sets import BatchWriteSet, TransactionWriteSet

K = TypeVar("K", bound=KeyBase[Any])
I = TypeVar("I", bound=Item)  # noqa: E741  # the type of the items, as in every signature

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


class IndexExplanations(ABC, Generic[K, I]):
    """The methods of an index view, each of which explains what it would send; nothing is sent."""

    @abstractmethod
    def assuming(self, *, item_size: int) -> IndexExplanations[K, I]:
        """The same, where rows of which nothing is known are taken to have so many bytes; 1,024 by default."""
        ...

    @abstractmethod
    def query(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Explanation:
        """Explain ``query``."""
        ...

    @abstractmethod
    def query_all(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Explanation:
        """Explain ``query_all``."""
        ...

    @abstractmethod
    def query_all_contents(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        limit: int | None = None,
    ) -> Explanation:
        """Explain ``query_all_contents``."""
        ...

    @abstractmethod
    def count(
        self,
        key_condition: KeyCondition[K],
        *,
        filter_expression: Condition | None = None,
        consistent_read: bool = False,
    ) -> Explanation:
        """Explain ``count``."""
        ...

    @abstractmethod
    def scan(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Explanation:
        """Explain ``scan``."""
        ...

    @abstractmethod
    def scan_all(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
    ) -> Explanation:
        """Explain ``scan_all``."""
        ...

    @abstractmethod
    def scan_all_contents(
        self,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        worker_id: WorkerId | None = None,
        limit: int | None = None,
    ) -> Explanation:
        """Explain ``scan_all_contents``."""
        ...

    @abstractmethod
    def parallel_scan(
        self,
        total_segments: int,
        *,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
    ) -> Explanation:
        """Explain ``parallel_scan``."""
        ...


class ViewExplanations(IndexExplanations[K, I]):
    """The methods of a view, each of which explains what it would send; nothing is sent."""

    @abstractmethod
    def assuming(self, *, item_size: int) -> ViewExplanations[K, I]:
        """The same, where rows of which nothing is known are taken to have so many bytes; 1,024 by default."""
        ...

    @abstractmethod
    def load(self, key: K, *, consistent_read: bool = False) -> Explanation:
        """Explain ``load``."""
        ...

    @abstractmethod
    def save(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> Explanation:
        """Explain ``save``."""
        ...

    @abstractmethod
    def create(self, item: I, *, idempotency_token: str | None = None) -> Explanation:
        """Explain ``create``."""
        ...

    @abstractmethod
    def put(self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None) -> Explanation:
        """Explain ``put``."""
        ...

    @abstractmethod
    def update(
        self,
        key: K,
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Explanation:
        """Explain ``update``."""
        ...

    @abstractmethod
    def increment(
        self,
        key: K,
        counter: Any,
        by: int | Decimal = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Explanation:
        """Explain ``increment``."""
        ...

    @abstractmethod
    def delete(
        self, item: I, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> Explanation:
        """Explain ``delete``."""
        ...

    @abstractmethod
    def delete_key(
        self, key: K, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> Explanation:
        """Explain ``delete_key``."""
        ...


class CollectionExplanations(ABC, Generic[K]):
    """The methods of an item collection, each of which explains what it would send; nothing is sent."""

    @abstractmethod
    def assuming(self, *, item_size: int) -> CollectionExplanations[K]:
        """The same, where rows of which nothing is known are taken to have so many bytes; 1,024 by default."""
        ...

    @abstractmethod
    def query(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Explanation:
        """Explain ``query``."""
        ...

    @abstractmethod
    def query_all(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
    ) -> Explanation:
        """Explain ``query_all``."""
        ...

    @abstractmethod
    def query_all_contents(
        self,
        key: K,
        *,
        asc: bool = True,
        page_size: int = 100,
        consistent_read: bool = False,
        filter_expression: Condition | None = None,
        initial_offset: Offset[K] | None = None,
        limit: int | None = None,
    ) -> Explanation:
        """Explain ``query_all_contents``."""
        ...


class DbExplanations(ABC):
    """The methods of a db, each of which explains what it would send; nothing is sent."""

    @abstractmethod
    def assuming(self, *, item_size: int) -> DbExplanations:
        """The same, where rows of which nothing is known are taken to have so many bytes; 1,024 by default."""
        ...

    @abstractmethod
    def load(self, key: ItemKey[Any], *, consistent_read: bool = False) -> Explanation:
        """Explain ``load``."""
        ...

    @abstractmethod
    def save(
        self, item: Item, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> Explanation:
        """Explain ``save``."""
        ...

    @abstractmethod
    def create(self, item: Item, *, idempotency_token: str | None = None) -> Explanation:
        """Explain ``create``."""
        ...

    @abstractmethod
    def put(
        self, item: Item, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> Explanation:
        """Explain ``put``."""
        ...

    @abstractmethod
    def update(
        self,
        key: ItemKey[Any],
        *updates: Update,
        condition: Condition | None = None,
        if_version: int | None = None,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Explanation:
        """Explain ``update``."""
        ...

    @abstractmethod
    def increment(
        self,
        key: ItemKey[Any],
        counter: Any,
        by: int | Decimal = 1,
        *,
        upsert: bool = False,
        idempotency_token: str | None = None,
    ) -> Explanation:
        """Explain ``increment``."""
        ...

    @abstractmethod
    def delete(
        self, item: Item, condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> Explanation:
        """Explain ``delete``."""
        ...

    @abstractmethod
    def delete_key(
        self, key: ItemKey[Any], condition: Condition | None = None, *, idempotency_token: str | None = None
    ) -> Explanation:
        """Explain ``delete_key``."""
        ...

    @abstractmethod
    def transaction_load(self, *keys: ItemKey[Any] | Iterable[ItemKey[Any]]) -> Explanation:
        """Explain ``transaction_load``."""
        ...

    @abstractmethod
    def transaction_write(self, writes: TransactionWriteSet) -> Explanation:
        """Explain ``transaction_write``."""
        ...

    @abstractmethod
    def batch_load(
        self,
        *keys: ItemKey[Any] | Iterable[ItemKey[Any]],
        consistent_read: bool = False,
        max_page_size: int = 100,
    ) -> Explanation:
        """Explain ``batch_load``."""
        ...

    @abstractmethod
    def batch_write(self, writes: BatchWriteSet, *, max_page_size: int = 25) -> Explanation:
        """Explain ``batch_write``."""
        ...


def explain_index(make: Callable[[Recorder], Any]) -> IndexExplanations[Any, Any]:
    """Explain the methods of an index view."""
    return cast("IndexExplanations[Any, Any]", Explaining(make, IndexExplanations.__abstractmethods__))


def explain_view(make: Callable[[Recorder], Any]) -> ViewExplanations[Any, Any]:
    """Explain the methods of a view."""
    return cast("ViewExplanations[Any, Any]", Explaining(make, ViewExplanations.__abstractmethods__))


def explain_collection(make: Callable[[Recorder], Any]) -> CollectionExplanations[Any]:
    """Explain the methods of an item collection."""
    return cast("CollectionExplanations[Any]", Explaining(make, CollectionExplanations.__abstractmethods__))


def explain_db(make: Callable[[Recorder], Any]) -> DbExplanations:
    """Explain the methods of a db."""
    return cast("DbExplanations", Explaining(make, DbExplanations.__abstractmethods__))
