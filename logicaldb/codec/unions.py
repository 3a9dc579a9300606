"""Codecs of unions: by the stored form, or by a discriminator."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, get_args, get_origin

from pydantic import Discriminator, Strict, Tag

from logicaldb.codec.choices import ChoiceCodec, frozen
from logicaldb.codec.custom import CustomCodec
from logicaldb.codec.generic import generic_decode
from logicaldb.codec.inspection import (
    NONE_TYPE,
    alias_value,
    fields_of,
    has_fields,
    is_alias,
    is_union,
    metadata_of,
    type_name,
    unwrap,
)
from logicaldb.codec.scope import Build, Scope, scope_of
from logicaldb.codec.values import Refused, Unsupported, ValueCodec, WireValue, deeper, describe

_NULL = frozenset(("NULL",))


class OptionalCodec(ValueCodec):
    """A type or ``None``."""

    def __init__(self, inner: ValueCodec) -> None:
        self.inner = inner
        self.forms = inner.forms | _NULL
        self.types = (*inner.types, type(None))
        self.depth = inner.depth

    def accepts(self, value: Any) -> bool:
        """``None``, or a value of the type."""
        return value is None or self.inner.accepts(value)

    def encode(self, value: Any) -> WireValue:
        """NULL, or the form of the type."""
        if value is None:
            return {"NULL": True}
        wire = self.inner.encode(value)
        if "NULL" in wire:
            raise Refused(f"is {describe(value)} that is stored as None is")
        return wire

    def decode(self, wire: WireValue) -> Any:
        """``None``, or the value."""
        if isinstance(wire, dict) and "NULL" in wire:
            return None
        return self.inner.decode(wire)


class UnionCodec(ValueCodec):
    """Types with different stored forms."""

    def __init__(self, members: Sequence[tuple[str, ValueCodec]]) -> None:
        """Take the members with their names.

        Raises:
            Unsupported: if two of them have a stored form in common.
        """
        self.members = members
        self._by_form: dict[str, ValueCodec] = {}
        self._by_type: dict[type, ValueCodec] = {}
        names: dict[str, str] = {}
        for name, codec in members:
            for form in sorted(codec.forms):
                if form in names:
                    raise Unsupported(
                        f"{names[form]} and {name} have the stored form {form} in common, so that a stored value does "
                        "not tell which it is: use a discriminated union of models, or one type"
                    )
                names[form] = name
                self._by_form[form] = codec
            self._by_type.update(dict.fromkeys(codec.types, codec))
        self.forms = frozenset(self._by_form)
        self.types = tuple(self._by_type)
        depth = deeper(*(codec for _, codec in members))
        self.depth = None if depth is None else depth - 1

    def accepts(self, value: Any) -> bool:
        """A value of one of the types."""
        return self._of(value) is not None

    def encode(self, value: Any) -> WireValue:
        """The form of the member that the value belongs to, by its exact class first."""
        codec = self._of(value)
        if codec is None:
            names = " or ".join(name for name, _ in self.members)
            raise Refused(f"is {describe(value)}, not {names}")
        return codec.encode(value)

    def decode(self, wire: WireValue) -> Any:
        """The value of the member whose form it is."""
        if isinstance(wire, dict):
            for form in wire:
                codec = self._by_form.get(form)
                if codec is not None:
                    return codec.decode(wire)
        return generic_decode(wire)

    def _of(self, value: Any) -> ValueCodec | None:
        codec = self._by_type.get(type(value))
        if codec is not None:
            return codec
        return next((codec for _, codec in self.members if codec.accepts(value)), None)


class DiscriminatedCodec(ValueCodec):
    """Structures told apart by one of their fields."""

    forms = frozenset("M")
    depth = None

    def __init__(self, field: str, members: Sequence[tuple[ValueCodec, Sequence[tuple[Any, WireValue]]]]) -> None:
        """Take the name of the field, and each member with the values that the field has in it.

        Raises:
            Unsupported: if two members have a value in common.
        """
        self._field = field
        self._by_type: dict[type, ValueCodec] = {}
        self._by_value: dict[tuple[type, Hashable], ValueCodec] = {}
        self._by_wire: dict[Hashable, ValueCodec] = {}
        for codec, choices in members:
            self._by_type.update((kind, codec) for kind in codec.types if kind is not dict)
            for value, wire in choices:
                key = frozen(wire)
                if self._by_wire.get(key, codec) is not codec:
                    raise Unsupported(f"two members of the union have the value {value!r} of {field}")
                self._by_value[type(value), value] = codec
                self._by_wire[key] = codec
        self.types = tuple({kind for codec, _ in members for kind in codec.types})

    def encode(self, value: Any) -> WireValue:
        """The form of the member that the value belongs to."""
        codec = self._by_type.get(type(value)) or self._by_tag(value)
        if codec is None:
            names = " or ".join(sorted(kind.__name__ for kind in self.types))
            raise Refused(f"is {describe(value)}, not {names}")
        return codec.encode(value)

    def decode(self, wire: WireValue) -> Any:
        """The value of the member that the stored field tells."""
        try:
            codec = self._by_wire[frozen(wire["M"][self._field])]
        except (AttributeError, KeyError, TypeError, ValueError):
            return generic_decode(wire)
        return codec.decode(wire)

    def _by_tag(self, value: Any) -> ValueCodec | None:
        """The member of a dict, by its field; that of an instance of a subclass, which refuses it by name."""
        if not isinstance(value, dict):
            return next((codec for kind, codec in self._by_type.items() if isinstance(value, kind)), None)
        tag = value.get(self._field)
        try:
            return self._by_value.get((type(tag), tag))
        except TypeError:
            return None


class TaggedCodec(ValueCodec):
    """Types told apart by a function of the value (``Discriminator``)."""

    depth = None

    def __init__(self, tag_of: Callable[[Any], Hashable], members: Mapping[Hashable, ValueCodec]) -> None:
        self._tag_of = tag_of
        self._members = members
        self.forms = frozenset(form for codec in members.values() for form in codec.forms)
        self.types = tuple({kind for codec in members.values() for kind in codec.types})

    def encode(self, value: Any) -> WireValue:
        """The form of the member that the function tells, if the stored form tells the same."""
        codec = self._tagged(value)
        if codec is None:
            raise Refused(f"is {describe(value)} that its discriminator does not know")
        wire = codec.encode(value)
        if self._choose(wire) is not codec:
            raise Refused("is a value whose discriminator does not tell the type of its stored form")
        return wire

    def decode(self, wire: WireValue) -> Any:
        """The value of the member that the function tells for the stored form."""
        codec = self._choose(wire)
        return generic_decode(wire) if codec is None else codec.decode(wire)

    def _choose(self, wire: WireValue) -> ValueCodec | None:
        forms = frozenset(wire) if isinstance(wire, dict) else frozenset()
        candidates = [codec for codec in self._members.values() if forms & codec.forms]
        if len(candidates) <= 1:
            return candidates[0] if candidates else None
        codec = self._tagged(generic_decode(wire))
        if codec in candidates:
            return codec
        return next((codec for codec in candidates if self._tagged(codec.decode(wire)) is codec), None)

    def _tagged(self, value: Any) -> ValueCodec | None:
        try:
            return self._members.get(self._tag_of(value))
        except Exception:  # noqa: BLE001 - the function is the user's, and need not take values of every form
            return None


def union_codec(members: Sequence[Any], metadata: Sequence[Any], scope: Scope, build: Build) -> ValueCodec:
    """The codec of a union.

    Raises:
        Unsupported: if its members cannot be told apart.
    """
    discriminator = next((item.discriminator for item in metadata if isinstance(item, Discriminator)), None)
    if discriminator is not None and not isinstance(discriminator, str):
        return _tagged_codec(members, discriminator, scope, build)
    others = [member for member in members if member is not NONE_TYPE]
    inherited = [item for item in metadata if isinstance(item, (Discriminator, Strict))]
    if len(others) == 1:
        codec = build(others[0], inherited, scope)
    elif discriminator is None:
        codec = _untagged_codec(others, inherited, scope.exactly(), build)
    else:
        codec = DiscriminatedCodec(
            discriminator,
            [(build(member, (), scope), _tags(member, discriminator, scope, build)) for member in others],
        )
    return codec if len(others) == len(members) else _optional(codec)


def _optional(codec: ValueCodec) -> ValueCodec:
    if "NULL" in codec.forms and not isinstance(codec, CustomCodec) and not codec.accepts(None):
        raise Unsupported("None and another of its values are both stored as NULL")
    return codec if isinstance(codec, OptionalCodec) else OptionalCodec(codec)


def _untagged_codec(members: Sequence[Any], metadata: Sequence[Any], scope: Scope, build: Build) -> ValueCodec:
    flat: list[tuple[str, ValueCodec]] = []
    optional = False
    for member in members:
        codec = build(member, metadata, scope)
        if isinstance(codec, OptionalCodec):
            optional = True
            codec = codec.inner
        flat.extend(codec.members if isinstance(codec, UnionCodec) else [(type_name(member), codec)])
    union = UnionCodec(flat)
    return _optional(union) if optional else union


def _tagged_codec(members: Sequence[Any], tag_of: Callable[[Any], Hashable], scope: Scope, build: Build) -> ValueCodec:
    tagged: dict[Hashable, ValueCodec] = {}
    for member in members:
        inner, metadata = unwrap(member)
        tag = next((item.tag for item in reversed(metadata) if isinstance(item, Tag)), None)
        if tag is None:
            raise Unsupported(f"{type_name(member)} has no Tag in its discriminated union")
        tagged[tag] = build(inner, metadata, scope.exactly())
    return TaggedCodec(tag_of, tagged)


def _tags(member: Any, name: str, scope: Scope, build: Build) -> list[tuple[Any, WireValue]]:
    """The values of the discriminator in a member of a union, or in the members of a union inside of it."""
    inner, _ = unwrap(member)
    if is_alias(inner):
        return _tags(alias_value(inner, scope.namespace), name, scope, build)
    if is_union(inner):
        return [tag for part in get_args(inner) for tag in _tags(part, name, scope, build)]
    kind = get_origin(inner) or inner
    info = fields_of(inner, scope.namespace).get(name) if has_fields(kind) else None
    codec = None if info is None else build(info.annotation, metadata_of(info), scope_of(kind, scope))
    if not isinstance(codec, ChoiceCodec):
        raise Unsupported(f"{type_name(inner)} has no field {name!r} of literals that tells it from the others")
    return codec.choices
