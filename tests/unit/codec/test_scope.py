"""What classes say about the annotations in them."""

from __future__ import annotations

import dataclasses

import pydantic
from pydantic import BaseModel, ConfigDict

from logicaldb.codec.scope import Scope, scope_of


class Configured(BaseModel):
    model_config = ConfigDict(strict=True, use_enum_values=True, arbitrary_types_allowed=True)


class Plain(BaseModel):
    pass


@dataclasses.dataclass
class Data:
    pass


@pydantic.dataclasses.dataclass(config=ConfigDict(strict=True))
class StrictData:
    pass


def test_nothing_is_said() -> None:
    assert scope_of(None) == Scope({}) == scope_of(Plain) == scope_of(Data)


def test_a_configuration() -> None:
    assert scope_of(Configured) == Scope({}, strict=True, enum_values=True, arbitrary=True)
    assert scope_of(StrictData) == Scope({}, strict=True)


def test_a_class_without_a_configuration_takes_that_around_it() -> None:
    outer = Scope({"a": 1}, strict=True, enum_values=True, arbitrary=True, exact=True, sequence=tuple)
    assert scope_of(Data, outer) == Scope({"a": 1}, strict=True, enum_values=True, arbitrary=True)
    assert scope_of(Plain, outer) == Scope({"a": 1}, strict=True, enum_values=True, arbitrary=True)
    assert scope_of(StrictData, outer) == Scope({"a": 1}, strict=True)


def test_inside_and_exactly() -> None:
    scope = Scope(strict=True, sequence=tuple)
    assert scope.exactly() == Scope(strict=True, sequence=tuple, exact=True)
    assert scope.exactly().inside() == Scope(strict=True)


def test_names_of_a_function_body_are_kept() -> None:
    class Local(BaseModel):
        pass

    number = 5

    class Owner(BaseModel):
        local: Local | None = None

    namespace = scope_of(Owner).namespace
    assert namespace["Local"] is Local
    assert namespace["number"] == number
