"""A worker is killed between the change and its message, or while it sends: nothing is lost, and
what is told twice has one id."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import pytest

from shared.webhooks.tables import DeliveryState
from tests.integration.webhooks.receiver import WebhookReceiver, received

from .conftest import CLAIM_SECONDS, WatchedLedger

_PROCESS = "tests.integration.alerts.alerting_process"
_PATIENCE_SECONDS = 120
_AHEAD = 2 * CLAIM_SECONDS


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with received() as opened:
        yield opened


async def _begun(
    ledger_url: str, receiver: WebhookReceiver, does: str, *, ahead: float = 0.0
) -> asyncio.subprocess.Process:
    """A process that has looked."""
    words = (sys.executable, "-m", _PROCESS, ledger_url, receiver.url, str(ahead), does)
    process = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    async with asyncio.timeout(_PATIENCE_SECONDS):
        assert await process.stdout.readline() == b"looked\n"
    return process


async def _killed(process: asyncio.subprocess.Process) -> None:
    process.kill()
    await process.wait()


async def _ended(process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(_PATIENCE_SECONDS):
        assert await process.wait() == 0


async def test_killed_between_the_change_and_its_message_another_tells_it_once(
    migrated_ledger_url: str, watched: WatchedLedger, receiver: WebhookReceiver
) -> None:
    await _killed(await _begun(migrated_ledger_url, receiver, "look"))
    assert receiver.got == []
    for _ in range(2):
        await _ended(await _begun(migrated_ledger_url, receiver, "all"))
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
    await _ended(await _begun(migrated_ledger_url, receiver, "all", ahead=_AHEAD))
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert await watched.deliveries() == {"ops": (DeliveryState.DELIVERED, 2)}
    assert len(await watched.messages()) == 1
