"""Dead letters: what will not be answered, why, and what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import select, update

from shared.clock import Clock
from shared.errors import Conflict, NotFound
from shared.messages.dead_letter import DeadReason
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, reading, transaction
from shared.persistence.tables import DeadLetterState, dead_letter

BODY_LIMIT_BYTES: Final = 65_536


class LetterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One message that will not be answered, without what it held. Without `message_id` it was
    never accepted."""

    id: str
    state: DeadLetterState
    reason: DeadReason
    detail: str
    queue: str | None
    message_id: str | None
    tenant_id: str | None
    created_at: datetime
    closed_at: datetime | None
    replayed_as: str | None


class DeadLetter(LetterRow, frozen=True, kw_only=True):
    """One with what it held. `body` is its first 64 KiB, as it came."""

    headers: str | None
    body: bytes | None


class DeadLetterRepository:
    """Everything raises LedgerUnavailable when the database does not answer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(
        self,
        letter_id: str,
        *,
        reason: DeadReason,
        detail: str,
        queue: str | None = None,
        message_id: str | None = None,
        tenant_id: str | None = None,
        headers: str | None = None,
        body: bytes | None = None,
    ) -> bool:
        """Keep one message that came over a queue; on disk when this returns.

        `headers` is JSON that carries no credentials. False where the letter of that id is kept
        already.
        """
        inserting = insert_new(dead_letter, sqlite_dialect=self._database.is_sqlite)
        async with transaction(self._database.durable) as connection:
            kept = await connection.execute(
                inserting.values(
                    id=letter_id,
                    state=DeadLetterState.OPEN,
                    reason=reason,
                    detail=detail,
                    queue=queue,
                    message_id=message_id,
                    tenant_id=tenant_id,
                    headers=headers,
                    body=body[:BODY_LIMIT_BYTES] if body is not None else None,
                    created_at=self._clock.now(),
                ).returning(dead_letter.c.id)
            )
            return kept.one_or_none() is not None

    async def list(
        self, *, state: DeadLetterState | None = DeadLetterState.OPEN, limit: int = 100
    ) -> list[DeadLetter]:
        """The newest first; of any state when `state` is None."""
        query = select(dead_letter).order_by(dead_letter.c.created_at.desc()).limit(limit)
        if state is not None:
            query = query.where(dead_letter.c.state == state)
        async with reading(self._database.relaxed) as connection:
            return [DeadLetter(**row._mapping) for row in await connection.execute(query)]

    async def show(self, letter_id: str) -> DeadLetter:
        """One of them; raises NotFound."""
        async with reading(self._database.relaxed) as connection:
            row = (
                await connection.execute(select(dead_letter).where(dead_letter.c.id == letter_id))
            ).one_or_none()
        if row is None:
            raise NotFound(f"There is no dead letter '{letter_id[:64]}'. See: forebay dead list.")
        return DeadLetter(**row._mapping)

    async def close_letter(
        self, letter_id: str, *, state: DeadLetterState, replayed_as: str | None = None
    ) -> None:
        """Mark an open one as replayed or discarded; raises NotFound, or Conflict if not open.

        Two people who replay the same letter at once: one of them gets Conflict.
        """
        async with transaction(self._database.durable) as connection:
            changed = await connection.execute(
                update(dead_letter)
                .where(dead_letter.c.id == letter_id, dead_letter.c.state == DeadLetterState.OPEN)
                .values(state=state, closed_at=self._clock.now(), replayed_as=replayed_as)
                .returning(dead_letter.c.id)
            )
            if changed.one_or_none() is not None:
                return
        letter = await self.show(letter_id)
        raise Conflict(f"The dead letter '{letter_id}' is {letter.state} already.")
