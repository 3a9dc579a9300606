"""Clients for engines that are not the real service."""

from __future__ import annotations

import os
from contextlib import closing
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.loaders import create_loader
from botocore.session import Session

from logicaldb.testing.emulator import DynamoDbLocalUnavailable


def make_test_client(endpoint_url: str, region: str, **config: Any) -> Any:
    """Make a DynamoDB client that can only ever talk to ``endpoint_url``.

    Its credentials are made up, and of the user's configuration (profiles, endpoints, proxies) it reads nothing.

    Args:
        endpoint_url: where the engine listens.
        region: the AWS region the client is for.
        config: settings of ``botocore.config.Config``.
    """
    nothing = (None, None, None, None)
    no_file = (None, None, os.devnull, None)
    session = Session(session_vars={"profile": nothing, "config_file": no_file, "credentials_file": no_file})
    session.register_component("data_loader", _service_descriptions())
    settings = Config(proxies={}, use_fips_endpoint=False, use_dualstack_endpoint=False)
    return session.create_client(
        "dynamodb",
        region,
        endpoint_url=endpoint_url,
        # DynamoDB Local refuses access keys with anything but letters and digits.
        aws_access_key_id="logicaldb",
        aws_secret_access_key="logicaldb",  # noqa: S106 - not a secret: no engine checks it
        config=settings.merge(Config(**config)),
    )


def check_endpoint(url: str, region: str, *, told_by: str = "") -> None:
    """Fail at once where no DynamoDB answers; a test would wait for the retries of its client.

    Args:
        url: where it is to answer.
        region: the AWS region of the client that asks.
        told_by: who named the address, for the message.

    Raises:
        DynamoDbLocalUnavailable: none answers, or it refuses made-up credentials.
    """
    try:
        client = make_test_client(url, region, connect_timeout=10, read_timeout=10, retries={"total_max_attempts": 1})
        with closing(client):
            answer = client.list_tables(Limit=1)
    except (BotoCoreError, ClientError, ValueError) as error:  # ValueError: it is no address
        raise DynamoDbLocalUnavailable(f"the DynamoDB at {url}{told_by} cannot be used: {error}") from error
    if "TableNames" not in answer:
        raise DynamoDbLocalUnavailable(f"what answers at {url}{told_by} is not DynamoDB")


@cache
def _service_descriptions() -> Any:
    """Botocore's descriptions of the services: tests make many clients, and reading them is half of the cost of one."""
    return create_loader()
