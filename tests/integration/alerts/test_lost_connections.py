"""A Postgres that ends every connection while leaders work: rounds fail, and nothing is lost."""

from __future__ import annotations

from contextlib import suppress

import pytest
from sqlalchemy import text

from shared.errors import LedgerUnavailable
from shared.webhooks.tables import DeliveryState
from tests.integration.webhooks.receiver import WebhookReceiver

from .conftest import CLAIM_SECONDS, WatchedLedger, send_round, told_to, webhook_sink

_END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def _ended(watched: WatchedLedger) -> None:
    """Every connection but the one that ends them, as a restart does."""
    async with watched.database.relaxed.connect() as connection:
        await connection.execute(_END_OTHERS)


@pytest.mark.parametrize("migrated_ledger_url", ["postgres"], indirect=True)
async def test_connections_that_end_between_rounds_and_tries_lose_no_message(
    watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    settings = told_to(webhook_sink(receiver.url))
    leader, sending = watched.leader(settings), watched.sending(settings)
    watched.figures.values = {"ten_1": 20.0}
    for _ in range(6):
        await _ended(watched)
        with suppress(LedgerUnavailable):
            await leader()
        await _ended(watched)
        with suppress(LedgerUnavailable):
            await send_round(sending)
        watched.clock.advance(2 * CLAIM_SECONDS)
    await leader()
    await send_round(sending)
    assert {got.event["fired"] for got in receiver.got} == {1}
    assert len({got.id for got in receiver.got}) == 1
    assert len(await watched.messages()) == 1
    assert (await watched.deliveries())["ops"][0] is DeliveryState.DELIVERED
