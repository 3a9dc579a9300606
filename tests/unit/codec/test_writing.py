from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logicaldb.codec.limits import item_size
from logicaldb.codec.writing import JsonText, json_string, most_bytes, plain, to_json

values = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.just("ü\U0001f600\u2028")
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=10,
)


@given(values)
def test_it_is_the_shortest_json_text(value: Any) -> None:
    assert to_json(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert plain(value) == value


@given(values, values)
def test_json_text_goes_in_as_it_is(inner: Any, other: Any) -> None:
    body = {"a": [JsonText(to_json(inner)), other], "b": {"c": JsonText(json.dumps(inner, indent=1))}}
    assert plain(body) == {"a": [inner, other], "b": {"c": inner}}


def test_json_text_is_a_value_and_no_text() -> None:
    text = JsonText('{"S":"secret"}')
    assert text == JsonText('{"S":"secret"}')
    assert hash(text) == hash(JsonText('{"S":"secret"}'))
    assert text != JsonText("{}")
    assert text != '{"S":"secret"}'
    assert repr(text) == "JsonText of 14 characters"
    assert pickle.loads(pickle.dumps(text)) == copy.deepcopy(text) == text
    with pytest.raises(TypeError, match="JsonText is not JSON serializable"):
        json.dumps({"Item": text})


@given(st.text())
def test_a_text_with_what_json_escapes(text: str) -> None:
    assert json.loads(json_string(text)) == text


wires = st.recursive(
    st.one_of(
        st.text().map(lambda text: {"S": text}),
        st.decimals(-(10**20), 10**20, allow_nan=False, places=3).map(lambda number: {"N": f"{number:f}"}),
        st.sampled_from(
            [{"N": "0"}, {"N": "-9"}, {"N": "1E-130"}, {"N": "-" + "9" * 38}, {"BOOL": True}, {"NULL": True}]
        ),
        st.sampled_from([{"B": ""}, {"B": "AA=="}, {"B": "AAAA"}, {"BS": ["AA=="]}, {"NS": ["-1", "2"]}]),
        st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True).map(lambda texts: {"SS": texts}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda held: {"L": held}),
        st.dictionaries(st.text(), inner, max_size=3).map(lambda held: {"M": held}),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), wires, max_size=4))
def test_a_row_never_has_more_bytes_than_its_text_tells(row: Any) -> None:
    assert item_size(row) <= most_bytes(to_json(row))


def test_characters_of_four_bytes_count_as_such() -> None:
    row = {"é": {"S": "\U0001f600" * 100}}
    assert item_size(row) == 402
    assert most_bytes(to_json(row)) == 4 * len(to_json(row)) >= 402
    assert most_bytes("ascii") == 5
