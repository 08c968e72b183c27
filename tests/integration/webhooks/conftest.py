"""A ledger with a tenant who is told, a server of hers, and a round that tells."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from shared.batches.batch import NewBatch
from shared.batches.state import BatchEndpoint
from shared.clock import ManualClock
from shared.messages.state import ResponseState
from shared.messages.tenant import Tenant
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.settlement.event_tables import webhook_event
from shared.persistence.tenants import TenantRepository
from shared.settings.webhooks import WebhookSettings
from shared.telemetry.metrics import Metrics
from shared.webhooks.deliveries import WebhookDeliveries
from shared.webhooks.delivery_log import DeliveryLog, LoggedDelivery
from shared.webhooks.endpoints import WebhookEndpoint, WebhookEndpoints
from shared.webhooks.outbox import WebhookOutbox
from tests.integration.persistence.conftest import (
    AnswerMessage,
    NewMessage,
    answer_message,
    claims,
    database,
    ledger,
    new_message,
    settings,
    sweeps,
)
from tests.integration.webhooks.receiver import WebhookReceiver, received
from workers.webhooks.round import WebhookRound
from workers.webhooks.sender import WebhookSender

__all__ = [
    "answer_message",
    "claims",
    "database",
    "ledger",
    "new_message",
    "settings",
    "sweeps",
]

CLAIM_SECONDS = 40.0
TO_LOOPBACK = WebhookSettings(
    allow_http=True,
    allowed_networks=("127.0.0.0/8",),
    timeout_seconds=30.0,
    retry_seconds=(10, 100),
)


@pytest.fixture
def clock() -> ManualClock:
    """Signatures of another day would not be taken."""
    return ManualClock(datetime.now(UTC))


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with received() as opened:
        yield opened


@dataclass(frozen=True)
class ToldTenant:
    """A tenant, and what a person or a round does for her."""

    database: Database
    clock: ManualClock
    tenant: Tenant

    @property
    def endpoints(self) -> WebhookEndpoints:
        return WebhookEndpoints(self.database, self.clock)

    @property
    def log(self) -> DeliveryLog:
        return DeliveryLog(self.database, self.clock)

    async def endpoint(self, url: str, **more: Any) -> WebhookEndpoint:
        return await self.endpoints.create(self.tenant.id, url, **more)

    async def events(self) -> list[Any]:
        async with self.database.relaxed.connect() as connection:
            return [*(await connection.execute(select(webhook_event)))]

    async def deliveries(self) -> list[LoggedDelivery]:
        return await self.log.list(self.tenant.id)

    def round(
        self, settings: WebhookSettings = TO_LOOPBACK, sender: WebhookSender | None = None
    ) -> WebhookRound:
        """As one worker does it."""
        return WebhookRound(
            WebhookOutbox(self.database, settings, self.clock),
            WebhookDeliveries(self.database, settings, self.clock, Random(1)),
            sender or WebhookSender(settings, self.clock),
            Metrics(),
            self.clock,
            claim_seconds=CLAIM_SECONDS,
        )


@pytest.fixture
async def told(database: Database, clock: ManualClock) -> ToldTenant:
    tenant = await TenantRepository(database, clock).create("acme")
    return ToldTenant(database, clock, tenant)


class Ending:
    """Messages of the tenant that end."""

    def __init__(
        self, told: ToldTenant, new_message: NewMessage, answer_message: AnswerMessage
    ) -> None:
        self._told, self._new, self._answer = told, new_message, answer_message

    async def __call__(
        self, state: ResponseState = ResponseState.COMPLETED, **columns: object
    ) -> str:
        record = self._new(tenant_id=self._told.tenant.id, **columns)
        return (await self._answer(record, state=state)).id


@pytest.fixture
async def ends(
    told: ToldTenant,
    receiver: WebhookReceiver,
    ledger: MessageLedger,
    new_message: NewMessage,
    answer_message: AnswerMessage,
) -> Ending:
    await told.endpoint(receiver.url)
    await ledger.subscribers.refresh()
    return Ending(told, new_message, answer_message)


async def whole_round(a_round: WebhookRound) -> None:
    """One round, and all that it began."""
    await a_round()
    await a_round.served()


def new_batch(told: ToldTenant, content_id: str = "content_1") -> NewBatch:
    """What the tenant asks for; nobody expands it."""
    return NewBatch(
        tenant_id=told.tenant.id,
        endpoint=BatchEndpoint.RESPONSES,
        content_id=content_id,
        input_bytes=1,
        window_seconds=3_600,
    )
