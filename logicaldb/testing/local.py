"""DynamoDB Local as a server of its own process."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, Final, Self

from logicaldb.testing.clients import make_test_client
from logicaldb.testing.emulator import JAR, DynamoDbLocalUnavailable, find_emulator

_STARTS: Final = 3


class DynamoDbLocal:
    """A DynamoDB Local that runs while the ``with`` block does.

    It listens on a free port of its own, keeps everything in memory, and all its clients see the same tables, whatever
    their credentials. It is stopped at the end of the block, at the latest with the process, be that killed. It needs
    Java (8 or later) and, where DynamoDB Local is not there yet, npm (see ``find_emulator``).

    Attributes:
        endpoint_url: where it listens.

    Args:
        folder: the folder of DynamoDB Local; see ``find_emulator`` for the default.
        timeout: how many seconds it may take to start.

    Raises:
        DynamoDbLocalUnavailable: on entering: Java, npm or DynamoDB Local is missing, or it does not start.
    """

    def __init__(self, folder: str | Path | None = None, *, timeout: float = 60) -> None:
        self.endpoint_url = ""
        self._folder = folder
        self._timeout = timeout
        self._cleanup = ExitStack()
        self._owner = 0

    def __enter__(self) -> Self:
        java = shutil.which("java")
        if java is None:
            raise DynamoDbLocalUnavailable("DynamoDB Local needs Java, and there is none on the PATH: install a JRE")
        emulator = find_emulator(self._folder)
        for _ in range(_STARTS):
            if self._start(java, emulator, _free_port()):
                return self
        raise DynamoDbLocalUnavailable(f"DynamoDB Local found {_STARTS} ports taken, which were free before")

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop()

    def client(self, **config: Any) -> Any:
        """Make a boto3 client of it, with made-up credentials.

        Args:
            config: settings of ``botocore.config.Config``, such as ``max_pool_connections=16``.
        """
        return make_test_client(self.endpoint_url, "us-east-1", **config)

    def _start(self, java: str, emulator: Path, port: int) -> bool:
        """Start it on a port; return whether the port was still free."""
        with ExitStack() as cleanup:
            # It writes into its working directory and leaves a file in that for temporary ones: both are to be its own.
            # Not a TemporaryDirectory: a process forked from this one would remove that when it ends.
            scratch = mkdtemp(prefix="dynamodb-local-")
            cleanup.callback(shutil.rmtree, scratch, ignore_errors=True)
            log = Path(scratch, "log")
            with log.open("wb") as output:
                process = subprocess.Popen(  # noqa: S603 - nothing in it is from outside
                    [
                        java,
                        "-Xmx512m",
                        f"-Djava.io.tmpdir={scratch}",
                        f"-Djava.library.path={emulator / 'DynamoDBLocal_lib'}",
                        "-jar",
                        str(emulator / JAR),
                        *("-inMemory", "-sharedDb", "-disableTelemetry"),
                        *("-port", str(port)),
                    ],
                    cwd=scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                )
            cleanup.callback(_end, process)
            _end_with_parent(process, scratch, cleanup)
            if not self._answers(process, port, log):
                return False
            self.endpoint_url = f"http://127.0.0.1:{port}"
            self._owner = os.getpid()
            self._cleanup = cleanup.pop_all()
        atexit.register(self._stop)
        self._cleanup.callback(atexit.unregister, self._stop)
        return True

    def _stop(self) -> None:
        """Stop it, but not in a process that was forked from the one that started it."""
        if self._owner == os.getpid():
            self._cleanup.close()

    def _answers(self, process: subprocess.Popen[bytes], port: int, log: Path) -> bool:
        """Wait until it answers; return ``False`` where another process took the port."""
        deadline = time.monotonic() + self._timeout
        while True:
            answers = _is_answering(port)
            said = log.read_text(encoding="utf-8", errors="replace")
            # It does not end when it cannot have its port; and what answers there is not it, then.
            if "Failed to bind" in said:
                return False
            if (code := process.poll()) is not None:
                raise DynamoDbLocalUnavailable(f"DynamoDB Local ended with exit code {code}:\n{said[-2000:].strip()}")
            if answers:
                return True
            if time.monotonic() > deadline:
                raise DynamoDbLocalUnavailable(
                    f"DynamoDB Local did not answer within {self._timeout:g} seconds:\n{said[-2000:].strip()}"
                )
            time.sleep(0.05)


def _free_port() -> int:
    """Find a port of the loopback interface that nothing listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_answering(port: int) -> bool:
    """Tell whether something speaks HTTP at a port; it need not like the request."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", "/")
        connection.getresponse().read()
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
    return True


def _end_with_parent(process: subprocess.Popen[bytes], scratch: str, cleanup: ExitStack) -> None:
    """Let the process end with this one, however this one ends: a shell waits for the end of a pipe that we hold."""
    shell = shutil.which("sh")
    if shell is None:
        return
    watcher = subprocess.Popen(  # noqa: S603 - nothing in it is from outside
        [shell, "-c", 'read -r nothing; kill -9 "$0"; rm -rf "$1"', str(process.pid), scratch],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # First of all that is cleaned up: afterwards the id of the process may be another's.
    cleanup.callback(_end, watcher)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process for sure, and wait until it has ended."""
    with process:
        process.kill()
