"""What is inside of a field: the fields of models, the elements of lists and tuples, the values of dicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, JsonValue, RootModel
from pydantic.fields import FieldInfo
from pydantic_core import SchemaValidator, core_schema

from logicaldb.codec.fields import FieldCodec
from logicaldb.codec.generic import AnyCodec, JsonCodec
from logicaldb.codec.inspection import fields_of, metadata_of
from logicaldb.codec.mappings import DictCodec
from logicaldb.codec.scope import Scope, scope_of
from logicaldb.codec.sequences import ListCodec, SetCodec, TupleCodec
from logicaldb.codec.serialization import adapter_of
from logicaldb.codec.structures import RootModelCodec, StructureCodec
from logicaldb.codec.types import CodecBuilder
from logicaldb.codec.unions import OptionalCodec
from logicaldb.codec.values import Refused, ValueCodec, WireValue, with_article
from logicaldb.paths import Step
from logicaldb.schema.types import underlying, without_none


class NothingInside(Exception):
    """A step leads nowhere; the reason is to be read after the name of the place: ``has no field 'town'``."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A value inside of a row, by its type: one spot stands for all elements of a list.

    Attributes:
        type: the type of the value, without ``None``.
        codec: its stored form, ``None`` aside.
        store: makes the stored form of a value, ``None`` where it is stored by absence; raises ``Refused``.
        validate: makes a valid value of what is given, or raises ``ValidationError``.
        nullable: whether it may be ``None``.
        removable: whether what is around it is valid without it.
        scope: what its surroundings say about its type.
    """

    type: Any
    codec: ValueCodec
    store: Callable[[Any], WireValue | None]
    validate: Callable[[Any], Any]
    nullable: bool
    removable: bool
    scope: Scope
    _inner: dict[Any, Spot] = field(default_factory=dict)

    def inside(self, step: Any) -> tuple[tuple[Step, ...], Spot]:
        """Where a step leads: what it adds to the document path, and the spot.

        Raises:
            NothingInside: it leads nowhere.
        """
        match self.codec:
            case AnyCodec():
                return (_any_step(step),), self._known(Any, self._same)
            case StructureCodec() if isinstance(step, str):
                return (step,), self._known(step, lambda: self._field(step))
            case RootModelCodec() if step == "root":
                return (), self._known(step, self._root)
            case DictCodec():
                return (_map_key(self.codec, step),), self._known(Any, lambda: self._of_type(_value_type(self.type)))
            case ListCodec():
                return (_position(step),), self._known(Any, self.element)
            case TupleCodec():
                return (_position(step),), self._known(step, lambda: self._place(step))
            case _:
                raise NothingInside(f"has nothing inside that {step!r} could name")

    def element(self) -> Spot:
        """An element of a list or a set, wherever it is.

        Raises:
            NothingInside: it is neither.
        """
        arguments = get_args(self.type)
        match self.codec:
            case AnyCodec():
                return self._known(Any, self._same)
            case ListCodec() | SetCodec():
                return self._of_type(arguments[0] if arguments else Any)
            case TupleCodec():
                return self._of_type(Union[arguments])  # noqa: UP007 - the members are known at run time only
            case RootModelCodec():
                return self._known("root", self._root).element()
            case _:
                raise NothingInside("has no elements")

    def _known(self, key: Any, make: Callable[[], Spot]) -> Spot:
        """What was made before: as many as there are fields and places, and one for all elements or values."""
        spot = self._inner.get(key)
        if spot is None:
            spot = self._inner[key] = make()
        return spot

    def _same(self) -> Spot:
        """Inside of a value of any type is a value of any type."""
        validate = adapter_of(JsonValue if isinstance(self.codec, JsonCodec) else Any, (), self.scope).validate_python
        return Spot(self.type, self.codec, self.codec.encode, validate, True, True, self.scope)

    def _field(self, name: str) -> Spot:
        assert isinstance(self.codec, StructureCodec)
        codec = next((codec for codec in self.codec.fields if codec.name == name), None)
        kind = get_origin(self.type) or self.type
        if codec is None:
            raise NothingInside(f"is {with_article(kind.__name__)}, which has no field {name!r}")
        info = fields_of(self.type, self.scope.namespace)[name]
        return field_spot(kind, codec, info, scope_of(kind, self.scope))

    def _root(self) -> Spot:
        info, scope = self.type.__pydantic_fields__["root"], scope_of(self.type)
        return field_spot(self.type, CodecBuilder().field("root", info, self.type, scope), info, scope)

    def _place(self, step: int) -> Spot:
        arguments = get_args(self.type)
        if step >= len(arguments):
            raise NothingInside(f"is a tuple of {len(arguments)} elements, without {step}")
        return self._of_type(arguments[step], removable=False)

    def _of_type(self, annotation: Any, *, removable: bool = True) -> Spot:
        scope = self.scope.inside()
        codec = CodecBuilder().codec(annotation, (), scope)
        bare, nullable = without_none(annotation, scope.namespace)
        validate = adapter_of(annotation, (), scope).validate_python
        return Spot(underlying(bare), _values(codec), codec.encode, validate, nullable, removable, scope)


def field_spot(owner: Any, codec: FieldCodec, info: FieldInfo, scope: Scope) -> Spot:
    """The spot of a field of an item, a model or another class with fields."""
    bare = without_none(info.annotation, scope.namespace)[0]
    validate = _field_validator(owner, codec.name)
    if validate is None:
        validate = adapter_of(info.annotation, metadata_of(info), scope).validate_python
    removable = codec.nullable or not codec.required
    return Spot(underlying(bare), _values(codec.codec), codec.encode, validate, codec.nullable, removable, scope)


def _values(codec: ValueCodec) -> ValueCodec:
    return codec.inner if isinstance(codec, OptionalCodec) else codec


def _field_validator(owner: Any, name: str) -> Callable[[Any], Any] | None:
    """The validator of one field as its model has it: its configuration, and its ``@field_validator`` functions.

    ``None`` where the class is no model with fields.
    """
    if not (isinstance(owner, type) and issubclass(owner, BaseModel)) or issubclass(owner, RootModel):
        return None
    # The cast spares pyright the comparison with each of pydantic-core's schema types, which takes it minutes.
    schema = cast("Any", owner.__pydantic_core_schema__)
    definitions: list[Any] = []
    config: Any = None
    while schema["type"] != "model-fields":
        definitions = schema.get("definitions", definitions)
        config = schema.get("config", config)
        if schema["type"] == "definition-ref":
            wanted = schema["schema_ref"]
            schema = next(known for known in definitions if known["ref"] == wanted)
        else:
            schema = schema["schema"]
    inner = schema["fields"][name]["schema"]
    whole = core_schema.definitions_schema(inner, definitions) if definitions else inner
    return SchemaValidator(whole, config).validate_python


def _any_step(step: Any) -> Step:
    if isinstance(step, str) and step:
        return step
    return _position(step)


def _position(step: Any) -> int:
    if not isinstance(step, int) or isinstance(step, bool) or step < 0:
        raise NothingInside(f"has elements by their number, from 0 on, and not by {step!r}")
    return step


def _map_key(codec: DictCodec, step: Any) -> str:
    try:
        return codec.keys.encode(step)
    except Refused as refused:
        raise NothingInside(f"has no key {step!r}, since it {refused.reason}") from None


def _value_type(annotation: Any) -> Any:
    """The type of the values of a dict; of a ``Counter``, which names its keys alone, ``int``."""
    arguments = get_args(annotation)
    if len(arguments) == 1:
        return int
    return arguments[1] if arguments else Any
