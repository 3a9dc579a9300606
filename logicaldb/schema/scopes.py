"""Names: what annotations can mean where a class statement stands, and what is still open in them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar, NewType, TypeVar, get_origin

from pydantic import BaseModel
from pydantic.errors import PydanticUndefinedAnnotation
from typing_extensions import get_annotations, get_type_hints

from logicaldb.codec.inspection import is_alias
from logicaldb.errors import DeclarationError

_HOOKS = frozenset(("__new__", "__init_subclass__"))


def class_scope() -> dict[str, Any]:
    """The local names where the class statement stands that is being carried out.

    None at the top of a module, whose names are found anyway. To be called in ``__new__`` of a metaclass, or in
    ``__init_subclass__``.
    """
    frame = sys._getframe(1)
    while frame.f_code.co_name in _HOOKS or frame.f_code.co_name.startswith("<generic parameters of"):
        assert frame.f_back is not None  # a hook is called by a class statement
        frame = frame.f_back
    return {} if frame.f_code.co_name == "<module>" else dict(frame.f_locals)


def types_in(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the names that stand for types.

    They are kept with a class that was made in a function; keeping all of them would keep the function's data alive.
    """
    return {name: value for name, value in scope.items() if _is_type(value)}


def _is_type(value: Any) -> bool:
    return isinstance(value, (type, ModuleType, TypeVar, NewType)) or is_alias(value) or get_origin(value) is not None


def names_for(cls: type, scope: Mapping[str, Any]) -> dict[str, Any]:
    """What the annotations of a class may name: its module, what is around it, and the class itself."""
    module = sys.modules.get(cls.__module__)
    return {**({} if module is None else vars(module)), **scope, cls.__name__: cls}


def annotations_of(cls: type, scope: Mapping[str, Any]) -> dict[str, Any]:
    """The annotations of a class statement, class variables aside, resolved as pydantic resolves those of its models.

    Raises:
        DeclarationError: a name in them is not defined.
    """
    try:
        own = get_annotations(cls)
        # References inside of a type are resolved too, as those in ``InlineView["Track.Key", "Track"]``.
        holder = type(cls.__name__, (), {"__annotations__": own})
        hints = get_type_hints(holder, names_for(cls, scope), dict(vars(cls)), include_extras=True)
    except NameError as undefined:
        raise _undefined(cls.__name__, undefined.name) from None
    return {name: hint for name, hint in hints.items() if not _is_class_variable(hint)}


def _is_class_variable(hint: Any) -> bool:
    origin: Any = get_origin(hint) or hint
    return origin is ClassVar


def complete(model: type[BaseModel], name: str, names: Mapping[str, Any]) -> None:
    """Resolve the annotations of a model that were left open when the class was made.

    Args:
        model: the class.
        name: its name in the message.
        names: what the annotations may name.

    Raises:
        DeclarationError: a name is not defined.
    """
    if not model.__pydantic_complete__:
        try:
            model.model_rebuild(_types_namespace=names)
        except PydanticUndefinedAnnotation as undefined:
            raise _undefined(name, undefined.name) from None


def _undefined(class_name: str, name: str | None) -> DeclarationError:
    return DeclarationError(
        f"{class_name}: an annotation names {name!r}, which is not defined; "
        "define or import it before the table or database that needs it"
    )
