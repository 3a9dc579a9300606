"""Where the requests of a client go and how they are signed: asked of the client itself, once for an operation on a table.

To ask, the client's own method is called; a handler of ``before-call`` ends the call when botocore has resolved the
endpoint (its rules may read the table and the account) and made the headers, and before anything is signed or sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

from logicaldb.transport.clients import CALLS
from logicaldb.transport.endpoints import Address, address_of
from logicaldb.transport.signing import Head, prepare_head


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Route:
    """The way of the requests of one operation on one table.

    Attributes:
        url: where they go.
        address: the same, for connections.
        request: what botocore made of the request, for ``before-call``; its headers and its context are copied from it.
        head: the head that they have.
        region: the region for signatures.
        service: the name of the service for signatures.
        account: the account of the credentials when the endpoint was resolved.
        model: botocore's model of the operation.
    """

    url: str
    address: Address
    request: dict[str, Any]
    head: Head
    region: str
    service: str
    account: str | None
    model: Any


class Routes:
    """The routes of a client, as far as they are known; threads share them.

    Args:
        client: a boto3 DynamoDB client.
    """

    __slots__ = ("_asking", "_client", "_events", "_known", "_signer")

    def __init__(self, client: Any) -> None:
        self._client = client
        self._events = client.meta.events
        self._known: dict[tuple[str, str], Route] = {}
        self._signer: Any = None
        self._asking = Lock()
        self._events.register_first("provide-client-params.dynamodb.*", _claim, unique_id="logicaldb-claim-route")
        self._events.register_first("before-call.dynamodb.*", _capture, unique_id="logicaldb-capture-route")

    def credentials(self) -> Any:
        """The credentials as of now; where they have to be refreshed, botocore does it, which may take a while.

        Raises:
            botocore.exceptions.NoCredentialsError: there are none.
        """
        # The public way to them: a request signer freezes what it hands to an authenticator.
        found = self._signer.get_auth_instance(
            signing_name=self._signer.signing_name,
            region_name=self._signer.region_name,
            signature_version="v4",
        ).credentials
        if found is None:
            # Imported here, because `import logicaldb` must not cost the import of botocore.
            from botocore.exceptions import NoCredentialsError  # noqa: PLC0415

            raise NoCredentialsError
        return found

    def find(self, operation: str, table: str) -> tuple[Route, Any]:
        """The route of an operation on a table, and the credentials as of now.

        Raises:
            RuntimeError: the client would not send it, or not in the way of this package; nothing was sent.
            botocore.exceptions.BotoCoreError: there are no credentials, or no endpoint.
        """
        route = self._known.get((operation, table))
        if route is not None:
            credentials = self.credentials()
            if route.account == account_of(credentials):
                return route, credentials
        with self._asking:
            route = self._known.get((operation, table))
            if route is not None:  # another thread has asked meanwhile
                credentials = self.credentials()
                if route.account == account_of(credentials):
                    return route, credentials
            # In this order: where the account changes in between, the route is asked for again.
            request, model, self._signer = self._ask(operation, table)
            credentials = self.credentials()
            route = self._known[operation, table] = self._read(request, model, account_of(credentials))
            return route, credentials

    @property
    def request_signer(self) -> Any:
        """Botocore's own signer, for those who listen to ``before-call``; there is one once a route is known."""
        return self._signer

    def known(self, operation: str, table: str, credentials: Any) -> Route | None:
        """The route of an operation on a table, if it is known for these credentials; nothing is asked."""
        route = self._known.get((operation, table))
        return route if route is not None and route.account == account_of(credentials) else None

    def _ask(self, operation: str, table: str) -> tuple[dict[str, Any], Any, Any]:
        name, least_parameters = CALLS[operation]
        question = _Question(operation)
        token = _asked.set(question)
        try:
            getattr(self._client, name)(**least_parameters(table))
        except _Captured as captured:
            return captured.request, captured.model, captured.signer
        finally:
            _asked.reset(token)
        raise RuntimeError(
            f"the client answers {operation} without sending anything, as a botocore Stubber does and a patched client, "
            f"and a direct transport would send it; {CLIENT_INSTEAD}"
        )

    def _read(self, request: dict[str, Any], model: Any, account: str | None) -> Route:
        context = request["context"]
        signing = context.get("signing", {})
        region = signing.get("region", self._signer.region_name)
        service = signing.get("signing_name", self._signer.signing_name)
        self._check_signature(model, context, region, service)
        headers: Mapping[str, str] = request["headers"]
        if [value for name, value in headers.items() if name.lower() == "content-type"] != [_JSON]:
            raise RuntimeError(f"the client does not send {model.name} as {_JSON}; {CLIENT_INSTEAD}")
        if "discovery" in context:
            raise RuntimeError(f"the client discovers endpoints, which a direct transport cannot; {CLIENT_INSTEAD}")
        address, head = address_and_head(request["url"], headers)
        return Route(request["url"], address, request, head, region, service, account, model)

    def _check_signature(self, model: Any, context: dict[str, Any], region: str, service: str) -> None:
        version = context.get("auth_type") or self._signer.signature_version
        _, chosen = self._events.emit_until_response(
            f"choose-signer.dynamodb.{model.name}",
            signing_name=service,
            region_name=region,
            signature_version=version,
            context=context,
        )
        if (chosen or version) != "v4":
            raise RuntimeError(f"{model.name} is not signed by the signature version 'v4'; {CLIENT_INSTEAD}")


CLIENT_INSTEAD: Final = "give the client itself to the db"

_JSON: Final = "application/x-amz-json-1.0"
_CONTEXT_KEY: Final = "logicaldb_route"


def address_and_head(url: str, headers: Mapping[str, str]) -> tuple[Address, Head]:
    """Where a request with this URL goes, and its head.

    Raises:
        RuntimeError: the URL or a header is one that no request of ours can have.
    """
    address = address_of(url)
    if address is None:
        raise RuntimeError(f"a direct transport cannot send anything to {url}")
    try:
        # Botocore's connections say so, too: nobody on the way is to compress the answer.
        head = prepare_head(address.host_header, address.path, [*headers.items(), ("Accept-Encoding", "identity")])
    except ValueError as error:
        raise RuntimeError(f"a direct transport cannot send these headers: {error}") from None
    return address, head


def account_of(credentials: Any) -> str | None:
    """The account that the credentials name; those of an older botocore name none."""
    account: str | None = getattr(credentials, "account_id", None)
    return account


class _Question:
    """What is asked of a client; hooks may make other calls meanwhile, so the first one answers."""

    __slots__ = ("open", "operation")

    def __init__(self, operation: str) -> None:
        self.operation = operation
        self.open = True


class _Captured(Exception):
    """Ends a call that is made to ask."""

    def __init__(self, request: dict[str, Any], model: Any, signer: Any) -> None:
        super().__init__()
        self.request = request
        self.model = model
        self.signer = signer


_asked: ContextVar[_Question | None] = ContextVar("logicaldb_route", default=None)


def _claim(model: Any, context: dict[str, Any], **_: Any) -> None:
    question = _asked.get()
    if question is not None and question.open and model.name == question.operation:
        question.open = False
        context[_CONTEXT_KEY] = True


def _capture(params: dict[str, Any], model: Any, request_signer: Any, context: dict[str, Any], **_: Any) -> None:
    if context.pop(_CONTEXT_KEY, False):
        raise _Captured(params, model, request_signer)
