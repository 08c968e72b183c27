"""Tracing that is on: OpenTelemetry's SDK behind our own `Tracing`.

Imported only when a collector is configured. There is no global tracer provider: what is not
given this object cannot add to a trace, least of all a client library that records prompts.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from contextlib import AbstractContextManager, suppress
from functools import partial
from threading import Thread
from types import TracebackType
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from opentelemetry import trace as otel
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from shared.errors import ForebayError
from shared.settings.secret import Secret
from shared.telemetry.genai import ERROR_TYPE, SCHEMA_URL
from shared.telemetry.message_spans.pseudonyms import Pseudonyms
from shared.telemetry.message_spans.whose import whose
from shared.telemetry.metrics import installed_version
from shared.telemetry.redacting_exporter import RedactingExporter
from shared.telemetry.tracing import (
    Attributes,
    AttributeValue,
    CarriedTrace,
    Span,
    SpanKind,
    TraceContext,
    current_trace,
    enter_trace,
)

if TYPE_CHECKING:
    from shared.messages.record import MessageRecord

_KINDS: Final = {
    SpanKind.INTERNAL: otel.SpanKind.INTERNAL,
    SpanKind.SERVER: otel.SpanKind.SERVER,
    SpanKind.CLIENT: otel.SpanKind.CLIENT,
    SpanKind.PRODUCER: otel.SpanKind.PRODUCER,
    SpanKind.CONSUMER: otel.SpanKind.CONSUMER,
}
_NOTHING: Final[Attributes] = {}
_EXPORT_TIMEOUT_SECONDS: Final = 4.0
_CLOSE_TIMEOUT_SECONDS: Final = 5.0
"""Longer, so that what the exporter says of a collector that is away is said before the end."""


def open_recording_tracing(
    endpoint: str, service: str, *, sample_ratio: float, pseudonym_key: Secret | None = None
) -> RecordingTracing:
    """Send spans to `endpoint`. A trace begun elsewhere keeps its own sampling decision."""
    resource = Resource.create(
        {
            "service.name": service,
            "service.namespace": "forebay",
            "service.version": installed_version(),
            "service.instance.id": str(uuid4()),
        }
    )
    sampler = ParentBased(TraceIdRatioBased(sample_ratio))
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
    exporter = RedactingExporter(OTLPSpanExporter(endpoint, timeout=_EXPORT_TIMEOUT_SECONDS))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return RecordingTracing(provider, exporter, Pseudonyms(pseudonym_key))


class RecordingTracing:
    """Records spans and hands them to the provider's processors."""

    recording = True

    def __init__(
        self,
        provider: TracerProvider,
        exporter: RedactingExporter,
        pseudonyms: Pseudonyms,
    ) -> None:
        self._pseudonyms = pseudonyms
        self._provider = provider
        self._exporter = exporter
        self._tracer = provider.get_tracer("forebay", schema_url=SCHEMA_URL)

    def span(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
        *,
        parent: TraceContext | None = None,
        about: MessageRecord | None = None,
    ) -> AbstractContextManager[Span]:
        above = current_trace() if parent is None else parent
        if above is not None and not above.sampled:
            return CarriedTrace(above)  # nor is anything below it
        inherited = {} if above is None else above.inherited
        span = self._tracer.start_span(
            name,
            # An empty context, not none: none would ask OpenTelemetry's own ambient one.
            context=Context() if above is None else _as_context(above, remote=parent is not None),
            kind=_KINDS[kind],
            attributes={**inherited, **(attributes or {})},
            record_exception=False,
            set_status_on_exception=False,
        )
        if not span.is_recording():  # it begins here, and is not of the share that is recorded
            return CarriedTrace(_as_trace(span.get_span_context()))
        if about is not None:
            told = self.whose(about)
            span.set_attributes(told)
            inherited = {**inherited, **told}
        return RecordingSpan(span, inherited)

    def whose(self, record: MessageRecord) -> Attributes:
        return whose(record, self._pseudonyms)

    async def close(self) -> None:
        sent = asyncio.Event()
        # A daemon, because the loop's own threads are waited for at exit, and a collector that
        # takes the connection and never answers would hold the process for as long as it likes.
        drain = partial(self._drain, asyncio.get_running_loop(), sent)
        Thread(target=drain, name="traces-drain", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(sent.wait(), timeout=_CLOSE_TIMEOUT_SECONDS)
        self._exporter.abandon()

    def _drain(self, loop: asyncio.AbstractEventLoop, sent: asyncio.Event) -> None:
        self._provider.shutdown()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(sent.set)


class RecordingSpan:
    """One span; current between `__enter__` and `__exit__`, and ended by the latter."""

    __slots__ = ("_inherited", "_previous", "_span")

    def __init__(self, span: otel.Span, inherited: Attributes) -> None:
        self._span = span
        self._inherited = inherited
        self._previous: TraceContext | None = None

    def set_attribute(self, key: str, value: AttributeValue) -> None:
        self._span.set_attribute(key, value)

    def set_attributes(self, attributes: Attributes) -> None:
        self._span.set_attributes(attributes)

    def add_event(self, name: str, attributes: Attributes | None = None) -> None:
        self._span.add_event(name, attributes)

    def record_error(self, error: BaseException) -> None:
        self.fail(error.code if isinstance(error, ForebayError) else type(error).__qualname__)

    def fail(self, error_type: str) -> None:
        self._span.set_attribute(ERROR_TYPE, error_type)
        # No description: the text of an error may quote what a person wrote.
        self._span.set_status(otel.StatusCode.ERROR)

    def __enter__(self) -> Span:
        here = _as_trace(self._span.get_span_context(), self, self._inherited)
        self._previous = enter_trace(here)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        enter_trace(self._previous)
        if error is not None and not isinstance(error, CancelledError | GeneratorExit):
            self.record_error(error)
        self._span.end()


def _as_trace(
    context: otel.SpanContext, span: Span | None = None, inherited: Attributes = _NOTHING
) -> TraceContext:
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return TraceContext(traceparent, context.trace_state.to_header(), span, inherited)


def _as_context(trace: TraceContext, *, remote: bool) -> Context:
    state = otel.TraceState.from_header([trace.tracestate]) if trace.tracestate else None
    above = otel.SpanContext(
        trace_id=int(trace.trace_id, 16),
        span_id=int(trace.span_id, 16),
        is_remote=remote,
        trace_flags=otel.TraceFlags(
            otel.TraceFlags.SAMPLED if trace.sampled else otel.TraceFlags.DEFAULT
        ),
        trace_state=state,
    )
    return otel.set_span_in_context(otel.NonRecordingSpan(above), Context())
