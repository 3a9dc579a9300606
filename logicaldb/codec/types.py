"""From a type annotation to its codec: the one place that looks at types, once for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from functools import partial
from inspect import signature
from typing import Any, Literal, NewType, TypeVar, get_args, get_origin

import pydantic
from pydantic import BaseModel, Discriminator, RootModel, Secret, SecretBytes, SecretStr
from pydantic.fields import FieldInfo

from logicaldb.codec.choices import enum_codec, literal_codec
from logicaldb.codec.custom import SecretCodec
from logicaldb.codec.fields import Default, FieldCodec
from logicaldb.codec.generic import UNTYPED, JsonCodec
from logicaldb.codec.inspection import (
    NONE_TYPE,
    alias_value,
    bound_of,
    fields_of,
    has_fields,
    is_alias,
    is_typed_dict,
    is_union,
    metadata_of,
    required_keys,
    type_name,
    unwrap,
)
from logicaldb.codec.mappings import mapping_codec
from logicaldb.codec.scalars import SCALARS
from logicaldb.codec.scope import Scope, scope_of
from logicaldb.codec.sequences import sequence_codec
from logicaldb.codec.serialization import (
    adapter_of,
    is_serialized,
    serialized_field,
    serialized_model,
    serialized_type,
)
from logicaldb.codec.structures import (
    DataclassCodec,
    ModelCodec,
    NamedTupleCodec,
    RootModelCodec,
    StructureCodec,
    TypedDictCodec,
)
from logicaldb.codec.unions import union_codec
from logicaldb.codec.values import Unsupported, ValueCodec, WireValue

_BY_TYPE: dict[Any, ValueCodec] = {kind: codec for codec in SCALARS for kind in codec.types}
_SCALARS: dict[Any, ValueCodec] = {
    **_BY_TYPE,
    None: _BY_TYPE[NONE_TYPE],
    **dict.fromkeys((pydantic.PastDate, pydantic.FutureDate), _BY_TYPE[date]),
    **dict.fromkeys((pydantic.AwareDatetime, pydantic.PastDatetime, pydantic.FutureDatetime), _BY_TYPE[datetime]),
}


def codec_for(annotation: Any, metadata: Sequence[Any] = (), *, owner: type | None = None) -> ValueCodec:
    """The codec of a type.

    Args:
        annotation: the type, its forward references resolved.
        metadata: what ``Annotated`` adds to it.
        owner: the class whose configuration and names apply.

    Raises:
        Unsupported: if values of the type have no exact stored form.
    """
    return CodecBuilder().codec(annotation, metadata, scope_of(owner))


def field_codec(name: str, info: FieldInfo, owner: type) -> FieldCodec:
    """The codec of a field of a model, with its rule of absence.

    Raises:
        Unsupported: if values of its type have no exact stored form.
    """
    return CodecBuilder().field(name, info, owner, scope_of(owner))


class DeferredCodec(ValueCodec):
    """Stands for the codec of a type inside of that type itself."""

    depth = None

    def __init__(self, forms: frozenset[str] = frozenset(), types: tuple[type, ...] = ()) -> None:
        self.forms = forms
        self.types = types
        self.used = False
        self._codec: ValueCodec = UNTYPED

    def resolve(self, codec: ValueCodec) -> None:
        """Take the codec that this one stands for."""
        self._codec = codec

    def accepts(self, value: Any) -> bool:
        """As the codec that it stands for."""
        return self._codec.accepts(value)

    def encode(self, value: Any) -> WireValue:
        """As the codec that it stands for."""
        return self._codec.encode(value)

    def decode(self, wire: WireValue) -> Any:
        """As the codec that it stands for."""
        return self._codec.decode(wire)


class CodecBuilder:
    """Builds codecs, each type that may refer to itself once."""

    def __init__(self) -> None:
        self._built: dict[Any, ValueCodec] = {}

    def field(self, name: str, info: FieldInfo, owner: Any, scope: Scope, default: Default | None = None) -> FieldCodec:
        """The codec of a field, with its rule of absence.

        Args:
            name: its name.
            info: what pydantic knows about it.
            owner: its class.
            scope: what its surroundings say.
            default: what its absence means, where that is not what its own default says.

        Raises:
            Unsupported: if values of its type have no exact stored form.
        """
        if isinstance(info.default, tuple):
            scope = replace(scope, sequence=tuple)
        serialized = serialized_field(name, info, owner, scope, self.codec)
        codec = serialized or self.codec(info.annotation, metadata_of(info), scope)
        set_kind = next((kind for kind in (set, frozenset) if kind in codec.types), None)
        return FieldCodec(
            name,
            codec,
            nullable=NONE_TYPE in codec.types or object in codec.types,
            default=_default_of(info) if default is None else default,
            set_kind=set_kind,
        )

    def codec(  # noqa: PLR0911 - a return for each kind of type
        self, annotation: Any, metadata: Sequence[Any], scope: Scope
    ) -> ValueCodec:
        """The codec of a type with its metadata.

        Raises:
            Unsupported: if values of the type have no exact stored form.
        """
        annotation, metadata = unwrap(annotation, metadata)
        if annotation is pydantic.JsonValue:
            return JsonCodec()
        if is_serialized(annotation, metadata, scope):
            return serialized_type(annotation, metadata, scope, self.codec)
        if is_alias(annotation):
            return self._alias(annotation, metadata, scope)
        if isinstance(annotation, NewType):
            return self.codec(annotation.__supertype__, metadata, scope)
        if isinstance(annotation, TypeVar):
            return self.codec(bound_of(annotation), metadata, scope)
        if annotation is Any or annotation is object:
            return UNTYPED
        if get_origin(annotation) is Literal:
            return literal_codec(type_name(annotation), get_args(annotation))
        if is_union(annotation):
            return union_codec(get_args(annotation), metadata, scope, self.codec)
        return (
            sequence_codec(annotation, scope, self.codec)
            or mapping_codec(annotation, scope, self.codec)
            or self._class(annotation, metadata, scope)
        )

    def _alias(self, annotation: Any, metadata: Sequence[Any], scope: Scope) -> ValueCodec:
        value = alias_value(annotation, scope.namespace)
        if any(isinstance(item, Discriminator) for item in metadata):
            return self.codec(value, metadata, scope)
        return self._recursive(annotation, lambda: self.codec(value, metadata, scope))

    def _recursive(self, key: Any, build: Callable[[], ValueCodec]) -> ValueCodec:
        """Build a type that may refer to itself.

        Inside of itself it is a deferred codec. What that may write is known after a first pass; a second one, if it was
        used at all, checks unions and sets with that knowledge.
        """
        known = self._built.get(key)
        if known is not None:
            if isinstance(known, DeferredCodec):
                known.used = True
            return known
        before = dict(self._built)
        deferred = self._built[key] = DeferredCodec()
        codec = build()
        if deferred.used:
            self._built = before
            deferred = self._built[key] = DeferredCodec(codec.forms, codec.types)
            codec = build()
            deferred.resolve(codec)
        self._built[key] = codec
        return codec

    def _class(self, annotation: Any, metadata: Sequence[Any], scope: Scope) -> ValueCodec:
        if annotation in _SCALARS:
            return _SCALARS[annotation]
        if annotation is pydantic.NaiveDatetime:
            raise Unsupported("a datetime without a time zone cannot be stored: declare AwareDatetime")
        kind = get_origin(annotation) or annotation
        if isinstance(kind, type):
            if issubclass(kind, BaseModel):
                return self._model(kind, scope)
            if issubclass(kind, (SecretStr, SecretBytes, Secret)):
                return SecretCodec(kind, self.codec(_secret_type(annotation), (), scope))
            if not hasattr(kind, "__get_pydantic_core_schema__"):
                if issubclass(kind, Enum):
                    return enum_codec(kind, by_value=scope.enum_values)
                if has_fields(kind):
                    return self._structure(annotation, kind, scope_of(kind, scope))
        return serialized_type(annotation, metadata, scope, self.codec)

    def _model(self, model: type[BaseModel], scope: Scope) -> ValueCodec:
        if not model.__pydantic_complete__ and not model.model_rebuild(raise_errors=False):
            raise Unsupported(f"{model.__name__} has annotations that cannot be resolved")
        serialized = serialized_model(model, scope, self.codec)
        if serialized is not None:
            return serialized
        validate = partial(model.__pydantic_validator__.validate_python, by_name=True, by_alias=False)
        if issubclass(model, RootModel):
            root = model.__pydantic_fields__["root"]
            return self._recursive(
                model,
                # A root model always has its root: its absence would be that of the model.
                lambda: RootModelCodec(
                    model, validate, self.field("root", root, model, scope_of(model), Default.OTHER)
                ),
            )
        if model in self._built:
            return self._built[model]
        codec = ModelCodec(model, validate)
        return self._complete(model, codec, scope_of(model), extras=model.model_config.get("extra") == "allow")

    def _structure(self, annotation: Any, kind: Any, scope: Scope) -> ValueCodec:
        if annotation in self._built:
            return self._built[annotation]
        if is_typed_dict(kind):
            extras = getattr(kind, "__pydantic_config__", {}).get("extra") == "allow"
            optional = fields_of(annotation, scope.namespace).keys() - required_keys(kind, scope.namespace)
            return self._complete(annotation, TypedDictCodec(kind), scope, extras=extras, optional=optional)
        if issubclass(kind, tuple):
            return self._complete(annotation, NamedTupleCodec(kind), scope)
        serialized = serialized_model(kind, scope, self.codec)
        return serialized or self._complete(annotation, _dataclass_codec(annotation, kind, scope), scope)

    def _complete(
        self,
        annotation: Any,
        codec: StructureCodec,
        scope: Scope,
        *,
        extras: bool = False,
        optional: frozenset[str] | set[str] = frozenset(),
    ) -> ValueCodec:
        self._built[annotation] = codec
        kind = get_origin(annotation) or annotation
        fields: list[FieldCodec] = []
        for name, info in fields_of(annotation, scope.namespace).items():
            # Of a key that a typed dict need not have, nothing but that it has none is stored by absence.
            default = Default.OTHER if name in optional else None
            try:
                fields.append(self.field(name, info, kind, scope, default))
            except Unsupported as unsupported:
                raise Unsupported(f"{kind.__name__}.{name}: {unsupported.reason}") from None
        codec.complete(fields, extras=extras)
        return codec


def _default_of(info: FieldInfo) -> Default:
    if info.is_required():
        return Default.REQUIRED
    if info.default_factory is not None:
        return Default.EMPTY_SET if info.default_factory in (set, frozenset) else Default.OTHER
    if info.default is None:
        return Default.NONE
    return Default.EMPTY_SET if isinstance(info.default, (set, frozenset)) and not info.default else Default.OTHER


def _secret_type(annotation: Any) -> Any:
    """What a secret holds: a class may say it as an argument or in its bases."""
    kind = get_origin(annotation) or annotation
    if issubclass(kind, SecretStr):
        return str
    if issubclass(kind, SecretBytes):
        return bytes
    bases = getattr(annotation, "__orig_bases__", ())
    return next((argument for each in (annotation, *bases) for argument in get_args(each)), Any)


def _dataclass_codec(annotation: Any, kind: Any, scope: Scope) -> DataclassCodec:
    fields = dataclasses.fields(kind)
    infos = getattr(kind, "__pydantic_fields__", None)
    if infos is None:
        kept = {declared.name for declared in fields}
        parameters = signature(kind).parameters.values()
        lost = [each.name for each in parameters if each.default is each.empty and each.name not in kept]
    else:
        lost = [name for name, info in infos.items() if info.init_var and info.is_required()]
    if lost:
        raise Unsupported(f"{kind.__name__} cannot be made again without {lost[0]!r}, which it does not keep")
    if getattr(kind, "__pydantic_config__", {}).get("extra") == "allow":
        raise Unsupported(f"{kind.__name__} is a dataclass that allows extra fields: make it a model")
    annotations = fields_of(annotation, scope.namespace)
    later = {
        declared.name: _validator(annotations[declared.name].annotation, metadata_of(annotations[declared.name]), scope)
        for declared in fields
        if not declared.init
    }
    return DataclassCodec(kind, _validator(annotation, (), scope), later)


def _validator(annotation: Any, metadata: Sequence[Any], scope: Scope) -> Callable[[Any], Any]:
    return partial(adapter_of(annotation, metadata, scope).validate_python, by_name=True, by_alias=False)
