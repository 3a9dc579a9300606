"""What pydantic serializes: types that only it knows, serializers of the user's, secrets."""

from __future__ import annotations

import collections
import fractions
import ipaddress
import pathlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias
from zoneinfo import ZoneInfo

import pydantic
import pytest
from pydantic import (
    AfterValidator,
    AnyUrl,
    Base64Bytes,
    Base64Str,
    BaseModel,
    BeforeValidator,
    ByteSize,
    Field,
    GetCoreSchemaHandler,
    ImportString,
    IPvAnyAddress,
    Json,
    PlainSerializer,
    PlainValidator,
    Secret,
    SecretBytes,
    SecretStr,
    SerializationInfo,
    Strict,
    ValidationError,
    WrapSerializer,
    field_serializer,
    field_validator,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from logicaldb.codec.custom import SERIALIZED, forms_of_schema
from logicaldb.codec.types import field_codec
from logicaldb.codec.values import ALL_FORMS, Refused, Unsupported
from tests.unit.codec.support import (
    assert_same,
    codec_of,
    read,
    refusal,
    there_and_back,
    unsupported,
    without_codec,
    write,
)

if TYPE_CHECKING:
    Nowhere: TypeAlias = Any

DAY = date(2026, 1, 2)
WHEN = datetime(2026, 1, 2, 3, 4, 5, 600000, UTC)

KNOWN: list[tuple[Any, Any, dict[str, Any]]] = [
    (pathlib.Path, pathlib.Path("a/b"), {"S": "a/b"}),
    (pathlib.PurePosixPath, pathlib.PurePosixPath("a/b"), {"S": "a/b"}),
    (ipaddress.IPv4Address, ipaddress.IPv4Address("1.2.3.4"), {"S": "1.2.3.4"}),
    (ipaddress.IPv6Network, ipaddress.IPv6Network("::/64"), {"S": "::/64"}),
    (IPvAnyAddress, ipaddress.IPv4Address("1.2.3.4"), {"S": "1.2.3.4"}),
    (AnyUrl, AnyUrl("http://a.b/"), {"S": "http://a.b/"}),
    (re.Pattern, re.compile("a.b"), {"S": "a.b"}),
    (re.Pattern[str], re.compile("a.b"), {"S": "a.b"}),
    (fractions.Fraction, fractions.Fraction(1, 3), {"S": "1/3"}),
    (complex, 1 + 2j, {"S": "1+2j"}),
    (ZoneInfo, ZoneInfo("UTC"), {"S": "UTC"}),
    (ByteSize, ByteSize(5), {"N": "5"}),
    (ImportString, "math.cos", {"S": "math.cos"}),
    (Base64Bytes, b"aGk=", {"B": "YUdrPQ=="}),
    (Base64Str, "aGk=", {"S": "aGk="}),
    (Json[list[int]], "[1, 2]", {"S": "[1,2]"}),
    (Json, '{"a": 1}', {"S": '{"a":1}'}),
    (SecretStr, SecretStr("x"), {"S": "x"}),
    (SecretBytes, SecretBytes(b"\xff"), {"B": "/w=="}),
    (Secret[date], Secret[date](DAY), {"S": "2026-01-02"}),
]


@pytest.mark.parametrize(("annotation", "value", "wire"), KNOWN)
@pytest.mark.parametrize("strict", [False, True])
def test_types_that_pydantic_knows(annotation: Any, value: Any, wire: dict[str, Any], strict: bool) -> None:
    assert there_and_back(annotation, value, strict=strict) == wire
    assert there_and_back(annotation | None, value, strict=strict) == wire


class SecretDay(Secret[date]):
    """A secret of a class of its own."""


def test_secrets() -> None:
    assert there_and_back(Secret[Any], Secret[Any](5)) == {"N": "5"}
    assert unsupported(Secret[Any] | None) == "None and another of its values are both stored as NULL"
    assert there_and_back(SecretDay, SecretDay(DAY)) == {"S": "2026-01-02"}
    assert refusal(SecretStr, "x") == ": is a str, not a SecretStr"
    assert refusal(Secret[int], Secret("x")) == ": is a str, not an int"
    assert refusal(Secret[int], SecretDay(DAY)) == ": is a date, not an int"
    assert codec_of(SecretStr).codec.forms == {"S"}
    assert read(SecretStr, {"S": "x"}).get_secret_value() == "x"
    for annotation, wire in ((SecretStr, {"L": []}), (Secret[int], {"S": "x"}), (SecretBytes, {"M": {}})):
        with pytest.raises(ValidationError):
            read(annotation, wire)


def test_a_wrong_type_is_named() -> None:
    assert refusal(pathlib.Path, "a") == ": is a str, not a Path"
    assert refusal(re.Pattern[str], "a") == ": is a str, not a Pattern"
    assert refusal(AnyUrl, 5) == ": is an int that pydantic cannot serialize as its type declares"


def test_forms_are_known_where_they_matter() -> None:
    assert write(set[AnyUrl], {AnyUrl("http://a.b/")}) == {"SS": ["http://a.b/"]}
    assert write(set[ByteSize], {ByteSize(5)}) == {"NS": ["5"]}
    assert unsupported(AnyUrl | pathlib.Path).startswith("AnyUrl and Path have the stored form S in common")
    assert forms_of_schema({"type": "boolean"}) == {"BOOL"}
    assert forms_of_schema({"$ref": "#/$defs/X"}) == ALL_FORMS


class Arbitrary:
    """Nothing that pydantic knows."""


class Point:
    def __init__(self, x: float, y: float) -> None:
        self.x = x
        self.y = y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and (self.x, self.y) == (other.x, other.y)

    def __hash__(self) -> int:
        return hash((self.x, self.y))


def to_point(value: Any) -> Point:
    if isinstance(value, Point):
        return value
    return Point(*map(float, value.split(","))) if isinstance(value, str) else Point(*value)


def as_floats(point: Point) -> list[float]:
    return [point.x, point.y]


def as_anything(point: Point) -> dict[str, Any]:
    return {"x": str(point.x), "y": str(point.y)}


def as_known(point: Nowhere) -> list[float]:
    return [point.x, point.y]


def as_points(point: Point) -> list[Point]:
    points: list[Any] = [point.x, point.y]
    return points


def point(serializer: Any, **options: Any) -> Any:
    return Annotated[Point, PlainSerializer(serializer, **options), BeforeValidator(to_point)]


@pytest.mark.parametrize(
    ("annotation", "wire"),
    [
        (point(lambda p: f"{p.x},{p.y}"), {"S": "1.5,2.0"}),
        (point(lambda p: f"{p.x},{p.y}", return_type=str), {"S": "1.5,2.0"}),
        (point(as_floats), {"L": [{"N": "1.5"}, {"N": "2"}]}),
        (point(lambda p: [p.x, p.y], return_type=list[float]), {"L": [{"N": "1.5"}, {"N": "2"}]}),
        (point(lambda p: (p.x, p.y), return_type=tuple[float, float]), {"L": [{"N": "1.5"}, {"N": "2"}]}),
        (point(as_known), {"L": [{"N": "1.5"}, {"N": "2"}]}),
        (
            Annotated[Point, WrapSerializer(lambda p, handler: f"{p.x},{p.y}"), PlainValidator(to_point)],
            {"S": "1.5,2.0"},
        ),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_serializers(annotation: Any, wire: dict[str, Any], strict: bool) -> None:
    config: dict[str, Any] = {"arbitrary_types_allowed": True, "strict": strict}
    value = Point(1.5, 2.0)
    assert there_and_back(annotation, value, **config) == wire
    assert there_and_back(annotation | None, value, **config) == wire
    back = read(annotation, wire, **config)
    assert (type(back.x), type(back.y)) == (float, float)


def test_floats_that_would_come_back_as_decimals_are_refused() -> None:
    refused = ": is serialized in a form that would not come back: declare what its serializer returns"
    config: dict[str, Any] = {"arbitrary_types_allowed": True}
    for serializer in (lambda p: [p.x, p.y], as_points):
        assert refusal(point(serializer), Point(1.5, 2.0), **config) == refused
    assert refusal(point(lambda p: {"x": [p.x]}), Point(1.5, 2.0), **config) == refused
    assert write(point(lambda p: [str(p.x)]), Point(1.5, 2.0), **config) == {"L": [{"S": "1.5"}]}


def test_what_a_float_comes_back_as_is_tried() -> None:
    annotation = Annotated[
        float, PlainSerializer(lambda value: [value, (value,), {"a": value}]), BeforeValidator(first)
    ]
    assert write(annotation, 1.5) == {"L": [{"N": "1.5"}, {"L": [{"N": "1.5"}]}, {"M": {"a": {"N": "1.5"}}}]}
    assert read(annotation, write(annotation, 1.5)) == 1.5


def first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def test_what_a_serializer_gives_is_checked_against_what_it_declares() -> None:
    annotation = Annotated[int, PlainSerializer(lambda value: value, return_type=str)]
    assert refusal(annotation, 5) == ": is an int that pydantic cannot serialize as its type declares"


def test_a_serializer_that_fails() -> None:
    def fail(value: Any) -> Any:
        raise KeyError("secret")

    assert refusal(Annotated[int, PlainSerializer(fail)], 5) == ": is an int whose serializer raised KeyError"


class Mute(Point):
    """Its text cannot be had."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value, serialization=core_schema.to_string_ser_schema(when_used="always")
        )

    def __str__(self) -> str:
        raise LookupError("secret")


def test_a_type_whose_serializing_fails() -> None:
    assert refusal(Mute, Mute(1, 2)) == ": is a Mute whose serializer raised LookupError"


def test_a_refusal_keeps_no_chain_that_shows_the_value() -> None:
    def fail(value: Any) -> Any:
        raise KeyError("secret")

    with pytest.raises(Refused) as caught:
        write(Annotated[str, PlainSerializer(fail)], "secret")
    shown: BaseException | None = caught.value
    while shown is not None:
        assert "secret" not in str(shown)
        shown = shown.__cause__ or (None if shown.__suppress_context__ else shown.__context__)


def test_python_mode_is_tried_before_json_mode() -> None:
    annotation: Any = Annotated[
        date, PlainSerializer(lambda day, info: f"{info.mode} {day}"), BeforeValidator(read_mode)
    ]
    assert there_and_back(annotation, DAY) == {"S": "python 2026-01-02"}
    annotation = Annotated[date, WrapSerializer(lambda day, handler: {"day": handler(day)}), BeforeValidator(read_mode)]
    assert there_and_back(annotation, DAY) == {"M": {"day": {"S": "2026-01-02"}}}


def read_mode(value: Any) -> Any:
    if isinstance(value, dict):
        return value["day"]
    return value.removeprefix("python ") if isinstance(value, str) else value


def test_serializers_for_json_alone_do_not_count() -> None:
    annotation = Annotated[date, PlainSerializer(lambda day: "never", when_used="json")]
    assert there_and_back(annotation, DAY) == {"S": "2026-01-02"}


def test_validators_alone_change_nothing() -> None:
    for validator in (AfterValidator(lambda value: value), BeforeValidator(lambda value: value)):
        assert there_and_back(Annotated[datetime, validator], WHEN) == {"S": "2026-01-02T03:04:05.600000Z"}
    assert there_and_back(Annotated[set[int], AfterValidator(lambda value: value)], set()) is None


class Checked:
    """Metadata that validates."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(lambda value: value, handler(source))


class Ordinal:
    """Metadata that stores days as numbers."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: date.fromordinal(value) if isinstance(value, int) else value,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda day: day.toordinal()),
        )


class Given:
    """Metadata that makes pydantic know a type."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            to_point, serialization=core_schema.plain_serializer_function_ser_schema(lambda p: f"{p.x},{p.y}")
        )


def test_metadata_with_a_schema_of_its_own() -> None:
    assert there_and_back(Annotated[datetime, Checked()], WHEN) == {"S": "2026-01-02T03:04:05.600000Z"}
    assert there_and_back(Annotated[set[int] | None, Checked()], None) is None
    assert there_and_back(Annotated[date, Ordinal()], DAY) == {"N": "739618"}
    assert there_and_back(Annotated[Point, Given()], Point(1, 2)) == {"S": "1,2"}


class Amount:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Amount) and self.value == other.value

    def __hash__(self) -> int:
        return hash(self.value)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, Amount) else Amount(value),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda amount: amount.value),
        )


@pytest.mark.parametrize(
    ("value", "wire"),
    [
        ("x", {"S": "x"}),
        (5, {"N": "5"}),
        (Decimal("1.5"), {"N": "1.5"}),
        (None, {"NULL": True}),
        (b"x", {"B": "eA=="}),
        ({"a": [1]}, {"M": {"a": {"L": [{"N": "1"}]}}}),
        ({1}, {"NS": ["1"]}),
    ],
)
def test_classes_with_a_schema_of_their_own(value: Any, wire: dict[str, Any]) -> None:
    assert there_and_back(Amount, Amount(value)) == wire
    assert there_and_back(list[Amount], [Amount(value)]) == {"L": [wire]}


class Told(Amount):
    """Its schema says that it is serialized as a text."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            lambda value: value if isinstance(value, Told) else Told(value),
            json_schema_input_schema=core_schema.str_schema(),
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda told: told.value, return_schema=core_schema.any_schema()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        return {"type": "string"}


def test_classes_whose_schema_tells_what_they_are_serialized_as() -> None:
    assert write(set[Amount], {Amount("x")}) == {"L": [{"S": "x"}]}
    assert write(set[Told], {Told("x")}) == {"SS": ["x"]}
    assert refusal(set[Told], {Told(5)}) == ": is serialized as an int, not as its type declares"
    assert there_and_back(Told | int, Told("x")) == {"S": "x"}


def test_a_value_that_contains_itself_when_it_is_serialized() -> None:
    endless: list[Any] = []
    endless.append(endless)
    assert refusal(Amount, Amount(endless)) == ": is nested deeper than 32 levels"


class Opaque:
    """Without an equality of its own."""

    def __init__(self, text: str) -> None:
        self.text = text


def to_opaque(value: Any) -> Any:
    return Opaque(value) if isinstance(value, str) else value


def test_json_mode_for_what_python_mode_leaves_as_it_is() -> None:
    serializer = PlainSerializer(lambda value: getattr(value, "text", "x"), when_used="json")
    annotation = Annotated[Any, serializer, BeforeValidator(to_opaque)]
    wire = write(Annotated[Opaque, serializer, BeforeValidator(to_opaque)], Opaque("x"), arbitrary_types_allowed=True)
    assert wire == {"S": "x"}
    assert refusal(annotation, Opaque("x")) == (
        ": is an Opaque, which DynamoDB has no type for: declare the type instead of Any"
    )


def test_what_does_not_come_back_is_refused() -> None:
    refused = ": is serialized in a form that would not come back: declare what its serializer returns"
    for value in (WHEN, 1.5, [1, DAY]):
        assert refusal(Amount, Amount(value)) == refused


def test_empty_sets_and_unknown_objects_of_serializers() -> None:
    assert refusal(Amount, Amount(frozenset())) == (
        ": is serialized in a form that would not come back: declare what its serializer returns"
    )
    assert refusal(Amount, Amount(Arbitrary())) == ": is serialized as an Arbitrary, which DynamoDB has no type for"


def test_types_that_cannot_be_stored() -> None:
    how = "annotate it with a PlainSerializer and a BeforeValidator"
    assert unsupported(Callable[[int], int]).endswith(f"is a type that pydantic cannot serialize: {how}")
    assert unsupported(type[int]) == f"type[int] is a type that pydantic cannot serialize: {how}"
    assert (
        unsupported(Arbitrary, arbitrary_types_allowed=True)
        == f"Arbitrary is a type that pydantic cannot serialize: {how}"
    )
    assert without_codec(Arbitrary) == f"Arbitrary is a type that pydantic does not know: {how}"


class Texts(BaseModel):
    number: int
    when: datetime = WHEN
    tags: set[str] = set()
    maybe: date | None = None
    plain: int | None = None

    @field_serializer("number")
    def number_text(self, value: int) -> str:
        return f"#{value}"

    @field_validator("number", mode="before")
    @classmethod
    def read_number(cls, value: Any) -> Any:
        return int(value.removeprefix("#")) if isinstance(value, str) else value

    @field_serializer("when")
    def when_number(self, value: datetime) -> float:
        return value.timestamp()

    @field_serializer("tags")
    @staticmethod
    def tags_list(value: set[str]) -> list[str]:
        return sorted(value)

    @field_serializer("maybe")
    def maybe_text(self, value: date | None, info: SerializationInfo) -> str:
        return "never" if value is None else value.isoformat()

    @field_serializer("plain", when_used="json")
    def plain_text(self, value: int) -> str:
        return "never"


class Excluded(BaseModel):
    number: int = Field(exclude=True)

    @field_serializer("number")
    def number_text(self, value: int) -> str:
        return "never"


class ExcludedIf(BaseModel):
    number: int = Field(exclude_if=lambda value: value == 5)

    @field_serializer("number")
    def number_text(self, value: int) -> Any:
        return str(value)


def test_an_excluded_field_is_not_serialized() -> None:
    assert there_and_back(ExcludedIf, ExcludedIf(number=5)) == {"M": {"number": {"N": "5"}}}
    assert there_and_back(ExcludedIf, ExcludedIf(number=6)) == {"M": {"number": {"S": "6"}}}
    assert there_and_back(Excluded, Excluded(number=5)) == {"M": {"number": {"N": "5"}}}


def test_field_serializers() -> None:
    value = Texts(number=5, tags={"b", "a"}, maybe=DAY, plain=3)
    assert there_and_back(Texts, value) == {
        "M": {
            "number": {"S": "#5"},
            "when": {"N": "1767323045.6"},
            "tags": {"L": [{"S": "a"}, {"S": "b"}]},
            "maybe": {"S": "2026-01-02"},
            "plain": {"N": "3"},
        }
    }
    assert there_and_back(Texts, Texts(number=5)) == {
        "M": {"number": {"S": "#5"}, "when": {"N": "1767323045.6"}, "tags": {"L": []}}
    }


class Needy(BaseModel):
    a: int = 1
    b: int = 2

    @field_serializer("*")
    def with_the_other(self, value: int) -> int:
        return value + self.b


def test_a_field_serializer_sees_its_own_field_alone() -> None:
    assert refusal(Needy, Needy()) == ".a: is an int whose serializer raised AttributeError"


@pydantic.dataclasses.dataclass(frozen=True, slots=True)
class SerializedData:
    number: int
    other: int = 5

    @field_serializer("number")
    def number_text(self, value: int) -> str:
        return str(value)


class Both(BaseModel):
    number: int

    @field_serializer("number")
    def number_text(self, value: int) -> str:
        return str(value)

    @model_serializer
    def as_text(self) -> str:
        return "both"


def test_field_and_model_serializers_together() -> None:
    with pytest.raises(Unsupported) as caught:
        field_codec("number", Both.model_fields["number"], Both)
    assert caught.value.reason == (
        "a field_serializer cannot be told apart from the model_serializer of its class: drop one"
    )


def test_field_serializers_of_dataclasses() -> None:
    assert there_and_back(SerializedData, SerializedData(5)) == {"M": {"number": {"S": "5"}, "other": {"N": "5"}}}


class Wrapped(BaseModel):
    day: date
    share: float

    @model_serializer(mode="wrap")
    def add_version(self, handler: Any) -> dict[str, Any]:
        return {**handler(self), "v": 1}


class Brief(BaseModel):
    number: int = Field(alias="n")

    @model_serializer
    def as_text(self) -> str:
        return f"<{self.number}>"

    @model_validator(mode="before")
    @classmethod
    def from_text(cls, value: Any) -> Any:
        return {"number": int(value[1:-1])} if isinstance(value, str) else value


class JsonOnly(BaseModel):
    number: int

    @model_serializer(when_used="json")
    def as_text(self) -> str:
        return "never"


class OwnSchema(BaseModel):
    number: int

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(
            lambda value: {"number": value} if isinstance(value, int) else value,
            handler(source),
            serialization=core_schema.plain_serializer_function_ser_schema(lambda model: model.number),
        )


@pydantic.dataclasses.dataclass
class BriefData:
    number: int

    @model_serializer
    def as_text(self) -> dict[str, str]:
        return {"number": str(self.number)}


@pytest.mark.parametrize(
    ("annotation", "value", "wire"),
    [
        (
            Wrapped,
            Wrapped(day=DAY, share=0.5),
            {"M": {"day": {"S": "2026-01-02"}, "share": {"N": "0.5"}, "v": {"N": "1"}}},
        ),
        (Brief, Brief(n=5), {"S": "<5>"}),
        (list[Brief], [Brief(n=5)], {"L": [{"S": "<5>"}]}),
        (Brief | int, Brief(n=5), {"S": "<5>"}),
        (JsonOnly, JsonOnly(number=5), {"M": {"number": {"N": "5"}}}),
        (OwnSchema, OwnSchema(number=5), {"N": "5"}),
        (BriefData, BriefData(5), {"M": {"number": {"S": "5"}}}),
    ],
)
def test_model_serializers(annotation: Any, value: Any, wire: dict[str, Any]) -> None:
    assert there_and_back(annotation, value) == wire


class Briefer(Brief):
    pass


def test_model_serializers_of_other_values() -> None:
    assert refusal(Brief, 5) == ": is an int, not a Brief"
    assert refusal(Brief, Briefer(n=5)) == ": is a Briefer, not a Brief"


class Looped(BaseModel):
    inner: Looped | None = None

    @model_serializer(mode="wrap")
    def same(self, handler: Any) -> Any:
        return handler(self)


def test_serialized_values_that_are_too_deep_or_contain_themselves() -> None:
    looped = Looped()
    looped.inner = looped
    assert refusal(Looped, looped).startswith(": is a Looped ")
    deep = Looped()
    for _ in range(40):
        deep = Looped.model_construct(inner=deep)
    assert refusal(Looped, deep) == ": is nested deeper than 32 levels"


class Level(IntEnum):
    LOW = 1


class Subclassed(str):
    __slots__ = ()


def test_what_serializers_give_may_be_of_subclasses() -> None:
    for value, wire in (
        (Subclassed("x"), {"S": "x"}),
        (Level.LOW, {"N": "1"}),
        (1.5, {"N": "1.5"}),
        (collections.OrderedDict(a=(1,)), {"M": {"a": {"L": [{"N": "1"}]}}}),
    ):
        assert SERIALIZED.encode(value) == wire
    assert_same(SERIALIZED.encode(Subclassed("x"))["S"], "x")


def split(value: Any) -> Any:
    return set(filter(None, value.split(","))) if isinstance(value, str) else value


def test_sets_that_are_serialized_as_something_else() -> None:
    annotation: Any = Annotated[set[str], PlainSerializer(",".join), BeforeValidator(split)]
    for default in (..., set(), {"x"}):
        assert there_and_back(annotation, set(), default) == {"S": ""}
        assert there_and_back(annotation | None, set(), default) == {"S": ""}


def test_an_optional_type_inside_of_a_serializer() -> None:
    annotation = Annotated[int | None, PlainSerializer(lambda value: f"<{value}>"), BeforeValidator(unbracketed)]
    assert there_and_back(annotation, None) is None
    assert there_and_back(annotation, 5) == {"S": "<5>"}
    assert write(annotation, None, default=5) == {"NULL": True}


def unbracketed(value: Any) -> Any:
    return value.strip("<>") if isinstance(value, str) else value


def test_what_is_not_valid_is_left_to_pydantic() -> None:
    for annotation in (pathlib.Path, AnyUrl, Json[list[int]]):
        for strict in (False, True):
            with pytest.raises(ValidationError):
                read(annotation, {"L": [{"N": "1"}]}, strict=strict)


def test_a_validator_that_fails_is_met_again_by_pydantic() -> None:
    codec = codec_of(point(as_floats), arbitrary_types_allowed=True, strict=True)
    assert codec.decode({"NULL": True}) is None
    with pytest.raises(TypeError):
        read(point(as_floats), {"NULL": True}, arbitrary_types_allowed=True, strict=True)


def test_a_serialized_union_in_a_union() -> None:
    inner: Any = Annotated[int | date, PlainSerializer(lambda value: f"<{value}>", return_type=str)]
    assert write(inner | bytes, 5) == {"S": "<5>"}
    assert write(inner | bytes, b"x") == {"B": "eA=="}


def test_strictness_of_a_field() -> None:
    assert there_and_back(Annotated[pathlib.Path, Strict()], pathlib.Path("a")) == {"S": "a"}
    annotation = Annotated[date, Strict(), PlainSerializer(lambda day: day.isoformat())]
    assert there_and_back(annotation, DAY) == {"S": "2026-01-02"}
