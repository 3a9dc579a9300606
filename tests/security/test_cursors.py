"""Cursors are what ``to_token`` made for the same query with the same secret; all else is an ``InvalidCursor``."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time
from typing import Any, Final

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from logicaldb import BeginsWith, EqualTo, InvalidCursor, Offset, attr
from tests.security.models import Db, Order, Whole
from tests.security.service import Service
from tests.security.texts import keys, texts

service = Service()
db = Db(service.client)
elsewhere = Db(service.client, table_name_resolver=lambda _, declared: f"other-{declared}")
wholes = db.table.wholes

SECRET: Final = "a secret"
CONDITION: Final = BeginsWith(Whole.Key("a"))
FILTER: Final = attr(Whole.text) == "x"
OFFSET: Final = Offset(Whole.Key("a", "b"))
TOKEN: Final = wholes.to_token(OFFSET, CONDITION, secret=SECRET)
FILTERED: Final = wholes.to_token(OFFSET, CONDITION, secret=SECRET, filter_expression=FILTER)

DAMAGED: Final = "the cursor is damaged"
REFUSED: Final = "the cursor is damaged, signed with another secret, or belongs to another query"


def refusal(read: Callable[[], Any]) -> str:
    """The message of an ``InvalidCursor``, which comes before any request."""
    service.requests.clear()
    began = process_time()
    with pytest.raises(InvalidCursor) as raised:
        read()
    assert process_time() - began < 2
    assert service.requests == []
    return str(raised.value)


def test_it_is_read_where_it_belongs() -> None:
    assert wholes.from_token(TOKEN, CONDITION, secret=SECRET) == OFFSET
    assert wholes.from_token(TOKEN, CONDITION, secret=SECRET.encode()) == OFFSET
    assert wholes.from_token(FILTERED, CONDITION, secret=SECRET, filter_expression=FILTER) == OFFSET


OTHERS: Final[list[tuple[str, Callable[[], Any]]]] = [
    ("secret", lambda: wholes.from_token(TOKEN, CONDITION, secret="A secret")),
    ("longer secret", lambda: wholes.from_token(TOKEN, CONDITION, secret=SECRET + "\0")),
    ("partition", lambda: wholes.from_token(TOKEN, BeginsWith(Whole.Key("b")), secret=SECRET)),
    ("range", lambda: wholes.from_token(TOKEN, BeginsWith(Whole.Key("a", "b")), secret=SECRET)),
    ("condition", lambda: wholes.from_token(TOKEN, EqualTo(Whole.Key("a", "b")), secret=SECRET)),
    ("direction", lambda: wholes.from_token(TOKEN, CONDITION, secret=SECRET, asc=False)),
    ("filter", lambda: wholes.from_token(TOKEN, CONDITION, secret=SECRET, filter_expression=FILTER)),
    ("no filter", lambda: wholes.from_token(FILTERED, CONDITION, secret=SECRET)),
    (
        "value of a filter",
        lambda: wholes.from_token(FILTERED, CONDITION, secret=SECRET, filter_expression=attr(Whole.text) == "y"),
    ),
    ("db", lambda: elsewhere.table.wholes.from_token(TOKEN, CONDITION, secret=SECRET)),
    (
        "index",
        lambda: db.table.orders_by_owner.from_token(TOKEN, BeginsWith(Order.ByOwner("a")), secret=SECRET),
    ),
    ("type", lambda: db.table.orders.from_token(TOKEN, BeginsWith(Order.Key("a", "b")), secret=SECRET)),
]


@pytest.mark.parametrize("read", [read for _, read in OTHERS], ids=[name for name, _ in OTHERS])
def test_it_is_refused_anywhere_else(read: Callable[[], Any]) -> None:
    assert refusal(read) == REFUSED


@given(st.integers(0, len(TOKEN)), st.integers(0, 3), st.text(max_size=3))
@example(len(TOKEN), 0, "=")
@example(len(TOKEN), 0, "\n")
@example(len(TOKEN), 0, "A")
@example(len(TOKEN) - 1, 1, "")
@example(0, 0, "\ud800")
@example(43, 1, "\u212a")
def test_a_change_anywhere_is_found(place: int, dropped: int, put: str) -> None:
    changed = TOKEN[:place] + put + TOKEN[place + dropped :]
    assume(changed != TOKEN)
    assert refusal(lambda: wholes.from_token(changed, CONDITION, secret=SECRET)) in (DAMAGED, REFUSED)


@given(st.one_of(st.text(), st.text("ABCabc012-_=", max_size=200), texts))
@example("")
@example("A" * 43)
@example("A" * 10_000_001)
@example("\U0001f600" * 2_000_000)
@example("=" * 100)
def test_any_text_is_refused(text: str) -> None:
    assert refusal(lambda: wholes.from_token(text, CONDITION, secret=SECRET)) in (DAMAGED, REFUSED)


@pytest.mark.parametrize("token", [None, 5, b"A" * 60, TOKEN.encode(), [TOKEN], {}], ids=repr)
def test_what_is_no_text_is_refused(token: Any) -> None:
    assert refusal(lambda: wholes.from_token(token, CONDITION, secret=SECRET)) == DAMAGED


@given(keys, texts)
def test_any_key_comes_back(name: str, part: str) -> None:
    condition, offset = BeginsWith(Whole.Key(name)), Offset(Whole.Key(name, part))
    token = wholes.to_token(offset, condition, secret=SECRET)
    assert token.isascii()
    assert not set(token) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert wholes.from_token(token, condition, secret=SECRET) == offset
