"""Source text of functions that are made for one type, and what they name."""

from __future__ import annotations

import linecache
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from typing import Any, Final

_INDENT: Final = "    "
_MADE: Final = count(1)


def literal(text: str) -> str:
    """A text as it stands inside an f-string in single quotes."""
    quoted = ascii(f'{text}"')  # with a double quote in it, it stands in single ones
    return quoted[1:-2].replace("{", "{{").replace("}", "}}")


class Names:
    """Names of which no two are the same, whether they are local or not."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def new(self, hint: str) -> str:
        """A name; the hint is a part of it where it can be."""
        return f"{hint if hint.isidentifier() and hint.isascii() else 'value'}_{next(self._numbers)}"


class Body:
    """The statements of one function.

    Attributes:
        name: gives a new name for something local.
    """

    def __init__(self, names: Names) -> None:
        self.lines: list[str] = []
        self.name = names.new
        self._indent = _INDENT

    def add(self, line: str) -> None:
        """Add a statement."""
        self.lines.append(self._indent + line)

    def check(self, unusual: str) -> None:
        """Add the statement that gives up where a condition holds."""
        self.add(f"if {unusual}:")
        self.add(f"{_INDENT}raise Unusual")

    @contextmanager
    def under(self, line: str) -> Generator[None]:
        """Add a statement, and what is added now inside of it."""
        self.add(line)
        outer, self._indent = self._indent, self._indent + _INDENT
        try:
            yield
        finally:
            self._indent = outer


class Source:
    """Functions that name one another, made together.

    Attributes:
        names: what they name beside one another.
    """

    def __init__(self, **names: Any) -> None:
        self.names: dict[str, Any] = names
        self._functions: list[str] = []
        self._given = Names()

    def body(self) -> Body:
        """The body of a function that is still to be written."""
        return Body(self._given)

    def keep(self, hint: str, value: Any) -> str:
        """A name for a value."""
        name = self._given.new(hint)
        self.names[name] = value
        return name

    def function(self, hint: str, parameter: str, doc: str, body: Body) -> str:
        """Add a function of one parameter, and return its name."""
        name = self.keep(hint, None)
        self._functions.append("\n".join((f"def {name}({parameter}):", f"{_INDENT}{doc!a}", *body.lines, "")))
        return name

    def compile(self, what: str, name: str) -> Any:
        """Make the functions, and return one of them.

        ``inspect.getsource`` shows their source, and so do tracebacks and debuggers.
        """
        text = "\n\n".join(self._functions)
        file = f"<logicaldb: {what}, {next(_MADE)}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), self.names)  # noqa: S102 - the text is made of declarations, never of values
        return self.names[name]
