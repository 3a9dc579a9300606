"""What of a client's settings connections of our own cannot honour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from logicaldb.transport.clients import check_client
from logicaldb.transport.tls import verification_of

_RETRY_MODES: Final = ("legacy", "standard")


def obstacles(client: Any) -> Iterator[str]:
    """Name the settings of a client that only botocore's own connections and retries honour.

    Args:
        client: a DynamoDB client of botocore.
    """
    # Imported here, because `import logicaldb` must not cost the import of botocore.
    from botocore import UNSIGNED  # noqa: PLC0415

    config = client.meta.config
    mode = config.retries["mode"]
    if mode not in _RETRY_MODES:
        yield f"the retry mode {mode!r}"
    if config.signature_version is UNSIGNED:
        yield "requests that are not signed"
    elif config.signature_version != "v4":
        yield f"the signature version {config.signature_version!r}"
    if config.client_cert is not None:
        yield "a client certificate"
    if proxied(client):
        yield "a proxy"


def proxied(client: Any) -> bool:
    """Whether the requests of a client go through a proxy, of its config or of the environment."""
    # Imported here, because `import logicaldb` must not cost the import of botocore.
    from botocore.utils import get_environ_proxies  # noqa: PLC0415

    url: str = client.meta.endpoint_url
    proxies = client.meta.config.proxies
    if proxies is None:
        # Botocore looked when the client was made, and keeps what it found to itself.
        proxies = get_environ_proxies(url)
    return bool(proxies.get(urlsplit(url).scheme))


def check_direct(client: Any, verify: bool | str | None) -> bool | str:
    """Refuse a client whose settings a direct transport cannot honour; give how it verifies certificates.

    Raises:
        TypeError: it is not a boto3 DynamoDB client.
        ValueError: it is set to something that cannot be honoured.
    """
    check_client(client, 'a direct transport needs a boto3 DynamoDB client, boto3.client("dynamodb")')
    found = list(obstacles(client))
    if found:
        raise ValueError(
            f"a direct transport cannot do what this client is set to: {', '.join(found)}; "
            "give the client itself to the db"
        )
    verify = verification_of(client) if verify is None else verify
    if verify is None:
        raise ValueError(
            "it cannot be told how this client verifies certificates; say it: from_client(client, verify=True), "
            "or the path of a file of certificates"
        )
    return verify
