"""What is too large or too deep is refused at once, before any work is done on it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from time import process_time
from typing import Any, Final

import pytest

from logicaldb import BeginsWith, EncodingError, Expression, LimitExceeded, attr
from tests.security.models import Db, Everything, Inner, Order, Row, Whole
from tests.security.service import Service

SECONDS: Final = 1.0

service = Service()
db = Db(service.client)

HUGE_NUMBER: Final = 10**1_000_000
HUGE_TEXT: Final = "x" * 10_000_000
OUT_OF_RANGE: Final = (
    "is a number outside of what DynamoDB holds, 1E-130 to 9.9999999999999999999999999999999999999E+125"
)
VALUES: Final = "the names and values of its expressions have {} bytes; the limit is 2097152"
TOO_DEEP: Final = "is nested deeper than 32 levels"
ITEM: Final = Everything(name="a", number=1)
KEY: Final = Everything.Key("a", 1)


def nest(levels: int, form: Callable[[Any], Any]) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = form(value)
    return value


def inner(levels: int) -> Inner:
    model = Inner(name="x")
    for _ in range(levels):
        model = Inner.model_construct(name="x", inner=model)
    return model


DEEP_LIST: Final = nest(100_000, lambda value: [value])
DEEP_MAP: Final = nest(100_000, lambda value: {"a": value})

CASES: Final[dict[str, tuple[Callable[[], Any], str]]] = {
    "int": (lambda: db.put(ITEM.replace(whole=HUGE_NUMBER)), f"Everything.whole: {OUT_OF_RANGE}"),
    "negative int": (lambda: db.put(ITEM.replace(whole=-HUGE_NUMBER)), f"Everything.whole: {OUT_OF_RANGE}"),
    "int anywhere": (lambda: db.put(ITEM.replace(anything=[HUGE_NUMBER])), f"Everything.anything[0]: {OUT_OF_RANGE}"),
    "int in a key": (lambda: db.load(Everything.Key("a", HUGE_NUMBER)), "Everything.Key.number: is wider than 6 digits"),
    "int in a set": (
        lambda: db.put(ITEM.replace(wholes=frozenset([HUGE_NUMBER]))), f"Everything.wholes: {OUT_OF_RANGE}"
    ),
    "int in a condition": (lambda: db.put(ITEM, attr(Everything.whole) == HUGE_NUMBER), f"Everything.whole: {OUT_OF_RANGE}"),
    "int in an update": (
        lambda: db.update(KEY, attr(Everything.whole).add(HUGE_NUMBER)), f"Everything.whole: {OUT_OF_RANGE}"
    ),
    "increment": (lambda: db.increment(KEY, Everything.count, HUGE_NUMBER), f"Everything.count: {OUT_OF_RANGE}"),
    "decimal": (
        lambda: db.put(ITEM.replace(exact=Decimal((0, (1,) * 1_000_000, 0)))), f"Everything.exact: {OUT_OF_RANGE}"
    ),
    "exponent": (lambda: db.put(ITEM.replace(exact=Decimal("1E999999999"))), f"Everything.exact: {OUT_OF_RANGE}"),
    "small exponent": (lambda: db.put(ITEM.replace(exact=Decimal("1E-999999999"))), f"Everything.exact: {OUT_OF_RANGE}"),
    "list": (lambda: db.put(ITEM.replace(anything=DEEP_LIST)), f"Everything.anything: {TOO_DEEP}"),
    "map": (lambda: db.put(ITEM.replace(anything=DEEP_MAP)), f"Everything.anything: {TOO_DEEP}"),
    "models": (lambda: db.put(ITEM.model_copy(update={"inner": inner(2_000)})), f"Everything.inner: {TOO_DEEP}"),
    "list in an update": (
        lambda: db.update(KEY, attr(Everything.anything).set(DEEP_LIST)), f"Everything.anything: {TOO_DEEP}"
    ),
    "text of a key": (
        lambda: db.load(Whole.Key(HUGE_TEXT, "x")),
        "Whole.Key.name: makes the key attribute pk 10000002 bytes long; the limit is 2048",
    ),
    "text of a part": (
        lambda: db.table.orders.query(BeginsWith(Order.Key(HUGE_TEXT, "x"))),
        "Order.Key.region: makes the key attribute pk 10000004 bytes long; the limit is 2048",
    ),
    "text": (
        lambda: db.put(Whole(name="a", part="b", text=HUGE_TEXT)),
        "Whole.text: is the largest field of an item of 10000037 bytes; the limit is 409600",
    ),
    "text in a condition": (
        lambda: db.put(Whole(name="a", part="b"), attr(Whole.text) == HUGE_TEXT),
        f"put of Whole.Key(name='a', part='b'): {VALUES.format(10_000_004)}",
    ),
    "text in an update": (
        lambda: db.update(Whole.Key("a", "b"), attr(Whole.text).set(HUGE_TEXT)),
        f"update of Whole.Key(name='a', part='b'): {VALUES.format(10_000_006)}",
    ),
    "text in a filter": (
        lambda: db.table.wholes.scan(filter_expression=attr(Whole.text).contains(HUGE_TEXT)),
        f"the filter: {VALUES.format(10_000_008)}",
    ),
    "raw text": (
        lambda: db.table.raw.scan(filter_expression=Expression("x = :x", values={":x": HUGE_TEXT})),
        f"the filter: {VALUES.format(10_000_000)}",
    ),
    "name": (
        lambda: db.put(Whole(name="a", part="b", notes={HUGE_TEXT: "x"})),
        "Whole.notes: has a key that is 10000000 bytes long; the limit is 65535",
    ),
    "raw item": (
        lambda: db.table.raw.put(Row(pk="a", sk="b", owner=HUGE_TEXT)),
        "Row.owner: makes the key attribute owner 10000000 bytes long; the limit is 2048",
    ),
    "token": (
        lambda: db.put(ITEM, idempotency_token=HUGE_TEXT),
        "an idempotency token has 1 to 36 characters, not 10000000",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_it_is_refused_at_once(name: str) -> None:
    act, message = CASES[name]
    service.requests.clear()
    began = process_time()
    with pytest.raises((EncodingError, LimitExceeded)) as raised:
        act()
    assert process_time() - began < SECONDS
    assert str(raised.value) == message
    assert service.requests == []
