from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from logicaldb.testing import DynamoDbLocal, DynamoDbLocalUnavailable

JAVA = f"""#!{sys.executable}
import json, os, socket, sys
folder = os.environ["FAKE_JAVA"]
with open(folder + "/started", "a") as started:
    started.write(json.dumps([os.getpid(), os.getcwd(), *sys.argv[1:]]) + "\\n")
behaviours = open(folder + "/behaviours").read().split()
behaviour = behaviours[sum(1 for _ in open(folder + "/started")) - 1]
print("Initializing DynamoDB Local", flush=True)
open(folder + "/spoke", "w").close()
if behaviour == "exit":
    sys.exit("no such memory")
if behaviour == "taken":
    print("java.io.IOException: Failed to bind to 0.0.0.0/0.0.0.0:1", file=sys.stderr, flush=True)
listening = socket.create_server(("127.0.0.1", int(sys.argv[-1])))
while True:
    connection = listening.accept()[0]
    if behaviour == "serve":
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
    connection.close()
"""


class Java:
    """A java of ours on the PATH, which does what it is told to each time it is started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def behaves(self, *behaviours: str) -> None:
        (self.folder / "behaviours").write_text(" ".join(behaviours))

    @property
    def started(self) -> list[list[Any]]:
        return [json.loads(line) for line in (self.folder / "started").read_text().splitlines()]

    @property
    def spoke(self) -> bool:
        return (self.folder / "spoke").exists()

    @property
    def running(self) -> list[int]:
        return [pid for pid, *_ in self.started if is_running(pid)]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Nobody waits for a process whose parent was killed, where there is no init.
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")


def is_answering(local: DynamoDbLocal) -> bool:
    connection = HTTPConnection(local.endpoint_url.removeprefix("http://"), timeout=5)
    try:
        connection.request("POST", "/")
        return connection.getresponse().status == 400
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Java:
    tool = tmp_path / "java"
    tool.write_text(JAVA)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_JAVA", str(tmp_path))
    emulator = tmp_path / "emulator"
    emulator.mkdir()
    (emulator / "DynamoDBLocal.jar").touch()
    monkeypatch.setenv("LOGICALDB_DYNAMODB_LOCAL", str(emulator))
    monkeypatch.delenv("LOGICALDB_DYNAMODB_ENDPOINT", raising=False)
    java = Java(tmp_path)
    java.behaves("serve")
    return java


def test_runs_while_the_block_does(java: Java) -> None:
    with DynamoDbLocal() as local:
        assert is_answering(local)
        [(pid, working, *arguments)] = java.started
        scratch = Path(working)
        assert scratch.is_dir()
        client = local.client(max_pool_connections=7)
    assert not is_answering(local)
    assert not is_running(pid)
    assert not scratch.exists()
    emulator = java.folder / "emulator"
    assert arguments == [
        "-Xmx512m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        f"-Djava.io.tmpdir={scratch}",
        f"-Djava.library.path={emulator}/DynamoDBLocal_lib",
        "-jar",
        f"{emulator}/DynamoDBLocal.jar",
        "-inMemory",
        "-sharedDb",
        "-disableTelemetry",
        "-port",
        local.endpoint_url.removeprefix("http://127.0.0.1:"),
    ]
    assert client.meta.endpoint_url == local.endpoint_url
    assert client.meta.config.max_pool_connections == 7
    assert [path.name for path in emulator.iterdir()] == ["DynamoDBLocal.jar"]


def test_two_run_beside_each_other(java: Java) -> None:
    java.behaves("serve", "serve")
    with DynamoDbLocal() as first:
        with DynamoDbLocal() as second:
            assert first.endpoint_url != second.endpoint_url
        assert is_answering(first)
        assert not is_answering(second)
    assert java.running == []


def test_is_stopped_when_the_block_raises(java: Java) -> None:
    with pytest.raises(KeyError), DynamoDbLocal():
        raise KeyError("of the caller")
    assert java.running == []


def test_without_a_shell_it_runs_too(java: Java, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(java.folder))
    with DynamoDbLocal() as local:
        assert is_answering(local)
    assert java.running == []


def test_a_missing_java_is_told(java: Java, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(java.folder / "emulator"))
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal():
        pass
    assert str(raised.value) == (
        f"DynamoDB Local in {java.folder}/emulator needs Java, and there is none on the PATH: install a JRE"
    )


def test_a_missing_jar_is_told(java: Java) -> None:
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal(java.folder):
        pass
    assert str(raised.value) == f"there is no DynamoDBLocal.jar in {java.folder}"


def test_what_it_says_when_it_ends_at_once_is_told(java: Java) -> None:
    java.behaves("exit")
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal():
        pass
    assert str(raised.value) == ("DynamoDB Local ended with exit code 1:\nInitializing DynamoDB Local\nno such memory")


class Clock:
    """In the place of ``time``: it stands still until java has spoken, however long that takes on this machine."""

    def __init__(self, java: Java) -> None:
        self.java = java
        self.now = 1000.0
        self.end = time.monotonic() + 60

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert time.monotonic() < self.end, "java does not speak, or nobody looks at the clock"
        time.sleep(0.01)
        if self.java.spoke:
            self.now += seconds


def test_it_must_answer_in_time(java: Java, monkeypatch: pytest.MonkeyPatch) -> None:
    java.behaves("hang-up")
    clock = Clock(java)
    monkeypatch.setattr("logicaldb.testing.servers.time", clock)
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal(timeout=3):
        pass
    assert str(raised.value) == "DynamoDB Local did not answer within 3 seconds:\nInitializing DynamoDB Local"
    assert 1003 < clock.now < 1003.1
    assert len(java.started) == 1
    assert java.running == []


def test_a_port_that_is_taken_meanwhile_is_given_up(java: Java) -> None:
    java.behaves("taken", "serve")
    with DynamoDbLocal() as local:
        assert is_answering(local)
        assert len(java.started) == 2
        assert len(java.running) == 1
    assert java.running == []


def test_ports_that_are_always_taken_are_told(java: Java) -> None:
    java.behaves("taken", "taken", "taken")
    with pytest.raises(DynamoDbLocalUnavailable) as raised, DynamoDbLocal():
        pass
    assert str(raised.value) == "DynamoDB Local found 3 ports taken, which were free before"
    assert java.running == []


def run_script(script: str, expected: int) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    prelude = "import os, signal, sys\nfrom logicaldb.testing import DynamoDbLocal\nlocal = DynamoDbLocal()\n"
    command = [sys.executable, "-c", prelude + script]
    assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == expected


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def test_it_ends_with_a_process_that_is_killed(java: Java) -> None:
    run_script("local.__enter__()\nos.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL)
    [(_, working, *_)] = java.started
    assert until(lambda: not java.running)
    assert until(lambda: not Path(working).exists())


def test_it_ends_with_a_process_that_does_not_end_the_block(java: Java, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(java.folder))  # without the shell that watches
    run_script("local.__enter__()\nsys.exit(3)", 3)
    [(pid, working, *_)] = java.started
    assert not is_running(pid)
    assert not Path(working).exists()


def test_ctrl_c_ends_the_block_first(java: Java) -> None:
    """What runs in the block may need it to end in order."""
    run_script(
        """
import http.client
os.setsid()
with local:
    try:
        os.killpg(0, signal.SIGINT)
        signal.pause()
    except KeyboardInterrupt:
        connection = http.client.HTTPConnection(local.endpoint_url.removeprefix("http://"))
        connection.request("POST", "/")
        assert connection.getresponse().status == 400
""",
        0,
    )
    assert java.running == []


def test_it_does_not_end_with_a_process_that_is_forked(java: Java) -> None:
    run_script(
        """
import http.client, json
with local:
    child = os.fork()
    if not child:
        local.__exit__(None, None, None)
        sys.exit()
    assert os.waitpid(child, 0)[1] == 0
    _, scratch, *_ = json.load(open(os.environ["FAKE_JAVA"] + "/started"))
    assert os.path.isdir(scratch)
    connection = http.client.HTTPConnection(local.endpoint_url.removeprefix("http://"))
    connection.request("POST", "/")
    assert connection.getresponse().status == 400
""",
        0,
    )
    assert java.running == []
