"""Looking at type annotations: what is inside of ``Annotated``, aliases and unions, and the fields of classes."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin

import typing_extensions
from pydantic import Discriminator, GetPydanticSchema, Json, PlainSerializer, WrapSerializer
from pydantic.fields import FieldInfo
from pydantic.types import EncodedBytes, EncodedStr

from logicaldb.codec.values import Unsupported

SetKind = type[set[Any]] | type[frozenset[Any]]

SET_KINDS: Mapping[Any, SetKind] = {
    set: set,
    frozenset: frozenset,
    AbstractSet: frozenset,
    typing.MutableSet: set,
}
"""The types of sets, and what pydantic makes of their values."""

_ALIAS_TYPES = (typing_extensions.TypeAliasType, getattr(typing, "TypeAliasType", typing_extensions.TypeAliasType))
_QUALIFIERS = (typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.ReadOnly)
_ENCODERS = (EncodedBytes, EncodedStr, GetPydanticSchema, Json)


def type_name(annotation: Any) -> str:
    """The name of a type for messages, without the names of modules."""
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__name__
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0])
    if is_union(annotation):
        return " | ".join(map(type_name, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is not None:
        return f"{type_name(origin)}[{', '.join(map(type_name, arguments))}]"
    return "..." if annotation is Ellipsis else getattr(annotation, "__name__", str(annotation))


def is_alias(annotation: Any) -> bool:
    """Whether it is a type alias (``type X = ...``), with arguments or without."""
    return isinstance(annotation, _ALIAS_TYPES) or isinstance(get_origin(annotation), _ALIAS_TYPES)


def alias_value(annotation: Any, namespace: Mapping[str, Any]) -> Any:
    """What an alias stands for, its forward references resolved.

    Raises:
        Unsupported: if one of them cannot be.
    """
    alias = get_origin(annotation) or annotation
    module = sys.modules.get(alias.__module__)
    # The one public way to resolve references inside of a type is to ask for the hints of something that has it as one.
    holder = SimpleNamespace(__annotations__={"value": alias.__value__})
    try:
        hints = typing_extensions.get_type_hints(
            holder, globalns=vars(module) if module else {}, localns=dict(namespace), include_extras=True
        )
    except NameError as error:
        raise Unsupported(f"{alias.__name__} cannot be resolved: the name {error.name!r} is missing") from None
    return substitute(hints["value"], dict(zip(alias.__type_params__, get_args(annotation), strict=False)))


def substitute(annotation: Any, arguments: Mapping[Any, Any]) -> Any:
    """The annotation with arguments in the place of type variables."""
    if isinstance(annotation, TypeVar):
        return arguments.get(annotation, annotation)
    parameters = () if isinstance(annotation, type) else getattr(annotation, "__parameters__", ())
    return annotation[tuple(arguments.get(each, each) for each in parameters)] if parameters else annotation


def bound_of(variable: TypeVar) -> Any:
    """What a type variable without an argument stands for, as pydantic sees it."""
    default = getattr(variable, "__default__", typing_extensions.NoDefault)
    if default is not typing_extensions.NoDefault:
        return default
    if variable.__constraints__:
        return Union[variable.__constraints__]  # noqa: UP007 - the members are known at run time only
    return Any if variable.__bound__ is None else variable.__bound__


def is_union(annotation: Any) -> bool:
    """Whether it is a union, in either spelling."""
    return get_origin(annotation) in (Union, UnionType)


def unwrap(annotation: Any, metadata: Sequence[Any] = ()) -> tuple[Any, tuple[Any, ...]]:
    """The type inside of ``Annotated``, and all metadata, the innermost first, that of ``Field(...)`` spelt out."""
    collected = tuple(metadata)
    while get_origin(annotation) is Annotated:
        collected = (*annotation.__metadata__, *collected)
        annotation = annotation.__origin__
    return annotation, tuple(_spelt_out(collected))


def _spelt_out(metadata: Sequence[Any]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from metadata_of(item)
        else:
            yield item


def metadata_of(info: FieldInfo) -> tuple[Any, ...]:
    """The metadata of a field; pydantic takes the discriminator out of it, here it is put in again."""
    discriminator = info.discriminator
    if discriminator is None:
        return tuple(info.metadata)
    return (*info.metadata, Discriminator(discriminator) if isinstance(discriminator, str) else discriminator)


def serializer_of(metadata: Sequence[Any]) -> PlainSerializer | WrapSerializer | None:
    """The serializer that pydantic uses in Python mode."""
    serializers = [item for item in metadata if isinstance(item, (PlainSerializer, WrapSerializer))]
    return next((item for item in reversed(serializers) if not item.when_used.startswith("json")), None)


def is_custom(metadata: Sequence[Any]) -> bool:
    """Whether the metadata changes how values are stored, and not only how they are validated."""
    return serializer_of(metadata) is not None or any(map(_changes_storage, metadata))


def _changes_storage(item: Any) -> bool:
    kind = item if isinstance(item, type) else type(item)
    if issubclass(kind, _ENCODERS):
        return True
    return hasattr(kind, "__get_pydantic_core_schema__") and not kind.__module__.startswith("pydantic.")


def admits(annotation: Any, metadata: Sequence[Any], namespace: Mapping[str, Any]) -> frozenset[Any]:
    """Which of ``NoneType``, ``set`` and ``frozenset`` the values of a type may be."""
    found: set[Any] = set()
    aliases: list[Any] = []
    pending: list[tuple[Any, tuple[Any, ...]]] = [(annotation, tuple(metadata))]
    while pending:
        inner, extra = unwrap(*pending.pop())
        if is_alias(inner):
            if inner not in aliases:
                aliases.append(inner)
                pending.append((alias_value(inner, namespace), extra))
        elif isinstance(inner, NewType):
            pending.append((inner.__supertype__, extra))
        elif isinstance(inner, TypeVar):
            pending.append((bound_of(inner), extra))
        elif is_union(inner):
            pending.extend((member, extra) for member in get_args(inner))
        elif inner in (None, type(None), Any, object) or (get_origin(inner) is Literal and None in get_args(inner)):
            found.add(type(None))
        elif not is_custom(extra):
            kind = SET_KINDS.get(get_origin(inner) or inner)
            found.update(() if kind is None else (kind,))
    return frozenset(found)


def namespace_of(owner: type | None) -> dict[str, Any]:
    """The names that were visible where a model was defined in the body of a function."""
    names = getattr(owner, "__pydantic_parent_namespace__", None) or {}
    return {name: value() if type(value).__name__ == "_PydanticWeakRef" else value for name, value in names.items()}


def fields_of(annotation: Any, namespace: Mapping[str, Any]) -> dict[str, FieldInfo]:
    """The fields of a model, dataclass, typed dict or named tuple, with the arguments of a generic one.

    Raises:
        Unsupported: if one of its annotations cannot be resolved.
    """
    kind = get_origin(annotation) or annotation
    known: dict[str, FieldInfo] | None = getattr(kind, "__pydantic_fields__", None)
    if known is None:
        known = dict(_fields_of_plain_class(kind, namespace))
    arguments = dict(zip(getattr(kind, "__parameters__", ()), get_args(annotation), strict=False))
    if arguments:
        known = {name: _with_arguments(info, arguments) for name, info in known.items()}
    return known


def _with_arguments(info: FieldInfo, arguments: Mapping[Any, Any]) -> FieldInfo:
    copied = FieldInfo.merge_field_infos(info, annotation=substitute(info.annotation, arguments))
    return copied


def _fields_of_plain_class(kind: Any, namespace: Mapping[str, Any]) -> Iterator[tuple[str, FieldInfo]]:
    try:
        hints = typing_extensions.get_type_hints(kind, localns=dict(namespace), include_extras=True)
    except NameError as error:
        raise Unsupported(f"an annotation of {kind.__name__} cannot be resolved: the name {error.name!r} is missing") from None
    if dataclasses.is_dataclass(kind):
        for declared in dataclasses.fields(kind):
            yield declared.name, FieldInfo.from_annotated_attribute(hints[declared.name], declared)
    elif typing_extensions.is_typeddict(kind):
        for name, hint in hints.items():
            yield name, FieldInfo.from_annotation(without_qualifiers(hint))
    else:
        for name in kind._fields:
            hint, defaults = hints.get(name, Any), kind._field_defaults
            yield name, (
                FieldInfo.from_annotated_attribute(hint, defaults[name])
                if name in defaults
                else FieldInfo.from_annotation(hint)
            )


def without_qualifiers(hint: Any) -> Any:
    """A hint of a typed dict without ``Required``, ``NotRequired`` and ``ReadOnly``."""
    while get_origin(hint) in _QUALIFIERS:
        (hint,) = get_args(hint)
    return hint


def required_keys(kind: Any, namespace: Mapping[str, Any]) -> frozenset[str]:
    """The keys that every value of a typed dict has; ``Required`` in postponed annotations is seen too."""
    hints = typing_extensions.get_type_hints(kind, localns=dict(namespace), include_extras=True)
    required = set(kind.__required_keys__)
    for name, hint in hints.items():
        while get_origin(hint) in _QUALIFIERS:
            if get_origin(hint) is typing_extensions.NotRequired:
                required.discard(name)
            elif get_origin(hint) is typing_extensions.Required:
                required.add(name)
            (hint,) = get_args(hint)
    return frozenset(required)
