"""Which of several deployments is asked: what others of their kind are complained of for."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from msgspec.structs import replace
from redis.asyncio import Redis

from deploy.scripted_provider.behaviour import Behaviour, Kind
from deploy.scripted_provider.provider import ScriptedProvider
from shared.clock import SystemClock
from shared.messages.item import MessageItem, Role
from shared.settings.providers import ProviderKind, ProviderSettings
from tests.integration.deployments.fleet import NAMES, PROMPT, Fleet
from workers.providers.building import build_chain
from workers.providers.wire.http.connections import ProviderConnections


async def test_equals_are_asked_at_random_and_not_the_first_of_them(fleet: Fleet) -> None:
    worker = fleet.worker()

    asked = Counter([await worker.asked() for _ in range(60)])

    assert sorted(asked) == sorted(NAMES)
    assert min(asked.values()) >= 6


async def test_equals_are_asked_by_their_weights(fleet: Fleet) -> None:
    weights = {"north": {"weight": 4.0}, "south": {"weight": 1.0}, "west": {"weight": 0.0}}
    worker = fleet.worker(deployments=weights)

    asked = Counter([await worker.asked() for _ in range(80)])

    assert asked["west"] == 0
    assert asked["north"] > 1.5 * asked["south"] > 0


async def test_tokens_count_and_not_calls_and_every_worker_sees_them(fleet: Fleet) -> None:
    one, other = fleet.worker(), fleet.worker()
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.HANG), contains="long")
    long = replace(PROMPT, items=(MessageItem(Role.USER, "a long one"),), max_output_tokens=50_000)
    under_way = asyncio.create_task(one.ask(long))
    async with asyncio.timeout(60):
        while not sum(fleet.calls().values()):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    (busy,) = [name for name, calls in fleet.calls().items() if calls]

    asked = Counter([await other.asked() for _ in range(12)])
    crowd = Counter(await asyncio.gather(*(other.asked() for _ in range(12))))

    assert busy not in asked
    assert busy not in crowd
    under_way.cancel()
    await asyncio.gather(under_way, return_exceptions=True)
    await fleet.nothing_counted()


async def test_the_slow_one_is_asked_less(fleet: Fleet) -> None:
    fleet.servers["north"].script(Behaviour(kind=Kind.HANG))
    for name in ("south", "west"):
        fleet.servers[name].script(Behaviour(kind=Kind.LATENCY, seconds=0.02))
    workers = [fleet.worker(), fleet.worker()]
    left = iter(range(120))

    async def ask_on(number: int) -> None:
        for _ in left:
            await workers[number % 2].ask()

    asking = [asyncio.create_task(ask_on(number)) for number in range(12)]
    while len(asking) > fleet.servers["north"].calls.in_flight:
        _, rest = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        asking = list(rest)
    for each in asking:
        each.cancel()
    await asyncio.wait(asking)

    calls = fleet.calls()
    assert sum(calls.values()) == 120
    assert calls["north"] * 2 < min(calls["south"], calls["west"])
    await fleet.nothing_counted()


async def test_each_keeps_to_its_own_limits(fleet: Fleet) -> None:
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.LATENCY, seconds=0.05))
    limits = {name: {"max_concurrency": 2} for name in NAMES}
    workers = [fleet.worker(deployments=limits) for _ in range(2)]

    results = await asyncio.gather(*(worker.ask() for worker in workers for _ in range(12)))

    assert {result.provider for result in results} == {"primary"}
    assert {server.calls.most_in_flight for server in fleet.servers.values()} == {2}
    await fleet.nothing_counted()


async def test_where_all_are_full_the_next_provider_is_asked(fleet: Fleet) -> None:
    limits = {name: {"requests_per_minute": 1} for name in NAMES}
    worker = fleet.worker(deployments=limits, spare=True)

    results = [await worker.ask() for _ in range(4)]

    assert [result.provider for result in results] == [*["primary"] * 3, "spare"]
    assert {result.attempts[0].deployment for result in results[:3]} == set(NAMES)
    held = results[3].attempts[0]
    assert (held.error_class, held.deployment, held.usage) == ("held_back", None, None)


async def test_a_late_one_has_another_beside_it(fleet: Fleet) -> None:
    worker = fleet.worker(hedged=True)
    for _ in range(20):
        await worker.ask()
    fleet.servers["north"].script(Behaviour(kind=Kind.HANG))

    results = await asyncio.gather(*(worker.ask() for _ in range(9)))

    # On a slow machine others are late, too.
    hung = [each.attempts for each in results if each.attempts[0].deployment == "north"]
    assert hung
    for first, second in hung:
        assert first.error_class == "hedged_away"
        assert (second.deployment, second.error_class) in {("south", None), ("west", None)}
    await fleet.nothing_counted()


async def test_a_provider_without_deployments_asks_redis_nothing(
    connections: ProviderConnections, redis_client: Redis
) -> None:
    async with ScriptedProvider() as server:
        kind, clock = ProviderKind.OPENAI_COMPATIBLE, SystemClock()
        alone = ProviderSettings(name="alone", kind=kind, base_url=server.openai_url, model="m")
        chain = build_chain([alone], connections, clock=clock)
        await redis_client.config_resetstat()
        result = await chain.answer(PROMPT, deadline=clock.now() + timedelta(seconds=60))

    assert result.attempts[0].deployment is None
    assert "cmdstat_evalsha" not in await redis_client.info("commandstats")
