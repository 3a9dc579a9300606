"""The rule of absence, and the depth of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Optional

import pytest
from pydantic import BaseModel, Field, JsonValue, PlainSerializer

from logicaldb.codec.fields import MISSING, Default, FieldCodec
from logicaldb.codec.scalars import IntCodec
from logicaldb.codec.sequences import SetCodec
from logicaldb.codec.values import Refused
from tests.unit.codec.support import codec_of, read, refusal, write

ABSENT = None
NULL = {"NULL": True}
EMPTY: dict[str, Any] = {"L": []}


def some() -> set[int]:
    raise AssertionError("a default factory is never called by a codec")


@pytest.mark.parametrize(
    ("annotation", "default", "wire"),
    [
        (int | None, ..., ABSENT),
        (int | None, None, ABSENT),
        (int | None, 5, NULL),
        (int | None, Field(default_factory=lambda: None), NULL),
        (int | None, Field(default=None), ABSENT),
        (int, None, ABSENT),
        (set[int] | None, ..., ABSENT),
        (set[int] | None, None, ABSENT),
        (set[int] | None, set(), ABSENT),
        (set[int] | None, frozenset(), ABSENT),
        (set[int] | None, Field(default_factory=set), ABSENT),
        (set[int] | None, {1}, NULL),
        (set[int] | None, Field(default_factory=some), NULL),
        (Any, ..., ABSENT),
        (Any, 5, NULL),
        (JsonValue, 5, NULL),
    ],
)
def test_none_is_absent_where_its_absence_reads_back_as_none(annotation: Any, default: Any, wire: Any) -> None:
    assert write(annotation, None, default) == wire


@pytest.mark.parametrize(
    ("annotation", "default", "wire"),
    [
        (set[int], ..., ABSENT),
        (set[int], set(), ABSENT),
        (set[int], Field(default_factory=set), ABSENT),
        (frozenset[int], Field(default_factory=frozenset), ABSENT),
        (set[int], {1}, EMPTY),
        (set[int], Field(default_factory=list), EMPTY),
        (set[int], Field(default_factory=some), EMPTY),
        (set[int], None, EMPTY),
        (set[int] | None, ..., EMPTY),
        (set[int] | None, None, ABSENT),
        (set[int] | None, set(), ABSENT),
        (set[int] | None, {1}, EMPTY),
        (set[int] | str, ..., ABSENT),
        (set[int] | str, "x", EMPTY),
        (set[int] | str | None, ..., EMPTY),
        (set[bool], ..., ABSENT),
        (set[bool], {True}, EMPTY),
    ],
)
@pytest.mark.parametrize("empty", [set(), frozenset()])
def test_the_empty_set_is_absent_where_its_absence_reads_back_as_empty(
    annotation: Any, default: Any, wire: Any, empty: Any
) -> None:
    assert write(annotation, empty, default) == wire


@pytest.mark.parametrize(
    ("annotation", "default", "value"),
    [
        (int | None, ..., None),
        (int | None, None, None),
        (int | None, 5, 5),
        (set[int], ..., set()),
        (frozenset[int], ..., frozenset()),
        (set[int], {1}, {1}),
        (set[int] | None, ..., None),
        (set[int] | None, set(), set()),
        (set[int] | None, None, None),
        (set[int] | str, ..., set()),
    ],
)
def test_absence_reads_back(annotation: Any, default: Any, value: Any) -> None:
    back = read(annotation, None, default)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("annotation", "kind"), [(set[int], set), (frozenset[int], frozenset), (set[bool], set), (set[int] | str, set)]
)
def test_an_empty_list_reads_back_as_the_empty_set(annotation: Any, kind: type) -> None:
    for strict in (False, True):
        back = read(annotation, EMPTY, strict=strict)
        assert (type(back), len(back)) == (kind, 0)


def test_supplied_sets_are_not_shared() -> None:
    codec = codec_of(set[int])
    codec.decode(None).add(1)
    assert codec.decode(None) == set()


@pytest.mark.parametrize(
    ("annotation", "default"),
    [(int, ...), (int, 5), (int | None, None), (int | None, 5), (set[int], set()), (list[int], ...), (dict, ...)],
)
def test_other_absences_are_pydantics(annotation: Any, default: Any) -> None:
    assert codec_of(annotation, default).decode(None) is MISSING


def test_what_a_field_tells() -> None:
    told: Callable[[FieldCodec], Any] = lambda codec: (codec.name, codec.nullable, codec.required)  # noqa: E731
    assert told(codec_of(int)) == ("value", False, True)
    assert told(codec_of(int, 5)) == ("value", False, False)
    assert told(codec_of(int | None)) == ("value", True, True)
    assert told(codec_of(Any, None)) == ("value", True, False)
    assert told(codec_of(Annotated[int | None, PlainSerializer(str)])) == ("value", True, True)
    assert told(codec_of(Optional[Annotated[int, PlainSerializer(str)]])) == ("value", True, True)  # noqa: UP045 - for pyright


def test_a_serialized_set_is_stored_as_it_is_serialized() -> None:
    annotation = Annotated[set[str], PlainSerializer(sorted, return_type=list[str])]
    assert write(annotation, set()) == EMPTY
    assert read(annotation, EMPTY) == set()


def test_none_where_it_is_not_declared() -> None:
    assert refusal(int, None) == ": is None, not an int"
    assert refusal(int, None, default=5) == ": is None, not an int"


def test_made_by_hand() -> None:
    codec = FieldCodec("tags", SetCodec(IntCodec(), set), nullable=False, default=Default.REQUIRED, set_kind=set)
    assert codec.encode({1}) == {"NS": ["1"]}
    assert codec.encode(set()) is None
    assert codec.decode(None) == set()


class Node(BaseModel):
    next: Node | None = None
    children: list[Node] = []
    anything: Any = None


def lists(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


def nodes(levels: int) -> Node | None:
    node = None
    for _ in range(levels):
        node = Node.model_construct(next=node, children=[], anything=None)
    return node


TOO_DEEP = ": is nested deeper than 32 levels"


@pytest.mark.parametrize("annotation", [Any, JsonValue, list[Any]])
def test_depth_of_what_has_no_type(annotation: Any) -> None:
    assert write(annotation, lists(31)) is not None
    for levels in (32, 100_000):
        assert refusal(annotation, lists(levels)) == TOO_DEEP


def test_depth_of_recursive_models() -> None:
    assert write(Node, nodes(30)) is not None  # the empty list of children is one level more
    for levels in (31, 32, 10_000):
        assert refusal(Node | None, nodes(levels)) == TOO_DEEP


def deep_annotation(levels: int) -> Any:
    annotation: Any = int
    for _ in range(levels):
        annotation = list[annotation]
    return annotation


def test_depth_of_types_that_bound_it() -> None:
    assert write(deep_annotation(31), lists(31)) is not None
    assert refusal(deep_annotation(32), lists(32)) == TOO_DEEP
    assert write(deep_annotation(32), []) == EMPTY


def test_values_that_contain_themselves() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert refusal(Any, endless) == TOO_DEEP
    mapping: dict[str, Any] = {}
    mapping["a"] = mapping
    assert refusal(Any, mapping) == TOO_DEEP
    node = Node()
    node.children.append(node)
    assert refusal(Node, node) == TOO_DEEP


def test_absent_values_have_no_depth() -> None:
    assert write(Any, None) is None


def test_what_is_no_value_is_refused_where_pydantic_takes_anything() -> None:
    for annotation, wire in ((Any, {"X": 1}), (Any, {"L": [5]}), (list[Any], {"L": [{"S": "x"}, {"S": 5}]})):
        with pytest.raises(Refused) as refused:
            codec_of(annotation).decode(wire)
        assert refused.value.reason == "is no value of DynamoDB's"
