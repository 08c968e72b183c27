"""The asyncio pool as Celery sees it. What is not said to belong to the loop runs in the hub."""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, NoReturn, cast

from celery import Celery
from celery.concurrency.base import BasePool
from celery.exceptions import WorkerShutdown
from celery.platforms import EX_FAILURE
from celery.utils.log import get_logger
from celery.worker import state

from shared.pool.errors import LoopDied, PoolRefused
from shared.pool.jobs.execution import JobExecution
from shared.pool.jobs.slots import JobSlots
from shared.pool.loop_thread import Errand, LoopThread
from shared.pool.mailbox import HubMailbox
from shared.queueing.reading.consumer import QueueConsumer

if TYPE_CHECKING:
    from kombu.asynchronous.hub import Hub

logger = get_logger(__name__)

# How long cancelled coroutines, and after them the lifespan, may take to clean up.
CLEANUP_SECONDS = 10.0


class AsyncioPool(BasePool):
    """Runs `async def` tasks on one event loop in a side thread; plain functions in threads of it.

    The same loop takes their messages from the queues and settles them; Celery's hub is left with
    remote control and events. It keeps no results, calls no hooks and follows no callbacks, chains
    or retries; `preparation` and `poison` refuse what asks for them.

    At most `limit` jobs run at once, across reconnections too; further ones wait here, unaccepted
    and unacknowledged. An application attribute `lifespan`, a callable without arguments that
    returns an async context manager, is open around all jobs. `slots` belong to the event loop;
    `letters` are how it reaches the hub.
    """

    limit: int
    app: Celery

    def __init__(self, limit: int, **options: object) -> None:
        super().__init__(limit, **options)  # type: ignore[arg-type]
        if options.get("threads", True):
            raise PoolRefused(
                "The asyncio pool needs a broker that works with an event loop: set the broker URL "
                "to amqp:// or redis://."
            )
        self._hub: Hub | None = None
        self.letters = HubMailbox()
        self.slots = JobSlots(limit)
        self.app.turns_at_once = limit  # type: ignore[attr-defined]  # for the lifespan
        _, hostname = cast("tuple[Celery, str]", options["initargs"])
        execution = JobExecution(self.app, hostname=hostname, report=self.slots.settle)
        self._thread = LoopThread(
            lifespan=getattr(self.app, "lifespan", nullcontext),
            slots=self.slots,
            execute=execution.execute,
            died=self._lose_loop,
        )
        self.soft_limit_seconds = cast("float | None", options.get("soft_timeout"))
        self.hard_limit_seconds = cast("float | None", options.get("timeout"))
        self._is_closing = False
        self._is_closed = False

    def on_start(self) -> None:
        """Open the lifespan. Raises LifespanFailed, which stops the worker with exit code 1."""
        self._thread.start(while_opening=state.maybe_shutdown)
        atexit.register(self._close)

    def did_start_ok(self) -> bool:
        return self._thread.is_alive

    def register_with_event_loop(self, loop: Hub) -> None:
        """Read the event loop's letters in the hub; called again after every reconnection."""
        self._hub = loop
        loop.add_reader(self.letters.fileno(), self.letters.read)

    def on_apply(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("The asyncio pool takes its jobs from the queues, and nothing else.")

    def in_loop(self, order: Callable[[], object]) -> None:
        """Have it called on the event loop, soon."""
        self._thread.call(order)

    def consume(self, build: Callable[[], QueueConsumer]) -> None:
        """Take messages by what `build`, called on the event loop, gives; until the pool ends."""
        self._thread.call(lambda: self._thread.consume(build()))

    def attend(self, errand: Errand, *, then: Callable[[bool], None]) -> None:
        """Run an errand; `then` hears if it succeeded. For the event loop."""
        self._thread.attend(errand, then=then)

    def terminate_job(self, pid: int, signal: int | None = None) -> None:
        """Cancel the coroutine of this one job. A plain `def` task's thread runs on unheeded."""
        self._thread.call(partial(self.slots.terminate, pid, signal))

    def grow(self, n: int = 1) -> None:
        self.limit += n
        self._thread.call(partial(self.slots.resize, self.limit))

    def shrink(self, n: int = 1) -> None:
        self.limit = max(self.limit - n, 1)
        self._thread.call(partial(self.slots.resize, self.limit))

    def _lose_loop(self, loss: LoopDied) -> None:
        """On the event loop, before any job hears of it: none of them may be acknowledged."""
        self.slots.close()
        self.slots.forget_waiting()
        self.slots.leave_unsettled()
        self.letters.put(partial(self._stop_worker, loss))

    def _stop_worker(self, loss: LoopDied) -> None:
        logger.critical("%s; the worker stops.", loss)
        if not self._is_closing:
            raise WorkerShutdown(EX_FAILURE)

    def on_stop(self) -> None:
        """Warm: let everything finish. Cold (Celery has cancelled it all): wait for the cleanup."""
        # The exit code once a cold shutdown was asked for; 0 counts.
        terminating: object = state.should_terminate
        if terminating is None or terminating is False:
            self._is_closing = True
            self._wait_for_jobs(None)
        else:
            self.finish_running(CLEANUP_SECONDS)
        self._close()

    def on_terminate(self) -> None:
        """Cancel everything; none of it is acknowledged any more."""
        self.slots.close()
        self.slots.leave_unsettled()
        for job in self.slots:
            self.terminate_job(job.number)
        self.finish_running(CLEANUP_SECONDS)
        self._close()

    def finish_running(self, timeout_seconds: float) -> None:
        """Take nothing more and wait for what runs, this long at most."""
        self._is_closing = True
        self.slots.close()
        self._thread.call(self.slots.forget_waiting)
        self._wait_for_jobs(timeout_seconds)

    def _wait_for_jobs(self, timeout_seconds: float | None) -> None:
        give_up_at = inf if timeout_seconds is None else monotonic() + timeout_seconds
        while not self.slots.is_idle and self._thread.is_alive:
            seconds_left = give_up_at - monotonic()
            if seconds_left <= 0:
                return
            self.letters.wait(min(0.05, seconds_left))
            self.letters.read()
            if self._hub is not None:
                # Heartbeats. ValueError: a signal came while the hub itself was firing timers.
                with suppress(ValueError):
                    self._hub.fire_timers()

    def _close(self) -> None:
        """End the event loop and with it the lifespan; once."""
        if self._is_closed:
            return
        self._is_closed = self._is_closing = True
        self.slots.leave_unsettled()
        self._thread.stop(timeout_seconds=CLEANUP_SECONDS)
        if self._hub is not None:
            self._hub.remove(self.letters.fileno())
        self.letters.close()

    @property
    def has_running_jobs(self) -> bool:
        return self.slots.running_count > 0

    @property
    def num_processes(self) -> int:
        return self.limit

    def _get_info(self) -> dict[str, object]:
        return {
            "implementation": f"{type(self).__module__}:{type(self).__name__}",
            "max-concurrency": self.limit,
            "processes": [os.getpid()],
            "timeouts": [self.soft_limit_seconds or 0, self.hard_limit_seconds or 0],
            "event-loop": self._thread.loop_name,
            "running": self.slots.running_count,
            "waiting": self.slots.waiting_count,
        }
