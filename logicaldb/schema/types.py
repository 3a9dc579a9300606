"""The types of fields, as declarations compare and show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NewType, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from logicaldb.annotations import (
    Attribute,
    Counter,
    CreatedAt,
    PartitionKey,
    SortKey,
    TableName,
    TimeToLive,
    UpdatedAt,
    Version,
)
from logicaldb.codec.inspection import NONE_TYPE, alias_value, is_alias, is_union, type_name
from logicaldb.errors import DeclarationError

OURS = (Attribute, PartitionKey, SortKey, Version, Counter, CreatedAt, UpdatedAt, TimeToLive, TableName)
"""The annotations that say how a field is stored."""


def without_none(annotation: Any, namespace: Mapping[str, Any]) -> tuple[Any, bool]:
    """The type without ``Annotated``, ``None`` and aliases, and whether it had ``None``.

    Args:
        annotation: the type.
        namespace: the names around the class, for forward references in aliases.
    """
    if get_origin(annotation) is Annotated:
        return without_none(get_args(annotation)[0], namespace)
    if is_alias(annotation):
        return without_none(alias_value(annotation, namespace), namespace)
    if not is_union(annotation):
        return annotation, annotation in (None, NONE_TYPE)
    parts = [part for part in get_args(annotation) if part is not NONE_TYPE]
    had_none = len(parts) < len(get_args(annotation))
    if len(parts) > 1:
        return Union[tuple(parts)], had_none  # noqa: UP007 - the members are known at run time only
    inner, inner_had_none = without_none(parts[0], namespace)
    return inner, had_none or inner_had_none


def underlying(annotation: Any) -> Any:
    """The type that values have when the program runs: what a ``NewType`` is made of."""
    while isinstance(annotation, NewType):
        annotation = annotation.__supertype__
    return annotation


def type_text(annotation: Any) -> str:
    """A type as a declaration writes it, without the names of modules and functions around it."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        return annotation.__qualname__.rpartition("<locals>.")[2]
    return type_name(annotation)


def check_markers(where: str, info: FieldInfo) -> None:
    """Refuse annotations of ours where they would silently mean nothing.

    That is inside ``... | None`` or a list, as a default, or as a class that was not called.

    Raises:
        DeclarationError: there is one.
    """
    written = type_text(info.annotation)
    if isinstance(info.default, OURS):
        name = type(info.default).__name__
        raise DeclarationError(
            f"{where}: has {name}(...) for its default; annotate the type: Annotated[{written}, {name}(...)]"
        )
    for marker in info.metadata:
        if marker in OURS:
            name = marker.__name__
            raise DeclarationError(
                f"{where}: is annotated with the class {name}; call it: Annotated[{written}, {name}(...)]"
            )
    _refuse_nested(where, info.annotation)


def _refuse_nested(where: str, annotation: Any) -> None:
    if get_origin(annotation) is Annotated:
        for marker in annotation.__metadata__:
            if isinstance(marker, OURS) or marker in OURS:
                name = getattr(marker, "__name__", type(marker).__name__)
                raise DeclarationError(
                    f"{where}: {name} stands inside the type; put it outermost: Annotated[... | None, {name}(...)]"
                )
    for part in get_args(annotation):
        _refuse_nested(where, part)
