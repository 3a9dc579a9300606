"""DynamoDB in the process, by moto."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from logicaldb.testing.clients import make_test_client


@contextmanager
def in_process_dynamodb(region: str = "us-east-1") -> Generator[Any]:
    """Give a boto3 client of an in-process DynamoDB, which is empty at first and gone at the end.

    It is moto: good for examples and for tests of one thread. It has no locks, and takes much that DynamoDB refuses; use
    ``DynamoDbLocal`` for what must be right. Nothing reaches the network, and no credentials are needed. Inside a
    ``mock_aws`` of the caller's it is the same DynamoDB as there, and is not emptied.

    moto takes 25 items in ``TransactGetItems`` where DynamoDB takes 100; meanwhile its own limit is set to 100.

    Args:
        region: the AWS region of the client.

    Raises:
        ImportError: moto is not installed.
    """
    try:
        # Imported here, because moto is an extra; and of it the part for DynamoDB has requirements of its own.
        from moto import mock_aws  # noqa: PLC0415
        from moto.dynamodb import responses  # noqa: PLC0415
    except ImportError as error:
        raise ImportError('in_process_dynamodb needs moto: pip install "logicaldb[testing]"') from error
    # moto makes sessions of its own, which fail where the user's profile is not there (it is never needed).
    profile = {name: os.environ.pop(name) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in os.environ}
    # DynamoDB's own limit: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
    # With `create`, because a moto that has no such limit any more is as good.
    try:
        with mock_aws(), patch.object(responses, "TRANSACTION_MAX_ITEMS", 100, create=True):
            yield make_test_client(f"https://dynamodb.{region}.amazonaws.com", region)
    finally:
        os.environ.update(profile)
