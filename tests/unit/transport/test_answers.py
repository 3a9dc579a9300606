from __future__ import annotations

from zlib import crc32

import pytest
from botocore.exceptions import ChecksumError

from logicaldb.transport.answers import damage

BODY = b'{"a":1}'


@pytest.mark.parametrize("expected", [None, str(crc32(BODY))])
def test_an_answer_is_whole_that_has_no_checksum_or_its_own(expected: str | None) -> None:
    assert damage(expected, BODY) is None


@pytest.mark.parametrize("expected", ["17", "", "no number"])
def test_an_answer_with_another_checksum_is_damaged(expected: str) -> None:
    error = damage(expected, BODY)
    assert isinstance(error, ChecksumError)
    assert str(error) == (
        f"Checksum crc32 failed, expected checksum {expected} did not match calculated checksum {crc32(BODY)}."
    )
