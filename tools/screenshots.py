"""`make screenshots`: the pictures in docs/images, taken of the music example in a headless Chromium."""

from __future__ import annotations

import shutil
import sys
import tempfile
from base64 import b64decode
from pathlib import Path
from typing import Any, Final

from examples.music.catalog import BUNDLED, read_catalog
from examples.music.models import MusicDb
from logicaldb.cli.outline import outline
from logicaldb.cli.page import page
from logicaldb.testing import in_process_dynamodb
from tests.examples.chromium import Tab, tab_of
from tests.examples.web import served

IMAGES: Final = Path(__file__).parents[1] / "docs" / "images"
MOST_BYTES: Final = 200_000


def take(chromium: str, folder: Path) -> dict[str, bytes]:
    """Take all pictures.

    Args:
        chromium: the program.
        folder: where to put what is needed meanwhile.

    Returns:
        The pictures, by file name.
    """
    diagram = folder / "music.html"
    diagram.write_text(page("MusicDb", outline(MusicDb)), encoding="utf-8")
    with tab_of(chromium, folder / "profile") as tab:
        pictures = {"diagram-music.png": _picture(tab, diagram.as_uri(), width=1280, height=1170)}
        with in_process_dynamodb() as client, served(client, "music_items", read_catalog(BUNDLED)) as web:
            for name, path in (("web-albums", "/"), ("web-album", "/albums/ALBUM_blue")):
                pictures[f"{name}.jpg"] = _picture(
                    tab, str(web.base_url.join(path)), width=1000, height=640, is_photo=True
                )
    return pictures


def _picture(tab: Tab, address: str, *, width: int, height: int, is_photo: bool = False) -> bytes:
    """The top of a page; of a shorter one, all of it."""
    tab.appear(width=width, scheme="light")
    tab.open(address)
    whole = tab.run("document.documentElement.getBoundingClientRect().height")
    clip: dict[str, Any] = {"x": 0, "y": 0, "width": width, "height": min(height, whole), "scale": 1}
    options: dict[str, Any] = {"captureBeyondViewport": True, "clip": clip}
    options |= {"format": "jpeg", "quality": 85} if is_photo else {"format": "png"}
    return b64decode(tab._call("Page.captureScreenshot", **options)["data"])


def write() -> int:
    """Take the pictures and write them; give the exit status."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("Chromium takes the pictures, and there is none on the PATH\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        pictures = take(chromium, Path(folder))
    for name, picture in pictures.items():
        assert len(picture) < MOST_BYTES, f"{name} is too large: {len(picture)} bytes"
        (IMAGES / name).write_bytes(picture)
        sys.stdout.write(f"{name}: {len(picture) // 1000} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(write())
