"""What comes with an end outside a turn: its figures, and the events that webhooks tell of."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.identifiers import WEBHOOK_EVENT, sibling_id
from shared.messages.state import ResponseState
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.ledger.records import Settlement
from shared.persistence.ledger.settlement.end_figures import EndFigures
from shared.persistence.ledger.settlement.event_tables import (
    EventType,
    webhook_endpoint,
    webhook_event,
)
from shared.persistence.ledger.settlement.parts import SettlementPart
from shared.persistence.statements import insert_new, reading

TYPE_OF: Final = {
    ResponseState.COMPLETED: EventType.RESPONSE_COMPLETED,
    ResponseState.FAILED: EventType.RESPONSE_FAILED,
    ResponseState.INCOMPLETE: EventType.RESPONSE_INCOMPLETE,
    ResponseState.CANCELLED: EventType.RESPONSE_CANCELLED,
}
"""What is told of a message; nothing while a human has it."""
_COLUMNS: Final = ("id", "tenant_id", "type", "message_id", "created_at", "due_at")
_TENANTS: Final = select(webhook_endpoint.c.tenant_id).distinct()


class Subscribers:
    """The tenants that have endpoints, as far as this process knows: a settlement asks nobody.

    `tenants` is what the last `refresh` found; raises LedgerUnavailable, and it stays then.
    """

    def __init__(self, database: Database) -> None:
        self._engine = database.relaxed
        self.tenants: frozenset[str] = frozenset()

    async def refresh(self) -> None:
        """Look again who they are."""
        async with reading(self._engine) as connection:
            self.tenants = frozenset((await connection.execute(_TENANTS)).scalars())


def event_part(subscribers: Subscribers) -> SettlementPart:
    """The events of ended turns; those of other tenants cost a look into a set."""

    def rows(settlements: Sequence[Settlement]) -> list[tuple[Any, ...]]:
        tenants = subscribers.tenants
        return [
            (
                sibling_id(WEBHOOK_EVENT, item.message_id),
                item.tenant_id,
                TYPE_OF[item.state],
                item.message_id,
                item.finished_at,
                item.finished_at,
                item.attempt,
            )
            for item in settlements
            if item.tenant_id in tenants and item.state in TYPE_OF
        ]

    return SettlementPart(
        name="events", table=webhook_event, columns=_COLUMNS, is_fenced=True, rows=rows
    )


class EndedMessage(NamedTuple):
    """A message that was ended outside a turn."""

    message_id: str
    tenant_id: str
    state: ResponseState


class EndEvents:
    """Writes the events of what ends outside a turn, into the transaction that ends it, and appends
    it to the figures.

    It asks which tenants have endpoints. An event that is there stays as it is: of one end there
    is one event, with one id.
    """

    def __init__(self, database: Database) -> None:
        self._insert = insert_new(webhook_event, sqlite_dialect=database.is_sqlite)
        self._ids = IdList(database.durable.dialect)
        self._figures = EndFigures(database.durable.dialect)
        self._told = _TENANTS.where(self._ids.holds(webhook_endpoint.c.tenant_id))

    async def add(
        self, connection: AsyncConnection, ended: Sequence[EndedMessage], *, now: datetime
    ) -> None:
        """That these messages have ended, as their rows say; raises what the connection raises."""
        await self._figures.add(connection, [each.message_id for each in ended])
        rows = [
            {
                "id": sibling_id(WEBHOOK_EVENT, each.message_id),
                "tenant_id": each.tenant_id,
                "type": TYPE_OF[each.state],
                "message_id": each.message_id,
                "batch_id": None,
            }
            for each in ended
        ]
        await connection.run_sync(lambda on: self._add(on, rows, now))

    def add_batch(
        self,
        connection: Connection,
        *,
        batch_id: str,
        tenant_id: str,
        kind: EventType,
        now: datetime,
    ) -> None:
        """That a batch has ended; raises what the connection raises."""
        row = {
            "id": sibling_id(WEBHOOK_EVENT, batch_id),
            "tenant_id": tenant_id,
            "type": kind,
            "message_id": None,
            "batch_id": batch_id,
        }
        self._add(connection, [row], now)

    def _add(self, connection: Connection, rows: Sequence[dict[str, Any]], now: datetime) -> None:
        if not rows:
            return
        tenants = self._ids.parameters(sorted({row["tenant_id"] for row in rows}))
        told = {*connection.execute(self._told, tenants).scalars()}
        times = {"created_at": now, "due_at": now}
        if events := [row | times for row in rows if row["tenant_id"] in told]:
            connection.execute(self._insert, events)
