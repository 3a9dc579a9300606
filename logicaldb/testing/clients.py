"""Clients for engines that are not the real service."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.loaders import create_loader
from botocore.session import Session


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


@cache
def _service_descriptions() -> Any:
    """Botocore's descriptions of the services: tests make many clients, and reading them is half of the cost of one."""
    return create_loader()
