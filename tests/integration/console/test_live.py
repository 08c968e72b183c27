"""The stream of a page: it ends with its session, and refuses nobody for good."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from ingress.console.live import stream
from shared.clock import SystemClock
from shared.persistence.engine import open_database
from shared.persistence.tenants import TenantRepository
from shared.settings import Settings
from tests.integration.console.conftest import LogIn
from tests.integration.ingress.running_door import RunningDoor

LIVE = "/console/api/live"


async def _until(answer: aiohttp.ClientResponse, word: bytes) -> None:
    while word not in await asyncio.wait_for(answer.content.readline(), 30):
        assert not answer.content.at_eof(), word


async def test_one_page_too_many_is_told_when_to_come_again(
    log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_STREAMS", 1)
    session = await log_in()
    async with session.get(LIVE) as first:
        await _until(first, b"beat")
        async with session.get(LIVE) as second:
            assert second.status == 200, "a browser would never ask again after anything else"
            assert await second.read() == b"retry: 5000\n\n"
    while True:  # that the first one is gone is noticed with its next beat
        async with session.get(LIVE) as third:
            await third.content.readline()
            await third.content.readline()
            if await third.content.readline():
                return


async def test_it_ends_when_the_key_is_revoked(
    settings: Settings, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_CHECK_BEATS", 1)
    session = await log_in()
    async with session.get(LIVE) as answer:
        await _until(answer, b"beat")
        database = open_database(settings.ledger)
        tenants = TenantRepository(database, SystemClock())
        (key,) = await tenants.keys()
        await tenants.revoke_key(key.id)
        await database.close()
        await asyncio.wait_for(answer.read(), 30)
    async with session.get(LIVE) as answer:
        assert answer.status == 401


async def test_a_door_that_ends_ends_it_at_once(door: RunningDoor, log_in: LogIn) -> None:
    session = await log_in()
    async with session.get(LIVE) as answer:
        await _until(answer, b"beat")
        door.tell_to_end()
        await asyncio.wait_for(answer.read(), 30)
