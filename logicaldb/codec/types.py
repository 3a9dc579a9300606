"""From a type annotation to its codec: the one place that looks at types, once for each."""

from __future__ import annotations

import collections
import collections.abc
import dataclasses
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum, Flag
from functools import partial
from inspect import signature
from typing import Any, Literal, NewType, TypeVar, get_args, get_origin

import pydantic
import typing_extensions
from pydantic import BaseModel, Discriminator, RootModel, Secret, SecretBytes, SecretStr, Tag
from pydantic.fields import FieldInfo

from logicaldb.codec.choices import ChoiceCodec, EnumCodec, FlagCodec
from logicaldb.codec.containers import ChoiceKeys, DictCodec, ListCodec, ScalarKeys, SetCodec, TextKeys, TupleCodec
from logicaldb.codec.custom import CustomCodec, SecretCodec
from logicaldb.codec.fields import Default, FieldCodec
from logicaldb.codec.generic import AnyCodec, JsonCodec
from logicaldb.codec.inspection import (
    SET_KINDS,
    admits,
    alias_value,
    bound_of,
    fields_of,
    is_alias,
    is_custom,
    is_union,
    metadata_of,
    namespace_of,
    required_keys,
    type_name,
    unwrap,
)
from logicaldb.codec.scalars import SCALARS, StrCodec
from logicaldb.codec.serialization import Scope, adapter_of, serialized_field, serialized_model, serialized_type
from logicaldb.codec.structures import (
    DataclassCodec,
    ModelCodec,
    NamedTupleCodec,
    RootModelCodec,
    StructureCodec,
    TypedDictCodec,
)
from logicaldb.codec.unions import DiscriminatedCodec, OptionalCodec, TaggedCodec, UnionCodec
from logicaldb.codec.values import Refused, Unsupported, ValueCodec, WireValue

_SCALARS: dict[Any, ValueCodec] = {
    **{kind: codec for codec in SCALARS for kind in codec.types},
    None: SCALARS[0],
    pydantic.PastDate: next(codec for codec in SCALARS if date in codec.types),
    pydantic.FutureDate: next(codec for codec in SCALARS if date in codec.types),
    **dict.fromkeys(
        (pydantic.AwareDatetime, pydantic.PastDatetime, pydantic.FutureDatetime),
        next(codec for codec in SCALARS if datetime in codec.types),
    ),
}

_UNTYPED = AnyCodec()
_SECRETS: dict[Any, tuple[Any, type]] = {SecretStr: (SecretStr, str), SecretBytes: (SecretBytes, bytes)}
_SEQUENCES: dict[Any, tuple[type, Callable[[list[Any]], Any] | None]] = {
    list: (list, None),
    collections.abc.MutableSequence: (list, None),
    collections.deque: (collections.deque, collections.deque),
}
_MAPPINGS: dict[Any, tuple[type, Callable[[dict[Any, Any]], Any] | None]] = {
    dict: (dict, None),
    collections.abc.Mapping: (dict, None),
    collections.abc.MutableMapping: (dict, None),
    collections.OrderedDict: (collections.OrderedDict, collections.OrderedDict),
}
_KEY_FORMS = tuple(map(frozenset, ("S", "N", "B", ["BOOL"], ["N", "BOOL"])))
_READ_ONCE = (collections.abc.Iterable, collections.abc.Iterator, collections.abc.Generator)
_DEFAULT_FACTORIES = (list, dict, set, str, int, float, bool, tuple, frozenset)


def codec_for(annotation: Any, metadata: Sequence[Any] = (), *, owner: type | None = None) -> ValueCodec:
    """The codec of a type.

    Args:
        annotation: the type, its forward references resolved.
        metadata: what ``Annotated`` adds to it.
        owner: the class whose configuration and names apply.

    Raises:
        Unsupported: if values of the type have no exact stored form.
    """
    return CodecBuilder().codec(annotation, metadata, scope_of(owner))


def field_codec(name: str, info: FieldInfo, owner: type) -> FieldCodec:
    """The codec of a field of a model, with its rule of absence.

    Raises:
        Unsupported: if values of its type have no exact stored form.
    """
    return CodecBuilder().field(name, info, owner)


def scope_of(owner: type | None, outer: Scope | None = None) -> Scope:
    """What a class says about the annotations in it; a class without a configuration takes that of its surroundings."""
    config = getattr(owner, "model_config", None) or getattr(owner, "__pydantic_config__", None)
    if config is None and outer is not None:
        return outer.inside()
    config = config or {}
    return Scope(
        {**(outer.namespace if outer else {}), **namespace_of(owner)},
        strict=bool(config.get("strict")),
        enum_values=bool(config.get("use_enum_values")),
        arbitrary=bool(config.get("arbitrary_types_allowed")),
    )



class DeferredCodec(ValueCodec):
    """Stands for the codec of a type inside of that type itself."""

    depth = None

    def __init__(self, forms: frozenset[str] = frozenset(), types: tuple[type, ...] = ()) -> None:
        self.forms = forms
        self.types = types
        self.used = False
        self._codec: ValueCodec = _UNTYPED

    def resolve(self, codec: ValueCodec) -> None:
        """Take the codec that this one stands for."""
        self._codec = codec

    def accepts(self, value: Any) -> bool:
        """As the codec that it stands for."""
        return self._codec.accepts(value)

    def encode(self, value: Any) -> WireValue:
        """As the codec that it stands for."""
        return self._codec.encode(value)

    def decode(self, wire: WireValue) -> Any:
        """As the codec that it stands for."""
        return self._codec.decode(wire)


class CodecBuilder:
    """Builds codecs, each type once; one builder serves the fields of one item type."""

    def __init__(self) -> None:
        self._built: dict[Any, ValueCodec] = {}

    def field(
        self, name: str, info: FieldInfo, owner: Any, scope: Scope | None = None, default: Default | None = None
    ) -> FieldCodec:
        """The codec of a field, with its rule of absence.

        Args:
            name: its name.
            info: what pydantic knows about it.
            owner: its class.
            scope: what its surroundings say, where that is not just what the class says.
            default: what its absence means, where that is not what its own default says.
        """
        scope = scope_of(owner) if scope is None else scope
        metadata = metadata_of(info)
        if isinstance(info.default, tuple):
            scope = replace(scope, sequence=tuple)
        codec = serialized_field(name, info, owner, scope, self._build(scope)) or self.codec(
            info.annotation, metadata, scope
        )
        admitted = admits(info.annotation, metadata, scope.namespace)
        set_kind = next((kind for kind in (set, frozenset) if kind in admitted), None)
        return FieldCodec(
            name,
            codec,
            nullable=type(None) in admitted,
            default=_default_of(info) if default is None else default,
            set_kind=None if isinstance(codec, CustomCodec) else set_kind,
        )

    def codec(self, annotation: Any, metadata: Sequence[Any], scope: Scope) -> ValueCodec:
        """The codec of a type."""
        annotation, metadata = unwrap(annotation, metadata)
        if annotation is pydantic.JsonValue:
            return JsonCodec()
        if is_custom(metadata):
            return serialized_type(annotation, metadata, scope, self._build(scope))
        if is_alias(annotation):
            if any(isinstance(item, Discriminator) for item in metadata):
                return self.codec(alias_value(annotation, scope.namespace), metadata, scope)
            return self._recursive(annotation, lambda: self.codec(alias_value(annotation, scope.namespace), metadata, scope))
        if isinstance(annotation, NewType):
            return self.codec(annotation.__supertype__, metadata, scope)
        if isinstance(annotation, TypeVar):
            return self.codec(bound_of(annotation), metadata, scope)
        if annotation is Any or annotation is object:
            return _UNTYPED
        if get_origin(annotation) is Literal:
            return ChoiceCodec(type_name(annotation), [(value, self._constant(value)) for value in get_args(annotation)])
        if is_union(annotation):
            return self._union(get_args(annotation), metadata, scope)
        return self._container(annotation, scope) or self._class(annotation, metadata, scope)

    def _build(self, scope: Scope) -> Callable[[Any], ValueCodec]:
        return lambda annotation: self.codec(annotation, (), scope.inside())

    def _recursive(self, key: Any, build: Callable[[], ValueCodec]) -> ValueCodec:
        """Build a type that may refer to itself.

        Inside of itself it is a deferred codec. What that may write is known after a first pass; a second one, if it was
        used at all, checks unions and sets with that knowledge.
        """
        known = self._built.get(key)
        if known is not None:
            if isinstance(known, DeferredCodec):
                known.used = True
            return known
        before = dict(self._built)
        deferred = self._built[key] = DeferredCodec()
        codec = build()
        if deferred.used:
            self._built = before
            deferred = self._built[key] = DeferredCodec(codec.forms, codec.types)
            codec = build()
            deferred.resolve(codec)
        self._built[key] = codec
        return codec

    def _constant(self, value: Any) -> WireValue:
        """The wire form of a value of an enum or a literal."""
        if isinstance(value, Enum):
            value = value.value
        codec = _SCALARS.get(type(value))
        try:
            if codec is not None:
                return codec.encode(value)
            if isinstance(value, tuple):
                return {"L": [self._constant(element) for element in value]}
            return _UNTYPED.encode(value)
        except Refused as refused:
            raise Unsupported(f"one of its values {refused.reason}") from None

    def _union(self, members: Sequence[Any], metadata: Sequence[Any], scope: Scope) -> ValueCodec:
        discriminator = next((item.discriminator for item in metadata if isinstance(item, Discriminator)), None)
        if discriminator is not None and not isinstance(discriminator, str):
            return self._tagged(members, discriminator, scope)
        others = [member for member in members if member is not type(None)]
        if discriminator is not None:
            codec = self._discriminated(others, discriminator, scope)
        elif len(others) == 1:
            codec = self.codec(others[0], metadata, scope)
        else:
            codec = self._by_form(others, metadata, scope)
        return codec if len(others) == len(members) else _optional(codec)

    def _by_form(self, members: Sequence[Any], metadata: Sequence[Any], scope: Scope) -> ValueCodec:
        flat: list[tuple[str, ValueCodec]] = []
        optional = False
        for member in members:
            codec = self.codec(member, metadata, scope.exactly())
            if isinstance(codec, OptionalCodec):
                optional = True
                codec = codec.inner
            flat.extend(codec.members if isinstance(codec, UnionCodec) else ((type_name(member), codec),))
        union = UnionCodec(flat)
        return _optional(union) if optional else union

    def _tagged(self, members: Sequence[Any], tag_of: Callable[[Any], Any], scope: Scope) -> ValueCodec:
        tagged: dict[Any, ValueCodec] = {}
        for member in members:
            inner, metadata = unwrap(member)
            tag = next((item.tag for item in reversed(metadata) if isinstance(item, Tag)), None)
            if tag is None:
                raise Unsupported(f"{type_name(member)} has no Tag in its discriminated union")
            tagged[tag] = self.codec(inner, metadata, scope.exactly())
        return TaggedCodec(tag_of, tagged)

    def _discriminated(self, members: Sequence[Any], name: str, scope: Scope) -> ValueCodec:
        return DiscriminatedCodec(
            name,
            [(self.codec(member, (), scope.exactly()), self._tags(member, name, scope)) for member in members],
        )

    def _tags(self, member: Any, name: str, scope: Scope) -> list[tuple[Any, WireValue]]:
        """The values of the discriminator in a member of a union, or in the members of a union inside of it."""
        inner, _ = unwrap(member)
        if is_alias(inner):
            return self._tags(alias_value(inner, scope.namespace), name, scope)
        if is_union(inner):
            return [tag for part in get_args(inner) for tag in self._tags(part, name, scope)]
        kind = get_origin(inner) or inner
        info = fields_of(inner, scope.namespace).get(name) if _has_fields(kind) else None
        codec = None if info is None else self.codec(info.annotation, metadata_of(info), scope_of(kind, scope))
        if not isinstance(codec, ChoiceCodec):
            raise Unsupported(f"{type_name(inner)} has no field {name!r} of literals that tells it from the others")
        return codec.choices

    def _container(self, annotation: Any, scope: Scope) -> ValueCodec | None:
        kind = get_origin(annotation) or annotation
        arguments = get_args(annotation)
        inside = scope.inside()
        if kind is tuple:
            return self._tuple(annotation, arguments, inside)
        if kind in _SEQUENCES:
            sequence, make = _SEQUENCES[kind]
            return ListCodec(self._argument(arguments, 0, inside), sequence, make)
        if kind is collections.abc.Sequence:
            return self._sequence(self._argument(arguments, 0, inside), scope)
        if kind in SET_KINDS:
            element = self._argument(arguments, 0, inside.exactly())
            return SetCodec(element, SET_KINDS[kind], untyped=element is _UNTYPED)
        if kind in _READ_ONCE:
            raise Unsupported(f"{type_name(annotation)} can be read only once: declare a list")
        if kind is collections.Counter:
            keys = self._keys(arguments, inside)
            return DictCodec(keys, _SCALARS[int], collections.Counter, collections.Counter)
        if kind is collections.defaultdict:
            element = self._argument(arguments, 1, inside)
            return DictCodec(self._keys(arguments, inside), element, _default_dict(arguments))
        if kind in _MAPPINGS:
            mapping, make_mapping = _MAPPINGS[kind]
            return DictCodec(self._keys(arguments, inside), self._argument(arguments, 1, inside), make_mapping, mapping)
        return None

    def _argument(self, arguments: Sequence[Any], index: int, scope: Scope) -> ValueCodec:
        return self.codec(arguments[index], (), scope) if arguments else _UNTYPED

    def _tuple(self, annotation: Any, arguments: Sequence[Any], scope: Scope) -> ValueCodec:
        if annotation in (tuple, typing.Tuple):  # noqa: UP006 - the old spelling is a type of its own
            return ListCodec(_UNTYPED, tuple, tuple)
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return ListCodec(self.codec(arguments[0], (), scope), tuple, tuple)
        return TupleCodec([self.codec(argument, (), scope) for argument in arguments])

    def _sequence(self, element: ValueCodec, scope: Scope) -> ValueCodec:
        if scope.sequence is tuple:
            return ListCodec(element, tuple, tuple, remark=" like the default of its field: declare it as a list")
        return ListCodec(element, list, remark=", as a Sequence reads back: declare it as a tuple")

    def _keys(self, arguments: Sequence[Any], scope: Scope) -> TextKeys | ScalarKeys | ChoiceKeys:
        codec = self._argument(arguments, 0, scope.exactly())
        if codec is _UNTYPED or isinstance(codec, StrCodec):
            return TextKeys()
        if isinstance(codec, ChoiceCodec):
            return ChoiceKeys(codec.name, codec.choices)
        if codec.forms in _KEY_FORMS:
            return ScalarKeys(codec)
        raise Unsupported(f"{type_name(arguments[0])} cannot be the type of a key: its values have no text of their own")

    def _class(self, annotation: Any, metadata: Sequence[Any], scope: Scope) -> ValueCodec:
        kind = get_origin(annotation) or annotation
        scalar = _SCALARS.get(annotation) if isinstance(annotation, collections.abc.Hashable) else None
        if scalar is not None:
            return scalar
        if annotation is pydantic.NaiveDatetime:
            raise Unsupported("a datetime without a time zone cannot be stored: declare AwareDatetime")
        if annotation in _SECRETS:
            secret, inner = _SECRETS[annotation]
            return SecretCodec(secret, _SCALARS[inner])
        if isinstance(kind, type):
            if issubclass(kind, BaseModel):
                return self._model(kind, scope)
            if issubclass(kind, Secret):
                return SecretCodec(annotation, self._argument(_secret_arguments(annotation), 0, scope))
            if not hasattr(kind, "__get_pydantic_core_schema__"):
                if issubclass(kind, Flag):
                    return FlagCodec(kind)
                if issubclass(kind, Enum):
                    choices = [(member, self._constant(member)) for member in kind]
                    return EnumCodec(kind, choices, by_value=scope.enum_values)
                if _has_fields(kind):
                    return self._structure(annotation, kind, scope)
        return serialized_type(annotation, metadata, scope, self._build(scope))

    def _model(self, model: Any, scope: Scope) -> ValueCodec:
        if not model.__pydantic_complete__ and not model.model_rebuild(raise_errors=False):
            raise Unsupported(f"the annotations of {model.__name__} cannot be resolved")
        serialized = serialized_model(model, scope, self._build(scope))
        if serialized is not None:
            return serialized
        validate = partial(model.__pydantic_validator__.validate_python, by_name=True, by_alias=False)
        if issubclass(model, RootModel):
            return self._recursive(model, lambda: RootModelCodec(model, validate, self._root(model)))
        return self._built.get(model) or self._complete(
            model, ModelCodec(model, validate), scope_of(model), extras=model.model_config.get("extra") == "allow"
        )

    def _root(self, model: Any) -> FieldCodec:
        return self.field("root", model.__pydantic_fields__["root"], model, default=Default.OTHER)

    def _structure(self, annotation: Any, kind: Any, scope: Scope) -> ValueCodec:
        known = self._built.get(annotation)
        if known is not None:
            return known
        scope = scope_of(kind, scope)
        if typing_extensions.is_typeddict(kind):
            config = getattr(kind, "__pydantic_config__", {})
            return self._complete(
                annotation,
                TypedDictCodec(kind),
                scope,
                extras=config.get("extra") == "allow",
                required=required_keys(kind, scope.namespace),
            )
        if issubclass(kind, tuple):
            return self._complete(annotation, NamedTupleCodec(kind), scope)
        return self._complete(annotation, _dataclass_codec(annotation, kind, scope), scope)

    def _complete(
        self,
        annotation: Any,
        codec: StructureCodec,
        scope: Scope,
        *,
        extras: bool = False,
        required: frozenset[str] | None = None,
    ) -> ValueCodec:
        self._built[annotation] = codec
        kind = get_origin(annotation) or annotation
        fields = []
        for name, info in fields_of(annotation, scope.namespace).items():
            # A key that a typed dict need not have is absent where it has none, so nothing else may be.
            default = None if required is None or name in required else Default.OTHER
            try:
                fields.append(self.field(name, info, kind, scope, default))
            except Unsupported as unsupported:
                raise Unsupported(f"{kind.__name__}.{name}: {unsupported.reason}") from None
        codec.complete(fields, extras=extras)
        return codec


def _optional(codec: ValueCodec) -> ValueCodec:
    if "NULL" in codec.forms and not isinstance(codec, CustomCodec) and not codec.accepts(None):
        raise Unsupported("None and another of its values are both stored as NULL")
    return OptionalCodec(codec)


def _default_of(info: FieldInfo) -> Default:
    if info.is_required():
        return Default.REQUIRED
    if info.default_factory is None:
        if info.default is None:
            return Default.NONE
        return Default.EMPTY_SET if info.default in (set(), frozenset()) else Default.OTHER
    return Default.EMPTY_SET if info.default_factory in (set, frozenset) else Default.OTHER


def _has_fields(kind: Any) -> bool:
    return (
        hasattr(kind, "__pydantic_fields__")
        or dataclasses.is_dataclass(kind)
        or typing_extensions.is_typeddict(kind)
        or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
    )


def _default_dict(arguments: Sequence[Any]) -> Callable[[dict[Any, Any]], Any]:
    value = arguments[1] if arguments else None
    factory = get_origin(value) or value
    return partial(collections.defaultdict, factory if factory in _DEFAULT_FACTORIES else None)


def _secret_arguments(annotation: Any) -> tuple[Any, ...]:
    bases = getattr(annotation, "__orig_bases__", ())
    return get_args(annotation) or next((get_args(base) for base in bases), ())


def _dataclass_codec(annotation: Any, kind: Any, scope: Scope) -> DataclassCodec:
    fields = dataclasses.fields(kind)
    known = {declared.name for declared in fields}
    if hasattr(kind, "__pydantic_fields__"):
        inits = [name for name, info in kind.__pydantic_fields__.items() if info.init_var and info.is_required()]
    else:
        inits = [
            parameter.name
            for parameter in signature(kind).parameters.values()
            if parameter.default is parameter.empty and parameter.name not in known
        ]
    if inits:
        raise Unsupported(f"{kind.__name__} cannot be made again without {inits[0]!r}, which it does not keep")
    if getattr(kind, "__pydantic_config__", {}).get("extra") == "allow":
        raise Unsupported(f"{kind.__name__} is a dataclass that allows extra fields: make it a model")
    adapter = adapter_of(annotation, (), scope)
    validate = partial(adapter.validate_python, by_name=True, by_alias=False)
    return DataclassCodec(kind, validate, [declared.name for declared in fields if not declared.init])
