"""Whatever a row holds, only a ``DecodingError`` comes out of reading it, or an item that can be stored again."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from time import process_time
from typing import Any, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from logicaldb import (
    BeginsWith,
    ConditionFailed,
    DecodingError,
    EncodingError,
    Item,
    LogicalDbError,
    TransactionCanceled,
    TransactionWriteSet,
    attr,
)
from logicaldb.table import ItemCodec
from tests.security.models import Db, Everything, Measure, Order, Strict, Whole
from tests.security.service import Service

Row = Mapping[str, Any]

SECONDS: Final = 2.0
"""What reading a hostile row takes at most; it takes milliseconds."""
DEEP: Final = 100_000


def nested(levels: int, form: str) -> Any:
    wire: Any = {"S": "x"}
    for _ in range(levels):
        wire = {"L": [wire]} if form == "L" else {"M": {"deep": wire}}
    return wire


NO_VALUES: Final[Mapping[str, Any]] = {
    # By a name, because a repr of these may be long, or too deep.
    "no-form": {},
    "unknown-form": {"X": 1},
    "lower-form": {"s": "x"},
    "form-is-a-number": {5: "x"},
    "S-list": {"S": ["x"]},
    "N-nan": {"N": "NaN"},
    "N-snan": {"N": "sNaN123"},
    "N-infinity": {"N": "-Infinity"},
    "N-inf": {"N": "inf"},
    "N-huge-exponent": {"N": "1E999999999"},
    "N-tiny-exponent": {"N": "-1E-999999999"},
    "N-zero-of-a-huge-exponent": {"N": "0E999999999"},
    "N-exponent-of-no-end": {"N": "1E" + "9" * 100},
    "N-400-digits": {"N": "9" * 400},
    "N-a-million-digits": {"N": "9" * 1_000_000},
    "N-too-great": {"N": "1E126"},
    "N-too-small": {"N": "1E-131"},
    "N-number": {"N": 5},
    "N-float": {"N": float("nan")},
    "N-empty": {"N": ""},
    "N-hexadecimal": {"N": "0x10"},
    "B-no-base64": {"B": "!!"},
    "B-no-ascii": {"B": "é"},
    "B-number": {"B": 5},
    "B-cut": {"B": "QQ="},
    "BOOL-text": {"BOOL": "true"},
    "BOOL-number": {"BOOL": 1},
    "L-map": {"L": {}},
    "L-text": {"L": "abc"},
    "L-of-none": {"L": [None]},
    "L-of-numbers": {"L": [5]},
    "L-of-no-value": {"L": [{"S": "x"}, {"S": 5}]},
    "M-list": {"M": []},
    "M-of-none": {"M": {"name": None}},
    "M-of-no-value": {"M": {"name": {"N": "NaN"}}},
    "SS-text": {"SS": "abc"},
    "SS-numbers": {"SS": [5]},
    "SS-lists": {"SS": [["x"]]},
    "NS-text": {"NS": ["x"]},
    "NS-huge-exponent": {"NS": ["1E999999999"]},
    "BS-no-base64": {"BS": ["!"]},
    "BS-number": {"BS": [5]},
    "L-deep": nested(DEEP, "L"),
    "M-deep": nested(DEEP, "M"),
}
"""What DynamoDB never gives as the value of an attribute."""

LOOSE: Final[Mapping[str, Any]] = {
    "text": "x",
    "bytes": b"x",
    "list": [],
    "N-bool": {"N": True},
    "L-none": {"L": None},
    "M-none": {"M": None},
    "number": 5,
    "two-forms": {"S": "x", "N": "1"},
    "null-and-more": {"NULL": True, "S": "x"},
    "S-number": {"S": 5},
    "S-none": {"S": None},
    "S-bytes": {"S": b"x"},
    "N-bytes": {"N": b"12"},
    "N-underscore": {"N": "1_0"},
    "N-spaces": {"N": " 1 "},
    "N-other-digits": {"N": "\u0661"},
    "NULL-false": {"NULL": False},
    "SS-empty": {"SS": []},
    "NS-twice": {"NS": ["1", "1.0"]},
    "M-empty-name": {"M": {"": {"S": "x"}}},
    "S-surrogate": {"S": "\ud800"},
}
"""What DynamoDB never gives either, and what some types take; what they make of it is a valid item all the same."""

KEY: Final = {"pk": {"S": "P#a"}, "sk": {"S": "E#000001"}}
FIELDS: Final = [name for name in Everything.model_fields if name not in ("name", "number")]

service = Service()
db = Db(service.client)
codecs: Mapping[type[Item], ItemCodec[Any]] = {
    Measure: db.numbers.codec(Measure),
    **{kind: db.table.codec(kind) for kind in (Everything, Order, Whole, Strict)},
}


@contextmanager
def in_time() -> Generator[None]:
    began = process_time()
    yield
    assert process_time() - began < SECONDS


def outcome(read: Callable[[Any], Any], row: Any) -> Any:
    """What reading gives, ``None`` where it is refused; anything but a ``DecodingError`` passes."""
    try:
        with in_time():
            return read(row)
    except DecodingError as error:
        told = str(error)
    assert "is no valid" in told or "is none of the types of" in told
    return None


def assert_consistent(item: Item) -> None:
    """What came of a row can be stored and reads back as it is, or is refused by name (text that is not UTF-8, say)."""
    codec = codecs[type(item)]
    try:
        row = codec.encode(item)
    except EncodingError as error:
        told = str(error)
    else:
        assert codec.decode(row) == item
        return
    assert told.startswith(f"{type(item).__name__}.")
    assert "_Malformed" not in told


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_no_value_is_refused_by_every_type(field: str) -> None:
    for name, wire in NO_VALUES.items():
        with in_time(), pytest.raises(DecodingError) as raised:
            codecs[Everything].decode({**KEY, field: wire})
        # The name of the field and pydantic's of the problem, and nothing of the value.
        assert str(raised.value).startswith(f"the row pk='P#a', sk='E#000001' is no valid Everything: {field}"), name
        assert len(str(raised.value)) < 500
        assert raised.value.key == {"pk": "P#a", "sk": "E#000001"}


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_hardly_a_value_is_refused_or_harmless(field: str) -> None:
    for wire in LOOSE.values():
        item = outcome(codecs[Everything].decode, {**KEY, field: wire})
        if item is not None:
            assert_consistent(item)


@pytest.mark.parametrize("name", NO_VALUES)
def test_what_is_no_value_is_no_key(name: str) -> None:
    wire = NO_VALUES[name]
    for row in ({**KEY, "pk": wire}, {**KEY, "sk": wire}, {"pk": wire, "sk": wire}):
        for codec in (codecs[Everything], codecs[Order], codecs[Measure]):
            with in_time(), pytest.raises(DecodingError):
                codec.decode(row)
        with in_time(), pytest.raises(DecodingError):
            db.table.decode(row)


@pytest.mark.parametrize("row", [{}, {"pk": None, "sk": None}, {"sk": {"S": "E#000001"}}, {5: {"S": "x"}}], ids=repr)
def test_a_row_without_its_key(row: Any) -> None:
    for codec in codecs.values():
        with pytest.raises(DecodingError):
            codec.decode(row)
    with pytest.raises(DecodingError):
        db.table.decode(row)


@pytest.mark.parametrize(
    ("row", "what"), [(None, "None"), ([], "a list"), ("{}", "a str"), (5, "an int"), (b"", "bytes")], ids=repr
)
def test_what_is_no_row(row: Any, what: str) -> None:
    for decode in (db.table.decode, *(codec.decode for codec in codecs.values())):
        with pytest.raises(DecodingError) as raised:
            decode(row)
        assert str(raised.value) == f"a row in wire form is a dict of its attributes, not {what}"
        assert raised.value.key is None


# Hostile values that are drawn: texts of every kind under every form, whatever holds whatever.

TEXTS = st.one_of(
    st.text(max_size=8),
    st.text(st.characters(categories=["Cs", "Lu", "Nd"]), max_size=8),
    st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,12})?", fullmatch=True),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]{1,15}(Z|[+-][0-9:]{1,8})?)?", fullmatch=True),
    st.from_regex(r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9:]{1,8})?", fullmatch=True),
    st.sampled_from(
        ["a", "red", "1", "cat", "dog", "true", "QQ==", "E#000001", "P#", "C#a/b", "O#2026-01-01#a##b", "NaN", "1E+125"]
    ),
    st.uuids().map(str),
    st.integers(1, 400).map("9".__mul__),
)
NAMES = st.one_of(st.sampled_from(["name", "number", "inner", "kind", "lives", "x", "a", "part"]), TEXTS)
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.binary(max_size=4), st.lists(TEXTS, max_size=3)
)
FORMS = st.sampled_from(["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"])
LEAVES = st.one_of(
    st.builds(lambda form, held: {form: held}, st.sampled_from("SNB"), TEXTS),
    st.builds(lambda form, held: {form: held}, FORMS, JUNK),
    st.builds(lambda form, held: {form: held}, st.sampled_from(["SS", "NS", "BS"]), st.lists(TEXTS, max_size=3)),
    st.dictionaries(st.one_of(FORMS, TEXTS), JUNK, max_size=2),
    JUNK,
)
WIRES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda held: {"L": held}),
        st.dictionaries(NAMES, inner, max_size=3).map(lambda held: {"M": held}),
    ),
    max_leaves=8,
)


def rows(kind: type[Item]) -> st.SearchStrategy[Any]:
    """Rows of a type: most with a key that is valid, some attributes hostile."""
    keys_of: Mapping[type[Item], tuple[str, str]] = {
        Everything: ("P#a", "E#000001"),
        Order: ("C#a/b", "O#2026-01-01#a##b"),
        Whole: ("P#a", "W#b"),
        Strict: ("P#a", "S#b"),
    }
    pk, sk = keys_of[kind]
    names = [name for name in kind.model_fields if name not in ("name", "number")]
    valid = st.just({"pk": {"S": pk}, "sk": {"S": sk}})
    keys = st.one_of(valid, valid, st.fixed_dictionaries({}, optional={"pk": WIRES, "sk": WIRES}))
    others = st.dictionaries(st.one_of(st.sampled_from(names), TEXTS), WIRES, max_size=6)
    return st.builds(lambda key, other: {**other, **key}, keys, others)


ANY_ROW = st.one_of([rows(kind) for kind in (Everything, Everything, Order, Whole, Strict)])


@settings(max_examples=150)
@given(ANY_ROW)
@example({**KEY, "real": {"N": "9" * 400}})
@example({**KEY, "by_number": {"M": {"9" * 5000: {"BOOL": True}}}})
@example({**KEY, "length": {"N": "1E125"}})
@example({**KEY, "moment": {"N": "1E125"}})
@example({**KEY, "moment": {"S": "9999-12-31T23:59:59.999999-23:59"}})
@example({**KEY, "expires": {"N": "-9E99"}})
@example({**KEY, "days": {"L": [{"L": []}]}})
@example({**KEY, "count": {"N": "1E125"}})
@example({"pk": {"S": "C#" + "/" * 100_000}, "sk": {"S": "O#2026-01-01" + "#" * 100_000}})
@example({"pk": {"S": "P#"}, "sk": {"S": "E#" + "0" * 1_000_000}})
def test_only_a_decoding_error_comes_out(row: Any) -> None:
    for codec in codecs.values():
        item = outcome(codec.decode, row)
        if item is not None:
            assert_consistent(item)
    outcome(db.table.decode, row)


@given(st.fixed_dictionaries({"pk": WIRES, "sk": WIRES}, optional={"value": WIRES}))
@example({"pk": {"N": "1"}, "sk": {"B": "QQ=="}, "value": {"N": "1E125"}})
@example({"pk": {"N": "1E999999999"}, "sk": {"B": "QQ=="}, "value": {"N": "1"}})
def test_keys_that_are_numbers_and_binaries(row: Any) -> None:
    item = outcome(db.numbers.codec(Measure).decode, row)
    if item is not None:
        assert_consistent(item)


# The same rows in the answers of the service, as far as JSON has them.


ITEM = Everything(name="a", number=1, version=3)
KEY_OF_ITEM = Everything.Key("a", 1)

READS: Mapping[str, Callable[[], Any]] = {
    "load": lambda: db.load(KEY_OF_ITEM),
    "transaction_load": lambda: list(db.transaction_load(KEY_OF_ITEM)),
    "query": lambda: db.table.everything.query(BeginsWith(Everything.Key("a"))).contents,
    "query_all_contents": lambda: list(db.table.everything.query_all_contents(BeginsWith(Everything.Key("a")))),
    "index": lambda: db.table.orders_by_owner.query(BeginsWith(Order.ByOwner("a"))).contents,
    "scan": lambda: db.table.everything.scan().contents,
    "collection": lambda: db.table.several.query(Whole.Key("a")).contents,
    "raw scan": lambda: db.table.raw.scan().contents,
    "delete_key": lambda: db.delete_key(KEY_OF_ITEM),
    "update": lambda: db.update(KEY_OF_ITEM, attr(Everything.text).set("x")),
    "increment": lambda: db.increment(KEY_OF_ITEM, Everything.count),
    "save": lambda: db.save(ITEM),
}
WRITES: Mapping[str, Callable[[], Any]] = {
    "save": lambda: db.save(ITEM, condition=attr(Everything.text) == "x"),
    "create": lambda: db.create(ITEM.replace(version=0)),
    "delete": lambda: db.delete(ITEM),
    "increment": lambda: db.increment(KEY_OF_ITEM, Everything.count, -1),
    "update": lambda: db.update(KEY_OF_ITEM, attr(Everything.text).set("x"), if_version=3),
    "transaction": lambda: db.transaction_write(TransactionWriteSet().save(ITEM)),
}


# What botocore's parser of errors takes: the right type under each form, if not the right text.
PARSED = st.recursive(
    st.one_of(
        st.builds(lambda form, held: {form: held}, st.sampled_from("SN"), TEXTS),
        st.builds(lambda form, held: {form: held}, st.sampled_from(["SS", "NS"]), st.lists(TEXTS, max_size=3)),
        st.sampled_from([{"NULL": True}, {"BOOL": False}, {"B": "QQ=="}, {"BS": ["QQ=="]}]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda held: {"L": held}),
        st.dictionaries(NAMES, inner, max_size=3).map(lambda held: {"M": held}),
    ),
    max_leaves=8,
)
PARSED_ROWS = st.builds(
    lambda key, others: {**others, **key},
    st.just(KEY) | st.fixed_dictionaries({}, optional={"pk": PARSED, "sk": PARSED}),
    st.dictionaries(st.sampled_from([*FIELDS, "version", "count"]), PARSED, max_size=6),
)


def as_json(row: Any) -> Any:
    """The row as it comes out of JSON, which has no bytes."""
    return json.loads(json.dumps(row, default=repr))


@settings(max_examples=100)
@given(ANY_ROW, st.sampled_from(sorted(READS)))
@example({**KEY, "anything": {"X": 1}}, "raw scan")
@example({**KEY, "count": {"N": "1E999999999"}}, "increment")
@example({**KEY, "count": {"S": "x"}}, "increment")
@example({}, "collection")
def test_what_reads_answers_raises_nothing_else(row: Any, read: str) -> None:
    service.row, service.error = as_json(row), None
    outcome(lambda _: READS[read](), None)


@settings(max_examples=100)
@given(PARSED_ROWS, st.sampled_from(sorted(WRITES)))
@example({**KEY, "version": {"N": "x"}}, "save")
@example({**KEY, "version": {"N": "1E999999999"}}, "update")
@example({**KEY, "version": {"S": "x"}}, "save")
@example({**KEY, "count": {"N": "x"}}, "increment")
@example({**KEY, "count": {"S": "x"}}, "increment")
def test_a_hostile_row_does_not_hide_why_a_write_failed(row: Any, write: str) -> None:
    service.row = as_json(row)
    service.error = "TransactionCanceledException" if write == "transaction" else "ConditionalCheckFailedException"
    with in_time(), pytest.raises(LogicalDbError) as raised:
        WRITES[write]()
    error: Any = raised.value
    if isinstance(error, TransactionCanceled):
        error = error.failures[0].error
    assert isinstance(error, ConditionFailed)
    assert (error.item is None) is (error.undecodable is not None) or type(error).__name__ == "ItemNotFound"
