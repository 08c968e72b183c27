"""The sink of all spans: what leaves the process is redacted first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.util.types import AttributeValue

from shared.telemetry.redaction import Plain, redact_fields, redact_name


class RedactingExporter(SpanExporter):
    """Redacts names and attributes, then exports; runs on the exporter's thread.

    `abandon` ends that for good, also in the middle of a batch. Redaction reads with RE2, which
    lets go of the interpreter; a thread that comes back from it while the process ends takes the
    process down with it, because C++ does not take such an end.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._reading = Lock()
        self._is_abandoned = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        redacted: list[ReadableSpan] = []
        for span in spans:
            with self._reading:
                if self._is_abandoned:
                    return SpanExportResult.FAILURE
                redacted.append(_redact(span))
        return self._exporter.export(redacted)

    def abandon(self) -> None:
        """Returns when nothing is being redacted; nothing will be from then on."""
        with self._reading:
            self._is_abandoned = True

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _redact(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=redact_name(span.name),
        context=span.get_span_context(),
        parent=span.parent,
        resource=span.resource,
        attributes=_attributes(span.attributes),
        events=[
            Event(redact_name(event.name), _attributes(event.attributes), event.timestamp)
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
