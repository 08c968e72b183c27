"""A queue's consumer: a thread reads and acknowledges, the event loop handles.

    thread ── delivery ──► loop: handle() ── done ──► thread: acknowledge

The thread owns the connection and is the only one to touch it. When the connection ends, what was
not acknowledged comes again, so handling must bear repeats.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Final

from kombu import Connection, Consumer, Message

from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.reading.delivery import Delivery, delivery_of, undecodable
from shared.queueing.topology import QueueName, kombu_queue
from shared.resilience.backoff import backoff_seconds
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger

Handle = Callable[[Delivery], Awaitable[None]]

# An acknowledgement may wait this long for the thread to come back from listening.
_BUSY_SECONDS: Final = 0.02
_IDLE_SECONDS: Final = 0.5
_HEARTBEAT_CHECK_SECONDS: Final = 1.0
_PAUSE_AFTER_FAILURE_SECONDS: Final = 1.0
_REDIS_VISIBILITY_SECONDS: Final = 120
_STEADY_SECONDS: Final = 5.0
"""A queue that is lost sooner after it was opened is opened again a little later each time."""


class QueueReader:
    """Hands every delivery of one queue to `handle` on the loop, up to `prefetch` at a time.

    A delivery is acknowledged when `handle` returns. `handle` waits out what is unavailable by
    itself; whatever it raises makes the delivery come again. What cannot be taken apart is a
    delivery too: its header `x-forebay-malformed` says why. The reader survives every restart of
    the broker.
    """

    def __init__(
        self,
        queue: QueueName,
        broker: BrokerSettings,
        *,
        handle: Handle,
        prefetch: int = 100,
    ) -> None:
        self._queue = queue
        self._broker = broker
        self._handle = handle
        self._prefetch = prefetch
        self._log = get_logger(__name__)
        self._handled: SimpleQueue[Future[None]] = SimpleQueue()
        self._in_hand: dict[Future[None], Message] = {}
        self._beat_at = 0.0
        self._waits = backoff_seconds()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_reading(self) -> bool:
        """Whether its thread runs; connected or trying to connect."""
        return self._thread is not None and self._thread.is_alive()

    async def start(self) -> None:
        """Starts the thread and returns at once; a broker that is away is tried again."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(
            target=self._run, name=f"read-{self._queue.value}", daemon=True
        )
        self._thread.start()

    async def close(self) -> None:
        """Takes no more, finishes what is in hand within a few seconds, and disconnects."""
        self._stopping.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, 4 * self._broker.publish_timeout_seconds)

    def _run(self) -> None:
        while not self._stopping.is_set():
            connection = connect_broker(self._broker, **self._own_redis_keys())
            try:
                self._read(connection)
            except Exception as error:  # noqa: BLE001 - the thread's edge: its end strands the queue
                # A lost connection shows in many ways, an AttributeError of py-amqp among them.
                self._log.warning("queue lost", queue=self._queue.value, error=repr(error))
                self._stopping.wait(next(self._waits))
            finally:
                self._forget()
                connection.collect()

    def _own_redis_keys(self) -> dict[str, Any]:
        """On Redis any reader puts back what another left too long; ours is due sooner."""
        if not self._broker.is_redis:
            return {}
        prefix = f"{self._queue.value}.unacked"
        return {
            "unacked_key": prefix,
            "unacked_index_key": f"{prefix}.index",
            "unacked_mutex_key": f"{prefix}.mutex",
            "visibility_timeout": _REDIS_VISIBILITY_SECONDS,
            "unacked_restore_throttle": 10,
        }

    def _read(self, connection: Connection) -> None:
        dial(connection)
        with connection.channel() as channel:
            queue = kombu_queue(self._queue, self._broker)
            consumer = Consumer(
                channel,
                [queue],
                on_message=self._take,
                on_decode_error=self._take_undecodable,
                prefetch_count=None,
            )
            consumer.qos(prefetch_count=self._prefetch)
            with consumer:
                self._log.info("queue opened", queue=self._queue.value)
                steady_at: float | None = time.monotonic() + _STEADY_SECONDS
                while not self._stopping.is_set():
                    self._turn(connection)
                    if steady_at is not None and time.monotonic() > steady_at:
                        self._waits, steady_at = backoff_seconds(), None
            deadline = time.monotonic() + self._broker.publish_timeout_seconds
            while self._in_hand and time.monotonic() < deadline:
                self._settle(wait_seconds=_BUSY_SECONDS)

    def _turn(self, connection: Connection) -> None:
        try:
            connection.drain_events(timeout=_BUSY_SECONDS if self._in_hand else _IDLE_SECONDS)
        except TimeoutError:
            self._log.debug("queue idle", queue=self._queue.value)
        if (now := time.monotonic()) - self._beat_at > _HEARTBEAT_CHECK_SECONDS:
            self._beat_at = now
            connection.heartbeat_check()
        self._settle()

    def _take(self, message: Message) -> None:
        self._hand_over(message, delivery_of(message))

    def _take_undecodable(self, message: Message, error: Exception) -> None:
        self._hand_over(message, undecodable(message, error))

    def _hand_over(self, message: Message, delivery: Delivery) -> None:
        assert self._loop is not None  # noqa: S101 - started before the thread was
        handling = asyncio.run_coroutine_threadsafe(self._guarded(delivery), self._loop)
        self._in_hand[handling] = message
        handling.add_done_callback(self._handled.put)

    async def _guarded(self, delivery: Delivery) -> None:
        try:
            await self._handle(delivery)
        except Exception:
            self._log.exception("delivery not handled", queue=self._queue.value)
            await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
            raise

    def _settle(self, *, wait_seconds: float = 0) -> None:
        while self._in_hand:
            try:
                done = self._handled.get(block=wait_seconds > 0, timeout=wait_seconds)
            except Empty:
                return
            self._settle_one(self._in_hand.pop(done), done)

    def _settle_one(self, message: Message, done: Future[None]) -> None:
        if done.cancelled() or done.exception() is not None:
            message.reject(requeue=True)
        else:
            message.ack()

    def _forget(self) -> None:
        """What is still in hand belongs to a connection that is gone; it comes again."""
        for handling in self._in_hand:
            handling.cancel()
        self._handled = SimpleQueue()
        self._in_hand = {}
