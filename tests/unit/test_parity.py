"""The two surfaces have the same methods: names, parameters, defaults and types, but for what is awaited."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from types import FunctionType
from typing import Any, get_overloads

import pytest

import logicaldb
from logicaldb.db_base import DbBase
from logicaldb.operations.pager import PageRules
from logicaldb.views import Cursors

PAIRS = [
    (logicaldb.LogicalDb, logicaldb.AsyncLogicalDb),
    (logicaldb.CollectionView, logicaldb.AsyncCollectionView),
    (logicaldb.IndexView, logicaldb.AsyncIndexView),
    (logicaldb.View, logicaldb.AsyncView),
    (logicaldb.RawView, logicaldb.AsyncRawView),
    (logicaldb.WritingPager, logicaldb.AsyncWritingPager),
    (logicaldb.WritingPagerHandler, logicaldb.AsyncWritingPagerHandler),
]
SHARED: list[type[Any]] = [Cursors, PageRules, DbBase]
"""What both inherit from is the same by itself."""
LAZY = {"query_all", "query_all_contents", "scan_all", "scan_all_contents", "parallel_scan", "batch_load_all"}
NO_REQUEST = {"transaction_writing_pager", "updated_count", "remaining_updates"}
RENAMED = {
    r"\bIterator\b": "AsyncGenerator",
    r"\bGenerator\b": "AsyncGenerator",
    r"\bWritingPager": "AsyncWritingPager",
    r"Callable\[\[\], None\]": "Callable[[], Coroutine[Any, Any, None]]",
}
LEFT_OUT = {("parallel_scan", "executor")}
"""Segments are read by tasks, which need no executor."""


def members(cls: type[Any]) -> dict[str, Any]:
    """The public methods and properties of a class that are its own, or of its kind."""
    return {
        name: value
        for base in reversed(cls.__mro__)
        if base.__module__.startswith("logicaldb.") and base not in SHARED
        for name, value in vars(base).items()
        if isinstance(value, FunctionType | property) and (not name.startswith("_") or name == "__init__")
    }


def function_of(member: Any) -> Callable[..., Any]:
    """The function of a method or property."""
    function: Any = member.fget if isinstance(member, property) else member
    found: Callable[..., Any] = function
    return found


def awaited(annotation: Any) -> str:
    """The annotation of the awaited form of what has this one."""
    text = str(annotation)
    for pattern, replacement in RENAMED.items():
        text = re.sub(pattern, replacement, text)
    return text


def shape(function: Callable[..., Any], *, awaits: bool) -> list[tuple[Any, ...]]:
    """The parameters and the result of a function."""
    signature = inspect.signature(function)
    text: Callable[[Any], str] = str if awaits else awaited
    parameters = [
        (name, parameter.kind, parameter.default, text(parameter.annotation))
        for name, parameter in signature.parameters.items()
        if (function.__name__, name) not in LEFT_OUT
    ]
    # The transports and the classes of views are those of the mode.
    parameters = [part for part in parameters if part[0] != "transport"]
    return [*parameters, ("->", text(signature.return_annotation))]


@pytest.mark.parametrize(("blocking", "awaiting"), PAIRS, ids=lambda cls: cls.__name__)
def test_the_surfaces_are_the_same(blocking: type[Any], awaiting: type[Any]) -> None:
    ours, theirs = members(blocking), members(awaiting)
    assert list(ours) == list(theirs)
    for name, value in ours.items():
        other = theirs[name]
        assert type(value) is type(other)
        expected, found = (inspect.unwrap(function_of(one)) for one in (value, other))
        assert shape(found, awaits=True) == shape(expected, awaits=False), name
        overloads = [shape(one, awaits=False) for one in get_overloads(expected)]
        assert [shape(one, awaits=True) for one in get_overloads(found)] == overloads, name


@pytest.mark.parametrize(("blocking", "awaiting"), PAIRS, ids=lambda cls: cls.__name__)
def test_what_sends_is_awaited(blocking: type[Any], awaiting: type[Any]) -> None:
    for name, value in members(awaiting).items():
        if isinstance(value, property) or name in {"__init__", *NO_REQUEST, "item"}:
            continue
        function = inspect.unwrap(value)
        if name in LAZY:
            assert not inspect.iscoroutinefunction(function), name
        elif name == "transaction":
            assert inspect.isasyncgenfunction(function)
        else:
            assert inspect.iscoroutinefunction(function), name
