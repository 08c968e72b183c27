"""Ready is who can commit: what answers a SELECT or a PING and takes no write is not well."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time

import aiohttp
import psycopg

from tests.integration.ingress.conftest import settings_for
from tests.integration.ingress.running_door import RunningDoor
from tests.servers.migrated import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

Said = tuple[int, dict[str, str]]


async def readiness(door: RunningDoor, **expected: str) -> Said:
    """The answer, as soon as it says what is expected; it is as old as a second."""
    deadline = time.monotonic() + 60
    async with aiohttp.ClientSession(door.url) as http:
        while True:
            async with http.get("/readyz") as answer:
                said = await answer.json()
            if expected.items() <= said.items():
                return answer.status, said
            assert time.monotonic() < deadline, f"expected {expected}, it says {said}"
            await asyncio.sleep(0.05)


async def test_a_postgres_that_commits_nothing_is_down(
    own_postgres: PostgresServer, redis_url: str
) -> None:
    url = own_postgres.database_url(own_postgres.create_database())
    await asyncio.to_thread(migrate, url)
    with RunningDoor(settings_for(url, redis_url)) as door:
        for way in ("default_transaction_read_only = on", "synchronous_standby_names = nobody"):
            await readiness(door, status="ready", ledger="ok")
            own_postgres.execute(f"ALTER SYSTEM SET {way}")
            own_postgres.execute("SELECT pg_reload_conf()")
            status, _ = await readiness(door, status="not_ready", ledger="down")
            assert status == 503
            own_postgres.execute(f"ALTER SYSTEM RESET {way.split()[0]}")
            own_postgres.execute("SELECT pg_reload_conf()")
        await readiness(door, status="ready", ledger="ok")


async def test_a_postgres_out_of_connections_is_down_until_it_has_some(redis_url: str) -> None:
    with PostgresServer(max_connections="8") as small:
        url = small.database_url(small.create_database())
        await asyncio.to_thread(migrate, url)
        with contextlib.ExitStack() as taken:
            for _ in range(8):
                taken.enter_context(psycopg.connect(url.replace("+psycopg", "")))
            with RunningDoor(settings_for(url, redis_url)) as door:
                status, _ = await readiness(door, status="not_ready", ledger="down")
                assert status == 503
                taken.close()
                await readiness(door, status="ready", ledger="ok")


async def test_a_sqlite_file_that_somebody_holds_is_down(
    migrated_sqlite_url: str, redis_url: str
) -> None:
    with RunningDoor(settings_for(migrated_sqlite_url, redis_url)) as door:
        await readiness(door, ledger="ok")
        holder = sqlite3.connect(migrated_sqlite_url.split("///")[1], isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        await readiness(door, status="not_ready", ledger="down")
        holder.execute("ROLLBACK")
        holder.close()
        await readiness(door, status="ready", ledger="ok")


async def test_a_redis_that_refuses_writes_is_degraded(
    own_redis: RedisServer, migrated_sqlite_url: str, redis_url: str
) -> None:
    own_redis.command("CONFIG", "SET", "maxmemory", "1")
    settings = settings_for(migrated_sqlite_url, own_redis.url, redis_url)
    with RunningDoor(settings) as door:
        status, _ = await readiness(door, status="ready", redis="degraded")
        assert status == 200
