"""What the fixtures of the pytest plugin do; the fixtures themselves are in ``_logicaldb_pytest``."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from functools import partial
from typing import Any, TypeAlias

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from logicaldb.testing.clients import make_test_client
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
    with ExitStack() as stack:
        if choice == "moto":
            yield _in_process
        elif choice == "local":
            try:
                local = stack.enter_context(DynamoDbLocal())
            except DynamoDbLocalUnavailable as error:
                raise _failure("local", error) from None
            yield partial(_emptied, local)
        else:
            _check_endpoint(choice)
            yield lambda: closing(make_test_client(choice, _REGION))


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
            raise _failure("moto", error) from None
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


def _check_endpoint(url: str) -> None:
    """Fail at once where no DynamoDB answers; a test would wait for the retries of its client."""
    with closing(
        make_test_client(url, _REGION, connect_timeout=10, read_timeout=10, retries={"total_max_attempts": 1})
    ) as client:
        try:
            client.list_tables(Limit=1)
        except (BotoCoreError, ClientError) as error:
            raise _failure(url, error) from None


def _failure(choice: str, error: Exception) -> BaseException:
    """The failure of a test, which pytest shows as its message alone."""
    return pytest.fail.Exception(f"--dynamodb={choice}: {error}", pytrace=False)
