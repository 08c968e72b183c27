"""How long a door waits for the ledger: a frozen database must not freeze us."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Any, TypeVar

from shared.errors import LedgerUnavailable

T = TypeVar("T")


class Patience:
    """Waits for a query, at most `seconds`, then raises LedgerUnavailable.

    A query that is late is left behind and ends when it can. `asyncio.timeout` would not do:
    cancelling a query makes the driver ask the frozen server to stop it, and wait for that.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._left_behind: set[asyncio.Task[Any]] = set()
        self._bounded: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def wait(self, query: Coroutine[Any, Any, T]) -> T:
        """What the query says, or raises."""
        task = asyncio.ensure_future(query)
        done, _ = await asyncio.wait({task}, timeout=self.seconds)
        if not done:
            self._left_behind.add(task)
            task.add_done_callback(self._forget)
            task.cancel()
            raise too_late()
        return task.result()

    def bound(self, future: asyncio.Future[T]) -> asyncio.Future[T]:
        """The same future, which raises TimeoutError if its time is over before it is done.

        One timer serves all of them: nobody's waiting costs one of its own.
        """
        loop, bounded = future.get_loop(), self._bounded
        while bounded and bounded[0][1].done():
            bounded.popleft()
        bounded.append((loop.time() + self.seconds, future))
        if self._timer is None:
            self._timer = loop.call_later(self.seconds, self._look)
        return future

    def _look(self) -> None:
        loop, bounded = asyncio.get_running_loop(), self._bounded
        self._timer, now = None, loop.time()
        while bounded and (bounded[0][1].done() or bounded[0][0] <= now):
            _, future = bounded.popleft()
            if not future.done():
                future.set_exception(TimeoutError())
        if bounded:
            self._timer = loop.call_at(bounded[0][0], self._look)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._left_behind.discard(task)
        if not task.cancelled():
            task.exception()


def too_late() -> LedgerUnavailable:
    """The error of a ledger that said nothing in time."""
    return LedgerUnavailable("The ledger does not answer.", retry_after_seconds=1.0)
