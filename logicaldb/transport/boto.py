"""Requests through a boto3 client, as the user made it: the bytes of the body are ours, all else is botocore's.

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
import platform
from base64 import b64encode
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from threading import Lock
from typing import Any, Final
from zlib import crc32

from logicaldb.flow import ServiceFailure, Unanswered


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

    Raises:
        TypeError: what is given is not a boto3 DynamoDB client.
    """

    __slots__ = ("_client",)

    def __init__(self, client: Any) -> None:
        _check_client(client)
        _register_handlers(client)
        self._client = client

    def send(self, operation: str, table: str, body: bytes, *, repeatable: bool = True) -> bytes:
        """Send a request and return the body of its answer.

        Raises:
            ServiceFailure: the service answered with an error, and botocore's retries did not help.
            Unanswered: it was sent, and no answer tells what came of it; one that is not repeatable was not sent again.
            botocore.exceptions.BotoCoreError: nothing could be sent; unchanged.
        """
        method, least_parameters = _CALLS[operation]
        parameters = least_parameters(table)
        client = self._client
        call = _Call(operation, parameters, body, client.exceptions, repeatable=repeatable)
        token = _current.set(call)
        failure: ServiceFailure | Unanswered
        try:
            parsed: dict[str, Any] = getattr(client, method)(**parameters)
        except client.exceptions.ClientError as error:
            failure = _failure(error, call)
        except Exception as error:
            if not (call.ambiguous or _may_have_been_sent(error)):
                raise
            failure = Unanswered(error)
        else:
            if call.damage is None:
                return _wire(parsed) if call.answer is None else call.answer
            failure = Unanswered(call.damage)
        finally:
            _current.reset(token)
        # Here and not in the handlers above, so that the error does not become the context of the failure that holds it.
        try:
            raise failure
        finally:
            del failure


class _Call:
    """A request of ours on its way through botocore.

    Attributes:
        exceptions: the exceptions of the client.
        repeatable: whether it may be sent again when it cannot be told whether it took effect.
        ambiguous: whether an attempt came to no answer, and so may have taken effect.
        under_way: whether the call that botocore is working at is this one; hooks may make other calls meanwhile.
        answer: the body of the last successful answer, as it was received.
        damage: the error of the last answer, where its checksum is another.
        error: the body of the last answer that was an error, as it was received.
    """

    __slots__ = (
        "ambiguous",
        "answer",
        "body",
        "damage",
        "error",
        "exceptions",
        "operation",
        "parameters",
        "repeatable",
        "under_way",
    )

    def __init__(
        self, operation: str, parameters: dict[str, Any], body: bytes, exceptions: Any, *, repeatable: bool
    ) -> None:
        self.operation = operation
        self.parameters = parameters
        self.body = body
        self.exceptions = exceptions
        self.repeatable = repeatable
        self.ambiguous = False
        self.await_answer(under_way=False)

    def await_answer(self, *, under_way: bool) -> None:
        """Forget what was received, which belongs to an earlier call."""
        self.under_way = under_way
        self.answer: bytes | None = None
        self.damage: Exception | None = None
        self.error: bytes | None = None


_current: ContextVar[_Call | None] = ContextVar("logicaldb_call", default=None)
_CONTEXT_KEY: Final = "logicaldb_call"
_registering = Lock()


def _register_handlers(client: Any) -> None:
    """Listen to a client's events, once for each client; the handlers hold neither the client nor a transport.

    Ours are the first to see a request and the last to see an answer, so that the handlers of others see true bodies.
    """
    events = client.meta.events
    with _registering:
        events.register_first("provide-client-params.dynamodb.*", _claim, unique_id="logicaldb-claim")
        events.register_first("before-call.dynamodb.*", _put_body, unique_id="logicaldb-put-body")
        events.register_last("before-parse", _take_answer, unique_id="logicaldb-take-answer")
        events.register_first("needs-retry.dynamodb.*", _examine, unique_id="logicaldb-examine")


def _claim(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """Mark botocore's context of a call of ours; the context variable alone would mark those too that a hook makes."""
    call = _current.get()
    if call is not None and model.name == call.operation and call.parameters.items() <= params.items():
        context[_CONTEXT_KEY] = call


def _put_body(params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
    """Put our body into a request of ours, before it is signed; botocore's retries send the same."""
    call: _Call | None = context.get(_CONTEXT_KEY)
    if call is not None:
        params["body"] = call.body
        call.await_answer(under_way=True)
        return
    call = _current.get()
    if call is not None and model.name == call.operation:
        # A hook calls the same operation while our call is under way, and an answer does not tell which call it is for.
        # From here on botocore parses both, and ours is turned back from what it makes of it.
        call.await_answer(under_way=False)


def _take_answer(operation_model: Any, response_dict: dict[str, Any], **_: Any) -> None:
    """Take the body of an answer to our request; of a success, botocore gets an empty one to parse."""
    call = _current.get()
    if call is None or not call.under_way or operation_model.name != call.operation:
        return
    if response_dict["status_code"] < 300:
        call.answer = response_dict["body"]
        response_dict["body"] = b"{}"
    else:
        call.error = response_dict["body"]


def _examine(
    response: tuple[Any, dict[str, Any]] | None,
    caught_exception: Exception | None,
    operation: Any,
    attempts: int,
    request_dict: dict[str, Any],
    **_: Any,
) -> None:
    """Look at what came of an attempt, before botocore decides whether to make another.

    Raising is the one way to keep botocore from making it that each of its versions and retry modes knows; it raises from
    here itself when it gives up.
    """
    call: _Call | None = request_dict["context"].get(_CONTEXT_KEY)
    if call is None:
        return
    if response is None:
        assert caught_exception is not None
        error = caught_exception if _may_have_been_sent(caught_exception) else None
    else:
        http, parsed = response
        error = call.damage = _damage(http)
        if error is None and http.status_code >= 500:
            parsed.setdefault("ResponseMetadata", {})["RetryAttempts"] = attempts - 1
            error = call.exceptions.from_code(parsed.get("Error", {}).get("Code"))(parsed, operation.name)
    if error is None:
        return
    call.ambiguous = True
    if not call.repeatable:
        try:
            raise error
        finally:
            # An exception holds its frames, and so must not be held by them.
            del error
            call.damage = None


def _may_have_been_sent(error: Exception) -> bool:
    """Whether a request may have reached the service although this came of it."""
    # Imported here, because `import logicaldb` must cost neither the import of botocore nor that of OpenSSL.
    from ssl import SSLCertVerificationError  # noqa: PLC0415

    from botocore.exceptions import HTTPClientError, SSLError  # noqa: PLC0415

    if isinstance(error, SSLError):
        # TLS may fail at any time, but certificates are verified before anything is sent.
        cause: Any = error.kwargs.get("error")
        return not isinstance(next(iter(getattr(cause, "args", ())), None), SSLCertVerificationError)
    # Errors in making a connection are none of these.
    return isinstance(error, HTTPClientError)


def _damage(http: Any) -> Exception | None:
    """The error of an answer that is not as it was sent; after the last attempt botocore may return such an answer."""
    expected: str | None = http.headers.get("x-amz-crc32")
    if expected is None or (actual := crc32(http.content)) == int(expected):
        return None
    # Imported here, because `import logicaldb` must not cost the import of botocore.
    from botocore.exceptions import ChecksumError  # noqa: PLC0415

    return ChecksumError(checksum_type="crc32", expected_checksum=expected, actual_checksum=str(actual))


def _failure(error: Any, call: _Call) -> ServiceFailure | Unanswered:
    """Describe a ``ClientError`` by the body of the answer or, where none was seen, by what botocore made of it."""
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400) >= 500:
        return Unanswered(error)
    if call.damage is not None:
        return Unanswered(call.damage)
    code: str = error.response.get("Error", {}).get("Code", "Unknown")
    try:
        answer: Any = json.loads(call.error or b"")
    except ValueError:  # none was seen, or it is not DynamoDB's but of something on the way
        answer = json.loads(_wire({name: value for name, value in error.response.items() if name != "Error"}))
    return ServiceFailure(code, answer, error, ambiguous=call.ambiguous)


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


def _table(table: str) -> dict[str, Any]:
    return {"TableName": table}


def _key(table: str) -> dict[str, Any]:
    return {"TableName": table, "Key": {}}


_CALLS: Final[dict[str, tuple[str, Callable[[str], dict[str, Any]]]]] = {
    "GetItem": ("get_item", _key),
    "PutItem": ("put_item", lambda table: {"TableName": table, "Item": {}}),
    "UpdateItem": ("update_item", _key),
    "DeleteItem": ("delete_item", _key),
    "Query": ("query", _table),
    "Scan": ("scan", lambda table: {"TableName": table, "FilterExpression": ""}),
    "BatchGetItem": ("batch_get_item", lambda table: {"RequestItems": {table: {"Keys": [{}]}}}),
    "BatchWriteItem": ("batch_write_item", lambda table: {"RequestItems": {table: [{}]}}),
    "TransactGetItems": (
        "transact_get_items",
        lambda table: {"TransactItems": [{"Get": {"TableName": table, "Key": {}}}]},
    ),
    "TransactWriteItems": (
        "transact_write_items",
        lambda table: {"TransactItems": [{"Put": {"TableName": table, "Item": {}}}]},
    ),
    "CreateTable": (
        "create_table",
        lambda table: {
            "TableName": table,
            "AttributeDefinitions": [],
            "KeySchema": [{"AttributeName": "-", "KeyType": "HASH"}],
        },
    ),
    "DescribeTable": ("describe_table", _table),
    "UpdateTimeToLive": (
        "update_time_to_live",
        lambda table: {"TableName": table, "TimeToLiveSpecification": {"Enabled": False, "AttributeName": "-"}},
    ),
    "DescribeTimeToLive": ("describe_time_to_live", _table),
    "DeleteTable": ("delete_table", _table),
    "ListTables": ("list_tables", lambda _: {}),
}
"""The client's method for each operation, and the least parameters that pass its validation.

They hold the real table, because the rules of the endpoint read it (an ARN names an account). As far as possible they
are such that the service would refuse them, should they ever reach it: an empty key, no key condition, an empty filter.
"""


def _check_client(client: Any) -> None:
    """Refuse what is not a boto3 DynamoDB client, and say what to pass."""
    meta = getattr(client, "meta", None)
    model = getattr(meta, "service_model", None)
    if model is None:
        kind = "a boto3 resource" if hasattr(meta, "client") else "an object"
        found = f"{kind} of type {type(client).__name__}"
    elif model.service_name != "dynamodb":
        found = f"a client of {model.service_name}"
    elif any(base.__module__.startswith("aiobotocore.") for base in type(client).__mro__):
        found = "an aiobotocore client"
    else:
        return
    raise TypeError(f'a boto3 DynamoDB client is needed, boto3.client("dynamodb"), not {found}')
