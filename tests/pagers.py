"""What writing pagers are tested with: items, updates that make any number of operations, and a service made by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple

from logicaldb import (
    Attribute,
    BeginsWith,
    Counter,
    InlineView,
    Item,
    ItemKey,
    LogicalDb,
    LogicalTable,
    PartitionKey,
    RawItem,
    SortKey,
    TableName,
    TransactionWriteSet,
    Version,
    WritingPagerHandler,
    attr,
)
from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.operations.rows import Rows
from logicaldb.operations.times import utc_now


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]


class Step(Item):
    """A row that updates count in."""

    name: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="STEP_", width=6)]
    text: str = ""
    hits: Annotated[int, Counter()] = 0

    class Key(ItemKey["Step"]):
        name: str
        number: int | None = None


class Log(Item):
    """A list of the updates, kept by ``finish_page``."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="LOG")] = ""
    numbers: list[int] = []
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Log"]):
        name: str


class Run(Item):
    """A progress, with fields that cannot count."""

    name: Annotated[str, Attribute("pk")]
    sk: Annotated[Literal[""], Attribute(prefix="RUN")] = ""
    applied: int = 0
    done: int = 0
    hits: Annotated[int, Counter()] = 0
    maybe: int | None = None
    text: str = ""
    version: Annotated[int, Version()] = 0

    class Key(ItemKey["Run"]):
        name: str


class Table(LogicalTable[Row]):
    steps: InlineView[Step.Key, Step]
    logs: InlineView[Log.Key, Log]
    runs: InlineView[Run.Key, Run]


class Db(LogicalDb):
    table: Annotated[Table, TableName("rows")]


def make_db(client: Any, table: str) -> Db:
    """The database, on a table of this name."""
    return Db(client, table_name_resolver=lambda *_: table)


def hits(db: Db, name: str) -> dict[int, int]:
    """How often each step was counted."""
    steps = db.table.steps.query_all_contents(BeginsWith(Step.Key(name)), consistent_read=True)
    return {step.number: step.hits for step in steps}


def rows_of(table_type: type[LogicalTable[Any, Any]] = Table) -> Rows:
    """The rows of a table that no client reaches."""
    rows = Rows("Db")
    table: Any = table_type("rows", Service(), utc_now, 1)
    for item_type, name, view in table.item_views():
        rows.add(item_type, f"db.table.{name}", view._writer)
    return rows


class Update(NamedTuple):
    """One update.

    Attributes:
        number: its number.
        rows: the numbers of the rows in which it is counted.
    """

    number: int
    rows: Sequence[int] = ()


def updates(*sizes: int) -> list[Update]:
    """Updates of so many operations each, each on rows of its own."""
    return [Update(number, [1000 * number + row for row in range(size)]) for number, size in enumerate(sizes)]


class Count(WritingPagerHandler[Update]):
    """Counts each update in its rows, and tells what it was called for."""

    def __init__(self, name: str = "n") -> None:
        self.name = name
        self.pages: list[list[int]] = []
        self.calls: list[str] = []

    def before_page(self, remaining_updates: Sequence[Update], max_transaction_items: int) -> int:
        self.calls.append("before_page")
        return super().before_page(remaining_updates, max_transaction_items)

    def item(self, writes: TransactionWriteSet, update: Update) -> None:
        self.calls.append(f"item {update.number}")
        for row in update.rows:
            writes.update(Step.Key(self.name, row), attr(Step.hits).add(1), upsert=True)

    def finish_page(self, writes: TransactionWriteSet, applied: Sequence[Update]) -> None:
        self.calls.append("finish_page")
        self.applied = [update.number for update in applied]

    def page_written(self, writes: TransactionWriteSet) -> None:
        self.calls.append("page_written")
        self.pages.append(self.applied)


Outcome = Literal["written", "refused", "denied", "lost after", "lost before", "broken after", "broken before"]
"""What becomes of a page: it is written; it is cancelled, unless it was written before; the request is refused; it is
written and the answer is lost; it never arrives, which nobody can know; the client itself fails, afterwards or before."""


@dataclass
class Service:
    """Does transactions as DynamoDB does, as far as pagers need it; conditions are not looked at.

    Attributes:
        outcomes: what becomes of the next transactions; those that follow are written.
        requests: the operations and bodies that were sent.
        written: the actions of each transaction that took effect.
        rows: what was set.
    """

    outcomes: Iterable[Outcome] = ()
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    written: list[list[dict[str, Any]]] = field(default_factory=list[list[dict[str, Any]]])
    rows: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    _tokens: dict[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        self.coming: Iterator[Outcome] = iter(self.outcomes)

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Do what a transport does."""
        request = json.loads(body)
        self.requests.append((operation, request))
        if operation == "GetItem":
            row = self.rows.get(str(request["Key"]))
            return json.dumps({} if row is None else {"Item": row}).encode()
        assert operation == "TransactWriteItems"
        outcome = next(self.coming, "written")
        match outcome:
            case "refused" if request["ClientRequestToken"] not in self._tokens:
                reasons = [
                    {"Code": "ConditionalCheckFailed"},
                    *[{"Code": "None"}] * (len(request["TransactItems"]) - 1),
                ]
                code = "TransactionCanceledException"
                raise ServiceFailure(code, {"CancellationReasons": reasons}, RuntimeError(code))
            case "denied":
                raise ServiceFailure("AccessDeniedException", {}, PermissionError("denied"))
            case "lost before":
                raise Unanswered(ConnectionError("lost"))
            case "broken before":
                raise RuntimeError("a hook of the client raises")
            case _:
                self._write(request)
        if outcome == "lost after":
            raise Unanswered(ConnectionError("lost"))
        if outcome == "broken after":
            raise RuntimeError("a hook of the client raises")
        return b"{}"

    def _write(self, request: dict[str, Any]) -> None:
        known = self._tokens.setdefault(request["ClientRequestToken"], request)
        if known is not request:
            assert known == request, "one token and two payloads"
            return
        actions = [next(iter(action.values())) for action in request["TransactItems"]]
        self.written.append(actions)
        for action in actions:
            row = self.rows.setdefault(str(action["Key"]), dict(action["Key"]))
            for name, value in re.findall(r"(#\w+) = (:\w+)", action["UpdateExpression"]):
                row[action["ExpressionAttributeNames"][name]] = action["ExpressionAttributeValues"][value]

    @property
    def steps(self) -> list[list[int]]:
        """The numbers of the steps that each transaction counted."""
        keys = [[action["Key"]["sk"]["S"] for action in actions] for actions in self.written]
        return [[int(key.removeprefix("STEP_")) for key in page if key.startswith("STEP_")] for page in keys]

    @property
    def tokens(self) -> list[str]:
        """The tokens that were sent."""
        return [body["ClientRequestToken"] for operation, body in self.requests if operation == "TransactWriteItems"]


def raising(then: Callable[[], BaseException], *before: Any) -> Iterator[Any]:
    """A generator that raises after some values."""
    yield from before
    raise then()
