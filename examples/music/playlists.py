"""The commands of ``playlist``."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from examples.music import render
from examples.music.adding import AddTracks
from examples.music.catalog import check_token
from examples.music.editing import add_track
from examples.music.models import AlbumTrack, MusicDb, PlaylistInfo
from examples.music.session import Failure, session, stored_track
from logicaldb import (
    BeginsWith,
    ConditionFailed,
    ItemAlreadyExists,
    ItemNotFound,
    TransactionCanceled,
    VersionConflict,
    attr,
)

playlists = typer.Typer(no_args_is_help=True, help="Make, show and change playlists.")


def _checked_token(token: str) -> str:
    """Keep to the tokens of playlists: under the token of an album there is an album."""
    try:
        return check_token("PLAYLIST_", token)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _checked_name(name: str) -> str:
    if not name.strip() or not name.isprintable():
        raise typer.BadParameter("should be one line of text")
    return name


Token = Annotated[str, typer.Argument(callback=_checked_token, help="Such as PLAYLIST_late-night; see playlist list.")]
Name = Annotated[str, typer.Argument(callback=_checked_name)]


@playlists.command(name="list")
def list_(ctx: typer.Context) -> None:
    """List all playlists."""
    with session(ctx) as run:
        run.out.print(render.playlists(run.db.music.playlist_info.scan_all_contents()))


@playlists.command()
def show(ctx: typer.Context, token: Token) -> None:
    """Show a playlist with its tracks."""
    with session(ctx) as run:
        info = _stored_playlist(run.db, token)
        found = run.db.batch_load(info.playlist_tracks)
        run.out.print(render.playlist(info, [(key, found.get(key)) for key in info.playlist_tracks]))


@playlists.command()
def create(ctx: typer.Context, token: Token, name: Name) -> None:
    """Make an empty playlist, if there is none of this token."""
    with session(ctx) as run:
        try:
            info = run.db.create(PlaylistInfo(playlist_token=token, playlist_name=name))
        except ItemAlreadyExists as error:
            raise Failure(f"There is a playlist {token} already.") from error
        run.out.print(render.stored_playlist(info))


@playlists.command()
def rename(
    ctx: typer.Context,
    token: Token,
    name: Name,
    expected: Annotated[str, typer.Option("--from", metavar="NAME", help="Its name as you know it.")],
) -> None:
    """Rename a playlist, unless somebody has renamed it since you looked."""
    with session(ctx) as run:
        try:
            info = run.db.music.playlist_info.update(
                PlaylistInfo.Key(token),
                attr(PlaylistInfo.playlist_name).set(name),
                condition=attr(PlaylistInfo.playlist_name) == expected,
            )
        except ItemNotFound as error:
            raise _no_playlist(token) from error
        except ConditionFailed as error:
            stored = error.item.playlist_name if error.item is not None else "something else"
            raise Failure(f"Not renamed: {token} is called {stored}, not {expected}.") from error
        run.out.print(render.stored_playlist(info))


@playlists.command()
def add(
    ctx: typer.Context,
    token: Token,
    album: Annotated[str, typer.Argument(help="The token of an album.")],
    track: Annotated[int, typer.Argument(min=1, help="The number of one of its tracks.")],
    place: Annotated[
        int | None, typer.Option("--at", min=1, metavar="PLACE", help="Where it goes, from 1; if not, to the end.")
    ] = None,
) -> None:
    """Add a track to a playlist; if somebody changes that meanwhile, say so and try again."""
    with session(ctx) as run:
        key = AlbumTrack.Key(album, track)
        stored_track(run.db, key)
        info = _stored_playlist(run.db, token)
        try:
            added = add_track(run.db, info, key, place=place, on_retry=partial(_say_so, run.notes))
        except VersionConflict as error:
            raise Failure(f"Not added: {render.conflict(error)}") from error
        run.out.print(render.stored_playlist(added))


@playlists.command()
def add_album(
    ctx: typer.Context,
    token: Token,
    albums: Annotated[list[str], typer.Argument(metavar="ALBUM", help="The tokens of albums.")],
    numbers: Annotated[
        list[int] | None,
        typer.Option(
            "--track", min=1, metavar="NUMBER", help="This track instead of all of the album; may be repeated."
        ),
    ] = None,
) -> None:
    """Add all tracks of albums to a playlist, a transaction a page, as long as each track exists."""
    if numbers and len(albums) > 1:
        raise typer.BadParameter("--track goes with one album.")
    with session(ctx) as run:
        before = run.log.sent.copy()
        if numbers:
            tracks = [AlbumTrack.Key(albums[0], number) for number in numbers]
        else:
            tracks = [key for album in albums for key in _tracks_of(run.db, album)]
        with render.progress(run.notes) as progress:
            task = progress.add_task("Adding", total=len(tracks))
            handler = AddTracks(
                run.db,
                PlaylistInfo.Key(token),
                on_page=lambda page: progress.advance(task, page.added),
                on_retry=partial(_say_so, run.notes),
            )
            pager = run.db.transaction_writing_pager(tracks, handler)
            try:
                pager.execute()
            except TransactionCanceled as canceled:
                left = len(pager.remaining_updates)
                raise Failure(render.not_added(canceled, handler.pages, left)) from canceled
            except ItemNotFound as error:
                raise _no_playlist(token) from error
        run.out.print(render.added(handler.pages))
        run.out.print(render.requests(run.log.sent - before))


@playlists.command()
def delete(ctx: typer.Context, token: Token) -> None:
    """Delete a playlist."""
    with session(ctx) as run:
        deleted = run.db.delete_key(PlaylistInfo.Key(token))
        if deleted is None:
            raise _no_playlist(token)
        run.out.print(Text(f"Deleted: {deleted.playlist_name}."))


def _say_so(notes: Console, conflict: VersionConflict) -> None:
    text = f"Too late: {render.conflict(conflict)} Trying again from that."
    notes.print(Text(text, style="yellow"), soft_wrap=True)


def _tracks_of(db: MusicDb, album: str) -> list[AlbumTrack.Key]:
    found = db.music.album_tracks.query_all_contents(BeginsWith(AlbumTrack.Key(album)))
    keys = [AlbumTrack.Key.of(track) for track in found]
    if not keys:
        raise Failure(f"There are no tracks of {album}.")
    return keys


def _stored_playlist(db: MusicDb, token: str) -> PlaylistInfo:
    info = db.load(PlaylistInfo.Key(token))
    if info is None:
        raise _no_playlist(token)
    return info


def _no_playlist(token: str) -> Failure:
    return Failure(f"There is no playlist {token}.")
