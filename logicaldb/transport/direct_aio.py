"""The direct transport, awaited: the same as ``direct.py``, for asyncio."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from logicaldb.flow import ServiceFailure
from logicaldb.transport.connections_aio import Pool
from logicaldb.transport.endpoints import Address
from logicaldb.transport.exchanges import Direct, Outcomes
from logicaldb.transport.http1 import Answer
from logicaldb.transport.routes import Route

if TYPE_CHECKING:
    import asyncio

_FRESH: Final = 30.0
"""How long credentials are used before botocore is asked for them again, in seconds; it refreshes them minutes before they
expire, and because that may take a while, it is asked on a thread."""

_OUTDATED: Final = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException"}
    | {"UnrecognizedClientException"}
)


@dataclass(slots=True, eq=False, repr=False)
class _Pools:
    """The connections on one event loop.

    Attributes:
        by_origin: the pools.
        closer: closes them when the event loop is shut down, as ``asyncio.run`` does.
    """

    by_origin: dict[tuple[str, str, int], Pool] = field(default_factory=dict[tuple[str, str, int], Pool])
    closer: AsyncGenerator[None] | None = None


class AsyncDirectTransport(Direct):
    """Sends requests over connections of its own, beside those of a boto3 client, and awaits the answers.

    As ``DirectTransport``, for ``AsyncLogicalDb``::

        db = AsyncMusicDb(AsyncDirectTransport.from_client(boto3.client("dynamodb")))

    There are as many connections as the client's ``max_pool_connections``; more requests wait for one. Each event loop has
    connections of its own, which are closed when it is shut down. If a task is cancelled that awaits an answer, its
    connection is closed; the request may have taken effect.
    """

    __slots__ = ("_credentials", "_fresh_until", "_pools")

    def __init__(self, client: Any, verify: bool | str) -> None:
        super().__init__(client, verify)
        self._pools: dict[asyncio.AbstractEventLoop, _Pools] = {}
        self._credentials: Any = None
        self._fresh_until = 0.0

    async def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer; as ``DirectTransport.send``."""
        # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
        import asyncio  # noqa: PLC0415

        exchanges = self._exchanges
        loop = asyncio.get_running_loop()
        route, credentials = await self._find(loop, operation, table)
        prepared = exchanges.prepare(route, operation, body, self._routes.request_signer)
        outcomes = Outcomes(exchanges, operation, repeatable=repeatable)
        verdict: bytes | float | Exception
        while True:
            try:
                if credentials is None:
                    _, credentials = await self._find(loop, operation, table)
                found = exchanges.sign(prepared, credentials)
                if isinstance(found, Answer):
                    answer = found
                else:
                    pool = self._pool(loop, prepared.address) or await self._open(loop, prepared.address)
                    answer = await pool.exchange(found)
            except Exception as error:  # noqa: BLE001 - what comes of it is decided there
                verdict = outcomes.failed(error, prepared.url)
            else:
                verdict = outcomes.answered(answer)
            if isinstance(verdict, bytes):
                return verdict
            if isinstance(verdict, Exception):
                break
            await asyncio.sleep(verdict)
            credentials = None
        if isinstance(verdict, ServiceFailure) and verdict.code in _OUTDATED:
            self._fresh_until = 0.0
        # Here and not in the handler above, so that one error does not become the context of the other.
        try:
            raise verdict
        finally:
            del verdict

    async def aclose(self) -> None:
        """Close the connections of this event loop that are idle, and the others when they have their answers.

        Requests that follow make new ones.
        """
        # Imported here, because `import logicaldb` must not cost the import of asyncio, and with it of OpenSSL.
        import asyncio  # noqa: PLC0415

        pools = self._pools.pop(asyncio.get_running_loop(), None)
        if pools is not None and pools.closer is not None:
            await pools.closer.aclose()

    async def __aenter__(self) -> Self:
        """Use it as a context manager, which closes it."""
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        await self.aclose()

    async def _find(self, loop: asyncio.AbstractEventLoop, operation: str, table: str) -> tuple[Route, Any]:
        """The route and the credentials; botocore is asked on a thread, because it may have to refresh them."""
        if monotonic() < self._fresh_until:
            credentials = self._credentials
            route = self._routes.known(operation, table, credentials)
            if route is not None:
                return route, credentials
        found = await loop.run_in_executor(None, self._routes.find, operation, table)
        self._credentials = found[1]
        self._fresh_until = monotonic() + _FRESH
        return found

    def _pool(self, loop: asyncio.AbstractEventLoop, address: Address) -> Pool | None:
        pools = self._pools.get(loop)
        return None if pools is None else pools.by_origin.get((address.scheme, address.host, address.port))

    async def _open(self, loop: asyncio.AbstractEventLoop, address: Address) -> Pool:
        pools = self._pools.get(loop)
        if pools is None:
            for known in [known for known in self._pools if known.is_closed()]:
                self._pools.pop(known, None)
            pools = self._pools[loop] = _Pools()
            pools.closer = _close_at_the_end(pools)
            await anext(pools.closer)
        context = self._tls() if address.scheme == "https" else None
        pool = Pool(loop, address.host, address.port, context, self._client.meta.config)
        return pools.by_origin.setdefault((address.scheme, address.host, address.port), pool)


async def _close_at_the_end(pools: _Pools) -> AsyncGenerator[None]:
    """Wait for being closed, and close the connections; an event loop closes the generators that are left, too."""
    try:
        yield
    finally:
        for pool in pools.by_origin.values():
            await pool.aclose()
