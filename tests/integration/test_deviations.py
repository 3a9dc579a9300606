"""What moto takes and DynamoDB refuses is refused before it is sent, or made to behave alike on both engines.

``docs/limits.md`` has the table of the deviations; each test here names one. ``raw`` shows, as evidence, what the client
alone gets of moto and of DynamoDB Local. Where moto has learnt to refuse, its line here and in the docs can go.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest

from logicaldb import (
    BatchWriteSet,
    BeginsWith,
    EqualTo,
    Expression,
    Offset,
    TransactionWriteSet,
    attr,
)
from tests.integration.deviating import (
    NAME,
    Bare,
    Db,
    Engines,
    Note,
    Outcome,
    Row,
    put,
    query,
    transact,
    update,
)

TAKEN = "taken"
INVALID = "ValidationException"

NOTE = Note(name="a", part="1")
KEY = Note.Key("a", "1")
ALL = BeginsWith(Note.Key("a"))
SURROGATE = "\ud800"


def filtered(text: str, **values: Any) -> Callable[[Db], Any]:
    """A query with a filter in DynamoDB's own words."""
    expression = Expression(text, values={f":{name}": value for name, value in values.items()})
    return lambda db: db.table.notes.query(ALL, filter_expression=expression)


def nested(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels - 1):
        value = [value]
    return value


def nested_wire(levels: int) -> Any:
    wire: Any = {"S": "x"}
    for _ in range(levels - 1):
        wire = {"L": [wire]}
    return wire


@dataclass(frozen=True)
class Refused:
    """Something that is refused before anything is sent.

    Attributes:
        name: what it is.
        act: does it.
        error: the class of the error.
        message: the whole message.
        raw: the same through the client alone; ``None`` where there is no such call, or moto refuses it as DynamoDB does.
        moto: what moto makes of that.
        local: what DynamoDB Local makes of it.
    """

    name: str
    act: Callable[[Db], Any]
    error: str
    message: str
    raw: Callable[[Any], Any] | None = None
    moto: str = TAKEN
    local: str = INVALID


OUT_OF_RANGE = "is a number outside of what DynamoDB holds, 1E-130 to 9.9999999999999999999999999999999999999E+125"
EMPTY_KEY = "is an empty string, and the key attribute {} cannot be"
MANY = " OR ".join(["x = :v"] * 151)
PUT = {"Put": {"TableName": NAME, "Item": {"pk": {"S": "raw"}, "sk": {"S": "t"}}}}
CHECK = {
    "ConditionCheck": {"TableName": NAME, "Key": PUT["Put"]["Item"], "ConditionExpression": "attribute_not_exists(zz)"}
}
UNICODE = "is not valid UTF-8 text"


def deletes(number: int) -> TransactionWriteSet:
    writes = TransactionWriteSet()
    for n in range(number):
        writes.delete_key(Note.Key("a", str(n)))
    return writes


def one_row_twice() -> TransactionWriteSet:
    return TransactionWriteSet().put(NOTE).check_condition(KEY, attr(Note.text).not_exists())


def requests(*kinds: str) -> Callable[[Any], Any]:
    """A ``BatchWriteItem`` of one key through the client."""
    key = {"pk": {"S": "raw"}, "sk": {"S": "b"}}
    bodies = {"put": {"PutRequest": {"Item": key}}, "delete": {"DeleteRequest": {"Key": key}}}
    return lambda client: client.batch_write_item(RequestItems={NAME: [bodies[kind] for kind in kinds]})


empty_name: Any = {"": 1}
long_name: Any = {"é" * 32768: 1}
of_the_index: Any = Offset(Note.ByOwner("o", "a", "1"))

CASES = [
    # Numbers.
    Refused(
        "39-digits", lambda db: db.put(NOTE.replace(number=Decimal("1" * 39))),
        "EncodingError", "Note.number: is a number of more than 38 significant digits",
        put(n={"N": "1" * 39}),
    ),
    Refused(
        "1E126", lambda db: db.put(NOTE.replace(number=Decimal("1E126"))), "EncodingError",
        f"Note.number: {OUT_OF_RANGE}", put(n={"N": "1E126"}),
    ),
    Refused(
        "1E-131", lambda db: db.put(NOTE.replace(number=Decimal("1E-131"))), "EncodingError",
        f"Note.number: {OUT_OF_RANGE}", put(n={"N": "1E-131"}), moto=INVALID,
    ),
    Refused(
        "39-digits-in-a-condition", lambda db: db.save(NOTE, attr(Note.number) < Decimal("1" * 39)),
        "EncodingError", "Note.number: is a number of more than 38 significant digits",
        query("n < :n", values={":n": {"N": "1" * 39}}),
    ),
    Refused(
        "39-digits-in-an-update", lambda db: db.update(KEY, attr(Note.number).add(int("1" * 39))),
        "EncodingError", "Note.number: is a number of more than 38 significant digits",
        update("ADD n :n", ExpressionAttributeValues={":n": {"N": "1" * 39}}), moto="ValueError",
    ),
    # Text.
    Refused(
        "surrogate", lambda db: db.put(NOTE.replace(text=SURROGATE)), "EncodingError", f"Note.text: {UNICODE}",
        put(s={"S": SURROGATE}), moto="UnicodeEncodeError", local=TAKEN,
    ),
    Refused(
        "surrogate-in-a-key", lambda db: db.load(Note.Key(SURROGATE, "1")), "EncodingError",
        f"Note.Key.name: {UNICODE}",
    ),
    Refused(
        "surrogate-in-a-name", lambda db: db.put(NOTE.replace(notes={SURROGATE: 1})), "EncodingError",
        f"Note.notes: has a key that {UNICODE}",
    ),
    Refused(
        "surrogate-in-a-condition", lambda db: db.save(NOTE, attr(Note.text).contains(SURROGATE)), "EncodingError",
        f"Note.text: {UNICODE}",
    ),
    Refused(
        "surrogate-in-an-expression", filtered(f"x = :v OR {SURROGATE} = :v", v=1), "EncodingError",
        f"Expression 'x = :v OR \\ud800 = :v': {UNICODE}",
    ),
    Refused(
        "surrogate-in-a-token", lambda db: db.put(NOTE, idempotency_token=SURROGATE), "EncodingError",
        f"an idempotency token {UNICODE}",
    ),
    # Empties.
    Refused(
        "empty-set-inside", lambda db: db.put(NOTE.replace(anything=[{"a": set[str]()}])), "EncodingError",
        "Note.anything[0]['a']: is an empty set, which cannot be stored: declare the type instead of Any",
        put(a={"L": [{"M": {"a": {"SS": []}}}]}),
    ),
    Refused(
        "empty-index-key", lambda db: db.put(NOTE.replace(owner="")), "EncodingError",
        f"Note.owner: {EMPTY_KEY.format('owner')}", put(owner={"S": ""}), moto=INVALID,
    ),
    Refused(
        "empty-local-index-key", lambda db: db.update(KEY, attr(Note.title).set("")), "EncodingError",
        f"Note.title: {EMPTY_KEY.format('title')}",
        update("SET title = :t", ExpressionAttributeValues={":t": {"S": ""}}), moto=INVALID,
    ),
    Refused(
        "empty-index-key-of-a-raw-row", lambda db: db.table.raw.put(Row(pk="a", sk="b", owner="")), "EncodingError",
        f"Row.owner: {EMPTY_KEY.format('owner')}",
    ),
    Refused("empty-key", lambda db: db.load(Note.Key("", "1")), "EncodingError", f"Note.Key.name: {EMPTY_KEY.format('pk')}"),
    Refused(
        "empty-name", lambda db: db.table.raw.put(Row(pk="a", sk="b", **empty_name)), "EncodingError",
        "Row: has an attribute whose name is empty, which DynamoDB does not take", put(**{"": {"N": "1"}}),
    ),
    Refused(
        "empty-name-inside", lambda db: db.put(NOTE.replace(notes={"": 1})), "EncodingError",
        "Note.notes: has a key that is empty, which DynamoDB does not take",
    ),
    # Sizes.
    Refused(
        "long-name", lambda db: db.table.raw.put(Row(pk="a", sk="b", **long_name)), "EncodingError",
        "Row: has an attribute whose name is 65536 bytes long; the limit is 65535", put(**{"é" * 32768: {"N": "1"}}),
    ),
    Refused(
        "long-name-inside", lambda db: db.put(NOTE.replace(notes={"x" * 65536: 1})), "EncodingError",
        "Note.notes: has a key that is 65536 bytes long; the limit is 65535", put(m={"M": {"x" * 65536: {"N": "1"}}}),
    ),
    Refused(
        "long-partition-key", lambda db: db.put(Note(name="é" * 1025, part="")), "EncodingError",
        "Note.name: makes the key attribute pk 2050 bytes long; the limit is 2048",
        put(pk={"S": "é" * 1025}), moto=INVALID,
    ),
    Refused(
        "long-index-key", lambda db: db.put(NOTE.replace(owner="x" * 2049)), "EncodingError",
        "Note.owner: makes the key attribute owner 2049 bytes long; the limit is 2048", put(owner={"S": "x" * 2049}), moto=INVALID,
    ),
    Refused(
        "long-local-index-key", lambda db: db.put(NOTE.replace(title="x" * 1025)), "EncodingError",
        "Note.title: makes the key attribute title 1025 bytes long; the limit is 1024", put(title={"S": "x" * 1025}),
    ),
    Refused(
        "long-key-in-a-query", lambda db: db.table.notes.query(EqualTo(Note.Key("a", "x" * 1023))), "EncodingError",
        "Note.Key.part: makes the key attribute sk 1025 bytes long; the limit is 1024",
        query(KeyConditionExpression="pk = :p AND sk = :s", values={":s": {"S": "x" * 1025}}),
    ),
    Refused(
        "33-levels", lambda db: db.put(NOTE.replace(anything=nested(33))), "EncodingError",
        "Note.anything: is nested deeper than 32 levels", put(a=nested_wire(33)),
    ),
    # Expressions.
    Refused(
        "301-operators", filtered(MANY, v=1), "LimitExceeded",
        "the FilterExpression has 301 operators and functions; the limit of an expression is 300",
        query(MANY, values={":v": {"N": "1"}}),
    ),
    Refused(
        "long-expression", filtered("x = :v" + " " * 4096 + "OR x = :v", v=1), "LimitExceeded",
        "the FilterExpression is 4113 bytes long; the limit of an expression is 4096",
        query("x = :v" + " " * 4096 + "OR x = :v", values={":v": {"N": "1"}}),
    ),
    Refused(
        "101-operands", lambda db: db.save(NOTE, attr(Note.text).is_in([str(n) for n in range(101)])), "EncodingError",
        "Note.text: is_in takes 1 to 100 values, not 101",
        query(f"x IN ({', '.join([':v'] * 101)})", values={":v": {"N": "1"}}),
    ),
    Refused(
        "101-operands-of-the-callers", filtered(f"x IN ({', '.join([':v'] * 101)})", v=1), "EncodingError",
        f"Expression {'x IN (' + ', '.join([':v'] * 101) + ')'!r}: IN takes 1 to 100 values, not 101",
    ),
    Refused(
        "3-mb-of-values", filtered("x = :v", v="x" * 3_000_000), "LimitExceeded",
        "the filter: the names and values of its expressions have 3000007 bytes; the limit is 2097152",
        query("x = :v", values={":v": {"S": "x" * 3_000_000}}),
    ),
    Refused(
        "filter-on-a-key",
        lambda db: db.table.notes.query(ALL, filter_expression=attr(Note.part) == "1"), "EncodingError",
        "Note.part: is a key of Table, and DynamoDB does not filter by the keys of what is queried; use a key condition",
        query("sk = :v", values={":v": {"S": "1"}}),
    ),
    Refused(
        "filter-on-a-key-of-the-callers", filtered("x = :v OR (sk = :v)", v=1), "EncodingError",
        "Expression 'x = :v OR (sk = :v)': sk is a key of Table, and DynamoDB does not filter by the keys of what is "
        "queried; use a key condition",
    ),
    Refused(
        "filter-on-a-key-of-an-index",
        lambda db: db.table.by_owner.query(
            BeginsWith(Note.ByOwner("o")),
            filter_expression=Expression("#o = :v", values={":v": 1}, names={"#o": "owner"}),
        ),
        "EncodingError",
        "Expression '#o = :v': #o is a key of the index 'by_owner', and DynamoDB does not filter by the keys of what is "
        "queried; use a key condition",
    ),
    Refused(
        "bounds-in-the-wrong-order", lambda db: db.save(NOTE, attr(Note.number).between(Decimal(2), Decimal(1))), "EncodingError",
        "Note.number: between takes the lower value first",
        query("x BETWEEN :a AND :b", values={":a": {"N": "2"}, ":b": {"N": "1"}}),
    ),
    # Reads.
    Refused(
        "consistent-read-of-a-global-index",
        lambda db: db.table.by_owner.query(BeginsWith(Note.ByOwner("o")), consistent_read=True), "EncodingError",
        "the index 'by_owner': is a global index, which has no consistent reads; leave consistent_read out",
        query(IndexName="by_owner", KeyConditionExpression="#o = :p", ExpressionAttributeNames={"#o": "owner"},
              ConsistentRead=True), moto=INVALID,
    ),
    Refused(
        "start-in-another-partition",
        lambda db: db.table.notes.query(ALL, initial_offset=Offset(Note.Key("b", "1"))), "EncodingError",
        "Offset(Note.Key(name='b', part='1')): is of another partition than the key condition",
        query(ExclusiveStartKey={"pk": {"S": "other"}, "sk": {"S": "x"}}),
    ),
    Refused(
        "start-of-an-index-in-the-table",
        lambda db: db.table.notes.query(ALL, initial_offset=of_the_index), "TypeError",
        "Note.ByOwner is not Note.Key, the key type that is used here",
        query(ExclusiveStartKey={"pk": {"S": "raw"}, "sk": {"S": "x"}, "owner": {"S": "o"}}),
    ),
    Refused(
        "page-size", lambda db: db.table.notes.query(ALL, page_size=2**31), "ValueError",
        "page_size=2147483648 must be at most 2147483647",
    ),
    # Transactions and batches.
    Refused(
        "101-operations",
        lambda db: db.transaction_write(deletes(101)),
        "LimitExceeded",
        "a transaction takes up to 100 operations, not 101: the first too many is delete_key of "
        "Note.Key(name='a', part='100'); a writing pager takes any number, a page at a time",
    ),
    Refused(
        "101-keys", lambda db: db.transaction_load(Note.Key("a", str(n)) for n in range(101)), "LimitExceeded",
        "a transaction reads up to 100 items, not 101; batch_load takes any number of keys, but gives no snapshot",
    ),
    Refused(
        "put-and-check-of-one-row", lambda db: db.transaction_write(one_row_twice()), "DuplicateItem",
        "put of Note.Key(name='a', part='1') and check_condition of Note.Key(name='a', part='1') are about one row",
        transact(PUT, CHECK), moto=INVALID,
    ),
    Refused(
        "put-and-delete-of-one-row", lambda db: db.batch_write(BatchWriteSet().clobber(NOTE).delete(KEY)),
        "DuplicateItem",
        "clobber of Note.Key(name='a', part='1') and delete_key of Note.Key(name='a', part='1') are about one row",
        requests("put", "delete"),
    ),
    Refused(
        "37-characters-of-a-token", lambda db: db.put(NOTE, idempotency_token="x" * 37), "EncodingError",
        "an idempotency token has 1 to 36 characters, not 37", transact(PUT, ClientRequestToken="x" * 37),
    ),
    Refused(
        "19-emoji-of-a-token", lambda db: db.put(NOTE, idempotency_token="\U0001f600" * 19), "EncodingError",
        "an idempotency token has 1 to 36 characters, not 38", transact(PUT, ClientRequestToken="\U0001f600" * 19),
    ),
    Refused(
        "no-token", lambda db: db.put(NOTE, idempotency_token=""), "EncodingError",
        "an idempotency token has 1 to 36 characters, not 0",
    ),
    # What only DynamoDB itself, and neither of the engines, refuses.
    Refused(
        "upsert-that-removes", lambda db: db.update(Bare.Key("new"), attr(Bare.text).remove(), upsert=True),
        "EncodingError",
        "update of Bare.Key(name='new'): upsert=True, but nothing is set, and what only removes makes no item in DynamoDB; "
        "save(...) the item, or leave upsert out",
        update("REMOVE x", name="new"), local=TAKEN,
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_is_refused_before_it_is_sent(engines: Engines, case: Refused) -> None:
    assert engines.same(case.act) == Outcome(case.error, case.message)
    if case.raw is not None:
        assert engines.raw(case.raw) == (case.moto, case.local)
