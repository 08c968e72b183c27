"""Group commit: take all that waits, do it once, answer everybody.

While one group is on its way the next one collects, so a lone item never waits for company and
a crowd pays for one fsync or one round trip together. The idea is the one databases use for
their log (DeWitt et al., "Implementation techniques for main memory database systems", 1984).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from time import perf_counter
from typing import Generic, NamedTuple, TypeVar

from prometheus_client import Histogram

from shared.errors import Unavailable

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")
Flush = Callable[[list[Item]], Awaitable[Sequence[Outcome | BaseException]]]
Waiting = tuple[Item, asyncio.Future[Outcome] | None]
"""An item, and who waits for its outcome: None, nobody does."""


class GroupMeter(NamedTuple):
    """What is observed of a group, once for all of it: how many shared it, how long it took."""

    messages: Histogram
    seconds: Histogram


class GroupCommit(Generic[Item, Outcome]):
    """Answers `submit` with the outcome of the group its item went into.

    `flush` receives up to `limit` items in order of arrival and returns one outcome for each, in
    the same order; an outcome that is an exception is raised to its submitter alone, an exception
    from `flush` itself is raised to all of the group. Up to `concurrency` groups are in flight, of
    which each but the first waits until it is `crowd` items, or its first one has waited for
    `patience_seconds`: many small ones cost more than few.
    A submitter that is cancelled leaves its item in the group: what was sent may still happen.
    `meter` hears of every group, also of one that failed. All of it belongs to one event loop,
    or to the next once that is closed.
    """

    def __init__(
        self,
        flush: Flush[Item, Outcome],
        *,
        limit: int = 256,
        concurrency: int = 1,
        crowd: int = 1,
        patience_seconds: float = inf,
        capacity: int = 50_000,
        meter: GroupMeter | None = None,
    ) -> None:
        self._flush = flush
        self._limit = limit
        self._concurrency = self._free = concurrency
        self._crowd = crowd
        self._patience_seconds = patience_seconds
        self._patience: asyncio.TimerHandle | None = None
        self._capacity = capacity
        self._meter = meter
        self._waiting: deque[Waiting[Item, Outcome]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = False
        self._closed = False

    def submit(self, item: Item) -> asyncio.Future[Outcome]:
        """Hand in one item, whose outcome comes later; raises Unavailable when full or closed."""
        if self._loop is None or self._loop.is_closed():
            # Asked for each item it would cost as much as the future: Python 3.11 asks the system
            # each time which process this is.
            self._loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._queue(item, future)
        return future

    def tell(self, item: Item) -> None:
        """Hand in an item whose outcome nobody will look at, which costs no future."""
        self._queue(item, None)

    def _queue(self, item: Item, future: asyncio.Future[Outcome] | None) -> None:
        if self._closed or len(self._waiting) >= self._capacity:
            raise Unavailable("Too much is waiting to be written.", retry_after_seconds=1.0)
        self._waiting.append((item, future))
        self._start_a_group()

    async def close(self) -> None:
        """Flush what waits, then refuse everything that comes after."""
        self._closed = True
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    def _start_a_group(self) -> None:
        if self._starting or not self._free or not self._waiting:
            return
        if self._free < self._concurrency and len(self._waiting) < self._crowd:
            self._wait_for_company()
            return
        self._start()

    def _wait_for_company(self) -> None:
        if self._patience is None and self._patience_seconds < inf:
            loop = asyncio.get_running_loop()
            self._patience = loop.call_later(self._patience_seconds, self._wait_no_longer)

    def _wait_no_longer(self) -> None:
        self._patience = None
        if self._waiting and self._free and not self._starting:
            self._start()

    def _start(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
        self._starting = True
        self._free -= 1
        task = asyncio.get_running_loop().create_task(self._run())
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self) -> None:
        # The group is cut here and not in `submit`: everything that is submitted in the same
        # turn of the event loop travels together.
        self._starting = False
        try:
            while self._waiting:
                await self._flush_one(self._cut())
        finally:
            self._free += 1
            self._start_a_group()

    def _cut(self) -> list[Waiting[Item, Outcome]]:
        group = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
        self._start_a_group()
        return group

    async def _flush_one(self, group: list[Waiting[Item, Outcome]]) -> None:
        began = perf_counter()
        try:
            outcomes = await self._flush([item for item, _ in group])
        except asyncio.CancelledError as error:
            _fail(group, error)
            raise
        except Exception as error:  # noqa: BLE001 - handed to every submitter of the group
            _fail(group, error)
        else:
            if len(outcomes) != len(group):
                _fail(group, RuntimeError(f"{len(group)} items had {len(outcomes)} outcomes"))
                return
            _answer(group, outcomes)
        finally:
            if self._meter is not None:
                self._meter.messages.observe(len(group))
                self._meter.seconds.observe(perf_counter() - began)


def _answer(
    group: list[Waiting[Item, Outcome]],
    outcomes: Sequence[Outcome | BaseException],
) -> None:
    for (_, future), outcome in zip(group, outcomes, strict=True):
        if future is None or future.done():
            continue
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _fail(group: list[Waiting[Item, Outcome]], error: BaseException) -> None:
    for _, future in group:
        if future is None or future.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            future.cancel()
        else:
            future.set_exception(error)
