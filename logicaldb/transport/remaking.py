"""Clients for other processes: they are sent there not as they are, but as how to make them."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pickle import PicklingError
from typing import Any, Final

_OPTIONS: Final = (
    "connect_timeout",
    "max_pool_connections",
    "parameter_validation",
    "read_timeout",
    "retries",
    "tcp_keepalive",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
)
"""What of a client's configuration goes with it."""


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Makes a client like another, with the credentials that boto3 finds where it is made.

    Attributes:
        region: the region.
        endpoint: the endpoint.
        options: the configuration, as JSON text.
    """

    region: str
    endpoint: str
    options: str

    def __call__(self) -> Any:
        # Imported here, because `import logicaldb` must not cost the import of boto3 before it is needed.
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        options: dict[str, Any] = {"region_name": self.region, "config": Config(**json.loads(self.options))}
        client: Any = boto3.client("dynamodb", **options)
        # One that was not given by hand is left to botocore, which knows more about it (endpoints of accounts).
        return client if client.meta.endpoint_url == self.endpoint else self._elsewhere(client, options)

    def _elsewhere(self, client: Any, options: dict[str, Any]) -> Any:
        import boto3  # noqa: PLC0415 - as above

        client.close()
        return boto3.client("dynamodb", endpoint_url=self.endpoint, **options)


def settings_of(client: Any) -> ClientSettings:
    """The settings of a client, its credentials aside.

    Raises:
        PicklingError: a client made of them would not be one like it.
    """
    config = client.meta.config
    if why := _what_stays(client, config):
        raise not_sent("the client", why)
    options = {name: value for name in _OPTIONS if (value := getattr(config, name, None)) is not None}
    return ClientSettings(client.meta.region_name, client.meta.endpoint_url, json.dumps(options, sort_keys=True))


def not_sent(what: str, why: str) -> PicklingError:
    """The error of what cannot be sent to another process."""
    return PicklingError(
        f"{what} cannot be sent to another process: {why}; give the db a function that makes one, MusicDb(make_client), "
        "which is called there too"
    )


def _what_stays(client: Any, config: Any) -> str | None:
    """What of a client cannot be had in another process; ``None`` where there is nothing."""
    moto = sys.modules.get("moto.core.models")
    if moto is not None and moto.botocore_stubber.enabled:
        return "it is answered by moto, inside of this one alone"
    if config.proxies or config.client_cert:
        return "it is set to proxies or to a client certificate, which may hold secrets"
    # There is no public way to ask a client where its credentials are from.
    credentials = getattr(getattr(client, "_request_signer", None), "_credentials", None)
    if getattr(credentials, "method", None) == "explicit":
        return "it has credentials that were given by hand, and secrets are not pickled"
    return None
