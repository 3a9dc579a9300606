"""The music example on DynamoDB Local, where its threads and writers really meet."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from typer.testing import CliRunner

from examples.music.cli import app
from examples.music.editing import add_track
from examples.music.models import AlbumTrack, MusicDb, PlaylistInfo
from examples.music.playing import play
from logicaldb import ItemNotFound, VersionConflict
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
