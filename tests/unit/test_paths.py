from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from logicaldb.paths import Path, owner_of, path_text, segment, steps_of


class Track:
    pass


PATH: Any = Path(Track, ("title",))


def test_going_deeper() -> None:
    path = PATH.address.city[0]["a key"][-1]
    assert owner_of(path) is Track
    assert steps_of(path) == ("title", "address", "city", 0, "a key", -1)
    assert steps_of(PATH) == ("title",)


@pytest.mark.parametrize(
    ("step", "text"),
    [("city", ".city"), ("a key", "['a key']"), ("", "['']"), (0, "[0]"), (-1, "[-1]"), (2.5, "[2.5]")],
)
def test_steps_as_they_are_written(step: Any, text: str) -> None:
    assert segment(step) == text
    assert repr(PATH[step]) == f"Track.title{text}"
    assert path_text(Track, ("a", step)) == f"Track.a{text}"


@pytest.mark.parametrize("name", ["copy", "json", "steps", "owner", "append", "set"])
def test_every_name_of_a_field_is_a_step(name: str) -> None:
    assert steps_of(getattr(PATH, name)) == ("title", name)


@pytest.mark.parametrize("name", ["_private", "__len__", "__fspath__"])
def test_other_names_are_none(name: str) -> None:
    assert not hasattr(PATH, name)


def test_a_path_cannot_be_changed() -> None:
    with pytest.raises(AttributeError) as error:
        PATH.city = "Bern"
    assert str(error.value) == "Track.title is a path and cannot be changed"


def test_a_path_cannot_be_iterated() -> None:
    for use in (list, iter, lambda path: [*path]):
        with pytest.raises(TypeError) as error:
            use(PATH)
        assert str(error.value) == "Track.title is a path and cannot be iterated"


def test_pickle_and_copies() -> None:
    for again in (pickle.loads(pickle.dumps(PATH.city)), copy.copy(PATH.city), copy.deepcopy(PATH.city)):
        assert (owner_of(again), steps_of(again)) == (Track, ("title", "city"))
