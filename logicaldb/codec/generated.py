"""The fast road of encoding: for each type one function, made as source text, that writes the JSON text of its values.

It knows the usual values: of exactly the declared classes, and inside of all limits. It raises for whatever else, and then
the codecs decide, which are the one place where values are refused. What it writes is what they write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from logicaldb.codec.choices import ChoiceCodec, EnumCodec, FlagCodec
from logicaldb.codec.fields import FieldCodec
from logicaldb.codec.generic import encode_bytes
from logicaldb.codec.limits import MAX_NAME_BYTES
from logicaldb.codec.mappings import DictCodec, TextKeys
from logicaldb.codec.numbers import MAX_DIGITS, encode_decimal, encode_float
from logicaldb.codec.scalars import (
    BoolCodec,
    BytesCodec,
    DateCodec,
    DatetimeCodec,
    DecimalCodec,
    FloatCodec,
    IntCodec,
    StrCodec,
    TimeCodec,
    TimedeltaCodec,
    UUIDCodec,
)
from logicaldb.codec.sequences import ListCodec, SetCodec, TupleCodec
from logicaldb.codec.source import Body, Source, literal
from logicaldb.codec.structures import DataclassCodec, ModelCodec, NamedTupleCodec, StructureCodec
from logicaldb.codec.times import EpochSeconds
from logicaldb.codec.unions import DiscriminatedCodec, OptionalCodec, UnionCodec
from logicaldb.codec.values import ValueCodec
from logicaldb.codec.writing import json_string, to_json

_DATETIME: Final = DatetimeCodec()


class Unusual(Exception):
    """A value that only the codecs know what to do with."""


def datetime_text(value: datetime) -> str:
    """The same as the codec of ``datetime`` writes, in less time for UTC itself."""
    if value.tzinfo is UTC:
        return f"{value.isoformat(timespec='microseconds')[:-6]}Z"
    text: str = _DATETIME.encode(value)["S"]
    return text


def new_source() -> Source:
    """Source for functions that write."""
    return Source(
        Unusual=Unusual,
        json_string=json_string,
        to_json=to_json,
        encode_decimal=encode_decimal,
        datetime_text=datetime_text,
        encode_float=encode_float,
        encode_bytes=encode_bytes,
        Decimal=Decimal,
        UUID=UUID,
        date=date,
        datetime=datetime,
        LEAST=-(10**MAX_DIGITS),
        GREATEST=10**MAX_DIGITS,
        BOOLS={True: "true", False: "false"},
    )


class ValueSource:
    """Makes what writes values: statements, and the rest of an f-string that holds the wire form.

    Args:
        source: where functions and constants go.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._functions: dict[int, str] = {}

    def wire(self, body: Body, codec: ValueCodec, value: str) -> str:
        """What writes a value of a codec: checks into the body, and the text of an f-string."""
        write = _WRITERS.get(type(codec))
        written = None if write is None else write(self, body, codec, value)
        return self._by_codec(codec, value) if written is None else written

    def field(self, body: Body, codec: FieldCodec, value: str) -> tuple[str, str | None]:
        """What writes a field: the text of an f-string, and what holds that text where it may be ``None``, for absence."""
        if codec._deep:
            encoded, text = body.name("encoded"), body.name("text")
            body.add(f"{encoded} = {self.source.keep('encode', codec.encode)}({value})")
            body.add(f"{text} = None if {encoded} is None else to_json({encoded})")
            return f"{{{text}}}", text
        inner = codec.codec
        others: list[tuple[str, str | None]] = []
        if codec._none_absent or codec.nullable:
            others.append((f"{value} is None", None if codec._none_absent else '{"NULL":true}'))
            if isinstance(inner, OptionalCodec) and "NULL" not in inner.inner.forms:
                inner = inner.inner
        if codec._set_kind is not None:
            empty = f"not {value} and isinstance({value}, (set, frozenset))"
            others.append((empty, None if codec._empty_absent else '{"L":[]}'))
        if not others:
            return self.wire(body, inner, value), None
        text = body.name(codec.name)
        for keyword, (condition, instead) in zip(("if", "elif"), others, strict=False):
            with body.under(f"{keyword} {condition}:"):
                body.add(f"{text} = {instead!r}")
        with body.under("else:"):
            body.add(f"{text} = f'{self.wire(body, inner, value)}'")
        return f"{{{text}}}", text if any(instead is None for _, instead in others) else None

    def members(self, body: Body, members: Sequence[tuple[str, str, str | None]]) -> str:
        """What writes an object, of its names, and for each what ``field`` gives."""
        always = [literal(f"{json_string(name)}:") + text for name, text, absent in members if absent is None]
        sometimes: list[str] = []
        for name, text, absent in members:
            if absent is not None:
                member = body.name("member")
                named = literal(f",{json_string(name)}:")
                body.add(f"{member} = '' if {absent} is None else f'{named}{text}'")
                sometimes.append(member)
        more = "".join(f"{{{member}}}" for member in sometimes)
        if not always and sometimes:
            more = f"{{({' + '.join(sometimes)})[1:]}}"  # without the first comma
        return literal("{") + ",".join(always) + more + literal("}")

    def function(self, codec: ValueCodec) -> str:
        """The name of a function that writes values of a codec."""
        known = self._functions.get(id(codec))
        if known is None and isinstance(codec, _STRUCTURES) and not codec._extras:
            known = self._structure_function(codec)
        elif known is None:
            body = self.source.body()
            body.add(f"return f'{self.wire(body, codec, 'value')}'")
            known = self.source.function("element", "value", "Write a value.", body)
        self._functions[id(codec)] = known
        return known

    def _by_codec(self, codec: ValueCodec, value: str) -> str:
        return f"{{to_json({self.source.keep('encode', codec.encode)}({value}))}}"

    def _str(self, body: Body, _: StrCodec, value: str) -> str:
        body.check(f"type({value}) is not str")
        return wrapped("S", f"{{json_string({value})}}")

    def _int(self, body: Body, _: IntCodec, value: str) -> str:
        body.check(f"type({value}) is not int or not LEAST < {value} < GREATEST")
        return _quoted("N", value)

    def _decimal(self, body: Body, _: DecimalCodec, value: str) -> str:
        text = body.name("text")
        body.check(f"type({value}) is not Decimal")
        # A number as people write it: no sign, no exponent, and no more digits than characters.
        body.add(f"{text} = str({value})")
        with body.under(f"if not '0' <= {text} < ':' or 'E' in {text} or 'e' in {text} or len({text}) > {MAX_DIGITS}:"):
            body.add(f"{text} = encode_decimal({value})")
        with body.under(f"elif {text}[-1] == '0' and '.' in {text}:"):
            body.add(f"{text} = {text}.rstrip('0').rstrip('.')")
        return _quoted("N", text)

    def _bool(self, body: Body, _: BoolCodec, value: str) -> str:
        body.check(f"type({value}) is not bool")
        return wrapped("BOOL", f"{{BOOLS[{value}]}}")

    def _choice(self, _: Body, codec: ChoiceCodec, value: str) -> str:
        texts = {choice: to_json(wire) for choice, wire in codec._wires.items()}
        return f"{{{self.source.keep('texts', texts)}[type({value}), {value}]}}"

    def _plain(self, body: Body, codec: ValueCodec, value: str) -> str:
        """A scalar whose text needs no escapes, by its codec."""
        (form,) = codec.forms
        text = body.name("text")
        body.add(f"{text} = {self.source.keep('encode', codec.encode)}({value})['{form}']")
        return _quoted(form, text)

    def _list(self, body: Body, codec: ListCodec, value: str) -> str:
        text, elements, each = body.name("text"), body.name("elements"), body.name("each")
        body.check(f"type({value}) is not {self.source.keep(codec._kind.__name__, codec._kind)}")
        body.add(f"{elements} = []")
        with body.under(f"for {each} in {value}:"):
            body.add(f"{elements}.append(f'{self._element(body, codec.element, each)}')")
        body.add(f"{text} = ','.join({elements})")
        return wrapped("L", f"[{{{text}}}]")

    def _element(self, body: Body, codec: ValueCodec, value: str) -> str:
        """What writes an element: in place where that is short, for a call takes as long as a scalar does."""
        if type(codec) in _SCALARS:
            return self.wire(body, codec, value)
        if isinstance(codec, _STRUCTURES) and not codec._extras and all(map(_is_short, codec.fields)):
            return self._structure_text(body, codec, value)
        return f"{{{self.function(codec)}({value})}}"

    def _tuple(self, body: Body, codec: TupleCodec, value: str) -> str:
        names = [body.name("element") for _ in codec.elements]
        body.check(f"type({value}) is not tuple or len({value}) != {len(names)}")
        if names:
            body.add(f"{', '.join(names)}, = {value}")
        written = [self.wire(body, element, name) for element, name in zip(codec.elements, names, strict=True)]
        return wrapped("L", f"[{','.join(written)}]")

    def _set(self, body: Body, codec: SetCodec, value: str) -> str | None:
        if not isinstance(codec.element, StrCodec):
            return None
        text = body.name("elements")
        kind = codec._kind.__name__
        body.check(f"type({value}) is not {kind} or {{*map(type, {value})}} != {{str}}")
        body.add(f"{text} = ','.join(map(json_string, sorted({value})))")
        return wrapped("SS", f"[{{{text}}}]")

    def _dict(self, body: Body, codec: DictCodec, value: str) -> str | None:
        if not isinstance(codec.keys, TextKeys):
            return None
        text = body.name("elements")
        kind = self.source.keep(codec._kind.__name__, codec._kind)
        body.check(f"type({value}) is not {kind} or '' in {value} or not {{*map(type, {value})}} <= {{str}}")
        body.check(f"max(map(len, {value}), default=0) > {MAX_NAME_BYTES // 4}")
        element = self.function(codec.element)
        body.add(f"{text} = ','.join([f'{{json_string(key)}}:{{{element}(each)}}' for key, each in {value}.items()])")
        return wrapped("M", literal("{") + f"{{{text}}}" + literal("}"))

    def _optional(self, body: Body, codec: OptionalCodec, value: str) -> str | None:
        if "NULL" in codec.inner.forms:
            return None
        text = body.name("text")
        with body.under(f"if {value} is None:"):
            body.add(f"{text} = '{{\"NULL\":true}}'")
        with body.under("else:"):
            body.add(f"{text} = f'{self.wire(body, codec.inner, value)}'")
        return f"{{{text}}}"

    def _by_class(self, body: Body, codec: UnionCodec | DiscriminatedCodec, value: str) -> str:
        text = body.name("text")
        for keyword, (kind, member) in zip(_if_and_elif(), codec._by_type.items(), strict=False):
            with body.under(f"{keyword} type({value}) is {self.source.keep(kind.__name__, kind)}:"):
                body.add(f"{text} = f'{self.wire(body, member, value)}'")
        with body.under("else:"):
            body.add("raise Unusual")
        return f"{{{text}}}"

    def _structure(self, _: Body, codec: StructureCodec, value: str) -> str | None:
        return None if codec._extras else f"{{{self.function(codec)}({value})}}"

    def _structure_function(self, codec: StructureCodec) -> str:
        name = codec._kind.__name__
        body = self.source.body()
        body.add(f"return f'{self._structure_text(body, codec, 'value')}'")
        return self.source.function(name.lower(), "value", f"Write {name!a}.", body)

    def _structure_text(self, body: Body, codec: StructureCodec, value: str) -> str:
        kind = codec._kind
        body.check(f"type({value}) is not {self.source.keep(kind.__name__, kind)}")
        of_model = isinstance(codec, ModelCodec)
        values = body.name("values")
        if of_model:
            body.add(f"{values} = {value}.__dict__")
        members: list[tuple[str, str, str | None]] = []
        for field in codec.fields:
            found = body.name(field.name)
            body.add(f"{found} = " + (f"{values}[{field.name!a}]" if of_model else f"{value}.{field.name}"))
            members.append((field.name, *self.field(body, field, found)))
        return wrapped("M", self.members(body, members))


_STRUCTURES: Final = (ModelCodec, DataclassCodec, NamedTupleCodec)


def _is_short(field: FieldCodec) -> bool:
    """Whether a field holds a scalar, or nothing."""
    codec = field.codec.inner if isinstance(field.codec, OptionalCodec) else field.codec
    return type(codec) in _SCALARS and not field._deep


def _if_and_elif() -> Any:
    yield "if"
    while True:
        yield "elif"


def wrapped(form: str, held: str) -> str:
    """The f-string of a wire form, of that of what it holds."""
    return literal(f'{{"{form}":') + held + literal("}")


def _quoted(form: str, expression: str) -> str:
    """The same of an expression for a text that needs no escapes."""
    return wrapped(form, f'"{{{expression}}}"')


def _exact(kind: str, form: str, expression: str) -> Callable[[ValueSource, Body, ValueCodec, str], str]:
    """What writes the values of one class by an expression."""

    def write(_: ValueSource, body: Body, codec: ValueCodec, value: str) -> str:  # noqa: ARG001 - as all of them
        body.check(f"type({value}) is not {kind}")
        return _quoted(form, expression.format(value))

    return write


_WRITERS: Final[Mapping[type, Callable[[ValueSource, Body, Any, str], str | None]]] = {
    StrCodec: ValueSource._str,
    IntCodec: ValueSource._int,
    DecimalCodec: ValueSource._decimal,
    BoolCodec: ValueSource._bool,
    FloatCodec: _exact("float", "N", "encode_float({})"),
    BytesCodec: _exact("bytes", "B", "encode_bytes({})"),
    DateCodec: _exact("date", "S", "{}.isoformat()"),
    DatetimeCodec: _exact("datetime", "S", "datetime_text({})"),
    UUIDCodec: _exact("UUID", "S", "{}"),
    TimeCodec: ValueSource._plain,
    TimedeltaCodec: ValueSource._plain,
    EpochSeconds: ValueSource._plain,
    FlagCodec: ValueSource._plain,
    ChoiceCodec: ValueSource._choice,
    EnumCodec: ValueSource._choice,
    ListCodec: ValueSource._list,
    TupleCodec: ValueSource._tuple,
    SetCodec: ValueSource._set,
    DictCodec: ValueSource._dict,
    OptionalCodec: ValueSource._optional,
    UnionCodec: ValueSource._by_class,
    DiscriminatedCodec: ValueSource._by_class,
    ModelCodec: ValueSource._structure,
    DataclassCodec: ValueSource._structure,
    NamedTupleCodec: ValueSource._structure,
}
"""By the exact class of a codec; the values of others are written by the codec."""

_CONTAINERS: Final = (ListCodec, TupleCodec, SetCodec, DictCodec, OptionalCodec, UnionCodec, DiscriminatedCodec)
_SCALARS: Final = frozenset(_WRITERS) - {*_CONTAINERS, *_STRUCTURES}
