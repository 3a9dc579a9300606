from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, create_model

from logicaldb import Attribute, Counter, PartitionKey, SortKey, TableName, Version


def test_defaults() -> None:
    assert Attribute() == Attribute(None, names=(), prefix="", width=None)
    assert Attribute("x").name == "x"
    assert PartitionKey() == PartitionKey(index=None, projection=None)
    assert SortKey() == SortKey(index=None, projection=None)
    assert Counter() == Counter(initial=0, minimum=None, maximum=None)
    assert TableName("x").name == "x"


def test_after_the_name_there_are_names_alone() -> None:
    make: Any = Attribute
    with pytest.raises(TypeError):
        make("x", ("y",))


def test_annotations_are_values() -> None:
    assert {Version(), Version()} == {Version()}
    assert Attribute("x", prefix="a") != Attribute("x")
    with pytest.raises(AttributeError):
        setattr(Attribute("x"), "name", "y")  # noqa: B010 - the checkers know better


def field_schema(annotation: Any, counter: Counter) -> Any:
    make: Any = create_model
    model: type[BaseModel] = make("Model", x=(Annotated[annotation, counter], ...))
    return model.model_json_schema()["properties"]["x"]


def test_bounds_are_known_to_pydantic() -> None:
    assert field_schema(int, Counter(minimum=0, maximum=5)) == {
        "title": "X",
        "type": "integer",
        "minimum": 0,
        "maximum": 5,
    }
    assert field_schema(Decimal, Counter(minimum=Decimal("0.5")))["anyOf"][0] == {"type": "number", "minimum": 0.5}


def test_bounds_that_do_not_fit_are_left_to_the_declaration() -> None:
    assert field_schema(int, Counter(minimum=Decimal("0.5"))) == {"title": "X", "type": "integer"}
    assert field_schema(str, Counter(minimum=0)) == {"title": "X", "type": "string"}
