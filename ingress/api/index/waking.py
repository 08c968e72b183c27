"""Waking indexers from a door, which connects for it with the first document."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from shared.queueing.index_waker import IndexWaker, open_index_waker
from shared.settings.servers import BrokerSettings


class IndexWaking:
    """Says that a collection has work. It may be lost: every indexer looks by itself as well."""

    def __init__(self, broker: BrokerSettings) -> None:
        self._broker = broker
        self._lock = asyncio.Lock()
        self._stack = AsyncExitStack()
        self._waker: IndexWaker | None = None

    async def wake(self, collection_id: str) -> None:
        """Waits for no broker, and raises nothing."""
        async with self._lock:
            if self._waker is None:
                opening = open_index_waker(self._broker)
                self._waker = await self._stack.enter_async_context(opening)
        self._waker.wake(collection_id)

    async def close(self) -> None:
        """Send what is under way, and disconnect."""
        async with self._lock:
            self._waker = None
            await self._stack.aclose()
