"""The laws of values: what is stored reads back as it was, or is refused without showing it."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter, OrderedDict, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntFlag
from functools import partial
from typing import Any, Literal, NamedTuple
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, create_model
from typing_extensions import TypedDict

from logicaldb.codec.fields import MISSING, FieldCodec
from logicaldb.codec.generic import generic_decode
from logicaldb.codec.limits import MAX_DEPTH, depth_of, item_size, value_size
from logicaldb.codec.numbers import decode_number, encode_decimal, encode_float, encode_int
from logicaldb.codec.types import field_codec
from logicaldb.codec.values import Refused, WireValue
from tests.unit.codec.support import assert_same


class Colour(Enum):
    RED = "red"
    BLUE = 2
    PAIR = (1, "x")


class Access(IntFlag):
    READ = 1
    WRITE = 2


LARGEST = Decimal("9.9999999999999999999999999999999999999E+125")
SMALLEST = Decimal("1E-130")

texts = st.text(st.characters(codec="utf-8"), max_size=12)
decimals = st.builds(
    lambda digits, exponent, sign: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.integers(0, 10**38 - 1),
    st.integers(-130, 87),
    st.integers(0, 1),
)
integers = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.builds(lambda digits, zeros: digits * 10**zeros, st.integers(-(10**20), 10**20), st.integers(0, 105)),
)
floats = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: number == 0 or SMALLEST <= abs(Decimal(repr(number))) <= LARGEST
)
offsets = st.timedeltas(timedelta(hours=-23), timedelta(hours=23))
minutes = st.integers(-1439, 1439).map(lambda offset: timezone(timedelta(minutes=offset)))
datetimes = st.datetimes(
    datetime(1, 1, 3),  # noqa: DTZ001 - the strategy takes naive bounds
    datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=st.one_of(st.just(UTC), offsets.map(timezone)),
)


def brief(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The same with a short ``repr``: hypothesis warns of those of strategies that are built of many."""

    @st.composite
    def drawn(draw: st.DrawFn) -> Any:
        return draw(strategy)

    return drawn()


@dataclass(frozen=True, repr=False)
class Kind:
    """A type with its values.

    Attributes:
        annotation: the type.
        values: its values, where they are held by others.
        fields: its values, where they are those of a field: a set may be empty there.
        hashable: whether they can be elements of sets.
        key: whether they can be keys of dicts.
        form: what a union tells it by, ``None`` where it is no member of one.
    """

    annotation: Any
    values: st.SearchStrategy[Any]
    fields: st.SearchStrategy[Any] | None = None
    hashable: bool = True
    key: bool = False
    form: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", brief(self.values))

    def __repr__(self) -> str:
        return f"Kind({self.annotation})"

    @property
    def in_fields(self) -> st.SearchStrategy[Any]:
        """Its values, where they are those of a field."""
        return self.values if self.fields is None else self.fields


SCALARS = [
    Kind(str, texts, form="S"),
    Kind(str, st.sampled_from(["a", "é.[0]", "~"]), key=True, form="S"),
    Kind(int, integers, key=True, form="N"),
    Kind(float, floats, key=True, form="N"),
    Kind(Decimal, decimals.filter(lambda number: not number or number.copy_abs() >= SMALLEST), key=True, form="N"),
    Kind(bool, st.booleans(), key=True, form="BOOL"),
    Kind(bytes, st.binary(max_size=8), form="B"),
    Kind(date, st.dates(), key=True, form="S"),
    Kind(datetime, datetimes, key=True, form="S"),
    Kind(time, st.times(timezones=st.one_of(st.none(), minutes)), form="S"),
    Kind(timedelta, st.timedeltas(), key=True, form="N"),
    Kind(UUID, st.uuids(), key=True, form="S"),
    Kind(Colour, st.sampled_from(Colour)),
    Kind(Access, st.sampled_from([Access(0), Access.READ, Access.READ | Access.WRITE]), key=True, form="N"),
    Kind(Literal["a", 1, b"x"], st.sampled_from(["a", 1, b"x"]), hashable=False),
]
scalars = st.sampled_from(SCALARS)
keys = st.sampled_from([kind for kind in SCALARS if kind.key])
names = st.sampled_from(["one", "two", "three"])


def lists(kind: Kind) -> Kind:
    return Kind(list[kind.annotation], st.lists(kind.values, max_size=3), hashable=False, form="L")  # type: ignore[name-defined]


def tuples(kind: Kind) -> Kind:
    values = st.lists(kind.values, max_size=3).map(tuple)
    return Kind(tuple[kind.annotation, ...], values, hashable=kind.hashable, form="L")  # type: ignore[name-defined]


def deques(kind: Kind) -> Kind:
    return Kind(deque[kind.annotation], st.lists(kind.values, max_size=3).map(deque), hashable=False, form="L")  # type: ignore[name-defined]


def pairs(kinds: tuple[Kind, Kind]) -> Kind:
    first, second = kinds
    annotation: Any = tuple[first.annotation, second.annotation]  # type: ignore[name-defined]
    values = st.tuples(first.values, second.values)
    return Kind(annotation, values, hashable=first.hashable and second.hashable, form="L")


def sets(kind: Kind) -> Kind:
    make = partial(st.sets, kind.values, max_size=3)
    return Kind(set[kind.annotation], make(min_size=1), make(), hashable=False)  # type: ignore[name-defined]


def frozensets(kind: Kind) -> Kind:
    make = partial(st.frozensets, kind.values, max_size=3)
    return Kind(frozenset[kind.annotation], make(min_size=1), make())  # type: ignore[name-defined]


def dicts(kinds: tuple[Kind, Kind]) -> Kind:
    key, value = kinds
    annotation: Any = dict[key.annotation, value.annotation]  # type: ignore[name-defined]
    values = st.dictionaries(key.values, value.values, max_size=3)
    return Kind(annotation, values, hashable=False, form="M")


def ordered(kinds: tuple[Kind, Kind]) -> Kind:
    key, value = kinds
    annotation: Any = OrderedDict[key.annotation, value.annotation]  # type: ignore[name-defined]
    values = st.dictionaries(key.values, value.values, max_size=3).map(OrderedDict)
    return Kind(annotation, values, hashable=False, form="M")


def counters(key: Kind) -> Kind:
    values = st.dictionaries(key.values, st.integers(1, 9), max_size=3).map(Counter)
    return Kind(Counter[key.annotation], values, hashable=False, form="M")  # type: ignore[name-defined]


def optional(kind: Kind) -> Kind:
    return Kind(kind.annotation | None, st.none() | kind.values, hashable=kind.hashable)


def unions(kinds: list[Kind]) -> Kind:
    annotation: Any = kinds[0].annotation
    for kind in kinds[1:]:
        annotation = annotation | kind.annotation
    values = st.one_of([kind.values for kind in kinds])
    return Kind(annotation, values, hashable=False)  # DynamoDB has no sets of mixed types


def models(fields: Mapping[str, Kind]) -> Kind:
    make: Any = create_model
    declared = {name: (kind.annotation, ...) for name, kind in fields.items()}
    model = make("Model", __config__=ConfigDict(frozen=True, extra="forbid"), **declared)
    values = st.fixed_dictionaries({name: kind.in_fields for name, kind in fields.items()})
    hashable = all(kind.hashable for kind in fields.values())
    return Kind(model, values.map(lambda each: model(**each)), hashable=hashable, form="M")


def dataclasses_(fields: Mapping[str, Kind]) -> Kind:
    declared = [(name, kind.annotation) for name, kind in fields.items()]
    made = dataclasses.make_dataclass("Data", declared, frozen=True)
    values = st.fixed_dictionaries({name: kind.in_fields for name, kind in fields.items()})
    hashable = all(kind.hashable for kind in fields.values())
    return Kind(made, values.map(lambda each: made(**each)), hashable=hashable, form="M")


def named_tuples(fields: Mapping[str, Kind]) -> Kind:
    declare: Any = NamedTuple
    made = declare("Named", [(name, kind.annotation) for name, kind in fields.items()])
    values = st.fixed_dictionaries({name: kind.in_fields for name, kind in fields.items()})
    hashable = all(kind.hashable for kind in fields.values())
    return Kind(made, values.map(lambda each: made(**each)), hashable=hashable, form="M")


def typed_dicts(fields: Mapping[str, Kind]) -> Kind:
    declare: Any = TypedDict
    made = declare("Typed", {name: kind.annotation for name, kind in fields.items()}, total=False)
    values = st.fixed_dictionaries({}, optional={name: kind.in_fields for name, kind in fields.items()})
    return Kind(made, values, hashable=False, form="M")


def compound(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    fields = st.dictionaries(names, inner, min_size=1, max_size=3)
    members = st.lists(inner.filter(lambda kind: kind.form is not None), min_size=2, max_size=3, unique_by=form_of)
    return st.one_of(
        inner.map(lists),
        inner.map(tuples),
        inner.map(deques),
        st.tuples(inner, inner).map(pairs),
        inner.filter(lambda kind: kind.hashable).map(sets),
        inner.filter(lambda kind: kind.hashable).map(frozensets),
        st.tuples(keys, inner).map(dicts),
        st.tuples(keys, inner).map(ordered),
        keys.map(counters),
        inner.filter(lambda kind: kind.annotation is not Colour).map(optional),
        members.map(unions),
        fields.map(models),
        fields.map(dataclasses_),
        fields.map(named_tuples),
        fields.map(typed_dicts),
    )


def form_of(kind: Kind) -> str | None:
    return kind.form


kinds = st.recursive(scalars, compound, max_leaves=6)


def codecs_of(model: type[BaseModel]) -> dict[str, FieldCodec]:
    return {name: field_codec(name, info, model) for name, info in model.model_fields.items()}


def encoded(model: type[BaseModel], item: BaseModel) -> dict[str, WireValue]:
    wires = {name: codec.encode(getattr(item, name)) for name, codec in codecs_of(model).items()}
    return {name: wire for name, wire in wires.items() if wire is not None}


def decoded(model: type[BaseModel], row: Mapping[str, WireValue]) -> dict[str, Any]:
    values = {name: codec.decode(row.get(name)) for name, codec in codecs_of(model).items()}
    return {name: value for name, value in values.items() if value is not MISSING}


def as_stored(wire: Any) -> Any:
    """What the service gives back: numbers in plain digits, the elements of sets in an order of its own."""
    ((form, held),) = wire.items()
    if form == "N":
        return {"N": plain(held)}
    if form == "NS":
        return {"NS": [plain(number) for number in reversed(held)]}
    if form in ("SS", "BS"):
        return {form: list(reversed(held))}
    if form == "L":
        return {"L": [as_stored(element) for element in held]}
    if form == "M":
        return {"M": {key: as_stored(element) for key, element in reversed(held.items())}}
    return wire


def plain(text: str) -> str:
    return f"{Decimal(text):f}"


@st.composite
def items(draw: st.DrawFn) -> tuple[type[BaseModel], BaseModel]:
    """A model with up to three fields of any types, and an item of it."""
    fields = draw(st.dictionaries(names, kinds, min_size=1, max_size=3))
    declared: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for name, kind in fields.items():
        values[name] = draw(kind.in_fields)
        default = draw(st.sampled_from([..., None, "drawn"]))
        if default == "drawn":
            default = draw(kind.in_fields)
        declared[name] = (kind.annotation, default)
    make: Any = create_model
    model = make("Item", __config__=ConfigDict(strict=draw(st.booleans())), **declared)
    return model, model(**values)


@given(items())
def test_an_item_reads_back_as_it_was(made: tuple[type[BaseModel], BaseModel]) -> None:
    model, item = made
    row = encoded(model, item)
    assert json.loads(json.dumps(row)) == row
    values = decoded(model, row)
    back = model.__pydantic_validator__.validate_python(values, by_name=True, by_alias=False)
    assert_same(back, item)


@given(items())
def test_decoding_alone_gives_the_very_values(made: tuple[type[BaseModel], BaseModel]) -> None:
    model, item = made
    for name, value in decoded(model, encoded(model, item)).items():
        assert_same(value, getattr(item, name))


@given(items())
def test_an_item_reads_back_from_what_the_service_makes_of_it(made: tuple[type[BaseModel], BaseModel]) -> None:
    model, item = made
    row = {name: as_stored(wire) for name, wire in encoded(model, item).items()}
    back = model.__pydantic_validator__.validate_python(decoded(model, row), by_name=True, by_alias=False)
    unordered = {name: value for name, value in item if not holds_ordered(value)}
    assert {name: value for name, value in back if name in unordered} == unordered


def holds_ordered(value: Any) -> bool:
    """Whether it holds an ``OrderedDict``: the service does not keep the order of a map."""
    if isinstance(value, OrderedDict):
        return True
    if isinstance(value, BaseModel):
        return any(holds_ordered(inner) for _, inner in value)
    if isinstance(value, dict):
        return any(map(holds_ordered, value.values()))
    if isinstance(value, (list, tuple, deque)):
        return any(map(holds_ordered, value))
    return dataclasses.is_dataclass(value) and any(map(holds_ordered, vars(value).values()))


# Anything


def scribbles(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(texts, inner, max_size=3),
        st.dictionaries(st.integers(0, 9), inner, max_size=3),
    )


SECRET = "SECRET"
SECRET_NUMBER = 987654321987654321

leaves = st.one_of(
    st.sampled_from([None, True, SECRET, SECRET.encode(), SECRET_NUMBER, float("nan"), Decimal(f"1.{SECRET_NUMBER}")]),
    st.sampled_from([10**200 + SECRET_NUMBER, "\ud800" + SECRET, object(), set(), frozenset({SECRET}), Colour.RED]),
    *[kind.values for kind in SCALARS],
)
anything = st.recursive(leaves, scribbles, max_leaves=8)
forms = st.sampled_from(["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS", "X"])
wires = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), texts, st.sampled_from(["1", "1.5", "eA==", "2026-01-02"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(texts, inner, max_size=2),
        st.dictionaries(forms, inner, max_size=2),
    ),
    max_leaves=8,
)


def codec_of(annotation: Any) -> FieldCodec:
    make: Any = create_model
    model = make("Item", value=(annotation, ...))
    return field_codec("value", model.model_fields["value"], model)


def outcome(codec: FieldCodec, value: Any) -> Refused | WireValue | None:
    try:
        return codec.encode(value)
    except Refused as refused:
        return refused


def chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@given(kinds, anything)
def test_any_value_is_stored_or_refused_without_showing_it(kind: Kind, value: Any) -> None:
    found = outcome(codec_of(kind.annotation), value)
    if isinstance(found, Refused):
        assert SECRET not in found.reason
        for error in chain(found):
            assert SECRET not in str(error)
            assert str(SECRET_NUMBER) not in str(error)
    else:
        assert found is None or depth_of(found) <= MAX_DEPTH


@given(anything)
def test_what_any_stores_reads_back_equal(value: Any) -> None:
    codec = codec_of(Any)
    found = outcome(codec, value)
    assert isinstance(found, Refused) or codec.decode(found) == value


@given(kinds, wires)
def test_any_row_is_read_or_left_to_pydantic(kind: Kind, wire: Any) -> None:
    codec_of(kind.annotation).decode(wire)
    generic_decode(wire)


# Numbers

any_decimals = st.builds(
    lambda digits, exponent, sign: Decimal((sign, tuple(map(int, str(digits))), exponent)),
    st.one_of(
        st.integers(0, 10**39), st.integers(0, 10**80), st.integers(0, 10**20).map(lambda digits: digits * 10**30)
    ),
    st.integers(-200, 200),
    st.integers(0, 1),
)


def fits(number: Decimal) -> bool:
    """Whether DynamoDB holds a number, from its digits."""
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return not digits or (len(digits) <= 38 and SMALLEST <= number.copy_abs() <= LARGEST)


@given(any_decimals)
def test_decimals_are_exact_or_refused(number: Decimal) -> None:
    try:
        text = encode_decimal(number)
    except Refused:
        assert not fits(number)
    else:
        assert fits(number)
        assert Decimal(text) == number
        assert decode_number(text) == number
        assert len(text) <= 45


@given(any_decimals, st.integers(0, 5))
def test_equal_numbers_have_one_text(number: Decimal, zeros: int) -> None:
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    if fits(number):
        assert encode_decimal(Decimal((sign, (*digits, *(0,) * zeros), exponent - zeros))) == encode_decimal(number)


@given(st.one_of(st.integers(), integers, st.integers(-(10**130), 10**130)))
def test_integers_are_exact_or_refused(number: int) -> None:
    try:
        text = encode_int(number)
    except Refused:
        assert not fits(Decimal(number))
    else:
        assert_same(decode_number(text), number)
        assert text == encode_decimal(Decimal(number))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_come_back_by_their_shortest_text(number: float) -> None:
    try:
        text = encode_float(number)
    except Refused:
        assert not fits(Decimal(repr(number)))
    else:
        assert float(text) == number
        assert float(decode_number(text)) == number
        assert Decimal(text) == Decimal(repr(number))


# Sizes


def pairs_of_digits(number: Decimal) -> int:
    """The digits to the base of 100 between the first and the last that is not zero."""
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    scaled = int("".join(map(str, digits))) * (10 if exponent % 2 else 1)
    while scaled and scaled % 100 == 0:
        scaled //= 100
    count = 0
    while scaled:
        scaled //= 100
        count += 1
    return count


@given(any_decimals.filter(fits))
def test_the_size_of_a_number(number: Decimal) -> None:
    size = 1 + pairs_of_digits(number) + (number < 0)
    assert value_size({"N": encode_decimal(number)}) == min(size, 21)
    assert value_size({"N": plain(encode_decimal(number))}) == min(size, 21)


@given(items(), texts)
def test_items_grow_with_what_they_hold(made: tuple[type[BaseModel], BaseModel], text: str) -> None:
    model, item = made
    row = encoded(model, item)
    size = item_size(row)
    assert size >= sum(len(name) for name in row)
    longer = {**row, "more": {"S": text}}
    assert item_size(longer) == size + len("more") + len(text.encode())
    nested = {"all": {"L": [*row.values()]}}
    assert item_size(nested) == len("all") + 3 + sum(1 + value_size(wire) for wire in row.values())
    assert item_size({"all": {"M": row}}) == len("all") + 3 + len(row) + size


class Endless(BaseModel):
    inner: Endless | None = None
    more: list[Endless] = Field(default_factory=list)


@given(st.integers(0, 60))
def test_depth_is_told_from_the_stored_form(levels: int) -> None:
    value: Any = None
    for _ in range(levels):
        value = Endless.model_construct(inner=value, more=[])
    codec = codec_of(Endless | None)
    found = outcome(codec, value)
    if isinstance(found, Refused):
        assert (found.path, found.reason) == ("", f"is nested deeper than {MAX_DEPTH} levels")
        assert levels > MAX_DEPTH - 2
    else:
        assert levels <= MAX_DEPTH - 2
        assert codec.decode(found) == value
