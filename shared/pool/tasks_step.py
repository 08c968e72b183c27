"""Celery's bootstep that starts consuming tasks, for a pool that consumes by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import monotonic, sleep
from typing import Any

from celery import bootsteps
from celery.bootsteps import RUN  # type: ignore[attr-defined]
from celery.worker.consumer import Consumer
from celery.worker.consumer.tasks import Tasks
from celery.worker.state import maybe_shutdown
from kombu import Queue
from kombu.common import QoS

from shared.pool.pool import AsyncioPool
from shared.queueing.reading.consumer import QueueConsumer

OPENING_SECONDS = 10.0
"""How long Celery's hub waits for the queues before it says that the worker is ready."""


class LoopConsumer:
    """What Celery's consumer takes for a kombu consumer: it passes on what is asked of it.

    It belongs to the hub's thread, and is the same after a reconnection of the hub: the event
    loop has a connection of its own.
    """

    on_message: object = None

    def __init__(
        self, pool: AsyncioPool, queues: list[Queue], build: Callable[[list[Queue]], QueueConsumer]
    ) -> None:
        self._pool = pool
        self._queues = {queue.name: queue for queue in queues}
        self._build = build
        self._consumer: QueueConsumer | None = None
        self._has_begun = False

    @property
    def queues(self) -> list[Queue]:
        """What is consumed, for `celery inspect active_queues`."""
        return list(self._queues.values())

    def consume(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._pool.consume(partial(self._begin, self.queues))
            self._wait_until_open()

    def consuming_from(self, queue: str | Queue) -> bool:
        return getattr(queue, "name", queue) in self._queues

    def add_queue(self, queue: Queue) -> None:
        self._queues[queue.name] = queue
        self._in_loop(lambda consumer: consumer.consume(queue))

    def cancel_by_queue(self, queue: str) -> None:
        self._queues.pop(queue, None)
        self._in_loop(lambda consumer: consumer.cancel(queue))

    def cancel(self) -> None:
        """Take nothing more."""
        for name in list(self._queues):
            self.cancel_by_queue(name)

    def close(self) -> None:
        """Nothing: the pool closes its consumer when it ends."""

    def qos(self, prefetch_count: int) -> None:
        self._in_loop(lambda consumer: consumer.set_prefetch(prefetch_count))

    def hold(self, more: int) -> None:
        """See `QueueConsumer`. For the event loop."""
        if self._consumer is not None:
            self._consumer.hold(more)

    async def may_others_idle(self, name: str) -> bool | None:
        """See `QueueConsumer`. For the event loop."""
        return await self._consumer.may_others_idle(name) if self._consumer is not None else None

    def _wait_until_open(self) -> None:
        """A worker that says it is ready has its queues; one whose broker hesitates goes on."""
        give_up_at = monotonic() + OPENING_SECONDS
        while monotonic() < give_up_at and self._pool.did_start_ok():
            maybe_shutdown()
            if self._consumer is not None and self._consumer.opened.wait(0.05):
                return
            sleep(0.01)

    def _begin(self, queues: list[Queue]) -> QueueConsumer:
        self._consumer = self._build(queues)
        return self._consumer

    def _in_loop(self, order: Callable[[QueueConsumer], None]) -> None:
        if self._has_begun:
            self._pool.in_loop(lambda: order(self._consumer) if self._consumer else None)


class LoopTasks(bootsteps.StartStopStep):
    """Stands where Celery's own step stood, which other steps require."""

    name = Tasks.name

    def __init__(self, c: Consumer, **kwargs: Any) -> None:
        vars(c).update(task_consumer=None, qos=None)
        super().__init__(c, **kwargs)

    def start(self, c: Any) -> None:
        """Called again after each reconnection of the hub."""
        c.qos_global = False
        if c.task_consumer is None:
            queues = list(c.app.amqp.queues.consume_from.values())
            c.task_consumer = LoopConsumer(c.pool, queues, c.build_consumer)
        c.qos = QoS(c.task_consumer.qos, c.initial_prefetch_count)
        c.qos.prev = c.qos.value

    def stop(self, c: Any) -> None:
        """At the end; a reconnection of the hub is none."""
        if c.task_consumer is not None and c.blueprint.state != RUN:
            c.task_consumer.cancel()

    def shutdown(self, c: Any) -> None:
        self.stop(c)

    def info(self, c: Any) -> dict[str, object]:  # type: ignore[override]
        """For `celery inspect stats`."""
        return {"prefetch_count": c.qos.value if c.qos else "N/A"}
