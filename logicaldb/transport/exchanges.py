"""What both kinds of direct transport do with a request and with what comes of it; all but sending it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Self

from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.transport.answers import ErrorReader, damage
from logicaldb.transport.attempts import count_attempts
from logicaldb.transport.boto import max_connections, may_have_been_sent
from logicaldb.transport.connections import Lost, NotConnected
from logicaldb.transport.endpoints import Address
from logicaldb.transport.failures import botocore_error
from logicaldb.transport.hooks import offer
from logicaldb.transport.http1 import Answer
from logicaldb.transport.obstacles import check_direct
from logicaldb.transport.retries import Retries, RetryQuota, Setback, max_attempts
from logicaldb.transport.routes import CLIENT_INSTEAD, Route, Routes, address_and_head
from logicaldb.transport.signing import Head, Signer
from logicaldb.transport.tls import tls_context


@dataclass(slots=True, eq=False, repr=False)  # not frozen, for one is made for every request
class Prepared:
    """A request that is ready to be signed.

    Attributes:
        operation: the API operation.
        url: where it goes.
        address: the same, for connections.
        head: its head.
        body: its body.
        region: the region for the signature.
        service: the name of the service for the signature.
    """

    operation: str
    url: str
    address: Address
    head: Head
    body: bytes
    region: str
    service: str


class Exchanges:
    """What the requests of a client have in common.

    Args:
        client: a boto3 DynamoDB client.
    """

    __slots__ = ("_events", "_signer", "errors", "max_attempts", "quota")

    def __init__(self, client: Any) -> None:
        self._events = client.meta.events
        self._signer = Signer()
        self.errors = ErrorReader(client)
        self.max_attempts = max_attempts(client.meta.config.retries)
        self.quota = RetryQuota()

    def prepare(self, route: Route, operation: str, body: bytes, request_signer: Any) -> Prepared:
        """Emit ``before-call``, as botocore does once for a call, and take what a handler changes.

        Raises:
            RuntimeError: a handler answers it: a Stubber, for instance.
        """
        request: dict[str, Any] = {**route.request, "headers": dict(route.request["headers"]), "body": body}
        request["context"] = dict(route.request["context"])
        _, answered = self._events.emit_until_response(
            f"before-call.dynamodb.{operation}",
            model=route.model,
            params=request,
            request_signer=request_signer,
            context=request["context"],
        )
        if answered is not None:
            raise RuntimeError(
                f"the client answers {operation} without sending anything, as a botocore Stubber does, "
                f"and a direct transport would send it; {CLIENT_INSTEAD}"
            )
        if request["context"].get("read_timeout") is not None:
            raise RuntimeError(f"{operation} has a read_timeout of its own, which a direct transport cannot give it")
        url, address, head = route.url, route.address, route.head
        if request["url"] != url or request["headers"] != route.request["headers"]:
            url = request["url"]
            address, head = address_and_head(url, request["headers"])
        return Prepared(operation, url, address, head, request["body"], route.region, route.service)

    def sign(self, prepared: Prepared, credentials: Any) -> Answer | bytes:
        """Sign a request and show it to those who listen to ``before-send``.

        Returns:
            What is to be sent, or the answer of a handler.
        """
        request = self._signer.request(prepared.head, prepared.body, credentials, prepared.region, prepared.service)
        return offer(self._events, prepared.operation, prepared.url, request, prepared.body)


class Direct:
    """What is the same of a transport that blocks and of one that is awaited: all that it takes from a client.

    Args:
        client: a boto3 DynamoDB client.
        verify: how certificates are verified.
    """

    __slots__ = ("_client", "_exchanges", "_routes", "_tls")

    def __init__(self, client: Any, verify: bool | str) -> None:
        self._client = client
        self._exchanges = Exchanges(client)
        self._routes = Routes(client)
        self._tls = cache(partial(tls_context, verify))

    @classmethod
    def from_client(cls, client: Any, *, verify: bool | str | None = None) -> Self:
        """Make one that is set as a client is.

        Args:
            client: a boto3 DynamoDB client.
            verify: how certificates are verified, as ``boto3.client`` takes it; by default as the client does it.

        Raises:
            TypeError: it is not a boto3 DynamoDB client.
            ValueError: the client is set to something that cannot be honoured: adaptive retries, a proxy, a client
                certificate, requests that are not signed.
        """
        return cls(client, check_direct(client, verify))

    @property
    def max_connections(self) -> int:
        """How many requests are worth being under way at once: the size of the client's connection pool."""
        return max_connections(self._client)


class Outcomes:
    """Decides after each attempt of one request: it is answered, or it is sent again, or it has failed.

    The methods give the body of the answer; or how long to wait before the next attempt, in seconds; or what is to be
    raised.

    Args:
        exchanges: what the requests of the client have in common.
        operation: the API operation.
        repeatable: whether the request may be sent again when it cannot be told whether it took effect.
    """

    __slots__ = ("_ambiguous", "_exchanges", "_operation", "_repeatable", "_retries")

    def __init__(self, exchanges: Exchanges, operation: str, *, repeatable: bool) -> None:
        self._exchanges = exchanges
        self._operation = operation
        self._repeatable = repeatable
        self._retries = Retries(exchanges.max_attempts, exchanges.quota)
        self._ambiguous = False

    def answered(self, answer: Answer) -> bytes | float | Exception:
        """An attempt was answered."""
        count_attempts(self._retries.attempts + 1)
        error = damage(answer.headers.get("x-amz-crc32"), answer.body)
        if error is not None:
            pause = self._pause(Setback(status=answer.status, broken=True), ambiguous=True)
            return Unanswered(error) if pause is None else pause
        if answer.status < 300:
            self._retries.succeeded()
            return answer.body
        return self._refused(answer)

    def failed(self, error: Exception, url: str) -> float | Exception:
        """An attempt came to no answer, or a hook raised."""
        # Imported here, because `import logicaldb` must not cost the import of botocore.
        from botocore.exceptions import ConnectionError as NoConnection  # noqa: PLC0415
        from botocore.exceptions import HTTPClientError  # noqa: PLC0415

        count_attempts(self._retries.attempts + 1)
        if isinstance(error, NotConnected | Lost):
            sent = isinstance(error, Lost)
            error = botocore_error(error, url)
        else:
            sent = may_have_been_sent(error)
        pause = self._pause(Setback(broken=isinstance(error, NoConnection | HTTPClientError)), ambiguous=sent)
        if pause is not None:
            return pause
        return Unanswered(error) if self._ambiguous else error

    def _refused(self, answer: Answer) -> float | Exception:
        errors = self._exchanges.errors
        refusal = errors.read(self._operation, answer.status, answer.headers, answer.body)
        setback = Setback(refusal.code, answer.status, retry_after=answer.headers.get("x-amz-retry-after"))
        pause = self._pause(setback, ambiguous=answer.status >= 500)
        if pause is not None:
            return pause
        metadata = refusal.parsed.setdefault("ResponseMetadata", {})
        metadata["RetryAttempts"] = self._retries.attempts - 1
        if self._retries.limit is not None:
            metadata[self._retries.limit] = True
        error = errors.error(self._operation, refusal)
        if answer.status >= 500:
            return Unanswered(error)
        return ServiceFailure(refusal.code, refusal.body, error, ambiguous=self._ambiguous)

    def _pause(self, setback: Setback, *, ambiguous: bool) -> float | None:
        """How long to wait before the next attempt; ``None`` where there is to be none."""
        if ambiguous:
            self._ambiguous = True
            if not self._repeatable:
                self._retries.attempts += 1
                return None
        return self._retries.after(setback)
