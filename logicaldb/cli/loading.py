"""Finding the db class that a command names: ``examples.music.models:MusicDb``."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from logicaldb.db_base import DbBase
from logicaldb.errors import DeclarationError

DbType: TypeAlias = type[DbBase[Any]]


class NoDb(Exception):
    """There is no such db class; the text says why."""


def load_db(name: str) -> DbType:
    """Import a db class.

    Args:
        name: its module and its name, ``package.module:MusicDb``. Modules of the working directory are found too.

    Raises:
        NoDb: there is no such module or class, it is no db, or what it declares is wrong.
    """
    module_name, colon, class_name = name.partition(":")
    if not (all(part.isidentifier() for part in module_name.split(".")) and colon and class_name):
        raise NoDb(f"{name!r} does not name a db class; write module:MusicDb")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = import_module(module_name)
    except DeclarationError as wrong:
        raise NoDb(f"{module_name} declares something wrong: {wrong}") from wrong
    except (Exception, SystemExit) as problem:
        missing = problem.name if isinstance(problem, ModuleNotFoundError) else None
        # One that is missing inside of the module is not that the user has written it wrongly here.
        if missing is not None and (module_name + ".").startswith(missing + "."):
            raise NoDb(f"there is no module {missing}, neither installed nor in the working directory") from None
        raise NoDb(f"{module_name} cannot be imported: {type(problem).__name__}: {problem}") from problem
    found: Any = module
    for part in class_name.split("."):
        found = getattr(found, part, None)
        if found is None:
            dbs = [one for one, value in vars(module).items() if _is_db(value)]
            known = f"its dbs: {', '.join(dbs)}" if dbs else "it has no db at all"
            raise NoDb(f"{module_name} has no {class_name}; {known}")
    if isinstance(found, type) and issubclass(found, DbBase) and not found.__logicaldb_tables__:
        raise NoDb(f"{name} declares no tables")
    if not _is_db(found):
        raise NoDb(f"{name} is no class derived from LogicalDb or AsyncLogicalDb")
    db: DbType = found
    return db


def _is_db(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, DbBase) and bool(value.__logicaldb_tables__)
