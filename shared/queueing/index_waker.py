"""Waking the indexers: a Celery message that says where to look first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec

from shared.errors import BrokerUnavailable
from shared.queueing.envelope import constant_headers, own_origin
from shared.queueing.parcel import Parcel
from shared.queueing.parcels import ParcelPublisher, build_parcel_publisher
from shared.queueing.task_names import TaskName
from shared.queueing.topology import QueueName
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger

_MOST_UNDER_WAY: Final = 64
_NOTHING_FOLLOWS: Final = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


class IndexWaker:
    """Wakes an indexer, on either broker.

    It may be lost without harm: what is to be indexed stands in the ledger, and every indexer
    looks there once a second. It belongs to one event loop.
    """

    def __init__(self, parcels: ParcelPublisher) -> None:
        self._parcels = parcels
        self._headers = constant_headers(own_origin(), task=TaskName.INDEX)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._log = get_logger(__name__)
        self.arrives = True
        """Whether the last message did."""

    def wake(self, about: str) -> None:
        """Never waits, never raises. `about` is the id of the job or the collection with work.

        Who wakes about one thing again and again sends one message at a time.
        """
        if about in self._under_way or len(self._under_way) >= _MOST_UNDER_WAY:
            return
        task = asyncio.get_running_loop().create_task(self._send(about))
        self._under_way[about] = task
        task.add_done_callback(lambda _: self._under_way.pop(about, None))

    async def close(self) -> None:
        """Sends what is under way."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _send(self, about: str) -> None:
        try:
            await self._parcels.send(self._parcel(about))
            self.arrives = True
        except BrokerUnavailable as error:
            self.arrives = False
            self._log.info("index_wake_up_lost", about=about, reason=error.message)

    def _parcel(self, about: str) -> Parcel:
        told = {"about": about}
        own = {"id": about, "root_id": about, "kwargsrepr": repr(told)}
        return Parcel(
            queue=QueueName.INDEX.value,
            body=msgspec.json.encode([[], told, _NOTHING_FOLLOWS]),
            identifier=about,
            headers=self._headers | own,
            must_arrive=True,
        )


@asynccontextmanager
async def open_index_waker(broker: BrokerSettings) -> AsyncIterator[IndexWaker]:
    """A waker for as long as the context is open; a broker that is away is tried again."""
    parcels = build_parcel_publisher(broker)
    await parcels.start()
    waker = IndexWaker(parcels)
    try:
        yield waker
    finally:
        await waker.close()
        await parcels.close()
