"""Making tables as they are declared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from logicaldb.errors import LogicalDbError
from logicaldb.flow import Flow, Request, ServiceFailure, Sleep
from logicaldb.schema.raw import RawDeclaration

_PAUSE: Final = 0.5
_LONGEST_WAIT: Final = 600.0


def create_table(name: str, raw: RawDeclaration, ttl_attributes: Sequence[str]) -> Flow[bool]:
    """Make a table and wait until it can be used; one that exists is left as it is.

    Returns:
        Whether it was made.
    """
    try:
        answer: dict[str, Any] = yield Request("CreateTable", name, raw.create_table_request(name))
    except ServiceFailure as failure:
        if failure.code == "ResourceInUseException":
            return False
        raise
    status, waited = answer["TableDescription"]["TableStatus"], 0.0
    while status != "ACTIVE":
        if waited >= _LONGEST_WAIT:
            raise LogicalDbError(f"the table {name} is still {status} after {waited:.0f} seconds")
        yield Sleep(_PAUSE)
        waited += _PAUSE
        description: dict[str, Any] = yield Request("DescribeTable", name, {"TableName": name})
        status = description["Table"]["TableStatus"]
    for attribute in ttl_attributes:
        specification = {"AttributeName": attribute, "Enabled": True}
        yield Request("UpdateTimeToLive", name, {"TableName": name, "TimeToLiveSpecification": specification})
    return True
