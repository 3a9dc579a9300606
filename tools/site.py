"""What the documentation site has beside docs/: the API reference, and the files of the repository that pages link to.

mkdocs calls the functions ``on_...``: https://www.mkdocs.org/dev-guide/plugins/#events
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import logicaldb
from logicaldb import testing

ROOT: Final = Path(__file__).parents[1]
MERMAID: Final = ROOT / ".cache" / "mermaid" / "package" / "dist" / "mermaid.min.js"
"""Where `make docs` puts it; without it, the theme asks for it elsewhere when a page with a diagram is read."""

STYLE: Final = ".md-grid { max-width: 78rem; }\n"
"""Wide enough for code of 100 columns."""

REFERENCE: Final = {
    "declaring": (
        "Declaring tables",
        """RawItem Item ItemKey IndexKey LogicalTable InlineView SecondaryIndex ItemCollection TableName
        PartitionKey SortKey Attribute Version Counter CreatedAt UpdatedAt TimeToLive Sync Async M""",
    ),
    "dbs-and-views": (
        "Dbs and views",
        """LogicalDb View IndexView CollectionView RawView ItemCodec WritingPager WritingPagerHandler
        DirectTransport""",
    ),
    "asyncio": (
        "Dbs and views for asyncio",
        """AsyncLogicalDb AsyncView AsyncIndexView AsyncCollectionView AsyncRawView AsyncWritingPager
        AsyncWritingPagerHandler AsyncDirectTransport""",
    ),
    "expressions": (
        "Expressions",
        """attr Attr Condition Update Expression KeyCondition BeginsWith Between EqualTo LessThan AtMost
        GreaterThan AtLeast""",
    ),
    "results-and-sets": (
        "Results and sets",
        """Page Offset WorkerId ItemSet TransactionWriteSet BatchWriteSet BatchWriteResult Operation
        OperationFailure""",
    ),
    "observing": (
        "Observing",
        """Explanation explaining.ExplainedRequest Capacity Units TableUnits item_size RequestEvent
        otel.instrumentation""",
    ),
    "errors": ("Errors", ""),
    "testing": ("Testing", " ".join(f"testing.{name}" for name in testing.__all__)),
}
"""The pages of the reference: title and names. The errors are put in their page by themselves."""

_LINK: Final = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCE: Final = re.compile(r"^(```+).*?^\1[ ]*$", re.MULTILINE | re.DOTALL)
_CELL: Final = re.compile(r"<td\b.*?</td>", re.DOTALL)
_CONSOLE: Final = re.compile(r"^```python\n(?=>>>)", re.MULTILINE)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not in docs/."""
    for name, (title, names) in reference().items():
        text = "\n\n".join([f"# {title}", *(f"::: logicaldb.{one}" for one in names)])
        files.append(File.generated(config, f"reference/{name}.md", content=text + "\n"))
    waiting = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    waiting += [linked for page in Path(config.docs_dir).glob("**/*.md") for linked in outside(page)]
    while waiting:
        file = waiting.pop()
        place = place_of(file)
        if files.get_file_from_path(place) is None:
            files.append(File.generated(config, place, content=content_of(file)))
            waiting += outside(file)
    files.append(File.generated(config, "assets/site.css", content=STYLE))
    if MERMAID.is_file():
        files.append(File.generated(config, "assets/mermaid.min.js", abs_src_path=str(MERMAID)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs names them
    """Lead the links out of docs/ to the pages that were made of those files."""
    place = page.file.src_uri
    if place.startswith("reference/"):
        return markdown
    file = ROOT / (place.removeprefix("repository/") if place.startswith("repository/") else f"docs/{place}")
    if place.startswith("repository/") and not file.exists():
        return markdown  # a file's source, which has no links
    return _CONSOLE.sub("```pycon\n", _outside_of_fences(markdown, lambda text: relinked(text, file, place)))


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs names them
    """Show ``|`` in tables as it is meant: Markdown for Python leaves it escaped in code."""
    return _CELL.sub(lambda cell: cell[0].replace("\\|", "|"), html)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - mkdocs names them
    """Give pages with a diagram what draws it, so that the theme does not fetch it from elsewhere."""
    output = output.replace("::</p>", ":</p>")  # docstrings lead to code by two colons, which Markdown shows
    if 'class="mermaid"' not in output or not MERMAID.is_file():
        return output
    script = posixpath.relpath("assets/mermaid.min.js", posixpath.dirname(page.file.dest_uri) or ".")
    return output.replace("</head>", f'<script src="{script}"></script></head>', 1)


def reference() -> dict[str, tuple[str, list[str]]]:
    """The pages of the reference, with title and names.

    Raises:
        PluginError: a public name is on none of them.
    """
    public = {name: getattr(logicaldb, name) for name in logicaldb.__all__}
    errors = [name for name, value in public.items() if isinstance(value, type) and issubclass(value, Exception)]
    errors.sort(key=lambda name: (len(public[name].__mro__), name))
    pages = {name: (title, names.split()) for name, (title, names) in REFERENCE.items()}
    pages["errors"][1].extend(errors)
    left = set(public) - {name for _, names in pages.values() for name in names}
    if left:
        raise PluginError(f"tools/site.py: put {', '.join(sorted(left))} on a page of the reference")
    return pages


def outside(page: Path) -> list[Path]:
    """The files outside of docs/ that a page links to."""
    if page.suffix != ".md":
        return []
    text = _FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = (_target(page, match[3]) for match in _LINK.finditer(text))
    return [target for target in targets if target is not None and target.is_file() and _is_outside(target)]


def place_of(file: Path) -> str:
    """Where a file of the repository is in the site."""
    path = file.relative_to(ROOT).as_posix()
    if not _is_outside(file):
        return path.removeprefix("docs/")
    return f"repository/{path}" if file.suffix in {".md", ".png", ".svg"} else f"repository/{path}.md"


def content_of(file: Path) -> str | bytes:
    """What a file of the repository is in the site: pages and pictures as they are, others as a listing."""
    if file.suffix in {".png", ".svg"}:
        return file.read_bytes()
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return text
    path = file.relative_to(ROOT).as_posix()
    return f"# {path}\n\n````{file.suffix.removeprefix('.')}\n{text}````\n"


def relinked(text: str, file: Path, place: str) -> str:
    """The text of a page with its links as they are in the site; those to folders become plain text."""

    def link(match: re.Match[str]) -> str:
        mark, label, address = match.groups()
        target = _target(file, address)
        if target is None or not (_is_outside(target) or _is_outside(file)):
            return match[0]
        if target.is_dir():
            return label
        fragment = address.partition("#")[1:]
        return f"{mark}[{label}]({posixpath.relpath(place_of(target), posixpath.dirname(place) or '.')}{''.join(fragment)})"

    return _LINK.sub(link, text)


def _outside_of_fences(text: str, change: Callable[[str], str]) -> str:
    parts, end = [], 0
    for fence in _FENCE.finditer(text):
        parts += [change(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(text[end:])])


def _target(page: Path, address: str) -> Path | None:
    """The file that a link leads to; ``None`` for the page itself and for what is elsewhere."""
    path = address.partition("#")[0]
    return None if not path or "://" in path or ":" in path else (page.parent / path).resolve()


def _is_outside(file: Path) -> bool:
    return not file.is_relative_to(ROOT / "docs")
