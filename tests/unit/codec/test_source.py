from __future__ import annotations

import inspect
import traceback
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicaldb.codec.source import Source, literal


@given(st.text())
def test_a_literal_is_the_text_inside_an_f_string(text: str) -> None:
    assert eval(f"f'{literal(text)}'") == text


def test_names_are_those_of_the_hints_and_never_the_same() -> None:
    source = Source()
    body, other = source.body(), source.body()
    # "a" and "a_1" are hints as good as any, and a local name must not hide one that is kept.
    hints = ["title", "title", "class", "naïve", "a b", "a", "a_1", "len"]
    names = [give(hint) for hint in hints for give in (body.name, other.name, lambda hint: source.keep(hint, hint))]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    assert names[:3] == ["title_1", "title_2", "title_3"]
    assert names[9] == "value_10"
    assert [name for name in names if name in source.names] == names[2::3]


def test_functions_with_their_source() -> None:
    source = Source(Unusual=LookupError)
    inner = source.body()
    inner.check("value < 0")
    inner.add("return value + 1")
    add = source.function("add", "value", "Add one.", inner)
    outer = source.body()
    with outer.under("if value > 10:"):
        with outer.under("if value > 20:"):
            outer.add("return 20")
        outer.add("return 10")
    outer.add(f"return {add}(value)")
    most = source.function("most", "value", "At most.", outer)
    function = source.compile("a test", most)
    assert [function(value) for value in (0, 10, 11, 21)] == [1, 11, 10, 20]
    assert function.__doc__ == "At most."
    assert inspect.getsource(function) == (
        "def most_2(value):\n"
        "    'At most.'\n"
        "    if value > 10:\n"
        "        if value > 20:\n"
        "            return 20\n"
        "        return 10\n"
        "    return add_1(value)\n"
    )
    assert function.__code__.co_filename.startswith("<logicaldb: a test, ")
    with pytest.raises(LookupError) as raised:
        function(-1)
    assert [frame.line for frame in traceback.extract_tb(raised.value.__traceback__)][-2:] == [
        "return add_1(value)",
        "raise Unusual",
    ]


def test_two_types_of_one_name_keep_their_own_source() -> None:
    made: list[Any] = []
    for text in ("return 1", "return 2"):
        source = Source()
        body = source.body()
        body.add(text)
        made.append(source.compile("Twin", source.function("twin", "value", "A twin.", body)))
    assert [inspect.getsource(twin).splitlines()[-1].strip() for twin in made] == ["return 1", "return 2"]


def test_no_text_of_a_declaration_becomes_code() -> None:
    source = Source()
    body = source.body()
    body.add("return 1")
    doc = 'Of """\n    raise SystemExit\n    """\\'
    function = source.compile(doc, source.function(doc, "value", doc, body))
    assert (function(0), inspect.getdoc(function)) == (1, inspect.cleandoc(doc))  # Python 3.13 takes indents out of it
