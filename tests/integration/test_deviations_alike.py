"""What the engines make something else of, and what behaves alike on both through logicaldb; see ``test_deviations.py``."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Annotated, Any

import pytest

from logicaldb import (
    AtLeast,
    BatchWriteSet,
    BeginsWith,
    Between,
    Condition,
    DeclarationError,
    Expression,
    Offset,
    PartitionKey,
    RawItem,
    SortKey,
    TransactionWriteSet,
    attr,
)
from logicaldb.codec.limits import MAX_ITEM_BYTES, item_size
from tests.integration.deviating import (
    NAME,
    Bare,
    Db,
    Draft,
    Engines,
    Note,
    Outcome,
    Row,
    put,
    query,
    transact,
)

TAKEN = "taken"
INVALID = "ValidationException"


def read(db: Db, name: str, part: str = "1") -> Note | None:
    return db.load(Note.Key(name, part), consistent_read=True)


@pytest.mark.parametrize(
    ("value", "stored"),
    [("1.10", "1.1"), ("-0", "0"), ("1E+3", "1000"), ("9" * 38, "9" * 38), ("1E-130", "1E-130"), ("1E+125", "1E+125")],
)
def test_numbers_are_sent_as_dynamodb_normalises_them(engines: Engines, value: str, stored: str) -> None:
    def act(db: Db) -> Any:
        db.put(Note(name=value, part="1", number=Decimal(value)))
        return read(db, value), db.table.raw.load(Row(pk=value, sk="N#1"))

    found, row = engines.same(act).value
    assert found.number == row.number == Decimal(stored)
    assert engines.raw(put(n={"N": value})) == (TAKEN, TAKEN)
    # moto keeps the text that it is given.
    texts = [client.get_item(**_raw_key())["Item"]["n"]["N"] for client in engines.clients.values()]
    assert texts[0] == value
    assert Decimal(texts[1]) == Decimal(stored)


def _raw_key() -> dict[str, Any]:
    return {"TableName": NAME, "Key": {"pk": {"S": "raw"}, "sk": {"S": "raw"}}, "ConsistentRead": True}


def test_an_item_of_exactly_400_kb(engines: Engines) -> None:
    """moto refuses what DynamoDB takes; a byte more is refused by us on both."""
    empty = Note(name="size", part="1")
    # The local index has an entry only of notes that have a title, which this one has not.
    rest = MAX_ITEM_BYTES - item_size(engines.dbs["local"].table.codec(Note).encode(empty))
    moto_outcome, local_outcome = engines.each(lambda db: db.put(empty.replace(text="x" * rest)).text == "x" * rest)
    assert moto_outcome == Outcome(INVALID, sent=1)
    assert local_outcome == Outcome(None, sent=1, value=True)
    assert engines.same(lambda db: db.put(empty.replace(text="x" * (rest + 1)))) == Outcome(
        "EncodingError",
        f"Note.text: is the largest field of an item of {MAX_ITEM_BYTES + 1} bytes; the limit is {MAX_ITEM_BYTES}",
    )


def test_a_local_index_takes_its_part_of_400_kb(engines: Engines) -> None:
    note = Note(name="size", part="2", title="t", text="x" * 250_000)
    assert engines.same(lambda db: db.put(note)) == Outcome(
        "EncodingError",
        "Note.text: is the largest field of an item of 500102 bytes (250051 of them in local indexes); the limit is 409600",
    )
    wires = {"title": {"S": "t"}, "text": {"S": "x" * 250_000}}
    assert engines.raw(put(**wires)) == (TAKEN, INVALID)


def test_batches_are_as_many_requests_as_it_takes(engines: Engines) -> None:
    notes = [Note(name="batch", part=f"{n:03}") for n in range(26)]
    keys = [Note.Key.of(note) for note in notes]
    assert engines.same(lambda db: len(db.batch_write(BatchWriteSet().clobber(*notes)).clobbered)) == Outcome(
        None, sent=2, value=26
    )
    assert engines.same(lambda db: list(db.batch_load(keys + keys))) == Outcome(None, sent=1, value=notes)
    raw = [{"PutRequest": {"Item": {"pk": {"S": "raw"}, "sk": {"S": str(n)}}}} for n in range(26)]
    assert engines.raw(lambda client: client.batch_write_item(RequestItems={NAME: raw})) == (TAKEN, INVALID)


def test_a_snapshot_of_100_keys_each_once(engines: Engines) -> None:
    keys = [Note.Key("batch", f"{n:03}") for n in range(100)]
    outcome = engines.same(lambda db: len(db.transaction_load(keys + keys[:50]).missing))
    assert outcome == Outcome(None, sent=1, value=74)
    key = {"pk": {"S": "raw"}, "sk": {"S": "0"}}
    twice = [{"Get": {"TableName": NAME, "Key": key}}] * 2
    assert engines.raw(lambda client: client.transact_get_items(TransactItems=twice)) == (TAKEN, INVALID)


def test_an_empty_transaction_sends_nothing(engines: Engines) -> None:
    assert engines.same(lambda db: len(db.transaction_write(TransactionWriteSet()))) == Outcome(None, value=0)
    assert engines.same(lambda db: len(db.transaction_load())) == Outcome(None, value=0)


def test_4_mb_of_a_transaction(engines: Engines) -> None:
    def act(db: Db) -> Any:
        writes = TransactionWriteSet()
        for n in range(11):
            writes.put(Note(name="big", part=str(n), text="x" * 400_000))
        return db.transaction_write(writes)

    outcome = engines.same(act)
    assert (outcome.error, outcome.sent) == ("LimitExceeded", 0)
    assert outcome.message == (
        "a transaction takes up to 4194304 bytes, not 4400485: the largest operation is put of "
        "Note.Key(name='big', part='10') with 400045"
    )
    puts = [
        {"Put": {"TableName": NAME, "Item": {"pk": {"S": "big"}, "sk": {"S": str(n)}, "x": {"S": "x" * 400_000}}}}
        for n in range(11)
    ]
    assert engines.raw(transact(*puts)) == (TAKEN, INVALID)


def test_absent_index_keys(engines: Engines) -> None:
    """``None`` is no NULL, which DynamoDB refuses as an index key, but an absent attribute."""
    note = Note(name="sparse", part="1", owner="anna", title="t")

    def act(db: Db) -> Any:
        db.put(note)
        before = db.table.by_owner.query(BeginsWith(Note.ByOwner("anna"))).contents
        db.save(note.replace(owner=None))
        db.update(Note.Key("sparse", "1"), attr(Note.title).set(None))
        return before, read(db, "sparse"), db.table.by_owner.query(BeginsWith(Note.ByOwner("anna"))).contents

    assert engines.same(act).value == ([note], note.replace(owner=None, title=None), [])
    assert engines.raw(put(owner={"NULL": True})) == (INVALID, INVALID)


def test_an_update_that_only_removes_makes_no_row(engines: Engines) -> None:
    key = Bare.Key("none")
    assert engines.same(lambda db: db.update(key, attr(Bare.text).remove())) == Outcome(
        "ItemNotFound", "update of Bare.Key(name='none'): there is no such item", sent=1
    )
    assert engines.same(lambda db: db.load(key)).value is None
    # Where the row is due, it is put.
    assert engines.same(lambda db: (db.save(Bare(name="none")), db.load(key))[1]).value == Bare(name="none")


def test_reserved_words_are_names_like_others(engines: Engines) -> None:
    note = Note(name="words", part="1", text="x", words=["a", "b"])

    def act(db: Db) -> Any:
        db.put(note)
        # The projection names `size`, whose elements moto cannot project.
        return db.table.notes.query(
            BeginsWith(Note.Key("words")), filter_expression=(attr(Note.text) == "x") & (attr(Note.words)[0] == "a")
        ).contents

    assert engines.same(act) == Outcome(None, sent=2, value=[note])
    assert engines.raw(put(l={"L": [{"S": "a"}]})) == (TAKEN, TAKEN)
    names = {"#l": "l"}
    assert engines.raw(query(ProjectionExpression="#l[0]", ExpressionAttributeNames=names)) == (INVALID, TAKEN)


def _saved_under(draft: Draft, condition: Condition, db: Db) -> int:
    """The version that a save makes of a draft that is stored."""
    (stored,) = db.batch_write(BatchWriteSet().clobber(draft)).clobbered
    assert isinstance(stored, Draft)
    return db.save(stored, condition).version


def test_parentheses_of_the_callers_are_not_doubled(engines: Engines) -> None:
    draft = Draft(name="draft", version=1)
    same = Expression(" ((#v = :v)) ", values={":v": 2}, names={"#v": "version"})
    other = Expression("(version = :x)", values={":x": 9})
    either = Expression("(version = :x) OR (attribute_exists(pk))", values={":x": 9})
    for condition in (same, same & either, other | same, ~other, ~~same, ~(other & either)):
        assert engines.same(partial(_saved_under, draft, condition)) == Outcome(None, sent=2, value=3)
    for condition in (other, ~same, other & either, ~either):
        assert engines.same(partial(_saved_under, draft, condition)) == Outcome(
            "ConditionFailed", "save of Draft.Key(name='draft'): the condition does not hold", sent=2
        )
    doubled = query("((x = :v)) OR x = :v", values={":v": {"N": "1"}})
    assert engines.raw(doubled) == (INVALID, INVALID)


def test_pages_of_as_many_as_are_left(engines: Engines) -> None:
    """DynamoDB cannot know yet that a full page is the last, and moto does; the items are the same."""
    notes = [Note(name="pages", part=str(n)) for n in range(4)]
    condition = BeginsWith(Note.Key("pages"))
    assert engines.same(lambda db: len(db.batch_write(BatchWriteSet().clobber(*notes)).clobbered)).value == 4

    def pages(db: Db) -> Any:
        return [page.contents for page in db.table.notes.query_all(condition, page_size=2)]

    moto_outcome, local_outcome = engines.each(pages)
    assert moto_outcome.value == [notes[:2], notes[2:]]
    assert local_outcome.value == [notes[:2], notes[2:], []]
    found = engines.same(lambda db: [*db.table.notes.query_all_contents(condition, page_size=3)])
    assert found == Outcome(None, sent=2, value=notes)
    assert engines.same(lambda db: db.table.notes.count(condition)).value == 4


@pytest.mark.parametrize("page_size", [1, 2, 5])
@pytest.mark.parametrize("start", ["0", "1", "25", "3", "9"])
def test_a_start_outside_the_range_is_not_sent(engines: Engines, start: str, page_size: int) -> None:
    notes = [Note(name="starts", part=str(n)) for n in range(5)]
    engines.same(lambda db: len(db.batch_write(BatchWriteSet().clobber(*notes)).clobbered))
    wanted = Between(Note.Key("starts", "1"), Note.Key("starts", "3"))

    def act(db: Db) -> Any:
        offset = Offset(Note.Key("starts", start))
        return [*db.table.notes.query_all_contents(wanted, initial_offset=offset, page_size=page_size)]

    expected = [note for note in notes[1:4] if note.part > start]
    # Of DynamoDB, an empty page more may come after a full one.
    assert [outcome.value for outcome in engines.each(act)] == [expected, expected]
    outside = {"pk": {"S": "raw"}, "sk": {"S": "0"}}
    between = {"KeyConditionExpression": "pk = :p AND sk > :s", "ExclusiveStartKey": outside}
    assert engines.raw(query(values={":s": {"S": "5"}}, **between)) == (TAKEN, INVALID)


def test_an_open_range_of_nothing(engines: Engines) -> None:
    outcome = engines.same(lambda db: db.table.notes.query(AtLeast(Note.Key("nobody", "x"))).contents)
    assert outcome == Outcome(None, sent=1, value=[])


def test_a_local_index_needs_a_sort_key_of_the_table(engines: Engines) -> None:
    def declare() -> Any:
        class Rows(RawItem):
            pk: Annotated[str, PartitionKey()]
            title: Annotated[str | None, SortKey(index="by_title")] = None

        return Rows

    with pytest.raises(DeclarationError) as error:
        declare()
    assert str(error.value) == (
        "Rows.title: the index 'by_title' has a sort key alone, so it is a local one, and local indexes need a table with "
        "a sort key; give the index a partition key, or mark a field SortKey() for the table"
    )
    keys = [{"AttributeName": "pk", "KeyType": "HASH"}]
    index = {
        "IndexName": "by_t",
        "KeySchema": [*keys, {"AttributeName": "t", "KeyType": "RANGE"}],
        "Projection": {"ProjectionType": "ALL"},
    }
    create = {
        "TableName": f"{NAME}-local-index",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys,
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "t")],
        "LocalSecondaryIndexes": [index],
    }
    assert engines.raw(lambda client: client.create_table(**create)) == (TAKEN, INVALID)


# What is left to the service, because only it knows the stored row.


@pytest.mark.parametrize(
    "change",
    [
        attr(Note.number).add(1),
        attr(Note.count).add(1),
        attr(Note.tags).add_to_set({"x"}),
        attr(Note.words).append(["x"]),
        attr(Note.words)[0].set("x"),
    ],
    ids=repr,
)
def test_an_update_of_another_stored_type(engines: Engines, change: Any) -> None:
    """Of a row that others wrote: strings where numbers, sets, lists and maps are due."""
    strings = {name: {"S": "x"} for name in ("number", "count", "tags", "size", "notes")}
    engines.put({"pk": {"S": "odd"}, "sk": {"S": "N#1"}, **strings})
    assert engines.same(lambda db: db.update(Note.Key("odd", "1"), change)) == Outcome(INVALID, sent=1)


def test_an_update_inside_of_what_is_no_map(engines: Engines) -> None:
    """moto puts the value into the string somehow."""
    engines.put({"pk": {"S": "odd"}, "sk": {"S": "N#2"}, "notes": {"S": "x"}})
    moto_outcome, local_outcome = engines.each(
        lambda db: db.update(Note.Key("odd", "2"), attr(Note.notes)["a"].set(1)).notes
    )
    assert local_outcome == Outcome(INVALID, sent=1)
    assert moto_outcome.error == "DecodingError"


def test_a_sum_of_more_than_38_digits(engines: Engines) -> None:
    """DynamoDB refuses it and rounds nothing; moto keeps all digits."""
    key = Note.Key("sum", "1")
    engines.same(lambda db: db.put(Note(name="sum", part="1", number=Decimal("9" * 38))))
    moto_outcome, local_outcome = engines.each(lambda db: db.update(key, attr(Note.number).add(2)).number)
    assert local_outcome == Outcome(INVALID, sent=1)
    assert moto_outcome == Outcome(None, sent=1, value=Decimal(10**38 + 1))
