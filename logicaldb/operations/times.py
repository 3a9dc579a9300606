"""The clock, and the times that the mapper sets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

from logicaldb.errors import EncodingError

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present time, aware of its zone."""


def utc_now() -> datetime:
    """The present time."""
    return datetime.now(UTC)


class OneReading:
    """The time of one write: the clock is read when it is first needed, and never again."""

    __slots__ = ("_clock", "_now")

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._now: datetime | None = None

    def now(self) -> datetime:
        """The time of the write, in UTC.

        Raises:
            EncodingError: the clock's time has no zone.
        """
        if self._now is None:
            now = self._clock()
            if now.tzinfo is None:
                raise EncodingError("the clock gives a datetime without a zone; let it give datetime.now(UTC)")
            self._now = now.astimezone(UTC)
        return self._now
