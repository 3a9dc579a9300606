"""Codecs for types whose values pydantic serializes: own serializers, and pydantic's types without a form of ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    GetPydanticSchema,
    Json,
    PlainSerializer,
    PydanticInvalidForJsonSchema,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    RootModel,
    Strict,
    TypeAdapter,
    WrapSerializer,
)
from pydantic.fields import FieldInfo
from pydantic.types import EncodedBytes, EncodedStr
from pydantic_core import PydanticUndefined

from logicaldb.codec.custom import CustomCodec, forms_of_schema
from logicaldb.codec.inspection import NONE_TYPE, has_fields, is_union, metadata_of, return_type_of, type_name, unwrap
from logicaldb.codec.scope import Build, Scope
from logicaldb.codec.values import ALL_FORMS, Unsupported, ValueCodec, mismatch, with_article

_HOW = "annotate it with a PlainSerializer and a BeforeValidator"
_ENCODERS: tuple[Any, ...] = (EncodedBytes, EncodedStr, GetPydanticSchema, Json)
# Core schemas that say nothing about a value but its class, or that it can be called.
_OPAQUE = frozenset(("is-instance", "is-subclass", "callable", "generator"))
_WRAPPERS = frozenset(("definitions", "function-before", "function-after", "function-wrap", "nullable", "default"))


def is_serialized(annotation: Any, metadata: Sequence[Any], scope: Scope) -> bool:
    """Whether metadata changes how values are stored, and not only how they are validated.

    Raises:
        Unsupported: if pydantic does not know the type.
    """
    if _serializer_of(metadata) is not None or any(_is_encoder(item) for item in metadata):
        return True
    if not any(_has_users_hook(_kind_of(item)) for item in metadata):
        return False
    return "serialization" in _innermost(adapter_of(annotation, metadata, scope).core_schema)


def _serializer_of(metadata: Sequence[Any]) -> PlainSerializer | WrapSerializer | None:
    """The serializer that pydantic uses in Python mode."""
    serializers = [item for item in metadata if isinstance(item, (PlainSerializer, WrapSerializer))]
    return next((item for item in reversed(serializers) if not item.when_used.startswith("json")), None)


def _is_encoder(item: Any) -> bool:
    return issubclass(_kind_of(item), _ENCODERS)


def _kind_of(item: Any) -> type:
    """The class of an item of metadata, which may be a class itself."""
    return item if isinstance(item, type) else type(item)


def _has_users_hook(kind: Any) -> bool:
    return hasattr(kind, "__get_pydantic_core_schema__") and not kind.__module__.startswith("pydantic.")


def serialized_type(annotation: Any, metadata: Sequence[Any], scope: Scope, build: Build) -> CustomCodec:
    """The codec of a type with a serializer in its metadata, or of one that only pydantic knows.

    Raises:
        Unsupported: if pydantic does not know it, or cannot serialize it.
    """
    adapter = adapter_of(annotation, metadata, scope)
    serializer = _serializer_of(metadata)
    kind = get_origin(annotation) or annotation
    encoded = serializer is not None or any(_is_encoder(item) for item in (kind, *metadata))
    by_user = encoded or _has_users_hook(kind)
    innermost = _innermost(adapter.core_schema)
    if innermost["type"] in _OPAQUE and "serialization" not in innermost:
        raise Unsupported(f"{type_name(annotation)} is a type that pydantic cannot serialize: {_HOW}")
    return CustomCodec(
        lambda value, mode: adapter.dump_python(value, mode=mode, by_alias=False, round_trip=True, warnings="error"),
        partial(adapter.validate_python, by_name=True, by_alias=False),
        kinds=(kind,) if _is_class_of_values(kind) and not is_union(annotation) else (),
        nullable=is_union(annotation) and NONE_TYPE in get_args(annotation),
        inner=None if serializer is None else _declared(serializer.func, serializer.return_type, scope, build),
        forms=_forms(adapter) if scope.exact and not encoded else ALL_FORMS,
        eager=_is_eager((kind, *metadata), scope, by_user=by_user),
        by_user=by_user,
    )


def _is_class_of_values(kind: Any) -> bool:
    """Whether values are instances of it: those of pydantic's ``EmailStr``, for one, are not."""
    return isinstance(kind, type) and not kind.__module__.startswith("pydantic")


def serialized_field(name: str, info: FieldInfo, owner: Any, scope: Scope, build: Build) -> CustomCodec | None:
    """The codec of a field with a ``field_serializer`` of its class, or ``None`` if it has none.

    Raises:
        Unsupported: if the class has a ``model_serializer`` too.
    """
    found = next(
        (
            decorator
            for decorator in _decorators(owner, "field_serializers")
            if name in decorator.info.fields or "*" in decorator.info.fields
        ),
        None,
    )
    if found is None or info.exclude:  # pydantic serializes no field that is excluded
        return None
    if _decorators(owner, "model_serializers"):
        raise Unsupported("a field_serializer cannot be told apart from the model_serializer of its class: drop one")
    serializer = owner.__pydantic_serializer__

    def dump(value: Any, mode: Literal["python", "json"]) -> Any:
        # The serializer may be a method: it gets an instance on which this field is all that there is.
        instance = owner.__new__(owner)
        if isinstance(instance, BaseModel):
            object.__setattr__(instance, "__dict__", {name: value})
            object.__setattr__(instance, "__pydantic_fields_set__", {name})
            object.__setattr__(instance, "__pydantic_extra__", None)
            object.__setattr__(instance, "__pydantic_private__", None)
        else:
            for declared in dataclasses.fields(owner):
                object.__setattr__(instance, declared.name, value if declared.name == name else None)
        return serializer.to_python(
            instance, mode=mode, include={name}, by_alias=False, round_trip=True, warnings="error"
        ).get(name, value)

    annotation, metadata = unwrap(info.annotation, metadata_of(info))
    adapter = adapter_of(annotation, metadata, scope)
    return CustomCodec(
        dump,
        partial(adapter.validate_python, by_name=True, by_alias=False),
        nullable=is_union(annotation) and NONE_TYPE in get_args(annotation),
        inner=_declared(found.func, found.info.return_type, scope, build),
        eager=_is_eager(metadata, scope, by_user=True),
    )


def serialized_model(model: Any, scope: Scope, build: Build) -> CustomCodec | None:
    """The codec of a model or dataclass with a serializer of its own, or ``None`` if it has none."""
    found = next(iter(_decorators(model, "model_serializers")), None)
    if found is None and not _has_own_schema(model):
        return None
    serializer = model.__pydantic_serializer__

    def dump(value: Any, mode: Literal["python", "json"]) -> Any:
        if type(value) is not model:
            raise mismatch(value, with_article(model.__name__))
        return serializer.to_python(value, mode=mode, by_alias=False, round_trip=True, warnings="error")

    return CustomCodec(
        dump,
        partial(model.__pydantic_validator__.validate_python, by_name=True, by_alias=False),
        kinds=(model,),
        inner=None if found is None else _declared(found.func, found.info.return_type, scope, build),
        eager=scope.strict or scope.exact,
    )


def _decorators(owner: Any, kind: str) -> list[Any]:
    decorators = getattr(owner, "__pydantic_decorators__", None)
    found = {} if decorators is None else getattr(decorators, kind)
    return [each for each in found.values() if not each.info.when_used.startswith("json")]


def _has_own_schema(model: Any) -> bool:
    """Whether a model overrides how pydantic sees it."""
    hook = getattr(model, "__get_pydantic_core_schema__", None)
    standard = [base.__get_pydantic_core_schema__ for base in (BaseModel, RootModel)]
    return hook is not None and all(_function(hook) is not _function(each) for each in standard)


def _function(method: Any) -> Any:
    return getattr(method, "__func__", method)


def adapter_of(annotation: Any, metadata: Sequence[Any], scope: Scope) -> TypeAdapter[Any]:
    """What pydantic makes of a type.

    Strictness is left out: what is stored is seldom of the very type, so that values are read back laxly.

    Raises:
        Unsupported: if pydantic does not know the type.
    """
    annotated = annotation
    for item in metadata:
        if not isinstance(item, Strict):
            annotated = Annotated[annotated, item]
    config = ConfigDict(arbitrary_types_allowed=True) if scope.arbitrary and not has_fields(annotation) else None
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(cast("Any", annotated), config=config)
        if not adapter.pydantic_complete:
            adapter.rebuild(_types_namespace=dict(scope.namespace))
    except (PydanticUserError, PydanticUndefinedAnnotation):
        raise Unsupported(f"{type_name(annotation)} is a type that pydantic does not know: {_HOW}") from None
    return adapter


def _innermost(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The core schema that tells how values are serialized."""
    while schema["type"] in _WRAPPERS and "serialization" not in schema:
        schema = schema["schema"]
    return schema


def _forms(adapter: TypeAdapter[Any]) -> frozenset[str]:
    try:
        return forms_of_schema(adapter.json_schema(mode="serialization", by_alias=False))
    except PydanticInvalidForJsonSchema:
        return ALL_FORMS


def _is_eager(metadata: Sequence[Any], scope: Scope, *, by_user: bool) -> bool:
    # Pydantic's Json and encoded bytes read text, and would not take a value that was read already.
    if any(_is_encoder(item) for item in metadata):
        return False
    strict = scope.strict or any(isinstance(item, Strict) and item.strict for item in metadata)
    return strict or scope.exact or not by_user


def _declared(function: Any, declared: Any, scope: Scope, build: Build) -> ValueCodec | None:
    """The codec of what a serializer says that it returns, if it says so and if that tells the stored form."""
    returned = return_type_of(function, scope.namespace) if declared is PydanticUndefined else declared
    if returned is None or _mentions_any(returned):
        return None
    try:
        return build(returned, (), scope.inside())
    except Unsupported:
        return None


def _mentions_any(annotation: Any) -> bool:
    if annotation in (Any, object, list, dict, tuple, set, frozenset):
        return True
    return any(_mentions_any(argument) for argument in get_args(annotation))
