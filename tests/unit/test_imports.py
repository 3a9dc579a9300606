"""Imports run strictly downward, and ``import logicaldb`` stays cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "logicaldb"

LAYERS = [
    "errors",
    "flow",
    "annotations",
    "paths",
    "codec",
    "schema",
    "items",
    "expressions",
    "pages",
    "sets",
    "operations",
    "collector",
    "drivers",
    "drivers_async",
    "capacity",
    "estimates",
    "explaining",
    "explanations",
    "transport",
    "watching",
    "views",
    "views_async",
    "pager",
    "pager_async",
    "table",
    "db_base",
    "db",
    "db_async",
    "__init__",
    "otel",
    "testing",
    "cli",
]
"""The modules and folders of the package. Each imports from those before it and, inside a folder, from its own."""

AWS = {"boto3", "botocore", "aiobotocore", "mypy_boto3_dynamodb"}
LAZY = AWS | {"moto", "annotationlib", "asyncio", "ssl"}
"""What may be imported inside a function: what ``import logicaldb`` must not cost, extras, and what only a later Python
than the first supported one has."""

LAZY_OF_OURS = {"explanations", "transport.boto", "transport.choice", "views_async"}
"""What of the package may be: what only some programs need, and which costs those that do not."""


@dataclass(frozen=True)
class Import:
    importer: str
    imported: str
    line: int
    in_function: bool
    for_annotations: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def name_of(file: Path) -> str:
    """``codec.keys`` of ``logicaldb/codec/keys.py``, and ``codec.__init__`` of its folder."""
    return ".".join(file.relative_to(ROOT / PACKAGE).with_suffix("").parts)


def layer(name: str) -> str:
    return name.partition(".")[0]


MODULES = {name_of(file): file for file in sorted((ROOT / PACKAGE).rglob("*.py"))}


def our_module(dotted: str) -> str | None:
    """The name of a module of ours without that of the package: ``codec.__init__`` for ``logicaldb.codec``."""
    package, _, name = dotted.partition(".")
    candidates = [name, f"{name}.__init__".lstrip(".")]
    return next((name for name in candidates if package == PACKAGE and name in MODULES), None)


def imported_names(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    """The names of what is imported: ``from logicaldb import flow`` imports ``flow``."""
    for alias in node.names:
        if isinstance(node, ast.Import):
            yield our_module(alias.name) or alias.name
        else:
            assert node.module is not None
            assert node.level == 0, "imports are absolute"
            yield our_module(f"{node.module}.{alias.name}") or our_module(node.module) or node.module


def imports_of(name: str, tree: ast.AST) -> Iterator[Import]:
    def visit(node: ast.AST, in_function: bool, for_annotations: bool) -> Iterator[Import]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            for imported in imported_names(node):
                yield Import(name, imported, node.lineno, in_function, for_annotations)
        in_function = in_function or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        checking = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for field, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from visit(child, in_function, for_annotations or (checking and field == "body"))

    return visit(tree, False, False)


IMPORTS = [
    found for name, file in MODULES.items() for found in imports_of(name, ast.parse(file.read_text(encoding="utf-8")))
]
OURS = [found for found in IMPORTS if found.imported in MODULES]


def upward(found: Import) -> bool:
    own, other = layer(found.importer), layer(found.imported)
    return own != other and LAYERS.index(other) > LAYERS.index(own)


def top(found: Import) -> str:
    return found.imported.partition(".")[0]


def test_every_module_has_its_place() -> None:
    assert sorted({layer(name) for name in MODULES}) == sorted(LAYERS)


def test_what_is_imported_of_the_package_is_there() -> None:
    assert [str(found) for found in IMPORTS if top(found) == PACKAGE] == []


def test_imports_run_downward() -> None:
    """Except those for annotations alone, which are none when the program runs."""
    assert [str(found) for found in OURS if upward(found) and not found.for_annotations] == []


def test_there_are_no_cycles() -> None:
    """Not within a folder either."""
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for found in OURS:
        if not found.for_annotations:
            graph[found.importer].add(found.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_no_import_inside_a_function_dodges_that() -> None:
    lazy = [found for found in IMPORTS if found.in_function and top(found) not in LAZY]
    assert [str(found) for found in lazy if found.imported not in LAZY_OF_OURS] == []


def test_aws_is_known_at_the_edge_alone() -> None:
    edge = {"transport", "testing", "cli"}
    assert [str(found) for found in IMPORTS if top(found) in AWS and layer(found.importer) not in edge] == []


def test_moto_is_imported_by_the_testing_support_alone() -> None:
    assert [str(found) for found in IMPORTS if top(found) == "moto" and layer(found.importer) != "testing"] == []


def test_the_import_is_cheap() -> None:
    costly = {*AWS, "ssl", "moto", "typer", "rich", "pytest"}
    script = f"import sys, {PACKAGE}\nprint(sorted({costly!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# The test itself

SOURCE = """
from typing import TYPE_CHECKING
import logicaldb
import logicaldb.codec
from logicaldb import errors, flow
from logicaldb.errors import LogicalDbError
import logicaldb.nowhere
if TYPE_CHECKING:
    from logicaldb.db import LogicalDb
else:
    import json
def function():
    async def inner():
        import boto3.session
class C:
    from botocore import config
"""


def test_finds_every_import() -> None:
    found = [
        (found.imported, found.in_function, found.for_annotations) for found in imports_of("sets", ast.parse(SOURCE))
    ]
    assert found == [
        ("typing", False, False),
        ("__init__", False, False),
        ("codec.__init__", False, False),
        ("errors", False, False),
        ("flow", False, False),
        ("errors", False, False),
        ("logicaldb.nowhere", False, False),
        ("db", False, True),
        ("json", False, False),
        ("boto3.session", True, False),
        ("botocore", False, False),
    ]


@pytest.mark.parametrize(
    ("importer", "imported", "expected"),
    [
        ("errors", "flow", True),
        ("flow", "errors", False),
        ("codec.keys", "codec.values", False),
        ("codec.keys", "schema.raw", True),
        ("schema.raw", "codec.keys", False),
        ("db", "__init__", True),
    ],
)
def test_tells_upward_from_downward(importer: str, imported: str, expected: bool) -> None:
    assert upward(Import(importer, imported, 1, in_function=False, for_annotations=False)) is expected
