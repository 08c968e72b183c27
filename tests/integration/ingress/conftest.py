"""A door, a tenant with keys, and a worker that stands in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import aiohttp
import anthropic
import msgspec
import openai
import pytest

from shared.messages.tenant import KeyScope, Plan
from shared.settings import Settings
from shared.settings.door import IngressSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings, LedgerSettings, RedisSettings
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker
from tests.integration.patience import PATIENT_SEARCH, PatientSettings, patient_settings

MakeKey = Callable[..., Awaitable[str]]


@pytest.fixture
def settings(migrated_sqlite_url: str, redis_url: str, patience: PatientSettings) -> Settings:
    """SQLite and Redis alone: quick to start, and every part is real.

    They are there all the time, so the door waits as long for them as a busy machine may need.
    """
    return patient(settings_for(migrated_sqlite_url, redis_url))


def patient(usual: Settings) -> Settings:
    """The same, where the ledger and Redis are waited for as long as a busy machine may need."""
    return msgspec.structs.replace(
        usual,
        redis=patient_settings(str(usual.redis.url)),
        ledger=msgspec.structs.replace(usual.ledger, timeout_seconds=30.0),
        ingress=msgspec.structs.replace(usual.ingress, ledger_timeout_seconds=30.0),
        search=PATIENT_SEARCH,
    )


def settings_for(ledger: str, redis: str, broker: str | None = None) -> Settings:
    """Of a door that gives servers up soon which are away."""
    return Settings(
        broker=BrokerSettings(url=ServerUrl(broker or redis)),
        redis=RedisSettings(url=ServerUrl(redis), timeout_seconds=0.3),
        ledger=LedgerSettings(url=ServerUrl(ledger), timeout_seconds=1.0),
        ingress=IngressSettings(intake=False, drain_seconds=2.0, key_cache_seconds=0.5),
    )


@pytest.fixture
def door(settings: Settings) -> Iterator[RunningDoor]:
    with RunningDoor(settings) as running:
        yield running


@pytest.fixture
def make_key(settings: Settings) -> MakeKey:
    """Make a key: of a tenant by name (made at first), of a scope, under a plan."""

    async def make(
        name: str = "acme", scope: KeyScope = KeyScope.PRODUCER, plan: Plan | None = None
    ) -> str:
        return await new_key(settings.ledger, name, scope, plan)

    return make


@pytest.fixture
async def key(make_key: MakeKey) -> str:
    return await make_key()


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[StandInWorker]:
    """Claims nothing before it is told to."""
    standing = StandInWorker(settings)
    yield standing
    await standing.close()


@pytest.fixture
async def client(door: RunningDoor, key: str) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's own client, as anybody would set it up."""
    async with openai.AsyncOpenAI(api_key=key, base_url=f"{door.url}/v1", max_retries=0) as made:
        yield made


@pytest.fixture
async def anthropics(door: RunningDoor, key: str) -> AsyncIterator[anthropic.AsyncAnthropic]:
    """Anthropic's."""
    async with anthropic.AsyncAnthropic(api_key=key, base_url=door.url, max_retries=0) as made:
        yield made


@pytest.fixture
async def http(door: RunningDoor, key: str) -> AsyncIterator[aiohttp.ClientSession]:
    """Plain HTTP with a key."""
    headers = {"Authorization": f"Bearer {key}"}
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(door.url, headers=headers, timeout=timeout) as session:
        yield session
