"""The clock of writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from logicaldb.operations.times import OneReading, utc_now


def test_the_clock_of_those_who_give_none() -> None:
    now = utc_now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_reading_that_nobody_needs_is_not_made() -> None:
    def clock() -> datetime:
        raise AssertionError

    OneReading(clock)
