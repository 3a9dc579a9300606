"""What the tests of the code and of the pages share: nothing reaches the real service, and the pages run.

Every Python code block of README.md and docs/*.md is a test: a page runs from top to bottom in one namespace, on an
in-process DynamoDB of its own that is empty at first.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from sybil import Document, Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from logicaldb.testing import in_process_dynamodb

_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


def pytest_configure() -> None:
    """Put made-up credentials in the place of whatever the developer has."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(_ENVIRONMENT)


class Page(Document):
    """A page whose namespace is that of a module, so that annotations resolve as they do in a reader's own file."""

    def __init__(self, text: str, path: str) -> None:
        super().__init__(text, path)
        module = ModuleType(f"page_{Path(path).stem}".replace("-", "_"))
        sys.modules[module.__name__] = module
        self.namespace = module.__dict__


_page_resources = ExitStack()


def _start_page(_namespace: dict[str, Any]) -> None:
    _page_resources.enter_context(in_process_dynamodb("eu-central-1"))


def _stop_page(_namespace: dict[str, Any]) -> None:
    _page_resources.close()


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser()],
    patterns=["README.md", "docs/*.md"],
    document_types={".md": Page},
    setup=_start_page,
    teardown=_stop_page,
).pytest()
