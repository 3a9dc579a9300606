"""Versions that many write under at once (V1 to V3)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TypeAlias
from uuid import uuid4

import pytest

from logicaldb import ItemAlreadyExists, ItemNotFound, VersionConflict, attr
from tests.concurrency.conftest import WORKERS, Place
from tests.concurrency.work import outcome, together
from tests.models import Db, Note

Recorder: TypeAlias = Callable[[Any], AbstractContextManager[list[tuple[str, Any]]]]
Path: TypeAlias = Callable[[Db, Note, str], Note | None]

PATHS: dict[str, Path] = {
    "save": lambda db, item, text: db.save(item.replace(log=[text])),
    "put": lambda db, item, text: db.put(item.replace(log=[text])),
    "update": lambda db, item, text: db.update(
        Note.Key(item.name), attr(Note.log).set([text]), if_version=item.version
    ),
    "delete": lambda db, item, _: db.delete(item),
    "save under a token": lambda db, item, text: db.save(item.replace(log=[text]), idempotency_token=uuid4().hex),
}
"""Every way to write under a version."""


@pytest.mark.parametrize("path", PATHS)
def test_of_many_writers_with_one_version_one_wins(place: Place, path: str, recorder: Recorder) -> None:
    """V1: and the others get the present item without another read."""
    stored = place.db.create(Note(name=place.name))
    with recorder(place.db) as requests:
        written = together(12, lambda number: outcome(lambda: PATHS[path](place.db, stored, str(number))))
    [winner] = [item for item in written if isinstance(item, Note)]
    losers = [error for error in written if not isinstance(error, Note)]
    assert [type(error) for error in losers] == [VersionConflict] * 11
    present = None if path == "delete" else winner
    for error in losers:
        assert isinstance(error, VersionConflict)
        assert (error.expected, error.item) == (1, present)
        assert str(error) == (
            f"{error.operation.kind} of Note.Key(name='{place.name}'): the stored version is not the expected one"
        )
    # Under a token the winner reads what its transaction does not return; nobody else reads.
    reads = [body for operation, body in requests if operation == "GetItem"]
    assert len(reads) == (1 if path == "save under a token" else 0)
    assert len(requests) == 12 + len(reads)
    assert place.db.load(Note.Key(place.name)) == present
    if path != "delete":
        assert winner.version == 2


def test_of_all_ways_at_once_one_wins(place: Place) -> None:
    """V1, V4: a save, a put, an update and a delete hold each other to the version."""
    paths = list(PATHS.values()) * 2
    for turn in range(5):
        stored = place.db.create(Note(name=f"{place.name}-{turn}"))

        def work(number: int, stored: Note = stored) -> Note | Exception | None:
            return outcome(lambda: paths[number](place.db, stored, str(number)))

        written = together(len(paths), work)
        winners = [number for number, item in enumerate(written) if isinstance(item, Note)]
        assert len(winners) == 1, written
        found = place.db.load(Note.Key(stored.name))
        if paths[winners[0]] is PATHS["delete"]:
            assert found is None
        else:
            assert found == stored.replace(log=[str(winners[0])], version=2)


def test_of_many_creators_one_wins(place: Place, recorder: Recorder) -> None:
    """V1 of what is not there yet; saves and puts of new items are creators too."""
    item = Note(name=place.name)
    ways = [place.db.create, place.db.save, place.db.put] * 4
    with recorder(place.db) as requests:
        written = together(12, lambda number: outcome(lambda: ways[number](item.replace(log=[str(number)]))))
    [winner] = [found for found in written if isinstance(found, Note)]
    assert winner.version == 1
    for number, error in enumerate(written):
        if error is not winner:
            assert type(error) is (ItemAlreadyExists if number % 3 == 0 else VersionConflict)
            assert getattr(error, "item") == winner  # noqa: B009 - of either of them
    assert len(requests) == 12
    assert place.db.load(Note.Key(place.name)) == winner


def test_no_update_is_lost(place: Place) -> None:
    """Each writer adds to the list that it read, and after a conflict to the one that the conflict shows."""
    db = place.db
    key = Note.Key(place.name)
    db.create(Note(name=place.name))
    times = 10

    def work(number: int) -> int:
        conflicts = 0
        for turn in range(times):
            item = db.load(key, consistent_read=True)
            while conflicts < 1000:
                assert item is not None
                try:
                    db.save(item.replace(log=[*item.log, f"{number}-{turn}"]))
                except VersionConflict as conflict:
                    conflicts += 1
                    item = conflict.item
                else:
                    break
        return conflicts

    conflicts = together(WORKERS, work)
    found = db.load(key)
    assert found is not None
    assert sorted(found.log) == sorted(f"{number}-{turn}" for number in range(WORKERS) for turn in range(times))
    assert found.version == 1 + WORKERS * times
    assert sum(conflicts) > 0, "the writers never met"


@pytest.mark.parametrize("path", [name for name in PATHS if name != "delete"])
def test_a_stale_write_brings_nothing_back(place: Place, path: str) -> None:
    """V2: whoever comes after the delete is in conflict, and the delete too if it comes after a write."""
    for turn in range(4):
        stored = place.db.create(Note(name=f"{place.name}-{turn}"))

        def work(number: int, stored: Note = stored) -> Note | Exception | None:
            chosen = PATHS["delete"] if number == 0 else PATHS[path]
            return outcome(lambda: chosen(place.db, stored, str(number)))

        deleted, *written = together(WORKERS, work)
        found = place.db.load(Note.Key(stored.name))
        if isinstance(deleted, Note):
            assert deleted == stored
            assert found is None
            assert {type(error) for error in written} <= {VersionConflict, ItemNotFound}
        else:
            assert isinstance(deleted, VersionConflict)
            assert found == deleted.item
            assert [item for item in written if isinstance(item, Note)] == [found]


def test_who_holds_an_item_that_was_made_anew_is_in_conflict(place: Place) -> None:
    """V2; the new one's versions begin at 1 again, so until it has come to the same number."""
    key = Note.Key(place.name)
    old = place.db.create(Note(name=place.name))
    for _ in range(3):
        old = place.db.save(old)
    assert old.version == 4
    place.db.delete(old)
    new = place.db.create(Note(name=place.name, log=["new"]))
    assert new.version == 1
    for path in PATHS.values():
        with pytest.raises(VersionConflict) as raised:
            path(place.db, old, "stale")
        assert (raised.value.expected, raised.value.item) == (4, new)
    assert place.db.load(key) == new


@pytest.mark.parametrize("path", PATHS)
def test_a_write_that_fails_changes_nothing_in_memory(place: Place, path: str) -> None:
    """V3: what the caller holds is as it was, and in conflict again."""
    held = place.db.create(Note(name=place.name, log=["a"]))
    place.db.update(Note.Key(place.name), attr(Note.log).append(["b"]))
    before = held.model_dump_json()
    fields_set = set(held.model_fields_set)
    for _ in range(3):
        with pytest.raises(VersionConflict) as raised:
            PATHS[path](place.db, held, "x")
        assert raised.value.expected == 1
        assert raised.value.item.log == ["a", "b"]
    assert held.model_dump_json() == before
    assert held.model_fields_set == fields_set


@pytest.mark.parametrize("path", PATHS)
def test_a_write_that_succeeds_changes_nothing_in_memory(place: Place, path: str) -> None:
    """V3: the returned item carries the next version, and the caller's is stale now."""
    held = place.db.create(Note(name=place.name, log=["a"]))
    before = held.model_dump_json()
    written = PATHS[path](place.db, held, "x")
    assert written is not None
    assert written is not held
    assert held.model_dump_json() == before
    with pytest.raises(VersionConflict):
        PATHS[path](place.db, held, "x")
