"""What the tests of the codecs share: fields of models made on the fly, written and read as an item's are."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, create_model
from typing_extensions import TypeAliasType

from logicaldb.codec.fields import MISSING, FieldCodec
from logicaldb.codec.types import codec_for, field_codec
from logicaldb.codec.values import Refused, Unsupported, WireValue

alias: Any = TypeAliasType
"""Makes type aliases where checkers want none."""


def unchecked(thing: Any) -> Any:
    """The thing itself, of no type: for what checkers would not let pass."""
    return thing


def model_of(annotation: Any, default: Any = ..., **config: Any) -> type[BaseModel]:
    """A model with one field, ``value``."""
    make: Any = create_model
    model: type[BaseModel] = make("Owner", __config__=config, value=(annotation, default))
    return model


def codec_of(annotation: Any, default: Any = ..., **config: Any) -> FieldCodec:
    """The codec of that field."""
    owner = model_of(annotation, default, **config)
    return field_codec("value", owner.model_fields["value"], owner)


def write(annotation: Any, value: Any, default: Any = ..., **config: Any) -> WireValue | None:
    """The wire form of a value in that field."""
    return codec_of(annotation, default, **config).encode(value)


def read(annotation: Any, wire: WireValue | None, default: Any = ..., **config: Any) -> Any:
    """The value of a wire form, validated as a whole item is."""
    owner: Any = model_of(annotation, default, **config)
    decoded = field_codec("value", owner.model_fields["value"], owner).decode(wire)
    values = {} if decoded is MISSING else {"value": decoded}
    return owner.__pydantic_validator__.validate_python(values, by_name=True, by_alias=False).value


def there_and_back(annotation: Any, value: Any, default: Any = ..., **config: Any) -> WireValue | None:
    """The wire form of a value, after a look that it reads back as the same value of the same types."""
    owner: Any = model_of(annotation, default, **config)
    valid = owner(value=value).value
    wire = write(annotation, valid, default, **config)
    assert_same(read(annotation, wire, default, **config), valid)
    return wire


def refusal(annotation: Any, value: Any, default: Any = ..., **config: Any) -> str:
    """Where in the field, and why, a value is refused."""
    codec = codec_of(annotation, default, **config)
    with pytest.raises(Refused) as caught:
        codec.encode(value)
    assert str(caught.value) == caught.value.reason or caught.value.path
    return f"{caught.value.path}: {caught.value.reason}"


def without_codec(annotation: Any) -> str:
    """Why a type that no model of pydantic's could have either has no codec."""
    with pytest.raises(Unsupported) as caught:
        codec_for(annotation)
    return caught.value.reason


def unsupported(annotation: Any, default: Any = ..., **config: Any) -> str:
    """Why a type has no codec."""
    owner = model_of(annotation, default, **config)
    with pytest.raises(Unsupported) as caught:
        field_codec("value", owner.model_fields["value"], owner)
    assert str(caught.value) == caught.value.reason
    return caught.value.reason


def assert_same(left: Any, right: Any) -> None:
    """Equal, and of the same types at every place."""
    assert left == right
    assert type(left) is type(right)
    if isinstance(left, BaseModel):
        assert_same(dict(left), dict(right))
    elif isinstance(left, dict):
        assert_same(set(left), set(right))
        for key, value in left.items():
            assert_same(value, right[key])
    elif isinstance(left, (set, frozenset)):
        found = {element: element for element in right}
        for element in left:
            assert_same(element, found[element])
    elif isinstance(left, (list, tuple)):
        assert_all_same(left, right)
    elif hasattr(left, "__dataclass_fields__"):
        for name in left.__dataclass_fields__:
            assert_same(getattr(left, name), getattr(right, name))


def assert_all_same(left: Any, right: Any) -> None:
    """The same, one by one."""
    for mine, other in zip(left, right, strict=True):
        assert_same(mine, other)
