"""``Expression``: conditions in DynamoDB's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from logicaldb.codec.generic import encode_key, encode_text
from logicaldb.codec.values import Refused, describe
from logicaldb.errors import EncodingError
from logicaldb.expressions.conditions import MAX_IN, PLAIN, Condition
from logicaldb.expressions.placeholders import Context

# Texts, and compiled when first used (`re` keeps them), because `import logicaldb` must not cost it.
_PLACEHOLDER: Final = r"[#:][A-Za-z0-9_]+"
_ATTRIBUTE: Final = r"(?<![\w#:.])(?:#\w+|[A-Za-z]\w*)"
"""What may be the name of a top-level attribute, or stand for one; keywords and functions are such words too."""
_IN: Final = r"(?i)\bIN\s*\(([^()]*)\)"


class Expression(Condition):
    """A condition in DynamoDB's own words: ``Expression("playlist_version = :v", values={":v": 3})``.

    Args:
        text: the expression, as the low-level API takes it.
        values: the values of its ``:placeholders``: what DynamoDB itself knows (str, int, Decimal, bytes, bool, None, list,
            dict, set).
        names: the attribute names of its ``#placeholders``.
    """

    __slots__ = ("_names", "_text", "_values")

    def __init__(
        self, text: str, values: Mapping[str, Any] | None = None, names: Mapping[str, str] | None = None
    ) -> None:
        if not isinstance(text, str):
            raise TypeError(f"Expression takes the text of a condition, not {describe(text)}")
        for given, what in ((values, "values"), (names, "names")):
            if not isinstance(given, Mapping | None):
                raise TypeError(f"the {what} of an Expression are a dict of its placeholders, not {describe(given)}")
        self._text = text
        self._values = dict(values or {})
        self._names = dict(names or {})
        for placeholder, name in self._names.items():
            if not isinstance(name, str):
                raise TypeError(f"Expression: {placeholder} is the name of an attribute, a str, not {describe(name)}")

    def encode(self, context: Context) -> str:
        """The expression with placeholders that meet no others of the request."""
        self._check(context)
        known: dict[str, str] = {}

        def rename(found: re.Match[str]) -> str:
            name = found[0]
            if name not in known:
                known[name] = self._placeholder(name, context)
            return known[name]

        text = re.sub(_PLACEHOLDER, rename, _bare(self._text))
        unused = sorted({*self._values, *self._names} - known.keys())
        if unused:
            raise self._refuse(f"does not use {', '.join(unused)}")
        return text

    def _placeholder(self, name: str, context: Context) -> str:
        try:
            if name in self._names:
                return context.placeholders.name(encode_key(self._names[name]))
            if name in self._values:
                return context.placeholders.value(PLAIN.encode(self._values[name]))
        except Refused as refused:
            raise self._refuse(f"{name}{refused.path} {refused.reason}") from None
        raise self._refuse(f"{name} is given neither in values nor in names")

    def _check(self, context: Context) -> None:
        """Refuse what would be read otherwise than it stands, or what moto takes and DynamoDB does not."""
        try:
            encode_text(self._text)
        except Refused as refused:
            raise self._refuse(refused.reason) from None
        self._check_parentheses()
        attributes: list[str] = re.findall(_ATTRIBUTE, self._text) if context.keys else []
        for attribute in attributes:
            what = context.keys.get(self._names.get(attribute, attribute))
            if what is not None:
                raise self._refuse(
                    f"{attribute} is a key of {what}, and DynamoDB does not filter by the keys of what is queried; "
                    "use a key condition"
                )
        for operands in re.findall(_IN, self._text):
            count = operands.count(",") + 1
            if count > MAX_IN:
                raise self._refuse(f"IN takes 1 to {MAX_IN} values, not {count}")

    def _check_parentheses(self) -> None:
        """Hold the expression in the parentheses that it is put into, beside the conditions of a version or a counter."""
        if not self._text.strip():
            raise self._refuse("is empty")
        depth = 0
        for character in self._text:
            depth += (character == "(") - (character == ")")
            if depth < 0:
                break
        if depth:
            raise self._refuse("its parentheses do not match")

    def _refuse(self, reason: str) -> EncodingError:
        return EncodingError(f"Expression {self._text!r}: {reason}")

    def __repr__(self) -> str:
        return f"Expression({self._text!r})"  # the values are item data


def _bare(text: str) -> str:
    """The text without parentheses about all of it: joined with others it is put into some, and DynamoDB takes no two."""
    text = text.strip()
    while text.startswith("(") and _closes_last(text):
        text = text[1:-1].strip()
    return text


def _closes_last(text: str) -> bool:
    """Whether the parenthesis that a text begins with is closed by its last character; all of them are closed."""
    depth = 0
    for character in text[:-1]:
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return False
    return True
