"""Lists, tuples and sets."""

from __future__ import annotations

import collections
import typing
from collections.abc import Generator, Iterable, MutableSequence, MutableSet, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import AnyUrl, BaseModel, ConfigDict, Field, PlainSerializer, ValidationError

from tests.unit.codec.support import assert_same, codec_of, read, refusal, there_and_back, unchecked, unsupported, write


class Pin(BaseModel):
    model_config = ConfigDict(frozen=True)
    x: int


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


SEQUENCES: list[tuple[Any, Any, dict[str, Any]]] = [
    (list[int], [], {"L": []}),
    (list[int], [1, 2], {"L": [{"N": "1"}, {"N": "2"}]}),
    (list[date | None], [date(2026, 1, 2), None], {"L": [{"S": "2026-01-02"}, {"NULL": True}]}),
    (list, [1, "x", [None]], {"L": [{"N": "1"}, {"S": "x"}, {"L": [{"NULL": True}]}]}),
    (typing.List[int], [1], {"L": [{"N": "1"}]}),  # noqa: UP006
    (MutableSequence[int], [1], {"L": [{"N": "1"}]}),
    (Sequence[int], [1], {"L": [{"N": "1"}]}),
    (collections.deque[int], collections.deque([1]), {"L": [{"N": "1"}]}),
    (collections.deque, collections.deque(["x"]), {"L": [{"S": "x"}]}),
    (tuple[int, str], (1, "x"), {"L": [{"N": "1"}, {"S": "x"}]}),
    (tuple[int, ...], (1, 2, 3), {"L": [{"N": "1"}, {"N": "2"}, {"N": "3"}]}),
    (tuple[int, ...], (), {"L": []}),
    (tuple[()], (), {"L": []}),
    (tuple, (1, "x"), {"L": [{"N": "1"}, {"S": "x"}]}),
    (typing.Tuple, (1,), {"L": [{"N": "1"}]}),  # noqa: UP006
    (tuple[list[tuple[float, ...]], bool], ([(1.5,)], True), {"L": [{"L": [{"L": [{"N": "1.5"}]}]}, {"BOOL": True}]}),
    (list[Pin], [Pin(x=1)], {"L": [{"M": {"x": {"N": "1"}}}]}),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), SEQUENCES)
@pytest.mark.parametrize("strict", [False, True])
def test_sequences(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == wire


SETS: list[tuple[Any, Any, dict[str, Any]]] = [
    (set[str], {"a"}, {"SS": ["a"]}),
    (set[str], {""}, {"SS": [""]}),
    (set[int], {1}, {"NS": ["1"]}),
    (set[float], {1.5}, {"NS": ["1.5"]}),
    (set[Decimal], {Decimal("1.5")}, {"NS": ["1.5"]}),
    (set[bytes], {b"x"}, {"BS": ["eA=="]}),
    (set[UUID], {UUID(int=1)}, {"SS": ["00000000-0000-0000-0000-000000000001"]}),
    (set[date], {date(2026, 1, 2)}, {"SS": ["2026-01-02"]}),
    (set[timedelta], {timedelta(seconds=1.5)}, {"NS": ["1.5"]}),
    (set[Colour], {Colour.RED}, {"SS": ["red"]}),
    (set[Literal["a", "b"]], {"a"}, {"SS": ["a"]}),
    (set[AnyUrl], {AnyUrl("http://a.b/")}, {"SS": ["http://a.b/"]}),
    (set[int | str], {"x"}, {"SS": ["x"]}),
    (set[int | str], {7}, {"NS": ["7"]}),
    (set, {7}, {"NS": ["7"]}),
    (set[Any], {b"x"}, {"BS": ["eA=="]}),
    (frozenset[str], frozenset({"a"}), {"SS": ["a"]}),
    (AbstractSet[str], frozenset({"a"}), {"SS": ["a"]}),
    (MutableSet[str], {"a"}, {"SS": ["a"]}),
    (set[bool], {True}, {"L": [{"BOOL": True}]}),
    (set[bool | int], {True}, {"L": [{"BOOL": True}]}),
    (set[int | None], {None}, {"L": [{"NULL": True}]}),
    (set[tuple[int, str]], {(1, "x")}, {"L": [{"L": [{"N": "1"}, {"S": "x"}]}]}),
    (set[frozenset[int]], {frozenset({1})}, {"L": [{"NS": ["1"]}]}),
    (set[Pin], {unchecked(Pin)(x=1)}, {"L": [{"M": {"x": {"N": "1"}}}]}),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), SETS)
@pytest.mark.parametrize("strict", [False, True])
def test_sets(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == wire


def test_sets_of_several_elements() -> None:
    there_and_back(set[int], {1, 2, 3})
    there_and_back(set[bool | int], {False, 1, 2})
    there_and_back(set[Any], {1, Decimal("1.5")})


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (list[int], (1,), ": is a tuple, not a list"),
        (list[int], "x", ": is a str, not a list"),
        (list[list[int]], [[1], [2, "x"]], "[1][1]: is a str, not an int"),
        (Sequence[int], (1,), ": is a tuple, not a list, which a Sequence reads back as: declare it as a tuple"),
        (collections.deque[int], [1], ": is a list, not a deque"),
        (tuple[int, ...], [1], ": is a list, not a tuple"),
        (tuple[int, ...], (1, "x"), "[1]: is a str, not an int"),
        (tuple[int, str], [1, "x"], ": is a list, not a tuple"),
        (tuple[int, str], (1,), ": is a tuple of length 1, not 2"),
        (tuple[int, str], (1, 2), "[1]: is an int, not a str"),
        (set[int], [1], ": is a list, not a set"),
        (frozenset[int], [1], ": is a list, not a frozenset"),
        (set[int], {"x"}, ": is a str, not an int"),
        (set[int | str], {1, "x"}, ": is a set of mixed types"),
        (
            set,
            {True},
            ": is a set of something else than str, numbers or bytes: declare the type of its elements",
        ),
        (list[set[int]], [{1}, set()], "[1]: is an empty set, which cannot be stored inside a list, map or tuple"),
        (
            tuple[int, set[int]],
            (1, set()),
            "[1]: is an empty set, which cannot be stored inside a list, map or tuple",
        ),
        (
            set[frozenset[int]],
            {frozenset()},
            ": is an empty set, which cannot be stored inside a list, map or tuple",
        ),
    ],
)
def test_refused(annotation: Any, value: Any, reason: str) -> None:
    assert refusal(annotation, value) == reason


def test_elements_that_are_stored_alike_are_refused() -> None:
    """DynamoDB refuses duplicates, and reading would lose one of them."""
    annotation = set[Annotated[str, PlainSerializer(str.lower, return_type=str)]]
    assert write(annotation, {"a", "b"}) is not None
    assert refusal(annotation, {"a", "A"}) == ": is a set of which two elements have one stored form"


def test_a_sequence_reads_back_as_its_default_is() -> None:
    assert there_and_back(Sequence[str], ("x",), default=()) == {"L": [{"S": "x"}]}
    assert there_and_back(Sequence[str], (), default=()) == {"L": []}
    assert there_and_back(Sequence[list[str]], (["x"],), default=()) == {"L": [{"L": [{"S": "x"}]}]}
    assert (
        refusal(Sequence[str], ["x"], default=())
        == ": is a list, not a tuple, which its default is: declare it as a list"
    )
    assert (
        refusal(Sequence[Sequence[str]], (("x",),), default=())
        == "[0]: is a tuple, not a list, which a Sequence reads back as: declare it as a tuple"
    )


def test_what_can_be_read_only_once_is_not_stored() -> None:
    assert unsupported(Iterable[int]) == "Iterable[int] can be read only once: declare a list"
    assert unsupported(Generator[int, None, None]) == "Generator[int, None, None] can be read only once: declare a list"


@pytest.mark.parametrize(
    ("annotation", "wire", "value"),
    [
        (list[int], {"NS": ["1"]}, [1]),
        (list[float], {"L": [{"N": "1"}, {"N": "2.50"}]}, [1.0, 2.5]),
        (tuple[int, ...], {"NS": ["1"]}, (1,)),
        (tuple[int], {"NS": ["1"]}, (1,)),
        (set[int], {"L": []}, set()),
        (set[int], {"L": [{"N": "1"}, {"N": "1.0"}]}, {1}),
        (frozenset[str], {"L": [{"S": "x"}]}, frozenset({"x"})),
        (set[UUID], {"SS": [str(UUID(int=1)).upper()]}, {UUID(int=1)}),
    ],
)
def test_reads_what_others_wrote(annotation: Any, wire: dict[str, Any], value: Any) -> None:
    assert_same(read(annotation, wire), value)


@pytest.mark.parametrize(
    ("annotation", "wire"),
    [
        (list[int], {"S": "x"}),
        (list[int], {"L": "x"}),
        (list[int], {}),
        (tuple[int, ...], {"M": {}}),
        (tuple[int, str], {"L": [{"N": "1"}]}),
        (tuple[int, str], {"BOOL": True}),
        (set[int], {"S": "x"}),
        (set[int], {"SS": 5}),
        (set[int], {"X": [], "Y": []}),
        (set[str], {"L": [{"L": []}]}),
        (set[int], {"SS": ["x"]}),
    ],
)
def test_leaves_to_pydantic_what_is_not_of_the_type(annotation: Any, wire: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"^\d validation errors? for Owner\nvalue"):
        read(annotation, wire)


def test_depths() -> None:
    assert codec_of(list[int]).codec.depth == 2
    assert codec_of(tuple[int, list[list[int]]]).codec.depth == 4
    assert codec_of(tuple[()]).codec.depth == 2
    assert codec_of(set[int]).codec.depth == 1
    assert codec_of(set[tuple[int, ...]]).codec.depth == 3
    assert codec_of(list[Any]).codec.depth is None


def test_equal_times_are_one_element() -> None:
    zurich = timezone(timedelta(hours=1))
    same = {datetime(2026, 1, 2, 1, tzinfo=zurich), datetime(2026, 1, 2, tzinfo=UTC)}
    assert write(set[datetime], same) == {"SS": ["2026-01-02T00:00:00.000000Z"]}


def test_metadata_of_elements_is_looked_at() -> None:
    assert there_and_back(list[Annotated[int, Field(gt=0)]], [1]) == {"L": [{"N": "1"}]}


@pytest.mark.parametrize("annotation", [set[int], frozenset[int], Any, set[int | None]])
def test_equal_sets_have_one_wire_form(annotation: Any) -> None:
    """However they are iterated: under an idempotency token the same has to be sent each time."""
    one, other = {0, 8}, {8, 0}
    assert list(one) != list(other), "the numbers should meet in one slot of the set"
    assert write(annotation, one) == write(annotation, other)
