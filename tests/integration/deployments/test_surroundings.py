"""What stands around a call of a deployment: chaos, its span, streams."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.clock import SystemClock
from shared.settings.turn.chaos import InjectedError, InjectionKind, InjectionSettings
from shared.telemetry.message_spans.pseudonyms import Pseudonyms
from shared.telemetry.recording_tracing import RecordingTracing
from shared.telemetry.redacting_exporter import RedactingExporter
from tests.integration.deployments.fleet import NAMES, PROMPT, Fleet
from workers.providers.attempt import Attempt, ChainExhaustedError, ModelsAwayError
from workers.providers.provider import Piece


@pytest.mark.parametrize(("named", "struck"), [("primary@north", {"north"}), ("primary", {*NAMES})])
async def test_chaos_strikes_one_of_them_or_all(fleet: Fleet, named: str, struck: set[str]) -> None:
    injection = InjectionSettings(
        kind=InjectionKind.FAULT, rate=1.0, providers=(named,), error=InjectedError.SERVER_ERROR
    )
    worker = fleet.worker(injections=(injection,), spare=True, max_tries=1)

    ends = Counter()
    for _ in range(40):  # equals are chosen among by chance
        for each in (await worker.ask()).attempts:
            ends[each.deployment, each.error_class] += 1

    assert {name for name, error in ends if error == "server_error"} == struck
    assert {name for name, error in ends if error is None} == ({*NAMES} - struck or {None})


async def test_a_span_says_which_one_was_called(fleet: Fleet) -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing = RecordingTracing(provider, RedactingExporter(exporter), Pseudonyms(None))

    asked = await fleet.worker(tracing=tracing).asked()

    (span,) = exporter.get_finished_spans()
    assert span.attributes is not None
    assert span.attributes["gen_ai.provider.name"] == "primary"
    assert span.attributes["forebay.deployment"] == asked


async def test_a_stream_that_was_cut_begins_again_at_another_one(fleet: Fleet) -> None:
    fleet.servers["north"].script(Behaviour(kind=Kind.CUT_STREAM, after_tokens=2))
    worker = fleet.worker()
    told: list[str] = []

    async def hear(piece: Piece) -> None:
        told.append(str(piece))

    async def restart() -> None:
        told.clear()

    async def ask() -> tuple[str | None, ...]:
        told.clear()
        deadline = SystemClock().now() + timedelta(seconds=60)
        result = await worker.chain.answer(
            PROMPT, deadline=deadline, on_delta=hear, on_restart=restart
        )
        assert "".join(told) == "You said: Why?"
        return tuple(each.deployment for each in result.attempts)

    places: tuple[str | None, ...] = ()
    while "north" not in places:  # equals are chosen among by chance
        places = await ask()

    assert places[0] == "north"
    assert places[1] in {"south", "west"}
    assert len(places) == 2
    await fleet.nothing_counted()


async def test_a_call_that_opens_the_last_of_their_breakers_lets_a_message_wait(
    fleet: Fleet,
) -> None:
    """Such a call may be on the bill: alone it does not say that nobody had the message."""
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.MALFORMED_JSON))
    worker = fleet.worker(max_tries=1)
    deadline = SystemClock().now() + timedelta(seconds=60)
    called: list[tuple[Attempt, ...]] = []
    while True:  # equals are chosen among by chance
        try:
            await worker.chain.answer(
                PROMPT, deadline=deadline, waits=True, on_called=called.append
            )
        except ChainExhaustedError:
            continue
        except ModelsAwayError:
            break
    assert len(called[-1]) == 1
