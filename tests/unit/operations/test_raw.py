"""Raw rows: every attribute there and back, and nothing sent that DynamoDB refuses."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

import pytest

from logicaldb import (
    AmbiguousWrite,
    Attribute,
    DecodingError,
    EncodingError,
    Expression,
    LogicalTable,
    Offset,
    PartitionKey,
    RawItem,
    SortKey,
    WorkerId,
    attr,
)
from logicaldb.flow import Request, ServiceFailure, Unanswered
from logicaldb.operations.raw import RawRows
from tests.unit.operations.driving import drive, failed, found, make_table, scan_options
from tests.unit.operations.models import ShopRow, ShopTable, Step

ROWS: RawRows = make_table(ShopTable).raw._rows


class RawThing(RawItem):
    key: Annotated[str, PartitionKey(), Attribute("pk")]
    number: Annotated[int, SortKey(), Attribute("sk")]
    blob: Annotated[bytes | None, SortKey(index="by_blob")]
    part: Annotated[str | None, PartitionKey(index="by_part")] = None
    note: str = "none"


class RawThingTable(LogicalTable[RawThing]):
    pass


THINGS: RawRows = make_table(RawThingTable).raw._rows
MINIMAL = RawThing(key="K", number=1, blob=None)
MINIMAL_ROW = {"pk": {"S": "K"}, "sk": {"N": "1"}, "note": {"S": "none"}}


def test_every_attribute_there_and_back() -> None:
    row: dict[str, dict[str, Any]] = {
        "pk": {"S": "CUSTOMER_C"},
        "sk": {"S": "STEP_0001"},
        "title": {"S": "t"},
        "amount": {"N": "1.5"},
        "whole": {"N": "3"},
        "data": {"B": "/w=="},
        "good": {"BOOL": True},
        "none": {"NULL": True},
        "list": {"L": [{"S": "x"}, {"L": []}]},
        "map": {"M": {"a b.c": {"N": "1"}}},
        "words": {"SS": ["x"]},
        "numbers": {"NS": ["1"]},
        "blobs": {"BS": ["/w=="]},
    }
    item = ROWS.decode(row)
    assert type(item) is ShopRow
    assert (item.pk, item.sk, item.title, item.owner) == ("CUSTOMER_C", "STEP_0001", "t", None)
    assert item.__pydantic_extra__ == {
        "amount": Decimal("1.5"),
        "whole": 3,
        "data": b"\xff",
        "good": True,
        "none": None,
        "list": ["x", []],
        "map": {"a b.c": 1},
        "words": {"x"},
        "numbers": {1},
        "blobs": {b"\xff"},
    }
    assert ROWS.encode(item) == row


def test_load() -> None:
    item = ShopRow(pk="P", sk="S", owner="other attributes do not matter", broken=object())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    row = {"pk": {"S": "P"}, "sk": {"S": "S"}}
    run = drive(ROWS.load(item, consistent_read=True), {"Item": row})
    assert run.requests == [Request("GetItem", "things", {"TableName": "things", "Key": row, "ConsistentRead": True})]
    assert run.result == ShopRow(pk="P", sk="S")
    run = drive(ROWS.load(item, consistent_read=False), {})
    assert run.bodies == [{"TableName": "things", "Key": row}]
    assert run.result is None


def test_put() -> None:
    run = drive(THINGS.put(MINIMAL), {})
    assert run.requests == [Request("PutItem", "things", {"TableName": "things", "Item": MINIMAL_ROW})]
    assert run.result is None


def test_delete() -> None:
    run = drive(THINGS.delete(MINIMAL), {"Attributes": MINIMAL_ROW})
    assert run.requests == [
        Request(
            "DeleteItem",
            "things",
            {"TableName": "things", "Key": {"pk": {"S": "K"}, "sk": {"N": "1"}}, "ReturnValues": "ALL_OLD"},
        )
    ]
    assert run.result == MINIMAL
    assert drive(THINGS.delete(MINIMAL), {}).result is None
    assert drive(THINGS.delete(MINIMAL), {"Attributes": {}}).result is None


def test_a_deleted_row_that_is_not_valid() -> None:
    with pytest.raises(DecodingError) as error:
        drive(THINGS.delete(MINIMAL), {"Attributes": {**MINIMAL_ROW, "note": {"N": "1"}}})
    assert str(error.value) == (
        "the write took effect, but the row pk='K', sk='1' is no valid RawThing: note (string_type)"
    )
    assert error.value.key == {"pk": "K", "sk": "1"}


def test_fields_have_names_of_their_own() -> None:
    item = RawThing(key="K", number=1, blob=b"b", part="p", extra=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    row = {**MINIMAL_ROW, "blob": {"B": "Yg=="}, "part": {"S": "p"}, "extra": {"N": "5"}}
    assert THINGS.encode(item) == row
    assert THINGS.decode(row) == item


def test_an_absent_attribute_reads_as_none_or_the_default() -> None:
    item = THINGS.decode({"pk": {"S": "K"}, "sk": {"N": "1"}})
    assert item == RawThing(key="K", number=1, blob=None, note="none")


def test_an_extra_named_like_the_attribute_of_a_field_is_refused() -> None:
    item = RawThing(key="K", number=1, blob=None, pk="other")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(EncodingError) as error:
        THINGS.encode(item)
    assert str(error.value) == "RawThing.pk: the attribute pk is the field key; give that instead"


def test_an_attribute_named_like_a_field_has_no_place() -> None:
    with pytest.raises(DecodingError) as error:
        THINGS.decode({**MINIMAL_ROW, "key": {"S": "x"}})
    assert str(error.value) == (
        "the row pk='K', sk='1' is no valid RawThing: the attribute key has no place, since the field key is pk"
    )


@pytest.mark.parametrize(
    ("row", "problem", "key"),
    [
        ({"pk": {"S": "K"}}, "pk='K' is no valid RawThing: number (missing)", {"pk": "K"}),
        (
            {"pk": {"S": "K"}, "sk": {"S": "secret"}},
            "pk='K', sk='secret' is no valid RawThing: number (int_parsing)",
            {"pk": "K", "sk": "secret"},
        ),
        (
            {**MINIMAL_ROW, "note": {"M": {"a": {"S": "hidden"}}}},
            "pk='K', sk='1' is no valid RawThing: note (string_type)",
            {"pk": "K", "sk": "1"},
        ),
    ],
)
def test_a_row_that_is_not_valid(row: dict[str, Any], problem: str, key: dict[str, Any]) -> None:
    with pytest.raises(DecodingError) as error:
        THINGS.decode(row)
    assert str(error.value) == f"the row {problem}"
    assert error.value.key == key


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": ""}, "RawThing.key: is an empty string, and the key attribute pk cannot be"),
        ({"key": "x" * 2049}, "RawThing.key: makes the key attribute pk 2049 bytes long; the limit is 2048"),
        ({"blob": b""}, "RawThing.blob: is an empty binary, and the key attribute blob cannot be"),
        ({"blob": b"x" * 1025}, "RawThing.blob: makes the key attribute blob 1025 bytes long; the limit is 1024"),
        ({"part": ""}, "RawThing.part: is an empty string, and the key attribute part cannot be"),
        ({"number": 10**40 + 1}, "RawThing.number: is a number of more than 38 significant digits"),
        ({"note": "\ud800"}, "RawThing.note: is not valid UTF-8 text"),
    ],
)
def test_what_dynamodb_refuses_is_refused(changes: dict[str, Any], message: str) -> None:
    item = MINIMAL.model_copy(update=changes)
    with pytest.raises(EncodingError) as error:
        drive(THINGS.put(item))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (1.5, ": is a float, which DynamoDB has no type for: declare the type instead of Any"),
        (
            [1, {"a": object()}],
            "[1]['a']: is an object, which DynamoDB has no type for: declare the type instead of Any",
        ),
    ],
)
def test_an_extra_that_dynamodb_has_no_type_for(value: Any, problem: str) -> None:
    item = RawThing(key="K", number=1, blob=None, extra=value)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(EncodingError) as error:
        THINGS.encode(item)
    assert str(error.value) == f"RawThing.extra{problem}"


def test_a_key_of_no_length_loads_nothing() -> None:
    with pytest.raises(EncodingError) as error:
        drive(ROWS.load(ShopRow(pk="P", sk=""), consistent_read=False))
    assert str(error.value) == "ShopRow.sk: is an empty string, and the key attribute sk cannot be"


def test_a_row_that_is_too_big_is_refused() -> None:
    item = ShopRow(pk="P", sk="S", big="x" * 409_600)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(EncodingError) as error:
        drive(ROWS.put(item))
    assert str(error.value) == ("ShopRow.big: is the largest field of an item of 409609 bytes; the limit is 409600")


def test_another_raw_item_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        drive(ROWS.put(MINIMAL))
    assert str(error.value) == "RawThing is not ShopRow, the raw item of the table"


def test_a_page_of_a_scan() -> None:
    last = {"pk": {"S": "P"}, "sk": {"S": "S"}}
    options = scan_options(
        page_size=5,
        consistent_read=True,
        filter_expression=Expression("a = :a", values={":a": 1}),
        initial_offset=Offset.served(None, last),
        worker_id=WorkerId(1, 3),
    )
    run = drive(ROWS.scan_page(**options), found(last, last=last))
    assert run.requests == [
        Request(
            "Scan",
            "things",
            {
                "TableName": "things",
                "Segment": 1,
                "TotalSegments": 3,
                "ConsistentRead": True,
                "FilterExpression": "a = :v0",
                "ExpressionAttributeValues": {":v0": {"N": "1"}},
                "Limit": 5,
                "ExclusiveStartKey": last,
            },
        )
    ]
    assert run.result.contents == [ShopRow(pk="P", sk="S")]
    assert (run.result.offset.key, run.result.offset.raw) == (None, last)


def test_all_pages_and_rows_of_a_scan() -> None:
    first, second = ({"pk": {"S": "P"}, "sk": {"S": sk}} for sk in "12")
    pages = drive(ROWS.scan_all(**scan_options()), found(first, last=first), found(second))
    assert [page.contents for page in pages.values] == [[ShopRow(pk="P", sk="1")], [ShopRow(pk="P", sk="2")]]
    assert pages.bodies[1]["ExclusiveStartKey"] == first
    rows = drive(ROWS.scan_contents(limit=None, **scan_options()), found(first, last=first), found(second))
    assert rows.values == [ShopRow(pk="P", sk="1"), ShopRow(pk="P", sk="2")]
    run = drive(ROWS.scan_contents(limit=1, **scan_options()), found(first, last=first))
    assert run.bodies[0]["Limit"] == 1
    options = scan_options(filter_expression=Expression("attribute_exists(a)"))
    assert drive(ROWS.scan_contents(limit=1, **options), found()).bodies[0]["Limit"] == 100


def test_raw_rows_have_no_fields_to_filter_by() -> None:
    with pytest.raises(TypeError) as error:
        drive(ROWS.scan_page(**scan_options(filter_expression=attr(Step.title) == "x")))
    assert str(error.value) == "raw rows have no fields such as Step.title; write the condition as Expression(...)"


def test_a_scan_of_raw_rows_goes_on_from_what_was_served() -> None:
    with pytest.raises(EncodingError) as error:
        drive(ROWS.scan_page(**scan_options(initial_offset=Offset(Step.Key("C", 1)))))
    assert str(error.value) == (
        "Offset(Step.Key(customer='C', number=1)): a scan of raw rows goes on from an offset that the service gave"
    )
    with pytest.raises(TypeError) as type_error:
        drive(ROWS.scan_page(**scan_options(initial_offset={"pk": {"S": "P"}})))
    assert str(type_error.value) == "an offset is due, such as page.offset or Offset(key), not a dict"


def test_the_options_are_checked() -> None:
    for wrong, described in (("3", "a str"), (True, "a bool")):
        with pytest.raises(TypeError, match=rf"^page_size is an int, not {described}$"):
            drive(ROWS.scan_page(**scan_options(page_size=wrong)))
    with pytest.raises(ValueError, match=r"^page_size=0 must be at least 1$"):
        drive(ROWS.scan_page(**scan_options(page_size=0)))
    with pytest.raises(TypeError, match=r"^a condition is due, not False"):
        drive(ROWS.scan_page(**scan_options(filter_expression=False)))


@pytest.mark.parametrize(
    "failure", [Unanswered(RuntimeError("cut")), failed("InternalServerError", ambiguous=True)], ids=["cut", "answered"]
)
def test_a_write_whose_outcome_cannot_be_told(failure: Any) -> None:
    flows: list[tuple[str, Any]] = [("PutItem", THINGS.put(MINIMAL)), ("DeleteItem", THINGS.delete(MINIMAL))]
    for operation, flow in flows:
        with pytest.raises(AmbiguousWrite) as error:
            drive(flow, failure)
        assert str(error.value) == (
            f"{operation} of RawThing(pk='K', sk='1'): was sent, and no answer tells whether it took effect"
        )
        assert error.value.operation == operation
        assert error.value.key == {"pk": "K", "sk": "1"}
        assert error.value.item is None
        assert error.value.__cause__ is failure.error


def test_other_failures_of_a_write_pass() -> None:
    failure = failed("ValidationException")
    with pytest.raises(ServiceFailure) as error:
        drive(THINGS.put(MINIMAL), failure)
    assert error.value is failure


def test_a_value_that_is_too_deep_to_read_is_refused() -> None:
    wire: dict[str, Any] = {"S": "x"}
    for _ in range(100_000):
        wire = {"L": [wire]}
    for row, name in (({"more": wire}, "more"), ({"note": wire}, "note")):
        with pytest.raises(DecodingError) as error:
            THINGS.decode({**MINIMAL_ROW, **row})
        assert (
            str(error.value) == f"the row pk='K', sk='1' is no valid RawThing: {name} is nested deeper than 32 levels"
        )
