"""What the tests of declarations share: declarations as source text, carried out in each place where they can stand."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from textwrap import dedent, indent
from types import ModuleType
from typing import Any

import pytest

from logicaldb import DeclarationError

PRELUDE = """
from datetime import *
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import *
from uuid import UUID

from pydantic import *

import logicaldb
from logicaldb import *


class Row(RawItem):
    pk: Annotated[str, PartitionKey()]
    sk: Annotated[str, SortKey()]
"""

PLACES = ("module", "module, annotations postponed", "function, annotations postponed")
"""Where class statements can stand. What stands in a function can be found by name in no other way."""

_numbers = count()


@contextmanager
def declared(source: str, place: str = PLACES[1]) -> Generator[Any]:
    """Carry out declarations in a module of their own.

    Args:
        source: the class statements; names of typing, datetime, pydantic and logicaldb are there, and a raw item ``Row``.
        place: where they stand.
    """
    name = f"declared_{next(_numbers)}"
    module: Any = ModuleType(name)
    sys.modules[name] = module
    try:
        exec(compile(PRELUDE, name, "exec", dont_inherit=True), vars(module))
        text = dedent(source)
        if "function" in place:
            text = f"def declare():\n{indent(text, '    ')}\n    return locals()\nglobals().update(declare())"
        if "postponed" in place:
            text = f"from __future__ import annotations\n{text}"
        exec(compile(text, name, "exec", dont_inherit=True), vars(module))
        yield module
    finally:
        del sys.modules[name]


def refusal(source: str, place: str = PLACES[1]) -> str:
    """The message that declarations are refused with."""
    with pytest.raises(DeclarationError) as error, declared(source, place):
        pass
    assert error.value.__cause__ is None
    return str(error.value)
