"""Celery's consumer, made to outlive bad messages and lost connections."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any

from celery.events import EventDispatcher
from celery.utils.log import get_logger
from celery.worker import WorkController, state
from celery.worker.consumer import Consumer
from kombu import Connection, Message
from kombu.transport import redis

from shared.messages.dead_letter import Bury, DeadReason
from shared.pool.graveyard import Graveyard
from shared.pool.poison import MESSAGE_LIMIT_BYTES, examine, fits_any
from shared.pool.pool import AsyncioPool
from shared.queueing.amqp.transport import AmqpTransport
from shared.queueing.reading.delivery import why_undecodable
from shared.queueing.redis_lists.transport import GuardedTransport

logger = get_logger(__name__)

EVENTS_SECONDS = 0.1
"""How long an event for Flower may wait for others to travel with."""
LOOK_SECONDS = 2.0
"""How often a broker that is away is looked for, at the least."""


class GuardedConsumer(Consumer):
    """The consumer that belongs to AsyncioPool; `install_asyncio_pool` puts it into an application.

    It examines every message before Celery trusts it, buries what cannot be run (see Graveyard),
    lets no acknowledgement on a lost connection stop the worker, and finds a broker that is back
    within two seconds, however long it was away.
    """

    controller: WorkController
    strategies: dict[str, object]
    connection_errors: tuple[type[BaseException], ...]
    channel_errors: tuple[type[BaseException], ...]
    event_dispatcher: EventDispatcher | None

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self._events_due_at = 0.0
        if isinstance(self.pool, AsyncioPool):
            self._graveyard = Graveyard(
                self.app, attend=self.pool.attend, settle=self.call_soon_ack
            )
            # Celery sleeps through the whole soft shutdown; this writes acknowledgements and
            # heartbeats meanwhile, and is over as soon as the last job is.
            self.controller.wait_for_soft_shutdown = self._wait_for_soft_shutdown  # type: ignore[method-assign, assignment]

    def connection_for_read(self, heartbeat: float | None = None) -> Connection:
        """As Celery's, but nothing that lies in a queue can end the worker."""
        connection = self.app.connection_for_read(heartbeat=heartbeat)
        is_redis = issubclass(connection.get_transport_cls(), redis.Transport)
        transport = GuardedTransport if is_redis else AmqpTransport
        connection.get_transport_cls = lambda: transport  # type: ignore[method-assign]
        return self.ensure_connected(connection)

    def ensure_connected(self, conn: Connection) -> Connection:
        """As Celery's, whose waits grow to half a minute: a broker that is back is found sooner."""
        waits: dict[str, Any] = {  # the stubs want whole seconds
            "interval_start": 0.2,
            "interval_step": 0.4,
            "interval_max": random.uniform(LOOK_SECONDS / 2, LOOK_SECONDS),  # none marches in step
        }
        conn.ensure_connection = partial(conn.ensure_connection, **waits)  # type: ignore[method-assign]
        return super().ensure_connected(conn)

    def create_task_handler(self, *args: object, **kwargs: object) -> Callable[[Message], None]:
        run = super().create_task_handler(*args, **kwargs)  # type: ignore[arg-type]
        limit_bytes = getattr(self.app, "message_limit_bytes", MESSAGE_LIMIT_BYTES)
        complaint_about = getattr(self.app, "complaint_about_arguments", fits_any)
        strategies = self.strategies

        def on_task_received(message: Message) -> None:
            verdict = examine(
                message, known=strategies, limit_bytes=limit_bytes, complaint_about=complaint_about
            )
            if verdict is not None:
                self._graveyard.bury(message, verdict)
                return
            try:
                run(message)
            except self._broker_errors:
                raise
            except Exception as error:
                # The border of one message: whatever Celery stumbles over would end the worker,
                # and the next one, and the next.
                logger.exception("A message could not be turned into a job")
                self._forget(message)
                found = Bury(DeadReason.MALFORMED, f"{type(error).__name__}: {error}")
                self._graveyard.bury(message, found)

        return on_task_received

    @property
    def _broker_errors(self) -> tuple[type[BaseException], ...]:
        """The errors that mean a lost connection; kombu counts KeyError among Redis's."""
        errors = (*self.connection_errors, *self.channel_errors)
        return tuple(error for error in errors if not issubclass(error, LookupError))

    def _forget(self, message: Message) -> None:
        request = state.requests.get(message.headers["id"])
        if request is not None and request.message is message:
            state.task_ready(request)

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Bury what kombu could not decode."""
        self._graveyard.bury(message, Bury(DeadReason.MALFORMED, why_undecodable("it", exc)))

    def on_invalid_task(self, _body: object, message: Message, exc: Exception) -> None:
        """Bury what Celery's own checks refuse (a bad eta or expiry)."""
        self._graveyard.bury(message, Bury(DeadReason.MALFORMED, f"{exc}"))

    def call_soon_ack(self, p: Callable[..., object], *args: object, **kwargs: object) -> object:
        """Write an acknowledgement at once; on a lost connection drop it, the message comes again.

        All of the pool's callbacks run in the thread that owns the connection, so nothing is left
        to defer. An error here would end Celery's loop, whatever its kind; a connection that is
        really lost is found by its reader.
        """
        message = getattr(p, "__self__", None)
        channel = getattr(message, "channel", None)
        if getattr(channel, "closed", False) or getattr(channel, "connection", True) is None:
            logger.info("A message's connection is lost; it will be delivered again.")
            return p
        try:
            p(*args, **kwargs)
        except Exception:
            # The border of one message: what is not acknowledged is delivered again.
            logger.warning(
                "Could not acknowledge a message; it will be delivered again.", exc_info=True
            )
        return p

    def on_send_event_buffered(self) -> None:  # type: ignore[override]
        """Send events in company: Celery sends those of each turn of the hub by themselves, and
        publishing three times a task costs as much as running it."""
        hub, now = self.controller.hub, monotonic()
        if hub is not None and now >= self._events_due_at:
            self._events_due_at = now + EVENTS_SECONDS
            hub.call_later(EVENTS_SECONDS, self._send_events)  # type: ignore[attr-defined]

    def _send_events(self) -> None:
        if self.event_dispatcher is not None:
            self.event_dispatcher.flush()

    def cancel_active_requests(self) -> None:
        """Cancel what still runs, after counting what has already ended."""
        if isinstance(self.pool, AsyncioPool):
            self.pool.settle_reports()
        super().cancel_active_requests()

    def _wait_for_soft_shutdown(self) -> None:
        seconds = self.app.conf.worker_soft_shutdown_timeout
        if seconds > 0 and self.pool.has_running_jobs:
            logger.warning("Soft shutdown: running tasks have %s seconds to finish.", seconds)
        self.pool.finish_running(seconds)
        if self.event_dispatcher is not None:
            self.event_dispatcher.flush()
