"""A hedge keeps to the outbound limits of its own provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.breakers.board import BreakerBoard
from shared.breakers.rules import LocalBreakers
from shared.clock import SystemClock
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.settings.turn.hedging import HedgingSettings
from shared.telemetry.metrics import Metrics
from tests.integration.providers.asking import prompt
from workers.providers.building import build_chain
from workers.providers.limiting.outbound_limits import OutboundLimit, OutboundLimits
from workers.providers.walking.lateness import Hedging
from workers.providers.wire.http.connections import ProviderConnections

CROWDED = OutboundLimit(name="second/second", max_concurrency=1)


@pytest.fixture
async def limits(redis_client: Redis) -> AsyncIterator[OutboundLimits]:
    opened = OutboundLimits(redis_client, SystemClock())
    yield opened
    await opened.close()


def model(name: str, scripted: ScriptedProvider) -> ProviderSettings:
    return ProviderSettings(
        name=name,
        kind=ProviderKind.OPENAI_COMPATIBLE,
        base_url=scripted.openai_url,
        model=name,
        max_concurrency=1 if name == "second" else None,
    )


async def test_a_hedge_waits_for_its_turn_and_leaves_its_place(
    scripted: ScriptedProvider, connections: ProviderConnections, limits: OutboundLimits
) -> None:
    clock, rules, metrics = SystemClock(), BreakerSettings(), Metrics()
    hedging = Hedging(HedgingSettings(minimum_samples=1, shortest_seconds=0), metrics)
    hedging.learn(("first", "first", False), 0.05)
    keeper = LocalBreakers(rules, clock)
    chain = build_chain(
        [model("first", scripted), model("second", scripted)],
        connections,
        clock=clock,
        breakers=BreakerBoard(keeper, rules, metrics=metrics, clock=clock),
        limits=limits,
        hedging=hedging,
    )
    scripted.script(Behaviour(kind=Kind.LATENCY, seconds=0.5), model="first")
    somebody_else, the_next = limits.new_permit(), limits.new_permit()
    assert await limits.take(CROWDED, somebody_else, tokens=0, lease_seconds=60) == 0

    result = await chain.answer(prompt(), deadline=clock.now() + timedelta(seconds=20))

    assert [(each.provider, each.error_class) for each in result.attempts] == [
        ("first", None),
        ("second", "hedged_away"),
    ]
    assert scripted.calls.by_model == {"first": 1}

    limits.give_back(CROWDED, somebody_else)
    async with asyncio.timeout(60):
        while await limits.take(CROWDED, the_next, tokens=0, lease_seconds=60):
            pass
