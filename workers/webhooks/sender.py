"""One POST to a tenant's server: checked, signed, bounded, and never led elsewhere."""

from __future__ import annotations

import asyncio
import ssl
from functools import partial
from typing import Final

from yarl import URL

from shared.clock import Clock
from shared.errors import InvalidRequest
from shared.settings.webhooks import WebhookSettings
from shared.telemetry.metrics import installed_version
from shared.webhooks.address_guard import AddressGuard, ForbiddenAddress
from shared.webhooks.deliveries import ClaimedDelivery, TriedDelivery
from shared.webhooks.endpoints import WebhookEndpoint
from shared.webhooks.signing import event_body, signed_headers
from workers.providers.wire.http.connection import BrokenAnswerError
from workers.providers.wire.http.target import Target
from workers.providers.wire.refusals.retry_after import retry_after
from workers.webhooks.checked_dialling import CheckedDialling

_REST_SECONDS: Final = 0.25
"""The answer's body is of no interest; it may end in peace for so long."""
_LONGEST_ERROR: Final = 300
_GONE: Final = 410


class WebhookSender:
    """Tries deliveries. It asks no proxy and follows no redirect; of an answer it reads the head.

    The address that is checked is the one that is connected to: a name is resolved once for each
    try, and each of its addresses has to be allowed.
    """

    def __init__(
        self,
        settings: WebhookSettings,
        clock: Clock,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._guard = AddressGuard(settings)
        self._dialling = CheckedDialling(self._guard, tls)
        self._clock = clock

    async def send(self, endpoint: WebhookEndpoint, claimed: ClaimedDelivery) -> TriedDelivery:
        """What came of it; never raises but when it is cancelled."""
        started_at, began = self._clock.now(), self._clock.monotonic()
        tried = partial(TriedDelivery, claimed=claimed, started_at=started_at)
        status, error, is_final, wait = None, None, False, 0.0
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                status, wait = await self._post(endpoint, claimed)
            error, is_final = _refusal(status), status == _GONE
        except TimeoutError:
            error = f"It did not answer within {self._settings.timeout_seconds:g} s."
        except (ForbiddenAddress, InvalidRequest) as refused:
            error = refused.message
        except BrokenAnswerError as broken:
            error = f"It broke the connection, or does not speak HTTP: {broken.message}"
        except (OSError, RuntimeError, ValueError) as failed:
            # A RuntimeError is uvloop's, about a connection; a ValueError a name's that is none.
            error = f"It cannot be reached: {failed}"
        return tried(
            seconds=max(0.0, self._clock.monotonic() - began),
            status=status,
            error=None if error is None else error[:_LONGEST_ERROR],
            is_final=is_final,
            wait_seconds=wait,
        )

    async def _post(self, endpoint: WebhookEndpoint, claimed: ClaimedDelivery) -> tuple[int, float]:
        """The status, and how long the server asks to wait."""
        self._guard.check_url(endpoint.url)  # what is allowed may have changed since
        body = event_body(claimed.event)
        signed = signed_headers(
            endpoint.secrets, event_id=claimed.event.id, at=self._clock.now(), body=body
        )
        headers = {
            "User-Agent": f"Forebay/{installed_version()}",
            "Content-Type": "application/json",
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **signed,
        }
        target = Target.of(URL(endpoint.url), headers, lambda _: [])
        connection = await self._dialling.connect(target.origin)
        try:
            length = f"Content-Length: {len(body)}\r\n\r\n".encode()
            connection.send(target.head + length, body, is_kept=False)
            while not connection.status:
                await connection.arrival()
            wait = retry_after(connection.headers)
            return connection.status, wait or 0.0
        finally:
            connection.leave(rest_within_seconds=_REST_SECONDS if connection.status else 0.0)


def _refusal(status: int) -> str | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"It answered {status}: redirects are not followed. Name the address they lead to."
    if status == _GONE:
        return f"It answered {status}: it wants this no more."
    return f"It answered {status}."
