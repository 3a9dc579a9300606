"""Items become rows and come back: prefixes, widths, composite keys, several names, sparse attributes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from ipaddress import IPv4Address
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import pytest
from pydantic import BaseModel, PlainSerializer, PlainValidator, StringConstraints

from logicaldb import (
    Attribute,
    Counter,
    CreatedAt,
    DecodingError,
    EncodingError,
    Item,
    PartitionKey,
    RawItem,
    SortKey,
    TimeToLive,
    UpdatedAt,
    Version,
)
from logicaldb.items import declaration_of, raw_declaration_of
from logicaldb.schema.items import ItemSchema
from tests.unit.codec.support import alias


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
    gpk: Annotated[str | None, PartitionKey(index="global")] = None
    gsk: Annotated[str | None, SortKey(index="global")] = None
    score: Annotated[int | None, SortKey(index="by_score")] = None
    size: float = 0


class Numbers(RawItem):
    pk: Annotated[int, PartitionKey()]
    sk: Annotated[bytes, SortKey()]


class Tokens(RawItem):
    pk: Annotated[str, PartitionKey()]


class Side(IntEnum):
    A = 1
    B = 2


class Kind(StrEnum):
    ONE = "one"
    TWO = "two"


class Colour(Enum):
    RED = "red"


Token = NewType("Token", str)
Number = NewType("Number", int)
Lowered = Annotated[str, StringConstraints(to_lower=True)]
Text = alias("Text", str)


class Upper:
    """A type of the user's, stored as text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Upper) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def to_upper(value: Any) -> Upper:
    return value if isinstance(value, Upper) else Upper(str(value))


def from_upper(value: Upper) -> str:
    return value.text


StoredUpper = Annotated[Upper, PlainValidator(to_upper), PlainSerializer(from_upper)]

make: Any = type


def schema_of(item_type: type[Item], raw: type[RawItem] = Row) -> ItemSchema:
    return ItemSchema(declaration_of(item_type, {}), raw_declaration_of(raw, {}))


def round_trip(item: Item, raw: type[RawItem] = Row) -> dict[str, Any]:
    schema = schema_of(type(item), raw)
    row = schema.encode(item)
    assert schema.decode(row) == item
    return row


def refusal(item: Item, raw: type[RawItem] = Row) -> str:
    with pytest.raises(EncodingError) as error:
        schema_of(type(item), raw).encode(item)
    assert error.value.__cause__ is None
    return str(error.value)


def undecodable(item_type: type[Item], row: dict[str, Any], raw: type[RawItem] = Row) -> DecodingError:
    with pytest.raises(DecodingError) as error:
        schema_of(item_type, raw).decode(row)
    assert error.value.__cause__ is None
    return error.value


# One field, one attribute


class Plain(Item):
    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="PLAIN_")] = ""
    name: Annotated[str, Attribute("other_name")]
    number: int
    label: Annotated[str | None, Attribute(prefix="L_")] = None
    page: Annotated[int | None, Attribute(width=4)] = None
    size: Decimal = Decimal(1)


def test_prefixes_widths_and_names() -> None:
    assert round_trip(Plain(pk="x", name="n", number=1, label="", page=7)) == {
        "pk": {"S": "x"},
        "sk": {"S": "PLAIN_"},
        "other_name": {"S": "n"},
        "number": {"N": "1"},
        "label": {"S": "L_"},
        "page": {"S": "0007"},
        "size": {"N": "1"},
    }


def test_none_is_absent() -> None:
    schema = schema_of(Plain)
    item = Plain(pk="x", name="n", number=1)
    assert schema.encode(item).keys() == {"pk", "sk", "other_name", "number", "size"}
    assert schema.encode_all(item) == {**schema.encode(item), "label": None, "page": None}
    assert schema.decode(schema.encode(item)) == item
    assert schema.attributes == ("pk", "sk", "other_name", "number", "label", "page", "size")


def test_an_item_of_another_type_is_refused() -> None:
    class Other(Plain):
        pass

    with pytest.raises(TypeError) as error:
        schema_of(Plain).encode(Other(pk="x", name="n", number=1))
    assert str(error.value) == "Other is not Plain, the type that is written here"


def test_values_that_cannot_be_stored_name_the_field_and_the_place() -> None:
    class Deep(Plain):
        tree: dict[str, list[float]]

    item = Deep(pk="x", name="n", number=1, tree={"a": [1.0, float("nan")]})
    assert refusal(item) == "Deep.tree['a'][1]: is not a number (NaN)"
    assert refusal(Plain(pk="x", name="n", number=1, page=10_000)) == "Plain.page: is wider than 4 digits"
    assert refusal(Plain(pk="", name="n", number=1)) == (
        "Plain.pk: is an empty string, and the key attribute pk cannot be"
    )
    assert refusal(Plain(pk="\ud800", name="n", number=1)) == "Plain.pk: is not valid UTF-8 text"


# Types of parts

PARTS: list[tuple[Any, dict[str, Any], Any, str]] = [
    (str, {"prefix": "P_"}, "", "P_"),
    (str, {}, "#é", "#é"),
    (Lowered, {}, "abc", "abc"),
    (Token, {}, "x", "x"),
    (Text, {}, "x", "x"),
    (int, {"width": 3}, 7, "007"),
    (Number, {"width": 3}, 7, "007"),
    (Side, {"width": 2}, Side.B, "02"),
    (Literal[1, 2], {"width": 2}, 2, "02"),
    (Literal["a", "b"], {}, "b", "b"),
    (Kind, {}, Kind.TWO, "two"),
    (Colour, {}, Colour.RED, "red"),
    (date, {}, date(2026, 1, 2), "2026-01-02"),
    (datetime, {}, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000000Z"),
    (time, {}, time(3, 4), "03:04:00.000000"),
    (UUID, {}, UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (IPv4Address, {}, IPv4Address("10.0.0.1"), "10.0.0.1"),
    (StoredUpper, {"prefix": "U_"}, Upper("x"), "U_x"),
]


@pytest.mark.parametrize(("annotation", "options", "value", "text"), PARTS)
def test_types_of_string_keys(annotation: Any, options: dict[str, Any], value: Any, text: str) -> None:
    namespace = {
        "__module__": __name__,
        "__annotations__": {"pk": str, "value": Annotated[annotation, Attribute("sk", **options)]},
    }
    item = make(Item)("Made", (Item,), namespace)(pk="x", value=value)
    row = round_trip(item)
    assert row == {"pk": {"S": "x"}, "sk": {"S": text}}
    assert type(schema_of(type(item)).decode(row).value) is type(value)


def test_number_and_binary_keys() -> None:
    class Score(Item):
        pk: Annotated[Number, Attribute("pk")]
        hash: Annotated[bytes, Attribute("sk")]

    assert round_trip(Score(pk=Number(-3), hash=b"\xff"), Numbers) == {"pk": {"N": "-3"}, "sk": {"B": "/w=="}}
    assert refusal(Score(pk=Number(1), hash=b""), Numbers) == (
        "Score.hash: is an empty binary, and the key attribute sk cannot be"
    )
    assert refusal(Score(pk=Number(10**40 + 1), hash=b"x"), Numbers) == (
        "Score.pk: is a number of more than 38 significant digits"
    )


def test_constants_of_number_keys() -> None:
    class Zero(Item):
        pk: int = 0
        sk: bytes

    schema = schema_of(Zero, Numbers)
    assert schema.constants == {"pk": 0}
    assert round_trip(Zero(sk=b"x"), Numbers)["pk"] == {"N": "0"}
    assert refusal(Zero(pk=1, sk=b"x"), Numbers) == "Zero.pk: is not the constant of the type"


def test_naive_times_are_refused_when_they_are_encoded() -> None:
    class Event(Item):
        pk: str
        at: Annotated[datetime, Attribute("sk")]

    class Daily(Item):
        pk: str
        at: Annotated[time, Attribute("sk")]

    naive = datetime(2026, 1, 2)  # noqa: DTZ001 - what is refused
    assert refusal(Event(pk="x", at=naive)) == "Event.at: is a datetime without a time zone"
    assert refusal(Daily(pk="x", at=time(1, tzinfo=UTC))) == (
        "Daily.at: is a time with an offset, whose text does not sort as times do"
    )


# Composite keys and several names


class Order(Item):
    customer: Annotated[str, Attribute(names=("pk", "gsk"))]
    day: Annotated[date, Attribute("sk", prefix="ORDER_")]
    number: Annotated[int, Attribute(names=("sk", "gpk"), prefix="#", width=3)]
    status: Annotated[str, Attribute("gpk", prefix="|")]
    note: Annotated[str, Attribute(names=("note", "copy_of_note"))] = ""


def test_composite_keys_and_several_names() -> None:
    order = Order(customer="C", day=date(2026, 1, 2), number=7, status="open", note="x")
    assert round_trip(order) == {
        "pk": {"S": "C"},
        "gsk": {"S": "C"},
        "sk": {"S": "ORDER_2026-01-02#007"},
        "gpk": {"S": "#007|open"},
        "note": {"S": "x"},
        "copy_of_note": {"S": "x"},
    }


def test_a_field_is_read_from_the_first_of_its_attributes() -> None:
    row = {
        "pk": {"S": "C"},
        "gsk": {"S": "other"},
        "sk": {"S": "ORDER_2026-01-02#007"},
        "gpk": {"S": "#999|open"},
        "note": {"S": "x"},
        "copy_of_note": {"S": "other"},
    }
    assert schema_of(Order).decode(row) == Order(customer="C", day=date(2026, 1, 2), number=7, status="open", note="x")


def test_attributes_that_hold_nothing_new_are_not_read() -> None:
    row = round_trip(Order(customer="C", day=date(2026, 1, 2), number=7, status="open"))
    del row["gsk"], row["copy_of_note"]
    assert schema_of(Order).decode(row).customer == "C"


def test_a_value_that_runs_into_a_separator_is_refused() -> None:
    class Line(Item):
        pk: str
        one: Annotated[str, Attribute("sk")]
        two: Annotated[str, Attribute("sk", prefix="#")]

    assert round_trip(Line(pk="x", one="", two="#a"))["sk"] == {"S": "##a"}
    assert refusal(Line(pk="x", one="a#", two="b")) == "Line.one: runs into the separator '#' that follows it"


class Sparse(Item):
    pk: str
    sk: Annotated[Literal[""], Attribute(prefix="S_")] = ""
    city: Annotated[str | None, Attribute("gpk", prefix="C_")]
    street: Annotated[str | None, Attribute("gpk", prefix="#")] = None
    score: int | None = None


def test_sparse_attributes() -> None:
    assert round_trip(Sparse(pk="x", city=None)).keys() == {"pk", "sk"}
    assert round_trip(Sparse(pk="x", city="Bern", street="", score=0))["gpk"] == {"S": "C_Bern#"}
    assert refusal(Sparse(pk="x", city="Bern")) == (
        "Sparse.street: is None, but city of the same composite key gpk is not"
    )


# Limits


@pytest.mark.parametrize(
    ("field", "attribute", "limit"),
    [("pk", "pk", 2048), ("name", "sk", 1024), ("owner", "gpk", 2048), ("at", "gsk", 1024)],
)
def test_keys_are_limited_to_the_byte(field: str, attribute: str, limit: int) -> None:
    class Long(Item):
        pk: str
        name: Annotated[str, Attribute("sk", prefix="é")]
        owner: Annotated[str, Attribute("gpk")] = "o"
        at: Annotated[str, Attribute("gsk")] = "a"

    values = {"pk": "x", "name": "n"}
    prefix = 2 if field == "name" else 0
    round_trip(Long(**{**values, field: "y" * (limit - prefix)}))
    assert refusal(Long(**{**values, field: "y" * (limit - prefix + 1)})) == (
        f"Long.{field}: makes the key attribute {attribute} {limit + 1} bytes long; the limit is {limit}"
    )


def test_the_least_of_several_limits_counts() -> None:
    class Rows(RawItem):
        pk: Annotated[str, PartitionKey(), SortKey(index="by_x")]
        x: Annotated[str | None, PartitionKey(index="by_x")] = None

    class Bare(Item):
        pk: str

    assert refusal(Bare(pk="y" * 1025), Rows) == (
        "Bare.pk: makes the key attribute pk 1025 bytes long; the limit is 1024"
    )


# Reading what others wrote


class Track(Item):
    token: Annotated[str, Attribute("pk")]
    number: Annotated[int, Attribute("sk", prefix="TRACK_", width=3)]
    owner: Annotated[int | None, Attribute("gpk", prefix="O_", width=3)] = None
    title: str = ""
    tags: list[int] = []


def row_of(**attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": "T"}, "sk": {"S": "TRACK_007"}, **attributes}


@pytest.mark.parametrize("text", ["TRACK_7", "TRACK_07", "TRACK_0007"])
def test_a_primary_key_has_one_form(text: str) -> None:
    """In another form it is the key of another row, and a save would make a second one."""
    error = undecodable(Track, row_of(sk={"S": text}))
    assert str(error) == (
        f"the row pk='T', sk='{text}' is no valid Track: number is not stored in the form that its type writes"
    )
    assert error.key == {"pk": "T", "sk": text}


def test_a_validator_may_not_move_an_item_to_another_row() -> None:
    class Shout(Item):
        pk: Lowered
        sk: Annotated[Literal[""], Attribute(prefix="S_")] = ""

    assert str(undecodable(Shout, {"pk": {"S": "ABC"}, "sk": {"S": "S_"}})) == (
        "the row pk='ABC', sk='S_' is no valid Shout: pk is not stored in the form that its type writes"
    )


def test_an_index_key_may_have_another_form() -> None:
    assert schema_of(Track).decode(row_of(gpk={"S": "O_7"})).owner == 7


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"sk": {"S": "ALBUM_007"}}, "number is not stored with the prefix 'TRACK_'"),
        ({"sk": {"S": "TRACK_x"}}, "number is not stored as digits"),
        ({"sk": {"N": "7"}}, "number is not stored as a string"),
        ({"gpk": {"S": "7"}}, "owner is not stored with the prefix 'O_'"),
        ({"title": {"N": "7"}}, "title (string_type)"),
        (
            {"title": {"L": []}, "tags": {"L": [{"S": "secret"}, {"S": "hidden"}]}},
            "title (string_type), tags (int_parsing)",
        ),
    ],
)
def test_rows_that_are_not_valid(attributes: dict[str, Any], problem: str) -> None:
    row = row_of(**attributes)
    error = undecodable(Track, row)
    sort = next(iter(row["sk"].values()))
    assert str(error) == f"the row pk='T', sk={sort!r} is no valid Track: {problem}"
    assert error.key == {"pk": "T", "sk": sort}


def test_rows_without_their_keys() -> None:
    assert str(undecodable(Track, {"pk": {"S": "T"}})) == "the row pk='T' is no valid Track: number (missing)"


def test_a_row_without_a_constant_is_of_another_form() -> None:
    class Info(Item):
        pk: str
        sk: Annotated[Literal[""], Attribute(prefix="INFO_")] = ""

    assert str(undecodable(Info, {"pk": {"S": "T"}})) == (
        "the row pk='T' is no valid Info: sk is not stored in the form that its type writes"
    )


def test_rows_that_are_not_in_wire_form() -> None:
    plain: Any = {"pk": "T", "sk": "TRACK_007"}
    assert str(undecodable(Track, plain)) == "the row  is no valid Track: token is not stored as a string"


def test_numbers_of_keys_may_have_another_form() -> None:
    """As moto stores them, verbatim; the service has one form."""

    class Score(Item):
        pk: int
        sk: bytes

    assert schema_of(Score, Numbers).decode({"pk": {"N": "7.0"}, "sk": {"B": "eA=="}}) == Score(pk=7, sk=b"x")


# Roles

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)


class Managed(Item):
    pk: Annotated[str, Attribute("pk")]
    version: Annotated[int, Version()] = 0
    score: Annotated[int, Counter()] = 0
    count: Annotated[Decimal, Counter(initial=Decimal("0.5"))] = Decimal("0.5")
    made: Annotated[datetime | None, CreatedAt()] = None
    changed: Annotated[datetime | None, UpdatedAt(), Attribute("gsk")] = None
    until: Annotated[datetime | None, TimeToLive()] = None
    expires: Annotated[int, TimeToLive()] = 7


def test_roles() -> None:
    item = Managed(pk="x", made=NOW, changed=NOW, until=NOW.replace(microsecond=0))
    assert round_trip(item, Tokens) == {
        "pk": {"S": "x"},
        "version": {"N": "0"},
        "score": {"N": "0"},
        "count": {"N": "0.5"},
        "made": {"S": "2026-01-02T03:04:05.000006Z"},
        "gsk": {"S": "2026-01-02T03:04:05.000006Z"},
        "until": {"N": "1767323045"},
        "expires": {"N": "7"},
    }
    schema = schema_of(Managed, Tokens)
    assert schema.version is schema.declaration.fields["version"]
    assert [field.name for field in schema.counters] == ["score", "count"]


def test_a_time_may_be_the_key_of_an_index() -> None:
    class Indexed(Item):
        pk: str
        sk: Annotated[Literal[""], Attribute(prefix="I_")] = ""
        changed: Annotated[datetime | None, UpdatedAt(), Attribute("gsk")] = None

    assert round_trip(Indexed(pk="x", changed=NOW))["gsk"] == {"S": "2026-01-02T03:04:05.000006Z"}


def test_an_absent_counter_is_its_initial_value() -> None:
    class Stock(Item):
        pk: str
        left: Annotated[int, Counter(initial=10)] = 0

    assert schema_of(Stock, Tokens).decode({"pk": {"S": "x"}}) == Stock(pk="x", left=10)


def test_times_to_live_that_are_required_or_have_a_default() -> None:
    class Required(Item):
        pk: str
        until: Annotated[datetime, TimeToLive()]

    class Defaulted(Item):
        pk: str
        until: Annotated[datetime | None, TimeToLive()] = datetime(2026, 1, 2, tzinfo=UTC)

    assert round_trip(Required(pk="x", until=NOW.replace(microsecond=0)), Tokens)["until"] == {"N": "1767323045"}
    assert round_trip(Defaulted(pk="x", until=None), Tokens)["until"] == {"NULL": True}
    assert (
        str(undecodable(Required, {"pk": {"S": "x"}}, Tokens)) == "the row pk='x' is no valid Required: until (missing)"
    )


# Attributes that the raw item declares


def test_declared_attributes_take_what_is_stored_alike() -> None:
    class Rows(Tokens):
        size: float | None = None
        kind: Kind = Kind.ONE
        inner: dict[str, int] = {}

    class Inner(BaseModel):
        x: int = 0

    class Thing(Item):
        pk: str
        size: timedelta | None = timedelta(0)
        kind: Annotated[str, Attribute(prefix="K_")] = ""
        inner: Inner = Inner()

    assert round_trip(Thing(pk="x", size=None), Rows)["size"] == {"NULL": True}
