"""``python -m examples.music.web``."""

from __future__ import annotations

import sys
from importlib import import_module

EXTRA = ("fastapi", "jinja2", "python_multipart", "rich", "typer", "uvicorn")


def main() -> None:
    """Run the command line, or say what it needs."""
    try:
        for name in EXTRA:
            import_module(name)
        from examples.music.web.serving import app  # noqa: PLC0415 - it needs an extra, and may be missing
    except ModuleNotFoundError as error:
        if error.name not in EXTRA:
            raise
        sys.exit(
            f"The music example needs {error.name}, which is not installed. Install the extra: logicaldb[examples]"
        )
    app(prog_name="python -m examples.music.web")


if __name__ == "__main__":
    main()
