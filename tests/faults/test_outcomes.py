"""Not sent, not applied and ambiguous are told apart (E2), whatever happens in whatever order."""

from __future__ import annotations

import socket
from collections.abc import Callable
from uuid import uuid4

import pytest
from botocore.exceptions import ChecksumError, ClientError, ConnectionClosedError, EndpointConnectionError
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from logicaldb import AmbiguousWrite, BeginsWith, ConditionFailed, LogicalDb, ThroughputExceeded
from logicaldb.testing.clients import make_test_client
from tests.faults.cases import ADDING, CONDITIONAL, RAW, REPEATING, Case, prepare
from tests.faults.conftest import Mode, Stage
from tests.faults.proxy import READS, Fault
from tests.faults.test_lost_answers import cases
from tests.models import Db, Note, Tally, make_db

AT_ONCE = sorted(set(Fault) - {Fault.DELAY, Fault.HOLD, Fault.DUPLICATE}, key=lambda fault: fault.name)
"""What does not need a client to give up; and a network that doubles requests is no fault of the client."""


@given(
    case=st.sampled_from([*ADDING, *REPEATING, *CONDITIONAL]),
    with_token=st.booleans(),
    faults=st.lists(st.sampled_from(AT_ONCE), max_size=6),
    stale=st.booleans(),
    mode=st.sampled_from(["legacy", "standard"]),
)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_told_is_what_happened(
    stages: Callable[[], Stage], case: Case, with_token: bool, faults: list[Fault], stale: bool, mode: Mode
) -> None:
    """A success took effect once, an error that is not ambiguous not at all, and nothing ever twice."""
    stage = stages()
    prepare(stage.direct, stage.name)
    stale = stale and case in CONDITIONAL
    if stale:
        case.write(stage.direct, stage.name, None)
    stage.proxy.plan(*faults)
    try:
        case.write(stage.db(mode), stage.name, uuid4().hex if with_token else None)
    except AmbiguousWrite:
        outcome = "ambiguous"
    except ConditionFailed:
        outcome = "conflict"
    except (ThroughputExceeded, ClientError):
        outcome = "refused"
    else:
        outcome = "done"
    event(outcome)
    effects = case.effects(stage.direct, stage.name) - int(stale)
    assert stale or outcome != "conflict"
    assert not stale or outcome != "done"
    assert effects in {"ambiguous": (0, int(not stale)), "done": (1,)}.get(outcome, (0,))


@cases(*ADDING, *REPEATING, *CONDITIONAL, *RAW)
@pytest.mark.parametrize("with_token", [False, True], ids=["alone", "token"])
def test_what_cannot_be_sent_is_botocores_error(with_token: bool, case: Case) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        db = make_db(make_test_client(url, "us-east-1", retries={"mode": "standard", "total_max_attempts": 2}), "rows")
        with pytest.raises(EndpointConnectionError) as raised:
            case.write(db, "a", uuid4().hex if with_token else None)
    assert str(raised.value) == f'Could not connect to the endpoint URL: "{url}/"'


def load(db: Db, name: str) -> object:
    return db.load(Tally.Key(name))


def query(db: Db, name: str) -> object:
    return db.table.notes.query(BeginsWith(Note.Key(name)))


@pytest.mark.parametrize("read", [load, query])
@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.CUT_BEFORE, ConnectionClosedError),
        (Fault.ERROR_AFTER, ClientError),
        (Fault.DAMAGE, ChecksumError),
        (Fault.TRUNCATE, (ConnectionClosedError, ChecksumError)),
    ],
)
def test_reads_are_sent_again_and_end_as_botocores_errors(
    stage: Stage,
    read: Callable[[LogicalDb, str], object],
    fault: Fault,
    error: type[Exception] | tuple[type[Exception], ...],
) -> None:
    prepare(stage.direct, stage.name)
    stage.proxy.plan(fault, operations=READS)
    assert read(stage.db(), stage.name) == read(stage.direct, stage.name)
    stage.proxy.plan(afterwards=fault, operations=READS)
    with pytest.raises(error) as raised:
        read(stage.db(attempts=2), stage.name)
    assert isinstance(raised.value, error)
    assert stage.proxy.faults == [fault] * 2
