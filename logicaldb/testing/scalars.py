"""Strategies of values that hold no others, within the bounds of their type and of DynamoDB."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import NoneType
from typing import Any, Final
from uuid import UUID

import pydantic

from logicaldb.codec.keys import runs_into
from logicaldb.codec.numbers import MAX_DIGITS, MIN_EXPONENT
from logicaldb.testing.bounds import Bounds
from logicaldb.testing.drawing import st

CHARACTERS: Final = st.characters(codec="utf-8")
"""Every character that DynamoDB stores: no lone surrogates."""

_MOST: Final = 10**MAX_DIGITS - 1
_GREATEST_FLOAT: Final = 9.999999999999999e125
_SMALLEST_FLOAT: Final = 1e-130
_PLACES: Final = 6
_LONG_AGO: Final = date(2000, 1, 1)
_FAR_OFF: Final = date(3000, 1, 1)
# Every offset leaves these within the years 1 to 9999.
_FIRST_MOMENT: Final = datetime(1, 1, 3)  # noqa: DTZ001 - the strategy takes naive bounds
_LAST_MOMENT: Final = datetime(9999, 12, 29)  # noqa: DTZ001 - as above
_OFFSETS: Final = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def texts(bounds: Bounds) -> st.SearchStrategy[str]:
    """Texts; those before a separator are made without its first character, or of few characters that meet it."""
    if bounds.pattern is not None:
        found = st.from_regex(_python_pattern(bounds.pattern), alphabet=CHARACTERS)
        longest = math.inf if bounds.max_length is None else bounds.max_length
        return found.filter(lambda text: bounds.min_length <= len(text) <= longest and not _runs_into(text, bounds))
    if not bounds.separators:
        return st.text(CHARACTERS, min_size=bounds.min_length, max_size=bounds.max_length)
    apart = st.characters(codec="utf-8", exclude_characters={separator[0] for separator in bounds.separators})
    crowd = "".join(sorted({*"".join(bounds.separators), "a", "0"}))
    crowded = st.text(crowd, min_size=bounds.min_length, max_size=bounds.max_length)
    return st.one_of(
        st.text(apart, min_size=bounds.min_length, max_size=bounds.max_length),
        crowded.filter(lambda text: not _runs_into(text, bounds)),
    )


def _python_pattern(pattern: Any) -> Any:
    """A pattern as Python reads it, where ``$`` is also before a last line break; pydantic's is the very end."""
    if isinstance(pattern, str) and pattern.endswith("$") and not pattern.endswith(r"\$"):
        return pattern[:-1] + r"\Z"
    return pattern


def _runs_into(text: str, bounds: Bounds) -> bool:
    return any(runs_into(text, separator) for separator in bounds.separators)


def binaries(bounds: Bounds) -> st.SearchStrategy[bytes]:
    """Bytes."""
    return st.binary(min_size=bounds.min_length, max_size=bounds.max_length)


def integers(bounds: Bounds) -> st.SearchStrategy[int]:
    """Integers of as many digits as DynamoDB holds."""
    low = -_MOST if bounds.minimum is None else max(math.ceil(bounds.minimum), -_MOST)
    high = _MOST if bounds.maximum is None else min(math.floor(bounds.maximum), _MOST)
    step = bounds.multiple_of
    if step is None:
        return st.integers(low, high)
    return st.integers(-(-low // step), high // step).map(lambda number: number * step)


def floats(bounds: Bounds) -> st.SearchStrategy[float]:
    """Finite floats as great and as small as DynamoDB holds."""
    low = -_GREATEST_FLOAT if bounds.minimum is None else max(float(bounds.minimum), -_GREATEST_FLOAT)
    high = _GREATEST_FLOAT if bounds.maximum is None else min(float(bounds.maximum), _GREATEST_FLOAT)
    parts: list[st.SearchStrategy[float]] = []
    if low <= 0 <= high:
        parts.append(st.just(0.0))
    if high >= _SMALLEST_FLOAT:
        parts.append(st.floats(max(low, _SMALLEST_FLOAT), high))
    if low <= -_SMALLEST_FLOAT:
        parts.append(st.floats(low, min(high, -_SMALLEST_FLOAT)))
    return st.one_of(parts)


def decimals(bounds: Bounds) -> st.SearchStrategy[Decimal]:
    """Decimals of as many digits as DynamoDB holds; within bounds, with few places after the point."""
    free = Bounds(excluded=bounds.excluded, predicates=bounds.predicates)
    if bounds == free:
        digits, exponents = st.integers(-_MOST, _MOST), st.integers(MIN_EXPONENT, 87)
        return st.builds(lambda number, exponent: Decimal(f"{number}E{exponent}"), digits, exponents)
    count = MAX_DIGITS if bounds.max_digits is None else min(bounds.max_digits, MAX_DIGITS)
    places = min(_PLACES, count // 2) if bounds.decimal_places is None else min(bounds.decimal_places, count)
    most = Decimal((0, (9,) * count, -places))
    low = -most if bounds.minimum is None else max(Decimal(str(bounds.minimum)), -most)
    high = most if bounds.maximum is None else min(Decimal(str(bounds.maximum)), most)
    return st.decimals(low, high, places=places, allow_nan=False, allow_infinity=False)


def dates(bounds: Bounds) -> st.SearchStrategy[date]:
    """Dates."""
    return st.dates(bounds.minimum or date.min, bounds.maximum or date.max)


def datetimes(bounds: Bounds) -> st.SearchStrategy[datetime]:
    """Datetimes with offsets; within bounds, in UTC."""
    bounded = bounds.minimum is not None or bounds.maximum is not None
    zones = st.just(UTC) if bounded else st.one_of(st.just(UTC), _OFFSETS)
    low, high = _naive(bounds.minimum, _FIRST_MOMENT), _naive(bounds.maximum, _LAST_MOMENT)
    return st.datetimes(low, high, timezones=zones)


def _naive(moment: datetime | None, otherwise: datetime) -> datetime:
    return otherwise if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


def times(bounds: Bounds) -> st.SearchStrategy[time]:
    """Times of day, some with an offset of whole minutes; in keys and within bounds they have none."""
    naive = bounds.naive or bounds.minimum is not None or bounds.maximum is not None
    zones = st.none() if naive else st.one_of(st.none(), _OFFSETS)
    return st.times(bounds.minimum or time.min, bounds.maximum or time.max, timezones=zones)


def timedeltas(bounds: Bounds) -> st.SearchStrategy[timedelta]:
    """Durations."""
    low = timedelta.min if bounds.minimum is None else bounds.minimum
    return st.timedeltas(low, timedelta.max if bounds.maximum is None else bounds.maximum)


def _past(_: Bounds) -> st.SearchStrategy[date]:
    return st.dates(max_value=_LONG_AGO)


def _future(_: Bounds) -> st.SearchStrategy[date]:
    return st.dates(min_value=_FAR_OFF)


def _past_moment(_: Bounds) -> st.SearchStrategy[datetime]:
    return st.datetimes(_FIRST_MOMENT, datetime.combine(_LONG_AGO, time.min), timezones=st.just(UTC))


def _future_moment(_: Bounds) -> st.SearchStrategy[datetime]:
    return st.datetimes(datetime.combine(_FAR_OFF, time.min), _LAST_MOMENT, timezones=st.just(UTC))


SCALARS: Final[Mapping[Any, Callable[[Bounds], st.SearchStrategy[Any]]]] = {
    None: lambda _: st.none(),
    NoneType: lambda _: st.none(),
    bool: lambda _: st.booleans(),
    str: texts,
    bytes: binaries,
    int: integers,
    float: floats,
    Decimal: decimals,
    date: dates,
    datetime: datetimes,
    time: times,
    timedelta: timedeltas,
    UUID: lambda _: st.uuids(),
    pydantic.AwareDatetime: datetimes,
    pydantic.PastDate: _past,
    pydantic.FutureDate: _future,
    pydantic.PastDatetime: _past_moment,
    pydantic.FutureDatetime: _future_moment,
}
"""The strategy of each scalar type."""
