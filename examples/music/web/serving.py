"""The application, served on this machine alone."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from typing import Annotated

import typer
import uvicorn
from botocore.exceptions import BotoCoreError

from examples.music.catalog import BUNDLED, read_catalog
from examples.music.connection import InvalidTarget, Target
from examples.music.models import AsyncMusicDb
from examples.music.web.app import create_app

LOOPBACK = "127.0.0.1"

app = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens; 0 for any that is free.")] = 8080,
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
    """Serve the music library as a web application, for browsers on this machine.

    Without --endpoint-url or --aws it lives in this process: it starts with
    the bundled catalogue, and forgets all changes at the end. Elsewhere,
    python -m examples.music import fills the table.
    """
    if aws and endpoint_url is not None:
        raise typer.BadParameter("--aws and --endpoint-url exclude each other.")
    target = Target(endpoint_url=endpoint_url, aws=aws, table_name=table_name)
    try:
        with socket.create_server((LOOPBACK, port)) as listener:
            _serve(target, listener)
    except (OSError, InvalidTarget, BotoCoreError, ImportError) as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(1) from error


def _serve(target: Target, listener: socket.socket) -> None:
    with target.client() as client:
        db = AsyncMusicDb(client, table_name_resolver=lambda _table_type, declared: target.table_name or declared)
        web = create_app(
            db,
            # Of one's own choice where cursors should outlive the process, or where there are several.
            secret=os.environ.get("MUSIC_WEB_SECRET") or secrets.token_hex(),
            catalog=read_catalog(BUNDLED) if target.in_process else None,
        )
        typer.echo(f"The music library, on {target}: http://{LOOPBACK}:{listener.getsockname()[1]}/ (Ctrl-C stops it)")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(uvicorn.Config(web, log_level="warning", ws="none")).run(sockets=[listener])
