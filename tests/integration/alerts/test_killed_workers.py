"""A worker is killed between the change and its message, or while it sends: nothing is lost, and
what is told twice has one id."""

from __future__ import annotations

import asyncio
import sys

from shared.settings.watching.alerts import AlertSettings
from shared.webhooks.tables import DeliveryState
from tests.integration.webhooks.receiver import WebhookReceiver

from .conftest import CLAIM_SECONDS, WatchedLedger, send_round, told_to, webhook_sink

_PROCESS = "tests.integration.alerts.alerting_process"
_PATIENCE_SECONDS = 120


async def _begun(
    ledger_url: str, receiver: WebhookReceiver, does: str
) -> asyncio.subprocess.Process:
    """A process that has looked."""
    words = (sys.executable, "-m", _PROCESS, ledger_url, receiver.url, does)
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(_PATIENCE_SECONDS):
        assert await process.stdout.readline() == b"looked\n"
    return process


async def _killed(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


async def _followed(watched: WatchedLedger, settings: AlertSettings) -> None:
    """Another worker goes on, which sees the same."""
    watched.figures.values = {"ten_1": 20.0}
    await watched.rounds(watched.leader(settings), seconds=60)
    await send_round(watched.sending(settings))


async def test_killed_between_the_change_and_its_message_another_tells_it_once(
    migrated_ledger_url: str, watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    await _killed(await _begun(migrated_ledger_url, receiver, "look"))
    assert receiver.got == []
    for _ in range(2):
        await _followed(watched, told_to(webhook_sink(receiver.url)))
    (got,) = receiver.got
    assert got.event["fired"] == 1
    assert await watched.deliveries() == {"ops": (DeliveryState.DELIVERED, 1)}
    assert len(await watched.catalogue.history()) == 1


async def test_killed_while_it_sends_another_tells_it_again_under_the_same_id(
    migrated_ledger_url: str, watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    receiver.is_open.clear()
    sending = await _begun(migrated_ledger_url, receiver, "all")
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while not receiver.got:  # noqa: ASYNC110 - another process sends it
            await asyncio.sleep(0.01)
    await _killed(sending)
    receiver.is_open.set()
    watched.clock.advance(2 * CLAIM_SECONDS)
    await _followed(watched, told_to(webhook_sink(receiver.url)))
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert await watched.deliveries() == {"ops": (DeliveryState.DELIVERED, 2)}
    assert len(await watched.messages()) == 1
