"""The thread with the event loop: opens the lifespan, consumes, runs the jobs, closes it again."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from contextvars import Context, copy_context

from celery.utils.log import get_logger

from shared.pool.errors import LifespanFailed, LoopDied
from shared.pool.jobs.job import Interruption, interrupt
from shared.pool.jobs.slots import Execute, JobSlots
from shared.queueing.reading.consumer import QueueConsumer

logger = get_logger(__name__)

Errand = Callable[[], Awaitable[None]]
"""Work on the event loop that is no job: it has no message, no limit and no slot."""

GOODBYE_SECONDS = 5.0
"""How long the consumer may take to settle what is settled and give back the rest."""


class LoopThread:
    """Consumes and runs jobs on an event loop of its own, inside the application's lifespan.

    `start`, `call` and `stop` are for other threads; the rest is for the loop's. `slots` are open,
    and run by `execute`, as soon as the lifespan is. `died` is called in the loop's thread if the
    loop ends without having been asked to, before any job hears of it.
    """

    def __init__(
        self,
        *,
        lifespan: Callable[[], AbstractAsyncContextManager[object]],
        slots: JobSlots,
        execute: Execute,
        died: Callable[[LoopDied], None],
    ) -> None:
        self._lifespan = lifespan
        self._slots = slots
        self._execute = execute
        self._died = died
        self._orders: deque[Callable[[], object]] = deque()
        self._announced = False
        self._errands: set[asyncio.Task[None]] = set()
        self._consumer: QueueConsumer | None = None
        self._context: Context | None = None
        self._stopping = False
        self._entered = threading.Event()
        self._opened = threading.Event()
        self._failure_to_open: BaseException | None = None
        self._thread = threading.Thread(target=self._main, name="asyncio-pool", daemon=True)

    def start(self, *, while_opening: Callable[[], None]) -> None:
        """Start the loop and return when the lifespan is open.

        `while_opening` is called every 100 ms; what it raises stops the opening and is raised here.
        Raises LifespanFailed when the lifespan does not open.
        """
        self._thread.start()
        try:
            while not self._opened.wait(0.1):
                while_opening()
        except BaseException:
            self.stop(timeout_seconds=5)
            raise
        if self._failure_to_open is not None:
            self._thread.join()
            raise LifespanFailed(
                f"the application's lifespan did not open: {self._failure_to_open!r}"
            ) from self._failure_to_open

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def loop_name(self) -> str:
        """The loop's implementation, for `celery inspect stats`."""
        return type(self._loop).__module__.partition(".")[0]

    def call(self, order: Callable[[], object]) -> None:
        """Have it called in the loop's thread, in turn; by a loop that has ended, never."""
        self._orders.append(order)
        if not self._announced:
            self._announced = True
            with suppress(RuntimeError):  # a closed loop runs nothing more
                self._loop.call_soon_threadsafe(self._follow_orders, context=self._context)

    def stop(self, *, timeout_seconds: float) -> None:
        """Cancel what still runs, close the lifespan and end the thread.

        Returns after `timeout_seconds` at the latest, whether the lifespan has closed or not.
        """
        self._stopping = True
        if self._entered.wait(timeout_seconds):
            with suppress(RuntimeError):  # the loop is closed already
                self._loop.call_soon_threadsafe(self._serving.cancel)
        self._thread.join(timeout_seconds)
        if self._thread.is_alive():
            logger.error("The lifespan did not close within %s s.", timeout_seconds)

    def consume(self, consumer: QueueConsumer) -> None:
        """Start the consumer; it is closed once no job runs any more."""
        self._consumer = consumer
        consumer.start()

    def attend(self, errand: Errand, *, then: Callable[[bool], None]) -> None:
        """Run an errand and call `then` with whether it succeeded.

        The end of the loop cancels it, and then nobody is told.
        """
        task = self._loop.create_task(_carry_out(errand, then))
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _follow_orders(self) -> None:
        self._announced = False
        for _ in range(len(self._orders)):
            self._orders.popleft()()

    def _main(self) -> None:
        failure: BaseException | None = None
        try:
            with asyncio.Runner(loop_factory=_new_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - the edge of the thread; told to the hub
            failure = error
        if not self._opened.is_set():
            self._failure_to_open = failure
        elif failure is not None:
            logger.error("The lifespan did not close cleanly: %r", failure, exc_info=failure)
        if self._opened.is_set() and not self._stopping:
            self._died(LoopDied(f"the event loop ended: {failure!r}"))
        self._entered.set()
        self._opened.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._serving: asyncio.Task[object] = asyncio.current_task()  # type: ignore[assignment]
        self._entered.set()
        async with self._lifespan():
            # Jobs inherit the context variables that the lifespan has set.
            self._context = copy_context()
            self._slots.open(self._execute, self._context)
            self._opened.set()
            try:
                await self._until_stopped()
            finally:
                await self._cancel_leftovers()
                await self._stop_consuming()

    async def _until_stopped(self) -> None:
        try:
            await self._loop.create_future()
        except asyncio.CancelledError:
            if not self._stopping:
                # A part of the lifespan failed. The pool must know before it hears of a single job
                # that this ends: none of them may be acknowledged.
                self._died(LoopDied("the application's lifespan fell over"))
                raise
            self._serving.uncancel()

    async def _cancel_leftovers(self) -> None:
        """End the jobs that still run while the lifespan is open for their `finally`."""
        tasks = {job.running for job in self._slots if job.running is not None}
        for job in self._slots:
            interrupt(job, Interruption.TERMINATED)
        if tasks:
            await asyncio.wait(tasks, timeout=1)

    async def _stop_consuming(self) -> None:
        if self._consumer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await self._consumer.close()


async def _carry_out(errand: Errand, then: Callable[[bool], None]) -> None:
    try:
        await errand()
    except Exception:
        # The border of one errand, as each job has its own.
        logger.exception("An errand failed")
        then(False)
    else:
        then(True)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
