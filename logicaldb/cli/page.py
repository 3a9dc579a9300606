"""``diagram``: one HTML page, without anything from elsewhere, that shows a db as its tables and indexes see it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any, Final

from logicaldb.cli.mermaid import mermaid
from logicaldb.cli.outline import TableOutline, template
from logicaldb.cli.samples import Sample, samples
from logicaldb.codec.values import WireValue
from logicaldb.schema.items import ItemSchema
from logicaldb.schema.raw import Index, KeyNames
from logicaldb.schema.tables import projects

_FIRST_HUE: Final = 168
_GOLDEN_ANGLE: Final = 137.508
"""The colours of item types, by degrees: turned by this, none comes again, and neighbours are far apart."""
_LONGEST: Final = 60


def page(name: str, tables: list[TableOutline]) -> str:
    """The page of a db.

    Args:
        name: the name of the db class.
        tables: its tables.
    """
    body = "".join(_table(table) for table in tables)
    source = escape(mermaid(tables))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
        f"<header><h1>{escape(name)}</h1><p>Sample rows, made from the declarations, by partition. "
        "A row has the colour of its item type.</p></header>"
        f"<main>{body}<details><summary>Mermaid</summary><pre>{source}</pre></details></main></body></html>\n"
    )


def _table(table: TableOutline) -> str:
    drawing = _Drawing(table)
    rows = samples(table.declaration)
    views = [drawing.aggregate("Table", None, rows)]
    for index in table.raw.indexes.values():
        held = [row for row in rows if all(name in row.row for name in index.keys)]
        views.append(drawing.aggregate("Local index" if index.local else "Global index", index, held))
    return (
        f"<section><h2>{escape(table.table_name)} <small>db.{escape(table.attribute)} · {escape(table.type_name)} · "
        f"{escape(table.raw.name)}</small></h2>{drawing.legend()}{''.join(views)}{_patterns(table)}</section>"
    )


class _Drawing:
    """The parts of the page that show the rows of a table.

    Args:
        table: the table.
    """

    def __init__(self, table: TableOutline) -> None:
        self.table = table
        self.places = {item.name: number for number, item in enumerate(table.items)}

    def colour(self, item: ItemSchema) -> str:
        """The colour of a type, as an attribute of HTML."""
        return f'style="--hue:{(_FIRST_HUE + self.places[item.name] * _GOLDEN_ANGLE) % 360:.1f}"'

    def legend(self) -> str:
        """The types with their colours and keys."""
        types = (
            f'<li {self.colour(item)}><b class="type">{escape(item.name)}</b>'
            + "".join(f"<span>{escape(key.name)} <code>{escape(template(key))}</code></span>" for key in item.primary)
            + "</li>"
            for item in self.table.items
        )
        return f'<ul class="legend">{"".join(types)}</ul>'

    def aggregate(self, kind: str, index: Index | None, rows: list[Sample]) -> str:
        """The rows as the table or an index holds them: by partition, in the order of the sort key."""
        keys = self.table.raw.keys if index is None else index.keys
        name = self.table.table_name if index is None else index.name
        title = f"<h3>{kind} <b>{escape(name)}</b>{'' if index is None else f' · projects {_projection(index)}'}</h3>"
        if not rows:
            return f"{title}<p>No item type has rows in it.</p>"
        partitions: dict[str, list[Sample]] = {}
        for sample in sorted(rows, key=self._first):
            partitions.setdefault(_value(sample.row[keys.partition]), []).append(sample)
        head = "".join(
            f"<th>{role}<br><b>{escape(key)}</b></th>"
            for role, key in zip(("Partition key", "Sort key"), keys, strict=False)
        )
        body = "".join(self._partition(value, held, index, keys) for value, held in partitions.items())
        return (
            f'{title}<div class="scroll"><table><thead><tr>{head}<th>Attributes</th></tr></thead>{body}</table></div>'
        )

    def _first(self, sample: Sample) -> int:
        """Partitions of one kind come together, at the place of the first type that they hold."""
        fields = sample.item.primary[0].fields
        return min(self.places[item.name] for item in self.table.items if item.primary[0].fields == fields)

    def _partition(self, value: str, rows: list[Sample], index: Index | None, keys: KeyNames) -> str:
        sort = keys.sort
        if sort is not None:
            rows = sorted(rows, key=lambda sample: _order(sample.row[sort]))
        lines: list[str] = []
        for number, sample in enumerate(rows):
            cells = f'<td class="key" rowspan="{len(rows)}">{escape(value)}</td>' if number == 0 else ""
            if sort is not None:
                cells += f'<td class="key">{escape(_value(sample.row[sort]))}</td>'
            others = {
                name: wire
                for name, wire in sample.row.items()
                if name not in keys and (index is None or projects(self.table.raw, index, name))
            }
            badge = f'<b class="type">{escape(sample.item.name)}</b>'
            lines.append(
                f"<tr {self.colour(sample.item)}>{cells}"
                f'<td class="attributes">{badge} {" ".join(_attributes(others))}</td></tr>'
            )
        return f"<tbody>{''.join(lines)}</tbody>"


def _projection(index: Index) -> str:
    return index.projection if isinstance(index.projection, str) else escape(", ".join(index.projection))


def _attributes(row: Mapping[str, WireValue]) -> Iterator[str]:
    for name, wire in row.items():
        yield f"<span><i>{escape(name)}</i> {escape(_value(wire))}</span>"


def _patterns(table: TableOutline) -> str:
    rows = "".join(
        f"<tr><td>{escape(pattern.question)}</td><td><code>{escape(pattern.call)}</code></td>"
        f"<td>{pattern.operation} · {escape(pattern.index or table.table_name)}</td></tr>"
        for pattern in table.patterns()
    )
    return (
        '<h3>Access patterns</h3><div class="scroll"><table class="patterns"><thead><tr><th>Question</th><th>Call</th>'
        f"<th>Reads</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _order(wire: WireValue) -> Any:
    ((form, held),) = wire.items()
    return float(held) if form == "N" else str(held).encode()


def _value(wire: WireValue) -> str:
    ((form, held),) = wire.items()
    text = str(held) if form in ("S", "N", "B") else json.dumps(_plain(wire), ensure_ascii=False)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _plain(wire: WireValue) -> Any:
    """A value without the types of the wire."""
    ((form, held),) = wire.items()
    if form == "M":
        return {name: _plain(value) for name, value in held.items()}
    if form == "L":
        return [_plain(value) for value in held]
    if form == "N":
        return json.loads(held)
    return [json.loads(one) for one in held] if form == "NS" else held


_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5b6676;--line:#d9dee6;--back:#f5f7fa;--card:#fff;--sat:62%;--tint:95%;
--edge:42%}
@media(prefers-color-scheme:dark){:root{--ink:#e7ebf1;--dim:#9aa6b6;--line:#333c4a;--back:#12161d;--card:#1a2029;
--sat:34%;--tint:19%;--edge:62%}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:14px/1.45 system-ui,-apple-system,"Segoe UI",sans-serif}
header,main{max-width:1280px;margin:0 auto;padding:0 28px}
header{padding-top:28px}h1{margin:0;font-size:26px}header p{margin:4px 0 0;color:var(--dim)}
section{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:4px 24px 24px;margin:20px 0}
h2{font-size:20px;margin:18px 0 10px}h2 small{font-weight:400;font-size:13px;color:var(--dim)}
h3{font-size:14px;font-weight:400;color:var(--dim);margin:26px 0 8px}h3 b{color:var(--ink)}
.legend{display:flex;flex-wrap:wrap;gap:10px;list-style:none;padding:0;margin:0}
.legend li{display:flex;flex-direction:column;gap:2px;padding:8px 12px;border-radius:8px;font-size:12px;
background:hsl(var(--hue) var(--sat) var(--tint));border-left:4px solid hsl(var(--hue) 55% var(--edge))}
.legend span{color:var(--dim)}code{font:12px ui-monospace,Menlo,Consolas,monospace;color:var(--ink)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px}
table{border-collapse:collapse;width:100%}
th{text-align:left;font-weight:400;font-size:11px;color:var(--dim);padding:8px 12px;white-space:nowrap}
th b{font-size:13px;color:var(--ink)}
td{padding:6px 12px;border-top:1px solid var(--line);vertical-align:top}
tbody+tbody{border-top:2px solid var(--dim)}
.key{font:12px ui-monospace,Menlo,Consolas,monospace;white-space:nowrap;border-right:1px solid var(--line)}
.attributes{background:hsl(var(--hue) var(--sat) var(--tint));border-left:4px solid hsl(var(--hue) 55% var(--edge))}
.attributes span{display:inline-block;margin-right:18px;white-space:nowrap}
.attributes i{font-style:normal;font-size:11px;color:var(--dim);margin-right:6px}
.type{font-size:12px;color:hsl(var(--hue) 60% var(--edge));margin-right:18px}
.patterns td{font-size:13px}
details{margin:0 0 28px;color:var(--dim)}pre{overflow-x:auto;background:var(--card);border:1px solid var(--line);
border-radius:8px;padding:12px}
"""
