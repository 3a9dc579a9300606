"""Numbers as DynamoDB holds them: 38 significant digits, 1E-130 to 9.99…E+125 in magnitude.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html#HowItWorks.DataTypes.Number

Texts are normalised as the service does: ``1.10`` is ``1.1`` and ``-0`` is ``0``. Nothing is ever rounded.
"""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, Inexact, InvalidOperation
from math import isfinite, isnan

from logicaldb.codec.values import Refused

MAX_DIGITS = 38
MAX_EXPONENT = 125
MIN_EXPONENT = -130

_SHORT = 10**MAX_DIGITS
_LIMIT = 10 ** (MAX_EXPONENT + 1)
_MAX_BITS = _LIMIT.bit_length()
_MAX_TEXT = 400
_LONGEST_PLAIN = 40

_OUT_OF_RANGE = "is a number outside of what DynamoDB holds, 1E-130 to 9.9999999999999999999999999999999999999E+125"
_TOO_LONG = f"is a number of more than {MAX_DIGITS} significant digits"

# The one context that numbers go through. It cannot round: whatever would not fit raises Inexact.
_EXACT = Context(prec=MAX_DIGITS, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[Inexact, InvalidOperation])


def encode_int(value: int) -> str:
    """The text of an integer.

    Raises:
        Refused: if it has more than 38 significant digits, or is too great. Its bits are counted first, so that a
            number of a million digits costs nothing.
    """
    if -_SHORT < value < _SHORT:
        return int.__repr__(value)
    if value.bit_length() > _MAX_BITS:
        raise Refused(_OUT_OF_RANGE)
    return encode_decimal(Decimal(value))


def encode_decimal(value: Decimal) -> str:
    """The text of a decimal number: plain digits, or an exponent where that is much shorter.

    Raises:
        Refused: if it is not finite, has more than 38 significant digits, or is too great or too small.
    """
    if not value.is_finite():
        raise _not_finite(value.is_nan())
    if not value:
        return "0"
    if not MIN_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        raise Refused(_OUT_OF_RANGE)
    try:
        exact = _EXACT.normalize(value)
    except Inexact:
        raise Refused(_TOO_LONG) from None
    plain = f"{exact:f}"
    return plain if len(plain) <= _LONGEST_PLAIN else str(exact)


def encode_float(value: float) -> str:
    """The text of a float: the shortest that reads back as the same float.

    Raises:
        Refused: if it is not finite, or too great or too small.
    """
    if not isfinite(value):
        raise _not_finite(isnan(value))
    text = float.__repr__(value)
    if "e" in text:
        return encode_decimal(Decimal(text))
    if text.endswith(".0"):
        return text[:-2] if value else "0"
    return text


def decode_number(text: str) -> int | Decimal:
    """The number of a text, an ``int`` where it is a whole one; ``1E+125`` may come as 126 digits.

    Raises:
        ValueError: if the text is no number that DynamoDB holds.
    """
    if len(text) > _MAX_TEXT:
        raise ValueError("not a number of DynamoDB's")
    try:
        number = int(text)
    except ValueError:
        return _decode_decimal(text)
    if len(text) > MAX_EXPONENT and abs(number) >= _LIMIT:
        raise ValueError("not a number of DynamoDB's")
    return number


def _decode_decimal(text: str) -> int | Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("not a number") from None
    if not number.is_finite() or not MIN_EXPONENT <= number.adjusted() <= MAX_EXPONENT:
        raise ValueError("not a number of DynamoDB's")
    whole = int(number)
    return whole if whole == number else number


def _not_finite(is_nan: bool) -> Refused:
    return Refused("is not a number (NaN)" if is_nan else "is infinite")
