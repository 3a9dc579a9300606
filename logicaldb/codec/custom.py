"""Codecs of types that pydantic serializes: by serializers of the user's, or of pydantic's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Literal, TypeAlias

from pydantic import Secret, SecretBytes, SecretStr
from pydantic_core import PydanticSerializationError

from logicaldb.codec.generic import AnyCodec, encode_bytes, encode_text, generic_decode
from logicaldb.codec.numbers import encode_decimal, encode_float, encode_int
from logicaldb.codec.values import ALL_FORMS, Refused, ValueCodec, WireValue, describe, mismatch, with_article


class SerializedCodec(AnyCodec):
    """What serializers give: what DynamoDB knows, and further floats, tuples and subclasses.

    They are told apart by nothing in their stored form: the validator that reads them back knows what they were.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bases: tuple[tuple[type | tuple[type, ...], Callable[[Any], WireValue]], ...] = (
            (str, lambda value: {"S": encode_text(str.__str__(value))}),
            (bool, lambda value: {"BOOL": value}),
            (int, lambda value: {"N": encode_int(int(value))}),
            (float, lambda value: {"N": encode_float(value)}),
            (Decimal, lambda value: {"N": encode_decimal(value)}),
            (bytes, lambda value: {"B": encode_bytes(value)}),
            ((list, tuple), self._encode_list),
            (dict, self._encode_map),
        )

    def encode(self, value: Any) -> WireValue:
        """The wire form of a serialized value."""
        encode = self._encoders.get(type(value))
        if encode is not None:
            return encode(value)
        for base, encode_base in self._bases:
            if isinstance(value, base):
                return encode_base(value)
        raise Refused(f"is serialized as {describe(value)}, which DynamoDB has no type for")


SERIALIZED = SerializedCodec()
"""The codec of what serializers give; it holds no state."""

Mode: TypeAlias = Literal["python", "json"]
"""Pydantic's modes of serialization."""

Dump: TypeAlias = Callable[[Any, Mode], Any]
"""Serializes a value in a mode."""


class CustomCodec(ValueCodec):
    """Values as pydantic serializes them: in Python mode where DynamoDB knows the result, else in JSON mode."""

    depth = None

    def __init__(
        self,
        dump: Dump,
        validate: Callable[[Any], Any],
        *,
        kinds: tuple[type, ...] = (),
        nullable: bool = False,
        inner: ValueCodec | None = None,
        forms: frozenset[str] = ALL_FORMS,
        eager: bool = False,
        by_user: bool = True,
    ) -> None:
        """Take what pydantic does with the type.

        Args:
            dump: serializes a value.
            validate: makes a value of what was serialized.
            kinds: the classes of the values, where they are known.
            nullable: whether ``None`` is a value of the type.
            inner: the codec of the declared return type of the serializer.
            forms: the forms that results have, where they are known.
            eager: whether values are validated when they are decoded, and not only with the whole item: where a union
                or a strict model needs the very type.
            by_user: whether the serializer is one of the user's, of which nothing is known.
        """
        self._dump = dump
        self._validate = validate
        self._inner = inner
        self._eager = eager
        self._by_user = by_user
        self._kinds = kinds
        # A set that is serialized is stored as something else, so that the rule of absence for sets is not its own.
        self.types = tuple(kind for kind in kinds if kind not in (set, frozenset)) + ((type(None),) if nullable else ())
        self.forms = forms if inner is None else inner.forms

    def accepts(self, value: Any) -> bool:
        """A value of the classes; where they are not known, any."""
        return not self._kinds or isinstance(value, (*self._kinds, *self.types))

    def encode(self, value: Any) -> WireValue:
        """The form of what the type's serializer gives."""
        if not self._by_user and self._kinds and not isinstance(value, self._kinds):
            raise mismatch(value, with_article(self._kinds[0].__name__))
        dumped = self._serialize(value, "python")
        try:
            wire = self._store(dumped)
            doubtful = self._inner is None and _holds_floats(dumped)
        except Refused as refused:
            try:
                wire = self._store(self._serialize(value, "json"))
            except Refused:
                raise refused from None
            doubtful = self._by_user
        if doubtful and not self._comes_back(wire, dumped):
            raise Refused("is serialized in a form that would not come back: declare what its serializer returns")
        return wire

    def decode(self, wire: WireValue) -> Any:
        """What the serializer gave, for pydantic to read; the value itself where it has to be eager."""
        serialized = generic_decode(wire) if self._inner is None else self._inner.decode(wire)
        if self._eager:
            try:
                return self._validate(serialized)
            except Exception:  # noqa: BLE001 - validators are the user's; pydantic meets it again, with the whole item
                return serialized
        return serialized

    def _serialize(self, value: Any, mode: Mode) -> Any:
        try:
            return self._dump(value, mode)
        except (RecursionError, Refused):
            raise
        except PydanticSerializationError as error:
            cause = error.__cause__
        except Exception as error:  # noqa: BLE001 - serializers are the user's
            cause = error
        # The errors themselves may show the value.
        if cause is None:
            raise Refused(f"is {describe(value)} that pydantic cannot serialize as its type declares")
        raise Refused(f"is {describe(value)} whose serializer raised {type(cause).__name__}")

    def _store(self, dumped: Any) -> WireValue:
        if self._inner is not None:
            return self._inner.encode(dumped)
        wire = SERIALIZED.encode(dumped)
        if self.forms.isdisjoint(wire):
            raise Refused(f"is serialized as {describe(dumped)}, not as its type declares")
        return wire

    def _comes_back(self, wire: WireValue, dumped: Any) -> bool:
        """Whether a validator makes the same of a Decimal for a float, or of a text for whatever JSON mode had there."""
        try:
            return _same(self._dump(self._validate(generic_decode(wire)), "python"), dumped)
        except Exception:  # noqa: BLE001 - validators are the user's
            return False


def _holds_floats(dumped: Any) -> bool:
    if isinstance(dumped, (list, tuple)):
        return any(map(_holds_floats, dumped))
    if isinstance(dumped, dict):
        return any(map(_holds_floats, dumped.values()))
    return isinstance(dumped, float)


def _same(left: Any, right: Any) -> bool:
    if type(left) is not type(right):
        return False
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    # Instances of a class without an equality of its own are equal to nothing else.
    comparable = any("__eq__" in vars(kind) for kind in type(left).__mro__[:-1])
    return bool(left == right) if comparable else True


class SecretCodec(ValueCodec):
    """Pydantic's secrets, by the secret value itself."""

    def __init__(self, kind: type[Secret[Any]] | type[SecretStr] | type[SecretBytes], inner: ValueCodec) -> None:
        self._kind = kind
        self._inner = inner
        self.types = (kind,)
        self.forms = inner.forms
        self.depth = inner.depth

    def encode(self, value: Any) -> WireValue:
        """The form of the secret value."""
        if not isinstance(value, self._kind):
            raise mismatch(value, with_article(self._kind.__name__))
        return self._inner.encode(value.get_secret_value())

    def decode(self, wire: WireValue) -> Any:
        """The secret; what is no value of its type stays as it is."""
        value = self._inner.decode(wire)
        return self._kind(value) if self._inner.accepts(value) else value


def forms_of_schema(schema: Mapping[str, Any]) -> frozenset[str]:
    """The forms of what a JSON schema describes; all of them where it does not tell."""
    form = _FORMS_BY_SCHEMA.get(schema.get("type", ""))
    return ALL_FORMS if form is None else frozenset((form,))


_FORMS_BY_SCHEMA = {"string": "S", "integer": "N", "number": "N", "boolean": "BOOL", "array": "L", "object": "M"}
