"""A message whose turn did not come to an end goes back to the queue, with the reason."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.messages.state import ResponseState
from shared.persistence.columns import UtcDateTime
from shared.persistence.ledger.wait_notes import WaitCause, WaitNote, noted
from shared.persistence.ledger.worker_lease import Lease
from shared.persistence.statements import transaction
from shared.persistence.tables import message

_STOPPED: Final = "Its worker was told to stop."


def broken_off(why: str, *, now: datetime, until: datetime | None) -> WaitNote:
    """That of a turn that ended by `why`, or by a worker that stops where it is empty."""
    if not why:
        return WaitNote(cause=WaitCause.WORKER_STOPPED, since=now, why=_STOPPED)
    said = f"Its turn broke off: {why}."
    return WaitNote(cause=WaitCause.FAULT, since=now, until=until, why=said)


async def queue_again(
    engine: AsyncEngine, lease: Lease, note: WaitNote, *, fault: str | None = None
) -> None:
    """If it is still held under this attempt: until the note's `until`, or at once.

    Raises LedgerUnavailable.
    """
    bounds = {
        "b_id": lease.message_id,
        "b_attempt": lease.attempt,
        "b_not_before": note.until,
        "b_wake_at": note.until or note.since,
        "b_fault": fault,
        "b_note": note.line(),
    }
    async with transaction(engine) as connection:
        await connection.execute(_QUEUE_AGAIN, bounds)


_QUEUE_AGAIN: Final = (
    update(message)
    .where(
        message.c.id == bindparam("b_id"),
        message.c.attempt == bindparam("b_attempt"),
        message.c.state == ResponseState.IN_PROGRESS,
    )
    .values(
        state=ResponseState.QUEUED,
        lease_until=None,
        not_before=bindparam("b_not_before", type_=UtcDateTime),
        wake_at=bindparam("b_wake_at", type_=UtcDateTime),
        error_message=bindparam("b_fault", type_=message.c.error_message.type),
        **noted(),
    )
)
