"""Key conditions as values."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb import AtLeast, AtMost, BeginsWith, Between, EqualTo, GreaterThan, KeyCondition, LessThan
from tests.unit.operations.models import Order, Step

KEY, OTHER = Step.Key("C", 1), Step.Key("C", 2)
KINDS: list[Any] = [BeginsWith, EqualTo, LessThan, AtMost, GreaterThan, AtLeast]


@pytest.mark.parametrize("kind", KINDS)
def test_a_condition_of_one_key(kind: Any) -> None:
    assert isinstance(kind(KEY), KeyCondition)
    condition = kind(KEY)
    assert condition.key == KEY
    assert condition == kind(KEY)
    assert hash(condition) == hash(kind(KEY))
    assert condition != kind(OTHER)
    assert [other(KEY) == condition for other in KINDS] == [other is kind for other in KINDS]
    assert repr(condition) == f"{kind.__name__}(Step.Key(customer='C', number=1))"
    with pytest.raises(AttributeError):
        condition.key = OTHER


def test_between() -> None:
    condition = Between(KEY, OTHER)
    assert (condition.start, condition.end) == (KEY, OTHER)
    assert condition == Between(start=KEY, end=OTHER)
    assert hash(condition) == hash(Between(KEY, OTHER))
    assert condition != Between(OTHER, KEY)
    assert repr(condition) == "Between(Step.Key(customer='C', number=1), Step.Key(customer='C', number=2))"


@pytest.mark.parametrize("kind", KINDS)
def test_a_condition_takes_a_key(kind: Any) -> None:
    with pytest.raises(TypeError) as error:
        kind("C")
    assert str(error.value) == f"{kind.__name__} takes a key, such as AlbumTrack.Key(...), not str"


def test_between_takes_two_keys_of_one_type() -> None:
    start: Any = KEY
    for end, name in ((Order.Key("C"), "Order.Key"), (None, "NoneType"), ("C", "str")):
        with pytest.raises(TypeError) as error:
            Between(start, end)
        assert str(error.value) == f"Between takes two keys of one type, not Step.Key and {name}"
    start = "C"
    with pytest.raises(TypeError) as error:
        Between(start, start)
    assert str(error.value) == "Between takes a key, such as AlbumTrack.Key(...), not str"
