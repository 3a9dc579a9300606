"""The rules of the machine over the whole interface that query and scan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from logicaldb import EncodingError, IncompleteKey, InvalidCursor, Offset, WorkerId
from tests.properties import whole_ranges as ranges
from tests.properties import whole_strategies as draws
from tests.properties.whole_base import Base
from tests.properties.whole_kinds import ENTRY, FOLDER, KINDS, READING, SESSION, Kind, Place, Row
from tests.properties.whole_ranges import Range, Reads
from tests.properties.whole_types import Entry, Folder, Reading, Session, view_of
from tests.properties.whole_writes import clients

SECRET = "a secret of the tests"


class Wanted:
    """What a query should find.

    Args:
        found: the items in ascending order, before the filter, each with its row.
        reads: how they are read.
    """

    def __init__(self, found: Sequence[tuple[tuple[Any, ...], Any, Row]], reads: Reads) -> None:
        ordered = sorted(found, key=lambda one: one[0], reverse=not reads.asc)
        passing = [(sort, item) for sort, item, row in ordered if reads.test is None or reads.test.holds(row)]
        self.sorts = [sort for sort, _ in passing]
        self.by_place = {place_of(item): (sort, item) for sort, item in passing}

    def check(self, items: Sequence[Any], *, limit: int | None = None) -> None:
        """Compare items; where several are sorted by the same, their order is open."""
        places = [place_of(item) for item in items]
        assert len(set(places)) == len(places) == len(self.sorts[:limit])
        assert [self.by_place.get(place) for place in places] == [
            (sort, item) for sort, item in zip(self.sorts[:limit], items, strict=False)
        ]


def queries_of(
    what: str, wanted: st.SearchStrategy[Range], name: str
) -> st.SearchStrategy[tuple[str, Range, Reads, Any]]:
    """Queries of a view, each with a key to start after."""
    return st.tuples(st.just(what), wanted, ranges.reads(name), draws.keys[name])


queries = st.one_of(
    queries_of("entries", ranges.entry_ranges, "Entry"),
    queries_of("sessions", ranges.session_ranges, "Session"),
    queries_of("readings", ranges.reading_ranges, "Reading"),
    queries_of("by_genre", ranges.genre_ranges, "Entry"),
    queries_of("by_rank", ranges.rank_ranges, "Entry"),
)


class Queries(Base):
    """Queries of a type, of its indexes and of collections, and scans."""

    def found(
        self, kind: Kind, sort: Callable[[Place, Row], tuple[Any, ...] | None], partition: Callable[[Place, Row], Any]
    ) -> list[tuple[Any, tuple[Any, ...], Any, Row]]:
        """The items of a type as a table or index has them: with the partition and what they are sorted by."""
        return [
            (partition(place, row), position, kind.item(place, row), row)
            for place, row in self.model.of(kind)
            for position in [sort(place, row)]
            if position is not None
        ]

    @rule(who=clients, queries=st.lists(queries, min_size=1, max_size=5))
    def query_some(self, who: int, queries: Sequence[tuple[str, Range, Reads, Any]]) -> None:
        for what, wanted, reads, start in queries:
            getattr(self, f"query_{what}")(who, wanted, reads, start)

    def query_entries(self, who: int, wanted: Range, reads: Reads, offset: Any) -> None:
        self.query(
            who,
            view_of(self.db(who), Entry),
            view_of(self.db(who + 1), Entry),
            self.found(ENTRY, lambda place, _: entry_sort(place), lambda place, _: place[1]),
            Entry.Key,
            wanted,
            reads,
            {"pk", "sk"},
            offset.model_copy(update={"owner": wanted.partition}),
            (offset.section, offset.number),
        )

    def query_sessions(self, who: int, wanted: Range, reads: Reads, offset: Any) -> None:
        self.query(
            who,
            view_of(self.db(who), Session),
            view_of(self.db(who + 1), Session),
            self.found(SESSION, lambda place, _: (str(place[2])[len("SESSION_") :],), lambda place, _: place[1]),
            Session.Key,
            wanted,
            reads,
            {"pk", "sk"},
            offset.model_copy(update={"owner": wanted.partition}),
            (offset.token,),
        )

    def query_readings(self, who: int, wanted: Range, reads: Reads, offset: Any) -> None:
        self.query(
            who,
            view_of(self.db(who), Reading),
            view_of(self.db(who + 1), Reading),
            self.found(READING, lambda place, _: (place[2],), lambda place, _: place[1]),
            Reading.Key,
            wanted,
            reads,
            {"stream", "position"},
            offset,
            (offset.position,),
        )

    def query_by_genre(self, who: int, wanted: Range, reads: Reads, _: Any) -> None:
        if reads.consistent and not wanted.incomplete:
            with pytest.raises(EncodingError, match="is a global index, which has no consistent reads"):
                self.db(who).main.entries_by_genre.query(wanted.condition(Entry.GenreKey), consistent_read=True)
            return
        self.query(
            who,
            self.db(who).main.entries_by_genre,
            self.db(who + 1).main.entries_by_genre,
            self.found(
                ENTRY, lambda place, row: (place[1],) if "genre" in row else None, lambda _, row: row.get("genre")
            ),
            Entry.GenreKey,
            wanted,
            reads,
            {"genre", "pk"},
        )

    def query_by_rank(self, who: int, wanted: Range, reads: Reads, _: Any) -> None:
        self.query(
            who,
            self.db(who).main.entries_by_rank,
            self.db(who + 1).main.entries_by_rank,
            self.found(ENTRY, lambda _, row: (row["rank"],) if "rank" in row else None, lambda place, _: place[1]),
            Entry.RankKey,
            wanted,
            reads,
            {"pk", "rank"},
        )

    def query(
        self,
        who: int,
        view: Any,
        other: Any,
        rows: Iterable[tuple[Any, tuple[Any, ...], Any, Row]],
        key_type: Any,
        wanted: Range,
        reads: Reads,
        keys: set[str],
        start: Any = None,
        start_sort: tuple[Any, ...] = (),
    ) -> None:
        """Query a view, in one of the ways there are.

        Args:
            who: the client.
            view: its view.
            other: the same view of another db, which goes on with what the first one began.
            rows: what the table or index has of the type: the partition, the sort key, the item, the row.
            key_type: the type of the key.
            wanted: the key condition.
            reads: how it is read.
            keys: the key attributes, which a filter cannot name.
            start: a key made by hand to start after; nothing of an index.
            start_sort: its sort key.
        """
        condition = wanted.condition(key_type)
        options: dict[str, Any] = {"filter_expression": None if reads.test is None else reads.test.make()}
        if reads.consistent:
            options["consistent_read"] = True
        if wanted.incomplete:
            with pytest.raises(IncompleteKey):
                view.query(condition, **options)
            return
        if reads.test is not None and keys & reads.test.attributes:
            with pytest.raises(EncodingError, match="filter"):
                view.count(condition, **options)
            return
        found = [(sort, item, row) for at, sort, item, row in rows if at == wanted.partition and wanted.holds(sort)]
        if reads.way == "count":
            assert view.count(condition, **options) == len(Wanted(found, reads).sorts)
            return
        options |= {"asc": reads.asc, "page_size": reads.page_size}
        if reads.way == "offset" and start is not None:
            found = [one for one in found if (one[0] > start_sort if reads.asc else one[0] < start_sort)]
            options["initial_offset"] = Offset(start)
        expected = Wanted(found, reads)
        if reads.way == "pages":
            pages = list(view.query_all(condition, **options))
        elif reads.way == "cursors":
            pages = list(self.by_cursors(view, other, condition, options))
        else:
            items = list(view.query_all_contents(condition, limit=reads.limit, **options))
            expected.check(items, limit=reads.limit)
            for item in items:
                self.sees(who, place_of(item), item)
            return
        expected.check([item for page in pages for item in page.contents])
        assert all(len(page.contents) <= reads.page_size for page in pages)
        assert [page.has_more_pages for page in pages] == [True] * (len(pages) - 1) + [False]

    def by_cursors(self, view: Any, other: Any, condition: Any, options: dict[str, Any]) -> Iterable[Any]:
        """The pages of a query as a web page asks for them, now by one db and then by the other."""
        query = {"asc": options["asc"], "filter_expression": options["filter_expression"]}
        while True:
            page = view.query(condition, **options)
            yield page
            if page.offset is None:
                return
            token = view.to_token(page.offset, condition, secret=SECRET, **query)
            view, other = other, view
            with pytest.raises(InvalidCursor):
                view.from_token(token, condition, secret=SECRET, **(query | {"asc": not query["asc"]}))
            offset = view.from_token(token, condition, secret=SECRET, **query)
            assert offset == page.offset
            options = options | {"initial_offset": offset}

    @rule(who=clients, owner=draws.owners, reads=ranges.reads("Folder", "Entry"))
    def query_both(self, who: int, owner: str, reads: Reads) -> None:
        """Two types of a partition; rows of other types are left out."""
        if reads.test is not None and {"pk", "sk"} & reads.test.attributes:
            return
        found = [
            ((place[2],), kind.item(place, row), row)
            for kind in (ENTRY, FOLDER)
            for place, row in self.model.of(kind)
            if place[1] == owner
        ]
        expected = Wanted(found, reads)
        view, key = self.db(who).main.both, Folder.Key(owner)
        options: dict[str, Any] = {
            "asc": reads.asc,
            "page_size": reads.page_size,
            "consistent_read": reads.consistent,
            "filter_expression": None if reads.test is None else reads.test.make(),
        }
        if reads.way == "pages":
            expected.check([item for page in view.query_all(key, **options) for item in page.contents])
        elif reads.way == "cursors":
            page = view.query(key, **options)
            items = list(page.contents)
            while page.offset is not None:
                page = self.db(who + 1).main.both.query(key, **options, initial_offset=page.offset)
                items += page.contents
            expected.check(items)
        else:
            expected.check(list(view.query_all_contents(key, limit=reads.limit, **options)), limit=reads.limit)

    @rule(
        who=clients,
        what=st.sampled_from(["Folder", "Entry", "Session", "Reading", "by_genre", "by_rank", "raw"]),
        reads=ranges.reads("Entry"),
        workers=st.integers(1, 3),
    )
    def scan(self, who: int, what: str, reads: Reads, workers: int) -> None:
        main = self.db(who).main
        options: dict[str, Any] = {"page_size": reads.page_size}
        if what == "raw":
            rows = list(main.raw.scan_all_contents(**options))
            assert {("main", row.pk, row.sk) for row in rows} == {
                place for place in self.model.rows if place[0] == "main"
            }
            return
        kind = draws.KIND_NAMES.get(what, ENTRY)
        index = {"by_genre": "genre", "by_rank": "rank"}.get(what)
        test = reads.test if kind is ENTRY else None
        wanted = {
            place: kind.item(place, row)
            for place, row in self.model.of(kind)
            if (index is None or index in row) and (test is None or test.holds(row))
        }
        views = {"by_genre": lambda: main.entries_by_genre, "by_rank": lambda: main.entries_by_rank}
        view = views[what]() if what in views else view_of(self.db(who), kind.type)
        options["filter_expression"] = None if test is None else test.make()
        if what != "by_genre":
            options["consistent_read"] = reads.consistent
        match reads.way:
            case "pages":
                items = [item for page in view.scan_all(**options) for item in page.contents]
            case "contents":
                items = list(view.scan_all_contents(limit=reads.limit, **options))
                assert len(items) == min(len(wanted), len(wanted) if reads.limit is None else reads.limit)
                wanted = {place: item for place, item in wanted.items() if place in map(place_of, items)}
            case "cursors":
                page = view.scan(**options)
                items = list(page.contents)
                while page.offset is not None:
                    page = view.scan(**options, initial_offset=page.offset)
                    items += page.contents
            case "count":
                items = [
                    item
                    for number in range(workers)
                    for item in view.scan_all_contents(worker_id=WorkerId(number, workers), **options)
                ]
            case _:
                items = list(view.parallel_scan(workers, **options))
        assert len(items) == len(wanted)
        assert {place_of(item): item for item in items} == wanted


def place_of(item: Any) -> Place:
    """Where the row of an item is."""
    return KINDS[type(item)].place(item)


def entry_sort(place: Place) -> tuple[Any, ...]:
    """What an entry is sorted by."""
    section, _, number = str(place[2]).removeprefix("ENTRY_").rpartition("#")
    return section, int(number)
