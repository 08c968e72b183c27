"""The sink of all spans: what leaves the process is redacted first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.util.types import AttributeValue

from shared.telemetry.redaction import Plain, redact_fields, redact_text


class RedactingExporter(SpanExporter):
    """Redacts names and attributes, then exports; runs on the exporter's thread."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return self._exporter.export([_redact(span) for span in spans])

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _redact(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=redact_text(span.name),
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes),
        events=[
            Event(redact_text(event.name), _attributes(event.attributes), event.timestamp)
            for event in span.events
        ],
        links=span.links,
        kind=span.kind,
        status=span.status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _attributes(attributes: Mapping[str, object] | None) -> dict[str, AttributeValue]:
    redacted = redact_fields(attributes or {})
    return {name: _attribute(value) for name, value in redacted.items()}


def _attribute(value: Plain) -> AttributeValue:
    match value:
        case str() | bool() | int() | float():
            return value
        case list():
            return [str(one) for one in value]
        case _:
            return str(value)
