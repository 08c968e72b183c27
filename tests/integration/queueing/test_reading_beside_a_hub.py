"""A reader of ours in the process of a Celery worker, whose hub belongs to another connection."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from kombu.asynchronous import Hub, get_event_loop, set_event_loop
from redis import Redis

from shared.queueing.declaration import declare_topology
from shared.queueing.reading.delivery import Delivery
from shared.queueing.reading.reader import QueueReader
from shared.queueing.topology import QueueName
from tests.integration.queueing.conftest import broker_at, eventually
from tests.integration.queueing.queue_contents import put


@pytest.fixture
def standing_hub() -> Iterator[None]:
    """The process's hub, as busy as one can be: it never comes to what it was given to do."""
    before, hub = get_event_loop(), Hub()
    set_event_loop(hub)
    yield
    set_event_loop(before)
    hub.close()


@pytest.mark.usefixtures("standing_hub")
async def test_a_reader_acknowledges_without_the_hub_of_the_worker(redis_url: str) -> None:
    broker = broker_at(redis_url)
    declare_topology(broker)
    handled: list[Delivery] = []

    async def handle(delivery: Delivery) -> None:
        handled.append(delivery)

    reader = QueueReader(QueueName.DEAD, broker, handle=handle)
    await reader.start()
    try:
        await asyncio.to_thread(put, broker, "dead", "a letter")
        await eventually(lambda: handled)
        with Redis.from_url(redis_url) as redis:
            await eventually(lambda: redis.hlen("dead.unacked") == 0)
    finally:
        await reader.close()
