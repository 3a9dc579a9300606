"""A proxy in which anything may go wrong at any time."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random
from typing import Final

from tests.faults.proxy import READS, Answer, Fault, FaultProxy, Received

SHARE: Final = 0.15
"""Of the requests, how many meet a fault."""

_ALWAYS: Final = {
    Fault.CUT_BEFORE: 3,
    Fault.CUT_AFTER: 4,
    Fault.RESET_AFTER: 2,
    Fault.ERROR_BEFORE: 2,
    Fault.ERROR_AFTER: 3,
    Fault.UNAVAILABLE: 2,
    Fault.DAMAGE: 2,
    Fault.TRUNCATE: 2,
    Fault.DELAY: 1,
    Fault.THROTTLE: 2,
    Fault.THROTTLE_ACCOUNT: 1,
    Fault.THROTTLE_RATE: 1,
}
_OF_SINGLE_WRITES: Final = {Fault.CONFLICT: 3, Fault.HOLD: 2}
_OF_TRANSACTIONS: Final = {**_OF_SINGLE_WRITES, Fault.IN_PROGRESS: 2, Fault.DUPLICATE: 5}
_OF_LOADS: Final = {Fault.CONFLICT: 3}
_OF_BATCHES: Final = {Fault.PARTIAL: 12, Fault.DUPLICATE: 3}

LATEST: Final = 2.0
"""Seconds after which a request that was held reaches the service, if not before."""


class Weather(FaultProxy):
    """The proxy.

    A request that arrives late or twice is one that is held to a version or has a token, or an addition that is late: what
    else there is (a batch that arrives late, a doubled addition without a token) is not promised to be right.

    Attributes:
        counts: how often each fault happened.
        requests: how many requests there were.
        fair: whether nothing goes wrong.

    Args:
        upstream: the URL of the engine.
        random: draws what happens.
    """

    def __init__(self, upstream: str, random: Random) -> None:
        super().__init__(upstream)
        self.counts: Counter[Fault] = Counter()
        self.requests = 0
        self.fair = False
        self._random = random
        self._drawing = threading.Lock()
        self._late: list[threading.Timer] = []
        self._under_way = 0
        self._arrived = threading.Condition()

    def receive(self, operation: str, body: bytes) -> Received:
        with self._drawing:
            self.requests += 1
            fault = Fault.PASS
            if not self.fair and self._random.random() < SHARE:
                weights = self._weights(operation, body)
                (fault,) = self._random.choices(list(weights), list(weights.values()))
                self.counts[fault] += 1
        return Received(operation, {"TransactItems": [None] * body.count(b'"TableName"')}, fault)

    def _weights(self, operation: str, body: bytes) -> dict[Fault, int]:
        match operation:
            case "TransactWriteItems":
                return {**_ALWAYS, **_OF_TRANSACTIONS}
            case "TransactGetItems":
                return {**_ALWAYS, **_OF_LOADS}
            case "BatchWriteItem" | "BatchGetItem":
                return {**_ALWAYS, **_OF_BATCHES, Fault.DELAY: 0}
            case _ if operation in READS:
                return _ALWAYS
            case _:
                return {**_ALWAYS, **_OF_SINGLE_WRITES, Fault.DUPLICATE: 5 if b'"version"' in body else 0}

    def hold(self, headers: dict[str, str], body: bytes, received: Received) -> None:
        timer = threading.Timer(self._random.uniform(0, LATEST), self.forward, (headers, body, received))
        with self._drawing:
            self._late.append(timer)
        timer.start()

    def forward(self, headers: dict[str, str], body: bytes, received: Received) -> Answer:
        with self._arrived:
            self._under_way += 1
        try:
            return super().forward(headers, body, received)
        finally:
            with self._arrived:
                self._under_way -= 1
                self._arrived.notify_all()

    def clear_up(self) -> None:
        """Let everything arrive that is late."""
        while self._late:
            self._late.pop().join()
        with self._arrived:
            assert self._arrived.wait_for(lambda: not self._under_way, timeout=60)
