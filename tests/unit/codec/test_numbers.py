"""Numbers: exact, normalised, and refused rather than rounded."""

from __future__ import annotations

import time
from decimal import Decimal, localcontext

import pytest

from logicaldb.codec.numbers import decode_number, encode_decimal, encode_float, encode_int
from logicaldb.codec.values import Refused

OUT_OF_RANGE = "is a number outside of what DynamoDB holds, 1E-130 to 9.9999999999999999999999999999999999999E+125"
TOO_LONG = "is a number of more than 38 significant digits"


class Tally(int):
    def __repr__(self) -> str:
        return "a tally"

    __str__ = __repr__


class Degrees(float):
    def __repr__(self) -> str:
        return "degrees"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-7, "-7"),
        (10**38 - 1, "9" * 38),
        (-(10**38) + 1, "-" + "9" * 38),
        (10**38, "1" + "0" * 38),
        (10**39, "1" + "0" * 39),
        (10**40, "1E+40"),
        (int("9" * 38) * 10**88, "9." + "9" * 37 + "E+125"),
        (-(10**125), "-1E+125"),
        (Tally(12), "12"),
    ],
)
def test_int(value: int, text: str) -> None:
    assert encode_int(value) == text
    assert decode_number(text) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (10**38 + 1, TOO_LONG),
        (-(10**125) - 1, TOO_LONG),
        (10**126, OUT_OF_RANGE),
        (-(10**126), OUT_OF_RANGE),
        (2**419, OUT_OF_RANGE),
    ],
)
def test_int_refused(value: int, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        encode_int(value)
    assert caught.value.reason == reason


def test_a_huge_int_is_refused_before_any_work() -> None:
    huge = 1 << 1_000_000
    start = time.process_time()
    with pytest.raises(Refused):
        encode_int(huge)
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1.10", "1.1"),
        ("-0", "0"),
        ("0E+999", "0"),
        ("-0.00", "0"),
        ("100", "100"),
        ("1E+2", "100"),
        ("12.50", "12.5"),
        ("-12.50", "-12.5"),
        ("0.001", "0.001"),
        ("1E-7", "0.0000001"),
        ("1E-38", "0." + "0" * 37 + "1"),
        ("1E-39", "1E-39"),
        ("1E+125", "1E+125"),
        ("1E-130", "1E-130"),
        ("-1E-130", "-1E-130"),
        ("9.9999999999999999999999999999999999999E+125", "9.9999999999999999999999999999999999999E+125"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
        ("1.2345678901234567890123456789012345678", "1.2345678901234567890123456789012345678"),
        ("1." + "0" * 60, "1"),
        ("1" + "0" * 60, "1E+60"),
    ],
)
def test_decimal(value: str, text: str) -> None:
    assert encode_decimal(Decimal(value)) == text
    assert decode_number(text) == Decimal(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("NaN", "is not a number (NaN)"),
        ("sNaN", "is not a number (NaN)"),
        ("Infinity", "is infinite"),
        ("-Infinity", "is infinite"),
        ("1E+126", OUT_OF_RANGE),
        ("9.9E-131", OUT_OF_RANGE),
        ("1E+999999", OUT_OF_RANGE),
        ("1.23456789012345678901234567890123456789", TOO_LONG),
        ("9.99999999999999999999999999999999999999E+125", TOO_LONG),
    ],
)
def test_decimal_refused(value: str, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        encode_decimal(Decimal(value))
    assert caught.value.reason == reason


def test_no_context_of_the_caller_rounds() -> None:
    with localcontext(prec=3):
        assert encode_decimal(Decimal("1.23456789")) == "1.23456789"
        assert decode_number("1.23456789") == Decimal("1.23456789")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (-2.0, "-2"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1.5, "1.5"),
        (123456789.123, "123456789.123"),
        (1e22, "10000000000000000000000"),
        (1e-7, "0.0000001"),
        (1.7976931348623157e100, "1.7976931348623157E+100"),
        (Degrees(2.5), "2.5"),
    ],
)
def test_float(value: float, text: str) -> None:
    assert encode_float(value) == text
    assert float(decode_number(text)) == value


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "is not a number (NaN)"),
        (float("inf"), "is infinite"),
        (float("-inf"), "is infinite"),
        (1e126, OUT_OF_RANGE),
        (5e-324, OUT_OF_RANGE),
    ],
)
def test_float_refused(value: float, reason: str) -> None:
    with pytest.raises(Refused) as caught:
        encode_float(value)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12),
        ("-12", -12),
        ("1" + "0" * 125, 10**125),
        ("1E+125", 10**125),
        ("1E3", 1000),
        ("5.", 5),
        ("2.0", 2),
        ("1.5", Decimal("1.5")),
        (".5", Decimal("0.5")),
        (
            "0." + "0" * 129 + "12345678901234567890123456789012345678",
            Decimal("12345678901234567890123456789012345678E-167"),
        ),
    ],
)
def test_reads_numbers_as_they_are_written(text: str, number: int | Decimal) -> None:
    found = decode_number(text)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    "text",
    ["", "x", "NaN", "Infinity", "1E+126", "1" + "0" * 126, "-1" + "0" * 126, "1E-131", "1E+999999999", "9" * 401],
)
def test_reads_no_other_texts(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a number"):
        decode_number(text)
