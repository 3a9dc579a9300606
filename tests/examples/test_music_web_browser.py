"""The pages in a real browser: headless Chromium."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Generator

import httpx
import pytest

from examples.music.catalog import BUNDLED, read_catalog
from logicaldb.testing import in_process_dynamodb
from tests.examples.chromium import Tab, tab_of
from tests.examples.web import served


@pytest.fixture(scope="module")
def web() -> Generator[httpx.Client]:
    with in_process_dynamodb() as client, served(client, "music_items", read_catalog(BUNDLED)) as web:
        yield web


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Tab]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium on the PATH")  # with CI=true a skip is a failure
    with tab_of(chromium, tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab) -> Tab:
    browser.complaints.clear()
    browser.appear(width=1200, scheme="light")
    return browser


def make_playlist(web: httpx.Client, token: str, name: str, tracks: int = 0) -> None:
    body = {
        "name": name,
        "version": 0,
        "tracks": [{"album": "ALBUM_blue", "track": number} for number in range(1, tracks + 1)],
    }
    web.put(f"/api/playlists/{token}", json=body).raise_for_status()


@pytest.mark.parametrize(
    ("path", "title", "selector", "number", "first"),
    [
        ("/", "Albums", ".albums li", 19, "K\nKind of Blue\nMiles Davis, 1959"),
        ("/albums/ALBUM_blue", "Blue", "tbody tr", 10, "1\tAll I Want\t3:32\t0\t\n▶"),
        ("/artists", "Artists", ".rows li", 14, "Daft Punk\n1 album"),
        ("/artist?name=Daft+Punk", "Daft Punk", ".albums li", 1, "R\nRandom Access Memories\nDaft Punk, 2013"),
        ("/search?title=Blue", "Search", "tbody tr", 4, "Blue\tALBUM_blue\t3:00"),
        ("/playlists", "Playlists", ".rows li", 1, "Late Night\n5 tracks"),
        ("/playlists/PLAYLIST_late-night", "Late Night", ".tracks li", 5, "Blue in Green 5:37"),
        ("/playlists/PLAYLIST_late-night/edit", "Edit Late Night", "tbody tr", 5, "Blue in Green"),
    ],
)
def test_a_page_is_there(
    web: httpx.Client, tab: Tab, path: str, title: str, selector: str, number: int, first: str
) -> None:
    tab.open(str(web.base_url.join(path)))
    rows = tab.texts(selector)
    assert (tab.run("document.title"), len(rows), rows[0]) == (f"{title} · The music library", number, first)
    assert tab.complaints == []


def test_names_are_shown_as_they_are(web: httpx.Client, tab: Tab) -> None:
    name = "<img src=x onerror=console.log(1)> & \"so\" 'on'"
    make_playlist(web, "PLAYLIST_odd", name)
    for path in ("/playlists", "/playlists/PLAYLIST_odd", "/playlists/PLAYLIST_odd/edit"):
        tab.open(str(web.base_url.join(path)))
        assert name in tab.texts("main")[0]
        assert tab.run("document.images.length") == 0
    assert tab.run("document.querySelector('input[name=name]:not([type])').value") == name
    assert tab.complaints == []


def test_a_track_is_played(web: httpx.Client, tab: Tab) -> None:
    tab.open(str(web.base_url.join("/albums/ALBUM_rumours")))
    for _ in range(2):
        tab.click('button[aria-label="Play Go Your Own Way"]')
    assert tab.run("location.pathname + location.hash") == "/albums/ALBUM_rumours#track-5"
    assert tab.texts("tr:target td")[:4] == ["5", "Go Your Own Way", "3:38", "2"]
    assert tab.complaints == []


def test_an_album_is_put_into_a_new_playlist(web: httpx.Client, tab: Tab) -> None:
    tab.open(str(web.base_url.join("/playlists")))
    tab.fill("main input[name=name]", "All of it")
    tab.click("main button")
    token = tab.run("location.pathname").removeprefix("/playlists/")
    assert (tab.texts("h1"), tab.texts(".tracks li")) == (["All of it"], ["No tracks."])
    tab.open(str(web.base_url.join("/albums/ALBUM_innervisions")))
    tab.fill("select[name=playlist]", token)
    tab.click('form[action="/additions"] button')
    assert (tab.texts("h1"), len(tab.texts(".tracks li"))) == (["All of it"], 9)
    assert tab.complaints == []


def test_who_edits_too_late_sees_both_and_chooses(web: httpx.Client, tab: Tab) -> None:
    make_playlist(web, "PLAYLIST_shared", "Shared", tracks=3)
    tab.open(str(web.base_url.join("/playlists/PLAYLIST_shared/edit")))
    theirs = {"name": "Theirs", "version": 1, "tracks": [{"album": "ALBUM_heroes", "track": 3}]}
    web.put("/api/playlists/PLAYLIST_shared", json=theirs).raise_for_status()
    tab.fill("main input[name=name]", "Mine")
    tab.fill('input[aria-label="Place of Little Green"]', "1")
    tab.run("""document.querySelector('input[aria-label="Remove My Old Man"]').click()""")
    tab.click("main button")
    assert tab.texts("h1, h2, h3") == ["Not saved", "WHAT IS STORED NOW", "Theirs", "WHAT YOU WANTED", "Mine"]
    assert tab.texts(".tracks li") == ['"Heroes" 6:07', "Little Green 3:25", "All I Want 3:32"]
    tab.click("main button")
    assert tab.run("location.pathname") == "/playlists/PLAYLIST_shared"
    assert (tab.texts("h1"), tab.texts(".tracks li")) == (["Mine"], ["Little Green 3:25", "All I Want 3:32"])
    [complaint] = tab.complaints
    assert "status of 409" in complaint


@pytest.mark.parametrize(("scheme", "background"), [("light", "faf8f5"), ("dark", "171513")])
@pytest.mark.parametrize("width", [360, 1200])
def test_pages_fit_and_are_light_or_dark(web: httpx.Client, tab: Tab, scheme: str, background: str, width: int) -> None:
    tab.appear(width=width, scheme=scheme)
    for path in ("/", "/albums/ALBUM_abbey-road", "/playlists/PLAYLIST_late-night/edit"):
        tab.open(str(web.base_url.join(path)))
        assert tab.run("document.documentElement.scrollWidth") == width  # nothing hangs out at the side
        assert read_png(tab.picture()) == (width, 900, background)
    assert tab.complaints == []


def read_png(content: bytes) -> tuple[int, int, str]:
    """The width and the height of a picture, and the colour of its first pixel."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    place, pixels = 8, b""
    while place < len(content):
        size = int.from_bytes(content[place : place + 4])
        if content[place + 4 : place + 8] == b"IDAT":
            pixels += content[place + 8 : place + 8 + size]
        place += 12 + size
    # Each line begins with the number of a filter, none of which changes the first pixel of the first line.
    first = zlib.decompress(pixels)[1:4]
    return int.from_bytes(content[16:20]), int.from_bytes(content[20:24]), first.hex()
