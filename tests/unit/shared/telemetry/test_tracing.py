from __future__ import annotations

import asyncio
import subprocess
import sys
from types import FrameType

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.errors import BrokerUnavailable, SettingsError
from shared.settings.telemetry import TelemetrySettings
from shared.telemetry import genai
from shared.telemetry.open_tracing import open_tracing
from shared.telemetry.redacting_exporter import RedactingExporter
from shared.telemetry.tracing import (
    SILENT_SPAN,
    SpanKind,
    Tracing,
    current_span,
    current_trace,
    extract,
    inject,
)
from tests.servers.collector import attributes_of
from tests.servers.ports import free_port
from tests.unit.shared.telemetry.conftest import Collector

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OFF = TelemetrySettings()


async def test_spans_reach_a_collector_with_their_names_kinds_and_attributes(
    tracing: Tracing, received: Collector
) -> None:
    with tracing.span("chat small", SpanKind.CLIENT, {genai.REQUEST_MODEL: "small"}) as span:
        span.set_attributes({genai.USAGE_INPUT_TOKENS: 12, genai.RESPONSE_FINISH_REASONS: ["stop"]})
        span.add_event("first token")
    await tracing.close()

    arrived = received.spans["chat small"]
    attributes = {one.key: one.value for one in arrived.attributes}
    assert arrived.kind == arrived.SPAN_KIND_CLIENT
    assert attributes[genai.REQUEST_MODEL].string_value == "small"
    assert attributes[genai.USAGE_INPUT_TOKENS].int_value == 12
    assert [event.name for event in arrived.events] == ["first token"]
    resource = received.exports[0].resource_spans[0].resource
    assert "worker" in {one.value.string_value for one in resource.attributes}


async def test_one_trace_runs_from_the_producer_through_the_queue_to_the_provider(
    tracing: Tracing, received: Collector
) -> None:
    producer = extract({"traceparent": TRACEPARENT, "tracestate": "vendor=value"})
    with tracing.span("accept", SpanKind.SERVER, parent=producer), tracing.span("publish"):
        on_the_queue = inject()
    with (
        tracing.span("turn", SpanKind.CONSUMER, parent=extract(on_the_queue)),
        tracing.span("chat"),
    ):
        to_the_provider = inject()
    await tracing.close()

    spans = received.spans
    assert {span.trace_id.hex() for span in spans.values()} == {TRACEPARENT[3:35]}
    assert spans["accept"].parent_span_id.hex() == TRACEPARENT[36:52]
    assert spans["publish"].parent_span_id == spans["accept"].span_id
    assert spans["turn"].parent_span_id == spans["publish"].span_id
    assert spans["chat"].parent_span_id == spans["turn"].span_id
    assert to_the_provider["traceparent"][36:52] == spans["chat"].span_id.hex()
    assert to_the_provider["tracestate"] == "vendor=value"


async def test_a_span_without_a_parent_begins_a_trace_and_leaves_none_behind(
    tracing: Tracing,
) -> None:
    with tracing.span("one"):
        one = current_trace()
    with tracing.span("other"):
        other = current_trace()
    assert one is not None
    assert other is not None
    assert one.trace_id != other.trace_id
    assert current_trace() is None


async def test_an_error_marks_its_span_by_code_and_never_by_its_text(
    tracing: Tracing, received: Collector
) -> None:
    with pytest.raises(BrokerUnavailable), tracing.span("publish"):
        raise BrokerUnavailable("the prompt was: my secret diary")
    await tracing.close()
    arrived = received.spans["publish"]
    assert arrived.status.code == arrived.status.STATUS_CODE_ERROR
    assert [one.value.string_value for one in arrived.attributes] == ["broker_unavailable"]
    assert b"diary" not in received.exports[0].SerializeToString()


async def test_a_cancellation_is_no_error(tracing: Tracing, received: Collector) -> None:
    with pytest.raises(asyncio.CancelledError), tracing.span("turn"):
        raise asyncio.CancelledError
    await tracing.close()
    assert received.spans["turn"].status.code == 0


async def test_prompts_and_secrets_do_not_leave_in_a_span(
    tracing: Tracing, received: Collector
) -> None:
    with tracing.span("chat", attributes={"gen_ai.input.messages": "diary", "body": "diary"}) as s:
        s.set_attribute("url", "https://user:diary@host/")
        s.add_event("called", {"header": "Bearer diary-diary", "authorization": "diary"})
    await tracing.close()
    assert received.spans
    assert b"diary" not in received.exports[0].SerializeToString()


async def test_a_collector_that_is_down_costs_spans_and_bounded_time() -> None:
    endpoint = f"http://127.0.0.1:{free_port()}/v1/traces"
    tracing = open_tracing(TelemetrySettings(traces_endpoint=endpoint), "worker")
    with tracing.span("turn"):
        pass
    async with asyncio.timeout(60):
        await tracing.close()


def test_a_collector_that_never_answers_does_not_hold_the_process() -> None:
    program = (
        "import asyncio, socket, time\n"
        "from shared.settings.telemetry import TelemetrySettings\n"
        "from shared.telemetry.open_tracing import open_tracing\n"
        "deaf = socket.create_server(('127.0.0.1', 0))\n"
        "endpoint = f'http://127.0.0.1:{deaf.getsockname()[1]}/v1/traces'\n"
        "tracing = open_tracing(TelemetrySettings(traces_endpoint=endpoint), 'x')\n"
        "for _ in range(2000):\n"
        "    with tracing.span('turn'): pass\n"
        "began = time.monotonic()\n"
        "asyncio.run(tracing.close())\n"
        "print(time.monotonic() - began)"
    )
    command = [sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, check=True, text=True, timeout=60)
    assert float(ended.stdout) < 30


def test_nothing_is_redacted_once_the_exporter_is_abandoned() -> None:
    kept = InMemorySpanExporter()
    exporter = RedactingExporter(kept)
    span = ReadableSpan("turn", trace.INVALID_SPAN_CONTEXT)

    assert exporter.export([span]) is SpanExportResult.SUCCESS
    exporter.abandon()
    assert exporter.export([span]) is SpanExportResult.FAILURE
    assert len(kept.get_finished_spans()) == 1


def test_off_an_incoming_trace_is_passed_on_unchanged() -> None:
    tracing = open_tracing(OFF, "ingress")
    carrier = {"traceparent": TRACEPARENT, "tracestate": "vendor=value"}
    with tracing.span("accept", parent=extract(carrier)), tracing.span("publish"):
        assert inject() == carrier
    assert inject() == {}


def test_off_no_trace_is_made_up_and_every_span_is_the_same_one() -> None:
    tracing = open_tracing(OFF, "ingress")
    with tracing.span("accept") as span:
        span.record_error(ValueError("nobody listens"))
        assert inject() == {}
    assert span is SILENT_SPAN
    assert not tracing.recording


def test_off_a_span_costs_three_calls() -> None:
    tracing = open_tracing(OFF, "ingress")
    called: list[str] = []

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        with tracing.span("turn", SpanKind.CONSUMER):
            pass
    finally:
        sys.setprofile(None)
    assert called == ["span", "__enter__", "__exit__"]


def test_off_nothing_of_opentelemetry_is_imported() -> None:
    program = (
        "import sys\n"
        "from shared.settings.telemetry import TelemetrySettings\n"
        "from shared.telemetry import genai, logs, metrics\n"
        "from shared.telemetry.open_tracing import open_tracing\n"
        "with open_tracing(TelemetrySettings(), 'x').span('turn'): pass\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    command = [sys.executable, "-c", program]
    output = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert output.stdout.strip() == "[]", output.stderr


async def test_a_key_of_pseudonyms_that_is_missing_is_said_before_anything_is_traced(
    collector: tuple[Collector, str],
) -> None:
    settings = TelemetrySettings(traces_endpoint=collector[1], pseudonym_key_env="NO_SUCH_VARIABLE")
    with pytest.raises(SettingsError) as raised:
        open_tracing(settings, "worker")
    assert "$NO_SUCH_VARIABLE" in raised.value.findings[0]
    assert open_tracing(TelemetrySettings(pseudonym_key_env="NO_SUCH_VARIABLE"), "worker")


async def test_a_span_can_be_added_to_by_whoever_is_in_it(
    tracing: Tracing, received: Collector
) -> None:
    current_span().set_attribute("lost", 1)
    with tracing.span("outer"):
        with tracing.span("inner"):
            current_span().set_attribute("number", 2)
        current_span().set_attribute("number", 1)
    assert current_span() is SILENT_SPAN
    await tracing.close()
    found = {name: attributes_of(span) for name, span in received.spans.items()}
    assert found == {"outer": {"number": 1}, "inner": {"number": 2}}
