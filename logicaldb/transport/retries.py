"""When a request is sent again: the standard mode of the AWS SDKs, without any I/O.

It decides as botocore 1.44 does for DynamoDB: which outcomes are worth another attempt, after which pause (exponential,
with full jitter), and whether the quota allows it, which all requests of a client share, so that a service in trouble
is not buried under retries.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

THROTTLING: Final = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)
"""The error codes that the SDKs retry as throttling."""

TRANSIENT: Final = frozenset({"ReplicatedWriteConflictException", "RequestTimeout", "RequestTimeoutException"})
"""The other error codes that they retry; the first is DynamoDB's own, marked so in its service model."""

_TRANSIENT_STATUSES: Final = frozenset({500, 502, 503, 504})
_TOO_MANY: Final = 429

DEFAULT_ATTEMPTS: Final[Mapping[str, int]] = {"legacy": 10, "standard": 4}
"""How many attempts a client of each retry mode makes at DynamoDB, where its config does not say."""

QUOTA: Final = 500
_COST: Final = 14
_COST_OF_THROTTLING: Final = 5
_GAIN: Final = 1  # of a success at the first attempt

_FIRST_PAUSE: Final = 0.025
_FIRST_PAUSE_OF_THROTTLING: Final = 1.0
_LONGEST_PAUSE: Final = 20.0
_LONGEST_WISH: Final = 5.0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Setback:
    """Why an attempt did not succeed.

    Attributes:
        code: the error code of the answer; ``None`` where there is none.
        status: the HTTP status of the answer; ``None`` where there is none.
        broken: whether there was no answer, or one whose checksum is another.
        retry_after: the header ``x-amz-retry-after`` of the answer: milliseconds.
    """

    code: str | None = None
    status: int | None = None
    broken: bool = False
    retry_after: str | None = None

    @property
    def throttled(self) -> bool:
        """Whether the service says: too much at once."""
        return self.code in THROTTLING or (self.status == _TOO_MANY and self.code not in TRANSIENT)

    @property
    def retryable(self) -> bool:
        """Whether another attempt may end otherwise."""
        return self.throttled or self.broken or self.code in TRANSIENT or self.status in _TRANSIENT_STATUSES


class RetryQuota:
    """What all requests of a client may spend on retries; threads share it."""

    __slots__ = ("_available", "_lock")

    def __init__(self) -> None:
        self._available = QUOTA
        self._lock = Lock()

    @property
    def available(self) -> int:
        """What is left."""
        return self._available

    def acquire(self, cost: int) -> bool:
        """Take what a retry costs, if there is that much."""
        with self._lock:
            if cost > self._available:
                return False
            self._available -= cost
            return True

    def release(self, amount: int = _GAIN) -> None:
        """Give back what the last retry of a successful request cost, or a little for one that needed none."""
        # Most of the time nothing is taken, and no lock is needed to see that.
        if self._available < QUOTA:
            with self._lock:
                self._available = min(QUOTA, self._available + amount)


class Retries:
    """The attempts of one request.

    Args:
        max_attempts: how many there may be.
        quota: what all requests share.
        jitter: gives a random part of one.

    Attributes:
        attempts: how many were made.
        limit: what keeps a retryable request from being sent again, as botocore names it in ``ResponseMetadata``.
    """

    __slots__ = ("_cost", "_jitter", "_max_attempts", "_quota", "attempts", "limit")

    def __init__(self, max_attempts: int, quota: RetryQuota, jitter: Callable[[], float] = random.random) -> None:
        self._max_attempts = max_attempts
        self._quota = quota
        self._jitter = jitter
        self._cost = _GAIN
        self.attempts = 0
        self.limit: str | None = None

    def after(self, setback: Setback) -> float | None:
        """How long to wait before the next attempt; ``None`` where there is to be none."""
        self.attempts += 1
        if not setback.retryable:
            return None
        if self.attempts >= self._max_attempts:
            self.limit = "MaxAttemptsReached"
            return None
        cost = _COST_OF_THROTTLING if setback.throttled else _COST
        if not self._quota.acquire(cost):
            self.limit = "RetryQuotaReached"
            return None
        self._cost = cost
        first = _FIRST_PAUSE_OF_THROTTLING if setback.throttled else _FIRST_PAUSE
        pause = self._jitter() * min(first * 2.0 ** (self.attempts - 1), _LONGEST_PAUSE)
        wish = _seconds(setback.retry_after)
        return pause if wish is None else max(pause, min(wish, pause + _LONGEST_WISH))

    def succeeded(self) -> None:
        """Give back to the quota."""
        self._quota.release(self._cost)


def max_attempts(retries: Mapping[str, Any]) -> int:
    """How many attempts a client makes, by the ``retries`` of its config."""
    chosen: int | None = retries.get("total_max_attempts")
    return DEFAULT_ATTEMPTS[retries["mode"]] if chosen is None else chosen


def _seconds(milliseconds: str | None) -> float | None:
    """Read the header ``x-amz-retry-after``; what is no such number is as if it were not there."""
    if milliseconds is None or not (milliseconds.isascii() and milliseconds.isdecimal()):
        return None
    return int(milliseconds[:10]) / 1000
