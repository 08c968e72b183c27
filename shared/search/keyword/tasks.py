"""A write is a task of the server's: it is done when the task is seen as succeeded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from meilisearch_python_sdk import AsyncClient
from meilisearch_python_sdk.models.task import TaskResult

from shared.errors import ForebayError
from shared.search.keyword.faults import asking, of_failure
from shared.search.vector_store import StoreBusy, StoreRefused, StoreUnavailable

_FIRST_LOOK_SECONDS: Final = 0.01
_LONGEST_PAUSE_SECONDS: Final = 0.5


class Tasks:
    """Waits for tasks, each at most `task_seconds`; the client's own wait misses a canceled one."""

    def __init__(
        self, client: AsyncClient, *, deadline_seconds: float, task_seconds: float
    ) -> None:
        self._client = client
        self._deadline_seconds = deadline_seconds
        self._task_seconds = task_seconds

    async def succeeded(self, numbers: Sequence[int], generation: str) -> None:
        """Returns when all have; raises the first failure, when the last of them has ended.

        Raises `StoreUnavailable` where one has not ended in time: it is still under way, and the
        same call again is safe.
        """
        faults = [await self._fault(number, generation) for number in numbers]
        for fault in faults:
            if fault is not None:
                raise fault

    async def _fault(self, number: int, generation: str) -> ForebayError | None:
        try:
            async with asyncio.timeout(self._task_seconds):
                task = await self._ended(number)
        except TimeoutError:
            raise StoreUnavailable(
                f"Meilisearch has not done task {number} of {generation} within "
                f"{self._task_seconds:g} s; it goes on with it."
            ) from None
        if task.status == "canceled":
            return StoreUnavailable(f"Task {number} of {generation} was canceled in Meilisearch.")
        return of_failure(task.error, generation) if task.status == "failed" else None

    async def _ended(self, number: int) -> TaskResult:
        pause = _FIRST_LOOK_SECONDS
        while True:
            later = None
            try:
                task = await self._look(number)
                if task.status in ("succeeded", "failed", "canceled"):
                    return task
            except StoreBusy as busy:  # the task itself was taken
                later = busy.retry_after_seconds
            await asyncio.sleep(later or pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _look(self, number: int) -> TaskResult:
        try:
            async with asking(self._deadline_seconds):
                return await self._client.get_task(number)
        except StoreRefused as error:
            raise StoreUnavailable(
                f"Meilisearch does not tell of task {number}, which it took: was it restored from "
                f"a backup? {error}"
            ) from error
