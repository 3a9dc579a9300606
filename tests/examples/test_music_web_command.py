"""``python -m examples.music.web``."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from examples.music.models import MusicDb, PlaylistInfo
from examples.music.web.serving import app
from logicaldb.testing import DynamoDbLocal

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "examples.music.web", "--port", "0"]


@contextmanager
def running(*options: str) -> Generator[tuple[str, str]]:
    """Run the command; give the line that it prints and the address in it. It stops at Ctrl-C, and says nothing more."""
    command = [*COMMAND, *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            address = re.search(r"(http://127\.0\.0\.1:\d+)/ \(Ctrl-C stops it\)$", line)
            assert address is not None, process.communicate()
            yield line, address[1]
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=60) == ("", "")
            assert process.returncode == 0
        finally:
            process.kill()


def test_it_serves_the_bundled_catalogue_until_it_is_stopped() -> None:
    with running() as (line, address):
        assert line == f"The music library, on in-process DynamoDB: {address}/ (Ctrl-C stops it)"
        albums = httpx.get(f"{address}/api/albums", timeout=60, trust_env=False).json()["albums"]
        assert (len(albums), albums[0]["title"]) == (19, "Kind of Blue")


def test_it_serves_what_an_endpoint_has(dynamodb_local: DynamoDbLocal, new_name: Callable[[], str]) -> None:
    table, endpoint = new_name(), dynamodb_local.endpoint_url
    db = MusicDb(dynamodb_local.client(), table_name_resolver=lambda _table, _declared: table)
    db.create_tables()
    db.create(PlaylistInfo(playlist_token="PLAYLIST_x", playlist_name="Theirs"))
    with running("--endpoint-url", endpoint, "--table-name", table) as (line, address):
        assert line.startswith(f"The music library, on DynamoDB at {endpoint}: ")
        assert httpx.get(f"{address}/api/albums", timeout=60, trust_env=False).json() == {"albums": [], "next": None}
        [playlist] = httpx.get(f"{address}/api/playlists", timeout=60, trust_env=False).json()
        assert playlist == {"token": "PLAYLIST_x", "name": "Theirs", "version": 1, "tracks": []}


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        outcome = CliRunner().invoke(app, ["--port", str(other.getsockname()[1])])
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith("Error: [Errno ")
    assert "already in use" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_an_endpoint_that_is_no_address_is_one_sentence() -> None:
    outcome = CliRunner().invoke(app, ["--port", "0", "--endpoint-url", "localhost"])
    assert (outcome.exit_code, outcome.stdout, outcome.stderr) == (1, "", "Error: Invalid endpoint: localhost\n")


def test_two_places_exclude_each_other() -> None:
    outcome = CliRunner().invoke(app, ["--aws", "--endpoint-url", "http://localhost:8000"])
    assert (outcome.exit_code, "--aws and --endpoint-url exclude each other." in outcome.stderr) == (2, True)


@pytest.mark.parametrize("package", ["fastapi", "jinja2", "python_multipart", "uvicorn"])
def test_without_the_extra_it_says_what_to_install(tmp_path: Path, package: str) -> None:
    (tmp_path / f"{package}.py").write_text(
        f"raise ModuleNotFoundError(\"No module named '{package}'\", name='{package}')", encoding="utf-8"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    outcome = subprocess.run(COMMAND, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    assert (outcome.returncode, outcome.stderr) == (
        1,
        f"The music example needs {package}, which is not installed. Install the extra: logicaldb[examples]\n",
    )
