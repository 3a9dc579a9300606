"""The pages hold together: links lead somewhere, every page can be reached, every Python block runs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

import logicaldb

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(DOCS.glob("**/*.md")),
    *sorted(ROOT.glob("examples/**/*.md")),
]
LANGUAGES = {"bash", "console", "json", "mermaid", "python", "text", "toml", "yaml"}
"""What a fenced block may be; of these conftest.py runs ``python``, and nothing that is called otherwise."""

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


@dataclass(frozen=True, slots=True)
class Link:
    line: int
    target: str


@cache
def tokens(page: Path) -> tuple[Token, ...]:
    return tuple(MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8")))


def links(page: Path) -> Iterator[Link]:
    for block in tokens(page):
        line = block.map[0] + 1 if block.map else 0
        for token in block.children or ():
            target = token.attrs.get("href", token.attrs.get("src"))
            if target is not None:
                yield Link(line, str(target))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, made as GitHub makes them."""
    seen: Counter[str] = Counter()
    found = set()
    for opening, inline in zip(tokens(page), tokens(page)[1:], strict=False):
        if opening.type == "heading_open":
            text = "".join(token.content for token in inline.children or () if token.type in {"text", "code_inline"})
            slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
            seen[slug] += 1
    return found


def broken(page: Path, link: Link) -> str | None:
    """What is wrong with a link; nothing is fetched, so of an address elsewhere only the scheme is looked at."""
    url = urlsplit(link.target)
    if url.scheme:
        return None if url.scheme in {"https", "mailto"} else "is not https"
    target = (page.parent / unquote(url.path)).resolve() if url.path else page
    if not target.is_relative_to(ROOT):
        return "leaves the repository"
    if not target.exists():
        return "leads nowhere"
    if url.fragment and (target.suffix != ".md" or url.fragment not in anchors(target)):
        return "names no heading"
    return None


@pages
def test_links_lead_somewhere(page: Path) -> None:
    faults = [f"line {link.line}: {link.target} {fault}" for link in links(page) if (fault := broken(page, link))]
    assert not faults


def test_every_page_is_linked_from_the_index() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / urlsplit(link.target).path).resolve() for link in links(index)}
    assert [page.name for page in DOCS.glob("**/*.md") if page != index and page not in linked] == []


def test_the_index_is_linked_from_the_readme() -> None:
    assert any(link.target in {"docs/index.md", "docs/"} for link in links(ROOT / "README.md"))


@pages
def test_every_block_says_what_it_is(page: Path) -> None:
    fences = [(token.map, token.info) for token in tokens(page) if token.type == "fence"]
    assert [f"line {lines[0] + 1}: {info!r}" for lines, info in fences if lines and info not in LANGUAGES] == []


def test_every_public_name_is_on_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in [ROOT / "README.md", *DOCS.glob("**/*.md")])
    assert [name for name in logicaldb.__all__ if not re.search(rf"\b{name}\b", text)] == []


@pages
def test_no_path_of_somebodys_machine(page: Path) -> None:
    assert re.findall(r"(?<![\w.~-])/(?:home|Users|root|mnt|opt)/\S*", page.read_text(encoding="utf-8")) == []


def test_faults_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading, of `two()` parts\n\n## Twice\n\n## Twice\n\n"
        "[here](#a-heading-of-two-parts) [again](page.md#twice-1) [elsewhere](https://example.com)\n"
        "[typo](#a-heading) ![gone](gone.png) [out](../secret) [plain](http://example.com) [third](#twice-2)\n",
        encoding="utf-8",
    )
    assert {link.target: fault for link in links(page) if (fault := broken(page, link))} == {
        "#a-heading": "names no heading",
        "gone.png": "leads nowhere",
        "../secret": "leaves the repository",
        "http://example.com": "is not https",
        "#twice-2": "names no heading",
    }
