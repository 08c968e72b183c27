"""An answer of the ledger that got lost makes a worker write again: everything is there once."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from shared.clock import SystemClock
from shared.messages.dead_letter import DeadReason
from shared.messages.state import ResponseState
from shared.persistence.engine import Database, open_database
from shared.persistence.ledger.claiming import ClaimGroup
from shared.persistence.ledger.message_ledger import MessageLedger
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.tables import attempt, dead_letter, handoff
from shared.settings.secret import ServerUrl
from shared.settings.servers import LedgerSettings
from shared.telemetry.metrics import Metrics
from tests.queued_message import queued_message

CLOCK = SystemClock()
TRIED = AttemptRecord(
    provider="first", model="small", started_at=CLOCK.now(), latency_seconds=0.5, error_class=None
)
ENDS = {
    "completed": {"state": ResponseState.COMPLETED, "output_text": "yes"},
    "failed": {"state": ResponseState.FAILED, "dead_reason": DeadReason.CHAIN_EXHAUSTED},
    "handed off": {"state": ResponseState.REQUIRES_ACTION, "handoff_reason": "nobody answered"},
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_end_that_is_written_twice_is_there_once(
    migrated_ledger_url: str, end: str
) -> None:
    settings = LedgerSettings(url=ServerUrl(migrated_ledger_url))
    database = open_database(settings)
    ledger = MessageLedger(database, settings, CLOCK, Metrics())
    now = CLOCK.now()
    record = queued_message(accepted_at=now, deadline=now)
    await ledger.accept(record)
    await ClaimGroup(database, CLOCK, worker="w", lease_seconds=9).flush([record.id])
    settlement = Settlement(
        message_id=record.id,
        tenant_id=record.tenant_id,
        attempt=1,
        finished_at=now,
        attempts=(TRIED,),
        **ENDS[end],  # type: ignore[arg-type]
    )
    assert [await ledger.settle(settlement) for _ in range(3)] == [True] * 3
    counts = [await _count(database, table) for table in (attempt, dead_letter, handoff)]
    assert counts == [1, int(end == "failed"), int(end == "handed off")]
    await ledger.close()
    await database.close()


async def _count(database: Database, table: object) -> int:
    async with database.relaxed.connect() as connection:
        query = select(func.count()).select_from(table)  # type: ignore[arg-type]
        return int(await connection.scalar(query) or 0)
