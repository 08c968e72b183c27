"""An accepted message once more: the same body, a new id, a new deadline."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from shared.clock import SystemClock
from shared.errors import BrokerUnavailable, NotFound
from shared.identifiers import new_response_id
from shared.messages.lane import Lane
from shared.messages.record import MessageRecord
from shared.messages.wake_up import WakeUp
from shared.persistence.dead_letters import DeadLetter
from shared.persistence.engine import Database
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AlreadyAccepted
from shared.queueing.publisher import build_publisher
from shared.settings import Settings
from shared.settings.door import LaneSettings
from shared.telemetry.metrics import Metrics

_KEY_PREFIX: Final = "replay:"


async def accept_again(letter: DeadLetter, database: Database, settings: Settings) -> str:
    """The new message's id. Its idempotency key names the letter, so there is one at most.

    Admission is not asked: the message was let in once. Raises NotFound, LedgerUnavailable.
    """
    clock = SystemClock()
    ledger = MessageLedger(database, settings.ledger, clock, Metrics())
    try:
        old = await ledger.find(letter.message_id or "")
        if old is None:
            raise NotFound(f"The message of '{letter.id}' is no longer in the ledger.")
        outcome = await ledger.accept(_renewed(old, letter, settings.lanes, clock.now()))
    finally:
        await ledger.close()
    if isinstance(outcome, AlreadyAccepted):
        return outcome.message_id
    await _announce(outcome.record, settings)
    return outcome.record.id


def _renewed(
    old: MessageRecord, letter: DeadLetter, lanes: LaneSettings, now: datetime
) -> MessageRecord:
    patience = {
        Lane.INTERACTIVE: lanes.interactive_deadline_seconds,
        Lane.STANDARD: lanes.standard_deadline_seconds,
        Lane.BATCH: lanes.batch_deadline_seconds,
    }
    return MessageRecord(
        id=new_response_id(),
        tenant_id=old.tenant_id,
        lane=old.lane,
        surface=old.surface,
        body=old.body,
        body_digest=old.body_digest,
        accepted_at=now,
        deadline=now + timedelta(seconds=patience[old.lane]),
        user_id=old.user_id,
        conversation_id=old.conversation_id,
        previous_id=old.previous_id,
        idempotency_key=f"{_KEY_PREFIX}{letter.id}",
        estimated_tokens=old.estimated_tokens,
        reply_to=old.reply_to,
        reply_correlation=old.reply_correlation,
        reply_shape=old.reply_shape,
    )


async def _announce(record: MessageRecord, settings: Settings) -> None:
    """Without the broker the reconciler does this in a while."""
    publisher = build_publisher(settings.broker, Metrics())
    await publisher.start()
    try:
        await publisher.publish([WakeUp(record.id, record.lane, record.deadline)])
    except BrokerUnavailable:
        pass
    finally:
        await publisher.close()
