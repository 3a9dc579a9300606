"""Clients for engines that are not the real service."""

from __future__ import annotations

import os
from typing import Any

import botocore.session
from boto3.session import Session
from botocore.config import Config


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
    botocore_session = botocore.session.Session(
        session_vars={"profile": nothing, "config_file": no_file, "credentials_file": no_file}
    )
    session = Session(
        # DynamoDB Local refuses access keys with anything but letters and digits.
        aws_access_key_id="logicaldb",
        aws_secret_access_key="logicaldb",  # noqa: S106 - not a secret: no engine checks it
        region_name=region,
        botocore_session=botocore_session,
    )
    settings = Config(proxies={}, use_fips_endpoint=False, use_dualstack_endpoint=False).merge(Config(**config))
    return session.client("dynamodb", endpoint_url=endpoint_url, config=settings)
