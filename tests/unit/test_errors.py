"""The errors travel between processes with what they carry."""

from __future__ import annotations

import pickle

import pytest

from logicaldb import (
    AmbiguousWrite,
    BatchIncomplete,
    ConditionFailed,
    DecodingError,
    EncodingError,
    ItemAlreadyExists,
    ItemNotFound,
    LogicalDbError,
    TransactionCanceled,
    VersionConflict,
)

ERRORS = [
    EncodingError("message"),
    DecodingError("message", key={"pk": "a"}),
    ConditionFailed("message", item=1, operation="save", undecodable=DecodingError("inner")),
    VersionConflict("message", expected=3, item=1),
    ItemNotFound("message", key="a", operation="update"),
    ItemAlreadyExists("message", item=1),
    TransactionCanceled("message", failures=[]),
    BatchIncomplete("message", unprocessed=[1]),
    AmbiguousWrite("message", operation="save", key="a", item=1),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_pickle(error: LogicalDbError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == "message"
    assert repr(vars(copy)) == repr(vars(error))
