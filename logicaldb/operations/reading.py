"""Queries and scans: the requests of a page, and what their answers hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from typing_extensions import TypeVar

from logicaldb.codec.limits import MAX_EXPRESSION_BYTES
from logicaldb.codec.values import WireValue
from logicaldb.errors import EncodingError
from logicaldb.expressions import Condition, Context, KeyCondition, Placeholders, check_condition
from logicaldb.flow import Emit, Flow, Request, Stream
from logicaldb.items import KeyBase
from logicaldb.operations.ranges import KeyRange, key_range, partition_range
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.keys import KeySchema
from logicaldb.schema.raw import Index, KeyNames
from logicaldb.schema.tables import Mark
from logicaldb.sets import Offset, Page, WorkerId

K = TypeVar("K", bound=KeyBase[Any])
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source(Generic[K, T]):
    """What is read: a table or an index, and which of its rows.

    Attributes:
        table: the physical table.
        index: the index, ``None`` for the table.
        key: the key type of key conditions and offsets.
        items: the item types, whose fields a filter may name.
        marks: what a row must show to be read, as far as the service can filter it.
        projection: the attributes to ask for; ``None`` for all.
        decode: makes the items.
        what: the name that messages use.
    """

    table: str
    index: Index | None
    key: KeySchema
    items: Sequence[ItemSchema]
    marks: Sequence[Mark]
    projection: Sequence[str] | None
    decode: Callable[[Row], T | None]
    what: str

    @property
    def keys(self) -> KeyNames:
        """The key attributes of what is read."""
        return self.key.item.raw.keys if self.index is None else self.index.keys

    def query_page(
        self,
        key_condition: KeyCondition[K],
        *,
        asc: bool,
        page_size: int,
        consistent_read: bool,
        filter_expression: Condition | None,
        initial_offset: Offset[K] | None,
    ) -> Flow[Page[K, T]]:
        """One page of a query."""
        return self._query_page(
            key_range(key_condition, self.key), asc, page_size, consistent_read, filter_expression, initial_offset
        )

    def _query_page(
        self,
        wanted: KeyRange,
        asc: bool,
        page_size: int,
        consistent_read: bool,
        filter_expression: Condition | None,
        initial_offset: Offset[K] | None,
    ) -> Flow[Page[K, T]]:
        body = self.query_body(wanted, asc=asc, consistent_read=consistent_read, filter_expression=filter_expression)
        body["Limit"] = _page_size(page_size)
        if initial_offset is not None:
            body["ExclusiveStartKey"] = self.start_key(initial_offset, wanted.partition)
        if wanted.empty:
            return Page([], None)
        return (yield from self._page("Query", body, wanted.dropped))

    def query_all(
        self, key_condition: KeyCondition[K], *, initial_offset: Offset[K] | None, **options: Any
    ) -> Stream[Page[K, T]]:
        """All pages of a query, one request each."""
        return pages(
            lambda offset: self.query_page(key_condition, initial_offset=offset, **options), initial_offset
        )

    def partition_page(self, key: K, **options: Any) -> Flow[Page[K, T]]:
        """One page of a whole partition."""
        return self._query_page(partition_range(key, self.key), **options)

    def partition_all(self, key: K, *, initial_offset: Offset[K] | None, **options: Any) -> Stream[Page[K, T]]:
        """All pages of a partition, one request each."""
        return pages(lambda offset: self.partition_page(key, initial_offset=offset, **options), initial_offset)

    def query_contents(
        self,
        key_condition: KeyCondition[K],
        *,
        limit: int | None,
        page_size: int,
        filter_expression: Condition | None,
        **options: Any,
    ) -> Stream[T]:
        """The items of a query, as many as wanted."""
        filtered = filter_expression is not None or any(mark.attribute not in self.keys for mark in self.marks)
        size = page_size if limit is None or filtered else max(1, min(page_size, limit))
        found = self.query_all(key_condition, page_size=size, filter_expression=filter_expression, **options)
        return contents(found, limit)

    def scan_page(
        self,
        *,
        page_size: int,
        consistent_read: bool,
        filter_expression: Condition | None,
        initial_offset: Offset[K] | None,
        worker_id: WorkerId | None,
    ) -> Flow[Page[K, T]]:
        """One page of a scan."""
        body = self.scan_body(consistent_read=consistent_read, filter_expression=filter_expression)
        body["Limit"] = _page_size(page_size)
        if worker_id is not None:
            body |= {"Segment": worker_id.segment, "TotalSegments": worker_id.total_segments}
        if initial_offset is not None:
            body["ExclusiveStartKey"] = self.start_key(initial_offset, None)
        return (yield from self._page("Scan", body, ()))

    def scan_all(self, *, initial_offset: Offset[K] | None, **options: Any) -> Stream[Page[K, T]]:
        """All pages of a scan, one request each."""
        return pages(lambda offset: self.scan_page(initial_offset=offset, **options), initial_offset)

    def scan_contents(self, *, limit: int | None, page_size: int, **options: Any) -> Stream[T]:
        """The items of a scan, as many as wanted."""
        return contents(self.scan_all(page_size=page_size, **options), limit)

    def count(
        self, key_condition: KeyCondition[K], *, filter_expression: Condition | None, consistent_read: bool
    ) -> Flow[int]:
        """The number of items of a query, over all its pages."""
        wanted = key_range(key_condition, self.key)
        body = self.query_body(
            wanted, asc=True, consistent_read=consistent_read, filter_expression=filter_expression, counting=True
        )
        if wanted.empty:
            return 0
        count = 0
        sort = self.keys.sort
        while True:
            answer: Mapping[str, Any] = yield Request("Query", self.table, body)
            count += answer["Count"]
            if wanted.dropped and sort is not None:
                count -= sum(row[sort] in wanted.dropped for row in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return count
            body = {**body, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def query_body(
        self,
        wanted: KeyRange,
        *,
        asc: bool,
        consistent_read: bool,
        filter_expression: Condition | None,
        counting: bool = False,
    ) -> dict[str, Any]:
        """A query without its page."""
        placeholders = Placeholders()
        body = self._body(consistent_read)
        body["KeyConditionExpression"] = wanted.expression(self.key, placeholders)
        keys = dict.fromkeys(self.keys, self.what)
        marks = [mark for mark in self.marks if mark.attribute not in keys]
        self._filter(body, marks, filter_expression, Context(self.items, placeholders, keys))
        if not counting:
            self._project(body, self.projection, placeholders)
        elif wanted.dropped and self.keys.sort is not None:
            # A count alone cannot leave out the rows at the border, so their sort keys are asked for.
            self._project(body, (self.keys.sort,), placeholders)
        else:
            body["Select"] = "COUNT"
        if not asc:
            body["ScanIndexForward"] = False
        return body | placeholders.parameters()

    def scan_body(self, *, consistent_read: bool, filter_expression: Condition | None) -> dict[str, Any]:
        """A scan without its page."""
        placeholders = Placeholders()
        body = self._body(consistent_read)
        implied = () if self.index is None else tuple(self.index.keys)
        marks = [mark for mark in self.marks if not (mark.kind == "exists" and mark.attribute in implied)]
        self._filter(body, marks, filter_expression, Context(self.items, placeholders))
        self._project(body, self.projection, placeholders)
        return body | placeholders.parameters()

    def start_key(self, offset: Offset[K], partition: WireValue | None) -> Mapping[str, WireValue]:
        """The ``ExclusiveStartKey`` of an offset; refused where it cannot be one of this query."""
        if offset.raw is not None:
            raw: Mapping[str, WireValue] = offset.raw
        elif offset.key is not None:
            raw = self.key.start(offset.key)
        else:
            raise EncodingError("an offset without a key and without a raw key leads nowhere")
        if set(raw) != {*self.key.item.raw.keys, *self.keys}:
            raise EncodingError(f"{offset!r}: is an offset of another table or index than {self.what}")
        if partition is not None and raw[self.keys.partition] != partition:
            raise EncodingError(f"{offset!r}: is of another partition than the key condition")
        return raw

    def _body(self, consistent_read: bool) -> dict[str, Any]:
        body: dict[str, Any] = {"TableName": self.table}
        if self.index is not None:
            body["IndexName"] = self.index.name
        if consistent_read:
            if self.index is not None and not self.index.local:
                raise EncodingError(f"{self.what}: is a global index, which has no consistent reads; leave consistent_read out")
            body["ConsistentRead"] = True
        return body

    def _filter(
        self, body: dict[str, Any], marks: Sequence[Mark], condition: Condition | None, context: Context
    ) -> None:
        texts = [mark_expression(mark, context.placeholders) for mark in marks]
        if condition is not None:
            texts.append(check_condition(condition).encode(context))
        if len(texts) > 1:
            texts = [f"({text})" for text in texts]
        if texts:
            body["FilterExpression"] = " AND ".join(texts)

    def _project(self, body: dict[str, Any], names: Sequence[str] | None, placeholders: Placeholders) -> None:
        if names is None:
            return
        text = ", ".join(placeholders.name(name) for name in names)
        if len(text) <= MAX_EXPRESSION_BYTES:  # else all attributes come, which costs bandwidth alone
            body["ProjectionExpression"] = text

    def _page(self, operation: str, body: dict[str, Any], dropped: Sequence[WireValue]) -> Flow[Page[K, T]]:
        answer: Mapping[str, Any] = yield Request(operation, self.table, body)
        rows: list[Row] = answer["Items"]
        if dropped and self.keys.sort is not None:
            sort = self.keys.sort
            rows = [row for row in rows if row[sort] not in dropped]
        contents = [item for item in map(self.decode, rows) if item is not None]
        last = answer.get("LastEvaluatedKey")
        return Page(contents, None if last is None else Offset.served(self.key.from_row(last), last))


def pages(
    page: Callable[[Offset[K] | None], Flow[Page[K, T]]], initial_offset: Offset[K] | None
) -> Stream[Page[K, T]]:
    """All pages from an offset on, each asked for when the one before it has been taken."""
    offset = initial_offset
    while True:
        found = yield from page(offset)
        yield Emit([found])
        offset = found.offset
        if offset is None:
            return


def contents(source: Stream[Page[K, T]], limit: int | None) -> Stream[T]:
    """The items of pages, as many as wanted; the request after the last of them is never sent."""
    if limit is not None and limit < 0:
        raise ValueError(f"limit={limit} must not be negative")
    left = limit
    if left == 0:
        return
    reply: Any = None
    while True:
        try:
            step = source.send(reply)
        except StopIteration:
            return
        if not isinstance(step, Emit):
            reply = yield step
            continue
        reply = None
        for page in step.values:
            found = page.contents if left is None else page.contents[:left]
            yield Emit(found)
            if left is not None:
                left -= len(found)
                if left == 0:
                    return


def mark_expression(mark: Mark, placeholders: Placeholders) -> str:
    """A mark as an expression."""
    name = placeholders.name(mark.attribute)
    match mark.kind:
        case "begins_with":
            return f"begins_with({name}, {placeholders.value({'S': mark.text})})"
        case "equals":
            return f"{name} = {placeholders.value({'S': mark.text})}"
        case "exists":
            return f"attribute_exists({name})"
        case "absent":
            return f"attribute_not_exists({name})"


def _page_size(page_size: int) -> int:
    if page_size < 1:
        raise ValueError(f"page_size={page_size} must be at least 1")
    return page_size
