"""Settle: the end of a turn, written once, durable, in groups, under the fence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.identifiers import DEAD_LETTER, HANDOFF, sibling_id
from shared.messages.record import SETTLED_FIELDS
from shared.messages.state import ResponseState
from shared.persistence.bulk_parameters import RowDocument
from shared.persistence.engine import Database
from shared.persistence.ledger.records import AttemptRecord, Settlement
from shared.persistence.statements import insert_new, transaction
from shared.persistence.tables import (
    DeadLetterState,
    HandoffState,
    attempt,
    dead_letter,
    handoff,
    message,
)


class SettleGroup:
    """Writes a group of settlements in one transaction."""

    def __init__(self, database: Database) -> None:
        self._engine = database.durable
        # Where the database's answer to a commit was lost the same settlement is written again:
        # all of this must be there once then.
        self._attempts = RowDocument([*attempt.c], database.durable.dialect)
        self._insert_attempts = insert_new(attempt, sqlite_dialect=database.is_sqlite).from_select(
            [*attempt.c.keys()], self._attempts.query
        )
        self._insert_letters = insert_new(dead_letter, sqlite_dialect=database.is_sqlite)
        self._insert_handoffs = insert_new(handoff, sqlite_dialect=database.is_sqlite)
        columns = [message.c[name] for name in ("id", "attempt", *SETTLED_FIELDS)]
        self._ends = RowDocument(columns, database.durable.dialect)
        ends = self._ends.relation.c
        self._update = (
            update(message)
            .where(
                message.c.id == ends.id,
                message.c.attempt == ends.attempt,
                message.c.state == ResponseState.IN_PROGRESS,
            )
            .values(lease_until=None, wake_at=None, **{name: ends[name] for name in SETTLED_FIELDS})
            .returning(message.c.id, message.c.attempt)
        )

    async def flush(self, settlements: list[Settlement]) -> Sequence[bool | BaseException]:
        """True for each that was written; False where the fence had moved on or someone was first.

        Attempts are kept either way: they were paid for. Raises LedgerUnavailable for the group.
        """
        try:
            async with transaction(self._engine) as connection:
                won = await self._write(connection, settlements)
                if paid := _attempt_rows(settlements):
                    await connection.execute(self._insert_attempts, self._attempts.parameters(paid))
                for statement, rows in (
                    (self._insert_letters, _letter_rows(won)),
                    (self._insert_handoffs, _handoff_rows(won)),
                ):
                    if rows:
                        await connection.execute(statement, rows)
        except DBAPIError as error:
            if len(settlements) == 1:
                return [error]
            return [(await self.flush([item]))[0] for item in settlements]
        written = {(item.message_id, item.attempt) for item in won}
        return [(item.message_id, item.attempt) in written for item in settlements]

    async def _write(
        self, connection: AsyncConnection, settlements: list[Settlement]
    ) -> list[Settlement]:
        ends = self._ends.parameters([_row(item) for item in settlements])
        rows = await connection.execute(self._update, ends)
        written = {(row.id, row.attempt) for row in rows}
        if len(written) == len(settlements):
            return settlements
        left = [item for item in settlements if (item.message_id, item.attempt) not in written]
        written |= await _written_before(connection, left)
        return [item for item in settlements if (item.message_id, item.attempt) in written]


def _row(settlement: Settlement) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(settlement, name) for name in SETTLED_FIELDS}
    row["id"] = settlement.message_id
    row["attempt"] = settlement.attempt
    return row


async def _written_before(
    connection: AsyncConnection, settlements: list[Settlement]
) -> set[tuple[str, int]]:
    # One claim has one attempt number, so a row in the state and at the moment that this
    # settlement names was written by it, and the database's answer to that was lost.
    rows = await connection.execute(
        select(message.c.id, message.c.attempt, message.c.state, message.c.finished_at).where(
            message.c.id.in_([item.message_id for item in settlements])
        )
    )
    ends = {(row.id, row.attempt, row.state, row.finished_at) for row in rows}
    return {
        (item.message_id, item.attempt)
        for item in settlements
        if (item.message_id, item.attempt, item.state, item.finished_at) in ends
    }


def _attempt_rows(settlements: Iterable[Settlement]) -> list[dict[str, Any]]:
    return [
        {
            **attempt_row(item, claim=settlement.attempt, ordinal=ordinal),
            "message_id": settlement.message_id,
            "tenant_id": settlement.tenant_id,
            "user_id": settlement.user_id,
            "lane": settlement.lane,
            "booked_at": settlement.finished_at,
        }
        for settlement in settlements
        for ordinal, item in enumerate(settlement.attempts, start=1)
    ]


def attempt_row(item: AttemptRecord, *, claim: int, ordinal: int) -> dict[str, Any]:
    """The columns of one attempt, but for whose it is and when it was booked."""
    booked = {name: getattr(item, name) for name in AttemptRecord.__dataclass_fields__}
    return booked | {"claim": claim, "ordinal": ordinal}


def _letter_rows(settlements: Iterable[Settlement]) -> list[dict[str, Any]]:
    return [
        {
            "id": sibling_id(DEAD_LETTER, item.message_id),
            "state": DeadLetterState.OPEN,
            "reason": item.dead_reason,
            "detail": item.error_message or "",
            "message_id": item.message_id,
            "tenant_id": item.tenant_id,
            "created_at": item.finished_at,
        }
        for item in settlements
        if item.dead_reason is not None
    ]


def _handoff_rows(settlements: Iterable[Settlement]) -> list[dict[str, Any]]:
    return [
        {
            "id": sibling_id(HANDOFF, item.message_id),
            "message_id": item.message_id,
            "tenant_id": item.tenant_id,
            "state": HandoffState.OPEN,
            "reason": item.handoff_reason,
            "created_at": item.finished_at,
        }
        for item in settlements
        if item.handoff_reason is not None
    ]
