"""Making tables: waiting until they can be used, and leaving those alone that exist."""

from __future__ import annotations

from typing import Any

import pytest

from logicaldb import LogicalDbError
from logicaldb.flow import Request, ServiceFailure
from logicaldb.operations.tables import create_table
from tests.unit.operations.driving import drive, failed
from tests.unit.operations.models import LoneRow, LoneTable

RAW = LoneTable.__logicaldb_table__.raw
CREATE = Request(
    "CreateTable",
    "lone",
    {
        "TableName": "lone",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    },
)
DESCRIBE = Request("DescribeTable", "lone", {"TableName": "lone"})
EXISTS = failed("ResourceInUseException")
NOT_FOUND = failed("ResourceNotFoundException")


def made(status: str) -> dict[str, Any]:
    return {"TableDescription": {"TableStatus": status}}


def described(status: str) -> dict[str, Any]:
    return {"Table": {"TableStatus": status}}


def test_the_request_is_that_of_the_raw_item() -> None:
    assert CREATE.body == LoneRow.create_table_request("lone")


def test_a_table_is_made() -> None:
    run = drive(create_table("lone", RAW, ()), made("ACTIVE"))
    assert run.result is True
    assert run.requests == [CREATE]


def test_a_table_is_waited_for() -> None:
    """For a moment it may not even be found."""
    answers = [made("CREATING"), NOT_FOUND, described("CREATING"), described("ACTIVE")]
    run = drive(create_table("lone", RAW, ()), *answers)
    assert run.result is True
    assert run.requests == [CREATE, DESCRIBE, DESCRIBE, DESCRIBE]
    assert run.sleeps == [0.5, 0.5, 0.5]


def test_its_time_to_live_is_turned_on_when_it_can_be_used() -> None:
    run = drive(create_table("lone", RAW, ["expires"]), made("CREATING"), described("ACTIVE"), {})
    assert run.requests == [
        CREATE,
        DESCRIBE,
        Request(
            "UpdateTimeToLive",
            "lone",
            {"TableName": "lone", "TimeToLiveSpecification": {"AttributeName": "expires", "Enabled": True}},
        ),
    ]


@pytest.mark.parametrize("status", ["ACTIVE", "UPDATING"])
def test_a_table_that_exists_is_left_as_it_is(status: str) -> None:
    run = drive(create_table("lone", RAW, ["expires"]), EXISTS, described(status))
    assert run.result is False
    assert run.requests == [CREATE, DESCRIBE]


def test_a_table_that_another_makes_is_waited_for() -> None:
    run = drive(create_table("lone", RAW, ["expires"]), EXISTS, described("CREATING"), described("ACTIVE"))
    assert run.result is False
    assert run.requests == [CREATE, DESCRIBE, DESCRIBE]


def test_a_table_that_is_being_deleted_is_an_error() -> None:
    with pytest.raises(LogicalDbError) as error:
        drive(create_table("lone", RAW, ()), EXISTS, described("DELETING"))
    assert str(error.value) == "the table lone is being deleted; create it when it is gone"


def test_waiting_has_an_end() -> None:
    with pytest.raises(LogicalDbError) as error:
        drive(create_table("lone", RAW, ()), made("CREATING"), *[described("CREATING")] * 1200)
    assert str(error.value) == "the table lone is still being created after 600 seconds"


def test_other_errors_pass() -> None:
    for answers in ([failed("LimitExceededException")], [made("CREATING"), failed("AccessDeniedException")]):
        with pytest.raises(ServiceFailure) as error:
            drive(create_table("lone", RAW, ()), *answers)
        assert error.value is answers[-1]
