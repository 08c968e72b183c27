"""A door with its console, and who looks at it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from msgspec import structs

from ingress.console.live.broadcast import Broadcast
from ingress.console.live.topic import Topic
from ingress.console.operation import ConsoleOperation
from ingress.console.surface import ConsoleSurface
from shared.clock import Clock, SystemClock
from shared.messages.tenant import KeyScope
from shared.redis.client import open_redis
from shared.settings import Settings
from shared.settings.watching.console import ConsoleSettings
from tests.integration.ingress.conftest import patient, settings_for
from tests.integration.ingress.new_key import new_key
from tests.integration.ingress.running_door import RunningDoor
from tests.integration.patience import PatientSettings
from tests.servers.browser import BrowserPage, Chromium

HERE = Path(__file__).parent
MakeKey = Callable[..., Awaitable[str]]
LogIn = Callable[..., Awaitable[aiohttp.ClientSession]]
Look = Callable[..., AbstractAsyncContextManager[BrowserPage]]


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """The browser that tests share lives in one event loop, and so do they."""
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture
def settings(migrated_sqlite_url: str, redis_url: str, patience: PatientSettings) -> Settings:
    """Of a door that works for those who look itself, where a test can see and hasten it."""
    usual = patient(settings_for(migrated_sqlite_url, redis_url))
    return structs.replace(usual, console=ConsoleSettings(own_process=False))


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is live is looked at more often than people need, so that tests wait less."""
    begin = Broadcast.__init__

    def begin_often(broadcast: Broadcast, topics: Sequence[Topic], clock: Clock) -> None:
        often = [structs.replace(each, seconds=min(each.seconds, 0.5)) for each in topics]
        begin(broadcast, often, clock)

    monkeypatch.setattr(Broadcast, "__init__", begin_often)
    monkeypatch.setattr("ingress.console.live.broadcast.BEAT_SECONDS", 0.25)


@pytest.fixture
def door(settings: Settings) -> Iterator[RunningDoor]:
    with RunningDoor(settings) as running:
        yield running


@pytest.fixture
def make_key(settings: Settings) -> MakeKey:
    async def make(scope: KeyScope = KeyScope.READER, tenant: str = "acme") -> str:
        return await new_key(settings.ledger, tenant, scope)

    return make


@pytest_asyncio.fixture(loop_scope="session")
async def log_in(door: RunningDoor, make_key: MakeKey) -> AsyncIterator[LogIn]:
    """A client whose session is that of a new key of this scope."""
    sessions: list[aiohttp.ClientSession] = []

    async def begin(scope: KeyScope = KeyScope.READER) -> aiohttp.ClientSession:
        jar = aiohttp.CookieJar(unsafe=True)  # it would keep none of an address in figures
        session = aiohttp.ClientSession(door.url, cookie_jar=jar)
        sessions.append(session)
        async with session.post(
            "/console/api/session", json={"key": await make_key(scope)}
        ) as answer:
            assert answer.status == 200, await answer.text()
            session.headers["X-Forebay-Csrf"] = (await answer.json())["csrf"]
        return session

    yield begin
    for session in sessions:
        await session.close()


@pytest.fixture
def operations(settings: Settings) -> list[ConsoleOperation]:
    """The table that the door serves."""
    surface = ConsoleSurface(settings, open_redis(settings.redis), SystemClock(), _well)
    return surface.operations()


async def _well() -> bool:
    return True


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(door: RunningDoor) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody without a session."""
    async with aiohttp.ClientSession(door.url) as session:
        yield session


@pytest.fixture
def look(chromium: Chromium, door: RunningDoor) -> Look:
    """A browser that is logged in, at the overview; nothing may go wrong in its page."""

    @asynccontextmanager
    async def look(key: str, **context: object) -> AsyncIterator[BrowserPage]:
        async with chromium.page(door.url, **context) as browser:
            await browser.page.goto("/console")
            await browser.page.fill("input[name=key]", key)
            await browser.page.press("input[name=key]", "Enter")
            await browser.page.wait_for_selector("h1:text('Overview')")
            yield browser
            assert not browser.errors

    return look
