"""What is done to a ground while messages are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

from tests.chaos.ground import Ground
from tests.integration.workers.stack import LEASE_SECONDS

Fault = Callable[[Ground, Random], Awaitable[None]]


async def kill_worker(ground: Ground, random: Random) -> None:
    """SIGKILL of one worker in the middle of its turns; another takes its place."""
    await asyncio.to_thread(random.choice(ground.workers).replace)


async def kill_every_worker(ground: Ground, random: Random) -> None:
    """SIGKILL of all workers at once."""
    for worker in ground.workers:
        await asyncio.to_thread(worker.replace)


async def freeze_worker(ground: Ground, random: Random) -> None:
    """SIGSTOP of one worker until its leases are long gone: it comes back as a zombie."""
    worker = random.choice(ground.workers)
    worker.pause()
    await asyncio.sleep(LEASE_SECONDS * 1.75)  # the fault itself: this long it is frozen
    worker.resume()


async def kill_broker(ground: Ground, random: Random) -> None:
    """SIGKILL of the broker, then a start from what its disk has."""
    await asyncio.to_thread(ground.broker.kill)
    await asyncio.to_thread(ground.broker.start)


async def flush_redis(ground: Ground, random: Random) -> None:
    """FLUSHALL: replies, limits and, where Redis is the broker, every queue."""
    await asyncio.to_thread(ground.redis.command, "FLUSHALL")


async def kill_redis(ground: Ground, random: Random) -> None:
    """SIGKILL of Redis, then a start."""
    await asyncio.to_thread(ground.redis.kill)
    await asyncio.to_thread(ground.redis.start)


async def kill_ledger(ground: Ground, random: Random) -> None:
    """SIGKILL of Postgres, then a start: what was not on disk is forgotten."""
    await asyncio.to_thread(ground.postgres.kill)
    await asyncio.to_thread(ground.postgres.start)


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        kill_worker,
        kill_every_worker,
        freeze_worker,
        kill_broker,
        flush_redis,
        kill_redis,
        kill_ledger,
    )
}
