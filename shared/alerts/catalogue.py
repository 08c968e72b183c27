"""What people ask of alerts, and what they do about them: the console and the command share it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import delete, insert, literal, select, tuple_, update

from shared.alerts.event import AlertEvent, event_of
from shared.alerts.keeping import AlertRecords, alert_of, event_of_row
from shared.alerts.rule import Alert, AlertRule
from shared.alerts.silence import Silence, checked_matchers
from shared.alerts.state import AlertEventKind, AlertState
from shared.alerts.tables import (
    alert,
    alert_delivery,
    alert_event,
    alert_rule,
    alert_silence,
)
from shared.clock import Clock
from shared.errors import Conflict, InvalidRequest, NotFound
from shared.identifiers import ALERT_SILENCE, new_id
from shared.persistence.columns import UtcDateTime
from shared.persistence.engine import Database
from shared.persistence.statements import readable, reading, transaction
from shared.webhooks.tables import DeliveryState

_LONGEST: Final = timedelta(days=366)


class Undelivered(msgspec.Struct, frozen=True, kw_only=True):
    """A message that a sink has not taken: not yet, `failed` for good, or `delivered` to some of
    those whom it was for; and why."""

    message_id: str
    sink: str
    state: DeliveryState
    tries: int
    due_at: datetime | None
    reason: str | None


class AlertsStanding(msgspec.Struct, frozen=True, kw_only=True):
    """All that a person looks at first; `without_data` are rules whose figure never had any."""

    active: list[Alert]
    without_data: list[str]
    undelivered: list[Undelivered]
    silences: list[Silence]


class AlertCatalogue:
    """All raise LedgerUnavailable."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._records = AlertRecords(database)

    async def active(self, *, after: str | None = None, limit: int | None = None) -> list[Alert]:
        """What is pending or firing, the longest first; `after` is the last fingerprint of the page
        before. Raises NotFound for one that is there no more."""
        states = (AlertState.PENDING, AlertState.FIRING)
        query = select(alert).where(alert.c.state.in_(states)).limit(limit)
        async with reading(self._database.relaxed) as connection:
            if after is not None:
                last = select(alert.c.since).where(alert.c.fingerprint == after)
                since = await connection.scalar(last)
                if since is None:
                    raise _unknown(after)
                place = tuple_(alert.c.since, alert.c.fingerprint)
                query = query.where(place > tuple_(literal(since, UtcDateTime), literal(after)))
            rows = await connection.execute(query.order_by(alert.c.since, alert.c.fingerprint))
            return [alert_of(row) for row in readable(rows)]

    async def history(self, *, after: str | None = None, limit: int = 50) -> list[AlertEvent]:
        """What happened, the newest first; `after` is the last id of the page before."""
        query = select(alert_event).order_by(alert_event.c.id.desc()).limit(limit)
        if after is not None:
            query = query.where(alert_event.c.id < after)
        async with reading(self._database.relaxed) as connection:
            return [event_of_row(row) for row in readable(await connection.execute(query))]

    async def standing(
        self, rules: Sequence[AlertRule], *, after: str | None = None, limit: int = 50
    ) -> AlertsStanding:
        """A page of what is active, which of these rules never had data, the newest of what is not
        delivered, and what is silenced; raises NotFound."""
        async with reading(self._database.relaxed) as connection:
            known = {*(await connection.execute(select(alert_rule.c.name))).scalars()}
            rows = await connection.execute(_UNDELIVERED.limit(limit))
            undelivered = [Undelivered(**row._mapping) for row in rows]
        return AlertsStanding(
            active=await self.active(after=after, limit=limit),
            without_data=[rule.name for rule in rules if rule.name not in known],
            undelivered=undelivered,
            silences=await self.silences(),
        )

    async def acknowledge(self, fingerprint: str, *, by: str) -> Alert:
        """Remind nobody of a firing alert any more: somebody is at it.

        Raises NotFound for one that is not there, Conflict for one that does not fire.
        """
        now = self._clock.now()
        async with transaction(self._database.durable) as connection:
            clock = await self._records.take_clock(connection, now)
            found = (await self._records.read(connection)).get(fingerprint)
            if found is None:
                raise _unknown(fingerprint)
            if found.state is not AlertState.FIRING:
                raise Conflict(f"The alert is {found.state}: only a firing one is acknowledged.")
            noted = msgspec.structs.replace(found, acknowledged_by=by, acknowledged_at=now)
            whom = {"acknowledged_by": by, "acknowledged_at": now}
            one = update(alert).where(alert.c.fingerprint == fingerprint)
            await connection.execute(one.values(whom))
            at = msgspec.structs.replace(clock, read_at=now).moment
            event = event_of(noted, AlertEventKind.ACKNOWLEDGED, at, by=by)
            await self._records.add(connection, [event])
        return noted

    async def silence(
        self, matchers: dict[str, str], *, until: datetime, by: str, why: str
    ) -> Silence:
        """Tell nobody of alerts that match all of these until then; raises InvalidRequest."""
        now = self._clock.now()
        if not now < until <= now + _LONGEST:
            raise InvalidRequest(
                "A silence ends in the future, within a year. Give a later time.", param="until"
            )
        made = Silence(
            id=new_id(ALERT_SILENCE),
            matchers=checked_matchers(matchers),
            until=until,
            by=by,
            why=why,
            created_at=now,
        )
        values = msgspec.structs.asdict(made)
        row = values | {"matchers": msgspec.json.encode(made.matchers).decode()}
        async with transaction(self._database.durable) as connection:
            await connection.execute(insert(alert_silence), row)
        return made

    async def silences(self) -> list[Silence]:
        """Those in force, the next to end first."""
        async with reading(self._database.relaxed) as connection:
            return await self._records.silences(connection, self._clock.now())

    async def end_silence(self, silence_id: str) -> None:
        """Tell again at once; raises NotFound."""
        gone = delete(alert_silence).where(alert_silence.c.id == silence_id)
        async with transaction(self._database.durable) as connection:
            if not (await connection.execute(gone)).rowcount:
                raise NotFound(f"There is no silence '{silence_id[:64]}'.")


def _unknown(fingerprint: str) -> NotFound:
    return NotFound(f"There is no alert '{fingerprint[:64]}'. See: forebay alerts list")


_UNDELIVERED: Final = (
    select(*(alert_delivery.c[name] for name in Undelivered.__struct_fields__))
    .where(alert_delivery.c.reason.is_not(None))
    .order_by(alert_delivery.c.message_id.desc(), alert_delivery.c.sink)
)
