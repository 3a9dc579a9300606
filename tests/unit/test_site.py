"""The documentation site: it is built without a warning, has every public name, and needs nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import logicaldb
from logicaldb import testing

ROOT = Path(__file__).parents[2]
PUBLIC = [
    *(f"logicaldb.{name}" for name in logicaldb.__all__),
    *(f"logicaldb.testing.{name}" for name in testing.__all__),
    "logicaldb.otel.instrumentation",
]


class Page(HTMLParser):
    """A page, as far as the tests look at it.

    Attributes:
        links: where it leads.
        loads: what a browser loads to show it.
        anchors: what may be linked in it.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") not in {"canonical", "next", "prev"}:
            self.loads.append(values["href"])
        elif "src" in values:
            self.loads.append(values["src"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file) for file in sorted(site.rglob("*.html"))}


def test_every_page_is_there(site: Path, pages: dict[Path, Page]) -> None:
    expected = {site / page.with_suffix(".html").name for page in (ROOT / "docs").glob("*.md")}
    expected |= {site / "repository" / f"{name}.html" for name in ("CHANGELOG", "CONTRIBUTING")}
    assert expected - set(pages) == set()


def test_every_public_name_is_described(site: Path, pages: dict[Path, Page]) -> None:
    described = set[str]().union(*(page.anchors for file, page in pages.items() if file.parent == site / "reference"))
    assert [name for name in PUBLIC if name not in described] == []


def test_methods_that_are_inherited_are_described_too(site: Path, pages: dict[Path, Page]) -> None:
    described = pages[site / "reference" / "dbs-and-views.html"].anchors
    assert {"logicaldb.LogicalDb.track_capacity", "logicaldb.View.query", "logicaldb.View.to_token"} <= described


def test_links_lead_somewhere(pages: dict[Path, Page]) -> None:
    faults: list[str] = []
    for file, page in pages.items():
        for link in page.links:
            url = urlsplit(link)
            if url.scheme or file.name == "404.html":
                continue
            target = (file.parent / unquote(url.path)).resolve() if url.path else file
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (
                url.fragment and target in pages and unquote(url.fragment) not in {*pages[target].anchors, "__top"}
            ):
                faults.append(f"{file.name}: {link}")
    assert faults == []


def test_files_of_the_repository_can_be_read(site: Path, pages: dict[Path, Page]) -> None:
    models = site / "repository" / "examples" / "music" / "models.py.html"
    assert models in pages
    assert "class AlbumTrack" in re.sub(r"<[^>]+>", "", models.read_text(encoding="utf-8"))


def test_nothing_is_fetched_from_elsewhere(pages: dict[Path, Page]) -> None:
    elsewhere = {load for page in pages.values() for load in page.loads if urlsplit(load).netloc}
    assert elsewhere == set()
    assert len(pages) > 40


def test_what_a_page_loads_is_there(pages: dict[Path, Page]) -> None:
    missing = {
        f"{file.name}: {load}"
        for file, page in pages.items()
        for load in page.loads
        if file.name != "404.html" and not load.startswith("data:")
        if not (file.parent / unquote(urlsplit(load).path)).resolve().is_file()
    }
    assert missing == set()


def test_diagrams_are_drawn(site: Path) -> None:
    assert 'class="mermaid"' in (site / "design.html").read_text(encoding="utf-8")


def test_tables_and_lists_are_what_they_look_like(pages: dict[Path, Page]) -> None:
    # What GitHub shows as a list or a table, and Python's Markdown does not, is left in the text as it was written.
    left = re.compile(r"<p>[^<]*\n(?:[-*] |\d+\. |\|)|<td\b[^\n]*\\\|")
    assert [file.name for file in pages if left.search(file.read_text(encoding="utf-8"))] == []


def test_pictures_are_shown_and_small() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
    pictures = sorted((ROOT / "docs" / "images").iterdir())
    assert [picture.name for picture in pictures if f"images/{picture.name})" not in text] == []
    assert {picture.name: picture.stat().st_size for picture in pictures if picture.stat().st_size > 200_000} == {}
    assert len(pictures) >= 3
