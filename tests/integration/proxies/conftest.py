"""Two doors over one ledger, behind a real proxy with the configuration that we ship."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from shared.settings import Settings
from shared.settings.door import IngressSettings
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings, LedgerSettings
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.ingress.stand_in_worker import StandInWorker
from tests.integration.patience import PatientSettings
from tests.servers.proxies import HaproxyServer, NginxServer, ProxyServer

Doors = tuple[RunningDoor, RunningDoor]


@pytest.fixture
def settings(migrated_sqlite_url: str, redis_url: str, patience: PatientSettings) -> Settings:
    """A door that is told to end gives notice until it is told again; nothing is in a hurry."""
    return Settings(
        broker=BrokerSettings(url=ServerUrl(redis_url)),
        redis=patience(redis_url),
        ledger=LedgerSettings(url=ServerUrl(migrated_sqlite_url), timeout_seconds=30.0),
        ingress=IngressSettings(
            intake=False, notice_seconds=3600.0, drain_seconds=60.0, ledger_timeout_seconds=30.0
        ),
    )


@pytest.fixture
def doors(settings: Settings) -> Iterator[Doors]:
    with RunningDoor(settings) as first, RunningDoor(settings) as second:
        yield first, second
        for door in (first, second):
            door.tell_to_end()  # their notice; leaving ends it


@pytest.fixture(params=[HaproxyServer, NginxServer], ids=["haproxy", "nginx"])
def proxy(request: pytest.FixtureRequest, doors: Doors) -> Iterator[ProxyServer]:
    kind: type[ProxyServer] = request.param
    with kind([door.port for door in doors]) as running:
        yield running


@pytest.fixture
async def worker(settings: Settings) -> AsyncIterator[StandInWorker]:
    standing = StandInWorker(settings)
    yield standing
    await standing.close()


@pytest.fixture
async def http(proxy: ProxyServer, settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """A caller of the proxy, with a key."""
    headers = {"Authorization": f"Bearer {await new_key(settings.ledger)}"}
    timeout = aiohttp.ClientTimeout(total=60)
    async with aiohttp.ClientSession(proxy.url, headers=headers, timeout=timeout) as session:
        yield session
