"""Queries of the table, its indexes and its item collections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from examples.music.models import AlbumInfo, AlbumTrack, MusicDb, MusicItem, PlaylistInfo
from logicaldb import (
    AtLeast,
    AtMost,
    BeginsWith,
    Between,
    EncodingError,
    EqualTo,
    GreaterThan,
    IncompleteKey,
    InvalidCursor,
    KeyCondition,
    LessThan,
    Offset,
    attr,
)
from tests.integration.music import album, make_db, track
from tests.modes import Mode


@pytest.fixture
def db(mode: Mode) -> MusicDb:
    db = make_db(mode)
    db.save(album("ALBUM_1"))
    db.save(album("ALBUM_2", label=None))
    db.save(album("ALBUM_3", artist="Nirvana", genre="Grunge", label="DGC"))
    for number in range(1, 8):
        db.save(track(number, seconds=60 * number))
        db.save(track(number, album="ALBUM_2"))
    db.save(PlaylistInfo(playlist_token="ALBUM_9", playlist_name="Album, not"))
    # Neighbours in the order of the keys, which no query for tracks may return.
    for sort_key in ("TRACJ_9", "TRACK", "TRACK`", "TRACL_0", "A", "Z"):
        db.music.raw.put(MusicItem(partition_key="ALBUM_1", sort_key=sort_key))
    return db


Key = AlbumTrack.Key


@pytest.mark.parametrize(
    ("condition", "numbers"),
    [
        (BeginsWith(Key("ALBUM_1")), [1, 2, 3, 4, 5, 6, 7]),
        (BeginsWith(Key("ALBUM_1", 3)), [3]),
        (EqualTo(Key("ALBUM_1", 3)), [3]),
        (EqualTo(Key("ALBUM_1", 30)), []),
        (LessThan(Key("ALBUM_1", 3)), [1, 2]),
        (AtMost(Key("ALBUM_1", 3)), [1, 2, 3]),
        (GreaterThan(Key("ALBUM_1", 5)), [6, 7]),
        (AtLeast(Key("ALBUM_1", 5)), [5, 6, 7]),
        (LessThan(Key("ALBUM_1")), []),
        (AtMost(Key("ALBUM_1")), [1, 2, 3, 4, 5, 6, 7]),
        (GreaterThan(Key("ALBUM_1")), []),
        (AtLeast(Key("ALBUM_1")), [1, 2, 3, 4, 5, 6, 7]),
        (Between(Key("ALBUM_1", 3), Key("ALBUM_1", 5)), [3, 4, 5]),
        (Between(Key("ALBUM_1", 5), Key("ALBUM_1", 3)), []),
        (Between(Key("ALBUM_1"), Key("ALBUM_1", 2)), [1, 2]),
        (Between(Key("ALBUM_1", 6), Key("ALBUM_1")), [6, 7]),
        (Between(Key("ALBUM_1"), Key("ALBUM_1")), [1, 2, 3, 4, 5, 6, 7]),
        (BeginsWith(Key("NO_ALBUM")), []),
    ],
    ids=repr,
)
def test_key_conditions(db: MusicDb, condition: KeyCondition[AlbumTrack.Key], numbers: list[int]) -> None:
    tracks = db.music.album_tracks
    assert [item.track_number for item in tracks.query_all_contents(condition)] == numbers
    assert [item.track_number for item in tracks.query_all_contents(condition, asc=False)] == numbers[::-1]
    for page_size in (1, 2, 3):
        assert [item.track_number for item in tracks.query_all_contents(condition, page_size=page_size)] == numbers
    assert tracks.count(condition) == len(numbers)
    assert all(item.album_token == "ALBUM_1" for item in tracks.query(condition).contents)


def test_pages_go_on_where_they_ended(db: MusicDb) -> None:
    condition = BeginsWith(Key("ALBUM_1"))
    first = db.music.album_tracks.query(condition, page_size=3)
    assert [item.track_number for item in first.contents] == [1, 2, 3]
    assert first.has_more_pages
    assert first.offset == Offset(Key("ALBUM_1", 3))
    second = db.music.album_tracks.query(condition, page_size=3, initial_offset=first.offset)
    assert [item.track_number for item in second.contents] == [4, 5, 6]
    by_hand = db.music.album_tracks.query(condition, initial_offset=Offset(Key("ALBUM_1", 6)))
    assert [item.track_number for item in by_hand.contents] == [7]
    assert by_hand.offset is None
    assert not by_hand.has_more_pages
    backwards = db.music.album_tracks.query(condition, asc=False, initial_offset=Offset(Key("ALBUM_1", 3)))
    assert [item.track_number for item in backwards.contents] == [2, 1]


def test_offsets_that_lead_nowhere(db: MusicDb) -> None:
    condition = BeginsWith(Key("ALBUM_1"))
    with pytest.raises(IncompleteKey) as error:
        db.music.album_tracks.query(condition, initial_offset=Offset(Key("ALBUM_1")))
    assert str(error.value) == (
        "AlbumTrack.Key(album_token='ALBUM_1', track_number=None) lacks track_number; a whole key is needed here"
    )
    with pytest.raises(EncodingError) as other:
        db.music.album_tracks.query(condition, initial_offset=Offset(Key("ALBUM_2", 1)))
    assert str(other.value) == (
        "Offset(AlbumTrack.Key(album_token='ALBUM_2', track_number=1)): is of another partition than the key condition"
    )


def test_a_filter_drops_rows_after_the_page_size(db: MusicDb) -> None:
    longer = attr(AlbumTrack.run_length) > track(1, seconds=300).run_length
    page = db.music.album_tracks.query(BeginsWith(Key("ALBUM_1")), page_size=5, filter_expression=longer)
    assert page.contents == []
    assert page.has_more_pages
    found = db.music.album_tracks.query_all_contents(BeginsWith(Key("ALBUM_1")), page_size=5, filter_expression=longer)
    assert [item.track_number for item in found] == [6, 7]
    assert db.music.album_tracks.count(BeginsWith(Key("ALBUM_1")), filter_expression=longer) == 2


def test_limit_counts_items(db: MusicDb) -> None:
    condition = BeginsWith(Key("ALBUM_1"))
    for limit in range(9):
        found = list(db.music.album_tracks.query_all_contents(condition, page_size=2, limit=limit))
        assert [item.track_number for item in found] == [1, 2, 3, 4, 5, 6, 7][:limit]


def test_albums_by_artist(db: MusicDb) -> None:
    by_artist = db.music.album_info_by_artist
    page = by_artist.query(BeginsWith(AlbumInfo.ArtistIndexOffset("Pink Floyd")))
    assert page.contents == [album("ALBUM_1"), album("ALBUM_2", label=None)]
    first = by_artist.query(BeginsWith(AlbumInfo.ArtistIndexOffset("Pink Floyd")), page_size=1)
    assert first.offset == Offset(AlbumInfo.ArtistIndexOffset("Pink Floyd", "ALBUM_1"))
    rest = by_artist.query(BeginsWith(AlbumInfo.ArtistIndexOffset("Pink Floyd")), initial_offset=first.offset)
    assert rest.contents == [album("ALBUM_2", label=None)]
    one = by_artist.query(EqualTo(AlbumInfo.ArtistIndexOffset("Pink Floyd", "ALBUM_2")))
    assert one.contents == [album("ALBUM_2", label=None)]
    assert by_artist.count(AtMost(AlbumInfo.ArtistIndexOffset("Pink Floyd", "ALBUM_1"))) == 1


def test_an_index_returns_no_rows_of_other_types(db: MusicDb) -> None:
    # Tracks and playlists with stray attributes, so that they stand in the index too.
    db.music.raw.put(MusicItem(partition_key="ALBUM_4", sort_key="TRACK_0000000000000001", artist_name="Pink Floyd"))
    db.music.raw.put(MusicItem(partition_key="P", sort_key="OTHER_", artist_name="Pink Floyd"))
    found = db.music.album_info_by_artist.query_all_contents(
        BeginsWith(AlbumInfo.ArtistIndexOffset("Pink Floyd")), page_size=1
    )
    assert [info.album_token for info in found] == ["ALBUM_1", "ALBUM_2"]


def test_titles_by_prefix(db: MusicDb) -> None:
    db.save(track(20, "I want you"))
    db.save(track(21, "I want more"))
    db.save(track(22, "I won"))
    by_title = db.music.album_tracks_by_title
    found = by_title.query(BeginsWith(AlbumTrack.TitleIndexOffset("ALBUM_1", "I want ")), consistent_read=True)
    assert [item.track_title for item in found.contents] == ["I want more", "I want you"]
    page = by_title.query(BeginsWith(AlbumTrack.TitleIndexOffset("ALBUM_1", "I")), page_size=1)
    assert page.offset == Offset(AlbumTrack.TitleIndexOffset("ALBUM_1", "I want more", 21))
    by_hand = Offset(AlbumTrack.TitleIndexOffset("ALBUM_1", "I want you", 20))
    rest = by_title.query(BeginsWith(AlbumTrack.TitleIndexOffset("ALBUM_1")), initial_offset=by_hand, page_size=1)
    assert [item.track_title for item in rest.contents] == ["I won"]
    with pytest.raises(IncompleteKey):
        by_title.query(
            BeginsWith(AlbumTrack.TitleIndexOffset("ALBUM_1")),
            initial_offset=Offset(AlbumTrack.TitleIndexOffset("ALBUM_1", "I want you")),
        )


def test_equal_index_keys_are_each_returned_once(db: MusicDb) -> None:
    for number in range(30, 40):
        db.save(track(number, "Same"))
    condition = EqualTo(AlbumTrack.TitleIndexOffset("ALBUM_1", "Same"))
    for page_size in (1, 3, 100):
        found = db.music.album_tracks_by_title.query_all_contents(condition, page_size=page_size)
        assert sorted(item.track_number for item in found) == list(range(30, 40))


def test_a_global_index_has_no_consistent_reads(db: MusicDb) -> None:
    with pytest.raises(EncodingError) as error:
        db.music.album_info_by_artist.query(BeginsWith(AlbumInfo.ArtistIndexOffset("X")), consistent_read=True)
    assert str(error.value) == (
        "the index 'artist_album_index': is a global index, which has no consistent reads; leave consistent_read out"
    )


def test_keys_of_what_is_queried_are_no_filters(db: MusicDb) -> None:
    with pytest.raises(EncodingError) as error:
        db.music.album_tracks.query(BeginsWith(Key("ALBUM_1")), filter_expression=attr(AlbumTrack.track_number) == 1)
    assert str(error.value) == (
        "AlbumTrack.track_number: is a key of MusicTable, and DynamoDB does not filter by the keys of what is queried; "
        "use a key condition"
    )
    found = db.music.album_tracks.scan(filter_expression=attr(AlbumTrack.track_number) == 1)
    assert [(item.album_token, item.track_number) for item in found.contents] in (
        [("ALBUM_1", 1), ("ALBUM_2", 1)],
        [("ALBUM_2", 1), ("ALBUM_1", 1)],
    )


def test_a_collection_returns_each_type_as_its_own(db: MusicDb) -> None:
    items = db.music.albums.query(AlbumInfo.Key("ALBUM_1")).contents
    assert items == [album("ALBUM_1"), *(track(number, seconds=60 * number) for number in range(1, 8))]
    reversed_ = db.music.albums.query_all_contents(AlbumInfo.Key("ALBUM_1"), asc=False, page_size=2, limit=3)
    assert [item.track_number for item in reversed_ if isinstance(item, AlbumTrack)] == [7, 6, 5]
    assert db.music.albums.query(AlbumInfo.Key("ALBUM_9")).contents == []
    pages = list(db.music.albums.query_all(AlbumInfo.Key("ALBUM_1"), page_size=4))
    assert sum(len(page.contents) for page in pages) == 8
    long_ = attr(AlbumTrack.run_length) > track(1, seconds=300).run_length
    assert len(db.music.albums.query(AlbumInfo.Key("ALBUM_1"), filter_expression=long_).contents) == 2


def test_an_album_is_no_playlist(db: MusicDb) -> None:
    assert db.music.album_info.query(BeginsWith(AlbumInfo.Key("ALBUM_9"))).contents == []
    assert [item.playlist_token for item in db.music.playlist_info.scan().contents] == ["ALBUM_9"]


@pytest.mark.parametrize("page_size", [1, 4, 100])
def test_scans(db: MusicDb, page_size: int) -> None:
    tracks = list(db.music.album_tracks.scan_all_contents(page_size=page_size))
    assert sorted((item.album_token, item.track_number) for item in tracks) == [
        (token, number) for token in ("ALBUM_1", "ALBUM_2") for number in range(1, 8)
    ]
    albums = list(db.music.album_info.scan_all_contents(page_size=page_size))
    assert sorted(item.album_token for item in albums) == ["ALBUM_1", "ALBUM_2", "ALBUM_3"]
    by_title = db.music.album_tracks_by_title.scan_all_contents(page_size=page_size)
    assert len(list(by_title)) == 14
    assert len(list(db.music.album_tracks.scan_all_contents(page_size=page_size, limit=5))) == 5
    assert sum(len(page.contents) for page in db.music.album_tracks.scan_all(page_size=page_size)) == 14


@pytest.mark.parametrize("segments", [1, 3, 8])
def test_a_parallel_scan_returns_every_item_once(db: MusicDb, segments: int) -> None:
    found = [item.track_number for item in db.music.album_tracks.parallel_scan(segments, page_size=2)]
    assert sorted(found) == sorted([*range(1, 8), *range(1, 8)])


def test_cursors(db: MusicDb) -> None:
    tracks, condition = db.music.album_tracks, BeginsWith(Key("ALBUM_1"))
    page = tracks.query(condition, page_size=3)
    assert page.offset is not None
    token = tracks.to_token(page.offset, condition, secret="secret")
    assert token.isascii()
    assert not set(token) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    offset = tracks.from_token(token, condition, secret=b"secret")
    assert offset == page.offset
    assert [item.track_number for item in tracks.query(condition, initial_offset=offset).contents] == [4, 5, 6, 7]
    others: list[Callable[[], Any]] = [
        lambda: tracks.from_token(token, condition, secret="other"),
        lambda: tracks.from_token(token, condition, secret="secret", asc=False),
        lambda: tracks.from_token(token, BeginsWith(Key("ALBUM_2")), secret="secret"),
        lambda: tracks.from_token(token, AtLeast(Key("ALBUM_1", 1)), secret="secret"),
        lambda: tracks.from_token(
            token, condition, secret="secret", filter_expression=attr(AlbumTrack.track_title).exists()
        ),
        lambda: tracks.from_token(token[:-1], condition, secret="secret"),
        lambda: tracks.from_token("", condition, secret="secret"),
    ]
    for other in others:
        with pytest.raises(InvalidCursor):
            other()
