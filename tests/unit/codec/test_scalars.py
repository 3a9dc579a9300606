"""Values that hold no others."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import (
    UUID4,
    AwareDatetime,
    FutureDate,
    FutureDatetime,
    NaiveDatetime,
    PastDate,
    PastDatetime,
    ValidationError,
)

from logicaldb.codec.generic import MALFORMED
from logicaldb.codec.scalars import DatetimeCodec, FloatCodec, IntCodec, StrCodec, TimeCodec, TimedeltaCodec
from tests.unit.codec.support import assert_same, read, refusal, there_and_back, unsupported, write

UUID_TEXT = "7d444840-9dc0-41d1-b245-5ffdce74fad2"


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


CASES: list[tuple[Any, Any, dict[str, Any]]] = [
    (str, "", {"S": ""}),
    (str, "é😀", {"S": "é😀"}),
    (int, 10**37, {"N": "1" + "0" * 37}),
    (int, -(10**125), {"N": "-1E+125"}),
    (float, 0.1, {"N": "0.1"}),
    (float, 2.0, {"N": "2"}),
    (Decimal, Decimal("1.1"), {"N": "1.1"}),
    (Decimal, Decimal(3), {"N": "3"}),
    (bool, True, {"BOOL": True}),
    (bool, False, {"BOOL": False}),
    (bytes, b"", {"B": ""}),
    (bytes, b"\xff\xfe", {"B": "//4="}),
    (date, date(1, 1, 1), {"S": "0001-01-01"}),
    (PastDate, date(2026, 1, 2), {"S": "2026-01-02"}),
    (FutureDate, date(9999, 12, 31), {"S": "9999-12-31"}),
    (datetime, datetime(2026, 11, 22, 3, 4, 5, 678901, UTC), {"S": "2026-11-22T03:04:05.678901Z"}),
    (datetime, datetime(1, 1, 1, tzinfo=UTC), {"S": "0001-01-01T00:00:00.000000Z"}),
    (AwareDatetime, datetime(2026, 1, 2, tzinfo=UTC), {"S": "2026-01-02T00:00:00.000000Z"}),
    (PastDatetime, datetime(2026, 1, 2, tzinfo=UTC), {"S": "2026-01-02T00:00:00.000000Z"}),
    (FutureDatetime, datetime(9999, 1, 2, tzinfo=UTC), {"S": "9999-01-02T00:00:00.000000Z"}),
    (time, time(3, 4), {"S": "03:04:00.000000"}),
    (time, time(3, 4, 5, 678901, UTC), {"S": "03:04:05.678901+00:00"}),
    (time, time(3, 4, tzinfo=timezone(timedelta(hours=-3, minutes=-30))), {"S": "03:04:00.000000-03:30"}),
    (timedelta, timedelta(), {"N": "0"}),
    (timedelta, timedelta(minutes=3, milliseconds=500), {"N": "180.5"}),
    (timedelta, timedelta(microseconds=-1), {"N": "-0.000001"}),
    (timedelta, timedelta.max, {"N": "86399999999999.999999"}),
    (timedelta, timedelta.min, {"N": "-86399999913600"}),
    (UUID, UUID(UUID_TEXT), {"S": UUID_TEXT}),
    (UUID4, UUID(UUID_TEXT), {"S": UUID_TEXT}),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), CASES)
@pytest.mark.parametrize("strict", [False, True])
def test_there_and_back(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == wire


def test_none() -> None:
    assert there_and_back(list[None], [None]) == {"L": [{"NULL": True}]}
    assert refusal(list[None], [1]) == "[0]: is an int, not None"


@pytest.mark.parametrize(
    ("annotation", "value", "reason"),
    [
        (str, 1, "is an int, not a str"),
        (str, None, "is None, not a str"),
        (str, "a\ud800", "is not valid UTF-8 text"),
        (int, True, "is a bool, not an int"),
        (int, "1", "is a str, not an int"),
        (int, 1.0, "is a float, not an int"),
        (int, 10**38 + 1, "is a number of more than 38 significant digits"),
        (float, True, "is a bool, not a float"),
        (float, "1", "is a str, not a float"),
        (float, 2**53 + 1, "is an int, not a float"),
        (float, Decimal(1), "is a Decimal, not a float"),
        (float, float("nan"), "is not a number (NaN)"),
        (Decimal, True, "is a bool, not a Decimal"),
        (Decimal, 1.5, "is a float, not a Decimal"),
        (Decimal, Decimal("Infinity"), "is infinite"),
        (bool, 1, "is an int, not a bool"),
        (bytes, "x", "is a str, not bytes"),
        (bytes, bytearray(b"x"), "is a bytearray, not bytes"),
        (date, datetime(2026, 1, 2, tzinfo=UTC), "is a datetime, not a date"),
        (date, "2026-01-02", "is a str, not a date"),
        (datetime, date(2026, 1, 2), "is a date, not a datetime"),
        (datetime, datetime(2026, 1, 2), "is a datetime without a time zone"),  # noqa: DTZ001
        (
            datetime,
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            "is a datetime that has no UTC time within the years 1 to 9999",
        ),
        (
            datetime,
            datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-1))),
            "is a datetime that has no UTC time within the years 1 to 9999",
        ),
        (time, timedelta(1), "is a timedelta, not a time"),
        (
            time,
            time(1, tzinfo=timezone(timedelta(hours=1, seconds=1))),
            "is a time whose offset is not in whole minutes",
        ),
        (timedelta, 5, "is an int, not a timedelta"),
        (UUID, UUID_TEXT, "is a str, not a UUID"),
    ],
)
def test_refused(annotation: Any, value: Any, reason: str) -> None:
    assert refusal(annotation, value) == f": {reason}"


def test_naive_datetimes_are_refused_when_declared() -> None:
    assert unsupported(NaiveDatetime) == "a datetime without a time zone cannot be stored: declare AwareDatetime"


class Nowhere(tzinfo):
    """A zone that tells no offset."""

    def utcoffset(self, moment: datetime | None, /) -> None:
        return None

    dst = tzname = utcoffset


def test_a_zone_without_an_offset_is_none() -> None:
    assert refusal(datetime, datetime(2026, 1, 2, tzinfo=Nowhere())) == ": is a datetime without a time zone"
    assert refusal(time, time(1, tzinfo=Nowhere())) == ": is a time in a zone without a fixed offset"
    assert refusal(time, time(1, tzinfo=ZoneInfo("Europe/Zurich"))) == ": is a time in a zone without a fixed offset"


def test_datetimes_are_stored_in_utc() -> None:
    zurich = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo("Europe/Zurich"))
    wire = write(datetime, zurich)
    assert wire == {"S": "2026-07-01T10:00:00.000000Z"}
    back = read(datetime, wire)
    assert back == zurich
    assert back.tzinfo is UTC


def test_values_of_subclasses_are_stored_as_their_base() -> None:
    """An unvalidated default may be one."""
    (text,) = StrCodec().encode(Colour.RED).values()
    assert_same(text, "red")
    assert IntCodec().encode(Level.LOW) == {"N": "1"}


def test_defaults_of_floats_and_decimals_may_be_ints() -> None:
    assert write(float, 0, default=0) == {"N": "0"}
    assert write(float, -(2**53), default=0) == {"N": "-9007199254740992"}
    assert write(Decimal, 5, default=0) == {"N": "5"}
    assert_same(read(float, {"N": "5"}), 5.0)
    assert_same(read(Decimal, {"N": "5"}), Decimal(5))


@pytest.mark.parametrize(
    ("annotation", "wire", "value"),
    [
        (int, {"N": "12.0"}, 12),
        (int, {"N": "1E+2"}, 100),
        (int, {"S": "12"}, 12),
        (float, {"N": "1E-7"}, 1e-7),
        (float, {"S": "0.5"}, 0.5),
        (Decimal, {"N": "1" + "0" * 125}, Decimal("1E+125")),
        (Decimal, {"S": "1.50"}, Decimal("1.50")),
        (str, {"S": "x"}, "x"),
        (bool, {"N": "1"}, True),
        (bytes, {"S": "x"}, b"x"),
        (date, {"S": "2026-01-02T00:00:00"}, date(2026, 1, 2)),
        (datetime, {"S": "2026-01-02T03:04:05Z"}, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (
            datetime,
            {"S": "2026-01-02T03:04:05+01:00"},
            datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1))),
        ),
        (datetime, {"S": "2026-01-02T03:04:05"}, datetime(2026, 1, 2, 3, 4, 5)),  # noqa: DTZ001
        (datetime, {"N": "1577836800"}, datetime(2020, 1, 1, tzinfo=UTC)),
        (time, {"S": "03:04"}, time(3, 4)),
        (timedelta, {"S": "PT1M"}, timedelta(minutes=1)),
        (timedelta, {"N": "1.50"}, timedelta(seconds=1.5)),
        (timedelta, {"N": "1.5000000"}, timedelta(seconds=1.5)),
        (UUID, {"S": UUID_TEXT.upper().replace("-", "")}, UUID(UUID_TEXT)),
        (UUID, {"B": "fURIQJ3AQdGyRV/9znT60g=="}, UUID(UUID_TEXT)),
    ],
)
def test_reads_what_others_wrote(annotation: Any, wire: dict[str, Any], value: Any) -> None:
    assert read(annotation, wire) == value


@pytest.mark.parametrize(
    ("annotation", "wire", "value"),
    [
        (date, {"S": "2026-01-02T00:00:00"}, date(2026, 1, 2)),
        (datetime, {"S": "2026-01-02T03:04:05Z"}, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        (time, {"S": "03:04"}, time(3, 4)),
        (timedelta, {"S": "PT1M"}, timedelta(minutes=1)),
        (UUID, {"S": UUID_TEXT.upper()}, UUID(UUID_TEXT)),
    ],
)
def test_strict_models_read_it_too(annotation: Any, wire: dict[str, Any], value: Any) -> None:
    assert read(annotation, wire, strict=True) == value


@pytest.mark.parametrize(
    ("annotation", "wire"),
    [
        (str, {"N": "1"}),
        (int, {"N": "1.5"}),
        (int, {"NULL": True}),
        (float, {"BOOL": "x"}),
        (Decimal, {"N": "x"}),
        (bool, {"S": "maybe"}),
        (bytes, {"L": []}),
        (date, {"S": "2026-13-01"}),
        (date, {"S": "someday"}),
        (datetime, {"S": "2026-13-01T00:00:00.000000Z"}),
        (datetime, {"S": "someday"}),
        (datetime, {"S": 5}),
        (time, {"S": "25:00:00.000000"}),
        (time, {"L": []}),
        (timedelta, {"S": "long"}),
        (timedelta, {"N": "1E+20"}),
        (timedelta, {"N": "-1E+20"}),
        (UUID, {"S": "x"}),
        (UUID, {"X": "x"}),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_leaves_to_pydantic_what_is_not_of_the_type(annotation: Any, wire: dict[str, Any], strict: bool) -> None:
    with pytest.raises(ValidationError, match=r"^1 validation error for Owner\nvalue\n"):
        read(annotation, wire, strict=strict)


def test_what_is_no_wire_value() -> None:
    for codec in (StrCodec(), IntCodec(), FloatCodec(), DatetimeCodec(), TimeCodec(), TimedeltaCodec()):
        wires: list[Any] = [[], {"X": []}, {}]
        for wire in wires:
            assert codec.decode(wire) is MALFORMED
