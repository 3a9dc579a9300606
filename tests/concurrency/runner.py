"""Runs pagers in processes that are killed; see ``killed``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Runner:
    """The process that runs pagers, of which the one under way may be killed.

    Attributes:
        process: the process.
        pages: how many pages its children told of.
    """

    process: subprocess.Popen[str]
    pages: int = 0

    def run(self, job: dict[str, Any], pages: int | None = None, wait: float = 0) -> str:
        """Run a pager, and kill it some time after so many pages.

        Args:
            job: the options of ``killed.run``.
            pages: the pages; ``None`` if it is to end by itself.
            wait: seconds.

        Returns:
            How it ended: ``complete``, ``killed``, or ``stopped`` and why.
        """
        self._write(json.dumps(job))
        pid = int(self._read().removeprefix("pid "))
        written = 0
        while written != pages:
            told = self._read()
            if told != "page":
                break
            written += 1
        else:
            time.sleep(wait)
            os.kill(pid, signal.SIGKILL)
            told = "killed"
        self._write("wait for it")
        while (last := self._read()) != "ended":  # what it told before it was killed
            written += last == "page"
            told = told if last == "page" else last
        assert told.partition(" ")[0] in ("complete", "stopped", "killed"), told
        self.pages += written
        return told

    def _write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def _read(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process that runs pagers has ended"
        return line.strip()


@contextmanager
def start_runner(url: str, table: str, **config: Any) -> Generator[Runner]:
    """Start the process; ``config`` are settings of its client."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.concurrency.killed", url, table, json.dumps(config)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Runner(process)
        # Leaving the block ends it, because that closes its stdin.
