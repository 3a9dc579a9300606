"""Key conditions against a model of a DynamoDB partition: the items found are those whose typed keys are in the range."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicaldb import (
    AtLeast,
    AtMost,
    BeginsWith,
    Between,
    EqualTo,
    GreaterThan,
    Item,
    KeyCondition,
    LessThan,
    Offset,
)
from logicaldb.flow import Emit, Request
from logicaldb.operations.reading import Source
from tests.unit.operations.driving import make_table, query_options, readable
from tests.unit.operations.models import (
    Binary,
    BinaryTable,
    Customer,
    Number,
    NumberTable,
    Order,
    Plain,
    PlainTable,
    ShopTable,
    Step,
)

Row = dict[str, dict[str, Any]]
Parts = tuple[Any, ...]

SHOP = make_table(ShopTable)


# The model: rows of several types, sorted as DynamoDB sorts them.


def order_of(wire: Mapping[str, Any]) -> Any:
    ((tag, held),) = wire.items()
    return held.encode() if tag == "S" else Decimal(held) if tag == "N" else b64decode(held)


def begins(value: Any, prefix: Any) -> bool:
    return bool(value.startswith(prefix))


def position(row: Mapping[str, Any], sort: str, keys: Sequence[str]) -> tuple[Any, ...]:
    """By what the rows of a partition are sorted; those of an index with equal keys in some order."""
    return (order_of(row[sort]), *(order_of(row[name]) for name in keys))


@dataclass
class Partition:
    """Answers queries as the service does, and refuses what it refuses."""

    rows: list[Row]
    partition: str
    sort: str
    keys: Sequence[str]
    index: bool

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._check_placeholders(body)
        forward = body.get("ScanIndexForward", True)
        rows = sorted(self.rows, key=self._position, reverse=not forward)
        rows = [row for row in rows if self._in_range(body, row)]
        start = body.get("ExclusiveStartKey")
        if start is not None:
            assert set(start) == set(self.keys)
            assert self._in_range(body, start), "the service refuses a start key outside of the range"
            assert not self._at_the_end(body, start), "the service refuses to start at the last key of a table's range"
            after = self._position(start)
            rows = [row for row in rows if (self._position(row) > after if forward else self._position(row) < after)]
        limit = body.get("Limit", len(rows) + 1)
        page = rows[:limit]
        items = [row for row in page if self._passes(body, row)]
        answer: dict[str, Any] = {"Count": len(items), "ScannedCount": len(page)}
        if body.get("Select") != "COUNT":
            answer["Items"] = items
        # Also where nothing is left, unless the range itself ends there.
        if len(page) == limit and not self._at_the_end(body, page[-1]):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in self.keys}
        return answer

    def _position(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        return position(row, self.sort, self.keys)

    def _check_placeholders(self, body: Mapping[str, Any]) -> None:
        texts = " ".join(str(value) for name, value in body.items() if name.endswith("Expression"))
        declared = {*body.get("ExpressionAttributeNames", {}), *body.get("ExpressionAttributeValues", {})}
        assert set(re.findall(r"[#:]\w+", texts)) == declared
        for wire in body["ExpressionAttributeValues"].values():
            assert wire not in ({"S": ""}, {"B": ""}), "the service refuses an empty key"

    def _at_the_end(self, body: Mapping[str, Any], start: Mapping[str, Any]) -> bool:
        """As DynamoDB Local measures it: at an end that is included, in the direction of the query."""
        if self.index:
            return False
        forward = body.get("ScanIndexForward", True)
        found = re.search(r"BETWEEN (:\w+) AND (:\w+)$", body["KeyConditionExpression"])
        if found is not None:
            return bool(self._value(body, found[2 if forward else 1]) == order_of(start[self.sort]))
        found = re.search("<= (:\\w+)$" if forward else ">= (:\\w+)$", body["KeyConditionExpression"])
        return found is not None and bool(self._value(body, found[1]) == order_of(start[self.sort]))

    def _value(self, body: Mapping[str, Any], placeholder: str) -> Any:
        return order_of(body["ExpressionAttributeValues"][placeholder])

    def _in_range(self, body: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
        first, _, rest = body["KeyConditionExpression"].partition(" AND ")
        partition = re.fullmatch(r"(#\w+) = (:\w+)", first)
        assert partition is not None
        assert body["ExpressionAttributeNames"][partition[1]] == self.partition
        same = order_of(row[self.partition]) == self._value(body, partition[2])
        return same and (not rest or self._holds(body, rest, row, self.sort))

    def _passes(self, body: Mapping[str, Any], row: Row) -> bool:
        text = body.get("FilterExpression")
        if text is None:
            return True
        readable_text = readable(dict(body), "FilterExpression")
        assert readable_text is not None
        assert self.partition not in readable_text.split()
        parts = [text] if " AND " not in text else text[1:-1].split(") AND (")
        return all(self._holds(body, part, row, None) for part in parts)

    def _holds(self, body: Mapping[str, Any], text: str, row: Mapping[str, Any], only: str | None) -> bool:
        values = [self._value(body, placeholder) for placeholder in re.findall(r":\w+", text)]
        (name,) = {body["ExpressionAttributeNames"][placeholder] for placeholder in re.findall(r"#\w+", text)}
        assert only is None or name == only
        held = order_of(row[name]) if name in row else None
        shape = re.sub(r"[#:]\w+", "?", text)
        if shape == "? BETWEEN ? AND ?":
            low, high = values
            assert low <= high, "the service refuses bounds that are the wrong way round"
            return bool(low <= held <= high)
        operators: dict[str, Callable[[Any], bool]] = {
            "begins_with(?, ?)": lambda value: held is not None and begins(held, value),
            "? = ?": lambda value: bool(held == value),
            "? < ?": lambda value: bool(held < value),
            "? <= ?": lambda value: bool(held <= value),
            "? > ?": lambda value: bool(held > value),
            "? >= ?": lambda value: bool(held >= value),
        }
        return operators[shape](*values)


# The shapes of keys.


@dataclass
class Shape:
    """A key, as the tuple of the parts of its sort key."""

    source: Source[Any, Any]
    parts: tuple[st.SearchStrategy[Any], ...]
    key: Callable[..., Any]
    item: Callable[[int, Parts], Item]
    """Of a number that makes the item another than all others, and of the parts."""
    start: Callable[[Any], Any]
    open_ended: bool = False
    """Whether the beginning of the last part is good for ``BeginsWith``."""
    noise: str = ""
    """The attribute that rows of other types differ in."""
    prefix: str = ""
    """The beginning of that attribute, which they do not have."""

    @property
    def keys(self) -> list[str]:
        """The attributes of a start key."""
        return list(dict.fromkeys([*self.source.key.item.raw.keys, *self.source.keys]))

    @property
    def sort(self) -> str:
        sort = self.source.keys.sort
        assert sort is not None
        return sort


# Characters at the edges of what a bound must get right, and around the prefixes.
TEXT = st.text(alphabet="#$_`a\x7f\ud7ff\ue000\uffff\U0010ffff", max_size=3)
SOME_TEXT = TEXT.filter(bool)
DAYS = st.integers(0, 3).map(lambda days: date(2025, 12, 30) + timedelta(days=days))
NUMBERS = st.integers(-3, 3)
STEPS = st.integers(0, 12)


SHAPES = {
    "padded number": Shape(
        SHOP.steps._source,
        (STEPS,),
        lambda *parts: Step.Key("C", *parts),
        lambda number, parts: Step(customer="C", number=parts[0], title="t"),
        Step.Key.of,
        noise="sk",
        prefix="STEP_",
    ),
    "composite": Shape(
        SHOP.orders._source,
        (DAYS, TEXT),
        lambda *parts: Order.Key("C", *parts),
        lambda number, parts: Order(customer="C", day=parts[0], number=parts[1], amount=Decimal(1)),
        Order.Key.of,
        open_ended=True,
        noise="sk",
        prefix="ORDER_",
    ),
    "constant": Shape(
        SHOP.customers._source,
        (),
        lambda *parts: Customer.Key("C"),
        lambda number, parts: Customer(customer="C", name="n"),
        Customer.Key.of,
        noise="sk",
        prefix="INFO",
    ),
    "text without a prefix": Shape(
        make_table(PlainTable).plain._source,
        (SOME_TEXT,),
        lambda *parts: Plain.Key("P", *parts),
        lambda number, parts: Plain(pk="P", sk=parts[0]),
        Plain.Key.of,
        open_ended=True,
    ),
    "text of a local index": Shape(
        SHOP.steps_by_title._source,
        (SOME_TEXT,),
        lambda *parts: Step.TitleKey("C", *parts),
        lambda number, parts: Step(customer="C", number=number, title=parts[0]),
        Step.TitleKey.of,
        open_ended=True,
        noise="sk",
        prefix="STEP_",
    ),
    "number of a global index": Shape(
        SHOP.steps_by_score._source,
        (NUMBERS,),
        lambda *parts: Step.ScoreKey("B", *parts),
        lambda number, parts: Step(customer="C", number=number, title="t", board="B", score=parts[0]),
        Step.ScoreKey.of,
        noise="sk",
        prefix="STEP_",
    ),
    "partition key of the table": Shape(
        SHOP.customers_by_owner._source,
        (TEXT,),
        lambda *parts: Customer.OwnerKey("O", *parts),
        lambda number, parts: Customer(customer=parts[0], name="n", owner="O"),
        Customer.OwnerKey.of,
        open_ended=True,
        noise="pk",
        prefix="CUSTOMER_",
    ),
    "number": Shape(
        make_table(NumberTable).numbers._source,
        (NUMBERS.map(lambda number: Decimal(number) / 2),),
        lambda *parts: Number.Key(1, *parts),
        lambda number, parts: Number(pk=1, sk=parts[0]),
        Number.Key.of,
    ),
    "binary": Shape(
        make_table(BinaryTable).binaries._source,
        (st.lists(st.sampled_from([0, 1, 127, 128, 255]), min_size=1, max_size=3).map(bytes),),
        lambda *parts: Binary.Key(b"p", *parts),
        lambda number, parts: Binary(pk=b"p", sk=parts[0]),
        Binary.Key.of,
        open_ended=True,
    ),
}

# The oracle: comparisons of the parts that a key gives.


def begins_with(shape: Shape, key: Parts, parts: Parts) -> bool:
    if shape.open_ended and key and len(key) == len(parts):
        return parts[:-1] == key[:-1] and begins(parts[-1], key[-1])
    return parts[: len(key)] == key


COMPARISONS: dict[Any, Callable[[Parts, Parts], bool]] = {
    LessThan: lambda key, parts: parts[: len(key)] < key if key else False,
    AtMost: lambda key, parts: parts[: len(key)] <= key,
    GreaterThan: lambda key, parts: parts[: len(key)] > key if key else False,
    AtLeast: lambda key, parts: parts[: len(key)] >= key,
    EqualTo: lambda key, parts: parts == key,
}


@dataclass
class Case:
    condition: KeyCondition[Any]
    expected: list[Item]
    """In ascending order."""
    rows: list[Row]


@st.composite
def cases(draw: st.DrawFn, shape: Shape) -> Case:
    several = draw(st.lists(st.tuples(*shape.parts), max_size=8))
    made = {number: (parts, shape.item(number, parts)) for number, parts in enumerate(several)}
    schema = shape.source.key.item
    rows: dict[Any, Row] = {}
    items: dict[Any, tuple[Parts, Item]] = {}
    for parts, item in made.values():
        row = schema.encode(item)
        identity = tuple(str(row[name]) for name in schema.raw.keys)
        rows[identity], items[identity] = row, (parts, item)
    if rows and shape.noise:
        template = next(iter(rows.values()))
        for text in draw(st.lists(noise(shape), max_size=4)):
            row = {**template, shape.noise: {"S": text}}
            rows[tuple(str(row[name]) for name in schema.raw.keys)] = row
    condition, holds = draw(conditions(shape))
    expected = sorted(
        (identity for identity, (parts, _) in items.items() if holds(parts)),
        key=lambda identity: position(rows[identity], shape.sort, shape.keys),
    )
    return Case(condition, [items[identity][1] for identity in expected], list(rows.values()))


def noise(shape: Shape) -> st.SearchStrategy[str]:
    """Keys of rows of other types, as near as can be: never those of the prefix, often its bounds."""
    cut = st.integers(1, len(shape.prefix)).map(lambda length: shape.prefix[:length])
    near = st.builds(str.__add__, cut, TEXT)
    after = shape.prefix[:-1] + chr(ord(shape.prefix[-1]) + 1)
    return (near | st.just(after) | st.builds(str.__add__, st.just(after), TEXT)).filter(
        lambda text: not text.startswith(shape.prefix)
    )


def conditions(shape: Shape) -> st.SearchStrategy[tuple[KeyCondition[Any], Callable[[Parts], bool]]]:
    def partial(parts: Parts, length: int) -> Parts:
        return parts[:length]

    whole = st.tuples(*shape.parts)
    keys = st.builds(partial, whole, st.integers(0, len(shape.parts)))
    compared = st.builds(
        lambda kind, key: (kind(shape.key(*key)), lambda parts: COMPARISONS[kind](key, parts)),
        st.sampled_from([AtMost, AtLeast] if not shape.parts else [LessThan, AtMost, GreaterThan, AtLeast]),
        keys,
    )
    equal = whole.map(lambda key: (EqualTo(shape.key(*key)), lambda parts: parts == key))
    beginning = keys.map(lambda key: (BeginsWith(shape.key(*key)), lambda parts: begins_with(shape, key, parts)))
    between = st.builds(
        lambda start, end: (
            Between(shape.key(*start), shape.key(*end)),
            lambda parts: parts[: len(start)] >= start and parts[: len(end)] <= end,
        ),
        keys,
        keys,
    )
    return compared | equal | beginning | between


def partition_of(shape: Shape, rows: list[Row]) -> Partition:
    partition = shape.source.keys.partition
    in_it = [row for row in rows if partition in row and shape.sort in row]
    return Partition(in_it, partition, shape.sort, shape.keys, shape.source.index is not None)


def run(flow: Any, partition: Partition) -> tuple[list[Any], Any, int]:
    """What a flow hands out and returns, and how many requests it sends."""
    emitted: list[Any] = []
    sent = 0
    outcome: Any = None
    while True:
        try:
            step = flow.send(outcome)
        except StopIteration as end:
            return emitted, end.value, sent
        outcome = None
        if isinstance(step, Emit):
            emitted += step.values
        else:
            assert isinstance(step, Request)
            assert step.operation == "Query"
            sent += 1
            outcome = partition.answer(step.body)


@pytest.mark.parametrize("name", SHAPES)
@given(data=st.data())
def test_a_query_finds_the_items_of_its_condition(name: str, data: st.DataObject) -> None:
    shape = SHAPES[name]
    case = data.draw(cases(shape))
    partition = partition_of(shape, case.rows)
    asc = data.draw(st.booleans())
    page_size = data.draw(st.integers(1, 5))
    limit = data.draw(st.none() | st.integers(0, 5))
    expected = case.expected if asc else case.expected[::-1]

    options = query_options(asc=asc, page_size=page_size)
    found, _, sent = run(shape.source.query_contents(case.condition, limit=limit, **options), partition)
    assert found == expected[:limit]
    if limit == 0:
        assert sent == 0

    count = shape.source.count(case.condition, consistent_read=False, filter_expression=None)
    assert run(count, partition)[1] == len(expected)


@pytest.mark.parametrize("name", SHAPES)
@given(data=st.data())
def test_a_query_goes_on_after_any_item(name: str, data: st.DataObject) -> None:
    shape = SHAPES[name]
    case = data.draw(cases(shape).filter(lambda case: bool(case.expected)))
    partition = partition_of(shape, case.rows)
    asc = data.draw(st.booleans())
    expected = case.expected if asc else case.expected[::-1]
    number = data.draw(st.integers(0, len(expected) - 1))
    offset = Offset(shape.start(expected[number]))

    options = query_options(asc=asc, page_size=data.draw(st.integers(1, 5)), initial_offset=offset)
    pages, _, _ = run(shape.source.query_all(case.condition, **options), partition)
    assert [item for page in pages for item in page.contents] == expected[number + 1 :]
