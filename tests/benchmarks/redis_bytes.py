"""What Redis keeps of a message once it is answered, of 10,000 in the background.

Each with an idempotency key, through a door and a worker; RabbitMQ carries the wake-ups, so that
nothing of theirs is counted.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Final

import aiohttp
from redis import Redis
from sqlalchemy import func, select

from shared.messages.state import ResponseState
from shared.persistence.tables import message
from tests.benchmarks.ground.forebay import create_key, door, opened_ledger, worker
from tests.benchmarks.ground.stage import Broker, Ground, Stage
from tests.benchmarks.measurement import Progress, Row

MESSAGES: Final = 10_000
CONNECTIONS: Final = 64
LIMIT_BYTES: Final = 1_024
PATIENCE_SECONDS: Final = 300
WORDS: Final = "Where does the water go that the turbines do not take? " * 10


def measure(stage: Stage, seconds: float, say: Progress) -> Iterator[Row]:
    """`used_memory` after all have ended, less before, for each message."""
    ground = stage.ground(Broker.RABBITMQ)
    key = create_key(ground)
    with Redis.from_url(ground.redis_url) as redis, door(ground) as served, worker(ground):
        served.wait_until(ground.is_served, "open door")
        say("warming up")
        _answer(ground, key, range(500))
        before = redis.info("memory")["used_memory"]
        say(f"{MESSAGES} messages through a door and a worker")
        _answer(ground, key, range(500, 500 + MESSAGES))
        after = redis.info("memory")["used_memory"]
    yield Row(
        what="Redis, kept of a background message",
        on="RabbitMQ + Postgres",
        unit="B",
        ours=(after - before) / MESSAGES,
        limit=LIMIT_BYTES,
    )


def _answer(ground: Ground, key: str, numbers: range) -> None:
    asyncio.run(_post_all(ground, key, numbers))
    asyncio.run(_until_all_have_ended(ground))


async def _post_all(ground: Ground, key: str, numbers: range) -> None:
    left = iter(numbers)

    async def post(http: aiohttp.ClientSession) -> None:
        for number in left:
            headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"order-{number}"}
            body = {"input": f"{number}: {WORDS}", "background": True}
            async with http.post("/v1/responses", json=body, headers=headers) as answer:
                assert answer.status == 200, await answer.text()

    async with aiohttp.ClientSession(f"http://127.0.0.1:{ground.port}") as http:
        await asyncio.gather(*(post(http) for _ in range(CONNECTIONS)))


async def _until_all_have_ended(ground: Ground) -> None:
    waiting = select(func.count()).where(message.c.state != ResponseState.COMPLETED)
    until = time.monotonic() + PATIENCE_SECONDS
    async with opened_ledger(ground) as (database, _), database.relaxed.connect() as connection:
        while (await connection.execute(waiting)).scalar_one():
            assert time.monotonic() < until, "not all messages were answered"
            await asyncio.sleep(0.2)
    await asyncio.sleep(2.0)  # the last replies follow the ledger
