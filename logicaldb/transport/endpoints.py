"""Where a URL leads, as far as connections of our own can go there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

_PORTS: Final = {"http": 80, "https": 443}
_PLAIN_PATH: Final = r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?"
_HOST: Final = r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+"


@dataclass(frozen=True, slots=True)
class Address:
    """Where requests go.

    Attributes:
        scheme: ``http`` or ``https``.
        host: the name or the address, without brackets.
        port: the port.
        path: the path, which needs no quoting.
        host_header: what ``Host`` says: the port is left out where it is the usual one.
    """

    scheme: str
    host: str
    port: int
    path: str
    host_header: str


def address_of(url: str) -> Address | None:
    """Read a URL; ``None`` where it is more than a scheme, a host, a port and a plain path."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host, usual = parts.hostname, _PORTS.get(parts.scheme)
    plain = re.fullmatch(_PLAIN_PATH, parts.path) and not parts.query and not parts.fragment and "@" not in parts.netloc
    if not host or usual is None or not plain or not re.fullmatch(_HOST, host) or port == 0:
        return None
    written = f"[{host}]" if ":" in host else host
    header = written if port in (None, usual) else f"{written}:{port}"
    return Address(parts.scheme, host, port or usual, parts.path or "/", header)
