"""Wake-ups onto RabbitMQ: one write for all that waits, confirms counted as they come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from shared.errors import BrokerUnavailable, ForebayError
from shared.messages.wake_up import WakeUp
from shared.queueing.amqp.address import BrokerAddress
from shared.queueing.amqp.envelope import AmqpEnvelope
from shared.queueing.amqp.link import AmqpLink
from shared.queueing.backlog import Backlog
from shared.queueing.backoff import backoff_seconds, wait_unless
from shared.queueing.declaration import declare_topology
from shared.queueing.envelope import own_origin
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics

WINDOW: Final = 1024
"""Messages that may be unconfirmed at a time; quorum queues confirm a group per disk write."""
GROUP_LIMIT: Final = 256
_WATCHES_PER_PATIENCE: Final = 4


class AmqpPublisher:
    """See `Publisher`. Connects, declares the topology and starts over whenever the link ends."""

    def __init__(self, broker: BrokerSettings, metrics: Metrics) -> None:
        self._broker = broker
        self._address = BrokerAddress.parse(str(broker.url))
        self._metrics = metrics
        self._failures = metrics.publish_failures.labels(BrokerUnavailable.code)
        self._log = get_logger(__name__)
        self._envelope = AmqpEnvelope(own_origin())
        self._backlog = Backlog()
        self._stopping = asyncio.Event()
        self._progress = asyncio.Event()
        self._link: AmqpLink | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._is_scheduled = False

    @property
    def healthy(self) -> bool:
        return self._link is not None and self._link.is_open and not self._link.is_blocked

    async def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep_connected(), name="amqp-publisher")

    def submit(self, wake_up: WakeUp) -> None:
        if self._backlog.add(wake_up):
            self._schedule()
        else:
            self._failures.inc()

    async def publish(self, wake_ups: Sequence[WakeUp]) -> None:
        if not wake_ups:
            return
        confirmation = self._backlog.add_group(wake_ups)
        self._schedule()
        await confirmation.wait(self._broker.publish_timeout_seconds)

    async def close(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._broker.publish_timeout_seconds):
                await self._drained()
        self._stopping.set()
        if self._link is not None:
            self._link.close()
        if self._keeper is not None:
            await self._keeper

    async def _drained(self) -> None:
        while (link := self._link) is not None and self.healthy and (self._backlog or link.window):
            self._progress.clear()
            await self._progress.wait()

    def _schedule(self) -> None:
        # At the end of this turn of the loop: all that is submitted in it shares one write.
        if not self._is_scheduled and self.healthy:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._write_groups)

    def _write_groups(self) -> None:
        self._is_scheduled = False
        link = self._link
        while link is not None and self.healthy and self._backlog:
            room = WINDOW - len(link.window)
            if room < min(GROUP_LIMIT, len(self._backlog)):
                return
            group = self._backlog.take(min(room, GROUP_LIMIT))
            frames = b"".join([self._envelope.encode(wake_up) for wake_up, _ in group])
            link.write(frames, [confirmation for _, confirmation in group])
            self._metrics.publish_group_messages.observe(len(group))

    async def _keep_connected(self) -> None:
        waits = backoff_seconds()
        while not self._stopping.is_set():
            try:
                link = await self._connect()
            except (ForebayError, OSError, TimeoutError) as error:
                self._log.warning("broker unreachable", error=str(error))
            else:
                waits = backoff_seconds()
                self._log.info("broker connected")
                await self._watch_until_closed(link)
            await wait_unless(self._stopping, next(waits))

    async def _connect(self) -> AmqpLink:
        # Every time: a broker that comes back may have forgotten its queues.
        await asyncio.to_thread(declare_topology, self._broker)
        link = AmqpLink(
            self._address,
            heartbeat_seconds=self._broker.heartbeat_seconds,
            on_progress=self._on_progress,
        )
        try:
            async with asyncio.timeout(self._broker.publish_timeout_seconds):
                await asyncio.get_running_loop().create_connection(
                    lambda: link, self._address.host, self._address.port, ssl=self._address.tls
                )
                await link.ready
        except BaseException:
            link.abort("The broker did not open the connection in time.")
            raise
        self._link = link
        self._schedule()
        return link

    async def _watch_until_closed(self, link: AmqpLink) -> None:
        patience = self._broker.publish_timeout_seconds
        while not link.closed.done():
            await asyncio.wait([link.closed], timeout=patience / _WATCHES_PER_PATIENCE)
            link.watch(patience_seconds=patience)
        error = link.closed.result()
        self._failures.inc(link.window.abandon(error))
        if not self._stopping.is_set():
            self._log.warning("broker lost", error=error.message)

    def _on_progress(self) -> None:
        self._progress.set()
        if self._backlog:
            self._schedule()
