"""Times to live: what DynamoDB itself reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from logicaldb.codec.numbers import encode_int
from logicaldb.codec.values import Refused, ValueCodec, WireValue, mismatch

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


class EpochSeconds(ValueCodec):
    """A ``datetime`` or an ``int`` as whole seconds since 1970-01-01T00:00:00Z; what is less than a second is cut off.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-before-you-start.html
    """

    forms = frozenset({"N"})

    def __init__(self, kind: type) -> None:
        self.types = (kind,)

    def encode(self, value: Any) -> WireValue:
        """The seconds of a time."""
        if isinstance(value, bool) or not isinstance(value, self.types):
            raise mismatch(value, " or ".join(f"a {kind.__name__}" for kind in self.types))
        if isinstance(value, int):
            return {"N": encode_int(value)}
        if value.tzinfo is None:
            raise Refused("is a datetime without a zone; give it one, such as datetime.now(UTC)")
        return {"N": encode_int((value - _EPOCH) // _SECOND)}

    def decode(self, wire: WireValue) -> Any:
        """The time of the seconds."""
        try:
            seconds = int(wire["N"])
            return seconds if int in self.types else _EPOCH + timedelta(seconds=seconds)
        except (KeyError, TypeError, ValueError, OverflowError):
            return wire
