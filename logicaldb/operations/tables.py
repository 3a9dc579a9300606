"""Making tables as they are declared."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from logicaldb.errors import LogicalDbError
from logicaldb.flow import Flow, Request, ServiceFailure, Sleep
from logicaldb.schema.raw import RawDeclaration

_PAUSE: Final = 0.5
_LONGEST_WAIT: Final = 600.0


def create_tables(tables: Iterable[tuple[str, RawDeclaration, Sequence[str]]]) -> Flow[list[str]]:
    """Make tables, one after the other, and wait until they can be used; those that exist are left as they are.

    Args:
        tables: their names, raw items and attributes with the time to live.

    Returns:
        The names of those that were made.
    """
    made = []
    for name, raw, ttl_attributes in tables:
        if (yield from create_table(name, raw, ttl_attributes)):
            made.append(name)
    return made


def create_table(name: str, raw: RawDeclaration, ttl_attributes: Sequence[str]) -> Flow[bool]:
    """Make a table and wait until it can be used; one that exists is left as it is, and waited for too.

    Returns:
        Whether it was made.

    Raises:
        LogicalDbError: it is being deleted, or it cannot be used after ten minutes.
    """
    try:
        answer: dict[str, Any] = yield Request("CreateTable", name, raw.create_table_request(name))
    except ServiceFailure as failure:
        if failure.code != "ResourceInUseException":
            raise
        yield from _wait(name, (yield from _status(name)))
        return False
    yield from _wait(name, answer["TableDescription"]["TableStatus"])
    for attribute in ttl_attributes:
        specification = {"AttributeName": attribute, "Enabled": True}
        yield Request("UpdateTimeToLive", name, {"TableName": name, "TimeToLiveSpecification": specification})
    return True


def _wait(name: str, status: str) -> Flow[None]:
    waited = 0.0
    while status == "CREATING":
        if waited >= _LONGEST_WAIT:
            raise LogicalDbError(f"the table {name} is still being created after {waited:.0f} seconds")
        yield Sleep(_PAUSE)
        waited += _PAUSE
        status = yield from _status(name)
    if status == "DELETING":
        raise LogicalDbError(f"the table {name} is being deleted; create it when it is gone")


def _status(name: str) -> Flow[str]:
    try:
        answer: dict[str, Any] = yield Request("DescribeTable", name, {"TableName": name})
    except ServiceFailure as failure:
        # For a moment after CreateTable it may not be found yet:
        # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
        if failure.code != "ResourceNotFoundException":
            raise
        return "CREATING"
    status: str = answer["Table"]["TableStatus"]
    return status
