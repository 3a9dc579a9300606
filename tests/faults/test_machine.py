"""Two clients write the same items in any order while answers are lost, and what they are told is what happened (C5, V5).

The service does each write as often as the model says, which sees what reached it: a success took effect, an error that is
not ambiguous did not, and nothing ever counts twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test

from logicaldb import AmbiguousWrite
from logicaldb.testing import DynamoDbLocal
from tests.faults.proxy import APPLIED, NOT_APPLIED, Fault, FaultProxy
from tests.properties.test_versions_machine import Db, Failed, TwoClients, make_dbs

LOST = (APPLIED | NOT_APPLIED) - {Fault.DELAY, Fault.HOLD}
"""Faults after which the client cannot know; those that need it to give up would take long."""

faults = st.sampled_from(sorted({*LOST, Fault.THROTTLE, Fault.CONFLICT}, key=lambda fault: fault.name))
plans = st.lists(st.lists(faults, max_size=2), min_size=5, max_size=25)
ATTEMPTS = 4
"""More than the faults of one write, so that one of them comes to an answer."""


class LossyClients(TwoClients):
    """What goes wrong is told before: for each of the next writes what happens to its first attempts."""

    def __init__(self, dbs: tuple[Db, Db], proxy: FaultProxy) -> None:
        super().__init__(dbs)
        self.proxy = proxy
        self.coming: list[list[Fault]] = []

    @initialize(coming=plans)
    def things_go_wrong(self, coming: list[list[Fault]]) -> None:
        self.coming = coming

    @rule(coming=plans)
    def things_go_wrong_otherwise(self, coming: list[list[Fault]]) -> None:
        self.coming = coming

    def applied(self) -> int:
        return [status for received in self.proxy.received for status in received.statuses].count(200)

    def check(
        self, client: int, name: str, write: Callable[[], Any], expected: Failed | None, then: Callable[[], Any]
    ) -> Any:
        self.proxy.plan(*(self.coming.pop(0) if self.coming else ()))
        told: AmbiguousWrite | None = None
        try:
            super().check(client, name, write, expected, then)
        except AmbiguousWrite as error:
            told = error
        if told is None:
            return
        # Under a token every write comes to an outcome, and so does one of which no answer was lost.
        assert "TransactWriteItems" not in {received.operation for received in self.proxy.received}
        assert LOST & set(self.proxy.faults)
        assert self.applied() <= (1 if expected is None else 0)
        if self.applied():
            then()
        assert told.item in (None, self.item(name, self.rows.get(name)))


def test_two_clients_whose_answers_are_lost(dynamodb_local: DynamoDbLocal) -> None:
    # The legacy mode, since others stop retrying when they did so too often.
    retries = {"mode": "legacy", "total_max_attempts": ATTEMPTS}
    with FaultProxy(dynamodb_local.endpoint_url) as proxy:
        dbs = make_dbs(proxy.client(retries=retries), proxy.client(retries=retries))

        class Machine(LossyClients):
            def __init__(self) -> None:
                super().__init__(dbs, proxy)

        run_state_machine_as_test(Machine, settings=settings(max_examples=12, stateful_step_count=25))
