# Types are values here, joined at run time.
# pyright: reportOperatorIssue=false

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Literal, NewType, Optional, TypeVar, Union

import pytest
from pydantic.fields import FieldInfo

from logicaldb import Attribute, Counter, DeclarationError, PartitionKey
from logicaldb.schema.types import check_markers, type_text, underlying, without_none
from tests.unit.codec.support import alias

Token = NewType("Token", str)
AlbumToken = NewType("AlbumToken", Token)
T = TypeVar("T")

Text = alias("Text", str)
MaybeText = alias("MaybeText", str | None)
ForwardText = alias("ForwardText", "Local | None")


class Colour(Enum):
    RED = "red"


class Outer:
    class Inner:
        pass


@pytest.mark.parametrize(
    ("annotation", "bare", "had_none"),
    [
        (str, str, False),
        (str | None, str, True),
        (Optional[str], str, True),  # noqa: UP045 - the other spelling
        (Union[None, str], str, True),  # noqa: UP007 - the other spelling
        (Annotated[str, 1], str, False),
        (Annotated[str | None, 1], str, True),
        (Annotated[str, 1] | None, str, True),
        (Annotated[Annotated[str, 1] | None, 2] | None, str, True),
        (Text, str, False),
        (MaybeText, str, True),
        (Text | None, str, True),
        (Annotated[MaybeText, 1], str, True),
        (str | int, str | int, False),
        (str | int | None, str | int, True),
        (Token | None, Token, True),
        (list[str | None], list[str | None], False),
        (None, None, True),
        (type(None), type(None), True),
        (Literal["a"] | None, Literal["a"], True),
    ],
)
def test_without_none(annotation: Any, bare: Any, had_none: bool) -> None:
    assert without_none(annotation, {}) == (bare, had_none)


def test_aliases_see_the_names_around_the_class() -> None:
    class Local:
        pass

    assert without_none(ForwardText, {"Local": Local}) == (Local, True)


def test_underlying() -> None:
    assert underlying(AlbumToken) is str
    assert underlying(str) is str
    assert underlying(str | None) == str | None


@pytest.mark.parametrize(
    ("annotation", "text"),
    [
        (str, "str"),
        (Colour, "Colour"),
        (Outer.Inner, "Outer.Inner"),
        (list[Colour], "list[Colour]"),
        (dict[str, int | None], "dict[str, int | None]"),
        (Literal["a", 1], "Literal['a', 1]"),
        (Token, "Token"),
        (Text, "Text"),
        (Any, "Any"),
        (T, "T"),
    ],
)
def test_type_text(annotation: Any, text: str) -> None:
    assert type_text(annotation) == text


def test_type_text_of_a_class_in_a_function() -> None:
    class Local:
        class Inner:
            pass

    assert type_text(Local) == "Local"
    assert type_text(Local.Inner) == "Local.Inner"


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        (Annotated[str, Attribute("x")] | None, "Attribute"),
        (list[Annotated[int, Counter()]], "Counter"),
        (dict[str, tuple[Annotated[str, PartitionKey()], ...]], "PartitionKey"),
        (list[Annotated[int, Counter]], "Counter"),
    ],
)
def test_annotations_inside_a_type_are_refused(annotation: Any, name: str) -> None:
    with pytest.raises(DeclarationError) as error:
        check_markers("Track.x", FieldInfo.from_annotation(annotation))
    assert str(error.value) == (
        f"Track.x: {name} stands inside the type; put it outermost: Annotated[... | None, {name}(...)]"
    )


def test_other_annotations_inside_a_type_are_fine() -> None:
    annotation: Any = Annotated[list[Annotated[str, "a comment"] | None], ["x"]]
    check_markers("Track.x", FieldInfo.from_annotation(annotation))
