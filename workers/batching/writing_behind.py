"""Writing one group while the next is read."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from shared.resilience.kept_running import end_tasks


class WritingBehind:
    """One write at a time, in the order in which they begin.

    Leaving the context waits for the last one, or ends it where something was raised inside.
    """

    def __init__(self) -> None:
        self._last: asyncio.Task[bool] | None = None

    async def begin(self, write: Coroutine[Any, Any, bool]) -> bool:
        """Begin it once the one before has ended; False, and nothing is begun, where that gave
        False. Raises what the one before raised."""
        try:
            goes_on = await self._end()
        except BaseException:
            write.close()
            raise
        if goes_on:
            self._last = asyncio.get_running_loop().create_task(write)
        else:
            write.close()
        return goes_on

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            await self._end()
        elif self._last is not None:
            await end_tasks(self._last)

    async def _end(self) -> bool:
        return True if self._last is None else await self._last
