"""``describe``: what a db declares, printed."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from logicaldb.cli.outline import TableOutline, is_sparse, template
from logicaldb.schema.raw import Index


def describe(tables: list[TableOutline]) -> RenderableType:
    """Everything about the tables of a db."""
    return Group(*(_table(table) for table in tables))


def _table(table: TableOutline) -> RenderableType:
    keys = ", ".join(f"{name} ({table.raw.tags[name]})" for name in table.raw.keys)
    title = Text.assemble(
        (table.table_name, "bold"), f"  db.{table.attribute}: {table.type_name}, rows of {table.raw.name}"
    )
    ttl = "".join(f"; time to live: {name}" for name in table.declaration.ttl_attributes)
    parts: list[RenderableType] = [title, Text(f"key: {keys}{ttl}", style="dim"), _items(table)]
    if table.raw.indexes:
        parts.append(_indexes(table))
    parts.append(_patterns(table))
    return Padding(Group(*parts), (0, 0, 1, 0))


def _grid(title: str, *columns: str) -> Table:
    grid = Table(*columns, title=title, title_justify="left", title_style="bold", header_style="dim")
    for column in grid.columns:
        column.overflow = "fold"
    return grid


def _items(table: TableOutline) -> RenderableType:
    grid = _grid("Item types", "type", *table.raw.keys, "other attributes")
    for item in table.items:
        others = ", ".join(name for name in item.attributes if name not in table.raw.keys)
        grid.add_row(item.name, *(Text(template(item.key_attribute(name))) for name in table.raw.keys), Text(others))
    return grid


def _indexes(table: TableOutline) -> RenderableType:
    grid = _grid("Indexes", "index", "kind", "partition key", "sort key", "projects", "holds")
    for index in table.raw.indexes.values():
        holds = ", ".join(_holding(table, index)) or "nothing"
        projects = index.projection if isinstance(index.projection, str) else ", ".join(index.projection)
        kind = "local" if index.local else "global"
        grid.add_row(index.name, kind, index.keys.partition, index.keys.sort or "", projects, holds)
    return grid


def _holding(table: TableOutline, index: Index) -> list[str]:
    return [f"{item.name} (sparse)" if is_sparse(item, index) else item.name for item in table.items_of_index(index)]


def _patterns(table: TableOutline) -> RenderableType:
    grid = _grid("Access patterns", "question", "call", "reads")
    for pattern in table.patterns():
        reads = f"{pattern.operation} of {pattern.index or 'the table'}"
        grid.add_row(pattern.question, Text(pattern.call), reads)
    return grid
