"""What runs DynamoDB Local: Java, or Docker where there is no Java."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias
from uuid import uuid4

from logicaldb.testing.emulator import JAR, VARIABLE, DynamoDbLocalUnavailable, find_emulator, is_fetched

IMAGE: Final = "amazon/dynamodb-local:1.25.1"
"""The image in which AWS publishes DynamoDB Local, of the version that the npm package has."""

_MACHINE: Final = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""It starts, and does its first thousands of requests, in half the time when it compiles little and collects simply."""
_OPTIONS: Final = ("-inMemory", "-sharedDb", "-disableTelemetry")


@dataclass(frozen=True, slots=True)
class Launch:
    """How a server is started, and how it is ended.

    Attributes:
        command: starts it; it runs as long as the process of this command.
        end: a command that ends what is left when that process is gone; empty where nothing is.
    """

    command: tuple[str, ...]
    end: tuple[str, ...] = ()


Program: TypeAlias = Callable[[Path, int], Launch]
"""Launches a server that may write into a folder of its own and listens on a port of the loopback interface."""


def find_program(folder: str | Path | None = None) -> Program:
    """Find what runs DynamoDB Local here, and fetch DynamoDB Local where it is missing.

    Args:
        folder: the folder of DynamoDB Local; see ``find_emulator`` for the default.

    Raises:
        DynamoDbLocalUnavailable: something is missing, or DynamoDB Local cannot be fetched.
    """
    java, docker = shutil.which("java"), shutil.which("docker")
    given = folder or os.environ.get(VARIABLE)
    if java is None:
        if given:
            raise DynamoDbLocalUnavailable(
                f"DynamoDB Local in {Path(given).absolute()} needs Java, and there is none on the PATH: install a JRE"
            )
        if docker is None:
            raise DynamoDbLocalUnavailable(
                "DynamoDB Local needs Java or Docker, and neither is on the PATH: install a JRE, 8 or later"
            )
        return _program_of_docker(docker, "Java")
    if docker is not None and not given and not is_fetched() and shutil.which("npm") is None:
        return _program_of_docker(docker, "npm")
    return partial(_launch_java, java, find_emulator(given))


def _launch_java(java: str, emulator: Path, scratch: Path, port: int) -> Launch:
    return Launch(
        (
            java,
            *_MACHINE,
            f"-Djava.io.tmpdir={scratch}",
            f"-Djava.library.path={emulator / 'DynamoDBLocal_lib'}",
            "-jar",
            str(emulator / JAR),
            *_OPTIONS,
            *("-port", str(port)),
        )
    )


def _program_of_docker(docker: str, missing: str) -> Program:
    """Make sure that Docker has the image: fetching it takes longer than a server may take to start."""
    if _run(docker, "image", "inspect", IMAGE).returncode:
        pulled = _run(docker, "pull", IMAGE)
        if pulled.returncode:
            raise DynamoDbLocalUnavailable(
                f"there is no {missing} on the PATH, so DynamoDB Local is to run in Docker; but `docker pull {IMAGE}` "
                f"failed:\n{pulled.stderr.strip()}"
            )
    return partial(_launch_docker, docker)


def _launch_docker(docker: str, _scratch: Path, port: int) -> Launch:
    name = f"logicaldb-{uuid4().hex}"
    return Launch(
        (
            *(docker, "run", "--rm", "--name", name, "--publish", f"127.0.0.1:{port}:8000", IMAGE),
            *(*_MACHINE, "-jar", JAR, *_OPTIONS),
        ),
        # The container outlives the command that shows its output.
        end=(docker, "rm", "--force", name),
    )


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - nothing in it is from outside
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
