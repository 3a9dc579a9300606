"""Times to live: what DynamoDB itself reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from logicaldb.codec.generic import generic_decode
from logicaldb.codec.numbers import encode_int
from logicaldb.codec.values import Refused, ValueCodec, WireValue, mismatch, with_article

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


class EpochSeconds(ValueCodec):
    """A ``datetime`` or an ``int`` as whole seconds since 1970-01-01T00:00:00Z; what is less than a second is cut off.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
    """

    forms = frozenset("N")

    def __init__(self, kind: type) -> None:
        self._kind: Any = kind
        self.types = (kind,)

    def encode(self, value: Any) -> WireValue:
        """The seconds of a time."""
        if isinstance(value, bool) or not isinstance(value, self._kind):
            raise mismatch(value, with_article(self._kind.__name__))
        if isinstance(value, int):
            return {"N": encode_int(value)}
        if value.utcoffset() is None:
            raise Refused("is a datetime without a time zone")
        return {"N": encode_int((value - _EPOCH) // _SECOND)}

    def decode(self, wire: WireValue) -> Any:
        """The time of the seconds; what is no number of seconds, or no time, stays as it is."""
        number = generic_decode(wire)
        if number.__class__ not in (int, Decimal):
            return wire
        try:
            return int(number) if self._kind is int else _EPOCH + timedelta(seconds=int(number))
        except OverflowError:
            return wire
