"""Spans and durations of requests for OpenTelemetry.

Needs ``pip install "logicaldb[otel]"``. The names are those of the semantic conventions for DynamoDB:
https://opentelemetry.io/docs/specs/semconv/db/dynamodb/
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, Final

from logicaldb.watching import OnRequest, RequestEvent

try:
    from opentelemetry import metrics, trace
except ImportError as missing:
    raise ImportError(
        f'logicaldb.otel needs OpenTelemetry ({missing}): pip install "logicaldb[otel]"', name=missing.name
    ) from missing

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

_SCOPE: Final = "logicaldb"
_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
"""Those that the conventions advise for ``db.client.operation.duration``, in seconds."""


def instrumentation(
    *, tracer_provider: TracerProvider | None = None, meter_provider: MeterProvider | None = None
) -> OnRequest:
    """What makes a span, and a measurement of the duration, of every request of a db.

    ``MusicDb(client, on_request=instrumentation())``. A span is a child of the one that is current where the request was
    made. It tells the operation, table, index, attempts and capacity, and the class and code of an error; no keys, no
    values and no messages of errors.

    Args:
        tracer_provider: where spans go; the global one by default.
        meter_provider: where measurements go; the global one by default.
    """
    tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
    meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
    durations = meter.create_histogram(
        "db.client.operation.duration",
        unit="s",
        description="Duration of database client operations.",
        explicit_bucket_boundaries_advisory=_BUCKETS,
    )

    def on_request(event: RequestEvent) -> None:
        end = time.time_ns()
        common = _common(event)
        span = tracer.start_span(
            f"DynamoDB.{event.operation}",
            kind=trace.SpanKind.CLIENT,
            start_time=end - int(event.duration * 1e9),
            attributes={**common, **_of_span(event)},
        )
        if event.error is not None:
            span.set_status(trace.StatusCode.ERROR)
        span.end(end)
        durations.record(event.duration, attributes=common)

    return on_request


def _common(event: RequestEvent) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": event.operation,
        "db.collection.name": event.table,
    }
    if event.error is not None:
        code = _code(event.error)
        attributes["error.type"] = code or type(event.error).__name__
        if code is not None:
            attributes["db.response.status_code"] = code
    return attributes


def _of_span(event: RequestEvent) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "rpc.system": "aws-api",
        "rpc.service": "DynamoDB",
        "rpc.method": event.operation,
        "aws.dynamodb.table_names": [name for name, _ in event.capacity] or [event.table],
    }
    if event.index is not None:
        attributes["aws.dynamodb.index_name"] = event.index
    if event.attempts > 1:
        attributes["http.request.resend_count"] = event.attempts - 1
    if event.capacity:
        attributes["aws.dynamodb.consumed_capacity"] = [
            json.dumps(
                {
                    "TableName": name,
                    "CapacityUnits": units.total,
                    "ReadCapacityUnits": units.read,
                    "WriteCapacityUnits": units.write,
                }
            )
            for name, units in event.capacity
        ]
    return attributes


def _code(error: BaseException) -> str | None:
    """The code of an error of the service."""
    response: Any = getattr(error, "response", None)
    code: Any = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return code if isinstance(code, str) else None
