from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from logicaldb.codec.times import EpochSeconds
from logicaldb.codec.values import Refused

MOMENT = datetime(2026, 11, 22, 3, 4, 5, tzinfo=UTC)
SECONDS = "1795316645"


def test_a_datetime_is_its_seconds() -> None:
    codec = EpochSeconds(datetime)
    assert codec.forms == {"N"}
    assert codec.encode(MOMENT) == {"N": SECONDS}
    assert codec.decode({"N": SECONDS}) == MOMENT
    assert codec.decode({"N": SECONDS}).tzinfo is UTC


def test_an_int_is_its_seconds() -> None:
    codec = EpochSeconds(int)
    assert codec.encode(7) == {"N": "7"}
    assert codec.decode({"N": "7"}) == 7


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (MOMENT.astimezone(timezone(timedelta(hours=-5))), SECONDS),
        (MOMENT.replace(microsecond=999_999), SECONDS),
        (datetime(1970, 1, 1, tzinfo=UTC), "0"),
        (datetime(1969, 12, 31, 23, 59, 59, 1, UTC), "-1"),
        (datetime(1, 1, 1, tzinfo=UTC), "-62135596800"),
        (datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC), "253402300799"),
    ],
)
def test_less_than_a_second_is_cut_off(value: datetime, seconds: str) -> None:
    assert EpochSeconds(datetime).encode(value) == {"N": seconds}


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        (datetime, datetime(2026, 1, 1), "is a datetime without a time zone"),  # noqa: DTZ001 - what is refused
        (datetime, date(2026, 1, 1), "is a date, not a datetime"),
        (datetime, 7, "is an int, not a datetime"),
        (int, MOMENT, "is a datetime, not an int"),
        (int, True, "is a bool, not an int"),
        (int, 10**40 + 1, "is a number of more than 38 significant digits"),
    ],
)
def test_other_values_are_refused(kind: type, value: Any, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        EpochSeconds(kind).encode(value)
    assert refused.value.reason == reason


@pytest.mark.parametrize("kind", [int, datetime])
@pytest.mark.parametrize("wire", [{"S": SECONDS}, {"BOOL": True}, {"NULL": True}, {"N": "x"}, {}, None])
def test_what_is_no_number_stays_as_it_is(kind: type, wire: Any) -> None:
    assert EpochSeconds(kind).decode(wire) == wire


@pytest.mark.parametrize("seconds", ["253402300800", "-62135596801", "9E+125"])
def test_what_is_no_time_stays_as_it_is(seconds: str) -> None:
    assert EpochSeconds(datetime).decode({"N": seconds}) == {"N": seconds}


def test_a_fraction_of_another_writer_is_cut_off() -> None:
    assert EpochSeconds(datetime).decode({"N": f"{SECONDS}.9"}) == MOMENT
    assert EpochSeconds(int).decode({"N": "7.9"}) == 7
