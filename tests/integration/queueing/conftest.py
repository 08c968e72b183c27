"""Brokers for the queueing tests, and what every one of them needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from shared.identifiers import new_response_id
from shared.messages.lane import Lane, WakeUp
from shared.queueing.declaration import declare_topology
from shared.queueing.publisher import Publisher, build_publisher
from shared.queueing.redis_lists.transport import GuardedTransport
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics
from tests.integration.queueing.intake_door import IntakeDoor, open_intake_door

DEADLINE = datetime(2030, 1, 1, tzinfo=UTC)
TRACE = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}


def broker_at(url: str, *, publish_timeout_seconds: float = 30.0) -> BrokerSettings:
    """Settings for a broker of the tests."""
    return BrokerSettings(
        url=ServerUrl(url),
        heartbeat_seconds=10,
        publish_timeout_seconds=publish_timeout_seconds,
    )


def wake_up(lane: Lane = Lane.STANDARD) -> WakeUp:
    """A wake-up with a fresh id."""
    return WakeUp(new_response_id(), lane, DEADLINE, TRACE)


async def eventually(condition: Callable[[], object], *, seconds: float = 60.0) -> None:
    """Returns as soon as the condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


async def until(read: Callable[[], Awaitable[list[Any]]], number: int) -> None:
    """Returns as soon as as many rows are there."""
    async with asyncio.timeout(60):
        while len(await read()) < number:  # noqa: ASYNC110 - the ledger has no event for it
            await asyncio.sleep(0.02)


async def started(broker: BrokerSettings) -> Publisher:
    """A publisher that is connected."""
    publisher = build_publisher(broker, Metrics())
    await publisher.start()
    await eventually(lambda: publisher.healthy)
    return publisher


@pytest.fixture
def broker(broker_url: str) -> BrokerSettings:
    """A fresh RabbitMQ, then a fresh Redis, its topology declared."""
    settings = broker_at(broker_url)
    declare_topology(settings)
    return settings


@pytest.fixture
async def publisher(broker: BrokerSettings) -> AsyncIterator[Publisher]:
    """A connected publisher."""
    publisher = await started(broker)
    yield publisher
    await publisher.close()


@pytest.fixture
async def door(
    broker: BrokerSettings,
    redis_url: str,
    migrated_sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[IntakeDoor]:
    """The second door, reading `intake`, with everything real behind it."""
    # It ends as soon as its readers come back from listening.
    monkeypatch.setattr(GuardedTransport, "brpop_timeout", 0.1)
    opening = open_intake_door(broker, redis_url=redis_url, ledger_url=migrated_sqlite_url)
    async with opening as door:
        yield door
