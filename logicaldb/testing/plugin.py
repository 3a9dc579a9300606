"""What the fixtures of the pytest plugin do; the fixtures themselves are in ``_logicaldb_pytest``."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from typing import Any, TypeAlias

import pytest

from logicaldb.testing.dbs import LogicalDbFactory
from logicaldb.testing.emulator import DynamoDbLocalUnavailable
from logicaldb.testing.local import DynamoDbLocal
from logicaldb.testing.moto import in_process_dynamodb

Engine: TypeAlias = Callable[[], AbstractContextManager[Any]]
"""Gives the client of a test."""

_REGION = "us-east-1"


@contextmanager
def start_engine(choice: str) -> Generator[Engine]:
    """Give the DynamoDB that ``--dynamodb`` chooses, and stop it at the end if it was started.

    What stands in the way fails the tests that ask for it, with a message and without a traceback.

    Args:
        choice: ``moto``, ``local`` or a URL.
    """
    if choice == "moto":
        yield _in_process
        return
    with ExitStack() as stack:
        try:
            local = stack.enter_context(DynamoDbLocal(endpoint_url=None if choice == "local" else choice))
        except DynamoDbLocalUnavailable as error:
            raise _failure("=local" if choice == "local" else "", error) from None
        yield partial(_emptied if local.started else _as_it_is, local)


@contextmanager
def dbs_of(client: Any) -> Generator[LogicalDbFactory]:
    """Give the factory of a test, and delete its tables at the end."""
    factory = LogicalDbFactory(client)
    try:
        yield factory
    finally:
        factory.delete_tables()


@contextmanager
def _in_process() -> Generator[Any]:
    with ExitStack() as stack:
        try:
            client = stack.enter_context(in_process_dynamodb(_REGION))
        except ImportError as error:
            raise _failure("=moto", error) from None
        yield client


@contextmanager
def _emptied(local: DynamoDbLocal) -> Generator[Any]:
    """Give a client of a DynamoDB Local that nobody else uses, and delete what the test leaves in it."""
    with closing(local.client()) as client:
        yield client
    # With another client: the test may have closed its own, or let it answer what it likes.
    with closing(local.client()) as client:
        for page in client.get_paginator("list_tables").paginate():
            for name in page["TableNames"]:
                client.delete_table(TableName=name)


def _as_it_is(local: DynamoDbLocal) -> AbstractContextManager[Any]:
    """Give a client of a DynamoDB Local that others may use too."""
    return closing(local.client())


def _failure(choice: str, error: Exception) -> BaseException:
    """The failure of a test, which pytest shows as its message alone."""
    return pytest.fail.Exception(f"--dynamodb{choice}: {error}", pytrace=False)
