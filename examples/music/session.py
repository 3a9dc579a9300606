"""What the commands share: an open database, two consoles, and errors told in a sentence."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.text import Text

from examples.music import render
from examples.music.catalog import BUNDLED, CatalogError, read_catalog
from examples.music.connection import InvalidTarget, RequestLog, Target
from examples.music.importing import import_catalog
from examples.music.models import AlbumTrack, MusicDb
from logicaldb import LogicalDbError


class Failure(Exception):
    """A command cannot do what it is asked to; the message says why."""


ERRORS = (Failure, CatalogError, InvalidTarget, LogicalDbError, BotoCoreError, ClientError, ImportError)
"""What a user can do something about; all else is a mistake in the program."""


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a command.

    Attributes:
        target: where the table is.
        db: the database, open.
        log: the requests sent so far.
        out: the console for results.
        notes: the console for all else, on standard error.
    """

    target: Target
    db: MusicDb
    log: RequestLog
    out: Console
    notes: Console


@contextmanager
def session(ctx: typer.Context, *, fill: bool = True) -> Generator[Session]:
    """Open the database that the options of the command line name.

    An in-process one is empty each time: with ``fill`` the bundled catalogue is imported first. The ``ERRORS`` end
    the program with one sentence on standard error and exit code 1.
    """
    target: Target = ctx.obj
    notes = render.console(stderr=True)
    try:
        with target.client() as client:
            opened = Session(target, target.database(client), RequestLog(client), render.console(), notes)
            if fill and target.in_process:
                _fill(opened)
            yield opened
    except ERRORS as error:
        notes.print(Text(f"Error: {_sentence(error, target)}", style="red"), soft_wrap=True)
        raise typer.Exit(1) from error


def stored_track(db: MusicDb, key: AlbumTrack.Key) -> AlbumTrack:
    """Load a track that the user names.

    Raises:
        Failure: there is none.
    """
    track = db.load(key, consistent_read=True)  # just played, perhaps
    if track is None:
        raise Failure(f"There is no track {key.track_number} of {key.album_token}.")
    return track


def _fill(opened: Session) -> None:
    opened.notes.print(
        Text("The in-process DynamoDB starts empty: importing the bundled catalogue first.", style="dim")
    )
    opened.db.create_tables()
    import_catalog(opened.db, read_catalog(BUNDLED), opened.notes)


def _sentence(error: Exception, target: Target) -> str:
    if isinstance(error, ClientError) and error.response.get("Error", {}).get("Code") == "ResourceNotFoundException":
        return f"{target} has no such table. The commands demo and import create it."
    return "\n".join([str(error), *getattr(error, "__notes__", [])])
