"""From a type annotation to a strategy of its values: what the model takes and DynamoDB stores."""

from __future__ import annotations

import dataclasses
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, MutableSet, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any, Final, Literal, NewType, TypeAlias, TypeVar, Union, cast, get_args, get_origin

import annotated_types
import pydantic
from pydantic import (
    BaseModel,
    GetPydanticSchema,
    Json,
    JsonValue,
    RootModel,
    Secret,
    SecretBytes,
    SecretStr,
    ValidationError,
)
from pydantic.fields import FieldInfo

from logicaldb.codec.fields import MISSING
from logicaldb.codec.inspection import (
    NONE_TYPE,
    alias_value,
    bound_of,
    fields_of,
    has_fields,
    is_alias,
    is_typed_dict,
    is_union,
    metadata_of,
    required_keys,
    type_name,
    unwrap,
)
from logicaldb.codec.scope import Scope, scope_of
from logicaldb.codec.types import field_codec
from logicaldb.items import KeyBase
from logicaldb.testing.bounds import Bounds, bounds_of
from logicaldb.testing.drawing import InvalidArgument, reject, st
from logicaldb.testing.scalars import CHARACTERS, SCALARS, decimals, floats, integers

Strategy: TypeAlias = st.SearchStrategy[Any]
KeyValues: TypeAlias = Callable[[type[KeyBase[Any]]], "Strategy | None"]
"""The keys of a key type; ``None`` where its item type is in no table."""

_FEW: Final = 4
_FREE: Final = Bounds()
_NAMES: Final = st.text(CHARACTERS, min_size=1)
_SHARED: Final = st.one_of(st.none(), st.booleans(), st.text(CHARACTERS), integers(_FREE))
_SETS: Final[Mapping[Any, type[Any]]] = {set: set, MutableSet: set, frozenset: frozenset, AbstractSet: frozenset}
_MAPPINGS: Final = (dict, Mapping, MutableMapping, OrderedDict, defaultdict, Counter)
_ENCODERS: Final[tuple[Any, ...]] = (Json, GetPydanticSchema, pydantic.EncodedBytes, pydantic.EncodedStr)


def _nested(leaves: Strategy) -> Strategy:
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=_FEW),
            st.dictionaries(_NAMES, inner, max_size=_FEW),
        ),
        max_leaves=_FEW,
    )


# A whole float reads back as an int here, which is another number where floats are no longer exact.
JSON: Final = _nested(st.one_of(_SHARED, floats(Bounds(minimum=-(2**53), maximum=2**53))))
"""Values of JSON."""

ANYTHING: Final = _nested(
    st.one_of(
        _SHARED,
        decimals(_FREE),
        st.binary(),
        *(
            st.sets(elements, min_size=1, max_size=_FEW)
            for elements in (st.text(CHARACTERS), st.binary(), integers(_FREE))
        ),
    )
)
"""What DynamoDB knows by itself."""


class Values:
    """Makes the strategies of a field of an item type, each type in it that may refer to itself once.

    Args:
        where: the field, for messages: ``AlbumTrack.track_title``.
        keys: makes the keys of a key type.
    """

    def __init__(self, where: str, keys: KeyValues) -> None:
        self._where = where
        self._keys = keys
        self._made: dict[Any, Strategy] = {}

    def field(
        self,
        name: str,
        info: FieldInfo,
        owner: type[BaseModel],
        extra: Sequence[Any] = (),
        *,
        present: bool = False,
    ) -> Strategy:
        """The values of a field of the item type, or of a model in it, that read back as they are.

        Args:
            name: its name.
            info: what pydantic knows about it.
            owner: its class.
            extra: metadata beyond its own.
            present: whether ``None`` is left out.

        Raises:
            TypeError: nothing is known about the values of a type in it.
        """
        scope = scope_of(owner)
        if isinstance(info.default, tuple):
            scope = dataclasses.replace(scope, sequence=tuple)
        annotation = _without_none(info.annotation) if present else info.annotation
        values = self.of(annotation, (*metadata_of(info), *extra), scope)
        codec = field_codec(name, info, owner)

        def comes_back(value: Any) -> bool:
            found = codec.decode(codec.encode(value))
            if found is MISSING:
                found = _default_of(info)
            return type(found) is type(value)

        if codec.nullable and (present or not comes_back(None)):
            values = values.filter(lambda value: value is not None)
        for kind in (set, frozenset):
            if kind in codec.codec.types and comes_back(kind()) and not bounds_of(metadata_of(info)).min_length:
                values = st.one_of(st.builds(kind), values)
        return values

    def of(self, annotation: Any, metadata: Sequence[Any], scope: Scope) -> Strategy:
        """The values of a type with its metadata. Sets have elements."""
        annotation, metadata = unwrap(annotation, metadata)
        if any(isinstance(item, _ENCODERS) or item in _ENCODERS for item in metadata):
            raise self._unknown(annotation)
        values = self._of(annotation, metadata, scope)
        bounds = bounds_of(metadata)
        return values.filter(bounds.admits) if bounds.excluded or bounds.predicates else values

    def _of(  # noqa: PLR0911 - a return for each kind of type
        self, annotation: Any, metadata: Sequence[Any], scope: Scope
    ) -> Strategy:
        if annotation is JsonValue:
            return JSON
        if annotation is Any or annotation is object:
            return ANYTHING
        if is_alias(annotation):
            return self._once(annotation, lambda: self.of(alias_value(annotation, scope.namespace), metadata, scope))
        if isinstance(annotation, NewType):
            return self.of(annotation.__supertype__, metadata, scope)
        if isinstance(annotation, TypeVar):
            return self.of(bound_of(annotation), metadata, scope)
        if get_origin(annotation) is Literal:
            return st.sampled_from(get_args(annotation))
        if is_union(annotation):
            return st.one_of([self.of(member, metadata, scope) for member in get_args(annotation)])
        scalar = SCALARS.get(annotation)
        if scalar is not None:
            return scalar(bounds_of(metadata))
        several = self._several(annotation, metadata, scope)
        return self._class(annotation, scope) if several is None else several

    def _several(self, annotation: Any, metadata: Sequence[Any], scope: Scope) -> Strategy | None:
        """The values of a list, tuple, set, dict or the like; ``None`` if it is none."""
        kind, arguments = get_origin(annotation) or annotation, get_args(annotation)
        bounds = bounds_of(metadata)
        least = bounds.min_length
        most = max(least, _FEW) if bounds.max_length is None else bounds.max_length
        inside = scope.inside()
        if kind is tuple and arguments and arguments[-1] is not Ellipsis:
            return st.tuples(*(self.of(argument, (), inside) for argument in arguments))
        if kind in _MAPPINGS:
            return self._mapping(kind, arguments, inside, (least, most))
        if kind not in (list, MutableSequence, Sequence, deque, tuple, *_SETS):
            return None
        element = self.of(arguments[0], (), inside) if arguments else None
        if kind in _SETS:
            if element is None:
                element = integers(_FREE)
            return st.sets(element, min_size=max(least, 1), max_size=most).map(_SETS[kind])
        values = st.lists(ANYTHING if element is None else element, min_size=least, max_size=most)
        if kind in (deque, tuple):
            return values.map(kind)
        return values.map(tuple) if kind is Sequence and scope.sequence is tuple else values

    def _mapping(self, kind: Any, arguments: tuple[Any, ...], scope: Scope, sizes: tuple[int, int]) -> Strategy:
        keys = self.of(arguments[0], (annotated_types.MinLen(1),), scope) if arguments else _NAMES
        if kind is Counter:
            values: Strategy = integers(_FREE)
        else:
            values = self.of(arguments[1], (), scope) if arguments else ANYTHING
        made = st.dictionaries(keys, values, min_size=sizes[0], max_size=sizes[1])
        return made.map(kind) if kind in (Counter, OrderedDict) else made

    def _class(self, annotation: Any, scope: Scope) -> Strategy:
        origin = get_origin(annotation) or annotation
        kind: Any = origin if isinstance(origin, type) else object
        if issubclass(kind, BaseModel):
            keys = self._keys(kind) if issubclass(kind, KeyBase) else None
            return self._model(kind) if keys is None else keys
        if issubclass(kind, SecretStr | SecretBytes):
            return self.of(str if issubclass(kind, SecretStr) else bytes, (), scope).map(kind)
        if issubclass(kind, Secret):
            arguments = get_args(annotation)
            return self.of(arguments[0] if arguments else Any, (), scope).map(kind)
        if issubclass(kind, Enum):
            return st.sampled_from(kind)
        if has_fields(kind):
            return self._once(annotation, lambda: self._structure(annotation, kind, scope_of(kind, scope)))
        return self._registered(annotation)

    def _once(self, key: Any, make: Callable[[], Strategy]) -> Strategy:
        known = self._made.get(key)
        if known is not None:
            return known
        made: list[Strategy] = []
        self._made[key] = st.deferred(lambda: made[0])
        made.append(make())
        return self._made[key]

    def _model(self, model: type[BaseModel]) -> Strategy:
        return self._once(model, lambda: self._of_model(model))

    def _of_model(self, model: type[BaseModel]) -> Strategy:
        fields = {name: self.field(name, info, model) for name, info in model.model_fields.items()}

        def make(values: Any) -> Any:
            held = values["root"] if issubclass(model, RootModel) else values
            return validated(model, held)

        return st.fixed_dictionaries(fields).map(make)

    def _structure(self, annotation: Any, kind: Any, scope: Scope) -> Strategy:
        fields = {
            name: self.of(info.annotation, metadata_of(info), scope)
            for name, info in fields_of(annotation, scope.namespace).items()
        }
        if is_typed_dict(kind):
            required = required_keys(kind, scope.namespace)
            return st.fixed_dictionaries(
                {name: values for name, values in fields.items() if name in required},
                optional={name: values for name, values in fields.items() if name not in required},
            )
        if dataclasses.is_dataclass(kind):
            fields = {each.name: fields[each.name] for each in dataclasses.fields(kind) if each.init}
        return st.builds(cast("Callable[..., Any]", kind), **fields)

    def _registered(self, annotation: Any) -> Strategy:
        """What hypothesis itself knows, or was told, of a type."""
        unknown = self._unknown(annotation)
        values = st.from_type(annotation)
        try:
            values.validate()
        except InvalidArgument:
            raise unknown from None

        @st.composite
        def drawn(draw: st.DrawFn) -> Any:
            try:
                return draw(values)
            except (TypeError, ValueError) as error:
                raise unknown from error

        return drawn()

    def _unknown(self, annotation: Any) -> TypeError:
        field = self._where.rpartition(".")[2]
        name = type_name(annotation)
        return TypeError(
            f"{self._where}: nothing is known of the values of {name}; pass a strategy of them, items(..., {field}=...), "
            f"or register one with hypothesis.strategies.register_type_strategy({name}, ...)"
        )


def validated(model: type[BaseModel], values: Any) -> Any:
    """A model of values by field name; those that a validator of the user's refuses are drawn anew."""
    try:
        return model.__pydantic_validator__.validate_python(values, by_alias=False, by_name=True)
    except ValidationError:
        reject()


def _without_none(annotation: Any) -> Any:
    if not is_union(annotation):
        return annotation
    members = tuple(member for member in get_args(annotation) if member is not NONE_TYPE)
    return Union[members]  # noqa: UP007 - the members are known at run time only


def _default_of(info: FieldInfo) -> Any:
    """The default of a field; of factories, those that make an empty set."""
    factory: Any = info.default_factory
    return factory() if factory in (set, frozenset) else info.get_default(call_default_factory=False)
