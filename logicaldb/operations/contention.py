"""What others who use the same rows stand in the way of, and a later try may succeed at: conflicts and throttling."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Final

from typing_extensions import TypeVar

from logicaldb.errors import ThroughputExceeded
from logicaldb.flow import Flow, ServiceFailure, Sleep

T = TypeVar("T")

CANCELED: Final = "TransactionCanceledException"
CONFLICT: Final = frozenset({"TransactionConflict", "TransactionConflictException"})
THROTTLED: Final = frozenset({"ProvisionedThroughputExceeded", "ThrottlingError"})
"""As reasons of a cancellation, which the SDKs do not retry; of a whole request they do."""

THROTTLING: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""The error codes that mean: too much at once. The AWS SDKs retry all of them; the documentation of DynamoDB ("Error
handling with DynamoDB") names the first two and ``ThrottlingException``."""

_TRIES: Final = 8
_FIRST_PAUSE: Final = 0.025
_LONGEST_PAUSE: Final = 1.0


def pause(tries: int) -> float:
    """How long to wait before the next try: exponential, with full jitter."""
    return random.uniform(0, min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**tries))  # noqa: S311 - no secret depends on it


def patiently(attempt: Callable[[], Flow[T]]) -> Flow[T]:
    """Try again, a few times, as long as nothing but contention is in the way.

    Raises:
        ThroughputExceeded: the service throttled a transaction, and the retries are spent.
        ServiceFailure: of the last try, or of another reason than contention.
    """
    tries = 0
    while True:
        tries += 1
        try:
            return (yield from attempt())
        except ServiceFailure as failure:
            reasons = _reasons(failure)
            if not reasons or not reasons <= CONFLICT | THROTTLED:
                raise
            if tries == _TRIES:
                if reasons <= THROTTLED:
                    raise ThroughputExceeded(
                        "DynamoDB throttled the transaction, and the retries are spent"
                    ) from failure.error
                raise
        yield Sleep(pause(tries))


def _reasons(failure: ServiceFailure) -> set[str]:
    """What went wrong: of a cancelled transaction the reasons, else the one code."""
    if failure.code != CANCELED:
        return {failure.code}
    return {reason.get("Code", "None") for reason in failure.body.get("CancellationReasons") or ()} - {"None"}
