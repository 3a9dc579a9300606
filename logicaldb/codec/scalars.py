"""Codecs of values that hold no others."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from logicaldb.codec.generic import encode_bytes, encode_text, generic_decode
from logicaldb.codec.numbers import encode_decimal, encode_float, encode_int
from logicaldb.codec.values import Refused, ValueCodec, WireValue, mismatch

_TEXT = frozenset("S")
_NUMBER = frozenset("N")
_BINARY = frozenset("B")

# Integers up to here are floats exactly; a greater one would read back as another number.
_EXACT_FLOAT = 2**53
_MICROSECOND_DIGITS = 6
_SECONDS_OF_A_DAY = 24 * 60 * 60
_MICROSECONDS = 10**_MICROSECOND_DIGITS
_DATE_LENGTH = len("2026-11-22")
_TIME_LENGTH = len("03:04:05.678901")
_DATETIME_LENGTH = len("2026-11-22T03:04:05.678901Z")


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _as_others_write(kind: type, wire: WireValue) -> Any:
    """What pydantic makes of a stored form that is not ours; the generic value where that is nothing of the type.

    So a strict model reads it too.
    """
    value = generic_decode(wire)
    try:
        return _adapter(kind).validate_python(value)
    except ValidationError:
        return value


def _text_of(wire: WireValue) -> str:
    """The text of an S; empty for any other form."""
    text = wire.get("S") if wire.__class__ is dict else None
    return text if isinstance(text, str) else ""


class NoneCodec(ValueCodec):
    """``None`` as NULL."""

    forms = frozenset(("NULL",))
    types = (type(None),)

    def encode(self, value: Any) -> WireValue:
        """NULL."""
        if value is not None:
            raise mismatch(value, "None")
        return {"NULL": True}

    def decode(self, wire: WireValue) -> Any:
        """``None``."""
        return generic_decode(wire)


class BoolCodec(ValueCodec):
    """``bool`` as BOOL."""

    forms = frozenset(("BOOL",))
    types = (bool,)

    def encode(self, value: Any) -> WireValue:
        """BOOL."""
        if value is not True and value is not False:
            raise mismatch(value, "a bool")
        return {"BOOL": value}

    def decode(self, wire: WireValue) -> Any:
        """The bool."""
        return generic_decode(wire)


class StrCodec(ValueCodec):
    """``str`` as S."""

    forms = _TEXT
    types = (str,)

    def encode(self, value: Any) -> WireValue:
        """S, unless the text holds lone surrogates."""
        if value.__class__ is not str:
            if not isinstance(value, str):
                raise mismatch(value, "a str")
            value = str.__str__(value)
        return {"S": encode_text(value)}

    def decode(self, wire: WireValue) -> Any:
        """The text."""
        try:
            return wire["S"]
        except (KeyError, TypeError):
            return generic_decode(wire)


class BytesCodec(ValueCodec):
    """``bytes`` as B."""

    forms = _BINARY
    types = (bytes,)

    def encode(self, value: Any) -> WireValue:
        """B, as base64 text."""
        if not isinstance(value, bytes):
            raise mismatch(value, "bytes")
        return {"B": encode_bytes(value)}

    def decode(self, wire: WireValue) -> Any:
        """The bytes."""
        return generic_decode(wire)


class IntCodec(ValueCodec):
    """``int`` as N."""

    forms = _NUMBER
    types = (int,)

    def accepts(self, value: Any) -> bool:
        """Integers, but never bools."""
        return isinstance(value, int) and not isinstance(value, bool)

    def encode(self, value: Any) -> WireValue:
        """N, with every digit."""
        if value.__class__ is not int and not self.accepts(value):
            raise mismatch(value, "an int")
        return {"N": encode_int(value)}

    def decode(self, wire: WireValue) -> Any:
        """The integer."""
        return generic_decode(wire)


class FloatCodec(ValueCodec):
    """``float`` as N, by its shortest text; also an ``int`` (an unvalidated default, say) that is a float exactly."""

    forms = _NUMBER
    types = (float,)

    def encode(self, value: Any) -> WireValue:
        """N."""
        if isinstance(value, float):
            return {"N": encode_float(value)}
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _EXACT_FLOAT:
            return {"N": encode_int(value)}
        raise mismatch(value, "a float")

    def decode(self, wire: WireValue) -> Any:
        """The float nearest to the number."""
        number = generic_decode(wire)
        return float(number) if number.__class__ in (int, Decimal) else number


class DecimalCodec(ValueCodec):
    """``Decimal`` as N; also an ``int`` (an unvalidated default, say)."""

    forms = _NUMBER
    types = (Decimal,)

    def encode(self, value: Any) -> WireValue:
        """N, with every digit."""
        if isinstance(value, Decimal):
            return {"N": encode_decimal(value)}
        if isinstance(value, int) and not isinstance(value, bool):
            return {"N": encode_int(value)}
        raise mismatch(value, "a Decimal")

    def decode(self, wire: WireValue) -> Any:
        """The number."""
        number = generic_decode(wire)
        return Decimal(number) if number.__class__ is int else number


class DateCodec(ValueCodec):
    """``date`` as its ISO text."""

    forms = _TEXT
    types = (date,)

    def accepts(self, value: Any) -> bool:
        """Dates, but no datetimes."""
        return isinstance(value, date) and not isinstance(value, datetime)

    def encode(self, value: Any) -> WireValue:
        """S: ``2026-11-22``."""
        if not self.accepts(value):
            raise mismatch(value, "a date")
        return {"S": value.isoformat()}

    def decode(self, wire: WireValue) -> Any:
        """The date."""
        text = _text_of(wire)
        if len(text) == _DATE_LENGTH and text[4] == text[7] == "-":
            try:
                return date.fromisoformat(text)
            except ValueError:
                pass
        return _as_others_write(date, wire)


class DatetimeCodec(ValueCodec):
    """Aware ``datetime`` as ISO text in UTC, of fixed width so that texts sort as times do."""

    forms = _TEXT
    types = (datetime,)

    def encode(self, value: Any) -> WireValue:
        """S: ``2026-11-22T03:04:05.678901Z``."""
        if not isinstance(value, datetime):
            raise mismatch(value, "a datetime")
        if value.tzinfo is not UTC:
            if value.utcoffset() is None:
                raise Refused("is a datetime without a time zone")
            try:
                value = value.astimezone(UTC)
            except OverflowError:
                raise Refused("is a datetime that has no UTC time within the years 1 to 9999") from None
        return {"S": f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"}

    def decode(self, wire: WireValue) -> Any:
        """The time in UTC, or with the offset that another writer gave it."""
        text = _text_of(wire)
        if len(text) == _DATETIME_LENGTH and text[10] == "T" and text[26] == "Z":
            try:
                return datetime.fromisoformat(text)
            except ValueError:
                pass
        return _as_others_write(datetime, wire)


class TimeCodec(ValueCodec):
    """``time`` as ISO text of fixed width, with its offset if it has one."""

    forms = _TEXT
    types = (time,)

    def encode(self, value: Any) -> WireValue:
        """S: ``03:04:05.678901`` or ``03:04:05.678901+01:00``."""
        if not isinstance(value, time):
            raise mismatch(value, "a time")
        if value.tzinfo is not None:
            offset = value.utcoffset()
            if offset is None:
                raise Refused("is a time in a zone without a fixed offset")
            if offset % timedelta(minutes=1):
                raise Refused("is a time whose offset is not in whole minutes")
        return {"S": value.isoformat(timespec="microseconds")}

    def decode(self, wire: WireValue) -> Any:
        """The time."""
        text = _text_of(wire)
        if len(text) >= _TIME_LENGTH and text[2] == text[5] == ":" and text[8] == ".":
            try:
                return time.fromisoformat(text)
            except ValueError:
                pass
        return _as_others_write(time, wire)


class TimedeltaCodec(ValueCodec):
    """``timedelta`` as a number of seconds, exact to the microsecond."""

    forms = _NUMBER
    types = (timedelta,)

    def encode(self, value: Any) -> WireValue:
        """N: ``271.5``."""
        if not isinstance(value, timedelta):
            raise mismatch(value, "a timedelta")
        total = (value.days * _SECONDS_OF_A_DAY + value.seconds) * _MICROSECONDS + value.microseconds
        seconds, microseconds = divmod(abs(total), _MICROSECONDS)
        text = f"{'-' if total < 0 else ''}{seconds}"
        return {"N": f"{text}.{microseconds:06d}".rstrip("0") if microseconds else text}

    def decode(self, wire: WireValue) -> Any:
        """The duration."""
        number = generic_decode(wire)
        if number.__class__ is int or number.__class__ is Decimal:
            sign, digits, exponent = Decimal(number).as_tuple()
            assert isinstance(exponent, int)  # the number is finite
            if exponent >= -_MICROSECOND_DIGITS:
                total = int("".join(map(str, digits))) * 10 ** (exponent + _MICROSECOND_DIGITS)
                try:
                    return timedelta(microseconds=-total if sign else total)
                except OverflowError:
                    return number
        return _as_others_write(timedelta, wire)


class UUIDCodec(ValueCodec):
    """``UUID`` as its text."""

    forms = _TEXT
    types = (UUID,)

    def encode(self, value: Any) -> WireValue:
        """S: 32 hexadecimal digits and four hyphens."""
        if not isinstance(value, UUID):
            raise mismatch(value, "a UUID")
        return {"S": str(value)}

    def decode(self, wire: WireValue) -> Any:
        """The UUID."""
        try:
            return UUID(_text_of(wire))
        except ValueError:
            return _as_others_write(UUID, wire)


SCALARS: tuple[ValueCodec, ...] = (
    NoneCodec(), BoolCodec(), StrCodec(), BytesCodec(), IntCodec(), FloatCodec(), DecimalCodec(),
    DateCodec(), DatetimeCodec(), TimeCodec(), TimedeltaCodec(), UUIDCodec(),
)  # fmt: skip
"""One codec of each scalar type; they hold no state."""
