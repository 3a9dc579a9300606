"""Cursors: signed, and bound to their query."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest

from logicaldb import (
    AtLeast,
    BeginsWith,
    EncodingError,
    EqualTo,
    Expression,
    IncompleteKey,
    InvalidCursor,
    KeyCondition,
    LessThan,
    Offset,
    attr,
)
from logicaldb.operations import cursors
from logicaldb.operations.reading import Source
from tests.unit.operations.driving import NOW, NoTransport, make_table
from tests.unit.operations.models import Binary, BinaryTable, Order, ShopTable, Step, Thing, ThingTable

SHOP = make_table(ShopTable)
STEPS: Source[Any, Any] = SHOP.steps._source
BY_TITLE: Source[Any, Any] = SHOP.steps_by_title._source
CONDITION = BeginsWith(Step.Key("C"))
OFFSET: Offset[Any] = Offset(Step.Key("C", 3))
RAW = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "STEP_0003"}}


def to_token(
    source: Source[Any, Any] = STEPS,
    offset: Any = OFFSET,
    condition: KeyCondition[Any] = CONDITION,
    *,
    secret: Any = "secret",
    asc: bool = True,
    filter_expression: Any = None,
) -> str:
    return cursors.to_token(source, offset, condition, secret=secret, asc=asc, filter_expression=filter_expression)


def from_token(
    token: Any,
    source: Source[Any, Any] = STEPS,
    condition: KeyCondition[Any] = CONDITION,
    *,
    secret: Any = "secret",
    asc: bool = True,
    filter_expression: Any = None,
) -> Offset[Any]:
    return cursors.from_token(source, token, condition, secret=secret, asc=asc, filter_expression=filter_expression)


def test_there_and_back() -> None:
    token = to_token()
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    offset = from_token(token)
    assert offset == OFFSET
    assert offset.key == Step.Key("C", 3)
    assert offset.raw == RAW


def test_the_key_in_a_token_is_not_secret() -> None:
    token = to_token()
    assert json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4))[32:]) == RAW


def test_a_token_is_the_same_each_time() -> None:
    assert to_token() == to_token()
    assert to_token(offset=Offset.served(None, dict(reversed(RAW.items())))) == to_token()


def test_an_offset_without_a_key() -> None:
    last = {"pk": {"S": "CUSTOMER_C"}, "sk": {"S": "ORDER_2026-01-02#1"}}
    offset = from_token(to_token(offset=Offset.served(None, last)))
    assert offset.key is None
    assert offset.raw == last


def test_every_changed_byte_is_found() -> None:
    token = to_token()
    for place in range(len(token)):
        for other in "Az09-_":
            if token[place] != other:
                with pytest.raises(InvalidCursor):
                    from_token(token[:place] + other + token[place + 1 :])


def test_every_changed_bit_is_found() -> None:
    token = to_token()
    signed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    for place in range(len(signed) * 8):
        changed = bytearray(signed)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(InvalidCursor):
            from_token(urlsafe_b64encode(changed).rstrip(b"=").decode())


def test_a_part_of_a_token_is_none() -> None:
    token = to_token()
    for length in range(len(token)):
        with pytest.raises(InvalidCursor):
            from_token(token[:length])


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token + "=",
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token[:9] + "!" + token[9:],
        lambda token: token + token,
        lambda token: token.replace("_", "/").replace("-", "+") + "+",
        lambda token: token.encode(),
        lambda token: "",
        lambda token: "ü" + token,
        lambda token: None,
        lambda token: 17,
        lambda token: [token],
    ],
)
def test_other_spellings_are_damage(change: Any) -> None:
    with pytest.raises(InvalidCursor):
        from_token(change(to_token()))


def test_the_messages() -> None:
    with pytest.raises(InvalidCursor) as error:
        from_token("!")
    assert str(error.value) == "the cursor is damaged"
    with pytest.raises(InvalidCursor) as error:
        from_token(to_token(), secret="other")
    assert str(error.value) == "the cursor is damaged, signed with another secret, or belongs to another query"


TITLED: Any = attr(Step.title)


@pytest.mark.parametrize(
    "other",
    [
        {"secret": "Secret"},
        {"secret": b"secret\x00"},
        {"condition": BeginsWith(Step.Key("D"))},
        {"condition": AtLeast(Step.Key("C", 1))},
        {"condition": AtLeast(Step.Key("C", 2))},
        {"condition": LessThan(Step.Key("C", 9))},
        {"condition": EqualTo(Step.Key("C", 3))},
        {"asc": False},
        {"filter_expression": TITLED == "x"},
        {"source": make_table(ShopTable).steps_by_score._source, "condition": BeginsWith(Step.ScoreKey("C"))},
        {"source": SHOP.orders._source, "condition": BeginsWith(Order.Key("C"))},
    ],
)
def test_a_token_is_bound_to_its_query(other: dict[str, Any]) -> None:
    with pytest.raises(InvalidCursor):
        from_token(to_token(), **other)


@pytest.mark.parametrize("other", [TITLED == "y", TITLED != "x", (TITLED == "x") & (TITLED == "x"), None])
def test_a_token_is_bound_to_its_filter(other: Any) -> None:
    token = to_token(filter_expression=TITLED == "x")
    assert from_token(token, filter_expression=TITLED == "x") == OFFSET
    with pytest.raises(InvalidCursor):
        from_token(token, filter_expression=other)


def test_a_token_is_bound_to_its_table() -> None:
    other: Any = ShopTable("other", NoTransport(), lambda: NOW, 1)
    with pytest.raises(InvalidCursor):
        from_token(to_token(), other.steps._source)


def test_a_token_is_bound_to_its_index() -> None:
    """Two local indexes share the partition key, and even a start key may fit both."""
    token = to_token(BY_TITLE, Offset(Step.TitleKey("C", "x", 3)), BeginsWith(Step.TitleKey("C")))
    assert from_token(token, BY_TITLE, BeginsWith(Step.TitleKey("C"))) == Offset(Step.TitleKey("C", "x", 3))
    with pytest.raises(InvalidCursor):
        from_token(token, STEPS, CONDITION)


def test_the_order_of_a_set_does_not_matter() -> None:
    things: Source[Any, Any] = make_table(ThingTable).things._source
    condition = BeginsWith(Thing.Key("T"))
    words = [f"word {number}" for number in range(50)]
    filters: list[Callable[[set[str]], Any]] = [
        lambda values: attr(Thing.title).is_in(values),
        lambda values: attr(Thing.tags) == values,
        lambda values: Expression("tags = :t AND m = :m", values={":t": values, ":m": {"SS": "x", "L": [values]}}),
    ]
    for make in filters:
        one, other = make(set(words)), make(set(sorted(words, reverse=True)[:25]) | set(words))
        token = to_token(things, Offset(Thing.Key("T")), condition, filter_expression=one)
        assert from_token(token, things, condition, filter_expression=other) == Offset(Thing.Key("T"))
        with pytest.raises(InvalidCursor):
            from_token(token, things, condition, filter_expression=make(set(words[:-1])))


def test_a_map_may_have_the_names_of_sets() -> None:
    one = Expression("m = :m", values={":m": {"SS": "a"}})
    other = Expression("m = :m", values={":m": {"SS": "b"}})
    with pytest.raises(InvalidCursor):
        from_token(to_token(filter_expression=one), filter_expression=other)


def test_the_order_of_a_list_matters() -> None:
    one, other = attr(Step.title).is_in(["a", "b"]), attr(Step.title).is_in(["b", "a"])
    with pytest.raises(InvalidCursor):
        from_token(to_token(filter_expression=one), filter_expression=other)


def test_secrets_are_str_or_bytes() -> None:
    assert from_token(to_token(secret="sécret"), secret="sécret".encode()) == OFFSET


@pytest.mark.parametrize("secret", ["", b""])
def test_an_empty_secret_is_refused(secret: Any) -> None:
    for use in (lambda: to_token(secret=secret), lambda: from_token(to_token(), secret=secret)):
        with pytest.raises(EncodingError) as error:
            use()
        assert str(error.value) == "the secret of a cursor is empty; anyone could sign with it"


def test_other_secrets_are_refused() -> None:
    with pytest.raises(TypeError) as error:
        to_token(secret=17)
    assert str(error.value) == "the secret of a cursor is a str or bytes, not an int"


def test_an_offset_of_another_query_is_refused() -> None:
    with pytest.raises(EncodingError) as error:
        to_token(offset=Offset(Step.Key("D", 3)))
    assert str(error.value) == (
        "Offset(Step.Key(customer='D', number=3)): is of another partition than the key condition"
    )
    with pytest.raises(IncompleteKey):
        to_token(offset=Offset(Step.Key("C")))
    with pytest.raises(TypeError) as type_error:
        to_token(offset=None)
    assert str(type_error.value) == "an offset is due, such as page.offset or Offset(key), not None"


def test_binary_keys() -> None:
    source: Source[Any, Any] = make_table(BinaryTable).binaries._source
    offset = Offset(Binary.Key(b"p", b"\xff\x00"))
    condition = BeginsWith(Binary.Key(b"p"))
    assert from_token(to_token(source, offset, condition), source, condition) == offset
