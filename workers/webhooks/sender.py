"""A tenant's webhook on its way: signed, posted, and what came of it."""

from __future__ import annotations

import ssl

from shared.clock import Clock
from shared.settings.webhooks import WebhookSettings
from shared.webhooks.address_guard import AddressGuard
from shared.webhooks.deliveries import ClaimedDelivery, TriedDelivery
from shared.webhooks.endpoints import WebhookEndpoint
from shared.webhooks.signing import event_body, signed_headers
from workers.webhooks.guarded_post import GuardedPost


class WebhookSender:
    """Tries deliveries to tenants' servers."""

    def __init__(
        self,
        settings: WebhookSettings,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        guard = AddressGuard(settings)
        self._post = GuardedPost(guard, timeout_seconds=settings.timeout_seconds, tls=tls)
        self._clock = clock

    async def send(self, endpoint: WebhookEndpoint, claimed: ClaimedDelivery) -> TriedDelivery:
        """What came of it; never raises but when it is cancelled."""
        started_at, began = self._clock.now(), self._clock.monotonic()
        body = event_body(claimed.event)
        outcome = await self._post.send(
            endpoint.url,
            body,
            lambda: signed_headers(
                endpoint.secrets, event_id=claimed.event.id, at=self._clock.now(), body=body
            ),
        )
        return TriedDelivery(
            claimed=claimed,
            started_at=started_at,
            seconds=max(0.0, self._clock.monotonic() - began),
            status=outcome.status,
            error=outcome.error,
            is_final=outcome.is_final,
            wait_seconds=outcome.wait_seconds,
        )
