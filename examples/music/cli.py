"""The command line: ``python -m examples.music --help``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.text import Text
from typer.core import TyperGroup

from examples.music import demo as demonstration
from examples.music import render
from examples.music.catalog import check_length, read_catalog
from examples.music.connection import Target
from examples.music.importing import import_catalog
from examples.music.models import AlbumInfo, AlbumTrack
from examples.music.playing import play as play_together
from examples.music.playlists import playlists
from examples.music.session import Failure, session, stored_track
from logicaldb import BeginsWith, EqualTo, attr

T = TypeVar("T")


class OptionsAnywhere(TyperGroup):
    """A group that takes its own options behind the command too: ``demo --aws`` is ``--aws demo``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move the options of the group to the front."""
        own: list[str] = []
        others: list[str] = []
        rest = iter(args)
        for arg in rest:
            if arg == "--":
                others += [arg, *rest]
            elif arg == "--aws" or arg.startswith(("--endpoint-url=", "--table-name=")):
                own.append(arg)
            elif arg in {"--endpoint-url", "--table-name"}:
                own += [arg, *[value for value in [next(rest, None)] if value is not None]]
            else:
                others.append(arg)
        return super().parse_args(ctx, own + others)


app = typer.Typer(
    cls=OptionsAnywhere,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    epilog="The options above may also stand behind the command.",
)
app.add_typer(playlists, name="playlist")


@app.callback()
def connection(
    ctx: typer.Context,
    endpoint_url: Annotated[
        str | None, typer.Option(metavar="URL", help="DynamoDB Local, or another endpoint of your own.")
    ] = None,
    aws: Annotated[
        bool, typer.Option("--aws", help="Amazon DynamoDB, with the credentials and region that are configured.")
    ] = False,
    table_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the table is called, if not music_items.")
    ] = None,
) -> None:
    """A music library in one DynamoDB table, on logicaldb.

    Without --endpoint-url or --aws it lives in this process: each command
    starts with an empty table, fills it with the bundled catalogue, and
    forgets it at the end.
    """
    if aws and endpoint_url is not None:
        raise typer.BadParameter("--aws and --endpoint-url exclude each other.")
    ctx.obj = Target(endpoint_url=endpoint_url, aws=aws, table_name=table_name)


@app.command()
def demo(ctx: typer.Context) -> None:
    """Create the table, import the bundled catalogue, and show what logicaldb does."""
    with session(ctx, fill=False) as run:
        demonstration.run(run.db, run.log, run.out)


@app.command(name="import")
def import_(
    ctx: typer.Context, file: Annotated[Path, typer.Argument(help="A catalogue; README.md describes the format.")]
) -> None:
    """Import albums and playlists from a JSON file; the table is created if there is none."""
    with session(ctx, fill=False) as run:
        catalog = read_catalog(file)
        run.db.create_tables()
        imported = import_catalog(run.db, catalog, run.notes)
        run.out.print(Text(f"Imported into {run.target}: {imported}"), soft_wrap=True)
        if run.target.in_process:
            run.notes.print(Text("It ends with this command, and nothing is kept: see --endpoint-url.", style="dim"))


@app.command()
def albums(ctx: typer.Context) -> None:
    """List all albums, by date."""
    with session(ctx) as run:
        found = run.db.music.album_info.scan_all_contents()
        run.out.print(render.albums(_some(found, "albums"), render.ARTIST))


@app.command()
def album(
    ctx: typer.Context, token: Annotated[str, typer.Argument(help="Such as ALBUM_kind-of-blue; see albums.")]
) -> None:
    """Show an album with its tracks: one query of an item collection."""
    with session(ctx) as run:
        rows = list(run.db.music.albums.query_all_contents(AlbumInfo.Key(token)))
        if not rows:
            raise Failure(f"There is no album {token}.")
        run.out.print(render.album(rows))


@app.command()
def artist(ctx: typer.Context, name: str) -> None:
    """List the albums of an artist, from a global index."""
    with session(ctx) as run:
        found = run.db.music.album_info_by_artist.query_all_contents(BeginsWith(AlbumInfo.ArtistIndexOffset(name)))
        run.out.print(render.albums(_some(found, f"albums by {name}"), render.GENRE, render.LABEL))


@app.command()
def genre(ctx: typer.Context, name: str) -> None:
    """List the albums of a genre, from a global index."""
    with session(ctx) as run:
        found = run.db.music.album_info_by_genre.query_all_contents(BeginsWith(AlbumInfo.GenreIndexOffset(name)))
        run.out.print(render.albums(_some(found, f"albums of the genre {name}"), render.ARTIST, render.LABEL))


@app.command()
def label(ctx: typer.Context, name: str) -> None:
    """List the albums of a label, from a sparse global index."""
    with session(ctx) as run:
        found = run.db.music.album_info_by_label.query_all_contents(EqualTo(AlbumInfo.LabelIndexOffset(name)))
        run.out.print(render.albums(_some(found, f"albums of the label {name}"), render.ARTIST))


@app.command()
def search(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(help="The beginning of a title, in its own upper and lower case.")],
    album: Annotated[str | None, typer.Option(metavar="TOKEN", help="In this album only.")] = None,
) -> None:
    """Find tracks by the beginning of their title: in an album by its local index, else by a scan with a filter."""
    with session(ctx) as run:
        if album is not None:
            how = "By a query of the local index album_track_title_index:"
            prefix = BeginsWith(AlbumTrack.TitleIndexOffset(album, title))
            found = list(run.db.music.album_tracks_by_title.query_all_contents(prefix))
        else:
            how = "By a scan of the table with the filter begins_with(track_title):"
            condition = attr(AlbumTrack.track_title).begins_with(title)
            found = list(run.db.music.album_tracks.scan_all_contents(filter_expression=condition))
            found.sort(key=lambda track: (track.track_title, track.album_token, track.track_number))
        run.out.print(Text(how, style="dim"))
        run.out.print(render.tracks(_some(found, f"tracks whose title begins with {title}")))


def _length(value: str) -> timedelta:
    try:
        return check_length(value)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@app.command()
def longer(
    ctx: typer.Context,
    length: Annotated[timedelta, typer.Argument(parser=_length, metavar="M:SS", help="Minutes and seconds.")],
) -> None:
    """List the tracks that are longer, longest first: a scan with a filter."""
    with session(ctx) as run:
        condition = attr(AlbumTrack.run_length) > length
        found = run.db.music.album_tracks.scan_all_contents(filter_expression=condition)
        what = f"tracks longer than {render.length(length)}"
        run.out.print(render.tracks(_some(render.longest_first(found), what)))


@app.command()
def play(
    ctx: typer.Context,
    album: Annotated[str, typer.Argument(help="The token of an album.")],
    track: Annotated[int, typer.Argument(min=1, help="The number of one of its tracks.")],
    times: Annotated[int, typer.Option(min=1, max=1000, help="How often each listener plays it.")] = 1,
    listeners: Annotated[int, typer.Option(min=1, max=50, help="How many play it at once, on a thread each.")] = 1,
) -> None:
    """Play a track: each play is an atomic addition to its play count, and none is lost."""
    with session(ctx) as run:
        key = AlbumTrack.Key(album, track)
        before = stored_track(run.db, key)
        with render.progress(run.notes) as progress:
            task = progress.add_task("Playing", total=times * listeners)
            play_together(run.db, key, listeners=listeners, times=times, on_play=lambda: progress.advance(task))
        run.out.print(render.plays(before, stored_track(run.db, key), listeners=listeners, times=times))


def _some(found: Iterable[T], what: str) -> list[T]:
    items = list(found)
    if not items:
        raise Failure(f"There are no {what}.")
    return items
