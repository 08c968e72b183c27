"""One trace from the worker to the provider: the call's span is the parent of the provider's."""

from __future__ import annotations

from datetime import timedelta

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.telemetry.message_spans.pseudonyms import Pseudonyms
from shared.telemetry.recording_tracing import RecordingTracing
from shared.telemetry.redacting_exporter import RedactingExporter
from shared.telemetry.tracing import SilentTracing, Tracing, extract
from tests.integration.providers.asking import prompt
from workers.providers.building import build_chain
from workers.providers.wire.http.connections import ProviderConnections

PARENT = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


async def ask(
    scripted: ScriptedProvider, connections: ProviderConnections, tracing: Tracing
) -> list[str]:
    clock = SystemClock()
    settings = ProviderSettings(
        name="model", kind=ProviderKind.OPENAI_COMPATIBLE, base_url=scripted.openai_url, model="m"
    )
    chain = build_chain([settings], connections, clock=clock, tracing=tracing)
    with tracing.span("turn", parent=extract(PARENT)):
        await chain.answer(prompt(), deadline=clock.now() + timedelta(seconds=10))
    return [call.headers["traceparent"] for call in scripted.calls]


async def test_every_attempt_has_its_span_and_the_provider_continues_it(
    scripted: ScriptedProvider, connections: ProviderConnections, exporter: InMemorySpanExporter
) -> None:
    scripted.script(Behaviour(kind=Kind.SERVER_ERROR, times=1))
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    heard = await ask(
        scripted,
        connections,
        RecordingTracing(provider, RedactingExporter(exporter), Pseudonyms(None)),
    )

    failed, answered, turn = exporter.get_finished_spans()
    assert turn.name == "turn"
    assert failed.name == answered.name == "chat m"
    assert not failed.status.is_ok
    assert answered.attributes is not None
    assert answered.attributes["gen_ai.provider.name"] == "model"
    assert answered.attributes["gen_ai.usage.output_tokens"] == 10
    assert [parent[36:52] for parent in heard] == [
        f"{span.context.span_id:016x}" for span in (failed, answered)
    ]
    assert {parent[3:35] for parent in heard} == {"a" * 32}


async def test_without_tracing_the_producers_trace_is_passed_on(
    scripted: ScriptedProvider, connections: ProviderConnections
) -> None:
    assert await ask(scripted, connections, SilentTracing()) == [PARENT["traceparent"]]
