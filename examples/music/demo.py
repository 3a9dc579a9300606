"""What logicaldb does, shown on the bundled catalogue.

Each function below is one example: its docstring is the heading, and its code is shown as it stands here, before what
it returns and the requests that it sent.
"""

# ruff: noqa: S106
# The tokens of playlists are no passwords.

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from rich.console import Console, Group, RenderableType
from rich.text import Text

from examples.music import render
from examples.music.adding import AddedPage, AddTracks
from examples.music.catalog import BUNDLED, read_catalog
from examples.music.connection import RequestLog
from examples.music.importing import import_catalog
from examples.music.models import AlbumInfo, AlbumTrack, MusicDb, PlaylistInfo
from logicaldb import BeginsWith, ConditionFailed, EqualTo, ItemSet, Page, TransactionCanceled, VersionConflict, attr

T = TypeVar("T")


def one_album(db: MusicDb) -> list[AlbumInfo | AlbumTrack]:
    """An album with its tracks, in one query"""
    return db.music.albums.query(
        AlbumInfo.Key("ALBUM_dark-side-of-the-moon"),
    ).contents


def by_artist(db: MusicDb) -> list[AlbumInfo]:
    """The albums of an artist, from a global index"""
    return db.music.album_info_by_artist.query(
        BeginsWith(AlbumInfo.ArtistIndexOffset("Pink Floyd")),
    ).contents


def by_genre(db: MusicDb) -> list[AlbumInfo]:
    """The albums of a genre, from another"""
    return db.music.album_info_by_genre.query(
        BeginsWith(AlbumInfo.GenreIndexOffset("Jazz")),
    ).contents


def by_label(db: MusicDb) -> list[AlbumInfo]:
    """The albums of a label, from a sparse index: albums without one are not in it"""
    return db.music.album_info_by_label.query(
        EqualTo(AlbumInfo.LabelIndexOffset("Columbia")),
    ).contents


def by_title(db: MusicDb) -> list[AlbumTrack]:
    """Tracks of an album by the beginning of their title, from a local index"""
    return db.music.album_tracks_by_title.query(
        BeginsWith(AlbumTrack.TitleIndexOffset("ALBUM_abbey-road", "S")),
    ).contents


def page_by_page(db: MusicDb) -> list[Page[AlbumTrack.Key, AlbumTrack]]:
    """A listing page by page: each page says where the next one begins"""
    tracks = BeginsWith(AlbumTrack.Key("ALBUM_abbey-road"))
    pages = [db.music.album_tracks.query(tracks, page_size=5)]
    while pages[-1].has_more_pages:
        next_page = db.music.album_tracks.query(
            tracks,
            page_size=5,
            initial_offset=pages[-1].offset,
        )
        pages.append(next_page)
    return pages


def long_tracks(db: MusicDb) -> Iterator[AlbumTrack]:
    """Tracks longer than five minutes, by a scan with a filter"""
    return db.music.album_tracks.scan_all_contents(
        filter_expression=attr(AlbumTrack.run_length) > timedelta(minutes=5),
    )


def counting(db: MusicDb) -> int:
    """Counting without reading: the tracks of an album shorter than two minutes"""
    return db.music.album_tracks.count(
        BeginsWith(AlbumTrack.Key("ALBUM_abbey-road")),
        filter_expression=attr(AlbumTrack.run_length) < timedelta(minutes=2),
    )


def new_playlist(db: MusicDb) -> PlaylistInfo:
    """A playlist of one's own"""
    db.delete_key(PlaylistInfo.Key("PLAYLIST_demo"))  # of an earlier demo
    return db.create(
        PlaylistInfo(
            playlist_token="PLAYLIST_demo",
            playlist_name="Road Trip",
            playlist_tracks=[
                AlbumTrack.Key("ALBUM_rumours", 5),
                AlbumTrack.Key("ALBUM_led-zeppelin-iv", 7),
            ],
        )
    )


def renaming(db: MusicDb) -> PlaylistInfo | ConditionFailed:
    """Renaming it, on the condition that nobody else has"""
    try:
        return db.music.playlist_info.update(
            PlaylistInfo.Key("PLAYLIST_demo"),
            attr(PlaylistInfo.playlist_name).set("Long Way Home"),
            condition=attr(PlaylistInfo.playlist_name) == "Road Trip",
        )
    except ConditionFailed as refused:
        return refused


def two_writers(db: MusicDb) -> Iterator[tuple[str, PlaylistInfo | VersionConflict]]:
    """Two writers of a playlist: one loses, sees what is stored, and retries"""
    key = PlaylistInfo.Key("PLAYLIST_demo")
    new_tracks = {
        "Ann": AlbumTrack.Key("ALBUM_blue", 4),
        "Ben": AlbumTrack.Key("ALBUM_heroes", 3),
    }
    copies = {writer: db.load(key) for writer in new_tracks}
    for writer, track in new_tracks.items():
        playlist = copies[writer]
        while playlist is not None:
            tracks = [*playlist.playlist_tracks, track]
            try:
                saved = db.save(playlist.replace(playlist_tracks=tracks))
            except VersionConflict as conflict:
                yield writer, conflict
                playlist = conflict.item
            else:
                yield writer, saved
                break


def listening(db: MusicDb) -> list[int]:
    """Eight threads play a track, 25 times each: no play is lost"""
    track = AlbumTrack.Key("ALBUM_kind-of-blue", 1)

    def listen(_listener: int) -> list[int]:
        return [db.increment(track, AlbumTrack.play_count) for _ in range(25)]

    with ThreadPoolExecutor(max_workers=8) as threads:
        counts = threads.map(listen, range(8))
    return [count for listened in counts for count in listened]


def whole_albums(db: MusicDb) -> list[AddedPage]:
    """Five albums go into the playlist, a transaction a page, if each track exists"""
    albums = ["revolver", "abbey-road", "rumours", "nevermind", "ok-computer"]
    tracks = [
        AlbumTrack.Key.of(track)
        for album in albums
        for track in db.music.album_tracks.query_all_contents(
            BeginsWith(AlbumTrack.Key(f"ALBUM_{album}")),
        )
    ]
    # Of each page it makes one transaction, which checks that the tracks
    # exist, and saves the playlist with them: see adding.py.
    handler = AddTracks(db, PlaylistInfo.Key("PLAYLIST_demo"))
    pager = db.transaction_writing_pager(tracks, handler)
    pager.execute()
    return handler.pages


def missing_track(db: MusicDb) -> str:
    """A track that does not exist: nothing of its page is written, nor after it"""
    tracks = [
        *(AlbumTrack.Key("ALBUM_time-out", number) for number in range(1, 9)),
        *(AlbumTrack.Key("ALBUM_mezzanine", number) for number in range(1, 12)),
    ]
    handler = AddTracks(db, PlaylistInfo.Key("PLAYLIST_demo"))
    pager = db.transaction_writing_pager(
        tracks,
        handler,
        max_transaction_items=6,
    )
    try:
        pager.execute()
    except TransactionCanceled as canceled:
        left = len(pager.remaining_updates)
        return render.not_added(canceled, handler.pages, left)
    return "Added: all of them exist."


def snapshot(db: MusicDb) -> ItemSet:
    """The playlist and tracks of it, all as they were at one moment"""
    return db.transaction_load(
        PlaylistInfo.Key("PLAYLIST_demo"),
        AlbumTrack.Key("ALBUM_time-out", 5),
        AlbumTrack.Key("ALBUM_time-out", 8),
        AlbumTrack.Key("ALBUM_kind-of-blue", 1),
    )


def run(db: MusicDb, log: RequestLog, console: Console) -> None:
    """Create the table, import the bundled catalogue, and show every example."""
    show = Show(db, log, console)
    catalog = read_catalog(BUNDLED)
    show.step("The table and its indexes", "db.create_tables()", db.create_tables)
    show.step(
        "The bundled catalogue, 100 items a transaction",
        "db.save_all(items, max_transaction_items=100)",
        lambda: import_catalog(db, catalog, console),
        lambda imported: Text(str(imported)),
    )
    show.example(one_album, render.album)
    show.example(by_artist, lambda albums: render.albums(albums, render.GENRE, render.LABEL))
    show.example(by_genre, lambda albums: render.albums(albums, render.ARTIST, render.LABEL))
    show.example(by_label, lambda albums: render.albums(albums, render.ARTIST))
    show.example(by_title, render.tracks)
    show.example(page_by_page, render.pages)
    show.example(long_tracks, _ten_longest)
    show.example(counting, lambda number: Text(render.count(number, "track")))
    show.example(new_playlist, render.stored_playlist)
    show.example(renaming, _renamed)
    show.step("The same again: now somebody has", "renaming(db)", lambda: renaming(db), _renamed)
    show.example(two_writers, _attempts)
    show.example(listening, _plays)
    show.example(whole_albums, render.added)
    show.example(missing_track, lambda told: Text(told, style="red"))
    show.example(snapshot, render.snapshot)
    console.print()
    console.print(Text(f"Done: {render.count(log.sent.total(), 'request')} in all."))


def _ten_longest(tracks: Iterable[AlbumTrack]) -> RenderableType:
    longest = render.longest_first(tracks)
    heading = f"{render.count(len(longest), 'track')}; the ten longest (the command longer 5:00 lists them all):"
    return Group(Text(heading), render.tracks(longest[:10]))


def _renamed(outcome: PlaylistInfo | ConditionFailed) -> RenderableType:
    match outcome:
        case PlaylistInfo():
            return Group(Text("Renamed. The item as it is stored:", style="green"), render.stored_playlist(outcome))
        case ConditionFailed(item=PlaylistInfo() as stored):
            return Group(Text("Refused. The error carries the item:", style="red"), render.stored_playlist(stored))
        case ConditionFailed():  # there is no such playlist any more
            raise outcome


def _attempts(made: Iterable[tuple[str, PlaylistInfo | VersionConflict]]) -> RenderableType:
    lines: list[RenderableType] = []
    for writer, outcome in made:
        match outcome:
            case PlaylistInfo():
                text = f"{writer} wins: stored as version {outcome.playlist_version}."
                lines += [Text(text, style="green"), render.stored_playlist(outcome)]
            case VersionConflict():
                text = f"{writer} loses: {render.conflict(outcome)}\n{writer} retries, from the stored item."
                lines.append(Text(text, style="red"))
    return Group(*lines)


def _plays(counts: list[int]) -> RenderableType:
    """Show that each play returned a count of its own: of two plays with the same count, one is lost."""
    before, after = min(counts) - 1, max(counts)
    return Text(
        f"Play count before: {before}\n"
        f"{render.count(len(counts), 'play')} returned {render.count(len(set(counts)), 'different count')}.\n"
        f"Play count after: {after}"
    )


class Show:
    """Prints what is done: a heading, the code, the result, and how many requests it took."""

    def __init__(self, db: MusicDb, log: RequestLog, console: Console) -> None:
        self._db = db
        self._log = log
        self._console = console

    def example(self, function: Callable[[MusicDb], T], render_result: Callable[[T], RenderableType]) -> None:
        """Run a function of this module and show it, under its docstring."""
        heading = inspect.getdoc(function) or function.__name__
        self.step(heading, _code(function), lambda: function(self._db), render_result)

    def step(
        self,
        heading: str,
        code: str,
        call: Callable[[], T],
        render_result: Callable[[T], RenderableType] | None = None,
    ) -> None:
        """Run ``call`` and show its result."""
        self._console.print()
        self._console.rule(Text(heading, style="bold"), align="left", style="dim")
        self._console.print(Text(textwrap.indent(code, "  "), style="dim"))
        self._console.print()
        before = self._log.sent.copy()
        result = call()
        if render_result is not None:
            self._console.print(render_result(result))
        self._console.print(render.requests(self._log.sent - before))


def _code(function: Callable[..., object]) -> str:
    """The source of a function without its first line and its docstring; of a lone ``return``, what it returns."""
    source = inspect.getsource(function)
    _definition, _docstring, body = re.split(r"(?<=:)\n|(?<=\"\"\")\n", source, maxsplit=2)
    code = textwrap.dedent(body).rstrip()
    return code if "\nreturn " in code else code.removeprefix("return ")
