"""What a provider is sent by a fleet that was told its limits."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.redis.client import open_redis
from shared.settings.providers import ProviderKind, ProviderSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import RedisSettings
from tests.integration.patience import PatientSettings
from tests.integration.resilience.asking_process import PROMPT
from tests.servers.redis import RedisServer
from workers.providers.attempt import ChainResult
from workers.providers.building import build_chain
from workers.providers.chain import Chain
from workers.providers.limiting.outbound_limits import OutboundLimit, OutboundLimits
from workers.providers.wire.http.connections import ProviderConnections

CROWDED = OutboundLimit(name="primary/small", max_concurrency=2)


class Fleet:
    """Two processes' chains: a limited model, and a spare one behind it."""

    def __init__(
        self, redis: RedisSettings, provider: ScriptedProvider, stack: AsyncExitStack
    ) -> None:
        self._redis = redis
        self._provider = provider
        self._stack = stack

    def limits(self) -> OutboundLimits:
        redis = open_redis(self._redis)
        self._stack.push_async_callback(redis.aclose)
        limits = OutboundLimits(redis, SystemClock())
        self._stack.push_async_callback(limits.close)
        return limits

    def chain(self, connections: ProviderConnections, **bounds: int) -> Chain:
        url, kind = self._provider.openai_url, ProviderKind.OPENAI_COMPATIBLE
        limited = ProviderSettings(
            name="primary", kind=kind, base_url=url, model="small", max_tries=1, **bounds
        )
        spare = ProviderSettings(name="spare", kind=kind, base_url=url, model="large")
        return build_chain([limited, spare], connections, clock=SystemClock(), limits=self.limits())


@pytest.fixture
async def provider() -> AsyncIterator[ScriptedProvider]:
    async with ScriptedProvider() as provider:
        yield provider


@pytest.fixture
async def connections() -> AsyncIterator[ProviderConnections]:
    async with ProviderConnections() as connections:
        yield connections


@pytest.fixture
async def fleet(
    redis_url: str, provider: ScriptedProvider, patience: PatientSettings
) -> AsyncIterator[Fleet]:
    async with AsyncExitStack() as stack:
        yield Fleet(patience(redis_url), provider, stack)


async def ask(chain: Chain, *, seconds: float = 50) -> ChainResult:
    return await chain.answer(PROMPT, deadline=SystemClock().now() + timedelta(seconds=seconds))


async def test_no_more_calls_are_under_way_than_the_fleet_may_have(
    fleet: Fleet, provider: ScriptedProvider, connections: ProviderConnections
) -> None:
    provider.script(Behaviour(kind=Kind.LATENCY, seconds=0.05))
    chains = [fleet.chain(connections, max_concurrency=3) for _ in range(2)]

    results = await asyncio.gather(*(ask(chain) for chain in chains for _ in range(12)))

    assert {result.provider for result in results} == {"primary"}
    assert provider.calls.most_in_flight == 3


async def test_requests_flow_at_the_rate_that_was_set(
    fleet: Fleet, provider: ScriptedProvider, connections: ProviderConnections
) -> None:
    chains = [fleet.chain(connections, requests_per_minute=300) for _ in range(2)]

    began = time.time()
    await asyncio.gather(*(ask(chain) for chain in chains for _ in range(20)))

    times = [call.at for call in provider.calls if call.model == "small"]
    assert len(times) == 40
    # 30 at once, a tenth of a minute's; then one each 0.2 s. The first may arrive late.
    assert times[39] - began >= 1.8


async def test_tokens_that_were_used_hold_the_next_call_back(
    fleet: Fleet, provider: ScriptedProvider, connections: ProviderConnections
) -> None:
    provider.script(Behaviour(text="word " * 2000))
    chain = fleet.chain(connections, tokens_per_minute=6000)

    first = await ask(chain)
    second = await ask(chain, seconds=10)
    async with asyncio.timeout(60):  # what the first used is told behind its back
        while second.provider == "primary":
            second = await ask(chain, seconds=10)

    assert (first.provider, second.provider) == ("primary", "spare")
    assert [str(each.error_class) for each in second.attempts] == ["held_back", "None"]


async def test_whose_turn_would_come_too_late_goes_to_the_next_provider_at_once(
    fleet: Fleet, connections: ProviderConnections
) -> None:
    chain = fleet.chain(connections, requests_per_minute=1)
    await ask(chain)

    async with asyncio.timeout(40):  # its turn would come in a minute
        assert (await ask(chain)).provider == "spare"


async def test_a_429_holds_back_the_whole_fleet(
    fleet: Fleet, provider: ScriptedProvider, connections: ProviderConnections
) -> None:
    provider.script(
        Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=2, times=1), model="small"
    )
    one, other = [fleet.chain(connections, requests_per_minute=6000) for _ in range(2)]

    assert (await ask(one)).provider == "spare"
    patient = await ask(other)
    assert patient.provider == "primary"
    said = patient.attempts[-1].detail
    assert re.fullmatch(r"it waited \d+\.\d s for our own limits of primary/small", said)

    first, second = [call.at for call in provider.calls if call.model == "small"]
    assert second - first >= 1.9


async def test_a_cancelled_call_and_a_dead_worker_leave_their_places(fleet: Fleet) -> None:
    limits = fleet.limits()
    assert await limits.take(CROWDED, 1, tokens=0, lease_seconds=60) == 0
    assert await limits.take(CROWDED, 2, tokens=0, lease_seconds=0.05) == 0
    assert await limits.take(CROWDED, 3, tokens=0, lease_seconds=60) > 0
    async with asyncio.timeout(60):  # the dead worker's lease ends
        while await limits.take(CROWDED, 3, tokens=0, lease_seconds=60):
            pass

    limits.give_back(CROWDED, 1)
    async with asyncio.timeout(60):
        while await limits.take(CROWDED, 4, tokens=0, lease_seconds=60):
            pass


async def test_a_crowd_that_asks_at_once_is_told_one_by_one(fleet: Fleet) -> None:
    limits = fleet.limits()
    roomy = OutboundLimit(name="primary/large", max_concurrency=5)

    async def taken(limit: OutboundLimit, number: int) -> bool:
        wait = await limits.take(limit, number, tokens=0, lease_seconds=60)
        return wait == 0

    asking = [taken(limit, number) for number in range(8) for limit in (CROWDED, roomy)]
    granted = await asyncio.gather(*asking)

    assert granted[0::2] == [True] * 2 + [False] * 6
    assert granted[1::2] == [True] * 5 + [False] * 3


async def test_a_place_that_is_given_back_is_there_for_whoever_asks_next(fleet: Fleet) -> None:
    limits = fleet.limits()
    for number in range(20):
        assert await limits.take(CROWDED, number, tokens=0, lease_seconds=60) == 0
        limits.give_back(CROWDED, number)


async def test_numbers_of_one_process_are_not_those_of_another(fleet: Fleet) -> None:
    one, other = fleet.limits(), fleet.limits()
    for limits in (one, other):
        assert await limits.take(CROWDED, 1, tokens=0, lease_seconds=60) == 0

    one.give_back(CROWDED, 1)
    assert await one.take(CROWDED, 2, tokens=0, lease_seconds=60) == 0
    assert await one.take(CROWDED, 3, tokens=0, lease_seconds=60) > 0


async def test_a_provider_that_tells_nonsense_disturbs_no_other_call(fleet: Fleet) -> None:
    limits = fleet.limits()
    frank = OutboundLimit(name="primary/frank", tokens_per_minute=6000)
    assert await limits.take(frank, 1, tokens=0, lease_seconds=60) == 0

    limits.give_back(frank, 1, token_correction=10**400)
    limits.cool(frank, seconds=1e308)
    assert await limits.take(CROWDED, 2, tokens=0, lease_seconds=60) == 0


async def test_without_redis_nobody_is_held_back(
    own_redis: RedisServer, provider: ScriptedProvider, connections: ProviderConnections
) -> None:
    async with AsyncExitStack() as stack:
        settings = RedisSettings(url=ServerUrl(own_redis.url))
        chain = Fleet(settings, provider, stack).chain(connections, requests_per_minute=1)
        await ask(chain)
        own_redis.kill()
        for _ in range(3):
            assert (await ask(chain)).provider == "primary"
