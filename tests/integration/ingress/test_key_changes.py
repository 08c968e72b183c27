"""What is changed of keys and plans is known at every door, long before its cache is old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
import pytest
from redis.asyncio import Redis

from deploy.cli.__main__ import run
from ingress.authentication import UNKNOWN_CAPACITY, Authentication
from shared.accepting.key_changes import KEY_CHANGES
from shared.clock import SystemClock
from shared.errors import Unauthenticated
from shared.messages.tenant import KeyScope
from shared.persistence.engine import Database, open_database
from shared.persistence.key_records import NewKey, Opened
from shared.persistence.tenants import TenantRepository
from shared.settings import Settings
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from tests.integration.ingress.conftest import patient, settings_for
from tests.integration.ingress.running_door import RunningDoor
from tests.servers.migrated import migrate
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer

CACHE_SECONDS: Final = 600.0
"""Nothing here waits for it: who forgets earlier was told."""
PATIENCE_SECONDS: Final = 60.0
BACKGROUND: Final = {"input": "Hi", "background": True}
LIMIT: Final = "x-ratelimit-limit-requests"

Ask = Callable[[], Awaitable[bool]]


class Office:
    """Two doors of one installation, a key that both know, and the operator's command line."""

    def __init__(self, doors: Sequence[aiohttp.ClientSession], key: NewKey, redis: Redis) -> None:
        self.doors = doors
        self.key = key
        self._redis = redis

    async def status(self, door: aiohttp.ClientSession) -> int:
        async with door.get("/v1/models", headers=self.login) as answer:
            return answer.status

    async def limit(self, door: aiohttp.ClientSession) -> str:
        async with door.post("/v1/responses", json=BACKGROUND, headers=self.login) as answer:
            return answer.headers[LIMIT]

    async def types(self, *words: str) -> None:
        assert await asyncio.to_thread(run, list(words)) == 0

    async def both_listen(self) -> bool:
        return dict(await self._redis.pubsub_numsub(KEY_CHANGES))[KEY_CHANGES.encode()] == 2

    async def both_say(self, status: int) -> bool:
        return [await self.status(door) for door in self.doors] == [status, status]

    @property
    def login(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key.key}"}


@pytest.fixture
def settings(own_redis: RedisServer, migrated_sqlite_url: str) -> Settings:
    return _remembering(patient(settings_for(migrated_sqlite_url, own_redis.database_url(0))))


@pytest.fixture
async def office(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    monkeypatch.chdir(tmp_path)
    for section in ("broker", "redis", "ledger"):
        monkeypatch.setenv(f"FOREBAY_{section}__URL".upper(), str(getattr(settings, section).url))
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(str(settings.redis.url)))
        doors = [
            await stack.enter_async_context(aiohttp.ClientSession(running.url))
            for running in [stack.enter_context(RunningDoor(settings)) for _ in range(2)]
        ]
        opened = Office(doors, await _new_key(settings), redis)
        await until(opened.both_listen)
        assert await opened.both_say(200)
        yield opened


async def test_a_revoked_key_is_refused_at_every_door(office: Office) -> None:
    await office.types("keys", "revoke", office.key.record.id)
    await until(lambda: office.both_say(401))


async def test_a_key_that_is_replaced_at_once_is_refused_at_every_door(office: Office) -> None:
    await office.types("keys", "rotate", office.key.record.id, "--overlap", "0s")
    await until(lambda: office.both_say(401))


async def test_a_plan_holds_at_every_door(office: Office) -> None:
    assert {await office.limit(door) for door in office.doors} == {"6000"}

    async def both_hold(limit: str) -> bool:
        return {await office.limit(door) for door in office.doors} == {limit}

    await office.types("tenants", "limits", "acme", "--requests-per-minute", "70")
    await until(lambda: both_hold("70"))
    await office.types("tenants", "limits", "acme", "--from-settings")
    await until(lambda: both_hold("6000"))


async def test_a_key_that_was_revoked_while_redis_was_away_is_refused_once_it_is_back(
    office: Office, own_redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    own_redis.kill()
    await office.types("keys", "revoke", office.key.record.id)
    assert "follow within 10 s" in capsys.readouterr().err
    assert await office.both_say(200), "nobody could tell them"
    own_redis.start()
    await until(lambda: office.both_say(401))


@pytest.fixture
def own_ledger(own_postgres: PostgresServer) -> str:
    url = own_postgres.database_url(own_postgres.create_database())
    migrate(url)
    return url


async def test_a_key_that_is_known_opens_while_the_ledger_is_away(
    own_ledger: str, own_postgres: PostgresServer, redis_url: str
) -> None:
    settings = _remembering(patient(settings_for(own_ledger, redis_url)))
    known, other = await _new_key(settings), await _new_key(settings)
    with RunningDoor(settings) as running:
        async with aiohttp.ClientSession(running.url) as door:

            async def status(key: NewKey) -> int:
                login = {"Authorization": f"Bearer {key.key}"}
                async with door.get("/v1/models", headers=login) as answer:
                    return answer.status

            async def both_open() -> bool:
                return [await status(known), await status(other)] == [200, 200]

            assert await status(known) == 200
            own_postgres.kill()
            assert [await status(known), await status(other)] == [200, 503]
            own_postgres.start()
            await until(both_open)


class CountedKeys(TenantRepository):
    """The real one, and how many statements it sent."""

    statements = 0

    async def by_digests(self, digests: Sequence[str]) -> dict[str, Opened | Exception]:
        self.statements += 1
        return await super().by_digests(digests)


@pytest.fixture
async def database(migrated_ledger_url: str) -> AsyncIterator[Database]:
    opened = open_database(LedgerSettings(url=ServerUrl(migrated_ledger_url)))
    yield opened
    await opened.close()


async def test_a_flood_of_wrong_keys_costs_few_statements_and_forgets_no_good_one(
    database: Database,
) -> None:
    tenants = CountedKeys(database, SystemClock())
    good = await tenants.create_key(await tenants.create("acme"), scope=KeyScope.PRODUCER)
    authentication = Authentication(
        tenants, SystemClock(), cache_seconds=CACHE_SECONDS, timeout_seconds=PATIENCE_SECONDS
    )
    await authentication.caller(f"Bearer {good.key}")

    async def refused(number: int) -> bool:
        try:
            await authentication.caller(f"Bearer fb_wrong{number}")
        except Unauthenticated:
            return True
        return False

    flood = range(UNKNOWN_CAPACITY + 2_000)
    assert all(await asyncio.gather(*map(refused, flood)))
    assert tenants.statements <= 2 + len(flood) // 200
    asked = tenants.statements
    assert (await authentication.caller(f"Bearer {good.key}")).tenant.name == "acme"
    assert all(await asyncio.gather(*map(refused, flood[-1_000:])))
    assert tenants.statements == asked, "both are remembered"
    assert len(vars(authentication)["_unknown"]) == UNKNOWN_CAPACITY


async def until(is_so: Ask) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.01)


def _remembering(usual: Settings) -> Settings:
    ingress = msgspec.structs.replace(usual.ingress, key_cache_seconds=CACHE_SECONDS)
    return msgspec.structs.replace(usual, ingress=ingress)


async def _new_key(settings: Settings) -> NewKey:
    database = open_database(settings.ledger)
    try:
        tenants = TenantRepository(database, SystemClock())
        tenant = await tenants.named("acme") or await tenants.create("acme")
        return await tenants.create_key(tenant, scope=KeyScope.PRODUCER)
    finally:
        await database.close()
