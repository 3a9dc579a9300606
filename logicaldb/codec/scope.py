"""What the surroundings of a type annotation say about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from logicaldb.codec.values import ValueCodec


@dataclass(frozen=True, slots=True)
class Scope:
    """What a class, and the place inside of a type, say about an annotation.

    Attributes:
        namespace: names beyond those of its module that its forward references may use.
        strict: whether the model is strict, so that pydantic takes nothing but the very type.
        enum_values: whether the model holds the values of enum members (``use_enum_values``).
        arbitrary: whether the model allows arbitrary types.
        exact: whether the stored form must tell the type: in unions, sets and keys.
        sequence: what a ``Sequence`` reads back as, a list or (as the default of its field) a tuple.
    """

    namespace: Mapping[str, Any] = field(default_factory=dict)
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


Build: TypeAlias = Callable[[Any, Sequence[Any], Scope], ValueCodec]
"""Makes the codec of a type with its metadata; raises ``Unsupported``."""


def scope_of(owner: Any, outer: Scope | None = None) -> Scope:
    """What a class says about the annotations in it; one without a configuration takes that of its surroundings."""
    config = getattr(owner, "model_config", None) or getattr(owner, "__pydantic_config__", None)
    namespace = {**(outer.namespace if outer else {}), **_names_around(owner)}
    if config is None and outer is not None:
        return replace(outer.inside(), namespace=namespace)
    config = config or {}
    return Scope(
        namespace,
        strict=bool(config.get("strict")),
        enum_values=bool(config.get("use_enum_values")),
        arbitrary=bool(config.get("arbitrary_types_allowed")),
    )


def _names_around(owner: Any) -> dict[str, Any]:
    """The names that were visible where a model was defined in the body of a function; pydantic keeps them weakly."""
    names: Mapping[str, Any] = getattr(owner, "__pydantic_parent_namespace__", None) or {}
    return {name: value() if type(value).__name__ == "_PydanticWeakRef" else value for name, value in names.items()}
