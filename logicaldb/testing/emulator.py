"""Where the program of DynamoDB Local is, and how it gets there."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

JAR = "DynamoDBLocal.jar"
PACKAGE = "amplify-dynamodb-simulator@2.9.30"
"""The npm package in which AWS publishes DynamoDB Local (1.25.1)."""

VARIABLE = "LOGICALDB_DYNAMODB_LOCAL"
CACHE = Path(".cache", "dynamodb-local")


class DynamoDbLocalUnavailable(RuntimeError):
    """DynamoDB Local cannot be used here; the message says what is missing."""


def find_emulator(folder: str | Path | None = None) -> Path:
    """Find the folder of DynamoDB Local, and fetch it the first time.

    The folder is ``folder``, else that of the environment variable ``LOGICALDB_DYNAMODB_LOCAL``, else
    ``.cache/dynamodb-local`` in the working directory. The last is fetched with npm where it is missing (56 MB; git
    ignores it). DynamoDB Local is AWS's and under the licence that is in the folder.

    Raises:
        DynamoDbLocalUnavailable: the folder does not hold DynamoDB Local, or it cannot be fetched.
    """
    given = folder or os.environ.get(VARIABLE)
    if given:
        found = Path(given).absolute()
        if not (found / JAR).is_file():
            named_by = "" if folder else f" ({VARIABLE})"
            raise DynamoDbLocalUnavailable(f"there is no {JAR} in {found}{named_by}")
        return found
    cache = CACHE.absolute()
    if not is_fetched():
        _fetch(cache)
    return cache


def is_fetched() -> bool:
    """Tell whether DynamoDB Local is where it is put when it is fetched."""
    return (CACHE / JAR).is_file()


def _fetch(cache: Path) -> None:
    """Put DynamoDB Local into ``cache``, all of it at once; of several processes that do so, the first wins."""
    npm = shutil.which("npm")
    if npm is None:
        raise DynamoDbLocalUnavailable(
            "DynamoDB Local is fetched with npm, and there is none: install Node.js, or unpack DynamoDB Local yourself "
            f"and name its folder in the environment variable {VARIABLE}"
        )
    cache.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache.parent, prefix="dynamodb-local-") as scratch:
        command = [npm, "pack", PACKAGE, "--ignore-scripts"]
        # npm writes notices to stderr, and under some settings to stdout: only its exit code and the file count.
        done = subprocess.run(  # noqa: S603 - nothing in it is from outside
            command,
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            raise DynamoDbLocalUnavailable(f"`npm pack {PACKAGE}` failed:\n{done.stderr.strip()}")
        emulator = Path(scratch, "emulator")
        for tarball in Path(scratch).glob("*.tgz"):
            _unpack(tarball, emulator)
        if not (emulator / JAR).is_file():
            raise DynamoDbLocalUnavailable(f"there is no {JAR} in the npm package {PACKAGE}")
        (emulator / ".gitignore").write_text("*\n", encoding="utf-8")
        try:
            emulator.rename(cache)
        except OSError as error:
            if not (cache / JAR).is_file():
                raise DynamoDbLocalUnavailable(f"{cache} holds something that is not DynamoDB Local") from error


def _unpack(tarball: Path, target: Path) -> None:
    """Unpack the files of ``package/emulator`` (AWS's licence is among them), and nothing outside ``target``."""
    with tarfile.open(tarball) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            wanted = member.isfile() and path.parts[:2] == ("package", "emulator")
            content = archive.extractfile(member) if wanted else None
            if content is None:
                continue
            file = target.joinpath(*path.parts[2:])
            if not file.resolve().is_relative_to(target.resolve()):
                raise DynamoDbLocalUnavailable(f"the npm package {PACKAGE} holds a path that leads out of it")
            file.parent.mkdir(parents=True, exist_ok=True)
            with content, file.open("wb") as copy:
                shutil.copyfileobj(content, copy)
