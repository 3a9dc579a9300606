"""A request on its way through botocore, whose client may be a synchronous one or one that is awaited.

Each request is a call of the client's own method, with the least parameters that botocore takes. Handlers of botocore's
events put our body in the place of the one that botocore made of them, and take the body of the answer before botocore
parses it. So botocore signs, sends, retries and checks as it always does, what listens to its events (moto, tracing)
sees the true request, and nothing is validated, serialised or parsed twice.

Botocore sends a request again when an attempt fails, and does not ask whether the attempt took effect. So another handler
looks at each attempt: one that came to no answer may have taken effect (the connection was cut, the time ran out, a 5xx, a
damaged answer). It is remembered, because a condition that fails afterwards may have failed against that attempt, and a
request that must not take effect twice is not sent again.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from logicaldb.flow import ServiceFailure, Unanswered
from logicaldb.transport.attempts import count_attempts
from logicaldb.transport.clients import CALLS
from logicaldb.transport.retries import Setback

if TYPE_CHECKING:
    from logicaldb.transport.fast import Endpoint, FastRoad


class Call:
    """A request of ours on its way through botocore.

    Args:
        client: the client.
        operation: the name of the API operation.
        table: the physical table.
        body: the request as JSON text.
        repeatable: whether it may be sent again when it cannot be told whether it took effect.
        may_have_been_sent: whether a request may have reached the service although an error came of it.
        road: what makes its first attempt; ``None``: botocore makes all of them.

    Attributes:
        method: the method of the client.
        parameters: what it is called with.
        repeatable: whether it may be sent again when it cannot be told whether it took effect.
        may_have_been_sent: whether a request may have reached the service although an error came of it.
        road: what makes its first attempt.
        ambiguous: whether an attempt came to no answer, and so may have taken effect.
        under_way: whether the call that botocore is working at is this one; hooks may make other calls meanwhile.
        answer: the body of the last successful answer, as it was received.
        damage: the error of the last answer, where its checksum is another.
        error: the body of the last answer that was an error, as it was received.
        earlier_attempts: how many attempts were made before the first of botocore's, 1 at most.
        asks: the endpoint that wants to know whether botocore gets an answer from it.
    """

    __slots__ = (
        "_exceptions",
        "ambiguous",
        "answer",
        "asks",
        "body",
        "damage",
        "earlier_attempts",
        "error",
        "may_have_been_sent",
        "method",
        "operation",
        "parameters",
        "repeatable",
        "road",
        "under_way",
    )

    def __init__(
        self,
        client: Any,
        operation: str,
        table: str,
        body: bytes,
        *,
        repeatable: bool,
        may_have_been_sent: Callable[[Exception], bool],
        road: FastRoad | None = None,
    ) -> None:
        name, least_parameters = CALLS[operation]
        self.method = getattr(client, name)
        self.operation = operation
        self.parameters = least_parameters(table)
        self.body = body
        self.ambiguous = False
        self.repeatable = repeatable
        self.may_have_been_sent = may_have_been_sent
        self.road = road
        self._exceptions = client.exceptions
        self.await_answer(under_way=False)

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        """Be ``None`` in another process.

        An error of botocore's may hold its request, and that holds this. What sends errors with their causes, as Dask does
        (by tblib), sends all of it.
        """
        return type(None), ()

    def await_answer(self, *, under_way: bool) -> None:
        """Forget what was received, which belongs to an earlier call."""
        self.under_way = under_way
        self.answer: bytes | None = None
        self.damage: Exception | None = None
        self.error: bytes | None = None
        self.earlier_attempts = 0
        self.asks: Endpoint | None = None

    def examine(
        self,
        response: tuple[Any, dict[str, Any]] | None,
        content: bytes,
        caught_exception: Exception | None,
        operation: Any,
        *,
        attempts: int,
        context: dict[str, Any],
    ) -> None:
        """Look at what came of an attempt, before botocore decides whether to make another.

        Raising is the one way to keep botocore from making it that each of its versions and retry modes knows; it raises
        from here itself when it gives up.

        Args:
            response: the answer of the HTTP client, and what botocore made of it.
            content: the body of the answer.
            caught_exception: the error that came instead.
            operation: botocore's model of the operation.
            attempts: how many botocore made.
            context: botocore's context of the call.

        Raises:
            Exception: what came of it, where there must not be another attempt.
        """
        attempts += self.earlier_attempts
        count_attempts(attempts)
        if self.asks is not None and response is not None:
            self.asks.answered(response[0])
        is_last = self._is_last(attempts, context)
        error = caught_exception if response is None else self._setback(response, content, operation, attempts, is_last)
        if error is None:
            return
        is_ambiguous = self._is_ambiguous(response, error)
        self.ambiguous = self.ambiguous or is_ambiguous
        try:
            if is_last or (is_ambiguous and not self.repeatable):
                raise error
        finally:
            # An exception holds its frames, and so must not be held by them.
            if is_last or not self.repeatable:
                self.damage = None
            del error

    def _setback(
        self, response: tuple[Any, dict[str, Any]], content: bytes, operation: Any, attempts: int, is_last: bool
    ) -> Exception | None:
        """The error of an answer, where botocore may make another attempt after it."""
        http, parsed = response
        self.damage = _damage(http, content)
        code = parsed.get("Error", {}).get("Code")
        if self.damage is not None or http.status_code < 300 or not Setback(code, http.status_code).retryable:
            return self.damage
        metadata = parsed.setdefault("ResponseMetadata", {})
        metadata["RetryAttempts"] = attempts - 1
        if is_last:
            metadata["MaxAttemptsReached"] = True
        error: Exception = self._exceptions.from_code(code)(parsed, operation.name)
        return error

    def _is_ambiguous(self, response: tuple[Any, dict[str, Any]] | None, error: Exception) -> bool:
        if response is None:
            return self.may_have_been_sent(error)
        return self.damage is not None or response[0].status_code >= 500

    def _is_last(self, attempts: int, context: dict[str, Any]) -> bool:
        """Whether botocore would make one more attempt than it is set to, because it does not count ours."""
        if not self.earlier_attempts:
            return False
        # After its first attempt each retry mode says here how many there are to be; before, the config does if it is few.
        chosen: int = context["client_config"].retries.get("total_max_attempts", attempts + 1)
        most: int = context["retries"].get("max", chosen)
        return attempts >= most

    def answered(self, parsed: dict[str, Any]) -> bytes:
        """The body of the answer, of which botocore made ``parsed``.

        Raises:
            Unanswered: it is damaged.
        """
        if self.damage is not None:
            raise Unanswered(self.damage)
        return _wire(parsed) if self.answer is None else self.answer

    def failure(self, error: Exception) -> ServiceFailure | Unanswered | None:
        """What an error of the client means; ``None`` where nothing was sent."""
        if isinstance(error, self._exceptions.ClientError):
            return self._refusal(error)
        # With an answer in hand, it is a hook of the client's that raises, and the caller must not take it for a refusal.
        sent = self.ambiguous or self.answer is not None or self.may_have_been_sent(error)
        return Unanswered(error) if sent else None

    def _refusal(self, error: Any) -> ServiceFailure | Unanswered:
        """Describe a ``ClientError`` by the body of the answer or, where none was seen, by what botocore made of it."""
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500:
            return Unanswered(error)
        if self.damage is not None:
            return Unanswered(self.damage)
        code: str = error.response.get("Error", {}).get("Code", "Unknown")
        try:
            answer: Any = json.loads(self.error or b"")
        except ValueError:  # none was seen, or it is not DynamoDB's but of something on the way
            answer = json.loads(_wire({name: value for name, value in error.response.items() if name != "Error"}))
        return ServiceFailure(code, answer, error, ambiguous=self.ambiguous)


current: ContextVar[Call | None] = ContextVar("logicaldb_call", default=None)
_CONTEXT_KEY: Final = "logicaldb_call"
_registering = Lock()


def register_handlers(client: Any, examine: Callable[..., Any]) -> None:
    """Listen to a client's events, once for each client; the handlers hold neither the client nor a transport.

    Ours are the first to see a request and the last to see an answer, so that the handlers of others see true bodies.

    Args:
        client: the client.
        examine: gets ``needs-retry`` events; it finds the body of the answer and gives it to ``examine`` of the call.
    """
    events = client.meta.events
    with _registering:
        events.register_first("provide-client-params.dynamodb.*", _claim, unique_id="logicaldb-claim")
        events.register_first("before-call.dynamodb.*", _put_body, unique_id="logicaldb-put-body")
        events.register_last("before-parse", _take_answer, unique_id="logicaldb-take-answer")
        events.register_first("needs-retry.dynamodb.*", examine, unique_id="logicaldb-examine")


def register_road(client: Any) -> None:
    """Let calls with a road go there, once for each client; any other handler that answers a call comes first."""
    events = client.meta.events
    with _registering:
        events.register_last("before-call", _answer, unique_id="logicaldb-answer")
        events.register_first("after-call.dynamodb.*", _count, unique_id="logicaldb-count")


def call_of(request_dict: dict[str, Any]) -> Call | None:
    """The call that a request is, if it is one of ours."""
    call: Call | None = request_dict["context"].get(_CONTEXT_KEY)
    return call


def _claim(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """Mark botocore's context of a call of ours; the context variable alone would mark those too that a hook makes."""
    call = current.get()
    if call is not None and model.name == call.operation and call.parameters.items() <= params.items():
        context[_CONTEXT_KEY] = call


def _put_body(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """Put our body into a request of ours, before it is signed; botocore's retries send the same."""
    call: Call | None = context.get(_CONTEXT_KEY)
    if call is not None:
        params["body"] = call.body
        call.await_answer(under_way=True)
        return
    call = current.get()
    if call is not None and model.name == call.operation:
        # A hook calls the same operation while our call is under way, and an answer does not tell which call it is for.
        # From here on botocore parses both, and ours is turned back from what it makes of it.
        call.await_answer(under_way=False)


def _answer(
    params: dict[str, Any], model: Any, request_signer: Any, context: dict[str, Any], **_: Any
) -> tuple[Any, dict[str, Any]] | None:
    """Answer a request of ours in the place of botocore, if it has a road for that."""
    call: Call | None = context.get(_CONTEXT_KEY)
    if call is None or call.road is None:
        return None
    return call.road.attempt(call, params, model, request_signer, context)


def _count(parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Let botocore count the attempt that was not its own."""
    call: Call | None = context.get(_CONTEXT_KEY)
    if call is not None and call.earlier_attempts and "RetryAttempts" in parsed.get("ResponseMetadata", {}):
        parsed["ResponseMetadata"]["RetryAttempts"] += 1


def _take_answer(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Take the body of an answer to our request; of a success, botocore gets an empty one to parse."""
    call = current.get()
    if call is None or not call.under_way or operation_model.name != call.operation:
        return
    if response_dict["status_code"] < 300:
        call.answer = response_dict["body"]
        response_dict["body"] = b"{}"
    else:
        call.error = response_dict["body"]


def _damage(http: Any, content: bytes) -> Exception | None:
    """The error of an answer that is not as it was sent; after the last attempt botocore may return such an answer."""
    expected: str | None = http.headers.get("x-amz-crc32")
    if expected is None or (actual := crc32(content)) == int(expected):
        return None
    # Imported here, because `import logicaldb` must not cost the import of botocore.
    from botocore.exceptions import ChecksumError  # noqa: PLC0415

    return ChecksumError(checksum_type="crc32", expected_checksum=expected, actual_checksum=str(actual))


def _wire(parsed: dict[str, Any]) -> bytes:
    """Turn what botocore makes of an answer back into the body of an answer."""
    members = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    return json.dumps(members, separators=(",", ":"), default=_wire_value).encode("ascii")


def _wire_value(value: object) -> str | float:
    """Give the wire form of what botocore parses into something that JSON does not have."""
    if isinstance(value, (bytes, bytearray)):
        return b64encode(value).decode("ascii")
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"botocore makes no {type(value).__name__} of an answer of DynamoDB")
