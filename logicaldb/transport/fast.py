"""First attempts that botocore does not send: the fast road of a boto3 client.

Botocore makes a request of the call, with its endpoint and its headers, and asks the handlers of ``before-call`` for an
answer. Here it is signed with what botocore's own signer gives, shown to ``before-send``, and sent on a connection of our
own. What comes back is the answer of the call, or an error for botocore to raise. Whatever is worth another attempt is
left to botocore: it then signs, sends and retries as it always does, and counts the attempt that was made here.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from logicaldb.transport.answers import ErrorReader, damage
from logicaldb.transport.attempts import count_attempts
from logicaldb.transport.connections import Connections, Lost, NotConnected
from logicaldb.transport.endpoints import Address, address_of
from logicaldb.transport.failures import botocore_error
from logicaldb.transport.hooks import offer
from logicaldb.transport.http1 import Answer
from logicaldb.transport.obstacles import obstacles
from logicaldb.transport.retries import Setback
from logicaldb.transport.shown import received, unsigned
from logicaldb.transport.signing import Head, Signer, prepare_head
from logicaldb.transport.tls import tls_context

if TYPE_CHECKING:
    import ssl

    from logicaldb.transport.calls import Call

_HEADS: Final = 256
_LONGEST_PAUSE: Final = 0.05
"""How long an attempt of botocore follows at most on one that the service could not answer; botocore waits longer later."""

_SIGNING: Final = frozenset({"region", "signing_name", "disableDoubleEncoding"})
"""What an endpoint may say of its signatures."""


def fast_road(client: Any) -> FastRoad | None:
    """The fast road of a client; ``None`` where it is set to something that botocore alone does."""
    return FastRoad(client) if next(obstacles(client), None) is None else None


class Endpoint:
    """One endpoint of a client.

    Whom a client trusts cannot be read from it. So over TLS the first request to an endpoint is botocore's. Only after
    it was answered are connections made here, for which those of ``AWS_CA_BUNDLE`` or of certifi are trusted; where that
    does not do, everything is left to botocore.

    Attributes:
        address: where it is.
        connections: our connections to it.
        is_known: whether a request to it was answered, be it by a hook.
        is_trusted: whether our connections may be used.
        is_closed: whether everything is left to botocore.
    """

    __slots__ = ("address", "connections", "is_closed", "is_known", "is_trusted")

    def __init__(self, address: Address, config: Any) -> None:
        is_tls = address.scheme == "https"
        self.address = address
        self.connections = Connections(
            address.host,
            address.port,
            connect_timeout=config.connect_timeout,
            read_timeout=config.read_timeout,
            max_idle=config.max_pool_connections,
            tls=_tls_context if is_tls else None,
        )
        self.is_known = self.is_trusted = not is_tls
        self.is_closed = False

    def answered(self, http: Any) -> None:
        """Botocore got an answer from it, or from a hook in its place."""
        self.is_known = True
        self.is_trusted = type(http.raw).__module__.partition(".")[0] == "urllib3"


def _tls_context() -> ssl.SSLContext:
    return tls_context(os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE") or True)


@dataclass(frozen=True, slots=True)
class _Way:
    """How a request goes that has a certain URL and certain headers."""

    endpoint: Endpoint
    head: Head


class FastRoad:
    """Sends the first attempts of a client's requests; threads share it.

    Args:
        client: a boto3 DynamoDB client.
    """

    __slots__ = ("_config", "_endpoints", "_errors", "_events", "_only_attempt", "_signer", "_ways")

    def __init__(self, client: Any) -> None:
        self._config = client.meta.config
        self._events = client.meta.events
        self._errors = ErrorReader(client)
        self._signer = Signer()
        self._only_attempt = self._config.retries.get("total_max_attempts") == 1
        self._endpoints: dict[tuple[str, str, int], Endpoint] = {}
        self._ways: dict[tuple[Any, ...], _Way | None] = {}

    def attempt(
        self, call: Call, request: dict[str, Any], model: Any, request_signer: Any, context: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]] | None:
        """Make the first attempt of a call.

        Args:
            call: the call.
            request: the request, as botocore made it.
            model: botocore's model of the operation.
            request_signer: the signer of the client.
            context: the context of the call.

        Returns:
            The answer and what botocore would make of it, for botocore to go on with; ``None`` where it is to send the
            request itself.

        Raises:
            botocore.exceptions.BotoCoreError: the request was sent, no answer came, and it must not be sent again.
            Exception: whatever a hook raises.
        """
        way = self._way(request)
        if way is None or way.endpoint.is_closed:
            return None
        if not way.endpoint.is_known:
            call.asks = way.endpoint
            return None
        operation: str = model.name
        signed = self._sign(way, request, operation, request_signer, context)
        if signed is None:
            return None
        url: str = request["url"]
        count_attempts(1)
        try:
            answer: Answer | bytes | None = offer(self._events, operation, url, signed, request["body"])
            if isinstance(answer, bytes):
                answer = self._exchange(call, way.endpoint, answer)
        except NotConnected as failure:
            self._not_connected(call, way.endpoint, botocore_error(failure, url), operation, context)
        except Lost as failure:
            self._failed(call, botocore_error(failure, url), operation, context)
        except Exception as error:  # noqa: BLE001 - of a hook; botocore takes it for the outcome of the attempt
            self._failed(call, error, operation, context)
        else:
            return None if answer is None else self._received(call, answer, url, operation, context)
        return None

    @staticmethod
    def _exchange(call: Call, endpoint: Endpoint, request: bytes) -> Answer | None:
        """Send a request, if its endpoint may be asked."""
        if endpoint.is_trusted:
            return endpoint.connections.exchange(request)
        call.asks = endpoint
        return None

    def _way(self, request: dict[str, Any]) -> _Way | None:
        headers = tuple(request["headers"].items())
        key = (request["url"], headers)
        try:
            return self._ways[key]
        except KeyError:
            pass
        way = self._find_way(request, headers)
        if len(self._ways) >= _HEADS:
            self._ways.clear()
        self._ways[key] = way
        return way

    def _find_way(self, request: dict[str, Any], headers: tuple[tuple[str, str], ...]) -> _Way | None:
        address = address_of(request["url"])
        if address is None or request["method"] != "POST" or request["query_string"]:
            return None
        try:
            head = _head(address, headers)
        except ValueError:
            return None
        endpoint = self._endpoints.setdefault(
            (address.scheme, address.host, address.port), Endpoint(address, self._config)
        )
        return _Way(endpoint, head)

    def _sign(
        self, way: _Way, request: dict[str, Any], operation: str, request_signer: Any, context: dict[str, Any]
    ) -> bytes | None:
        """Sign a request; ``None`` where it is to be signed in another way than ours, or sent in another."""
        body: bytes = request["body"]
        head = way.head
        signing: dict[str, Any] = context.get("signing") or {}
        version = context.get("auth_type") or request_signer.signature_version
        region = signing.get("region") or request_signer.region_name
        service = signing.get("signing_name") or request_signer.signing_name
        _, chosen = self._events.emit_until_response(
            f"choose-signer.dynamodb.{operation}",
            signing_name=service,
            region_name=region,
            signature_version=version,
            context=context,
        )
        if (
            (chosen or version) != "v4"
            or not _SIGNING.issuperset(signing)
            or context.get("unsigned_payload")
            or context.get("discovery") is not None
            or context.get("read_timeout") is not None
        ):
            return None
        shown = unsigned(request)
        self._events.emit(
            f"before-sign.dynamodb.{operation}",
            request=shown,
            signing_name=request_signer.signing_name,
            region_name=request_signer.region_name,
            signature_version="v4",
            request_signer=request_signer,
            operation_name=operation,
        )
        credentials = request_signer.get_auth_instance(
            signing_name=service, region_name=region, signature_version="v4"
        ).credentials
        if credentials is None:
            return None
        try:
            if shown.is_another:
                return None
            if shown.is_seen:
                head = _head(way.endpoint.address, tuple(shown.headers.items()))
            return self._signer.request(head, body, credentials, region, service)
        except ValueError:
            return None

    def _received(
        self, call: Call, answer: Answer, url: str, operation: str, context: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]] | None:
        damaged = damage(answer.headers.get("x-amz-crc32"), answer.body)
        if damaged is not None:
            try:
                self._failed(call, damaged, operation, context)
            finally:
                # An exception holds its frames, and so must not be held by them.
                del damaged
            return None
        http = received(url, answer)
        if answer.status < 300:
            call.answer = answer.body
            return http, {
                "ResponseMetadata": {
                    "RequestId": answer.headers.get("x-amzn-requestid", ""),
                    "HTTPStatusCode": answer.status,
                    "HTTPHeaders": answer.headers,
                    "RetryAttempts": 0,
                }
            }
        refusal = self._errors.read(operation, answer.status, answer.headers, answer.body)
        metadata = refusal.parsed.setdefault("ResponseMetadata", {})
        metadata["RetryAttempts"] = 0
        retryable = Setback(refusal.code, answer.status).retryable
        call.ambiguous = call.ambiguous or answer.status >= 500
        if retryable and not self._only_attempt and (call.repeatable or answer.status < 500):
            call.earlier_attempts = 1
            time.sleep(random.random() * _LONGEST_PAUSE)  # noqa: S311 - nothing secret
            return None
        if retryable and self._only_attempt:
            metadata["MaxAttemptsReached"] = True
        call.error = answer.body
        return http, refusal.parsed

    def _not_connected(
        self, call: Call, endpoint: Endpoint, error: Exception, operation: str, context: dict[str, Any]
    ) -> None:
        # Imported here, because `import logicaldb` must cost neither the import of botocore nor that of OpenSSL.
        from ssl import SSLCertVerificationError  # noqa: PLC0415

        from botocore.exceptions import ConnectTimeoutError  # noqa: PLC0415

        if isinstance(error, ConnectTimeoutError):
            self._failed(call, error, operation, context)
        elif isinstance(error.__cause__, SSLCertVerificationError):
            endpoint.is_closed = True

    def _failed(self, call: Call, error: Exception, operation: str, context: dict[str, Any]) -> None:
        """Leave what came to no answer to botocore, if it may be sent again.

        Raises:
            Exception: it may not.
        """
        # Imported here, because `import logicaldb` must not cost the import of botocore.
        from botocore.exceptions import ChecksumError, HTTPClientError  # noqa: PLC0415
        from botocore.exceptions import ConnectionError as NoConnection  # noqa: PLC0415

        sent = isinstance(error, ChecksumError) or call.may_have_been_sent(error)
        call.ambiguous = call.ambiguous or sent
        again = isinstance(error, ChecksumError | HTTPClientError | NoConnection)
        if again and not self._only_attempt and (call.repeatable or not sent):
            call.earlier_attempts = 1
            return
        try:
            self._events.emit(f"after-call-error.dynamodb.{operation}", exception=error, context=context)
            raise error
        finally:
            # An exception holds its frames, and so must not be held by them.
            del error


def _head(address: Address, headers: Sequence[tuple[str, str]]) -> Head:
    """Prepare the head of requests with these headers.

    Raises:
        ValueError: they cannot be sent in our way.
    """
    return prepare_head(address.host_header, address.path, [*headers, ("Accept-Encoding", "identity")])
