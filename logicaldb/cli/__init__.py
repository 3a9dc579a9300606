"""The command line ``logicaldb``: look at what a db declares, compare it with live tables, export it.

Needs ``pip install "logicaldb[cli]"``.
"""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> None:
    """Run the command line."""
    try:
        # Here, because typer and rich come with an extra, and who lacks them is told so.
        app = import_module("logicaldb.cli.app").app
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in {"typer", "rich", "click"}:
            raise
        sys.exit(f'the command line needs {missing.name}: pip install "logicaldb[cli]"')
    app()
