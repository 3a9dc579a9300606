"""Tests of ``explain``: what it says is sent is what is sent, and explaining sends nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest

import logicaldb
from examples.music.models import AlbumInfo, AlbumTrack, AsyncMusicDb, MusicDb, PlaylistInfo
from logicaldb import (
    BatchWriteSet,
    BeginsWith,
    DuplicateItem,
    Explanation,
    IncompleteKey,
    LogicalDb,
    TransactionWriteSet,
    Units,
    attr,
)
from logicaldb.explaining import explanation
from logicaldb.explanations import CollectionExplanations, DbExplanations, IndexExplanations, ViewExplanations
from logicaldb.testing import in_process_dynamodb
from tests.engines import record

TRACK = AlbumTrack(album_token="ALBUM_1", track_number=1, track_title="Ü", run_length=timedelta(minutes=4))
KEY = AlbumTrack.Key("ALBUM_1", 1)
PLAYLIST = PlaylistInfo(playlist_token="PLAYLIST_1", playlist_name="One")
OF_ALBUM = BeginsWith(AlbumTrack.Key("ALBUM_1"))
OF_ARTIST = BeginsWith(AlbumInfo.ArtistIndexOffset("Nobody"))
FILTER = attr(AlbumTrack.play_count) > 3


@pytest.fixture(params=[MusicDb, AsyncMusicDb])
def db(request: pytest.FixtureRequest) -> Any:
    """A db of each mode, whose requests would go nowhere."""
    return request.param(boto3.client("dynamodb", endpoint_url="http://127.0.0.1:9"))


Call = Callable[[Any, Callable[[Any], Any]], Any]
CALLS: dict[str, Call] = {
    "load": lambda db, _: db.music.album_tracks.load(KEY, consistent_read=True),
    "save": lambda db, _: db.music.album_tracks.save(TRACK),
    "save_if": lambda db, _: db.music.playlist_info.save(PLAYLIST),
    "create": lambda db, _: db.music.album_info.create(
        AlbumInfo(
            album_token="ALBUM_1",
            album_title="One",
            artist_name="Two",
            release_date="2026-01-01",  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            genre_name="Three",
        )
    ),
    "put": lambda db, _: db.music.album_tracks.put(TRACK, attr(AlbumTrack.track_title).not_exists()),
    "update": lambda db, _: db.music.album_tracks.update(KEY, attr(AlbumTrack.track_title).set("x"), upsert=False),
    "increment": lambda db, _: db.music.album_tracks.increment(KEY, AlbumTrack.play_count, 2),
    "delete_key": lambda db, _: db.music.album_tracks.delete_key(KEY),
    "query": lambda db, _: db.music.album_tracks.query(OF_ALBUM, filter_expression=FILTER),
    "query_all": lambda db, every: every(db.music.album_tracks.query_all(OF_ALBUM, page_size=7)),
    "query_all_contents": lambda db, every: every(db.music.album_info_by_artist.query_all_contents(OF_ARTIST, limit=3)),
    "count": lambda db, _: db.music.album_tracks.count(OF_ALBUM),
    "scan": lambda db, _: db.music.album_info_by_artist.scan(),
    "scan_all": lambda db, every: every(db.music.album_tracks.scan_all(consistent_read=True)),
    "scan_all_contents": lambda db, every: every(db.music.album_tracks.scan_all_contents()),
    "collection": lambda db, _: db.music.albums.query(AlbumInfo.Key("ALBUM_1"), asc=False),
    "collection_all": lambda db, every: every(db.music.albums.query_all(AlbumInfo.Key("ALBUM_1"))),
    "collection_contents": lambda db, every: every(db.music.albums.query_all_contents(AlbumInfo.Key("ALBUM_1"))),
    "db.load": lambda db, _: db.load(KEY),
    "db.save": lambda db, _: db.save(TRACK),
    "transaction_load": lambda db, _: db.transaction_load(KEY, PlaylistInfo.Key("P")),
    "batch_load": lambda db, _: db.batch_load(AlbumTrack.Key("A", number) for number in range(70)),
    "batch_write": lambda db, _: db.batch_write(BatchWriteSet().clobber(TRACK).delete(PlaylistInfo.Key("P"))),
}


class _Views:
    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name).explain


class Explained:
    """A db each of whose methods is its explanation."""

    def __init__(self, db: Any) -> None:
        self._db = db
        self.music = _Views(db.music)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db.explain, name)


def itself(value: Any) -> Any:
    return value


@pytest.mark.parametrize("name", CALLS)
def test_what_is_explained_is_what_is_sent(name: str) -> None:
    with in_process_dynamodb("eu-central-1") as client:
        db = MusicDb(client)
        db.create_tables()
        db.save(TRACK)
        db.delete_key(KEY) if name in {"put", "create"} else None
        with record(client) as sent:
            said: Explanation = CALLS[name](Explained(db), itself)
            assert sent == []
            CALLS[name](db, list)
        assert [(one.operation, one.body) for one in said.requests] == sent
        assert CALLS[name](Explained(AsyncMusicDb(client)), itself) == said


def test_each_segment_of_a_parallel_scan_is_explained(db: Any) -> None:
    said = db.music.album_tracks.explain.parallel_scan(3, page_size=10)
    assert [(one.operation, one.body["Segment"], one.body["Limit"]) for one in said.requests] == [
        ("Scan", 0, 10),
        ("Scan", 1, 10),
        ("Scan", 2, 10),
    ]


def test_a_write_under_a_token_is_two_requests(db: Any) -> None:
    said = db.music.album_tracks.explain.save(TRACK, idempotency_token="abc")
    assert [one.operation for one in said.requests] == ["TransactWriteItems", "GetItem"]
    assert said.units == Units(read=1, write=2)
    assert said.notes[0] == "a write in a transaction costs twice what it costs alone"


def test_a_transaction_and_more_than_one_batch(db: Any) -> None:
    writes = (
        TransactionWriteSet()
        .save(TRACK)
        .check_condition(PlaylistInfo.Key("P"), attr(PlaylistInfo.playlist_name).exists())
    )
    said = db.explain.transaction_write(writes)
    assert [one.operation for one in said.requests] == ["TransactWriteItems"]
    assert said.units == Units(write=4)
    said = db.explain.batch_load([AlbumTrack.Key("A", number) for number in range(250)])
    assert [len(one.body["RequestItems"]["music_items"]["Keys"]) for one in said.requests] == [100, 100, 50]
    assert said.units == Units(read=125)


def test_a_set_that_is_explained_stays_open(db: Any) -> None:
    writes = TransactionWriteSet().save(TRACK)
    said = db.explain.transaction_write(writes)
    assert writes.delete_key(PlaylistInfo.Key("P")).size == 2
    assert len(said.requests[0].body["TransactItems"]) == 1


@pytest.mark.parametrize("size", [0, -5, "a", None])
def test_an_item_size_that_is_none(db: Any, size: Any) -> None:
    with pytest.raises(ValueError, match="item_size") as refused:
        db.music.album_tracks.explain.assuming(item_size=size)
    assert str(refused.value) == f"item_size={size!r} is no number of bytes above 0"


def test_what_is_refused_is_refused(db: Any) -> None:
    with pytest.raises(IncompleteKey):
        db.music.album_tracks.explain.load(AlbumTrack.Key("A"))
    with pytest.raises(TypeError, match="a key is due"):
        db.explain.load("A")
    with pytest.raises(DuplicateItem):
        db.explain.transaction_write(TransactionWriteSet().save(TRACK).delete_key(KEY))
    with pytest.raises(AttributeError):
        db.music.album_tracks.explain.no_such_method  # noqa: B018
    with pytest.raises(AttributeError):
        db.music.album_tracks.explain._transport  # noqa: B018


def test_what_needs_no_request_is_none(db: Any) -> None:
    said = db.music.album_tracks.explain.query(logicaldb.Between(AlbumTrack.Key("A", 2), AlbumTrack.Key("A", 1)))
    assert said == Explanation((), (), ())
    assert str(said) == "no request is sent"
    assert said.units == Units()


def test_it_is_printed(db: Any) -> None:
    said = db.music.album_info_by_artist.explain.assuming(item_size=300).scan(
        page_size=1000, filter_expression=attr(AlbumInfo.genre_name) == 'Ro"ck'
    )
    (request,) = said.requests
    assert (request.table, request.index, request.units) == ("music_items", "artist_album_index", Units(read=37))
    assert request.filter == '(sort_key = "INFO_") AND (genre_name = "Ro\\"ck")'
    text = str(said)
    assert text.startswith('Scan of music_items, index artist_album_index: about 37 read units\n  {\n    "TableName"')
    assert "\nwarning: a scan reads every row of artist_album_index, and is paid for every row\n" in text
    assert "\nnote: rows are read and paid for, and then left out, unless " in text
    assert text.endswith("were taken to have 300 bytes")


def test_a_filter_is_told_with_its_names_and_values(db: Any) -> None:
    said = db.music.album_tracks.explain.query(OF_ALBUM, filter_expression=FILTER)
    assert said.requests[0].filter == "play_count > 3"
    assert said.warnings == ()
    assert said.notes == (
        "rows are read and paid for, and then left out, unless play_count > 3",
        "this is the first page; each further one is a request like it, from where the one before ended",
        "rows of which the request does not tell how big they are were taken to have 1024 bytes",
    )


def test_what_is_no_placeholder_is_left_as_it_is() -> None:
    body = {"FilterExpression": "#a = :unknown", "ExpressionAttributeNames": {"#a": "b"}, "Limit": 1}
    assert explanation([("Query", "t", body)], 1).requests[0].filter == "b = :unknown"


def test_a_put_is_estimated_by_its_size(db: Any) -> None:
    long = PLAYLIST.replace(playlist_name="x" * 2900)
    said = db.music.playlist_info.explain.put(long)
    assert said.units == Units(write=3)
    assert said.notes == (
        "a write also costs units in every index whose entry of the row it changes; these are not counted",
    )
    assert "about 3 write units" in str(said)
    assert "about no units" in str(explanation([("CreateTable", "t", {})], 1))


def parameters(function: Callable[..., Any]) -> list[Any]:
    return [
        (parameter.name, parameter.kind, parameter.default)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in {"executor", "self"}
    ]


@pytest.mark.parametrize(
    ("explanations", "kind", "left_out"),
    [
        (CollectionExplanations, logicaldb.CollectionView, set[str]()),
        (IndexExplanations, logicaldb.IndexView, set[str]()),
        (ViewExplanations, logicaldb.View, set[str]()),
        (
            DbExplanations,
            LogicalDb,
            # They are lazy without end, or several calls.
            {
                "create_tables",
                "transaction",
                "batch_load_all",
                "batch_write_all",
                "save_all",
                "transaction_writing_pager",
            },
        ),
    ],
)
def test_every_method_can_be_explained(explanations: type[Any], kind: type[Any], left_out: set[str]) -> None:
    """With the same parameters."""
    methods = {
        name: value
        for name, value in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_") and name not in {"to_token", "from_token", "track_capacity"}
    }
    assert explanations.__abstractmethods__ - {"assuming"} == methods.keys() - left_out
    for name in methods.keys() - left_out:
        assert parameters(getattr(explanations, name)) == parameters(methods[name]), name
