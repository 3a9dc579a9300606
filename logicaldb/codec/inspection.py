"""Looking at type annotations: what is inside of ``Annotated``, aliases and unions, and the fields of classes."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from types import SimpleNamespace, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import typing_extensions
from pydantic import Discriminator
from pydantic.fields import FieldInfo

from logicaldb.codec.values import Unsupported

NONE_TYPE = type(None)

_ALIAS_TYPES = (typing_extensions.TypeAliasType, getattr(typing, "TypeAliasType", typing_extensions.TypeAliasType))
_QUALIFIERS = (typing_extensions.Required, typing_extensions.NotRequired, typing_extensions.ReadOnly)


def type_name(annotation: Any) -> str:
    """The name of a type for messages, without the names of modules."""
    if annotation is None or annotation is NONE_TYPE:
        return "None"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_name(arguments[0])
    if is_union(annotation):
        return " | ".join(map(type_name, arguments))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is not None:
        return f"{type_name(origin)}[{', '.join(map(type_name, arguments))}]"
    name: str = getattr(annotation, "__name__", str(annotation))
    return "..." if annotation is Ellipsis else name


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
    value = _hints(holder, alias.__name__, vars(module) if module else {}, namespace)["value"]
    return substitute(value, dict(zip(alias.__type_params__, get_args(annotation), strict=False)))


def _hints(holder: Any, name: str, names: dict[str, Any] | None, namespace: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return typing_extensions.get_type_hints(holder, globalns=names, localns=dict(namespace), include_extras=True)
    except NameError as error:
        raise Unsupported(f"{name} has an annotation that cannot be resolved: there is no {error.name}") from None


def return_type_of(function: Any, namespace: Mapping[str, Any]) -> Any:
    """What a function says that it returns, ``None`` if it does not say, or in names that are not known."""
    if isinstance(function, type):
        return function
    try:
        holder = SimpleNamespace(__annotations__={"return": function.__annotations__["return"]})
        return _hints(holder, "", function.__globals__, namespace)["return"]
    except (AttributeError, KeyError, NameError, Unsupported):
        return None


def substitute(annotation: Any, arguments: Mapping[Any, Any]) -> Any:
    """The annotation with arguments in the place of type variables."""
    if isinstance(annotation, TypeVar):
        return arguments.get(annotation, annotation)
    parameters = getattr(annotation, "__parameters__", ())
    if get_origin(annotation) is None or not parameters:
        return annotation
    return annotation[tuple(arguments.get(each, each) for each in parameters)]


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


def is_typed_dict(kind: Any) -> bool:
    """Whether it is the class of a typed dict."""
    return typing_extensions.is_typeddict(kind)


def has_fields(kind: Any) -> bool:
    """Whether it is a class of values with named fields."""
    return (
        hasattr(kind, "__pydantic_fields__")
        or dataclasses.is_dataclass(kind)
        or is_typed_dict(kind)
        or (isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )


def fields_of(annotation: Any, namespace: Mapping[str, Any]) -> dict[str, FieldInfo]:
    """The fields of a model, dataclass, typed dict or named tuple, with the arguments of a generic one.

    Raises:
        Unsupported: if one of its annotations cannot be resolved.
    """
    kind = get_origin(annotation) or annotation
    known: Mapping[str, FieldInfo] | None = getattr(kind, "__pydantic_fields__", None)
    fields = dict(_fields_of_plain_class(kind, namespace) if known is None else known)
    arguments = dict(zip(getattr(kind, "__parameters__", ()), get_args(annotation), strict=False))
    return {name: _with_arguments(info, arguments) for name, info in fields.items()} if arguments else fields


def _with_arguments(info: FieldInfo, arguments: Mapping[Any, Any]) -> FieldInfo:
    copied = copy(info)
    copied.annotation = substitute(info.annotation, arguments)
    return copied


def _fields_of_plain_class(kind: Any, namespace: Mapping[str, Any]) -> Iterator[tuple[str, FieldInfo]]:
    hints = _hints(kind, kind.__name__, None, namespace)
    if dataclasses.is_dataclass(kind):
        for declared in dataclasses.fields(kind):
            yield declared.name, FieldInfo.from_annotated_attribute(hints[declared.name], declared)
    elif is_typed_dict(kind):
        for name, hint in hints.items():
            yield name, FieldInfo.from_annotation(_without_qualifiers(hint))
    else:
        defaults = kind._field_defaults
        for name in kind._fields:
            hint = hints.get(name, Any)
            yield (
                name,
                (
                    FieldInfo.from_annotated_attribute(hint, defaults[name])
                    if name in defaults
                    else FieldInfo.from_annotation(hint)
                ),
            )


def _without_qualifiers(hint: Any) -> Any:
    while get_origin(hint) in _QUALIFIERS:
        (hint,) = get_args(hint)
    return hint


def required_keys(kind: Any, namespace: Mapping[str, Any]) -> frozenset[str]:
    """The keys that every value of a typed dict has; ``NotRequired`` in postponed annotations is seen too."""
    required = set(kind.__required_keys__)
    for name, hint in _hints(kind, kind.__name__, None, namespace).items():
        inner = hint
        while get_origin(inner) in _QUALIFIERS:
            if get_origin(inner) is typing_extensions.NotRequired:
                required.discard(name)
            elif get_origin(inner) is typing_extensions.Required:
                required.add(name)
            (inner,) = get_args(inner)
    return frozenset(required)
