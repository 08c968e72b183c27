"""What a round reads and writes of alerts, in one transaction that no other round shares."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Insert, Integer, Row, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.alerts.clock import ClockRow
from shared.alerts.deciding import Decision
from shared.alerts.event import AlertEvent
from shared.alerts.rule import Alert
from shared.alerts.silence import Silence
from shared.alerts.tables import (
    CLOCK_ROW,
    alert,
    alert_clock,
    alert_delivery,
    alert_event,
    alert_message,
    alert_rule,
    alert_silence,
)
from shared.alerts.telling.message import AlertMessage
from shared.persistence.bulk_parameters import IdList
from shared.persistence.engine import Database
from shared.persistence.statements import insert_new, readable, upsert
from shared.webhooks.tables import DeliveryState

_TOLD_AT_ONCE: Final = 5_000
_AT_ONCE: Final = timedelta(days=2)
"""A message is due by so much before it was made: at once, though a clock was ahead then."""


class AlertRecords:
    """Statements inside a transaction of the caller's.

    Whoever changes an alert takes the clock's row first: rounds, and people who acknowledge, never
    undo what the other wrote.
    """

    def __init__(self, database: Database) -> None:
        self._ids = IdList(database.durable.dialect)
        sqlite = database.is_sqlite
        self._first = insert_new(alert_clock, sqlite_dialect=sqlite)
        self._known = insert_new(alert_rule, sqlite_dialect=sqlite)
        self._put = _put(upsert(alert, sqlite_dialect=sqlite))

    async def take_clock(self, connection: AsyncConnection, now: datetime) -> ClockRow:
        """The clock's row, which is the caller's until the transaction ends."""
        row = (await connection.execute(_CLOCK)).one_or_none()
        if row is None:
            first = msgspec.structs.asdict(ClockRow(read_at=now))
            await connection.execute(self._first, {"id": CLOCK_ROW, **first})
            row = (await connection.execute(_CLOCK)).one()
        return ClockRow(**{name: getattr(row, name) for name in ClockRow.__struct_fields__})

    async def read(self, connection: AsyncConnection) -> dict[str, Alert]:
        """Every alert that is not over, by its fingerprint."""
        rows = readable(await connection.execute(select(alert)))
        return {row.fingerprint: alert_of(row) for row in rows}

    async def silences(self, connection: AsyncConnection, now: datetime) -> list[Silence]:
        """Those in force."""
        rows = await connection.execute(_SILENCES, {"now": now})
        return [silence_of(row) for row in rows]

    async def write(self, connection: AsyncConnection, clock: ClockRow, decision: Decision) -> None:
        """The clock, and what the round changed."""
        await connection.execute(_TICK, msgspec.structs.asdict(clock))
        if decision.changed:
            await connection.execute(self._put, [_plain(each) for each in decision.changed])
        if decision.over:
            gone = delete(alert).where(self._ids.holds(alert.c.fingerprint))
            await connection.execute(gone, self._ids.parameters(decision.over))
        await self.add(connection, decision.events)

    async def add(self, connection: AsyncConnection, events: Sequence[AlertEvent]) -> None:
        """Lines of the history."""
        if events:
            await connection.execute(insert(alert_event), [_plain(each) for each in events])

    async def waiting(self, connection: AsyncConnection) -> list[AlertEvent]:
        """What is to be told and waits for company, the oldest first."""
        rows = await connection.execute(_WAITING, {"limit": _TOLD_AT_ONCE})
        return [event_of_row(row) for row in readable(rows)]

    async def tell(
        self,
        connection: AsyncConnection,
        events: Sequence[AlertEvent],
        message: AlertMessage | None,
        sinks: Collection[str],
    ) -> None:
        """Make one message of these events, due at each sink; none where there is no sink."""
        named = self._ids.parameters([event.id for event in events])
        done = update(alert_event).where(self._ids.holds(alert_event.c.id))
        message_id = None if message is None else message.id
        await connection.execute(done.values(due_at_seconds=None, message_id=message_id), named)
        if message is None:
            return
        body = msgspec.json.encode(message).decode()
        kept = {"id": message.id, "body": body, "created_at": message.created_at}
        await connection.execute(insert(alert_message), kept)
        await connection.execute(insert(alert_delivery), [_due(message, sink) for sink in sinks])

    async def note_data(
        self, connection: AsyncConnection, rules: Collection[str], now: datetime
    ) -> None:
        """That these rules have had data."""
        rows = [{"name": name, "first_data_at": now} for name in rules]
        await connection.execute(self._known, rows)


_CLOCK: Final = select(alert_clock).where(alert_clock.c.id == CLOCK_ROW).with_for_update()
_TICK: Final = (
    update(alert_clock)
    .where(alert_clock.c.id == CLOCK_ROW)
    .values({name: bindparam(name) for name in ClockRow.__struct_fields__})
)
_SILENCES: Final = (
    select(alert_silence)
    .where(alert_silence.c.until > bindparam("now"))
    .order_by(alert_silence.c.until, alert_silence.c.id)
)
_WAITING: Final = (
    select(alert_event)
    .where(alert_event.c.due_at_seconds.is_not(None))
    .order_by(alert_event.c.due_at_seconds, alert_event.c.id)
    .limit(bindparam("limit", type_=Integer))
)


def _put(statement: Any) -> Insert:
    others = [column.name for column in alert.c if not column.primary_key]
    replaced: Insert = statement.on_conflict_do_update(
        index_elements=[alert.c.fingerprint],
        set_={name: getattr(statement.excluded, name) for name in others},
    )
    return replaced


def _due(message: AlertMessage, sink: str) -> dict[str, Any]:
    return {
        "message_id": message.id,
        "sink": sink,
        "state": DeliveryState.PENDING,
        "tries": 0,
        "due_at": message.created_at - _AT_ONCE,
    }


def _plain(record: Alert | AlertEvent) -> Mapping[str, Any]:
    values = msgspec.structs.asdict(record)
    return values | {"labels": msgspec.json.encode(record.labels).decode()}


def alert_of(row: Row[Any]) -> Alert:
    """The alert of a row."""
    values = {name: getattr(row, name) for name in Alert.__struct_fields__}
    return Alert(**values | {"labels": msgspec.json.decode(row.labels, type=dict[str, str])})


def event_of_row(row: Row[Any]) -> AlertEvent:
    """The line of the history of a row."""
    values = {name: getattr(row, name) for name in AlertEvent.__struct_fields__}
    return AlertEvent(**values | {"labels": msgspec.json.decode(row.labels, type=dict[str, str])})


def silence_of(row: Row[Any]) -> Silence:
    """The silence of a row."""
    values = {name: getattr(row, name) for name in Silence.__struct_fields__}
    return Silence(**values | {"matchers": msgspec.json.decode(row.matchers, type=dict[str, str])})
