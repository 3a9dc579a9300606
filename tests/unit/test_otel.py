"""Tests of ``logicaldb.otel``: the spans and measurements of OpenTelemetry, and that nothing of an item is in them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from botocore.exceptions import ClientError
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from logicaldb.capacity import TableUnits
from logicaldb.otel import instrumentation
from logicaldb.watching import RequestEvent


def recorded(*events: RequestEvent) -> tuple[list[Any], list[Any]]:
    """The spans, below one of ours, and the measurements of events."""
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    on_request = instrumentation(tracer_provider=tracers, meter_provider=MeterProvider([reader]))
    with tracers.get_tracer("test").start_as_current_span("outer") as outer:
        for event in events:
            on_request(event)
    found = [span for span in spans.get_finished_spans() if span.name != "outer"]
    assert all(span.parent and span.parent.span_id == outer.get_span_context().span_id for span in found)
    data: Any = reader.get_metrics_data()
    (metric,) = data.resource_metrics[0].scope_metrics[0].metrics
    assert (metric.name, metric.unit) == ("db.client.operation.duration", "s")
    return found, list(metric.data.data_points)


def test_a_span_of_a_query() -> None:
    (span,), (point,) = recorded(
        RequestEvent("Query", "music", "by_title", 0.25, 3, (("music", TableUnits(read=2.5)),), None)
    )
    assert span.name == "DynamoDB.Query"
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    assert span.end_time - span.start_time == 250_000_000
    capacity = span.attributes["aws.dynamodb.consumed_capacity"]
    assert [json.loads(one) for one in capacity] == [
        {"TableName": "music", "CapacityUnits": 2.5, "ReadCapacityUnits": 2.5, "WriteCapacityUnits": 0.0}
    ]
    assert {name: value for name, value in span.attributes.items() if value is not capacity} == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "Query",
        "db.collection.name": "music",
        "rpc.system": "aws-api",
        "rpc.service": "DynamoDB",
        "rpc.method": "Query",
        "aws.dynamodb.table_names": ("music",),
        "aws.dynamodb.index_name": "by_title",
        "http.request.resend_count": 2,
    }
    assert (point.count, point.sum) == (1, 0.25)
    assert dict(point.attributes) == {
        "db.system.name": "aws.dynamodb",
        "db.operation.name": "Query",
        "db.collection.name": "music",
    }


def test_spans_of_errors() -> None:
    response: Any = {
        "Error": {"Code": "ConditionalCheckFailedException", "Message": "SECRET"},
        "Item": {"a": {"S": "SECRET"}},
    }
    spans, points = recorded(
        RequestEvent("PutItem", "music", None, 0.5, 1, (), ClientError(response, "PutItem")),
        RequestEvent("PutItem", "music", None, 0.5, 1, (), ConnectionResetError("SECRET")),
    )
    assert [span.status.status_code for span in spans] == [StatusCode.ERROR] * 2
    assert [span.attributes["error.type"] for span in spans] == [
        "ConditionalCheckFailedException",
        "ConnectionResetError",
    ]
    assert [span.attributes.get("db.response.status_code") for span in spans] == [
        "ConditionalCheckFailedException",
        None,
    ]
    assert all(span.attributes["aws.dynamodb.table_names"] == ("music",) for span in spans)
    assert len(points) == 2
    assert "SECRET" not in "".join(span.to_json() for span in spans) + repr(points)


def test_without_opentelemetry_it_says_what_to_install() -> None:
    script = "import sys\nsys.modules['opentelemetry'] = None\ntry:\n import logicaldb.otel\nexcept ImportError as e: print(e)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("logicaldb.otel needs OpenTelemetry (")
    assert done.stdout.endswith('): pip install "logicaldb[otel]"\n')
