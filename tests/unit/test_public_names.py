"""Every public name says what it is, and the tree of errors is drawn as it is."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import FunctionType
from typing import Any

import pytest
from pydantic import BaseModel

import logicaldb
from logicaldb import errors

EXPORTED: dict[str, Any] = {name: getattr(logicaldb, name) for name in logicaldb.__all__}
CLASSES: dict[str, type[Any]] = {name: value for name, value in EXPORTED.items() if inspect.isclass(value)}
ERRORS: dict[str, type[Exception]] = {
    name: value
    for name, value in vars(errors).items()
    if inspect.isclass(value) and issubclass(value, errors.LogicalDbError)
}


def ours(cls: type[Any]) -> list[type[Any]]:
    """The class and those of its bases that are of this package."""
    return [base for base in cls.__mro__ if base.__module__.partition(".")[0] == "logicaldb"]


def methods(cls: type[Any]) -> Iterator[str]:
    """The names of the public methods and properties that a class has from this package."""
    kinds = (FunctionType, classmethod, staticmethod, property, cached_property)
    for base in ours(cls):
        yield from (name for name, value in vars(base).items() if not name.startswith("_") and isinstance(value, kinds))


def attributes(cls: type[Any]) -> set[str]:
    """The names of the public attributes that a class has from this package."""
    if issubclass(cls, errors.LogicalDbError):
        return set(inspect.signature(cls.__init__).parameters) - {"self", "message", "args", "kwargs"}
    if issubclass(cls, BaseModel):
        return set(cls.model_fields)
    if dataclasses.is_dataclass(cls):
        return {field.name for field in dataclasses.fields(cls) if not field.name.startswith("_")}
    return set()


def test_all_is_sorted() -> None:
    assert list(logicaldb.__all__) == sorted(set(logicaldb.__all__))


def test_all_is_complete() -> None:
    assert [name for name in dir(logicaldb) if not name.startswith("_")] == logicaldb.__all__
    assert sorted(logicaldb._HOMES) == logicaldb.__all__
    missing_name = "NoSuchName"
    with pytest.raises(AttributeError) as missing:
        getattr(logicaldb, missing_name)
    assert str(missing.value) == "module 'logicaldb' has no attribute 'NoSuchName'"


def test_checkers_find_each_name_where_it_is() -> None:
    """What is imported for checkers alone is what is given when the program runs."""
    tree = ast.parse(Path(logicaldb.__file__).read_text(encoding="utf-8"))
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom))
    homes = {
        alias.name: node.module for node in imports for alias in node.names if str(node.module).startswith("logicaldb")
    }
    assert homes == logicaldb._HOMES


@pytest.mark.parametrize("name", sorted(EXPORTED))
def test_name_has_a_docstring(name: str) -> None:
    value = EXPORTED[name]
    if inspect.isclass(value) or inspect.isroutine(value):
        text = inspect.cleandoc(value.__doc__ or "")
        assert re.match(r"[A-Z`].*[.:]", text), "a docstring begins with a sentence"


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_methods_have_docstrings(name: str) -> None:
    cls = CLASSES[name]
    assert [method for method in methods(cls) if not inspect.getdoc(getattr(cls, method))] == []


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_attributes_are_described_by_their_class(name: str) -> None:
    cls = CLASSES[name]
    text = " ".join(base.__doc__ or "" for base in ours(cls))
    assert [attribute for attribute in attributes(cls) if not re.search(rf"\b{attribute}\b", text)] == []


def test_every_error_is_exported() -> None:
    assert ERRORS.items() <= EXPORTED.items()


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    assert errors.__doc__
    drawn: dict[str, tuple[str, ...]] = {}
    branch: list[str] = []
    for line in errors.__doc__.splitlines():
        if found := re.match(r"    ((?:[│ ]   )*)(?:[├└]── )?([A-Z]\w+)(?: \((\w+)\))?(?:   .*)?$", line):
            depth = len(found[1]) // 4 + ("──" in line)
            branch[depth:] = [found[2]]
            drawn[found[2]] = tuple(filter(None, (*branch[depth - 1 : depth], found[3])))
    bases = {name: tuple(base.__name__ for base in error.__bases__) for name, error in ERRORS.items()}
    assert drawn == bases | {"LogicalDbError": ()}
