"""Tests of ``logicaldb.cli.outline``, ``describe`` and ``mermaid``: what a db declares, in words."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from examples.music.models import MusicDb
from logicaldb.cli.describe import describe
from logicaldb.cli.mermaid import mermaid
from logicaldb.cli.outline import Pattern, is_sparse, outline, template
from tests.unit.cli.shop import ShopDb

SHOP, MEASURES, SETTINGS = outline(ShopDb)
(MUSIC,) = outline(MusicDb)


def printed(width: int = 160) -> str:
    console = Console(file=StringIO(), width=width)
    console.print(describe(outline(ShopDb)))
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_keys_are_templates() -> None:
    found = {
        (item.name, key.name): template(key)
        for table in (SHOP, MEASURES)
        for item in table.items
        for key in item.primary
    }
    assert found == {
        ("Customer", "pk"): "CUSTOMER#{customer_id}",
        ("Customer", "sk"): "PROFILE",
        ("Order", "pk"): "CUSTOMER#{customer_id}",
        ("Order", "sk"): "ORDER#{day}#{number:04}",
        ("Measure", "station"): "{station}",
        ("Measure", "at"): "{at}",
    }
    assert template(SHOP.items[0].key_attribute("rank")) == ""


def test_what_is_in_an_index() -> None:
    for table, index, held, sparse in (
        (SHOP, "open_orders", ["Order"], [True]),
        (SHOP, "by_rank", ["Order"], [True]),
        (MEASURES, "by_kind", [], []),
        (MUSIC, "artist_album_index", ["AlbumInfo"], [False]),
        (MUSIC, "label_album_index", ["AlbumInfo"], [True]),
        (MUSIC, "album_track_title_index", ["AlbumTrack"], [False]),
    ):
        found = table.items_of_index(table.raw.indexes[index])
        assert [item.name for item in found] == held
        assert [is_sparse(item, table.raw.indexes[index]) for item in found] == sparse


def test_every_view_answers_a_question() -> None:
    assert list(SHOP.patterns()) == [
        Pattern("one Customer by customer_id", "db.shop.customers.load(Customer.Key(customer_id))", "GetItem", None),
        Pattern(
            "one Order by customer_id and day and number",
            "db.shop.orders.load(Order.Key(customer_id, day, number))",
            "GetItem",
            None,
        ),
        Pattern(
            "Order by customer_id, sorted by day and number",
            "db.shop.orders.query(BeginsWith(Order.Key(customer_id)))",
            "Query",
            None,
        ),
        Pattern(
            "Order by customer_id, sorted by rank",
            "db.shop.orders_by_rank.query(BeginsWith(Order.OpenKey(customer_id)))",
            "Query",
            "by_rank",
        ),
        Pattern(
            "Customer and Order of one customer_id",
            "db.shop.of_customer.query(Customer.Key(customer_id))",
            "Query",
            None,
        ),
    ]
    assert list(SETTINGS.patterns()) == [
        Pattern("one Setting by id", "db.settings_.settings.load(Setting.Key(id))", "GetItem", None)
    ]
    label = next(pattern for pattern in MUSIC.patterns() if pattern.index == "label_album_index")
    assert label.question == "AlbumInfo by label_name"


def test_the_calls_are_those_of_the_db() -> None:
    """Each names a view and a method that are there."""
    for db, tables in ((ShopDb, (SHOP, MEASURES, SETTINGS)), (MusicDb, (MUSIC,))):
        for table in tables:
            for pattern in table.patterns():
                _, name, view, *_ = pattern.call.split("(")[0].split(".")
                assert view in db.__logicaldb_tables__[name][0].__logicaldb_table__.views


def test_everything_is_described() -> None:
    text = printed()
    for expected in (
        "shop  db.shop: ShopTable, rows of ShopItem",
        "key: pk (S), sk (S); time to live: expires",
        "│ Order    │ CUSTOMER#{customer_id} │ ORDER#{day}#{number:04} │",
        "│ open_orders │ global │ open_key      │ open_date │ total, lines │ Order (sparse) │",
        "│ by_rank     │ local  │ pk            │ rank      │ KEYS_ONLY    │ Order (sparse) │",
        "│ by_kind │ global │ kind          │          │ ALL      │ nothing │",
        "key: station (N), at (B)\n".rstrip(),
        "│ Customer and Order of one customer_id          │ db.shop.of_customer.query(Customer.Key(customer_id))",
        'set"tings<${x}>  db.settings_: Settings, rows of Only',
    ):
        assert expected in text


def test_nothing_is_cut_off_in_a_narrow_terminal() -> None:
    folded = "".join(line.strip("│┃ ") for line in printed(60).splitlines())
    assert "…" not in folded


def test_the_flow_chart() -> None:
    assert mermaid([MUSIC]) == (
        "flowchart LR\n"
        '  subgraph t0["music_items (MusicItem)"]\n'
        '    t0i0["<b>AlbumInfo</b><br/>partition_key: {album_token}<br/>sort_key: INFO_"]\n'
        '    t0i1["<b>AlbumTrack</b><br/>partition_key: {album_token}<br/>sort_key: TRACK_{track_number:016}"]\n'
        '    t0i2["<b>PlaylistInfo</b><br/>partition_key: {playlist_token}<br/>sort_key: INFO_"]\n'
        "  end\n"
        '  t0x0(["<b>artist_album_index</b> (global)<br/>artist_name · partition_key"])\n'
        "  t0i0 --> t0x0\n"
        '  t0x1(["<b>genre_album_index</b> (global)<br/>genre_name · partition_key"])\n'
        "  t0i0 --> t0x1\n"
        '  t0x2(["<b>label_album_index</b> (global)<br/>label_name"])\n'
        "  t0i0 -.-> t0x2\n"
        '  t0x3(["<b>album_track_title_index</b> (local)<br/>partition_key · track_title"])\n'
        "  t0i1 --> t0x3\n"
    )


def test_a_line_stays_one() -> None:
    assert "a#10;b" in mermaid([replace(SETTINGS, table_name="a\nb")])


def test_the_flow_chart_survives_any_name() -> None:
    text = mermaid([SHOP, SETTINGS])
    assert '  subgraph t1["set#34;tings#60;${x}#62; (Only)"]\n' in text
    assert "CUSTOMER#35;{customer_id}" in text
