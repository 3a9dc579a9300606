"""The direct transport: requests that do not go through the methods of a boto3 client."""

from __future__ import annotations

from threading import Lock
from time import sleep
from types import TracebackType
from typing import Any, NoReturn, Self

from logicaldb.transport.connections import Connections
from logicaldb.transport.endpoints import Address
from logicaldb.transport.exchanges import Direct, Outcomes
from logicaldb.transport.http1 import Answer
from logicaldb.transport.remaking import not_sent


class DirectTransport(Direct):
    """Sends requests over connections of its own, beside those of a boto3 client.

    The client gives endpoints, headers, credentials, timeouts and the number of attempts; signing, sending and retrying
    are done here, at a fraction of what botocore needs. Give it to a db in the place of the client::

        db = MusicDb(DirectTransport.from_client(boto3.client("dynamodb")))

    Threads may share it, and so may the db and other users of the client. In a forked process it makes connections anew.
    """

    __slots__ = ("_connections", "_making")

    def __init__(self, client: Any, verify: bool | str) -> None:
        super().__init__(client, verify)
        self._connections: dict[tuple[str, str, int], Connections] = {}
        self._making = Lock()

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer.

        Raises:
            ServiceFailure: the service answered with an error, and the retries did not help.
            Unanswered: it was sent, and no answer tells what came of it; one that is not repeatable was not sent again.
            RuntimeError: the client would not send it itself (a Stubber, for instance), so nothing was sent.
            botocore.exceptions.BotoCoreError: nothing could be sent.
        """
        exchanges = self._exchanges
        route, credentials = self._routes.find(operation, table)
        prepared = exchanges.prepare(route, operation, body, self._routes.request_signer)
        outcomes = Outcomes(exchanges, operation, repeatable=repeatable)
        verdict: bytes | float | Exception
        while True:
            try:
                found = exchanges.sign(prepared, credentials or self._routes.credentials())
                answer = found if isinstance(found, Answer) else self._to(prepared.address).exchange(found)
            except Exception as error:  # noqa: BLE001 - what comes of it is decided there
                verdict = outcomes.failed(error, prepared.url)
            else:
                verdict = outcomes.answered(answer)
            if isinstance(verdict, bytes):
                return verdict
            if isinstance(verdict, Exception):
                break
            sleep(verdict)
            credentials = None
        # Here and not in the handler above, so that one error does not become the context of the other.
        try:
            raise verdict
        finally:
            del verdict

    def __reduce__(self) -> NoReturn:
        """Its client belongs to its process, as its connections do."""
        raise not_sent("a DirectTransport", "its client and its connections belong to this one")

    def close(self) -> None:
        """Close the connections that are idle, and the others when they have their answers; those that follow are new."""
        with self._making:
            closing, self._connections = self._connections, {}
        for connections in closing.values():
            connections.close()

    def __enter__(self) -> Self:
        """Use it as a context manager, which closes it."""
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def _to(self, address: Address) -> Connections:
        origin = (address.scheme, address.host, address.port)
        connections = self._connections.get(origin)
        if connections is None:
            config = self._client.meta.config
            with self._making:
                connections = self._connections.setdefault(
                    origin,
                    Connections(
                        address.host,
                        address.port,
                        connect_timeout=config.connect_timeout,
                        read_timeout=config.read_timeout,
                        max_idle=config.max_pool_connections,
                        tls=self._tls if address.scheme == "https" else None,
                    ),
                )
        return connections
