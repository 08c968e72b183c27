"""Traces of which nothing is recorded, by the share of the settings or by who began them."""

from __future__ import annotations

from shared.settings.telemetry import TelemetrySettings
from shared.telemetry.open_tracing import open_tracing
from shared.telemetry.tracing import (
    SILENT_SPAN,
    TraceContext,
    Tracing,
    current_trace,
    extract,
    inject,
)
from tests.queued_message import queued_message
from tests.servers.ports import free_port
from tests.unit.shared.telemetry.conftest import Collector

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_an_unsampled_trace_is_not_sent_but_carried_on(
    tracing: Tracing, received: Collector
) -> None:
    unsampled = TraceContext(TRACEPARENT[:-2] + "00")
    with tracing.span("accept", parent=unsampled):
        carried = inject()
    await tracing.close()
    assert not received.spans
    assert carried["traceparent"][3:35] == unsampled.trace_id
    assert carried["traceparent"].endswith("-00")


async def test_what_begins_here_and_is_not_recorded_is_carried_on_as_one_trace() -> None:
    nobody = f"http://127.0.0.1:{free_port()}/v1/traces"
    tracing = open_tracing(TelemetrySettings(traces_endpoint=nobody, sample_ratio=0.0), "worker")
    with tracing.span("turn", about=queued_message(user_id="alice")) as turn:
        outer = inject()["traceparent"]
        with tracing.span("chat") as chat:
            inner = inject()["traceparent"]
    assert (turn, chat) == (SILENT_SPAN, SILENT_SPAN)
    assert outer == inner
    carried = extract({"traceparent": outer})
    assert carried is not None
    assert not carried.sampled
    assert current_trace() is None
    await tracing.close()
