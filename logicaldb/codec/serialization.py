"""Codecs for types whose values pydantic serializes: own serializers, and pydantic's types without a form of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, RootModel, Strict, TypeAdapter
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticUndefinedAnnotation
from pydantic.fields import FieldInfo
from pydantic.types import Json
from pydantic_core import PydanticUndefined

from logicaldb.codec.custom import CustomCodec, forms_of_schema
from logicaldb.codec.inspection import is_custom, metadata_of, serializer_of, type_name
from logicaldb.codec.values import ALL_FORMS, Unsupported, ValueCodec, mismatch, with_article

Build = Callable[[Any], ValueCodec]
"""Makes the codec of a type; raises ``Unsupported``."""

# Core schemas that say nothing about a value but its class, or that it can be called.
_OPAQUE = frozenset(("is-instance", "is-subclass", "callable", "generator"))
_WRAPPERS = frozenset(("definitions", "function-before", "function-after", "function-wrap"))


@dataclass(frozen=True, slots=True)
class Scope:
    """What the surroundings of an annotation say about it.

    Attributes:
        namespace: names that its forward references may use.
        strict: whether the model is strict, so that pydantic takes nothing but the very type.
        enum_values: whether the model holds the values of enum members (``use_enum_values``).
        arbitrary: whether the model allows arbitrary types.
        exact: whether the stored form must tell the type: in unions, sets and keys.
        sequence: what a ``Sequence`` reads back as, a list or (as the default of its field) a tuple.
    """

    namespace: Mapping[str, Any]
    strict: bool = False
    enum_values: bool = False
    arbitrary: bool = False
    exact: bool = False
    sequence: type = list

    def inside(self) -> Scope:
        """The scope of what a container holds."""
        return replace(self, exact=False, sequence=list)

    def exactly(self) -> Scope:
        """The scope where the stored form must tell the type."""
        return replace(self, exact=True)


def serialized_type(annotation: Any, metadata: Sequence[Any], scope: Scope, build: Build) -> CustomCodec:
    """The codec of a type with a serializer in its metadata, or one that only pydantic knows.

    Raises:
        Unsupported: if pydantic does not know it, or cannot serialize it.
    """
    adapter = adapter_of(annotation, metadata, scope)
    own = is_custom(metadata) or _is_users(annotation)
    if not own and _opaque(adapter.core_schema):
        raise Unsupported(
            f"pydantic cannot serialize {type_name(annotation)}: annotate it with a PlainSerializer and a BeforeValidator"
        )
    serializer = serializer_of(metadata)
    return CustomCodec(
        lambda value, mode: adapter.dump_python(value, mode=mode, by_alias=False, round_trip=True, warnings="error"),
        partial(adapter.validate_python, by_name=True, by_alias=False),
        types=(annotation,) if isinstance(annotation, type) and not annotation.__module__.startswith("pydantic.") else (),
        inner=None if serializer is None else _declared(serializer.func, serializer.return_type, scope, build),
        forms=_forms(adapter) if scope.exact and not is_custom(metadata) else ALL_FORMS,
        eager=_eager(metadata, scope, own),
    )


def serialized_field(name: str, info: FieldInfo, owner: Any, scope: Scope, build: Build) -> CustomCodec | None:
    """The codec of a field with a ``field_serializer`` of its class, or ``None`` if it has none."""
    decorators = owner.__pydantic_decorators__.field_serializers if hasattr(owner, "__pydantic_decorators__") else {}
    found = next(
        (
            decorator
            for decorator in decorators.values()
            if (name in decorator.info.fields or "*" in decorator.info.fields)
            and not decorator.info.when_used.startswith("json")
        ),
        None,
    )
    if found is None:
        return None
    serializer = owner.__pydantic_serializer__

    def dump(value: Any, mode: str) -> Any:
        # The serializer is a method: it gets an instance that has this field and no other.
        instance = owner.__new__(owner)
        object.__setattr__(instance, "__dict__", {name: value})
        if isinstance(instance, BaseModel):
            object.__setattr__(instance, "__pydantic_fields_set__", {name})
            object.__setattr__(instance, "__pydantic_extra__", None)
            object.__setattr__(instance, "__pydantic_private__", None)
        return serializer.to_python(
            instance, mode=mode, include={name}, by_alias=False, round_trip=True, warnings="error"
        )[name]

    metadata = metadata_of(info)
    adapter = adapter_of(info.annotation, metadata, scope)
    return CustomCodec(
        dump,
        partial(adapter.validate_python, by_name=True, by_alias=False),
        inner=_declared(found.func, found.info.return_type, scope, build),
        eager=_eager(metadata, scope, own=True),
    )


def serialized_model(model: Any, scope: Scope, build: Build) -> CustomCodec | None:
    """The codec of a model or dataclass with a ``model_serializer``, or ``None`` if it has none."""
    found = next(
        (
            decorator
            for decorator in model.__pydantic_decorators__.model_serializers.values()
            if not decorator.info.when_used.startswith("json")
        ),
        None,
    )
    if found is None and not _has_own_schema(model):
        return None
    serializer = model.__pydantic_serializer__

    def dump(value: Any, mode: str) -> Any:
        if type(value) is not model:
            raise mismatch(value, with_article(model.__name__))
        return serializer.to_python(value, mode=mode, by_alias=False, round_trip=True, warnings="error")

    return CustomCodec(
        dump,
        partial(model.__pydantic_validator__.validate_python, by_name=True, by_alias=False),
        types=(model,),
        inner=None if found is None else _declared(found.func, found.info.return_type, scope, build),
        eager=scope.strict or scope.exact,
    )


def _has_own_schema(model: Any) -> bool:
    """Whether a model's class overrides how pydantic sees it."""
    if not issubclass(model, BaseModel):
        return False
    standard = (BaseModel, RootModel)
    hook = model.__get_pydantic_core_schema__.__func__
    return all(hook is not base.__get_pydantic_core_schema__.__func__ for base in standard)


def _is_users(annotation: Any) -> bool:
    kind = get_origin(annotation) or annotation
    module = getattr(kind, "__module__", "")
    return hasattr(kind, "__get_pydantic_core_schema__") and not module.startswith("pydantic.")


def adapter_of(annotation: Any, metadata: Sequence[Any], scope: Scope) -> TypeAdapter[Any]:
    # Strictness is left out: what is stored is seldom of the very type, so values are read back laxly.
    kept = [item for item in metadata if not isinstance(item, Strict)]
    annotated = Annotated.__class_getitem__((annotation, *kept)) if kept else annotation
    try:
        if scope.arbitrary:
            try:
                return TypeAdapter(annotated, config=ConfigDict(arbitrary_types_allowed=True))
            except PydanticUserError as error:
                if error.code != "type-adapter-config-unused":
                    raise
        adapter = TypeAdapter(annotated)
        if not adapter.pydantic_complete:
            adapter.rebuild(_types_namespace=dict(scope.namespace))
        return adapter
    except (PydanticUserError, PydanticUndefinedAnnotation):
        raise Unsupported(
            f"{type_name(annotation)} is not a type that pydantic knows: annotate it with a PlainSerializer and a "
            "BeforeValidator"
        ) from None


def _opaque(schema: Mapping[str, Any]) -> bool:
    while schema["type"] in _WRAPPERS and "serialization" not in schema:
        schema = schema["schema"]
    return schema["type"] in _OPAQUE and "serialization" not in schema


def _forms(adapter: TypeAdapter[Any]) -> frozenset[str]:
    try:
        return forms_of_schema(adapter.json_schema(mode="serialization", by_alias=False))
    except PydanticInvalidForJsonSchema:
        return ALL_FORMS


def _eager(metadata: Sequence[Any], scope: Scope, own: bool) -> bool:
    # Pydantic's Json reads text and would refuse a value that was read already.
    if any(item is Json or isinstance(item, Json) for item in metadata):
        return False
    strict = scope.strict or any(isinstance(item, Strict) and item.strict for item in metadata)
    return strict or scope.exact or not own


def _declared(function: Any, declared: Any, scope: Scope, build: Build) -> ValueCodec | None:
    """The codec of what a serializer says that it returns, if it says so and if that tells the stored form."""
    if declared is PydanticUndefined:
        if isinstance(function, type):
            declared = function
        else:
            try:
                declared = get_type_hints(function, localns=dict(scope.namespace), include_extras=True)["return"]
            except (KeyError, NameError, TypeError):
                return None
    if _mentions_any(declared):
        return None
    try:
        return build(declared)
    except Unsupported:
        return None


def _mentions_any(annotation: Any) -> bool:
    if annotation in (Any, object, list, dict, tuple, set, frozenset):
        return True
    return any(map(_mentions_any, get_args(annotation)))
