"""An item type as it lies in its table: which attribute holds which fields, and the codec of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, Final, Literal, TypeAlias, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ValidationError

from logicaldb.annotations import Counter, Version
from logicaldb.codec.keys import FieldRefused, KeyAttribute
from logicaldb.codec.values import WireValue
from logicaldb.errors import EncodingError
from logicaldb.schema.declarations import ItemDeclaration, declare_item
from logicaldb.schema.mapping import constants_of, map_fields
from logicaldb.schema.raw import RawDeclaration, declare_raw, problems
from logicaldb.schema.reading import Constant, ItemReader, item_reader
from logicaldb.schema.stored import Stored, StoredKey, check_form
from logicaldb.schema.texts import RowText, RowWriter, compile_row, row_text

Row: TypeAlias = dict[str, WireValue]
"""A row in wire form: ``{"track_title": {"S": "Speak to Me"}}``."""

SCHEMA: Final = "__logicaldb_schema__"


class ItemSchema:
    """An item type in the table of one raw item.

    Attributes:
        declaration: what the type says by itself.
        raw: the raw item.
        stored: what each attribute holds, in the order of declaration.
        constants: the constants of the primary key with their values.
        primary: the partition key and, where there is one, the sort key of the table.
        version: the field that is the version.
        counters: the fields that are counters.
        places: where the paths to its fields lead, as far as they were asked for.
    """

    def __init__(self, declaration: ItemDeclaration, raw: RawDeclaration) -> None:
        self.declaration = declaration
        self.raw = raw
        self.item_type = declaration.item_type
        self.name = declaration.name
        self.stored: Mapping[str, Stored] = map_fields(declaration, raw)
        self.constants: Mapping[str, Any] = constants_of(declaration, raw)
        self.primary: tuple[KeyAttribute, ...] = tuple(map(self._primary, raw.keys))
        self.version = next(declaration.with_role(Version), None)
        self.counters = tuple(declaration.with_role(Counter))
        self.places: dict[str, Any] = {}
        self._read = [(name, stored, self._not_read(name, stored)) for name, stored in self.stored.items()]
        self._read = [read for read in self._read if len(read[2]) < len(read[1].fields)]

    def __reduce__(self) -> tuple[Any, ...]:
        """As the classes that it is made of, for another process."""
        return (_schema_of, (self.item_type, self.raw.raw_type))

    def _primary(self, name: str) -> KeyAttribute:
        key = self.key_attribute(name)
        assert key is not None, name  # the mapping has refused a type without it
        return key

    def _not_read(self, name: str, stored: Stored) -> tuple[str, ...]:
        """A field that is written to several attributes is read from the first of them, and from no other."""
        fields = self.declaration.fields
        return tuple(field for field in stored.fields if fields[field].attributes[0] != name)

    @property
    def attributes(self) -> tuple[str, ...]:
        """The attributes of the row, in the order of declaration."""
        return tuple(self.stored)

    def key_attribute(self, name: str) -> KeyAttribute | None:
        """A key attribute of the table or of an index; ``None`` where the type has none of that name."""
        stored = self.stored.get(name)
        return stored.key if isinstance(stored, StoredKey) else None

    def encode(self, item: BaseModel) -> Row:
        """The whole row of an item.

        Raises:
            TypeError: it is of another type.
            EncodingError: a value of it cannot be stored as declared.
        """
        return {name: wire for name, wire in self.encode_all(item).items() if wire is not None}

    def encode_all(self, item: BaseModel) -> dict[str, WireValue | None]:
        """Every attribute of the type, ``None`` for those that are absent from the row of the item."""
        if type(item) is not self.item_type:
            raise TypeError(f"{type(item).__name__} is not {self.name}, the type that is written here")
        if item.__pydantic_extra__:
            extra = next(iter(item.__pydantic_extra__))
            raise EncodingError(f"{self.name}.{extra}: is not declared, so it would not be stored; declare the field")
        values = item.__dict__
        try:
            return {name: stored.encode(values) for name, stored in self.stored.items()}
        except FieldRefused as refused:
            raise self.refused(refused) from None

    @cached_property
    def writer(self) -> RowWriter:
        """What writes rows fast; it is compiled when it is first needed."""
        return compile_row(self.name, self.stored, tuple(self.raw.keys))

    def text(self, item: BaseModel) -> RowText:
        """The row of an item as it is sent, with its primary key.

        Raises:
            the same as ``encode``.
        """
        if type(item) is self.item_type and not item.__pydantic_extra__:
            try:
                written = self.writer(item.__dict__)
                if not written[2].isascii():
                    written[2].encode()  # lone surrogates are no text
            except Exception:  # noqa: BLE001, S110 - whatever it is, the codecs meet it again, or write the row
                pass
            else:
                return written
        return row_text(self.encode_all(item), tuple(self.raw.keys))

    def refused(self, refused: FieldRefused) -> EncodingError:
        """The error of a value that cannot be stored."""
        return EncodingError(f"{self.name}.{refused.field}{refused.path}: {refused.reason}")

    @cached_property
    def reader(self) -> ItemReader:
        """What reads rows fast; it is compiled when it is first needed."""
        return item_reader(self.item_type, self._read, self.primary)

    def decode(self, row: Mapping[str, WireValue]) -> Any:
        """The item of a row; attributes that the type does not know are left aside.

        Raises:
            DecodingError: the row is not valid for the type, or its primary key is not written as the type writes it.
        """
        read = self.reader.row
        if read is not None:
            try:
                return read(row)
            except Exception:  # noqa: BLE001, S110 - whatever it is, the slow road meets it again, or reads the row
                pass
        return self.decode_slowly(row)

    def decode_slowly(self, row: Mapping[str, WireValue]) -> Any:
        """The same, by the codecs alone; they say what is wrong with a row."""
        values: dict[str, Any] = {}
        try:
            for name, stored, elsewhere in self._read:
                found = stored.decode(row.get(name))
                for field in elsewhere:
                    found.pop(field, None)
                values.update(found)
            item = self.item_type.__pydantic_validator__.validate_python(values, by_alias=False, by_name=True)
            for key in self.primary:
                check_form(key, item.__dict__, row)
        except FieldRefused as refused:
            raise self.raw.undecodable(row, self.name, f"{refused.field} {refused.reason}") from None
        except ValidationError as invalid:
            raise self.raw.undecodable(row, self.name, problems(invalid)) from None
        return item


@cache
def _schema_of(item_type: type[BaseModel], raw_type: type[BaseModel]) -> ItemSchema:
    """The schema that a table has made, in this process or, where it has not come so far, for another."""
    known: ItemSchema | None = vars(item_type).get(SCHEMA)
    return ItemSchema(declare_item(item_type), declare_raw(raw_type)) if known is None else known


def hold_constants(item: ItemSchema, names: Mapping[str, Any]) -> None:
    """Make an item type refuse any other value of its constants when an item is made.

    A ``Literal`` of that one value refuses by itself.

    Args:
        item: the item type in its table.
        names: what the annotations of its methods may name.
    """
    held = False
    for name, value in item.constants.items():
        info = item.item_type.model_fields[name]
        if get_origin(info.annotation) is not Literal or get_args(info.annotation) != (value,):
            info.metadata.append(AfterValidator(Constant(value)))
            held = True
    if held:
        item.item_type.model_rebuild(force=True, _types_namespace=names)
