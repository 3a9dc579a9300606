"""Queries and scans of item types: the requests, and what their answers hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Unpack

from typing_extensions import TypeVar

from logicaldb.codec.limits import MAX_EXPRESSION_BYTES
from logicaldb.codec.values import WireValue, order_of
from logicaldb.errors import EncodingError
from logicaldb.expressions import Condition, Context, KeyCondition, Placeholders, check_condition, check_operators
from logicaldb.flow import Flow, Request, Stream
from logicaldb.items import KeyBase
from logicaldb.operations.paging import (
    Filters,
    QueryOptions,
    Read,
    ScanOptions,
    check_offset,
    check_page_size,
    segment,
)
from logicaldb.operations.ranges import KeyRange, key_range, partition_range
from logicaldb.pages import Offset, Page
from logicaldb.schema.items import ItemSchema, Row
from logicaldb.schema.keys import KeySchema
from logicaldb.schema.raw import Index, KeyNames
from logicaldb.schema.reading import ReadAnswer
from logicaldb.schema.tables import Mark

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
        projection: the attributes to ask for.
        decode: makes the items; gives ``None`` for a row to leave out.
        what: the name that messages use.
    """

    table: str
    index: Index | None
    key: KeySchema
    items: Sequence[ItemSchema]
    marks: Sequence[Mark]
    projection: Sequence[str]
    decode: Callable[[Row], T | None]
    what: str

    @property
    def keys(self) -> KeyNames:
        """The key attributes of what is read."""
        return self.key.item.raw.keys if self.index is None else self.index.keys

    def query_page(self, key_condition: KeyCondition[K], **options: Unpack[QueryOptions]) -> Flow[Page[K, T]]:
        """One page of a query."""
        return (yield from self._query(key_range(key_condition, self.key), **options).first())

    def query_all(self, key_condition: KeyCondition[K], **options: Unpack[QueryOptions]) -> Stream[Page[K, T]]:
        """All pages of a query."""
        yield from self._query(key_range(key_condition, self.key), **options).pages()

    def query_contents(
        self, key_condition: KeyCondition[K], *, limit: int | None, **options: Unpack[QueryOptions]
    ) -> Stream[T]:
        """The items of a query, as many as wanted."""
        yield from self._query(key_range(key_condition, self.key), **options).contents(limit)

    def partition_page(self, key: K, **options: Unpack[QueryOptions]) -> Flow[Page[K, T]]:
        """One page of a whole partition."""
        return (yield from self._partition(key, **options).first())

    def partition_all(self, key: K, **options: Unpack[QueryOptions]) -> Stream[Page[K, T]]:
        """All pages of a partition."""
        yield from self._partition(key, **options).pages()

    def partition_contents(self, key: K, *, limit: int | None, **options: Unpack[QueryOptions]) -> Stream[T]:
        """The items of a partition, as many as wanted."""
        yield from self._partition(key, **options).contents(limit)

    def scan_page(self, **options: Unpack[ScanOptions]) -> Flow[Page[K, T]]:
        """One page of a scan."""
        return (yield from self._scan(**options).first())

    def scan_all(self, **options: Unpack[ScanOptions]) -> Stream[Page[K, T]]:
        """All pages of a scan."""
        yield from self._scan(**options).pages()

    def scan_contents(self, *, limit: int | None, **options: Unpack[ScanOptions]) -> Stream[T]:
        """The items of a scan, as many as wanted."""
        yield from self._scan(**options).contents(limit)

    def count(self, key_condition: KeyCondition[K], **filters: Unpack[Filters]) -> Flow[int]:
        """The number of items of a query, over all its pages."""
        wanted = key_range(key_condition, self.key)
        body = self.query_body(wanted, asc=True, counting=True, **filters)
        if wanted.empty:
            return 0
        count = 0
        while True:
            answer: dict[str, Any] = yield Request("Query", self.table, body)
            count += len(self._kept(answer["Items"], wanted.dropped)) if wanted.dropped else answer["Count"]
            if "LastEvaluatedKey" not in answer:
                return count
            body = {**body, "ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def query_body(
        self, wanted: KeyRange, *, asc: bool, counting: bool = False, **filters: Unpack[Filters]
    ) -> dict[str, Any]:
        """A query without its page."""
        placeholders = Placeholders()
        body = self._body(filters["consistent_read"])
        body["KeyConditionExpression"] = wanted.expression(self.key, placeholders)
        keys = dict.fromkeys(self.keys, self.what)
        # A key of what is queried needs no mark: the key condition stays inside the type's prefix, and every row has it.
        marks = [mark for mark in self.marks if mark.attribute not in keys]
        body |= _filter(marks, filters["filter_expression"], Context(self.items, placeholders, keys))
        if not counting:
            body |= _project(self.projection, placeholders)
        elif wanted.dropped:
            # A count alone cannot leave out the rows at the border, so their sort keys are asked for.
            body |= _project([self._sort], placeholders)
        else:
            body["Select"] = "COUNT"
        if not asc:
            body["ScanIndexForward"] = False
        return body | placeholders.parameters()

    def start_key(self, offset: Offset[Any], partition: WireValue | None) -> Mapping[str, WireValue]:
        """The ``ExclusiveStartKey`` of an offset.

        Raises:
            TypeError: it is no offset, or its key is of another type.
            IncompleteKey: it was made by hand and lacks fields.
            EncodingError: it is of another table, index or partition.
        """
        raw = check_offset(offset).raw
        if raw is None:
            assert offset.key is not None, "one made by hand has a key"
            raw = self.key.start(offset.key)
        if set(raw) != {*self.key.item.raw.keys, *self.keys}:
            raise EncodingError(f"{offset!r}: is an offset of another table or index than {self.what}")
        if partition is not None and order_of(raw[self.keys.partition]) != order_of(partition):
            raise EncodingError(f"{offset!r}: is of another partition than the key condition")
        return raw

    def _query(self, wanted: KeyRange, **options: Unpack[QueryOptions]) -> Read[K, T]:
        body = self.query_body(
            wanted,
            asc=options["asc"],
            consistent_read=options["consistent_read"],
            filter_expression=options["filter_expression"],
        )
        offset = options["initial_offset"]
        start = None if offset is None else self.start_key(offset, wanted.partition)
        rest = "all" if start is None else self._rest(wanted, start, asc=options["asc"])
        return Read(
            "Query",
            self.table,
            body,
            check_page_size(options["page_size"]),
            start if rest == "some" else None,
            lambda answer: self._take(answer, wanted.dropped),
            "FilterExpression" not in body,
            wanted.dropped,
            wanted.empty or rest == "nothing",
            None if wanted.dropped else self._reads,
        )

    def _rest(self, wanted: KeyRange, start: Mapping[str, WireValue], *, asc: bool) -> str:
        sort = self.keys.sort
        return "some" if sort is None else wanted.rest(start[sort], asc=asc, unique=self.index is None)

    def _partition(self, key: K, **options: Unpack[QueryOptions]) -> Read[K, T]:
        """A whole partition, where rows of other types are left out after reading."""
        return replace(self._query(partition_range(key, self.key), **options), every_row=False)

    def _scan(self, **options: Unpack[ScanOptions]) -> Read[K, T]:
        placeholders = Placeholders()
        body = self._body(options["consistent_read"]) | segment(options["worker_id"])
        implied = () if self.index is None else tuple(self.index.keys)
        marks = [mark for mark in self.marks if not (mark.kind == "exists" and mark.attribute in implied)]
        body |= _filter(marks, options["filter_expression"], Context(self.items, placeholders))
        body |= _project(self.projection, placeholders)
        offset = options["initial_offset"]
        return Read(
            "Scan",
            self.table,
            body | placeholders.parameters(),
            check_page_size(options["page_size"]),
            None if offset is None else self.start_key(offset, None),
            lambda answer: self._take(answer, ()),
            "FilterExpression" not in body,
            read=self._reads,
        )

    def _body(self, consistent_read: bool) -> dict[str, Any]:
        body: dict[str, Any] = {"TableName": self.table}
        if self.index is not None:
            body["IndexName"] = self.index.name
        if consistent_read:
            if self.index is not None and not self.index.local:
                raise EncodingError(
                    f"{self.what}: is a global index, which has no consistent reads; leave consistent_read out"
                )
            body["ConsistentRead"] = True
        return body

    def _take(self, answer: Mapping[str, Any], dropped: Sequence[WireValue]) -> Page[K, T]:
        contents: list[Any] = answer["Items"]
        if not isinstance(answer, ReadAnswer):
            rows = self._kept(contents, dropped) if dropped else contents
            # No `map`: it would end, and silently, where a validator of the type raises StopIteration by mistake.
            contents = [item for row in rows if (item := self.decode(row)) is not None]
        last = answer.get("LastEvaluatedKey")
        return Page(contents, None if last is None else Offset.found(self.key.from_row, last))

    @property
    def _reads(self) -> Callable[[bytes], ReadAnswer] | None:
        """What reads answers with their items; ``None`` where rows of several types have to be told apart."""
        item = self.items[0]
        return item.reader.page if len(self.items) == 1 and self.decode == item.decode else None

    def _kept(self, rows: Sequence[Row], dropped: Sequence[WireValue]) -> list[Row]:
        return [row for row in rows if row[self._sort] not in dropped]

    @property
    def _sort(self) -> str:
        sort = self.keys.sort
        assert sort is not None, "only sort keys have borders"
        return sort


def _filter(marks: Sequence[Mark], condition: Condition | None, context: Context) -> dict[str, Any]:
    texts = [_mark_expression(mark, context.placeholders) for mark in marks]
    if condition is not None:
        texts.append(check_condition(condition).encode(context))
        context.placeholders.check_size("the filter")
    if not texts:
        return {}
    text = texts[0] if len(texts) == 1 else " AND ".join(f"({text})" for text in texts)
    return {"FilterExpression": check_operators("the FilterExpression", text)}


def _mark_expression(mark: Mark, placeholders: Placeholders) -> str:
    name = placeholders.name(mark.attribute)
    if mark.kind in ("exists", "absent"):
        return f"attribute_{'exists' if mark.kind == 'exists' else 'not_exists'}({name})"
    text = placeholders.value({"S": mark.text})
    return f"begins_with({name}, {text})" if mark.kind == "begins_with" else f"{name} = {text}"


def _project(names: Sequence[str], placeholders: Placeholders) -> dict[str, Any]:
    longest = len(f"#n{len(placeholders) + len(names)}, ")
    if longest * len(names) > MAX_EXPRESSION_BYTES:
        return {}  # all attributes come, which costs bandwidth alone
    return {"ProjectionExpression": ", ".join(map(placeholders.name, names))}
