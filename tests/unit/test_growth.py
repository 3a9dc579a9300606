"""Memory does not grow with the number of pages, and work grows as the number of items does."""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Annotated, Any

import pytest

from logicaldb import (
    Async,
    Attribute,
    BeginsWith,
    InlineView,
    Item,
    ItemKey,
    LogicalTable,
    M,
    PartitionKey,
    RawItem,
    SortKey,
    TransactionWriteSet,
)
from logicaldb.drivers import run
from logicaldb.operations import batches
from logicaldb.operations.rows import Rows
from tests.modes import on_a_loop
from tests.unit.operations.driving import NOW, TABLE

PAGE = 100


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Thing(Item):
    owner: Annotated[str, Attribute("pk", prefix="OWNER#")]
    number: Annotated[int, Attribute("sk", prefix="THING#", width=8)]
    text: str
    sizes: list[int]

    class Key(ItemKey["Thing"]):
        owner: str
        number: int | None = None


class Things(LogicalTable[Row]):
    things: InlineView[Thing.Key, Thing]


class AwaitedThings(LogicalTable[Row, M]):
    things: InlineView[Thing.Key, Thing]


def row(number: int) -> dict[str, Any]:
    return {
        "pk": {"S": "OWNER#a"},
        "sk": {"S": f"THING#{number:08}"},
        "text": {"S": f"the text of {number}"},
        "sizes": {"L": [{"N": str(number)}, {"N": "2"}]},
    }


class Pages:
    """Answers queries and scans with a number of pages, and batches of keys with their rows."""

    def __init__(self, pages: int = 1, page: int = PAGE) -> None:
        self.pages = pages
        self.page = page
        self.sent = 0

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        self.sent += 1
        request = json.loads(body)
        if operation == "BatchGetItem":
            keys = request["RequestItems"][TABLE]["Keys"]
            return json.dumps({"Responses": {TABLE: [row(int(key["sk"]["S"][6:])) for key in keys]}}).encode()
        start = int(request["ExclusiveStartKey"]["sk"]["S"][6:]) + 1 if "ExclusiveStartKey" in request else 0
        answer: dict[str, Any] = {"Items": [row(number) for number in range(start, start + self.page)]}
        if start + self.page < self.pages * self.page:
            answer["LastEvaluatedKey"] = {name: answer["Items"][-1][name] for name in ("pk", "sk")}
        return json.dumps(answer).encode()


def view_over(transport: Any) -> Any:
    return Things(TABLE, transport, lambda: NOW, 4).things


READS: dict[str, Callable[[Any], Any]] = {
    "query_all": lambda view: (page.contents for page in view.query_all(BeginsWith(Thing.Key("a")))),
    "query_all_contents": lambda view: view.query_all_contents(BeginsWith(Thing.Key("a"))),
    "scan_all": lambda view: (page.contents for page in view.scan_all()),
    "scan_all_contents": lambda view: view.scan_all_contents(),
}


def peak(read: Callable[[Any], Any], pages: int) -> int:
    """The most memory in use at once while all pages are read, in bytes."""
    transport = Pages(pages)
    view = view_over(transport)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in read(view):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", READS)
def test_memory_is_that_of_a_page_whatever_their_number(name: str) -> None:
    read = READS[name]
    peak(read, 24)  # what is compiled and cached (texts, by pydantic) is there from now on
    few, many = peak(read, 3), peak(read, 24)
    assert many < few * 1.3


class Watched:
    """Answers as ``Pages``, and notes how many of the items that were handed out are in memory when more are asked for."""

    def __init__(self, pages: int) -> None:
        self.pages = Pages(pages)
        self.handed_out: list[weakref.ref[Any]] = []
        self.in_memory: list[int] = []

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        self.in_memory.append(sum(item() is not None for item in self.handed_out))
        return self.pages.send(operation, table, body, repeatable=repeatable)


def test_no_item_of_a_page_is_kept_when_the_next_is_asked_for() -> None:
    transport = Watched(4)
    for item in view_over(transport).scan_all_contents():
        transport.handed_out.append(weakref.ref(item))
    # Each time the last alone, which the caller has still got.
    assert transport.in_memory == [0, 1, 1, 1]


class AwaitedPages(Watched):
    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().send(operation, table, body, repeatable=repeatable)


@on_a_loop
async def test_no_item_of_a_page_is_kept_when_the_next_is_awaited() -> None:
    transport = AwaitedPages(4)
    things: Any = AwaitedThings(TABLE, transport, lambda: NOW, 4, Async).things
    async for item in things.scan_all_contents():
        transport.handed_out.append(weakref.ref(item))
    assert transport.in_memory == [0, 1, 1, 1]


def calls(work: Callable[[], Any]) -> int:
    """How many functions are called, those in C too: the same in each run, as times are not."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    gc.disable()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


def assert_linear(work: Callable[[int], Callable[[], Any]]) -> None:
    work(2 * PAGE)()
    once, twice, thrice = (calls(work(PAGE * times)) for times in (2, 4, 6))
    assert abs((thrice - twice) - (twice - once)) <= 0.02 * once


def test_the_work_of_a_query_grows_as_its_pages_do() -> None:
    def work(items: int) -> Callable[[], Any]:
        view = view_over(Pages(items // PAGE))
        return lambda: list(view.query_all_contents(BeginsWith(Thing.Key("a"))))

    assert_linear(work)


def test_the_work_of_a_page_grows_as_it_does() -> None:
    def work(items: int) -> Callable[[], Any]:
        view = view_over(Pages(1, items))
        return lambda: view.query(BeginsWith(Thing.Key("a")), page_size=items)

    assert_linear(work)


def test_the_work_of_a_batch_grows_as_its_keys_do() -> None:
    def work(items: int) -> Callable[[], Any]:
        transport = Pages()
        rows = Rows("Db")
        rows.add(Thing, "db.things.things", view_over(transport)._writer)
        keys = [Thing.Key("a", number) for number in range(items)]
        flow = batches.load(keys, rows, consistent_read=False, page_size=PAGE, at_once=1)
        return lambda: run(flow, transport)

    assert_linear(work)


def test_the_work_of_a_set_grows_as_its_operations_do() -> None:
    things = [Thing(owner="a", number=number, text="t", sizes=[]) for number in range(6 * PAGE)]

    def work(items: int) -> Callable[[], Any]:
        def add() -> None:
            writes = TransactionWriteSet()
            for thing in things[:items]:
                writes.put(thing)

        return add

    assert_linear(work)
