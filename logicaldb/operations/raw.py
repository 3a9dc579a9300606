"""Raw rows: every attribute, without an item type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from logicaldb.codec.generic import AnyCodec, generic_decode
from logicaldb.codec.limits import MAX_ITEM_BYTES, item_size
from logicaldb.codec.values import Refused
from logicaldb.errors import DecodingError, EncodingError
from logicaldb.expressions import Condition, Context, Placeholders, check_condition
from logicaldb.flow import Flow, Request, Stream
from logicaldb.operations.reading import pages
from logicaldb.operations.single import get_row
from logicaldb.schema.items import Row
from logicaldb.schema.raw import RawDeclaration
from logicaldb.sets import Offset, Page, WorkerId

_ANY = AnyCodec()


@dataclass(frozen=True, slots=True)
class RawRows:
    """The raw rows of a physical table.

    Attributes:
        table: the physical table.
        raw: the raw item.
    """

    table: str
    raw: RawDeclaration

    def load(self, key: BaseModel, *, consistent_read: bool) -> Flow[Any]:
        """The row with the primary key of a raw item."""
        row = yield from get_row(self.table, self._key(key), consistent_read=consistent_read)
        return None if row is None else self.decode(row)

    def put(self, item: BaseModel) -> Flow[None]:
        """Replace a whole row."""
        row = self.encode(item)
        size = item_size(row)
        if size > MAX_ITEM_BYTES:
            raise EncodingError(f"{self.raw.name}: is {size} bytes; the limit of an item is {MAX_ITEM_BYTES}")
        yield Request("PutItem", self.table, {"TableName": self.table, "Item": row})

    def delete(self, key: BaseModel) -> Flow[Any]:
        """Delete a row and return it."""
        body = {"TableName": self.table, "Key": self._key(key), "ReturnValues": "ALL_OLD"}
        answer: dict[str, Any] = yield Request("DeleteItem", self.table, body)
        row = answer.get("Attributes")
        return None if row is None else self.decode(row)

    def scan_page(
        self,
        *,
        page_size: int,
        consistent_read: bool,
        filter_expression: Condition | None,
        initial_offset: Offset[Any] | None,
        worker_id: WorkerId | None,
    ) -> Flow[Page[Any, Any]]:
        """One page of a scan."""
        placeholders = Placeholders()
        body: dict[str, Any] = {"TableName": self.table, "Limit": page_size}
        if consistent_read:
            body["ConsistentRead"] = True
        if filter_expression is not None:
            body["FilterExpression"] = check_condition(filter_expression).encode(Context((), placeholders))
        if worker_id is not None:
            body |= {"Segment": worker_id.segment, "TotalSegments": worker_id.total_segments}
        if initial_offset is not None:
            if initial_offset.raw is None:
                raise EncodingError(f"{initial_offset!r}: a scan of raw rows goes on from an offset that the service gave")
            body["ExclusiveStartKey"] = initial_offset.raw
        answer: dict[str, Any] = yield Request("Scan", self.table, body | placeholders.parameters())
        last = answer.get("LastEvaluatedKey")
        return Page(
            [self.decode(row) for row in answer["Items"]], None if last is None else Offset.served(None, last)
        )

    def scan_all(self, *, initial_offset: Offset[Any] | None, **options: Any) -> Stream[Page[Any, Any]]:
        """All pages of a scan."""
        return pages(lambda offset: self.scan_page(initial_offset=offset, **options), initial_offset)

    def encode(self, item: BaseModel) -> Row:
        """The row of a raw item: its declared attributes, and its extras as DynamoDB knows them."""
        if not isinstance(item, self.raw.raw_type):
            raise TypeError(f"{type(item).__name__} is not {self.raw.name}, the raw item of the table")
        row: Row = {}
        name = ""
        try:
            for name, codec in self.raw.attributes.items():
                wire = codec.encode(getattr(item, self.raw.fields[name]))
                if wire is not None:
                    row[name] = wire
            for name, value in (item.__pydantic_extra__ or {}).items():
                row[name] = _ANY.encode(value)
        except Refused as refused:
            raise EncodingError(f"{self.raw.name}.{name}{refused.path}: {refused.reason}") from None
        return row

    def decode(self, row: Mapping[str, Any]) -> Any:
        """The raw item of a row."""
        values: dict[str, Any] = {}
        for name, wire in row.items():
            codec = self.raw.attributes.get(name)
            values[self.raw.fields.get(name, name)] = generic_decode(wire) if codec is None else codec.decode(wire)
        try:
            return self.raw.raw_type.model_validate(values)
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False, include_context=False, include_input=False)
            problem = ", ".join(f"{'.'.join(map(str, error['loc']))} ({error['type']})" for error in errors)
            key = {name: next(iter(row[name].values())) for name in self.raw.keys if name in row}
            text = ", ".join(f"{name}={value!r}" for name, value in key.items())
            raise DecodingError(f"the row {text} is no valid {self.raw.name}: {problem}", key=key) from None

    def _key(self, item: BaseModel) -> Row:
        row = self.encode(item)
        return {name: row[name] for name in self.raw.keys}
