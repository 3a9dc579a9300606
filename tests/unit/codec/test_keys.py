from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Any, Literal
from uuid import UUID

import pytest

from logicaldb.codec.keys import (
    ABSENT,
    SAMPLES,
    ClockText,
    FieldRefused,
    KeyPart,
    PaddedNumber,
    Partial,
    PlainText,
    ScalarKey,
    TextKey,
    always_runs_into,
    key_order_bound,
    known_values,
    runs_into,
)
from logicaldb.codec.types import codec_for
from logicaldb.codec.values import Refused


class Side(IntEnum):
    A = 1
    B = 12


class Number(Enum):
    ONE = 1
    MINUS = -1


class Kind(StrEnum):
    ONE = "one"
    TWO = "two"


def plain(annotation: Any) -> PlainText:
    return PlainText(codec_for(annotation))


def part(field: str, prefix: str = "", separator: str = "", annotation: Any = str, **options: Any) -> KeyPart:
    return KeyPart(field, prefix, separator, plain(annotation), **options)


def reason(call: Any, *args: Any) -> str:
    with pytest.raises(Refused) as refused:
        call(*args)
    assert refused.value.path == ""
    return refused.value.reason


def field_reason(call: Any, *args: Any) -> tuple[str, str]:
    with pytest.raises(FieldRefused) as refused:
        call(*args)
    assert refused.value.path == ""
    return refused.value.field, refused.value.reason


# One part

TEXTS: list[tuple[Any, Any, str]] = [
    (str, "", ""),
    (str, "Zoë's #1", "Zoë's #1"),
    (date, date(2026, 1, 2), "2026-01-02"),
    (datetime, datetime(2026, 1, 2, 3, 4, 5, 6, UTC), "2026-01-02T03:04:05.000006Z"),
    (datetime, datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2026-01-02T01:00:00.000000Z"),
    (UUID, UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    (Kind, Kind.ONE, "one"),
    (Literal["a", "b"], "b", "b"),
]


@pytest.mark.parametrize(("annotation", "value", "text"), TEXTS)
def test_plain_text(annotation: Any, value: Any, text: str) -> None:
    assert plain(annotation).text(value) == text
    assert plain(annotation).value(text) == value


@pytest.mark.parametrize(
    ("annotation", "value", "expected"),
    [
        (str, 1, "is an int, not a str"),
        (str, "\ud800", "is not valid UTF-8 text"),
        (datetime, datetime(2026, 1, 2), "is a datetime without a time zone"),  # noqa: DTZ001 - what is refused
        (date, "2026-01-02", "is a str, not a date"),
        (Kind, "one", "is a str, not a member of Kind"),
    ],
)
def test_plain_text_refuses_other_values(annotation: Any, value: Any, expected: str) -> None:
    assert reason(plain(annotation).text, value) == expected


def test_clock_text_has_no_offset() -> None:
    codec = ClockText(codec_for(time))
    assert codec.text(time(1, 2, 3)) == "01:02:03.000000"
    assert codec.value("01:02:03.000000") == time(1, 2, 3)
    assert reason(codec.text, time(1, tzinfo=UTC)) == "is a time with an offset, whose text does not sort as times do"


@pytest.mark.parametrize(
    ("annotation", "width", "value", "text"),
    [
        (int, 1, 0, "0"),
        (int, 3, 7, "007"),
        (int, 3, 999, "999"),
        (int, 45, 10**44 + 1, str(10**44 + 1)),  # more digits than a number of DynamoDB's has
        (int, 2048, 10**2047, "1" + "0" * 2047),
        (Side, 2, Side.A, "01"),
        (Side, 2, Side.B, "12"),
        (Literal[3, 4], 2, 3, "03"),
    ],
)
def test_padded_number(annotation: Any, width: int, value: Any, text: str) -> None:
    codec = PaddedNumber(codec_for(annotation), width)
    assert codec.text(value) == text
    assert codec.value(text) == value
    assert type(codec.value(text)) is type(value)


@pytest.mark.parametrize(
    ("annotation", "width", "value", "expected"),
    [
        (int, 3, -1, "is negative, and a number in a string key is not"),
        (int, 3, -(10**9), "is negative, and a number in a string key is not"),
        (int, 3, 1000, "is wider than 3 digits"),
        pytest.param(int, 1, 10**1_000_000, "is wider than 1 digits", id="a million digits"),
        (int, 2048, 10**2048, "is wider than 2048 digits"),
        (int, 3, True, "is a bool, not an int"),
        (int, 3, "7", "is a str, not an int"),
        (int, 3, 7.0, "is a float, not an int"),
        (int, 3, None, "is None, not an int"),
        (Side, 1, Side.B, "is wider than 1 digits"),
        (Number, 1, Number.MINUS, "is negative, and a number in a string key is not"),
        (int, 3, Kind.ONE, "is a Kind, not an int"),
    ],
)
def test_padded_number_refuses(annotation: Any, width: int, value: Any, expected: str) -> None:
    assert reason(PaddedNumber(codec_for(annotation), width).text, value) == expected


@pytest.mark.parametrize("text", ["", " 7", "7 ", "+7", "-7", "0x7", "1_0", "\u0667", "7.0", "x", "9" * 5000])
def test_padded_number_reads_digits_alone(text: str) -> None:
    assert reason(PaddedNumber(codec_for(int), 3).value, text) == "is not stored as digits"


def test_padded_number_reads_another_width() -> None:
    """Of rows that others wrote; in the primary key the whole attribute is compared."""
    assert PaddedNumber(codec_for(int), 3).value("7") == 7
    assert PaddedNumber(codec_for(Side), 3).value("5") == 5  # pydantic refuses it


# String keys

TRACK = TextKey("sk", (KeyPart("number", "TRACK_", "", PaddedNumber(codec_for(int), 3)),))
ORDER = TextKey(
    "sk",
    (
        part("day", "ORDER_", "#", date),
        part("id", "#", "#"),
        KeyPart("line", "#", "", PaddedNumber(codec_for(int), 2)),
    ),
)
SPARSE = TextKey("artist", (part("artist", "A_", "|", nullable=True), part("city", "|", nullable=True)))
INFO = TextKey("sk", (part("sk", "INFO_", constant=""),))
MIXED = TextKey("sk", (part("kind", "K_", "#", constant="x"), part("id", "#", "#"), part("end", "#", constant="end")))


def test_string_keys() -> None:
    assert TRACK.tag == "S"
    assert TRACK.fields == ("number",)
    assert ORDER.fields == ("day", "id", "line")


@pytest.mark.parametrize(
    ("key", "prefix", "constant"),
    [(TRACK, "TRACK_", False), (ORDER, "ORDER_", False), (INFO, "INFO_", True), (MIXED, "K_x#", False)],
)
def test_what_is_constant_of_a_key(key: TextKey, prefix: str, constant: bool) -> None:
    assert key.prefix == prefix
    assert key.constant is constant


DAY = date(2026, 1, 2)


@pytest.mark.parametrize(
    ("key", "values", "text"),
    [
        (TRACK, {"number": 7}, "TRACK_007"),
        (ORDER, {"day": DAY, "id": "x", "line": 3}, "ORDER_2026-01-02#x#03"),
        (ORDER, {"day": DAY, "id": "", "line": 3}, "ORDER_2026-01-02##03"),
        (INFO, {"sk": ""}, "INFO_"),
        (MIXED, {"kind": "x", "id": "1", "end": "end"}, "K_x#1#end"),
        (SPARSE, {"artist": "a", "city": ""}, "A_a|"),
    ],
)
def test_there_and_back(key: TextKey, values: dict[str, Any], text: str) -> None:
    assert key.encode(values) == {"S": text}
    assert key.decode({"S": text}) == values
    assert key.partial(values) == Partial({"S": text}, whole=True)


def test_absence() -> None:
    assert SPARSE.encode({"artist": None, "city": None}) is None
    assert SPARSE.decode(None) == {"artist": None, "city": None}
    assert TRACK.decode(None) == {}


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        (TRACK, {"number": None}, ("number", "is None, not an int")),
        (TRACK, {"number": 1000}, ("number", "is wider than 3 digits")),
        (ORDER, {"day": DAY, "id": "a#", "line": 3}, ("id", "runs into the separator '#' that follows it")),
        (ORDER, {"day": DAY, "id": "#", "line": 3}, ("id", "runs into the separator '#' that follows it")),
        (INFO, {"sk": "x"}, ("sk", "is not the constant of the type")),
        (
            SPARSE,
            {"artist": None, "city": "Bern"},
            ("artist", "is None, but city of the same composite key artist is not"),
        ),
        (
            SPARSE,
            {"artist": "a", "city": None},
            ("city", "is None, but artist of the same composite key artist is not"),
        ),
    ],
)
def test_encoding_refuses(key: TextKey, values: dict[str, Any], expected: tuple[str, str]) -> None:
    assert field_reason(key.encode, values) == expected


def test_a_value_that_only_touches_the_separator_is_refused() -> None:
    """Else "a=" before "==" and "a" before "===" would be one string."""
    key = TextKey("sk", (part("one", "", "=="), part("two", "==")))
    assert field_reason(key.encode, {"one": "a=", "two": "b"}) == (
        "one",
        "runs into the separator '==' that follows it",
    )
    assert key.encode({"one": "a", "two": "=b"}) == {"S": "a===b"}
    assert key.decode({"S": "a===b"}) == {"one": "a", "two": "=b"}


@pytest.mark.parametrize(
    ("key", "wire", "expected"),
    [
        (TRACK, {"N": "7"}, ("number", "is not stored as a string")),
        (TRACK, "TRACK_007", ("number", "is not stored as a string")),
        (TRACK, {"S": "TRACK"}, ("number", "is not stored with the prefix 'TRACK_'")),
        (TRACK, {"S": "TRACK_x"}, ("number", "is not stored as digits")),
        (ORDER, {"S": "ORDER_2026-01-02"}, ("day", "is not followed by '#'")),
        (ORDER, {"S": "ORDER_2026-01-02#x"}, ("id", "is not followed by '#'")),
        (INFO, {"S": "INFO_x"}, ("sk", "is not stored as the constant of the type")),
    ],
)
def test_decoding_refuses(key: TextKey, wire: Any, expected: tuple[str, str]) -> None:
    assert field_reason(key.decode, wire) == expected


@pytest.mark.parametrize(
    ("key", "values", "text", "missing"),
    [
        (TRACK, {"number": None}, "TRACK_", ("number",)),
        (TRACK, {}, "TRACK_", ("number",)),
        (ORDER, {}, "ORDER_", ("day", "id", "line")),
        (ORDER, {"day": DAY}, "ORDER_2026-01-02#", ("id", "line")),
        (ORDER, {"day": DAY, "id": "x"}, "ORDER_2026-01-02#x#", ("line",)),
        (INFO, {}, "INFO_", ()),
        (MIXED, {}, "K_x#", ("id",)),
        (MIXED, {"id": "1"}, "K_x#1#end", ()),
    ],
)
def test_partial_keys(key: TextKey, values: dict[str, Any], text: str, missing: tuple[str, ...]) -> None:
    assert key.partial(values) == Partial({"S": text}, not missing, missing)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"id": "x"}, ("id", "is given, but day before it is not")),
        ({"line": 1}, ("line", "is given, but day before it is not")),
        ({"day": DAY, "line": 1}, ("line", "is given, but id before it is not")),
        ({"day": "x"}, ("day", "is a str, not a date")),
    ],
)
def test_partial_keys_are_refused(values: dict[str, Any], expected: tuple[str, str]) -> None:
    assert field_reason(ORDER.partial, values) == expected


# Number and binary keys

NUMBER = ScalarKey("score", "N", "score", codec_for(int))
BINARY = ScalarKey("hash", "B", "hash", codec_for(bytes), nullable=True)
ZERO = ScalarKey("sk", "N", "sk", codec_for(Decimal), constant_value=Decimal(0))


def test_scalar_keys() -> None:
    assert (NUMBER.tag, NUMBER.fields, NUMBER.prefix, NUMBER.constant) == ("N", ("score",), "", False)
    assert NUMBER.encode({"score": -7}) == {"N": "-7"}
    assert NUMBER.decode({"N": "-7"}) == {"score": -7}
    assert NUMBER.decode(None) == {}
    assert NUMBER.partial({"score": 7}) == Partial({"N": "7"}, whole=True)
    assert NUMBER.partial({"score": 0}) == Partial({"N": "0"}, whole=True)
    assert NUMBER.partial({}) == Partial(None, whole=False, missing=("score",))
    assert field_reason(NUMBER.encode, {"score": "7"}) == ("score", "is a str, not an int")
    assert field_reason(NUMBER.encode, {"score": None}) == ("score", "is None, not an int")


def test_nullable_scalar_keys() -> None:
    assert BINARY.encode({"hash": None}) is None
    assert BINARY.encode({"hash": b"ab"}) == {"B": "YWI="}
    assert BINARY.decode(None) == {"hash": None}
    assert BINARY.decode({"B": "YWI="}) == {"hash": b"ab"}


def test_constant_scalar_keys() -> None:
    assert ZERO.encode({"sk": Decimal(0)}) == {"N": "0"}
    assert ZERO.partial({}) == Partial({"N": "0"}, whole=True)
    assert not ZERO.constant
    assert field_reason(ZERO.encode, {"sk": Decimal(1)}) == ("sk", "is not the constant of the type")


# Separators


@pytest.mark.parametrize(
    ("text", "separator", "expected"),
    [
        ("", "#", False),
        ("a", "#", False),
        ("a#", "#", True),
        ("#a", "#", True),
        ("a=", "==", True),
        ("=a", "==", False),
    ],
)
def test_runs_into(text: str, separator: str, expected: bool) -> None:
    assert runs_into(text, separator) is expected


def test_always_runs_into() -> None:
    assert always_runs_into("#", ["a#", "#"])
    assert not always_runs_into("#", ["a#", "b"])
    assert not always_runs_into("#", [])


@pytest.mark.parametrize(
    ("kind", "always"),
    [(date, "-"), (datetime, "-:T.Z"), (time, ":."), (UUID, "-")],
)
def test_samples_have_in_common_what_all_texts_have(kind: Any, always: str) -> None:
    found = {chr(code) for code in range(128) if always_runs_into(chr(code), SAMPLES[kind])}
    assert found == set(always)


@pytest.mark.parametrize(("kind", "samples"), SAMPLES.items())
def test_samples_are_texts_of_their_types(kind: Any, samples: tuple[str, ...]) -> None:
    codec = plain(kind)
    assert [codec.text(codec.value(sample)) for sample in samples] == list(samples)


def test_known_values() -> None:
    assert known_values(Kind) == (Kind.ONE, Kind.TWO)
    assert known_values(Literal["a", 1, None]) == ("a", 1)
    assert known_values(str) == ()
    assert known_values(list[str]) == ()


def test_there_is_one_absent_value() -> None:
    assert part("x").constant is ABSENT


# The end of a prefix


@pytest.mark.parametrize(
    ("prefix", "bound"),
    [
        ("", None),
        ("TRACK_", "TRACK`"),
        ("a", "b"),
        ("aÿ", "aĀ"),
        ("a\ud7ff", "a\ue000"),
        ("a\uffff", "a\U00010000"),
        ("a\U0010ffff", "b"),
        ("\U0010ffff\U0010ffff", None),
    ],
)
def test_key_order_bound(prefix: str, bound: str | None) -> None:
    assert key_order_bound(prefix) == bound
