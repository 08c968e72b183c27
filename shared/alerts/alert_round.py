"""One round of alerts: figures are read, alerts moved on, and what changed is made a message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.alerts.clock import AlertClock, ClockRow
from shared.alerts.deciding import AlertRounds, Decision, FigureReading
from shared.alerts.keeping import AlertRecords
from shared.alerts.rule import AlertRule
from shared.alerts.telling.message import message_of
from shared.clock import Clock
from shared.persistence.engine import Database
from shared.persistence.statements import transaction
from shared.settings.watching.alerts import AlertSettings


class FigureReader(Protocol):
    """Reads what rules look at."""

    async def read(self, rules: Sequence[AlertRule]) -> Mapping[str, FigureReading]:
        """What the figure of each rule says, by the rule's name."""
        ...


class AlertRound:
    """What the leader does every so often; raises LedgerUnavailable.

    State and message are one transaction: a process that dies before its end has changed nothing,
    and after it every sink will be told. Two leaders do no harm, since each round takes the clock's
    row first and goes on from what the other wrote.
    """

    def __init__(
        self,
        database: Database,
        rules: Sequence[AlertRule],
        figures: FigureReader,
        settings: AlertSettings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._rules = rules
        self._figures = figures
        self._settings = settings
        self._clock = clock
        self._seconds = AlertClock(clock, every_seconds=settings.every_seconds)
        self._rounds = AlertRounds(rules, settings)
        self._records = AlertRecords(database)
        self._sinks = [sink.name for sink in settings.sinks]
        self._had_data = set[str]()

    async def __call__(self) -> None:
        readings = await self._figures.read(self._rules)
        async with transaction(self._database.durable) as connection:
            before = await self._records.take_clock(connection, self._clock.now())
            clock = self._seconds.following(before)
            alerts = await self._records.read(connection)
            silences = await self._records.silences(connection, clock.read_at)
            decision = Decision()
            if not clock.is_held:
                decision = self._rounds.decide(alerts, readings, silences, clock.moment)
            await self._records.write(connection, clock, decision)
            await self._tell(connection, clock)
            with_data = {name for name, reading in readings.items() if reading.knows}
            if new := with_data - self._had_data:
                await self._records.note_data(connection, new, clock.read_at)
        self._had_data |= with_data

    async def _tell(self, connection: AsyncConnection, clock: ClockRow) -> None:
        events = await self._records.waiting(connection)
        if not events or (events[0].due_at_seconds or 0.0) > clock.seconds:
            return
        message = message_of(events, clock.read_at) if self._sinks else None
        await self._records.tell(connection, events, message, self._sinks)
