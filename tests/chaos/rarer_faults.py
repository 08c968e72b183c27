"""Faults that the soak adds to those of the suite: freezes, refusals, polite ends, two at once."""

from __future__ import annotations

import asyncio
import contextlib

import psycopg

from tests.chaos.faults import Fault
from tests.chaos.ground import Ground
from tests.servers.rabbitmq import RabbitServer
from tests.servers.server import Server

FROZEN_SECONDS = 2.0
"""Longer than any time-out of a door towards a server, shorter than a lease."""


async def freeze_redis(ground: Ground) -> None:
    """SIGSTOP of Redis: it accepts connections and answers nobody."""
    await _freeze(ground.redis)


async def freeze_ledger(ground: Ground) -> None:
    """SIGSTOP of Postgres: commits hang, and nobody knows whether they will be."""
    await _freeze(ground.postgres)


async def freeze_broker(ground: Ground) -> None:
    """SIGSTOP of the broker: publishes are neither confirmed nor refused."""
    await _freeze(ground.broker)


async def freeze_door(ground: Ground) -> None:
    """SIGSTOP of the door: its producers give up and post again."""
    ground.door.pause()
    await asyncio.sleep(FROZEN_SECONDS)
    ground.door.resume()


async def kill_door_while_redis_is_frozen(ground: Ground) -> None:
    """The door dies between admission and commit, and the next one cannot ask who was admitted."""
    ground.redis.pause()
    try:
        await asyncio.to_thread(ground.door.replace)
        await asyncio.sleep(FROZEN_SECONDS / 2)
    finally:
        ground.redis.resume()


async def kill_door_while_ledger_is_frozen(ground: Ground) -> None:
    """The door dies with commits on their way."""
    ground.postgres.pause()
    try:
        await asyncio.to_thread(ground.door.replace)
    finally:
        ground.postgres.resume()


async def fill_redis(ground: Ground) -> None:
    """Redis refuses writes for a while, as a full one does under `noeviction`."""
    await _configure(ground, "maxmemory", "1mb")
    await asyncio.sleep(FROZEN_SECONDS)
    await _configure(ground, "maxmemory", "0")


async def close_redis_connections(ground: Ground) -> None:
    """Every client of Redis is cut off, and Redis goes on."""
    for kind in ("normal", "pubsub"):
        await asyncio.to_thread(ground.redis.command, "CLIENT", "KILL", "TYPE", kind)


async def close_broker_connections(ground: Ground) -> None:
    """Every client of the broker is cut off, and the broker goes on."""
    if isinstance(ground.broker, RabbitServer):
        closing = 'rabbit_networking:close_all_connections("soak").'
        await asyncio.to_thread(ground.broker.evaluate, closing)
    else:
        await close_redis_connections(ground)


async def end_ledger_sessions(ground: Ground) -> None:
    """Every session of Postgres is ended by its administrator."""
    ending = b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
    with contextlib.suppress(psycopg.OperationalError), ground.query() as connection:
        await asyncio.to_thread(connection.execute, ending)


async def restart_ledger(ground: Ground) -> None:
    """An orderly restart of Postgres, as for an update."""
    await asyncio.to_thread(ground.postgres.restart)


async def restart_broker(ground: Ground) -> None:
    """An orderly restart of the broker."""
    await asyncio.to_thread(ground.broker.restart)


async def kill_dispatching_worker(ground: Ground) -> None:
    """SIGKILL of the worker that releases what is held; another one leads then."""
    worker = await asyncio.to_thread(ground.leading_worker, "dispatcher")
    await asyncio.to_thread(worker.replace)


async def flush_redis_and_kill_door(ground: Ground) -> None:
    """What the door knew and what Redis knew, gone at once."""
    await asyncio.to_thread(ground.redis.command, "FLUSHALL")
    await asyncio.to_thread(ground.door.replace)


async def _freeze(server: Server) -> None:
    server.pause()
    try:
        await asyncio.sleep(FROZEN_SECONDS)
    finally:
        server.resume()


async def _configure(ground: Ground, option: str, value: str) -> None:
    await asyncio.to_thread(ground.redis.command, "CONFIG", "SET", option, value)


RARER_FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        freeze_redis,
        freeze_ledger,
        freeze_broker,
        freeze_door,
        kill_door_while_redis_is_frozen,
        kill_door_while_ledger_is_frozen,
        fill_redis,
        close_redis_connections,
        close_broker_connections,
        end_ledger_sessions,
        restart_ledger,
        restart_broker,
        flush_redis_and_kill_door,
        kill_dispatching_worker,
    )
}
