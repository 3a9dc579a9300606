from __future__ import annotations

import inspect
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicaldb.codec.source import Body, Source, literal


@given(st.text())
def test_a_literal_is_the_text_inside_an_f_string(text: str) -> None:
    assert eval(f"f'{literal(text)}'") == text


def test_names_are_those_of_the_hints_and_never_the_same() -> None:
    body, source = Body(), Source()
    assert [body.name("title"), body.name("title"), body.name("class"), body.name("naïve"), body.name("a b")] == [
        "title_1",
        "title_2",
        "class_3",
        "value_4",
        "value_5",
    ]
    assert [source.keep("len", 1), source.keep("len", 2), source.keep("é", 3)] == ["len_1", "len_2", "value_3"]
    assert source.names == {"len_1": 1, "len_2": 2, "value_3": 3}


def test_functions_with_their_source() -> None:
    source = Source(Unusual=LookupError)
    inner = Body()
    inner.check("value < 0")
    inner.add("return value + 1")
    add = source.function("add", "value", "Add one.", inner)
    outer = Body()
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
        '    """At most."""\n'
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
    made: list[object] = []
    for text in ("return 1", "return 2"):
        source, body = Source(), Body()
        body.add(text)
        made.append(source.compile("Twin", source.function("twin", "value", "A twin.", body)))
    assert [inspect.getsource(twin).splitlines()[-1].strip() for twin in made] == ["return 1", "return 2"]  # type: ignore[arg-type]
