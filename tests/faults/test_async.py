"""Writes that are awaited and whose answers are lost: as in the blocking mode, never twice and no false conflict."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import EndpointConnectionError

from logicaldb import AmbiguousWrite, AsyncDirectTransport
from logicaldb.testing.clients import make_test_client
from tests.faults.cases import ADDING, CONDITIONAL, INCREMENT, RAW, REPEATING, SAVE, SAVE_VERSION, Case, prepare
from tests.faults.conftest import Mode, Stage
from tests.faults.proxy import Fault
from tests.faults.test_lost_answers import ALL_FAULTS, CAUSES, UNANSWERED, adding, cases, conditional, repeating
from tests.models import Db, Note, Tally, make_db
from tests.modes import Blocking, Loop, aio_client, twin


@dataclass
class AwaitedStage(Stage):
    """A stage whose db is awaited.

    Attributes:
        loop: where it is awaited.
        transport: what carries its requests.
        open_clients: ends its clients.
    """

    loop: Loop
    transport: str
    open_clients: ExitStack = field(default_factory=ExitStack)

    def db(self, mode: Mode = "standard", *, attempts: int = 4, **config: Any) -> Db:
        return self.db_at(self.proxy.url, retries={"mode": mode, "total_max_attempts": attempts}, **config)

    def db_at(self, url: str, **config: Any) -> Db:
        """The database as it is at an address."""
        client: Any
        if self.transport == "aiobotocore":
            client = self.open_clients.enter_context(aio_client(self.loop, url, **config))
        else:
            client = make_test_client(url, "us-east-1", **config)
            if self.transport == "direct" and config["retries"].get("mode") != "adaptive":
                client = AsyncDirectTransport.from_client(client)
                self.open_clients.callback(lambda: self.loop.run(client.aclose()))
        db = twin(Db)(client, table_name_resolver=lambda *_: self.table)
        return cast("Db", Blocking(db, self.loop))


@pytest.fixture(params=["threads", "aiobotocore", "direct"])
def awaited(
    request: pytest.FixtureRequest, stages: Callable[[], Stage], loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> Generator[AwaitedStage]:
    if request.param == "aiobotocore":
        pytest.importorskip("aiobotocore", reason="aiobotocore is not installed: pip install 'logicaldb[aio]'")
        monkeypatch.setattr("aiobotocore.endpoint.asyncio", SimpleNamespace(sleep=lambda _: asyncio.sleep(0)))
        # What aiohttp says of these is another thing.
        monkeypatch.setitem(CAUSES, Fault.RESET_AFTER, EndpointConnectionError)
    stage = stages()
    stage.proxy.plan()
    with ExitStack() as clients:
        yield AwaitedStage(
            stage.proxy, stage.direct, stage.name, stage.table, stage.clients, loop, request.param, clients
        )


@ALL_FAULTS
def test_an_increment_whose_answer_is_lost_is_never_counted_twice(awaited: AwaitedStage, fault: Fault) -> None:
    adding(awaited, INCREMENT, fault, "standard")


@pytest.mark.parametrize("mode", ["legacy", "adaptive"])
def test_an_increment_is_not_sent_again_in_any_mode(awaited: AwaitedStage, mode: Mode) -> None:
    adding(awaited, INCREMENT, Fault.CUT_AFTER, mode)


@cases(*ADDING[1:3])
def test_what_adds_is_never_added_twice(awaited: AwaitedStage, case: Case) -> None:
    adding(awaited, case, Fault.CUT_AFTER, "standard")


def test_what_adds_is_sent_again_after_a_refusal(awaited: AwaitedStage) -> None:
    prepare(awaited.direct, awaited.name)
    refusals = [Fault.THROTTLE, Fault.CONFLICT, Fault.THROTTLE]
    awaited.proxy.plan(*refusals)
    INCREMENT.write(awaited.db(), awaited.name, None)
    assert awaited.proxy.faults == [*refusals, Fault.PASS]
    assert INCREMENT.effects(awaited.direct, awaited.name) == 1


@ALL_FAULTS
def test_a_save_is_never_told_to_conflict_with_itself(awaited: AwaitedStage, fault: Fault) -> None:
    conditional(awaited, SAVE_VERSION, fault, "standard")


@cases(*CONDITIONAL[1:])
def test_no_condition_is_told_to_fail_against_the_write_itself(awaited: AwaitedStage, case: Case) -> None:
    conditional(awaited, case, Fault.CUT_AFTER, "standard")


@cases(*REPEATING[:3], *RAW)
def test_what_comes_to_the_same_is_sent_again(awaited: AwaitedStage, case: Case) -> None:
    repeating(awaited, case, Fault.RESET_AFTER, "standard")


@pytest.mark.parametrize("fault", [Fault.CUT_BEFORE, Fault.ERROR_BEFORE, Fault.DAMAGE], ids=lambda fault: fault.name)
def test_when_no_attempt_is_answered_the_outcome_is_unknown(awaited: AwaitedStage, fault: Fault) -> None:
    prepare(awaited.direct, awaited.name)
    awaited.proxy.plan(afterwards=fault)
    with pytest.raises(AmbiguousWrite) as raised:
        SAVE.write(awaited.db(attempts=2), awaited.name, None)
    assert str(raised.value) == f"{SAVE.title_of(awaited.name)}: {UNANSWERED}"
    assert isinstance(raised.value.__cause__, CAUSES[fault])
    assert awaited.proxy.faults == [fault] * 2


@cases(INCREMENT, SAVE_VERSION)
def test_a_connection_that_is_refused_is_told_as_it_is(awaited: AwaitedStage, case: Case) -> None:
    prepare(awaited.direct, awaited.name)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(EndpointConnectionError):
        case.write(awaited.db_at(url, retries={"total_max_attempts": 2}), awaited.name, None)
    assert case.effects(awaited.direct, awaited.name) == 0


def test_a_read_that_is_damaged_is_read_again(awaited: AwaitedStage) -> None:
    prepare(awaited.direct, awaited.name)
    awaited.proxy.plan(Fault.DAMAGE, Fault.CUT_AFTER, operations={"GetItem"})
    assert awaited.db().load(Tally.Key(awaited.name)) == awaited.direct.load(Tally.Key(awaited.name))
    assert awaited.proxy.faults == [Fault.DAMAGE, Fault.CUT_AFTER, Fault.PASS]


def test_a_task_that_is_cancelled_has_written_or_not_and_leaves_the_client_as_good_as_new(
    awaited: AwaitedStage,
) -> None:
    """Its request is under way; what comes of it nobody sees."""
    prepare(awaited.direct, awaited.name)
    db: Any = awaited.db(attempts=1, read_timeout=1)
    key = Note.Key(awaited.name)

    async def cancel() -> None:
        awaited.proxy.plan(Fault.HOLD)
        task = asyncio.create_task(db._awaited.increment(key, Note.hits))
        while not awaited.proxy.received:  # noqa: ASYNC110 - of another thread
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    awaited.loop.run(cancel())
    awaited.proxy.plan()
    assert db.increment(key, Note.hits) == 6
    assert awaited.proxy.release() == [200]
    assert db.increment(key, Note.hits) == 8
    assert make_db(awaited.proxy.client(), awaited.table).load(key) == db.load(key)
