"""Accepted to answered, one message at a time on idle servers.

Ours begins when the ledger has committed and ends when the closing event is in hand; a rule
answers. The stock way begins with `.apply_async()` of a task that pushes its result onto a Redis
key, and ends when BLPOP has it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import Final

from redis import Redis

from shared.clock import SystemClock
from shared.messages.lane import WakeUp
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.queueing.publisher import build_publisher
from shared.redis.client import open_redis
from shared.replies.wakeups import Wakeups
from shared.telemetry.metrics import Metrics
from tests.benchmarks.ground.backlog import new_record
from tests.benchmarks.ground.forebay import opened_ledger, settings_of, worker
from tests.benchmarks.ground.stage import Broker, Ground, Ledger, Stage
from tests.benchmarks.ground.stock import TASKS, stock_producer, stock_worker
from tests.benchmarks.measurement import Progress, Rounds, Row

ROUNDS: Final = 2
TRIPS_PER_SECOND: Final = 40
WARM_UP_TRIPS: Final = 20
VARIANTS: Final = (
    (Broker.RABBITMQ, Ledger.POSTGRES),
    (Broker.RABBITMQ, Ledger.SQLITE),
    (Broker.REDIS, Ledger.POSTGRES),
    (Broker.REDIS, Ledger.SQLITE),
)


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """p50 and p99 of both, on every ground."""
    trips = int(TRIPS_PER_SECOND * seconds)
    for broker, ledger in VARIANTS:
        ours, stock = Rounds(), Rounds()
        for turn in range(ROUNDS):
            say(f"round trips on {broker} and {ledger}, round {turn + 1} of {ROUNDS}")
            _record(ours, _run_ours(stage.ground(broker, ledger), trips))
            _record(stock, _run_stock(stage.ground(broker), trips))
        on = f"{broker} + {ledger}"
        yield Row(
            what="round trip, p50",
            on=on,
            unit="ms",
            ours=ours["p50"],
            stock=stock["p50"],
            target=1.5 if broker is Broker.RABBITMQ else 2.0,
        )
        yield Row(what="round trip, p99", on=on, unit="ms", ours=ours["p99"], stock=stock["p99"])


def _record(rounds: Rounds, latencies: list[float]) -> None:
    in_order = sorted(latencies[WARM_UP_TRIPS:])
    rounds.add(
        p50=in_order[len(in_order) // 2] * 1e3,
        p99=in_order[int(len(in_order) * 0.99)] * 1e3,
    )


def _run_ours(ground: Ground, trips: int) -> list[float]:
    with worker(ground) as program:
        program.wait_until(lambda: " ready." in program.log_text(), "worker")
        return asyncio.run(_trips_of_ours(ground, trips + WARM_UP_TRIPS))


async def _trips_of_ours(ground: Ground, trips: int) -> list[float]:
    settings = settings_of(ground)
    publisher = build_publisher(settings.broker, Metrics())
    await publisher.start()
    redis = open_redis(settings.redis)
    wakeups = Wakeups(redis)
    async with opened_ledger(ground) as (database, tenant):
        ledger = MessageLedger(database, settings.ledger, SystemClock(), Metrics())
        latencies = []
        for _ in range(trips):
            record = new_record(tenant)
            async with wakeups.listen(record.id) as wake:
                await ledger.accept(record)
                began = perf_counter()
                publisher.submit(WakeUp(record.id, record.lane, record.deadline, {}))
                while not wake.news:
                    await asyncio.wait_for(wake.wait(), 30)
                    wake.clear()
                latencies.append(perf_counter() - began)
        await ledger.close()
    await wakeups.close()
    await redis.aclose()
    await publisher.close()
    return latencies


def _run_stock(ground: Ground, trips: int) -> list[float]:
    with stock_worker(ground, pool="prefork", concurrency=2), stock_producer(ground) as app:
        latencies = []
        redis = Redis.from_url(ground.redis_url, socket_timeout=60)
        for trip in range(trips + WARM_UP_TRIPS):
            began = perf_counter()
            app.send_task(f"{TASKS}.echo", (f"reply-{trip}",))
            assert redis.blpop([f"reply-{trip}"], timeout=30), "no reply"
            latencies.append(perf_counter() - began)
        redis.close()
    return latencies
