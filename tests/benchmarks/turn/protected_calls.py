"""What protects a provider, when all is well: breaker, outbound limits, retry and booking, and
what it takes to choose one of three deployments.

One process with many calls at once of a provider that answers after a few milliseconds; CPU a call
beyond that of the provider alone. There is no stock way to stand beside it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import uvloop

from shared.breakers.board import BreakerBoard
from shared.breakers.fleet import BreakerFleet
from shared.clock import SystemClock
from shared.collector import leave_what_stays_to_itself
from shared.messages.item import MessageItem, Role
from shared.redis.client import open_redis
from shared.settings.deployment import DeploymentSettings
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.resilience import BreakerSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from shared.telemetry.metrics import Metrics
from tests.benchmarks.ground.stage import Broker, Ledger, Stage
from tests.benchmarks.measurement import Progress, Rounds, Row
from workers.providers.chain import Chain, ChainLink
from workers.providers.deployments.loads import DeploymentLoads
from workers.providers.deployments.members import Deployment, DeploymentSet
from workers.providers.deployments.pool import DeploymentPool
from workers.providers.limiting.limited import LimitedProvider
from workers.providers.limiting.outbound_limits import OutboundLimits
from workers.providers.outcome import Answer, FinishReason, Usage
from workers.providers.provider import Prompt, Sink

CALLERS: Final = 200
CALL_SECONDS: Final = 0.005
ROUNDS: Final = 5
SHARE_OF_A_ROUND: Final = 0.2
MOST_MICROSECONDS: Final = 30.0

PROMPT: Final = Prompt(items=(MessageItem(Role.USER, "Where is my parcel?" * 20),))
ANSWER: Final = Answer(
    text="On its way.",
    model="m",
    finish=FinishReason.STOP,
    usage=Usage(input_tokens=100, output_tokens=5),
)
SETTINGS: Final = ProviderSettings(
    name="model",
    kind=ProviderKind.OPENAI_COMPATIBLE,
    requests_per_minute=1_000_000_000,
    tokens_per_minute=1_000_000_000,
    max_concurrency=1_000_000,
)
DEPLOYED: Final = ProviderSettings(
    name="model",
    kind=ProviderKind.OPENAI_COMPATIBLE,
    base_url="http://h/v1",
    deployments=tuple(DeploymentSettings(name=name) for name in ("a", "b", "c")),
)
Call = Callable[[], Awaitable[object]]


class PunctualProvider:
    """Answers after a while, at next to no cost of its own."""

    name = "model"

    def model_for(self, requested: str) -> str:
        return "m"

    async def answer(
        self,
        prompt: Prompt,
        *,
        time_left_seconds: float,
        on_delta: Sink | None = None,
    ) -> Answer:
        await asyncio.sleep(CALL_SECONDS)
        return ANSWER

    async def close(self) -> None:
        """Nothing to release."""


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """Breaker and retry alone; then with limits, or deployments, which take a trip to Redis."""
    say(f"breaker, limits and retry around {CALLERS} calls at once")
    redis_url = stage.ground(Broker.REDIS, Ledger.SQLITE).redis_url
    rounds = uvloop.run(_measured(redis_url, seconds * SHARE_OF_A_ROUND))
    yield _row("breaker + retry", "no limits set", rounds["free"])
    yield _row("breaker + outbound limit + retry", "Redis", rounds["limited"])
    yield _row(
        "breaker + one of three deployments + retry", "Redis", rounds["deployed"], limit=None
    )


def _row(
    what: str, on: str, microseconds: float, *, limit: float | None = MOST_MICROSECONDS
) -> Row:
    return Row(what=f"{what}, CPU a call", on=on, unit="µs", ours=microseconds, limit=limit)


async def _measured(redis_url: str, seconds: float) -> Rounds:
    rounds, provider = Rounds(), PunctualProvider()
    deadline = SystemClock().now() + timedelta(hours=1)
    async with _chains(redis_url, provider) as (free, limited, deployed):
        leave_what_stays_to_itself()
        for _ in range(ROUNDS):
            bare = await _cpu(lambda: provider.answer(PROMPT, time_left_seconds=60), seconds)
            rounds.add(
                free=await _cpu(lambda: free.answer(PROMPT, deadline=deadline), seconds) - bare,
                limited=await _cpu(lambda: limited.answer(PROMPT, deadline=deadline), seconds)
                - bare,
                deployed=await _cpu(lambda: deployed.answer(PROMPT, deadline=deadline), seconds)
                - bare,
            )
    return rounds


@asynccontextmanager
async def _chains(redis_url: str, provider: PunctualProvider) -> AsyncIterator[tuple[Chain, ...]]:
    clock, rules = SystemClock(), BreakerSettings()
    redis = open_redis(RedisSettings(url=ServerUrl(redis_url)))
    fleet, limits = BreakerFleet(redis, rules, clock), OutboundLimits(redis, clock)
    breakers = BreakerBoard(fleet, rules, metrics=Metrics(), clock=clock)
    behind_limits = LimitedProvider(provider, SETTINGS, limits=limits, clock=clock)
    loads = DeploymentLoads(redis, clock, Metrics())
    deployments = [Deployment(name=each.name, provider=provider) for each in DEPLOYED.deployments]
    members = DeploymentSet(DEPLOYED, deployments, loads=loads, breakers=breakers)
    pool = DeploymentPool(members, clock=clock)
    refreshing = asyncio.create_task(_refreshed(breakers, rules.refresh_seconds))
    yield (
        Chain([ChainLink(provider=provider, breakers=breakers)], clock=clock),
        Chain([ChainLink(provider=behind_limits, breakers=breakers)], clock=clock),
        Chain([ChainLink(provider=pool, breakers=breakers, deployments=pool)], clock=clock),
    )
    refreshing.cancel()
    await breakers.close()
    await limits.close()
    await loads.close()
    await fleet.close()
    await redis.aclose()


async def _refreshed(breakers: BreakerBoard, every_seconds: float) -> None:
    while True:
        await breakers.refresh()
        await asyncio.sleep(every_seconds)


async def _cpu(call: Call, seconds: float) -> float:
    """Microseconds of this process for each call, while many run at once."""
    until, calls = time.monotonic() + seconds, 0

    async def keep_calling() -> None:
        nonlocal calls
        while time.monotonic() < until:
            await call()
            calls += 1

    began = time.process_time()
    await asyncio.gather(*(keep_calling() for _ in range(CALLERS)))
    return (time.process_time() - began) / calls * 1e6
