"""Queries, scans and counts: what is sent, what is left out, where it goes on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest

from examples.music.models import AlbumInfo, AlbumTrack, MusicTable, PlaylistInfo
from logicaldb import (
    AtLeast,
    AtMost,
    Attribute,
    BeginsWith,
    Between,
    DecodingError,
    EncodingError,
    EqualTo,
    Expression,
    IncompleteKey,
    InlineView,
    Item,
    ItemKey,
    LessThan,
    LimitExceeded,
    LogicalTable,
    Offset,
    WorkerId,
    attr,
)
from logicaldb.operations.reading import Source
from tests.unit.operations.driving import Run, drive, found, make_table, query_options, readable, scan_options
from tests.unit.operations.models import (
    Customer,
    Lone,
    LoneTable,
    Number,
    NumberTable,
    Order,
    Plain,
    PlainRow,
    PlainTable,
    ShopTable,
    Step,
)

SHOP = make_table(ShopTable)
CUSTOMERS: Source[Any, Any] = SHOP.customers._source
ORDERS: Source[Any, Any] = SHOP.orders._source
STEPS: Source[Any, Any] = SHOP.steps._source
BY_OWNER: Source[Any, Any] = SHOP.customers_by_owner._source
BY_LABEL: Source[Any, Any] = SHOP.customers_by_label._source
INVERTED: Source[Any, Any] = SHOP.customers_inverted._source
BY_TITLE: Source[Any, Any] = SHOP.steps_by_title._source
BY_SCORE: Source[Any, Any] = SHOP.steps_by_score._source
EVERYTHING: Source[Any, Any] = SHOP.everything._source
MUSIC = make_table(MusicTable)
PLAIN: Source[Any, Any] = make_table(PlainTable).plain._source
LONE_TABLE = make_table(LoneTable)

STEP_KEY = Step.Key("C")


def step(number: int) -> Step:
    return Step(customer="C", number=number, title=f"T{number}")


def row(item: Item) -> dict[str, Any]:
    schema: Any = next(
        schema
        for table in (ShopTable, PlainTable)
        for schema in table.__logicaldb_table__.schema.items
        if schema.item_type is type(item)
    )
    encoded: dict[str, Any] = schema.encode(item)
    return encoded


def key(item: Item) -> dict[str, Any]:
    return {name: value for name, value in row(item).items() if name in ("pk", "sk")}


STEPS_ROWS = [row(step(number)) for number in range(1, 10)]


# What tells a row's type: the filter of queries and scans.


@pytest.mark.parametrize(
    ("source", "condition", "expected"),
    [
        # The key condition keeps to the prefix of the sort key of what is queried.
        (STEPS, BeginsWith(STEP_KEY), None),
        (CUSTOMERS, BeginsWith(Customer.Key("C")), None),
        (INVERTED, BeginsWith(Customer.InvertedKey("C")), None),
        (LONE_TABLE.lone._source, BeginsWith(Lone.Key("x")), None),
        # Otherwise an index has rows of other types: only a filter keeps them out.
        (BY_OWNER, BeginsWith(Customer.OwnerKey("O")), "sk = 'INFO'"),
        (BY_LABEL, BeginsWith(Customer.LabelKey("x")), "sk = 'INFO'"),
        (BY_TITLE, BeginsWith(Step.TitleKey("C")), "begins_with(sk, 'STEP_')"),
        (BY_SCORE, BeginsWith(Step.ScoreKey("B")), "begins_with(sk, 'STEP_')"),
        # AlbumInfo and PlaylistInfo have one sort key; a required attribute of the one tells it.
        (MUSIC.album_info._source, BeginsWith(AlbumInfo.Key("A")), "attribute_exists(album_title)"),
        (MUSIC.playlist_info._source, BeginsWith(PlaylistInfo.Key("A")), "attribute_exists(playlist_name)"),
        # Where it is a key of the index, it is there in every row of the index.
        (
            MUSIC.album_info_by_artist._source,
            BeginsWith(AlbumInfo.ArtistIndexOffset("P")),
            "sort_key = 'INFO_'",
        ),
        (
            MUSIC.album_info_by_label._source,
            BeginsWith(AlbumInfo.LabelIndexOffset("P")),
            "(sort_key = 'INFO_') AND (attribute_exists(album_title))",
        ),
        # The only type of its table.
        (PLAIN, BeginsWith(Plain.Key("P")), None),
    ],
)
def test_a_query_keeps_to_its_type(source: Source[Any, Any], condition: Any, expected: str | None) -> None:
    (body,) = drive(source.query_page(condition, **query_options()), found()).bodies
    assert readable(body, "FilterExpression") == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (STEPS, "begins_with(sk, 'STEP_')"),
        (CUSTOMERS, "sk = 'INFO'"),
        (BY_OWNER, "sk = 'INFO'"),
        (BY_TITLE, "begins_with(sk, 'STEP_')"),
        # Unlike a query, a scan takes a filter by the keys of what is read.
        (INVERTED, "sk = 'INFO'"),
        (LONE_TABLE.lone._source, "begins_with(pk, 'LONE_')"),
        (LONE_TABLE.other._source, "begins_with(pk, 'OTHER_')"),
        (MUSIC.album_info._source, "(sort_key = 'INFO_') AND (attribute_exists(album_title))"),
        (MUSIC.album_info_by_artist._source, "sort_key = 'INFO_'"),
        (MUSIC.album_info_by_label._source, "(sort_key = 'INFO_') AND (attribute_exists(album_title))"),
        (PLAIN, None),
    ],
)
def test_a_scan_keeps_to_its_type(source: Source[Any, Any], expected: str | None) -> None:
    (body,) = drive(source.scan_page(**scan_options()), found()).bodies
    assert readable(body, "FilterExpression") == expected


class Absent(Item):
    """Told from ``Present`` by what it does not have."""

    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="X")] = ""

    class Key(ItemKey["Absent"]):
        pk: str


class Present(Item):
    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="X")] = ""
    value: int

    class Key(ItemKey["Present"]):
        pk: str


class AbsentTable(LogicalTable[PlainRow]):
    absent: InlineView[Absent.Key, Absent]
    present: InlineView[Present.Key, Present]


def test_a_type_may_be_told_by_what_it_lacks() -> None:
    source: Source[Any, Any] = make_table(AbsentTable).absent._source
    (body,) = drive(source.query_page(BeginsWith(Absent.Key("P")), **query_options()), found()).bodies
    assert readable(body, "FilterExpression") == "attribute_not_exists(value)"
    (body,) = drive(source.scan_page(**scan_options()), found()).bodies
    assert readable(body, "FilterExpression") == "(sk = 'X') AND (attribute_not_exists(value))"


# Filters of the caller's.


def test_a_filter_joins_that_of_the_type_in_parentheses() -> None:
    condition = (attr(Customer.name) == "a") | (attr(Customer.label) == "b")
    options = query_options(filter_expression=condition)
    run = drive(BY_OWNER.query_page(BeginsWith(Customer.OwnerKey("O")), **options), found())
    assert run.bodies == [
        {
            "TableName": "things",
            "IndexName": "by_owner",
            "KeyConditionExpression": "#n0 = :v0 AND begins_with(#n1, :v1)",
            "FilterExpression": "(#n2 = :v2) AND ((#n3 = :v3) OR (#n4 = :v4))",
            "ProjectionExpression": "#n1, #n2, #n3, #n0, #n4",
            "ExpressionAttributeNames": {"#n0": "owner", "#n1": "pk", "#n2": "sk", "#n3": "name", "#n4": "label"},
            "ExpressionAttributeValues": {
                ":v0": {"S": "O"},
                ":v1": {"S": "CUSTOMER_"},
                ":v2": {"S": "INFO"},
                ":v3": {"S": "a"},
                ":v4": {"S": "L_b"},
            },
            "Limit": 100,
        }
    ]


def test_a_filter_alone_needs_no_parentheses() -> None:
    options = query_options(filter_expression=attr(Step.title) == "x")
    (body,) = drive(STEPS.query_page(BeginsWith(STEP_KEY), **options), found()).bodies
    assert readable(body, "FilterExpression") == "title = 'x'"


@pytest.mark.parametrize(
    ("source", "condition", "filtered", "message"),
    [
        (
            STEPS,
            BeginsWith(STEP_KEY),
            attr(Step.number) > 3,
            (
                "Step.number: is a key of ShopTable, and DynamoDB does not filter by the keys of what is queried; "
                "use a key condition"
            ),
        ),
        (
            STEPS,
            BeginsWith(STEP_KEY),
            attr(Step.customer).exists(),
            (
                "Step.customer: is a key of ShopTable, and DynamoDB does not filter by the keys of what is queried; "
                "use a key condition"
            ),
        ),
        (
            BY_TITLE,
            BeginsWith(Step.TitleKey("C")),
            (attr(Step.board) == "b") & ~attr(Step.title).begins_with("x"),
            (
                "Step.title: is a key of the index 'by_title', and DynamoDB does not filter by the keys of what is queried; "
                "use a key condition"
            ),
        ),
    ],
)
def test_a_query_is_not_filtered_by_its_keys(
    source: Source[Any, Any], condition: Any, filtered: Any, message: str
) -> None:
    for flow in (
        source.query_page(condition, **query_options(filter_expression=filtered)),
        source.count(condition, consistent_read=False, filter_expression=filtered),
    ):
        with pytest.raises(EncodingError) as error:
            drive(flow)
        assert str(error.value) == message


def test_an_index_is_filtered_by_the_keys_of_the_table() -> None:
    options = query_options(filter_expression=attr(Step.number) > 3)
    (body,) = drive(BY_SCORE.query_page(BeginsWith(Step.ScoreKey("B")), **options), found()).bodies
    assert readable(body, "FilterExpression") == "(begins_with(sk, 'STEP_')) AND (sk > 'STEP_0003')"


def test_a_scan_is_filtered_by_keys() -> None:
    options = scan_options(filter_expression=attr(Step.number).between(3, 5))
    (body,) = drive(STEPS.scan_page(**options), found()).bodies
    assert (
        readable(body, "FilterExpression") == "(begins_with(sk, 'STEP_')) AND (sk BETWEEN 'STEP_0003' AND 'STEP_0005')"
    )


def test_a_bool_is_no_filter() -> None:
    with pytest.raises(TypeError) as error:
        drive(STEPS.scan_page(**scan_options(filter_expression=False)))
    assert str(error.value) == (
        "a condition is due, not False: write attr(...) around the field, as in attr(AlbumTrack.track_number) == 1"
    )


def test_a_field_of_another_type_is_no_filter() -> None:
    with pytest.raises(TypeError, match=r"^Order\.note"):
        drive(STEPS.scan_page(**scan_options(filter_expression=attr(Order.note) == "x")))


def test_a_filter_that_is_too_long_is_refused() -> None:
    condition = Expression(" OR ".join(["a = :a"] * 500), values={":a": 1})
    with pytest.raises(LimitExceeded) as error:
        drive(STEPS.scan_page(**scan_options(filter_expression=condition)))
    assert str(error.value) == "the FilterExpression is 5526 bytes long; the limit of an expression is 4096"


def test_a_collection_is_filtered_by_the_fields_of_its_types() -> None:
    options = query_options(filter_expression=(attr(Order.amount) > Decimal(3)) | (attr(Customer.name) == "x"))
    (body,) = drive(EVERYTHING.partition_page(Customer.Key("C"), **options), found()).bodies
    assert readable(body, "FilterExpression") == "(amount > '3') OR (name = 'x')"


# Projections.


def test_a_scan_asks_for_the_attributes_of_its_type() -> None:
    run = drive(ORDERS.scan_page(**scan_options()), found())
    assert run.operations == ["Scan"]
    assert run.bodies == [
        {
            "TableName": "things",
            "FilterExpression": "begins_with(#n0, :v0)",
            "ProjectionExpression": "#n1, #n0, #n2, #n3",
            "ExpressionAttributeNames": {"#n0": "sk", "#n1": "pk", "#n2": "amount", "#n3": "note"},
            "ExpressionAttributeValues": {":v0": {"S": "ORDER_"}},
            "Limit": 100,
        }
    ]


def wide_table(fields: int) -> Source[Any, Any]:
    class Wide(Item):
        __annotations__ = {"pk": str, "sk": str, **{f"field_{number}": int for number in range(fields)}}

        class Key(ItemKey["Wide"]):
            pk: str
            sk: str | None = None

    class WideTable(LogicalTable[PlainRow]):
        view: InlineView[Wide.Key, Wide]

    source: Source[Any, Any] = make_table(WideTable).view._source
    return source


def test_a_projection_that_is_too_long_is_left_out() -> None:
    source = wide_table(570)
    key_type: Any = source.key.key_type
    (body,) = drive(source.query_page(BeginsWith(key_type("P")), **query_options()), found()).bodies
    assert len(body["ProjectionExpression"]) in range(3800, 4096)
    source = wide_table(600)
    key_type = source.key.key_type
    (body,) = drive(source.query_page(BeginsWith(key_type("P")), **query_options()), found()).bodies
    assert body == {
        "TableName": "things",
        "KeyConditionExpression": "#n0 = :v0",
        "ExpressionAttributeNames": {"#n0": "pk"},  # DynamoDB refuses names that no expression uses
        "ExpressionAttributeValues": {":v0": {"S": "P"}},
        "Limit": 100,
    }


# Options.


def test_the_options_of_a_query() -> None:
    options = query_options(asc=False, page_size=7, consistent_read=True)
    (body,) = drive(BY_TITLE.query_page(BeginsWith(Step.TitleKey("C")), **options), found()).bodies
    assert body["ScanIndexForward"] is False
    assert body["Limit"] == 7
    assert body["ConsistentRead"] is True
    assert body["IndexName"] == "by_title"


def test_the_options_of_a_scan() -> None:
    options = scan_options(page_size=7, consistent_read=True, worker_id=WorkerId(2, 5))
    (body,) = drive(STEPS.scan_page(**options), found()).bodies
    assert {name: body[name] for name in ("Limit", "ConsistentRead", "Segment", "TotalSegments")} == {
        "Limit": 7,
        "ConsistentRead": True,
        "Segment": 2,
        "TotalSegments": 5,
    }


@pytest.mark.parametrize(
    "flow",
    [
        BY_OWNER.query_page(BeginsWith(Customer.OwnerKey("O")), **query_options(consistent_read=True)),
        BY_OWNER.scan_page(**scan_options(consistent_read=True)),
        BY_OWNER.count(BeginsWith(Customer.OwnerKey("O")), consistent_read=True, filter_expression=None),
    ],
    ids=["query", "scan", "count"],
)
def test_a_global_index_has_no_consistent_reads(flow: Any) -> None:
    with pytest.raises(EncodingError) as error:
        drive(flow)
    assert str(error.value) == (
        "the index 'by_owner': is a global index, which has no consistent reads; leave consistent_read out"
    )


@pytest.mark.parametrize("page_size", [0, -1])
def test_a_page_has_at_least_one_row(page_size: int) -> None:
    for flow in (
        STEPS.query_page(BeginsWith(STEP_KEY), **query_options(page_size=page_size)),
        STEPS.query_all(BeginsWith(STEP_KEY), **query_options(page_size=page_size)),
        STEPS.scan_contents(limit=1, **scan_options(page_size=page_size)),
    ):
        with pytest.raises(ValueError, match=rf"^page_size={page_size} must be at least 1$"):
            drive(flow)


# Pages, and where they go on.


def test_a_page_and_its_offset() -> None:
    run = drive(
        STEPS.query_page(BeginsWith(STEP_KEY), **query_options(page_size=2)),
        found(*STEPS_ROWS[:2], last=key(step(2))),
    )
    assert run.result.contents == [step(1), step(2)]
    assert run.result.offset == Offset(Step.Key("C", 2))
    assert run.result.offset.raw == {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0002"}}
    assert run.result.has_more_pages


def test_the_last_page_has_no_offset() -> None:
    run = drive(STEPS.query_page(BeginsWith(STEP_KEY), **query_options()), found(STEPS_ROWS[0]))
    assert run.result.contents == [step(1)]
    assert run.result.offset is None
    assert not run.result.has_more_pages


def test_all_pages_are_asked_for_when_they_are_due() -> None:
    run = drive(
        STEPS.query_all(BeginsWith(STEP_KEY), **query_options(page_size=2)),
        found(*STEPS_ROWS[:2], last=key(step(2))),
        found(last=key(step(4))),  # an empty page is not the end
        found(STEPS_ROWS[4]),
    )
    assert [body.get("ExclusiveStartKey") for body in run.bodies] == [None, key(step(2)), key(step(4))]
    assert [(sent, page.contents) for sent, page in run.emitted] == [(1, [step(1), step(2)]), (2, []), (3, [step(5)])]


def test_an_empty_range_is_one_empty_page() -> None:
    run = drive(STEPS.query_all(LessThan(STEP_KEY), **query_options()))
    assert run.requests == []
    assert [(page.contents, page.offset) for page in run.values] == [([], None)]
    assert drive(STEPS.query_contents(LessThan(STEP_KEY), limit=None, **query_options())).values == []


def test_borders_are_dropped_after_reading() -> None:
    run = drive(
        STEPS.query_page(LessThan(Step.Key("C", 3)), **query_options()),
        found(*STEPS_ROWS[:3], last=key(step(3))),
    )
    assert run.result.contents == [step(1), step(2)]
    assert run.result.offset == Offset(Step.Key("C", 3))  # where the service stopped


def test_a_row_that_is_not_valid_is_an_error() -> None:
    bad = {**STEPS_ROWS[0], "title": {"N": "1"}}
    with pytest.raises(DecodingError) as error:
        drive(STEPS.query_page(BeginsWith(STEP_KEY), **query_options()), found(bad))
    assert (
        str(error.value) == "the row pk='CUSTOMER_C', sk='STEP_0001' is no valid Step: title is not stored as a string"
    )
    assert error.value.key == {"pk": "CUSTOMER_C", "sk": "STEP_0001"}


def test_an_offset_at_a_row_of_another_type_has_no_key() -> None:
    last = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "ORDER_2026-01-02#1"}}
    run = drive(STEPS.scan_page(**scan_options()), found(last=last))
    assert run.result.offset.key is None
    assert run.result.offset.raw == last
    run = drive(STEPS.scan_page(**scan_options(initial_offset=run.result.offset)), found())
    assert run.bodies[0]["ExclusiveStartKey"] == last


@pytest.mark.parametrize(
    ("source", "flow_options", "offset", "expected"),
    [
        (STEPS, BeginsWith(STEP_KEY), Step.Key("C", 3), {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0003"}}),
        (
            ORDERS,
            AtLeast(Order.Key("C", date(2026, 1, 2))),
            Order.Key("C", date(2026, 1, 2), "7"),
            {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "ORDER_2026-01-02#7"}},
        ),
        (
            BY_OWNER,
            BeginsWith(Customer.OwnerKey("O")),
            Customer.OwnerKey("O", "C"),
            {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "INFO"}, "owner": {"S": "O"}},
        ),
        (
            BY_TITLE,
            BeginsWith(Step.TitleKey("C")),
            Step.TitleKey("C", "x", 3),
            {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0003"}, "title": {"S": "x"}},
        ),
    ],
)
def test_an_offset_made_by_hand(source: Source[Any, Any], flow_options: Any, offset: Any, expected: Any) -> None:
    flow = source.query_page(flow_options, **query_options(initial_offset=Offset(offset)))
    assert drive(flow, found()).bodies[0]["ExclusiveStartKey"] == expected
    scan = source.scan_page(**scan_options(initial_offset=Offset(offset)))
    assert drive(scan, found()).bodies[0]["ExclusiveStartKey"] == expected


@pytest.mark.parametrize(
    ("source", "condition", "offset", "lacks"),
    [
        (STEPS, BeginsWith(STEP_KEY), Step.Key("C"), "number"),
        (BY_OWNER, BeginsWith(Customer.OwnerKey("O")), Customer.OwnerKey("O"), "customer"),
        (BY_LABEL, BeginsWith(Customer.LabelKey("x")), Customer.LabelKey("x"), "customer"),
        (BY_TITLE, BeginsWith(Step.TitleKey("C")), Step.TitleKey("C"), "number and title"),
        (BY_SCORE, BeginsWith(Step.ScoreKey("B")), Step.ScoreKey("B", 5), "customer and number"),
    ],
)
def test_an_offset_made_by_hand_is_whole(source: Source[Any, Any], condition: Any, offset: Any, lacks: str) -> None:
    with pytest.raises(IncompleteKey) as error:
        drive(source.query_page(condition, **query_options(initial_offset=Offset(offset))))
    assert str(error.value) == f"{offset!r} lacks {lacks}; a whole key is needed here"


def test_an_offset_is_of_the_same_partition() -> None:
    with pytest.raises(EncodingError) as error:
        drive(STEPS.query_page(BeginsWith(STEP_KEY), **query_options(initial_offset=Offset(Step.Key("D", 3)))))
    assert str(error.value) == (
        "Offset(Step.Key(customer='D', number=3)): is of another partition than the key condition"
    )


def test_a_partition_is_the_same_in_another_notation() -> None:
    numbers: Source[Any, Any] = make_table(NumberTable).numbers._source
    condition = BeginsWith(Number.Key(10**60))
    served = {"pk": {"N": "1" + "0" * 60}, "sk": {"N": "5"}}
    run = drive(numbers.query_page(condition, **query_options()), found(last=served))
    assert run.bodies[0]["ExpressionAttributeValues"] == {":v0": {"N": "1E+60"}}
    assert run.result.offset == Offset(Number.Key(10**60, Decimal(5)))
    drive(numbers.query_page(condition, **query_options(initial_offset=run.result.offset)), found())


def test_an_offset_outside_of_the_range() -> None:
    """DynamoDB takes a start key inside of the range alone."""
    condition = AtLeast(Step.Key("C", 5))
    run = drive(STEPS.query_page(condition, **query_options(initial_offset=Offset(Step.Key("C", 3)))), found())
    assert "ExclusiveStartKey" not in run.bodies[0]
    options = query_options(initial_offset=Offset(Step.Key("C", 3)), asc=False)
    run = drive(STEPS.query_page(condition, **options))
    assert run.requests == []
    assert (run.result.contents, run.result.offset) == ([], None)


def test_an_offset_at_the_end_of_the_range() -> None:
    """DynamoDB does not take the last key of a table's range, but in an index other rows may have the same."""
    last = query_options(initial_offset=Offset(Step.Key("C", 5)))
    assert drive(STEPS.query_page(Between(STEP_KEY, Step.Key("C", 5)), **last)).requests == []
    of_index = query_options(initial_offset=Offset(Step.TitleKey("C", "x", 5)))
    run = drive(BY_TITLE.query_page(AtMost(Step.TitleKey("C", "x")), **of_index), found())
    assert run.bodies[0]["ExclusiveStartKey"]["title"] == {"S": "x"}


def test_an_offset_in_an_index_without_a_sort_key() -> None:
    served = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "INFO"}, "label": {"S": "L_x"}}
    options = query_options(initial_offset=Offset.served(None, served))
    run = drive(BY_LABEL.query_page(EqualTo(Customer.LabelKey("x")), **options), found())
    assert run.bodies[0]["ExclusiveStartKey"] == served


@pytest.mark.parametrize("raw", [{"pk": {"S": "CUSTOMER_C"}}, {"a": {"S": "x"}, "b": {"S": "y"}}])
def test_an_offset_is_of_the_same_table_and_index(raw: dict[str, Any]) -> None:
    offset: Offset[Any] = Offset.served(None, raw)
    for flow in (
        STEPS.query_page(BeginsWith(STEP_KEY), **query_options(initial_offset=offset)),
        STEPS.scan_page(**scan_options(initial_offset=offset)),
    ):
        with pytest.raises(EncodingError) as error:
            drive(flow)
        assert str(error.value) == f"Offset({raw!r}): is an offset of another table or index than ShopTable"


def test_an_offset_of_the_table_is_none_of_an_index() -> None:
    offset: Offset[Any] = Offset.served(None, key(step(3)))
    with pytest.raises(EncodingError) as error:
        drive(BY_TITLE.scan_page(**scan_options(initial_offset=offset)))
    assert str(error.value) == (
        "Offset({'pk': {'S': 'CUSTOMER_C'}, 'sk': {'S': 'STEP_0003'}}): "
        "is an offset of another table or index than the index 'by_title'"
    )


def test_an_offset_of_another_key_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        drive(BY_TITLE.scan_page(**scan_options(initial_offset=Offset(Step.Key("C", 3)))))
    assert str(error.value) == "Step.Key is not Step.TitleKey, the key type that is used here"


def test_a_bare_key_is_no_offset() -> None:
    with pytest.raises(TypeError) as error:
        drive(STEPS.scan_page(**scan_options(initial_offset=Step.Key("C", 3))))
    assert str(error.value) == "an offset is due, such as page.offset or Offset(key), not a Key"


# Limits.


def contents(limit: int | None, page_size: int, *answers: Any, **options: Any) -> Run:
    flow = STEPS.query_contents(BeginsWith(STEP_KEY), limit=limit, **query_options(page_size=page_size, **options))
    return drive(flow, *answers)


def test_contents_of_all_pages() -> None:
    run = contents(None, 2, found(*STEPS_ROWS[:2], last=key(step(2))), found(STEPS_ROWS[2]))
    assert run.emitted == [(1, step(1)), (1, step(2)), (2, step(3))]
    assert [body["Limit"] for body in run.bodies] == [2, 2]


def test_a_limit_of_0_sends_nothing() -> None:
    assert contents(0, 2).requests == []
    assert drive(STEPS.scan_contents(limit=0, **scan_options())).requests == []
    assert drive(EVERYTHING.partition_contents(Customer.Key("C"), limit=0, **query_options())).requests == []


def test_nothing_is_sent_after_the_last_item_that_is_wanted() -> None:
    run = contents(2, 2, found(*STEPS_ROWS[:2], last=key(step(2))))
    assert run.values == [step(1), step(2)]
    run = contents(1, 5, found(*STEPS_ROWS[:2], last=key(step(2))))
    assert run.values == [step(1)]  # whatever the service returns


def test_no_more_rows_are_asked_for_than_are_wanted() -> None:
    run = contents(3, 2, found(*STEPS_ROWS[:2], last=key(step(2))), found(STEPS_ROWS[2], last=key(step(3))))
    assert run.values == [step(1), step(2), step(3)]
    assert [body["Limit"] for body in run.bodies] == [2, 1]
    assert [body["Limit"] for body in contents(3, 100, found()).bodies] == [3]


def test_except_where_rows_are_filtered() -> None:
    run = contents(1, 100, found(), filter_expression=attr(Step.title) == "x")
    assert [body["Limit"] for body in run.bodies] == [100]
    scan = drive(STEPS.scan_contents(limit=1, **scan_options()), found())
    assert [body["Limit"] for body in scan.bodies] == [100]
    collection = drive(EVERYTHING.partition_contents(Customer.Key("C"), limit=1, **query_options()), found())
    assert [body["Limit"] for body in collection.bodies] == [100]


def test_a_border_that_is_dropped_is_asked_for_too() -> None:
    """Backwards from a border, one row more brings the item in one request."""
    flow = STEPS.query_contents(LessThan(Step.Key("C", 3)), limit=1, **query_options(asc=False))
    run = drive(flow, found(STEPS_ROWS[2], STEPS_ROWS[1], last=key(step(2))))
    assert run.bodies[0]["Limit"] == 2
    assert run.values == [step(2)]


def test_the_scan_of_the_only_type_asks_for_what_is_wanted() -> None:
    item = Plain(pk="P", sk="S")
    run = drive(PLAIN.scan_contents(limit=1, **scan_options()), found(row(item), last=key(item)))
    assert run.values == [item]
    assert run.bodies[0]["Limit"] == 1


def test_scans_go_on() -> None:
    run = drive(
        STEPS.scan_contents(limit=None, **scan_options()),
        found(STEPS_ROWS[0], last=key(step(1))),
        found(STEPS_ROWS[1]),
    )
    assert run.emitted == [(1, step(1)), (2, step(2))]
    assert run.bodies[1]["ExclusiveStartKey"] == key(step(1))
    pages = drive(STEPS.scan_all(**scan_options()), found(STEPS_ROWS[0], last=key(step(1))), found(STEPS_ROWS[1]))
    assert [page.contents for page in pages.values] == [[step(1)], [step(2)]]


def test_a_negative_limit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^limit=-1 must not be negative$"):
        contents(-1, 2)


def test_nothing_is_checked_before_the_first_next() -> None:
    condition: Any = "no condition"
    STEPS.query_all(condition, **query_options())
    STEPS.query_contents(condition, limit=-1, **query_options())
    STEPS.scan_all(**scan_options(page_size=0))


# Counts.


def count(condition: Any, *answers: Any, **filters: Any) -> Run:
    options: Any = {"consistent_read": False, "filter_expression": None} | filters
    return drive(STEPS.count(condition, **options), *answers)


def test_a_count_over_all_pages() -> None:
    run = count(
        BeginsWith(STEP_KEY), {"Count": 2, "LastEvaluatedKey": key(step(2))}, {"Count": 1}, consistent_read=True
    )
    assert run.result == 3
    body = {
        "TableName": "things",
        "ConsistentRead": True,
        "KeyConditionExpression": "#n0 = :v0 AND begins_with(#n1, :v1)",
        "Select": "COUNT",
        "ExpressionAttributeNames": {"#n0": "pk", "#n1": "sk"},
        "ExpressionAttributeValues": {":v0": {"S": "CUSTOMER_C"}, ":v1": {"S": "STEP_"}},
    }
    assert run.bodies == [body, {**body, "ExclusiveStartKey": key(step(2))}]


def test_a_count_leaves_out_the_borders() -> None:
    rows = [{"sk": {"S": "STEP_0001"}}, {"sk": {"S": "STEP_0002"}}, {"sk": {"S": "STEP_0003"}}]
    run = count(LessThan(Step.Key("C", 3)), found(*rows[:2], last=key(step(2))), found(rows[2]))
    assert run.result == 2
    assert readable(run.bodies[0], "ProjectionExpression") == "sk"
    assert "Select" not in run.bodies[0]


def test_a_count_of_nothing_sends_nothing() -> None:
    run = count(LessThan(STEP_KEY))
    assert (run.result, run.requests) == (0, [])


def test_a_count_keeps_to_its_type_and_filter() -> None:
    flow = BY_OWNER.count(
        BeginsWith(Customer.OwnerKey("O")), consistent_read=False, filter_expression=attr(Customer.name) == "x"
    )
    (body,) = drive(flow, {"Count": 1}).bodies
    assert readable(body, "FilterExpression") == "(sk = 'INFO') AND (name = 'x')"


# Collections.


def test_a_collection_reads_a_whole_partition() -> None:
    customer = Customer(customer="C", name="n")
    order = Order(customer="C", day=date(2026, 1, 2), number="7", amount=Decimal(1))
    run = drive(
        EVERYTHING.partition_page(Customer.Key("C"), **query_options(asc=False, page_size=5)),
        found(row(step(1)), row(order), row(customer), last=key(step(1))),
    )
    assert run.result.contents == [order, customer]  # steps are not of the collection
    assert run.result.offset.key is None
    assert run.bodies == [
        {
            "TableName": "things",
            "KeyConditionExpression": "#n0 = :v0",
            "ProjectionExpression": "#n0, #n1, #n2, #n3, #n4, #n5, #n6",
            "ScanIndexForward": False,
            "ExpressionAttributeNames": {
                "#n0": "pk",
                "#n1": "sk",
                "#n2": "name",
                "#n3": "owner",
                "#n4": "label",
                "#n5": "amount",
                "#n6": "note",
            },
            "ExpressionAttributeValues": {":v0": {"S": "CUSTOMER_C"}},
            "Limit": 5,
        }
    ]


def test_the_pages_and_contents_of_a_collection() -> None:
    customer = Customer(customer="C", name="n")
    order = Order(customer="C", day=date(2026, 1, 2), number="7", amount=Decimal(1))
    answers = [found(row(customer), row(step(1)), last=key(step(1))), found(row(order), last=key(order))]
    pages = drive(EVERYTHING.partition_all(Customer.Key("C"), **query_options()), *answers, found())
    assert [page.contents for page in pages.values] == [[customer], [order], []]
    run = drive(EVERYTHING.partition_contents(Customer.Key("C"), limit=2, **query_options()), *answers)
    assert run.values == [customer, order]


def test_a_collection_goes_on_from_a_key() -> None:
    options = query_options(initial_offset=Offset(Customer.Key("C")))
    run = drive(EVERYTHING.partition_page(Customer.Key("C"), **options), found())
    assert run.bodies[0]["ExclusiveStartKey"] == {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "INFO"}}


def test_tracks_of_the_example_are_read_by_one_key_condition() -> None:
    source: Source[Any, Any] = MUSIC.album_tracks._source
    (body,) = drive(source.query_page(BeginsWith(AlbumTrack.Key("ALBUM_1")), **query_options()), found()).bodies
    assert readable(body, "KeyConditionExpression") == "partition_key = 'ALBUM_1' AND begins_with(sort_key, 'TRACK_')"
    assert "FilterExpression" not in body
