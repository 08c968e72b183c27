"""What is counted of each deployment is what is under way there, and nothing once all has ended."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from deploy.scripted_provider.behaviour import Behaviour, Kind
from shared.errors import ForebayError
from shared.resilience.periodic import repeat, running
from tests.integration.deployments.fleet import PROMPT, AskingWorker, Fleet, talk
from tests.servers.process import ChildProcess
from tests.servers.redis import RedisServer
from workers.providers.deployments.standing import DeploymentStanding

BEHAVIOURS = (
    Behaviour(),
    Behaviour(kind=Kind.LATENCY, seconds=0.1),
    Behaviour(kind=Kind.LATENCY, seconds=0.3),
    Behaviour(kind=Kind.HANG),
    Behaviour(kind=Kind.DISCONNECT),
    Behaviour(kind=Kind.CUT_STREAM),
    Behaviour(kind=Kind.SERVER_ERROR),
    Behaviour(kind=Kind.RATE_LIMITED, retry_after_seconds=0.05),
    Behaviour(kind=Kind.UNAUTHORISED),
    Behaviour(kind=Kind.INVALID_REQUEST),
    Behaviour(kind=Kind.MALFORMED_JSON),
    Behaviour(kind=Kind.SLOW_DRIP, every_seconds=0.02),
)


async def all_under_way(fleet: Fleet, calls: int) -> None:
    async with asyncio.timeout(60):
        while sum(server.calls.in_flight for server in fleet.servers.values()) < calls:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def counted(fleet: Fleet, calls: int) -> None:
    def standing_calls(standing: dict[str, DeploymentStanding]) -> int:
        return sum(each.calls for each in standing.values())

    async with asyncio.timeout(60):
        while standing_calls(await fleet.standing()) != calls:  # noqa: ASYNC110 - Redis tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("seed", range(4))
async def test_whatever_becomes_of_the_calls(fleet: Fleet, seed: int) -> None:
    """Answered, cut, late, refused, hedged, cancelled at any moment."""
    random = Random(seed)
    for server in fleet.servers.values():
        for _ in range(60):
            server.script(replace(random.choice(BEHAVIOURS), times=1))
    limits = {"north": {"max_concurrency": 4}, "south": {"tokens_per_minute": 2_000_000}}
    workers = [fleet.worker(hedged=True, deployments=limits, spare=True) for _ in range(2)]

    async def ask(number: int) -> None:
        prompt = talk(f"conv_{number % 5}") if number % 3 else PROMPT
        await asyncio.sleep(random.uniform(0, 0.5))
        asking = asyncio.create_task(random.choice(workers).ask(prompt, seconds=1.5))
        if random.random() < 0.3:
            await asyncio.sleep(random.choice((0.0, 0.001, 0.01, 0.1, 0.3)))
            asking.cancel()
        with suppress(ForebayError, asyncio.CancelledError):
            await asking

    while sum(fleet.calls().values()) <= 30:  # all of them may be late on a slow machine
        await asyncio.gather(*(ask(number) for number in range(100)))

    await fleet.nothing_counted()
    assert in_flight(workers) == {0.0}


async def test_of_a_worker_that_was_killed(fleet: Fleet, redis_url: str, tmp_path: Path) -> None:
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.HANG), contains="hang")
    urls = [f"{name}={server.openai_url}" for name, server in fleet.servers.items()]
    module = "tests.integration.deployments.asking_process"
    process = ChildProcess(
        command=[sys.executable, "-m", module, redis_url, "1.5", "9", *urls],
        log=tmp_path / "process.log",
    )
    process.spawn()
    await all_under_way(fleet, 9)
    await counted(fleet, 9)
    process.kill()
    await counted(fleet, 0)

    worker = fleet.worker()
    asked = [await worker.asked() for _ in range(30)]
    assert set(asked) == set(fleet.servers)
    await fleet.nothing_counted()


async def test_of_a_call_that_outlasts_its_lease(fleet: Fleet) -> None:
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.HANG))
    worker = fleet.worker(lease_seconds=0.4)
    asking = asyncio.create_task(worker.ask())
    await all_under_way(fleet, 1)

    async with running(repeat("deployments", worker.loads.renew, every_seconds=0.1)):
        await asyncio.sleep(0.8)  # two leases
        await counted(fleet, 1)
        await cancelled([asking])
    await fleet.nothing_counted()


async def test_after_redis_lost_everything(fleet: Fleet) -> None:
    """Nothing falls below zero, which would draw all calls to one deployment for ever."""
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.HANG), contains="Why")
    worker = fleet.worker()
    early = [asyncio.create_task(worker.ask()) for _ in range(6)]
    await all_under_way(fleet, 6)
    await fleet.redis.flushall()
    late = [asyncio.create_task(worker.ask()) for _ in range(3)]
    await all_under_way(fleet, 9)
    await worker.loads.renew()
    await counted(fleet, 9)

    await cancelled([*early, *late])

    await fleet.nothing_counted()


async def test_while_redis_is_away_and_after(fleet: Fleet, own_redis: RedisServer) -> None:
    worker = fleet.worker(redis_url=own_redis.url)
    assert await worker.asked() in fleet.servers
    for server in fleet.servers.values():
        server.script(Behaviour(kind=Kind.HANG), contains="Why")
    own_redis.kill()

    asking = [asyncio.create_task(worker.ask()) for _ in range(30)]
    await all_under_way(fleet, 30)

    assert {server.calls.in_flight for server in fleet.servers.values()} == {10}
    await cancelled(asking)
    assert in_flight([worker]) == {0.0}


async def test_of_calls_that_were_cancelled_while_redis_stood_still(
    fleet: Fleet, own_redis: RedisServer
) -> None:
    worker = fleet.worker(redis_url=own_redis.url, lease_seconds=5)
    await worker.ask()
    own_redis.pause()
    asking = [asyncio.create_task(worker.ask()) for _ in range(5)]
    await asyncio.sleep(0.05)
    await cancelled(asking)
    own_redis.resume()

    fleet.redis = fleet.client(own_redis.url)
    await fleet.nothing_counted()


async def cancelled(asking: list[asyncio.Task[Any]]) -> None:
    """All of them, none of which has ended by itself."""
    assert all(each.cancel() for each in asking)
    await asyncio.wait(asking)


def in_flight(workers: list[AskingWorker]) -> set[float]:
    """What the workers' own gauges say."""
    return {
        sample.value
        for worker in workers
        for metric in worker.metrics.deployment_tokens_in_flight.collect()
        for sample in metric.samples
    }
