"""A small tenant's messages beside another's flood, through real doors, workers and brokers.

Ours: door, worker, RabbitMQ, Postgres. The stock way: Celery, whose queue is first come, first
served. Both have as many slots, and the same provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from time import sleep, time
from typing import Final

from redis import Redis

from deploy.cli.demo.visitor import Visitor, open_session
from shared.clock import SystemClock
from shared.messages.tenant import KeyScope
from shared.persistence.tenants import TenantRepository
from tests.benchmarks.ground.backlog import fill_stock
from tests.benchmarks.ground.forebay import door, opened_ledger, worker
from tests.benchmarks.ground.open_loop import at_share, open_loop
from tests.benchmarks.ground.provider import ScriptedProvider
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.ground.stock import TASKS, stock_producer, stock_worker
from tests.benchmarks.measurement import Progress, Row

SLOTS: Final = 32
CALL_SECONDS: Final = 0.5
PER_SECOND: Final = 5
"""Of the small tenant: a thirteenth of what the slots can do."""
OF_IDLE: Final = 1.2
"""And a call of the flood on top: nothing that runs is interrupted."""
_FLOOD_PER_SECOND: Final = 250
_AT_ONCE: Final = 50


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """p50 and p99 of the time in queue: what a message took beyond its call."""
    flood, small = int(_FLOOD_PER_SECOND * seconds), int(PER_SECOND * seconds)
    with ScriptedProvider(stage.ground(Broker.RABBITMQ).folder, seconds=CALL_SECONDS) as provider:
        say(f"a small tenant by itself, and beside {flood} messages of another")
        idle, ours = asyncio.run(_ours(stage.ground(Broker.RABBITMQ), provider.url, flood, small))
        say(f"the same beside {flood} tasks of Celery")
        stock = _stock(stage.ground(Broker.RABBITMQ), provider.url, flood, small)
    for name, place in (("p50", 0.5), ("p99", 0.99)):
        alone = at_share(place, idle)
        yield Row(
            what=f"time in queue beside {flood} messages of another tenant, {name} (stock: Celery)",
            on=f"RabbitMQ + Postgres, {SLOTS} slots, calls of {CALL_SECONDS} s",
            unit="s",
            ours=at_share(place, ours),
            stock=at_share(place, stock),
            limit=OF_IDLE * alone + CALL_SECONDS if name == "p99" else None,
            apart={"idle": alone},
        )


async def _ours(
    ground: Ground, provider_url: str, flood: int, small: int
) -> tuple[list[float], list[float]]:
    """Seconds in queue without a flood and beside it."""
    async with _open(ground, provider_url) as (crowd, one):
        idle = await _ask(one, small)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def post(number: int) -> None:
            async with gate:
                heard = await crowd.post(f"Flood {number}", background=True)
                if heard.state not in {"queued", "in_progress"}:
                    raise RuntimeError(f"A message of the flood is {heard.state}: {heard.body}")

        await asyncio.gather(*map(post, range(flood)))
        return idle, await _ask(one, small)


@asynccontextmanager
async def _open(ground: Ground, provider_url: str) -> AsyncIterator[tuple[Visitor, Visitor]]:
    async with AsyncExitStack() as exits:
        opened = exits.enter_context(door(ground))
        opened.wait_until(ground.is_served, "open door")
        hand = worker(ground, provider_url=provider_url, concurrency=SLOTS)
        exits.enter_context(hand).wait_until(lambda: " ready." in hand.log_text(), "worker")
        database, crowd = await exits.enter_async_context(opened_ledger(ground))
        tenants = TenantRepository(database, SystemClock())
        session = await exits.enter_async_context(open_session())
        visitors = []
        for tenant in (crowd, await tenants.create("small")):
            key = (await tenants.create_key(tenant, scope=KeyScope.PRODUCER)).key
            visitors.append(Visitor(session, f"http://127.0.0.1:{ground.port}", key))
        for visitor in visitors:
            await visitor.post("Are you there?")
        yield visitors[0], visitors[1]


async def _ask(visitor: Visitor, count: int) -> list[float]:
    took = await open_loop(visitor, count, per_second=PER_SECOND)
    return [seconds - CALL_SECONDS for seconds in took]


def _stock(ground: Ground, provider_url: str, flood: int, small: int) -> list[float]:
    hand = stock_worker(ground, pool="threads", concurrency=SLOTS, provider_url=provider_url)
    redis = Redis.from_url(ground.redis_url, socket_timeout=600)
    sent = {}
    with hand, stock_producer(ground) as app:
        app.send_task(f"{TASKS}.echo", ("ready",))
        assert redis.blpop(["ready"], timeout=60), "no worker"
        fill_stock(app, f"{TASKS}.answer", flood, {"input": "Flood"})
        for number in range(small):
            sent[f"small-{number}"] = time()
            app.send_task(f"{TASKS}.answer_in_time", ({"input": "Question"}, f"small-{number}"))
            sleep(1 / PER_SECOND)
        waits = []
        for key, at in sent.items():
            told = redis.blpop([key], timeout=600)
            assert told, "no reply"
            waits.append(float(told[1]) - at - CALL_SECONDS)
    redis.close()
    return waits
