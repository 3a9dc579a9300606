"""Models that are made of values which their validators would take as they are."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import BaseModel

from logicaldb.schema.declarations import PLAIN

M = TypeVar("M", bound=BaseModel)

_PLAIN: Final[Mapping[str, type]] = {"str": str, "int": int, "bytes": bytes, "date": date, "uuid": UUID}
"""The classes whose instances pydantic takes as they are, by its name of a schema that asks for nothing else."""

_set: Final = object.__setattr__


def plain_types(model: type[BaseModel], base: type[BaseModel]) -> Mapping[str, type | None]:
    """The fields of a model, each with the class whose instances are taken as they are, ``None`` where there is none.

    Args:
        model: the model.
        base: the class that it derives from, which makes and configures it.
    """
    known: Mapping[str, type | None] | None = vars(model).get(PLAIN)
    if known is None:
        schema: Any = model.__pydantic_core_schema__
        plain = (
            schema["type"] == "model"
            and schema["schema"]["type"] == "model-fields"
            and "post_init" not in schema
            and model.model_config == base.model_config
            and model.__init__ is base.__init__
            and not model.__private_attributes__
        )
        fields: Any = schema["schema"]["fields"] if plain else {}
        known = {name: _plain_type(fields[name]["schema"]) if plain else None for name in model.model_fields}
        setattr(model, PLAIN, known)
    return known


def _plain_type(schema: Any) -> type | None:
    while schema["type"] in ("default", "nullable"):
        schema = schema["schema"]
    return _PLAIN.get(schema["type"]) if schema.keys() <= {"type", "metadata"} else None


def made_of(model: type[M], values: dict[str, Any]) -> M:
    """An instance that holds these values, one for each field; no validator sees them."""
    made = model.__new__(model)
    _set(made, "__dict__", values)
    _set(made, "__pydantic_fields_set__", set(values))
    _set(made, "__pydantic_extra__", None)
    _set(made, "__pydantic_private__", None)
    return made
