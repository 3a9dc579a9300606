"""Watching requests on DynamoDB Local: what they consume, and what is told of them, in each mode."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ClientError

from examples.music.models import AlbumInfo, AlbumTrack, MusicDb, PlaylistInfo
from logicaldb import (
    BatchWriteSet,
    BeginsWith,
    ConditionFailed,
    DirectTransport,
    LogicalDb,
    RequestEvent,
    TransactionWriteSet,
    Units,
    attr,
    item_size,
)
from logicaldb.testing import LogicalDbFactory
from tests.modes import Mode


class Nothing(LogicalDb):
    """A db without tables."""


class Raw:
    """The body of an answer that has none."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Nothing."""
        yield b"{}"


TRACKS = [
    AlbumTrack(
        album_token="ALBUM_1", track_number=number, track_title=f"Title {number}", run_length=timedelta(minutes=3)
    )
    for number in range(1, 31)
]
KEYS = [AlbumTrack.Key.of(track) for track in TRACKS]
OF_ALBUM = BeginsWith(AlbumTrack.Key("ALBUM_1"))


@pytest.fixture
def db(local_mode: Mode) -> Any:
    db = local_mode.make(MusicDb)
    db.batch_write(BatchWriteSet().clobber(*TRACKS))
    return db


def table_of(db: Any) -> str:
    name: str = db.music.table_name
    return name


def test_what_reads_consume(db: Any) -> None:
    with db.track_capacity() as one:
        db.music.album_tracks.load(KEYS[0])
    assert (one.read, one.write, one.requests) == (0.5, 0, 1)
    with db.track_capacity() as consistent:
        db.load(KEYS[0], consistent_read=True)
    assert consistent.read == 1
    with db.track_capacity() as pages:
        found = list(db.music.album_tracks.query_all_contents(OF_ALBUM, page_size=10))
    assert len(found) == 30
    assert pages.requests >= 3
    assert pages.read == 0.5 * 3
    with db.track_capacity() as counted:
        assert db.music.album_tracks.count(OF_ALBUM) == 30
    assert counted.read > 0
    with db.track_capacity() as transaction:
        db.transaction_load(*KEYS[:3])
    assert transaction.read == 2 * 3


def test_what_writes_consume(db: Any) -> None:
    with db.track_capacity() as saved:
        db.save(PlaylistInfo(playlist_token="P", playlist_name="x" * 1900))
    assert (saved.read, saved.write) == (0, 2)
    with db.track_capacity() as transaction:
        db.transaction_write(TransactionWriteSet().delete_key(KEYS[0]).delete_key(KEYS[1]))
    assert transaction.write == 2 * 2 * 2  # each with its entry in an index
    with db.track_capacity() as nothing:
        db.music.album_tracks.explain.load(KEYS[0])
    assert nothing.requests == 0


def test_indexes_are_told_apart(db: Any) -> None:
    album = AlbumInfo.model_validate(
        {
            "album_token": "ALBUM_1",
            "album_title": "One",
            "artist_name": "Two",
            "release_date": "2026-01-01",
            "genre_name": "Three",
        }
    )
    with db.track_capacity() as capacity:
        db.save(album)
        list(db.music.album_tracks_by_title.query_all_contents(BeginsWith(AlbumTrack.TitleIndexOffset("ALBUM_1"))))
    units = capacity.tables[table_of(db)]
    assert units.table == Units(write=1)
    assert units.indexes == {
        "artist_album_index": Units(write=1),
        "genre_album_index": Units(write=1),
        "album_track_title_index": Units(read=0.5),
    }
    assert (capacity.read, capacity.write) == (units.read, units.write) == (0.5, 3)


def test_threads_and_tasks_that_a_call_starts_count(db: Any) -> None:
    with db.track_capacity() as capacity:
        db.batch_load(KEYS, max_page_size=5)
    assert (capacity.requests, capacity.read) == (6, 15)
    with db.track_capacity() as capacity:
        assert len(list(db.music.album_tracks.parallel_scan(3))) == 30
    assert capacity.requests >= 3
    with db.track_capacity() as capacity:
        db.batch_write(BatchWriteSet().clobber(*TRACKS), max_page_size=10)
    assert capacity.requests == 3
    assert capacity.write >= 30


def test_threads_of_the_caller_count_in_a_copy_of_the_context(local_db: LogicalDbFactory) -> None:
    db = local_db(MusicDb)
    with ThreadPoolExecutor(2) as threads, db.track_capacity() as capacity:
        threads.submit(db.load, KEYS[0]).result()
        assert capacity.requests == 0
        threads.submit(contextvars.copy_context().run, db.load, KEYS[0]).result()
        assert capacity.requests == 1


@pytest.mark.parametrize("size", [1024, 1025, 4096, 4097])
def test_sizes_are_those_of_the_service(local_db: LogicalDbFactory, size: int) -> None:
    """At the borders of units, which are told to the byte."""
    db = local_db(MusicDb)
    playlist = PlaylistInfo(playlist_token="P", playlist_name="")
    playlist = playlist.replace(playlist_name="ü" + "x" * (size - item_size(playlist.replace(playlist_version=1)) - 2))
    assert item_size(playlist.replace(playlist_version=1)) == size
    with db.track_capacity() as capacity:
        db.put(playlist)
        db.load(PlaylistInfo.Key("P"), consistent_read=True)
    assert (capacity.write, capacity.read) == (-(-size // 1024), -(-size // 4096))


@pytest.fixture
def watched(local_mode: Mode) -> tuple[Any, list[RequestEvent]]:
    events: list[RequestEvent] = []
    return local_mode.make(MusicDb, on_request=events.append), events


def test_every_request_is_told(watched: tuple[Any, list[RequestEvent]]) -> None:
    db, events = watched
    events.clear()
    db.save(TRACKS[0])
    list(db.music.album_tracks_by_title.query_all_contents(BeginsWith(AlbumTrack.TitleIndexOffset("ALBUM_1"))))
    assert [(event.operation, event.table, event.index, event.error) for event in events] == [
        ("UpdateItem", table_of(db), None, None),
        ("Query", table_of(db), "album_track_title_index", None),
    ]
    assert all(0 < event.duration < 60 and event.attempts == 1 for event in events)
    assert [name for event in events for name, _ in event.capacity] == [table_of(db)] * 2
    assert "Title" not in repr(events)


def test_an_error_is_told(watched: tuple[Any, list[RequestEvent]]) -> None:
    db, events = watched
    db.save(TRACKS[0])
    events.clear()
    with pytest.raises(ConditionFailed):
        db.music.album_tracks.save(TRACKS[0], attr(AlbumTrack.track_title) == "another")
    (event,) = events
    assert isinstance(event.error, ClientError)
    assert event.error.response.get("Error", {}).get("Code") == "ConditionalCheckFailedException"


@pytest.mark.parametrize("make", [lambda client: client, DirectTransport.from_client])
def test_attempts_are_counted(local_client: Any, make: Callable[[Any], Any]) -> None:
    """Of three, the first two are answered by a hook, in the place of the service."""
    events: list[RequestEvent] = []
    failures = iter([503, 500])

    def fail(request: Any, **_: Any) -> AWSResponse | None:
        status = next(failures, None)
        return None if status is None else AWSResponse(request.url, status, HTTPHeaders(), Raw())

    local_client.meta.events.register("before-send.dynamodb.ListTables", fail)
    db = Nothing(make(local_client), on_request=events.append)
    db._transport.send("ListTables", "", b"{}")
    assert [(event.operation, event.attempts, event.error) for event in events] == [("ListTables", 3, None)]


def test_two_dbs_do_not_count_for_each_other(local_db: LogicalDbFactory) -> None:
    one, other = local_db(MusicDb), local_db(MusicDb)
    assert isinstance(other, LogicalDb)
    with one.track_capacity() as capacity:
        other.load(KEYS[0])
    assert capacity.requests == 0
