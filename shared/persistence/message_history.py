"""All that the ledger knows of one message, for a person who asks what became of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Table, and_, func, select

from shared.errors import NotFound
from shared.messages.record import MessageRecord
from shared.messages.state import ResponseState
from shared.persistence.dead_letters import DeadLetter
from shared.persistence.engine import Database
from shared.persistence.ledger.wait_notes import WaitNote, read_notes
from shared.persistence.statements import RECORD_COLUMNS, reading
from shared.persistence.tables import (
    HandoffState,
    attempt,
    dead_letter,
    handoff,
    message,
    tenant,
    worker_lease,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedAttempt:
    """One call of one provider, as it was booked; `claim` says in which turn."""

    claim: int
    ordinal: int
    provider: str
    model: str
    error_class: str | None
    """None where its answer was taken; `rejected` is the guardrail's verdict."""
    detail: str | None
    started_at: datetime
    latency_seconds: float
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    is_estimated: bool | None
    cost: Decimal | None
    deployment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHistory:
    """`record` is None where the message was deleted: what was spent on it is kept."""

    record: MessageRecord | None
    tenant_name: str | None
    lease_until: datetime | None
    wakes: int
    attempts: list[BookedAttempt]
    dead_letters: list[DeadLetter]
    handoff_id: str | None
    handoff_state: HandoffState | None
    handed_off_at: datetime | None
    answered_by_person_at: datetime | None
    waits: list[WaitNote] = field(default_factory=list)
    """Why it waited longer than in a queue."""


async def read_history(database: Database, message_id: str) -> MessageHistory:
    """Read it; raises NotFound, LedgerUnavailable."""
    whole = (
        select(*_COLUMNS)
        .select_from(
            message.outerjoin(tenant, tenant.c.id == message.c.tenant_id)
            .outerjoin(handoff, handoff.c.message_id == message.c.id)
            .outerjoin(
                worker_lease,
                and_(
                    worker_lease.c.worker == message.c.claimed_by,
                    message.c.state == ResponseState.IN_PROGRESS,
                ),
            )
        )
        .where(message.c.id == message_id)
    )
    async with reading(database.relaxed) as connection:
        row = (await connection.execute(whole)).one_or_none()
        attempts = await connection.execute(_of(attempt, message_id, "claim", "ordinal"))
        letters = await connection.execute(_of(dead_letter, message_id))
        history = _history(
            None if row is None else dict(row._mapping),
            [_attempt(each._mapping) for each in attempts],
            [DeadLetter(**each._mapping) for each in letters],
        )
    if history.record is None and not history.attempts and not history.dead_letters:
        raise NotFound(
            f"There is no message '{message_id}'. The door's answer and its logs name ids, such as "
            "resp_019a3c…; ended messages are kept for ledger.retention_days."
        )
    return history


_COLUMNS: Final = (
    *RECORD_COLUMNS,
    func.coalesce(message.c.lease_until, worker_lease.c.lease_until).label("lease_until"),
    message.c.wakes,
    message.c.waits,
    tenant.c.name.label("tenant_name"),
    handoff.c.id.label("handoff_id"),
    handoff.c.state.label("handoff_state"),
    handoff.c.created_at.label("handed_off_at"),
    handoff.c.answered_at.label("answered_by_person_at"),
)


def _of(table: Table, message_id: str, *order: str) -> Any:
    ordered = [table.c[name] for name in order]
    return select(table).where(table.c.message_id == message_id).order_by(*ordered)


def _history(
    row: dict[str, Any] | None, attempts: list[BookedAttempt], letters: list[DeadLetter]
) -> MessageHistory:
    beside = row or {}
    return MessageHistory(
        tenant_name=beside.pop("tenant_name", None),
        lease_until=beside.pop("lease_until", None),
        wakes=beside.pop("wakes", 0),
        waits=read_notes(beside.pop("waits", None)),
        handoff_id=beside.pop("handoff_id", None),
        handoff_state=beside.pop("handoff_state", None),
        handed_off_at=beside.pop("handed_off_at", None),
        answered_by_person_at=beside.pop("answered_by_person_at", None),
        record=None if row is None else MessageRecord(**row),
        attempts=attempts,
        # Not by the database: Postgres, told not to sort, goes through all letters by their age.
        dead_letters=sorted(letters, key=lambda letter: letter.created_at),
    )


def _attempt(row: Any) -> BookedAttempt:
    fields = {name: row[name] for name in BookedAttempt.__dataclass_fields__}
    return BookedAttempt(**fields | {"latency_seconds": float(row["latency_seconds"])})
