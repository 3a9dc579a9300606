"""Offsets: where they come from, what they are equal to, and how they go elsewhere."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pytest

from examples.music.models import AlbumTrack
from logicaldb import Offset, WorkerId

RAW = {"partition_key": {"S": "ALBUM_1"}, "sort_key": {"S": "TRACK_0000000000000003"}}
KEY = AlbumTrack.Key("ALBUM_1", 3)


def test_an_offset_made_by_hand_has_a_key() -> None:
    offset = Offset(KEY)
    assert (offset.key, offset.raw) == (KEY, None)
    assert repr(offset) == "Offset(AlbumTrack.Key(album_token='ALBUM_1', track_number=3))"
    made: Any = Offset
    with pytest.raises(TypeError, match=r"^Offset takes a key, such as AlbumTrack\.Key\(\.\.\.\), not a str$"):
        made("ALBUM_1")


def test_the_key_of_a_found_offset_is_made_once_and_when_it_is_asked_for() -> None:
    made: list[Mapping[str, Any]] = []

    def make(raw: Mapping[str, Any]) -> AlbumTrack.Key:
        made.append(raw)
        return KEY

    offset = Offset.found(make, RAW)
    assert offset.raw == RAW
    assert made == []
    assert offset.key is offset.key is KEY
    assert made == [RAW]


def test_equal_offsets() -> None:
    offsets = [Offset(KEY), Offset.served(KEY, RAW), Offset.found(lambda _: KEY, RAW)]
    assert len(set(offsets)) == 1
    foreign: Offset[Any] = Offset.served(None, RAW)
    assert foreign == Offset.found(lambda _: None, RAW)
    assert hash(foreign) == hash(Offset.served(None, dict(RAW)))
    assert foreign not in offsets
    assert foreign != RAW
    assert repr(foreign) == f"Offset({RAW!r})"


@pytest.mark.parametrize(
    "offset", [Offset(KEY), Offset.served(KEY, RAW), Offset.found(lambda _: KEY, RAW), Offset.served(None, RAW)]
)
def test_an_offset_can_be_copied_and_sent_to_another_process(offset: Offset[Any]) -> None:
    for other in (pickle.loads(pickle.dumps(offset)), deepcopy(offset)):
        assert (other.key, other.raw) == (offset.key, offset.raw)


@pytest.mark.parametrize(("segment", "total"), [(-1, 1), (1, 1), (0, 0), (0, 1_000_001)])
def test_a_worker_that_cannot_be(segment: int, total: int) -> None:
    with pytest.raises(ValueError, match="there are 1 to 1,000,000 segments, and a segment is counted from 0"):
        WorkerId(segment, total)
