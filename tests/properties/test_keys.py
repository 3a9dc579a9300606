"""Laws of key attributes: they come back, they sort as their values do, and no two keys meet in one string."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, event, example, given
from hypothesis import strategies as st

from logicaldb.codec.keys import (
    SAMPLES,
    ClockText,
    FieldRefused,
    KeyPart,
    PaddedNumber,
    PlainText,
    TextCodec,
    TextKey,
    always_runs_into,
    key_order_bound,
)
from logicaldb.codec.types import codec_for

WIDTH = 6

# Few characters, of which values and separators are made, so that they meet.
ALPHABET = "#-:.Z_0a"
SEPARATORS = st.text(ALPHABET, min_size=1, max_size=3)
CROWDED = st.text(ALPHABET, max_size=5)

# The corners of UTF-8: the ends of each length, and the characters on both sides of the surrogates.
CORNERS = st.text(st.sampled_from("\x00\x7f\x80\u07ff\u0800\ud7ff\ue000\uffff\U00010000\U0010ffff#a"), max_size=4)

OFFSETS = st.integers(-(24 * 60) + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=OFFSETS)  # noqa: DTZ001 - zones are added


class Kind(StrEnum):
    """Values that hold separators."""

    A = "a"
    DASH = "-"
    HASH = "#0"


@dataclass(frozen=True)
class PartType:
    """A type of a part of a key: its codec and its values."""

    kind: Any
    codec: TextCodec
    values: st.SearchStrategy[Any]


PARTS = {
    "str": PartType(str, PlainText(codec_for(str)), CROWDED),
    "any str": PartType(str, PlainText(codec_for(str)), st.text() | CORNERS),
    "int": PartType(int, PaddedNumber(codec_for(int), WIDTH), st.integers(0, 10**WIDTH - 1)),
    "date": PartType(date, PlainText(codec_for(date)), st.dates()),
    "datetime": PartType(datetime, PlainText(codec_for(datetime)), MOMENTS),
    "time": PartType(time, ClockText(codec_for(time)), st.times()),
    "UUID": PartType(UUID, PlainText(codec_for(UUID)), st.uuids()),
    "Enum": PartType(Kind, PlainText(codec_for(Kind)), st.sampled_from(Kind)),
}


def utf8(wire: Any) -> bytes:
    """What DynamoDB sorts strings by."""
    text: str = wire["S"]
    return text.encode()


@dataclass(frozen=True)
class Template:
    """A key attribute and what its parts can be."""

    key: TextKey
    types: tuple[PartType, ...]

    def values(self) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {part.field: kind.values for part, kind in zip(self.key.parts, self.types, strict=True)}
        )


@st.composite
def templates(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Template:
    """Key attributes as declarations make them: a separator is in no way refused for each value of the part before."""
    types = tuple(draw(st.lists(st.sampled_from(list(PARTS.values())), min_size=1, max_size=4)))
    prefixes = [draw(CROWDED), *(draw(SEPARATORS) for _ in types[1:])]
    for kind, separator in zip(types, prefixes[1:], strict=False):
        assume(not always_runs_into(separator, SAMPLES.get(kind.kind, ())))
    parts = [
        KeyPart(f"part{number}", prefix, separator, kind.codec)
        for number, (kind, prefix, separator) in enumerate(zip(types, prefixes, [*prefixes[1:], ""], strict=True))
    ]
    return Template(TextKey("sk", tuple(parts)), types)


TEMPLATES = templates()


def encoded(template: Template, values: dict[str, Any]) -> Any:
    """The wire form of values that can be stored."""
    try:
        wire = template.key.encode(values)
    except FieldRefused as refused:
        event(refused.reason.partition(" the separator")[0])
        assume(False)
    return wire


def with_values(count: int) -> st.SearchStrategy[tuple[Any, ...]]:
    """A template and some of its keys; several keys are likely to have parts in common."""
    return TEMPLATES.flatmap(
        lambda template: st.tuples(
            st.just(template),
            *(template.values() for _ in range(count)),
            st.sets(st.sampled_from([part.field for part in template.key.parts])),
        )
    )


@given(with_values(1))
def test_keys_come_back(drawn: tuple[Template, dict[str, Any], set[str]]) -> None:
    template, values, _ = drawn
    assert template.key.decode(encoded(template, values)) == values


@given(with_values(2))
def test_different_keys_never_meet(drawn: tuple[Template, dict[str, Any], dict[str, Any], set[str]]) -> None:
    template, one, other, common = drawn
    other = {name: one[name] if name in common else value for name, value in other.items()}
    assert (encoded(template, one) == encoded(template, other)) is (one == other)


@given(with_values(2), st.integers(0, 3))
def test_a_partial_key_is_the_beginning_of_its_own_keys_alone(
    drawn: tuple[Template, dict[str, Any], dict[str, Any], set[str]], count: int
) -> None:
    """All but its last part is given: the text ends with the next separator."""
    template, one, other, common = drawn
    names = [part.field for part in template.key.parts]
    assume(count < len(names))
    other = {name: one[name] if name in common else value for name, value in other.items()}
    given_values = {name: one[name] for name in names[:count]}
    encoded(template, one)  # else the partial key could not be stored either
    partial = template.key.partial(given_values)
    assert partial.missing == tuple(names[count:])
    assert not partial.whole
    begins = encoded(template, other)["S"].startswith((partial.wire or {})["S"])
    assert begins is all(other[name] == one[name] for name in names[:count])


@given(with_values(1))
def test_a_whole_key_is_as_partial_as_it_is_whole(drawn: tuple[Template, dict[str, Any], set[str]]) -> None:
    template, values, _ = drawn
    partial = template.key.partial(values) if encoded(template, values) else None
    assert partial is not None
    assert (partial.wire, partial.whole, partial.missing) == (template.key.encode(values), True, ())


@pytest.mark.parametrize("name", PARTS)
@given(data=st.data(), prefix=CROWDED)
def test_stored_strings_sort_as_the_values_do(name: str, data: st.DataObject, prefix: str) -> None:
    kind = PARTS[name]
    key = TextKey("sk", (KeyPart("value", prefix, "", kind.codec),))
    one, other = data.draw(kind.values), data.draw(kind.values)
    first, second = (utf8(key.encode({"value": value})) for value in (one, other))
    assert (first < second) is (one < other)
    assert (first == second) is (one == other)


@given(st.integers(0, 10**WIDTH - 1), st.integers(0, 10**WIDTH - 1), st.uuids())
def test_parts_sort_one_after_the_other(one: int, other: int, last: UUID) -> None:
    number, text = PARTS["int"].codec, PARTS["UUID"].codec
    key = TextKey("sk", (KeyPart("one", "N_", "#", number), KeyPart("two", "#", "", text)))
    first, second = (utf8(key.encode({"one": value, "two": last})) for value in (one, other))
    assert (first < second) is (one < other)


@given(CORNERS | CROWDED, st.text() | CORNERS | CROWDED, st.booleans())
@example("", "x", False)
@example("a\ud7ff", "a\ue000", False)
@example("a\U0010ffff", "b", False)
@example("\U0010ffff", "\U0010ffff\U0010ffff", False)
def test_the_bound_of_a_prefix(prefix: str, text: str, inside: bool) -> None:
    if inside:
        text = prefix + text
    bound = key_order_bound(prefix)
    below = bound is None or text.encode() < bound.encode()
    assert (prefix.encode() <= text.encode() and below) is text.startswith(prefix)
