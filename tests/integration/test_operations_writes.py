"""Writes on both engines: versions, counters, times, saves of nothing; and sizes to the byte on DynamoDB Local."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import pytest
from botocore.exceptions import ClientError

from logicaldb import (
    BeginsWith,
    ConditionFailed,
    CounterOutOfBounds,
    EncodingError,
    Expression,
    InlineView,
    Item,
    ItemAlreadyExists,
    ItemKey,
    ItemNotFound,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    VersionConflict,
    attr,
)
from logicaldb.testing import LogicalDbFactory
from tests.modes import Mode
from tests.unit.operations.driving import NOW
from tests.unit.operations.models import (
    Bare,
    Customer,
    Gadget,
    Generated,
    Link,
    ShopRow,
    ShopTable,
    Tally,
    TallyTable,
    Thing,
    ThingTable,
    Versioned,
)


class WritesDb(LogicalDb):
    table: Annotated[ThingTable, TableName("things")]
    tallies: Annotated[TallyTable, TableName("tallies")]
    shop: Annotated[ShopTable, TableName("shop")]


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


def make_db(mode: Mode) -> WritesDb:
    return mode.make(WritesDb, clock=Clock())


@pytest.fixture
def db(mode: Mode) -> WritesDb:
    return make_db(mode)


@pytest.fixture
def local(local_mode: Mode) -> WritesDb:
    return make_db(local_mode)


def row_of(**attributes: Any) -> ShopRow:
    """A raw row, of declared attributes and others."""
    return ShopRow(**attributes)


def gadget(**fields: Any) -> Gadget:
    return Gadget(pk="1", title="t", **fields)


KEY = Gadget.Key("1")


def test_versions_on_every_path(db: WritesDb) -> None:
    item = Versioned(pk="1", title="t")
    first = db.create(item)
    assert first.version == 1
    with pytest.raises(ItemAlreadyExists) as exists:
        db.create(item)
    assert exists.value.item == first
    stale_writes: list[Callable[[], Any]] = [lambda: db.save(item), lambda: db.put(item), lambda: db.delete(item)]
    for stale in stale_writes:
        with pytest.raises(VersionConflict) as error:
            stale()
        assert (error.value.expected, error.value.item) == (0, first)
    second = db.save(first.replace(title="u"))
    third = db.put(second)
    fourth = db.update(Versioned.Key("1"), attr(Versioned.title).set("v"), if_version=3)
    assert [second.version, third.version, fourth.version] == [2, 3, 4]
    with pytest.raises(VersionConflict) as error:
        db.update(Versioned.Key("1"), attr(Versioned.title).set("w"), if_version=3)
    assert error.value.item == fourth
    assert db.load(Versioned.Key("1")) == fourth
    assert db.delete(fourth) == fourth
    stale_writes = [lambda: db.save(fourth), lambda: db.put(fourth), lambda: db.delete(fourth)]
    for stale in stale_writes:  # no resurrection
        with pytest.raises(VersionConflict) as error:
            stale()
        assert error.value.item is None
    with pytest.raises(ItemNotFound):
        db.update(Versioned.Key("1"), attr(Versioned.title).set("w"), if_version=4)
    assert db.load(Versioned.Key("1")) is None


def test_a_row_from_before_the_version_can_be_taken_over(db: WritesDb) -> None:
    raw = db.table.raw
    raw.put(row_of(pk="V_1", sk="VERSIONED", title="old"))
    old = db.load(Versioned.Key("1"))
    assert old is not None
    assert old.version == 0
    assert db.save(old).version == 1


def test_the_callers_condition_does_not_weaken_the_version(db: WritesDb) -> None:
    stored = db.create(Versioned(pk="1", title="t"))
    always = Expression("attribute_exists(pk) OR attribute_not_exists(pk)")
    with pytest.raises(VersionConflict):
        db.save(Versioned(pk="1", title="x"), always)
    with pytest.raises(ConditionFailed) as error:
        db.save(stored, attr(Versioned.title) == "x")
    assert type(error.value) is ConditionFailed
    assert error.value.item == stored


def test_counters_keep_their_count_and_their_bounds(db: WritesDb) -> None:
    item = db.save(gadget())
    assert db.increment(KEY, Gadget.stock, -5) == 0
    with pytest.raises(CounterOutOfBounds) as error:
        db.increment(KEY, Gadget.stock, -1)
    assert error.value.item.stock == 0
    assert db.increment(KEY, Gadget.stock, 10) == 10
    with pytest.raises(CounterOutOfBounds):
        db.update(KEY, attr(Gadget.stock).add(1), attr(Gadget.title).set("x"))
    assert db.increment(KEY, Gadget.hits, 2**62) == 2**62
    saved = db.save(item.replace(title="u"))
    assert (saved.stock, saved.hits, saved.title) == (10, 2**62, "u")
    assert db.load(KEY) == saved
    put = db.put(saved.replace(stock=1))
    assert db.load(KEY) == put
    with pytest.raises(ItemNotFound):
        db.increment(Gadget.Key("2"), Gadget.hits)
    assert db.load(Gadget.Key("2")) is None


def test_a_counter_begins_with_its_initial_value(db: WritesDb) -> None:
    db.table.raw.put(row_of(pk="GADGET_1", sk="GADGET", title="t"))
    with pytest.raises(CounterOutOfBounds):
        db.increment(KEY, Gadget.stock, 6)
    assert db.increment(KEY, Gadget.stock, 5) == 10
    assert db.increment(KEY, Gadget.hits) == 1


def test_an_upserted_counter(db: WritesDb) -> None:
    assert db.increment(Tally.Key("1"), Tally.count, 3, upsert=True) == 3
    assert db.increment(Tally.Key("1"), Tally.count, 3, upsert=True) == 6
    made = NOW + timedelta(seconds=1)  # the clock goes on with each reading, but the times are those of the first one
    assert db.load(Tally.Key("1")) == Tally(pk="1", count=6, created=made, updated=made)
    with pytest.raises(CounterOutOfBounds) as error:
        db.update(KEY, attr(Gadget.title).set("x"), attr(Gadget.stock).add(6), upsert=True)
    assert error.value.item is None
    assert db.load(KEY) is None


def test_an_upsert_makes_what_a_save_makes(db: WritesDb) -> None:
    made = db.update(Generated.Key("1"), attr(Generated.title).set("t"), upsert=True)
    assert made == db.load(Generated.Key("1"))
    assert made == Generated(pk="1", title="t", created=NOW + timedelta(seconds=1))
    row = db.table.raw.load(row_of(pk="GENERATED_1", sk="GENERATED"))
    assert row is not None
    extra: dict[str, Any] = row.__pydantic_extra__ or {}
    assert (row.queue, extra["serial"], extra["points"]) == ("inbox", "made", [1])
    changed = db.update(
        Generated.Key("1"), attr(Generated.queue).set("done"), attr(Generated.title).set("u"), upsert=True
    )
    # What is made of other fields is not written, and so made again when it is read.
    assert changed == made.replace(queue="done", title="u", copied="u")


def test_times(db: WritesDb) -> None:
    saved = db.save(gadget())
    first = NOW + timedelta(seconds=1)
    assert (saved.created, saved.updated) == (first, first)
    again = db.save(gadget(version=1))
    assert (again.created, again.updated) == (first, first + timedelta(seconds=1))
    updated = db.update(KEY, attr(Gadget.title).set("x"))
    assert (updated.created, updated.updated) == (first, first + timedelta(seconds=2))
    db.increment(KEY, Gadget.hits)
    assert db.load(KEY) == updated.replace(hits=1)
    put = db.put(updated.replace(created=None))
    assert (put.created, put.updated) == (first + timedelta(seconds=3), first + timedelta(seconds=3))
    assert db.load(KEY) == put


def test_saves_of_nothing(db: WritesDb) -> None:
    assert db.save(Bare(pk="1")) == Bare(pk="1")
    assert db.load(Bare.Key("1")) == Bare(pk="1")
    db.table.raw.put(row_of(pk="BARE_1", sk="BARE", label="x", other="kept"))
    assert db.save(Bare(pk="1")) == Bare(pk="1")
    row = db.table.raw.load(row_of(pk="BARE_1", sk="BARE"))
    assert row == row_of(pk="BARE_1", sk="BARE", other="kept")
    link = Link(pk="1", target="2")
    for _ in range(2):
        assert db.save(link) == link
    assert db.load(Link.Key("1", "2")) == link
    assert db.save(link, attr(Link.target).exists()) == link
    with pytest.raises(ConditionFailed):
        db.save(link, attr(Link.target).not_exists())
    with pytest.raises(ConditionFailed) as error:
        db.save(Link(pk="1", target="3"), attr(Link.target).exists())
    assert error.value.item is None
    assert db.load(Link.Key("1", "3")) is None
    assert db.save(Link(pk="1", target="3"), attr(Link.target).not_exists()) == Link(pk="1", target="3")


def test_an_update_that_changes_nothing(db: WritesDb) -> None:
    thing = db.save(Thing(pk="1", title="t"))
    nothing = attr(Thing.tags).add_to_set([])
    assert db.update(Thing.Key("1"), nothing) == thing
    with pytest.raises(ItemNotFound):
        db.update(Thing.Key("2"), nothing)
    with pytest.raises(ConditionFailed):
        db.update(Thing.Key("1"), nothing, condition=attr(Thing.title) == "x")
    assert db.load(Thing.Key("2")) is None


def test_filters_by_keys(local: WritesDb) -> None:
    """DynamoDB refuses those of what is queried, and takes those of the table in a query of an index."""
    db = local
    db.save(Customer(customer="C", name="n", owner="O"))
    query = db.shop.customers_by_owner.query
    key = Customer.OwnerKey("O")
    assert len(query(BeginsWith(key), filter_expression=Expression("sk = :s", values={":s": "INFO"})).contents) == 1
    for name in ("owner", "pk"):
        with pytest.raises(EncodingError, match="is a key of"):
            query(BeginsWith(key), filter_expression=Expression("attribute_exists(#n)", names={"#n": name}))
    for name in ("pk", "sk"):
        with pytest.raises(EncodingError, match="is a key of"):
            db.shop.customers.query(
                BeginsWith(Customer.Key("C")), filter_expression=Expression(f"attribute_exists({name})")
            )
        scan = db.shop.customers.scan(filter_expression=Expression(f"attribute_exists({name})"))
        assert len(scan.contents) == 1


class SizedRow(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    a: Annotated[str | None, SortKey(index="all")] = None
    k: Annotated[str | None, SortKey(index="keys", projection="KEYS_ONLY")] = None
    s: Annotated[str | None, SortKey(index="some", projection=["x"])] = None
    g: Annotated[str | None, PartitionKey(index="global")] = None


class Sized(Item):
    pk: str
    sk: str
    a: str | None = None
    k: str | None = None
    s: str | None = None
    g: str | None = None
    x: str | None = None
    y: str | None = None
    numbers: list[int] = []
    words: set[str] = set()

    class Key(ItemKey["Sized"]):
        pk: str
        sk: str


class SizedTable(LogicalTable[SizedRow]):
    sized: InlineView[Sized.Key, Sized]


class SizedDb(LogicalDb):
    table: Annotated[SizedTable, TableName("sized")]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"g": "i"},
        {"k": "i"},
        {"s": "i"},
        {"k": "i", "s": "i", "x": "xyz"},
        {"numbers": [1, -22, 10**20, 333], "words": {"a", "ä"}},
    ],
)
def test_sizes_are_counted_as_dynamodb_counts(
    local_client: Any, local_db: LogicalDbFactory, fields: dict[str, Any]
) -> None:
    db = local_db(SizedDb)
    base = Sized(pk="p", sk="s", **fields)

    def fits(length: int) -> bool:
        try:
            db.table.sized._writer.prepare(db.table.sized._writer.operation("put", base.replace(y="y" * length)))
        except EncodingError:
            return False
        return True

    low, high = 100_000, 409_600
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    biggest = base.replace(y="y" * low)
    assert db.put(biggest) == biggest
    row = db.table.codec(Sized).encode(base.replace(y="y" * high))
    with pytest.raises(ClientError, match="Item size"):
        local_client.put_item(TableName=db.table.table_name, Item=row)
    with pytest.raises(EncodingError, match=r"^Sized\.y: is the largest field of an item of \d+ bytes"):
        db.put(base.replace(y="y" * high))
