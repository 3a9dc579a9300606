"""DynamoDB in the process, by moto."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from typing import Any
from unittest.mock import patch

from logicaldb.testing.clients import make_test_client
from logicaldb.testing.tokens import IdempotencyTokens, TokenMismatch


@contextmanager
def in_process_dynamodb(region: str = "us-east-1") -> Generator[Any]:
    """Give a boto3 client of an in-process DynamoDB, which is empty at first and gone at the end.

    It is moto, which takes much that DynamoDB refuses: good for examples and for quick tests; use ``DynamoDbLocal`` for
    what must be right. Nothing reaches the network, and no credentials are needed. Inside a ``mock_aws`` of the
    caller's it is the same DynamoDB as there, and is not emptied.

    Any number of threads may use the client, and make clients of their own: moto has no locks, so meanwhile its
    requests are answered one at a time. moto looks at no idempotency token; meanwhile a ``TransactWriteItems`` takes
    effect once for its token within 10 minutes, as it does in DynamoDB. And moto takes 25 items in ``TransactGetItems``
    where DynamoDB takes 100; meanwhile its own limit is set to 100.

    Args:
        region: the AWS region of the client.

    Raises:
        ImportError: moto is not installed.
    """
    try:
        # Imported here, because moto is an extra; and of it the part for DynamoDB has requirements of its own.
        from moto import mock_aws  # noqa: PLC0415
        from moto.core.exceptions import JsonRESTError  # noqa: PLC0415
        from moto.dynamodb import responses  # noqa: PLC0415
    except ImportError as error:
        raise ImportError('in_process_dynamodb needs moto: pip install "logicaldb[testing]"') from error
    # moto makes sessions of its own, which fail where the user's profile is not there (it is never needed).
    profile = {name: os.environ.pop(name) for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE") if name in os.environ}
    handler = responses.DynamoHandler
    try:
        with (
            mock_aws(),
            # All that moto does for a request to DynamoDB, from its parameters to the body of the answer.
            patch.object(handler, "call_action", _one_at_a_time(handler.call_action)),
            patch.object(
                handler, "transact_write_items", _once_for_its_token(handler.transact_write_items, JsonRESTError)
            ),
            # DynamoDB's own limit: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
            # With `create`, because a moto that has no such limit any more is as good.
            patch.object(responses, "TRANSACTION_MAX_ITEMS", 100, create=True),
        ):
            yield make_test_client(f"https://dynamodb.{region}.amazonaws.com", region)
    finally:
        os.environ.update(profile)


def _one_at_a_time(answer: Callable[[Any], Any]) -> Callable[[Any], Any]:
    lock = RLock()  # not a Lock: a request may lead moto to another one, in the same thread

    @wraps(answer)
    def locked(handler: Any) -> Any:
        with lock:
            return answer(handler)

    return locked


def _once_for_its_token(
    write: Callable[[Any], Any], make_error: Callable[[str, str], Exception]
) -> Callable[[Any], Any]:
    tokens = IdempotencyTokens()

    @wraps(write)
    def write_once(handler: Any) -> Any:
        token = handler.params.get("ClientRequestToken")
        if token is None:
            return write(handler)
        scope = (handler.current_account, handler.region, token)
        try:
            return tokens.once(scope, handler.params["TransactItems"], lambda: write(handler))
        except TokenMismatch:
            raise make_error(
                "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException",
                "The idempotency token was used with other parameters within the last 10 minutes",
            ) from None

    return write_once
