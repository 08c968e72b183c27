"""A ledger that is there and slow: who waits for a message waits for the ledger too."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.persistence.engine import Database
from shared.settings import Settings
from tests.integration.ingress.conftest import settings_for
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker

POLLS: Final = 300
PATIENCE_SECONDS: Final = 0.3
BUSY_SECONDS: Final = 0.6


@pytest.fixture
def settings(migrated_postgres_url: str, redis_url: str) -> Settings:
    """One connection for all, and a door that is soon impatient."""
    usual = settings_for(migrated_postgres_url, redis_url)
    return msgspec.structs.replace(
        usual,
        ledger=msgspec.structs.replace(usual.ledger, pool_size=1, timeout_seconds=5.0),
        ingress=msgspec.structs.replace(
            usual.ingress, ledger_timeout_seconds=PATIENCE_SECONDS, key_cache_seconds=60.0
        ),
    )


@pytest.fixture
async def crowd(door: RunningDoor, key: str) -> AsyncIterator[aiohttp.ClientSession]:
    """As many connections as there are questions."""
    async with aiohttp.ClientSession(
        door.url,
        headers={"Authorization": f"Bearer {key}"},
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=120),
    ) as session:
        yield session


async def test_a_crowd_that_begins_to_wait_while_the_ledger_is_busy_is_answered_and_not_refused(
    crowd: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    message_id = await _accepted(crowd)
    async with _busy(worker.database) as connection:
        waiting = [asyncio.create_task(_wait(crowd, message_id, seconds=60)) for _ in range(POLLS)]
        await connection.execute(text("SELECT pg_sleep(:seconds)"), {"seconds": BUSY_SECONDS})
    await worker.answer(await worker.claim(message_id), "Hi")
    assert Counter(await asyncio.gather(*waiting)) == {"200 completed": POLLS}


async def test_whose_wait_ends_while_the_ledger_is_busy_is_told_what_was_known(
    crowd: aiohttp.ClientSession, worker: StandInWorker
) -> None:
    message_id = await _accepted(crowd)
    waiting = asyncio.create_task(_wait(crowd, message_id, seconds=4))
    await _until_somebody_waits(crowd)
    async with _busy(worker.database):
        assert await waiting == "200 queued"


@asynccontextmanager
async def _busy(database: Database) -> AsyncIterator[AsyncConnection]:
    """While inside, nobody else reads a message; the connection that keeps them from it."""
    async with database.durable.begin() as connection:
        await connection.execute(text("LOCK TABLE message IN ACCESS EXCLUSIVE MODE"))
        yield connection


async def _accepted(http: aiohttp.ClientSession) -> str:
    """The id of a message; on a busy machine so impatient a door may have to be asked again."""
    while True:
        async with http.post("/v1/responses", json={"input": "Hi", "background": True}) as answer:
            if answer.ok:
                return str((await answer.json())["id"])


async def _wait(http: aiohttp.ClientSession, message_id: str, *, seconds: int) -> str:
    headers = {"Prefer": f"wait={seconds}"}
    async with http.get(f"/v1/responses/{message_id}", headers=headers) as answer:
        told = await answer.json()
    return f"{answer.status} {told.get('status') or told['error']['code']}"


async def _until_somebody_waits(http: aiohttp.ClientSession) -> None:
    told = ""
    while "forebay_open_waiters 1.0" not in told:
        async with http.get("/metrics") as answer:
            told = await answer.text()
