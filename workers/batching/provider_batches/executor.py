"""The executor of provider batches: one led round that starts what is due and waits for none."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from shared.batches.provider_batch import ProviderBatch
from shared.batches.provider_batches import ProviderBatchBook
from shared.clock import Clock
from shared.errors import Unavailable
from shared.resilience.kept_running import end_tasks
from shared.telemetry.logs import get_logger
from workers.batching.provider_batches.attending import Attending
from workers.batching.provider_batches.packing import Packing

_AT_ONCE: Final = 200
_FORGETTING_SECONDS: Final = 3_600.0
_UNKNOWN_AGAIN: Final = timedelta(seconds=300)


class ProviderBatches:
    """Each provider is packed for, and each batch attended to, by a task of its own: one that
    hangs keeps nobody waiting. Two processes that both lead for a moment do no harm."""

    def __init__(
        self,
        packing: Sequence[Packing],
        attending: Mapping[str, Attending],
        *,
        book: ProviderBatchBook,
        clock: Clock,
    ) -> None:
        self._packing = tuple(packing)
        self._attending = dict(attending)
        self._book = book
        self._clock = clock
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._forgot_at: float | None = None
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        """One round; raises LedgerUnavailable."""
        for batch in await self._book.due(_AT_ONCE):
            self._start(batch.id, partial(self._attend, batch))
        for place, packing in enumerate(self._packing):
            self._start(f"packing {place}", packing)
        now = self._clock.monotonic()
        if self._forgot_at is None or now - self._forgot_at >= _FORGETTING_SECONDS:
            self._forgot_at = now
            await self._book.forget_old()

    async def idle(self) -> None:
        """Wait until nothing that was started is under way."""
        while self._under_way:
            await asyncio.wait([*self._under_way.values()])

    async def close(self) -> None:
        """Stop whatever is under way: the next leader goes on from what is on record."""
        await end_tasks(*self._under_way.values())

    def _start(self, key: str, work: Callable[[], Awaitable[None]]) -> None:
        if key in self._under_way:
            return
        task = asyncio.create_task(self._done(key, work))
        self._under_way[key] = task
        task.add_done_callback(lambda _: self._under_way.pop(key, None))

    async def _done(self, key: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Unavailable as error:
            self._log.warning("batch_work_skipped", work=key, code=error.code)
        except Exception:  # noqa: BLE001 - the edge of a task
            self._log.exception("batch_work_failed", work=key)

    async def _attend(self, batch: ProviderBatch) -> None:
        attending = self._attending.get(batch.provider)
        if attending is not None:
            await attending(batch)
        elif self._clock.now() >= batch.pull_at:
            await self._book.end(batch.id, reason="its provider takes no batches any more")
        else:
            look_at = min(self._clock.now() + _UNKNOWN_AGAIN, batch.pull_at)
            await self._book.postpone(batch.id, look_at=look_at)
