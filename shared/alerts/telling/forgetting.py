"""Forgetting the history of alerts once its time is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from shared.alerts.tables import alert_delivery, alert_event, alert_message, alert_silence
from shared.clock import Clock
from shared.identifiers import ALERT_EVENT, ALERT_MESSAGE, first_id
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import reading, transaction
from shared.settings.watching.alerts import AlertSettings

_AT_ONCE: Final = 500
_GROUPS: Final = 200


class AlertForgetting:
    """One round forgets what is older than the settings keep; raises LedgerUnavailable."""

    def __init__(self, database: Database, settings: AlertSettings, clock: Clock) -> None:
        self._database = database
        self._kept = timedelta(days=settings.retention_days)
        self._clock = clock
        self._ids = IdList(database.durable.dialect)

    async def __call__(self) -> None:
        before = self._clock.now() - self._kept
        async with transaction(self._database.durable) as connection:
            await connection.execute(delete(alert_silence).where(alert_silence.c.until < before))
        for _ in range(_GROUPS):
            events = await self._forget("events", first_id(ALERT_EVENT, before))
            messages = await self._forget("messages", first_id(ALERT_MESSAGE, before))
            if events + messages < _AT_ONCE:
                return

    async def _forget(self, what: str, before: str) -> int:
        """Up to so many ids that were made before; nothing that is still to be told."""
        column, columns, waits = _WHAT[what]
        old = select(column).where(column < before, ~waits).order_by(column).limit(_AT_ONCE)
        async with reading(self._database.relaxed) as connection:
            ids = [*(await connection.execute(old)).scalars()]
        if ids:
            async with transaction(self._database.durable) as connection:
                for each in columns:
                    gone = delete(each.table).where(self._ids.holds(each))
                    await connection.execute(gone, self._ids.parameters(ids))
        return len(ids)


_WHAT: Final = {
    "events": (alert_event.c.id, (alert_event.c.id,), alert_event.c.due_at_seconds.is_not(None)),
    "messages": (
        alert_message.c.id,
        (alert_delivery.c.message_id, alert_message.c.id),
        select(alert_delivery.c.message_id)
        .where(
            alert_delivery.c.message_id == alert_message.c.id, alert_delivery.c.due_at.is_not(None)
        )
        .exists(),
    ),
}
