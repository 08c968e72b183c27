"""The round of webhooks: what is due goes to its endpoints, each at its own pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Final

from shared.clock import Clock
from shared.errors import Unavailable
from shared.persistence.engine import Database
from shared.resilience.kept_running import end_tasks
from shared.settings.webhooks import WebhookSettings
from shared.telemetry.logs import get_logger
from shared.telemetry.metrics import Metrics
from shared.webhooks.deliveries import TriedDelivery, WebhookDeliveries
from shared.webhooks.endpoints import WebhookEndpoint
from shared.webhooks.outbox import WebhookOutbox
from workers.webhooks.sender import WebhookSender

_ENDPOINTS_AT_ONCE: Final = 64
_AT_ONCE: Final = 16
"""Deliveries to one endpoint at once."""
_STEPS: Final = 20
_PAUSE_SECONDS: Final = 15.0
"""An endpoint that took none of a group is left alone for so long: others have its place."""
_CLAIM_GRACE_SECONDS: Final = 30.0


class WebhookRound:
    """One round fans events out, and has each endpoint that waits served beside it.

    An endpoint that is slow or dead delays its own deliveries and nobody else's. What a process
    that dies had claimed is due again once its claim is over: an endpoint may be told twice, under
    the same `webhook-id`, and is told in the end. Raises LedgerUnavailable.
    """

    def __init__(
        self,
        outbox: WebhookOutbox,
        deliveries: WebhookDeliveries,
        sender: WebhookSender,
        metrics: Metrics,
        clock: Clock,
        *,
        claim_seconds: float,
    ) -> None:
        self._outbox = outbox
        self._deliveries = deliveries
        self._sender = sender
        self._metrics = metrics
        self._clock = clock
        self._claim_seconds = claim_seconds
        self._serving: dict[str, asyncio.Task[None]] = {}
        self._paused_until: dict[str, float] = {}
        self._log = get_logger(__name__)

    async def __call__(self) -> None:
        for _ in range(_STEPS):
            if not await self._outbox.fan_out():
                break
        now = self._clock.monotonic()
        self._paused_until = {id_: t for id_, t in self._paused_until.items() if t > now}
        for endpoint in await self._deliveries.waiting():
            if len(self._serving) >= _ENDPOINTS_AT_ONCE:
                break
            if endpoint.id not in self._serving and endpoint.id not in self._paused_until:
                self._serve(endpoint)
        await self._outbox.forget_old()

    async def served(self) -> None:
        """Return once no endpoint is being served any more."""
        while self._serving:
            await asyncio.wait(self._serving.values())

    async def close(self) -> None:
        """Stop at once; what was claimed and not ended is tried again by whoever comes next."""
        await end_tasks(*self._serving.values())

    def _serve(self, endpoint: WebhookEndpoint) -> None:
        task = asyncio.create_task(self._drain(endpoint))
        self._serving[endpoint.id] = task
        task.add_done_callback(lambda _: self._serving.pop(endpoint.id, None))

    async def _drain(self, endpoint: WebhookEndpoint) -> None:
        """All that is due there, a group after the other, unless it takes none of one."""
        try:
            while tried := await self._group(endpoint):
                if all(each.error is not None for each in tried):
                    self._paused_until[endpoint.id] = self._clock.monotonic() + _PAUSE_SECONDS
                    return
        except Unavailable as error:
            self._log.warning("webhooks_not_noted", endpoint=endpoint.id, code=error.code)
        except Exception:  # noqa: BLE001 - a fault of one endpoint is no other's
            self._log.exception("webhooks_failed", endpoint=endpoint.id)

    async def _group(self, endpoint: WebhookEndpoint) -> list[TriedDelivery]:
        claimed = await self._deliveries.claim(
            endpoint.id, claim_seconds=self._claim_seconds, limit=_AT_ONCE
        )
        tried = [*await asyncio.gather(*(self._sender.send(endpoint, each) for each in claimed))]
        if tried:
            await self._deliveries.finish(tried)
        for each in tried:
            self._count(each)
        return tried

    def _count(self, tried: TriedDelivery) -> None:
        outcome = "delivered"
        if tried.error is not None:
            gives_up = tried.is_final or tried.claimed.tries_left <= 0
            outcome = "given_up" if gives_up else "failed"
        self._metrics.webhook_tries.labels(outcome).inc()
        self._metrics.webhook_duration_seconds.labels(outcome).observe(tried.seconds)


@asynccontextmanager
async def webhook_round(
    settings: WebhookSettings, database: Database, metrics: Metrics, clock: Clock
) -> AsyncIterator[WebhookRound]:
    """The round, which stops serving when the context is left."""
    sending = WebhookRound(
        WebhookOutbox(database, settings, clock),
        WebhookDeliveries(database, settings, clock, Random()),
        WebhookSender(settings, clock),
        metrics,
        clock,
        claim_seconds=settings.timeout_seconds + _CLAIM_GRACE_SECONDS,
    )
    try:
        yield sending
    finally:
        await sending.close()
