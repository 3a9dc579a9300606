"""Certificates for tests of TLS on loopback."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """What a server and its clients need.

    Attributes:
        server: the context of a server whose certificate names ``localhost`` alone.
        bundle: whom a client has to trust for it.
        other_bundle: somebody else.
    """

    server: ssl.SSLContext
    bundle: Path
    other_bundle: Path


def make_certificates(folder: Path) -> Certificates:
    """Make certificates that sign themselves, with OpenSSL's command."""
    for name in ("own", "other"):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", f"/CN={name}"]
        command += [
            "-addext",
            "subjectAltName=DNS:localhost",
            "-addext",
            "keyUsage=critical,digitalSignature,keyCertSign",
        ]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem", folder / "own.key")
    return Certificates(context, folder / "own.pem", folder / "other.pem")
