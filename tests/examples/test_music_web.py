"""The web application by HTTP, on moto and on DynamoDB Local."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from examples.music.catalog import BUNDLED, read_catalog
from examples.music.web.library import Library
from logicaldb import (
    AmbiguousWrite,
    BatchIncomplete,
    EncodingError,
    InvalidCursor,
    ItemSet,
    LimitExceeded,
    ThroughputExceeded,
    TransactionCanceled,
)
from logicaldb.testing import DynamoDbLocal, in_process_dynamodb
from tests.examples.web import Page, served

CATALOG = read_catalog(BUNDLED)


@pytest.fixture(scope="module", params=["moto", "local"])
def web(request: pytest.FixtureRequest) -> Generator[httpx.Client]:
    """The application with the bundled catalogue, on each engine in turn."""
    with ExitStack() as stack:
        if request.param == "moto":
            client = stack.enter_context(in_process_dynamodb())
        else:
            client = request.getfixturevalue("dynamodb_local").client()
        yield stack.enter_context(served(client, f"web-{uuid4().hex}", CATALOG))


@pytest.fixture(scope="module")
def web_on_local(dynamodb_local: DynamoDbLocal) -> Generator[httpx.Client]:
    """The application where requests really meet."""
    with served(dynamodb_local.client(), f"web-{uuid4().hex}", CATALOG) as web:
        yield web


@pytest.fixture
def playlist(web: httpx.Client) -> str:
    """A playlist of three tracks, of version 1."""
    return new_playlist(web)


def new_playlist(web: httpx.Client) -> str:
    token = f"PLAYLIST_{uuid4().hex}"
    tracks = [{"album": "ALBUM_blue", "track": number} for number in (1, 2, 3)]
    made = web.put(f"/api/playlists/{token}", json={"name": "Morning", "version": 0, "tracks": tracks})
    assert (made.status_code, made.json()["version"]) == (200, 1)
    return token


def tracks_of(web: httpx.Client, token: str) -> list[str]:
    tracks: list[dict[str, Any]] = web.get(f"/api/playlists/{token}").json()["tracks"]
    return [f"{track['album']}/{track['track']}" for track in tracks]


def test_the_albums_are_listed_by_date(web: httpx.Client) -> None:
    page = Page(web.get("/"))
    assert (page.status, page.title, page.headings) == (200, "Albums · The music library", ["Albums"])
    shown = [href for href in page.links.values() if href.startswith("/albums/")]
    by_date = sorted(CATALOG.albums, key=lambda album: (album.released, album.token))
    assert shown == [f"/albums/{album.token}" for album in by_date]
    assert page.items[:2] == ["K Kind of Blue Miles Davis, 1959", "T Time Out The Dave Brubeck Quartet, 1959"]
    assert page.links['H "Heroes"'] == "/albums/ALBUM_heroes"


def test_an_album_is_shown_with_its_tracks(web: httpx.Client) -> None:
    page = Page(web.get("/albums/ALBUM_abbey-road"))
    assert (page.status, page.title) == (200, "Abbey Road · The music library")
    assert len(page.rows[1:]) == 17
    assert page.rows[13][:3] == ["13", "She Came In Through the Bathroom Window", "1:58"]
    assert page.links["The Beatles"] == "/artist?name=The+Beatles"
    assert page.links["Something"] == "/albums/ALBUM_abbey-road/tracks/2"


def test_a_play_is_counted_and_leads_back_to_the_track(web: httpx.Client) -> None:
    play = Page(web.get("/albums/ALBUM_blue")).form("/albums/ALBUM_blue/tracks/4/plays")
    assert play.method == "post"
    for _ in range(2):
        played = web.post(play.action)
        assert (played.status_code, played.headers["location"]) == (303, "/albums/ALBUM_blue#track-4")
    assert Page(web.get("/albums/ALBUM_blue")).rows[4] == ["4", "Carey", "3:00", "2", "▶"]
    page = Page(web.get("/albums/ALBUM_blue/tracks/4"))
    assert (page.title, page.links["ALBUM_blue"]) == ("Carey · The music library", "/albums/ALBUM_blue")
    assert "2 plays" in web.get("/albums/ALBUM_blue/tracks/4").text


def test_no_play_is_lost(web_on_local: httpx.Client) -> None:
    path = "/api/albums/ALBUM_nevermind/tracks/1/plays"
    with ThreadPoolExecutor(8) as threads:
        plays = [played.json()["plays"] for played in threads.map(lambda _: web_on_local.post(path), range(40))]
    assert sorted(plays) == list(range(1, 41))


def test_the_artists_are_listed_from_the_index(web: httpx.Client) -> None:
    page = Page(web.get("/artists"))
    artists = sorted({album.artist for album in CATALOG.albums})
    assert [name for name, href in page.links.items() if href.startswith("/artist?")] == artists
    assert "Miles Davis 2 albums" in page.items
    assert "Daft Punk 1 album" in page.items
    albums = Page(web.get(page.links["Miles Davis"]))
    assert albums.headings == ["Miles Davis"]
    assert albums.items == ["K Kind of Blue Miles Davis, 1959", "S Sketches of Spain Miles Davis, 1960"]
    assert Page(web.get("/artist?name=Nobody")).items == ["There are no albums here."]


def test_a_list_goes_on_with_its_cursor(web: httpx.Client) -> None:
    first = Page(web.get("/genre?name=Rock"))
    following = Page(web.get(first.links["Next page →"]))
    assert (len(first.items), len(following.items)) == (4, 1)
    assert "Next page →" not in following.links
    shown = {item.rpartition(", ")[2] for item in first.items + following.items}
    assert shown == {str(album.released.year) for album in CATALOG.albums if album.genre == "Rock"}


def test_a_cursor_is_good_for_its_own_list_alone(web: httpx.Client) -> None:
    path = "/api/genres/Rock/albums"
    found = web.get(path, params={"size": 2}).json()
    cursor = found["next"]
    damaged = ("A" if cursor[0] != "A" else "B") + cursor[1:]
    for refused in (
        web.get(path, params={"cursor": damaged}),
        web.get(path, params={"cursor": "nonsense"}),
        web.get(path, params={"cursor": ""}),
        web.get("/api/genres/Jazz/albums", params={"cursor": cursor}),
        web.get("/api/artists/Rock/albums", params={"cursor": cursor}),
    ):
        assert (refused.status_code, refused.json()) == (400, {"detail": "The cursor is damaged, or of another list."})
    page = Page(web.get("/genre", params={"name": "Rock", "cursor": damaged}))
    assert (page.status, page.headings) == (400, ["Bad Request"])
    following = web.get(path, params={"cursor": cursor}).json()
    tokens = [album["token"] for album in found["albums"] + following["albums"]]
    assert sorted(tokens) == sorted(album.token for album in CATALOG.albums if album.genre == "Rock")
    assert following["next"] is None


def test_tracks_are_found_by_the_beginning_of_their_title(web: httpx.Client) -> None:
    page = Page(web.get("/search?title=Blue"))
    assert page.headings == ["Tracks that begin with “Blue”"]
    assert [row[0] for row in page.rows[1:]] == ["Blue", "Blue Lines", "Blue Rondo à la Turk", "Blue in Green"]
    assert Page(web.get("/search?title=Nothing+of+the+kind")).rows[1:] == [["There are none."]]
    assert Page(web.get("/search")).rows[1:] == [["There are none."]]
    found = web.get("/api/tracks", params={"title": "Blue in"}).json()
    assert found == {
        "tracks": [
            {"album": "ALBUM_kind-of-blue", "number": 3, "title": "Blue in Green", "length": "5:37", "plays": 0}
        ],
        "next": None,
    }


def test_the_tracks_of_an_album_are_listed_by_title(web: httpx.Client) -> None:
    path: str | None = Page(web.get("/albums/ALBUM_abbey-road")).links["Tracks by title"]
    pages: list[list[str]] = []
    while path:
        page = Page(web.get(path))
        pages.append([row[0] for row in page.rows[1:]])
        path = page.links.get("Next page →")
    [album] = [album for album in CATALOG.albums if album.token == "ALBUM_abbey-road"]
    assert [len(titles) for titles in pages] == [8, 8, 1]
    assert [title for titles in pages for title in titles] == sorted(track.title for track in album.tracks)
    found = web.get("/api/albums/ALBUM_abbey-road/tracks", params={"title": "S"}).json()
    assert [track["number"] for track in found["tracks"]] == [13, 2, 10]


def test_a_playlist_is_made_and_shown_as_it_is_called(web: httpx.Client) -> None:
    name = "<script>alert('x')</script> & \"Co\""
    made = web.post("/playlists", data={"name": name})
    assert made.status_code == 303
    page = Page(web.get(made.headers["location"]))
    assert (page.headings, page.items) == ([name], ["No tracks."])
    edit = Page(web.get(page.links["Edit"]))
    assert ("name", name) in edit.form(made.headers["location"]).fields
    assert f"{name} 0 tracks" in Page(web.get("/playlists")).items
    assert "script" not in page.tags + edit.tags
    refused = web.post("/playlists", data={"name": " "})
    assert refused.status_code == 422
    assert "name: should be one line of text without spaces around it." in refused.text


def test_tracks_and_albums_are_added_to_a_playlist(web: httpx.Client, playlist: str) -> None:
    for path, more in [
        ("/albums/ALBUM_rumours/tracks/5", ["ALBUM_rumours/5"]),
        ("/albums/ALBUM_innervisions", [f"ALBUM_innervisions/{number}" for number in range(1, 10)]),
    ]:
        before = tracks_of(web, playlist)
        form = Page(web.get(path)).form("/additions")
        added = web.post(form.action, data=form.filled(playlist=playlist))
        assert (added.status_code, added.headers["location"]) == (303, f"/playlists/{playlist}")
        assert tracks_of(web, playlist) == before + more
    assert Page(web.get(f"/playlists/{playlist}")).items[3] == "Go Your Own Way 3:38"


def test_what_does_not_exist_is_not_added(web: httpx.Client, playlist: str) -> None:
    for album, track, into, text in [
        ("ALBUM_blue", "11", playlist, "There is no track 11 of ALBUM_blue."),
        ("ALBUM_blue", "1", "PLAYLIST_nowhere", "There is no playlist PLAYLIST_nowhere."),
        ("ALBUM_nowhere", None, playlist, "There is no such album."),
    ]:
        fields = {"album": album, "playlist": into} | ({"track": track} if track else {})
        refused = web.post("/additions", data=fields)
        assert (refused.status_code, Page(refused).headings) == (404, ["Not Found"])
        assert text in refused.text
    path = f"/api/playlists/{playlist}/tracks"
    refused = web.post(path, json=[{"album": "ALBUM_blue", "track": 4}, {"album": "ALBUM_blue", "track": 12}])
    assert (refused.status_code, refused.json()) == (404, {"detail": "There is no track 12 of ALBUM_blue."})
    assert tracks_of(web, playlist) == ["ALBUM_blue/1", "ALBUM_blue/2", "ALBUM_blue/3"]
    added = web.post(path, json=[{"album": "ALBUM_blue", "track": 4}] * 2)
    assert (added.status_code, added.json()["version"]) == (200, 2)
    assert tracks_of(web, playlist)[3:] == ["ALBUM_blue/4", "ALBUM_blue/4"]


@pytest.mark.parametrize(
    ("places", "remove", "order"),
    [
        (("1", "2", "3"), [], "123"),
        (("1", "2", "1"), [], "312"),
        (("3", "2", "3"), [], "231"),
        (("1", "2", "3"), ["2"], "13"),
        (("3", "2", "1"), ["1", "3"], "2"),
    ],
)
def test_tracks_are_moved_and_removed(
    web: httpx.Client, playlist: str, places: tuple[str, ...], remove: list[str], order: str
) -> None:
    form = Page(web.get(f"/playlists/{playlist}/edit")).form(f"/playlists/{playlist}")
    saved = web.post(form.action, data=form.filled(*places, name="Evening") | {"remove": remove})
    assert (saved.status_code, saved.headers["location"]) == (303, f"/playlists/{playlist}")
    assert tracks_of(web, playlist) == [f"ALBUM_blue/{number}" for number in order]
    assert Page(web.get(f"/playlists/{playlist}")).headings == ["Evening"]


def test_who_edits_too_late_sees_both_and_chooses(web: httpx.Client, playlist: str) -> None:
    path = f"/playlists/{playlist}"
    theirs = Page(web.get(f"{path}/edit")).form(path)
    mine = Page(web.get(f"{path}/edit")).form(path)
    assert web.post(path, data=theirs.filled(name="Theirs") | {"remove": ["1"]}).status_code == 303
    conflict = Page(web.post(path, data=mine.filled("3", "2", "1", name="Mine")))
    assert (conflict.status, conflict.title) == (409, "Not saved · The music library")
    assert conflict.headings == ["Not saved", "What is stored now", "Theirs", "What you wanted", "Mine"]
    assert conflict.items == [
        *("My Old Man 3:33", "Little Green 3:25"),
        *("Little Green 3:25", "My Old Man 3:33", "All I Want 3:32"),
    ]
    assert tracks_of(web, playlist) == ["ALBUM_blue/2", "ALBUM_blue/3"]
    again = conflict.form(path)
    assert web.post(path, data=again.filled()).status_code == 303
    assert tracks_of(web, playlist) == ["ALBUM_blue/3", "ALBUM_blue/2", "ALBUM_blue/1"]
    assert Page(web.get(path)).headings == ["Mine"]
    assert Page(web.post(path, data=again.filled())).status == 409  # a choice is good once


def test_a_stale_edit_by_the_api_is_told_what_is_stored(web: httpx.Client, playlist: str) -> None:
    path = f"/api/playlists/{playlist}"
    first = web.put(path, json={"name": "First", "version": 1, "tracks": []})
    stored = {"token": playlist, "name": "First", "version": 2, "tracks": []}
    assert (first.status_code, first.json()) == (200, stored)
    second = web.put(path, json={"name": "Second", "version": 1, "tracks": []})
    told = {"detail": "Somebody else has changed this meanwhile.", "playlist": stored}
    assert (second.status_code, second.json()) == (409, told)
    assert web.put(path, json={"name": "New", "version": 0, "tracks": []}).status_code == 409
    assert web.get(path).json() == stored


def test_an_edit_of_what_is_not_there_is_a_conflict(web: httpx.Client) -> None:
    path = f"/playlists/PLAYLIST_{uuid4().hex}"
    edit = {"name": "Ghost", "version": "3", "track": "ALBUM_blue/1", "place": "1"}
    conflict = Page(web.post(path, data=edit))
    assert conflict.status == 409
    assert conflict.headings == ["Not saved", "What is stored now", "What you wanted", "Ghost"]
    told = web.put(f"/api{path}", json={"name": "Ghost", "version": 3, "tracks": []})
    assert (told.status_code, told.json()["playlist"]) == (409, None)
    assert web.post(path, data=conflict.form(path).filled()).status_code == 303
    assert Page(web.get(path)).items == ["All I Want 3:32"]


def test_of_two_editors_at_once_one_is_too_late(web_on_local: httpx.Client) -> None:
    token = new_playlist(web_on_local)
    path = f"/api/playlists/{token}"
    for version in range(1, 11):
        start = Barrier(2)

        def edit(name: str, version: int = version, start: Barrier = start) -> tuple[int, Any]:
            start.wait(timeout=60)
            answer = web_on_local.put(path, json={"name": name, "version": version, "tracks": []})
            return answer.status_code, answer.json()

        with ThreadPoolExecutor(2) as editors:
            won, lost = sorted(editors.map(edit, ["Ann", "Ben"]), key=lambda outcome: outcome[0])
        assert (won[0], lost[0]) == (200, 409)
        assert won[1]["version"] == version + 1
        assert lost[1]["playlist"] == won[1] == web_on_local.get(path).json()


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("/albums/ALBUM_nowhere", "There is no such album."),
        ("/albums/ALBUM_blue/tracks/11", "There is no track 11 of ALBUM_blue."),
        ("/playlists/PLAYLIST_nowhere", "There is no playlist PLAYLIST_nowhere."),
        ("/playlists/PLAYLIST_nowhere/edit", "There is no playlist PLAYLIST_nowhere."),
        # Under the token of a playlist there is no album, though there is a row.
        ("/albums/PLAYLIST_late-night", "There is no such page."),
        ("/playlists/ALBUM_blue", "There is no such page."),
        ("/albums/ALBUM_blue/tracks/0", "There is no such page."),
        ("/albums/ALBUM_blue/tracks/x", "There is no such page."),
        ("/nothing", "Not Found"),
    ],
)
def test_what_is_not_there(web: httpx.Client, path: str, text: str) -> None:
    response = web.get(path)
    page = Page(response)
    assert (page.status, page.headings) == (404, ["Not Found"])
    assert f'<p role="alert">{text}</p>' in response.text
    if not path.endswith("/edit") and "/tracks/" not in path:
        told = web.get(f"/api{path}")
        assert (told.status_code, told.json()) == (404, {"detail": text})


def test_what_cannot_be_is_refused(web: httpx.Client, playlist: str) -> None:
    told = web.put(
        f"/api/playlists/{playlist}", json={"name": "", "version": -1, "tracks": [{"album": "x", "track": 1}]}
    )
    assert told.status_code == 422
    faults = told.json()["detail"].split("; ")
    assert [fault.partition(":")[0] for fault in faults] == ["name", "version", "tracks.0.album"]
    number = web.post("/api/albums/ALBUM_blue/tracks/99999999999999999/plays")
    assert number.status_code == 400
    assert number.json()["detail"].startswith("DynamoDB cannot take this: ")
    artist = web.get(f"/artist?name={quote('x' * 3000)}")
    assert (artist.status_code, Page(artist).headings) == (400, ["Bad Request"])
    many = [{"album": "ALBUM_blue", "track": number} for number in range(1, 101)]
    added = web.post(f"/api/playlists/{playlist}/tracks", json=many)
    assert added.status_code == 400
    assert "100" in added.json()["detail"]
    assert web.get("/api/tracks", params={"title": ""}).status_code == 422
    assert web.get("/api/genres/Rock/albums", params={"size": 101}).status_code == 422


def test_an_album_by_the_api(web: httpx.Client) -> None:
    told = web.get("/api/albums/ALBUM_in-rainbows").json()
    assert told["album"] == {
        "token": "ALBUM_in-rainbows",
        "title": "In Rainbows",
        "artist": "Radiohead",
        "genre": "Alternative Rock",
        "released": "2007-10-10",
        "label": None,
    }
    assert [track["number"] for track in told["tracks"]] == list(range(1, len(told["tracks"]) + 1))
    assert told["album"] in web.get("/api/albums").json()["albums"]
    artists = {artist["name"]: artist["albums"] for artist in web.get("/api/artists").json()}
    assert artists["Radiohead"] == 2
    albums = web.get("/api/artists/Radiohead/albums").json()["albums"]
    assert [album["token"] for album in albums] == ["ALBUM_in-rainbows", "ALBUM_ok-computer"]
    assert "PLAYLIST_late-night" in [playlist["token"] for playlist in web.get("/api/playlists").json()]


def test_the_api_describes_itself(web: httpx.Client) -> None:
    described = web.get("/openapi.json").json()
    assert all(path.startswith("/api/") for path in described["paths"])
    assert "put" in described["paths"]["/api/playlists/{token}"]


def service_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret"}}, "Scan")


UNREACHABLE = "DynamoDB cannot be reached, or refuses this."
TOO_MUCH = "There is too much to do at the moment. Try again."


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        (ThroughputExceeded("secret"), 503, TOO_MUCH),
        (BatchIncomplete("secret", unprocessed=ItemSet({})), 503, TOO_MUCH),
        (TransactionCanceled("secret", failures=[]), 503, TOO_MUCH),
        (AmbiguousWrite("secret"), 502, "It cannot be told whether this was stored. Look before you try again."),
        (InvalidCursor("secret"), 400, "The cursor is damaged, or of another list."),
        (EncodingError("it is odd"), 400, "DynamoDB cannot take this: it is odd."),
        (LimitExceeded("it is long"), 400, "DynamoDB cannot take this: it is long."),
        (service_error("AccessDeniedException"), 502, UNREACHABLE),
        (EndpointConnectionError(endpoint_url="http://secret"), 502, UNREACHABLE),
        (
            service_error("ResourceNotFoundException"),
            502,
            "There is no such table. The command python -m examples.music import makes it.",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_error_has_its_answer(
    web: httpx.Client, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, text: str
) -> None:
    async def fail(_library: Library) -> None:
        raise error

    monkeypatch.setattr(Library, "albums", fail)
    told = web.get("/api/albums")
    assert (told.status_code, told.json()) == (status, {"detail": text})
    assert told.headers.get("retry-after") == ("1" if status == 503 else None)
    page = web.get("/")
    assert page.status_code == status
    assert f'<p role="alert">{text}</p>' in page.text


def test_a_table_that_is_not_there(dynamodb_local: DynamoDbLocal) -> None:
    with served(dynamodb_local.client(), f"web-{uuid4().hex}", None) as web:
        told = web.get("/api/playlists")
        assert (told.status_code, told.json()) == (
            502,
            {"detail": "There is no such table. The command python -m examples.music import makes it."},
        )


def test_other_sites_change_nothing(web: httpx.Client, playlist: str) -> None:
    path = f"/playlists/{playlist}"
    edit = {"name": "Stolen", "version": "1"}
    for site in ("cross-site", "same-site"):
        refused = web.post(path, data=edit, headers={"sec-fetch-site": site})
        assert (refused.status_code, refused.text) == (403, "This is sent by another site.")
        assert web.get(path, headers={"sec-fetch-site": site}).status_code == 200
    for origin in ("http://elsewhere.example", "null"):
        assert web.post(path, data=edit, headers={"origin": origin}).status_code == 403
    assert Page(web.get(path)).headings == ["Morning"]
    own = f"{web.base_url.scheme}://{web.base_url.netloc.decode()}"
    assert web.post(path, data=edit, headers={"origin": own}).status_code == 303
    assert web.post(path, data={**edit, "version": "2"}, headers={"sec-fetch-site": "same-origin"}).status_code == 303
    assert web.get(path, headers={"host": "elsewhere.example"}).status_code == 400


def test_pages_load_nothing_from_elsewhere(web: httpx.Client) -> None:
    for path in ("/", "/albums/ALBUM_blue", "/nothing"):
        page = web.get(path)
        assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
        assert page.headers["x-content-type-options"] == "nosniff"
        assert "://" not in page.text
    style = web.get("/style.css")
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "://" not in style.text
