"""The music example on DynamoDB Local, where its threads and writers really meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from typer.testing import CliRunner

from examples.music.adding import AddedPage, AddTracks
from examples.music.cli import app
from examples.music.editing import add_track
from examples.music.models import AlbumTrack, MusicDb, PlaylistInfo
from examples.music.playing import play
from logicaldb import ItemNotFound, TransactionCanceled, TransactionWriteSet, VersionConflict, attr
from logicaldb.testing import DynamoDbLocal

OUTPUT = Path(__file__).with_name("music_demo.txt").read_text(encoding="utf-8").splitlines()
PLAIN = {"FORCE_COLOR": None, "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}
PLAYLIST = PlaylistInfo.Key("PLAYLIST_shared")
TRACK = AlbumTrack.Key("ALBUM_kind-of-blue", 1)


@pytest.fixture
def db(local_client: Any, new_name: Callable[[], str]) -> MusicDb:
    name = new_name()
    db = MusicDb(local_client, table_name_resolver=lambda _table, _declared: name)
    db.create_tables()
    return db


def test_the_demo_and_the_commands_at_an_endpoint(dynamodb_local: DynamoDbLocal, new_name: Callable[[], str]) -> None:
    def run(*command: str) -> list[str]:
        where = ("--endpoint-url", dynamodb_local.endpoint_url, "--table-name", table)
        outcome = CliRunner().invoke(app, [*command, *where], env=PLAIN, catch_exceptions=False)
        assert outcome.exit_code == 0
        return [line.rstrip() for line in outcome.stdout.splitlines()]

    table = new_name()
    assert run("demo") == OUTPUT
    assert run("play", TRACK.album_token, "1", "--listeners", "8", "--times", "10")[3:] == [
        "│ Play count                 │     │",
        "├────────────────────────────┼─────┤",
        "│ before                     │ 200 │",
        "│ 8 listeners, 10 plays each │ +80 │",
        "│ after                      │ 280 │",
        "╰────────────────────────────┴─────╯",
    ]
    assert run("playlist", "add", "PLAYLIST_demo", TRACK.album_token, "1", "--at", "1")[:2] == [
        "Long Way Home  PLAYLIST_demo",
        "  ALBUM_kind-of-blue, track 1",
    ]
    assert run("playlist", "add-album", "PLAYLIST_demo", "ALBUM_blue", "ALBUM_heroes", "ALBUM_time-out")[1:] == [
        "╭──────┬──────────────┬───────────────╮",
        "│ Page │ Tracks added │ Tracks in all │",
        "├──────┼──────────────┼───────────────┤",
        "│    1 │           24 │           100 │",
        "│    2 │            3 │           103 │",
        "╰──────┴──────────────┴───────────────╯",
        "7 requests (2 GetItem, 3 Query, 2 TransactWriteItems)",
    ]


def test_every_play_of_every_listener_is_counted(db: MusicDb) -> None:
    played: list[None] = []
    db.create(
        AlbumTrack(
            album_token=TRACK.album_token, track_number=1, track_title="So What", run_length=timedelta(seconds=562)
        )
    )
    play(db, TRACK, listeners=10, times=20, on_play=lambda: played.append(None))
    stored = db.load(TRACK, consistent_read=True)
    assert stored is not None
    assert (stored.play_count, len(played)) == (200, 200)


def test_what_a_listener_cannot_play_is_raised(db: MusicDb) -> None:
    with pytest.raises(ItemNotFound) as raised:
        play(db, TRACK, listeners=3, times=2)
    assert raised.value.key == TRACK


def test_no_track_of_any_writer_is_lost(db: MusicDb) -> None:
    writers, each = 6, 5
    start = Barrier(writers)
    loaded = db.create(PlaylistInfo(playlist_token=PLAYLIST.playlist_token, playlist_name="Shared"))
    retries: list[VersionConflict] = []

    def write(writer: int) -> None:
        playlist = loaded
        start.wait(timeout=60)
        for number in range(1, each + 1):
            track = AlbumTrack.Key(f"ALBUM_of-writer-{writer}", number)
            playlist = add_track(db, playlist, track, place=1, on_retry=retries.append)

    with ThreadPoolExecutor(writers) as threads:
        list(threads.map(write, range(writers)))
    stored = db.load(PLAYLIST, consistent_read=True)
    assert stored is not None
    assert stored.playlist_version == 1 + writers * each
    assert len(retries) >= writers - 1  # all began with the same version
    for writer in range(writers):
        own = [key.track_number for key in stored.playlist_tracks if key.album_token == f"ALBUM_of-writer-{writer}"]
        assert own == [5, 4, 3, 2, 1]


def stored_tracks(db: MusicDb) -> tuple[list[AlbumTrack.Key], int]:
    """The tracks of the playlist, and its version."""
    stored = db.load(PLAYLIST, consistent_read=True)
    assert stored is not None
    return stored.playlist_tracks, stored.playlist_version


def album_of(db: MusicDb, tracks: int) -> list[AlbumTrack.Key]:
    """Keys of tracks that exist, and an empty playlist for them."""
    album = [
        AlbumTrack(
            album_token="ALBUM_endless",
            track_number=number,
            track_title=f"No. {number}",
            run_length=timedelta(minutes=1),
        )
        for number in range(1, tracks + 1)
    ]
    db.save_all(album)
    db.create(PlaylistInfo(playlist_token=PLAYLIST.playlist_token, playlist_name="Shared"))
    return [AlbumTrack.Key.of(track) for track in album]


def test_tracks_cost_one_read_and_one_write_a_page(
    db: MusicDb, recorder: Callable[[Any], AbstractContextManager[list[tuple[str, Any]]]]
) -> None:
    tracks = album_of(db, 67)
    told: list[AddedPage] = []
    pager = db.transaction_writing_pager(tracks, AddTracks(db, PLAYLIST, on_page=told.append))
    with recorder(db) as requests:
        pager.execute()
    assert [operation for operation, _ in requests] == ["GetItem", "TransactWriteItems"] * 3
    assert all(body["ConsistentRead"] for _, body in requests[::2])
    actions = [[action for entry in body["TransactItems"] for action in entry] for _, body in requests[1::2]]
    assert actions == [["ConditionCheck"] * added + ["Update"] for added in (24, 24, 19)]
    assert [(page.added, len(page.playlist.playlist_tracks)) for page in told] == [(24, 24), (24, 48), (19, 67)]
    assert (pager.updated_count, list(pager.remaining_updates)) == (67, [])
    assert stored_tracks(db) == (tracks, 4)


def test_after_a_missing_track_the_pager_goes_on_where_it_was(db: MusicDb) -> None:
    tracks = album_of(db, 60)
    missing = AlbumTrack.Key("ALBUM_endless", 61)
    tracks[30:30] = [missing]
    handler = AddTracks(db, PLAYLIST)
    pager = db.transaction_writing_pager(tracks, handler)
    with pytest.raises(TransactionCanceled) as raised:
        pager.execute()
    [failure] = raised.value.failures
    assert (failure.operation.key, failure.index) == (missing, 6)
    assert (pager.updated_count, list(pager.remaining_updates)) == (24, tracks[24:])
    assert stored_tracks(db) == (tracks[:24], 2)
    db.create(
        AlbumTrack(album_token="ALBUM_endless", track_number=61, track_title="Coda", run_length=timedelta(minutes=1))
    )
    pager.execute()
    assert [page.added for page in handler.pages] == [24, 24, 13]
    assert stored_tracks(db) == (tracks, 4)


def test_a_missing_track_is_told_at_once_even_where_another_writer_was_faster(db: MusicDb) -> None:
    tracks = [*album_of(db, 2), AlbumTrack.Key("ALBUM_endless", 3)]

    class Overtaken(AddTracks):
        def finish_page(self, writes: TransactionWriteSet, applied: Sequence[AlbumTrack.Key]) -> None:
            super().finish_page(writes, applied)
            db.update(PLAYLIST, attr(PlaylistInfo.playlist_name).set("Theirs"))

    retries: list[VersionConflict] = []
    pager = db.transaction_writing_pager(tracks, Overtaken(db, PLAYLIST, on_retry=retries.append))
    with pytest.raises(TransactionCanceled) as raised:
        pager.execute()
    assert [(failure.operation.key, failure.index) for failure in raised.value.failures] == [
        (tracks[2], 2),
        (PLAYLIST, 3),
    ]
    assert (retries, stored_tracks(db)) == ([], ([], 2))


def test_tracks_for_a_playlist_that_is_not_there(db: MusicDb) -> None:
    pager = db.transaction_writing_pager([TRACK], AddTracks(db, PLAYLIST))
    with pytest.raises(ItemNotFound) as raised:
        pager.execute()
    assert (str(raised.value), raised.value.key) == ("there is no playlist PLAYLIST_shared", PLAYLIST)


def test_no_page_of_any_writer_is_lost(db: MusicDb) -> None:
    writers = 3
    tracks = album_of(db, 60)
    start = Barrier(writers)
    retries: list[VersionConflict] = []

    class Together(AddTracks):
        waited = False

        def before_page(self, remaining_updates: Sequence[AlbumTrack.Key], max_transaction_items: int) -> int:
            count = super().before_page(remaining_updates, max_transaction_items)
            if not self.waited:
                self.waited = True
                start.wait(timeout=60)
            return count

    def write(writer: int) -> list[AddedPage]:
        own = tracks[writer * 20 : (writer + 1) * 20]
        handler = Together(db, PLAYLIST, on_retry=retries.append)
        db.transaction_writing_pager(own, handler, max_transaction_items=8).execute()
        return handler.pages

    with ThreadPoolExecutor(writers) as threads:
        pages = list(threads.map(write, range(writers)))
    assert [[page.added for page in of_one] for of_one in pages] == [[7, 7, 6]] * writers
    assert len(retries) >= writers - 1  # all began with the same version
    stored, version = stored_tracks(db)
    assert version == 1 + sum(map(len, pages))
    for writer in range(writers):
        own = tracks[writer * 20 : (writer + 1) * 20]
        assert [key for key in stored if key in own] == own
    assert len(stored) == len(tracks)
    # A page that came too late was written after the one that overtook it, whole and in one piece.
    assert all(
        stored[len(page.playlist.playlist_tracks) - page.added : len(page.playlist.playlist_tracks)]
        == page.playlist.playlist_tracks[-page.added :]
        for of_one in pages
        for page in of_one
    )
