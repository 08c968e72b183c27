"""The statements of webhooks, and how to run them on a full ledger."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random
from typing import Final

from shared.clock import Clock
from shared.messages.state import ResponseState
from shared.persistence.engine import Database
from shared.persistence.ledger.settlement.end_events import EndedMessage, EndEvents, Subscribers
from shared.persistence.ledger.settlement.event_tables import EventType
from shared.persistence.statements import transaction
from shared.settings.webhooks import WebhookSettings
from shared.webhooks.deliveries import TriedDelivery, WebhookDeliveries
from shared.webhooks.outbox import WebhookOutbox

from .alert_probes import ALERT_PROBES

WebhookProbe = Callable[[Database, Clock], Awaitable[object]]
_SETTINGS: Final = WebhookSettings()


async def _ended(database: Database, clock: Clock) -> object:
    ended = [
        EndedMessage(f"resp_k{number}", f"ten_{number}", ResponseState.FAILED)
        for number in range(100)
    ]
    async with transaction(database.durable) as connection:
        await EndEvents(database).add(connection, ended, now=clock.now())
    return None


async def _batch_ended(database: Database, clock: Clock) -> object:
    async with transaction(database.durable) as connection:
        await connection.run_sync(
            EndEvents(database).add_batch,
            batch_id="batch_1",
            tenant_id="ten_7",
            kind=EventType.BATCH_COMPLETED,
            now=clock.now(),
        )
    return None


def _deliveries(database: Database, clock: Clock) -> WebhookDeliveries:
    return WebhookDeliveries(database, _SETTINGS, clock, Random(1))


async def _waiting(database: Database, clock: Clock) -> object:
    (endpoint,) = await _deliveries(database, clock).waiting()
    assert endpoint.id == "we_7"
    return None


async def _finished(database: Database, clock: Clock) -> object:
    deliveries = _deliveries(database, clock)
    claimed = await deliveries.claim("we_7", claim_seconds=60, limit=16)
    assert len(claimed) == 16
    tried = [TriedDelivery(claimed=each, started_at=clock.now(), seconds=1) for each in claimed]
    return await deliveries.finish(tried)


async def _fanned_out(database: Database, clock: Clock) -> object:
    assert await WebhookOutbox(database, _SETTINGS, clock).fan_out() == 200
    return None


async def _forgotten(database: Database, clock: Clock) -> object:
    assert await WebhookOutbox(database, _SETTINGS, clock).forget_old(limit=200) == 200
    return None


WEBHOOK_PROBES: Final[dict[str, WebhookProbe]] = {
    "Subscribers.refresh": lambda database, _: Subscribers(database).refresh(),
    "EndEvents.add": _ended,
    "EndEvents.add of a batch": _batch_ended,
    "WebhookDeliveries.waiting": _waiting,
    "WebhookDeliveries.finish": _finished,
    "WebhookOutbox.fan_out": _fanned_out,
    "WebhookOutbox.forget_old": _forgotten,
    **ALERT_PROBES,
}
PARTS_OF_WEBHOOKS: Final = {"WebhookDeliveries.claim": "WebhookDeliveries.finish"}
WEBHOOKS_BY_HAND: Final = {
    "WebhookEndpoints": {"create", "list", "find", "rotate", "remove"},
    "DeliveryLog": {"list", "find", "redeliver", "test"},
}
