"""Direct transports on moto: the whole example, and no request leaves the process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import pytest

from examples.music.models import AlbumTrack, MusicDb
from logicaldb import AsyncDirectTransport, BatchWriteSet, BeginsWith, DirectTransport, ItemAlreadyExists
from logicaldb.testing import LogicalDbFactory
from logicaldb.testing.plugin import dbs_of
from tests.engines import moto
from tests.modes import Loop, Mode


@pytest.fixture
def sealed(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """No connection can be made."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection is made")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", refuse)


@pytest.fixture(params=["blocking", "awaited"])
def db(request: pytest.FixtureRequest, loop: Loop, sealed: None) -> Generator[MusicDb]:
    with moto() as client, dbs_of(client) as logical_db:
        yield mode_of(request.param, client, logical_db, loop).make(MusicDb)


def mode_of(kind: str, client: Any, logical_db: LogicalDbFactory, loop: Loop) -> Mode:
    if kind == "blocking":
        return Mode(client, logical_db, DirectTransport.from_client(client))
    return Mode(client, logical_db, AsyncDirectTransport.from_client(client), loop)


def track(number: int) -> AlbumTrack:
    return AlbumTrack(album_token="ALBUM_1", track_number=number, track_title="Dogs", run_length=timedelta(minutes=17))


def test_everything_goes_to_moto(db: MusicDb) -> None:
    db.save(track(1))
    with pytest.raises(ItemAlreadyExists):
        db.create(track(1))
    with db.transaction() as writes:
        writes.save(track(2))
        writes.save(track(3))
    db.batch_write(BatchWriteSet().clobber(*(track(number) for number in range(4, 40))))
    keys = [AlbumTrack.Key("ALBUM_1", number) for number in range(1, 40)]
    assert [one.track_number for one in db.batch_load(keys).get_items(AlbumTrack)] == list(range(1, 40))
    assert len(db.transaction_load(keys[:3])) == 3
    page = db.music.album_tracks.query(BeginsWith(AlbumTrack.Key("ALBUM_1")), page_size=5)
    assert (len(page.contents), page.has_more_pages) == (5, True)
    assert db.delete_key(keys[0]) is not None
    assert db.load(keys[0]) is None
