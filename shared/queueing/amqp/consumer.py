"""Queues of RabbitMQ consumed on the event loop, whatever happens to the broker."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Final

from amqp.exceptions import PreconditionFailed
from kombu import Queue

from shared.errors import BrokerUnavailable
from shared.queueing.amqp.consuming_link import ConsumingLink
from shared.queueing.broker_address import BrokerAddress
from shared.queueing.reading.consumer import (
    STEADY_SECONDS,
    Connect,
    ConsumerEvents,
    declare_queues,
)
from shared.resilience.backoff import backoff_seconds, wait_unless
from shared.resilience.kept_running import kept_running
from shared.telemetry.logs import get_logger

_LOOK_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 2.0


class AmqpConsumer:
    """See `QueueConsumer`. Declares its queues each time it connects, a broker may forget them."""

    def __init__(
        self, connect: Connect, *, queues: list[Queue], prefetch: int, events: ConsumerEvents
    ) -> None:
        self.opened = threading.Event()
        self._connect = connect
        self._queues = {queue.name: queue for queue in queues}
        self._prefetch = prefetch
        self._events = events
        self._log = get_logger(__name__)
        self._stopping = asyncio.Event()
        self._link: ConsumingLink | None = None
        self._task: asyncio.Task[None] | None = None
        self._adding: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._task = asyncio.create_task(kept_running("amqp-consumer", self._keep))

    def consume(self, queue: Queue) -> None:
        self._queues[queue.name] = queue
        task = asyncio.create_task(self._add(queue))
        self._adding.add(task)
        task.add_done_callback(self._adding.discard)

    def cancel(self, name: str) -> None:
        if self._queues.pop(name, None) is not None and self._link is not None:
            self._link.cancel(name)

    def set_prefetch(self, count: int) -> None:
        self._prefetch = count
        if self._link is not None:
            self._link.set_prefetch(count)

    def hold(self, more: int) -> None:
        """Nothing: they count."""

    async def may_others_idle(self, name: str) -> bool | None:
        if name not in self._queues:
            return None
        if self._link is None:
            raise BrokerUnavailable("The broker is away.")
        waiting, readers = await self._link.look_at(name)
        return waiting == 0 and readers > 1

    async def close(self) -> None:
        self._stopping.set()
        if self._link is not None:
            self._link.close()
        if self._task is not None:
            await self._task

    async def _add(self, queue: Queue) -> None:
        try:
            await asyncio.to_thread(declare_queues, self._connect(), [queue])
        except Exception as error:  # noqa: BLE001 - the next link declares it again
            self._log.warning("queue not opened", queue=queue.name, error=_why(error))
        else:
            if self._link is not None and queue.name in self._queues:
                self._link.consume(queue.name, queue.consumer_arguments)

    async def _keep(self) -> None:
        waits = backoff_seconds()
        while not self._stopping.is_set():
            opened_at = time.monotonic()
            try:
                link = await self._open()
            except Exception as error:  # noqa: BLE001 - kombu's and py-amqp's are of every kind
                self._log.warning("queues not opened", error=_why(error))
            else:
                await self._read(link)
            if time.monotonic() - opened_at > STEADY_SECONDS:
                waits = backoff_seconds()
            await wait_unless(self._stopping, min(next(waits), _LONGEST_WAIT_SECONDS))

    async def _open(self) -> ConsumingLink:
        connection = self._connect()
        await asyncio.to_thread(declare_queues, connection, list(self._queues.values()))
        address = BrokerAddress.of_connection(connection)
        link = ConsumingLink(
            address,
            heartbeat_seconds=connection.heartbeat or 0,
            prefetch=self._prefetch,
            queues={name: queue.consumer_arguments for name, queue in self._queues.items()},
            on_message=self._events.on_message,
        )
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(connection.connect_timeout):
                await loop.create_connection(
                    lambda: link, address.host, address.port, ssl=address.tls
                )
                await link.ready
        except BaseException:
            link.abort("The broker did not open the connection in time.")
            raise
        return link

    async def _read(self, link: ConsumingLink) -> None:
        self._log.info("queues opened", queues=sorted(self._queues))
        self.opened.set()
        self._link = link
        if self._stopping.is_set():
            # `close` came while this was connecting and found no link to end.
            link.close()
        try:
            while not link.closed.done():
                await asyncio.wait([link.closed], timeout=_LOOK_SECONDS)
                link.watch()
        finally:
            self._link = None
            self._events.on_lost()
        if not self._stopping.is_set():
            error: BrokerUnavailable = link.closed.result()
            self._log.warning("queues lost", error=error.message)


def _why(error: Exception) -> str:
    if isinstance(error, PreconditionFailed):
        return f"a queue or exchange exists with other arguments: {error.reply_text}"
    return str(error) or repr(error)
