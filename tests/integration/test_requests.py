"""The requests of each method: which, how many, and none before its time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from examples.music.models import AlbumInfo, AlbumTrack, MusicDb, MusicItem, PlaylistInfo
from logicaldb import BeginsWith, Between, ConditionFailed, LessThan, attr
from tests.integration.music import album, make_db, track
from tests.modes import Mode

KEY = AlbumTrack.Key("ALBUM_1", 1)
ALL = BeginsWith(AlbumTrack.Key("ALBUM_1"))


@pytest.fixture
def db(local_mode: Mode) -> MusicDb:
    db = make_db(local_mode)
    db.save(album())
    for number in range(1, 8):
        db.save(track(number))
    return db


CALLS: list[tuple[str, Callable[[MusicDb], Any], list[str]]] = [
    ("load", lambda db: db.load(KEY), ["GetItem"]),
    ("save", lambda db: db.save(track(1)), ["UpdateItem"]),
    ("save, versioned", lambda db: db.save(PlaylistInfo(playlist_token="P", playlist_name="x")), ["UpdateItem"]),
    ("create", lambda db: db.create(track(9)), ["PutItem"]),
    ("put", lambda db: db.put(track(1)), ["PutItem"]),
    ("update", lambda db: db.update(KEY, attr(AlbumTrack.track_title).set("x")), ["UpdateItem"]),
    ("increment", lambda db: db.increment(KEY, AlbumTrack.play_count), ["UpdateItem"]),
    ("delete", lambda db: db.delete(track(1)), ["DeleteItem"]),
    ("delete_key", lambda db: db.delete_key(KEY), ["DeleteItem"]),
    ("save, token", lambda db: db.put(track(1), idempotency_token=uuid4().hex), ["TransactWriteItems"]),
    (
        "increment, token",
        lambda db: db.increment(KEY, AlbumTrack.play_count, idempotency_token=uuid4().hex),
        ["TransactWriteItems", "GetItem"],
    ),
    ("query", lambda db: db.music.album_tracks.query(ALL), ["Query"]),
    ("query of nothing", lambda db: db.music.album_tracks.query(LessThan(AlbumTrack.Key("ALBUM_1"))), []),
    (
        "query of nothing",
        lambda db: db.music.album_tracks.count(Between(KEY, AlbumTrack.Key("ALBUM_1", 0))),
        [],
    ),
    ("query_all, unread", lambda db: db.music.album_tracks.query_all(ALL), []),
    ("query_all_contents, unread", lambda db: db.music.album_tracks.query_all_contents(ALL), []),
    ("query_all", lambda db: list(db.music.album_tracks.query_all(ALL, page_size=4)), ["Query"] * 2),
    ("query_all_contents", lambda db: list(db.music.album_tracks.query_all_contents(ALL, page_size=3)), ["Query"] * 3),
    ("limit", lambda db: list(db.music.album_tracks.query_all_contents(ALL, page_size=3, limit=3)), ["Query"]),
    ("limit 0", lambda db: list(db.music.album_tracks.query_all_contents(ALL, limit=0)), []),
    ("first item", lambda db: next(db.music.album_tracks.query_all_contents(ALL, page_size=3)), ["Query"]),
    ("count", lambda db: db.music.album_tracks.count(ALL), ["Query"]),
    ("scan", lambda db: db.music.album_tracks.scan(), ["Scan"]),
    ("scan_all, unread", lambda db: db.music.album_tracks.scan_all(), []),
    ("scan_all", lambda db: list(db.music.album_tracks.scan_all(page_size=5)), ["Scan"] * 2),
    ("parallel_scan, unread", lambda db: db.music.album_tracks.parallel_scan(4), []),
    ("parallel_scan", lambda db: list(db.music.album_tracks.parallel_scan(4)), ["Scan"] * 4),
    ("collection", lambda db: db.music.albums.query(AlbumInfo.Key("ALBUM_1")), ["Query"]),
    ("raw load", lambda db: db.music.raw.load(MusicItem(partition_key="a", sort_key="b")), ["GetItem"]),
    ("raw put", lambda db: db.music.raw.put(MusicItem(partition_key="a", sort_key="b")), ["PutItem"]),
    ("raw delete", lambda db: db.music.raw.delete(MusicItem(partition_key="a", sort_key="b")), ["DeleteItem"]),
    ("raw scan", lambda db: db.music.raw.scan(), ["Scan"]),
]


@pytest.mark.parametrize(
    ("call", "operations"), [(call, made) for _, call, made in CALLS], ids=[name for name, *_ in CALLS]
)
def test_requests(db: MusicDb, recorder: Any, call: Callable[[MusicDb], Any], operations: list[str]) -> None:
    with recorder(db) as requests:
        call(db)
    assert [operation for operation, _ in requests] == operations


def test_a_lost_condition_costs_no_read(db: MusicDb, recorder: Any) -> None:
    with recorder(db) as requests, pytest.raises(ConditionFailed) as error:
        db.save(track(1, "Lost"), attr(AlbumTrack.track_title) == "Other")
    assert error.value.item == track(1)
    assert [operation for operation, _ in requests] == ["UpdateItem"]
