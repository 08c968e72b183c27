"""A message whose turn found nobody to answer it waits for the dispatcher once more."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.flow_tables import charge
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote, noted
from shared.persistence.statements import transaction
from shared.persistence.tables import message


async def put_back(
    engine: AsyncEngine, record: MessageRecord, *, units: float, now: datetime
) -> bool:
    """False where it is no longer held under this attempt. Its flow is charged what is left, which
    tells the dispatcher that the turn is over; raises LedgerUnavailable."""
    line = no_model(now).line()
    bounds = {"b_id": record.id, "b_attempt": record.attempt, "b_now": now, "b_note": line}
    async with transaction(engine) as connection:
        held = (await connection.execute(_HOLD, bounds)).one_or_none()
        if held is not None:
            row = {
                "message_id": record.id,
                "claim": record.attempt,
                "ordinal": 0,
                "tenant_id": record.tenant_id,
                "lane": record.lane,
                "units": units,
                "charged_at": now,
            }
            await connection.execute(insert(charge), row)
    return held is not None


def no_model(now: datetime, *, until: datetime | None = None) -> WaitNote:
    """Why it waits then."""
    return WaitNote(cause=WaitCause.MODELS_AWAY, since=now, until=until, why=_MODELS_AWAY)


_MODELS_AWAY: Final = "Its turn found no model to answer it, and it has the time to wait for one."
_HOLD: Final = (
    update(message)
    .where(
        message.c.id == bindparam("b_id"),
        message.c.attempt == bindparam("b_attempt"),
        message.c.state == ResponseState.IN_PROGRESS,
        message.c.held_at.is_not(None),
    )
    .values(
        state=ResponseState.QUEUED,
        held_at=bindparam("b_now"),
        released_at=None,
        wake_at=None,
        lease_until=None,
        **noted(),
    )
    .returning(message.c.id)
)
