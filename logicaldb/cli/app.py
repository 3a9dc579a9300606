"""The commands of ``logicaldb``."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Table

from logicaldb.cli.cloudformation import cloudformation
from logicaldb.cli.describe import describe as describe_tables
from logicaldb.cli.differences import differences
from logicaldb.cli.loading import DbType, NoDb, load_db
from logicaldb.cli.mermaid import mermaid as mermaid_of
from logicaldb.cli.outline import outline
from logicaldb.cli.page import page
from logicaldb.cli.terraform import terraform
from logicaldb.cli.workbench import workbench
from logicaldb.drivers import run
from logicaldb.errors import LogicalDbError
from logicaldb.operations.tables import create_tables as create_tables_flow
from logicaldb.schema.raw import RawDeclaration
from logicaldb.transport.boto import BotoTransport

_WIDE: Final = 200
"""The columns of a table that goes into a file or another program, where nothing is to be cut in two."""

app = typer.Typer(
    help="Look at what a db declares, compare it with live tables, export it.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
)

Db = Annotated[str, typer.Argument(metavar="MODULE:DB", help="The db class, such as examples.music.models:MusicDb.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="A file, in the place of standard output.")]
Endpoint = Annotated[str | None, typer.Option("--endpoint-url", help="Where DynamoDB is, in the place of AWS.")]
Region = Annotated[str | None, typer.Option(help="The region; by default that of the environment or profile.")]
Profile = Annotated[str | None, typer.Option(help="The profile of the AWS configuration.")]
Prefix = Annotated[str, typer.Option("--table-prefix", help="What stands before the declared names: staging-.")]


class Format(StrEnum):
    """What a db is exported to."""

    CLOUDFORMATION = "cloudformation"
    TERRAFORM = "terraform"
    WORKBENCH = "workbench"


@app.command()
def describe(db: Db) -> None:
    """Show the tables, keys, indexes, item types and access patterns."""
    _console().print(describe_tables(outline(_load(db))))


@app.command()
def diagram(
    db: Db,
    *,
    output: Output = None,
    mermaid: Annotated[bool, typer.Option("--mermaid", help="A Mermaid flow chart, not an HTML page.")] = False,
) -> None:
    """Draw the tables and indexes with sample rows, as one HTML page, or as a Mermaid flow chart."""
    tables = outline(_load(db))
    _write(mermaid_of(tables) if mermaid else page(_name(db), tables), output)


@app.command()
def check(
    db: Db,
    *,
    laws: Annotated[bool, typer.Option(help="Check the laws of the declared keys, with drawn items.")] = True,
    live: Annotated[bool, typer.Option(help="Compare with the live tables.")] = True,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: Profile = None,
    table_prefix: Prefix = "",
) -> None:
    """Check the declarations, and compare them with live tables. The exit status is 1 if anything is found."""
    loaded = _load(db)
    broken = laws and _check_laws(loaded)
    different = live and _compare(loaded, _transport(endpoint_url, region, profile), table_prefix)
    raise typer.Exit(int(broken or different))


@app.command()
def create_tables(
    db: Db,
    endpoint_url: Endpoint = None,
    region: Region = None,
    profile: Profile = None,
    table_prefix: Prefix = "",
) -> None:
    """Make the tables as declared; those that exist are left as they are."""
    declared = _declared(_load(db), table_prefix)
    transport = _transport(endpoint_url, region, profile)
    made = _answered(lambda: run(create_tables_flow(declared), transport))
    for name, _, _ in declared:
        typer.echo(f"{name}: {'created' if name in made else 'is there already'}")


@app.command()
def export(
    format: Annotated[Format, typer.Argument(help="What to export to.")],  # noqa: A002 - the name that help shows
    db: Db,
    output: Output = None,
) -> None:
    """Export the tables to CloudFormation, Terraform or NoSQL Workbench."""
    tables = outline(_load(db))
    if format is Format.CLOUDFORMATION:
        text = cloudformation(_name(db), tables)
    elif format is Format.TERRAFORM:
        text = terraform(tables)
    else:
        text = workbench(_name(db), tables, datetime.now(UTC))
    _write(text, output)


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDE
    return console


def _fail(problem: object) -> NoReturn:
    """End with the exit status of a command that could not be done."""
    typer.echo(str(problem), err=True)
    raise typer.Exit(2)


def _load(db: str) -> DbType:
    try:
        return load_db(db)
    except NoDb as problem:
        _fail(problem)


def _name(db: str) -> str:
    return db.rpartition(":")[2]


def _write(text: str, output: Path | None) -> None:
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as problem:
        _fail(f"{output}: {problem.strerror}")


def _declared(db: DbType, prefix: str) -> list[tuple[str, RawDeclaration, tuple[str, ...]]]:
    return [(prefix + table.table_name, table.raw, table.declaration.ttl_attributes) for table in outline(db)]


def _transport(endpoint_url: str | None, region: str | None, profile: str | None) -> BotoTransport:
    # Imported here, because most commands need no client, and boto3 takes longer to import than they take.
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    try:
        session: Any = boto3.Session(profile_name=profile, region_name=region)
        return BotoTransport(session.client("dynamodb", endpoint_url=endpoint_url))
    except (BotoCoreError, ValueError) as problem:
        _fail(problem)


def _answered(call: Any) -> Any:
    """What a call of the service gives; its errors end the command."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        return call()
    except (BotoCoreError, ClientError, LogicalDbError) as problem:
        _fail(problem)


def _check_laws(db: DbType) -> bool:
    """Check the laws of each table; return whether one is broken."""
    try:
        # Here, because hypothesis takes longer to import than any other command.
        check_table: Any = import_module("logicaldb.testing.laws").check_table
    except ImportError as missing:
        _fail(f"{missing}; or leave the laws out: --no-laws")
    broken = False
    for table_type, _ in db.__logicaldb_tables__.values():
        try:
            check_table(table_type)
        except AssertionError as law:
            broken = True
            typer.echo(f"{table_type.__name__}: {law}")
        except Exception as unknown:  # noqa: BLE001 - nothing is known of the values of a field, or hypothesis finds none
            problem = " ".join(str(unknown).split())
            _fail(f"{table_type.__name__}: its laws cannot be checked, so leave them out (--no-laws): {problem}")
        else:
            typer.echo(f"{table_type.__name__}: the laws of its keys hold")
    return broken


def _compare(db: DbType, transport: BotoTransport, prefix: str) -> bool:
    """Compare with the live tables; return whether something differs."""
    declared = _declared(db, prefix)
    found = _answered(lambda: run(differences(declared), transport))
    if not found:
        typer.echo(f"{', '.join(name for name, _, _ in declared)}: as declared")
        return False
    grid = Table("table", "what", "declared", "found", title="Differences", title_justify="left")
    for one in found:
        grid.add_row(one.table, one.what, one.declared, one.found)
    _console().print(grid)
    return True
