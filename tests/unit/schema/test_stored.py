from __future__ import annotations

from typing import Any

import pytest

from logicaldb.codec.keys import FieldRefused, KeyPart, PlainText, ScalarKey, TextKey
from logicaldb.codec.limits import MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES
from logicaldb.codec.types import codec_for
from logicaldb.schema.stored import StoredField, StoredKey, check_form, check_key_size
from tests.unit.codec.support import codec_of

TEXT = TextKey(
    "sk",
    (KeyPart("one", "A_", "#", PlainText(codec_for(str))), KeyPart("two", "#", "", PlainText(codec_for(str)))),
)
BARE = TextKey("sk", (KeyPart("one", "", "", PlainText(codec_for(str))),))
BINARY = ScalarKey("hash", "B", "hash", codec_for(bytes))
NUMBER = ScalarKey("score", "N", "score", codec_for(int))


def refusal(stored: StoredKey, **values: object) -> tuple[str, str]:
    with pytest.raises(FieldRefused) as refused:
        stored.encode(values)
    return refused.value.field, refused.value.reason


@pytest.mark.parametrize("limit", [MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES])
def test_strings_are_limited_to_the_byte(limit: int) -> None:
    stored = StoredKey(TEXT, limit)
    rest = limit - len("A_#é".encode())
    assert stored.encode({"one": "x" * rest, "two": "é"}) == {"S": f"A_{'x' * rest}#é"}
    assert refusal(stored, one="x" * (rest + 1), two="é") == (
        "two",
        f"makes the key attribute sk {limit + 1} bytes long; the limit is {limit}",
    )
    assert refusal(stored, one="x" * (rest - 1), two="ééé") == (
        "two",
        f"makes the key attribute sk {limit + 3} bytes long; the limit is {limit}",
    )


@pytest.mark.parametrize("limit", [MAX_PARTITION_KEY_BYTES, MAX_SORT_KEY_BYTES])
def test_binaries_are_limited_to_the_byte(limit: int) -> None:
    stored = StoredKey(BINARY, limit)
    for size in (limit, limit - 1, limit - 2):
        assert stored.encode({"hash": b"x" * size}) is not None
    assert refusal(stored, hash=b"x" * (limit + 1)) == (
        "hash",
        f"makes the key attribute hash {limit + 1} bytes long; the limit is {limit}",
    )


def test_nothing_is_no_key() -> None:
    assert refusal(StoredKey(BARE, 9), one="") == ("one", "is an empty string, and the key attribute sk cannot be")
    assert refusal(StoredKey(BINARY, 9), hash=b"") == (
        "hash",
        "is an empty binary, and the key attribute hash cannot be",
    )


def test_numbers_have_no_limit_of_their_own() -> None:
    check_key_size(NUMBER, {"N": "1" * 38}, 1)


def test_what_is_no_key_has_no_limit() -> None:
    assert StoredKey(BARE, None).encode({"one": ""}) == {"S": ""}


def test_absent_keys_are_not_checked() -> None:
    sparse = TextKey("x", (KeyPart("x", "", "", PlainText(codec_for(str)), nullable=True),))
    stored = StoredKey(sparse, 9)
    assert stored.encode({"x": None}) is None
    assert stored.decode(None) == {"x": None}
    assert stored.fields == ("x",)


def test_a_key_has_one_form() -> None:
    check_form(TEXT, {"one": "a", "two": "b"}, {"sk": {"S": "A_a#b"}})
    check_form(NUMBER, {"score": 1}, {"score": {"N": "1.0"}})  # numbers are the service's to normalise
    for row in ({"sk": {"S": "A_a#B"}}, {}):
        with pytest.raises(FieldRefused) as refused:
            check_form(TEXT, {"one": "a", "two": "b"}, row)
        assert (refused.value.field, refused.value.reason) == (
            "one",
            "is not stored in the form that its type writes",
        )


@pytest.mark.parametrize("annotation", [Any, list[Any], list[int], dict[str, Any], int, str | None])
def test_a_value_that_is_too_deep_to_read_is_refused(annotation: Any) -> None:
    wire: dict[str, Any] = {"S": "x"}
    for _ in range(100_000):
        wire = {"L": [wire]}
    with pytest.raises(FieldRefused) as refused:
        StoredField("field", codec_of(annotation)).decode(wire)
    assert (refused.value.field, refused.value.reason) == ("field", "is nested deeper than 32 levels")
    with pytest.raises(FieldRefused) as refused:
        StoredKey(BINARY, None).decode(wire)
    assert (refused.value.field, refused.value.reason) == ("hash", "is nested deeper than 32 levels")


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(FieldRefused) as refused:
        StoredField("field", codec_of(Any)).decode({"X": 1})
    assert (refused.value.field, refused.value.reason) == ("field", "is no value of DynamoDB's")
