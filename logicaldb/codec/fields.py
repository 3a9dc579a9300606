"""A field of an item or of a nested model: the codec of its values and the rule of absence."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final, final

from logicaldb.codec.limits import MAX_DEPTH, depth_of
from logicaldb.codec.values import Refused, ValueCodec, WireValue


class Missing(Enum):
    """The type of ``MISSING``."""

    MISSING = "MISSING"


MISSING: Final = Missing.MISSING
"""What decoding an absent attribute gives where pydantic is to apply the default, or to report the field as missing."""


class Default(Enum):
    """What the default of a field is, as far as absence is concerned."""

    REQUIRED = "required"
    NONE = "None"
    EMPTY_SET = "the empty set"
    OTHER = "another value"


@final
class FieldCodec:
    """Encodes and decodes one field.

    ``None`` and the empty set are stored by absence wherever absence reads back as the same. Otherwise ``None`` is NULL
    and the empty set is an empty list. Of ``set[str] | None`` with a default of ``None`` or the empty set, both are
    absent and the default comes back.

    Attributes:
        name: the name of the field.
        codec: the codec of its values.
        nullable: whether its type admits ``None``.
        required: whether it has no default.
    """

    __slots__ = ("_deep", "_empty_absent", "_none_absent", "_set_kind", "codec", "name", "nullable", "required")

    def __init__(
        self,
        name: str,
        codec: ValueCodec,
        *,
        nullable: bool,
        default: Default,
        set_kind: type[set[Any]] | type[frozenset[Any]] | None = None,
    ) -> None:
        """Take what the rule of absence needs to know.

        Args:
            name: the name of the field.
            codec: the codec of its values.
            nullable: whether its type admits ``None``.
            default: what an absent attribute reads back as.
            set_kind: ``set`` or ``frozenset`` if its type admits one.
        """
        self.name = name
        self.codec = codec
        self.nullable = nullable
        self.required = default is Default.REQUIRED
        self._set_kind = set_kind
        self._none_absent = default is Default.NONE or (
            nullable and (self.required or (set_kind is not None and default is Default.EMPTY_SET))
        )
        self._empty_absent = set_kind is not None and (
            default is Default.EMPTY_SET or (nullable and default is Default.NONE) or (self.required and not nullable)
        )
        self._deep = codec.depth is None or codec.depth > MAX_DEPTH

    def encode(self, value: Any) -> WireValue | None:
        """The wire form of a value; ``None`` where the attribute is absent.

        Raises:
            Refused: if the value cannot be stored.
        """
        if not self._deep:
            return self.encode_inside(value)
        try:
            wire = self.encode_inside(value)
        except RecursionError:
            raise too_deep() from None
        if wire is not None and depth_of(wire) > MAX_DEPTH:
            raise too_deep()
        return wire

    def encode_inside(self, value: Any) -> WireValue | None:
        """The same for a field of a nested model; the field around it sees to the depth.

        Raises:
            Refused: if the value cannot be stored.
            RecursionError: if the value is nested too deep to tell, or contains itself.
        """
        if value is None and (self._none_absent or self.nullable):
            return None if self._none_absent else {"NULL": True}
        if self._set_kind is not None and not value and isinstance(value, (set, frozenset)):
            return None if self._empty_absent else {"L": []}
        return self.codec.encode(value)

    def decode(self, wire: WireValue | None) -> Any:
        """The value of a wire form, or of an absent attribute: ``MISSING`` where pydantic decides.

        Raises:
            Refused: if it is no value, in a place where pydantic would take it.
            RecursionError: if it is nested too deep to read.
        """
        if wire is not None:
            return self.codec.decode(wire)
        if self.required:
            if self.nullable:
                return None
            if self._set_kind is not None:
                return self._set_kind()
        return MISSING


def too_deep() -> Refused:
    """The refusal of what is nested too deep."""
    return Refused(f"is nested deeper than {MAX_DEPTH} levels")
