"""The whole public interface against a dict: two clients that block and one that is awaited do anything in any order.

After each step the result, or the error with all that it shows, is what the model says, and every few steps all stored rows
are: so no update is lost, nothing that was deleted comes back, every count is exact, a transaction that fails changes
nothing, and each update of a pager takes effect once, whatever interrupts it. The model (``whole_model``) knows of the
package the declarations and the errors, and none of its codecs and writers.

``WHOLE_MACHINE_EXAMPLES=1000 WHOLE_MACHINE_STEPS=100 pytest tests/properties/test_whole_machine.py`` looks for longer; with
``NOSHRINK=1`` it shows what it finds as it is, at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from logicaldb.testing import DynamoDbLocal, in_process_dynamodb
from logicaldb.testing.clients import make_test_client
from tests.modes import Blocking, Loop, twin
from tests.properties.whole_base import Dbs
from tests.properties.whole_leftovers import leave_over
from tests.properties.whole_pager import Pagers
from tests.properties.whole_reads import Queries
from tests.properties.whole_types import Db
from tests.properties.whole_writes import Writes


def dbs_on(client: Any, other_client: Any, awaited: Any, loop: Loop) -> Dbs:
    """Two dbs that block, each with a client of its own, and one that is awaited, over two new tables."""
    suffix = uuid4().hex
    tables = {name: f"{name}-{suffix}" for name in ("main", "other")}

    def make(clock: Callable[[], Any]) -> Sequence[Any]:
        options: dict[str, Any] = {"table_name_resolver": lambda _, name: tables[name], "clock": clock}
        return [
            Db(client, **options),
            Blocking(twin(Db)(awaited, **options), loop),
            Db(other_client, **options),
        ]

    around = Dbs(client, make, tables)
    around.dbs[0].create_tables()
    return around


pytestmark = pytest.mark.timeout(0 if "WHOLE_MACHINE_EXAMPLES" in os.environ else 300)


def run(around: Dbs, *, examples: int) -> None:
    """Let the machine run; the environment may ask for more."""

    class Machine(Writes, Queries, Pagers):
        def __init__(self) -> None:
            super().__init__(around)

    wanted = settings(
        max_examples=int(os.environ.get("WHOLE_MACHINE_EXAMPLES", examples)),
        stateful_step_count=int(os.environ.get("WHOLE_MACHINE_STEPS", "40")),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        phases=[Phase.generate] if "NOSHRINK" in os.environ else tuple(Phase),
    )
    run_state_machine_as_test(Machine, settings=wanted)


def test_on_moto(loop: Loop) -> None:
    with in_process_dynamodb() as client:
        other = make_test_client(client.meta.endpoint_url, "us-east-1")
        run(dbs_on(client, other, client, loop), examples=20)


def test_on_dynamodb_local(dynamodb_local: DynamoDbLocal, local_aio_client: Any, loop: Loop) -> None:
    client, other = dynamodb_local.client(), dynamodb_local.client()
    leave_over(other, through=client)
    run(dbs_on(client, other, local_aio_client, loop), examples=20)
