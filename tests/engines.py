"""The engines that tests run on: the same tests on moto and on DynamoDB Local, or on one of them.

The engines are those of the pytest plugin of the library, which has one in a run, whichever ``--dynamodb`` chooses. Here
a test names its engines by its fixtures, all of them run, and the option chooses nothing; ``-k moto`` does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from logicaldb import AsyncDirectTransport, DirectTransport
from logicaldb.testing import DynamoDbLocal, DynamoDbLocalUnavailable, LogicalDbFactory, find_emulator
from logicaldb.testing.plugin import Engine, start_engine
from tests.modes import Blocking, Loop, Mode, aio_client

MODES = ["moto", "local", "local-direct", "local-threads", "local-aiobotocore", "local-awaited_direct"]
"""The engines, and how a db reaches them: it blocks, or it is awaited; through a client, or past it."""


class SharedLocal(DynamoDbLocal):
    """A DynamoDB Local that tests share, so that none of them may empty it.

    Attributes:
        engine: what the plugin makes of it, as of any address where a DynamoDB runs.
    """

    engine: Engine


@pytest.fixture(scope="session")
def dynamodb_local() -> Generator[SharedLocal]:
    """A DynamoDB Local for all tests, one of each process of pytest-xdist."""
    with ExitStack() as stack:
        try:
            local = stack.enter_context(SharedLocal())
        except DynamoDbLocalUnavailable as error:
            pytest.skip(str(error))  # with CI=true a skip is a failure
        local.engine = stack.enter_context(start_engine(local.endpoint_url))
        yield local


@pytest.fixture
def local_client(dynamodb_local: SharedLocal) -> Generator[Any]:
    """A client of DynamoDB Local, for tests of what moto gets wrong."""
    with dynamodb_local.engine() as client:
        yield client


@pytest.fixture
def local_db(local_client: Any) -> LogicalDbFactory:
    """Makes dbs on DynamoDB Local, with tables of their own; they go with the engine, which is quicker than one by one."""
    return LogicalDbFactory(local_client)


@contextmanager
def moto() -> Generator[Any]:
    """A client of moto, which is empty at first."""
    with start_engine("moto") as engine, engine() as client:
        yield client


@pytest.fixture(params=["moto", "local"])
def client(request: pytest.FixtureRequest) -> Generator[Any]:
    """A client of each engine in turn: moto, empty at first, and a DynamoDB Local that all tests share."""
    if request.param == "moto":
        with moto() as client:
            yield client
    else:
        yield request.getfixturevalue("local_client")


@pytest.fixture(scope="session")
def loop() -> Generator[Loop]:
    """An event loop for all tests."""
    loop = Loop()
    yield loop
    loop.close()


@pytest.fixture(scope="session")
def local_aio_client(dynamodb_local: DynamoDbLocal, loop: Loop) -> Generator[Any]:
    """An aiobotocore client of DynamoDB Local, one for all tests; it is used on ``loop``."""
    with aio_client(loop, dynamodb_local.endpoint_url) as client:
        yield client


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> Generator[Mode]:
    """Each engine in turn, and DynamoDB Local in each mode."""
    yield from modes(request)


@pytest.fixture(params=MODES[1:])
def local_mode(request: pytest.FixtureRequest) -> Generator[Mode]:
    """DynamoDB Local in each mode, for tests of what moto gets wrong."""
    yield from modes(request)


def modes(request: pytest.FixtureRequest) -> Generator[Mode]:
    """The mode that is the parameter of a fixture."""
    get = request.getfixturevalue
    engine, _, way = request.param.partition("-")
    with moto() if engine == "moto" else nullcontext(get("local_client")) as client:
        logical_db = LogicalDbFactory(client)
        match way:
            case "":
                yield Mode(client, logical_db)
            case "direct":
                with DirectTransport.from_client(client) as direct:
                    yield Mode(client, logical_db, direct)
            case "threads":
                yield Mode(client, logical_db, client, get("loop"))
            case "aiobotocore":
                yield Mode(client, logical_db, get("local_aio_client"), get("loop"))
            case _:
                loop: Loop = get("loop")
                transport = AsyncDirectTransport.from_client(client)
                yield Mode(client, logical_db, transport, loop)
                loop.run(transport.aclose())


@pytest.fixture
def new_name(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes names for tables that no other test uses, so that nothing needs to be cleaned up."""
    test = re.sub(r"[^A-Za-z0-9_.-]", "-", request.node.name)[:80]
    return lambda: f"{test}-{uuid4().hex}"


def code_of(error: ClientError) -> str:
    """The error code of the service."""
    return error.response.get("Error", {}).get("Code", "")


@contextmanager
def record(source: Any) -> Generator[list[tuple[str, Any]]]:
    """Record the requests that leave through a client, or through that of a ``LogicalDb``.

    Gives:
        The operation and the body of each, in order; every attempt of botocore counts.
    """
    client = source if hasattr(source, "meta") else client_of(source)
    requests: list[tuple[str, Any]] = []

    def listen(event_name: str, request: Any, **_: Any) -> None:
        requests.append((event_name.rpartition(".")[2], json.loads(request.body)))

    client.meta.events.register("before-send.dynamodb", listen)
    try:
        yield requests
    finally:
        client.meta.events.unregister("before-send.dynamodb", listen)


def client_of(db: Any) -> Any:
    """The client through which a db sends."""
    transport = (db._awaited if isinstance(db, Blocking) else db)._transport.transport
    return getattr(transport, "_blocking", transport)._client


@pytest.fixture
def recorder() -> Callable[[Any], AbstractContextManager[list[tuple[str, Any]]]]:
    """``with recorder(db) as requests:`` records what leaves inside."""
    return record


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch DynamoDB Local before the tests begin, because it takes longer than a test may."""
    if any("[local" in item.name or "dynamodb_local" in getattr(item, "fixturenames", ()) for item in session.items):
        with suppress(DynamoDbLocalUnavailable):  # the fixture tells
            find_emulator()
