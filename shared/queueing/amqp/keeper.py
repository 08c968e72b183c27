"""Keeping one link to RabbitMQ, whatever happens to the broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from shared.errors import BrokerUnavailable, ForebayError
from shared.queueing.amqp.link import AmqpLink, Progress
from shared.queueing.broker_address import BrokerAddress
from shared.queueing.declaration import declare_topology
from shared.resilience.backoff import backoff_seconds, wait_unless
from shared.resilience.kept_running import kept_running
from shared.settings.servers import BrokerSettings
from shared.telemetry.logs import get_logger

_WATCHES_PER_PATIENCE = 4


class LinkKeeper:
    """Connects, declares the topology, watches, and starts over whenever the link ends.

    `on_progress` is called when the link opened, read or closed, see AmqpLink; `on_lost`
    with the number of unconfirmed messages that nobody waits for.
    """

    def __init__(
        self,
        broker: BrokerSettings,
        *,
        on_progress: Progress,
        on_lost: Callable[[int], None],
    ) -> None:
        self._broker = broker
        self._address = BrokerAddress.of(broker)
        self._on_progress = on_progress
        self._on_lost = on_lost
        self._log = get_logger(__name__)
        self._stopping = asyncio.Event()
        self._link: AmqpLink | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def usable_link(self) -> AmqpLink | None:
        """The link, while it is open and the broker takes messages."""
        link = self._link
        return link if link is not None and link.is_open and not link.is_blocked else None

    def start(self) -> None:
        """Begins to connect; must be called on the event loop."""
        self._task = asyncio.create_task(kept_running("amqp-link", self._keep), name="amqp-link")

    async def close(self) -> None:
        """Disconnects at once; who waits for a confirm hears BrokerUnavailable."""
        self._stopping.set()
        if self._link is not None:
            self._link.close()
        if self._task is not None:
            await self._task

    async def _keep(self) -> None:
        waits = backoff_seconds()
        while not self._stopping.is_set():
            try:
                link = await self._connect()
            except (ForebayError, OSError, TimeoutError) as error:
                self._log.warning("broker unreachable", error=str(error))
            else:
                waits = backoff_seconds()
                self._log.info("broker connected")
                await self._watch(link)
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
        if self._stopping.is_set():
            # `close` came while this was connecting and found no link to end.
            link.close()
        self._on_progress([])
        return link

    async def _watch(self, link: AmqpLink) -> None:
        patience = self._broker.publish_timeout_seconds
        while not link.closed.done():
            await asyncio.wait([link.closed], timeout=patience / _WATCHES_PER_PATIENCE)
            link.watch_confirms(patience_seconds=patience)
        error: BrokerUnavailable = link.closed.result()
        self._on_lost(link.window.abandon(error))
        if not self._stopping.is_set():
            self._log.warning("broker lost", error=error.message)
