"""Wake-ups onto RabbitMQ: one write for all that waits, confirms counted as they come."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from shared.errors import BrokerUnavailable
from shared.messages.lane import WakeUp
from shared.queueing.amqp.envelope import AmqpEnvelope
from shared.queueing.amqp.keeper import LinkKeeper
from shared.queueing.backlog import Backlog, bundled
from shared.queueing.envelope import own_origin
from shared.settings.servers import BrokerSettings
from shared.telemetry.metrics import Metrics

WINDOW: Final = 1024
"""Messages that may be unconfirmed at a time; quorum queues confirm a group per disk write."""
GROUP_LIMIT: Final = 256


class AmqpPublisher:
    """See `Publisher`."""

    def __init__(self, broker: BrokerSettings, metrics: Metrics) -> None:
        self._patience_seconds = broker.publish_timeout_seconds
        self._bundle_limit = broker.bundle_limit
        self._group_sizes = metrics.publish_group_messages
        self._group_seconds = metrics.publish_group_duration_seconds
        self._failures = metrics.publish_failures.labels(BrokerUnavailable.code)
        self._envelope = AmqpEnvelope(own_origin())
        self._backlog = Backlog()
        self._progress = asyncio.Event()
        self._is_scheduled = False
        self._keeper = LinkKeeper(broker, on_progress=self._on_progress, on_lost=self._failures.inc)

    @property
    def healthy(self) -> bool:
        return self._keeper.usable_link is not None

    async def start(self) -> None:
        self._keeper.start()

    def submit(self, wake_up: WakeUp) -> None:
        if self._backlog.add(wake_up):
            self._schedule()
        else:
            self._failures.inc()

    async def publish(self, wake_ups: Sequence[WakeUp], *, alone: bool = False) -> None:
        if not wake_ups:
            return
        confirmation = self._backlog.add_group(wake_ups, alone=alone)
        self._schedule()
        await confirmation.wait(self._patience_seconds)

    async def close(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                await self._drained()
        await self._keeper.close()

    async def _drained(self) -> None:
        while (link := self._keeper.usable_link) and (self._backlog or link.window):
            self._progress.clear()
            await self._progress.wait()

    def _on_progress(self, group_seconds: Sequence[float]) -> None:
        self._progress.set()
        for seconds in group_seconds:
            self._group_seconds.observe(seconds)
        if self._backlog:
            self._schedule()

    def _schedule(self) -> None:
        # At the end of this turn of the loop: all that is submitted in it shares one write.
        if not self._is_scheduled and self.healthy:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._write_groups)

    def _write_groups(self) -> None:
        self._is_scheduled = False
        while (link := self._keeper.usable_link) and self._backlog:
            room = WINDOW - len(link.window)
            if room < min(GROUP_LIMIT, len(self._backlog)):
                return
            group = self._backlog.take(GROUP_LIMIT)
            bundles = bundled(group, most=self._bundle_limit)
            frames = [self._encode([wake_up for wake_up, _ in bundle]) for bundle in bundles]
            link.write(b"".join(frames), [[each for _, each in bundle] for bundle in bundles])
            self._group_sizes.observe(len(group))

    def _encode(self, bundle: list[WakeUp]) -> bytes:
        return self._envelope.encode(bundle[0], bundle[1:])
