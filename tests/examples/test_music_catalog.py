from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from examples.music.catalog import BUNDLED, Catalog, CatalogError, read_catalog
from examples.music.models import AlbumInfo, AlbumTrack, PlaylistInfo

SMALL: dict[str, Any] = {
    "albums": [
        {
            "token": "ALBUM_abbey-road",
            "title": "Abbey Road",
            "artist": "The Beatles",
            "genre": "Rock",
            "released": "1969-09-26",
            "label": "Apple",
            "tracks": [{"title": "Come Together", "length": "4:19"}, {"title": "Something", "length": "3:02"}],
        },
        {
            "token": "ALBUM_in-rainbows",
            "title": "In Rainbows",
            "artist": "Radiohead",
            "genre": "Alternative Rock",
            "released": "2007-10-10",
            "tracks": [{"title": "15 Step", "length": "3:58"}],
        },
    ],
    "playlists": [
        {"token": "PLAYLIST_x", "name": "Mine", "tracks": [{"album": "ALBUM_in-rainbows", "track": 1}]},
    ],
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes | str], Path]:
    def write_file(content: bytes | str) -> Path:
        path = tmp_path / "mine.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture(scope="module")
def bundled() -> Catalog:
    return read_catalog(BUNDLED)


def test_the_bundled_catalogue_has_something_for_every_query(bundled: Catalog) -> None:
    assert len(bundled.albums) >= 12
    assert Counter(album.artist for album in bundled.albums)["Pink Floyd"] == 2
    assert Counter(album.genre for album in bundled.albums)["Jazz"] == 3
    assert Counter(album.label for album in bundled.albums)["Columbia"] == 4
    assert [album.title for album in bundled.albums if album.label is None] == ["In Rainbows"]


@pytest.mark.parametrize(
    ("token", "tracks", "published_length"),
    [
        ("ALBUM_dark-side-of-the-moon", 10, "42:50"),
        ("ALBUM_abbey-road", 17, "47:04"),
        ("ALBUM_ok-computer", 12, "53:21"),
        ("ALBUM_in-rainbows", 10, "42:38"),
        ("ALBUM_mezzanine", 11, "63:29"),
        ("ALBUM_random-access-memories", 13, "74:24"),
        ("ALBUM_heroes", 10, "40:19"),
        ("ALBUM_blue", 10, "35:41"),
        ("ALBUM_kind-of-blue", 5, "45:44"),
        ("ALBUM_time-out", 7, "38:21"),
    ],
)
def test_albums_are_complete(bundled: Catalog, token: str, tracks: int, published_length: str) -> None:
    [album] = [album for album in bundled.albums if album.token == token]
    minutes, seconds = published_length.split(":")
    assert len(album.tracks) == tracks
    assert sum((track.length for track in album.tracks), timedelta()) == timedelta(
        minutes=int(minutes), seconds=int(seconds)
    )


def test_a_file_becomes_items(write: Callable[[str], Path]) -> None:
    catalog = read_catalog(write(json.dumps(SMALL)))
    assert catalog.album_items() == [
        AlbumInfo(
            album_token="ALBUM_abbey-road",
            album_title="Abbey Road",
            artist_name="The Beatles",
            genre_name="Rock",
            release_date=date(1969, 9, 26),
            label_name="Apple",
        ),
        AlbumTrack(
            album_token="ALBUM_abbey-road",
            track_number=1,
            track_title="Come Together",
            run_length=timedelta(minutes=4, seconds=19),
        ),
        AlbumTrack(
            album_token="ALBUM_abbey-road",
            track_number=2,
            track_title="Something",
            run_length=timedelta(minutes=3, seconds=2),
        ),
        AlbumInfo(
            album_token="ALBUM_in-rainbows",
            album_title="In Rainbows",
            artist_name="Radiohead",
            genre_name="Alternative Rock",
            release_date=date(2007, 10, 10),
            label_name=None,
        ),
        AlbumTrack(
            album_token="ALBUM_in-rainbows",
            track_number=1,
            track_title="15 Step",
            run_length=timedelta(minutes=3, seconds=58),
        ),
    ]
    assert [playlist.item() for playlist in catalog.playlists] == [
        PlaylistInfo(
            playlist_token="PLAYLIST_x",
            playlist_name="Mine",
            playlist_tracks=[AlbumTrack.Key("ALBUM_in-rainbows", 1)],
        )
    ]


def test_playlists_are_optional_and_a_byte_order_mark_is_no_harm(write: Callable[[bytes], Path]) -> None:
    content = json.dumps({"albums": SMALL["albums"]}).encode()
    assert read_catalog(write(b"\xef\xbb\xbf" + content)).playlists == []


ABBEY_ROAD = "albums[0] (Abbey Road)"
IN_RAINBOWS = "albums[1] (In Rainbows)"
MINE = "playlists[0] (Mine)"


@pytest.mark.parametrize(
    ("steps", "value", "problem"),
    [
        ("albums.1.token", "in-rainbows", f"{IN_RAINBOWS}: token: should be ALBUM_ and up to 100 small letters, digits and hyphens"),
        ("playlists.0.tracks.0.track", True, f"{MINE}: tracks[0].track: should be a whole number"),
        ("albums.0.title", "\ud800", "albums[0]: title: should be text that is UTF-8"),
        ("albums.0.artist", 4, f"{ABBEY_ROAD}: artist: should be text"),
        ("albums.0.artist", "", f"{ABBEY_ROAD}: artist: should not be empty"),
        ("albums.0.artist", "x" * 201, f"{ABBEY_ROAD}: artist: should have at most 200 characters"),
        ("albums.0.genre", " Rock", f"{ABBEY_ROAD}: genre: should be one line of text without spaces around it"),
        ("albums.0.label", "Ap\x1b[31mple", f"{ABBEY_ROAD}: label: should be one line of text without spaces around it"),
        ("albums.0.title", "Abbey\nRoad", "albums[0]: title: should be one line of text without spaces around it"),
        ("albums.0.title", None, "albums[0]: title: should be text"),
        ("albums.0.released", "1969-9-26", f'{ABBEY_ROAD}: released: should be a day such as "1973-03-01"'),
        ("albums.0.released", "1969-02-29", f'{ABBEY_ROAD}: released: should be a day such as "1973-03-01"'),
        ("albums.0.released", 1969, f'{ABBEY_ROAD}: released: should be a day such as "1973-03-01"'),
        ("albums.0.tracks", [], f"{ABBEY_ROAD}: tracks: should not be empty"),
        ("albums.0.tracks", {}, f"{ABBEY_ROAD}: tracks: should be a list"),
        ("albums.0.tracks.1.length", "182", f'{ABBEY_ROAD}: tracks[1].length: should be minutes and seconds such as "4:33"'),
        ("albums.0.tracks.1.length", "3:62", f'{ABBEY_ROAD}: tracks[1].length: should be minutes and seconds such as "4:33"'),
        ("albums.0.tracks.1.length", 182, f'{ABBEY_ROAD}: tracks[1].length: should be minutes and seconds such as "4:33"'),
        ("albums.0.tracks.1", "Something", f"{ABBEY_ROAD}: tracks[1]: should be an object"),
        ("albums.0.year", 1969, f"{ABBEY_ROAD}: year: is no field of the format"),
        ("albums.0", "Abbey Road", "albums[0]: should be an object"),
        ("albums", {}, "albums: should be a list"),
        ("songs", [], "songs: is no field of the format"),
        ("playlists.0.token", "ALBUM_x", f"{MINE}: token: should be PLAYLIST_ and up to 100 small letters, digits and hyphens"),
        ("playlists.0.tracks.0.track", "1", f"{MINE}: tracks[0].track: should be a whole number"),
        ("playlists.0.tracks.0.track", 0, f"{MINE}: tracks[0].track: should be at least 1"),
        ("playlists.0.tracks.0.track", 2, f"{MINE}: tracks[0]: there is no track 2 of ALBUM_in-rainbows in this file"),
        ("playlists.0.tracks.0.album", "ALBUM_y", f"{MINE}: tracks[0]: there is no track 1 of ALBUM_y in this file"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_named(write: Callable[[str], Path], steps: str, value: Any, problem: str) -> None:
    content = copy.deepcopy(SMALL)
    *parents, last = [int(step) if step.isdigit() else step for step in steps.split(".")]
    place: Any = content
    for step in parents:
        place = place[step]
    place[last] = value
    path = write(json.dumps(content))
    with pytest.raises(CatalogError) as raised:
        read_catalog(path)
    assert str(raised.value) == f"{path}: {problem}"


def test_a_repeated_token_is_named_with_its_first_place(write: Callable[[str], Path]) -> None:
    path = write(json.dumps({"albums": SMALL["albums"] * 2, "playlists": SMALL["playlists"] * 2}))
    with pytest.raises(CatalogError) as raised:
        read_catalog(path)
    assert str(raised.value).splitlines() == [
        f"{path}: albums[2] (Abbey Road): token: ALBUM_abbey-road is the token of albums[0] (Abbey Road) already",
        f"{path}: albums[3] (In Rainbows): token: ALBUM_in-rainbows is the token of albums[1] (In Rainbows) already",
        f"{path}: playlists[1] (Mine): token: PLAYLIST_x is the token of playlists[0] (Mine) already",
    ]


def test_a_missing_field_is_named(write: Callable[[str], Path]) -> None:
    content = copy.deepcopy(SMALL)
    del content["albums"][1]["tracks"][0]["length"]
    path = write(json.dumps(content))
    with pytest.raises(CatalogError) as raised:
        read_catalog(path)
    assert str(raised.value) == f"{path}: {IN_RAINBOWS}: tracks[0].length: is missing"


def test_only_the_first_of_many_problems_are_shown(write: Callable[[str], Path]) -> None:
    track = {"title": "Noise", "length": "long"}
    path = write(json.dumps({"albums": [{**SMALL["albums"][0], "tracks": [track] * 8}]}))
    with pytest.raises(CatalogError) as raised:
        read_catalog(path)
    assert str(raised.value).splitlines() == [
        *(
            f'{path}: {ABBEY_ROAD}: tracks[{index}].length: should be minutes and seconds such as "4:33"'
            for index in range(5)
        ),
        f"{path}: and 3 more",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not JSON: Expecting value at line 1, column 1"),
        (b'{"albums": [\n  {"token" "ALBUM_x"}]}', "not JSON: Expecting ':' delimiter at line 2, column 12"),
        (b"[]", 'should be an object with the field "albums"'),
        (b"null", 'should be an object with the field "albums"'),
        (b"{}", "albums: is missing"),
        (b'{"albums": "\xff"}', "not UTF-8 text (byte 12)"),
    ],
)
def test_a_file_that_is_no_catalogue(write: Callable[[bytes], Path], content: bytes, problem: str) -> None:
    path = write(content)
    with pytest.raises(CatalogError) as raised:
        read_catalog(path)
    assert str(raised.value) == f"{path}: {problem}"


@pytest.mark.parametrize("content", [b"[" * 200_000, b'{"albums": ' + b"1" * 10_000 + b"}"])
def test_json_that_python_does_not_read(write: Callable[[bytes], Path], content: bytes) -> None:
    path = write(content)
    with pytest.raises(CatalogError) as raised:
        read_catalog(path)
    assert str(raised.value).startswith(f"{path}: not JSON that can be read: ")
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.json"
    with pytest.raises(CatalogError) as raised:
        read_catalog(path)
    assert str(raised.value) == f"{path}: No such file or directory"


def test_a_folder_is_no_catalogue(tmp_path: Path) -> None:
    with pytest.raises(CatalogError) as raised:
        read_catalog(tmp_path)
    assert str(raised.value).startswith(f"{tmp_path}: ")
