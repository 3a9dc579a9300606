"""What reads return, where they go on, and writes as data."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from logicaldb import Offset, Operation, Page, WorkerId, attr
from tests.unit.operations.models import Step

KEY = Step.Key("C", 3)
RAW = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0003"}}


def test_an_offset_equals_by_its_key() -> None:
    by_hand = Offset(KEY)
    served = Offset.served(KEY, RAW)
    assert (by_hand.raw, served.raw) == (None, RAW)
    assert by_hand == served
    assert hash(by_hand) == hash(served)
    assert by_hand != Offset(Step.Key("C", 4))


def test_an_offset_without_a_key_equals_by_its_raw_key() -> None:
    one: Offset[Any] = Offset.served(None, RAW)
    same: Offset[Any] = Offset.served(None, dict(reversed(RAW.items())))
    other: Offset[Any] = Offset.served(None, {"pk": {"S": "x"}, "sk": {"S": "y"}})
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != Offset(KEY)
    assert Offset(KEY) != one
    assert one != RAW


def test_the_text_of_an_offset() -> None:
    assert repr(Offset(KEY)) == "Offset(Step.Key(customer='C', number=3))"
    assert repr(Offset.served(None, RAW)) == f"Offset({RAW!r})"


def test_an_offset_takes_a_key() -> None:
    key: Any = RAW
    with pytest.raises(TypeError) as error:
        Offset(key)
    assert str(error.value) == "Offset takes a key, such as AlbumTrack.Key(...), not a dict"


def test_a_page() -> None:
    page: Page[Step.Key, Step] = Page([], Offset(KEY))
    assert page.has_more_pages
    assert not dataclasses.replace(page, offset=None).has_more_pages
    assert page == Page([], Offset(KEY))


@pytest.mark.parametrize(("segment", "total"), [(0, 1), (999_999, 1_000_000)])
def test_a_worker(segment: int, total: int) -> None:
    assert WorkerId(segment, total) == WorkerId(segment=segment, total_segments=total)


@pytest.mark.parametrize(("segment", "total"), [(1, 1), (-1, 1), (0, 0), (0, 1_000_001)])
def test_no_worker(segment: int, total: int) -> None:
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared below
        WorkerId(segment, total)
    assert str(error.value) == (
        f"WorkerId(segment={segment}, total_segments={total}): "
        "there are 1 to 1,000,000 segments, and a segment is counted from 0 to total_segments - 1"
    )


def test_the_text_of_an_operation_shows_the_key_alone() -> None:
    step = Step(customer="C", number=3, title="secret")
    operation = Operation("update", KEY, step, (attr(Step.title).set("secret"),), attr(Step.title) == "secret")
    assert str(operation) == "update of Step.Key(customer='C', number=3)"
