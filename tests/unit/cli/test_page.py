"""Tests of ``logicaldb.cli.page``: a page without anything from elsewhere that shows tables and indexes at a glance."""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Generator
from pathlib import Path

import pytest

from examples.music.models import MusicDb
from logicaldb.cli.outline import outline
from logicaldb.cli.page import page
from tests.examples.chromium import Tab, tab_of
from tests.unit.cli.shop import ShopDb

MUSIC = page("MusicDb", outline(MusicDb))
SHOP = page("ShopDb", outline(ShopDb))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Generator[Tab]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("there is no chromium on the PATH")  # with CI=true a skip is a failure
    with tab_of(chromium, tmp_path_factory.mktemp("chromium")) as tab:
        yield tab


def opened(browser: Tab, folder: Path, text: str, *, width: int = 1280, scheme: str = "light") -> Tab:
    file = folder / "diagram.html"
    file.write_text(text, encoding="utf-8")
    browser.complaints.clear()
    browser.appear(width=width, scheme=scheme)
    browser.open(file.as_uri())
    assert browser.complaints == []
    return browser


@pytest.mark.parametrize("text", [MUSIC, SHOP], ids=["music", "shop"])
def test_nothing_comes_from_elsewhere(text: str) -> None:
    assert re.findall(r"https?:|src=|href=|url\(|@import|<script", text) == []


def test_every_table_and_index_has_its_rows(browser: Tab, tmp_path: Path) -> None:
    tab = opened(browser, tmp_path, MUSIC)
    assert tab.texts("h1") == ["MusicDb"]
    assert tab.texts("h3") == [
        "Table music_items",
        "Global index artist_album_index · projects ALL",
        "Global index genre_album_index · projects ALL",
        "Global index label_album_index · projects ALL",
        "Local index album_track_title_index · projects ALL",
        "Access patterns",
    ]
    rows = "[...document.querySelectorAll('table')].map(table => table.querySelectorAll('tbody tr').length)"
    assert tab.run(rows) == [9, 2, 2, 1, 5, 9]
    partitions = "[...document.querySelectorAll('table:first-of-type tbody td[rowspan]')].map(cell => cell.innerText)"
    assert tab.run(partitions)[:4] == ["ALBUM_1", "ALBUM_2", "PLAYLIST_1", "PLAYLIST_2"]
    assert tab.texts("tbody:first-of-type .attributes")[1].split() == [
        *("AlbumTrack", "track_title", "Track", "title", "1"),
        *("run_length", "181", "play_count", "10"),
    ]


def test_each_type_has_a_colour_of_its_own(browser: Tab, tmp_path: Path) -> None:
    tab = opened(browser, tmp_path, MUSIC)
    background = "element => getComputedStyle(element).backgroundColor"
    legend = tab.run(f"[...document.querySelectorAll('.legend li')].map({background})")
    assert len(legend) == len(set(legend)) == 3
    cells = tab.run(
        "[...document.querySelectorAll('.attributes')].map(cell => [cell.querySelector('.type').innerText, "
        f"({background})(cell)])"
    )
    names = tab.texts(".legend .type")
    assert {(name, colour) for name, colour in cells} == set(zip(names, legend, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_every_window(browser: Tab, tmp_path: Path, width: int, scheme: str) -> None:
    tab = opened(browser, tmp_path, SHOP, width=width, scheme=scheme)
    assert tab.run("document.documentElement.scrollWidth") <= width
    picture = tab.picture()
    assert len(zlib.compress(picture)) > 10_000  # it is not empty


def test_an_index_shows_what_it_projects(browser: Tab, tmp_path: Path) -> None:
    tab = opened(browser, tmp_path, SHOP)
    assert [title for title in tab.texts("h3") if "index" in title] == [
        "Global index open_orders · projects total, lines",
        "Local index by_rank · projects KEYS_ONLY",
        "Global index by_kind · projects ALL",
    ]
    attributes = (
        "[...document.querySelectorAll('table')].map(table => [...new Set([...table.querySelectorAll('i')]"
        ".map(name => name.innerText))])"
    )
    assert tab.run(attributes)[1:3] == [["pk", "sk", "total", "lines"], ["sk"]]
    assert "No item type has rows in it." in tab.texts("p")
    ranks = (
        "[...document.querySelectorAll('table')[2].querySelectorAll('.key:nth-child(2)')].map(cell => cell.innerText)"
    )
    assert tab.run(ranks)[0] == "1"


def test_names_are_text_and_no_markup(browser: Tab, tmp_path: Path) -> None:
    tab = opened(browser, tmp_path, SHOP)
    assert tab.texts("h2")[2].startswith('set"tings<${x}>')
