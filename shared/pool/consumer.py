"""Celery's consumer, left with remote control and events: the event loop takes the messages."""

from __future__ import annotations

import random
from functools import partial
from typing import Any, Final

from celery.events import EventDispatcher
from celery.utils.log import get_logger
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer
from celery.worker.consumer.control import Control
from celery.worker.consumer.tasks import Tasks
from kombu import Connection, Queue
from kombu.common import QoS
from kombu.transport import redis

from shared.pool.events import TaskEvents
from shared.pool.graveyard import Graveyard
from shared.pool.jobs.strategy import TaskStrategy
from shared.pool.pool import AsyncioPool
from shared.pool.remote_control import LoopControl, snapshot
from shared.pool.tasks_step import LoopConsumer, LoopTasks
from shared.queueing.amqp.consumer import AmqpConsumer
from shared.queueing.amqp.transport import AmqpTransport
from shared.queueing.reading.consumer import QueueConsumer
from shared.queueing.redis_lists.consumer import RedisConsumer
from shared.queueing.redis_lists.transport import GuardedTransport

logger = get_logger(__name__)

LOOK_SECONDS = 2.0
"""How often a broker that is away is looked for, at the least."""

_OURS: Final[dict[Any, Any]] = {Tasks: LoopTasks, Control: LoopControl}
"""What stands where a step of Celery's stood, which others require."""


class HubConsumer(Consumer):
    """The consumer that belongs to AsyncioPool; `install_asyncio_pool` puts it into an application.

    Its hub keeps a connection for remote control and events, and finds a broker that is back
    within two seconds, however long it was away. Losing it costs no message and no acknowledgement:
    those have a connection of their own.
    """

    controller: WorkController
    disable_rate_limits: bool
    task_buckets: dict[str, Any]
    initial_prefetch_count: int
    amqheartbeat: float | None
    task_consumer: LoopConsumer | None
    conninfo: Connection
    qos: QoS
    event_dispatcher: EventDispatcher | None
    strategy: TaskStrategy
    events: TaskEvents

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc, valid-type]
        """Celery's steps, two of them ours."""

        def _finalize_steps(self, steps: dict[str, Any]) -> list[Any]:
            return [_OURS.get(step, step) for step in super()._finalize_steps(steps)]

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if isinstance(self.pool, AsyncioPool):
            self._furnish(self.pool)
            # Celery sleeps through the whole soft shutdown; this keeps heartbeats going meanwhile,
            # and is over as soon as the last job is.
            self.controller.wait_for_soft_shutdown = self._wait_for_soft_shutdown  # type: ignore[method-assign, assignment]

    def _furnish(self, pool: AsyncioPool) -> None:
        self.events = TaskEvents(
            self.app,
            hostname=self.hostname,
            consumer=self,
            letters=pool.letters,
        )
        self.strategy = TaskStrategy(
            self.app,
            hostname=self.hostname,
            slots=pool.slots,
            limits_seconds=(pool.soft_limit_seconds, pool.hard_limit_seconds),
            graveyard=Graveyard(self.app, attend=pool.attend),
            events=self.events,
            buckets={} if self.disable_rate_limits else self.task_buckets,
            on_held=self._hold,
            attend=pool.attend,
            may_others_idle=self._may_others_idle,
        )

    def build_consumer(self, queues: list[Queue]) -> QueueConsumer:
        """What takes the messages; called on the event loop."""
        is_redis = self.conninfo.transport.driver_type == "redis"
        kind = RedisConsumer if is_redis else AmqpConsumer
        return kind(
            self._connection,
            queues=queues,
            prefetch=self.initial_prefetch_count,
            events=self.strategy,
        )

    def _hold(self, more: int) -> None:
        """So many more messages are held for later: called on the event loop."""
        if self.task_consumer is not None:
            self.task_consumer.hold(more)

    async def _may_others_idle(self, queue: str) -> bool | None:
        return await self.task_consumer.may_others_idle(queue) if self.task_consumer else None

    def connection_for_read(self, heartbeat: float | None = None) -> Connection:
        """As Celery's, but nothing that lies in a queue can end the worker."""
        return self.ensure_connected(self._connection(heartbeat))

    def _connection(self, heartbeat: float | None = None) -> Connection:
        connection = self.app.connection_for_read(heartbeat=heartbeat or self.amqheartbeat)
        is_redis = issubclass(connection.get_transport_cls(), redis.Transport)
        transport = GuardedTransport if is_redis else AmqpTransport
        connection.get_transport_cls = lambda: transport  # type: ignore[method-assign]
        return connection

    def ensure_connected(self, conn: Connection) -> Connection:
        """As Celery's, whose waits grow to half a minute: a broker that is back is found sooner."""
        waits: dict[str, Any] = {  # the stubs want whole seconds
            "interval_start": 0.2,
            "interval_step": 0.4,
            "interval_max": random.uniform(LOOK_SECONDS / 2, LOOK_SECONDS),  # none marches in step
        }
        conn.ensure_connection = partial(conn.ensure_connection, **waits)  # type: ignore[method-assign]
        return super().ensure_connected(conn)

    def on_close(self) -> None:
        """Celery forgets here what it had taken over the hub's connection: there is nothing."""

    def cancel_active_requests(self) -> None:
        """Cancel what still runs and is not acknowledged; the broker delivers it again."""
        for request in snapshot(state.active_requests):
            if not (request.task.acks_late and request.acknowledged):
                # Of a task that is acknowledged early nothing comes again: it is told as retried.
                request.cancel(self.pool, emit_retry=not request.task.acks_late)

    def _wait_for_soft_shutdown(self) -> None:
        seconds = self.app.conf.worker_soft_shutdown_timeout
        if seconds > 0 and self.pool.has_running_jobs:
            logger.warning("Soft shutdown: running tasks have %s seconds to finish.", seconds)
        if self.task_consumer is not None:
            self.task_consumer.cancel()
        self.pool.finish_running(seconds)
        self.events.flush()
