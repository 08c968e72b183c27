"""Spans, if somebody wants them.

Off, a span costs a method call and nothing of OpenTelemetry is imported. On, spans leave in
batches, from a thread of their own, over OTLP/HTTP; a collector that is down costs spans and
never a message.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from shared.settings.telemetry import TelemetrySettings
from shared.telemetry.propagation import TraceContext
from shared.telemetry.span import SILENT_SPAN, Attributes, CarriedTrace, Span, SpanKind


class Tracing(Protocol):
    """Opens spans. One per process, closed with it."""

    @property
    def recording(self) -> bool:
        """Whether spans go anywhere; ask before computing a costly attribute."""

    def span(
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Attributes | None = None,
        *,
        parent: TraceContext | None = None,
    ) -> AbstractContextManager[Span]:
        """A span under `parent`, else under the current one, else at the root of a new trace.

        Inside it `inject()` gives what the next server needs to go on with this trace. An error
        that leaves it is recorded and passed on; a cancellation is not an error.
        """

    async def close(self) -> None:
        """Send what is left, for five seconds at most."""


class SilentTracing:
    """Tracing that is off."""

    recording = False

    def span(
        self,
        name: str,  # noqa: ARG002 - the shape of every tracing
        kind: SpanKind = SpanKind.INTERNAL,  # noqa: ARG002
        attributes: Attributes | None = None,  # noqa: ARG002
        *,
        parent: TraceContext | None = None,
    ) -> AbstractContextManager[Span]:
        return SILENT_SPAN if parent is None else CarriedTrace(parent)

    async def close(self) -> None:
        pass


def open_tracing(settings: TelemetrySettings, service: str) -> Tracing:
    """Tracing as the settings say; `service` is this process's role, such as `ingress`."""
    if settings.traces_endpoint is None:
        return SilentTracing()
    # Imported here: OpenTelemetry's SDK takes longer to import than everything else together.
    from shared.telemetry.recording_tracing import open_recording_tracing

    return open_recording_tracing(
        settings.traces_endpoint, service, sample_ratio=settings.sample_ratio
    )
