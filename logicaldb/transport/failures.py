"""What botocore says of requests that came to no answer."""

from __future__ import annotations

from logicaldb.transport.connections import Lost, NotConnected


def botocore_error(failure: NotConnected | Lost, url: str) -> Exception:
    """Give the exception that botocore would raise.

    Args:
        failure: what came instead of an answer.
        url: where the request was to go.
    """
    # Imported here, because `import logicaldb` must cost neither the import of botocore nor that of OpenSSL.
    from ssl import SSLError as TlsError  # noqa: PLC0415

    from botocore.exceptions import (  # noqa: PLC0415
        ConnectionClosedError,
        ConnectTimeoutError,
        EndpointConnectionError,
        ReadTimeoutError,
        SSLError,
    )

    cause = failure.error
    connected = isinstance(failure, Lost)
    error: Exception
    if isinstance(cause, TimeoutError):
        error = (ReadTimeoutError if connected else ConnectTimeoutError)(endpoint_url=url, error=cause)
    elif isinstance(cause, TlsError):
        error = SSLError(endpoint_url=url, error=cause)
    elif connected:
        error = ConnectionClosedError(endpoint_url=url, error=cause, request=None)
    else:
        error = EndpointConnectionError(endpoint_url=url, error=cause)
    error.__cause__ = cause
    return error
