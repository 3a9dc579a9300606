"""Requests through a boto3 client, as the user made it."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache
from typing import Any

from logicaldb.transport.calls import Call, call_of, current, register_handlers, register_road
from logicaldb.transport.clients import check_client
from logicaldb.transport.fast import fast_road
from logicaldb.transport.remaking import settings_of


def make_client() -> Any:
    """Make a DynamoDB client for those who give none: configured as ``boto3.client("dynamodb")``, but lean.

    It does not validate parameters, which are ours, and its user agent is a fixed text instead of one that is put
    together twice for each request.
    """
    # Imported here, because `import logicaldb` must not cost the import of boto3 (twice its own) before it is needed.
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    user_agent = (
        f"Boto3/{boto3.__version__} ua/2.1 os/{platform.system().lower()} "
        f"lang/python#{platform.python_version()} lib/logicaldb"
    )
    return boto3.client("dynamodb", config=Config(parameter_validation=False, user_agent=user_agent))


def max_connections(client: Any) -> int:
    """Give how many requests a client can have under way at once: the size of its connection pool."""
    connections: int = client.meta.config.max_pool_connections
    return connections


class BotoTransport:
    """Sends requests through a boto3 DynamoDB client.

    Any number of transports and threads may share a client, and so may calls that are not ours: they pass untouched.
    What a client answers without sending anything (``botocore.stub.Stubber``, a patched ``_make_api_call``) is taken as
    the answer too.

    Args:
        client: the client.
        fast: whether first attempts are sent on connections of our own, where the client is set to nothing that botocore
            alone does.

    Raises:
        TypeError: what is given is not a boto3 DynamoDB client.
    """

    __slots__ = ("_client", "_road")

    def __init__(self, client: Any, *, fast: bool = True) -> None:
        check_client(client, 'a boto3 DynamoDB client is needed, boto3.client("dynamodb")')
        register_handlers(client, _examine)
        self._client = client
        self._road = fast_road(client) if fast else None
        if self._road is not None:
            register_road(client)

    def __reduce__(self) -> tuple[Any, ...]:
        """As how to make one like it: a client belongs to its process."""
        return (remade, (settings_of(self._client), self._road is not None))

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer.

        Raises:
            ServiceFailure: the service answered with an error, and botocore's retries did not help.
            Unanswered: it was sent, and no answer tells what came of it; one that is not repeatable was not sent again.
            botocore.exceptions.BotoCoreError: nothing could be sent; unchanged.
        """
        call = Call(
            self._client,
            operation,
            table,
            body,
            repeatable=repeatable,
            may_have_been_sent=may_have_been_sent,
            road=self._road,
        )
        token = current.set(call)
        try:
            parsed: dict[str, Any] = call.method(**call.parameters)
        except Exception as error:
            failure = call.failure(error)
            if failure is None:
                raise
        else:
            return call.answered(parsed)
        finally:
            current.reset(token)
        # Here and not in the handler above, so that the error does not become the context of the failure that holds it.
        try:
            raise failure
        finally:
            del failure


@cache
def remade(make: Callable[[], Any], fast: bool) -> BotoTransport:
    """The transport of a client that a function makes, one in each process, however often it is sent there."""
    return BotoTransport(make(), fast=fast)


def _examine(response: tuple[Any, dict[str, Any]] | None, request_dict: dict[str, Any], **event: Any) -> None:
    call = call_of(request_dict)
    if call is None:
        return
    content = b"" if response is None else response[0].content
    call.examine(
        response,
        content,
        event["caught_exception"],
        event["operation"],
        attempts=event["attempts"],
        context=request_dict["context"],
    )


def may_have_been_sent(error: Exception) -> bool:
    """Whether a request may have reached the service although this came of it."""
    # Imported here, because `import logicaldb` must cost neither the import of botocore nor that of OpenSSL.
    from ssl import SSLCertVerificationError  # noqa: PLC0415

    from botocore.exceptions import HTTPClientError, SSLError  # noqa: PLC0415

    if isinstance(error, SSLError):
        # TLS may fail at any time, but certificates are verified before anything is sent: by OpenSSL, which may be told
        # at once or by urllib3, or by urllib3 itself, which compares the name of the host.
        cause: Any = error.kwargs.get("error")
        told = next(iter(getattr(cause, "args", ())), None)
        verified = isinstance(cause, SSLCertVerificationError) or isinstance(told, SSLCertVerificationError)
        return not (verified or type(told).__name__ == "CertificateError")
    # Errors in making a connection are none of these.
    return isinstance(error, HTTPClientError)
