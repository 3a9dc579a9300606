"""A server in a process of its own: started, waited for, and ended for sure."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from logicaldb.testing.emulator import DynamoDbLocalUnavailable
from logicaldb.testing.programs import Launch, Program

_STARTS: Final = 3
_TAKEN: Final = ("Failed to bind", "port is already allocated", "address already in use")
"""What Java and Docker say of a port that they cannot have."""


def start_server(program: Program, timeout: float, cleanup: ExitStack) -> int:
    """Start a server on a free port of the loopback interface, and wait until it answers.

    Args:
        program: what is started.
        timeout: how many seconds it may take to answer.
        cleanup: ends it; at the latest it ends with this process, however this ends.

    Returns:
        The port.

    Raises:
        DynamoDbLocalUnavailable: it does not start.
    """
    for _ in range(_STARTS):
        port = _free_port()
        if _start(program, port, timeout, cleanup):
            return port
    raise DynamoDbLocalUnavailable(f"DynamoDB Local found {_STARTS} ports taken, which were free before")


def _start(program: Program, port: int, timeout: float, cleanup: ExitStack) -> bool:
    """Start it on a port; return whether the port was still free."""
    with ExitStack() as stack:
        # It writes into its working directory and leaves a file in that for temporary ones: both are to be its own.
        # Not a TemporaryDirectory: a process forked from this one would remove that when it ends.
        scratch = mkdtemp(prefix="dynamodb-local-")
        stack.callback(shutil.rmtree, scratch, ignore_errors=True)
        launch = program(Path(scratch), port)
        if launch.end:
            stack.callback(_run, launch.end)
        log = Path(scratch, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - nothing in it is from outside
                launch.command,
                cwd=scratch,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C is for this process, which may still need the server to end in order.
                start_new_session=True,
            )
        stack.callback(_end, process)
        _end_with_parent(process, scratch, launch, stack)
        if not _answers(process, port, log, timeout):
            return False
        cleanup.push(stack.pop_all())
    return True


def _answers(process: subprocess.Popen[bytes], port: int, log: Path, timeout: float) -> bool:
    """Wait until it answers; return ``False`` where another process took the port."""
    deadline = time.monotonic() + timeout
    while True:
        answers = _is_answering(port)
        said = log.read_text(encoding="utf-8", errors="replace")
        # Java does not end when it cannot have its port; and what answers there is not it, then.
        if any(taken in said for taken in _TAKEN):
            return False
        if (code := process.poll()) is not None:
            raise DynamoDbLocalUnavailable(f"DynamoDB Local ended with exit code {code}:\n{said[-2000:].strip()}")
        if answers:
            return True
        if time.monotonic() > deadline:
            raise DynamoDbLocalUnavailable(
                f"DynamoDB Local did not answer within {timeout:g} seconds:\n{said[-2000:].strip()}"
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


def _end_with_parent(process: subprocess.Popen[bytes], scratch: str, launch: Launch, stack: ExitStack) -> None:
    """Let the process end with this one, however this one ends: a shell waits for the end of a pipe that we hold."""
    shell = shutil.which("sh")
    if shell is None:
        return
    script = 'read -r nothing; kill -9 "$0"; rm -rf "$1"; shift; "$@"'
    watcher = subprocess.Popen(  # noqa: S603 - nothing in it is from outside
        [shell, "-c", script, str(process.pid), scratch, *launch.end],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # First of all that is cleaned up: afterwards the id of the process may be another's.
    stack.callback(_end, watcher)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process for sure, and wait until it has ended."""
    with process:
        process.kill()


def _run(command: tuple[str, ...]) -> None:
    """Run a command to its end, whatever comes of it."""
    subprocess.run(  # noqa: S603 - nothing in it is from outside
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
