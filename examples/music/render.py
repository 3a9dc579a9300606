"""What the terminal shows: rich tables of items.

Tables are as wide as what they hold and fit into 80 columns with the bundled catalogue; longer texts are broken into
lines, never cut off.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from examples.music.adding import AddedPage
from examples.music.models import AlbumInfo, AlbumTrack, PlaylistInfo
from logicaldb import ConditionFailed, ItemSet, Page, TransactionCanceled, VersionConflict


def console(*, stderr: bool = False) -> Console:
    """A console that shows data as it is: brackets are no markup, and numbers are not coloured."""
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False)


def progress(on: Console) -> Progress:
    """A progress bar, which shows no times: the output of a run is that of the next one."""
    return Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), console=on)


def length(run_length: timedelta) -> str:
    """Minutes and seconds, as on a record sleeve: ``4:33``."""
    minutes, seconds = divmod(round(run_length.total_seconds()), 60)
    return f"{minutes}:{seconds:02}"


def count(number: int, what: str) -> str:
    """``1 track``, ``2 tracks``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def requests(sent: Counter[str]) -> Text:
    """``2 requests (1 DeleteItem, 1 PutItem)``."""
    operations = sorted(sent) if len(sent) == 1 else [f"{number} {name}" for name, number in sorted(sent.items())]
    return Text(f"{count(sent.total(), 'request')} ({', '.join(operations)})", style="dim")


def album(rows: Iterable[AlbumInfo | AlbumTrack]) -> RenderableType:
    """One album: what its item collection holds."""
    heading = Text()
    tracks: list[AlbumTrack] = []
    for row in rows:
        match row:
            case AlbumInfo():
                heading.append(row.album_title, style="bold").append(f" by {row.artist_name}\n")
                heading.append(f"{row.genre_name}, {row.label_name or 'no label'}, {row.release_date}")
            case AlbumTrack():
                tracks.append(row)
    table = _table("#>", "Title", "Length>")
    for track in tracks:
        table.add_row(str(track.track_number), track.track_title, length(track.run_length))
    total = sum((track.run_length for track in tracks), timedelta())
    return Group(heading, table, Text(f"{count(len(tracks), 'track')}, {length(total)}"))


AlbumColumn = tuple[str, Callable[[AlbumInfo], str]]
ARTIST: AlbumColumn = ("Artist", lambda album: album.artist_name)
GENRE: AlbumColumn = ("Genre", lambda album: album.genre_name)
LABEL: AlbumColumn = ("Label", lambda album: album.label_name or "")


def albums(found: Iterable[AlbumInfo], *columns: AlbumColumn) -> RenderableType:
    """Albums by date, each with its token, and what else the caller does not know of them."""
    table = _table("Released", "Album", *(heading for heading, _ in columns))
    for info in sorted(found, key=lambda info: (info.release_date, info.album_token)):
        title = _titled(info.album_title, info.album_token)
        table.add_row(str(info.release_date), title, *(value(info) for _, value in columns))
    return table


def tracks(found: Iterable[AlbumTrack]) -> RenderableType:
    """Tracks of several albums, each with its key."""
    table = _table("Title", "Length>")
    for track in found:
        table.add_row(_titled(track.track_title, _key(AlbumTrack.Key.of(track))), length(track.run_length))
    return table


def plays(before: AlbumTrack, after: AlbumTrack, *, listeners: int, times: int) -> RenderableType:
    """The play counts of a track before and after it was played."""
    table = _table("Play count", ">")
    table.add_row("before", str(before.play_count))
    table.add_row(f"{count(listeners, 'listener')}, {count(times, 'play')} each", f"+{listeners * times}")
    table.add_row("after", str(after.play_count))
    return Group(_titled(after.track_title, _key(AlbumTrack.Key.of(after))), table)


def longest_first(found: Iterable[AlbumTrack]) -> list[AlbumTrack]:
    """Tracks in an order that does not depend on that of the table."""
    return sorted(found, key=lambda track: (-track.run_length, track.album_token, track.track_number))


def pages(read: Sequence[Page[AlbumTrack.Key, AlbumTrack]]) -> RenderableType:
    """The pages of a listing, and where each says that the next one begins."""
    table = _table("Page>", "#>", "Title", "Length>", "Next offset")
    for number, page in enumerate(read, start=1):
        for track in page.contents:
            first, last = track is page.contents[0], track is page.contents[-1]
            table.add_row(
                str(number) if first else "",
                str(track.track_number),
                track.track_title,
                length(track.run_length),
                _offset(page) if last else "",
                end_section=last,
            )
    return table


def _offset(page: Page[AlbumTrack.Key, AlbumTrack]) -> str:
    if page.offset is None or page.offset.key is None:
        return "none"
    return f"track {page.offset.key.track_number}"


def playlist(info: PlaylistInfo, found: Iterable[tuple[AlbumTrack.Key, AlbumTrack | None]]) -> RenderableType:
    """A playlist with its tracks, as far as they still exist."""
    table = _table("#>", "Title", "Length>")
    for number, (key, track) in enumerate(found, start=1):
        title = track.track_title if track is not None else "(there is no such track any more)"
        table.add_row(str(number), _titled(title, _key(key)), length(track.run_length) if track is not None else "")
    return Group(_playlist_name(info), table)


def playlists(found: Iterable[PlaylistInfo]) -> RenderableType:
    """Playlists, by token."""
    table = _table("Token", "Name", "Tracks>")
    for info in sorted(found, key=lambda info: info.playlist_token):
        table.add_row(info.playlist_token, info.playlist_name, str(len(info.playlist_tracks)))
    return table


def stored_playlist(info: PlaylistInfo) -> RenderableType:
    """A playlist as it is stored."""
    return Group(_playlist_name(info), *(Text(f"  {_key(key)}") for key in info.playlist_tracks))


def snapshot(found: ItemSet) -> RenderableType:
    """What a transaction read: playlists in short, tracks, and the keys of tracks without one."""
    lines: list[RenderableType] = []
    for info in found.get_items(PlaylistInfo):
        stored = f"{count(len(info.playlist_tracks), 'track')}, version {info.playlist_version}"
        lines += [_playlist_name(info), Text(stored)]
    lines.append(tracks(found.get_items(AlbumTrack)))
    lines += [Text(f"There is no {_key(key)}.") for key in found.missing if isinstance(key, AlbumTrack.Key)]
    return Group(*lines)


def added(pages: Sequence[AddedPage]) -> RenderableType:
    """What pages added to a playlist, one after the other."""
    table = _table("Page>", "Tracks added>", "Tracks in all>")
    for number, page in enumerate(pages, start=1):
        table.add_row(str(number), str(page.added), str(len(page.playlist.playlist_tracks)))
    return Group(_playlist_name(pages[-1].playlist), table)


def not_added(canceled: TransactionCanceled, pages: Sequence[AddedPage], left: int) -> str:
    """Why a page was refused, what was written before it, and what is not."""
    before = sum(page.added for page in pages)
    return (
        f"Not added: {'; '.join(_reasons(canceled))}.\n"
        f"Written before: {count(before, 'track')}, in {count(len(pages), 'page')}.\n"
        f"Not written: {count(left, 'track')}, the whole page that failed and all after it."
    )


def _reasons(canceled: TransactionCanceled) -> Iterable[str]:
    for failure in canceled.failures:
        match failure.operation.key, failure.error:
            case _, VersionConflict() as overtaken:
                yield conflict(overtaken).removesuffix(".")
            case AlbumTrack.Key() as key, ConditionFailed():
                yield f"there is no track {key.track_number} of {key.album_token}"
            case _:
                yield f"{failure.operation}: {failure.code}"


def conflict(of: VersionConflict) -> str:
    """What a writer expected, and what is stored instead."""
    match of.item:
        case PlaylistInfo() as stored:
            now = f"version {stored.playlist_version} is stored now, with {count(len(stored.playlist_tracks), 'track')}"
        case _:
            now = "nothing is stored any more"
    return f"version {of.expected} was expected, and {now}."


def _titled(title: str, key: str) -> Text:
    return Text(f"{title}\n").append(key, style="dim")


def _key(key: AlbumTrack.Key) -> str:
    return f"{key.album_token}, track {key.track_number}"


def _playlist_name(info: PlaylistInfo) -> Text:
    return Text(info.playlist_name, style="bold").append(f"  {info.playlist_token}", style="not bold dim")


def _table(*headings: str) -> Table:
    """An empty table; a heading that ends with ``>`` is that of a column flush right, whose figures are never broken."""
    table = Table(box=box.ROUNDED, header_style="bold")
    for heading in headings:
        if heading.endswith(">"):
            table.add_column(heading[:-1], justify="right", no_wrap=True)
        else:
            table.add_column(heading, no_wrap=heading == "Released")
    return table
