"""A wake-up of the indexers, as any Celery worker reads it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from kombu import Connection

from shared.errors import BrokerUnavailable
from shared.queueing.declaration import declare_topology
from shared.queueing.index_waker import IndexWaker, open_index_waker
from shared.queueing.parcel import Parcel
from shared.queueing.topology import QueueName, kombu_queue
from shared.settings.secret import ServerUrl
from shared.settings.servers import BrokerSettings


async def test_a_wake_up_is_a_task_with_one_argument(broker_url: str) -> None:
    broker = BrokerSettings(url=ServerUrl(broker_url))
    declare_topology(broker)
    async with open_index_waker(broker) as waker:
        waker.wake("job_1")

    [(headers, body)] = await asyncio.to_thread(_read, broker_url, broker, 1)
    assert (headers["task"], headers["id"]) == ("forebay.index", "job_1")
    assert body[:2] == [[], {"about": "job_1"}]


async def test_who_wakes_in_a_crowd_sends_one_message_at_a_time() -> None:
    parcels = HeldParcels()
    waker = IndexWaker(parcels)
    for _ in range(100):
        waker.wake("vs_1")
    waker.wake("vs_2")
    await asyncio.sleep(0)
    assert [each.identifier for each in parcels.sent] == ["vs_1", "vs_2"]

    parcels.released.set()
    await waker.close()
    waker.wake("vs_1")
    await waker.close()
    assert [each.identifier for each in parcels.sent] == ["vs_1", "vs_2", "vs_1"]


async def test_a_broker_that_is_away_is_nobodys_trouble() -> None:
    parcels = HeldParcels(error=BrokerUnavailable("away"))
    waker = IndexWaker(parcels)
    parcels.released.set()
    waker.wake("vs_1")
    await waker.close()
    assert not waker.arrives

    parcels.error = None
    waker.wake("vs_1")
    await waker.close()
    assert waker.arrives


class HeldParcels:
    """Takes parcels and confirms them when it is told to."""

    def __init__(self, error: BrokerUnavailable | None = None) -> None:
        self.sent: list[Parcel] = []
        self.released = asyncio.Event()
        self.error = error

    async def start(self) -> None:
        """Nothing to connect to."""

    async def send(self, parcel: Parcel) -> None:
        self.sent.append(parcel)
        await self.released.wait()
        if self.error is not None:
            raise self.error

    async def close(self) -> None:
        """Nothing to disconnect from."""


def _read(url: str, broker: BrokerSettings, number: int) -> list[tuple[dict[str, Any], Any]]:
    queue: Any = kombu_queue(QueueName.INDEX, broker)
    with Connection(url) as connection:
        messages = [connection.SimpleQueue(queue).get(timeout=60) for _ in range(number)]
        return [(each.headers, json.loads(each.body or "")) for each in messages]
