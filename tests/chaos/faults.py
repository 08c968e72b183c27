"""What is done to a ground while messages are on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.chaos.ground import Ground
from tests.integration.workers.stack import SHORT_LEASE_SECONDS

Fault = Callable[[Ground], Awaitable[None]]


async def kill_worker(ground: Ground) -> None:
    """SIGKILL of the busiest worker in the middle of its turns; another takes its place."""
    worker = await asyncio.to_thread(ground.busiest_worker)
    await asyncio.to_thread(worker.replace)


async def kill_every_worker(ground: Ground) -> None:
    """SIGKILL of all workers at once."""
    for worker in ground.workers:
        await asyncio.to_thread(worker.replace)


async def freeze_worker(ground: Ground) -> None:
    """SIGSTOP of the busiest worker until its leases are long gone: it comes back as a zombie."""
    worker = await asyncio.to_thread(ground.busiest_worker)
    worker.pause()
    await asyncio.sleep(SHORT_LEASE_SECONDS * 1.75)  # the fault itself: this long it is frozen
    worker.resume()


async def kill_door(ground: Ground) -> None:
    """SIGKILL of the door while producers wait for its answer; another takes its place."""
    await asyncio.to_thread(ground.door.replace)


async def kill_broker(ground: Ground) -> None:
    """SIGKILL of the broker, then a start from what its disk has."""
    await asyncio.to_thread(ground.broker.kill)
    await asyncio.to_thread(ground.broker.start)


async def flush_redis(ground: Ground) -> None:
    """FLUSHALL: replies, limits and, where Redis is the broker, every queue."""
    await asyncio.to_thread(ground.redis.command, "FLUSHALL")


async def kill_redis(ground: Ground) -> None:
    """SIGKILL of Redis, then a start."""
    await asyncio.to_thread(ground.redis.kill)
    await asyncio.to_thread(ground.redis.start)


async def kill_ledger(ground: Ground) -> None:
    """SIGKILL of Postgres, then a start: what was not on disk is forgotten."""
    await asyncio.to_thread(ground.postgres.kill)
    await asyncio.to_thread(ground.postgres.start)


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        kill_worker,
        kill_every_worker,
        freeze_worker,
        kill_door,
        kill_broker,
        flush_redis,
        kill_redis,
        kill_ledger,
    )
}
