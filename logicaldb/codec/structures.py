"""Codecs of values with named fields: models, dataclasses, typed dicts and named tuples, as M by field name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from logicaldb.codec.fields import MISSING, FieldCodec
from logicaldb.codec.generic import MALFORMED, UNTYPED, generic_decode, map_in
from logicaldb.codec.values import Refused, ValueCodec, WireValue, deeper, describe, mismatch, with_article

Validate = Callable[[Any], Any]
"""Makes a validated instance of what was decoded; raises pydantic's ``ValidationError``."""


class StructureCodec(ValueCodec):
    """What the codecs of values with named fields share.

    The fields come after the codec is made, so that a type may refer to itself.
    """

    forms = frozenset("M")
    depth = None
    _partial = False

    def __init__(self, kind: type) -> None:
        self._kind: Any = kind
        self._fields: Sequence[FieldCodec] = ()
        self._names: frozenset[str] = frozenset()
        self._extras = False
        self.types = (kind,)

    @property
    def fields(self) -> Sequence[FieldCodec]:
        """The codecs of the fields."""
        return self._fields

    @property
    def extras(self) -> bool:
        """Whether values may hold fields that are not declared."""
        return self._extras

    def complete(self, fields: Sequence[FieldCodec], *, extras: bool = False) -> None:
        """Take the codecs of the fields, and whether values may hold others beside them."""
        self._fields = fields
        self._names = frozenset(field.name for field in fields)
        self._extras = extras
        self.depth = None if extras else deeper(*(field.codec for field in fields))

    def _encode_fields(self, values: Mapping[str, Any]) -> dict[str, WireValue]:
        wires: dict[str, WireValue] = {}
        for field in self._fields:
            name = field.name
            value = values.get(name, MISSING)
            if value is MISSING and self._partial and not field.required:
                continue
            try:
                if value is MISSING:
                    raise Refused("is missing")
                wire = field.encode_inside(value)
            except Refused as refused:
                refused.path = f".{name}{refused.path}"
                raise
            if wire is not None:
                wires[name] = wire
        return wires

    def _encode_extras(self, wires: dict[str, WireValue], values: Mapping[str, Any]) -> None:
        extras = {name: value for name, value in values.items() if name not in self._names}
        wires.update(UNTYPED.encode(extras)["M"])

    def _decode_fields(self, wire: WireValue) -> dict[str, Any] | None:
        """The values of the fields, unknown attributes left out; ``None`` if the wire value is no map."""
        wires = map_in(wire)
        if wires is None:
            return None
        values: dict[str, Any] = {}
        for field in self._fields:
            value = field.decode(wires.get(field.name))
            if value is not MISSING:
                values[field.name] = value
        if self._extras:
            values.update((name, UNTYPED.decode(inner)) for name, inner in wires.items() if name not in self._names)
        return values

    def _check_class(self, value: Any) -> None:
        if type(value) is self._kind:
            return
        name = self._kind.__name__
        if isinstance(value, self._kind):
            raise Refused(
                f"is {describe(value)}, a subclass of {name}, and would read back as {with_article(name)}: "
                f"declare it as {type(value).__name__}"
            )
        raise mismatch(value, with_article(name))


class ModelCodec(StructureCodec):
    """Pydantic models; aliases play no part."""

    def __init__(self, model: type, validate: Validate) -> None:
        super().__init__(model)
        self._validate = validate

    def encode(self, value: Any) -> WireValue:
        """M."""
        self._check_class(value)
        wires = self._encode_fields(value.__dict__)
        if self._extras:
            self._encode_extras(wires, value.__pydantic_extra__ or {})
        return {"M": wires}

    def decode(self, wire: WireValue) -> Any:
        """The model; where it is not valid, the values of its fields, so that pydantic reports them in their place."""
        values = self._decode_fields(wire)
        if values is None:
            return generic_decode(wire)
        try:
            return self._validate(values)
        except ValidationError:
            return values


class RootModelCodec(ValueCodec):
    """Root models, in the form of their root."""

    def __init__(self, model: type, validate: Validate, root: FieldCodec) -> None:
        """Take the codec of the root, a field with a default of its own kind, so that it is never absent."""
        self._model: Any = model
        self._validate = validate
        self._root = root
        self.types = (model,)
        self.forms = root.codec.forms
        self.depth = root.codec.depth

    def encode(self, value: Any) -> WireValue:
        """The form of the root."""
        if type(value) is not self._model:
            raise mismatch(value, with_article(self._model.__name__))
        wire = self._root.encode_inside(value.root)
        assert wire is not None  # a field with another default than None or the empty set is never absent
        return wire

    def decode(self, wire: WireValue) -> Any:
        """The model; where it is not valid, its root."""
        root = self._root.decode(wire)
        try:
            return self._validate(root)
        except ValidationError:
            return root


class DataclassCodec(StructureCodec):
    """Dataclasses, of pydantic and of the standard library.

    Fields that its ``__init__`` does not take are stored too, and set after the instance is made.
    """

    def __init__(self, kind: type, validate: Validate, later: Mapping[str, Validate]) -> None:
        """Take the class, what makes an instance, and the validators of the fields that are set afterwards."""
        super().__init__(kind)
        self._validate = validate
        self._later = later

    def encode(self, value: Any) -> WireValue:
        """M."""
        self._check_class(value)
        return {"M": self._encode_fields({name: getattr(value, name) for name in self._names if hasattr(value, name)})}

    def decode(self, wire: WireValue) -> Any:
        """The instance; where it is not valid, the values of its fields."""
        values = self._decode_fields(wire)
        if values is None:
            return generic_decode(wire)
        later = {name: values.pop(name) for name in self._later if name in values}
        try:
            instance = self._validate(values)
        except ValidationError:
            return values
        try:
            later = {name: self._later[name](value) for name, value in later.items()}
        except ValidationError:
            return MALFORMED  # pydantic would not look at them among the values
        for name, value in later.items():
            object.__setattr__(instance, name, value)
        return instance


class TypedDictCodec(StructureCodec):
    """Typed dicts; keys that are not required are absent where the dict has none."""

    _partial = True

    def __init__(self, kind: type) -> None:
        super().__init__(kind)
        self.types = (dict,)

    def encode(self, value: Any) -> WireValue:
        """M."""
        if not isinstance(value, dict):
            raise mismatch(value, "a dict")
        wires = self._encode_fields(value)
        if self._extras:
            self._encode_extras(wires, value)
        elif not value.keys() <= self._names:
            raise Refused(f"has keys that {self._kind.__name__} does not declare")
        return {"M": wires}

    def decode(self, wire: WireValue) -> Any:
        """The dict."""
        values = self._decode_fields(wire)
        return generic_decode(wire) if values is None else values


class NamedTupleCodec(StructureCodec):
    """Named tuples, as a map, so that fields with defaults can be added later."""

    def encode(self, value: Any) -> WireValue:
        """M."""
        self._check_class(value)
        return {"M": self._encode_fields(value._asdict())}

    def decode(self, wire: WireValue) -> Any:
        """The named tuple; where fields are missing, a dict."""
        values = self._decode_fields(wire)
        if values is None:
            return generic_decode(wire)
        if any(field.required and field.name not in values for field in self._fields):
            return values
        return self._kind(**values)
