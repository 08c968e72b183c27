"""A queue's consumer: a thread reads and acknowledges, the event loop handles.

    thread ── delivery ──► loop: handle() ── verdict ──► thread: bury if so told, acknowledge

The thread owns the connection and is the only one to touch it. When the connection ends, what was
not acknowledged comes again, so handling must bear repeats.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, Final, Protocol

from kombu import Connection, Consumer, Message

from shared.queueing.broker_connection import connect_broker, dial
from shared.queueing.reading.delivery import Bury, Delivery, delivery_of
from shared.queueing.topology import QueueName, kombu_queue
from shared.resilience.backoff import backoff_seconds
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger

Handle = Callable[[Delivery], Awaitable[Bury | None]]

# An acknowledgement may wait this long for the thread to come back from listening.
_BUSY_SECONDS: Final = 0.02
_IDLE_SECONDS: Final = 0.5
_HEARTBEAT_CHECK_SECONDS: Final = 1.0
_PAUSE_AFTER_FAILURE_SECONDS: Final = 1.0
_REDIS_VISIBILITY_SECONDS: Final = 120


class Sink(Protocol):
    """Where buried deliveries go; see DeadLetterSink."""

    def bury(
        self,
        body: bytes,
        headers: Mapping[str, Any],
        reason: str,
        *,
        detail: str = "",
        queue: str = "",
        message_id: str = "",
    ) -> None: ...

    def close(self) -> None: ...


class QueueReader:
    """Hands every delivery of one queue to `handle` on the loop, up to `prefetch` at a time.

    A delivery is acknowledged when `handle` returns None; Bury sends it to the dead letters first.
    `handle` waits out what is unavailable by itself; whatever it raises makes the delivery come
    again. The reader survives every restart of the broker.
    """

    def __init__(
        self,
        queue: QueueName,
        broker: BrokerSettings,
        *,
        handle: Handle,
        sink: Sink,
        prefetch: int = 100,
    ) -> None:
        self._queue = queue
        self._broker = broker
        self._handle = handle
        self._prefetch = prefetch
        self._log = get_logger(__name__)
        self._sink = sink
        self._verdicts: SimpleQueue[Future[Bury | None]] = SimpleQueue()
        self._in_hand: dict[Future[Bury | None], Message] = {}
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
        self._sink.close()

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
            consumer = Consumer(channel, [queue], on_message=self._take, prefetch_count=None)
            consumer.qos(prefetch_count=self._prefetch)
            with consumer:
                self._log.info("queue opened", queue=self._queue.value)
                self._waits = backoff_seconds()
                while not self._stopping.is_set():
                    self._turn(connection)
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
        assert self._loop is not None  # noqa: S101 - started before the thread was
        work = self._guarded(delivery_of(message))
        handling = asyncio.run_coroutine_threadsafe(work, self._loop)
        verdicts = self._verdicts
        self._in_hand[handling] = message
        handling.add_done_callback(verdicts.put)

    async def _guarded(self, delivery: Delivery) -> Bury | None:
        try:
            return await self._handle(delivery)
        except Exception:
            self._log.exception("delivery not handled", queue=self._queue.value)
            await asyncio.sleep(_PAUSE_AFTER_FAILURE_SECONDS)
            raise

    def _settle(self, *, wait_seconds: float = 0) -> None:
        while self._in_hand:
            try:
                done = self._verdicts.get(block=wait_seconds > 0, timeout=wait_seconds)
            except Empty:
                return
            self._settle_one(self._in_hand.pop(done), done)

    def _settle_one(self, message: Message, done: Future[Bury | None]) -> None:
        if done.cancelled() or done.exception() is not None:
            message.reject(requeue=True)
            return
        verdict = done.result()
        if verdict is not None:
            delivery = delivery_of(message)
            self._sink.bury(
                delivery.body,
                delivery.headers,
                verdict.reason.value,
                detail=verdict.detail,
                queue=self._queue.value,
                message_id=delivery.own_id,
            )
        message.ack()

    def _forget(self) -> None:
        """What is still in hand belongs to a connection that is gone; it comes again."""
        for handling in self._in_hand:
            handling.cancel()
        self._verdicts = SimpleQueue()
        self._in_hand = {}
