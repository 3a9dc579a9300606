"""TLS as botocore speaks it."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import ssl


def verification_of(client: Any) -> bool | str | None:
    """How a client verifies certificates: whether it does, or by which file; ``None`` where it cannot be told.

    Botocore has no public way to it. It comes from the call that made the client, from the environment or from a profile,
    so that to guess could trust more than the client does.
    """
    try:
        found = attrgetter("_endpoint.http_session._verify")(client)
    except AttributeError:
        return None
    return found if isinstance(found, bool | str) else None


def tls_context(verify: bool | str) -> ssl.SSLContext:
    """Make a context as botocore makes it.

    Args:
        verify: whether certificates are verified, and by which file of certificates, where not by botocore's own.
    """
    # Imported here, because `import logicaldb` must cost neither the import of botocore nor that of OpenSSL.
    import ssl  # noqa: PLC0415

    from botocore.httpsession import create_urllib3_context, get_cert_path  # noqa: PLC0415

    context = cast("ssl.SSLContext", create_urllib3_context())
    if verify:
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
        certificates: Any = get_cert_path(cast("Any", verify))  # its stub knows of no path
        context.load_verify_locations(certificates)
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context
