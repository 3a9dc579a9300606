"""Looking at annotations."""

from __future__ import annotations

import dataclasses
import functools
import sys
import typing
from collections import namedtuple
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NotRequired,
    Optional,
    Required,
    TypeAlias,
    TypeVar,
    Union,
)

import pytest
from pydantic import BaseModel, Discriminator, Field
from pydantic.fields import FieldInfo
from typing_extensions import ReadOnly, TypedDict
from typing_extensions import TypeVar as ExtendedTypeVar

from logicaldb.codec.inspection import (
    alias_value,
    bound_of,
    fields_of,
    has_fields,
    is_alias,
    is_union,
    metadata_of,
    required_keys,
    return_type_of,
    substitute,
    type_name,
    unwrap,
)
from logicaldb.codec.values import Unsupported
from tests.unit.codec.support import alias

if TYPE_CHECKING:
    Nowhere: TypeAlias = int
    Missing: TypeAlias = int

T = TypeVar("T")
U = TypeVar("U")
Bound = TypeVar("Bound", bound=int)
Constrained = TypeVar("Constrained", int, str)
Defaulted = ExtendedTypeVar("Defaulted", default=bytes)

Plain = alias("Plain", "list[int]")
# The checkers want type variables in classes and functions alone.
free: Any = T
other: Any = U
lists: Any = list
tuples: Any = tuple
dicts: Any = dict
Pair = alias("Pair", tuples[other, free], type_params=(free, other))
Recursive = alias("Recursive", "dict[str, Recursive] | int")
Broken = alias("Broken", "list[Nowhere]")


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (int, "int"),
        (None, "None"),
        (type(None), "None"),
        (Any, "Any"),
        (list[int], "list[int]"),
        (dict[str, list[int]], "dict[str, list[int]]"),
        (tuple[int, ...], "tuple[int, ...]"),
        (typing.Sequence[int], "Sequence[int]"),
        (int | None, "int | None"),
        (Optional[int], "int | None"),  # noqa: UP045
        (Union[int, str], "int | str"),  # noqa: UP007
        (Literal["a", 1], "Literal['a', 1]"),
        (Annotated[int, "x"], "int"),
        (Plain, "Plain"),
        (T, "T"),
        ("x", "x"),
    ],
)
def test_names_of_types(annotation: Any, name: str) -> None:
    assert type_name(annotation) == name


def test_aliases() -> None:
    assert [is_alias(each) for each in (Plain, Pair[int, str], list[int], int)] == [True, True, False, False]
    assert alias_value(Plain, {}) == list[int]
    assert alias_value(Pair[int, str], {}) == tuple[str, int]
    assert alias_value(Recursive, {}) == dicts[str, Recursive] | int
    assert alias_value(Broken, {"Nowhere": int}) == list[int]
    with pytest.raises(Unsupported) as caught:
        alias_value(Broken, {})
    assert caught.value.reason == "Broken has an annotation that cannot be resolved: there is no Nowhere"


def test_an_alias_of_a_module_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, __name__)
    assert alias_value(Plain, {}) == list[int]


def test_substitution() -> None:
    assert substitute(T, {T: int}) is int
    assert substitute(T, {U: int}) is T
    assert substitute(lists[free], {T: int}) == list[int]
    assert substitute(dicts[other, free], {T: int}) == dicts[other, int]
    assert substitute(int, {T: int}) is int
    assert substitute(list[int], {T: int}) == list[int]
    assert substitute(Annotated[lists[free] | None, "x"], {T: int}) == Annotated[list[int] | None, "x"]


def test_bounds() -> None:
    assert bound_of(T) is Any
    assert bound_of(Bound) is int
    assert bound_of(Constrained) == int | str
    defaulted: Any = Defaulted
    assert bound_of(defaulted) is bytes


def test_unions() -> None:
    assert [is_union(each) for each in (int | str, Optional[int], int, list[int])] == [True, True, False, False]  # noqa: UP045


def test_unwrapping() -> None:
    assert unwrap(int) == (int, ())
    assert unwrap(Annotated[int, "a"], ["b"]) == (int, ("a", "b"))
    inner = alias("Inner", Annotated[int, "a"])
    assert unwrap(Annotated[inner, "b"]) == (inner, ("b",))
    found, metadata = unwrap(Annotated[int, Field(gt=1), "x"])
    assert found is int
    assert [type(item).__name__ for item in metadata] == ["Gt", "str"]


def test_the_discriminator_is_metadata_again() -> None:
    assert metadata_of(FieldInfo()) == ()
    assert metadata_of(Field(discriminator="kind")) == (Discriminator("kind"),)
    discriminator = Discriminator(str)
    assert metadata_of(Field(discriminator=discriminator)) == (discriminator,)


Untyped = namedtuple("Untyped", "x")  # pyright: ignore[reportUntypedNamedTuple] - what is tested


class Model(BaseModel):
    x: int


@dataclasses.dataclass
class Data(Generic[T]):
    item: T
    more: list[T] = dataclasses.field(default_factory=list)
    n: int = 5


class Typed(TypedDict, Generic[T]):
    item: T
    maybe: NotRequired[int]


class Partial(TypedDict, total=False):
    item: Required[int]
    other: ReadOnly[NotRequired[str]]
    plain: int


class Named(NamedTuple):
    x: int
    y: str = "z"


@dataclasses.dataclass
class Unresolved:
    x: Missing


def test_classes_with_fields() -> None:
    for kind in (Model, Data, Typed, Named):
        assert has_fields(kind)
    for other in (int, tuple, tuple[int, str], list[int], Any):
        assert not has_fields(other)


def test_fields_of_classes() -> None:
    assert fields_of(Model, {}) == Model.model_fields
    data = fields_of(Data, {})
    assert [(name, info.annotation, info.is_required()) for name, info in data.items()] == [
        ("item", T, True),
        ("more", lists[free], False),
        ("n", int, False),
    ]
    assert data["more"].default_factory is list
    assert {name: info.annotation for name, info in fields_of(Data[str], {}).items()} == {
        "item": str,
        "more": list[str],
        "n": int,
    }
    assert {name: info.annotation for name, info in fields_of(Typed[str], {}).items()} == {"item": str, "maybe": int}
    assert {name: info.annotation for name, info in fields_of(Partial, {}).items()} == {
        "item": int,
        "other": str,
        "plain": int,
    }
    named = fields_of(Named, {})
    assert [(name, info.annotation, info.is_required()) for name, info in named.items()] == [
        ("x", int, True),
        ("y", str, False),
    ]


def test_fields_of_a_named_tuple_without_annotations() -> None:
    assert {name: info.annotation for name, info in fields_of(Untyped, {}).items()} == {"x": Any}


def test_names_that_are_missing() -> None:
    with pytest.raises(Unsupported) as caught:
        fields_of(Unresolved, {})
    assert caught.value.reason == "Unresolved has an annotation that cannot be resolved: there is no Missing"
    assert fields_of(Unresolved, {"Missing": int})["x"].annotation is int


def test_required_keys() -> None:
    assert required_keys(Typed, {}) == {"item"}
    assert required_keys(Partial, {}) == {"item"}


def returns_list(value: Nowhere) -> list[int]:
    return [value]


def returns_unknown(value: int) -> Nowhere:
    return value


returns: Any = lambda value: value  # noqa: E731 - it says nothing


def test_return_types() -> None:
    assert return_type_of(returns_list, {}) == list[int]
    assert return_type_of(returns_unknown, {}) is None
    assert return_type_of(returns_unknown, {"Nowhere": int}) is int
    assert return_type_of(returns, {}) is None
    assert return_type_of(str, {}) is str
    assert return_type_of(functools.partial(returns_list, 1), {}) is None
