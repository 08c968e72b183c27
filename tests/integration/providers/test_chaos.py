"""Faults on purpose, seen by what protects a chain, and by a worker's callers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from redis.asyncio import Redis

from deploy.scripted_provider.provider import ScriptedProvider
from shared.breakers.board import BreakerBoard
from shared.breakers.rules import LocalBreakers
from shared.clock import SystemClock
from shared.messages.facts import FACTS_KEY
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.settings.turn.chaos import (
    ChaosSettings,
    InjectedError,
    InjectionKind,
    InjectionSettings,
)
from shared.telemetry.metrics import Metrics
from tests.integration.conftest import OneMachine
from tests.integration.providers.asking import prompt
from tests.integration.workers.agent_worker import AgentWorker
from tests.integration.workers.provider_thread import ProviderThread
from tests.integration.workers.road import Road
from tests.integration.workers.stack import Stack, openai_link
from tests.servers.ports import free_port
from workers.providers.attempt import ChainResult
from workers.providers.building import build_chain
from workers.providers.chain import Chain
from workers.providers.chaos.chaos import Chaos
from workers.providers.limiting.outbound_limits import OutboundLimits
from workers.providers.wire.http.connections import ProviderConnections

PRICES = [{"model": "scripted", "input_per_million": 2, "output_per_million": 8}]
LIE = "Your balance is $127,549.32."


class Protected:
    """Two models behind breakers and limits; calls of the first fail as the test says."""

    def __init__(
        self,
        scripted: ScriptedProvider,
        connections: ProviderConnections,
        limits: OutboundLimits,
        injection: InjectionSettings,
    ) -> None:
        self._clock = SystemClock()
        metrics, rules = Metrics(), BreakerSettings()
        keeper = LocalBreakers(rules, self._clock)
        chaos = ChaosSettings(enabled=True, injections=(injection,))
        self._chain: Chain = build_chain(
            [_model("first", scripted), _model("second", scripted)],
            connections,
            clock=self._clock,
            breakers=BreakerBoard(keeper, rules, metrics=metrics, clock=self._clock),
            limits=limits,
            chaos=Chaos(chaos, metrics),
        )

    async def ask(self) -> ChainResult:
        deadline = self._clock.now() + timedelta(seconds=10)
        return await self._chain.answer(prompt(), deadline=deadline)


def _model(name: str, scripted: ScriptedProvider) -> ProviderSettings:
    return ProviderSettings(
        name=name,
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=scripted.openai_url,
        model=name,
        max_tries=1,
        max_concurrency=10,
    )


@pytest.fixture
async def limits(redis_client: Redis) -> AsyncIterator[OutboundLimits]:
    opened = OutboundLimits(redis_client, SystemClock())
    yield opened
    await opened.close()


def fault(error: InjectedError, **more: Any) -> InjectionSettings:
    return InjectionSettings(
        kind=InjectionKind.FAULT, rate=1.0, providers=("first",), error=error, **more
    )


async def test_breakers_see_the_faults(
    scripted: ScriptedProvider, connections: ProviderConnections, limits: OutboundLimits
) -> None:
    protected = Protected(scripted, connections, limits, fault(InjectedError.SERVER_ERROR))
    results = [await protected.ask() for _ in range(7)]

    assert {result.provider for result in results} == {"second"}
    assert [len(result.attempts) for result in results] == [2] * 5 + [1] * 2
    assert results[-1].skipped == ("first",)
    assert scripted.calls.by_model == {"second": 7}


async def test_limits_see_a_429(
    scripted: ScriptedProvider, connections: ProviderConnections, limits: OutboundLimits
) -> None:
    refused = fault(InjectedError.RATE_LIMITED, retry_after_seconds=30)
    protected = Protected(scripted, connections, limits, refused)
    await protected.ask()
    result = await protected.ask()

    assert [each.error_class for each in result.attempts] == ["held_back", None]


@pytest.fixture(scope="module")
def stack(provider: ProviderThread, one_machine: OneMachine) -> Stack:
    injections = [
        {"kind": "fault", "rate": 1, "error": "cut_stream", "tenants": ["ten_cut"]},
        {"kind": "fault", "rate": 1, "error": "server_error", "tenants": ["ten_down"]},
        {"kind": "outcome", "rate": 1, "text": LIE, "tenants": ["ten_lie"], "models": ["scripted"]},
        {"kind": "latency", "rate": 1, "seconds": 0.5, "providers": ["first"]},
    ]
    return one_machine(
        openai_link(provider.url, "first"),
        {"name": "people", "kind": "handoff", "apology": "A person will answer."},
        FOREBAY_COSTS__PRICES=json.dumps(PRICES),
        FOREBAY_CHAOS__ENABLED="true",
        FOREBAY_CHAOS__INJECTIONS=json.dumps(injections),
        FOREBAY_WORKER__METRICS_PORT=str(free_port()),
    )


async def test_a_worker_says_aloud_that_chaos_is_on(road: Road, worker: AgentWorker) -> None:
    await road.ended(await road.accept("start"))
    lines = [line for line in worker.log.splitlines() if "chaos_is_on" in line]

    assert len(lines) == 4
    assert all('"level":"warning"' in line.replace(": ", ":") for line in lines)


async def test_an_outage_on_purpose_costs_callers_a_human_answer_and_no_call(
    road: Road, provider: ProviderThread
) -> None:
    record = await road.ended(await road.accept("outage", tenant_id="ten_down"))

    assert record.output_text == "A person will answer."
    assert [each.error_class for each in await road.attempts(record)] == ["server_error", None]
    assert provider.calls("outage") == []


async def test_a_lie_on_purpose_is_caught_by_the_facts(road: Road, stack: Stack) -> None:
    facts = json.dumps({"balance": {"type": "money", "value": 47.15, "currency": "USD"}})
    body = {"metadata": {FACTS_KEY: facts}}
    record = await road.ended(await road.accept("lie", tenant_id="ten_lie", body=body))

    rejected, *_ = await road.attempts(record)
    assert (rejected.error_class, rejected.cost) == ("rejected", 0)
    assert record.output_text == "A person will answer."

    port = stack.environment["FOREBAY_WORKER__METRICS_PORT"]
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/metrics") as response,
    ):
        page = await response.text()
    assert 'forebay_chaos_injections_total{kind="outcome",provider="first"}' in page


async def test_a_stream_cut_on_purpose_costs_callers_a_human_answer(road: Road) -> None:
    record = await road.ended(
        await road.accept("cut me", tenant_id="ten_cut", body={"stream": True})
    )

    assert [each.error_class for each in await road.attempts(record)] == ["cut_stream", None]
    assert record.output_text == "A person will answer."


async def test_everybody_else_is_answered_later_and_truly(road: Road) -> None:
    record = await road.ended(await road.accept("and me?"))
    (attempt,) = await road.attempts(record)

    assert record.output_text == "You said: and me?"
    assert attempt.latency_seconds >= 0.5
