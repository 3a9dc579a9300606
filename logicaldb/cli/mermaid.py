"""``diagram --mermaid``: a flow chart of tables, item types and indexes."""

from __future__ import annotations

from collections.abc import Iterator

from logicaldb.cli.outline import TableOutline, is_sparse, template
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.raw import Index


def mermaid(tables: list[TableOutline]) -> str:
    """The text of a Mermaid flow chart: item types in their tables, and arrows to the indexes that hold them."""
    lines = ["flowchart LR"]
    for number, table in enumerate(tables):
        lines += _table(table, f"t{number}")
    return "\n".join(lines) + "\n"


def _table(table: TableOutline, name: str) -> Iterator[str]:
    yield f'  subgraph {name}["{_text(table.table_name)} ({_text(table.raw.name)})"]'
    items = {item.name: f"{name}i{number}" for number, item in enumerate(table.items)}
    for item in table.items:
        yield f'    {items[item.name]}["{_item(item)}"]'
    yield "  end"
    for number, index in enumerate(table.raw.indexes.values()):
        node = f"{name}x{number}"
        yield f'  {node}(["{_index(index)}"])'
        for item in table.items_of_index(index):
            arrow = "-.->" if is_sparse(item, index) else "-->"
            yield f"  {items[item.name]} {arrow} {node}"


def _item(item: ItemSchema) -> str:
    keys = [f"{_text(key.name)}: {_text(template(key))}" for key in item.primary]
    return "<br/>".join([f"<b>{_text(item.name)}</b>", *keys])


def _index(index: Index) -> str:
    kind = "local" if index.local else "global"
    return f"<b>{_text(index.name)}</b> ({kind})<br/>{' · '.join(map(_text, index.keys))}"


def _text(text: str) -> str:
    """A text inside of quotes: what would end them, or be read as markup, goes as an entity of Mermaid's."""
    return "".join(f"#{ord(one)};" if one in '"<>#&`' or one < " " else one for one in text)
