"""The fast road of decoding: pydantic-core reads rows by itself, from a schema of the model with the wire form in it.

The schema is the model's own, with all that its user put into it, but the fields are found where they are in a row
(``["title"]["S"]``) and numbers, times and the like are read from text. It accepts nothing that the codecs, the slow road,
would refuse, and gives what they give: where a part of a type has no such schema, the codec of that part reads it inside
the schema; and whatever the schema refuses is left to the codecs, which read it or say what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import SchemaValidator, ValidationError

from logicaldb.codec.fields import MISSING
from logicaldb.codec.mappings import DictCodec, TextKeys
from logicaldb.codec.scalars import StrCodec
from logicaldb.codec.sequences import ListCodec, SetCodec
from logicaldb.codec.structures import ModelCodec
from logicaldb.codec.unions import OptionalCodec
from logicaldb.codec.values import ValueCodec
from logicaldb.codec.wired_scalars import CoreSchema, after, before, wired_scalar

# What these hold is no schema of a value.
_NO_SCHEMAS: Final = frozenset(("metadata", "serialization", "default", "expected", "members", "config", "function"))
_ALIASES: Final = ("validate_by_alias", "validate_by_name", "populate_by_name", "loc_by_alias")
_NOTHING_HERE: Final = object()
"""In place of a wire value, the default of an absent attribute."""
_NONE: Final[CoreSchema] = {
    "type": "chain",  # a default by itself would apply to what is absent too
    "steps": [
        {"type": "any"},
        {"type": "default", "schema": {"type": "none"}, "default": None, "on_error": "default"},
    ],
}
"""Whatever it is, as ``None``."""


class Unwired(Exception):
    """A model that the fast road cannot read."""


@dataclass(frozen=True, slots=True)
class Wired:
    """A schema with the wire form in it.

    Attributes:
        schema: the schema.
        form: the type descriptor of which it takes what it holds; ``None`` where it takes a wire value as a whole.
        nullable: whether NULL is a value too, which the schema does not take.
        sure: whether it refuses wire values of other types as a whole.
    """

    schema: CoreSchema
    form: str | None
    nullable: bool = False
    sure: bool = True


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """A field of a model, and where it is in what is read.

    Attributes:
        path: the keys that lead to its wire value.
        reader: the codec of its values, or a function that makes values.
        form: the type descriptor of which the function takes what it holds; ``None`` where it takes a wire value as a whole.
        absent: what an absent attribute reads back as, where the model's default does not say it; else ``MISSING``.
        required: whether an absent attribute is left to the slow road, whatever the model's default.
    """

    path: tuple[str, ...]
    reader: ValueCodec | Callable[[Any], Any]
    form: str | None = None
    absent: Any = MISSING
    required: bool = False


class Wiring:
    """Puts the wire form into the schema of one model.

    Attributes:
        served: whether the rows are as the service sends them: each value a dict of one type descriptor and what belongs to
            it. Rows out of other hands are looked at more closely.
        from_json: whether the schema may be used for JSON text too: nothing in it asks where the input comes from.
    """

    def __init__(self, *, served: bool) -> None:
        self.served = served
        self.from_json = True
        self._definitions: dict[str, CoreSchema] = {}
        self._open: set[str] = set()

    def model(self, core: CoreSchema, plans: Mapping[str, FieldPlan]) -> CoreSchema:
        """The schema of rows, complete with the definitions that it refers to.

        Args:
            core: pydantic's schema of the model.
            plans: its fields.

        Raises:
            Unwired: the model looks at its input itself, or is not what pydantic makes by default.
        """
        if core["type"] == "definitions":
            self._definitions.update((each["ref"], each) for each in core["definitions"])
            self._note_all(core["definitions"])
            core = core["schema"]
        schema = self._through_functions(core, lambda model: self._model(model, plans))
        if self._definitions:
            schema = {"type": "definitions", "schema": schema, "definitions": list(self._definitions.values())}
        return schema

    def _through_functions(self, core: CoreSchema, build: Callable[[CoreSchema], CoreSchema]) -> CoreSchema:
        """Build the model inside of its validators of the mode ``after``."""
        if core["type"] == "definition-ref":
            return self._through_functions(self._definitions[core["schema_ref"]], build)
        if core["type"] == "function-after":
            self._note_function(core)
            return {**_anonymous(core), "schema": self._through_functions(core["schema"], build)}
        return build(core)

    def _model(self, core: CoreSchema, plans: Mapping[str, FieldPlan]) -> CoreSchema:
        if core["type"] != "model" or core.get("custom_init") or core.get("root_model"):
            raise Unwired
        config = core.get("config", {})
        fields = core["schema"]
        if (
            fields["type"] != "model-fields"
            or config.get("validate_default")
            or config.get("from_attributes")
            or fields["fields"].keys() != plans.keys()
        ):
            raise Unwired
        if "allow" in (core.get("extra_behavior"), fields.get("extra_behavior"), config.get("extra_fields_behavior")):
            raise Unwired
        always = [name for name, plan in plans.items() if plan.absent is not MISSING]
        inner: CoreSchema = {
            **_anonymous(fields),
            "fields": {name: self._field(field, plans[name]) for name, field in fields["fields"].items()},
            "extra_behavior": "ignore",
            "strict": False,
        }
        config = {name: value for name, value in config.items() if name not in _ALIASES}
        return {
            **_anonymous(core),
            "schema": after(_AlwaysSet(always), inner) if always else inner,
            "config": {**config, "extra_fields_behavior": "ignore"},
            "extra_behavior": "ignore",
            "strict": False,
        }

    def _field(self, field: CoreSchema, plan: FieldPlan) -> CoreSchema:
        core = field["schema"]
        default = core if core["type"] == "default" else None
        inner = core if default is None else core["schema"]
        if default is not None and default.get("validate_default"):
            raise Unwired
        if plan.required:
            default = None
        if isinstance(plan.reader, ValueCodec):
            read: Callable[[Any], Any] = plan.reader.decode
            wired = self._value(inner, plan.reader)
        else:
            read = plan.reader
            wired = Wired(before(read, self._left_alone(inner)), plan.form)
        absent = plan.absent
        if absent is not MISSING and not (wired.form and isinstance(plan.reader, ValueCodec) and _takes(inner, absent)):
            wired = Wired(before(_ReadOrAbsent(read, plan.form, absent), self._left_alone(inner)), None)
            absent = _NOTHING_HERE
        paths: list[Any] = list(plan.path) if wired.form is None else [*plan.path, wired.form]
        schema = wired.schema
        if wired.form is not None and (default is not None or absent is not MISSING):
            # What is there in another form must not be taken for absent.
            if self.served and wired.sure:
                paths = [paths, list(plan.path)]
                schema = _or_null(schema) if wired.nullable else schema
            else:
                paths = list(plan.path)
                schema = _unwrapped(wired)
        if absent is not MISSING:
            # It is set, as any other value is, and not by default; and validated, unless it is None by itself.
            schema = {"type": "default", "schema": schema, "default": absent, "validate_default": absent is not None}
        elif default is not None:
            schema = {**_anonymous(default), "schema": schema}
        kept = {name: value for name, value in field.items() if name in ("type", "frozen")}
        return {**kept, "schema": schema, "validation_alias": paths}

    def _value(self, core: CoreSchema, codec: ValueCodec, *, inside: bool = False) -> Wired:
        """A schema of values.

        Args:
            core: pydantic's schema of the type.
            codec: its codec.
            inside: whether it is that of an element, which no path leads to.
        """
        wired = self._wire(core, codec, inside=inside)
        return Wired(before(codec.decode, self._left_alone(core)), None) if wired is None else wired

    def _wire(  # noqa: PLR0911 - a return for each kind of schema
        self, core: CoreSchema, codec: ValueCodec, *, inside: bool
    ) -> Wired | None:
        """The same; ``None`` where the codec has to read the value."""
        match core["type"]:
            case "definition-ref":
                return self._definition(core["schema_ref"], codec, inside=inside)
            case "function-after":
                wired = self._wire(core["schema"], codec, inside=inside)
                if wired is None:
                    return None
                self._note_function(core)
                return replace(wired, schema={**_anonymous(core), "schema": wired.schema}, nullable=False)
            case "nullable":
                return None if inside or type(codec) is not OptionalCodec else self._nullable(core, codec)
            case "model":
                return self._nested(core, codec, inside=inside) if type(codec) is ModelCodec and nests() else None
            case "list" | "tuple" | "dict" | "set" | "frozenset":
                return self._container(core, codec)
            case _:
                scalar = wired_scalar(_anonymous(core), codec)
                return None if scalar is None else Wired(scalar[1], scalar[0])

    def _definition(self, ref: str, codec: ValueCodec, *, inside: bool) -> Wired | None:
        """A type that stands in several places; one inside of itself is read by its codec."""
        if ref in self._open:
            return None
        self._open.add(ref)
        try:
            return self._wire(self._definitions[ref], codec, inside=inside)
        finally:
            self._open.remove(ref)

    def _nullable(self, core: CoreSchema, codec: OptionalCodec) -> Wired | None:
        wired = self._wire(core["schema"], codec.inner, inside=False)
        if wired is None or wired.form is None:
            return None
        return replace(wired, nullable=True)

    def _nested(self, core: CoreSchema, codec: ModelCodec, *, inside: bool) -> Wired | None:
        settings = (core, core.get("config", {}))
        if codec.extras or any(each.get("revalidate_instances", "never") != "never" for each in settings):
            return None
        absent = {field.name: field.decode(None) for field in codec.fields}
        sure = any(
            absent[name] is MISSING and field["schema"]["type"] != "default"
            for name, field in core["schema"].get("fields", {}).items()
            if name in absent
        )
        prefix = ("M",) if inside and sure else ()
        plans = {
            field.name: FieldPlan((*prefix, field.name), field.codec, absent=absent[field.name])
            for field in codec.fields
        }
        try:
            schema = self._model(core, plans)
        except Unwired:
            return None
        return Wired(schema, None if prefix else "M", sure=sure)

    def _container(self, core: CoreSchema, codec: ValueCodec) -> Wired | None:
        kind = core["type"]
        if isinstance(codec, ListCodec) and kind == "list" and codec.make is None and "items_schema" in core:
            element = self._element(core["items_schema"], codec.element)
            return Wired({**_anonymous(core), "items_schema": element, "strict": True}, "L")
        if isinstance(codec, ListCodec) and kind == "tuple" and codec.make is tuple and len(core["items_schema"]) == 1:
            element = self._element(core["items_schema"][0], codec.element)
            return Wired({**_anonymous(core), "items_schema": [element], "strict": False}, "L")
        if isinstance(codec, DictCodec) and kind == "dict" and codec.make is None and "values_schema" in core:
            if not isinstance(codec.keys, TextKeys):
                return None
            element = self._element(core["values_schema"], codec.element)
            return Wired({**_anonymous(core), "values_schema": element, "strict": True}, "M", sure=False)
        if isinstance(codec, SetCodec) and isinstance(codec.element, StrCodec) and kind == codec.types[0].__name__:
            return Wired({**_anonymous(core), "strict": False}, "SS")
        return None

    def _element(self, core: CoreSchema, codec: ValueCodec) -> CoreSchema:
        wired = self._value(core, codec, inside=True)
        return wired.schema if wired.form is None else before(itemgetter(wired.form), wired.schema)

    def _left_alone(self, core: CoreSchema) -> CoreSchema:
        """A schema as pydantic has it, for what a codec has read."""
        self._note_all(core)
        schema: CoreSchema = _unnamed(core)
        return schema

    def _note_all(self, core: Any) -> None:
        if isinstance(core, list):
            for each in core:
                self._note_all(each)
        elif isinstance(core, dict):
            if core.get("type") == "json-or-python":
                self.from_json = False
            self._note_function(core)
            for name, each in core.items():
                if name not in _NO_SCHEMAS:
                    self._note_all(each)

    def _note_function(self, core: CoreSchema) -> None:
        """A function that is told about the input could tell JSON from Python."""
        function = core.get("function")
        if isinstance(function, dict) and function.get("type") != "no-info":
            self.from_json = False


def fields_of_model(core: Any) -> tuple[Mapping[str, CoreSchema], bool]:
    """The schemas of the fields of a model, and whether nothing but them makes the values of its instances.

    Raises:
        Unwired: there are none, because something looks at the input first.
    """
    definitions: Mapping[str, CoreSchema] = {}
    alone = True
    while core["type"] != "model":
        if core["type"] == "definitions":
            definitions = {each["ref"]: each for each in core["definitions"]}
        elif core["type"] != "definition-ref":
            alone = False
        core = definitions[core["schema_ref"]] if core["type"] == "definition-ref" else core.get("schema")
        if core is None:
            raise Unwired
    fields: CoreSchema = core["schema"]
    if fields["type"] != "model-fields":
        raise Unwired
    return fields["fields"], alone and not core.get("post_init")


class _AlwaysSet:
    """Counts fields among those that were set, which pydantic does not do with defaults."""

    __slots__ = ("_names",)

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def __call__(self, validated: tuple[Any, Any, set[str]]) -> Any:
        validated[2].update(self._names)
        return validated


class _ReadOrAbsent:
    """Reads a value, or makes that of an absent attribute."""

    __slots__ = ("_absent", "_form", "_read")

    def __init__(self, read: Callable[[Any], Any], form: str | None, absent: Any) -> None:
        self._read = read
        self._form = form
        self._absent = absent

    def __call__(self, wire: Any) -> Any:
        if wire is _NOTHING_HERE:
            return copy(self._absent)
        return self._read(wire if self._form is None else wire[self._form])


def _takes(core: CoreSchema, absent: Any) -> bool:
    """Whether a schema with the wire form in it takes the value of an absent attribute as it is."""
    return isinstance(absent, (set, frozenset)) or (absent is None and core["type"] == "nullable")


def _or_null(schema: CoreSchema) -> CoreSchema:
    """A schema of what something holds, and of a NULL as a whole."""
    held = {"type": "typed-dict-field", "schema": {"type": "literal", "expected": [True]}}
    null: CoreSchema = {"type": "typed-dict", "fields": {"NULL": held}, "extra_behavior": "forbid"}
    return {"type": "union", "mode": "left_to_right", "choices": [schema, after(_none, null)]}


def _none(_: Any) -> None:
    return None


def _unwrapped(wired: Wired) -> CoreSchema:
    """A schema of a wire value as a whole, which must be of the form."""
    assert wired.form is not None
    fields = {wired.form: {"type": "typed-dict-field", "schema": wired.schema, "required": not wired.nullable}}
    if wired.nullable:
        fields["NULL"] = {"type": "typed-dict-field", "schema": _NONE, "required": False}
    whole: CoreSchema = {"type": "typed-dict", "fields": fields, "extra_behavior": "forbid"}
    return after(_only if wired.nullable else itemgetter(wired.form), whole)


def _only(held: dict[str, Any]) -> Any:
    """The one value of a dict; what has none or several is no wire value."""
    (value,) = held.values()
    return value


def _anonymous(core: CoreSchema) -> CoreSchema:
    """A schema of its own, which no other refers to."""
    return {name: value for name, value in core.items() if name != "ref"}


def _unnamed(core: Any) -> Any:
    """The same for all that are in it."""
    if isinstance(core, list):
        return [_unnamed(each) for each in core]
    if isinstance(core, dict):
        return {name: each if name in _NO_SCHEMAS else _unnamed(each) for name, each in core.items() if name != "ref"}
    return core


def validator(schema: CoreSchema) -> SchemaValidator:
    """What validates by a schema, models inside of it included.

    Left to itself, pydantic-core takes for a model the validator that the class has, which knows no wire form.
    """
    make: Any = SchemaValidator
    try:
        made: SchemaValidator = make(schema, _use_prebuilt=False)
    except TypeError:  # before pydantic 2.13 it cannot be told so
        made = make(schema)
    return made


@cache
def nests() -> bool:
    """Whether models inside of a schema are read by that schema, tried with one."""

    class Probe(BaseModel):
        value: str

    fields: CoreSchema = {
        "type": "model-fields",
        "fields": {
            "value": {"type": "model-field", "schema": {"type": "str"}, "validation_alias": ["M", "value", "S"]}
        },
    }
    probe = {"type": "list", "items_schema": {"type": "model", "cls": Probe, "schema": fields}}
    try:
        return bool(validator(probe).validate_python([{"M": {"value": {"S": "x"}}}]) == [Probe(value="x")])
    except ValidationError:
        return False
