"""What one attribute of a row holds: a field as it is, or a key that is made of one or several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from logicaldb.codec.fields import MISSING, FieldCodec, too_deep
from logicaldb.codec.keys import FieldRefused, KeyAttribute
from logicaldb.codec.limits import value_size
from logicaldb.codec.values import Refused, WireValue


class Stored(Protocol):
    """What one attribute of a row holds."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields it is made of."""
        ...

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        """The stored form; ``None`` where the attribute is absent. Raises ``FieldRefused``."""
        ...

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        """The values of the fields; without one where the model's default applies. Raises ``FieldRefused``."""
        ...


@dataclass(frozen=True, slots=True)
class StoredField:
    """An attribute that holds one field as it is.

    Attributes:
        field: the field.
        codec: its stored form.
        absent: what an absent attribute reads back as, where the codec does not say so; ``MISSING`` for the model's default.
    """

    field: str
    codec: FieldCodec
    absent: Any = MISSING

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        try:
            return self.codec.encode(values[self.field])
        except Refused as refused:
            raise FieldRefused(self.field, refused.reason, refused.path) from None

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        try:
            value = self.codec.decode(wire)
        except RecursionError:
            raise FieldRefused(self.field, too_deep().reason) from None
        except Refused as refused:
            raise FieldRefused(self.field, refused.reason) from None
        if value is MISSING:
            value = self.absent
        return {} if value is MISSING else {self.field: value}


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An attribute that is a key, or that is written like one.

    Attributes:
        key: what it is made of.
        limit: how many bytes it may have; ``None`` where it is no key.
    """

    key: KeyAttribute
    limit: int | None

    @property
    def fields(self) -> tuple[str, ...]:
        return self.key.fields

    def encode(self, values: Mapping[str, Any]) -> WireValue | None:
        wire = self.key.encode(values)
        if wire is not None and self.limit is not None:
            check_key_size(self.key, wire, self.limit)
        return wire

    def decode(self, wire: WireValue | None) -> dict[str, Any]:
        try:
            return self.key.decode(wire)
        except RecursionError:
            raise FieldRefused(self.fields[0], too_deep().reason) from None


def check_key_size(key: KeyAttribute, wire: WireValue, limit: int) -> None:
    """Refuse what DynamoDB refuses as the value of a key attribute: nothing at all, or too much.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html

    Raises:
        FieldRefused: it is empty, or longer than the limit.
    """
    if key.tag == "N":
        return
    size = value_size(wire)
    if size == 0:
        kind = "string" if key.tag == "S" else "binary"
        raise FieldRefused(key.fields[0], f"is an empty {kind}, and the key attribute {key.name} cannot be")
    if size > limit:
        raise FieldRefused(
            key.fields[-1], f"makes the key attribute {key.name} {size} bytes long; the limit is {limit}"
        )


def check_form(key: KeyAttribute, values: Mapping[str, Any], row: Mapping[str, WireValue]) -> None:
    """Refuse a primary key in another form than the type writes: to the service that is the key of another row.

    Numbers have one form, that of the service.

    Raises:
        FieldRefused: it is stored in another form.
    """
    if key.tag != "N" and key.encode(values) != row.get(key.name):
        raise FieldRefused(key.fields[0], "is not stored in the form that its type writes")
