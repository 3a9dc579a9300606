"""Key conditions: which range of the sort key each of them asks for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest

from logicaldb import (
    AtLeast,
    AtMost,
    Attribute,
    BeginsWith,
    Between,
    EncodingError,
    EqualTo,
    GreaterThan,
    IncompleteKey,
    InlineView,
    Item,
    ItemKey,
    KeyCondition,
    LessThan,
    LogicalTable,
)
from logicaldb.operations.ranges import Bound, KeyRange, key_range, partition_range
from logicaldb.operations.reading import Source
from tests.unit.operations.driving import drive, found, make_table, query_options, readable
from tests.unit.operations.models import (
    Binary,
    BinaryTable,
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
ORDERS: Source[Any, Any] = SHOP.orders._source
STEPS: Source[Any, Any] = SHOP.steps._source
CUSTOMERS: Source[Any, Any] = SHOP.customers._source
BY_TITLE: Source[Any, Any] = SHOP.steps_by_title._source
BY_SCORE: Source[Any, Any] = SHOP.steps_by_score._source
BY_OWNER: Source[Any, Any] = SHOP.customers_by_owner._source
BY_LABEL: Source[Any, Any] = SHOP.customers_by_label._source
INVERTED: Source[Any, Any] = SHOP.customers_inverted._source
PLAIN: Source[Any, Any] = make_table(PlainTable).plain._source
NUMBERS: Source[Any, Any] = make_table(NumberTable).numbers._source
BINARIES: Source[Any, Any] = make_table(BinaryTable).binaries._source
LONE: Source[Any, Any] = make_table(LoneTable).lone._source

DAY, LATER = date(2026, 1, 2), date(2026, 3, 4)


def order(day: date | None = None, number: str | None = None) -> Order.Key:
    return Order.Key("C", day, number)


def step(number: int | None = None) -> Step.Key:
    return Step.Key("C", number)


def titled(title: str | None = None) -> Step.TitleKey:
    return Step.TitleKey("C", title)


def scored(score: int | None = None) -> Step.ScoreKey:
    return Step.ScoreKey("B", score)


def owned(customer: str | None = None) -> Customer.OwnerKey:
    return Customer.OwnerKey("O", customer)


def plain(sk: str | None = None) -> Plain.Key:
    return Plain.Key("P", sk)


def number(sk: int | None = None) -> Number.Key:
    return Number.Key(1, None if sk is None else Decimal(sk))


def binary(sk: bytes | None = None) -> Binary.Key:
    return Binary.Key(b"p", sk)


C = Customer.Key("C")
NOTHING = "nothing"

# What is asked for, and the sort keys at the border that are dropped after reading.
CASES: list[tuple[Source[Any, Any], KeyCondition[Any], str, list[str]]] = [
    # A padded number behind a prefix: whole keys, and the prefix as a partial one.
    (STEPS, BeginsWith(step()), "pk = 'CUSTOMER_C' AND begins_with(sk, 'STEP_')", []),
    (STEPS, BeginsWith(step(7)), "pk = 'CUSTOMER_C' AND sk = 'STEP_0007'", []),
    (STEPS, EqualTo(step(7)), "pk = 'CUSTOMER_C' AND sk = 'STEP_0007'", []),
    (STEPS, LessThan(step(7)), "pk = 'CUSTOMER_C' AND sk BETWEEN 'STEP_' AND 'STEP_0007'", ["STEP_0007"]),
    (STEPS, AtMost(step(7)), "pk = 'CUSTOMER_C' AND sk BETWEEN 'STEP_' AND 'STEP_0007'", []),
    (STEPS, GreaterThan(step(7)), "pk = 'CUSTOMER_C' AND sk BETWEEN 'STEP_0007' AND 'STEP`'", ["STEP_0007", "STEP`"]),
    (STEPS, AtLeast(step(7)), "pk = 'CUSTOMER_C' AND sk BETWEEN 'STEP_0007' AND 'STEP`'", ["STEP`"]),
    (STEPS, LessThan(step()), NOTHING, []),
    (STEPS, AtMost(step()), "pk = 'CUSTOMER_C' AND begins_with(sk, 'STEP_')", []),
    (STEPS, GreaterThan(step()), NOTHING, []),
    (STEPS, AtLeast(step()), "pk = 'CUSTOMER_C' AND begins_with(sk, 'STEP_')", []),
    (STEPS, Between(step(2), step(7)), "pk = 'CUSTOMER_C' AND sk BETWEEN 'STEP_0002' AND 'STEP_0007'", []),
    (STEPS, Between(step(7), step(7)), "pk = 'CUSTOMER_C' AND sk = 'STEP_0007'", []),
    (STEPS, Between(step(7), step(2)), NOTHING, []),
    (STEPS, Between(step(), step(7)), "pk = 'CUSTOMER_C' AND sk BETWEEN 'STEP_' AND 'STEP_0007'", []),
    (STEPS, Between(step(7), step()), "pk = 'CUSTOMER_C' AND sk BETWEEN 'STEP_0007' AND 'STEP`'", ["STEP`"]),
    (STEPS, Between(step(), step()), "pk = 'CUSTOMER_C' AND begins_with(sk, 'STEP_')", []),
    # A composite key: a partial one ends with the separator, and its last part, a str, may be partial.
    (ORDERS, BeginsWith(order()), "pk = 'CUSTOMER_C' AND begins_with(sk, 'ORDER_')", []),
    (ORDERS, BeginsWith(order(DAY)), "pk = 'CUSTOMER_C' AND begins_with(sk, 'ORDER_2026-01-02#')", []),
    (ORDERS, BeginsWith(order(DAY, "12")), "pk = 'CUSTOMER_C' AND begins_with(sk, 'ORDER_2026-01-02#12')", []),
    (ORDERS, EqualTo(order(DAY, "12")), "pk = 'CUSTOMER_C' AND sk = 'ORDER_2026-01-02#12'", []),
    (
        ORDERS,
        LessThan(order(DAY)),
        "pk = 'CUSTOMER_C' AND sk BETWEEN 'ORDER_' AND 'ORDER_2026-01-02#'",
        ["ORDER_2026-01-02#"],
    ),
    (
        ORDERS,
        AtMost(order(DAY)),
        "pk = 'CUSTOMER_C' AND sk BETWEEN 'ORDER_' AND 'ORDER_2026-01-02$'",
        ["ORDER_2026-01-02$"],
    ),
    (
        ORDERS,
        GreaterThan(order(DAY)),
        "pk = 'CUSTOMER_C' AND sk BETWEEN 'ORDER_2026-01-02$' AND 'ORDER`'",
        ["ORDER`"],
    ),
    (ORDERS, AtLeast(order(DAY)), "pk = 'CUSTOMER_C' AND sk BETWEEN 'ORDER_2026-01-02#' AND 'ORDER`'", ["ORDER`"]),
    (
        ORDERS,
        Between(order(DAY), order(LATER)),
        "pk = 'CUSTOMER_C' AND sk BETWEEN 'ORDER_2026-01-02#' AND 'ORDER_2026-03-04$'",
        ["ORDER_2026-03-04$"],
    ),
    (
        ORDERS,
        Between(order(DAY), order(DAY)),
        "pk = 'CUSTOMER_C' AND sk BETWEEN 'ORDER_2026-01-02#' AND 'ORDER_2026-01-02$'",
        ["ORDER_2026-01-02$"],
    ),
    (
        ORDERS,
        Between(order(DAY, "5"), order(LATER, "7")),
        "pk = 'CUSTOMER_C' AND sk BETWEEN 'ORDER_2026-01-02#5' AND 'ORDER_2026-03-04#7'",
        [],
    ),
    (ORDERS, Between(order(LATER), order(DAY)), NOTHING, []),
    # A constant sort key: the one row, or nothing.
    (CUSTOMERS, BeginsWith(C), "pk = 'CUSTOMER_C' AND sk = 'INFO'", []),
    (CUSTOMERS, EqualTo(C), "pk = 'CUSTOMER_C' AND sk = 'INFO'", []),
    (CUSTOMERS, AtMost(C), "pk = 'CUSTOMER_C' AND sk = 'INFO'", []),
    (CUSTOMERS, AtLeast(C), "pk = 'CUSTOMER_C' AND sk = 'INFO'", []),
    (CUSTOMERS, Between(C, C), "pk = 'CUSTOMER_C' AND sk = 'INFO'", []),
    (CUSTOMERS, LessThan(C), NOTHING, []),
    (CUSTOMERS, GreaterThan(C), NOTHING, []),
    # A str without a prefix, the sort key of a local index: it may be partial for BeginsWith.
    (BY_TITLE, BeginsWith(titled()), "pk = 'CUSTOMER_C'", []),
    (BY_TITLE, BeginsWith(titled("")), "pk = 'CUSTOMER_C'", []),
    (BY_TITLE, BeginsWith(titled("I want ")), "pk = 'CUSTOMER_C' AND begins_with(title, 'I want ')", []),
    (BY_TITLE, EqualTo(titled("x")), "pk = 'CUSTOMER_C' AND title = 'x'", []),
    (BY_TITLE, LessThan(titled("x")), "pk = 'CUSTOMER_C' AND title < 'x'", []),
    (BY_TITLE, AtMost(titled("x")), "pk = 'CUSTOMER_C' AND title <= 'x'", []),
    (BY_TITLE, GreaterThan(titled("x")), "pk = 'CUSTOMER_C' AND title > 'x'", []),
    (BY_TITLE, AtLeast(titled("x")), "pk = 'CUSTOMER_C' AND title >= 'x'", []),
    (BY_TITLE, Between(titled("a"), titled("x")), "pk = 'CUSTOMER_C' AND title BETWEEN 'a' AND 'x'", []),
    (BY_TITLE, Between(titled("x"), titled("a")), NOTHING, []),
    (BY_TITLE, Between(titled("x"), titled("x")), "pk = 'CUSTOMER_C' AND title = 'x'", []),
    (BY_TITLE, Between(titled(), titled("x")), "pk = 'CUSTOMER_C' AND title <= 'x'", []),
    (BY_TITLE, Between(titled("x"), titled()), "pk = 'CUSTOMER_C' AND title >= 'x'", []),
    (BY_TITLE, Between(titled(), titled()), "pk = 'CUSTOMER_C'", []),
    # Ends of no length, which DynamoDB refuses.
    (BY_TITLE, LessThan(titled("")), NOTHING, []),
    (BY_TITLE, AtMost(titled("")), NOTHING, []),
    (BY_TITLE, GreaterThan(titled("")), "pk = 'CUSTOMER_C'", []),
    (BY_TITLE, AtLeast(titled("")), "pk = 'CUSTOMER_C'", []),
    (BY_TITLE, Between(titled(""), titled("x")), "pk = 'CUSTOMER_C' AND title <= 'x'", []),
    (BY_TITLE, Between(titled("x"), titled("")), NOTHING, []),
    (BY_TITLE, LessThan(titled()), NOTHING, []),
    (BY_TITLE, AtMost(titled()), "pk = 'CUSTOMER_C'", []),
    (BY_TITLE, GreaterThan(titled()), NOTHING, []),
    (BY_TITLE, AtLeast(titled()), "pk = 'CUSTOMER_C'", []),
    # The same in a table of one type.
    (PLAIN, BeginsWith(plain("a")), "pk = 'P' AND begins_with(sk, 'a')", []),
    (PLAIN, GreaterThan(plain("a")), "pk = 'P' AND sk > 'a'", []),
    # An index whose sort key is the table's partition key keeps to its prefix.
    (BY_OWNER, BeginsWith(owned()), "owner = 'O' AND begins_with(pk, 'CUSTOMER_')", []),
    (BY_OWNER, BeginsWith(owned("a")), "owner = 'O' AND begins_with(pk, 'CUSTOMER_a')", []),
    (BY_OWNER, EqualTo(owned("a")), "owner = 'O' AND pk = 'CUSTOMER_a'", []),
    (
        BY_OWNER,
        LessThan(owned("a")),
        "owner = 'O' AND pk BETWEEN 'CUSTOMER_' AND 'CUSTOMER_a'",
        ["CUSTOMER_a"],
    ),
    (BY_OWNER, AtMost(owned("a")), "owner = 'O' AND pk BETWEEN 'CUSTOMER_' AND 'CUSTOMER_a'", []),
    (
        BY_OWNER,
        GreaterThan(owned("a")),
        "owner = 'O' AND pk BETWEEN 'CUSTOMER_a' AND 'CUSTOMER`'",
        ["CUSTOMER_a", "CUSTOMER`"],
    ),
    (BY_OWNER, AtLeast(owned("a")), "owner = 'O' AND pk BETWEEN 'CUSTOMER_a' AND 'CUSTOMER`'", ["CUSTOMER`"]),
    (BY_OWNER, Between(owned(""), owned("a")), "owner = 'O' AND pk BETWEEN 'CUSTOMER_' AND 'CUSTOMER_a'", []),
    # An index whose partition key is the constant of the type.
    (INVERTED, BeginsWith(Customer.InvertedKey()), "sk = 'INFO' AND begins_with(pk, 'CUSTOMER_')", []),
    (INVERTED, EqualTo(Customer.InvertedKey("a")), "sk = 'INFO' AND pk = 'CUSTOMER_a'", []),
    # An index without a sort key.
    (BY_LABEL, BeginsWith(Customer.LabelKey("x")), "label = 'L_x'", []),
    (BY_LABEL, EqualTo(Customer.LabelKey("x")), "label = 'L_x'", []),
    # A table without a sort key.
    (LONE, BeginsWith(Lone.Key("x")), "pk = 'LONE_x'", []),
    (LONE, EqualTo(Lone.Key("x")), "pk = 'LONE_x'", []),
    # Numbers.
    (BY_SCORE, BeginsWith(scored()), "board = 'B'", []),
    (BY_SCORE, BeginsWith(scored(5)), "board = 'B' AND score = '5'", []),
    (BY_SCORE, EqualTo(scored(-5)), "board = 'B' AND score = '-5'", []),
    (BY_SCORE, LessThan(scored(0)), "board = 'B' AND score < '0'", []),
    (BY_SCORE, AtMost(scored(0)), "board = 'B' AND score <= '0'", []),
    (BY_SCORE, GreaterThan(scored(0)), "board = 'B' AND score > '0'", []),
    (BY_SCORE, AtLeast(scored(0)), "board = 'B' AND score >= '0'", []),
    (BY_SCORE, LessThan(scored()), NOTHING, []),
    (BY_SCORE, AtMost(scored()), "board = 'B'", []),
    (BY_SCORE, GreaterThan(scored()), NOTHING, []),
    (BY_SCORE, AtLeast(scored()), "board = 'B'", []),
    (BY_SCORE, Between(scored(9), scored(10)), "board = 'B' AND score BETWEEN '9' AND '10'", []),
    (BY_SCORE, Between(scored(10), scored(9)), NOTHING, []),
    (BY_SCORE, Between(scored(), scored(9)), "board = 'B' AND score <= '9'", []),
    (BY_SCORE, Between(scored(0), scored(0)), "board = 'B' AND score = '0'", []),
    (NUMBERS, LessThan(number(7)), "pk = '1' AND sk < '7'", []),
    # Binaries, as base64 text; they may be partial as strings may.
    (BINARIES, BeginsWith(binary()), "pk = 'cA=='", []),
    (BINARIES, BeginsWith(binary(b"")), "pk = 'cA=='", []),
    (BINARIES, BeginsWith(binary(b"\xff")), "pk = 'cA==' AND begins_with(sk, '/w==')", []),
    (BINARIES, EqualTo(binary(b"\xff")), "pk = 'cA==' AND sk = '/w=='", []),
    (BINARIES, LessThan(binary(b"\xff")), "pk = 'cA==' AND sk < '/w=='", []),
    (BINARIES, AtLeast(binary(b"")), "pk = 'cA=='", []),
    (BINARIES, AtMost(binary(b"")), NOTHING, []),
    (BINARIES, LessThan(binary()), NOTHING, []),
    # By bytes: as base64 text, "/w==" is before "AA==".
    (BINARIES, Between(binary(b"\x00"), binary(b"\xff")), "pk = 'cA==' AND sk BETWEEN 'AA==' AND '/w=='", []),
    (BINARIES, Between(binary(b"\xff"), binary(b"\x00")), NOTHING, []),
]


def asked(source: Source[Any, Any], condition: KeyCondition[Any]) -> tuple[str, KeyRange]:
    wanted = key_range(condition, source.key)
    if wanted.empty:
        assert drive(source.query_page(condition, **query_options())).requests == []
        return NOTHING, wanted
    run = drive(source.query_page(condition, **query_options()), found())
    (body,) = run.bodies
    text = readable(body, "KeyConditionExpression")
    assert text is not None
    return text, wanted


@pytest.mark.parametrize(
    ("source", "condition", "expected", "dropped"),
    CASES,
    ids=[f"{source.what}-{condition!r}" for source, condition, *_ in CASES],
)
def test_the_range_of_a_condition(
    source: Source[Any, Any], condition: KeyCondition[Any], expected: str, dropped: list[str]
) -> None:
    text, wanted = asked(source, condition)
    assert text == expected
    if text != NOTHING:
        assert [wire["S"] for wire in wanted.dropped] == dropped


def test_a_whole_request() -> None:
    run = drive(STEPS.query_page(LessThan(step(7)), **query_options()), found())
    assert run.operations == ["Query"]
    assert run.bodies == [
        {
            "TableName": "things",
            "KeyConditionExpression": "#n0 = :v0 AND #n1 BETWEEN :v1 AND :v2",
            "ProjectionExpression": "#n0, #n1, #n2, #n3, #n4",
            "ExpressionAttributeNames": {"#n0": "pk", "#n1": "sk", "#n2": "title", "#n3": "board", "#n4": "score"},
            "ExpressionAttributeValues": {
                ":v0": {"S": "CUSTOMER_C"},
                ":v1": {"S": "STEP_"},
                ":v2": {"S": "STEP_0007"},
            },
            "Limit": 100,
        }
    ]


def prefixed(prefix: str) -> Source[Any, Any]:
    class Prefixed(Item):
        pk: str
        number: Annotated[int, Attribute("sk", prefix=prefix, width=1)]

        class Key(ItemKey["Prefixed"]):
            pk: str
            number: int | None = None

    class PrefixedTable(LogicalTable[PlainRow]):
        view: InlineView[Prefixed.Key, Prefixed]

    source: Source[Any, Any] = make_table(PrefixedTable).view._source
    return source


@pytest.mark.parametrize(
    ("prefix", "raised"),
    [("A~", "A\x7f"), ("A\x7f", "A\x80"), ("A\ud7ff", "A\ue000"), ("A\U0010ffff", "B"), ("\uffff", "\U00010000")],
)
def test_the_bound_of_a_prefix_is_its_last_character_raised(prefix: str, raised: str) -> None:
    source = prefixed(prefix)
    key: Any = source.key.key_type
    wanted = key_range(AtLeast(key("P", 5)), source.key)
    assert wanted == KeyRange(
        {"S": "P"}, low=Bound({"S": f"{prefix}5"}, inclusive=True), high=Bound({"S": raised}, inclusive=False)
    )
    assert key_range(GreaterThan(key("P")), source.key).empty


def test_nothing_is_after_a_prefix_of_the_last_character() -> None:
    source = prefixed("\U0010ffff")
    key: Any = source.key.key_type
    whole, partial = key("P", 5), key("P")
    last = Bound({"S": "\U0010ffff5"}, inclusive=True)
    assert key_range(AtLeast(whole), source.key) == KeyRange({"S": "P"}, low=last)
    assert key_range(AtMost(partial), source.key) == KeyRange({"S": "P"}, prefix={"S": "\U0010ffff"})
    assert key_range(GreaterThan(partial), source.key).empty


@pytest.mark.parametrize("condition", [LessThan, AtMost, GreaterThan, AtLeast])
def test_without_a_sort_key_there_is_nothing_to_compare(condition: Any) -> None:
    with pytest.raises(EncodingError) as error:
        key_range(condition(Lone.Key("x")), LONE.key)
    assert str(error.value) == (
        f"{condition.__name__}(Lone.Key(pk='x')): pk is the whole key; there is no sort key to compare"
    )


def test_nor_between() -> None:
    with pytest.raises(EncodingError) as error:
        key_range(Between(Customer.LabelKey("x"), Customer.LabelKey("x")), BY_LABEL.key)
    assert str(error.value) == (
        "Between(Customer.LabelKey(label='x'), Customer.LabelKey(label='x')): "
        "label is the whole key; there is no sort key to compare"
    )


def test_between_is_within_one_partition() -> None:
    with pytest.raises(EncodingError) as error:
        key_range(Between(Step.Key("A", 1), Step.Key("B", 2)), STEPS.key)
    assert str(error.value) == (
        "Between(Step.Key(customer='A', number=1), Step.Key(customer='B', number=2)): "
        "the two keys are of different partitions"
    )


@pytest.mark.parametrize(
    ("key", "lacks"), [(order(), "day and number"), (order(DAY), "number")], ids=["no part", "one part"]
)
def test_equal_to_needs_a_whole_key(key: Order.Key, lacks: str) -> None:
    with pytest.raises(IncompleteKey) as error:
        key_range(EqualTo(key), ORDERS.key)
    assert str(error.value) == f"{key!r} lacks {lacks}; a whole key is needed here"


def test_equal_to_needs_the_number_of_a_number_key() -> None:
    with pytest.raises(IncompleteKey) as error:
        key_range(EqualTo(number()), NUMBERS.key)
    assert str(error.value) == "Number.Key(pk=1, sk=None) lacks sk; a whole key is needed here"


@pytest.mark.parametrize(
    ("source", "condition", "message"),
    [
        (
            BY_TITLE,
            EqualTo(titled("")),
            "Step.TitleKey.title: is an empty string, and the key attribute title cannot be",
        ),
        (BINARIES, EqualTo(binary(b"")), "Binary.Key.sk: is an empty binary, and the key attribute sk cannot be"),
        (PLAIN, BeginsWith(Plain.Key("")), "Plain.Key.pk: is an empty string, and the key attribute pk cannot be"),
        (
            BINARIES,
            BeginsWith(Binary.Key(b"")),
            "Binary.Key.pk: is an empty binary, and the key attribute pk cannot be",
        ),
        (
            PLAIN,
            BeginsWith(plain("x" * 1025)),
            "Plain.Key.sk: makes the key attribute sk 1025 bytes long; the limit is 1024",
        ),
        (
            PLAIN,
            AtMost(plain("\u00e4" * 513)),
            "Plain.Key.sk: makes the key attribute sk 1026 bytes long; the limit is 1024",
        ),
        (
            PLAIN,
            EqualTo(Plain.Key("x" * 2049, "x")),
            "Plain.Key.pk: makes the key attribute pk 2049 bytes long; the limit is 2048",
        ),
        (STEPS, AtLeast(step(12345)), "Step.Key.number: is wider than 4 digits"),
        (ORDERS, BeginsWith(Order.Key("C", None, "5")), "Order.Key.number: is given, but day before it is not"),
        (
            BY_TITLE,
            BeginsWith(Step.TitleKey("C", "x", 1)),
            "Step.TitleKey.number: is no part of the index key, so a key condition cannot tell it; leave it out",
        ),
        (
            BY_SCORE,
            BeginsWith(Step.ScoreKey("B", 1, "C")),
            "Step.ScoreKey.customer: is no part of the index key, so a key condition cannot tell it; leave it out",
        ),
    ],
)
def test_what_cannot_be_a_key_is_refused(source: Source[Any, Any], condition: KeyCondition[Any], message: str) -> None:
    with pytest.raises(EncodingError) as error:
        key_range(condition, source.key)
    assert str(error.value) == message


def test_a_key_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        key_range(BeginsWith(order()), STEPS.key)
    assert str(error.value) == "Order.Key is not Step.Key, the key type that is used here"


def test_the_end_of_another_type_is_refused() -> None:
    with pytest.raises(TypeError) as error:
        key_range(Between(order(), order()), STEPS.key)
    assert str(error.value) == "Order.Key is not Step.Key, the key type that is used here"


def test_a_bare_key_is_no_condition() -> None:
    condition: Any = step()
    with pytest.raises(TypeError) as error:
        key_range(condition, STEPS.key)
    assert str(error.value) == "a key condition is due, such as BeginsWith(Step.Key(...)), not a Key"


P = {"S": "p"}


def at(text: str, *, inclusive: bool = True) -> Bound:
    return Bound({"S": text}, inclusive=inclusive)


@pytest.mark.parametrize(
    ("wanted", "start", "forward", "backward"),
    [
        # What is left of a range after a key, forwards and backwards.
        (KeyRange(P), "x", "some", "some"),
        (KeyRange(P, equal={"S": "m"}), "a", "all", "nothing"),
        (KeyRange(P, equal={"S": "m"}), "m", "some", "some"),
        (KeyRange(P, equal={"S": "m"}), "z", "nothing", "all"),
        (KeyRange(P, prefix={"S": "m"}), "a", "all", "nothing"),
        (KeyRange(P, prefix={"S": "m"}), "mm", "some", "some"),
        (KeyRange(P, prefix={"S": "m"}), "z", "nothing", "all"),
        (KeyRange(P, low=at("m")), "a", "all", "nothing"),
        (KeyRange(P, low=at("m")), "m", "some", "nothing"),
        (KeyRange(P, low=at("m")), "z", "some", "some"),
        (KeyRange(P, low=at("m", inclusive=False)), "m", "all", "nothing"),
        (KeyRange(P, high=at("m")), "a", "some", "some"),
        (KeyRange(P, high=at("m")), "m", "nothing", "some"),
        (KeyRange(P, high=at("m")), "z", "nothing", "all"),
        (KeyRange(P, high=at("m", inclusive=False)), "m", "nothing", "all"),
        # A BETWEEN includes its ends, also those that are dropped after reading: there a page may end.
        (KeyRange(P, low=at("c"), high=at("m", inclusive=False)), "m", "nothing", "some"),
        (KeyRange(P, low=at("c", inclusive=False), high=at("m")), "c", "some", "nothing"),
        (KeyRange(P, low=at("c"), high=at("m")), "d", "some", "some"),
        (KeyRange(P, low=at("c"), high=at("m")), "b", "all", "nothing"),
        (KeyRange(P, low=at("c"), high=at("m")), "n", "nothing", "all"),
    ],
)
def test_what_is_left_after_a_key(wanted: KeyRange, start: str, forward: str, backward: str) -> None:
    assert wanted.rest({"S": start}, asc=True, unique=True) == forward
    assert wanted.rest({"S": start}, asc=False, unique=True) == backward


def test_in_an_index_other_rows_may_have_the_last_key() -> None:
    wanted = KeyRange(P, low=at("c"), high=at("m"))
    assert wanted.rest({"S": "m"}, asc=True, unique=False) == "some"
    assert wanted.rest({"S": "c"}, asc=False, unique=False) == "some"
    assert wanted.rest({"S": "n"}, asc=True, unique=False) == "nothing"


def test_what_is_left_is_told_by_numbers_and_bytes() -> None:
    numbers = KeyRange({"N": "1"}, low=Bound({"N": "9"}, inclusive=True), high=Bound({"N": "1E+2"}, inclusive=True))
    assert numbers.rest({"N": "10"}, asc=True, unique=True) == "some"
    assert numbers.rest({"N": "100"}, asc=True, unique=True) == "nothing"
    binaries = KeyRange({"B": "cA=="}, prefix={"B": "/w=="})
    assert binaries.rest({"B": "//8="}, asc=True, unique=True) == "some"
    assert binaries.rest({"B": "AA=="}, asc=True, unique=True) == "all"


@pytest.mark.parametrize("condition", [LessThan(number()), GreaterThan(number())])
def test_nothing_is_left_of_an_empty_range_of_numbers(condition: KeyCondition[Any]) -> None:
    wanted = key_range(condition, NUMBERS.key)
    assert wanted.empty
    assert wanted.rest({"N": "1"}, asc=True, unique=True) == "nothing"
    assert wanted.rest({"N": "1"}, asc=False, unique=True) == "nothing"


def test_the_sort_part_does_not_matter_to_a_partition() -> None:
    assert partition_range(step(7), STEPS.key) == partition_range(step(), STEPS.key) == KeyRange({"S": "CUSTOMER_C"})
