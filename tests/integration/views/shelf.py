"""Rows as doors and workers leave them, made at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from msgspec.structs import asdict
from sqlalchemy import Table, insert

from shared.clock import ManualClock
from shared.identifiers import RESPONSE, first_id
from shared.messages.dead_letter import DeadReason
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.persistence.tables import DeadLetterState, HandoffState, dead_letter, handoff, message
from tests.queued_message import queued_message

_BODY: Final = '{"input":"What is a forebay?"}'


class ViewedLedger:
    """Puts rows into a ledger; the nth of a kind came n seconds after the clock's begin."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database = database
        self._began = clock.now()

    def at(self, nth: float) -> datetime:
        return self._began + timedelta(seconds=nth)

    def id_of(self, nth: int) -> str:
        return first_id(RESPONSE, self.at(nth))

    async def messages(self, count: int, **fields: Any) -> None:
        """So many, from the 0th on."""
        await self.put(message, *(self.message(nth, **fields) for nth in range(count)))

    def message(self, nth: int, **fields: Any) -> dict[str, Any]:
        made = queued_message(accepted_at=self.at(nth), id=self.id_of(nth), body=_BODY)
        return asdict(made) | {"wakes": 0} | fields

    async def letters(self, count: int, *, first: int = 0, **fields: Any) -> None:
        kept = {"state": DeadLetterState.OPEN, "reason": DeadReason.FAULT, "detail": "It broke."}
        rows = [
            kept | {"id": f"dead_{nth:04}", "created_at": self.at(nth)} | fields
            for nth in range(first, first + count)
        ]
        await self.put(dead_letter, *rows)

    async def handoffs(self, count: int, *, first: int = 0, **fields: Any) -> None:
        kept = {"state": HandoffState.OPEN, "reason": "no provider", "tenant_id": "ten_1"}
        rows = [
            kept
            | {"id": f"hand_{nth:04}", "message_id": f"resp_{nth}", "created_at": self.at(nth)}
            | fields
            for nth in range(first, first + count)
        ]
        await self.put(handoff, *rows)

    async def put(self, table: Table, *rows: dict[str, Any]) -> None:
        async with transaction(self.database.durable) as connection:
            await connection.execute(insert(table), list(rows))
