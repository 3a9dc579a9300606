"""What codecs share: refusals, and how messages name types."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from logicaldb.codec.generic import AnyCodec
from logicaldb.codec.scalars import IntCodec, StrCodec
from logicaldb.codec.sequences import ListCodec
from logicaldb.codec.values import Refused, Unsupported, deeper, describe, mismatch, with_article


def test_refused_tells_place_and_reason() -> None:
    refused = Refused("is odd", "[2].city")
    assert (refused.path, refused.reason, str(refused)) == ("[2].city", "is odd", "is odd")
    assert Refused("is odd").path == ""


def test_unsupported_tells_the_reason() -> None:
    unsupported = Unsupported("cannot be")
    assert (unsupported.reason, str(unsupported)) == ("cannot be", "cannot be")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "None"),
        ("x", "a str"),
        (1, "an int"),
        (b"x", "bytes"),
        (UUID(int=0), "a UUID"),
        (Decimal(1), "a Decimal"),
        ([], "a list"),
    ],
)
def test_describes_the_type_and_never_the_value(value: Any, expected: str) -> None:
    assert describe(value) == expected


def test_article() -> None:
    assert [with_article(name) for name in ("Item", "Album", "str", "bytes")] == [
        "an Item",
        "an Album",
        "a str",
        "bytes",
    ]


def test_mismatch() -> None:
    assert mismatch("secret", "an int").reason == "is a str, not an int"


def test_depth_of_containers() -> None:
    flat = ListCodec(IntCodec(), list)
    assert deeper() == 2
    assert deeper(IntCodec(), StrCodec()) == 2
    assert deeper(IntCodec(), flat) == 3
    assert deeper(flat, AnyCodec()) is None


def test_a_codec_accepts_its_classes() -> None:
    assert StrCodec().accepts("x")
    assert not StrCodec().accepts(1)
