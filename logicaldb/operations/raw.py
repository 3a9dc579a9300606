"""Raw rows: every attribute, without an item type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Unpack

from pydantic import BaseModel, ValidationError

from logicaldb.codec.fields import MISSING, FieldCodec, too_deep
from logicaldb.codec.generic import UNTYPED, AnyCodec, encode_key
from logicaldb.codec.keys import ScalarKey
from logicaldb.codec.limits import MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES
from logicaldb.codec.values import Refused, WireValue
from logicaldb.errors import AmbiguousWrite, DecodingError, EncodingError
from logicaldb.expressions import Context, Placeholders, check_condition, check_operators
from logicaldb.flow import Flow, Request, ServiceFailure, Stream, Unanswered
from logicaldb.operations.paging import Read, ScanOptions, check_offset, check_page_size, segment
from logicaldb.operations.single import get_row
from logicaldb.operations.sizes import check_size
from logicaldb.operations.writes import UNANSWERED
from logicaldb.pages import Offset, Page
from logicaldb.schema.items import Row
from logicaldb.schema.raw import RawDeclaration, problems
from logicaldb.schema.stored import check_key_size


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
        yield from self._write("PutItem", row, {"Item": row})

    def delete(self, key: BaseModel) -> Flow[Any]:
        """Delete a row and return it."""
        wire = self._key(key)
        answer = yield from self._write("DeleteItem", wire, {"Key": wire, "ReturnValues": "ALL_OLD"})
        row = answer.get("Attributes")
        if not row:  # moto gives an empty one where there was no row
            return None
        try:
            return self.decode(row)
        except DecodingError as undecodable:
            raise DecodingError(f"the write took effect, but {undecodable}", key=undecodable.key) from None

    def scan_page(self, **options: Unpack[ScanOptions]) -> Flow[Page[Any, Any]]:
        """One page of a scan."""
        return (yield from self._scan(**options).first())

    def scan_all(self, **options: Unpack[ScanOptions]) -> Stream[Page[Any, Any]]:
        """All pages of a scan."""
        yield from self._scan(**options).pages()

    def scan_contents(self, *, limit: int | None, **options: Unpack[ScanOptions]) -> Stream[Any]:
        """The rows of a scan, as many as wanted."""
        yield from self._scan(**options).contents(limit)

    def encode(self, item: BaseModel) -> Row:
        """The row of a raw item: its declared attributes, and its extras as DynamoDB knows them.

        Raises:
            TypeError: it is of another type.
            EncodingError: it cannot be stored.
        """
        row = self._declared(item, self.raw.attributes)
        for name, value in (item.__pydantic_extra__ or {}).items():
            if name in self.raw.attributes:
                raise EncodingError(
                    f"{self.raw.name}.{name}: the attribute {name} is the field {self.raw.fields[name]}; give that instead"
                )
            try:
                encode_key(name)
            except Refused as refused:
                raise EncodingError(f"{self.raw.name}: has an attribute whose name {refused.reason}") from None
            try:
                row[name] = UNTYPED.encode(value)
            except Refused as refused:
                raise self._refused(name, refused) from None
        check_size(self.raw, row, self._name_of)
        return row

    def decode(self, row: Mapping[str, WireValue]) -> Any:
        """The raw item of a row.

        Raises:
            DecodingError: the row is not valid for it.
        """
        values: dict[str, Any] = {}
        for name, wire in row.items():
            if name not in self.raw.attributes:
                values[name] = self._value(row, name, UNTYPED, wire)
        for name, codec in self.raw.attributes.items():
            field = self.raw.fields[name]
            if field in values:
                problem = f"the attribute {field} has no place, since the field {field} is {name}"
                raise self.raw.undecodable(row, self.raw.name, problem)
            value = self._value(row, name, codec, row.get(name))
            if value is not MISSING:
                values[field] = value
        try:
            return self.raw.raw_type.__pydantic_validator__.validate_python(values, by_alias=False, by_name=True)
        except ValidationError as invalid:
            raise self.raw.undecodable(row, self.raw.name, problems(invalid)) from None

    def _value(self, row: Mapping[str, WireValue], name: str, codec: AnyCodec | FieldCodec, wire: Any) -> Any:
        try:
            return codec.decode(wire)
        except RecursionError:
            problem = too_deep().reason
        except Refused as refused:
            problem = refused.reason
        raise self.raw.undecodable(row, self.raw.name, f"{name} {problem}")

    def _scan(self, **options: Unpack[ScanOptions]) -> Read[Any, Any]:
        placeholders = Placeholders()
        body: dict[str, Any] = {"TableName": self.table} | segment(options["worker_id"])
        if options["consistent_read"]:
            body["ConsistentRead"] = True
        condition = options["filter_expression"]
        if condition is not None:
            text = check_condition(condition).encode(Context((), placeholders))
            placeholders.check_size("the filter")
            body["FilterExpression"] = check_operators("the FilterExpression", text)
        offset = options["initial_offset"]
        return Read(
            "Scan",
            self.table,
            body | placeholders.parameters(),
            check_page_size(options["page_size"]),
            None if offset is None else self._start(offset),
            self._take,
            every_row=condition is None,
        )

    def _start(self, offset: Offset[Any]) -> Mapping[str, WireValue]:
        raw = check_offset(offset).raw
        if raw is None:
            raise EncodingError(f"{offset!r}: a scan of raw rows goes on from an offset that the service gave")
        return raw

    def _take(self, answer: Mapping[str, Any]) -> Page[Any, Any]:
        last = answer.get("LastEvaluatedKey")
        rows = [self.decode(row) for row in answer["Items"]]
        return Page(rows, None if last is None else Offset.served(None, last))

    def _key(self, item: BaseModel) -> Row:
        return self._declared(item, self.raw.keys)

    def _declared(self, item: BaseModel, names: Iterable[str]) -> Row:
        """Attributes that the raw item declares; those that are keys are as DynamoDB takes them."""
        if not isinstance(item, self.raw.raw_type):
            raise TypeError(f"{type(item).__name__} is not {self.raw.name}, the raw item of the table")
        row: Row = {}
        for name in names:
            try:
                wire = self.raw.attributes[name].encode(getattr(item, self.raw.fields[name]))
                if wire is not None:
                    self._check_key(name, wire)
                    row[name] = wire
            except Refused as refused:
                raise self._refused(name, refused) from None
        return row

    def _check_key(self, name: str, wire: WireValue) -> None:
        tag = self.raw.tags.get(name)
        if tag is None:
            return
        sorts = (self.raw.keys.sort, *(index.keys.sort for index in self.raw.indexes.values()))
        limit = MAX_SORT_KEY_BYTES if name in sorts else MAX_PARTITION_KEY_BYTES
        check_key_size(ScalarKey(name, tag, self.raw.fields[name], self.raw.attributes[name].codec), wire, limit)

    def _name_of(self, attribute: str) -> str:
        return f"{self.raw.name}.{self.raw.fields.get(attribute, attribute)}"

    def _refused(self, attribute: str, refused: Refused) -> EncodingError:
        return EncodingError(f"{self._name_of(attribute)}{refused.path}: {refused.reason}")

    def _write(self, operation: str, row: Row, parameters: dict[str, Any]) -> Flow[dict[str, Any]]:
        try:
            answer: dict[str, Any] = yield Request(operation, self.table, {"TableName": self.table, **parameters})
        except Unanswered as unanswered:
            raise self._ambiguous(operation, row) from unanswered.error
        except ServiceFailure as failure:
            if failure.ambiguous:
                raise self._ambiguous(operation, row) from failure.error
            raise
        return answer

    def _ambiguous(self, operation: str, row: Row) -> AmbiguousWrite:
        text = f"{operation} of {self.raw.name}({self.raw.key_text(row)}): {UNANSWERED}"
        return AmbiguousWrite(text, operation=operation, key=self.raw.key_of(row))
